"""What a worker and the one who watches it share: how far, what was found, and whether to stop.

Progress is state, not events: the worker advances it as often as it likes, the watcher reads it as seldom as it likes.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from engine.errors import Cancelled

Item = TypeVar("Item")


class Progress:
    """How far one piece of work is. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reported: list[Any] = []
        self._cancelled = threading.Event()
        self.label = ""
        self.unit = "bytes"
        self.done = 0
        self.total: int | None = None
        self.started = time.monotonic()

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        """Begin a step: what is done now, how much of it there is (None: nobody knows), counted in what."""
        with self._lock:
            self.label, self.total, self.unit, self.done = label, total, unit, 0
            self.started = time.monotonic()

    def advance(self, amount: int = 1) -> None:
        """Add to what is done; raises ``Cancelled`` when the watcher asked to stop."""
        with self._lock:
            self.done += amount
        self.check()

    def report(self, item: Any) -> None:
        """Hand something found to the watcher."""
        with self._lock:
            self._reported.append(item)

    def drain(self) -> list[Any]:
        """Take what was reported since the last call, in order."""
        with self._lock:
            taken, self._reported = self._reported, []
        return taken

    def cancel(self) -> None:
        """Ask the worker to stop; it does at its next ``advance`` or ``check``."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def turns(self, items: Iterable[Item], slice_size: int = 200) -> Iterator[Item]:
        """The same items; before each slice of so many the watcher gets a turn, and ``Cancelled`` is raised if need be.

        For loops too quick to ``advance`` at each item.
        """
        for number, item in enumerate(items):
            if number % slice_size == 0:
                self.check()
            yield item

    def check(self) -> None:
        """Raise ``Cancelled`` when the watcher asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled
