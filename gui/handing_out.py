"""Asks where things of a store are to go, and hands them to other programs."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from gui.copies import Copies
from gui.dialogs import asking
from gui.outcome import Notice
from gui.panels.chosen_blobs import ChosenBlobs
from gui.panels.drag_out import files_as_data
from gui.panels.file_manager import show_file
from gui.session import Session
from gui.settings import Settings
from gui.taking_out import Chosen

if TYPE_CHECKING:  # needed by the workers only
    from engine.extracting import Extraction

_NOTHING = Notice("notice", "There is nothing to take out of what is selected.")


class HandingOut(QObject):
    """What a window does with what is taken out of its stores."""

    noticed = Signal(object)
    """A ``Notice`` for the message bar."""

    def __init__(self, window: QWidget, settings: Settings, copies: Copies) -> None:
        """``copies`` are the files that other programs were given."""
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._copies = copies

    def follow(self, session: Session) -> None:
        """Do what is asked for once things were taken out of a store, or could not be."""
        session.taking_out.folderAsked.connect(self.take_out)
        session.taking_out.showAsked.connect(self._show)
        session.taking_out.listAsked.connect(self._list)

    @Slot(object)
    def take_out(self, chosen: Chosen | None) -> None:
        """Ask where to, then make it there."""
        if chosen is None:
            self.noticed.emit(_NOTHING)
            return
        out, what = chosen
        target: Path | None
        if isinstance(what, ChosenBlobs) and what.suggestion:
            place = asking.where_to_save(self._window, self._settings, what.suggestion)
            target, what = (place.parent, what.called(place.name)) if place is not None else (None, what)
        else:
            target = asking.folder_to_make_it_in(self._window, self._settings, what.question.format(what.name))
        if target is not None:
            out.take(what, target)

    def copy(self, chosen: Chosen | None) -> None:
        """Make it, and put it on the clipboard as files."""
        if chosen is None:
            self.noticed.emit(_NOTHING)
            return
        out, what = chosen

        def put(done: "Extraction") -> None:
            QGuiApplication.clipboard().setMimeData(files_as_data(done.placed))
            sentence = f"{what.name} can be pasted in a file manager, until Blobscope is closed."
            self.noticed.emit(Notice("success", sentence))
            out.tell_otherwise(what, done)

        out.copy(what, put, lambda: None)

    def forget_copied(self) -> None:
        """The copies go now, so they cannot be pasted any more."""
        clipboard = QGuiApplication.clipboard()
        data = clipboard.mimeData() if self._copies.are_there else None
        if data is not None and any(self._copies.has(Path(url.toLocalFile())) for url in data.urls()):
            clipboard.clear()

    @Slot(object)
    def _show(self, path: Path) -> None:
        show_file(path, self._window)

    @Slot(object)
    def _list(self, done: "Extraction") -> None:
        """List what came out otherwise than it is in the image."""
        from gui.dialogs.taken_dialog import TakenDialog  # not needed for the first window

        dialog = TakenDialog(done, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
