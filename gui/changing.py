"""Every change that a person can make to an open store: each is a job, is told, and is followed by a scan."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from engine.blobs import Change
from engine.errors import StoreChanged
from engine.importing import ImportRequest
from engine.index import IndexText
from engine.progress import Progress
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Names, Snapshot
from engine.store import Store
from gui import outcome, text
from gui.jobs import JobRunner
from gui.outcome import Notice
from gui.scanning import Scanner

Result = TypeVar("Result")

OVERWRITTEN_WITHIN_S = 10.0
"""So long after a change of ours the index is compared with what we wrote."""


@dataclass(frozen=True)
class _Promise:
    """What a change of ours made true of the index, how to make it true again, and until when that is looked at."""

    holds: Callable[[Snapshot], bool]
    again: Callable[[], object]
    until: float = 0.0


class Changes(QObject):
    """Changes one store, one change at a time."""

    noticed = Signal(object)
    """A ``Notice``: what a change did, or why it failed."""
    metadataChanged = Signal(str)
    """The metadata of this digest is different."""
    revealed = Signal(str)
    """This digest is the result of what was just done: select it."""

    def __init__(
        self,
        parent: QObject,
        runner: JobRunner,
        store: Store,
        name: str,
        scanner: Scanner,
        snapshot: Callable[[], Snapshot | None],
    ) -> None:
        """``name`` is what people call the store, ``snapshot`` returns what is in it."""
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._name = name
        self._scanner = scanner
        self._snapshot = snapshot
        self._is_layout = store.kind == "layout"
        self._reveal_next = ""
        self._promise: _Promise | None = None

    def scanned(self, snapshot: Snapshot) -> None:
        """A scan has shown what is on the disk: point to the result, and say so where our change is gone again."""
        promise = self._promise
        if promise is not None and not promise.holds(snapshot):
            self._promise = None
            if time.monotonic() < promise.until:
                sentence = "Another program has overwritten index.json, and your last change of it is gone."
                self.noticed.emit(Notice("warning", sentence, "", "Apply again", promise.again))
        if self._reveal_next:
            digest, self._reveal_next = self._reveal_next, ""
            self.revealed.emit(digest)

    # ---------------------------------------------------------------------------------------------- the verbs

    def plan_removal(
        self,
        entries: Sequence[int] = (),
        names: Names | None = None,
        *,
        with_content: bool = False,
        then: Callable[[RemovalPlan], object],
    ) -> None:
        """Work out what removing these index entries, or the blobs with these ``names``, would do."""
        snapshot = self._snapshot()
        if snapshot is None:
            return

        def work(_progress: Progress) -> RemovalPlan:
            digests = [] if names is None else [bytes(name).decode("utf-8", "surrogateescape") for name in names]
            return plan_removal(snapshot, entries, digests, with_content=with_content)

        self._runner.start(
            "Working out what goes", work, store=str(self._store.path), on_done=then, on_failed=self._tell_failure
        )

    def apply_removal(self, plan: RemovalPlan) -> None:
        """Carry a plan out."""
        gone = {(entry.descriptor.digest, entry.names) for entry in plan.entries}

        def present(now: Snapshot | None) -> list[int]:
            entries = now.entries if now else ()
            return [entry.position for entry in entries if (entry.descriptor.digest, entry.names) in gone]

        still_there = len(present(plan.snapshot)) - len(plan.entries)
        promise = _Promise(
            lambda now: len(present(now)) <= still_there,
            lambda: self.plan_removal(present(self._snapshot()), then=self.apply_removal),
        )
        self._change(
            f"Removing from {self._name}",
            lambda progress: self._store.apply(plan, progress),
            lambda change: outcome.removed(plan, change),
            promise if gone and self._is_layout else None,
        )

    def import_files(self, requests: Sequence[ImportRequest]) -> None:
        """Copy files in; what they became is selected afterwards."""
        names = {(request.name,) for request in requests if request.name is not None}

        def tell(change: Change) -> str:
            digests = [*change.added, *change.repaired, *change.present]
            self._reveal_next = str(digests[0]) if digests else ""
            return outcome.imported(self._name, requests, change)

        promise = _Promise(
            lambda now: names <= {entry.names for entry in now.entries}, lambda: self.import_files(requests)
        )
        self._change(
            f"Importing {text.count(len(requests), 'file')}",
            lambda progress: self._store.import_files(requests, progress),
            tell,
            promise if names else None,
        )

    def rename_entry(self, position: int, name: str | None) -> None:
        """Give an index entry another name, or none."""
        snapshot = self._snapshot()
        if snapshot is None:
            return
        descriptor = snapshot.entries[position].descriptor
        names = () if name is None else (name,)

        def edit(index: IndexText) -> None:
            same = [n for n, found in enumerate(index.entries) if found == descriptor]
            if not same:
                raise StoreChanged("That entry is no longer in the index as it was.", place="index.json")
            index.rename(min(same, key=lambda n: abs(n - position)), name)

        def again() -> None:
            now = self._snapshot()
            same = [entry.position for entry in (now.entries if now else ()) if entry.descriptor == descriptor]
            if same:
                self.rename_entry(same[0], name)

        def tell(_change: Change) -> str:
            self._reveal_next = descriptor.digest
            return ""

        promise = _Promise(
            lambda now: any(e.names == names and e.descriptor.digest == descriptor.digest for e in now.entries), again
        )
        self._change("Renaming", lambda _progress: self._store.edit_index(edit), tell, promise)

    def clean(self) -> None:
        """Remove what crashed writers left behind."""
        self._change("Cleaning up", self._store.clean, outcome.cleaned)

    def set_metadata(self, digest: str, key: str, value: bytes) -> None:
        """Keep a value under a key."""
        self._change_metadata(digest, f"Saving {key}", lambda: self._store.metadata.set(digest, key, value))

    def delete_metadata(self, digest: str, key: str) -> None:
        """Forget a key."""
        self._change_metadata(digest, f"Removing {key}", lambda: self._store.metadata.delete(digest, key))

    # ---------------------------------------------------------------------------------------------- inside

    def _change(
        self,
        title: str,
        work: Callable[[Progress], Result],
        tell: Callable[[Result], str],
        promise: _Promise | None = None,
    ) -> None:
        """Run a change, say what it did, and look at the disk again."""

        def done(result: Result) -> None:
            if promise is not None:
                self._promise = replace(promise, until=time.monotonic() + OVERWRITTEN_WITHIN_S)
            sentence = tell(result)
            if sentence:
                self.noticed.emit(Notice("success", sentence))

        self._write(title, work, done, self._scanner.scan)

    def _change_metadata(self, digest: str, title: str, work: Callable[[], object]) -> None:
        """Run a change of what is kept beside the blobs; only in Docker's store does an image's parent hang on it."""

        def look() -> None:
            if not self._is_layout:
                self._scanner.scan()

        self._write(title, lambda _progress: work(), lambda _result: self.metadataChanged.emit(digest), look)

    def _write(
        self,
        title: str,
        work: Callable[[Progress], Result],
        done: Callable[[Result], object],
        look: Callable[[], object],
    ) -> None:
        def end(written: Sequence[str] = ()) -> None:
            self._scanner.end_change(written)
            look()

        def succeed(result: Result) -> None:
            done(result)
            end((*result.added, *result.repaired) if isinstance(result, Change) else ())

        def fail(error: BaseException) -> None:
            self._tell_failure(error)
            end()

        def stop() -> None:
            self.noticed.emit(Notice("notice", f"{title}: stopped. What was finished before stays."))
            end()

        self._scanner.begin_change()
        self._runner.start(
            title,
            work,
            store=str(self._store.path),
            writes=True,
            on_done=succeed,
            on_failed=fail,
            on_cancelled=stop,
        )

    def _tell_failure(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of(error))
