"""Plans what a removal takes away, and carries it out.

A plan is pure: it is computed over a snapshot, names each thing that goes, each that stays and why, and the bytes that
become free. Untagging (an index entry goes) and deleting (blobs go) are different verbs. Rules: marking is by digest;
referrers stay with their subject; a document that cannot be read keeps whatever it might need; the index
is changed before blobs go, so that it never leads to a blob that is not there.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec
import numpy as np

from engine import snapshot as facts
from engine.blobs import Blobs, Change
from engine.digest import Digest, shorten
from engine.document import Role
from engine.errors import Refused, StoreChanged
from engine.index import IndexText
from engine.progress import Progress
from engine.snapshot import Entry, Kind, Snapshot


class PlannedBlob(msgspec.Struct, frozen=True):
    """A blob that goes; ``freed`` is 0 where another hard link keeps its bytes."""

    digest: str
    kind: Kind
    size: int
    freed: int


class KeptBlob(msgspec.Struct, frozen=True):
    """A blob of the removed image that stays, and why."""

    digest: str
    kind: Kind
    reason: str


class RemovalPlan(msgspec.Struct, frozen=True):
    """What a removal would do, in the order in which people ask.

    ``broken`` says in sentences what would miss a blob afterwards, ``hanging`` lists referrers whose subject goes,
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


class Store(Protocol):
    """What carrying out a plan needs of a store."""

    @property
    def kind(self) -> str: ...
    @property
    def blobs(self) -> Blobs: ...
    def edit_index(self, edit: Callable[[IndexText], None]) -> Change: ...
    def hold_index(self) -> AbstractContextManager[None]: ...
    def index_stamp(self) -> tuple[int, int, int]: ...
    def delete(self, digest: Digest) -> bool: ...
    def scan(self, progress: Progress, publish: None = None, previous: Snapshot | None = None) -> Snapshot: ...


def plan_removal(
    snapshot: Snapshot, entries: Sequence[int] = (), digests: Sequence[str] = (), *, with_content: bool = False
) -> RemovalPlan:
    """What removing these index entries (by position) and these blobs would do.

    ``with_content`` also takes the blobs that only the removed entries need. An image of Docker's store is its blob,
    so there the entries' blobs go in any case. Raises ``Refused`` for more than untagging as long as the scan of the
    store goes on.
    """
    if snapshot.stage != "complete" and (digests or with_content or snapshot.store_kind != "layout"):
        raise Refused("The store is still being read, so nobody can say yet what is needed.", remedy="Wait a moment.")
    removed = {position: snapshot.entries[position] for position in entries}
    leaving = {entry.row for entry in removed.values() if entry.row >= 0}
    named = {row for digest in digests if (row := snapshot.find(digest)) >= 0}
    is_layout = snapshot.store_kind == "layout"
    goes = {row for row in (named if is_layout else named | leaving) if snapshot.has(row, facts.PRESENT)}
    kept: list[KeptBlob] = []
    warnings: list[str] = []
    if with_content and is_layout:
        private, kept, warnings = _private_content(snapshot, removed, leaving)
        goes |= private
        kept = [blob for blob in kept if snapshot.find(blob.digest) not in named]
    blobs = tuple(_planned(snapshot, row) for row in sorted(goes))
    return RemovalPlan(
        snapshot=snapshot,
        entries=tuple(removed.values()),
        blobs=blobs,
        kept=tuple(kept),
        hanging=_hanging(snapshot, goes),
        broken=_broken(snapshot, goes, set(removed)),
        siblings=_siblings(snapshot, removed, leaving),
        warnings=tuple(warnings),
        freed=sum(blob.freed for blob in blobs),
    )


def apply_removal(store: Store, plan: RemovalPlan, progress: Progress) -> Change:
    """Carry out a plan.

    First the entries leave the index, then the store is looked at once more, and only what nothing has come to need
    since the plan was made goes; meanwhile the index stays as it is, as far as others respect the lock. Raises
    ``StoreChanged`` when an entry of the plan is no longer in the index.
    """
    changed = False
    if plan.entries and store.kind == "layout":
        changed = store.edit_index(lambda index: _remove_entries(index, plan.entries)).index_changed
    if not plan.blobs:
        return Change(index_changed=changed)
    removed, spared = [], []
    with store.hold_index():
        progress.start("Looking once more", unit="blobs")
        stamp = store.index_stamp()
        needed = _newly_needed(plan, store.scan(progress, None, plan.snapshot))
        progress.start("Deleting", len(plan.blobs), "blobs")
        for blob in _documents_first(plan):
            # Tools that take no lock may name something while we are at it.
            if (now := store.index_stamp()) != stamp:
                stamp = now
                needed |= _newly_needed(plan, store.scan(Progress(), None, plan.snapshot))
            digest = Digest(blob.digest)
            if digest in needed:
                spared.append(digest)
            elif store.delete(digest):
                removed.append(digest)
            progress.advance()
    note = f"{len(spared)} stayed because something has come to need them." if spared else ""
    return Change(removed=tuple(removed), index_changed=changed, note=note)


def _private_content(
    snapshot: Snapshot, removed: Mapping[int, Entry], leaving: set[int]
) -> tuple[set[int], list[KeptBlob], list[str]]:
    """The rows that only the removed entries need, what stays of their images and why, and warnings."""
    parts = snapshot.below(leaving, parts_only=True)
    theirs = _with_referrers(snapshot, parts, lambda referrer: not snapshot.entries_of(referrer))
    roots = {entry.row for entry in snapshot.entries if entry.position not in removed and entry.row >= 0}
    documents = np.flatnonzero((snapshot.columns.flags & (facts.DOCUMENT | facts.DAMAGED)) != 0).tolist()
    # A person who deletes an image means it, so a subject is no reason to stay: its referrers are said to hang.
    wanted = snapshot.below(roots | (set(documents) - theirs), parts_only=True)
    wanted = _with_referrers(snapshot, wanted, lambda referrer: referrer not in leaving)
    doubts = [] if snapshot.roots.digest else ["index.json"]
    doubts += [shorten(snapshot.name(row)) for row in _unreadable(snapshot, wanted)]
    names = ", ".join(doubts[:3])
    private, kept = set(), []
    for row in sorted(theirs):
        if not snapshot.has(row, facts.PRESENT):
            continue
        if row not in wanted and not doubts:
            private.add(row)
        else:
            reason = _why_kept(snapshot, row, wanted) if row in wanted else f"{names} may need it"
            kept.append(KeptBlob(snapshot.name(row), snapshot.kind(row), reason))
    warning = f"No blob is deleted: {names} cannot be read, and nobody can know what is needed there."
    return private, kept, [warning] if doubts else []


def _with_referrers(snapshot: Snapshot, rows: set[int], joins: Callable[[int], bool]) -> set[int]:
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


def _unreadable(snapshot: Snapshot, wanted: set[int]) -> list[int]:
    """Documents in reach of what stays whose references nobody can know: damaged, absent, or of an unknown kind."""
    flags = snapshot.columns.flags
    kinds = (Kind.INDEX, Kind.IMAGE, Kind.ARTIFACT, Kind.ATTESTATION, Kind.SIGNATURE, Kind.SBOM, Kind.UNKNOWN)
    return [
        row
        for row in sorted(wanted)
        if not flags[row] & facts.DOCUMENT and snapshot.kind(row) in kinds and _is_manifest(snapshot, row)
    ]


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


def _planned(snapshot: Snapshot, row: int) -> PlannedBlob:
    size = int(snapshot.columns.sizes[row])
    alone = int(snapshot.columns.links[row]) <= 1
    return PlannedBlob(snapshot.name(row), snapshot.kind(row), size, size if alone else 0)


def _hanging(snapshot: Snapshot, goes: set[int]) -> tuple[str, ...]:
    links = (link for row in sorted(goes) for link in snapshot.referrers(row))
    return tuple(dict.fromkeys(snapshot.name(link.source) for link in links if link.source not in goes))


def _broken(snapshot: Snapshot, goes: set[int], removed: set[int]) -> tuple[str, ...]:
    sentences = []
    for row in sorted(goes):
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


def _remove_entries(index: IndexText, entries: Sequence[Entry]) -> None:
    """Take exactly these entries out, wherever they stand by now."""
    places: dict[tuple[str, str | None], list[int]] = {}
    for n, found in enumerate(index.entries):
        places.setdefault((found.digest, found.name), []).append(n)
    going: set[int] = set()
    for entry in entries:
        wanted, at = entry.descriptor, entry.position
        if at in going or at >= len(index.entries) or index.entries[at] != wanted:
            there = places.get((wanted.digest, wanted.name), ())
            same = [n for n in there if n not in going and index.entries[n] == wanted]
            if not same:
                name = entry.names[0] if entry.names else shorten(wanted.digest)
                raise StoreChanged(
                    f"{name} is no longer in the index as it was.",
                    place="index.json",
                    remedy="Look at what changed, then decide again.",
                )
            # Identical entries are told apart by where they stood.
            at = min(same, key=lambda n: abs(n - entry.position))
        going.add(at)
    index.remove(*going)


def _documents_first(plan: RemovalPlan) -> list[PlannedBlob]:
    """Documents before what they need, so that a crash leaves unused blobs rather than incomplete images."""
    order = {Kind.INDEX: 0, Kind.IMAGE: 1, Kind.ARTIFACT: 1, Kind.ATTESTATION: 1, Kind.SIGNATURE: 1, Kind.SBOM: 1}
    return sorted(plan.blobs, key=lambda blob: order.get(blob.kind, 2))


def _newly_needed(plan: RemovalPlan, after: Snapshot) -> set[str]:
    """The digests that something has come to need since the person decided, and all that those need."""
    before = plan.snapshot
    going = {blob.digest for blob in plan.blobs}
    untagged = Counter(entry.row for entry in plan.entries)
    needed = []
    for blob in plan.blobs:
        old_row, row = before.find(blob.digest), after.find(blob.digest)
        if row < 0:
            continue  # somebody else has deleted it
        users = {before.name(user) for user in before.users(old_row)}
        entries = len(before.entries_of(old_row)) - untagged[old_row]
        named = after.store_kind == "layout" and len(after.entries_of(row)) > entries
        if named or {after.name(user) for user in after.users(row)} - users - going:
            needed.append(row)
    return {after.name(row) for row in after.below(needed)}
