"""Looks for paths in all images of a store, beside the window; one search at a time, and the last one's results stay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.progress import Progress
from engine.snapshot import Snapshot
from engine.store import Store
from gui import text
from gui.jobs import JobRunner
from gui.layering import MOST_LAYERS
from gui.layerwork import LayerWork

if TYPE_CHECKING:  # what reads layers is imported by the workers, after the first window
    from engine.finding import Searched, StoredImage, Unread


@dataclass(frozen=True)
class Question:
    """What somebody looks for."""

    words: str
    match_case: bool = False


class Finding(LayerWork):
    """Searches the images of one store. Whatever is asked next takes the place of what is still on its way."""

    begun = Signal()
    """The results that were there are of the past: those of ``images`` are to come."""
    found = Signal(object)
    """More results: a list of the engine's ``Found``."""

    def __init__(
        self,
        parent: QObject,
        runner: JobRunner,
        store: Store,
        cache: Path,
        snapshot: Callable[[], Snapshot | None],
        when_known: Callable[[Callable[[], object]], None],
    ) -> None:
        """``when_known`` calls back once there is a snapshot in which every reference is followed."""
        super().__init__(parent, runner, store, cache, snapshot)
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
        self.searched: Searched | None = None
        """How it ended."""
        self.unread: list[Unread] = []
        """Layers of which not all could be read."""

    @property
    def can_search(self) -> bool:
        """Whether there are layers in this store."""
        return self._store.kind == "layout"

    @property
    def is_past(self) -> bool:
        """Whether the store has other images by now than those that were looked into."""
        now = self._snapshot()
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

    def _start(self, question: Question, number: int) -> None:
        snapshot = self._snapshot()
        if number != self._number or snapshot is None:
            return

        def keep(searched: "Searched") -> None:
            self.searched = searched

        self._run(
            f"Finding “{text.plain(question.words, 40)}”",
            lambda progress: _search(self._store, snapshot, question, self._cache, progress),
            lambda items: self._take(snapshot, items),
            keep,
            lambda: number == self._number,
        )

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
            self._record_corrupt(snapshot, [each.digest for each in unread if each.is_corrupt])
            self.changed.emit()

    def _begin(self, snapshot: Snapshot | None, images: "Sequence[StoredImage]", left_out: int) -> None:
        self.snapshot, self.images, self.left_out = snapshot, images, left_out
        self.searched, self.unread = None, []
        self.begun.emit()


def _search(store: Store, snapshot: Snapshot, question: Question, cache: Path, progress: Progress) -> "Searched":
    from engine.finding import PathPattern, find, images_of

    wanted = images_of(snapshot, progress, most_layers=MOST_LAYERS)
    progress.report(wanted)
    pattern = PathPattern(question.words, match_case=question.match_case)
    return find(store.blobs, wanted.images, pattern, progress, cache=cache)
