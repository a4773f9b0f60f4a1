"""The headers of a file as a tree: parts, below each its fields, which are read when somebody looks at them."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QModelIndex, QObject

from engine.headers import Field, FieldKind, Part
from gui import text
from gui.models.look import ACCESSIBLE, ALIGNMENT, COLOUR, DISPLAY, FONT, RIGHT, TOOLTIP, AnyIndex, Look
from gui.models.two_levels import TwoLevels

_NOBODY = QModelIndex()
_MOST_KEPT = 400
"""Parts whose fields are kept; those of others are read from their headers again."""


class Column(IntEnum):
    """The columns of the tree."""

    NAME = 0
    VALUE = 1
    OFFSET = 2


class HeaderTree(TwoLevels):
    """The parts that were found so far, in their order; they follow each other without a gap."""

    TITLES = ("Header", "What it says", "Offset")
    NUMBERS = frozenset({Column.OFFSET})

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self._parts: list[Part] = []
        self._starts: list[int] = []
        self._fields: OrderedDict[int, list[Field]] = OrderedDict()

    def clear(self) -> None:
        """Show nothing; more may come."""
        self.beginResetModel()
        self._parts, self._starts = [], []
        self._fields.clear()
        self.endResetModel()

    def add(self, parts: Sequence[Part]) -> None:
        """Show further parts, which begin where the last one ends."""
        if parts:
            first = len(self._parts)
            self.beginInsertRows(QModelIndex(), first, first + len(parts) - 1)
            self._parts += parts
            self._starts += [part.start for part in parts]
            self.endInsertRows()

    # ------------------------------------------------------------------------------------------- what is where

    @property
    def covered(self) -> int:
        """Bytes from the beginning on that are told."""
        return self._parts[-1].end if self._parts else 0

    def part_at(self, row: int) -> Part:
        return self._parts[row]

    def fields_of(self, row: int) -> list[Field]:
        """The fields of a part."""
        if row in self._fields:
            self._fields.move_to_end(row)
        else:
            self._fields[row] = self._parts[row].fields
            if len(self._fields) > _MOST_KEPT:
                self._fields.popitem(last=False)
        return self._fields[row]

    def row_with(self, offset: int) -> int:
        """The part that a byte belongs to; -1 where it is not told yet."""
        return bisect_right(self._starts, offset) - 1 if 0 <= offset < self.covered else -1

    def rows_between(self, start: int, end: int) -> range:
        """The parts that some of these bytes belong to."""
        end = min(end, self.covered)
        return range(max(0, self.row_with(start)), bisect_right(self._starts, end - 1)) if start < end else range(0)

    def field_with(self, offset: int) -> tuple[int, int]:
        """The part and the field that a byte belongs to, by their rows; (-1, -1) where it is not told yet."""
        row = self.row_with(offset)
        if row < 0:
            return -1, -1
        fields = self.fields_of(row)
        return row, next((number for number, field in enumerate(fields) if field.start <= offset < field.end), -1)

    def index_of(self, row: int, below: int) -> QModelIndex:
        """The index of a field, or with -1 of the part itself."""
        part = self.index(row, 0)
        return self.index(below, 0, part) if below >= 0 else part

    def place_of(self, index: AnyIndex) -> tuple[int, int] | None:
        """Where the bytes of a row begin and end; None for no row."""
        top, below = self.places(index)
        if top < 0:
            return None
        found = self.fields_of(top)[below] if below >= 0 else self._parts[top]
        return found.start, found.end

    # --------------------------------------------------------------------------------------- of the two levels

    def count(self) -> int:
        return len(self._parts)

    def count_below(self, row: int) -> int:
        return len(self.fields_of(row))

    def number_of(self, row: int) -> int:
        return row + 1

    def row_of(self, number: int) -> int:
        return number - 1 if 0 < number <= len(self._parts) else -1

    # --------------------------------------------------------------------------------------- overrides of Qt

    def hasChildren(self, parent: AnyIndex = _NOBODY) -> bool:
        """Every part has fields, which need not be read to know that."""
        if not parent.isValid():
            return bool(self._parts)
        return not parent.internalId() and not parent.column()

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        top, below = self.places(index)
        if top < 0:
            return None
        column = index.column()
        if role == DISPLAY:
            return self._text(top, below, column)
        if role == FONT:
            if column == Column.OFFSET:
                return self._look.fixed
            return self._look.strong if below < 0 and column == Column.NAME else None
        if role == ALIGNMENT:
            return RIGHT if column == Column.OFFSET else None
        if role == COLOUR:
            return self._look.muted if below >= 0 and self.fields_of(top)[below].kind is not FieldKind.HEADER else None
        if role == TOOLTIP:
            return text.tooltip(self._explanation(top, below, column))
        return self._spoken(top, below, column) if role == ACCESSIBLE else None

    def _text(self, top: int, below: int, column: int) -> str:
        found = self.fields_of(top)[below] if below >= 0 else self._parts[top]
        if column == Column.OFFSET:
            return f"{found.start:#x}"
        if isinstance(found, Part):
            return found.what if column == Column.NAME else found.subject or text.size(found.end - found.start)
        return found.name if column == Column.NAME else found.value

    def _explanation(self, top: int, below: int, column: int) -> str:
        found = self.fields_of(top)[below] if below >= 0 else self._parts[top]
        where = f"{found.start:#x} to {found.end - 1:#x}: {text.exact_size(found.end - found.start)}"
        if column == Column.OFFSET or isinstance(found, Part):
            return f"{found.title}\n{where}" if isinstance(found, Part) else where
        return "\n".join(words for words in (f"{found.name}: {found.value}", found.meaning, where) if words)

    def _spoken(self, top: int, below: int, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        said = self._text(top, below, column)
        if column != Column.NAME:
            return f"{self.TITLES[column]}: {said}" if said else ""
        if below < 0:
            return f"{self._parts[top].title}, at {self._parts[top].start:#x}"
        field = self.fields_of(top)[below]
        return ", ".join(words for words in (field.name, field.value, f"at {field.start:#x}") if words)
