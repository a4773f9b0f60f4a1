"""What a window as a drop target promises: always a copy, said beforehand, and never too early."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.jobs import JobRunner
from gui.panels.drop_overlay import DropOverlay
from gui.panels.drop_target import DropTarget
from gui.panels.dropping import Deed, Target
from tests.gui.conftest import PATIENCE_MS

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
OFFERED = Qt.DropAction.MoveAction | Qt.DropAction.CopyAction


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 400)
    window.show()
    return window


@pytest.fixture
def target(window: QWidget, runner: JobRunner) -> DropTarget:
    return DropTarget(window, runner, lambda: Target("app", writable=True, is_layout=True))


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def enter(target: DropTarget, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(QPoint(9, 9), OFFERED, data, LEFT, SHIFT)
    target.enter(event)
    return event


def drop(target: DropTarget, data: QMimeData) -> QDropEvent:
    event = QDropEvent(QPointF(9, 9), OFFERED, data, LEFT, SHIFT)
    target.drop(event)
    return event


def overlay(window: QWidget) -> DropOverlay:
    (found,) = window.findChildren(DropOverlay)
    return found


def test_the_overlay_says_what_a_drop_will_do(
    qtbot: QtBot, window: QWidget, target: DropTarget, tmp_path: Path
) -> None:
    (tmp_path / "a.tar").write_bytes(b"x")
    event = enter(target, files(tmp_path / "a.tar"))
    assert event.isAccepted()
    assert event.dropAction() is Qt.DropAction.CopyAction
    assert overlay(window).isVisible()
    qtbot.waitUntil(lambda: target.plan is not None, timeout=PATIENCE_MS)
    assert overlay(window).accessibleName() == "Import a.tar as a blob into app (copied, 1 byte)"
    assert overlay(window).size() == window.size()


def test_a_drop_that_comes_before_the_look_is_over_waits_for_it(
    qtbot: QtBot, target: DropTarget, tmp_path: Path
) -> None:
    (tmp_path / "a.tar").write_bytes(b"x")
    data = files(tmp_path / "a.tar")
    enter(target, data)
    with qtbot.waitSignal(target.dropped, timeout=PATIENCE_MS) as dropped:
        assert drop(target, data).dropAction() is Qt.DropAction.CopyAction
    assert dropped.args[0].deed is Deed.IMPORT


def test_nothing_is_said_of_a_drag_that_has_left(
    qtbot: QtBot, window: QWidget, target: DropTarget, runner: JobRunner, tmp_path: Path
) -> None:
    enter(target, files(tmp_path))
    target.leave(QDragLeaveEvent())
    qtbot.waitUntil(lambda: not runner.active(), timeout=PATIENCE_MS)
    assert target.plan is None
    assert not overlay(window).isVisible()


def test_the_look_at_an_earlier_drag_says_nothing_of_this_one(
    qtbot: QtBot, target: DropTarget, runner: JobRunner, tmp_path: Path
) -> None:
    (tmp_path / "a.tar").write_bytes(b"x")
    enter(target, files(tmp_path / "gone"))
    enter(target, files(tmp_path / "a.tar"))
    qtbot.waitUntil(lambda: not runner.active(), timeout=PATIENCE_MS)
    assert target.plan is not None
    assert target.plan.deed is Deed.IMPORT


def test_what_is_no_address_is_left_to_others(target: DropTarget, window: QWidget) -> None:
    data = QMimeData()
    data.setText("some words")
    assert not enter(target, data).isAccepted()
    assert not overlay(window).isVisible()
    assert not target.paste(data)


def test_a_paste_does_what_a_drop_does(qtbot: QtBot, target: DropTarget, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"x")
    with qtbot.waitSignal(target.pasted, timeout=PATIENCE_MS) as pasted:
        assert target.paste(files(tmp_path / "a.tar"))
    assert pasted.args[0].paths == (tmp_path / "a.tar",)
