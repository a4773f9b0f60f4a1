"""The frames and blocks of a zstd file and what their headers say (RFC 8878)."""

from collections.abc import Generator, Iterator
from functools import partial
from typing import NamedTuple

from engine.headers.fields import LOOKED_AT, Field, FieldKind, Fields, Part, Read, counted, dumped

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
_LONGEST_HEADER = 18
_BLOCK_HEADER, _CHECKSUM = 3, 4
_RAW, _RUN, _COMPRESSED, _RESERVED = range(4)
_KINDS = {_RAW: "stored as it is", _RUN: "one byte repeated", _COMPRESSED: "compressed", _RESERVED: "reserved"}
_CHUNKED = b"GNUlInUx"
"""What the last skippable frame of a zstd:chunked layer ends with."""


class _Frame(NamedTuple):
    """The lengths of the fields of a frame's header."""

    window: int
    dictionary: int
    content: int
    checked: bool

    @property
    def length(self) -> int:
        return len(MAGIC) + 1 + self.window + self.dictionary + self.content

    @classmethod
    def of(cls, descriptor: int) -> "_Frame":
        single = descriptor >> 5 & 1
        content = (single, 2, 4, 8)[descriptor >> 6]
        return cls(1 - single, (0, 1, 2, 4)[descriptor & 3], content, bool(descriptor & 4))


def zstd_parts(read: Read, size: int) -> Iterator[Part]:
    """The headers of a zstd file's frames, its blocks, and the checksums."""
    place, number = 0, 1
    while place < size:
        head = read(place, min(_LONGEST_HEADER, size - place))
        if is_skippable(head) and len(head) >= 8:
            end = min(place + 8 + int.from_bytes(head[4:8], "little"), size)
            tail = read(max(place + 8, end - len(_CHUNKED)), len(_CHUNKED)) if end - place > 8 + len(_CHUNKED) else b""
            yield Part(place, end, f"zstd frame {number:,}, which is skipped", head[:8], partial(_skipped, tail=tail))
            place = end
        elif head.startswith(MAGIC) and len(head) > 4 and len(head) >= _Frame.of(head[4]).length:
            frame = _Frame.of(head[4])
            yield Part(place, place + frame.length, f"zstd frame {number:,}", head[: frame.length], _frame)
            ended = yield from _blocks(read, place + frame.length, size, number, checked=frame.checked)
            if ended is None:
                return
            place = ended
        else:
            yield _rest(place, size, read(place, min(LOOKED_AT, size - place)), number)
            return
        number += 1


def is_skippable(head: bytes) -> bool:
    """Whether a frame begins there that decoders skip."""
    return len(head) >= 4 and 0x50 <= head[0] <= 0x5F and head[1:4] == _SKIPPABLE


def _blocks(read: Read, place: int, size: int, frame: int, *, checked: bool) -> Generator[Part, None, int | None]:
    """The blocks of a frame, and its checksum; where the next frame begins, None where that cannot be told."""
    number, last = 1, False
    while not last:
        head = read(place, min(_BLOCK_HEADER, size - place))
        if len(head) < _BLOCK_HEADER:
            if head:
                yield Part(place, size, f"Frame {frame:,} is cut off", head, _cut)
            return None
        value = int.from_bytes(head, "little")
        last, kind, length = bool(value & 1), value >> 1 & 3, value >> 3
        end = min(place + _BLOCK_HEADER + (1 if kind == _RUN else length), size)
        if kind == _RESERVED:
            yield Part(place, size, "No block that can be read", head, _block)
            return None
        yield Part(place, end, f"Block {number:,} of frame {frame:,}", head, _block)
        place, number = end, number + 1
    if checked:
        tail = read(place, min(_CHECKSUM, size - place))
        if tail:
            yield Part(place, place + len(tail), f"End of zstd frame {frame:,}", tail, _checksum)
        place += len(tail)
    return place


def _frame(part: Part) -> list[Field]:
    raw, fields = part.raw, Fields(part)
    frame, descriptor = _Frame.of(raw[4]), raw[4]
    told = [
        "the size of the content follows" if frame.content else "the size of the content is not said",
        "one segment, so that no window is needed" if not frame.window else "a window follows",
        "a checksum at the end" if frame.checked else "no checksum at the end",
    ]
    fields.add(4, "Magic number", dumped(MAGIC), "Every zstd frame begins with these four bytes.")
    fields.add(
        1, "Frame header", f"{descriptor:#04x}: {', '.join(told)}", "What is in the header and behind the blocks."
    )
    place = 5
    if frame.window:
        exponent, mantissa = raw[place] >> 3, raw[place] & 7
        window = (1 << 10 + exponent) + (1 << 10 + exponent) // 8 * mantissa
        fields.add(1, "Window", counted(window), "How much memory of what came before one needs to unpack it.")
    place += frame.window
    if frame.dictionary:
        value = int.from_bytes(raw[place : place + frame.dictionary], "little")
        fields.add(frame.dictionary, "Dictionary", f"{value:,}", "Which dictionary one needs to unpack it; 0 for none.")
    place += frame.dictionary
    if frame.content:
        value = int.from_bytes(raw[place : place + frame.content], "little") + (256 if frame.content == 2 else 0)
        fields.add(frame.content, "Unpacked length", counted(value), "How many bytes the frame unpacks to.")
    return fields.found


def _block(part: Part) -> list[Field]:
    value = int.from_bytes(part.raw, "little")
    last, kind, length = value & 1, value >> 1 & 3, value >> 3
    fields = Fields(part)
    place = "the last one" if last else "more follow"
    meaning = "Whether it is the last block of the frame, of which kind it is, and how long."
    unpacked = "unpacks to " if kind == _RUN else ""
    fields.add(_BLOCK_HEADER, "Block header", f"{_KINDS[kind]}, {unpacked}{counted(length)}, {place}", meaning)
    missing = part.start + _BLOCK_HEADER + (1 if kind == _RUN else length) - part.end
    words = {
        _RAW: "Not compressed: there was nothing to gain.",
        _RUN: "This byte, again and again.",
        _COMPRESSED: "Literals and sequences, compressed.",
        _RESERVED: "No decoder knows what this is.",
    }
    name = "Content of the block" if kind != _RESERVED else "Data"
    cut = f", {counted(missing)} are missing" if missing > 0 and kind != _RESERVED else ""
    return fields.rest(name, f"{counted(part.end - part.start - _BLOCK_HEADER)}{cut}", words[kind])


def _checksum(part: Part) -> list[Field]:
    whole = len(part.raw) == _CHECKSUM
    value = f"{int.from_bytes(part.raw, 'little'):#010x}" if whole else "cut off"
    meaning = "The lower half of the XXH64 hash of what the frame unpacks to."
    return Fields(part).rest("Checksum", value, meaning, FieldKind.HEADER)


def _skipped(part: Part, *, tail: bytes) -> list[Field]:
    fields = Fields(part)
    fields.add(
        4, "Magic number", dumped(part.raw[:4]), "A frame that decoders skip; other programs keep notes in such."
    )
    length = int.from_bytes(part.raw[4:8], "little")
    fields.add(4, "Length", counted(length), "How many bytes follow.")
    is_footer = tail == _CHUNKED
    meaning = (
        "Where the table of contents of a zstd:chunked layer is." if is_footer else "What its writer needs it for."
    )
    return fields.rest("Content", counted(part.end - part.start - 8), meaning)


def _cut(part: Part) -> list[Field]:
    words = "Here the header of another block should be."
    return Fields(part).rest("Cut off", dumped(part.raw), words, FieldKind.HEADER)


def _rest(place: int, size: int, head: bytes, number: int) -> Part:
    """What is no frame: padding, or something else."""
    if place + len(head) == size and not head.strip(b"\0"):
        return Part(place, size, "Zeros behind the last frame", b"", _padding)
    return Part(place, size, "What follows the last frame" if number > 1 else "No whole zstd header", b"", _unknown)


def _padding(part: Part) -> list[Field]:
    return Fields(part).rest("Zeros", counted(part.end - part.start), "They fill a block up.", FieldKind.PADDING)


def _unknown(part: Part) -> list[Field]:
    return Fields(part).rest("Data", counted(part.end - part.start), "This is no zstd frame.")
