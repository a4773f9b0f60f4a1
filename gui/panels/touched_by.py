"""Which layers touched a path: each leads to that layer, and the one that put it there says by which step."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from engine.filesystem import Change, Touch
from gui import text, theme
from gui.models.file_cells import CHANGES
from gui.panels.image_stack import StackLayer
from gui.theme import Space
from gui.widgets import ElidedLabel, plain_label, set_tooltip

_MOST = 4
"""Layers that have a button; the others are in the menu behind the last."""
_MOST_IN_MENU = 200


class TouchedBy(QWidget):
    """Tells of one path."""

    layer_asked = Signal(int)
    """Somebody wants to see this layer: its place, from 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = plain_label("Layers", parent=self)
        self._label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.buttons = [self._button() for _ in range(_MOST)]
        for number, button in enumerate(self.buttons):
            button.clicked.connect(partial(self._ask, number))
        self._places: list[int] = []
        """The layers of the buttons."""
        self.more = self._button()
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setText("…")
        self.more.setAccessibleName("All layers that touched it")
        set_tooltip(self.more, "All layers that touched it")
        self._menu = QMenu(self.more)
        self.more.setMenu(self._menu)
        self.step = ElidedLabel(parent=self)
        self.step.setFont(theme.fixed_font())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.TINY)
        for widget in (self._label, *self.buttons, self.more):
            layout.addWidget(widget)
        layout.addWidget(self.step, 1)
        self._touches: list[tuple[Touch, StackLayer]] = []
        theme.current().changed.connect(self._draw)
        self.hide()

    def _button(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        return button

    def be_brief(self, brief: bool) -> None:
        """Say no more than which layers those are."""
        for widget in (self._label, self.step):
            widget.setVisible(not brief)

    def tell(self, touches: Sequence[Touch], layers: Sequence[StackLayer], seen: int) -> None:
        """Say which layers touched the path; what is seen of it is from the layer at ``seen``."""
        told = [touch for touch in touches if touch.change != Change.NONE and touch.layer < len(layers)]
        self._touches = [(touch, layers[touch.layer]) for touch in told]
        self.step.set_text(layers[seen].words if 0 <= seen < len(layers) else "")
        self._draw()
        self.setVisible(bool(told))

    @Slot()
    def _draw(self) -> None:
        touches = self._touches
        with_button = touches if len(touches) <= _MOST else [touches[0], *touches[1 - _MOST :]]
        self._places = [touch.layer for touch, _ in with_button]
        for button, each in zip(self.buttons, [*with_button, *[None] * _MOST], strict=False):
            button.setVisible(each is not None)
            if each is not None:
                self._dress(button, *each)
        self.more.setVisible(len(touches) > len(with_button))
        self._menu.clear()
        if len(touches) > len(with_button):
            for touch, layer in touches[:_MOST_IN_MENU]:
                words = f"{CHANGES[touch.change].glyph} {layer.name[:120]}"
                action = self._menu.addAction(text.escape_mnemonics(words))
                action.triggered.connect(lambda _checked=False, place=touch.layer: self.layer_asked.emit(place))

    def _dress(self, button: QToolButton, touch: Touch, layer: StackLayer) -> None:
        words = CHANGES[touch.change]
        button.setText(f"{words.glyph} {layer.number}")
        name = f"{words.word.capitalize()} by layer {layer.number}: {layer.words}"
        button.setAccessibleName(name)
        set_tooltip(button, f"{name}\nPress to go to that layer.")
        palette = button.palette()
        palette.setColor(QPalette.ColorRole.ButtonText, QColor(theme.colour(words.role)))
        button.setPalette(palette)

    def _ask(self, number: int, _checked: bool = False) -> None:
        self.layer_asked.emit(self._places[number])
