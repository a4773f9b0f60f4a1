"""What the watcher promises: to say that something changed, once, soon, and only when something did."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from engine import DockerImageStore, ImageLayout, Store, open_store
from gui import watching
from gui.jobs import JobRunner
from gui.watching import Sight, Watcher, look_at

Watch = Callable[[Path], Watcher]


def look(store: Store, *, at_each_blob: bool = False) -> Sight:
    return look_at(store.path, store.kind, store.blobs, at_each_blob=at_each_blob)


@pytest.fixture
def watch(qapp: QCoreApplication, runner: JobRunner) -> Iterator[Watch]:
    made: list[tuple[Watcher, Store]] = []

    def begin(path: Path) -> Watcher:
        store = open_store(path)
        watcher = Watcher(qapp, runner, str(path), lambda: look(store))
        watcher.note(look(store))
        made.append((watcher, store))
        return watcher

    yield begin
    for watcher, store in made:
        watcher.stop()
        store.close()
        shiboken6.delete(watcher)


def test_a_new_blob_is_noticed_within_a_second(qtbot: QtBot, watch: Watch, layout: Path) -> None:
    watcher = watch(layout)
    with qtbot.waitSignal(watcher.changed, timeout=1000):
        (layout / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"x")


def test_an_index_is_watched_also_after_it_was_replaced(qtbot: QtBot, watch: Watch, layout: Path) -> None:
    watcher = watch(layout)
    for number in range(3):
        new = layout / "index.json.new"
        new.write_bytes((layout / "index.json").read_bytes() + b" " * number)
        with qtbot.waitSignal(watcher.changed, timeout=1000):
            new.replace(layout / "index.json")


def test_the_first_algorithm_s_folder_is_found_when_it_appears(qtbot: QtBot, watch: Watch, tmp_path: Path) -> None:
    ImageLayout.create(tmp_path / "new").close()
    watcher = watch(tmp_path / "new")
    folder = tmp_path / "new" / "blobs" / "sha512"
    with qtbot.waitSignal(watcher.changed, timeout=1000):
        folder.mkdir()
    with qtbot.waitSignal(watcher.changed, timeout=1000):
        (folder / ("0" * 128)).write_bytes(b"x")


def test_docker_s_names_are_watched(qtbot: QtBot, watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "vfs" / "imagedb"
    path.parent.mkdir()
    DockerImageStore.create(path).close()
    watcher = watch(path)
    with qtbot.waitSignal(watcher.changed, timeout=4000):
        (path.parent / "repositories.json").write_text('{"Repositories":{}}')


def test_what_is_no_part_of_the_store_wakes_nobody(qtbot: QtBot, watch: Watch, layout: Path) -> None:
    watcher = watch(layout)
    with qtbot.assertNotEmitted(watcher.changed, wait=600):
        (layout / ".blobscope-0123456789abcdef").mkdir()
        (layout / "notes.txt").write_text("x")


def test_one_change_is_told_once(qtbot: QtBot, watch: Watch, layout: Path) -> None:
    watcher = watch(layout)
    told: list[None] = []
    watcher.changed.connect(lambda: told.append(None))
    (layout / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"x")
    qtbot.waitUntil(lambda: bool(told), timeout=2000)
    watcher.check()
    qtbot.wait(500)
    assert len(told) == 1


def test_a_watcher_that_was_stopped_says_nothing(qtbot: QtBot, watch: Watch, layout: Path) -> None:
    watcher = watch(layout)
    watcher.stop()
    with qtbot.assertNotEmitted(watcher.changed, wait=600):
        (layout / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"x")


def test_a_look_at_each_blob_sees_what_its_folder_does_not(layout: Path) -> None:
    with open_store(layout) as store:
        blob = next((layout / "blobs" / "sha256").iterdir())
        quick, thorough = look(store), look(store, at_each_blob=True)
        time.sleep(0.02)
        blob.write_bytes(blob.read_bytes())
        assert not look(store).differs(quick)
        assert look(store, at_each_blob=True).differs(thorough)
        assert not look(store).differs(thorough), "only what both have looked at is compared"


def test_a_store_that_is_gone_looks_different(layout: Path) -> None:
    with open_store(layout) as store:
        before = look(store)
        layout.rename(layout.with_name("elsewhere"))
        assert look(store).differs(before)


def test_a_very_large_folder_is_looked_at_and_not_watched(
    qtbot: QtBot, watch: Watch, layout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = layout / "blobs" / "sha256"
    size = folder.stat().st_size
    monkeypatch.setattr(watching, "LARGE", size - 1)
    watcher = watch(layout)
    watched = watcher._notifier.directories()
    assert str(folder) not in watched
    assert str(layout) in watched
    with qtbot.waitSignal(watcher.changed, timeout=1000):
        (folder / ("0" * 64)).write_bytes(b"x")
