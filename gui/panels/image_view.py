"""The images of a store as a tree."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Slot
from PySide6.QtWidgets import QTreeView, QWidget

from engine.findings import Severity
from engine.snapshot import Snapshot
from gui import text
from gui.jobs import JobRunner
from gui.models.image_cells import Column
from gui.models.image_nodes import ROOT
from gui.models.image_tree import ImageTree
from gui.panels.rows_view import MenuFor, RowsView
from gui.panels.selections import Selections
from gui.session import Selection, Session
from gui.settings import Settings

_SAMPLES = ("registry.example.com/team/app:1.10", "linux/arm64/v8", "zstd layer", "999.9 MB", "Size differs: 12 parts")
"""What should fit into each column."""


class ImageView(RowsView):
    """Index entries, what they are made of and what belongs to them, or the images of Docker's store."""

    def __init__(self, runner: JobRunner, settings: Settings, menu_for: MenuFor, parent: QWidget | None = None) -> None:
        view = QTreeView()
        self.model = ImageTree(runner, view)
        view.setModel(self.model)
        view.setUniformRowHeights(True)
        view.setAllColumnsShowFocus(True)
        super().__init__("images", view, view.header(), Column.STATE, self.model, settings, menu_for, parent)
        view.verticalScrollBar().valueChanged.connect(self._reach_end)
        self._open: set[int] = set()
        self._open_in: Snapshot | None = None
        view.expanded.connect(lambda index: self._open.add(index.internalId()))
        view.collapsed.connect(lambda index: self._open.discard(index.internalId()))
        self.model.arranged.connect(self._open_again)
        self.columns.restore(_SAMPLES, Column.NAME, (Column.STATE,))

    @Slot(int)
    def _reach_end(self, value: int) -> None:
        """Show more where somebody has scrolled to the end of what is shown."""
        if value >= self.view.verticalScrollBar().maximum():
            self.model.show_more()

    @Slot()
    def _open_again(self) -> None:
        """Open what was open before a filter hid it; in a newer snapshot Qt keeps open what was."""
        view, model = self.view, self.model
        assert isinstance(view, QTreeView)
        if model.snapshot is self._open_in:
            for node in sorted(self._open):  # parents have the lower numbers
                index = model.index_at(node)
                if index.isValid() and not view.isExpanded(index):
                    view.expand(index)
            return
        self._open_in = model.snapshot
        self._open = {model.follow(node) for node in self._open} - {ROOT}

    def _selections(
        self, session: Session, ranges: Sequence[tuple[QModelIndex, int, int]], current: QModelIndex
    ) -> Sequence[Selection]:
        nodes = self.model.nodes
        if nodes is None:
            return []
        found: list[int] = []
        for parent, first, last in ranges:
            found += nodes.between(parent.internalId() if parent.isValid() else ROOT, first, last)
        here = current.internalId() if current.isValid() else ROOT
        if here in found:
            found.remove(here)
            found.insert(0, here)
        return Selections(len(found), lambda n: Selection(session, *nodes.content(found[n])))

    def _index_of(self, digest: str, entry_position: int | None) -> QModelIndex:
        return self.model.index_of(digest, entry_position)

    def _index_known(self, digest: str, entry_position: int | None) -> QModelIndex:
        return self.model.index_known(digest, entry_position)

    def _is_hidden(self, digest: str, entry_position: int | None) -> bool:
        return self.model.hides(digest, entry_position)

    def _words(self, key: str) -> Sequence[str]:
        return self.model.words(key)

    def _say_empty(self, snapshot: Snapshot) -> None:
        found = self._session.problems.of("index.json") if self._session is not None else ()
        broken = [finding for finding in found if finding.severity is Severity.ERROR]
        if snapshot.store_kind == "docker":
            self.empty.say("Docker has no images here", "Images that Docker pulls or builds will show here.")
        elif broken:
            self.empty.say("The index of this layout cannot be read", text.plain(broken[0].sentence))
        elif len(snapshot):
            blobs = text.count(len(snapshot), "blob")
            self.empty.say(
                "The index of this layout names no image",
                f"There are {blobs} in the list of blobs. Drop a manifest here to import it under a name.",
            )
        else:
            self.empty.say("This layout has no images yet", "Drop a file here to import it.")
