"""Keeps a list where it was while its rows move: what is selected, what is current, what is in sight."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QItemSelectionRange, QModelIndex, QPersistentModelIndex, QPoint
from PySide6.QtWidgets import QAbstractItemView

from engine.snapshot import Snapshot
from gui.models.rows_model import RowsModel

MOST_FOLLOWED = 2000
"""Selected rows that stay selected while rows move; of more only the current one does, because Qt follows each."""
WHOLE_ROW = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows


class Keeper:
    """Qt follows indexes through a change of the rows; this does what is left to do.

    When somebody sorts or filters, what is current stays in sight. When the store has changed, nothing moves: the row
    at the top stays at the top.
    """

    def __init__(
        self, view: QAbstractItemView, rows: RowsModel, index_of: Callable[[str, int | None], QModelIndex]
    ) -> None:
        self._view = view
        self._rows = rows
        self._index_of = index_of
        self._asked: object = None
        self._anchor = QPersistentModelIndex()
        self._current_row = -1
        self._current_was_seen = False
        self._had_selection = False
        self._selected: tuple[Snapshot | None, str, int | None] | None = None

    def note_selection(self, digest: str, entry_position: int | None) -> None:
        """This is selected; when a filter hides it, it will be again once the filter is gone."""
        self._selected = self._rows.snapshot, digest, entry_position

    def remember(self) -> None:
        """Before rows move."""
        view, current = self._view, self._view.currentIndex()
        self._asked = self._rows.asked
        at_start = view.verticalScrollBar().value() == view.verticalScrollBar().minimum()
        self._anchor = QPersistentModelIndex() if at_start else QPersistentModelIndex(view.indexAt(QPoint(1, 1)))
        self._current_row = _top(current).row()
        self._had_selection = view.selectionModel().isSelected(current)
        self._current_was_seen = current.isValid() and view.visualRect(current).intersects(view.viewport().rect())
        ranges = selected_ranges(view)
        selected = sum(each.height() for each in ranges)
        if selected > MOST_FOLLOWED and not (len(ranges) == 1 and selected == view.model().rowCount()):
            view.selectionModel().select(current, WHOLE_ROW)

    def restore(self) -> None:
        """After rows moved."""
        view = self._view
        self._restore_current()
        if self._rows.asked == self._asked:
            if self._anchor.isValid():
                view.scrollTo(_plain(self._anchor), QAbstractItemView.ScrollHint.PositionAtTop)
        elif self._current_was_seen and view.currentIndex().isValid():
            view.scrollTo(view.currentIndex())
        else:
            view.scrollToTop()
        self._anchor = QPersistentModelIndex()

    def _restore_current(self) -> None:
        """What a filter has hidden is selected again; where the current row is gone, its neighbour takes its place."""
        view, selection = self._view, self._view.selectionModel()
        if self._selected is not None and not selection.hasSelection():
            snapshot, digest, position = self._selected
            index = self._index_of(digest, position) if snapshot is self._rows.snapshot else QModelIndex()
            if index.isValid():
                selection.setCurrentIndex(index, WHOLE_ROW)
                self._current_was_seen = True
        rows = view.model().rowCount()
        if not view.currentIndex().isValid() and self._current_row >= 0 and rows:
            nearest = view.model().index(min(self._current_row, rows - 1), 0)
            went = self._had_selection and self._rows.asked == self._asked  # from the store, not behind a filter
            flags = WHOLE_ROW if went and not selection.hasSelection() else QItemSelectionModel.SelectionFlag.NoUpdate
            selection.setCurrentIndex(nearest, flags)


def selected_ranges(view: QAbstractItemView) -> list[QItemSelectionRange]:
    """The selected rows, as few ranges."""
    selection = view.selectionModel().selection()
    return [selection.at(position) for position in range(selection.count())]


def _top(index: QModelIndex) -> QModelIndex:
    """The row of the first level that the index is in."""
    while index.parent().isValid():
        index = index.parent()
    return index


def _plain(index: QPersistentModelIndex) -> QModelIndex:
    return index.model().index(index.row(), index.column(), index.parent())
