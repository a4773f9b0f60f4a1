"""Reaching files by handle: through no link, waiting for no pipe, leaving no trace."""

import errno
import os
import socket
from pathlib import Path

import pytest

from engine.directory import Directory, explained
from engine.errors import StorageFailed


class TestOpening:
    def test_links_are_followed_only_when_asked_for(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        with pytest.raises(NotADirectoryError):
            folder.child("link")
        followed = folder.child("link", follow=True)
        assert followed.linked
        assert not folder.child("real", follow=True).linked
        assert followed.is_at("real", folder)

    def test_a_link_to_a_file_is_no_folder(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "link").symlink_to("file")
        for name in ("file", "link"):
            with pytest.raises(NotADirectoryError):
                folder.child(name, follow=True)

    def test_only_regular_files_are_opened_and_nothing_waits(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "file").write_bytes(b"x")
        (tmp_path / "link").symlink_to("file")
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{folder.fd}/socket")
            for name, number in {
                "link": errno.ELOOP,
                "folder": errno.EINVAL,
                "pipe": errno.EINVAL,
                "socket": errno.ENXIO,
                "missing": errno.ENOENT,
            }.items():
                with pytest.raises(OSError) as raised:
                    folder.open_file(name)
                assert raised.value.errno == number
        os.close(folder.open_file("file"))

    def test_what_is_renamed_above_us_leads_nowhere_else(self, tmp_path: Path) -> None:
        (tmp_path / "store" / "sub").mkdir(parents=True)
        (tmp_path / "store" / "sub" / "file").write_bytes(b"ours")
        store = Directory.open(tmp_path / "store")
        (tmp_path / "store").rename(tmp_path / "moved")
        (tmp_path / "store" / "sub").mkdir(parents=True)
        (tmp_path / "store" / "sub" / "file").write_bytes(b"theirs")
        assert store.child("sub").read("file", 10)[0] == b"ours"


class TestReading:
    def test_a_file_over_the_limit_is_refused(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "file").write_bytes(b"12345")
        assert folder.read("file", 5)[0] == b"12345"
        with pytest.raises(OSError, match="File too large"):
            folder.read("file", 4)

    def test_looking_leaves_no_access_time_behind(self, tmp_path: Path, folder: Directory) -> None:
        """Promise 12."""
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "file").write_bytes(b"x")
        for path in (tmp_path / "sub" / "file", tmp_path / "sub"):
            os.utime(path, (1, 2))
        sub = folder.child("sub")
        assert sub.names() == ["file"]
        sub.read("file", 9)
        assert [path.stat().st_atime for path in (tmp_path / "sub", tmp_path / "sub" / "file")] == [1, 1]

    def test_what_belongs_to_others_is_read_all_the_same(
        self, tmp_path: Path, folder: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_bytes(b"x")
        really = os.open

        def strict(name: str, flags: int, *, dir_fd: int | None = None) -> int:
            if flags & os.O_NOATIME:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            return really(name, flags, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", strict)
        assert folder.read("file", 9)[0] == b"x"

    def test_two_can_scan_the_same_folder_at_once(self, tmp_path: Path, folder: Directory) -> None:
        for number in range(100):
            (tmp_path / str(number)).touch()
        with folder.scan() as first, folder.scan() as second:
            names = [(one.name, two.name) for one, two in zip(first, second, strict=True)]
        assert len(names) == 100


def test_what_the_system_refuses_becomes_a_sentence_with_a_remedy() -> None:
    """Promise 11."""
    with pytest.raises(StorageFailed) as raised, explained("Writing", "/x/y"):
        raise OSError(errno.ENOSPC, "whatever")
    assert str(raised.value) == "Writing /x/y failed: No space left on device."
    assert raised.value.place == "/x/y"
    assert raised.value.remedy == "Free some space on that disk and try again."


def test_a_folder_is_closed_when_nobody_refers_to_it(tmp_path: Path) -> None:
    directory = Directory.open(tmp_path)
    fd = directory.fd
    child = directory
    del directory
    os.fstat(fd)
    del child
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
