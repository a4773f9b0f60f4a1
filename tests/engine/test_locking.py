"""The locks that writers of a layout agree on."""

import errno
import fcntl
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from engine import locking
from engine.directory import Directory
from engine.errors import StoreBusy
from engine.locking import index_lock, try_lock


def _hold(path: Path, how: str, held: Event, release: Event) -> None:
    """Another program that holds a lock file, as BuildKit (flock) or podman (lockf) do."""
    with path.open("w") as file:
        (fcntl.flock if how == "flock" else fcntl.lockf)(file, fcntl.LOCK_EX)
        held.set()
        release.wait(30)


@contextmanager
def held_by_another_program(path: Path, how: str) -> Iterator[None]:
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(path, how, held, release))
    process.start()
    try:
        assert held.wait(10)
        yield
    finally:
        release.set()
        process.join()
        process.close()


class TestIndexLock:
    def test_it_is_there_only_while_it_is_held(self, tmp_path: Path, folder: Directory) -> None:
        with index_lock(folder):
            fd = os.open(tmp_path / "index.json.lock", os.O_RDONLY)
            assert try_lock(fd) is False
            os.close(fd)
        assert list(tmp_path.iterdir()) == []

    def test_it_is_gone_after_a_failure(self, tmp_path: Path, folder: Directory) -> None:
        with pytest.raises(ZeroDivisionError), index_lock(folder):
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []

    def test_threads_exclude_one_another(self, folder: Directory) -> None:
        inside: list[int] = []
        overlaps: list[int] = []

        def work() -> None:
            for _ in range(5):
                with index_lock(folder):
                    inside.append(1)
                    overlaps.append(len(inside))
                    time.sleep(0.001)
                    inside.pop()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert overlaps == [1] * 20

    def test_processes_exclude_one_another(
        self, tmp_path: Path, folder: Directory, in_children: Callable[..., None]
    ) -> None:
        """Both add to a number in a file, slowly."""
        number = tmp_path / "number"
        number.write_text("0")

        def work() -> None:
            for _ in range(15):
                with index_lock(folder):
                    value = int(number.read_text())
                    time.sleep(0.002)
                    number.write_text(str(value + 1))

        in_children(work, work)
        assert number.read_text() == "30"
        assert not (tmp_path / "index.json.lock").exists()

    @pytest.mark.parametrize(("name", "how"), [("index.json.lock", "flock"), ("index.lock", "lockf")])
    def test_a_lock_that_another_program_holds_ends_in_a_sentence(
        self, tmp_path: Path, folder: Directory, name: str, how: str
    ) -> None:
        """T108: BuildKit, and podman's artifact store."""
        with held_by_another_program(tmp_path / name, how):
            with pytest.raises(StoreBusy) as raised, index_lock(folder, 0.1):
                pytest.fail("the lock was taken twice")
            assert str(raised.value).endswith(f"/{name} for 0.1 seconds.")
            assert raised.value.remedy
            assert (tmp_path / name).exists()
        with index_lock(folder, 1):
            pass

    def test_a_lock_is_waited_for(self, tmp_path: Path, folder: Directory) -> None:
        fd = os.open(tmp_path / "index.json.lock", os.O_CREAT | os.O_RDWR)
        assert try_lock(fd)
        timer = threading.Timer(0.1, os.close, (fd,))
        timer.start()
        with index_lock(folder, 10):
            timer.join()

    def test_a_file_that_a_crash_left_is_not_in_the_way(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "index.json.lock").touch()
        with index_lock(folder, 1):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_root_leaves_no_lock_that_the_owner_cannot_take(
        self, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = []
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(Directory, "status", lambda _: os.stat_result((0o40755, 2, 1, 1, 4711, 4712, 0, 0, 0, 0)))
        monkeypatch.setattr(os, "fchown", lambda fd, uid, gid: given.append((uid, gid)))
        with index_lock(folder, 1):
            assert given == [(4711, 4712)]

    def test_podmans_file_stays(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "index.lock").touch()
        with index_lock(folder, 1):
            pass
        assert [path.name for path in tmp_path.iterdir()] == ["index.lock"]

    @pytest.mark.parametrize("name", ["index.json.lock", "index.lock"])
    def test_a_planted_link_is_not_followed(self, tmp_path: Path, folder: Directory, name: str) -> None:
        """Promise 13."""
        outside = tmp_path / "outside"
        outside.write_bytes(b"precious")
        (tmp_path / name).symlink_to(outside)
        with pytest.raises(OSError) as raised, index_lock(folder, 1):
            pytest.fail("a link was followed")
        assert raised.value.errno == errno.ELOOP
        assert (tmp_path / name).is_symlink()
        assert outside.read_bytes() == b"precious"

    def test_a_lock_file_that_its_last_holder_removes_is_locked_anew(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """BuildKit unlocks first and removes then: what we have just locked guards no name any more."""
        looks = []

        def look(fd: int, name: str, parent: Directory) -> bool:
            looks.append(fd)
            if len(looks) == 1:
                (tmp_path / name).unlink()
                (tmp_path / name).touch()
            there, here = parent.stat(name), os.fstat(fd)
            return there.st_ino == here.st_ino

        monkeypatch.setattr(locking, "is_at", look)
        with index_lock(folder, 5):
            assert (tmp_path / "index.json.lock").exists()
        assert len(looks) > 2

    def test_the_folder_itself_is_locked_wherever_its_path_leads_by_now(self, tmp_path: Path) -> None:
        (tmp_path / "store").mkdir()
        store = Directory.open(tmp_path / "store")
        (tmp_path / "store").rename(tmp_path / "moved")
        (tmp_path / "store").mkdir()
        with index_lock(store, 1):
            assert (tmp_path / "moved" / "index.json.lock").exists()
            assert list((tmp_path / "store").iterdir()) == []

    def test_a_folder_that_was_removed_is_not_made_again(self, tmp_path: Path) -> None:
        (tmp_path / "store").mkdir()
        store = Directory.open(tmp_path / "store")
        (tmp_path / "store").rmdir()
        with pytest.raises(FileNotFoundError), index_lock(store, 1):
            pytest.fail("a folder that is gone was locked")
        assert list(tmp_path.iterdir()) == []


class TestTryLock:
    def test_where_there_are_no_locks_the_answer_is_none(
        self, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder on NFS, which cannot be opened for writing as its locks demand."""

        def refuse(*_: object, **__: object) -> bool:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

        monkeypatch.setattr(locking, "lock_descriptor", refuse)
        assert try_lock(folder.fd) is None

    def test_what_is_broken_is_not_taken_for_free(self, folder: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> bool:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(locking, "lock_descriptor", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            try_lock(folder.fd)
