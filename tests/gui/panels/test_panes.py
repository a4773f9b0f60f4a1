"""Going from part to part of a window with one key."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui.panels.panes import focus_next


@pytest.fixture
def panes(qtbot: QtBot) -> Iterator[list[QWidget]]:
    """A line, a group of two buttons, a pane that is hidden, and one where nothing takes the keyboard."""
    window = QWidget()
    layout = QHBoxLayout(window)
    line, group, hidden, dead = QLineEdit(), QWidget(), QLineEdit(), QWidget()
    inside = QHBoxLayout(group)
    for words in ("first", "second"):
        inside.addWidget(QPushButton(words))
    for pane in (line, group, hidden, dead):
        layout.addWidget(pane)
    hidden.hide()
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    line.setFocus()
    yield [line, group, hidden, dead]
    window.close()


def focused() -> str:
    widget = QApplication.focusWidget()
    return widget.text() if isinstance(widget, QPushButton) else "line"


def test_it_goes_round_and_leaves_out_what_cannot_take_the_keyboard(panes: list[QWidget]) -> None:
    focus_next(panes, 1)
    assert focused() == "first"
    focus_next(panes, 1)
    assert focused() == "line"
    focus_next(panes, -1)
    assert focused() == "first"


def test_from_inside_a_pane_it_goes_to_the_next_one(panes: list[QWidget]) -> None:
    panes[1].findChildren(QPushButton)[1].setFocus()
    focus_next(panes, 1)
    assert focused() == "line"


def test_without_any_pane_nothing_happens(panes: list[QWidget]) -> None:
    focus_next([panes[2], panes[3]], 1)
    assert focused() == "line"
