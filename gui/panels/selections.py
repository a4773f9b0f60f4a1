"""What is selected in a list, however much that is."""

from collections.abc import Callable, Sequence
from typing import overload

from engine.columns import Rows
from engine.snapshot import Snapshot
from gui.session import Selection


class Selections(Sequence[Selection]):
    """What is selected, the current first; a million rows are made into selections only when somebody asks."""

    def __init__(
        self,
        count: int,
        make: Callable[[int], Selection],
        snapshot: Snapshot | None = None,
        rows: Rows | None = None,
    ) -> None:
        """``rows`` are those of ``snapshot`` that are selected, where somebody knows them already."""
        self._count = count
        self._make = make
        self.snapshot = snapshot
        self.rows = rows

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, position: int) -> Selection: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Selection]: ...
    def __getitem__(self, position: int | slice) -> Selection | Sequence[Selection]:
        if isinstance(position, slice):
            return [self._make(n) for n in range(*position.indices(self._count))]
        return self._make(range(self._count)[position])
