"""The relations of one row as a table with three sections, each under a title.

Rows are worked out when they are painted: a layer may have a hundred thousand images.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QFont, QIcon

from engine.columns import Rows
from engine.digest import shorten
from engine.document import Role
from engine.kinds import attached_to
from engine.snapshot import Entry, Snapshot
from gui import icons, text
from gui.models import look
from gui.models.look import AnyIndex, Look
from gui.panels import naming
from gui.panels.standing import Standing, standing
from gui.session import Selection
from gui.theme import Role as Ink

WHAT, SIZE, STATE = range(3)
_TITLES = ("What", "Size", "State")

_NOBODY = QModelIndex()


class Item(NamedTuple):
    """One relation: an index entry, or a reference between rows (a position in the snapshot's edges)."""

    entry: Entry | None = None
    edge: int = -1


class Section(NamedTuple):
    """A list of relations under a title; ``outwards`` where they lead away from what is selected."""

    title: str
    nothing: str
    outwards: bool
    entries: Sequence[Entry]
    edges: Rows

    def __len__(self) -> int:
        return len(self.entries) + len(self.edges)

    def item(self, number: int) -> Item:
        if number < len(self.entries):
            return Item(self.entries[number])
        return Item(edge=int(self.edges[number - len(self.entries)]))


class Cells(NamedTuple):
    """What one row of the table shows, and where it leads."""

    what: str
    tip: str
    icon: QIcon
    size: int
    row: int
    digest: str
    entry_position: int | None


class RelationsModel(QAbstractTableModel):
    """The relations of one row of a snapshot, in sections; each begins with a row for its title."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self._selection: Selection | None = None
        self._snapshot: Snapshot | None = None
        self.sections: list[Section] = []
        self._starts: list[int] = []
        self._count = 0
        self._cells: dict[int, Cells] = {}
        self._standings: dict[int, Standing] = {}

    def show(self, selection: Selection | None) -> None:
        """Show the relations of something else."""
        self.beginResetModel()
        self._selection = selection
        self._snapshot = selection.session.snapshot if selection else None
        self.sections = []
        if selection is not None and self._snapshot is not None:
            row = self._snapshot.find(selection.digest)
            self.sections = _sections(self._snapshot, row) if row >= 0 else []
        self._starts, self._count = [], 0
        for section in self.sections:
            self._starts.append(self._count)
            self._count += 1 + max(1, len(section))
        self._cells.clear()
        self._standings.clear()
        self.endResetModel()

    def refresh_states(self) -> None:
        """States are different now."""
        self._standings.clear()
        if self._count:
            top, bottom = self.index(0, STATE), self.index(self._count - 1, STATE)
            self.dataChanged.emit(top, bottom, look.STATE_ROLES)

    @property
    def title_rows(self) -> Sequence[int]:
        """The rows that hold the titles of sections."""
        return tuple(self._starts)

    def target(self, row: int) -> Selection | None:
        """Where a row of the table leads; None for titles."""
        cells = self._cells_of(row)
        if cells is None or self._selection is None or not cells.digest:
            return None
        return Selection(self._selection.session, cells.digest, cells.entry_position)

    # --------------------------------------------------------------------------------------- overrides of Qt

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else 3

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if self._cells_of(index.row()) is None:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = look.DISPLAY) -> Any:
        if role == look.DISPLAY and orientation == Qt.Orientation.Horizontal:
            return _TITLES[section]
        return None

    def data(self, index: AnyIndex, role: int = look.DISPLAY) -> Any:
        if not index.isValid() or self._selection is None:
            return None
        cells = self._cells_of(index.row())
        if cells is None:
            return self._title_data(index, role)
        if role == look.ACCESSIBLE and index.column() != WHAT:
            return f"{_TITLES[index.column()]}: {self.data(index) or ''}"
        if index.column() == WHAT:
            return self._what_data(cells, role)
        if index.column() == SIZE:
            return self._size_data(cells, role)
        return self._state_data(cells, role)

    def _title_data(self, index: AnyIndex, role: int) -> Any:
        section, number = self._place(index.row())
        if index.column() != WHAT and role != look.ACCESSIBLE:
            return None  # the first cell spans all
        if role in (look.DISPLAY, look.ACCESSIBLE):
            count = f"  {text.number(len(section))}" if len(section) else ""
            return section.nothing if number >= 0 else f"{section.title}{count}"
        if role == look.FONT and number < 0:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        if role == look.ALIGNMENT and number < 0:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        return self._look.muted if role == look.COLOUR and number >= 0 else None

    def _what_data(self, cells: Cells, role: int) -> Any:
        if role == look.DISPLAY:
            return cells.what
        if role == look.ICON:
            return cells.icon
        if role == look.TOOLTIP:
            return text.tooltip(cells.tip)
        if role == look.ACCESSIBLE:
            found = self._standing(cells)
            return ", ".join((cells.what, text.size(cells.size), found.words)) if found else cells.what
        return None

    def _size_data(self, cells: Cells, role: int) -> Any:
        if role == look.DISPLAY:
            return text.size(cells.size) if cells.size >= 0 else ""
        if role == look.ALIGNMENT:
            return look.RIGHT
        if role == look.FONT:
            return self._look.numbers
        return text.tooltip(text.exact_size(cells.size)) if role == look.TOOLTIP else None

    def _state_data(self, cells: Cells, role: int) -> Any:
        found = self._standing(cells)
        if found is None:
            return None
        if role == look.DISPLAY:
            return found.words
        if role == look.ICON:
            return icons.state_icon(found.state)
        if role == look.COLOUR:
            return self._look.states[found.state]
        return text.tooltip(text.STATES[found.state].sentence) if role == look.TOOLTIP else None

    def _standing(self, cells: Cells) -> Standing | None:
        """How a row stands now; None for an index entry, which has no content of its own."""
        if cells.row < 0 or self._selection is None:
            return None
        if cells.row not in self._standings:
            self._standings[cells.row] = standing(self._selection.session, cells.row)
        return self._standings[cells.row]

    # --------------------------------------------------------------------------------------------------- rows

    def _place(self, row: int) -> tuple[Section, int]:
        """The section that a row of the table is in, and which of its relations it is; -1 for its title."""
        at = max(n for n, start in enumerate(self._starts) if start <= row)
        return self.sections[at], row - self._starts[at] - 1

    def _cells_of(self, row: int) -> Cells | None:
        """What a row shows; None for titles, and for the line that says that there is nothing."""
        if not 0 <= row < self._count:
            return None
        if row not in self._cells:
            section, number = self._place(row)
            if not 0 <= number < len(section):
                return None
            self._cells[row] = self._make_cells(section, section.item(number))
        return self._cells[row]

    def _make_cells(self, section: Section, item: Item) -> Cells:
        snapshot = self._snapshot
        assert snapshot is not None
        if item.entry is not None:
            what = f"{naming.entry_name(item.entry)}{text.SEPARATOR}index entry {item.entry.position + 1}"
            return Cells(
                what, what, icons.icon("tag", Ink.MUTED), -1, -1, item.entry.descriptor.digest, item.entry.position
            )
        source = naming.source_of(snapshot, item.edge)
        target = naming.target_of(snapshot, item.edge)
        row = target.row if section.outwards else source.row
        digest = snapshot.name(row)
        what = _outwards(snapshot, source, target) if section.outwards else _inwards(snapshot, source, target)
        size = int(snapshot.columns.sizes[row])
        if size < 0 and section.outwards:
            size = naming.descriptor_of(snapshot, item.edge).size
        position = self._selection.entry_position if section.outwards and self._selection else None
        kind = naming.kind_of(snapshot, row)
        return Cells(what, f"{what}\n{digest}", icons.kind_icon(kind), size, row, digest, position)


def _sections(snapshot: Snapshot, row: int) -> list[Section]:
    edges = snapshot.edges
    inwards, outwards = snapshot.edges_to(row), snapshot.edges_from(row)
    belongs = (edges.roles[inwards] == Role.SUBJECT) | (edges.roles[inwards] == Role.ATTACHED)
    # One referrer may name its subject twice, in its document and by its tag.
    referrers = inwards[belongs]
    _, first = np.unique(edges.sources[referrers], return_index=True)
    return [
        Section("Referred to by", "Nothing refers to it.", False, snapshot.entries_of(row), inwards[~belongs]),
        Section("Refers to", "It refers to nothing.", True, (), outwards),
        Section("Referrers", "No signature, attestation or SBOM belongs to it.", False, (), referrers[np.sort(first)]),
    ]


def _inwards(snapshot: Snapshot, source: naming.Edge, target: naming.Edge) -> str:
    kind = text.KINDS[naming.kind_of(snapshot, source.row)].word
    name = naming.row_name(snapshot, source.row)
    what = name if name.startswith(kind) else f"{kind} {name}"
    if source.role in (Role.SUBJECT, Role.ATTACHED):
        return f"{kind} {shorten(snapshot.name(source.row))}{text.SEPARATOR}{_how_known(snapshot, source, target)}"
    if source.role == Role.PARENT:
        return f"{what}{text.SEPARATOR}built on it"
    if source.role == Role.LAYER:
        return f"{what}{text.SEPARATOR}as {naming.part_name(snapshot, source, target.row)}"
    return what


def _outwards(snapshot: Snapshot, source: naming.Edge, target: naming.Edge) -> str:
    digest = shorten(snapshot.name(target.row))
    if naming.is_part(source.role):
        part = naming.part_name(snapshot, source, target.row)
        kind = text.KINDS[snapshot.kind(target.row)].word
        is_platform = source.role == Role.MANIFEST and part != kind
        return f"{kind} {part}  {digest}" if is_platform else f"{part}  {digest}"
    word = {Role.SUBJECT: "subject", Role.PARENT: "built on"}.get(source.role, "belongs to")
    return f"{word}{text.SEPARATOR}{naming.row_name(snapshot, target.row)}"


def _how_known(snapshot: Snapshot, source: naming.Edge, target: naming.Edge) -> str:
    """What says that the source belongs to the target."""
    if source.role == Role.SUBJECT:
        return "by its subject field"
    digest = snapshot.name(target.row)
    for entry in snapshot.entries_of(source.row):
        if attached_to(entry.descriptor) == digest:
            return (
                "by its tag"
                if entry.descriptor.name and digest.partition(":")[2] in entry.descriptor.name
                else "by an annotation"
            )
    return "by an annotation"
