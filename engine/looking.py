"""Looks through a layer: which of its entries are meant by a pattern, and what it does to paths that somebody asks for.

A layer is looked through once, whichever images it is part of, in pieces of some thousand names. Where it contradicts
itself, or goes through its own links, it is looked through again, as ``merging`` does.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.distinct import distinct
from engine.entrypaths import paths_of
from engine.fates import MOST_TEXT, Fate, Known, Matches, Numbers, Touches
from engine.listing import OPAQUE, WHITEOUT, Listing
from engine.pathpattern import PathPattern
from engine.progress import Progress
from engine.tarheader import DIRECTORY, SYMBOLIC_LINK

_ROOT = 0
_NONE = -1


def look_through(
    listing: Listing, pattern: PathPattern, known: Known, room: int, progress: Progress
) -> tuple[Matches, Touches]:
    """Find what matches in a layer, of which the first ``room`` paths become known, and what it does to known paths.

    Raises ``Cancelled``.
    """
    paths, count, folders, follow = _found(listing, pattern, room, progress)
    known_numbers: list[int] = []
    for path, _ in paths:
        if known.is_full:
            break
        known_numbers.append(known.number(path))
    numbers = np.array(known_numbers, np.int32)
    rows = np.array([row for _, row in paths[: len(numbers)]], np.int32)
    own, touches = _touches(listing, known, folders, follow, progress)
    fates = np.where(rows == own.last[numbers], Fate.PRESENT, Fate.OVERWRITTEN)
    dropped = own.last[numbers] != own.left[numbers]
    by_folder = own.last[numbers] < own.above[numbers]
    fates[dropped] = np.where(by_folder, Fate.REMOVED, Fate.OVERWRITTEN)[dropped]
    return (
        Matches(count, numbers, rows, listing.types[rows], listing.sizes[rows], fates.astype(np.uint8)),
        touches,
    )


def count_matches(listing: Listing, pattern: PathPattern, progress: Progress) -> int:
    """How much matches in a layer, where nobody asks what became of it. Raises ``Cancelled``."""
    return _found(listing, pattern, 0, progress)[1]


def touches_of(listing: Listing, known: Known, progress: Progress) -> Touches:
    """What a layer that was looked through does to all paths that are known by now."""
    _, _, folders, follow = _found(listing, None, 0, progress)
    return _touches(listing, known, folders, follow, progress)[1]


_Found = tuple[list[tuple[bytes, int]], int, set[bytes], bool]
"""Paths with their rows, how many there are, the folders that something is in, and whether links are to be followed."""


def _found(listing: Listing, pattern: PathPattern | None, room: int, progress: Progress) -> _Found:
    """Look through a layer; once more where something in it lies behind one of its own links."""
    found, links, above_marks = _scan(listing, pattern, room, progress, follow=False)
    if links.isdisjoint(found[2]) and links.isdisjoint(above_marks):
        return found
    return _scan(listing, pattern, room, progress, follow=True)[0]


def _scan(
    listing: Listing, pattern: PathPattern | None, room: int, progress: Progress, *, follow: bool
) -> tuple[_Found, set[bytes], set[bytes]]:
    """What was found, the links of the layer, and the folders that whiteouts are in."""
    flags = _marks_of(listing)
    found: list[tuple[bytes, int]] = []
    folders, above_marks = _Folders(), _Folders()
    links: set[bytes] = set()
    row = total = 0
    for paths in paths_of(listing, flags, [], follow=follow):
        progress.check()
        marked, types = flags[row : row + len(paths)], listing.types[row : row + len(paths)]
        links.update(paths[n] for n in np.flatnonzero(types == SYMBOLIC_LINK).tolist())
        if marked.any():
            above_marks.add(paths[n] for n in np.flatnonzero(marked).tolist())
            folders.add(paths[n] for n in np.flatnonzero(marked == 0).tolist())
        else:
            folders.add(paths)
        hits = pattern.among(paths) if pattern is not None else ()
        mine = [(paths[n], row + n) for n in hits if not marked[n] and paths[n]]
        total += len(mine)
        found += mine[: room - len(found)]
        row += len(paths)
    return (found, total, folders.paths, follow), links, above_marks.paths


def _marks_of(listing: Listing) -> NDArray[np.uint8]:
    """Which entries are whiteouts; ``paths_of`` marks those among them that mean nothing."""
    return np.bitwise_and(listing.flags, np.uint8(WHITEOUT | OPAQUE))


class _Folders:
    """Every folder that something is in, but for the root."""

    def __init__(self) -> None:
        self.paths: set[bytes] = set()
        self._text = 0

    def add(self, paths: Iterable[bytes]) -> None:
        """Add the folders that these paths are in, as far as there is room."""
        found = self.paths
        for folder in {path.rpartition(b"/")[0] for path in paths}:
            while folder and folder not in found and self._text < MOST_TEXT:
                found.add(folder)
                self._text += len(folder)
                folder = folder.rpartition(b"/")[0]


class _Own(msgspec.Struct):
    """By path, of a layer's own entries: the last row, the row that is left when the layer is unpacked, and the largest
    row of what is no folder and stands where a folder above should be; -1 for none."""

    last: Numbers
    left: Numbers
    above: Numbers


def _touches(
    listing: Listing, known: Known, folders: set[bytes], follow: bool, progress: Progress
) -> tuple[_Own, Touches]:
    flags = _marks_of(listing)
    asked, numbers = len(known), known.numbers
    places: list[int] = []
    at: list[int] = []
    row = 0
    for paths in paths_of(listing, flags, [], follow=follow) if asked > 1 else ():
        progress.check()
        here = [n for n, path in enumerate(paths) if path in numbers]
        at += [numbers[paths[n]] for n in here]
        places += [row + n for n in here]
        row += len(paths)
    rows, paths_at = np.array(places, np.int32), np.array(at, np.int32)
    marks = flags[rows]
    last = np.full(asked, _NONE, np.int32)
    last[paths_at[marks == 0]] = rows[marks == 0]  # of two for one path the last
    last[_ROOT] = _NONE  # it is a folder whatever is said of it
    is_there = np.flatnonzero(last >= 0)
    no_folder = np.zeros(asked, np.bool_)
    no_folder[is_there] = listing.types[last[is_there]] != DIRECTORY
    needed = np.zeros(asked, np.bool_)
    needed[_present(numbers, folders)] = True
    own = _Own(last, last, np.full(asked, _NONE, np.int32))
    hidden = paths_at[(marks == WHITEOUT) & (paths_at != _ROOT)]
    clash = np.flatnonzero(no_folder & needed).astype(np.int32)
    if len(clash):
        needed = _settle(own, np.where(no_folder, last, _NONE), known, _latest_below(listing, known, follow, progress))
        hidden = np.concatenate([hidden, clash])
        no_folder &= own.left >= 0
    opaque = paths_at[marks == OPAQUE]
    return own, Touches(
        asked=asked,
        brought=np.flatnonzero(own.left >= 0).astype(np.int32),
        implied=np.flatnonzero(needed & (own.left < 0)).astype(np.int32),
        hidden=distinct(hidden),
        emptied=distinct(np.concatenate([hidden, opaque, np.flatnonzero(no_folder).astype(np.int32)])),
    )


def _present(numbers: dict[bytes, int], folders: set[bytes]) -> list[int]:
    """The numbers of the folders that are known."""
    if len(folders) < len(numbers):
        return [numbers[folder] for folder in folders if folder in numbers]
    return [number for path, number in numbers.items() if path in folders]


def _latest_below(listing: Listing, known: Known, follow: bool, progress: Progress) -> Numbers:
    """For each known path the last row of what lies in it; only asked for where a layer contradicts itself."""
    flags = _marks_of(listing)
    latest = np.full(len(known), _NONE, np.int32)
    first = 0
    for paths in paths_of(listing, flags, [], follow=follow):
        progress.check()
        for row, path in enumerate(paths, first):
            folder = path.rpartition(b"/")[0] if not flags[row] else b""
            while folder:
                if folder in known.numbers:
                    latest[known.numbers[folder]] = row
                folder = folder.rpartition(b"/")[0]
        first += len(paths)
    return latest


def _settle(own: _Own, written: Numbers, known: Known, latest: Numbers) -> NDArray[np.bool_]:
    """Of what is a folder and something else in one layer, what comes later replaces what came before.

    Changes ``own``; returns which paths are folders in the end. ``written`` is the row of what is no folder.
    """
    above = own.above
    for number, parent in enumerate(known.parents().tolist()):
        if parent != _NONE:
            above[number] = max(above[parent], written[parent])
    needed: NDArray[np.bool_] = latest > np.maximum(above, written)
    left = np.where(own.last < above, _NONE, own.last)
    own.left = np.where(needed & (written >= 0), _NONE, left)
    return needed
