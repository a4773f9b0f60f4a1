"""Takes a snapshot of a store: roots first, then what is on disk, then what refers to what.

Only small files are opened and nothing is written. What a previous snapshot knows of unchanged files is not read again.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from engine import snapshot as facts
from engine.blobs import BlobEntry, Blobs, EntryKind
from engine.digest import Digest, digest_of
from engine.document import DOCKER_CONFIG, Descriptor, Problem, Role
from engine.errors import EngineError, InvalidDigest
from engine.graph import Graph, Root, used_names
from engine.metadata import Metadata
from engine.progress import Progress
from engine.reading import IndexWalk, read_descriptor
from engine.snapshot import Columns, Entry, Kind, Snapshot, as_names, empty_columns, find_rows, no_edges

Publish = Callable[[Snapshot], None]

_FIRST_ROWS = 1000
"""Index entries that are shown before the rest of a large index has been read."""
_PUBLISH_AFTER = 0.5
"""Seconds of listing after which what was found so far is shown; the next time takes twice as long, and so on."""
_PARENT = "parent"
"""The metadata key under which Docker keeps the id of the image that another was built on."""


class Layout(Protocol):
    """What a scan needs of an image layout."""

    @property
    def blobs(self) -> Blobs: ...
    def read_index(self) -> bytes: ...
    def check_structure(self) -> list[Problem]: ...


class Docker(Protocol):
    """What a scan needs of Docker's image store."""

    @property
    def blobs(self) -> Blobs: ...
    @property
    def metadata(self) -> Metadata: ...
    def names(self) -> Mapping[Digest, list[str]]: ...


def scan_layout(
    layout: Layout, progress: Progress, publish: Publish | None = None, previous: Snapshot | None = None
) -> Snapshot:
    """Scan an image layout; coarser snapshots go to ``publish`` as soon as they are there.

    An index that cannot be read is a problem of the snapshot, and what is on disk is shown without roots.
    """
    show = publish if publish and previous is None else _ignore
    problems = layout.check_structure()
    roots: list[Root] = []
    index_digest = ""

    def roots_only() -> Snapshot:
        return _without_graph("layout", "roots", roots, _no_rows(), problems, index_digest)

    progress.start("Reading index.json", unit="entries")
    try:
        raw = layout.read_index()
        index_digest = str(digest_of(raw))
        _read_entries(raw, roots, problems, progress, lambda: show(roots_only()))
    except EngineError as error:
        problems.append(Problem("error", str(error), "index.json"))
    show(roots_only())
    listed = list_blobs(
        layout.blobs,
        progress,
        lambda columns: show(_without_graph("layout", "listing", roots, columns, problems, index_digest)),
    )
    graph = Graph(layout.blobs, listed, progress, previous)
    graph.follow(roots)
    if publish is not None:
        publish(graph.snapshot("layout", "graph", roots, problems, index_digest))
    graph.look_at_the_rest()
    return graph.snapshot("layout", "complete", roots, problems, index_digest)


def scan_docker(
    docker: Docker, progress: Progress, publish: Publish | None = None, previous: Snapshot | None = None
) -> Snapshot:
    """Scan Docker's image store: every blob is an image config and a root."""
    listed = list_blobs(docker.blobs, progress, _ignore)
    names = docker.names()
    roots: list[Root] = []
    for row in np.flatnonzero((listed.flags & facts.STRAY) == 0):
        digest = bytes(listed.names[row]).decode()
        descriptor = Descriptor(DOCKER_CONFIG, digest, int(listed.sizes[row]))
        roots.append((descriptor, tuple(names.get(Digest(digest), ()))))
    roots.sort(key=lambda root: (not root[1], root[1]))
    if publish is not None and previous is None:
        publish(_without_graph("docker", "listing", roots, listed, [], ""))
    graph = Graph(docker.blobs, listed, progress, previous)
    graph.follow(roots)
    for descriptor, _ in roots:
        parent = _parent(docker.metadata, Digest(descriptor.digest))
        if parent:
            graph.link(descriptor.digest, parent, Role.PARENT)
    return graph.snapshot("docker", "complete", roots, [], "")


def list_blobs(blobs: Blobs, progress: Progress, publish: Callable[[Columns], None]) -> Columns:
    """List the blobs folders into columns, showing what was found so far now and then."""
    progress.start("Listing blobs", unit="blobs")
    parts: list[Columns] = []
    began, wait = time.monotonic(), _PUBLISH_AFTER
    for batch in blobs.list():
        parts.append(_columns_of(batch))
        progress.advance(len(batch))
        if time.monotonic() - began > wait:
            publish(_joined(parts))
            wait *= 2
    return _joined(parts)


def _read_entries(
    raw: bytes, roots: list[Root], problems: list[Problem], progress: Progress, show_first: Callable[[], None]
) -> None:
    walk = IndexWalk(raw)
    for position, (value, _, _) in enumerate(walk.entries()):
        descriptor, found = read_descriptor(value, f"manifests[{position}]")
        problems.extend(found)
        name = descriptor.name
        roots.append((descriptor, () if name is None else (name,)))
        if position % _FIRST_ROWS == _FIRST_ROWS - 1:
            progress.advance(_FIRST_ROWS)
            if position == _FIRST_ROWS - 1:
                show_first()
    problems.extend(walk.problems)


def _parent(metadata: Metadata, digest: Digest) -> str:
    try:
        return Digest.parse(metadata.get(digest, _PARENT).decode("ascii", "replace").strip())
    except (EngineError, InvalidDigest):
        return ""


def _columns_of(batch: Sequence[BlobEntry]) -> Columns:
    rows = [_row(entry) for entry in batch]
    columns = empty_columns(as_names([name for name, _ in rows]))
    columns.sizes[:] = [entry.size for entry in batch]
    columns.mtimes[:] = [entry.mtime_ns for entry in batch]
    columns.inodes[:] = [entry.inode for entry in batch]
    columns.links[:] = [entry.nlink for entry in batch]
    columns.flags[:] = [flags for _, flags in rows]
    columns.kinds[(columns.flags & facts.STRAY) != 0] = Kind.STRAY
    return columns


def _row(entry: BlobEntry) -> tuple[str, int]:
    """Name and flags of an entry's row: a digest also where something else than a file has a blob's name."""
    if entry.kind is EntryKind.BLOB:
        return entry.name, _BLOB if entry.name.startswith(("sha256:", "sha512:")) else _BLOB | facts.UNCHECKABLE
    if entry.kind == EntryKind.NOT_REGULAR:
        try:
            return Digest.parse(entry.name.replace("/", ":", 1)), facts.PRESENT
        except InvalidDigest:
            pass
    # A stray file beside the algorithms' folders must not look like a digest.
    return entry.name if "/" in entry.name else f"./{entry.name}", facts.PRESENT | facts.STRAY


_BLOB = facts.PRESENT | facts.REGULAR


def _joined(parts: Sequence[Columns]) -> Columns:
    """Batches as one set of columns, sorted by name."""
    return facts.join(parts) if parts else _no_rows()


def _no_rows() -> Columns:
    return empty_columns(as_names([]))


def _without_graph(
    kind: str, stage: str, roots: Sequence[Root], listed: Columns, problems: Iterable[Problem], index_digest: str
) -> Snapshot:
    """A snapshot of roots and listing, before any document was read."""
    wanted = np.unique(as_names(used_names(roots)))
    absent = wanted[find_rows(listed.names, wanted) < 0] if len(wanted) else wanted
    columns = facts.with_names(listed, absent)
    columns.flags[:] |= facts.PENDING
    rows = iter(find_rows(columns.names, as_names(used_names(roots))).tolist())
    entries = [Entry(n, next(rows) if d.digest else -1, d, names) for n, (d, names) in enumerate(roots)]
    return Snapshot(
        store_kind=kind,
        stage=stage,
        columns=columns,
        media_types=[""],
        entries=entries,
        edges=no_edges(),
        documents={},
        problems=list(problems),
        index_digest=index_digest,
    )


def _ignore(_: object) -> None:
    """Show nothing."""
