"""Where things of a store go: what is asked, and what becomes of the clipboard at the end."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from engine.digest import digest_of
from gui.copies import Copies
from gui.handing_out import HandingOut
from gui.outcome import Notice
from gui.panels.chosen_blobs import choose_blob, choose_blobs
from gui.panels.selected import Selected
from gui.session import Selection, Session
from gui.settings import Settings

Open = Callable[[Path], Session]
ONE, TWO = str(digest_of(b"one")), str(digest_of(b"two two"))


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copies]:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    copies = Copies()
    yield copies
    copies.remove()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def out(window: QWidget, settings: Settings, copies: Copies) -> HandingOut:
    return HandingOut(window, settings, copies)


@pytest.fixture
def told(out: HandingOut) -> list[str]:
    found: list[str] = []
    out.noticed.connect(lambda notice: found.append(notice.sentence))
    return found


def test_where_nothing_is_selected_it_is_told(out: HandingOut, told: list[str]) -> None:
    out.take_out(None)
    out.copy(None)
    assert told == ["There is nothing to take out of what is selected."] * 2


def test_one_blob_is_asked_a_name_for_and_several_a_folder(
    qtbot: QtBot,
    out: HandingOut,
    settings: Settings,
    layout: Path,
    open_session: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def name(_window: QWidget, title: str, start: str, **_more: object) -> tuple[str, str]:
        asked.append(f"{title} | {Path(start).name}")
        return str(tmp_path / "mine.bin"), ""

    def folder(_window: QWidget, title: str, start: str) -> str:
        asked.append(f"{title} | {Path(start).name}")
        return str(tmp_path)

    monkeypatch.setattr(QFileDialog, "getSaveFileName", name)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", folder)
    session = open_session(layout)
    notices: list[Notice] = []
    session.noticed.connect(notices.append)
    suggested = f"blob-{ONE[7:19]}"
    out.take_out(choose_blob(session, ONE))
    qtbot.waitUntil(lambda: len(notices) == 1)
    assert (tmp_path / "mine.bin").read_bytes() == b"one"
    out.take_out(choose_blobs(session, Selected(session, [Selection(session, ONE), Selection(session, TWO)])))
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert (tmp_path / suggested).read_bytes() == b"one"
    assert asked == [f"Save {suggested} | {suggested}", f"Save 2 blobs in a folder | {tmp_path.name}"]
    assert settings.last_folder("extract") == tmp_path


def test_at_the_end_copies_of_ours_leave_the_clipboard(
    qtbot: QtBot, out: HandingOut, told: list[str], layout: Path, open_session: Open, copies: Copies
) -> None:
    session = open_session(layout)
    session.taking_out.copies = copies
    out.copy(choose_blob(session, ONE))
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].endswith("can be pasted in a file manager, until Blobscope is closed.")
    assert QGuiApplication.clipboard().mimeData().hasUrls()
    out.forget_copied()
    data = QGuiApplication.clipboard().mimeData()
    assert data is None or not data.hasUrls()


def test_at_the_end_what_else_is_on_the_clipboard_stays(out: HandingOut, copies: Copies, tmp_path: Path) -> None:
    copies.new_folder()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "theirs"))])
    QGuiApplication.clipboard().setMimeData(data)
    out.forget_copied()
    assert QGuiApplication.clipboard().mimeData().hasUrls()
