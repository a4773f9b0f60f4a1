"""The headers of gzip, zstd and tar files, found one after the other: where they are, and what they say.

Told by the bytes, never by what a document calls them.
"""

from collections.abc import Callable, Iterator

from engine.decompress import Compression, detect
from engine.headers.fields import Field, FieldKind, Part
from engine.headers.gzip_members import gzip_parts
from engine.headers.tar_entries import is_tar, tar_parts
from engine.headers.zstd_frames import zstd_parts
from engine.progress import Progress
from engine.tarheader import BLOCK

__all__ = ["Field", "FieldKind", "HeaderWalk", "Part"]

MOST_PARTS = 10_000
"""Parts of a file that are told; their headers are kept in memory."""
MOST_KEPT = 32 << 20
"""Bytes of these headers together; whoever makes them long has fewer parts told."""

ReadBytes = Callable[[int, int, Progress], bytes]


class HeaderWalk:
    """Finds the parts of one file. Its methods may be called from any thread, one at a time."""

    def __init__(self, read: ReadBytes, size: int) -> None:
        """``read`` gives the bytes from an offset on, of a length, of ``size`` bytes."""
        self._read = read
        self._size = size
        self._progress = Progress()
        self._parts: Iterator[Part] | None = None
        self.format = ""
        """What the file is, once something of it was read; empty where it is none of the three."""
        self.found = 0
        """Parts that were found."""
        self.covered = 0
        """Where the last of them ends."""
        self.is_done = False
        """Whether there are no more, or no more are told."""
        self.is_full = False
        """Whether no more are told because so many were found."""
        self._kept = 0

    def more(self, progress: Progress, *, count: int, beyond: int = 0) -> list[Part]:
        """The next parts: so many, or until they cover what is before the offset ``beyond``.

        Raises what ``read`` raises, and ``Cancelled``; nothing more is found then.
        """
        self._progress = progress
        if self._parts is None:
            self._parts = self._begin()
        found: list[Part] = []
        while not self.is_done and (len(found) < count or self.covered < beyond):
            progress.check()
            part = next(self._parts, None)
            if part is None:
                self.is_done = True
                break
            found.append(part)
            self.found += 1
            self.covered = part.end
            self._kept += len(part.raw)
            self.is_done = self.is_full = self.found >= MOST_PARTS or self._kept >= MOST_KEPT
        return found

    def _begin(self) -> Iterator[Part]:
        head = self._part_of_it(0, BLOCK)
        compression = detect(head)
        finders = {Compression.GZIP: ("gzip", gzip_parts), Compression.ZSTD: ("zstd", zstd_parts)}
        if is_tar(head):
            self.format, find = "tar", tar_parts
        elif compression in finders:
            self.format, find = finders[compression]
        else:
            return iter(())
        return find(self._part_of_it, self._size)

    def _part_of_it(self, offset: int, length: int) -> bytes:
        self._progress.check()
        length = min(length, self._size - offset)
        return self._read(offset, length, self._progress) if length > 0 else b""
