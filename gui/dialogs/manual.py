"""The manual: a few pages of our own, in a window beside the others."""

import importlib.resources
from typing import Any

from PySide6.QtCore import QByteArray, QSize, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QListWidget, QTextBrowser, QVBoxLayout, QWidget

from gui import text
from gui.theme import Space
from gui.widgets import confirm

PAGES = (
    ("states", "What the states mean"),
    ("inside", "Looking inside"),
    ("removing", "Removing and getting back"),
    ("checking", "Checking"),
    ("keyboard", "Keyboard"),
    ("promises", "What Blobscope promises"),
)
"""Name and title of each page, in order."""

_SIZE = QSize(860, 600)
_LIST_WIDTH = 220


class ManualPage(QTextBrowser):
    """Shows a text of our own; nothing else is ever loaded into it, and links are followed by others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setAcceptDrops(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(Space.LARGE)

    def loadResource(self, _kind: int, _name: QUrl | str) -> Any:
        return QByteArray(b" ")  # for nothing at all, Qt would look for a file itself


class ManualDialog(QDialog):
    """The pages in a list, and the one that is read."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Manual")
        self.resize(_SIZE)
        self.pages = QListWidget(self)
        self.pages.setAccessibleName("Pages")
        self.pages.setFixedWidth(_LIST_WIDTH)
        self.pages.setSpacing(Space.TINY)
        self.pages.addItems([title for _, title in PAGES])
        self.page = ManualPage(self)
        self.page.setAccessibleName("Page")
        buttons = QDialogButtonBox(self)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        sides = QHBoxLayout()
        sides.setSpacing(Space.MEDIUM)
        sides.addWidget(self.pages)
        sides.addWidget(self.page, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[Space.MEDIUM] * 4)
        layout.setSpacing(Space.MEDIUM)
        layout.addLayout(sides, 1)
        layout.addWidget(buttons)
        self.pages.currentRowChanged.connect(self._show)
        self.page.anchorClicked.connect(self._follow)
        self.pages.setCurrentRow(0)
        self.pages.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(int)
    def _show(self, row: int) -> None:
        name, _ = PAGES[row]
        path = importlib.resources.files("resources") / "manual" / f"{name}.md"
        self.page.setMarkdown(path.read_text("utf-8"))
        self.page.verticalScrollBar().setValue(0)

    @Slot(QUrl)
    def _follow(self, target: QUrl) -> None:
        names = [f"{name}.md" for name, _ in PAGES]
        if target.toString() in names:
            self.pages.setCurrentRow(names.index(target.toString()))
        elif target.scheme() in ("http", "https"):
            address = text.plain(target.toString())
            if confirm(self, "Open this address in your browser?", explanation=address, yes="Open"):
                QDesktopServices.openUrl(target)
