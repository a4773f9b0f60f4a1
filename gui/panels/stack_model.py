"""The layers of an image as a table, the lowest first."""

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from engine.snapshot import State
from gui import icons, text, theme
from gui.models.look import ACCESSIBLE, ALIGNMENT, COLOUR, DISPLAY, FONT, ICON, RIGHT, TOOLTIP, AnyIndex, Look
from gui.panels.image_stack import Stack, StackLayer
from gui.theme import Role


class Column(IntEnum):
    """The columns of the table."""

    NUMBER = 0
    STEP = 1
    STORED = 2
    ADDS = 3
    WASTES = 4
    UNPACKED = 5
    SHARED = 6


TITLES = ("", "Step", "Stored", "Adds", "Wastes", "Unpacked", "Shared")
_SPOKEN = ("Layer", "Step", "Stored", "Adds", "Wastes", "Unpacked", "Shared")
_EXPLAINED = {
    Column.NUMBER: "The place of the layer, from the bottom.",
    Column.STEP: "The step of the build that made the layer.",
    Column.STORED: "Bytes of the layer in this store, compressed as it is.",
    Column.ADDS: "Bytes of the layer's files that the whole image shows.",
    Column.WASTES: "Bytes of the layer's files that are overwritten or removed by later layers: stored, and never seen.",
    Column.UNPACKED: "Bytes of the unpacked layer.",
    Column.SHARED: "How many other images in this store have the layer; it is stored once.",
}
_NUMBERS = frozenset({Column.NUMBER, Column.STORED, Column.ADDS, Column.WASTES, Column.UNPACKED, Column.SHARED})
_NOBODY = QModelIndex()
UNKNOWN = "–"


class StackModel(QAbstractTableModel):
    """One row a layer."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._look = Look(self)
        self.stack = Stack((), "", 0)

    def show(self, stack: Stack) -> None:
        """Show another stack, or the same with more that is known of it."""
        before, self_same = self.stack, len(stack.layers) == len(self.stack.layers)
        digests = [layer.descriptor.digest for layer in stack.layers]
        if self_same and digests == [layer.descriptor.digest for layer in before.layers]:
            self.stack = stack
            if digests:
                self.dataChanged.emit(self.index(0, 0), self.index(len(digests) - 1, len(TITLES) - 1))
            return
        self.beginResetModel()
        self.stack = stack
        self.endResetModel()

    # --------------------------------------------------------------------------------------- overrides of Qt

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self.stack.layers)

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(TITLES):
            return None
        if role == DISPLAY:
            return TITLES[section]
        if role == ACCESSIBLE:
            return _SPOKEN[section]
        if role == TOOLTIP:
            return text.tooltip(_EXPLAINED[Column(section)])
        return RIGHT if role == ALIGNMENT and section in _NUMBERS else None

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        if not index.isValid() or index.row() >= len(self.stack.layers):
            return None
        layer, column = self.stack.layers[index.row()], index.column()
        if role == DISPLAY:
            return _shown(layer, column)
        if role == ALIGNMENT:
            return RIGHT if column in _NUMBERS else None
        if role == FONT:
            return self._look.fixed if column == Column.STEP and layer.step else self._look.numbers
        if role == ICON:
            return _mark(layer) if column == Column.STEP else None
        if role == COLOUR:
            return self._colour(layer, column)
        if role == TOOLTIP:
            return text.tooltip(_tip(layer, column))
        return _spoken(layer, column) if role == ACCESSIBLE else None

    def _colour(self, layer: StackLayer, column: int) -> Any:
        if column == Column.NUMBER or (column == Column.STEP and not layer.step):
            return self._look.muted
        if column == Column.WASTES and layer.read is not None and layer.read.wasted:
            return theme.colour(Role.WARNING)
        return self._look.muted if _shown(layer, column) in (UNKNOWN, "0 bytes") else None


def _shown(layer: StackLayer, column: int) -> str:
    if column == Column.NUMBER:
        return str(layer.number)
    if column == Column.STEP:
        return layer.words
    if column == Column.SHARED:
        return text.number(len(layer.users)) if layer.users else UNKNOWN
    size = _size(layer, column)
    return UNKNOWN if size < 0 else text.size(size)


def _size(layer: StackLayer, column: int) -> int:
    """Bytes of a column; -1 for what nobody knows."""
    if column == Column.STORED:
        return layer.stored
    read = layer.read
    if read is None or read.table is None:
        return -1
    if column == Column.UNPACKED:
        return read.table.unpacked
    return read.kept if column == Column.ADDS else read.wasted


def _mark(layer: StackLayer) -> Any:
    """What is wrong with it; no glyph where nothing is."""
    if layer.state.bad or layer.state == State.EXTERNAL:
        return icons.state_icon(layer.state)
    return icons.icon("warning", Role.WARNING) if layer.notes() else None


def _tip(layer: StackLayer, column: int) -> str:
    if column == Column.STEP:
        state = [text.STATES[layer.state].sentence] if layer.state.bad or layer.state == State.EXTERNAL else []
        return "\n".join([layer.words, *state, *layer.notes()])
    if column in (Column.NUMBER, Column.SHARED):
        return _EXPLAINED[Column(column)]
    size = _size(layer, column)
    return _EXPLAINED[Column(column)] if size < 0 else f"{text.exact_size(size)}. {_EXPLAINED[Column(column)]}"


def _spoken(layer: StackLayer, column: int) -> str:
    """What a screen reader says: the whole row for its first cell, else the cell with its title."""
    if column != Column.NUMBER:
        return f"{_SPOKEN[column]}: {_shown(layer, column)}"
    parts = [f"Layer {layer.number} of {layer.of}", layer.words]
    sizes = [each for each in (Column.STORED, Column.ADDS, Column.WASTES) if _size(layer, each) >= 0]
    parts += [f"{_SPOKEN[each].lower()} {_shown(layer, each)}" for each in sizes]
    if layer.state.bad or layer.state == State.EXTERNAL:
        parts.append(text.STATES[layer.state].word)
    return ", ".join([*parts, *layer.notes()])
