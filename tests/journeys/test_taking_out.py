"""Taking things out of a store: extracted by menu and key, dragged, copied, saved; and what is told where that fails."""

import gzip
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt, QUrl
from PySide6.QtGui import QDrag, QDragEnterEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from engine import extracting
from engine.progress import Progress
from gui import handing_out, taking_out
from gui.dialogs.import_dialog import ImportDialog
from gui.dialogs.taken_dialog import TakenDialog
from gui.models.blob_cells import Column
from gui.models.file_tree import FileTree
from gui.panels.drag_out import files_as_data
from gui.panels.places import FILES
from tests.archives import END, file, header
from tests.journeys._screen import FILE_MANAGER, PROGRAMS, Screen
from tests.journeys.conftest import Driver, digest_of
from tests.layouts import LAYER, LayoutFiles, tree

ALT, CONTROL, SHIFT, NOTHING = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.NoModifier,
)
BASE = file(b"etc/passwd", b"root") + file(b"etc/motd", b"hello") + file(b"usr/bin/tool", bytes(5000)) + END
TOP = (
    file(b"etc/passwd", b"root:x")
    + header(b"etc/null", b"3")
    + header(b"etc/out", b"2", link=b"/dev/null")
    + file(b"srv/app.py", b"print(1)")
    + END
)
TITLE = {"org.opencontainers.image.title": "release notes.txt"}
NOTES = b"what is new"


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout with an image of two layers, and an artifact."""
    files = LayoutFiles(tmp_path / "layout")
    lower = files.blob(gzip.compress(BASE), f"{LAYER}+gzip")
    files.name(files.image(lower, TOP), "example.org/app:1.0")
    notes = files.blob(NOTES, "text/plain", annotations=TITLE)
    files.name(files.image(notes, artifactType="application/x-notes"), "notes:1")
    return files


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with which dialogs are answered."""
    target = tmp_path / "out"
    target.mkdir()
    answer(monkeypatch, target)
    return target


def answer(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))


class Drags(list[list[Path]]):
    """The files of every drag that was begun; the platform of the tests has no drags of its own."""

    def begin(self, drag: QDrag, actions: Qt.DropAction, _default: Qt.DropAction) -> Qt.DropAction:
        assert actions is Qt.DropAction.CopyAction, "a move would take the file away from where it is"
        data = drag.mimeData()
        self.append([Path(url.toLocalFile()) for url in data.urls()])
        encoded = [url.toString(QUrl.ComponentFormattingOption.FullyEncoded) for url in data.urls()]
        assert bytes(data.data("x-special/gnome-copied-files").data()).decode().splitlines() == ["copy", *encoded]
        assert not drag.pixmap().isNull()
        return Qt.DropAction.CopyAction


@pytest.fixture
def drags(monkeypatch: pytest.MonkeyPatch) -> Drags:
    drags = Drags()
    monkeypatch.setattr(QDrag, "exec", lambda drag, *actions: drags.begin(drag, *actions))
    return drags


def show_files(driver: Driver, files: LayoutFiles) -> FileTree:
    """Open the Files tab of the image, with the keyboard in its tree."""
    tabs = driver.open(files.path).inspector.tabs
    driver.select("example.org/app:1.0")
    driver.key(Qt.Key.Key_3, ALT)
    driver.until(lambda: tabs.files.model is not None and tabs.files.model.wish is not None)
    assert tabs.currentIndex() == FILES
    assert tabs.files.model is not None
    return tabs.files.model


def row_of(driver: Driver, model: FileTree, *names: str) -> QPoint:
    """Where a path is in the tree, once the folders above it are open."""
    view, found = driver.page.inspector.tabs.files.view, QModelIndex()
    for name in names:
        view.expand(found)
        below = [model.index(row, 0, found) for row in range(model.rowCount(found))]
        found = next(index for index in below if index.data() == name)
    view.scrollTo(found)
    return view.visualRect(found).center()


def click(driver: Driver, model: FileTree, *names: str, held: Qt.KeyboardModifier = NOTHING) -> None:
    viewport = driver.page.inspector.tabs.files.view.viewport()
    driver.qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, held, row_of(driver, model, *names))


def begin_drag(driver: Driver, model: FileTree, *names: str) -> None:
    """Press on a path, and move the mouse out of the list with the button down."""
    begin_drag_at(driver.qtbot, driver.page.inspector.tabs.files.view.viewport(), row_of(driver, model, *names))


def begin_drag_at(qtbot: QtBot, viewport: object, place: QPoint) -> None:
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, NOTHING, place)
    for step in (4, 40, 400):
        qtbot.mouseMove(viewport, place - QPoint(step, 0))


def let_go(driver: Driver) -> None:
    viewport = driver.page.inspector.tabs.files.view.viewport()
    driver.qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, NOTHING, QPoint(-400, 0))


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def slowly(real: Callable[..., extracting.Extraction]) -> Callable[..., extracting.Extraction]:
    """The same, but it does not begin before it is cancelled."""

    def wait(*arguments: object, **more: object) -> extracting.Extraction:
        progress = next(each for each in arguments if isinstance(each, Progress))
        progress.start("Extracting", 100)
        while not progress.cancelled:
            progress.check()
        return real(*arguments, **more)

    return wait


# ---------------------------------------------------------------------------------------------------- extracting


@pytest.mark.parametrize("way", ["menu", "key", "context menu"])
def test_a_folder_is_extracted(driver: Driver, files: LayoutFiles, target: Path, way: str) -> None:
    model = show_files(driver, files)
    before = tree(files.path)
    click(driver, model, "etc")
    match way:
        case "menu":
            driver.menu("Image", "Extract to")
        case "key":
            driver.key(Qt.Key.Key_E)
        case "context menu":
            driver.page.inspector.tabs.files.view.customContextMenuRequested.emit(row_of(driver, model, "etc"))
            menu = QApplication.activePopupWidget()
            assert isinstance(menu, QMenu)
            next(action for action in menu.actions() if action.text() == "E&xtract to…").trigger()
            menu.close()
    driver.message(f"2 files and 1 folder (11 bytes) were extracted to {target}. 2 were left out, the first, ")
    assert names_in(target) == ["etc", "etc/motd", "etc/passwd"]
    assert (target / "etc/passwd").read_bytes() == b"root:x"
    assert tree(files.path) == before


def test_several_files_are_extracted_with_the_keyboard_alone(driver: Driver, files: LayoutFiles, target: Path) -> None:
    (target / "motd").write_text("mine")
    show_files(driver, files)
    driver.key(Qt.Key.Key_Right)
    driver.key(Qt.Key.Key_Down)
    for _ in range(3):
        driver.key(Qt.Key.Key_Down, SHIFT)
    driver.key(Qt.Key.Key_E)
    driver.message("2 files (11 bytes) were extracted to")
    assert names_in(target) == ["motd", "motd (2)", "passwd"]
    assert (target / "motd").read_text() == "mine"
    (message,) = driver.window.messages.messages
    assert "motd is called motd (2) there." in message.sentence
    driver.press("Show what is different")
    dialog = driver.dialog(TakenDialog)
    assert isinstance(dialog, TakenDialog)
    items = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    assert [(item.text(0), item.text(1)) for item in items if item] == [
        ("etc/null", "Left out: It is neither a file nor a folder nor a symbolic link."),
        ("etc/out", "Left out: It is a symbolic link to something that is not extracted with it."),
        ("etc/motd", "Is called motd (2)"),
    ]
    dialog.close()


def test_in_the_list_of_images_all_files_of_the_image_are_extracted(
    driver: Driver, files: LayoutFiles, target: Path
) -> None:
    driver.open(files.path)
    driver.select("example.org/app:1.0")
    driver.key(Qt.Key.Key_E)
    driver.message("4 files, 5 folders and 1 link (5.0 kB) were extracted to")
    driver.message("1 link was rewritten to stay inside: out → ../dev/null. null was left out: it is")
    assert (target / "app:1.0/srv/app.py").read_bytes() == b"print(1)"
    assert (target / "app:1.0/usr/bin/tool").stat().st_size == 5000


def test_at_another_layer_its_files_are_extracted(driver: Driver, files: LayoutFiles, target: Path) -> None:
    model = show_files(driver, files)
    driver.page.inspector.tabs.files.choice.layers.setFocus()
    driver.key(Qt.Key.Key_Up)
    driver.until(lambda: model.rowCount() == 2)
    click(driver, model, "etc", "passwd")
    driver.key(Qt.Key.Key_E)
    driver.message("passwd (4 bytes) was extracted to")
    assert (target / "passwd").read_bytes() == b"root"


def test_what_was_extracted_is_shown_where_it_lies(
    driver: Driver, files: LayoutFiles, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Path] = []
    monkeypatch.setattr(handing_out, "show_file", lambda path, _parent: shown.append(path))
    click(driver, show_files(driver, files), "srv")
    driver.key(Qt.Key.Key_E)
    driver.press("Show in file manager")
    assert shown == [target / "srv"]


def test_letters_of_a_name_that_is_typed_are_no_commands(driver: Driver, files: LayoutFiles, target: Path) -> None:
    show_files(driver, files)
    view = driver.page.inspector.tabs.files.view
    for key in (Qt.Key.Key_U, Qt.Key.Key_S, Qt.Key.Key_E):
        driver.key(key)
    assert view.currentIndex().data() == "usr"
    assert names_in(target) == []


def test_only_what_can_be_taken_out_is_offered(driver: Driver, files: LayoutFiles) -> None:
    files.file(digest_of(NOTES)).unlink()
    page = driver.open(files.path)
    extract, save = (driver.window.commands.actions[key] for key in ("extract", "save blob"))
    driver.select("example.org/app:1.0")
    assert (extract.isEnabled(), save.isEnabled()) == (True, True)
    snapshot = page.session.snapshot
    assert snapshot is not None
    config, base, *_ = snapshot.children(snapshot.find(files.entries[0]["digest"]))
    driver.select_blob(config.descriptor.digest)
    assert (extract.isEnabled(), save.isEnabled()) == (False, True)
    driver.select_blob(base.descriptor.digest)
    assert (extract.isEnabled(), save.isEnabled()) == (True, True)
    driver.select_blob(digest_of(NOTES))
    assert (extract.isEnabled(), save.isEnabled()) == (False, False)


def test_without_an_answer_nothing_is_made(driver: Driver, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    click(driver, show_files(driver, files), "srv")
    driver.key(Qt.Key.Key_E)
    assert not driver.page.session.jobs
    assert not driver.window.messages.messages


# ----------------------------------------------------------------------------------------------- where it fails


def test_a_folder_that_has_vanished_is_told_and_another_can_be_chosen(
    driver: Driver, files: LayoutFiles, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(driver, show_files(driver, files), "srv")
    answer(monkeypatch, target / "gone")
    driver.key(Qt.Key.Key_E)
    driver.message("out/gone failed: No such file or directory. Choose a folder that you can write to.")
    answer(monkeypatch, target)
    driver.press("Choose another folder")
    driver.message("1 file and 1 folder (8 bytes) were extracted to")
    assert names_in(target) == ["srv", "srv/app.py"]


def test_nothing_is_written_into_the_store_itself(
    driver: Driver, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(driver, show_files(driver, files), "srv")
    before = tree(files.path)
    answer(monkeypatch, files.path / "blobs")
    driver.key(Qt.Key.Key_E)
    driver.message("is in the store itself")
    assert tree(files.path) == before


def test_where_there_is_no_room_nothing_is_begun(
    driver: Driver, files: LayoutFiles, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = os.statvfs_result((4096, 4096, 100, 1, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(extracting.os, "fstatvfs", lambda _: room)
    click(driver, show_files(driver, files), "usr")
    driver.key(Qt.Key.Key_E)
    driver.message("Choose less, or another place.")
    assert names_in(target) == []


def test_of_a_damaged_layer_what_can_be_read_is_extracted_where_that_is_wanted(
    driver: Driver, files: LayoutFiles, target: Path
) -> None:
    content = os.urandom(400_000)
    damaged = files.blob(gzip.compress(file(b"d/a", b"1") + file(b"d/big", content) + END), f"{LAYER}+gzip")
    files.name(files.image(damaged), "damaged:1")
    with files.file(damaged).open("r+b") as blob:
        blob.truncate(200_000)
    driver.open(files.path)
    driver.select("damaged:1")
    driver.key(Qt.Key.Key_E)
    driver.message("cannot be read up to there")
    assert names_in(target) == []
    driver.press("Extract what can be read")
    driver.message("1 file and 2 folders (1 byte) were extracted to")
    driver.message("2 were left out, the first, layer 1, because it could be read only in part")
    assert names_in(target) == ["damaged:1", "damaged:1/d", "damaged:1/d/a"]


def test_what_is_stopped_leaves_nothing(
    driver: Driver, files: LayoutFiles, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extracting, "extract", slowly(extracting.extract))
    click(driver, show_files(driver, files), "usr")
    driver.key(Qt.Key.Key_E)
    driver.until(lambda: driver.page.session.jobs)
    driver.key(Qt.Key.Key_Escape)
    driver.message(f"Extracting usr was stopped. Nothing of it is in {target}.")
    assert names_in(target) == []


# ------------------------------------------------------------------------------------------------------ dragging


def test_files_are_dragged_out_as_copies_that_stay_until_the_program_ends(
    driver: Driver, files: LayoutFiles, drags: Drags
) -> None:
    model = show_files(driver, files)
    click(driver, model, "srv")
    click(driver, model, "etc", "motd", held=CONTROL)
    begin_drag(driver, model, "srv")
    driver.until(lambda: drags)
    motd, srv = sorted(drags[0])
    assert (motd.name, motd.read_bytes()) == ("motd", b"hello")
    assert (srv / "app.py").read_bytes() == b"print(1)"
    assert not motd.is_relative_to(files.path)
    assert stat.S_IMODE(motd.parent.parent.stat().st_mode) == 0o700
    selected = driver.page.inspector.tabs.files.view.selectionModel().selectedRows()
    assert {index.data() for index in selected} == {"srv", "motd"}, "they stay selected"
    begin_drag(driver, model, "etc", "passwd")
    driver.until(lambda: len(drags) == 2)
    assert [path.name for path in drags[1]] == ["passwd"], "what is not selected is dragged by its name"
    driver.menu("File", "Close tab")
    assert motd.exists(), "the other program may not have read it yet"
    driver.window.end()
    assert not motd.parent.parent.exists()


def test_what_is_left_out_of_a_drag_is_told(driver: Driver, files: LayoutFiles, drags: Drags) -> None:
    model = show_files(driver, files)
    begin_drag(driver, model, "etc")
    driver.until(lambda: drags)
    assert names_in(drags[0][0]) == ["motd", "passwd"]
    driver.message("2 were left out")


def test_what_is_too_large_for_a_drag_can_be_extracted_instead(
    driver: Driver, files: LayoutFiles, drags: Drags, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_out, "MOST_COPIED", 4000)
    model = show_files(driver, files)
    begin_drag(driver, model, "usr")
    driver.message("usr is too large to be copied or dragged: it has 5.0 kB, and 4.0 kB is the most.")
    let_go(driver)
    assert not drags
    driver.press("Extract to")
    driver.message("1 file and 2 folders (5.0 kB) were extracted to")
    assert (target / "usr/bin/tool").exists()


def test_what_is_not_ready_when_the_button_is_let_go_can_be_extracted_instead(
    driver: Driver, files: LayoutFiles, drags: Drags, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = extracting.extract
    monkeypatch.setattr(extracting, "extract", slowly(real))
    model = show_files(driver, files)
    begin_drag(driver, model, "srv")
    driver.until(lambda: driver.page.session.jobs)
    let_go(driver)
    driver.message("srv was not ready yet when the button was let go.")
    driver.until(lambda: not driver.page.session.jobs)
    monkeypatch.setattr(extracting, "extract", real)
    driver.press("Extract to")
    driver.message("1 file and 1 folder (8 bytes) were extracted to")
    assert names_in(target) == ["srv", "srv/app.py"]
    assert not drags


def test_a_blob_is_dragged_out_as_a_copy_under_its_name(driver: Driver, files: LayoutFiles, drags: Drags) -> None:
    page = driver.open(files.path)
    driver.select_blob(digest_of(NOTES))
    view = page.blobs.view
    place = view.visualRect(view.currentIndex().siblingAtColumn(0)).center()
    begin_drag_at(driver.qtbot, view.viewport(), place)
    driver.until(lambda: drags)
    ((copy,),) = drags
    assert (copy.name, copy.read_bytes()) == ("release notes.txt", NOTES)
    assert not copy.samefile(files.file(digest_of(NOTES)))


def test_beside_the_names_the_mouse_still_selects_rows(driver: Driver, files: LayoutFiles, drags: Drags) -> None:
    page = driver.open(files.path)
    page.show_lens(1)
    view, mouse = page.blobs.view, Qt.MouseButton.LeftButton
    first, last = (view.visualRect(view.model().index(row, Column.SIZE)).center() for row in (0, 2))
    driver.qtbot.mouseClick(view.viewport(), mouse, pos=view.visualRect(view.model().index(4, 0)).center())
    driver.qtbot.mousePress(view.viewport(), mouse, NOTHING, first)
    driver.qtbot.mouseMove(view.viewport(), (first + last) / 2)
    driver.qtbot.mouseMove(view.viewport(), last)
    driver.qtbot.mouseRelease(view.viewport(), mouse, NOTHING, last)
    assert len(view.selectionModel().selectedRows()) == 3
    assert not drags
    assert not page.session.jobs


def test_what_is_dragged_out_is_not_dropped_into_the_same_window(
    driver: Driver, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QDragEnterEvent, "source", lambda _: driver.page)
    driver.open(files.path)
    data = files_as_data([files.path / "oci-layout"])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    event = QDragEnterEvent(QPoint(300, 300), copy, data, left, NOTHING)
    QApplication.sendEvent(driver.window, event)
    assert not event.isAccepted()


# ----------------------------------------------------------------------------------------------- the clipboard


@pytest.mark.parametrize("way", ["menu", "key"])
def test_files_are_copied_for_a_file_manager(driver: Driver, files: LayoutFiles, way: str) -> None:
    click(driver, show_files(driver, files), "srv")
    if way == "menu":
        driver.menu("Edit", "Copy files")
    else:
        driver.key(Qt.Key.Key_E, CONTROL)
    driver.message("srv can be pasted in a file manager, until Blobscope is closed.")
    data = QGuiApplication.clipboard().mimeData()
    (url,) = data.urls()
    assert (Path(url.toLocalFile()) / "app.py").read_bytes() == b"print(1)"
    assert bytes(data.data("x-special/gnome-copied-files").data()).startswith(b"copy\nfile:///")
    driver.window.end()
    data = QGuiApplication.clipboard().mimeData()
    assert data is None or not data.hasUrls(), "they are gone, and cannot be pasted"


def test_what_was_copied_can_be_imported(driver: Driver, files: LayoutFiles) -> None:
    click(driver, show_files(driver, files), "srv", "app.py")
    driver.key(Qt.Key.Key_E, CONTROL)
    driver.message("app.py can be pasted")
    driver.key(Qt.Key.Key_V, CONTROL)
    driver.press("Import 1 file (8 bytes)", driver.dialog(ImportDialog))
    driver.message("app.py was imported into layout")


def test_paths_are_copied_one_a_line(driver: Driver, files: LayoutFiles) -> None:
    model = show_files(driver, files)
    click(driver, model, "srv", "app.py")
    click(driver, model, "etc", held=CONTROL)
    driver.menu("Edit", "Copy path")
    driver.message("Copied the paths, one a line.")
    assert QGuiApplication.clipboard().text() == "/etc\n/srv/app.py"
    driver.key(Qt.Key.Key_1, ALT)
    driver.menu("Edit", "Copy path")
    driver.message("Select files in the Files tab, then copy their paths.")


# -------------------------------------------------------------------------------------------------- saving blobs


@pytest.mark.parametrize("way", ["menu", "key"])
def test_a_blob_is_saved_under_the_name_that_it_has(
    driver: Driver, files: LayoutFiles, target: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    asked: list[str] = []

    def save(_window: object, _title: str, start: str, **_more: object) -> tuple[str, str]:
        asked.append(Path(start).name)
        return str(target / "notes"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", save)
    (target / "notes").write_text("mine")
    driver.open(files.path)
    driver.select_blob(digest_of(NOTES))
    if way == "menu":
        driver.menu("Image", "Save blob as")
    else:
        driver.key(Qt.Key.Key_S, CONTROL)
    driver.message(f"notes (2) (11 bytes) was saved in {target}. notes is called notes (2) there.")
    assert asked == ["release notes.txt"]
    assert (target / "notes (2)").read_bytes() == NOTES
    assert (target / "notes").read_text() == "mine"


def test_the_layer_that_is_current_among_the_layers_is_saved_and_dragged(
    driver: Driver, files: LayoutFiles, target: Path, drags: Drags, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(target / "base.tar.gz"), ""))
    tabs = driver.open(files.path).inspector.tabs
    driver.select("example.org/app:1.0")
    driver.key(Qt.Key.Key_2, ALT)
    driver.key(Qt.Key.Key_Home, CONTROL)
    driver.key(Qt.Key.Key_S, CONTROL)
    driver.message("base.tar.gz (")
    assert gzip.decompress((target / "base.tar.gz").read_bytes()) == BASE
    view = tabs.layers.view
    begin_drag_at(driver.qtbot, view.viewport(), view.visualRect(view.model().index(1, 0)).center())
    driver.until(lambda: drags)
    ((copy,),) = drags
    assert (copy.name[:6], copy.suffix, copy.read_bytes()) == ("layer-", ".tar", TOP)


def test_a_corrupt_blob_is_saved_only_when_that_is_wanted(
    driver: Driver, files: LayoutFiles, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(target / "notes"), ""))
    files.file(digest_of(NOTES)).write_bytes(b"WHAT IS NEW")
    driver.open(files.path)
    driver.select_blob(digest_of(NOTES))
    driver.key(Qt.Key.Key_S, CONTROL)
    driver.until(lambda: driver.window.messages.messages)
    assert names_in(target) == []
    driver.press("Save it all the same")
    driver.message("notes (11 bytes) was saved in")
    driver.message("It is from something corrupt, and may not be what it should be.")
    assert (target / "notes").read_bytes() == b"WHAT IS NEW"


def test_several_blobs_are_saved_in_a_folder_also_where_one_of_them_is_corrupt(
    driver: Driver, files: LayoutFiles, target: Path
) -> None:
    files.file(digest_of(NOTES)).write_bytes(b"WHAT IS NEW")
    page = driver.open(files.path)
    page.show_lens(1)
    page.blobs.view.selectAll()
    driver.until(lambda: len(page.selected) == 7)
    driver.key(Qt.Key.Key_S, CONTROL)
    driver.message("6 blobs")
    driver.message("was left out")
    assert len(names_in(target)) == 6
    assert any(name.startswith("layer-") and name.endswith(".tar.gz") for name in names_in(target))
    assert any(name.startswith("manifest-") and name.endswith(".json") for name in names_in(target))


# -------------------------------------------------------------------------------------------- on a real screen


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    folder = tmp_path / "printed"
    folder.mkdir()
    with Screen(folder) as screen:
        yield screen


@pytest.mark.needs(*PROGRAMS)
def test_the_keyboard_alone_extracts_a_folder(screen: Screen, files: LayoutFiles, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    screen.open_blobscope(files.path, "--select", "example.org/app:1.0")
    screen.find("table cell", "example.org/app:1.0", state="focused")
    screen.key("alt+3")
    screen.find("table cell", "etc, folder", state="focused")
    screen.key("Down", "e")
    screen.find("text", "Directory", state="focused")
    screen.type(str(target))
    screen.key("Return")
    screen.find("label", f"1 file and 1 folder (8 bytes) were extracted to {target}.")
    assert (target / "srv/app.py").read_bytes() == b"print(1)"


@pytest.mark.needs(*PROGRAMS, *FILE_MANAGER)
def test_a_folder_dragged_into_a_file_manager_arrives_there(screen: Screen, files: LayoutFiles, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    desk.mkdir()
    before = tree(files.path)
    screen.open_blobscope(files.path, "--select", "example.org/app:1.0")
    screen.put_at_right("layout")
    place = screen.open_empty_file_manager(desk)
    screen.bring("layout")
    screen.find("table cell", "example.org/app:1.0", state="selected")
    screen.key("alt+3")
    row = screen.find("table cell", "srv, folder")
    with screen.dragged(row, place):
        screen.carry("blobscope", place)
    screen.until((desk / "srv/app.py").exists, "the file")
    assert (desk / "srv/app.py").read_bytes() == b"print(1)"
    assert tree(files.path) == before


@pytest.mark.needs(*PROGRAMS, *FILE_MANAGER)
def test_a_folder_that_is_copied_can_be_pasted_in_a_file_manager(
    screen: Screen, files: LayoutFiles, tmp_path: Path
) -> None:
    desk = tmp_path / "desk"
    desk.mkdir()
    screen.open_blobscope(files.path, "--select", "example.org/app:1.0")
    screen.put_at_right("layout")
    place = screen.open_empty_file_manager(desk)
    screen.bring("layout")
    screen.find("table cell", "example.org/app:1.0", state="focused")
    screen.key("alt+3")
    screen.find("table cell", "etc, folder", state="focused")
    screen.key("Down", "ctrl+e")
    screen.find("label", "srv can be pasted in a file manager, until Blobscope is closed.")
    screen.bring("desk")
    screen.click(place)
    screen.key("ctrl+v")
    screen.until((desk / "srv/app.py").exists, "the file")
    assert (desk / "srv/app.py").read_bytes() == b"print(1)"
