"""What trees of two levels have in common: rows at the top, each with rows below it that have none."""

from abc import abstractmethod
from typing import Any, overload

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt

from gui.models.look import ALIGNMENT, DISPLAY, RIGHT, AnyIndex

_NOBODY = QModelIndex()


class TwoLevels(QAbstractItemModel):
    """Says where rows are; what they say is up to others.

    A row at the top has the internal id 0; those below it carry its number, which stays when it moves.
    """

    TITLES: tuple[str, ...] = ()
    NUMBERS: frozenset[int] = frozenset()
    """Columns of numbers, which stand at the right."""

    @abstractmethod
    def count(self) -> int:
        """How many rows are at the top."""

    @abstractmethod
    def count_below(self, row: int) -> int:
        """How many are below one of them."""

    @abstractmethod
    def number_of(self, row: int) -> int:
        """The number, 1 or more, of a row at the top."""

    @abstractmethod
    def row_of(self, number: int) -> int:
        """Where the row with that number stands; -1 where it is gone."""

    def places(self, index: AnyIndex) -> tuple[int, int]:
        """The row at the top and the one below it, -1 for the former itself; (-1, -1) for what is not there."""
        if not index.isValid():
            return -1, -1
        if not index.internalId():
            return (index.row(), -1) if index.row() < self.count() else (-1, -1)
        top = self.row_of(index.internalId())
        return (top, index.row()) if top >= 0 and index.row() < self.count_below(top) else (-1, -1)

    def index(self, row: int, column: int, parent: AnyIndex = _NOBODY) -> QModelIndex:
        if not (0 <= column < len(self.TITLES) and 0 <= row < self.rowCount(parent)):
            return QModelIndex()
        return self.createIndex(row, column, self.number_of(parent.row()) if parent.isValid() else 0)

    @overload
    def parent(self) -> QObject | None: ...
    @overload
    def parent(self, index: AnyIndex) -> QModelIndex: ...
    def parent(self, index: AnyIndex | None = None) -> QObject | QModelIndex | None:
        if index is None:
            return QObject.parent(self)
        row = self.row_of(index.internalId()) if index.isValid() and index.internalId() else -1
        return self.createIndex(row, 0, 0) if row >= 0 else QModelIndex()

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        if not parent.isValid():
            return self.count()
        if parent.internalId() or parent.column() or parent.row() >= self.count():
            return 0
        return self.count_below(parent.row())

    def columnCount(self, _parent: AnyIndex = _NOBODY) -> int:
        return len(self.TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.TITLES):
            return None
        if role == DISPLAY:
            return self.TITLES[section]
        return RIGHT if role == ALIGNMENT and section in self.NUMBERS else None
