"""A map with the line above it: what one looks at, in words, and the way out of what one has gone into."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from engine.progress import Progress
from gui import text, theme
from gui.jobs import JobRunner
from gui.models.arranging import Latest
from gui.models.treemap import Cells, Place, Space, lay_out
from gui.panels.empty_place import EmptyPlace
from gui.panels.space_counts import BESIDE
from gui.panels.space_look import Picture
from gui.panels.space_map import SpaceMap
from gui.theme import Space as Gap
from gui.widgets import ElidedLabel, icon_button, plain_label

_PAUSE_MS = 60
"""Its size must have stood still for so long before it is laid out anew."""
_LONGEST = 24
"""Letters of the name of what fills the map."""
_LINE_PADDING = 3
"""Pixels that a title's line is higher than its font."""


class Words(Protocol):
    """What is shown, and what is to be said of it; any thread may ask."""

    root: int

    @property
    def space(self) -> Space: ...
    def titles(self, place: Place) -> Sequence[str]:
        """What a place is called, and shorter."""
        ...

    def sentence(self, place: Place) -> str:
        """All that is to be said of a place in one line."""
        ...

    def dress(self, cells: Cells, line: int, progress: Progress) -> Picture:
        """How rectangles look; ``line`` is the height of a line of text in pixels."""
        ...

    def key_of(self, node: int) -> str:
        """What a node is called, also in what is shown later; empty for the root."""
        ...

    def node_of(self, key: str) -> int:
        """The node with that key; the root where there is none."""
        ...

    def around(self, node: int) -> int:
        """What a node is in; the root for itself."""
        ...


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture, what it is of, and which place fills it."""

    words: Words
    place: Place
    picture: Picture


class Inside(NamedTuple):
    """What fills the map, by its key; without so many of the largest."""

    key: str
    skip: int


_ALL = Inside("", 0)


class SpaceView(QWidget):
    """Shows what ``_prepare`` makes; what is selected in a list beside it is current here, and the other way round."""

    tells_current = True
    """Whether the line above says what is current, rather than only what fills the map."""

    chosen = Signal(object)
    """The person has gone to this, by what it is in the list: a ``str``, which may hold bytes that are no UTF-8."""
    menu_asked = Signal(object)
    """Somebody wants the menu of what is current, at this ``QPoint`` of the screen."""
    entered = Signal(object)
    """The person wants to go on with this, by what it is in the list."""

    def __init__(self, name: str, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latest = Latest(self, runner)
        self._resizing = QTimer(self)
        self._resizing.setSingleShot(True)
        self._resizing.setInterval(_PAUSE_MS)
        self._resizing.timeout.connect(self.refresh)
        self._shown: Shown | None = None
        self._inside = _ALL
        self._selected = ""
        """What is selected in the list."""
        self.map = SpaceMap(name, self._tell, self)
        self.empty = EmptyPlace(self)
        self.up = icon_button("previous", "Show what is around it (Backspace)", self)
        self.where = plain_label("", parent=self)
        self.where.setFont(theme.strong_font())
        self.where.hide()
        self.sentence = ElidedLabel(parent=self)
        self._places = QStackedWidget(self)
        # A low window is for what is asked in it, and a few words need not be seen whole.
        self._places.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self._places.setMinimumHeight(self.map.minimumHeight())
        self._places.addWidget(self.map)
        self._places.addWidget(self.empty)
        self._line = QHBoxLayout()
        self._line.setContentsMargins(Gap.SMALL, 0, Gap.TINY, 0)
        self._line.setSpacing(Gap.TINY)
        self._line.addWidget(self.up)
        self._line.addWidget(self.where)
        self._line.addWidget(self.sentence, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, Gap.TINY // 2, 0, 0)
        layout.setSpacing(Gap.TINY // 2)
        layout.addLayout(self._line)
        layout.addWidget(self._places, 1)
        self.setFocusProxy(self.map)
        self.up.clicked.connect(self.zoom_out)
        self.map.left.connect(self.zoom_out)
        self.map.moved.connect(self._move)
        self.map.entered.connect(self._enter)
        self.map.hovered.connect(self._say)
        self.map.menu_asked.connect(self._ask_menu)

    # --------------------------------------------------------------------------------------- for who shows what

    @abstractmethod
    def _prepare(self) -> Callable[[Progress], Words] | None:
        """What makes, on a worker, what is to be seen now; None where nothing is, or not yet."""

    @abstractmethod
    def _why_empty(self) -> tuple[str, str] | None:
        """A headline and a sentence where there is nothing to be seen yet."""

    @abstractmethod
    def _why_nothing(self) -> tuple[str, str]:
        """The same where nothing of what is there takes space."""

    @abstractmethod
    def _in_list(self, words: Words, place: Place) -> str:
        """What a place is in the list; empty for what is not there."""

    @abstractmethod
    def _in_map(self, shown: Shown, selected: str) -> Place | None:
        """Where something is shown that is selected in the list; None where it is not."""

    def _with_it(self, _shown: Shown, _selected: str) -> NDArray[np.int64]:
        """The rectangles of everything that belongs to what is selected in the list."""
        return np.empty(0, np.int64)

    # ---------------------------------------------------------------------------------------------- what is shown

    @property
    def busy(self) -> bool:
        """Whether a picture is on its way."""
        return self._latest.busy or self.map.busy or self._resizing.isActive()

    @property
    def shown(self) -> Shown | None:
        """What is shown."""
        return self._shown

    def focus(self) -> None:
        """Put the keyboard into the map."""
        self.map.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def mark(self, selected: str) -> None:
        """Show where something is that is selected in the list."""
        self._selected = selected
        self._mark()

    def show_all(self) -> None:
        """Go out of whatever was gone into."""
        self._inside = _ALL

    @Slot()
    def zoom_out(self) -> None:
        """Show what is around what fills the map."""
        if self._shown is not None and self._inside != _ALL:
            key, skip = self._inside
            around = self._shown.words.around(self._shown.words.node_of(key))
            self._inside = Inside(key if skip else self._shown.words.key_of(around), 0)
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._resizing.start()

    @Slot()
    def refresh(self) -> None:
        """Have the picture worked out that is wanted now; nothing is, while nobody sees it."""
        self._say_empty()
        make = self._prepare() if self.isVisible() else None
        if make is None:
            return
        inside, width, height = self._inside, self._places.width(), self._places.height()
        line = self.map.fontMetrics().height()

        def work(progress: Progress) -> Shown:
            words = make(progress)
            place = Place(words.node_of(inside.key), inside.skip)
            cells = lay_out(words.space, place, width, height, line + _LINE_PADDING, progress)
            if not len(cells):  # what it was is no longer there
                place = Place(words.root)
                cells = lay_out(words.space, place, width, height, line + _LINE_PADDING, progress)
            return Shown(words, place, words.dress(cells, line, progress))

        self._latest.run(BESIDE, work, lambda shown: self._adopt(shown, inside))

    def _adopt(self, shown: Shown, asked: Inside) -> None:
        before, current = self._shown, self.map.current
        key = before.words.key_of(current.node) if before is not None and current is not None else ""
        self._shown = shown
        if not len(shown.picture.cells):
            self.empty.say(*self._why_nothing())
        self._places.setCurrentWidget(self.map if len(shown.picture.cells) else self.empty)
        self.map.show_picture(shown.picture)
        if self._inside == asked:  # the person may have gone elsewhere meanwhile
            self._inside = Inside(shown.words.key_of(shown.place.node), shown.place.skip)
        self._allow_out(self._inside != _ALL)
        if current is not None:
            node = shown.words.node_of(key)
            is_there = (node == shown.words.root) == (not key)
            self.map.mark(current._replace(node=node) if is_there else None)
        self._mark()

    def _allow_out(self, allowed: bool) -> None:
        """Whether there is something around what fills the map; then it says what that is."""
        self.up.setEnabled(allowed)
        self.where.setVisible(allowed and self.tells_current)
        if allowed and self._shown is not None:
            self.where.setText(text.plain(self._shown.words.titles(self._shown.place)[-1], _LONGEST))
        self.map.can_be_left = allowed

    def _say_empty(self) -> None:
        words = self._why_empty()
        if words is not None:
            self.empty.say(*words)
            self._shown = None
            self._latest.drop()
            self.map.show_picture(None)
            self.sentence.set_text("")
            self._allow_out(False)
            self._places.setCurrentWidget(self.empty)

    def _mark(self) -> None:
        """Make current what is selected in the list; of what stands for the same, the person's own choice stays."""
        shown, current = self._shown, self.map.current
        if shown is None:
            return
        if current is None or not self._selected or self._in_list(shown.words, current) != self._selected:
            self.map.mark(self._in_map(shown, self._selected) if self._selected else None)
        self.map.surround(self._with_it(shown, self._selected) if self._selected else np.empty(0, np.int64))
        self._say(None)

    # ------------------------------------------------------------------------------------------- from the person

    @Slot(object)
    def _move(self, place: Place) -> None:
        selected = self._in_list(self._shown.words, place) if self._shown is not None else ""
        if selected:
            self._selected = selected
            self.chosen.emit(selected)
        self._say(None)

    @Slot(object)
    def _enter(self, place: Place) -> None:
        """Go into what is made of something, and on with what is not."""
        shown = self._shown
        if shown is None or place == shown.place:
            return
        if place.skip or len(shown.words.space.parts(place.node)[0]):
            self._inside = Inside(shown.words.key_of(place.node), place.skip)
            self.refresh()
        elif selected := self._in_list(shown.words, place):
            self.entered.emit(selected)

    @Slot(object)
    def _ask_menu(self, where: QPoint) -> None:
        """What is current has a menu where it is something in the list."""
        shown, current = self._shown, self.map.current
        if shown is not None and current is not None and self._in_list(shown.words, current):
            self.menu_asked.emit(where)

    def _tell(self, place: Place) -> str:
        return self._shown.words.sentence(place) if self._shown is not None else ""

    @Slot(object)
    def _say(self, place: Place | None) -> None:
        """Say what is under the mouse, else what is current, else what fills the map."""
        if self._shown is None:
            return
        place = place or (self.map.current if self.tells_current else None)
        words = self._tell(place or self._shown.place)
        is_told = place is None and not self.where.isHidden()
        self.sentence.set_text(words.partition(text.SEPARATOR)[2] if is_told else words)
