"""What a person calls a row of a snapshot, and how it is reached from what the store names.

A row can have a hundred thousand parents, so everything here looks at a bounded number of them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.columns import Rows
from engine.digest import shorten
from engine.distinct import distinct
from engine.document import TITLE, Descriptor, Index, Manifest, Role
from engine.snapshot import STRAY, Entry, Kind, Snapshot
from gui import text

NAMELESS = "(no name)"

_MOST_STEPS = 64
"""Rows that are looked at on the way up."""
_MOST_MISSING = 100
"""Missing parts whose size is looked up."""
_PARTS = (Role.MANIFEST, Role.CONFIG, Role.LAYER)


_OUR_WORDS = ("layer ", "part ", *(words.word for words in text.KINDS.values()), "error", "warning")


class Edge(NamedTuple):
    """One reference to or from a row."""

    row: int
    role: Role
    position: int


class Crumb(NamedTuple):
    """One step of the way to a row."""

    words: str
    digest: str


def source_of(snapshot: Snapshot, edge: int) -> Edge:
    """Which row a reference comes from, and as what."""
    edges = snapshot.edges
    return Edge(int(edges.sources[edge]), Role(int(edges.roles[edge])), int(edges.positions[edge]))


def target_of(snapshot: Snapshot, edge: int) -> Edge:
    """Which row a reference leads to, and as what."""
    edges = snapshot.edges
    return Edge(int(edges.targets[edge]), Role(int(edges.roles[edge])), int(edges.positions[edge]))


def descriptor_of(snapshot: Snapshot, edge: int) -> Descriptor:
    """What the source of a reference says of its target."""
    source, role, position = source_of(snapshot, edge)
    document = snapshot.document(source)
    found = document.descriptor(role, position) if isinstance(document, (Manifest, Index)) else None
    return found or Descriptor(digest=snapshot.name(target_of(snapshot, edge).row))


def is_part(role: Role) -> bool:
    """Whether the target of such a reference is a part of its source."""
    return role in _PARTS


def parts_above(snapshot: Snapshot, row: int, limit: int = _MOST_STEPS) -> Iterator[tuple[int, Edge]]:
    """References from documents that have the row as a part: edge, and source with role and position; the first few."""
    for edge in snapshot.edges_to(row)[:limit].tolist():
        source = source_of(snapshot, edge)
        if is_part(source.role):
            yield edge, source


def part_rows(snapshot: Snapshot, row: int, role: Role, count: int) -> Rows:
    """The rows of the ``count`` parts that a document has in one role, by position; -1 where one has no digest."""
    edges = snapshot.edges
    mine = snapshot.edges_from(row)
    mine = mine[edges.roles[mine] == role]
    rows = np.full(count, -1, np.int64)
    rows[edges.positions[mine]] = edges.targets[mine]
    return rows


def parts_below(snapshot: Snapshot, row: int) -> Rows:
    """The row and its parts, all the way down; by columns, because an index may list a hundred thousand."""
    edges = snapshot.edges
    if snapshot.kind(row) != Kind.INDEX:
        mine = snapshot.edges_from(row)
        return distinct(np.append(edges.targets[mine[edges.roles[mine] <= max(_PARTS)]], row))
    down = edges.roles <= max(_PARTS)
    sources, targets = edges.sources[down], edges.targets[down]
    found = np.zeros(len(snapshot), np.bool_)
    found[row] = True
    for _ in range(_MOST_STEPS):
        reached = targets[found[sources]]
        if found[reached].all():
            break
        found[reached] = True
    return np.flatnonzero(found)


def total_size(snapshot: Snapshot, row: int) -> int:
    """Bytes of the row and its parts, each once: those on disk as they are, missing ones as their descriptors say."""
    if snapshot.kind(row) != Kind.INDEX:
        return snapshot.total_size(row)
    rows = parts_below(snapshot, row)
    sizes = snapshot.columns.sizes[rows]
    total = int(sizes[sizes >= 0].sum())
    for missing in rows[sizes < 0][:_MOST_MISSING].tolist():
        edges = snapshot.edges_to(missing)
        total += max(descriptor_of(snapshot, int(edges[0])).size, 0) if len(edges) else 0
    return total


def entry_name(entry: Entry) -> str:
    """What an entry is called."""
    return _some([text.plain(name) or "“”" for name in entry.names]) or NAMELESS


def kind_of(snapshot: Snapshot, row: int) -> Kind:
    """What a row is to a person: an image of Docker's store is its config."""
    kind = snapshot.kind(row)
    return Kind.IMAGE if kind == Kind.CONFIG and snapshot.store_kind == "docker" else kind


def names_of(snapshot: Snapshot, row: int, limit: int = 4) -> list[str]:
    """The names under which the store knows the row: its own, or those of the indexes that list it."""
    names: list[str] = []
    waiting, seen = [row], {row}
    for _ in range(_MOST_STEPS):
        if not waiting or len(names) >= limit:
            break
        here = waiting.pop(0)
        names += [entry_name(entry) for entry in snapshot.entries_of(here)[: limit + 1] if entry.names]
        if here == row and names:
            break
        for _, source in parts_above(snapshot, here, limit + 1):
            if source.row not in seen and source.role == Role.MANIFEST:
                seen.add(source.row)
                waiting.append(source.row)
    return list(dict.fromkeys(names))[: limit + 1]


def title_of(snapshot: Snapshot, row: int) -> str:
    """The file name that a descriptor gives the row's content; empty for none."""
    for edge, _ in parts_above(snapshot, row, 4):
        title = descriptor_of(snapshot, edge).annotations.get(TITLE)
        if title:
            return text.plain(title)
    return ""


def row_name(snapshot: Snapshot, row: int) -> str:
    """The best short name of a row: its names, a file name, its place in an image, or what it is and its digest."""
    kind = kind_of(snapshot, row)
    if snapshot.has(row, STRAY):
        return text.plain(snapshot.name(row))
    if kind in (Kind.LAYER, Kind.CONFIG):
        return _place_in_image(snapshot, row) or _unnamed(snapshot, row)
    own = [entry_name(entry) for entry in snapshot.entries_of(row)[:3] if entry.names]
    if own:
        return _some(own)
    if kind not in (Kind.IMAGE, Kind.INDEX):
        return title_of(snapshot, row) or _unnamed(snapshot, row)
    name, platform = _some(names_of(snapshot, row)) or _unnamed(snapshot, row), _platform_of(snapshot, row)
    return f"{name} ({platform})" if platform else name


def part_name(snapshot: Snapshot, source: Edge, row: int) -> str:
    """What a row is to the document that has it as a part: a platform, "layer 4 of 7", "config"."""
    if source.role == Role.LAYER:
        document = snapshot.document(source.row)
        count = len(document.layers) if isinstance(document, Manifest) else 0
        if snapshot.kind(row) == Kind.LAYER:
            return f"layer {source.position + 1} of {count}"
        return title_of(snapshot, row) or f"part {source.position + 1} of {count}"
    if source.role == Role.MANIFEST and snapshot.kind(row) in (Kind.IMAGE, Kind.INDEX):
        document = snapshot.document(source.row)
        listed = document.manifests[source.position] if isinstance(document, Index) else None
        return text.plain(snapshot.platform(row, listed)) or text.KINDS[snapshot.kind(row)].word
    return text.KINDS[snapshot.kind(row)].word


def path_to(snapshot: Snapshot, row: int, entry_position: int | None = None) -> list[Crumb]:
    """The way from a named entry down to the row; through the given entry where the row can be reached from it."""
    ways: dict[int, tuple[int, Edge] | None] = {row: None}
    waiting = [row]
    best: tuple[int, Entry] | None = None
    for here in waiting:
        for entry in snapshot.entries_of(here)[:_MOST_STEPS]:
            if entry.position == entry_position:
                return _crumbs(snapshot, ways, here, entry)
            best = best or (here, entry)
        if len(ways) < _MOST_STEPS:
            for _, source in parts_above(snapshot, here):
                if source.row not in ways:
                    ways[source.row] = here, source
                    waiting.append(source.row)
    if best is not None:
        return _crumbs(snapshot, ways, *best)
    return [Crumb(row_name(snapshot, row), snapshot.name(row))]


def _crumbs(snapshot: Snapshot, ways: dict[int, tuple[int, Edge] | None], root: int, entry: Entry) -> list[Crumb]:
    crumbs = [Crumb(entry_name(entry), snapshot.name(root))]
    here = root
    while (way := ways[here]) is not None:
        here, source = way
        crumbs.append(Crumb(part_name(snapshot, source, here), snapshot.name(here)))
    return crumbs


def _platform_of(snapshot: Snapshot, row: int) -> str:
    listed = next((descriptor_of(snapshot, edge) for edge, _ in parts_above(snapshot, row, 1)), None)
    return text.plain(snapshot.platform(row, listed))


def _place_in_image(snapshot: Snapshot, row: int) -> str:
    title = title_of(snapshot, row)
    if title:
        return title
    for _, source in parts_above(snapshot, row, 4):
        return capital(part_name(snapshot, source, row))
    return ""


def capital(words: str) -> str:
    """Words as they begin a line; names keep their letters."""
    return words[:1].upper() + words[1:] if words.startswith(_OUR_WORDS) else words


def _some(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


def _unnamed(snapshot: Snapshot, row: int) -> str:
    return f"{text.KINDS[kind_of(snapshot, row)].word} {shorten(snapshot.name(row))}"
