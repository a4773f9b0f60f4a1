"""Taking back: delete, undo, restart, undo again; the trash; the clean-up with its bins; by mouse, menu and keyboard."""

from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

import gui.session
from engine.cleanup import plan_cleanup
from engine.removal import PlannedBlob, plan_removal
from engine.snapshot import State
from gui.dialogs.cleanup_dialog import CleanupDialog
from gui.dialogs.name_dialog import NameDialog
from gui.main_window import MainWindow
from gui.models.cleanup_tables import CHECK
from gui.panels.places import TRASH
from gui.settings import Settings
from tests.journeys.conftest import Driver
from tests.layouts import LayoutFiles, tree

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NAME = "example.org/web:1.0"


def content(path: Path) -> dict[str, bytes]:
    """Every file of a store but what waits in its trash."""
    return {name: raw for name, (_, _, raw) in tree(path).items() if ".blobscope-trash" not in name and raw}


def delete(driver: Driver, name: str = NAME) -> None:
    """Delete an image with what only it needs, with the keyboard."""
    driver.select(name)
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: driver.page.removal.isVisible())
    driver.press("Delete and move", driver.page.removal)
    driver.until(lambda: name not in driver.names)
    driver.until(lambda: driver.page.session.undoing.trash)
    settle(driver)


def settle(driver: Driver) -> None:
    """Wait until nothing changes any more, and the lists show it."""
    session = driver.page.session
    driver.until(lambda: not session.changing and not session._scanner.running and not session.undoing._reading)
    driver.until_known()


def answer(driver: Driver, words: str) -> None:
    """Press a button of the question that is asked next."""

    def press() -> None:
        boxes = [box for box in QApplication.topLevelWidgets() if isinstance(box, QMessageBox) and box.isVisible()]
        for button in (button for box in boxes for button in box.findChildren(QPushButton)):
            if words in button.text().replace("&", ""):
                button.click()

    QTimer.singleShot(100, driver.window, press)


@pytest.mark.parametrize("way", ["key", "menu", "message"])
def test_what_was_deleted_comes_back(driver: Driver, sample: Path, way: str) -> None:
    driver.open(sample)
    before = content(sample)
    delete(driver)
    match way:
        case "key":
            driver.key(Qt.Key.Key_Z, CONTROL)
        case "menu":
            driver.menu("Edit", f"Undo delete {NAME}")
        case "message":
            driver.press("Undo", driver.window.messages)
    driver.message(f"Undone: Delete {NAME}.")
    settle(driver)
    assert content(sample) == before
    assert len(driver.window.messages.messages) == 1, "what is undone is not offered any more"
    assert driver.page.selection is not None
    assert driver.page.selection.digest in {
        entry.descriptor.digest
        for entry in (driver.page.session.snapshot.entries if driver.page.session.snapshot else ())
        if NAME in entry.names
    }, "what came back is selected"


def test_undo_goes_on_after_a_restart_and_redo_after_that(
    driver: Driver, qtbot: QtBot, settings: Settings, sample: Path
) -> None:
    driver.open(sample)
    before = content(sample)
    delete(driver, "example.org/web:1.0")
    delete(driver, "example.org/tool:2.0")
    driver.key(Qt.Key.Key_Z, CONTROL)
    driver.until(lambda: "example.org/tool:2.0" in driver.names)
    settle(driver)
    driver.window.close()

    window = MainWindow(settings)
    qtbot.addWidget(window)
    window.show()
    later = Driver(qtbot, window)
    later.open(sample)
    settle(later)
    later.menu("Edit", f"Undo delete {NAME}")
    later.until(lambda: NAME in later.names)
    settle(later)
    assert content(sample) == before
    action = window.commands.actions["undo"]
    assert not action.isEnabled()
    later.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    later.until(lambda: NAME not in later.names)
    settle(later)
    assert action.isEnabled()


def test_after_a_removal_its_neighbour_is_selected_and_the_keyboard_goes_on(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select(NAME)
    row = page.images.view.currentIndex().row()
    delete(driver)
    driver.until(lambda: page.selection is not None)
    assert page.images.view.currentIndex().row() == row
    assert page.inspector.selection == page.selection
    assert page.images.view.hasFocus()


def test_going_to_the_blobs_shows_there_what_was_looked_at(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select(NAME)
    digest = page.selection.digest if page.selection else ""
    driver.key(Qt.Key.Key_2, CONTROL)
    driver.until(lambda: page.lens is page.blobs and page.selection is not None)
    assert page.selection is not None
    assert page.selection.digest == digest
    assert page.inspector.selection is not None
    assert page.inspector.selection.digest == digest


@pytest.mark.parametrize("way", ["key", "button", "menu", "double click"])
def test_the_trash_lists_what_was_removed_and_gives_it_back(driver: Driver, sample: Path, way: str) -> None:
    page = driver.open(sample)
    before = content(sample)
    delete(driver)
    assert page.lenses.tabText(TRASH) == "Trash 1"
    driver.key(Qt.Key.Key_4, CONTROL)
    driver.until(lambda: page.trash.view.hasFocus())
    assert page.trash.model.index(0, 0).data() == f"Delete {NAME}"
    assert len(page.trash.chosen) == 1, "the newest is selected at once"
    match way:
        case "key":
            driver.key(Qt.Key.Key_Return)
        case "button":
            driver.press("Restore", page.trash)
        case "menu":
            driver.menu("Tools", "Restore")
        case _:
            place = page.trash.view.visualRect(page.trash.model.index(0, 0)).center()
            driver.qtbot.mouseClick(page.trash.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
            driver.qtbot.mouseDClick(page.trash.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    driver.until(lambda: NAME in driver.names)
    settle(driver)
    assert content(sample) == before
    driver.until(lambda: page.trash.total == 0)
    assert page.lenses.tabText(TRASH) == "Trash"


@pytest.mark.parametrize("sure", [True, False])
def test_the_trash_is_emptied_after_a_question(driver: Driver, sample: Path, sure: bool) -> None:
    page = driver.open(sample)
    delete(driver)
    answer(driver, "Empty trash and free" if sure else "Cancel")
    driver.menu("Tools", "Empty trash")
    settle(driver)
    if sure:
        driver.message("The trash was emptied, 330.9 kB freed.")
        driver.until(lambda: not (sample / ".blobscope-trash").exists())
    assert page.trash.total == (0 if sure else 1)


def test_one_thing_of_the_trash_is_deleted_for_good(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    delete(driver, "example.org/web:1.0")
    delete(driver, "example.org/tool:2.0")
    page.show_trash()
    driver.until(lambda: len(page.trash.chosen) == 1)
    answer(driver, "Delete for good")
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.trash.total == 1)
    assert page.trash.model.index(0, 0).data() == "Delete example.org/web:1.0"


def test_deleting_for_good_says_so_and_leaves_nothing_to_undo(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select(NAME)
    driver.key(Qt.Key.Key_Delete, SHIFT)
    driver.until(lambda: page.removal.isVisible())
    assert page.removal.accessibleDescription() == f"Delete {NAME} for good"
    driver.press("blobs for good", page.removal)
    driver.message("3 blobs deleted, 330.9 kB freed")
    settle(driver)
    assert not driver.window.commands.actions["undo"].isEnabled()
    assert not (sample / ".blobscope-trash").exists()


def test_a_record_shows_the_blobs_that_it_holds(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select(NAME)
    snapshot, selection = page.session.snapshot, page.selection
    assert snapshot is not None
    assert selection is not None
    assert selection.entry_position is not None
    planned = {b.digest for b in plan_removal(snapshot, [selection.entry_position], with_content=True).blobs}
    delete(driver)
    page.show_trash()
    model = page.trash.model
    first = model.index(0, 0, QModelIndex())
    shown = {model.blob_at(model.index(n, 0, first)) for n in range(model.rowCount(first))}
    assert {blob.digest for blob in shown if blob is not None} == planned


def test_a_lost_image_gets_a_name_from_its_menu(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    snapshot = page.session.snapshot
    assert snapshot is not None
    driver.select_blob(snapshot.name(snapshot.lost()[0]))
    driver.menu("Image", "Add to the index")
    dialog = driver.dialog(NameDialog)
    (line,) = dialog.findChildren(QLineEdit)
    line.setText("found:again")
    driver.press("Add to the index", dialog)
    driver.until(lambda: "found:again" in driver.names)
    settle(driver)
    driver.menu("Edit", "Undo add found:again to the index")
    driver.until(lambda: "found:again" not in driver.names)


def test_a_corrupt_blob_is_kept_aside(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.menu("Tools", "Verify all")
    driver.message("2 blobs are not what their digests name")
    snapshot = page.session.snapshot
    assert snapshot is not None
    row = next(n for n in range(len(snapshot)) if page.session.state(n) == State.CORRUPT)
    driver.select_blob(snapshot.name(row))
    driver.menu("Image", "Keep aside")
    driver.message("is kept aside in the trash")
    settle(driver)
    assert page.trash.model.index(0, 0).data().endswith("(kept aside)")
    assert not driver.window.commands.actions["empty trash"].isEnabled(), "it stays until it is chosen"


# ------------------------------------------------------------------------------------------------------- clean up


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is recent any more, and no other program is at work."""
    monkeypatch.setattr(gui.session, "plan_cleanup", lambda snapshot, now, **_: plan_cleanup(snapshot, now + 7200))


def open_clean_up(driver: Driver) -> CleanupDialog:
    driver.menu("Tools", "Clean up")
    dialog = driver.dialog(CleanupDialog)
    assert isinstance(dialog, CleanupDialog)
    return dialog


def ticks(dialog: CleanupDialog) -> dict[str, Qt.CheckState]:
    rows = [dialog.bin_list.index(n, 0) for n in range(dialog.bin_list.rowCount())]
    return {row.data(): row.data(CHECK) for row in rows}


def test_what_is_unused_is_ticked_and_goes_and_what_is_lost_stays(driver: Driver, sample: Path, later: None) -> None:
    page = driver.open(sample)
    before = content(sample)
    dialog = open_clean_up(driver)
    assert ticks(dialog)["Unused blobs"] is Qt.CheckState.Checked
    assert ticks(dialog)["Lost images"] is Qt.CheckState.Unchecked
    driver.press("to trash", dialog)
    driver.message("moved to the trash")
    settle(driver)
    assert page.session.counts[State.LOST] == 1
    driver.window.activateWindow()
    page.show_lens(0)
    driver.until(page.images.view.hasFocus)
    driver.key(Qt.Key.Key_Z, CONTROL)
    driver.message("Undone: ")
    settle(driver)
    after = content(sample)
    gone = {name for name in before if name not in after}
    assert all(name.startswith(".blobscope-") for name in gone), "but for leftovers everything is back"
    assert {name: raw for name, raw in before.items() if name not in gone} == after


def test_a_lost_image_goes_only_when_it_is_ticked_with_the_keyboard(driver: Driver, sample: Path, later: None) -> None:
    page = driver.open(sample)
    dialog = open_clean_up(driver)
    driver.until(dialog.bins.hasFocus)
    driver.key(Qt.Key.Key_Down)
    driver.key(Qt.Key.Key_Space)
    assert ticks(dialog)["Lost images"] is Qt.CheckState.Checked
    planned = dialog.choice.sum()
    driver.key(Qt.Key.Key_Return)
    driver.message(f"{planned.blobs} blobs moved to the trash")
    settle(driver)
    assert State.LOST not in page.session.counts
    assert State.UNUSED not in page.session.counts


def test_some_of_a_bin_are_ticked_with_the_keyboard(driver: Driver, sample: Path, later: None) -> None:
    page = driver.open(sample)
    dialog = open_clean_up(driver)
    driver.until(dialog.bins.hasFocus)
    driver.key(Qt.Key.Key_Tab)
    driver.until(dialog.view.hasFocus)
    assert dialog.model.rowCount() == 2
    assert dialog.model.index(0, 2).data() == "11.6 kB", "the largest comes first"
    driver.key(Qt.Key.Key_Space)
    assert ticks(dialog)["Unused blobs"] is Qt.CheckState.PartiallyChecked
    kept = dialog.model.thing_at(dialog.model.index(0, 0))
    driver.key(Qt.Key.Key_Return)
    driver.message("1 blob moved to the trash (106 bytes)")
    settle(driver)
    assert page.session.snapshot is not None
    assert isinstance(kept, PlannedBlob)
    assert page.session.snapshot.find(kept.digest) >= 0


def test_a_lost_image_says_what_it_is_and_can_be_added_again(driver: Driver, sample: Path, later: None) -> None:
    driver.open(sample)
    dialog = open_clean_up(driver)
    place = dialog.bins.visualRect(dialog.bin_list.index(1, 1)).center()
    driver.qtbot.mouseClick(dialog.bins.viewport(), Qt.MouseButton.LeftButton, pos=place)
    shown = " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())
    assert "Platform: linux/amd64" in shown
    driver.press("Add to the index", dialog)
    naming = driver.dialog(NameDialog)
    (line,) = naming.findChildren(QLineEdit)
    line.setText("found:again")
    driver.press("Add to the index", naming)
    driver.until(lambda: "found:again" in driver.names)


def test_what_is_recent_is_listed_and_not_ticked(driver: Driver, sample: Path) -> None:
    driver.open(sample)
    dialog = open_clean_up(driver)
    assert ticks(dialog)["Recent files"] is Qt.CheckState.Unchecked
    assert ticks(dialog)["Unused blobs"] is None, "there are none"


def test_an_empty_index_asks_in_words_before_everything_goes(driver: Driver, tmp_path: Path, later: None) -> None:
    files = LayoutFiles(tmp_path / "layout")
    files.image(b"layer")
    files.blob(b"unused")
    page = driver.open(files.path)
    dialog = open_clean_up(driver)
    for row in range(2):
        dialog.bins.setCurrentIndex(dialog.bin_list.index(row, 0))
        driver.key(Qt.Key.Key_Space)
    (accept,) = (button for button in dialog.findChildren(QPushButton) if "to trash" in button.text())
    assert accept.text() == "Move 4 blobs to trash"
    assert not accept.isEnabled()
    (sure,) = (box for box in dialog.findChildren(QCheckBox) if box.isVisible())
    assert "the index is empty" in sure.text()
    sure.click()
    driver.press("Move 4 blobs to trash", dialog)
    driver.until(lambda: len(page.session.snapshot or ()) == 0)
