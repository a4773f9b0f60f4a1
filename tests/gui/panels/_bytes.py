"""Where a view of bytes draws which byte."""

from PySide6.QtCore import QPoint

from gui.panels.hex_view import HexView


def place_of(view: HexView, offset: int) -> QPoint:
    """The middle of the digits of a byte, in the viewport."""
    layout = view._layout
    row, column = divmod(offset, layout.per_row)
    left = layout.hex_at(column) + view._char_width
    return QPoint(int(left), (row - view._scroller.top) * view._row_height + view._row_height // 2)
