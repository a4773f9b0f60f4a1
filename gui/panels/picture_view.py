"""A picture from a file of an image, as large as there is room, on a board that shows where one can see through it."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import text, theme
from gui.panels.previewing import Picture
from gui.theme import Role, Space

_SQUARE = 8


class PictureView(QWidget):
    """Shows a ``Picture``, never larger than it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap = QPixmap()
        self._size = QSize()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Picture")

    def show_picture(self, picture: Picture | None) -> None:
        """Show another picture, or none."""
        self._pixmap = QPixmap.fromImage(picture.image) if picture is not None else QPixmap()
        self._size = QSize(picture.width, picture.height) if picture is not None else QSize()
        self.setAccessibleDescription(describe(picture) if picture is not None else "")
        self.update()

    @property
    def area(self) -> QRect:
        """Where the picture is drawn."""
        room = self.rect().adjusted(Space.SMALL, Space.SMALL, -Space.SMALL, -Space.SMALL)
        size = self._size / self.devicePixelRatioF()
        if size.width() > room.width() or size.height() > room.height():
            size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        area = QRect(0, 0, max(1, size.width()), max(1, size.height()))
        area.moveCenter(room.center())
        return area

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Role.BASE))
        if not self._pixmap.isNull():
            area = self.area
            if self._pixmap.hasAlphaChannel():
                painter.drawTiledPixmap(area, _board())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(area, self._pixmap)
        if self.hasFocus():
            painter.setPen(theme.colour(Role.ACCENT))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


def describe(picture: Picture) -> str:
    """``PNG, 640 × 480 pixels``."""
    words = f"{picture.format}, {text.number(picture.width)} × {text.number(picture.height)} pixels"
    return f"{words}, the first picture of an animation" if picture.is_animated else words


def _board() -> QPixmap:
    """Four squares of a checkerboard."""
    board = QPixmap(2 * _SQUARE, 2 * _SQUARE)
    board.fill(theme.colour(Role.BASE))
    painter = QPainter(board)
    for place in (0, _SQUARE):
        painter.fillRect(place, place, _SQUARE, _SQUARE, theme.colour(Role.HOVER))
    painter.end()
    return board
