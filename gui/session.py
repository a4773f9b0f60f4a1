"""One open store: what is known of it, and what runs on it.

The only mutable application state. Everything that touches the disk, or walks over every row, runs as a job; callbacks
and signals come on the GUI thread. A change of ours is followed by a scan, so that what is shown is what is on disk.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from engine.cleanup import Cleanup, plan_cleanup
from engine.columns import Rows
from engine.digest import shorten
from engine.document import MANIFEST_LIMIT, MARKER_NAME
from engine.importing import Source, inspect_source
from engine.indexfile import NAME as INDEX_NAME
from engine.layout import ImageLayout
from engine.leftovers import Leftover
from engine.progress import Progress
from engine.snapshot import Outcome, Snapshot, State
from engine.store import Store
from engine.verdicts import Verdicts
from engine.verify import VerifySummary
from gui import outcome, text
from gui.changing import Changes
from gui.copies import Copies
from gui.finding import Finding
from gui.jobs import Job, JobRunner
from gui.layering import Layering
from gui.outcome import Notice
from gui.picture import Picture
from gui.scanning import Scanner
from gui.taking_out import TakingOut
from gui.undoing import Undoing
from gui.validating import Problems
from gui.verifying import Verifier

Result = TypeVar("Result")
Then = Callable[[Result], object]
Failed = Callable[[BaseException], object]

SHOWN_LIMIT = 1 << 20
"""Bytes of a document that are read to be shown."""
_OWN_DOCUMENTS = frozenset({INDEX_NAME, MARKER_NAME})
"""The files of a layout that are documents and no blobs."""


@dataclass(frozen=True)
class Selection:
    """What is selected: a digest (or the path of a stray file), and the index entry through which it was reached."""

    session: "Session"
    digest: str
    entry_position: int | None = None


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
    metadataChanged = Signal(object)
    """The metadata of this digest is different."""
    revealed = Signal(object, object)
    """This digest is the result of what was just done: select it."""
    stateAsked = Signal(object)
    """Somebody wants to see the rows of these ``State``s."""

    emptyAsked = Signal()
    """Somebody wants to empty the trash."""

    def __init__(
        self, runner: JobRunner, store: Store, cache: Path, parent: QObject, copies: Copies | None = None
    ) -> None:
        """Show ``store``; verdicts are remembered in the folder ``cache``. Nothing happens before ``rescan``.

        ``copies`` is where files are made for other programs; they stay there when the store is closed.
        """
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
        self._when_known: list[Callable[[], object]] = []
        self._verifier = Verifier(self, runner, store, cache)
        self._verifier.statesChanged.connect(self.statesChanged)
        self._verifier.verified.connect(self._tell_verified)
        self._verifier.failed.connect(self._tell)
        self.problems = Problems(self, runner, store, self.verify_unchecked)
        """What is wrong with it."""
        self.problems.noticed.connect(self.noticed)
        self.problems.recorded.connect(self._verifier.note)
        self._verifier.statesChanged.connect(self.problems.note_states)
        self.layers = Layering(self, runner, store, cache, lambda: self.snapshot)
        """What is in the layers of the image that somebody looks into."""
        self.layers.recorded.connect(self._verifier.note)
        self.taking_out = TakingOut(self, runner, store, cache, copies or Copies())
        """What of it becomes files elsewhere."""
        self.taking_out.noticed.connect(self.noticed)
        self.finding = Finding(self, runner, store, cache, lambda: self.snapshot, self.when_known)
        """What looks for paths in all images."""
        self.finding.recorded.connect(self._verifier.note)
        self._scanner = Scanner(self, runner, store, self.name, cache, self._verifier.waiting)
        self._scanner.pictured.connect(self._show_coarse)
        self._scanner.scanned.connect(self._scanned)
        self._scanner.changedOutside.connect(self.changedOutside)
        self._scanner.failed.connect(self._scan_failed)
        self.changes = Changes(self, runner, store, self.name, self._scanner, lambda: self.snapshot)
        """Every change that can be made to it."""
        self.undoing = Undoing(self, runner, store, self.changes, lambda: self.snapshot)
        """What of that can be undone, and the trash."""
        self.undoing.noticed.connect(self.noticed)
        self.changes.undoAsked.connect(lambda record: self.undoing.restore([record]))
        self.changes.emptyAsked.connect(self.emptyAsked)
        self.changes.noticed.connect(self.noticed)
        self.changes.metadataChanged.connect(self.metadataChanged)
        self.changes.revealed.connect(self.revealed)
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

    @property
    def unused(self) -> tuple[int, int]:
        """How many blobs nothing that is named leads to, and their bytes on disk."""
        return self._picture.unused if self._picture else (0, 0)

    def state(self, row: int) -> State:
        return State(int(self.states[row]))

    def worst_state(self, row: int) -> State:
        return State(int(self.worst[row]))

    def is_own_document(self, place: str) -> bool:
        """Whether that is a document of the layout itself, such as ``index.json``."""
        return self.is_layout and place in _OWN_DOCUMENTS

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What waits or runs on this store because somebody asked for it."""
        return tuple(job for job in self._runner.active(self._key) if not job.quiet)

    @property
    def verifying(self) -> bool:
        return self._verifier.running

    @property
    def changing(self) -> bool:
        """Whether something is being changed, or waits to be."""
        return any(job.writes for job in self._runner.active(self._key))

    def cancel(self, job: Job) -> None:
        """Stop a job at its next check."""
        self._runner.cancel(job)

    def when_known(self, act: Callable[[], object]) -> None:
        """Call ``act`` once every reference is followed; now, where they are."""
        if self._is_known:
            act()
        else:
            self._when_known.append(act)

    @property
    def _is_known(self) -> bool:
        return self.snapshot is not None and self.snapshot.stage in ("graph", "complete")

    @Slot()
    def rescan(self) -> None:
        """Look at every file on the disk again; what is shown changes when that is done, where it is different."""
        self._scanner.scan(thorough=True)

    def close(self) -> None:
        """Stop everything, drop what is still on its way, and close the store."""
        self._scanner.stop()
        self.problems.stop()
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

    # ---------------------------------------------------------------------------------------------- reading

    def inspect_sources(self, paths: Sequence[Path], then: Then[list[Source]]) -> None:
        """Say of each file what it is, before anything is copied."""
        self._start("Looking at files", lambda _progress: [inspect_source(path) for path in paths], then)

    def plan_cleanup(self, prepare: Callable[[Cleanup, Sequence[Leftover]], Result], then: Then[Result]) -> None:
        """Find what nothing needs and what crashed writers left behind; ``prepare`` runs on the worker."""
        snapshot = self.snapshot
        if snapshot is None:
            return

        def work(progress: Progress) -> Result:
            leftovers = self.store.leftovers(progress)
            return prepare(plan_cleanup(snapshot, time.time(), writers=leftovers), leftovers)

        self._start("Looking for what nothing needs", work, then)

    def read_bytes(self, digest: str, then: Callable[[bytes, bool], object], failed: Failed | None = None) -> Job:
        """The stored bytes of a blob, at most ``SHOWN_LIMIT`` of them; ``then`` also gets whether more follow."""
        return self._start(
            f"Reading {shorten(digest)}",
            lambda _progress: self.store.blobs.window(digest, 0, SHOWN_LIMIT + 1),
            lambda content: then(content[:SHOWN_LIMIT], len(content) > SHOWN_LIMIT),
            failed,
        )

    def read_document(
        self,
        digest: str,
        prepare: Callable[[bytes, bool], Result],
        then: Then[Result],
        failed: Failed | None = None,
    ) -> Job:
        """Read a document of at most ``MANIFEST_LIMIT`` bytes and make something of it, both beside the window.

        ``digest`` may be one of the layout's own documents. ``prepare`` runs on the worker; it gets the stored bytes and whether more follow.
        """

        def work(_progress: Progress) -> Result:
            if isinstance(self.store, ImageLayout) and self.is_own_document(digest):
                content = self.store.read_own(digest, MANIFEST_LIMIT + 1)
            else:
                content = self.store.blobs.window(digest, 0, MANIFEST_LIMIT + 1)
            return prepare(content[:MANIFEST_LIMIT], len(content) > MANIFEST_LIMIT)

        return self._start(f"Reading {shorten(digest)}", work, then, failed)

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
    def _tell(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of(error))

    @Slot(object)
    def _show_coarse(self, picture: Picture) -> None:
        self._verifier.adopt(picture, final=False)
        self._show(picture)

    @Slot(object)
    def _scanned(self, picture: Picture) -> None:
        self._verifier.adopt(picture, final=True)
        self._show(picture)
        self.problems.adopt(picture)
        self.changes.scanned(picture.snapshot)
        self.undoing.read()

    def _show(self, picture: Picture) -> None:
        if picture is not self._picture:
            self._picture = picture
            self.writable = self.store.writable
            self.snapshotChanged.emit()
        if self._is_known:
            waiting, self._when_known = self._when_known, []
            for act in waiting:
                act()

    @Slot(object)
    def _scan_failed(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of(error, "Try again", self.rescan))

    @Slot(object)
    def _tell_verified(self, summary: VerifySummary) -> None:
        self.problems.note_verified()
        if summary.counts.keys() & {Outcome.CHANGED, Outcome.MISSING}:
            self.rescan()  # what is listed is not what is on the disk any more
        bad, sentence = outcome.verified(summary)
        if bad is None:
            self.noticed.emit(Notice("success", sentence))
        else:
            # What has another size than it should is called that, whatever its digest.
            asked = (bad, State.SIZE_DIFFERS) if self.counts.get(State.SIZE_DIFFERS) else (bad,)
            self.noticed.emit(Notice("error", sentence, "", "Show", lambda: self.stateAsked.emit(asked)))

    def _start(
        self, title: str, work: Callable[[Progress], Result], then: Then[Result], failed: Failed | None = None
    ) -> Job:
        return self._runner.start(title, work, store=self._key, on_done=then, on_failed=failed or self._tell)

    @Slot(object)
    def _job_changed(self, job: Job) -> None:
        if job.store == self._key and not job.quiet:
            self.jobsChanged.emit()


def _name_of(store: Store) -> str:
    """The folder's name; Docker's are all called imagedb, so there it is the storage driver's that tells."""
    if store.kind == "docker" and store.path.name == "imagedb":
        return f"Docker images ({text.plain(store.path.parent.name)})"
    return text.plain(store.path.name or "/")
