"""Writes tar files header by header, also such as no tool would write."""

import io
import tarfile
from typing import Any


def header(name: bytes, kind: bytes = b"0", size: int = 0, magic: bytes = b"ustar\x0000", **fields: bytes) -> bytes:
    """One header of 512 bytes with a right checksum; ``fields`` overwrite what is written by themselves."""
    places = {
        "mode": (100, b"0000644\0"),
        "uid": (108, b"0000000\0"),
        "gid": (116, b"0000000\0"),
        "length": (124, b"%011o\0" % size),
        "mtime": (136, b"00000000000\0"),
        "kind": (156, kind),
        "link": (157, b""),
        "magic": (257, magic),
        "major": (329, b""),
        "minor": (337, b""),
        "prefix": (345, b""),
        "sparse": (386, b""),
    }
    head = bytearray(512)
    head[: len(name)] = name
    for field, (place, value) in places.items():
        value = fields.get(field, value)
        head[place : place + len(value)] = value
    return signed(bytes(head))


def signed(head: bytes) -> bytes:
    """The header with a right checksum."""
    total = sum(head[:148]) + 8 * 32 + sum(head[156:])
    return head[:148] + b"%06o\0 " % total + head[156:]


def padded(content: bytes) -> bytes:
    """Content, filled up to whole blocks."""
    return content + bytes(-len(content) % 512)


def file(name: bytes, content: bytes = b"", kind: bytes = b"0", **fields: bytes) -> bytes:
    """A header and its data."""
    return header(name, kind, len(content), **fields) + padded(content)


def record(key: bytes, value: bytes) -> bytes:
    """One record of a pax header, which begins with its own length."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def pax(kind: bytes = b"x", **records: bytes) -> bytes:
    """An extended header; ``__`` stands for a dot in the keys."""
    return file(
        b"pax", b"".join(record(key.replace("__", ".").encode(), value) for key, value in records.items()), kind
    )


END = bytes(1024)
"""What a tar file ends with."""


def layer(*names: str, **contents: bytes) -> bytes:
    """A sound tar file of empty files of these names and of files with these contents."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in [*((name, b"") for name in names), *contents.items()]:
            entry: Any = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
