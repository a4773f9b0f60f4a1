"""The lists of a store: there when they are asked for, and made one after the other without holding the window up."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from gui.jobs import JobRunner
from gui.panels.lenses import Lenses
from gui.panels.menus import Menus
from gui.panels.places import BLOBS, IMAGES, PROBLEMS, TRASH
from gui.session import Session
from gui.settings import Settings
from tests.gui.conftest import wait_until_known

OpenSession = Callable[[Path], Session]


@pytest.fixture
def lenses(qtbot: QtBot, runner: JobRunner, tmp_path: Path, sample: Path, open_session: OpenSession) -> Lenses:
    session = open_session(sample)
    lenses = Lenses(session, runner, Settings(tmp_path / "settings.ini"), Menus(QMenu, QMenu, lambda _keys: QMenu()))
    qtbot.addWidget(lenses)
    return lenses


def made(lenses: Lenses) -> list[bool]:
    return [bool(lenses.widget(tab).findChildren(QWidget)) for tab in (IMAGES, BLOBS, PROBLEMS, TRASH)]


def test_the_lists_come_one_a_turn_and_the_images_first(lenses: Lenses, qtbot: QtBot) -> None:
    lenses.begin()
    seen = [made(lenses)]
    each_turn = QTimer(lenses)
    each_turn.timeout.connect(lambda: seen.append(made(lenses)))
    each_turn.start(0)
    qtbot.waitUntil(lambda: all(seen[-1]))
    assert seen[0] == [False, False, False, False]
    different = [now for before, now in pairwise(seen) if now != before]
    assert different == [[tab <= last for tab in range(4)] for last in range(4)]


def test_a_list_that_is_asked_for_before_its_turn_is_made_then(lenses: Lenses) -> None:
    lenses.begin()
    lenses.setCurrentIndex(PROBLEMS)
    assert lenses.front is lenses.problems
    assert made(lenses) == [False, False, True, False]


def test_tabs_say_how_much_is_behind_them(
    lenses: Lenses, qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    lenses.begin()
    wait_until_known(qtbot, lenses._session)
    qtbot.waitUntil(lambda: lenses.tabText(BLOBS) != "Blobs" and lenses.tabText(PROBLEMS) != "Problems")
    assert lenses.tabText(IMAGES) == f"Images {lenses.images.model.total}"
    assert lenses.tabText(BLOBS) == f"Blobs {lenses.blobs.model.total}"
    assert lenses.tabText(TRASH) == "Trash"


def test_only_what_is_selected_in_the_list_in_front_is_told(lenses: Lenses, qtbot: QtBot) -> None:
    lenses.begin()
    wait_until_known(qtbot, lenses._session)
    qtbot.waitUntil(lambda: lenses.images.model.rowCount() > 0 and lenses.blobs.model.rowCount() > 0)
    told: list[object] = []
    lenses.selected.connect(told.append)
    with qtbot.waitSignal(lenses.blobs.selected, check_params_cb=bool):
        lenses.blobs.view.selectRow(0)
    assert not any(told)
    lenses.images.view.setCurrentIndex(lenses.images.model.index(0, 0))
    qtbot.waitUntil(lambda: any(told))
