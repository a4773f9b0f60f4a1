"""The metadata of a blob: facts that are kept beside it under keys, to see, add, change and remove."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
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

from engine.digest import shorten
from gui import icons, text, theme
from gui.models.look import RowDelegate
from gui.panels.metadata_form import MetadataForm, as_text, show_value
from gui.panels.note import Note
from gui.session import Selection
from gui.theme import Role, Space
from gui.widgets import set_tooltip

KEY, VALUE = range(2)

MOST_KEYS = 500
"""Keys of one blob that are shown."""


@dataclass
class _Draft:
    """What somebody has typed and not saved."""

    key: str
    value: str
    is_new: bool


class MetadataEditor(QWidget):
    """Shows and edits the metadata of one blob. ``changed`` comes when the number of keys is known or different."""

    changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._asked = 0
        self._values: dict[str, bytes] = {}
        self._drafts: dict[str, _Draft] = {}
        self._removed: tuple[str, str, bytes] | None = None
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self.explanation = Note(self)
        self.table = _Table(self)
        self.add_button = self._button("Add…", "add", self._begin_adding)
        self.change_button = self._button("Change…", "edit", self._begin_changing)
        self.remove_button = self._button("Remove", "delete", self._remove)
        self.undo_line = Note(self)
        self.undo_button = self._button("Undo", "undo", self._undo)
        self.form = MetadataForm(self)
        self.form.saved.connect(self._save)
        self.form.cancelled.connect(self._close_form)
        self.table.itemSelectionChanged.connect(self._enable)
        self.table.itemActivated.connect(self._begin_changing)
        self.table.remove_pressed.connect(self._remove)
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
        undo = QHBoxLayout()
        undo.setSpacing(Space.SMALL)
        undo.addWidget(self.undo_line, 1)
        undo.addWidget(self.undo_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(self.explanation)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        layout.addLayout(undo)
        layout.addWidget(self.form)
        layout.addLayout(buttons)
        self.setFocusProxy(self.table)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Ask for the metadata of a blob; what comes for another one is dropped. What was typed is kept for later."""
        self._keep_draft()
        self._selection = selection
        self._removed = None
        self._values = {}
        self._close_form()
        self._fill()
        draft = self._drafts.pop(selection.digest, None)
        if draft is not None and selection.session.writable:
            self.form.open(draft.key, draft.value, is_new=draft.is_new, taken=())
        self._ask()

    def refresh(self, digest: str = "") -> None:
        """The metadata of ``digest`` may be different; of an unknown one when it is empty."""
        if self._selection is not None and digest in ("", self._selection.digest):
            self._ask()

    def clear(self) -> None:
        """Show nothing, and drop what is still to come."""
        self._keep_draft()
        self._selection = None
        self._values = {}
        self._close_form()
        self._fill()

    def _ask(self) -> None:
        selection = self._selection
        if selection is None:
            return
        self._asked += 1
        asked = self._asked
        found: dict[str, bytes | None] = {}

        def wanted() -> bool:
            return selection is self._selection and asked == self._asked

        def keys_came(keys: list[str]) -> None:
            if not wanted():
                return
            found.update(dict.fromkeys(keys[:MOST_KEYS]))
            if not found:
                self._adopt({})
            for key in list(found):
                came, failed = functools.partial(value_came, key), functools.partial(gone, key)
                selection.session.metadata_get(selection.digest, key, came, failed)

        def value_came(key: str, value: bytes) -> None:
            found[key] = value
            settle()

        def gone(key: str, _error: BaseException) -> None:
            found.pop(key, None)
            settle()

        def settle() -> None:
            values = {key: value for key, value in found.items() if value is not None}
            if wanted() and len(values) == len(found):
                self._adopt(values)

        def no_keys(error: BaseException) -> None:
            if wanted():
                self.explanation.say(text.error_sentence(error), Role.BAD)

        selection.session.metadata_keys(selection.digest, keys_came, no_keys)

    def _adopt(self, values: dict[str, bytes]) -> None:
        self._values = values
        if self.form.isVisible() and values.get(self.form.key) == self.form.value:
            self._close_form()
        self._fill()
        self.changed.emit(len(values))

    def _fill(self) -> None:
        current = self._current_key()
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
        self.table.setVisible(bool(self._values))
        self.setFocusProxy(self.table if self._values else self.add_button)  # what is hidden takes no keyboard
        self._say_what_it_is()
        removed = self._removed
        self.undo_line.say(f"{text.plain(removed[1])} was removed." if removed else "")
        self.undo_button.setVisible(removed is not None)
        self._enable()

    def _say_what_it_is(self) -> None:
        selection = self._selection
        if selection is None:
            self.explanation.say("")
        elif not selection.session.writable:
            self.explanation.say("This store is read-only here, so its metadata cannot be changed.", Role.WARNING)
        elif self._values or not selection.session.is_layout:
            self.explanation.say("Facts that are kept beside the blob, not in it: its digest stays the same.")
        else:
            place = f"metadata/{shorten(selection.digest).replace(':', '/')}"
            self.explanation.say(
                f"No metadata yet. The first key makes the folder {place} beside blobs; other tools ignore it."
            )

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
    def _begin_adding(self) -> None:
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
        selection = self._selection
        if selection is not None:
            self._removed = None
            selection.session.changes.set_metadata(selection.digest, self.form.key, self.form.value)

    @Slot()
    def _remove(self) -> None:
        key, selection = self._current_key(), self._selection
        if key is not None and selection is not None and selection.session.writable:
            self._removed = selection.digest, key, self._values[key]
            selection.session.changes.delete_metadata(selection.digest, key)

    @Slot()
    def _undo(self) -> None:
        if self._removed is not None and self._selection is not None:
            digest, key, value = self._removed
            self._removed = None
            self._selection.session.changes.set_metadata(digest, key, value)

    @Slot()
    def _close_form(self) -> None:
        self.form.close_form()
        self._enable()

    def _keep_draft(self) -> None:
        if self._selection is not None and self.form.isVisible() and self.form.edited:
            draft = _Draft(self.form.key, self.form.value_text, self.form.is_new)
            self._drafts[self._selection.digest] = draft


class _Table(QTableWidget):
    """Keys and values; Delete asks to remove the current one."""

    remove_pressed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(0, 2, parent)
        self.setAccessibleName("Metadata")
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.remove_pressed.emit()
        else:
            super().keyPressEvent(event)


def _item(key: str, words: str) -> QTableWidgetItem:
    item = QTableWidgetItem(words)
    item.setData(Qt.ItemDataRole.UserRole, key)
    return item
