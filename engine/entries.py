"""What lies in a folder of blobs: names, their kinds, and what the file system knows of each without opening it."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from enum import IntEnum
from itertools import islice

import msgspec

from engine.directory import Directory, explained
from engine.durable import TRASH_NAME

BATCH = 4096
"""Entries that are handed out at a time, at most."""


class EntryKind(IntEnum):
    """What a name below the blobs folder stands for."""

    BLOB = 0
    JUNK = 1
    """Not a blob's name at all: other tools' temporary files, strangers of any kind."""
    WRONG_NAME = 2
    """A regular file named almost like a blob of that folder: wrong length, upper case."""
    NOT_REGULAR = 3
    """A blob's name, but a link, a folder, a pipe, a socket or a device."""


class BlobEntry(msgspec.Struct, frozen=True, gc=False):
    """One name below the blobs folder, with what the file system knows about it.

    ``name`` is a digest for ``BLOB`` and ``NOT_REGULAR``, else the path below the blobs folder, in which bytes that are
    no UTF-8 stand as surrogates.
    """

    name: str
    kind: EntryKind
    status: os.stat_result

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.status.st_size

    @property
    def mtime_ns(self) -> int:
        """When the content last changed, in nanoseconds since 1970."""
        return mtime_of(self.status)

    @property
    def inode(self) -> int:
        return self.status.st_ino

    @property
    def nlink(self) -> int:
        """Hard links to the file."""
        return self.status.st_nlink


class Batch(msgspec.Struct, frozen=True):
    """Entries of one folder as columns: of very many, that is quicker than a thing for each."""

    names: list[str]
    kinds: list[EntryKind]
    statuses: list[os.stat_result]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[BlobEntry]:
        return map(BlobEntry, self.names, self.kinds, self.statuses)


Batches = Iterator[Batch]
"""Entries as they are found, a few thousand at a time."""

_EARLIEST, _LATEST = -1 << 63, (1 << 63) - 1
_ALGORITHM = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*")
_ENCODED = re.compile(r"[a-zA-Z0-9=_-]+")
_HEX_LENGTHS = {"sha256": 64, "sha512": 128, "blake3": 64}
_HEX_DIGITS = b"0123456789abcdef"
_REGISTERED = {name: re.compile(f"[0-9a-f]{{{length}}}") for name, length in _HEX_LENGTHS.items()}
_NEARLY = {name: re.compile(f"[0-9a-fA-F]{{32,{length}}}") for name, length in _HEX_LENGTHS.items()}


def is_algorithm(name: str) -> bool:
    """Whether a folder of that name holds the blobs of an algorithm."""
    return _ALGORITHM.fullmatch(name) is not None


def list_entries(folder: Directory, algorithm: str) -> Batches:
    """Everything in an algorithm's folder, in the file system's order; raises ``StorageFailed``."""
    with explained("Listing", folder.path), folder.scan() as entries:
        while found := list(islice(entries, BATCH)):
            try:
                statuses = [entry.stat(follow_symlinks=False) for entry in found]
            except FileNotFoundError:
                found, statuses = _still_there(found)
            names = [entry.name for entry in found]
            if _are_blobs(algorithm, names, statuses):
                yield Batch([f"{algorithm}:{name}" for name in names], [EntryKind.BLOB] * len(names), statuses)
            elif len(batch := _sorted_out(algorithm, names, statuses)):
                yield batch


def _still_there(found: "list[os.DirEntry[str]]") -> "tuple[list[os.DirEntry[str]], list[os.stat_result]]":
    """What did not vanish while it was being listed."""
    there, statuses = [], []
    for entry in found:
        with suppress(FileNotFoundError):
            statuses.append(entry.stat(follow_symlinks=False))
            there.append(entry)
    return there, statuses


def _are_blobs(algorithm: str, names: list[str], statuses: list[os.stat_result]) -> bool:
    """Whether all of these are blobs, as in nearly every folder they are: asked of all at once."""
    return (
        {len(name) for name in names} == {_HEX_LENGTHS.get(algorithm)}
        and not "".join(names).encode("ascii", "replace").translate(None, _HEX_DIGITS)
        and all(stat.S_ISREG(mode) for mode in {status.st_mode for status in statuses})
    )


def _sorted_out(algorithm: str, names: list[str], statuses: list[os.stat_result]) -> Batch:
    """The same with the kind of each, without our trash."""
    is_blob = _REGISTERED.get(algorithm, _ENCODED).fullmatch
    batch = Batch([], [], [])
    for name, status in zip(names, statuses, strict=True):
        if name == TRASH_NAME:
            continue
        if is_blob(name):
            kind = EntryKind.BLOB if stat.S_ISREG(status.st_mode) else EntryKind.NOT_REGULAR
            name = f"{algorithm}:{name}"
        else:
            kind, name = _kind_of_stray(algorithm, name, status), f"{algorithm}/{name}"
        batch.names.append(name)
        batch.kinds.append(kind)
        batch.statuses.append(status)
    return batch


def mtime_of(status: os.stat_result) -> int:
    """When the content last changed, in nanoseconds that fit a column."""
    return in_column(status.st_mtime_ns)


def in_column(time_ns: int) -> int:
    """A time that fits a column; the years 1678 to 2262 do, others are cut."""
    return time_ns if _EARLIEST <= time_ns <= _LATEST else max(_EARLIEST, min(time_ns, _LATEST))


def _kind_of_stray(algorithm: str, name: str, status: os.stat_result) -> EntryKind:
    nearly = _NEARLY.get(algorithm)
    if nearly is not None and nearly.fullmatch(name) and stat.S_ISREG(status.st_mode):
        return EntryKind.WRONG_NAME
    return EntryKind.JUNK
