"""Finds bytes in a file of any size, forwards and backwards, a piece at a time; holes are not even read."""

from collections.abc import Callable, Iterator, Sequence

from engine.progress import Progress

BLOCK = 1 << 20
"""Bytes that are read at a time: large enough for the disk, small enough to stop at once."""

Read = Callable[[int, int], bytes]
"""The bytes from an offset on, of a length."""
Range = tuple[int, int]
"""Where a stretch starts and ends."""


def find_bytes(
    read: Read,
    ranges: Sequence[Range],
    wanted: bytes,
    progress: Progress,
    *,
    start: int,
    size: int,
    backwards: bool = False,
    any_case: bool = False,
) -> int:
    """Where ``wanted`` begins, at or behind ``start`` (with ``backwards``: before it); -1 for nowhere.

    ``ranges`` are the stretches of the ``size`` bytes that are not known to be zeros only. With ``any_case`` the letters
    A to Z are as good as a to z. ``progress`` counts the bytes that need not be looked at any more. Raises what ``read``
    raises, and ``Cancelled``.
    """
    if not wanted:
        return -1
    wanted = wanted.lower() if any_case else wanted
    overlap = len(wanted) - 1
    places = _merged(ranges, overlap, size) if wanted.strip(b"\0") else [(0, size)]
    low, high = (0, min(size, start + overlap)) if backwards else (start, size)
    progress.start("Finding", high - low)
    for first, last in _blocks(places, low, high, overlap, backwards=backwards):
        data = read(first, last - first)
        data = data.lower() if any_case else data
        found = data.rfind(wanted) if backwards else data.find(wanted)
        if found >= 0:
            return first + found
        done = high - first if backwards else last - low
        progress.advance(max(0, done - progress.done))
    return -1


def _merged(ranges: Sequence[Range], margin: int, size: int) -> list[Range]:
    """The stretches with so many bytes before and behind each; those that then meet are one."""
    found: list[Range] = []
    for start, end in ranges:
        start, end = max(0, start - margin), min(size, end + margin)
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _blocks(places: Sequence[Range], low: int, high: int, overlap: int, *, backwards: bool) -> Iterator[Range]:
    """Pieces of the places between two offsets, each with so many bytes of the one before."""
    step = max(BLOCK, 2 * overlap)
    for start, end in reversed(places) if backwards else places:
        start, end = max(start, low), min(end, high)
        while end - start > overlap:
            if backwards:
                first = max(start, end - step)
                yield first, end
                end = first + overlap if first > start else start
            else:
                last = min(end, start + step)
                yield start, last
                start = last - overlap if last < end else end
