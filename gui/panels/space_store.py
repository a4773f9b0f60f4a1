"""The picture of what a store's space is used for: each file once, as large as its bytes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QButtonGroup, QWidget

from engine.columns import Rows
from engine.progress import Progress
from gui.jobs import JobRunner
from gui.models.treemap import Place
from gui.models.treemap_store import STORE, ByImage, ByKind
from gui.panels.space_counts import SpaceCounts
from gui.panels.space_view import Inside, Shown, SpaceView, Words
from gui.panels.space_words import StoreSpace, StoreWords
from gui.session import Session
from gui.settings import Settings
from gui.widgets import choice_button

_PAUSE_MS = 500
"""While blobs are checked, the picture follows at most this often."""


class StoreMap(SpaceView):
    """What it is in the list is a digest, or the path of a stray file."""

    def __init__(
        self,
        session: Session,
        counts: SpaceCounts,
        runner: JobRunner,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Map of the space", runner, parent)
        self._session = session
        self._counts = counts
        self._settings = settings
        self._spaces: dict[type[StoreSpace], StoreSpace] = {}
        """The groupings that were looked at last, so that nothing is grouped twice."""
        self._rows: Rows = np.empty(0, np.int64)
        """What is selected in a list, where that is more than one."""
        self.by_kind = choice_button("By kind", "Layers together, configs together, and so on", self)
        self.by_image = choice_button("By image", "Each image with what only it has; what several have by itself", self)
        self._choices = QButtonGroup(self)
        for button in (self.by_kind, self.by_image):
            self._choices.addButton(button)
            self._line.addWidget(button)
        (self.by_image if settings.map_by_image else self.by_kind).setChecked(True)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.refresh)
        self._choices.buttonClicked.connect(self._regroup)
        counts.changed.connect(self.refresh)
        session.snapshotChanged.connect(self._say_empty)
        session.statesChanged.connect(self._later)

    def mark_several(self, selected: str, rows: Rows) -> None:
        """Show where several blobs are that are selected in a list; ``selected`` is the current one."""
        self._rows = rows
        self.mark(selected)

    def _prepare(self) -> Callable[[Progress], Words] | None:
        counted = self._counts.counted
        if counted is None or counted.snapshot is not self._session.snapshot or not counted.tally.total:
            return None
        kind: type[StoreSpace] = ByImage if self.by_image.isChecked() else ByKind
        states = self._session.states.copy()
        known = {kind: space for kind, space in self._spaces.items() if space.uses is counted.uses}

        def make(progress: Progress) -> Words:
            return StoreWords(known.get(kind) or kind(counted.snapshot, counted.uses, progress), states)

        return make

    def _adopt(self, shown: Shown, asked: Inside) -> None:
        if isinstance(shown.words, StoreWords):
            self._spaces[type(shown.words.space)] = shown.words.space
        super()._adopt(shown, asked)

    def _why_empty(self) -> tuple[str, str] | None:
        counted = self._counts.counted
        if counted is None:
            return "Reading the store …", ""
        return None if counted.tally.total else self._why_nothing()

    def _why_nothing(self) -> tuple[str, str]:
        return ("Nothing takes space here yet", "Each blob of this store will be as large here as its file is.")

    def _in_list(self, words: Words, place: Place) -> str:
        """A blob, or the image whose blobs a group has."""
        if not isinstance(words, StoreWords) or place.skip or place.node == STORE:
            return ""
        space, row = words.space, place.node
        if space.is_group(row):
            row = space.top(row) if isinstance(space, ByImage) else -1
        return space.snapshot.name(row) if row >= 0 else ""

    def _in_map(self, shown: Shown, selected: str) -> Place | None:
        if not isinstance(shown.words, StoreWords):
            return None
        row = shown.words.space.snapshot.find(selected)
        return shown.words.place_of(shown.picture.cells, row) if row >= 0 else None

    def _with_it(self, shown: Shown, selected: str) -> NDArray[np.int64]:
        if not isinstance(shown.words, StoreWords):
            return super()._with_it(shown, selected)
        if len(self._rows) > 1 and shown.words.space.snapshot is self._session.snapshot:
            return shown.words.cells_of(shown.picture.cells, self._rows)
        return shown.words.parts_of(shown.picture.cells, shown.words.space.snapshot.find(selected))

    @Slot()
    def _later(self) -> None:
        """States are different, and may be again in a moment."""
        if not self._pause.isActive():
            self._pause.start()

    @Slot()
    def _regroup(self) -> None:
        self._settings.map_by_image = self.by_image.isChecked()
        self.show_all()
        self.refresh()
