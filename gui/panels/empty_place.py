"""What is shown where a list has no rows: why, and what to do about it."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui import icons, text, theme
from gui.theme import Role, Space
from gui.widgets import heading, plain_label

_GLYPH = 48
"""Pixels."""


class EmptyPlace(QWidget):
    """A heading, a sentence, where something can be done about it a button; above them a glyph, where it has a name."""

    def __init__(self, parent: QWidget | None = None, *, glyph: str = "") -> None:
        super().__init__(parent)
        self._glyph = glyph
        self._picture = plain_label("", parent=self)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._picture.setVisible(bool(glyph))
        self._act: Callable[[], object] | None = None
        self._heading = heading("")
        self._sentence = plain_label("", wrap=True)
        self._sentence.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        for label in (self._heading, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        self._button = QPushButton(self)
        self._button.clicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.HUGE, Space.HUGE, Space.HUGE, Space.HUGE)
        layout.setSpacing(Space.SMALL)
        layout.addStretch(1)
        layout.addWidget(self._picture)
        layout.addWidget(self._heading)
        layout.addWidget(self._sentence)
        layout.addSpacing(Space.SMALL)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        if glyph:
            theme.current().changed.connect(self._draw)
            self._draw()

    @property
    def words(self) -> str:
        """What it says."""
        return " ".join(label.text() for label in (self._heading, self._sentence) if label.text())

    def say(self, headline: str, sentence: str = "", button: str = "", act: Callable[[], object] | None = None) -> None:
        """Show these words; the button calls ``act``."""
        self._heading.setText(headline)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._button.setText(text.escape_mnemonics(button))
        self._button.setVisible(bool(button))
        self._act = act

    @Slot()
    def _draw(self) -> None:
        self._picture.setPixmap(icons.icon(self._glyph, Role.FAINT).pixmap(_GLYPH, _GLYPH))

    def _clicked(self) -> None:
        if self._act is not None:
            self._act()
