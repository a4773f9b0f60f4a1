"""What the hint promises: to say how much is unused where there is room, and to be out of the way otherwise."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from gui.panels.cleanup_hint import CleanupHint


@pytest.fixture
def tabs(qtbot: QtBot, qapp: QApplication) -> QTabWidget:
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    for title in ("Images 9", "Blobs 44", "Problems", "Trash"):
        tabs.addTab(QWidget(), title)
    tabs.resize(900, 200)
    tabs.show()
    return tabs


def test_it_says_how_much_is_unused_and_leads_to_the_clean_up(qtbot: QtBot, tabs: QTabWidget) -> None:
    hint = CleanupHint(tabs)
    hint.show_unused(5, 90_200)
    assert hint.text() == "5 unused · 90.2 kB · Clean up…"
    assert "90,200 bytes" in hint.toolTip()
    with qtbot.waitSignal(hint.clicked):
        qtbot.mouseClick(hint, Qt.MouseButton.LeftButton)


def test_where_the_tabs_need_the_room_only_its_glyph_is_left(tabs: QTabWidget) -> None:
    hint = CleanupHint(tabs)
    hint.show_unused(5, 90_200)
    tabs.resize(420, 200)
    QApplication.processEvents()
    assert hint.text() == ""
    assert hint.accessibleName() == "5 unused · 90.2 kB · Clean up…"
    tabs.resize(900, 200)
    QApplication.processEvents()
    assert hint.text() == "5 unused · 90.2 kB · Clean up…"


def test_where_everything_is_needed_there_is_nothing_to_see(tabs: QTabWidget) -> None:
    hint = CleanupHint(tabs)
    hint.show_unused(5, 90_200)
    hint.show_unused(0, 0)
    assert not hint.isVisible()
