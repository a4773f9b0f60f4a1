"""Dialogs that list something: they say what they list, and do only what their buttons say."""

from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.document import Problem
from gui.dialogs.lists import AboutDialog, KeysDialog, ListDialog, ProblemsDialog


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


def buttons(dialog: QWidget) -> dict[str, QPushButton]:
    return {button.text(): button for button in dialog.findChildren(QPushButton)}


def rows(dialog: ListDialog) -> list[list[str]]:
    table = dialog.table
    found = [table.topLevelItem(n) for n in range(table.topLevelItemCount())]
    return [[item.text(column) for column in range(table.columnCount())] for item in found if item is not None]


def test_a_problem_leads_to_its_blob(qtbot: QtBot, parent: QWidget) -> None:
    digest = "sha256:" + "0" * 64
    dialog = ProblemsDialog("app", [Problem("error", "It is damaged.", digest, "layers[0]")], parent)
    assert "1 problem in app" in words(dialog)
    with qtbot.waitSignal(dialog.place_chosen) as chosen:
        dialog.table.itemActivated.emit(dialog.table.topLevelItem(0), 0)
    assert chosen.args == [digest]


def test_a_problem_of_a_file_leads_nowhere(qtbot: QtBot, parent: QWidget) -> None:
    dialog = ProblemsDialog("app", [Problem("error", "It is missing.", "oci-layout")], parent)
    with qtbot.assertNotEmitted(dialog.place_chosen):
        dialog.table.itemActivated.emit(dialog.table.topLevelItem(0), 0)


def test_a_store_without_problems_is_told_so_without_an_empty_table(parent: QWidget) -> None:
    dialog = ProblemsDialog("app", [], parent)
    assert "app is well built" in words(dialog)
    assert dialog.table.isHidden()


def test_text_from_a_store_is_shown_as_text(parent: QWidget) -> None:
    dialog = ProblemsDialog("app", [Problem("error", "<b>bold</b>\u202e", "x")], parent)
    ((sentence, _, _),) = rows(dialog)
    assert sentence.startswith("<b>bold</b>")
    assert "\u202e" not in sentence


def test_keys_are_listed_with_their_commands(parent: QWidget) -> None:
    dialog = KeysDialog([("File", "Open folder", "Ctrl+O")], parent)
    assert rows(dialog) == [["Open folder", "Ctrl+O", "File"]]


def test_about_names_version_and_licences(parent: QWidget) -> None:
    told = words(AboutDialog("1.2.3", parent))
    assert "Blobscope 1.2.3" in told
    assert "Apache License 2.0" in told
