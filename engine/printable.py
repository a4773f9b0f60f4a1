"""Foreign text made fit to show: on a screen, in a terminal, in a report."""

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that are drawn as nothing."""


def printable(text: str, limit: int = -1, *, lines: bool = False) -> str:
    """The text with nothing invisible in it, nothing that reorders or breaks lines, cut to ``limit`` (-1: whole).

    Control characters become their pictures (␛), other invisible ones their numbers (⟨U+202E⟩), bytes that were no
    UTF-8 theirs (⟨byte FF⟩). With ``lines``, line ends and tabs stay.
    """
    cut = text if limit < 0 else text[:limit]
    is_whole = len(cut) == len(text)
    if not _is_safe(cut, lines):
        cut = "".join(character if _shows(character, lines) else _mark(character) for character in cut)
    return cut if is_whole else f"{cut}…"


def _is_safe(text: str, lines: bool) -> bool:
    """Whether a look at the whole is enough to know that everything in it shows."""
    if lines:
        text = text.replace("\n", "").replace("\t", "")
    return text.isprintable() and not any(letter in text for letter in _BLANK_LETTERS)


def _shows(character: str, lines: bool) -> bool:
    if lines and character in "\n\t":
        return True
    return unicodedata.category(character) not in _INVISIBLE and character not in _BLANK_LETTERS


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0xDC80 <= code <= 0xDCFF:
        return f"⟨byte {code - 0xDC00:02X}⟩"
    return f"⟨U+{code:04X}⟩"
