"""Where a person types, what is typed counts after a pause, or at once with the keys that go on."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from gui.panels.filter_line import FilterLine
from gui.theme import Role


@pytest.fixture
def line(qtbot: QtBot) -> FilterLine:
    found = FilterLine("Filter things", "words", "How to type them")
    qtbot.addWidget(found)
    with qtbot.waitExposed(found):
        found.show()
    found.focus()
    return found


@pytest.fixture
def told(line: FilterLine) -> list[str]:
    told: list[str] = []
    line.asked.connect(lambda: told.append(line.words))
    line.left.connect(lambda: told.append("left"))
    return told


def test_what_is_typed_is_told_once_after_a_pause(qtbot: QtBot, line: FilterLine, told: list[str]) -> None:
    qtbot.keyClicks(line, " abc ")
    assert told == []
    qtbot.waitUntil(lambda: told == ["abc"])


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down])
def test_keys_that_go_on_tell_it_at_once(qtbot: QtBot, line: FilterLine, told: list[str], key: Qt.Key) -> None:
    qtbot.keyClicks(line, "abc")
    qtbot.keyClick(line, key)
    assert told == ["abc", "left"]
    qtbot.keyClick(line, key)
    assert told == ["abc", "left", "left"]


def test_escape_empties_it_and_then_is_for_somebody_else(qtbot: QtBot, line: FilterLine) -> None:
    qtbot.keyClicks(line, "abc")
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == ""


def test_what_is_known_is_not_told(qtbot: QtBot, line: FilterLine, told: list[str]) -> None:
    line.set_pause(0)
    line.setText("abc")
    line.hold()
    line.ask_now()
    assert told == []


def test_it_has_a_name_a_glyph_and_a_button_that_says_what_it_does(line: FilterLine) -> None:
    assert line.accessibleName() == "Filter things"
    assert "Clear the filter" in [action.text() for action in line.findChildren(QAction)]
    before = line.glyph.icon().cacheKey()
    line.show_glyph("error", Role.BAD)
    assert line.glyph.icon().cacheKey() != before
