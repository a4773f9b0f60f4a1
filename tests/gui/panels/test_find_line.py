"""Where a person types what to find: what was looked for before comes back with Up and Down."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.panels.find_line import MOST_REMEMBERED, FindLine


@pytest.fixture
def place(qtbot: QtBot) -> QWidget:
    place = QWidget()
    qtbot.addWidget(place)
    return place


@pytest.fixture
def line(qtbot: QtBot, place: QWidget) -> FindLine:
    line = FindLine(place)
    with qtbot.waitExposed(place):
        place.show()
    line.setFocus()
    line.set_history(["third", "second", "first"])
    return line


def test_up_goes_back_in_the_history_and_down_returns_to_what_was_typed(qtbot: QtBot, line: FindLine) -> None:
    qtbot.keyClicks(line, "new")
    seen = []
    for key in [Qt.Key.Key_Up] * 4 + [Qt.Key.Key_Down] * 3:
        qtbot.keyClick(line, key)
        seen.append(line.text())
    assert seen == ["third", "second", "first", "first", "second", "third", "new"]


def test_down_goes_on_in_the_list_where_nothing_newer_is(qtbot: QtBot, line: FindLine) -> None:
    with qtbot.assertNotEmitted(line.left):
        qtbot.keyClick(line, Qt.Key.Key_Up)
        qtbot.keyClick(line, Qt.Key.Key_Down)
    with qtbot.waitSignal(line.left):
        qtbot.keyClick(line, Qt.Key.Key_Down)


def test_what_is_shown_already_is_not_shown_again(qtbot: QtBot, line: FindLine) -> None:
    line.setText("third")
    qtbot.keyClick(line, Qt.Key.Key_Up)
    assert line.text() == "second"


def test_typing_begins_anew_in_the_history(qtbot: QtBot, line: FindLine) -> None:
    qtbot.keyClick(line, Qt.Key.Key_Up)
    qtbot.keyClick(line, Qt.Key.Key_Up)
    qtbot.keyClicks(line, "s")
    qtbot.keyClick(line, Qt.Key.Key_Up)
    assert line.text() == "third"
    qtbot.keyClick(line, Qt.Key.Key_Down)
    assert line.text() == "seconds"


def test_each_search_is_remembered_once_the_newest_first(line: FindLine) -> None:
    assert line.remember("first")
    assert not line.remember("first")
    assert not line.remember("")
    assert line.history == ("first", "third", "second")
    for number in range(MOST_REMEMBERED):
        line.remember(str(number))
    assert len(line.history) == MOST_REMEMBERED


def test_enter_searches_at_once_and_escape_leaves_the_words(qtbot: QtBot, line: FindLine) -> None:
    qtbot.keyClicks(line, "abc")
    with qtbot.assertNotEmitted(line.asked, wait=600), qtbot.waitSignal(line.entered):
        qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "abc"


def test_one_letter_is_not_enough_to_search_without_being_asked(qtbot: QtBot, line: FindLine) -> None:
    qtbot.keyClicks(line, "a")
    assert not line.is_enough
    qtbot.keyClicks(line, "b")
    assert line.is_enough
