"""Opening a store: by argument, dialog, drop, recent list and demo; and what is said when that cannot be."""

import argparse
import os
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QFileDialog, QPushButton

from engine import DockerImageStore, ImageLayout, open_store, opening
from engine.sample import make_sample
from gui import launch
from gui.app import parse
from gui.settings import Settings
from tests.journeys.conftest import Driver, digest_of


def wanted(*arguments: str) -> argparse.Namespace:
    return parse(arguments)


def test_the_start_page_teaches_and_leads_on(driver: Driver) -> None:
    window = driver.window
    assert window.page is None
    assert window.start.isVisible()
    assert window.windowTitle() == "Blobscope"
    words = {button.text() for button in window.start.findChildren(QPushButton)}
    assert {"Open folder…", "New layout…", "Try the demo"} <= words


@pytest.mark.parametrize("way", ["argument", "menu", "key", "button", "drop", "paste", "recent"])
def test_a_layout_opens_every_way(
    driver: Driver, sample: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(sample))
    match way:
        case "argument":
            launch.open_wanted(driver.window, wanted(str(sample)))
        case "menu":
            driver.menu("File", "Open folder")
        case "key":
            driver.key(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
        case "button":
            driver.press("Open folder")
        case "drop":
            assert driver.drop(sample) == "Open sample-layout"
        case "paste":
            from PySide6.QtCore import QMimeData
            from PySide6.QtGui import QGuiApplication

            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(sample))])
            QGuiApplication.clipboard().setMimeData(data)
            driver.key(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        case "recent":
            settings.add_recent(sample)
            driver.window.start.show_recents(settings.recents())
            driver.press("sample-layout")
    page = driver.until_known()
    assert page.session.path == sample
    assert driver.window.windowTitle() == "sample-layout — Blobscope"
    assert "example.org/web:1.0" in driver.names
    assert [recent.path for recent in settings.recents()] == [str(sample)]


def test_several_stores_open_in_tabs_and_one_twice_only_once(driver: Driver, tmp_path: Path) -> None:
    stores = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        stores.append(make_sample(tmp_path / name))
    launch.open_wanted(driver.window, wanted(*map(str, stores), "--view", "blobs"))
    driver.until(lambda: driver.window.tabs.count() == 2)
    driver.open(stores[0])
    assert driver.window.tabs.count() == 2
    assert driver.page.session.path == stores[0]
    driver.key(Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert driver.page.session.path == stores[1]
    driver.key(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: driver.window.tabs.count() == 1)
    driver.key(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    driver.until(lambda: driver.window.tabs.count() == 2)
    assert driver.page.session.path == stores[1]


def test_tabs_stand_in_the_order_in_which_their_stores_were_asked_for(driver: Driver, tmp_path: Path) -> None:
    stores = driver.window.stores
    opened = []
    for number in (3, 1, 2):  # in the order in which the disks answer
        path = tmp_path / str(number)
        ImageLayout.create(path).close()
        stores._adopt(open_store(path), number, lambda session: opened.append(driver.window.tabs.page_of(session)))
    assert [page.session.name for page in driver.window.tabs.pages()] == ["1", "2", "3"]
    assert driver.page.session.name == "3", "what opens late took the front"
    assert [page.session.number for page in opened] == [3, 1, 2]
    driver.open(tmp_path / "1")
    assert driver.page.session.name == "1", "what is asked for again comes to the front"


def test_the_first_window_fits_the_screen(driver: Driver) -> None:
    room = driver.window.screen().availableSize()
    assert driver.window.frameSize().boundedTo(room) == driver.window.frameSize()


def test_the_last_tab_gives_way_to_the_start_page(driver: Driver, sample: Path) -> None:
    driver.open(sample)
    driver.menu("File", "Close tab")
    assert driver.window.page is None
    assert driver.window.start.isVisible()
    assert driver.window.windowTitle() == "Blobscope"


@pytest.mark.parametrize(
    ("select", "shown"),
    [("example.org/web:1.1", "example.org/web:1.1"), ("example.org/tool:2.0", "example.org/tool:2.0")],
)
def test_a_name_on_the_command_line_is_selected(driver: Driver, sample: Path, select: str, shown: str) -> None:
    launch.open_wanted(driver.window, wanted(str(sample), "--select", select))
    page = driver.until_known()
    driver.until(lambda: page.selection is not None)
    assert page.selection is not None
    assert page.session.snapshot is not None
    assert page.selection.entry_position is not None
    assert page.session.snapshot.entries[page.selection.entry_position].names == (shown,)


def test_a_digest_on_the_command_line_is_selected_and_a_wrong_one_is_told(driver: Driver, sample: Path) -> None:
    with ImageLayout.open(sample) as layout:
        digest = str(layout.blobs.put(b"find me").digest)
    launch.open_wanted(driver.window, wanted(str(sample), "--view", "blobs", "--select", digest))
    page = driver.until_known()
    driver.until(lambda: page.selection is not None)
    assert page.selection is not None
    assert page.selection.digest == digest
    page.select_when_known("nothing:1")
    driver.message("There is no nothing:1 in sample-layout.")


def test_verify_on_the_command_line_hashes_everything(driver: Driver, sample: Path) -> None:
    launch.open_wanted(driver.window, wanted(str(sample), "--verify"))
    driver.message("2 blobs are not what their digests name")


def test_the_demo_opens_and_shows_every_state(driver: Driver, settings: Settings) -> None:
    launch.open_wanted(driver.window, wanted("--demo"))
    page = driver.until_known()
    assert {state.name for state in page.session.counts} >= {"MISSING", "SIZE_DIFFERS", "LOST", "UNUSED", "JUNK"}
    assert settings.recents() == [], "the demo is gone tomorrow"


def test_docker_s_store_opens_with_its_images(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "image" / "overlay2" / "imagedb"
    path.parent.mkdir(parents=True)
    with DockerImageStore.create(path) as store:
        store.set(
            b'{"architecture":"amd64","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[]}}'
        )
    driver.window.open(tmp_path)
    page = driver.until_known()
    assert not page.session.is_layout
    assert page.images.model.total == 1
    assert not driver.window.commands.actions["rename"].isEnabled()
    assert driver.window.windowTitle() == "Docker images (overlay2) — Blobscope"


def test_docker_s_other_storage_drivers_are_offered(driver: Driver, tmp_path: Path) -> None:
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    for name, images in (("overlay2", 2), ("vfs", 1)):
        (tmp_path / "image" / name).mkdir(parents=True)
        with DockerImageStore.create(tmp_path / "image" / name / "imagedb") as store:
            for number in range(images):
                store.set(config + b" " * number)
    driver.window.open(tmp_path)
    driver.message("Docker has another image store here, of its storage driver vfs.")
    driver.press("Open it too")
    driver.until(lambda: driver.window.tabs.count() == 2)


def test_a_new_layout_is_made_and_opened(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fresh"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
    driver.menu("File", "New layout")
    page = driver.until_known()
    assert page.session.path == path
    assert (path / "oci-layout").exists()


def test_a_new_layout_takes_nobody_s_place(driver: Driver, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(sample), ""))
    before = sorted(path.name for path in sample.iterdir())
    driver.menu("File", "New layout")
    driver.message("sample-layout")
    assert driver.window.page is None
    assert sorted(path.name for path in sample.iterdir()) == before


@pytest.mark.parametrize("way", ["argument", "drop"])
def test_a_wrong_folder_is_told_with_what_was_looked_for_and_found(driver: Driver, tmp_path: Path, way: str) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "beach.jpg").write_bytes(b"")
    if way == "argument":
        driver.window.open(folder)
    else:
        driver.drop(folder)
    driver.message("holiday is neither an OCI image layout nor Docker's image store: looked for oci-layout, index.json")
    driver.message("found beach.jpg.")
    assert driver.window.page is None


def test_a_path_where_nothing_is_is_told(driver: Driver, tmp_path: Path) -> None:
    driver.window.open(tmp_path / "gone")
    driver.message(f"There is nothing at {tmp_path / 'gone'}.")


def test_a_store_that_is_gone_leaves_the_recent_list(driver: Driver, tmp_path: Path, settings: Settings) -> None:
    settings.add_recent(tmp_path / "gone")
    driver.window.open(tmp_path / "gone")
    driver.until(lambda: driver.window.messages.messages)
    assert settings.recents() == []


def test_recent_stores_can_be_pinned_and_forgotten(driver: Driver, tmp_path: Path, settings: Settings) -> None:
    for name in ("a", "b"):
        settings.add_recent(tmp_path / name)
    start = driver.window.start
    start.show_recents(settings.recents())
    start.pin_asked.emit(tmp_path / "a", True)
    assert [Path(recent.path).name for recent in settings.recents()] == ["a", "b"]
    start.remove_asked.emit(tmp_path / "b")
    assert [Path(recent.path).name for recent in settings.recents()] == ["a"]


def test_what_was_open_is_open_at_the_next_start(driver: Driver, sample: Path) -> None:
    driver.open(sample)
    driver.window.stores.remember(driver.window.stores.sessions)
    driver.menu("File", "Close tab")
    launch.open_wanted(driver.window, wanted())
    assert driver.until_known().session.path == sample


def test_a_large_store_which_is_scanned_apart_opens_and_lives_like_any_other(
    driver: Driver, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.open(sample)
    names, counts = driver.names, dict(driver.page.session.counts)
    driver.menu("File", "Close tab")
    monkeypatch.setattr(opening, "_MOST", 3)
    page = driver.open(sample)
    assert driver.names == names
    assert page.session.counts == counts
    (sample / "blobs" / "sha256" / digest_of(b"new").partition(":")[2]).write_bytes(b"new")
    driver.message("1 blob added")
    driver.select_blob(digest_of(b"new"))


def test_closing_a_store_ends_the_process_that_scans_it(
    driver: Driver, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "scanning"
    monkeypatch.setenv("MARK", str(mark))
    monkeypatch.setattr(opening, "_MOST", 3)
    monkeypatch.setattr(opening, "_scan", scan_for_ever)
    driver.window.open(sample)
    driver.until(lambda: mark.exists() and mark.read_text())
    driver.menu("File", "Close tab")
    driver.until(lambda: not Path(f"/proc/{mark.read_text()}").exists())
    assert driver.window.page is None


def scan_for_ever(*_: object) -> None:
    Path(os.environ["MARK"]).write_text(str(os.getpid()))
    time.sleep(600)
