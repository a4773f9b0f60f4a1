"""What is told of gzip files: every field of every member, also of those that are cut off or not sound."""

import gzip
import io
import zlib

import pytest

from engine.headers import Part, gzip_members
from engine.headers.gzip_members import gzip_parts

FIXED = b"\x1f\x8b\x08%c\x00\x00\x00\x00\x00\x03"


def parts_of(content: bytes) -> list[Part]:
    return list(gzip_parts(lambda offset, length: content[offset : offset + length], len(content)))


def values(part: Part) -> dict[str, str]:
    return {field.name: field.value for field in part.fields}


def member(content: bytes, flags: int = 0, more: bytes = b"") -> bytes:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(content) + packer.flush()
    trailer = zlib.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return FIXED % flags + more + packed + trailer


def test_a_member_as_python_writes_it_is_told_field_by_field() -> None:
    stream = io.BytesIO()
    with gzip.GzipFile("layer.tar", "wb", 9, stream, mtime=1_700_000_000) as packed:
        packed.write(b"hello" * 100)
    content = stream.getvalue()
    begin, end = parts_of(content)
    assert begin.title == "gzip member 1"
    assert values(begin) == {
        "Magic number": "1f 8b",
        "Compression method": "8: deflate",
        "Flags": "0x08: a name follows",
        "Time": "2023-11-14 22:13:20 UTC",
        "Extra flags": "2: best compression",
        "Operating system": "255: unknown",
        "Name": "layer.tar",
        "Compressed data": f"{len(content) - 28} bytes",
    }
    assert [(field.start, field.end) for field in begin.fields] == [
        *((0, 2), (2, 3), (3, 4), (4, 8), (8, 9), (9, 10), (10, 20), (20, len(content) - 8)),
    ]
    assert values(end) == {"CRC-32": f"{zlib.crc32(b'hello' * 100):#010x}", "Unpacked length": "500 bytes"}
    assert (end.start, end.end) == (len(content) - 8, len(content))


def test_everything_that_a_header_may_have_is_told() -> None:
    extra = b"SG\x04\x00" + b"0042" + b"BC\x02\x00" + b"\x01\xff"
    head = FIXED % 0x1F + len(extra).to_bytes(2, "little") + extra + b"n\xe4me\0" + b"comment\0"
    checksum = (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    content = member(b"x", 0x1F, head[10:] + checksum)
    told = values(parts_of(content)[0])
    assert told["Length of extra fields"] == "14 bytes"
    assert (told["Extra field SG"], told["Content of SG"]) == ("4 bytes follow", "0042")
    assert (told["Extra field BC"], told["Content of BC"]) == ("2 bytes follow", "01 ff")
    assert (told["Name"], told["Comment"]) == ("näme", "comment")
    assert told["Header checksum"].endswith(": right")
    wrong = content.replace(checksum, b"\0\0", 1)
    assert ": wrong: it should be 0x" in values(parts_of(wrong)[0])["Header checksum"]


def test_a_time_that_is_none_is_called_so() -> None:
    assert values(parts_of(member(b"x"))[0])["Time"] == "0: none"
    pgzip = bytearray(member(b"x"))
    pgzip[4:8] = b"\x00\x09\x6e\x88"
    assert values(parts_of(bytes(pgzip))[0])["Time"].startswith("none: the beginning of the year 1")


def test_every_member_is_found() -> None:
    contents = [b"", b"one", bytes(3_000_000), b"four"]
    members = [member(content) for content in contents]
    found = parts_of(b"".join(members))
    assert [part.title for part in found] == [
        title for number in range(1, 5) for title in (f"gzip member {number}", f"End of gzip member {number}")
    ]
    starts = [sum(map(len, members[:number])) for number in range(4)]
    assert [part.start for part in found[::2]] == starts
    assert [values(part)["Unpacked length"] for part in found[1::2]] == [
        "0 bytes",
        "3 bytes",
        "3,000,000 bytes",
        "4 bytes",
    ]
    assert all("to make sure" not in field.meaning for part in found for field in part.fields)


@pytest.mark.parametrize(
    ("behind", "title"),
    [
        (bytes(100), "Zeros behind the last member"),
        (b"garbage", "What follows the last member"),
        (bytes(130_000) + b"garbage", "What follows the last member"),
        (bytes(200_000) + b"garbage", "What follows the last member"),
    ],
)
def test_what_follows_the_last_member_is_called_that(behind: bytes, title: str) -> None:
    whole = member(b"content")
    *_, last = parts_of(whole + behind)
    assert (last.title, last.start, last.end) == (title, len(whole), len(whole) + len(behind))


def test_a_file_that_is_cut_off_or_damaged_is_told_as_far_as_it_goes() -> None:
    whole = member(bytes(range(256)) * 100)
    assert [part.title for part in parts_of(whole[:-20])] == ["gzip member 1, cut off"]
    assert [part.title for part in parts_of(whole[:-3])] == ["gzip member 1", "End of gzip member 1"]
    assert list(values(parts_of(whole[:-3])[1])) == ["Cut off"]
    assert [part.title for part in parts_of(whole[:5])] == ["No whole gzip header"]
    assert [part.title for part in parts_of(whole[:12] + b"\xff" * 50)] == ["gzip member 1, damaged"]
    assert [part.title for part in parts_of(FIXED % 0xE0 + b"x")] == ["No whole gzip header"]


def test_where_it_would_take_long_the_end_of_the_file_is_taken_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_members, "_BUDGET", 1000)
    content = member(bytes(10_000_000))
    begin, end = parts_of(content)
    assert (begin.end, end.end) == (len(content) - 8, len(content))
    assert values(end)["Unpacked length"] == "10,000,000 bytes"
    assert all("It is taken to be the end of the file" in field.meaning for field in end.fields)
