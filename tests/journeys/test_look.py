"""Looking around: selecting shows in the inspector, links lead on and back, and the keyboard reaches everything."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QTableView

from engine.snapshot import Kind, State
from gui import theme
from tests.journeys.conftest import Driver

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def test_what_is_selected_shows_in_the_inspector_and_the_status_bar(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    assert page.inspector.selection == page.selection
    assert page.summary().startswith("1 selected · ")


def test_back_and_forward_retrace_the_way(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    first = page.selection
    driver.select("example.org/tool:2.0")
    second = page.selection
    driver.key(Qt.Key.Key_Left, ALT)
    driver.until(lambda: page.inspector.selection == first)
    driver.until(lambda: page.selection == first)
    driver.key(Qt.Key.Key_Right, ALT)
    driver.until(lambda: page.inspector.selection == second)


def test_a_digest_is_copied_alone_and_with_its_name(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    assert page.selection is not None
    driver.key(Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == page.selection.digest
    driver.key(Qt.Key.Key_C, CONTROL | SHIFT)
    assert QGuiApplication.clipboard().text() == f"example.org/web:1.0@{page.selection.digest}"


def test_a_pasted_digest_is_gone_to(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    snapshot = page.session.snapshot
    assert snapshot is not None
    layer = next(snapshot.name(row) for row in range(len(snapshot)) if snapshot.kind(row) == Kind.LAYER)
    QGuiApplication.clipboard().setText(layer)
    driver.key(Qt.Key.Key_V, CONTROL)
    driver.until(lambda: page.selection is not None and page.selection.digest == layer)


@pytest.mark.parametrize("way", ["key", "menu"])
def test_the_next_problem_is_one_key_away(driver: Driver, sample: Path, way: str) -> None:
    page = driver.open(sample)
    seen = set()
    for _ in range(3):
        before = page.selection
        if way == "key":
            driver.key(Qt.Key.Key_N)
        else:
            driver.menu("Go", "Next problem")
        driver.until(lambda before=before: page.selection is not None and page.selection != before)
        assert page.selection is not None
        assert page.session.snapshot is not None
        assert page.session.state(page.session.snapshot.find(page.selection.digest)).bad
        seen.add(page.selection.digest)
    assert len(seen) == 2


def test_a_counter_in_the_status_bar_filters_the_list(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    button = next(
        each for each in driver.window.counts.findChildren(QAbstractButton) if each.accessibleName() == "1 missing"
    )
    driver.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    driver.until(lambda: page.blobs.model.shown == 1)
    assert page.lens is page.blobs
    assert page.session.counts[State.MISSING] == 1


def test_the_keyboard_reaches_every_part_of_the_window_and_comes_back(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.select("example.org/web:1.0")
    page.focus_list()
    panes = []
    for _ in range(3):
        driver.key(Qt.Key.Key_F6)
        focused = QApplication.focusWidget()
        assert focused is not None
        panes.append(
            next(
                name
                for name, pane in (
                    ("list", page.lens.view),
                    ("inspector", page.inspector),
                    ("counters", driver.window.counts),
                )
                if pane is focused or pane.isAncestorOf(focused)
            )
        )
    assert panes == ["inspector", "counters", "list"]
    driver.key(Qt.Key.Key_F6, SHIFT)
    assert driver.window.counts.isAncestorOf(QApplication.focusWidget())


def test_lenses_and_filter_have_keys(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.key(Qt.Key.Key_2, CONTROL)
    assert page.lens is page.blobs
    driver.key(Qt.Key.Key_1, CONTROL)
    assert page.lens is page.images
    driver.key(Qt.Key.Key_L, CONTROL)
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLineEdit)
    driver.qtbot.keyClicks(focused, "tool")
    driver.until(lambda: page.images.model.shown == 1)


def test_each_tab_of_the_inspector_has_a_key(driver: Driver, sample: Path) -> None:
    inspector = driver.open(sample).inspector
    driver.select("example.org/web:1.0")
    tabs = (
        *(inspector.tabs.overview, inspector.tabs.layers, inspector.tabs.files),
        *(inspector.tabs.document, inspector.tabs.bytes, inspector.tabs.metadata, inspector.tabs.relations),
    )
    for number, tab in enumerate(tabs, Qt.Key.Key_1):
        driver.key(Qt.Key(number), Qt.KeyboardModifier.AltModifier)
        assert tab.isVisible()
        assert tab.isAncestorOf(QApplication.focusWidget()) or tab is QApplication.focusWidget()


def test_typing_in_the_filter_is_not_taken_for_commands(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    driver.key(Qt.Key.Key_L, CONTROL)
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLineEdit)
    driver.qtbot.keyClicks(focused, "vnp")
    assert focused.text() == "vnp"
    assert not page.session.verifying


def test_every_control_that_can_be_reached_has_a_name(driver: Driver, sample: Path) -> None:
    driver.open(sample)
    driver.select("example.org/web:1.0")
    nameless = [
        button
        for button in driver.window.findChildren(QAbstractButton)
        if button.isVisible()
        and not (button.accessibleName() or button.text())
        and not button.objectName().startswith("qt_")
        and button.focusPolicy() is not Qt.FocusPolicy.NoFocus
    ]
    assert nameless == []


def test_the_theme_changes_from_the_menu_and_stays(driver: Driver, sample: Path) -> None:
    driver.open(sample)
    driver.menu("View", "Dark")
    assert theme.current().dark
    driver.menu("View", "Light")
    assert not theme.current().dark


def test_columns_and_sizes_are_as_they_were_left(driver: Driver, sample: Path) -> None:
    page = driver.open(sample)
    table = page.blobs.view
    assert isinstance(table, QTableView)
    table.horizontalHeader().resizeSection(0, 321)
    driver.menu("File", "Close tab")
    table = driver.open(sample).blobs.view
    assert isinstance(table, QTableView)
    assert table.horizontalHeader().sectionSize(0) == 321
