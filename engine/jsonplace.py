"""Finds a JSON path such as ``manifests[3].annotations.org.example.key`` in a document's text."""

import contextlib
import itertools

from engine.errors import DocumentError
from engine.jsontext import elements, members, skip_space


def find_place(text: str, where: str) -> tuple[int, int] | None:
    """Where the value of a path starts and ends in a text, with its name where it has one; None where it is not there.

    A path is made of names after dots and of positions in brackets; a name may have dots and brackets of its own. Of a
    path that goes on where the text does not, the part that is there is found: what is missing is missing from that.
    """
    start = skip_space(text, 0)
    found: tuple[int, int] | None = None
    rest = where.removeprefix("$")
    while rest:
        step = _step(text, start, rest.removeprefix("."))
        if step is None:
            break
        shown, start, end, rest = step
        found = shown, end
    return found


def _step(text: str, start: int, rest: str) -> tuple[int, int, int, str] | None:
    """One step into the value at ``start``: where the part is shown from, starts and ends, and the rest of the path."""
    best: tuple[int, int, int, str] | None = None
    number, closing, behind = rest[1:].partition("]") if rest.startswith("[") else ("", "", "")
    wanted = int(number) if closing and number.isascii() and number.isdecimal() else -1
    # Where the text is damaged, what stands before that can be found.
    with contextlib.suppress(DocumentError):
        if text.startswith("{", start):
            for member in members(text, start):
                after = _without(rest, member.key)
                if after is not None and (best is None or len(after) < len(best[3])):
                    best = member.start, member.value_start, member.end, after
        elif text.startswith("[", start) and wanted >= 0:
            for element in itertools.islice(elements(text, start), wanted, wanted + 1):
                best = element.start, element.start, element.end, behind
    return best


def _without(rest: str, key: str) -> str | None:
    """What is left of a path behind a name; None where it begins with another."""
    for spelt in (key, f'["{key}"]', f"['{key}']"):
        if spelt and rest.startswith(spelt) and rest[len(spelt) : len(spelt) + 1] in ("", ".", "["):
            return rest[len(spelt) :]
    return None
