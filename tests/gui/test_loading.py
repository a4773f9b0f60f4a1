"""What is first asked for later is loaded before that, a little a turn, and nothing that is not there."""

import sys
from importlib.util import find_spec

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from gui import loading
from gui.loading import Loader


def test_everything_that_is_to_be_loaded_is_there() -> None:
    assert all(find_spec(name) for name in loading._LATER)
    assert len(set(loading._LATER)) == len(loading._LATER)


def test_one_module_a_turn_is_loaded_until_all_are(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str) -> None:
        loaded.append(name)
        monkeypatch.setitem(sys.modules, name, sys)

    monkeypatch.setattr(loading, "_LATER", ("there.already", "first.wanted", "second.wanted"))
    monkeypatch.setattr(loading.importlib, "import_module", load)
    monkeypatch.setitem(sys.modules, "there.already", sys)
    owner = QObject()
    loader = Loader(owner)
    loader.start()
    assert loaded == []
    qtbot.waitUntil(lambda: loaded == ["first.wanted"])
    qtbot.waitUntil(lambda: loaded == ["first.wanted", "second.wanted"])
    qtbot.waitUntil(lambda: not loader._pause.isActive())
    assert len(loaded) == 2
