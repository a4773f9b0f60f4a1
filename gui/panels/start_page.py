"""The window without a store: what this program is for, where to begin, and what was open before."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui import icons, text, theme
from gui.settings import Recent
from gui.theme import Role, Space
from gui.widgets import ElidedLabel, heading, icon_button, plain_label, set_tooltip

_LESSONS = (
    ("open", "Open a folder that skopeo, umoci, buildah or BuildKit wrote, or Docker's own image store."),
    ("verify", "See at once what is missing or damaged; hash everything with one key."),
    ("delete", "Drag files in, take images out: you see what a change does before it happens."),
)
_WIDTH = 640


class DropZone(QFrame):
    """A dashed field that invites to drop something."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Drop a folder here to open it")

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(Role.HAIRLINE), 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(theme.colour(Role.BASE))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        painter.end()


class StartPage(QScrollArea):
    """The empty state; everything on it is also in the File menu."""

    open_asked = Signal()
    new_asked = Signal()
    demo_asked = Signal()
    recent_chosen = Signal(object)
    """The ``Path`` of a store to open."""
    pin_asked = Signal(object, bool)
    remove_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Start")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        column = QWidget()
        column.setMaximumWidth(_WIDTH)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        centred = QHBoxLayout(inside)
        centred.setContentsMargins(*[Space.HUGE] * 4)
        centred.addStretch(1)
        centred.addWidget(column, 100)
        centred.addStretch(1)
        self._column = QVBoxLayout(column)
        self._column.setSpacing(Space.LARGE)
        self._column.addStretch(1)
        self._column.addLayout(self._title())
        self._column.addWidget(self._drop_zone())
        self._column.addLayout(self._lessons())
        self._recent_heading = heading("Opened before")
        self._column.addWidget(self._recent_heading)
        self._recents = QVBoxLayout()
        self._recents.setSpacing(Space.TINY)
        self._column.addLayout(self._recents)
        self._column.addStretch(2)
        self.setWidget(inside)
        self.show_recents([])

    def show_recents(self, recents: Sequence[Recent]) -> None:
        """List the stores that were open before."""
        while (item := self._recents.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.hide()
                row.deleteLater()
        for recent in recents:
            self._recents.addWidget(self._row(recent))
        self._recent_heading.setVisible(bool(recents))

    def _title(self) -> QHBoxLayout:
        glyph = plain_label("")
        glyph.setPixmap(icons.application_icon().pixmap(QSize(56, 56)))
        glyph.setAccessibleName("Blobscope")
        name = heading("Blobscope")
        font = name.font()
        font.setPointSizeF(font.pointSizeF() * 1.4)
        name.setFont(font)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(_muted("See, check and change container images on disk."))
        line = QHBoxLayout()
        line.setSpacing(Space.LARGE)
        line.addWidget(glyph)
        line.addLayout(words, 1)
        return line

    def _drop_zone(self) -> DropZone:
        zone = DropZone(self)
        invitation = plain_label("Drop an image layout here, or", wrap=True)
        invitation.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        buttons = QHBoxLayout()
        buttons.setSpacing(Space.SMALL)
        buttons.addStretch()
        for icon, words, tip, asked in (
            ("open", "Open folder…", "Open an image layout or Docker's image store", self.open_asked),
            ("new", "New layout…", "Make a new, empty image layout", self.new_asked),
            ("sample", "Try the demo", "Open a sample in which every state can be seen", self.demo_asked),
        ):
            button = _Offer(icon, words, zone)
            set_tooltip(button, tip)
            button.clicked.connect(lambda _checked=False, asked=asked: asked.emit())
            buttons.addWidget(button)
            if self.focusProxy() is None:
                self.setFocusProxy(button)
        buttons.addStretch()
        layout = QVBoxLayout(zone)
        layout.setContentsMargins(Space.HUGE, Space.HUGE, Space.HUGE, Space.HUGE)
        layout.setSpacing(Space.MEDIUM)
        layout.addWidget(invitation)
        layout.addLayout(buttons)
        return zone

    def _lessons(self) -> QVBoxLayout:
        lines = QVBoxLayout()
        lines.setSpacing(Space.SMALL)
        for icon, sentence in _LESSONS:
            line = QHBoxLayout()
            line.setSpacing(Space.MEDIUM)
            line.addWidget(_Glyph(icon))
            line.addWidget(plain_label(sentence, wrap=True), 1)
            lines.addLayout(line)
        return lines

    def _row(self, recent: Recent) -> QWidget:
        path = Path(recent.path)
        row = QWidget(self)
        name = QPushButton(icons.icon("store", Role.MUTED), text.escape_mnemonics(text.plain(path.name or "/")), row)
        name.setFlat(True)
        name.setAutoDefault(True)
        name.setAccessibleName(f"Open {text.plain(recent.path)}")
        set_tooltip(name, f"Open {recent.path}")
        name.clicked.connect(lambda: self.recent_chosen.emit(path))
        place = ElidedLabel(text.plain(str(path.parent)), row)
        place.setForegroundRole(place.palette().ColorRole.PlaceholderText)
        when = _muted(text.ago(recent.opened))
        pin = icon_button("pinned" if recent.pinned else "pin", "Unpin" if recent.pinned else "Keep at the top", row)
        pin.setAccessibleName(f"{'Unpin' if recent.pinned else 'Pin'} {text.plain(path.name)}")
        pin.clicked.connect(lambda: self.pin_asked.emit(path, not recent.pinned))
        remove = icon_button("close", "Remove from this list; the folder itself stays", row)
        remove.setAccessibleName(f"Remove {text.plain(path.name)} from this list")
        remove.clicked.connect(lambda: self.remove_asked.emit(path))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(Space.SMALL)
        line.addWidget(name)
        line.addWidget(place, 1)
        line.addWidget(when)
        line.addWidget(pin)
        line.addWidget(remove)
        return row


class _Offer(QPushButton):
    """A button that Enter presses while it has the keyboard, and whose icon shows on its colour then."""

    def __init__(self, icon: str, words: str, parent: QWidget) -> None:
        super().__init__(words, parent)
        self._icon = icon
        self.setAutoDefault(True)
        self._draw()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._draw()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._draw()

    def _draw(self) -> None:
        self.setIcon(icons.icon(self._icon, Role.BASE if self.isDefault() else Role.TEXT))


class _Glyph(QLabel):
    """An icon that follows the theme."""

    def __init__(self, icon: str) -> None:
        super().__init__()
        self._icon = icon
        self.setAccessibleName("")
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        self.setPixmap(icons.icon(self._icon, Role.ACCENT).pixmap(icons.TOOLBAR_SIZE))


def _muted(words: str) -> QLabel:
    label = plain_label(words)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
