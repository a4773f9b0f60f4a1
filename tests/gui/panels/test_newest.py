"""Of what is wanted one after the other only the last is worked out, and never two at once."""

import threading

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from engine.progress import Progress
from gui.jobs import JobRunner
from gui.panels.newest import Newest


@pytest.fixture
def newest(runner: JobRunner) -> Newest:
    return Newest(runner)


class Desk:
    """Asks, and notes what comes of it."""

    def __init__(self, newest: Newest, runner: JobRunner) -> None:
        self._newest = newest
        self._runner = runner
        self.begun: list[str] = []
        self.told: list[object] = []
        self.gate = threading.Event()

    def ask(self, name: str, *, stubborn: bool = False) -> None:
        def work(progress: Progress) -> str:
            self.begun.append(name)
            while not self.gate.wait(0.001):
                if not stubborn:
                    progress.check()
            if name == "bad":
                raise ValueError(name)
            return name

        self._newest.run(self._runner, "store", name, work, self.told.append, lambda error: self.told.append(error))


@pytest.fixture
def desk(newest: Newest, runner: JobRunner) -> Desk:
    return Desk(newest, runner)


def test_who_asks_once_gets_an_answer(qtbot: QtBot, newest: Newest, desk: Desk) -> None:
    desk.gate.set()
    desk.ask("one")
    assert newest.busy
    qtbot.waitUntil(lambda: desk.told == ["one"])
    assert not newest.busy


def test_a_failure_is_told(qtbot: QtBot, desk: Desk) -> None:
    desk.gate.set()
    desk.ask("bad")
    qtbot.waitUntil(lambda: bool(desk.told))
    assert isinstance(desk.told[0], ValueError)


@pytest.mark.parametrize("stubborn", [False, True])
def test_of_many_wishes_the_first_stops_and_only_the_last_is_begun(
    qtbot: QtBot, runner: JobRunner, desk: Desk, stubborn: bool
) -> None:
    desk.ask("first", stubborn=stubborn)
    qtbot.waitUntil(lambda: desk.begun == ["first"])
    for number in range(50):
        desk.ask(f"wish {number}")
        assert len(runner.active()) == 1
    desk.gate.set()
    qtbot.waitUntil(lambda: desk.told == ["wish 49"])
    assert desk.begun == ["first", "wish 49"]


def test_what_is_dropped_is_not_told(qtbot: QtBot, runner: JobRunner, newest: Newest, desk: Desk) -> None:
    desk.ask("one")
    newest.drop()
    desk.gate.set()
    qtbot.waitUntil(lambda: not runner.active())
    assert desk.told == []
    desk.ask("two")
    qtbot.waitUntil(lambda: desk.told == ["two"])


def test_when_the_store_was_closed_it_can_go_on_with_another(qtbot: QtBot, runner: JobRunner, desk: Desk) -> None:
    desk.ask("one", stubborn=True)
    runner.forget("store")
    desk.gate.set()
    qtbot.waitUntil(lambda: not runner.active())
    desk.ask("two")
    qtbot.waitUntil(lambda: desk.told == ["two"])


def test_nothing_comes_home_to_what_is_gone(qtbot: QtBot, runner: JobRunner) -> None:
    owner = QObject(runner)
    desk = Desk(Newest(owner), runner)
    desk.ask("one", stubborn=True)
    owner.deleteLater()
    qtbot.waitUntil(lambda: owner not in runner.children())
    desk.gate.set()
    qtbot.waitUntil(lambda: not runner.active())
    assert desk.told == []
