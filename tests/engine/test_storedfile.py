"""What reading a stored file in parts promises: these very bytes, or a sentence, whatever becomes of the file."""

import os
import shutil
from pathlib import Path

import pytest

from engine.docker import DockerImageStore
from engine.errors import BlobMissing, BlobUnreadable, InvalidDigest, StorageFailed, StoreChanged
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.storedfile import StoredFile

CONTENT = bytes(range(256)) * 10


def look_at(layout: ImageLayout | DockerImageStore, place: str) -> StoredFile:
    return StoredFile(lambda: layout.open_file(place), place)


@pytest.fixture
def blob(layout: ImageLayout) -> tuple[StoredFile, Path]:
    digest = layout.blobs.put(CONTENT).digest
    return look_at(layout, digest), layout.path / "blobs" / digest.replace(":", "/")


def test_any_part_is_exactly_what_is_stored(blob: tuple[StoredFile, Path]) -> None:
    file, _ = blob
    assert file.size == len(CONTENT)
    for offset, length in ((0, 10), (250, 10), (0, len(CONTENT)), (2555, 10), (2560, 10), (9999, 1), (5, 0)):
        assert file.read(offset, length) == CONTENT[offset : offset + length]


def test_an_empty_file_has_no_bytes(layout: ImageLayout) -> None:
    file = look_at(layout, layout.blobs.put(b"").digest)
    assert (file.size, file.read(0, 10)) == (0, b"")
    assert file.data_ranges(Progress()) == []


def test_files_that_are_no_blobs_are_read_too(layout: ImageLayout) -> None:
    blobs = layout.path / "blobs"
    (blobs / "sha256" / "left.tmp").write_bytes(b"half")
    (blobs / "README").write_bytes(b"readme")
    (blobs / "sha256" / os.fsdecode(b"\xff.tmp")).write_bytes(b"strange")
    assert look_at(layout, "sha256/left.tmp").read(0, 9) == b"half"
    assert look_at(layout, "./README").read(0, 9) == b"readme"
    assert look_at(layout, os.fsdecode(b"sha256/\xff.tmp")).read(0, 9) == b"strange"
    assert look_at(layout, "index.json").read(0, 1) == b"{"
    assert look_at(layout, "oci-layout").read(0, 1) == b"{"


def test_content_of_docker_is_read(docker: DockerImageStore) -> None:
    digest = docker.blobs.put(b"{}").digest
    assert look_at(docker, digest).read(0, 9) == b"{}"
    with pytest.raises(InvalidDigest):
        look_at(docker, "index.json")


def test_a_file_that_vanishes_says_so(blob: tuple[StoredFile, Path]) -> None:
    file, path = blob
    path.unlink()
    with pytest.raises(BlobMissing, match="is not in the store"):
        file.read(0, 10)


@pytest.mark.parametrize("harm", ["shorter", "longer", "another", "rewritten"])
def test_a_file_that_changes_is_never_mixed_with_what_it_was(blob: tuple[StoredFile, Path], harm: str) -> None:
    file, path = blob
    before = path.stat()
    path.chmod(0o644)
    if harm == "shorter":
        os.truncate(path, 100)
    elif harm == "longer":
        os.truncate(path, 1 << 20)
    elif harm == "another":
        shutil.copy2(path, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
    else:
        path.write_bytes(CONTENT[::-1])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(StoreChanged, match="no longer the file that was read before"):
        file.read(0, 10)


@pytest.mark.parametrize("what", ["folder", "link", "pipe"])
@pytest.mark.parametrize("stray", [False, True])
def test_what_is_no_regular_file_is_refused_in_a_sentence(layout: ImageLayout, what: str, stray: bool) -> None:
    place = "sha256/x.tmp" if stray else f"sha256:{'0' * 64}"
    path = layout.path / "blobs" / place.replace(":", "/")
    make = {"folder": os.mkdir, "link": lambda path: Path(path).symlink_to("/etc/passwd"), "pipe": os.mkfifo}
    make[what](path)
    with pytest.raises(BlobUnreadable, match="is not a regular file"):
        look_at(layout, place)


def test_what_is_not_there_and_what_cannot_be_a_name_are_sentences(layout: ImageLayout) -> None:
    with pytest.raises(BlobMissing):
        look_at(layout, "sha256/nothing.tmp")
    with pytest.raises(BlobMissing):
        look_at(layout, "none/nothing.tmp")
    with pytest.raises(InvalidDigest):
        look_at(layout, "nothing")


def test_no_way_leads_out_of_the_blobs(layout: ImageLayout) -> None:
    (layout.path / "secret").write_text("secret")
    for place in ("../secret", "./../secret", "sha256/../../secret"):
        with pytest.raises(BlobMissing):
            look_at(layout, place)


def test_without_permission_it_is_a_sentence(as_nobody, tmp_path: Path) -> None:
    with ImageLayout.create(tmp_path / "layout") as layout:
        digest = layout.blobs.put(CONTENT).digest
        stray = layout.path / "blobs" / "sha256" / "x.tmp"
        stray.touch()
        for path in (stray, layout.path / "blobs" / digest.replace(":", "/")):
            path.chmod(0)

        def look() -> None:
            with pytest.raises(BlobUnreadable, match="Permission denied"):
                look_at(layout, digest)
            with pytest.raises(StorageFailed, match="Permission denied"):
                look_at(layout, "sha256/x.tmp")

        as_nobody(layout.path, look)


def test_the_far_end_of_a_sparse_file_is_read_at_once(layout: ImageLayout) -> None:
    path = layout.path / "blobs" / "sha256" / "large.tmp"
    size = 100 << 30
    with path.open("wb") as large:
        large.truncate(size)
        large.seek(50 << 30)
        large.write(b"here")
    file = look_at(layout, "sha256/large.tmp")
    assert file.read(size - 4, 100) == bytes(4)
    assert file.read((50 << 30) - 1, 6) == b"\0here\0"
    ranges = file.data_ranges(Progress())
    assert all(start <= 50 << 30 < end for start, end in ranges)
    assert sum(end - start for start, end in ranges) in (4096, size), "one block, or nobody tells"
