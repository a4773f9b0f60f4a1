"""Which paths a person means by what is typed: a part of a path, or a glob.

A word without wildcards means every path that has it in it; with a slash at its beginning, every path that begins so.
With ``*``, ``?`` or ``[..]`` it is a glob, which has to fit as a whole: on the last part of the path where there is no
slash in it, else on all of it. ``*`` and ``?`` stand for any letters and for one letter, but for no slash; ``**`` stands
for any number of folders; ``[a-z]`` stands for one of some letters, ``[!a-z]`` for one of all others. Capitals make a
difference only where that is asked for.

Paths are bytes, as ``entrypaths`` has them. The longest piece of plain text in a pattern is looked for in many paths at
once, and what has it is held against the whole pattern.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from engine.pathtree import ROOT, PathTree
from engine.progress import Progress

_PIECE = 4096
"""Paths that are looked at before others get a turn."""
_CLASS = re.compile(r"\[([!^]?)(\]?[^\]/]*)\]")
_WILD = re.compile(rf"[*?]|{_CLASS.pattern.replace('(', '(?:')}")
_PLAIN = re.compile(r"[^/\x00-\x1f\x7f-\U0010ffff]+")
"""Text that is the same bytes however a path is spelt; of other letters the capitals may have other lengths."""


class PathPattern:
    """What was typed, ready to be held against paths."""

    def __init__(self, wanted: str, *, match_case: bool = False) -> None:
        self.wanted = wanted
        self.match_case = match_case
        is_glob = _WILD.search(wanted) is not None
        self.of_last_part = is_glob and "/" not in wanted
        """Whether only the last part of a path counts."""
        self.of_any_part = self.of_last_part or not (is_glob or "/" in wanted)
        """Whether the name of each file and folder tells by itself whether the pattern is in it."""
        flags = re.DOTALL | (re.NOFLAG if match_case else re.IGNORECASE)
        if is_glob:
            regex, plain = _translated(wanted.strip("/")), _WILD.split(wanted)
        else:
            regex, plain = (r"\A" if wanted.startswith("/") else "") + re.escape(wanted.lstrip("/")), [wanted]
        self._search = re.compile(regex, flags).search
        pieces = [piece for text in plain for piece in _PLAIN.findall(text)]
        needle = max(pieces, key=len, default="")
        self._needle = (needle if match_case else needle.lower()).encode()

    def __bool__(self) -> bool:
        """Whether anything was typed."""
        return bool(self.wanted)

    def matches(self, path: bytes) -> bool:
        """Whether a path is meant."""
        if self.of_last_part:
            path = path.rpartition(b"/")[2]
        return self._search(path.decode("utf-8", "surrogateescape")) is not None

    def among(self, paths: Sequence[bytes]) -> list[int]:
        """The places of those that are meant."""
        if not self._needle:
            return [place for place, path in enumerate(paths) if self.matches(path)]
        text = b"\n".join(paths)
        if not self.match_case:
            text = text.lower()
        found: list[int] = []
        at = text.find(self._needle)
        if at < 0:
            return found
        ends = list(accumulate(len(path) + 1 for path in paths))
        while at >= 0:
            place = bisect_right(ends, at)
            if self.matches(paths[place]):
                found.append(place)
            at = text.find(self._needle, ends[place])
        return found


def literal(path: str) -> str:
    """What to type to mean this path and no other; letters that nobody can type are left open."""
    typed = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)
    return "/" + re.sub("[\\ud800-\\udfff]", "?", typed)


def matching(tree: PathTree, pattern: PathPattern, progress: Progress) -> NDArray[np.bool_]:
    """The nodes that are meant, and everything in the folders that are."""
    found = np.zeros(len(tree), np.bool_)
    above = {ROOT: b""}  # what stands before the names in each folder
    for begin, end in pairwise(tree.levels[1:]):
        for first in range(begin, end, _PIECE):
            progress.check()
            last = min(first + _PIECE, end)
            names = tree.names(first, last)
            if not pattern.of_any_part:
                parents = tree.parents[first:last].tolist()
                names = [above[parent] + name for parent, name in zip(parents, names, strict=True)]
                folders = np.flatnonzero(tree.counts[first:last]).tolist()
                above.update((first + place, names[place] + b"/") for place in folders)
            found[[first + place for place in pattern.among(names)]] = True
    return tree.marked_below(found)


def _translated(glob: str) -> str:
    """A glob as a regular expression, which takes the first place that fits and never comes back to try another.

    So no glob, on no path, takes longer than its length times that of the path.
    """
    sections: list[list[str]] = [[]]
    for part in glob.split("/"):
        if part != "**":
            sections[-1].append(_part(part))
        elif sections[-1] or len(sections) == 1:
            sections.append([])
    first, *others = ["/".join(section) for section in sections]
    if not others:
        return rf"\A{first}\Z"
    *middle, last = others
    begin = f"{first}/" if first else ""
    between = "".join(f"(?>(?:[^/]+/)*?{section}/)" for section in middle)
    end = f"(?:[^/]+/)*{last}" if last else ".+"  # all that is in a folder
    return rf"\A{begin}{between}{end}\Z"


def _part(part: str) -> str:
    """What stands between two slashes of a glob."""
    runs, at = [""], 0
    while at < len(part):
        letter, group = part[at], _CLASS.match(part, at)
        if letter == "*":
            runs.append("")
        elif letter == "?":
            runs[-1] += "[^/]"
        elif letter == "[" and group:
            runs[-1] += _one_of(group[1], group[2])
            at = group.end() - 1
        else:
            runs[-1] += re.escape(letter)
        at += 1
    first, *others = runs
    if not others:
        return first
    return first + "".join(f"(?>[^/]*?{run})" for run in others[:-1]) + f"[^/]*{others[-1]}"


def _one_of(negated: str, letters: str) -> str:
    """A class of letters; a range that goes backwards stands for none."""
    spans = re.findall(r"(.)-(.)|(.)", letters, re.DOTALL)
    inside = "".join(
        f"{re.escape(low)}-{re.escape(high)}" if low and low <= high else re.escape(single)
        for low, high, single in spans
        if single or low <= high
    )
    if negated:
        return f"[^/{inside}]"
    return f"(?!/)[{inside}]" if inside else r"(?!)"
