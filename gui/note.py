"""A sentence in the colour of what it means."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QWidget

from gui import theme
from gui.theme import Role


class Note(QLabel):
    """Plain, wrapped, selectable words in the colour of a role, also when the theme changes; hidden without words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = Role.MUTED
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        theme.current().changed.connect(self._colour)
        self.say("")

    def say(self, words: str, role: Role = Role.MUTED) -> None:
        """Show other words."""
        self._role = role
        self._colour()
        self.setText(words)
        self.setVisible(bool(words))

    @Slot()
    def _colour(self) -> None:
        palette = self.palette()
        palette.setColor(self.foregroundRole(), theme.colour(self._role))
        self.setPalette(palette)
