"""What is shown where a list has no rows: why, and what to do about it."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui import text
from gui.theme import Space
from gui.widgets import heading, plain_label


class EmptyPlace(QWidget):
    """A heading, a sentence, and where something can be done about it a button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        layout.addWidget(self._heading)
        layout.addWidget(self._sentence)
        layout.addSpacing(Space.SMALL)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)

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

    def _clicked(self) -> None:
        if self._act is not None:
            self._act()
