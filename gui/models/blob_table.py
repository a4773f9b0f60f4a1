"""The table of blobs: one row for each blob on disk, each digest that something refers to, and each stray file.

A row is a number. Where it stands is a permutation of the snapshot's rows, and what it shows is looked up in the
snapshot's columns, so a million rows cost two arrays of numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from engine.columns import Rows, find_rows
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot
from gui import text
from gui.jobs import JobRunner
from gui.models.arranging import Arranger, Order, Wish, order_by, places_in, ranks, rows_move
from gui.models.blob_cells import TITLES, BlobCells, Column
from gui.models.conditions import Query
from gui.models.facts import Facts
from gui.models.look import (
    ACCESSIBLE,
    ALIGNMENT,
    COLOUR,
    DISPLAY,
    FONT,
    ICON,
    RIGHT,
    STATE_ROLES,
    TOOLTIP,
    AnyIndex,
    Look,
)
from gui.models.matching import Matcher, begin_with

_NUMBERS = (Column.SIZE, Column.USED_BY, Column.MODIFIED)
_NOBODY = QModelIndex()
_MANY = 10_000
"""More rows than this whose states are different are not told one by one."""


@dataclass(frozen=True)
class _Arranged:
    """A wish come true: the rows that are left in their order, and all rows in that order."""

    wish: Wish
    order: Order
    places: Order
    sorted: Order
    facts: Facts | None


class BlobTable(QAbstractTableModel):
    """The blobs of a snapshot, sorted and filtered; a newer snapshot keeps what is selected, by name."""

    rearranging = Signal()
    """The rows are about to move."""
    arranged = Signal()
    """The rows stand as they were asked for."""

    def __init__(self, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._arranger = Arranger(self, runner, Column.STATE, self._arrange, self._adopt)
        self._look = Look(self)
        self._shown: _Arranged | None = None
        self._cells: BlobCells | None = None

    # ------------------------------------------------------------------------------------------- what is wanted

    def set_snapshot(self, snapshot: Snapshot | None, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None:
        """Show another snapshot; ``states`` and ``worst`` have one value a row and may change later."""
        self._arranger.set_snapshot(snapshot, states, worst)

    def set_states(self, states: NDArray[np.uint8], worst: NDArray[np.uint8], rows: Rows | None) -> None:
        """States of these rows of the snapshot are different; None for all."""
        self._arranger.set_states(states, worst)
        shown = self._shown
        if shown is None or shown.wish.snapshot is not self._arranger.snapshot or not len(shown.order):
            return
        self._cells = BlobCells(shown.wish.snapshot, states)
        every = rows is None or len(rows) > _MANY  # of so many rows, looking where each stands takes too long
        places = np.array([0, len(shown.order) - 1]) if every else shown.places[rows]
        places = places[places >= 0]
        if len(places):
            first, last = self.index(int(places.min()), 0), self.index(int(places.max()), Column.STATE)
            self.dataChanged.emit(first, last, STATE_ROLES)

    def set_query(self, query: Query) -> None:
        """Show only what the filter leaves."""
        self._arranger.set_query(query)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._arranger.sort(column, descending=order is Qt.SortOrder.DescendingOrder)

    # -------------------------------------------------------------------------------------------- what is shown

    @property
    def busy(self) -> bool:
        """Whether the rows are still being brought into the order that is wanted."""
        return self._arranger.busy

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot whose rows are shown; older than the newest while that is being arranged."""
        return self._shown.wish.snapshot if self._shown else None

    @property
    def asked(self) -> object:
        """The filter and the order that the rows are in; equal while a person has asked for nothing else."""
        return self._shown.wish.asked if self._shown else None

    @property
    def shown(self) -> int:
        """How many rows there are."""
        return len(self._shown.order) if self._shown else 0

    @property
    def total(self) -> int:
        """The same without the filter."""
        return len(self._shown.places) if self._shown else 0

    def rows_at(self, places: Sequence[int] | NDArray[np.int64]) -> Order:
        """The snapshot's rows that stand at these places."""
        return self._shown.order[places] if self._shown else np.empty(0, np.int32)

    def place_of(self, name: str) -> int:
        """Where the row of a digest or stray file stands; -1 where it is not there, or filtered away."""
        if self._shown is None:
            return -1
        row = self._shown.wish.snapshot.find(name)
        return int(self._shown.places[row]) if row >= 0 else -1

    def find_typed(self, typed: str, after: int) -> int:
        """The first place from ``after`` on, and round again, whose digest begins with what was typed; -1 for none."""
        if self._shown is None:
            return -1
        found = begin_with(self._shown.wish.snapshot.columns, typed.lower(), Progress())
        places = self._shown.places[found]
        places = np.sort(places[places >= 0])
        return int(places[np.searchsorted(places, after) % len(places)]) if len(places) else -1

    def term_at(self, index: AnyIndex) -> str:
        """The filter that asks for what the cell says; empty where there is none."""
        if self._shown is None or self._cells is None or not 0 <= index.row() < len(self._shown.order):
            return ""
        return self._cells.term(int(self._shown.order[index.row()]), index.column())

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() or self._shown is None else len(self._shown.order)

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(TITLES):
            return None
        if role == DISPLAY:
            return TITLES[section]
        return RIGHT if role == ALIGNMENT and section in _NUMBERS else None

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        place, column = index.row(), index.column()
        shown, cells = self._shown, self._cells
        if shown is None or cells is None or not 0 <= place < len(shown.order):
            return None
        row = int(shown.order[place])
        if role == DISPLAY:
            return cells.text(row, column)
        if role == ICON:
            return cells.icon(row, column)
        if role == COLOUR:
            return self._look.states[cells.state(row)] if column == Column.STATE else None
        if role == FONT:
            if column == Column.DIGEST:
                return self._look.fixed
            return self._look.numbers if column in _NUMBERS else None
        if role == ALIGNMENT:
            return RIGHT if column in _NUMBERS else None
        if role == TOOLTIP:
            return text.tooltip(cells.explanation(row, column))
        return cells.spoken(row, column) if role == ACCESSIBLE else None

    # ------------------------------------------------------------------------------------------------ arranging

    def _arrange(self, wish: Wish, progress: Progress) -> _Arranged:
        """Sort and filter, on a worker perhaps; what is known of the same snapshot is not worked out again."""
        before = self._shown
        same = before is not None and before.wish.snapshot is wish.snapshot
        facts = before.facts if before is not None and same else None
        if before is not None and before.wish.same_order(wish) and wish.column != Column.STATE:
            ordered = before.sorted
        else:
            ordered = _sorted(wish)
        progress.check()
        order = ordered
        if wish.query.terms:
            facts = facts or Facts(wish.snapshot)
            left = Matcher(facts, wish.states, wish.worst, progress).rows(wish.query)
            order = ordered[left[ordered]]
        return _Arranged(wish, order, places_in(order, len(wish.snapshot)), ordered, facts)

    def _adopt(self, after: _Arranged | None) -> None:
        before = self._shown
        self.rearranging.emit()
        with rows_move(self):
            indexes = self.persistentIndexList()
            self._shown = after
            self._cells = BlobCells(after.wish.snapshot, self._arranger.states) if after else None
            if indexes:
                places = _follow(before, after, [index.row() for index in indexes])
                moved = [
                    self.createIndex(place, index.column()) if place >= 0 else QModelIndex()
                    for place, index in zip(places, indexes, strict=True)
                ]
                self.changePersistentIndexList(indexes, moved)
        self.arranged.emit()


def _follow(before: _Arranged | None, after: _Arranged | None, places: list[int]) -> list[int]:
    """Where the rows that stood at these places stand now; -1 for those that are gone."""
    if before is None or after is None:
        return [-1] * len(places)
    rows: Rows = before.order[places].astype(np.int64)
    if before.wish.snapshot is not after.wish.snapshot:
        rows = find_rows(after.wish.snapshot.columns.names, before.wish.snapshot.columns.names[rows])
    return [int(after.places[row]) if row >= 0 else -1 for row in rows.tolist()]


def _sorted(wish: Wish) -> Order:
    """All rows in the order that was asked for; equal ones by digest."""
    columns = wish.snapshot.columns
    keys: NDArray[Any]
    if wish.column <= Column.DIGEST:
        order = np.arange(len(columns), dtype=np.int32)  # the snapshot has them by name
        return order[::-1] if wish.descending else order
    if wish.column == Column.KIND:
        keys = ranks(text.KINDS[kind].word for kind in Kind).astype(np.uint8)[columns.kinds]
    elif wish.column == Column.MEDIA_TYPE:
        words = (text.media_type(name) if name else "" for name in wish.snapshot.media_types)
        keys = ranks(words).astype(np.uint16)[columns.media]
    elif wish.column == Column.SIZE:
        keys = columns.sizes
    elif wish.column == Column.USED_BY:
        keys = columns.used_by
    elif wish.column == Column.MODIFIED:
        keys = columns.mtimes
    else:
        keys = wish.states
    return order_by(keys, descending=wish.descending)
