"""The line for the filter."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from pytestqt.qtbot import QtBot

from gui import theme
from gui.models.conditions import EVERYTHING, Query
from gui.panels.filter_box import MANY, FilterBox


@pytest.fixture
def box(qtbot: QtBot) -> FilterBox:
    box = FilterBox("blobs", lambda _key: ())
    qtbot.addWidget(box)
    box.show()
    return box


@pytest.fixture
def asked(box: FilterBox) -> list[Query]:
    asked: list[Query] = []
    box.asked.connect(asked.append)
    return asked


def test_each_filter_is_asked_for_once(qtbot: QtBot, box: FilterBox, asked: list[Query]) -> None:
    qtbot.keyClicks(box.line, "type:layer ")
    qtbot.waitUntil(lambda: len(asked) > 0 and asked[-1].terms[0].condition is not None)
    box.set_text("type:layer")
    box.set_text("type:layer")
    assert asked[-1] == asked[-1]
    assert len(set(map(repr, asked))) == len(asked)
    box.set_text("")
    assert asked[-1] == EVERYTHING


def test_over_many_rows_it_waits_for_a_pause(qtbot: QtBot, box: FilterBox, asked: list[Query]) -> None:
    box.show_count(5, MANY, MANY)
    qtbot.keyClicks(box.line, "alpine")
    assert asked == []
    with qtbot.waitSignal(box.asked):
        pass
    assert len(asked) == 1


def test_a_mistake_shows_in_words_colour_and_glyph(box: FilterBox, asked: list[Query]) -> None:
    fine, glyph = box.line.palette().color(QPalette.ColorRole.Text), box.line.glyph.icon().cacheKey()
    box.set_text("size>x")
    assert asked == []
    assert box._mistake.isVisibleTo(box)
    assert box.line.palette().color(QPalette.ColorRole.Text) == theme.colour(theme.Role.BAD) != fine
    assert box.line.glyph.icon().cacheKey() != glyph
    assert box.line.accessibleDescription() == box._mistake.text()
    box.set_text("size>1M")
    assert not box._mistake.isVisibleTo(box)
    assert box.line.palette().color(QPalette.ColorRole.Text) == fine
    assert box.line.accessibleDescription() == ""
    assert len(asked) == 1


def test_an_offered_word_takes_the_place_of_what_was_typed(qtbot: QtBot, box: FilterBox) -> None:
    qtbot.keyClicks(box.line, "alpine sta")
    popup = box._completer.popup()
    assert popup is not None
    assert popup.isVisible()
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert box.text == "alpine status:"
    qtbot.keyClicks(box.line, "corr")
    box._insert("status:corrupt")
    assert box.text == "alpine status:corrupt"
    popup.hide()


@pytest.mark.parametrize(
    ("shown", "total", "said"), [(0, 0, "0 blobs"), (1, 1, "1 blob"), (3, 1200, "3 of 1,200 blobs")]
)
def test_it_says_how_many_rows_are_left(box: FilterBox, shown: int, total: int, said: str) -> None:
    box.show_count(shown, total, total)
    assert box._count.text() == said
