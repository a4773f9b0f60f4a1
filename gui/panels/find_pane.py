"""Find in all images: which layers of which images have a path, and what became of it there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.digest import shorten
from gui import text
from gui.finding import Finding, Question
from gui.models.found_table import FoundTable, Place
from gui.panels import naming
from gui.panels.empty_place import EmptyPlace
from gui.panels.fate_toggles import FateToggles
from gui.panels.find_line import FindLine
from gui.panels.find_notes import FindNotes
from gui.panels.found_view import FoundView
from gui.session import Session
from gui.settings import Settings
from gui.theme import Space
from gui.widgets import icon_button, plain_label, set_tooltip

if TYPE_CHECKING:  # what reads layers is imported by the workers
    from engine.finding import Found

_HINT = (
    "Type a part of a path, or a pattern: with * ? or [..] it is a whole name such as *.so, and with a slash in it a "
    "whole path such as etc/**/*.conf."
)
_FULL = 1000
"""Steps of the bar; bytes do not fit into its 32 bits."""
_MOST_LINES = 1000
"""Layers that are named of those that could not be read."""


class FindPane(QWidget):
    """A line to type into, the results as a table, and what could not be read."""

    led = Signal(object, bool)
    """The person wants to see this ``Place``; and whether the keyboard is to go there."""
    closed = Signal()
    copied = Signal(str)

    def __init__(self, session: Session, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._finding: Finding = session.finding
        self._settings = settings
        self.setAccessibleName("Find in all images")
        self.line = FindLine(self)
        self.match_case = QToolButton(self)
        self.fates = FateToggles(self)
        self.progress = QProgressBar(self)
        self.count = plain_label("", parent=self)
        self.stop = icon_button("cancel", "Stop searching", self)
        self._places = QStackedWidget(self)
        self.model = FoundTable(self._finding.runner, self._name_of, self)
        self.view = FoundView(self.model, settings, self._places)
        self.empty = EmptyPlace(self._places)
        self.unread = QPlainTextEdit(self._places)
        self.notes = FindNotes(self)
        self._lay_out()
        self._dress()
        self.line.set_history(settings.finds())
        self.match_case.setChecked(settings.find_match_case)
        self._connect()
        session.snapshotChanged.connect(self._show)
        self._show()

    def _lay_out(self) -> None:
        close = icon_button("close", "Close (Escape)", self)
        close.clicked.connect(self.closed)
        first = QHBoxLayout()
        first.setContentsMargins(*[Space.SMALL] * 4)
        first.setSpacing(Space.TINY)
        first.addWidget(self.line, 1)
        for widget in (self.match_case, self.fates, self.count, self.stop, close):
            first.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(first)
        layout.addWidget(self.progress)
        layout.addWidget(self._places, 1)
        layout.addWidget(self.notes)
        self._places.addWidget(self.view)
        self._places.addWidget(self.empty)
        self._places.addWidget(self.unread)
        # A low window is for what is asked in it; the results take what is left.
        self._places.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)

    def _dress(self) -> None:
        self.match_case.setText("Aa")
        self.match_case.setCheckable(True)
        self.match_case.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.match_case.setAccessibleName("Match case")
        set_tooltip(self.match_case, "Match case: capitals make a difference")
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Searching")
        self.count.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.count.setAccessibleDescription("How much was found")
        self.unread.setReadOnly(True)
        self.unread.setTabChangesFocus(True)
        self.unread.setAccessibleName("Layers that could not be read whole")

    def _connect(self) -> None:
        finding = self._finding
        finding.begun.connect(self._begin)
        finding.found.connect(self._add)
        finding.changed.connect(self._show)
        finding.progressed.connect(self._show_progress)
        self.line.asked.connect(self._ask)
        self.line.entered.connect(self._enter)
        self.line.left.connect(self.view.begin)
        self.match_case.toggled.connect(self._choose_case)
        self.fates.changed.connect(self._choose_fates)
        self.stop.clicked.connect(finding.stop)
        self.notes.asked_again.connect(self._ask_again)
        self.notes.which_asked.connect(self._show)
        self.view.led.connect(self._lead)
        self.view.left.connect(self.focus)
        self.view.copied.connect(self.copied)

    # ------------------------------------------------------------------------------------------------ for others

    @Slot()
    def focus(self) -> None:
        """Put the cursor into the line, with what was typed selected."""
        self.line.focus()

    def look_for(self, words: str) -> None:
        """Look for this now."""
        self.line.setText(words)
        self._enter()

    def put_away(self) -> None:
        """The pane is closed: what is still searched is not wanted any more."""
        self._finding.stop()

    def save_state(self) -> None:
        """Remember the columns."""
        self.view.columns.save()

    # ------------------------------------------------------------------------------------------------ asking

    @property
    def _question(self) -> Question:
        return Question(self.line.words, self.match_case.isChecked())

    @Slot()
    def _ask(self) -> None:
        """There was a pause in the typing."""
        if self.line.is_enough and self._question != self._finding.question:
            self._finding.ask(self._question)

    @Slot()
    def _enter(self) -> None:
        """Search now; when that was done, go on in the list."""
        self._remember()
        if self._question != self._finding.question or self._finding.stopped or self._finding.is_past:
            self._finding.ask(self._question)
        else:
            self.view.begin()

    @Slot()
    def _ask_again(self) -> None:
        self._finding.ask(self._question)

    @Slot(bool)
    def _choose_case(self, chosen: bool) -> None:
        self._settings.find_match_case = chosen
        if self._finding.question is not None and self.line.words:
            self._finding.ask(self._question)

    @Slot()
    def _choose_fates(self) -> None:
        self.model.show_fates(self.fates.wanted)
        self._show()

    def _remember(self) -> None:
        """What somebody has looked for can be looked for again."""
        if self.line.remember(self.line.words):
            self._settings.set_finds(self.line.history)

    # ------------------------------------------------------------------------------------------------ showing

    @Slot()
    def _begin(self) -> None:
        self.model.begin(self._finding.images)
        self.view.scrollToTop()

    @Slot(object)
    def _add(self, found: "Sequence[Found]") -> None:
        self.model.add(found)
        self._show()

    @Slot()
    def _show(self) -> None:
        """Say how the search stands."""
        finding = self._finding
        running = finding.job is not None
        if self.stop.isVisibleTo(self) and not running:
            self._announce()
        self.stop.setVisible(running)
        self.progress.setVisible(running)
        self.line.setEnabled(finding.can_search)
        self.match_case.setEnabled(finding.can_search)
        if not running:
            self.model.settle()
        self._count()
        self.fates.show_counts(self.model.counts())
        self.notes.tell(finding)
        if self.notes.which.isChecked():
            self._say_unread()
            self._places.setCurrentWidget(self.unread)
        elif self.model.rowCount():
            self._places.setCurrentWidget(self.view)
        else:
            self._say_empty()
            self._places.setCurrentWidget(self.empty)
        self._show_progress()

    def _count(self) -> None:
        searched, rows = self._finding.searched, self.model.rowCount()
        words = text.number(rows) if rows else ""
        tip = ""
        if searched is not None and searched.total:
            if searched.total > searched.told:
                words = f"{text.number(searched.told)} of {text.number(searched.total)}"
                tip = "There is no room for more: say more exactly what you look for to see the others."
            words += f" in {text.count(searched.images, 'image')}"
        self.count.setText(words)
        set_tooltip(self.count, tip)

    def _announce(self) -> None:
        """Let a screen reader say how the search ended."""
        if QAccessible.isActive():
            self._count()
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.count.text() or "Nothing found"))

    def _say_empty(self) -> None:
        finding = self._finding
        if not finding.can_search:
            self.empty.say(
                "There are no layers in here",
                "Docker keeps the files of its images unpacked, in folders of its storage driver. "
                "Save an image as an OCI layout to look into it.",
            )
        elif finding.question is None or not finding.question.words:
            self.empty.say("Which image has that file?", _HINT)
        elif any(self.model.counts().values()):
            self.empty.say("Nothing of what was found is shown", "", "Show everything", self.fates.show_everything)
        elif finding.job is not None or (finding.searched is None and not (finding.stopped or finding.error)):
            self.empty.say("Searching …")
        elif finding.error is not None:
            self.empty.say("The search came to no end", text.error_sentence(finding.error), "Again", self._ask_again)
        elif finding.stopped:
            self.empty.say("Nothing was found before the search was stopped", "", "Search on", self._ask_again)
        elif not finding.images:
            self.empty.say("There are no images with layers in this store")
        else:
            where = text.count(len(finding.images), "image")
            self.empty.say("No path matches", f"{where} {'was' if len(finding.images) == 1 else 'were'} looked into.")

    def _say_unread(self) -> None:
        """Say which layers could not be read, and why."""
        unread = self._finding.unread
        lines = [
            f"{shorten(each.digest)}, in {text.count(each.images, 'image')}: {text.plain(each.sentence)}"
            for each in unread[:_MOST_LINES]
        ]
        if len(unread) > _MOST_LINES:
            lines.append(f"and {text.number(len(unread) - _MOST_LINES)} more")
        told = "\n".join(lines)
        if told != self.unread.toPlainText():
            self.unread.setPlainText(told)

    @Slot()
    def _show_progress(self) -> None:
        job = self._finding.job
        fraction = job.fraction if job is not None else None
        self.progress.setRange(0, 0 if fraction is None else _FULL)
        if fraction is not None:
            self.progress.setValue(round(fraction * _FULL))

    def _name_of(self, digest: str) -> str:
        """What people call an image: its name, with its platform where the name is that of several."""
        snapshot = self._finding.snapshot
        row = snapshot.find(digest) if snapshot is not None else -1
        return naming.row_name(snapshot, row) if snapshot is not None and row >= 0 else text.plain(digest)

    # --------------------------------------------------------------------------------------------- from the list

    @Slot(object, bool)
    def _lead(self, place: Place, keyboard: bool) -> None:
        self._remember()
        self.led.emit(place, keyboard)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
