"""What pictures of space are filled with: papers in the theme's colours, told apart also without them."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QIcon, QIconEngine, QImage, QPainter, QPen, QPixmap

from gui import theme
from gui.models.treemap import hatching
from gui.theme import Role

HATCH = 6.0
"""Pixels between the lines of a hatching, along an edge."""
_TINT = 0.16
_HATCH_STRENGTH = 0.4


class Paper(IntEnum):
    """What a rectangle is filled with; those of a store's files are numbered like ``Use``."""

    FRAME = 0  # around what something is made of
    USED = 1
    SHARED = 2
    UNUSED = 3
    BROKEN = 4
    OTHER = 5
    UNCHANGED = 6
    ADDED = 7
    CHANGED = 8


def paper_colour(paper: Paper) -> QColor:
    """The colour of a paper now; texts and the glyphs of states read on it."""
    if paper in _TINTED:
        return mixed(theme.colour(Role.BASE), theme.colour(_TINTED[paper]), _TINT)
    return theme.colour(_PLAIN[paper])


def edge_colour(paper: Paper) -> QColor | None:
    """The colour of the line around it; None for none."""
    role = _EDGES.get(paper)
    return theme.colour(role) if role is not None else None


def mixed(paper: QColor, ink: QColor, share: float) -> QColor:
    """A colour with some of another in it."""
    pairs = ((paper.red(), ink.red()), (paper.green(), ink.green()), (paper.blue(), ink.blue()))
    return QColor(*(round(of_paper + (of_ink - of_paper) * share) for of_paper, of_ink in pairs))


def paint_paper(painter: QPainter, box: QRectF, paper: Paper) -> None:
    """Fill a box with a paper, its edge and its hatching."""
    painter.fillRect(box, paper_colour(paper))
    if paper is Paper.SHARED:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(hatch_pen())
        sides = np.array([[box.left(), box.top(), box.right(), box.bottom()]])
        painter.drawLines(lines_of(hatching(sides, HATCH)))
        painter.restore()
    edge = edge_colour(paper)
    if edge is not None:
        painter.save()
        painter.setPen(QPen(edge, 1))
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.restore()


class Swatch(QIconEngine):
    """A small box of a paper, in the colours of the moment."""

    def __init__(self, paper: Paper) -> None:
        super().__init__()
        self._paper = paper

    def clone(self) -> QIconEngine:
        return Swatch(self._paper)

    def paint(self, painter: QPainter, rect: QRect, _mode: QIcon.Mode, _state: QIcon.State) -> None:
        side = min(rect.width(), rect.height()) * 3 // 4
        box = QRect(0, 0, side, side)
        box.moveCenter(rect.center())
        paint_paper(painter, QRectF(box), self._paper)
        if edge_colour(self._paper) is None:
            painter.setPen(QPen(theme.colour(Role.OUTLINE), 1))
            painter.drawRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        painter = QPainter(image)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return QPixmap.fromImage(image)


def hatch_pen() -> QPen:
    """What hatching is drawn with."""
    colour = mixed(paper_colour(Paper.SHARED), theme.colour(Role.ACCENT), _HATCH_STRENGTH)
    return QPen(colour, 1.2)


def lines_of(lines: NDArray[np.float64]) -> list[QLineF]:
    """Rows of four coordinates as lines."""
    return [QLineF(*line) for line in lines.tolist()]


_PLAIN = {
    Paper.FRAME: Role.PANEL,
    Paper.USED: Role.SELECTION,
    Paper.SHARED: Role.SELECTION,
    Paper.UNUSED: Role.BASE,
    Paper.OTHER: Role.HOVER,
    Paper.UNCHANGED: Role.HOVER,
}
_TINTED = {Paper.BROKEN: Role.BAD, Paper.ADDED: Role.SOUND, Paper.CHANGED: Role.CHANGED}
_EDGES = {Paper.FRAME: Role.HAIRLINE, Paper.UNUSED: Role.OUTLINE, Paper.BROKEN: Role.BAD}
