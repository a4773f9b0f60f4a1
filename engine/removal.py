"""Plans what a removal takes away; ``removing.py`` carries it out.

A plan is pure: it is computed over a snapshot, names each thing that goes, each that stays and why, and the bytes that
become free. Untagging (an index entry goes) and deleting (blobs go) are different verbs. Rules: marking is by digest;
referrers stay with their subject; a document that cannot be read keeps whatever it might need; the index
is changed before blobs go, so that it never leads to a blob that is not there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from engine import snapshot as facts
from engine.columns import Rows, as_names, find_rows
from engine.digest import shorten
from engine.document import MANIFEST_TYPES, Role
from engine.errors import Refused
from engine.snapshot import Entry, Kind, Outcome, Snapshot

_KINDS = tuple(Kind)
_MAY_BE_DOCUMENTS = np.array(
    [Kind.INDEX, Kind.IMAGE, Kind.ARTIFACT, Kind.ATTESTATION, Kind.SIGNATURE, Kind.SBOM, Kind.UNKNOWN], np.uint8
)


class PlannedBlob(msgspec.Struct, frozen=True, gc=False):
    """A blob that goes; ``freed`` is 0 where another hard link keeps its bytes."""

    digest: str
    kind: Kind
    size: int
    freed: int


class KeptBlob(msgspec.Struct, frozen=True, gc=False):
    """A blob of the removed image that stays, and why."""

    digest: str
    kind: Kind
    reason: str


class RemovalPlan(msgspec.Struct, frozen=True):
    """What a removal would do, in the order in which people ask.

    ``doubtful`` are blobs that nothing known needs, but something unknown may: a document that is absent or cannot be
    read; they are among ``kept``, or among ``blobs`` where the person has decided so. ``broken`` says in sentences what would miss a blob afterwards, ``hanging`` lists referrers whose subject goes,
    ``siblings`` the other names of the same content, ``freed`` the bytes that the disk gets back. ``snapshot`` is what
    the person has decided over: whatever has come to need a blob since then keeps it.
    """

    snapshot: Snapshot
    entries: tuple[Entry, ...]
    blobs: tuple[PlannedBlob, ...]
    kept: tuple[KeptBlob, ...]
    hanging: tuple[str, ...]
    broken: tuple[str, ...]
    siblings: tuple[str, ...]
    warnings: tuple[str, ...]
    freed: int
    doubtful: tuple[PlannedBlob, ...] = ()


def plan_removal(
    snapshot: Snapshot,
    entries: Sequence[int] = (),
    digests: Collection[str] = (),
    *,
    with_content: bool = False,
    despite_doubts: bool = False,
) -> RemovalPlan:
    """What removing these index entries (by position) and these blobs would do.

    ``with_content`` also takes the blobs that only the removed entries need; with ``despite_doubts`` also those of them
    that a document might need which is absent or cannot be read. An image of Docker's store is its blob, so there the
    entries' blobs go in any case. Raises ``Refused`` for more than untagging as long as the scan of the store goes on.
    """
    if snapshot.stage != "complete" and (digests or with_content or snapshot.store_kind != "layout"):
        raise Refused("The store is still being read, so nobody can say yet what is needed.", remedy="Wait a moment.")
    removed = {position: snapshot.entries[position] for position in entries}
    leaving = {entry.row for entry in removed.values() if entry.row >= 0}
    found = find_rows(snapshot.columns.names, as_names(list(digests))) if digests else np.empty(0, np.int64)
    named: set[int] = set(found[found >= 0].tolist())
    is_layout = snapshot.store_kind == "layout"
    goes = {row for row in (named if is_layout else named | leaving) if snapshot.has(row, facts.PRESENT)}
    content = _Content(set(), set(), [], [])
    if with_content and is_layout:
        content = _private_content(snapshot, removed, leaving, despite_doubts)
        goes |= content.private
    linked = {row for row in goes if snapshot.has(row, facts.LINKED)}
    goes -= linked
    reason = "its folder is a symbolic link, through which nothing is deleted"
    kept = [blob for blob in content.kept if snapshot.find(blob.digest) not in named]
    kept += [KeptBlob(snapshot.name(row), snapshot.kind(row), reason) for row in sorted(linked)]
    blobs = planned_blobs(snapshot, goes)
    return RemovalPlan(
        snapshot=snapshot,
        entries=tuple(removed.values()),
        blobs=blobs,
        kept=tuple(kept),
        hanging=_hanging(snapshot, goes),
        broken=_broken(snapshot, goes, set(removed)),
        siblings=_siblings(snapshot, removed, leaving),
        warnings=tuple(content.warnings),
        freed=sum(blob.freed for blob in blobs),
        doubtful=planned_blobs(snapshot, content.doubtful - linked),
    )


class _Content(NamedTuple):
    """What goes with an image: rows, those of them (or beside them) that are in doubt, what stays, what to mind."""

    private: set[int]
    doubtful: set[int]
    kept: list[KeptBlob]
    warnings: list[str]


def _private_content(
    snapshot: Snapshot, removed: Mapping[int, Entry], leaving: set[int], despite_doubts: bool
) -> _Content:
    """The rows that only the removed entries need, what stays of their images and why, and warnings."""
    parts = snapshot.below(leaving, parts_only=True)
    theirs = with_referrers(snapshot, parts, lambda referrer: not snapshot.entries_of(referrer))
    roots = {entry.row for entry in snapshot.entries if entry.position not in removed and entry.row >= 0}
    documents = np.flatnonzero((snapshot.columns.flags & (facts.DOCUMENT | facts.DAMAGED)) != 0).tolist()
    # A person who deletes an image means it, so a subject is no reason to stay: its referrers are said to hang.
    wanted = snapshot.below(roots | (set(documents) - theirs), parts_only=True)
    wanted = with_referrers(snapshot, wanted, lambda referrer: referrer not in leaving)
    doubts = Doubts(snapshot, wanted)
    content = _Content(set(), set(), [], doubts.sentences(despite_doubts))
    for row in sorted(theirs):
        if not snapshot.has(row, facts.PRESENT):
            continue
        reason = _why_kept(snapshot, row, wanted) if row in wanted else ""
        if not reason and (doubt := doubts.about(row)):
            content.doubtful.add(row)
            reason = "" if despite_doubts and not doubts.index_unreadable else doubt
        if reason:
            content.kept.append(KeptBlob(snapshot.name(row), snapshot.kind(row), reason))
        else:
            content.private.add(row)
    return content


class Doubts:
    """What nobody can know about what stays: its index or some document in reach is absent, damaged or unknown."""

    def __init__(self, snapshot: Snapshot, wanted: Iterable[int]) -> None:
        self.index_unreadable = not snapshot.roots.digest
        self._snapshot = snapshot
        rows = [*_unreadable(snapshot, wanted), *_unknown(snapshot)]
        self._names = ["index.json"] if self.index_unreadable else []
        self._names += [shorten(snapshot.name(row)) for row in rows]
        # A manifest has layers and a config; what lists manifests is an index, or a document of an unknown kind.
        self._of_documents = self.index_unreadable or any(
            snapshot.media_type(row) not in MANIFEST_TYPES for row in rows
        )

    def __bool__(self) -> bool:
        return bool(self._names)

    def about(self, row: int) -> str:
        """Why a row that nothing known needs may be needed all the same; empty where it cannot be."""
        if not self._names or (self._snapshot.has(row, facts.DOCUMENT) and not self._of_documents):
            return ""
        return f"{', '.join(self._names[:3])} may need it"

    def among(self, rows: set[int]) -> set[int]:
        """Those of the rows that may be needed all the same."""
        if not self._names or self._of_documents:
            return rows if self._names else set()
        ordered = np.fromiter(rows, np.int64)
        return set(ordered[(self._snapshot.columns.flags[ordered] & facts.DOCUMENT) == 0].tolist())

    @property
    def _shown(self) -> str:
        more = f" and {len(self._names) - 3} more" if len(self._names) > 3 else ""
        return ", ".join(self._names[:3]) + more

    @property
    def trouble(self) -> str:
        """What is the matter with it, in a sentence; empty where nothing is."""
        if not self._names:
            return ""
        if self.index_unreadable:
            return f"{self._shown} cannot be read."
        return f"Missing, damaged or of an unknown kind: {self._shown}."

    def sentences(self, despite_doubts: bool = False) -> list[str]:
        """What a person should mind who removes something."""
        if not self:
            return []
        if self.index_unreadable:
            return [f"No blob is deleted: {self.trouble} Nobody can know what is needed there."]
        if despite_doubts:
            return [f"{self.trouble} What is needed there may be among what goes."]
        return [f"{self.trouble} Nobody can know what is needed there; what it may be stays."]


def with_referrers(snapshot: Snapshot, rows: set[int], joins: Callable[[int], bool]) -> set[int]:
    """The rows, the referrers that ``joins`` accepts, what those need, and their referrers in their turn."""
    edges = snapshot.edges
    chosen = (edges.roles == Role.SUBJECT) | (edges.roles == Role.ATTACHED)
    referrers: dict[int, list[int]] = {}
    for source, target in zip(edges.sources[chosen].tolist(), edges.targets[chosen].tolist(), strict=True):
        referrers.setdefault(target, []).append(source)
    found, waiting = set(rows), list(rows)
    while waiting:
        for source in referrers.get(waiting.pop(), ()):
            if source not in found and joins(source):
                more = snapshot.below([source], parts_only=True, known=found)
                found |= more
                waiting += more
    return found


def _unreadable(snapshot: Snapshot, wanted: Iterable[int]) -> list[int]:
    """Documents in reach of what stays whose references nobody can know: damaged, absent, or of an unknown kind.

    A corrupt one is damaged also where it still is a document: what it says of its layers may be wrong.
    """
    rows = np.sort(np.fromiter(wanted, np.int64))
    corrupt = [digest for digest, read in snapshot.documents.items() if read.outcome == Outcome.CORRUPT]
    is_corrupt = np.isin(rows, find_rows(snapshot.columns.names, as_names(corrupt)))
    open_ones = ((snapshot.columns.flags[rows] & facts.DOCUMENT) == 0) | is_corrupt
    rows = rows[open_ones & np.isin(snapshot.columns.kinds[rows], _MAY_BE_DOCUMENTS)]
    return [row for row in rows.tolist() if _is_manifest(snapshot, row)]


def _unknown(snapshot: Snapshot) -> list[int]:
    """Blobs that nothing refers to and nobody can read: each may be a manifest that belongs to something."""
    flags = snapshot.columns.flags & (facts.UNREADABLE | facts.REFERENCED)
    rows: list[int] = np.flatnonzero(flags == facts.UNREADABLE).tolist()
    return rows


def _is_manifest(snapshot: Snapshot, row: int) -> bool:
    """Whether something lists it as a manifest, rather than as a layer that happens to be a signature."""
    return bool(snapshot.entries_of(row)) or any(
        link.role in (Role.MANIFEST, Role.SUBJECT) for link in snapshot.parents(row)
    )


def _why_kept(snapshot: Snapshot, row: int, wanted: set[int]) -> str:
    names = [name for entry in snapshot.entries_of(row) for name in entry.names]
    if names:
        return f"named {names[0]} in the index"
    users = [user for user in snapshot.users(row) if user in wanted]
    if not users:
        return "an index entry without a name leads to it"
    first = _call(snapshot, users[0])
    return f"{first} needs it" if len(users) == 1 else f"{first} and {len(users) - 1} more need it"


def _call(snapshot: Snapshot, row: int) -> str:
    names = [name for entry in snapshot.entries_of(row) for name in entry.names]
    return names[0] if names else shorten(snapshot.name(row))


def planned_blobs(snapshot: Snapshot, rows: Iterable[int]) -> tuple[PlannedBlob, ...]:
    """These rows as blobs that go; a file with several names is freed once, with the last of its names."""
    ordered = np.sort(np.fromiter(rows, np.int64))
    columns = snapshot.columns
    inodes = columns.inodes[ordered].tolist()
    names_left = dict(zip(inodes, columns.links[ordered].tolist(), strict=True))
    planned = []
    facts_of = zip(
        columns.names[ordered].tolist(),
        columns.kinds[ordered].tolist(),
        np.maximum(columns.sizes[ordered], 0).tolist(),
        inodes,
        strict=True,
    )
    for name, kind, size, inode in facts_of:
        names_left[inode] -= 1
        freed = size if names_left[inode] <= 0 else 0
        planned.append(PlannedBlob(name.decode("utf-8", "surrogateescape"), _KINDS[kind], size, freed))
    return tuple(planned)


def used_from_outside(snapshot: Snapshot, rows: Rows) -> Rows:
    """Those of the rows to which an entry refers, or a document that is not among them; usually few of very many."""
    entries = np.array([entry.row for entry in snapshot.entries], np.int64)
    outside = snapshot.edges.targets[~np.isin(snapshot.edges.sources, rows)]
    used: Rows = rows[np.isin(rows, np.concatenate([outside, entries]))]
    return used


def _used(snapshot: Snapshot, goes: set[int]) -> list[int]:
    rows: list[int] = used_from_outside(snapshot, np.sort(np.fromiter(goes, np.int64))).tolist()
    return rows


def _hanging(snapshot: Snapshot, goes: set[int]) -> tuple[str, ...]:
    links = (link for row in _used(snapshot, goes) for link in snapshot.referrers(row))
    return tuple(dict.fromkeys(snapshot.name(link.source) for link in links if link.source not in goes))


def _broken(snapshot: Snapshot, goes: set[int], removed: set[int]) -> tuple[str, ...]:
    sentences = []
    for row in _used(snapshot, goes):
        short = shorten(snapshot.name(row))
        for entry in snapshot.entries_of(row):
            if entry.position not in removed and snapshot.store_kind == "layout":
                name = entry.names[0] if entry.names else f"Entry {entry.position + 1}"
                sentences.append(f"{name} will lead nowhere without {short}.")
        users = (link.source for link in snapshot.parents(row) if link.role not in (Role.SUBJECT, Role.ATTACHED))
        sentences += [f"{_call(snapshot, user)} will miss {short}." for user in users if user not in goes]
    return tuple(sentences)


def _siblings(snapshot: Snapshot, removed: dict[int, Entry], leaving: set[int]) -> tuple[str, ...]:
    others = (entry for row in sorted(leaving) for entry in snapshot.entries_of(row) if entry.position not in removed)
    return tuple(entry.names[0] if entry.names else f"entry {entry.position + 1}, without a name" for entry in others)
