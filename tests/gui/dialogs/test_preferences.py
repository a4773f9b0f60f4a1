"""Preferences count at once, and only what they say."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from gui.dialogs.preferences import Preferences
from gui.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def dialog(parent: QWidget, settings: Settings) -> Preferences:
    return Preferences(settings, parent)


def test_colours_change_at_once(qtbot: QtBot, dialog: Preferences, settings: Settings) -> None:
    (box,) = dialog.findChildren(QComboBox)
    assert box.currentText() == "As the system"
    with qtbot.waitSignal(dialog.theme_chosen) as chosen:
        box.activated.emit(box.findText("Dark"))
    assert chosen.args == ["dark"]
    assert settings.theme == "dark"


def test_checking_at_opening_has_a_limit(dialog: Preferences, settings: Settings) -> None:
    (ticked,), (limit,) = dialog.findChildren(QCheckBox), dialog.findChildren(QSpinBox)
    assert not settings.verify_on_open
    assert not limit.isEnabled()
    ticked.setChecked(True)
    assert limit.isEnabled()
    limit.setValue(250)
    assert settings.verify_on_open
    assert settings.verify_limit == 250_000_000
