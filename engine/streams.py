"""Content on its way: hashed while it passes, checked at its end."""

import errno
import io
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.digest import Digest
from engine.directory import explained
from engine.durable import start_writeback, write_all
from engine.errors import BlobUnreadable, DigestMismatch, SizeMismatch
from engine.progress import Progress

if TYPE_CHECKING:
    from hashlib import _Hash

BLOCK = 1 << 20
"""Bytes that are read, hashed and written at a time: large enough that the interpreter lock is mostly free."""
_BLOCKS = 4
_WRITEBACK_BLOCKS = 8


class VerifiedReader(io.RawIOBase):
    """Reads one blob and raises at its end when size or digest are not what they should be.

    What was read before the end is not to be trusted yet. Closing early checks nothing. Raises ``DigestMismatch``,
    ``SizeMismatch``, and ``BlobUnreadable`` where the disk fails.
    """

    def __init__(self, fd: int, digest: Digest, size: int | None = None) -> None:
        super().__init__()
        self._fd = fd
        self._digest = digest
        self._size = size
        self._read = 0
        self._hasher = digest.hasher()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            found = os.readv(self._fd, [view])
        except OSError as error:
            raise unreadable(self._digest, error) from error
        self._read += found
        self._hasher.update(view[:found])
        if self._size is not None and (self._read > self._size or (not found and self._read < self._size)):
            raise wrong_size(self._digest, self._size, os.fstat(self._fd).st_size)
        if not found and len(view):
            check_digest(self._digest, self._hasher)
        return found

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


def receive(source: BinaryIO, fd: int, hasher: "_Hash", limit: int | None, progress: Progress | None) -> int:
    """Copy a source into a file while a helper thread hashes it; return the number of bytes.

    Raises ``SizeMismatch`` as soon as there are more than ``limit`` bytes, ``StorageFailed`` where the source cannot
    be read, and ``OSError`` where the file cannot be written.
    """
    blocks = [bytearray(BLOCK) for _ in range(_BLOCKS)]
    hashing: deque[Future[None]] = deque()
    written = flushed = 0
    with ThreadPoolExecutor(1, "hash") as helper:
        for number in count():
            if len(hashing) == _BLOCKS:  # the oldest block is the one that is filled next
                hashing.popleft().result()
            block = blocks[number % _BLOCKS]
            found = _fill(source, block)
            if not found:
                break
            view = memoryview(block)[:found]
            hashing.append(helper.submit(hasher.update, view))
            if limit is not None and written + found > limit:
                raise SizeMismatch(
                    f"The content is longer than the {limit} bytes that were announced.",
                    expected=f"{limit} bytes",
                    found="more",
                )
            write_all(fd, view)
            written += found
            if written - flushed >= _WRITEBACK_BLOCKS * BLOCK:
                start_writeback(fd, flushed, written - flushed)
                flushed = written
            if progress is not None:
                progress.advance(found)
    for last in hashing:
        last.result()
    return written


def hash_file(fd: int, digest: Digest, progress: Progress | None = None) -> Digest:
    """The digest that an open file's content really has; ``progress`` is asked only whether to stop."""
    hasher = digest.hasher()
    buffer = memoryview(bytearray(BLOCK))
    offset = 0
    while found := os.preadv(fd, [buffer], offset):
        hasher.update(buffer[:found])
        offset += found
        if progress is not None:
            progress.check()
    return Digest(f"{digest.algorithm}:{hasher.hexdigest()}")


def check_digest(digest: Digest, hasher: "_Hash") -> None:
    """Raise ``DigestMismatch`` unless what was hashed has the digest."""
    if hasher.hexdigest() != digest.encoded:
        raise wrong_digest(digest, f"{digest.algorithm}:{hasher.hexdigest()}")


def wrong_digest(digest: Digest, found: str) -> DigestMismatch:
    """What to raise when the content of ``digest`` hashes to ``found``."""
    return DigestMismatch(
        f"{digest.short} holds other content than its name says.",
        place=digest,
        expected=digest,
        found=found,
        remedy="Import the right content again; it replaces the bad copy.",
    )


def wrong_size(digest: Digest, expected: int, found: int) -> SizeMismatch:
    """What to raise when the content of ``digest`` has ``found`` bytes instead of ``expected``."""
    return SizeMismatch(
        f"{digest.short} has {found} bytes, not {expected}.",
        place=digest,
        expected=f"{expected} bytes",
        found=f"{found} bytes",
        remedy="Import the right content again; it replaces the bad copy.",
    )


def unreadable(digest: Digest, error: OSError) -> BlobUnreadable:
    """What to raise when the file of ``digest`` cannot be read."""
    reason = os.strerror(error.errno or errno.EIO)
    return BlobUnreadable(f"{digest.short} cannot be read: {reason}.", place=digest, found=reason)


def _fill(source: BinaryIO, block: bytearray) -> int:
    """Read into a block what the source gives at once; 0 at its end."""
    with explained("Reading", str(getattr(source, "name", "the source"))):
        if isinstance(source, io.RawIOBase | io.BufferedIOBase):
            found = source.readinto(block)
            if found is None:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            return found
        piece = source.read(len(block))
        block[: len(piece)] = piece
        return len(piece)
