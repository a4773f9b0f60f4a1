"""The buttons beside the line of a search that say how much is present, overwritten and removed, and hide any of it."""

from collections.abc import Mapping

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QWidget

from engine.fates import Fate
from gui import text, theme
from gui.models.found_table import FATES, SENTENCES
from gui.theme import Space
from gui.widgets import glyph_toggle, set_tooltip


class FateToggles(QWidget):
    """One button for each ``Fate``."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.buttons = {fate: glyph_toggle(FATES[fate].glyph, self) for fate in Fate}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(Space.TINY)
        for button in self.buttons.values():
            button.toggled.connect(self.changed)
            row.addWidget(button)
        theme.current().changed.connect(self._draw)
        self._draw()
        self.show_counts({})

    @property
    def wanted(self) -> frozenset[Fate]:
        """What to show."""
        return frozenset(fate for fate, button in self.buttons.items() if button.isChecked())

    def show_everything(self) -> None:
        """Hide nothing."""
        for button in self.buttons.values():
            button.setChecked(True)

    def show_counts(self, counts: Mapping[Fate, int]) -> None:
        """Say how much there is of each."""
        for fate, button in self.buttons.items():
            name = f"{FATES[fate].word}: {text.number(counts.get(fate, 0))}"
            button.setAccessibleName(name)
            set_tooltip(button, f"{name}. {SENTENCES[fate]} Press to show or hide them.")

    @Slot()
    def _draw(self) -> None:
        """Each button in the colour of what it is about."""
        for fate, button in self.buttons.items():
            palette = button.palette()
            palette.setColor(QPalette.ColorRole.ButtonText, QColor(theme.colour(FATES[fate].role)))
            button.setPalette(palette)
