"""The lists of one store: its images, its blobs, its problems and its trash, each behind a tab."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QTabWidget, QWidget

from engine.findings import Severity
from engine.snapshot import State
from gui import icons, text
from gui.jobs import JobRunner
from gui.models.filtering import STATES
from gui.panels.blob_view import BlobView
from gui.panels.cleanup_hint import CleanupHint
from gui.panels.image_view import ImageView
from gui.panels.later import Later
from gui.panels.menus import Menus
from gui.panels.places import BLOBS, IMAGES, PROBLEMS, TRASH
from gui.panels.problems_view import ProblemsView, tab_icon
from gui.panels.rows_view import RowsView
from gui.panels.trash_view import TrashView
from gui.session import Selection, Session
from gui.settings import Settings

_LOWEST = 170
"""Pixels that a list keeps beside what is below it: some rows with their filter and titles."""

_FIRST_MS, _PAUSE_MS = 20, 5
"""Before the first list is made where nobody asks for it, and between two: the person and the paint come first."""

Lens = RowsView | ProblemsView | TrashView


class Lenses(QTabWidget):
    """Makes its lists in the next turns of the event loop, the images first; one that is asked for earlier, then.

    ``selected`` carries the selections of the list in front, ``activated`` the one that was entered. ``settled`` comes
    when a list stands as it is to be shown, or what a tab says is different. ``made`` carries a list of rows when it is
    there.
    """

    selected = Signal(object)
    activated = Signal(object)
    settled = Signal()
    made = Signal(object)
    pointed = Signal(object)
    """The selected problem is about this JSON path."""
    followed = Signal(object, object)
    """Somebody went from a problem to a ``Selection``, and to a place in its document."""
    remedy_asked = Signal(object)
    copied = Signal(str)

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        settings: Settings,
        menus: Menus,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = runner
        self._settings = settings
        self._menus = menus
        self.setDocumentMode(True)
        self.setAccessibleName("What to list")
        self.setIconSize(icons.LIST_SIZE)
        self.setMinimumHeight(_LOWEST)
        self._images = Later(self, self._make_images, self._list_rows)
        self._blobs = Later(self, self._make_blobs, self._list_rows)
        self._problems = Later(self, self._make_problems, self._list_problems)
        self._trash = Later(self, self._make_trash, self._list_trash)
        self._all: Sequence[Later[Any]] = (self._images, self._blobs, self._problems, self._trash)
        for tab, words in enumerate(("Images", "Blobs", "Problems", "Trash")):
            self.addTab(self._all[tab].place, words)
        self.cleanup = CleanupHint(self)
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._make_one)
        session.snapshotChanged.connect(self._tell_unused)
        session.problems.changed.connect(self._count_problems)
        self._count_problems()

    def begin(self) -> None:
        """Make one list a turn: a page with its first list would hold the window up too long."""
        self._turn.start(_FIRST_MS)

    # ------------------------------------------------------------------------------------------------- the lists

    @property
    def images(self) -> ImageView:
        return self._images.content

    @property
    def blobs(self) -> BlobView:
        return self._blobs.content

    @property
    def problems(self) -> ProblemsView:
        return self._problems.content

    @property
    def trash(self) -> TrashView:
        return self._trash.content

    @property
    def front(self) -> Lens:
        """The list in front."""
        lens: Lens = self._all[self.currentIndex()].content
        return lens

    @property
    def busy(self) -> bool:
        """Whether a list is being arranged."""
        return any(later.is_made and later.content.model.busy for later in (self._images, self._blobs))

    def show_list(self, lens: Lens) -> None:
        """Bring a list to the front."""
        self.setCurrentIndex(
            next(place for place, later in enumerate(self._all) if later.is_made and later.content is lens)
        )

    def filter_states(self, wanted: Sequence[State]) -> None:
        """List the blobs of these states."""
        words = {tuple(states): words for words, states in reversed(list(STATES.items()))}
        self.blobs.set_filter(f"status:{','.join(words[state,] for state in wanted)}")

    def save_state(self) -> None:
        """Remember columns and sizes."""
        for later in self._all:
            if later.is_made:
                later.content.save_state()

    @Slot()
    def _make_one(self) -> None:
        missing = next((later for later in self._all if not later.is_made), None)
        if missing is not None:
            _ = missing.content
            self._turn.start(_PAUSE_MS)

    def _make_images(self, parent: QWidget) -> ImageView:
        return ImageView(self._runner, self._settings, lambda _selected: self._menus.rows(), parent)

    def _make_blobs(self, parent: QWidget) -> BlobView:
        return BlobView(self._runner, self._settings, lambda _selected: self._menus.rows(), parent)

    def _list_rows(self, view: ImageView | BlobView) -> None:
        self._connect(view)
        view.model.arranged.connect(self._count_rows)
        self.made.emit(view)
        view.set_session(self._session)

    def _make_problems(self, parent: QWidget) -> ProblemsView:
        return ProblemsView(self._runner, self._settings, self._menus.having, parent)

    def _list_problems(self, view: ProblemsView) -> None:
        self._connect(view)
        view.pointed.connect(self.pointed)
        view.followed.connect(self.followed)
        view.remedy_asked.connect(self.remedy_asked)
        view.deep_asked.connect(self._session.problems.check_deeply)
        view.copied.connect(self.copied)
        view.set_session(self._session)

    def _make_trash(self, parent: QWidget) -> TrashView:
        return TrashView(self._session, self._settings, self._menus.trash, parent)

    def _list_trash(self, view: TrashView) -> None:
        view.changed.connect(self._count_trash)
        self._count_trash()

    def _connect(self, view: RowsView | ProblemsView) -> None:
        view.selected.connect(lambda selections: self._select(view, selections))
        view.activated.connect(self.activated)

    # ------------------------------------------------------------------------------------------------- what tabs say

    def _select(self, view: RowsView | ProblemsView, selections: Sequence[Selection]) -> None:
        """The selection of a list is different; only that of the list in front counts."""
        if view is self.front:
            self.selected.emit(selections)

    @Slot()
    def _count_rows(self) -> None:
        for tab, later, words in ((IMAGES, self._images, "Images"), (BLOBS, self._blobs, "Blobs")):
            if later.is_made:
                self.setTabText(tab, f"{words} {text.number(later.content.model.total)}")
        self.settled.emit()

    @Slot()
    def _count_problems(self) -> None:
        """Say on the lens how much is wrong; notes do not count."""
        counts, checked = self._session.problems.counts, self._session.problems.checked
        count = counts.get(Severity.ERROR, 0) + counts.get(Severity.WARNING, 0)
        self.setTabText(PROBLEMS, f"Problems {text.number(count)}" if checked is not None else "Problems")
        if checked is not None:
            self.setTabIcon(PROBLEMS, icons.icon(*tab_icon(counts)))
        self.settled.emit()

    @Slot()
    def _count_trash(self) -> None:
        total = self.trash.total
        title = f"Trash {text.number(total)}" if total else "Trash"
        if title != self.tabText(TRASH) or self.currentIndex() == TRASH:
            self.setTabText(TRASH, title)
            self.settled.emit()

    @Slot()
    def _tell_unused(self) -> None:
        self.cleanup.show_unused(*(self._session.unused if self._session.writable else (0, 0)))
