"""The pane that finds paths in all images: what it shows, what it says where there is nothing, and where it leads."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from engine.docker import DockerImageStore
from engine.fates import Fate
from gui.models.found_table import Column, Place
from gui.panels.find_dock import FindDock
from gui.panels.find_pane import FindPane
from gui.session import Session
from gui.settings import Settings
from tests.archives import layer
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    base = layer("etc/passwd", "usr/bin/Tool", "usr/lib/libssl.so.3")
    files.name(files.image(base, layer("etc/.wh.passwd", "srv/tool.py")), "app:1")
    files.name(files.image(base), "base:1")
    return files


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def dock(qtbot: QtBot, files: LayoutFiles, settings: Settings, open_session: Open) -> FindDock:
    return docked(qtbot, open_session(files.path), settings)


def docked(qtbot: QtBot, session: Session, settings: Settings) -> FindDock:
    dock = FindDock(session, settings, None)
    qtbot.addWidget(dock)
    dock.addWidget(QPushButton("lists"))
    dock.resize(900, 600)
    with qtbot.waitActive(dock):
        dock.show()
        dock.activateWindow()
    return dock


@pytest.fixture
def pane(dock: FindDock) -> FindPane:
    return dock.open()


def rows(pane: FindPane) -> list[tuple[str, str]]:
    model = pane.model
    return [
        (model.index(row, Column.PATH).data(), model.index(row, Column.IMAGE).data()) for row in range(model.rowCount())
    ]


def search(qtbot: QtBot, pane: FindPane, words: str) -> list[tuple[str, str]]:
    pane.look_for(words)
    qtbot.waitUntil(lambda: pane._finding.job is None and pane._finding.question == pane._question)
    return rows(pane)


def test_a_pause_in_the_typing_starts_the_search(qtbot: QtBot, pane: FindPane) -> None:
    qtbot.keyClicks(pane.line, "passwd")
    assert rows(pane) == []
    qtbot.waitUntil(lambda: rows(pane) == [("/etc/passwd", "app:1"), ("/etc/passwd", "base:1")])
    assert pane.count.text() == "2 in 2 images"
    assert not pane.stop.isVisible()
    assert not pane.progress.isVisible()


def test_enter_starts_it_at_once_and_then_goes_on_in_the_list(qtbot: QtBot, pane: FindPane) -> None:
    qtbot.keyClicks(pane.line, "so")
    qtbot.keyClick(pane.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(rows(pane)) == 2 and pane._finding.job is None)
    assert pane.line.hasFocus()
    qtbot.keyClick(pane.line, Qt.Key.Key_Return)
    assert pane.view.hasFocus()
    assert pane.view.currentIndex().row() == 0
    qtbot.keyClick(pane.view, Qt.Key.Key_Up)
    assert pane.line.hasFocus()


def test_capitals_make_a_difference_when_that_is_asked_for_and_next_time_too(
    qtbot: QtBot, pane: FindPane, settings: Settings
) -> None:
    assert len(search(qtbot, pane, "tool")) == 3
    qtbot.mouseClick(pane.match_case, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: rows(pane) == [("/srv/tool.py", "app:1")])
    assert settings.find_match_case


def test_what_was_looked_for_is_there_next_time(
    qtbot: QtBot, pane: FindPane, settings: Settings, open_session: Open, files: LayoutFiles
) -> None:
    search(qtbot, pane, "passwd")
    search(qtbot, pane, "*.so.*")
    other = docked(qtbot, open_session(files.path), settings)
    again = other.open()
    qtbot.keyClick(again.line, Qt.Key.Key_Up)
    qtbot.keyClick(again.line, Qt.Key.Key_Up)
    assert again.line.text() == "passwd"


def test_a_click_leads_there_and_the_keyboard_stays(qtbot: QtBot, pane: FindPane, files: LayoutFiles) -> None:
    search(qtbot, pane, "passwd")
    where = pane.view.visualRect(pane.model.index(1, Column.PATH)).center()
    with qtbot.waitSignal(pane.led) as led:
        qtbot.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, where.y()))
    assert led.args == [Place(files.entries[1]["digest"], 0, b"etc/passwd"), False]


def test_enter_leads_there_with_the_keyboard(qtbot: QtBot, pane: FindPane, files: LayoutFiles) -> None:
    search(qtbot, pane, "passwd")
    qtbot.keyClick(pane.line, Qt.Key.Key_Down)
    with qtbot.waitSignal(pane.led) as led:
        qtbot.keyClick(pane.view, Qt.Key.Key_Return)
    assert led.args == [Place(files.entries[0]["digest"], 0, b"etc/passwd"), True]


def test_selecting_several_rows_leads_nowhere_and_their_paths_can_be_copied(qtbot: QtBot, pane: FindPane) -> None:
    search(qtbot, pane, "tool")
    qtbot.keyClick(pane.line, Qt.Key.Key_Down)
    with qtbot.assertNotEmitted(pane.led):
        qtbot.keyClick(pane.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(pane.copied) as copied:
        qtbot.keyClick(pane.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied.args == ["Copied 3 paths."]
    assert QGuiApplication.clipboard().text() == "/usr/bin/Tool\n/srv/tool.py\n/usr/bin/Tool"


def test_the_menu_of_a_result_shows_it_or_copies_its_path(qtbot: QtBot, pane: FindPane) -> None:
    search(qtbot, pane, "passwd")
    pane.view.selectRow(1)
    for words, signal in (("Show in its image", pane.led), ("Copy path", pane.copied)):
        pane.view.customContextMenuRequested.emit(QPoint(20, 20))
        menu = pane.view.findChildren(QMenu)[-1]
        (action,) = [each for each in menu.actions() if each.text().replace("&", "") == words]
        with qtbot.waitSignal(signal):
            action.trigger()
        menu.close()
    assert QGuiApplication.clipboard().text() == "/etc/passwd"


def test_what_is_not_in_the_image_any_more_can_be_hidden(qtbot: QtBot, pane: FindPane) -> None:
    search(qtbot, pane, "passwd")
    removed, present = pane.fates.buttons[Fate.REMOVED], pane.fates.buttons[Fate.PRESENT]
    assert removed.accessibleName() == "Removed: 1"
    assert present.accessibleName() == "Present: 1"
    qtbot.mouseClick(removed, Qt.MouseButton.LeftButton)
    assert rows(pane) == [("/etc/passwd", "base:1")]
    qtbot.mouseClick(present, Qt.MouseButton.LeftButton)
    assert pane.empty.words == "Nothing of what was found is shown"
    (button,) = pane.empty.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(rows(pane)) == 2


def test_escape_closes_it_and_it_keeps_what_it_has_found(qtbot: QtBot, dock: FindDock, pane: FindPane) -> None:
    search(qtbot, pane, "passwd")
    with qtbot.waitSignal(dock.left):
        qtbot.keyClick(pane.line, Qt.Key.Key_Escape)
    assert not dock.is_open
    assert dock.open() is pane
    assert len(rows(pane)) == 2
    assert pane.line.text() == "passwd"
    assert pane.line.hasFocus()
    qtbot.keyClick(pane.line, Qt.Key.Key_Down)
    qtbot.keyClick(pane.view, Qt.Key.Key_Escape)
    assert not dock.is_open


def test_the_lists_give_way_only_while_it_is_open(qtbot: QtBot, dock: FindDock) -> None:
    dock.widget(0).setMinimumHeight(170)
    dock.open()
    assert dock.minimumSizeHint().height() < 260
    dock.put_away()
    assert dock.widget(0).minimumHeight() == 170


def test_its_height_is_remembered(
    qtbot: QtBot, dock: FindDock, pane: FindPane, settings: Settings, open_session: Open, files: LayoutFiles
) -> None:
    dock.setSizes([200, 400])
    height = pane.height()
    dock.save_state()
    again = docked(qtbot, open_session(files.path), settings)
    assert abs(again.open().height() - height) <= 2


def test_an_empty_place_says_what_could_be_there(qtbot: QtBot, pane: FindPane) -> None:
    assert pane.empty.words.startswith("Which image has that file?")
    assert search(qtbot, pane, "nowhere") == []
    assert pane.empty.isVisible()
    assert pane.empty.words == "No path matches 2 images were looked into."
    assert search(qtbot, pane, "") == []
    assert pane.empty.words.startswith("Which image has that file?")


def test_a_stopped_search_says_so_and_can_be_made_again(qtbot: QtBot, pane: FindPane) -> None:
    pane.look_for("passwd")
    pane._finding.stop()
    qtbot.waitUntil(lambda: pane._finding.stopped)
    assert pane.notes.isVisible()
    assert pane.notes.words.text() == "The search was stopped."
    qtbot.mouseClick(pane.notes.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(rows(pane)) == 2 and pane._finding.job is None)
    assert not pane.notes.isVisible()


def test_layers_that_cannot_be_read_are_told_below_the_results(
    qtbot: QtBot, files: LayoutFiles, open_session: Open, settings: Settings
) -> None:
    whole = gzip.compress(layer(*(f"var/file{n}" for n in range(3000))))
    cut, gone = files.blob(whole[: len(whole) // 2]), files.blob(layer("gone"))
    files.name(files.image(layer("var/file"), cut, gone), "broken:1")
    files.file(gone).unlink()
    dock = docked(qtbot, open_session(files.path), settings)
    pane = dock.open()
    assert ("/var/file", "broken:1") in search(qtbot, pane, "var")
    assert pane.notes.words.text() == "2 layers could not be read whole: there may be more paths."
    assert not pane.unread.isVisible()
    qtbot.mouseClick(pane.notes.which, Qt.MouseButton.LeftButton)
    assert pane.unread.isVisible()
    assert "in 1 image: Only " in pane.unread.toPlainText()
    assert len(pane.unread.toPlainText().splitlines()) == 2
    qtbot.mouseClick(pane.notes.which, Qt.MouseButton.LeftButton)
    assert pane.view.isVisible()


def test_results_of_a_store_that_has_changed_since_say_so(qtbot: QtBot, pane: FindPane, files: LayoutFiles) -> None:
    search(qtbot, pane, "passwd")
    files.name(files.image(layer("etc/passwd")), "new:1")
    session = pane._finding.parent()
    assert isinstance(session, Session)
    session.rescan()
    qtbot.waitUntil(lambda: pane.notes.isVisible())
    assert pane.notes.words.text() == "The store has changed since."
    qtbot.mouseClick(pane.notes.again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(rows(pane)) == 3 and pane._finding.job is None)
    assert not pane.notes.isVisible()
    qtbot.waitUntil(lambda: not session.jobs)


def test_more_than_can_be_shown_is_counted(qtbot: QtBot, pane: FindPane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.finding.MOST_OF_LAYER", 1)
    search(qtbot, pane, "/")
    assert pane.count.text() == "3 of 7 in 2 images"
    assert "more exactly" in pane.count.toolTip()


def test_dockers_store_says_why_there_is_nothing_to_find(
    qtbot: QtBot, tmp_path: Path, open_session: Open, settings: Settings
) -> None:
    DockerImageStore.create(tmp_path / "imagedb").close()
    dock = docked(qtbot, open_session(tmp_path / "imagedb"), settings)
    pane = dock.open()
    assert not pane.line.isEnabled()
    assert pane.empty.words.startswith("There are no layers in here Docker keeps")
