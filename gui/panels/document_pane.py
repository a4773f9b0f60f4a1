"""The text of a document: highlighted where it can be seen, its digests links, copied as it is stored."""

from collections.abc import Iterator
from itertools import chain, islice

from PySide6.QtCore import QEvent, QMimeData, QRect, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPalette,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from engine.digest import shorten
from gui import theme
from gui.panels import document_text
from gui.panels.document_text import Look, Piece, Places
from gui.session import Selection
from gui.theme import Role, Space
from gui.widgets import is_copy_shortcut

_SLICE = 64 << 10
"""Characters that are laid out before the window gets a turn."""
_SLICE_LINES = 1000
Stretch = tuple[int, int, Role]
"""A part of a displayed line, in characters, and its colour."""
_INKS = {
    Look.NAME: Role.CHANGED,
    Look.TEXT: Role.TEXT,
    Look.VALUE: Role.SOUND,
    Look.MARK: Role.MUTED,
    Look.HIDDEN: Role.WARNING,
}


class DocumentPane(QPlainTextEdit):
    """The text itself. ``followed`` carries the digest of a link that was clicked, or that Enter was pressed on."""

    followed = Signal(object)
    loaded = Signal()
    longest_line = document_text.LONGEST_LINE
    """Characters of a line that are laid out in one go."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.places = Places("")
        self._waiting: Iterator[Piece] = iter(())
        self._wanted: Piece | None = None
        self._coloured: set[int] = set()
        self._known: dict[str, bool] = {}
        self._selection: Selection | None = None
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.setFont(theme.fixed_font())
        self.document().setDocumentMargin(Space.SMALL)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Document")
        self._pump = QTimer(self)
        self._pump.setInterval(0)
        self._pump.timeout.connect(self._load_more)
        self.updateRequest.connect(self._colour_soon)
        theme.current().changed.connect(self.colour_again)
        self.colour_again()

    def show_text(self, content: str, selection: Selection | None, wanted: Piece | None = None) -> None:
        """Show another text, whose digests are links into the store of ``selection``, and select what is wanted."""
        self._pump.stop()
        self._wanted = None
        self.clear()
        self.places = Places(content)
        self._selection = selection
        self._coloured.clear()
        self._known.clear()
        self._waiting = document_text.cut_into_pieces(content, 0, self.longest_line)
        self._load_more()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self._wanted = wanted
        self._select_wanted()

    def extend(self, content: str) -> None:
        """Show a text that begins with the one that is shown."""
        start = len(self.places.content)
        start += content.startswith("\n", start)  # that line end is where the text ended before
        is_complete = self.complete
        self.places.grow(content)
        self._waiting = chain(self._waiting, document_text.cut_into_pieces(content, start, self.longest_line))
        if is_complete:
            self._load_more()

    @property
    def complete(self) -> bool:
        """Whether all of the text has been laid out."""
        return len(self.places) > 0 and not self._pump.isActive()

    def select(self, start: int, end: int) -> None:
        """Select and show the characters from ``start`` to ``end`` of the text."""
        cursor = self.textCursor()
        cursor.setPosition(self._position(start))
        cursor.setPosition(self._position(end), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def selected_text(self) -> str:
        """What is selected, with the characters that are stored rather than the marks that stand for them."""
        cursor = self.textCursor()
        start, end = (self._offset(place) for place in (cursor.selectionStart(), cursor.selectionEnd()))
        return self.places.content[start:end]

    def link_at(self, position: int) -> str:
        """The digest that is a link at a position of the document; empty for none."""
        block = self.document().findBlock(position)
        column = position - block.position()
        for start, end, digest in self._links(block.text()):
            if start <= column < end:
                return digest
        return ""

    # ------------------------------------------------------------------------------------------------ loading

    @Slot()
    def _load_more(self) -> None:
        """Lay out the next slice."""
        pieces: list[Piece] = []
        size = 0
        for piece in islice(self._waiting, _SLICE_LINES):
            pieces.append(piece)
            size += piece[1] - piece[0]
            if size >= _SLICE:
                break
        if not pieces:
            self._pump.stop()
            self.loaded.emit()
            return
        content = self.places.content
        lines = [document_text.shown(content[start:end]) for start, end in pieces]
        if len(self.places):
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText("\n" + "\n".join(lines))
        else:
            self.setPlainText("\n".join(lines))
        self.places.add(pieces)
        self._pump.start()
        self._select_wanted()

    def _select_wanted(self) -> None:
        """Select what is wanted, once so much of the text is laid out."""
        if self._wanted is not None and self.places.end >= self._wanted[1]:
            wanted, self._wanted = self._wanted, None
            self.select(*wanted)

    def _position(self, offset: int) -> int:
        number, column = self.places.block_of(offset)
        return self.document().findBlockByNumber(number).position() + column

    def _offset(self, position: int) -> int:
        block = self.document().findBlock(position)
        return self.places.offset_of(block.blockNumber(), position - block.position())

    # ----------------------------------------------------------------------------------------------- colouring

    @Slot()
    def colour_again(self) -> None:
        """Colours or links are different now."""
        palette = self.palette()
        for role in (QPalette.ColorRole.Highlight, QPalette.ColorRole.HighlightedText):
            # What was found stays marked while the cursor is in the find bar.
            active = QGuiApplication.palette().color(QPalette.ColorGroup.Active, role)
            palette.setColor(QPalette.ColorGroup.Inactive, role, active)
        self.setPalette(palette)
        self._coloured.clear()
        self._known.clear()
        self._colour_visible()

    @Slot(QRect, int)
    def _colour_soon(self, _area: QRect, _scrolled: int) -> None:
        self._colour_visible()

    def _colour_visible(self) -> None:
        """Highlight what can be seen and is not highlighted yet; a whole large document would take seconds."""
        block = self.firstVisibleBlock()
        offset = self.contentOffset()
        height = self.viewport().height()
        while block.isValid() and self.blockBoundingGeometry(block).translated(offset).top() <= height:
            if block.blockNumber() not in self._coloured:
                self._coloured.add(block.blockNumber())
                self._colour(block)
            block = block.next()

    def _colour(self, block: QTextBlock) -> None:
        line = block.text()
        found = self.find_stretches(block.blockNumber(), line)
        ranges = [_stretch(line, start, end, _ink(role)) for start, end, role in found]
        for start, end, _ in self._links(line):
            ranges.append(_range(start, end, _ink(Role.ACCENT, link=True)))
        block.layout().setFormats(ranges)
        self.document().markContentsDirty(block.position(), block.length())

    def find_stretches(self, _number: int, line: str) -> Iterator[Stretch]:
        """What of a displayed line, the block of this number, has a colour of its own: here the tokens of JSON."""
        for token in document_text.find_tokens(line):
            yield token.start, token.end, _INKS[token.look]

    def _links(self, line: str) -> list[tuple[int, int, str]]:
        """Columns and digest of each link in a displayed line."""
        found = []
        for start, end in document_text.find_digests(line):
            digest = line[start:end]
            if self._is_known(digest):
                before = document_text.units(line[:start])
                found.append((before, before + end - start, digest))
        return found

    def _is_known(self, digest: str) -> bool:
        selection = self._selection
        if selection is None or digest == selection.digest:
            return False
        if digest not in self._known:
            snapshot = selection.session.snapshot
            self._known[digest] = snapshot is not None and snapshot.find(digest) >= 0
        return self._known[digest]

    # --------------------------------------------------------------------------------------- overrides of Qt

    def event(self, event: QEvent) -> bool:
        """Where words are selected, copying is about them; Qt leaves the keys to the window in this kind of text."""
        if is_copy_shortcut(event) and self.textCursor().hasSelection():
            event.accept()
            return True
        return super().event(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is copied is what is stored."""
        found = QMimeData()
        found.setText(self.selected_text())
        return found

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter follows the link under the cursor."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            digest = self.link_at(self.textCursor().position())
            if digest:
                self.followed.emit(digest)
                return
        super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A link has a pointing hand."""
        super().mouseMoveEvent(event)
        over = self._link_under(event)
        shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click follows a link; the end of a selection does not."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            digest = self._link_under(event)
            if digest:
                self.followed.emit(digest)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The usual menu, and what can be done with a link."""
        menu = self.createStandardContextMenu(event.pos())
        digest = self.link_at(self.cursorForPosition(event.pos()).position())
        if digest:
            menu.addSeparator()
            menu.addAction(f"Go to {shorten(digest)}", lambda: self.followed.emit(digest))
            menu.addAction("Copy digest", lambda: QGuiApplication.clipboard().setText(digest))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._colour_visible()

    def _link_under(self, event: QMouseEvent) -> str:
        place = event.position().toPoint()
        cursor = self.cursorForPosition(place)
        digest = self.link_at(cursor.position())
        # Behind the end of a line the nearest character is not the one under the mouse.
        near = self.cursorRect(cursor).adjusted(-Space.LARGE, 0, Space.LARGE, 0)
        return digest if digest and near.contains(place) else ""


def _ink(role: Role, *, link: bool = False) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setForeground(theme.colour(role))
    look.setFontUnderline(link)
    return look


def _stretch(line: str, start: int, end: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    if line.isascii():
        return _range(start, end, look)
    return _range(document_text.units(line[:start]), document_text.units(line[:end]), look)


def _range(start: int, end: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    found = QTextLayout.FormatRange()
    found.start = start
    found.length = end - start
    found.format = look
    return found
