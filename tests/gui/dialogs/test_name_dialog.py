"""Asking for the name of an index entry."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs.name_dialog import ADD_ENTRY, ADD_NAME, ADD_TO_INDEX, RENAME, NameDialog, Wish


@pytest.fixture
def dialog(parent: QWidget) -> NameDialog:
    return NameDialog(RENAME, "app:1", "sha256:0000…0000", parent, own=["app:1"])


def line(dialog: NameDialog) -> QLineEdit:
    (found,) = dialog.findChildren(QLineEdit)
    return found


def accept(dialog: NameDialog) -> QPushButton:
    return next(each for each in dialog.findChildren(QPushButton) if each.text() != "Cancel")


@pytest.mark.parametrize(
    ("typed", "verb", "name"),
    [("app:2", "Rename", "app:2"), ("  app:2 ", "Rename", "app:2"), ("", "Take the name away", None)],
)
def test_the_button_says_what_it_does(
    qtbot: QtBot, dialog: NameDialog, typed: str, verb: str, name: str | None
) -> None:
    line(dialog).setText(typed)
    assert accept(dialog).text() == verb
    with qtbot.waitSignal(dialog.named) as named:
        qtbot.mouseClick(accept(dialog), Qt.MouseButton.LeftButton)
    assert named.args == [name]


def test_the_same_name_is_no_change(dialog: NameDialog) -> None:
    assert line(dialog).text() == "app:1"
    assert line(dialog).selectedText() == "app:1"
    assert not accept(dialog).isEnabled()


@pytest.mark.parametrize(
    ("wish", "verb"), [(ADD_NAME, ""), (ADD_ENTRY, "Add without a name"), (ADD_TO_INDEX, "Add without a name")]
)
def test_only_what_has_no_entry_yet_is_added_without_a_name(parent: QWidget, wish: Wish, verb: str) -> None:
    dialog = NameDialog(wish, None, "sha256:0000…0000", parent)
    assert (accept(dialog).text() if accept(dialog).isEnabled() else "") == verb
    line(dialog).setText("app:2")
    assert accept(dialog).isEnabled()


def test_what_becomes_of_a_name_that_is_taken_is_said_before(parent: QWidget) -> None:
    taken = {"app:2": "app:2 moves here."}
    dialog = NameDialog(ADD_NAME, "app:1", "sha256:0", parent, own=["app:1"], consequence=lambda n: taken.get(n, ""))
    assert dialog.note.text() == "It has that name already."
    for name, told in (("app:2", "app:2 moves here."), ("app:3", ""), ("two words", "Any name is allowed")):
        line(dialog).setText(name)
        assert dialog.note.text().startswith(told)
        assert bool(dialog.note.text()) is bool(told)
        assert accept(dialog).isEnabled()
