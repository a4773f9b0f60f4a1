"""A look at a store claims no more than was looked at."""

import gzip
import os
from pathlib import Path

import pytest

from engine.checkup import check_up
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.report import Checked
from tests.archives import layer
from tests.layouts import LAYER, LayoutFiles, sha256


def checked(files: LayoutFiles) -> Checked:
    with ImageLayout.open(files.path) as layout:
        return check_up(layout, Progress(), deep=True)[1]


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(layer("a"), layer("b")), "app:1")
    return files


def test_everything_was_looked_at_where_everything_can_be(files: LayoutFiles) -> None:
    assert checked(files).was_not == ""


def test_a_blob_that_nobody_can_hash_was_not_compared(files: LayoutFiles) -> None:
    files.blob(b"elsewhere")
    folder = files.path / "blobs" / "blake3"
    folder.mkdir()
    (folder / ("0" * 64)).write_bytes(b"?")
    found = checked(files)
    assert found.blobs - found.hashed == 1
    assert found.was_not == "The other one was not hashed."


def test_a_layer_of_an_unknown_type_was_not_read(files: LayoutFiles) -> None:
    files.name(files.image(files.blob(b"secret", f"{LAYER}+encrypted")), "app:2")
    assert checked(files).was_not == "One layer was not read to its end."


def test_a_layer_that_the_disk_cannot_read_was_neither_hashed_nor_read(
    files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    sector = files.file(sha256(layer("b"))).stat().st_ino
    read = os.read

    def read_but_bad(handle: int, size: int) -> bytes:
        if os.fstat(handle).st_ino == sector:
            raise OSError(5, os.strerror(5))
        return read(handle, size)

    monkeypatch.setattr(os, "read", read_but_bad)
    assert checked(files).was_not == "The other one was not hashed and one layer was not read to its end."


def test_a_layer_that_is_cut_was_not_read_to_its_end(files: LayoutFiles) -> None:
    packed = gzip.compress(layer("c"))
    files.name(files.image(files.blob(packed[:-20], f"{LAYER}+gzip")), "app:2")
    assert checked(files).was_not == "One layer was not read to its end."
