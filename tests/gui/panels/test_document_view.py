"""What the document view promises: the stored bytes exactly, or marked as reformatted; digests lead somewhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels import document_text
from gui.panels.document_view import DocumentView
from gui.session import Selection, Session
from gui.theme import Role

MARK = "Reformatted for reading. The digest is over the stored bytes."

Open = Callable[[Path], Session]


@pytest.fixture
def view(qtbot: QtBot) -> DocumentView:
    view = DocumentView()
    qtbot.addWidget(view)
    view.resize(600, 500)
    view.show()
    return view


def show(qtbot: QtBot, view: DocumentView, session: Session, digest: str) -> str:
    view.show_selection(Selection(session, digest))
    qtbot.waitUntil(lambda: view.note.text() != "Reading…" and view.text.complete)
    return view.text.toPlainText()


def choose(view: DocumentView, words: str) -> None:
    next(button for button in view.findChildren(type(view._as_stored)) if button.text() == words).click()


@pytest.fixture
def image(making, open_session: Open) -> tuple[Session, dict[str, Any], bytes]:
    layer = making.blob(b"layer")
    descriptor = making.image([layer])
    making.name(descriptor, "app")
    return open_session(making.path), layer, making.file(descriptor).read_bytes()


def digest_of(session: Session) -> str:
    return session.snapshot.entries[0].descriptor.digest


def test_a_document_with_lines_is_shown_exactly_as_it_is_stored(view: DocumentView, image, qtbot: QtBot) -> None:
    session, _, stored = image
    assert show(qtbot, view, session, digest_of(session)) == stored.decode()
    assert not view.note.isVisible()


def test_one_long_line_is_reformatted_and_says_so(view: DocumentView, making, open_session: Open, qtbot: QtBot) -> None:
    value = {"schemaVersion": 2, "manifests": [], "annotations": {"k": "v" * 300}}
    descriptor = making.document(value, "application/vnd.oci.image.index.v1+json", indent=None)
    making.name(descriptor, "compact")
    session = open_session(making.path)
    assert show(qtbot, view, session, descriptor["digest"]) == json.dumps(value, indent=2)
    assert view.note.text() == MARK
    choose(view, "As stored")
    assert view.text.toPlainText() == json.dumps(value)
    assert not view.note.isVisible()


def test_the_choice_stays_for_the_next_document(view: DocumentView, image, qtbot: QtBot) -> None:
    session, _, _ = image
    show(qtbot, view, session, digest_of(session))
    choose(view, "Reformatted")
    assert view.note.text() == MARK
    config = session.snapshot.children(session.snapshot.entries[0].row)[0]
    show(qtbot, view, session, session.snapshot.name(config.target))
    assert view.note.text() == MARK


def place_of(view: DocumentView, words: str) -> int:
    return view.text.toPlainText().index(words) + 1


def test_enter_on_a_digest_goes_there(view: DocumentView, image, qtbot: QtBot) -> None:
    session, layer, _ = image
    show(qtbot, view, session, digest_of(session))
    cursor = view.text.textCursor()
    cursor.setPosition(place_of(view, layer["digest"]))
    view.text.setTextCursor(cursor)
    with qtbot.waitSignal(view.followed) as caught:
        qtbot.keyClick(view.text, Qt.Key.Key_Return)
    assert caught.args == [Selection(session, layer["digest"])]


def test_a_click_on_a_digest_goes_there_and_one_beside_it_does_not(view: DocumentView, image, qtbot: QtBot) -> None:
    session, layer, _ = image
    show(qtbot, view, session, digest_of(session))
    cursor = view.text.textCursor()
    cursor.setPosition(place_of(view, layer["digest"]))
    there = view.text.cursorRect(cursor).center()
    followed: list[Selection] = []
    view.followed.connect(followed.append)
    qtbot.mouseClick(view.text.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(there.x(), 3))
    assert followed == []
    qtbot.mouseMove(view.text.viewport(), there)
    assert view.text.viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor
    qtbot.mouseClick(view.text.viewport(), Qt.MouseButton.LeftButton, pos=there)
    assert followed == [Selection(session, layer["digest"])]


def test_a_digest_that_the_store_does_not_know_is_no_link(view: DocumentView, image, qtbot: QtBot) -> None:
    session, _, _ = image
    config = session.snapshot.children(session.snapshot.entries[0].row)[0]
    show(qtbot, view, session, session.snapshot.name(config.target))
    assert view.text.link_at(place_of(view, "sha256:" + "0" * 64)) == ""


def test_what_cannot_be_seen_is_marked_and_copied_as_it_is_stored(
    view: DocumentView, making, open_session: Open, qtbot: QtBot
) -> None:
    stored = '{\n  "a": "left\u202eright <b>x</b> 🙂\u200b",\n  "b": 1\n}'
    descriptor = making.blob(stored.encode(), "application/json")
    session = open_session(making.path)
    shown = show(qtbot, view, session, descriptor["digest"])
    assert shown == stored.replace("\u202e", "⟨U+202E⟩").replace("\u200b", "⟨U+200B⟩")
    view.text.selectAll()
    view.text.copy()
    assert QGuiApplication.clipboard().text() == stored
    start = stored.index("<b>")
    view.text.select(start, start + len("<b>x</b> 🙂\u200b"))
    assert view.text.textCursor().selectedText() == "<b>x</b> 🙂⟨U+200B⟩"
    assert view.text.selected_text() == "<b>x</b> 🙂\u200b"


@pytest.mark.parametrize(
    ("stored", "shown", "sentence"),
    [
        (b'{"a": \xff}', '{"a": ⟨byte FF⟩}', "The document is not UTF-8: see byte 6."),
        (b'{"a": 1,}', '{"a": 1,}', "The JSON text is wrong at byte 8 (line 1). Expected: property name"),
        (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}', "The name 'a' stands twice in one JSON object."),
        (b"", "", "The document is empty."),
    ],
)
def test_a_damaged_document_is_shown_as_stored_with_what_is_wrong(stored: bytes, shown: str, sentence: str) -> None:
    prepared = document_text.prepare(stored, False)
    assert prepared.problem.startswith(sentence)
    assert (document_text.shown(prepared.stored), prepared.reformatted) == (shown, "")


def test_damage_stands_above_the_text_and_leaves_nothing_to_reformat(
    view: DocumentView, making, open_session: Open, qtbot: QtBot
) -> None:
    descriptor = making.blob(b'{"schemaVersion": 2, "layers": \xff', "application/vnd.oci.image.manifest.v1+json")
    making.name(descriptor, "damaged")
    shown = show(qtbot, view, open_session(making.path), descriptor["digest"])
    assert shown.endswith("⟨byte FF⟩")
    assert "not UTF-8: see byte 31" in view.note.text()
    assert not view._as_reformatted.isEnabled()
    assert view.note.palette().color(view.note.foregroundRole()) == theme.colour(Role.BAD)


def test_a_document_that_was_cut_says_so_and_is_reformatted_as_far_as_it_goes() -> None:
    prepared = document_text.prepare(b'{"a":{"b":1},"c":"un', True)
    assert prepared == document_text.Prepared(
        '{"a":{"b":1},"c":"un', '{\n  "a": {\n    "b": 1\n  },\n  "c":"un', "", True
    )


def test_what_cannot_be_read_is_said_in_a_sentence(view: DocumentView, image, qtbot: QtBot) -> None:
    session, layer, _ = image
    (session.path / "blobs" / layer["digest"].replace(":", "/")).unlink()
    view.show_selection(Selection(session, layer["digest"]))
    qtbot.waitUntil(lambda: view.note.text() != "Reading…")
    assert layer["digest"][:11] in view.note.text()


class SlowSession:
    """Answers when the test says so."""

    snapshot = None

    def __init__(self) -> None:
        self.asked: dict[str, Callable[[document_text.Prepared], object]] = {}

    def read_document(self, digest: str, _prepare: object, then: Callable[..., object], _failed: object) -> None:
        self.asked[digest] = then


def test_an_answer_that_comes_too_late_is_dropped(view: DocumentView) -> None:
    session = SlowSession()
    for digest in ("sha256:a", "sha256:b"):
        view.show_selection(Selection(session, digest))
    session.asked["sha256:b"](document_text.prepare(b"[2]", False))
    session.asked["sha256:a"](document_text.prepare(b"[1]", False))
    assert view.text.toPlainText() == "[2]"
    view.clear()
    session.asked["sha256:b"](document_text.prepare(b"[3]", False))
    assert view.text.toPlainText() == ""


def test_a_large_document_comes_whole_and_copies_whole(view: DocumentView, qtbot: QtBot) -> None:
    value = [{"digest": f"sha256:{n:064x}", "text": "ä 🙂 \u202e" * (n % 5)} for n in range(6000)]
    for stored in (json.dumps(value, ensure_ascii=False), json.dumps(value, indent=1, ensure_ascii=False)):
        view.text.show_text(stored, None)
        assert not view.text.complete, "the first screen does not wait for the last"
        qtbot.waitUntil(lambda: view.text.complete)
        view.text.selectAll()
        assert view.text.selected_text() == stored


def test_only_what_can_be_seen_is_highlighted(view: DocumentView, qtbot: QtBot) -> None:
    view.text.show_text(json.dumps(list(range(5000)), indent=1), None)
    qtbot.waitUntil(lambda: view.text.complete)
    document = view.text.document()

    def coloured(number: int) -> bool:
        return bool(document.findBlockByNumber(number).layout().formats())

    assert coloured(1)
    assert not coloured(4000)
    view.text.verticalScrollBar().setValue(4000)
    qtbot.waitUntil(lambda: coloured(4001))


def test_names_values_and_links_have_colours_of_the_theme(
    view: DocumentView, image, qtbot: QtBot, qapp: QApplication
) -> None:
    session, layer, _ = image
    show(qtbot, view, session, digest_of(session))

    def colour(words: str) -> str:
        place = place_of(view, words)
        block = view.text.document().findBlock(place)
        column = place - block.position()
        ranges = [r for r in block.layout().formats() if r.start <= column < r.start + r.length]
        return ranges[-1].format.foreground().color().name().upper()

    for scheme, colours in (("dark", theme.DARK), ("light", theme.LIGHT)):
        theme.apply(qapp, scheme)
        assert colour('"layers"') == colours[Role.CHANGED].upper()
        assert colour(layer["digest"]) == colours[Role.ACCENT].upper()


def test_finding_counts_goes_round_and_closes(view: DocumentView, image, qtbot: QtBot) -> None:
    session, _, stored = image
    show(qtbot, view, session, digest_of(session))
    qtbot.keySequence(view.text, QKeySequence(QKeySequence.StandardKey.Find))
    assert view.find_bar.line.hasFocus()
    qtbot.keyClicks(view.find_bar.line, "MEDIATYPE")
    count = stored.decode().count("mediaType")
    assert view.find_bar.count.text() == f"1 of {count}"
    assert view.text.selected_text() == "mediaType"
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return)
    assert view.find_bar.count.text() == f"2 of {count}"
    for _ in range(2):
        qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert view.find_bar.count.text() == f"{count} of {count}"
    view.find_bar.line.setText("nowhere")
    assert view.find_bar.count.text() == "not found"
    qtbot.keyClick(view.find_bar.line, Qt.Key.Key_Escape)
    assert not view.find_bar.isVisible()
    assert view.text.hasFocus()


def test_a_place_behind_marks_is_found_where_it_is(view: DocumentView) -> None:
    view.text.show_text('["\u202e\u200b🙂 here"]', None)
    view.find_bar.open()
    view.find_bar.line.setText("here")
    assert view.text.textCursor().selectedText() == "here"


def test_tab_leaves_the_text(view: DocumentView, image, qtbot: QtBot) -> None:
    session, _, _ = image
    show(qtbot, view, session, digest_of(session))
    view.text.setFocus()
    qtbot.keyClick(view.text, Qt.Key.Key_Tab)
    assert not view.text.hasFocus()


def test_a_file_that_changed_is_read_again(view: DocumentView, making, open_session: Open, qtbot: QtBot) -> None:
    descriptor = making.blob(b'{"a": 1}', "application/json")
    session = open_session(making.path)
    show(qtbot, view, session, descriptor["digest"])
    making.file(descriptor).write_bytes(b'{"a": 1234}')
    with qtbot.waitSignal(session.snapshotChanged):
        session.rescan()
    view.refresh()
    qtbot.waitUntil(lambda: view.text.toPlainText() == '{"a": 1234}')


@pytest.mark.parametrize("reformatted", [False, True])
def test_a_json_path_is_selected_where_it_stands(view: DocumentView, image, qtbot: QtBot, reformatted: bool) -> None:
    session, layer, _ = image
    show(qtbot, view, session, digest_of(session))
    view._choose(int(reformatted))
    view.show_place("layers[0].digest")
    qtbot.waitUntil(lambda: view.text.selected_text() == f'"digest": "{layer["digest"]}"')
    view.show_place("nothing.like.that")
    qtbot.waitUntil(lambda: view.text.selected_text() == "")


def test_a_place_far_down_is_selected_once_it_is_laid_out(view: DocumentView, qtbot: QtBot) -> None:
    value = {f"n{n}": n for n in range(30_000)}
    prepared = document_text.prepare(json.dumps(value, indent=1).encode(), False, "n29999")
    view.text.show_text(prepared.stored, None, prepared.stored_place)
    assert view.text.selected_text() == ""
    qtbot.waitUntil(lambda: view.text.selected_text() == '"n29999": 29999')
    assert view.text.firstVisibleBlock().blockNumber() > 20_000


def test_of_a_long_value_the_first_line_is_selected(view: DocumentView) -> None:
    prepared = document_text.prepare(b'{"a": [' + b"1, " * 1000 + b"1]}", False, "a")
    assert prepared.stored_place == (1, 401)
    assert prepared.reformatted[slice(*prepared.reformatted_place or ())] == '"a": ['
