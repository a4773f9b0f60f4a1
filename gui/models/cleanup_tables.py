"""What can be cleaned up, to be shown: a list of the bins, and a table of what is in one of them, with ticks."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Slot
from PySide6.QtGui import QIcon

from engine.digest import shorten
from engine.leftovers import Leftover
from engine.removal import PlannedBlob
from engine.snapshot import Kind
from gui import icons, text
from gui.models.arranging import Order, order_by, places_in, ranks, rows_move
from gui.models.cleanup import OFF, ON, SOME, Bin, Choice, Content, Thing
from gui.models.look import ACCESSIBLE, ALIGNMENT, COLOUR, DISPLAY, FONT, ICON, RIGHT, TOOLTIP, AnyIndex, Look
from gui.theme import Role

CHECK = int(Qt.ItemDataRole.CheckStateRole)
_CHECKED = {ON: ", ticked", OFF: ", not ticked", SOME: ", partly ticked", None: ""}
_NOBODY = QModelIndex()

BIN_TITLES = ("What", "Why", "Number", "Size")
_BIN_ABOUT, _BIN_COUNT = 1, 2
_BIN_NUMBERS = (2, 3)
TITLES = ("What", "About", "Size", "Changed")


class Column(IntEnum):
    """The columns of what is in a bin."""

    WHAT = 0
    ABOUT = 1
    SIZE = 2
    AGE = 3


class _Words(NamedTuple):
    title: str
    about: str


_WORDS = {
    Bin.UNUSED: _Words("Unused blobs", "Nothing that is named leads to them"),
    Bin.LOST: _Words("Lost images", "No entry of the index leads to them; they can be added again"),
    Bin.RECENT: _Words("Recent files", "Younger than an hour: a program may be about to name them"),
    Bin.DOUBTFUL: _Words("Doubtful blobs", "Something that cannot be read may need them"),
    Bin.LEFTOVERS: _Words("Leftovers of crashed programs", "They go at once, not to the trash"),
}


class BinList(QAbstractTableModel):
    """The bins."""

    def __init__(self, choice: Choice, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self._choice = choice
        choice.changed.connect(self._tell)

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self._choice.contents)

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(BIN_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(BIN_TITLES):
            return BIN_TITLES[section] if role == DISPLAY else _aligned(role, section in _BIN_NUMBERS)
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        checkable = index.column() == 0 and self._choice.check(index.row()) is not None
        return super().flags(index) | (Qt.ItemFlag.ItemIsUserCheckable if checkable else Qt.ItemFlag.NoItemFlags)

    def setData(self, index: AnyIndex, value: Any, role: int = CHECK) -> bool:
        if role != CHECK or not index.isValid():
            return False
        self._choice.tick(index.row(), slice(None), Qt.CheckState(value) is ON)
        return True

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        if not 0 <= index.row() < len(self._choice.contents):
            return None
        content, column = self._choice.contents[index.row()], index.column()
        check = self._choice.check(index.row())
        if role == DISPLAY:
            return self._text(content, column)
        if role == CHECK:
            return check if column == 0 else None
        if role == COLOUR:
            return self._look.muted if not len(content.things) or column == _BIN_ABOUT else None
        if role == FONT:
            return self._look.numbers if column in _BIN_NUMBERS else None
        if role == ALIGNMENT:
            return RIGHT if column in _BIN_NUMBERS else None
        if role == TOOLTIP:
            return text.tooltip(f"{_WORDS[content.bin].about}.")
        if role != ACCESSIBLE:
            return None
        said = [self._text(content, each) for each in range(len(BIN_TITLES))]
        return f"{', '.join(filter(None, said))}{_CHECKED[check]}" if column == 0 else _spoken(column, said[column])

    def first(self) -> int:
        """The bin to begin with: the first that something can be taken from, else that something is in."""
        contents = self._choice.contents
        full = [place for place, content in enumerate(contents) if len(content.things)]
        return next((place for place in full if contents[place].may.any()), full[0] if full else 0)

    def _text(self, content: Content, column: int) -> str:
        if column == _BIN_ABOUT and not len(content.things):
            recent = any(len(each.things) for each in self._choice.contents if each.bin is Bin.RECENT)
            return "None, apart from recent files" if recent and content.bin is not Bin.LEFTOVERS else "There are none"
        return _bin_text(content, column)

    @Slot(int)
    def _tell(self, place: int) -> None:
        index = self.index(place, 0)
        self.dataChanged.emit(index, index, [CHECK, ACCESSIBLE])


class ThingTable(QAbstractTableModel):
    """What is in one bin."""

    def __init__(self, choice: Choice, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self._choice = choice
        self._place = 0
        self._sorting = (int(Column.SIZE), True)
        self._order = self._sorted()
        choice.changed.connect(self._tell)

    @property
    def place(self) -> int:
        """Which bin is shown."""
        return self._place

    @property
    def content(self) -> Content:
        return self._choice.contents[self._place]

    def show_bin(self, place: int) -> None:
        """Show what is in another bin, in the same order."""
        if place != self._place:
            self.beginResetModel()
            self._place = place
            self._order = self._sorted()
            self.endResetModel()

    def thing_at(self, index: AnyIndex) -> Thing | None:
        """What stands in a row."""
        row = index.row()
        return self.content.things[int(self._order[row])] if 0 <= row < len(self._order) else None

    def is_ticked(self, row: int) -> bool:
        return bool(self._choice.ticked(self._place)[self._order[row]])

    def tick(self, ranges: Sequence[tuple[int, int]], on: bool) -> None:
        """Tick the rows of these ranges, first and last, or take their ticks away."""
        things = [self._order[first : last + 1] for first, last in ranges]
        if things:
            self._choice.tick(self._place, np.concatenate(things).astype(np.int64), on)

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(TITLES):
            return TITLES[section] if role == DISPLAY else _aligned(role, section == Column.SIZE)
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        checkable = index.column() == Column.WHAT and self._check(index.row()) is not None
        return super().flags(index) | (Qt.ItemFlag.ItemIsUserCheckable if checkable else Qt.ItemFlag.NoItemFlags)

    def setData(self, index: AnyIndex, value: Any, role: int = CHECK) -> bool:
        if role != CHECK or not index.isValid():
            return False
        self.tick([(index.row(), index.row())], Qt.CheckState(value) is ON)
        return True

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column; by none, the largest first."""
        descending = order is Qt.SortOrder.DescendingOrder
        self._sorting = (column, descending) if column >= 0 else (int(Column.SIZE), True)
        with rows_move(self):
            indexes = self.persistentIndexList()
            places = [int(self._order[index.row()]) for index in indexes]
            self._order = self._sorted()
            back = places_in(self._order, len(self._order))
            moved = [
                self.createIndex(int(back[place]), index.column()) for place, index in zip(places, indexes, strict=True)
            ]
            self.changePersistentIndexList(indexes, moved)

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        thing, row, column = self.thing_at(index), index.row(), index.column()
        if thing is None:
            return None
        if role == DISPLAY:
            return self._text(thing, row, column)
        if role == CHECK:
            return self._check(row) if column == Column.WHAT else None
        if role == ICON:
            return _icon(thing) if column == Column.WHAT else None
        if role == COLOUR:
            return self._look.muted if isinstance(thing, Leftover) and not thing.removable else None
        if role == FONT:
            if column == Column.SIZE:
                return self._look.numbers
            return self._look.fixed if column == Column.WHAT and isinstance(thing, PlannedBlob) else None
        if role == ALIGNMENT:
            return RIGHT if column == Column.SIZE else None
        if role == TOOLTIP:
            return text.tooltip(self._explanation(thing, row, column))
        return self._spoken(thing, row, column) if role == ACCESSIBLE else None

    def _check(self, row: int) -> Qt.CheckState | None:
        if not self.content.may[self._order[row]]:
            return None
        return ON if self.is_ticked(row) else OFF

    def _sorted(self) -> Order:
        column, descending = self._sorting
        return _ordered(self.content, column, descending=descending)

    def _text(self, thing: Thing, row: int, column: int) -> str:
        if column == Column.WHAT:
            return _name(thing)
        if column == Column.ABOUT:
            return _about(thing)
        place = int(self._order[row])
        if column == Column.SIZE:
            return text.size(int(self.content.sizes[place]))
        changed = float(self.content.times[place])
        return text.ago(changed) if changed else ""

    def _explanation(self, thing: Thing, row: int, column: int) -> str:
        place = int(self._order[row])
        if column == Column.SIZE:
            return text.exact_size(int(self.content.sizes[place]))
        if column == Column.AGE:
            changed = float(self.content.times[place])
            return text.moment(changed) if changed else ""
        return f"{thing.path if isinstance(thing, Leftover) else thing.digest}\n{_about(thing)}"

    def _spoken(self, thing: Thing, row: int, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        said = self._text(thing, row, column)
        if column != Column.WHAT:
            return f"{TITLES[column]}: {said}" if said else ""
        others = (self._text(thing, row, each) for each in (Column.ABOUT, Column.SIZE, Column.AGE))
        return ", ".join(part for part in (said, *others) if part) + _CHECKED[self._check(row)]

    @Slot(int)
    def _tell(self, place: int) -> None:
        if place == self._place and len(self._order):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._order) - 1, 0), [CHECK, ACCESSIBLE])


def _bin_text(content: Content, column: int) -> str:
    words, count = _WORDS[content.bin], len(content.things)
    if column == 0:
        return words.title
    if column == _BIN_ABOUT:
        free = int(content.may.sum())
        return words.about if free == count else f"{text.number(free)} can go, at once; the others may be in use"
    if not count:
        return ""
    return text.number(count) if column == _BIN_COUNT else text.size(int(content.sizes.sum()))


def _spoken(column: int, said: str) -> str:
    return f"{BIN_TITLES[column]}: {said}" if said else ""


def _aligned(role: int, is_number: bool) -> Any:
    """Titles of numbers stand above them."""
    return RIGHT if role == ALIGNMENT and is_number else None


def _ordered(content: Content, column: int, *, descending: bool) -> Order:
    if column == Column.SIZE:
        return order_by(content.sizes, descending=descending)
    if column == Column.AGE:
        return order_by(-content.times, descending=descending)  # what changed last is youngest
    if column == Column.ABOUT and content.bin not in (Bin.LOST, Bin.LEFTOVERS):
        kinds = np.fromiter((thing.kind for thing in content.things if not isinstance(thing, Leftover)), np.uint8)
        return order_by(ranks(text.KINDS[kind].word for kind in Kind)[kinds], descending=descending)
    if column == Column.ABOUT:
        return order_by(ranks(_about(thing) for thing in content.things), descending=descending)
    if content.bin in (Bin.LOST, Bin.LEFTOVERS):
        return order_by(ranks(_name(thing) for thing in content.things), descending=descending)
    order = np.arange(len(content.things), dtype=np.int32)  # blobs come by digest
    return order[::-1] if descending else order


def _name(thing: Thing) -> str:
    if isinstance(thing, Leftover):
        return text.plain(thing.path)
    return shorten(thing.digest) if isinstance(thing, PlannedBlob) else text.plain(thing.title)


def _about(thing: Thing) -> str:
    if isinstance(thing, Leftover):
        return text.plain(f"{thing.tool}: {thing.why}")
    word = text.KINDS[thing.kind].word
    if isinstance(thing, PlannedBlob):
        return word
    facts = [value for label, value in thing.details if label in ("Platform", "Command", "Entrypoint")]
    broken = [] if thing.complete else ["some parts are missing"]
    return text.plain(text.SEPARATOR.join([word, *facts, *broken]))


def _icon(thing: Thing) -> QIcon:
    if isinstance(thing, Leftover):
        return icons.icon("file", Role.MUTED)
    return icons.kind_icon(thing.kind)
