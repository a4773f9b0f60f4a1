"""Below the lists of a store: one line that says what its space is used for, and, once somebody opens it, the map."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QByteArray, Qt, Signal, Slot
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from engine.columns import Rows
from gui.jobs import JobRunner
from gui.panels.space_bar import SpaceBar
from gui.panels.space_counts import SpaceCounts
from gui.session import Session
from gui.settings import Settings

if TYPE_CHECKING:  # made when it is first opened
    from gui.panels.space_store import StoreMap

_SPLITTER = "map-splitter"
_FIRST_HEIGHT, _FIRST_SHARE = 250, 0.4
"""Pixels of the height of the map when it is first opened, and how much of the height it takes at most."""
_MUCH = 2000


class SpacePane(QWidget):
    """Holds the lists, which are put into its ``splitter``, the map below them, and the line below both."""

    chosen = Signal(object)
    """The person has gone to this digest, or path of a stray file, in the map."""
    entered = Signal(object)
    """The person wants to go on with this one."""
    menu_asked = Signal(object)
    """Somebody wants the menu of what is current in the map, at this ``QPoint`` of the screen."""
    listed = Signal(object)
    """Somebody wants to see the rows of these ``State``s."""
    left = Signal()
    """The map was closed, and had the keyboard."""
    toggled = Signal()
    """The map was opened or closed."""

    def __init__(self, session: Session, runner: JobRunner, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = runner
        self._settings = settings
        self._marked: tuple[str, Rows] = "", np.empty(0, np.int64)
        self.map: StoreMap | None = None
        """The map, once it was opened."""
        self.counts = SpaceCounts(session, runner, self)
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.setChildrenCollapsible(False)
        self.bar = SpaceBar(session, self.counts, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.splitter, 1)
        layout.addWidget(self.bar)
        self.bar.listed.connect(self.listed)
        self.bar.map_asked.connect(self.show_map)

    @property
    def is_open(self) -> bool:
        """Whether the map is open."""
        return self.map is not None and not self.map.isHidden()

    @Slot(bool)
    def show_map(self, wanted: bool) -> None:
        """Open or close the map."""
        if wanted != self.is_open:
            self._settings.map_open = wanted
            if self.map is None:
                self._make()
            elif wanted:
                self.map.show()
            else:
                self.save_state()
                had_keyboard = self.map.isAncestorOf(self.focusWidget() or self)
                self.map.hide()
                if had_keyboard:
                    self.left.emit()
        self.bar.map.setChecked(wanted)
        self.toggled.emit()

    def restore(self) -> None:
        """Open the map if it was open when a store was shown last; call it once the lists are in their place."""
        if self._settings.map_open:
            self.show_map(True)

    def toggle(self) -> None:
        """Open the map and put the keyboard there, or close it."""
        self.show_map(not self.is_open)
        if self.is_open and self.map is not None:
            self.map.focus()

    def mark(self, digest: str, rows: Rows) -> None:
        """Show in the map what is selected in a list, by its rows; ``digest`` is the current one, empty for none."""
        self._marked = digest, rows
        if self.map is not None:
            self.map.mark_several(digest, rows)

    def save_state(self) -> None:
        """Remember how high the map is."""
        if self.is_open:
            self._settings.set_view_state(_SPLITTER, bytes(self.splitter.saveState().data()))

    def _make(self) -> None:
        from gui.panels.space_store import StoreMap  # which every start can do without

        self.map = StoreMap(self._session, self.counts, self._runner, self._settings, self.splitter)
        self.map.chosen.connect(self.chosen)
        self.map.entered.connect(self.entered)
        self.map.menu_asked.connect(self.menu_asked)
        self.map.mark_several(*self._marked)
        state = self._settings.view_state(_SPLITTER)
        if not (state and self.splitter.restoreState(QByteArray(state))):
            there = self.splitter.height() if self.isVisible() else _MUCH
            height = min(_FIRST_HEIGHT, round(there * _FIRST_SHARE))
            self.splitter.setSizes([there - height, height])
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.map.show()
