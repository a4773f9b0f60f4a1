"""What finding headers promises: every byte is told once, whatever the bytes are, and only as much is read as is wanted."""

import gzip
import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import headers
from engine.errors import Cancelled, StorageFailed
from engine.headers import HeaderWalk, Part
from engine.headers.gzip_members import gzip_parts
from engine.headers.tar_entries import tar_parts
from engine.headers.zstd_frames import zstd_parts
from engine.progress import Progress
from tests.archives import END, file, pax, record, signed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TAR = pax(path=b"name") + b"".join(file(b"file%d" % number, b"x" * number) for number in range(300)) + END
WHOLE = {"tar": TAR, "gzip": gzip.compress(TAR) + gzip.compress(b"more"), "zstd": zstd.compress(TAR) * 2}
FINDERS = {"tar": tar_parts, "gzip": gzip_parts, "zstd": zstd_parts}


def walk_over(content: bytes) -> HeaderWalk:
    def read(offset: int, length: int, _progress: Progress) -> bytes:
        assert length > 0
        assert offset + length <= len(content)
        return content[offset : offset + length]

    return HeaderWalk(read, len(content))


def all_of(content: bytes) -> list[Part]:
    return walk_over(content).more(Progress(), count=1 << 30)


def check_all_is_told_once(parts: list[Part], size: int) -> None:
    assert parts[0].start == 0
    assert parts[-1].end == size
    for one, other in itertools.pairwise(parts):
        assert one.end == other.start
    for part in parts:
        fields = part.fields
        assert (fields[0].start, fields[-1].end) == (part.start, part.end)
        for field, following in itertools.pairwise(fields):
            assert field.start < field.end == following.start
        assert all(field.name and field.value.isprintable() for field in fields)


@pytest.mark.parametrize("form", WHOLE)
def test_every_byte_is_told_once(form: str) -> None:
    content = WHOLE[form]
    walk = walk_over(content)
    check_all_is_told_once(walk.more(Progress(), count=1 << 30), len(content))
    assert (walk.format, walk.is_done, walk.covered) == (form, True, len(content))


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_so_it_is_of_damaged_files(form: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[form][: data.draw(st.integers(1, 5000))])
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if form == "tar" and len(content) >= 512 and data.draw(st.booleans()):
        content[:512] = signed(bytes(content[:512]))
    parts = list(FINDERS[form](lambda offset, length: bytes(content[offset : offset + length]), len(content)))
    check_all_is_told_once(parts, len(content))


@given(st.sampled_from(sorted(WHOLE)), st.binary(min_size=1, max_size=2000))
def test_so_it_is_of_any_bytes(form: str, content: bytes) -> None:
    start = {"tar": b"", "gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}[form]
    content = start + content
    parts = list(FINDERS[form](lambda offset, length: content[offset : offset + length], len(content)))
    check_all_is_told_once(parts, len(content))


@pytest.mark.parametrize("content", [b"", b"{}", b"text" * 1000, bytes(5000), b"\x1f", b"BZh9..."])
def test_what_is_none_of_the_three_has_no_parts(content: bytes) -> None:
    walk = walk_over(content)
    assert walk.more(Progress(), count=10) == []
    assert (walk.format, walk.is_done) == ("", True)


def test_parts_come_as_many_as_are_wanted() -> None:
    walk = walk_over(TAR)
    first = walk.more(Progress(), count=10)
    assert [part.title for part in first][:2] == ["Extended header of the next entry", "File file0"]
    assert (len(first), walk.covered, walk.is_done) == (10, first[-1].end, False)
    second = walk.more(Progress(), count=1, beyond=50_000)
    assert second[0].start == first[-1].end
    assert second[-1].end >= 50_000 > second[-2].end
    rest = walk.more(Progress(), count=1 << 30)
    places = [(part.start, part.end, part.title) for part in all_of(TAR)]
    assert [(part.start, part.end, part.title) for part in (*first, *second, *rest)] == places


def test_only_so_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MOST_PARTS", 25)
    walk = walk_over(TAR)
    assert len(walk.more(Progress(), count=1000)) == 25
    assert walk.is_done
    assert walk.is_full
    assert walk.covered < len(TAR)


def test_long_headers_do_not_fill_the_memory() -> None:
    content = file(b"pax", record(b"comment", b"x" * 65_000), b"x") * 1000 + END
    walk = walk_over(content)
    parts = walk.more(Progress(), count=1 << 30)
    assert sum(len(part.raw) for part in parts) < headers.MOST_KEPT + (1 << 17)
    assert walk.is_done
    assert walk.is_full
    assert walk.covered < len(content)


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        (
            b"\x1f\x8b\x08\x04\0\0\0\0\0\x03"
            + (64_000).to_bytes(2, "little")
            + b"ab\0\0" * 16_000
            + b"\x03\0"
            + bytes(8),
            "Further extra fields",
            "… and 15,900 more",
        ),
        (file(b"pax", record(b"k", b"v") * 10_000, b"x") + file(b"a") + END, "Further records", "… and 9,800 more"),
    ],
    ids=["gzip", "tar"],
)
def test_of_very_many_fields_some_are_told_and_how_many_more_there_are(content: bytes, name: str, value: str) -> None:
    parts = all_of(content)
    check_all_is_told_once(parts, len(content))
    fields = parts[0].fields
    assert len(fields) < 300
    assert [field.value for field in fields if field.name == name] == [value]


def test_a_few_parts_are_not_called_too_many() -> None:
    walk = walk_over(TAR)
    walk.more(Progress(), count=1 << 30)
    assert not walk.is_full


def test_it_can_be_stopped_and_then_tells_nothing_more() -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        walk_over(TAR).more(progress, count=1)


def test_what_reading_raises_comes_through() -> None:
    def read(_offset: int, _length: int, _progress: Progress) -> bytes:
        raise StorageFailed("broken")

    with pytest.raises(StorageFailed):
        HeaderWalk(read, 1000).more(Progress(), count=1)
