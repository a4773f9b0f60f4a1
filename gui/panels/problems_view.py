"""What is wrong with a store: the rules that are broken, where, and what can be done about it."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QByteArray, QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QSplitter,
    QStackedWidget,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from engine.digest import shorten
from engine.findings import Finding, Severity
from engine.report import Group
from gui import icons, text, theme
from gui.jobs import JobRunner
from gui.models.look import RowDelegate
from gui.models.problem_tree import Column, ProblemTree
from gui.panels import naming
from gui.panels.columns import Columns
from gui.panels.empty_place import EmptyPlace
from gui.panels.keeper import WHOLE_ROW
from gui.panels.menus import MenuWith
from gui.panels.problem_details import Offer, ProblemDetails, ToPlace
from gui.panels.problem_filter import ProblemFilter
from gui.session import Selection, Session
from gui.settings import Settings
from gui.theme import Role

_SAMPLES = ("A descriptor's size is not the content's", "Warning", "Layer 4 of 7 · app", "layers[0].size")
"""What should fit into each column."""
_SPLITTER = "problems-splitter"
_FEW_PLACES = 5
_FEW_ROWS = 60
"""Rules with few places are unfolded when they come, as long as there are few rows."""
_MOST_UNFOLDED = 5000
"""Rows that may be unfolded while others come; Qt lays out each of them."""


class ProblemsView(QWidget):
    """The findings of a store with their filter, and below them what is known of the one that is selected."""

    selected = Signal(object)
    """Where the selected problem is: a sequence of one ``Selection``, or of none."""
    activated = Signal(object)
    """Enter or a double click: the ``Selection``."""
    pointed = Signal(object)
    """The JSON path of the selected problem in its document; empty for none."""
    followed = Signal(object, object)
    """A link to a ``Selection``, and to a JSON path in it."""
    remedy_asked = Signal(object)
    """An ``Offer`` that somebody took."""
    deep_asked = Signal()
    copied = Signal(str)

    def __init__(
        self, runner: JobRunner, settings: Settings, menu_with: MenuWith, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._menu_with = menu_with
        self._session: Session | None = None
        self._known: set[str] = set()
        self._stood: tuple[str, int, int] | None = None
        """Where the selected problem stood: its rule, the row of that, its own; None where none was ever selected."""
        self.view = QTreeView()
        self.model = ProblemTree(runner, self.view)
        self.view.setModel(self.model)
        self.filter = ProblemFilter(self)
        self.empty = EmptyPlace(self)
        self.details = ProblemDetails(self)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self._places = QStackedWidget(self)
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.timeout.connect(self._tell)
        self._dress()
        self._lay_out()
        self.columns = Columns(self.view, self.view.header(), "problems", settings)
        self.view.header().setSectionsClickable(False)
        self.view.header().setSortIndicatorShown(False)
        self.columns.restore(_SAMPLES, Column.PROBLEM, (Column.SEVERITY,))
        self._connect()
        self._take()

    def _dress(self) -> None:
        view = self.view
        view.setAccessibleName("Problems")
        view.setUniformRowHeights(True)
        view.setAllColumnsShowFocus(True)
        view.setAlternatingRowColors(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setItemDelegateForColumn(Column.SEVERITY, RowDelegate(view))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setTabKeyNavigation(False)

    def _lay_out(self) -> None:
        self._splitter.addWidget(self.view)
        self._splitter.addWidget(self.details)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        state = self._settings.view_state(_SPLITTER)
        if not (state and self._splitter.restoreState(QByteArray(state))):
            self._splitter.setSizes([600, 400])
        self._places.addWidget(self._splitter)
        self._places.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.filter)
        layout.addWidget(self._places, 1)
        self.setFocusProxy(self.view)

    def _connect(self) -> None:
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        self.view.activated.connect(self._activate)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.installEventFilter(self)
        self.filter.chosen.connect(self.model.set_choice)
        self.filter.left.connect(self._enter_list)
        self.filter.more_asked.connect(self._pop_up)
        self.model.rearranging.connect(self._remember)
        self.model.arranged.connect(self._show_arranged)
        self.details.followed.connect(self._follow)
        self.details.remedy_asked.connect(self._ask_remedy)
        self.details.copied.connect(self.copied)

    # ------------------------------------------------------------------------------------------ for the window

    def set_session(self, session: Session) -> None:
        """Show the problems of a store."""
        self._session = session
        session.problems.changed.connect(self._take)
        session.jobsChanged.connect(self._show_place)
        self._take()

    def selection(self) -> Sequence[Selection]:
        """Where the selected problem is."""
        finding = self.finding
        session = self._session
        place = _shown_as(session, finding.place) if finding is not None and session is not None else ""
        return [Selection(session, place)] if session is not None and place else []

    @property
    def finding(self) -> Finding | None:
        """The problem that is selected; None for none and for a rule."""
        return self.model.finding_at(self.view.currentIndex())

    @property
    def group(self) -> Group | None:
        """The rule that is selected, itself or by one of its places."""
        return self.model.group_at(self.view.currentIndex())

    def reveal(self, _digest: str, _entry_position: int | None = None) -> bool:
        """Blobs are in the other lists."""
        return False

    def select_something(self, digest: str) -> None:
        """Where nothing is selected, select a problem of ``digest``, else the first."""
        if not self.view.currentIndex().isValid():
            session = self._session
            mine = session.problems.of(digest) if session is not None and digest else []
            found = self.model.index_of(mine[0]) if mine else QModelIndex()
            self._select(found if found.isValid() else self.model.step(QModelIndex(), 1))

    def step(self, step: int) -> None:
        """Select the next problem, or with ``step`` -1 the one before, and round again."""
        self._select(self.model.step(self.view.currentIndex(), step))

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.focus()

    def save_state(self) -> None:
        """Remember columns and sizes."""
        self.columns.save()
        self._settings.set_view_state(_SPLITTER, bytes(self._splitter.saveState().data()))

    # ------------------------------------------------------------------------------------------- from the session

    @Slot()
    def _take(self) -> None:
        session = self._session
        self.model.set_groups(session.problems.groups if session is not None else (), self._name)
        counts = session.problems.counts if session is not None else {}
        self.filter.show_counts(counts)

    def _name(self, place: str) -> str:
        """What people call a place."""
        session = self._session
        snapshot = session.snapshot if session is not None else None
        row = snapshot.find(place) if snapshot is not None else -1
        if snapshot is None or row < 0:
            return text.plain(shorten(place) if ":" in place else place)
        crumbs = naming.path_to(snapshot, row)
        if len(crumbs) < 2:
            return naming.row_name(snapshot, row)
        return naming.capital(text.SEPARATOR.join(crumb.words for crumb in reversed(crumbs)))

    @Slot()
    def _remember(self) -> None:
        """Rows are about to move: where too much is unfolded to be laid out again at once, fold it."""
        current, group = self.view.currentIndex(), self.group
        if group is not None:
            above = current.parent() if current.parent().isValid() else current
            self._stood = group.rule.id, above.row(), current.row() if current.parent().isValid() else 0
        unfolded = [row for row in range(self.model.rowCount()) if self.view.isExpanded(self.model.index(row, 0))]
        if sum(self.model.rowCount(self.model.index(row, 0)) for row in unfolded) > _MOST_UNFOLDED:
            self.view.collapseAll()

    @Slot()
    def _show_arranged(self) -> None:
        """The rows have moved: unfold rules that are new and small, and tell of what is selected."""
        rows = self.model.rowCount()
        room = _FEW_ROWS - rows
        for row in range(rows):
            index = self.model.index(row, 0)
            group, places = self.model.group_at(index), self.model.rowCount(index)
            if group is not None and group.rule.id not in self._known:
                self._known.add(group.rule.id)
                if places <= _FEW_PLACES and places <= room:
                    room -= places
                    self.view.expand(index)
        self._show_place()
        if self._stood is not None and not self.view.currentIndex().isValid():
            self._select(self._near(*self._stood))
        elif self._stood is None and self.isVisible():
            self.select_something("")
        self._telling.start(0)

    def _near(self, rule: str, group_row: int, place: int) -> QModelIndex:
        """What stands now where a problem stood that is gone: the next of its rule, else of the next rule."""
        rows = self.model.rowCount()
        ids = [group.rule.id if (group := self.model.group_at(self.model.index(n, 0))) else "" for n in range(rows)]
        row, place = (ids.index(rule), place) if rule in ids else (min(group_row, rows - 1), 0)
        above = self.model.index(row, 0)
        return self.model.index(min(place, self.model.rowCount(above) - 1), 0, above)

    @Slot()
    def _show_place(self) -> None:
        """The problems, or why there are none."""
        session = self._session
        if self.model.shown or session is None:
            self._places.setCurrentWidget(self._splitter)
            return
        if self.model.total:
            self.empty.say("No problem matches the filter", "", "Clear filter", self.filter.clear)
        elif session.problems.checked is None:
            self.empty.say("Looking for problems …")
        else:
            self._say_sound(session)
        self._places.setCurrentWidget(self.empty)

    def _say_sound(self, session: Session) -> None:
        checked = session.problems.checked
        assert checked is not None
        words = f"{checked.was} {checked.was_not}".strip()
        if session.problems.checking_deeply:
            self.empty.say("Nothing wrong was found so far", f"{words} The deep check is running.")
        elif checked.was_not:
            self.empty.say("Nothing wrong was found", words, "Check deeply", self.deep_asked.emit)
        else:
            self.empty.say("Nothing wrong was found", words)

    # -------------------------------------------------------------------------------------------- from the view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self.view and event.key() == Qt.Key.Key_Asterisk:
                return True  # would unfold everything at once
            if watched is self.view and event.matches(QKeySequence.StandardKey.Copy):
                self.copy()
                return True
        return super().eventFilter(watched, event)

    def copy(self) -> None:
        """Copy the selected problem as a line of text."""
        finding, group = self.finding, self.group
        if finding is not None:
            parts = (finding.sentence, finding.place, finding.where)
            QGuiApplication.clipboard().setText(text.plain(" ".join(part for part in parts if part), 4 * text.LONGEST))
        elif group is not None:
            QGuiApplication.clipboard().setText(f"{group.rule.id}: {group.rule.title}")

    @Slot()
    def _enter_list(self) -> None:
        """Go from the filter into the list."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.select_something("")

    def _select(self, index: QModelIndex) -> None:
        if index.isValid():
            self.view.expand(index.parent())
            self.view.selectionModel().setCurrentIndex(index, WHOLE_ROW)
            self.view.scrollTo(index)

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, _current: QModelIndex, _before: QModelIndex) -> None:
        self._telling.start(0)

    @Slot()
    def _tell(self) -> None:
        """Show what is known of the selected problem, and say where it is."""
        finding, group, session = self.finding, self.group, self._session
        if session is None:
            return
        if group is None:
            self.details.show_nothing()
        elif finding is None:
            self.details.show_group(group, writable=session.writable)
        else:
            self.details.show_finding(
                finding,
                group,
                self._name(finding.place),
                leads=bool(_shown_as(session, finding.place)),
                has_path=_has_document(session, finding.place),
                writable=session.writable,
            )
        self.selected.emit(self.selection())
        self.pointed.emit(finding.where if finding is not None else "")

    @Slot(object)
    def _follow(self, target: ToPlace) -> None:
        session = self._session
        place = _shown_as(session, target.finding.place) if session is not None else ""
        if session is not None and place:
            self.followed.emit(Selection(session, place), target.finding.where if target.with_path else "")

    @Slot(object)
    def _ask_remedy(self, offer: Offer) -> None:
        """The button goes with the problem; the keyboard stays in the list."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.remedy_asked.emit(offer)

    @Slot(QModelIndex)
    def _activate(self, _index: QModelIndex) -> None:
        selection = self.selection()
        if selection:
            self.activated.emit(selection[0])

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        self._pop_up(self.view.viewport().mapToGlobal(position))

    @Slot(QPoint)
    def _pop_up(self, position: QPoint) -> None:
        """What can be done with a report, and with the problem that is selected."""
        self._tell()  # a click has just selected something else, perhaps
        menu = self._menu_with(("check deeply", "-", "copy report", "save report"))
        offers = self.details.offers if self.view.currentIndex().isValid() else ()
        first = menu.actions()[0] if menu.actions() else None
        for offer in offers:
            action = QAction(icons.icon("remedy"), text.escape_mnemonics(offer.words), menu)
            action.setEnabled(self._session is not None and self._session.writable)
            action.triggered.connect(lambda _checked=False, offer=offer: self.remedy_asked.emit(offer))
            menu.insertAction(first, action) if first is not None else menu.addAction(action)
        if offers and first is not None:
            menu.insertSeparator(first)
        menu.popup(position)


def tab_icon(counts: Mapping[Severity, int]) -> tuple[str, Role]:
    """What stands on the lens: the worst that there is."""
    worst = next((severity for severity in sorted(Severity, reverse=True) if counts.get(severity)), None)
    if worst is None or worst is Severity.INFO:
        return "sound", Role.SOUND
    return ("error" if worst is Severity.ERROR else "warning"), theme.severity_role(worst)


def _shown_as(session: Session, place: str) -> str:
    """What the inspector calls a place that it can show: a digest, a stray file, an own document; empty for others."""
    if session.is_own_document(place):
        return place
    name, snapshot = place.removeprefix("blobs/"), session.snapshot
    return name if snapshot is not None and snapshot.find(name) >= 0 else ""


def _has_document(session: Session, place: str) -> bool:
    """Whether a place is a document, in which a path can be gone to."""
    snapshot = session.snapshot
    if session.is_own_document(place) or snapshot is None:
        return snapshot is not None
    row = snapshot.find(place)
    return row >= 0 and snapshot.media_type(row).endswith(("+json", "/json"))
