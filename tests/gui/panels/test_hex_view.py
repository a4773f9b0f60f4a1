"""What the view of bytes promises: every byte of a source of any size, by mouse and keyboard, and no more than it needs."""

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QApplication
from pytestqt.qtbot import QtBot

from engine.errors import StorageFailed
from engine.progress import Progress
from gui import theme
from gui.bytesource import ByteSource
from gui.jobs import JobRunner
from gui.panels import header_pane, hex_paint
from gui.panels.hex_layout import HexLayout
from gui.panels.hex_marks import Mark, Marks
from gui.panels.hex_pages import MOST_PAGES, PAGE
from gui.panels.hex_scrolling import Scale
from gui.panels.hex_view import HexView
from gui.theme import Role
from tests.gui.panels._bytes import place_of

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key
CONTENT = bytes(range(256)) * 1000


class Shelf:
    """Gives bytes out, and remembers which."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner
        self.read: list[tuple[int, int]] = []
        self.fails = False

    def source(self, size: int, content: Callable[[int], int] | bytes = CONTENT) -> ByteSource:
        def read(offset: int, length: int, _progress: Progress) -> bytes:
            self.read.append((offset, length))
            if self.fails:
                raise StorageFailed("The disk is broken.")
            if isinstance(content, bytes):
                return content[offset : offset + length]
            return bytes([content(offset)]) * length

        return ByteSource(self._runner, size, read, name="something")


@pytest.fixture
def shelf(runner: JobRunner) -> Shelf:
    return Shelf(runner)


@pytest.fixture
def view(qtbot: QtBot) -> HexView:
    view = HexView()
    qtbot.addWidget(view)
    view.resize(700, 400)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    view.setFocus()
    return view


def show(qtbot: QtBot, view: HexView, source: ByteSource) -> None:
    view.set_source(source)
    qtbot.waitUntil(lambda: view.known(0, min(source.size, 64)) is not None)


def end_of(view: HexView) -> int:
    """The last row that is in sight as a whole."""
    return view._scroller.top + view.rows_in_sight - 1


def test_bytes_are_read_when_they_are_seen_and_not_before(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    assert shelf.read == [(0, PAGE)]
    assert view.known(10, 20) == CONTENT[10:20]
    assert view.known(PAGE, PAGE + 1) is None
    view.go_to(len(CONTENT) - 1)
    qtbot.waitUntil(lambda: view.known(len(CONTENT) - 10, len(CONTENT)) == CONTENT[-10:])
    assert shelf.read == [(0, PAGE), (3 * PAGE, len(CONTENT) - 3 * PAGE)]


def test_a_view_that_nobody_sees_reads_nothing(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    view.hide()
    view.set_source(shelf.source(len(CONTENT)))
    assert shelf.read == []
    view.show()
    qtbot.waitUntil(lambda: view.known(0, 10) is not None)


def test_what_is_kept_is_bounded(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(PAGE * 200, lambda _: 7))
    for page in range(1, MOST_PAGES + 20):
        view.go_to(page * PAGE + PAGE // 2)
        qtbot.waitUntil(lambda: view.known(view.current, view.current + 1) is not None)
    assert view.known(0, 1) is None
    assert len(view._pages._pages) == MOST_PAGES


@pytest.mark.parametrize("size", [(1 << 63) - 1, 100 << 30, (1 << 31) * 16 + 5])
def test_the_end_of_the_largest_file_is_a_key_away(qtbot: QtBot, view: HexView, shelf: Shelf, size: int) -> None:
    show(qtbot, view, shelf.source(size, lambda offset: offset >> 40 & 255))
    qtbot.keyClick(view, Key.Key_End, CONTROL)
    assert view.current == size - 1
    assert end_of(view) == (size - 1) // 16
    qtbot.waitUntil(lambda: view.known(size - 1, size) is not None)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    qtbot.keyClick(view, Key.Key_Up)
    assert view.current == size - 17
    qtbot.keyClick(view, Key.Key_Home, CONTROL)
    assert (view.current, view._scroller.top, view.verticalScrollBar().value()) == (0, 0, 0)


def test_each_row_of_a_huge_file_can_be_scrolled_to(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1 << 60, lambda _: 0))
    bar = view.verticalScrollBar()
    for _ in range(3):
        bar.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepAdd)
    assert view._scroller.top == 3
    bar.triggerAction(QAbstractSlider.SliderAction.SliderPageStepAdd)
    assert view._scroller.top == 3 + view.rows_in_sight
    bar.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepSub)
    assert view._scroller.top == 2 + view.rows_in_sight
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMaximum)
    assert end_of(view) == (1 << 56) - 1
    bar.setValue(bar.maximum() // 2)
    assert abs(view._scroller.top - (1 << 55)) < 1 << 30
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMinimum)
    assert view._scroller.top == 0


@pytest.mark.parametrize("last", [0, 1, 1 << 30, (1 << 30) + 1, (1 << 59) - 1, 1 << 61])
def test_the_bar_begins_and_ends_where_the_rows_do(last: int) -> None:
    scale = Scale(last)
    assert scale.to_bar(0) == 0
    assert scale.to_bar(last) == scale.bar_last < 1 << 31
    assert scale.from_bar(scale.bar_last) == last
    for value in (0, scale.bar_last // 3, scale.bar_last):
        assert abs(scale.to_bar(scale.from_bar(value)) - value) <= 1


def test_every_place_is_reached_by_key(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1000))
    page = (view.rows_in_sight - 1) * 16
    steps = (
        (Key.Key_Left, Qt.KeyboardModifier.NoModifier, 0),
        (Key.Key_Right, Qt.KeyboardModifier.NoModifier, 1),
        (Key.Key_Down, Qt.KeyboardModifier.NoModifier, 17),
        (Key.Key_End, Qt.KeyboardModifier.NoModifier, 31),
        (Key.Key_Right, Qt.KeyboardModifier.NoModifier, 32),
        (Key.Key_Up, Qt.KeyboardModifier.NoModifier, 16),
        (Key.Key_Up, Qt.KeyboardModifier.NoModifier, 0),
        (Key.Key_Up, Qt.KeyboardModifier.NoModifier, 0),
        (Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, page),
        (Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 0),
        (Key.Key_End, CONTROL, 999),
        (Key.Key_Right, Qt.KeyboardModifier.NoModifier, 999),
        (Key.Key_Down, Qt.KeyboardModifier.NoModifier, 999),
        (Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 999),
        (Key.Key_Home, Qt.KeyboardModifier.NoModifier, 992),
        (Key.Key_End, Qt.KeyboardModifier.NoModifier, 999),
        (Key.Key_Home, CONTROL, 0),
    )
    for key, modifier, expected in steps:
        qtbot.keyClick(view, key, modifier)
        assert view.current == expected
        assert not view.has_selection
        assert view._scroller.top <= view.current // 16 <= end_of(view)


def test_down_from_the_row_before_the_last_ends_at_the_last_byte(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(20))
    view.go_to(10)
    qtbot.keyClick(view, Key.Key_Down)
    assert view.current == 19


def test_shift_selects(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1000))
    view.go_to(20)
    assert view.selection == (20, 21)
    qtbot.keyClick(view, Key.Key_Right, SHIFT)
    assert view.selection == (20, 22)
    qtbot.keyClick(view, Key.Key_Up, SHIFT)
    assert view.selection == (5, 21)
    qtbot.keyClick(view, Key.Key_End, CONTROL | SHIFT)
    assert view.selection == (20, 1000)
    qtbot.keyClick(view, Key.Key_A, CONTROL)
    assert view.selection == (0, 1000)
    qtbot.keyClick(view, Key.Key_Left)
    assert view.selection == (998, 999)


def test_a_click_takes_the_byte_that_is_there_in_either_column(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    for offset in (0, 7, 8, 15, 16, 33, 100):
        centre = place_of(view, offset)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre)
        assert view.current == offset
        letter = QPoint(int(view._layout.text_at(offset % 16) + view._char_width / 2), centre.y())
        view.go_to(200)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=letter)
        assert view.current == offset


def test_dragging_selects_and_shift_with_a_click_too(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    port = view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=place_of(view, 18))
    qtbot.mouseMove(port, place_of(view, 37))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=place_of(view, 37))
    assert view.selection == (18, 38)
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, SHIFT, place_of(view, 3))
    assert view.selection == (3, 19)


def test_rows_come_to_a_pointer_that_drags_below_the_view(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    port = view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=place_of(view, 18))
    qtbot.mouseMove(port, QPoint(100, port.height() + 30))
    qtbot.waitUntil(lambda: view._scroller.top > 20)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(100, port.height() + 30))
    assert view.selection[0] == 18


def wheel(view: HexView, turned: int, pixels: int = 0) -> None:
    centre = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        centre,
        QPointF(view.viewport().mapToGlobal(centre.toPoint())),
        QPoint(0, pixels),
        QPoint(0, turned),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def test_the_wheel_scrolls_and_leaves_the_current_byte_where_it_is(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1 << 60, lambda _: 0))
    wheel(view, -120)
    assert (view._scroller.top, view.current) == (3, 0)
    wheel(view, 120)
    assert view._scroller.top == 0
    for _ in range(view._row_height):
        wheel(view, 0, -1)
    assert view._scroller.top == 1, "small steps of a touchpad add up"


def test_going_to_a_byte_shows_it_with_what_is_around_it(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    view.go_to(100_000, 20)
    assert view.selection == (100_000, 100_020)
    assert view.current == 100_000
    assert view._scroller.top + 3 < view.current // 16 < end_of(view) - 3
    view.go_to(1 << 70)
    assert view.current == len(CONTENT) - 1


def test_without_a_byte_nothing_happens(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    view.set_source(shelf.source(0))
    for key in (Key.Key_Right, Key.Key_Down, Key.Key_PageDown, Key.Key_End):
        qtbot.keyClick(view, key)
        qtbot.keyClick(view, key, CONTROL | SHIFT)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, 10))
    assert (view.current, view.selection) == (0, (0, 0))
    assert shelf.read == []
    view.grab()


def test_a_failure_is_told_once_and_tried_again_when_asked(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    told: list[BaseException] = []
    view.failed.connect(told.append)
    shelf.fails = True
    view.set_source(shelf.source(len(CONTENT)))
    qtbot.waitUntil(lambda: bool(told))
    view.go_to(5000)
    view.resize(650, 300)
    assert [str(error) for error in told] == ["The disk is broken."]
    assert len(shelf.read) == 1
    shelf.fails = False
    view.read_again()
    qtbot.waitUntil(lambda: view.known(5000, 5001) is not None)


def test_what_comes_for_the_source_before_is_dropped(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    view.set_source(shelf.source(len(CONTENT)))
    view.set_source(shelf.source(100, bytes(100)))
    qtbot.waitUntil(lambda: view.known(0, 100) is not None)
    assert view.known(0, 100) == bytes(100)


def test_the_same_place_is_kept_where_that_is_asked(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    view.go_to(100_000)
    top = view._scroller.top
    view.set_source(shelf.source(len(CONTENT)), keep_place=True)
    assert (view.current, view._scroller.top) == (100_000, top)
    view.set_source(shelf.source(50), keep_place=True)
    assert (view.current, view._scroller.top) == (49, 0)


@pytest.mark.parametrize(("width", "in_row"), [(900, 16), (700, 16), (450, 8), (250, 4), (60, 4)])
def test_as_many_bytes_are_in_a_row_as_fit(qtbot: QtBot, view: HexView, shelf: Shelf, width: int, in_row: int) -> None:
    show(qtbot, view, shelf.source(len(CONTENT)))
    view.go_to(5000)
    view.resize(width, 400)
    assert view._layout.per_row == in_row
    assert view._scroller.top <= 5000 // in_row <= end_of(view) + view.rows_in_sight
    view.grab()


@pytest.mark.parametrize("per_row", [4, 8, 16])
def test_a_place_leads_to_the_byte_that_is_drawn_there(per_row: int) -> None:
    layout = HexLayout._of(per_row, 8, 8.4)
    for column in range(per_row):
        assert layout.column_at(int(layout.hex_at(column)) + 8) == column
        assert layout.column_at(int(layout.text_at(column)) + 4) == column
    assert layout.column_at(-100) == 0
    assert layout.column_at(10_000) == per_row - 1


def test_marks_are_found_by_what_is_under_them(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1000))
    marks = [Mark(0, 2, Role.ACCENT, False, "first"), Mark(2, 3, Role.ACCENT, True, "second")]
    view.set_marks(Marks([*marks, Mark(500, 600, Role.SOUND, False, "far")]))
    assert [mark.words if (mark := view._marks.at(at)) else "" for at in (0, 1, 2, 3, 499, 500, 599, 600)] == [
        *("first", "first", "second", "", "", "far", "far", ""),
    ]
    assert view._marks.between(1, 400) == marks
    assert view._marks.between(3, 500) == []
    assert [mark.words for mark in view._marks.between(550, 2000)] == ["far"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_is_marked_or_selected_is_easy_to_read(qapp: QApplication, mode: theme.ThemeMode) -> None:
    theme.apply(qapp, mode)

    def luminance(colour: hex_paint.QColor) -> float:
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    papers = [hex_paint.tint(role, strong=strong) for role in header_pane._TINTS.values() for strong in (False, True)]
    for paper in papers:
        for ink in (Role.TEXT, Role.MUTED):
            low, high = sorted((luminance(paper), luminance(theme.colour(ink))))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (paper.name(), ink)


def test_a_screen_reader_is_told_where_it_is(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1000))
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.text(QAccessible.Text.Name) == "Bytes"
    view.describe("Offset 5, byte 05")
    assert interface.text(QAccessible.Text.Description) == "Offset 5, byte 05"


def test_the_keys_that_copy_are_for_the_bytes(qtbot: QtBot, view: HexView, shelf: Shelf) -> None:
    show(qtbot, view, shelf.source(1000))
    with qtbot.waitSignal(view.copy_asked):
        qtbot.keyClick(view, Key.Key_C, CONTROL)
    QGuiApplication.clipboard().clear()


def test_bytes_that_take_long_are_said_to_be_on_their_way(qtbot: QtBot, view: HexView, runner: JobRunner) -> None:
    released = threading.Event()

    def read(_offset: int, length: int, _progress: Progress) -> bytes:
        released.wait(10)
        return bytes(length)

    view.set_source(ByteSource(runner, 1000, read))
    qtbot.waitUntil(lambda: view._is_slow)
    view.grab()
    released.set()
    qtbot.waitUntil(lambda: view.known(0, 1000) is not None)
    assert not view._is_slow
