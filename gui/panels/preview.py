"""What is in a file of an image: its text, its picture, or its bytes."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from engine.errors import Refused
from engine.progress import Progress
from gui import text
from gui.note import Note
from gui.panels import previewing
from gui.panels.empty_place import EmptyPlace
from gui.panels.file_text import FileText
from gui.panels.later import Later
from gui.panels.newest import Newest
from gui.panels.picture_view import PictureView, describe
from gui.panels.preview_bar import PreviewBar, Waiting
from gui.panels.previewing import Preview, Sort
from gui.panels.subject import Subject
from gui.theme import Role, Space

if TYPE_CHECKING:
    from gui.panels.bytes_view import BytesView

Act = Callable[[], object]

_SETTLE_MS = 60
"""Who walks through the rows does not want to see what is in each."""
_SLOW_MS = 250
"""What takes longer than this is said to be on its way."""
_LEAST_LINES = 4
"""Lines of a text that there is always room for."""


class PreviewPane(QWidget):
    """Shows the file that was asked for last."""

    shown = Signal()
    """What is in the file is there, or why it is not."""
    copied = Signal(str)
    """A sentence for the status bar."""
    left = Signal()
    """The person wants to go back to where the file was chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.subject: Subject | None = None
        self.preview: Preview | None = None
        """What is known of the subject."""
        self._is_awaited = False
        """Whether the keyboard is to go into it as soon as it is there."""
        self._wanted: Sort | None = None
        """What the person wants to see files as."""
        self._reading = Newest(self)
        self.bar = PreviewBar(self)
        self.note = Note(self)
        self.pages = QStackedWidget(self)
        self._blank = QWidget(self.pages)
        self.empty = EmptyPlace(self.pages)
        self.waiting = Waiting(self.pages)
        self.text = FileText(self.pages)
        self.picture = PictureView(self.pages)
        self._bytes = Later(self.pages, self._make_bytes)
        self._settle = self._timer(_SETTLE_MS, self._read)
        self._slow = self._timer(_SLOW_MS, self._say_slow)
        self._lay_out()
        self.bar.sort_chosen.connect(self._choose)
        self.bar.codec_chosen.connect(self._read)
        self.bar.find_asked.connect(self.open_find)
        self.text.failed.connect(self._fail)
        self.waiting.button.clicked.connect(self._stop)
        self.say("Nothing is selected", "Select a file to see what is in it.")

    def _timer(self, milliseconds: int, act: Act) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(act)
        return timer

    def _lay_out(self) -> None:
        for page in (self._blank, self.empty, self.waiting, self.text, self.picture, self._bytes.place):
            self.pages.addWidget(page)
        self.pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.pages.setMinimumHeight(_LEAST_LINES * self.fontMetrics().height())
        note = QHBoxLayout()
        note.setContentsMargins(Space.MEDIUM, 0, Space.MEDIUM, Space.TINY)
        note.addWidget(self.note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addLayout(note)
        layout.addWidget(self.pages, 1)

    def _make_bytes(self, parent: QWidget) -> "BytesView":
        from gui.panels.bytes_view import BytesView

        found = BytesView(parent)
        found.copied.connect(self.copied)
        return found

    @property
    def bytes(self) -> "BytesView":
        """Most files are no bytes to a person, so what shows them is made when the first is."""
        return self._bytes.content

    # ------------------------------------------------------------------------------------------------ showing

    def show_file(self, subject: Subject) -> None:
        """Show what is in a file, as soon as it is read."""
        before = self.subject
        if before is not None and replace(subject, doubt=before.doubt) == before:
            self.subject = subject
            self._tell_notes()
            return
        self._forget()
        self.subject = subject
        self.pages.setCurrentWidget(self._blank)
        self._settle.start()
        self._slow.start()

    def say(self, headline: str, sentence: str = "", button: str = "", act: Act | None = None) -> None:
        """Show words in the place of a file; the button calls ``act``."""
        self._forget()
        self._say(headline, sentence, button, act)
        self.shown.emit()

    def enter(self) -> None:
        """Put the keyboard on what is in the file, as soon as that is shown.

        This has no focus proxy for it, because then the way of Tab would not lead through the bar.
        """
        self._is_awaited = self.subject is not None and self.preview is None
        page = self.pages.currentWidget()
        if page in (self.text, self.picture, self._bytes.place):
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _say(self, headline: str, sentence: str = "", button: str = "", act: Act | None = None) -> None:
        self._slow.stop()
        self.empty.say(headline, sentence, button, act)
        self.pages.setCurrentWidget(self.empty)

    def _forget(self) -> None:
        self.subject = self.preview = None
        self._is_awaited = False
        self._settle.stop()
        self._slow.stop()
        self._reading.drop()
        self.note.say("")
        self.bar.offer(None)
        self.text.clear()
        self.picture.show_picture(None)
        if self._bytes.is_made:
            self.bytes.clear()

    # ------------------------------------------------------------------------------------------------ reading

    @Slot()
    @Slot(str)
    def _read(self, codec: str = "") -> None:
        """Ask for the beginning of the file."""
        subject, wanted = self.subject, Sort.TEXT if codec else self._wanted
        if subject is None:
            return

        def work(progress: Progress) -> Preview:
            return previewing.read_preview(
                subject.contents, subject.entry, subject.name, progress, wanted=wanted, codec=codec
            )

        self._slow.start()
        subject.run(self._reading, "Reading", work, self._show, self._fail)

    @Slot(object)
    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Refused):  # and will be the next time
            self._say("It cannot be shown", text.error_sentence(error))
        else:
            self._say("It cannot be read", text.error_sentence(error), "Try again", self._read)
        self.shown.emit()

    @Slot()
    def _stop(self) -> None:
        """Read no further."""
        self._reading.drop()
        self._say("Reading was stopped", "", "Read the file", self._read)

    @Slot()
    def _say_slow(self) -> None:
        if self._reading.busy and self.preview is None:
            self.pages.setCurrentWidget(self.waiting)

    def _show(self, preview: Preview) -> None:
        subject = self.subject
        assert subject is not None
        self._slow.stop()
        self.preview = preview
        self.bar.offer(preview, describe(preview.picture) if preview.picture is not None else "")
        self._tell_notes()
        if not preview.size:
            self._say("The file is empty")
        elif preview.picture is not None:
            self.picture.show_picture(preview.picture)
            self.pages.setCurrentWidget(self.picture)
        elif preview.text is not None:
            self.text.show_text(subject, preview, preview.text)
            self.pages.setCurrentWidget(self.text)
        else:
            self.bytes.show_source(subject.bytes(preview.size))
            self.pages.setCurrentWidget(self._bytes.place)
        if self._is_awaited:
            self.enter()
        self.shown.emit()

    def _tell_notes(self) -> None:
        doubt = self.subject.doubt if self.subject is not None else ""
        note = self.preview.note if self.preview is not None else ""
        self.note.say(" ".join(filter(None, (doubt, note))), Role.WARNING if doubt else Role.MUTED)

    # ---------------------------------------------------------------------------------------------- the person

    @Slot(object)
    def _choose(self, sort: Sort) -> None:
        """See this file, and those after it, as something else."""
        self._wanted = sort
        self._read()
        if sort is Sort.TEXT:
            self._wanted = None  # or what is no text would be shown as one

    @Slot()
    def open_find(self) -> None:
        """Open the find bar, or go to it, where there is something to find in."""
        if self.pages.currentWidget() is self.text:
            self.text.find_bar.open()
        elif self.pages.currentWidget() is self._bytes.place:
            self.bytes.open_find()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+F finds; Escape closes the find bar, and then goes back."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.open_find()
        elif event.key() == Qt.Key.Key_Escape and not self.text.close_find():
            self.left.emit()
        elif event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
