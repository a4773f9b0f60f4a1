"""Where the rectangles of a picture of space lie: areas as large as bytes, each thing in what it belongs to.

Squarified (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000): from the largest on, rows are laid along the shorter
side of what is left, each as full as keeps its rectangles closest to squares. No Qt; any thread may work it out.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.progress import Progress

Boxes = NDArray[np.float64]
"""A row for each rectangle: left, top, right, bottom."""
Nodes = NDArray[np.int64]

SMALLEST = 16.0
"""Square pixels that a thing needs to be shown by itself; what would be smaller is shown as one."""
MOST_CELLS = 20_000
"""Rectangles of one picture; then nothing more is opened."""
_FRAME = 2.0
"""Pixels between a rectangle and what is in it."""
_LEAST_INSIDE = 10.0
"""Pixels of the shorter side of what things are shown in."""
_LEAST_TITLED = 48.0
"""Pixels of the width that a title needs."""


class Space(Protocol):
    """Things with sizes in things with sizes, by number."""

    def parts(self, node: int) -> tuple[Nodes, NDArray[np.int64]]:
        """What a node is made of with the size of each, the largest first; nothing for what has no parts."""
        ...


class Place(NamedTuple):
    """A node; with ``skip`` what is left of its parts without so many of the largest."""

    node: int
    skip: int = 0


@dataclass(frozen=True, eq=False)
class Cells:
    """The rectangles of a picture, each after the one that it lies in; one row in each column."""

    boxes: Boxes
    """In whole pixels; neighbours share their edges."""
    nodes: Nodes
    skips: Nodes
    """0, or of what is shown as one, how many of the node's parts are shown by themselves."""
    above: NDArray[np.int32]
    """The rectangle that it lies in; -1 for the outermost."""
    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]
    """How many things are shown as one; 1 for all others."""
    opened: NDArray[np.bool_]
    """Whether its parts are shown in it."""
    titled: NDArray[np.bool_]
    """Whether there is room for a title above them."""

    def __len__(self) -> int:
        return len(self.nodes)

    def place(self, cell: int) -> Place:
        """What a rectangle stands for."""
        return Place(int(self.nodes[cell]), int(self.skips[cell]))

    def find(self, place: Place) -> int:
        """The rectangle of a place; -1 where it has none."""
        found = np.flatnonzero((self.nodes == place.node) & (self.skips == place.skip))
        return int(found[0]) if len(found) else -1

    def at(self, x: float, y: float) -> int:
        """The innermost rectangle at a point; -1 outside of all."""
        left, top, right, bottom = self.boxes.T
        found = np.flatnonzero((left <= x) & (x < right) & (top <= y) & (y < bottom))
        return int(found[-1]) if len(found) else -1

    def inside(self, cell: int) -> int:
        """The largest rectangle in another; -1 where there is none."""
        found = np.flatnonzero(self.above == cell)
        return int(found[np.argmax(self.sizes[found])]) if len(found) else -1

    def beside(self, cell: int, way: "Way") -> int:
        """The nearest of the innermost rectangles in one direction; the same where there is none."""
        left, top, right, bottom = self.boxes.T
        if way in (Way.LEFT, Way.RIGHT):
            starts, ends, across, far = left, right, top, bottom
        else:
            starts, ends, across, far = top, bottom, left, right
        distance = starts - ends[cell] if way in (Way.RIGHT, Way.DOWN) else starts[cell] - ends
        middle = (across[cell] + far[cell]) / 2
        aside = np.maximum(0, np.maximum(across - middle, middle - far))
        wanted = ~self.opened & (distance >= 0) & (far > across) & (ends > starts)
        wanted[cell] = False
        found = np.flatnonzero(wanted)
        return int(found[np.argmin(distance[found] + 2 * aside[found])]) if len(found) else cell


class Way(Enum):
    """Where the arrow keys lead."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


def squarify(sizes: NDArray[np.float64], box: tuple[float, float, float, float]) -> Boxes:
    """Rectangles that fill ``box``, as large as ``sizes``, which must be positive and come the largest first."""
    left, top, right, bottom = box
    boxes = np.empty((len(sizes), 4))
    if not len(sizes):
        return boxes
    areas = sizes * ((right - left) * (bottom - top) / sizes.sum())
    # From the smallest on: else what is little would be lost beside what is much.
    rests = np.append(np.cumsum(areas[::-1])[::-1], 0.0)
    first, count = 0, len(sizes)
    while first < count:
        is_wide = right - left >= bottom - top
        side = bottom - top if is_wide else right - left
        if side <= 0:  # what is left is too little to be told from nothing
            boxes[first:] = left, top, left, top
            break
        last = _row_end(areas, rests, first, side)
        total = rests[first] - rests[last]
        cuts = (rests[first] - rests[first : last + 1]) * (side / total)
        cuts[-1] = side
        depth = total / side
        if is_wide:
            edge = right if last == count else min(left + depth, right)
            boxes[first:last] = np.column_stack(
                [np.full(last - first, left), top + cuts[:-1], np.full(last - first, edge), top + cuts[1:]]
            )
            left = edge
        else:
            edge = bottom if last == count else min(top + depth, bottom)
            boxes[first:last] = np.column_stack(
                [left + cuts[:-1], np.full(last - first, top), left + cuts[1:], np.full(last - first, edge)]
            )
            top = edge
        first = last
    return boxes


def _row_end(areas: NDArray[np.float64], rests: NDArray[np.float64], first: int, side: float) -> int:
    """Up to where a row goes on that lies along ``side``: the next rectangle would make the worst one worse."""
    step, last, before = 16, first, np.inf
    while last < len(areas):
        until = min(last + step, len(areas))
        thickness = (rests[first] - rests[last + 1 : until + 1]) / side
        worst = np.maximum(areas[first] / thickness**2, thickness**2 / areas[last:until])
        rises = np.flatnonzero(worst > np.concatenate([[before], worst[:-1]]))
        if len(rises):
            return max(last + int(rises[0]), first + 1)
        before, last, step = float(worst[-1]), until, step * 4
    return len(areas)


def lay_out(space: Space, place: Place, width: float, height: float, title: float, progress: Progress) -> Cells:
    """The picture of a place in so many pixels; ``title`` is the height of the line above what something is made of.

    Raises ``Cancelled``.
    """
    making = _Making(space, title)
    making.open(-1, place, (0.0, 0.0, width, height))
    while making.waiting and making.count < MOST_CELLS:
        progress.check()
        making.open_next()
    return making.finish()


class _Making:
    """A picture as it is being made; the outer rectangles first, of each folder the largest first."""

    def __init__(self, space: Space, title: float) -> None:
        self._space = space
        self._title = title
        self._parts: list[tuple[Boxes, Nodes, Nodes, NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]] = []
        self._opened: list[int] = []
        self._titled: list[int] = []
        self.count = 0
        self.waiting: deque[tuple[int, int, tuple[float, float, float, float]]] = deque()

    def open_next(self) -> None:
        """Show what is in the next rectangle, if there is anything and room for it."""
        cell, node, (left, top, right, bottom) = self.waiting.popleft()
        frame = _FRAME if min(right - left, bottom - top) >= 3 * _LEAST_INSIDE else 1.0
        is_titled = right - left >= _LEAST_TITLED and bottom - top >= 3 * self._title
        above = self._title if is_titled else frame
        inner = left + frame, top + above, right - frame, bottom - frame
        if min(inner[2] - inner[0], inner[3] - inner[1]) < _LEAST_INSIDE:
            return
        if self.open(cell, Place(node), inner) and is_titled:
            self._titled.append(cell)

    def open(self, cell: int, place: Place, box: tuple[float, float, float, float]) -> bool:
        """Show what a place is made of in a box; whether anything is shown."""
        nodes, sizes = self._space.parts(place.node)
        nodes, sizes = nodes[place.skip :], sizes[place.skip :]
        total = int(sizes.sum())
        area = (box[2] - box[0]) * (box[3] - box[1])
        if total <= 0 or area <= 0:
            return False
        shown = int(np.searchsorted(-sizes, -SMALLEST * total / area, "right"))
        if not shown and cell >= 0:
            return False  # all of it shown as one is what there is already
        shown = len(nodes) if len(nodes) - shown == 1 and sizes[-1] > 0 else shown
        rest = total - int(sizes[:shown].sum())
        counts, skips = np.ones(shown, np.int64), np.zeros(shown, np.int64)
        nodes, left_out, sizes = nodes[:shown], len(nodes) - shown, sizes[:shown]
        if rest:
            at = int(np.searchsorted(-sizes, -rest, "right"))
            nodes, sizes = np.insert(nodes, at, place.node), np.insert(sizes, at, rest)
            counts, skips = np.insert(counts, at, left_out), np.insert(skips, at, place.skip + shown)
        boxes = np.rint(squarify(sizes.astype(np.float64), box))
        first, self.count = self.count, self.count + len(nodes)
        self._parts.append((boxes, nodes, skips, np.full(len(nodes), cell, np.int32), sizes, counts))
        if cell >= 0:
            self._opened.append(cell)
        sides = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        for n in np.flatnonzero((sides >= _LEAST_INSIDE + 2) & (skips == 0)).tolist():
            self.waiting.append((first + n, int(nodes[n]), (*boxes[n].tolist(),)))
        return True

    def finish(self) -> Cells:
        """All rectangles."""
        opened, titled = np.zeros(self.count, np.bool_), np.zeros(self.count, np.bool_)
        opened[self._opened], titled[self._titled] = True, True
        if not self._parts:
            none = np.empty(0, np.int64)
            return Cells(np.empty((0, 4)), none, none, np.empty(0, np.int32), none, none, opened, titled)
        columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        boxes, nodes, skips, above, sizes, counts = columns
        return Cells(boxes, nodes, skips, above, sizes, counts, opened, titled)


def hatching(boxes: Boxes, distance: float) -> NDArray[np.float64]:
    """Slanting lines that fill boxes, from edge to edge; a row for each: the two points.

    Lines and no pattern of pixels, so that they are the same at any scale, and run on from one box into the next.
    """
    left, top, right, bottom = boxes.T
    first = np.ceil((left + top) / distance).astype(np.int64)
    last = np.ceil((right + bottom) / distance).astype(np.int64)
    amounts = np.maximum(last - first, 0)
    box = np.repeat(np.arange(len(boxes)), amounts)
    numbers = np.arange(len(box)) - np.repeat(np.cumsum(amounts) - amounts, amounts) + first[box]
    along = numbers * distance
    left, top, right, bottom = (side[box] for side in (left, top, right, bottom))
    start, end = np.maximum(left, along - bottom), np.minimum(right, along - top)
    return np.column_stack([start, along - start, end, along - end])
