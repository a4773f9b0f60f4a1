"""Asks what is to be cleaned up: bins with ticks, what a lost image says about itself, and how much all that is."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from engine.cleanup import LostImage
from gui import icons, text
from gui.models.cleanup_tree import CleanupTree, Column, Proposal
from gui.models.look import RowDelegate
from gui.theme import Role, Space
from gui.widgets import heading, plain_label

_SIZE = QSize(860, 600)
_SAMPLES = {Column.SIZE: "999.9 MB", Column.AGE: "28 Nov 2026 23:43"}
"""What should fit into the columns at the right."""
_MOST_DETAILS = 6
"""What a lost image says of itself that is shown; the rest is in its overview."""
_MOST_DOUBTS = 3


class CleanupDialog(QDialog):
    """Shows what can go; nothing does before the button is pressed."""

    confirmed = Signal(object, object, bool)
    """Digests of blobs, digests of lost images, and whether leftovers of crashed programs go."""
    add_asked = Signal(str, str)
    """Somebody wants a lost image in the index: its digest, and the name that it says it had."""

    def __init__(self, store: str, proposal: Proposal, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(text.window_title(f"Clean up {text.plain(store)}"))
        self.resize(_SIZE.boundedTo(parent.window().size() - QSize(Space.HUGE, Space.HUGE)))
        self._proposal = proposal
        self.view = QTreeView(self)
        self.model = CleanupTree(proposal, self.view)
        self._about = plain_label("", wrap=True, selectable=True)
        self._about.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._add = QPushButton(icons.icon("tag add"), "Add to the index…", self)
        self._add.setAutoDefault(False)
        self._add.clicked.connect(self._ask_to_add)
        self._sure = QCheckBox(self)
        self._sum = plain_label("", wrap=True)
        buttons = QDialogButtonBox(self)
        self._accept = buttons.addButton("Move to trash", QDialogButtonBox.ButtonRole.AcceptRole)
        self._accept.setDefault(True)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._confirm)
        buttons.rejected.connect(self.reject)
        self._dress()
        self._assemble(store, buttons)
        self.model.ticked.connect(self._refresh)
        self._sure.toggled.connect(self._refresh)
        self.view.selectionModel().currentChanged.connect(self._describe)
        self.view.setCurrentIndex(self.model.index(0, 0))
        self._refresh()
        self.view.setFocus()

    def _dress(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setAccessibleName("What can be cleaned up")
        view.setUniformRowHeights(True)
        view.setAlternatingRowColors(True)
        view.setAllColumnsShowFocus(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setIconSize(icons.LIST_SIZE)
        view.setItemDelegateForColumn(Column.SIZE, RowDelegate(view))  # it knows how high a row is
        view.setSortingEnabled(True)
        view.sortByColumn(Column.SIZE, Qt.SortOrder.DescendingOrder)
        view.installEventFilter(self)
        header, metrics = view.header(), view.fontMetrics()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(Column.ABOUT, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(Column.WHAT, 300)
        for column, sample in _SAMPLES.items():
            header.resizeSection(column, metrics.horizontalAdvance(sample) + Space.HUGE)
        for row in range(self.model.rowCount()):
            view.expand(self.model.index(row, 0))

    def _assemble(self, store: str, buttons: QDialogButtonBox) -> None:
        cleanup = self._proposal.cleanup
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(heading(f"Clean up {text.plain(store)}"))
        doubts = list(cleanup.doubts[:_MOST_DOUBTS])
        if cleanup.empty_index:
            doubts.insert(0, "The index names nothing, so nothing here is needed by anything that it names.")
        for doubt in doubts:
            layout.addLayout(_warning(doubt))
        layout.addWidget(self.view, 1)
        below = QHBoxLayout()
        below.addWidget(self._about, 1)
        below.addWidget(self._add, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(below)
        self._sure.setVisible(cleanup.empty_index)
        self._sure.setText("I know that the index is empty, and want what is ticked to go all the same")
        layout.addWidget(self._sure)
        bottom = QHBoxLayout()
        bottom.addWidget(self._sum, 1)
        bottom.addWidget(buttons)
        layout.addLayout(bottom)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The space bar ticks all that is selected, as the current row becomes."""
        if watched is self.view and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Space:
                self._tick_selected()
                return True
            if event.key() == Qt.Key.Key_Asterisk:
                return True  # would open everything; everything is open
        return super().eventFilter(watched, event)

    def _tick_selected(self) -> None:
        current = self.view.currentIndex()
        chosen = self.view.selectionModel().selectedRows()
        if current.isValid():
            self.model.tick(chosen or [current], not self.model.is_ticked(current))

    @Slot()
    def _refresh(self) -> None:
        """Say what would happen now."""
        found = self.model.sum()
        parts = []
        if found.blobs:
            size = f"{text.size(found.freed)} ({text.exact_size(found.freed)})"
            parts.append(f"{text.count(found.blobs, 'blob')}, {size}: free when the trash is emptied.")
        if found.leftovers:
            parts.append(f"{text.count(found.leftovers, 'leftover')}, {text.size(found.leftover_bytes)}: free at once.")
        self._sum.setText(" ".join(parts) or "Nothing is ticked.")
        words = f"Move {text.count(found.blobs, 'blob')} to trash" if found.blobs else "Remove leftovers"
        self._accept.setText(words if found.blobs or found.leftovers else "Move to trash")
        sure = not self._proposal.cleanup.empty_index or self._sure.isChecked() or not found.blobs
        self._accept.setEnabled(sure and bool(found.blobs or found.leftovers))

    @Slot(QModelIndex)
    def _describe(self, index: QModelIndex) -> None:
        """Tell what a lost image says of itself."""
        thing = self.model.thing_at(index)
        lost = thing if isinstance(thing, LostImage) else None
        self._add.setVisible(lost is not None)
        facts = lost.details[:_MOST_DETAILS] if lost is not None else ()
        lines = [f"{label}: {value}" for label, value in facts]
        if lost is not None and lost.shared:
            shared = text.count(len(lost.shared), "blob")
            lines.append(f"It shares {shared} with other lost images; they go with the last of these.")
        self._about.setText("\n".join(text.plain(line, 200) for line in lines))
        self._about.setVisible(bool(lines))

    @Slot()
    def _ask_to_add(self) -> None:
        thing = self.model.thing_at(self.view.currentIndex())
        if isinstance(thing, LostImage):
            self.accept()
            self.add_asked.emit(thing.digest, thing.name)

    @Slot()
    def _confirm(self) -> None:
        blobs, lost, leftovers = self.model.chosen()
        self.accept()
        self.confirmed.emit([blob.digest for blob in blobs], [image.digest for image in lost], leftovers)


def _warning(sentence: str) -> QHBoxLayout:
    glyph = plain_label("")
    glyph.setPixmap(icons.icon("warning", Role.WARNING).pixmap(icons.LIST_SIZE))
    line = QHBoxLayout()
    line.setSpacing(Space.SMALL)
    line.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(plain_label(text.plain(sentence), wrap=True, selectable=True), 1)
    return line
