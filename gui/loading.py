"""Loads, while nobody waits, what is made when somebody first asks for it."""

import importlib
import logging
import sys
import time
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
    *("engine.filesystem", "engine.seeking", "engine.layers", "engine.contents", "engine.merging", "engine.stack"),
    *("engine.pathpattern", "gui.models.file_cells", "gui.models.file_tree", "gui.panels.image_stack"),
    *("gui.panels.file_subject", "engine.sniffing", "engine.jsonplace", "gui.panels.document_text"),
    *("gui.panels.previewing", "gui.panels.highlighter", "gui.panels.document_pane", "gui.panels.text_pane"),
    *("gui.panels.picture_view", "gui.panels.preview", "gui.panels.files_choice", "gui.panels.space_look"),
    *("gui.panels.space_map", "gui.panels.space_view", "gui.models.treemap_store", "gui.panels.space_files"),
    *("gui.panels.files_picture", "gui.panels.layers_tab", "gui.panels.chosen_files", "gui.panels.touched_by"),
    *("gui.panels.files_view", "gui.panels.layers_view", "gui.panels.document_view", "gui.panels.hex_layout"),
    *("gui.panels.hex_pages", "gui.panels.hex_paint", "gui.panels.hex_view"),
    *("engine.headers", "engine.bytesearch", "gui.models.header_tree", "gui.panels.header_pane"),
    *("gui.panels.bytes_find", "gui.panels.bytes_view", "gui.panels.relations", "gui.panels.pair_editor"),
    *("gui.panels.metadata_editor", "gui.panels.annotation_editor", "engine.fates", "gui.models.found_table"),
    *("gui.panels.found_view", "gui.panels.find_pane", "gui.panels.space_store", "gui.dialogs.name_dialog"),
    *("gui.models.cleanup", "gui.models.cleanup_tables", "gui.dialogs.cleanup_dialog"),
)
"""What the first window does without, in pieces, in the order in which it is likely to be asked for."""


_LATE_S = 0.005
"""A turn that comes so much later than asked for has much else to do."""


class Loader(QObject):
    """Loads one module a turn, on the GUI thread; a turn that comes late is left to others, once for each.

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
        self._due = 0.0
        self._yielded = False

    def start(self) -> None:
        """Begin, or go on; what is loaded already stays so."""
        self._due = time.monotonic() + self._pause.interval() / 1000
        self._pause.start()

    def stop(self) -> None:
        """Nobody will ask for it."""
        self._pause.stop()

    @Slot()
    def _load_one(self) -> None:
        self._yielded = not self._yielded and time.monotonic() > self._due + _LATE_S
        if self._yielded:
            self.start()
            return
        while self._left and self._left[0] in sys.modules:
            del self._left[0]
        if not self._left:
            self.loaded.emit()
            return
        try:
            importlib.import_module(self._left.pop(0))
        except ImportError:
            log.exception("Loading ahead failed")  # who needs it will say what that means
        self.start()
