"""Holds the lists of a store, and below them, once somebody looks for it, what finds paths in all images."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, Signal, Slot
from PySide6.QtWidgets import QSplitter, QWidget

from gui.session import Session
from gui.settings import Settings

if TYPE_CHECKING:  # made when it is first opened
    from gui.panels.find_pane import FindPane

_STATE = "find-splitter"
_FIRST_SHARES = [5500, 4500]
"""What the lists and the pane get of the height when it is first opened."""
_LOWEST = 120
"""Pixels that the pane has at least: its line and some rows; and that the lists have as long as it is open."""


class FindDock(QSplitter):
    """A splitter whose first part are the lists."""

    led = Signal(object, bool)
    """The person wants to see this ``Place`` of a result; and whether the keyboard is to go there."""
    left = Signal()
    """The pane was closed, and had the keyboard."""
    copied = Signal(str)

    def __init__(self, session: Session, settings: Settings, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._session = session
        self._settings = settings
        self.pane: FindPane | None = None
        """What finds, once it was opened."""
        self._lists_alone = 0
        """Pixels that the lists have at least while the pane is closed."""
        self.setChildrenCollapsible(False)

    @property
    def _lists(self) -> QWidget:
        lists = self.widget(0)
        assert lists is not None
        return lists

    @property
    def is_open(self) -> bool:
        """Whether the pane is open."""
        return self.pane is not None and not self.pane.isHidden()

    def open(self) -> "FindPane":
        """Open the pane, with the keyboard in its line."""
        if self.pane is None:
            self.pane = self._make()
        self._lists.setMinimumHeight(_LOWEST)
        self.pane.show()
        self.pane.focus()
        return self.pane

    @Slot()
    def put_away(self) -> None:
        """Close the pane; what it has found stays."""
        if self.pane is None or self.pane.isHidden():
            return
        self._save_height()
        had_keyboard = self.pane.isAncestorOf(self.focusWidget() or self)
        self.pane.hide()
        self._lists.setMinimumHeight(self._lists_alone)
        self.pane.put_away()
        if had_keyboard:
            self.left.emit()

    def save_state(self) -> None:
        """Remember how high the pane is, and its columns."""
        if self.pane is not None:
            self._save_height()
            self.pane.save_state()

    def _save_height(self) -> None:
        if self.is_open:
            self._settings.set_view_state(_STATE, bytes(self.saveState().data()))

    def _make(self) -> "FindPane":
        from gui.panels.find_pane import FindPane  # which every start can do without

        self._lists_alone = self._lists.minimumHeight()
        pane = FindPane(self._session, self._settings, self)
        pane.setMinimumHeight(_LOWEST)
        pane.led.connect(self.led)
        pane.copied.connect(self.copied)
        pane.closed.connect(self.put_away)
        state = self._settings.view_state(_STATE)
        if not (state and self.restoreState(QByteArray(state))):
            self.setSizes(_FIRST_SHARES)
        return pane
