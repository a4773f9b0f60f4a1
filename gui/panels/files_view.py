"""The files of an image at one of its layers, and what that layer did to them."""

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QTreeView, QVBoxLayout, QWidget

from engine.filesystem import Change, View
from gui import icons, text, theme
from gui.models.file_cells import CHANGES, Column
from gui.models.file_tree import FileTree, Wish
from gui.models.look import RowDelegate
from gui.panels.empty_place import EmptyPlace
from gui.panels.files_choice import FilesChoice
from gui.panels.image_stack import Stack, stack_of
from gui.panels.reading_bar import ReadingBar
from gui.session import Selection, Session
from gui.theme import Space
from gui.widgets import ElidedLabel, is_copy_shortcut, plain_label

_SAMPLES = {
    Column.CHANGE: "+9,999 ~99 −99",
    Column.SIZE: " 999.9 MB",
    Column.LAYER: "Layer",
    Column.OWNER: "65534:65534",
    Column.MODIFIED: "30 Nov 2026 00:00",
}
_LEAST_NAME = 24
"""Letters of a name that are worth more than another column."""
_FIRST_TO_GO = (Column.OWNER, Column.MODE, Column.MODIFIED, Column.LAYER, Column.CHANGE)
"""Columns that are left out where there is no room, the first first; the line below the tree tells all of them."""
_OPENED = 60
"""Rows that are opened by themselves where a filter has left few."""


class FilesView(QWidget):
    """The tree with its choice above and its sum below."""

    copied = Signal(str)
    chosen = Signal(int)
    """Another layer was chosen here: its place, from 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._session: Session | None = None
        self._stack = Stack((), "", 0)
        self._layer = -1
        self.model: FileTree | None = None
        self.reading = ReadingBar(self)
        self.choice = FilesChoice(self)
        self._places = QStackedWidget(self)
        # A low window is for what is asked in it; the tree takes what is left.
        self._places.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.view = QTreeView(self._places)
        self.empty = EmptyPlace(self._places)
        self.sum = _Sum(self)
        self._places.addWidget(self.view)
        self._places.addWidget(self.empty)
        self._dress()
        self.empty.say("No path matches", "", "Show everything", self.choice.show_everything)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.reading)
        layout.addWidget(self.choice)
        layout.addWidget(self._places, 1)
        layout.addWidget(self.sum)
        self.setFocusProxy(self.view)
        self.view.installEventFilter(self)
        self.view.viewport().installEventFilter(self)
        self.choice.layer_chosen.connect(self._choose)
        self.choice.changed.connect(self._show)
        self.choice.left.connect(self._enter_tree)
        self.reading.stopped.connect(self._stop)
        self.reading.asked.connect(self._read)
        theme.current().changed.connect(self._size_columns)

    def _dress(self) -> None:
        view = self.view
        view.setAccessibleName("Files")
        view.setItemDelegate(RowDelegate(view))
        view.setUniformRowHeights(True)
        view.setAlternatingRowColors(True)
        view.setIconSize(icons.LIST_SIZE)
        view.setSelectionMode(QTreeView.SelectionMode.SingleSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = view.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show the files of another image, and read its layers."""
        if self._selection is not None and selection.digest != self._selection.digest:
            self._layer = -1
        self._selection = selection
        self._watch(selection.session)
        selection.session.layers.look_at(selection.digest)
        self.refresh()

    def choose(self, position: int) -> None:
        """Show the files at another layer."""
        if position != self._layer:
            self._layer = position
            self._offer()
            self._show()

    def clear(self) -> None:
        """Show nothing."""
        self._selection = None
        self._layer = -1
        if self.model is not None:
            self.model.show(None)

    @Slot()
    def refresh(self) -> None:
        """More is known of the same image, or its layers stand differently."""
        selection = self._selection
        if selection is None:
            return
        layering = selection.session.layers
        image = layering.image if layering.digest == selection.digest else None
        self._stack = stack_of(selection.session, selection.digest, image)
        if not 0 <= self._layer < len(self._stack.layers):
            self._layer = len(self._stack.layers) - 1
        self._offer()
        self._show()
        self.refresh_progress()

    @Slot()
    def refresh_progress(self) -> None:
        """Reading has got further."""
        selection = self._selection
        if selection is not None and selection.session.layers.digest == selection.digest:
            self.reading.show_reading(selection.session.layers, self._stack.count)

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.choice.focus_filter()

    def _watch(self, session: Session) -> None:
        if session is self._session:
            return
        if self._session is not None:
            self._session.layers.changed.disconnect(self.refresh)
            self._session.layers.progressed.disconnect(self.refresh_progress)
        self._session = session
        session.layers.changed.connect(self.refresh)
        session.layers.progressed.connect(self.refresh_progress)
        if self.model is None:
            self._make_model(session)

    def _make_model(self, session: Session) -> None:
        """All stores of a window share the workers, so the first one's are those of all."""
        self.model = FileTree(session.layers.runner, self)
        self.view.setModel(self.model)
        self.view.selectionModel().currentRowChanged.connect(self._tell_current)
        header = self.view.header()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(self.model.sort)
        self.model.arranged.connect(self._arranged)
        self._size_columns()

    def _offer(self) -> None:
        self.choice.show_layers([layer.name for layer in self._stack.layers], self._layer)

    @Slot()
    def _show(self) -> None:
        """Ask for what is to be seen."""
        selection, model = self._selection, self.model
        if selection is None or model is None:
            return
        layering = selection.session.layers
        image = layering.image if layering.digest == selection.digest else None
        if image is None or not 0 <= self._layer < len(image.layers):
            model.show(None)
            self._arranged()
            return
        choice = self.choice
        model.show(Wish(image.files, self._layer, choice.only.isChecked(), choice.changes, choice.words))

    @Slot()
    def _arranged(self) -> None:
        """Other rows are there: open the few that a filter has left, say what there is, and why where nothing is."""
        model = self.model
        assert model is not None
        wish, view = model.wish, model.view
        self.choice.show_counts(view)
        if wish is None or view is None:
            self._put(self.view)
            self.sum.hide()
            return
        if not model.rowCount():
            self._say_empty(wish)
        else:
            self._put(self.view)
            if self.view.hasFocus():
                self._begin()
            if wish.only or wish.words or len(wish.changes) < len(CHANGES):
                self._open_few()
        self.sum.tell(wish, view, model.found)
        self._tell_current()

    def _say_empty(self, wish: Wish) -> None:
        if self.choice.is_whole:
            self.empty.say("This layer changes nothing" if wish.only else "There are no files")
        else:
            self.empty.say("No path matches", "", "Show everything", self.choice.show_everything)
        self._put(self.empty)

    @Slot()
    def _tell_current(self) -> None:
        """Say all that is known of the current row."""
        if self.model is not None:
            index = self.view.currentIndex()
            self.sum.tell_current(self.model.path_at(index), self.model.facts_at(index))

    def _put(self, place: QWidget) -> None:
        """Show the tree, or the words in its place; the keyboard goes to what is there."""
        self._places.setCurrentWidget(place)
        self.setFocusProxy(self.view if place is self.view else self.choice.line)

    def _open_few(self) -> None:
        """Open folders from the top as long as what they show is little."""
        model = self.model
        assert model is not None
        waiting, room = [QModelIndex()], _OPENED
        for parent in waiting:
            count = model.rowCount(parent)
            if count > room:
                continue
            if parent.isValid():
                self.view.expand(parent)
            room -= count
            below = (model.index(row, 0, parent) for row in range(count))
            waiting += [index for index in below if model.hasChildren(index)]

    @Slot()
    def _size_columns(self) -> None:
        """Give the names what the other columns leave."""
        if self.model is None:
            return
        header = self.view.header()
        metrics, fixed = self.view.fontMetrics(), QFontMetrics(theme.fixed_font())
        widths = {column: metrics.horizontalAdvance(sample) + Space.LARGE for column, sample in _SAMPLES.items()}
        widths[Column.MODE] = fixed.horizontalAdvance("drwxr-xr-x") + Space.LARGE
        widths[Column.OWNER] = fixed.horizontalAdvance(_SAMPLES[Column.OWNER]) + Space.LARGE
        room, least = self.view.viewport().width(), metrics.averageCharWidth() * _LEAST_NAME
        shown = set(widths)
        for column in _FIRST_TO_GO:
            if sum(widths[each] for each in shown) + least <= room:
                break
            shown.discard(column)
        for column, width in widths.items():
            header.setSectionHidden(column, column not in shown)
            if column in shown:
                header.resizeSection(column, width)
        header.resizeSection(Column.NAME, max(least // 2, room - sum(widths[each] for each in shown)))

    # --------------------------------------------------------------------------------------------- from the view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view.viewport() and event.type() == QEvent.Type.Resize:
            self._size_columns()
        if watched is self.view and event.type() == QEvent.Type.FocusIn:
            self._begin()
        if watched is self.view and is_copy_shortcut(event):
            event.accept()  # here copying is about the current row, and not about what is selected in the window
            return True
        if watched is self.view and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.matches(QKeySequence.StandardKey.Copy):
                self._copy()
                return True
            if event.key() == Qt.Key.Key_Asterisk:
                return True  # would open everything below, which may be half a million rows
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                index = self.view.currentIndex().siblingAtColumn(0)
                self.view.setExpanded(index, not self.view.isExpanded(index))
                return True
        return super().eventFilter(watched, event)

    def _copy(self) -> None:
        """Copy the path of the current row."""
        path = self.model.path_at(self.view.currentIndex()) if self.model is not None else ""
        if path:
            QGuiApplication.clipboard().setText(path)
            self.copied.emit("Copied the path.")

    @Slot()
    def _enter_tree(self) -> None:
        """Go from the filter into the tree."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self._begin()

    def _begin(self) -> None:
        """Let the keyboard begin at the first row."""
        if self.model is not None and not self.view.currentIndex().isValid() and self.model.rowCount():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(self.model.index(0, 0), flags)

    @Slot(int)
    def _choose(self, position: int) -> None:
        self.choose(position)
        self.chosen.emit(position)

    @Slot()
    def _stop(self) -> None:
        if self._session is not None:
            self._session.layers.stop()

    @Slot()
    def _read(self) -> None:
        if self._session is not None:
            self._session.layers.read()


class _Sum(QWidget):
    """Below the tree: all that is known of the current row, and how much is there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.path = ElidedLabel(parent=self)
        self.path.setFont(theme.fixed_font())
        self.facts = plain_label("", wrap=True, selectable=True, parent=self)
        self.words = ElidedLabel(parent=self)
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, Space.SMALL)
        layout.setSpacing(Space.TINY)
        for label in (self.path, self.facts, self.words):
            layout.addWidget(label)
        self.tell_current("", "")
        self.hide()

    def tell_current(self, path: str, facts: str) -> None:
        """Say what the current row is; nothing where there is none."""
        self.path.set_text(path)
        self.facts.setText(facts)
        for label in (self.path, self.facts):
            label.setVisible(bool(path))

    def tell(self, wish: Wish, view: View, found: int) -> None:
        """Say what a view holds, and how much of it is shown."""
        total = int((view.changes[1:] != Change.NONE).sum())
        paths = text.count(total, "path") if found == total else f"{text.number(found)} of {text.count(total, 'path')}"
        size = f"{text.size(view.total)} unpacked"
        whole = f"layers 1 to {wish.layer + 1}" if wish.layer else "layer 1"
        where = f"layer {wish.layer + 1} alone" if wish.only else whole
        self.words.set_text(text.SEPARATOR.join((paths, size, where)))
        self.show()
