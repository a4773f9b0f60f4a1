"""What the editor of annotations promises: each change is one edit of the index entry, and nothing else changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.panels.annotation_editor import AnnotationEditor
from gui.panels.pair_editor import KEY, VALUE
from gui.panels.selected import entry_of
from gui.session import Selection, Session
from tests.gui.conftest import PATIENCE_MS

NAME = "org.opencontainers.image.ref.name"


@pytest.fixture
def editor(qtbot: QtBot) -> AnnotationEditor:
    editor = AnnotationEditor()
    qtbot.addWidget(editor)
    editor.resize(420, 500)
    editor.show()
    return editor


@pytest.fixture
def image(making) -> dict[str, Any]:
    image = making.image([making.blob(b"layer")], annotations={"com.example.inside": "stays"})
    making.name(image, "app:1.0", **{"com.example.team": "web"})
    return image


@pytest.fixture
def session(making, image, open_session: Callable[[Path], Session], editor: AnnotationEditor) -> Session:
    session = open_session(making.path)
    session.snapshotChanged.connect(editor.refresh)
    editor.show_selection(Selection(session, image["digest"], 0))
    return session


def rows(editor: AnnotationEditor) -> dict[str, str]:
    table = editor.table
    return {table.item(row, KEY).text(): table.item(row, VALUE).text() for row in range(table.rowCount())}


def stored(making) -> dict[str, str]:
    return json.loads((making.path / "index.json").read_text())["manifests"][0]["annotations"]


def settle(qtbot: QtBot, session: Session) -> None:
    qtbot.waitUntil(lambda: not session.changing and not session._scanner.running, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not session.undoing._reading, timeout=PATIENCE_MS)


def test_it_shows_what_the_entry_says_beside_its_name(editor: AnnotationEditor, session: Session) -> None:
    assert rows(editor) == {"com.example.team": "web"}
    assert editor.explanation.text() == (
        "These stand in index.json, beside the name app:1.0. What the entry leads to has annotations of its own, which "
        "stay as they are: with others its digest would be another."
    )


def test_each_change_is_one_edit_that_can_be_undone(
    editor: AnnotationEditor, session: Session, making, image, qtbot: QtBot
) -> None:
    manifest = making.file(image).read_bytes()
    before = (making.path / "index.json").read_bytes()
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(editor.form.key_line, "com.example.note")
    editor.form.value_box.setPlainText("<b>two</b>\nlines")
    qtbot.mouseClick(editor.form.save_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "com.example.note" in rows(editor), timeout=PATIENCE_MS)
    assert stored(making) == {NAME: "app:1.0", "com.example.team": "web", "com.example.note": "<b>two</b>\nlines"}
    assert not editor.form.isVisible()
    settle(qtbot, session)

    editor.table.selectRow(1)
    qtbot.mouseClick(editor.change_button, Qt.MouseButton.LeftButton)
    assert editor.form.key_line.isReadOnly()
    editor.form.value_box.setPlainText("shop")
    qtbot.keyClick(editor.form.value_box, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: rows(editor)["com.example.team"] == "shop", timeout=PATIENCE_MS)
    settle(qtbot, session)

    editor.table.selectRow(0)
    qtbot.keyClick(editor.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: rows(editor) == {"com.example.team": "shop"}, timeout=PATIENCE_MS)
    settle(qtbot, session)

    assert making.file(image).read_bytes() == manifest
    assert [record.title for record in session.undoing.records] == ["Annotate app:1.0"] * 3
    for _ in range(3):
        session.undoing.undo()
        settle(qtbot, session)
    assert (making.path / "index.json").read_bytes() == before
    assert rows(editor) == {"com.example.team": "web"}


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("com.example.note", ""),
        ("note", "'note' has no domain in front."),
        ("org.opencontainers.note", "The specification does not define 'org.opencontainers.note'."),
    ],
)
def test_what_the_specification_advises_against_is_said_and_can_be_saved(
    editor: AnnotationEditor, session: Session, qtbot: QtBot, key: str, hint: str
) -> None:
    editor.begin_adding()
    editor.form.key_line.setText(key)
    assert editor.form.note.text().startswith(hint)
    assert bool(editor.form.note.text()) is bool(hint)
    assert editor.form.save_button.isEnabled()


@pytest.mark.parametrize(("key", "problem"), [("", "An annotation has a key"), (NAME, "This one is the name")])
def test_a_name_is_changed_where_it_is_said_what_becomes_of_it(
    editor: AnnotationEditor, session: Session, key: str, problem: str
) -> None:
    editor.begin_adding()
    editor.form.key_line.setText(key)
    assert editor.form.note.text().startswith(problem)
    assert not editor.form.save_button.isEnabled()


def test_a_read_only_store_says_so_and_offers_nothing(editor: AnnotationEditor, session: Session) -> None:
    session.writable = False
    editor.refresh()
    assert editor.explanation.text() == "This store is read-only here, so its index cannot be changed."
    assert not any(b.isEnabled() for b in (editor.add_button, editor.change_button, editor.remove_button))


def test_only_an_entry_itself_has_annotations_in_the_index(session: Session, image, making) -> None:
    layer = making.blob(b"layer")
    assert entry_of(Selection(session, image["digest"], 0)) is not None
    assert entry_of(Selection(session, image["digest"])) is None
    assert entry_of(Selection(session, layer["digest"], 0)) is None
    assert entry_of(Selection(session, image["digest"], 7)) is None
    assert entry_of(None) is None
