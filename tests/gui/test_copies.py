"""Copies for other programs: only this user can get at them, and they stay until the program ends."""

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.directory import Directory
from engine.durable import MARK_NAME, staging
from engine.errors import StorageFailed
from gui.copies import Copies


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def copies(temporary: Path) -> Iterator[Copies]:
    copies = Copies()
    yield copies
    copies.remove()


def test_nothing_is_made_before_it_is_wanted(copies: Copies, temporary: Path) -> None:
    assert not copies.are_there
    assert not copies.has(temporary)
    copies.remove()
    assert list(temporary.iterdir()) == []


def test_each_time_there_is_a_folder_of_its_own_that_nobody_else_can_enter(copies: Copies, temporary: Path) -> None:
    one, other = copies.new_folder(), copies.new_folder()
    assert one != other
    for folder in (one, other, one.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert copies.are_there
    assert copies.has(one / "file")
    assert not copies.has(temporary / "file")


def test_they_all_go_at_the_end(copies: Copies, temporary: Path) -> None:
    folder = copies.new_folder()
    (folder / "etc/deep").mkdir(parents=True)
    (folder / "etc/deep/file").write_text("x")
    (folder / "etc/deep/file").chmod(0o400)
    (folder / "link").symlink_to("/etc")
    copies.remove()
    assert list(temporary.iterdir()) == []
    assert Path("/etc").is_dir()


def test_one_of_them_can_go_before_and_nothing_else(copies: Copies, temporary: Path) -> None:
    one, other = copies.new_folder(), copies.new_folder()
    (one / "deep").mkdir()
    (one / "deep/file").write_text("x")
    (temporary / "notes").mkdir()
    for folder in (one, one, temporary / "notes"):
        copies.discard(folder)
    assert not one.exists()
    assert other.is_dir()
    assert (temporary / "notes").is_dir()


def test_what_a_killed_program_left_goes_and_what_a_living_one_has_stays(copies: Copies, temporary: Path) -> None:
    dead = temporary / f".blobscope-{'0' * 16}"
    (dead / "1234").mkdir(parents=True)
    (dead / "1234/file").write_text("x")
    (dead / MARK_NAME).touch()
    (temporary / ".blobscope-notes").mkdir()
    (temporary / f".blobscope-{'1' * 16}").symlink_to("/etc")
    with staging(Directory.open(temporary), is_marked=True) as living:
        copies.new_folder()
        assert Path(living.path).is_dir()
    assert not dead.exists()
    assert (temporary / ".blobscope-notes").is_dir()
    assert (temporary / f".blobscope-{'1' * 16}").is_symlink()


def test_where_there_is_no_temporary_folder_it_is_told(copies: Copies, temporary: Path) -> None:
    temporary.rmdir()
    with pytest.raises(StorageFailed, match="No such file or directory"):
        copies.new_folder()
