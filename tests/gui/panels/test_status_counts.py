"""What the counters promise: how many rows have which state, and the way to them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from engine.snapshot import State
from gui.panels.status_counts import StatusCounts

COUNTS = {State.VERIFIED: 398, State.NOT_CHECKED: 11, State.CORRUPT: 1, State.MISSING: 2}


@pytest.fixture
def counts(qtbot: QtBot, qapp: QApplication) -> StatusCounts:
    counts = StatusCounts()
    qtbot.addWidget(counts)
    counts.resize(900, 40)
    counts.show()
    return counts


def shown(counts: StatusCounts) -> list[str]:
    return [button.text() for button in counts.findChildren(QToolButton) if button.isVisible()]


def test_each_state_that_occurs_has_a_counter_with_its_word(counts: StatusCounts) -> None:
    counts.show_counts(COUNTS)
    assert shown(counts) == ["398 verified", "11 not checked", "1 corrupt", "2 missing"]


def test_in_a_narrow_window_the_numbers_stay_and_the_words_go(counts: StatusCounts) -> None:
    counts.show_counts(COUNTS)
    counts.resize(260, 40)
    assert shown(counts) == ["398", "11", "1", "2"]
    names = [button.accessibleName() for button in counts.findChildren(QToolButton) if button.isVisible()]
    assert names == ["398 verified", "11 not checked", "1 corrupt", "2 missing"]


def test_while_blobs_are_checked_no_counter_goes_or_moves(counts: StatusCounts) -> None:
    counts.resize(1280, 40)
    counts.show_counts({State.NOT_CHECKED: 400, State.CORRUPT: 1, State.UNUSED: 3})
    QApplication.processEvents()
    places = []
    for verified in (0, 9, 99, 400):
        states = {State.VERIFIED: verified, State.CHECKING: 403 - verified, State.CORRUPT: 1}
        counts.show_counts({state: count for state, count in states.items() if count})
        QApplication.processEvents()
        buttons = [button for button in counts.findChildren(QToolButton) if button.isVisible()]
        places.append([(button.x(), button.width()) for button in buttons])
        assert shown(counts)[-1] == "0 unused"
    assert places.count(places[0]) == len(places)
    counts.show_counts({State.VERIFIED: 400, State.CORRUPT: 1, State.UNUSED: 3})
    assert shown(counts) == ["400 verified", "1 corrupt", "3 unused"]


def test_words_stay_while_a_job_takes_room_beside_them(qtbot: QtBot, qapp: QApplication) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 100)
    counts = StatusCounts(window)
    window.show()
    counts.show_counts(COUNTS)
    counts.resize(800, 40)
    before = shown(counts)
    counts.resize(500, 40)
    assert shown(counts) == before == ["398 verified", "11 not checked", "1 corrupt", "2 missing"]


def test_a_state_that_no_row_has_any_more_is_gone(counts: StatusCounts) -> None:
    counts.show_counts(COUNTS)
    counts.show_counts({State.VERIFIED: 412})
    assert shown(counts) == ["412 verified"]


def test_a_click_asks_for_the_rows_of_that_state(qtbot: QtBot, counts: StatusCounts) -> None:
    counts.show_counts(COUNTS)
    button = next(each for each in counts.findChildren(QToolButton) if each.text() == "2 missing")
    with qtbot.waitSignal(counts.chosen) as chosen:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert chosen.args == [State.MISSING]


def test_the_keyboard_reaches_each_counter(counts: StatusCounts) -> None:
    counts.show_counts(COUNTS)
    buttons = [button for button in counts.findChildren(QToolButton) if button.isVisible()]
    assert all(button.focusPolicy() & Qt.FocusPolicy.TabFocus for button in buttons)
    assert all(button.toolTip() for button in buttons)
