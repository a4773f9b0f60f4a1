"""The entries of a tar file and what their headers say, field by field.

Formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), GNU tar, and what was before them (version 7 of Unix).
"""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from engine.headers.fields import MOST_FIELDS, TOO_MANY, Field, FieldKind, Fields, Part, Read, counted, dumped, shown
from engine.tarheader import (
    BLOCK,
    CONTIGUOUS,
    DIRECTORY,
    EXTENDED_LIMIT,
    GNU_SPARSE,
    HEADER_ONLY,
    LARGEST,
    REGULAR,
    checks_out,
    full_name,
    integer,
    name_in,
    number,
    pax_records,
    text,
    written_records,
)

_EXTENDED = frozenset(b"xXgLK")
_MOST_TOLD = 1 << 16
"""Bytes of an extended header that are kept to be told; readers go by up to ``EXTENDED_LIMIT``."""
_ZEROS = bytes(BLOCK)
_POSIX, _GNU = b"ustar\0", b"ustar "
_KINDS = {
    0: "regular file, or folder, as old programs write it",
    ord("0"): "regular file",
    ord("1"): "hard link",
    ord("2"): "symbolic link",
    ord("3"): "character device",
    ord("4"): "block device",
    ord("5"): "folder",
    ord("6"): "named pipe",
    ord("7"): "contiguous file",
    ord("D"): "folder with a list of names (GNU)",
    ord("M"): "file that goes on from another volume (GNU)",
    ord("V"): "name of the volume (GNU)",
    ord("N"): "long name, old form (GNU)",
    ord("S"): "file with holes (GNU)",
    ord("L"): "long name of the next entry (GNU)",
    ord("K"): "long link target of the next entry (GNU)",
    ord("x"): "extended header of the next entry (pax)",
    ord("X"): "extended header of the next entry (Solaris)",
    ord("g"): "extended header of all that follow (pax)",
    ord("A"): "access control list (Solaris)",
}
_TITLES = {
    ord("1"): "Hard link",
    ord("2"): "Symbolic link",
    ord("3"): "Device",
    ord("4"): "Device",
    ord("5"): "Folder",
    ord("6"): "Pipe",
    ord("S"): "File with holes",
    ord("L"): "Long name",
    ord("K"): "Long link target",
    ord("x"): "Extended header",
    ord("X"): "Extended header",
    ord("g"): "Extended header",
}
_RECORDS = {
    b"path": "The name, instead of that in the header.",
    b"linkpath": "What the link leads to, instead of what the header says.",
    b"size": "The length of the content, instead of that in the header.",
    b"uid": "The owner's number, instead of that in the header.",
    b"gid": "The group's number, instead of that in the header.",
    b"uname": "The owner's name, instead of that in the header.",
    b"gname": "The group's name, instead of that in the header.",
    b"mtime": "When the content was changed, in seconds since 1970, with fractions.",
    b"atime": "When it was read, in seconds since 1970.",
    b"ctime": "When anything about it was changed, in seconds since 1970.",
    b"comment": "A comment, which is not for programs.",
    b"charset": "The encoding of the content.",
    b"hdrcharset": "The encoding of these texts.",
}
_NO_SIZE = "Readers pass over it here: no two files need have the same length."


def is_tar(head: bytes) -> bool:
    """Whether a tar file begins with these bytes, of which it wants 512."""
    return len(head) == BLOCK and head != _ZEROS and checks_out(head)


def tar_parts(read: Read, size: int) -> Iterator[Part]:
    """The entries of a tar file, each with its content, and what is at the end; they are where ``Walker`` finds them."""
    place = 0
    common: dict[bytes, bytes] = {}  # what extended headers say of all that follow
    pending: dict[bytes, bytes] = {}  # what they say of the next entry
    while place < size:
        head = read(place, min(BLOCK, size - place))
        if head == _ZEROS:
            yield from _end(read, place, size)
            return
        length = number(head[124:136]) if len(head) == BLOCK and checks_out(head) else None
        if length is None or not 0 <= length < LARGEST:
            yield Part(place, size, "No header that can be read", b"", partial(_unknown, is_cut=len(head) < BLOCK))
            return
        kind = head[156]
        if kind in _EXTENDED:
            is_read = length <= EXTENDED_LIMIT
            content = read(place + BLOCK, length if is_read else _MOST_TOLD)
            end = place + BLOCK + length + -length % BLOCK
            about = "of all that follow" if kind == ord("g") else "of the next entry"
            yield Part(place, min(end, size), _TITLES[kind], head + content[:_MOST_TOLD], _entry, about)
            if is_read:
                _take_in(kind, content, common, pending)
            place = end
            continue
        more = _length_of_maps(read, place, head) if kind == GNU_SPARSE else 0
        records = common | pending
        if kind == 0:
            kind = DIRECTORY if (name_in(records) or full_name(head)).endswith(b"/") else REGULAR
        said = integer(records[b"size"]) if records.get(b"size") else None
        real = 0 if kind in HEADER_ONLY else said if said is not None and said >= 0 else length
        end = place + BLOCK + more + real + -real % BLOCK
        what = "File" if kind in (REGULAR, CONTIGUOUS) else _TITLES.get(kind, "Entry")
        decode = partial(_entry, more=more, length=real)
        yield Part(place, min(end, size), what, head, decode, shown(full_name(head)))
        place, pending = end, {}


def _end(read: Read, place: int, size: int) -> Iterator[Part]:
    """The empty blocks at the end, and what is behind them."""
    second = read(place + BLOCK, BLOCK)
    end = min(place + (2 if second == _ZEROS else 1) * BLOCK, size)
    yield Part(place, end, "End of the archive", b"", _empty_blocks)
    if end < size:
        yield Part(end, size, "Behind the end", b"", _behind)


def _length_of_maps(read: Read, place: int, head: bytes) -> int:
    """The length of the blocks with more of the map of holes that follow a GNU header."""
    length, more = 0, head[482]
    while more and length < EXTENDED_LIMIT:
        block = read(place + BLOCK + length, BLOCK)
        if len(block) < BLOCK:
            break
        length, more = length + BLOCK, block[504]
    return length


def _take_in(kind: int, content: bytes, common: dict[bytes, bytes], pending: dict[bytes, bytes]) -> None:
    """Take in what an extended header says of the next entry, or of all that follow, which can be no size."""
    if kind in b"LK":
        pending[bytes([kind])] = text(content)
        return
    records, _ = pax_records(content)
    if kind == ord("g"):
        records.pop(b"size", None)
    (common if kind == ord("g") else pending).update(records)


def _entry(part: Part, *, more: int = 0, length: int = 0) -> list[Field]:
    """The fields of a header, and what follows it: ``more`` of a map of holes, and content of a ``length``."""
    head, fields = part.raw[:BLOCK], Fields(part)
    kind, magic = head[156], head[257:263]
    _add_first(fields, head)
    fields.add(1, "Type", _type_words(kind), "What the entry is.")
    target = text(head[157:257])
    fields.add(100, "Link target", shown(target) or "none", "What a link leads to.")
    if magic in (_POSIX, _GNU):
        _add_second(fields, head, is_gnu=magic == _GNU)
    else:
        fields.add(255, "Not used", "" if not head[257:].strip(b"\0") else dumped(head[257:]), "", FieldKind.PADDING)
    if kind in _EXTENDED:
        return _add_extended(fields, part, kind)
    fields.add(more, "Map of holes, continued", counted(more), "Where data is between the holes.")
    there = max(0, min(length, part.end - part.start - BLOCK - more))
    value = counted(length) if there == length else f"{counted(length)}, of which {counted(length - there)} are missing"
    fields.add(length, "Content", value, "What the file holds.", FieldKind.CONTENT)
    return fields.rest("Padding", "", "Fills the last block of 512 bytes up.", FieldKind.PADDING)


def _add_first(fields: Fields, head: bytes) -> None:
    """What every tar header begins with."""
    fields.add(100, "Name", shown(text(head[:100])) or "none", "Ends at the first zero byte, if there is one.")
    mode = number(head[100:108])
    words = "unreadable" if mode is None else f"{mode & 0o7777:04o} ({stat.filemode(mode & 0o7777)[1:]})"
    fields.add(8, "Mode", words, "Who may read, write and run it.")
    fields.add(8, "Owner", _number(head[108:116]), "The number of its owner.")
    fields.add(8, "Group", _number(head[116:124]), "The number of its group.")
    size = number(head[124:136])
    value = "unreadable" if size is None else counted(size)
    fields.add(12, "Size", value, f"Bytes of content that follow the header.{_binary(head[124:136])}")
    time = number(head[136:148])
    fields.add(12, "Time", "unreadable" if time is None else _moment(time), "When the content was changed.")
    said = number(head[148:156])
    total = sum(head[:148]) + 8 * 32 + sum(head[156:])
    verdict = "right" if checks_out(head) else f"wrong: it should be {total:,}"
    value = f"{said:,}, {verdict}" if said is not None else f"unreadable: it should be {total:,}"
    fields.add(8, "Checksum", value, "The sum of the header's bytes.")


def _add_second(fields: Fields, head: bytes, *, is_gnu: bool) -> None:
    """What ustar has added, and what GNU tar has instead of the prefix."""
    words = "ustar, as GNU tar writes it" if is_gnu else "ustar"
    fields.add(6, "Magic number", words, "Tells that these fields mean something.")
    fields.add(2, "Version", shown(text(head[263:265])) or "none", "00 in POSIX, a space in GNU tar.")
    fields.add(
        32, "Owner's name", shown(text(head[265:297])) or "none", "Counts rather than the number, where it is known."
    )
    fields.add(
        32, "Group's name", shown(text(head[297:329])) or "none", "Counts rather than the number, where it is known."
    )
    fields.add(8, "Device, major", _number(head[329:337]), "Which driver a device belongs to.")
    fields.add(8, "Device, minor", _number(head[337:345]), "Which of the driver's devices it is.")
    if not is_gnu:
        prefix = shown(text(head[345:500]))
        fields.add(155, "Prefix", prefix or "none", "What comes before the name, with a slash in between.")
        fields.add(12, "Padding", "", "Not used.", FieldKind.PADDING)
        return
    for name, place in (("Read", 345), ("Anything changed", 357)):
        time = number(head[place : place + 12])
        value = "none" if not head[place : place + 12].strip(b"\0") or time is None else _moment(time)
        fields.add(12, f"{name}, time", value, "GNU tar's own.")
    fields.add(12, "Offset", _number(head[369:381]), "Of a file that goes on from another volume.")
    fields.add(5, "Not used", "", "", FieldKind.PADDING)
    holes = [head[place : place + 24] for place in range(386, 482, 24) if head[place : place + 24].strip(b"\0")]
    pieces = ", ".join(f"{counted(number(hole[12:]) or 0)} at {number(hole[:12]) or 0:,}" for hole in holes)
    fields.add(96, "Map of holes", pieces or "none", "Where data is between the holes.")
    fields.add(1, "Map goes on", "yes" if head[482] else "no", "Whether more of the map follows in further blocks.")
    real = number(head[483:495])
    value = counted(real) if real and head[156] == GNU_SPARSE else "none"
    fields.add(12, "Size with holes", value, "How large the file is with its holes.")
    fields.add(17, "Padding", "", "Not used.", FieldKind.PADDING)


def _add_extended(fields: Fields, part: Part, kind: int) -> list[Field]:
    """What an extended header says, record by record."""
    size, content = number(part.raw[124:136]) or 0, part.raw[BLOCK:]
    if kind in b"LK":
        meaning = "The whole name, which has no room in the header." if kind == ord("L") else "All of what it leads to."
        fields.add(size, "Long name" if kind == ord("L") else "Long link target", shown(text(content)), meaning)
        return fields.rest("Padding", "", "Fills the last block of 512 bytes up.", FieldKind.PADDING)
    told, records = 0, written_records(content)
    for key, value, end in islice(records, MOST_FIELDS):
        meaning = _RECORDS.get(key, "An attribute of the file." if key.startswith(b"SCHILY.xattr.") else "")
        meaning = _NO_SIZE if kind == ord("g") and key == b"size" else meaning
        fields.add(end - told, shown(key), shown(value) or "taken back", meaning or "What its writer needs it for.")
        told = end
    if further := [end for _, _, end in records]:
        fields.add(further[-1] - told, "Further records", f"… and {len(further):,} more", TOO_MANY)
        told = further[-1]
    words = "They are not written as the format asks for." if len(content) == size else "Too long to be told."
    fields.add(size - told, "Further records", counted(size - told), words)
    return fields.rest("Padding", "", "Fills the last block of 512 bytes up.", FieldKind.PADDING)


def _type_words(kind: int) -> str:
    letter = shown(bytes([kind])) if kind else "zero"
    return f"{letter}: {_KINDS.get(kind, 'none that is known')}"


def _number(field: bytes) -> str:
    value = number(field)
    return "unreadable" if value is None else f"{value:,}" if field.strip(b"\0 ") else "none"


def _binary(field: bytes) -> str:
    return " It is written in binary, as GNU tar does with large numbers." if field[0] & 0x80 else ""


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{seconds:,} seconds after 1970"


def _empty_blocks(part: Part) -> list[Field]:
    is_whole = part.end - part.start == 2 * BLOCK
    words = "two empty blocks" if is_whole else "one empty block"
    meaning = "A tar file ends with two blocks of zeros." + ("" if is_whole else " Here is only one.")
    return Fields(part).rest("End", words, meaning, FieldKind.HEADER)


def _behind(part: Part) -> list[Field]:
    value = counted(part.end - part.start)
    return Fields(part).rest("Data", value, "Readers stop before this. As a rule zeros fill it up.", FieldKind.PADDING)


def _unknown(part: Part, *, is_cut: bool) -> list[Field]:
    words = "The file ends within a header." if is_cut else "Here a header should be, and its checksum is wrong."
    return Fields(part).rest("Data", counted(part.end - part.start), words)
