"""What finding bytes promises: the same as in memory, whatever the size, the place and the holes."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import bytesearch
from engine.bytesearch import find_bytes
from engine.errors import Cancelled
from engine.progress import Progress


def reader(content: bytes) -> Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= len(content)
        return content[offset : offset + length]

    return read


def find(content: bytes, wanted: bytes, start: int, **how: bool) -> int:
    ranges = [(0, len(content))] if content else []
    return find_bytes(reader(content), ranges, wanted, Progress(), start=start, size=len(content), **how)


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytesearch, "BLOCK", 16)


few = st.binary(max_size=200).map(lambda content: bytes(byte % 3 for byte in content))


@given(few, st.binary(min_size=1, max_size=20).map(lambda wanted: bytes(b % 3 for b in wanted)), st.integers(0, 220))
def test_forwards_it_is_the_first_one_from_there_on(content: bytes, wanted: bytes, start: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bytesearch, "BLOCK", 16)
        assert find(content, wanted, start) == content.find(wanted, start)


@given(few, st.binary(min_size=1, max_size=20).map(lambda wanted: bytes(b % 3 for b in wanted)), st.integers(0, 220))
def test_backwards_it_is_the_last_one_that_begins_before(content: bytes, wanted: bytes, start: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bytesearch, "BLOCK", 16)
        expected = content.rfind(wanted, 0, start + len(wanted) - 1)
        assert find(content, wanted, start, backwards=True) == expected


def test_upper_and_lower_case_can_be_the_same() -> None:
    content = b"....Hello...." + b"HELLO"
    assert find(content, b"hELLO", 0, any_case=True) == 4
    assert find(content, b"hELLO", 5, any_case=True) == 13
    assert find(content, b"hELLO", 18, any_case=True, backwards=True) == 13
    assert find(content, b"hELLO", 0) == -1
    assert find("Ä".encode(), "ä".encode(), 0, any_case=True) == -1, "only A to Z"


def test_nothing_is_nowhere() -> None:
    assert find(b"content", b"", 0) == -1
    assert find(b"", b"x", 0) == -1
    assert find(b"", b"x", 0, backwards=True) == -1


HOLES = bytes(1000) + b"one" + bytes(5000) + b"two" + bytes(2000)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("wanted", [b"one", b"two", b"\0two\0\0", b"e\0\0\0", b"\0\0o", b"three"])
def test_holes_are_not_read_and_nothing_at_their_edges_is_missed(wanted: bytes, backwards: bool) -> None:
    read: list[tuple[int, int]] = []

    def only_data(offset: int, length: int) -> bytes:
        read.append((offset, length))
        return HOLES[offset : offset + length]

    ranges = [(1000, 1003), (6003, 6006)]
    start = len(HOLES) if backwards else 0
    found = find_bytes(only_data, ranges, wanted, Progress(), start=start, size=len(HOLES), backwards=backwards)
    assert found == (HOLES.rfind(wanted) if backwards else HOLES.find(wanted))
    assert sum(length for _, length in read) < 50


def test_zeros_are_found_in_holes() -> None:
    assert find_bytes(reader(HOLES), [(1000, 1003)], bytes(4), Progress(), start=0, size=len(HOLES)) == 0
    assert find_bytes(reader(HOLES), [(1000, 1003)], bytes(4), Progress(), start=1000, size=len(HOLES)) == 1003


def test_it_can_be_stopped_and_tells_how_far_it_is() -> None:
    size = 100 << 30
    progress = Progress()

    def zeros(offset: int, length: int) -> bytes:
        if offset > 10 << 20:
            progress.cancel()
        return bytes(length)

    with pytest.raises(Cancelled):
        find_bytes(zeros, [(0, size)], b"x", progress, start=0, size=size)
    assert progress.total == size
    assert 10 << 20 <= progress.done <= 20 << 20


@pytest.mark.usefixtures("_small_blocks")
def test_backwards_it_tells_how_far_it_is_too() -> None:
    progress = Progress()
    content = bytes(1000)
    assert find_bytes(reader(content), [(0, 1000)], b"x", progress, start=500, size=1000, backwards=True) == -1
    assert progress.done == progress.total == 500
