"""Facts about many files as columns, one array a fact: names sorted, found by bisection, and matched between columns.

Arrays because a store may hold a million blobs. What takes long goes in pieces, so that nobody waits for it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Names = NDArray[np.bytes_]
Rows = NDArray[np.int64]

_PIECE = 4096
"""Rows that are copied or converted at a time."""


class Columns(msgspec.Struct):
    """The facts about each row, one array a fact, all sorted by ``names``."""

    names: Names
    sizes: NDArray[np.int64]  # bytes on disk; -1 where there is no file
    mtimes: NDArray[np.int64]  # when the content last changed, in nanoseconds since 1970
    ctimes: NDArray[np.int64]  # when anything about the file last changed, also its name
    inodes: NDArray[np.uint64]
    links: NDArray[np.uint32]  # hard links to the file
    flags: NDArray[np.uint16]
    kinds: NDArray[np.uint8]
    media: NDArray[np.uint16]  # position in media_types
    used_by: NDArray[np.int32]  # how many index entries and documents refer to it

    def __len__(self) -> int:
        return len(self.names)


FIELDS = Columns.__struct_fields__
"""The names of all facts."""


def find_rows(names: Names, wanted: Names) -> Rows:
    """Where each of ``wanted`` stands in the sorted ``names``; -1 where it does not."""
    if not len(names):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(names, wanted)
    places[places == len(names)] = 0
    return np.where(names[places] == wanted, places, -1).astype(np.int64)


def same_files(old: Columns, new: Columns) -> tuple[Rows, Rows]:
    """The rows of ``old`` and of ``new`` that are the same, unchanged file: name, size, time and inode agree."""
    places = find_rows(new.names, old.names)
    rows = np.flatnonzero(places >= 0)
    places = places[rows]
    same = (
        (old.sizes[rows] == new.sizes[places])
        & (old.mtimes[rows] == new.mtimes[places])
        & (old.inodes[rows] == new.inodes[places])
    )
    return rows[same], places[same]


def as_names(names: Sequence[str]) -> Names:
    """Texts as a column of names, made in pieces: one long conversion would keep the interpreter to itself."""
    pieces = [_piece(names[start : start + _PIECE]) for start in range(0, len(names), _PIECE)]
    return np.concatenate(pieces) if pieces else np.empty(0, "S1")


def _piece(names: Sequence[str]) -> Names:
    try:
        return np.array(names, np.bytes_)
    except UnicodeEncodeError:  # a stray file's name; digests are plain ASCII
        return np.array([name.encode("utf-8", "surrogateescape") for name in names], np.bytes_)


def empty_columns(names: Names) -> Columns:
    """Columns with nothing known of any name yet."""
    count = len(names)
    zeros: dict[str, Any] = {
        "mtimes": np.zeros(count, np.int64),
        "ctimes": np.zeros(count, np.int64),
        "inodes": np.zeros(count, np.uint64),
        "links": np.zeros(count, np.uint32),
        "flags": np.zeros(count, np.uint16),
        "kinds": np.zeros(count, np.uint8),
        "media": np.zeros(count, np.uint16),
        "used_by": np.zeros(count, np.int32),
    }
    return Columns(names, np.full(count, -1, np.int64), **zeros)


def join(parts: Sequence[Columns]) -> Columns:
    """Several sets of columns as one, sorted by name."""
    return _ordered(Columns(*(_concatenated([getattr(part, field) for part in parts]) for field in FIELDS)))


def with_names(columns: Columns, more: Names) -> Columns:
    """A copy with further names, of which nothing is known."""
    return join([columns, empty_columns(np.unique(more))])


def _ordered(columns: Columns) -> Columns:
    order = np.argsort(columns.names, kind="stable")
    return Columns(*(_taken(getattr(columns, field), order) for field in FIELDS))


# Copying a million names takes long, and NumPy keeps the interpreter meanwhile: so both go in pieces.


def _concatenated(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    joined = np.empty(sum(map(len, parts)), np.result_type(*parts))
    start = 0
    for part in parts:
        for at in range(0, len(part), _PIECE):
            piece = part[at : at + _PIECE]
            joined[start : start + len(piece)] = piece
            start += len(piece)
    return joined


def _taken(column: NDArray[Any], order: Rows) -> NDArray[Any]:
    taken = np.empty(len(order), column.dtype)
    for at in range(0, len(order), _PIECE):
        taken[at : at + _PIECE] = column[order[at : at + _PIECE]]
    return taken
