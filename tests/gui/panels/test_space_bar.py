"""What the line below the lists promises: it says what the bytes are good for, as the lists and counters do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from engine import ImageLayout
from engine.snapshot import State
from engine.space import Use
from gui import text
from gui.jobs import JobRunner
from gui.panels.space_bar import SpaceBar
from gui.panels.space_counts import SpaceCounts
from gui.session import Session
from tests.gui.conftest import PATIENCE_MS
from tests.layouts import LayoutFiles

OpenBar = Callable[[Path], SpaceBar]


@pytest.fixture
def open_bar(qtbot: QtBot, runner: JobRunner, open_session: Callable[[Path], Session]) -> OpenBar:
    window = QWidget()
    qtbot.addWidget(window)

    def open_it(path: Path) -> SpaceBar:
        session = open_session(path)
        bar = SpaceBar(session, SpaceCounts(session, runner, session), window)
        bar.resize(1000, 30)
        window.show()
        qtbot.waitUntil(lambda: bar._counts.counted is not None, timeout=PATIENCE_MS)
        return bar

    return open_it


def words(bar: SpaceBar) -> list[str]:
    return [button.text() for button in bar.buttons.values() if button.isVisible()]


def test_it_says_how_many_bytes_are_used_shared_unused_and_broken(open_bar: OpenBar, sample: Path) -> None:
    assert words(open_bar(sample)) == [
        "1.6 MB used",
        "1.6 MB shared",
        "90.2 kB unused",
        "70.0 kB broken",
        "11 bytes other",
    ]


def test_unused_is_what_the_window_offers_to_clean_up(open_bar: OpenBar, sample: Path) -> None:
    bar = open_bar(sample)
    counted = bar._counts.counted
    assert counted is not None
    assert (counted.tally.counts[Use.UNUSED], counted.tally.sizes[Use.UNUSED]) == bar._session.unused


def test_exact_bytes_and_what_the_word_means_are_in_the_tooltip(open_bar: OpenBar, sample: Path) -> None:
    bar = open_bar(sample)
    unused, broken = bar.buttons[Use.UNUSED].toolTip(), bar.buttons[Use.BROKEN].toolTip()
    assert "5 files, 90,241 bytes, 3 % of the store" in unused
    assert "Nothing that is named leads to it." in unused
    assert "What is missing takes no space: 1 blob." in broken


def test_what_there_is_nothing_of_is_not_mentioned(open_bar: OpenBar, tmp_path: Path) -> None:
    files = LayoutFiles(tmp_path / "sound")
    files.name(files.image(b"layer" * 100), "one")
    bar = open_bar(files.path)
    assert [use for use, button in bar.buttons.items() if button.isVisible()] == [Use.USED]


def test_an_empty_store_is_said_to_be_empty(open_bar: OpenBar, tmp_path: Path) -> None:
    ImageLayout.create(tmp_path / "empty").close()
    bar = open_bar(tmp_path / "empty")
    assert bar.note.isVisible()
    assert bar.note.text() == "Nothing in this store takes space yet"
    assert words(bar) == []


def test_while_the_store_is_being_read_it_says_so(qtbot: QtBot, runner: JobRunner, qapp: Any, sample: Path) -> None:
    from engine import open_store

    session = Session(runner, open_store(sample), sample.parent / "cache", qapp)
    bar = SpaceBar(session, SpaceCounts(session, runner, session))
    qtbot.addWidget(bar)
    bar.show()
    assert bar.note.text() == "Reading the store …"
    session.close()
    session.deleteLater()


def test_what_is_unused_and_what_is_broken_can_be_listed(qtbot: QtBot, open_bar: OpenBar, sample: Path) -> None:
    bar = open_bar(sample)
    asked: list[list[State]] = []
    bar.listed.connect(asked.append)
    qtbot.mouseClick(bar.buttons[Use.UNUSED], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.buttons[Use.BROKEN], Qt.MouseButton.LeftButton)
    assert asked[0] == [State.UNUSED, State.LOST]
    assert set(asked[1]) == {state for state in bar._session.counts if state.bad}


def test_all_else_is_seen_in_the_map(qtbot: QtBot, open_bar: OpenBar, sample: Path) -> None:
    bar = open_bar(sample)
    with qtbot.waitSignal(bar.map_asked, check_params_cb=lambda wanted: wanted is True):
        qtbot.mouseClick(bar.buttons[Use.SHARED], Qt.MouseButton.LeftButton)


def test_a_piece_is_what_its_words_are(qtbot: QtBot, open_bar: OpenBar, sample: Path) -> None:
    bar = open_bar(sample)
    pieces = bar._pieces
    found = [pieces.piece_at(x) for x in range(pieces.width())]
    assert list(dict.fromkeys(found)) == [Use.USED, Use.SHARED, Use.UNUSED, Use.BROKEN, Use.OTHER]
    assert pieces.piece_at(pieces.width() + 1) is None
    assert found.count(Use.OTHER) >= 3, "however little it is"
    with qtbot.waitSignal(bar.listed):
        where = QPoint(found.index(Use.UNUSED) + 1, 3)
        qtbot.mouseClick(pieces, Qt.MouseButton.LeftButton, pos=where)
    QApplication.sendEvent(pieces, QHelpEvent(QEvent.Type.ToolTip, where, pieces.mapToGlobal(where)))
    assert QToolTip.text() == bar.buttons[Use.UNUSED].toolTip()
    QToolTip.hideText()


def test_what_checking_finds_corrupt_becomes_broken(qtbot: QtBot, open_bar: OpenBar, tmp_path: Path) -> None:
    files = LayoutFiles(tmp_path / "rotten")
    layer = files.blob(b"as it should be")
    files.name(files.image(layer), "one")
    files.file(layer).write_bytes(b"as it is at all")
    bar = open_bar(files.path)
    assert not bar.buttons[Use.BROKEN].isVisible()
    bar._session.verify()
    qtbot.waitUntil(bar.buttons[Use.BROKEN].isVisible, timeout=PATIENCE_MS)
    assert bar.buttons[Use.BROKEN].accessibleName() == f"{text.size(15)} broken"


def test_in_a_narrow_window_words_go_and_names_stay(open_bar: OpenBar, sample: Path) -> None:
    bar = open_bar(sample)
    bar.resize(420, 30)
    QApplication.processEvents()
    left = words(bar)
    assert "90.2 kB unused" in left
    assert "" in left
    assert all(button.accessibleName() for button in bar.buttons.values() if button.isVisible())
    assert all(button.geometry().right() <= bar.width() for button in bar.buttons.values() if button.isVisible())
    assert bar.map.geometry().right() <= bar.width()
