"""The program that finds the keywords, strings and comments of a text, beside Blobscope and not in it.

The rules for a language are regular expressions, some of which take for ever on a text that was made for it, and a
regular expression at work keeps the interpreter to itself: in a thread it would stop the window. A process can be ended.

It is run by its path. Standard input has a line with the name of the file and then the text, both in UTF-8; standard
output gets three numbers of 32 bits for each stretch: where it begins, how many characters it has, and its ``Ink``.
"""

import enum
import re
import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST_S = 3
"""Seconds of computing that it takes at most."""
_MEMORY = 1 << 30
"""Bytes of address space that it takes at most."""
_SHEBANG = re.compile(r"#![ \t]*(?:\S*/)?([A-Za-z]+)[0-9.]*(?:[ \t]+(?:-\S+[ \t]+)*([A-Za-z]+))?")
_BY_NAME = {
    ".bashrc": "bash",
    ".profile": "bash",
    "bash.bashrc": "bash",
    "profile": "bash",
    "os-release": "ini",
    "pip.conf": "ini",
}


class Ink(enum.IntEnum):
    """What a stretch of a text is drawn as."""

    KEYWORD = 1
    NAME = 2
    STRING = 3
    NUMBER = 4
    COMMENT = 5
    ADDED = 6
    REMOVED = 7


def main() -> None:
    """Read the text, write the stretches."""
    _limit()
    name, _, text = sys.stdin.buffer.read().decode("utf-8", "replace").partition("\n")
    lexer = find_lexer(name, text)
    if lexer is not None:
        sys.stdout.buffer.write(find_inks(lexer, text).tobytes())


def find_lexer(name: str, text: str) -> "Lexer | None":
    """Who knows the language: by the name of the file, else by its first line."""
    from pygments.lexers import TextLexer, find_lexer_class_for_filename, get_lexer_by_name
    from pygments.util import ClassNotFound

    alias = _BY_NAME.get(name, "")
    if not alias:
        found = find_lexer_class_for_filename(name, text[:4096])
        if found is not None and found is not TextLexer:
            return found(stripnl=False, ensurenl=False)
        alias = _interpreter(text)
    try:
        return get_lexer_by_name(alias, stripnl=False, ensurenl=False) if alias else None
    except ClassNotFound:
        return None


def _interpreter(text: str) -> str:
    """The program that the first line says is to run the file."""
    if text.startswith("<?xml"):
        return "xml"
    found = _SHEBANG.match(text[:200])
    if found is None:
        return ""
    return (found[2] if found[1] == "env" else found[1]) or ""


def find_inks(lexer: "Lexer", text: str) -> "array[int]":
    """The stretches that are not plain, each as three numbers."""
    from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String

    inks = (
        (Comment, Ink.COMMENT),
        (Keyword, Ink.KEYWORD),
        (String, Ink.STRING),
        (Number, Ink.NUMBER),
        (Operator.Word, Ink.KEYWORD),
        (Name.Function, Ink.NAME),
        (Name.Class, Ink.NAME),
        (Name.Tag, Ink.NAME),
        (Name.Attribute, Ink.NAME),
        (Name.Builtin, Ink.NAME),
        (Name.Decorator, Ink.NAME),
        (Generic.Inserted, Ink.ADDED),
        (Generic.Deleted, Ink.REMOVED),
        (Generic.Heading, Ink.KEYWORD),
        (Generic.Subheading, Ink.KEYWORD),
    )
    known: dict[object, int] = {}
    found = array("I")
    for start, kind, piece in lexer.get_tokens_unprocessed(text):
        if kind not in known:
            known[kind] = next((ink for parent, ink in inks if kind in parent), 0)
        ink = known[kind]
        if ink and found and found[-1] == ink and found[-3] + found[-2] == start:
            found[-2] += len(piece)
        elif ink and piece:
            found.extend((start, len(piece), ink))
    return found


def _limit() -> None:
    """Where the system can, have it end a run that takes too much."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    main()
