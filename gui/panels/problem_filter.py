"""The line above the problems where a person says which of them to see."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from engine.findings import Severity
from gui import icons, text
from gui.models.problem_tree import Choice
from gui.panels.filter_line import FilterLine
from gui.theme import Space
from gui.widgets import icon_button, set_tooltip


class ProblemFilter(QWidget):
    """Words, a button for each severity with its count, and a button for more."""

    chosen = Signal(object)
    """The ``Choice`` of what to see."""
    left = Signal()
    """The person wants to go on in the list."""
    more_asked = Signal(QPoint)
    """The button for more was pressed: where on the screen a menu may open."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = FilterLine("Filter problems", "Filter problems: words, a digest, a path, a rule", parent=self)
        self.severities = {severity: self._toggle(severity) for severity in sorted(Severity, reverse=True)}
        self.more = icon_button("report", "Report and deep check", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[Space.SMALL] * 4)
        row.setSpacing(Space.TINY)
        row.addWidget(self.line, 1)
        for button in (*self.severities.values(), self.more):
            row.addWidget(button)
        self.line.asked.connect(self.choose)
        self.line.left.connect(self.left)
        for toggle in self.severities.values():
            toggle.toggled.connect(self.choose)
        self.more.clicked.connect(lambda: self.more_asked.emit(self.more.mapToGlobal(QPoint(0, self.more.height()))))

    def _toggle(self, severity: Severity) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icons.severity_icon(severity))
        button.setIconSize(icons.LIST_SIZE)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setCheckable(True)
        button.setChecked(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def show_counts(self, counts: Mapping[Severity, int]) -> None:
        """Say how many problems there are of each severity."""
        for severity, button in self.severities.items():
            words, count = text.SEVERITIES[severity], counts.get(severity, 0)
            button.setText(text.number(count))
            name = f"{words.word if count == 1 else words.several}: {text.number(count)}"
            button.setAccessibleName(name)
            set_tooltip(button, f"{name}. {words.sentence} Press to show or hide them.")

    @Slot()
    def choose(self) -> None:
        """Tell what the words and the buttons leave."""
        self.line.hold()
        wanted = frozenset(severity for severity, button in self.severities.items() if button.isChecked())
        self.chosen.emit(Choice(tuple(self.line.text().casefold().split()), wanted))

    def clear(self) -> None:
        """Show everything."""
        self.line.clear()
        for button in self.severities.values():
            button.setChecked(True)
        self.choose()

    def focus(self) -> None:
        """Put the cursor there, with what was typed selected."""
        self.line.focus()
