"""The lines above the files of an image: which layer, that alone or all up to it, which changes, which paths."""

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.filesystem import Change, View
from gui import text, theme
from gui.models.file_cells import CHANGES
from gui.panels.filter_line import HOW_TO_MEAN_PATHS, FilterLine
from gui.theme import Space
from gui.widgets import choice_button, glyph_toggle, icon_button, plain_label, set_tooltip

_LETTERS = 8
"""Letters of a layer's name that there is always room for."""
_SENTENCES = {
    Change.ADDED: "What the layer adds.",
    Change.CHANGED: "What the layer brings again: what it holds is not compared.",
    Change.REMOVED: "What the layer removes.",
    Change.UNCHANGED: "What the layer leaves as it is.",
}


class FilesChoice(QWidget):
    """Says what to see of the files."""

    layer_chosen = Signal(int)
    """Another layer: its place, from 0."""
    changed = Signal()
    """Something else is to be seen of the same layer."""
    pictured = Signal(bool)
    """Whether to show the files as a picture, rather than as a tree."""
    left = Signal()
    """The person wants to go on in the tree."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = QComboBox(self)
        self.layers.setAccessibleName("Layer")
        self.layers.view().setAccessibleName("Layers")
        self.layers.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.layers.setMinimumContentsLength(_LETTERS)
        self.layers.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        set_tooltip(self.layers, "The layer at which to look")
        self.merged = choice_button(
            "Merged", "What is there when all layers up to this one are laid on each other", self
        )
        self.only = choice_button("This layer", "What this layer alone adds, changes and removes", self)
        self.merged.setChecked(True)
        self._scopes = QButtonGroup(self)
        for button in (self.merged, self.only):
            self._scopes.addButton(button)
        self.line = FilterLine("Filter paths", "Filter paths: usr/bin, *.so", HOW_TO_MEAN_PATHS, self)
        self.toggles = {change: glyph_toggle(CHANGES[change].glyph, self) for change in CHANGES}
        self.picture = icon_button("map", "Picture: show the files as large as their bytes", self)
        self.picture.setCheckable(True)
        self._lay_out()
        self.picture.toggled.connect(self.pictured)
        self.layers.activated.connect(self.layer_chosen)
        self._scopes.buttonClicked.connect(lambda _button: self.changed.emit())
        for toggle in self.toggles.values():
            toggle.toggled.connect(self.changed)
        self.line.asked.connect(self.changed)
        self.line.left.connect(self.left)
        theme.current().changed.connect(self._draw)
        self._draw()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(Space.TINY)
        self._label = plain_label("Layer", parent=self)
        self._label.setBuddy(self.layers)  # on Linux a screen reader takes the name of a box from there
        first.addWidget(self._label)
        first.addWidget(self.layers, 1)
        first.addWidget(self.merged)
        first.addWidget(self.only)
        second = QHBoxLayout()
        second.setSpacing(Space.TINY)
        second.addWidget(self.line, 1)
        for toggle in self.toggles.values():
            second.addWidget(toggle)
        second.addWidget(self.picture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[Space.SMALL] * 4)
        layout.setSpacing(Space.TINY)
        layout.addLayout(first)
        layout.addLayout(second)

    # --------------------------------------------------------------------------------------------- what is wanted

    @property
    def words(self) -> str:
        """The filter as it is typed."""
        return self.line.words

    @property
    def changes(self) -> frozenset[Change]:
        """The changes to show."""
        return frozenset(change for change, toggle in self.toggles.items() if toggle.isChecked())

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.words and len(self.changes) == len(self.toggles)

    def show_layers(self, names: Sequence[str], current: int) -> None:
        """Offer these layers."""
        if [self.layers.itemText(n) for n in range(self.layers.count())] != list(names):
            self.layers.clear()
            self.layers.addItems(names)
        self.layers.setCurrentIndex(current)
        set_tooltip(self.layers, names[current] if 0 <= current < len(names) else "")

    def show_alone(self, alone: bool) -> None:
        """Offer nothing that makes no sense for a layer by itself."""
        for widget in (self._label, self.layers, self.merged, self.only):
            widget.setVisible(not alone)
        for change in (Change.CHANGED, Change.UNCHANGED):
            self.toggles[change].setVisible(not alone)

    def show_counts(self, view: View | None) -> None:
        """Say how many paths the layer adds, changes, removes and leaves as they are."""
        counts = {change: int((view.changes[1:] == change).sum()) if view is not None else 0 for change in CHANGES}
        for change, toggle in self.toggles.items():
            words = CHANGES[change]
            name = f"{words.word.capitalize()}: {text.number(counts[change])}"
            toggle.setAccessibleName(name)
            set_tooltip(toggle, f"{name}. {_SENTENCES[change]} Press to show or hide them.")

    def show_everything(self) -> None:
        """Leave nothing out."""
        for toggle in self.toggles.values():
            toggle.blockSignals(True)
            toggle.setChecked(True)
            toggle.blockSignals(False)
        self.line.clear()
        self.line.hold()
        self.changed.emit()

    def focus_filter(self) -> None:
        """Put the cursor there, with what was typed selected."""
        self.line.focus()

    @Slot()
    def _draw(self) -> None:
        """Each toggle in the colour of its change, where it is on."""
        for change, toggle in self.toggles.items():
            palette = toggle.palette()
            palette.setColor(QPalette.ColorRole.ButtonText, QColor(theme.colour(CHANGES[change].role)))
            toggle.setPalette(palette)
