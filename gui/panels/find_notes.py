"""The line below the results of a search: what could not be read, and whether the store is another one by now."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from engine.digest import shorten
from gui import icons, text, theme
from gui.finding import Finding
from gui.layering import MOST_LAYERS
from gui.theme import Role, Space
from gui.widgets import plain_label, set_tooltip

_MOST_LINES = 1000
_LINES_SHOWN = 4


class FindNotes(QWidget):
    """Shown while there is something to say."""

    asked_again = Signal()
    """Somebody wants the search to be made again."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._glyph = plain_label("", parent=self)
        self._glyph.setAccessibleName("Warning")
        self.words = plain_label("", wrap=True, selectable=True, parent=self)
        self.again = QPushButton("Search again", self)
        self.again.setAutoDefault(False)
        self.which = QToolButton(self)
        self.which.setText("Which")
        self.which.setCheckable(True)
        self.which.setAccessibleName("Which layers")
        set_tooltip(self.which, "Show which layers, and why")
        self.list = QPlainTextEdit(self)
        self.list.setReadOnly(True)
        self.list.setTabChangesFocus(True)
        self.list.setAccessibleName("Layers that could not be read")
        self.list.setFixedHeight(self.list.fontMetrics().lineSpacing() * _LINES_SHOWN + 2 * Space.SMALL)
        self.list.hide()
        line = QHBoxLayout()
        line.setContentsMargins(Space.MEDIUM, Space.TINY, Space.SMALL, Space.TINY)
        line.setSpacing(Space.SMALL)
        line.addWidget(self._glyph)
        line.addWidget(self.words, 1)
        line.addWidget(self.which)
        line.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.list)
        self.again.clicked.connect(self.asked_again)
        self.which.toggled.connect(self.list.setVisible)
        theme.current().changed.connect(self._draw)
        self._draw()
        self.hide()

    def tell(self, finding: Finding) -> None:
        """Say what there is to say of a search."""
        unread = finding.unread
        is_over = finding.job is None
        sentences = []
        if unread:
            layers = f"{text.count(len(unread), 'layer')} could not be read, or only in part"
            sentences.append(f"{layers}: there may be more paths than these.")
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
        lines = [
            f"{shorten(each.digest)}, in {text.count(each.images, 'image')}: {text.plain(each.sentence)}"
            for each in unread[:_MOST_LINES]
        ]
        told = "\n".join(lines)
        if told != self.list.toPlainText():
            self.list.setPlainText(told)
        self.setVisible(bool(sentences))

    @Slot()
    def _draw(self) -> None:
        pixmap = icons.icon("warning", Role.WARNING).pixmap(icons.LIST_SIZE, self.devicePixelRatioF())
        self._glyph.setPixmap(pixmap)
