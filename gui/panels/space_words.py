"""What the rectangles of the picture of a store say, and how they are dressed; any thread may ask."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.columns import Rows
from engine.digest import shorten
from engine.progress import Progress
from engine.snapshot import STRAY, Kind, Snapshot, State
from engine.space import Use, with_broken
from gui import text
from gui.models.treemap import Cells, Place
from gui.models.treemap_store import STORE, ByImage, ByKind, Group
from gui.panels import naming
from gui.panels.space_look import LEAST_MARKED, Mark, Picture
from gui.panels.space_paper import Paper

StoreSpace = ByKind | ByImage

_KINDS = {
    Kind.UNKNOWN: "Unknown",
    Kind.INDEX: "Indexes",
    Kind.IMAGE: "Images",
    Kind.CONFIG: "Configs",
    Kind.LAYER: "Layers",
    Kind.ARTIFACT: "Artifacts",
    Kind.ATTESTATION: "Attestations",
    Kind.SIGNATURE: "Signatures",
    Kind.SBOM: "SBOMs",
    Kind.DATA: "Data",
    Kind.STRAY: "Stray files",
}
_GROUPS = {Group.SEVERAL: "Of several images", Group.UNUSED: "Unused", Group.OTHER: "Of no image"}
_USES = {
    Use.USED: "only one image has it",
    Use.SHARED: "more than one image or index has it",
    Use.UNUSED: "nothing that is named leads to it",
    Use.BROKEN: "it is wanted",
    Use.OTHER: "",
}
_USUAL = (State.VERIFIED, State.NOT_CHECKED, State.CHECKING)
"""States that small rectangles need not show."""
_MOST_USERS = 100
"""References to a blob that are looked at to count its images."""
_MOST_EDGES = 100_000
"""References of a store in which the parts of an index are looked for between two repaints."""
LEAST_TITLED = 44
"""Pixels of the width that has room for a few letters."""


class StoreWords:
    """Says what the places of a store's picture are."""

    root = STORE

    def __init__(self, space: StoreSpace, states: NDArray[np.uint8]) -> None:
        self.space = space
        self._snapshot: Snapshot = space.snapshot
        self._states = states
        self._uses = with_broken(space.uses, states)
        bad = np.flatnonzero((states >= State.MISSING) & (space.uses != Use.ABSENT))
        self._bad_states = states[bad]
        self._bad_groups, self._bad_places = space.places_of(bad)

    def key_of(self, node: int) -> str:
        return self.space.key_of(node)

    def node_of(self, key: str) -> int:
        return self.space.node_of(key)

    def around(self, _node: int) -> int:
        return STORE

    # -------------------------------------------------------------------------------------------------- words

    def titles(self, place: Place) -> Sequence[str]:
        """What a place is called, and shorter."""
        if place.skip:
            return (f"{text.number(self._count(place))} smaller",)
        if place.node == STORE:
            return ("All",)
        if not self.space.is_group(place.node):
            return self._row_titles(place.node)
        if isinstance(self.space, ByKind):
            return (_KINDS[Kind(place.node - self.space.first_group)],)
        top = self.space.top(place.node)
        return (naming.row_name(self._snapshot, top) if top >= 0 else _GROUPS[self.space.rest(place.node)],)

    def sentence(self, place: Place) -> str:
        """All that is to be said of a place in one line."""
        if not place.skip and place.node != STORE and not self.space.is_group(place.node):
            return self._row_sentence(place.node)
        parts = [self.titles(place)[0], text.size(self._size(place))]
        if not place.skip:
            parts.insert(1, text.count(self._count(place), "file"))
            if isinstance(self.space, ByImage) and self.space.is_group(place.node) and self.space.top(place.node) >= 0:
                parts[-1] += " that no other image has"
        states = self._bad_in(place)
        counts = ((state, int(np.count_nonzero(states == state))) for state in State if state.bad)
        parts += [text.count_of(count, state) for state, count in counts if count]
        return text.SEPARATOR.join(parts)

    def _row_sentence(self, row: int) -> str:
        snapshot = self._snapshot
        name, use = self._row_titles(row)[0], Use(int(self._uses[row]))
        kind, digest = text.KINDS[naming.kind_of(snapshot, row)].word, shorten(snapshot.name(row))
        size = text.size(int(snapshot.columns.sizes[row]))
        state = text.STATES[State(int(self._states[row]))].word
        is_told = use is Use.USED and naming.kind_of(snapshot, row) in (Kind.IMAGE, Kind.INDEX)
        is_told |= use is Use.SHARED and len(self._holders(row)) > 1
        parts = [name, "" if kind in name.lower() else kind, size, state, "" if is_told else _USES[use]]
        parts.append("" if snapshot.has(row, STRAY) or digest in name else digest)
        return text.SEPARATOR.join(part for part in parts if part)

    def _row_titles(self, row: int) -> Sequence[str]:
        """A row's name; of a layer or config with whose it is, unless that stands above it."""
        snapshot = self._snapshot
        name = naming.row_name(snapshot, row)
        short = (name, name.removeprefix("Layer "))
        if isinstance(self.space, ByImage) and self.space.top(self.space.group_of(row)) >= 0:
            return short
        holders = self._holders(row)
        if len(holders) > 1:
            many = f"{text.number(_MOST_USERS)} or more"
            return (f"{name}, in {text.number(len(holders)) if len(holders) < _MOST_USERS else many} images", *short)
        names = naming.names_of(snapshot, holders[0], 1) if holders else []
        return (*(f"{each}: {name[:1].lower()}{name[1:]}" for each in names[:1]), *short)

    def _holders(self, row: int) -> Sequence[int]:
        """The rows of the images that a layer, a config or data is a part of, the first few; of all else none."""
        if naming.kind_of(self._snapshot, row) not in (Kind.LAYER, Kind.CONFIG, Kind.DATA):
            return ()
        above = naming.parts_above(self._snapshot, row, _MOST_USERS)
        return tuple(dict.fromkeys(source.row for _, source in above))

    # ------------------------------------------------------------------------------------------------ dressing

    def dress(self, cells: Cells, line: int, progress: Progress) -> Picture:
        """How the rectangles look; ``line`` is the height of a line of text in pixels."""
        papers = np.full(len(cells), Paper.FRAME, np.uint8)
        titles: dict[int, Sequence[str]] = {}
        details: dict[int, str] = {}
        marks: dict[int, Mark] = {}
        alone = (cells.skips == 0) & (cells.nodes >= 0) & (cells.nodes < self.space.first_group)
        papers[alone] = self._uses[cells.nodes[alone]]
        widths, heights = cells.boxes[:, 2] - cells.boxes[:, 0], cells.boxes[:, 3] - cells.boxes[:, 1]
        is_written = ~cells.opened & (widths >= LEAST_TITLED) & (heights >= line + 2)
        for n in np.flatnonzero(~alone & ~cells.opened).tolist():
            papers[n] = _common(self._uses[self._rows(cells.place(n))])
            bad = self._bad_in(cells.place(n))
            if len(bad) and min(widths[n], heights[n]) >= LEAST_MARKED:
                marks[n] = State(int(bad.max()))
        for n in np.flatnonzero(is_written | cells.titled).tolist():
            progress.check()
            titles[n] = self.titles(cells.place(n))
            details[n] = text.size(int(cells.sizes[n]))
        is_marked = alone & ~cells.opened & (np.minimum(widths, heights) >= LEAST_MARKED)
        states = np.where(alone, self._states[np.where(alone, cells.nodes, 0)], State.VERIFIED)
        is_marked &= is_written | ~np.isin(states, _USUAL)
        marks |= {n: State(int(states[n])) for n in np.flatnonzero(is_marked).tolist()}
        return Picture(cells, papers, titles, details, marks)

    def place_of(self, cells: Cells, row: int) -> Place | None:
        """Where a row is shown: by itself, with others as one, or only as its group; None where it is not."""
        group = self.space.group_of(row)
        if self._uses[row] == Use.ABSENT:
            return None
        if isinstance(self.space, ByImage) and self.space.top(group) == row and cells.find(Place(group)) >= 0:
            return Place(group)  # the image, rather than its manifest
        if cells.find(Place(row)) >= 0:
            return Place(row)
        with_others = np.flatnonzero((cells.nodes == group) & ~cells.opened)
        return cells.place(int(with_others[0])) if len(with_others) else None

    def parts_of(self, cells: Cells, row: int) -> NDArray[np.int64]:
        """The rectangles of what an image is made of, as far as each has one; of very large indexes none."""
        if row < 0 or self._snapshot.kind(row) not in (Kind.IMAGE, Kind.INDEX):
            return np.empty(0, np.int64)
        if self._snapshot.kind(row) == Kind.INDEX and len(self._snapshot.edges.roles) > _MOST_EDGES:
            return np.empty(0, np.int64)
        return self.cells_of(cells, naming.parts_below(self._snapshot, row))

    def cells_of(self, cells: Cells, rows: Rows) -> NDArray[np.int64]:
        """The rectangles of those of the rows that have one of their own."""
        found: NDArray[np.int64] = np.flatnonzero(np.isin(cells.nodes, rows) & (cells.skips == 0))
        return found

    # -------------------------------------------------------------------------------------------------- inside

    def _rows(self, place: Place) -> Rows:
        """The rows of a group, of what is left of it, or of some groups."""
        if place.node == STORE:
            return self.space.rows_in(self.space.groups[place.skip :])
        return self.space.parts(place.node)[0][place.skip :]

    def _count(self, place: Place) -> int:
        """How many files a group has, also those without bytes; of what is left of it, how many are left."""
        if place.node == STORE and not place.skip:
            return int(self.space.counts.sum())
        if place.skip:
            return len(self.space.parts(place.node)[0]) - place.skip
        return int(self.space.counts[place.node - self.space.first_group])

    def _size(self, place: Place) -> int:
        """Bytes of a group, or of what is left of it."""
        if place.node == STORE:
            return int(self.space.parts(STORE)[1][place.skip :].sum())
        total = int(self.space.totals[place.node - self.space.first_group])
        return total - int(self.space.parts(place.node)[1][: place.skip].sum())

    def _bad_in(self, place: Place) -> NDArray[np.uint8]:
        """The states of everything bad in a group, or in what is left of it."""
        if place.node == STORE:
            chosen = np.isin(self._bad_groups, self.space.groups[place.skip :])
        else:
            chosen = (self._bad_groups == place.node) & (self._bad_places >= place.skip)
        return self._bad_states[chosen]


def _common(uses: NDArray[np.uint8]) -> int:
    """The use that all have; ``OTHER`` where they differ, except that what is broken is always seen."""
    if not len(uses):
        return int(Use.OTHER)
    first = int(uses[0])
    if (uses == Use.BROKEN).any():
        return int(Use.BROKEN)
    return first if (uses == first).all() else int(Use.OTHER)
