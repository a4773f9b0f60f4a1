"""Tables of layers in the user's cache folder, by the layer's digest, so that a layer is read to its end only once.

A file is one zstd frame with a checksum: a head that says what the table is, then its columns. Nothing is believed
without a look: what is not exactly as it was written counts as not there, and losing the folder costs a second reading,
nothing else. Tables of layers whose digest did not match are never kept.
"""

import os
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.decompress import Compression, Stop
from engine.digest import Digest
from engine.errors import InvalidDigest
from engine.listing import ENTRY_LIMIT, NAME_LIMIT, Ending, Listing, Note, Oddity
from engine.tarheader import LARGEST

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FOLDER_SIZE = 512 << 20
"""Bytes that all tables may take together; the ones that were not asked for the longest go first."""
_LOOKS = 8
"""So often at the least the folder is looked through while as much is written as it may hold."""
_LARGEST_TABLE = 256 << 20
"""Bytes of the largest table before it is compressed."""
_VERSION = 1
_SETTLE_S = 2
"""Seconds within which two changes of a file may get the same time, on the coarsest file systems."""
_LEVEL = 3
_ENDING = ".layer"
_UNREADABLE = (OSError, ValueError, EOFError, MemoryError, zstd.ZstdError, msgspec.DecodeError)
"""Whatever a damaged file lets the readers raise."""

Stamp = tuple[int, int, int, int]
"""Device, inode, size and time in nanoseconds of a blob's file: as long as these stay, its content does."""


class LayerTable(msgspec.Struct, frozen=True, eq=False):
    """What a layer holds, and how far it could be read.

    ``is_sound`` tells whether its digest was right, None where nobody can compute it. ``diff_id`` is the digest of the
    unpacked layer, empty where it could not be unpacked whole. ``packed`` and ``unpacked`` are sizes in bytes, ``stop``
    says why unpacking ended, and ``listing.ending`` why the list of files did. ``stamp`` is the file it was read from.
    """

    digest: str
    stamp: Stamp
    is_sound: bool | None
    diff_id: str
    compression: Compression
    stop: Stop
    packed: int
    unpacked: int
    listing: Listing

    @property
    def complete(self) -> bool:
        """Whether every entry is in the listing."""
        return self.stop is Stop.WHOLE and self.listing.ending.complete

    @property
    def trouble(self) -> str:
        """What is wrong with the layer, in a sentence; empty where nothing is."""
        count = self.listing.count
        if self.listing.ending is Ending.NO_TAR:
            return "This is not a tar file, so there is nothing to list."
        if self.stop is not Stop.WHOLE:
            return f"Only {count} could be read: {self.stop.value}."
        if not self.listing.ending.complete:
            return f"Only {count} could be read: the list of files ends {self.listing.ending.value}."
        if self.is_sound is False:
            return "The layer is corrupt: what it holds is not what its digest names."
        return ""


class _Head(msgspec.Struct, array_like=True):
    """Everything of a table but its columns."""

    version: int
    digest: str
    stamp: Stamp
    diff_id: str
    compression: Compression
    stop: Stop
    packed: int
    unpacked: int
    rows: int
    text: int
    ending: Ending
    end: int
    trailing: bool
    devices: dict[int, tuple[int, int]]
    notes: list[tuple[Oddity, int, int]]


def load_table(folder: Path, digest: str) -> LayerTable | None:
    """What is remembered of a layer; None where nothing is, or nothing that can be believed."""
    try:
        path = _place(folder, digest)
        if path.stat().st_size > _LARGEST_TABLE:
            return None
        table = _unpacked(path.read_bytes(), digest)
        os.utime(path)  # so that it is among the last to go
    except (*_UNREADABLE, InvalidDigest):
        return None
    return table


def save_table(folder: Path, table: LayerTable) -> None:
    """Remember a table, where that is worth it; raises ``OSError`` where the folder cannot be written."""
    if not table.is_sound:
        return
    content = _packed(table, time.time())
    if content is None:
        return
    target = _place(folder, table.digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed, so that others read the old or the new one, never half of one.
    handle, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _make_room_for(target.parent, len(content))


def _place(folder: Path, digest: str) -> Path:
    """The file of a layer's table; a digest is safe as a name when it was parsed."""
    parsed = Digest.parse(digest)
    return folder / "layers" / f"{parsed.algorithm}-{parsed.encoded}{_ENDING}"


_sizes: dict[Path, tuple[int, int]] = {}
"""Of each folder the bytes in it when it was last looked through, and those that were written since."""
_sizes_lock = threading.Lock()


def _make_room_for(folder: Path, size: int) -> None:
    """So many bytes were written: look through the folder where they may be too many, and now and then anyway.

    Looking takes as long as there are tables, so doing it each time would take the longer the more layers a store has.
    """
    with _sizes_lock:
        before, since = _sizes.get(folder, (FOLDER_SIZE, 0))
        since += size
        _sizes[folder] = before, since
    if before + since > FOLDER_SIZE or since > FOLDER_SIZE // _LOOKS:
        left = _make_room(folder)
        with _sizes_lock:
            _sizes[folder] = left, 0


def _make_room(folder: Path) -> int:
    """Remove what was not asked for the longest, and what a crash has left behind; returns the bytes that are left."""
    found, now, left = [], time.time(), 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            is_leftover = not entry.name.endswith(_ENDING) and now - status.st_mtime > 3600
            found.append((0 if is_leftover else status.st_mtime_ns, status.st_size, entry.path, is_leftover))
        left = sum(size for _, size, _, _ in found)
        for _, size, path, is_leftover in sorted(found):
            if left <= FOLDER_SIZE and not is_leftover:
                break
            left -= size
            Path(path).unlink(missing_ok=True)
    return left


def _packed(table: LayerTable, now: float) -> bytes | None:
    """The table as bytes; None for one too large to be kept."""
    listing = table.listing
    # What was read in the moment of the file's last change may have changed once more in that moment.
    settled = abs(now - table.stamp[3] / 1e9) > _SETTLE_S
    head = _Head(
        version=_VERSION,
        digest=str(table.digest),
        stamp=table.stamp if settled else (0, 0, 0, 0),
        diff_id=table.diff_id,
        compression=table.compression,
        stop=table.stop,
        packed=table.packed,
        unpacked=table.unpacked,
        rows=len(listing),
        text=len(listing.text),
        ending=listing.ending,
        end=listing.end,
        trailing=listing.trailing,
        devices=dict(listing.devices),
        notes=[(note.oddity, note.row, note.offset) for note in listing.notes],
    )
    starts = listing.starts.astype(np.int64)
    columns = (
        (listing.targets - starts[:-1]).astype(np.uint16),
        (starts[1:] - listing.targets).astype(np.uint16),
        *(getattr(listing, name) for name in _PLAIN),
        np.diff(listing.offsets, prepend=0),
    )
    packed = msgspec.msgpack.encode(head)
    parts = [len(packed).to_bytes(4, "little"), packed, *(column.tobytes() for column in columns), listing.text]
    if sum(map(len, parts)) > _LARGEST_TABLE:
        return None
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: _LEVEL,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    return zstd.compress(b"".join(parts), options=options)


def _unpacked(content: bytes, digest: str) -> LayerTable:
    """The table; raises one of ``_UNREADABLE`` where anything about it is not as it should be."""
    decoder = zstd.ZstdDecompressor()
    data = decoder.decompress(content, _LARGEST_TABLE)
    if not decoder.eof or decoder.unused_data:
        raise ValueError("not one whole frame")
    first = 4 + int.from_bytes(data[:4], "little")
    head = msgspec.msgpack.decode(data[4:first], type=_Head)
    rows = head.rows
    whole = first + rows * sum(np.dtype(kind).itemsize for kind in _KINDS) + head.text
    if head.version != _VERSION or head.digest != digest or not 0 <= rows <= ENTRY_LIMIT or len(data) != whole:
        raise ValueError("not the table that was asked for")
    columns = []
    for kind in _KINDS:
        columns.append(np.frombuffer(data, kind, rows, first))
        first += rows * np.dtype(kind).itemsize
    lengths, links, types, flags, modes, uids, gids, mtimes, sizes, steps = columns
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths.astype(np.int64) + links)])
    offsets = np.cumsum(steps)
    if starts[-1] != head.text or (rows and not _is_possible(lengths, links, sizes, offsets, mtimes)):
        raise ValueError("columns that contradict each other")
    listing = Listing(
        text=data[first:],
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
        devices=head.devices,
        ending=head.ending,
        end=head.end,
        trailing=head.trailing,
        notes=tuple(Note(*note) for note in head.notes),
    )
    return LayerTable(
        digest=digest,
        stamp=head.stamp,
        is_sound=True,
        diff_id=head.diff_id,
        compression=head.compression,
        stop=head.stop,
        packed=head.packed,
        unpacked=head.unpacked,
        listing=listing,
    )


def _is_possible(
    lengths: NDArray[np.uint16],
    links: NDArray[np.uint16],
    sizes: NDArray[np.int64],
    offsets: NDArray[np.int64],
    mtimes: NDArray[np.int64],
) -> bool:
    """Whether no number is beyond what a listing can have."""
    names = max(int(lengths.max()), int(links.max())) <= NAME_LIMIT
    places = int(offsets.min()) > 0 and int(offsets.max()) < LARGEST
    values = (
        int(sizes.min()) >= 0
        and int(sizes.max()) < LARGEST
        and -LARGEST < int(mtimes.min()) <= int(mtimes.max()) < LARGEST
    )
    return names and places and values


_PLAIN = ("types", "flags", "modes", "uids", "gids", "mtimes", "sizes")
_KINDS = ("<u2", "<u2", "u1", "u1", "<u2", "<u4", "<u4", "<i8", "<i8", "<i8")
"""Lengths of names and targets, the plain columns, and how far from the one before each entry's data begins."""
