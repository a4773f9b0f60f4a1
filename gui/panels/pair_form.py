"""Where a key and its value are typed, and how values are shown."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from engine.metadata import VALUE_LIMIT
from gui import text
from gui.note import Note
from gui.theme import Role, Space
from gui.widgets import plain_label

_HEX_SHOWN = 16


class Advice(NamedTuple):
    """What is to be said of a key and a value: why they cannot be saved, or only what should be thought of."""

    problem: str = ""
    hint: str = ""


class PairForm(QWidget):
    """Takes a key and a value, and says at once what is wrong with them."""

    saved = Signal()
    cancelled = Signal()

    def __init__(self, judge: Callable[[str, str], Advice], parent: QWidget) -> None:
        """``judge`` says what there is to say of a key and a value."""
        super().__init__(parent)
        self._judge = judge
        self.is_new = True
        self._taken: tuple[str, ...] = ()
        self._began = ("", "")
        self.key_line = QLineEdit(self)
        self.key_line.setAcceptDrops(False)  # a file is for the window
        self.value_box = QPlainTextEdit(self)
        self.value_box.setTabChangesFocus(True)
        self.value_box.setAcceptDrops(False)
        self.value_box.setFixedHeight(self.fontMetrics().height() * 4 + Space.SMALL)
        self.note = Note(self)
        self.save_button = QPushButton("Save", self)
        self.save_button.setAutoDefault(False)
        self.save_button.clicked.connect(self._save)
        cancel = QPushButton("Cancel", self)
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.cancelled)
        self.key_line.textChanged.connect(self._check)
        self.value_box.textChanged.connect(self._check)
        self.key_line.returnPressed.connect(self._save)
        self._lay_out(cancel)
        self.hide()

    def _lay_out(self, cancel: QPushButton) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, Space.SMALL, 0, 0)
        grid.setHorizontalSpacing(Space.SMALL)
        grid.setVerticalSpacing(Space.TINY)
        fields: list[tuple[str, QLineEdit | QPlainTextEdit]] = [("Key", self.key_line), ("Value", self.value_box)]
        for row, (words, field) in enumerate(fields):
            label = plain_label(f"&{words}", parent=self)
            label.setBuddy(field)
            field.setAccessibleName(words)
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(field, row, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(Space.SMALL)
        buttons.addWidget(self.note, 1)
        buttons.addStretch(0)
        buttons.addWidget(cancel)
        buttons.addWidget(self.save_button)
        grid.addLayout(buttons, 2, 1)

    @property
    def key(self) -> str:
        return self.key_line.text()

    @property
    def value_text(self) -> str:
        return self.value_box.toPlainText()

    @property
    def value(self) -> bytes:
        return self.value_text.encode("utf-8", "replace")

    @property
    def edited(self) -> bool:
        """Whether something was typed that is not saved."""
        return (self.key, self.value_text) != self._began

    def open(self, key: str, value: str, *, is_new: bool, taken: tuple[str, ...]) -> None:
        """Begin to add a key, or to change the value of one."""
        self.is_new, self._taken, self._began = is_new, taken, (key, value)
        self.key_line.setText(key)
        self.key_line.setReadOnly(not is_new)
        self.value_box.setPlainText(value)
        self._check()
        self.show()
        (self.key_line if is_new else self.value_box).setFocus(Qt.FocusReason.OtherFocusReason)

    def close_form(self) -> None:
        """Forget what was typed."""
        self.key_line.clear()
        self.value_box.clear()
        self.hide()

    @Slot()
    def _check(self) -> None:
        problem, hint = self._judge(self.key, self.value_text)
        if not problem and len(self.value) > VALUE_LIMIT:
            problem = f"A value has at most {text.exact_size(VALUE_LIMIT)}."
        if not problem and self.key in self._taken:
            hint = "There is such a key; saving replaces its value."
        self.save_button.setEnabled(not problem)
        self.note.say(problem or hint, Role.BAD if problem and self.key else Role.MUTED)

    @Slot()
    def _save(self) -> None:
        if self.save_button.isEnabled():
            self.saved.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape gives up, Ctrl+Enter saves."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._save()
        else:
            super().keyPressEvent(event)


def as_text(value: bytes) -> str | None:
    """A value as text; None where it is none that could be edited and saved without changing something else."""
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        return None
    return None if set(decoded) & _UNEDITABLE else decoded


_UNEDITABLE = frozenset([*map(chr, range(9)), *map(chr, range(11, 32)), "\x7f", "\u2028", "\u2029", "\ufdd0", "\ufdd1"])
"""What a text field would lose or turn into something else."""


def show_value(value: bytes) -> str:
    """A value on one line: text as it is, anything else as its size and first bytes."""
    decoded = as_text(value)
    if decoded is not None:
        return text.plain(decoded.replace("\n", " ↵ "))
    more = " …" if len(value) > _HEX_SHOWN else ""
    return f"{text.exact_size(len(value))}: {value[:_HEX_SHOWN].hex(' ')}{more}"
