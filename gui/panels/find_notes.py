"""The line below the results of a search: what could not be read, and whether the store is another one by now."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from gui import icons, text, theme
from gui.finding import Finding
from gui.layering import MOST_LAYERS
from gui.theme import Role, Space
from gui.widgets import plain_label, set_tooltip


class FindNotes(QWidget):
    """Shown while there is something to say."""

    asked_again = Signal()
    """Somebody wants the search to be made again."""
    which_asked = Signal(bool)
    """Somebody wants to see which layers could not be read, or the results again."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._glyph = plain_label("", parent=self)
        self._glyph.setAccessibleName("Warning")
        self.words = plain_label("", wrap=True, selectable=True, parent=self)
        self.again = QPushButton("Search again", self)
        self.again.setAutoDefault(False)
        self.which = QPushButton("Which layers", self)
        self.which.setAutoDefault(False)
        self.which.setCheckable(True)
        set_tooltip(self.which, "Show which layers, and why")
        line = QHBoxLayout(self)
        line.setContentsMargins(Space.MEDIUM, Space.TINY, Space.SMALL, Space.TINY)
        line.setSpacing(Space.SMALL)
        line.addWidget(self._glyph)
        line.addWidget(self.words, 1)
        line.addWidget(self.which)
        line.addWidget(self.again)
        self.again.clicked.connect(self.asked_again)
        self.which.toggled.connect(self.which_asked)
        theme.current().changed.connect(self._draw)
        self._draw()
        self.hide()

    def tell(self, finding: Finding) -> None:
        """Say what there is to say of a search."""
        unread = finding.unread
        is_over = finding.job is None
        sentences = []
        if unread:
            layers = text.count(len(unread), "layer")
            sentences.append(f"{layers} could not be read whole: there may be more paths.")
        if finding.left_out:
            left_out = f"{text.count(finding.left_out, 'image')} of more than {text.number(MOST_LAYERS)} layers"
            sentences.append(f"{left_out} {'is' if finding.left_out == 1 else 'are'} left out.")
        is_short = finding.stopped and is_over
        if is_short:
            sentences.append("The search was stopped.")
        is_past = is_over and finding.is_past
        if is_past:
            sentences.append("The store has changed since.")
        self.words.setText(" ".join(sentences))
        self.again.setVisible(is_short or is_past)
        self.which.setVisible(bool(unread))
        self.which.setChecked(self.which.isChecked() and bool(unread))
        self.setVisible(bool(sentences))

    @Slot()
    def _draw(self) -> None:
        pixmap = icons.icon("warning", Role.WARNING).pixmap(icons.LIST_SIZE, self.devicePixelRatioF())
        self._glyph.setPixmap(pixmap)
