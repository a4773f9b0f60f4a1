"""The text of a file: its beginning, and more of it when somebody asks; its colours come when they are known."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.progress import Progress
from gui import text
from gui.panels import highlighting, previewing
from gui.panels.find_bar import FindBar
from gui.panels.highlighting import Inks
from gui.panels.newest import Newest
from gui.panels.preview_bar import CutBar
from gui.panels.previewing import Preview, Sort, TextPart
from gui.panels.subject import Subject
from gui.panels.text_pane import TextPane


class FileText(QWidget):
    """A text, a line to find words in it, and one that says how much of it is shown."""

    failed = Signal(object)
    """More of it could not be read; why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self._preview: Preview | None = None
        self._part: TextPart | None = None
        """The last part that was read."""
        self._content, self._lines = "", 0
        self._reading, self._colouring = Newest(self), Newest(self)
        self.pane = TextPane(self)
        self.find_bar = FindBar(self.pane, self)
        self.find_bar.hide()
        self.cut = CutBar(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.pane, 1)
        layout.addWidget(self.find_bar)
        layout.addWidget(self.cut)
        self.setFocusProxy(self.pane)
        self.cut.button.clicked.connect(self._read_more)

    def show_text(self, subject: Subject, preview: Preview, part: TextPart) -> None:
        """Show the text of a file, as it is stored or reformatted."""
        self.clear()
        self._subject, self._preview = subject, preview
        is_json = Sort.REFORMATTED in preview.sorts
        self._part, self._content, self._lines = part, part.content, part.content.count("\n")
        content = preview.reformatted if preview.sort is Sort.REFORMATTED else self._content
        self.pane.show_file(content, is_json=is_json)
        self._tell_cut()
        if not is_json:
            self._colour()

    def clear(self) -> None:
        """Drop what is still to come."""
        self._subject = None
        self._reading.drop()
        self._colouring.drop()
        self.find_bar.hide()

    def close_find(self) -> bool:
        """Close the find bar; whether it was open."""
        was_open = self.find_bar.isVisible()
        if was_open:
            self.find_bar.close_bar()
        return was_open

    @Slot()
    def _read_more(self) -> None:
        """Read the next part and show it below the others."""
        subject, part = self._subject, self._part
        if subject is None or part is None or self._reading.busy:
            return

        def work(progress: Progress) -> TextPart:
            return previewing.read_more(subject.contents, subject.entry, part, progress)

        subject.run(self._reading, "Reading", work, self._add, self.failed.emit)

    def _add(self, part: TextPart) -> None:
        has_colours = len(self._content) >= highlighting.MOST
        self._part = part
        self._content += part.content
        self._lines += part.content.count("\n")
        self.pane.extend(self._content)
        self._tell_cut()
        if not has_colours:
            self._colour()

    def _tell_cut(self) -> None:
        """Say how much is shown where that is not all, and offer more as long as there may be more."""
        preview, part = self._preview, self._part
        if preview is None or part is None or part.is_last or preview.sort is Sort.REFORMATTED:
            self.cut.hide()
            return
        can_grow = part.used < previewing.MOST_TEXT and self._lines < previewing.MOST_LINES
        words = f"The first {text.size(part.used)} of {text.size(preview.size)}."
        self.cut.tell(words if can_grow else f"{words} The rest can be seen as bytes, or be extracted.", can_grow)

    def _colour(self) -> None:
        """Have the language of the text found out, and its colours."""
        subject, content = self._subject, self._content
        if subject is None:
            return

        def work(progress: Progress) -> Inks:
            return highlighting.find_inks(subject.name, content, progress)

        subject.run(self._colouring, "Highlighting", work, self.pane.set_inks, lambda _error: None)
