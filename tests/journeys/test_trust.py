"""From what is wrong to what helps: by mouse, by menu, by keyboard."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QPushButton, QToolButton

from engine.findings import Severity
from gui.dialogs.name_dialog import NameDialog
from gui.panels.places import BLOBS, DOCUMENT, IMAGES, PROBLEMS
from gui.panels.problems_view import ProblemsView
from tests.journeys.conftest import Driver
from tests.layouts import LayoutFiles

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout with a sound image."""
    made = LayoutFiles(tmp_path / "layout")
    made.name(made.image(b"a layer"), "app")
    return made


def open_problems(driver: Driver, path: Path) -> ProblemsView:
    """Open a store, and wait until it was held against the rules."""
    page = driver.open(path)
    driver.until(lambda: page.session.problems.checked is not None)
    return page.problems


def rules(problems: ProblemsView) -> list[str]:
    return [str(problems.model.index(row, 0).data()) for row in range(problems.model.rowCount())]


def tab_text(driver: Driver) -> str:
    return driver.page.lenses.tabText(PROBLEMS)


# ---------------------------------------------------------------------------------------------------------- remedies


def test_a_missing_marker_is_added_with_the_mouse(driver: Driver, files: LayoutFiles) -> None:
    (files.path / "oci-layout").unlink()
    problems = open_problems(driver, files.path)
    driver.message("layout is damaged: oci-layout is missing.")
    assert tab_text(driver) == "Problems 1"
    bar = driver.page.lenses.tabBar()
    driver.qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(PROBLEMS).center())
    driver.until(lambda: problems.finding is not None)
    driver.press("Add the file oci-layout", problems)
    driver.message("oci-layout was added.")
    driver.until(lambda: tab_text(driver) == "Problems 0")
    assert json.loads((files.path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}


def test_a_wrong_size_is_put_right_by_the_menu_and_taken_back(driver: Driver, files: LayoutFiles) -> None:
    size = files.entries[0]["size"]
    files.entries[0]["size"] = size + 1
    files.write_index()
    before = (files.path / "index.json").read_bytes()
    problems = open_problems(driver, files.path)
    driver.menu("View", "Problems")
    driver.until(lambda: problems.finding is not None and problems.finding.where == "manifests[0].size")
    menu = context_menu(driver, problems)
    next(action for action in menu.actions() if action.text() == "Write the right size").trigger()
    menu.close()
    driver.until(lambda: json.loads((files.path / "index.json").read_bytes())["manifests"][0]["size"] == size)
    driver.until(lambda: "A descriptor's size is not the content's" not in rules(problems))
    driver.menu("Edit", driver.window.commands.actions["undo"].text().replace("&", ""))
    driver.until(lambda: (files.path / "index.json").read_bytes() == before)


def context_menu(driver: Driver, problems: ProblemsView) -> QMenu:
    problems.view.customContextMenuRequested.emit(QPoint(5, 5))
    driver.until(lambda: [menu for menu in driver.window.findChildren(QMenu) if menu.isVisible()])
    return next(menu for menu in driver.window.findChildren(QMenu) if menu.isVisible())


def test_a_corrupt_blob_is_replaced_by_a_chosen_file_with_the_keyboard(
    driver: Driver, files: LayoutFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = files.blob(b"a layer")
    good, other = tmp_path / "good", tmp_path / "other"
    good.write_bytes(b"a layer")
    other.write_bytes(b"another layer")
    files.file(layer).write_bytes(b"A LAYER")
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_V, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    driver.until(lambda: tab_text(driver) == "Problems 1")
    driver.key(Qt.Key.Key_3, CONTROL)
    driver.until(lambda: problems.finding is not None and problems.finding.place == layer["digest"])
    for file, sentence in ((other, ""), (good, "has its own content again")):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, file=file: (str(file), ""))
        driver.until(lambda: problems.details.offers and problems.view.hasFocus())
        driver.key(Qt.Key.Key_F6)  # from the list to what is known of the problem
        for _ in range(len(problems.details.page.links) + 1):  # its links, then the button
            if not isinstance(QApplication.focusWidget(), QPushButton):
                driver.key(Qt.Key.Key_Tab)
        assert isinstance(QApplication.focusWidget(), QPushButton)
        driver.key(Qt.Key.Key_Space)
        driver.until(lambda: not driver.page.session.changing)
        if file is other:
            driver.message("other is not the content of")
            assert files.file(layer).read_bytes() == b"A LAYER", "only the right content may take the place"
        else:
            driver.message(sentence)
    assert files.file(layer).read_bytes() == b"a layer"
    driver.until(lambda: tab_text(driver) == "Problems 0")


def test_a_good_copy_that_is_dropped_repairs(driver: Driver, files: LayoutFiles, tmp_path: Path) -> None:
    layer = files.blob(b"a layer")
    good = tmp_path / "good"
    good.write_bytes(b"a layer")
    files.file(layer).write_bytes(b"A LAYER")
    open_problems(driver, files.path)
    driver.page.session.verify()
    driver.until(lambda: tab_text(driver) == "Problems 1")
    driver.page.show_lens(PROBLEMS)
    driver.drop(good)
    driver.message("has repaired a blob")
    driver.until(lambda: tab_text(driver) == "Problems 0")


def test_a_lost_image_is_added_again_under_a_name(driver: Driver, files: LayoutFiles) -> None:
    lost = files.image(b"lost layer")
    problems = open_problems(driver, files.path)
    driver.page.show_lens(PROBLEMS)
    finding = next(each for group in driver.page.session.problems.groups for each in group.findings if each.remedy)
    assert finding.place == lost["digest"]
    problems._select(problems.model.index_of(finding))
    driver.press("Add to the index", problems)
    dialog = driver.dialog(NameDialog)
    (line,) = dialog.findChildren(QLineEdit)
    line.setText("found:1")
    driver.press("Add to the index", dialog)
    driver.until(lambda: "found:1" in driver.names)
    driver.until(lambda: all(group.rule.id != finding.rule for group in driver.page.session.problems.groups))


def undo(driver: Driver, title: str) -> None:
    """Take back what was done last, which has this title."""
    session = driver.page.session
    driver.until(lambda: session.undoing.undo_title == title and not session.changing)
    driver.menu("Edit", f"Undo {title[:1].lower()}{title[1:]}")
    driver.message(f"Undone: {title}.")


@pytest.mark.parametrize("way", ["button", "context menu", "key"])
def test_all_places_of_a_rule_are_put_right_and_taken_back_as_one(driver: Driver, files: LayoutFiles, way: str) -> None:
    for n in range(2):
        files.name(files.image(f"layer {n}".encode()), f"tool:{n}")
    right = (files.path / "index.json").read_bytes()
    for entry in files.entries:
        entry["size"] += 1
    files.write_index()
    wrong = (files.path / "index.json").read_bytes()
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_3, CONTROL)
    driver.until(lambda: problems.finding is not None and problems.finding.where == "manifests[0].size")
    driver.until(lambda: len(problems.details.offers) == 2)
    words = "Write the right size in all 3 places"
    match way:
        case "button":
            driver.press(words, problems)
        case "context menu":
            menu = context_menu(driver, problems)
            next(action for action in menu.actions() if action.text() == words).trigger()
            menu.close()
        case _:
            button = next(each for each in problems.findChildren(QPushButton) if each.text() == words)
            driver.key(Qt.Key.Key_F6)
            for _ in range(20):
                if not button.hasFocus():
                    driver.key(Qt.Key.Key_Tab)
            driver.key(Qt.Key.Key_Space)
    driver.message("The right size was written in 3 places.")
    assert (files.path / "index.json").read_bytes() == right
    assert len(driver.page.session.store.trash()) == 1
    undo(driver, "Write the right sizes of 3 entries")
    assert (files.path / "index.json").read_bytes() == wrong
    driver.until(lambda: "A descriptor's size is not the content's" in rules(problems))


def test_lost_images_are_all_added_and_taken_back_as_one(driver: Driver, files: LayoutFiles) -> None:
    lost = [files.image(f"lost {n}".encode())["digest"] for n in range(2)]
    before = (files.path / "index.json").read_bytes()
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_3, CONTROL)
    found = [each for group in driver.page.session.problems.groups for each in group.findings if each.remedy]
    assert {each.place for each in found} == set(lost)
    problems._select(problems.model.index_of(found[0]))
    driver.press("Add to the index in all 2 places", problems)
    driver.message("2 images were added to the index.")
    undo(driver, "Add 2 images to the index")
    assert (files.path / "index.json").read_bytes() == before


def test_what_is_missing_is_put_there_from_a_chosen_file(
    driver: Driver, files: LayoutFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = files.blob(b"a layer")
    files.file(layer).unlink()
    good, other = tmp_path / "good", tmp_path / "other"
    good.write_bytes(b"a layer")
    other.write_bytes(b"another layer")
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_3, CONTROL)
    driver.until(lambda: problems.finding is not None and problems.finding.place == layer["digest"])
    for file, sentence in ((other, "other is not the content of"), (good, "is here now.")):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, file=file: (str(file), ""))
        driver.press("Choose a good copy", problems)
        driver.message(sentence)
        assert files.file(layer).exists() is (file is good), "only the right content may be put there"
    driver.until(lambda: tab_text(driver) == "Problems 0")


def test_what_is_damaged_is_told_and_shown(driver: Driver, files: LayoutFiles) -> None:
    (files.path / "oci-layout").unlink()
    problems = open_problems(driver, files.path)
    driver.message("layout is damaged: oci-layout is missing.")
    driver.press("Show all")
    assert driver.page.lens is problems
    driver.until(lambda: problems.finding is not None and problems.finding.place == "oci-layout")


# ------------------------------------------------------------------------------------------------------------- links


def test_a_path_leads_to_its_place_in_the_document(driver: Driver, files: LayoutFiles) -> None:
    files.entries[0]["size"] += 1
    files.write_index()
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_3, CONTROL)
    driver.until(lambda: len(problems.details.page.links) > 1)
    link = next(span for span in problems.details.page.links if span.text == "manifests[0].size")
    problems.details.page.activated.emit(link.target)
    inspector = driver.page.inspector
    driver.until(lambda: inspector.tabs.currentIndex() == DOCUMENT)
    size = files.entries[0]["size"]
    driver.until(lambda: inspector.tabs.document.text.selected_text() == f'"size": {size}')
    assert driver.page.lens is problems, "the list of problems stays"


def test_a_link_leads_to_the_blob(driver: Driver, files: LayoutFiles) -> None:
    layer = files.blob(b"a layer")
    files.file(layer).unlink()
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_3, CONTROL)
    driver.until(lambda: problems.finding is not None and problems.finding.place == layer["digest"])
    driver.until(lambda: driver.page.selection is not None and driver.page.selection.digest == layer["digest"])
    driver.until(lambda: [span for span in problems.details.page.links if span.text == "Layer 1 of 1 · app"])
    link = next(span for span in problems.details.page.links if span.text == "Layer 1 of 1 · app")
    problems.details.page.activated.emit(link.target)
    driver.until(lambda: driver.page.lenses.currentIndex() in (IMAGES, BLOBS))
    driver.until(lambda: driver.page.selection is not None and driver.page.selection.digest == layer["digest"])


def test_n_and_p_go_through_the_problems(driver: Driver, files: LayoutFiles) -> None:
    for n in range(3):
        layer = files.blob(f"layer {n}".encode())
        files.name(files.image(layer), f"app:{n}")
        files.file(layer).unlink()
    problems = open_problems(driver, files.path)
    driver.key(Qt.Key.Key_3, CONTROL)
    driver.until(lambda: problems.finding is not None)
    first = problems.finding
    driver.key(Qt.Key.Key_N)
    second = problems.finding
    assert second != first
    driver.key(Qt.Key.Key_P)
    assert problems.finding == first


# ------------------------------------------------------------------------------------------------------- deep, report


def test_a_deep_check_finds_what_no_document_tells(driver: Driver, files: LayoutFiles) -> None:
    layer = files.blob(b"no gzip at all", "application/vnd.oci.image.layer.v1.tar+gzip")
    files.name(files.image(layer, config={"rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}), "odd")
    problems = open_problems(driver, files.path)
    assert tab_text(driver) == "Problems 0"
    driver.menu("Tools", "Check deeply")
    driver.message("Every layer was read to its end:")
    driver.press("Show")
    assert driver.page.lens is problems
    driver.until(lambda: problems.finding is not None and problems.finding.severity is Severity.ERROR)
    checked = driver.page.session.problems.checked
    assert checked is not None
    assert (checked.deep, checked.was_not) == (True, "")


def test_reports_are_copied_and_saved(
    driver: Driver, files: LayoutFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files.path / "oci-layout").unlink()
    problems = open_problems(driver, files.path)
    driver.menu("Tools", "Copy report")
    driver.message("The report is on the clipboard")
    assert "## Error: The file oci-layout is missing" in QGuiApplication.clipboard().text()
    driver.page.show_lens(PROBLEMS)
    more = next(b for b in problems.findChildren(QToolButton) if b.accessibleName() == "Report and deep check")
    driver.qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    driver.until(lambda: [menu for menu in driver.window.findChildren(QMenu) if menu.isVisible()])
    for menu in driver.window.findChildren(QMenu):
        menu.close()
    for name, begins in (("a.json", "{"), ("b.md", "# "), ("c.txt", str(files.path))):
        target = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, target=target: (str(target), ""))
        driver.menu("Tools", "Save report as")
        driver.until(target.exists)
        driver.message(str(target))
        assert target.read_text().startswith(begins)
