"""What the removal strip promises: to say what goes, what stays and why, and to do only what its buttons say."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from engine import Progress, open_store
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Snapshot
from gui.panels.removal_strip import RemovalStrip
from tests.layouts import LayoutFiles


@pytest.fixture
def strip(qtbot: QtBot, qapp: QApplication) -> RemovalStrip:
    strip = RemovalStrip()
    qtbot.addWidget(strip)
    strip.resize(600, 300)
    return strip


@pytest.fixture
def snapshot(sample: Path) -> Snapshot:
    with open_store(sample) as store:
        return store.scan(Progress())


def position_of(snapshot: Snapshot, name: str) -> int:
    return next(entry.position for entry in snapshot.entries if name in entry.names)


def words(strip: RemovalStrip) -> str:
    return "\n".join(label.text() for label in strip.findChildren(QLabel) if label.isVisibleTo(strip))


def button(strip: RemovalStrip, text: str) -> QPushButton:
    return next(each for each in strip.findChildren(QPushButton) if text in each.text() and not each.isHidden())


def show_entry(strip: RemovalStrip, snapshot: Snapshot, name: str) -> tuple[RemovalPlan, RemovalPlan]:
    position = position_of(snapshot, name)
    untag, delete = plan_removal(snapshot, [position]), plan_removal(snapshot, [position], with_content=True)
    strip.show_entries(untag, delete)
    return untag, delete


def test_an_entry_is_shown_with_what_goes_what_stays_and_what_is_freed(strip: RemovalStrip, snapshot: Snapshot) -> None:
    _, delete = show_entry(strip, snapshot, "example.org/web:1.0")
    told = words(strip)
    assert "Delete example.org/web:1.0" in told
    assert f"({delete.freed:,} bytes) when the trash is emptied" in told
    assert "needs it." in told
    for blob in delete.blobs:
        assert blob.digest[7:11] in told


def test_other_names_of_the_same_content_are_told(strip: RemovalStrip, snapshot: Snapshot) -> None:
    show_entry(strip, snapshot, "example.org/web:1.1")
    assert "example.org/web:latest stays." in words(strip)


@pytest.mark.parametrize(("verb", "number"), [("Untag only", 0), ("Delete and move", 1)])
def test_each_button_decides_for_its_own_plan(
    qtbot: QtBot, strip: RemovalStrip, snapshot: Snapshot, verb: str, number: int
) -> None:
    plans = show_entry(strip, snapshot, "example.org/web:1.0")
    with qtbot.waitSignal(strip.decided) as decided:
        qtbot.mouseClick(button(strip, verb), Qt.MouseButton.LeftButton)
    assert decided.args == [plans[number]]
    assert strip.isHidden()


def test_the_safer_verb_has_the_keyboard(strip: RemovalStrip, snapshot: Snapshot) -> None:
    show_entry(strip, snapshot, "example.org/web:1.0")
    assert button(strip, "Untag only").isDefault()
    assert strip.focusWidget() is button(strip, "Untag only")


def test_content_that_others_need_can_only_be_untagged(strip: RemovalStrip, snapshot: Snapshot) -> None:
    show_entry(strip, snapshot, "example.org/web:latest")
    assert [each.text() for each in strip.findChildren(QPushButton) if not each.isHidden()] == ["Untag only", "Cancel"]
    assert "Nothing: other entries still need all of it." in words(strip)


def test_a_blob_that_is_needed_is_shown_with_what_breaks_and_cancel_has_the_keyboard(
    strip: RemovalStrip, snapshot: Snapshot
) -> None:
    image = snapshot.entries[position_of(snapshot, "example.org/web:1.0")].row
    layer = snapshot.name(snapshot.children(image)[-1].target)
    strip.show_blobs(plan_removal(snapshot, digests=[layer]))
    assert "Breaks" in words(strip)
    assert "example.org/web:1.0 will miss" in words(strip)
    assert strip.focusWidget() is button(strip, "Cancel")


def test_what_has_no_file_cannot_be_deleted(strip: RemovalStrip, snapshot: Snapshot) -> None:
    image = snapshot.entries[position_of(snapshot, "example.org/broken:missing")].row
    missing = snapshot.name(snapshot.children(image)[-1].target)
    strip.show_blobs(plan_removal(snapshot, digests=[missing]))
    assert "There is no file to delete" in words(strip)
    assert [each.text() for each in strip.findChildren(QPushButton) if not each.isHidden()] == ["Cancel"]


def test_several_blobs_are_counted_on_the_button(strip: RemovalStrip, snapshot: Snapshot) -> None:
    unused = [snapshot.name(row) for row in range(len(snapshot)) if not snapshot.columns.used_by[row]][:3]
    strip.show_blobs(plan_removal(snapshot, digests=unused))
    assert button(strip, "Move 3 blobs to trash")
    strip.show_blobs(plan_removal(snapshot, digests=unused), for_good=True)
    QApplication.processEvents()
    assert button(strip, "Delete 3 blobs for good")
    assert "This cannot be undone." in words(strip)


def test_deleting_for_good_is_called_that_everywhere(strip: RemovalStrip, snapshot: Snapshot) -> None:
    position = position_of(snapshot, "example.org/web:1.0")
    untag, delete = plan_removal(snapshot, [position]), plan_removal(snapshot, [position], with_content=True)
    strip.show_entries(untag, delete, for_good=True)
    assert "Delete example.org/web:1.0 for good" in words(strip)
    assert f"({delete.freed:,} bytes) at once. This cannot be undone." in words(strip)
    assert button(strip, "for good")
    assert strip.focusWidget() is button(strip, "Untag only")


def test_what_something_unreadable_may_need_goes_only_when_that_is_ticked(
    qtbot: QtBot, strip: RemovalStrip, tmp_path: Path
) -> None:
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(b"layer"), "app")
    lost = files.index(files.image(b"other"))
    files.name(lost, "unreadable")
    files.file(lost).unlink()
    with open_store(files.path) as store:
        snapshot = store.scan(Progress())
    untag, delete = plan_removal(snapshot, [0]), plan_removal(snapshot, [0], with_content=True)
    despite = plan_removal(snapshot, [0], with_content=True, despite_doubts=True)
    assert len(despite.blobs) > len(delete.blobs)
    strip.show_entries(untag, delete, despite)
    (box,) = strip.findChildren(QCheckBox)
    assert box.text().startswith("Also what sha256:")
    assert not box.isChecked()
    assert f"move {len(despite.blobs)} blobs" not in " ".join(each.text() for each in strip.findChildren(QPushButton))
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert strip.focusWidget() is box
    with qtbot.waitSignal(strip.decided) as decided:
        qtbot.mouseClick(button(strip, f"move {len(despite.blobs)} blobs"), Qt.MouseButton.LeftButton)
    assert decided.args == [despite]
    strip.show_entries(untag, delete, despite)
    assert not box.isChecked(), "each time it is decided anew"


@pytest.mark.parametrize("way", ["escape", "button", "cross"])
def test_it_is_put_away_without_deciding(qtbot: QtBot, strip: RemovalStrip, snapshot: Snapshot, way: str) -> None:
    show_entry(strip, snapshot, "example.org/web:1.0")
    with qtbot.assertNotEmitted(strip.decided), qtbot.waitSignal(strip.closed):
        if way == "escape":
            qtbot.keyClick(strip, Qt.Key.Key_Escape)
        elif way == "button":
            qtbot.mouseClick(button(strip, "Cancel"), Qt.MouseButton.LeftButton)
        else:
            strip.put_away()
    assert strip.isHidden()
