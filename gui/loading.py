"""Loads, while nobody waits, what is made when somebody first asks for it."""

import importlib
import logging
import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot

log = logging.getLogger(__name__)

JUDGING = (
    *("engine.decompress", "engine.listing", "engine.rules.registry", "engine.rules.layer"),
    *("engine.rules.stack", "engine.tarwalk", "engine.layercheck", "engine.rules.json", "engine.rules.layout"),
    *("engine.rules.annotations", "engine.rules.picture", "engine.rules.beyond", "engine.rules.platform"),
    *("engine.rules.config", "engine.rules.content", "engine.rules.descriptor", "engine.rules.index"),
    *("engine.rules.manifest", "engine.rules.documents", "engine.rules.relations", "engine.rules.book"),
    *("engine.validate", "engine.checkup"),
)
"""What holds a store against the rules, in pieces; each comes after what it needs itself."""
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
    """Loads one module a turn, on the GUI thread.

    Making classes of Qt's on two threads at once crashes the process, and a worker that loads anything keeps the
    interpreter from the window for milliseconds at a time.
    """

    loaded = Signal()
    """Everything is there."""

    def __init__(self, parent: QObject, names: Sequence[str] = _LATER, pause_ms: int = 10) -> None:
        """``pause_ms`` is left to the window between two modules."""
        super().__init__(parent)
        self._left = [*names]
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(pause_ms)
        self._pause.timeout.connect(self._load_one)

    def start(self) -> None:
        """Begin, or go on; what is loaded already stays so."""
        self._pause.start()

    def stop(self) -> None:
        """Nobody will ask for it."""
        self._pause.stop()

    @Slot()
    def _load_one(self) -> None:
        while self._left and self._left[0] in sys.modules:
            del self._left[0]
        if not self._left:
            self.loaded.emit()
            return
        try:
            importlib.import_module(self._left.pop(0))
        except ImportError:
            log.exception("Loading ahead failed")  # who needs it will say what that means
        self._pause.start()
