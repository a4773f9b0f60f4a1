"""Scanning a store from the beginning: the first rows at once, and what is very much in a process of its own."""

from collections.abc import Callable

from engine.apart import apart
from engine.progress import Progress
from engine.snapshot import STAGES, Snapshot
from engine.store import Store

_MOST = 6000
"""Entries, blobs and documents that are read here; reading so many takes less time than starting a process."""

Publish = Callable[[Snapshot], None]


class _TooMuch(Exception):
    """The store is a large one."""


class _Few(Progress):
    """Passes on what is told to it, until that is too much."""

    def __init__(self, watched: Progress) -> None:
        super().__init__()
        self._watched = watched
        self._left = _MOST

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        self._watched.start(label, total, unit)

    def advance(self, amount: int = 1) -> None:
        self._left -= amount
        if self._left < 0:
            raise _TooMuch
        self._watched.advance(amount)

    def check(self) -> None:
        self._watched.check()


def scan_anew(store: Store, progress: Progress, publish: Publish | None = None) -> Snapshot:
    """A snapshot of a store of which nothing is known; coarser ones go to ``publish`` on the way, the first at once.

    A large store is scanned in a process of its own. Raises as ``Store.scan`` does, and ``EngineError`` where that process
    ends without an answer.
    """
    further = publish and _only_further(publish)
    try:
        return store.scan(_Few(progress), further)
    except _TooMuch:
        return apart(_scan, store, publish is not None, progress=progress, take=further)


def _scan(store: Store, publishes: bool, progress: Progress) -> Snapshot:
    return store.scan(progress, progress.report if publishes else None)


def _only_further(publish: Publish) -> Publish:
    """Publishes only what says more than what was published: a scan that begins again has nothing new at first."""
    furthest = -1, -1

    def publish_further(snapshot: Snapshot) -> None:
        nonlocal furthest
        now = STAGES.index(snapshot.stage), len(snapshot.entries) + len(snapshot)
        if now > furthest:
            furthest = now
            publish(snapshot)

    return publish_further
