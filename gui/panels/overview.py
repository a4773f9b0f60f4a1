"""What is selected, in plain language."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from engine.columns import Rows
from engine.snapshot import Kind
from gui import text
from gui.panels import describe_state, naming
from gui.panels.describe import MOST, Check, Reveal, ShowAll, Subject, bytes_of
from gui.panels.describe_blob import describe_subject
from gui.panels.page import Block, Field, Fields, Page, Paragraph, say
from gui.session import Selection, Session
from gui.theme import Role

_OWN_DOCUMENTS = {
    "index.json": "The list of what this layout holds: other tools find images only through it.",
    "oci-layout": "Says that this folder is an image layout, and of which version.",
}
_LAST_UPDATED = "lastUpdated"


class Overview(Page):
    """The overview of one row, or the sum of several. ``followed`` carries the ``Selection`` that a link leads to."""

    followed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Overview")
        self._selection: Selection | None = None
        self._expanded: frozenset[str] = frozenset()
        self._revealed = False
        self._last_updated = ""
        self.activated.connect(self._act)

    def show_selection(self, selection: Selection) -> None:
        """Describe what is selected, from the top and with nothing unfolded."""
        self._selection = selection
        self._expanded, self._revealed, self._last_updated = frozenset(), False, ""
        self.show_blocks(self._describe())
        if not selection.session.is_layout:
            self._ask_docker(selection)

    def show_several(self, session: Session, rows: Rows) -> None:
        """Sum up several rows."""
        self._selection = None
        self.show_blocks(_sum_up(session, rows))

    def refresh(self) -> None:
        """Describe the same thing again, because more is known of it; the reader keeps the place."""
        if self._selection is not None:
            self.show_blocks(self._describe(), keep_place=True)

    def _describe(self) -> Sequence[Block]:
        selection = self._selection
        assert selection is not None
        snapshot = selection.session.snapshot
        row = snapshot.find(selection.digest) if snapshot is not None and selection.digest else -1
        if snapshot is None:
            return [Paragraph([[say("The store is being read.", Role.MUTED)]])]
        if row < 0:
            return _without_row(selection)
        subject = Subject(
            selection.session,
            snapshot,
            row,
            selection.entry_position,
            self._expanded,
            self._revealed,
            self._last_updated,
        )
        return describe_subject(subject)

    def _ask_docker(self, selection: Selection) -> None:
        """Docker writes beside an image when it last changed; that is on the disk, so it comes later."""

        def arrived(value: bytes) -> None:
            if selection is self._selection:
                self._last_updated = value[:64].decode("utf-8", "replace")
                self.refresh()

        def unknown(_error: BaseException) -> None:
            """Most images have none."""

        selection.session.metadata_get(selection.digest, _LAST_UPDATED, arrived, unknown)

    @Slot(object)
    def _act(self, target: object) -> None:
        if isinstance(target, Selection):
            self.followed.emit(target)
        elif isinstance(target, ShowAll):
            self._expanded |= {target.section}
            self.refresh()
        elif isinstance(target, Reveal):
            self._revealed = True
            self.refresh()
        elif isinstance(target, Check) and self._selection is not None:
            session = self._selection.session
            snapshot = session.snapshot
            row = snapshot.find(self._selection.digest) if snapshot is not None else -1
            if snapshot is not None and row >= 0:
                session.verify(naming.parts_below(snapshot, row))


def _without_row(selection: Selection) -> list[Block]:
    """What can be said of a digest that the snapshot does not know, or of an entry without one."""
    session, position = selection.session, selection.entry_position
    if session.is_own_document(selection.digest):
        return _own_document(session, selection.digest)
    snapshot = session.snapshot
    if snapshot is None or selection.digest or position is None or position >= len(snapshot.entries):
        return [Paragraph([[say("It is not in this store any more.")]])]
    lead = Paragraph([[say(f"Entry {position + 1} of the index does not say which content it names.", Role.BAD)]])
    rows = [describe_state.field_of(finding) for finding in describe_state.in_entry(session, position)]
    return [lead, Fields(rows)] if rows else [lead]


def _own_document(session: Session, name: str) -> list[Block]:
    """What one of the layout's own documents is for, and what is wrong in it."""
    rows = [describe_state.field_of(finding) for finding in session.problems.of(name)[:MOST]]
    return [Paragraph([[say(_OWN_DOCUMENTS[name], Role.MUTED)]]), *([Fields(rows)] if rows else [])]


def _sum_up(session: Session, rows: Rows) -> list[Block]:
    snapshot = session.snapshot
    if snapshot is None:
        return []
    rows = rows[(rows >= 0) & (rows < len(snapshot))]
    sizes = np.maximum(snapshot.columns.sizes[rows], 0)
    kinds = snapshot.columns.kinds[rows]
    fields = []
    for kind in Kind:
        mine = kinds == kind
        if mine.any():
            count = say(f"{text.number(int(np.count_nonzero(mine)))}{text.SEPARATOR}")
            fields.append(Field(naming.capital(text.KINDS[kind].word), [[count, bytes_of(int(sizes[mine].sum()))]]))
    return [Fields([Field("On disk", [[bytes_of(int(sizes.sum()))]]), *fields])]
