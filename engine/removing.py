"""Carries out what was planned in ``removal.py``: the index first, then documents, then what they need.

So the index never leads to a blob that is not there, and a crash leaves unused blobs rather than incomplete images.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.blobs import Blobs, Change
from engine.columns import Columns, Rows, as_names, find_rows
from engine.digest import Digest, clip, digest_of, shorten
from engine.directory import explained
from engine.errors import DocumentError, StoreChanged
from engine.index import IndexText
from engine.indexfile import Edit, Note
from engine.progress import Progress
from engine.record import OpenRecord, rank_of
from engine.removal import PlannedBlob, RemovalPlan, used_from_outside
from engine.snapshot import Entry, Snapshot
from engine.trash import Trash, TrashedBlob
from engine.undo import bring_back, undone_on_failure


class Store(Protocol):
    """What carrying out a plan needs of a store."""

    @property
    def kind(self) -> str: ...
    @property
    def blobs(self) -> Blobs: ...
    def edit_index(self, edit: Edit, title: str = "", *, note: Note | None = None) -> Change: ...
    def read_index(self) -> bytes: ...
    def hold_index(self) -> AbstractContextManager[None]: ...
    def index_stamp(self) -> tuple[int, int, int]: ...
    def delete(self, digest: Digest) -> bool: ...
    def scan(self, progress: Progress, publish: None = None, previous: Snapshot | None = None) -> Snapshot: ...


def move_to_trash(store: Store, trash: Trash, plan: RemovalPlan, progress: Progress) -> Change:
    """Carry out a plan so that it can be undone: what goes is moved to the store's trash.

    First the trash gets hold of all that is to go, so that another program's garbage collector cannot take it. Then the
    entries leave the index, then the store is looked at once more, and only what nothing has come to need
    since the plan was made goes. What another program comes to need meanwhile is moved back. What fails or is cancelled
    is taken back. Raises ``StoreChanged`` when an entry of the plan is no longer in the index.
    """
    names = [_call_entry(entry) for entry in plan.entries]
    planned = [TrashedBlob(blob.digest, blob.size, blob.kind) for blob in plan.blobs]
    writer = trash.writer("removal" if planned else "edit", _title(plan), names, planned)
    moved: list[Digest] = []
    needs = _Needs(store, plan)
    with undone_on_failure(writer, store):
        if planned and plan.entries and store.kind == "layout":
            _keep(writer.begin(), plan, progress)
        changed = _remove_from_index(store, plan, writer.note)
        if planned:
            with store.hold_index():
                moved = _move(writer.begin(), needs, plan, progress)
        record = writer.finish(keep=changed or bool(moved))
    trash.forget_old_edits()
    return Change(removed=tuple(moved), index_changed=changed, note=needs.note(), record=record)


def delete_for_good(store: Store, plan: RemovalPlan, progress: Progress) -> Change:
    """Carry out a plan without a way back, which takes no room on the disk.

    Index and blobs in the same order, and with the same care for what is needed meanwhile, as ``move_to_trash``.
    """
    changed = _remove_from_index(store, plan, None)
    removed = []
    needs = _Needs(store, plan)
    with store.hold_index() if plan.blobs else nullcontext():
        needs.look(progress)
        progress.start("Deleting", len(plan.blobs), "blobs")
        for blob in _documents_first(plan):
            digest = Digest(blob.digest)
            needs.look_again()  # tools that take no lock may name something while we are at it
            if digest not in needs.digests and store.delete(digest):
                removed.append(digest)
            progress.advance()
    return Change(removed=tuple(removed), index_changed=changed, note=needs.note())


def _remove_from_index(store: Store, plan: RemovalPlan, note: Note | None) -> bool:
    if not plan.entries or store.kind != "layout":
        return False
    return store.edit_index(lambda index: _remove_entries(index, plan.entries), note=note).index_changed


def _keep(record: OpenRecord, plan: RemovalPlan, progress: Progress) -> None:
    """Hold the blobs of a plan, which stay where they are for now."""
    with explained("Moving to the trash", str(record.folder.path)):
        progress.start("Holding what goes", len(plan.blobs), "blobs")
        for blob in plan.blobs:
            record.keep(Digest(blob.digest))
            progress.advance()
        record.settle()


def _move(record: OpenRecord, needs: "_Needs", plan: RemovalPlan, progress: Progress) -> list[Digest]:
    """Move the blobs of a plan into a record, but for those that something has come to need; return what is there."""
    needs.look(progress)
    moved: list[Digest] = []
    with explained("Moving to the trash", str(record.folder.path)):
        progress.start("Moving to the trash", len(plan.blobs), "blobs")
        for _, blobs in groupby(_documents_first(plan), key=lambda blob: rank_of(blob.kind)):
            for digest in (Digest(blob.digest) for blob in blobs):
                # Metadata without a blob is what a crash has left.
                if digest not in needs.digests and record.take(digest) | record.take_metadata(digest):
                    moved.append(digest)
                progress.advance()
            record.settle()
    spared = needs.digests.intersection(blob.digest for blob in plan.blobs)
    if spared:
        bring_back(record, spared, progress)
    # Tools that take no lock may have named something while we were at it.
    while needs.look_again(closely=True) and (back := needs.digests.intersection(moved)):
        bring_back(record, back, progress)
        moved = [digest for digest in moved if digest not in back]
    return moved


class _Needs:
    """What something has come to need since the person decided over a plan."""

    def __init__(self, store: Store, plan: RemovalPlan) -> None:
        self.digests: set[str] = set()
        self._store = store
        self._plan = plan
        self._stamp = (0, 0, 0)
        self._index = ""

    def look(self, progress: Progress) -> None:
        """Look at the whole store; raises ``StoreChanged`` when its index has become unreadable."""
        progress.start("Looking once more", unit="blobs")
        self._stamp = self._store.index_stamp()
        after = self._store.scan(progress, None, self._plan.snapshot)
        if self._plan.snapshot.roots.digest and not after.roots.digest:
            raise StoreChanged(
                f"Nobody knows any more what is needed. {after.roots.trouble}",
                place="index.json",
                remedy="If another program is writing it, wait until it is done; else look at what is wrong with it.",
            )
        self._index = after.roots.digest
        self.digests |= _newly_needed(self._plan, after)

    def look_again(self, *, closely: bool = False) -> bool:
        """Look at the store if its index has changed since; whether it has. ``closely`` compares its content."""
        if self._store.index_stamp() == self._stamp and not (closely and self._changed()):
            return False
        self.look(Progress())
        return True

    def note(self) -> str:
        """What there is to say about it."""
        spared = sum(blob.digest in self.digests for blob in self._plan.blobs)
        return f"{spared} stayed: they have changed, or something has come to need them." if spared else ""

    def _changed(self) -> bool:
        if self._store.kind != "layout" or not self._index:
            return False
        try:
            return digest_of(self._store.read_index()) != self._index
        except DocumentError:
            return True


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
    return sorted(plan.blobs, key=lambda blob: rank_of(blob.kind))


def _newly_needed(plan: RemovalPlan, after: Snapshot) -> set[str]:
    """The digests that something has come to need since the person decided, and all that those need.

    What has been written anew since is what somebody is about to need.
    """
    before = plan.snapshot
    names = as_names([blob.digest for blob in plan.blobs])
    old_rows, rows = find_rows(before.columns.names, names), find_rows(after.columns.names, names)
    there = (old_rows >= 0) & (rows >= 0)  # the others somebody else has deleted
    old_rows, rows = old_rows[there], rows[there]
    chosen = _written_anew(before.columns, old_rows, after.columns, rows)
    used = np.isin(rows, used_from_outside(after, rows))
    going = {blob.digest for blob in plan.blobs}
    untagged = Counter(entry.row for entry in plan.entries)
    for n in np.flatnonzero(used & ~chosen).tolist():
        old_row, row = int(old_rows[n]), int(rows[n])
        entries = len(before.entries_of(old_row)) - untagged[old_row]
        named = after.store_kind == "layout" and len(after.entries_of(row)) > entries
        users = {before.name(user) for user in before.users(old_row)}
        chosen[n] = named or bool({after.name(user) for user in after.users(row)} - users - going)
    # What a document needs that has gone already, only the picture from before tells.
    needed = {after.name(row) for row in after.below(rows[chosen].tolist())}
    return needed | {before.name(row) for row in before.below(old_rows[chosen].tolist())}


def _written_anew(old: Columns, old_rows: Rows, new: Columns, rows: Rows) -> NDArray[np.bool_]:
    """Which files are no longer those that they were; what is gone, by us or by others, is not among them."""
    differ = old.sizes[old_rows] != new.sizes[rows]
    differ |= old.mtimes[old_rows] != new.mtimes[rows]
    differ |= old.inodes[old_rows] != new.inodes[rows]
    anew: NDArray[np.bool_] = differ & (old.sizes[old_rows] >= 0) & (new.sizes[rows] >= 0)
    return anew


def _title(plan: RemovalPlan) -> str:
    """What a plan does, in a few words."""
    if not plan.entries:
        return "Remove 1 blob" if len(plan.blobs) == 1 else f"Remove {len(plan.blobs)} blobs"
    what = clip(_call_entry(plan.entries[0])) if len(plan.entries) == 1 else f"{len(plan.entries)} entries"
    return f"Delete {what}" if plan.blobs else f"Remove {what} from the index"


def _call_entry(entry: Entry) -> str:
    return entry.names[0] if entry.names else shorten(entry.descriptor.digest)
