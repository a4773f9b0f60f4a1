"""What the window itself promises: it shows what happens, makes room, and ends in good order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QStatusTipEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import main_window, theme
from gui.main_window import MainWindow
from gui.outcome import Notice
from gui.runtime import Fault
from gui.settings import Settings
from gui.widgets import Severity
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, settings: Settings) -> Iterator[MainWindow]:
    theme.apply(qapp, "light")
    window = MainWindow(settings)
    window.show()
    yield window
    window.end()
    window.deleteLater()


def sentences(window: MainWindow) -> list[str]:
    return [message.sentence for message in window.messages.messages]


def test_an_error_stays_until_it_is_closed_and_good_news_go_by_themselves(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "GOOD_NEWS_MS", 20)
    window.show_notice(Notice("error", "It failed."))
    window.show_notice(Notice("success", "It worked."))
    assert sentences(window) == ["It failed.", "It worked."]
    qtbot.waitUntil(lambda: sentences(window) == ["It failed."], timeout=PATIENCE_MS)
    qtbot.wait(60)
    assert sentences(window) == ["It failed."]


def test_a_notice_offers_what_can_be_done(window: MainWindow) -> None:
    done: list[str] = []
    window.show_notice(Notice("warning", "Overwritten.", "more", "Apply again", lambda: done.append("again")))
    (message,) = window.messages.messages
    assert message.severity is Severity.WARNING
    assert message.details == "more"
    ((words, act),) = message.actions
    assert words == "Apply again"
    act()
    assert done == ["again"]


def test_a_fault_is_told_with_details_for_a_report(window: MainWindow) -> None:
    window.show_fault(Fault("Something unexpected went wrong: oh", "Traceback …"))
    (message,) = window.messages.messages
    assert message.severity is Severity.ERROR
    assert message.details == "Traceback …"


def test_what_a_command_will_do_is_told_beside_the_counters(window: MainWindow) -> None:
    QApplication.sendEvent(window, QStatusTipEvent("Copy files into the store in front"))
    assert window._info.text() == "Copy files into the store in front"
    assert window.statusBar().currentMessage() == ""
    QApplication.sendEvent(window, QStatusTipEvent(""))
    assert window._info.text() == ""


def test_without_a_store_there_are_no_counters_and_nothing_to_cancel(window: MainWindow) -> None:
    assert window.page is None
    assert not window.commands.stop_a_job()
    assert not window.commands.actions["stop"].isEnabled()


def test_ending_twice_is_ending_once(window: MainWindow) -> None:
    ended: list[bool] = []
    window.ended.connect(ended.append)
    window.end()
    window.end()
    assert ended == [True]


def test_the_window_never_asks_for_more_than_a_small_screen_has(window: MainWindow) -> None:
    size = window.minimumSizeHint().expandedTo(window.minimumSize())
    assert size.width() <= 900
    assert size.height() <= 600


def test_the_recent_menu_is_filled_when_it_opens(window: MainWindow, settings: Settings, tmp_path: Path) -> None:
    window._recent.aboutToShow.emit()
    assert [action.text() for action in window._recent.actions()] == ["Nothing yet"]
    settings.add_recent(tmp_path / "a & b")
    window._recent.aboutToShow.emit()
    assert [action.text() for action in window._recent.actions()] == [f"{tmp_path}/a && b"]
