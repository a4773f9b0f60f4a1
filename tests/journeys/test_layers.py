"""Looking into an image: its layers, and its files at each of them, by mouse and by keyboard; also where layers are broken."""

import gzip
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QTabBar

from engine import stack
from engine.progress import Progress
from engine.store import Store
from gui.models.file_cells import Column
from gui.models.file_tree import FileTree
from gui.panels.inspector import Inspector
from gui.panels.places import FILES, LAYERS, OVERVIEW
from tests.archives import END, file
from tests.journeys.conftest import Driver
from tests.layouts import LAYER, LayoutFiles

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
BASE = file(b"etc/passwd", b"root") + file(b"etc/motd", b"hello") + file(b"usr/bin/tool", bytes(5000)) + END
TOP = file(b"etc/passwd", b"root:x") + file(b"etc/.wh.motd") + file(b"srv/app.py", b"print(1)") + END
STEPS = [{"created_by": "ADD base /"}, {"created_by": "ENV A=1", "empty_layer": True}, {"created_by": "COPY app /srv"}]


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout with an image of two layers, and one that has its lower layer, too."""
    files = LayoutFiles(tmp_path / "layout")
    lower = files.blob(gzip.compress(BASE), f"{LAYER}+gzip")
    files.name(files.image(lower, TOP, config={"history": STEPS}), "app:1.0")
    files.name(files.image(lower, config={"history": STEPS[:1]}), "base:1.0")
    return files


def click_tab(driver: Driver, inspector: Inspector, tab: int) -> None:
    bar = inspector.tabs.findChild(QTabBar)
    assert bar is not None
    driver.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(tab).center())
    assert inspector.tabs.currentIndex() == tab


def tree_of(driver: Driver, inspector: Inspector) -> FileTree:
    driver.until(lambda: inspector.tabs.files.model is not None and inspector.tabs.files.model.wish is not None)
    assert inspector.tabs.files.model is not None
    return inspector.tabs.files.model


def rows(tree: FileTree, parent: QModelIndex | None = None) -> list[str]:
    above = parent or QModelIndex()
    return [tree.index(row, 0, above).data() for row in range(tree.rowCount(above))]


def test_from_an_image_to_what_one_of_its_layers_did_with_the_mouse(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    click_tab(driver, inspector, LAYERS)
    table = inspector.tabs.layers.view
    driver.until(lambda: driver.page.session.layers.image is not None)
    assert [table.model().index(row, 1).data() for row in range(2)] == ["ADD base /", "COPY app /srv"]
    assert "base:1.0" not in inspector.tabs.layers.page.toPlainText()
    where = table.visualRect(table.model().index(0, 1)).center()
    driver.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert "base:1.0" in inspector.tabs.layers.page.toPlainText(), "the other image that has it"
    click_tab(driver, inspector, FILES)
    tree = tree_of(driver, inspector)
    assert rows(tree) == ["etc", "usr"], "the files are those at the layer that was chosen"
    inspector.tabs.files.choice.layers.setFocus()
    driver.key(Qt.Key.Key_Down)
    assert rows(tree) == ["etc", "srv", "usr"]
    assert inspector.tabs.layers.view.currentIndex().row() == 1
    driver.qtbot.mouseClick(inspector.tabs.files.choice.only, Qt.MouseButton.LeftButton)
    assert rows(tree, tree.index(0, 0)) == ["motd", "passwd"]
    assert [tree.index(row, Column.CHANGE, tree.index(0, 0)).data() for row in range(2)] == ["− removed", "~ changed"]


def test_the_same_with_the_keyboard(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_2, ALT)
    assert inspector.tabs.layers.view.hasFocus()
    driver.key(Qt.Key.Key_Home, CONTROL)
    assert inspector.tabs.layers.view.currentIndex().row() == 0
    driver.key(Qt.Key.Key_Return)
    assert inspector.tabs.currentIndex() == FILES
    tree = tree_of(driver, inspector)
    driver.until(inspector.tabs.files.view.hasFocus)
    assert rows(tree) == ["etc", "usr"]
    driver.key(Qt.Key.Key_Right)
    driver.key(Qt.Key.Key_Down)
    assert inspector.tabs.files.current.path.text() == "/etc/motd"
    driver.key(Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == "/etc/motd"
    driver.key(Qt.Key.Key_F, CONTROL)
    assert inspector.tabs.files.choice.line.hasFocus()
    driver.qtbot.keyClicks(inspector.tabs.files.choice.line, "usr/*/tool")
    driver.until(lambda: rows(tree) == ["usr"])
    driver.key(Qt.Key.Key_Return)
    driver.key(Qt.Key.Key_Down)
    driver.key(Qt.Key.Key_Down)
    assert inspector.tabs.files.current.path.text() == "/usr/bin/tool"


def test_the_layer_chosen_among_the_files_is_the_current_one_among_the_layers(
    driver: Driver, files: LayoutFiles
) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    tree_of(driver, inspector)
    inspector.tabs.files.choice.layers.setFocus()
    driver.key(Qt.Key.Key_Up)
    driver.key(Qt.Key.Key_2, ALT)
    assert inspector.tabs.layers.view.currentIndex().row() == 0
    driver.select("base:1.0")
    driver.select("app:1.0")
    assert inspector.tabs.layers.view.currentIndex().row() == 1, "another image begins with the whole of it"


def test_the_menu_leads_to_both(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.menu("View", "Layers")
    assert inspector.tabs.currentIndex() == LAYERS
    driver.menu("View", "Files")
    assert inspector.tabs.currentIndex() == FILES


def test_a_config_has_neither_layers_nor_files(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    snapshot = page.session.snapshot
    assert snapshot is not None
    config = snapshot.children(snapshot.find(files.entries[0]["digest"]))[0].descriptor.digest
    driver.select_blob(config)
    assert page.inspector.tabs.currentIndex() == OVERVIEW
    assert not page.inspector.tabs.isTabVisible(FILES)
    driver.select("base:1.0")
    driver.until(lambda: page.inspector.tabs.currentIndex() == FILES)
    assert rows(tree_of(driver, page.inspector)) == ["etc", "usr"]


def test_from_image_to_image_the_files_are_always_those_of_the_one_in_front(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    tree = tree_of(driver, inspector)
    tester = QAbstractItemModelTester(tree, QAbstractItemModelTester.FailureReportingMode.Fatal, tree)
    for name, expected in (("base:1.0", ["etc", "usr"]), ("app:1.0", ["etc", "srv", "usr"])) * 3:
        driver.select(name)
        driver.until(lambda expected=expected: rows(tree) == expected)
    assert tester.model() is tree


def test_a_broken_image_says_what_cannot_be_seen(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    for name, words in (
        ("example.org/broken:missing", "Layer 2 could not be read"),
        ("example.org/broken:corrupt", "Layer 2 could be read only in part"),
        ("example.org/broken:truncated", "Layer 2 could be read only in part"),
    ):
        driver.select(name)
        driver.key(Qt.Key.Key_3, ALT)
        driver.until(lambda words=words: page.inspector.tabs.files.reading.words.text().startswith(words))
        driver.until(lambda: "etc" in rows(tree_of(driver, page.inspector)))
    driver.select("example.org/web:1.1")
    driver.until(lambda: "srv" in rows(tree_of(driver, page.inspector)))
    assert not page.inspector.tabs.files.reading.isVisible()


def test_reading_is_stopped_where_it_is_shown_and_begun_again(
    driver: Driver, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stack.read_image

    def slow(store: Store, digests: Sequence[str], cache: Path, progress: Progress) -> stack.ReadImage:
        progress.start("Reading layers", 100)
        while not progress.cancelled:
            progress.check()
        return real(store, digests, cache, progress)

    monkeypatch.setattr(stack, "read_image", slow)
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_2, ALT)
    driver.until(lambda: inspector.tabs.layers.reading.words.text().startswith("Reading layers …"))
    driver.press("Cancel", inspector.tabs.layers)
    driver.until(lambda: inspector.tabs.layers.reading.words.text() == "Reading was stopped.")
    monkeypatch.setattr(stack, "read_image", real)
    driver.key(Qt.Key.Key_3, ALT)
    driver.press("Read the layers", inspector.tabs.files)
    assert rows(tree_of(driver, inspector)) == ["etc", "srv", "usr"]


def test_a_layer_that_comes_back_brings_its_files(driver: Driver, files: LayoutFiles) -> None:
    gone = files.file(lower_layer(files))
    content = gone.read_bytes()
    gone.unlink()
    page = driver.open(files.path)
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    assert rows(tree_of(driver, page.inspector)) == ["etc", "srv"]
    gone.write_bytes(content)
    driver.key(Qt.Key.Key_F5)
    driver.until(lambda: rows(tree_of(driver, page.inspector)) == ["etc", "srv", "usr"])


def test_closing_the_store_while_layers_are_read_is_quiet(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_2, ALT)
    driver.menu("File", "Close tab")
    driver.until(lambda: driver.window.page is None)
    assert not driver.window.messages.messages


def lower_layer(files: LayoutFiles) -> str:
    """The digest of the lower layer."""
    manifest = json.loads(files.file(files.entries[0]).read_bytes())
    return str(manifest["layers"][0]["digest"])


def test_a_process_that_was_killed_while_it_read_is_told_and_reading_is_begun_again(
    driver: Driver, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "_FEW_BYTES", -1)
    monkeypatch.setattr(stack, "_FEW_ENTRIES", -1)
    with monkeypatch.context() as killed:
        killed.setattr(stack, "_read", kill_this_process)
        inspector = driver.open(files.path).inspector
        driver.select("app:1.0")
        driver.key(Qt.Key.Key_3, ALT)
        reading = inspector.tabs.files.reading
        driver.until(lambda: "ended without an answer (signal 9)" in reading.words.text())
    driver.press("Try again", inspector.tabs.files)
    assert rows(tree_of(driver, inspector)) == ["etc", "srv", "usr"]
    assert not reading.isVisible()


def kill_this_process(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
