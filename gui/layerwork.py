"""What reading layers beside the window has in common, whatever is then made of them."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from engine.progress import Progress
from engine.snapshot import Outcome, Snapshot
from engine.store import Store
from engine.verify import VerifyBatch
from gui.jobs import Job, JobRunner

Result = TypeVar("Result")


class LayerWork(QObject):
    """Reads layers of one store, one job at a time."""

    changed = Signal()
    """The work has begun or ended, or it is about something else."""
    progressed = Signal()
    """It has got further."""
    recorded = Signal(object, object)
    """A snapshot, and a list of what was found out of its blobs on the way: ``VerifyBatch``."""

    def __init__(
        self, parent: QObject, runner: JobRunner, store: Store, cache: Path, snapshot: Callable[[], Snapshot | None]
    ) -> None:
        """What layers hold is remembered in the folder ``cache``; ``snapshot`` returns what is in the store."""
        super().__init__(parent)
        self.runner = runner
        """Where work on what was read goes on."""
        self._store = store
        self._cache = cache
        self._snapshot = snapshot
        self.job: Job | None = None
        """What runs, as long as that takes."""
        self.error: BaseException | None = None
        """Why nothing came of it."""
        self.stopped = False
        """Whether somebody has stopped it."""
        runner.progressed.connect(self._note_progress)

    def stop(self) -> None:
        """Stop the work; what was read by then need not be read again."""
        if self.job is not None:
            self.runner.cancel(self.job)

    def _run(
        self,
        title: str,
        work: Callable[[Progress], Result],
        take: Callable[[list[Any]], object],
        keep: Callable[[Result], object],
        still_wanted: Callable[[], bool],
    ) -> None:
        """Begin: ``take`` gets what the work reports, ``keep`` what it returns, both while it is ``still_wanted``."""

        def end(*, error: BaseException | None = None, stopped: bool = False) -> None:
            self.job, self.error, self.stopped = None, error, stopped
            self.changed.emit()

        def done(result: Result) -> None:
            keep(result)
            end()

        self.job = self.runner.start(
            title,
            work,
            store=str(self._store.path),
            on_items=take,
            on_done=done,
            on_failed=lambda error: end(error=error),
            on_cancelled=lambda: end(stopped=True),
            still_wanted=still_wanted,
        )
        if not self.job.active:
            self.job = None
        self.changed.emit()

    def _cancel(self) -> None:
        """What runs is not wanted any more."""
        job, self.job = self.job, None
        if job is not None:
            self.runner.cancel(job)

    def _record_corrupt(self, snapshot: Snapshot, digests: Iterable[str]) -> None:
        """A layer that is not what its digest names is corrupt, wherever it is shown."""
        rows = np.array([row for digest in digests if (row := snapshot.find(digest)) >= 0], np.int64)
        if len(rows):
            outcomes = np.full(len(rows), Outcome.CORRUPT, np.uint8)
            self.recorded.emit(snapshot, [VerifyBatch(rows, outcomes, time.time(), {})])

    @Slot(object)
    def _note_progress(self, jobs: tuple[Job, ...]) -> None:
        if self.job is not None and self.job in jobs:
            self.progressed.emit()
