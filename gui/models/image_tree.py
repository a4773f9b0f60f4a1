"""The tree of images: index entries, what they are made of, and what belongs to them.

Entries that only a tool has named (signatures, attestations, referrers) stand below what they belong to; at the top
only where that is not in the store. What no index lists, but is whole, stands in a group of its own at the end.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal

from engine.columns import Rows
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot
from gui import text
from gui.jobs import JobRunner
from gui.models.arranging import AT_ONCE, Arranger, Order, Wish, order_by, ranks, rows_move
from gui.models.conditions import Query, tag_of
from gui.models.facts import Facts, sliced
from gui.models.follower import Follower
from gui.models.image_cells import TITLES, Column, ImageCells
from gui.models.image_nodes import ROOT, Nodes
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

AT_FIRST = 500
"""Entries that a view gets to know at once; each time that somebody scrolls to the end, twice as many.

A tree view asks for each row that it knows, twice, and beside a busy worker waits for the interpreter now and then.
"""
MOST_ABOVE = 5000
"""Entries above one that is selected or open that a view gets to know when somebody sorts or filters."""
_NOBODY = QModelIndex()


@dataclass(frozen=True)
class _Arranged:
    """A wish come true: the entries and the lost images that are left, and all entries in that order."""

    wish: Wish
    facts: Facts
    order: Order
    lost: list[int]
    sorted: Order


class ImageTree(QAbstractItemModel):
    """The images of a snapshot; a newer snapshot keeps what is selected and open, by name and digest."""

    rearranging = Signal()
    """The rows are about to move."""
    arranged = Signal()
    """The rows stand as they were asked for."""

    def __init__(self, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._arranger = Arranger(self, runner, Column.STATE, self._arrange, self._adopt)
        self._look = Look(self)
        self._shown: _Arranged | None = None
        self._nodes: Nodes | None = None
        self._cells: ImageCells | None = None
        self._follower: Follower | None = None
        self._exposed = 0

    # ------------------------------------------------------------------------------------------- what is wanted

    def set_snapshot(self, snapshot: Snapshot | None, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None:
        """Show another snapshot; ``states`` and ``worst`` have one value a row and may change later."""
        self._arranger.set_snapshot(snapshot, states, worst)

    def set_states(self, states: NDArray[np.uint8], worst: NDArray[np.uint8], _rows: Rows | None) -> None:
        """States of the snapshot are different."""
        self._arranger.set_states(states, worst)
        shown, cells = self._shown, self._cells
        if shown is None or cells is None or shown.wish.snapshot is not self._arranger.snapshot:
            return
        cells.set_states(states, worst)
        for node in (ROOT, *(self._nodes.opened() if self._nodes else ())):
            above = self.index_at(node)
            if (node == ROOT or above.isValid()) and (count := self.rowCount(above)):
                first, last = self.index(0, 0, above), self.index(count - 1, Column.STATE, above)
                self.dataChanged.emit(first, last, STATE_ROLES)

    def set_query(self, query: Query) -> None:
        """Show only the images that the filter leaves."""
        self._arranger.set_query(query)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._arranger.sort(column, descending=order is Qt.SortOrder.DescendingOrder)

    # ------------------------------------------------------------------------------------------- what is shown

    @property
    def busy(self) -> bool:
        """Whether the rows are still being brought into the order that is wanted."""
        return self._arranger.busy

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot whose images are shown; older than the newest while that is being arranged."""
        return self._shown.wish.snapshot if self._shown else None

    @property
    def asked(self) -> object:
        """The filter and the order that the rows are in; equal while a person has asked for nothing else."""
        return self._shown.wish.asked if self._shown else None

    @property
    def shown(self) -> int:
        """How many images are at the top, lost ones too."""
        return len(self._nodes.order) + len(self._nodes.lost) if self._nodes else 0

    @property
    def total(self) -> int:
        """The same without the filter."""
        return len(self._shown.sorted) + len(self._shown.facts.lost) if self._shown else 0

    @property
    def nodes(self) -> Nodes | None:
        """What is shown, by the numbers that indexes carry."""
        return self._nodes

    def term_at(self, index: AnyIndex) -> str:
        """The filter that asks for what the cell says; empty where there is none."""
        return self._cells.term(index.internalId(), index.column()) if self._cells and index.isValid() else ""

    def index_known(self, digest: str, entry_position: int | None = None) -> QModelIndex:
        """Where a digest is shown; invalid also where it is further down than a view knows."""
        return self.index_at(self._nodes.find(digest, entry_position)) if self._nodes else QModelIndex()

    def index_of(self, digest: str, entry_position: int | None = None) -> QModelIndex:
        """Where a digest is shown: at the entry if that leads there, else at the first; invalid where it is not."""
        if self._nodes is None:
            return QModelIndex()
        node = self._nodes.find(digest, entry_position)
        if node == ROOT:
            return QModelIndex()
        top = self._nodes.top(node)
        if top != self._nodes.group:
            self._show_up_to(self._nodes.place(top))
        return self.index_at(node)

    def index_at(self, node: int) -> QModelIndex:
        """The index of a node's first cell; invalid where no view knows it."""
        nodes = self._nodes
        if nodes is None or node == ROOT or (place := nodes.place(node)) < 0:
            return QModelIndex()
        top = nodes.top(node)
        if top == nodes.group:
            return self.createIndex(self._exposed if node == top else place, 0, node) if nodes.lost else QModelIndex()
        return self.createIndex(place, 0, node) if 0 <= nodes.place(top) < self._exposed else QModelIndex()

    def follow(self, node: int) -> int:
        """While ``arranged`` is told: the number that a node has now; ``ROOT`` where it is gone."""
        return self._follower.find(node) if self._follower else ROOT

    def words(self, key: str) -> Sequence[str]:
        """Words of the store that may follow ``key`` in a filter; none where it takes long to find them."""
        if self._shown is None or len(self._shown.facts.tops) > AT_ONCE:
            return ()
        facts = self._shown.facts
        if key == "tag":
            return sorted({tag_of(name) for names in facts.entry_names for name in names.split("\n") if name})
        return sorted(set(facts.platforms.words)) if key == "platform" else ()

    def hides(self, digest: str, entry_position: int | None = None) -> bool:
        """Whether a digest would be shown without the filter."""
        if self._shown is None:
            return False
        facts = self._shown.facts
        return Nodes(facts, self._shown.sorted, facts.lost.tolist()).find(digest, entry_position) != ROOT

    def find_typed(self, typed: str, after: int) -> int:
        """The first row at the top from ``after`` on, and round again, that begins with what was typed; -1 for none.

        A name begins at its repository or at its tag, a digest with or without its algorithm.
        """
        nodes = self._nodes
        if nodes is None:
            return -1
        typed, entries = typed.casefold(), nodes.snapshot.entries
        digests = begin_with(nodes.snapshot.columns, typed, Progress())
        order: list[int] = nodes.order.tolist()
        after = after if after < len(order) else 0
        for place in itertools.chain(range(after, len(order)), range(after)):
            entry = entries[order[place]]
            for name in entry.names:
                folded = name.casefold()
                if typed in folded and (folded.startswith(typed) or tag_of(folded).startswith(typed)):
                    return self._show_up_to(place)
            if not entry.names and entry.row >= 0 and digests[entry.row]:
                return self._show_up_to(place)
        return -1

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        if self._nodes is None or parent.column() > 0:
            return 0
        if not parent.isValid():
            return self._exposed + bool(self._nodes.lost)
        return self._nodes.children(parent.internalId()).size

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.column() > 0 else len(TITLES)

    def hasChildren(self, parent: AnyIndex = _NOBODY) -> bool:
        if self._nodes is None or parent.column() > 0:
            return False
        return self._nodes.has_children(parent.internalId()) if parent.isValid() else self.rowCount() > 0

    def index(self, row: int, column: int, parent: AnyIndex = _NOBODY) -> QModelIndex:
        nodes = self._nodes
        if nodes is None or row < 0 or not 0 <= column < len(TITLES) or parent.column() > 0:
            return QModelIndex()
        if not parent.isValid():
            if row < self._exposed:
                return self.createIndex(row, column, int(nodes.order[row]))
            return self.createIndex(row, column, nodes.group) if row == self._exposed and nodes.lost else QModelIndex()
        first, count = nodes.children(parent.internalId())
        return self.createIndex(row, column, first + row) if row < count else QModelIndex()

    @overload
    def parent(self) -> QObject | None: ...
    @overload
    def parent(self, index: AnyIndex) -> QModelIndex: ...
    def parent(self, index: AnyIndex | None = None) -> QObject | QModelIndex | None:
        if index is None:
            return QObject.parent(self)
        if self._nodes is None or not index.isValid():
            return QModelIndex()
        return self.index_at(self._nodes.parent(index.internalId()))

    def show_more(self) -> None:
        """Let the views know further entries.

        Not by Qt's ``fetchMore``: a tree view calls that for each layout of its rows, until it knows them all.
        """
        if self._nodes is None or self._exposed >= len(self._nodes.order):
            return
        more = min(max(AT_FIRST, 2 * self._exposed), len(self._nodes.order))
        self.beginInsertRows(QModelIndex(), self._exposed, more - 1)
        self._exposed = more
        self.endInsertRows()

    def _show_up_to(self, place: int) -> int:
        """Let the views know the entry at a place; returns the place."""
        while place >= self._exposed:
            self.show_more()
        return place

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(TITLES):
            return None
        if role == DISPLAY:
            return TITLES[section]
        return RIGHT if role == ALIGNMENT and section == Column.SIZE else None

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        cells = self._cells
        if cells is None or not index.isValid():
            return None
        node, column = index.internalId(), index.column()
        if role == DISPLAY:
            return cells.text(node, column)
        if role == ICON:
            return cells.icon(node, column)
        if role == COLOUR:
            return self._look.states[cells.state(node)] if column == Column.STATE else None
        if role == FONT:
            return self._look.numbers if column == Column.SIZE else None
        if role == ALIGNMENT:
            return RIGHT if column == Column.SIZE else None
        if role == TOOLTIP:
            return text.tooltip(cells.explanation(node, column))
        return cells.spoken(node, column) if role == ACCESSIBLE else None

    # ------------------------------------------------------------------------------------------------ arranging

    def _arrange(self, wish: Wish, progress: Progress) -> _Arranged:
        """Sort and filter, on a worker perhaps; what is known of the same snapshot is not worked out again."""
        before = self._shown
        same = before is not None and before.wish.snapshot is wish.snapshot
        facts = before.facts if before is not None and same else Facts(wish.snapshot)
        facts.prepare()
        if before is not None and before.wish.same_order(wish) and wish.column != Column.STATE:
            ordered = before.sorted
        else:
            ordered = _sorted(wish, facts, progress)
        order, lost = ordered, facts.lost
        if wish.query.terms:
            left = Matcher(facts, wish.states, wish.worst, progress).tops(wish.query)
            order, lost = ordered[left[ordered]], lost[left[facts.entry_count :]]
        return _Arranged(wish, facts, order, lost.tolist(), ordered)

    def _adopt(self, arranged: _Arranged | None) -> None:
        before, after, asked = self._nodes, None, self.asked
        if arranged is not None:
            same = before is not None and before.facts is arranged.facts
            after = Nodes(arranged.facts, arranged.order, arranged.lost, before if same else None)
        self.rearranging.emit()
        with rows_move(self):
            indexes = self.persistentIndexList()
            self._follower = follower = Follower(before, after) if before and after else None
            followed = [follower.find(index.internalId()) if follower else ROOT for index in indexes]
            self._shown, self._nodes = arranged, after
            self._cells = ImageCells(after) if after else None
            if self._cells is not None:
                self._cells.set_states(self._arranger.states, self._arranger.worst)
            self._exposed = self._expose(followed, anew=asked != self.asked)
            moved = []
            for index, node in zip(indexes, followed, strict=True):
                there = self.index_at(node)
                moved.append(there.siblingAtColumn(index.column()) if there.isValid() else there)
            self.changePersistentIndexList(indexes, moved)
        self.arranged.emit()
        self._follower = None  # it holds the older snapshot

    def _expose(self, followed: list[int], *, anew: bool) -> int:
        """How many entries the views get to know: as many as before, and all that are selected or open.

        Where somebody has asked for other rows they begin ``anew``, and what would be far down is let go.
        """
        if self._nodes is None:
            return 0
        tops = [self._nodes.top(node) for node in followed if node != ROOT]
        places = [self._nodes.place(node) for node in tops if node != self._nodes.group]
        before = 0 if anew else self._exposed
        reached = [place + 1 for place in places if place < MOST_ABOVE or not anew]
        return min(len(self._nodes.order), max(AT_FIRST, before, *reached))


def _sorted(wish: Wish, facts: Facts, progress: Progress) -> Order:
    """The index entries at the top in the order that was asked for; equal ones as the index has them."""
    shown = np.flatnonzero(facts.at_top).astype(np.int32)
    if wish.column < 0:
        return shown
    keys = _keys(wish, facts, progress)
    return shown[order_by(keys[shown], descending=wish.descending)]


def _keys(wish: Wish, facts: Facts, progress: Progress) -> NDArray[Any]:
    """What to sort the index entries by."""
    snapshot, rows = wish.snapshot, facts.tops[: facts.entry_count]
    if wish.column == Column.NAME:
        # Names first, digests of the nameless after them.
        names = (", ".join(entry.names) or f"\U0010ffff{entry.descriptor.digest}" for entry in snapshot.entries)
        return ranks(sliced(names, progress))
    if wish.column == Column.PLATFORM:
        platforms = (snapshot.platform(entry.row, entry.descriptor) for entry in snapshot.entries)
        return ranks(sliced(platforms, progress))
    if wish.column == Column.SIZE:
        return facts.totals(rows, progress)
    of_rows: NDArray[Any]
    if wish.column == Column.KIND:
        of_rows = ranks(text.KINDS[kind].word for kind in Kind).astype(np.uint8)[snapshot.columns.kinds]
    else:
        of_rows = facts.rolled(wish.states, wish.worst)
    return np.append(of_rows, np.zeros(1, of_rows.dtype))[rows]
