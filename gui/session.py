"""One open store: what is known of it, what runs on it, and every verb that a person has.

The only mutable application state. Everything that touches the disk, or walks over every row, runs as a job; callbacks
and signals come on the GUI thread. A change of ours is followed by a scan, so that what is shown is what is on disk.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from engine.blobs import Change
from engine.digest import shorten
from engine.document import MANIFEST_LIMIT
from engine.errors import StoreChanged
from engine.importing import ImportRequest, Source, inspect_source
from engine.index import IndexText
from engine.leftovers import Leftover
from engine.progress import Progress
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Outcome, Rows, Snapshot, State
from engine.store import Store
from engine.verdicts import Verdicts
from engine.verify import VerifySummary
from gui import outcome, text
from gui.jobs import Job, JobRunner
from gui.picture import Picture
from gui.scanning import Scanner
from gui.verifying import Verifier

Result = TypeVar("Result")
Then = Callable[[Result], object]
Failed = Callable[[BaseException], object]

SHOWN_LIMIT = 1 << 20
"""Bytes of a document that are read to be shown."""
OVERWRITTEN_WITHIN_S = 10.0
"""So long after a change of ours the index is compared with what we wrote."""


@dataclass(frozen=True)
class Notice:
    """Something to tell in the message bar; ``action_text`` names the button that calls ``action``."""

    severity: Literal["notice", "success", "warning", "error"]
    sentence: str
    details: str = ""
    action_text: str = ""
    action: Callable[[], object] | None = None


@dataclass(frozen=True)
class Selection:
    """What is selected: a digest (or the path of a stray file), and the index entry through which it was reached."""

    session: "Session"
    digest: str
    entry_position: int | None = None


@dataclass(frozen=True)
class _Promise:
    """What a change of ours made true of the index, how to make it true again, and until when that is looked at."""

    holds: Callable[[Snapshot], bool]
    again: Callable[[], object]
    until: float = 0.0


class Session(QObject):
    """An open store, as the window sees it."""

    snapshotChanged = Signal()
    """``snapshot`` is a newer one; it may be partial: see its ``stage``."""
    statesChanged = Signal(object)
    """States differ: an array of rows, or None for all."""
    jobsChanged = Signal()
    noticed = Signal(object)
    """A ``Notice`` for the message bar."""
    changedOutside = Signal(str)
    """Another program changed the store; what, in a sentence."""
    metadataChanged = Signal(str)
    """The metadata of this digest is different."""
    revealed = Signal(str)
    """This digest is the result of what was just done: select it."""
    stateAsked = Signal(object)
    """Somebody wants to see the rows of this ``State``."""

    def __init__(self, runner: JobRunner, store: Store, cache: Path, parent: QObject) -> None:
        """Show ``store``; verdicts are remembered in the folder ``cache``. Nothing happens before ``rescan``."""
        super().__init__(parent)
        self.store = store
        self.path = store.path
        self.name = _name_of(store)
        """What people call it, fit to show."""
        self.number = 0
        """Its place in the order in which a window's stores were asked for."""
        self.title = store.title
        self.writable = store.writable
        self.is_layout = store.kind == "layout"
        self._runner = runner
        self._key = str(store.path)
        self._picture: Picture | None = None
        self._reveal_next = ""
        self._promise: _Promise | None = None
        self._when_known: list[Callable[[], object]] = []
        self._verifier = Verifier(self, runner, store, cache)
        self._verifier.statesChanged.connect(self.statesChanged)
        self._verifier.verified.connect(self._tell_verified)
        self._verifier.failed.connect(self.tell)
        self._scanner = Scanner(self, runner, store, self.name, cache, self._verifier.waiting)
        self._scanner.pictured.connect(self._show)
        self._scanner.scanned.connect(self._scanned)
        self._scanner.changedOutside.connect(self.changedOutside)
        self._scanner.failed.connect(self._scan_failed)
        runner.started.connect(self._job_changed)
        runner.finished.connect(self._job_changed)

    # ---------------------------------------------------------------------------------------------- what is known

    @property
    def snapshot(self) -> Snapshot | None:
        """What is in the store, None until the first scan says anything."""
        return self._picture.snapshot if self._picture else None

    @property
    def states(self) -> NDArray[np.uint8]:
        """The ``State`` of each row of the snapshot."""
        return self._picture.states if self._picture else np.empty(0, np.uint8)

    @property
    def worst(self) -> NDArray[np.uint8]:
        """For each row the worst ``State`` among it and its parts."""
        return self._picture.worst if self._picture else np.empty(0, np.uint8)

    @property
    def verdicts(self) -> Verdicts:
        """What hashing said of each row of the snapshot."""
        return self._picture.verdicts if self._picture else Verdicts(0)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many rows have each state; states without rows are left out."""
        if self._picture is None:
            return {}
        return {State(n): int(count) for n, count in enumerate(self._picture.counts) if count}

    def state(self, row: int) -> State:
        return State(int(self.states[row]))

    def worst_state(self, row: int) -> State:
        return State(int(self.worst[row]))

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What waits or runs on this store because somebody asked for it."""
        return tuple(job for job in self._runner.active(self._key) if not job.quiet)

    @property
    def verifying(self) -> bool:
        return self._verifier.running

    def cancel(self, job: Job) -> None:
        """Stop a job at its next check."""
        self._runner.cancel(job)

    def when_known(self, act: Callable[[], object]) -> None:
        """Call ``act`` once the snapshot is complete; now, where it is."""
        if self.snapshot is not None and self.snapshot.stage == "complete":
            act()
        else:
            self._when_known.append(act)

    @Slot()
    def rescan(self) -> None:
        """Look at every file on the disk again; what is shown changes when that is done, where it is different."""
        self._scanner.scan(thorough=True)

    def close(self) -> None:
        """Stop everything, drop what is still on its way, and close the store."""
        self._scanner.stop()
        self._runner.forget(self._key)
        self._verifier.save()
        self.store.close()

    # ---------------------------------------------------------------------------------------------- verifying

    def verify(self, rows: Rows | None = None) -> Job | None:
        """Hash these rows, or everything; verdicts show as they are found. None where there is nothing to hash."""
        return self._verifier.verify(rows)

    def verify_unchecked(self, limit: int | None = None) -> Job | None:
        """Hash what was not checked yet; with ``limit`` only blobs of at most so many bytes."""
        if self._picture is None:
            return None
        unknown = self._picture.verdicts.outcomes == Outcome.NONE
        if limit is not None:
            unknown &= self._picture.snapshot.columns.sizes <= limit
        return self._verifier.verify(np.flatnonzero(unknown))

    # ---------------------------------------------------------------------------------------------- changing

    def plan_removal(
        self,
        entries: Sequence[int] = (),
        digests: Sequence[str] = (),
        *,
        with_content: bool = False,
        then: Then[RemovalPlan],
    ) -> None:
        """Work out what a removal would do; ``then`` gets the plan."""
        snapshot = self.snapshot
        if snapshot is not None:
            self._start(
                "Working out what goes",
                lambda _progress: plan_removal(snapshot, entries, digests, with_content=with_content),
                then=then,
            )

    def apply_removal(self, plan: RemovalPlan) -> None:
        """Carry a plan out that was made over the snapshot of now."""
        snapshot = self.snapshot
        if snapshot is None:
            return
        gone = {(entry.descriptor.digest, entry.names) for entry in plan.entries}

        def present(now: Snapshot | None) -> list[int]:
            entries = now.entries if now else ()
            return [entry.position for entry in entries if (entry.descriptor.digest, entry.names) in gone]

        still_there = len(present(snapshot)) - len(plan.entries)
        self._change(
            f"Removing from {self.name}",
            lambda progress: self.store.apply(plan, progress),
            lambda change: outcome.removed(plan, change),
            _Promise(
                lambda now: len(present(now)) <= still_there,
                lambda: self.plan_removal(present(self.snapshot), then=self.apply_removal),
            )
            if gone and self.is_layout
            else None,
        )

    def inspect_sources(self, paths: Sequence[Path], then: Then[list[Source]]) -> None:
        """Say of each file what it is, before anything is copied."""
        self._start("Looking at files", lambda _progress: [inspect_source(path) for path in paths], then=then)

    def import_files(self, requests: Sequence[ImportRequest]) -> None:
        """Copy files in; what they became is selected afterwards."""
        names = {(request.name,) for request in requests if request.name is not None}

        def tell(change: Change) -> str:
            digests = [*change.added, *change.repaired, *change.present]
            self._reveal_next = str(digests[0]) if digests else ""
            return outcome.imported(self.name, requests, change)

        self._change(
            f"Importing {text.count(len(requests), 'file')}",
            lambda progress: self.store.import_files(requests, progress),
            tell,
            _Promise(
                lambda now: names <= {entry.names for entry in now.entries},
                lambda: self.import_files(requests),
            )
            if names
            else None,
        )

    def rename_entry(self, position: int, name: str | None) -> None:
        """Give an index entry another name, or none."""
        snapshot = self.snapshot
        if snapshot is None:
            return
        descriptor = snapshot.entries[position].descriptor
        names = () if name is None else (name,)

        def edit(index: IndexText) -> None:
            same = [n for n, found in enumerate(index.entries) if found == descriptor]
            if not same:
                raise StoreChanged("That entry is no longer in the index as it was.", place="index.json")
            index.rename(min(same, key=lambda n: abs(n - position)), name)

        def again() -> None:
            now = self.snapshot
            same = [entry.position for entry in (now.entries if now else ()) if entry.descriptor == descriptor]
            if same:
                self.rename_entry(same[0], name)

        def tell(_change: Change) -> str:
            self._reveal_next = descriptor.digest
            return ""

        self._change(
            "Renaming",
            lambda _progress: self.store.edit_index(edit),
            tell,
            _Promise(
                lambda now: any(e.names == names and e.descriptor.digest == descriptor.digest for e in now.entries),
                again,
            ),
        )

    def leftovers(self, then: Then[list[Leftover]]) -> None:
        """List what crashed writers left behind."""
        self._start("Looking for leftovers", lambda _progress: self.store.leftovers(), then=then)

    def clean(self) -> None:
        """Remove what crashed writers left behind."""
        self._change("Cleaning up", self.store.clean, outcome.cleaned)

    def metadata_set(self, digest: str, key: str, value: bytes, then: Then[None] | None = None) -> None:
        """Keep a value under a key."""
        self._change_metadata(
            digest, f"Saving {key}", lambda _progress: self.store.metadata.set(digest, key, value), then
        )

    def metadata_delete(self, digest: str, key: str, then: Then[bool] | None = None) -> None:
        """Forget a key."""
        self._change_metadata(
            digest, f"Removing {key}", lambda _progress: self.store.metadata.delete(digest, key), then
        )

    # ---------------------------------------------------------------------------------------------- reading

    def read_bytes(self, digest: str, then: Callable[[bytes, bool], object], failed: Failed | None = None) -> Job:
        """The stored bytes of a blob, at most ``SHOWN_LIMIT`` of them; ``then`` also gets whether more follow."""
        return self._start(
            f"Reading {shorten(digest)}",
            lambda _progress: self.store.blobs.window(digest, 0, SHOWN_LIMIT + 1),
            then=lambda content: then(content[:SHOWN_LIMIT], len(content) > SHOWN_LIMIT),
            failed=failed,
        )

    def read_document(
        self,
        digest: str,
        prepare: Callable[[bytes, bool], Result],
        then: Then[Result],
        failed: Failed | None = None,
    ) -> Job:
        """Read a document of at most ``MANIFEST_LIMIT`` bytes and make something of it, both beside the window.

        ``prepare`` runs on the worker; it gets the stored bytes and whether more follow.
        """

        def work(_progress: Progress) -> Result:
            content = self.store.blobs.window(digest, 0, MANIFEST_LIMIT + 1)
            return prepare(content[:MANIFEST_LIMIT], len(content) > MANIFEST_LIMIT)

        return self._start(f"Reading {shorten(digest)}", work, then=then, failed=failed)

    def metadata_keys(self, digest: str, then: Then[list[str]], failed: Failed | None = None) -> Job:
        """The metadata keys of a blob."""
        return self._start(
            "Reading metadata", lambda _progress: self.store.metadata.keys(digest), then=then, failed=failed
        )

    def metadata_get(self, digest: str, key: str, then: Then[bytes], failed: Failed | None = None) -> Job:
        """One metadata value of a blob."""
        return self._start(
            "Reading metadata", lambda _progress: self.store.metadata.get(digest, key), then=then, failed=failed
        )

    # ---------------------------------------------------------------------------------------------- inside

    @Slot(object)
    def tell(self, error: BaseException, action_text: str = "", action: Callable[[], object] | None = None) -> None:
        """Show an error in the message bar."""
        sentence, details = text.error_sentence(error), text.error_details(error)
        self.noticed.emit(Notice("error", sentence, details, action_text, action))

    @Slot(object)
    def _show(self, picture: Picture) -> None:
        self._verifier.adopt(picture)
        if picture is not self._picture:
            self._picture = picture
            self.writable = self.store.writable
            self.snapshotChanged.emit()

    @Slot(object)
    def _scanned(self, picture: Picture) -> None:
        self._show(picture)
        waiting, self._when_known = self._when_known, []
        for act in waiting:
            act()
        self._check_promise(picture.snapshot)
        if self._reveal_next:
            digest, self._reveal_next = self._reveal_next, ""
            self.revealed.emit(digest)

    @Slot(object)
    def _scan_failed(self, error: BaseException) -> None:
        self.tell(error, "Try again", self.rescan)

    @Slot(object)
    def _tell_verified(self, summary: VerifySummary) -> None:
        if summary.counts.keys() & {Outcome.CHANGED, Outcome.MISSING}:
            self.rescan()  # what is listed is not what is on the disk any more
        bad, sentence = outcome.verified(summary)
        if bad is None:
            self.noticed.emit(Notice("success", sentence))
        else:
            self.noticed.emit(Notice("error", sentence, "", "Show", lambda: self.stateAsked.emit(bad)))

    def _change(
        self,
        title: str,
        work: Callable[[Progress], Result],
        tell: Callable[[Result], str],
        promise: _Promise | None = None,
    ) -> None:
        """Run a change of the store, say what it did, and look at the disk again."""

        def done(result: Result) -> None:
            if promise is not None:
                self._promise = replace(promise, until=time.monotonic() + OVERWRITTEN_WITHIN_S)
            sentence = tell(result)
            if sentence:
                self.noticed.emit(Notice("success", sentence))
            ended()

        def failed(error: BaseException) -> None:
            self.tell(error)
            ended()

        def cancelled() -> None:
            self.noticed.emit(Notice("notice", f"{title}: stopped. What was finished before stays."))
            ended()

        def ended() -> None:
            self._scanner.end_change()
            self._scanner.scan()

        self._scanner.begin_change()
        self._start(title, work, writes=True, then=done, failed=failed, cancelled=cancelled)

    def _change_metadata(
        self, digest: str, title: str, work: Callable[[Progress], Result], then: Then[Result] | None
    ) -> None:
        def done(result: Result) -> None:
            self.metadataChanged.emit(digest)
            if then is not None:
                then(result)
            ended()

        def failed(error: BaseException) -> None:
            self.tell(error)
            ended()

        def ended() -> None:
            self._scanner.end_change()
            if not self.is_layout:
                self._scanner.scan()  # an image's parent is metadata there

        self._scanner.begin_change()
        self._start(title, work, writes=True, then=done, failed=failed, cancelled=ended)

    def _check_promise(self, snapshot: Snapshot) -> None:
        """Say so when another program has written an index without our change."""
        promise = self._promise
        if promise is None or promise.holds(snapshot):
            return
        self._promise = None
        if time.monotonic() < promise.until:
            sentence = "Another program has overwritten index.json, and your last change of it is gone."
            self.noticed.emit(Notice("warning", sentence, "", "Apply again", promise.again))

    def _start(
        self,
        title: str,
        work: Callable[[Progress], Result],
        *,
        then: Callable[[Result], object] | None = None,
        failed: Failed | None = None,
        cancelled: Callable[[], object] | None = None,
        writes: bool = False,
    ) -> Job:
        return self._runner.start(
            title,
            work,
            store=self._key,
            writes=writes,
            on_done=then,
            on_failed=failed or self.tell,
            on_cancelled=cancelled,
        )

    @Slot(object)
    def _job_changed(self, job: Job) -> None:
        if job.store == self._key and not job.quiet:
            self.jobsChanged.emit()


def _name_of(store: Store) -> str:
    """The folder's name; Docker's are all called imagedb, so there it is the storage driver's that tells."""
    if store.kind == "docker" and store.path.name == "imagedb":
        return f"Docker images ({text.plain(store.path.parent.name)})"
    return text.plain(store.path.name or "/")
