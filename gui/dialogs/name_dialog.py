"""Asks for the name of an index entry."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from gui import text
from gui.theme import Space
from gui.widgets import plain_label

_WIDTH = 460


class NameDialog(QDialog):
    """One line of text: the new name; an empty one takes the name away."""

    named = Signal(object)
    """The new name, None for none."""

    def __init__(self, name: str | None, digest: str, parent: QWidget, *, adds: bool = False) -> None:
        """``name`` is the one that the entry has now; ``digest`` is shown in short; ``adds`` makes a new entry."""
        super().__init__(parent)
        self.setWindowTitle("Add to the index" if adds else "Rename index entry")
        self._adds = adds
        self.setMinimumWidth(_WIDTH)
        self._before = name
        self._name = QLineEdit(name or "", self)
        self._name.setAccessibleName("Name in the index")
        self._name.setPlaceholderText("No name: the entry stays, and is known by its digest only")
        self._name.selectAll()
        self._name.textChanged.connect(self._refresh)
        question = plain_label(f"Name of {text.plain(digest)} in index.json")
        question.setBuddy(self._name)
        buttons = QDialogButtonBox(self)
        self._accept = buttons.addButton("Rename", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._confirm)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(question)
        layout.addWidget(self._name)
        layout.addSpacing(Space.SMALL)
        layout.addWidget(buttons)
        self._refresh()

    @property
    def _wanted(self) -> str | None:
        return self._name.text().strip() or None

    @Slot()
    def _refresh(self) -> None:
        self._accept.setEnabled(self._adds or self._wanted != self._before)
        if self._adds:
            self._accept.setText("Add to the index" if self._wanted else "Add without a name")
        else:
            self._accept.setText("Rename" if self._wanted else "Take the name away")

    @Slot()
    def _confirm(self) -> None:
        self.accept()
        self.named.emit(self._wanted)
