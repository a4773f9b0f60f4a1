"""What bytes are that nothing describes: a text and in which encoding, a picture and in which format, or neither.

Guesses are made from the beginning alone, so that they cost the same for every size. UTF-8 is told by rule. Which of the
older encodings a text is in is guessed by ``chardet`` from the words that are not in ASCII: of 162 sparse samples in 24
encodings that finds 134; from the whole text it finds 108, and ``charset-normalizer`` 102.
"""

import codecs
import re
from typing import NamedTuple

SAMPLE = 1 << 16
"""Bytes that a guess is made from."""
_GUESSED_FROM = 1 << 13
"""Bytes that ``chardet`` gets, which keeps the interpreter to itself meanwhile."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNLIKELY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that no text needs: all but the bell, backspace, white space and escape."""
_MOST_UNLIKELY = 0.02
_FOREIGN = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]")
_LOST = re.compile("[\udc80-\udcff]")
_PICTURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"\xff\xd8\xff"), "jpeg"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
    (re.compile(rb"\x00\x00[\x01\x02]\x00[\x01-\xff]\x00"), "ico"),
    (re.compile(rb"BM.{4}\x00\x00\x00\x00.{4}[\x0c-\x7c]\x00\x00\x00", re.DOTALL), "bmp"),
    (re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*[0-9]+\s"), "pbm"),
)


class Encoding(NamedTuple):
    """How a text is written: the name that Python has for it, how long the mark at its beginning is, if it is a guess."""

    codec: str
    mark: int = 0
    is_guess: bool = False


def encoding_of(head: bytes, *, is_whole: bool) -> Encoding | None:
    """How the text is written that begins like this; None where it is no text. ``is_whole``: there is nothing more."""
    head = head[:SAMPLE]
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, len(mark))
    if b"\x00" in head:
        return _of_two_bytes(head)
    if len(_UNLIKELY.findall(head)) > len(head) * _MOST_UNLIKELY:
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, is_whole and len(head) < SAMPLE)
    except UnicodeDecodeError as error:
        return Encoding("utf-8") if _is_damaged_utf_8(head) else _guess(head, error.start)
    return Encoding("utf-8")


def _is_damaged_utf_8(head: bytes) -> bool:
    """Whether there are more characters that only UTF-8 has than bytes that it cannot have."""
    text = head.decode("utf-8", "surrogateescape")
    return len(_FOREIGN.findall(text)) > len(_LOST.findall(text))


def _of_two_bytes(head: bytes) -> Encoding | None:
    """UTF-16 without a mark, where every second byte is 0 more often than not and the others never are."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    for zeros, others, codec in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if half >= 2 and zeros > half * 0.6 and not others:
            return Encoding(codec, is_guess=True)
    return None


def _guess(head: bytes, first: int) -> Encoding | None:
    """An older encoding; ``first`` is where the text is no UTF-8 any more."""
    import chardet  # only few files need it

    start = max(0, head.rfind(b"\n", 0, first) - _GUESSED_FROM // 4)
    words = dict.fromkeys(word for word in head[start : start + 4 * _GUESSED_FROM].split() if not word.isascii())
    of_today = chardet.EncodingEra.MODERN_WEB | chardet.EncodingEra.LEGACY_ISO
    name = chardet.detect(b" ".join(words)[:_GUESSED_FROM], encoding_era=of_today)["encoding"]
    try:
        codec = codecs.lookup(name).name if name else ""
    except LookupError:
        return None
    if codec.startswith("utf"):
        codec = "utf-8"  # which it is not, but those of 16 bits would have been known by their zeros
    return Encoding(codec, is_guess=True) if codec else None


def picture_format(head: bytes) -> str:
    """The format of the picture that begins like this, as Qt calls it; empty for what is none.

    Only formats that are common, so that what reads them has met everything. SVG is a program for a picture, and counts
    as the text that it is.
    """
    return next((name for begins, name in _PICTURES if begins.match(head)), "")


def first_frame(gif: bytes) -> tuple[bytes, bool]:
    """A GIF of its first picture alone, and whether there are more; a damaged one as it is.

    Its pictures follow each other without a table, so who asks how many there are goes through all of them.
    """
    place = 13 + _colours(gif[10]) if len(gif) > 13 else len(gif)
    seen = 0
    while place < len(gif) and seen < _MOST_BLOCKS:
        if gif[place] == 0x2C and place + 9 < len(gif):  # a picture
            place += 10 + _colours(gif[place + 9]) + 1
            is_picture = True
        elif gif[place] == 0x21:  # an extension
            place += 2
            is_picture = False
        else:
            break
        while place < len(gif) and gif[place] and seen < _MOST_BLOCKS:
            place += gif[place] + 1
            seen += 1
        place += 1
        seen += 1
        if is_picture:
            return gif[:place] + b";", gif[place : place + 1] not in (b"", b";")
    return gif, False


_MOST_BLOCKS = 1 << 19
"""Blocks of a GIF that are looked at; one of the largest picture that is shown has fewer."""


def _colours(flags: int) -> int:
    """Bytes of the table of colours that the flags of a GIF tell of."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def looks_like_json(text: str) -> bool:
    """Whether a text may be a JSON object or array."""
    return _JSON.match(text) is not None


_JSON = re.compile(r'\s*(?:\{\s*(?:"|\}\s*\Z)|\[\s*(?:["\[{\]0-9tfn-]))')


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Go on behind bytes that mean nothing, with something in their place that tells which they were."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(chr(byte if byte < 0x80 else 0xDC00 + byte) for byte in lost), error.end


_KEEP = "blobscope-keep"
codecs.register_error(_KEEP, _keep)


class Part(NamedTuple):
    """A part of a text, and how many bytes of what was read it took."""

    text: str
    used: int


def decode_part(data: bytes, codec: str, *, is_last: bool, most_lines: int) -> Part:
    """The text that some bytes begin with, up to the end of a line where there is one.

    Bytes that cannot be decoded become surrogates, as ``surrogateescape`` has it, those of ASCII themselves. Line ends of
    Windows become those of Unix. The line end that the part ends with belongs to the next.
    """
    end = len(data) if is_last else _last_line_end(data, codec)
    end = min(end, _line_end(data, codec, most_lines))
    decoder = codecs.getincrementaldecoder(codec)(_KEEP)
    text = decoder.decode(data[:end], is_last and end == len(data))
    rest = decoder.getstate()[0]
    return Part(text.replace("\r\n", "\n"), end - len(rest))


def _width(codec: str) -> int:
    """Bytes of the smallest character."""
    return {"utf-16": 2, "utf-32": 4}.get(codec[:6], 1)


def _line_ends(data: bytes, codec: str) -> tuple[bytes, bytes]:
    """The bytes of a line end of Unix, and what else a line end of Windows has before it."""
    if _width(codec) == 1:
        return b"\n", b"\r"
    return "\n".encode(codec), "\r".encode(codec)


def _before(data: bytes, place: int, codec: str) -> int:
    """Where the line end begins whose last character is at ``place``."""
    carriage_return = _line_ends(data, codec)[1]
    size = len(carriage_return)
    return place - size if data[max(0, place - size) : place] == carriage_return else place


def _last_line_end(data: bytes, codec: str) -> int:
    """Where the last line end begins; the end of the data where there is none behind its beginning."""
    line_end, width = _line_ends(data, codec)[0], _width(codec)
    place = data.rfind(line_end)
    while place > 0 and place % width:
        place = data.rfind(line_end, 0, place + len(line_end) - 1)
    return _before(data, place, codec) or len(data) if place > 0 else len(data)


def _line_end(data: bytes, codec: str, number: int) -> int:
    """Where the line end of this number begins, counted from 1; the end of the data where there are fewer."""
    line_end, width = _line_ends(data, codec)[0], _width(codec)
    place = -1
    for _ in range(number + 1):  # one more, because the first may be that of the part before
        place = data.find(line_end, place + 1)
        while place >= 0 and place % width:
            place = data.find(line_end, place + 1)
        if place < 0:
            return len(data)
    return _before(data, place, codec)
