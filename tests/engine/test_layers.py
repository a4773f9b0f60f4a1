"""A layer becomes a table, is read once whichever images share it, and what is remembered of it is looked at first."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import layers as module
from engine import tablecache
from engine.decompress import Compression, Limits, Stop, zstd
from engine.errors import BlobMissing, Cancelled, StoreChanged
from engine.layers import LayerTable, read_table, read_tables, what_it_really_is
from engine.layout import ImageLayout
from engine.listing import Ending, Listing
from engine.progress import Progress
from engine.tablecache import load_table, save_table
from tests.archives import END, file, header, pax
from tests.layouts import LAYER, LayoutFiles, sha256

CONTENT = (
    header(b"dir/", b"5")
    + file(b"dir/f\xff", b"content")
    + header(b"l", b"2", link=b"dir")
    + header(b"null", b"3", major=b"0000001\0", minor=b"0000003\0")
    + pax(mtime=b"odd")
    + file(b"dir/.wh.gone", mtime=b"14000000000\0")
    + END
)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def read(files: LayoutFiles, digest: str, cache: Path | None = None, **more) -> LayerTable:
    with ImageLayout.open(files.path) as store:
        return read_table(store.blobs, digest, Progress(), cache=cache, **more)


def reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the layer was read")

    monkeypatch.setattr(module, "read_layer", refuse)


def facts(listing: Listing) -> dict[str, object]:
    found = {name: getattr(listing, name) for name in listing.__struct_fields__}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


@pytest.mark.parametrize(
    ("pack", "compression"),
    [(bytes, Compression.NONE), (gzip.compress, Compression.GZIP), (zstd.compress, Compression.ZSTD)],
)
def test_a_layer_is_read_once_and_remembered(files, cache, monkeypatch, pack, compression):
    packed = pack(CONTENT)
    digest = files.blob(packed)["digest"]
    first = read(files, digest, cache)
    assert (first.diff_id, first.is_sound, first.compression, first.complete, first.trouble) == (
        sha256(CONTENT),
        True,
        compression,
        True,
        "",
    )
    assert (first.packed, first.unpacked, len(first.listing)) == (len(packed), len(CONTENT), 5)
    reads_nothing(monkeypatch)
    again = read(files, digest, cache)
    assert facts(again.listing) == facts(first.listing)
    assert again.listing.notes
    assert (again.diff_id, again.is_sound, again.compression, again.stop, again.packed, again.unpacked) == (
        first.diff_id,
        True,
        compression,
        Stop.WHOLE,
        first.packed,
        first.unpacked,
    )


def test_the_file_that_a_table_was_read_from_is_remembered_once_it_has_settled(files, cache):
    digest = files.blob(CONTENT)["digest"]
    read(files, digest, cache)
    assert load_table(cache, digest).stamp == (0, 0, 0, 0)  # it may change once more in this moment
    os.utime(files.file(digest), (1, 1))
    Path(cache / "layers" / f"sha256-{digest[7:]}.layer").unlink()
    first = read(files, digest, cache)
    assert load_table(cache, digest).stamp == first.stamp != (0, 0, 0, 0)


def test_without_a_cache_nothing_is_written(files, tmp_path):
    read(files, files.blob(CONTENT)["digest"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layout"]


def test_a_layer_is_read_as_what_its_bytes_are_and_this_is_said(files):
    table = read(files, files.blob(zstd.compress(CONTENT))["digest"])
    assert len(table.listing) == 5
    assert what_it_really_is(table, f"{LAYER}+gzip").startswith("The layer is zstd, and is called gzip")
    assert what_it_really_is(table, f"{LAYER}+zstd") == what_it_really_is(table, "text/plain") == ""


@pytest.mark.parametrize(
    ("content", "stop", "words"),
    [
        (gzip.compress(CONTENT)[:-9], Stop.EARLY, "ends too early"),
        (CONTENT[:1700], Stop.WHOLE, "in the middle of an entry"),
        (b"nothing of the kind" * 100, Stop.WHOLE, "not a tar file"),
        (gzip.compress(file(b"big", bytes(80 << 20)) + END), Stop.RATIO, "grows too much"),
    ],
)
def test_what_could_be_read_of_a_damaged_layer_is_there(files, cache, monkeypatch, content, stop, words):
    digest = files.blob(content)["digest"]
    table = read(files, digest, cache)
    assert (table.stop, table.complete) == (stop, False)
    assert words in table.trouble
    reads_nothing(monkeypatch)
    assert read(files, digest, cache).trouble == table.trouble


def test_a_layer_beyond_a_limit_is_read_again_with_another_limit(files, cache):
    digest = files.blob(gzip.compress(file(b"big", bytes(80 << 20)) + END))["digest"]
    assert not read(files, digest, cache).complete
    assert read(files, digest, cache, limits=Limits(ratio=1 << 30)).complete
    assert read(files, digest, cache).complete


def test_a_corrupt_layer_is_shown_and_never_remembered(files, cache):
    digest = files.blob(CONTENT)["digest"]
    files.file(digest).write_bytes(file(b"other") + END)
    table = read(files, digest, cache)
    assert (table.is_sound, table.diff_id, len(table.listing)) == (False, "", 1)
    assert "corrupt" in table.trouble
    assert not cache.exists()


def test_a_blob_of_another_size_is_not_what_is_remembered(files, cache):
    digest = files.blob(CONTENT)["digest"]
    read(files, digest, cache)
    files.file(digest).write_bytes(CONTENT + b"more")
    assert read(files, digest, cache).is_sound is False


def test_the_unpacked_digest_is_of_the_algorithm_that_is_asked_for(files, cache):
    digest = files.blob(CONTENT)["digest"]
    read(files, digest, cache)
    assert read(files, digest, cache, diff_algorithm="sha512").diff_id.startswith("sha512:")


def test_a_missing_layer_is_an_error_even_if_it_is_remembered(files, cache):
    digest = files.blob(CONTENT)["digest"]
    read(files, digest, cache)
    files.file(digest).unlink()
    with pytest.raises(BlobMissing):
        read(files, digest, cache)


def test_a_layer_that_is_written_to_meanwhile_is_not_believed(files, cache, monkeypatch):
    digest = files.blob(CONTENT)["digest"]
    read_layer = module.read_layer

    def disturbed(handle, *arguments, **more):
        os.utime(files.file(digest), (1, 1))
        return read_layer(handle, *arguments, **more)

    monkeypatch.setattr(module, "read_layer", disturbed)
    with pytest.raises(StoreChanged, match="was written to"):
        read(files, digest, cache)
    assert not cache.exists()


def test_several_layers_are_read_once_each_and_the_corrupt_ones_are_reported(files, cache):
    digests = [files.blob(file(b"%d" % n) + END)["digest"] for n in range(5)]
    bad = files.file({"digest": digests[3]})
    bad.write_bytes(bad.read_bytes() + bytes(512))
    absent = f"sha256:{'0' * 64}"
    progress = Progress()
    with ImageLayout.open(files.path) as store:
        found = read_tables(store.blobs, [*digests, digests[0], absent], progress, cache=cache)
    assert list(found) == [*digests, absent]
    assert isinstance(found[absent], BlobMissing)
    assert [found[digest].listing.name(0) for digest in digests] == [b"%d" % n for n in range(5)]
    assert progress.drain() == [digests[3]]
    assert progress.done == progress.total


def test_reading_stops_when_it_is_asked_to(files):
    digest = files.blob(CONTENT)["digest"]
    progress = Progress()
    progress.cancel()
    with ImageLayout.open(files.path) as store, pytest.raises(Cancelled):
        read_tables(store.blobs, [digest], progress)


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(files, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    assert read(files, files.blob(CONTENT)["digest"], blocked).complete


def test_a_table_under_another_name_is_not_believed(files, cache):
    digest, other = files.blob(CONTENT)["digest"], files.blob(file(b"x") + END)["digest"]
    read(files, digest, cache)
    place = cache / "layers"
    (place / f"sha256-{digest[7:]}.layer").rename(place / f"sha256-{other[7:]}.layer")
    assert load_table(cache, other) is None


@patient
@given(data=st.data())
def test_no_damage_to_what_is_remembered_is_believed_or_does_harm(files, cache, data):
    digest = files.blob(CONTENT)["digest"]
    table = read(files, digest, cache)
    place = cache / "layers" / f"sha256-{digest[7:]}.layer"
    content = bytearray(place.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[position:]
    else:
        content[position] ^= data.draw(st.integers(1, 255))
    place.write_bytes(content)
    found = load_table(cache, digest)
    assert found is None or facts(found.listing) == facts(table.listing)
    place.unlink()


@patient
@given(data=st.data())
def test_columns_that_contradict_each_other_are_not_believed(files, cache, data):
    """Damage that the checksum does not see, because somebody has made it again."""
    digest = files.blob(CONTENT)["digest"]
    read(files, digest, cache)
    place = cache / "layers" / f"sha256-{digest[7:]}.layer"
    content = bytearray(zstd.decompress(place.read_bytes()))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    place.write_bytes(zstd.compress(bytes(content)))
    found = load_table(cache, digest)
    if found is not None:
        listing = found.listing
        names = listing.names(0, len(listing))
        assert b"".join(part for n, name in enumerate(names) for part in (name, listing.target(n))) == listing.text
        assert listing.ending in Ending
        assert (listing.sizes >= 0).all()
    place.unlink()


def test_a_bomb_in_the_cache_is_not_unpacked(files, cache, monkeypatch):
    digest = files.blob(CONTENT)["digest"]
    read(files, digest, cache)
    monkeypatch.setattr(tablecache, "_LARGEST_TABLE", 1 << 20)
    (cache / "layers" / f"sha256-{digest[7:]}.layer").write_bytes(zstd.compress(bytes(64 << 20)))
    assert load_table(cache, digest) is None
    assert read(files, digest, cache).complete


def test_very_many_tables_are_written_without_looking_through_all_of_them_each_time(files, cache, monkeypatch):
    looks, look = [], tablecache._make_room
    monkeypatch.setattr(tablecache, "_make_room", lambda folder: looks.append(folder) or look(folder))
    for n in range(40):
        save_table(cache, read(files, files.blob(file(b"%d" % n) + END)["digest"]))
    assert len(looks) == 1
    assert len(list((cache / "layers").iterdir())) == 40


def test_the_cache_keeps_what_was_asked_for_last(files, cache, monkeypatch):
    digests = [files.blob(file(b"%d" % n) + END)["digest"] for n in range(4)]
    tables = [read(files, digest) for digest in digests]
    for n, table in enumerate(tables[:3]):
        save_table(cache, table)
        place = cache / "layers" / f"sha256-{table.digest[7:]}.layer"
        os.utime(place, (n + 1, n + 1))
    assert load_table(cache, digests[0]) is not None  # asked for
    (cache / "layers" / "leftover").write_bytes(b"of a crash")
    os.utime(cache / "layers" / "leftover", (1, 1))
    monkeypatch.setattr(tablecache, "FOLDER_SIZE", 3 * place.stat().st_size + 20)
    save_table(cache, tables[3])
    assert [load_table(cache, digest) is not None for digest in digests] == [True, False, True, True]
    assert not (cache / "layers" / "leftover").exists()
