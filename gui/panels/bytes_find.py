"""Finds bytes: a line for text or for hexadecimal digits, and the way to the next and the previous place."""

import re
from collections.abc import Callable
from enum import IntEnum

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from engine.bytesearch import find_bytes
from engine.progress import Progress
from gui import text
from gui.bytesource import ByteSource
from gui.jobs import Job
from gui.panels.hex_view import HexView
from gui.theme import Role, Space
from gui.widgets import give_clear_button, icon_button, plain_label

_TICK_MS = 100
_LONGEST = 4096
"""Bytes that can be looked for."""
_SEPARATORS = re.compile(r"0x|[\s,:_-]", re.IGNORECASE)


class Way(IntEnum):
    """How what is written is meant."""

    TEXT = 0
    EXACT = 1
    HEX = 2


_WORDS = {Way.TEXT: "Text", Way.EXACT: "Text, case as written", Way.HEX: "Hexadecimal"}


def bytes_of(words: str, way: Way) -> bytes | str:
    """The bytes that somebody wrote; else a sentence that says why there are none."""
    if way is not Way.HEX:
        found = words.encode("utf-8", "surrogateescape")
    else:
        digits = _SEPARATORS.sub("", words)
        if re.fullmatch("[0-9a-fA-F]*", digits) is None:
            return "Only the digits 0 to 9 and a to f are hexadecimal."
        if len(digits) % 2:
            return "A byte has two digits."
        found = bytes.fromhex(digits)
    return found if len(found) <= _LONGEST else f"At most {text.number(_LONGEST)} bytes can be looked for."


class BytesFind(QWidget):
    """Finds in what a ``HexView`` shows, as far as that is, in a job that can be stopped."""

    said = Signal(str, object)
    """A sentence for the note of the panel, and its ``Role``; an empty one takes it back."""

    def __init__(self, view: HexView, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        self._source: ByteSource | None = None
        self._job: Job | None = None
        self._last = b"", False
        self.line = QLineEdit(self)
        self.line.setAcceptDrops(False)  # a file is for the window
        self.line.setPlaceholderText("Find in these bytes")
        self.line.setAccessibleName("Find in these bytes")
        give_clear_button(self.line, "Clear the words")
        self.line.textChanged.connect(self._forget)
        self.way = QComboBox(self)
        self.way.setAccessibleName("What to find")
        for way, words in _WORDS.items():
            self.way.addItem(words, way)
        self.way.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.way.setMinimumContentsLength(8)
        self.way.currentIndexChanged.connect(self._forget)
        self.told = plain_label("", parent=self)
        self.told.setAccessibleDescription("What was found")
        previous = icon_button("previous", "Previous (Shift+Enter, Shift+F3)", self)
        previous.clicked.connect(self.go_to_previous)
        following = icon_button("next", "Next (Enter, F3)", self)
        following.clicked.connect(self.go_to_next)
        self._stop = icon_button("cancel", "Stop looking (Escape)", self)
        self._stop.clicked.connect(self.stop)
        self._stop.hide()
        close = icon_button("close", "Close the find bar (Escape)", self)
        close.clicked.connect(self.close_bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        layout.setSpacing(Space.TINY)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.way)
        layout.addWidget(self.told)
        for button in (self._stop, previous, following, close):
            layout.addWidget(button)
        self._clock = QTimer(self)
        self._clock.setInterval(_TICK_MS)
        self._clock.timeout.connect(self._tell_progress)

    # ------------------------------------------------------------------------------------------------ the bar

    def open(self) -> None:
        """Show the bar with the cursor in it."""
        self.show()
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    @Slot()
    def close_bar(self) -> None:
        """Hide the bar; what was found stays selected."""
        self.stop()
        self.hide()
        self.said.emit("", Role.MUTED)
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def is_busy(self) -> bool:
        """Whether it is looking."""
        return self._job is not None

    @Slot()
    def stop(self) -> None:
        """Look no further."""
        job, self._job = self._job, None
        if job is not None and self._source is not None:
            self._source.cancel(job)
            self._end("stopped")

    @Slot()
    def go_to_next(self) -> None:
        self._look(backwards=False)

    @Slot()
    def go_to_previous(self) -> None:
        self._look(backwards=True)

    @Slot()
    def _forget(self) -> None:
        """Something else is wanted."""
        self.stop()
        self.told.setText("")
        self.said.emit("", Role.MUTED)

    def source_changed(self) -> None:
        """Other bytes are shown."""
        self.stop()
        self.told.setText("")
        self._last = b"", False

    # ------------------------------------------------------------------------------------------------ looking

    def _look(self, *, backwards: bool) -> None:
        source = self._view.source
        way = Way(self.way.currentData())
        wanted = bytes_of(self.line.text(), way)
        self.stop()
        if isinstance(wanted, str):
            self.said.emit(wanted, Role.BAD)
            return
        self.said.emit("", Role.MUTED)
        if source is None or not wanted:
            self.told.setText("")
            return
        start = self._view.selection[0]
        if not backwards and self._last == (wanted, way is Way.TEXT):
            start += 1  # where it was found before
        self._last = wanted, way is Way.TEXT
        self._source = source
        work = _search(source, wanted, start, backwards=backwards, any_case=way is Way.TEXT)
        self._stop.show()
        self.told.setText("looking…")
        self._clock.start()
        length = len(wanted)

        def came(tell: Callable[[], object]) -> None:
            if self._job is job:  # else another search has taken its place, or somebody has stopped it
                self._job = None
                tell()

        job = source.start(
            f"Finding in {source.name}",
            work,
            lambda found: came(lambda: self._found(*found, length)),
            lambda error: came(lambda: self._failed(error)),
            lambda: came(lambda: self._end("stopped")),  # in the strip of jobs
        )
        self._job = job

    def _found(self, place: int, is_again: bool, length: int) -> None:
        if place < 0:
            self._end("not found")
            return
        self._view.go_to(place, length)
        self._end("found, once around" if is_again else "found")

    def _failed(self, error: BaseException) -> None:
        self._end("")
        self.said.emit(text.error_sentence(error), Role.BAD)

    def _end(self, words: str) -> None:
        self._clock.stop()
        self._stop.hide()
        self.told.setText(words)

    @Slot()
    def _tell_progress(self) -> None:
        job = self._job
        if job is not None and job.fraction is not None:
            self.told.setText(f"looking… {int(job.fraction * 100)} %")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes on, Shift+Enter goes back, Escape stops, and then closes."""
        if event.key() == Qt.Key.Key_Escape:
            if self.is_busy:
                self.stop()
            else:
                self.close_bar()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._look(backwards=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)


def _search(
    source: ByteSource, wanted: bytes, start: int, *, backwards: bool, any_case: bool
) -> Callable[[Progress], tuple[int, bool]]:
    """Work that tells where the wanted is from there on, and whether it went around the end to find it."""

    def work(progress: Progress) -> tuple[int, bool]:
        def read(offset: int, length: int) -> bytes:
            return source.read(offset, length, progress)

        ranges = source.data_ranges(progress)
        again = source.size if backwards else 0
        for is_again, place in enumerate((start, again)):
            found = find_bytes(
                read,
                ranges,
                wanted,
                progress,
                start=place,
                size=source.size,
                backwards=backwards,
                any_case=any_case,
            )
            if found >= 0:
                return found, bool(is_again)
        return -1, True

    return work
