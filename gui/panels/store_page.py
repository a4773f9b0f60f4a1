"""One tab: an open store through several lenses, the inspector beside them, the removal strip below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QByteArray, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from engine.columns import Names
from engine.digest import Digest
from engine.errors import InvalidDigest
from engine.findings import Severity
from engine.snapshot import Entry, State
from gui import text
from gui.jobs import JobRunner
from gui.outcome import Notice
from gui.panels.blob_view import BlobView
from gui.panels.chosen_blobs import choose_blobs
from gui.panels.drag_out import DragOut
from gui.panels.file_manager import show_file
from gui.panels.find_dock import FindDock
from gui.panels.image_view import ImageView
from gui.panels.inspector import Inspector
from gui.panels.lenses import Lens, Lenses
from gui.panels.menus import Menus
from gui.panels.places import BLOBS, DOCUMENT, FILES, IMAGES, LAYERS, PROBLEMS, TRASH
from gui.panels.problems_view import ProblemsView
from gui.panels.removal_question import RemovalQuestion
from gui.panels.removal_strip import RemovalStrip
from gui.panels.rows_view import RowsView
from gui.panels.selected import Selected
from gui.panels.space_pane import SpacePane
from gui.panels.trash_view import TrashView
from gui.session import Selection, Session
from gui.settings import Settings
from gui.taking_out import Chosen

if TYPE_CHECKING:  # not needed for the first window
    from gui.models.found_table import Place

_SPLITTER = "store-splitter"


class StorePage(QWidget):
    """An open store and what is selected in it."""

    situationChanged = Signal()
    """What is selected, or what can be done, is different."""
    cleanupAsked = Signal()
    """Somebody wants to clean up."""
    remedyAsked = Signal(object)
    """Somebody took this ``Offer``."""

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        settings: Settings,
        menus: Menus,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._settings = settings
        self.selected = Selected(session)
        self._menus = menus
        self._to_reveal = "", ""
        # From the outside in, because what changes its parent is dressed anew with everything in it.
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self)
        left = QWidget(self._splitter)
        self.space = SpacePane(session, runner, settings, left)
        self.finder = FindDock(session, settings, self.space.splitter)
        self.lenses = Lenses(session, runner, settings, menus, self.finder)
        self.removal = RemovalStrip(left)
        self._removing = RemovalQuestion(session, self.removal, self._to_remove)
        self.inspector = Inspector(self._splitter, settings)
        self._assemble(left)
        self._connect()
        self.space.menu_asked.connect(lambda place: menus.rows().popup(place))
        self.lenses.begin()

    def _assemble(self, left: QWidget) -> None:
        self.setAccessibleName(self.session.name)
        layout = QVBoxLayout(left)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.space, 1)
        layout.addWidget(self.removal)
        self._splitter.setStretchFactor(0, 6)
        self._splitter.setStretchFactor(1, 4)
        self._splitter.setChildrenCollapsible(False)
        state = self._settings.view_state(_SPLITTER)
        if not (state and self._splitter.restoreState(QByteArray(state))):
            self._splitter.setSizes([6200, 3800])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._splitter)
        self.setFocusProxy(self.lenses)
        self.space.restore()

    def _connect(self) -> None:
        self.lenses.made.connect(self._take_up)
        self.lenses.selected.connect(self._select)
        self.lenses.activated.connect(self._enter)
        self.lenses.settled.connect(self._settle)
        self.lenses.pointed.connect(self._point_to)
        self.lenses.followed.connect(self._go_to)
        self.lenses.remedy_asked.connect(self.remedyAsked)
        self.lenses.copied.connect(self._tell)
        self.lenses.currentChanged.connect(self._change_lens)
        self.lenses.cleanup.clicked.connect(self.cleanupAsked)
        self.inspector.tabs.menu_asked.connect(self._show_menu)
        self.inspector.followed.connect(self._follow)
        self.inspector.historyChanged.connect(self.situationChanged)
        self.inspector.copied.connect(self._tell)
        self.finder.led.connect(self.show_found)
        self.finder.left.connect(self.focus_list)
        self.finder.copied.connect(self._tell)
        self.space.chosen.connect(lambda digest: self.reveal(digest))
        self.space.entered.connect(self._enter)
        self.space.listed.connect(self.filter_states)
        self.space.toggled.connect(self.situationChanged)
        self.space.left.connect(self.focus_list)
        self.removal.closed.connect(self.focus_list)
        self.removal.opened.connect(self._keep_in_sight)
        self.session.problems.asked.connect(lambda: self.show_lens(PROBLEMS))
        self.session.statesChanged.connect(self.situationChanged)
        self.session.jobsChanged.connect(self.situationChanged)
        self.session.revealed.connect(self.reveal)
        self.session.stateAsked.connect(self.filter_states)

    # ---------------------------------------------------------------------------------------------- what is selected

    @property
    def selection(self) -> Selection | None:
        """The current one of what is selected."""
        return self.selected.first

    @property
    def images(self) -> ImageView:
        return self.lenses.images

    @property
    def blobs(self) -> BlobView:
        return self.lenses.blobs

    @property
    def problems(self) -> ProblemsView:
        return self.lenses.problems

    @property
    def trash(self) -> TrashView:
        return self.lenses.trash

    @property
    def lens(self) -> Lens:
        """The list in front."""
        return self.lenses.front

    @property
    def has_problems(self) -> bool:
        counts = self.session.problems.counts
        wrong = counts.get(Severity.ERROR, 0) + counts.get(Severity.WARNING, 0)
        return bool(wrong) or any(state.bad for state in self.session.counts)

    @property
    def can_go_back(self) -> bool:
        return self.inspector.can_go_back

    @property
    def can_go_forward(self) -> bool:
        return self.inspector.can_go_forward

    def summary(self) -> str:
        """Of what is selected, how many and how large; else how far the reading is."""
        snapshot, selected = self.session.snapshot, self.selected
        if selected.is_on_disk or len(selected) > 1:
            return f"{text.number(len(selected))} selected{text.SEPARATOR}{text.size(selected.size)}"
        if snapshot is None or snapshot.stage != "complete":
            return "Still reading: this is not all yet"
        return text.count(len(snapshot), "blob")

    # ---------------------------------------------------------------------------------------------- moving

    @Slot(object, object)
    def reveal(self, digest: str, name: str = "") -> bool:
        """Select a digest in the list in front, or where it is not in that one, in the other.

        Where several entries of the index lead to it, that with ``name`` is selected.
        """
        if self.lenses.busy:
            self._to_reveal = digest, name  # which list has it is known when they are arranged
            return self.session.snapshot is not None and self.session.snapshot.find(digest) >= 0
        before, entry = self.lens, self._entry_named(digest, name)
        if before.reveal(digest, entry):
            return True
        others = (view for view in (self.images, self.blobs) if view is not before)
        other = next((view for view in others if view.reveal(digest, entry)), None)
        if other is not None:
            had_keyboard = self.lenses.isAncestorOf(self.focusWidget() or self)
            self.lenses.show_list(other)
            if had_keyboard:
                self.focus_list()
        return other is not None

    def _entry_named(self, digest: str, name: str) -> int | None:
        snapshot = self.session.snapshot
        row = snapshot.find(digest) if snapshot is not None and name else -1
        entries = snapshot.entries_of(row) if snapshot is not None and row >= 0 else ()
        return next((entry.position for entry in entries if name in entry.names), None)

    def select_when_known(self, reference: str) -> None:
        """Select a name of the index, or a digest, as soon as everything is known."""
        self.session.when_known(lambda: self._select_reference(reference))

    def show_lens(self, lens: int) -> None:
        """Show the images or the blobs, and put the keyboard there."""
        self.lenses.setCurrentIndex(lens)
        self.focus_list()

    def show_trash(self) -> None:
        """Show what was removed, and put the keyboard there."""
        self.show_lens(TRASH)

    @Slot()
    def focus_list(self) -> None:
        """Put the keyboard into the list; where it is empty, onto its tab, or the keyboard would be nowhere."""
        view = self.lens.view
        target = view if view.isVisibleTo(self.lens) else self.lenses.tabBar()
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_filter(self) -> None:
        """Put the keyboard into the filter."""
        self.lens.focus_filter()

    def find_text(self) -> None:
        """Find in the document where the keyboard is in the inspector, else filter the list."""
        if self.inspector.isAncestorOf(self.focusWidget() or self) and self.inspector.tabs.can_find:
            self.inspector.tabs.open_find()
        else:
            self.focus_filter()

    def find_in_images(self) -> None:
        """Open what finds paths in all images, with the keyboard in it."""
        self.finder.open()

    @Slot(object, bool)
    def show_found(self, place: "Place", keyboard: bool) -> None:
        """Show a path that was found: its image, at the layer that has it; the keyboard goes there, or stays."""
        snapshot, before = self.session.snapshot, self.focusWidget()
        if snapshot is None or snapshot.find(place.image) < 0:
            self.session.noticed.emit(Notice("notice", "That image is not in the store any more: search again."))
            return
        self.lenses.setCurrentIndex(IMAGES)
        self.images.reveal(place.image)
        here = (each for each in self.images.selection() if each.digest == place.image)
        self.inspector.show_selection(next(here, Selection(self.session, place.image)))
        self.inspector.tabs.show_found(place)
        if not keyboard and before is not None:
            before.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def filter_states(self, wanted: Sequence[State]) -> None:
        """List the blobs of these states."""
        self.show_lens(BLOBS)
        self.lenses.filter_states(wanted)

    def select_problem(self, step: int) -> None:
        """Go to the next problem, or in the lists to the next bad blob; with ``step`` -1 to the one before."""
        if self.lenses.currentIndex() == PROBLEMS:
            self.problems.step(step)
            return
        bad = np.flatnonzero(self.session.states >= State.MISSING)
        if not len(bad) or self.session.snapshot is None:
            return
        row = int(self.selected.rows[0]) if len(self.selected.rows) else -1
        at = int(np.searchsorted(bad, row, "right" if step > 0 else "left"))
        target = bad[at % len(bad)] if step > 0 else bad[at - 1]
        self.reveal(self.session.snapshot.name(int(target)))

    def back(self) -> None:
        self.inspector.back()

    def forward(self) -> None:
        self.inspector.forward()

    def panes(self) -> Sequence[QWidget]:
        """The parts that the keyboard moves between."""
        details = [self.problems.details] if self.lenses.currentIndex() == PROBLEMS else []
        maps = [self.space.map] if self.space.map is not None else []
        finders = [self.finder.pane] if self.finder.pane is not None else []
        return self.lens.view, *details, *finders, *maps, self.removal, self.inspector

    # ---------------------------------------------------------------------------------------------- doing

    def verify_selection(self) -> None:
        """Hash what is selected, with all its parts."""
        if self.session.verify(self.selected.rows_with_parts) is None:
            self.session.noticed.emit(Notice("notice", "There is no file to verify in what is selected."))

    def ask_removal(self, *, for_good: bool = False) -> None:
        """Show what removing the selection would do; in the trash, what is there can only go for good."""
        if self.lenses.currentIndex() == TRASH:
            self.trash.delete_for_good()
        else:
            self._removing.ask(for_good=for_good)

    def _to_remove(self) -> tuple[Sequence[Entry], Names | None]:
        """The entries of the index, or the blobs, that removing is about."""
        in_images = self.session.is_layout and self.lenses.currentIndex() == IMAGES
        entries = self.selected.index_entries if in_images else []
        return entries, self.selected.names

    @property
    def is_trash_chosen(self) -> bool:
        """Whether something in the trash is selected, and that is in front."""
        return self.lenses.currentIndex() == TRASH and bool(self.trash.chosen)

    def keep_aside(self) -> None:
        """Move the selected corrupt blob to the trash, to be kept there."""
        if self.selection is not None:
            self.session.changes.keep_aside(self.selection.digest)

    def put_away(self) -> bool:
        """Close the removal strip; whether it was open."""
        was_open = not self.removal.isHidden()
        self.removal.put_away()
        return was_open

    def copy_digest(self) -> None:
        """Copy the digests of what is selected, one a line."""
        self._copy(self.selected.digests)

    def copy_reference(self) -> None:
        """Copy what is selected as name and digest, as tools take it."""
        self._copy(self.selected.references)

    def show_in_file_manager(self) -> None:
        """Show the file of what is selected where it lies."""
        file = self.selected.file
        if file is not None:
            show_file(file, self)

    @property
    def files_to_take_out(self) -> Chosen | None:
        """What is selected among the files where the keyboard is there, else all files of the selected image."""
        from gui.panels.chosen_files import choose_image  # not needed for the first window

        if self._is_at(FILES):
            return self.inspector.tabs.chosen_files
        selection = self.inspector.selection
        return choose_image(selection) if selection is not None else None

    @property
    def blobs_to_take_out(self) -> Chosen | None:
        """The current layer where the keyboard is among the layers, else what is selected in the list and has files."""
        if self._is_at(LAYERS):
            return self.inspector.tabs.chosen_layer
        return choose_blobs(self.session, self.selected)

    def _is_at(self, tab: int) -> bool:
        """Whether the keyboard is in that tab of the inspector."""
        tabs = self.inspector.tabs
        return tabs.currentIndex() == tab and tabs.isAncestorOf(self.focusWidget() or self)

    def copy_paths(self) -> None:
        """Copy the paths of what is selected among the files, one a line."""
        from gui.panels.chosen_files import ChosenFiles

        chosen = self.inspector.tabs.chosen_files
        if chosen is not None and isinstance(chosen.what, ChosenFiles):
            self._copy(chosen.what.paths)
            self._tell("Copied the path." if len(chosen.what.paths) == 1 else "Copied the paths, one a line.")
        else:
            self.session.noticed.emit(Notice("notice", "Select files in the Files tab, then copy their paths."))

    @Slot(object, object)
    def _show_menu(self, keys: Sequence[str], place: QPoint) -> None:
        self._menus.having(keys).popup(place)

    def save_state(self) -> None:
        """Remember columns and sizes."""
        self.lenses.save_state()
        self.finder.save_state()
        self.space.save_state()
        self.inspector.tabs.save_state()
        self._settings.set_view_state(_SPLITTER, bytes(self._splitter.saveState().data()))

    # ---------------------------------------------------------------------------------------------- inside

    @Slot(object)
    def _take_up(self, view: RowsView) -> None:
        """A list of rows is there: what it lists can be dragged out."""
        DragOut(view.view, lambda: self.blobs_to_take_out)
        if isinstance(view, ImageView):
            view.model.arranged.connect(self._select_first)

    @Slot(str)
    def _tell(self, sentence: str) -> None:
        self.session.noticed.emit(Notice("success", sentence))

    @Slot(object)
    def _select(self, selected: Sequence[Selection]) -> None:
        """The selection of the list in front is different."""
        self._adopt(selected)
        self.removal.put_away()

    def _adopt(self, selections: Sequence[Selection]) -> None:
        """Show what is selected, which may be the same as before in another snapshot."""
        self.selected = Selected(self.session, selections, with_parts=self.lenses.currentIndex() == IMAGES)
        if len(self.selected) > 1:
            self.inspector.show_several(self.session, self.selected.rows)
        else:
            self.inspector.show_selection(self.selected.first)
        if self.lenses.currentIndex() == TRASH:
            self.inspector.show_words(*self.trash.words)
        self.space.mark(self.selected.first.digest if self.selected.first is not None else "", self.selected.rows)
        self.situationChanged.emit()

    @Slot(object)
    def _enter(self, _what: object) -> None:
        """Enter or a double click: on with the keyboard to the inspector."""
        self.inspector.tabs.currentWidget().setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _point_to(self, where: str) -> None:
        """The selected problem is about a place in a document."""
        if self.lenses.currentIndex() == PROBLEMS:
            self.inspector.tabs.point_to(where)

    @Slot(object, object)
    def _go_to(self, selection: Selection, where: str) -> None:
        """A link of a problem: to its blob in the lists, or to a place in its document."""
        if where or self.session.is_own_document(selection.digest):
            self.inspector.show_selection(selection)
            self.inspector.tabs.point_to(where)
            self.inspector.show_tab(DOCUMENT)
        else:
            self.reveal(selection.digest)

    @Slot(object)
    def _follow(self, selection: Selection) -> None:
        if self.lenses.currentIndex() == PROBLEMS:
            return  # the inspector shows it already, and the list of problems has its own order
        if not self.lens.reveal(selection.digest, selection.entry_position):
            self.reveal(selection.digest)

    @Slot()
    def _change_lens(self) -> None:
        """Another list is in front: what is current there is shown, and that is what was looked at, if it is there."""
        self.removal.put_away()
        before = self.inspector.selection
        if not self.lens.selection():
            self.lens.select_something(before.digest if before is not None else "")
        self._adopt(self.lens.selection())

    @Slot()
    def _settle(self) -> None:
        """The lists stand as they are to be shown; what is selected may have other facts in a newer snapshot."""
        if self.selected.is_past and (selection := self.lens.selection()):
            self._adopt(selection)
        elif self.lenses.currentIndex() == TRASH:
            self.inspector.show_words(*self.trash.words)
        if self._to_reveal[0] and not self.lenses.busy:
            wanted, self._to_reveal = self._to_reveal, ("", "")
            self.reveal(*wanted)
        self.situationChanged.emit()

    @Slot()
    def _select_first(self) -> None:
        """Begin with the first image, so that a newcomer sees at once what there is to see of one."""
        snapshot = self.session.snapshot
        if snapshot is None or snapshot.stage not in ("graph", "complete"):
            return
        self.images.model.arranged.disconnect(self._select_first)

        def select() -> None:
            view = self.images.view
            # One is current without being selected where the list got the keyboard before.
            if not view.selectionModel().hasSelection() and view.model().rowCount():
                view.setCurrentIndex(view.model().index(0, 0))

        QTimer.singleShot(0, self, select)  # what the person does goes first

    @Slot()
    def _keep_in_sight(self) -> None:
        """The strip takes room from the list: what it is about must not be behind it."""
        view = self.lens.view
        QTimer.singleShot(0, view, lambda: view.scrollTo(view.currentIndex()))

    def _select_reference(self, reference: str) -> None:
        snapshot = self.session.snapshot
        assert snapshot is not None
        name, _, digest = reference.rpartition("@")
        found = next((entry for entry in snapshot.entries if reference in entry.names), None)
        if found is not None:
            self.images.reveal(found.descriptor.digest, found.position)
            self.reveal(found.descriptor.digest)
            return
        try:
            shown = self.reveal(Digest.parse(digest or name))
        except InvalidDigest:
            shown = False
        if not shown:
            place = self.session.name
            self.session.noticed.emit(Notice("warning", f"There is no {text.plain(reference)} in {place}."))

    @staticmethod
    def _copy(lines: Sequence[str]) -> None:
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))
