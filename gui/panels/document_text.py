"""A stored document as text to read: decoded, checked, reformatted, cut into lines, and its tokens found.

Works on one piece at a time, so that the first screen of a large document does not wait for the last.
"""

import functools
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from engine.errors import DocumentError
from engine.jsonplace import find_place
from engine.jsontext import decode_text, parse_strict, reformat
from gui import text

LONGEST_LINE = 1 << 14
"""Characters of a line that are laid out in one go; a longer one continues in the next."""


class Look(Enum):
    """What a token of JSON is drawn as."""

    NAME = "name"
    TEXT = "text"
    VALUE = "number, true, false or null"
    MARK = "punctuation"
    HIDDEN = "a character that cannot be seen"


class Token(NamedTuple):
    """A stretch of a line."""

    start: int
    end: int
    look: Look


Piece = tuple[int, int]
"""Where a line of a text, or a part of a long one, starts and ends, in characters."""


class Prepared(NamedTuple):
    """A document made ready to be shown."""

    stored: str
    """The stored bytes as text."""
    reformatted: str
    """The same with one member or element a line; empty where it cannot be reformatted."""
    problem: str
    """Why it is no JSON document; empty where it is one."""
    cut: bool
    """Whether more bytes follow."""
    stored_place: Piece | None = None
    """Where the wanted JSON path is in the text as it is stored, in characters."""
    reformatted_place: Piece | None = None


def prepare(raw: bytes, cut: bool, where: str = "") -> Prepared:
    """Decode, check and reformat stored bytes, and find a JSON path in them.

    Of a document that was cut only the encoding is checked.
    """
    try:
        stored = raw.decode("utf-8", "ignore") if cut else decode_text(raw)
        if not cut:
            parse_strict(raw)
    except DocumentError as error:
        as_read = raw.decode("utf-8", "surrogateescape")
        return Prepared(as_read, "", _sentence(error), cut, _find(as_read, where))
    pretty = _reformat(stored, cut=cut)
    return Prepared(stored, pretty, "", cut, _find(stored, where), _find(pretty, where))


def _find(content: str, where: str) -> Piece | None:
    """What to select for a JSON path: of what is long, only the first line."""
    place = find_place(content, where) if where else None
    if place is None:
        return None
    start, end = place
    line_end = content.find("\n", start, end)
    return start, min(end if line_end < 0 else line_end, start + _MOST_SELECTED)


def _sentence(error: DocumentError) -> str:
    wanted = error.expected.removeprefix("Expecting ")  # as Python's own reader puts it
    expected = f" Expected: {text.plain(wanted)}." if wanted else ""
    found = f" Found: {text.plain(error.found)}." if error.found else ""
    return f"{text.plain(str(error))}{expected}{found}"


def _reformat(stored: str, *, cut: bool) -> str:
    """The text with one member or element a line; what follows the last whole one of a cut text stays as it is."""
    end = max(stored.rfind(mark) for mark in _ENDS) + 2 if cut else len(stored)
    return f"{reformat(stored[:end])}{stored[end:]}"


def is_readable(stored: str) -> bool:
    """Whether its own lines are short enough to read it as it is stored."""
    return all(len(line) <= _READABLE for line in stored[:_SAMPLE].split("\n")) and (
        "\n" in stored.strip() or len(stored) <= _READABLE
    )


_MOST_SELECTED = 400
_ENDS = ("},", "],", '",')
_READABLE = 240
_SAMPLE = 1 << 16


def cut_into_pieces(content: str, start: int = 0, longest: int = LONGEST_LINE) -> Iterator[Piece]:
    """The lines of a text from ``start`` on, long ones in parts that end behind a comma where there is one."""
    while True:
        line_end = content.find("\n", start)
        end = len(content) if line_end < 0 else line_end
        while end - start > longest:
            comma = content.rfind('",', start + longest // 2, start + longest)
            part = comma + 2 if comma >= 0 else start + longest
            yield start, part
            start = part
        yield start, end
        if line_end < 0:
            return
        start = line_end + 1


def shown(content: str) -> str:
    """Text as it is displayed: what cannot be seen is marked."""
    return text.plain(content, len(content), lines=True)


def find_tokens(line: str) -> Iterator[Token]:
    """The tokens of one displayed line; those of a broken line begin anew in each part."""
    for match in _TOKEN.finditer(line):
        if match["text"]:
            yield Token(*match.span("text"), Look.NAME if match["colon"] else Look.TEXT)
            for mark in _MARKED.finditer(line, *match.span("text")):
                yield Token(*mark.span(), Look.HIDDEN)
        elif match["value"]:
            yield Token(*match.span("value"), Look.VALUE)
        else:
            yield Token(*match.span("mark"), Look.MARK)


def find_digests(line: str) -> Iterator[tuple[int, int]]:
    """Where something that looks like a digest stands in a displayed line."""
    return (match.span() for match in _DIGEST.finditer(line))


_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*(?:"|$))(?P<colon>\s*:)?|(?P<mark>[\[\]{},:])|(?P<value>[^\s\[\]{},:"]+)'
)
_MARKED = re.compile("⟨(?:U\\+[0-9A-F]{4,6}|byte [0-9A-F]{2})⟩|[\u2400-\u2421]")
_DIGEST = re.compile(r"(?<![a-z0-9+._-])[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}")


class Places:
    """Translates between places in a text and in what is displayed of it: a block and a column in UTF-16 units."""

    def __init__(self, content: str) -> None:
        self.content = content
        self.end = 0
        """How many characters of the text are displayed."""
        self._starts = array("q")
        self._ends = array("q")

    def __len__(self) -> int:
        return len(self._starts)

    @functools.cached_property
    def folded(self) -> str:
        """The text in lower case, for a search; as it is where its length would be another."""
        lower = self.content.lower()
        return lower if len(lower) == len(self.content) else self.content

    def grow(self, content: str) -> None:
        """The text is a longer one, which begins in the same way."""
        self.content = content
        self.__dict__.pop("folded", None)

    def add(self, pieces: Sequence[Piece]) -> None:
        """Note that further pieces are displayed, each as a block."""
        self._starts.extend(start for start, _ in pieces)
        self._ends.extend(end for _, end in pieces)
        self.end = self._ends[-1]

    def bounds(self, block: int) -> Piece:
        """The part of the text that a block shows."""
        return self._starts[block], self._ends[block]

    def block_of(self, offset: int) -> tuple[int, int]:
        """Block and column of a character."""
        number = max(0, bisect_right(self._starts, offset) - 1)
        return number, units(shown(self.content[self._starts[number] : offset]))

    def offset_of(self, block: int, column: int) -> int:
        """The character at a block and column."""
        offset, end, here = self._starts[block], self._ends[block], 0
        content = self.content[offset:end]
        if content.isascii() and len(shown(content)) == len(content):
            return min(offset + column, end)
        for character in content:
            here += units(shown(character))
            if here > column:
                break
            offset += 1
        return offset


def units(content: str) -> int:
    """The length of a text as Qt counts it."""
    return len(content) if content.isascii() else len(content.encode("utf-16-le", "surrogatepass")) // 2
