"""Colours, fonts and spaces: one palette for light and one for dark, and the little style that Fusion lacks.

Colours have roles, so that every place means the same by the same colour; each reads with at least 4.5:1 on every
background of its scheme, selected rows included. Never the only sign: a glyph and a word stand beside it.
"""

import enum
import importlib.resources
import string
from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from engine.findings import Severity
from engine.snapshot import State
from gui.settings import ThemeMode

ROW_PADDING = 6
"""Pixels that a row of a list is higher than its font."""


class Space(enum.IntEnum):
    """The one grid, in pixels."""

    TINY = 4
    SMALL = 8
    MEDIUM = 12
    LARGE = 16
    HUGE = 24


class Role(enum.Enum):
    """What a colour means."""

    TEXT = "text"
    MUTED = "muted"
    ACCENT = "accent"
    SOUND = "sound"
    WARNING = "warning"
    BAD = "bad"
    CHANGED = "changed"
    BASE = "base"
    """Behind lists and texts."""
    PANEL = "panel"
    """Behind everything else."""
    STRIPE = "stripe"
    """Behind every second row."""
    SELECTION = "selection"
    SELECTION_IDLE = "selection of a view without the keyboard"
    HOVER = "hover"
    HAIRLINE = "hairline"
    """Between two areas."""
    OUTLINE = "outline"
    """Around what can be filled in or ticked."""
    FAINT = "faint"
    """Text of what cannot be used now."""


INKS = (Role.TEXT, Role.MUTED, Role.ACCENT, Role.SOUND, Role.WARNING, Role.BAD, Role.CHANGED)
"""Roles that texts and glyphs are drawn in."""
PAPERS = (Role.BASE, Role.PANEL, Role.STRIPE, Role.SELECTION, Role.SELECTION_IDLE, Role.HOVER)
"""Roles that lie behind them."""

LIGHT: Mapping[Role, str] = {
    Role.TEXT: "#1D2126",
    Role.MUTED: "#59626D",
    Role.ACCENT: "#0A62C9",
    Role.SOUND: "#18743A",
    Role.WARNING: "#8A5A00",
    Role.BAD: "#C21F2B",
    Role.CHANGED: "#7A4DC7",
    Role.BASE: "#FFFFFF",
    Role.PANEL: "#F4F5F7",
    Role.STRIPE: "#F9FAFB",
    Role.SELECTION: "#DCE9FA",
    Role.SELECTION_IDLE: "#E8EAED",
    Role.HOVER: "#E9ECEF",
    Role.HAIRLINE: "#D5D9DE",
    Role.OUTLINE: "#7C858F",
    Role.FAINT: "#98A0A9",
}

DARK: Mapping[Role, str] = {
    Role.TEXT: "#E6E8EB",
    Role.MUTED: "#9AA4AF",
    Role.ACCENT: "#6CB2FF",
    Role.SOUND: "#4CC26C",
    Role.WARNING: "#E0A83A",
    Role.BAD: "#FF7B72",
    Role.CHANGED: "#B99AF5",
    Role.BASE: "#1E1F22",
    Role.PANEL: "#2B2D31",
    Role.STRIPE: "#232428",
    Role.SELECTION: "#243B57",
    Role.SELECTION_IDLE: "#33363B",
    Role.HOVER: "#33363B",
    Role.HAIRLINE: "#3D4046",
    Role.OUTLINE: "#808892",
    Role.FAINT: "#6B737D",
}

_STATE_ROLES = {
    State.VERIFIED: Role.SOUND,
    State.NOT_CHECKED: Role.MUTED,
    State.CHECKING: Role.ACCENT,
    State.EXTERNAL: Role.MUTED,
    State.NOT_CHECKABLE: Role.MUTED,
    State.UNUSED: Role.MUTED,
    State.LOST: Role.WARNING,
    State.JUNK: Role.MUTED,
    State.MISSING: Role.BAD,
    State.SIZE_DIFFERS: Role.BAD,
    State.DAMAGED: Role.BAD,
    State.UNREADABLE: Role.WARNING,
    State.NOT_REGULAR: Role.WARNING,
    State.CORRUPT: Role.BAD,
}


_SEVERITY_ROLES = {Severity.ERROR: Role.BAD, Severity.WARNING: Role.WARNING, Severity.INFO: Role.MUTED}


class Theme(QObject):
    """What the application looks like now; ``changed`` comes after the palette is in place."""

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._hints = QGuiApplication.styleHints()
        self._mode: ThemeMode = "system"
        self._colours = {role: QColor(value) for role, value in LIGHT.items()}
        self.dark = False
        self._hints.colorSchemeChanged.connect(self._follow_system)

    @property
    def mode(self) -> ThemeMode:
        return self._mode

    def apply(self, mode: ThemeMode) -> None:
        """Dress the application: as the system is, light, or dark."""
        self._mode = mode
        self._hints.setColorScheme(_SCHEMES[mode])
        if self._application.style().name() != "fusion":
            self._application.setStyle(QStyleFactory.create("Fusion"))
        self.dark = self._system_is_dark() if mode == "system" else mode == "dark"
        self._colours = {role: QColor(value) for role, value in (DARK if self.dark else LIGHT).items()}
        if self._wants_contrast():
            self._colours[Role.MUTED] = self._colours[Role.TEXT]
            self._colours[Role.HAIRLINE] = self._colours[Role.TEXT]
        palette = _palette(self._colours)
        self._application.setPalette(palette)
        for controls, outlined in (
            (_OUTLINED, _outlined(palette, self._colours)),
            (_FRAMED, _framed(palette, self._colours)),
        ):
            for control in controls:
                self._application.setPalette(outlined, control)  # type: ignore[arg-type]  # it takes text, the stub says bytes
        self._application.setStyleSheet(_style_sheet(self._colours))
        self.changed.emit()

    def colour(self, role: Role) -> QColor:
        return self._colours[role]

    def _system_is_dark(self) -> bool:
        scheme = self._hints.colorScheme()
        if scheme is Qt.ColorScheme.Unknown:
            self._application.setPalette(QPalette())
            palette = self._application.palette()
            return palette.color(QPalette.ColorRole.Window).lightness() < 128
        return scheme is Qt.ColorScheme.Dark

    def _wants_contrast(self) -> bool:
        """Whether the system asks for high contrast."""
        accessibility = self._hints.accessibility()
        return accessibility.contrastPreference() is Qt.ContrastPreference.HighContrast

    @Slot()
    def _follow_system(self) -> None:
        if self._mode == "system" and self._system_is_dark() != self.dark:
            self.apply("system")


def current() -> Theme:
    """The application's theme, made when first asked for."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("There is no application to have a theme yet.")
    theme = application.findChild(Theme)
    return theme if isinstance(theme, Theme) else Theme(application)


def apply(application: QApplication, mode: ThemeMode) -> Theme:
    """Dress ``application``; returns its theme, whose ``changed`` tells what must be drawn anew."""
    theme = application.findChild(Theme) or Theme(application)
    theme.apply(mode)
    return theme


def colour(role: Role) -> QColor:
    """The colour of ``role`` now."""
    return current().colour(role)


def state_colour(state: State) -> QColor:
    """The colour of a state's glyph and word now."""
    return colour(state_role(state))


def state_role(state: State) -> Role:
    """What a state means, as a colour role."""
    return _STATE_ROLES[state]


def severity_role(severity: Severity) -> Role:
    """How bad something is, as a colour role."""
    return _SEVERITY_ROLES[severity]


def fixed_font() -> QFont:
    """For digests, paths, JSON and commands."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)


def number_font() -> QFont:
    """The application's font with figures of equal width, for columns of numbers."""
    font = QFont(QApplication.font())
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def strong_font() -> QFont:
    """Heavier than the text, and as large."""
    font = QFont(QApplication.font())
    font.setWeight(QFont.Weight.DemiBold)
    return font


def struck_font() -> QFont:
    """Struck through: what it names is no longer there."""
    font = QFont(QApplication.font())
    font.setStrikeOut(True)
    return font


def heading_font() -> QFont:
    """One step larger and heavier than the text."""
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * 1.15)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def row_height(font: QFont) -> int:
    """Pixels that a row of a list is high."""
    return QFontMetrics(font).height() + ROW_PADDING


_SCHEMES: Mapping[ThemeMode, Qt.ColorScheme] = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}

_PALETTE_ROLES = {
    QPalette.ColorRole.Window: Role.PANEL,
    QPalette.ColorRole.WindowText: Role.TEXT,
    QPalette.ColorRole.Base: Role.BASE,
    QPalette.ColorRole.AlternateBase: Role.STRIPE,
    QPalette.ColorRole.Text: Role.TEXT,
    QPalette.ColorRole.PlaceholderText: Role.MUTED,
    QPalette.ColorRole.Button: Role.PANEL,
    QPalette.ColorRole.ButtonText: Role.TEXT,
    QPalette.ColorRole.BrightText: Role.BAD,
    QPalette.ColorRole.Highlight: Role.SELECTION,
    QPalette.ColorRole.HighlightedText: Role.TEXT,
    QPalette.ColorRole.Accent: Role.ACCENT,
    QPalette.ColorRole.Link: Role.ACCENT,
    QPalette.ColorRole.LinkVisited: Role.ACCENT,
    QPalette.ColorRole.ToolTipBase: Role.BASE,
    QPalette.ColorRole.ToolTipText: Role.TEXT,
    QPalette.ColorRole.Light: Role.BASE,
    QPalette.ColorRole.Midlight: Role.HOVER,
    QPalette.ColorRole.Mid: Role.HAIRLINE,
    QPalette.ColorRole.Dark: Role.FAINT,
    QPalette.ColorRole.Shadow: Role.FAINT,
}

_OUTLINED = ("QCheckBox", "QRadioButton", "QComboBox", "QAbstractSpinBox")

_FRAMED = ("TickTable", "QMenu")

_FUSION_DARKENS = 140

_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
    QPalette.ColorRole.HighlightedText,
    QPalette.ColorRole.PlaceholderText,
)


def _palette(colours: Mapping[Role, QColor]) -> QPalette:
    """Every role of Qt's palette from ours, so that nothing of the system's own shows through."""
    palette = QPalette()
    for target, role in _PALETTE_ROLES.items():
        palette.setColor(target, colours[role])
    palette.setColor(QPalette.ColorGroup.Inactive, QPalette.ColorRole.Highlight, colours[Role.SELECTION_IDLE])
    for target in _DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, target, colours[Role.FAINT])
    return palette


def _outlined(palette: QPalette, colours: Mapping[Role, QColor]) -> QPalette:
    """For controls that Fusion draws an outline around: it takes a darker tone of Window, unseen on a dark one."""
    outlined = _framed(palette, colours)
    outlined.setColor(QPalette.ColorRole.Highlight, colours[Role.ACCENT])
    outlined.setColor(QPalette.ColorRole.HighlightedText, colours[Role.BASE])
    return outlined


def _framed(palette: QPalette, colours: Mapping[Role, QColor]) -> QPalette:
    """The same for what has rows, whose selection stays as it is: boxes to tick, and the edge of a menu."""
    outlined = QPalette(palette)
    outlined.setColor(QPalette.ColorRole.Window, colours[Role.OUTLINE].lighter(_FUSION_DARKENS))
    return outlined


def _style_sheet(colours: Mapping[Role, QColor]) -> str:
    """The style sheet with the colours filled in."""
    template = (importlib.resources.files("gui") / "theme.qss").read_text("utf-8")
    return string.Template(template).substitute({role.name.lower(): value.name() for role, value in colours.items()})
