"""What is asked before a removal is about the store as it is by now."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.snapshot import Names
from gui.panels.removal_question import RemovalQuestion
from gui.panels.removal_strip import RemovalStrip
from gui.session import Session
from tests.gui.conftest import wait_until_known

OpenSession = Callable[[Path], Session]


class Asking:
    """A question about one entry of a store, and how often it was worked out what that is."""

    def __init__(self, session: Session, qtbot: QtBot) -> None:
        self.session = session
        self.strip = RemovalStrip()
        qtbot.addWidget(self.strip)
        self.times = 0
        self.entries = [0]
        self.question = RemovalQuestion(session, self.strip, self._about)

    def _about(self) -> tuple[list[int], Names | None]:
        self.times += 1
        return self.entries, None


@pytest.fixture
def asking(qtbot: QtBot, qapp: QApplication, sample: Path, open_session: OpenSession) -> Asking:
    session = open_session(sample)
    wait_until_known(qtbot, session)
    return Asking(session, qtbot)


def test_a_plan_over_an_older_snapshot_is_not_shown_but_made_anew(asking: Asking, qtbot: QtBot) -> None:
    asking.question.ask()
    with qtbot.waitSignal(asking.session.snapshotChanged):
        asking.session.rescan()
    qtbot.waitUntil(lambda: not asking.strip.isHidden())
    assert asking.times > 1


def test_what_is_asked_about_is_planned_again_when_the_store_is_different(asking: Asking, qtbot: QtBot) -> None:
    asking.question.ask()
    qtbot.waitUntil(lambda: not asking.strip.isHidden())
    assert asking.times == 1
    asking.entries = [1]
    with qtbot.waitSignals([asking.session.snapshotChanged, asking.strip.opened]):
        asking.session.rescan()
    assert asking.times > 1


def test_where_nothing_is_selected_nothing_is_asked(asking: Asking, qtbot: QtBot) -> None:
    asking.entries = []
    asking.question.ask()
    with qtbot.waitSignal(asking.session.snapshotChanged):
        asking.session.rescan()
    assert asking.strip.isHidden()
