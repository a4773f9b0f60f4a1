"""Small widgets that several places need, and the only place that gives text to labels, tooltips and boxes.

Much of what is shown comes from a store, and Qt takes text that looks like HTML for HTML. Here it never does.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QTableView,
    QToolButton,
    QWidget,
)

from gui import icons, text, theme
from gui.theme import Role, Space

Action = tuple[str, Callable[[], object]]
"""What a button says, and what it does."""

_COPIED_MS = 1500
_MOST_MESSAGES = 20


def plain_label(words: str, *, wrap: bool = False, selectable: bool = False, parent: QWidget | None = None) -> QLabel:
    """A label that shows ``words`` as they are, never as rich text."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(words)
    label.setWordWrap(wrap)
    if selectable:
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return label


def heading(words: str, parent: QWidget | None = None) -> QLabel:
    """A label in the font of headings."""
    label = plain_label(words, parent=parent)
    label.setFont(theme.heading_font())
    return label


def set_tooltip(target: QWidget | QAction, words: str) -> None:
    """Give ``target`` a tooltip that is shown as it is."""
    target.setToolTip(text.tooltip(words))


def icon_button(icon: str, words: str, parent: QWidget | None = None) -> QToolButton:
    """A button with an icon only; ``words`` are its tooltip and what a screen reader says."""
    button = QToolButton(parent)
    button.setIcon(icons.icon(icon))
    button.setIconSize(icons.LIST_SIZE)
    button.setAccessibleName(words)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    set_tooltip(button, words)
    return button


def choice_button(words: str, tip: str, parent: QWidget | None = None) -> QToolButton:
    """A button that stays pressed; ``tip`` explains its ``words``."""
    button = QToolButton(parent)
    button.setText(words)
    button.setCheckable(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(f"{words}: {tip}")
    set_tooltip(button, tip)
    return button


def glyph_toggle(glyph: str, parent: QWidget | None = None) -> QToolButton:
    """A button that stays pressed, and is so at first, with a glyph only: it needs a name and a tooltip."""
    button = QToolButton(parent)
    button.setText(glyph)
    button.setFont(theme.strong_font())
    button.setCheckable(True)
    button.setChecked(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def confirm(parent: QWidget, question: str, *, explanation: str = "", yes: str, no: str = "Cancel") -> bool:
    """Ask before something that cannot be undone; the buttons say what they do, and Enter and Escape mean ``no``."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(question)
    box.setInformativeText(explanation)
    accepting = box.addButton(text.escape_mnemonics(yes), QMessageBox.ButtonRole.AcceptRole)
    rejecting = box.addButton(text.escape_mnemonics(no), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(rejecting)
    box.setEscapeButton(rejecting)
    box.exec()
    accepted = box.clickedButton() is accepting
    box.deleteLater()
    return accepted


def give_clear_button(line: QLineEdit, words: str) -> None:
    """A button in ``line`` that empties it; ``words`` are its tooltip and what a screen reader says."""
    line.setClearButtonEnabled(True)
    for action in line.findChildren(QAction, "_q_qlineeditclearaction"):  # Qt gives it no text of its own
        action.setText(words)


class TickTable(QTableView):
    """A table in whose rows something can be ticked; the theme gives the boxes an outline that shows."""


def is_copy_shortcut(event: QEvent) -> bool:
    """Whether a widget is asked if it wants the keys that copy for itself."""
    wanted = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
    return wanted and isinstance(event, QKeyEvent) and event.matches(QKeySequence.StandardKey.Copy)


class ElidedLabel(QLabel):
    """One line of text with its middle left out where it does not fit; the tooltip has the whole."""

    def __init__(self, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_text(words)

    def set_text(self, words: str) -> None:
        """Show ``words``, and have them whole in the tooltip."""
        self.setText(words)
        set_tooltip(self, words)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().averageCharWidth() * 8, self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, area.width())
        self.style().drawItemText(
            painter, area, self.alignment(), self.palette(), self.isEnabled(), shown, self.foregroundRole()
        )
        painter.end()


class CopyButton(QToolButton):
    """Copies something to the clipboard, and says so for a moment."""

    def __init__(self, what: str, source: Callable[[], str], parent: QWidget | None = None) -> None:
        """``what`` is copied, "digest" for example; ``source`` returns it when the button is pressed."""
        super().__init__(parent)
        self._words = f"Copy {what}"
        self._source = source
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_COPIED_MS)
        self._timer.timeout.connect(self._show_ready)
        self.setIconSize(icons.LIST_SIZE)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self.copy)
        self._show_ready()

    @Slot()
    def copy(self) -> None:
        """Put the text on the clipboard."""
        QGuiApplication.clipboard().setText(self._source())
        self.setIcon(icons.icon("copied", Role.SOUND))
        self.setAccessibleName("Copied")
        set_tooltip(self, "Copied")
        self._timer.start()

    @Slot()
    def _show_ready(self) -> None:
        self.setIcon(icons.icon("copy"))
        self.setAccessibleName(self._words)
        set_tooltip(self, self._words)


class Severity(enum.Enum):
    """How bad a message is: the word that a screen reader says, icon and colour."""

    NOTICE = ("Notice", "notice", Role.ACCENT)
    SUCCESS = ("Done", "sound", Role.SOUND)
    WARNING = ("Warning", "warning", Role.WARNING)
    ERROR = ("Error", "error", Role.BAD)

    def __init__(self, word: str, icon: str, role: Role) -> None:
        self.word = word
        self.icon = icon
        self.role = role


@dataclass(frozen=True)
class Message:
    """What a message bar says once; ``details`` can be copied, ``actions`` become buttons that also close it."""

    sentence: str
    severity: Severity = Severity.NOTICE
    details: str = ""
    actions: tuple[Action, ...] = ()


class MessageBar(QFrame):
    """Says in a line what happened and offers what can be done, without stopping anybody; hidden when there is nothing.

    The latest message is shown; closing it brings back the one before.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._messages: list[Message] = []
        self._glyph = plain_label("")
        self._sentence = plain_label("", wrap=True, selectable=True)
        self._others = QToolButton(self)
        self._others.setAutoRaise(True)
        set_tooltip(self._others, "Show the message before this one")
        self._others.clicked.connect(self._turn_over)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(Space.SMALL)
        self._copy = CopyButton("details", self._details, self)
        self._close = icon_button("close", "Close this message", self)
        self._close.clicked.connect(self.close_message)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.SMALL, Space.SMALL)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(self._glyph)
        layout.addWidget(self._sentence, 1)
        layout.addWidget(self._others)
        layout.addLayout(self._buttons)
        layout.addWidget(self._copy)
        layout.addWidget(self._close)
        theme.current().changed.connect(self._refresh)
        self.hide()

    @property
    def messages(self) -> Sequence[Message]:
        """What has not been closed yet; the last one is shown."""
        return tuple(self._messages)

    def show_message(
        self,
        sentence: str,
        severity: Severity = Severity.NOTICE,
        *,
        details: str = "",
        actions: Sequence[Action] = (),
    ) -> None:
        """Show ``sentence`` above the earlier ones; the same sentence is never there twice."""
        self._messages = [message for message in self._messages if message.sentence != sentence]
        self._messages.append(Message(sentence, severity, details, tuple(actions)))
        del self._messages[:-_MOST_MESSAGES]
        self._refresh()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.accessibleName()))

    def show_error(self, error: BaseException, *, actions: Sequence[Action] = ()) -> None:
        """Show what an error says and what helps; the details hold all that is known."""
        self.show_message(
            text.error_sentence(error), Severity.ERROR, details=text.error_details(error), actions=actions
        )

    @Slot()
    def close_message(self) -> None:
        """Close the message that is shown."""
        if self._messages:
            self._messages.pop()
        self._refresh()

    def withdraw(self, sentence: str) -> None:
        """Close the message with that sentence, because it is no longer true."""
        self._messages = [message for message in self._messages if message.sentence != sentence]
        self._refresh()

    def clear(self) -> None:
        """Close every message."""
        self._messages.clear()
        self._refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_message()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _turn_over(self) -> None:
        """Show the message before the one that is shown, which comes again after all others."""
        self._messages.insert(0, self._messages.pop())
        self._refresh()

    def _details(self) -> str:
        return self._messages[-1].details or self._messages[-1].sentence

    @Slot()
    def _refresh(self) -> None:
        """Show the latest message, or nothing."""
        while (item := self._buttons.takeAt(0)) is not None:
            if (button := item.widget()) is not None:
                button.hide()
                button.deleteLater()
        self.setVisible(bool(self._messages))
        if not self._messages:
            return
        message = self._messages[-1]
        self._glyph.setPixmap(icons.icon(message.severity.icon, message.severity.role).pixmap(icons.TOOLBAR_SIZE))
        self._sentence.setText(message.sentence)
        self.setAccessibleName(f"{message.severity.word}: {message.sentence}")
        self._glyph.setAccessibleName(message.severity.word)
        self._others.setText(f"{len(self._messages) - 1} more")
        self._others.setAccessibleName(f"{text.count(len(self._messages) - 1, 'more message')}: show the one before")
        self._others.setVisible(len(self._messages) > 1)
        self._copy.setVisible(bool(message.details))
        for words, act in message.actions:
            button = QPushButton(text.escape_mnemonics(words), self)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, message=message, act=act: self._act(message, act))
            self._buttons.addWidget(button)
            button.show()

    def _act(self, message: Message, act: Callable[[], object]) -> None:
        self._messages = [other for other in self._messages if other is not message]
        self._refresh()
        act()
