"""The trash of a store as a tree: what was removed, the newest first, below each the blobs that it holds."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QModelIndex, QObject

from engine.digest import shorten
from engine.trash import Record, TrashedBlob
from gui import icons, text
from gui.models.arranging import rows_move
from gui.models.look import ACCESSIBLE, ALIGNMENT, DISPLAY, FONT, ICON, RIGHT, TOOLTIP, AnyIndex, Look
from gui.models.two_levels import TwoLevels
from gui.theme import Role

_MOST_BLOBS = 1000
"""Blobs that are listed of a record; the view lays each of them out when it is opened."""
_MOST_NAMES = 10
"""Names of index entries that a tooltip tells."""


class Column(IntEnum):
    """The columns of the tree."""

    WHAT = 0
    WHEN = 1
    BLOBS = 2
    SIZE = 3


class TrashTree(TwoLevels):
    """The records of a trash; newer ones keep what is selected and open."""

    TITLES = ("What was removed", "When", "Blobs", "Size")
    NUMBERS = frozenset({Column.BLOBS, Column.SIZE})

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self._records: Sequence[Record] = ()
        self._numbers: dict[str, int] = {}
        """Records by the numbers that the indexes of their blobs carry; they stay for good."""
        self._rows: dict[int, int] = {}

    def set_records(self, records: Sequence[Record]) -> None:
        """Show these."""
        if records == self._records:
            return
        with rows_move(self):
            indexes = self.persistentIndexList()
            held = [self.record_at(index) for index in indexes]
            self._records = records
            for record in records:
                self._numbers.setdefault(record.id, len(self._numbers) + 1)
            self._rows = {self._numbers[record.id]: row for row, record in enumerate(records)}
            moved = [self._follow(index, record) for index, record in zip(indexes, held, strict=True)]
            self.changePersistentIndexList(indexes, moved)

    def record_at(self, index: AnyIndex) -> Record | None:
        """The record of a row, or that its blob belongs to."""
        top, _ = self.places(index)
        return self._records[top] if top >= 0 else None

    def blob_at(self, index: AnyIndex) -> TrashedBlob | None:
        """The blob of a row; None for that of a record."""
        top, below = self.places(index)
        return self._records[top].blobs[below] if below >= 0 else None

    def index_of(self, record_id: str) -> QModelIndex:
        """Where a record stands; invalid where it is not there."""
        row = self.row_of(self._numbers.get(record_id, 0))
        return self.createIndex(row, 0, 0) if row >= 0 else QModelIndex()

    def count(self) -> int:
        return len(self._records)

    def count_below(self, row: int) -> int:
        return min(len(self._records[row].blobs), _MOST_BLOBS)

    def number_of(self, row: int) -> int:
        return self._numbers[self._records[row].id]

    def row_of(self, number: int) -> int:
        return self._rows.get(number, -1)

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        record, blob, column = self.record_at(index), self.blob_at(index), index.column()
        if record is None:
            return None
        if role == DISPLAY:
            return _record_text(record, column) if blob is None else _blob_text(blob, column)
        if role == ICON:
            return _icon(record, blob) if column == Column.WHAT else None
        if role == FONT:
            if column in self.NUMBERS:
                return self._look.numbers
            return self._look.fixed if blob is not None and column == Column.WHAT else None
        if role == ALIGNMENT:
            return RIGHT if column in self.NUMBERS else None
        if role == TOOLTIP:
            return text.tooltip(_explanation(record, blob, column))
        return _spoken(record, blob, column) if role == ACCESSIBLE else None

    def _follow(self, index: QModelIndex, record: Record | None) -> QModelIndex:
        """Where a row stands now; invalid where it is gone."""
        row = self.row_of(self._numbers.get(record.id, 0)) if record is not None else -1
        if row < 0:
            return QModelIndex()
        if not index.internalId():
            return self.createIndex(row, index.column(), 0)
        if index.row() < self.count_below(row):
            return self.createIndex(index.row(), index.column(), index.internalId())
        return QModelIndex()


def title_of(record: Record) -> str:
    """What was done, as a person says it, with what is odd about it."""
    title = text.plain(record.title)
    if record.kind == "aside":
        return f"{title} (kept aside)"
    return title if record.complete else f"{title} (not finished)"


def _record_text(record: Record, column: int) -> str:
    if column == Column.WHAT:
        return title_of(record)
    if column == Column.WHEN:
        return text.ago(record.when)
    return text.number(len(record.blobs)) if column == Column.BLOBS else text.size(record.size)


def _blob_text(blob: TrashedBlob, column: int) -> str:
    if column == Column.WHAT:
        return shorten(blob.digest)
    if column == Column.WHEN:
        return text.KINDS[blob.kind].word
    return text.size(blob.size) if column == Column.SIZE else ""


def _icon(record: Record, blob: TrashedBlob | None) -> Any:
    if blob is not None:
        return icons.kind_icon(blob.kind)
    return icons.icon("keep aside", Role.WARNING) if record.kind == "aside" else icons.icon("delete", Role.MUTED)


def _explanation(record: Record, blob: TrashedBlob | None, column: int) -> str:
    if column == Column.SIZE:
        return text.exact_size(record.size if blob is None else blob.size)
    if blob is not None:
        return blob.digest if column == Column.WHAT else text.KINDS[blob.kind].sentence
    if column == Column.WHEN:
        return text.moment(record.when)
    lines = [title_of(record), *record.entries[:_MOST_NAMES]]
    if len(record.entries) > _MOST_NAMES:
        lines.append(f"… and {text.number(len(record.entries) - _MOST_NAMES)} more")
    if record.kind == "aside":
        lines.append("It stays when the trash is emptied, until it is chosen and deleted.")
    elif not record.complete:
        lines.append("The program that did this ended in the middle of it. What is here can be restored.")
    return "\n".join(lines)


def _spoken(record: Record, blob: TrashedBlob | None, column: int) -> str:
    """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
    said = _record_text(record, column) if blob is None else _blob_text(blob, column)
    if column != Column.WHAT:
        return f"{TrashTree.TITLES[column]}: {said}" if said else ""
    if blob is not None:
        return f"{text.KINDS[blob.kind].word} {said}, {text.size(blob.size)}"
    return f"{said}, {text.ago(record.when)}, {text.count(len(record.blobs), 'blob')}, {text.size(record.size)}"
