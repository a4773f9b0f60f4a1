"""What is in a store at one moment: every question the window asks is answered here, without touching the disk.

A row is a position in the columns: one for each blob on disk, each digest that something refers to, and each stray file
in the blob folders. Rows are sorted by name (a digest, or the path of a stray file below the blobs folder), so a name
is found by bisection and columns of different snapshots can be matched. Columns are NumPy arrays, because a store may
hold a million blobs; the few documents among them are typed values.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.columns import FIELDS, Columns, Rows
from engine.distinct import distinct
from engine.document import Descriptor, Document, ImageConfig, Index, Manifest, Platform, Role

Folders = tuple[tuple[str, int, int], ...]
"""The folders of blobs: name, inode, and the time in nanoseconds when a name in it last changed."""


class Kind(IntEnum):
    """What a row is, as people call it."""

    UNKNOWN = 0  # nothing says what it is
    INDEX = 1
    IMAGE = 2
    CONFIG = 3
    LAYER = 4
    ARTIFACT = 5
    ATTESTATION = 6
    SIGNATURE = 7
    SBOM = 8
    DATA = 9  # content of an artifact
    STRAY = 10  # a file that is no blob


class State(IntEnum):
    """The one word that the window shows beside a row."""

    VERIFIED = 0
    NOT_CHECKED = 1
    CHECKING = 2
    EXTERNAL = 3
    NOT_CHECKABLE = 4
    UNUSED = 5
    LOST = 6
    JUNK = 7
    MISSING = 8
    SIZE_DIFFERS = 9
    DAMAGED = 10
    UNREADABLE = 11
    NOT_REGULAR = 12
    CORRUPT = 13

    @property
    def bad(self) -> bool:
        """Whether it means that something is wrong with content that is wanted."""
        return self >= State.MISSING


class Outcome(IntEnum):
    """What hashing a blob said."""

    NONE = 0
    VERIFIED = 1
    CORRUPT = 2
    UNREADABLE = 3
    NOT_CHECKABLE = 4
    MISSING = 5
    CHANGED = 6  # the file is no longer the one that was listed


PRESENT = 1
REGULAR = 2
REFERENCED = 4
REACHABLE = 8
SIZE_DIFFERS = 16
DAMAGED = 32
EXTERNAL = 64
STRAY = 128  # a file below the blobs folder that is no blob
DOCUMENT = 256
COMPLETE = 512  # a document whose parts are all there
PENDING = 1024  # known from the index only; the disk has not been looked at yet
UNREADABLE = 2048
LINKED = 16384  # in a folder that a symbolic link leads to; nothing is changed there
UNCHECKABLE = 8192  # of an algorithm that this program cannot compute
GUESSED = 4096  # its media type was guessed from its content, because nothing refers to it


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A root: an entry of ``index.json``, or an image of Docker's store. ``row`` is -1 where it has no usable digest."""

    position: int
    row: int
    descriptor: Descriptor
    tags: tuple[str, ...] = ()
    """The names that Docker keeps elsewhere."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called; empty where it has no name. Not kept: a hundred thousand are too many to collect."""
        name = self.descriptor.name
        return self.tags if name is None else (name,)


class Roots(msgspec.Struct):
    """What a store names, before anybody looked whether it is there."""

    descriptors: list[Descriptor]
    tags: list[tuple[str, ...]] = []
    """Those of each in Docker's store; none in a layout."""
    digest: str = ""
    """The digest of the ``index.json`` that they were read from; empty where it could not be read whole."""
    trouble: str = ""
    """The sentence that says why it could not."""

    def entries(self, rows: Iterable[int]) -> list[Entry]:
        """The entries, each with its row."""
        roots = zip(rows, self.descriptors, self.tags or itertools.repeat((), len(self.descriptors)), strict=True)
        return [Entry(position, *root) for position, root in enumerate(roots)]


class Link(msgspec.Struct, frozen=True, gc=False):
    """One reference from a row to a row; ``descriptor`` is what the source's document says of the target."""

    source: int
    target: int
    role: Role
    position: int
    descriptor: Descriptor


class ReadDocument(msgspec.Struct, frozen=True):
    """A document that was read, and the state of the file that it was read from."""

    stamp: tuple[int, int, int]
    document: Document | None
    media_type: str
    outcome: Outcome


class Edges(msgspec.Struct):
    """All references between rows as columns, in the order of their documents."""

    sources: Rows
    targets: Rows
    roles: NDArray[np.uint8]
    positions: NDArray[np.uint32]


STAGES = ("roots", "listing", "graph", "complete")
"""How much a snapshot knows, from the least to the most: see ``Snapshot``."""


class Snapshot:
    """An immutable picture of a store.

    ``stage`` is "roots" while only the index was read, "listing" while the disk is being listed, "graph" when every
    reference was followed, and "complete" when also the blobs that nothing refers to were looked at.
    """

    def __init__(
        self,
        *,
        store_kind: str,
        stage: str,
        columns: Columns,
        media_types: Sequence[str],
        roots: Roots,
        entries: Sequence[Entry],
        edges: Edges,
        documents: Mapping[str, ReadDocument],
        folders: Folders = (),
    ) -> None:
        self.store_kind = store_kind
        self.stage = stage
        self.columns = columns
        self.media_types = media_types
        self.roots = roots
        self.entries = entries
        self.edges = edges
        self.documents = documents
        self.folders = folders
        """The folders of blobs as they were when they were listed; empty where that says nothing."""
        # Edges sorted by either end, with where those of each row begin: a question about one row needs no search.
        self._by_target = np.argsort(edges.targets, kind="stable")
        self._by_source = np.argsort(edges.sources, kind="stable")
        places = np.arange(len(columns) + 1)
        self._first_to = np.searchsorted(edges.targets[self._by_target], places)
        self._first_from = np.searchsorted(edges.sources[self._by_source], places)
        self._targets_from = edges.targets[self._by_source]
        self._roles_from = edges.roles[self._by_source]
        self._refers = (np.diff(self._first_from) > 0).tobytes()
        rows = np.array([entry.row for entry in entries], np.int64)
        self._entry_order = np.argsort(rows, kind="stable")
        self._entry_rows = rows[self._entry_order]
        self._sizes: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.columns)

    def listed(self) -> Columns:
        """What listing the folders had found: only the rows with a file, and nothing that documents say of them."""
        rows = np.flatnonzero(self.columns.flags & PRESENT)
        columns = Columns(*(getattr(self.columns, field)[rows] for field in FIELDS))
        columns.flags &= PRESENT | REGULAR | STRAY | UNCHECKABLE | LINKED
        columns.kinds[:] = np.where(columns.flags & STRAY, Kind.STRAY, Kind.UNKNOWN)
        columns.media[:] = 0
        columns.used_by[:] = 0
        return columns

    # ------------------------------------------------------------------------------------------------ names

    def find(self, name: str) -> int:
        """The row of a digest (or stray file), -1 where the snapshot has none."""
        wanted, names = name.encode("utf-8", "surrogateescape"), self.columns.names
        # Unlike a search by NumPy this keeps the interpreter: on the GUI thread, getting it back takes longer.
        row = bisect_left(names, wanted)
        return row if row < len(names) and names[row] == wanted else -1

    def name(self, row: int) -> str:
        """The digest of a row, or the path of a stray file below the blobs folder."""
        return bytes(self.columns.names[row]).decode("utf-8", "surrogateescape")

    def media_type(self, row: int) -> str:
        return self.media_types[int(self.columns.media[row])]

    def kind(self, row: int) -> Kind:
        return Kind(int(self.columns.kinds[row]))

    def has(self, row: int, flag: int) -> bool:
        return bool(self.columns.flags[row] & flag)

    # ------------------------------------------------------------------------------------------------ graph

    def document(self, row: int) -> Document | None:
        """The manifest, index or image config that the blob is, None where it is none or could not be read."""
        found = self.documents.get(self.name(row))
        return found.document if found else None

    def children(self, row: int) -> list[Link]:
        """What the row's document is made of, in its order: config, layers, manifests."""
        return [link for link in self._outgoing(row) if link.role in (Role.MANIFEST, Role.CONFIG, Role.LAYER)]

    def references(self, row: int) -> list[Link]:
        """Everything the row refers to: its children, its subject, what it is attached to, its parent."""
        return list(self._outgoing(row))

    def parents(self, row: int) -> list[Link]:
        """Every reference to the row from another row (index entries: ``entries_of``)."""
        return [self._link(int(edge)) for edge in self.edges_to(row)]

    def users(self, row: int) -> list[int]:
        """The rows that refer to the row, as often as they do; quicker than ``parents`` where there are very many."""
        users: list[int] = self.edges.sources[self.edges_to(row)].tolist()
        return users

    def referrers(self, row: int) -> list[Link]:
        """What belongs to the row without being part of it: signatures, attestations, SBOMs and other referrers."""
        links, seen = [], set()
        for link in self.parents(row):
            if link.role in (Role.SUBJECT, Role.ATTACHED) and link.source not in seen:
                seen.add(link.source)
                links.append(link)
        return links

    def entries_of(self, row: int) -> list[Entry]:
        """The index entries that name the row."""
        first = bisect_left(self._entry_rows, row)  # see find()
        last = bisect_right(self._entry_rows, row, first)
        return [self.entries[entry] for entry in self._entry_order[first:last]]

    def lost(self) -> list[int]:
        """The manifests and indexes that nothing refers to although all their parts are there."""
        flags = self.columns.flags
        wanted = flags & (PRESENT | DOCUMENT | COMPLETE | REACHABLE | REFERENCED)
        return [int(row) for row in np.flatnonzero(wanted == (PRESENT | DOCUMENT | COMPLETE))]

    def below(
        self, rows: Iterable[int], *, parts_only: bool = False, known: AbstractSet[int] = frozenset()
    ) -> set[int]:
        """The rows and everything that they need, all the way down, but for what is ``known``.

        With ``parts_only`` no subjects and parents.
        """
        found = set(rows)
        waiting = list(found)
        while waiting:
            edges = self._slice(self._first_from, waiting.pop())
            targets = self._targets_from[edges].tolist()
            if parts_only:
                roles = self._roles_from[edges].tolist()
                targets = [target for target, role in zip(targets, roles, strict=True) if role <= Role.LAYER]
            new = set(targets) - found - known
            found |= new
            waiting += [row for row in new if self._refers[row]]
        return found

    def total_size(self, row: int) -> int:
        """Bytes of the row and its parts all the way down, each blob once; of absent ones what a descriptor says."""
        if row not in self._sizes:
            found = frontier = np.array([row])
            absent = 0
            while len(frontier):
                edges = np.concatenate([_NO_EDGES, *(self.edges_from(r) for r in frontier.tolist() if self._refers[r])])
                edges = edges[self.edges.roles[edges] <= Role.LAYER]
                frontier, first = np.unique(self.edges.targets[edges], return_index=True)
                new = ~np.isin(frontier, found)
                frontier, edges = frontier[new], edges[first[new]]
                found = np.concatenate([found, frontier])
                gone = edges[self.columns.sizes[frontier] < 0]
                absent += sum(max(self._link(int(edge)).descriptor.size, 0) for edge in gone)
            self._sizes[row] = absent + int(np.maximum(self.columns.sizes[found], 0).sum())
        return self._sizes[row]

    def config(self, row: int) -> ImageConfig | None:
        """The config of the image whose manifest (or, in Docker's store, whose config) the row is."""
        document = self.document(row)
        if isinstance(document, ImageConfig):
            return document
        if isinstance(document, Manifest) and document.config is not None and document.config.digest:
            found = self.documents.get(document.config.digest)
            if found is not None and isinstance(found.document, ImageConfig):
                return found.document
        return None

    def platform(self, row: int, descriptor: Descriptor | None = None) -> str:
        """The platform in words: what the descriptor says, else the config; for an index, how many it has."""
        if descriptor is not None and descriptor.platform is not None:
            return descriptor.platform.text
        document = self.document(row) if row >= 0 else None
        if isinstance(document, Index):
            platforms = [d.platform for d in document.manifests if d.platform and d.platform != _NO_PLATFORM]
            return f"{len(platforms)} platforms" if len(platforms) > 1 else "".join(p.text for p in platforms)
        config = self.config(row) if row >= 0 else None
        return config.platform.text if config is not None else ""

    def edges_from(self, row: int) -> NDArray[np.int64]:
        """The positions of all references from a row, in ``edges``."""
        return self._by_source[self._slice(self._first_from, row)]

    def edges_to(self, row: int) -> NDArray[np.int64]:
        """The positions of all references to a row, in ``edges``."""
        return self._by_target[self._slice(self._first_to, row)]

    def rows_above(self, rows: Rows) -> set[int]:
        """The rows and everything that has them as a part: whose worst state may have changed."""
        found = {int(row) for row in rows}
        waiting = list(found)
        while waiting:
            for edge in self.edges_to(waiting.pop()):
                if self.edges.roles[edge] <= Role.LAYER and (source := int(self.edges.sources[edge])) not in found:
                    found.add(source)
                    waiting.append(source)
        return found

    # ----------------------------------------------------------------------------------------------- states

    def states(self, outcomes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The state of every row, given what hashing said of each."""
        return states_of(self.columns.flags, outcomes)

    def worst(self, states: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """For each row the worst state among it and its parts, all the way down."""
        worst = states.copy()
        parts = self.edges.roles[self._by_target] <= Role.LAYER
        order = self._by_target[parts]
        targets, sources = self.edges.targets[order], self.edges.sources[order]
        for state in range(max(State), State.MISSING - 1, -1):
            above = states == state
            mark_above(above, targets, sources)
            np.maximum(worst, np.where(above, np.uint8(state), np.uint8(0)), out=worst)
        return worst

    def _outgoing(self, row: int) -> Iterator[Link]:
        for edge in self.edges_from(row):
            yield self._link(int(edge))

    @staticmethod
    def _slice(firsts: NDArray[np.int64], row: int) -> slice:
        """Where the edges of a row stand among those sorted by it."""
        return slice(int(firsts[row]), int(firsts[row + 1]))

    def _link(self, edge: int) -> Link:
        source, target = int(self.edges.sources[edge]), int(self.edges.targets[edge])
        role = Role(int(self.edges.roles[edge]))
        position = int(self.edges.positions[edge])
        document = self.document(source)
        descriptor = None
        if isinstance(document, (Manifest, Index)):
            descriptor = document.descriptor(role, position)
        return Link(source, target, role, position, descriptor or Descriptor(digest=self.name(target)))


_NO_PLATFORM = Platform("unknown", "unknown")
_NO_EDGES: NDArray[np.int64] = np.empty(0, np.int64)


def states_of(flags: NDArray[np.uint16], outcomes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """States from facts and outcomes of hashing; later lines win over earlier ones."""
    states = np.full(len(flags), State.NOT_CHECKED, np.uint8)
    states[outcomes == Outcome.VERIFIED] = State.VERIFIED
    states[(flags & UNCHECKABLE) != 0] = State.NOT_CHECKABLE
    unused = (flags & (REACHABLE | PENDING | STRAY)) == 0
    states[unused] = State.UNUSED
    lost = PRESENT | DOCUMENT | COMPLETE
    states[(flags & (lost | REACHABLE | REFERENCED)) == lost] = State.LOST
    absent = (flags & (PRESENT | PENDING)) == 0
    states[absent] = State.MISSING
    states[absent & ((flags & EXTERNAL) != 0)] = State.EXTERNAL
    states[(flags & PENDING) != 0] = State.CHECKING
    states[(flags & STRAY) != 0] = State.JUNK
    states[(flags & SIZE_DIFFERS) != 0] = State.SIZE_DIFFERS
    states[(flags & DAMAGED) != 0] = State.DAMAGED
    states[((flags & UNREADABLE) != 0) | (outcomes == Outcome.UNREADABLE)] = State.UNREADABLE
    states[(flags & (PRESENT | REGULAR | STRAY)) == PRESENT] = State.NOT_REGULAR
    # That a file is too short or too long tells more than that, for this very reason, its digest differs.
    states[(outcomes == Outcome.CORRUPT) & (states != State.SIZE_DIFFERS)] = State.CORRUPT
    return states


def mark_above(marks: NDArray[np.bool_], targets: Rows, sources: Rows) -> None:
    """Mark also whatever refers to a marked row, all the way up; ``targets`` are sorted, with the source of each."""
    frontier = np.flatnonzero(marks)
    while len(frontier):
        first, last = np.searchsorted(targets, frontier), np.searchsorted(targets, frontier, "right")
        counts = last - first
        edges = np.repeat(last - np.cumsum(counts), counts) + np.arange(counts.sum())
        users = distinct(sources[edges])
        frontier = users[~marks[users]]
        marks[frontier] = True


def no_edges() -> Edges:
    """The edges of a store whose documents have not been read."""
    return Edges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.uint32))
