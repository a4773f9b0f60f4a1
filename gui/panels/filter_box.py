"""The line above a list where a person types what to see of it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QStringListModel, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui import text, theme
from gui.models.conditions import EVERYTHING
from gui.models.filtering import Mistake, complete, parse
from gui.panels.filter_line import PAUSE_MS, FilterLine
from gui.theme import Role, Space
from gui.widgets import plain_label

MANY = 20_000
"""From so many rows on the filter waits for a pause in the typing."""

_HELP = """Type words of a name or a media type, or the beginning of a digest.

type:layer  type:image,index
status:corrupt  status:bad
platform:linux/arm64
size>50M  used:0  age>30d
tag:2.*  label:team=web  digest:9f2c
-type:config shows everything else
"two words" counts as one"""


class FilterBox(QWidget):
    """A line for the filter, which says what is wrong with it, and how many rows it leaves."""

    asked = Signal(object)
    """A ``Query`` to show, each time what is typed makes another one."""
    left = Signal()
    """The person wants to go on in the list."""

    def __init__(self, what: str, words: Callable[[str], Sequence[str]], parent: QWidget | None = None) -> None:
        """``what`` is in the list, "images" for example; ``words`` knows what may follow a key in this store."""
        super().__init__(parent)
        self._noun = what[:-1]
        self._query = EVERYTHING
        self._words_of = words
        placeholder = f"Filter {what}: words, type:layer, size>50M, status:bad …"
        self.line = FilterLine(f"Filter {what}", placeholder, _HELP, self)
        self.line.set_pause(0)
        self._count = plain_label("")
        self._count.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._count.setAccessibleDescription(f"How many {what} are shown")
        self._mistake = plain_label("", wrap=True)
        self._mistake.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._mistake.hide()
        self._words = QStringListModel(self)
        self._completer = QCompleter(self._words, self)
        self._completer.setWidget(self.line)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.activated.connect(self._insert)
        self._lay_out()
        self.line.textChanged.connect(self._show_validity)
        self.line.asked.connect(self._ask)
        self.line.left.connect(self.left)
        self.line.textEdited.connect(self._offer)
        theme.current().changed.connect(self._show_validity)
        self._show_validity()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(Space.SMALL)
        line.addWidget(self.line, 1)
        line.addWidget(self._count)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(Space.SMALL, Space.SMALL, Space.SMALL, Space.SMALL)
        whole.setSpacing(Space.TINY)
        whole.addLayout(line)
        whole.addWidget(self._mistake)

    @property
    def text(self) -> str:
        """The filter as it is typed."""
        return self.line.text()

    def set_text(self, filter_text: str) -> None:
        """Take another filter."""
        self.line.setText(filter_text)
        self._ask()

    def show_count(self, shown: int, total: int, rows: int) -> None:
        """Say how many rows are shown; ``rows`` is how many it takes to find them."""
        self.line.set_pause(PAUSE_MS if rows >= MANY else 0)
        words = text.count(total, self._noun)
        self._count.setText(words if shown == total else f"{text.number(shown)} of {words}")

    def focus(self) -> None:
        """Put the cursor there, with what was typed selected."""
        self.line.focus()

    @Slot()
    def _ask(self) -> None:
        """Ask for what is typed, where that is a filter."""
        self.line.hold()
        query = parse(self.line.text())
        if not isinstance(query, Mistake) and query != self._query:
            self._query = query
            self.asked.emit(query)

    @Slot()
    def _show_validity(self) -> None:
        """Say in colour, glyph and words what is wrong with what is typed."""
        found = parse(self.line.text())
        wrong = isinstance(found, Mistake)
        palette = QPalette()
        if isinstance(found, Mistake):
            palette.setColor(QPalette.ColorRole.Text, theme.colour(Role.BAD))
            self._mistake.setText(found.sentence)
        self.line.setPalette(palette)
        colours = self._mistake.palette()
        colours.setColor(QPalette.ColorRole.WindowText, theme.colour(Role.BAD))
        self._mistake.setPalette(colours)
        self._mistake.setVisible(wrong)
        self.line.show_glyph(*("error", Role.BAD) if wrong else ("filter", Role.MUTED))
        self.line.setAccessibleDescription(self._mistake.text() if wrong else "")

    @Slot()
    def _offer(self) -> None:
        """Offer words that go on from what is typed."""
        _, _, words = complete(self.line.text(), self.line.cursorPosition(), self._words_of)
        self._words.setStringList(words)
        popup = self._completer.popup()
        if words:
            self._completer.complete()
        elif popup is not None:
            popup.hide()

    @Slot(str)
    def _insert(self, word: str) -> None:
        """Put a word that was offered in the place of what is typed."""
        typed = self.line.text()
        start, end, _ = complete(typed, self.line.cursorPosition(), self._words_of)
        self.line.setText(f"{typed[:start]}{word}{typed[end:]}")
        self.line.setCursorPosition(start + len(word))
