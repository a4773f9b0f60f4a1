"""Dialogs that list something: keys, and what the program is."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import icons, text, theme
from gui.theme import Role, Space
from gui.widgets import heading, plain_label

_SIZE = QSize(760, 440)
_NARROWEST = 420


class ListDialog(QDialog):
    """A heading, a sentence, a table to read, and buttons."""

    def __init__(self, title: str, sentence: str, columns: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(text.window_title(title))
        self.resize(_SIZE)
        self.table = QTreeWidget(self)
        self.table.setAccessibleName(title)
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setAlternatingRowColors(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setHeaderLabels(list(columns))
        self.table.setIconSize(icons.LIST_SIZE)
        self.table.header().setStretchLastSection(True)
        self.buttons = QDialogButtonBox(self)
        self.close_button = self.buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.MEDIUM)
        layout.addWidget(heading(text.plain(title)))
        layout.addWidget(plain_label(sentence, wrap=True))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.buttons)

    def add(self, *cells: str, icon: str = "", role: Role = Role.MUTED) -> QTreeWidgetItem:
        """Add a row of foreign or own text."""
        item = QTreeWidgetItem([text.plain(cell) for cell in cells])
        item.setSizeHint(
            len(cells) - 1, QSize(0, theme.row_height(self.font()))
        )  # the last is as wide as there is room
        for column, cell in enumerate(cells):
            item.setToolTip(column, text.tooltip(cell))
        if icon:
            item.setIcon(0, icons.icon(icon, role))
        self.table.addTopLevelItem(item)
        return item

    def finish(self) -> None:
        """Give each column but the last what it needs, within reason; without rows the sentence is enough."""
        if not self.table.topLevelItemCount():
            self.table.hide()
            self.setMinimumWidth(_NARROWEST)
            self.adjustSize()
            return
        header = self.table.header()
        for column in range(self.table.columnCount() - 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, min(320, max(self.table.sizeHintForColumn(column), 60) + Space.LARGE))


class KeysDialog(ListDialog):
    """Every key that does something."""

    def __init__(self, keys: Sequence[tuple[str, str, str]], parent: QWidget) -> None:
        super().__init__(
            "Keyboard shortcuts", "Everything can be done without a mouse.", ("Command", "Keys", "Menu"), parent
        )
        for menu, command, shown in keys:
            self.add(command, shown, menu)
        self.finish()


class AboutDialog(QDialog):
    """What the program is, and which version."""

    def __init__(self, version: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About Blobscope")
        glyph = plain_label("")
        glyph.setPixmap(icons.application_icon().pixmap(QSize(64, 64)))
        words = QVBoxLayout()
        words.setSpacing(Space.SMALL)
        words.addWidget(heading(f"Blobscope {version}"))
        for line in (
            "See, check and change container images on disk: OCI image layouts and Docker's image store.",
            "Works offline and without a daemon. Looking changes nothing; every change is shown before it happens.",
            "Apache License 2.0. Made with Qt for Python (LGPL) and Material Design Icons (Apache 2.0).",
        ):
            words.addWidget(plain_label(line, wrap=True, selectable=True))
        top = QHBoxLayout()
        top.setSpacing(Space.LARGE)
        top.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        buttons = QDialogButtonBox(self)
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[Space.HUGE] * 4)
        layout.setSpacing(Space.LARGE)
        layout.addLayout(top)
        layout.addWidget(buttons)
        self.setMinimumWidth(480)
