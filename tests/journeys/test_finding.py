"""Finding a path in all images: by menu and key, from the first letter to the file in its layer, and back."""

import gzip
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from engine.docker import DockerImageStore
from gui.models.found_table import Column
from gui.panels.files_view import FilesView
from gui.panels.find_pane import FindPane
from gui.panels.places import FILES
from tests.archives import END, file, header, layer
from tests.journeys.conftest import Driver
from tests.layouts import LAYER, LayoutFiles

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
BASE = (
    file(b"etc/ssl/openssl.cnf", b"base")
    + file(b"usr/lib/libssl.so.1.1", bytes(2000))
    + file(b"opt/tool/ssl/key.pem", b"key")
    + END
)
UPDATE = file(b"usr/lib/.wh.libssl.so.1.1") + file(b"usr/lib/libssl.so.3", bytes(3000)) + END
SETTINGS = file(b"etc/ssl/openssl.cnf", b"mine") + header(b"opt", b"2", link=b"/srv") + END


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout with two images on the same base, one of them for two platforms."""
    files = LayoutFiles(tmp_path / "layout")
    base = files.blob(gzip.compress(BASE), f"{LAYER}+gzip")
    amd = {**files.image(base, UPDATE), "platform": {"os": "linux", "architecture": "amd64"}}
    arm = {**files.image(base, SETTINGS), "platform": {"os": "linux", "architecture": "arm64"}}
    files.name(files.index(amd, arm), "example.org/app:2")
    files.name(files.image(base), "example.org/app:1")
    return files


def pane_of(driver: Driver) -> FindPane:
    pane = driver.page.finder.pane
    assert pane is not None
    return pane


def open_by_key(driver: Driver) -> FindPane:
    driver.key(Qt.Key.Key_F, CONTROL | SHIFT)
    driver.until(lambda: driver.page.finder.is_open)
    return pane_of(driver)


def look_for(driver: Driver, words: str) -> list[tuple[str, ...]]:
    """Type words as a person does, and return path, state, image and layer of all that is found."""
    pane = pane_of(driver)
    pane.line.selectAll()
    driver.qtbot.keyClicks(pane.line, words)
    driver.until(lambda: (question := driver.page.session.finding.question) is not None and question.words == words)
    driver.until(lambda: driver.page.session.finding.searched is not None and driver.page.session.finding.job is None)
    return results(pane)


def results(pane: FindPane) -> list[tuple[str, ...]]:
    columns = (Column.PATH, Column.STATE, Column.IMAGE, Column.LAYER)
    return [tuple(pane.model.index(row, column).data() for column in columns) for row in range(pane.model.rowCount())]


def files_view(driver: Driver) -> FilesView:
    return driver.page.inspector.tabs.files


def until_shown(driver: Driver, path: str) -> None:
    """Wait until this is the current path of the Files tab."""
    driver.until(lambda: driver.page.inspector.tabs.currentIndex() == FILES)
    view = files_view(driver)
    driver.until(lambda: view.model is not None and view.model.path_at(view.view.currentIndex()) == path)


def click(driver: Driver, row: int) -> None:
    """Click on a result."""
    pane = pane_of(driver)
    index = pane.model.index(row, Column.PATH)
    pane.view.scrollTo(index)
    place = QPoint(40, pane.view.visualRect(index).center().y())
    driver.qtbot.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


APP_2_AMD, APP_2_ARM, APP_1 = "example.org/app:2 (linux/amd64)", "example.org/app:2 (linux/arm64)", "example.org/app:1"
FOUND = [
    ("/etc/ssl/openssl.cnf", "• Present", APP_2_AMD, "1"),
    ("/usr/lib/libssl.so.1.1", "− Removed in layer 2", APP_2_AMD, "1"),
    ("/opt/tool/ssl/key.pem", "• Present", APP_2_AMD, "1"),
    ("/usr/lib/libssl.so.3", "• Present", APP_2_AMD, "2"),
    ("/etc/ssl/openssl.cnf", "~ Overwritten in layer 2", APP_2_ARM, "1"),
    ("/usr/lib/libssl.so.1.1", "• Present", APP_2_ARM, "1"),
    ("/opt/tool/ssl/key.pem", "− Removed in layer 2", APP_2_ARM, "1"),
    ("/etc/ssl/openssl.cnf", "• Present", APP_2_ARM, "2"),
    ("/etc/ssl/openssl.cnf", "• Present", APP_1, "1"),
    ("/usr/lib/libssl.so.1.1", "• Present", APP_1, "1"),
    ("/opt/tool/ssl/key.pem", "• Present", APP_1, "1"),
]


def test_which_layers_have_a_path_takes_a_key_and_a_word(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    page.focus_list()
    open_by_key(driver)
    assert look_for(driver, "ssl") == FOUND
    assert pane_of(driver).count.text() == "11 in 3 images"
    assert look_for(driver, "*.so.3") == [FOUND[3]]
    assert look_for(driver, "etc/**/*.cnf") == [FOUND[0], FOUND[4], FOUND[7], FOUND[8]]


def test_a_click_on_a_result_shows_the_file_in_its_layer_and_the_next_one_another_image(
    driver: Driver, files: LayoutFiles
) -> None:
    page = driver.open(files.path)
    page.show_lens(1)
    driver.menu("Edit", "Find in all images")
    look_for(driver, "libssl")
    click(driver, 0)
    until_shown(driver, "/usr/lib/libssl.so.1.1")
    assert page.lenses.currentIndex() == 0
    assert page.inspector.selection is not None
    driver.until(lambda: page.selection is not None and page.selection.digest == page.inspector.selection.digest)
    assert files_view(driver).choice.layers.currentIndex() == 0
    assert pane_of(driver).view.hasFocus()
    first = page.inspector.selection.digest
    click(driver, 3)
    until_shown(driver, "/usr/lib/libssl.so.1.1")
    driver.until(lambda: page.selection is not None and page.selection.digest != first)
    driver.until(lambda: page.can_go_back)


def test_all_of_it_goes_by_keys(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    page.focus_list()
    pane = open_by_key(driver)
    assert pane.line.hasFocus()
    look_for(driver, "libssl")
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Return):
        driver.key(key)
    until_shown(driver, "/usr/lib/libssl.so.3")
    assert files_view(driver).choice.layers.currentIndex() == 1
    driver.until(lambda: files_view(driver).view.hasFocus())
    open_by_key(driver)
    assert pane.line.hasFocus()
    assert pane.line.selectedText() == "libssl"
    driver.key(Qt.Key.Key_Escape)
    assert not page.finder.is_open
    assert page.images.view.hasFocus()


def test_what_was_found_and_looked_for_is_there_when_it_is_opened_again(
    driver: Driver, files: LayoutFiles, tmp_path: Path
) -> None:
    driver.open(files.path)
    pane = open_by_key(driver)
    look_for(driver, "libssl")
    driver.key(Qt.Key.Key_Return)
    driver.key(Qt.Key.Key_Escape)
    open_by_key(driver)
    assert len(results(pane)) == 4
    other = LayoutFiles(tmp_path / "other")
    other.name(other.image(layer("libssl")), "other:1")
    driver.open(other.path)
    pane = open_by_key(driver)
    driver.key(Qt.Key.Key_Up)
    assert pane.line.text() == "libssl"
    driver.key(Qt.Key.Key_Return)
    driver.until(lambda: len(results(pane)) == 1)


def test_damaged_and_missing_layers_do_not_keep_anybody_from_the_rest(driver: Driver, files: LayoutFiles) -> None:
    gone, bad = files.blob(layer("ssl/gone")), files.blob(layer("ssl/bad"))
    files.name(files.image(layer("ssl/good"), gone, bad), "broken:1")
    files.file(gone).unlink()
    files.file(bad).write_bytes(layer("ssl/bed"))
    driver.open(files.path)
    pane = open_by_key(driver)
    assert [row[0] for row in look_for(driver, "ssl/") if row[2] == "broken:1"] == ["/ssl/good", "/ssl/bed"]
    assert pane.notes.words.text().startswith("2 layers could not be read whole")
    driver.qtbot.mouseClick(pane.notes.which, Qt.MouseButton.LeftButton)
    assert "corrupt" in pane.unread.toPlainText()


def test_an_image_that_is_gone_meanwhile_is_said_to_be(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    pane = open_by_key(driver)
    look_for(driver, "libssl")
    for entry in files.entries:
        files.file(entry).unlink()
    files.entries.clear()
    files.write_index()
    page.session.rescan()
    driver.until(lambda: pane.notes.isVisible())
    assert pane.notes.words.text() == "The store has changed since."
    click(driver, 3)
    driver.message("That image is not in the store any more")


def test_a_store_can_be_closed_in_the_middle_of_a_search(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    open_by_key(driver).look_for("ssl")
    driver.menu("File", "Close tab")
    assert driver.window.page is None
    driver.until(lambda: not driver.window.runner.active())


def test_paths_are_copied_as_they_are(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    open_by_key(driver)
    look_for(driver, "libssl.so.3")
    driver.key(Qt.Key.Key_Down)
    driver.key(Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == "/usr/lib/libssl.so.3"
    driver.message("Copied the path.")


def test_dockers_store_says_why_nothing_can_be_found_in_it(driver: Driver, tmp_path: Path) -> None:
    DockerImageStore.create(tmp_path / "imagedb").close()
    driver.open(tmp_path / "imagedb")
    driver.menu("Edit", "Find in all images")
    assert "Docker keeps the files of its images unpacked" in pane_of(driver).empty.words
