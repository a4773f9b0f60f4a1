"""Keeps what is known to be wrong with an open store true: after each scan, after a verification, and more deeply."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.errors import StorageFailed
from engine.findings import Finding, Severity
from engine.progress import Progress
from engine.report import Checked, Group, counted, grouped, summed_up
from engine.snapshot import Snapshot, State
from engine.store import Store
from engine.verdicts import Verdicts
from engine.verify import VerifyBatch
from gui.jobs import Job, JobRunner
from gui.loading import JUDGING, Loader
from gui.outcome import Notice
from gui.picture import Picture

if TYPE_CHECKING:  # more than a hundred rules, and what unpacks layers: the workers import that, after the first window
    from engine.layercheck import LayerCheck
    from engine.validate import Validation

REST = 10.0
"""While blobs are being hashed, validating takes at most this share of the time: one part in so many."""
_PAUSE_MS = 300
_BAD = (State.CORRUPT, State.UNREADABLE, State.SIZE_DIFFERS, State.MISSING, State.DAMAGED, State.NOT_REGULAR)


@dataclass(frozen=True)
class Judgement:
    """What was found in one look at a snapshot, ready to be shown."""

    snapshot: Snapshot
    validation: "Validation"
    checked: Checked
    groups: Sequence[Group] = ()
    counts: Mapping[Severity, int] = field(default_factory=dict)
    by_place: Mapping[str, Sequence[Finding]] = field(default_factory=dict)


class Problems(QObject):
    """What is wrong with one open store."""

    changed = Signal()
    """Something else is known."""
    asked = Signal()
    """Somebody wants to see what is wrong."""
    recorded = Signal(object, object)
    """On the way through the layers these were hashed: the ``Snapshot``, and a list of ``VerifyBatch``."""
    noticed = Signal(object)
    """A ``Notice``."""

    def __init__(self, parent: QObject, runner: JobRunner, store: Store, hash_the_rest: Callable[[], object]) -> None:
        """``hash_the_rest`` hashes what no layer was, after a deep check."""
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._key = str(store.path)
        self._hash_the_rest = hash_the_rest
        self._picture: Picture | None = None
        self._judgement: Judgement | None = None
        self._layers: dict[str, LayerCheck] | None = None
        """What reading layers to their end has told, by digest; None where none was read yet."""
        self._wanted = self._running = self._tells_deep = False
        self._deep: Job | None = None
        self._judged_bad: tuple[int, ...] = ()
        self._rests_until = 0.0
        self._when_checked: list[Callable[[], object]] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._start)
        self._loader = Loader(self, JUDGING, 0)
        self._loader.loaded.connect(lambda: self._want(0))

    # ---------------------------------------------------------------------------------------------- what is known

    @property
    def groups(self) -> Sequence[Group]:
        """The findings by rule, the worst first; empty also while nobody has looked, see ``checked``."""
        return self._judgement.groups if self._judgement is not None else ()

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings there are of each severity."""
        return self._judgement.counts if self._judgement is not None else {}

    @property
    def checked(self) -> Checked | None:
        """How closely was looked; None where nobody has looked yet."""
        return self._judgement.checked if self._judgement is not None else None

    @property
    def snapshot(self) -> Snapshot | None:
        """What the findings were made over."""
        return self._judgement.snapshot if self._judgement is not None else None

    @property
    def checking_deeply(self) -> bool:
        return self._deep is not None

    def of(self, place: str) -> Sequence[Finding]:
        """What is wrong at a digest, or in one of the store's own files."""
        return self._judgement.by_place.get(place, ()) if self._judgement is not None else ()

    def of_itself(self) -> list[Finding]:
        """What is wrong with the store itself: its folder, and its own documents."""
        by_place = self._judgement.by_place if self._judgement is not None else {}
        return [finding for place, found in by_place.items() if ":" not in place for finding in found]

    def when_checked(self, act: Callable[[], object]) -> None:
        """Call ``act`` once the store was held against the rules; now, where it was."""
        if self._judgement is not None:
            act()
        else:
            self._when_checked.append(act)

    def report(
        self,
        form: Callable[[Checked, Sequence[Group]], str],
        then: Callable[[str], object],
        path: Path | None = None,
    ) -> None:
        """Write down what is wrong, into a file where there is a ``path``."""
        checked, groups = self.checked, self.groups
        if checked is None:
            return

        def work(_progress: Progress) -> str:
            written = form(checked, groups)
            if path is not None:
                try:
                    path.write_text(written, "utf-8")
                except OSError as error:
                    raise StorageFailed.from_os("Writing", str(path), error) from None
            return written

        self._runner.start("Writing the report", work, store=self._key, on_done=then, on_failed=self._tell_failure)

    # ---------------------------------------------------------------------------------------------- looking

    def adopt(self, picture: Picture) -> None:
        """A scan is complete: hold what is there against the rules, but let it be shown first."""
        self._picture = picture
        self._loader.start()

    def note_states(self) -> None:
        """Hashing has found something; where it changes what is wrong, judge again, but not all the time."""
        picture = self._picture
        if picture is not None and _bad(picture) != self._judged_bad:
            self._want(max(_PAUSE_MS, round(1000 * (self._rests_until - time.monotonic()))))

    def note_verified(self) -> None:
        """A verification is over: how much was hashed is part of what is known."""
        if self._picture is not None:
            self._want(0)

    def stop(self) -> None:
        """Judge nothing more: the store is being closed."""
        self._loader.stop()
        self._pause.stop()
        self._picture = None

    @Slot()
    def check_deeply(self) -> None:
        """Read every layer to its end, beside the rules, and hash what is left."""
        picture = self._picture
        if picture is None or self._deep is not None:
            return
        snapshot, known = picture.snapshot, dict(self._layers or {})

        def found(items: list[object]) -> None:
            self.recorded.emit(snapshot, [item for item in items if isinstance(item, VerifyBatch)])

        def done(layers: "dict[str, LayerCheck]") -> None:
            self._layers = layers
            self._tells_deep = True
            end()
            self._want(0)
            self._hash_the_rest()

        def failed(error: BaseException) -> None:
            end()
            self._tell_failure(error)

        def end() -> None:
            self._deep = None
            self.changed.emit()

        def work(progress: Progress) -> "dict[str, LayerCheck]":
            from engine.layercheck import check_layers

            return check_layers(self._store, snapshot, progress, known)

        self._deep = self._runner.start(
            "Checking layers",
            work,
            store=self._key,
            precious=True,
            on_items=found,
            on_done=done,
            on_failed=failed,
            on_cancelled=end,
        )
        self.changed.emit()

    def _want(self, pause_ms: int) -> None:
        self._wanted = True
        if not self._running and (not self._pause.isActive() or self._pause.remainingTime() > pause_ms):
            self._pause.start(pause_ms)

    @Slot()
    def _start(self) -> None:
        picture = self._picture
        if picture is None or self._running:
            return
        self._wanted, self._running = False, True
        self._judged_bad = _bad(picture)
        began = time.monotonic()
        snapshot, previous = picture.snapshot, self._judgement.validation if self._judgement is not None else None
        verdicts, layers = _copied(picture.verdicts), _of_now(self._layers, snapshot)

        def work(progress: Progress) -> Judgement:
            from engine.checkup import what_was_checked
            from engine.validate import validate

            found = validate(self._store, snapshot, progress, verdicts=verdicts, layers=layers, previous=previous)
            checked = what_was_checked(self._store, snapshot, verdicts, layers)
            return judge(snapshot, found, checked)

        def done(judgement: Judgement) -> None:
            # Of a snapshot that is past by now it is still the last that is known; the next one is on its way.
            self._rests_until = time.monotonic() + REST * (time.monotonic() - began)
            self._judgement = judgement
            end()
            self._tell_judgement()

        def failed(error: BaseException) -> None:
            end()
            self._tell_failure(error)

        def end() -> None:
            self._running = False
            if self._wanted:
                self._pause.start(0)

        self._runner.start(
            "Holding documents against the rules",
            work,
            store=self._key,
            quiet=True,
            patient=True,
            on_done=done,
            on_failed=failed,
            on_cancelled=end,
        )

    def _tell_judgement(self) -> None:
        self.changed.emit()
        waiting, self._when_checked = self._when_checked, []
        for act in waiting:
            act()
        if not self._tells_deep or self.checked is None or not self.checked.deep:
            return
        self._tells_deep = False
        wrong = {severity: count for severity, count in self.counts.items() if severity > Severity.INFO and count}
        if wrong:
            sentence = f"Every layer was read to its end: {summed_up(wrong)} found."
            self.noticed.emit(Notice("warning", sentence, "", "Show", self.asked.emit))
        else:
            self.noticed.emit(Notice("success", "Every layer was read to its end: nothing wrong was found."))

    def _tell_failure(self, error: BaseException) -> None:
        self.noticed.emit(Notice.of(error))


def judge(snapshot: Snapshot, validation: "Validation", checked: Checked) -> Judgement:
    """Findings made ready to be shown; walks over all of them, so not on the GUI thread."""
    from engine.rules.book import RULES

    groups = grouped(validation.findings, RULES)
    by_place: dict[str, list[Finding]] = {}
    for finding in validation.findings.items:
        by_place.setdefault(finding.place, []).append(finding)
    return Judgement(snapshot, validation, checked, groups, counted(groups), by_place)


def _bad(picture: Picture) -> tuple[int, ...]:
    return tuple(int(picture.counts[state]) for state in _BAD)


def _of_now(layers: "Mapping[str, LayerCheck] | None", snapshot: Snapshot) -> "dict[str, LayerCheck] | None":
    """What was told of layers whose files are still the ones that were read."""
    if layers is None:
        return None
    from engine.layercheck import stamp_of

    found = {}
    for digest, layer in layers.items():
        row = snapshot.find(digest)
        if row >= 0 and layer.stamp == stamp_of(snapshot, row):
            found[digest] = layer
    return found


def _copied(verdicts: Verdicts) -> Verdicts:
    """Verdicts that nobody changes while a worker reads them."""
    copy = Verdicts(len(verdicts.outcomes))
    copy.outcomes[:] = verdicts.outcomes
    copy.checked_at[:] = verdicts.checked_at
    copy.found = dict(verdicts.found)
    return copy
