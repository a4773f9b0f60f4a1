"""The line above the preview of a file: what it is shown as, how its text is read, and what can be done with that."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.sniffing import Encoding
from gui.panels.previewing import Preview, Sort
from gui.theme import Space
from gui.widgets import ElidedLabel, icon_button, plain_label, set_tooltip

_EXPLAINED = {
    Sort.TEXT: "The text as it is stored",
    Sort.REFORMATTED: "The same, one member or element a line",
    Sort.PICTURE: "The picture that the file holds",
    Sort.BYTES: "The bytes as they are stored",
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16, little end first",
    "utf-16-be": "UTF-16, big end first",
    "cp1252": "Western, Windows-1252",
    "iso8859-15": "Western, ISO 8859-15",
    "cp850": "Western, DOS 850",
    "iso8859-2": "Central European, ISO 8859-2",
    "cp1250": "Central European, Windows-1250",
    "cp1251": "Cyrillic, Windows-1251",
    "koi8-r": "Cyrillic, KOI8-R",
    "iso8859-7": "Greek, ISO 8859-7",
    "cp1254": "Turkish, Windows-1254",
    "cp1255": "Hebrew, Windows-1255",
    "cp1256": "Arabic, Windows-1256",
    "shift_jis": "Japanese, Shift JIS",
    "euc_jp": "Japanese, EUC-JP",
    "gb18030": "Chinese, GB 18030",
    "big5": "Chinese, Big5",
    "euc_kr": "Korean, EUC-KR",
}
"""Encodings that can be chosen, by the names that Python has for them."""


class PreviewBar(QWidget):
    """Offers what makes sense for a file."""

    sort_chosen = Signal(object)
    """A ``Sort``."""
    codec_chosen = Signal(str)
    """How to read the text."""
    find_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = {sort: self._choice(sort) for sort in Sort}
        self._choices = QButtonGroup(self)
        for number, button in enumerate(self.buttons.values()):
            self._choices.addButton(button, number)
        self._choices.idClicked.connect(lambda number: self.sort_chosen.emit(list(Sort)[number]))
        self.words = ElidedLabel(parent=self)
        self.words.setForegroundRole(self.words.palette().ColorRole.PlaceholderText)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.encoding = QToolButton(self)
        self.encoding.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.encoding.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._menu = QMenu(self.encoding)
        for codec, words in ENCODINGS.items():
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.setData(codec)
        self._menu.triggered.connect(lambda action: self.codec_chosen.emit(str(action.data())))
        self.encoding.setMenu(self._menu)
        self.search = icon_button("search", "Find in this text (Ctrl+F)", self)
        self.search.clicked.connect(self.find_asked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.SMALL, Space.TINY, Space.SMALL, Space.TINY)
        layout.setSpacing(Space.TINY)
        for button in self.buttons.values():
            layout.addWidget(button)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.encoding)
        layout.addWidget(self.search)
        self.hide()

    def _choice(self, sort: Sort) -> QToolButton:
        button = QToolButton(self)
        button.setText(sort.value)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_tooltip(button, _EXPLAINED[sort])
        return button

    def offer(self, preview: Preview | None, words: str = "") -> None:
        """Offer what a file can be shown as, and an encoding where there is a text; ``words`` tell more of it."""
        self.setVisible(preview is not None and preview.size > 0)
        if preview is None:
            return
        for sort, button in self.buttons.items():
            button.setVisible(sort in preview.sorts)
            button.setChecked(sort is preview.sort)
        has_text = preview.text is not None
        self.encoding.setVisible(has_text)
        self.search.setVisible(has_text)
        self.words.set_text(words)
        if preview.text is not None:
            self._tell_encoding(preview.text.encoding)

    def _tell_encoding(self, encoding: Encoding) -> None:
        words = ENCODINGS.get(encoding.codec, encoding.codec.upper())
        short = words.rpartition(", ")[2] if not encoding.codec.startswith("utf") else words.partition(",")[0]
        self.encoding.setText(f"{short}?" if encoding.is_guess else short)
        how = f"Read as {words}, which is a guess" if encoding.is_guess else f"Read as {words}"
        self.encoding.setAccessibleName(f"Encoding: {how}")
        set_tooltip(self.encoding, f"{how}. Press to read it as another encoding.")
        for action in self._menu.actions():
            action.setChecked(action.data() == encoding.codec)


class CutBar(QWidget):
    """The line below a text that is shown in part."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = plain_label("", wrap=True, parent=self)
        self.words.setForegroundRole(self.words.palette().ColorRole.PlaceholderText)
        self.button = QPushButton("Load more", self)
        self.button.setAutoDefault(False)
        set_tooltip(self.button, "Read the next part and show it below")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.TINY, Space.SMALL, Space.TINY)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.button)
        self.hide()

    def tell(self, words: str, can_grow: bool) -> None:
        """Say how much is shown, and whether there can be more."""
        self.words.setText(words)
        self.button.setVisible(can_grow)
        self.show()


class Waiting(QWidget):
    """Shown in the place of a file that takes its time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Reading the file")
        self.button = QPushButton("Cancel", self)
        self.button.setAutoDefault(False)
        set_tooltip(self.button, "Stop reading this file")
        line = QHBoxLayout()
        line.setSpacing(Space.SMALL)
        line.addWidget(plain_label("Reading the layer up to this file …", parent=self), 1)
        line.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, Space.SMALL)
        layout.setSpacing(Space.TINY)
        layout.addLayout(line)
        layout.addWidget(self._bar)
        layout.addStretch(1)
