"""The files of an image at one of its layers, and what that layer did to them."""

from PySide6.QtCore import QByteArray, QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QStackedWidget, QTreeView, QVBoxLayout, QWidget

from engine.pathpattern import literal
from engine.pathtree import ROOT
from gui import icons
from gui.models.file_cells import CHANGES, Column
from gui.models.file_tree import FileTree, Wish
from gui.models.look import RowDelegate
from gui.panels.about_path import AboutPath
from gui.panels.chosen_files import choose_files
from gui.panels.columns import Columns
from gui.panels.empty_place import EmptyPlace
from gui.panels.files_choice import FilesChoice
from gui.panels.files_picture import TreeOrPicture
from gui.panels.files_sum import FilesSum
from gui.panels.image_stack import Stack, stack_of
from gui.panels.layers_tab import LayersTab
from gui.session import Selection, Session
from gui.settings import Settings
from gui.taking_out import Chosen

_SAMPLES = {
    Column.NAME: "a name of some thirty letters",
    Column.CHANGE: "+9,999 ~99 −99",
    Column.SIZE: " 999.9 MB",
    Column.LAYER: "Layer",
    Column.MODE: "drwxr-xr-x",
    Column.OWNER: "65534:65534",
    Column.MODIFIED: "30 Nov 2026 00:00",
}
_FIRST_TO_GO = (Column.OWNER, Column.MODE, Column.MODIFIED, Column.LAYER, Column.CHANGE)
"""Columns that are left out where there is no room, the first first; the line below the tree tells all of them."""
_LOW = 480
"""Pixels of height below which there is not much room for anything."""
_SPLITTER = "files/content"
_MENU = ("extract", "copy files", "-", "copy path")
_OPENED = 60
"""Rows that are opened by themselves where a filter has left few."""


class FilesView(LayersTab):
    """The tree with its choice above and its sum below."""

    layer_asked = Signal(int)
    """Somebody wants to see the layer at this place, from 0."""

    def __init__(self, parent: QWidget | None = None, settings: Settings | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._stack = Stack((), "", 0)
        self._layer = -1
        self._to_reveal = b""
        """The path that is to be selected once it is there; empty for none."""
        self.model: FileTree | None = None
        self.columns: Columns | None = None
        self.choice = FilesChoice(self)
        self._places = QStackedWidget(self)
        # A low window is for what is asked in it; the tree takes what is left.
        self._places.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.view = QTreeView(self._places)
        self.empty = EmptyPlace(self._places)
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        upper = QWidget(self.splitter)
        self.sum = FilesSum(upper)
        self.about = AboutPath(self.splitter)
        self.current, self.preview = self.about.current, self.about.preview
        self._places.addWidget(self.view)
        self._places.addWidget(self.empty)
        self.pictures = TreeOrPicture(self._places, self.view)
        self._dress()
        self.empty.say("No path matches", "", "Show everything", self.choice.show_everything)
        self._lay_out(upper)
        self._split()
        self._connect()

    def _lay_out(self, upper: QWidget) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.reading)
        layout.addWidget(self.choice)
        layout.addWidget(self.splitter, 1)
        above = QVBoxLayout(upper)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(0)
        above.addWidget(self._places, 1)
        above.addWidget(self.sum)

    def _connect(self) -> None:
        self.setFocusProxy(self.view)
        self.copy_from(self.view)
        self.view.viewport().installEventFilter(self)
        self.take_out_of(self.view, *_MENU)
        self.choice.layer_chosen.connect(self._choose)
        self.choice.changed.connect(self._show)
        self.choice.left.connect(self._enter_tree)
        self.choice.pictured.connect(self._want_picture)
        self.pictures.asked.connect(self._go_to)
        self.pictures.menu_asked.connect(lambda place: self.menu_asked.emit(_MENU, place))
        self.pictures.entered.connect(lambda _node: self.preview.enter())
        self.about.path_asked.connect(self.reveal)
        self.preview.left.connect(self._enter_tree)
        self.preview.copied.connect(self.copied)
        self.current.touched.layer_asked.connect(self.layer_asked)

    def _split(self) -> None:
        """The tree and what is in a file share the height, as it was left."""
        self.splitter.setAccessibleName("Tree and content")
        for part in range(2):
            self.splitter.setStretchFactor(part, 1)
        self.splitter.setSizes([5000, 5000])
        state = self._settings.view_state(_SPLITTER) if self._settings is not None else b""
        if state:
            self.splitter.restoreState(QByteArray(state))

    def _dress(self) -> None:
        view = self.view
        view.setAccessibleName("Files")
        view.setItemDelegate(RowDelegate(view))
        view.setUniformRowHeights(True)
        view.setAlternatingRowColors(True)
        view.setIconSize(icons.LIST_SIZE)
        view.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show the files of another image, and read its layers."""
        if self.selection is not None and selection.digest != self.selection.digest:
            self._layer = -1
            self._to_reveal = b""
        self.follow(selection)
        self.refresh()

    def choose(self, position: int) -> None:
        """Show the files at another layer."""
        if position != self._layer:
            self._layer = position
            self._offer()
            self._show()

    def clear(self) -> None:
        """Show nothing."""
        self.selection = None
        self._layer = -1
        if self.model is not None:
            self.model.show(None)

    @Slot()
    def refresh(self) -> None:
        """More is known of the same image, or its layers stand differently."""
        selection = self.selection
        if selection is None:
            return
        self._stack = stack_of(selection.session, selection.digest, self.image)
        if not 0 <= self._layer < len(self._stack.layers):
            self._layer = len(self._stack.layers) - 1
        self._offer()
        self._show()
        if self.view.currentIndex().isValid():
            self._tell_current()  # its layer may be in another state
        self.refresh_progress()

    @property
    def stack(self) -> Stack:
        return self._stack

    def choose_for_taking_out(self) -> Chosen | None:
        """What is selected, or everything where nothing is; None where nothing can be seen."""
        model, image = self.model, self.image
        if self.selection is None or model is None or image is None:
            return None
        return choose_files(self.selection, image, model, self.view.selectionModel().selectedRows())

    def reveal(self, path: bytes) -> None:
        """Select a path at the layer that is shown, as soon as it is known; what would hide it is taken away."""
        self._to_reveal = path
        if not self.choice.is_whole:
            self.choice.show_everything()
        self._reveal()

    def _reveal(self) -> None:
        model, path = self.model, self._to_reveal
        if not path or model is None or model.busy or model.wish is None or model.wish.layer != self._layer:
            return
        index = model.index_of_path(path)
        alone = literal(path.decode("utf-8", "surrogateescape"))
        if not index.isValid() and self.choice.words != alone and model.wish.files.tree.find(path) > ROOT:
            self.choice.line.setText(alone)  # there are too many beside it
            self.choice.line.ask_now()
            return
        self._to_reveal = b""
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(index, flags)
            self.view.scrollTo(index, QTreeView.ScrollHint.PositionAtCenter)

    def open_find(self) -> None:
        """Find in what is in the file where the keyboard is there, else among the paths."""
        if self.preview.isAncestorOf(self.focusWidget() or self.view):
            self.preview.open_find()
        else:
            self.choice.focus_filter()

    def begin_session(self, session: Session) -> None:
        """All stores of a window share the workers, so the first one's are those of all."""
        if self.model is not None:
            return
        self.model = FileTree(session.layers.runner, self)
        self.view.setModel(self.model)
        self.view.selectionModel().currentRowChanged.connect(self._tell_current)
        self.columns = Columns(self.view, self.view.header(), "files", self._settings, first_to_go=_FIRST_TO_GO)
        samples = [_SAMPLES[column] for column in Column]
        self.columns.restore(samples, Column.NAME, (Column.NAME,), (Column.MODE, Column.OWNER))
        self.model.arranged.connect(self._arranged)

    def _offer(self) -> None:
        stack = self._stack
        self.choice.show_layers([layer.name for layer in stack.layers], self._layer)
        self.choice.show_alone(stack.is_alone)
        if self.columns is not None:
            self.columns.leave_out((Column.LAYER,) if stack.is_alone else ())

    @Slot()
    def _show(self) -> None:
        """Ask for what is to be seen."""
        model, image = self.model, self.image
        if self.selection is None or model is None:
            return
        if image is None or not 0 <= self._layer < len(image.layers):
            model.show(None)
            self._arranged()
            return
        choice, alone = self.choice, self._stack.is_alone
        only = choice.only.isChecked() and not alone
        model.show(Wish(image.files, self._layer, only, choice.changes, choice.words, alone))

    @Slot()
    def _arranged(self) -> None:
        """Other rows are there: open the few that a filter has left, say what there is, and why where nothing is."""
        model = self.model
        assert model is not None
        wish, view = model.wish, model.view
        self.choice.show_counts(view)
        self.pictures.show(model)
        if wish is None or view is None:
            self._put(self.pictures.front)
            self.sum.hide()
            return
        if not model.rowCount():
            self._say_empty(wish)
        else:
            self._put(self.pictures.front)
            if self.view.hasFocus():
                self._begin()
            if wish.only or wish.words or len(wish.changes) < len(CHANGES):
                self._open_few()
        self.sum.tell(wish, view, model.found)
        self._tell_current()
        self._reveal()

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
            self.current.tell(self.model.path_at(index), self.model.facts_at(index))
            self._look_into(self.model, self.model.node_at(index))
            self.pictures.mark(self.model.node_at(index))

    @Slot()
    def _keep_in_sight(self) -> None:
        self.view.scrollTo(self.view.currentIndex())

    @Slot(bool)
    def _want_picture(self, wanted: bool) -> None:
        """Show the files as a picture, or as a tree."""
        if self.model is not None and self.session is not None:
            self.pictures.want_picture(wanted, self.session.layers.runner)
            if self.pictures.picture is not None:
                self.copy_from(self.pictures.picture.map)
            self._arranged()
            self.view.scrollTo(self.view.currentIndex())

    @Slot(int)
    def _go_to(self, node: int) -> None:
        """Make a path current, also where its folder has too many to show it."""
        if self.model is None:
            return
        index = self.model.index_of(node)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.view.selectionModel().setCurrentIndex(index, flags)
        if not index.isValid():
            self.current.tell(*self.model.tell(node))
            self._look_into(self.model, node)
            self.pictures.mark(node)

    def _look_into(self, model: FileTree, node: int) -> None:
        """Show what is at a node of the tree."""
        image, view, session = self.image, model.view, self.session
        is_of_image = image is not None and model.wish is not None and model.wish.files is image.files
        if image is None or view is None or session is None or not is_of_image:
            self.about.show_nothing()
        else:
            self.about.show_node(session, image, self._stack, view, node)

    def _put(self, place: QWidget) -> None:
        """Show the tree, or the words in its place; the keyboard goes to what is there."""
        self._places.setCurrentWidget(place)
        self.setFocusProxy(place if place is self.pictures.front else self.choice.line)

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

    # --------------------------------------------------------------------------------------------- from the view

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_low = event.size().height() < _LOW
        self.current.be_brief(is_low)
        self.sum.be_brief(is_low)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view.viewport() and event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self._keep_in_sight)  # what is told of a path takes its room from the tree
        if watched is self.view and event.type() == QEvent.Type.FocusIn:
            self._begin()
        if watched is self.view and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Asterisk:
                return True  # would open everything below, which may be half a million rows
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._enter()
                return True
        return super().eventFilter(watched, event)

    def what_to_copy(self) -> tuple[str, str]:
        return (self.model.path_at(self.view.currentIndex()) if self.model is not None else ""), "the path"

    def save_state(self) -> None:
        """Remember how columns and heights were left."""
        if self.columns is not None:
            self.columns.save()
        if self._settings is not None:
            self._settings.set_view_state(_SPLITTER, bytes(self.splitter.saveState().data()))

    def _enter(self) -> None:
        """Open or close the current folder; go to what is in the current file."""
        index = self.view.currentIndex().siblingAtColumn(0)
        if self.model is not None and self.model.hasChildren(index):
            self.view.setExpanded(index, not self.view.isExpanded(index))
        else:
            self.preview.enter()

    @Slot()
    def _enter_tree(self) -> None:
        """Go from the filter into the tree."""
        self.pictures.front.setFocus(Qt.FocusReason.OtherFocusReason)
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
