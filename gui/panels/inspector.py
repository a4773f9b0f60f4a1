"""The inspector: what is selected, told in plain language, as it is stored, with its metadata and its relations."""

import numpy as np
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from engine.columns import Rows
from gui.panels.empty_place import EmptyPlace
from gui.panels.inspector_header import InspectorHeader
from gui.panels.inspector_tabs import InspectorTabs
from gui.session import Selection, Session
from gui.settings import Settings

LONGEST_HISTORY = 100
_PAUSE_MS = 150


class Inspector(QWidget):
    """Shows one selection of a view, the sum of several, or what could be shown.

    ``followed`` carries the ``Selection`` that somebody went to from here, for the views to reveal. ``historyChanged``
    comes when the ways back and forward are different, ``copied`` carries a sentence for the status bar.
    """

    followed = Signal(object)
    historyChanged = Signal()
    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None, settings: Settings | None = None) -> None:
        """How its columns are left is remembered in ``settings``, where there are any."""
        super().__init__(parent)
        self.setAccessibleName("Inspector")
        self._session: Session | None = None
        self._selection: Selection | None = None
        self._several: Rows | None = None
        self._history: list[Selection] = []
        self._position = -1
        # A verification tells of states ten times a second.
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._refresh_states)
        self._pages = QStackedWidget(self)
        self._empty = EmptyPlace(self._pages, glyph="store")
        self._full = QWidget(self._pages)
        self.header = InspectorHeader(self._full)
        self.tabs = InspectorTabs(self._full, settings)
        self._lay_out()
        self.header.followed.connect(self.follow)
        self.tabs.followed.connect(self.follow)
        self.tabs.copied.connect(self.copied)

    def _lay_out(self) -> None:
        full = QVBoxLayout(self._full)
        full.setContentsMargins(0, 0, 0, 0)
        full.setSpacing(0)
        full.addWidget(self.header)
        full.addWidget(self.tabs, 1)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._full)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self._say_nothing()

    # ------------------------------------------------------------------------------------------------ showing

    @property
    def selection(self) -> Selection | None:
        """What is shown; None for nothing and for several things."""
        return self._selection

    def show_selection(self, selection: Selection | None) -> None:
        """Show what is selected in a view, and remember it in the history."""
        if selection is None:
            self._several = None
            self._forget()
            self._say_nothing()
            return
        if selection == self._selection:
            return
        self._remember(selection)
        self._show(selection)

    def show_words(self, headline: str, sentence: str) -> None:
        """Say something in the place of what is selected."""
        self.show_selection(None)
        self._empty.say(headline, sentence)

    def show_several(self, session: Session, rows: Rows) -> None:
        """Show the sum of several selected rows of the session's snapshot."""
        self._forget()
        self._watch(session)
        self._several = np.asarray(rows, np.int64)
        self._sum_up()

    @Slot(object)
    def follow(self, selection: Selection) -> None:
        """Go where a link leads, and have the views reveal it."""
        self.show_selection(selection)
        self.followed.emit(selection)

    def show_tab(self, tab: int) -> None:
        """Go to a tab, where it is there."""
        if self._pages.currentWidget() is self._full:
            self.tabs.show_tab(tab)

    def _say_nothing(self) -> None:
        self._empty.say("Nothing is selected", "Select an image or a blob to see what it is.")
        self._pages.setCurrentWidget(self._empty)

    # ------------------------------------------------------------------------------------------------ history

    @property
    def can_go_back(self) -> bool:
        return self._position > 0

    @property
    def can_go_forward(self) -> bool:
        return self._position < len(self._history) - 1

    @Slot()
    def back(self) -> None:
        """Show again what was shown before."""
        if self.can_go_back:
            self._go(self._position - 1)

    @Slot()
    def forward(self) -> None:
        """Undo ``back``."""
        if self.can_go_forward:
            self._go(self._position + 1)

    def _go(self, position: int) -> None:
        self._position = position
        self._show(self._history[position])
        self.historyChanged.emit()
        self.followed.emit(self._history[position])

    def _remember(self, selection: Selection) -> None:
        current = self._history[self._position] if self._position >= 0 else None
        if current is not None and (current.session, current.digest) == (selection.session, selection.digest):
            # A view reveals what a link led to, and says so by its own way to the same thing.
            self._history[self._position] = selection
            return
        del self._history[self._position + 1 :]
        self._history.append(selection)
        del self._history[:-LONGEST_HISTORY]
        self._position = len(self._history) - 1
        self.historyChanged.emit()

    # ------------------------------------------------------------------------------------------------ contents

    def _show(self, selection: Selection) -> None:
        self._watch(selection.session)
        self._several = None
        self._selection = selection
        self.header.show_selection(selection)
        self.tabs.show_selection(selection)
        self._pages.setCurrentWidget(self._full)

    def _sum_up(self) -> None:
        session, rows = self._session, self._several
        if session is not None and rows is not None:
            self.header.show_several(len(rows))
            self.tabs.show_several(session, rows)
            self._pages.setCurrentWidget(self._full)

    def _forget(self) -> None:
        self._selection = None
        self.tabs.clear()

    # ------------------------------------------------------------------------------------------------ changes

    def _watch(self, session: Session) -> None:
        if session is self._session:
            return
        if self._session is not None:
            self._session.snapshotChanged.disconnect(self._refresh)
            self._session.problems.changed.disconnect(self.tabs.refresh_findings)
            self._session.statesChanged.disconnect(self._note_states)
            self._session.metadataChanged.disconnect(self.tabs.refresh_metadata)
        self._session = session
        session.snapshotChanged.connect(self._refresh)
        session.problems.changed.connect(self.tabs.refresh_findings)
        session.statesChanged.connect(self._note_states)
        session.metadataChanged.connect(self.tabs.refresh_metadata)

    @Slot()
    def _refresh(self) -> None:
        """The store is different. Rows of several are positions, so their sum is of the past: the view selects anew."""
        if self._selection is not None:
            self.header.refresh()
            self.tabs.refresh()

    @Slot(object)
    def _note_states(self, _rows: object) -> None:
        if not self._pause.isActive():
            self._pause.start()

    @Slot()
    def _refresh_states(self) -> None:
        if self._selection is not None:
            self.header.refresh()
            self.tabs.refresh_states()
