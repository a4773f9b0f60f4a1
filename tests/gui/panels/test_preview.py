"""What is in a file: shown as what it is, in parts where it is long, and never another file's."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextLayout
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from engine.errors import BlobMissing
from engine.progress import Progress
from gui import theme
from gui.jobs import JobRunner
from gui.panels import previewing
from gui.panels.preview import PreviewPane
from gui.panels.previewing import Preview, Sort
from gui.panels.subject import Subject
from gui.theme import Role
from tests.gui.panels.test_previewing import Look
from tests.pictures import png

CODE = b"#!/usr/bin/env python3\ndef main() -> None:\n    print('hello')\n"
FILES = {
    "main.py": CODE,
    "motd": "Grüße aus Köln\n".encode("cp850"),
    "data.json": json.dumps({f"name {n}": n for n in range(60)}).encode(),
    "logo.png": png(40, 30),
    "tool": b"\x7fELF" + bytes(2000),
    "empty": b"",
    "hidden": "a\u202eb\x1b[31m\n".encode(),
    "log": "\n".join(f"line {n}" for n in range(4000)).encode(),
}


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    found = Look(tmp_path).at(**FILES)
    yield found
    assert found.store is not None
    found.store.close()


@pytest.fixture
def pane(qtbot: QtBot) -> PreviewPane:
    pane = PreviewPane()
    qtbot.addWidget(pane)
    pane.resize(600, 400)
    pane.show()
    return pane


Show = Callable[[str], None]


@pytest.fixture
def ask(pane: PreviewPane, look: Look, runner: JobRunner) -> Show:
    """Ask for a file."""
    assert look.image is not None
    contents = look.image.contents
    return lambda name: pane.show_file(Subject(contents, look.entry(name), name, runner, "store"))


@pytest.fixture
def show(qtbot: QtBot, pane: PreviewPane, ask: Show) -> Show:
    """Ask for a file, and wait until it is shown."""

    def show_it(name: str) -> None:
        with qtbot.waitSignal(pane.shown):
            ask(name)
        qtbot.waitUntil(lambda: pane.pages.currentWidget() is not pane.text or pane.text.pane.complete)

    return show_it


def colours(pane: PreviewPane, line: int) -> dict[str, str]:
    """What of a line has a colour of its own."""
    block = pane.text.pane.document().findBlockByNumber(line)
    formats: list[QTextLayout.FormatRange] = block.layout().formats()
    return {block.text()[f.start : f.start + f.length]: f.format.foreground().color().name() for f in formats}


def test_a_text_is_shown_and_then_its_colours_come(qtbot: QtBot, pane: PreviewPane, show: Show) -> None:
    show("main.py")
    assert pane.text.pane.toPlainText() == CODE.decode()
    assert [button.text() for button in pane.bar.buttons.values() if button.isVisible()] == ["Text", "Bytes"]
    assert pane.bar.encoding.text() == "UTF-8"
    qtbot.waitUntil(lambda: colours(pane, 1).get("def") == theme.colour(Role.CHANGED).name())
    assert colours(pane, 2)["'hello'"] == theme.colour(Role.SOUND).name()


def test_a_guess_is_said_to_be_one_and_can_be_put_right(qtbot: QtBot, pane: PreviewPane, show: Show) -> None:
    show("motd")
    assert pane.bar.encoding.text().endswith("?")
    assert "guess" in pane.bar.encoding.accessibleName()
    action = next(action for action in pane.bar.encoding.menu().actions() if action.data() == "cp850")
    with qtbot.waitSignal(pane.shown):
        action.trigger()
    assert pane.text.pane.toPlainText() == "Grüße aus Köln\n"
    assert pane.bar.encoding.text() == "DOS 850"


def test_json_is_reformatted_and_can_be_seen_as_it_is_stored(qtbot: QtBot, pane: PreviewPane, show: Show) -> None:
    show("data.json")
    assert pane.bar.buttons[Sort.REFORMATTED].isChecked()
    assert pane.text.pane.toPlainText().startswith('{\n  "name 0": 0,\n')
    with qtbot.waitSignal(pane.shown):
        pane.bar.buttons[Sort.TEXT].click()
    assert pane.text.pane.toPlainText() == FILES["data.json"].decode()


def test_a_picture_is_shown_with_its_size(pane: PreviewPane, show: Show) -> None:
    show("logo.png")
    assert pane.pages.currentWidget() is pane.picture
    assert pane.bar.words.text() == "PNG, 40 × 30 pixels"
    assert pane.picture.accessibleDescription() == "PNG, 40 × 30 pixels"
    assert (pane.picture.area.width(), pane.picture.area.height()) == (40, 30), "never larger than it is"
    pane.resize(60, 120)
    assert pane.picture.area.width() <= 60
    assert pane.grab().toImage().pixelColor(pane.picture.mapTo(pane, pane.picture.area.center())).blue() > 0x90


def test_what_is_neither_is_shown_as_bytes(qtbot: QtBot, pane: PreviewPane, show: Show) -> None:
    show("tool")
    assert pane.bytes.isVisible()
    qtbot.waitUntil(lambda: pane.bytes.hex.known(0, 4) == b"\x7fELF")
    assert pane.bytes.hex.byte_count == 2004


def test_who_wants_bytes_gets_them_of_the_next_file_too_until_they_want_something_else(
    qtbot: QtBot, pane: PreviewPane, show: Show
) -> None:
    show("main.py")
    with qtbot.waitSignal(pane.shown):
        pane.bar.buttons[Sort.BYTES].click()
    show("logo.png")
    assert pane.bar.buttons[Sort.BYTES].isChecked()
    with qtbot.waitSignal(pane.shown):
        pane.bar.buttons[Sort.PICTURE].click()
    show("main.py")
    assert pane.bar.buttons[Sort.TEXT].isChecked()
    show("tool")
    assert pane.bar.buttons[Sort.BYTES].isChecked(), "what is no text is not shown as one"


def test_an_empty_file_says_so(pane: PreviewPane, show: Show) -> None:
    show("empty")
    assert pane.empty.words == "The file is empty"
    assert not pane.bar.isVisible()


def test_nothing_invisible_is_in_a_text_and_what_is_copied_is_what_is_stored(pane: PreviewPane, show: Show) -> None:
    show("hidden")
    assert pane.text.pane.toPlainText() == "a⟨U+202E⟩b␛[31m\n"
    pane.text.pane.selectAll()
    assert pane.text.pane.selected_text().encode() == FILES["hidden"]


# ------------------------------------------------------------------------------------------------------- long texts


def test_a_long_text_begins_with_its_beginning_and_grows(
    qtbot: QtBot, pane: PreviewPane, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "FIRST", 1000)
    monkeypatch.setattr(previewing, "MORE", 20_000)
    show("log")
    whole = FILES["log"].decode()
    first = pane.text.pane.toPlainText()
    assert whole.startswith(first)
    assert pane.text.cut.words.text() == "The first 996 bytes of 38.9 kB."
    shown = first
    while pane.text.cut.isVisible():
        with qtbot.waitSignal(pane.text.pane.loaded):
            qtbot.mouseClick(pane.text.cut.button, Qt.MouseButton.LeftButton)
        assert pane.text.pane.toPlainText().startswith(shown)
        shown = pane.text.pane.toPlainText()
    assert shown == whole


def test_there_is_an_end_to_it(qtbot: QtBot, pane: PreviewPane, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "FIRST", 1000)
    monkeypatch.setattr(previewing, "MOST_TEXT", 900)
    show("log")
    assert not pane.text.cut.button.isVisible()
    assert pane.text.cut.words.text().endswith("The rest can be seen as bytes, or be extracted.")


def test_words_are_found_in_it(qtbot: QtBot, pane: PreviewPane, show: Show) -> None:
    show("log")
    pane.text.pane.setFocus()
    qtbot.keyClick(pane.text.pane, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(pane.text.find_bar.line, "line 17")
    assert pane.text.find_bar.count.text() == "1 of 111"
    qtbot.keyClick(pane.text.find_bar.line, Qt.Key.Key_Escape)
    assert not pane.text.find_bar.isVisible()
    with qtbot.waitSignal(pane.left):
        qtbot.keyClick(pane.text.pane, Qt.Key.Key_Escape)


# ----------------------------------------------------------------------------------------------- on the way to a file


class Slow:
    """Has reading wait for ``gate``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        self.read: list[str] = []
        real = previewing.read_preview

        def read(contents: Any, entry: int, name: str, progress: Progress, **more: Any) -> Preview:
            self.read.append(name)
            while not self.gate.wait(0.001):
                progress.check()
            return real(contents, entry, name, progress, **more)

        monkeypatch.setattr(previewing, "read_preview", read)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    found = Slow(monkeypatch)
    yield found
    found.gate.set()


def test_what_takes_its_time_says_so_and_can_be_stopped_and_begun_again(
    qtbot: QtBot, pane: PreviewPane, ask: Show, slow: Slow
) -> None:
    ask("main.py")
    qtbot.waitUntil(lambda: pane.waiting.isVisible())
    qtbot.mouseClick(pane.waiting.button, Qt.MouseButton.LeftButton)
    assert pane.empty.words == "Reading was stopped"
    slow.gate.set()
    (button,) = [each for each in pane.empty.findChildren(QPushButton) if each.isVisible()]
    with qtbot.waitSignal(pane.shown):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert pane.text.pane.toPlainText() == CODE.decode()


def test_who_walks_through_the_rows_has_only_the_last_one_read(
    qtbot: QtBot, pane: PreviewPane, runner: JobRunner, ask: Show, slow: Slow
) -> None:
    ask("logo.png")
    qtbot.waitUntil(lambda: slow.read == ["logo.png"])
    for name in [*FILES, "main.py"]:
        ask(name)
        assert len(runner.active()) <= 1
    slow.gate.set()
    with qtbot.waitSignal(pane.shown):
        pass
    assert pane.text.pane.toPlainText() == CODE.decode()
    assert slow.read == ["logo.png", "main.py"]


def test_asking_for_the_same_file_again_changes_nothing(pane: PreviewPane, show: Show, ask: Show) -> None:
    show("log")
    pane.text.pane.verticalScrollBar().setValue(100)
    ask("log")
    assert pane.text.pane.verticalScrollBar().value() == 100
    assert pane.preview is not None


def test_another_file_takes_away_what_was_shown_at_once(pane: PreviewPane, show: Show, ask: Show) -> None:
    show("main.py")
    ask("log")
    assert not pane.text.isVisible()
    assert not pane.bar.isVisible()


def test_why_it_cannot_be_read_is_said(qtbot: QtBot, pane: PreviewPane, show: Show, monkeypatch: Any) -> None:
    def fail(*_arguments: Any, **_more: Any) -> Preview:
        raise BlobMissing("The layer is not in the store.", remedy="Import it.")

    with monkeypatch.context() as patch:
        patch.setattr(previewing, "read_preview", fail)
        show("main.py")
    assert pane.empty.words == "It cannot be read The layer is not in the store. Import it."
    with qtbot.waitSignal(pane.shown):
        qtbot.mouseClick(pane.empty.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert pane.text.isVisible()


def test_tab_leads_through_all_that_can_be_done_with_a_file(qtbot: QtBot, pane: PreviewPane, show: Show) -> None:
    show("main.py")
    pane.activateWindow()
    pane.bar.buttons[Sort.TEXT].setFocus()
    qtbot.waitUntil(pane.bar.buttons[Sort.TEXT].hasFocus)
    found = []
    for _ in range(4):
        widget = QApplication.focusWidget()
        assert widget is not None
        found.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    assert found == [pane.bar.buttons[Sort.TEXT], pane.bar.encoding, pane.bar.search, pane.text.pane]


def test_the_keyboard_goes_into_a_file_as_soon_as_it_is_there(qtbot: QtBot, pane: PreviewPane, ask: Show) -> None:
    pane.activateWindow()
    ask("main.py")
    pane.enter()
    qtbot.waitUntil(pane.text.pane.hasFocus)
