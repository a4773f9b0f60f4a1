"""What jobs promise the window."""

import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QTimer
from pytestqt.qtbot import QtBot

from engine.errors import Cancelled, Refused
from engine.progress import Progress
from gui import jobs
from gui.jobs import Estimate, Job, JobRunner, JobState, Sample, estimate

PATIENCE_S = 10
"""How long a test waits for what must come; none waits this long when all is well."""


@pytest.fixture
def runner(qapp: QCoreApplication) -> Iterator[JobRunner]:
    runner = JobRunner(qapp, readers=2)
    yield runner
    assert runner.shutdown(PATIENCE_S)
    shiboken6.delete(runner)


class Gate:
    """A job function that waits inside until the test lets it go on, or it is cancelled."""

    def __init__(self, result: object = None) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.result = result

    def __call__(self, progress: Progress) -> object:
        self.entered.set()
        while not self.opened.wait(0.005):
            progress.check()
        return self.result

    def wait(self) -> None:
        assert self.entered.wait(PATIENCE_S)


def wait_for(qtbot: QtBot, job: Job) -> None:
    qtbot.waitUntil(lambda: not job.active, timeout=PATIENCE_S * 1000)


def nothing(progress: Progress) -> None:
    """Work that is done at once."""


def test_a_job_works_on_another_thread_and_comes_home_to_the_windows(qtbot: QtBot, runner: JobRunner) -> None:
    threads: dict[str, int] = {}

    def work(progress: Progress) -> str:
        threads["work"] = threading.get_ident()
        progress.report("found")
        return "result"

    def note(where: str) -> Callable[[Any], None]:
        return lambda _value: threads.update({where: threading.get_ident()})

    runner.started.connect(note("started"))
    runner.finished.connect(note("finished"))
    job = runner.start("Look", work, on_items=note("items"), on_done=note("done"))
    wait_for(qtbot, job)
    here = threading.get_ident()
    assert threads.pop("work") != here
    assert threads == {"started": here, "items": here, "done": here, "finished": here}
    assert (job.state, job.result, job.error) == (JobState.DONE, "result", None)


def test_everything_found_arrives_in_order_and_before_the_end(qtbot: QtBot, runner: JobRunner) -> None:
    told: list[object] = []

    def work(progress: Progress) -> None:
        for number in range(10_000):
            progress.report(number)

    job = runner.start("Count", work, on_items=told.extend, on_done=lambda _: told.append("end"))
    wait_for(qtbot, job)
    assert told == [*range(10_000), "end"]


def test_an_exception_in_a_job_reaches_on_failed_with_its_traceback(qtbot: QtBot, runner: JobRunner) -> None:
    def the_broken_step(progress: Progress) -> None:
        raise Refused("Something would be lost.")

    failures: list[BaseException] = []
    job = runner.start("Break", the_broken_step, on_failed=failures.append, on_done=lambda _: pytest.fail("not done"))
    wait_for(qtbot, job)
    assert [str(error) for error in failures] == ["Something would be lost."]
    assert traceback.extract_tb(failures[0].__traceback__)[-1].name == "the_broken_step"
    assert (job.state, job.error) == (JobState.FAILED, failures[0])


def test_a_failure_that_nobody_handles_is_not_lost(
    qtbot: QtBot, runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: caught.append(error))
    job = runner.start("Break", lambda progress: 1 / 0)
    wait_for(qtbot, job)
    assert [type(error) for error in caught] == [ZeroDivisionError]


def test_a_fault_in_one_callback_leaves_the_other_jobs_alone(
    qtbot: QtBot, runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: caught.append(error))
    finished: list[Job] = []
    runner.finished.connect(finished.append)
    first = runner.start("First", nothing, on_done=lambda _: 1 / 0)
    second = runner.start("Second", nothing)
    qtbot.waitUntil(lambda: len(finished) == 2)
    assert {first.state, second.state} == {JobState.DONE}
    assert [type(error) for error in caught] == [ZeroDivisionError]
    assert runner.active() == ()


def test_writes_to_one_store_run_one_at_a_time_in_their_order_and_reads_run_beside_them(
    qtbot: QtBot, runner: JobRunner
) -> None:
    order: list[int] = []
    gates = [Gate(number) for number in range(3)]
    writes = [runner.start("Write", gate, store="a", writes=True, on_done=order.append) for gate in gates]
    elsewhere = Gate()
    other = runner.start("Write elsewhere", elsewhere, store="b", writes=True)
    looking = Gate()
    read = runner.start("Look", looking, store="a")
    for gate in (gates[0], elsewhere, looking):
        gate.wait()
    assert [job.state for job in (*writes, other, read)] == [
        JobState.RUNNING,
        JobState.QUEUED,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.RUNNING,
    ]
    assert not gates[1].entered.is_set()
    for gate, write in zip(gates, writes, strict=True):
        gate.opened.set()
        wait_for(qtbot, write)
    elsewhere.opened.set()
    looking.opened.set()
    wait_for(qtbot, other)
    wait_for(qtbot, read)
    assert order == [0, 1, 2]


def test_only_so_many_reads_run_at_once_and_the_others_wait_for_their_turn(qtbot: QtBot, runner: JobRunner) -> None:
    gates = [Gate() for _ in range(4)]
    jobs = [runner.start("Look", gate) for gate in gates]
    assert [job.state for job in jobs] == [JobState.RUNNING, JobState.RUNNING, JobState.QUEUED, JobState.QUEUED]
    gates[1].opened.set()
    wait_for(qtbot, jobs[1])
    gates[2].wait()
    assert [job.state for job in jobs] == [JobState.RUNNING, JobState.DONE, JobState.RUNNING, JobState.QUEUED]
    for gate in gates:
        gate.opened.set()
    for job in jobs:
        wait_for(qtbot, job)


def test_what_nobody_waits_for_runs_one_at_a_time_and_keeps_nothing_else_from_running(
    qtbot: QtBot, runner: JobRunner
) -> None:
    gates = [Gate() for _ in range(3)]
    first, second = (runner.start("Judge", gate, patient=True) for gate in gates[:2])
    wanted = runner.start("Look", gates[2])
    assert [job.state for job in (first, second, wanted)] == [JobState.RUNNING, JobState.QUEUED, JobState.RUNNING]
    gates[0].opened.set()
    wait_for(qtbot, first)
    gates[1].wait()
    for gate in gates:
        gate.opened.set()
    for job in (second, wanted):
        wait_for(qtbot, job)


def test_a_cancelled_queued_job_never_starts(qtbot: QtBot, runner: JobRunner) -> None:
    first, second, third = Gate(), Gate(), Gate()
    told: list[str] = []
    running = runner.start("First", first, store="a", writes=True)
    waiting = runner.start("Second", second, store="a", writes=True, on_cancelled=lambda: told.append("cancelled"))
    last = runner.start("Third", third, store="a", writes=True)
    runner.cancel(waiting)
    assert (waiting.state, told) == (JobState.CANCELLED, ["cancelled"])
    first.opened.set()
    third.opened.set()
    wait_for(qtbot, running)
    wait_for(qtbot, last)
    assert not second.entered.is_set()


def test_a_running_job_stops_at_its_next_check_and_says_so_once(qtbot: QtBot, runner: JobRunner) -> None:
    gate, told = Gate(), []
    job = runner.start("Look", gate, on_cancelled=lambda: told.append("cancelled"), on_done=told.append)
    gate.wait()
    runner.cancel(job)
    assert job.cancelling
    wait_for(qtbot, job)
    runner.cancel(job)
    assert (job.state, told) == (JobState.CANCELLED, ["cancelled"])


def stubborn(gate: Gate) -> Callable[[Progress], str]:
    """Work that does not look whether it was cancelled."""

    def work(progress: Progress) -> str:
        gate.entered.set()
        gate.opened.wait(PATIENCE_S)
        return "result"

    return work


@pytest.mark.parametrize(
    ("writes", "end", "told"), [(False, JobState.CANCELLED, "cancelled"), (True, JobState.DONE, "result")]
)
def test_a_late_cancel_drops_what_was_read_but_never_hides_what_was_written(
    qtbot: QtBot, runner: JobRunner, writes: bool, end: JobState, told: str
) -> None:
    gate, heard = Gate(), []
    job = runner.start(
        "Work", stubborn(gate), writes=writes, on_done=heard.append, on_cancelled=lambda: heard.append("cancelled")
    )
    gate.wait()
    runner.cancel(job)
    gate.opened.set()
    wait_for(qtbot, job)
    assert (job.state, heard) == (end, [told])


def test_work_that_stops_by_itself_counts_as_cancelled(qtbot: QtBot, runner: JobRunner) -> None:
    def work(progress: Progress) -> None:
        raise Cancelled

    told: list[str] = []
    job = runner.start(
        "Work", work, on_cancelled=lambda: told.append("cancelled"), on_failed=lambda _: told.append("?")
    )
    wait_for(qtbot, job)
    assert (job.state, told) == (JobState.CANCELLED, ["cancelled"])


def test_a_closed_store_hears_nothing_more(qtbot: QtBot, runner: JobRunner) -> None:
    gate, waiting, heard = Gate(), Gate(), []
    finished: list[Job] = []
    runner.finished.connect(finished.append)

    def hear(news: object = None) -> None:
        heard.append(news)

    def work(progress: Progress) -> str:
        progress.report("found")
        return stubborn(gate)(progress)

    running = runner.start(
        "Work", work, store="a", writes=True, on_done=hear, on_items=hear, on_cancelled=hear, on_failed=hear
    )
    queued = runner.start("Wait", waiting, store="a", writes=True, on_cancelled=hear)
    gate.wait()
    runner.forget("a")
    assert queued.state is JobState.CANCELLED
    gate.opened.set()
    wait_for(qtbot, running)
    assert (running.state, running.result, heard) == (JobState.CANCELLED, None, [])
    assert finished == [queued, running]


def test_a_store_that_is_opened_again_hears_of_its_new_jobs(qtbot: QtBot, runner: JobRunner) -> None:
    runner.forget("a")
    heard: list[object] = []
    job = runner.start("Look", lambda progress: "result", store="a", on_done=heard.append)
    wait_for(qtbot, job)
    assert heard == ["result"]


@pytest.mark.parametrize("outcome", ["result", "error"])
def test_a_result_that_is_no_longer_wanted_is_dropped(qtbot: QtBot, runner: JobRunner, outcome: str) -> None:
    heard: list[object] = []

    def work(progress: Progress) -> str:
        progress.report("found")
        if outcome == "error":
            raise Refused("Nobody asked.")
        return "result"

    job = runner.start(
        "Look",
        work,
        on_items=heard.append,
        on_done=heard.append,
        on_failed=heard.append,
        still_wanted=lambda: False,
    )
    wait_for(qtbot, job)
    assert (heard, job.state, job.result) == ([], JobState.CANCELLED, None)


def test_progress_is_delivered_at_most_ten_times_a_second(qtbot: QtBot, runner: JobRunner) -> None:
    enough = threading.Event()
    moments: list[float] = []
    batches: list[int] = []

    def work(progress: Progress) -> None:
        progress.start("Hash", 1 << 40)
        while not enough.is_set():
            for _ in range(100):
                progress.advance(1 << 20)
                progress.report("found")
            time.sleep(0)

    def note(jobs: tuple[Job, ...]) -> None:
        moments.append(time.monotonic())
        assert [job.title for job in jobs] == ["Hash"]

    runner.progressed.connect(note)
    job = runner.start("Hash", work, on_items=lambda items: batches.append(len(items)))
    qtbot.waitUntil(lambda: len(moments) >= 6, timeout=PATIENCE_S * 1000)
    enough.set()
    wait_for(qtbot, job)
    assert len(moments) - 1 <= (moments[-1] - moments[0]) * 10 + 1
    assert len(batches) <= len(moments) + 1
    assert sum(batches) > 10 * len(batches)


def test_nothing_ticks_when_nothing_runs(qtbot: QtBot, runner: JobRunner) -> None:
    def ticking() -> bool:
        return any(timer.isActive() for timer in runner.findChildren(QTimer))

    assert not ticking()
    gate = Gate()
    job = runner.start("Look", gate)
    assert ticking()
    gate.opened.set()
    wait_for(qtbot, job)
    qtbot.waitUntil(lambda: not ticking())


def test_active_names_what_waits_and_runs_oldest_first(qtbot: QtBot, runner: JobRunner) -> None:
    first, second = Gate(), Gate()
    one = runner.start("One", first, store="a", writes=True)
    two = runner.start("Two", second, store="a", writes=True)
    three = runner.start("Three", second, store="b")
    assert runner.active() == (one, two, three)
    assert runner.active("b") == (three,)
    for gate in (first, second):
        gate.opened.set()
    for job in (one, two, three):
        wait_for(qtbot, job)
    assert runner.active() == ()


def test_shutdown_cancels_everything_and_waits_for_it(qtbot: QtBot, qapp: QCoreApplication) -> None:
    runner = JobRunner(qapp)
    gate, waiting = Gate(), Gate()
    running = runner.start("Write", gate, store="a", writes=True)
    queued = runner.start("Write", waiting, store="a", writes=True)
    gate.wait()
    assert runner.shutdown(PATIENCE_S)
    assert (running.state, queued.state) == (JobState.CANCELLED, JobState.CANCELLED)
    assert not waiting.entered.is_set()
    late = runner.start("Late", nothing)
    assert late.state is JobState.CANCELLED
    shiboken6.delete(runner)


def test_what_lasts_is_waited_for_also_when_it_is_begun_at_the_very_end(qtbot: QtBot, qapp: QCoreApplication) -> None:
    runner = JobRunner(qapp, readers=1)
    gate, done = Gate(), list[str]()

    def remember() -> None:
        runner.start("Remember", lambda _progress: done.append("at the end"), lasting=True)

    runner.start("Long", gate, on_cancelled=remember)
    runner.start("Asked before", lambda _progress: done.append("before"), lasting=True)
    gate.wait()
    assert runner.shutdown(PATIENCE_S)
    assert sorted(done) == ["at the end", "before"]
    assert runner.start("Too late", nothing, lasting=True).state is JobState.CANCELLED
    shiboken6.delete(runner)


def test_closing_a_store_lets_what_lasts_go_on(qtbot: QtBot, runner: JobRunner) -> None:
    done: list[str] = []
    runner.start("remember", lambda _progress: done.append("remembered"), store="s", lasting=True)
    runner.forget("s")
    qtbot.waitUntil(lambda: done == ["remembered"])


def test_shutdown_keeps_the_window_alive_and_waits_at_most_its_bound(qtbot: QtBot, qapp: QCoreApplication) -> None:
    runner = JobRunner(qapp)
    gate = Gate()
    ticks: list[object] = []
    runner.progressed.connect(ticks.append)
    job = runner.start("Stuck", stubborn(gate))
    gate.wait()
    began = time.monotonic()
    assert not runner.shutdown(0.35)
    assert time.monotonic() - began < PATIENCE_S / 2
    assert ticks, "timers went on while it waited"
    assert job.cancelling
    gate.opened.set()
    wait_for(qtbot, job)
    shiboken6.delete(runner)


def test_a_worker_that_outlives_the_window_ends_quietly(qapp: QCoreApplication) -> None:
    window = QObject()
    runner = JobRunner(window)
    gate = Gate()
    runner.start("Stuck", stubborn(gate))
    gate.wait()
    before = threading.active_count()
    assert not runner.shutdown(0)
    shiboken6.delete(window)
    gate.opened.set()
    deadline = time.monotonic() + PATIENCE_S
    while threading.active_count() >= before and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threading.active_count() < before


def test_nothing_of_the_window_is_held_by_a_worker_once_a_job_is_home(
    qtbot: QtBot, runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the worker would be the last to hold a widget, and destroy it on its thread."""
    started, still_there = threading.Event(), threading.Event()
    send_home = jobs._send_home

    def send_home_and_stay(*arguments: Any) -> None:
        send_home(*arguments)
        still_there.wait(PATIENCE_S)

    class Panel:
        def work(self, progress: Progress) -> None:
            started.wait(PATIENCE_S)

        def show(self, result: object) -> None:
            pass

    monkeypatch.setattr(jobs, "_send_home", send_home_and_stay)
    panel = Panel()
    job = runner.start("Look", panel.work, on_done=panel.show, on_failed=panel.show)
    started.set()
    wait_for(qtbot, job)
    held = weakref.ref(panel)
    del panel
    try:
        assert held() is None
    finally:
        still_there.set()


def test_a_job_knows_its_age_and_how_much_is_done(qtbot: QtBot, runner: JobRunner) -> None:
    gate = Gate()
    job = runner.start("Look", gate)
    assert job.fraction is None
    job.progress.start("Hash", 200)
    job.progress.advance(50)
    assert job.fraction == 0.25
    assert job.estimate == Estimate(None, None)
    before = job.age
    gate.opened.set()
    wait_for(qtbot, job)
    assert job.age > before >= 0


def test_rate_and_time_left_are_said_after_two_seconds() -> None:
    history = [Sample(at / 10, at * 100) for at in range(31)]
    assert estimate(history[:20], 10_000) == Estimate(None, None)
    assert estimate(history, 10_000) == Estimate(pytest.approx(1000), pytest.approx(7))


def test_the_rate_is_smoothed_over_the_whole_history() -> None:
    assert estimate([Sample(0, 0), Sample(1, 4000), Sample(4, 4000)], None) == Estimate(1000, None)


def test_work_that_stands_still_has_a_rate_of_nothing_and_no_end() -> None:
    assert estimate([Sample(0, 5), Sample(3, 5)], 10) == Estimate(0, None)


def test_more_done_than_expected_is_no_negative_time() -> None:
    assert estimate([Sample(0, 0), Sample(2, 30)], 20) == Estimate(15, 0)


def test_a_new_step_starts_a_new_history() -> None:
    job = Job(1, "Verify", "", False)
    job.progress.start("List", 10)
    for second in range(4):
        job.progress.advance(1)
        job.sample(second)
    assert job.estimate.per_second == 1
    job.progress.started += 1
    job.sample(4)
    assert job.estimate == Estimate(None, None)


def test_a_worker_rests_now_and_then_so_that_a_waiting_window_comes_to_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, rests = [100.0], []

    class Clock:
        @staticmethod
        def perf_counter() -> float:
            return now[0]

        @staticmethod
        def sleep(seconds: float) -> None:
            rests.append(seconds)

    monkeypatch.setattr(jobs, "time", Clock)
    monkeypatch.setattr(jobs, "_this_worker", threading.local())
    for _ in range(10):
        jobs.give_way()
    assert len(rests) == 1, "not each time that it reports"
    assert 0 < rests[0] < 0.001
    now[0] += jobs._STRETCH_S * 1.1
    jobs.give_way()
    assert len(rests) == 2
    with jobs.window_first():
        now[0] += jobs._STRETCH_S * 1.1
        jobs.give_way()
    assert len(rests) == 2, "while the window is busy it waits for that"
