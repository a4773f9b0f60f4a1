"""Paints rows of bytes. A whole page takes some hundred calls of Qt, never one for each byte."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gui import theme
from gui.panels.hex_layout import GROUP, HexLayout
from gui.panels.hex_marks import Mark
from gui.theme import Role, Space

_TINT, _STRONG_TINT = 0.08, 0.15
"""How much of its colour a mark has."""
_DIGITS = ["   ", *(f"{byte:02x} " for byte in range(1, 256))]
_ZEROS = ["00 ", *["   "] * 255]
_LETTERS = bytes(byte if 0x20 <= byte < 0x7F else 0x20 for byte in range(256))
_DOTS = bytes(0x20 if 0x20 <= byte < 0x7F else 0x2E for byte in range(256))


class Scene(NamedTuple):
    """What there is to paint."""

    layout: HexLayout
    row_height: int
    char_width: float
    start: int
    """The offset of the first byte in sight."""
    end: int
    """The offset behind the last byte in sight."""
    pieces: Sequence[tuple[int, bytes]]
    """What is known of the bytes in between."""
    selection: tuple[int, int]
    current: int
    """-1 for none."""
    marks: Sequence[Mark]
    has_focus: bool
    words: str
    """What is said over it."""


def paint(painter: QPainter, area: QRect, scene: Scene) -> None:
    """Paint everything that is in sight."""
    painter.fillRect(area, theme.colour(Role.BASE))
    _paint_marks(painter, scene)
    start, end = scene.selection
    if end - start > 1:
        role = Role.SELECTION if scene.has_focus else Role.SELECTION_IDLE
        _fill(painter, scene, start, end, theme.colour(role))
    _paint_offsets(painter, scene)
    for offset, content in scene.pieces:
        _paint_bytes(painter, scene, offset, content)
    if scene.start <= scene.current < scene.end:
        _paint_current(painter, scene)
    if scene.words:
        painter.setPen(theme.colour(Role.MUTED))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, scene.words)


def tint(role: Role, *, strong: bool = False) -> QColor:
    """The colour behind a mark: a little of its own in that of the paper."""
    share = _STRONG_TINT if strong else _TINT
    ink, paper = theme.colour(role), theme.colour(Role.BASE)
    mixed = (
        round(paper.red() + (ink.red() - paper.red()) * share),
        round(paper.green() + (ink.green() - paper.green()) * share),
        round(paper.blue() + (ink.blue() - paper.blue()) * share),
    )
    return QColor(*mixed)


def _fill(painter: QPainter, scene: Scene, start: int, end: int, colour: QColor) -> None:
    """Colour what is behind a stretch of bytes, in both columns."""
    layout, height = scene.layout, scene.row_height
    half = layout.char / 2
    for top, first, last in _rows_of(scene, start, end):
        left, right = layout.hex_at(first) - half, layout.hex_at(last) + 2 * layout.char + half
        painter.fillRect(QRectF(left, top, right - left, height), colour)
        left, right = layout.text_at(first), layout.text_at(last + 1)
        painter.fillRect(QRectF(left, top, right - left, height), colour)


def _paint_marks(painter: QPainter, scene: Scene) -> None:
    looks = {(mark.tint, mark.strong) for mark in scene.marks}
    tints = {look: tint(look[0], strong=look[1]) for look in looks}
    inks = {role: theme.colour(role) for role, _ in looks}
    for mark in scene.marks:
        _fill(painter, scene, mark.start, mark.end, tints[mark.tint, mark.strong])
        _tick(painter, scene, mark, inks[mark.tint])


def _tick(painter: QPainter, scene: Scene, mark: Mark, ink: QColor) -> None:
    """A line before the first byte of a mark, so that neighbours are told apart without their colours."""
    layout, height = scene.layout, scene.row_height
    for top, first, _ in _rows_of(scene, mark.start, mark.start + 1):
        left = layout.hex_at(first) - layout.char / 2
        painter.fillRect(QRectF(round(left), top + 1, 2, height - 2), ink)


def _rows_of(scene: Scene, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The rows in sight of a stretch of bytes: the top in pixels, the first column and the last."""
    per_row = scene.layout.per_row
    start, end = max(start, scene.start), min(end, scene.end)
    while start < end:
        row, first = divmod(start, per_row)
        last = min(first + end - start, per_row) - 1
        yield (row - scene.start // per_row) * scene.row_height, first, last
        start += last - first + 1


def _paint_offsets(painter: QPainter, scene: Scene) -> None:
    painter.setPen(theme.colour(Role.MUTED))
    layout, baseline = scene.layout, _baseline(painter, scene)
    for number, offset in enumerate(range(scene.start, scene.end, layout.per_row)):
        painter.drawText(QPointF(Space.SMALL, number * scene.row_height + baseline), f"{offset:0{layout.digits}x}")


def _paint_bytes(painter: QPainter, scene: Scene, offset: int, content: bytes) -> None:
    """Bytes from the beginning of a row on: what means something in one colour, zeros and what is no letter in another."""
    layout, baseline = scene.layout, _baseline(painter, scene)
    per_row = layout.per_row
    first = (offset - scene.start) // per_row
    rows = [content[place : place + per_row] for place in range(0, len(content), per_row)]
    for role, digits, letters in ((Role.TEXT, _DIGITS, _LETTERS), (Role.MUTED, _ZEROS, _DOTS)):
        painter.setPen(theme.colour(role))
        for number, row in enumerate(rows, first):
            y = number * scene.row_height + baseline
            for left, words in (
                (layout.hex_left, " ".join(_words(row, digits))),
                (layout.text_left, row.translate(letters).decode("ascii")),
            ):
                if not words.isspace():
                    painter.drawText(QPointF(left, y), words)


def _words(row: bytes, digits: Sequence[str]) -> Iterator[str]:
    for first in range(0, len(row), GROUP):
        yield "".join([digits[byte] for byte in row[first : first + GROUP]])


def _paint_current(painter: QPainter, scene: Scene) -> None:
    """A frame around the current byte, in both columns."""
    layout, height = scene.layout, scene.row_height
    row, column = divmod(scene.current, layout.per_row)
    top = (row - scene.start // layout.per_row) * height
    painter.setPen(QPen(theme.colour(Role.ACCENT if scene.has_focus else Role.OUTLINE), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    left = layout.hex_at(column) - layout.char / 2
    painter.drawRect(QRectF(left + 0.5, top + 0.5, 3 * layout.char - 1, height - 1))
    painter.drawRect(QRectF(layout.text_at(column) - 1.5, top + 0.5, layout.char + 2, height - 1))


def _baseline(painter: QPainter, scene: Scene) -> float:
    metrics = painter.fontMetrics()
    return (scene.row_height - metrics.height()) / 2 + metrics.ascent()
