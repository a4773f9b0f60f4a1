"""The problems of a store as a tree: a row for each rule that is broken, below it one for each place.

Findings stay the values that the engine made; what is shown of a rule is an array of positions among them, so a hundred
thousand cost an array of numbers.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, overload

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal

from engine.findings import Finding, Severity
from engine.progress import Progress
from engine.report import Group
from gui import icons, text
from gui.jobs import JobRunner
from gui.models.arranging import Latest, Order, rows_move
from gui.models.look import ACCESSIBLE, COLOUR, DISPLAY, FONT, ICON, TOOLTIP, AnyIndex, Look

_NOBODY = QModelIndex()
_MOST_NAMES = 4096
"""Places whose names are kept; some hundred are on the screen."""


class Column(IntEnum):
    """The columns of the tree."""

    PROBLEM = 0
    SEVERITY = 1
    PLACE = 2
    WHERE = 3


TITLES = ("What is wrong", "Severity", "In", "Where")

NameOf = Callable[[str], str]
"""What people call a place: the image's name, or its short digest."""


@dataclass(frozen=True)
class Choice:
    """What a person wants to see: findings with all of these words, of these severities."""

    words: tuple[str, ...] = ()
    severities: frozenset[Severity] = frozenset(Severity)


@dataclass(frozen=True)
class Shown:
    """The findings of one rule that are left: positions among all of them."""

    group: Group
    left: Order

    def finding(self, place: int) -> Finding:
        return self.group.findings[int(self.left[place])]


class ProblemTree(QAbstractItemModel):
    """The findings of a store by rule; newer findings keep what is selected and open."""

    rearranging = Signal()
    """The rows are about to move."""
    arranged = Signal()
    """The rows stand as they were asked for."""

    def __init__(self, runner: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._latest = Latest(self, runner)
        self._look = Look(self)
        self._groups: Sequence[Group] = ()
        self._choice = Choice()
        self._name_of: NameOf = str
        self._names: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        """Rules by the numbers that the indexes of their findings carry; they stay for good."""
        self._shown: list[Shown] = []
        self._rows: dict[int, int] = {}
        """Where the rule of a number stands."""

    # ------------------------------------------------------------------------------------------- what is wanted

    def set_groups(self, groups: Sequence[Group], name_of: NameOf) -> None:
        """Show these findings, by rule."""
        self._groups, self._name_of = groups, name_of
        self._arrange()

    def set_choice(self, choice: Choice) -> None:
        """Show only what a person wants to see."""
        if choice != self._choice:
            self._choice = choice
            self._arrange()

    # -------------------------------------------------------------------------------------------- what is shown

    @property
    def busy(self) -> bool:
        """Whether the rows are still being chosen."""
        return self._latest.busy

    @property
    def shown(self) -> int:
        """How many findings are listed."""
        return sum(len(shown.left) for shown in self._shown)

    @property
    def total(self) -> int:
        """The same without the filter."""
        return sum(len(group.findings) for group in self._groups)

    def group_at(self, index: AnyIndex) -> Group | None:
        """The rule of a row, with all its findings."""
        shown = self._shown_at(index)
        return shown.group if shown is not None else None

    def finding_at(self, index: AnyIndex) -> Finding | None:
        """The finding of a row; None for the row of a rule."""
        shown = self._shown_at(index)
        if shown is None or not index.internalId() or index.row() >= len(shown.left):
            return None
        return shown.finding(index.row())

    def index_of(self, finding: Finding) -> QModelIndex:
        """Where a finding is listed; invalid where it is not."""
        number = self._numbers.get(finding.rule, 0)
        if number not in self._rows:
            return QModelIndex()
        shown = self._shown[self._rows[number]]
        place = next((n for n in range(len(shown.left)) if shown.finding(n) == finding), -1)
        return self.createIndex(place, 0, number) if place >= 0 else QModelIndex()

    def step(self, index: AnyIndex, step: int) -> QModelIndex:
        """The finding after a row, or with ``step`` -1 the one before, and round again."""
        starts = np.cumsum([0, *(len(shown.left) for shown in self._shown)])
        if not starts[-1]:
            return QModelIndex()
        if not index.isValid():
            at = -1 if step > 0 else 0
        elif index.internalId():
            at = int(starts[self._rows[index.internalId()]]) + index.row()
        else:
            at = int(starts[index.row()]) - (step > 0)
        at = (at + step) % int(starts[-1])
        row = int(np.searchsorted(starts, at, "right")) - 1
        return self.index(at - int(starts[row]), 0, self.index(row, 0))

    def _shown_at(self, index: AnyIndex) -> Shown | None:
        if not index.isValid():
            return None
        row = self._rows.get(index.internalId(), -1) if index.internalId() else index.row()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    # ------------------------------------------------------------------------------------------- overrides of Qt

    def index(self, row: int, column: int, parent: AnyIndex = _NOBODY) -> QModelIndex:
        if not (0 <= column < len(TITLES) and 0 <= row < self.rowCount(parent)):
            return QModelIndex()
        if not parent.isValid():
            return self.createIndex(row, column, 0)
        return self.createIndex(row, column, self._numbers[self._shown[parent.row()].group.rule.id])

    @overload
    def parent(self) -> QObject | None: ...
    @overload
    def parent(self, index: AnyIndex) -> QModelIndex: ...
    def parent(self, index: AnyIndex | None = None) -> QObject | QModelIndex | None:
        if index is None:
            return QObject.parent(self)
        number = index.internalId() if index.isValid() else 0
        return self.createIndex(self._rows[number], 0, 0) if number in self._rows else QModelIndex()

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        if not parent.isValid():
            return len(self._shown)
        if parent.internalId() or parent.column() or parent.row() >= len(self._shown):
            return 0
        return len(self._shown[parent.row()].left)

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(TITLES):
            return None
        return TITLES[section] if role == DISPLAY else None

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        shown, column = self._shown_at(index), index.column()
        if shown is None:
            return None
        finding = self.finding_at(index)
        severity = shown.group.severity if finding is None else finding.severity
        if role == DISPLAY:
            return self._text(shown, finding, severity, column)
        if role == ICON:
            return icons.severity_icon(severity) if column == Column.SEVERITY else None
        if role == COLOUR:
            return self._look.severities[severity] if column == Column.SEVERITY else None
        if role == FONT:
            if finding is None:
                return self._look.strong if column == Column.PROBLEM else None
            return self._look.fixed if column == Column.WHERE else None
        if role == TOOLTIP:
            return text.tooltip(self._explanation(shown, finding, severity, column))
        return self._spoken(shown, finding, severity, column) if role == ACCESSIBLE else None

    def _text(self, shown: Shown, finding: Finding | None, severity: Severity, column: int) -> str:
        if column == Column.SEVERITY:
            return text.SEVERITIES[severity].word
        group = shown.group
        if finding is None:
            if column == Column.PLACE:
                return _places(shown)
            return text.plain(group.rule.title) if column == Column.PROBLEM else f"Rule {group.rule.id}"
        if column == Column.PLACE:
            return self._name(finding.place)
        return text.plain(finding.sentence if column == Column.PROBLEM else finding.where)

    def _explanation(self, shown: Shown, finding: Finding | None, severity: Severity, column: int) -> str:
        if column == Column.SEVERITY:
            return text.SEVERITIES[severity].sentence
        if finding is None:
            rule = shown.group.rule
            source = f"{rule.id}: {rule.source}" if rule.source else ""
            return "\n".join(part for part in (rule.title, rule.text, source) if part)
        return (finding.sentence, "", finding.place, finding.where)[column]

    def _spoken(self, shown: Shown, finding: Finding | None, severity: Severity, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        if column != Column.PROBLEM:
            return f"{TITLES[column]}: {self._text(shown, finding, severity, column)}"
        texts = (self._text(shown, finding, severity, each) for each in Column)
        sentence, word, place, where = texts
        if finding is None:
            return f"{word}: {sentence}, {place}"
        return ", ".join(part for part in (f"{word}: {sentence}", f"in {place}" if place else "", where) if part)

    def _name(self, place: str) -> str:
        name = self._names.get(place)
        if name is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            name = self._names[place] = self._name_of(place)
        return name

    # ------------------------------------------------------------------------------------------------ arranging

    def _arrange(self) -> None:
        groups, choice = self._groups, self._choice
        size = sum(len(group.findings) for group in groups) if choice != Choice() else 0
        self._latest.run(size, lambda progress: list(_chosen(groups, choice, progress)), self._adopt)

    def _adopt(self, after: list[Shown]) -> None:
        self.rearranging.emit()
        with rows_move(self):
            indexes = self.persistentIndexList()
            held = [(self.group_at(index), self.finding_at(index)) for index in indexes]
            self._shown = after
            for shown in after:
                self._numbers.setdefault(shown.group.rule.id, len(self._numbers) + 1)
            self._rows = {self._numbers[shown.group.rule.id]: row for row, shown in enumerate(after)}
            self._names.clear()
            if indexes:
                columns = [index.column() for index in indexes]
                self.changePersistentIndexList(indexes, list(self._follow(held, columns)))
        self.arranged.emit()

    def _follow(
        self, held: Sequence[tuple[Group | None, Finding | None]], columns: Sequence[int]
    ) -> Iterator[QModelIndex]:
        """Where these rows stand now; invalid for those that are gone."""
        places: dict[str, dict[Finding, int]] = {}
        for (group, finding), column in zip(held, columns, strict=True):
            number = self._numbers.get(group.rule.id, 0) if group is not None else 0
            row = self._rows.get(number, -1)
            if row < 0 or group is None:
                yield QModelIndex()
            elif finding is None:
                yield self.createIndex(row, column, 0)
            else:
                rule, shown = group.rule.id, self._shown[row]
                if rule not in places:
                    places[rule] = {shown.finding(place): place for place in range(len(shown.left))}
                place = places[rule].get(finding, -1)
                yield self.createIndex(place, column, number) if place >= 0 else QModelIndex()


def _places(shown: Shown) -> str:
    """How many findings a rule has, and how many of them are listed."""
    count, listed = shown.group.count, len(shown.left)
    return text.count(count, "place") if count == listed else f"{text.number(listed)} of {text.count(count, 'place')}"


def _chosen(groups: Collection[Group], choice: Choice, progress: Progress) -> Iterator[Shown]:
    """What a choice leaves of the findings."""
    everything = choice == Choice()
    for group in groups:
        progress.check()
        if everything:
            yield Shown(group, np.arange(len(group.findings), dtype=np.int32))
            continue
        rule = f"{group.rule.id} {group.rule.title}".casefold()
        words = [word for word in choice.words if word not in rule]
        left = [
            place
            for place, finding in enumerate(group.findings)
            if finding.severity in choice.severities and _has(finding, words)
        ]
        if left:
            yield Shown(group, np.array(left, np.int32))


def _has(finding: Finding, words: Sequence[str]) -> bool:
    if not words:
        return True
    said = f"{finding.sentence}\n{finding.place}\n{finding.where}\n{finding.expected}\n{finding.found}".casefold()
    return all(word in said for word in words)
