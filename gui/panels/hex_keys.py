"""Where keys lead to among bytes in rows."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

_IGNORED = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


def target_of(event: QKeyEvent, current: int, size: int, per_row: int, in_sight: int) -> int | None:
    """The byte that a key leads to from the current one, which may be beyond the ends; None for other keys."""
    last, modifiers, key = max(0, size - 1), event.modifiers() & ~_IGNORED, event.key()
    if modifiers == Qt.KeyboardModifier.ControlModifier:
        ends: dict[int, int] = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: last}
        return ends.get(key)
    if modifiers != Qt.KeyboardModifier.NoModifier:
        return None
    column = current % per_row
    page = per_row * max(1, in_sight - 1)
    targets: dict[int, int] = {
        Qt.Key.Key_Left: current - 1,
        Qt.Key.Key_Right: current + 1,
        Qt.Key.Key_Up: current - per_row if current >= per_row else current,
        Qt.Key.Key_Down: current + per_row if current // per_row < last // per_row else current,
        Qt.Key.Key_PageUp: current - page if current >= page else column,
        Qt.Key.Key_PageDown: current + page,
        Qt.Key.Key_Home: current - column,
        Qt.Key.Key_End: current - column + per_row - 1,
    }
    return targets.get(key)
