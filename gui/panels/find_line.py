"""The line in which a person types what to find in all images, with what was looked for before."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from gui.panels.filter_line import HOW_TO_MEAN_PATHS, FilterLine
from gui.theme import Role
from gui.widgets import give_clear_button

MOST_REMEMBERED = 50
_PAUSE_MS = 400
"""A search over all images is more than a filter: it waits for a longer pause."""
_FEWEST = 2
"""Letters from which on a pause starts a search; Enter starts it with fewer."""


class FindLine(FilterLine):
    """Up and Down go through what was looked for; from the newest, Down goes on in the list.

    Escape leaves what is typed as it is: it closes the pane.
    """

    entered = Signal()
    """Enter: what is typed is to be looked for now."""

    def __init__(self, parent: QWidget) -> None:
        help_text = f"{HOW_TO_MEAN_PATHS}\n\nUp and Down: what was looked for before"
        super().__init__("Find in all images", "Find in all images: libssl, *.so, etc/*.conf", help_text, parent)
        give_clear_button(self, "Clear the words")
        self.show_glyph("search", Role.MUTED)
        self.set_pause(_PAUSE_MS)
        self._history: list[str] = []
        self._place = -1
        """Where in the history what is shown stands, from the newest; -1 for what was typed."""
        self._typed = ""
        self.textEdited.connect(self._leave_history)

    @property
    def is_enough(self) -> bool:
        """Whether so much is typed that it may be looked for without being asked to."""
        return len(self.words) >= _FEWEST or not self.words

    @property
    def history(self) -> Sequence[str]:
        """What was looked for before, the newest first."""
        return tuple(self._history)

    def set_history(self, words: Sequence[str]) -> None:
        """Take over what was looked for before, the newest first."""
        self._history = list(words)[:MOST_REMEMBERED]
        self._place = -1

    def remember(self, words: str) -> bool:
        """Put words at the beginning of the history; whether that is different now."""
        self._place = -1
        if not words or self._history[:1] == [words]:
            return False
        self._history = [words, *(each for each in self._history if each != words)][:MOST_REMEMBERED]
        return True

    def take_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            return False
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.hold()
            self.entered.emit()
            return True
        if key == Qt.Key.Key_Up:
            self._go(self._place + 1)
            return True
        if key == Qt.Key.Key_Down and self._place >= 0:
            self._go(self._place - 1)
            return True
        return super().take_key(event)

    def _go(self, place: int) -> None:
        """Show what stands at a place of the history; before its first is what was typed."""
        if self._place < 0:
            self._typed = self.text()
        older = [words for words in self._history if words != self._typed]
        if place < len(older):
            self._place = place
            self.setText(older[place] if place >= 0 else self._typed)

    def _leave_history(self) -> None:
        self._place = -1
