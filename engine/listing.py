"""The entries of a tar file as columns, and how they come together while its headers are walked."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.tarheader import (
    BLOCK,
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    GNU_SPARSE,
    Decoded,
    decimal,
    decode,
    ids_of,
    integer,
    number,
)

WHITEOUT, OPAQUE, SPARSE = 1, 2, 4
"""Flags: the name hides one of a lower layer, or all of its folder there; the file's holes are not stored."""
ENTRY_LIMIT = 2_000_000
"""Entries of the longest listing."""
NAME_LIMIT = 4096
"""Bytes of the longest name and link target that are kept."""
_TEXT_LIMIT = 512 << 20
"""Bytes of all names and targets together."""
_NOTES = 1000
"""The most notes that are kept."""
_BATCH = 2048
"""Headers that are taken apart at once."""
_MARK = b".wh."
_OF_HOLES = frozenset({b"GNU.sparse.major", b"GNU.sparse.map", b"GNU.sparse.size", b"GNU.sparse.realsize"})
"""One of these is in each extended header of a file without its holes, in all versions of GNU tar's format."""


class Ending(Enum):
    """Where a listing ended."""

    WHOLE = "at two empty blocks, as it should"
    ONE_BLOCK = "at one empty block instead of two"
    NO_BLOCKS = "at the end of the data, without an empty block"
    CUT = "in the middle of an entry"
    DAMAGED = "at something that is no header"
    NO_TAR = "at its beginning, which is no header"
    TOO_MANY = "at the largest number of entries"
    TOO_LONG = "at the largest amount of names"

    @property
    def complete(self) -> bool:
        """Whether every entry is in the listing."""
        return self in (Ending.WHOLE, Ending.ONE_BLOCK, Ending.NO_BLOCKS)


class Oddity(Enum):
    """Something in a tar file that should not be, although its entries can be listed."""

    LONG_NAME = "a name is too long to be kept whole"
    NUMBER = "a number cannot be read"
    RECORDS = "an extended header cannot be read"
    LARGE_RECORDS = "an extended header is too large to be read"
    DANGLING = "an extended header belongs to no entry"


class Note(NamedTuple):
    """An oddity, the row of its entry, and the offset of its header in the stream."""

    oddity: Oddity
    row: int
    offset: int


class Listing(msgspec.Struct, frozen=True):
    """The entries of a tar file as columns, in their order, and how it ended.

    ``text`` holds every name, each followed by its link target. Types are those of ``tarheader``; what is of before
    POSIX is REGULAR or DIRECTORY. ``sizes`` are those of the unpacked files, ``offsets`` where their data begins in the
    stream. Times are seconds since 1970; users and groups beyond 32 bits are the largest. ``devices`` has major and
    minor number by row, ``end`` is the offset where the listing ended, and ``trailing`` tells whether anything but zeros
    follows its empty blocks.
    """

    text: bytes
    starts: NDArray[np.uint32]  # one more than there are rows
    targets: NDArray[np.uint32]  # where in the text the name ends and the target begins
    types: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    modes: NDArray[np.uint16]
    uids: NDArray[np.uint32]
    gids: NDArray[np.uint32]
    mtimes: NDArray[np.int64]
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    devices: Mapping[int, tuple[int, int]]
    ending: Ending
    end: int
    trailing: bool
    notes: tuple[Note, ...]

    @property
    def count(self) -> str:
        """How many entries there are, in words."""
        return "1 entry" if len(self) == 1 else f"{len(self):,} entries"

    def __len__(self) -> int:
        return len(self.types)

    def name(self, row: int) -> bytes:
        """The name as it is written."""
        return self.text[self.starts[row] : self.targets[row]]

    def target(self, row: int) -> bytes:
        """What a link leads to, as it is written; empty for what is no link."""
        return self.text[self.targets[row] : self.starts[row + 1]]

    def names(self, first: int, last: int) -> list[bytes]:
        """The names of the rows from ``first`` to before ``last``."""
        spans = zip(self.starts[first:last].tolist(), self.targets[first:last].tolist(), strict=False)
        return [self.text[start:end] for start, end in spans]


class Extra(NamedTuple):
    """What is known of an entry beside its header: its type, its name, and the length of what is before its data."""

    kind: int
    records: Mapping[bytes, bytes]
    name: bytes
    length: int


class Gathered:
    """The entries so far: the headers of the last ones, and columns of those before."""

    def __init__(self, limit: int) -> None:
        self.ending: Ending | None = None
        self._end = 0
        self._trailing = False
        self._limit = limit
        self.content_end = 0
        """Where the content of the last entry ends."""
        self._rows = 0
        self._text_size = 0
        self._notes: list[Note] = []
        self._heads: list[bytes] = []
        self._places: list[int] = []
        self._sizes: list[int] = []
        self._extras: dict[int, Extra] = {}
        self._devices: dict[int, tuple[int, int]] = {}
        self._texts: list[bytes] = []
        self._columns: list[tuple[NDArray[Any], ...]] = []

    def add(self, head: bytes, place: int, size: int, extra: Extra | None = None) -> None:
        """Take an entry in: its header, where in the stream that is, and the size of the file."""
        if extra is not None:
            self._extras[len(self._heads)] = extra
        self.content_end = place + BLOCK + size
        self._heads.append(head)
        self._places.append(place)
        self._sizes.append(size)
        if len(self._heads) >= _BATCH:
            self._flush()

    def note(self, oddity: Oddity, offset: int) -> None:
        """Remember an oddity of the entry that is taken in next."""
        self._note(Note(oddity, self._rows + len(self._heads), offset))

    def stop(self, ending: Ending, offset: int) -> None:
        """Say where the listing ends."""
        self.ending, self._end = ending, offset

    def look_behind(self, block: bytes) -> None:
        """Look through what follows the end."""
        if self.ending in (Ending.WHOLE, Ending.ONE_BLOCK) and not self._trailing:
            self._trailing = bool(np.frombuffer(block, np.uint8).any())

    def listing(self) -> Listing:
        """All of it."""
        self._flush()
        assert self.ending is not None
        columns = (np.concatenate(parts) for parts in zip(*self._columns, strict=True))
        lengths, targets, types, flags, modes, uids, gids, mtimes, sizes, offsets = columns
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths + targets)])
        return Listing(
            text=b"".join(self._texts),
            starts=starts.astype(np.uint32),
            targets=(starts[:-1] + lengths).astype(np.uint32),
            types=types,
            flags=flags,
            modes=modes,
            uids=uids,
            gids=gids,
            mtimes=mtimes,
            sizes=sizes,
            offsets=offsets,
            devices=self._devices,
            ending=Ending.NO_TAR if self.ending is Ending.DAMAGED and not self._end else self.ending,
            end=self._end,
            trailing=self._trailing,
            notes=tuple(note for note in self._notes if note.offset < self._end),
        )

    def _note(self, note: Note) -> None:
        if len(self._notes) < _NOTES:
            self._notes.append(note)

    def _flush(self) -> None:
        """Take the last headers apart."""
        heads, places = self._heads, self._places
        decoded = decode(heads)
        count = min(decoded.good, self._limit - self._rows)
        if count < len(heads):
            self.stop(Ending.DAMAGED if count == decoded.good else Ending.TOO_MANY, places[count])
            self._trailing = False
        flags = np.zeros(len(heads), np.uint8)
        offsets = np.array(places, np.int64) + BLOCK
        for row in decoded.odd:
            self._note(Note(Oddity.NUMBER, self._rows + row, places[row]))
        for row, extra in self._extras.items():
            offsets[row] += extra.length
            self._apply(extra, decoded, row, flags)
        for row in np.flatnonzero((decoded.types == CHARACTER_DEVICE) | (decoded.types == BLOCK_DEVICE)).tolist():
            self._devices[self._rows + row] = number(heads[row][329:337]) or 0, number(heads[row][337:345]) or 0
        names, targets = decoded.names[:count], decoded.targets[:count]
        _mark_whiteouts(names, flags)
        pieces = [b""] * (2 * count)
        pieces[::2], pieces[1::2] = names, targets
        joined = b"".join(pieces)
        if self._text_size + len(joined) > _TEXT_LIMIT:
            self.stop(Ending.TOO_LONG, places[0])
            count, joined = 0, b""
        self._texts.append(joined)
        self._text_size += len(joined)
        lengths, lengths_of_targets = (
            np.fromiter(map(len, part[:count]), np.int64, count) for part in (names, targets)
        )
        of_rows = (decoded.types, flags, decoded.modes, decoded.uids, decoded.gids, decoded.mtimes)
        sizes = np.array(self._sizes, np.int64)
        rows = tuple(column[:count] for column in (*of_rows, sizes, offsets))
        self._columns.append((lengths, lengths_of_targets, *rows))
        self._rows += count
        self._heads, self._places, self._sizes, self._extras = [], [], [], {}

    def _apply(self, extra: Extra, decoded: Decoded, row: int, flags: NDArray[np.uint8]) -> None:
        """Let extended headers have their say."""
        records, place = extra.records, self._places[row]
        decoded.types[row] = extra.kind
        target = records.get(b"K") or records.get(b"linkpath") or decoded.targets[row]
        if len(extra.name) > NAME_LIMIT or len(target) > NAME_LIMIT:
            self._note(Note(Oddity.LONG_NAME, self._rows + row, place))
        decoded.names[row], decoded.targets[row] = extra.name[:NAME_LIMIT], target[:NAME_LIMIT]
        if extra.kind == GNU_SPARSE or not _OF_HOLES.isdisjoint(records):
            flags[row] |= SPARSE
        for key, column in ((b"uid", decoded.uids), (b"gid", decoded.gids), (b"mtime", decoded.mtimes)):
            if records.get(key):
                said = decimal(records[key]) if column is decoded.mtimes else integer(records[key])
                if said is None:
                    self._note(Note(Oddity.NUMBER, self._rows + row, place))
                else:
                    column[row] = said if column is decoded.mtimes else ids_of(np.array([said]))[0]


def _mark_whiteouts(names: Sequence[bytes], flags: NDArray[np.uint8]) -> None:
    """Flag the names that say something of a lower layer (image-spec ``layer.md``, Whiteouts)."""
    if _MARK not in b"\0".join(names):
        return
    for row, name in enumerate(names):
        base = name.rstrip(b"/").rpartition(b"/")[2]
        if base == b".wh..wh..opq":
            flags[row] |= OPAQUE
        elif base.startswith(_MARK) and not base.startswith(b".wh..wh."):
            flags[row] |= WHITEOUT
