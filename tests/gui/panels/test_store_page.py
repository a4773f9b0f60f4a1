"""What the tab of a store promises: the keyboard is always somewhere, and what is asked about has its own name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from engine import DockerImageStore
from engine.snapshot import Entry
from gui.jobs import JobRunner
from gui.panels.menus import Menus
from gui.panels.places import IMAGES, PROBLEMS
from gui.panels.problem_details import ToPlace
from gui.panels.store_page import StorePage
from gui.session import Session
from gui.settings import Settings
from tests.gui.conftest import PATIENCE_MS
from tests.layouts import LayoutFiles

OpenPage = Callable[[Path], StorePage]


@pytest.fixture
def open_page(qtbot: QtBot, runner: JobRunner, tmp_path: Path, open_session: Callable[[Path], Session]) -> OpenPage:
    def open_it(path: Path) -> StorePage:
        page = StorePage(
            open_session(path), runner, Settings(tmp_path / "settings.ini"), Menus(QMenu, QMenu, lambda _keys: QMenu())
        )
        qtbot.addWidget(page)
        page.resize(900, 420)
        page.show()
        page.images.select_something("")
        QApplication.processEvents()
        return page

    return open_it


def test_in_an_empty_list_the_keyboard_is_on_its_tab(open_page: OpenPage, sample: Path) -> None:
    page = open_page(sample)
    page.show_lens(IMAGES)
    assert page.focusWidget() is page.images.view
    page.show_trash()
    assert page.focusWidget() is page.lenses.tabBar()
    assert page.session.snapshot is not None
    assert page.reveal(page.session.snapshot.name(0))
    assert page.focusWidget() is page.lens.view, "what is shown instead has the keyboard"


def test_in_a_low_window_what_would_go_is_scrolled_and_the_buttons_stay_whole(
    qtbot: QtBot, open_page: OpenPage, sample: Path
) -> None:
    page = open_page(sample)
    page.ask_removal()
    qtbot.waitUntil(lambda: not page.removal.isHidden(), timeout=PATIENCE_MS)
    QApplication.processEvents()
    facts = page.removal._scroll.geometry()
    buttons = [button for button in page.removal.findChildren(QPushButton) if button.isVisible()]
    assert len(buttons) == 3
    assert all(button.geometry().top() > facts.bottom() for button in buttons)
    assert all(button.geometry().bottom() < page.removal.height() for button in buttons)
    assert page.removal._scroll.verticalScrollBar().maximum() > 0, "there is more than fits"


def test_an_image_of_dockers_is_asked_about_by_its_name(qtbot: QtBot, open_page: OpenPage, tmp_path: Path) -> None:
    config = b'{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}'
    with DockerImageStore.create(tmp_path / "imagedb") as store:
        digest = store.set(config)
    names = {"Repositories": {"app": {"app:1.0": str(digest)}}}
    (tmp_path / "repositories.json").write_text(str(names).replace("'", '"'))
    page = open_page(tmp_path / "imagedb")
    page.ask_removal()
    qtbot.waitUntil(lambda: not page.removal.isHidden(), timeout=PATIENCE_MS)
    assert "Delete app:1.0" in [label.text() for label in page.removal.findChildren(QLabel)]


def test_what_an_undo_brings_back_is_selected_by_its_own_name(qtbot: QtBot, open_page: OpenPage, sample: Path) -> None:
    """Two names of the sample lead to the same image."""
    page = open_page(sample)
    changes, undoing = page.session.changes, page.session.undoing

    def latest() -> Entry:
        snapshot = page.session.snapshot
        assert snapshot is not None
        return next(entry for entry in snapshot.entries if entry.names == ("example.org/web:latest",))

    page.reveal(latest().descriptor.digest, "example.org/web:latest")
    QApplication.processEvents()
    page.ask_removal()
    qtbot.waitUntil(lambda: not page.removal.isHidden(), timeout=PATIENCE_MS)
    next(each for each in page.removal.findChildren(QPushButton) if each.text() == "Untag only").click()
    qtbot.waitUntil(lambda: bool(undoing.undo_title), timeout=PATIENCE_MS)
    page.show_trash()
    with qtbot.waitSignal(changes.revealed, timeout=PATIENCE_MS):
        undoing.undo()
    qtbot.waitUntil(lambda: page.lens is page.images, timeout=PATIENCE_MS)
    assert page.selection is not None
    assert page.selection.entry_position == latest().position
    assert page.focusWidget() is page.images.view


def test_a_problem_marks_its_place_also_where_that_has_a_name_that_is_no_text(
    qtbot: QtBot, open_page: OpenPage, files: LayoutFiles
) -> None:
    files.name(files.image(b"layer"), "app")
    files.entries[0]["annotations"] = {"com.example.a\ud800b": 1234}
    files.write_index()
    page = open_page(files.path)
    page.show_lens(PROBLEMS)
    where = "manifests[0].annotations.com.example.a\ud800b"
    qtbot.waitUntil(lambda: page.problems.finding is not None and page.problems.finding.where == where)
    QApplication.processEvents()
    *_, to_path = [each.target for each in page.problems.details.page.links if isinstance(each.target, ToPlace)]
    page.problems.details.page.activated.emit(to_path)
    document = page.inspector.tabs.document
    qtbot.waitUntil(lambda: document.text.selected_text().endswith(": 1234"), timeout=PATIENCE_MS)


def test_a_stray_file_whose_name_is_no_text_is_revealed(qtbot: QtBot, open_page: OpenPage, files: LayoutFiles) -> None:
    folder = os.fsencode(files.path / "blobs" / "sha256")
    Path(os.fsdecode(folder + b"/\xff.tmp")).write_bytes(b"stray")
    Path(os.fsdecode(folder + b"/.tmp")).write_bytes(b"another")
    page, stray = open_page(files.path), os.fsdecode(b"sha256/\xff.tmp")
    qtbot.waitUntil(lambda: not page.lenses.busy, timeout=PATIENCE_MS)
    page.session.changes.revealed.emit(stray, "")
    qtbot.waitUntil(lambda: page.selection is not None and page.selection.digest == stray, timeout=PATIENCE_MS)
