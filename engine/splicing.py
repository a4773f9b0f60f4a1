"""Cutting and joining JSON text, in the manner in which the text is already laid out.

Every function takes a text and the place of a value in it and returns the new text; what is not touched stays as it was
to the letter.
"""

import json
import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from engine.digest import clip
from engine.errors import DocumentError
from engine.jsontext import Member, members, scan_value

Span = tuple[int, int]
"""Where a value starts and ends, in characters."""


class Style(NamedTuple):
    """How a document is laid out: its line break (empty when it is on one line), one indentation, its separators."""

    newline: str = ""
    indent: str = ""
    colon: str = ":"
    comma: str = ","


def style_of(text: str, start: int) -> Style:
    """The layout of the object that starts there, judged by its first member."""
    first = next(members(text, start), None)
    if first is None:
        return Style()
    head = text[start + 1 : first.start]
    _, key_end = scan_value(text, first.start)
    colon = text[key_end : first.value_start]
    if "\n" in head:
        newline = "\r\n" if "\r\n" in head else "\n"
        return Style(newline, head[head.rfind("\n") + 1 :], colon, ", " if colon.endswith(" ") else ",")
    return Style(colon=colon, comma=", " if text.startswith(", ", first.end) else ",")


def pad_inside(text: str, owner: Span, style: Style) -> str:
    """What stands before each part of the object or array there: a line break and an indentation, or nothing."""
    start, end = owner
    inside = text[start + 1 : end - 1]
    if not style.newline or (inside.strip() and "\n" not in inside):
        return ""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    return style.newline + line[: len(line) - len(line.lstrip())] + style.indent


def fill(text: str, owner: Span, piece: str, pad: str, style: Style) -> str:
    """Make a piece the only part of the empty object or array there."""
    closing = pad[: len(pad) - len(style.indent)] if pad else ""
    return replaced(text, owner, text[owner[0]] + pad + piece + closing + text[owner[1] - 1])


def append(text: str, owner: Span, parts: Sequence[Span], piece: str, style: Style) -> str:
    """Put a piece behind the last part of the object or array there."""
    if not parts:
        return fill(text, owner, piece, pad_inside(text, owner, style), style)
    if len(parts) > 1:
        between = text[parts[-2][1] : parts[-1][0]]
    else:
        head = text[owner[0] + 1 : parts[0][0]]
        between = "," + head if head else style.comma
    return replaced(text, (parts[-1][1], parts[-1][1]), between + piece)


def drop(text: str, owner: Span, parts: Sequence[Span], at: Collection[int]) -> str:
    """Take parts out of the object or array there, and a comma with each."""
    kept = [n for n in range(len(parts)) if n not in at]
    if not kept:
        return replaced(text, (owner[0] + 1, owner[1] - 1), "")
    inside = [text[parts[n][0] : parts[n + 1][0]] for n in kept[:-1]]
    start, end = parts[kept[-1]]
    return "".join([text[: parts[0][0]], *inside, text[start:end], text[parts[-1][1] :]])


def replaced(text: str, span: Span, piece: str) -> str:
    """The text with a piece in place of what stood there."""
    return text[: span[0]] + piece + text[span[1] :]


def render(value: Any, pad: str, style: Style) -> str:
    """A value as JSON; on several lines where ``pad``, which stands before the parts inside it, has a line break."""
    if not pad:
        return _dump(value, separators=(style.comma, style.colon))
    closing = pad[: len(pad) - len(style.indent)]
    return _dump(value, indent=style.indent, separators=(",", style.colon)).replace("\n", closing)


def set_text(text: str, owner: Span, key: str, value: str | None, style: Style, where: str) -> str:
    """Set a member of the object of texts there, or remove it with None."""
    fields = fields_at(text, owner[0], where)
    at = position_of(fields, key)
    if at is None:
        return text if value is None else append(text, owner, spans_of(fields), _member(key, value, style), style)
    if value is None:
        return drop(text, owner, spans_of(fields), [at])
    if fields[at].value == value:
        return text
    return replaced(text, (fields[at].value_start, fields[at].end), _dump(value))


def set_text_below(text: str, owner: Span, field: str, key: str, value: str | None, style: Style, where: str) -> str:
    """Set or remove a text in the object ``field`` of the object there; the inner object comes and goes as needed.

    Raises ``DocumentError`` rather than replace what is no object.
    """
    fields = fields_at(text, owner[0], where)
    at = position_of(fields, field)
    if at is None or fields[at].value is None:
        if value is None:
            return text
        pad = pad_inside(text, owner, style)
        deeper = pad + style.indent if pad else ""
        content = render({key: value}, deeper, style)
        if at is None:
            return append(text, owner, spans_of(fields), f'"{field}"{style.colon}{content}', style)
        return replaced(text, (fields[at].value_start, fields[at].end), content)
    inner = fields[at]
    if value is None and isinstance(inner.value, dict) and inner.value.keys() == {key}:
        return drop(text, owner, spans_of(fields), [at])
    return set_text(text, (inner.value_start, inner.end), key, value, style, f"{where}.{field}")


def fields_at(text: str, start: int, where: str) -> list[Member]:
    """The members of the object that starts there; raises ``DocumentError`` for anything else."""
    if text[start] != "{":
        raise DocumentError(
            f"{where} is not an object, so it is left alone.",
            place=where,
            expected="an object",
            found=clip(re.split(r"[\s,\]}]", text[start : start + 40])[0]),
        )
    return list(members(text, start))


def spans_of(fields: Sequence[Member]) -> list[Span]:
    """The places of an object's members, names included."""
    return [(member.start, member.end) for member in fields]


def position_of(fields: Sequence[Member], key: str) -> int | None:
    """Which member has that name."""
    return next((position for position, member in enumerate(fields) if member.key == key), None)


def _member(key: str, value: str, style: Style) -> str:
    return f"{_dump(key)}{style.colon}{_dump(value)}"


def _dump(value: Any, **layout: Any) -> str:
    """JSON in UTF-8; escaped where a lone surrogate, which JSON can carry and UTF-8 cannot, leaves no choice."""
    text = json.dumps(value, ensure_ascii=False, **layout)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, **layout)
    return text
