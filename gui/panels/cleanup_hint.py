"""Beside the lenses: how much of a store nothing needs, and the way to clean it up."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QTabWidget, QToolButton

from gui import icons, text
from gui.theme import Role, Space
from gui.widgets import set_tooltip


class CleanupHint(QToolButton):
    """Says how much is unused; where the tabs leave too little room only by its glyph."""

    def __init__(self, tabs: QTabWidget) -> None:
        super().__init__(tabs)
        self._tabs = tabs
        self._words = ""
        self.setIcon(icons.icon("clean up", Role.MUTED))
        self.setIconSize(icons.LIST_SIZE)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tabs.setCornerWidget(self, Qt.Corner.TopRightCorner)
        tabs.installEventFilter(self)
        self.hide()

    def show_unused(self, count: int, size: int) -> None:
        """So many blobs, of so many bytes, are not needed; with none there is nothing to see."""
        self._words = f"{text.number(count)} unused{text.SEPARATOR}{text.size(size)}{text.SEPARATOR}Clean up…"
        self.setAccessibleName(self._words)
        blobs = text.count(count, "blob")
        set_tooltip(self, f"Nothing that is named leads to {blobs}, {text.exact_size(size)}. Click to clean up.")
        self.setVisible(count > 0)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """Show the words where the tabs need no room for them."""
        room = self._tabs.width() - self._tabs.tabBar().sizeHint().width()
        glyph = self.iconSize().width() + 2 * Space.SMALL
        fits = glyph + self.fontMetrics().horizontalAdvance(self._words) + Space.LARGE <= room
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if fits else Qt.ToolButtonStyle.ToolButtonIconOnly
        if fits != bool(self.text()) or self.toolButtonStyle() is not style or (fits and self.text() != self._words):
            self.setToolButtonStyle(style)
            self.setText(self._words if fits else "")
