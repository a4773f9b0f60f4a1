"""What workers make of a file: whatever is in it, what they read and decode is bounded."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QSize
from PySide6.QtGui import QImage, QImageReader
from PySide6.QtWidgets import QApplication

from engine import open_store
from engine.progress import Progress
from engine.stack import ReadImage, read_image
from engine.store import Store
from gui.panels import previewing
from gui.panels.previewing import Picture, Preview, Sort, TextPart, decode_picture, read_more, read_preview
from tests.archives import END, file
from tests.layouts import LayoutFiles
from tests.pictures import gif, icon, png


class Look:
    """An image of one layer, whose files are looked into."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.store: Store | None = None
        self.image: ReadImage | None = None

    def at(self, **contents: bytes) -> "Look":
        """Put files into the image."""
        files = LayoutFiles(self._folder / "layout")
        layer = files.blob(b"".join(file(name.encode(), content) for name, content in contents.items()) + END)
        self.store = open_store(files.path)
        self.image = read_image(self.store, [layer["digest"]], self._folder / "cache", Progress())
        return self

    def entry(self, name: str) -> int:
        assert self.image is not None
        return int(self.image.files.view(0).entries[self.image.files.tree.find(name.encode())])

    def into(self, name: str, wanted: Sort | None = None, codec: str = "") -> Preview:
        assert self.image is not None
        contents = self.image.contents
        return read_preview(contents, self.entry(name), name, Progress(), wanted=wanted, codec=codec)

    def more(self, name: str, part: TextPart) -> TextPart:
        assert self.image is not None
        return read_more(self.image.contents, self.entry(name), part, Progress())


@pytest.fixture
def look(tmp_path: Path, qapp: QApplication) -> Iterator[Look]:
    found = Look(tmp_path)
    yield found
    if found.store is not None:
        found.store.close()


# --------------------------------------------------------------------------------------------------------------- texts


def test_a_text_is_shown_as_what_it_says(look: Look) -> None:
    found = look.at(motd="Grüße\r\naus Köln\n".encode()).into("motd")
    assert (found.sort, found.sorts) == (Sort.TEXT, (Sort.TEXT, Sort.BYTES))
    assert found.text is not None
    assert found.text.content == "Grüße\naus Köln\n"
    assert found.text.is_last


def test_it_is_read_in_another_encoding_when_somebody_says_so(look: Look) -> None:
    found = look.at(motd="Größe".encode("cp850")).into("motd", codec="cp850")
    assert found.text is not None
    assert found.text.content == "Größe"
    assert not found.text.encoding.is_guess


def test_of_a_long_text_the_beginning_is_read_and_more_is_more(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "FIRST", 1000)
    monkeypatch.setattr(previewing, "MORE", 2000)
    lines = "\n".join(f"line {n}" for n in range(1000))
    look.at(log=lines.encode())
    part = look.into("log").text
    content = ""
    while part is not None:
        content += part.content
        assert content == lines[: len(content)]
        assert part.is_last or lines[len(content)] == "\n"
        part = None if part.is_last else look.more("log", part)
    assert content == lines


def test_one_line_without_an_end_and_nothing_but_lines_are_bounded_all_the_same(look: Look) -> None:
    look.at(line=b"x" * (1 << 20), lines=b"\n" * (1 << 20))
    line, lines = look.into("line").text, look.into("lines").text
    assert line is not None
    assert lines is not None
    assert len(line.content) == previewing.FIRST
    assert lines.content.count("\n") <= previewing.LINES_AT_ONCE + 1
    assert not line.is_last
    assert not lines.is_last


@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01" + bytes(100), b"some\0text\0with\0NUL"])
def test_what_is_no_text_is_bytes_until_somebody_wants_it_as_a_text(look: Look, content: bytes) -> None:
    look.at(tool=content)
    assert look.into("tool").sort is Sort.BYTES
    assert look.into("tool").text is None
    forced = look.into("tool", Sort.TEXT).text
    assert forced is not None
    assert len(forced.content) == len(content)


def test_who_wants_bytes_gets_bytes_of_everything(look: Look) -> None:
    look.at(a=b"text", b=png(2, 2), c=b'{"a": 1}')
    assert [look.into(name, Sort.BYTES).sort for name in "abc"] == [Sort.BYTES] * 3
    assert look.into("c", Sort.BYTES).sorts == (Sort.TEXT, Sort.REFORMATTED, Sort.BYTES)


def test_an_empty_file_is_an_empty_text(look: Look) -> None:
    assert look.at(empty=b"").into("empty").size == 0


# ---------------------------------------------------------------------------------------------------------------- JSON


def test_json_in_one_long_line_is_reformatted_and_in_short_ones_left_as_it_is(look: Look) -> None:
    value = {f"name {n}": [n, True] for n in range(50)}
    look.at(**{"long.json": json.dumps(value).encode(), "short.json": json.dumps(value, indent=1).encode()})
    long, short = look.into("long.json"), look.into("short.json")
    assert (long.sort, short.sort) == (Sort.REFORMATTED, Sort.TEXT)
    assert json.loads(long.reformatted) == value
    assert look.into("short.json", Sort.REFORMATTED).sort is Sort.REFORMATTED
    assert look.into("long.json", Sort.TEXT).sort is Sort.TEXT


def test_json_that_is_too_deep_too_large_or_wrong_is_a_text_and_says_why(look: Look) -> None:
    deep, wrong = b"[" * 100_000 + b"]" * 100_000, b'{"a": 1, "a": 2}'
    large = b"[" + b",".join([b"1"] * previewing.MOST_JSON) + b"]"
    look.at(**{"deep.json": deep, "wrong.json": wrong, "large.json": large, "notes": b"[1] see below\n"})
    assert look.into("deep.json").note.startswith("The JSON text is nested too deeply.")
    assert look.into("wrong.json").note
    assert look.into("notes").note == "", "what is called otherwise need not be JSON"
    for name in ("deep.json", "wrong.json", "large.json", "notes"):
        assert look.into(name, Sort.REFORMATTED).sort is Sort.TEXT


# ------------------------------------------------------------------------------------------------------------ pictures


def test_a_picture_is_decoded_and_says_its_size(look: Look) -> None:
    found = look.at(**{"logo.png": png(30, 20)}).into("logo.png")
    assert (found.sort, found.sorts) == (Sort.PICTURE, (Sort.PICTURE, Sort.BYTES))
    assert found.picture is not None
    assert (found.picture.width, found.picture.height, found.picture.format) == (30, 20, "PNG")
    assert found.picture.image.pixelColor(3, 3).getRgb() == (0x20, 0x60, 0xC0, 0x80)


def test_a_large_picture_is_made_smaller(look: Look) -> None:
    picture = look.at(**{"wide.png": png(5000, 10)}).into("wide.png").picture
    assert picture is not None
    assert (picture.width, picture.height) == (5000, 10)
    assert picture.image.width() == 2048


@pytest.mark.parametrize(("width", "height"), [(1, 20_000), (20_000, 1), (3, 15_000)])
def test_a_picture_as_narrow_as_a_line_is_shown(look: Look, width: int, height: int) -> None:
    picture = look.at(line=png(width, height)).into("line").picture
    assert picture is not None
    assert (picture.width, picture.height) == (width, height)
    assert max(picture.image.width(), picture.image.height()) == 2048
    assert min(picture.image.width(), picture.image.height()) == 1


def test_a_picture_that_says_to_be_huge_is_never_decoded(look: Look) -> None:
    found = look.at(**{"bomb.png": png(1, 1, said=(100_000, 100_000))}).into("bomb.png")
    assert found.sort is Sort.BYTES
    assert found.note == "A picture of 100,000 × 100,000 pixels is too large to be shown."


def test_an_icon_is_as_large_as_the_picture_in_it_whatever_it_says(look: Look) -> None:
    look.at(small=icon(png(30, 20)), large=icon(png(5000, 100), 16), bomb=icon(png(1, 1, said=(8000, 8000)), 16))
    small, large, bomb = look.into("small").picture, look.into("large").picture, look.into("bomb")
    assert small is not None
    assert (small.width, small.height, small.format) == (30, 20, "ICO")
    assert large is not None
    assert (large.width, large.height, large.image.width()) == (5000, 100, 2048)
    assert bomb.note == "A picture of 8,000 × 8,000 pixels is too large to be shown."


def test_an_icon_of_the_older_kind_is_shown_too(qapp: QApplication) -> None:
    head = struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 32, 0, 0, 0, 0, 0, 0)
    found = decode_picture(icon(head + b"\x10\x20\x30\xff" * 256 + bytes(64), 16), "ico")
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (16, 16)
    assert found.image.pixelColor(3, 3).getRgb() == (0x30, 0x20, 0x10, 0xFF)


@pytest.mark.parametrize("content", [icon(png(9, 9))[:20], icon(b"\x89PNG\r\n\x1a\n"), icon(b"")])
def test_a_damaged_icon_is_no_picture(qapp: QApplication, content: bytes) -> None:
    found = decode_picture(content, "ico")
    assert isinstance(found, str)
    assert found.startswith("It begins like a picture, and cannot be read as one")


def test_what_turns_out_larger_than_the_file_says_is_made_smaller_all_the_same(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QImageReader, "size", lambda _reader: QSize(16, 16))
    found = decode_picture(png(5000, 100), "png")
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.image.width()) == (5000, 100, 2048)


def test_a_file_that_is_too_large_is_not_read_as_a_picture(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "MOST_PICTURE", 10)
    found = look.at(**{"large.png": png(9, 9)}).into("large.png")
    assert found.sort is Sort.BYTES
    assert found.note.endswith("only those of up to 10 bytes are shown.")


def test_of_an_animation_only_the_first_picture_is_decoded(look: Look) -> None:
    look.at(**{"one.gif": gif(1), "many.gif": gif(20_000)})
    one, many = look.into("one.gif").picture, look.into("many.gif").picture
    assert one is not None
    assert many is not None
    assert (one.is_animated, many.is_animated) == (False, True)
    assert (many.width, many.height) == (2, 2)


@pytest.mark.parametrize("content", [png(3, 3)[:40], gif(1)[:12], b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_damaged_picture_is_bytes_and_says_so(look: Look, content: bytes) -> None:
    found = look.at(picture=content).into("picture")
    assert found.sort is Sort.BYTES
    assert found.note.startswith("It begins like a picture, and cannot be read as one")


def test_a_picture_of_many_passes_is_not_decoded(qapp: QApplication) -> None:
    image = QImage(2000, 1000, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "JPEG")
    jpeg = bytes(buffer.data().data())
    found = decode_picture(jpeg, "jpeg")
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (2000, 1000)
    assert decode_picture(jpeg + b"\xff\xda" * 1000, "jpeg") == (
        "A picture that is drawn over itself so often is not shown."
    )


def test_svg_is_shown_as_the_text_that_it_is(look: Look) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    assert look.at(**{"icon.svg": svg}).into("icon.svg").sort is Sort.TEXT
    assert isinstance(decode_picture(svg, "png"), str), "and is not guessed to be a picture"
