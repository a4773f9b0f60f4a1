"""The trash of a store: what was removed can be looked at, brought back, and deleted for good."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QStackedWidget,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from engine.trash import Record
from gui import icons, text
from gui.models.look import RowDelegate
from gui.models.trash_tree import Column, TrashTree, title_of
from gui.panels.columns import Columns
from gui.panels.empty_place import EmptyPlace
from gui.session import Selection, Session
from gui.settings import Settings
from gui.theme import Space
from gui.widgets import ElidedLabel, confirm, set_tooltip

_SAMPLES = ("Delete registry.example.com/team/app:1.10", "28 Nov 2026 23:43", "100,000", "999.9 MB")
"""What should fit into each column."""
_TICK_MS = 60_000
"""How often "3 min ago" is written anew."""


class TrashView(QWidget):
    """Lists the records of the trash, the newest first."""

    changed = Signal()
    """What is selected, or what is there, is different."""

    def __init__(
        self, session: Session, settings: Settings, context_menu: Callable[[], QMenu], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._context_menu = context_menu
        self.view = QTreeView(self)
        self.model = TrashTree(self.view)
        self.empty = EmptyPlace(self)
        self._places = QStackedWidget(self)
        self._sum = ElidedLabel("", self)
        self._restore = self._button("restore", "Restore", "Bring back what is selected, as it was", self.restore)
        self._delete = self._button(
            "delete for good", "Delete for good…", "Free the bytes of what is selected", self.delete_for_good
        )
        self._empty = self._button("clean up", "Empty trash…", "Free the bytes of everything here", self.ask_to_empty)
        self._dress()
        self.columns = Columns(self.view, self.view.header(), "trash", settings)
        self.columns.restore(_SAMPLES, Column.WHAT, (Column.WHAT,))
        self._assemble()
        self.view.selectionModel().selectionChanged.connect(self._refresh)
        self.view.activated.connect(self._activate)
        self.view.customContextMenuRequested.connect(self._show_menu)
        session.undoing.changed.connect(self._show)
        session.snapshotChanged.connect(self._refresh)
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK_MS)
        self._clock.timeout.connect(self.view.viewport().update)
        self._clock.start()
        self._show()

    def _button(self, icon: str, words: str, tip: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(icons.icon(icon), words, self)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: act())
        set_tooltip(button, tip)
        return button

    def _dress(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setAccessibleName("Trash")
        view.setUniformRowHeights(True)
        view.setExpandsOnDoubleClick(False)  # that restores
        view.setAllColumnsShowFocus(True)
        view.setAlternatingRowColors(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setItemDelegateForColumn(Column.SIZE, RowDelegate(view))  # it knows how high a row is
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setIconSize(icons.LIST_SIZE)
        self._sum.setForegroundRole(QPalette.ColorRole.PlaceholderText)

    def _assemble(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        top.setSpacing(Space.SMALL)
        top.addWidget(self._sum, 1)
        for button in (self._restore, self._delete, self._empty):
            top.addWidget(button)
        self._places.addWidget(self.view)
        self._places.addWidget(self.empty)
        self.empty.say(
            "The trash is empty",
            "What you delete waits here until you empty the trash: it can be brought back, also after a restart.",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self._places, 1)
        self.setFocusProxy(self.view)

    # ---------------------------------------------------------------------------------------------- for the page

    @property
    def total(self) -> int:
        """How many records there are."""
        return self.model.count()

    @property
    def chosen(self) -> Sequence[Record]:
        """The selected records, and those of which a blob is selected, the newest first."""
        indexes = self.view.selectionModel().selectedRows()
        found = {record.id: record for index in indexes if (record := self.model.record_at(index)) is not None}
        return sorted(found.values(), key=lambda record: record.id, reverse=True)  # an id begins with its time

    def selection(self) -> Sequence[Selection]:
        """Nothing of the store itself is selected here."""
        return ()

    def reveal(self, _digest: str, _entry_position: int | None = None) -> bool:
        """Nothing of the store itself is listed here."""
        return False

    def select_something(self, _digest: str) -> None:
        """Where nothing is selected, select what is current, else the newest."""
        index = self.view.currentIndex()
        if not index.isValid():
            index = self.model.index(0, 0)
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag
            self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)

    @property
    def words(self) -> tuple[str, str]:
        """A headline and a sentence about what is selected."""
        chosen = self.chosen
        if not self.total:
            return "Trash", "Nothing is in it."
        if not chosen:
            return "Trash", "Select something to bring it back, or to delete it for good."
        size = text.size(sum(record.size for record in chosen))
        what = title_of(chosen[0]) if len(chosen) == 1 else f"{text.number(len(chosen))} selected"
        back = "Restore brings it back as it was" if len(chosen) == 1 else "Restore brings them back as they were"
        stays = " Emptying the trash leaves it there." if all(record.kind == "aside" for record in chosen) else ""
        return what, f"{_blobs(chosen)}, {size}. {back}; deleting for good frees the bytes.{stays}"

    def focus_filter(self) -> None:
        """There is none; the list gets the keyboard."""
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def save_state(self) -> None:
        """Remember the columns as they are."""
        self.columns.save()

    # ---------------------------------------------------------------------------------------------- the verbs

    @Slot()
    def restore(self) -> None:
        """Bring back what is selected."""
        if self.chosen and self._session.writable:
            self._session.undoing.restore([record.id for record in self.chosen])

    @Slot()
    def delete_for_good(self) -> None:
        """Ask, then free the bytes of what is selected."""
        chosen = self.chosen
        if not chosen or not self._session.writable:
            return
        what = text.plain(chosen[0].title) if len(chosen) == 1 else f"these {text.number(len(chosen))}"
        size = text.size(sum(record.size for record in chosen))
        if confirm(
            self,
            f"Delete what “{what}” has moved here for good?" if len(chosen) == 1 else f"Delete {what} for good?",
            explanation=f"{_go(chosen)}, which frees {size}. This cannot be undone.",
            yes="Delete for good",
        ):
            self._session.undoing.empty([record.id for record in chosen])

    @Slot()
    def ask_to_empty(self) -> None:
        """Ask, then free the bytes of everything that nobody wanted to be kept aside."""
        records = self._session.undoing.trash
        going = [record for record in records if record.kind != "aside"]
        if not going or not self._session.writable:
            return
        size = text.size(sum(record.size for record in going))
        aside = len(records) - len(going)
        stays = ""
        if aside:
            were, stay = ("was", "stays") if aside == 1 else ("were", "stay")
            stays = f" {text.count(aside, 'blob')} that {were} kept aside {stay}."
        if confirm(
            self,
            f"Empty the trash of {text.plain(self._session.name)}?",
            explanation=f"{_go(going)}, which frees {size}. This cannot be undone.{stays}",
            yes=f"Empty trash and free {size}",
        ):
            self._session.undoing.empty([record.id for record in going])

    # ---------------------------------------------------------------------------------------------- inside

    @Slot()
    def _show(self) -> None:
        records = self._session.undoing.trash
        had = bool(self.chosen)
        row = self.view.currentIndex().row()
        self.model.set_records(records)
        self._places.setCurrentWidget(self.view if records else self.empty)
        if had and not self.chosen and records:
            self.view.setCurrentIndex(self.model.index(min(max(row, 0), len(records) - 1), 0))
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        records, writable = self._session.undoing.trash, self._session.writable
        size = text.size(sum(record.size for record in records))
        self._sum.set_text(f"{_blobs(records)}{text.SEPARATOR}{size}" if records else "")
        self._restore.setEnabled(bool(self.chosen) and writable)
        self._delete.setEnabled(bool(self.chosen) and writable)
        self._empty.setEnabled(writable and any(record.kind != "aside" for record in records))
        self.changed.emit()

    @Slot(QModelIndex)
    def _activate(self, index: QModelIndex) -> None:
        """Enter or a double click on a record restores it."""
        if self.model.blob_at(index) is None:
            self.restore()

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        if self.chosen:
            self._context_menu().popup(self.view.viewport().mapToGlobal(position))


def _blobs(records: Sequence[Record]) -> str:
    return text.count(sum(len(record.blobs) for record in records), "blob")


def _go(records: Sequence[Record]) -> str:
    count = sum(len(record.blobs) for record in records)
    return f"{text.count(count, 'blob')} {'goes' if count == 1 else 'go'}"
