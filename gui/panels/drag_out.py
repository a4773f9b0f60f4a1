"""Drags what a list shows to other programs: files are made when the drag begins, and dragged when they are there.

Other programs get copies, and may only copy these: one that were told of the stored file could move it away.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QModelIndex, QObject, QPoint, QRect, Qt, QTimer, QUrl
from PySide6.QtGui import QCursor, QDrag, QMouseEvent, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QApplication

from gui import icons, text
from gui.jobs import Job
from gui.taking_out import Chosen
from gui.theme import Space

if TYPE_CHECKING:
    from engine.extracting import Extraction

_FILE_MANAGERS = "x-special/gnome-copied-files"
"""How the file managers of GNOME and its kin are told that files are to be copied, and not moved."""
_FLICK_S = 0.3
"""A drag that is over so soon was no more than the button going up."""
_LONGEST = 40
"""Letters of a name that hang on the mouse."""


class DragOut(QObject):
    """Begins the drags of one view.

    A drag begins on a row that is selected, or at a row's name; elsewhere the mouse selects rows.
    """

    def __init__(self, view: QAbstractItemView, choose: Callable[[], Chosen | None]) -> None:
        """``choose`` returns what is selected, None where nothing of it can be dragged."""
        super().__init__(view)
        self._view = view
        self._choose = choose
        self._pressed: QPoint | None = None
        """Where the button went down, on something that can be dragged; None once it is up."""
        self._has_begun = False
        """Whether the mouse has gone far enough: from then on the view sees nothing of it, or it would select rows."""
        self._chosen: Chosen | None = None
        """What is being made for the drag."""
        self._job: Job | None = None
        self._began = 0.0
        view.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.MouseButtonPress:
                self._press(event)
            elif event.type() == QEvent.Type.MouseMove:
                return self._move(event)
            elif event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
                return self._release(event.position().toPoint())
        elif event.type() == QEvent.Type.Hide:
            self._pressed = None
            self._stop()
        return False

    def _press(self, event: QMouseEvent) -> None:
        self._stop()
        place = event.position().toPoint()
        index = self._view.indexAt(place)
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        can_begin = event.button() == Qt.MouseButton.LeftButton and not shift and self._can_begin(index, place)
        self._pressed, self._has_begun = place if can_begin else None, False

    def _can_begin(self, index: QModelIndex, place: QPoint) -> bool:
        if not index.isValid() or not self._view.visualRect(index).contains(place):
            return False  # beside a row, or on the arrow before its name
        return index.column() == 0 or self._view.selectionModel().isSelected(index)

    def _move(self, event: QMouseEvent) -> bool:
        """Whether the view is not to see it."""
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return False
        way = (event.position().toPoint() - self._pressed).manhattanLength()
        if not self._has_begun and way >= QApplication.startDragDistance():
            self._begin()
        return True

    def _release(self, place: QPoint) -> bool:
        chosen, began, had_begun = self._chosen, self._began, self._has_begun
        self._pressed, self._has_begun = None, False
        self._stop()
        if chosen is not None:
            is_inside = self._view.viewport().rect().contains(place)
            is_quick = time.monotonic() - began < QApplication.doubleClickInterval() / 1000
            if not (is_inside and is_quick):  # which is a click with an unsteady hand
                _say_too_early(chosen)
        return had_begun

    def _begin(self) -> None:
        self._has_begun = True
        self._chosen = chosen = self._choose()
        if chosen is None:
            return
        self._began = time.monotonic()
        self._view.viewport().setCursor(Qt.CursorShape.BusyCursor)

        def made(done: "Extraction") -> None:
            if self._chosen is chosen:
                # The drag has an event loop of its own, which a job's callback must not hold up.
                QTimer.singleShot(0, self, lambda: self._drag(chosen, done))
            else:
                chosen.out.discard(done)

        def failed() -> None:
            if self._chosen is chosen:
                self._stop()

        self._job = chosen.out.copy(chosen.what, made, failed)
        if self._job is None:
            self._stop()

    def _drag(self, chosen: Chosen, done: "Extraction") -> None:
        if self._chosen is not chosen:
            chosen.out.discard(done)  # let go meanwhile
            return
        self._pressed = None
        self._stop()
        drag = QDrag(self._view)
        drag.setMimeData(files_as_data(done.placed))
        drag.setPixmap(_picture(self._view, done.placed))
        began = time.monotonic()
        action = drag.exec(Qt.DropAction.CopyAction, Qt.DropAction.CopyAction)
        is_quick = time.monotonic() - began < _FLICK_S
        if action is not Qt.DropAction.IgnoreAction:
            chosen.out.tell_otherwise(chosen.what, done)
            return
        chosen.out.discard(done)
        if is_quick and not self._view.window().frameGeometry().contains(QCursor.pos()):
            _say_too_early(chosen)  # the mouse was there already, and stood still, so that nobody noticed the drag

    def _stop(self) -> None:
        """Nothing is made for a drag any more."""
        chosen, job = self._chosen, self._job
        self._chosen = self._job = None
        if chosen is not None:
            self._view.viewport().unsetCursor()
            if job is not None:
                chosen.out.stop(job)


def _say_too_early(chosen: Chosen) -> None:
    chosen.out.offer_instead(chosen.what, f"{chosen.what.name} was not ready yet when the button was let go.")


def files_as_data(paths: Sequence[Path]) -> QMimeData:
    """Files as other programs take them from a drag or the clipboard: to be copied, and their paths as text."""
    urls = [QUrl.fromLocalFile(str(path)) for path in paths]
    data = QMimeData()
    data.setUrls(urls)
    encoded = [url.toString(QUrl.ComponentFormattingOption.FullyEncoded) for url in urls]
    data.setData(_FILE_MANAGERS, "\n".join(["copy", *encoded]).encode())
    return data


def _picture(view: QAbstractItemView, paths: Sequence[Path]) -> QPixmap:
    """What hangs on the mouse: a file's name, or how many there are."""
    words = text.plain(paths[0].name, _LONGEST) if len(paths) == 1 else f"{text.number(len(paths))} files and folders"
    metrics, side = view.fontMetrics(), icons.LIST_SIZE.width()
    width = side + metrics.horizontalAdvance(words) + 3 * Space.SMALL
    height = max(side, metrics.height()) + 2 * Space.TINY
    ratio = view.devicePixelRatioF()
    picture = QPixmap(round(width * ratio), round(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(view.palette().color(QPalette.ColorRole.Highlight))
    painter = QPainter(picture)
    painter.setFont(view.font())
    painter.setPen(view.palette().color(QPalette.ColorRole.HighlightedText))
    icons.icon("copy").paint(painter, QRect(Space.SMALL, (height - side) // 2, side, side))
    painter.drawText(QRect(2 * Space.SMALL + side, 0, width, height), Qt.AlignmentFlag.AlignVCenter, words)
    painter.end()
    return picture
