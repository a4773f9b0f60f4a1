"""What the metadata editor promises: to see, add, change and remove, and to say where it is going to be kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.panels.metadata_editor import MetadataEditor
from gui.panels.pair_editor import KEY, VALUE
from gui.panels.pair_form import as_text, show_value
from gui.session import Selection, Session

Open = Callable[[Path], Session]


@pytest.fixture
def editor(qtbot: QtBot) -> MetadataEditor:
    editor = MetadataEditor()
    qtbot.addWidget(editor)
    editor.resize(420, 500)
    editor.show()
    return editor


@pytest.fixture
def blob(making) -> dict[str, Any]:
    return making.blob(b"content")


@pytest.fixture
def session(making, blob, open_session: Open, editor: MetadataEditor) -> Session:
    session = open_session(making.path)
    session.metadataChanged.connect(editor.refresh)
    return session


def folder(making, blob: dict[str, Any]) -> Path:
    return making.path / "metadata" / blob["digest"].replace(":", "/")


def show(qtbot: QtBot, editor: MetadataEditor, session: Session, digest: str) -> None:
    with qtbot.waitSignal(editor.changed):
        editor.show_selection(Selection(session, digest))


def rows(editor: MetadataEditor) -> dict[str, str]:
    table = editor.table
    return {table.item(row, KEY).text(): table.item(row, VALUE).text() for row in range(table.rowCount())}


def add(qtbot: QtBot, editor: MetadataEditor, key: str, value: str) -> None:
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(editor.form.key_line, key)
    editor.form.value_box.setPlainText(value)
    with qtbot.waitSignal(editor.changed):
        qtbot.mouseClick(editor.form.save_button, Qt.MouseButton.LeftButton)


def test_before_the_first_key_it_says_what_will_be_made(editor: MetadataEditor, session, blob, making, qtbot) -> None:
    show(qtbot, editor, session, blob["digest"])
    short = f"{blob['digest'][7:11]}…{blob['digest'][-4:]}"
    assert editor.explanation.text() == (
        f"No metadata yet. The first key makes the folder metadata/sha256/{short} beside blobs; other tools ignore it."
    )
    assert not (making.path / "metadata").exists()


def test_a_key_is_added_changed_and_removed(editor: MetadataEditor, session, blob, making, qtbot: QtBot) -> None:
    show(qtbot, editor, session, blob["digest"])
    add(qtbot, editor, "owner", "team <b>web</b> &amp;")
    assert rows(editor) == {"owner": "team <b>web</b> &amp;"}
    assert (folder(making, blob) / "owner").read_bytes() == b"team <b>web</b> &amp;"
    assert not editor.form.isVisible()

    editor.table.selectRow(0)
    qtbot.mouseClick(editor.change_button, Qt.MouseButton.LeftButton)
    assert editor.form.key_line.isReadOnly()
    editor.form.value_box.setPlainText("two\nlines")
    with qtbot.waitSignal(editor.changed):
        qtbot.keyClick(editor.form.value_box, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert rows(editor) == {"owner": "two ↵ lines"}

    with qtbot.waitSignal(editor.changed):
        qtbot.keyClick(editor.table, Qt.Key.Key_Delete)
    assert rows(editor) == {}
    assert not (making.path / "metadata").exists()


def test_what_was_removed_can_be_had_back(editor: MetadataEditor, session, blob, making, qtbot: QtBot) -> None:
    session.store.metadata.set(blob["digest"], "data", b"\xff\x00")
    show(qtbot, editor, session, blob["digest"])
    editor.table.selectRow(0)
    with qtbot.waitSignal(editor.changed):
        qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
    assert editor.undo_line.text() == "data was removed."
    with qtbot.waitSignal(editor.changed):
        qtbot.mouseClick(editor.undo_button, Qt.MouseButton.LeftButton)
    assert (folder(making, blob) / "data").read_bytes() == b"\xff\x00"
    assert not editor.undo_button.isVisible()


def test_a_value_that_is_no_text_is_shown_by_its_size_and_cannot_be_changed_by_accident(
    editor: MetadataEditor, session, blob, qtbot: QtBot
) -> None:
    session.store.metadata.set(blob["digest"], "data", bytes(range(20)))
    show(qtbot, editor, session, blob["digest"])
    assert rows(editor) == {"data": "20 bytes: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f …"}
    editor.table.selectRow(0)
    assert not editor.change_button.isEnabled()
    assert editor.remove_button.isEnabled()


@pytest.mark.parametrize("value", [b"plain", b"two\nlines\tand a tab", "ä🙂\u202e".encode()])
def test_a_text_can_be_edited(value: bytes) -> None:
    assert as_text(value) == value.decode()


@pytest.mark.parametrize("value", [b"\xff", b"a\x00b", b"a\r\nb", "a\u2028b".encode()])
def test_what_a_text_field_would_change_cannot_be_edited(value: bytes) -> None:
    assert as_text(value) is None


def test_a_value_cannot_reorder_or_break_its_line() -> None:
    assert show_value("a\u202eb\nc".encode()) == "a⟨U+202E⟩b ↵ c"


@pytest.mark.parametrize("key", ["a b", "../escape", ".hidden", "ä", "a/b"])
def test_a_bad_key_is_explained_while_it_is_typed(
    editor: MetadataEditor, session, blob, qtbot: QtBot, key: str
) -> None:
    show(qtbot, editor, session, blob["digest"])
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    editor.form.key_line.setText(key)
    assert editor.form.note.text().startswith("A key has 1 to 128 letters")
    assert not editor.form.save_button.isEnabled()
    editor.form.key_line.setText("good-key_1.0")
    assert editor.form.note.text() == ""
    assert editor.form.save_button.isEnabled()


def test_a_key_that_is_there_says_that_its_value_will_be_replaced(
    editor: MetadataEditor, session, blob, qtbot: QtBot
) -> None:
    session.store.metadata.set(blob["digest"], "owner", b"us")
    show(qtbot, editor, session, blob["digest"])
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(editor.form.key_line, "owner")
    assert editor.form.note.text() == "There is such a key; saving replaces its value."


def test_a_read_only_store_says_so_and_offers_nothing(editor: MetadataEditor, session, blob, qtbot: QtBot) -> None:
    session.writable = False
    show(qtbot, editor, session, blob["digest"])
    assert editor.explanation.text() == "This store is read-only here, so its metadata cannot be changed."
    assert not any(b.isEnabled() for b in (editor.add_button, editor.change_button, editor.remove_button))


def test_what_was_typed_is_there_again_after_a_look_at_something_else(
    editor: MetadataEditor, session, blob, making, qtbot: QtBot
) -> None:
    other = making.blob(b"other")
    with qtbot.waitSignal(session.snapshotChanged):
        session.rescan()
    show(qtbot, editor, session, blob["digest"])
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(editor.form.key_line, "half-typed")
    show(qtbot, editor, session, other["digest"])
    assert not editor.form.isVisible()
    show(qtbot, editor, session, blob["digest"])
    assert (editor.form.isVisible(), editor.form.key) == (True, "half-typed")
    qtbot.keyClick(editor.form.key_line, Qt.Key.Key_Escape)
    assert not editor.form.isVisible()


def test_a_change_by_somebody_else_shows_and_keeps_the_current_row(
    editor: MetadataEditor, session, blob, qtbot: QtBot
) -> None:
    session.store.metadata.set(blob["digest"], "b", b"1")
    show(qtbot, editor, session, blob["digest"])
    editor.table.selectRow(0)
    session.store.metadata.set(blob["digest"], "a", b"2")
    with qtbot.waitSignal(editor.changed):
        editor.refresh()
    assert list(rows(editor)) == ["a", "b"]
    assert editor.table.currentRow() == 1


class SlowSession:
    """Answers when the test says so."""

    is_layout = writable = True

    def __init__(self) -> None:
        self.keys: list[Callable[[list[str]], object]] = []
        self.values: list[tuple[str, Callable[[bytes], object]]] = []

    def metadata_keys(self, _digest: str, then: Callable[[list[str]], object], _failed: object) -> None:
        self.keys.append(then)

    def metadata_get(self, _digest: str, key: str, then: Callable[[bytes], object], _failed: object) -> None:
        self.values.append((key, then))


def test_an_answer_that_comes_too_late_is_dropped(editor: MetadataEditor) -> None:
    session = SlowSession()
    editor.show_selection(Selection(session, "sha256:a"))
    session.keys[0](["owner"])
    editor.show_selection(Selection(session, "sha256:b"))
    session.values[0][1](b"of another blob")
    session.keys[0](["another"])
    assert rows(editor) == {}
    session.keys[1]([])
    assert "No metadata yet" in editor.explanation.text()
    assert len(session.values) == 1, "nothing more was asked for the first blob"


def test_everything_has_a_name_for_a_screen_reader(editor: MetadataEditor) -> None:
    assert [w.accessibleName() for w in (editor.table, editor.form.key_line, editor.form.value_box)] == [
        "Metadata",
        "Key",
        "Value",
    ]
