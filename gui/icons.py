"""The one place that names icons: what each action, state and kind of blob looks like.

The glyphs are Material Design Icons, from the font and the map of names that ship with ``qtawesome``. They are read as
data: importing that library costs a third of the time in which the first window has to be there. An icon is drawn in
the theme's colour of the moment and sharp at any size, so nobody has to renew icons when the theme changes.
"""

import functools
import importlib.resources
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QIcon, QIconEngine, QImage, QPainter, QPainterPath, QPixmap, QRawFont

from engine import tarheader
from engine.findings import Severity
from engine.snapshot import Kind, State
from gui import theme
from gui.theme import Role

LIST_SIZE = QSize(16, 16)
TOOLBAR_SIZE = QSize(20, 20)

ACTIONS: Mapping[str, str] = {
    "add": "plus",
    "annotate": "text-box-plus-outline",
    "back": "arrow-left",
    "cancel": "close-circle-outline",
    "clean up": "broom",
    "close": "close",
    "collapse": "chevron-right",
    "copied": "check",
    "copy": "content-copy",
    "copy files": "file-multiple-outline",
    "delete": "trash-can-outline",
    "delete for good": "delete-forever-outline",
    "edit": "pencil-outline",
    "error": "alert-octagon-outline",
    "expand": "chevron-down",
    "export": "tray-arrow-up",
    "extract": "folder-download-outline",
    "file": "file-outline",
    "filter": "filter-outline",
    "folder": "folder-outline",
    "forward": "arrow-right",
    "go to": "arrow-right-circle-outline",
    "help": "help-circle-outline",
    "history": "history",
    "import": "tray-arrow-down",
    "jobs": "progress-clock",
    "keep aside": "archive-lock-outline",
    "map": "view-quilt-outline",
    "metadata": "tag-text-outline",
    "more": "dots-horizontal",
    "new": "folder-plus-outline",
    "next": "chevron-down",
    "notice": "information-outline",
    "open": "folder-open-outline",
    "paste": "content-paste",
    "pin": "pin-outline",
    "pinned": "pin",
    "preferences": "cog-outline",
    "previous": "chevron-up",
    "quit": "exit-to-app",
    "read-only": "lock-outline",
    "redo": "redo",
    "refresh": "refresh",
    "remedy": "wrench-outline",
    "rename": "form-textbox",
    "report": "file-chart-outline",
    "restore": "delete-restore",
    "sample": "flask-outline",
    "save": "content-save-outline",
    "search": "magnify",
    "show in folder": "folder-search-outline",
    "sound": "check-circle",
    "store": "layers-triple-outline",
    "tag": "tag-outline",
    "tag add": "tag-plus-outline",
    "undo": "undo",
    "untag": "tag-off-outline",
    "verify": "shield-check-outline",
    "warning": "alert-outline",
}

STATES: Mapping[State, str] = {
    State.VERIFIED: "check-bold",
    State.NOT_CHECKED: "dots-circle",
    State.CHECKING: "sync",
    State.EXTERNAL: "open-in-new",
    State.NOT_CHECKABLE: "help",
    State.UNUSED: "circle-outline",
    State.LOST: "alert-outline",
    State.JUNK: "file-question-outline",
    State.MISSING: "null",
    State.SIZE_DIFFERS: "not-equal-variant",
    State.DAMAGED: "file-alert-outline",
    State.UNREADABLE: "lock-outline",
    State.NOT_REGULAR: "hexagon-outline",
    State.CORRUPT: "close-thick",
}
"""Each has a shape of its own, so that nobody needs to tell colours apart."""

KINDS: Mapping[Kind, str] = {
    Kind.UNKNOWN: "help-rhombus-outline",
    Kind.INDEX: "format-list-group",
    Kind.IMAGE: "cube-outline",
    Kind.CONFIG: "file-cog-outline",
    Kind.LAYER: "layers-outline",
    Kind.ARTIFACT: "package-variant-closed",
    Kind.ATTESTATION: "file-certificate-outline",
    Kind.SIGNATURE: "draw-pen",
    Kind.SBOM: "clipboard-list-outline",
    Kind.DATA: "file-document-outline",
    Kind.STRAY: "file-hidden",
}

FILES: Mapping[int, str] = {
    tarheader.DIRECTORY: "folder-outline",
    tarheader.SYMBOLIC_LINK: "link-variant",
    tarheader.CHARACTER_DEVICE: "chip",
    tarheader.BLOCK_DEVICE: "harddisk",
    tarheader.PIPE: "pipe",
}
"""Types of files in layers; all others are files."""
_FILE = "file-outline"

_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}

_FONT = "materialdesignicons6-webfont-*.ttf"
_NAMES = "materialdesignicons6-webfont-charmap-*.json"
_EM = 24
"""Units of the grid that the glyphs were drawn on."""


def icon(name: str, role: Role = Role.TEXT) -> QIcon:
    """The icon of an action (a key of ``ACTIONS``), in the colour of ``role``."""
    return _icon(ACTIONS[name], role)


def state_icon(state: State) -> QIcon:
    """The shape of a state in its colour."""
    return _icon(STATES[state], theme.state_role(state))


def severity_icon(severity: Severity) -> QIcon:
    """The shape of a severity in its colour."""
    return icon(_SEVERITIES[severity], theme.severity_role(severity))


def kind_icon(kind: Kind) -> QIcon:
    """The shape of a kind of blob."""
    return _icon(KINDS[kind], Role.MUTED)


def file_icon(kind: int) -> QIcon:
    """The shape of a type of file in a layer (a type of ``engine.tarheader``)."""
    return _icon(FILES.get(kind, _FILE), Role.MUTED)


def application_icon() -> QIcon:
    """The application's own icon."""
    return QIcon(str(importlib.resources.files("resources") / "io.github.blobscope.Blobscope.svg"))


@functools.cache
def _icon(glyph: str, role: Role) -> QIcon:
    return QIcon(_Glyph(glyph, role))


class _Glyph(QIconEngine):
    """Draws one glyph in the colour that its role has when it is drawn."""

    def __init__(self, glyph: str, role: Role) -> None:
        super().__init__()
        self._glyph = glyph
        self._role = role

    def clone(self) -> QIconEngine:
        return _Glyph(self._glyph, self._role)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        image = self._image(round(side * painter.device().devicePixelRatio()), mode)
        square = QRect(QPoint(0, 0), QSize(side, side))
        square.moveCenter(rect.center())
        painter.drawImage(square, image)

    def pixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State) -> QPixmap:
        return QPixmap.fromImage(self._image(min(size.width(), size.height()), mode))

    def _image(self, side: int, mode: QIcon.Mode) -> QImage:
        role = Role.FAINT if mode is QIcon.Mode.Disabled else self._role
        return _drawn(self._glyph, theme.colour(role).rgba(), side)


@functools.lru_cache(maxsize=1024)
def _drawn(glyph: str, colour: int, side: int) -> QImage:
    """A glyph in pixels; ``colour`` is 0xAARRGGBB, ``side`` counts device pixels."""
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side / _EM, side / _EM)
    painter.fillPath(_outlines()[glyph], QColor.fromRgba(colour))
    painter.end()
    return image


@functools.cache
def _outlines() -> Mapping[str, QPainterPath]:
    """The outline of every glyph that is named above, on the grid."""
    package = importlib.util.find_spec("qtawesome")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0], "fonts")
    (font_file,), (names_file,) = folder.glob(_FONT), folder.glob(_NAMES)
    codes = json.loads(names_file.read_text("ascii"))
    font = QRawFont(str(font_file), _EM)
    outlines = {}
    for name in {*ACTIONS.values(), *STATES.values(), *KINDS.values(), *FILES.values()}:
        (glyph,) = font.glyphIndexesForString(chr(int(codes[name], 16)))
        outlines[name] = font.pathForGlyph(glyph).translated(
            0, font.ascent() - (font.ascent() + font.descent() - _EM) / 2
        )
    return outlines
