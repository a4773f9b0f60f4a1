"""Where things are in a view of bytes: the columns of a row."""

import math
from typing import NamedTuple, Self

from gui.theme import Space

WIDTHS = (16, 8, 4)
"""Bytes in a row; the first that fits."""
GROUP = 8
"""Bytes with a gap behind them."""
_LEAST_DIGITS = 4


class HexLayout(NamedTuple):
    """The columns of a row, in pixels from the left."""

    per_row: int
    digits: int
    """Of an offset."""
    char: float
    hex_left: float
    text_left: float
    width: float

    @classmethod
    def fitting(cls, size: int, char: float, width: int) -> Self:
        """The layout with most bytes in a row that fits into a width, for so many bytes."""
        digits = max(_LEAST_DIGITS, math.ceil((size or 1).bit_length() / 8) * 2)
        layouts = (cls._of(per_row, digits, char) for per_row in WIDTHS)
        return next((layout for layout in layouts if layout.width <= width), cls._of(WIDTHS[-1], digits, char))

    @classmethod
    def _of(cls, per_row: int, digits: int, char: float) -> Self:
        hex_left = Space.SMALL + (digits + 2) * char
        text_left = hex_left + (3 * per_row + (per_row - 1) // GROUP + 1) * char
        return cls(per_row, digits, char, hex_left, text_left, text_left + per_row * char + Space.SMALL)

    def hex_at(self, column: int) -> float:
        """Where the digits of a byte begin."""
        return self.hex_left + (3 * column + column // GROUP) * self.char

    def text_at(self, column: int) -> float:
        """Where the letter of a byte begins."""
        return self.text_left + column * self.char

    def is_over(self, x: int) -> bool:
        """Whether there are bytes at a place."""
        return self.hex_left <= x < self.width

    def column_at(self, x: int) -> int:
        """The byte of a row that is nearest to a place."""
        if x >= self.text_left - self.char:
            column = math.floor((x - self.text_left) / self.char)
        else:
            place = (x - self.hex_left) / self.char + 0.5
            gaps = sum(place >= 3 * first + first // GROUP for first in range(GROUP, self.per_row, GROUP))
            column = math.floor((place - gaps) / 3)
        return max(0, min(column, self.per_row - 1))
