"""What the models are given in tests: snapshots of layouts on disk with their states, and ways to read a model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt

from engine import open_store
from engine.progress import Progress
from engine.snapshot import Snapshot
from engine.verdicts import Verdicts

States = NDArray[np.uint8]
Picture = tuple[Snapshot, States, States]

SPOKEN = Qt.ItemDataRole.AccessibleTextRole
TOOLTIP = Qt.ItemDataRole.ToolTipRole


def picture(path: Path) -> Picture:
    """A store as it is on disk now: snapshot, state of each row, and the worst among its parts."""
    with open_store(path) as store:
        snapshot = store.scan(Progress())
    states = snapshot.states(Verdicts.of(snapshot, 0).outcomes)
    return snapshot, states, snapshot.worst(states)


def names(model: QAbstractItemModel, parent: QModelIndex | None = None) -> list[str]:
    """The first cells of the rows below ``parent``."""
    above = parent or QModelIndex()
    return [model.index(row, 0, above).data() for row in range(model.rowCount(above))]


def column(model: QAbstractItemModel, number: int) -> list[str]:
    """One cell of each row at the top."""
    return [model.index(row, number).data() for row in range(model.rowCount())]


def find(model: QAbstractItemModel, *way: str) -> QModelIndex:
    """The first cell of a row, by what the first cells of the rows above it and its own say."""
    index = QModelIndex()
    for name in way:
        index = model.index(names(model, index).index(name), 0, index)
    return index


def everything(model: QAbstractItemModel, parent: QModelIndex | None = None) -> Iterator[tuple[QModelIndex, int, Any]]:
    """Every cell below ``parent`` in every role that a view asks for."""
    above = parent or QModelIndex()
    for row in range(model.rowCount(above)):
        for number in range(model.columnCount(above)):
            index = model.index(row, number, above)
            for role in range(16):
                yield index, role, index.data(role)
        yield from everything(model, model.index(row, 0, above))
