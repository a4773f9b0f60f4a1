"""What icons promise: everything has one, no two states look alike, and all follow the theme."""

import subprocess
import sys

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from PySide6.QtWidgets import QApplication

from engine.snapshot import Kind, State
from gui import icons, theme
from gui.theme import Role


@pytest.fixture(autouse=True)
def light(qapp: QApplication) -> None:
    theme.apply(qapp, "light")


def drawn(icon: QIcon, side: int = 16, mode: QIcon.Mode = QIcon.Mode.Normal) -> QImage:
    return icon.pixmap(QSize(side, side), 1.0, mode).toImage().convertToFormat(QImage.Format.Format_ARGB32)


def shape(image: QImage) -> bytes:
    alpha = image.convertToFormat(QImage.Format.Format_Alpha8)
    return bytes(alpha.constBits())


def strongest_colour(image: QImage) -> QColor:
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return max(pixels, key=QColor.alpha)


@pytest.mark.parametrize("name", icons.ACTIONS)
def test_every_action_has_an_icon(name: str) -> None:
    assert any(shape(drawn(icons.icon(name))))


def test_every_state_and_every_kind_has_an_icon_of_its_own() -> None:
    assert set(icons.STATES) == set(State)
    assert set(icons.KINDS) == set(Kind)
    states = {shape(drawn(icons.state_icon(state))) for state in State}
    kinds = {shape(drawn(icons.kind_icon(kind))) for kind in Kind}
    assert (len(states), len(kinds)) == (len(State), len(Kind)), "told apart by shape, not by colour"


def test_the_same_icon_follows_the_theme(qapp: QApplication) -> None:
    icon = icons.state_icon(State.VERIFIED)
    before = strongest_colour(drawn(icon)).name()
    theme.apply(qapp, "dark")
    assert (before, strongest_colour(drawn(icon)).name()) == ("#18743a", "#4cc26c")
    theme.apply(qapp, "light")


def test_a_disabled_icon_is_faint() -> None:
    disabled = drawn(icons.icon("delete"), 32, QIcon.Mode.Disabled)
    assert strongest_colour(disabled).name() == theme.colour(Role.FAINT).name()


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0, 3.0])
def test_icons_are_sharp_at_any_scale(ratio: float) -> None:
    icon = icons.icon("open")
    pixmap = icon.pixmap(icons.LIST_SIZE, ratio)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (round(16 * ratio), ratio)
    canvas = QImage(round(16 * ratio), round(16 * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    canvas.setDevicePixelRatio(ratio)
    canvas.fill(Qt.GlobalColor.transparent)
    painter = QPainter(canvas)
    icon.paint(painter, QRect(0, 0, 16, 16))
    painter.end()
    assert canvas.convertToFormat(QImage.Format.Format_ARGB32) == drawn(icon, canvas.width())


def test_an_icon_in_a_wide_place_is_centred() -> None:
    canvas = QImage(48, 16, QImage.Format.Format_ARGB32_Premultiplied)
    canvas.fill(Qt.GlobalColor.transparent)
    painter = QPainter(canvas)
    icons.icon("store").paint(painter, QRect(0, 0, 48, 16))
    painter.end()
    assert shape(canvas.copy(16, 0, 16, 16)) == shape(drawn(icons.icon("store")))
    assert not any(shape(canvas.copy(0, 0, 16, 16)))


def test_the_icon_library_is_never_imported() -> None:
    """It costs more than a tenth of a second, which the first window does not have."""
    code = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "application = QApplication([])\n"
        "from gui import icons\n"
        "assert not icons.icon('open').pixmap(16, 16).isNull()\n"
        "print([name for name in sys.modules if name in ('qtawesome', 'qtpy')])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stdout) == (0, "[]\n")
