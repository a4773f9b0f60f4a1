"""Dialogs that list something: they say what they list, and do only what their buttons say."""

from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from gui.dialogs.lists import AboutDialog, KeysDialog, ListDialog


def words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


def buttons(dialog: QWidget) -> dict[str, QPushButton]:
    return {button.text(): button for button in dialog.findChildren(QPushButton)}


def rows(dialog: ListDialog) -> list[list[str]]:
    table = dialog.table
    found = [table.topLevelItem(n) for n in range(table.topLevelItemCount())]
    return [[item.text(column) for column in range(table.columnCount())] for item in found if item is not None]


def test_text_from_elsewhere_is_shown_as_text(parent: QWidget) -> None:
    dialog = KeysDialog([("File", "<b>bold</b>\u202e", "Ctrl+O")], parent)
    ((command, *_),) = rows(dialog)
    assert command.startswith("<b>bold</b>")
    assert "\u202e" not in command


def test_keys_are_listed_with_their_commands(parent: QWidget) -> None:
    dialog = KeysDialog([("File", "Open folder", "Ctrl+O")], parent)
    assert rows(dialog) == [["Open folder", "Ctrl+O", "File"]]


def test_about_names_version_and_licences(parent: QWidget) -> None:
    told = words(AboutDialog("1.2.3", parent))
    assert "Blobscope 1.2.3" in told
    assert "Apache License 2.0" in told
