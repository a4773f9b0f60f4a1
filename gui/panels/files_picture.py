"""The tree of files or their picture: one in the place of the other, about the same files, with the same current one."""

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QTreeView, QWidget

from gui.jobs import JobRunner
from gui.models.file_tree import FileTree
from gui.panels.space_files import FilesPicture


class TreeOrPicture(QObject):
    """Makes the picture when it is first wanted, and keeps what is current in both the same."""

    asked = Signal(int)
    """The person has gone to this node in the picture."""
    menu_asked = Signal(object)
    """Somebody wants the menu of what is current in the picture, at this ``QPoint`` of the screen."""
    entered = Signal(int)
    """The person wants to go on with this node."""

    def __init__(self, places: QStackedWidget, tree: QTreeView) -> None:
        super().__init__(places)
        self._places = places
        self._tree = tree
        self._current = -1
        self._is_wanted = False
        self.picture: FilesPicture | None = None
        """The picture, once it was wanted."""

    @property
    def front(self) -> QWidget:
        """What shows the files: the tree or the picture."""
        return self.picture if self.picture is not None and self._is_wanted else self._tree

    def want_picture(self, wanted: bool, runner: JobRunner) -> None:
        """Show the picture from now on, or the tree."""
        had_keyboard = self._places.isAncestorOf(self._places.focusWidget() or self._places)
        self._is_wanted = wanted
        if wanted and self.picture is None:
            self.picture = FilesPicture(runner, self._places)
            self._places.addWidget(self.picture)
            self.picture.chosen.connect(self._ask)
            self.picture.menu_asked.connect(self.menu_asked)
            self.picture.entered.connect(lambda node: self.entered.emit(int(node)))
        if had_keyboard:
            self.front.setFocus(Qt.FocusReason.OtherFocusReason)

    def show(self, model: FileTree) -> None:
        """Show what the tree shows."""
        if self.picture is not None and self._is_wanted:
            wish = model.wish
            self.picture.show_files(wish.files if wish is not None else None, model.view, model.shown)

    def mark(self, node: int) -> None:
        """This node is current; -1 for none."""
        self._current = node
        if self.picture is not None and self._is_wanted:
            self.picture.mark(str(node) if node > 0 else "")

    @Slot(object)
    def _ask(self, node: str) -> None:
        self.asked.emit(int(node))
