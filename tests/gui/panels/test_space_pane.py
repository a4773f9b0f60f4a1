"""What holds the lists, the map and the line below them promises: nothing is done for a map that nobody looks at."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListView, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from engine.snapshot import State
from gui.jobs import JobRunner
from gui.models import treemap_store
from gui.models.treemap import Cells, Place
from gui.models.treemap_store import ByImage, ByKind
from gui.panels.space_pane import SpacePane
from gui.panels.space_words import StoreWords
from gui.session import Session
from gui.settings import Settings
from tests.gui.conftest import PATIENCE_MS

OpenPane = Callable[[Path], SpacePane]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def open_pane(qtbot: QtBot, runner: JobRunner, settings: Settings, open_session: Callable[[Path], Session]) -> OpenPane:
    window = QWidget()
    qtbot.addWidget(window)

    def open_it(path: Path) -> SpacePane:
        pane = SpacePane(open_session(path), runner, settings, window)
        QListView(pane.splitter)
        pane.resize(800, 600)
        window.resize(800, 600)
        window.show()
        pane.show()
        qtbot.waitUntil(lambda: pane.counts.counted is not None, timeout=PATIENCE_MS)
        return pane

    return open_it


def until_drawn(qtbot: QtBot, pane: SpacePane) -> None:
    found = pane.map
    assert found is not None
    qtbot.waitUntil(lambda: found.shown is not None and not found.busy, timeout=PATIENCE_MS)


def test_before_the_map_is_opened_nothing_is_grouped_or_laid_out(
    qtbot: QtBot, open_pane: OpenPane, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped: list[object] = []
    make = treemap_store.StoreSpace.__init__

    def note(self: treemap_store.StoreSpace, *arguments: object) -> None:
        grouped.append(self)
        make(self, *arguments)  # type: ignore[arg-type]  # whatever it takes

    monkeypatch.setattr(treemap_store.StoreSpace, "__init__", note)
    pane = open_pane(sample)
    assert pane.map is None
    pane.mark("sha256:anything", np.arange(2))
    assert grouped == []
    pane.show_map(True)
    until_drawn(qtbot, pane)
    assert len(grouped) == 1


def test_while_it_is_closed_it_does_not_follow_the_store(qtbot: QtBot, open_pane: OpenPane, sample: Path) -> None:
    pane = open_pane(sample)
    pane.show_map(True)
    until_drawn(qtbot, pane)
    assert pane.map is not None
    before = pane.map.shown
    pane.show_map(False)
    pane.counts.changed.emit()
    assert not pane.map.busy
    assert pane.map.shown is before
    pane.show_map(True)
    qtbot.waitUntil(lambda: pane.map is not None and pane.map.shown is not before, timeout=PATIENCE_MS)


def test_a_grouping_that_was_looked_at_is_not_worked_out_again(qtbot: QtBot, open_pane: OpenPane, sample: Path) -> None:
    pane = open_pane(sample)
    pane.show_map(True)
    until_drawn(qtbot, pane)
    shown = pane.map
    assert shown is not None
    spaces = []
    for button, kind in ((shown.by_image, ByImage), (shown.by_kind, ByKind), (shown.by_image, ByImage)):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda kind=kind: not shown.busy and type(_words(pane).space) is kind, timeout=PATIENCE_MS)
        spaces.append(_words(pane).space)
    assert spaces[0] is spaces[2]


def test_grouped_otherwise_the_map_goes_on_with_the_same_image_or_with_nothing(
    qtbot: QtBot, open_pane: OpenPane, sample: Path
) -> None:
    pane = open_pane(sample)
    pane.show_map(True)
    until_drawn(qtbot, pane)
    view = pane.map
    assert view is not None

    def group(button: QToolButton, kind: type[ByKind] | type[ByImage]) -> StoreWords:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not view.busy and type(_words(pane).space) is kind, timeout=PATIENCE_MS)
        return _words(pane)

    words = group(view.by_image, ByImage)
    space = words.space
    assert isinstance(space, ByImage)
    image = next(int(node) for node in space.groups if space.is_group(int(node)) and space.top(int(node)) >= 0)
    view.mark(space.snapshot.name(space.top(image)))
    assert view.map.current == Place(image)
    words = group(view.by_kind, ByKind)
    assert view.map.current == words.place_of(_cells(pane), space.top(image))
    view.mark("")
    group(view.by_image, ByImage)
    assert view.map.current is None


def _cells(pane: SpacePane) -> Cells:
    assert pane.map is not None
    assert pane.map.shown is not None
    return pane.map.shown.picture.cells


def _words(pane: SpacePane) -> StoreWords:
    assert pane.map is not None
    assert pane.map.shown is not None
    assert isinstance(pane.map.shown.words, StoreWords)
    return pane.map.shown.words


def test_verdicts_show_in_the_map(qtbot: QtBot, open_pane: OpenPane, sample: Path) -> None:
    pane = open_pane(sample)
    pane.show_map(True)
    until_drawn(qtbot, pane)
    assert pane.map is not None
    view = pane.map
    pane._session.verify()

    def marks() -> set[object]:
        return set(view.shown.picture.marks.values()) if view.shown is not None else set()

    qtbot.waitUntil(lambda: State.CORRUPT in marks() and State.NOT_CHECKED not in marks(), timeout=PATIENCE_MS)


def test_whether_it_is_open_is_remembered(open_pane: OpenPane, settings: Settings, sample: Path) -> None:
    pane = open_pane(sample)
    assert not settings.map_open
    pane.show_map(True)
    assert settings.map_open
    assert pane.bar.map.isChecked()
    pane.show_map(False)
    assert not settings.map_open
    assert not pane.bar.map.isChecked()


def test_closing_it_gives_the_keyboard_back(qtbot: QtBot, open_pane: OpenPane, sample: Path) -> None:
    pane = open_pane(sample)
    with qtbot.waitActive(pane.window()):
        pane.window().activateWindow()
    pane.toggle()
    until_drawn(qtbot, pane)
    assert pane.map is not None
    assert pane.map.map.hasFocus()
    with qtbot.waitSignal(pane.left):
        pane.toggle()
    pane.toggle()
    pane.splitter.widget(0).setFocus()
    with qtbot.assertNotEmitted(pane.left):
        pane.toggle()
