"""What the headers of a tar file say: one alone, exactly, and many at a time, quickly.

Formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), GNU tar, and what was before them (v7).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

BLOCK = 512
REGULAR, HARD_LINK, SYMBOLIC_LINK, CHARACTER_DEVICE, BLOCK_DEVICE, DIRECTORY, PIPE, CONTIGUOUS = range(0x30, 0x38)
GNU_SPARSE = ord("S")
"""Types of entries are the bytes that stand for them in the header."""
HEADER_ONLY = frozenset({HARD_LINK, SYMBOLIC_LINK, CHARACTER_DEVICE, BLOCK_DEVICE, DIRECTORY, PIPE})
"""Types that have no data, whatever their size says."""

LARGEST = 1 << 62
"""Beyond any size or time that can be meant."""
EXTENDED_LIMIT = 1 << 20
"""Bytes of the longest extended header that is read."""
_LARGEST_ID = (1 << 32) - 1
_OCTAL = re.compile(rb"[0-7]*")
_RECORD = re.compile(rb"([0-9]{1,8}) ([^=]+)=")
_DECIMAL = re.compile(rb"(-?)([0-9]{1,18})(?:\.([0-9]*))?")
_KNOWN = frozenset({b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime"})
_NAMES = frozenset({b"path", b"linkpath", b"uname", b"gname"})
_TIMES = frozenset({b"atime", b"ctime"})  # of which only this is asked; mtime is looked at where it is used
_EVERY_OTHER = np.uint64(0x00FF00FF00FF00FF)

_HEADER = np.dtype(
    [
        ("name", "S100"),
        ("mode", "u1", 8),
        ("uid", "u1", 8),
        ("gid", "u1", 8),
        ("size", "u1", 12),
        ("mtime", "u1", 12),
        ("checksum", "u1", 8),
        ("type", "u1"),
        ("link", "S100"),
        ("magic", "S6"),
        ("owners", "S66"),
        ("devices", "S16"),
        ("prefix", "S155"),
        ("padding", "S12"),
    ]
)

Texts = list[bytes]


class Decoded(msgspec.Struct):
    """Headers taken apart. ``good`` counts those before the first whose checksum is wrong; ``odd`` are the rows of those
    where a number cannot be read, which is 0 then."""

    names: Texts
    targets: Texts
    types: NDArray[np.uint8]
    modes: NDArray[np.uint16]
    uids: NDArray[np.uint32]
    gids: NDArray[np.uint32]
    mtimes: NDArray[np.int64]
    good: int
    odd: frozenset[int]


def decode(headers: Sequence[bytes]) -> Decoded:
    """Take many headers of 512 bytes apart."""
    joined = b"".join(headers)
    heads = np.frombuffer(joined, _HEADER)
    names = _texts(heads["name"].tolist())
    prefixed = (heads["prefix"] != b"") & (heads["magic"] == b"ustar")  # GNU tar keeps other things there
    for row in np.flatnonzero(prefixed).tolist():
        names[row] = full_name(headers[row])
    sums, sums_odd = _octals(heads["checksum"][:, :7], heads["checksum"])
    wrong = sums_odd | (sums != _checksums(joined, heads["checksum"]))
    good = next((row for row in np.flatnonzero(wrong).tolist() if not checks_out(headers[row])), len(headers))
    modes, odd = _octals(heads["mode"])
    uids, odd_uids = _octals(heads["uid"])
    gids, odd_gids = _octals(heads["gid"])
    mtimes, odd_mtimes = _octals(heads["mtime"])
    odd |= odd_uids | odd_gids | odd_mtimes | (ids_of(uids) != uids) | (ids_of(gids) != gids)
    return Decoded(
        names,
        _texts(heads["link"].tolist()),
        heads["type"].copy(),
        (modes & 0o7777).astype(np.uint16),
        ids_of(uids),
        ids_of(gids),
        mtimes,
        good,
        frozenset(np.flatnonzero(odd).tolist()),
    )


def number(field: bytes) -> int | None:
    """A number as tar writes it: octal digits, or binary (GNU) where the first bit is set; None where it is neither."""
    if field[0] & 0x80:
        bits = 8 * len(field)
        value = int.from_bytes(field, "big")
        return value - (1 << bits) if field[0] & 0x40 else value - (1 << bits - 1)
    digits = text(field.strip(b" \0"))  # as Go does; unused fields, and the beginning of some, are full of NULs
    return int(digits or b"0", 8) if _OCTAL.fullmatch(digits) else None


def decimal(value: bytes) -> int | None:
    """A number as pax writes it, rounded down; None where it is none, or beyond what can be meant."""
    found = _DECIMAL.fullmatch(value)
    if found is None:
        return None
    sign, whole, fraction = found.groups()
    if not sign:
        return int(whole)
    return -int(whole) - (1 if fraction and fraction.strip(b"0") else 0)


def integer(value: bytes) -> int | None:
    """A size, user or group as pax writes it: without a fraction, which times alone may have."""
    return None if b"." in value else decimal(value)


def ids_of(values: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Users or groups, the largest for those that have no place in 32 bits."""
    return np.where((values < 0) | (values > _LARGEST_ID), _LARGEST_ID, values).astype(np.uint32)


def text(field: bytes) -> bytes:
    """A text as tar writes it, which ends at the first NUL if there is one."""
    end = field.find(b"\0")
    return field if end < 0 else field[:end]


def full_name(head: bytes) -> bytes:
    """The name that a header says, with its prefix."""
    prefix = text(head[345:500]) if head[257:263] == b"ustar\0" else b""
    return prefix + b"/" + text(head[:100]) if prefix else text(head[:100])


def checks_out(head: bytes) -> bool:
    """Whether a header has the checksum that it says, also by the way of old programs that summed signed bytes."""
    said = number(head[148:156])
    summed = head[:148] + b" " * 8 + head[156:]
    total = sum(summed)
    return said == total or said == total - 256 * sum(byte >> 7 for byte in summed)


def pax_records(data: bytes) -> tuple[dict[bytes, bytes], bool]:
    """What an extended header says of names, numbers and holes, and whether all of it could be read.

    POSIX.1-2001, pax Extended Header; the keys ``GNU.sparse.*`` are GNU tar's. Go refuses names with NULs in them, and
    times that are none.
    """
    records: dict[bytes, bytes] = {}
    place, whole = 0, True
    for key, value, end in written_records(data):
        if key in _KNOWN or key.startswith(b"GNU.sparse."):
            records[key] = value
        if b"\0" in (value if key in _NAMES else key) or (key in _TIMES and value and decimal(value) is None):
            whole = False
        place = end
    return records, whole and place == len(data)


def written_records(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Every record of an extended header as it is written, up to one that cannot be read: key, value, where it ends."""
    place = 0
    while place < len(data):
        found = _RECORD.match(data, place)
        end = place + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(data) or data[end - 1] != 0x0A:
            return
        yield found[2], data[found.end() : end - 1], end
        place = end


def name_in(records: Mapping[bytes, bytes]) -> bytes:
    """The name that extended headers give; empty for none. ``L`` stands for that of GNU tar's."""
    return records.get(b"L") or records.get(b"GNU.sparse.name") or records.get(b"path") or b""


def _texts(fields: Texts) -> Texts:
    """NumPy has cut trailing NULs off; what stands behind the first one is cut, too, where there is such."""
    return [text(field) for field in fields] if b"\0" in b"".join(fields) else fields


def _checksums(joined: bytes, fields: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The sum of each header's bytes, those of the checksum taken for spaces; 8 bytes are added at a time."""
    words = np.frombuffer(joined, np.uint64).reshape(-1, BLOCK // 8)
    lanes = ((words & _EVERY_OTHER) + ((words >> np.uint64(8)) & _EVERY_OTHER)).sum(axis=1, dtype=np.uint64)
    sums: NDArray[np.int64] = lanes.view(np.uint16).reshape(-1, 4).sum(axis=1, dtype=np.int64)
    sums += 8 * 32 - fields.sum(axis=1, dtype=np.int64)
    return sums


def _octals(
    fields: NDArray[np.uint8], whole: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers of a column, and where they cannot be read: quickly where all but the last byte are digits.

    ``whole`` are the fields themselves, where ``fields`` are what their digits usually fill.
    """
    whole = fields if whole is None else whole
    digits = fields[:, :-1] - np.uint8(48)
    quick = (digits < 8).all(axis=1) & _ends(fields) & _ends(whole)
    values = digits.astype(np.int64) @ (8 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64))
    odd = np.zeros(len(fields), np.bool_)
    for row in np.flatnonzero(~quick).tolist():
        value = number(whole[row].tobytes())
        odd[row] = value is None or not -LARGEST < value < LARGEST
        values[row] = 0 if odd[row] else value
    return values, odd


def _ends(fields: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the last byte of a field ends it."""
    ends: NDArray[np.bool_] = (fields[:, -1] == 0) | (fields[:, -1] == 32)
    return ends
