"""What the cells of the table of blobs say."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QIcon

from engine.digest import shorten
from engine.snapshot import STRAY, Snapshot, State
from gui import icons, text
from gui.models import filtering

_MOST = 4096
"""Rows whose texts are kept; some hundred are on the screen."""
_MOST_NAMES = 10
"""Names of a blob that its tooltip tells."""


class Column(IntEnum):
    """The columns of the table."""

    DIGEST = 0
    KIND = 1
    MEDIA_TYPE = 2
    SIZE = 3
    USED_BY = 4
    MODIFIED = 5
    STATE = 6


TITLES = ("Digest", "Kind", "Media type", "Size", "Used by", "Modified", "State")


class BlobCells:
    """Looks up what is said of a row of a snapshot; texts are kept while they are on the screen."""

    def __init__(self, snapshot: Snapshot, states: NDArray[np.uint8]) -> None:
        self._snapshot = snapshot
        self._states = states
        self._kept: dict[int, tuple[str, ...]] = {}

    def state(self, row: int) -> State:
        return State(int(self._states[row]))

    def text(self, row: int, column: int) -> str:
        """What the cell shows."""
        return text.STATES[self.state(row)].word if column == Column.STATE else self._texts(row)[column]

    def icon(self, row: int, column: int) -> QIcon | None:
        """The glyph before it."""
        if column == Column.STATE:
            return icons.state_icon(self.state(row))
        return icons.kind_icon(self._snapshot.kind(row)) if column == Column.KIND else None

    def explanation(self, row: int, column: int) -> str:
        """The same at length."""
        snapshot, columns = self._snapshot, self._snapshot.columns
        if column == Column.DIGEST:
            names = [name for entry in snapshot.entries_of(row)[:_MOST_NAMES] for name in entry.names]
            return "\n".join([snapshot.name(row), *names])
        if column == Column.KIND:
            return text.KINDS[snapshot.kind(row)].sentence
        if column == Column.MEDIA_TYPE:
            return snapshot.media_type(row)
        if column == Column.SIZE:
            return text.exact_size(int(columns.sizes[row]))
        if column == Column.USED_BY:
            users = text.count(int(columns.used_by[row]), "index entry or document", "index entries and documents")
            return f"Used by {users}"
        if column == Column.STATE:
            return text.STATES[self.state(row)].sentence
        modified = int(columns.mtimes[row])
        return text.ago(modified / 1e9) if modified else ""

    def spoken(self, row: int, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        if column != Column.DIGEST:
            return f"{TITLES[column]}: {self.text(row, column)}"
        digest, kind, _, size, used_by, _ = self._texts(row)
        used = f"used by {used_by}" if used_by else ""
        state = text.STATES[self.state(row)].word.lower()
        return ", ".join(part for part in (f"{kind} {digest}", size, used, state) if part)

    def term(self, row: int, column: int) -> str:
        """The filter that asks for what the cell says; empty where there is none."""
        snapshot = self._snapshot
        if column == Column.DIGEST and not snapshot.has(row, STRAY):
            return filtering.term("digest", shorten(snapshot.name(row)))
        if column == Column.KIND:
            return filtering.kind_term(snapshot.kind(row))
        if column == Column.MEDIA_TYPE and snapshot.media_type(row):
            return filtering.term("type", snapshot.media_type(row))
        if column == Column.USED_BY and not snapshot.has(row, STRAY):
            return filtering.term("used", str(int(snapshot.columns.used_by[row])))
        return filtering.state_term(self.state(row)) if column == Column.STATE else ""

    def _texts(self, row: int) -> tuple[str, ...]:
        kept = self._kept.get(row)
        if kept is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            kept = self._kept[row] = self._write(row)
        return kept

    def _write(self, row: int) -> tuple[str, ...]:
        snapshot, columns = self._snapshot, self._snapshot.columns
        name, media_type = snapshot.name(row), snapshot.media_type(row)
        size, modified = int(columns.sizes[row]), int(columns.mtimes[row])
        is_stray = snapshot.has(row, STRAY)
        return (
            text.plain(name if is_stray else shorten(name)),
            text.KINDS[snapshot.kind(row)].word,
            text.media_type(media_type) if media_type else "",
            text.size(size) if size >= 0 else "",
            "" if is_stray else text.number(int(columns.used_by[row])),
            text.moment(modified / 1e9) if modified else "",
        )
