"""Which rows a filter leaves: its terms as questions to the columns of a snapshot.

In the table each row answers for itself, except that a tag, a platform or a label means every blob that such an image
needs. In the tree the rows at the top answer, for themselves and for everything below them: an image is shown when one
of its parts, or the image together with that part, is what every term asks for.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Names, Rows
from engine.document import CONFIG_TYPES, INDEX_TYPES, MANIFEST_TYPES, Index, Manifest, Role
from engine.progress import Progress
from engine.snapshot import STRAY, Kind, State
from gui import text
from gui.models.conditions import (
    Condition,
    DigestStart,
    InState,
    Labelled,
    Measure,
    OfKind,
    OnPlatform,
    Query,
    Tagged,
    Words,
)
from gui.models.facts import Facts, Mask, Texts, annotations_of, sliced

Item = TypeVar("Item")

_OF_IMAGES = (OnPlatform, Tagged, Labelled)
_ORDINARY = MANIFEST_TYPES | INDEX_TYPES | CONFIG_TYPES
_SHORTEST_DIGEST = 4
"""Characters of plain text from which on it may be meant as a digest; "be" begins too many."""
_MOST_LEAPS = 1000
"""Folders of blobs that are looked at for their algorithms."""
_CHUNK = 65536
"""Names that are compared in one go."""


class Matcher:
    """Answers one filter over one snapshot; ``states`` and ``worst`` are copies that nobody changes meanwhile."""

    def __init__(
        self,
        facts: Facts,
        states: NDArray[np.uint8],
        worst: NDArray[np.uint8],
        progress: Progress,
        now: float | None = None,
    ) -> None:
        self._facts = facts
        self._columns = facts.snapshot.columns
        self._states = states
        self._worst = worst
        self._progress = progress
        self._now = time.time() if now is None else now

    def rows(self, query: Query) -> Mask:
        """The rows of the table that are left."""
        left = np.ones(self._facts.count, np.bool_)
        for condition, negated in query.terms:
            self._progress.check()
            holds = self._rows(condition) | self._rows_of(self._entries(condition))
            if isinstance(condition, _OF_IMAGES):
                holds = self._facts.down(holds)
            left &= holds != negated
        return left

    def tops(self, query: Query) -> Mask:
        """The rows at the top of the tree that are left: index entries, then lost images."""
        tops = self._facts.tops
        left = np.ones(len(tops), np.bool_)
        wanted: list[tuple[Mask, Mask]] = []
        for condition, negated in query.terms:
            self._progress.check()
            part = self._parts(condition)
            top = self._entries(condition) | self._tops(condition, part)
            if isinstance(condition, _OF_IMAGES):
                part = np.zeros_like(part)  # a shared layer does not make an image one of that tag
            if negated:
                left[top | self._have_below(part)] = False
            else:
                wanted.append((top, part))
        satisfied: Mask = left & self._satisfied(wanted)
        return satisfied

    def _satisfied(self, wanted: list[tuple[Mask, Mask]]) -> Mask:
        """The tops that fulfil each wish themselves or, all that are left of them, in one of their parts."""
        left = np.zeros(len(self._facts.tops), np.int64)
        for bit, (top, _) in enumerate(wanted):
            left |= np.where(top, 0, 1 << bit)
        satisfied: Mask = left == 0
        for combination in np.unique(left[~satisfied]).tolist():
            self._progress.check()
            part = np.ones(self._facts.count, np.bool_)
            for bit, (_, holds) in enumerate(wanted):
                if combination >> bit & 1:
                    part &= holds
            satisfied |= (left == combination) & self._have_below(part)
        return satisfied

    # ----------------------------------------------------------------------------------------------- of the tops

    def _entries(self, condition: Condition) -> Mask:
        """The tops whose entry in the index says so itself."""
        entries = self._facts.snapshot.entries
        match condition:
            case Words(words):
                return self._ask(self._facts.entry_names, lambda names: words in names)
            case Tagged():
                return self._ask(self._facts.entry_names, condition.holds)
            case OnPlatform():
                platforms = [entry.descriptor.platform for entry in sliced(entries, self._progress)]
                return self._ask(
                    [platform.text.casefold() if platform else "" for platform in platforms], condition.holds
                )
            case Labelled():
                return self._ask([entry.descriptor.annotations for entry in entries], condition.holds)
        return np.zeros(len(self._facts.tops), np.bool_)

    def _parts(self, condition: Condition) -> Mask:
        """The rows that show the image which they are part of."""
        match condition:
            case Words(words):
                # Every image has something of "image" and of "layer": what is ordinary finds nothing.
                ordinary = (self._columns.kinds == Kind.LAYER) | self._of_type(_ORDINARY.__contains__)
                found: Mask = self._called(words) | (self._typed(words) & ~ordinary)
                return found
            case InState(states):
                # An image is verified when all of it is, not when a part is.
                return _among(self._states, states - {State.VERIFIED})
        return self._rows(condition)

    def _tops(self, condition: Condition, rows: Mask) -> Mask:
        """The tops of which it holds as the tree shows them, where ``rows`` are those of which it holds by themselves."""
        match condition:
            case OnPlatform() | Labelled():
                return self._have_below(rows)
            case InState(states) if State.VERIFIED in states:
                rows = rows | (self._facts.rolled(self._states, self._worst) == State.VERIFIED)
            case Measure("size"):
                tops = self._facts.tops
                return condition.holds(self._facts.totals(tops, self._progress)) & np.greater_equal(tops, 0)
        return self._at_tops(rows)

    def _ask(self, items: Sequence[Item], holds: Callable[[Item], bool]) -> Mask:
        """The tops for whose item it holds; an empty item is none."""
        found = np.zeros(len(self._facts.tops), np.bool_)
        found[: len(items)] = [bool(item) and holds(item) for item in sliced(items, self._progress)]
        return found

    def _have_below(self, rows: Mask) -> Mask:
        """The tops that are, or have below them, one of these rows."""
        return self._at_tops(self._facts.up(rows))

    def _at_tops(self, rows: Mask) -> Mask:
        """What a mask of rows says of the tops; nothing of those without a row."""
        at_tops: Mask = np.append(rows, np.False_)[self._facts.tops]
        return at_tops

    def _rows_of(self, tops: Mask) -> Mask:
        """The rows of these tops."""
        rows = np.zeros(self._facts.count, np.bool_)
        wanted = self._facts.tops[tops]
        rows[wanted[wanted >= 0]] = True
        return rows

    # ----------------------------------------------------------------------------------------------- of the rows

    def _rows(self, condition: Condition) -> Mask:
        """What each row is by itself."""
        columns = self._columns
        match condition:
            case Words(words):
                return self._called(words) | self._typed(words)
            case DigestStart(start):
                return begin_with(self._columns, start, self._progress)
            case OfKind():
                return self._of_kind(condition)
            case InState(states):
                return _among(self._states, states)
            case Measure(what):
                return self._measured(what, condition)
            case OnPlatform():
                return self._with_images(self._texts(self._facts.platforms, condition.holds))
            case Labelled():
                return self._labelled(condition)
        return np.zeros(len(columns), np.bool_)

    def _called(self, words: str) -> Mask:
        """Rows with such a digest, path or file name."""
        titles = self._texts(self._facts.titles, lambda title: words in title)
        digests = begin_with(self._columns, words if len(words) >= _SHORTEST_DIGEST else "\0", self._progress)
        return digests | self._strays(words) | titles

    def _of_kind(self, wanted: OfKind) -> Mask:
        kinds = set(wanted.kinds)
        if Kind.IMAGE in kinds and self._facts.snapshot.store_kind == "docker":
            kinds.add(Kind.CONFIG)  # which is all that Docker's store has of an image
        found = np.isin(self._columns.kinds, np.array(list(kinds), np.uint8))
        if wanted.manifests or wanted.media_types:
            found |= self._of_type(
                lambda name: (
                    (wanted.manifests and name in MANIFEST_TYPES)
                    or any(part in name.lower() for part in wanted.media_types)
                )
            )
        return found

    def _measured(self, what: str, condition: Measure) -> Mask:
        columns = self._columns
        numbers: dict[str, NDArray[np.integer[Any]]] = {
            "size": columns.sizes,
            "used": columns.used_by,
            "age": int(self._now) - columns.mtimes // 1_000_000_000,
        }
        known = {"size": columns.sizes >= 0, "used": (columns.flags & STRAY) == 0, "age": columns.mtimes != 0}
        found: Mask = known[what] & condition.holds(numbers[what])
        return found

    def _labelled(self, condition: Labelled) -> Mask:
        """The manifests, indexes and configs with such a label, and what is described with it."""
        digests = []
        for digest, document in self._facts.documents():
            if condition.holds(annotations_of(document)):
                digests.append(digest)
            parts = document.manifests if isinstance(document, Index) else ()
            parts = document.layers if isinstance(document, Manifest) else parts
            digests += [part.digest for part in parts if part.annotations and condition.holds(part.annotations)]
        return self._with_images(self._mark(self._facts.rows_of(digests)))

    def _with_images(self, rows: Mask) -> Mask:
        """Also the manifests of the configs among them: what a config says, it says of its image."""
        parts = self._facts.parts
        return rows | self._mark(parts.parents[rows[parts.children] & (parts.roles == Role.CONFIG)])

    def _texts(self, texts: Texts, holds: Callable[[str], bool]) -> Mask:
        answers: dict[str, bool] = {}
        found = []
        for word in sliced(texts.words, self._progress):
            if (answer := answers.get(word)) is None:
                answer = answers[word] = holds(word)
            found.append(answer)
        return self._mark(texts.rows[np.array(found, np.bool_)])

    def _typed(self, words: str) -> Mask:
        """Rows by their media type, as it is written (the beginning that most have left out) and in plain words."""
        return self._of_type(
            lambda name: words in f"{name.removeprefix('application/')}\n{text.media_type(name)}".casefold()
        )

    def _of_type(self, holds: Callable[[str], bool]) -> Mask:
        types = self._facts.snapshot.media_types
        return np.array([holds(name) for name in sliced(types, self._progress)], np.bool_)[self._columns.media]

    def _strays(self, words: str) -> Mask:
        rows = np.flatnonzero((self._columns.flags & STRAY) != 0)
        names = (bytes(self._columns.names[row]) for row in sliced(rows.tolist(), self._progress))
        found = [words in name.decode("utf-8", "surrogateescape").casefold() for name in names]
        return self._mark(rows[np.array(found, np.bool_)])

    def _mark(self, rows: Rows) -> Mask:
        """A mask of these rows; -1 is none."""
        mask = np.zeros(self._facts.count, np.bool_)
        mask[rows[rows >= 0]] = True
        return mask


def begin_with(columns: Columns, start: str, progress: Progress) -> Mask:
    """Rows whose digest, with or without its algorithm, begins so; "9f2c…41ab" also says how it ends."""
    head, _, tail = start.partition("…")
    found = np.zeros(len(columns), np.bool_)
    if not head.isascii() or "\0" in start:
        return found
    for algorithm in ("", *(f"{name}:" for name in _algorithms(columns.names))):
        first, last = _range(columns.names, f"{algorithm}{head}")
        found[first:last] = True
    found &= (columns.flags & STRAY) == 0
    if tail:
        ending = tail.encode("utf-8", "surrogateescape")
        rows = np.flatnonzero(found)
        for some in np.split(rows, range(_CHUNK, len(rows), _CHUNK)):
            progress.check()
            found[some] = np.char.endswith(columns.names[some], ending)
    return found


def _algorithms(names: Names) -> list[str]:
    """The algorithms of the digests that are there, found by leaping over their ranges."""
    found: list[str] = []
    place, steps = 0, 0
    while place < len(names) and steps < _MOST_LEAPS:
        name = bytes(names[place]).decode("ascii", "replace")
        algorithm, colon, _ = name.partition(":")
        is_digest = bool(colon) and "/" not in algorithm
        if is_digest:
            found.append(algorithm)
        head = f"{algorithm}:" if is_digest else f"{name.partition('/')[0]}/"
        place, steps = max(place + 1, _range(names, head)[1]), steps + 1
    return found


def _among(values: NDArray[np.uint8], states: frozenset[State]) -> Mask:
    return np.isin(values, np.array(list(states), np.uint8))


def _range(names: Names, start: str) -> tuple[int, int]:
    """Where the names stand that begin so."""
    head = start.encode("utf-8", "surrogateescape")
    if not head:
        return 0, len(names)
    after = head[:-1] + bytes([head[-1] + 1]) if head[-1] < 255 else head + b"\xff"
    first, last = np.searchsorted(names, np.array([head, after]))
    return int(first), int(last)
