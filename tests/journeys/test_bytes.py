"""Looking at bytes: from a blob to what each of them means, to a place, to a text, and to the clipboard."""

import gzip
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QTabBar

from gui.panels.bytes_view import BytesView
from gui.panels.places import BYTES, OVERVIEW
from tests.archives import END, file
from tests.gui.panels._bytes import place_of
from tests.journeys.conftest import Driver
from tests.layouts import LAYER, LayoutFiles

ALT, CONTROL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
Key = Qt.Key
TAR = file(b"etc/passwd", b"root:x:0:0") + file(b"etc/motd", b"hello world" * 200) + END
PACKED = gzip.compress(TAR, mtime=0)


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout with an image of two layers: one as it is, one packed."""
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(files.blob(PACKED, f"{LAYER}+gzip"), TAR), "app:1.0")
    return files


def layers(driver: Driver) -> list[str]:
    """The digests of the layers, the packed one first."""
    snapshot = driver.page.session.snapshot
    assert snapshot is not None
    row = snapshot.entries[0].row
    return [str(link.descriptor.digest) for link in snapshot.children(row) if "layer" in link.descriptor.media_type]


def bytes_of(driver: Driver) -> BytesView:
    """The tab, once it shows something."""
    tabs = driver.page.inspector.tabs
    assert tabs.currentIndex() == BYTES
    driver.until(lambda: tabs.bytes.hex.byte_count and tabs.bytes.hex.known(0, 1) is not None)
    return tabs.bytes


def test_from_a_layer_to_what_its_bytes_mean_with_the_mouse(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    driver.select_blob(layers(driver)[0])
    bar = driver.page.inspector.tabs.findChild(QTabBar)
    assert bar is not None
    driver.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(BYTES).center())
    view = bytes_of(driver)
    driver.until(view.headers.isVisible)
    assert view.hex.known(0, 3) == b"\x1f\x8b\x08"
    port = view.hex.viewport()
    driver.qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=place_of(view.hex, 9))
    assert "Operating system" in view.meaning.text()
    tree = view.headers.view
    last = tree.model().index(1, 0)
    tree.scrollTo(last)
    driver.qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(last).center())
    assert view.hex.selection == (len(PACKED) - 8, len(PACKED))
    driver.qtbot.mouseClick(view._copy, Qt.MouseButton.LeftButton)
    driver.message("Copied 8 bytes as hexadecimal digits.")
    assert bytes.fromhex(QGuiApplication.clipboard().text()) == PACKED[-8:]


def test_the_same_with_the_keyboard(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    driver.select_blob(layers(driver)[1])
    driver.key(Key.Key_5, ALT)
    view = bytes_of(driver)
    assert view.hex.hasFocus()
    driver.key(Key.Key_G, CONTROL)
    driver.qtbot.keyClicks(view.line, "0x400")
    driver.key(Key.Key_Return)
    driver.until(lambda: view.meaning.text().startswith("File etc/motd · Name: etc/motd."))
    driver.key(Key.Key_F, CONTROL)
    driver.qtbot.keyClicks(view.find_bar.line, "HELLO WORLD")
    driver.key(Key.Key_Return)
    driver.until(lambda: view.hex.has_selection)
    first = TAR.index(b"hello world")
    assert view.hex.selection == (first, first + 11)
    driver.key(Key.Key_Return)
    driver.until(lambda: view.hex.current == first + 11)
    driver.key(Key.Key_Escape)
    assert view.hex.hasFocus()
    driver.key(Key.Key_Right, SHIFT)
    driver.key(Key.Key_C, CONTROL)
    driver.message("Copied 10 bytes")
    assert QGuiApplication.clipboard().text() == b"ello world".hex(" ")
    assert view.meaning.text().startswith("File etc/motd · Content: 2,200 bytes.")
    driver.key(Key.Key_End, CONTROL)
    driver.until(lambda: "End of the archive" in view.meaning.text())
    driver.key(Key.Key_F6)
    assert not view.hex.hasFocus()


def test_the_tab_stays_from_blob_to_blob_and_shows_each(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    packed, plain = layers(driver)
    driver.select_blob(packed)
    driver.menu("View", "Bytes")
    for digest, begin in ((plain, TAR), (packed, PACKED)) * 2:
        driver.select_blob(digest)
        driver.until(lambda begin=begin: bytes_of(driver).hex.known(0, 20) == begin[:20])
    driver.select("app:1.0")
    driver.until(lambda: bytes_of(driver).hex.known(0, 1) == b"{")


def test_every_file_of_a_broken_store_has_bytes_or_says_why_not(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    snapshot = page.session.snapshot
    assert snapshot is not None
    page.show_lens(1)
    shown = 0
    for row in range(len(snapshot)):
        digest = str(snapshot.name(row))
        if not page.blobs.reveal(digest):
            continue
        driver.until(lambda digest=digest: page.selection is not None and page.selection.digest == digest)
        tabs = page.inspector.tabs
        if not tabs.isTabVisible(BYTES):
            assert snapshot.columns.sizes[row] < 0, "only what is not there has no bytes"
            continue
        page.inspector.show_tab(BYTES)
        view = tabs.bytes
        driver.until(lambda view=view: view.hex.known(0, 1) or view.empty.words not in ("", "Reading…"))
        shown += 1
    assert shown > 10
    assert not [message.sentence for message in driver.window.messages.messages if "unexpected" in message.sentence]


def test_a_blob_that_grows_while_it_is_looked_at_is_shown_anew(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    digest = layers(driver)[1]
    driver.select_blob(digest)
    driver.key(Key.Key_5, ALT)
    view = bytes_of(driver)
    view.hex.go_to(100)
    stored = files.path / "blobs" / digest.replace(":", "/")
    stored.write_bytes(TAR + b"more")
    driver.key(Key.Key_F5)
    driver.until(lambda: view.hex.byte_count == len(TAR) + 4)
    assert view.note.text() == "The file has changed: this is what it is now."
    assert view.hex.current == 100
    stored.unlink()
    driver.key(Key.Key_F5)
    driver.until(lambda: driver.page.inspector.tabs.currentIndex() == OVERVIEW)
    assert not driver.page.inspector.tabs.isTabVisible(BYTES)


def test_a_stray_file_of_hundred_gigabytes_is_no_burden(driver: Driver, files: LayoutFiles) -> None:
    size = 100 << 30
    with (files.path / "blobs" / "sha256" / "large.tmp").open("wb") as large:
        large.truncate(size)
        large.seek(size - 10)
        large.write(b"needle")
    driver.open(files.path)
    driver.select_blob("sha256/large.tmp")
    driver.key(Key.Key_5, ALT)
    view = bytes_of(driver)
    driver.key(Key.Key_F, CONTROL)
    driver.qtbot.keyClicks(view.find_bar.line, "needle")
    driver.key(Key.Key_Return)
    driver.until(lambda: view.hex.current == size - 10)
    driver.until(lambda: view.hex.known(size - 10, size) == b"needle\0\0\0\0")
    driver.key(Key.Key_Escape)
    driver.key(Key.Key_Home, CONTROL)
    assert view.hex.current == 0


def test_closing_the_store_while_bytes_are_looked_for_is_quiet(driver: Driver, files: LayoutFiles) -> None:
    with (files.path / "blobs" / "sha256" / "large.tmp").open("wb") as large:
        large.truncate(100 << 30)
    driver.open(files.path)
    driver.select_blob("sha256/large.tmp")
    driver.key(Key.Key_5, ALT)
    view = bytes_of(driver)
    driver.key(Key.Key_F, CONTROL)
    view.find_bar.way.setCurrentIndex(2)
    driver.qtbot.keyClicks(view.find_bar.line, "00 00 01")
    driver.key(Key.Key_Return)
    driver.menu("File", "Close tab")
    driver.until(lambda: driver.window.page is None)
    told = [message.sentence for message in driver.window.messages.messages]
    assert told in ([], ["layout is damaged: blobs/sha256/large.tmp is not named as a blob."])


def test_the_keyboard_is_not_caught_in_the_tab(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    driver.select_blob(layers(driver)[0])
    driver.key(Key.Key_5, ALT)
    view = bytes_of(driver)
    driver.until(view.headers.isVisible)
    for with_find in (False, True):
        if with_find:
            view.hex.setFocus()
            driver.key(Key.Key_F, CONTROL)
        for key, modifier in ((Key.Key_Tab, Qt.KeyboardModifier.NoModifier), (Key.Key_Backtab, SHIFT)):
            view.hex.setFocus()
            reached = set()
            for _ in range(60):
                driver.key(key, modifier)
                reached.add(QApplication.focusWidget())
            assert {driver.page.blobs.view, view.headers.view, view.hex} <= reached
            assert (view.find_bar.line in reached) is with_find
            assert (view.line in reached) is (modifier is SHIFT)
