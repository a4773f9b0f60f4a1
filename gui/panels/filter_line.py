"""A line in which a person types what to see of a list, or what to look for."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from gui import icons, theme
from gui.theme import Role
from gui.widgets import give_clear_button, set_tooltip

PAUSE_MS = 150
"""So long a pause in the typing lasts that means a person wants to see what comes of it."""

HOW_TO_MEAN_PATHS = """A word finds paths that have it in them; with a slash at its beginning, paths that begin so.
With * ? or [..] it is a whole name, or with a slash in it a whole path.

python3
/usr/bin/
*.so  lib[cm].*
etc/*.conf  **/etc/*.conf  srv/**"""
"""What a person may type where paths are meant: see ``engine.pathpattern``."""
_LONGEST = 10_000


class FilterLine(QLineEdit):
    """A line with a glyph and a button that empties it; typing is told after a pause, or with Enter and Down.

    Escape empties it; where it is empty, Escape is for somebody else.
    """

    asked = Signal()
    """What is typed counts now."""
    left = Signal()
    """Enter or Down: the person wants to go on in the list."""

    def __init__(self, name: str, placeholder: str, help_text: str = "", parent: QWidget | None = None) -> None:
        """``name`` is what a screen reader calls it; ``help_text`` becomes its tooltip."""
        super().__init__(parent)
        self.setAcceptDrops(False)  # a file is for the window
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setMaxLength(_LONGEST)
        set_tooltip(self, help_text)
        give_clear_button(self, "Clear the filter")
        self.glyph = QAction(name, self)
        self._shown = "filter", Role.MUTED
        self.addAction(self.glyph, QLineEdit.ActionPosition.LeadingPosition)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.asked)
        self.textChanged.connect(lambda _words: self._pause.start())
        self.installEventFilter(self)  # unlike an override, that leaves the keys of an open completer alone
        theme.current().changed.connect(self._draw)
        self._draw()

    @property
    def words(self) -> str:
        """What is typed, without the spaces around it."""
        return self.text().strip()

    def set_pause(self, milliseconds: int) -> None:
        """Wait so long for more before telling what is typed."""
        self._pause.setInterval(milliseconds)

    def show_glyph(self, icon: str, role: Role = Role.MUTED) -> None:
        """Show another glyph at its beginning."""
        self._shown = icon, role
        self._draw()

    def focus(self) -> None:
        """Put the cursor there, with what was typed selected."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def ask_now(self) -> None:
        """Do not wait for the end of the pause."""
        if self._pause.isActive():
            self._pause.stop()
            self.asked.emit()

    def hold(self) -> None:
        """What was typed or set is known: do not tell of it."""
        self._pause.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self.take_key(event)
        return super().eventFilter(watched, event)

    def take_key(self, event: QKeyEvent) -> bool:
        """Do what a key means here; whether it meant anything."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return True
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.ask_now()
            self.left.emit()
            return True
        return False

    @Slot()
    def _draw(self) -> None:
        self.glyph.setIcon(icons.icon(*self._shown))
