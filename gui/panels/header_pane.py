"""The headers of the file whose bytes are shown: a tree in step with the bytes, and the colours that fields have there."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QVBoxLayout, QWidget

from engine.headers import Field, FieldKind, HeaderWalk, Part
from gui import text, theme
from gui.bytesource import ByteSource
from gui.jobs import Job
from gui.models.header_tree import Column, HeaderTree
from gui.models.look import RowDelegate
from gui.note import Note
from gui.panels.hex_marks import Mark
from gui.panels.hex_view import HexView
from gui.theme import Role, Space

_FIRST = 2
"""Parts that are shown before anything else is looked for: the end of the first may take a while to find."""
_BATCH = 200
_TINTS = {"gzip": Role.ACCENT, "zstd": Role.CHANGED, "tar": Role.SOUND}
_NAME, _OFFSET = "Compression method 00", "0x00000000"
"""What should fit into the columns."""
_NARROW = 420
"""Pixels below which the offset is left out; the line below tells it."""


class HeaderPane(QWidget):
    """Shown where the bytes have headers. Reads them in jobs that nobody sees."""

    failed = Signal(object)
    found = Signal()
    """More is known of what the bytes are, or that nothing is."""

    def __init__(self, hex_view: HexView, parent: QWidget) -> None:
        super().__init__(parent)
        self._hex = hex_view
        self._source: ByteSource | None = None
        self._walk: HeaderWalk | None = None
        self._job: Job | None = None
        self._is_following = False
        self._has_room = True
        self.has_headers = False
        """Whether something is known of what the bytes mean."""
        self.view = QTreeView(self)
        self.model = HeaderTree(self.view)
        self.note = Note(self)
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.note)
        self.hide()
        # Not by fetchMore, which a tree calls each time that it lays its rows out.
        self.view.verticalScrollBar().valueChanged.connect(self._look_further)
        self.view.verticalScrollBar().rangeChanged.connect(self._look_further)
        self.view.selectionModel().currentChanged.connect(self._go)
        self.view.activated.connect(self._enter)
        hex_view.moved.connect(self._follow)
        hex_view.double_clicked.connect(self._select_field)
        theme.current().changed.connect(self._size_columns)

    def _dress(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setAccessibleName("Headers")
        view.setUniformRowHeights(True)
        view.setAllColumnsShowFocus(True)
        view.setAlternatingRowColors(True)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setItemDelegate(RowDelegate(view))
        view.header().setSectionsMovable(False)
        view.header().setStretchLastSection(False)
        view.viewport().installEventFilter(self)
        self.note.setContentsMargins(Space.MEDIUM, Space.TINY, Space.MEDIUM, Space.TINY)
        self._size_columns()

    @Slot()
    def _size_columns(self) -> None:
        header, metrics, width = self.view.header(), self.view.fontMetrics(), self.view.viewport().width()
        header.setSectionResizeMode(Column.VALUE, QHeaderView.ResizeMode.Stretch)
        name, offset = (metrics.horizontalAdvance(sample) + Space.HUGE for sample in (_NAME, _OFFSET))
        header.resizeSection(Column.NAME, min(name + self.view.indentation(), width * 2 // 5))
        header.resizeSection(Column.OFFSET, offset)
        header.setSectionHidden(Column.OFFSET, width < _NARROW)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._size_columns()
        return super().eventFilter(watched, event)

    # ------------------------------------------------------------------------------------------------ finding

    def set_source(self, source: ByteSource | None) -> None:
        """Find the headers of other bytes."""
        if self._job is not None and self._source is not None:
            self._source.cancel(self._job)
        self._source, self._job = source, None
        self._walk = HeaderWalk(source.read, source.size) if source is not None else None
        self.model.clear()
        self.note.say("")
        if source is None:  # else it stays until something is known of the other bytes, so that nothing flickers
            self._find_that(False)
        self._hex.set_marks(self)
        self._read(_FIRST)

    def give_room(self, has_room: bool) -> None:
        """Whether there is room to show them."""
        self._has_room = has_room
        self._appear()

    def _find_that(self, has_headers: bool) -> None:
        self.has_headers = has_headers
        self._appear()

    def _appear(self) -> None:
        self.setVisible(self.has_headers and self._has_room)

    def read_again(self) -> None:
        """Find the headers anew, where they could not be read."""
        if self._walk is None:
            self.set_source(self._source)

    @Slot()
    def _look_further(self) -> None:
        """Somebody sees the last rows: find more of them."""
        bar = self.view.verticalScrollBar()
        if self.has_headers and bar.value() + bar.pageStep() >= bar.maximum():
            self._read(_BATCH)

    def _read(self, count: int, beyond: int = 0) -> None:
        source, walk = self._source, self._walk
        if source is None or walk is None or walk.is_done or self._job is not None:
            return

        def done(parts: list[Part]) -> None:
            if source is self._source:
                self._job = None
                self._add(parts, walk)

        def failed(error: BaseException) -> None:
            if source is self._source:
                self._job = None
                self._walk = None
                self._find_that(self.model.count() > 0)
                self.failed.emit(error)

        self._job = source.start(
            f"Looking at {source.name}",
            lambda progress: walk.more(progress, count=count, beyond=beyond),
            done,
            failed,
            quiet=True,
        )

    def _add(self, parts: list[Part], walk: HeaderWalk) -> None:
        is_first = not self.model.count()
        self.model.add(parts)
        if is_first:
            self._find_that(bool(parts))
        if parts and is_first:
            self.view.expand(self.model.index(0, 0))
        if walk.is_full:
            self.note.say(f"Only the first {text.number(walk.found)} headers are listed.")
        self._hex.viewport().update()
        if parts:
            self._follow()
        if parts or is_first:
            self.found.emit()
        if is_first and not walk.is_done:
            self._read(_BATCH)

    # --------------------------------------------------------------------------------------------- as marks

    def at(self, offset: int) -> Mark | None:
        """The field that a byte belongs to, as a mark."""
        row, below = self.model.field_with(offset)
        return self._mark(row, below, self.model.fields_of(row)[below]) if below >= 0 else None

    def between(self, start: int, end: int) -> Sequence[Mark]:
        """The fields that are coloured in a stretch of the bytes."""
        return [
            self._mark(row, below, field)
            for row in self.model.rows_between(start, end)
            for below, field in enumerate(self.model.fields_of(row))
            if field.start < end and field.end > start and field.kind is FieldKind.HEADER
        ]

    def field_at(self, offset: int) -> tuple[Part, Field] | None:
        """What a byte belongs to."""
        row, below = self.model.field_with(offset)
        return (self.model.part_at(row), self.model.fields_of(row)[below]) if below >= 0 else None

    def _mark(self, row: int, below: int, field: Field) -> Mark:
        tint = _TINTS.get(self._walk.format if self._walk is not None else "", Role.ACCENT)
        part = self.model.part_at(row)
        words = f"{part.title}\n{field.name}: {field.value}" if field.value else f"{part.title}\n{field.name}"
        return Mark(field.start, field.end, tint, bool(below % 2), words)

    # ------------------------------------------------------------------------------------------------ in step

    @Slot()
    def _follow(self) -> None:
        """Another byte is current: its field is, too."""
        if self._is_following:
            return
        offset = self._hex.current
        row, below = self.model.field_with(offset)
        if row < 0:
            self._read(_BATCH, offset + 1)
            return
        index = self.model.index_of(row, below)
        if not self.view.isExpanded(index.parent()) and below >= 0:
            index = index.parent()
        if index != self.view.currentIndex():
            self._is_following = True
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(index, flags)
            self.view.scrollTo(index)
            self._is_following = False

    @Slot(QModelIndex)
    def _go(self, index: QModelIndex) -> None:
        """Somebody went to a row: its bytes are selected."""
        place = self.model.place_of(index)
        if place is None or self._is_following:
            return
        self._is_following = True
        self._hex.go_to(place[0], place[1] - place[0])
        self._is_following = False

    @Slot(QModelIndex)
    def _enter(self, index: QModelIndex) -> None:
        self._go(index)
        self._hex.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _select_field(self) -> None:
        found = self.field_at(self._hex.current)
        if found is not None:
            self._hex.go_to(found[1].start, found[1].end - found[1].start)
