"""Below the files of an image: what is known of the current path, and what is in it."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.filesystem import View
from engine.pathtree import ROOT
from gui.panels.current_path import CurrentPath
from gui.panels.file_subject import NOTHING, subject_of
from gui.panels.image_stack import Stack
from gui.panels.preview import PreviewPane
from gui.panels.subject import Subject
from gui.session import Session

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.stack import ReadImage


class AboutPath(QWidget):
    """One path of an image as it is at one of its layers."""

    path_asked = Signal(object)
    """Somebody wants to go to this path, in ``bytes``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current = CurrentPath(self)
        self.preview = PreviewPane(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.current)
        layout.addWidget(self.preview, 1)

    def show_node(self, session: Session, image: "ReadImage", stack: Stack, view: View, node: int) -> None:
        """Tell which layers touched a path, and show what is in it."""
        if node <= ROOT:
            self.show_nothing()
            return
        touches = [] if stack.is_alone else image.files.history(node)
        self.current.touched.tell(touches, stack.layers, image.files.facts(int(view.entries[node])).layer)
        found = subject_of(session, image, stack, view, node)
        if isinstance(found, Subject):
            self.preview.show_file(found)
        elif found.leads_to:
            follow = partial(self.path_asked.emit, found.leads_to)
            self.preview.say(found.headline, found.sentence, "Go to what it leads to", follow)
        else:
            self.preview.say(found.headline, found.sentence)

    def show_nothing(self) -> None:
        """There is no current path."""
        self.preview.say(NOTHING.headline, NOTHING.sentence)
