"""``StoredFile``: parts of one file, of any size, as long as it stays the file that was first looked at.

It is opened anew for each part, so that nothing of a store is held open while somebody looks at it.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.directory import explained
from engine.errors import StoreChanged
from engine.progress import Progress

MOST_RANGES = 100_000
"""Stretches between holes that are told apart; a file with more counts as one."""

Ranges = list[tuple[int, int]]
"""Where stretches of a file start and end, in order."""


class StoredFile:
    """A regular file that was looked at once. Every method may be called from any thread."""

    def __init__(self, open_it: Callable[[], int], name: str) -> None:
        """``open_it`` gives a descriptor of it each time, ``name`` is for messages; raises whatever ``open_it`` does."""
        self._open_it = open_it
        self._name = name
        with self._opened() as handle:
            stamp = _stamp_of(handle)
        self.stamp = stamp
        """What tells it from another file, or from itself with other content."""
        self.size = self.stamp[2]
        """Bytes that it has."""

    def read(self, offset: int, length: int) -> bytes:
        """Part of it; fewer bytes only at its end.

        Raises ``StoreChanged`` when it is another file by now, ``StorageFailed``, and what opening it raises.
        """
        wanted = max(0, min(length, self.size - offset))
        with self._same() as handle:
            pieces: list[bytes] = []
            while wanted:
                piece = os.pread(handle, wanted, offset)
                if not piece:
                    raise self._changed()
                pieces.append(piece)
                offset += len(piece)
                wanted -= len(piece)
        return b"".join(pieces)

    def data_ranges(self, progress: Progress) -> Ranges:
        """The stretches between its holes, which are full of zeros and take no room on the disk. Raises as ``read`` does."""
        found: Ranges = []
        with self._same() as handle:
            place = 0
            while place < self.size:
                progress.check()
                try:
                    start = os.lseek(handle, place, os.SEEK_DATA)
                    place = os.lseek(handle, start, os.SEEK_HOLE)
                except OSError as error:
                    if error.errno == errno.ENXIO:  # what is left is a hole
                        break
                    return [(0, self.size)]  # not every file system tells
                found.append((start, min(place, self.size)))
                if len(found) > MOST_RANGES:
                    return [(0, self.size)]
        return found

    @contextmanager
    def _same(self) -> Iterator[int]:
        """The file, opened, if it still is the one that it was."""
        with self._opened() as handle:
            if _stamp_of(handle) != self.stamp:
                raise self._changed()
            yield handle

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with explained("Reading", self._name):
            handle = self._open_it()
            try:
                yield handle
            finally:
                os.close(handle)

    def _changed(self) -> StoreChanged:
        return StoreChanged(
            f"{self._name} is no longer the file that was read before.",
            place=self._name,
            expected=f"the file as it was, with {self.size:,} bytes",
            found="another one, or other content",
            remedy="Read it again to see what it is now.",
        )


def _stamp_of(handle: int) -> tuple[int, int, int, int]:
    status = os.fstat(handle)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
