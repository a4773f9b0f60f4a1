"""What the cells of the image tree say."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QIcon

from engine.snapshot import State
from gui import icons, text
from gui.models import filtering
from gui.models.conditions import tag_of
from gui.models.image_nodes import Nodes

_MOST = 4096
"""Nodes whose texts are kept; some hundred are on the screen."""


class Column(IntEnum):
    """The columns of the tree."""

    NAME = 0
    PLATFORM = 1
    KIND = 2
    SIZE = 3
    STATE = 4


TITLES = ("Name", "Platform", "Kind", "Size", "State")


class ImageCells:
    """Looks up what is said of a node; what was looked up is kept while it is on the screen."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._states: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._worst: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._kept: dict[int, tuple[str, ...]] = {}
        self._summaries: dict[int, tuple[State, int]] = {}

    def set_states(self, states: NDArray[np.uint8], worst: NDArray[np.uint8]) -> None:
        """Go by these states of the rows."""
        self._states, self._worst = states, worst
        self._summaries.clear()

    def state(self, node: int) -> State:
        """The state of the node and its parts."""
        return self._summary(node)[0]

    def text(self, node: int, column: int) -> str:
        """What the cell shows."""
        return self._state_words(node) if column == Column.STATE else self._texts(node)[column]

    def icon(self, node: int, column: int) -> QIcon | None:
        """The glyph before it."""
        is_group = node == self._nodes.group
        if column == Column.NAME:
            return icons.state_icon(State.LOST) if is_group else icons.kind_icon(self._nodes.kind(node))
        return icons.state_icon(self.state(node)) if column == Column.STATE and not is_group else None

    def explanation(self, node: int, column: int) -> str:
        """The same at length."""
        nodes, row = self._nodes, self._nodes.row(node)
        if node == nodes.group:
            return "No index leads to these images, but all their parts are here: they can be added again."
        if row < 0:
            return "This entry of the index does not say which content it names."
        if column == Column.NAME:
            repeated = "It is a part of itself; its own parts are shown above." if nodes.repeats(node) else ""
            return "\n".join(part for part in (self._texts(node)[0], nodes.snapshot.name(row), repeated) if part)
        if column == Column.KIND:
            return f"{text.KINDS[nodes.kind(node)].sentence}\n{nodes.snapshot.media_type(row)}".strip()
        if column == Column.SIZE:
            whole = ", with all its parts, each once" if nodes.facts.has_parts(row) else ""
            return f"{text.exact_size(nodes.size(node))}{whole}"
        if column == Column.STATE:
            state, parts = self._summary(node)
            return f"{text.count(parts, 'part') + ': ' if parts else ''}{text.STATES[state].sentence}"
        return self._texts(node)[column]

    def spoken(self, node: int, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        if column != Column.NAME:
            return f"{TITLES[column]}: {self.text(node, column)}"
        name, platform, kind, size = self._texts(node)
        said_already = kind.rpartition(" ")[2] in name
        parts = (name, "" if said_already else kind, platform, size, self._state_words(node).lower())
        return ", ".join(part for part in parts if part)

    def term(self, node: int, column: int) -> str:
        """The filter that asks for what the cell says; empty where there is none."""
        nodes, row = self._nodes, self._nodes.row(node)
        if row < 0:
            return ""
        if column == Column.NAME:
            entry = nodes.entry(node)
            return filtering.term("tag", tag_of(entry.names[0])) if entry is not None and entry.names else ""
        if column == Column.PLATFORM:
            platform = nodes.platform(node)
            return filtering.term("platform", platform) if "/" in platform else ""
        if column == Column.KIND:
            return filtering.kind_term(nodes.kind(node))
        return filtering.state_term(self.state(node)) if column == Column.STATE else ""

    def _texts(self, node: int) -> tuple[str, ...]:
        kept = self._kept.get(node)
        if kept is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            nodes, size = self._nodes, self._nodes.size(node)
            words = (nodes.name(node), nodes.platform(node), nodes.kind_words(node))
            kept = self._kept[node] = (*words, text.size(size) if size >= 0 else "")
        return kept

    def _state_words(self, node: int) -> str:
        if node == self._nodes.group:
            return ""
        state, parts = self._summary(node)
        word = text.STATES[state].word
        return f"{word}: {text.count(parts, 'part')}" if parts else word

    def _summary(self, node: int) -> tuple[State, int]:
        """The state of a node and its parts, and how many of the parts have made it so; 0 where it is its own."""
        summary = self._summaries.get(node)
        if summary is None:
            if len(self._summaries) >= _MOST:
                self._summaries.clear()
            summary = self._summaries[node] = self._sum_up(node)
        return summary

    def _sum_up(self, node: int) -> tuple[State, int]:
        row = self._nodes.row(node)
        if row < 0:
            return State.LOST if node == self._nodes.group else State.DAMAGED, 0
        own, worst = State(int(self._states[row])), State(int(self._worst[row]))
        if own == worst != State.VERIFIED:
            return worst, 0
        parts = self._nodes.facts.parts_below(row)
        if parts is None:
            return worst, 0
        states = self._states[parts].tobytes()
        if own != worst:
            return worst, states.count(worst)
        unknown = State.NOT_CHECKED in states or State.CHECKING in states
        return State.NOT_CHECKED if unknown else worst, 0
