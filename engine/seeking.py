"""Any part of what a layer unpacks to, without unpacking all that is before it each time.

Going through a gzip layer leaves marks behind: copies of zlib's state every few MiB, 40 KiB each, from which it can go on
later. A mark in a zstd layer can only be where a frame begins, because a zstd decoder cannot be copied; besides, the last
decoder is kept, for those who read on. ISA-L unpacks twice as fast as zlib and cannot be copied. rapidgzip does both and
was measured: it takes 180 to 250 MiB of memory where this takes 10.
"""

import os
import threading
import zlib
from collections.abc import Iterator
from typing import Protocol

import msgspec

from engine.decompress import Compression, zstd_decoder, zstd_error
from engine.progress import Progress

BLOCK = 1 << 18
"""Bytes that come out at a time, at most."""
_PIECE = 1 << 16
"""Bytes that go in at a time."""
_MARKS = 256
"""Marks of one layer, about 40 KiB each."""
_NEAR = 4 << 20
"""Bytes between two marks, at least."""


class Damaged(Exception):
    """The layer cannot be unpacked any further; ``place`` counts the unpacked bytes before."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


class _Decoder(Protocol):
    """What unpacks one gzip member or one zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def more(self, data: bytes) -> bytes: ...
    def copy(self) -> "_Decoder | None": ...


class _Gzip:
    """zlib, with what it has not taken in yet."""

    def __init__(self, decoder: "zlib._Decompress | None" = None) -> None:
        self._decoder = decoder or zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data if self.eof else self._decoder.unconsumed_tail

    def more(self, data: bytes) -> bytes:
        return self._decoder.decompress(data, BLOCK)

    def copy(self) -> "_Gzip":
        return _Gzip(self._decoder.copy())


class _Zstd:
    """zstd, which keeps to itself what it has not taken in yet."""

    def __init__(self) -> None:
        self._decoder = zstd_decoder()

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data if self.eof else b""

    def more(self, data: bytes) -> bytes:
        return self._decoder.decompress(data, BLOCK)

    def copy(self) -> None:
        return None


class _Mark(msgspec.Struct, frozen=True):
    """A place from which unpacking can go on: the unpacked bytes before it, the packed ones, and the state."""

    unpacked: int
    packed: int
    decoder: _Decoder | None


class _Cursor:
    """Unpacks from a mark on."""

    def __init__(self, handle: int, kind: type[_Gzip] | type[_Zstd], mark: _Mark) -> None:
        self.unpacked = mark.unpacked
        self.last = b""
        """What came out last: the next file often begins in the same block."""
        self._handle = handle
        self._kind = kind
        self._fed = mark.packed
        self._decoder = mark.decoder.copy() if mark.decoder is not None else None
        self._rest = b""  # what was read and not taken in
        self._members = mark.unpacked > 0

    def more(self) -> bytes:
        """The next bytes; none at the end. Raises ``Damaged``, ``OSError``."""
        while True:
            data = self._rest or self._read()
            self._rest = b""
            if self._decoder is None:
                while 0 < len(data) < 4 and (further := self._read()):
                    data += further
                if not data or (self._members and not _begins(data)):
                    self._rest = data  # what follows the last member is nothing that was packed
                    return b""
                self._decoder = self._kind()
            at_end = not data
            try:
                out = self._decoder.more(data)
            except (zlib.error, zstd_error) as error:
                raise Damaged(self.unpacked, "the compressed data is damaged") from error
            self._rest = self._decoder.unused_data
            if self._decoder.eof:
                self._decoder, self._members = None, True
            elif at_end and not out:
                raise Damaged(self.unpacked, "the compressed data ends too early")
            if out:
                self.unpacked += len(out)
                self.last = out
                return out

    def mark(self) -> _Mark | None:
        """This place; None where it cannot be marked."""
        decoder = self._decoder.copy() if self._decoder is not None else None
        if self._decoder is not None and decoder is None:
            return None
        return _Mark(self.unpacked, self._fed - len(self._rest), decoder)

    def _read(self) -> bytes:
        data = os.pread(self._handle, _PIECE, self._fed)
        self._fed += len(data)
        return data


def _begins(data: bytes) -> bool:
    """Whether another gzip member or zstd frame begins there."""
    is_skippable = data[1:4] == b"\x2a\x4d\x18" and 0x50 <= data[0] <= 0x5F
    return data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) or is_skippable


class SeekableLayer:
    """What an open layer unpacks to. Several threads may read at once; closed when nobody refers to it any more."""

    def __init__(self, handle: int, compression: Compression, size: int) -> None:
        """``handle`` is its own from now on; ``size`` is how much it unpacks to, as far as is known."""
        self.handle = handle
        self._kind = _KINDS.get(compression)
        self._spacing = max(_NEAR, size // _MARKS)
        self._marks = [_Mark(0, 0, None)]
        self._idle: _Cursor | None = None
        self._lock = threading.Lock()

    def __del__(self) -> None:
        os.close(self.handle)

    def stream(self, offset: int, length: int, progress: Progress) -> Iterator[bytes]:
        """At most ``length`` bytes from ``offset`` on, in pieces; fewer at the end of the layer.

        Raises ``Damaged``, ``OSError``, ``Cancelled``.
        """
        if self._kind is None:
            yield from self._plain(offset, length, progress)
            return
        cursor: _Cursor | None = self._start(self._kind, offset)
        assert cursor is not None
        try:
            end, out = offset + length, cursor.last
            while True:
                if cursor.unpacked > offset:
                    place = cursor.unpacked - len(out)
                    yield out[max(0, offset - place) : end - place]
                if cursor.unpacked >= end:
                    return
                progress.check()
                out = cursor.more()
                if not out:
                    return
                self._remember(cursor)
        except (Damaged, OSError):
            cursor = None  # nothing more comes from this one
            raise
        finally:
            if cursor is not None:
                with self._lock:
                    self._idle = cursor

    def _plain(self, offset: int, length: int, progress: Progress) -> Iterator[bytes]:
        end = offset + length
        while offset < end:
            progress.check()
            data = os.pread(self.handle, min(BLOCK, end - offset), offset)
            if not data:
                return
            offset += len(data)
            yield data

    def _start(self, kind: type[_Gzip] | type[_Zstd], offset: int) -> _Cursor:
        """A cursor from the nearest place before the offset: the one that is left from before, or a mark."""
        with self._lock:
            nearest = max((mark for mark in self._marks if mark.unpacked <= offset), key=lambda mark: mark.unpacked)
            idle = self._idle
            if idle is not None and nearest.unpacked <= idle.unpacked and idle.unpacked - len(idle.last) <= offset:
                self._idle = None
                return idle
            return _Cursor(self.handle, kind, nearest)

    def _remember(self, cursor: _Cursor) -> None:
        with self._lock:
            if len(self._marks) < 2 * _MARKS and cursor.unpacked >= self._marks[-1].unpacked + self._spacing:
                mark = cursor.mark()
                if mark is not None:
                    self._marks.append(mark)


_KINDS: dict[Compression, type[_Gzip] | type[_Zstd]] = {Compression.GZIP: _Gzip, Compression.ZSTD: _Zstd}
