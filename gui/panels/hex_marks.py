"""Stretches of bytes that are coloured because they mean something."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gui.theme import Role


class Mark(NamedTuple):
    """From where to where, in which colour, and what it is."""

    start: int
    end: int
    tint: Role
    strong: bool
    """Whether it is a bit darker, to be told from its neighbour."""
    words: str


class Marking(Protocol):
    """Tells what is marked."""

    def at(self, offset: int) -> Mark | None:
        """What a byte belongs to; it need not be coloured."""

    def between(self, start: int, end: int) -> Sequence[Mark]:
        """What is coloured of these bytes, in its order, none over another."""


class Marks:
    """Marks in their order, none over another."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks
        self._starts = [mark.start for mark in marks]

    def at(self, offset: int) -> Mark | None:
        """The mark that a byte belongs to."""
        place = bisect_right(self._starts, offset) - 1
        mark = self._marks[place] if place >= 0 else None
        return mark if mark is not None and offset < mark.end else None

    def between(self, start: int, end: int) -> Sequence[Mark]:
        """The marks that some of these bytes belong to."""
        first = max(0, bisect_right(self._starts, start) - 1)
        found = self._marks[first : bisect_left(self._starts, end)]
        return found[1:] if found and found[0].end <= start else found
