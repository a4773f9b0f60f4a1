"""Work beside the window: jobs on worker threads, their progress and their results, at home on the GUI thread.

The only file that knows threads. A worker gets a function and a ``Progress`` and nothing of Qt; its future carries the
result or the exception; one signal brings the news home. Reads run beside each other and beside a write, writes to one
store run one at a time in the order they were asked for.
"""

import enum
import functools
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, Signal, SignalInstance, Slot

from engine.errors import Cancelled
from engine.progress import Progress

log = logging.getLogger(__name__)

Result = TypeVar("Result")

READERS = (os.cpu_count() or 1) + 2
"""Reads that run at once; further ones wait for their turn."""

TICK_MS = 100
"""Progress is looked at ten times a second."""

SMOOTHING_S = 5.0
"""The rate is the average of this many last seconds."""

ESTIMATE_AFTER_S = 2.0
"""Before that, a rate would be a guess."""

_WRITERS = 32
"""Threads beside the readers', one a store that is being written."""

_NICE = 5
"""How far workers stand behind the GUI thread where there are more threads than cores."""

_LONGEST_COURTESY_S = 0.005
"""So long a worker waits, each time it reports, for the GUI thread to end what it does."""

_STRETCH_S = 0.002
_REST_S = 0.0001
"""A worker rests so long after each stretch of work. One that makes many short system calls gives the interpreter away
at each and takes it back before a thread that waits for it has woken up; Python then never asks it to let others pass."""


_window_is_idle = threading.Event()
_window_is_idle.set()


@contextmanager
def window_first() -> Iterator[None]:
    """The GUI thread has something to do at a stretch: meanwhile workers give way."""
    was_idle = _window_is_idle.is_set()
    _window_is_idle.clear()
    try:
        yield
    finally:
        if was_idle:
            _window_is_idle.set()


_this_worker = threading.local()


def give_way() -> None:
    """Keep a worker out of the window's way: both need the interpreter, and only one can have it."""
    if not _window_is_idle.is_set():
        _window_is_idle.wait(_LONGEST_COURTESY_S)
    elif time.perf_counter() > getattr(_this_worker, "rests_at", 0.0):
        time.sleep(_REST_S)
        _this_worker.rests_at = time.perf_counter() + _STRETCH_S


class _Courteous(Progress):
    """The progress of a worker, which gives way whenever it reports."""

    def check(self) -> None:
        super().check()
        give_way()


class JobState(enum.Enum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Sample(NamedTuple):
    """How much was done at a moment of ``time.monotonic``."""

    at: float
    done: int


class Estimate(NamedTuple):
    """How fast work goes and how long it will take; None where nobody can say yet."""

    per_second: float | None = None
    seconds_left: float | None = None


def estimate(samples: Sequence[Sample], total: int | None) -> Estimate:
    """The smoothed rate over ``samples`` of one step, and the time that the rest of ``total`` takes at that rate."""
    if not samples or samples[-1].at - samples[0].at < ESTIMATE_AFTER_S:
        return Estimate()
    first, last = samples[0], samples[-1]
    rate = max(0.0, (last.done - first.done) / (last.at - first.at))
    if total is None or not rate:
        return Estimate(rate)
    return Estimate(rate, max(0, total - last.done) / rate)


@dataclass(eq=False, slots=True)
class Job:
    """One piece of work as the window sees it; only its runner changes it, on the GUI thread.

    A finished job holds its result: who keeps finished jobs keeps their results.
    """

    id: int
    title: str
    store: str
    writes: bool
    quiet: bool = False
    """Whether nobody asked for it: no strip shows it."""
    precious: bool = False
    """Whether closing the window asks before it is stopped."""
    lasting: bool = False
    """Whether it goes on when its store is closed, and the window waits for it at its end."""
    patient: bool = False
    """Whether nobody waits for it, so that of such jobs one runs at a time: together they would crowd the window."""
    progress: Progress = field(default_factory=_Courteous)
    state: JobState = JobState.QUEUED
    result: Any = None
    error: BaseException | None = None
    asked_at: float = field(default_factory=time.monotonic)
    _samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=round(SMOOTHING_S * 1000 / TICK_MS) + 1))
    _step: float = 0.0

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self.active and self.progress.cancelled

    @property
    def age(self) -> float:
        """Seconds since somebody asked for it; a strip shows it only after a moment, so that quick jobs do not flash."""
        return time.monotonic() - self.asked_at

    @property
    def fraction(self) -> float | None:
        """How much of the current step is done, 0 to 1; None where nobody knows the total."""
        total = self.progress.total
        return None if not total else min(1.0, self.progress.done / total)

    @property
    def estimate(self) -> Estimate:
        """Rate and time left of the current step, in its unit."""
        return estimate(self._samples, self.progress.total)

    def sample(self, now: float) -> None:
        """Remember how far it is; a new step starts a new history."""
        if self._step != self.progress.started:
            self._step = self.progress.started
            self._samples.clear()
        self._samples.append(Sample(now, self.progress.done))


@dataclass(eq=False, slots=True)
class _Task:
    """What the runner knows about a job beside the job itself."""

    job: Job
    function: Callable[[Progress], Any] | None
    on_items: Callable[[list[Any]], object] | None
    on_done: Callable[[Any], object] | None
    on_failed: Callable[[BaseException], object] | None
    on_cancelled: Callable[[], object] | None
    still_wanted: Callable[[], bool] | None
    forgotten: bool = False
    future: Future[Any] | None = None

    def release(self) -> None:
        """Let go of everything that came from the window, so that none of it dies on a worker."""
        self.function = self.on_items = self.on_done = self.on_failed = self.on_cancelled = self.still_wanted = None


def _step_back() -> None:
    """Let the GUI thread go first where there are more threads than cores; on Linux a thread has a nice value of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class JobRunner(QObject):
    """Runs jobs and brings them home; lives on the GUI thread, as does every callback and signal.

    ``started`` and ``finished`` carry a ``Job``; ``progressed`` carries a tuple of the running jobs, at most ten times a
    second. The parent owns the runner, so that no worker can be the last to hold it.
    """

    started = Signal(object)
    progressed = Signal(object)
    finished = Signal(object)

    _returned = Signal(object)
    _idle = Signal()

    def __init__(self, parent: QObject, *, readers: int = READERS) -> None:
        super().__init__(parent)
        self._readers = readers
        self._executor = ThreadPoolExecutor(readers + _WRITERS, thread_name_prefix="job", initializer=_step_back)
        self._tasks: dict[int, _Task] = {}
        self._last_id = 0
        self._closed = False
        self._over = False
        self._returned.connect(self._come_home, Qt.ConnectionType.QueuedConnection)
        self._home: deque[int] = deque()
        """The jobs that have returned and are not taken in yet."""
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._take_in)
        self._ticker = QTimer(self)
        self._ticker.setInterval(TICK_MS)
        self._ticker.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticker.timeout.connect(self._tick)

    def start(
        self,
        title: str,
        function: Callable[[Progress], Result],
        *,
        store: str = "",
        writes: bool = False,
        quiet: bool = False,
        precious: bool = False,
        lasting: bool = False,
        patient: bool = False,
        on_items: Callable[[list[Any]], object] | None = None,
        on_done: Callable[[Result], object] | None = None,
        on_failed: Callable[[BaseException], object] | None = None,
        on_cancelled: Callable[[], object] | None = None,
        still_wanted: Callable[[], bool] | None = None,
    ) -> Job:
        """Run ``function(progress)`` on a worker as soon as it may.

        ``on_items`` gets what the function reports, in batches and before the end; then exactly one of the other three
        is called. None is called once ``still_wanted`` says no or the store was forgotten. A read that was cancelled
        ends as cancelled whatever it returned; a write that finished before it noticed ends as done, because its
        changes are there. Without ``on_failed`` a failure goes to ``sys.excepthook``. From ``shutdown`` on nothing starts
        and the job comes back cancelled, but for a ``lasting`` one as long as others are waited for.
        """
        self._last_id += 1
        job = Job(self._last_id, title, store, writes, quiet, precious or writes, lasting, patient)
        if self._over or (self._closed and not lasting):
            job.state = JobState.CANCELLED
            return job
        task = _Task(job, function, on_items, on_done, on_failed, on_cancelled, still_wanted)
        self._tasks[job.id] = task
        self._admit()
        self.started.emit(job)
        return job

    def cancel(self, job: Job) -> None:
        """Ask a job to stop: one that waits is over at once and never starts, one that runs stops at its next check."""
        task = self._tasks.get(job.id)
        if task is None:
            return
        job.progress.cancel()
        if job.state is JobState.QUEUED:
            del self._tasks[job.id]
            self._finish(task, JobState.CANCELLED)

    def forget(self, store: str) -> None:
        """Cancel every job of a store and drop what they still bring home: the store is closed."""
        for task in list(self._tasks.values()):
            if task.job.store == store and not task.job.lasting:
                task.forgotten = True
                self.cancel(task.job)

    def active(self, store: str = "") -> tuple[Job, ...]:
        """The jobs that wait or run, oldest first: of one store, or all."""
        return tuple(task.job for task in self._tasks.values() if store in ("", task.job.store))

    def shutdown(self, deadline_s: float) -> bool:
        """Cancel what does not last and wait for at most ``deadline_s`` seconds, while the window keeps painting.

        Returns whether every worker came home. Where not, a thread is stuck in the operating system, and the
        interpreter would wait for it at its exit: the caller ends the process with ``os._exit``.
        """
        self._closed = True
        for task in list(self._tasks.values()):
            if not task.job.lasting:
                self.cancel(task.job)
        if self._tasks:
            self._wait_until_idle(deadline_s)
        self._over = True
        all_home = not self._tasks
        self._executor.shutdown(wait=all_home, cancel_futures=True)
        return all_home

    def _wait_until_idle(self, deadline_s: float) -> None:
        loop = QEventLoop(self)
        limit = QTimer(loop)
        limit.setSingleShot(True)
        limit.timeout.connect(loop.quit)
        self._idle.connect(loop.quit)
        limit.start(round(deadline_s * 1000))
        loop.exec()
        loop.deleteLater()

    def _admit(self) -> None:
        """Hand every waiting job that may run to the executor."""
        running = [task.job for task in self._tasks.values() if task.job.state is JobState.RUNNING]
        free_readers = self._readers - sum(not job.writes for job in running)
        written = {job.store for job in running if job.writes}
        crowded = any(job.patient for job in running)
        for task in self._tasks.values():
            job = task.job
            if job.state is JobState.RUNNING:
                continue
            if job.writes:
                if job.store in written:
                    continue
                written.add(job.store)
            elif free_readers <= 0 or (job.patient and crowded):
                continue
            else:
                free_readers -= 1
                crowded |= job.patient
            job.state = JobState.RUNNING
            job.sample(time.monotonic())
            task.future = self._executor.submit(_work, task)
            task.future.add_done_callback(functools.partial(_send_home, self._returned, job.id))
        if self._tasks and not self._ticker.isActive():
            self._ticker.start()

    @Slot(object)
    def _come_home(self, job_id: int) -> None:
        """A worker has finished; the only way from a worker to the GUI thread."""
        self._home.append(job_id)
        self._turn.start()

    @Slot()
    def _take_in(self) -> None:
        """Take in one result, and the next when the event loop has been round: together they would hold it up."""
        job_id = self._home.popleft()
        if self._home:
            self._turn.start()
        with window_first():
            self._end(job_id)

    def _end(self, job_id: int) -> None:
        task = self._tasks.pop(job_id)
        assert task.future is not None
        job, error = task.job, task.future.exception()
        late = job.progress.cancelled and not job.writes
        if isinstance(error, Cancelled) or (error is None and late):
            self._finish(task, JobState.CANCELLED)
        elif error is not None:
            job.error = error
            self._finish(task, JobState.FAILED)
        else:
            job.result = task.future.result()
            self._finish(task, JobState.DONE)

    def _finish(self, task: _Task, state: JobState) -> None:
        job = task.job
        self._deliver(task)
        job.state = state
        if _wanted(task):
            self._tell(task)
        else:
            job.state, job.result = JobState.CANCELLED, None
            if job.error is not None:
                log.info("%s failed after it was no longer wanted", job.title, exc_info=job.error)
        task.release()
        self.finished.emit(job)
        self._admit()
        if not self._tasks:
            self._ticker.stop()
            self._idle.emit()

    def _tell(self, task: _Task) -> None:
        job = task.job
        if job.state is JobState.DONE and task.on_done is not None:
            _guarded(task.on_done, job.result)
        elif job.state is JobState.CANCELLED and task.on_cancelled is not None:
            _guarded(task.on_cancelled)
        elif job.error is not None:
            if task.on_failed is not None:
                _guarded(task.on_failed, job.error)
            else:
                sys.excepthook(type(job.error), job.error, job.error.__traceback__)

    def _deliver(self, task: _Task) -> None:
        items = task.job.progress.drain()
        if items and task.on_items is not None and _wanted(task):
            _guarded(task.on_items, items)

    @Slot()
    def _tick(self) -> None:
        now = time.monotonic()
        running = [task for task in self._tasks.values() if task.job.state is JobState.RUNNING]
        with window_first():
            for task in running:
                task.job.sample(now)
                self._deliver(task)
            if running:
                self.progressed.emit(tuple(task.job for task in running))


def _work(task: _Task) -> Any:
    """What runs on the worker."""
    assert task.function is not None
    task.job.progress.check()
    return task.function(task.job.progress)


def _send_home(returned: SignalInstance, job_id: int, _future: Future[Any]) -> None:
    """Tell the GUI thread, from the worker, that a future is complete."""
    try:
        returned.emit(job_id)
    except RuntimeError:
        log.debug("job %d outlived the window", job_id)


def _wanted(task: _Task) -> bool:
    """Whether somebody still wants the news; a question that fails counts as no."""
    return not task.forgotten and (task.still_wanted is None or bool(_guarded(task.still_wanted)))


def _guarded(callback: Callable[..., Any], *arguments: Any) -> Any:
    """Call back; a fault in it goes to ``sys.excepthook`` and leaves the runner and the other jobs alone."""
    try:
        return callback(*arguments)
    except Exception:
        sys.excepthook(*sys.exc_info())
        return None
