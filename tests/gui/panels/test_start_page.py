"""What the start page promises: where to begin, and what was open before."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from pytestqt.qtbot import QtBot

from gui.panels.start_page import StartPage
from gui.settings import Recent
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication) -> StartPage:
    page = StartPage()
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    return page


def button(page: StartPage, name: str) -> QAbstractButton:
    return next(
        each
        for each in page.findChildren(QAbstractButton)
        if name in (each.accessibleName() or each.text()) and not each.isHidden()
    )


def words(page: StartPage) -> str:
    return " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize(
    ("name", "asked"), [("Open folder", "open_asked"), ("New layout", "new_asked"), ("Try the demo", "demo_asked")]
)
def test_each_beginning_is_one_click_away(qtbot: QtBot, page: StartPage, name: str, asked: str) -> None:
    with qtbot.waitSignal(getattr(page, asked)):
        qtbot.mouseClick(button(page, name), Qt.MouseButton.LeftButton)


def test_three_lines_teach_what_can_be_done(page: StartPage) -> None:
    told = words(page)
    assert "Open a folder that skopeo, umoci, buildah or BuildKit wrote" in told
    assert "hash everything" in told
    assert "Drag files in" in told
    assert "Opened before" not in told


def test_stores_that_were_open_can_be_opened_pinned_and_removed(qtbot: QtBot, page: StartPage) -> None:
    path = Path("/images/app & more")
    page.show_recents([Recent(str(path), 0.0, pinned=False)])
    qtbot.waitUntil(lambda: "/images" in words(page), timeout=PATIENCE_MS)
    assert "Opened before" in words(page)
    with qtbot.waitSignal(page.recent_chosen) as chosen:
        qtbot.mouseClick(button(page, "Open /images/app & more"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.pin_asked) as pinned:
        qtbot.mouseClick(button(page, "Pin app & more"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.remove_asked) as removed:
        qtbot.mouseClick(button(page, "Remove app & more from this list"), Qt.MouseButton.LeftButton)
    assert (chosen.args, pinned.args, removed.args) == ([path], [path, True], [path])


def test_a_pinned_store_can_be_unpinned(qtbot: QtBot, page: StartPage) -> None:
    page.show_recents([Recent("/images/app", 0.0, pinned=True)])
    qtbot.waitUntil(lambda: "/images" in words(page), timeout=PATIENCE_MS)
    with qtbot.waitSignal(page.pin_asked) as asked:
        qtbot.mouseClick(button(page, "Unpin app"), Qt.MouseButton.LeftButton)
    assert asked.args == [Path("/images/app"), False]


def test_a_new_list_takes_the_place_of_the_old(page: StartPage) -> None:
    page.show_recents([Recent("/images/a")])
    page.show_recents([])
    assert "Opened before" not in words(page)


def test_the_keyboard_begins_at_the_first_button(page: StartPage) -> None:
    page.setFocus()
    assert page.focusWidget() is button(page, "Open folder")
