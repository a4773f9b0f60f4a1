"""Writing so that nothing half-done is ever seen, and nothing reported as done is lost."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import durable
from engine.directory import Directory, is_at
from engine.durable import (
    MARK_NAME,
    Rights,
    exchange,
    publish,
    remove_dead,
    remove_tree,
    rename_new,
    staging,
    write_file,
)
from engine.locking import try_lock

RIGHTS = Rights(0o666, 0o777, os.geteuid(), os.getegid())


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


class TestStaging:
    def test_it_is_private_and_locked_while_in_use_and_gone_afterwards(self, tmp_path: Path, folder: Directory) -> None:
        with staging(folder) as stage:
            (name,) = names(tmp_path)
            assert name.startswith(".blobscope-")
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
            other = os.open(tmp_path / name, os.O_RDONLY)
            assert try_lock(other) is False
            os.close(other)
            write_file(stage, "unfinished", b"x", RIGHTS)
        assert names(tmp_path) == []

    def test_it_is_gone_after_a_failure(self, tmp_path: Path, folder: Directory) -> None:
        with pytest.raises(ZeroDivisionError), staging(folder) as stage:
            write_file(stage, "unfinished", b"x", RIGHTS)
            raise ZeroDivisionError
        assert names(tmp_path) == []

    def test_what_a_killed_program_left_can_be_removed(self, tmp_path: Path, folder: Directory) -> None:
        for name in (f".blobscope-{'0' * 16}", ".blobscope-trash", ".blobscope-0", "other"):
            (tmp_path / name / "deep").mkdir(parents=True)
            (tmp_path / name / "deep/file").write_text("x")
            (tmp_path / name / MARK_NAME).touch()
        (tmp_path / f".blobscope-{'1' * 16}").symlink_to("other")
        (tmp_path / f".blobscope-{'2' * 16}").write_text("x")
        before = names(tmp_path)
        with staging(folder, is_marked=True) as stage:
            living = Path(stage.path).name
            remove_dead(folder)
            assert names(tmp_path) == sorted({*before, living} - {f".blobscope-{'0' * 16}"})
        assert (tmp_path / "other/deep/file").read_text() == "x"

    def test_a_folder_of_the_person_that_only_has_such_a_name_stays(self, tmp_path: Path, folder: Directory) -> None:
        notes = tmp_path / f".blobscope-{'0' * 16}/notes"
        notes.parent.mkdir()
        notes.write_text("mine")
        remove_dead(folder)
        assert notes.read_text() == "mine"

    def test_the_mark_is_there_first_and_goes_last(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whenever a program is killed, the next one knows what it left."""
        unlink, rmdir, seen = os.unlink, os.rmdir, []

        def watched(act: Callable[..., None]) -> Callable[..., None]:
            def remove(name: str, *, dir_fd: int) -> None:
                seen.append((name, marked.exists()))
                act(name, dir_fd=dir_fd)

            return remove

        with staging(folder, is_marked=True) as stage:
            assert names(Path(stage.path)) == [MARK_NAME]
            marked = Path(stage.path) / MARK_NAME
            (Path(stage.path) / "deep/deeper").mkdir(parents=True)
            (Path(stage.path) / "deep/file").touch()
            (Path(stage.path) / "file").touch()
            monkeypatch.setattr(os, "unlink", watched(unlink))
            monkeypatch.setattr(os, "rmdir", watched(rmdir))
        assert all(there for _, there in seen[:-1])
        assert [name for name, _ in seen[-2:]] == [MARK_NAME, marked.parent.name]
        assert names(tmp_path) == []

    def test_a_cleaner_that_comes_before_the_lock_takes_nothing_from_us(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """umoci's own cleaner kills umoci's writer there."""
        removed = []

        def late_lock(fd: int) -> bool | None:
            if not removed:
                removed.extend(names(tmp_path))
                (tmp_path / removed[0]).rmdir()
            return try_lock(fd)

        monkeypatch.setattr(durable, "try_lock", late_lock)
        with staging(folder) as stage:
            assert names(tmp_path) != removed
            assert stage.is_at(names(tmp_path)[0], folder)

    def test_a_cleaner_that_holds_the_lock_gets_that_folder(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = [False, True]
        monkeypatch.setattr(durable, "try_lock", lambda fd: answers.pop(0))
        with staging(folder):
            assert len(names(tmp_path)) == 2

    def test_where_folders_cannot_be_locked_it_works_all_the_same(
        self, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(durable, "try_lock", lambda fd: None)
        with staging(folder) as stage:
            write_file(stage, "x", b"x", RIGHTS)


class TestPublishing:
    def test_a_name_that_is_taken_stays_as_it_is(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "taken").write_bytes(b"theirs")
        with staging(folder) as stage:
            write_file(stage, "x", b"ours", RIGHTS)
            assert publish(stage, "x", folder, "taken") is False
            assert publish(stage, "x", folder, "free") is True
        assert (tmp_path / "taken").read_bytes() == b"theirs"
        assert (tmp_path / "free").read_bytes() == b"ours"
        assert (tmp_path / "free").stat().st_nlink == 1

    @pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
    def test_where_hard_links_are_refused_the_file_is_renamed(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "link", refuse)
        (tmp_path / "taken").write_bytes(b"theirs")
        with staging(folder) as stage:
            write_file(stage, "x", b"ours", RIGHTS)
            assert publish(stage, "x", folder, "taken") is False
            assert publish(stage, "x", folder, "free") is True
        assert [(tmp_path / name).read_bytes() for name in ("free", "taken")] == [b"ours", b"theirs"]

    @pytest.mark.parametrize("supported", [True, False])
    def test_a_new_folder_never_replaces_anything(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch, supported: bool
    ) -> None:
        if not supported:
            monkeypatch.setattr(durable, "_renameat2", None)
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_bytes(b"theirs")
        (tmp_path / "new").mkdir()
        for taken in ("empty", "file"):
            with pytest.raises(FileExistsError):
                rename_new(folder, "new", folder, taken)
        rename_new(folder, "new", folder, "free")
        assert names(tmp_path) == ["empty", "file", "free"]

    def test_two_files_swap_their_names_in_one_step(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "a").write_bytes(b"a")
        (tmp_path / "b").write_bytes(b"b")
        assert exchange(folder, "a", folder, "b")
        assert (tmp_path / "a").read_bytes() == b"b"
        with pytest.raises(FileNotFoundError):
            exchange(folder, "a", folder, "missing")

    @pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
    def test_a_file_system_without_swapping_is_no_error(
        self, folder: Directory, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        monkeypatch.setattr(durable, "_renameat2", lambda *_: -1)
        monkeypatch.setattr(durable.ctypes, "get_errno", lambda: number)
        assert exchange(folder, "a", folder, "b") is False


class TestRights:
    def test_new_files_have_the_mode_that_the_umask_leaves(self, tmp_path: Path, folder: Directory) -> None:
        """T109: not the 0600 of a temporary file."""
        before = os.umask(0o027)
        try:
            write_file(folder, "x", b"", RIGHTS)
        finally:
            os.umask(before)
        assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640

    def test_root_gives_new_files_to_the_owner_of_the_store(
        self, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """T109, promise 17."""
        given = []
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "fchown", lambda fd, uid, gid: given.append((uid, gid)))
        write_file(folder, "x", b"", RIGHTS._replace(uid=4711, gid=4712))
        assert given == [(4711, 4712)]

    def test_an_ordinary_user_tries_no_such_thing(self, folder: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.delattr(os, "fchown")
        write_file(folder, "x", b"", RIGHTS._replace(uid=4711))

    def test_a_file_that_replaces_another_gets_its_mode(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(0o604)
        write_file(folder, "new", b"", RIGHTS, folder.stat("old"))
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o604


class TestRemovingTrees:
    def test_depth_costs_neither_recursion_nor_descriptors(self, tmp_path: Path, folder: Directory) -> None:
        os.mkdir("deep", dir_fd=folder.fd)
        here = folder.child("deep")
        for _ in range(1500):
            os.mkdir("d", dir_fd=here.fd)
            write_file(here, "file", b"", RIGHTS)
            here = here.child("d")
        remove_tree(folder, "deep")
        assert names(tmp_path) == []

    def test_links_are_removed_and_never_followed(
        self, tmp_path: Path, folder: Directory, tree: Callable[[Path], object]
    ) -> None:
        (tmp_path / "outside" / "inner").mkdir(parents=True)
        (tmp_path / "outside" / "file").write_bytes(b"x")
        (tmp_path / "gone" / "sub").mkdir(parents=True)
        for place in ("gone/link", "gone/sub/link"):
            (tmp_path / place).symlink_to(tmp_path / "outside")
        (tmp_path / "top").symlink_to(tmp_path / "outside")
        before = tree(tmp_path / "outside")
        remove_tree(folder, "gone")
        with pytest.raises(NotADirectoryError):
            remove_tree(folder, "top")
        assert tree(tmp_path / "outside") == before
        assert names(tmp_path) == ["outside", "top"]

    def test_what_is_mounted_inside_stays(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "gone" / "mounted").mkdir(parents=True)
        (tmp_path / "gone" / "mounted" / "file").touch()
        monkeypatch.setattr(durable, "mount_of", lambda directory: Path(directory.path).name == "mounted")
        with pytest.raises(OSError, match="Invalid cross-device link"):
            remove_tree(folder, "gone")
        assert (tmp_path / "gone" / "mounted" / "file").exists()


def test_a_failing_fsync_is_final(tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel reports such an error once; asking again would get a false yes."""
    asked = []

    def fail(fd: int) -> None:
        asked.append(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"), staging(folder) as stage:
        write_file(stage, "x", b"x", RIGHTS)
    assert len(asked) == 1
    assert names(tmp_path) == []


def test_a_killed_writer_leaves_only_a_folder_whose_lock_is_free(
    tmp_path: Path, folder: Directory, in_child: Callable[[Callable[[], None]], int]
) -> None:
    def die() -> None:
        with staging(folder) as stage:
            write_file(stage, "x", b"x", RIGHTS)
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die) == signal.SIGKILL
    (name,) = names(tmp_path)
    left = folder.child(name)
    assert try_lock(left.fd) is True
    assert is_at(left.fd, name, folder)
