"""The stores that are open: opens them on a worker, remembers them, and brings closed ones back."""

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal, Slot

from engine import ImageLayout, Store, open_store
from engine.sample import make_sample
from gui import text
from gui.copies import Copies
from gui.jobs import JobRunner
from gui.session import Session
from gui.settings import Settings

_OPEN = "window/stores/1"


class OpenStores(QObject):
    """Every open store has one session; a store that is open already comes to the front instead."""

    opened = Signal(object)
    """A new ``Session``, or one that is open already and was asked for again."""
    closed = Signal(object)
    failed = Signal(object, object)
    """A path that could not be opened, and the exception."""

    def __init__(self, runner: JobRunner, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = runner
        self._settings = settings
        self._cache = cache_folder()
        self._closed: list[Path] = []
        self.copies = Copies()
        """What other programs were given of any store."""
        self._demo: tempfile.TemporaryDirectory[str] | None = None
        self.sessions: list[Session] = []
        self._asked = 0

    @property
    def can_reopen(self) -> bool:
        return bool(self._closed)

    def open(self, path: Path, then: Callable[[Session], object] | None = None) -> None:
        """Open what lies at ``path``; ``then`` gets its session, after ``opened`` was emitted."""
        path = path.expanduser().absolute()
        known = next((session for session in self.sessions if session.path == path), None)
        if known is not None:
            self._announce(known, then)
            return
        self._begin(f"Opening {text.plain(path.name)}", lambda: open_store(path), path, then)

    def create(self, path: Path) -> None:
        """Make a new layout at ``path``, which nothing has yet, and open it."""
        self._begin(f"Making {text.plain(path.name)}", lambda: ImageLayout.create(path), path, None)

    def open_demo(self, then: Callable[[Session], object] | None = None) -> None:
        """Make the sample layout in a temporary folder and open it; it goes when the program ends."""
        if self._demo is None:
            self._demo = tempfile.TemporaryDirectory(prefix="blobscope-demo-", ignore_cleanup_errors=True)
        folder = Path(tempfile.mkdtemp(dir=self._demo.name))
        self._begin("Making the sample layout", lambda: open_store(make_sample(folder)), folder, then)

    def close(self, session: Session) -> None:
        """Close a store; what still runs on it is stopped."""
        if session in self.sessions:
            self.sessions.remove(session)
            if not self._is_demo(session.path):
                self._closed.append(session.path)
            self.closed.emit(session)
            session.close()
            session.deleteLater()

    @Slot()
    def reopen(self) -> None:
        """Open again what was closed last."""
        if self._closed:
            self.open(self._closed.pop())

    def remember(self, sessions: Iterable[Session]) -> None:
        """Note which stores are open, in this order, for the next start."""
        paths = [str(session.path) for session in sessions if not self._is_demo(session.path)]
        self._settings.store.setValue(_OPEN, json.dumps(paths))

    def restore(self) -> None:
        """Open what was open when the program ended, as far as it is still there."""
        stored = self._settings.store.value(_OPEN)
        try:
            paths = json.loads(stored) if isinstance(stored, str) else []
        except ValueError:
            paths = []
        for path in paths if isinstance(paths, list) else []:
            if isinstance(path, str) and Path(path).is_dir():
                self.open(Path(path))

    def close_all(self) -> None:
        """Close everything; the program ends."""
        for session in self.sessions:
            session.close()
        self.sessions.clear()
        self.copies.remove()
        if self._demo is not None:
            self._demo.cleanup()

    def _begin(
        self, title: str, work: Callable[[], Store], path: Path, then: Callable[[Session], object] | None
    ) -> None:
        self._asked += 1
        number = self._asked

        self._runner.start(
            title,
            lambda _progress: work(),
            on_done=lambda store: self._adopt(store, number, then),
            on_failed=lambda error: self.failed.emit(path, error),
        )

    def _adopt(self, store: Store, number: int, then: Callable[[Session], object] | None) -> None:
        known = next((session for session in self.sessions if session.path == store.path), None)
        if known is not None:
            store.close()
            self._announce(known, then)
            return
        session = Session(self._runner, store, self._cache, self, self.copies)
        session.number = number
        self.sessions.append(session)
        if not self._is_demo(store.path):
            self._settings.add_recent(store.path)
        self._announce(session, then)
        session.rescan()

    def _announce(self, session: Session, then: Callable[[Session], object] | None) -> None:
        self.opened.emit(session)
        if then is not None:
            then(session)

    def _is_demo(self, path: Path) -> bool:
        return self._demo is not None and path.is_relative_to(self._demo.name)


def cache_folder() -> Path:
    """Where verdicts are remembered."""
    base = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)
    return Path(base) / "blobscope"
