"""How rows come into their order: at once where they are few, on a worker where they are many."""

import contextlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractItemModel, QObject, QTimer, Slot
from shiboken6 import isValid

from engine.progress import Progress
from engine.snapshot import Snapshot
from gui.jobs import Job, JobRunner
from gui.models.conditions import EVERYTHING, Query

Result = TypeVar("Result")
Order = NDArray[np.int32]

AT_ONCE = 20_000
"""Rows up to this number are sorted and filtered between two repaints."""
SETTLE_MS = 1000
"""While states change, rows that are sorted or filtered by them move at most this often."""
_KEY_LENGTH = 200
"""Characters of a name that decide where it stands."""
_DIGITS = re.compile(r"0*([0-9]{1,98})")


class Latest:
    """Works out one thing after the other, of which only the one that was asked for last counts."""

    def __init__(self, owner: QObject, runner: JobRunner, *, patient: bool = False) -> None:
        """Nothing comes home once ``owner`` is gone; with ``patient`` nobody waits for it (see ``Job``)."""
        self._owner = owner
        self._runner = runner
        self._patient = patient
        self._number = 0
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        return self._job is not None

    def run(self, size: int, work: Callable[[Progress], Result], then: Callable[[Result], None]) -> None:
        """Call ``then`` with what ``work`` returns: now where ``size`` rows are few, else when a worker is done."""
        self.drop()
        if size <= AT_ONCE:
            then(work(Progress()))
            return
        number = self._number

        def done(result: Result) -> None:
            self._job = None
            then(result)

        def failed(error: BaseException) -> None:
            self._job = None
            sys.excepthook(type(error), error, error.__traceback__)

        self._job = self._runner.start(
            "Arranging rows",
            work,
            quiet=True,
            patient=self._patient,
            on_done=done,
            on_failed=failed,
            still_wanted=lambda: number == self._number and isValid(self._owner),
        )

    def drop(self) -> None:
        """What is on its way is no longer wanted."""
        self._number += 1
        job, self._job = self._job, None
        if job is not None:
            self._runner.cancel(job)


@dataclass(frozen=True, eq=False)
class Wish:
    """What should be shown and in which order: column -1 is the order in which things come by themselves.

    ``states`` and ``worst`` have one value a row; the session changes them while blobs are checked.
    """

    snapshot: Snapshot
    states: NDArray[np.uint8]
    worst: NDArray[np.uint8]
    query: Query
    column: int
    descending: bool

    @property
    def asked(self) -> tuple[Query, int, bool]:
        """What a person has asked for, as opposed to what is in the store."""
        return self.query, self.column, self.descending

    def same_order(self, other: "Wish") -> bool:
        """Whether both have the same rows in the same order, before they are filtered."""
        return (self.snapshot, self.column, self.descending) == (other.snapshot, other.column, other.descending)


class Arranger(QObject):
    """Keeps what a model should show, and has its rows arranged whenever that changes.

    ``arrange`` works out of a wish what ``adopt`` then shows; the one may run on a worker, the other never does.
    """

    def __init__(
        self,
        model: QObject,
        runner: JobRunner,
        state_column: int,
        arrange: Callable[[Wish, Progress], Result],
        adopt: Callable[[Result | None], None],
    ) -> None:
        super().__init__(model)
        self._latest = Latest(model, runner)
        self._state_column = state_column
        self._work = arrange
        self._adopt = adopt
        self.snapshot: Snapshot | None = None
        self.states: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.worst: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._query = EVERYTHING
        self._column, self._descending = -1, False
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLE_MS)
        self._settling.timeout.connect(self.arrange)

    @property
    def busy(self) -> bool:
        """Whether the rows are being arranged."""
        return self._latest.busy

    def set_snapshot(self, snapshot: Snapshot | None, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None:
        """Another snapshot is to be shown."""
        self.snapshot, self.states, self.worst = snapshot, states, worst
        self.arrange()

    def set_states(self, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None:
        """Other states of the same snapshot; rows that go by them move in a moment."""
        self.states, self.worst = states, worst
        if self._goes_by_states and not self._settling.isActive():
            self._settling.start()

    def set_query(self, query: Query) -> None:
        """Only what the filter leaves is to be shown."""
        if query != self._query:
            self._query = query
            self.arrange()

    def sort(self, column: int, *, descending: bool) -> None:
        """The rows are to stand in the order of a column."""
        self._column, self._descending = column, descending and column >= 0
        self.arrange()

    @property
    def _goes_by_states(self) -> bool:
        return self._column == self._state_column or self._query.asks_for_states

    @Slot()
    def arrange(self) -> None:
        """Bring the rows into the order that is wanted now."""
        self._settling.stop()
        snapshot, states, worst = self.snapshot, self.states, self.worst
        if snapshot is None:
            self._latest.drop()
            self._adopt(None)
            return
        if self._goes_by_states:
            states, worst = states.copy(), worst.copy()  # they change while a worker reads them
        wish = Wish(snapshot, states, worst, self._query, self._column, self._descending)
        size = max(len(snapshot), len(snapshot.entries))
        self._latest.run(size, lambda progress: self._work(wish, progress), self._adopt)


@contextlib.contextmanager
def rows_move(model: QAbstractItemModel) -> Iterator[None]:
    """Tell the views of ``model`` that rows, and never columns, change their places or come and go meanwhile."""
    will_change: Any = model.layoutAboutToBeChanged  # the stubs know no signals with several signatures
    have_changed: Any = model.layoutChanged
    will_change[_SIGNATURE].emit([], QAbstractItemModel.LayoutChangeHint.VerticalSortHint)
    yield
    have_changed[_SIGNATURE].emit([], QAbstractItemModel.LayoutChangeHint.VerticalSortHint)


_SIGNATURE = ("QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint")


def order_by(keys: NDArray[Any], *, descending: bool) -> Order:
    """The order of ``keys``; equal ones stay as they are."""
    if descending:
        keys = keys.max(initial=0) - keys if keys.dtype.kind == "u" else -keys
    return np.argsort(keys, kind="stable").astype(np.int32)


def places_in(order: Order, count: int) -> Order:
    """Where each of ``count`` rows stands in an order; -1 for those that it leaves out."""
    places = np.full(count, -1, np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places


def ranks(words: Iterable[str]) -> NDArray[np.uint32]:
    """The place of each word among all of them, by ``natural_key``; equal words have equal places."""
    keys = np.array([natural_key(word) for word in words], np.bytes_)
    if not len(keys):
        return np.empty(0, np.uint32)
    return np.unique(keys, return_inverse=True)[1].astype(np.uint32)


def natural_key(word: str) -> bytes:
    """What to sort a word by, so that "1.9" comes before "1.10" and capitals make no difference."""
    spread = _DIGITS.sub(lambda digits: f"{len(digits[1]):02}{digits[1]}", word[:_KEY_LENGTH].casefold())
    return spread.encode("utf-8", "surrogateescape")
