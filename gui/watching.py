"""Notices that the files of a store may have changed: by the system's notifications, and by looking every two seconds.

Notifications do not come from network and FUSE file systems, nor for a blob that is overwritten in place, and asking
Linux for those of a folder of a million files takes it a tenth of a second; looking costs a few ``stat`` calls, so very
large folders are only looked at, the more often. Both end in a look that is compared with the one that the last scan
began with, so our own staging directories, and changes that were seen already, wake nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal, Slot

from engine.blobs import Blobs
from engine.directory import Directory
from engine.errors import EngineError
from gui.jobs import JobRunner

DEBOUNCE_MS = 150
"""Notifications come in bursts; the look begins when they pause for so long."""
POLL_MS = 2000
"""How often is looked without any notification."""
POLL_LARGE_MS = 500
"""The same where a folder is too large to ask for notifications."""
LARGE = 8 << 20
"""Bytes of a folder itself from which on it is too large; on most file systems each name in it takes some dozens."""


@dataclass(frozen=True)
class Sight:
    """What a look at a store saw: the paths to watch, how they stand, and a number for all blobs (None: not looked)."""

    paths: tuple[str, ...]
    stamps: tuple[object, ...]
    blobs: int | None = None
    has_large: bool = False
    """Whether there are folders that are too large to be watched, which are not among the paths."""

    def differs(self, earlier: "Sight") -> bool:
        """Whether something changed in between, as far as both have looked."""
        return self.stamps != earlier.stamps or (
            None not in (self.blobs, earlier.blobs) and self.blobs != earlier.blobs
        )


def look_at(path: Path, kind: str, blobs: Blobs, *, at_each_blob: bool) -> Sight:
    """Look at a store without opening a file; ``at_each_blob`` also sees blobs that are overwritten in place."""
    if kind == "docker":
        folders = [path / "content" / "sha256", path / "metadata" / "sha256"]
        files = [path.parent / "repositories.json"]
    else:
        base = path / "blobs"
        folders = [base, *(base / name for name in _names_in(base))]
        files = [path / "index.json", path / "oci-layout"]
    found = [*files, *folders]
    stamps = tuple(_stamp(each) for each in found)
    present = [(str(each), stamp[1]) for each, stamp in zip(found, stamps, strict=True) if stamp is not None]
    large = {str(folder) for folder in folders}.intersection(each for each, size in present if size > LARGE)
    paths = [each for each, _ in present if each not in large]
    return Sight((str(path), *paths), stamps, _number_of(blobs) if at_each_blob else None, bool(large))


def _names_in(folder: Path) -> list[str]:
    try:
        return Directory.open(folder).names()
    except OSError:
        return []


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _number_of(blobs: Blobs) -> int | None:
    """A number that stands for name, size, time and inode of the first blobs that the listing yields."""
    try:
        for batch in blobs.list():
            return hash(frozenset((entry.name, entry.size, entry.mtime_ns, entry.inode) for entry in batch))
    except EngineError:
        pass
    return None


class Watcher(QObject):
    """Watches one store; ``changed`` says that a new scan would see something new."""

    changed = Signal()

    def __init__(self, parent: QObject, runner: JobRunner, store: str, look: Callable[[], Sight]) -> None:
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._look = look
        self._known: Sight | None = None
        self._looking = False
        self._look_again = False
        self._notifier = QFileSystemWatcher(self)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(DEBOUNCE_MS)
        self._poll = QTimer(self)
        self._notifier.directoryChanged.connect(self._pause.start)
        self._notifier.fileChanged.connect(self._pause.start)
        self._pause.timeout.connect(self.check)
        self._poll.timeout.connect(self.check)

    def note(self, sight: Sight) -> None:
        """A scan that began with this sight has been shown: only what differs from it is a change from now on."""
        self._known = sight
        self._watch(sight)
        self._poll.start()

    @Slot()
    def check(self) -> None:
        """Look now, on a worker."""
        if self._known is None:
            return
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        self._runner.start(
            "Looking for changes",
            lambda _progress: self._look(),
            store=self._store,
            quiet=True,
            on_done=self._saw,
            on_failed=lambda _error: self._saw(None),
            on_cancelled=self._ended,
        )

    def stop(self) -> None:
        """Look no more."""
        self._known = None
        self._poll.stop()
        self._pause.stop()

    def _saw(self, sight: Sight | None) -> None:
        self._ended()
        if sight is None or self._known is None:
            return
        self._watch(sight)
        earlier, self._known = self._known, sight  # said once; a scan that fails is asked for at the next change
        if sight.differs(earlier):
            self.changed.emit()

    def _ended(self) -> None:
        self._looking = False
        if self._look_again:
            self._look_again = False
            self._pause.start()

    def _watch(self, sight: Sight) -> None:
        """Have the notifier watch what is there now: it forgets a file that was replaced."""
        self._poll.setInterval(POLL_LARGE_MS if sight.has_large else POLL_MS)
        watched = {*self._notifier.files(), *self._notifier.directories()}
        missing = [path for path in sight.paths if path not in watched]
        if missing:
            self._notifier.addPaths(missing)
        gone = [path for path in watched if path not in sight.paths]
        if gone:
            self._notifier.removePaths(gone)
