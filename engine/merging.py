"""How layers are laid on each other: whiteouts, folders in the place of files and back, links (see ``filesystem``)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.entrypaths import paths_of
from engine.filesystem import ABSENT, IMPLIED, Entries, EntryColumns, FileSystem
from engine.listing import OPAQUE, SPARSE, WHITEOUT, Listing
from engine.pathtree import ROOT, Nodes, PathTree, TreeBuilder
from engine.progress import Progress
from engine.tarheader import DIRECTORY, HARD_LINK, SYMBOLIC_LINK

_Value = TypeVar("_Value", np.uint8, np.uint16, np.uint32, np.int64)


def merge(listings: Sequence[Listing], progress: Progress) -> FileSystem:
    """Lay layers on each other, the lowest first. Raises ``Cancelled``; content never makes it raise."""
    bounds = [0, *np.cumsum([len(listing) for listing in listings]).tolist()]
    progress.start("Merging layers", bounds[-1], "files")
    columns = _columns(listings, bounds)
    gathered = _gather(listings, bounds, frozenset(), progress)
    if crossed := _crossed(gathered, columns):
        gathered = _gather(listings, bounds, crossed, progress)
    overlay = _Overlay(gathered, columns)
    touched = []
    for layer in range(len(listings)):
        progress.check()
        touched.append(overlay.lay(layer))
    return FileSystem(gathered.tree, columns, touched, gathered.nodes, gathered.flags)


class _Gathered(NamedTuple):
    """All paths; the node and the flags of each entry, and the node that each hard link leads to."""

    tree: PathTree
    nodes: Nodes
    flags: NDArray[np.uint8]
    targets: Nodes


def _gather(
    listings: Sequence[Listing], bounds: Sequence[int], follow: frozenset[int], progress: Progress
) -> _Gathered:
    """Gather the paths of all layers; in those named by ``follow`` their own links are followed."""
    builder = TreeBuilder()
    flags = np.concatenate([np.zeros(0, np.uint8), *(listing.flags & (WHITEOUT | OPAQUE) for listing in listings)])
    targets: list[bytes] = []
    for layer, listing in enumerate(listings):
        mine = flags[bounds[layer] : bounds[layer + 1]]
        for paths in paths_of(listing, mine, targets, follow=layer in follow):
            builder.add(paths)
            progress.advance(0 if follow else len(paths))
    builder.add(targets)
    tree, numbered = builder.build(progress)
    return _Gathered(tree, numbered[: bounds[-1]], flags, numbered[bounds[-1] :])


def _crossed(gathered: _Gathered, columns: EntryColumns) -> frozenset[int]:
    """The layers in which something lies behind a link of the same layer."""
    found, tree = [], gathered.tree
    for layer, (first, last) in enumerate(pairwise(columns.bounds)):
        nodes = gathered.nodes[first:last]
        links = nodes[(columns.kinds[first:last] == SYMBOLIC_LINK) & (nodes > ROOT)]
        if tree.counts[links].any() and np.isin(links, tree.above(nodes[nodes >= 0])).any():
            found.append(layer)
    return frozenset(found)


def _columns(listings: Sequence[Listing], bounds: list[int]) -> EntryColumns:
    """The attributes of all entries, and the two rows that ABSENT and IMPLIED lead to."""

    kinds = _joined([listing.types for listing in listings], DIRECTORY, np.uint8(0))
    sizes = _joined([listing.sizes for listing in listings], 0, np.int64(0))
    sizes[kinds == HARD_LINK] = 0
    offsets = _joined([np.where(each.flags & SPARSE, -1, each.offsets) for each in listings], -1, np.int64(-1))
    links: list[bytes] = []
    ends = [np.zeros(1, np.int64)]
    total = 0
    for listing in listings:
        lengths = listing.starts[1:].astype(np.int64) - listing.targets
        links.extend(listing.target(row) for row in np.flatnonzero(lengths).tolist())
        ends.append(total + np.cumsum(lengths))
        total += int(lengths.sum())
    origins = np.arange(bounds[-1] + 2, dtype=np.int32)
    origins[-2:] = IMPLIED, ABSENT
    return EntryColumns(
        bounds=bounds,
        kinds=kinds,
        modes=_joined([listing.modes for listing in listings], 0o755, np.uint16(0)),
        uids=_joined([listing.uids for listing in listings], 0, np.uint32(0)),
        gids=_joined([listing.gids for listing in listings], 0, np.uint32(0)),
        mtimes=_joined([listing.mtimes for listing in listings], 0, np.int64(0)),
        sizes=sizes,
        offsets=offsets,
        origins=origins,
        links=b"".join(links),
        link_starts=np.concatenate(ends).astype(np.uint32),
    )


def _joined(parts: Sequence[NDArray[_Value]], implied: int, absent: _Value) -> NDArray[_Value]:
    """A column of all layers, with what IMPLIED and ABSENT lead to at its end."""
    return np.concatenate([*parts, np.array([implied, absent], absent.dtype)])


class _Overlay:
    """What is seen so far, while layer after layer is laid on it."""

    def __init__(self, gathered: _Gathered, columns: EntryColumns) -> None:
        tree = gathered.tree
        self._tree = tree
        self._columns = columns
        self._nodes = gathered.nodes
        self._flags = gathered.flags
        links = np.flatnonzero(columns.kinds[: columns.bounds[-1]] == HARD_LINK)
        self._links = dict(zip(links.tolist(), gathered.targets.tolist(), strict=True))
        self._seen = np.full(len(tree), ABSENT, np.int32)
        self._seen[ROOT] = IMPLIED

    def lay(self, layer: int) -> tuple[Nodes, Entries]:
        """Lay the next layer; the nodes that it changes, sorted, and what is seen there now."""
        first, last = self._columns.bounds[layer], self._columns.bounds[layer + 1]
        nodes, flags = self._nodes[first:last], self._flags[first:last]
        counts = (flags == 0) & (nodes >= 0)
        own = np.full(len(self._tree), ABSENT, np.int32)
        own[nodes[counts]] = np.arange(first, last, dtype=np.int32)[counts]  # of two for one path the last
        if own[ROOT] >= 0 and self._columns.kinds[own[ROOT]] != DIRECTORY:
            own[ROOT] = ABSENT
        needed, replaced = self._folders_of(own, nodes[counts])
        self._resolve_links(first, last, own)
        brought = own != ABSENT
        hidden = np.concatenate([nodes[flags == WHITEOUT], replaced])
        after = self._lower(own, hidden, nodes[flags == OPAQUE])
        after[brought] = own[brought]
        without = needed[(own[needed] == ABSENT) & (self._columns.kinds[after[needed]] != DIRECTORY)]
        after[without] = IMPLIED
        changed = np.flatnonzero(after != self._seen).astype(np.int32)
        self._seen = after
        return changed, after[changed]

    def _folders_of(self, own: Entries, nodes: Nodes) -> tuple[Nodes, Nodes]:
        """The folders that what a layer brings is in, and those of them that were something else for a while.

        Where one path is a folder and something else in the same layer, what comes later replaces what came before.
        """
        tree, kinds = self._tree, self._columns.kinds
        folders = tree.above(nodes)
        clash = folders[kinds[own[folders]] != DIRECTORY]
        clash = clash[own[clash] >= 0]
        if not len(clash):
            return folders, clash
        written = np.full(len(tree), ABSENT, np.int32)
        written[clash] = own[clash]
        own[own < tree.largest_above(written)] = ABSENT
        folders = tree.above(np.flatnonzero(own != ABSENT).astype(np.int32))
        own[folders[(own[folders] >= 0) & (kinds[own[folders]] != DIRECTORY)]] = ABSENT
        return folders, clash

    def _lower(self, own: Entries, hidden: Nodes, emptied: Nodes) -> Entries:
        """What is left of the layers below: whiteouts hide only those, wherever in the layer they stand."""
        seen, kinds, tree = self._seen, self._columns.kinds, self._tree
        gone = np.zeros(len(tree), np.bool_)
        gone[hidden] = True
        emptied = np.concatenate([hidden, emptied, np.flatnonzero((own >= 0) & (kinds[own] != DIRECTORY))])
        emptied = emptied[kinds[seen[emptied]] == DIRECTORY]
        if len(emptied):
            marks = np.zeros(len(tree), np.bool_)
            marks[emptied] = True
            gone |= tree.marked_below(marks)[tree.parents]
        gone[ROOT] = False
        return np.where(gone, np.int32(ABSENT), seen)

    def _resolve_links(self, first: int, last: int, own: Entries) -> None:
        """Find out what the hard links of a layer lead to: files that came before, in it or in the layers below."""
        origins = self._columns.origins
        for link in (np.flatnonzero(self._columns.kinds[first:last] == HARD_LINK) + first).tolist():
            target = self._links[link]
            found = ABSENT
            if target > ROOT:
                mine, lower = int(own[target]), int(self._seen[target])
                found = mine if 0 <= mine < link else lower
            origins[link] = origins[found] if found >= 0 else ABSENT
