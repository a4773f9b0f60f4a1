"""What can be cleaned up as a tree: a row for each bin, below it what is in it, with ticks.

What is in a bin stays the values that the engine made; sizes, times, ticks and the order are arrays, so a hundred
thousand blobs are ticked, summed up and sorted between two repaints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from engine.cleanup import Cleanup, LostImage
from engine.digest import shorten
from engine.leftovers import Leftover
from engine.removal import PlannedBlob
from engine.snapshot import Kind, as_names, find_rows
from gui import icons, text
from gui.models.arranging import order_by, ranks, rows_move
from gui.models.look import ACCESSIBLE, ALIGNMENT, COLOUR, DISPLAY, FONT, ICON, RIGHT, TOOLTIP, AnyIndex, Look
from gui.models.two_levels import TwoLevels
from gui.theme import Role

CHECK = int(Qt.ItemDataRole.CheckStateRole)
_ON, _OFF, _SOME = Qt.CheckState.Checked, Qt.CheckState.Unchecked, Qt.CheckState.PartiallyChecked
_MOST_FOLLOWED = 5000
"""Indexes that views hold and that are followed when rows move; more would take longer than a blink."""

Thing = PlannedBlob | LostImage | Leftover


class Column(IntEnum):
    """The columns of the tree."""

    WHAT = 0
    ABOUT = 1
    SIZE = 2
    AGE = 3


class Bin(IntEnum):
    """What is proposed, by how sure it is."""

    UNUSED = 0
    LOST = 1
    RECENT = 2
    DOUBTFUL = 3
    LEFTOVERS = 4


class _Words(NamedTuple):
    title: str
    about: str


_WORDS = {
    Bin.UNUSED: _Words("Unused blobs", "Nothing that is named leads to them"),
    Bin.LOST: _Words("Lost images", "No entry of the index leads to them; they can be added again"),
    Bin.RECENT: _Words("Recent files", "Another program may be about to name them"),
    Bin.DOUBTFUL: _Words("Doubtful blobs", "Something that cannot be read may need them"),
    Bin.LEFTOVERS: _Words("Leftovers of crashed programs", "They go at once, not to the trash"),
}


@dataclass(frozen=True, eq=False)
class Content:
    """What is in one bin: things with their bytes on disk and the second since 1970 of their last change, 0 for none."""

    bin: Bin
    things: Sequence[Thing]
    sizes: NDArray[np.int64]
    freed: NDArray[np.int64]
    blobs: NDArray[np.int64]
    times: NDArray[np.int64]
    may: NDArray[np.bool_]
    """Whether it may be ticked at all."""
    ticked: bool


@dataclass(frozen=True, eq=False)
class Shared:
    """Blobs that several lost images have, and that go with the last of them."""

    holders: NDArray[np.int64]
    """How many images have each."""
    freed: NDArray[np.int64]
    blobs: NDArray[np.int64]
    """Which blob, and by which image, for each time that an image has one."""
    images: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Proposal:
    """Everything that can be cleaned up, ready to be shown."""

    cleanup: Cleanup
    contents: Sequence[Content]
    shared: Shared


class Sum(NamedTuple):
    """What is ticked: blobs with the bytes that they occupy, and leftovers with theirs."""

    blobs: int
    freed: int
    leftovers: int
    leftover_bytes: int


def propose(cleanup: Cleanup, leftovers: Sequence[Leftover]) -> Proposal:
    """Make arrays of what the engine has found; walks over every blob, so that a worker does it."""
    sure = not cleanup.empty_index  # where nothing is named at all, nobody can be
    contents = [
        _blobs(cleanup, Bin.UNUSED, cleanup.unused, ticked=sure),
        _lost(cleanup),
        _blobs(cleanup, Bin.RECENT, cleanup.recent),
    ]
    if cleanup.doubtful:
        contents.append(_blobs(cleanup, Bin.DOUBTFUL, cleanup.doubtful))
    if leftovers:
        contents.append(_leftovers(leftovers))
    return Proposal(cleanup, contents, _shared(cleanup.lost))


class CleanupTree(TwoLevels):
    """The bins with what is in them."""

    TITLES = ("What", "About", "Size", "Changed")
    NUMBERS = frozenset({Column.SIZE})

    ticked = Signal()
    """Other things are ticked."""

    def __init__(self, proposal: Proposal, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self.proposal = proposal
        self._contents = proposal.contents
        self._ticks = [content.may & content.ticked for content in self._contents]
        self._orders = [np.arange(len(content.things), dtype=np.int32) for content in self._contents]

    # ---------------------------------------------------------------------------------------------- what is ticked

    def thing_at(self, index: AnyIndex) -> Thing | None:
        """What stands in a row; None for a bin."""
        top, below = self.places(index)
        return self._contents[top].things[int(self._orders[top][below])] if below >= 0 else None

    def tick(self, indexes: Sequence[AnyIndex], on: bool) -> None:
        """Tick these rows, or take the ticks away; that of a bin stands for all in it."""
        touched = set()
        for index in indexes:
            top, below = self.places(index)
            if top < 0:
                continue
            content = self._contents[top]
            touched.add(top)
            if below < 0 or content.bin is Bin.LEFTOVERS:  # those go together or not at all
                self._ticks[top][:] = content.may & on
            else:
                place = int(self._orders[top][below])
                self._ticks[top][place] = on and bool(content.may[place])
        for top in touched:
            self._tell(top)
        if touched:
            self.ticked.emit()

    def is_ticked(self, index: AnyIndex) -> bool:
        """Whether a row is; a bin counts where everything in it is."""
        return self._check(*self.places(index)) is _ON

    def sum(self) -> Sum:
        """What is ticked, all together."""
        blobs = freed = leftovers = leftover_bytes = 0
        for content, ticks in zip(self._contents, self._ticks, strict=True):
            if content.bin is Bin.LEFTOVERS:
                leftovers, leftover_bytes = int(ticks.sum()), int(content.freed[ticks].sum())
                continue
            blobs += int(content.blobs[ticks].sum())
            freed += int(content.freed[ticks].sum())
            if content.bin is Bin.LOST:
                shared = self.proposal.shared
                leaving = np.bincount(shared.blobs[ticks[shared.images]], minlength=len(shared.holders))
                going = (leaving == shared.holders) & (shared.holders > 0)
                blobs += int(going.sum())
                freed += int(shared.freed[going].sum())
        return Sum(blobs, freed, leftovers, leftover_bytes)

    def chosen(self) -> tuple[list[PlannedBlob], list[LostImage], bool]:
        """The ticked blobs, the ticked lost images, and whether leftovers go."""
        blobs: list[PlannedBlob] = []
        lost: list[LostImage] = []
        leftovers = False
        for content, ticks in zip(self._contents, self._ticks, strict=True):
            things = (content.things[place] for place in np.flatnonzero(ticks).tolist())
            if content.bin is Bin.LEFTOVERS:
                leftovers = bool(ticks.any())
            elif content.bin is Bin.LOST:
                lost += (thing for thing in things if isinstance(thing, LostImage))
            else:
                blobs += (thing for thing in things if isinstance(thing, PlannedBlob))
        return blobs, lost, leftovers

    def _check(self, top: int, below: int) -> Qt.CheckState | None:
        """The state of a tick; None where there is none to make."""
        if top < 0:
            return None
        content, ticks = self._contents[top], self._ticks[top]
        if below >= 0:
            place = int(self._orders[top][below])
            return (_ON if ticks[place] else _OFF) if content.may[place] else None
        count, most = int(np.count_nonzero(ticks)), int(np.count_nonzero(content.may))
        if not most:
            return None
        return _OFF if not count else _ON if count == most else _SOME

    def _tell(self, top: int) -> None:
        bin_index = self.index(top, 0)
        self.dataChanged.emit(bin_index, bin_index, [CHECK, ACCESSIBLE])
        if count := self.count_below(top):
            self.dataChanged.emit(self.index(0, 0, bin_index), self.index(count - 1, 0, bin_index), [CHECK, ACCESSIBLE])

    # ------------------------------------------------------------------------------------------- overrides of Qt

    def count(self) -> int:
        return len(self._contents)

    def count_below(self, row: int) -> int:
        return len(self._contents[row].things)

    def number_of(self, row: int) -> int:
        return row + 1

    def row_of(self, number: int) -> int:
        return number - 1 if 0 < number <= len(self._contents) else -1

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.column() == Column.WHAT and self._check(*self.places(index)) is not None:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(self, index: AnyIndex, value: Any, role: int = CHECK) -> bool:
        if role != CHECK or not index.isValid():
            return False
        self.tick([index], Qt.CheckState(value) is _ON)
        return True

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order what is in the bins; the bins stay where they are."""
        descending = order is Qt.SortOrder.DescendingOrder
        with rows_move(self):
            indexes = self.persistentIndexList()
            followed = indexes if len(indexes) <= _MOST_FOLLOWED else []
            held = [(index.internalId(), self.places(index), index.column()) for index in followed]
            places = [int(self._orders[top][below]) if below >= 0 else -1 for _, (top, below), _ in held]
            self._orders = [_ordered(content, column, descending=descending) for content in self._contents]
            back = [np.argsort(each) for each in self._orders]
            moved = [
                self.createIndex(int(back[top][place]) if place >= 0 else max(top, 0), column, number)
                for (number, (top, _), column), place in zip(held, places, strict=True)
            ]
            gone = [QModelIndex()] * (len(indexes) - len(followed))
            self.changePersistentIndexList(indexes, [*moved, *gone])

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        top, below = self.places(index)
        column = index.column()
        if top < 0:
            return None
        thing, content = self.thing_at(index), self._contents[top]
        if role == DISPLAY:
            return self._text(content, top, below, column)
        if role == CHECK:
            return self._check(top, below) if column == Column.WHAT else None
        if role == ICON:
            return _icon(thing) if column == Column.WHAT else None
        if role == COLOUR:
            dead = isinstance(thing, Leftover) and not thing.removable
            return self._look.muted if dead or (column == Column.ABOUT and thing is None) else None
        if role == FONT:
            if column in self.NUMBERS:
                return self._look.numbers
            if column == Column.WHAT:
                return self._look.strong if thing is None else self._look.fixed if _is_digest(thing) else None
            return None
        if role == ALIGNMENT:
            return RIGHT if column in self.NUMBERS else None
        if role == TOOLTIP:
            return text.tooltip(self._explanation(content, top, below, column))
        return self._spoken(content, top, below, column) if role == ACCESSIBLE else None

    def _text(self, content: Content, top: int, below: int, column: int) -> str:
        if below < 0:
            words, count = _WORDS[content.bin], len(content.things)
            if column == Column.WHAT:
                return f"{words.title} {text.number(count)}"
            if column == Column.ABOUT:
                return words.about if count else "None"
            return text.size(int(content.sizes.sum())) if column == Column.SIZE and count else ""
        place = int(self._orders[top][below])
        thing = content.things[place]
        if column == Column.WHAT:
            return _name(thing)
        if column == Column.ABOUT:
            return _about(thing)
        if column == Column.SIZE:
            return text.size(int(content.sizes[place]))
        return text.ago(float(content.times[place])) if content.times[place] else ""

    def _explanation(self, content: Content, top: int, below: int, column: int) -> str:
        if below < 0:
            return f"{_WORDS[content.bin].about}."
        place = int(self._orders[top][below])
        thing = content.things[place]
        if column == Column.SIZE:
            return text.exact_size(int(content.sizes[place]))
        if column == Column.AGE:
            return text.moment(float(content.times[place])) if content.times[place] else ""
        if isinstance(thing, Leftover):
            return f"{thing.path}\n{thing.tool}. {thing.why}"
        return f"{thing.digest}\n{_about(thing)}"

    def _spoken(self, content: Content, top: int, below: int, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        said = self._text(content, top, below, column)
        if column != Column.WHAT:
            return f"{self.TITLES[column]}: {said}" if said else ""
        others = (self._text(content, top, below, each) for each in (Column.ABOUT, Column.SIZE, Column.AGE))
        state = {_ON: "ticked", _OFF: "not ticked", _SOME: "partly ticked", None: ""}[self._check(top, below)]
        return ", ".join(part for part in (said, *others, state) if part)


def _ordered(content: Content, column: int, *, descending: bool) -> NDArray[np.int32]:
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


def _blobs(cleanup: Cleanup, kind: Bin, blobs: Sequence[PlannedBlob], *, ticked: bool = False) -> Content:
    count = len(blobs)
    sizes = np.fromiter((blob.size for blob in blobs), np.int64, count)
    freed = np.fromiter((blob.freed for blob in blobs), np.int64, count)
    times = _times(cleanup, [blob.digest for blob in blobs])
    return Content(kind, blobs, sizes, freed, np.ones(count, np.int64), times, np.ones(count, np.bool_), ticked)


def _lost(cleanup: Cleanup) -> Content:
    lost = cleanup.lost
    count = len(lost)
    sizes = [sum(blob.size for blob in (*image.blobs, *image.shared)) for image in lost]
    return Content(
        Bin.LOST,
        lost,
        np.array(sizes, np.int64),
        np.fromiter((image.freed for image in lost), np.int64, count),
        np.fromiter((len(image.blobs) for image in lost), np.int64, count),
        _times(cleanup, [image.digest for image in lost]),
        np.ones(count, np.bool_),
        ticked=False,
    )


def _leftovers(leftovers: Sequence[Leftover]) -> Content:
    count = len(leftovers)
    sizes = np.fromiter((leftover.size for leftover in leftovers), np.int64, count)
    may = np.fromiter((leftover.removable for leftover in leftovers), np.bool_, count)
    none = np.zeros(count, np.int64)
    return Content(Bin.LEFTOVERS, leftovers, sizes, sizes, none, none, may, ticked=True)


def _shared(lost: Sequence[LostImage]) -> Shared:
    numbers: dict[str, int] = {}
    freed: list[int] = []
    blobs: list[int] = []
    images: list[int] = []
    for n, image in enumerate(lost):
        for blob in image.shared:
            if blob.digest not in numbers:
                numbers[blob.digest] = len(freed)
                freed.append(blob.freed)
            blobs.append(numbers[blob.digest])
            images.append(n)
    which = np.array(blobs, np.int64)
    holders = np.bincount(which, minlength=len(freed))
    return Shared(holders, np.array(freed, np.int64), which, np.array(images, np.int64))


def _times(cleanup: Cleanup, digests: Sequence[str]) -> NDArray[np.int64]:
    columns = cleanup.snapshot.columns
    rows = find_rows(columns.names, as_names(digests))
    return np.where(rows >= 0, columns.mtimes[rows] // 1_000_000_000, 0) if len(rows) else rows


def _is_digest(thing: Thing) -> bool:
    return isinstance(thing, PlannedBlob)


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


def _icon(thing: Thing | None) -> Any:
    if thing is None:
        return None
    if isinstance(thing, Leftover):
        return icons.icon("file", Role.MUTED)
    return icons.kind_icon(thing.kind)
