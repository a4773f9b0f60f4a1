"""Makes a whole window a place to drop things on, and to paste them into.

What is dragged is looked at on a worker while the mouse is still moving; the drop itself waits for that look. Every
drop is a copy, whatever the other program offers: file managers propose to move, and would delete the person's file.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QMimeData, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from gui.jobs import JobRunner
from gui.panels.drop_overlay import DropOverlay
from gui.panels.dropping import Brought, DropPlan, Target, look_at, plan_drop, urls_of


class DropTarget(QObject):
    """Handles the drag events of a window; the window only hands them on."""

    dropped = Signal(object)
    """The ``DropPlan`` that the person was shown, and let go."""
    pasted = Signal(object)
    """The ``DropPlan`` for what was pasted, of which nothing was shown."""

    def __init__(self, window: QWidget, runner: JobRunner, target: Callable[[], Target | None]) -> None:
        """``target`` says which store is in front."""
        super().__init__(window)
        self._runner = runner
        self._target = target
        self._overlay = DropOverlay(window)
        self._urls: list[QUrl] = []
        self._plan: DropPlan | None = None
        self._dropped = False
        window.setAcceptDrops(True)

    @property
    def plan(self) -> DropPlan | None:
        """What a drop would do now; None while nobody knows."""
        return self._plan

    def enter(self, event: QDragEnterEvent) -> None:
        """Something is dragged over the window."""
        if event.source() is not None:
            event.ignore()  # it is dragged from here, to be taken out
            return
        urls = urls_of(event.mimeData())
        self._urls, self._plan, self._dropped = urls, None, False
        if not urls:
            event.ignore()
            return
        _accept_copy(event)
        self._overlay.show_looking()
        self._look(urls, lambda plan: self._show(plan, urls))

    def move(self, event: QDragMoveEvent) -> None:
        """It is still there."""
        _accept_copy(event)

    def leave(self, event: QDragLeaveEvent) -> None:
        """It is gone again."""
        self._urls = []
        self._overlay.hide()
        event.accept()

    def drop(self, event: QDropEvent) -> None:
        """It was let go."""
        _accept_copy(event)
        self._dropped = True
        self._overlay.hide()
        if self._plan is not None:
            self._end(self._plan)

    def paste(self, data: QMimeData) -> bool:
        """Do with the clipboard what a drop of it would do; False where it holds no addresses."""
        urls = urls_of(data)
        if urls:
            self._look(urls, self.pasted.emit)
        return bool(urls)

    def _look(self, urls: Sequence[QUrl], then: Callable[[DropPlan], None]) -> None:
        def done(brought: list[Brought]) -> None:
            then(plan_drop(brought, self._target()))

        self._runner.start("Looking at what is dropped", lambda _progress: look_at(urls), quiet=True, on_done=done)

    def _show(self, plan: DropPlan, urls: Sequence[QUrl]) -> None:
        """The look is over; the drop may have come first, or the mouse may have left."""
        if urls is not self._urls:
            return
        self._plan = plan
        if self._dropped:
            self._end(plan)
        else:
            self._overlay.show_plan(plan)

    def _end(self, plan: DropPlan) -> None:
        self._urls = []
        self.dropped.emit(plan)


def _accept_copy(event: QDropEvent) -> None:
    """Take a copy; also what cannot be used is taken, because only then can the window say why after the drop."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
