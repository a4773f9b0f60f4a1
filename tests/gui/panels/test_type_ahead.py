"""Letters that are typed in a list go to a row; in the middle of a word none of them is a command."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QListWidget, QMainWindow
from pytestqt.qtbot import QtBot

from gui.panels.type_ahead import TypeAhead


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def names(qtbot: QtBot, window: QMainWindow, called: list[str]) -> QListWidget:
    names = QListWidget(window)
    names.addItems(["alpha", "beta", "notes", "release"])
    window.setCentralWidget(names)
    action = QAction("Extract", window)
    action.setShortcut("E")
    action.triggered.connect(lambda: called.append("extract"))
    window.addAction(action)
    TypeAhead(names)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    names.setFocus()
    return names


def test_a_letter_alone_is_a_command(qtbot: QtBot, names: QListWidget, called: list[str]) -> None:
    qtbot.keyClick(names, Qt.Key.Key_E)
    assert called == ["extract"]


def test_in_a_word_it_is_a_letter(qtbot: QtBot, names: QListWidget, called: list[str]) -> None:
    qtbot.keyClick(names, Qt.Key.Key_B)
    qtbot.keyClick(names, Qt.Key.Key_E)
    assert names.currentItem().text() == "beta"
    assert called == []


def test_some_time_after_a_word_it_is_a_command_again(
    qtbot: QtBot, qapp: QApplication, names: QListWidget, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QApplication, "keyboardInputInterval", lambda: 0)
    qtbot.keyClick(names, Qt.Key.Key_B)
    qtbot.keyClick(names, Qt.Key.Key_E)
    assert called == ["extract"]


def test_with_control_held_it_is_no_letter(qtbot: QtBot, names: QListWidget, called: list[str]) -> None:
    qtbot.keyClick(names, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(names, Qt.Key.Key_E)
    assert called == ["extract"]
