"""Strict JSON that knows where everything stands in the text.

RFC 8259 as the image specification's ``considerations.md`` narrows it: UTF-8 without a byte order mark, no name twice
in an object, no NaN, nothing behind the value, bounded nesting. Each value can be read together with its place, so
that an edit replaces one value and leaves every other byte alone.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.digest import clip
from engine.errors import DocumentError

NESTING_LIMIT = 64
"""Levels of nesting that are read in one document."""

VALUES_LIMIT = 1_000_000
"""Values, names of members included, that are read in one document: of 8 MiB a sound one has half of it, a hostile one
four million."""


class Member(NamedTuple):
    """One member of an object in a text: its name, where the name starts, its value, where that starts and ends."""

    key: str
    start: int
    value: Any
    value_start: int
    end: int


class Element(NamedTuple):
    """One element of an array in a text: its value, where it starts and ends."""

    value: Any
    start: int
    end: int


def parse_strict(raw: bytes, place: str = "") -> Any:
    """One whole document; raises ``DocumentError`` that names the place and what is wrong there."""
    text = decode_text(raw, place)
    start = skip_space(text, 0)
    if start == len(text):
        raise DocumentError(f"{place or 'The document'} is empty.", place=place, expected="JSON", found="no bytes")
    check_count(text, place)
    value, end = scan_value(text, start)
    expect_end(text, end)
    return value


def decode_text(raw: bytes, place: str = "") -> str:
    """The bytes of a document as text; raises ``DocumentError`` unless they are UTF-8 without a byte order mark."""
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(
            f"{place or 'The document'} starts with a byte order mark.",
            place=place,
            expected="UTF-8 without a byte order mark",
            found=raw[:3].hex(" "),
            rule="V160",
        )
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{place or 'The document'} is not UTF-8: see byte {error.start}.",
            place=place,
            expected="UTF-8",
            found=raw[error.start : error.start + 4].hex(" "),
            rule="V160",
        ) from None


def check_count(text: str, place: str = "") -> None:
    """Raise ``DocumentError`` for a document of more values and names than ``VALUES_LIMIT``."""
    count = sum(text.count(separator) for separator in ",:[{")  # those inside of texts are no harm
    if count > VALUES_LIMIT:
        raise DocumentError(
            f"{place or 'The document'} is made of so many parts that it is not read.",
            place=place,
            expected=f"at most {VALUES_LIMIT:,} values and names",
            found=f"about {count:,}",
            rule="X10",
        )


def skip_space(text: str, position: int) -> int:
    """The position of the next character that is not JSON white space."""
    if text[position : position + 1] not in _SPACES:
        return position
    match = _SPACE.match(text, position)
    return match.end() if match else position


def scan_value(text: str, position: int) -> tuple[Any, int]:
    """Read the value that starts at ``position``; return it and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        expected = error.msg.removeprefix("Expecting ") if error.msg.startswith("Expecting ") else "valid JSON"
        raise syntax_error(text, error.pos, expected) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python reads numbers of at most 4300 digits
        raise DocumentError("A number in the JSON text has too many digits.", expected="at most 4300 digits") from None
    _check_depth(text, position, end)
    return value, end


def expect_end(text: str, position: int) -> None:
    """Raise ``DocumentError`` when anything but white space follows."""
    end = skip_space(text, position)
    if end != len(text):
        raise DocumentError(
            f"Something follows the JSON value, at byte {_byte_offset(text, end)}.",
            expected="the end of the text",
            found=clip(text[end : end + 21], 20),
            rule="X5",
        )


class Cursor:
    """Steps through one object or array; when it is done, ``end`` is the position behind it."""

    def __init__(self, text: str, position: int) -> None:
        bracket = text[position : position + 1]
        if bracket not in ("{", "["):
            raise syntax_error(text, position, "an object or an array")
        self.text = text
        self.end = position + 1
        self._closing = "}" if bracket == "{" else "]"

    def parts(self) -> Iterator[int]:
        """The position of each part; the caller sets ``end`` behind it before asking for the next."""
        text, closing = self.text, self._closing
        self.end = skip_space(text, self.end)
        if not text.startswith(closing, self.end):
            while True:
                yield skip_space(text, self.end)
                self.end = skip_space(text, self.end)
                if text.startswith(closing, self.end):
                    break
                if not text.startswith(",", self.end):
                    raise syntax_error(text, self.end, f"',' or '{closing}'")
                self.end += 1
        self.end += 1

    def names(self) -> Iterator[tuple[str, int, int]]:
        """Name, where the name starts, where its value starts; the caller sets ``end`` behind the value."""
        seen: set[str] = set()
        for start in self.parts():
            key, end = scan_value(self.text, start)
            if not isinstance(key, str):
                raise syntax_error(self.text, start, "a name in quotation marks")
            if key in seen:
                raise _twice(key)
            seen.add(key)
            colon = skip_space(self.text, end)
            if not self.text.startswith(":", colon):
                raise syntax_error(self.text, colon, "':'")
            yield key, start, skip_space(self.text, colon + 1)


def members(text: str, position: int) -> Iterator[Member]:
    """The members of the object that starts at ``position``."""
    cursor = Cursor(text, position)
    for key, start, value_start in cursor.names():
        value, cursor.end = scan_value(text, value_start)
        yield Member(key, start, value, value_start, cursor.end)


def elements(text: str, position: int) -> Iterator[Element]:
    """The elements of the array that starts at ``position``."""
    cursor = Cursor(text, position)
    for start in cursor.parts():
        value, cursor.end = scan_value(text, start)
        yield Element(value, start, cursor.end)


def reformat(text: str, indent: str = "  ") -> str:
    """The same tokens, one member or element a line; names, numbers and strings are spelt as they were.

    Deeper than ``NESTING_LIMIT`` lines are not indented any further. For reading only: the digest of a document is that
    of its stored bytes.
    """
    lines: list[str] = []
    line, depth, after_opening = "", 0, False
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece in "]}":
            depth -= 1
            if not after_opening:
                lines.append(line)
                line = indent * min(depth, NESTING_LIMIT)
            line += piece
        else:
            if after_opening:
                lines.append(line)
                line = indent * min(depth, NESTING_LIMIT)
            line += ": " if piece == ":" else piece
            if piece in "[{":
                depth += 1
            elif piece == ",":
                lines.append(line)
                line = indent * min(depth, NESTING_LIMIT)
        after_opening = piece in "[{"
    lines.append(line)
    return "\n".join(lines)


def in_words(value: Any) -> str:
    """A JSON value in a few plain words, for a message."""
    if value is None:
        return "missing or null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return f"the {'text' if isinstance(value, str) else 'number'} {clip(repr(value), 40)}"


def syntax_error(text: str, position: int, expected: str) -> DocumentError:
    """What to raise when ``expected`` should stand at ``position``."""
    return DocumentError(
        f"The JSON text is wrong at byte {_byte_offset(text, position)} (line {text.count(chr(10), 0, position) + 1}).",
        expected=expected,
        found=clip(text[position : position + 21], 20) or "the end of the text",
    )


def _byte_offset(text: str, position: int) -> int:
    return len(text[:position].encode("utf-8", "surrogatepass"))


def _twice(key: str) -> DocumentError:
    return DocumentError(
        f"The name {clip(key)!r} stands twice in one JSON object.", expected="each name once", rule="V161"
    )


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _twice(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return found


def _no_constants(text: str) -> Any:
    raise DocumentError(f"{text} is not a JSON number.", expected="a number in decimal digits", found=text)


def _too_deep() -> DocumentError:
    return DocumentError("The JSON text is nested too deeply.", expected=f"at most {NESTING_LIMIT} levels", rule="X10")


def _check_depth(text: str, start: int, end: int) -> None:
    # There are at least as many brackets as levels, so two counts in C settle it for nearly every text.
    if text.count("{", start, end) + text.count("[", start, end) <= NESTING_LIMIT:
        return
    depth = 0
    for match in _BRACKET.finditer(text, start, end):
        bracket = match.group()
        if bracket in "[{":
            depth += 1
            if depth > NESTING_LIMIT:
                raise _too_deep()
        elif bracket in "]}":
            depth -= 1


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
_SPACES = " \t\n\r"
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_BRACKET = re.compile(_STRING + r"|[\[{\]}]", re.DOTALL)
# The lone quotation mark is that of a text that ends in the middle: damaged documents are shown, too.
_TOKEN = re.compile(_STRING + r"|[\[{\]},:]|[^\s\[{\]},:\"]+|\"", re.DOTALL)
