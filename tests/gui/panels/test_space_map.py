"""What the map promises whoever walks through it: mouse, keys and words agree, and painting costs nothing."""

from collections.abc import Sequence

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.progress import Progress
from engine.snapshot import State
from gui import theme
from gui.models.treemap import Place, lay_out
from gui.panels.space_look import Picture
from gui.panels.space_map import SpaceMap
from gui.panels.space_paper import Paper
from tests.gui.conftest import PATIENCE_MS
from tests.gui.models.test_treemap import Shelf

SIZE = (400, 200)


def picture(content: Sequence[object], place: Place = Place(-1)) -> Picture:  # noqa: B008 - a value
    cells = lay_out(Shelf(content), place, *SIZE, 16, Progress())
    papers = np.where(cells.opened, Paper.FRAME, Paper.SHARED).astype(np.uint8)
    titles = {n: (f"thing {node}",) for n, node in enumerate(cells.nodes.tolist())}
    return Picture(cells, papers, titles, {0: "4 bytes"}, {0: State.CORRUPT})


@pytest.fixture
def shown(qtbot: QtBot) -> SpaceMap:
    """A map of two folders, with two and one things in them: nodes 1 (2, 3) and 4 (5)."""
    found = SpaceMap("Map", lambda place: f"place {place.node}")
    qtbot.addWidget(found)
    found.resize(*SIZE)
    found.show()
    found.show_picture(picture([[30, 30], [30]]))
    qtbot.waitUntil(lambda: not found.busy, timeout=PATIENCE_MS)
    return found


def centre(shown: SpaceMap, node: int) -> QPoint:
    return shown.box_of(Place(node)).center().toPoint()


def test_a_click_goes_to_the_innermost_thing(qtbot: QtBot, shown: SpaceMap) -> None:
    gone: list[Place] = []
    shown.moved.connect(gone.append)
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=centre(shown, 3))
    assert shown.current == Place(3)
    top = shown.box_of(Place(1)).topLeft().toPoint() + QPoint(20, 5)
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=top)
    assert gone == [Place(3), Place(1)], "a title stands for all below it"


def test_arrow_keys_go_beside_and_page_keys_in_and_out(qtbot: QtBot, shown: SpaceMap) -> None:
    qtbot.keyClick(shown, Qt.Key.Key_Home)
    assert shown.current == Place(2), "the first of the largest"
    qtbot.keyClick(shown, Qt.Key.Key_Right)
    assert shown.current == Place(3)
    qtbot.keyClick(shown, Qt.Key.Key_Right)
    assert shown.current == Place(5)
    qtbot.keyClick(shown, Qt.Key.Key_PageUp)
    assert shown.current == Place(4)
    qtbot.keyClick(shown, Qt.Key.Key_PageDown)
    assert shown.current == Place(5)
    qtbot.keyClick(shown, Qt.Key.Key_Right)
    assert shown.current == Place(5), "there is nothing further"


def test_enter_and_a_double_click_go_on_and_backspace_goes_back(qtbot: QtBot, shown: SpaceMap) -> None:
    entered: list[Place] = []
    shown.entered.connect(entered.append)
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=centre(shown, 5))
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    qtbot.mouseDClick(shown, Qt.MouseButton.LeftButton, pos=centre(shown, 2))
    assert entered == [Place(5), Place(2)]
    with qtbot.waitSignal(shown.left):
        qtbot.keyClick(shown, Qt.Key.Key_Backspace)


def test_the_menu_is_that_of_what_is_clicked_or_of_what_is_current(qtbot: QtBot, shown: SpaceMap) -> None:
    asked: list[QPoint] = []
    shown.menu_asked.connect(asked.append)
    where = centre(shown, 5)
    qtbot.mousePress(shown, Qt.MouseButton.RightButton, pos=where)
    assert shown.current == Place(5)
    by_mouse = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, shown.mapToGlobal(where))
    QApplication.sendEvent(shown, by_mouse)
    QApplication.sendEvent(shown, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1)))
    assert asked == [shown.mapToGlobal(where)] * 2


def test_keys_that_mean_nothing_here_are_left_to_the_window(qtbot: QtBot, shown: SpaceMap) -> None:
    parent_got: list[int] = []
    holder = SpaceMap("Holder", lambda _place: "")
    qtbot.addWidget(holder)
    holder.keyPressEvent = lambda event: parent_got.append(event.key())  # type: ignore[method-assign]  # only listens
    shown.setParent(holder)
    shown.show()
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert parent_got == [Qt.Key.Key_Escape.value]
    shown.setParent(None)


def test_a_key_that_qt_has_no_name_for_does_no_harm(shown: SpaceMap) -> None:
    event = QKeyEvent(QEvent.Type.KeyPress, 0x0444, Qt.KeyboardModifier.NoModifier, "ф")
    QApplication.sendEvent(shown, event)
    assert not event.isAccepted()


def test_what_is_under_the_mouse_is_told(qtbot: QtBot, shown: SpaceMap) -> None:
    told: list[Place | None] = []
    shown.hovered.connect(told.append)
    qtbot.mouseMove(shown, centre(shown, 5))
    QApplication.sendEvent(shown, _leaving())
    assert told == [Place(5), None]


def _leaving() -> QEvent:
    return QEvent(QEvent.Type.Leave)


def test_a_screen_reader_reads_what_is_current(qtbot: QtBot, shown: SpaceMap) -> None:
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=centre(shown, 5))
    assert shown.accessibleName() == "Map: place 5"
    interface = QAccessible.queryAccessibleInterface(shown)
    assert interface.text(QAccessible.Text.Name) == "Map: place 5"


def test_what_is_selected_elsewhere_is_marked_without_telling(shown: SpaceMap, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(shown.moved):
        shown.mark(Place(5))
        assert shown.current == Place(5)
        shown.mark(Place(99))
        assert shown.current is None, "what is not here is not current"


def test_another_picture_keeps_what_is_current_where_that_is_still_there(qtbot: QtBot, shown: SpaceMap) -> None:
    shown.mark(Place(5))
    shown.show_picture(picture([[30, 30], [60]]))
    assert shown.current == Place(5)
    shown.show_picture(picture([1]))
    assert shown.current is None


def test_it_is_drawn_in_steps_and_what_was_drawn_is_kept(qtbot: QtBot, shown: SpaceMap) -> None:
    before = shown.grab().toImage()
    shown.show_picture(picture([[n + 1 for n in range(300)] for _ in range(10)]))
    assert shown.busy
    shown._draw_on()
    assert shown.grab().toImage() == before, "what was there stays until all is drawn"
    with qtbot.waitSignal(shown.drawn, timeout=PATIENCE_MS):
        pass
    assert shown.grab().toImage() != before


def test_it_follows_the_theme(qtbot: QtBot, shown: SpaceMap, qapp: QApplication) -> None:
    light = shown.grab().toImage()
    theme.apply(qapp, "dark")
    qtbot.waitUntil(lambda: not shown.busy, timeout=PATIENCE_MS)
    assert shown.grab().toImage() != light
    theme.apply(qapp, "light")


def test_what_is_too_small_to_be_seen_is_still_marked(qtbot: QtBot, shown: SpaceMap) -> None:
    shown.show_picture(picture([10**9, 1]))
    qtbot.waitUntil(lambda: not shown.busy, timeout=PATIENCE_MS)
    before = shown.grab().toImage()
    shown.mark(Place(2))
    assert shown.grab().toImage() != before


def test_with_nothing_to_show_keys_and_mouse_do_no_harm(qtbot: QtBot, shown: SpaceMap) -> None:
    shown.show_picture(None)
    qtbot.keyClick(shown, Qt.Key.Key_Right)
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    qtbot.mouseClick(shown, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert shown._place_at(QPointF(5, 5)) is None
    assert shown.current is None
