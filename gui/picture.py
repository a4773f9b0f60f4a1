"""What the views draw of a store: a snapshot, what hashing said of its rows, and the states that follow from both.

Making one walks over every row, so that happens on a worker; noting what a running verification found touches only the
rows it found, so that happens on the GUI thread.
"""

import time
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Rows, as_names, empty_columns, find_rows, same_files
from engine.snapshot import (
    LINKED,
    PRESENT,
    REACHABLE,
    REGULAR,
    STRAY,
    UNCHECKABLE,
    Entry,
    Outcome,
    Snapshot,
    State,
    states_of,
)
from engine.verdicts import Verdicts, load_verdicts
from engine.verify import VerifyBatch
from gui import text

_MANY = 100_000
_MANY_BAD = 256
"""More bad rows than this in one batch are followed upwards on a worker, all at once."""


_MOST_PARTED = 200_000
"""Files that are gone of which verdicts are kept; further ones are hashed again when they come back."""


class Picture:
    """A snapshot with its verdicts and states, aligned row by row."""

    def __init__(self, snapshot: Snapshot, verdicts: Verdicts, checking: Rows | None = None) -> None:
        self.snapshot = snapshot
        self.verdicts = verdicts
        self.states: NDArray[np.uint8] = snapshot.states(verdicts.outcomes)
        if checking is not None:
            self.states[checking] = State.CHECKING
        self.worst: NDArray[np.uint8] = snapshot.worst(self.states)
        """For each row the worst state among it and its parts."""
        self.counts: NDArray[np.int64] = _count(self.states)
        self.roll_up_is_stale = False
        self.unused = _unused(snapshot)
        """How many blobs nothing that is named leads to, and their bytes on disk."""
        self.parted: tuple[Verdicts, Columns] = Verdicts(0), empty_columns(as_names([]))
        """What was known of files that have gone since: it holds again when they come back from the trash."""

    def mark_checking(self, rows: Rows) -> None:
        """Show that these rows wait to be hashed."""
        self._become(rows, np.full(len(rows), State.CHECKING, np.uint8))

    def record(self, batch: VerifyBatch) -> None:
        """Note what hashing found; the batch's rows are this snapshot's."""
        self.verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
        self.settle(batch.rows)

    def settle(self, rows: Rows) -> None:
        """Show of these rows what is known of them: they are not being checked any more."""
        self._become(rows, states_of(self.snapshot.columns.flags[rows], self.verdicts.outcomes[rows]))

    def translate(self, snapshot: Snapshot, rows: Rows) -> tuple[NDArray[np.bool_], Rows]:
        """Which of another snapshot's rows are still here as the same unchanged files, and where."""
        if snapshot is self.snapshot:
            return np.ones(len(rows), np.bool_), rows
        old, new = snapshot.columns, self.snapshot.columns
        if not len(new):
            return np.zeros(len(rows), np.bool_), rows[:0]
        places = find_rows(new.names, old.names[rows])
        same = places >= 0
        for facts, now in ((old.sizes, new.sizes), (old.mtimes, new.mtimes), (old.inodes, new.inodes)):
            same &= facts[rows] == now[places]
        return same, places[same]

    def translated(self, snapshot: Snapshot, batch: VerifyBatch) -> VerifyBatch:
        """A batch about another snapshot's rows as one about this one's."""
        same, rows = self.translate(snapshot, batch.rows)
        return VerifyBatch(rows, batch.outcomes[same], batch.checked_at, batch.found)

    def _become(self, rows: Rows, states: NDArray[np.uint8]) -> None:
        chosen: Rows | slice = rows
        if len(rows) > _MANY:  # picking so many one by one takes longer than looking at all
            whole = self.states.copy()
            whole[rows] = states
            chosen, states = slice(None), whole
        before, worst = self.states[chosen].copy(), self.worst[chosen]
        self.states[chosen] = states
        self.counts += _count(states) - _count(before)
        self.worst[chosen] = np.where(worst == before, states, np.maximum(worst, states))
        self.roll_up_is_stale |= bool(np.any((before >= State.MISSING) & (states < before)))
        worse = np.flatnonzero((states >= State.MISSING) & (states > before))
        if chosen is rows:
            worse = rows[worse]
        if len(worse) > _MANY_BAD:
            self.roll_up_is_stale = True
            return
        for row in worse.tolist():
            above = np.fromiter(self.snapshot.rows_above(np.array([row])), np.int64)
            self.worst[above] = np.maximum(self.worst[above], self.states[row])


def first_picture(snapshot: Snapshot, remembered: Path | None, store: Path) -> Picture:
    """The picture of a store that has just been opened: what the scan hashed itself, and what was remembered.

    ``remembered`` is the cache folder; None while so little is known that a later picture follows soon.
    """
    verdicts = Verdicts.of(snapshot, time.time())
    if remembered is not None:
        verdicts.adopt(*load_verdicts(remembered, store), snapshot.columns)
    return Picture(snapshot, verdicts)


def next_picture(
    snapshot: Snapshot,
    before: Picture,
    checking: Sequence[tuple[Snapshot, Rows]],
    *,
    hashed_now: bool = False,
    written: Collection[str] = (),
) -> Picture:
    """The picture after a rescan: verdicts of unchanged files stay, and so does what is being checked.

    ``checking`` holds rows of older snapshots that still wait to be hashed; ``hashed_now`` says that the scan has read
    every document itself, so that what it says of them is the latest. ``written`` are digests of blobs that we have
    written since the picture before, and hashed on the way.
    """
    fresh = Verdicts.of(snapshot, time.time())
    if hashed_now:
        verdicts = fresh
        verdicts.adopt(before.verdicts, before.snapshot.columns, snapshot.columns)
    else:
        verdicts = Verdicts(len(snapshot))
        verdicts.adopt(before.verdicts, before.snapshot.columns, snapshot.columns)
        verdicts.adopt(fresh, snapshot.columns, snapshot.columns)
    verdicts.adopt(*before.parted, snapshot.columns)
    if written:
        _believe(verdicts, snapshot, before.snapshot, written)
    picture = Picture(snapshot, verdicts)
    picture.parted = _parted(snapshot, before)
    for older, rows in checking:
        picture.mark_checking(picture.translate(older, rows)[1])
    return picture


def _believe(verdicts: Verdicts, snapshot: Snapshot, before: Snapshot, written: Collection[str]) -> None:
    """What we have written is sound, as far as nobody has said otherwise and the file is another than before."""
    columns = snapshot.columns
    rows = find_rows(columns.names, as_names(list(written)))
    _, unchanged = same_files(before.columns, columns)
    new = np.ones(len(columns), np.bool_)
    new[unchanged] = False
    hashable = (columns.flags & (PRESENT | REGULAR | UNCHECKABLE)) == (PRESENT | REGULAR)
    rows = rows[rows >= 0]
    rows = rows[new[rows] & hashable[rows] & (verdicts.outcomes[rows] == Outcome.NONE)]
    verdicts.record(rows, np.full(len(rows), Outcome.VERIFIED, np.uint8), time.time())


def _parted(snapshot: Snapshot, before: Picture) -> tuple[Verdicts, Columns]:
    """What ``before`` knew of files that are no longer there, and what it had known of such before."""
    old, older = before.snapshot.columns, before.parted
    gone = (before.verdicts.outcomes != Outcome.NONE) & (old.sizes >= 0)
    gone[same_files(old, snapshot.columns)[0]] = False
    rows = np.flatnonzero(gone)
    kept = np.flatnonzero(find_rows(old.names[rows], older[1].names) < 0)
    if not len(rows) or len(rows) + len(kept) > _MOST_PARTED:
        return older
    verdicts = Verdicts(len(rows) + len(kept))
    names = np.concatenate([old.names[rows], older[1].names[kept]])
    order = np.argsort(names, kind="stable")
    columns = empty_columns(names[order])
    for fact in ("sizes", "mtimes", "inodes"):
        getattr(columns, fact)[:] = np.concatenate([getattr(old, fact)[rows], getattr(older[1], fact)[kept]])[order]
    for fact in ("outcomes", "checked_at"):
        known = [getattr(before.verdicts, fact)[rows], getattr(older[0], fact)[kept]]
        getattr(verdicts, fact)[:] = np.concatenate(known)[order]
    verdicts.found = {**older[0].found, **before.verdicts.found}
    return verdicts, columns


def differences(old: Snapshot, new: Snapshot) -> str:
    """What became different on the disk, in words ("1 image added, 2 blobs removed"); empty for nothing."""
    parts = []
    before, after = _entry_keys(old.entries), _entry_keys(new.entries)
    nouns = ("image", "images") if new.store_kind == "docker" else ("index entry", "index entries")
    for amount, verb in ((len(after - before), "added"), (len(before - after), "removed")):
        if amount:
            parts.append(f"{text.count(amount, *nouns)} {verb}")
    kept_old, kept_new = same_files(old.columns, new.columns)
    present_old = old.columns.sizes >= 0
    present_new = new.columns.sizes >= 0
    gone = int(np.count_nonzero(present_old)) - int(np.count_nonzero(present_old[kept_old]))
    come = int(np.count_nonzero(present_new)) - int(np.count_nonzero(present_new[kept_new]))
    changed = _overwritten(old, new, kept_old)
    for amount, verb in ((come - changed, "added"), (gone - changed, "removed"), (changed, "changed")):
        if amount:
            parts.append(f"{text.count(amount, 'blob')} {verb}")
    if not parts and old.roots.digest != new.roots.digest:
        parts.append("the index changed")
    return ", ".join(parts)


def _overwritten(old: Snapshot, new: Snapshot, kept_old: Rows) -> int:
    """How many files have the name of one that was there, and are another."""
    other = old.columns.sizes >= 0
    other[kept_old] = False
    places = find_rows(new.columns.names, old.columns.names[other])
    return int(np.count_nonzero(new.columns.sizes[places[places >= 0]] >= 0))


def _entry_keys(entries: Sequence[Entry]) -> set[tuple[str, tuple[str, ...]]]:
    return {(entry.descriptor.digest, entry.names) for entry in entries}


def _unused(snapshot: Snapshot) -> tuple[int, int]:
    if snapshot.stage != "complete" or snapshot.store_kind != "layout":
        return 0, 0
    flags = snapshot.columns.flags
    unused = (flags & (PRESENT | REGULAR | REACHABLE | STRAY | LINKED)) == PRESENT | REGULAR
    return int(np.count_nonzero(unused)), int(snapshot.columns.sizes[unused].sum())


def _count(states: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(states, minlength=len(State))
