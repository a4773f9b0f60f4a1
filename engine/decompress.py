"""Unpacks layers as a stream: plain, gzip or zstd, told by their bytes, never by what a document calls them.

gzip by ISA-L (``isal``): on a layer of 200 000 files it takes a third of zlib's time, which alone is all that the
listing may take beside ``tar``. zstd by CPython's own module, for older Pythons under the name ``backports.zstd``: as
quick as the ``zstandard`` package, but it bounds what comes out at a time and tells where a frame ends, which ISA-L
does in the same words. Formats: RFC 1952, RFC 8878.
"""

import sys
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Protocol, cast
from zlib import crc32

import msgspec
from isal import igzip_lib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK = 1 << 20
"""Bytes that come out at a time, at most twice that: large enough that the interpreter lock is mostly free."""
_PIECE = 1 << 16
"""Bytes that go in at a time: what follows the end of a member in one is copied, and a layer may have 200 000 members."""
_HEADER = 1 << 17
"""Bytes of the longest gzip header that is read; its extra field has 65 535 at the most."""
_WINDOW_LOG = 27
zstd_error = zstd.ZstdError
"""What a zstd decoder raises over damaged data."""
_ERRORS = (cast(type[Exception], igzip_lib.error), zstd.ZstdError)  # isal declares its exception as a value
HEAD = 512
"""Bytes that ``detect`` wants to see."""


class Compression(Enum):
    """How content is compressed, in words. Only the first three can be unpacked."""

    NONE = "not compressed"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"
    LZ4 = "lz4"
    ZIP = "zip"


UNPACKED = frozenset({Compression.NONE, Compression.GZIP, Compression.ZSTD})
"""What ``Unpacker`` takes."""

_MAGIC = (
    (b"\x1f\x8b", Compression.GZIP),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
    (b"\xfd7zXZ\x00", Compression.XZ),
    (b"BZh", Compression.BZIP2),
    (b"\x04\x22\x4d\x18", Compression.LZ4),
    (b"PK\x03\x04", Compression.ZIP),
)


def detect(head: bytes) -> Compression:
    """How content is compressed, from its first ``HEAD`` bytes: a tar file may begin with any letters, too."""
    if head[257:262] == b"ustar":
        return Compression.NONE
    if _is_skippable(head):
        return Compression.ZSTD
    return next((found for magic, found in _MAGIC if head.startswith(magic)), Compression.NONE)


class Stop(Enum):
    """Why unpacking came to its end."""

    WHOLE = "everything was unpacked"
    EARLY = "the compressed data ends too early"
    DAMAGED = "the compressed data is damaged"
    WINDOW = "unpacking needs more than 128 MiB of memory"
    RATIO = "it grows too much when unpacked"
    SIZE = "it is too large when unpacked"


class Limits(msgspec.Struct, frozen=True):
    """How much may come out: ``size`` in bytes, and ``ratio`` times what went in once there are ``free`` bytes."""

    size: int = 64 << 30
    ratio: int = 1000
    free: int = 64 << 20


class Unpacker:
    """Turns the bytes of a blob into the bytes of its tar file, member after member, frame after frame.

    It never raises over content: ``stop`` says why it ended, and after ``finish`` it is never None. ``packed`` counts
    the bytes that went in, ``unpacked`` those that came out, ``members`` the gzip members or zstd frames,
    ``trailing`` the bytes behind the last of them, and ``padded`` tells whether these are all zero.
    """

    def __init__(self, compression: Compression, limits: Limits | None = None) -> None:
        self.stop: Stop | None = None
        self.packed = 0
        self.unpacked = 0
        self.members = 0
        self.trailing = 0
        self.padded = True
        self._limits = limits or Limits()
        self._format = _FORMATS.get(compression)
        self._decoder: _Decoder | None = None
        self._waiting = b""

    def feed(self, block: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Unpack the next bytes of the blob; yields something, if only no bytes, at least once for 64 KiB of them."""
        view = memoryview(block)
        if self._format is None:
            yield from self._pass_through(view)
            return
        gathered: list[bytes] = []
        size = 0
        for start in range(0, len(view), _PIECE):
            piece = view[start : start + _PIECE]
            self.packed += len(piece)
            quiet = True
            for part in self._unpack(piece, last=False):
                gathered.append(part)
                size += len(part)
                if size >= BLOCK:
                    yield _joined(gathered)
                    gathered, size, quiet = [], 0, False
            if quiet:
                yield b""
        if gathered:
            yield _joined(gathered)

    def finish(self) -> Iterator[bytes]:
        """Say that the blob has no more bytes; what still comes out, and then ``stop`` is set."""
        if self._format is not None and self._waiting:
            waiting, self._waiting = self._waiting, b""
            yield from self._unpack(memoryview(waiting), last=True)
        if self.stop is None:
            begun = self._decoder is not None or (self._format is not None and not self.members)
            self.stop = Stop.EARLY if begun else Stop.WHOLE

    def _pass_through(self, view: memoryview) -> Iterator[bytes]:
        self.packed += len(view)
        for start in range(0, len(view), BLOCK):
            if self.stop is None:
                piece = bytes(view[start : start + BLOCK])
                self.unpacked += len(piece)
                yield piece
                if self.unpacked > self._limits.size:
                    self.stop = Stop.SIZE

    def _unpack(self, piece: memoryview, *, last: bool) -> Iterator[bytes]:
        """What comes out of a piece; the rest of it waits where a header is not complete yet."""
        assert self._format is not None
        data: bytes | memoryview = piece
        while self.stop is None:
            if self._decoder is None:
                data = self._begin(bytes(data), last=last)
                if self._decoder is None:
                    return
            decoder = self._decoder
            try:
                part = decoder.decompress(data if decoder.needs_input else b"", BLOCK)
            except _ERRORS as error:
                # zstd has no code for it, only these words; ISA-L has no window larger than 32 KiB
                self.stop = Stop.WINDOW if "too much memory" in str(error) else Stop.DAMAGED
                return
            data = b""
            if part:
                self.unpacked += len(part)
                self._check_limits()
                yield part
            if decoder.eof:
                self.members += 1
                self._decoder = None
                data = decoder.unused_data
            elif decoder.needs_input:
                return

    def _begin(self, data: bytes, *, last: bool) -> bytes:
        """Look for the beginning of the next member; return what follows its header."""
        assert self._format is not None
        data = self._waiting + data
        self._waiting = b""
        if self.trailing:
            self._count_trailing(data)
            return b""
        if not data:
            return b""
        length = self._format.header(data)
        if length is None and len(data) <= _HEADER and not last:
            self._waiting = data
        elif length is None and self._format.starts(data):  # the header itself is cut off
            self.stop = Stop.EARLY if last else Stop.DAMAGED
        elif not length:
            if self.members:
                self._count_trailing(data)
            else:
                self.stop = Stop.EARLY if last and len(data) < 4 else Stop.DAMAGED
        else:
            self._decoder = self._format.decoder()
            return data[length if self._format.strips else 0 :]
        return b""

    def _count_trailing(self, data: bytes) -> None:
        self.trailing += len(data)
        self.padded = self.padded and not data.strip(b"\0")

    def _check_limits(self) -> None:
        limits = self._limits
        if self.unpacked > limits.size:
            self.stop = Stop.SIZE
        elif self.unpacked > limits.free and self.unpacked > limits.ratio * self.packed:
            self.stop = Stop.RATIO


class _Decoder(Protocol):
    """What decodes one gzip member or one zstd frame; the two libraries agree on these names."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes: ...


class _Format(msgspec.Struct, frozen=True):
    """How one member begins. ``header`` tells its length, 0 for none, None when more bytes are needed to tell."""

    header: Callable[[bytes], int | None]
    starts: Callable[[bytes], bool]
    decoder: Callable[[], _Decoder]
    strips: bool
    """Whether the decoder is to see only what follows the header."""


def _gzip_header(data: bytes) -> int | None:
    """RFC 1952, 2.3. Read here, because ISA-L misreads a header that comes in two pieces."""
    if not data.startswith(b"\x1f\x8b\x08"[: len(data)]):
        return 0
    if len(data) < 10:
        return None
    flags = data[3]
    if flags & 0xE0:
        return 0
    end = 10
    if flags & 4:
        end += 2 + int.from_bytes(data[10:12], "little")
        if len(data) < max(end, 12):
            return None
    for text in (8, 16):
        if flags & text:
            found = data.find(b"\0", end)
            if found < 0:
                return None
            end = found + 1
    if not flags & 2:
        return end
    if len(data) < end + 2:
        return None
    return end + 2 if int.from_bytes(data[end : end + 2], "little") == crc32(data[:end]) & 0xFFFF else 0


def _zstd_header(data: bytes) -> int | None:
    if len(data) < 4:
        return None
    return 4 if data.startswith(b"\x28\xb5\x2f\xfd") or _is_skippable(data) else 0


def _is_skippable(data: bytes) -> bool:
    """Whether a zstd frame begins there that decoders skip; other tools keep their tables of contents in such."""
    return len(data) >= 4 and 0x50 <= data[0] <= 0x5F and data[1:4] == b"\x2a\x4d\x18"


def zstd_decoder() -> zstd.ZstdDecompressor:
    """A decoder of one zstd frame that refuses windows over 128 MiB."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})


_FORMATS = {
    Compression.GZIP: _Format(
        _gzip_header,
        lambda data: data.startswith(b"\x1f\x8b\x08"[: len(data)]),
        lambda: igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP_NO_HDR_VER),
        strips=True,
    ),
    Compression.ZSTD: _Format(
        _zstd_header,
        lambda data: False,
        zstd_decoder,
        strips=False,
    ),
}


def _joined(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)
