"""What a removal would do, below the list, before anything goes: the person decides here, with the keyboard or mouse.

Nothing in it is a question that has to be closed: selecting something else, Escape or Cancel puts it away.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.digest import shorten
from engine.removal import KeptBlob, PlannedBlob, RemovalPlan
from engine.snapshot import Kind
from gui import icons, text
from gui.theme import Role, Space
from gui.widgets import heading, icon_button, plain_label

Thing = TypeVar("Thing")

_MOST_LINES = 6
"""Facts of one sort that are listed before the rest is only counted."""
_HIGHEST = 320
_LOWEST = 48
"""Pixels that the facts have at least: enough to see that there are some, and to scroll."""


class RemovalStrip(QFrame):
    """Shows one plan, or two to choose from: untag only, or delete the content too."""

    decided = Signal(object)
    """The ``RemovalPlan`` to carry out."""
    opened = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What a removal would do")
        self._title = heading("")
        self._title.setWordWrap(True)
        close = icon_button("close", "Put this away; nothing is removed", self)
        close.clicked.connect(self.put_away)
        self._facts = QGridLayout()
        self._facts.setContentsMargins(0, 0, 0, 0)
        self._facts.setHorizontalSpacing(Space.MEDIUM)
        self._facts.setVerticalSpacing(Space.TINY)
        self._facts.setColumnStretch(1, 1)
        inside = QWidget(self)
        inside.setLayout(self._facts)
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(inside)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scroll.setAccessibleName("What goes, what stays and why")
        self._doubts = QCheckBox(self)
        self._doubts.toggled.connect(self._show_entries)
        self._doubts.hide()
        self._plans: tuple[RemovalPlan, RemovalPlan, RemovalPlan | None, bool] | None = None
        """Untagging, deleting too, that also despite doubts, and whether for good."""
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(Space.SMALL)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.SMALL, Space.MEDIUM)
        self._layout.setSpacing(Space.SMALL)
        self._layout.addLayout(top)
        self._layout.addWidget(self._scroll, 1)
        self._layout.addWidget(self._doubts)
        self._layout.addLayout(self._buttons)
        if parent is not None:
            parent.installEventFilter(self)
        self.hide()

    def show_entries(
        self,
        untag: RemovalPlan,
        delete: RemovalPlan,
        despite: RemovalPlan | None = None,
        *,
        for_good: bool = False,
    ) -> None:
        """Offer to take index entries away, alone or with the content that only they need.

        ``despite`` is the plan that also takes what something unreadable may need; ``for_good`` leaves out the trash.
        """
        was_open = not self.isHidden()
        before = self._plans
        if despite is not None and len(despite.blobs) == len(delete.blobs):
            despite = None  # no tick helps where the index itself cannot be read
        self._plans = untag, delete, despite, for_good
        keeps = was_open and before is not None and before[0].entries == untag.entries
        self._doubts.blockSignals(True)
        self._doubts.setChecked(keeps and self._doubts.isChecked() and despite is not None)
        self._doubts.blockSignals(False)
        self._doubts.setVisible(despite is not None)
        if despite is not None:
            self._doubts.setText(text.escape_mnemonics(_doubtful(delete)))
        self._show_entries()

    @Slot()
    def _show_entries(self) -> None:
        if self._plans is None:
            return
        untag, delete, despite, for_good = self._plans
        plan = despite if despite is not None and self._doubts.isChecked() else delete
        had_keyboard = self.focusWidget() is self._doubts
        end = " for good" if for_good else ""
        self._show(f"Delete {_entries_named(untag)}{end}", plan, for_good=for_good)
        count = len(untag.entries)
        verb = "Untag only" if count == 1 else f"Untag {text.number(count)} entries only"
        self._offer(verb, untag, default=True)
        if plan.blobs:
            blobs = text.count(len(plan.blobs), "blob")
            words = f"Delete with {blobs} for good" if for_good else f"Delete and move {blobs} to trash"
            self._offer(words, plan)
        self._end_buttons()
        if had_keyboard:
            self._doubts.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_blobs(self, plan: RemovalPlan, name: str = "", *, for_good: bool = False) -> None:
        """Offer to delete blobs, whoever needs them; ``name`` is what people call a single one."""
        self._plans = None
        self._doubts.hide()
        end = " for good" if for_good else ""
        if len(plan.blobs) == 1:
            blob = plan.blobs[0]
            title, what = f"Delete {name or f'{_kind(blob.kind)} {shorten(blob.digest)}'}{end}", "1 blob"
        else:
            what = text.count(len(plan.blobs), "blob")
            title = f"Delete {what}{end}"
        self._show(title if plan.blobs else "There is no file to delete", plan, for_good=for_good)
        if plan.blobs:
            words = f"Delete {what} for good" if for_good else f"Move {what} to trash"
            self._offer(words, plan, default=not plan.broken)
        self._end_buttons(default=bool(plan.broken) or not plan.blobs)

    @Slot()
    def put_away(self) -> None:
        """Close the strip; nothing is removed."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.put_away()
        else:
            super().keyPressEvent(event)

    def _show(self, title: str, plan: RemovalPlan, *, for_good: bool) -> None:
        _empty(self._facts)
        _empty(self._buttons)
        self._title.setText(title)
        for icon, role, heading_text, lines in _facts_of(plan, for_good=for_good):
            self._add(icon, role, heading_text, lines)
        for row in range(self._facts.rowCount()):
            self._facts.setRowStretch(row, 0)
        self._facts.setRowStretch(self._facts.rowCount(), 1)
        self.setAccessibleDescription(title)
        self.show()
        self.opened.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """As high as the facts are at this width, up to a third of the window, and so that the list keeps some room."""
        margins = self._layout.contentsMargins()
        width = self.width() - margins.left() - margins.right()
        wanted = self._facts.totalHeightForWidth(width) + Space.TINY
        height = min(wanted, _HIGHEST, self.window().height() // 3)
        place = self.parentWidget()
        if place is not None:
            siblings = (each for each in place.children() if isinstance(each, QWidget) and each is not self)
            needed = sum(
                each.minimumHeight() or each.minimumSizeHint().height() for each in siblings if not each.isHidden()
            )
            needed += self._layout.minimumSize().height() - self._scroll.minimumHeight()
            height = min(height, max(place.height() - needed, _LOWEST))
        self._scroll.setFixedHeight(height)

    def _add(self, icon: str, role: Role, title: str, lines: Sequence[str]) -> None:
        row = self._facts.rowCount()
        glyph = plain_label("")
        glyph.setPixmap(icons.icon(icon, role).pixmap(icons.LIST_SIZE))
        name = plain_label(title)
        font = name.font()
        font.setWeight(font.Weight.DemiBold)
        name.setFont(font)
        told = plain_label("\n".join(text.plain(line) for line in lines), wrap=True, selectable=True)
        told.setAccessibleName(f"{title}: {' '.join(lines)}")
        head = QHBoxLayout()
        head.setSpacing(Space.SMALL)
        head.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
        head.addStretch()
        self._facts.addLayout(head, row, 0, Qt.AlignmentFlag.AlignTop)
        self._facts.addWidget(told, row, 1, Qt.AlignmentFlag.AlignTop)

    def _offer(self, words: str, plan: RemovalPlan, *, default: bool = False) -> None:
        button = QPushButton(text.escape_mnemonics(words), self)
        button.setAutoDefault(True)
        button.setDefault(default)
        button.clicked.connect(lambda: self._decide(plan))
        self._buttons.addWidget(button)
        button.show()  # at once, or it could not take the keyboard yet
        if default:
            button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _end_buttons(self, *, default: bool = False) -> None:
        cancel = QPushButton("Cancel", self)
        cancel.setAutoDefault(True)
        cancel.clicked.connect(self.put_away)
        self._buttons.addWidget(cancel)
        cancel.show()
        self._buttons.addStretch()
        if default:
            cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        self._fit()

    def _decide(self, plan: RemovalPlan) -> None:
        self.put_away()
        self.decided.emit(plan)


def _facts_of(plan: RemovalPlan, *, for_good: bool) -> list[tuple[str, Role, str, list[str]]]:
    """What to say of a plan, in the order in which people ask."""
    facts: list[tuple[str, Role, str, list[str]]] = []
    if plan.broken:
        facts.append(("error", Role.BAD, "Breaks", _few(plan.broken, str)))
    if plan.warnings:
        facts.append(("warning", Role.WARNING, "Mind", _few(plan.warnings, str)))
    if plan.blobs:
        facts.append(("delete", Role.MUTED, "Only it needs" if plan.entries else "Goes", _few(plan.blobs, _goes)))
        facts.append(("clean up", Role.MUTED, "Frees", [_freed(plan, for_good=for_good)]))
    elif plan.entries:
        facts.append(("clean up", Role.MUTED, "Frees", ["Nothing: other entries still need all of it."]))
    if plan.kept:
        facts.append(("sound", Role.SOUND, "Stays", _few(plan.kept, _stays)))
    if plan.siblings:
        facts.append(("tag", Role.MUTED, "Same content", _few(plan.siblings, "{} stays.".format)))
    if plan.hanging:
        facts.append(("warning", Role.WARNING, "Hangs", _few(plan.hanging, _hangs)))
    return facts


def _few(things: Sequence[Thing], say: Callable[[Thing], str]) -> list[str]:
    """A line for each of the first few, and how many more there are."""
    lines = [say(thing) for thing in things[:_MOST_LINES]]
    more = len(things) - len(lines)
    return [*lines, f"… and {text.number(more)} more"] if more else lines


def _goes(blob: PlannedBlob) -> str:
    return f"{_kind(blob.kind)} {shorten(blob.digest)}, {_bytes(blob.size, blob.freed)}"


def _stays(blob: KeptBlob) -> str:
    return f"{_kind(blob.kind)} {shorten(blob.digest)}: {blob.reason}."


def _hangs(digest: str) -> str:
    return f"{shorten(digest)} refers to what goes, and will hang in the air."


def _freed(plan: RemovalPlan, *, for_good: bool) -> str:
    exact = f" ({text.exact_size(plan.freed)})" if plan.freed >= 1000 else ""
    when = "at once. This cannot be undone." if for_good else "when the trash is emptied; until then it can be undone."
    return f"{text.size(plan.freed)}{exact} {when}"


def _doubtful(plan: RemovalPlan) -> str:
    """What a tick would add: blobs that nothing known needs, but something unreadable may."""
    doubtful = {blob.digest for blob in plan.doubtful}
    reasons = (blob.reason.removesuffix(" may need it") for blob in plan.kept if blob.digest in doubtful)
    who = next(reasons, "what cannot be read")
    size = text.size(sum(blob.freed for blob in plan.doubtful))
    return f"Also what {text.plain(who, 80)} may need: {text.count(len(doubtful), 'blob')}, {size}"


def _bytes(size: int, freed: int) -> str:
    if size and not freed:
        return f"{text.size(size)}, but another file name keeps its bytes"
    return text.size(size)


def _kind(kind: Kind) -> str:
    return "blob" if kind == Kind.UNKNOWN else text.KINDS[kind].word


def _entries_named(plan: RemovalPlan) -> str:
    if len(plan.entries) != 1:
        return text.count(len(plan.entries), "entry", "entries")
    entry = plan.entries[0]
    return text.plain(entry.names[0]) if entry.names else f"the entry {shorten(entry.descriptor.digest)}"


def _empty(layout: QGridLayout | QHBoxLayout) -> None:
    """Take everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif isinstance(inner := item.layout(), QHBoxLayout):
            _empty(inner)
