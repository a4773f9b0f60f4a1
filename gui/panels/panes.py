"""Moves the keyboard between the parts of a window."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget


def focus_next(panes: Sequence[QWidget], step: int) -> None:
    """Give the keyboard to the next visible pane, or with ``step`` -1 to the one before."""
    visible = [pane for pane in panes if pane.isVisible() and _first_inside(pane) is not None]
    if not visible:
        return
    focused = QApplication.focusWidget()
    at = next((n for n, pane in enumerate(visible) if focused is pane or _holds(pane, focused)), -1 if step > 0 else 0)
    target = _first_inside(visible[(at + step) % len(visible)])
    if target is not None:
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)


def _holds(pane: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and pane.isAncestorOf(widget)


def _first_inside(pane: QWidget) -> QWidget | None:
    """What gets the keyboard in a pane: itself, or the first inside that Tab reaches."""
    if pane.focusPolicy() & Qt.FocusPolicy.TabFocus and pane.isEnabled():
        return pane
    for child in pane.findChildren(QWidget):
        if child.isVisibleTo(pane) and child.isEnabled() and child.focusPolicy() & Qt.FocusPolicy.TabFocus:
            return child
    return None
