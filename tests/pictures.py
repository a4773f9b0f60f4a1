"""Makes pictures byte by byte, also such as no program would make."""

import struct
import zlib


def png(width: int, height: int, *, said: tuple[int, int] | None = None) -> bytes:
    """A half transparent PNG; its header may say another size than it has."""
    rows = (b"\0" + b"\x20\x60\xc0\x80" * width) * height
    header = struct.pack(">IIBBBBB", *(said or (width, height)), 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def icon(content: bytes, side: int = 0) -> bytes:
    """An icon of one picture, and how large it says to be, in pixels; 0 says 256."""
    table = struct.pack("<HHHBBBBHHII", 0, 1, 1, side, side, 0, 0, 1, 32, len(content), 22)
    return table + content


def gif(frames: int) -> bytes:
    """A GIF of two by two pixels, as often as that."""
    head = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\0\0\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x03\x44\x52\x05\x00"
    return head + frame * frames + b";"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
