"""Between the files of an image and what is in one: all that is known of the current path, and which layers touched it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, 0)
        layout.setSpacing(Space.TINY)
        for widget in (self.path, self.facts, self.touched):
            layout.addWidget(widget)
        self.tell("", "")

    def tell(self, path: str, facts: str) -> None:
        """Say what the current path is; nothing where there is none."""
        self.path.set_text(path)
        self.facts.setText(facts)
        set_tooltip(self.facts, facts)
        self.setVisible(bool(path))

    def be_brief(self, brief: bool) -> None:
        """Where the window is low, there is one line for the facts; the tooltip has the others."""
        self.facts.setMaximumHeight(self.facts.fontMetrics().height() if brief else _ANY)


_ANY = (1 << 24) - 1
"""The largest height that Qt knows."""
