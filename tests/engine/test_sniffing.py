"""What bytes are that nothing describes: texts are read as they were written, and what is none is not taken for one."""

import codecs
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sniffing import SAMPLE, Encoding, decode_part, encoding_of, looks_like_json, picture_format

GERMAN = "Über die große Brücke läuft ein Bär. Fünf süße Äpfel fallen für die Käfer von den Bäumen.\n" * 20
RUSSIAN = "Эта программа показывает содержимое файла. Нажмите любую клавишу, чтобы продолжить работу.\n" * 20
JAPANESE = "このファイルの内容を表示します。日本語のテキストを正しく読むことができるかどうかを確認します。\n" * 20


def read(content: bytes) -> Encoding:
    found = encoding_of(content, is_whole=True)
    assert found is not None
    return found


@pytest.mark.parametrize("content", [b"", b"hello\n", "naïve Größe".encode(), b"\x1b[31mred\x1b[0m\n", b"\tall:\x0c\n"])
def test_what_is_utf_8_is_known_and_not_guessed(content: bytes) -> None:
    assert read(content) == Encoding("utf-8")


def test_a_character_that_the_sample_cuts_through_is_no_mistake() -> None:
    content = b"x" * (SAMPLE - 1) + "é".encode() + b"more"
    assert read(content).codec == "utf-8"
    assert encoding_of(content[:SAMPLE], is_whole=False) == Encoding("utf-8")


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_mark_says_the_encoding_and_is_no_part_of_the_text(mark: bytes, codec: str) -> None:
    content = mark + "Größe".encode(codec)
    found = read(content)
    assert found == Encoding(codec, len(mark))
    assert decode_part(content[found.mark :], codec, is_last=True, most_lines=9).text == "Größe"


@pytest.mark.parametrize(
    ("text", "codec"),
    [(GERMAN, "cp1252"), (RUSSIAN, "koi8-r"), (RUSSIAN, "cp1251"), (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp")],
)
def test_older_encodings_are_guessed_and_said_to_be(text: str, codec: str) -> None:
    found = read(text.encode(codec))
    assert found.is_guess
    assert decode_part(text.encode(codec), found.codec, is_last=True, most_lines=10**6).text == text


def test_one_foreign_word_among_much_ascii_is_enough() -> None:
    content = ("#define NOTHING 0\n" * 500 + GERMAN[:92]).encode("cp1252")
    assert "Brücke" in decode_part(content, read(content).codec, is_last=True, most_lines=10**6).text


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_seen(codec: str) -> None:
    assert read("plain words\r\n".encode(codec)) == Encoding(codec, is_guess=True)


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01" + bytes(9),
        b"some\0words\0with\0NUL\0",
        bytes(range(256)) * 20,
        b"\x01\x02\x03\x04" * 100,
        b"\x00",
    ],
)
def test_what_has_control_characters_throughout_is_no_text(content: bytes) -> None:
    assert encoding_of(content, is_whole=True) is None


@given(st.binary(max_size=300))
def test_whatever_the_bytes_there_is_an_answer_and_it_can_be_used(content: bytes) -> None:
    found = encoding_of(content, is_whole=True)
    assert picture_format(content) == picture_format(content[:64])
    if found is not None:
        decode_part(content[found.mark :], found.codec, is_last=True, most_lines=3)


# ---------------------------------------------------------------------------------------------------- parts of a text


def parts(content: bytes, codec: str, size: int, most_lines: int = 10**6) -> list[str]:
    found, offset = [], 0
    while offset < len(content):
        data = content[offset : offset + size]
        part = decode_part(data, codec, is_last=offset + len(data) == len(content), most_lines=most_lines)
        assert 0 < part.used <= len(data)
        found.append(part.text)
        offset += part.used
    return found


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "shift_jis", "gb18030"])
def test_parts_end_with_lines_and_together_are_the_whole(codec: str) -> None:
    lines = [f"line {n} ア" for n in range(500)]
    found = parts("\r\n".join(lines).encode(codec), codec, 700)
    assert "".join(found) == "\n".join(lines)
    assert len(found) > 5
    assert all(part.startswith("\n") for part in found[1:]), "the line end that a part ends with belongs to the next"


def test_a_part_has_no_more_lines_than_are_asked_for() -> None:
    found = parts(b"\n" * 100, "utf-8", 50, most_lines=7)
    assert max(part.count("\n") for part in found) <= 8
    assert "".join(found) == "\n" * 100


def test_a_line_without_an_end_is_cut_between_characters() -> None:
    found = parts("é".encode() * 1000, "utf-8", 101)
    assert "".join(found) == "é" * 1000
    assert "\udcc3" not in "".join(found)


def test_what_cannot_be_decoded_is_kept() -> None:
    part = decode_part(b"good \xff\xfe bad \xc3", "utf-8", is_last=True, most_lines=9)
    assert part.text.encode("utf-8", "surrogateescape") == b"good \xff\xfe bad \xc3"


@given(st.binary(min_size=1, max_size=400), st.sampled_from(["utf-8", "utf-16-le", "cp1252", "shift_jis"]))
def test_every_part_gets_on(content: bytes, codec: str) -> None:
    assert len(parts(content, codec, 40, most_lines=2)) <= len(content)


# ------------------------------------------------------------------------------------------------ pictures and JSON


@pytest.mark.parametrize(
    ("begins", "name"),
    [
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x01\x00\x02\x00", "ico"),
        (b"BM" + struct.pack("<IHHII", 70, 0, 0, 54, 40), "bmp"),
        (b"P6\n# by hand\n640 480\n255\n", "pbm"),
        (b"/* XPM */", ""),
        (b"BMW drivers are not bitmaps", ""),
        (b"P4 is a version control system", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"\x00\x00\x01\x00", ""),
    ],
)
def test_pictures_are_known_by_how_they_begin_and_svg_is_none(begins: bytes, name: str) -> None:
    assert picture_format(begins) == name


@pytest.mark.parametrize("text", ['{"a": 1}', "{}", "[]", "[1, 2]", '  [ {"x"', '["a"', "\n{\n  "])
def test_what_begins_like_json_may_be_json(text: str) -> None:
    assert looks_like_json(text) is (text.strip() != "{")


@pytest.mark.parametrize("text", ["", "hello", "[section]\na = 1", "{ echo hi; }", "<a>", "{{ template }}"])
def test_other_brackets_are_not(text: str) -> None:
    assert not looks_like_json(text)
