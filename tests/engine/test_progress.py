"""Progress is state that anyone may read, and one question: whether to stop."""

import threading

import pytest

from engine.errors import Cancelled
from engine.progress import Progress


def test_a_new_step_starts_from_nothing() -> None:
    progress = Progress()
    progress.start("Reading", 10)
    progress.advance(4)
    progress.start("Writing", 20, "blobs")
    assert (progress.label, progress.done, progress.total, progress.unit) == ("Writing", 0, 20, "blobs")


def test_reports_are_taken_once_and_in_order() -> None:
    progress = Progress()
    for n in range(3):
        progress.report(n)
    assert (progress.drain(), progress.drain()) == ([0, 1, 2], [])


def test_a_cancelled_worker_stops_at_its_next_step() -> None:
    progress = Progress()
    progress.advance(1)
    progress.cancel()
    with pytest.raises(Cancelled):
        progress.advance(1)
    with pytest.raises(Cancelled):
        progress.check()


def test_a_quick_loop_goes_in_turns_and_ends_when_it_is_cancelled() -> None:
    progress, seen = Progress(), []
    with pytest.raises(Cancelled):
        for n in progress.turns(range(100), 10):
            seen.append(n)
            if n == 24:
                progress.cancel()
    assert seen == list(range(30)), "up to the end of the slice"


def test_no_step_of_many_threads_is_lost() -> None:
    progress = Progress()
    threads = [threading.Thread(target=lambda: [progress.advance(1) for _ in range(2000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert progress.done == 16_000
