"""The results of a search over all images as a list, from which one goes on to the file."""

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QTableView, QWidget

from gui import icons, text, theme
from gui.models.found_table import Column, FoundTable
from gui.models.look import RowDelegate
from gui.panels.columns import Columns
from gui.settings import Settings
from gui.widgets import is_copy_shortcut

_SAMPLES = ("/usr/lib/x86_64-linux-gnu", "− Removed in layer 2", "registry/app:2 (linux/arm64)", "Layer", "999.9 MB")
_MOST_COPIED = 10_000
_SEVERAL = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
"""With these, a click selects several rows."""


class FoundView(QTableView):
    """A click shows a result and leaves the keyboard here, Enter takes it along."""

    led = Signal(object, bool)
    """The person wants to see this ``Place``; and whether the keyboard is to go there."""
    left = Signal()
    """Up from the first row: the person wants to go back to the line."""
    copied = Signal(str)

    def __init__(self, model: FoundTable, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setAccessibleName("Results")
        self.setItemDelegate(RowDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setAlternatingRowColors(True)
        self.setIconSize(icons.LIST_SIZE)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(theme.row_height(self.font()))
        self.columns = Columns(self, self.horizontalHeader(), "found", settings, first_to_go=(Column.SIZE,))
        self.columns.restore(_SAMPLES, Column.PATH, (Column.PATH,))
        self.clicked.connect(self._click)
        self.customContextMenuRequested.connect(self._show_menu)

    def begin(self) -> None:
        """Go on here with the keyboard, at the first row where none is current."""
        if self._model.rowCount():
            if not self.currentIndex().isValid():
                self.selectRow(0)
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        if is_copy_shortcut(event):
            event.accept()  # here copying is about these rows, and not about what is selected in the window
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._lead(self.currentIndex(), keyboard=True)
        elif event.key() == Qt.Key.Key_Up and self.currentIndex().row() <= 0 and not event.modifiers() & _SEVERAL:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    @Slot()
    def copy(self) -> None:
        """Copy the paths of the selected rows."""
        rows = self.selectionModel().selectedRows()[:_MOST_COPIED]
        if rows:
            QGuiApplication.clipboard().setText("\n".join(self._model.path_at(index) for index in rows))
            self.copied.emit("Copied the path." if len(rows) == 1 else f"Copied {text.count(len(rows), 'path')}.")

    @Slot(QModelIndex)
    def _click(self, index: QModelIndex) -> None:
        if not QGuiApplication.keyboardModifiers() & _SEVERAL:
            self._lead(index, keyboard=False)

    def _lead(self, index: QModelIndex, *, keyboard: bool) -> None:
        place = self._model.place_at(index)
        if place is not None:
            self.led.emit(place, keyboard)

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        """Offer what can be done with a result."""
        index = self.currentIndex()
        if self._model.place_at(index) is not None:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction(icons.icon("go to"), "&Show in its image", lambda: self._lead(index, keyboard=True))
            menu.addAction(icons.icon("copy"), "&Copy path", self.copy)
            menu.popup(self.viewport().mapToGlobal(position))
