"""What an image carries and never shows: files that a later layer overwrites or removes, but that are stored all the same.

All sizes are those of unpacked files. What that is in stored bytes nobody can say exactly, because a layer is compressed
as a whole; ``LayerTable`` knows how much each layer shrinks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.distinct import distinct
from engine.filesystem import FileSystem
from engine.listing import WHITEOUT
from engine.pathtree import Nodes
from engine.tarheader import DIRECTORY


class Waste(NamedTuple):
    """Bytes that are stored and not seen in the whole image: below and at each node, and of each layer."""

    sizes: NDArray[np.int64]
    layers: list[int]

    @property
    def total(self) -> int:
        """Bytes in all layers."""
        return sum(self.layers)


class Efficiency(NamedTuple):
    """The same question as the program dive answers it: paths that are in more than one layer count, with every copy.

    ``nodes`` are those paths, ``times`` in how many layers each is, ``sizes`` all copies together in bytes, the largest
    first; ``score`` is the sum of the smallest copy of every path by the sum of all copies.
    """

    score: float
    nodes: Nodes
    times: NDArray[np.int32]
    sizes: NDArray[np.int64]

    @property
    def total(self) -> int:
        """What dive calls wasted space: it counts the copy that is seen, too."""
        return int(self.sizes.sum())


def waste(files: FileSystem) -> Waste:
    """What is stored and not seen when all layers are laid on each other."""
    columns = files.columns
    seen = files.at(files.layers - 1)
    unseen = np.ones(columns.bounds[-1] + 2, np.bool_)
    unseen[columns.origins[seen[seen >= 0]]] = False  # also of a file that only another name is left of
    unseen = unseen[:-2] & (files.nodes >= 0)
    of_entries = np.where(unseen, columns.sizes[:-2], 0)
    by_node = np.bincount(files.nodes[unseen], of_entries[unseen], len(files)).astype(np.int64)
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(of_entries)])
    return Waste(files.tree.summed(by_node), np.diff(before[columns.bounds]).tolist())


def efficiency(files: FileSystem) -> Efficiency:
    """Counted as dive counts (its ``filetree.Efficiency``), so that people can compare.

    A path counts in each layer that has an entry for it, a folder only where the layer has nothing in it; a whiteout of
    a folder counts with all that it hides, one of a file with nothing.
    """
    columns, tree = files.columns, files.tree
    times = np.zeros(len(files), np.int32)
    sums = np.zeros(len(files), np.int64)
    least = np.full(len(files), np.iinfo(np.int64).max)
    for layer in range(files.layers):
        first, last = columns.bounds[layer], columns.bounds[layer + 1]
        nodes, flags = files.nodes[first:last], files.flags[first:last]
        sizes = np.zeros(len(files), np.int64)
        own = (flags == 0) & (nodes > 0)
        sizes[nodes[own]] = columns.sizes[first:last][own]
        hidden = nodes[flags == WHITEOUT]
        before = files.at(layer - 1)
        folders = hidden[columns.kinds[before[hidden]] == DIRECTORY]
        if len(folders):
            sizes[folders] = tree.summed(columns.sizes[before])[folders]
        named = distinct(np.concatenate([nodes[own], hidden]))
        leaves = np.setdiff1d(named, tree.above(named), assume_unique=True)
        times[leaves] += 1
        sums[leaves] += sizes[leaves]
        least[leaves] = np.minimum(least[leaves], sizes[leaves])
    total = int(sums.sum())
    repeated = np.flatnonzero(times > 1).astype(np.int32)
    repeated = repeated[np.argsort(-sums[repeated], kind="stable")]
    score = int(least[times > 0].sum()) / total if total else 1.0
    return Efficiency(score, repeated, times[repeated], sums[repeated])
