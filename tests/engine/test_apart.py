"""Work in a process of its own: it looks like work done here, and whatever happens to that process is told."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from engine.apart import apart
from engine.digest import Digest
from engine.directory import Directory
from engine.errors import BlobMissing, Cancelled, DocumentError, EngineError
from engine.progress import Progress

# ------------------------------------------------------------------------------------- what is done in that process


def who(progress: Progress) -> int:
    return os.getpid()


def count(upto: int, progress: Progress) -> str:
    progress.start("Counting", upto, "numbers")
    for number in range(upto):
        progress.report(number)
        progress.advance()
        time.sleep(0.03)
    return "done"


def arrays(progress: Progress) -> dict[str, object]:
    return {
        "large": np.arange(3_000_000),
        "empty": np.zeros(0, np.uint8),
        "names": np.array([b"a", b"bc"]),
        "text": b"x" * 9,
    }


def snapshots(progress: Progress) -> None:
    """Parts that stay the same, and large arrays that do not."""
    names, facts = ("a", "b"), np.zeros(3_000_000, np.int64)
    for number in range(3):
        facts[0] = number
        progress.report((names, facts))


def names_in(folder: Directory, progress: Progress) -> list[str]:
    return folder.names()


def same(value: object, progress: Progress) -> object:
    return value


def lock(progress: Progress) -> object:
    return threading.Lock()


class OfTwo(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def report_what_cannot_be_sent(progress: Progress) -> str:
    try:
        progress.report(("named", threading.Lock()))
    except TypeError:
        progress.report(("named", "again"))
    return "done"


def sees_of_the_signals(progress: Progress) -> bool:
    return os.getpgid(0) != os.getpgid(os.getppid())


def fail(kind: str, progress: Progress) -> None:
    if kind == "document":
        raise DocumentError("It is no JSON.", place="f", expected="{", found="x", remedy="Mend it.", rule="V1")
    raise {
        "missing": BlobMissing("Gone.", place="sha256:1"),
        "mistake": ZeroDivisionError("by zero"),
        "two": OfTwo(1, 2),
        "exit": SystemExit(0),
    }[kind]


def die(progress: Progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(mark: str, progress: Progress) -> None:
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---------------------------------------------------------------------------------------------------------- promises


def test_the_work_is_done_in_another_process_which_ends_with_it() -> None:
    pid = apart(who, progress=Progress())
    assert pid != os.getpid()
    assert not is_alive(pid)


def test_its_progress_and_what_it_reports_are_seen_here_while_it_works() -> None:
    progress, seen = Progress(), []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append((progress.label, progress.done, progress.total, progress.unit))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert apart(count, 20, progress=progress) == "done"
    done.set()
    watcher.join()
    assert progress.drain() == list(range(20))
    assert {label for label, *_ in seen} == {"", "Counting"}
    assert {total for label, _, total, _ in seen if label} == {20}
    assert any(0 < amount < 20 for _, amount, _, _ in seen)


def test_arrays_arrive_as_they_are_and_can_be_written_to() -> None:
    found = apart(arrays, progress=Progress())
    large, empty, names = found["large"], found["empty"], found["names"]
    assert isinstance(large, np.ndarray)
    assert isinstance(empty, np.ndarray)
    assert isinstance(names, np.ndarray)
    assert np.array_equal(large, np.arange(3_000_000))
    large[0] = 7
    assert len(empty) == 0
    assert names.tolist() == [b"a", b"bc"]
    assert found["text"] == b"x" * 9


def test_what_is_reported_again_and_again_is_not_kept_by_either_side() -> None:
    progress = Progress()
    apart(snapshots, progress=progress)
    found = progress.drain()
    assert [(names, int(facts[0]), len(facts)) for names, facts in found] == [
        (("a", "b"), n, 3_000_000) for n in range(3)
    ]


def test_a_digest_is_still_one_on_the_other_side() -> None:
    digest = Digest(f"sha256:{'0' * 64}")
    found = apart(same, digest, progress=Progress())
    assert type(found) is Digest
    assert (found, found.algorithm, found.encoded) == (digest, digest.algorithm, digest.encoded)


def test_what_it_raises_is_raised_here_with_all_that_it_says() -> None:
    with pytest.raises(DocumentError, match="It is no JSON") as document:
        apart(fail, "document", progress=Progress())
    error = document.value
    assert (error.place, error.expected, error.found, error.remedy, error.rule) == ("f", "{", "x", "Mend it.", "V1")
    with pytest.raises(BlobMissing, match="Gone"):
        apart(fail, "missing", progress=Progress())
    with pytest.raises(ZeroDivisionError, match="by zero") as mistake:
        apart(fail, "mistake", progress=Progress())
    assert "in fail" in mistake.value.__notes__[0], "where it happened"
    with pytest.raises(RuntimeError, match="OfTwo: 1 and 2"):
        apart(fail, "two", progress=Progress())
    with pytest.raises(SystemExit):
        apart(fail, "exit", progress=Progress())


def test_a_process_that_is_killed_is_told_in_a_sentence() -> None:
    with pytest.raises(EngineError, match=r"ended without an answer \(signal 9\)") as error:
        apart(die, progress=Progress())
    assert error.value.remedy


def test_cancel_ends_it_at_once_whatever_it_does(tmp_path: Path) -> None:
    progress, mark = Progress(), tmp_path / "pid"

    def cancel() -> None:
        wait_for(lambda: mark.exists() and mark.read_text())
        progress.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(Cancelled):
        apart(sleep, str(mark), progress=progress)
    canceller.join()
    assert not is_alive(int(mark.read_text()))


def test_it_ends_when_the_program_that_asked_for_it_is_killed(tmp_path: Path) -> None:
    mark, asking = tmp_path / "pid", os.fork()
    if asking == 0:
        apart(sleep, str(mark), progress=Progress())
        os._exit(0)
    wait_for(lambda: mark.exists() and mark.read_text())
    os.kill(asking, signal.SIGKILL)
    os.waitpid(asking, 0)
    wait_for(lambda: not is_alive(int(mark.read_text())))


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_where_no_process_can_be_started_the_work_is_done_here(
    monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert apart(who, progress=Progress()) == os.getpid()


def test_what_cannot_be_sent_is_a_mistake_that_shows() -> None:
    with pytest.raises(TypeError, match="pickle"):
        apart(same, threading.Lock(), progress=Progress())
    with pytest.raises(TypeError, match="pickle"):
        apart(lock, progress=Progress())


def test_an_item_that_cannot_be_sent_spoils_nothing_that_comes_after_it() -> None:
    progress = Progress()
    assert apart(report_what_cannot_be_sent, progress=progress) == "done"
    assert progress.drain() == [("named", "again")]


def test_what_it_is_given_may_be_large() -> None:
    much = [f"sha256:{number:064}" for number in range(50_000)]
    assert apart(same, much, progress=Progress()) == much


def test_a_folder_is_handed_over_as_its_handle_and_let_go_of_without_waiting_for_a_collection(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "file").touch()
    folder = Directory.open(tmp_path / "before")
    (tmp_path / "before").rename(tmp_path / "after")
    gone = weakref.ref(folder)
    gc.disable()
    try:
        assert apart(names_in, folder, progress=Progress()) == ["file"]
        del folder
        assert gone() is None
    finally:
        gc.enable()


def test_ctrl_c_is_for_the_program_alone() -> None:
    assert apart(sees_of_the_signals, progress=Progress())


@pytest.mark.parametrize("closed", [(0,), (0, 1), (1, 2)])
def test_it_works_in_a_program_without_standard_streams(closed: tuple[int, ...]) -> None:
    program = (
        f"import os; [os.close(fd) for fd in {closed}]\n"
        "from engine.apart import apart; from engine.progress import Progress; from tests.engine.test_apart import same\n"
        "os._exit(apart(same, 7, progress=Progress()))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False).returncode == 7


def test_it_leaves_no_handle_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    apart(who, progress=Progress())
    with pytest.raises(BlobMissing):
        apart(fail, "missing", progress=Progress())
    assert len(os.listdir("/proc/self/fd")) == before
