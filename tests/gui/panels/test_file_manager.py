"""Showing a file where it lies: by the desktop's service, else by its folder; never by opening it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from gui.panels import file_manager
from gui.panels.file_manager import show_file
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[QUrl]:
    """What the desktop was asked to open."""
    found: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", found.append)
    return found


def sender(tmp_path: Path, status: int) -> str:
    """A program in the place of dbus-send that writes down its arguments."""
    path = tmp_path / "dbus-send"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/arguments"\nexit {status}\n')
    path.chmod(0o755)
    return str(path)


def test_the_file_manager_is_asked_to_select_the_file(
    qtbot: QtBot, qapp: QCoreApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[QUrl]
) -> None:
    program = sender(tmp_path, 0)
    monkeypatch.setattr(file_manager.shutil, "which", lambda _name: program)
    show_file(tmp_path / "a, b & $(c)", qapp)
    qtbot.waitUntil((tmp_path / "arguments").exists, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: bool((tmp_path / "arguments").read_text()), timeout=PATIENCE_MS)
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert "org.freedesktop.FileManager1.ShowItems" in arguments
    (items,) = (argument for argument in arguments if argument.startswith("array:string:"))
    assert items.startswith("array:string:file:///")
    assert "," not in items
    assert " " not in items
    assert opened == []


def test_where_no_file_manager_answers_the_folder_is_opened(
    qtbot: QtBot, qapp: QCoreApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[QUrl]
) -> None:
    program = sender(tmp_path, 1)
    monkeypatch.setattr(file_manager.shutil, "which", lambda _name: program)
    show_file(tmp_path / "blob", qapp)
    qtbot.waitUntil(lambda: bool(opened), timeout=PATIENCE_MS)
    assert [url.toLocalFile() for url in opened] == [str(tmp_path)]


def test_without_the_bus_s_program_the_folder_is_opened(
    qapp: QCoreApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[QUrl]
) -> None:
    monkeypatch.setattr(file_manager.shutil, "which", lambda _name: None)
    show_file(tmp_path / "blob", qapp)
    assert [url.toLocalFile() for url in opened] == [str(tmp_path)]
