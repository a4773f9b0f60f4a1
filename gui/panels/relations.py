"""Who refers to what is selected, what it refers to, and what belongs to it."""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QHeaderView, QTableView, QVBoxLayout, QWidget

from gui import icons, theme
from gui.models.look import RowDelegate
from gui.panels.relations_model import SIZE, STATE, WHAT, RelationsModel
from gui.session import Selection
from gui.theme import Space

_SIZE_SAMPLE = " 999.9 MB "
_STATE_SAMPLE = "Missing: 1 part"
_FIRST = 8
"""Rows among which the first relation is, behind titles and lines that say that there is nothing."""


class Relations(QWidget):
    """The table of relations. ``followed`` carries the ``Selection`` that an activated row leads to."""

    followed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self.model = RelationsModel(self)
        self.view = _RelationsView(self)
        self.view.setModel(self.model)
        self.view.activated.connect(self._follow)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self._size_columns()
        theme.current().changed.connect(self._size_columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, 0)
        layout.addWidget(self.view)
        self.setFocusProxy(self.view)

    def show_selection(self, selection: Selection) -> None:
        """Show the relations of something else, from the top."""
        self._selection = selection
        self._show()
        self.view.scrollToTop()

    def refresh(self) -> None:
        """The store is different; the same row stays current."""
        if self._selection is None:
            return
        place, current = self.view.verticalScrollBar().value(), self.view.currentIndex()
        target = self.model.target(current.row()) if current.isValid() else None
        row = current.row()
        self._show()
        if target is not None and row < self.model.rowCount() and self.model.target(row) == target:
            self.view.setCurrentIndex(self.model.index(row, WHAT))
        self.view.verticalScrollBar().setValue(place)

    def refresh_states(self) -> None:
        """States are different now."""
        self.model.refresh_states()

    def clear(self) -> None:
        """Show nothing."""
        self._selection = None
        self.model.show(None)

    def _show(self) -> None:
        self.view.clearSpans()
        self.model.show(self._selection)
        for row in self.model.title_rows:
            self.view.setSpan(row, 0, 1, 3)
            self.view.verticalHeader().resizeSection(
                row, theme.row_height(self.view.font()) + (Space.SMALL if row else 0)
            )
            if self.model.target(row + 1) is None:
                self.view.setSpan(row + 1, 0, 1, 3)
        if self.view.hasFocus():
            self.view.begin()

    @Slot()
    def _size_columns(self) -> None:
        metrics = self.view.fontMetrics()
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(WHAT, QHeaderView.ResizeMode.Stretch)
        widths = {
            SIZE: metrics.horizontalAdvance(_SIZE_SAMPLE) + Space.SMALL,
            STATE: metrics.horizontalAdvance(_STATE_SAMPLE) + icons.LIST_SIZE.width() + Space.LARGE,
        }
        for column, width in widths.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        self.view.verticalHeader().setDefaultSectionSize(theme.row_height(self.view.font()))

    @Slot(QModelIndex)
    def _follow(self, index: QModelIndex) -> None:
        target = self.model.target(index.row())
        if target is not None:
            self.followed.emit(target)


class _RelationsView(QTableView):
    """The table; Ctrl+C copies the digest of the current row."""

    def __init__(self, parent: Relations) -> None:
        super().__init__(parent)
        self._relations = parent
        self.setAccessibleName("Relations")
        self.setItemDelegate(RowDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setIconSize(icons.LIST_SIZE)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.horizontalHeader().hide()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.begin()
        super().focusInEvent(event)

    def begin(self) -> None:
        """Let the keyboard begin at the first relation, not at a title."""
        if not self.currentIndex().isValid():
            model = self._relations.model
            first = next((row for row in range(min(_FIRST, model.rowCount())) if model.target(row)), 0)
            current = model.index(first, WHAT)
            self.selectionModel().setCurrentIndex(current, QItemSelectionModel.SelectionFlag.NoUpdate)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            target = self._relations.model.target(self.currentIndex().row())
            if target is not None:
                QGuiApplication.clipboard().setText(target.digest)
        else:
            super().keyPressEvent(event)
