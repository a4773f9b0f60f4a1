"""What the Bytes tab promises: the bytes of whatever is a file, and a sentence where they cannot be had."""

import base64
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from engine.progress import Progress
from gui.panels import bytes_copy
from gui.panels.bytes_copy import Form
from gui.panels.bytes_find import Way, bytes_of
from gui.panels.bytes_view import BytesView
from gui.panels.hex_goto import offset_of
from gui.session import Selection, Session

Open = Callable[[Path], Session]
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
CONTENT = b"".join(b"line %06d of many\n" % number for number in range(20_000))


@pytest.fixture
def view(qtbot: QtBot) -> BytesView:
    view = BytesView()
    qtbot.addWidget(view)
    view.resize(700, 500)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    return view


@pytest.fixture
def session(making, open_session: Open) -> Session:
    making.blob(CONTENT)
    return open_session(making.path)


def show(qtbot: QtBot, view: BytesView, session: Session, place: str) -> None:
    before = view.hex.source
    view.show_selection(Selection(session, place))
    qtbot.waitUntil(lambda: view.hex.source not in (before, None))
    qtbot.waitUntil(lambda: view.hex.known(0, min(64, view.hex.byte_count)) is not None)


def only_blob(session: Session) -> str:
    return str(session.snapshot.name(0))


def file_of(session: Session, place: str) -> Path:
    return session.path / "blobs" / place.replace(":", "/")


def told(qtbot: QtBot, view: BytesView, words: str) -> None:
    qtbot.waitUntil(lambda: words in view.empty.words or words in view.note.text())


def test_the_bytes_of_a_blob_and_where_one_is_in_them(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    assert view.hex.byte_count == len(CONTENT)
    assert view.hex.known(0, 64) == CONTENT[:64]
    assert view.place.text() == "0x0 · 0 · byte 6c = 108 · of 400,000 bytes"
    view.hex.go_to(16, 4)
    assert view.place.text() == "0x10 to 0x13 · 4 bytes selected · of 400,000 bytes"
    assert view.hex.accessibleDescription() == "0x10 to 0x13, 4 bytes selected, of 400,000 bytes"


def test_the_layouts_own_documents_and_stray_files_have_bytes(
    qtbot: QtBot, view: BytesView, making, open_session: Open
) -> None:
    (making.path / "blobs" / "sha256" / "left.tmp").write_bytes(b"half of something")
    session = open_session(making.path)
    show(qtbot, view, session, "index.json")
    assert view.hex.known(0, 1) == b"{"
    show(qtbot, view, session, "sha256/left.tmp")
    assert view.hex.known(0, 4) == b"half"


def test_an_empty_blob_says_that_it_is_empty(qtbot: QtBot, view: BytesView, making, open_session: Open) -> None:
    session = open_session(making.path) if making.blob(b"") else None
    assert session is not None
    view.show_selection(Selection(session, only_blob(session)))
    told(qtbot, view, "The file is empty: it has 0 bytes.")


@pytest.mark.parametrize("what", ["folder", "link", "pipe"])
def test_what_is_no_file_says_so(qtbot: QtBot, view: BytesView, making, open_session: Open, what: str) -> None:
    place = making.path / "blobs" / "sha256" / ("0" * 64)
    {"folder": place.mkdir, "link": lambda: place.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(place)}[what]()
    session = open_session(making.path)
    view.show_selection(Selection(session, only_blob(session)))
    told(qtbot, view, "is not a regular file")


def test_a_file_that_vanishes_below_the_view_says_so_and_can_be_read_again(
    qtbot: QtBot, view: BytesView, session: Session
) -> None:
    place = only_blob(session)
    show(qtbot, view, session, place)
    file = file_of(session, place)
    file.rename(file.with_suffix(".away"))
    view.hex.go_to(len(CONTENT) - 1)
    told(qtbot, view, "is not in the store")
    assert view.hex.known(0, 4) == CONTENT[:4], "what was read stays"
    again = next(button for button in view.findChildren(QPushButton) if button.text() == "Read again")
    file.with_suffix(".away").rename(file)
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.hex.known(len(CONTENT) - 4, len(CONTENT)) == CONTENT[-4:])
    assert not again.isVisible()


def test_a_file_that_changes_below_the_view_is_shown_as_it_is_then(
    qtbot: QtBot, view: BytesView, session: Session
) -> None:
    place = only_blob(session)
    show(qtbot, view, session, place)
    view.hex.go_to(300)
    file_of(session, place).write_bytes(b"other" * 100)
    view.hex.go_to(len(CONTENT) - 1)
    told(qtbot, view, "no longer the file that was read before")
    view.hex.go_to(300)
    view.refresh()
    told(qtbot, view, "The file has changed: this is what it is now.")
    qtbot.waitUntil(lambda: view.hex.known(0, 5) == b"other")
    assert view.hex.byte_count == 500
    assert view.hex.current == 300, "one is where one was"


def test_a_rescan_that_finds_the_same_file_leaves_everything_as_it_is(
    qtbot: QtBot, view: BytesView, session: Session
) -> None:
    show(qtbot, view, session, only_blob(session))
    source = view.hex.source
    view.hex.go_to(5000, 3)
    view.refresh()
    qtbot.waitUntil(lambda: view._opening is None)
    assert view.hex.source is source
    assert view.hex.selection == (5000, 5003)


def test_hundred_gigabytes_are_gone_through_and_searched_at_once(
    qtbot: QtBot, view: BytesView, making, open_session: Open
) -> None:
    size = 100 << 30
    with (making.path / "blobs" / "sha256" / ("0" * 64)).open("wb") as large:
        large.truncate(size)
        large.seek(70 << 30)
        large.write(b"needle")
    session = open_session(making.path)
    show(qtbot, view, session, only_blob(session))
    qtbot.keyClick(view.hex, Qt.Key.Key_End, CONTROL)
    qtbot.waitUntil(lambda: view.hex.known(size - 1, size) == b"\0")
    view.line.setText("70%")
    qtbot.keyClick(view.line, Qt.Key.Key_Return)
    assert view.hex.current == 70 << 30
    view.hex.go_to(0)
    find(qtbot, view, "needle")
    assert view.hex.selection == (70 << 30, (70 << 30) + 6)


def test_the_same_file_reached_in_another_way_stays_as_it_is(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.hex.go_to(5000, 3)
    source = view.hex.source
    view.show_selection(Selection(session, only_blob(session), 0))
    qtbot.waitUntil(lambda: view._opening is None)
    assert view.hex.source is source
    assert view.hex.selection == (5000, 5003)


def test_the_keyboard_stays_in_the_bytes_from_file_to_file(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.hex.setFocus()
    show(qtbot, view, session, "index.json")
    assert view.hex.hasFocus()
    assert view.hex.current == 0


def test_what_takes_long_to_be_found_is_not_shown_as_what_was_there_before(
    qtbot: QtBot, view: BytesView, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(qtbot, view, session, only_blob(session))
    released = threading.Event()
    real = session.store.open_file

    def slow(place: str) -> int:
        released.wait(10)
        return real(place)

    monkeypatch.setattr(session.store, "open_file", slow)
    view.show_selection(Selection(session, "index.json"))
    qtbot.waitUntil(lambda: view.empty.isVisible())
    assert view.empty.words == "Reading…"
    assert view.hex.source is None
    released.set()
    qtbot.waitUntil(lambda: view.hex.known(0, 1) == b"{")


def test_nothing_is_left_of_what_was_shown_before(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.clear()
    assert view.hex.source is None
    view.show_selection(Selection(session, "sha256:" + "1" * 64))
    told(qtbot, view, "is not in the store")
    assert view.hex.byte_count == 0


# ------------------------------------------------------------------------------------------------------- going


@pytest.mark.parametrize(
    ("words", "offset"),
    [
        ("0", 0),
        ("1234", 1234),
        ("1,234", 1234),
        ("0x4D2", 1234),
        (" 0x4d2 ", 1234),
        ("50%", 5000),
        ("50 %", 5000),
        ("0.5%", 50),
        ("12.25 %", 1225),
        ("100%", 9999),
        ("+16", 116),
        ("-0x10", 84),
        ("end", 9999),
        ("start", 0),
    ],
)
def test_a_place_is_written_in_many_ways(words: str, offset: int) -> None:
    assert offset_of(words, 100, 10_000) == offset


@pytest.mark.parametrize("words", ["", "x", "0x", "4d2", "1.5", "--1", "+5%", "1e3", "9" * 100, "١٢٣"])
def test_what_is_no_place_is_told_how_to_write_one(words: str) -> None:
    assert offset_of(words, 100, 10_000) == "Write a place as 1234, 0x4d2, 50 %, +16 or end."


def test_places_outside_are_told_where_the_bytes_end() -> None:
    assert offset_of("10000", 0, 10_000) == "That is behind the last byte, which is at 0x270f (9,999)."
    assert offset_of("-101", 100, 10_000) == "That is before the first byte."
    assert offset_of("101%", 0, 10_000) == "There is nothing behind 100 %."


def test_going_to_an_offset_puts_the_keyboard_there(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.hex.setFocus()
    qtbot.keyClick(view.hex, Qt.Key.Key_G, CONTROL)
    assert view.line.hasFocus()
    qtbot.keyClicks(view.line, "0x1000")
    qtbot.keyClick(view.line, Qt.Key.Key_Return)
    assert view.hex.current == 0x1000
    assert view.hex.hasFocus()
    qtbot.keyClick(view.hex, Qt.Key.Key_G, CONTROL)
    qtbot.keyClicks(view.line, "nowhere")
    qtbot.keyClick(view.line, Qt.Key.Key_Return)
    assert view.note.text().startswith("Write a place as")
    assert view.line.hasFocus()


# ------------------------------------------------------------------------------------------------------ finding


def find(qtbot: QtBot, view: BytesView, words: str, way: Way = Way.TEXT, *, backwards: bool = False) -> str:
    bar = view.find_bar
    view.open_find()
    bar.way.setCurrentIndex(way)
    if bar.line.text() != words:
        bar.line.setText(words)
    qtbot.keyClick(bar.line, Qt.Key.Key_Return, SHIFT if backwards else Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: not bar.is_busy)
    return bar.told.text()


def test_text_is_found_forwards_backwards_and_around_the_end(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    assert find(qtbot, view, "LINE 0001") == "found"
    first = CONTENT.index(b"line 0001")
    assert view.hex.selection == (first, first + 9)
    assert find(qtbot, view, "LINE 0001") == "found"
    second = CONTENT.index(b"line 0001", first + 1)
    assert view.hex.current == second
    assert find(qtbot, view, "LINE 0001", backwards=True) == "found"
    assert view.hex.current == first
    assert find(qtbot, view, "LINE 0001", backwards=True) == "found, once around"
    assert view.hex.current == CONTENT.rindex(b"line 0001")
    assert find(qtbot, view, "LINE 0001", Way.EXACT) == "not found"
    assert view.hex.current == CONTENT.rindex(b"line 0001"), "one stays where one was"


def test_bytes_are_found_by_their_digits(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    assert find(qtbot, view, b"019999".hex(" "), Way.HEX) == "found"
    assert view.hex.current == CONTENT.index(b"019999")
    find(qtbot, view, "6", Way.HEX)
    assert view.note.text() == "A byte has two digits."


def test_what_is_written_is_taken_for_bytes() -> None:
    assert bytes_of("Ä", Way.TEXT) == "Ä".encode()
    assert bytes_of("1f 8B", Way.HEX) == bytes_of("0x1f,0x8b", Way.HEX) == bytes_of("1f8b", Way.HEX) == b"\x1f\x8b"
    assert bytes_of("", Way.HEX) == b""
    assert bytes_of("xyz", Way.HEX) == "Only the digits 0 to 9 and a to f are hexadecimal."
    assert bytes_of("x" * 5000, Way.TEXT) == "At most 4,096 bytes can be looked for."


def test_looking_can_be_stopped_with_escape_and_again_closes_the_bar(
    qtbot: QtBot, view: BytesView, making, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (making.path / "blobs" / "sha256" / ("0" * 64)).open("wb") as large:
        large.truncate(100 << 30)
    session = open_session(making.path)
    show(qtbot, view, session, only_blob(session))
    source = view.hex.source
    assert source is not None
    monkeypatch.setattr(source, "_data_ranges", None)  # as on file systems that tell nothing of holes
    view.open_find()
    view.find_bar.line.setText("needle")
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "%" in view.find_bar.told.text())
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Escape)
    assert not view.find_bar.is_busy
    assert view.find_bar.told.text() == "stopped"
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Escape)
    assert not view.find_bar.isVisible()
    assert view.hex.hasFocus()


def test_a_search_that_is_stopped_among_the_jobs_says_so(
    qtbot: QtBot, view: BytesView, making, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (making.path / "blobs" / "sha256" / ("0" * 64)).open("wb") as large:
        large.truncate(100 << 30)
    session = open_session(making.path)
    show(qtbot, view, session, only_blob(session))
    monkeypatch.setattr(view.hex.source, "_data_ranges", None)
    view.open_find()
    view.find_bar.line.setText("needle")
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return)
    job = next(job for job in session.jobs if job.title.startswith("Finding in sha256:0000"))
    session.cancel(job)
    qtbot.waitUntil(lambda: view.find_bar.told.text() == "stopped")


def test_enter_while_it_looks_looks_anew_and_that_search_can_be_stopped(
    qtbot: QtBot, view: BytesView, making, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (making.path / "blobs" / "sha256" / ("0" * 64)).open("wb") as large:
        large.truncate(100 << 30)
    session = open_session(making.path)
    show(qtbot, view, session, only_blob(session))
    monkeypatch.setattr(view.hex.source, "_data_ranges", None)
    view.open_find()
    view.find_bar.line.setText("needle")
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "%" in view.find_bar.told.text())
    first = next(job for job in session.jobs if job.title.startswith("Finding in"))
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not first.active)
    assert view.find_bar.is_busy
    assert view.find_bar.told.text().startswith("looking…")
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Escape)
    assert view.find_bar.told.text() == "stopped"
    qtbot.waitUntil(lambda: not any(job.title.startswith("Finding in") for job in session.jobs))


def test_another_file_ends_the_search_in_the_one_before(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.open_find()
    view.find_bar.line.setText("line")
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return)
    show(qtbot, view, session, "index.json")
    assert view.find_bar.told.text() == ""
    assert view.hex.current == 0


def test_a_search_in_a_file_that_vanishes_says_so(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    file_of(session, only_blob(session)).unlink()
    find(qtbot, view, "anything")
    assert "is not in the store" in view.note.text()


# ------------------------------------------------------------------------------------------------------ copying


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


@pytest.mark.parametrize(
    ("form", "expected"),
    [(Form.HEX, b"line 0".hex(" ")), (Form.TEXT, "line 0"), (Form.BASE64, base64.b64encode(b"line 0").decode())],
)
def test_what_is_selected_is_copied_in_the_form_that_one_wants(
    qtbot: QtBot, view: BytesView, session: Session, form: Form, expected: str
) -> None:
    show(qtbot, view, session, only_blob(session))
    view.hex.go_to(0, 6)
    with qtbot.waitSignal(view.copied) as caught:
        view.copy(form)
    assert clipboard() == expected
    assert caught.args == [f"Copied 6 bytes as {form.word}."]


def test_the_key_copies_digits_also_of_what_was_not_read_yet(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.hex.setFocus()
    qtbot.keyClick(view.hex, Qt.Key.Key_A, CONTROL)
    with qtbot.waitSignal(view.copied):
        qtbot.keyClick(view.hex, Qt.Key.Key_C, CONTROL)
    assert bytes.fromhex(clipboard()) == CONTENT


def test_too_much_is_not_copied_and_says_so(
    qtbot: QtBot, view: BytesView, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytes_copy, "MOST", 1000)
    QGuiApplication.clipboard().setText("before")
    show(qtbot, view, session, only_blob(session))
    view.hex.go_to(0, 2000)
    view.copy(Form.TEXT)
    assert view.note.text() == "At most 1.0 kB are copied at once, and 2.0 kB are selected. Save the blob instead."
    assert clipboard() == "before"


@pytest.mark.parametrize("is_there", [True, False])
def test_what_becomes_of_a_copy_is_not_said_of_another_file(
    qtbot: QtBot, view: BytesView, session: Session, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    show(qtbot, view, session, only_blob(session))
    QGuiApplication.clipboard().setText("before")
    source, released, copied = view.hex.source, threading.Event(), []
    assert source is not None
    read = source.read

    def slow(offset: int, length: int, progress: Progress) -> bytes:
        released.wait(10)
        return read(offset, length, progress)

    monkeypatch.setattr(source, "read", slow)
    view.copied.connect(copied.append)
    view.copy(Form.HEX)
    job = next(job for job in session.layers.runner.active() if job.title == "Copying bytes")
    show(qtbot, view, session, "index.json")
    if not is_there:
        file_of(session, only_blob(session)).unlink()
    released.set()
    qtbot.waitUntil(lambda: not job.active)
    assert (clipboard(), copied, view.note.text()) == ("before", [], "")
    assert view.hex.known(0, 1) == b"{"


def test_the_offset_is_copied(qtbot: QtBot, view: BytesView, session: Session) -> None:
    show(qtbot, view, session, only_blob(session))
    view.hex.go_to(4096)
    view.copy_offset()
    assert clipboard() == "0x1000"


def test_the_keyboard_goes_through_in_the_order_that_is_seen(
    qtbot: QtBot, view: BytesView, session: Session, qapp: QApplication
) -> None:
    show(qtbot, view, session, only_blob(session))
    view.open_find()
    view.line.setFocus()
    reached = []
    for _ in range(30):
        reached.append(qapp.focusWidget())
        view.focusNextPrevChild(True)
    order = [view.line, view._find, view._copy, view.hex, view.find_bar.line, view.find_bar.way]
    assert reached[: len(order)] == order
