"""Names and annotations in the index: another name, one that is taken, annotations; by menu, context menu and keyboard."""

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from gui.dialogs.name_dialog import NameDialog
from gui.panels.pair_editor import KEY
from gui.panels.places import ANNOTATIONS
from tests.journeys.conftest import Driver
from tests.layouts import NAME, LayoutFiles

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
WAYS = pytest.mark.parametrize("way", ["menu", "context menu", "key"])


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """An image with a name, an index of two more, and an image that is lost."""
    made = LayoutFiles(tmp_path / "layout")
    made.name(made.image(b"a layer"), "app:1.0")
    arm = made.image(b"arm", config={"architecture": "arm64"})
    amd = made.image(b"amd")
    platforms = [
        {**each, "platform": {"os": "linux", "architecture": arch}} for each, arch in ((arm, "arm64"), (amd, "amd64"))
    ]
    made.name(made.index(*platforms), "tool:2.0")
    return made


def entries(files: LayoutFiles) -> list[dict[str, Any]]:
    return json.loads((files.path / "index.json").read_bytes())["manifests"]


def choose(driver: Driver, title: str) -> None:
    """Choose from the context menu of what is selected."""
    view = driver.page.lens.view
    view.customContextMenuRequested.emit(view.visualRect(view.currentIndex()).center())
    driver.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    (action,) = (each for each in menu.actions() if each.text().replace("&", "").startswith(title))
    assert action.isEnabled()
    action.trigger()
    menu.close()


def ask_for_name(driver: Driver, way: str, title: str = "Add a name") -> NameDialog:
    match way:
        case "menu":
            driver.menu("Image", title)
        case "context menu":
            choose(driver, title)
        case "key":
            driver.key(Qt.Key.Key_F2, SHIFT)
    dialog = driver.dialog(NameDialog)
    assert isinstance(dialog, NameDialog)
    (line,) = dialog.findChildren(QLineEdit)
    driver.until(line.hasFocus)
    return dialog


def type_name(dialog: NameDialog, name: str) -> None:
    (line,) = dialog.findChildren(QLineEdit)
    line.setText(name)


def undo(driver: Driver, title: str) -> None:
    session = driver.page.session
    driver.until(lambda: session.undoing.undo_title == title and not session.changing)
    driver.menu("Edit", f"Undo {title[:1].lower()}{title[1:]}")
    driver.message(f"Undone: {title}.")


@WAYS
def test_an_image_gets_another_name_and_loses_it_again(driver: Driver, files: LayoutFiles, way: str) -> None:
    before = (files.path / "index.json").read_bytes()
    page = driver.open(files.path)
    driver.select("app:1.0")
    digest = page.selection.digest if page.selection else ""
    dialog = ask_for_name(driver, way)
    assert dialog.note.text() == "It has that name already."
    type_name(dialog, "app:latest")
    driver.key(Qt.Key.Key_Return)
    driver.until(lambda: driver.names == ["app:1.0", "tool:2.0", "app:latest"])
    assert entries(files)[2] == {**entries(files)[0], "annotations": {NAME: "app:latest"}}
    driver.until_known()
    assert page.selection is not None
    assert page.selection.digest == digest
    undo(driver, "Add app:latest to the index")
    driver.until(lambda: (files.path / "index.json").read_bytes() == before)


@WAYS
def test_an_image_inside_of_an_index_gets_a_name_of_its_own(driver: Driver, files: LayoutFiles, way: str) -> None:
    page = driver.open(files.path)
    inner = json.loads(files.file(entries(files)[1]["digest"]).read_bytes())["manifests"][0]
    driver.select("tool:2.0")
    driver.key(Qt.Key.Key_Right)
    driver.key(Qt.Key.Key_Down)
    driver.until(lambda: page.selection is not None and page.selection.digest == inner["digest"])
    dialog = ask_for_name(driver, way)
    type_name(dialog, "tool:2.0-arm64")
    driver.press("Add the name", dialog)
    driver.until(lambda: "tool:2.0-arm64" in driver.names)
    assert entries(files)[2] == {**inner, "annotations": {NAME: "tool:2.0-arm64"}}


@WAYS
def test_a_lost_image_gets_a_name_by_the_same_verb(driver: Driver, files: LayoutFiles, way: str) -> None:
    lost = files.image(b"lost")
    driver.open(files.path)
    driver.select_blob(lost["digest"])
    dialog = ask_for_name(driver, way, "Add to the index")
    type_name(dialog, "found:1")
    driver.press("Add to the index", dialog)
    driver.until(lambda: "found:1" in driver.names)


@pytest.mark.parametrize("verb", ["Add a name", "Rename"])
def test_a_name_that_is_taken_moves_after_that_was_said(driver: Driver, files: LayoutFiles, verb: str) -> None:
    before = (files.path / "index.json").read_bytes()
    driver.open(files.path)
    driver.select("app:1.0")
    driver.menu("Image", verb)
    dialog = driver.dialog(NameDialog)
    assert isinstance(dialog, NameDialog)
    type_name(dialog, "tool:2.0")
    assert dialog.note.text().startswith("tool:2.0 stands for sha256:")
    assert dialog.note.text().endswith("It moves here, and what has it now keeps an entry without a name.")
    driver.press("Add the name" if verb == "Add a name" else "Rename", dialog)
    digests = [entry["digest"] for entry in entries(files)]
    driver.until(lambda: (files.path / "index.json").read_bytes() != before)
    after = [(entry["digest"], entry.get("annotations", {}).get(NAME)) for entry in entries(files)]
    if verb == "Rename":
        assert after == [(digests[0], "tool:2.0"), (digests[1], None)]
        undo(driver, "Rename app:1.0")
    else:
        assert after == [(digests[0], "app:1.0"), (digests[1], None), (digests[0], "tool:2.0")]
        undo(driver, "Add tool:2.0 to the index")
    driver.until(lambda: (files.path / "index.json").read_bytes() == before)


@WAYS
def test_an_entry_is_annotated_and_that_is_taken_back(driver: Driver, files: LayoutFiles, way: str) -> None:
    before = (files.path / "index.json").read_bytes()
    page = driver.open(files.path)
    editor = page.inspector.tabs.annotations
    driver.select("app:1.0")
    match way:
        case "menu":
            driver.menu("Image", "Annotate")
        case "context menu":
            choose(driver, "Annotate")
        case "key":
            driver.key(Qt.Key.Key_A, CONTROL | SHIFT)
    driver.until(editor.form.key_line.hasFocus)
    driver.qtbot.keyClicks(editor.form.key_line, "com.example.team")
    driver.key(Qt.Key.Key_Tab)
    driver.until(editor.form.value_box.hasFocus)
    driver.qtbot.keyClicks(editor.form.value_box, "web")
    driver.key(Qt.Key.Key_Return, CONTROL)
    driver.message("com.example.team of app:1.0 in the index was saved.")
    driver.until(lambda: editor.table.rowCount() == 1 and not editor.form.isVisible())
    assert editor.table.item(0, KEY).text() == "com.example.team"
    assert entries(files)[0]["annotations"] == {NAME: "app:1.0", "com.example.team": "web"}
    undo(driver, "Annotate app:1.0")
    driver.until(lambda: (files.path / "index.json").read_bytes() == before)
    driver.until(lambda: editor.table.rowCount() == 0)


def test_an_annotation_is_changed_and_removed_with_the_keyboard(driver: Driver, files: LayoutFiles) -> None:
    files.entries[0]["annotations"]["com.example.team"] = "web"
    files.write_index()
    page = driver.open(files.path)
    editor = page.inspector.tabs.annotations
    driver.select("app:1.0")
    driver.key(Qt.Key.Key_8, Qt.KeyboardModifier.AltModifier)
    driver.until(lambda: page.inspector.tabs.currentIndex() == ANNOTATIONS and editor.table.hasFocus())
    driver.key(Qt.Key.Key_Down)
    driver.key(Qt.Key.Key_Return)
    driver.until(editor.form.value_box.hasFocus)
    editor.form.value_box.selectAll()
    driver.qtbot.keyClicks(editor.form.value_box, "shop")
    driver.key(Qt.Key.Key_Return, CONTROL)
    driver.until(lambda: entries(files)[0]["annotations"]["com.example.team"] == "shop")
    driver.until(lambda: not editor.form.isVisible() and not page.session.changing)
    editor.table.setFocus()
    editor.table.selectRow(0)
    driver.key(Qt.Key.Key_Delete)
    driver.message("com.example.team of app:1.0 in the index was removed.")
    assert "com.example.team" not in entries(files)[0]["annotations"]
