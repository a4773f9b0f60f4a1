"""Layers are unpacked as what they are, within bounds, and what ends them is told."""

import bz2
import gzip
import lzma
import random
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import decompress
from engine.decompress import Compression, Limits, Stop, Unpacker, detect, zstd

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

TEXT = b"".join(b"line %d of a file\n" % n for n in range(20_000))
NOISE = random.Random(1).randbytes(200_000)


def unpack(
    packed: bytes, how: Compression, step: int = 1 << 20, limits: Limits | None = None
) -> tuple[bytes, Unpacker]:
    unpacker = Unpacker(how, limits)
    parts = []
    for start in range(0, len(packed), step):
        parts += unpacker.feed(packed[start : start + step])
    parts += unpacker.finish()
    return b"".join(parts), unpacker


def gzip_member(content: bytes, flags: int = 0) -> bytes:
    """A member with any of the header's optional fields (RFC 1952): 2 checksum, 4 extra, 8 name, 16 comment."""
    header = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03"
    header += b"\x05\0extra" if flags & 4 else b""
    header += b"name\0" if flags & 8 else b""
    header += b"comment\0" if flags & 16 else b""
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF) if flags & 2 else b""
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(content) + packer.flush()
    return header + body + struct.pack("<II", zlib.crc32(content), len(content))


def skippable(content: bytes) -> bytes:
    return struct.pack("<II", 0x184D2A53, len(content)) + content


@pytest.mark.parametrize(
    ("content", "how"),
    [
        (gzip.compress(TEXT), Compression.GZIP),
        (zstd.compress(TEXT), Compression.ZSTD),
        (skippable(b"table") + zstd.compress(TEXT), Compression.ZSTD),
        (lzma.compress(TEXT), Compression.XZ),
        (bz2.compress(TEXT), Compression.BZIP2),
        (b"\x1f\x8bfolder/".ljust(257, b"\0") + b"ustar\x0000", Compression.NONE),
        (b"", Compression.NONE),
    ],
)
def test_compression_is_told_by_the_bytes(content, how):
    assert detect(content[: decompress.HEAD]) == how


@pytest.mark.parametrize("content", [b"", b"x", TEXT, NOISE], ids=["empty", "one", "text", "noise"])
@pytest.mark.parametrize("step", [1 << 20, 1000, 7])
def test_what_was_packed_comes_out(content, step):
    for packed, how in [
        (content, Compression.NONE),
        (gzip.compress(content), Compression.GZIP),
        (zstd.compress(content), Compression.ZSTD),
    ]:
        out, unpacker = unpack(packed, how, step)
        assert out == content
        assert (unpacker.stop, unpacker.packed, unpacker.unpacked) == (Stop.WHOLE, len(packed), len(content))
        assert unpacker.trailing == 0


@patient
@given(
    flags=st.lists(st.sampled_from([0, 2, 4, 8, 12, 16, 28, 30]), min_size=1, max_size=5),
    step=st.integers(1, 200),
    content=st.binary(max_size=300),
)
def test_members_with_any_header_come_out_however_the_bytes_arrive(flags, step, content):
    packed = b"".join(gzip_member(content + bytes([flag]), flag) for flag in flags)
    out, unpacker = unpack(packed, Compression.GZIP, step)
    assert out == gzip.decompress(packed)
    assert (unpacker.stop, unpacker.members) == (Stop.WHOLE, len(flags))


def test_very_many_members_come_out():
    packed = gzip_member(b"a small file") * 20_000
    assert unpack(packed, Compression.GZIP)[0] == b"a small file" * 20_000


@patient
@given(frames=st.lists(st.binary(max_size=50) | st.none(), min_size=1, max_size=6), step=st.integers(1, 60))
def test_frames_come_out_and_skippable_ones_do_not(frames, step):
    packed = b"".join(skippable(b"table of contents") if frame is None else zstd.compress(frame) for frame in frames)
    out, unpacker = unpack(packed, Compression.ZSTD, step)
    assert out == b"".join(frame or b"" for frame in frames)
    assert unpacker.stop is Stop.WHOLE


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("step", [1 << 20, 100, 1])
def test_a_cut_gives_what_was_before_it_and_says_so(pack, step):
    content = NOISE[:3000]
    packed = pack(content)
    how = detect(packed)
    for length in (*range(1, 30), len(packed) // 2, len(packed) - 5, len(packed) - 1):
        out, unpacker = unpack(packed[:length], how if length > 4 else detect(packed), step)
        assert unpacker.stop is Stop.EARLY, length
        assert content.startswith(out)
        out, unpacker = unpack(packed + packed[:length], how, step)
        assert out.startswith(content)
        assert unpacker.stop is Stop.EARLY or (unpacker.trailing and length < 4)


def test_most_of_a_cut_layer_comes_out():
    packed = gzip.compress(TEXT)
    out, _ = unpack(packed[: len(packed) * 9 // 10], Compression.GZIP)
    assert len(out) > len(TEXT) * 0.8


@pytest.mark.parametrize("pack", [gzip_member, lambda text: gzip_member(text, 2)])
def test_a_wrong_bit_in_gzip_is_seen(pack):
    packed = pack(NOISE[:2000])
    for place in (0, 3, 11, 400, len(packed) - 7, len(packed) - 2):
        bad = bytearray(packed)
        bad[place] ^= 64
        assert unpack(bytes(bad), Compression.GZIP)[1].stop in (Stop.DAMAGED, Stop.EARLY), place


def test_a_wrong_bit_in_zstd_is_seen():
    packed = zstd.compress(NOISE[:2000], options={zstd.CompressionParameter.checksum_flag: 1})
    for place in (0, 400, len(packed) - 2):
        bad = bytearray(packed)
        bad[place] ^= 1
        assert unpack(bytes(bad), Compression.ZSTD)[1].stop is Stop.DAMAGED, place


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize(("rest", "padded"), [(b"\0" * 1000, True), (b"hello", False), (b"\0" * 70_000 + b"x", False)])
@pytest.mark.parametrize("step", [1 << 20, 333, 1])
def test_what_follows_the_last_member_is_counted(pack, rest, padded, step):
    out, unpacker = unpack(pack(b"content") + rest, detect(pack(b"")), step)
    assert out == b"content"
    assert (unpacker.stop, unpacker.trailing, unpacker.padded) == (Stop.WHOLE, len(rest), padded)


@pytest.mark.parametrize("how", [Compression.GZIP, Compression.ZSTD])
def test_what_is_no_such_thing_at_all_is_damaged(how):
    assert unpack(b"not compressed in any way", how)[1].stop is Stop.DAMAGED


def test_an_endless_header_is_not_kept_in_memory():
    endless = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03" + b"n" * (4 << 20)
    tracemalloc.start()
    assert unpack(endless, Compression.GZIP, 1 << 16)[1].stop is Stop.DAMAGED
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()


def test_a_bomb_stops_soon_after_its_limit():
    bomb = zstd.compress(bytes(300 << 20))
    assert len(bomb) < 20_000
    for packed, how in [(bomb, Compression.ZSTD), (gzip_bomb(300 << 20), Compression.GZIP)]:
        unpacker = Unpacker(how)
        size = largest = 0
        for block in unpacker.feed(packed):
            size += len(block)
            largest = max(largest, len(block))
        assert unpacker.stop is Stop.RATIO
        assert size <= 66 << 20
        assert largest <= 2 * decompress.BLOCK


def gzip_bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"])
def test_more_than_the_largest_size_is_not_unpacked(pack):
    limits = Limits(size=2 << 20)
    content = NOISE * 30
    unpacker = Unpacker(detect(pack(content[:600])), limits)
    out = sum(len(block) for _ in range(3) for block in unpacker.feed(pack(content)))
    assert unpacker.stop is Stop.SIZE
    assert out <= 4 << 20


def test_a_window_over_128_mib_is_refused():
    for window, stop in [(27, Stop.WHOLE), (28, Stop.WINDOW)]:
        packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window})
        packed = packer.compress(b"x" * 100) + packer.flush()
        assert unpack(packed, Compression.ZSTD)[1].stop is stop


def test_there_is_always_a_moment_to_stop():
    """Nothing comes out of empty members and skippable frames, but whoever feeds them is asked often enough."""
    unpacker = Unpacker(Compression.GZIP)
    assert list(unpacker.feed(gzip_member(b"") * (1 << 15))).count(b"") >= 9


@patient
@given(st.binary(max_size=400), st.sampled_from([Compression.GZIP, Compression.ZSTD]), st.integers(1, 100))
def test_any_bytes_come_to_an_end(noise, how, step):
    magic = b"\x1f\x8b\x08\0" if how is Compression.GZIP else b"\x28\xb5\x2f\xfd"
    for content in (noise, magic + noise, gzip_member(b"x") + noise):
        assert unpack(content, how, step)[1].stop is not None
