"""Work beside the window of which only the newest counts: never two pieces at once, and never a queue."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from PySide6.QtCore import QObject
from shiboken6 import isValid

from engine.progress import Progress
from gui.jobs import Job, JobRunner

Result = TypeVar("Result")


class _Wish(NamedTuple):
    """What somebody asked for."""

    runner: JobRunner
    store: str
    title: str
    work: Callable[[Progress], Any]
    then: Callable[[Any], object]
    failed: Callable[[BaseException], object]


class Newest:
    """Runs what was asked for last.

    What is running is asked to stop when something else is wanted; until it has, that waits, and gives its place to
    what is wanted after it. So a person who holds an arrow key down keeps one worker busy, however slow the work is.
    """

    def __init__(self, owner: QObject) -> None:
        """Nothing comes home once ``owner`` is gone."""
        self._owner = owner
        self._running: tuple[_Wish, Job] | None = None
        self._wish: _Wish | None = None

    @property
    def busy(self) -> bool:
        """Whether something that is wanted is on its way."""
        return self._wish is not None

    def run(
        self,
        runner: JobRunner,
        store: str,
        title: str,
        work: Callable[[Progress], Result],
        then: Callable[[Result], object],
        failed: Callable[[BaseException], object],
    ) -> None:
        """Call ``then`` with what ``work`` returns, or ``failed``, unless something else is asked for before that."""
        self._wish = _Wish(runner, store, title, work, then, failed)
        if not self._stop():
            self._begin()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._wish = None
        self._stop()

    def _stop(self) -> bool:
        """Ask what runs to stop; whether there is something that has not yet."""
        if self._running is None or not self._running[1].active:
            return False
        wish, job = self._running
        wish.runner.cancel(job)
        return job.active

    def _begin(self) -> None:
        wish = self._wish
        if wish is None:
            return
        job = wish.runner.start(
            wish.title,
            wish.work,
            store=wish.store,
            quiet=True,
            on_done=partial(self._end, wish, wish.then),
            on_failed=partial(self._end, wish, wish.failed),
            on_cancelled=partial(self._end, wish, None),
            still_wanted=lambda: isValid(self._owner),
        )
        self._running = wish, job

    def _end(self, wish: _Wish, tell: Callable[[Any], object] | None, *news: Any) -> None:
        self._running = None
        if wish is not self._wish:
            self._begin()
            return
        self._wish = None
        if tell is not None:
            tell(*news)
