"""The trash as a lens: says what is there, and does with it only what its buttons and keys say."""

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from engine.snapshot import Kind
from engine.trash import Record, TrashedBlob
from gui.panels import trash_view
from gui.panels.trash_view import TrashView
from gui.settings import Settings
from tests.gui.conftest import PATIENCE_MS, OpenSession

BLOB = TrashedBlob("sha256:" + "a" * 64, 1_500_000, Kind.LAYER)


def record(number: int, kind: str = "removal") -> Record:
    return Record(str(number), kind, f"Delete app:{number}", time.time(), (), (BLOB,), BLOB.size, complete=True)


@pytest.fixture
def view(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> TrashView:
    session = open_session(layout)
    qtbot.waitUntil(lambda: not session.undoing._reading, timeout=PATIENCE_MS)
    view = TrashView(session, Settings(tmp_path / "settings.ini"), QMenu)
    qtbot.addWidget(view)
    view.resize(600, 300)
    view.show()
    return view


def fill(view: TrashView, *records: Record) -> list[tuple[str, list[str]]]:
    """Have these in the trash; returns what is asked of it later."""
    asked: list[tuple[str, list[str]]] = []
    undoing = view._session.undoing
    undoing._records = records
    undoing.restore = lambda ids: asked.append(("restore", list(ids)))
    undoing.empty = lambda ids=None: asked.append(("empty", list(ids or ())))
    undoing.changed.emit()
    return asked


def button(view: TrashView, words: str) -> QPushButton:
    return next(each for each in view.findChildren(QPushButton) if words in each.text())


def test_an_empty_trash_says_what_will_be_in_it(view: TrashView) -> None:
    assert "The trash is empty" in view.empty.words
    assert view.empty.isVisible()
    assert not any(button(view, words).isEnabled() for words in ("Restore", "Delete for good", "Empty trash"))


def test_it_says_how_much_is_there(view: TrashView) -> None:
    fill(view, record(2), record(1))
    assert view._sum.text() == "2 blobs · 3.0 MB"
    assert view.view.isVisible()
    assert view.total == 2


def test_edits_of_the_index_are_not_in_it(view: TrashView) -> None:
    fill(view, record(3, "edit"), record(1))
    assert view.total == 1


@pytest.mark.parametrize("way", ["button", "key"])
def test_what_is_selected_is_restored_once(qtbot: QtBot, view: TrashView, way: str) -> None:
    asked = fill(view, record(2), record(1))
    view.view.setCurrentIndex(view.model.index(1, 0))
    if way == "button":
        qtbot.mouseClick(button(view, "Restore"), Qt.MouseButton.LeftButton)
    else:
        qtbot.keyClick(view.view, Qt.Key.Key_Return)
    assert asked == [("restore", ["1"])]


@pytest.mark.parametrize("sure", [True, False])
def test_deleting_for_good_asks_first(view: TrashView, monkeypatch: pytest.MonkeyPatch, sure: bool) -> None:
    questions: list[str] = []

    def answer(_parent: object, question: str, *, explanation: str, **_: str) -> bool:
        questions.append(f"{question} {explanation}")
        return sure

    monkeypatch.setattr(trash_view, "confirm", answer)
    asked = fill(view, record(2), record(1))
    flags = QItemSelectionModel.SelectionFlag
    for row in range(2):
        view.view.selectionModel().select(view.model.index(row, 0), flags.Select | flags.Rows)
    view.delete_for_good()
    assert "2 blobs go, which frees 3.0 MB. This cannot be undone." in questions[0]
    assert asked == ([("empty", ["2", "1"])] if sure else [])


def test_emptying_leaves_what_was_kept_aside_and_says_so(view: TrashView, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    monkeypatch.setattr(trash_view, "confirm", lambda *_, explanation, **__: questions.append(explanation) or True)
    asked = fill(view, record(2, "aside"), record(1))
    view.ask_to_empty()
    assert "1 blob goes, which frees 1.5 MB" in questions[0]
    assert "1 blob that was kept aside stays." in questions[0]
    assert asked == [("empty", ["1"])]


def test_when_something_goes_its_neighbour_is_selected(view: TrashView) -> None:
    fill(view, record(3), record(2), record(1))
    view.view.setCurrentIndex(view.model.index(1, 0))
    fill(view, record(3), record(1))
    assert [each.id for each in view.chosen] == ["1"]


def test_in_a_store_that_must_not_be_changed_it_can_only_be_looked_at(view: TrashView) -> None:
    view._session.writable = False
    asked = fill(view, record(1))
    view.select_something("")
    assert not button(view, "Restore").isEnabled()
    view.restore()
    view.delete_for_good()
    view.ask_to_empty()
    assert asked == []
