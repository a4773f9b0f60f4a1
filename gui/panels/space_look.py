"""Draws a whole picture of space in small steps: papers, hatching, glyphs and labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from engine.filesystem import Change
from engine.snapshot import State
from gui import icons, theme
from gui.models.file_cells import CHANGES
from gui.models.treemap import Boxes, Cells, hatching
from gui.panels.space_paper import HATCH, Paper, edge_colour, hatch_pen, lines_of, paper_colour
from gui.theme import Role

Mark = State | Change
Step = Callable[[QPainter], None]

GLYPH = 14
"""Pixels of a glyph's side."""
LEAST_MARKED = 18
"""Pixels of the shorter side of a rectangle that has room for a glyph."""
_SLICE = 400
"""Rectangles or lines that are drawn in a row."""
_LABELS = 12
"""The same for labels, which take longer."""
_LEAST_LETTERS = 8
"""Letters of a title that is cut."""
_WORTH = 12
"""Letters of a title that are worth more than the size beside it."""
_EDGE = 3
"""Pixels between an edge and a label."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Rectangles with what is to be seen on them: of some a title, a second line and a glyph."""

    cells: Cells
    papers: NDArray[np.uint8]
    titles: Mapping[int, Sequence[str]]
    """Shorter ones after longer ones, of which the first that fits is shown."""
    details: Mapping[int, str]
    marks: Mapping[int, Mark]


def drawing(picture: Picture, metrics: QFontMetrics) -> list[Step]:
    """What draws a picture, in steps of some milliseconds at most each; outer rectangles before those in them."""
    cells = picture.cells
    steps: list[Step] = []
    for depth in _depths(cells):
        for paper in Paper:
            boxes = cells.boxes[depth[picture.papers[depth] == paper]]
            fill, edge = paper_colour(paper), edge_colour(paper)
            slices = (boxes[start : start + _SLICE] for start in range(0, len(boxes), _SLICE))
            steps += [partial(_fill, each, fill, edge) for each in slices]
    lines = hatching(_shrunk(cells.boxes[picture.papers == Paper.SHARED]), HATCH)
    steps += [partial(_hatch, lines[start : start + _SLICE]) for start in range(0, len(lines), _SLICE)]
    labelled = sorted({*picture.titles, *picture.marks})
    parts = (labelled[start : start + _LABELS] for start in range(0, len(labelled), _LABELS))
    return [*steps, *(partial(_label, picture, part, metrics) for part in parts)]


def _depths(cells: Cells) -> list[NDArray[np.int64]]:
    """The rectangles of each depth, the outermost first."""
    found, here = [], np.flatnonzero(cells.above < 0)
    while len(here):
        found.append(here)
        here = np.flatnonzero(np.isin(cells.above, here[cells.opened[here]]))
    return found


def _shrunk(boxes: Boxes) -> Boxes:
    """The boxes as they are filled: a line at the right and below is left to tell neighbours apart."""
    shrunk: Boxes = boxes - np.array([0.0, 0.0, 1.0, 1.0])
    return shrunk


def _fill(boxes: Boxes, colour: QColor, edge: QColor | None, painter: QPainter) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if edge is None:
        painter.setPen(Qt.PenStyle.NoPen)
        sides = _shrunk(boxes)
    else:
        painter.setPen(QPen(edge, 1))
        sides = boxes - np.array([-0.5, -0.5, 1.5, 1.5])
    painter.setBrush(colour)
    painter.drawRects([QRectF(x, y, right - x, bottom - y) for x, y, right, bottom in sides.tolist()])


def _hatch(lines: NDArray[np.float64], painter: QPainter) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(hatch_pen())
    painter.drawLines(lines_of(lines))


def _label(picture: Picture, chosen: list[int], metrics: QFontMetrics, painter: QPainter) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for cell in chosen:
        left, top, right, bottom = picture.cells.boxes[cell].tolist()
        paper = Paper(int(picture.papers[cell]))
        box = QRectF(left, top, right - left - 1, bottom - top - 1).adjusted(_EDGE, 2, -_EDGE, 0)
        titles, detail = picture.titles.get(cell, ()), picture.details.get(cell, "")
        first = QRectF(box.left(), box.top(), box.width(), metrics.height())
        mark = picture.marks.get(cell)
        if mark is not None:
            square = QRectF(0, 0, GLYPH, GLYPH)
            square.moveCenter(box.center())
            if titles:
                square.moveLeft(box.left())
                square.moveTop(first.center().y() - GLYPH / 2)
            _back(painter, square, paper)
            _draw_mark(painter, square, mark)
            first.setLeft(square.right() + _EDGE)
        second = QRectF(box.left(), first.bottom(), box.width(), metrics.height())
        if picture.cells.opened[cell]:
            second = QRectF(first)
            second.setLeft(first.right() - metrics.horizontalAdvance(detail) - 1)
            if metrics.horizontalAdvance(titles[-1][:_WORTH]) > second.left() - first.left() - 2 * _EDGE:
                detail = ""  # the name is worth more
            else:
                first.setRight(second.left() - 2 * _EDGE)
        if second.bottom() <= box.bottom() + 1 and metrics.horizontalAdvance(detail) <= second.width():
            _write(painter, second, detail, paper, metrics)
        if titles:
            _write(painter, first, _fitting(titles, first.width(), metrics), paper, metrics)


def _fitting(titles: Sequence[str], width: float, metrics: QFontMetrics) -> str:
    """The longest title that fits, or what fits of the shortest; empty where that would be next to nothing."""
    whole = next((words for words in titles if metrics.horizontalAdvance(words) <= width), "")
    if whole or width < metrics.averageCharWidth() * _LEAST_LETTERS:
        return whole
    return metrics.elidedText(titles[-1], Qt.TextElideMode.ElideMiddle, int(width))


def _write(painter: QPainter, line: QRectF, words: str, paper: Paper, metrics: QFontMetrics) -> None:
    _back(painter, QRectF(line.left(), line.top(), metrics.horizontalAdvance(words), line.height()), paper)
    painter.setPen(theme.colour(Role.TEXT))
    painter.drawText(line.topLeft() + QPointF(0, metrics.ascent()), words)


def _back(painter: QPainter, box: QRectF, paper: Paper) -> None:
    """Plain paper behind what is to be read on a hatched one."""
    if paper is Paper.SHARED:
        painter.fillRect(box.adjusted(-1, 0, 1, 0), paper_colour(paper))


def _draw_mark(painter: QPainter, square: QRectF, mark: Mark) -> None:
    if isinstance(mark, State):
        icons.state_icon(mark).paint(painter, square.toAlignedRect())
        return
    words = CHANGES[mark]
    painter.save()
    painter.setFont(theme.strong_font())
    painter.setPen(theme.colour(words.role))
    painter.drawText(square, Qt.AlignmentFlag.AlignCenter, words.glyph)
    painter.restore()
