"""From an image to the content of a file in it, by the mouse and by the keyboard, and from there to the layer."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar

from engine.progress import Progress
from gui.models.file_tree import FileTree
from gui.panels import previewing
from gui.panels.files_view import FilesView
from gui.panels.inspector import Inspector
from gui.panels.places import FILES, LAYERS
from gui.panels.previewing import Preview
from gui.settings import Settings
from tests.archives import END, file, header
from tests.journeys.conftest import Driver
from tests.layouts import LAYER, LayoutFiles
from tests.pictures import png

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
CODE = b"#!/usr/bin/env python3\nprint('hello')\n"
STEPS = [{"created_by": "ADD base /"}, {"created_by": "COPY app /srv"}]
LOWER = file(b"etc/motd", b"Welcome\n") + file(b"etc/old", b"x") + file(b"srv/main.py", b"print('old')\n") + END
UPPER = (
    file(b"etc/.wh.old")
    + header(b"srv/app", b"2", link=b"main.py")
    + file(b"srv/data.json", json.dumps({f"key {n}": n for n in range(60)}).encode())
    + file(b"srv/logo.png", png(20, 10))
    + file(b"srv/main.py", CODE)
    + file(b"srv/tool", b"\x7fELF" + bytes(5000))
    + END
)


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    upper = files.blob(gzip.compress(UPPER), f"{LAYER}+gzip")
    files.name(files.image(LOWER, upper, config={"history": STEPS}), "app:1.0")
    return files


def click_row(driver: Driver, view: FilesView, index: QModelIndex) -> None:
    view.view.scrollTo(index)
    place = view.view.visualRect(index).center()
    driver.qtbot.mouseClick(view.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def find(tree: FileTree, *way: str) -> QModelIndex:
    index = QModelIndex()
    for name in way:
        rows = [tree.index(row, 0, index) for row in range(tree.rowCount(index))]
        index = next(row for row in rows if row.data() == name)
    return index


def files_of(driver: Driver, inspector: Inspector) -> tuple[FilesView, FileTree]:
    view = inspector.tabs.files
    driver.until(lambda: view.model is not None and view.model.wish is not None and view.image is not None)
    assert view.model is not None
    return view, view.model


def text_of(view: FilesView) -> str:
    return view.preview.text.pane.toPlainText() if view.preview.text.isVisible() else ""


def test_two_clicks_from_an_image_to_what_is_in_a_file(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    bar = inspector.tabs.findChild(QTabBar)
    assert bar is not None
    driver.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(FILES).center())
    view, tree = files_of(driver, inspector)
    view.view.expand(find(tree, "srv"))
    for name, is_shown in (
        ("main.py", lambda: text_of(view) == CODE.decode()),
        ("data.json", lambda: text_of(view).startswith('{\n  "key 0": 0,')),
        ("logo.png", lambda: view.preview.picture.isVisible()),
        ("tool", lambda: view.preview.bytes.isVisible()),
    ):
        click_row(driver, view, find(tree, "srv", name))
        driver.until(is_shown)
        assert view.current.path.text() == f"/srv/{name}"


def test_the_same_with_the_keyboard_and_back(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    view, tree = files_of(driver, inspector)
    driver.until(view.view.hasFocus)
    view.view.setCurrentIndex(find(tree, "srv", "main.py"))
    driver.until(lambda: text_of(view) == CODE.decode())
    driver.key(Qt.Key.Key_Return)
    assert view.preview.text.pane.hasFocus()
    driver.key(Qt.Key.Key_F, CONTROL)
    driver.qtbot.keyClicks(view.preview.text.find_bar.line, "hello")
    assert view.preview.text.find_bar.count.text() == "1 of 1"
    driver.key(Qt.Key.Key_Escape)
    driver.key(Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == "hello"
    driver.key(Qt.Key.Key_Escape)
    assert view.view.hasFocus()


def test_what_is_in_a_file_leads_to_the_layer_that_put_it_there(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    view, tree = files_of(driver, inspector)
    click_row(driver, view, find(tree, "srv"))
    view.view.expand(find(tree, "srv"))
    click_row(driver, view, find(tree, "srv", "main.py"))
    buttons = [button for button in view.current.touched.buttons if button.isVisible()]
    assert [button.accessibleName() for button in buttons] == [
        "Added by layer 1: ADD base /",
        "Changed by layer 2: COPY app /srv",
    ]
    driver.qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    assert inspector.tabs.currentIndex() == LAYERS
    assert inspector.tabs.layers.view.currentIndex().row() == 0
    driver.key(Qt.Key.Key_3, ALT)
    driver.until(lambda: text_of(view) == "print('old')\n")
    assert view.current.path.text() == "/srv/main.py", "the same file as it was then"


def test_a_link_leads_to_its_target(driver: Driver, files: LayoutFiles) -> None:
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    view, tree = files_of(driver, inspector)
    view.view.setCurrentIndex(find(tree, "srv", "app → main.py"))
    driver.press("Go to what it leads to", view.preview)
    driver.until(lambda: text_of(view) == CODE.decode())


def test_holding_an_arrow_key_down_leads_to_the_last_file_and_reads_few(driver: Driver, tmp_path: Path) -> None:
    files = LayoutFiles(tmp_path / "many")
    files.name(files.image(b"".join(file(b"f%03d" % n, b"this is %d" % n) for n in range(300)) + END), "many:1")
    inspector = driver.open(files.path).inspector
    driver.select("many:1")
    driver.key(Qt.Key.Key_3, ALT)
    view, _tree = files_of(driver, inspector)
    driver.until(view.view.hasFocus)
    begun: list[str] = []
    driver.window.runner.started.connect(lambda job: begun.append(job.title))
    for _ in range(299):
        QTest.keyClick(view.view, Qt.Key.Key_Down)
    driver.until(lambda: text_of(view) == "this is 299")
    assert len([title for title in begun if title.startswith("Reading f")]) < 30


def test_a_layer_by_itself_shows_its_files_and_what_it_removes(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    manifest = json.loads(files.file(files.entries[0]).read_bytes())
    driver.select_blob(manifest["layers"][1]["digest"])
    driver.key(Qt.Key.Key_F6)
    page.inspector.tabs.show_tab(FILES)
    view, tree = files_of(driver, page.inspector)
    assert not page.inspector.tabs.isTabVisible(LAYERS)
    assert not view.choice.layers.isVisible()
    removed = find(tree, "etc", "old")
    assert removed.siblingAtColumn(1).data() == "− removed"
    view.view.setCurrentIndex(removed)
    assert view.preview.empty.words == "A whiteout It removes what the layers below have there."
    view.view.setCurrentIndex(find(tree, "srv", "main.py"))
    driver.until(lambda: text_of(view) == CODE.decode())
    assert view.sum.words.text().endswith("this layer")
    assert not view.current.touched.isVisible()


def test_a_layer_that_nothing_refers_to_shows_its_files_too(driver: Driver, tmp_path: Path) -> None:
    files = LayoutFiles(tmp_path / "unused")
    unused = files.blob(gzip.compress(LOWER))
    page = driver.open(files.path)
    driver.select_blob(unused["digest"])
    page.inspector.tabs.show_tab(FILES)
    view, tree = files_of(driver, page.inspector)
    view.view.setCurrentIndex(find(tree, "etc", "motd"))
    driver.until(lambda: text_of(view) == "Welcome\n")


def test_a_layer_that_is_corrupt_casts_doubt_on_its_files(driver: Driver, files: LayoutFiles) -> None:
    manifest = json.loads(files.file(files.entries[0]).read_bytes())
    path = files.file(manifest["layers"][0]["digest"])
    content = path.read_bytes().replace(b"Welcome", b"Goodbye")
    path.write_bytes(content)
    assert hashlib.sha256(content).hexdigest() not in path.name
    page = driver.open(files.path)
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    view, tree = files_of(driver, page.inspector)
    view.view.setCurrentIndex(find(tree, "etc", "motd"))
    driver.until(lambda: text_of(view) == "Goodbye\n")
    driver.until(lambda: view.preview.note.text().startswith("Layer 1 is not what its digest says"))


def test_heights_are_next_time_as_they_were_left(driver: Driver, files: LayoutFiles, settings: Settings) -> None:
    driver.window.resize(1340, 890)

    def opened() -> FilesView:
        inspector = driver.open(files.path).inspector
        driver.select("app:1.0")
        driver.key(Qt.Key.Key_3, ALT)
        view, tree = files_of(driver, inspector)
        view.view.setCurrentIndex(find(tree, "srv", "main.py"))
        driver.until(lambda: text_of(view) == CODE.decode())
        return view

    view = opened()
    before = view.splitter.sizes()
    handle = view.splitter.handle(1)
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=QPoint(20, 1))
    QTest.mouseMove(handle, QPoint(20, 61))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=QPoint(20, 61))
    left = view.splitter.sizes()
    assert left[0] > before[0] + 20
    driver.menu("File", "Close tab")
    driver.until(lambda: driver.window.page is None)
    assert opened().splitter.sizes() == left


def test_closing_the_store_while_a_file_is_read_is_quiet(
    driver: Driver, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def slow(_contents: object, _entry: int, name: str, progress: Progress, **_more: object) -> Preview:
        begun.append(name)
        while True:
            progress.check()

    monkeypatch.setattr(previewing, "read_preview", slow)
    inspector = driver.open(files.path).inspector
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    view, tree = files_of(driver, inspector)
    view.view.setCurrentIndex(find(tree, "srv", "main.py"))
    driver.until(lambda: begun == ["main.py"])
    driver.until(view.preview.waiting.isVisible)
    driver.menu("File", "Close tab")
    driver.until(lambda: driver.window.page is None)
    assert not driver.window.messages.messages
