"""A page to read: headings, sentences, fields and tables of plain text, with links.

One text document instead of a widget for each line: everything wraps, is selected and copied as one text, and a long
page costs milliseconds. Text is inserted character by character, never parsed, so nothing that comes from a store can
become markup or load a picture.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QMimeData, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QShowEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextImageFormat,
    QTextLength,
    QTextOption,
    QTextTableCellFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from gui import icons, text, theme
from gui.theme import Role, Space

_OBJECT = "\ufffc"
"""What stands in a document's text for a picture."""


class Copy(NamedTuple):
    """A link that puts ``text`` on the clipboard; ``what`` says what that is."""

    text: str
    what: str


class Span(NamedTuple):
    """A few words in one look; with a ``target`` they are a link."""

    text: str
    role: Role = Role.TEXT
    fixed: bool = False
    strong: bool = False
    target: object = None
    tip: str = ""
    icon: QIcon | None = None


Line = Sequence[Span]
Cell = Sequence[Line]
Row = Sequence[Cell]


class Heading(NamedTuple):
    """Begins a section."""

    title: str
    note: str = ""


class Paragraph(NamedTuple):
    """One or more lines of text."""

    lines: Sequence[Line]


class Field(NamedTuple):
    """A name and what it stands for, in one or more lines; ``copy`` stands at the end of the row."""

    label: str
    lines: Sequence[Line]
    copy: Span | None = None


class Fields(NamedTuple):
    """Names and values under each other."""

    rows: Sequence[Field]


class Table(NamedTuple):
    """Rows of cells, each of one or more lines.

    ``samples`` holds for each column a text that must fit into it; the empty one gets the rest. The column ``right``
    holds numbers, which stand at the right.
    """

    samples: Sequence[str]
    rows: Sequence[Row]
    right: int = -1


Block = Heading | Paragraph | Fields | Table


def say(words: str, role: Role = Role.TEXT, *, strong: bool = False, tip: str = "") -> Span:
    """Words of our own."""
    return Span(words, role, strong=strong, tip=tip)


def quote(foreign: str, role: Role = Role.TEXT, *, fixed: bool = False, lines: bool = False) -> Span:
    """Text from a store, made fit to show."""
    return Span(text.plain(foreign, LONGEST_SHOWN, lines=lines), role, fixed=fixed)


def link(words: str, target: object, *, fixed: bool = False, tip: str = "") -> Span:
    """Words that lead somewhere."""
    return Span(words, Role.ACCENT, fixed=fixed, target=target, tip=tip)


def copy(value: str, what: str) -> Span:
    """A glyph that copies ``value``."""
    return Span("", target=Copy(value, what), tip=f"Copy {what}", icon=icons.icon("copy", Role.MUTED))


def glyph(icon: QIcon) -> Span:
    """A picture in a line."""
    return Span("", icon=icon)


GLYPH = "(glyph)"
"""The sample of a column for one glyph, at its right."""
LONGEST_SHOWN = 4096
"""Characters of one value that are shown; the whole stands in the document."""


class Page(QTextBrowser):
    """Shows blocks. ``activated`` carries the target of a followed link, ``copied`` a sentence for the status bar."""

    activated = Signal(object)
    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blocks: Sequence[Block] = ()
        self._targets: list[Span] = []
        self._icons: list[QIcon] = []
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setAcceptDrops(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.document().setDocumentMargin(Space.LARGE)
        self.anchorClicked.connect(self._follow)
        theme.current().changed.connect(self._render)

    def show_blocks(self, blocks: Sequence[Block], *, keep_place: bool = False) -> None:
        """Show other blocks, from the top unless ``keep_place``; the same ones leave everything as it is."""
        if keep_place and blocks == self._blocks:
            return
        place = self.verticalScrollBar().value() if keep_place else 0
        self._blocks = blocks
        self._render()
        self.verticalScrollBar().setValue(place)

    # ------------------------------------------------------------------------------------------------ drawing

    def _render(self) -> None:
        self._targets.clear()
        self._icons.clear()
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        label_width = self._label_width()
        above = 0
        for block, following in itertools.zip_longest(self._blocks, self._blocks[1:]):
            below = Space.LARGE if isinstance(following, Heading) else Space.SMALL
            if isinstance(block, Heading):
                self._start(cursor, above, Space.TINY)
                self._write(cursor, [say(block.title, strong=True), say(f"  {block.note}", Role.MUTED)])
            elif isinstance(block, Paragraph):
                for number, line in enumerate(block.lines):
                    self._start(cursor, 0 if number else above, 0)
                    self._write(cursor, line)
            elif isinstance(block, Fields):
                table = Table(("", "", GLYPH), [_cells(row) for row in block.rows])
                self._table(cursor, table, below, above, label_width)
            else:
                self._table(cursor, block, below, above)
            above = 0 if isinstance(block, Heading) else below
        cursor.endEditBlock()

    def _start(self, cursor: QTextCursor, above: int, below: int) -> None:
        """Go on in a block of its own; the one that a document or a table leaves empty is used up first."""
        look = QTextBlockFormat()
        look.setTopMargin(above)
        look.setBottomMargin(below)
        if cursor.block().length() > 1:
            cursor.insertBlock(look, QTextCharFormat())
        else:
            cursor.setBlockFormat(look)

    def _table(self, cursor: QTextCursor, block: Table, below: int, above: int, first_width: int = 0) -> None:
        if not block.rows:
            return
        look = QTextTableFormat()
        look.setBorder(0)
        look.setCellSpacing(0)
        look.setCellPadding(0)
        # What follows a table has the space above it ignored, and so has what goes before the space below it.
        look.setTopMargin(above)
        look.setBottomMargin(below)
        look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        widths = [self._width(sample) for sample in block.samples]
        widths[0] = first_width or widths[0]
        fixed, rest = QTextLength.Type.FixedLength, QTextLength(QTextLength.Type.VariableLength, 0)
        look.setColumnWidthConstraints([QTextLength(fixed, width) if width else rest for width in widths])
        table = cursor.insertTable(len(block.rows), len(widths), look)
        at_right = {x for x, sample in enumerate(block.samples) if x == block.right or sample == GLYPH}
        for y, row in enumerate(block.rows):
            for x, lines in enumerate(row):
                cell = table.cellAt(y, x)
                cell.setFormat(self._cell_look(hairline=y > 0, last=x == len(widths) - 1))
                self._fill(cell.firstCursorPosition(), lines, at_right=x in at_right)
        cursor.movePosition(QTextCursor.MoveOperation.End)

    def _fill(self, cursor: QTextCursor, lines: Cell, *, at_right: bool) -> None:
        look = QTextBlockFormat()
        if at_right:
            look.setAlignment(Qt.AlignmentFlag.AlignRight)
        for number, line in enumerate(lines):
            if number:
                cursor.insertBlock(look, QTextCharFormat())
            else:
                cursor.setBlockFormat(look)
            self._write(cursor, line)

    def _cell_look(self, *, hairline: bool, last: bool) -> QTextTableCellFormat:
        look = QTextTableCellFormat()
        look.setTopPadding(Space.TINY)
        look.setBottomPadding(Space.TINY)
        look.setRightPadding(0 if last else Space.SMALL)
        if hairline:
            look.setTopBorder(1)
            look.setTopBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            look.setTopBorderBrush(theme.colour(Role.HAIRLINE))
        return look

    def _write(self, cursor: QTextCursor, line: Line) -> None:
        for span in line:
            self._insert(cursor, span)

    def _insert(self, cursor: QTextCursor, span: Span) -> None:
        look = QTextCharFormat()
        if span.fixed:
            look.setFont(theme.fixed_font())
        if span.strong:
            look.setFontWeight(QFont.Weight.DemiBold)
        look.setForeground(theme.colour(span.role))
        if span.tip:
            look.setToolTip(text.tooltip(span.tip))
        if span.target is not None:
            look.setAnchor(True)
            look.setAnchorHref(f"to:{len(self._targets)}")
            self._targets.append(span)
        if span.icon is not None:
            picture = QTextImageFormat()
            picture.merge(look)
            picture.setName(f"icon:{len(self._icons)}")
            # As high as the line, or it would push the lines apart.
            picture.setWidth(self._icon_side())
            picture.setHeight(self._icon_side())
            picture.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignBottom)
            self._icons.append(span.icon)
            cursor.insertImage(picture)
            if span.text:
                cursor.insertText(" ", QTextCharFormat())
        if span.text:
            cursor.insertText(span.text, look)

    def _label_width(self) -> int:
        """Pixels of the widest label of the page, so that the values of all its sections stand under each other."""
        labels = {row.label for block in self._blocks if isinstance(block, Fields) for row in block.rows}
        return max((self._width(label) for label in labels), default=0) + Space.SMALL

    def _width(self, sample: str) -> int:
        """Pixels of a column that such a text fits into; 0 for the one that gets the rest."""
        if sample == GLYPH:
            return self._icon_side() + Space.SMALL
        return QFontMetrics(self.font()).horizontalAdvance(sample) + Space.MEDIUM if sample else 0

    def _icon_side(self) -> int:
        return QFontMetrics(self.font()).height()

    # --------------------------------------------------------------------------------------------- following

    def _follow(self, url: QUrl) -> None:
        target = self._targets[int(url.path())].target
        if isinstance(target, Copy):
            QGuiApplication.clipboard().setText(target.text)
            self.copied.emit(f"Copied {target.what}.")
        else:
            self.activated.emit(target)

    @property
    def links(self) -> Sequence[Span]:
        """The links of the page, in the order in which Tab visits them."""
        return tuple(self._targets)

    # --------------------------------------------------------------------------------------- overrides of Qt

    def showEvent(self, event: QShowEvent) -> None:
        """Stay where the reader was: Qt would go to the cursor, which stands at the end of what was written."""
        place = self.verticalScrollBar().value()
        super().showEvent(event)
        self.verticalScrollBar().setValue(place)

    def loadResource(self, _kind: int, name: QUrl | str) -> object:
        """Give the document our own glyphs and nothing else: no file, no address."""
        scheme, _, number = (name if isinstance(name, str) else name.toString()).partition(":")
        if scheme != "icon" or not number.isdecimal():
            return None
        side = self._icon_side()
        return self._icons[int(number)].pixmap(QSize(side, side), self.devicePixelRatioF())

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is copied is the text alone."""
        found = QMimeData()
        found.setText(self.textCursor().selection().toPlainText().replace(_OBJECT, "").strip())
        return found


def _cells(field: Field) -> Row:
    return [[[say(field.label, Role.MUTED)]], field.lines, [[field.copy]] if field.copy else []]
