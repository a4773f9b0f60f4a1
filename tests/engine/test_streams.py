"""Content on its way into a store: every byte, in order, whatever kind of stream it comes from."""

import errno
import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from engine import streams
from engine.digest import Digest
from engine.errors import Cancelled, SizeMismatch, StorageFailed
from engine.progress import Progress
from engine.streams import VerifiedReader, hash_file, receive

CONTENT = hashlib.shake_128(b"seed").digest(700_001)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of several chunks."""
    monkeypatch.setattr(streams, "_CHUNK", 100_000)
    monkeypatch.setattr(streams, "BLOCK", 30_000)
    (tmp_path / "source").write_bytes(CONTENT)
    return tmp_path / "source"


def received(stream: BinaryIO, target: int, limit: int | None = None) -> bytes:
    """What arrives; its length and digest are those that are told."""
    hasher, progress = hashlib.sha256(), Progress()
    length = receive(stream, target, hasher, limit, progress)
    content = os.pread(target, 1 << 24, 0)
    assert (length, progress.done) == (len(content), len(content))
    assert hasher.digest() == hashlib.sha256(content).digest()
    return content


class TestReceiving:
    @pytest.mark.parametrize("buffering", [-1, 0])
    def test_a_file_arrives_whole_and_has_been_read_to_its_end(self, source: Path, target: int, buffering: int) -> None:
        with source.open("rb", buffering) as stream:
            assert received(stream, target) == CONTENT
            assert stream.read() == b""

    def test_what_was_read_of_a_stream_before_is_left_out(self, source: Path, target: int) -> None:
        with source.open("rb") as stream:
            assert stream.read(10) == CONTENT[:10]
            assert received(stream, target) == CONTENT[10:]

    def test_a_decompressing_stream_gives_what_it_decompresses(self, tmp_path: Path, source: Path, target: int) -> None:
        (tmp_path / "source.gz").write_bytes(gzip.compress(CONTENT))
        with gzip.open(tmp_path / "source.gz") as stream:
            assert received(stream, target) == CONTENT

    def test_a_member_of_an_archive_gives_only_itself(self, tmp_path: Path, source: Path, target: int) -> None:
        with tarfile.open(tmp_path / "archive.tar", "w") as archive:
            archive.add(source, "member")
        with tarfile.open(tmp_path / "archive.tar") as archive:
            stream = archive.extractfile("member")
            assert stream is not None
            with stream:
                assert received(stream, target) == CONTENT

    def test_a_stream_in_memory(self, target: int) -> None:
        assert received(io.BytesIO(CONTENT), target) == CONTENT

    @pytest.mark.parametrize("at", [1, 2, 5])
    def test_where_the_kernel_does_not_copy_it_is_read_and_written(
        self, source: Path, target: int, monkeypatch: pytest.MonkeyPatch, at: int
    ) -> None:
        really, calls = os.sendfile, []

        def refuse(*arguments: Any) -> int:
            calls.append(arguments)
            if len(calls) == at:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            return really(*arguments)

        monkeypatch.setattr(os, "sendfile", refuse)
        with source.open("rb") as stream:
            assert received(stream, target) == CONTENT
        assert len(calls) == at

    def test_a_full_disk_is_told_by_the_writing(
        self, source: Path, target: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "sendfile", full)
        monkeypatch.setattr(os, "write", full)
        with source.open("rb") as stream, pytest.raises(OSError, match="No space left"):
            received(stream, target)

    def test_a_source_that_cannot_be_read_is_told_by_the_reading(
        self, source: Path, target: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "sendfile", broken)

        class Broken(io.FileIO):
            readinto = broken

        with Broken(source) as stream, pytest.raises(StorageFailed, match=r"Reading .*source failed: Input/output"):
            received(stream, target)

    @pytest.mark.parametrize("limit", [0, len(CONTENT) - 1])
    def test_more_than_announced_is_refused(self, source: Path, target: int, limit: int) -> None:
        with source.open("rb") as stream, pytest.raises(SizeMismatch, match="longer than"):
            received(stream, target, limit)

    def test_as_much_as_announced_is_fine(self, source: Path, target: int) -> None:
        with source.open("rb") as stream:
            assert received(stream, target, len(CONTENT)) == CONTENT

    def test_a_stream_that_has_nothing_yet_is_not_taken_for_ended(self, target: int) -> None:
        read, write = os.pipe()
        os.set_blocking(read, False)
        with open(read, "rb", 0) as stream, pytest.raises(StorageFailed, match="temporarily unavailable"):
            received(stream, target)
        os.close(write)


def test_a_file_is_hashed_to_its_end(source: Path) -> None:
    digest = Digest("sha512:" + hashlib.sha512(CONTENT).hexdigest())
    with source.open("rb") as stream:
        assert hash_file(stream.fileno(), digest) == digest
        assert stream.tell() == 0


def test_hashing_can_be_stopped(source: Path) -> None:
    progress = Progress()
    progress.cancel()
    with source.open("rb") as stream, pytest.raises(Cancelled):
        hash_file(stream.fileno(), Digest("sha256:" + "0" * 64), progress)


def test_a_closed_reader_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(CONTENT)
    (tmp_path / "other").write_bytes(CONTENT)
    fd = os.open(tmp_path / "blob", os.O_RDONLY)
    reader = VerifiedReader(fd, Digest("sha256:" + hashlib.sha256(CONTENT).hexdigest()))
    reader.close()
    other = os.open(tmp_path / "other", os.O_RDONLY)  # gets the number that has become free
    try:
        assert other == fd
        with pytest.raises(ValueError, match="closed"):
            reader.read(1)
    finally:
        os.close(other)
