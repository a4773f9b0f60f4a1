"""Asks what is to be cleaned up: bins with ticks, what a lost image says about itself, and how much all that is."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from engine.cleanup import LostImage
from gui import icons, text, theme
from gui.models.cleanup import Choice, Proposal
from gui.models.cleanup_tables import BinList, Column, ThingTable
from gui.theme import Role, Space
from gui.widgets import TickTable, heading, plain_label

_SIZE = QSize(860, 640)
_BIN_SAMPLES = ("Leftovers of crashed programs", "", "100,000", "999.9 MB")
_SAMPLES = ("sha256:9f2c…41ab and more", "", "999.9 MB", "28 Nov 2026 23:43")
"""What should fit into each column; the empty one gets the rest."""
_MOST_DETAILS = 6
"""What a lost image says of itself that is shown; the rest is in its overview."""
_MOST_DOUBTS = 3
_MOST_FOLLOWED = 2000
"""Selected rows that stay selected while rows move."""


class CleanupDialog(QDialog):
    """Shows what can go; nothing does before the button is pressed."""

    confirmed = Signal(object)
    """What is ticked, as ``Taken``."""
    add_asked = Signal(object, object)
    """Somebody wants a lost image in the index: its digest, and the name that it says it had."""

    def __init__(self, store: str, proposal: Proposal, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(text.window_title(f"Clean up {text.plain(store)}"))
        self.resize(_SIZE.boundedTo(parent.window().size() - QSize(Space.HUGE, Space.HUGE)))
        self.choice = Choice(proposal, self)
        self.bins = TickTable(self)
        self.bin_list = BinList(self.choice, self.bins)
        self.view = TickTable(self)
        self.model = ThingTable(self.choice, self.view)
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
        self.choice.changed.connect(self._refresh)
        self._sure.toggled.connect(self._refresh)
        self.bins.selectionModel().currentChanged.connect(self._show_bin)
        self.view.selectionModel().currentChanged.connect(self._describe)
        self.model.modelReset.connect(self._describe)
        self.bins.setCurrentIndex(self.bin_list.index(self.bin_list.first(), 0))
        self._describe()
        self._refresh()
        self.bins.setFocus()

    def _dress(self) -> None:
        self.bins.setModel(self.bin_list)
        self.bins.setAccessibleName("What can be cleaned up")
        self.bins.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setModel(self.model)
        self.view.setAccessibleName("What is in it")
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        for view, samples in ((self.bins, _BIN_SAMPLES), (self.view, _SAMPLES)):
            _dress(view, samples)
            view.installEventFilter(self)
        header = self.view.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.setSortIndicator(Column.SIZE, Qt.SortOrder.DescendingOrder)
        header.sortIndicatorChanged.connect(self._sort)
        rows = self.bin_list.rowCount() * self.bins.verticalHeader().defaultSectionSize()
        self.bins.setFixedHeight(rows + self.bins.horizontalHeader().sizeHint().height() + 2 * self.bins.frameWidth())
        self.bins.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _assemble(self, store: str, buttons: QDialogButtonBox) -> None:
        cleanup = self.choice.proposal.cleanup
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(heading(f"Clean up {text.plain(store)}"))
        doubts = list(cleanup.doubts[:_MOST_DOUBTS])
        if cleanup.empty_index:
            doubts.insert(0, "The index names nothing, so nothing here is needed by anything that it names.")
        for doubt in doubts:
            layout.addLayout(_warning(doubt))
        layout.addWidget(self.bins)
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
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if pressed and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            if watched is self.bins:
                place = self.bins.currentIndex().row()
                self.choice.tick(place, slice(None), self.choice.check(place) is not Qt.CheckState.Checked)
            elif watched is self.view:
                self._tick_selected()
            return watched in (self.bins, self.view)
        return super().eventFilter(watched, event)

    def _tick_selected(self) -> None:
        row = self.view.currentIndex().row()
        if row >= 0:
            self.model.tick(self._selected_ranges() or [(row, row)], not self.model.is_ticked(row))

    def _selected_ranges(self) -> list[tuple[int, int]]:
        """The first and last row of each range that is selected."""
        selection = self.view.selectionModel().selection()
        return [(selection.at(n).top(), selection.at(n).bottom()) for n in range(selection.count())]

    @Slot(QModelIndex)
    def _show_bin(self, index: QModelIndex) -> None:
        if index.isValid():
            self.model.show_bin(index.row())
            self.view.setCurrentIndex(self.model.index(0, 0))

    @Slot(int, Qt.SortOrder)
    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        """Of very many selected rows only the current one stays so, because Qt follows each."""
        if sum(last - first + 1 for first, last in self._selected_ranges()) > _MOST_FOLLOWED:
            flags = QItemSelectionModel.SelectionFlag
            self.view.selectionModel().select(self.view.currentIndex(), flags.ClearAndSelect | flags.Rows)
        self.model.sort(column, order)

    @Slot()
    def _refresh(self) -> None:
        """Say what would happen now."""
        found = self.choice.sum()
        parts = []
        if found.blobs:
            size = f"{text.size(found.freed)} ({text.exact_size(found.freed)})"
            parts.append(f"{text.count(found.blobs, 'blob')}, {size}: free when the trash is emptied.")
        if found.leftovers:
            parts.append(f"{text.count(found.leftovers, 'leftover')}, {text.size(found.leftover_bytes)}: free at once.")
        nothing = not any(len(content.things) for content in self.choice.contents)
        idle = (
            "Everything here is needed, and no program has left anything behind." if nothing else "Nothing is ticked."
        )
        self._sum.setText(" ".join(parts) or idle)
        words = f"Move {text.count(found.blobs, 'blob')} to trash" if found.blobs else "Remove leftovers"
        self._accept.setText(words if found.blobs or found.leftovers else "Move to trash")
        sure = not self.choice.proposal.cleanup.empty_index or self._sure.isChecked() or not found.blobs
        self._accept.setEnabled(sure and bool(found.blobs or found.leftovers))

    @Slot()
    def _describe(self) -> None:
        """Tell what a lost image says of itself."""
        thing = self.model.thing_at(self.view.currentIndex())
        lost = thing if isinstance(thing, LostImage) else None
        self._add.setVisible(lost is not None)
        facts = lost.details[:_MOST_DETAILS] if lost is not None else ()
        lines = [f"{label}: {text.moment_of(value) if label == 'Created' else value}" for label, value in facts]
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
        self.accept()
        self.confirmed.emit(self.choice.taken())


def _dress(view: QTableView, samples: Sequence[str]) -> None:
    """Rows without lines, columns that fit their samples."""
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setIconSize(icons.LIST_SIZE)
    view.setCornerButtonEnabled(False)
    rows, header = view.verticalHeader(), view.horizontalHeader()
    rows.hide()
    rows.setMinimumSectionSize(1)
    rows.setDefaultSectionSize(theme.row_height(view.font()))
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    # Each repaint of a header asks whether every row of a column is selected; of this selection nothing ever is.
    header.setSelectionModel(QItemSelectionModel(view.model(), header))
    for column, sample in enumerate(samples):
        if sample:
            header.resizeSection(column, view.fontMetrics().horizontalAdvance(sample) + 2 * Space.HUGE)
        else:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)


def _warning(sentence: str) -> QHBoxLayout:
    glyph = plain_label("")
    glyph.setPixmap(icons.icon("warning", Role.WARNING).pixmap(icons.LIST_SIZE))
    line = QHBoxLayout()
    line.setSpacing(Space.SMALL)
    line.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(plain_label(text.plain(sentence), wrap=True, selectable=True), 1)
    return line
