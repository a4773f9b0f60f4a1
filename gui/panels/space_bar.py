"""One line below the lists: what the bytes of the store are good for, and the way to their picture."""

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QHelpEvent, QIcon, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QToolTip, QWidget

from engine.snapshot import State
from engine.space import Tally, Use
from gui import icons, text, theme
from gui.panels.space_counts import SpaceCounts
from gui.panels.space_paper import Paper, Swatch, paint_paper
from gui.session import Session
from gui.theme import Role, Space
from gui.widgets import plain_label, set_tooltip

SHOWN = (Use.USED, Use.SHARED, Use.UNUSED, Use.BROKEN, Use.OTHER)
"""From left to right."""
WORDS = {Use.USED: "used", Use.SHARED: "shared", Use.UNUSED: "unused", Use.BROKEN: "broken", Use.OTHER: "other"}
SENTENCES = {
    Use.USED: "One image has it.",
    Use.SHARED: "More than one image or index has it: it stays when one of them goes.",
    Use.UNUSED: "Nothing that is named leads to it.",
    Use.BROKEN: "It is wanted, and something is wrong with it.",
    Use.OTHER: "It lies between the blobs, but is none, or nothing here cleans it up.",
}
_WORDLESS_FIRST = (Use.OTHER, Use.USED, Use.SHARED, Use.BROKEN, Use.UNUSED)
_LEAST_BAR = 28
_BAR_HEIGHT = 8
_PADDING = 6
_LEAST_PIECE = 3.0
"""Pixels of a piece that has any bytes: the smallest may be the one that matters."""


class SpaceBar(QWidget):
    """Pieces as long as bytes are many, each with its words."""

    listed = Signal(object)
    """Somebody wants to see the rows of these ``State``s."""
    map_asked = Signal(bool)
    """Whether the map is to be open."""

    def __init__(self, session: Session, counts: SpaceCounts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._counts = counts
        self.setAccessibleName("What the space is used for")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._pieces = _Pieces(lambda use: self.buttons[use].toolTip(), self)
        self._pieces.chosen.connect(self._follow)
        self.note = plain_label("", parent=self)
        self.buttons = {use: self._button(use) for use in SHOWN}
        self.map = QToolButton(self)
        self.map.setText("Map")
        self.map.setIcon(icons.icon("map", Role.MUTED))
        self.map.setIconSize(icons.LIST_SIZE)
        self.map.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.map.setCheckable(True)
        self.map.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_tooltip(self.map, "Show or hide the picture of what the space is used for")
        self.map.clicked.connect(self.map_asked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.SMALL, Space.TINY // 2, Space.TINY, Space.TINY // 2)
        layout.setSpacing(Space.TINY)
        layout.addWidget(self._pieces, 1)
        layout.addWidget(self.note, 1)
        for button in self.buttons.values():
            layout.addWidget(button)
        layout.addWidget(self.map)
        counts.changed.connect(self.refresh)
        session.snapshotChanged.connect(self.refresh)
        self.refresh()

    def _button(self, use: Use) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(QIcon(Swatch(Paper(use))))
        button.setIconSize(icons.LIST_SIZE)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._follow(use))
        return button

    @Slot(object)
    def _follow(self, use: Use) -> None:
        """The lists know what is unused and broken; all else can be seen in the map."""
        if use is Use.UNUSED:
            self.listed.emit([State.UNUSED, State.LOST])
        elif use is Use.BROKEN:
            self.listed.emit([state for state in self._session.counts if state.bad])
        else:
            self.map_asked.emit(True)

    @Slot()
    def refresh(self) -> None:
        """Say what is known."""
        counted = self._counts.counted
        tally = counted.tally if counted is not None else None
        total = tally.total if tally is not None else 0
        self._pieces.setVisible(bool(total))
        self.note.setText(self._why_empty(tally))
        self.note.setVisible(not total)
        self._pieces.show_sizes([(use, tally.sizes[use]) for use in SHOWN] if tally is not None else [])
        for use, button in self.buttons.items():
            button.setVisible(tally is not None and tally.counts[use] > 0)
            if tally is not None:
                name = f"{text.size(tally.sizes[use])} {WORDS[use]}"
                button.setAccessibleName(name)
                set_tooltip(button, self._explain(use, tally))
        self.map.setEnabled(True)
        self._fit()

    @staticmethod
    def _why_empty(tally: Tally | None) -> str:
        if tally is None:
            return "Reading the store …"
        return "Nothing in this store takes space yet" if not tally.total else ""

    @staticmethod
    def _explain(use: Use, tally: Tally) -> str:
        count, size = tally.counts[use], tally.sizes[use]
        share = f", {round(100 * size / tally.total)} % of the store" if tally.total else ""
        sentences = [f"{WORDS[use].capitalize()}: {text.count(count, 'file')}, {text.exact_size(size)}{share}."]
        sentences.append(SENTENCES[use])
        if use is Use.BROKEN and tally.missing:
            sentences.append(f"What is missing takes no space: {text.count(tally.missing, 'blob')}.")
        sentences.append("Click to list them." if use in (Use.UNUSED, Use.BROKEN) else "Click to see the map.")
        return "\n".join(sentences)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def _fit(self) -> None:
        """Write words where there is room for them beside the pieces; what is unused keeps them the longest."""
        counted = self._counts.counted
        if counted is None:
            return
        shown = [use for use, button in self.buttons.items() if not button.isHidden()]
        words = {use: f"{text.size(counted.tally.sizes[use])} {WORDS[use]}" for use in shown}
        room = self.width() - self.map.sizeHint().width() - _LEAST_BAR - (len(shown) + 4) * Space.TINY
        for use in (use for use in _WORDLESS_FIRST if use in words):
            if sum(map(self._width, words.values())) <= room:
                break
            words[use] = ""
        for use, written in words.items():
            self.buttons[use].setText(written)
            self.buttons[use].setFixedWidth(self._width(written))

    def _width(self, words: str) -> int:
        """Pixels of a button with these words; Qt's own hint leaves room for half as much again."""
        glyph = icons.LIST_SIZE.width() + 2 * _PADDING
        return glyph + Space.TINY + self.fontMetrics().horizontalAdvance(words) if words else glyph


class _Pieces(QWidget):
    """The bar itself."""

    chosen = Signal(object)
    """The person has clicked the piece of this ``Use``."""

    def __init__(self, tip: Callable[[Use], str], parent: QWidget) -> None:
        """``tip`` says in a tooltip what a piece is."""
        super().__init__(parent)
        self._tip = tip
        self._sizes: Sequence[tuple[Use, int]] = ()
        self.setMinimumWidth(_LEAST_BAR)
        self.setFixedHeight(_BAR_HEIGHT)
        theme.current().changed.connect(self.update)

    def show_sizes(self, sizes: Sequence[tuple[Use, int]]) -> None:
        """Show a piece for each of these bytes."""
        self._sizes = [(use, size) for use, size in sizes if size]
        self.update()

    def piece_at(self, x: float) -> Use | None:
        """What the piece at a place from the left is; None outside."""
        return next((use for use, left, right in self._places() if left <= x < right), None)

    def _places(self) -> Iterator[tuple[Use, int, int]]:
        """Where each piece begins and ends."""
        total = sum(size for _, size in self._sizes)
        room = self.width() - _LEAST_PIECE * len(self._sizes)
        left = 0.0
        for use, size in self._sizes:
            right = left + _LEAST_PIECE + room * size / total
            yield use, round(left), round(right)
            left = right

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            use = self.piece_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self._tip(use) if use is not None else "", self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        use = self.piece_at(event.position().x())
        if use is not None and event.button() is Qt.MouseButton.LeftButton:
            self.chosen.emit(use)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._sizes:
            return
        painter = QPainter(self)
        for use, left, right in self._places():
            paint_paper(painter, QRectF(left, 0, right - left, self.height()), Paper(use))
        painter.setPen(theme.colour(Role.OUTLINE))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        painter.end()
