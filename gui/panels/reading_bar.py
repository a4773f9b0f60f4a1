"""The line above layers and files: how far reading is, why it ended, and what could not be read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import icons, text, theme
from gui.jobs import Job
from gui.layering import MOST_LAYERS, Layering
from gui.theme import Role, Space
from gui.widgets import plain_label, set_tooltip

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.stack import ReadLayer

_FULL = 1000
"""Steps of the bar; bytes do not fit into its 32 bits."""


class ReadingBar(QWidget):
    """Shown while there is something to say. ``stopped`` and ``asked`` are what its button does."""

    stopped = Signal()
    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role: Role | None = None
        self._glyph = plain_label("", parent=self)
        self.words = plain_label("", wrap=True, parent=self)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Reading layers")
        self.button = QPushButton("Cancel", self)
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._press)
        line = QHBoxLayout()
        line.setSpacing(Space.SMALL)
        line.addWidget(self._glyph)
        line.addWidget(self.words, 1)
        line.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, Space.SMALL)
        layout.setSpacing(Space.TINY)
        layout.addLayout(line)
        layout.addWidget(self._bar)
        self._reading = False
        theme.current().changed.connect(self._draw)
        self.hide()

    def show_reading(self, layering: Layering, layer_count: int) -> None:
        """Say how the reading of an image with so many layers stands."""
        job = layering.job
        self._reading = job is not None
        self._bar.setVisible(job is not None)
        if job is not None:
            self._show_job(job)
        elif layer_count > MOST_LAYERS:
            sentence = f"The image has {text.count(layer_count, 'layer')}. Only images of up to {MOST_LAYERS} are read."
            self._say(sentence, Role.WARNING)
        elif layering.error is not None:
            self._say(text.error_sentence(layering.error), Role.BAD, "Try again")
        elif layering.stopped:
            self._say("Reading was stopped.", Role.MUTED, "Read the layers")
        else:
            self._say(_unread(layering), Role.WARNING)

    def _show_job(self, job: Job) -> None:
        fraction = job.fraction
        self._bar.setRange(0, 0 if fraction is None else _FULL)
        if fraction is not None:
            self._bar.setValue(round(fraction * _FULL))
        rate, left = job.estimate
        figures = text.progress(fraction, rate, left, job.progress.unit)
        step = job.progress.label or job.title
        self._say(" ".join(part for part in (f"{step} …", figures) if part), None, "Cancel")
        self.button.setEnabled(not job.cancelling)

    def _say(self, sentence: str, role: Role | None, button: str = "") -> None:
        self.words.setText(sentence)
        self._role = role
        self._draw()
        if button and self.button.text() != button:
            self.button.setText(button)
            set_tooltip(self.button, "Stop this; what is finished stays" if self._reading else "")
        self.button.setEnabled(True)
        self.button.setVisible(bool(button))
        self.setVisible(bool(sentence))

    @Slot()
    def _draw(self) -> None:
        name = "error" if self._role is Role.BAD else "warning"
        shown = self._role in (Role.BAD, Role.WARNING)
        self._glyph.setVisible(shown)
        if shown and self._role is not None:
            self._glyph.setPixmap(icons.icon(name, self._role).pixmap(icons.LIST_SIZE, self.devicePixelRatioF()))
            self._glyph.setAccessibleName(name.capitalize())

    @Slot()
    def _press(self) -> None:
        (self.stopped if self._reading else self.asked).emit()


def _unread(layering: Layering) -> str:
    """Which layers are not, or not all, among the files; empty where all are."""
    image = layering.image
    if image is None:
        return ""
    parts = _unread_alone(image.layers[0]) if len(image.layers) == 1 else _unread_of_several(image.layers)
    if image.files.left_out:
        parts.append(f"{text.count(image.files.left_out, 'path')} in too many folders are left out.")
    return " ".join(parts)


def _unread_alone(layer: "ReadLayer") -> list[str]:
    """Where there is no other layer, there is room to say why."""
    if layer.error is not None:
        return ["The layer could not be read.", text.error_sentence(layer.error)]
    if layer.is_whole:
        return []
    return ["The layer could be read only in part: files may be missing here.", text.plain(layer.trouble)]


def _unread_of_several(layers: "Sequence[ReadLayer]") -> list[str]:
    gone = [str(n) for n, layer in enumerate(layers, 1) if layer.table is None]
    short = [str(n) for n, layer in enumerate(layers, 1) if layer.table is not None and not layer.is_whole]
    parts = []
    if gone:
        parts.append(
            f"{_layers(gone)} could not be read: the files are shown without {'it' if len(gone) == 1 else 'them'}."
        )
    if short:
        parts.append(f"{_layers(short)} could be read only in part: files may be missing here.")
    return parts


def _layers(numbers: list[str]) -> str:
    shown = numbers[:8]
    more = f" and {len(numbers) - len(shown)} more" if len(numbers) > len(shown) else ""
    return f"{'Layer' if len(numbers) == 1 else 'Layers'} {', '.join(shown)}{more}"
