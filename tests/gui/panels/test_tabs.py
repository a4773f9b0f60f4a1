"""The tabs of the window: a new store takes the keyboard into its list, and files that are dropped are the window's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from gui import theme
from gui.jobs import JobRunner
from gui.panels.filter_line import FilterLine
from gui.panels.places import OVERVIEW
from gui.panels.tabs import StoreTabs
from gui.session import Session
from gui.settings import Settings
from tests.gui.conftest import PATIENCE_MS, wait_until_known

Open = Callable[[Path], Session]


@pytest.fixture
def tabs(qtbot: QtBot, qapp: QApplication, runner: JobRunner, tmp_path: Path) -> Iterator[StoreTabs]:
    theme.apply(qapp, "light")
    tabs = StoreTabs(runner, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(tabs)
    tabs.resize(1200, 800)
    tabs.show()
    return tabs


def test_a_new_store_takes_the_keyboard_into_its_list(
    qtbot: QtBot, tabs: StoreTabs, open_session: Open, sample: Path
) -> None:
    tabs.bring(open_session(sample))
    page = tabs.page
    assert page is not None
    qtbot.waitUntil(lambda: tabs.focusWidget() in (page.images.view, page.lenses.tabBar()))


def test_a_store_that_is_known_before_its_list_is_there_shows_its_first_image(
    qtbot: QtBot, tabs: StoreTabs, open_session: Open, sample: Path
) -> None:
    tabs.bring(open_session(sample))
    page = tabs.page
    assert page is not None
    qtbot.waitUntil(lambda: page.selection is not None, timeout=PATIENCE_MS)
    assert page.images.view.currentIndex().row() == 0
    assert page.images.selection()[0].digest == page.selection.digest


def test_who_types_a_filter_before_the_list_is_there_stays_in_it(
    qtbot: QtBot, tabs: StoreTabs, open_session: Open, sample: Path
) -> None:
    tabs.bring(open_session(sample))
    page = tabs.page
    assert page is not None
    page.focus_filter()
    qtbot.wait(50)
    assert isinstance(tabs.focusWidget(), FilterLine)


def test_a_page_that_is_behind_another_by_then_does_not_take_the_keyboard(
    qtbot: QtBot, tabs: StoreTabs, open_session: Open, sample: Path, layout: Path
) -> None:
    first, second = open_session(sample), open_session(layout)
    tabs.bring(second)
    qtbot.wait(50)
    first.number = 1
    tabs.bring(first)
    tabs.bring(second)
    qtbot.wait(50)
    page = tabs.page
    assert page is not None
    assert page.session is second
    assert page.isAncestorOf(tabs.focusWidget())


def test_a_file_that_is_dropped_on_a_line_to_type_in_is_for_the_window(
    qtbot: QtBot, tabs: StoreTabs, open_session: Open, sample: Path
) -> None:
    session = open_session(sample)
    tabs.bring(session)
    page = tabs.page
    assert page is not None
    wait_until_known(qtbot, session)
    qtbot.waitUntil(lambda: page.selection is not None, timeout=PATIENCE_MS)
    page.find_text()
    page.finder.open()
    for lens in (page.problems, page.trash, page.blobs, page.images):
        page.lenses.show_list(lens)
    for tab in range(page.inspector.tabs.count() - 1, OVERVIEW - 1, -1):
        page.inspector.tabs.setCurrentIndex(tab)
    page.inspector.tabs.annotate()
    lines = page.findChildren(QLineEdit)
    assert len(lines) >= 5
    assert [line.accessibleName() for line in lines if line.acceptDrops()] == []
