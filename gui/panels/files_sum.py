"""Below the tree of files: all that is known of the current row, which layers touched it, and how much is there."""

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.filesystem import Change, View
from gui import text, theme
from gui.models.file_tree import Wish
from gui.panels.touched_by import TouchedBy
from gui.theme import Space
from gui.widgets import ElidedLabel, plain_label


class FilesSum(QWidget):
    """Says what the current row is, and what all rows come to."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.path = ElidedLabel(parent=self)
        self.path.setFont(theme.fixed_font())
        self.facts = plain_label("", wrap=True, selectable=True, parent=self)
        self.touched = TouchedBy(self)
        self.words = ElidedLabel(parent=self)
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, Space.SMALL)
        layout.setSpacing(Space.TINY)
        for widget in (self.path, self.facts, self.touched, self.words):
            layout.addWidget(widget)
        self.tell_current("", "")
        self.hide()

    def tell_current(self, path: str, facts: str) -> None:
        """Say what the current row is; nothing where there is none."""
        self.path.set_text(path)
        self.facts.setText(facts)
        for label in (self.path, self.facts):
            label.setVisible(bool(path))
        if not path:
            self.touched.hide()

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
        self.show()
