"""What cells look like: fonts and colours of the theme at hand, ready for a call per painted cell."""

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.findings import Severity
from engine.snapshot import State
from gui import theme

AnyIndex = QModelIndex | QPersistentModelIndex

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

# Roles reach ``data`` as plain numbers.
DISPLAY = int(Qt.ItemDataRole.DisplayRole)
ICON = int(Qt.ItemDataRole.DecorationRole)
COLOUR = int(Qt.ItemDataRole.ForegroundRole)
FONT = int(Qt.ItemDataRole.FontRole)
ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
TOOLTIP = int(Qt.ItemDataRole.ToolTipRole)
ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)
STATE_ROLES = [DISPLAY, ICON, COLOUR, TOOLTIP, ACCESSIBLE]
"""What is different when a state is."""


class Look(QObject):
    """The theme's fonts and colours; kept here because asking the theme costs more than painting the cell."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        theme.current().changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Take fonts and colours from the theme."""
        self.fixed = theme.fixed_font()
        self.numbers = theme.number_font()
        self.strong = theme.strong_font()
        self.struck = theme.struck_font()
        self.muted = theme.colour(theme.Role.MUTED)
        self.severities = [theme.colour(theme.severity_role(severity)) for severity in Severity]
        self.states = [theme.state_colour(state) for state in State]


class RowDelegate(QStyledItemDelegate):
    """Draws states: their colour stays in a selected row; the height of the row is the theme's."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        super().initStyleOption(option, index)
        if QStyle.StateFlag.State_Selected not in option.state:
            return
        colour = index.data(COLOUR)
        if colour is not None:
            option.palette.setColor(QPalette.ColorRole.HighlightedText, colour)

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        size = super().sizeHint(option, index)
        size.setHeight(theme.row_height(option.font))
        return size
