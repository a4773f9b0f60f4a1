"""Works out what removing something would do, and has the removal strip ask about it."""

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import QObject, Slot

from engine.columns import Names
from engine.removal import RemovalPlan
from engine.snapshot import Entry, Snapshot
from gui.outcome import Notice
from gui.panels import naming
from gui.panels.removal_strip import RemovalStrip
from gui.session import Session

About = Callable[[], tuple[Sequence[Entry], Names | None]]
"""What is to be removed: entries of the index, else names of blobs."""

_MOST_FOLLOWED = 1000
"""Entries that are found again in another snapshot."""


class RemovalQuestion(QObject):
    """What is asked about in the strip: planned over the newest snapshot, and carried out when it is decided."""

    def __init__(self, session: Session, strip: RemovalStrip, about: About) -> None:
        super().__init__(strip)
        self._session = session
        self._strip = strip
        self._about = about
        self._entries: Sequence[Entry] = ()
        self._names: Names | None = None
        self._for_good = False
        strip.decided.connect(self._remove)
        session.snapshotChanged.connect(self._ask_again)

    def ask(self, *, for_good: bool = False) -> None:
        """Plan the removal of what it is about, and show the plan; with ``for_good`` leaving out the trash."""
        self._for_good = for_good
        self._entries, self._names = self._about()
        self._plan()

    @Slot()
    def _ask_again(self) -> None:
        """A plan is about the snapshot that it was made over: what is asked about is planned anew."""
        if not self._strip.isHidden():
            self._plan()

    def _plan(self) -> None:
        positions = self._positions()
        if len(positions) < len(self._entries):
            self._strip.put_away()
            self._session.noticed.emit(Notice("notice", "What was to be removed has changed: select it again."))
        elif positions:
            self._plan_entries(positions)
        elif self._names is not None and len(self._names):
            self._session.changes.plan_removal(names=self._names, then=self._show_blobs)

    def _positions(self) -> list[int]:
        """Where the entries stand by now, as far as they are there: by what they lead to and how they are called."""
        snapshot = self._session.snapshot
        if snapshot is None:
            return []
        here = [each.position for each in self._entries if _stands_in(snapshot, each)]
        if len(here) == len(self._entries):
            return here
        positions = set[int]()
        for entry in self._entries[:_MOST_FOLLOWED]:
            row = snapshot.find(entry.descriptor.digest) if entry.descriptor.digest else -1
            alike = (each for each in snapshot.entries_of(row) if _are_alike(each, entry))
            there = next((each.position for each in alike if each.position not in positions), None)
            if there is not None:
                positions.add(there)
        return sorted(positions)

    @Slot(object)
    def _remove(self, plan: RemovalPlan) -> None:
        self._session.changes.apply_removal(plan, for_good=self._for_good)

    def _plan_entries(self, entries: Sequence[int]) -> None:
        """Plan all verbs over one snapshot: in another, the same positions may be those of other entries."""
        snapshot, for_good, changes = self._session.snapshot, self._for_good, self._session.changes

        def still(act: Callable[[RemovalPlan], None]) -> Callable[[RemovalPlan], None]:
            return lambda plan: act(plan) if self._session.snapshot is snapshot else self._plan()

        def show(untag: RemovalPlan) -> None:
            def ask_doubts(delete: RemovalPlan) -> None:
                if not delete.doubtful:
                    self._strip.show_entries(untag, delete, for_good=for_good)
                    return
                show_all = still(lambda despite: self._strip.show_entries(untag, delete, despite, for_good=for_good))
                changes.plan_removal(entries, with_content=True, despite_doubts=True, then=show_all)

            changes.plan_removal(entries, with_content=True, then=still(ask_doubts))

        changes.plan_removal(entries, then=still(show))

    def _show_blobs(self, plan: RemovalPlan) -> None:
        name = ""
        if not self._session.is_layout:
            name = self._named(plan)
            mind = "Docker's daemon does not notice what goes; stop it before, or use docker rmi."
            plan = msgspec.structs.replace(plan, warnings=(*plan.warnings, mind))
        self._strip.show_blobs(plan, name, for_good=self._for_good)

    def _named(self, plan: RemovalPlan) -> str:
        """What people call the image of Docker's that a plan is about; empty where it is about several."""
        snapshot = self._session.snapshot
        row = snapshot.find(plan.blobs[0].digest) if snapshot is not None and len(plan.blobs) == 1 else -1
        return naming.row_name(snapshot, row) if snapshot is not None and row >= 0 else ""


def _stands_in(snapshot: Snapshot, entry: Entry) -> bool:
    """Whether this very entry is one of the snapshot."""
    return entry.position < len(snapshot.entries) and snapshot.entries[entry.position] is entry


def _are_alike(one: Entry, other: Entry) -> bool:
    """Whether two entries say the same, wherever they stand."""
    return one.descriptor == other.descriptor and one.names == other.names
