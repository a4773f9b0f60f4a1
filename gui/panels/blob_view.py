"""The blobs of a store as a table."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QTableView, QWidget

from engine.snapshot import Snapshot
from gui import theme
from gui.jobs import JobRunner
from gui.models.blob_cells import Column
from gui.models.blob_table import BlobTable
from gui.panels.rows_view import MenuFor, RowsView
from gui.panels.selections import Selections
from gui.session import Selection, Session
from gui.settings import Settings

_SAMPLES = (
    "sha256:9f2c…41ab",
    "attestation",
    "gzip layer",
    "999.9 MB",
    "Used by",
    "28 Nov 2026 23:43",
    "Not checkable",
)
"""What should fit into each column."""


class BlobView(RowsView):
    """Every blob, every digest that is missing, every stray file."""

    def __init__(self, runner: JobRunner, settings: Settings, menu_for: MenuFor, parent: QWidget | None = None) -> None:
        view = QTableView()
        self.model = BlobTable(runner, view)
        view.setModel(self.model)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setCornerButtonEnabled(False)
        rows = view.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(theme.row_height(view.font()))
        super().__init__("blobs", view, view.horizontalHeader(), Column.STATE, self.model, settings, menu_for, parent)
        view.horizontalHeader().moveSection(Column.STATE, Column.MEDIA_TYPE)  # in sight where there is little room
        self.columns.restore(_SAMPLES, Column.MEDIA_TYPE, (Column.KIND, Column.STATE))

    def _selections(
        self, session: Session, ranges: Sequence[tuple[QModelIndex, int, int]], current: QModelIndex
    ) -> Sequence[Selection]:
        snapshot = self.model.snapshot
        if snapshot is None:
            return []
        places = np.concatenate([np.arange(first, last + 1) for _, first, last in ranges])
        here = np.flatnonzero(places == current.row())
        places = np.concatenate([places[here], np.delete(places, here)])
        rows = self.model.rows_at(places)

        def selection(position: int) -> Selection:
            row = int(rows[position])
            entries = snapshot.entries_of(row)
            return Selection(session, snapshot.name(row), entries[0].position if entries else None)

        return Selections(len(rows), selection, snapshot, rows.astype(np.int64))

    def _index_of(self, digest: str, _entry_position: int | None) -> QModelIndex:
        place = self.model.place_of(digest)
        return self.model.index(place, 0) if place >= 0 else QModelIndex()

    def _is_hidden(self, digest: str, _entry_position: int | None) -> bool:
        snapshot = self.model.snapshot
        return snapshot is not None and snapshot.find(digest) >= 0

    def _say_empty(self, snapshot: Snapshot) -> None:
        self.empty.say("This store has no blobs yet", "Drop a file here to import it.")
