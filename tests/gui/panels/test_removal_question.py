"""What is asked before a removal is about the store as it is by now."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from engine.columns import Names
from engine.snapshot import Entry
from gui.panels.removal_question import RemovalQuestion
from gui.panels.removal_strip import RemovalStrip
from gui.session import Session
from tests.gui.conftest import wait_until_known
from tests.layouts import LayoutFiles

OpenSession = Callable[[Path], Session]


class Asking:
    """A question about entries of a store's first snapshot."""

    def __init__(self, session: Session, qtbot: QtBot) -> None:
        self.session = session
        self.strip = RemovalStrip()
        qtbot.addWidget(self.strip)
        assert session.snapshot is not None
        self.entries = [entry for entry in session.snapshot.entries if "two" in entry.names]
        self.question = RemovalQuestion(session, self.strip, self._about)
        self.told: list[str] = []
        session.noticed.connect(lambda notice: self.told.append(notice.sentence))

    def _about(self) -> tuple[list[Entry], Names | None]:
        return self.entries, None

    @property
    def title(self) -> str:
        return next(label.text() for label in self.strip.findChildren(QLabel) if label.text().startswith("Delete"))


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    for name in ("one", "two", "three"):
        files.name(files.image(name.encode()), name)
    return files


@pytest.fixture
def asking(qtbot: QtBot, qapp: QApplication, files: LayoutFiles, open_session: OpenSession) -> Asking:
    session = open_session(files.path)
    wait_until_known(qtbot, session)
    return Asking(session, qtbot)


def rewritten(files: LayoutFiles, *, without: str = "", with_new: str = "") -> None:
    """Another program has written the index."""
    files.entries[:] = [each for each in files.entries if without not in each.get("annotations", {}).values()]
    if with_new:
        files.name(files.image(b"new"), with_new)
        files.entries.insert(0, files.entries.pop())
    files.write_index()


def test_a_plan_over_an_older_snapshot_is_not_shown_but_made_anew(
    asking: Asking, files: LayoutFiles, qtbot: QtBot
) -> None:
    asking.question.ask()
    rewritten(files, with_new="new")
    with qtbot.waitSignal(asking.session.snapshotChanged):
        asking.session.rescan()
    qtbot.waitUntil(lambda: not asking.strip.isHidden())
    assert asking.title == "Delete two"


@pytest.mark.parametrize("change", [{"with_new": "new"}, {"without": "one"}])
def test_where_other_entries_came_or_went_it_is_still_asked_about_the_same_one(
    asking: Asking, files: LayoutFiles, qtbot: QtBot, change: dict[str, str]
) -> None:
    asking.question.ask()
    qtbot.waitUntil(lambda: not asking.strip.isHidden())
    rewritten(files, **change)
    with qtbot.waitSignals([asking.session.snapshotChanged, asking.strip.opened]):
        asking.session.rescan()
    assert asking.title == "Delete two"


def test_where_the_entry_is_gone_nothing_is_asked_any_more(asking: Asking, files: LayoutFiles, qtbot: QtBot) -> None:
    asking.question.ask()
    qtbot.waitUntil(lambda: not asking.strip.isHidden())
    rewritten(files, without="two")
    with qtbot.waitSignal(asking.session.snapshotChanged):
        asking.session.rescan()
    assert asking.strip.isHidden()
    assert asking.told[-1] == "What was to be removed has changed: select it again."


def test_where_nothing_is_selected_nothing_is_asked(asking: Asking, qtbot: QtBot, files: LayoutFiles) -> None:
    asking.entries = []
    asking.question.ask()
    rewritten(files, with_new="new")
    with qtbot.waitSignal(asking.session.snapshotChanged):
        asking.session.rescan()
    assert asking.strip.isHidden()
    assert asking.told == []
