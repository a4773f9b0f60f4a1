"""What sorting, filtering and the image tree ask of a snapshot beside its columns, worked out once each.

No Qt and no disk; made and asked on any thread. A question over every row is NumPy's, which leaves the interpreter to
the window; a loop over every document gives the interpreter away after each slice.
"""

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.columns import Rows, as_names, find_rows
from engine.distinct import distinct, others
from engine.document import NO_TEXTS, TITLE, Descriptor, Document, ImageConfig, Index, Manifest, Role
from engine.progress import Progress
from engine.snapshot import PENDING, Snapshot, State
from gui.jobs import give_way

Mask = NDArray[np.bool_]
Item = TypeVar("Item")

SLICE = 200
"""Things that are looked at in a row before the window gets a turn."""

_LEVELS = 4
"""Documents in documents that are followed for every row at once when sizes are added up; deeper ones one by one."""
_MOST_PAIRS = 20_000_000
"""Pairs of a row and something below it that are kept in memory while sizes are added up."""
_MOST_KEPT = 1024
"""Rows whose parts are kept; some dozens are on the screen, and they are asked for at each change of a state."""
_MOST_PARTS = 5000
"""Parts that are looked at to sum up the state of one row."""
_NAMED_BY_A_TOOL = re.compile(r"sha(?:256|512)-[0-9a-f]{64,128}(?:\.(?:sig|att|sbom))?")


def sliced(items: Iterable[Item], progress: Progress | None = None) -> Iterator[Item]:
    """The same items; lets other threads run after each slice, and raises ``Cancelled`` when asked to stop."""
    for number, item in enumerate(items, 1):
        yield item
        if number % SLICE == 0:
            give_way() if progress is None else progress.check()


class Branches(NamedTuple):
    """What hangs below each row: the children of ``row`` stand at ``starts[row]`` up to ``starts[row + 1]``."""

    starts: NDArray[np.int32]
    parents: NDArray[np.int32]
    children: NDArray[np.int32]
    roles: NDArray[np.uint8]
    positions: NDArray[np.uint32]

    def below(self, row: int) -> slice:
        """Where the children of a row stand."""
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def parents_of(self, row: int) -> Rows:
        """The rows that have a row as a child."""
        parents: Rows = self.parents[self.children == row].astype(np.int64)
        return parents

    def degrees(self, rows: Rows) -> Rows:
        """How many children each of ``rows`` has."""
        return (self.starts[rows + 1] - self.starts[rows]).astype(np.int64)

    def children_of(self, rows: Rows) -> Rows:
        """The children of the first row, then those of the second, and so on."""
        degrees = self.degrees(rows)
        firsts = np.repeat(self.starts[rows] - np.concatenate([[0], np.cumsum(degrees)[:-1]]), degrees)
        return self.children[firsts + np.arange(len(firsts))].astype(np.int64)


class Texts(NamedTuple):
    """Texts that documents give to rows: ``rows[n]`` is called ``words[n]``."""

    rows: Rows
    words: Sequence[str]


class Facts:
    """The shape of a snapshot and the texts in it.

    ``tops`` are the rows at the top of the image tree: that of each index entry (-1 where it has no usable digest),
    then those of the lost images.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.count = len(snapshot)
        self.entry_count = len(snapshot.entries)
        entry_rows = np.fromiter((entry.row for entry in snapshot.entries), np.int64, self.entry_count)
        self.lost = np.array(snapshot.lost(), np.int64)
        self.tops: Rows = np.concatenate([entry_rows, self.lost])
        self._by_row = np.argsort(entry_rows, kind="stable")
        self._sorted_rows = entry_rows[self._by_row]
        self._parts_below: dict[int, Rows | None] = {}

    def prepare(self) -> None:
        """Work out now what the tree asks while it is painted."""
        _ = self.expandable, self.at_top, self._totals, self._made_of_parts

    # ------------------------------------------------------------------------------------------------- shape

    @functools.cached_property
    def parts(self) -> Branches:
        """The parts of each row, in the order of its document."""
        edges = self.snapshot.edges
        here = np.flatnonzero(edges.roles <= Role.LAYER)
        return _branches(self.count, edges.sources[here], edges.targets[here], edges.roles[here], edges.positions[here])

    @functools.cached_property
    def expandable(self) -> Mask:
        """For each row, whether the tree shows something below it."""
        below: Mask = np.diff(self.nest.starts) > 0
        return below

    @functools.cached_property
    def nest(self) -> Branches:
        """What the tree shows below each row: its parts, then what belongs to it, then Docker's parent.

        What an index lists and what belongs to another image of the same index (BuildKit's attestations) is shown
        below that image only.
        """
        edges = self.snapshot.edges
        belongs = (edges.roles == Role.SUBJECT) | (edges.roles == Role.ATTACHED)
        belongs &= edges.sources != edges.targets
        # One referrer may name its subject twice, in its document and by its tag.
        pairs = np.flatnonzero(belongs)
        _, first = np.unique(edges.sources[pairs] * self.count + edges.targets[pairs], return_index=True)
        pairs = pairs[np.sort(first)]
        subjects, referrers = edges.targets[pairs], edges.sources[pairs]
        parts = np.flatnonzero(edges.roles <= Role.LAYER)
        parts = parts[~self._nested_in_siblings(parts, subjects, referrers)]
        docker = np.flatnonzero((edges.roles == Role.PARENT) & (edges.sources != edges.targets))
        return _branches(
            self.count,
            np.concatenate([edges.sources[parts], subjects, edges.sources[docker]]),
            np.concatenate([edges.targets[parts], referrers, edges.targets[docker]]),
            np.concatenate([edges.roles[parts], edges.roles[pairs], edges.roles[docker]]),
            np.concatenate([edges.positions[parts], edges.positions[pairs], edges.positions[docker]]),
        )

    def _nested_in_siblings(self, parts: Rows, subjects: Rows, referrers: Rows) -> Mask:
        """Which of these edges lead from an index to what belongs to something else in that index."""
        edges = self.snapshot.edges
        nested = np.zeros(len(parts), np.bool_)
        listed = np.flatnonzero(edges.roles[parts] == Role.MANIFEST)
        if not len(listed) or not len(referrers):
            return nested
        owners, targets = edges.sources[parts[listed]], edges.targets[parts[listed]]
        order = np.argsort(referrers, kind="stable")
        first = np.searchsorted(referrers[order], targets)
        first[first == len(order)] = 0
        subject = np.where(referrers[order][first] == targets, subjects[order][first], -1)
        keys = owners * self.count + targets
        wanted = owners * self.count + subject
        sibling = (subject >= 0) & np.isin(wanted, keys)
        # Two that belong to each other would both vanish: what it belongs to must stay where it is.
        nested[listed] = sibling & ~np.isin(wanted, keys[sibling])
        return nested

    def up(self, mask: Mask) -> Mask:
        """The rows of ``mask`` and everything that has one of them below it in the tree."""
        return _spread(mask, self._tree_children, self._tree_parents)

    def down(self, mask: Mask) -> Mask:
        """The rows of ``mask`` and everything below them in the tree."""
        return _spread(mask, self._tree_parents, self._tree_children)

    def positions_of(self, row: int) -> Rows:
        """The positions of the index entries of a row."""
        first = bisect_left(self._sorted_rows, row)
        last = bisect_right(self._sorted_rows, row, first)
        return self._by_row[first:last]

    @functools.cached_property
    def _tree_parents(self) -> NDArray[np.int32]:
        parents: NDArray[np.int32] = self.nest.parents[self.nest.roles != Role.PARENT]
        return parents

    @functools.cached_property
    def _tree_children(self) -> NDArray[np.int32]:
        children: NDArray[np.int32] = self.nest.children[self.nest.roles != Role.PARENT]
        return children

    def has_parts(self, row: int) -> bool:
        """Whether the row is a document with parts."""
        return bool(self._made_of_parts[row])

    @functools.cached_property
    def at_top(self) -> Mask:
        """For each index entry, whether it stands at the top of the tree.

        Not there are those that only a tool has named, or nobody (signatures, attestations, referrers), where the tree
        shows them below what they belong to.
        """
        rows = self.tops[: self.entry_count]
        edges = self.snapshot.edges
        belongs = np.zeros(self.count + 1, np.bool_)  # one more, for the row -1
        belongs[edges.sources[(edges.roles == Role.SUBJECT) | (edges.roles == Role.ATTACHED)]] = True
        candidates = [n for n in np.flatnonzero(belongs[rows]).tolist() if self._is_tool_named(n)]
        shown = np.ones(self.entry_count, np.bool_)
        if candidates:
            shown[candidates] = False
            roots = np.zeros(self.count, np.bool_)
            roots[rows[shown & (rows >= 0)]] = True
            shown[candidates] = ~self.down(roots)[rows[candidates]]
        return shown

    def _is_tool_named(self, position: int) -> bool:
        names = self.snapshot.entries[position].names
        return all(_NAMED_BY_A_TOOL.fullmatch(name) for name in names)

    # ------------------------------------------------------------------------------------------------- sizes

    @functools.cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each row: on disk; what a descriptor says where there is no file; -1 where nothing says it."""
        sizes = self.snapshot.columns.sizes.copy()
        absent = np.flatnonzero((sizes < 0) & ((self.snapshot.columns.flags & PENDING) == 0))
        if len(absent):
            edges = self.snapshot.edges
            targets, first = np.unique(edges.targets, return_index=True)
            wanted = np.isin(targets, absent)
            for row, edge in sliced(zip(targets[wanted].tolist(), first[wanted].tolist(), strict=True)):
                found = self.descriptor(int(edges.sources[edge]), Role(edges.roles[edge]), int(edges.positions[edge]))
                sizes[row] = found.size
        return sizes

    @functools.cached_property
    def _totals(self) -> NDArray[np.int64]:
        """Bytes of each row and its parts all the way down, each blob once; -1 for rows too deep to do all at once."""
        sizes = np.maximum(self.sizes, 0)
        count = max(self.count, 1)
        frontier = pairs = distinct(self.parts.parents.astype(np.int64) * count + self.parts.children)
        for _ in range(_LEVELS):
            owners, rows = np.divmod(frontier, count)
            degrees = self.parts.degrees(rows)
            if not degrees.any() or len(pairs) + int(degrees.sum()) > _MOST_PAIRS:
                break
            reached = np.repeat(owners, degrees) * count + self.parts.children_of(rows)
            frontier = others(reached, pairs)
            pairs = np.sort(np.concatenate([pairs, frontier]))
        owners, rows = np.divmod(pairs, count)
        other = owners != rows
        below = np.bincount(owners[other], sizes[rows[other]].astype(np.float64), self.count)
        totals = sizes + below[: self.count].astype(np.int64)
        owners, rows = np.divmod(frontier, count)
        totals[owners[self.parts.degrees(rows) > 0]] = -1
        return totals

    def total(self, row: int) -> int:
        """Bytes of the row and its parts all the way down, each blob once."""
        known = int(self._totals[row])
        return known if known >= 0 else self.snapshot.total_size(row)

    def totals(self, rows: Rows, progress: Progress) -> NDArray[np.int64]:
        """``total`` of each of these rows; 0 for -1."""
        totals = np.append(self._totals, 0)[rows]
        for place in sliced(np.flatnonzero(totals < 0).tolist(), progress):
            totals[place] = self.snapshot.total_size(int(rows[place]))
        return totals

    # ------------------------------------------------------------------------------------------------ states

    def rolled(self, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the tree says of each row: its worst state among its parts; verified only where no part is unchecked."""
        unchecked = (states == State.NOT_CHECKED) | (states == State.CHECKING)
        above = _spread(unchecked, self.parts.children, self.parts.parents)
        return np.where((worst == State.VERIFIED) & above, np.uint8(State.NOT_CHECKED), worst)

    def parts_below(self, row: int) -> Rows | None:
        """The row and its parts all the way down; None where they are too many to look at in passing."""
        if row not in self._parts_below:
            if len(self._parts_below) >= _MOST_KEPT:
                self._parts_below.clear()
            self._parts_below[row] = self._find_parts(row)
        return self._parts_below[row]

    def _find_parts(self, row: int) -> Rows | None:
        found, waiting = {row}, [row]
        while waiting:
            new = set(self.parts.children[self.parts.below(waiting.pop())].tolist()) - found
            if len(found) + len(new) > _MOST_PARTS:
                return None
            found |= new
            waiting += [part for part in new if self._made_of_parts[part]]
        return np.array(list(found), np.int64)

    @functools.cached_property
    def _made_of_parts(self) -> bytes:
        """For each row, whether it has parts; not in an array, for these are asked about one at a time."""
        return (np.diff(self.parts.starts) > 0).tobytes()

    # ------------------------------------------------------------------------------------------------- texts

    def descriptor(self, source: int, role: Role, position: int) -> Descriptor:
        """What the document of ``source`` says of the part in that role and position."""
        document = self.snapshot.document(source)
        found = document.descriptor(role, position) if isinstance(document, (Manifest, Index)) else None
        return found or Descriptor()

    @functools.cached_property
    def entry_names(self) -> list[str]:
        """The names of each top, folded for comparing; several stand on lines of their own."""
        names = ["\n".join(entry.names).casefold() for entry in sliced(self.snapshot.entries)]
        return names + [""] * len(self.lost)

    @functools.cached_property
    def titles(self) -> Texts:
        """The file names that manifests give their parts, folded for comparing."""
        digests, words = [], []
        for _, document in self.documents():
            for descriptor in document.layers if isinstance(document, Manifest) else ():
                if descriptor.digest and (title := descriptor.annotations.get(TITLE)):
                    digests.append(descriptor.digest)
                    words.append(title.casefold())
        return Texts(self.rows_of(digests), words)

    @functools.cached_property
    def platforms(self) -> Texts:
        """The platforms that indexes and image configs give to rows, folded for comparing."""
        digests, words = [], []
        for digest, document in self.documents():
            if isinstance(document, ImageConfig):
                digests.append(digest)
                words.append(document.platform.text.casefold())
            for descriptor in document.manifests if isinstance(document, Index) else ():
                if descriptor.digest and descriptor.platform is not None:
                    digests.append(descriptor.digest)
                    words.append(descriptor.platform.text.casefold())
        return Texts(self.rows_of(digests), words)

    def documents(self) -> Iterator[tuple[str, Document]]:
        """Every document that could be read, with its digest."""
        for digest, read in sliced(self.snapshot.documents.items()):
            if read.document is not None:
                yield digest, read.document

    def rows_of(self, digests: Sequence[str]) -> Rows:
        """The rows of digests that the snapshot has."""
        return find_rows(self.snapshot.columns.names, as_names(digests))


def annotations_of(document: Document) -> Mapping[str, str]:
    """The labels or annotations of a document."""
    return document.labels if isinstance(document, ImageConfig) else document.annotations or NO_TEXTS


def _spread(mask: Mask, sources: NDArray[np.int32], targets: NDArray[np.int32]) -> Mask:
    """``mask`` and every target that can be reached from it by edges."""
    reached = mask.copy()
    while True:
        more = targets[reached[sources] & ~reached[targets]]
        if not len(more):
            return reached
        reached[more] = True


def _branches(
    count: int, parents: Rows, children: Rows, roles: NDArray[np.uint8], positions: NDArray[np.uint32]
) -> Branches:
    """Edges sorted by parent; those of one parent keep their order."""
    order = np.argsort(parents, kind="stable")
    starts = np.searchsorted(parents[order], np.arange(count + 1)).astype(np.int32)
    ends = parents[order].astype(np.int32), children[order].astype(np.int32)
    return Branches(starts, *ends, roles[order], positions[order])
