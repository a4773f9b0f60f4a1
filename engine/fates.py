"""What becomes of what a layer brings to a path: whether it is what one sees in the image, or what took it away.

Of each layer only what it does to known paths is remembered: those that somebody looks for, and the folders they are in.
So a layer is looked through once, whichever images it is part of, and what is kept of it is small. The rules are those
of ``merging``, by which the file systems of images are made.
"""

from array import array
from collections.abc import Sequence
from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.distinct import distinct
from engine.progress import Progress
from engine.tarheader import DIRECTORY

Numbers = NDArray[np.int32]
MOST_KNOWN = 400_000
"""Paths that are known at once, with the folders that they are in."""
MOST_TEXT = 128 << 20
"""Bytes of all of them, and of all folders of a layer; a few hostile paths of a thousand folders each have more."""
_ROOT = 0
_NONE = -1


class Fate(IntEnum):
    """What became of an entry of a layer in an image."""

    PRESENT = 0  # it is what one sees there
    OVERWRITTEN = 1  # the path is there again, of the same layer or a later one
    REMOVED = 2  # by a whiteout, or because a folder above is gone or is something else


class Known:
    """Paths with numbers; the folders that a path is in have smaller ones than the path."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {b"": _ROOT}
        self.paths: list[bytes] = [b""]
        self._parents = array("i", [_NONE])
        self._text = 0

    def __len__(self) -> int:
        return len(self.paths)

    def number(self, path: bytes) -> int:
        """The number of a path, which is known from now on."""
        missing = []
        while path not in self.numbers:
            missing.append(path)
            path = path.rpartition(b"/")[0]
        found = self.numbers[path]
        for path in reversed(missing):
            self._parents.append(found)
            found = self.numbers[path] = len(self.paths)
            self.paths.append(path)
            self._text += len(path)
        return found

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more."""
        return len(self.paths) >= MOST_KNOWN or self._text > MOST_TEXT

    def parents(self) -> Numbers:
        """The folder of each path; -1 for the root."""
        return np.array(self._parents, np.int32)  # a copy: while somebody looks into it, it could not grow


class Touches(msgspec.Struct, frozen=True, eq=False):
    """What a layer does to known paths, whose numbers are sorted here."""

    asked: int
    """How many paths were known when the layer was looked through; it may do something to later ones, too."""
    brought: Numbers
    """It has an entry for these."""
    implied: Numbers
    """These are folders without an entry, for what is in them."""
    hidden: Numbers
    """These are gone of the layers below."""
    emptied: Numbers
    """Everything in these is gone of the layers below."""

    def end(self, paths: Numbers, are_folders: NDArray[np.bool_], folders: "Folders") -> NDArray[np.uint8]:
        """The ``Fate`` of what is seen at some paths below this layer."""
        gone = np.isin(paths, self.hidden) | folders.lie_in(paths, self.emptied)
        again = np.isin(paths, self.brought) | (np.isin(paths, self.implied) & (gone | ~are_folders))
        return np.where(again, Fate.OVERWRITTEN, np.where(gone, Fate.REMOVED, Fate.PRESENT)).astype(np.uint8)


class Folders:
    """Some paths and every folder above them, in an order in which all that is in a folder stands right behind it.

    So what is in any of many folders is told at once, however deep they are.
    """

    def __init__(self, paths: Numbers, parents: Numbers) -> None:
        """``parents`` is that of all known paths."""
        is_among = np.zeros(len(parents), np.bool_)
        above = distinct(paths)
        while len(above):
            is_among[above] = True
            above = distinct(parents[above])
            above = above[(above > _NONE) & ~is_among[above]]
        self._numbers = np.flatnonzero(is_among).astype(np.int32)
        """Folders before what is in them."""
        folders = np.searchsorted(self._numbers, parents[self._numbers]).tolist()
        sizes, starts = [1] * len(folders), [0] * len(folders)
        for each in range(len(folders) - 1, 0, -1):
            sizes[folders[each]] += sizes[each]
        free = [1] * len(folders)
        for each in range(1, len(folders)):
            starts[each] = free[folders[each]]
            free[folders[each]] += sizes[each]
            free[each] = starts[each] + 1
        self._starts = np.array(starts, np.int32)
        self._ends = self._starts + np.array(sizes, np.int32)

    def lie_in(self, paths: Numbers, folders: Numbers) -> NDArray[np.bool_]:
        """Which of the paths are in any of these folders, at any depth."""
        those = np.flatnonzero(np.isin(self._numbers, folders))
        if not len(those):
            return np.zeros(len(paths), np.bool_)
        steps = np.bincount(self._starts[those] + 1, minlength=len(self._numbers) + 1)
        steps -= np.bincount(self._ends[those], minlength=len(self._numbers) + 1)
        is_inside: NDArray[np.bool_] = np.cumsum(steps)[self._starts[np.searchsorted(self._numbers, paths)]] > 0
        return is_inside


class Matches(msgspec.Struct, frozen=True, eq=False):
    """The entries of a layer whose paths are looked for: the first ones as columns, and how many there are."""

    count: int
    paths: Numbers
    rows: Numbers
    kinds: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    fates: NDArray[np.uint8]
    """What became of each in the layer itself, which may have a path twice."""


def fates_of(
    stack: Sequence[tuple[Matches, Touches] | None], parents: Numbers, progress: Progress
) -> tuple[NDArray[np.uint8], Numbers]:
    """What became of the matches of an image's layers, the lowest first, and the layer that did it (-1: none).

    A layer that could not be read is None. ``parents`` is that of all known paths; all layers must have been asked for
    the paths of those below. Raises ``Cancelled``.
    """
    none = np.zeros(0, np.int32)
    folders = Folders(np.concatenate([none, *(layer[0].paths for layer in stack if layer is not None)]), parents)
    seen = np.zeros((3, 0), np.int32)
    """The paths that are there, for each its place among all results so far, and whether it is a folder."""
    fates: list[NDArray[np.uint8]] = []
    enders: list[Numbers] = []
    over: list[tuple[Numbers, NDArray[np.uint8], int]] = []
    first = 0
    for number, layer in enumerate(stack):
        progress.check()
        if layer is None:
            continue
        matches, touches = layer
        fate = touches.end(seen[0], seen[2] > 0, folders)
        ended = fate != Fate.PRESENT
        over.append((seen[1, ended], fate[ended], number))
        stays = np.flatnonzero(matches.fates == Fate.PRESENT)
        fresh = np.stack([matches.paths[stays], first + stays, matches.kinds[stays] == DIRECTORY])
        seen = np.concatenate([seen[:, ~ended], fresh], axis=1).astype(np.int32)
        fates.append(matches.fates)
        enders.append(np.where(matches.fates == Fate.PRESENT, _NONE, number).astype(np.int32))
        first += len(matches.paths)
    all_fates = np.concatenate([np.zeros(0, np.uint8), *fates])
    all_enders = np.concatenate([none, *enders])
    for places, fate, number in over:
        all_fates[places], all_enders[places] = fate, number
    return all_fates, all_enders
