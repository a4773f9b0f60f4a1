"""How many blobs have which state; each count is a button that filters the list."""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
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
_JOB_ROOM = 340
"""Pixels that a running job may take of the window: words are only written where there is room for both."""


class StatusCounts(QWidget):
    """A row of counters; words are left out where the window is too narrow for them.

    While blobs are checked, no counter goes, and none becomes narrower: nothing jumps under the mouse.
    """

    chosen = Signal(object)
    """A ``State`` whose rows somebody wants to see."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("How many blobs have which state")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.TINY, 0, 0, 0)
        layout.setSpacing(0)
        self._counts: Mapping[State, int] = {}
        self._before: Mapping[State, int] = {}
        """What was counted before the checking began."""
        self._most: Mapping[State, int] = {}
        """The largest count of each state that there must be room for."""
        self._with_words = False
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
        checking = bool(counts.get(State.CHECKING))
        self._before = (self._before or self._counts) if checking else {}
        self._counts = dict(counts)
        self._most = {state: max(count, self._before.get(state, 0)) for state, count in counts.items()}
        if checking:
            self._most = {**self._before, **self._most}
            becoming = sum(counts.get(state, 0) for state in (State.CHECKING, State.VERIFIED))
            self._most = {**self._most, State.CHECKING: becoming, State.VERIFIED: becoming}
        for state, button in self._buttons.items():
            button.setVisible(state in self._most)
            name = text.count_of(counts.get(state, 0), state)
            button.setAccessibleName(name)
            them = "it" if counts.get(state) == 1 else "them"
            set_tooltip(button, f"{name}. {text.STATES[state].sentence} Click to list {them}.")
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()

    def minimumSizeHint(self) -> QSize:
        """Narrower than its words, so that it never keeps the window wide."""
        return QSize(0, super().minimumSizeHint().height())

    def _write(self) -> None:
        """Write counts with words where the window has room for them beside a running job, else without."""
        whole = sum(self._width(state, with_words=True) for state in self._most)
        self._with_words = whole <= self.window().width() - _JOB_ROOM
        for state in self._most:
            button = self._buttons[state]
            button.setText(self._words(state, self._counts.get(state, 0), with_words=self._with_words))
            button.setFixedWidth(self._width(state, with_words=self._with_words))

    def _width(self, state: State, *, with_words: bool) -> int:
        """Pixels of a counter at its largest."""
        button = self._buttons[state]
        shown = button.text()
        button.setText(self._words(state, self._most[state], with_words=with_words))
        width = button.sizeHint().width()
        button.setText(shown)
        return width

    @staticmethod
    def _words(state: State, count: int, *, with_words: bool) -> str:
        return text.count_of(count, state) if with_words else text.number(count)
