"""The line below the tree of files."""

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.filesystem import Change, View
from gui import text
from gui.models.file_tree import Wish
from gui.theme import Space
from gui.widgets import ElidedLabel


class FilesSum(QWidget):
    """Below the tree: how much is there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = ElidedLabel(parent=self)
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.TINY, Space.MEDIUM, Space.TINY)
        layout.addWidget(self.words)
        self._brief = False
        self.hide()

    def be_brief(self, brief: bool) -> None:
        """Give the tree the room where the window is low."""
        self._brief = brief
        self.setVisible(bool(self.words.text()) and not brief)

    def tell(self, wish: Wish, view: View, found: int) -> None:
        """Say what a view holds, and how much of it is shown."""
        total = int((view.changes[1:] != Change.NONE).sum())
        paths = text.count(total, "path") if found == total else f"{text.number(found)} of {text.count(total, 'path')}"
        size = f"{text.size(view.total)} unpacked"
        whole = f"layers 1 to {wish.layer + 1}" if wish.layer else "layer 1"
        where = f"layer {wish.layer + 1} alone" if wish.only else whole
        if wish.alone:
            where = "this layer"
        self.words.set_text(text.SEPARATOR.join((paths, size, where)))
        self.setVisible(not self._brief)
