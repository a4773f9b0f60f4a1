"""What is first asked for later is loaded before that, a little a turn, and nothing that is not there."""

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import loading
from gui.loading import Loader


def test_everything_that_is_to_be_loaded_is_there() -> None:
    names = (*loading.JUDGING, *loading._LATER)
    assert all(find_spec(name) for name in names)
    assert len(set(names)) == len(names)


def test_one_module_a_turn_is_loaded_until_all_are(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str) -> None:
        loaded.append(name)
        monkeypatch.setitem(sys.modules, name, sys)

    monkeypatch.setattr(loading.importlib, "import_module", load)
    monkeypatch.setitem(sys.modules, "there.already", sys)
    owner = QObject()
    loader = Loader(owner, ("there.already", "first.wanted", "second.wanted"))
    ended: list[bool] = []
    loader.loaded.connect(lambda: ended.append(True))
    loader.start()
    assert loaded == []
    qtbot.waitUntil(lambda: loaded == ["first.wanted"])
    qtbot.waitUntil(lambda: loaded == ["first.wanted", "second.wanted"])
    assert not ended
    qtbot.waitUntil(lambda: ended == [True])
    assert len(loaded) == 2


def test_a_turn_that_comes_late_is_left_to_others_once(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window was busy when it should have come, so there is more to do before."""
    loaded: list[str] = []
    monkeypatch.setattr(loading.importlib, "import_module", loaded.append)
    owner = QObject()
    loader = Loader(owner, ("first.wanted", "second.wanted"))
    loader.start()
    seen = []
    for _ in range(4):
        time.sleep(0.05)
        qapp.processEvents()
        seen.append(len(loaded))
    assert seen == [0, 1, 1, 2]


def test_what_judges_a_store_is_there_when_its_pieces_are(tmp_path: Path) -> None:
    """In a process of its own, because here everything is loaded: a worker that judges loads nothing any more."""
    program = (
        "import sys, importlib; from gui.loading import JUDGING; [importlib.import_module(name) for name in JUDGING];"
        "before = set(sys.modules); import engine.checkup, engine.validate; sys.exit(len(set(sys.modules) - before))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False).returncode == 0


@pytest.mark.expects_warnings
def test_what_cannot_be_loaded_keeps_nothing_else_from_it(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    owner = QObject()
    loader = Loader(owner, ("there.is.none", "engine.errors"), 0)
    with qtbot.waitSignal(loader.loaded):
        loader.start()
    assert "there" in caplog.text
    with qtbot.waitSignal(loader.loaded):
        loader.start()
