"""A tar file is listed as Python's tarfile and GNU tar list it, and a damaged one as far as it can be read."""

import io
import math
import os
import re
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import listing as listings
from engine.listing import OPAQUE, SPARSE, WHITEOUT, Ending, Listing, Oddity
from engine.tarheader import EXTENDED_LIMIT, HEADER_ONLY
from engine.tarwalk import Walker
from tests.archives import END, file, header, padded, pax, record, signed

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

Facts = tuple[bytes, str, int, int, int, int, int, bytes]
"""Name without the slashes of folders, type, size, mode, user, group, time, link target."""


def walk(content: bytes, step: int = 1 << 20, entries: int = 2_000_000) -> Listing:
    walker = Walker(entries=entries)
    for start in range(0, len(content), step):
        walker.feed(content[start : start + step])
    return walker.finish()


def facts(listing: Listing) -> list[Facts]:
    found = []
    for row in range(len(listing)):
        kind = chr(listing.types[row])
        name = listing.name(row)
        found.append(
            (
                name.rstrip(b"/") if kind == "5" else name,
                kind,
                int(listing.sizes[row]),
                int(listing.modes[row]),
                int(listing.uids[row]),
                int(listing.gids[row]),
                int(listing.mtimes[row]),
                listing.target(row) if kind in "12" else b"",
            )
        )
    return found


def facts_of_tarfile(content: bytes) -> list[Facts]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape", encoding="utf-8") as archive:
        for entry in archive:
            kind = entry.type.decode().replace("\0", "0")
            found.append(
                (
                    as_bytes(entry.name),
                    kind,
                    0 if ord(kind) in HEADER_ONLY else entry.size,
                    entry.mode & 0o7777,
                    entry.uid,
                    entry.gid,
                    math.floor(entry.mtime),
                    as_bytes(entry.linkname) if kind in "12" else b"",
                )
            )
    return found


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


_LINE = re.compile(rb"(.)(.{9}) +(-?\d+)/(-?\d+) +(\S+) +(-?\d+-\d\d-\d\d \d\d:\d\d:\d\d)\S* (.*)")


def lines_of_gnu_tar(content: bytes) -> list[tuple[bytes, ...]]:
    """Kind, user, group, size (or device), time and name, as ``tar -tv`` prints them."""
    command = ["tar", "-tvf-", "--numeric-owner", "--full-time", "--quoting-style=literal"]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    told = subprocess.run(command, input=content, capture_output=True, env=environment)
    assert told.returncode == 0, told.stderr
    found = []
    for line in told.stdout.splitlines():
        match = _LINE.fullmatch(line)
        assert match, line
        kind, _, uid, gid, size, time, name = match.groups()
        found.append((kind, uid, gid, b"" if kind in b"bc" else size, time, name))
    return found


def lines(listing: Listing) -> list[tuple[bytes, ...]]:
    found = []
    for row in range(len(listing)):
        kind = chr(listing.types[row])
        name = listing.name(row)
        name += {"1": b" link to ", "2": b" -> "}[kind] + listing.target(row) if kind in "12" else b""
        found.append(
            (
                {"0": b"-", "1": b"h", "2": b"l", "3": b"c", "4": b"b", "5": b"d", "6": b"p", "S": b"-"}[kind],
                str(listing.uids[row]).encode(),
                str(listing.gids[row]).encode(),
                b"" if kind in "34" else str(listing.sizes[row]).encode(),
                str(listing.mtimes[row].astype("datetime64[s]")).replace("T", " ").encode(),
                name,
            )
        )
    return found


# ---------------------------------------------------------------------------------------- beside other programs

LETTERS = st.sampled_from([b"a", b"file", b"\xc3\xa9", b"\xff\xfe", b" ", b".wh.x", b"very-long-" * 12, b"-", b"\\"])
NAMES = st.lists(LETTERS, min_size=1, max_size=4).map(b"/".join).filter(lambda name: name.strip(b" "))
KINDS = st.sampled_from("00000112234567")


@st.composite
def entries(draw: st.DrawFn, *, ids: int = 2**31, times: int = 2**33 - 1, past: int = 0) -> tarfile.TarInfo:
    kind = draw(KINDS)
    entry = tarfile.TarInfo(draw(NAMES).decode("utf-8", "surrogateescape"))
    entry.type = kind.encode()
    entry.mode = draw(st.integers(0, 0o7777))
    entry.uid, entry.gid = draw(st.integers(0, ids)), draw(st.integers(0, ids))
    entry.mtime = draw(st.integers(past, times))
    if kind in "12":
        entry.linkname = draw(NAMES).decode("utf-8", "surrogateescape")
    if kind in "34":
        entry.devmajor, entry.devminor = draw(st.integers(0, 255)), draw(st.integers(0, 255))
    if kind in "07":
        entry.size = draw(st.sampled_from([0, 1, 511, 512, 513, 3000]))
    return entry


def written(made: list[tarfile.TarInfo], style: int, headers: dict[str, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", format=style, errors="surrogateescape", encoding="utf-8", pax_headers=headers
    ) as archive:
        for entry in made:
            archive.addfile(entry, io.BytesIO(b"d" * entry.size))
    return stream.getvalue()


@patient
@given(made=st.lists(entries(past=-(2**31)), max_size=8), step=st.integers(1, 3000))
def test_gnu_archives_are_listed_as_tarfile_does(made, step):
    content = written(made, tarfile.GNU_FORMAT)
    assert facts(walk(content, step)) == facts_of_tarfile(content)


@patient
@given(made=st.lists(entries(past=-(2**31)), max_size=8), step=st.integers(1, 3000), fraction=st.floats(-1e9, 1e9))
def test_pax_archives_are_listed_as_tarfile_does(made, step, fraction):
    for entry in made[::2]:
        entry.pax_headers = {"comment": "more\nlines", "SCHILY.xattr.user.x": "=", "atime": "12.5"}
    for entry in made[1::2]:
        entry.mtime = round(fraction, 3)
    content = written(made, tarfile.PAX_FORMAT, {"comment": "all of them", "uid": "77"} if len(made) > 4 else None)
    assert facts(walk(content, step)) == facts_of_tarfile(content)


@patient
@given(made=st.lists(entries(ids=2**18, past=0), max_size=8), step=st.integers(1, 3000))
def test_plain_posix_archives_are_listed_as_tarfile_does(made, step):
    for entry in made:
        entry.name, entry.linkname = entry.name[-99:].lstrip("/"), entry.linkname[-99:]
    content = written(made, tarfile.USTAR_FORMAT)
    assert facts(walk(content, step)) == facts_of_tarfile(content)


@settings(patient, max_examples=40)
@given(made=st.lists(entries(past=-(2**31)), min_size=1, max_size=10), style=st.sampled_from([1, 2]))
def test_archives_are_listed_as_gnu_tar_does(made, style):
    for entry in made:
        if entry.type == b"7":
            entry.type = b"0"
    content = written(made, style)
    assert lines(walk(content)) == lines_of_gnu_tar(content)


STYLES = ["v7", "oldgnu", "gnu", "ustar", "posix"]
SPARSE_STYLES = [["--format=gnu"], *(["--format=posix", f"--sparse-version={n}"] for n in ("0.0", "0.1", "1.0"))]


@pytest.mark.parametrize("style", STYLES)
def test_what_gnu_tar_writes_is_listed_as_it_and_tarfile_do(tmp_path, style):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"content" * 300)
    (tmp_path / "folder" / "link").symlink_to("file")
    os.link(tmp_path / "folder" / "file", tmp_path / "hard")
    (tmp_path / os.fsdecode(b"not \xff UTF-8")).write_bytes(b"x")
    if style != "v7":
        os.mkfifo(tmp_path / "pipe")
        deep = tmp_path / ("d" * 90) / ("e" * 90)
        deep.mkdir(parents=True)
        (deep / "file").touch()
    command = ["tar", "-cf-", "--mtime=@1600000000", f"--format={style}", "-C", tmp_path, "."]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    listing = walk(content)
    assert listing.ending is Ending.WHOLE
    assert facts(listing) == facts_of_tarfile(content)
    assert lines(listing) == lines_of_gnu_tar(content)


@pytest.mark.parametrize("options", SPARSE_STYLES, ids=str)
@pytest.mark.parametrize("holes", [3, 60])
@pytest.mark.parametrize("step", [1 << 20, 700])
def test_files_with_holes_are_listed_as_gnu_tar_and_tarfile_do(tmp_path, options, holes, step):
    with (tmp_path / "sparse").open("wb") as file_with_holes:
        for n in range(holes):
            file_with_holes.seek(n << 20)
            file_with_holes.write(b"some data %d" % n)
        file_with_holes.truncate(9 << 30)
    (tmp_path / "the next one").write_bytes(b"x")
    command = ["tar", "-cSf-", "--mtime=@1600000000", *options, "-C", tmp_path, "sparse", "the next one"]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    listing = walk(content, step)
    assert listing.flags.tolist() == [SPARSE, 0]
    assert listing.sizes.tolist() == [9 << 30, 1]
    assert facts(listing) == facts_of_tarfile(content)
    assert lines(listing) == lines_of_gnu_tar(content)


# -------------------------------------------------------------------------------------------------- single things


def test_an_empty_file_may_be_stored_as_a_sparse_one():
    content = file(b"s", b"data", kind=b"S", magic=b"ustar  \0") + file(b"next") + END
    assert facts(walk(content)) == facts_of_tarfile(content)


def test_data_is_where_the_listing_says():
    content = file(b"a", b"first") + pax(path=b"b" * 200) + file(b"b", b"second" * 100) + file(b"c", b"third") + END
    listing = walk(content)
    data = [content[start : start + size] for start, size in zip(listing.offsets, listing.sizes, strict=True)]
    assert data == [b"first", b"second" * 100, b"third"]


@pytest.mark.parametrize("how", ["binary", "pax"])
def test_files_of_more_than_8_gib(how):
    size = 9 << 30
    binary = b"\x80" + size.to_bytes(11, "big")
    head = header(b"big", length=binary) if how == "binary" else header(b"big")
    walker = Walker()
    walker.feed((pax(size=b"%d" % size) if how == "pax" else b"") + head)
    for _ in range(9 << 6):
        walker.feed(bytes(16 << 20))
    walker.feed(file(b"next", b"x") + END)
    listing = walker.finish()
    assert (listing.sizes.tolist(), listing.ending) == ([size, 1], Ending.WHOLE)


def test_numbers_as_old_and_odd_programs_write_them():
    content = (
        file(b"spaces", mode=b"   644 \0", uid=b"     1 \0", mtime=b"      17 \0\0\0")
        + file(b"empty", mode=bytes(8), uid=bytes(8))
        + file(b"full", mtime=b"777777777777", uid=b"7777777 ")
        + file(b"negative", mtime=b"\xff" * 11 + b"\xfe", uid=b"\x80\0\0\0\xff\xff\xff\xff")
        + END
    )
    listing = walk(content)
    assert facts(listing) == facts_of_tarfile(content)
    assert not listing.notes


def test_a_number_that_cannot_be_read_is_noted_and_stops_nothing():
    content = (
        file(b"a") + file(b"b", mode=b"8r-xr-xr") + pax(mtime=b"yesterday", uid=b"-5") + file(b"c") + file(b"d") + END
    )
    listing = walk(content)
    assert listing.names(0, 4) == [b"a", b"b", b"c", b"d"]
    assert {(note.oddity, note.row) for note in listing.notes} == {(Oddity.NUMBER, 1), (Oddity.NUMBER, 2)}


@pytest.mark.parametrize(
    "size", [b"0000_000010\0", b"0o000000010\0", b"+0000000010\0", b"\t0000000010\0", b"00000000010\x0b"]
)
def test_where_go_finds_no_number_there_is_no_size(size):
    listing = walk(file(b"good", b"x") + file(b"odd", b"12345678", length=size) + END)
    assert (listing.names(0, 9), listing.ending) == ([b"good"], Ending.DAMAGED)


def test_a_number_may_begin_with_nuls():
    content = file(b"file", b"12345678", length=b"\x000000000010\0", mode=b"\x00000755") + END
    listing = walk(content)
    assert (facts(listing)[0][2:4], listing.ending) == ((8, 0o755), Ending.WHOLE)


def test_headers_of_before_posix():
    content = (
        file(b"file", b"x", kind=b"\0", magic=b"")
        + file(b"folder/", kind=b"\0", magic=b"")
        + file(b"end", magic=b"")
        + END
    )
    listing = walk(content)
    assert bytes(listing.types) == b"050"
    assert facts(listing) == facts_of_tarfile(content)


def test_checksums_of_signed_bytes_are_right_too():
    head = header(b"\xff\xfe name")
    total = sum(head[:148]) + 8 * 32 + sum(head[156:]) - 2 * 256
    content = head[:148] + b"%06o\0 " % total + head[156:] + END
    assert facts(walk(content)) == facts_of_tarfile(content)


def test_names_end_at_their_first_nul():
    content = (
        file(b"name\0rest", link=b"to\0rest", kind=b"2") + file(b"n", prefix=b"p\0q") + file(b"m", prefix=b"\0q") + END
    )
    listing = walk(content)
    assert (listing.names(0, 3), listing.target(0)) == ([b"name", b"p/n", b"m"], b"to")
    assert facts(listing) == facts_of_tarfile(content)


def test_names_fill_their_fields():
    content = file(b"n" * 100, prefix=b"p" * 155, link=b"l" * 100, kind=b"2") + END
    assert facts(walk(content)) == facts_of_tarfile(content)


def test_gnu_tar_keeps_no_prefix_where_posix_has_one():
    content = file(b"name", magic=b"ustar  \0", prefix=b"00000000001\00000000002\0") + END
    assert walk(content).names(0, 1) == [b"name"]
    assert lines(walk(content)) == lines_of_gnu_tar(content)


@pytest.mark.parametrize("kind", [b"1", b"2", b"5", b"6"])
def test_links_and_folders_have_no_data_whatever_their_size_says(kind):
    content = header(b"a", kind, size=5000, link=b"x") + file(b"b", b"data") + END
    listing = walk(content)
    assert (listing.names(0, 2), listing.sizes.tolist()) == ([b"a", b"b"], [0, 4])
    assert facts(listing) == facts_of_tarfile(content)


def test_unknown_types_are_listed_and_their_data_is_passed():
    content = file(b"odd", b"data", kind=b"Z") + file(b"next") + END
    assert facts(walk(content)) == facts_of_tarfile(content)


def test_devices_have_their_numbers():
    content = file(b"d", kind=b"3", major=b"0000010\0", minor=b"0000003\0") + file(b"f") + END
    assert walk(content).devices == {0: (8, 3)}


@pytest.mark.parametrize("magic", [b"ustar\x0000", b"ustar  \0"])
def test_long_names_of_gnu_tar(magic):
    name, target = b"n" * 300, b"t" * 200
    content = file(b"@", name + b"\0", kind=b"L") + file(b"@", target + b"\0", kind=b"K")
    content += file(b"n" * 100, kind=b"2", magic=magic) + file(b"next") + END
    listing = walk(content)
    assert (listing.name(0), listing.target(0), listing.name(1)) == (name, target, b"next")
    assert facts(listing) == facts_of_tarfile(content)


def test_an_empty_pax_value_says_nothing():
    content = pax(path=b"", mtime=b"") + file(b"name", mtime=b"00000000017\0") + END
    listing = walk(content)
    assert (listing.name(0), listing.mtimes.tolist()) == (b"name", [15])


def test_global_pax_headers_hold_until_the_next_one_says_otherwise():
    content = pax(b"g", uid=b"7", comment=b"x") + file(b"a") + pax(uid=b"9") + file(b"b") + file(b"c")
    content += pax(b"g", uid=b"8") + file(b"d") + END
    listing = walk(content)
    assert listing.uids.tolist() == [7, 9, 7, 8]
    assert facts(listing) == facts_of_tarfile(content)


def test_users_beyond_32_bits_are_noted():
    content = pax(uid=b"%d" % 2**40) + file(b"a") + END
    listing = walk(content)
    assert listing.uids.tolist() == [2**32 - 1]


# ------------------------------------------------------------------------------------------------------- endings


def test_each_end_is_told():
    sound = file(b"a", b"content") + file(b"b")
    for content, ending, end, trailing in [
        (sound + END, Ending.WHOLE, 1536, False),
        (sound + bytes(10240), Ending.WHOLE, 1536, False),
        (sound + END + b"more", Ending.WHOLE, 1536, True),
        (sound + END + file(b"hidden") + END, Ending.WHOLE, 1536, True),
        (sound + bytes(512), Ending.ONE_BLOCK, 1536, False),
        (sound + bytes(700), Ending.ONE_BLOCK, 1536, False),
        (sound + bytes(512) + file(b"hidden") + END, Ending.ONE_BLOCK, 1536, True),
        (sound, Ending.NO_BLOCKS, 1536, False),
        (sound[:-1], Ending.CUT, 1535, False),
        (sound[:519], Ending.NO_BLOCKS, 519, False),  # all of the content, and none of the zeros behind it
        (sound[:518], Ending.CUT, 518, False),
        (sound + b"x" * 512 + END, Ending.DAMAGED, 1536, False),
        (END, Ending.WHOLE, 0, False),
        (b"", Ending.NO_BLOCKS, 0, False),
        (b"{}", Ending.NO_TAR, 0, False),
        (b"some text " * 500, Ending.NO_TAR, 0, False),
    ]:
        for step in (1, 100, 512, 1 << 20):
            listing = walk(content, step)
            assert (listing.ending, listing.end, listing.trailing) == (ending, end, trailing), (content[-20:], step)


@pytest.mark.parametrize("many", [5, 5000])
def test_a_wrong_checksum_ends_the_listing_there(many):
    content = b"".join(file(b"file %d" % n, b"data") for n in range(many))
    for bad in (0, 1, many // 2, many - 1):
        damaged = bytearray(content + END)
        damaged[bad * 1024 + 3] ^= 1
        listing = walk(bytes(damaged))
        assert len(listing) == bad
        assert (listing.ending, listing.end) == (Ending.DAMAGED if bad else Ending.NO_TAR, bad * 1024)
        assert listing.names(0, bad) == [b"file %d" % n for n in range(bad)]


@patient
@given(st.data())
def test_a_cut_archive_is_listed_up_to_the_cut(data):
    content = written([data.draw(entries()) for _ in range(4)], tarfile.PAX_FORMAT)
    end, whole = walk(content).end, facts(walk(content))
    length = data.draw(st.integers(0, len(content)))
    listing = walk(content[:length], data.draw(st.integers(1, 2000)))
    assert facts(listing) == whole[: len(listing)]
    assert listing.ending is not Ending.DAMAGED
    assert (listing.ending is Ending.WHOLE) == (length >= end + 1024)


@patient
@given(st.data())
def test_a_damaged_archive_is_listed_up_to_the_damage_in_pieces_of_any_size(data):
    content = bytearray(written([data.draw(entries()) for _ in range(5)], data.draw(st.sampled_from([1, 2]))))
    before = facts(walk(bytes(content)))
    places = data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4))
    for place in places:
        content[place] = data.draw(st.integers(0, 255))
    listing = walk(bytes(content))
    sound = sum(1 for offset in listing.offsets if offset <= min(places))
    assert facts(listing)[: max(0, sound - 1)] == before[: max(0, sound - 1)]
    again = walk(bytes(content), data.draw(st.integers(1, 999)))
    assert (facts(again), again.ending, again.end) == (facts(listing), listing.ending, listing.end)
    assert again.notes == listing.notes


@patient
@given(st.binary(max_size=3000), st.integers(1, 700))
def test_any_bytes_are_walked_without_an_error(noise, step):
    for content in (noise, file(b"a") + noise, signed((noise + bytes(512))[:512]) + noise):
        assert len(walk(content, step)) <= 8


@patient
@given(st.binary(max_size=200), st.sampled_from(b"xgLKXSV"), st.integers(1, 700))
def test_any_extended_header_is_walked_without_an_error(noise, kind, step):
    content = file(b"x", noise, kind=bytes([kind])) + file(b"name", b"data") + END
    listing = walk(content, step)
    assert listing.ending is not None
    if kind in b"xgX":
        assert len(listing) == 1


# ------------------------------------------------------------------------------------------------------ hostility


def test_a_name_too_long_is_cut_and_noted():
    content = pax(path=b"n" * 5000) + file(b"a") + END
    listing = walk(content)
    assert len(listing.name(0)) == listings.NAME_LIMIT
    assert [note.oddity for note in listing.notes] == [Oddity.LONG_NAME]


def test_a_large_extended_header_is_passed_over():
    content = file(b"x", record(b"path", b"n" * (EXTENDED_LIMIT + 1)), kind=b"x") + file(b"name") + END
    for step in (1 << 20, 70_000):
        listing = walk(content, step)
        assert (listing.names(0, 1), listing.ending) == ([b"name"], Ending.WHOLE)
        assert [(note.oddity, note.row) for note in listing.notes] == [(Oddity.LARGE_RECORDS, 0)]


def test_broken_records_are_noted():
    for records in (b"99 path=x\n", b"path=x\n", b"9 path=xx", b"00 path=x\n", b"10 path=xyz"):
        listing = walk(file(b"x", records, kind=b"x") + file(b"name") + END)
        assert [(note.oddity, note.row) for note in listing.notes] == [(Oddity.RECORDS, 0)], records
        assert len(listing) == 1


@pytest.mark.parametrize(
    ("key", "value", "oddity"),
    [
        (b"path", b"a\0b", Oddity.RECORDS),
        (b"linkpath", b"a\0b", Oddity.RECORDS),
        (b"uname", b"a\0b", Oddity.RECORDS),
        (b"foo\0", b"x", Oddity.RECORDS),
        (b"atime", b"yesterday", Oddity.RECORDS),
        (b"ctime", b"yesterday", Oddity.RECORDS),
        (b"mtime", b"yesterday", Oddity.NUMBER),
        (b"size", b"1.5", Oddity.NUMBER),
        (b"uid", b"1.5", Oddity.NUMBER),
        (b"gid", b"1.5", Oddity.NUMBER),
    ],
)
def test_records_that_go_refuses_are_noted(key, value, oddity):
    listing = walk(file(b"x", record(key, value), kind=b"x") + file(b"a", b"x") + END)
    assert [(note.oddity, note.row) for note in listing.notes] == [(oddity, 0)]
    assert listing.ending is Ending.WHOLE


def test_times_with_fractions_and_attributes_with_nuls_are_sound():
    records = record(b"atime", b"1.5") + record(b"ctime", b"") + record(b"SCHILY.xattr.user.a", b"\0")
    assert not walk(file(b"x", records, kind=b"x") + file(b"a") + END).notes


def test_an_extended_header_without_an_entry_is_noted():
    assert [note.oddity for note in walk(file(b"a") + pax(path=b"b") + END).notes] == [Oddity.DANGLING]
    assert not walk(pax(b"g", path=b"b") + END).notes


def test_no_more_entries_than_the_limit():
    content = b"".join(file(b"%d" % n) for n in range(5000)) + END
    for limit, ending in [
        (10, Ending.TOO_MANY),
        (4999, Ending.TOO_MANY),
        (5000, Ending.WHOLE),
        (2048, Ending.TOO_MANY),
    ]:
        listing = walk(content, entries=limit)
        assert (len(listing), listing.ending) == (limit, ending)
        assert len(listing.starts) == limit + 1


def test_no_more_names_than_the_limit(monkeypatch):
    monkeypatch.setattr(listings, "_TEXT_LIMIT", 100_000)
    content = b"".join(pax(path=b"%04d" % n * 100) + file(b"x") for n in range(5000)) + END
    listing = walk(content)
    assert listing.ending is Ending.TOO_LONG
    assert len(listing.text) <= 100_000


def test_endless_maps_of_holes_and_headers_are_not_kept_in_memory():
    more = bytes(504) + b"\1" + bytes(7)
    tracemalloc.start()
    for start in (header(b"s", b"S", sparse=bytes(96) + b"\1"), header(b"x", b"x", size=1 << 33)):
        walker = Walker()
        walker.feed(start)
        for _ in range(64):
            walker.feed(more * 512)
        walker.finish()
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_whiteouts_are_marked():
    names = [
        b".wh.a",
        b"d/.wh.b",
        b"d/.wh..wh..opq",
        b".wh..wh..opq",
        b"d/.wh.dir/",
        b".wh.",
        b"a.wh.b",
        b".wh..wh.plnk",
    ]
    listing = walk(b"".join(map(file, names)) + END)
    assert listing.flags.tolist() == [WHITEOUT, WHITEOUT, OPAQUE, OPAQUE, WHITEOUT, WHITEOUT, 0, 0]


def test_half_a_million_rows_take_at_most_60_mib():
    walker = Walker()
    walker.feed(b"".join(file(b"usr/share/some/folder/of/usual/length/and-a-name-%07d.txt" % n) for n in range(5000)))
    walker.feed(END)
    listing = walker.finish()
    fields = [getattr(listing, name) for name in listing.__struct_fields__]
    size = sum(field.nbytes for field in fields if hasattr(field, "nbytes")) + len(listing.text)
    assert size * 100 < 60 << 20


def test_padding_is_no_part_of_a_name(tmp_path: Path):
    content = file(b"@", padded(b"n" * 120), kind=b"L") + file(b"n") + END
    assert walk(content).name(0) == b"n" * 120
