"""What the bytes of an open store are good for, worked out beside the window whenever that may have changed."""

import sys
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.snapshot import Snapshot, State
from engine.space import Tally, Uses, tally, uses_of, with_broken
from gui.jobs import JobRunner
from gui.models.arranging import Latest
from gui.session import Session

_PAUSE_MS = 250
"""So long after a change it is counted: the lists are arranged first, and blobs that are checked come one by one."""
BESIDE = sys.maxsize
"""So many rows are never looked at on the GUI thread."""


class Counted(NamedTuple):
    """A complete snapshot, what each of its files is good for, and how much that is."""

    snapshot: Snapshot
    uses: Uses
    """Before anybody asks whether they are sound."""
    tally: Tally


class SpaceCounts(QObject):
    """Keeps count of a session's store; the lists' facts, so that numbers agree."""

    changed = Signal()
    """``counted`` is another."""

    def __init__(self, session: Session, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._latest = Latest(self, runner, patient=True)
        self._bad = 0
        self.counted: Counted | None = None
        """What is known; None until the store has been read."""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._count)
        session.snapshotChanged.connect(self._take_snapshot)
        session.statesChanged.connect(self._note_states)
        self._count()

    @Slot()
    def _take_snapshot(self) -> None:
        """What is counted now is of the past."""
        self._latest.drop()
        self._pause.start()

    @Slot()
    def _count(self) -> None:
        """Count what is in the store now; as long as it is still being read, what was counted last stays."""
        snapshot, before = self._session.snapshot, self.counted
        if snapshot is None or snapshot.stage != "complete":
            return
        states = self._session.states.copy()
        self._bad = self._count_bad()

        def work(_progress: object) -> Counted:
            same = before is not None and before.snapshot is snapshot
            uses = before.uses if before is not None and same else uses_of(snapshot)
            return Counted(snapshot, uses, tally(snapshot, with_broken(uses, states), states))

        self._latest.run(BESIDE, work, self._adopt)

    def _adopt(self, counted: Counted) -> None:
        self.counted = counted
        self.changed.emit()

    @Slot(object)
    def _note_states(self, _rows: object) -> None:
        if self._count_bad() != self._bad and not self._pause.isActive():
            self._pause.start()

    def _count_bad(self) -> int:
        return sum(count for state, count in self._session.counts.items() if state >= State.MISSING)
