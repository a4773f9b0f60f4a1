"""Asks for the name of an index entry."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from engine.rules.annotations import is_name
from gui import text
from gui.note import Note
from gui.theme import Role, Space
from gui.widgets import plain_label

_WIDTH = 460
_LINES = 2
"""Lines below the name for which there is always room."""


@dataclass(frozen=True)
class Wish:
    """What a name is asked for, in the words of the dialog; without ``nameless`` there has to be one."""

    title: str
    verb: str
    nameless: str = ""


RENAME = Wish("Rename index entry", "Rename", "Take the name away")
ADD_TO_INDEX = Wish("Add to the index", "Add to the index", "Add without a name")
ADD_NAME = Wish("Add a name", "Add the name")
ADD_ENTRY = Wish("Add a name", "Add the name", "Add without a name")


class NameDialog(QDialog):
    """One line of text: the new name; an empty one means none."""

    named = Signal(object)
    """The new name, None for none."""

    def __init__(
        self,
        wish: Wish,
        name: str | None,
        digest: str,
        parent: QWidget,
        *,
        own: Collection[str | None] = (),
        consequence: Callable[[str], str] = lambda _name: "",
    ) -> None:
        """``name`` is where typing begins, ``digest`` is shown in short, ``own`` are the names that would change nothing.

        ``consequence`` says what becomes of what has a name now; an empty text where nothing does.
        """
        super().__init__(parent)
        self.setWindowTitle(wish.title)
        self.setMinimumWidth(_WIDTH)
        self._wish, self._own, self._consequence = wish, own, consequence
        self._name = QLineEdit(name or "", self)
        self._name.setAccessibleName("Name in the index")
        self._name.setPlaceholderText(
            "No name: the entry stays, and is known by its digest only" if wish.nameless else "for example team/app:1.0"
        )
        self._name.selectAll()
        self._name.textChanged.connect(self._refresh)
        self.note = Note(self)
        policy = self.note.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that nothing jumps while somebody types
        self.note.setSizePolicy(policy)
        question = plain_label(f"Name of {text.plain(digest)} in index.json")
        question.setBuddy(self._name)
        buttons = QDialogButtonBox(self)
        self._accept = buttons.addButton(wish.verb, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._confirm)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(question)
        layout.addWidget(self._name)
        layout.addWidget(self.note)
        layout.addStretch(1)
        layout.addSpacing(Space.SMALL)
        layout.addWidget(buttons)
        self._refresh()

    @property
    def _wanted(self) -> str | None:
        return self._name.text().strip() or None

    @Slot()
    def _refresh(self) -> None:
        wanted, wish = self._wanted, self._wish
        is_own = wanted in self._own
        self._accept.setEnabled(not is_own and bool(wanted or wish.nameless))
        self._accept.setText(wish.verb if wanted or not wish.nameless else wish.nameless)
        consequence = self._consequence(wanted) if wanted and not is_own else ""
        if consequence:
            self.note.say(consequence, Role.WARNING)
        elif wanted and is_own:
            self.note.say("It has that name already.")
        elif wanted and not is_name(wanted):
            self.note.say("Any name is allowed, but other tools may not be able to ask for one like this.")
        else:
            self.note.say("")
        width = max(self._name.width(), _WIDTH - 2 * Space.LARGE)
        lines = _LINES * self.fontMetrics().lineSpacing()
        self.note.setMinimumHeight(max(lines, self.note.heightForWidth(width)))

    @Slot()
    def _confirm(self) -> None:
        self.accept()
        self.named.emit(self._wanted)
