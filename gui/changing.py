"""Every change that a person can make to an open store: each is a job, is told, and is followed by a scan."""

import errno
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from engine.blobs import Change
from engine.columns import Names
from engine.digest import shorten
from engine.findings import Finding, Remedy
from engine.importing import ImportRequest
from engine.progress import Progress
from engine.remedies import apply_remedy, replace_blob
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Entry, Snapshot
from engine.store import Store
from engine.tagging import add_name, annotate, rename
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
    metadataChanged = Signal(object)
    """The metadata of this digest is different."""
    revealed = Signal(object, object)  # not of str: Qt drops what is no text, and stray files and keys have such names
    """This digest is the result of what was just done: select it, by the entry of this name if it has one."""
    changed = Signal()
    """Something was done that what was undone before cannot follow."""
    undoAsked = Signal(str)
    """Somebody wants to take back what the record with this id tells of."""
    emptyAsked = Signal()
    """Somebody wants to empty the trash, because the disk is full."""

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
        self._reveal_next = "", ""
        self._promise: _Promise | None = None

    def scanned(self, snapshot: Snapshot) -> None:
        """A scan has shown what is on the disk: point to the result, and say so where our change is gone again."""
        promise = self._promise
        if promise is not None and not promise.holds(snapshot):
            self._promise = None
            if time.monotonic() < promise.until:
                sentence = "Another program has overwritten index.json, and your last change of it is gone."
                self.noticed.emit(Notice("warning", sentence, "", "Apply again", promise.again))
        (digest, name), self._reveal_next = self._reveal_next, ("", "")
        if digest:
            self.revealed.emit(digest, name)

    def reveal_next(self, digest: str, name: str | None = None) -> None:
        """Have this selected once a scan has shown it, where several entries lead to it by the one of that name."""
        self._reveal_next = digest, name or ""

    # ---------------------------------------------------------------------------------------------- the verbs

    def plan_removal(
        self,
        entries: Sequence[int] = (),
        names: Names | None = None,
        *,
        with_content: bool = False,
        despite_doubts: bool = False,
        then: Callable[[RemovalPlan], object],
    ) -> None:
        """Work out what removing these index entries, or the blobs with these ``names``, would do."""
        snapshot = self._snapshot()
        if snapshot is None:
            return

        def work(_progress: Progress) -> RemovalPlan:
            digests = [] if names is None else [bytes(name).decode("utf-8", "surrogateescape") for name in names]
            return plan_removal(snapshot, entries, digests, with_content=with_content, despite_doubts=despite_doubts)

        self._runner.start(
            "Working out what goes", work, store=str(self._store.path), on_done=then, on_failed=self._tell_failure
        )

    def apply_removal(self, plan: RemovalPlan, *, for_good: bool = False) -> None:
        """Carry a plan out: by moving blobs to the trash, or ``for_good``."""
        gone = {(entry.descriptor.digest, entry.names) for entry in plan.entries}

        def present(now: Snapshot | None) -> list[int]:
            entries = now.entries if now else ()
            return [entry.position for entry in entries if (entry.descriptor.digest, entry.names) in gone]

        still_there = len(present(plan.snapshot)) - len(plan.entries)
        promise = _Promise(
            lambda now: len(present(now)) <= still_there,
            lambda: self.plan_removal(present(self._snapshot()), then=self.apply_removal),
        )
        self.make(
            f"{'Deleting' if for_good else 'Removing'} from {self._name}",
            lambda progress: self._store.apply(plan, progress, for_good=for_good),
            lambda change: outcome.removed(plan, change, for_good=for_good),
            promise=promise if gone and self._is_layout else None,
            when_full=None if for_good else lambda: self.apply_removal(plan, for_good=True),
        )

    def import_files(self, requests: Sequence[ImportRequest]) -> None:
        """Copy files in; what they became is selected afterwards."""
        names = {(request.name,) for request in requests if request.name is not None}

        def tell(change: Change) -> str:
            digests = [*change.added, *change.repaired, *change.present]
            self.reveal_next(str(digests[0]) if digests else "", requests[0].name if len(requests) == 1 else None)
            return outcome.imported(self._name, requests, change)

        promise = _Promise(
            lambda now: names <= {entry.names for entry in now.entries}, lambda: self.import_files(requests)
        )
        self.make(
            f"Importing {text.count(len(requests), 'file')}",
            lambda progress: self._store.import_files(requests, progress),
            tell,
            promise=promise if names else None,
            hashed=True,
        )

    def rename_entry(self, position: int, name: str | None, taken_from: Collection[str] = ()) -> None:
        """Give an index entry another name, or none; a name that is taken moves from the digests in ``taken_from``."""
        snapshot = self._snapshot()
        if snapshot is None:
            return
        entry = snapshot.entries[position]
        digest, names = entry.descriptor.digest, () if name is None else (name,)

        def again() -> None:
            now = self._find(lambda each: each.descriptor == entry.descriptor)
            if now is not None:
                self.rename_entry(now.position, name, taken_from)

        def tell(_change: Change) -> str:
            self.reveal_next(digest, name)
            return ""

        promise = _Promise(
            lambda now: any(each.names == names and each.descriptor.digest == digest for each in now.entries), again
        )
        edit, title = rename(entry, name, taken_from), f"Rename {_call(entry)}"
        self.make("Renaming", lambda _progress: self._store.edit_index(edit, title), tell, promise=promise)

    def add_name(self, digest: str, name: str | None, taken_from: Collection[str] = ()) -> None:
        """Let another entry of the index lead to a manifest or index, also to a lost one; names move as above."""
        snapshot = self._snapshot()
        if snapshot is None:
            return

        def tell(_change: Change) -> str:
            self.reveal_next(digest, name)
            return outcome.named(digest, name, moved=bool(taken_from))

        def holds(now: Snapshot) -> bool:
            return any(e.descriptor.digest == digest and (name is None or name in e.names) for e in now.entries)

        title = f"Add {name or shorten(digest)} to the index"
        self.make(
            "Adding to the index",
            lambda _progress: self._store.edit_index(add_name(snapshot, digest, name, taken_from), title),
            tell,
            promise=_Promise(holds, lambda: self.add_name(digest, name, taken_from)),
        )

    def annotate_entry(self, position: int, key: str, value: str | None) -> None:
        """Set an annotation of an index entry, or with None remove it."""
        snapshot = self._snapshot()
        if snapshot is None:
            return
        entry = snapshot.entries[position]
        digest, names = entry.descriptor.digest, entry.names

        def same(other: Entry) -> bool:
            return other.descriptor.digest == digest and other.names == names

        def again() -> None:
            now = self._find(same)
            if now is not None:
                self.annotate_entry(now.position, key, value)

        promise = _Promise(
            lambda now: any(same(each) and each.descriptor.annotations.get(key) == value for each in now.entries), again
        )
        edit, title = annotate(entry, key, value), f"Annotate {_call(entry)}"
        self.make(
            "Annotating",
            lambda _progress: self._store.edit_index(edit, title),
            lambda _change: outcome.annotated(_call(entry), key, is_gone=value is None),
            promise=promise,
        )

    def keep_aside(self, digest: str) -> None:
        """Move a corrupt blob to the trash, where it stays until somebody deletes it there."""
        self.make(
            "Keeping aside",
            lambda progress: self._store.keep_aside(digest, progress),
            lambda _change: outcome.kept_aside(digest),
        )

    def clean_up(self, plan: Callable[[], RemovalPlan | None], *, leftovers: bool) -> None:
        """Move what nothing needs to the trash; ``plan`` says on the worker what. Remove what crashed writers left."""

        def work(progress: Progress) -> outcome.Cleaned:
            planned = plan()
            change = self._store.apply(planned, progress) if planned is not None else Change()
            gone = self._store.clean(progress) if leftovers else []
            freed = sum(blob.freed for blob in planned.blobs) if planned is not None else 0
            return outcome.Cleaned(change, freed, gone)

        self.make("Cleaning up", work, outcome.cleaned_up)

    def replace(self, digest: str, file: Path) -> None:
        """Put a good copy in the place of a blob, which may be missing; anything else than that content is refused."""

        def tell(change: Change) -> str:
            self.reveal_next(digest)
            return outcome.replaced(digest, change)

        self.make(
            f"Replacing {shorten(digest)}",
            lambda progress: replace_blob(self._store, digest, file, progress),
            tell,
            hashed=True,
        )

    def repair(self, snapshot: Snapshot, remedy: Remedy, findings: Sequence[Finding]) -> None:
        """Do what helps against these findings, which were made over ``snapshot``."""

        def work(progress: Progress) -> Change:
            return apply_remedy(self._store, snapshot, findings, progress)

        self.make(remedy.value, work, lambda change: outcome.repaired(remedy, len(findings), change))

    def set_metadata(self, digest: str, key: str, value: bytes) -> None:
        """Keep a value under a key."""
        self._change_metadata(digest, f"Saving {key}", lambda: self._store.metadata.set(digest, key, value))

    def delete_metadata(self, digest: str, key: str) -> None:
        """Forget a key."""
        self._change_metadata(digest, f"Removing {key}", lambda: self._store.metadata.delete(digest, key))

    def make(
        self,
        title: str,
        work: Callable[[Progress], Result],
        tell: Callable[[Result], str],
        *,
        promise: _Promise | None = None,
        hashed: bool = False,
        follows: bool = False,
        when_full: Callable[[], object] | None = None,
    ) -> None:
        """Run a change, say what it did, and look at the disk again.

        ``hashed`` says that blobs which it adds were hashed on the way; ``follows`` that it is an undo or redo itself.
        Where the disk is full, ``when_full`` does the same without the trash.
        """

        def done(result: Result) -> Sequence[str]:
            if promise is not None:
                self._promise = replace(promise, until=time.monotonic() + OVERWRITTEN_WITHIN_S)
            if follows:
                self._promise = None  # it may have taken back what was promised
            else:
                self.changed.emit()
            sentence = tell(result)
            change = result.change if isinstance(result, outcome.Cleaned) else result
            change = change if isinstance(change, Change) else Change()
            if sentence and change.record:
                undo = partial(self.undoAsked.emit, change.record)
                self.noticed.emit(Notice("success", sentence, "", "Undo", undo, record=change.record))
            elif sentence:
                self.noticed.emit(Notice("success", sentence))
            return (*change.added, *change.repaired) if hashed else ()

        def failed(error: BaseException) -> None:
            if when_full is not None and _is_full(error):
                more = (("Empty trash…", self.emptyAsked.emit),)
                self.noticed.emit(replace(Notice.of(error, "Delete for good", when_full), more=more))
            else:
                self._tell_failure(error)

        self._write(title, work, done, self._scanner.scan, failed)

    # ---------------------------------------------------------------------------------------------- inside

    def _find(self, wanted: Callable[[Entry], bool]) -> Entry | None:
        """The first entry of the index as it is now that is wanted."""
        snapshot = self._snapshot()
        return next((entry for entry in snapshot.entries if wanted(entry)), None) if snapshot is not None else None

    def _change_metadata(self, digest: str, title: str, work: Callable[[], object]) -> None:
        """Run a change of what is kept beside the blobs; only in Docker's store does an image's parent hang on it."""

        def look() -> None:
            if not self._is_layout:
                self._scanner.scan()

        def done(_result: object) -> Sequence[str]:
            self.metadataChanged.emit(digest)
            return ()

        self._write(title, lambda _progress: work(), done, look, self._tell_failure)

    def _write(
        self,
        title: str,
        work: Callable[[Progress], Result],
        done: Callable[[Result], Sequence[str]],
        look: Callable[[], object],
        failed: Callable[[BaseException], object],
    ) -> None:
        """``done`` returns the digests of what was written and hashed."""

        def end(written: Sequence[str] = ()) -> None:
            self._scanner.end_change(written)
            look()

        def fail(error: BaseException) -> None:
            failed(error)
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
            on_done=lambda result: end(done(result)),
            on_failed=fail,
            on_cancelled=stop,
        )

    def _tell_failure(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of(error))


def _call(entry: Entry) -> str:
    """What an entry is called in the title of a change."""
    return entry.names[0] if entry.names and entry.names[0] else shorten(entry.descriptor.digest)


def _is_full(error: BaseException) -> bool:
    """Whether a change failed for want of room on the disk."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)
