"""What journeys share: the real window, and ways to ask it for something by menu, key or mouse."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QPushButton, QWidget
from pytestqt.exceptions import TimeoutError as QtTimeoutError
from pytestqt.qtbot import QtBot

from engine.sample import make_sample
from gui import theme
from gui.main_window import MainWindow
from gui.panels.store_page import StorePage
from gui.settings import Settings

PATIENCE_MS = 10_000
"""How long a journey waits for what must come; none waits this long when all is well."""


class Driver:
    """Uses a window as a person would."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.qtbot = qtbot
        self.window = window

    # ------------------------------------------------------------------------------------------------ waiting

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something; when it does not come, say how the window stands."""
        try:
            self.qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)
        except QtTimeoutError as error:
            told = [message.sentence for message in self.window.messages.messages]
            jobs = [job.title for job in self.window.runner.active()]
            focus = QApplication.focusWidget()
            raise AssertionError(f"it never came; messages {told}, jobs {jobs}, keyboard in {focus}") from error

    @property
    def page(self) -> StorePage:
        page = self.window.page
        assert page is not None
        return page

    def until_known(self) -> StorePage:
        """Wait until the store in front is read, and its lists show it."""
        self.until(lambda: self.window.page is not None)
        page = self.page
        self.until(lambda: page.session.snapshot is not None and page.session.snapshot.stage == "complete")
        self.until(
            lambda: (
                page.images.model.snapshot is page.session.snapshot
                and page.blobs.model.snapshot is page.session.snapshot
            )
        )
        return page

    def open(self, path: Path) -> StorePage:
        self.window.open(path)
        self.until(lambda: self.window.page is not None and self.page.session.path == path)
        return self.until_known()

    # ------------------------------------------------------------------------------------------------ asking

    def menu(self, *titles: str) -> None:
        """Choose from the menu bar, by the words that are shown."""
        actions = self.window.menuBar().actions()
        for title in titles[:-1]:
            menu = _find(actions, title).menu()
            assert isinstance(menu, QMenu)
            menu.aboutToShow.emit()
            actions = menu.actions()
        action = _find(actions, titles[-1])
        assert action.isEnabled(), f"{titles[-1]} is not enabled"
        action.trigger()

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the keyboard is."""
        target = QApplication.focusWidget() or self.window.focusWidget() or self.window
        self.qtbot.keyClick(target, key, modifier)

    def press(self, words: str, inside: QWidget | None = None) -> None:
        """Click a button by its words, once it is there."""

        def buttons() -> list[QPushButton]:
            return [
                button
                for button in (inside or self.window).findChildren(QPushButton)
                if words in button.text().replace("&", "") and button.isVisible() and button.isEnabled()
            ]

        self.until(buttons)
        self.qtbot.mouseClick(buttons()[0], Qt.MouseButton.LeftButton)

    def dialog(self, kind: type[QDialog]) -> QDialog:
        """The open dialog of a kind, once it is there."""

        def find() -> list[QDialog]:
            return [dialog for dialog in self.window.findChildren(kind) if dialog.isVisible()]

        self.until(find)
        return find()[0]

    def select(self, name: str) -> None:
        """Select an index entry by its name, with the mouse."""
        page = self.page
        snapshot = page.session.snapshot
        assert snapshot is not None
        entry = next(entry for entry in snapshot.entries if name in entry.names)
        page.show_lens(0)
        view = page.images.view
        index = page.images.model.index_of(entry.descriptor.digest, entry.position)
        assert index.isValid()
        view.scrollTo(index)
        centre = view.visualRect(index).center()
        self.qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, centre.y()))
        self.until(lambda: page.selection is not None and page.selection.digest == entry.descriptor.digest)

    def select_blob(self, digest: str) -> None:
        """Select a blob in the table."""
        self.page.show_lens(1)
        assert self.page.blobs.reveal(digest)
        self.until(lambda: self.page.selection is not None and self.page.selection.digest == digest)

    # ------------------------------------------------------------------------------------------------ dropping

    def drag(self, *urls: QUrl) -> QMimeData:
        """Drag things over the window, and wait until it has said what it would do with them."""
        data = QMimeData()
        data.setUrls(list(urls))
        position = QPoint(300, 300)
        actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        event = QDragEnterEvent(position, actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier)
        QApplication.sendEvent(self.window, event)
        assert event.isAccepted()
        assert event.dropAction() is Qt.DropAction.CopyAction
        self.until(lambda: self.window.drops.plan is not None)
        return data

    def leave(self) -> None:
        QApplication.sendEvent(self.window, QDragLeaveEvent())

    def drop(self, *paths: Path) -> str:
        """Drag files to the window and let them go; returns what it said beforehand."""
        data = self.drag(*[QUrl.fromLocalFile(str(path)) for path in paths])
        plan = self.window.drops.plan
        assert plan is not None
        actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        where = (actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier)
        move = QDragMoveEvent(QPoint(310, 310), *where)
        QApplication.sendEvent(self.window, move)
        assert move.dropAction() is Qt.DropAction.CopyAction
        event = QDropEvent(QPointF(310, 310), *where)
        QApplication.sendEvent(self.window, event)
        assert event.dropAction() is Qt.DropAction.CopyAction, "a move would delete the person's file"
        return plan.sentence

    # ------------------------------------------------------------------------------------------------ seeing

    @property
    def names(self) -> list[str]:
        """The names in the index, as the window knows them."""
        snapshot = self.page.session.snapshot
        return [name for entry in (snapshot.entries if snapshot else ()) for name in entry.names]

    def message(self, words: str) -> None:
        """Wait until the message bar says something with these words."""
        self.until(lambda: any(words in message.sentence for message in self.window.messages.messages))
        assert self.window.messages.isVisible()


def _find(actions: list[QAction], title: str) -> QAction:
    shown = {action.text().replace("&", "").removesuffix("…"): action for action in actions}
    assert title in shown, f"there is no {title!r} among {sorted(shown)}"
    return shown[title]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def driver(qtbot: QtBot, qapp: QApplication, settings: Settings) -> Iterator[Driver]:
    """A window on the start page."""
    theme.apply(qapp, "light")
    window = MainWindow(settings)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    yield Driver(qtbot, window)
    for job in window.runner.active():
        window.runner.cancel(job)
    qtbot.waitUntil(lambda: not [job for job in window.runner.active() if not job.quiet], timeout=PATIENCE_MS)
    window.close()
    window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The layout in which every state can be seen."""
    return make_sample(tmp_path)
