"""Which paths a filter leaves: a part of a path as it is typed, in which ``*`` and ``?`` stand for any letters."""

import re

import numpy as np
from numpy.typing import NDArray

from engine.pathtree import PathTree
from engine.progress import Progress

_PIECE = 4096
"""Names that are looked at before others get a turn."""


def matching(tree: PathTree, wanted: str, progress: Progress) -> NDArray[np.bool_]:
    """The nodes whose path has ``wanted`` in it, or that are in a folder whose path has.

    Capitals make no difference. A slash at the beginning is the root. A name with ``*`` or ``?`` is a whole one.
    """
    parts = wanted.encode("utf-8", "surrogateescape").split(b"/")
    last = len(parts) - 1
    found, above = np.ones(len(tree), np.bool_), np.arange(len(tree), dtype=np.int32)
    for number in range(last, -1, -1):
        # Only the first part may begin in the middle of a name, only the last one end there.
        found &= _named(tree, _pattern(parts[number], begins=number > 0, ends=number < last), progress)[above]
        above = tree.parents[above]
    if not parts[0] and last:  # it begins with a slash
        found[0] = False
    return tree.marked_below(found)


def _pattern(part: bytes, *, begins: bool, ends: bool) -> re.Pattern[bytes]:
    """A part of the filter; ``begins`` and ``ends`` where a name must begin and end with it."""
    escaped = re.escape(part).replace(rb"\*", rb".*").replace(rb"\?", rb".")
    if not part:
        return re.compile(rb"\A\Z" if ends else b"")  # before the first slash is the root, whose name is empty
    if b"*" in part or b"?" in part:
        begins = ends = True
    return re.compile((rb"\A" if begins else b"") + escaped + (rb"\Z" if ends else b""), re.IGNORECASE | re.DOTALL)


def _named(tree: PathTree, pattern: re.Pattern[bytes], progress: Progress) -> NDArray[np.bool_]:
    """The nodes whose name matches."""
    found = np.zeros(len(tree), np.bool_)
    search = pattern.search
    for first in range(0, len(tree), _PIECE):
        progress.check()
        names = tree.names(first, first + _PIECE)
        found[first : first + len(names)] = [search(name) is not None for name in names]
    return found
