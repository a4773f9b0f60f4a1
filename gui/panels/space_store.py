"""The picture of what a store's space is used for, with the line above it that says what one looks at."""

from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from engine.progress import Progress
from gui.jobs import JobRunner
from gui.models.arranging import Latest
from gui.models.treemap import Place, lay_out
from gui.models.treemap_store import STORE, ByImage, ByKind
from gui.panels.empty_place import EmptyPlace
from gui.panels.space_counts import BESIDE, SpaceCounts
from gui.panels.space_look import Picture
from gui.panels.space_map import SpaceMap
from gui.panels.space_words import StoreSpace, StoreWords
from gui.session import Session
from gui.settings import Settings
from gui.theme import Space
from gui.widgets import ElidedLabel, icon_button, set_tooltip

_PAUSE_MS = 500
"""While blobs are checked, the picture follows at most this often."""
_LINE_PADDING = 3
"""Pixels that a title's line is higher than its font."""


@dataclass(frozen=True, eq=False)
class _Shown:
    """What is shown, and what says what it is."""

    words: StoreWords
    place: Place
    picture: Picture


class _Inside(NamedTuple):
    """What fills the map, by its key; without so many of the largest."""

    key: str
    skip: int


_ALL = _Inside("", 0)


class StoreMap(QWidget):
    """Each file of a store once, as large as its bytes; what is selected in a list is current here, and the other way
    round."""

    chosen = Signal(str)
    """The person has gone to this digest, or path of a stray file."""
    entered = Signal(str)
    """The person wants to go on with this one."""

    def __init__(
        self,
        session: Session,
        counts: SpaceCounts,
        runner: JobRunner,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._counts = counts
        self._settings = settings
        self._latest = Latest(self, runner)
        self._shown: _Shown | None = None
        self._inside = _ALL
        self._digest = ""
        """What is selected in the lists."""
        self.map = SpaceMap("Map of the space", self._tell, self)
        self.empty = EmptyPlace(self)
        self.up = icon_button("back", "Show what is around it (Backspace)", self)
        self.sentence = ElidedLabel(parent=self)
        self.by_kind = self._choice("By kind", "Layers together, configs together, and so on")
        self.by_image = self._choice("By image", "Each image with what only it has; what several have by itself")
        self._choices = QButtonGroup(self)
        for button in (self.by_kind, self.by_image):
            self._choices.addButton(button)
        (self.by_image if settings.map_by_image else self.by_kind).setChecked(True)
        self._places = QStackedWidget(self)
        self._places.addWidget(self.map)
        self._places.addWidget(self.empty)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self._lay_out()
        self._connect()
        self._ask()

    def _choice(self, words: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(words)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(f"{words}: {tip}")
        set_tooltip(button, tip)
        return button

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(Space.SMALL, 0, Space.TINY, 0)
        line.setSpacing(Space.TINY)
        line.addWidget(self.up)
        line.addWidget(self.sentence, 1)
        line.addWidget(self.by_kind)
        line.addWidget(self.by_image)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, Space.TINY // 2, 0, 0)
        layout.setSpacing(Space.TINY // 2)
        layout.addLayout(line)
        layout.addWidget(self._places, 1)
        self.setFocusProxy(self.map)

    def _connect(self) -> None:
        self._counts.changed.connect(self._ask)
        self._session.snapshotChanged.connect(self._say_empty)
        self._session.statesChanged.connect(self._later)
        self._choices.buttonClicked.connect(self._regroup)
        self.up.clicked.connect(self.zoom_out)
        self.map.resized.connect(self._ask)
        self.map.left.connect(self.zoom_out)
        self.map.moved.connect(self._move)
        self.map.entered.connect(self._enter)
        self.map.hovered.connect(self._say)

    # ---------------------------------------------------------------------------------------------- what is shown

    @property
    def busy(self) -> bool:
        """Whether a picture is on its way."""
        return self._latest.busy or self.map.busy

    @property
    def words(self) -> StoreWords | None:
        """What says what is shown."""
        return self._shown.words if self._shown is not None else None

    def mark(self, digest: str) -> None:
        """Show where something is that is selected in a list."""
        self._digest = digest
        self._mark()

    @Slot()
    def zoom_out(self) -> None:
        """Show what is around what fills the map."""
        if self._inside != _ALL:
            self._inside = self._inside._replace(skip=0) if self._inside.skip else _ALL
            self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    @Slot()
    def _later(self) -> None:
        """States are different, and may be again in a moment."""
        if not self._pause.isActive():
            self._pause.start()

    @Slot()
    def _ask(self) -> None:
        """Have the picture worked out that is wanted now; nothing is, while nobody sees it."""
        counted, size = self._counts.counted, self.map.size()
        self._say_empty()
        if counted is None or counted.snapshot is not self._session.snapshot or not self.isVisible():
            return
        if not counted.tally.total:
            self._latest.drop()
            self._adopt(None)
            return
        before, inside, states = self._shown, self._inside, self._session.states.copy()
        kind: type[StoreSpace] = ByImage if self.by_image.isChecked() else ByKind
        line = self.map.fontMetrics().height()

        def work(progress: Progress) -> _Shown:
            space = before.words.space if before is not None else None
            if space is None or space.uses is not counted.uses or type(space) is not kind:
                space = kind(counted.snapshot, counted.uses, progress)
            words = StoreWords(space, states)
            place = Place(space.node_of(inside.key), inside.skip)
            cells = lay_out(space, place, size.width(), size.height(), line + _LINE_PADDING, progress)
            if not len(cells):  # what it was is no longer there
                place = Place(STORE)
                cells = lay_out(space, place, size.width(), size.height(), line + _LINE_PADDING, progress)
            return _Shown(words, place, words.dress(cells, line, progress))

        self._latest.run(BESIDE, work, self._adopt)

    def _adopt(self, shown: _Shown | None) -> None:
        before, current = self._shown, self.map.current
        key = before.words.space.key_of(current.node) if before is not None and current is not None else ""
        self._shown = shown
        self.map.show_picture(shown.picture if shown is not None else None)
        if shown is not None:
            self._inside = _Inside(shown.words.space.key_of(shown.place.node), shown.place.skip)
            if current is not None:
                self.map.mark(current._replace(node=shown.words.space.node_of(key)))
        self.up.setEnabled(self._inside != _ALL)
        self._mark()
        self._say(None)

    @Slot()
    def _say_empty(self) -> None:
        counted, snapshot = self._counts.counted, self._session.snapshot
        if counted is not None and counted.tally.total:
            self._places.setCurrentWidget(self.map)
            return
        if counted is None or snapshot is None or snapshot.stage != "complete":
            self.empty.say("Reading the store …")
        else:
            self.empty.say(
                "Nothing takes space here yet", "Each blob of this store will be as large here as its file is."
            )
        self._places.setCurrentWidget(self.empty)

    def _mark(self) -> None:
        """Make current what is selected in the lists; of what stands for the same, the person's own choice stays."""
        shown, current = self._shown, self.map.current
        if shown is None or not self._digest or (current is not None and self._digest_of(current) == self._digest):
            return
        row = shown.words.space.snapshot.find(self._digest)
        self.map.mark(shown.words.place_of(shown.picture.cells, row) if row >= 0 else None)
        self._say(None)

    def _digest_of(self, place: Place) -> str:
        """What a place is in the lists: a blob, or an image whose blobs it has; empty for none."""
        if self._shown is None or place.skip or place.node == STORE:
            return ""
        space, row = self._shown.words.space, place.node
        if space.is_group(row):
            row = space.top(row) if isinstance(space, ByImage) else -1
        return space.snapshot.name(row) if row >= 0 else ""

    # ------------------------------------------------------------------------------------------- from the person

    @Slot(object)
    def _move(self, place: Place) -> None:
        digest = self._digest_of(place)
        if digest:
            self._digest = digest
            self.chosen.emit(digest)
        self._say(None)

    @Slot(object)
    def _enter(self, place: Place) -> None:
        if self._shown is None or place == self._shown.place:
            return
        space = self._shown.words.space
        if place.skip or space.is_group(place.node):
            self._inside = _Inside(space.key_of(place.node), place.skip)
            self._ask()
        else:
            self.entered.emit(self._digest_of(place))

    @Slot()
    def _regroup(self) -> None:
        self._settings.map_by_image = self.by_image.isChecked()
        self._inside = _ALL
        self._ask()

    def _tell(self, place: Place) -> str:
        return self._shown.words.sentence(place) if self._shown is not None else ""

    @Slot(object)
    def _say(self, place: Place | None) -> None:
        """Say what is under the mouse, else what is current, else what fills the map."""
        if self._shown is not None:
            self.sentence.set_text(self._tell(place or self.map.current or self._shown.place))
