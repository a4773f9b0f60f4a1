"""Takes a snapshot of a store: roots first, then what is on disk, then what refers to what.

Only small files are opened and nothing is written. What a previous snapshot knows of unchanged files is not read again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine import snapshot as facts
from engine.blobs import Blobs, EntryKind
from engine.columns import Columns, as_names, empty_columns, find_rows, join, with_names
from engine.digest import Digest, digest_of
from engine.document import DOCKER_CONFIG, Descriptor, Role
from engine.entries import Batch, in_column
from engine.errors import EngineError, InvalidDigest
from engine.graph import Graph
from engine.metadata import Metadata
from engine.progress import Progress
from engine.reading import IndexWalk, read_descriptor
from engine.snapshot import Folders, Kind, Roots, Snapshot, no_edges

Publish = Callable[[Snapshot], None]

_FIRST_ROWS = 1000
"""Index entries that are shown before the rest of a large index has been read."""
_SLICE = 100
"""Entries that are read in a row before others get a turn."""
_PUBLISH_AFTER = 0.5
"""Seconds of listing after which what was found so far is shown; the next time takes twice as long, and so on."""
_TIME_STEP_NS = 20_000_000
"""Nanoseconds within which two changes of a folder may get the same time (a tick of the kernel's clock is at most 10
milliseconds)."""
_COARSE_STEP_NS = 2_000_000_000
"""The same on file systems that keep whole seconds (FAT: every other one)."""
_PARENT = "parent"
"""The metadata key under which Docker keeps the id of the image that another was built on."""


class Layout(Protocol):
    """What a scan needs of an image layout."""

    @property
    def blobs(self) -> Blobs: ...
    def read_index(self) -> bytes: ...


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

    Of an index that cannot be read ``roots.trouble`` tells why, and what is on disk is shown without roots. With a
    ``previous`` snapshot only what changed is read: an index of other bytes, folders in which a name came or went,
    documents in other files. A blob whose content was changed in place is noticed by a scan without one.
    """
    show = publish if publish and previous is None else _ignore
    roots = _read_roots(layout, progress, previous, lambda part: show(_without_graph("layout", part)))
    show(_without_graph("layout", roots))
    folders = _settled(layout.blobs.folders())
    if previous is not None and folders and folders == previous.folders:
        listed = previous.listed()
    else:
        listed = list_blobs(layout.blobs, progress, lambda columns: show(_without_graph("layout", roots, columns)))
    graph = Graph(layout.blobs, listed, progress, previous)
    graph.follow(roots)
    if publish is not None:
        publish(graph.snapshot("layout", "graph", roots, folders))
    graph.look_at_the_rest()
    return graph.snapshot("layout", "complete", roots, folders)


def scan_docker(
    docker: Docker, progress: Progress, publish: Publish | None = None, previous: Snapshot | None = None
) -> Snapshot:
    """Scan Docker's image store: every blob is an image config and a root."""
    listed = list_blobs(docker.blobs, progress, _ignore)
    names = docker.names()
    items = []
    for row in np.flatnonzero((listed.flags & facts.STRAY) == 0):
        digest = bytes(listed.names[row]).decode()
        descriptor = Descriptor(DOCKER_CONFIG, digest, int(listed.sizes[row]))
        items.append((descriptor, tuple(names.get(Digest(digest), ()))))
    items.sort(key=lambda root: (not root[1], root[1]))
    roots = Roots([descriptor for descriptor, _ in items], [tags for _, tags in items])
    if publish is not None and previous is None:
        publish(_without_graph("docker", roots, listed))
    graph = Graph(docker.blobs, listed, progress, previous)
    graph.follow(roots)
    for descriptor in roots.descriptors:
        parent = _parent(docker.metadata, Digest(descriptor.digest))
        if parent:
            graph.link(descriptor.digest, parent, Role.PARENT)
    return graph.snapshot("docker", "complete", roots)


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
    columns = _joined(parts)
    for algorithm in blobs.linked():
        columns.flags[np.char.startswith(columns.names, f"{algorithm}:".encode())] |= facts.LINKED
    return columns


def _read_roots(layout: Layout, progress: Progress, previous: Snapshot | None, show: Callable[[Roots], None]) -> Roots:
    """The entries of the index; the first ones are shown while the others are still being read."""
    progress.start("Reading index.json", unit="entries")
    roots = Roots([])
    try:
        raw = layout.read_index()
        roots.digest = str(digest_of(raw))
        if previous is not None and previous.roots.digest == roots.digest:
            return previous.roots
        walk = IndexWalk(raw)
        for position, (value, _, _) in enumerate(progress.turns(walk.entries(), _SLICE)):
            descriptor = read_descriptor(value)
            roots.descriptors.append(descriptor)
            if position % _FIRST_ROWS == _FIRST_ROWS - 1:
                progress.advance(_FIRST_ROWS)
                if position == _FIRST_ROWS - 1:
                    # A snapshot's own, which does not grow any more.
                    show(Roots(list(roots.descriptors), digest=roots.digest))
    except EngineError as error:
        roots.trouble = str(error)
        roots.digest = ""  # what could not be read whole is read again
    return roots


def _settled(folders: Folders) -> Folders:
    """The folders' times, unless one changed so lately that a further change could have the same time."""
    now = time.time_ns()
    for _, _, changed in folders:
        if changed > now - (_TIME_STEP_NS if changed % 1_000_000_000 else _COARSE_STEP_NS):
            return ()
    return folders


def _parent(metadata: Metadata, digest: Digest) -> str:
    try:
        return Digest.parse(metadata.get(digest, _PARENT).decode("ascii", "replace").strip())
    except (EngineError, InvalidDigest):
        return ""


def _columns_of(batch: Batch) -> Columns:
    if all(kind is EntryKind.BLOB for kind in set(batch.kinds)):
        names = batch.names
        flags: int | list[int] = _flags_of_blobs(names[0])
    else:
        rows = [_row(name, kind) for name, kind in zip(batch.names, batch.kinds, strict=True)]
        names, flags = [name for name, _ in rows], [flags for _, flags in rows]
    columns = empty_columns(as_names(names))
    columns.sizes[:] = [status.st_size for status in batch.statuses]
    columns.mtimes[:] = _times([status.st_mtime_ns for status in batch.statuses])
    columns.ctimes[:] = _times([status.st_ctime_ns for status in batch.statuses])
    columns.inodes[:] = [status.st_ino for status in batch.statuses]
    columns.links[:] = [status.st_nlink for status in batch.statuses]
    columns.flags[:] = flags
    columns.kinds[(columns.flags & facts.STRAY) != 0] = Kind.STRAY
    return columns


def _times(times: list[int]) -> NDArray[np.int64]:
    try:
        return np.array(times, np.int64)
    except OverflowError:
        return np.array([in_column(time_ns) for time_ns in times], np.int64)


def _row(name: str, kind: EntryKind) -> tuple[str, int]:
    """Name and flags of an entry's row: a digest also where something else than a file has a blob's name."""
    if kind is EntryKind.BLOB:
        return name, _flags_of_blobs(name)
    if kind is EntryKind.NOT_REGULAR:
        try:
            return Digest.parse(name.replace("/", ":", 1)), facts.PRESENT
        except InvalidDigest:
            pass
    # A stray file beside the algorithms' folders must not look like a digest.
    return name if "/" in name else f"./{name}", facts.PRESENT | facts.STRAY


def _flags_of_blobs(name: str) -> int:
    """The flags of a blob, and of all others in its folder."""
    computed = name.startswith(("sha256:", "sha512:"))
    return facts.PRESENT | facts.REGULAR if computed else facts.PRESENT | facts.REGULAR | facts.UNCHECKABLE


def _joined(parts: Sequence[Columns]) -> Columns:
    """Batches as one set of columns, sorted by name."""
    return join(parts) if parts else _no_rows()


def _no_rows() -> Columns:
    return empty_columns(as_names([]))


def _without_graph(kind: str, roots: Roots, listed: Columns | None = None) -> Snapshot:
    """A snapshot of roots, and of the listing where there is one, before any document was read."""
    columns = _no_rows() if listed is None else listed
    digests = as_names([descriptor.digest for descriptor in roots.descriptors if descriptor.digest])
    columns = with_names(columns, digests[find_rows(columns.names, digests) < 0])
    columns.flags[:] |= facts.PENDING
    rows = iter(find_rows(columns.names, digests).tolist())
    return Snapshot(
        store_kind=kind,
        stage="roots" if listed is None else "listing",
        columns=columns,
        media_types=[""],
        roots=roots,
        entries=roots.entries(next(rows) if descriptor.digest else -1 for descriptor in roots.descriptors),
        edges=no_edges(),
        documents={},
    )


def _ignore(_: object) -> None:
    """Show nothing."""
