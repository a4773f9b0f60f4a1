"""What headers are told in: parts of a file, one after the other, and the fields of each."""

from collections.abc import Callable
from enum import Enum

import msgspec

from engine.printable import printable

Read = Callable[[int, int], bytes]
"""The bytes from an offset on, of a length; fewer only at the end of the file."""

LONGEST = 200
"""Characters of a value that are told."""
MOST_FIELDS = 200
"""Fields that are told of one list in a header, which may have very many."""
LOOKED_AT = 1 << 17
"""Bytes that are looked at, at a place where a header may be."""
TOO_MANY = "They are too many to be told one by one."


class FieldKind(Enum):
    """Whether bytes say something themselves, or are what the header is about, or nothing."""

    HEADER = "header"
    CONTENT = "content"
    PADDING = "padding"


class Field(msgspec.Struct, frozen=True, gc=False):
    """Some bytes: from where to where in the file, what they are called, what they say, and what that means."""

    start: int
    end: int
    name: str
    value: str
    meaning: str = ""
    kind: FieldKind = FieldKind.HEADER


class Part(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a file that begins with a header, or that follows all of them.

    ``raw`` are the bytes that its fields are read from when somebody looks: there may be very many parts.
    """

    start: int
    end: int
    what: str
    raw: bytes
    decode: "Callable[[Part], list[Field]]"
    subject: str = ""
    """What it is about, where it is about something that has a name."""

    @property
    def title(self) -> str:
        """What it is, and of what."""
        return f"{self.what} {self.subject}".rstrip()

    @property
    def fields(self) -> list[Field]:
        """Its fields, in their order; none overlaps another, or goes beyond the part."""
        return self.decode(self)


class Fields:
    """Gathers the fields of a part, one after the other."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._at = part.start
        self.found: list[Field] = []

    def add(
        self, length: int, name: str, value: str, meaning: str = "", kind: FieldKind = FieldKind.HEADER
    ) -> "Fields":
        """The next bytes are this; nothing is told of bytes that are not there."""
        end = min(self._at + length, self._part.end)
        if end > self._at:
            self.found.append(Field(self._at, end, name, value, meaning, kind))
        self._at = end
        return self

    def rest(self, name: str, value: str = "", meaning: str = "", kind: FieldKind = FieldKind.CONTENT) -> list[Field]:
        """All that is left of the part is this; everything that was gathered."""
        return self.add(self._part.end - self._at, name, value, meaning, kind).found


def shown(content: bytes) -> str:
    """Foreign bytes as text that is fit to show."""
    return printable(content.decode("utf-8", "surrogateescape"), LONGEST)


def counted(size: int) -> str:
    """A number of bytes in words."""
    return "1 byte" if size == 1 else f"{size:,} bytes"


def dumped(content: bytes) -> str:
    """Bytes as hexadecimal digits."""
    return content.hex(" ") if len(content) <= LONGEST // 4 else f"{content[: LONGEST // 4].hex(' ')} …"
