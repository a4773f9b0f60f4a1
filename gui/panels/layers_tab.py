"""What the tabs about layers have in common: they follow how the layers are read, and copy what is current in them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QWidget

from gui.panels.drag_out import DragOut
from gui.panels.image_stack import Stack
from gui.panels.reading_bar import ReadingBar
from gui.panels.type_ahead import TypeAhead
from gui.session import Selection, Session
from gui.taking_out import Chosen
from gui.widgets import is_copy_shortcut

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.stack import ReadImage


class LayersTab(QWidget):
    """A tab about the layers of what is selected. ``copied`` carries a sentence for the status bar."""

    copied = Signal(str)
    chosen = Signal(int)
    """Another layer is current here: its place, from 0."""
    menu_asked = Signal(object, object)
    """Somebody wants a menu of commands, by their keys, at this ``QPoint`` of the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selection: Selection | None = None
        self.session: Session | None = None
        """What was followed last, also when nothing is selected any more."""
        self.reading = ReadingBar(self)
        self.reading.stopped.connect(self._stop)
        self.reading.asked.connect(self._read)
        self._copied_from: list[QObject] = []

    @property
    def stack(self) -> Stack:
        """The layers that are shown."""
        raise NotImplementedError

    @property
    def image(self) -> "ReadImage | None":
        """What reading the layers of what is selected has brought."""
        selection = self.selection
        if selection is None or selection.session.layers.digest != selection.digest:
            return None
        return selection.session.layers.image

    def follow(self, selection: Selection) -> None:
        """Have the layers of another thing read, and hear of it."""
        self.selection = selection
        if selection.session is not self.session:
            if self.session is not None:
                self.session.layers.changed.disconnect(self.refresh)
                self.session.layers.progressed.disconnect(self.refresh_progress)
            self.session = selection.session
            self.session.layers.changed.connect(self.refresh)
            self.session.layers.progressed.connect(self.refresh_progress)
            self.begin_session(self.session)
        selection.session.layers.look_at(selection.digest)

    def begin_session(self, session: Session) -> None:
        """Another store is looked at from now on."""

    @Slot()
    def refresh(self) -> None:
        """More is known of the same layers, or they stand differently."""
        raise NotImplementedError

    @Slot()
    def refresh_progress(self) -> None:
        """Reading has got further."""
        selection = self.selection
        if selection is not None and selection.session.layers.digest == selection.digest:
            self.reading.show_reading(selection.session.layers, self.stack.count)

    def copy_from(self, place: QWidget) -> None:
        """What is current is copied by the keys for it, where the keyboard is in ``place``."""
        if place not in self._copied_from:
            self._copied_from.append(place)
            place.installEventFilter(self)

    def take_out_of(self, rows: QAbstractItemView, *commands: str) -> None:
        """What is selected in ``rows`` can be dragged out, and has a menu of these commands."""

        def ask(place: QPoint) -> None:
            self.menu_asked.emit(commands, rows.viewport().mapToGlobal(place))

        DragOut(rows, self.choose_for_taking_out)
        TypeAhead(rows)
        rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows.customContextMenuRequested.connect(ask)

    def choose_for_taking_out(self) -> Chosen | None:
        """What is selected; None where nothing of it can be taken out."""
        raise NotImplementedError

    def what_to_copy(self) -> tuple[str, str]:
        """What is current, as it goes to the clipboard, and what that is; both empty for nothing."""
        return "", ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched in self._copied_from and is_copy_shortcut(event):
            event.accept()  # here copying is about the current row, and not about what is selected in the window
            return True
        if watched in self._copied_from and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            words, what = self.what_to_copy()
            if words and event.matches(QKeySequence.StandardKey.Copy):
                QGuiApplication.clipboard().setText(words)
                self.copied.emit(f"Copied {what}.")
                return True
        return super().eventFilter(watched, event)

    @Slot()
    def _stop(self) -> None:
        if self.session is not None:
            self.session.layers.stop()

    @Slot()
    def _read(self) -> None:
        if self.session is not None:
            self.session.layers.read()
