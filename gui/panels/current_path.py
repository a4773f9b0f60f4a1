"""Between the files of an image and what is in one: all that is known of the current path, and which layers touched it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from gui import theme
from gui.panels.touched_by import TouchedBy
from gui.theme import Space
from gui.widgets import ElidedLabel, plain_label, set_tooltip


class CurrentPath(QWidget):
    """Hidden where there is none."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.path = ElidedLabel(parent=self)
        self.path.setFont(theme.fixed_font())
        self.facts = plain_label("", wrap=True, selectable=True, parent=self)
        self.facts.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.touched = TouchedBy(self)
        self._first = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._first.setSpacing(Space.TINY)
        self._first.addWidget(self.path, 1)
        self._first.addWidget(self.touched)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, 0)
        layout.setSpacing(Space.TINY)
        layout.addLayout(self._first)
        layout.addWidget(self.facts)
        self._brief = False
        self.tell("", "")

    def tell(self, path: str, facts: str) -> None:
        """Say what the current path is; nothing where there is none."""
        self.path.set_text(path)
        set_tooltip(self.path, f"{path}\n{facts}")
        self.facts.setText(facts)
        self.setVisible(bool(path))

    def be_brief(self, brief: bool) -> None:
        """Where the window is low, there is one line; its tooltip has the facts, as has that of the row."""
        if brief == self._brief:
            return
        self._brief = brief
        directions = QBoxLayout.Direction
        self._first.setDirection(directions.LeftToRight if brief else directions.TopToBottom)
        self.facts.setVisible(not brief)
        self.touched.be_brief(brief)
