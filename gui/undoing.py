"""Undo and redo in an open store, and its trash: what is in it, bringing back, emptying."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from engine.blobs import Change
from engine.errors import EngineError, StoreChanged
from engine.index import IndexText
from engine.progress import Progress
from engine.removal import plan_removal
from engine.snapshot import Snapshot
from engine.store import Store
from engine.trash import Record
from gui import outcome, text
from gui.changing import Changes
from gui.jobs import JobRunner
from gui.outcome import Notice

_Key = tuple[str, str | None]
"""Digest and name: what an entry is to people."""


@dataclass(frozen=True)
class _Undone:
    """A record that was taken back: with what it takes to do the same again.

    ``before`` and ``after`` are ``index.json`` before and after it was taken back, empty where there is none.
    """

    record: Record
    before: bytes
    after: bytes

    @property
    def returned(self) -> Counter[_Key]:
        """The entries that came back."""
        return _keys(self.after) - _keys(self.before)


class Undoing(QObject):
    """What can be undone in one store, the newest first, and what can be done again.

    A record of the trash is what can be undone, so that it can be after a restart and from another window, too.
    """

    changed = Signal()
    """Other things can be undone or redone, or are in the trash."""
    noticed = Signal(object)
    """A ``Notice``."""
    undone = Signal(object)
    """The records with these ids were taken back."""

    def __init__(
        self,
        parent: QObject,
        runner: JobRunner,
        store: Store,
        changes: Changes,
        snapshot: Callable[[], Snapshot | None],
    ) -> None:
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._changes = changes
        self._snapshot = snapshot
        self._undone: list[_Undone] = []
        self._records: Sequence[Record] = ()
        self._reading = self._again = False
        changes.changed.connect(self._forget_undone)

    @property
    def records(self) -> Sequence[Record]:
        """Everything that can be undone, the newest first."""
        return self._records

    @property
    def trash(self) -> Sequence[Record]:
        """What of it holds blobs: that is what people find in a trash."""
        return [record for record in self._records if record.kind != "edit"]

    @property
    def undo_title(self) -> str:
        """What undoing takes back; empty where there is nothing."""
        return text.plain(self._records[0].title) if self._records else ""

    @property
    def redo_title(self) -> str:
        """What is done again by redoing; empty where there is nothing."""
        return text.plain(self._undone[-1].record.title) if self._undone else ""

    @Slot()
    def read(self) -> None:
        """Look into the trash; once more where that goes on already."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._runner.start(
            "Looking into the trash",
            lambda _progress: self._store.trash(),
            store=str(self._store.path),
            quiet=True,
            on_done=self._adopt,
            on_failed=self._fail_to_read,
            on_cancelled=self._end_reading,
        )

    # ---------------------------------------------------------------------------------------------- the verbs

    @Slot()
    def undo(self) -> None:
        """Take back what was done last."""
        if self._records:
            self.restore([self._records[0].id])

    @Slot()
    def redo(self) -> None:
        """Do again what was taken back last."""
        if not self._undone:
            return
        undone = self._undone.pop()
        self.changed.emit()
        self._changes.make(
            f"Redoing: {undone.record.title}",
            lambda progress: self._redo(undone, progress),
            lambda change: outcome.redone(undone.record, change),
            follows=True,
        )

    def restore(self, record_ids: Sequence[str]) -> None:
        """Take back what these records tell of, the newest first."""
        wanted = [record for record in self._records if record.id in set(record_ids)]
        if not wanted:
            self.noticed.emit(Notice("notice", "That is no longer in the trash: it was undone, or thrown away."))
            return
        undone: list[_Undone] = []

        def work(progress: Progress) -> Change:
            changes: list[Change] = []
            for record in wanted:
                try:
                    changes.append(self._undo(record, progress, undone))
                except EngineError as error:
                    if not changes:
                        raise
                    changes.append(Change(note=f"{record.title} stays in the trash: {error}"))
                    break
            return Change(
                added=tuple(digest for change in changes for digest in change.added),
                index_changed=any(change.index_changed for change in changes),
                note=" ".join(change.note for change in changes if change.note),
            )

        def tell(change: Change) -> str:
            self._undone += undone
            self.undone.emit([each.record.id for each in undone])
            self.changed.emit()
            returned = [key for each in undone for key in each.returned]
            self._changes.reveal_next(
                *(returned or [(str(digest), None) for digest in change.added] or [("", None)])[0]
            )
            return outcome.undone([each.record for each in undone], change)

        what = wanted[0].title if len(wanted) == 1 else text.count(len(wanted), "change")
        self._changes.make(f"Undoing: {what}", work, tell, follows=True)

    def empty(self, record_ids: Collection[str] | None = None) -> None:
        """Delete records for good; None for all that nobody wanted to be kept aside."""
        wanted = None if record_ids is None else list(record_ids)
        self._changes.make(
            "Emptying the trash",
            lambda progress: self._store.empty_trash(wanted, progress),
            outcome.emptied,
            follows=True,
        )

    # ---------------------------------------------------------------------------------------------- inside

    def _undo(self, record: Record, progress: Progress, undone: list[_Undone]) -> Change:
        before = self._index()
        change = self._store.undo(record.id, progress)
        undone.append(_Undone(record, before, self._index()))
        return change

    def _redo(self, undone: _Undone, progress: Progress) -> Change:
        """What the worker does: a removal is planned anew over what is there now; of an index the text comes back."""
        record = undone.record
        if record.kind == "aside" and not record.blobs:
            raise StoreChanged("Nothing was left to be kept aside.", place=str(self._store.path))
        if record.kind == "aside":
            return self._store.keep_aside(record.blobs[0].digest, progress)
        if record.kind == "edit":
            return self._store.edit_index(lambda index: _become(index, undone), record.title)
        snapshot = self._store.scan(progress, None, self._snapshot())
        returned, positions = undone.returned, []
        for entry in snapshot.entries:
            key = entry.descriptor.digest, entry.names[0] if entry.names else None
            if returned[key]:
                returned[key] -= 1
                positions.append(entry.position)
        plan = plan_removal(snapshot, positions, [blob.digest for blob in record.blobs])
        if plan.broken:
            raise StoreChanged(
                f"Something has come to need what was deleted: {plan.broken[0]}",
                place=str(self._store.path),
                remedy="Look at the store as it is now, and delete what you do not need.",
            )
        return self._store.apply(plan, progress)

    def _index(self) -> bytes:
        try:
            return self._store.read_index() if self._store.kind == "layout" else b""
        except EngineError:
            return b""

    @Slot()
    def _forget_undone(self) -> None:
        """Something else was done: what was taken back before cannot follow it."""
        self._undone.clear()
        self.changed.emit()

    def _adopt(self, records: Sequence[Record]) -> None:
        different = records != self._records
        self._records = records
        if different:
            self.changed.emit()
        self._end_reading()

    def _fail_to_read(self, _error: BaseException) -> None:
        """A store that cannot be read says so itself."""
        self._end_reading()

    def _end_reading(self) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.read()


def _become(index: IndexText, undone: _Undone) -> None:
    if index.raw != undone.after:
        raise StoreChanged(
            "index.json has changed since, so that is not done again.",
            place="index.json",
            remedy="Look at the store as it is now, and make the change that you want.",
        )
    index.become(undone.before)


def _keys(index: bytes) -> Counter[_Key]:
    """The entries of an ``index.json``, as often as they are there."""
    try:
        entries = IndexText.parse(index).entries if index else []
    except EngineError:
        return Counter()
    return Counter((entry.digest, entry.name) for entry in entries)
