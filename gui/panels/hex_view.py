"""Bytes in rows: their offsets, what they are in hexadecimal digits, and as letters, of a source of any size."""

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from gui import text, theme
from gui.bytesource import ByteSource
from gui.panels.hex_keys import target_of
from gui.panels.hex_layout import HexLayout
from gui.panels.hex_marks import Marking, Marks
from gui.panels.hex_pages import Pages
from gui.panels.hex_paint import Scene, paint
from gui.panels.hex_scrolling import RowScroller
from gui.widgets import is_copy_shortcut

_SLOW_MS = 300
"""Bytes that do not come for so long are said to be on their way."""
_AUTOSCROLL_MS = 40


class HexView(QAbstractScrollArea):
    """Shows a ``ByteSource``. One byte is current, and a stretch that ends there may be selected."""

    moved = Signal()
    """Another byte is current, or another stretch is selected."""
    loaded = Signal()
    """More bytes are known."""
    failed = Signal(object)
    """Bytes could not be read; nothing more is asked for until ``read_again``."""
    copy_asked = Signal()
    """Somebody pressed the keys that copy."""
    double_clicked = Signal()
    """Somebody double-clicked on the current byte."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: ByteSource | None = None
        self._pages = Pages(self)
        self._pages.arrived.connect(self._note_arrival)
        self._pages.failed.connect(self.failed)
        self._marks: Marking = Marks(())
        self._current = 0
        self._anchor = 0
        self._scroller = RowScroller(self.verticalScrollBar())
        self._layout = HexLayout.fitting(0, 1.0, 0)
        self._row_height = 1
        self._char_width = 1.0
        self._pointer: QPoint | None = None  # while it drags
        self._is_slow = False
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW_MS)
        self._slow.timeout.connect(self._say_slow)
        self._autoscroll = QTimer(self)
        self._autoscroll.setInterval(_AUTOSCROLL_MS)
        self._autoscroll.timeout.connect(self._drag_on)
        self.setAccessibleName("Bytes")
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setAccessibleName("Position in the bytes")
        self._scroller.scrolled.connect(self._note_scrolling)
        theme.current().changed.connect(self._measure)
        self._measure()

    # ------------------------------------------------------------------------------------------------ showing

    @property
    def source(self) -> ByteSource | None:
        return self._source

    @property
    def byte_count(self) -> int:
        """Bytes that there are."""
        return self._source.size if self._source is not None else 0

    def set_source(self, source: ByteSource | None, *, keep_place: bool = False) -> None:
        """Show other bytes, from their beginning or, with ``keep_place``, from the same place."""
        self._source = source
        self._pages.set_source(source)
        self._is_slow = False
        self._marks = Marks(())
        last = max(0, self.byte_count - 1)
        self._current = min(self._current, last) if keep_place else 0
        self._anchor = self._current
        self._lay_out()
        self._scroller.go_to(self._scroller.top if keep_place else 0)
        self._tell()

    def set_marks(self, marks: Marking) -> None:
        """Colour what is marked."""
        self._marks = marks
        self.viewport().update()

    @Slot()
    def read_again(self) -> None:
        """Ask again for what could not be read."""
        self._pages.forget_failure()
        self._ask()

    # ------------------------------------------------------------------------------------------- where one is

    @property
    def current(self) -> int:
        """The offset of the current byte."""
        return self._current

    @property
    def selection(self) -> tuple[int, int]:
        """Where what is selected starts and ends: the current byte alone where nothing else is; empty without bytes."""
        first, last = sorted((self._anchor, self._current))
        return first, min(last + 1, self.byte_count)

    @property
    def has_selection(self) -> bool:
        """Whether more than the current byte is selected."""
        return self._anchor != self._current

    def go_to(self, offset: int, length: int = 1) -> None:
        """Make a byte current, or select so many, and show them in the middle if they are not in sight."""
        last = max(0, self.byte_count - 1)
        first, end = max(0, min(offset, last)), max(0, min(offset + length - 1, last))
        self._anchor, self._current = end, first
        self._show_current(centred=True)
        self._tell()

    def known(self, start: int, end: int) -> bytes | None:
        """These bytes, if all of them were read already."""
        return self._pages.get(start, end)

    def _move(self, offset: int, *, extend: bool) -> None:
        self._current = max(0, min(offset, max(0, self.byte_count - 1)))
        if not extend:
            self._anchor = self._current
        self._show_current()
        self._tell()

    def _select_all(self) -> None:
        self._anchor, self._current = 0, max(0, self.byte_count - 1)
        self.viewport().update()
        self._tell()

    def _tell(self) -> None:
        self.viewport().update()
        self.moved.emit()

    def describe(self, words: str) -> None:
        """What a screen reader is to say of the place; only the keyboard's owner speaks."""
        if words == self.accessibleDescription():
            return
        self.setAccessibleDescription(words)
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
            if self.hasFocus():
                self._announce(words)

    def _announce(self, words: str) -> None:
        """Have a screen reader say something: what a view of this kind is has no word of its own among roles."""
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    # ----------------------------------------------------------------------------------------------- scrolling

    @property
    def rows_in_sight(self) -> int:
        """Rows that fit as a whole; at least one."""
        return max(1, self.viewport().height() // self._row_height)

    @Slot()
    def _note_scrolling(self) -> None:
        self.viewport().update()
        self._ask()

    def _show_current(self, *, centred: bool = False) -> None:
        row, rows, top = self._current // self._layout.per_row, self.rows_in_sight, self._scroller.top
        if not top <= row < top + rows:
            middle = row - rows // 2
            self._scroller.go_to(middle if centred else row if row < top else row - rows + 1)

    def _ask(self) -> None:
        """Have what is in sight read, where it is not known."""
        if self._source is None or not self.isVisible():
            return
        per_row = self._layout.per_row
        start, end = self._scroller.top * per_row, (self._scroller.top + self.rows_in_sight + 1) * per_row
        self._pages.want(start, min(end, self.byte_count))
        if not self._pages.waiting:
            self._slow.stop()
            self._is_slow = False
        elif not self._slow.isActive() and not self._is_slow:
            self._slow.start()

    @Slot()
    def _note_arrival(self) -> None:
        self._ask()
        self.viewport().update()
        self.loaded.emit()

    @Slot()
    def _say_slow(self) -> None:
        self._is_slow = self._pages.waiting
        self.viewport().update()

    # ------------------------------------------------------------------------------------------------ geometry

    @Slot()
    def _measure(self) -> None:
        """Font or colours are different."""
        font = theme.fixed_font()
        self.setFont(font)
        metrics = self.fontMetrics()
        self._char_width = metrics.horizontalAdvance("0" * 64) / 64
        self._row_height = metrics.height() + 2
        self._lay_out()
        self.viewport().update()

    def _lay_out(self) -> None:
        first = self._scroller.top * self._layout.per_row
        self._layout = HexLayout.fitting(self.byte_count, self._char_width, self.viewport().width())
        per_row = self._layout.per_row
        self._scroller.set_rows(-(-self.byte_count // per_row), self.rows_in_sight, first // per_row)

    def _offset_at(self, point: QPoint) -> int:
        """The byte under a point, or the one nearest to it."""
        row = self._scroller.top + point.y() // self._row_height
        return max(0, row * self._layout.per_row + self._layout.column_at(point.x()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 3 * self._row_height)

    def sizeHint(self) -> QSize:
        wide = HexLayout.fitting(self.byte_count, self._char_width, 1 << 20)
        return QSize(int(wide.width) + self.verticalScrollBar().sizeHint().width(), 16 * self._row_height)

    # --------------------------------------------------------------------------------------- overrides of Qt

    def paintEvent(self, _event: QPaintEvent) -> None:
        start = self._scroller.top * self._layout.per_row
        rows = self.viewport().height() // self._row_height + 1
        end = min(start + rows * self._layout.per_row, self.byte_count)
        scene = Scene(
            layout=self._layout,
            row_height=self._row_height,
            char_width=self._char_width,
            start=start,
            pieces=self._pages.pieces(start, end),
            end=end,
            selection=self.selection,
            current=self._current if self.byte_count else -1,
            marks=self._marks.between(start, end),
            has_focus=self.hasFocus(),
            words="Reading…" if self._is_slow else "",
        )
        painter = QPainter(self.viewport())
        paint(painter, self.viewport().rect(), scene)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        rows = event.oldSize().height() // self._row_height
        was_in_sight = self._scroller.top <= self._current // self._layout.per_row < self._scroller.top + max(1, rows)
        super().resizeEvent(event)
        self._lay_out()
        if was_in_sight:
            self._show_current()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def scrollContentsBy(self, _right: int, _down: int) -> None:
        """Rows are followed by themselves."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Page, Home and End go; with Shift they select."""
        target = target_of(event, self._current, self.byte_count, self._layout.per_row, self.rows_in_sight)
        if target is not None:
            self._move(target, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_all()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_asked.emit()
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """The keys that copy mean these bytes, and not what is selected in the window."""
        if is_copy_shortcut(event):
            event.accept()
            return True
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """What is under the pointer says what it is."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            mark = self._marks.at(self._offset_at(event.pos())) if self._layout.is_over(event.pos().x()) else None
            QToolTip.showText(event.globalPos(), text.tooltip(mark.words) if mark else "", self.viewport())
            return True
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.byte_count:
            extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._pointer = event.position().toPoint()
            self._move(self._offset_at(self._pointer), extend=extend)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pointer is None:
            return
        self._pointer = event.position().toPoint()
        if not 0 <= self._pointer.y() < self.viewport().height():
            self._autoscroll.start()
            return
        self._autoscroll.stop()
        self._move(self._offset_at(self._pointer), extend=True)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._pointer = None
        self._autoscroll.stop()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.byte_count:
            self.double_clicked.emit()

    @Slot()
    def _drag_on(self) -> None:
        """The pointer is outside, and rows come to it."""
        if self._pointer is None:
            self._autoscroll.stop()
            return
        beyond = self._pointer.y() if self._pointer.y() < 0 else self._pointer.y() - self.viewport().height()
        row = self._current + self._layout.per_row * (beyond // self._row_height or 1)
        self._move(row, extend=True)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() != Qt.KeyboardModifier.NoModifier:
            event.ignore()
            return
        self._scroller.turn(event, self._row_height)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if QAccessible.isActive():
            self._announce(f"{self.accessibleName()}: {self.accessibleDescription()}")
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._pointer = None
        self._autoscroll.stop()
        self.viewport().update()
