"""What is in a file of an image: its text, its picture, or its bytes."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from engine.progress import Progress
from gui import text
from gui.bytesource import ByteSource
from gui.jobs import JobRunner
from gui.note import Note
from gui.panels import highlighting, previewing
from gui.panels.empty_place import EmptyPlace
from gui.panels.find_bar import FindBar
from gui.panels.newest import Newest
from gui.panels.picture_view import PictureView, describe
from gui.panels.preview_bar import CutBar, PreviewBar, Waiting
from gui.panels.previewing import Preview, Sort, TextPart
from gui.panels.text_pane import TextPane
from gui.theme import Role, Space

if TYPE_CHECKING:
    from engine.contents import Contents
    from gui.panels.bytes_view import BytesView

_BYTES = "gui.panels.bytes_view"
Result = TypeVar("Result")
Act = Callable[[], object]

_SETTLE_MS = 60
"""Who walks through the rows does not want to see what is in each."""
_QUIET_MS = 500
"""How long after a file is shown there is time for what the next may need."""
_LEAST_LINES = 4
"""Lines of a text that there is always room for."""
_SLOW_MS = 250
"""What takes longer than this is said to be on its way."""


@dataclass(frozen=True)
class Subject:
    """A file to look into: where its bytes come from, its entry there, its name, and whose jobs reading it are."""

    contents: "Contents"
    entry: int
    name: str
    runner: JobRunner
    store: str
    doubt: str = ""
    """Why it may not be what it should be."""


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
        self._part: TextPart | None = None
        """The last part of its text that was read."""
        self._content, self._lines = "", 0
        self._is_awaited = False
        """Whether the keyboard is to go into it as soon as it is there."""
        self._wanted: Sort | None = None
        """What the person wants to see files as."""
        self._reading, self._colouring = Newest(self), Newest(self)
        self.bar = PreviewBar(self)
        self.note = Note(self)
        self.pages = QStackedWidget(self)
        self._blank = QWidget(self.pages)
        self.empty = EmptyPlace(self.pages)
        self.waiting = Waiting(self.pages)
        self.text = TextPane(self.pages)
        self.picture = PictureView(self.pages)
        self._bytes: BytesView | None = None
        self.find_bar = FindBar(self.text, self)
        self.cut = CutBar(self)
        self._settle = self._timer(_SETTLE_MS)
        self._slow = self._timer(_SLOW_MS)
        self._lay_out()
        self._settle.timeout.connect(self._read)
        self._slow.timeout.connect(self._say_slow)
        self.bar.sort_chosen.connect(self._choose)
        self.bar.codec_chosen.connect(self._read)
        self.bar.find_asked.connect(self.open_find)
        self.cut.button.clicked.connect(self._read_more)
        self.waiting.button.clicked.connect(self._stop)
        self.say("Nothing is selected", "Select a file to see what is in it.")

    def _timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        return timer

    def _lay_out(self) -> None:
        for page in (self._blank, self.empty, self.waiting, self.text, self.picture):
            self.pages.addWidget(page)
        self.pages.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.pages.setMinimumHeight(_LEAST_LINES * self.fontMetrics().height())
        self.find_bar.hide()
        note = QHBoxLayout()
        note.setContentsMargins(Space.MEDIUM, 0, Space.MEDIUM, Space.TINY)
        note.addWidget(self.note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addLayout(note)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.find_bar)
        layout.addWidget(self.cut)

    # ------------------------------------------------------------------------------------------------ showing

    def show_file(self, subject: Subject) -> None:
        """Show what is in a file, as soon as it is read."""
        if subject == self.subject:
            return
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

    def _say(self, headline: str, sentence: str = "", button: str = "", act: Act | None = None) -> None:
        self._slow.stop()
        self.empty.say(headline, sentence, button, act)
        self.pages.setCurrentWidget(self.empty)

    def enter(self) -> None:
        """Put the keyboard on what is in the file, as soon as that is shown.

        This has no focus proxy for it, because then the way of Tab would not lead through the bar.
        """
        self._is_awaited = self.subject is not None and self.preview is None
        page = self.pages.currentWidget()
        if page not in (self._blank, self.empty, self.waiting):
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _forget(self) -> None:
        self.subject = self.preview = self._part = None
        self._content, self._lines = "", 0
        self._is_awaited = False
        self._settle.stop()
        self._slow.stop()
        self._reading.drop()
        self._colouring.drop()
        self.find_bar.hide()
        self.note.say("")
        self.cut.hide()
        self.bar.offer(None)
        self.picture.show_picture(None)
        if self._bytes is not None:
            self._bytes.clear()

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
        self._ask(work, self._show)

    def _ask(self, work: Callable[[Progress], Result], then: Callable[[Result], object]) -> None:
        subject = self.subject
        if subject is not None:
            title = f"Reading {text.plain(subject.name)}"
            self._reading.run(subject.runner, subject.store, title, work, then, self._fail)

    def _fail(self, error: BaseException) -> None:
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
        self._slow.stop()
        self.preview, self._part = preview, preview.text
        self._content = preview.text.content if preview.text is not None else ""
        self._lines = self._content.count("\n")
        self.bar.offer(preview, describe(preview.picture) if preview.picture is not None else "")
        self._tell_notes()
        self.find_bar.hide()
        if not preview.size:
            self._say("The file is empty")
        elif preview.picture is not None:
            self.picture.show_picture(preview.picture)
            self.pages.setCurrentWidget(self.picture)
        elif preview.text is not None:
            self._show_text(preview)
        elif self.subject is not None:
            self._show_bytes(self.subject, preview.size)
        self._tell_cut()
        if self._is_awaited:
            self.enter()
        self.shown.emit()
        QTimer.singleShot(_QUIET_MS, self, _know_bytes)

    def _tell_notes(self) -> None:
        doubt = self.subject.doubt if self.subject is not None else ""
        note = self.preview.note if self.preview is not None else ""
        self.note.say(" ".join(filter(None, (doubt, note))), Role.WARNING if doubt else Role.MUTED)

    def _show_text(self, preview: Preview) -> None:
        is_reformatted = preview.sort is Sort.REFORMATTED
        content = preview.reformatted if is_reformatted else self._content
        self.text.show_file(content, is_json=Sort.REFORMATTED in preview.sorts)
        self.pages.setCurrentWidget(self.text)
        self._colour()

    def _show_bytes(self, subject: Subject, size: int) -> None:
        if self._bytes is None:
            self._bytes = self._make_bytes()
        contents, entry = subject.contents, subject.entry

        def read(offset: int, length: int, progress: Progress) -> bytes:
            return b"".join(contents.stream(entry, progress, offset=offset, length=length))

        name = text.plain(subject.name)
        self._bytes.show_source(ByteSource(subject.runner, size, read, name=name, store=subject.store, stamp=subject))
        self.pages.setCurrentWidget(self._bytes)

    def _make_bytes(self) -> "BytesView":
        """Most files are no bytes to a person, so the view of them is made when the first is."""
        from gui.panels.bytes_view import BytesView

        found = BytesView(self.pages)
        found.copied.connect(self.copied)
        self.pages.addWidget(found)
        return found

    # --------------------------------------------------------------------------------------------- more of a text

    @Slot()
    def _read_more(self) -> None:
        """Read the next part of the text and show it below the others."""
        subject, part = self.subject, self._part
        if subject is None or part is None or self._reading.busy:
            return

        def work(progress: Progress) -> TextPart:
            return previewing.read_more(subject.contents, subject.entry, part, progress)

        self._ask(work, self._show_more)

    def _show_more(self, part: TextPart) -> None:
        self._part = part
        self._content += part.content
        self._lines += part.content.count("\n")
        self.text.extend(self._content)
        self._tell_cut()
        self._colour()
        self.shown.emit()

    def _tell_cut(self) -> None:
        """Say how much of a text is shown where that is not all, and offer more as long as there may be more."""
        preview, part = self.preview, self._part
        if preview is None or part is None or part.is_last or preview.sort is not Sort.TEXT:
            self.cut.hide()
            return
        can_grow = part.used < previewing.MOST_TEXT and self._lines < previewing.MOST_LINES
        words = f"The first {text.size(part.used)} of {text.size(preview.size)}."
        self.cut.tell(words if can_grow else f"{words} The rest can be seen as bytes, or be extracted.", can_grow)

    def _colour(self) -> None:
        """Have the language of the text found out, and its colours."""
        subject, content = self.subject, self._content
        if subject is None or self.preview is None or Sort.REFORMATTED in self.preview.sorts:
            return

        def work(progress: Progress) -> highlighting.Inks:
            return highlighting.find_inks(subject.name, content, progress)

        self._colouring.run(
            subject.runner, subject.store, "Highlighting", work, self.text.set_inks, lambda _error: None
        )

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
            self.find_bar.open()
        elif self._bytes is not None and self.pages.currentWidget() is self._bytes:
            self._bytes.open_find()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+F finds; Escape closes the find bar, and then goes back."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.open_find()
        elif event.key() == Qt.Key.Key_Escape and self.find_bar.isVisible():
            self.find_bar.close_bar()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def _know_bytes() -> None:
    """Importing what shows bytes and making it takes longer at a stretch than the window may be busy."""
    importlib.import_module(_BYTES)
