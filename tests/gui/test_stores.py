"""What the open stores promise: each is open once, remembered, and comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from engine.errors import NotAStore
from gui.jobs import JobRunner
from gui.session import Session
from gui.settings import Settings
from gui.stores import OpenStores
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def stores(qapp: QCoreApplication, runner: JobRunner, settings: Settings) -> Iterator[OpenStores]:
    stores = OpenStores(runner, settings, qapp)
    yield stores
    stores.close_all()
    shiboken6.delete(stores)


def open_it(qtbot: QtBot, stores: OpenStores, path: Path) -> Session:
    with qtbot.waitSignal(stores.opened, timeout=PATIENCE_MS) as opened:
        stores.open(path)
    (session,) = opened.args
    return session


def test_a_store_is_open_once_however_it_is_called(
    qtbot: QtBot, stores: OpenStores, layout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_it(qtbot, stores, layout)
    monkeypatch.chdir(layout.parent)
    assert open_it(qtbot, stores, Path(layout.name)) is first
    assert stores.sessions == [first]


def test_an_opened_store_is_remembered_and_a_failed_one_is_told(
    qtbot: QtBot, stores: OpenStores, layout: Path, settings: Settings, tmp_path: Path
) -> None:
    open_it(qtbot, stores, layout)
    assert [recent.path for recent in settings.recents()] == [str(layout)]
    (tmp_path / "empty").mkdir()
    with qtbot.waitSignal(stores.failed, timeout=PATIENCE_MS) as failed:
        stores.open(tmp_path / "empty")
    path, error = failed.args
    assert path == tmp_path / "empty"
    assert isinstance(error, NotAStore)
    assert len(settings.recents()) == 1


def test_what_was_closed_comes_back(qtbot: QtBot, stores: OpenStores, layout: Path) -> None:
    assert not stores.can_reopen
    stores.close(open_it(qtbot, stores, layout))
    assert stores.can_reopen
    with qtbot.waitSignal(stores.opened, timeout=PATIENCE_MS):
        stores.reopen()
    assert [session.path for session in stores.sessions] == [layout]


def test_open_stores_are_restored_as_far_as_they_are_there(
    qtbot: QtBot, stores: OpenStores, layout: Path, sample: Path
) -> None:
    open_it(qtbot, stores, layout)
    open_it(qtbot, stores, sample)
    stores.remember(stores.sessions)
    for session in list(stores.sessions):
        stores.close(session)
    layout.rename(layout.with_name("elsewhere"))
    with qtbot.waitSignal(stores.opened, timeout=PATIENCE_MS):
        stores.restore()
    assert [session.path for session in stores.sessions] == [sample]


@pytest.mark.parametrize("stored", ["", "no json", "[1, null]", '{"a": 1}'])
def test_garbage_in_the_settings_restores_nothing(stores: OpenStores, settings: Settings, stored: str) -> None:
    settings.store.setValue("window/stores/1", stored)
    stores.restore()
    assert stores.sessions == []


def test_the_demo_is_new_each_time_and_goes_with_the_window(
    qtbot: QtBot, stores: OpenStores, settings: Settings
) -> None:
    for _ in range(2):
        with qtbot.waitSignal(stores.opened, timeout=PATIENCE_MS):
            stores.open_demo()
    first, second = (session.path for session in stores.sessions)
    assert first != second
    stores.remember(stores.sessions)
    stores.close_all()
    assert not first.exists()
    assert not second.exists()
    assert settings.recents() == []
    assert settings.store.value("window/stores/1") == "[]"
