"""What workers do for the preview of a file: read its beginning, find out what that is, and make it ready to be shown.

What is shown comes from strangers. So everything has a limit: how much is read, how many lines there are, how large a
picture may be before it is decoded.
"""

from dataclasses import dataclass, replace
from enum import Enum
from struct import Struct
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from engine.contents import Contents
from engine.progress import Progress
from engine.sniffing import Encoding, decode_part, encoding_of, first_frame, looks_like_json, picture_format
from gui import text
from gui.panels import document_text

if TYPE_CHECKING:
    from engine.contents import Piece

FIRST = 1 << 17
"""Bytes of a text that are shown at once."""
MORE = 1 << 19
"""Bytes that are added when somebody asks for more."""
MOST_TEXT = 1 << 22
"""Bytes of a text that are shown at all; what is longer can be seen as bytes, or be extracted."""
LINES_AT_ONCE = 10_000
MOST_LINES = 100_000
MOST_JSON = 1 << 20
"""Bytes of the largest JSON document that is reformatted."""
_MOST_REFORMATTED = 1 << 22
"""Characters of it when it is."""
MOST_PICTURE = 1 << 25
"""Bytes of the largest file that is shown as a picture."""
MOST_PIXELS = 50_000_000
"""Pixels of the largest picture that is decoded."""
_SCAN = b"\xff\xda"
"""What each pass over a JPEG begins with; in its data there is nothing like that."""
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_WORK = 1_000_000_000
"""Pixels of all passes over it together."""
_ICON_TABLE = Struct("<14xII")
"""The beginning of an icon: the length and the place of what the first entry of its table leads to."""
_SIDE = 2048
"""Pixels that the longer side of a picture is scaled down to."""
_ALLOCATION_MB = 256
"""What decoding a picture may take, whatever its file says of its size."""


class Sort(Enum):
    """What a file can be shown as."""

    TEXT = "Text"
    REFORMATTED = "Reformatted"
    PICTURE = "Picture"
    BYTES = "Bytes"


@dataclass(frozen=True, eq=False)
class TextPart:
    """The beginning of a text, or what follows it.

    ``used`` counts the bytes of the file up to its end; ``is_last`` says that nothing follows.
    """

    content: str
    encoding: Encoding
    used: int
    is_last: bool


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, made smaller where it is large; ``width`` and ``height`` are those of the original, in pixels."""

    image: QImage
    width: int
    height: int
    format: str
    is_animated: bool


@dataclass(frozen=True, eq=False)
class Preview:
    """What a file is shown as, and what else it could be shown as; ``note`` says why it is not what one would expect."""

    sort: Sort
    sorts: tuple[Sort, ...]
    size: int
    text: TextPart | None = None
    reformatted: str = ""
    picture: Picture | None = None
    note: str = ""


def read_preview(
    contents: Contents, entry: int, name: str, progress: Progress, *, wanted: Sort | None = None, codec: str = ""
) -> Preview:
    """What to show of a file of this name: as ``wanted`` where that makes sense; read as ``codec`` where somebody says so.

    Raises what ``Contents.read`` raises.
    """
    head = contents.read(entry, progress, length=FIRST)
    form = picture_format(head.data)
    if form:
        return _picture(contents, entry, head, form, progress, as_bytes=wanted is Sort.BYTES)
    encoding = Encoding(codec) if codec else encoding_of(head.data, is_whole=head.size == len(head.data))
    if wanted is Sort.BYTES or (encoding is None and wanted is not Sort.TEXT):
        is_json = encoding is not None and _is_json(head, encoding) and head.size <= MOST_JSON
        return Preview(Sort.BYTES, (Sort.TEXT, *[Sort.REFORMATTED] * is_json, Sort.BYTES), head.size)
    found = _text(contents, entry, head, encoding or Encoding("latin-1", is_guess=True), wanted, progress)
    return found if name.lower().endswith(".json") else replace(found, note="")


def read_more(contents: Contents, entry: int, before: TextPart, progress: Progress) -> TextPart:
    """The text that follows."""
    piece = contents.read(entry, progress, offset=before.used, length=MORE)
    return _part(piece, before.used, before.encoding)


def _part(piece: "Piece", offset: int, encoding: Encoding) -> TextPart:
    is_end = offset + len(piece.data) >= piece.size
    start = 0 if offset else encoding.mark
    part = decode_part(piece.data[start:], encoding.codec, is_last=is_end, most_lines=LINES_AT_ONCE)
    used = offset + start + part.used
    return TextPart(part.text, encoding, used, used >= piece.size)


def _text(
    contents: Contents, entry: int, head: "Piece", encoding: Encoding, wanted: Sort | None, progress: Progress
) -> Preview:
    sorts: tuple[Sort, ...] = (Sort.TEXT, Sort.BYTES)
    part = _part(head, 0, encoding)
    reformatted = note = ""
    if _is_json(head, encoding) and head.size <= MOST_JSON:
        whole = contents.read(entry, progress, length=MOST_JSON)
        prepared = document_text.prepare(whole.data[encoding.mark :], cut=False)
        reformatted, note = prepared.reformatted, prepared.problem
        if 0 < len(reformatted) <= _MOST_REFORMATTED:
            sorts = (Sort.TEXT, Sort.REFORMATTED, Sort.BYTES)
        else:
            reformatted = ""
    is_long = bool(reformatted) and wanted is None and not document_text.is_readable(part.content)
    sort = Sort.REFORMATTED if reformatted and (wanted is Sort.REFORMATTED or is_long) else Sort.TEXT
    return Preview(sort, sorts, head.size, part, reformatted, note=note)


def _is_json(head: "Piece", encoding: Encoding) -> bool:
    return encoding.codec == "utf-8" and looks_like_json(head.data[encoding.mark : 256].decode("utf-8", "replace"))


def _picture(
    contents: Contents, entry: int, head: "Piece", form: str, progress: Progress, *, as_bytes: bool
) -> Preview:
    sorts = (Sort.PICTURE, Sort.BYTES)
    if as_bytes:
        return Preview(Sort.BYTES, sorts, head.size)
    if head.size > MOST_PICTURE:
        note = f"A picture of {text.size(head.size)}: only those of up to {text.size(MOST_PICTURE)} are shown."
        return Preview(Sort.BYTES, sorts, head.size, note=note)
    data = head.data
    if len(data) < head.size:
        data = contents.read(entry, progress, length=head.size).data
    progress.check()
    found = decode_picture(data, form)
    if isinstance(found, str):
        return Preview(Sort.BYTES, sorts, head.size, note=found)
    return Preview(Sort.PICTURE, sorts, head.size, picture=found)


def decode_picture(data: bytes, form: str) -> Picture | str:
    """The picture in some bytes, the first of several; a sentence where it cannot be shown.

    Whatever the format, nothing is decoded before the size is known to be modest, and Qt is not asked to guess: one of
    its formats is SVG, which can refer to files.
    """
    data, is_animated = first_frame(data) if form == "gif" else (data, False)
    if form == "ico" and _in_icon(data).startswith(_PNG):  # of which the icon need not say how large it is
        found = decode_picture(_in_icon(data), "png")
        return found if isinstance(found, str) else replace(found, format="ICO")
    QImageReader.setAllocationLimit(_ALLOCATION_MB)
    device = QBuffer()  # lives and ends in this call, and has no parent and no connections
    device.setData(QByteArray(data))
    device.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(device, QByteArray(form.encode()))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.isEmpty():
        return "It begins like a picture, and cannot be read as one."
    if size.width() * size.height() > MOST_PIXELS:
        pixels = f"{text.number(size.width())} × {text.number(size.height())}"
        return f"A picture of {pixels} pixels is too large to be shown."
    if form == "jpeg" and size.width() * size.height() * data.count(_SCAN) > _MOST_WORK:
        return "A picture that is drawn over itself so often is not shown."
    if max(size.width(), size.height()) > _SIDE:
        reader.setScaledSize(_bounded(size))
    image = reader.read()
    if image.isNull():
        return f"It begins like a picture, and cannot be read as one: {text.plain(reader.errorString())}."
    if max(image.width(), image.height()) > _SIDE:
        size = image.size()  # the file has said less
        image = image.scaled(_bounded(size))
    image.setDevicePixelRatio(1)
    turned = (image.width() > image.height()) != (size.width() > size.height()) and size.width() != size.height()
    width, height = (size.height(), size.width()) if turned else (size.width(), size.height())
    return Picture(image, width, height, form.upper(), is_animated)


def _bounded(size: QSize) -> QSize:
    """What a size is scaled down to; of what is very narrow a line is left."""
    return size.scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))


def _in_icon(data: bytes) -> bytes:
    """What the first entry of an icon's table leads to, which is the one that Qt reads: a PNG, or a BMP without its head."""
    if len(data) < _ICON_TABLE.size:
        return b""
    length, offset = _ICON_TABLE.unpack_from(data)
    return data[offset : offset + length]
