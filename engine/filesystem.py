"""The file system of an image: what its layers make when they are laid on each other, and what each of them does.

``merge`` takes the layers' listings, the lowest first. Every path that any layer mentions is a node (``pathtree``),
every entry of a layer has a number, and for each layer it is known which nodes it changes. ``view`` tells what is there
at a layer, and what that layer added, changed and removed. Rules: image-spec ``layer.md``, Whiteouts; where these leave
a choice, this does as overlayfs, on which most images run.

What a file holds is not compared: a file that a layer brings again counts as changed, unless it is a folder, a
symbolic link or a pipe, of which everything is known.
"""

from bisect import bisect_right
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.listing import WHITEOUT
from engine.pathtree import ROOT, Nodes, PathTree
from engine.tarheader import DIRECTORY, HARD_LINK, HEADER_ONLY, PIPE, SYMBOLIC_LINK

Entries = NDArray[np.int32]
ABSENT, IMPLIED = -1, -2
"""Instead of an entry: nothing is there; a folder that no layer has an entry for, only for what is in it."""


_MOST_LINKS = 40
"""Symbolic links that are followed on the way to one file, as Linux does."""


class Change(IntEnum):
    """What a layer does to a path."""

    NONE = 0  # it is not there, and was not
    UNCHANGED = 1
    ADDED = 2
    CHANGED = 3
    REMOVED = 4


class Facts(NamedTuple):
    """What is known of a file, link or folder. Sizes in bytes, times in seconds since 1970.

    ``kind`` is a type of ``tarheader``, and ``link`` the target of a symbolic link. Of a hard link, ``hard`` is the path
    of the file that it is another name of, and the rest is that file's; where there is none, ``kind`` is HARD_LINK.
    ``layer`` is -1 for a folder without an entry, ``row`` the place in that layer's listing.
    """

    kind: int
    size: int
    mode: int
    uid: int
    gid: int
    mtime: int
    link: bytes
    hard: bytes
    layer: int
    row: int


class Content(NamedTuple):
    """Where the bytes of a file are: in which layer, where in what that unpacks to, and how many.

    ``offset`` is -1 for a file that is stored without its holes, so that its bytes would have to be put together.
    """

    layer: int
    offset: int
    size: int


class Touch(NamedTuple):
    """What a layer does to a path, and the entry it has for it (ABSENT where it removes, IMPLIED for none)."""

    layer: int
    change: Change
    entry: int


class EntryColumns(msgspec.Struct, frozen=True):
    """The entries of all layers, those of the lowest first; ``bounds`` tells where each layer's begin, and the end.

    ``origins`` is where a hard link's content is: the entry that it leads to, -1 where it leads to nothing; for all
    others itself. ``sizes`` of hard links are 0. There are two rows more than entries, so that ABSENT and IMPLIED can be
    looked up like an entry.
    """

    bounds: list[int]
    kinds: NDArray[np.uint8]
    modes: NDArray[np.uint16]
    uids: NDArray[np.uint32]
    gids: NDArray[np.uint32]
    mtimes: NDArray[np.int64]
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    """Where in its unpacked layer the data of each begins; -1 where it is stored without its holes."""
    origins: Entries
    links: bytes
    """The targets of all links, one after the other."""
    link_starts: NDArray[np.uint32]

    def link(self, entry: int) -> bytes:
        """What a link leads to, as it is written."""
        return self.links[self.link_starts[entry] : self.link_starts[entry + 1]] if entry >= 0 else b""

    def layers(self, entries: Entries) -> NDArray[np.int32]:
        """The layer that each entry is of; -1 for what is no entry."""
        found = np.searchsorted(self.bounds, entries, side="right") - 1
        return np.where(entries < 0, -1, found).astype(np.int32)


class View:
    """What is there at one layer. Columns by node; they are shared, so treat them as read-only."""

    def __init__(self, tree: PathTree, columns: EntryColumns, entries: Entries, changes: NDArray[np.uint8]) -> None:
        self.entries = entries
        """The entry that is seen, of what is removed the one that was; ABSENT or IMPLIED for none."""
        self.changes = changes
        """A ``Change`` for each node."""
        removed = changes == Change.REMOVED
        present = (changes != Change.NONE) & ~removed
        of_files = columns.sizes[entries]
        linked = np.flatnonzero(present & (columns.kinds[entries] == HARD_LINK))
        if len(linked):
            # The bytes of a file whose other name is gone are those of the first link that is left.
            origins, first = np.unique(columns.origins[entries[linked]], return_index=True)
            gone = ~np.isin(origins, entries[present])
            of_files[linked[first[gone]]] = columns.sizes[origins[gone]]
        self.sizes = tree.summed(np.where(present, of_files, 0))
        """Bytes of each file, for folders of all that is in them; of what is removed, the bytes that went.

        A file of several names counts once: its other names, hard links, have 0.
        """
        if removed.any():
            self.sizes[removed] = tree.summed(np.where(removed, of_files, 0))[removed]
        self.shown_sizes = self.sizes
        if len(linked):
            self.shown_sizes = self.sizes.copy()
            self.shown_sizes[linked] = columns.sizes[columns.origins[entries[linked]]]
        """The same, but a hard link shows the size of the file that it is another name of."""
        below = [tree.summed((changes == change).astype(np.int32)) for change in _COUNTED]
        self.added, self.changed, self.removed = below
        """How many nodes are added, changed, removed at or below each."""
        self._tree = tree

    @property
    def total(self) -> int:
        """Bytes of all files that are there."""
        return int(self.sizes[0])

    def shown(self, changes: Iterable[Change], matching: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Which nodes to show: those with one of these changes (and matching), and the folders that lead to them."""
        wanted = np.isin(self.changes, [int(change) for change in changes]) & (self.changes != Change.NONE)
        if matching is not None:
            wanted &= matching
        return self._tree.marked_above(wanted)


_COUNTED = (Change.ADDED, Change.CHANGED, Change.REMOVED)


class FileSystem:
    """The merged file system of a stack of layers. Immutable; any thread may ask."""

    def __init__(
        self,
        tree: PathTree,
        columns: EntryColumns,
        touched: list[tuple[Nodes, Entries]],
        nodes: Nodes,
        flags: NDArray[np.uint8],
    ) -> None:
        self.tree = tree
        self.columns = columns
        self.flags = flags
        """Of each entry WHITEOUT or OPAQUE where it is one, 255 where it means nothing here, 0 for all others."""
        self._touched = touched
        self.nodes = nodes
        """The node of each entry, of a whiteout that of what it hides; -1 where the tree would have grown too large."""

    def __len__(self) -> int:
        return len(self.tree)

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return len(self._touched)

    @property
    def left_out(self) -> int:
        """How many entries are not in the tree, because it would have grown too large."""
        return int((self.nodes < 0).sum())

    def view(self, layer: int, *, only: bool = False, unfounded: bool = False) -> View:
        """What is there when the layers up to this one, counted from 0, are laid on each other.

        With ``only``, what this layer itself brings and removes, and the folders that lead there. With ``unfounded``
        there are layers below that nothing is known of: what whiteouts name counts as removed, whatever it was.
        """
        before = self.at(layer - 1)
        after = before.copy()
        nodes, entries = self._touched[layer]
        after[nodes] = entries
        changes = self._changes(before, after, nodes)
        if only:
            mine = np.zeros(len(self), np.bool_)
            mine[nodes] = True
            others = ~self.tree.marked_above(mine)
            changes[others], after[others] = Change.NONE, ABSENT
        removed = changes == Change.REMOVED
        after[removed] = before[removed]
        if unfounded:
            self._remove_unfounded(layer, after, changes)
        return View(self.tree, self.columns, after, changes)

    def at(self, layer: int) -> Entries:
        """The entry that is seen at each node when the layers up to this one are laid on each other; -1: no layer."""
        seen = np.full(len(self), ABSENT, np.int32)
        seen[ROOT] = IMPLIED
        for nodes, entries in self._touched[: layer + 1]:
            seen[nodes] = entries
        return seen

    def history(self, node: int) -> list[Touch]:
        """The layers that touch a path, the lowest first."""
        found, before = [], ABSENT
        for layer, (nodes, entries) in enumerate(self._touched):
            place = int(np.searchsorted(nodes, node))
            if place < len(nodes) and nodes[place] == node:
                entry = int(entries[place])
                found.append(Touch(layer, self._change(before, entry), entry))
                before = entry
        return found

    def follow(self, view: View, node: int) -> int:
        """What a symbolic link leads to in a view, through all links on the way; -1 where that is nothing."""
        left = [self.tree.name(node)]
        node, links = int(self.tree.parents[node]), 0
        while left:
            name = left.pop()
            if name == b"..":
                node = int(self.tree.parents[node])
                continue
            child = self.tree.child(node, name)
            if child < 0 or view.changes[child] in (Change.NONE, Change.REMOVED):
                return -1
            entry = int(self.columns.origins[view.entries[child]])
            if self.columns.kinds[entry] != SYMBOLIC_LINK:
                node = child
                continue
            links += 1
            target = self.columns.link(entry)
            if links > _MOST_LINKS:
                return -1
            node = ROOT if target.startswith(b"/") else node
            left += [each for each in reversed(target.split(b"/")) if each not in (b"", b".")]
        return node

    def facts(self, entry: int) -> Facts:
        """What is known of an entry; also of IMPLIED, for a folder without one."""
        columns = self.columns
        origin = int(columns.origins[entry])
        shown = origin if origin != ABSENT else entry
        kind = int(columns.kinds[shown])
        layer = bisect_right(columns.bounds, entry) - 1
        return Facts(
            kind=kind,
            size=int(columns.sizes[shown]),
            mode=int(columns.modes[shown]),
            uid=int(columns.uids[shown]),
            gid=int(columns.gids[shown]),
            mtime=int(columns.mtimes[shown]),
            link=columns.link(shown) if kind == SYMBOLIC_LINK else b"",
            hard=columns.link(entry) if columns.kinds[entry] == HARD_LINK else b"",
            layer=layer,
            row=entry - columns.bounds[layer] if layer >= 0 else -1,
        )

    def content_of(self, entry: int) -> Content | None:
        """Where a file's bytes are: those of a hard link where it leads to; None for what is no file."""
        columns = self.columns
        origin = int(columns.origins[entry])
        if origin < 0 or int(columns.kinds[origin]) in HEADER_ONLY:
            return None
        layer = bisect_right(columns.bounds, origin) - 1
        return Content(layer, int(columns.offsets[origin]), int(columns.sizes[origin]))

    def _remove_unfounded(self, layer: int, after: Entries, changes: NDArray[np.uint8]) -> None:
        first, last = self.columns.bounds[layer], self.columns.bounds[layer + 1]
        named = self.nodes[first:last][self.flags[first:last] == WHITEOUT]
        named = named[(named > ROOT) & (changes[named] == Change.NONE)]
        folders = self.tree.above(named)
        folders = folders[changes[folders] == Change.NONE]
        changes[folders], after[folders] = Change.UNCHANGED, IMPLIED
        changes[named] = Change.REMOVED

    def _changes(self, before: Entries, after: Entries, nodes: Nodes) -> NDArray[np.uint8]:
        changes = np.where(after == ABSENT, Change.NONE, Change.UNCHANGED).astype(np.uint8)
        was, now = before[nodes], after[nodes]
        changes[nodes[(was == ABSENT) & (now != ABSENT)]] = Change.ADDED
        changes[nodes[(was != ABSENT) & (now == ABSENT)]] = Change.REMOVED
        both = (was != ABSENT) & (now != ABSENT)
        differ = self._differ(was[both], now[both])
        changes[nodes[both][differ]] = Change.CHANGED
        return changes

    def _change(self, before: int, after: int) -> Change:
        if before == ABSENT:
            return Change.ADDED if after != ABSENT else Change.NONE
        if after == ABSENT:
            return Change.REMOVED
        differ = self._differ(np.array([before], np.int32), np.array([after], np.int32))
        return Change.CHANGED if differ[0] else Change.UNCHANGED

    def _differ(self, was: Entries, now: Entries) -> NDArray[np.bool_]:
        """Whether one entry after the other changes something: of folders, links and devices everything is known."""
        columns = self.columns
        same = was == now
        known = np.isin(columns.kinds[now], _TOLD) & (was >= 0) & (now >= 0)
        for column in (columns.kinds, columns.modes, columns.uids, columns.gids):
            known &= column[was] == column[now]
        links = np.flatnonzero(known & (columns.kinds[now] != DIRECTORY))
        for n in links.tolist():
            known[n] = columns.link(int(was[n])) == columns.link(int(now[n]))
        differ: NDArray[np.bool_] = ~(same | known)
        return differ


_TOLD = (DIRECTORY, SYMBOLIC_LINK, PIPE)
"""Types of which all is known that there is to know."""
