"""What tests of dialogs share."""

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    """The window that a dialog belongs to."""
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent
