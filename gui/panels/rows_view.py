"""What the tree of images and the table of blobs have in common: a filter above, rows, and words where there are none."""

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPoint,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QMenu,
    QStackedWidget,
    QTableView,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from engine.columns import Rows
from engine.snapshot import Snapshot
from gui import text
from gui.jobs import window_first
from gui.models.filtering import with_term
from gui.models.look import RowDelegate
from gui.models.rows_model import RowsModel
from gui.panels.columns import Columns
from gui.panels.empty_place import EmptyPlace
from gui.panels.filter_box import FilterBox
from gui.panels.keeper import WHOLE_ROW, Keeper, selected_ranges
from gui.session import Selection, Session
from gui.settings import Settings

MenuFor = Callable[[Sequence[Selection]], QMenu | None]

_COMPARED = 100
"""Selected rows that are compared to find out whether the selection is another one."""


class RowsView(QWidget):
    """A list of a store with its filter."""

    selected = Signal(object)
    """What is selected, a sequence of ``Selection``, the current one first."""
    activated = Signal(object)
    """Enter or a double click: the ``Selection``."""

    def __init__(
        self,
        what: str,
        view: QTreeView | QTableView,
        header: QHeaderView,
        state_column: int,
        model: RowsModel,
        settings: Settings,
        menu_for: MenuFor,
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self._what = what
        self._menu_for = menu_for
        self._rows = model
        self._session: Session | None = None
        self._told: tuple[int, Sequence[Selection]] | None = None
        self._to_reveal: tuple[str, int | None] | None = None
        self._typed, self._typed_at = "", 0.0
        self.view = view
        self._keeper = Keeper(view, model, self._index_known)
        self.columns = Columns(view, header, what, settings)
        self.filter = FilterBox(what, self._words, self)
        self.empty = EmptyPlace(self)
        self._places = QStackedWidget(self)
        self._places.addWidget(view)
        self._places.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.filter)
        layout.addWidget(self._places, 1)
        self.setFocusProxy(view)
        self._dress(state_column)
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.timeout.connect(self._tell)
        self._connect()

    def _dress(self, state_column: int) -> None:
        view = self.view
        view.setAccessibleName(self._what.capitalize())
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setAlternatingRowColors(True)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        # The cells of the other columns are drawn without asking Python more than it takes.
        view.setItemDelegateForColumn(state_column, RowDelegate(view))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setTabKeyNavigation(False)

    def _connect(self) -> None:
        view, selection = self.view, self.view.selectionModel()
        selection.selectionChanged.connect(self._selection_changed)
        selection.currentChanged.connect(self._selection_changed)
        view.activated.connect(self._activate)
        view.customContextMenuRequested.connect(self._show_menu)
        view.installEventFilter(self)
        self.filter.asked.connect(self._rows.set_query)
        self.filter.left.connect(self._enter_list)
        self._rows.rearranging.connect(self._keeper.remember)
        self._rows.arranged.connect(self._restore)

    # ------------------------------------------------------------------------------------------ for the window

    def set_session(self, session: Session | None) -> None:
        """Show the store of ``session``, or nothing."""
        old, self._session = self._session, session
        if old is not None:
            old.snapshotChanged.disconnect(self._take_snapshot)
            old.statesChanged.disconnect(self._take_states)
            old.problems.changed.disconnect(self._show_place)
        if session is not None:
            session.snapshotChanged.connect(self._take_snapshot)
            session.statesChanged.connect(self._take_states)
            session.problems.changed.connect(self._show_place)
        self._take_snapshot()

    def selection(self) -> Sequence[Selection]:
        """What is selected, the current one first."""
        session = self._session
        ranges = [(each.parent(), each.top(), each.bottom()) for each in selected_ranges(self.view)]
        current = self.view.currentIndex()
        return self._selections(session, ranges, current) if session is not None and ranges else []

    @abstractmethod
    def _selections(
        self, session: Session, ranges: Sequence[tuple[QModelIndex, int, int]], current: QModelIndex
    ) -> Sequence[Selection]:
        """The selection of these ranges: parent, first and last row."""

    @abstractmethod
    def _index_of(self, digest: str, entry_position: int | None) -> QModelIndex:
        """Where a digest is shown; invalid where it is not."""

    def _index_known(self, digest: str, entry_position: int | None) -> QModelIndex:
        """The same among the rows that the view knows already."""
        return self._index_of(digest, entry_position)

    @abstractmethod
    def _is_hidden(self, digest: str, entry_position: int | None) -> bool:
        """Whether it would be shown without the filter."""

    def _words(self, _key: str) -> Sequence[str]:
        """Words of the store that may follow a key of the filter."""
        return ()

    @abstractmethod
    def _say_empty(self, snapshot: Snapshot) -> None:
        """Say why there are no rows, apart from the filter."""

    def reveal(self, digest: str, entry_position: int | None = None) -> bool:
        """Select a digest and scroll to it, without the filter if that hides it; says whether it is in the list."""
        index = self._index_of(digest, entry_position)
        if not index.isValid() and self.filter.text and self._is_hidden(digest, entry_position):
            self.filter.set_text("")
            index = self._index_of(digest, entry_position)
        if not index.isValid() and self._rows.busy:
            self._to_reveal = digest, entry_position
            return True
        self._select(index)
        return index.isValid()

    def select_something(self, digest: str) -> None:
        """Where nothing is selected, select a digest if its row is shown, else what is current, else the first row."""
        index = self._index_known(digest, None)
        if not index.isValid():
            index = self.view.currentIndex()
        if not index.isValid():
            index = self.view.model().index(0, 0)
        self._select(index)

    def set_filter(self, words: str) -> None:
        """Show only what a filter leaves."""
        self.filter.set_text(words)

    def toggle_term(self, term: str) -> None:
        """Add a term to the filter, in the place of another with the same key; take it away if it is there."""
        self.filter.set_text(with_term(self.filter.text, term))

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.focus()

    def copy(self) -> None:
        """Copy the selected digests, one a line."""
        digests = [selection.digest for selection in self.selection()]
        if digests:
            QGuiApplication.clipboard().setText("\n".join(digests))

    def save_state(self) -> None:
        """Remember the columns as they are."""
        self.columns.save()

    # ------------------------------------------------------------------------------------------- from the session

    @Slot()
    def _take_snapshot(self) -> None:
        session = self._session
        if session is None:
            self._rows.set_snapshot(None, np.empty(0, np.uint8), np.empty(0, np.uint8))
        else:
            self._rows.set_snapshot(session.snapshot, session.states, session.worst)

    @Slot(object)
    def _take_states(self, rows: Rows | None) -> None:
        if self._session is not None:
            self._rows.set_states(self._session.states, self._session.worst, rows)

    @Slot()
    def _restore(self) -> None:
        """The rows have moved: show what was there."""
        self.filter.show_count(self._rows.shown, self._rows.total, len(self._rows.snapshot or ()))
        self._show_place()
        self._keeper.restore()
        if self._to_reveal is not None and not self._rows.busy:
            wanted, self._to_reveal = self._index_of(*self._to_reveal), None
            self._select(wanted)
        self._telling.start(0)

    @Slot()
    def _show_place(self) -> None:
        """The rows, or why there are none."""
        snapshot = self._rows.snapshot
        if self._rows.shown or snapshot is None:
            self._places.setCurrentWidget(self.view)
            return
        if self._rows.total:
            self.empty.say(
                f"No {self._what[:-1]} matches the filter", "", "Clear filter", lambda: self.filter.set_text("")
            )
        elif snapshot.stage != "complete":
            self.empty.say("Reading the store …")
        else:
            self._say_empty(snapshot)
        self._places.setCurrentWidget(self.empty)

    # -------------------------------------------------------------------------------------------- from the view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress:
                return self._press(event)
            if event.type() == QEvent.Type.ShortcutOverride and self._is_typing and _is_typed(event):
                event.accept()  # a letter in the middle of a word is no command
        return super().eventFilter(watched, event)

    def _press(self, event: QKeyEvent) -> bool:
        """Keys that Qt's views would take for something else; returns whether this is one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return True
        if event.key() == Qt.Key.Key_Asterisk:
            return True  # would open everything below, which may be without end
        if _is_typed(event) and event.text() not in "+-":
            self._find_typed(event.text())
            return True
        return False

    @property
    def _is_typing(self) -> bool:
        """Whether a letter now goes on a word that was begun."""
        return time.monotonic() - self._typed_at < QApplication.keyboardInputInterval() / 1000

    def _find_typed(self, typed: str) -> None:
        """Go to the row that begins with what is being typed."""
        goes_on = self._is_typing
        self._typed = self._typed + typed if goes_on else typed
        self._typed_at = time.monotonic()
        current = self.view.currentIndex()
        while current.parent().isValid():
            current = current.parent()
        place = self._rows.find_typed(self._typed, max(current.row(), 0) + (not goes_on and current.isValid()))
        if place >= 0:
            self._select(self.view.model().index(place, 0))

    def _select(self, index: QModelIndex) -> None:
        if index.isValid():
            self.view.selectionModel().setCurrentIndex(index, WHOLE_ROW)
            self.view.scrollTo(index)

    @Slot()
    def _selection_changed(self) -> None:
        self._telling.start(0)

    @Slot()
    def _tell(self) -> None:
        """Say what is selected; what a filter has hidden comes back with it."""
        selection = self.selection()
        if selection:
            self._keeper.note_selection(selection[0].digest, selection[0].entry_position)
        told = len(selection), list(selection[:_COMPARED])
        if told != self._told:
            self._told = told
            with window_first():
                self.selected.emit(selection)

    @Slot(QModelIndex)
    def _activate(self, index: QModelIndex) -> None:
        if self._session is not None:
            chosen = self._selections(self._session, [(index.parent(), index.row(), index.row())], index)
            if chosen:
                self.activated.emit(chosen[0])

    @Slot()
    def _enter_list(self) -> None:
        """Go from the filter into the list."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.view.selectionModel().hasSelection() and self.view.model().rowCount():
            current = self.view.currentIndex()
            self._select(current if current.isValid() else self.view.model().index(0, 0))

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        index = self.view.indexAt(position)
        menu = self._menu_for(self.selection())
        if menu is None:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        term = self._rows.term_at(index) if index.isValid() else ""
        if term:
            menu.addSeparator()
            for words, wanted in ((f"Show only {term}", term), (f"Hide {term}", f"-{term}")):
                action = QAction(text.escape_mnemonics(text.plain(words, 60)), menu)
                action.triggered.connect(lambda _checked=False, wanted=wanted: self.toggle_term(wanted))
                menu.addAction(action)
        if not menu.isEmpty():
            menu.popup(self.view.viewport().mapToGlobal(position))


def _is_typed(event: QKeyEvent) -> bool:
    """Whether a key is a letter of a word, rather than a command."""
    modifiers = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    return bool(event.text().strip()) and event.text().isprintable() and not modifiers
