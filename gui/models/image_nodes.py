"""The nodes of the image tree as numbers.

The node of an index entry is the entry's position; the next number is the group of what is not in the index; the nodes
below them follow, and are made when somebody looks below their parent. A node is a way to a row, not the row itself:
a layer that ten images share is ten nodes once those are open.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.digest import shorten
from engine.document import TITLE, Descriptor, Index, Manifest, Role
from engine.snapshot import PENDING, Entry, Kind
from gui import text
from gui.models.arranging import Order, places_in
from gui.models.facts import Facts

ROOT = -1

_MOST_WAYS = 256
"""Ways up that are tried to find where a row is shown."""


class _Block(NamedTuple):
    """The children of a node: consecutive numbers."""

    first: int
    size: int


class Nodes:
    """The nodes over one snapshot.

    ``order`` holds the positions of the index entries at the top, ``lost`` the rows of the lost images. With those of
    ``before``, over the same snapshot in another order, each node keeps its number.
    """

    def __init__(self, facts: Facts, order: Order, lost: Sequence[int], before: "Nodes | None" = None) -> None:
        self.facts = facts
        self.snapshot = facts.snapshot
        self.order = order
        self.lost = lost
        self.group = facts.entry_count
        self._places = places_in(order, facts.entry_count)
        self._first = self.group + 1
        # By node number from _first on:
        self._parents: list[int] = before._parents if before else []
        self._rows: list[int] = before._rows if before else []
        self._edges: list[int] = before._edges if before else []  # where in facts.nest; -1 below the group
        self._blocks: dict[int, _Block] = dict(before._blocks) if before else {}
        if before is not None and before.lost != lost:
            self._blocks.pop(self.group, None)

    # ------------------------------------------------------------------------------------------------- shape

    def parent(self, node: int) -> int:
        """The node above; ``ROOT`` for those at the top."""
        return ROOT if node < self._first else self._parents[node - self._first]

    def place(self, node: int) -> int:
        """How many brothers stand before the node; -1 for what is filtered away."""
        if node < self.group:
            return int(self._places[node])
        if node == self.group:
            return len(self.order)
        block = self._blocks.get(self.parent(node))
        place = node - block.first if block else -1
        return place if block and place < block.size else -1

    def children(self, node: int) -> _Block:
        """First number and count of the nodes below; they are made at the first call."""
        block = self._blocks.get(node)
        if block is None:
            block = self._blocks[node] = self._make(node)
        return block

    def _make(self, node: int) -> _Block:
        first = self._first + len(self._rows)
        if node == self.group:
            rows, edges = list(self.lost), [-1] * len(self.lost)
        elif self.has_children(node):
            below = self.facts.nest.below(self.row(node))
            rows, edges = self.facts.nest.children[below].tolist(), list(range(below.start, below.stop))
        else:
            return _Block(first, 0)
        self._rows += rows
        self._edges += edges
        self._parents += [node] * len(rows)
        return _Block(first, len(rows))

    def between(self, parent: int, first: int, last: int) -> list[int]:
        """The children of a node, or those at the top, from one place to another."""
        if parent != ROOT:
            start = self.children(parent).first
            return list(range(start + first, start + last + 1))
        nodes: list[int] = self.order[first : last + 1].tolist()
        return nodes  # without the group, which is no content

    def opened(self) -> list[int]:
        """The nodes whose children have been made."""
        return [node for node, block in self._blocks.items() if block.size]

    def has_children(self, node: int) -> bool:
        """Whether there is something below; not in what hangs below itself."""
        if node == self.group:
            return bool(self.lost)
        row = self.row(node)
        return row >= 0 and bool(self.facts.expandable[row]) and not self.repeats(node)

    def repeats(self, node: int) -> bool:
        """Whether its row is also that of a node above it."""
        row, above = self.row(node), self.parent(node)
        while above != ROOT:
            if self.row(above) == row:
                return True
            above = self.parent(above)
        return False

    def top(self, node: int) -> int:
        """The node at the top that it hangs from."""
        while node >= self._first:
            node = self._parents[node - self._first]
        return node

    def find(self, digest: str, position: int | None) -> int:
        """The node of a digest, below the index entry at ``position`` if it is there; ``ROOT`` where nothing shows it."""
        row = self.snapshot.find(digest) if digest else -1
        if row < 0:
            is_entry = (
                position is not None and position < self.group and not self.snapshot.entries[position].descriptor.digest
            )
            return position if is_entry and position is not None and self.place(position) >= 0 else ROOT
        for way in self._ways(row, position):
            node = way[0]
            for below in way[1:]:
                first, count = self.children(node)
                node = next((child for child in range(first, first + count) if self.row(child) == below), ROOT)
                if node == ROOT:
                    break
            else:
                return node
        return ROOT

    def _ways(self, row: int, position: int | None) -> Iterator[list[int]]:
        """Ways to a row: a node at the top, then rows; nearest first, the wanted entry's before all others."""
        nest, lost = self.facts.nest, set(self.lost)
        ways: list[list[int]] = [[row]]
        found: list[list[int]] = []
        seen = {row}
        for way in ways:  # grows meanwhile
            for top in self.facts.positions_of(way[0]).tolist():
                if top == position and self.place(top) >= 0:
                    yield [top, *way[1:]]
                elif self.place(top) >= 0 and len(found) < _MOST_WAYS:
                    found.append([top, *way[1:]])
            if way[0] in lost:
                found.append([self.group, *way])
            if len(ways) < _MOST_WAYS:
                for parent in nest.parents_of(way[0])[:_MOST_WAYS].tolist():
                    if parent not in seen:
                        seen.add(parent)
                        ways.append([parent, *way])
        yield from found

    # ----------------------------------------------------------------------------------------------- content

    def row(self, node: int) -> int:
        """The snapshot's row; -1 for the group and for entries without a usable digest."""
        if node < self.group:
            return int(self.facts.tops[node])
        return -1 if node == self.group else self._rows[node - self._first]

    def entry(self, node: int) -> Entry | None:
        """The index entry that the node is."""
        return self.snapshot.entries[node] if node < self.group else None

    def reached_through(self, node: int) -> int | None:
        """The position of the index entry that leads here: its own, where it has one that is not at the top."""
        while node >= self._first:
            if self.role(node) in (Role.SUBJECT, Role.ATTACHED):
                for position in self.facts.positions_of(self.row(node)).tolist():
                    if not self.facts.at_top[position]:
                        return int(position)
            node = self.parent(node)
        return node if 0 <= node < self.group else None

    def role(self, node: int) -> Role | None:
        """What the node is to the one above; for a referrer, how it says so."""
        edge = self._edge(node)
        return None if edge < 0 else Role(int(self.facts.nest.roles[edge]))

    def content(self, node: int) -> tuple[str, int | None]:
        """The digest that the node stands for, and the position of the index entry that leads there."""
        entry = self.entry(node)
        digest = entry.descriptor.digest if entry is not None else self.snapshot.name(self.row(node))
        return digest, self.reached_through(node)

    def descriptor(self, node: int) -> Descriptor:
        """What the one above says of the node."""
        entry = self.entry(node)
        if entry is not None:
            return entry.descriptor
        edge = self._edge(node)
        if edge < 0:
            return Descriptor()
        nest = self.facts.nest
        return self.facts.descriptor(int(nest.parents[edge]), Role(int(nest.roles[edge])), int(nest.positions[edge]))

    def _edge(self, node: int) -> int:
        return self._edges[node - self._first] if node >= self._first else -1

    # ------------------------------------------------------------------------------------------------- words

    def name(self, node: int) -> str:
        """What the node is called in its place."""
        if node == self.group:
            return f"Not in the index: {text.count(len(self.lost), 'lost image')}"
        entry = self.entry(node)
        if entry is not None:
            digest = shorten(entry.descriptor.digest)
            return names_of(entry) or digest or "entry without a digest"
        words = self._part_name(node)
        return f"{words} (see above)" if self.repeats(node) else words

    def _part_name(self, node: int) -> str:
        snapshot, row, role = self.snapshot, self.row(node), self.role(node)
        kind = text.KINDS[snapshot.kind(row)].word
        digest = shorten(snapshot.name(row))
        if role == Role.CONFIG:
            return "config"
        if role == Role.LAYER:
            return self._layer_name(node)
        if role == Role.MANIFEST:
            return self._listed_name(node) or f"{kind} {digest}"
        if role == Role.PARENT:
            names = ", ".join(filter(None, (names_of(entry) for entry in snapshot.entries_of(row)[:3])))
            return f"parent {names or digest}"
        document = snapshot.document(row)
        if role is not None and isinstance(document, Manifest) and snapshot.kind(row) == Kind.ARTIFACT:
            return text.media_type(document.type_of_artifact)
        return kind if role is not None else f"{kind} {digest}"

    def _layer_name(self, node: int) -> str:
        edge, nest = self._edge(node), self.facts.nest
        title = self.descriptor(node).annotations.get(TITLE)
        if title:
            return text.plain(title)
        document = self.snapshot.document(int(nest.parents[edge]))
        count = len(document.layers) if isinstance(document, Manifest) else 0
        noun = "layer" if self.snapshot.kind(self.row(node)) == Kind.LAYER else "part"
        return f"{noun} {int(nest.positions[edge]) + 1} of {count}"

    def _listed_name(self, node: int) -> str:
        """What an index calls what it lists: a platform, as a rule."""
        descriptor, row = self.descriptor(node), self.row(node)
        if self.snapshot.kind(row) in (Kind.IMAGE, Kind.INDEX):
            platform = self.snapshot.platform(row, descriptor)
            if platform and not isinstance(self.snapshot.document(row), Index):
                return text.plain(platform)
        return text.plain(descriptor.name or descriptor.annotations.get(TITLE) or "")

    def platform(self, node: int) -> str:
        """For what its platform is; empty where the name says it, or where there is none."""
        row = self.row(node)
        if row < 0 or self.role(node) in (Role.CONFIG, Role.LAYER):
            return ""
        platform = text.plain(self.snapshot.platform(row, self.descriptor(node)))
        return "" if platform in ("unknown/unknown", self.name(node)) else platform

    def kind(self, node: int) -> Kind:
        """What the node is; in Docker's store a config stands for its image."""
        row = self.row(node)
        if row < 0:
            return Kind.UNKNOWN
        kind = self.snapshot.kind(row)
        return Kind.IMAGE if kind == Kind.CONFIG and self.snapshot.store_kind == "docker" else kind

    def kind_words(self, node: int) -> str:
        """What the node is, in words; of layers and of an artifact's content the sort."""
        if self.row(node) < 0:
            return ""
        kind, media_type = self.kind(node), self.snapshot.media_type(self.row(node))
        return text.media_type(media_type) if kind in (Kind.LAYER, Kind.DATA) and media_type else text.KINDS[kind].word

    def size(self, node: int) -> int:
        """Bytes of the node and its parts, each blob once; -1 where nobody knows."""
        row = self.row(node)
        if row < 0 or self.snapshot.has(row, PENDING):
            return -1
        own = int(self.facts.sizes[row])
        return self.facts.total(row) if own >= 0 or self.facts.has_parts(row) else own


def names_of(entry: Entry) -> str:
    """The names of an entry, fit to show; empty where it has none."""
    return ", ".join(text.plain(name) or "“”" for name in entry.names)
