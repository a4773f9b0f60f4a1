"""What takes the space: from the line below the lists to the map, from the map to the list and back, and into an image."""

import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu

from engine.snapshot import Kind, State
from engine.space import Use
from gui.models.treemap import Place
from gui.models.treemap_store import ByImage, ByKind
from gui.panels.files_view import FilesView
from gui.panels.space_files import FilesPicture, FileWords
from gui.panels.space_store import StoreMap
from gui.panels.space_view import SpaceView
from gui.panels.space_words import StoreSpace, StoreWords
from tests.archives import END, file
from tests.journeys.conftest import Driver
from tests.layouts import LAYER, LayoutFiles, sha256

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
BASE = (
    file(b"usr/bin/large", bytes(90_000)) + file(b"usr/bin/middle", bytes(40_000)) + file(b"etc/motd", b"hello") + END
)
TOP = file(b"srv/app", bytes(50_000)) + file(b"usr/bin/middle", bytes(30_000)) + END


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """Two images that share their lower layer, and a blob that nothing leads to."""
    files = LayoutFiles(tmp_path / "layout")
    base = files.blob(BASE, LAYER)
    files.name(files.image(base, TOP), "app:1.0")
    files.name(files.image(base, config={"author": "other"}), "base:1.0")
    files.blob(b"nobody's" * 2000)
    return files


def until_drawn(driver: Driver, view: SpaceView) -> None:
    driver.until(lambda: view.shown is not None and not view.busy and view.map.content is not None)


def until_total(driver: Driver, view: SpaceView, total: int) -> None:
    """Wait for the picture of files that together are so many bytes."""

    def is_shown() -> bool:
        words = view.shown.words if view.shown is not None and not view.busy else None
        return isinstance(words, FileWords) and words.space.total == total

    driver.until(is_shown)


def open_map(driver: Driver) -> StoreMap:
    driver.qtbot.mouseClick(driver.page.space.bar.map, Qt.MouseButton.LeftButton)
    found = driver.page.space.map
    assert found is not None
    until_drawn(driver, found)
    return found


def space_of(shown: StoreMap) -> StoreSpace:
    assert shown.shown is not None
    assert isinstance(shown.shown.words, StoreWords)
    return shown.shown.words.space


def click(driver: Driver, view: SpaceView, place: Place) -> None:
    """Click a rectangle: its title where it is made of something."""
    box = view.map.box_of(place)
    assert not box.isEmpty(), f"{place} is not shown"
    where = box.center() if view.map._place_at(box.center()) == place else box.topLeft() + box.center() * 0
    if where != box.center():
        where.setX(where.x() + 12)
        where.setY(where.y() + 5)
    driver.qtbot.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=where.toPoint())
    assert view.map.current == place


def selected(driver: Driver) -> str:
    return driver.page.selection.digest if driver.page.selection is not None else ""


def test_a_click_in_the_map_selects_in_the_list_and_what_is_selected_in_the_list_is_marked(
    driver: Driver, files: LayoutFiles
) -> None:
    page = driver.open(files.path)
    assert page.space.map is None, "nothing is worked out for a map that nobody has opened"
    shown = open_map(driver)
    space = space_of(shown)
    layer = space.snapshot.find(sha256(TOP))
    click(driver, shown, Place(layer))
    driver.until(lambda: selected(driver) == space.snapshot.name(layer))
    assert "layer 2 of 2" in shown.sentence.text()
    assert page.inspector.selection == page.selection
    assert shown.map.hasFocus(), "the keyboard stays where the mouse was"
    base = sha256(BASE)
    driver.select_blob(base)
    driver.until(lambda: shown.map.current == Place(space.snapshot.find(base)))
    assert "in 2 images" in shown.sentence.text()


def test_a_blob_s_menu_is_the_same_in_the_map(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    shown = open_map(driver)
    layer = Place(space_of(shown).snapshot.find(sha256(TOP)))
    click(driver, shown, layer)
    place = shown.map.box_of(layer).center().toPoint()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, shown.map.mapToGlobal(place))
    QApplication.sendEvent(shown.map, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Verify selection" in [action.text().replace("&", "") for action in menu.actions()]
    menu.close()


def test_through_the_map_with_the_keyboard(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    page.show_lens(1)
    driver.key(Qt.Key.Key_M, CONTROL)
    shown = page.space.map
    assert shown is not None
    until_drawn(driver, shown)
    assert shown.map.hasFocus()
    page.focus_list()
    driver.key(Qt.Key.Key_F6)
    assert shown.map.hasFocus(), "it is one of the panes"
    space = space_of(shown)
    driver.key(Qt.Key.Key_Home)
    base = sha256(BASE)
    driver.until(lambda: selected(driver) == base)
    seen = {selected(driver)}
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up):
        driver.key(key)
        current = shown.map.current
        assert current is not None
        if not space.is_group(current.node) and not current.skip:
            driver.until(lambda current=current: selected(driver) == space.snapshot.name(current.node))
            seen.add(selected(driver))
    assert len(seen) > 1
    driver.key(Qt.Key.Key_Home)
    driver.key(Qt.Key.Key_PageUp)
    layers = Place(space.first_group + Kind.LAYER)
    assert shown.map.current == layers
    driver.key(Qt.Key.Key_Return)
    driver.until(lambda: shown.shown is not None and shown.shown.place == layers)
    until_drawn(driver, shown)
    assert shown.where.isVisible()
    assert shown.where.text() == "Layers"
    driver.key(Qt.Key.Key_Home)
    driver.key(Qt.Key.Key_Backspace)
    driver.until(lambda: shown.shown is not None and shown.shown.place != layers)
    until_drawn(driver, shown)
    assert shown.map.current is not None, "what was current there still is"
    driver.key(Qt.Key.Key_Return)
    assert page.inspector.isAncestorOf(QApplication.focusWidget()), "on to what is said of it"
    shown.focus()
    driver.key(Qt.Key.Key_M, CONTROL)
    assert not page.space.is_open
    assert page.lens.view.hasFocus()


def test_by_image_what_an_image_alone_has_is_together_and_its_group_is_the_image_in_the_list(
    driver: Driver, files: LayoutFiles
) -> None:
    page = driver.open(files.path)
    shown = open_map(driver)
    driver.qtbot.mouseClick(shown.by_image, Qt.MouseButton.LeftButton)
    driver.until(lambda: not shown.busy and isinstance(space_of(shown), ByImage))
    space = space_of(shown)
    assert isinstance(space, ByImage)
    image = space.snapshot.find(files.entries[0]["digest"])
    group = Place(space.group_of(image))
    driver.select("base:1.0")
    click(driver, shown, group)
    driver.until(lambda: selected(driver) == files.entries[0]["digest"])
    assert page.lens is page.images
    assert shown.map.current == group
    assert "that no other image has" in shown.sentence.text()
    boxes = [shown.map.box_of(Place(space.snapshot.find(sha256(layer)))) for layer in (BASE, TOP)]
    assert all(any(box.contains(line) for line in shown.map._surrounded) for box in boxes)


def test_everything_that_is_selected_in_the_list_has_a_line_around_it(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    shown = open_map(driver)
    page.show_lens(1)
    driver.key(Qt.Key.Key_A, CONTROL)
    content = shown.map.content
    assert content is not None
    alone = (
        (content.cells.nodes >= 0) & (content.cells.nodes < space_of(shown).first_group) & (content.cells.skips == 0)
    )
    driver.until(lambda: len(shown.map._surrounded) == alone.sum() > 3)


def test_the_line_leads_to_what_is_unused_and_what_is_broken(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    bar = page.space.bar
    driver.until(bar.buttons[Use.UNUSED].isVisible)
    driver.qtbot.mouseClick(bar.buttons[Use.UNUSED], Qt.MouseButton.LeftButton)
    counts = page.session.counts
    driver.until(lambda: page.blobs.model.shown == counts[State.UNUSED] + counts[State.LOST])
    assert page.lens is page.blobs
    tally = page.space.counts.counted
    assert tally is not None
    assert tally.tally.counts[Use.UNUSED] == page.session.unused[0] == page.blobs.model.shown
    driver.qtbot.mouseClick(bar.buttons[Use.BROKEN], Qt.MouseButton.LeftButton)
    driver.until(lambda: page.blobs.model.shown == sum(count for state, count in counts.items() if state.bad))


def test_the_menu_opens_the_map_and_it_is_as_it_was_left_in_the_next_store(
    driver: Driver, files: LayoutFiles, sample: Path
) -> None:
    page = driver.open(files.path)
    driver.menu("View", "Map of the space")
    action = driver.window.findChild(QAction, "map")
    assert action is not None
    assert action.isChecked()
    assert page.space.bar.map.isChecked()
    shown = page.space.map
    assert shown is not None
    until_drawn(driver, shown)
    driver.qtbot.mouseClick(shown.by_image, Qt.MouseButton.LeftButton)
    page.space.splitter.setSizes([page.space.splitter.height() - 150, 150])
    height = shown.height()
    driver.menu("File", "Close tab")
    page = driver.open(sample)
    assert page.space.is_open
    assert page.space.map is not None
    until_drawn(driver, page.space.map)
    assert isinstance(space_of(page.space.map), ByImage)
    assert page.space.map.height() == height
    driver.menu("View", "Map of the space")
    assert not page.space.is_open
    driver.menu("File", "Close tab")
    assert not driver.open(files.path).space.is_open


def test_the_map_follows_the_store(driver: Driver, files: LayoutFiles) -> None:
    page = driver.open(files.path)
    shown = open_map(driver)
    before = space_of(shown).total
    more = files.blob(b"more" * 9000)
    driver.key(Qt.Key.Key_F5)
    driver.until(lambda: not shown.busy and space_of(shown).total == before + 36_000)
    assert isinstance(space_of(shown), ByKind)
    click(driver, shown, Place(space_of(shown).snapshot.find(more["digest"])))
    driver.until(lambda: selected(driver) == more["digest"])
    assert page.lens is page.blobs, "the list that has it"


def test_a_stray_file_with_a_name_that_is_no_text_can_be_gone_to(driver: Driver, files: LayoutFiles) -> None:
    folder = files.path / "blobs" / "sha256"
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.tmp")).write_bytes(bytes(50_000))
    page = driver.open(files.path)
    shown = open_map(driver)
    stray = os.fsdecode(b"sha256/\xff.tmp")
    click(driver, shown, Place(space_of(shown).snapshot.find(stray)))
    driver.until(lambda: selected(driver) == stray)
    assert "⟨byte FF⟩.tmp" in shown.sentence.text()
    assert page.lens is page.blobs


def test_an_empty_store_has_an_empty_map(driver: Driver, tmp_path: Path) -> None:
    page = driver.open(LayoutFiles(tmp_path / "empty").path)
    driver.key(Qt.Key.Key_M, CONTROL)
    shown = page.space.map
    assert shown is not None
    driver.until(lambda: "Nothing takes space here yet" in shown.empty.words)
    assert shown.empty.isVisible()
    assert page.space.bar.note.text() == "Nothing in this store takes space yet"


# ----------------------------------------------------------------------------------------------------- an image


def open_picture(driver: Driver) -> tuple[FilesView, FilesPicture]:
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    tab = driver.page.inspector.tabs.files
    driver.until(lambda: tab.model is not None and tab.model.wish is not None)
    driver.qtbot.mouseClick(tab.choice.picture, Qt.MouseButton.LeftButton)
    assert tab.pictures.picture is not None
    until_drawn(driver, tab.pictures.picture)
    return tab, tab.pictures.picture


def node_of(tab: FilesView, path: bytes) -> int:
    assert tab.model is not None
    assert tab.model.wish is not None
    return tab.model.wish.files.tree.find(path)


def test_a_click_in_the_picture_of_files_is_a_click_in_the_tree(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    tab, picture = open_picture(driver)
    assert not tab.view.isVisible()
    click(driver, picture, Place(node_of(tab, b"usr/bin/large")))
    assert tab.current.path.text() == "/usr/bin/large"
    driver.qtbot.mouseClick(tab.choice.picture, Qt.MouseButton.LeftButton)
    assert tab.view.isVisible()
    assert tab.view.currentIndex().data() == "large"
    assert tab.view.visualRect(tab.view.currentIndex()).isValid(), "its folders are open"
    tab.view.setCurrentIndex(tab.view.currentIndex().siblingAtRow(1))
    driver.qtbot.mouseClick(tab.choice.picture, Qt.MouseButton.LeftButton)
    until_drawn(driver, picture)
    assert picture.map.current == Place(node_of(tab, b"usr/bin/middle"))


def test_through_the_picture_of_files_with_the_keyboard(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    tab, picture = open_picture(driver)
    picture.map.setFocus()
    driver.key(Qt.Key.Key_Home)
    assert tab.current.path.text() == "/usr/bin/large"
    driver.key(Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == "/usr/bin/large"
    driver.key(Qt.Key.Key_PageUp)
    assert tab.current.path.text() == "/usr/bin"
    driver.key(Qt.Key.Key_Return)
    folder = node_of(tab, b"usr/bin")
    driver.until(lambda: picture.shown is not None and picture.shown.place == Place(folder))
    until_drawn(driver, picture)
    assert picture.sentence.text().startswith("/usr/bin")
    driver.key(Qt.Key.Key_Backspace)
    driver.until(lambda: picture.shown is not None and picture.shown.place == Place(0))


def test_the_picture_shows_what_the_filter_and_the_layer_leave(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    tab, picture = open_picture(driver)
    assert picture.shown is not None
    whole = int(picture.shown.picture.cells.sizes[picture.shown.picture.cells.above < 0].sum())
    assert whole == 90_000 + 30_000 + 5 + 50_000
    tab.choice.line.setFocus()
    driver.qtbot.keyClicks(tab.choice.line, "srv")
    until_total(driver, picture, 50_000)
    driver.qtbot.keyClicks(tab.choice.line, "-not-there")
    driver.until(tab.empty.isVisible)
    tab.choice.show_everything()
    driver.until(picture.isVisible)
    tab.choice.layers.setFocus()
    driver.key(Qt.Key.Key_Up)
    until_total(driver, picture, 130_005)


def test_another_image_is_shown_from_its_root(driver: Driver, files: LayoutFiles) -> None:
    driver.open(files.path)
    tab, picture = open_picture(driver)
    click(driver, picture, Place(node_of(tab, b"usr/bin")))
    picture.map.setFocus()
    driver.key(Qt.Key.Key_Return)
    driver.until(lambda: picture.shown is not None and picture.shown.place == Place(node_of(tab, b"usr/bin")))
    driver.select("base:1.0")
    driver.until(lambda: picture.shown is not None and not picture.busy and picture.shown.place == Place(0))
    assert picture.shown is not None
    assert picture.sentence.text().startswith("/ ·")
