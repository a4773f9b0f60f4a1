"""Keeps the letters of a word that somebody types in a list from being taken for commands."""

import time

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication

_MODIFIERS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


class TypeAhead(QObject):
    """Watches the keys of one list, in which Qt goes to the row that begins with what is typed."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._typed_at = 0.0
        view.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and is_typed(event):
            if event.type() == QEvent.Type.KeyPress:
                self._typed_at = time.monotonic()
            elif event.type() == QEvent.Type.ShortcutOverride and self._is_typing:
                event.accept()  # a letter in the middle of a word is no command
        return False

    @property
    def _is_typing(self) -> bool:
        """Whether a letter now goes on a word that was begun."""
        return time.monotonic() - self._typed_at < QApplication.keyboardInputInterval() / 1000


def is_typed(event: QKeyEvent) -> bool:
    """Whether a key is a letter of a word, rather than a command."""
    return bool(event.text().strip()) and event.text().isprintable() and not event.modifiers() & ~_MODIFIERS
