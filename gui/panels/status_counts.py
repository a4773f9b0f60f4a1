"""How many blobs have which state; each count is a button that filters the list."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from engine.snapshot import State
from gui import icons, text
from gui.theme import Space
from gui.widgets import set_tooltip

_ORDER = (
    State.VERIFIED,
    State.NOT_CHECKED,
    State.CHECKING,
    State.CORRUPT,
    State.DAMAGED,
    State.SIZE_DIFFERS,
    State.MISSING,
    State.UNREADABLE,
    State.NOT_REGULAR,
    State.LOST,
    State.UNUSED,
    State.EXTERNAL,
    State.NOT_CHECKABLE,
    State.JUNK,
)
"""From left to right: what is well, what is wrong, what is only odd."""


class StatusCounts(QWidget):
    """A row of counters; words are left out where the window is too narrow for them."""

    chosen = Signal(object)
    """A ``State`` whose rows somebody wants to see."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("How many blobs have which state")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.TINY, 0, 0, 0)
        layout.setSpacing(0)
        self._counts: Mapping[State, int] = {}
        self._buttons: dict[State, QToolButton] = {}
        for state in _ORDER:
            button = QToolButton(self)
            button.setIcon(icons.state_icon(state))
            button.setIconSize(icons.LIST_SIZE)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _checked=False, state=state: self.chosen.emit(state))
            button.hide()
            layout.addWidget(button)
            self._buttons[state] = button
        layout.addStretch()

    def show_counts(self, counts: Mapping[State, int]) -> None:
        """Show these counts; states without a row have no button."""
        if counts == self._counts:
            return
        self._counts = dict(counts)
        for state, button in self._buttons.items():
            count = counts.get(state, 0)
            button.setVisible(count > 0)
            name = text.count_of(count, state)
            button.setAccessibleName(name)
            them = "it" if count == 1 else "them"
            set_tooltip(button, f"{name}. {text.STATES[state].sentence} Click to list {them}.")
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        """Write counts with words where there is room, else without."""
        self._label(with_words=True)
        if sum(button.sizeHint().width() for button in self._shown()) > self.width() - Space.SMALL:
            self._label(with_words=False)

    def _label(self, *, with_words: bool) -> None:
        for state, button in self._buttons.items():
            count = self._counts.get(state, 0)
            button.setText(text.count_of(count, state) if with_words else text.number(count))

    def _shown(self) -> list[QToolButton]:
        return [self._buttons[state] for state, count in self._counts.items() if count]
