"""A picture of space that can be looked at, clicked into and walked through with the arrow keys."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QLabel, QToolTip, QWidget

from gui import text, theme
from gui.models.treemap import Place, Way
from gui.panels.space_look import Picture, Step, drawing
from gui.theme import Role

_STEP_S = 0.004
"""So long it draws at a stretch."""
_LEAST = QSize(120, 60)
_LEAST_SURROUNDED = 9.0
_MOST_SURROUNDED = 500
_WAYS: Mapping[int, Way] = {
    Qt.Key.Key_Left: Way.LEFT,
    Qt.Key.Key_Right: Way.RIGHT,
    Qt.Key.Key_Up: Way.UP,
    Qt.Key.Key_Down: Way.DOWN,
}


class SpaceMap(QLabel):
    """Shows a ``Picture``. What is drawn is kept; painting only copies it, and draws what is current around it.

    A label, because a screen reader would take a bare widget for a gap.
    """

    moved = Signal(object)
    """The person has gone to this ``Place``."""
    entered = Signal(object)
    """Enter or a double click on this ``Place``."""
    left = Signal()
    """Backspace: the person wants to see what is around what is shown."""
    menu_asked = Signal(object)
    """Somebody wants the menu of what is current, at this ``QPoint`` of the screen."""
    hovered = Signal(object)
    """The mouse is over this ``Place``; None for none."""
    drawn = Signal()
    """All of the picture is drawn."""

    def __init__(self, name: str, tell: Callable[[Place], str], parent: QWidget | None = None) -> None:
        """``tell`` says in a sentence what a place of the picture is."""
        super().__init__(parent)
        self._name = name
        self._tell = tell
        self.content: Picture | None = None
        self.current: Place | None = None
        """What the keyboard is at, and what is selected in the list beside it."""
        self.can_be_left = False
        """Whether there is something around what is shown."""
        self._under: Place | None = None
        self._surrounded: list[QRectF] = []
        self._kept = QPixmap()
        self._coming = QPixmap()
        self._steps: list[Step] = []
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(_LEAST)
        self._drawing = QTimer(self)
        self._drawing.timeout.connect(self._draw_on)
        theme.current().changed.connect(self._redraw)

    @property
    def busy(self) -> bool:
        """Whether something of it is still to be drawn."""
        return bool(self._steps)

    def show_picture(self, picture: Picture | None) -> None:
        """Show another picture, or nothing."""
        self.content = picture
        self._under = None
        self._surrounded = []
        if self.current is not None and self._cell(self.current) < 0:
            self.current = None
        self._redraw()

    def mark(self, place: Place | None) -> None:
        """Make a place current without telling; where it is not shown by itself, nothing is."""
        if place != self.current:
            self.current = place if place is not None and self._cell(place) >= 0 else None
            self._name_current()
            self.update()

    def surround(self, cells: NDArray[np.int64]) -> None:
        """Draw a line around these rectangles, or the largest of them: they belong to what is selected in the list."""
        if self.content is None:
            return
        if len(cells) > _MOST_SURROUNDED:
            cells = cells[np.argsort(-self.content.cells.sizes[cells], kind="stable")[:_MOST_SURROUNDED]]
        boxes = self.content.cells.boxes[cells].tolist()
        self._surrounded = [
            QRectF(left + 1.5, top + 1.5, right - left - 4, bottom - top - 4) for left, top, right, bottom in boxes
        ]
        self.update()

    def box_of(self, place: Place) -> QRectF:
        """Where a place is shown; empty where it is not."""
        cell = self._cell(place)
        if self.content is None or cell < 0:
            return QRectF()
        left, top, right, bottom = self.content.cells.boxes[cell].tolist()
        return QRectF(left, top, right - left, bottom - top)

    # ------------------------------------------------------------------------------------------------ drawing

    @Slot()
    def _redraw(self) -> None:
        """Draw it all again; until that is done, what was drawn before stays to be seen."""
        if self.content is None:
            self._steps.clear()
            self._kept = QPixmap()
            self._drawing.stop()
            self.update()
            return
        ratio = self.devicePixelRatioF()
        self._coming = QPixmap((self.size() * ratio).expandedTo(QSize(1, 1)))
        self._coming.setDevicePixelRatio(ratio)
        self._coming.fill(theme.colour(Role.PANEL))
        self._steps = drawing(self.content, self.fontMetrics())
        self._drawing.start(0)

    @Slot()
    def _draw_on(self) -> None:
        until = time.perf_counter() + _STEP_S
        painter = QPainter(self._coming)
        painter.setFont(self.font())
        done = 0
        while done < len(self._steps) and time.perf_counter() < until:
            self._steps[done](painter)
            done += 1
        painter.end()
        del self._steps[:done]
        if not self._steps:
            self._drawing.stop()
            self._kept = self._coming
            self.update()
            self.drawn.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._kept.isNull():
            painter.fillRect(self.rect(), theme.colour(Role.PANEL))
        elif (self._kept.deviceIndependentSize() - self.size().toSizeF()).toSize().isNull():
            painter.drawPixmap(0, 0, self._kept)
        else:
            painter.drawPixmap(self.rect(), self._kept)  # until what was asked for in this size is there
        if self._surrounded:
            painter.setPen(QPen(theme.colour(Role.ACCENT), 1))
            painter.drawRects(self._surrounded)
        if self._under is not None and self._under != self.current:
            painter.setPen(QPen(theme.colour(Role.TEXT), 1))
            painter.drawRect(self.box_of(self._under).adjusted(0.5, 0.5, -1.5, -1.5))
        if self.current is not None and self._cell(self.current) >= 0:
            self._surround(painter, self._seen(self.box_of(self.current)))
        painter.end()

    def _seen(self, box: QRectF) -> QRectF:
        """The box, or a larger one around it where it is too small to have a line around it."""
        side = max(0.0, _LEAST_SURROUNDED - box.width()), max(0.0, _LEAST_SURROUNDED - box.height())
        larger = box.adjusted(-side[0] / 2, -side[1] / 2, side[0] / 2, side[1] / 2)
        larger.moveLeft(min(max(larger.left(), 0), self.width() - larger.width()))
        larger.moveTop(min(max(larger.top(), 0), self.height() - larger.height()))
        return larger

    def _surround(self, painter: QPainter, box: QRectF) -> None:
        """A line that shows on every paper, and thicker where the keyboard is here."""
        painter.setPen(QPen(theme.colour(Role.BASE), 1))
        painter.drawRect(box.adjusted(3.5, 3.5, -4.5, -4.5))
        ink = Role.ACCENT if self.hasFocus() else Role.TEXT
        pen = QPen(theme.colour(ink), 3 if self.hasFocus() else 2)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(box.adjusted(1.5, 1.5, -2.5, -2.5))

    def sizeHint(self) -> QSize:
        return QSize(400, 220)

    # ------------------------------------------------------------------------------------------------- events

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._place_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), text.tooltip(self._tell(place)) if place is not None else "", self)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if event.key() == Qt.Key.Key_Backspace and self.can_be_left:
                event.accept()  # elsewhere, and where there is nothing around, it goes back in the history
                return True
        elif event.type() == QEvent.Type.DevicePixelRatioChange:
            self._redraw()
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._place_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position())
        if place is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._go_to(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position())
        if place is not None and event.button() is Qt.MouseButton.LeftButton:
            self.entered.emit(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu opens at the mouse, or at what is current where it was asked for by key."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        if self.current is not None:
            place = self.mapToGlobal(self.box_of(self.current).center().toPoint()) if by_key else event.globalPos()
            self.menu_asked.emit(place)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go beside, Page Up and Page Down out of and into a rectangle, Home to the largest."""
        key = event.key()  # may be one that Qt has no name for
        if key in (Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if key == Qt.Key.Key_Backspace:
                self.left.emit()
            elif self.current is not None:
                self.entered.emit(self.current)
        elif self.content is not None and len(self.content.cells) and (target := self._target(key)) is not None:
            self._go_to(target)
        else:
            super().keyPressEvent(event)

    def _target(self, key: int) -> Place | None:
        """Where a key leads; None for a key that leads nowhere."""
        assert self.content is not None
        cells = self.content.cells
        here = self._cell(self.current) if self.current is not None else -1
        if key == Qt.Key.Key_Home or (here < 0 and key in _WAYS):
            found = cells.inside(-1)
            while cells.opened[found]:
                found = cells.inside(found)
            return cells.place(found)
        if here < 0:
            return None
        if key in _WAYS:
            return cells.place(cells.beside(here, _WAYS[key]))
        if key == Qt.Key.Key_PageUp:
            return cells.place(max(int(cells.above[here]), 0)) if cells.above[here] >= 0 else cells.place(here)
        if key == Qt.Key.Key_PageDown:
            inside = cells.inside(here)
            return cells.place(inside if inside >= 0 else here)
        return None

    def _go_to(self, place: Place) -> None:
        if place != self.current:
            self.current = place
            self._name_current()
            self.update()
            self.moved.emit(place)

    def _hover(self, place: Place | None) -> None:
        if place != self._under:
            self._under = place
            self.update()
            self.hovered.emit(place)

    def _place_at(self, point: QPointF) -> Place | None:
        if self.content is None:
            return None
        cell = self.content.cells.at(point.x(), point.y())
        return self.content.cells.place(cell) if cell >= 0 else None

    def _cell(self, place: Place) -> int:
        return self.content.cells.find(place) if self.content is not None else -1

    def _name_current(self) -> None:
        """A screen reader reads what is current when the keyboard comes here, and is told when that changes."""
        told = self._tell(self.current) if self.current is not None else ""
        self.setAccessibleName(f"{self._name}: {told}" if told else self._name)
        if told and self.hasFocus() and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, told))
