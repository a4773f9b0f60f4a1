"""Changing a store: verify and cancel, import, delete, rename, metadata, and what other programs do meanwhile."""

import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QMenu

import gui.main_window
from engine import ImageLayout
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import State
from gui.dialogs.cleanup_dialog import CleanupDialog
from gui.dialogs.import_dialog import ImportDialog
from gui.dialogs.name_dialog import NameDialog
from gui.main_window import MainWindow
from gui.models.cleanup_tables import CHECK
from gui.settings import Settings
from tests.journeys.conftest import Driver, digest_of

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


# ----------------------------------------------------------------------------------------------------- verifying


@pytest.mark.parametrize("way", ["menu", "key", "toolbar"])
def test_everything_is_verified(driver: Driver, sample: Path, way: str) -> None:
    page = driver.open(sample)
    match way:
        case "menu":
            driver.menu("Tools", "Verify all")
        case "key":
            driver.key(Qt.Key.Key_V, CONTROL | SHIFT)
        case "toolbar":
            driver.window.commands.actions["verify all"].trigger()
    driver.message("2 blobs are not what their digests name; 39 blobs verified")
    assert page.session.counts[State.CORRUPT] == 1
    driver.press("Show")
    driver.until(lambda: page.blobs.model.shown == 2)


def test_blobs_up_to_a_limit_are_verified_at_opening_where_somebody_wants_that(
    driver: Driver, sample: Path, settings: Settings
) -> None:
    settings.verify_on_open = True
    settings.verify_limit = 300_000
    page = driver.open(sample)
    driver.message("verified")
    snapshot = page.session.snapshot
    assert snapshot is not None
    unchecked = snapshot.columns.sizes[page.session.states == State.NOT_CHECKED]
    assert len(unchecked)
    assert unchecked.min() > 300_000


def test_only_the_selected_image_is_verified(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    driver.key(Qt.Key.Key_V)
    driver.message("verified")
    snapshot = page.session.snapshot
    assert snapshot is not None
    entry = next(entry for entry in snapshot.entries if entry.names == ("example.org/web:1.0",))
    assert page.session.worst_state(entry.row) == State.VERIFIED
    assert State.NOT_CHECKED in page.session.counts


@pytest.mark.parametrize("way", ["key", "menu", "button"])
def test_a_verification_is_cancelled_and_the_window_goes_on(driver: Driver, tmp_path: Path, way: str) -> None:
    path = tmp_path / "big"
    with ImageLayout.create(path) as layout:
        for number in range(8):
            layout.blobs.put(bytes([number]) * 50_000_000)
    page = driver.open(path)
    page.session.verify()
    assert page.session.verifying
    match way:
        case "key":
            driver.key(Qt.Key.Key_Escape)
        case "menu":
            driver.menu("Tools", "Stop the running job")
        case "button":
            driver.window.strip.refresh()
            (job,) = page.session.jobs
            driver.window.runner.cancel(job)
    began = time.monotonic()
    driver.until(lambda: not page.session.verifying)
    assert time.monotonic() - began < 5
    assert State.CHECKING not in page.session.counts


# ----------------------------------------------------------------------------------------------------- importing


@pytest.mark.parametrize("way", ["drop", "paste", "menu", "key"])
def test_a_file_is_imported_named_and_selected(
    driver: Driver, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    file = tmp_path / "hello.txt"
    file.write_bytes(b"hello")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file)], ""))
    page = driver.open(sample)
    match way:
        case "drop":
            assert driver.drop(file) == "Import hello.txt as a blob into sample-layout (copied, 5 bytes)"
        case "paste":
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(file))])
            QGuiApplication.clipboard().setMimeData(data)
            driver.key(Qt.Key.Key_V, CONTROL)
        case "menu":
            driver.menu("File", "Import files")
        case "key":
            driver.key(Qt.Key.Key_I, CONTROL)
    if way != "drop":  # a drop has said what it will do, and there is nothing to choose
        driver.press("Import 1 file (5 bytes)", driver.dialog(ImportDialog))
    driver.message("hello.txt was imported into sample-layout")
    driver.until(lambda: page.selection is not None and page.selection.digest == digest_of(b"hello"))
    assert (sample / "blobs" / digest_of(b"hello").replace(":", "/")).read_bytes() == b"hello"
    assert file.exists()
    if way == "drop":  # no dialog has had the keyboard meanwhile
        driver.until(page.blobs.view.hasFocus)


def test_a_manifest_gets_a_name_in_the_index(driver: Driver, sample: Path, tmp_path: Path) -> None:
    page = driver.open(sample)
    snapshot = page.session.snapshot
    assert snapshot is not None
    lost = snapshot.name(snapshot.lost()[0])
    file = tmp_path / "manifest.json"
    shutil.copy(sample / "blobs" / lost.replace(":", "/"), file)
    driver.drop(file)
    dialog = driver.dialog(ImportDialog)
    (name,) = dialog.findChildren(QLineEdit)
    name.setText("found:again")
    driver.press("Import 1 file", dialog)
    driver.until(lambda: "found:again" in driver.names)
    driver.until(lambda: page.selection is not None and page.selection.digest == lost)
    assert State.LOST not in page.session.counts


def test_a_file_with_a_digest_for_a_name_must_be_what_it_promises(driver: Driver, sample: Path, tmp_path: Path) -> None:
    file = tmp_path / ("ab" * 32)
    file.write_bytes(b"something else")
    driver.open(sample)
    driver.drop(file)
    driver.until(lambda: driver.window.messages.messages)
    assert not (sample / "blobs" / "sha256" / ("ab" * 32)).exists()


def test_the_right_file_repairs_a_corrupt_blob(driver: Driver, sample: Path, tmp_path: Path) -> None:
    with ImageLayout.open(sample) as layout:
        digest = layout.blobs.put(b"precious").digest
    blob = sample / "blobs" / digest.replace(":", "/")
    blob.write_bytes(b"previous")
    file = tmp_path / "good"
    file.write_bytes(b"precious")
    driver.open(sample)
    driver.drop(file)
    driver.message("good has repaired a blob of sample-layout")
    assert blob.read_bytes() == b"precious"


def test_a_drop_that_cannot_be_done_is_explained(driver: Driver, sample: Path, tmp_path: Path) -> None:
    driver.open(sample)
    folder = tmp_path / "folder"
    folder.mkdir()
    driver.drop(folder)
    driver.message("folder is neither an OCI image layout nor Docker's image store")
    data = driver.drag(QUrl("https://example.org/layer.tar"))
    assert data is not None
    assert driver.window.drops.plan is not None
    assert "is not on this computer" in driver.window.drops.plan.sentence
    driver.leave()


def test_what_is_dragged_over_is_forgotten_when_the_mouse_leaves(driver: Driver, sample: Path) -> None:
    driver.drag(QUrl.fromLocalFile(str(sample)))
    driver.leave()
    assert driver.window.page is None


# ------------------------------------------------------------------------------------------------------ deleting


@pytest.mark.parametrize("way", ["menu", "key", "mouse"])
def test_an_entry_is_untagged_and_its_blobs_stay(driver: Driver, sample: Path, way: str) -> None:
    page = driver.open(sample)
    blobs = sorted(path.name for path in (sample / "blobs" / "sha256").iterdir())
    driver.select("example.org/web:1.0")
    ask(driver, way)
    driver.until(lambda: page.removal.isVisible())
    driver.press("Untag only", page.removal)
    driver.message("example.org/web:1.0 untagged")
    driver.until(lambda: "example.org/web:1.0" not in driver.names)
    assert sorted(path.name for path in (sample / "blobs" / "sha256").iterdir()) == blobs


def ask(driver: Driver, way: str) -> None:
    """Ask what deleting the selection would do."""
    match way:
        case "menu":
            driver.menu("Edit", "Delete")
        case "key":
            driver.key(Qt.Key.Key_Delete)
        case "mouse":
            view = driver.page.lens.view
            view.customContextMenuRequested.emit(view.visualRect(view.currentIndex()).center())
            driver.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
            menu = QApplication.activePopupWidget()
            assert isinstance(menu, QMenu)
            next(action for action in menu.actions() if action.objectName() == "delete").trigger()
            menu.close()


def test_enter_takes_the_safer_verb(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    blobs = len(list((sample / "blobs" / "sha256").iterdir()))
    driver.select("example.org/web:1.0")
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.removal.isVisible())
    driver.key(Qt.Key.Key_Return)
    driver.until(lambda: "example.org/web:1.0" not in driver.names)
    assert len(list((sample / "blobs" / "sha256").iterdir())) == blobs


def test_an_entry_is_deleted_with_what_only_it_needs(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    folder = sample / "blobs" / "sha256"
    before = sum(path.stat().st_size for path in folder.iterdir())
    driver.select("example.org/web:1.0")
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.removal.isVisible())
    told = " ".join(label.text() for label in page.removal.findChildren(QLabel))
    (exact,) = re.findall(r"\(([\d,]+) bytes\)", told)
    driver.press("Delete and move 3 blobs to trash", page.removal)
    driver.message("3 blobs moved to the trash (330.9 kB)")
    assert before - sum(path.stat().st_size for path in folder.iterdir()) == int(exact.replace(",", ""))


@pytest.mark.parametrize("way", ["escape", "button", "selecting something else"])
def test_a_removal_is_put_away_and_nothing_happens(driver: Driver, sample: Path, way: str) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.removal.isVisible())
    match way:
        case "escape":
            driver.key(Qt.Key.Key_Escape)
        case "button":
            driver.press("Cancel", page.removal)
        case _:
            driver.select("example.org/tool:2.0")
    driver.until(lambda: not page.removal.isVisible())
    assert "example.org/web:1.0" in driver.names


def test_deleting_a_blob_says_what_breaks_and_the_safe_button_has_the_keyboard(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    snapshot = page.session.snapshot
    assert snapshot is not None
    layer = snapshot.children(snapshot.entries[0].row)[1].target
    driver.select_blob(snapshot.name(layer))
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.removal.isVisible())
    told = " ".join(label.text() for label in page.removal.findChildren(QLabel))
    assert "Breaks" in told
    assert "example.org/web:1.0 will miss" in told
    driver.key(Qt.Key.Key_Return)
    driver.until(lambda: not page.removal.isVisible())
    assert (sample / "blobs" / snapshot.name(layer).replace(":", "/")).exists()


def test_several_blobs_go_together(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "small"
    with ImageLayout.create(path) as layout:
        for content in (b"a", b"b", b"c"):
            layout.blobs.put(content)
    page = driver.open(path)
    driver.key(Qt.Key.Key_2, CONTROL)
    driver.key(Qt.Key.Key_A, CONTROL)
    driver.until(lambda: page.summary() == "3 selected · 3 bytes")
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.removal.isVisible())
    driver.press("Move 3 blobs to trash", page.removal)
    driver.until(lambda: len(page.session.snapshot or ()) == 0)


# ------------------------------------------------------------------------------------------------------ renaming


@pytest.mark.parametrize("way", ["menu", "key"])
def test_an_entry_is_renamed_and_stays_selected(driver: Driver, sample: Path, way: str) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    digest = page.selection.digest if page.selection else ""
    if way == "menu":
        driver.menu("Image", "Rename")
    else:
        driver.key(Qt.Key.Key_F2)
    dialog = driver.dialog(NameDialog)
    (name,) = dialog.findChildren(QLineEdit)
    name.setText("renamed:1")
    driver.press("Rename", dialog)
    driver.until(lambda: "renamed:1" in driver.names)
    assert "example.org/web:1.0" not in driver.names
    assert page.selection is not None
    assert page.selection.digest == digest


# ------------------------------------------------------------------------------------------------ others meanwhile


def test_an_external_change_shows_within_a_second_and_nothing_jumps(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/tool:2.0")
    selected = page.selection
    view = page.images.view
    view.expand(view.currentIndex())
    assert view.isExpanded(view.currentIndex())
    began = time.monotonic()
    with ImageLayout.open(sample) as other:
        other.edit_index(lambda index: index.rename(0, "elsewhere:1"))
    driver.until(lambda: "elsewhere:1" in driver.names)
    assert time.monotonic() - began < 1
    driver.until(lambda: page.images.model.snapshot is page.session.snapshot)
    driver.message("Another program changed sample-layout")
    assert page.selection == selected
    assert view.isExpanded(view.currentIndex())


@pytest.mark.parametrize("gone", [False, True])
def test_a_rename_means_the_entry_that_was_asked_about_whatever_others_do_meanwhile(
    driver: Driver, sample: Path, gone: bool
) -> None:
    driver.open(sample)
    driver.select("example.org/web:1.1")
    driver.key(Qt.Key.Key_F2)
    dialog = driver.dialog(NameDialog)
    with ImageLayout.open(sample) as other:
        other.edit_index(lambda index: index.remove(0))  # web:1.0, so every other entry moves up
        if gone:
            other.edit_index(lambda index: index.remove(0))
    driver.until(
        lambda: ("example.org/web:1.1" not in driver.names) if gone else driver.names[0] == "example.org/web:1.1"
    )
    (name,) = dialog.findChildren(QLineEdit)
    name.setText("renamed:1")
    before = driver.names
    driver.press("Rename", dialog)
    if gone:
        driver.message("That entry is no longer in the index, so it was not renamed.")
        assert driver.names == before
    else:
        driver.until(lambda: driver.names == ["renamed:1", *before[1:]])


def test_both_verbs_of_a_removal_are_about_the_entry_that_is_selected(
    driver: Driver, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another program moves the entries while the first plan is being made."""
    page = driver.open(sample)
    driver.select("example.org/web:1.1")
    snapshot = page.session.snapshot
    assert snapshot is not None
    asked: list[tuple[Sequence[int], Callable[[RemovalPlan], object]]] = []
    monkeypatch.setattr(page.session.changes, "plan_removal", lambda entries, then, **_: asked.append((entries, then)))
    page.ask_removal()
    with ImageLayout.open(sample) as other:
        other.edit_index(lambda index: index.remove(0))
    driver.until(lambda: page.selection is not None and page.selection.entry_position == 0)
    ((entries, then),) = asked
    then(plan_removal(snapshot, entries))
    assert [entries for entries, _ in asked] == [[1], [0]], "it was not begun anew"
    assert not page.removal.isVisible()


def test_a_plan_is_worked_out_anew_when_the_store_changes_under_it(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    driver.key(Qt.Key.Key_Delete)
    driver.until(lambda: page.removal.isVisible())
    snapshot = page.session.snapshot
    with ImageLayout.open(sample) as other:
        other.blobs.put(b"something else")
    driver.until(lambda: page.session.snapshot is not snapshot)
    driver.until(lambda: page.removal.isVisible() and not page.session.jobs)
    driver.press("Untag only", page.removal)
    driver.until(lambda: "example.org/web:1.0" not in driver.names)


def test_the_store_is_refreshed_by_key(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    shown = page.session.snapshot
    driver.key(Qt.Key.Key_F5)
    driver.until(lambda: page.session.snapshot is not shown)


# ------------------------------------------------------------------------------------------------------- tidying


def test_leftovers_are_listed_and_the_dead_ones_removed(driver: Driver, sample: Path) -> None:
    (sample / ".blobscope-0123456789abcdef").mkdir(exist_ok=True)
    driver.open(sample)
    driver.menu("Tools", "Clean up")
    dialog = driver.dialog(CleanupDialog)
    assert isinstance(dialog, CleanupDialog)
    dialog.bins.setCurrentIndex(dialog.bin_list.index(dialog.bin_list.rowCount() - 1, 0))
    rows = [dialog.model.index(n, 0) for n in range(dialog.model.rowCount())]
    ticks = {row.data(): row.data(CHECK) for row in rows}
    assert ticks[".blobscope-0123456789abcdef"] is Qt.CheckState.Checked
    assert ticks["oci-put-blob314159265"] is None, "it may be alive"
    driver.press("Remove leftovers", dialog)
    driver.message("2 leftovers of crashed programs removed")
    assert not (sample / ".blobscope-0123456789abcdef").exists()
    assert (sample / "oci-put-blob314159265").exists()


def test_a_store_that_must_not_be_changed_can_only_be_looked_at(driver: Driver, sample: Path, tmp_path: Path) -> None:
    (sample / "oci-layout").write_text('{"imageLayoutVersion":"9.9.9"}')
    driver.open(sample)
    driver.select("example.org/web:1.0")
    for key in ("import", "delete", "rename", "clean"):
        assert not driver.window.commands.actions[key].isEnabled()
    file = tmp_path / "hello.txt"
    file.write_bytes(b"hello")
    assert "cannot be changed" in driver.drop(file)


# ------------------------------------------------------------------------------------------------------- closing


@pytest.mark.parametrize("answer", [True, False])
def test_closing_the_window_with_a_running_job_asks_and_waits(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    path = tmp_path / "big"
    with ImageLayout.create(path) as layout:
        for number in range(8):
            layout.blobs.put(bytes([number]) * 50_000_000)
    asked: list[str] = []

    def confirm(_parent: object, question: str, **_more: object) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(gui.main_window, "confirm", confirm)
    page = driver.open(path)
    page.session.verify()
    ended: list[bool] = []
    driver.window.ended.connect(ended.append)
    began = time.monotonic()
    closed = driver.window.close()
    assert asked == ["1 job is still running. Stop?"]
    assert closed is answer
    assert ended == ([True] if answer else [])
    assert time.monotonic() - began < 6
    if not answer:
        assert page.session.verifying


def test_closing_a_tab_with_a_running_job_asks_too(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "big"
    with ImageLayout.create(path) as layout:
        layout.blobs.put(b"x" * 200_000_000)
    monkeypatch.setattr(gui.main_window, "confirm", lambda *_, **__: False)
    page = driver.open(path)
    page.session.verify()
    driver.menu("File", "Close tab")
    assert driver.window.tabs.count() == 1
    monkeypatch.setattr(gui.main_window, "confirm", lambda *_, **__: True)
    driver.menu("File", "Close tab")
    assert driver.window.tabs.count() == 0


def test_the_window_opens_as_it_was_closed(driver: Driver, sample: Path, settings: Settings) -> None:
    page = driver.open(sample)
    page.show_lens(1)
    driver.window.close()
    assert settings.window_geometry
    assert settings.window_state
    again = MainWindow(settings)
    again.stores.restore()
    driver.until(lambda: again.page is not None)
    assert again.page is not None
    assert again.page.session.path == sample
    assert again.saveState(1).data() == settings.window_state
    again.close()
    again.deleteLater()
