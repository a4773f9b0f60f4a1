"""Drags out of a list: when they begin, what they carry, and what is told where none can be."""

import glob
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QTreeWidget, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from engine.errors import Refused
from engine.extracting import Extraction
from engine.progress import Progress
from engine.store import Store
from gui.outcome import Notice
from gui.panels import drag_out
from gui.panels.drag_out import DragOut, files_as_data
from gui.session import Session
from gui.taking_out import Chosen, Wanted

Open = Callable[[Path], Session]
LEFT, NOTHING = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Rows(Wanted):
    """The selected rows of the list, as files of their names."""

    doing, offer, question = "Extracting", "Extract to…", "Extract {} to a folder"

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names), 5)
        self.names = names
        self.wait = False
        self.error: Exception | None = None

    def take(self, store: Store, cache: Path, target: Path, progress: Progress, most: int | None) -> Extraction:
        while self.wait:
            progress.check()
        if self.error is not None:
            raise self.error
        for name in self.names:
            (target / name).write_text(name)
        return Extraction(placed=[target / name for name in self.names], files=len(self.names))

    def tell(self, done: Extraction, target: Path) -> str:
        return ""


@pytest.fixture
def session(layout: Path, open_session: Open) -> Session:
    session = open_session(layout)
    yield session
    session.taking_out.copies.remove()


@pytest.fixture
def notices(session: Session) -> list[Notice]:
    found: list[Notice] = []
    session.noticed.connect(found.append)
    return found


@pytest.fixture
def view(qtbot: QtBot) -> QTreeWidget:
    view = QTreeWidget()
    qtbot.addWidget(view)
    view.setColumnCount(2)
    view.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
    for name in ("one", "two", "three", "four"):
        item = QTreeWidgetItem([name, "size"])
        item.addChild(QTreeWidgetItem(["below", "size"]))
        view.addTopLevelItem(item)
    view.resize(400, 300)
    view.show()
    return view


@pytest.fixture
def asked(view: QTreeWidget, session: Session) -> list[Rows]:
    """Whatever was to be dragged."""
    asked: list[Rows] = []
    change: list[Callable[[Rows], None]] = []

    def choose() -> Chosen | None:
        rows = Rows([item.text(0) for item in view.selectedItems()])
        for act in change:
            act(rows)
        asked.append(rows)
        return Chosen(session.taking_out, rows) if rows.names != ["four"] else None

    DragOut(view, choose)
    view.change = change
    return asked


@pytest.fixture
def taker() -> list[Qt.DropAction]:
    """What those say to whom files are dragged; the last one counts."""
    return [Qt.DropAction.CopyAction]


@pytest.fixture
def dragged(monkeypatch: pytest.MonkeyPatch, taker: list[Qt.DropAction]) -> list[list[str]]:
    """The names of the files in each drag."""
    found: list[list[str]] = []

    def begin(drag: QDrag, *actions: Qt.DropAction) -> Qt.DropAction:
        assert actions == (Qt.DropAction.CopyAction, Qt.DropAction.CopyAction)
        found.append([Path(url.toLocalFile()).name for url in drag.mimeData().urls()])
        assert all(Path(url.toLocalFile()).is_file() for url in drag.mimeData().urls())
        return taker[-1]

    monkeypatch.setattr(QDrag, "exec", begin)
    return found


def place(view: QTreeWidget, row: int, column: int = 0) -> QPoint:
    return view.visualRect(view.model().index(row, column)).center()


def press(qtbot: QtBot, view: QTreeWidget, where: QPoint, held: Qt.KeyboardModifier = NOTHING) -> None:
    qtbot.mousePress(view.viewport(), LEFT, held, where)


def move(qtbot: QtBot, view: QTreeWidget, where: QPoint) -> None:
    qtbot.mouseMove(view.viewport(), where)


def let_go(qtbot: QtBot, view: QTreeWidget, where: QPoint) -> None:
    qtbot.mouseRelease(view.viewport(), LEFT, NOTHING, where)


def far(where: QPoint) -> QPoint:
    return where + QPoint(0, 10 * QApplication.startDragDistance())


def test_it_begins_once_the_mouse_has_gone_some_way(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], dragged: list[list[str]]
) -> None:
    press(qtbot, view, place(view, 0))
    move(qtbot, view, place(view, 0) + QPoint(2, 1))
    assert not asked
    move(qtbot, view, far(place(view, 0)))
    qtbot.waitUntil(lambda: bool(dragged))
    assert dragged == [["one"]]
    move(qtbot, view, far(far(place(view, 0))))
    assert len(asked) == 1


def drag(qtbot: QtBot, view: QTreeWidget, dragged: list[list[str]]) -> None:
    before = len(dragged)
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    qtbot.waitUntil(lambda: len(dragged) > before)


def copies_in(session: Session) -> list[Path]:
    folder = session.taking_out.copies.new_folder()
    folder.rmdir()
    found = glob.glob(f"{folder.parent}/*/*")  # noqa: PTH207 - Path's fails when a folder goes while it looks
    return [Path(name) for name in found]


def test_copies_that_nobody_took_go_and_those_that_were_taken_stay(
    qtbot: QtBot,
    view: QTreeWidget,
    asked: list[Rows],
    dragged: list[list[str]],
    taker: list[Qt.DropAction],
    session: Session,
) -> None:
    drag(qtbot, view, dragged)
    (taken,) = copies_in(session)
    taker.append(Qt.DropAction.IgnoreAction)
    drag(qtbot, view, dragged)
    qtbot.waitUntil(lambda: copies_in(session) == [taken])
    assert len(dragged) == 2


def test_copies_go_when_the_button_is_let_go_just_before_the_drag(
    qtbot: QtBot,
    view: QTreeWidget,
    asked: list[Rows],
    dragged: list[list[str]],
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later: list[Callable[[], None]] = []
    monkeypatch.setattr(drag_out.QTimer, "singleShot", lambda _ms, _context, act: later.append(act))
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    qtbot.waitUntil(lambda: bool(later))
    assert len(copies_in(session)) == 1
    let_go(qtbot, view, far(place(view, 0)))
    later[0]()
    qtbot.waitUntil(lambda: copies_in(session) == [])
    assert not dragged


def test_a_click_drags_nothing(qtbot: QtBot, view: QTreeWidget, asked: list[Rows]) -> None:
    press(qtbot, view, place(view, 1))
    let_go(qtbot, view, place(view, 1) + QPoint(1, 1))
    move(qtbot, view, far(place(view, 1)))
    assert not asked
    assert view.currentItem().text(0) == "two"


@pytest.mark.parametrize("column", [0, 1])
def test_all_that_is_selected_is_dragged_by_any_of_it(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], dragged: list[list[str]], column: int
) -> None:
    for row in (0, 2):
        qtbot.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier, place(view, row))
    press(qtbot, view, place(view, 2, column))
    move(qtbot, view, far(place(view, 2)))
    qtbot.waitUntil(lambda: bool(dragged))
    assert sorted(dragged[0]) == ["one", "three"]
    assert len(view.selectedItems()) == 2


def test_beside_names_the_mouse_selects(qtbot: QtBot, view: QTreeWidget, asked: list[Rows]) -> None:
    press(qtbot, view, place(view, 0, 1))
    move(qtbot, view, place(view, 1, 1))
    move(qtbot, view, place(view, 2, 1))
    let_go(qtbot, view, place(view, 2, 1))
    assert [item.text(0) for item in view.selectedItems()] == ["one", "two", "three"]
    assert not asked


@pytest.mark.parametrize("where", ["arrow", "nowhere", "shift", "right button"])
def test_elsewhere_no_drag_begins(qtbot: QtBot, view: QTreeWidget, asked: list[Rows], where: str) -> None:
    spot = place(view, 0)
    match where:
        case "arrow":
            spot.setX(4)
        case "nowhere":
            spot.setY(280)
    held = Qt.KeyboardModifier.ShiftModifier if where == "shift" else NOTHING
    button = Qt.MouseButton.RightButton if where == "right button" else LEFT
    qtbot.mousePress(view.viewport(), button, held, spot)
    move(qtbot, view, far(spot))
    assert not asked


def test_a_button_that_goes_up_too_early_outside_is_told(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], dragged: list[list[str]], notices: list[Notice]
) -> None:
    view.change.append(lambda rows: setattr(rows, "wait", True))
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    let_go(qtbot, view, QPoint(-50, 20))
    (notice,) = notices
    assert notice.sentence == "one was not ready yet when the button was let go."
    assert notice.action_text == "Extract to…"
    asked[0].wait = False
    assert view.currentItem().text(0) == "one", "what was selected stays so"


def test_an_unsteady_hand_is_told_nothing(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], notices: list[Notice], session: Session
) -> None:
    view.change.append(lambda rows: setattr(rows, "wait", True))
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    let_go(qtbot, view, far(place(view, 0)))
    qtbot.waitUntil(lambda: not session.jobs)
    assert notices == []


def test_while_it_is_made_the_mouse_says_so(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], dragged: list[list[str]]
) -> None:
    view.change.append(lambda rows: setattr(rows, "wait", True))
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    assert view.viewport().cursor().shape() is Qt.CursorShape.BusyCursor
    asked[0].wait = False
    qtbot.waitUntil(lambda: bool(dragged))
    assert view.viewport().cursor().shape() is Qt.CursorShape.ArrowCursor


def test_where_it_fails_the_mouse_is_free_again_and_selects_nothing_by_the_way(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], dragged: list[list[str]], notices: list[Notice]
) -> None:
    view.change.append(lambda rows: setattr(rows, "error", Refused("It is too much.")))
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    qtbot.waitUntil(lambda: bool(notices))
    assert notices[0].sentence == "It is too much."
    assert view.viewport().cursor().shape() is Qt.CursorShape.ArrowCursor
    move(qtbot, view, place(view, 2))
    let_go(qtbot, view, place(view, 2))
    assert [item.text(0) for item in view.selectedItems()] == ["one"]
    assert not dragged


def test_what_cannot_be_dragged_is_left_alone(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], notices: list[Notice]
) -> None:
    press(qtbot, view, place(view, 3))
    move(qtbot, view, far(place(view, 3)))
    let_go(qtbot, view, QPoint(-50, 20))
    assert len(asked) == 1
    assert notices == []


def test_a_list_that_is_hidden_meanwhile_begins_no_drag(
    qtbot: QtBot, view: QTreeWidget, asked: list[Rows], dragged: list[list[str]], session: Session
) -> None:
    view.change.append(lambda rows: setattr(rows, "wait", True))
    press(qtbot, view, place(view, 0))
    move(qtbot, view, far(place(view, 0)))
    view.hide()
    qtbot.waitUntil(lambda: not session.jobs)
    assert not dragged


def test_addresses_are_encoded_so_that_any_name_arrives() -> None:
    data = files_as_data([Path("/tmp/50 % #1?\nü")])
    (url,) = data.urls()
    assert url.toLocalFile() == "/tmp/50 % #1?\nü"
    assert bytes(data.data("x-special/gnome-copied-files").data()) == b"copy\nfile:///tmp/50%20%25%20%231%3F%0A%C3%BC"
