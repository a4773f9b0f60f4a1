"""Asking for the name of an index entry."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs.name_dialog import NameDialog


@pytest.fixture
def dialog(parent: QWidget) -> NameDialog:
    return NameDialog("app:1", "sha256:0000…0000", parent)


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
