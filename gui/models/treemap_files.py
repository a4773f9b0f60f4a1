"""The files of an image as a picture: folders in folders, each file once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.filesystem import Change, FileSystem, View
from engine.pathtree import ROOT
from gui.models.treemap import Nodes

Bytes = NDArray[np.int64]


class Parts(NamedTuple):
    """Bytes at and below each node, and how many of them this layer adds and changes."""

    all: Bytes
    added: Bytes
    changed: Bytes


class FileSpace:
    """The files that are there at a layer, as far as they are shown in the tree.

    Nodes are those of the file system's tree. What the tree counts once, a file of several names, counts once here.
    """

    def __init__(self, files: FileSystem, view: View, shown: NDArray[np.bool_]) -> None:
        self.files = files
        self.view = view
        self.shown = shown
        tree = files.tree
        sizes = np.where(view.changes == Change.REMOVED, 0, view.sizes)  # of what is gone, nothing takes space
        below = np.bincount(tree.parents[1:], sizes[1:], len(sizes)).astype(np.int64)
        own = np.where(shown, sizes - below, 0)
        self.is_whole = bool((own == sizes - below).all())
        """Whether all files are shown."""
        changes = (own, *(np.where(view.changes == change, own, 0) for change in (Change.ADDED, Change.CHANGED)))
        self.sizes = Parts(*(tree.summed(each) for each in changes))
        self.stand_ins = _stand_ins(tree.parents, self.sizes.all)
        """What is shown for each node: itself, but for a folder that has only one folder in it what is in that."""
        self._parts: dict[int, tuple[Nodes, Bytes]] = {}
        """What was asked for: the mouse asks again at each step, and a folder may have very many files."""

    @property
    def total(self) -> int:
        """Bytes of all that is shown."""
        return int(self.sizes.all[ROOT])

    def parts(self, node: int) -> tuple[Nodes, NDArray[np.int64]]:
        known = self._parts.get(node)
        if known is not None:
            return known
        within = self.files.tree.children(node)
        sizes = self.sizes.all[within.start : within.stop]
        order = np.argsort(-sizes, kind="stable")
        order = order[sizes[order] > 0]
        found = self._parts[node] = self.stand_ins[within.start + order], sizes[order]
        return found

    def around(self, node: int) -> int:
        """The folder that a node is shown in."""
        parents = self.files.tree.parents
        node = int(parents[node])
        while node != ROOT and self.stand_ins[node] != node:
            node = int(parents[node])
        return node

    def way_to(self, node: int) -> list[int]:
        """The node, and before it the folders that it is shown for."""
        way, outer = [node], self.around(node)
        while (above := int(self.files.tree.parents[way[0]])) != outer and node != ROOT:
            way.insert(0, above)
        return way


def _stand_ins(parents: NDArray[np.int32], sizes: Bytes) -> Nodes:
    """Where one folder is all that takes space in another, the inner one stands for both, as far down as it goes."""
    found = np.arange(len(parents), dtype=np.int64)
    there = np.flatnonzero(sizes[1:] > 0) + 1
    counts = np.bincount(parents[there], minlength=len(parents))
    is_alone = (counts[parents[there]] == 1) & (counts[there] > 0) & (parents[there] != ROOT)
    found[parents[there[is_alone]]] = there[is_alone]
    while not np.array_equal(found, further := found[found]):
        found = further
    return found
