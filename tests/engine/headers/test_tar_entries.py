"""What is told of tar files: every field of every header as tar itself has it, and where the archive is not sound."""

import io
import tarfile
from typing import Any

import pytest

from engine.headers import FieldKind, Part
from engine.headers.tar_entries import is_tar, tar_parts
from engine.listing import Ending
from engine.tarwalk import Walker
from tests.archives import END, file, header, padded, pax, record, signed

TIME = 1_700_000_000


def parts_of(content: bytes) -> list[Part]:
    return list(tar_parts(lambda offset, length: content[offset : offset + length], len(content)))


def values(part: Part) -> dict[str, str]:
    return {field.name: field.value for field in part.fields}


def archive(form: int, **fields: Any) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as made:
        entry = tarfile.TarInfo("etc/passwd")
        entry.mtime, entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = (
            TIME,
            0o4755,
            1000,
            100,
            "ada",
            "users",
        )
        entry.size = 5
        for name, value in fields.items():
            setattr(entry, name, value)
        made.addfile(entry, io.BytesIO(b"hello" + bytes(max(0, entry.size - 5))))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("form", "magic"), [(tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "ustar, as GNU tar writes it")]
)
def test_a_header_is_told_field_by_field(form: int, magic: str) -> None:
    content = archive(form)
    entry, end, behind = parts_of(content)
    assert (entry.title, end.title, behind.title) == ("File etc/passwd", "End of the archive", "Behind the end")
    told = values(entry)
    assert told["Name"] == "etc/passwd"
    assert told["Mode"] == "4755 (rwsr-xr-x)"
    assert (told["Owner"], told["Owner's name"], told["Group"], told["Group's name"]) == (
        "1,000",
        "ada",
        "100",
        "users",
    )
    assert told["Size"] == "5 bytes"
    assert told["Time"] == "2023-11-14 22:13:20 UTC"
    assert told["Checksum"].endswith(", right")
    assert told["Type"] == "0: regular file"
    assert told["Magic number"] == magic
    assert told["Content"] == "5 bytes"
    where = {field.name: (field.start, field.end) for field in entry.fields}
    assert where["Name"] == (0, 100)
    assert where["Type"] == (156, 157)
    assert where["Magic number"] == (257, 263)
    assert where["Content"] == (512, 517)
    assert values(end)["End"] == "two empty blocks"


def test_what_pax_says_is_told_record_by_record() -> None:
    content = archive(tarfile.PAX_FORMAT, name="long/" * 60, pax_headers={"SCHILY.xattr.user.note": "attribute"})
    extended, entry, *_ = parts_of(content)
    assert extended.title == "Extended header of the next entry"
    told = values(extended)
    assert told["path"] == "long/" * 40 + "…"
    assert told["SCHILY.xattr.user.note"] == "attribute"
    assert extended.fields[-1].kind is FieldKind.PADDING
    meanings = {field.name: field.meaning for field in extended.fields}
    assert meanings["path"] == "The name, instead of that in the header."
    assert meanings["SCHILY.xattr.user.note"] == "An attribute of the file."
    assert entry.start == 1024


def test_long_names_of_gnu_tar_are_told() -> None:
    content = archive(tarfile.GNU_FORMAT, name="n" * 150, type=tarfile.SYMTYPE, linkname="t" * 150, size=0)
    first, second, entry, *_ = parts_of(content)
    assert {first.title, second.title} == {"Long name of the next entry", "Long link target of the next entry"}
    assert {**values(first), **values(second)}["Long name"] == "n" * 150
    assert {**values(first), **values(second)}["Long link target"] == "t" * 150
    assert entry.title.startswith("Symbolic link nnn")


def test_sizes_that_extended_headers_say_lead_to_the_next_header() -> None:
    content = pax(size=b"600") + header(b"a", size=0) + padded(bytes(600)) + file(b"b") + END
    assert [part.title for part in parts_of(content)][1:3] == ["File a", "File b"]
    every = pax(b"g", size=b"512") + file(b"a") + file(b"b") + END
    assert [part.title for part in parts_of(every)][:3] == ["Extended header of all that follow", "File a", "File b"]
    assert parts_of(every)[0].fields[-2].meaning.startswith("Readers pass over it here")


def sparse(blocks: int) -> bytes:
    """A file with holes, of whose map so many blocks follow the header, and then its content, which is a block."""
    head = bytearray(header(b"holes", b"S", 512, b"ustar  \0"))
    head[482] = 1
    more = [bytes(504) + bytes([number < blocks - 1]) + bytes(7) for number in range(blocks)]
    return signed(bytes(head)) + b"".join(more) + bytes(512)


LONG = record(b"comment", b"x" * 70_000)
BEGINNINGS = {
    "a size of all that follow": pax(b"g", size=b"512") + file(b"a"),
    "a size twice": file(b"pax", record(b"size", b"1024") + record(b"size", b"512"), b"x") + header(b"a") + bytes(512),
    "a size that is taken back": file(b"pax", record(b"size", b"9") + record(b"size", b""), b"x") + file(b"a"),
    "a size behind much else": file(b"pax", LONG + record(b"size", b"512"), b"x") + header(b"a") + bytes(512),
    "a size behind too much": file(b"pax", LONG * 16 + record(b"size", b"512"), b"x") + file(b"a"),
    "a size that cannot be read": pax(size=b"1.5") + file(b"a", b"content"),
    "a size behind what cannot be read": file(b"pax", b"garbage\n" + record(b"size", b"512"), b"x") + file(b"a"),
    "two headers that add up": pax(size=b"512") + pax(path=b"b") + header(b"a") + bytes(512),
    "two headers with sizes": pax(size=b"1024") + pax(size=b"512") + header(b"a") + bytes(512),
    "a size for a link": pax(size=b"512") + header(b"link", b"2"),
    "a long map of holes": sparse(200),
    "the longest map of holes": sparse(2048),
    "an old folder with a size": header(b"old/", b"\0", 5000),
    "an old folder with a name of its own": pax(path=b"folder/") + header(b"old", b"\0", 5000),
    "an old folder with a long name": file(b"long", b"folder/\0", b"L") + header(b"old", b"\0", 5000),
    "an old file": file(b"old", b"content", b"\0"),
}


@pytest.mark.parametrize("what", BEGINNINGS)
def test_entries_are_where_the_files_of_a_layer_are_read_from(what: str) -> None:
    content = BEGINNINGS[what] + file(b"next", b"content") + END
    walker = Walker()
    walker.feed(content)
    listing = walker.finish()
    entries = [part for part in parts_of(content) if part.raw and part.raw[156] not in b"xXgLK"]
    map_of = {part.start: values(part).get("Map of holes, continued", "0") for part in entries}
    begin = [start + 512 + int(length.split()[0].replace(",", "")) for start, length in map_of.items()]
    assert listing.ending is Ending.WHOLE
    assert len(begin) == 2
    assert begin == listing.offsets.tolist()


def test_of_a_long_extended_header_only_the_beginning_is_kept() -> None:
    extended, *_ = parts_of(file(b"pax", LONG + record(b"size", b"512"), b"x") + header(b"a") + bytes(512) + END)
    assert len(extended.raw) == 512 + (64 << 10)
    assert values(extended)["Further records"] == f"{len(LONG) + len(record(b'size', b'512')):,} bytes"


def test_eight_gigabytes_are_followed_in_binary() -> None:
    size = 9 << 30
    head = header(b"large", length=b"\x80\0\0\0" + size.to_bytes(8, "big"))
    entry = next(tar_parts(lambda offset, length: (head if not offset else b"")[:length], 512 + size + 1024))
    told = {field.name: field for field in entry.fields}
    assert told["Size"].value == "9,663,676,416 bytes"
    assert "in binary" in told["Size"].meaning
    assert entry.end == 512 + size


def test_links_and_folders_have_no_content_whatever_their_size_says() -> None:
    content = header(b"link", b"2", 5000, link=b"target") + header(b"folder/", b"5", 10) + header(b"old/", b"\0") + END
    assert [part.title for part in parts_of(content)][:3] == ["Symbolic link link", "Folder folder/", "Folder old/"]
    assert values(parts_of(content)[0])["Link target"] == "target"


def test_maps_of_holes_are_told() -> None:
    sparse = b"%011o\0%011o\0" % (0, 512) + b"%011o\0%011o\0" % (4096, 10)
    more = bytes(504) + b"\0" + bytes(7)
    head = bytearray(header(b"holes", b"S", 512, b"ustar  \0", sparse=sparse))
    head[482] = 1
    head[483:495] = b"%011o\0" % 8192
    entry, *_ = parts_of(signed(bytes(head)) + more + bytes(512) + END)
    told = values(entry)
    assert told["Map of holes"] == "512 bytes at 0, 10 bytes at 4,096"
    assert told["Map goes on"] == "yes"
    assert told["Size with holes"] == "8,192 bytes"
    assert told["Map of holes, continued"] == "512 bytes"
    assert told["Content"] == "512 bytes"
    assert entry.end == 512 + 512 + 512


def test_headers_of_version_seven_have_fewer_fields() -> None:
    head = signed(header(b"old", magic=bytes(8), size=0))
    told = values(parts_of(head + END)[0])
    assert "Magic number" not in told
    assert "Not used" in told


def test_hostile_names_are_fit_to_show() -> None:
    entry, *_ = parts_of(file("evil\u202egnp.exe\n\x1b[31m".encode() + b"\xff") + END)
    assert entry.title == "File evil⟨U+202E⟩gnp.exe␊␛[31m⟨byte FF⟩"


@pytest.mark.parametrize(
    ("content", "titles"),
    [
        (file(b"a") + b"x" * 512, ["File a", "No header that can be read"]),
        (file(b"a") + b"x" * 100, ["File a", "No header that can be read"]),
        (file(b"a", b"content")[:515], ["File a"]),
        (file(b"a") + bytes(512), ["File a", "End of the archive"]),
        (file(b"a") + bytes(512) + file(b"b"), ["File a", "End of the archive", "Behind the end"]),
        (file(b"a"), ["File a"]),
        (pax(path=b"x")[:600], ["Extended header of the next entry"]),
        (file(b"a", length=b"\xff" * 12), ["No header that can be read"]),
    ],
)
def test_what_is_not_sound_is_told_as_far_as_it_goes(content: bytes, titles: list[str]) -> None:
    found = parts_of(content)
    assert [part.title for part in found] == titles
    assert found[-1].end == len(content)


def test_content_that_is_missing_is_counted() -> None:
    assert values(parts_of(file(b"a", b"content")[:515])[0])["Content"] == "7 bytes, of which 4 bytes are missing"


def test_numbers_that_cannot_be_read_are_called_that() -> None:
    told = values(parts_of(file(b"a", mode=b"rwxr-xr-", mtime=b"yesterday...") + END)[0])
    assert (told["Mode"], told["Time"]) == ("unreadable", "unreadable")
    far = values(parts_of(file(b"a", mtime=b"\x80\0\0\0\0\xff\xff\xff\xff\xff\xff\xff") + END)[0])
    assert "seconds after 1970" in far["Time"]


def test_records_that_cannot_be_read_are_told_as_what_they_are() -> None:
    content = file(b"pax", record(b"path", b"name") + b"garbage\n", b"x") + file(b"a") + END
    told = values(parts_of(content)[0])
    assert told["path"] == "name"
    assert told["Further records"] == "8 bytes"


def test_only_what_begins_with_a_header_is_tar() -> None:
    assert is_tar(header(b"a"))
    assert not is_tar(bytes(512))
    assert not is_tar(b"x" * 512)
    assert not is_tar(header(b"a")[:500])
