"""Content on its way: hashed while it passes, checked at its end."""

import errno
import io
import os
import stat
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.digest import Digest
from engine.directory import explained
from engine.durable import start_writeback, write_all
from engine.errors import BlobUnreadable, DigestMismatch, SizeMismatch
from engine.progress import Progress

if TYPE_CHECKING:
    from hashlib import _Hash

BLOCK = 1 << 20
"""Bytes that are read and hashed at a time: large enough that the interpreter lock is mostly free."""
_CHUNK = 8 << 20
"""Bytes that the kernel copies at a time from one file to another."""
_BEHIND = 16
"""Chunks by which the hashing may be behind the copying."""


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
        if self.closed:  # the number of the descriptor may be that of another file by now
            raise ValueError("reading from a closed blob")
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
    """Copy a source into a new file; return the number of bytes.

    A helper thread hashes what has arrived in the file, right behind the copying; the kernel is asked to write it to
    the disk meanwhile. Raises ``SizeMismatch`` soon after there are more than ``limit`` bytes, ``StorageFailed`` where
    the source cannot be read, and ``OSError`` where the file cannot be written.
    """
    copy = _Copy(source, fd)
    hashing: deque[Future[None]] = deque()
    helper = ThreadPoolExecutor(1, "hash")
    try:
        while found := copy.more():
            start_writeback(fd, copy.written - found, found)
            hashing.append(helper.submit(_hash_range, fd, hasher, copy.written - found, copy.written))
            if limit is not None and copy.written > limit:
                raise SizeMismatch(
                    f"{_name_of(source, 'The content')} is longer than the {limit:,} bytes that were announced.",
                    place=_name_of(source, ""),
                    expected=f"{limit:,} bytes",
                    found="more",
                )
            if len(hashing) > _BEHIND:
                hashing.popleft().result()
            if progress is not None:
                progress.advance(found)
        for last in hashing:
            last.result()
    finally:
        helper.shutdown(cancel_futures=True)
    return copy.written


class _Copy:
    """Moves a source into a file piece by piece; from file to file without a way through this program's memory."""

    def __init__(self, source: BinaryIO, fd: int) -> None:
        self.written = 0
        self._source = source
        self._fd = fd
        self._file = _file_behind(source)
        self._start = source.tell() if self._file >= 0 else 0
        self._block = bytearray()

    def more(self) -> int:
        """Copy the next piece; return its length, 0 at the end of the source."""
        found = self._send() if self._file >= 0 else -1
        if found < 0:
            piece = self._read()
            write_all(self._fd, piece)
            found = len(piece)
        self.written += found
        return found

    def _send(self) -> int:
        """Let the kernel copy; -1 where it cannot, and then reading and writing tell what is wrong, if anything is."""
        try:
            found = os.sendfile(self._fd, self._file, self._start + self.written, _CHUNK)
        except OSError:
            found = -1
        if found <= 0:
            self._source.seek(self._start + self.written)
            self._file = -1
        return found

    def _read(self) -> memoryview:
        """What the source gives at once; nothing at its end."""
        with explained("Reading", _name_of(self._source, "the source")):
            if not isinstance(self._source, io.RawIOBase | io.BufferedIOBase):
                return memoryview(self._source.read(BLOCK))
            self._block = self._block or bytearray(BLOCK)
            found = self._source.readinto(self._block)
            if found is None:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            return memoryview(self._block)[:found]


def _name_of(source: BinaryIO, otherwise: str) -> str:
    """What a message calls a source: its path, where it has one."""
    name = getattr(source, "name", None)
    return os.fspath(name) if isinstance(name, str | os.PathLike) else otherwise


def _file_behind(source: BinaryIO) -> int:
    """The descriptor of the regular file that a stream shows byte for byte, as no decompressing one does; else -1."""
    raw = source.raw if type(source) is io.BufferedReader else source
    if type(raw) is io.FileIO and stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return raw.fileno()
    return -1


def _hash_range(fd: int, hasher: "_Hash", start: int, end: int) -> None:
    buffer = memoryview(bytearray(min(BLOCK, end - start)))
    while start < end:
        found = os.preadv(fd, [buffer[: end - start]], start)
        if not found:
            raise OSError(errno.EIO, "a file of ours has been cut short")
        hasher.update(buffer[:found])
        start += found


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
        f"{digest.short} has {found:,} bytes, not {expected:,}.",
        place=digest,
        expected=f"{expected:,} bytes",
        found=f"{found:,} bytes",
        remedy="Import the right content again; it replaces the bad copy.",
    )


def unreadable(digest: Digest, error: OSError) -> BlobUnreadable:
    """What to raise when the file of ``digest`` cannot be read."""
    reason = os.strerror(error.errno or errno.EIO)
    return BlobUnreadable(f"{digest.short} cannot be read: {reason}.", place=digest, found=reason)
