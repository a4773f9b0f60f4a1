"""Loads, while nobody waits, what is made when somebody first asks for it."""

import importlib
import sys

from PySide6.QtCore import QObject, QTimer, Slot

_PAUSE_MS = 10
"""Between two modules, so that the window comes to its turn."""
_LATER = (
    *("engine.layers", "engine.contents", "engine.apart", "engine.stack", "gui.models.file_tree"),
    *("gui.panels.image_stack", "gui.panels.file_subject"),
    *("gui.panels.previewing", "gui.panels.text_pane", "gui.panels.preview", "gui.panels.files_choice"),
    *("gui.panels.space_view", "gui.panels.files_picture", "gui.panels.layers_tab", "gui.panels.files_view"),
    *("gui.panels.layers_view", "gui.panels.document_view", "gui.panels.hex_view", "engine.headers"),
    *("gui.panels.bytes_view", "gui.panels.relations", "gui.panels.metadata_editor", "gui.panels.annotation_editor"),
    *("gui.panels.find_pane", "gui.panels.space_store", "gui.dialogs.name_dialog", "gui.dialogs.cleanup_dialog"),
)
"""What the first window does without, in pieces, in the order in which it is likely to be asked for."""


class Loader(QObject):
    """Loads one module a turn, on the GUI thread: making classes of Qt's on two threads at once crashes the process."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._load_one)

    def start(self) -> None:
        """Begin, or go on; what is loaded already stays so."""
        self._pause.start()

    @Slot()
    def _load_one(self) -> None:
        name = next((each for each in _LATER if each not in sys.modules), None)
        if name is not None:
            importlib.import_module(name)
            self._pause.start()
