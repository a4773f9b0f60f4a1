"""The head of the inspector: how one came here, what it is, its digest and its state."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from engine.digest import shorten
from engine.snapshot import STRAY, Kind, State
from gui import icons, text, theme
from gui.panels import naming
from gui.panels.naming import Crumb
from gui.panels.standing import standing
from gui.session import Selection
from gui.theme import Space
from gui.widgets import CopyButton, ElidedLabel, plain_label, set_tooltip

_BETWEEN = "›"


class InspectorHeader(QWidget):
    """Names what is inspected. ``followed`` carries the ``Selection`` of a step of the breadcrumb."""

    followed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._kind: Kind | None = None
        self._state: State | None = None
        self.breadcrumb = Breadcrumb(self)
        self.breadcrumb.chosen.connect(self._follow)
        self._icon = plain_label("", parent=self)
        self.name = ElidedLabel("", self)
        self.name.setFont(theme.heading_font())
        self.name.setMinimumHeight(self.name.fontMetrics().height())
        self.what = plain_label("")
        self.what.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.digest = plain_label("", selectable=True)
        self.digest.setFont(theme.fixed_font())
        self.copy_button = CopyButton("digest", self._digest, self)
        self._state_icon = plain_label("", parent=self)
        self.state = plain_label("")
        theme.current().changed.connect(self._draw)
        self._lay_out()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(Space.SMALL)
        first.addWidget(self._icon)
        first.addWidget(self.name, 1)
        second = QHBoxLayout()
        second.setSpacing(Space.SMALL)
        for widget in (self.what, self.digest, self.copy_button):
            second.addWidget(widget)
        second.addStretch(1)
        state = QHBoxLayout()
        state.setSpacing(Space.TINY)
        state.addWidget(self._state_icon)
        state.addWidget(self.state)
        second.addLayout(state)
        layout = QVBoxLayout(self)
        # The buttons of the breadcrumb have a padding of their own, so that all words begin above each other.
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.LARGE, Space.TINY)
        layout.setSpacing(Space.TINY)
        layout.addWidget(self.breadcrumb)
        for row in (first, second):
            row.setContentsMargins(Space.TINY, 0, 0, 0)
            layout.addLayout(row)

    def show_selection(self, selection: Selection) -> None:
        """Name what is selected."""
        self._selection = selection
        self.refresh()

    def show_several(self, count: int) -> None:
        """Say how many things are selected."""
        self._selection = None
        self._kind = self._state = None
        self.breadcrumb.show_crumbs(())
        self._tell(text.count(count, "blob") + " selected", "", "")

    def refresh(self) -> None:
        """Name it again: its state, or the store, is different."""
        selection = self._selection
        if selection is None:
            return
        snapshot = selection.session.snapshot
        row = snapshot.find(selection.digest) if snapshot is not None and selection.digest else -1
        if snapshot is None or row < 0:
            self._kind = self._state = None
            self.breadcrumb.show_crumbs(())
            if selection.session.is_own_document(selection.digest):
                self._tell(selection.digest, "of the layout itself", "")
                return
            name = shorten(selection.digest) if selection.digest else "Entry without a digest"
            self._tell(text.plain(name), "", selection.digest)
            return
        self._kind, found = naming.kind_of(snapshot, row), standing(selection.session, row)
        self._state = found.state
        crumbs = naming.path_to(snapshot, row, selection.entry_position)
        self.breadcrumb.show_crumbs(crumbs[:-1])
        is_stray = snapshot.has(row, STRAY)
        name = crumbs[-1].words if len(crumbs) > 1 else self._own_name(selection, row)
        name, word = naming.capital(name), text.KINDS[self._kind].word
        self._tell(
            name,
            "" if name.lower().startswith(word.lower()) else word,
            "" if is_stray else selection.digest,
            found.words,
        )

    def _own_name(self, selection: Selection, row: int) -> str:
        snapshot, position = selection.session.snapshot, selection.entry_position
        assert snapshot is not None
        if position is not None and position < len(snapshot.entries):
            entry = snapshot.entries[position]
            if entry.row == row and entry.names:
                return naming.entry_name(entry)
        return naming.row_name(snapshot, row)

    def _tell(self, name: str, what: str, digest: str, state_words: str = "") -> None:
        self.name.set_text(name)
        self.what.setText(what)
        self.what.setVisible(bool(what))
        self.digest.setText(text.plain(shorten(digest)))
        set_tooltip(self.digest, digest)
        self.digest.setVisible(bool(digest))
        self.copy_button.setVisible(bool(digest))
        state = self._state
        self.state.setText(state_words)
        sentence = text.STATES[state].sentence if state is not None else ""
        self.state.setAccessibleName(f"State: {self.state.text()}. {sentence}" if state is not None else "")
        for label in (self.state, self._state_icon):
            set_tooltip(label, sentence)
            label.setVisible(state is not None)
        self._draw()

    @Slot()
    def _draw(self) -> None:
        """Glyphs and colours, which follow the theme."""
        ratio = self.devicePixelRatioF()
        if self._kind is not None:
            self._icon.setPixmap(icons.kind_icon(self._kind).pixmap(icons.TOOLBAR_SIZE, ratio))
            self._icon.setAccessibleName(text.KINDS[self._kind].word)
        self._icon.setVisible(self._kind is not None)
        if self._state is not None:
            self._state_icon.setPixmap(icons.state_icon(self._state).pixmap(icons.LIST_SIZE, ratio))
            self._state_icon.setAccessibleName(text.STATES[self._state].word)
            palette = self.state.palette()
            palette.setColor(QPalette.ColorRole.WindowText, theme.state_colour(self._state))
            self.state.setPalette(palette)

    def _digest(self) -> str:
        return self._selection.digest if self._selection is not None else ""

    @Slot(object)
    def _follow(self, digest: str) -> None:
        selection = self._selection
        if selection is not None:
            self.followed.emit(Selection(selection.session, digest, selection.entry_position))


class Breadcrumb(QWidget):
    """The way to what is inspected, each step to be gone back to. ``chosen`` carries its digest."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._crumbs: Sequence[Crumb] = ()
        self._buttons: list[QToolButton] = []
        self._between: list[QLabel] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(Space.TINY)
        self._row.addStretch(1)
        self.setAccessibleName("The way here")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_crumbs(self, crumbs: Sequence[Crumb]) -> None:
        """Show another way."""
        if crumbs == self._crumbs:
            return
        self._crumbs = crumbs
        while len(self._buttons) < len(crumbs):
            self._add_button()
        for number, (button, between) in enumerate(zip(self._buttons, self._between, strict=True)):
            is_there = number < len(crumbs)
            button.setVisible(is_there)
            between.setVisible(is_there)
            if is_there:
                button.setAccessibleName(f"Go to {crumbs[number].words}")
                set_tooltip(button, crumbs[number].words)
        self.setVisible(bool(crumbs))
        self._fit()

    def _add_button(self) -> None:
        button = QToolButton(self)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        number = len(self._buttons)
        button.clicked.connect(lambda _checked=False: self.chosen.emit(self._crumbs[number].digest))
        between = plain_label(_BETWEEN, parent=self)
        between.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._buttons.append(button)
        self._between.append(between)
        self._row.insertWidget(2 * number, button)
        self._row.insertWidget(2 * number + 1, between)

    def _fit(self) -> None:
        """Leave out the middle of steps that are too long for their share."""
        if not self._crumbs:
            return
        share = max(Space.HUGE * 2, self.width() // len(self._crumbs) - Space.HUGE)
        for button, crumb in zip(self._buttons, self._crumbs, strict=False):
            shown = button.fontMetrics().elidedText(crumb.words, Qt.TextElideMode.ElideMiddle, share)
            button.setText(text.escape_mnemonics(shown))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
