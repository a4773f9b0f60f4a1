"""Lies over the window while something is dragged, and says what letting go will do."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import icons, theme
from gui.panels.dropping import Deed, DropPlan
from gui.theme import Role, Space
from gui.widgets import plain_label

_ICONS = {Deed.OPEN: ("open", Role.ACCENT), Deed.IMPORT: ("import", Role.ACCENT), Deed.NOTHING: ("notice", Role.MUTED)}
_GLYPH = QSize(48, 48)


class DropOverlay(QWidget):
    """A veil with a frame and a sentence; never in the way of the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._role = Role.MUTED
        self._glyph = plain_label("", parent=self)
        self._sentence = plain_label("", wrap=True, parent=self)
        self._sentence.setFont(theme.heading_font())
        for label in (self._glyph, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[3 * Space.HUGE] * 4)
        layout.setSpacing(Space.MEDIUM)
        layout.addStretch()
        layout.addWidget(self._glyph)
        layout.addWidget(self._sentence)
        layout.addStretch()
        self.hide()

    def show_looking(self) -> None:
        """Cover the window while nobody knows yet what is dragged."""
        self.show_plan(DropPlan(Deed.NOTHING, "Looking at what is dragged…"))

    def show_plan(self, plan: DropPlan) -> None:
        """Cover the window and say what will happen."""
        icon, self._role = _ICONS[plan.deed]
        self._glyph.setPixmap(icons.icon(icon, self._role).pixmap(_GLYPH))
        self._sentence.setText(plan.sentence)
        self.setAccessibleName(plan.sentence)
        self.setGeometry(QRect(QPoint(0, 0), self.window().size()))
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(theme.colour(Role.PANEL))
        veil.setAlphaF(0.92)
        painter.fillRect(self.rect(), veil)
        pen = QPen(theme.colour(self._role), 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        inset = float(Space.LARGE)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 8, 8)
        painter.end()
