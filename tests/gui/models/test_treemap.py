"""What a picture of space promises: areas are bytes, nothing overlaps, nothing is left out, and every key leads on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.errors import Cancelled
from engine.progress import Progress
from gui.models.treemap import (
    MOST_CELLS,
    SMALLEST,
    Boxes,
    Cells,
    Place,
    Way,
    hatching,
    lay_out,
    squarify,
)

ROOT = -1
WHOLE = Place(ROOT)
sizes_of_any_kind = st.lists(st.integers(1, 1 << 60), min_size=1, max_size=200)
sides = st.floats(1, 4000)


class Shelf:
    """Things in things: a number is a size, a list holds more."""

    def __init__(self, content: Sequence[Any]) -> None:
        self._parts: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._next = 0
        self._put(ROOT, content)

    def _put(self, node: int, content: Sequence[Any]) -> int:
        found = []
        for thing in content:
            self._next += 1
            mine = self._next
            found.append((self._put(mine, thing) if isinstance(thing, list) else thing, mine))
        found.sort(key=lambda pair: (-pair[0], pair[1]))
        self._parts[node] = np.array([n for _, n in found], np.int64), np.array([s for s, _ in found], np.int64)
        return sum(size for size, _ in found)

    def parts(self, node: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._parts.get(node, (np.empty(0, np.int64), np.empty(0, np.int64)))


def picture(content: Sequence[Any], width: float = 800, height: float = 300, place: Place = WHOLE) -> Cells:
    return lay_out(Shelf(content), place, width, height, 16, Progress())


def areas(boxes: Boxes) -> NDArray[np.float64]:
    found: NDArray[np.float64] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return found


def ratios(boxes: Boxes) -> NDArray[np.float64]:
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    found: NDArray[np.float64] = np.maximum(widths, heights) / np.minimum(widths, heights)
    return found


def overlaps(boxes: Boxes, tolerance: float) -> int:
    left, top, right, bottom = boxes.T
    widths = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    heights = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    both = (widths > tolerance) & (heights > tolerance)
    return int(np.count_nonzero(both) - np.count_nonzero(np.diag(both)))


# ----------------------------------------------------------------------------------------------------- squarify


@given(sizes_of_any_kind, sides, sides)
def test_areas_are_as_the_sizes(sizes: list[int], width: float, height: float) -> None:
    ordered = np.sort(np.array(sizes, np.float64))[::-1]
    found = areas(squarify(ordered, (0, 0, width, height)))
    assert found == pytest.approx(ordered / ordered.sum() * width * height, rel=1e-6, abs=1e-6 * width * height)


@given(sizes_of_any_kind, sides, sides)
def test_nothing_overlaps_or_sticks_out(sizes: list[int], width: float, height: float) -> None:
    boxes = squarify(np.sort(np.array(sizes, np.float64))[::-1], (5, 7, 5 + width, 7 + height))
    assert overlaps(boxes, 1e-7 * max(width, height)) == 0
    assert boxes[:, :2].min(axis=0) == pytest.approx([5, 7])
    assert (boxes[:, 2] <= 5 + width + 1e-6).all()
    assert (boxes[:, 3] <= 7 + height + 1e-6).all()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()


@given(st.lists(st.integers(10, 100), min_size=8, max_size=300), st.floats(200, 2000), st.floats(200, 2000))
def test_what_is_alike_in_size_is_nearly_square(sizes: list[int], width: float, height: float) -> None:
    boxes = squarify(np.sort(np.array(sizes, np.float64))[::-1], (0, 0, width, height))
    assert np.average(ratios(boxes), weights=areas(boxes)) < 2.5
    assert ratios(boxes).max() < 12


def test_the_example_of_the_paper() -> None:
    boxes = squarify(np.array([6.0, 6, 4, 3, 2, 2, 1]), (0, 0, 6, 4))
    assert boxes[:3].tolist() == [[0, 0, 3, 2], [0, 2, 3, 4], pytest.approx([3, 0, 3 + 12 / 7, 7 / 3])]
    assert ratios(boxes).max() < 3


def test_of_very_much_and_very_little_the_little_may_vanish_but_nothing_breaks() -> None:
    boxes = squarify(np.array([1e18, 1.0, 1.0]), (0, 0, 800, 300))
    assert areas(boxes)[0] == pytest.approx(240_000)
    assert np.isfinite(boxes).all()


# ------------------------------------------------------------------------------------------------------ pictures

shelves = st.recursive(st.integers(0, 10**9), lambda inner: st.lists(inner, max_size=12), max_leaves=120).filter(
    lambda value: isinstance(value, list)
)


def total(content: Any) -> int:
    return sum(map(total, content)) if isinstance(content, list) else content


@given(shelves, st.integers(60, 1400), st.integers(40, 900))
def test_a_picture_covers_its_place_and_whatever_is_opened_holds_what_it_is_made_of(
    content: list[Any], width: int, height: int
) -> None:
    cells = picture(content, width, height)
    if not total(content):
        assert len(cells) == 0
        return
    top = cells.above < 0
    assert areas(cells.boxes[top]).sum() == width * height, "to the pixel"
    assert int(cells.sizes[top].sum()) == total(content)
    for cell in np.flatnonzero(cells.opened).tolist():
        inside = cells.above == cell
        assert int(cells.sizes[inside].sum()) == int(cells.sizes[cell])
        assert (cells.boxes[inside][:, :2] >= cells.boxes[cell][:2]).all()
        assert (cells.boxes[inside][:, 2:] <= cells.boxes[cell][2:]).all()
    innermost = cells.boxes[~cells.opened]
    assert overlaps(innermost[areas(innermost) > 0], 0.5) == 0
    assert (cells.boxes == np.rint(cells.boxes)).all()


@given(shelves)
def test_a_point_is_in_the_innermost_of_its_rectangles(content: list[Any]) -> None:
    cells = picture(content)
    for cell in np.flatnonzero((areas(cells.boxes) > 0) & ~cells.opened).tolist():
        left, top, right, bottom = cells.boxes[cell]
        assert cells.at((left + right) / 2, (top + bottom) / 2) == cell
    assert cells.at(-1, 5) == cells.at(801, 5) == cells.at(5, 300) == -1


def test_what_would_be_too_small_is_shown_as_one_that_tells_how_many() -> None:
    cells = picture([10**9, *[1] * 5000])
    assert len(cells) == 2
    little = cells.find(Place(ROOT, 1))
    assert int(cells.counts[little]) == 5000
    assert int(cells.sizes[little]) == 5000
    inside = picture([10**9, *[1] * 5000], place=Place(ROOT, 1))
    assert len(inside) == 5000, "and can be looked into"
    assert int(inside.sizes.sum()) == 5000


def test_a_single_small_one_is_shown_as_itself() -> None:
    cells = picture([10**9, 1])
    assert cells.skips.tolist() == [0, 0]


def test_a_hundred_thousand_things_of_one_size_are_one_rectangle_that_says_so() -> None:
    cells = picture([1] * 100_000)
    assert cells.counts.tolist() == [100_000]


def test_in_no_room_there_is_nothing() -> None:
    assert len(picture([1, 2], 0, 300)) == 0


def test_what_takes_no_space_is_not_there() -> None:
    assert len(picture([0, 0, []])) == 0
    assert len(picture([5, 0, []])) == 1


def test_no_rectangle_of_its_own_is_too_small_to_be_seen() -> None:
    cells = picture([n * n for n in range(1, 4000)])
    alone = (cells.skips == 0) & (cells.above < 0)
    assert cells.sizes[alone].min() / cells.sizes.sum() * 800 * 300 >= SMALLEST
    assert len(cells) < MOST_CELLS


def test_work_stops_when_it_is_no_longer_wanted() -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        lay_out(Shelf([[1, 2], [3, [4]]]), Place(ROOT), 800, 300, 16, progress)


# ------------------------------------------------------------------------------------------------------- walking


@given(shelves.filter(lambda content: total(content) > 0))
def test_from_the_largest_every_innermost_rectangle_is_reached_with_the_arrow_keys(content: list[Any]) -> None:
    cells = picture(content)
    visible = set(np.flatnonzero(~cells.opened & (areas(cells.boxes) > 0)).tolist())
    start = next(iter(visible))
    reached, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for way in Way:
            there = cells.beside(here, way)
            if there not in reached:
                reached.add(there)
                waiting.append(there)
    assert reached <= visible
    assert len(reached) >= len(visible) * 0.9, "those hidden behind others by a hair are reached by mouse or zoom"


def test_arrows_lead_to_the_neighbour_on_that_side() -> None:
    cells = picture([1, 1, 1, 1], 200, 200)
    corners = {tuple(box[:2]): n for n, box in enumerate(cells.boxes.tolist())}
    first = corners[0, 0]
    right, below = cells.beside(first, Way.RIGHT), cells.beside(first, Way.DOWN)
    assert (right, below) == (corners[100, 0], corners[0, 100])
    assert cells.beside(right, Way.LEFT) == first
    assert cells.beside(below, Way.UP) == first
    assert cells.beside(first, Way.LEFT) == first, "at the edge it stays"


# ------------------------------------------------------------------------------------------------------ hatching


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 300), st.integers(1, 300)),
        min_size=1,
        max_size=20,
    ),
    st.floats(2, 20),
)
def test_hatching_stays_in_its_boxes_and_slants_everywhere_alike(
    places: list[tuple[int, int, int, int]], distance: float
) -> None:
    boxes = np.array([(x, y, x + width, y + height) for x, y, width, height in places], np.float64)
    lines = hatching(boxes, distance)
    assert lines[:, 0] + lines[:, 1] == pytest.approx(lines[:, 2] + lines[:, 3])
    steps = (lines[:, 0] + lines[:, 1]) / distance
    assert steps == pytest.approx(np.rint(steps), abs=1e-6), "lines run on from one box into the next"
    for x1, y1, x2, y2 in lines.tolist():
        within = (
            (boxes[:, 0] - 1e-6 <= x1)
            & (x2 <= boxes[:, 2] + 1e-6)
            & (boxes[:, 1] - 1e-6 <= y2)
            & (y1 <= boxes[:, 3] + 1e-6)
        )
        assert within.any()
        assert x1 <= x2 + 1e-6
    wide = (boxes[:, 2] - boxes[:, 0] + boxes[:, 3] - boxes[:, 1]) > 2 * distance
    assert len(lines) >= np.count_nonzero(wide)
