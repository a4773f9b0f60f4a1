"""What lies in a folder of blobs: names, their kinds, and what the file system knows of each without opening it."""

import os
import re
import stat
from collections.abc import Iterator
from enum import IntEnum

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
    size: int
    mtime_ns: int
    inode: int
    nlink: int
    mode: int
    ctime_ns: int


Batches = Iterator[list[BlobEntry]]
"""Entries as they are found, a few thousand at a time."""

_EARLIEST, _LATEST = -1 << 63, (1 << 63) - 1
_ALGORITHM = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*")
_ENCODED = re.compile(r"[a-zA-Z0-9=_-]+")
_HEX_LENGTHS = {"sha256": 64, "sha512": 128, "blake3": 64}
_REGISTERED = {name: re.compile(f"[0-9a-f]{{{length}}}") for name, length in _HEX_LENGTHS.items()}
_NEARLY = {name: re.compile(f"[0-9a-fA-F]{{32,{length}}}") for name, length in _HEX_LENGTHS.items()}


def is_algorithm(name: str) -> bool:
    """Whether a folder of that name holds the blobs of an algorithm."""
    return _ALGORITHM.fullmatch(name) is not None


def list_entries(folder: Directory, algorithm: str) -> Batches:
    """Everything in an algorithm's folder, in the file system's order; raises ``StorageFailed``."""
    is_blob = _REGISTERED.get(algorithm, _ENCODED).fullmatch
    prefix, blob = f"{algorithm}:", EntryKind.BLOB
    batch: list[BlobEntry] = []
    with explained("Listing", folder.path), folder.scan() as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            name = entry.name
            if name == TRASH_NAME:
                continue
            if is_blob(name):
                kind = blob if stat.S_IFMT(status.st_mode) == stat.S_IFREG else EntryKind.NOT_REGULAR
                name = prefix + name
            else:
                kind, name = _kind_of_stray(algorithm, name, status), f"{algorithm}/{name}"
            batch.append(entry_of(name, kind, status))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def entry_of(name: str, kind: EntryKind, status: os.stat_result) -> BlobEntry:
    """An entry with what the file system says of it."""
    return BlobEntry(
        name,
        kind,
        status.st_size,
        _in_column(status.st_mtime_ns),
        status.st_ino,
        status.st_nlink,
        status.st_mode,
        _in_column(status.st_ctime_ns),
    )


def mtime_of(status: os.stat_result) -> int:
    """When the content last changed, in nanoseconds that fit a column."""
    return _in_column(status.st_mtime_ns)


def _in_column(time_ns: int) -> int:
    """A time that fits a column; the years 1678 to 2262 do, others are cut."""
    return time_ns if _EARLIEST <= time_ns <= _LATEST else max(_EARLIEST, min(time_ns, _LATEST))


def _kind_of_stray(algorithm: str, name: str, status: os.stat_result) -> EntryKind:
    nearly = _NEARLY.get(algorithm)
    if nearly is not None and nearly.fullmatch(name) and stat.S_ISREG(status.st_mode):
        return EntryKind.WRONG_NAME
    return EntryKind.JUNK
