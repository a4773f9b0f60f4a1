"""The bytes of a file come out of its layer, and whether they can be trusted is said."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contents import Contents
from engine.decompress import zstd
from engine.errors import BlobMissing, BlobUnreadable, Cancelled, EngineError, Refused, StoreChanged
from engine.filesystem import FileSystem
from engine.layers import read_tables
from engine.layout import ImageLayout
from engine.merging import merge
from engine.progress import Progress
from tests.archives import END, file, header, record
from tests.layouts import LayoutFiles

BIG = os.urandom(300_000) * 4


class Opened:
    """An image's layers, its merged file system and the contents of its files."""

    def __init__(self, store: ImageLayout, digests: list[str], verified: tuple[str, ...] = ()) -> None:
        self.store = store
        tables = list(read_tables(store.blobs, digests, Progress()).values())
        self.files: FileSystem = merge([table.listing for table in tables], Progress())
        self.contents = Contents(store.blobs, tables, self.files, verified)

    def entry(self, path: bytes) -> int:
        return int(self.files.at(self.files.layers - 1)[self.files.tree.find(path)])

    def read(self, path: bytes, **more: int) -> bytes:
        return self.contents.read(self.entry(path), Progress(), **more).data


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[LayoutFiles]:
    return LayoutFiles(tmp_path / "layout")


@pytest.fixture
def store(layout: LayoutFiles) -> Iterator[ImageLayout]:
    with ImageLayout.open(layout.path) as store:
        yield store


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_files_are_read_from_the_layers_that_have_them(layout, store, pack):
    first = layout.blob(pack(file(b"a", b"first") + file(b"big", BIG) + file(b"empty") + END))["digest"]
    second = layout.blob(pack(file(b"b", b"second") + header(b"c", b"1", link=b"big") + file(b"a", b"new") + END))[
        "digest"
    ]
    opened = Opened(store, [first, second])
    assert [opened.read(path) for path in (b"b", b"a", b"empty")] == [b"second", b"new", b""]
    assert opened.read(b"big", length=1 << 30) == opened.read(b"c", length=1 << 30) == BIG
    assert opened.read(b"c", offset=1_000_000, length=10) == BIG[1_000_000:1_000_010]
    assert opened.read(b"big", offset=len(BIG) - 3, length=100) == BIG[-3:]
    assert opened.read(b"big", offset=len(BIG) + 3) == b""
    assert opened.contents.size(opened.entry(b"c")) == len(BIG)
    assert b"".join(opened.contents.stream(opened.entry(b"c"), Progress())) == BIG
    opened.contents.close()


def test_what_is_read_from_the_file_that_was_hashed_is_verified(layout, store):
    digest = layout.blob(gzip.compress(file(b"a", b"first") + END))["digest"]
    opened = Opened(store, [digest])
    assert opened.contents.read(opened.entry(b"a"), Progress()).is_verified
    os.utime(layout.file(digest), (1, 1))
    assert not opened.contents.is_verified(0)
    assert Opened(store, [digest], (digest,)).contents.is_verified(0)


def test_the_files_of_a_corrupt_layer_can_be_seen_and_are_not_verified(layout, store):
    digest = layout.blob(file(b"a", b"first") + END)["digest"]
    layout.file(digest).write_bytes(file(b"a", b"other") + END)
    opened = Opened(store, [digest])
    piece = opened.contents.read(opened.entry(b"a"), Progress())
    assert (piece.data, piece.size, piece.is_verified) == (b"other", 5, False)


def test_only_files_have_content(layout, store):
    digest = layout.blob(
        header(b"d/", b"5")
        + header(b"l", b"2", link=b"d")
        + header(b"p", b"6")
        + header(b"h", b"1", link=b"nowhere")
        + file(b"x/PaxHeaders/s", record(b"GNU.sparse.realsize", b"5"), b"x")
        + file(b"s", b"12345")
        + END
    )["digest"]
    opened = Opened(store, [digest])
    for path in (b"d", b"l", b"p"):
        with pytest.raises(Refused, match="Only files"):
            opened.read(path)
    with pytest.raises(Refused, match="in no layer"):
        opened.read(b"h")
    with pytest.raises(Refused, match="sparse"):
        opened.read(b"s")
    with pytest.raises(Refused):
        opened.contents.size(-2)


def test_a_damaged_layer_says_so_and_what_is_before_the_damage_can_be_read(layout, store):
    packed = gzip.compress(file(b"a", b"first") + file(b"big", BIG) + END)
    digest = layout.blob(packed[: len(packed) // 2])["digest"]
    opened = Opened(store, [digest])
    assert opened.read(b"a") == b"first"
    with pytest.raises(BlobUnreadable, match="cannot be read up to there"):
        opened.read(b"big", length=1 << 30)
    plain = layout.blob(file(b"big", BIG)[:1000])["digest"]
    opened = Opened(store, [plain])
    with pytest.raises(BlobUnreadable, match="ends too early"):
        opened.read(b"big")


def test_a_layer_that_is_gone_or_another_one_by_now_says_so(layout, store):
    digest = layout.blob(file(b"a", b"first") + END)["digest"]
    opened = Opened(store, [digest])
    layout.file(digest).write_bytes(b"short")
    with pytest.raises(StoreChanged, match="no longer the file"):
        opened.read(b"a")
    layout.file(digest).unlink()
    with pytest.raises(BlobMissing):
        opened.read(b"a")


def test_a_layer_that_could_not_be_read_says_why(layout, store):
    digest = layout.blob(file(b"a", b"first") + END)["digest"]
    opened = Opened(store, [digest])
    failed: list[EngineError] = [BlobMissing("It is not there.")]
    with pytest.raises(BlobMissing, match="not there"):
        Contents(store.blobs, failed, opened.files).read(opened.entry(b"a"), Progress())


def test_the_last_answers_are_kept(layout, store, monkeypatch):
    digest = layout.blob(zstd.compress(file(b"a", b"first") + file(b"big", BIG) + END))["digest"]
    opened = Opened(store, [digest])
    opened.read(b"big")
    assert opened.read(b"a") == b"first"
    monkeypatch.setattr(opened.contents, "stream", None)
    assert opened.read(b"a") == b"first"


def test_many_layers_are_read_with_few_open(layout, store):
    digests = [layout.blob(file(b"f%d" % n, b"%d" % n) + END)["digest"] for n in range(10)]
    opened = Opened(store, digests)
    before = len(os.listdir("/proc/self/fd"))
    for n in range(10):
        assert opened.read(b"f%d" % n) == b"%d" % n
    assert len(os.listdir("/proc/self/fd")) <= before + 4
    opened.contents.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_reading_stops_when_it_is_asked_to(layout, store):
    digest = layout.blob(gzip.compress(file(b"big", BIG) + END))["digest"]
    opened = Opened(store, [digest])
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        opened.contents.read(opened.entry(b"big"), progress)
