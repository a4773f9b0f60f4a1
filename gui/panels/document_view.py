"""A stored document, highlighted: exactly as it is stored, or reformatted for reading and marked so."""

import functools

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from gui import text
from gui.note import Note
from gui.panels import document_text
from gui.panels.document_pane import DocumentPane
from gui.panels.document_text import Prepared
from gui.panels.find_bar import FindBar
from gui.session import Selection
from gui.theme import Role, Space
from gui.widgets import set_tooltip

_NOTHING = Prepared("", "", "", False)


class DocumentView(QWidget):
    """The document of what is selected. ``followed`` carries the ``Selection`` that a digest in it leads to."""

    followed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = DocumentPane(self)
        self.text.followed.connect(self._follow)
        self._selection: Selection | None = None
        self._stamp: tuple[object, ...] = ()
        self._prepared = _NOTHING
        self._chosen: bool | None = None
        self._where = ""
        self.note = Note(self)
        self._as_stored = self._choice("As stored", "The bytes that the digest is over.")
        self._as_reformatted = self._choice("Reformatted", "One member or element a line.")
        choices = QButtonGroup(self)
        for number, button in enumerate((self._as_stored, self._as_reformatted)):
            choices.addButton(button, number)
        choices.idClicked.connect(self._choose)
        self.find_bar = FindBar(self.text, self)
        self.find_bar.hide()
        self._lay_out()

    def _choice(self, words: str, explanation: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(words)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_tooltip(button, explanation)
        return button

    def _lay_out(self) -> None:
        find = QToolButton(self)
        find.setText("Find…")
        find.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_tooltip(find, "Find in this document (Ctrl+F)")
        find.clicked.connect(self.open_find)
        bar = QHBoxLayout()
        bar.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        bar.setSpacing(Space.TINY)
        for button in (self._as_stored, self._as_reformatted):
            bar.addWidget(button)
        bar.addStretch(1)
        bar.addWidget(find)
        note = QHBoxLayout()
        note.setContentsMargins(Space.MEDIUM, 0, Space.MEDIUM, Space.TINY)
        note.addWidget(self.note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addLayout(note)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.find_bar)
        self.setFocusProxy(self.text)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Ask for the stored bytes and show them when they come; what comes for another selection is dropped."""
        self._selection = selection
        self._stamp = _stamp(selection)
        self._where = ""
        self.note.say("Reading…", Role.MUTED)
        self.text.show_text("", None)
        self._set_choices(enabled=False)
        self._ask(selection)

    def show_place(self, where: str) -> None:
        """Select what a JSON path leads to in the document of what is selected, as soon as that is there."""
        self._where = where
        if self._selection is not None:
            self._ask(self._selection)

    def _ask(self, selection: Selection) -> None:
        where = self._where

        def arrived(prepared: Prepared) -> None:
            if selection is self._selection and where == self._where:
                self._prepared = prepared
                self._set_choices(enabled=bool(prepared.reformatted))
                self._show_prepared()

        def failed(error: BaseException) -> None:
            if selection is self._selection:
                self.note.say(text.error_sentence(error), Role.BAD)

        prepare = functools.partial(document_text.prepare, where=where)
        selection.session.read_document(selection.digest, prepare, arrived, failed)

    def refresh(self) -> None:
        """The store is different: read again where the file is another one, else only look at the links again."""
        if self._selection is None:
            return
        if _stamp(self._selection) != self._stamp:
            self.show_selection(self._selection)
        else:
            self.text.colour_again()

    def clear(self) -> None:
        """Show nothing, and drop what is still to come."""
        self._selection = None
        self._prepared = _NOTHING
        self.text.show_text("", None)
        self.note.say("", Role.MUTED)

    @Slot()
    def open_find(self) -> None:
        """Open the find bar, or go to it."""
        self.find_bar.open()

    def _show_prepared(self) -> None:
        stored, pretty, problem, cut, *places = self._prepared
        is_pretty = bool(pretty) and self._wants_reformatted()
        self._as_reformatted.setChecked(is_pretty)
        self._as_stored.setChecked(not is_pretty)
        notes = [problem] if problem else []
        if cut:
            notes.append(f"Only the first {text.size(len(stored.encode('utf-8', 'surrogateescape')))} are shown.")
        if is_pretty:
            notes.append("Reformatted for reading. The digest is over the stored bytes.")
        self.note.say(" ".join(notes), Role.BAD if problem else Role.MUTED)
        self.text.show_text(pretty if is_pretty else stored, self._selection, places[is_pretty])
        self.find_bar.search_again()

    def _wants_reformatted(self) -> bool:
        return not document_text.is_readable(self._prepared.stored) if self._chosen is None else self._chosen

    @Slot(int)
    def _choose(self, number: int) -> None:
        self._chosen = number == 1
        self._show_prepared()

    def _set_choices(self, *, enabled: bool) -> None:
        for button in (self._as_stored, self._as_reformatted):
            button.setEnabled(enabled)

    @Slot(object)
    def _follow(self, digest: str) -> None:
        if self._selection is not None:
            self.followed.emit(Selection(self._selection.session, digest, self._selection.entry_position))

    # --------------------------------------------------------------------------------------- overrides of Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+F finds, Escape closes the find bar."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.open_find()
        elif event.key() == Qt.Key.Key_Escape and self.find_bar.isVisible():
            self.find_bar.close_bar()
        else:
            super().keyPressEvent(event)


def _stamp(selection: Selection) -> tuple[object, ...]:
    """What tells whether the file is still the one that was read."""
    snapshot = selection.session.snapshot
    if snapshot is not None and selection.session.is_own_document(selection.digest):
        return (snapshot.roots.digest,)
    row = snapshot.find(selection.digest) if snapshot is not None else -1
    if snapshot is None or row < 0:
        return ()
    columns = snapshot.columns
    return int(columns.sizes[row]), int(columns.mtimes[row]), int(columns.inodes[row])
