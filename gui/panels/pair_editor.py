"""What the editors of metadata and of annotations share: a table of keys and values, and a form below it."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import icons, text, theme
from gui.models.look import RowDelegate
from gui.note import Note
from gui.panels.pair_form import Advice, PairForm, as_text, show_value
from gui.session import Selection
from gui.theme import Space
from gui.widgets import set_tooltip

KEY, VALUE = range(2)


@dataclass
class _Draft:
    """What somebody has typed and not saved."""

    key: str
    value: str
    is_new: bool


class PairEditor(QWidget):
    """Shows and edits the keys and values of what is selected; who inherits says where they come from and go to."""

    changed = Signal(int)
    """So many keys are known now."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """``name`` is what a screen reader calls the table."""
        super().__init__(parent)
        self._selection: Selection | None = None
        self._values: Mapping[str, bytes] = {}
        self._drafts: dict[Hashable, _Draft] = {}
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self.explanation = Note(self)
        self.table = PairTable(name, self)
        self.add_button = self._button("Add…", "add", self.begin_adding)
        self.change_button = self._button("Change…", "edit", self._begin_changing)
        self.remove_button = self._button("Remove", "delete", self._remove)
        self.form = PairForm(self._judge, self)
        self.form.saved.connect(self._save)
        self.form.cancelled.connect(self._close_form)
        self.table.itemSelectionChanged.connect(self._enable)
        self.table.itemActivated.connect(self._begin_changing)
        self.table.remove_pressed.connect(self._remove)
        self._between = QHBoxLayout()
        """Between table and form, for what comes after a change."""
        self._lay_out()

    def _button(self, words: str, icon: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(icons.icon(icon), words, self)
        button.setAutoDefault(False)
        button.clicked.connect(act)
        return button

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(Space.SMALL)
        for button in (self.add_button, self.change_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._between.setSpacing(Space.SMALL)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(self.explanation)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        layout.addLayout(self._between)
        layout.addWidget(self.form)
        layout.addLayout(buttons)
        self.setFocusProxy(self.table)

    # ------------------------------------------------------------------------------------- who inherits says

    @abstractmethod
    def _ask(self) -> None:
        """Find out what the keys and values are, and hand them to ``_adopt``."""

    @abstractmethod
    def _explain(self) -> None:
        """Say what these keys and values are."""

    @abstractmethod
    def _place(self, selection: Selection) -> Hashable:
        """What the keys and values of a selection belong to."""

    @abstractmethod
    def _judge(self, key: str, value: str) -> Advice:
        """What is to be said of a key and a value that are typed."""

    @abstractmethod
    def _set(self, selection: Selection, key: str) -> None:
        """Save what the form holds under a key."""

    @abstractmethod
    def _delete(self, selection: Selection, key: str) -> None:
        """Forget a key."""

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show what belongs to another selection. What was typed for the one before is kept for later."""
        self._keep_draft()
        self._selection = selection
        self._values = {}
        self._close_form()
        self._fill()
        draft = self._drafts.pop(self._place(selection), None)
        if draft is not None and selection.session.writable:
            self.form.open(draft.key, draft.value, is_new=draft.is_new, taken=())
        self._ask()

    def clear(self) -> None:
        """Show nothing, and drop what is still to come."""
        self._keep_draft()
        self._selection = None
        self._values = {}
        self._close_form()
        self._fill()

    def _adopt(self, values: Mapping[str, bytes]) -> None:
        self._values = values
        if self.form.isVisible() and values.get(self.form.key) == self.form.value:
            self._close_form()
        self._fill()
        self.changed.emit(len(values))

    def _fill(self) -> None:
        current, row_before = self._current_key(), max(self.table.currentRow(), 0)
        self.table.setRowCount(len(self._values))
        for row, (key, value) in enumerate(sorted(self._values.items())):
            self.table.setItem(row, KEY, _item(key, text.plain(key)))
            shown = show_value(value)
            item = _item(key, shown)
            item.setToolTip(text.tooltip(shown))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{key}: {shown}")
            self.table.setItem(row, VALUE, item)
            if key == current:
                self.table.selectRow(row)
        if self._values and self._current_key() is None:  # so that the keyboard has something to act upon
            self.table.selectRow(min(row_before, len(self._values) - 1))
        self.table.setVisible(bool(self._values))
        self.setFocusProxy(self.table if self._values else self.add_button)  # what is hidden takes no keyboard
        self._explain()
        self._enable()

    @Slot()
    def _enable(self) -> None:
        writable = self._selection is not None and self._selection.session.writable
        key = self._current_key()
        is_text = key is not None and as_text(self._values[key]) is not None
        self.add_button.setEnabled(writable and not self.form.isVisible())
        self.change_button.setEnabled(writable and is_text and not self.form.isVisible())
        self.remove_button.setEnabled(writable and key is not None)
        reason = "" if key is None or is_text else "A value that is no text can be removed, but not changed here."
        set_tooltip(self.change_button, reason)

    def _current_key(self) -> str | None:
        items = self.table.selectedItems()
        key = items[0].data(Qt.ItemDataRole.UserRole) if items else None
        return key if isinstance(key, str) and key in self._values else None

    # ----------------------------------------------------------------------------------------------- changing

    @Slot()
    def begin_adding(self) -> None:
        """Let somebody type a new key and its value, unless something is being typed already."""
        if self.add_button.isEnabled():
            self.form.open("", "", is_new=True, taken=tuple(self._values))
            self._enable()

    @Slot()
    def _begin_changing(self) -> None:
        key = self._current_key()
        value = as_text(self._values[key]) if key is not None else None
        if key is not None and value is not None and self.change_button.isEnabled():
            self.form.open(key, value, is_new=False, taken=())
            self._enable()

    @Slot()
    def _save(self) -> None:
        if self._selection is not None:
            self._set(self._selection, self.form.key)

    @Slot()
    def _remove(self) -> None:
        key, selection = self._current_key(), self._selection
        if key is not None and selection is not None and selection.session.writable:
            self._delete(selection, key)

    @Slot()
    def _close_form(self) -> None:
        self.form.close_form()
        self._enable()

    def _keep_draft(self) -> None:
        if self._selection is not None and self.form.isVisible() and self.form.edited:
            draft = _Draft(self.form.key, self.form.value_text, self.form.is_new)
            self._drafts[self._place(self._selection)] = draft


class PairTable(QTableWidget):
    """Keys and values; Delete asks to remove the current one."""

    remove_pressed = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(0, 2, parent)
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(["Key", "Value"])
        self.setItemDelegate(RowDelegate(self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAcceptDrops(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(KEY, QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().resizeSection(KEY, self.fontMetrics().averageCharWidth() * 20)
        self._fit_rows()
        theme.current().changed.connect(self._fit_rows)

    @Slot()
    def _fit_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.row_height(self.font()))

    def event(self, event: QEvent) -> bool:
        """Here Delete is about the current key, and not about what is selected in the window."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.matches(QKeySequence.StandardKey.Delete):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.remove_pressed.emit()
        else:
            super().keyPressEvent(event)


def _item(key: str, words: str) -> QTableWidgetItem:
    item = QTableWidgetItem(words)
    item.setData(Qt.ItemDataRole.UserRole, key)
    return item
