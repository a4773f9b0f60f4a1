"""What a worker and the one who watches it share: how far, what was found, and whether to stop.

Progress is state, not events: the worker advances it as often as it likes, the watcher reads it as seldom as it likes.
"""

import threading
import time
from typing import Any

from engine.errors import Cancelled


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

    def check(self) -> None:
        """Raise ``Cancelled`` when the watcher asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled
