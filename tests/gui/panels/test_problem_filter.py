"""The line above the problems: words, severities, and the way into the list."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.findings import Severity
from gui.models.problem_tree import Choice
from gui.panels.problem_filter import ProblemFilter


@pytest.fixture
def filtering(qtbot: QtBot) -> ProblemFilter:
    shown = ProblemFilter()
    qtbot.addWidget(shown)
    shown.show()
    return shown


def test_what_is_typed_is_asked_for_after_a_pause(qtbot: QtBot, filtering: ProblemFilter) -> None:
    with qtbot.waitSignal(filtering.chosen) as chosen:
        qtbot.keyClicks(filtering.line, "Size V31")
    assert chosen.args == [Choice(("size", "v31"))]


def test_a_severity_is_hidden_by_its_button(qtbot: QtBot, filtering: ProblemFilter) -> None:
    with qtbot.waitSignal(filtering.chosen) as chosen:
        qtbot.mouseClick(filtering.severities[Severity.INFO], Qt.MouseButton.LeftButton)
    assert chosen.args == [Choice((), frozenset({Severity.ERROR, Severity.WARNING}))]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Down])
def test_enter_and_down_lead_into_the_list(qtbot: QtBot, filtering: ProblemFilter, key: Qt.Key) -> None:
    filtering.line.setText("now")
    with qtbot.waitSignals([filtering.chosen, filtering.left], order="strict"):
        qtbot.keyClick(filtering.line, key)


def test_escape_empties_the_line(qtbot: QtBot, filtering: ProblemFilter) -> None:
    filtering.line.setText("now")
    qtbot.keyClick(filtering.line, Qt.Key.Key_Escape)
    assert filtering.line.text() == ""


def test_clearing_shows_everything(qtbot: QtBot, filtering: ProblemFilter) -> None:
    filtering.line.setText("now")
    filtering.severities[Severity.ERROR].setChecked(False)
    told: list[Choice] = []
    filtering.chosen.connect(told.append)
    filtering.clear()
    assert told[-1] == Choice()


def test_counts_are_told_in_words(filtering: ProblemFilter) -> None:
    filtering.show_counts({Severity.ERROR: 1, Severity.WARNING: 1200})
    names = [button.accessibleName() for button in filtering.severities.values()]
    assert names == ["Error: 1", "Warnings: 1,200", "Notes: 0"]
