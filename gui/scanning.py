"""Keeps the picture of a store true: scans it when it is opened, after a change of ours, and when the disk moved on."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.columns import Rows
from engine.errors import StoreChanged
from engine.opening import scan_anew
from engine.progress import Progress
from engine.snapshot import Snapshot
from engine.store import Store
from gui.jobs import JobRunner
from gui.picture import Picture, differences, first_picture, next_picture
from gui.watching import Sight, Watcher, look_at

FEW_BLOBS = 2000
"""Stores up to this size are looked at blob by blob, so that an overwritten one is noticed."""
LONGEST_REST_S = 30.0
"""A store that changes all the time is scanned half of the time, and rests at most for so long."""

Waiting = Sequence[tuple[Snapshot, Rows]]
"""Rows of older snapshots that still wait to be hashed."""


@dataclass(frozen=True)
class Scanned:
    """What a scan brings home: the picture (the one before, where nothing is different), and what is different.

    ``sight`` is what was seen of the files before the scan began.
    """

    picture: Picture
    sight: Sight
    different: str = ""


class Scanner(QObject):
    """Scans one store, one scan at a time."""

    pictured = Signal(object)
    """A coarse ``Picture`` on the way to the first one; the final one follows."""
    scanned = Signal(object)
    """The final ``Picture`` of a scan; the same object as before where nothing is different."""
    changedOutside = Signal(str)
    """Another program changed the store; what, in a sentence."""
    failed = Signal(object)
    """A scan ended with this exception; the picture stays as it is."""

    def __init__(
        self,
        parent: QObject,
        runner: JobRunner,
        store: Store,
        name: str,
        cache: Path,
        waiting: Callable[[], Waiting],
    ) -> None:
        """``name`` is what people call the store; ``waiting`` says what a verification has still to do."""
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._name = name
        self._cache = cache
        self._waiting = waiting
        self._picture: Picture | None = None
        self._complete = False
        self._began = 0.0
        self._again = False
        self._thorough = False
        self._outside = False
        self._ours = 0
        self._written: set[str] = set()
        """Digests of blobs that we have written, and hashed, since the last scan began."""
        self.running = False
        self._watcher = Watcher(self, runner, str(store.path), self._look)
        self._watcher.changed.connect(self._see_change)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self.scan)

    @Slot()
    def scan(self, *, thorough: bool = False) -> None:
        """Look at the disk; when a scan runs already, once more after it.

        Only what changed by name and time is read again, unless it is to be ``thorough``: then every file is looked
        at, and every document hashed.
        """
        self._thorough |= thorough
        if self.running:
            self._again = True
            return
        self._pause.stop()
        self.running = True
        self._began = time.monotonic()
        outside, self._outside = self._outside, False
        thorough, self._thorough = self._thorough, False
        before = self._picture if self._complete else None
        written, self._written = frozenset(self._written), set()
        self._runner.start(
            f"Reading {self._name}",
            partial(_scan, self._store, self._cache, self._look, before, self._waiting(), thorough, written),
            store=str(self._store.path),
            quiet=self._complete,
            on_items=self._show_coarse,
            on_done=lambda scanned: self._done(scanned, outside=outside),
            on_failed=self._fail,
            on_cancelled=self._end,
        )

    def begin_change(self) -> None:
        """A change of ours is asked for: what the watcher sees now is no news."""
        self._ours += 1

    def end_change(self, written: Iterable[str] = ()) -> None:
        """It is over, and has written and hashed these blobs; a scan shows what it did."""
        self._ours -= 1
        self._written.update(written)
        self._outside = False

    def stop(self) -> None:
        """Look no more."""
        self._watcher.stop()
        self._pause.stop()
        self._again = False

    @property
    def _few(self) -> bool:
        return self._picture is not None and len(self._picture.snapshot) <= FEW_BLOBS

    def _look(self) -> Sight:
        return look_at(self._store.path, self._store.kind, self._store.blobs, at_each_blob=self._few)

    def _show_coarse(self, pictures: list[Picture]) -> None:
        self._picture = pictures[-1]
        self.pictured.emit(self._picture)

    def _done(self, scanned: Scanned, *, outside: bool) -> None:
        first, self._complete = not self._complete, True
        self._picture = scanned.picture
        self._watcher.note(scanned.sight)
        self.scanned.emit(scanned.picture)
        if first:
            self._watcher.check()  # from now on at each blob, where the store is small
        elif outside and scanned.different and not self._ours:
            self.changedOutside.emit(f"Another program changed {self._name}: {scanned.different}.")
        self._end()

    def _fail(self, error: BaseException) -> None:
        self.failed.emit(error)
        self._end()

    def _end(self) -> None:
        self.running = False
        if self._again:
            self._again = False
            self.scan()

    @Slot()
    def _see_change(self) -> None:
        if self._ours:
            return
        self._outside = True
        self._thorough |= self._few  # a file may have been overwritten in place
        took = min(time.monotonic() - self._began, LONGEST_REST_S) if self.running else 0.0
        self._pause.start(round(took * 1000))


def _scan(
    store: Store,
    cache: Path,
    look: Callable[[], Sight],
    before: Picture | None,
    waiting: Waiting,
    thorough: bool,
    written: Collection[str],
    progress: Progress,
) -> Scanned:
    """What the worker does."""
    sight = look()
    if not store.path.is_dir():
        raise StoreChanged(
            f"{store.path} is no longer there.",
            place=str(store.path),
            expected="the folder of the store",
            found="nothing",
            remedy="Put it back, or close its tab; what is shown is how it was.",
        )
    if before is not None:
        snapshot = scan_anew(store, progress) if thorough else store.scan(progress, None, before.snapshot)
        different = differences(before.snapshot, snapshot)
        if thorough or different:
            picture = next_picture(snapshot, before, waiting, hashed_now=thorough, written=written)
            return Scanned(picture, sight, different)
        return Scanned(before, sight, "")

    def publish(snapshot: Snapshot) -> None:
        progress.report(first_picture(snapshot, cache if snapshot.stage == "graph" else None, store.path))

    return Scanned(first_picture(scan_anew(store, progress, publish), cache, store.path), sight)
