"""Names from a store made fit for files on this computer: one component, nothing invisible, not too long."""

import os
import unicodedata
from collections.abc import Iterator

from engine.durable import STAGING_PREFIX

LONGEST = 255
"""Bytes of the longest name that common file systems take."""
_FORBIDDEN = frozenset('<>:"\\|?*')
"""What file systems of Windows refuse beside the control characters."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_EXTENSIONS = (
    ("+gzip", ".gz"),
    (".gzip", ".gz"),
    ("+zstd", ".zst"),
    (".zstd", ".zst"),
    ("+json", ".json"),
)
_ROOM = 16
"""Bytes that are left for a number when a name is cut."""


def safe_name(name: str | bytes, *, for_windows: bool = False) -> str:
    """A name of one component: what is invisible, no UTF-8, or not allowed becomes ``%`` and its hexadecimal number.

    Bytes are those of a path in an image. ``for_windows`` also changes what FAT, exFAT and NTFS refuse. No name begins as
    those of our staging directories do, which are removed when nobody works in them.
    """
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    made = "".join(_allowed(character, for_windows) for character in text)
    if for_windows and made[-1:] in (".", " "):
        made = f"{made[:-1]}%{ord(made[-1]):02X}"
    if made in ("", ".", ".."):
        made = made.replace(".", "%2E") or "unnamed"
    if made.casefold().startswith(STAGING_PREFIX):
        made = f"%2E{made[1:]}"
    return _cut(made)


def names_beside(name: str, first: int = 1) -> Iterator[str]:
    """The name, and then others like it: ``notes (2).txt``, ``notes (3).txt``; beginning with the one of a number."""
    if first < 2:
        yield name
    stem, extension = _split(_cut(name, LONGEST - _ROOM))
    for number in range(max(first, 2), 10_000_000):
        yield f"{stem} ({number}){extension}"


def readable_name(digest: str, media_type: str, title: str = "") -> str:
    """What to call a blob that is saved as a file: its title if it has one, else what it is and how its digest begins."""
    if title:
        return safe_name(title.replace("\\", "/").rstrip("/").rpartition("/")[2])
    encoded = digest.partition(":")[2]
    plain = media_type.partition(";")[0].strip()
    extension = next((ending for suffix, ending in _EXTENSIONS if plain.endswith(suffix)), "")
    is_tar = ".tar" in plain
    what = "layer" if is_tar else "config" if ".config." in plain else _kind(plain)
    return safe_name(f"{what}-{encoded[:12]}{'.tar' if is_tar else ''}{extension}")


def _kind(media_type: str) -> str:
    return next((word for word in ("manifest", "index") if f".{word}." in media_type), "blob")


def _allowed(character: str, for_windows: bool) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"%{code - 0xDC00:02X}"
    if character == "/" or unicodedata.category(character) in _INVISIBLE or (for_windows and character in _FORBIDDEN):
        return f"%{code:02X}"
    return character


def _cut(name: str, room: int = LONGEST) -> str:
    """The name in so many bytes; the extension stays."""
    if len(os.fsencode(name)) <= room:
        return name
    stem, extension = _split(name)
    left = room - len(os.fsencode(extension))
    return os.fsencode(stem)[:left].decode("utf-8", "ignore") + extension


def _split(name: str) -> tuple[str, str]:
    """A name and its extension, which may have two parts as in ``.tar.gz``."""
    stem, dot, extension = name.rpartition(".")
    if stem.endswith(".tar"):
        stem, extension = stem[:-4], f"tar.{extension}"
    return (stem, dot + extension) if stem and len(extension) < 16 else (name, "")
