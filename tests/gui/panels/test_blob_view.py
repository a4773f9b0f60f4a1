"""The table of blobs on the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.jobs import JobRunner
from gui.models.blob_cells import Column
from gui.panels.blob_view import BlobView
from gui.session import Session
from gui.settings import Settings
from tests.layouts import LayoutFiles

OpenSession = Callable[[Path], Session]


@pytest.fixture
def blobs(qtbot: QtBot, runner: JobRunner, tmp_path: Path) -> BlobView:
    view = BlobView(runner, Settings(tmp_path / "settings.ini"), lambda _chosen: None)
    qtbot.addWidget(view)
    view.resize(800, 400)
    view.show()
    return view


def test_an_empty_table_says_what_to_do(blobs: BlobView, files: LayoutFiles, open_session: OpenSession) -> None:
    blobs.set_session(open_session(files.path))
    QApplication.processEvents()
    assert blobs.empty.isVisibleTo(blobs)
    assert blobs.empty.words == "This store has no blobs yet Drop a file here to import it."


def test_a_selection_tells_the_entry_of_a_blob_that_has_one(
    blobs: BlobView, files: LayoutFiles, open_session: OpenSession
) -> None:
    image = files.name(files.image(b"layer"), "app")
    stray = files.path / "blobs" / "sha256" / "left-over"
    stray.write_bytes(b"?")
    blobs.set_session(open_session(files.path))
    assert blobs.reveal(image["digest"])
    assert [(each.digest, each.entry_position) for each in blobs.selection()] == [(image["digest"], 0)]
    assert blobs.reveal("sha256/left-over")
    assert [(each.digest, each.entry_position) for each in blobs.selection()] == [("sha256/left-over", None)]


def test_states_show_as_they_are_found(
    qtbot: QtBot, blobs: BlobView, files: LayoutFiles, open_session: OpenSession
) -> None:
    layer = files.blob(b"layer")
    files.name(files.image(layer), "app")
    files.file(layer).write_bytes(b"LAYER")
    session = open_session(files.path)
    blobs.set_session(session)
    cell = blobs._index_of(layer["digest"], None).siblingAtColumn(Column.STATE)
    assert cell.data() == "Not checked"
    session.verify()
    qtbot.waitUntil(lambda: cell.data() == "Corrupt")


def test_the_state_is_in_sight_where_there_is_little_room(
    blobs: BlobView, files: LayoutFiles, open_session: OpenSession
) -> None:
    files.blob(b"blob")
    blobs.set_session(open_session(files.path))
    blobs.resize(480, 300)
    QApplication.processEvents()
    cell = blobs.view.visualRect(blobs.model.index(0, Column.STATE))
    assert blobs.view.viewport().rect().contains(cell)
