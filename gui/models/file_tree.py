"""The files of an image as a tree: what is there at one of its layers, and what that layer did.

A row is a node of the engine's tree of paths, a number. Of a folder the children are put in order when somebody opens
it, so a tree of half a million paths costs what is looked at of it.
"""

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal, Slot

from engine.filesystem import Change, FileSystem, View
from engine.pathpattern import PathPattern, matching
from engine.pathtree import ROOT, Nodes
from engine.progress import Progress
from engine.tarheader import DIRECTORY
from gui import icons, text, theme
from gui.jobs import JobRunner
from gui.models.arranging import Latest, Order, order_by, rows_move
from gui.models.file_cells import CHANGES, TITLES, Cells, Column, cells_of, path_of
from gui.models.look import ACCESSIBLE, ALIGNMENT, COLOUR, DISPLAY, FONT, ICON, RIGHT, TOOLTIP, AnyIndex, Look
from gui.theme import Role

MOST_ROWS = 2000
"""Rows that a folder shows: Qt lays out all of them when it is opened. One more row tells of the rest."""
_NUMBERS = (Column.SIZE, Column.LAYER)
_NOBODY = QModelIndex()
_MOST_CELLS = 10_000
"""Rows whose words are kept ready."""


@dataclass(frozen=True)
class Wish:
    """What to see of an image: at which layer, only what that layer does or all, which changes, which paths."""

    files: FileSystem
    layer: int
    only: bool = False
    changes: frozenset[Change] = frozenset(CHANGES)
    words: str = ""
    alone: bool = False
    """Whether the layer is looked at by itself, and nothing is known of those below it."""


@dataclass(frozen=True, eq=False)
class _Arranged:
    """A wish come true: what is there, which nodes are shown, and what the filter alone leaves."""

    wish: Wish
    view: View
    shown: NDArray[np.bool_]
    matching: NDArray[np.bool_] | None
    found: int
    """Paths that are shown for their own sake, and not because they lead to one."""

    def cells_of(self, node: int) -> Cells:
        return cells_of(self.wish.files, self.view, node, alone=self.wish.alone)


class FileTree(QAbstractItemModel):
    """The paths at one layer; another layer or filter of the same image keeps what is open and selected."""

    rearranging = Signal()
    """Other rows are on their way."""
    arranged = Signal()
    """The rows are those that were asked for."""

    def __init__(self, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._latest = Latest(self, runner)
        self._look = Look(self)
        self._wished: Wish | None = None
        self._shown: _Arranged | None = None
        self._column, self._descending = int(Column.NAME), False
        self._children: dict[int, tuple[list[int], int]] = {}
        """The rows of each folder that was opened, and how many there would be without the limit."""
        self._places: Nodes = np.empty(0, np.int32)
        self._cells: dict[int, Cells] = {}
        theme.current().changed.connect(self._colour_again)

    # ------------------------------------------------------------------------------------------ what is wanted

    def show(self, wish: Wish | None) -> None:
        """Show something else, or nothing."""
        if wish == self._wished:
            return
        self._wished = wish
        if wish is None:
            self._latest.drop()
            self._adopt(None)
            return
        before = self._shown
        if before is None or before.wish.files is not wish.files:
            before = None
        self.rearranging.emit()
        self._latest.run(len(wish.files), lambda progress: _arrange(wish, before, progress), self._adopt)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column, self._descending = column, order is Qt.SortOrder.DescendingOrder
        self._move(self._shown)

    # ------------------------------------------------------------------------------------------- what is shown

    @property
    def busy(self) -> bool:
        """Whether other rows are on their way."""
        return self._latest.busy

    @property
    def wish(self) -> Wish | None:
        """What is shown."""
        return self._shown.wish if self._shown else None

    @property
    def view(self) -> View | None:
        """What is there at the layer that is shown."""
        return self._shown.view if self._shown else None

    @property
    def found(self) -> int:
        """How many paths are shown for their own sake."""
        return self._shown.found if self._shown else 0

    @property
    def shown(self) -> NDArray[np.bool_] | None:
        """Which nodes are shown."""
        return self._shown.shown if self._shown else None

    def path_at(self, index: AnyIndex) -> str:
        """The path of a row, fit to show; empty for what is no path."""
        node = self.node_at(index)
        return path_of(self._shown.wish.files, node) if self._shown and node > ROOT else ""

    def facts_at(self, index: AnyIndex) -> str:
        """All that is known of a row's path, in one line; empty for what is no path."""
        node = self.node_at(index)
        return self._cells_of(node).facts if node > ROOT else ""

    def tell(self, node: int) -> tuple[str, str]:
        """The path of a node and all that is known of it; empty for what is no path."""
        if self._shown is None or node <= ROOT:
            return "", ""
        return path_of(self._shown.wish.files, node), self._cells_of(node).facts

    def node_at(self, index: AnyIndex) -> int:
        """The node of a row; -1 for the row that tells of the rest, and for what is not there."""
        if not index.isValid() or self._shown is None or index.internalId() >= len(self._places):
            return -1
        return int(index.internalId())

    def index_of(self, node: int) -> QModelIndex:
        """Where a node is shown; invalid where it is not."""
        if self._shown is None or not ROOT < node < len(self._places) or not self._shown.shown[node]:
            return QModelIndex()
        place = self._place(node)
        return self.createIndex(place, 0, node) if place < MOST_ROWS else QModelIndex()

    def index_of_path(self, path: bytes) -> QModelIndex:
        """Where a path is shown, or the nearest folder above it that is; invalid where a folder has no room for it."""
        tree = self._shown.wish.files.tree if self._shown else None
        node = tree.find(path) if tree is not None else -1
        while tree is not None and self._shown is not None and node > ROOT and not self._shown.shown[node]:
            node = int(tree.parents[node])
        way = [node] if node > ROOT else []
        while tree is not None and way and tree.parents[way[-1]] != ROOT:
            way.append(int(tree.parents[way[-1]]))
        has_room = all(self._place(each) < MOST_ROWS for each in way)
        return self.index_of(node) if way and has_room else QModelIndex()

    # --------------------------------------------------------------------------------------- overrides of Qt

    def index(self, row: int, column: int, parent: AnyIndex = _NOBODY) -> QModelIndex:
        if self._shown is None or not 0 <= column < len(TITLES) or row < 0:
            return QModelIndex()
        folder = self._folder(parent)
        if folder < 0:
            return QModelIndex()
        rows, total = self._rows_of(folder)
        if row < len(rows):
            return self.createIndex(row, column, rows[row])
        if row == len(rows) < total:
            return self.createIndex(row, column, len(self._places) + folder)
        return QModelIndex()

    @overload
    def parent(self) -> QObject | None: ...
    @overload
    def parent(self, index: AnyIndex) -> QModelIndex: ...
    def parent(self, index: AnyIndex | None = None) -> QObject | QModelIndex | None:
        if index is None:
            return QObject.parent(self)
        if not index.isValid() or self._shown is None:
            return QModelIndex()
        node = index.internalId()
        count = len(self._places)
        above = node - count if node >= count else int(self._shown.wish.files.tree.parents[node])
        return self.createIndex(self._place(above), 0, above) if above != ROOT else QModelIndex()

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        folder = self._folder(parent)
        if folder < 0:
            return 0
        rows, total = self._rows_of(folder)
        return len(rows) + (total > len(rows))

    def hasChildren(self, parent: AnyIndex = _NOBODY) -> bool:
        folder = self._folder(parent)
        if folder < 0 or self._shown is None:
            return False
        within = self._shown.wish.files.tree.children(folder)
        return bool(self._shown.shown[within.start : within.stop].any())

    def columnCount(self, _parent: AnyIndex = _NOBODY) -> int:
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(TITLES):
            return None
        if role == DISPLAY:
            return TITLES[section]
        if role == TOOLTIP:
            return text.tooltip(_EXPLAINED.get(Column(section), ""))
        return RIGHT if role == ALIGNMENT and section in _NUMBERS else None

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        if not index.isValid() or self._shown is None:
            return None
        node, column = index.internalId(), index.column()
        if node >= len(self._places):
            return self._rest(node - len(self._places), column, role)
        if role == ALIGNMENT:
            return RIGHT if column in _NUMBERS else None
        if role not in _ROLES:
            return None
        return self._tell(self._cells_of(node), column, role)

    # ------------------------------------------------------------------------------------------------- inside

    @Slot()
    def _colour_again(self) -> None:
        self._cells.clear()

    def _cells_of(self, node: int) -> Cells:
        assert self._shown is not None
        cells = self._cells.get(node)
        if cells is None:
            if len(self._cells) > _MOST_CELLS:
                self._cells.clear()
            cells = self._cells[node] = self._shown.cells_of(node)
        return cells

    def _tell(self, cells: Cells, column: int, role: int) -> Any:
        if role == DISPLAY:
            return cells.texts[column]
        if role == FONT:
            return self._font(cells, column)
        if role == COLOUR:
            return self._colour(cells, column)
        if role == ICON:
            return icons.file_icon(cells.kind) if column == Column.NAME else None
        if role == TOOLTIP:
            return text.tooltip(text.exact_size(cells.size) if column == Column.SIZE else cells.tip)
        if column == Column.NAME:
            return cells.spoken
        return f"{TITLES[column]}: {cells.texts[column]}" if cells.texts[column] else ""

    def _font(self, cells: Cells, column: int) -> Any:
        if column == Column.NAME:
            return self._look.struck if cells.change == Change.REMOVED else None
        return self._look.fixed if column in (Column.MODE, Column.OWNER) else self._look.numbers

    def _colour(self, cells: Cells, column: int) -> Any:
        if column == Column.CHANGE:
            return theme.colour(cells.role)
        if column == Column.NAME:
            return theme.colour(Role.MUTED) if cells.change == Change.REMOVED else None
        return None if column == Column.SIZE else self._look.muted

    def _rest(self, folder: int, column: int, role: int) -> Any:
        """What the row says that tells of what a folder has no room for."""
        rows, total = self._rows_of(folder)
        if column == Column.NAME and role in (DISPLAY, ACCESSIBLE):
            return f"and {text.number(total - len(rows))} more: filter to see them"
        return self._look.muted if role == COLOUR else None

    def _folder(self, parent: AnyIndex) -> int:
        """The node whose children are asked for; -1 for what has none."""
        if self._shown is None:
            return -1
        if not parent.isValid():
            return ROOT
        node = parent.internalId()
        return int(node) if not parent.column() and node < len(self._places) else -1

    def _place(self, node: int) -> int:
        """Where a node stands in its folder."""
        assert self._shown is not None
        self._rows_of(int(self._shown.wish.files.tree.parents[node]))
        return int(self._places[node])

    def _rows_of(self, folder: int) -> tuple[list[int], int]:
        """The nodes that a folder shows, in their order, and how many there are."""
        found = self._children.get(folder)
        if found is None:
            assert self._shown is not None
            within = self._shown.wish.files.tree.children(folder)
            nodes = within.start + np.flatnonzero(self._shown.shown[within.start : within.stop]).astype(np.int32)
            nodes = nodes[self._order(nodes)]
            self._places[nodes] = np.arange(len(nodes), dtype=np.int32)
            found = self._children[folder] = nodes[:MOST_ROWS].tolist(), len(nodes)
        return found

    def _order(self, nodes: Nodes) -> Order:
        """The order in which some nodes of one folder stand; they come sorted by their names."""
        assert self._shown is not None
        view, columns = self._shown.view, self._shown.wish.files.columns
        entries = view.entries[nodes]
        is_folder = columns.kinds[entries] == DIRECTORY
        if self._column in (-1, Column.NAME):
            order = np.arange(len(nodes), dtype=np.int32)
            order = order[::-1] if self._descending else order
            return order[np.argsort(~is_folder[order], kind="stable")]  # folders first
        if self._column == Column.SIZE:
            return order_by(
                np.where(is_folder, view.sizes[nodes], view.shown_sizes[nodes]), descending=self._descending
            )
        if self._column == Column.CHANGE:
            return order_by(view.changes[nodes].astype(np.int64), descending=self._descending)
        if self._column == Column.LAYER:
            return order_by(columns.layers(entries), descending=self._descending)
        origins = columns.origins[entries]  # a hard link has the attributes of what it is another name of
        keys = getattr(columns, _KEYS[self._column])[np.where(origins < 0, entries, origins)]
        return order_by(keys.astype(np.int64), descending=self._descending)

    def _adopt(self, arranged: _Arranged | None) -> None:
        before = self._shown
        if arranged is None or before is None or arranged.wish.files is not before.wish.files:
            self.beginResetModel()
            self._forget(arranged)
            self.endResetModel()
            self.arranged.emit()
        else:
            self._move(arranged)

    def _move(self, arranged: _Arranged | None) -> None:
        """Rows of the same image come, go and move: what is open and selected stays so."""
        if arranged is None:
            return
        with rows_move(self):
            held = self.persistentIndexList()
            self._forget(arranged)
            self.changePersistentIndexList(held, [self._follow(index) for index in held])
        self.arranged.emit()

    def _follow(self, index: QModelIndex) -> QModelIndex:
        node = index.internalId()
        found = self.index_of(int(node)) if node < len(self._places) else QModelIndex()
        return found.siblingAtColumn(index.column()) if found.isValid() else found

    def _forget(self, arranged: _Arranged | None) -> None:
        self._shown = arranged
        self._children.clear()
        self._cells.clear()
        count = len(arranged.wish.files) if arranged else 0
        if len(self._places) != count:
            self._places = np.zeros(count, np.int32)


def _arrange(wish: Wish, before: _Arranged | None, progress: Progress) -> _Arranged:
    """Work out what is shown; what the last answer has in common with this one is taken over."""
    files = wish.files
    same_view = before is not None and (before.wish.layer, before.wish.only) == (wish.layer, wish.only)
    view = (
        before.view
        if before is not None and same_view
        else files.view(wish.layer, only=wish.only, unfounded=wish.alone)
    )
    progress.check()
    if before is not None and before.wish.words == wish.words:
        left = before.matching
    else:
        left = matching(files.tree, PathPattern(wish.words), progress) if wish.words else None
    wanted = np.isin(view.changes[1:], [int(change) for change in wish.changes]) & (view.changes[1:] != Change.NONE)
    if left is not None:
        wanted &= left[1:]
    return _Arranged(wish, view, view.shown(wish.changes, left), left, int(np.count_nonzero(wanted)))


_KEYS: dict[int, str] = {Column.MODE: "modes", Column.OWNER: "uids", Column.MODIFIED: "mtimes"}
"""The columns of the engine that some of ours are sorted by."""
_ROLES = frozenset({DISPLAY, FONT, COLOUR, ICON, TOOLTIP, ACCESSIBLE})
_EXPLAINED = {
    Column.CHANGE: "What the layer does to the path; of a folder how much is added, changed and removed in it.",
    Column.SIZE: "Unpacked. Of a folder all that is in it, each file once; of what is removed what it had.",
    Column.LAYER: "The layer that put it there.",
    Column.OWNER: "Number of the user, and of the group.",
}
