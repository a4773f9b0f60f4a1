"""Says of each file what it is, and asks once what it is to become, before anything is copied."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.digest import shorten
from engine.importing import ImportRequest, Source
from engine.snapshot import Snapshot
from gui import icons, text
from gui.dialogs.taken_names import consequence
from gui.note import Note
from gui.theme import Role, Space
from gui.widgets import ElidedLabel, heading, plain_label

_WIDTH = 620
_HIGHEST = 420


class ImportDialog(QDialog):
    """One line for each file; a manifest or an index can get a name in the index."""

    confirmed = Signal(object)
    """The list of ``ImportRequest`` that somebody wants."""

    def __init__(
        self, store: str, sources: Sequence[Source], snapshot: Snapshot | None, parent: QWidget, *, names: bool = True
    ) -> None:
        """``names`` says whether the store has an index for names."""
        super().__init__(parent)
        usable = [source for source in sources if not source.refusal]
        self.setWindowTitle(text.window_title(f"Import into {store}"))
        self.setMinimumWidth(_WIDTH)
        self._lines = [_Line(source, snapshot, self, names=names) for source in usable]
        lines = QVBoxLayout()
        lines.setContentsMargins(0, 0, Space.SMALL, 0)
        lines.setSpacing(Space.MEDIUM)
        for line in self._lines:
            lines.addWidget(line)
            line.changed.connect(self._refresh)
        for source in sources:
            if source.refusal:
                lines.addWidget(_Refusal(source, self))
        lines.addStretch()
        inside = QWidget(self)
        inside.setLayout(lines)
        scroll = QScrollArea(self)
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("The files")
        wanted = inside.sizeHint().height() + 2 * Space.SMALL
        scroll.setFixedHeight(min(_HIGHEST, wanted))
        if wanted <= _HIGHEST:
            scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to scroll
        self._buttons = QDialogButtonBox(self)
        total = text.size(sum(source.size for source in usable))
        self._import = QPushButton(f"Import {text.count(len(usable), 'file')} ({total})", self)
        self._import.setDefault(True)
        self._buttons.addButton(self._import, QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.addButton("Cancel" if usable else "Close", QDialogButtonBox.ButtonRole.RejectRole)
        self._import.setVisible(bool(usable))
        self._buttons.accepted.connect(self._confirm)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.LARGE, Space.LARGE, Space.MEDIUM)
        layout.setSpacing(Space.MEDIUM)
        title = f"Import into {store}" if usable else "Nothing of this can be imported"
        layout.addWidget(heading(text.plain(title)))
        if usable:
            layout.addWidget(plain_label("Every file is copied and hashed; the originals stay where they are."))
        layout.addWidget(scroll)
        self._hint = plain_label("Give every ticked file a name, or untick it.")
        self._hint.setForegroundRole(self._hint.palette().ColorRole.PlaceholderText)
        bottom = QHBoxLayout()
        bottom.addWidget(self._hint)
        bottom.addWidget(self._buttons, 1)
        layout.addLayout(bottom)
        self._refresh()

    def requests(self) -> list[ImportRequest]:
        """What is to be imported, and under which names."""
        return [line.request() for line in self._lines]

    @Slot()
    def _confirm(self) -> None:
        self.accept()
        self.confirmed.emit(self.requests())

    @Slot()
    def _refresh(self) -> None:
        named = all(line.acceptable for line in self._lines)
        self._import.setEnabled(bool(self._lines) and named)
        self._hint.setVisible(not named)


class _Line(QFrame):
    """A file that can be imported."""

    changed = Signal()

    def __init__(self, source: Source, snapshot: Snapshot | None, parent: QWidget, *, names: bool) -> None:
        super().__init__(parent)
        self._source = source
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(Space.SMALL)
        layout.setVerticalSpacing(Space.TINY)
        layout.setColumnStretch(1, 1)
        layout.addWidget(_glyph("file", Role.MUTED), 0, 0)
        layout.addWidget(ElidedLabel(text.plain(source.path.name)), 0, 1)
        layout.addWidget(_muted(f"{_what(source)} · {text.size(source.size)}"), 0, 2)
        row = 1
        for icon, role, sentence in _remarks(source, snapshot):
            remark = plain_label(sentence, wrap=True)
            layout.addWidget(_glyph(icon, role), row, 0, Qt.AlignmentFlag.AlignTop)
            layout.addWidget(remark, row, 1, 1, 2)
            row += 1
        self._named = QCheckBox("Add to the index as", self)
        self._name = QLineEdit(_suggested(source.path), self)
        self._name.setAccessibleName(f"Name in the index for {text.plain(source.path.name)}")
        self._name.setPlaceholderText("a name, such as example.org/app:1.0")
        self.taken = Note(self)
        self._snapshot = snapshot
        self._can_be_named = names and source.can_be_named
        if self._can_be_named:
            self._named.setChecked(True)
            self._named.toggled.connect(self._name.setEnabled)
            self._named.toggled.connect(self.changed)
            self._name.textChanged.connect(self.changed)
            self.changed.connect(self._tell_taken)
            choice = QHBoxLayout()
            choice.addWidget(self._named)
            choice.addWidget(self._name, 1)
            layout.addLayout(choice, row, 1, 1, 2)
            layout.addWidget(self.taken, row + 1, 1, 1, 2)
            self._tell_taken()
        else:
            self._named.hide()
            self._name.hide()

    @property
    def acceptable(self) -> bool:
        """Whether a name that is wanted was given."""
        return not (self._can_be_named and self._named.isChecked()) or bool(self._name.text().strip())

    @Slot()
    def _tell_taken(self) -> None:
        """Say what becomes of what has the name now."""
        name = self._name.text().strip() if self._named.isChecked() else ""
        self.taken.say(
            consequence(self._snapshot, "", name) if self._snapshot is not None and name else "", Role.WARNING
        )

    def request(self) -> ImportRequest:
        wanted = self._can_be_named and self._named.isChecked()
        return ImportRequest(self._source.path, self._name.text().strip() if wanted else None)


class _Refusal(QFrame):
    """A file that cannot be imported, and why."""

    def __init__(self, source: Source, parent: QWidget) -> None:
        super().__init__(parent)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(Space.SMALL)
        line.addWidget(_glyph("warning", Role.WARNING), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(plain_label(text.plain(source.refusal), wrap=True), 1)


def _remarks(source: Source, snapshot: Snapshot | None) -> list[tuple[str, Role, str]]:
    """What a person should know before the file is copied."""
    remarks = []
    if source.expected:
        sentence = f"Its name promises {shorten(source.expected)}; it is refused if its content is anything else."
        remarks.append(("verify", Role.MUTED, sentence))
    missing = source.missing_in(snapshot) if snapshot is not None else []
    if missing:
        some = ", ".join(shorten(digest) for digest in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        remarks.append(("warning", Role.WARNING, f"It needs {some}{more}, which this store does not have."))
    return remarks


def _what(source: Source) -> str:
    words = text.media_type(source.media_type)
    return "bytes of an unknown type" if not source.media_type else words


def _suggested(path: Path) -> str:
    """A name for the index made of the file's; none where that is a digest or says nothing."""
    stem = path.name.split(".")[0]
    generic = stem.lower() in ("index", "manifest", "") or len(stem) >= 32
    return "" if generic else stem


def _glyph(icon: str, role: Role) -> QWidget:
    label = plain_label("")
    label.setPixmap(icons.icon(icon, role).pixmap(icons.LIST_SIZE))
    return label


def _muted(words: str) -> QWidget:
    label = plain_label(words)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
