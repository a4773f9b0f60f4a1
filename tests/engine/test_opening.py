"""Scanning from the beginning: the first rows come at once, and a large store is scanned apart, with the same result."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from engine import DockerImageStore, ImageLayout, Store, opening, scan
from engine.errors import Cancelled, EngineError
from engine.opening import scan_anew
from engine.progress import Progress
from engine.snapshot import STAGES, Snapshot
from tests.layouts import LayoutFiles


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """Images that share a layer, a name twice, a missing layer, a damaged manifest, a lost image, and strays."""
    files = LayoutFiles(tmp_path / "layout")
    shared = files.blob(b"shared")
    files.name(files.image(shared, b"one"), "one")
    files.name(files.image(shared, b"two"), "two")
    gone = files.blob(b"gone")
    files.name(files.image(gone, b"three"), "three")
    files.file(gone).unlink()
    damaged = files.image(b"four")
    files.name(damaged, "four")
    files.file(damaged).write_bytes(b"{")
    files.image(b"lost")
    (files.path / "blobs" / "sha256" / "stray").write_bytes(b"x")
    return files


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly everything is too much to be read in this process."""
    monkeypatch.setattr(opening, "_MOST", 5)


def told(snapshot: Snapshot) -> list[object]:
    """All that a snapshot says; how it numbers media types is its own affair."""
    facts = set(snapshot.columns.__struct_fields__) - {"media"}
    columns = [getattr(snapshot.columns, name).tolist() for name in sorted(facts)]
    edges = [getattr(snapshot.edges, name).tolist() for name in snapshot.edges.__struct_fields__]
    rows = range(len(snapshot))
    graph = [(snapshot.children(row), snapshot.parents(row), snapshot.total_size(row)) for row in rows]
    names = [(snapshot.name(row), snapshot.media_type(row), snapshot.document(row)) for row in rows]
    entries = [list(snapshot.entries), snapshot.roots, snapshot.lost(), set(snapshot.media_types), snapshot.stage]
    states = snapshot.states(np.zeros(len(snapshot), np.uint8))
    return [
        columns,
        edges,
        graph,
        names,
        entries,
        snapshot.store_kind,
        states.tolist(),
        snapshot.worst(states).tolist(),
    ]


def check(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Snapshot]:
    here = store.scan(Progress())
    monkeypatch.setattr(scan, "_FIRST_ROWS", 2)
    monkeypatch.setattr(opening, "_MOST", 5)
    published: list[Snapshot] = []
    apart = scan_anew(store, Progress(), published.append)
    assert told(apart) == told(here)
    again = store.scan(Progress(), None, apart)
    assert told(again) == told(here), "the next scan takes over from it what has not changed"
    return published


def test_a_layout_that_was_scanned_apart_is_told_like_any_other(
    files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ImageLayout.open(files.path) as store:
        published = check(store, monkeypatch)
    found = [(each.stage, len(each.entries), len(each.roots.descriptors)) for each in published]
    assert found[:2] == [("roots", 2, 2), ("roots", 4, 4)], "from here"
    assert found[2:] == [("graph", 4, 4)], "from there, where nothing is published that was so already"


def test_docker_s_store_that_was_scanned_apart_is_told_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DockerImageStore.create(tmp_path / "imagedb") as store:
        first = store.set(b'{"architecture":"amd64","os":"linux"}')
        for number in range(8):
            store.metadata.set(
                store.set(b'{"architecture":"arm64","os":"linux","author":"%d"}' % number), "parent", first.encode()
            )
        check(store, monkeypatch)


def test_a_small_store_is_scanned_here(files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "apart", None)
    with ImageLayout.open(files.path) as store:
        assert scan_anew(store, Progress(), lambda _: None).stage == "complete"


@pytest.mark.parametrize("most", [6, 9, 12, 15, 18, 21, 24])
def test_what_is_published_never_says_less_than_before(
    files: LayoutFiles, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(opening, "_MOST", most)
    monkeypatch.setattr(scan, "_FIRST_ROWS", 2)
    published: list[Snapshot] = []
    with ImageLayout.open(files.path) as store:
        scan_anew(store, Progress(), published.append)
    stages = [STAGES.index(each.stage) for each in published]
    assert stages == sorted(stages)
    assert [len(each.entries) for each in published] == sorted(len(each.entries) for each in published)


@pytest.mark.usefixtures("few")
def test_scanning_a_large_store_stops_when_it_is_asked_to(files: LayoutFiles) -> None:
    progress = Progress()
    with ImageLayout.open(files.path) as store, pytest.raises(Cancelled):
        scan_anew(store, progress, lambda _: progress.cancel())


@pytest.mark.usefixtures("few")
def test_a_process_that_is_killed_is_told(files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_scan", _die)
    with ImageLayout.open(files.path) as store, pytest.raises(EngineError, match="ended without an answer"):
        scan_anew(store, Progress(), lambda _: None)


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
