"""Any part of a layer can be had, from marks that the first reading has left."""

import gzip
import os
import random
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import seeking
from engine.decompress import Compression, zstd
from engine.errors import Cancelled
from engine.progress import Progress
from engine.seeking import Damaged, SeekableLayer

_RANDOM = random.Random(3)
CONTENT = b"".join(_RANDOM.randbytes(50) * _RANDOM.randrange(1, 40) for _ in range(3000))


def in_parts(pack: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Packed as many members or frames, as some tools do."""
    return lambda content: b"".join(pack(content[n : n + 70_000]) for n in range(0, len(content), 70_000))


def with_checksum(content: bytes) -> bytes:
    """Packed so that damage is noticed."""
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


FORMS = [
    (Compression.NONE, bytes),
    (Compression.GZIP, gzip.compress),
    (Compression.GZIP, in_parts(gzip.compress)),
    (Compression.ZSTD, with_checksum),
    (Compression.ZSTD, in_parts(with_checksum)),
]
patient = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[bytes, Compression], SeekableLayer]]:
    def open_layer(packed: bytes, compression: Compression) -> SeekableLayer:
        path = tmp_path / "layer"
        path.write_bytes(packed)
        return SeekableLayer(os.open(path, os.O_RDONLY), compression, 0)

    return open_layer


def part(layer: SeekableLayer, offset: int, length: int) -> bytes:
    return b"".join(layer.stream(offset, length, Progress()))


@pytest.fixture
def close_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeking, "_NEAR", 100_000)
    monkeypatch.setattr(seeking, "BLOCK", 10_000)


@pytest.mark.usefixtures("close_marks")
@pytest.mark.parametrize(("compression", "pack"), FORMS)
@patient
@given(data=st.data())
def test_any_part_in_any_order_is_what_unpacking_everything_gives(opened, compression, pack, data):
    layer = opened(pack(CONTENT), compression)
    for _ in range(data.draw(st.integers(1, 6))):
        offset = data.draw(st.integers(0, len(CONTENT) + 10))
        length = data.draw(st.integers(0, 300_000))
        assert part(layer, offset, length) == CONTENT[offset : offset + length]


@pytest.mark.usefixtures("close_marks")
@pytest.mark.parametrize(("compression", "pack"), [FORMS[1], FORMS[2], FORMS[4]])
def test_the_second_look_begins_nearby(opened, monkeypatch, compression, pack):
    layer = opened(pack(CONTENT), compression)
    part(layer, len(CONTENT) - 10, 10)
    taken = []
    pread = os.pread

    def counted(handle, size, offset):
        taken.append(size)
        return pread(handle, size, offset)

    monkeypatch.setattr(seeking.os, "pread", counted)
    monkeypatch.setattr(seeking, "_PIECE", 1000)
    whole = len(pack(CONTENT))
    assert part(layer, len(CONTENT) // 2, 100) == CONTENT[len(CONTENT) // 2 :][:100]
    assert sum(taken) < whole / 4


@pytest.mark.parametrize(("compression", "pack"), FORMS)
def test_who_reads_on_does_not_begin_again(opened, compression, pack, monkeypatch):
    layer = opened(pack(CONTENT), compression)
    part(layer, 0, len(CONTENT) // 2)
    monkeypatch.setattr(seeking, "_Cursor", None)
    assert part(layer, len(CONTENT) // 2 + 300_000, 10) == CONTENT[len(CONTENT) // 2 + 300_000 :][:10]


@pytest.mark.parametrize(("compression", "pack"), FORMS[1:])
def test_damage_is_told_where_it_is_and_what_is_before_it_can_be_read(opened, compression, pack):
    packed = pack(CONTENT)
    layer = opened(packed[: len(packed) // 2], compression)
    with pytest.raises(Damaged, match=r"ends too early|damaged"):
        part(layer, 0, len(CONTENT))
    assert part(layer, 10, 1000) == CONTENT[10:1010]
    broken = bytearray(packed)
    broken[len(broken) // 2 : len(broken) // 2 + 50] = bytes(50)
    layer = opened(bytes(broken), compression)
    with pytest.raises(Damaged):
        part(layer, 0, len(CONTENT))
    assert part(layer, 10, 1000) == CONTENT[10:1010]


@pytest.mark.parametrize(("compression", "pack"), FORMS[1:])
def test_what_follows_the_packed_data_is_not_read(opened, compression, pack):
    assert part(opened(pack(CONTENT) + b"\0" * 100, compression), 0, 1 << 30) == CONTENT


def test_the_marks_of_a_layer_are_bounded(opened):
    packed = gzip.compress(bytes(64 << 20), 1)
    layer = opened(packed, Compression.GZIP)
    seeking_size = 0
    tracemalloc.start()
    for piece in layer.stream(0, 1 << 30, Progress()):
        seeking_size += len(piece)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seeking_size == 64 << 20
    assert most < 8 << 20


def test_a_window_that_needs_too_much_memory_is_refused(opened):
    options = {zstd.CompressionParameter.window_log: 28, zstd.CompressionParameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=options)
    packed = compressor.compress(CONTENT) + compressor.flush()
    with pytest.raises(Damaged):
        part(opened(packed, Compression.ZSTD), 0, 10)


def test_reading_stops_when_it_is_asked_to(opened):
    for compression, pack in FORMS[:2]:
        layer = opened(pack(CONTENT), compression)
        progress = Progress()
        stream = layer.stream(0, len(CONTENT), progress)
        next(stream)
        progress.cancel()
        with pytest.raises(Cancelled):
            next(stream)
        assert part(layer, 5, 5) == CONTENT[5:10]


@pytest.mark.usefixtures("close_marks")
def test_several_threads_may_read_at_once(opened):
    layer = opened(gzip.compress(CONTENT), Compression.GZIP)
    wrong = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(10):
            offset = chance.randrange(len(CONTENT))
            if part(layer, offset, 5000) != CONTENT[offset : offset + 5000]:
                wrong.append(offset)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
