"""The text of a file of an image: highlighted where somebody knows its language, and copied as it is stored."""

from collections.abc import Iterator

from PySide6.QtGui import QFontMetricsF, QTextOption
from PySide6.QtWidgets import QWidget

from gui.panels.document_pane import DocumentPane, Stretch
from gui.panels.document_text import shown
from gui.panels.highlighter import Ink
from gui.panels.highlighting import NO_INKS, Inks
from gui.theme import Role

_TAB = 8
"""Characters between two tab stops, as in a terminal."""
_ROLES = {
    Ink.KEYWORD: Role.CHANGED,
    Ink.NAME: Role.ACCENT,
    Ink.STRING: Role.SOUND,
    Ink.NUMBER: Role.WARNING,
    Ink.COMMENT: Role.MUTED,
    Ink.ADDED: Role.SOUND,
    Ink.REMOVED: Role.BAD,
}


class TextPane(DocumentPane):
    """Shows a text; JSON has its colours at once, others have theirs when ``set_inks`` brings them."""

    longest_line = 1 << 11  # minified programs have a stretch of another colour every few characters
    _inks = NO_INKS
    _is_json = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Text of the file")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabStopDistance(_TAB * QFontMetricsF(self.font()).horizontalAdvance(" "))

    def show_file(self, content: str, *, is_json: bool) -> None:
        """Show another text."""
        self._inks, self._is_json = NO_INKS, is_json
        self.show_text(content, None)

    def set_inks(self, inks: Inks) -> None:
        """Colour the text that is shown."""
        self._inks = inks
        self.colour_again()

    def find_stretches(self, number: int, line: str) -> Iterator[Stretch]:
        if self._is_json:
            yield from super().find_stretches(number, line)
            return
        if number >= len(self.places):
            return
        start, end = self.places.bounds(number)
        content = self.places.content
        is_plain = len(line) == end - start  # else something in it is shown as more than one character
        for begins, stops, ink in self._inks.between(start, end):
            if is_plain:
                yield begins - start, stops - start, _ROLES[ink]
            else:
                before = len(shown(content[start:begins]))
                yield before, before + len(shown(content[begins:stops])), _ROLES[ink]
