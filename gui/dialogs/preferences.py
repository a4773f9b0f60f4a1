"""How the program looks, and what it checks without being asked."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gui.settings import Settings, ThemeMode
from gui.theme import Space
from gui.widgets import plain_label

_THEMES: dict[ThemeMode, str] = {"system": "As the system", "light": "Light", "dark": "Dark"}
_MEGABYTE = 1_000_000


class Preferences(QDialog):
    """Every change counts at once; there is nothing to confirm."""

    theme_chosen = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Preferences")
        self._theme = QComboBox(self)
        self._theme.addItems(list(_THEMES.values()))
        self._theme.setCurrentIndex(list(_THEMES).index(settings.theme))
        self._theme.setAccessibleName("Colours")
        self._theme.activated.connect(self._choose_theme)
        self._verify = QCheckBox("Check blobs against their digests when a store is opened", self)
        self._verify.setChecked(settings.verify_on_open)
        self._verify.toggled.connect(self._choose_verify)
        self._limit = QSpinBox(self)
        self._limit.setRange(1, 1_000_000)
        self._limit.setSuffix(" MB")
        self._limit.setGroupSeparatorShown(True)
        self._limit.setValue(max(1, settings.verify_limit // _MEGABYTE))
        self._limit.setEnabled(settings.verify_on_open)
        self._limit.setAccessibleName("Largest blob that is checked without being asked")
        self._limit.valueChanged.connect(self._choose_limit)
        self._verify.toggled.connect(self._limit.setEnabled)
        explanation = plain_label("Larger ones wait until you ask for it. What was checked before is remembered.")
        explanation.setForegroundRole(explanation.palette().ColorRole.PlaceholderText)
        form = QFormLayout()
        form.setHorizontalSpacing(Space.LARGE)
        form.setVerticalSpacing(Space.MEDIUM)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow("&Colours", self._theme)
        form.addRow(self._verify)
        form.addRow("&Up to", self._limit)
        form.addRow(explanation)
        buttons = QDialogButtonBox(self)
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.LARGE)
        layout.addLayout(form)
        layout.addWidget(buttons)

    @Slot(int)
    def _choose_theme(self, position: int) -> None:
        mode = list(_THEMES)[position]
        self._settings.theme = mode
        self.theme_chosen.emit(mode)

    @Slot(bool)
    def _choose_verify(self, wanted: bool) -> None:
        self._settings.verify_on_open = wanted

    @Slot(int)
    def _choose_limit(self, megabytes: int) -> None:
        self._settings.verify_limit = megabytes * _MEGABYTE
