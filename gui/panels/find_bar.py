"""Finds words in a document: a line to type into, how many were found, and the way to the next and the previous."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from gui import text
from gui.theme import Space
from gui.widgets import give_clear_button, icon_button, plain_label

if TYPE_CHECKING:
    from gui.panels.document_pane import DocumentPane

_MOST = 10_000
"""Places that are counted."""


class FindBar(QWidget):
    """Finds in the text of a document view, without regard to upper and lower case."""

    def __init__(self, view: "DocumentPane", parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        self._found: list[tuple[int, int]] = []
        self._current = -1
        self.line = QLineEdit(self)
        self.line.setAcceptDrops(False)  # a file is for the window
        self.line.setPlaceholderText("Find in this document")
        self.line.setAccessibleName("Find in this document")
        give_clear_button(self.line, "Clear the words")
        self.line.textChanged.connect(self.search_again)
        self.count = plain_label("")
        self.count.setAccessibleDescription("Places found")
        previous = icon_button("previous", "Previous (Shift+Enter)", self)
        previous.clicked.connect(self.go_to_previous)
        following = icon_button("next", "Next (Enter)", self)
        following.clicked.connect(self.go_to_next)
        close = icon_button("close", "Close the find bar (Escape)", self)
        close.clicked.connect(self.close_bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        layout.setSpacing(Space.TINY)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.count)
        for button in (previous, following, close):
            layout.addWidget(button)
        view.loaded.connect(self._search_all)

    def open(self) -> None:
        """Show the bar with the cursor in it; what is selected is looked for."""
        selected = self._view.selected_text()
        self.show()
        if selected and "\n" not in selected:
            self.line.setText(selected)
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()
        self.search_again()

    @Slot()
    def close_bar(self) -> None:
        """Hide the bar; the text keeps what was found selected."""
        self.hide()
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def search_again(self) -> None:
        """Look for the words anew, and go to the first place."""
        self._search()
        if self._found and self.isVisible():
            self._go(0)

    @Slot()
    def go_to_next(self) -> None:
        self._go(self._current + 1)

    @Slot()
    def go_to_previous(self) -> None:
        self._go(self._current - 1)

    @Slot()
    def _search_all(self) -> None:
        """More of the text has come."""
        current = self._current
        self._search()
        self._current = current
        self._tell()

    def _search(self) -> None:
        wanted, places = self.line.text().lower(), self._view.places
        self._found, self._current = [], -1
        if wanted and self.isVisible() and len(places):
            place = places.folded.find(wanted, 0, places.end)
            while place >= 0 and len(self._found) < _MOST:
                self._found.append((place, place + len(wanted)))
                place = places.folded.find(wanted, place + len(wanted), places.end)
        self._tell()

    def _go(self, number: int) -> None:
        if self._found:
            self._current = number % len(self._found)
            self._view.select(*self._found[self._current])
            self._tell()

    def _tell(self) -> None:
        if not self.line.text():
            self.count.setText("")
        elif not self._found:
            self.count.setText("not found")
        else:
            more = "+" if len(self._found) == _MOST else ""
            self.count.setText(f"{text.number(self._current + 1)} of {text.number(len(self._found))}{more}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes on, Shift+Enter goes back, Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            is_back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._go(self._current + (-1 if is_back else 1))
        else:
            super().keyPressEvent(event)
