"""The layers of an image, the lowest first: which step made each, what it costs, what it does, and who shares it."""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QSplitter, QTableView, QVBoxLayout, QWidget

from gui import icons, theme
from gui.models.look import RowDelegate
from gui.panels.chosen_blobs import choose_blob
from gui.panels.columns import Columns
from gui.panels.describe_layer import describe_layer
from gui.panels.image_stack import Stack, stack_of
from gui.panels.layers_tab import LayersTab
from gui.panels.page import Page
from gui.panels.stack_model import Column, StackModel
from gui.session import Selection
from gui.settings import Settings
from gui.taking_out import Chosen

_SIZE = "999.9 MB"
_SAMPLES = {
    Column.NUMBER: "000",
    Column.STEP: "RUN apt-get install --yes something",
    Column.STORED: _SIZE,
    Column.ADDS: _SIZE,
    Column.WASTES: _SIZE,
    Column.UNPACKED: _SIZE,
    Column.SHARED: "Shared",
}
_FIRST_TO_GO = (Column.SHARED, Column.UNPACKED, Column.WASTES, Column.ADDS)
"""Columns that are left out where there is no room, the first first; the page below tells all of them."""


class LayersView(LayersTab):
    """The stack, and below it all that is known of one layer."""

    followed = Signal(object)
    """The ``Selection`` that a link leads to."""
    files_asked = Signal()
    """Somebody wants to see the files of the current layer."""

    def __init__(self, parent: QWidget | None = None, settings: Settings | None = None) -> None:
        super().__init__(parent)
        self._wanted = -1
        """The layer that somebody chose, maybe before it was there."""
        self.model = StackModel(self)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.view = QTableView(self._splitter)
        self.page = Page(self._splitter)
        self._dress(settings)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.reading)
        layout.addWidget(self._splitter, 1)
        self.setFocusProxy(self.view)
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        self.view.activated.connect(self.files_asked)
        self.copy_from(self.view)
        self.take_out_of(self.view, "save blob")
        self.page.activated.connect(self.followed)
        self.page.copied.connect(self.copied)
        theme.current().changed.connect(self._size_rows)

    def _dress(self, settings: Settings | None) -> None:
        view = self.view
        view.setModel(self.model)
        view.setAccessibleName("Layers")
        view.setItemDelegate(RowDelegate(view))
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.setCornerButtonEnabled(False)
        view.setAlternatingRowColors(True)
        view.setIconSize(icons.LIST_SIZE)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.verticalHeader().hide()
        self._size_rows()
        self.columns = Columns(
            view, view.horizontalHeader(), "layers", settings, first_to_go=_FIRST_TO_GO, sortable=False
        )
        self.columns.restore([_SAMPLES[column] for column in Column], Column.STEP, ())
        self.page.setAccessibleName("The layer")
        self.page.setBackgroundRole(QPalette.ColorRole.Base)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 1)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show the layers of another image, and read them."""
        self.follow(selection)
        self.refresh()
        if not self.view.currentIndex().isValid() and self.model.rowCount():
            self.choose(self._wanted if self._wanted >= 0 else self.model.rowCount() - 1)

    def choose(self, position: int) -> None:
        """Make a layer current, as soon as there are layers."""
        self._wanted = position
        index = self.model.index(position, Column.NUMBER)
        if index.isValid() and index.row() != self.view.currentIndex().row():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(index, flags)
            self.view.scrollTo(index)

    def clear(self) -> None:
        """Show nothing."""
        self.selection = None
        self._wanted = -1
        self.model.show(Stack((), "", 0))

    @Slot()
    def refresh(self) -> None:
        """More is known of the same image, or its layers stand differently."""
        selection = self.selection
        if selection is None:
            return
        stack = stack_of(selection.session, selection.digest, self.image)
        is_other = len(stack.layers) != len(self.model.stack.layers)
        self.model.show(stack)
        if is_other:
            self._share_height()
        self.refresh_progress()
        self._describe()

    def _share_height(self) -> None:
        """The table gets what its rows need, at most half; the page gets the rest."""
        rows = self.model.rowCount() + 2  # with the header, and some air
        height = max(self.height(), 1)
        table = min(rows * theme.row_height(self.view.font()), height // 2)
        self._splitter.setSizes([table, height - table])

    def _describe(self) -> None:
        selection, row = self.selection, self.view.currentIndex().row()
        if selection is None or not 0 <= row < len(self.model.stack.layers):
            self.page.show_blocks([])
            return
        layer, stack = self.model.stack.layers[row], self.model.stack
        blocks = describe_layer(selection.session, layer, selection.entry_position, stack.note)
        self.page.show_blocks(blocks, keep_place=True)

    @Slot()
    def _size_rows(self) -> None:
        self.view.verticalHeader().setDefaultSectionSize(theme.row_height(self.view.font()))

    @property
    def stack(self) -> Stack:
        return self.model.stack

    # --------------------------------------------------------------------------------------------- from the view

    def choose_for_taking_out(self) -> Chosen | None:
        """The current layer as it is stored; None where it has no file."""
        selection, (digest, _) = self.selection, self.what_to_copy()
        return choose_blob(selection.session, digest) if selection is not None and digest else None

    def what_to_copy(self) -> tuple[str, str]:
        row = self.view.currentIndex().row()
        return (self.stack.layers[row].descriptor.digest, "the digest of the layer") if row >= 0 else ("", "")

    def save_state(self) -> None:
        """Remember how the columns were left."""
        self.columns.save()

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        self._describe()
        if index.isValid():
            self.chosen.emit(index.row())
