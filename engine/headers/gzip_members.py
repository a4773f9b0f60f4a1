"""The members of a gzip file and what their headers and trailers say (RFC 1952)."""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from itertools import islice

from engine.headers.fields import (
    LOOKED_AT,
    MOST_FIELDS,
    TOO_MANY,
    Field,
    FieldKind,
    Fields,
    Part,
    Read,
    counted,
    dumped,
    shown,
)

_FIXED, _TRAILER = 10, 8
_YEAR_ONE = -62135596800 % (1 << 32)
"""What becomes of Go's time that means none."""
_PIECE, _OUT = 1 << 18, 1 << 20
_BUDGET = 256 << 20
"""Bytes that go in and come out, and are thrown away, to find where members end; that takes less than a second."""
_TEXT, _CHECKED, _EXTRA, _NAME, _COMMENT, _RESERVED = 1, 2, 4, 8, 16, 0xE0
_FLAGS = {
    _TEXT: "probably text",
    _CHECKED: "a checksum of the header follows",
    _EXTRA: "extra fields follow",
    _NAME: "a name follows",
    _COMMENT: "a comment follows",
}
_SYSTEMS = {
    0: "FAT (DOS, Windows)",
    1: "Amiga",
    2: "VMS",
    3: "Unix",
    4: "VM/CMS",
    5: "Atari TOS",
    6: "HPFS (OS/2, NT)",
    7: "Macintosh",
    8: "Z-System",
    9: "CP/M",
    10: "TOPS-20",
    11: "NTFS (NT)",
    12: "QDOS",
    13: "Acorn RISCOS",
    255: "unknown",
}


class _Found(Enum):
    """How the end of a member's data was found."""

    EXACTLY = "by unpacking it"
    TAKEN = "not at all: it is taken to be that of the file"
    CUT = "the file ends before"
    DAMAGED = "it cannot be unpacked"


_FOUND = {_Found.EXACTLY: "", _Found.TAKEN: "", _Found.CUT: ", cut off", _Found.DAMAGED: ", damaged"}
_SUBFIELDS = {
    b"SG": "where the table of contents is (eStargz)",
    b"BC": "how long this block is (BGZF)",
    b"RA": "where chunks begin (dictzip)",
    b"Ap": "Apollo file type",
}


def gzip_parts(read: Read, size: int) -> Iterator[Part]:
    """The headers of a gzip file's members, each with its data, and the trailers, as far as they can be found.

    Where it would take long to find the end of a member, the last 8 bytes of the file are taken for the trailer.
    """
    place, number, budget = 0, 1, _BUDGET
    while place < size:
        head = read(place, min(LOOKED_AT, size - place))
        length = header_length(head)
        if not length:
            yield _rest(place, size, head, number)
            return
        end, found, budget = _data_end(read, place + length, size, budget)
        yield Part(place, end, f"gzip member {number:,}{_FOUND[found]}", head[:length], _member)
        trailer = read(end, min(_TRAILER, size - end))
        if trailer:
            decode = partial(_trailer, sure=found is _Found.EXACTLY)
            yield Part(end, end + len(trailer), f"End of gzip member {number:,}", trailer, decode)
        place, number = end + len(trailer), number + 1


def header_length(head: bytes) -> int:
    """Bytes of the member's header that ``head`` begins with; 0 where it begins with none, or with part of one."""
    if len(head) < _FIXED or not head.startswith(b"\x1f\x8b\x08") or head[3] & _RESERVED:
        return 0
    end, flags = _FIXED, head[3]
    if flags & _EXTRA:
        end += 2 + int.from_bytes(head[end : end + 2], "little")
    for text in (_NAME, _COMMENT):
        if flags & text:
            end = head.find(b"\0", end) + 1
            if not end:
                return 0
    end += 2 if flags & _CHECKED else 0
    return end if end <= len(head) else 0


def _data_end(read: Read, place: int, size: int, budget: int) -> tuple[int, "_Found", int]:
    """Where the compressed data that begins there ends, how that was found, and what is left of the budget."""
    decoder, start = zlib.decompressobj(-zlib.MAX_WBITS), place
    while budget > 0:
        data = read(place, min(_PIECE, size - place))
        if not data:
            return size, _Found.CUT, budget
        place += len(data)
        while data and not decoder.eof and budget > 0:
            try:
                budget -= len(decoder.decompress(data, _OUT)) + len(data)
            except zlib.error:
                return size, _Found.DAMAGED, budget
            data = decoder.unconsumed_tail
        if decoder.eof:
            return place - len(decoder.unused_data), _Found.EXACTLY, budget
    return max(start, size - _TRAILER), _Found.TAKEN, budget


def _member(part: Part) -> list[Field]:
    raw, fields = part.raw, Fields(part)
    flags, time = raw[3], int.from_bytes(raw[4:8], "little")
    told = [words for flag, words in _FLAGS.items() if flags & flag]
    fields.add(2, "Magic number", "1f 8b", "Every gzip member begins with these two bytes.")
    fields.add(1, "Compression method", "8: deflate", "The only method that there is.")
    fields.add(1, "Flags", f"{flags:#04x}: {', '.join(told) or 'none'}", "What is in the header beside what always is.")
    fields.add(4, "Time", _moment(time), "When the file was changed that was compressed.")
    levels = {0: "0: nothing said", 2: "2: best compression", 4: "4: fastest"}
    fields.add(1, "Extra flags", levels.get(raw[8], str(raw[8])), "How much trouble the packer took.")
    system = f"{raw[9]}: {_SYSTEMS.get(raw[9], 'none that is known')}"
    fields.add(1, "Operating system", system, "On what kind of file system it was compressed.")
    place = _FIXED
    if flags & _EXTRA:
        place = _add_extra(fields, raw)
    for flag, name in ((_NAME, "Name"), (_COMMENT, "Comment")):
        if flags & flag:
            end = raw.index(b"\0", place) + 1
            fields.add(
                end - place, name, shown(raw[place : end - 1].decode("latin-1").encode()), "Ends with a zero byte."
            )
            place = end
    if flags & _CHECKED:
        said, right = int.from_bytes(raw[-2:], "little"), zlib.crc32(raw[:-2]) & 0xFFFF
        verdict = "right" if said == right else f"wrong: it should be {right:#06x}"
        fields.add(2, "Header checksum", f"{said:#06x}: {verdict}", "The lower half of the header's CRC-32.")
    return fields.rest("Compressed data", counted(part.end - part.start - len(raw)), "Packed with deflate (RFC 1951).")


def _add_extra(fields: Fields, raw: bytes) -> int:
    """Extra fields; where they end in the header."""
    length = int.from_bytes(raw[10:12], "little")
    fields.add(2, "Length of extra fields", counted(length), "How many bytes of extra fields follow.")
    place, end = _FIXED + 2, _FIXED + 2 + length
    subfields = _subfields(raw, place, end)
    for name, content in islice(subfields, MOST_FIELDS // 2):
        size = len(content)
        meaning = _SUBFIELDS.get(name, "what only its writer knows")
        title = f"Extra field {shown(name)}"
        fields.add(4, title, f"{counted(size)} follow" if size != 1 else "1 byte follows", f"Says {meaning}.")
        value = shown(content) if content.isascii() and content.decode("ascii").isprintable() else dumped(content)
        fields.add(size, f"Content of {shown(name)}", value, f"Says {meaning}.")
        place += 4 + size
    if further := [4 + len(content) for _, content in subfields]:
        fields.add(sum(further), "Further extra fields", f"… and {len(further):,} more", TOO_MANY)
        place += sum(further)
    fields.add(
        end - place, "Extra fields", dumped(raw[place:end]), "They are not divided as the specification asks for."
    )
    return end


def _subfields(raw: bytes, place: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """The names and contents of extra fields, as far as they are divided as the specification asks for."""
    while place + 4 <= end:
        following = place + 4 + int.from_bytes(raw[place + 2 : place + 4], "little")
        if following > end:
            return
        yield raw[place : place + 2], raw[place + 4 : following]
        place = following


def _trailer(part: Part, *, sure: bool) -> list[Field]:
    raw, fields = part.raw, Fields(part)
    doubt = "" if sure else " It is taken to be the end of the file, which was not unpacked to make sure."
    if len(raw) < _TRAILER:
        return fields.rest("Cut off", dumped(raw), "Here should be 8 bytes: a checksum and a length.", FieldKind.HEADER)
    crc, length = (int.from_bytes(part, "little") for part in (raw[:4], raw[4:]))
    fields.add(4, "CRC-32", f"{crc:#010x}", f"The checksum of what the member unpacks to.{doubt}")
    fields.add(4, "Unpacked length", counted(length), f"Of the member, modulo 4 GiB (2 to the power of 32).{doubt}")
    return fields.found


def _rest(place: int, size: int, head: bytes, number: int) -> Part:
    """What is no member: padding, or something else."""
    if place + len(head) == size and not head.strip(b"\0"):
        return Part(place, size, "Zeros behind the last member", b"", _padding)
    title = "What follows the last member" if number > 1 else "No whole gzip header"
    return Part(place, size, title, b"", _unknown)


def _padding(part: Part) -> list[Field]:
    return Fields(part).rest("Zeros", counted(part.end - part.start), "They fill a block up.", FieldKind.PADDING)


def _unknown(part: Part) -> list[Field]:
    return Fields(part).rest("Data", counted(part.end - part.start), "This is no gzip member, and should not be here.")


def _moment(seconds: int) -> str:
    if seconds in (0, _YEAR_ONE):
        return "0: none" if not seconds else "none: the beginning of the year 1, cut to 32 bits, as pgzip writes it"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
