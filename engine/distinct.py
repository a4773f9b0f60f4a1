"""Distinct numbers, by sorting them.

``np.unique`` hashes (since NumPy 2.3), which takes a hundred times as long for a million numbers that repeat little,
and keeps the interpreter to itself meanwhile; sorting gives it away.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.integer)


def distinct(numbers: NDArray[Number]) -> NDArray[Number]:
    """The numbers, sorted, each once."""
    ordered = np.sort(numbers)
    if len(ordered) < 2:
        return ordered
    first = np.empty(len(ordered), np.bool_)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def others(numbers: NDArray[Number], known: NDArray[Number]) -> NDArray[Number]:
    """The distinct ``numbers`` that are not among ``known``, which are sorted."""
    wanted = distinct(numbers)
    if not len(known):
        return wanted
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    new: NDArray[Number] = wanted[known[places] != wanted]
    return new
