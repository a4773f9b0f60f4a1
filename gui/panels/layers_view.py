"""The layers of an image, the lowest first: which step made each, what it costs, what it does, and who shares it."""

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QHeaderView, QSplitter, QTableView, QVBoxLayout, QWidget

from gui import icons, theme
from gui.models.look import RowDelegate
from gui.panels.describe_layer import describe_layer
from gui.panels.image_stack import Stack, stack_of
from gui.panels.page import Page
from gui.panels.reading_bar import ReadingBar
from gui.panels.stack_model import Column, StackModel
from gui.session import Selection, Session
from gui.theme import Space
from gui.widgets import is_copy_shortcut

_SAMPLES = {
    Column.NUMBER: "000",
    Column.STORED: "999.9 MB",
    Column.ADDS: "999.9 MB",
    Column.WASTES: "999.9 MB",
    Column.UNPACKED: "999.9 MB",
    Column.SHARED: "Shared",
}
_FIRST_TO_GO = (Column.SHARED, Column.UNPACKED, Column.WASTES, Column.ADDS)
"""Columns that are left out where there is no room, the first first; the page below tells all of them."""
_LEAST_STEP = 36
"""Letters of a step that are worth more than another column."""


class LayersView(QWidget):
    """The stack, and below it all that is known of one layer."""

    followed = Signal(object)
    """The ``Selection`` that a link leads to."""
    copied = Signal(str)
    chosen = Signal(int)
    """Another layer is current: its place, from 0."""
    files_asked = Signal()
    """Somebody wants to see the files of the current layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._session: Session | None = None
        self._wanted = -1
        """The layer that somebody chose, maybe before it was there."""
        self.reading = ReadingBar(self)
        self.model = StackModel(self)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.view = QTableView(self._splitter)
        self.page = Page(self._splitter)
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.reading)
        layout.addWidget(self._splitter, 1)
        self.setFocusProxy(self.view)
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        self.view.activated.connect(self.files_asked)
        self.view.installEventFilter(self)
        self.view.viewport().installEventFilter(self)
        self.page.activated.connect(self.followed)
        self.page.copied.connect(self.copied)
        self.reading.stopped.connect(self._stop)
        self.reading.asked.connect(self._read)
        theme.current().changed.connect(self._size_columns)

    def _dress(self) -> None:
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
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.verticalHeader().hide()
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.page.setAccessibleName("The layer")
        self.page.setBackgroundRole(QPalette.ColorRole.Base)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 1)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show the layers of another image, and read them."""
        self._selection = selection
        self._watch(selection.session)
        selection.session.layers.look_at(selection.digest)
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
        self._selection = None
        self._wanted = -1
        self.model.show(Stack((), "", 0))

    @Slot()
    def refresh(self) -> None:
        """More is known of the same image, or its layers stand differently."""
        selection = self._selection
        if selection is None:
            return
        layering = selection.session.layers
        is_mine = layering.digest == selection.digest
        stack = stack_of(selection.session, selection.digest, layering.image if is_mine else None)
        is_other = len(stack.layers) != len(self.model.stack.layers)
        self.model.show(stack)
        if is_other:
            self._share_height()
        self._size_columns()
        if is_mine:
            self.reading.show_reading(layering, stack.count)
        self._describe()

    @Slot()
    def refresh_progress(self) -> None:
        """Reading has got further."""
        selection = self._selection
        if selection is not None and selection.session.layers.digest == selection.digest:
            self.reading.show_reading(selection.session.layers, self.model.stack.count)

    def _watch(self, session: Session) -> None:
        if session is self._session:
            return
        if self._session is not None:
            self._session.layers.changed.disconnect(self.refresh)
            self._session.layers.progressed.disconnect(self.refresh_progress)
        self._session = session
        session.layers.changed.connect(self.refresh)
        session.layers.progressed.connect(self.refresh_progress)

    def _share_height(self) -> None:
        """The table gets what its rows need, at most half; the page gets the rest."""
        rows = self.model.rowCount() + 2  # with the header, and some air
        height = max(self.height(), 1)
        table = min(rows * theme.row_height(self.view.font()), height // 2)
        self._splitter.setSizes([table, height - table])

    def _describe(self) -> None:
        selection, row = self._selection, self.view.currentIndex().row()
        if selection is None or not 0 <= row < len(self.model.stack.layers):
            self.page.show_blocks([])
            return
        layer, stack = self.model.stack.layers[row], self.model.stack
        blocks = describe_layer(selection.session, layer, selection.entry_position, stack.note)
        self.page.show_blocks(blocks, keep_place=True)

    @Slot()
    def _size_columns(self) -> None:
        metrics, header = self.view.fontMetrics(), self.view.horizontalHeader()
        widths = {column: metrics.horizontalAdvance(sample) + Space.MEDIUM for column, sample in _SAMPLES.items()}
        room = self.view.viewport().width() - metrics.averageCharWidth() * _LEAST_STEP
        shown = set(widths)
        for column in _FIRST_TO_GO:
            if sum(widths[each] for each in shown) <= room:
                break
            shown.discard(column)
        for column, width in widths.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.setSectionHidden(column, column not in shown)
            if column in shown:
                header.resizeSection(column, width)
        header.setSectionResizeMode(Column.STEP, QHeaderView.ResizeMode.Stretch)
        self.view.verticalHeader().setDefaultSectionSize(theme.row_height(self.view.font()))

    # --------------------------------------------------------------------------------------------- from the view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view.viewport() and event.type() == QEvent.Type.Resize:
            self._size_columns()
        if watched is self.view and is_copy_shortcut(event):
            event.accept()  # here copying is about the current row, and not about what is selected in the window
            return True
        if watched is self.view and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            row = self.view.currentIndex().row()
            if event.matches(QKeySequence.StandardKey.Copy) and row >= 0:
                QGuiApplication.clipboard().setText(self.model.stack.layers[row].descriptor.digest)
                self.copied.emit("Copied the digest of the layer.")
                return True
        return super().eventFilter(watched, event)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        self._describe()
        if index.isValid():
            self.chosen.emit(index.row())

    @Slot()
    def _stop(self) -> None:
        if self._session is not None:
            self._session.layers.stop()

    @Slot()
    def _read(self) -> None:
        if self._session is not None:
            self._session.layers.read()
