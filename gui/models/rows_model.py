"""What a list asks of its model beside Qt's own."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, SignalInstance

from engine.columns import Rows
from engine.snapshot import Snapshot
from gui.models.conditions import Query


class RowsModel(Protocol):
    """What the view asks of its model beside Qt's own."""

    rearranging: SignalInstance
    arranged: SignalInstance

    @property
    def snapshot(self) -> Snapshot | None: ...
    @property
    def busy(self) -> bool: ...
    @property
    def asked(self) -> object: ...
    @property
    def shown(self) -> int: ...
    @property
    def total(self) -> int: ...
    def set_snapshot(self, snapshot: Snapshot | None, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None: ...
    def set_states(self, states: NDArray[np.uint8], worst: NDArray[np.uint8], rows: Rows | None) -> None: ...
    def set_query(self, query: Query) -> None: ...
    def find_typed(self, typed: str, after: int) -> int: ...
    def term_at(self, index: QModelIndex) -> str: ...
