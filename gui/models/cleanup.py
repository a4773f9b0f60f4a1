"""What can be cleaned up, in bins, and what of it a person has ticked.

What is in a bin stays the values that the engine made; sizes, times, ticks and the order are arrays, so a hundred
thousand blobs are ticked, summed up and sorted between two repaints.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal

from engine.cleanup import Cleanup, LostImage
from engine.columns import Rows, as_names, find_rows
from engine.leftovers import Leftover
from engine.removal import PlannedBlob, RemovalPlan

ON, OFF, SOME = Qt.CheckState.Checked, Qt.CheckState.Unchecked, Qt.CheckState.PartiallyChecked

Mask = NDArray[np.bool_]
Thing = PlannedBlob | LostImage | Leftover


class Bin(IntEnum):
    """What is proposed, by how sure it is."""

    UNUSED = 0
    LOST = 1
    RECENT = 2
    DOUBTFUL = 3
    LEFTOVERS = 4


@dataclass(frozen=True, eq=False)
class Content:
    """What is in one bin: things with their bytes on disk and the second since 1970 of their last change, 0 for none."""

    bin: Bin
    things: Sequence[Thing]
    sizes: NDArray[np.int64]
    freed: NDArray[np.int64]
    blobs: NDArray[np.int64]
    times: NDArray[np.int64]
    may: Mask
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


class Choice(QObject):
    """What a person has ticked of a proposal."""

    changed = Signal(int)
    """Other things of the bin at this place are ticked."""

    def __init__(self, proposal: Proposal, parent: QObject) -> None:
        super().__init__(parent)
        self.proposal = proposal
        self.contents = proposal.contents
        self._ticks = [content.may & content.ticked for content in self.contents]

    def ticked(self, place: int) -> Mask:
        """Which things of a bin are ticked."""
        return self._ticks[place]

    def tick(self, place: int, things: Mask | Rows | slice, on: bool) -> None:
        """Tick things of a bin, or take their ticks away; leftovers go together or not at all."""
        if self.contents[place].bin is Bin.LEFTOVERS:
            things = slice(None)
        self._ticks[place][things] = on
        self._ticks[place] &= self.contents[place].may
        self.changed.emit(place)

    def check(self, place: int) -> Qt.CheckState | None:
        """The state of a bin's tick; None where there is nothing to tick."""
        count, most = np.count_nonzero(self._ticks[place]), np.count_nonzero(self.contents[place].may)
        if not most:
            return None
        return OFF if not count else ON if count == most else SOME

    def sum(self) -> Sum:
        """What is ticked, all together."""
        blobs = freed = leftovers = leftover_bytes = 0
        for content, ticks in zip(self.contents, self._ticks, strict=True):
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

    def taken(self) -> "Taken":
        """What is ticked now, for a worker."""
        return Taken(self.proposal, tuple(ticks.copy() for ticks in self._ticks))


class Taken(NamedTuple):
    """What was ticked when the person decided."""

    proposal: Proposal
    ticks: tuple[Mask, ...]

    @property
    def leftovers(self) -> bool:
        """Whether leftovers go."""
        return any(ticks.any() for content, ticks in self._pairs() if content.bin is Bin.LEFTOVERS)

    def plan(self) -> RemovalPlan | None:
        """What moving that to the trash does; walks over every blob. None where only leftovers go."""
        digests: list[str] = []
        lost: list[str] = []
        for content, ticks in self._pairs():
            for place in np.flatnonzero(ticks).tolist():
                thing = content.things[place]
                if not isinstance(thing, Leftover):
                    (lost if content.bin is Bin.LOST else digests).append(thing.digest)
        return self.proposal.cleanup.plan(digests, set(lost)) if digests or lost else None

    def _pairs(self) -> Iterator[tuple[Content, Mask]]:
        return zip(self.proposal.contents, self.ticks, strict=True)


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
