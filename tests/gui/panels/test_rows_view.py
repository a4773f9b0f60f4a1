"""What the tree of images and the table of blobs do alike: filter, select, copy, and stay where they are."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from gui.jobs import JobRunner
from gui.models import arranging
from gui.panels import keeper
from gui.panels.blob_view import BlobView
from gui.panels.image_view import ImageView
from gui.panels.rows_view import RowsView
from gui.session import Selection, Session
from gui.settings import Settings
from tests.layouts import LayoutFiles

KEYS = Qt.Key
WHOLE = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
OpenSession = Callable[[Path], Session]


class Desk:
    """A view of a layout, and everything it has said."""

    def __init__(self, qtbot: QtBot, view: RowsView, session: Session, files: LayoutFiles) -> None:
        self.qtbot, self.view, self.session, self.files = qtbot, view, session, files
        self.rows = view.view.model()
        self.selected: list[list[str]] = []
        self.activated: list[Selection] = []
        view.selected.connect(lambda chosen: self.selected.append([each.digest for each in chosen]))
        view.activated.connect(self.activated.append)

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.view._rows.busy)
        QApplication.processEvents()

    def names(self) -> list[str]:
        return [self.rows.index(row, 0).data() for row in range(self.rows.rowCount())]

    def rescan(self) -> None:
        with self.qtbot.waitSignal(self.session.snapshotChanged):
            self.session.rescan()
        self.settle()

    def choose(self, row: int) -> None:
        self.view.view.selectionModel().setCurrentIndex(self.rows.index(row, 0), WHOLE)
        self.settle()


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """Thirty images of one layer each, and a layer that nobody uses."""
    files = LayoutFiles(tmp_path / "layout")
    for number in range(30):
        files.name(files.image(b"%d" % number), f"image:{number}")
    files.blob(b"unused")
    return files


@pytest.fixture(params=[ImageView, BlobView], ids=["images", "blobs"])
def desk(
    request: pytest.FixtureRequest,
    qtbot: QtBot,
    runner: JobRunner,
    open_session: OpenSession,
    files: LayoutFiles,
    tmp_path: Path,
) -> Desk:
    view = request.param(runner, Settings(tmp_path / "settings.ini"), lambda _chosen: None)
    qtbot.addWidget(view)
    session = open_session(files.path)
    view.set_session(session)
    view.resize(700, 300)
    view.show()
    desk = Desk(qtbot, view, session, files)
    desk.settle()
    return desk


def press(desk: Desk, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    desk.qtbot.keyClick(desk.view.view, key, modifier)
    desk.settle()


# -------------------------------------------------------------------------------------------------------- selecting


def test_what_is_selected_is_told_once_the_current_first(desk: Desk) -> None:
    desk.choose(3)
    press(desk, KEYS.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    chosen = desk.view.selection()
    assert len(chosen) == 2
    assert [each.digest for each in chosen] == desk.selected[-1]
    assert desk.view._index_of(chosen[0].digest, None).row() == 4
    assert desk.view._index_of(chosen[1].digest, None).row() == 3
    count = len(desk.selected)
    desk.files.blob(b"one more")
    desk.rescan()
    assert len(desk.selected) == count, "nothing else is selected than before"


def test_a_selection_can_be_sliced_like_a_list(desk: Desk) -> None:
    desk.view.view.selectAll()
    chosen = desk.view.selection()
    assert isinstance(chosen, Sequence)
    assert [each.digest for each in chosen] == [each.digest for each in chosen[:]]
    assert chosen[-1] == list(chosen)[-1]
    assert len(chosen) >= 30
    with pytest.raises(IndexError):
        chosen[len(chosen)]


def test_enter_activates_the_current_row(desk: Desk) -> None:
    desk.choose(2)
    press(desk, KEYS.Key_Return)
    assert [each.digest for each in desk.activated] == desk.selected[-1]
    assert desk.activated[0].session is desk.session


def test_copy_takes_the_digests_one_a_line(desk: Desk) -> None:
    desk.choose(1)
    press(desk, KEYS.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(desk, KEYS.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied == [each.digest for each in desk.view.selection()]
    assert all(digest.startswith("sha256:") for digest in copied)


def test_typing_in_the_list_goes_to_the_row(desk: Desk) -> None:
    wanted = desk.names()[17]
    text = wanted.removeprefix("sha256:")[:4] if wanted.startswith("sha256:") else wanted
    desk.choose(0)
    desk.qtbot.keyClicks(desk.view.view, text)
    desk.settle()
    assert desk.view.view.currentIndex().data() == wanted


def test_a_letter_that_is_a_command_is_none_in_the_middle_of_a_word(desk: Desk) -> None:
    names = [name.removeprefix("sha256:").partition("…")[0] for name in desk.names()]
    place, word = next((place, word) for place, word in enumerate(names) if place and word[1] != word[0])
    commands: list[str] = []
    shortcut = QShortcut(QKeySequence(word[1]), desk.view)
    shortcut.activated.connect(lambda: commands.append(word[1]))
    desk.qtbot.keyClicks(desk.view.view, word[1])
    assert commands == [word[1]]
    desk.choose(0)
    desk.qtbot.keyClicks(desk.view.view, word)
    desk.settle()
    assert commands == [word[1]]
    assert desk.view.view.currentIndex().row() == place


def test_the_star_does_not_open_everything(desk: Desk) -> None:
    before = desk.rows.rowCount(desk.rows.index(0, 0))
    desk.choose(0)
    press(desk, KEYS.Key_Asterisk)
    assert not getattr(desk.view.view, "isExpanded", lambda _index: False)(desk.rows.index(0, 0))
    assert desk.rows.rowCount(desk.rows.index(0, 0)) == before


# -------------------------------------------------------------------------------------------------------- filtering


def test_a_filter_is_applied_as_it_is_typed_and_taken_away_with_escape(desk: Desk) -> None:
    everything = len(desk.names())
    desk.qtbot.keyClicks(desk.view.filter.line, "status:unused")
    desk.settle()
    desk.qtbot.waitUntil(lambda: len(desk.names()) != everything)
    desk.qtbot.keyClick(desk.view.filter.line, KEYS.Key_Escape)
    desk.qtbot.waitUntil(lambda: len(desk.names()) == everything)
    assert desk.view.filter.text == ""


def test_a_filter_that_leaves_nothing_says_so_and_offers_to_clear_it(desk: Desk) -> None:
    desk.view.set_filter("no such thing")
    desk.settle()
    assert desk.view.empty.isVisibleTo(desk.view)
    assert "matches the filter" in desk.view.empty.words
    button = desk.view.empty.findChild(QPushButton)
    assert button.text() == "Clear filter"
    desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    desk.settle()
    assert not desk.view.empty.isVisibleTo(desk.view)
    assert len(desk.names()) >= 30


def test_what_is_no_filter_changes_nothing_and_is_explained(desk: Desk) -> None:
    desk.view.set_filter("image")
    desk.settle()
    before = desk.names()
    desk.view.set_filter("image size>")
    desk.settle()
    assert desk.names() == before
    assert "size>50M" in desk.view.filter.line.accessibleDescription()


def test_what_a_filter_hides_is_selected_again_when_it_is_gone(desk: Desk) -> None:
    desk.choose(20)
    chosen = list(desk.view.selection())
    desk.view.set_filter("no such thing")
    desk.settle()
    assert desk.selected[-1] == []
    desk.view.set_filter("")
    desk.settle()
    assert list(desk.view.selection()) == chosen
    assert desk.view.view.visualRect(desk.view.view.currentIndex()).intersects(desk.view.view.viewport().rect())


def test_a_term_is_toggled(desk: Desk) -> None:
    desk.view.toggle_term("used:0")
    assert desk.view.filter.text == "used:0"
    desk.view.toggle_term("-used:0")
    desk.view.toggle_term("used:0")
    assert desk.view.filter.text == "-used:0"


def test_down_and_enter_lead_from_the_filter_into_the_list(desk: Desk) -> None:
    desk.view.focus_filter()
    assert QApplication.focusWidget() is desk.view.filter.line
    desk.qtbot.keyClick(desk.view.filter.line, KEYS.Key_Down)
    assert QApplication.focusWidget() is desk.view.view
    assert desk.view.view.currentIndex().row() == 0
    assert len(desk.view.selection()) == 1


def test_a_click_on_a_title_sorts_and_a_third_click_gives_the_first_order_back(desk: Desk) -> None:
    before = desk.names()
    header = desk.view.columns._header
    size = next(
        n for n in range(desk.rows.columnCount()) if desk.rows.headerData(n, Qt.Orientation.Horizontal) == "Size"
    )
    place = QPoint(header.sectionViewportPosition(size) + 8, header.height() // 2)
    seen = []
    for _ in range(3):
        desk.qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        desk.settle()
        seen.append(desk.names())
    assert seen[0] != seen[1] != seen[2] == before


# ------------------------------------------------------------------------------------------------------ revealing


def test_reveal_selects_and_scrolls_and_takes_the_filter_away_only_for_what_it_hides(desk: Desk) -> None:
    wanted = desk.files.entries[25]["digest"]
    desk.view.set_filter("no such thing")
    assert not desk.view.reveal("sha256:" + "0" * 64)
    assert desk.view.filter.text == "no such thing"
    assert desk.view.reveal(wanted)
    desk.settle()
    assert desk.view.filter.text == ""
    assert desk.selected[-1] == [wanted]
    assert desk.view.view.visualRect(desk.view.view.currentIndex()).intersects(desk.view.view.viewport().rect())


def test_reveal_waits_for_rows_that_are_still_being_arranged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arranging, "AT_ONCE", -1)
    wanted = desk.files.entries[25]["digest"]
    desk.view.set_filter("no such thing")
    desk.settle()
    assert desk.view.reveal(wanted)
    desk.settle()
    assert desk.selected[-1] == [wanted]


# ------------------------------------------------------------------------------------------------------- staying


def test_what_is_selected_and_at_the_top_stays_when_the_store_changes(desk: Desk) -> None:
    view = desk.view.view
    view.scrollTo(desk.rows.index(20, 0), view.ScrollHint.PositionAtTop)
    QApplication.processEvents()
    top = view.indexAt(QPoint(1, 1)).data()
    desk.choose(view.indexAt(QPoint(1, 1)).row() + 2)
    chosen = [each.digest for each in desk.view.selection()]
    desk.files.entries[:0] = [desk.files.image(b"new %d" % n) for n in range(15)]
    desk.files.write_index()
    desk.rescan()
    assert view.indexAt(QPoint(1, 1)).data() == top
    assert [each.digest for each in desk.view.selection()] == chosen


def test_at_the_start_of_the_list_new_rows_are_seen(desk: Desk) -> None:
    desk.files.entries[:0] = [desk.files.image(b"new")]
    desk.files.write_index()
    desk.rescan()
    assert desk.view.view.verticalScrollBar().value() == 0


def test_where_the_selected_row_is_gone_its_neighbour_is_selected(desk: Desk) -> None:
    digest = (
        desk.files.entries[5]["digest"] if isinstance(desk.view, ImageView) else desk.files.blob(b"unused")["digest"]
    )
    desk.view.reveal(digest)
    row = desk.view.view.currentIndex().row()
    desk.files.entries[:] = [entry for entry in desk.files.entries if entry["digest"] != digest]
    desk.files.write_index()
    desk.files.file(digest).unlink()
    desk.rescan()
    assert desk.view.view.currentIndex().row() == min(row, desk.rows.rowCount() - 1)
    assert [each.digest for each in desk.view.selection()] == desk.selected[-1] != []


def test_what_a_filter_has_hidden_is_not_replaced_by_another(desk: Desk) -> None:
    desk.choose(3)
    desk.view.set_filter("digest:sha256:000000000000")
    desk.settle()
    desk.view.set_filter("")
    desk.settle()
    assert desk.view.view.currentIndex().row() == 3
    assert len(desk.view.selection()) == 1


def test_of_very_many_selected_rows_only_the_current_one_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "MOST_FOLLOWED", 3)
    desk.choose(2)
    for _ in range(5):
        press(desk, KEYS.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert len(desk.view.selection()) == 6
    current = desk.view.selection()[0]
    desk.rows.sort(0, Qt.SortOrder.DescendingOrder)
    desk.settle()
    assert list(desk.view.selection()) == [current]


def test_a_view_can_be_given_another_store_and_none(desk: Desk) -> None:
    desk.view.set_session(None)
    desk.settle()
    assert desk.rows.rowCount() == 0
    assert desk.view.selection() == []
    desk.session.statesChanged.emit(None)
    desk.view.set_session(desk.session)
    desk.settle()
    assert desk.rows.rowCount() >= 30


# -------------------------------------------------------------------------------------------------- menus, columns


def test_the_menu_offers_to_filter_by_what_was_clicked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    window_menu = QMenu(desk.view)
    window_menu.addAction(QAction("Window's own", window_menu))
    seen = []
    desk.view._menu_for = lambda chosen: seen.append(list(chosen)) or window_menu
    monkeypatch.setattr(QMenu, "popup", lambda menu, _place: None)
    state = next(
        n for n in range(desk.rows.columnCount()) if desk.rows.headerData(n, Qt.Orientation.Horizontal) == "State"
    )
    desk.choose(1)
    desk.view.view.customContextMenuRequested.emit(desk.view.view.visualRect(desk.rows.index(1, state)).center())
    texts = [action.text() for action in window_menu.actions() if not action.isSeparator()]
    assert texts[0] == "Window's own"
    assert texts[1].startswith("Show only status:")
    assert seen == [list(desk.view.selection())]
    window_menu.actions()[-1].trigger()
    assert desk.view.filter.text.startswith("-status:")


def test_columns_stay_as_a_person_left_them(desk: Desk, runner: JobRunner, tmp_path: Path) -> None:
    header = desk.view.columns._header
    last = header.count() - 1
    header.resizeSection(last, 99)
    header.moveSection(header.visualIndex(last), 1)
    desk.view.columns.show_column(1, shown=False)
    header.setSortIndicator(0, Qt.SortOrder.DescendingOrder)
    order = desk.names()
    desk.view.save_state()
    again = type(desk.view)(runner, Settings(tmp_path / "settings.ini"), lambda _chosen: None)
    desk.qtbot.addWidget(again)
    again.set_session(desk.session)
    again.resize(1100, 300)
    again.show()
    other = again.columns._header
    assert (other.sectionSize(last), other.visualIndex(last), other.isSectionHidden(1)) == (99, 1, True)
    assert [again.view.model().index(row, 0).data() for row in range(len(order))] == order


def test_one_column_takes_the_room_that_the_others_leave(desk: Desk) -> None:
    header = desk.view.columns._header
    desk.view.resize(1100, 300)
    QApplication.processEvents()
    assert header.length() == desk.view.view.viewport().width()
    desk.view.resize(300, 300)
    QApplication.processEvents()
    assert min(header.sectionSize(n) for n in range(header.count())) > 40
    assert header.length() > desk.view.view.viewport().width()


def test_in_a_narrow_window_names_and_numbers_keep_their_room_and_the_others_yield(desk: Desk) -> None:
    header = desk.view.columns._header
    others = [n for n in range(1, header.count()) if n != desk.view.columns._filling]
    titles = [desk.view.view.model().headerData(n, Qt.Orientation.Horizontal) for n in others]
    desk.view.resize(1100, 300)
    QApplication.processEvents()
    wide = [header.sectionSize(n) for n in others]
    name = min(header.sectionSize(0), desk.view.columns._wishes[0])
    room = sum(desk.view.columns._wishes.values()) - 20
    desk.view.resize(room, 300)
    QApplication.processEvents()
    assert header.length() == desk.view.view.viewport().width(), "nothing is pushed out of sight"
    assert header.sectionSize(0) >= name - 1
    narrower = {title for n, title, before in zip(others, titles, wide, strict=True) if header.sectionSize(n) < before}
    assert narrower == set(titles) - {"Size", "Used by", "Modified"}, "half a number would be none"
    desk.view.resize(1100, 300)
    QApplication.processEvents()
    assert [header.sectionSize(n) for n in others] == wide, "with more room they are as before"


def test_everything_can_be_named_by_a_screen_reader(desk: Desk) -> None:
    assert desk.view.view.accessibleName() in ("Images", "Blobs")
    assert desk.view.filter.line.accessibleName().startswith("Filter ")
    spoken = desk.rows.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert len(spoken.split(", ")) >= 3
