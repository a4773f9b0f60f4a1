"""What the headers beside the bytes promise: each leads to the other, and no more is read than is looked at."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

import engine.headers
from engine.headers import FieldKind
from gui.panels import header_pane
from gui.panels.bytes_view import BytesView
from gui.session import Selection, Session
from gui.theme import Role
from tests.gui.panels._bytes import place_of

Open = Callable[[Path], Session]
CONTROL = Qt.KeyboardModifier.ControlModifier


def archive(count: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for number in range(count):
            entry = tarfile.TarInfo(f"file{number}")
            entry.size = 700
            made.addfile(entry, io.BytesIO(bytes(700)))
    return stream.getvalue()


@pytest.fixture
def view(qtbot: QtBot) -> BytesView:
    view = BytesView()
    qtbot.addWidget(view)
    view.resize(700, 700)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    return view


ShowBlob = Callable[[bytes], Session]


@pytest.fixture
def show_blob(qtbot: QtBot, view: BytesView, making, open_session: Open) -> ShowBlob:
    def show(content: bytes) -> Session:
        making.blob(content)
        session = open_session(making.path)
        view.show_selection(Selection(session, str(session.snapshot.name(0))))
        qtbot.waitUntil(lambda: view.hex.byte_count == len(content))
        qtbot.waitUntil(lambda: view.headers._job is None)
        return session

    return show


def current(view: BytesView) -> list[str]:
    """The names from the part down to what is current in the tree."""
    index, found = view.headers.view.currentIndex(), []
    while index.isValid():
        found.insert(0, index.siblingAtColumn(0).data())
        index = index.parent()
    return found


def test_the_headers_stand_below_the_bytes_and_the_first_is_open(view: BytesView, show_blob: ShowBlob) -> None:
    show_blob(gzip.compress(b"content", mtime=0))
    tree = view.headers.view
    assert tree.isVisible()
    assert tree.isExpanded(tree.model().index(0, 0))
    assert current(view) == ["gzip member 1", "Magic number"]
    assert view.meaning.text() == (
        "gzip member 1 · Magic number: 1f 8b. Every gzip member begins with these two bytes."
    )
    assert "Every gzip member begins" in view.hex.accessibleDescription()


def test_what_has_no_headers_has_none_below_it(view: BytesView, show_blob: ShowBlob) -> None:
    show_blob(b"just some text")
    assert not view.headers.isVisible()
    assert not view.meaning.isVisible()
    assert view.headers.between(0, 100) == []
    assert view.headers.at(3) is None


def test_a_field_in_the_tree_selects_its_bytes(qtbot: QtBot, view: BytesView, show_blob: ShowBlob) -> None:
    show_blob(gzip.compress(b"content", mtime=0))
    tree = view.headers.view
    tree.setFocus()
    qtbot.keyClick(tree, Qt.Key.Key_Down)
    assert (current(view)[-1], view.hex.selection) == ("Compression method", (2, 3))
    time = tree.model().index(3, 0, tree.model().index(0, 0))
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(time).center())
    assert view.hex.selection == (4, 8)
    assert current(view)[-1] == "Time"
    assert tree.hasFocus()
    qtbot.keyClick(tree, Qt.Key.Key_Return)
    assert view.hex.hasFocus()


def test_a_byte_selects_its_field_and_a_double_click_all_of_its_bytes(
    qtbot: QtBot, view: BytesView, show_blob: ShowBlob
) -> None:
    show_blob(gzip.compress(b"content", mtime=0))
    port = view.hex.viewport()
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=place_of(view.hex, 6))
    assert current(view)[-1] == "Time"
    assert view.hex.selection == (6, 7), "one stays on the byte"
    qtbot.mouseDClick(port, Qt.MouseButton.LeftButton, pos=place_of(view.hex, 6))
    assert view.hex.selection == (4, 8)
    qtbot.keyClick(view.hex, Qt.Key.Key_End, CONTROL)
    assert current(view) == ["End of gzip member 1"], "what is folded stays folded"


def test_fields_are_coloured_and_say_what_they_are(
    qtbot: QtBot, view: BytesView, show_blob: ShowBlob, qapp: QApplication
) -> None:
    show_blob(gzip.compress(b"content", mtime=0))
    marks = view.headers.between(0, 1000)
    assert [(mark.start, mark.end) for mark in marks[:3]] == [(0, 2), (2, 3), (3, 4)]
    assert {mark.tint for mark in marks} == {Role.ACCENT}
    assert marks[0].strong is not marks[1].strong
    assert all("Compressed data" not in mark.words for mark in marks), "content has no colour"
    where = place_of(view.hex, 2)
    qapp.sendEvent(
        view.hex.viewport(), QHelpEvent(QHelpEvent.Type.ToolTip, where, view.hex.viewport().mapToGlobal(where))
    )
    assert QToolTip.text() == "gzip member 1\nCompression method: 8: deflate"
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_more_headers_come_as_one_goes_on(
    qtbot: QtBot, view: BytesView, show_blob: ShowBlob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_pane, "_BATCH", 60)
    show_blob(archive(1000))
    model, tree = view.headers.model, view.headers.view
    assert model.rowCount() == 62, "no more than the first, and those that are seen next"
    tree.setFocus()
    qtbot.keyClick(tree, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: model.rowCount() == 122)
    view.hex.go_to(200 * 1536 + 5)
    qtbot.waitUntil(lambda: view.meaning.text().startswith("File file200 · Name: file200."))
    assert current(view) == ["File"]
    qtbot.waitUntil(lambda: view.headers._job is None)
    assert model.rowCount() < 400
    view.hex.go_to(view.hex.byte_count - 1)
    qtbot.waitUntil(lambda: current(view) == ["Behind the end"])
    assert model.rowCount() == 1002


@pytest.mark.parametrize(("limit", "most"), [("MOST_PARTS", 20), ("MOST_KEPT", 20 * 512)])
def test_only_so_many_headers_are_listed_and_that_is_said(
    qtbot: QtBot, view: BytesView, show_blob: ShowBlob, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(engine.headers, limit, most)
    show_blob(archive(50))
    qtbot.waitUntil(lambda: view.headers.note.text() == "Only the first 20 headers are listed.")
    view.hex.go_to(40 * 1536)
    assert view.meaning.text() == ""


def test_headers_of_a_file_that_vanishes_are_told_as_far_as_they_were_read(
    qtbot: QtBot, view: BytesView, show_blob: ShowBlob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_pane, "_BATCH", 10)
    session = show_blob(archive(300))
    stored = session.path / "blobs" / str(session.snapshot.name(0)).replace(":", "/")
    stored.rename(stored.with_suffix(".away"))
    view.hex.go_to(200 * 1536)
    qtbot.waitUntil(lambda: "is not in the store" in view.note.text())
    assert view.headers.model.rowCount() > 0
    assert view.headers.field_at(0)[1].kind is FieldKind.HEADER
    stored.with_suffix(".away").rename(stored)
    view.read_again()
    qtbot.waitUntil(lambda: view.meaning.text().startswith("File file200"))


def test_another_file_has_other_headers(qtbot: QtBot, view: BytesView, show_blob: ShowBlob) -> None:
    session = show_blob(archive(5))
    assert view.headers.isVisible()
    view.show_selection(Selection(session, "index.json"))
    qtbot.waitUntil(lambda: view.hex.known(0, 1) == b"{")
    qtbot.waitUntil(lambda: view.headers._job is None)
    assert not view.headers.isVisible()
    assert view.headers.model.rowCount() == 0


@pytest.mark.parametrize("width", [300, 700])
def test_a_narrow_pane_leaves_out_what_the_line_below_tells(
    view: BytesView, show_blob: ShowBlob, qapp: QApplication, width: int
) -> None:
    show_blob(archive(2))
    view.resize(width, 600)
    qapp.processEvents()
    assert view.headers.view.isColumnHidden(2) is (width == 300)


def test_where_there_is_little_room_it_is_for_the_bytes(
    qtbot: QtBot, view: BytesView, show_blob: ShowBlob, qapp: QApplication
) -> None:
    show_blob(archive(2))
    place = QWidget()
    qtbot.addWidget(place)
    view.setParent(place)
    place.show()
    view.show()
    for height, shown in (
        (500, (True,) * 3),
        (200, (True, True, False)),
        (150, (True, False, False)),
        (80, (False,) * 3),
    ):
        view.setGeometry(0, 0, 600, height)
        qapp.processEvents()
        assert (view.line.isVisible(), view.place.isVisible(), view.headers.isVisible()) == shown
        assert view.hex.viewport().height() > 60
    view.hex.setFocus()
    qtbot.keyClick(view.hex, Qt.Key.Key_G, CONTROL)
    assert view.line.isVisible(), "who asks for it gets it"
    view.setParent(None)
