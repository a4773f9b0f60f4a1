"""What pictures of space are painted on: it reads in both schemes, and nothing is told by colour alone."""

import itertools
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from PySide6.QtWidgets import QApplication

from engine.space import Use
from gui import theme
from gui.panels.space_paper import HATCH, Paper, Swatch, edge_colour, paint_paper, paper_colour
from gui.theme import Role
from tests.gui.test_theme import READABLE, contrast

ON_PAPERS = {
    Paper.FRAME: (Role.TEXT,),
    Paper.USED: (Role.TEXT, Role.SOUND, Role.MUTED, Role.ACCENT),
    Paper.SHARED: (Role.TEXT, Role.SOUND, Role.MUTED, Role.ACCENT),
    Paper.UNUSED: (Role.TEXT, Role.MUTED, Role.WARNING, Role.BAD),
    Paper.BROKEN: (Role.TEXT, Role.BAD, Role.WARNING),
    Paper.OTHER: (Role.TEXT, Role.MUTED, Role.WARNING, Role.BAD),
    Paper.UNCHANGED: (Role.TEXT, Role.MUTED),
    Paper.ADDED: (Role.TEXT, Role.SOUND),
    Paper.CHANGED: (Role.TEXT, Role.CHANGED),
}
"""What is written and drawn on each."""


@pytest.fixture(autouse=True)
def back_to_light(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply(qapp, "light")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_is_written_on_a_paper_reads(qapp: QApplication, mode: theme.ThemeMode) -> None:
    theme.apply(qapp, mode)
    assert set(ON_PAPERS) == set(Paper)
    poor = [
        (paper.name, role.name)
        for paper, roles in ON_PAPERS.items()
        for role in roles
        if contrast(theme.colour(role), paper_colour(paper)) < READABLE
    ]
    assert poor == []


def test_each_use_has_the_paper_of_its_number() -> None:
    assert all(Paper(use).name == use.name for use in Use if use is not Use.ABSENT)


def drawn(paper: Paper, scale: float = 1) -> QImage:
    image = QImage(round(60 * scale), round(60 * scale), QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(scale)
    image.fill(QColor("magenta"))
    painter = QPainter(image)
    paint_paper(painter, QRectF(0, 0, 60, 60), paper)
    painter.end()
    return image


def shapes(image: QImage) -> list[bool]:
    """Where an image differs from its most frequent colour: what is left of it without colours."""
    colours = [image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(image.height())]
    common = max(set(colours), key=colours.count)
    return [abs(lightness - common) > 4 for lightness in colours]


def test_uses_are_told_apart_without_colours() -> None:
    looks = {paper: shapes(drawn(paper)) for paper in (Paper.USED, Paper.SHARED, Paper.UNUSED)}
    for one, other in itertools.combinations(looks, 2):
        assert looks[one] != looks[other], f"{one.name} and {other.name}"
    assert edge_colour(Paper.BROKEN) is not None, "and has a glyph"


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_hatching_is_as_wide_at_any_scale(scale: int) -> None:
    image = drawn(Paper.SHARED, scale)
    middle = [image.pixelColor(x, 30 * scale).lightness() for x in range(image.width())]
    paper = paper_colour(Paper.SHARED).lightness()
    is_line = [abs(lightness - paper) > 4 for lightness in middle]
    begins = sum(1 for before, now in itertools.pairwise(is_line) if now and not before)
    assert abs(begins - 60 / HATCH) <= 1


def test_a_swatch_is_drawn_in_the_colours_of_the_moment(qapp: QApplication) -> None:
    icon = QIcon(Swatch(Paper.BROKEN))
    light = icon.pixmap(16, 16).toImage()
    theme.apply(qapp, "dark")
    dark = QIcon(icon).pixmap(16, 16).toImage()
    assert light.pixelColor(8, 8) != dark.pixelColor(8, 8)
