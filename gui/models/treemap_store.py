"""The files of a store as a picture: in groups, by what they are or by whose they are, each file once."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.columns import Rows
from engine.document import Role
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot
from engine.space import Use, Uses
from gui.models.facts import Facts
from gui.models.treemap import Nodes

STORE = -1
"""The node of all of it. Other nodes are the snapshot's rows and, from their number on, the groups."""
_DEEPEST = 64
"""Documents in documents that are followed."""
_NOBODY = -1
_GROUP = "\0"
"""What the key of a group begins with, and no name."""


class Group(IntEnum):
    """The groups of blobs that are no image's."""

    SEVERAL = 0
    UNUSED = 1
    OTHER = 2


_NOTHING = np.empty(0, np.int64)


class StoreSpace:
    """Files with sizes, in groups. ``groups`` has the group of each row; rows without bytes take no room."""

    def __init__(self, snapshot: Snapshot, uses: Uses, groups: NDArray[np.int32], count: int) -> None:
        self.snapshot = snapshot
        self.uses = uses
        self.first_group = len(snapshot)
        """The node of the first group."""
        sizes = snapshot.columns.sizes
        there = np.flatnonzero(uses != Use.ABSENT)
        self.counts = np.bincount(groups[there], minlength=count)
        """How many files each group has."""
        there = there[sizes[there] > 0]
        there = there[np.argsort(-sizes[there], kind="stable")]
        self._rows = there[np.argsort(groups[there], kind="stable")]
        self._bounds = np.searchsorted(groups[self._rows], np.arange(count + 1))
        sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[self._rows])])
        self.totals: NDArray[np.int64] = np.diff(sums[self._bounds])
        """Bytes of each group."""
        self._sizes = sizes[self._rows]
        self._groups = groups

    def rows_in(self, groups: Nodes) -> Rows:
        """The rows in some groups that take room."""
        wanted = np.zeros(len(self.counts), np.bool_)
        wanted[groups - self.first_group] = True
        found: Rows = self._rows[wanted[self._groups[self._rows]]]
        return found

    def places_of(self, rows: Rows) -> tuple[Nodes, Nodes]:
        """The node of the group of each of the rows, and where it stands there: at the end, where it takes no room."""
        groups = self._groups[rows].astype(np.int64)
        places = np.full(len(rows), len(self._rows), np.int64)
        numbers = np.full(len(self.snapshot), -1, np.int64)
        numbers[rows] = np.arange(len(rows))
        found = np.flatnonzero(numbers[self._rows] >= 0)
        places[numbers[self._rows[found]]] = found - self._bounds[groups[numbers[self._rows[found]]]]
        return self.first_group + groups, places

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return int(self.totals.sum())

    def is_group(self, node: int) -> bool:
        """Whether a node is a group, rather than a row."""
        return node >= self.first_group

    def group_of(self, row: int) -> int:
        """The node of the group that a row is in."""
        return self.first_group + int(self._groups[row])

    @property
    def groups(self) -> Nodes:
        """The nodes of all groups with bytes, the largest first."""
        there = np.flatnonzero(self.totals)
        return self.first_group + there[np.argsort(-self.totals[there], kind="stable")]

    def _stand_ins(self, groups: Nodes) -> Nodes:
        """What is shown for each group: the group itself."""
        return groups

    def key_of(self, node: int) -> str:
        """What a node is called in this and in any later snapshot: a name, or a group's number; empty for all."""
        if node == STORE:
            return ""
        return f"{_GROUP}{node - self.first_group}" if self.is_group(node) else self.snapshot.name(node)

    def node_of(self, key: str) -> int:
        """The node that has the key here; ``STORE`` where none has."""
        if key.startswith(_GROUP):
            number = key.removeprefix(_GROUP)  # in another grouping a group is called otherwise
            is_here = number.isdecimal() and int(number) < len(self.counts)
            return self.first_group + int(number) if is_here else STORE
        row = self.snapshot.find(key) if key else -1
        return row if row >= 0 else STORE

    def parts(self, node: int) -> tuple[Nodes, NDArray[np.int64]]:
        if node == STORE:
            groups = self.groups
            return self._stand_ins(groups), self.totals[groups - self.first_group]
        if not self.is_group(node):
            return _NOTHING, _NOTHING
        within = slice(*self._bounds[node - self.first_group : node - self.first_group + 2])
        return self._rows[within], self._sizes[within]


class ByKind(StoreSpace):
    """A group for each kind of blob, numbered like ``Kind``."""

    def __init__(self, snapshot: Snapshot, uses: Uses, _progress: Progress) -> None:
        kinds = snapshot.columns.kinds.astype(np.int32)
        if snapshot.store_kind == "docker":
            kinds[kinds == Kind.CONFIG] = Kind.IMAGE  # there, an image is its config
        super().__init__(snapshot, uses, kinds, len(Kind))


class ByImage(StoreSpace):
    """A group for each image at the top of the list of images, then those of ``Group``.

    An image has what only it needs, with its signatures and whatever else belongs to it.
    """

    def __init__(self, snapshot: Snapshot, uses: Uses, progress: Progress) -> None:
        facts = Facts(snapshot)
        tops = facts.tops[: facts.entry_count][facts.at_top]
        is_top = np.zeros(len(snapshot), np.bool_)
        is_top[tops[tops >= 0]] = True
        self.tops: Rows = np.flatnonzero(is_top)
        """The row of the image of each group."""
        count = len(self.tops)
        owners = _owners(snapshot, self.tops, progress)
        groups = np.where(owners == count, count + Group.SEVERAL, owners)
        groups[owners == _NOBODY] = count + Group.OTHER
        groups[uses == Use.OTHER] = count + Group.OTHER
        groups[uses == Use.UNUSED] = count + Group.UNUSED
        super().__init__(snapshot, uses, groups.astype(np.int32), count + len(Group))

    def _stand_ins(self, groups: Nodes) -> Nodes:
        """Of an image that has nothing but its manifest to itself, that is shown, and no group around it."""
        numbers = groups - self.first_group
        firsts = self._rows[self._bounds[numbers]]
        alone = (self._bounds[numbers + 1] - self._bounds[numbers] == 1) & (numbers < len(self.tops))
        alone[alone] = firsts[alone] == self.tops[numbers[alone]]
        return np.where(alone, firsts, groups)

    def top(self, node: int) -> int:
        """The row of a group's image; -1 for the group of what is no single image's."""
        number = node - self.first_group
        return int(self.tops[number]) if number < len(self.tops) else -1

    def key_of(self, node: int) -> str:
        if node == STORE or not self.is_group(node):
            return super().key_of(node)
        top = self.top(node)
        return f"{_GROUP}{self.snapshot.name(top)}" if top >= 0 else f"{_GROUP}{self.rest(node).name}"

    def node_of(self, key: str) -> int:
        if not key.startswith(_GROUP):
            return super().node_of(key)
        name = key.removeprefix(_GROUP)
        if name in Group.__members__:
            return self.first_group + len(self.tops) + Group[name]
        found = np.flatnonzero(self.tops == self.snapshot.find(name))
        return self.first_group + int(found[0]) if len(found) else STORE

    def rest(self, node: int) -> Group:
        """Which of the groups of blobs that are no image's a node is."""
        return Group(node - self.first_group - len(self.tops))


def _owners(snapshot: Snapshot, tops: Rows, progress: Progress) -> NDArray[np.int64]:
    """For each row the position of the one image that it belongs to; as many as there are images for several."""
    edges, several = snapshot.edges, len(tops)
    belongs = (edges.roles == Role.SUBJECT) | (edges.roles == Role.ATTACHED)
    is_top = np.zeros(len(snapshot), np.bool_)
    is_top[tops] = True
    parts = edges.roles <= Role.LAYER
    # What belongs to an image goes with it, and an image with what is left of it; but neither where it has a name.
    ways = [(edges.sources[parts], edges.targets[parts])]
    for sources, targets in ((edges.targets, edges.sources), (edges.sources, edges.targets)):
        chosen = belongs & ~is_top[targets]
        ways.append((sources[chosen], targets[chosen]))
    sources, targets = (np.concatenate(side) for side in zip(*ways, strict=True))
    owners = np.full(len(snapshot), _NOBODY, np.int64)
    owners[tops] = np.arange(several)
    for _ in range(_DEEPEST):
        progress.check()
        known = owners[sources] != _NOBODY
        givers, takers = owners[sources[known]], targets[known]
        lowest = np.where(owners == _NOBODY, several, owners)
        highest = owners.copy()
        np.minimum.at(lowest, takers, givers)
        np.maximum.at(highest, takers, givers)
        found = np.where(lowest == highest, lowest, several)
        found[highest == _NOBODY] = _NOBODY
        if np.array_equal(found, owners):
            break
        owners = found
    return owners
