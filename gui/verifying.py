"""Hashes blobs of an open store and shows verdicts as they are found, also across a rescan."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from engine import snapshot as facts
from engine.columns import Columns, Rows
from engine.progress import Progress
from engine.snapshot import Snapshot
from engine.store import Store
from engine.verdicts import Verdicts, save_verdicts
from engine.verify import VerifyBatch, VerifySummary
from gui import text
from gui.jobs import Job, JobRunner
from gui.picture import Picture

log = logging.getLogger(__name__)

Result = TypeVar("Result")

REMEMBER_EVERY_S = 30.0
"""How often a running verification writes down what it found."""

_HASHABLE = facts.PRESENT | facts.REGULAR


@dataclass(eq=False)
class _Run:
    """One running verification: the rows of its snapshot that still wait to be hashed."""

    snapshot: Snapshot
    waiting: NDArray[np.bool_]
    remembered_at: float = field(default_factory=time.monotonic)


class Verifier(QObject):
    """Everything about hashing in one open store."""

    statesChanged = Signal(object)
    """Rows of the picture whose states differ, or None for all."""
    verified = Signal(object)
    """A verification ended by itself, with this ``VerifySummary``."""
    failed = Signal(object)

    def __init__(self, parent: QObject, runner: JobRunner, store: Store, cache: Path) -> None:
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._cache = cache
        self._picture: Picture | None = None
        self._runs: list[_Run] = []
        self._scanning = False
        self._late: list[tuple[Snapshot, VerifyBatch]] = []
        """What was found while a scan ran, which does not know of it."""
        self._given_up: list[tuple[Snapshot, Rows]] = []
        """What will not be hashed any more since that scan began."""
        self._unsaved = False

    @property
    def running(self) -> bool:
        return bool(self._runs)

    def waiting(self) -> list[tuple[Snapshot, Rows]]:
        """What still waits to be hashed; a scan that begins now will be told apart from what is found meanwhile."""
        self._scanning = True
        self._late.clear()
        self._given_up.clear()
        return [(run.snapshot, np.flatnonzero(run.waiting)) for run in self._runs]

    def adopt(self, picture: Picture, *, final: bool) -> None:
        """Go on with a newer picture: what was found since its scan began is noted in it.

        Until the ``final`` one, the scan still makes pictures that do not know what is found meanwhile.
        """
        if picture is not self._picture:
            self._picture = picture
            for snapshot, batch in self._late:
                picture.record(picture.translated(snapshot, batch))
            for snapshot, rows in self._given_up:
                picture.settle(picture.translate(snapshot, rows)[1])
        if final:
            self._scanning = False
            self._late.clear()
            self._given_up.clear()

    def verify(self, rows: Rows | None) -> Job | None:
        """Hash these rows, or all; None where there is nothing to hash."""
        picture = self._picture
        if picture is None:
            return None
        flags = picture.snapshot.columns.flags
        chosen = (flags & (_HASHABLE | facts.STRAY)) == _HASHABLE
        if rows is not None:
            named = np.zeros(len(flags), np.bool_)
            named[rows] = True
            chosen &= named
        rows = np.flatnonzero(chosen)
        if not len(rows):
            return None
        run = _Run(picture.snapshot, chosen)
        self._runs.append(run)
        picture.mark_checking(rows)
        job = self._runner.start(
            f"Verifying {text.count(len(rows), 'blob')}",
            lambda progress: self._store.verify(run.snapshot, rows, progress),
            store=str(self._store.path),
            precious=True,
            on_items=lambda batches: self._record(run, batches),
            on_done=lambda summary: self._done(run, summary),
            on_failed=lambda error: self._fail(run, error),
            on_cancelled=lambda: self._end(run),
        )
        self.statesChanged.emit(rows)
        return job

    def save(self) -> None:
        """Have what was found since the last time written down, also when the store is closed meanwhile."""
        if self._picture is not None:
            self._remember(self._picture)

    @Slot(object, object)
    def note(self, snapshot: Snapshot, batches: list[VerifyBatch]) -> None:
        """Show what was hashed, here or by another job on its way, of the rows of a snapshot."""
        picture = self._picture
        if picture is None or not batches:
            return
        changed = []
        for batch in batches:
            if self._scanning:
                self._late.append((snapshot, batch))
            here = picture.translated(snapshot, batch)
            picture.record(here)
            changed.append(here.rows)
        self._unsaved = True
        self.statesChanged.emit(np.concatenate(changed))
        self._refresh_roll_up(picture)

    def _record(self, run: _Run, batches: list[VerifyBatch]) -> None:
        for batch in batches:
            run.waiting[batch.rows] = False
        self.note(run.snapshot, batches)
        picture = self._picture
        assert picture is not None
        if time.monotonic() - run.remembered_at > REMEMBER_EVERY_S:
            run.remembered_at = time.monotonic()
            self._remember(picture)

    def _done(self, run: _Run, summary: VerifySummary) -> None:
        self._end(run)
        self.verified.emit(summary)

    def _fail(self, run: _Run, error: BaseException) -> None:
        self._end(run)
        self.failed.emit(error)

    def _end(self, run: _Run) -> None:
        """What was not hashed is as unknown as before."""
        self._runs.remove(run)
        picture = self._picture
        assert picture is not None
        left = np.flatnonzero(run.waiting)
        if self._scanning:
            self._given_up.append((run.snapshot, left))
        _, rows = picture.translate(run.snapshot, left)
        if len(rows):
            picture.settle(rows)
            self.statesChanged.emit(rows)
        self._refresh_roll_up(picture)
        self._remember(picture)

    def _refresh_roll_up(self, picture: Picture) -> None:
        """Where following parts upwards is too much for the GUI thread, let a worker do it for all rows."""
        if not picture.roll_up_is_stale:
            return
        picture.roll_up_is_stale = False
        states = picture.states.copy()

        def adopt(worst: NDArray[np.uint8]) -> None:
            picture.worst = worst
            if picture is self._picture:
                self.statesChanged.emit(None)

        self._start_quietly("Looking at parts", lambda: picture.snapshot.worst(states), adopt)

    def _remember(self, picture: Picture) -> None:
        if self._unsaved:
            memory = self._memory(picture)
            self._runner.start(
                "Remembering verdicts",
                partial(_remember, self._cache, self._store.path, *memory),
                store=str(self._store.path),
                quiet=True,
                lasting=True,
            )

    def _memory(self, picture: Picture) -> tuple[Verdicts, Columns]:
        """A copy of the verdicts that nobody changes any more, and the files that they are about."""
        self._unsaved = False
        verdicts = Verdicts(len(picture.snapshot))
        verdicts.outcomes[:] = picture.verdicts.outcomes
        verdicts.checked_at[:] = picture.verdicts.checked_at
        verdicts.found = dict(picture.verdicts.found)
        return verdicts, picture.snapshot.columns

    def _start_quietly(
        self, title: str, work: Callable[[], Result], then: Callable[[Result], None] | None = None
    ) -> None:
        self._runner.start(title, lambda _progress: work(), store=str(self._store.path), quiet=True, on_done=then)


def _remember(cache: Path, path: Path, verdicts: Verdicts, columns: Columns, _progress: Progress) -> None:
    """What the worker does: verdicts that cannot be remembered are found again."""
    try:
        save_verdicts(cache, path, verdicts, columns)
    except OSError as error:
        log.info("verdicts of %s are not remembered: %s", path, error)
