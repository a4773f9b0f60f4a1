"""What is selected in a list of a store, and what can be said of it without asking the disk."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.columns import Names, Rows, as_names, find_rows
from engine.snapshot import PRESENT, REGULAR, STRAY, Entry, Kind, State
from engine.tagging import can_be_named
from gui.panels.selections import Selections
from gui.session import Selection, Session

_FEW = 100
"""Images whose parts are added up."""
_MOST = 20_000
"""Selections whose digests are looked up one by one."""


class Selected:
    """A selection over the snapshot of the moment; it is made anew when either is another."""

    def __init__(self, session: Session, selections: Sequence[Selection] = (), *, with_parts: bool = False) -> None:
        """``with_parts`` says that the list shows images, so that their parts are selected with them."""
        self._session = session
        self._snapshot = session.snapshot
        self.selections = selections
        self._with_parts = with_parts

    def __len__(self) -> int:
        return len(self.selections)

    @property
    def is_past(self) -> bool:
        """Whether the session has a newer snapshot by now."""
        return self._snapshot is not self._session.snapshot

    @property
    def first(self) -> Selection | None:
        """The current one."""
        return self.selections[0] if self.selections else None

    @cached_property
    def rows(self) -> Rows:
        """The rows of the session's snapshot, as far as it has them."""
        snapshot, selections = self._snapshot, self.selections
        if snapshot is None or not selections:
            return np.empty(0, np.int64)
        if isinstance(selections, Selections) and selections.snapshot is snapshot and selections.rows is not None:
            return selections.rows
        names = as_names([selection.digest for selection in selections[:_MOST]])
        found = find_rows(snapshot.columns.names, names)
        return np.unique(found[found >= 0])

    @cached_property
    def rows_with_parts(self) -> Rows:
        """The same, with everything that the first few are made of."""
        if self._snapshot is None or len(self.rows) > _MOST:
            return self.rows
        return np.array(sorted(self._snapshot.below(self.rows.tolist())), np.int64)

    @cached_property
    def size(self) -> int:
        """Bytes on disk; images count with all their parts, each blob once."""
        snapshot, rows = self._snapshot, self.rows
        if snapshot is None:
            return 0
        if self._with_parts and len(rows) <= _FEW:
            rows = np.fromiter(snapshot.below(rows.tolist(), parts_only=True), np.int64)
        return int(np.maximum(snapshot.columns.sizes[rows], 0).sum())

    @property
    def is_one_entry(self) -> bool:
        """Whether exactly one index entry is selected, rather than a part of one."""
        return len(self) == 1 and self._is_entry(self.selections[0])

    @property
    def entries(self) -> list[int]:
        """The positions of the index entries, where nothing but index entries is selected."""
        found = [each.entry_position for each in self.selections[:_MOST] if self._is_entry(each)]
        return [position for position in found if position is not None] if len(found) == len(self) else []

    @property
    def index_entries(self) -> list[Entry]:
        """The same entries, as the snapshot of the selection has them."""
        return [self._snapshot.entries[position] for position in self.entries] if self._snapshot is not None else []

    @property
    def is_lost(self) -> bool:
        """Whether exactly one lost image is selected."""
        return len(self) == 1 and self._has_state(State.LOST)

    @property
    def is_nameable(self) -> bool:
        """Whether exactly one thing is selected that an entry of the index could lead to."""
        snapshot, rows = self._snapshot, self.rows
        return snapshot is not None and len(self) == len(rows) == 1 and can_be_named(snapshot, int(rows[0]))

    @property
    def is_corrupt(self) -> bool:
        """Whether exactly one blob is selected whose file is not what it should be."""
        if len(self) != 1 or not self.is_on_disk:
            return False
        return self._has_state(State.CORRUPT) or self._has_state(State.SIZE_DIFFERS)

    def _has_state(self, state: State) -> bool:
        rows = self.rows
        return len(rows) == 1 and not self.is_past and self._session.state(int(rows[0])) == state

    @property
    def is_on_disk(self) -> bool:
        """Whether the current one has a file."""
        return self.file is not None

    @cached_property
    def with_files(self) -> Rows:
        """The rows that are blobs with a file each."""
        if self._snapshot is None:
            return self.rows
        flags = self._snapshot.columns.flags[self.rows]
        found: Rows = self.rows[(flags & (PRESENT | REGULAR | STRAY)) == PRESENT | REGULAR]
        return found

    @property
    def what_is_saved(self) -> str:
        """What those are, with a mnemonic: a blob, a layer, or several blobs."""
        snapshot, rows = self._snapshot, self.with_files
        if len(rows) > 1:
            return "&blobs"
        return "&layer" if snapshot is not None and len(rows) and snapshot.kind(int(rows[0])) == Kind.LAYER else "&blob"

    @property
    def file(self) -> Path | None:
        """Where the file of the current one lies; None where it has none."""
        snapshot, first = self._snapshot, self.first
        row = snapshot.find(first.digest) if snapshot is not None and first is not None else -1
        if snapshot is None or first is None or row < 0 or not snapshot.has(row, PRESENT):
            return None
        name = first.digest if snapshot.has(row, STRAY) else first.digest.replace(":", "/", 1)
        return self._session.path / ("blobs" if self._session.is_layout else "content") / name

    @property
    def names(self) -> Names | None:
        """The same digests as a column, also of very many."""
        return None if self._snapshot is None else self._snapshot.columns.names[self.rows]

    @property
    def digests(self) -> list[str]:
        return [selection.digest for selection in self.selections]

    @property
    def references(self) -> list[str]:
        """Names with digests, as tools take them."""
        return [self._reference(selection) for selection in self.selections]

    def _is_entry(self, selection: Selection) -> bool:
        """Whether it is an index entry itself, rather than a part of one."""
        snapshot, position = self._snapshot, selection.entry_position
        if snapshot is None or position is None or position >= len(snapshot.entries):
            return False
        return snapshot.entries[position].descriptor.digest == selection.digest

    def _reference(self, selection: Selection) -> str:
        snapshot, position = self._snapshot, selection.entry_position
        if snapshot is not None and position is not None and self._is_entry(selection):
            names = snapshot.entries[position].names
            if names:
                return f"{names[0]}@{selection.digest}"
        return selection.digest


def entry_of(selection: Selection | None) -> Entry | None:
    """The index entry that is selected; None where that is only a part of what an entry leads to."""
    snapshot = selection.session.snapshot if selection is not None else None
    position = selection.entry_position if selection is not None else None
    if selection is None or snapshot is None or position is None or not selection.session.is_layout:
        return None
    entry = snapshot.entries[position] if position < len(snapshot.entries) else None
    return entry if entry is not None and entry.descriptor.digest == selection.digest else None
