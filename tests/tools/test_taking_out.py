"""Taking things out onto real disks that are full, read-only, or somebody else's: it is told, and nothing half is left."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import ImageLayout, Progress, StorageFailed
from engine.errors import Refused
from engine.extracting import Extraction, extract, save_blob
from engine.pathtree import ROOT
from tests.archives import END, file
from tests.engine.test_contents import Opened
from tests.layouts import LayoutFiles, sha256
from tests.tools._mounts import apart, become_nobody, make_read_only, mount_memory

LARGE = bytes(range(256)) * 8192
MANY = b"".join(file(b"usr/%03d/file" % n, b"x") for n in range(400)) + END
FEW = file(b"usr/one", b"1") + file(b"usr/two", b"2") + END


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    disk = tmp_path / "disk"
    disk.mkdir()
    return disk


def take_out(files: LayoutFiles, layer: bytes, target: Path) -> Extraction:
    with ImageLayout.open(files.path) as store:
        opened = Opened(store, [sha256(layer)])
        return extract(opened.contents, opened.files, opened.files.view(0), [ROOT], target, Progress())


def save(files: LayoutFiles, target: Path) -> Path:
    with ImageLayout.open(files.path) as store:
        return save_blob(store.blobs, sha256(LARGE), "large.bin", target, Progress())


def fails(work: Callable[[], object], reason: str) -> None:
    with pytest.raises(StorageFailed) as raised:
        work()
    assert str(raised.value).endswith(f"{reason}.")


@pytest.mark.parametrize("room", ["size=1m,mode=755", "size=64m,nr_inodes=300,mode=755"], ids=["bytes", "names"])
def test_a_disk_that_fills_up_on_the_way_is_left_as_it_was(files: LayoutFiles, disk: Path, room: str) -> None:
    files.blob(MANY)

    def work() -> None:
        mount_memory(disk, room)
        (disk / "mine").write_text("mine")
        fails(lambda: take_out(files, MANY, disk), "No space left on device")
        assert [path.name for path in disk.iterdir()] == ["mine"]

    apart(work)


def test_what_is_too_large_for_a_disk_is_not_begun(files: LayoutFiles, disk: Path) -> None:
    layer = file(b"large", LARGE) + END
    files.blob(layer)

    def work() -> None:
        mount_memory(disk, "size=1m,mode=755")
        with pytest.raises(Refused, match=r"This would be 2,097,152 bytes; at most [0-9,]+ are free there\."):
            take_out(files, layer, disk)
        assert list(disk.iterdir()) == []

    apart(work)


def test_a_blob_that_does_not_fit_leaves_nothing(files: LayoutFiles, disk: Path) -> None:
    files.blob(LARGE)

    def work() -> None:
        mount_memory(disk, "size=1m,mode=755")
        fails(lambda: save(files, disk), "No space left on device")
        assert list(disk.iterdir()) == []

    apart(work)


@pytest.mark.parametrize("layer", [FEW, MANY], ids=["few", "many"])
def test_a_read_only_disk_is_told_as_such(files: LayoutFiles, disk: Path, layer: bytes) -> None:
    files.blob(layer)
    files.blob(LARGE)

    def work() -> None:
        make_read_only(disk)
        fails(lambda: take_out(files, layer, disk), "Read-only file system")
        fails(lambda: save(files, disk), "Read-only file system")
        assert list(disk.iterdir()) == []

    apart(work)


def test_a_folder_of_somebody_else_is_told_as_such(files: LayoutFiles, disk: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can go on as somebody else")
    files.blob(FEW)

    for folder in disk.parents:
        if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)

    def work() -> None:
        with ImageLayout.open(files.path) as store:
            opened = Opened(store, [sha256(FEW)])
            become_nobody()
            fails(
                lambda: extract(opened.contents, opened.files, opened.files.view(0), [ROOT], disk, Progress()),
                "Permission denied",
            )
            assert list(disk.iterdir()) == []

    apart(work)


def test_what_comes_out_elsewhere_than_the_store_lies_is_whole(files: LayoutFiles, disk: Path) -> None:
    """A name can only be given within one disk, so it is put together on the one where it will be."""
    files.blob(FEW)

    def work() -> None:
        mount_memory(disk, "size=1m,mode=755")
        made = take_out(files, FEW, disk)
        assert made.placed == [disk / "files"]
        assert (disk / "files/usr/two").read_bytes() == b"2"

    apart(work)
