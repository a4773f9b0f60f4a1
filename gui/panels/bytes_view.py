"""The bytes of a file of the store, whatever it is and however large."""

from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import text
from gui.bytesource import ByteSource, open_stored
from gui.jobs import Job
from gui.note import Note
from gui.panels import bytes_copy
from gui.panels.bytes_copy import Form
from gui.panels.bytes_find import BytesFind
from gui.panels.bytes_words import meaning_words, place_words
from gui.panels.empty_place import EmptyPlace
from gui.panels.header_pane import HeaderPane
from gui.panels.hex_goto import EXAMPLES, offset_of
from gui.panels.hex_view import HexView
from gui.session import Selection
from gui.theme import Role, Space
from gui.widgets import ElidedLabel, plain_label, set_tooltip

_MEANING_LINES = 2
_MOMENT_MS = 150
_ROOM_FOR_BAR, _ROOM_FOR_STRIP, _ROOM_FOR_HEADERS = 130, 190, 240
"""Pixels of height below which these give their room to the bytes."""


class BytesView(QWidget):
    """The bytes of what is selected. ``copied`` carries a sentence for the status bar."""

    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._shown: Selection | None = None
        """Whose bytes are shown; for a moment those of what was selected before, so that nothing flickers."""
        self._opening: Job | None = None
        self._is_stale = False
        """Whether the store has become different since the file was last looked for."""
        self._moment = QTimer(self)
        self._moment.setSingleShot(True)
        self._moment.setInterval(_MOMENT_MS)
        self._moment.timeout.connect(self._say_reading)
        # From the outside in, in the order in which the keyboard goes through them: what changes its parent, or its place
        # in that order, comes before the tab that it is in, and then the last one leads to the bytes again.
        self._pages = QStackedWidget(self)
        self.empty = EmptyPlace(self._pages)
        self._full = QWidget(self._pages)
        self._bar = QWidget(self._full)
        self.line = QLineEdit(self._bar)
        self.line.setAcceptDrops(False)  # a file is for the window
        self._find = QToolButton(self._bar)
        self._copy = QToolButton(self._bar)
        self.note = Note(self._full)
        self._again = QPushButton("Read again", self._full)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self._full)
        self.hex = HexView(self._splitter)
        self.headers = HeaderPane(self.hex, self._splitter)
        self._strip = QWidget(self._full)
        self.place = ElidedLabel("", self._strip)
        self.meaning = plain_label("", wrap=True, parent=self._strip)
        self.find_bar = BytesFind(self.hex, self._full)
        self.find_bar.hide()
        self._dress()
        self._lay_out()
        self._connect()

    def _dress(self) -> None:
        self.line.setPlaceholderText("Go to: 1234, 0x4d2, 50 %")
        self.line.setAccessibleName("Go to an offset")
        set_tooltip(self.line, f"Go to a byte: {EXAMPLES} (Ctrl+G)")
        self._find.setText("Find…")
        set_tooltip(self._find, "Find text or bytes (Ctrl+F)")
        self._copy.setText("Copy")
        set_tooltip(self._copy, "Copy what is selected as hexadecimal digits (Ctrl+C)")
        self._copy.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self._copy.clicked.connect(lambda: self.copy(Form.HEX))
        self._copy.setMenu(self._copy_menu())
        for button in (self._find, self._copy):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._again.setAutoDefault(False)
        self._again.hide()
        self.meaning.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.meaning.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.meaning.setFixedHeight(_MEANING_LINES * self.fontMetrics().lineSpacing())  # so that nothing jumps
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        self.hex.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def _lay_out(self) -> None:
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        bar.setSpacing(Space.TINY)
        bar.addWidget(self.line, 1)
        bar.addWidget(self._find)
        bar.addWidget(self._copy)
        note = QHBoxLayout()
        note.setContentsMargins(Space.MEDIUM, 0, Space.MEDIUM, 0)
        note.addWidget(self.note, 1)
        note.addWidget(self._again)
        strip = QVBoxLayout(self._strip)
        strip.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        strip.setSpacing(0)
        strip.addWidget(self.place)
        strip.addWidget(self.meaning)
        full = QVBoxLayout(self._full)
        full.setContentsMargins(0, 0, 0, 0)
        full.setSpacing(0)
        full.addWidget(self._bar)
        full.addLayout(note)
        full.addWidget(self._splitter, 1)
        full.addWidget(self._strip)
        full.addWidget(self.find_bar)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self._full)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self.setFocusProxy(self.hex)

    def _connect(self) -> None:
        self.hex.moved.connect(self._tell_place)
        self.hex.loaded.connect(self._tell_place)
        self.hex.failed.connect(self._tell_failed_part)
        self.headers.found.connect(self._tell_place)
        self.headers.failed.connect(self._tell_failed_part)
        self.hex.copy_asked.connect(lambda: self.copy(Form.HEX))
        self.hex.customContextMenuRequested.connect(self._show_menu)
        self.line.returnPressed.connect(self._go)
        self._find.clicked.connect(self.open_find)
        self._again.clicked.connect(self.read_again)
        self.find_bar.said.connect(self._say)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show the bytes of another file, as soon as it was looked at: what was shown stays for so long, or a moment."""
        before = self._selection
        if before is None or (before.session, before.digest) != (selection.session, selection.digest):
            self._selection = selection
            self._opening, self._is_stale = None, False
            self.find_bar.source_changed()
            self._moment.start()
        self._open()

    @Slot()
    def _say_reading(self) -> None:
        """Nothing has come yet, and what was shown is of the past."""
        self.empty.say("Reading…")
        self._shown = self._selection
        self._show(None)

    def show_source(self, source: ByteSource) -> None:
        """Show bytes that are those of no file of the store."""
        self.clear()
        self._show(source)

    @Slot()
    def refresh(self) -> None:
        """The store is different: look whether the file is another one by now; what is the same stays as it is."""
        if self._selection is not None:
            self._open()

    @Slot()
    def read_again(self) -> None:
        """Look at the file again, after it could not be read."""
        self._say("")
        self.hex.read_again()
        self.headers.read_again()
        self._open()

    def clear(self) -> None:
        """Show nothing, and drop what is still to come."""
        self._selection = None
        self._shown = None
        self._opening, self._is_stale = None, False
        self._show(None)

    def _open(self) -> None:
        selection = self._selection
        self._is_stale = self._opening is not None
        if selection is None or self._is_stale:
            return

        def came(tell: Callable[[], object]) -> None:
            if selection is not self._selection:
                return
            self._opening = None
            if self._is_stale:
                self._open()
            else:
                tell()

        def opened(source: ByteSource) -> None:
            came(lambda: self._adopt(source))

        def failed(error: BaseException) -> None:
            came(lambda: self._tell_failure(error))

        runner = selection.session.layers.runner
        self._opening = open_stored(runner, selection.session.store, selection.digest, opened, failed)

    def _adopt(self, source: ByteSource) -> None:
        before = self.hex.source if self._shown is self._selection else None
        if before is not None and before.stamp == source.stamp:
            return
        self._shown = self._selection
        self._show(source, keep_place=before is not None)
        if before is not None:
            self._say("The file has changed: this is what it is now.")

    def _show(self, source: ByteSource | None, *, keep_place: bool = False) -> None:
        self._moment.stop()
        self.find_bar.source_changed()
        self._say("")
        self.hex.set_source(source, keep_place=keep_place)
        self.headers.set_source(source)
        if source is not None and not source.size:
            self.empty.say("There is nothing in it", "The file is empty: it has 0 bytes.")
        self._pages.setCurrentWidget(self._full if source is not None and source.size else self.empty)

    @Slot(object)
    def _tell_failed_part(self, error: BaseException) -> None:
        if self._shown is self._selection:
            self._tell_failure(error)

    def _tell_failure(self, error: BaseException) -> None:
        if self._shown is not self._selection:
            self._shown = self._selection
            self._show(None)
        sentence = text.error_sentence(error)
        if self.hex.byte_count:
            self._say(sentence, Role.BAD)
            self._again.show()
        else:
            self.empty.say("The bytes cannot be shown", sentence, "Read again", self.read_again)
            self._pages.setCurrentWidget(self.empty)

    def _say(self, words: str, role: Role = Role.MUTED) -> None:
        self.note.say(words, role)
        self._again.hide()

    # ------------------------------------------------------------------------------------------------- moving

    @Slot()
    def open_find(self) -> None:
        """Open the find bar, or go to it."""
        if self._pages.currentWidget() is self._full:
            self.find_bar.open()

    @Slot()
    def _go(self) -> None:
        place = offset_of(self.line.text(), self.hex.current, self.hex.byte_count)
        if isinstance(place, str):
            self._say(place, Role.BAD)
            self.line.selectAll()
            return
        self._say("")
        self.hex.go_to(place)
        self.hex.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _tell_place(self) -> None:
        """Say where the current byte is, what is selected, and what that means."""
        place, meaning = place_words(self.hex), meaning_words(self.headers.field_at(self.hex.current))
        self.place.set_text(text.SEPARATOR.join(place))
        self.meaning.setText(meaning)
        set_tooltip(self.meaning, meaning)
        self.meaning.setVisible(self.headers.has_headers)
        self.hex.describe(", ".join([*place, meaning] if meaning else place))

    # ------------------------------------------------------------------------------------------------ copying

    def copy(self, form: Form) -> None:
        """Copy what is selected, or the current byte."""
        source = self.hex.source
        if source is None or not source.size:
            return
        begun = bytes_copy.copy(
            source,
            *self.hex.selection,
            form,
            self.copied.emit,
            self._tell_failure,
            lambda: shiboken6.isValid(self) and self.hex.source is source,
        )
        if isinstance(begun, str):
            self._say(begun, Role.WARNING)

    def copy_offset(self) -> None:
        """Copy where the current byte is."""
        QGuiApplication.clipboard().setText(f"{self.hex.selection[0]:#x}")
        self.copied.emit("Copied the offset.")

    def _copy_menu(self) -> QMenu:
        menu = QMenu(self)
        for form in Form:
            action = menu.addAction(form.title)
            action.triggered.connect(lambda _checked=False, form=form: self.copy(form))
            if form is Form.HEX:
                action.setShortcut(QKeySequence.StandardKey.Copy)
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # the view of bytes has the key itself
        menu.addSeparator()
        menu.addAction("Copy the &offset", self.copy_offset)
        return menu

    @Slot(QPoint)
    def _show_menu(self, place: QPoint) -> None:
        if self.hex.byte_count:
            self._copy.menu().popup(self.hex.viewport().mapToGlobal(place))

    # --------------------------------------------------------------------------------------- overrides of Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, it is for the bytes."""
        super().resizeEvent(event)
        height = event.size().height()
        self._bar.setVisible(height >= _ROOM_FOR_BAR)
        self._strip.setVisible(height >= _ROOM_FOR_STRIP)
        self.headers.give_room(height >= _ROOM_FOR_HEADERS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+F finds, Ctrl+G goes to an offset, F3 finds again, Escape closes the find bar."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.matches(QKeySequence.StandardKey.Find):
            self.open_find()
        elif event.key() == Qt.Key.Key_G and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self._bar.show()
            self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.line.selectAll()
        elif event.key() == Qt.Key.Key_F3 and self.find_bar.isVisible():
            (self.find_bar.go_to_previous if shift else self.find_bar.go_to_next)()
        elif event.key() == Qt.Key.Key_Escape and self.find_bar.isVisible():
            self.find_bar.close_bar()
        else:
            super().keyPressEvent(event)
