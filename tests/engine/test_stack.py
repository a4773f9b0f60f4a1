"""The layers of an image, read and laid on each other: the same wherever that is done, and out of the window's way."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine import stack
from engine.errors import BlobMissing, Cancelled, EngineError
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.stack import ReadImage, read_image
from tests.archives import END, file, header, layer
from tests.layouts import LayoutFiles


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def always_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is so little that it is read in this process."""
    monkeypatch.setattr(stack, "_FEW_BYTES", -1)
    monkeypatch.setattr(stack, "_FEW_ENTRIES", -1)


@pytest.fixture
def never_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this is to be read here")

    monkeypatch.setattr(stack, "apart", refuse)


def image(files: LayoutFiles) -> list[str]:
    """The layers of an image in which everything happens: changed, removed, linked, damaged and missing."""
    lower = file(b"etc/a", b"1") + file(b"etc/b", b"22") + file("usr/\udcff".encode("utf-8", "surrogateescape")) + END
    upper = file(b"etc/a", b"333") + file(b"etc/.wh.b") + header(b"etc/c", b"1", link=b"etc/a") + END
    cut = files.blob(file(b"last", bytes(600)) + END)
    path = files.file(cut)
    path.write_bytes(path.read_bytes()[:700])
    gone = files.blob(layer("gone"))
    files.file(gone).unlink()
    return [files.blob(lower)["digest"], files.blob(upper)["digest"], cut["digest"], gone["digest"]]


def told(read: ReadImage) -> list[object]:
    """All that an image that was read says."""
    tree = read.files.tree
    found: list[object] = [[tree.path(node) for node in range(len(tree))], read.files.columns.links]
    for number, each in enumerate(read.layers):
        view = read.files.view(number)
        found += [view.entries.tolist(), view.changes.tolist(), view.shown_sizes.tolist()]
        found += [
            each.entries,
            each.trouble,
            each.is_whole,
            each.kept,
            each.wasted,
            each.added,
            each.changed,
            each.removed,
        ]
        found += [type(each.error), str(each.error), each.table and each.table.diff_id]
    return found


def test_a_process_of_its_own_tells_the_same_as_this_one(
    files: LayoutFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = image(files)
    with ImageLayout.open(files.path) as store:
        here = read_image(store, digests, tmp_path / "one", Progress())
        monkeypatch.setattr(stack, "_FEW_BYTES", -1)
        progress = Progress()
        apart = read_image(store, digests, tmp_path / "two", progress)
        assert told(apart) == told(here)
        assert isinstance(apart.layers[3].error, BlobMissing)
        assert progress.drain() == [digests[2]], "the corrupt one"
        node = apart.files.tree.find(b"etc/c")
        entry = int(apart.files.at(3)[node])
        assert apart.contents.read(entry, Progress()).data == b"333", "what is in the files is read here"
        assert np.array_equal(apart.files.at(3), here.files.at(3))


def test_what_takes_no_time_is_read_here(files: LayoutFiles, cache: Path, never_apart: None) -> None:
    digests = image(files)
    with ImageLayout.open(files.path) as store:
        assert read_image(store, digests, cache, Progress()).layers[0].entries == 3


def test_what_is_remembered_is_read_here_unless_it_is_very_much(
    files: LayoutFiles, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = image(files)[:2]
    asked: list[Sequence[str]] = []
    really = stack.apart

    def note(work: object, store: ImageLayout, digests: Sequence[str], cache: Path, *, progress: Progress) -> object:
        asked.append(digests)
        return really(stack._read, store, digests, cache, progress=progress)

    monkeypatch.setattr(stack, "apart", note)
    monkeypatch.setattr(stack, "_FEW_BYTES", 0)
    with ImageLayout.open(files.path) as store:
        first = read_image(store, digests, cache, Progress())
        assert asked == [digests]
        again = read_image(store, digests, cache, Progress())
        assert asked == [digests]
        assert told(again) == told(first)
        monkeypatch.setattr(stack, "_FEW_ENTRIES", 5)
        read_image(store, digests, cache, Progress())
        assert asked == [digests, digests]


@pytest.mark.usefixtures("always_apart")
def test_the_store_that_is_open_is_read_wherever_its_folder_has_gone(files: LayoutFiles, cache: Path) -> None:
    digests = image(files)
    with ImageLayout.open(files.path) as store:
        files.path.rename(files.path.with_name("elsewhere"))
        files.path.mkdir()
        assert read_image(store, digests, cache, Progress()).layers[0].entries == 3


@pytest.mark.usefixtures("always_apart")
def test_it_stops_when_it_is_asked_to(files: LayoutFiles, cache: Path) -> None:
    progress = Progress()
    progress.cancel()
    with ImageLayout.open(files.path) as store, pytest.raises(Cancelled):
        read_image(store, image(files), cache, progress)


@pytest.mark.usefixtures("always_apart")
def test_a_process_that_is_killed_harms_nothing_and_is_told(
    files: LayoutFiles, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "_read", _die)
    with ImageLayout.open(files.path) as store:
        with pytest.raises(EngineError, match="ended without an answer"):
            read_image(store, image(files), cache, Progress())
        monkeypatch.undo()
        assert read_image(store, image(files), cache, Progress()).layers[0].entries == 3


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
