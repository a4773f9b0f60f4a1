"""Looks for paths in all images of a store, beside the window; one search at a time, and the last one's results stay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from engine.progress import Progress
from engine.snapshot import Snapshot
from engine.store import Store
from gui import text
from gui.jobs import Job, JobRunner
from gui.layering import MOST_LAYERS
from gui.verifying import corrupt_ones

if TYPE_CHECKING:  # what reads layers is imported by the workers, after the first window
    from engine.finding import Searched, StoredImage, Unread


@dataclass(frozen=True)
class Question:
    """What somebody looks for."""

    words: str
    match_case: bool = False


class Finding(QObject):
    """Searches the images of one store. Whatever is asked next takes the place of what is still on its way."""

    begun = Signal()
    """The results that were there are of the past: those of ``images`` are to come."""
    found = Signal(object)
    """More results: a list of the engine's ``Found``."""
    changed = Signal()
    """A search has begun, has ended, or something could not be read."""
    progressed = Signal()
    """A search has got further."""
    recorded = Signal(object, object)
    """A snapshot, and a list of what was found out of its blobs on the way: ``VerifyBatch``."""

    def __init__(
        self,
        parent: QObject,
        runner: JobRunner,
        store: Store,
        cache: Path,
        snapshot: Callable[[], Snapshot | None],
        when_known: Callable[[Callable[[], object]], None],
    ) -> None:
        """What layers hold is remembered in the folder ``cache``; ``when_known`` calls back once there is a snapshot in
        which every reference is followed."""
        super().__init__(parent)
        self.runner = runner
        self._store = store
        self._cache = cache
        self._current = snapshot
        self._when_known = when_known
        self._number = 0
        self.question: Question | None = None
        """What was asked last."""
        self.snapshot: Snapshot | None = None
        """What the results are about."""
        self.images: Sequence[StoredImage] = ()
        """The images that are looked into."""
        self.left_out = 0
        """Images that are not, for having too many layers."""
        self.job: Job | None = None
        """What searches, as long as that takes."""
        self.searched: Searched | None = None
        """How it ended."""
        self.unread: list[Unread] = []
        """Layers of which not all could be read."""
        self.error: BaseException | None = None
        self.stopped = False
        """Whether somebody has stopped it."""
        runner.progressed.connect(self._note_progress)

    @property
    def can_search(self) -> bool:
        """Whether there are layers in this store."""
        return self._store.kind == "layout"

    @property
    def is_past(self) -> bool:
        """Whether the store has other images by now than those that were looked into."""
        now = self._current()
        return self.snapshot is not None and now is not None and now.roots.digest != self.snapshot.roots.digest

    def ask(self, question: Question) -> None:
        """Search for this, and for nothing else any more."""
        self._cancel()
        self._number += 1
        self.question, self.error, self.stopped = question, None, False
        if question.words and self.can_search:
            number = self._number
            self._when_known(lambda: self._start(question, number))
        else:
            self._begin(None, (), 0)
        self.changed.emit()

    def stop(self) -> None:
        """Stop searching; what was found stays."""
        if self.job is not None:
            self.runner.cancel(self.job)

    def _start(self, question: Question, number: int) -> None:
        snapshot = self._current()
        if number != self._number or snapshot is None:
            return

        def done(searched: "Searched") -> None:
            self.job, self.searched = None, searched
            self.changed.emit()

        def failed(error: BaseException) -> None:
            self.job, self.error = None, error
            self.changed.emit()

        def cancelled() -> None:
            self.job, self.stopped = None, True
            self.changed.emit()

        self.job = self.runner.start(
            f"Finding “{text.plain(question.words, 40)}”",
            lambda progress: _search(self._store, snapshot, question, self._cache, progress),
            store=str(self._store.path),
            on_items=lambda items: self._take(snapshot, items),
            on_done=done,
            on_failed=failed,
            on_cancelled=cancelled,
            still_wanted=lambda: number == self._number,
        )
        if not self.job.active:
            self.job = None
        self.changed.emit()

    def _cancel(self) -> None:
        job, self.job = self.job, None
        if job is not None:
            self.runner.cancel(job)

    def _take(self, snapshot: Snapshot, items: list[Any]) -> None:
        """What the worker has told, in its order."""
        from engine.finding import Found, StoredImages, Unread  # not needed for the first window

        found: list[Found] = []
        unread: list[Unread] = []
        for item in items:
            if isinstance(item, StoredImages):
                self._begin(snapshot, *item)
            elif isinstance(item, Found):
                found.append(item)
            else:
                unread.append(item)
        if found:
            self.found.emit(found)
        if unread:
            self.unread += unread
            if batches := corrupt_ones(snapshot, [each.digest for each in unread if each.is_corrupt]):
                self.recorded.emit(snapshot, batches)
            self.changed.emit()

    def _begin(self, snapshot: Snapshot | None, images: "Sequence[StoredImage]", left_out: int) -> None:
        self.snapshot, self.images, self.left_out = snapshot, images, left_out
        self.searched, self.unread = None, []
        self.begun.emit()

    @Slot(object)
    def _note_progress(self, jobs: tuple[Job, ...]) -> None:
        if self.job is not None and self.job in jobs:
            self.progressed.emit()


def _search(store: Store, snapshot: Snapshot, question: Question, cache: Path, progress: Progress) -> "Searched":
    from engine.finding import PathPattern, find, images_of

    wanted = images_of(snapshot, progress, most_layers=MOST_LAYERS)
    progress.report(wanted)
    pattern = PathPattern(question.words, match_case=question.match_case)
    return find(store.blobs, wanted.images, pattern, progress, cache=cache)
