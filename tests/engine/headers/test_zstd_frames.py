"""What is told of zstd files: frames, blocks and checksums, also of what is cut off."""

import sys

import pytest

from engine.headers import Part
from engine.headers.zstd_frames import zstd_parts

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Option = zstd.CompressionParameter
PLAIN = bytes(range(256)) * 4000


def parts_of(content: bytes) -> list[Part]:
    return list(zstd_parts(lambda offset, length: content[offset : offset + length], len(content)))


def values(part: Part) -> dict[str, str]:
    return {field.name: field.value for field in part.fields}


def test_a_frame_is_told_with_its_blocks_and_its_checksum() -> None:
    content = zstd.compress(PLAIN, options={Option.checksum_flag: 1})
    head, *blocks, end = parts_of(content)
    told = values(head)
    assert head.title == "zstd frame 1"
    assert told["Magic number"] == "28 b5 2f fd"
    assert told["Unpacked length"] == "1,024,000 bytes"
    assert "a checksum at the end" in told["Frame header"]
    assert [block.title for block in blocks] == [f"Block {number} of frame 1" for number in range(1, len(blocks) + 1)]
    assert all("more follow" in values(block)["Block header"] for block in blocks[:-1])
    assert "the last one" in values(blocks[-1])["Block header"]
    assert (end.title, end.end - end.start, end.end) == ("End of zstd frame 1", 4, len(content))


def test_a_frame_without_size_has_a_window() -> None:
    packer = zstd.ZstdCompressor(options={Option.window_log: 20, Option.checksum_flag: 0})
    content = packer.compress(b"x" * 300, packer.FLUSH_BLOCK) + packer.compress(PLAIN) + packer.flush()
    head, *blocks = parts_of(content)
    told = values(head)
    assert told["Window"] == "1,048,576 bytes"
    assert "Unpacked length" not in told
    assert "no checksum at the end" in told["Frame header"]
    assert blocks[-1].end == len(content)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_791, 65_792, 70_000])
def test_the_length_is_right_in_each_of_its_forms(size: int) -> None:
    content = zstd.compress(bytes(size), options={Option.content_size_flag: 1})
    unit = "byte" if size == 1 else "bytes"
    assert values(parts_of(content)[0])["Unpacked length"] == f"{size:,} {unit}"


def test_one_byte_repeated_takes_one_byte() -> None:
    content = zstd.compress(bytes(100_000))
    block = parts_of(content)[-1]
    if "one byte repeated" in values(block)["Block header"]:
        assert values(block)["Content of the block"] == "1 byte"
    assert block.end == len(content)


def test_frames_that_are_skipped_are_told_and_the_footer_of_chunked_layers_is_known() -> None:
    notes = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    footer = b"\x51\x2a\x4d\x18" + (64).to_bytes(4, "little") + bytes(56) + b"GNUlInUx"
    content = notes + zstd.compress(b"one") + zstd.compress(b"two") + footer
    found = parts_of(content)
    assert [part.title for part in found if "frame" in part.title and "Block" not in part.title] == [
        "zstd frame 1, which is skipped",
        "zstd frame 2",
        "zstd frame 3",
        "zstd frame 4, which is skipped",
    ]
    assert values(found[0])["Length"] == "5 bytes"
    assert "zstd:chunked" in found[-1].fields[-1].meaning
    assert "zstd:chunked" not in found[0].fields[-1].meaning


def test_what_is_cut_off_or_no_frame_is_told_as_far_as_it_goes() -> None:
    content = zstd.compress(PLAIN, options={Option.checksum_flag: 1})
    assert parts_of(content[:3])[-1].title == "No whole zstd header"
    assert values(parts_of(content[:-2])[-1]) == {"Checksum": "cut off"}
    assert parts_of(content + b"garbage")[-1].title == "What follows the last frame"
    assert parts_of(content + bytes(20))[-1].title == "Zeros behind the last frame"
    assert list(values(parts_of(content + bytes(20))[-1])) == ["Zeros"]
    for zeros in (20, 100_000, 200_000):
        assert parts_of(content + bytes(zeros) + b"garbage")[-1].title == "What follows the last frame"
    head = parts_of(content)[0].end
    assert "missing" in values(parts_of(content[: head + 5])[-1])["Content of the block"]
    assert parts_of(content[: head + 2])[-1].title == "Frame 1 is cut off"
    assert parts_of(content[:head] + b"\x06\0\0" + b"x")[-1].title == "No block that can be read"
