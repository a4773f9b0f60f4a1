"""Scrolls through rows beyond what a scroll bar can count; each row can be reached nevertheless."""

from typing import NamedTuple

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QScrollBar

_BAR = 1 << 30
"""Steps of a scroll bar, which counts in 32 bits."""
_WHEEL_ROWS = 3
_NOTCH = 120
"""What a wheel tells of one notch, in eighths of a degree."""

_Action = QAbstractSlider.SliderAction


class Scale(NamedTuple):
    """How the first row in sight, one of ``last`` + 1, stands in a scroll bar that cannot count so far."""

    last: int

    @property
    def bar_last(self) -> int:
        return min(self.last, _BAR)

    def to_bar(self, row: int) -> int:
        """The bar's place for a row."""
        return row if self.last <= _BAR else row * _BAR // self.last

    def from_bar(self, value: int) -> int:
        """A row for the bar's place; its last place is the last row."""
        return value if self.last <= _BAR else value * self.last // _BAR


class RowScroller(QObject):
    """The first row in sight, and a bar that follows it as well as it can."""

    scrolled = Signal()
    """Another row is the first in sight, or it was asked to be."""

    def __init__(self, bar: QScrollBar) -> None:
        super().__init__(bar)
        self._bar = bar
        self._scale = Scale(0)
        self._in_sight = 1
        self._turned = 0.0  # of the wheel, less than a row
        self.top = 0
        """The first row in sight."""
        bar.actionTriggered.connect(self._follow_action)
        bar.valueChanged.connect(self._follow_bar)

    def set_rows(self, rows: int, in_sight: int, top: int) -> None:
        """There are so many rows, so many of them are in sight, and this is the first of these."""
        self._scale, self._in_sight = Scale(max(0, rows - in_sight)), in_sight
        self._bar.blockSignals(True)  # the place stays, whatever the bar makes of it meanwhile
        self._bar.setRange(0, self._scale.bar_last)
        self._bar.setPageStep(max(1, min(in_sight, self._scale.bar_last)))
        self._bar.blockSignals(False)
        self.go_to(top)

    def go_to(self, row: int) -> None:
        """Make a row the first in sight, as far as there are rows behind it."""
        self.top = max(0, min(row, self._scale.last))
        self._bar.setValue(self._scale.to_bar(self.top))
        self.scrolled.emit()

    def turn(self, event: QWheelEvent, row_height: int) -> None:
        """Follow a wheel or a touchpad, whose small steps add up."""
        pixels = event.pixelDelta().y()
        self._turned += pixels / row_height if pixels else event.angleDelta().y() / _NOTCH * _WHEEL_ROWS
        rows = int(self._turned)
        self._turned -= rows
        if rows:
            self.go_to(self.top - rows)

    @Slot(int)
    def _follow_action(self, action: int) -> None:
        """The bar has fewer steps than a large file has rows, so only dragging is told by its place."""
        steps = {
            _Action.SliderSingleStepAdd.value: 1,
            _Action.SliderSingleStepSub.value: -1,
            _Action.SliderPageStepAdd.value: self._in_sight,
            _Action.SliderPageStepSub.value: -self._in_sight,
        }
        if action in steps:
            self.go_to(self.top + steps[action])
            self._bar.setSliderPosition(self._scale.to_bar(self.top))

    @Slot(int)
    def _follow_bar(self, value: int) -> None:
        if value != self._scale.to_bar(self.top):
            self.go_to(self._scale.from_bar(value))
