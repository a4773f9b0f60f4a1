"""Every path of a stack of layers, once, as a tree in columns.

A node is a position. The children of a folder are one range, sorted by their names, and all nodes of one depth are one
range, too: so a folder is opened by two look-ups, and what is summed or marked along the tree goes level by level. Names
are bytes, and a path is put together from them when somebody asks.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.distinct import distinct
from engine.progress import Progress

_SLICE = 1000
"""Names that are numbered in a row before others get a turn."""
_SORTED_AT_ONCE = 20_000
"""Names that are sorted in one go: some milliseconds."""
FOLDER_LIMIT = 1_000_000
"""Folders of the largest tree, so that a few hostile paths of a thousand folders each do not fill the memory."""
ROOT = 0
Nodes = NDArray[np.int32]
_Number = TypeVar("_Number", np.int32, np.int64)
"""What can be summed along the tree."""


class PathTree:
    """The nodes, and who is whose child. Immutable."""

    def __init__(
        self, text: bytes, starts: NDArray[np.uint32], parents: Nodes, firsts: Nodes, counts: Nodes, levels: list[int]
    ) -> None:
        self.parents = parents
        """The folder of each node; the root is its own."""
        self.firsts = firsts
        """A folder's first child; what it is of a node without children says nothing."""
        self.counts = counts
        """How many children a node has."""
        self._text = text
        self._starts = starts
        self.levels = levels
        """Where the nodes of each depth begin, and the end."""

    def __len__(self) -> int:
        return len(self.parents)

    def name(self, node: int) -> bytes:
        """The last component of the path; empty for the root."""
        return self._text[self._starts[node] : self._starts[node + 1]]

    def names(self, first: int, last: int) -> list[bytes]:
        """The names of the nodes from ``first`` to before ``last``, or to the last there is."""
        return [self._text[start:end] for start, end in pairwise(self._starts[first : last + 1].tolist())]

    def path(self, node: int) -> bytes:
        """The whole path, without a slash at its beginning."""
        names = []
        while node != ROOT:
            names.append(self.name(node))
            node = int(self.parents[node])
        return b"/".join(reversed(names))

    def children(self, node: int) -> range:
        """What lies in a folder, sorted by the bytes of the names; empty for what has no children."""
        first = int(self.firsts[node])
        return range(first, first + int(self.counts[node]))

    def child(self, node: int, name: bytes) -> int:
        """What lies in a folder by that name, -1 where no layer mentions it."""
        within = self.children(node)
        place = bisect_left(within, name, key=self.name)
        return within[place] if place < len(within) and self.name(within[place]) == name else -1

    def find(self, path: bytes) -> int:
        """The node of a path, -1 where no layer mentions it."""
        node = ROOT
        for name in components(path):
            node = self.child(node, name)
            if node < 0:
                return -1
        return node

    def outermost(self, nodes: Iterable[int]) -> list[int]:
        """Those nodes that lie in none of the others, each once."""
        chosen, found = set(nodes), []
        for node in sorted(chosen):
            above = node
            while above != ROOT:
                above = int(self.parents[above])
                if above in chosen:
                    break
            else:
                found.append(node)
        return found

    def summed(self, values: NDArray[_Number]) -> NDArray[_Number]:
        """For each node the sum over it and everything below it."""
        total = values.copy()
        for above, first, last in self._upwards():
            below = np.bincount(self.parents[first:last] - above, total[first:last], first - above)
            total[above:first] += below.astype(values.dtype)
        return total

    def marked_below(self, marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The marked nodes with everything below them."""
        found = marks.copy()
        for _, first, last in reversed(self._upwards()):
            found[first:last] |= found[self.parents[first:last]]
        return found

    def marked_above(self, marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The marked nodes with every folder that they are in."""
        found = marks.copy()
        for _, first, last in self._upwards():
            found[self.parents[first:last][found[first:last]]] = True
        return found

    def above(self, nodes: Nodes) -> Nodes:
        """The folders that these nodes are in, up to the root; sorted. Costs nothing for the rest of the tree."""
        found = [np.zeros(1, np.int32)]
        while len(nodes := distinct(self.parents[nodes[nodes > ROOT]])):
            found.append(nodes)
        return distinct(np.concatenate(found))

    def largest_above(self, values: Nodes) -> Nodes:
        """For each node the largest value of the folders that it is in; -1 for the root."""
        found = np.full(len(values), -1, np.int32)
        for _, first, last in reversed(self._upwards()):
            above = self.parents[first:last]
            found[first:last] = np.maximum(found[above], values[above])
        return found

    def _upwards(self) -> list[tuple[int, int, int]]:
        """The levels from the deepest up: where the one above it begins, where it begins, where it ends."""
        bounds = self.levels
        return [(bounds[n - 1], bounds[n], bounds[n + 1]) for n in range(len(bounds) - 2, 0, -1)]


def components(path: bytes) -> list[bytes]:
    """The names that a path is made of, as unpackers take it: from the root, and never above it."""
    names: list[bytes] = []
    for name in path.split(b"/"):
        if name == b"..":
            del names[-1:]
        elif name not in (b"", b"."):
            names.append(name)
    return names


def cleaned(path: bytes) -> bytes:
    """The path with nothing in it that makes no difference."""
    if path[-1:] == b"/":
        path = path[:-1]
    if path[:2] == b"./":
        path = path[2:]
    if path[:1] in (b"", b".", b"/") or path[-1:] == b"/" or b"//" in path or b"/." in path:
        return b"/".join(components(path))
    return path


class TreeBuilder:
    """Takes paths one after the other and numbers them when all are there.

    ``add`` gives places in the order of the calls, and ``build`` the node of each place.
    """

    def __init__(self) -> None:
        self._folders: dict[tuple[int, bytes], int] = {}
        self._folder_names: list[bytes] = [b""]
        self._folder_parents: list[int] = [0]
        self._depths: list[int] = [0]
        self._last = b""
        self._last_folder = 0
        self._texts: list[bytes] = []
        self._lengths: list[NDArray[np.int64]] = []
        self._parents: list[Nodes] = []

    def add(self, paths: Sequence[bytes]) -> None:
        """Take the next paths in; those in folders beyond the limit are left out, and get the node -1."""
        names, parents = [], []
        last, folder = self._last, self._last_folder
        for path in paths:
            above, _, name = path.rpartition(b"/")
            if above != last:
                last, folder = above, self._folder(above)
            if folder < 0:
                names.append(b"")
                parents.append(-1)
            else:
                names.append(name)
                parents.append(folder)
        self._last, self._last_folder = last, folder
        self._texts.append(b"".join(names))
        self._lengths.append(np.fromiter(map(len, names), np.int64, len(names)))
        self._parents.append(np.array(parents, np.int32))

    @property
    def full(self) -> bool:
        """Whether the limit of folders was reached."""
        return len(self._depths) >= FOLDER_LIMIT

    def _folder(self, path: bytes) -> int:
        """The number of a folder; -1 for one too many."""
        found = 0
        for name in path.split(b"/") if path else ():
            key = found, name
            known = self._folders.get(key)
            if known is None:
                if self.full:
                    return -1
                known = self._folders[key] = len(self._depths)
                self._folder_names.append(name)
                self._folder_parents.append(found)
                self._depths.append(self._depths[found] + 1)
            found = known
        return found

    def build(self, progress: Progress) -> tuple[PathTree, Nodes]:
        """The tree, and the node of each path that was added. The builder is empty afterwards."""
        self._folders = {}
        names = self._folder_names[1:]
        text = b"".join([*self._texts, *names])
        lengths = np.concatenate([*self._lengths, np.fromiter(map(len, names), np.int64, len(names))])
        above = np.concatenate([*self._parents, np.array(self._folder_parents[1:], np.int32)])
        self._texts, self._lengths, self._parents, self._folder_names = [], [], [], []
        count = len(above) - len(names)  # of the paths; behind them are the folders
        depths = np.array(self._depths, np.int32)
        groups = np.where(lengths == 0, np.int32(-1), above)  # paths without a name are the root itself
        order = np.argsort(groups, kind="stable").astype(np.int32)
        bounds = np.searchsorted(groups[order], np.arange(len(depths) + 1)).tolist()
        ends = np.cumsum(lengths)
        numbers = np.where(above < 0, np.int32(-1), np.int32(0))
        parts, sizes, filled, taken, waits = [], [], [], 1, 0
        for folder in np.argsort(depths, kind="stable").tolist():
            waits += 1 + bounds[folder + 1] - bounds[folder]
            if waits > _SLICE:
                progress.check()
                waits = 0
            group = order[bounds[folder] : bounds[folder + 1]]
            if not len(group):
                continue
            stops = ends[group]
            spans = zip((stops - lengths[group]).tolist(), stops.tolist(), strict=True)
            mine = [text[start:stop] for start, stop in spans]
            unique = _in_order(mine)
            place = dict(zip(unique, range(taken, taken + len(unique)), strict=True))
            numbers[group] = [place[name] for name in mine]
            taken += len(unique)
            parts.append(b"".join(unique))
            sizes.append(np.fromiter(map(len, unique), np.int64, len(unique)))
            filled.append((folder, len(unique)))
        nodes_of_folders = np.concatenate([np.zeros(1, np.int32), numbers[count:]])
        tree = _number(b"".join(parts), sizes, filled, nodes_of_folders, depths)
        return tree, numbers[:count]


def _in_order(names: list[bytes]) -> list[bytes]:
    """The names sorted, each once; of very many in pieces, because sorting keeps the interpreter to itself."""
    if len(names) <= _SORTED_AT_ONCE:
        return sorted(set(names))
    pieces = (names[start : start + _SORTED_AT_ONCE] for start in range(0, len(names), _SORTED_AT_ONCE))
    return [name for name, _ in groupby(heapq.merge(*map(sorted, pieces)))]


def _number(
    text: bytes,
    sizes: list[NDArray[np.int64]],
    filled: list[tuple[int, int]],
    nodes_of_folders: Nodes,
    depths: NDArray[np.int32],
) -> PathTree:
    """The tree of folders in the order in which their children were numbered; ``filled`` has how many each has."""
    folders = np.array([folder for folder, _ in filled], np.int64)
    each = np.array([size for _, size in filled], np.int64)
    total = 1 + int(each.sum())
    starts = np.zeros(total + 1, np.uint32)
    if sizes:
        starts[2:] = np.cumsum(np.concatenate(sizes))
    owners = nodes_of_folders[folders]
    parents = np.zeros(total, np.int32)
    parents[1:] = np.repeat(owners, each)
    firsts, counts = np.zeros(total, np.int32), np.zeros(total, np.int32)
    firsts[owners] = 1 + np.cumsum(each) - each
    counts[owners] = each
    deep = np.bincount(depths[folders], each).astype(np.int64) if len(folders) else np.zeros(0, np.int64)
    levels = [0, *(1 + np.concatenate([np.zeros(1, np.int64), np.cumsum(deep)])).tolist()]
    return PathTree(text, starts, parents, firsts, counts, levels)
