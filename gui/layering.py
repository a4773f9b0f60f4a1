"""The layers of the image that is looked at: read beside the window, laid on each other, and what came of it.

One image of a store at a time. Whatever is asked for next takes the place of what is still on its way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from PySide6.QtCore import QObject

from engine.document import Manifest
from engine.errors import EngineError
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot
from engine.store import Store
from gui.jobs import JobRunner
from gui.layerwork import LayerWork

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.contents import Contents
    from engine.filesystem import FileSystem
    from engine.layers import LayerTable

MOST_LAYERS = 1000
"""Layers of the tallest image that is read; no tool can run one of more than some hundred."""

_ARCHIVES = frozenset({"application/gzip", "application/zstd", "application/x-tar"})
"""What blobs are by their first bytes that may be layers, but that nothing describes."""

_LIKE_LAYERS = (".tar", ".tar+gzip", ".tar+zstd")
"""How the media types of archives end."""

_Stamps = tuple[tuple[str, int, int, int], ...]
"""The layers' digests, and size, time and inode of their files."""


@dataclass(frozen=True)
class ReadLayer:
    """What reading a layer has told, or why it could not be read.

    ``table`` is without its list of files, which is in the image's file system; ``entries`` tells how many those are,
    ``trouble`` what is wrong with the layer, and ``is_whole`` whether all of it could be read. ``kept`` and ``wasted`` are bytes of its files: those that the whole image shows, and those that it never does. The
    counts are paths.
    """

    table: "LayerTable | None"
    error: EngineError | None
    entries: int
    trouble: str
    is_whole: bool
    kept: int
    wasted: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, eq=False)
class ReadImage:
    """The layers of an image, the lowest first, and its file system; a layer that was not read has nothing in it."""

    layers: tuple[ReadLayer, ...]
    files: "FileSystem"
    contents: "Contents"
    """The bytes of the files, to be read by workers."""


class Layering(LayerWork):
    """Reads the layers of one image of a store, or one layer by itself."""

    def __init__(
        self, parent: QObject, runner: JobRunner, store: Store, cache: Path, snapshot: Callable[[], Snapshot | None]
    ) -> None:
        super().__init__(parent, runner, store, cache, snapshot)
        self._stamps: _Stamps = ()
        self.digest = ""
        """The manifest of the image that it is about; empty for none."""
        self.image: ReadImage | None = None
        """What came of it."""

    def look_at(self, digest: str) -> None:
        """Read the layers of the image with this manifest, or the layer itself that has this digest.

        Not where that has been tried and they are still the same.
        """
        stamps = self._stamps_of(digest)
        if digest == self.digest and stamps == self._stamps:
            return
        self._drop()
        self.digest, self._stamps = digest, stamps
        self.read()

    def leave(self, digest: str) -> None:
        """Nobody looks at that image any more: what is known of it stays known, what is not is not wanted."""
        if digest == self.digest and self.image is None:
            self._drop()

    def read(self) -> None:
        """Read the layers now, also after it was stopped or has failed."""
        snapshot, digest, stamps = self._snapshot(), self.digest, self._stamps
        if snapshot is None or not digest or self.job is not None or len(stamps) > MOST_LAYERS:
            self.changed.emit()
            return
        self.stopped, self.error, self.image = False, None, None
        digests = [each for each, *_ in stamps]

        def is_wanted() -> bool:
            return (digest, stamps) == (self.digest, self._stamps)

        def keep(image: ReadImage) -> None:
            self.image = image

        self._run(
            "Reading layers",
            lambda progress: read_image(self._store, digests, self._cache, progress),
            lambda tables: self._record(snapshot, tables),
            keep,
            is_wanted,
        )

    def _drop(self) -> None:
        self.digest, self._stamps = "", ()
        self.image, self.error, self.stopped = None, None, False
        self._cancel()

    def _stamps_of(self, digest: str) -> _Stamps:
        snapshot = self._snapshot()
        row = snapshot.find(digest) if snapshot is not None and digest else -1
        if snapshot is None or row < 0:
            return ()
        document = snapshot.document(row)
        if isinstance(document, Manifest):
            digests = [layer.digest for layer in document.layers[: MOST_LAYERS + 1]]
        else:
            digests = [digest] if is_layer(snapshot, row) else []
        columns, found = snapshot.columns, []
        for each in digests:
            at = snapshot.find(each) if each else -1
            facts = (columns.sizes, columns.mtimes, columns.inodes)
            size, changed, inode = (int(column[at]) if at >= 0 else -1 for column in facts)
            found.append((each, size, changed, inode))
        return tuple(found)

    def _record(self, snapshot: Snapshot, tables: "list[tuple[str, LayerTable | EngineError]]") -> None:
        read = ((digest, table) for digest, table in tables if not isinstance(table, EngineError))
        self._record_corrupt(snapshot, [digest for digest, table in read if table.is_sound is False])


def is_layer(snapshot: Snapshot, row: int) -> bool:
    """Whether a blob is a layer, or looks like one: an archive that nothing describes, or that an artifact has."""
    kind, media_type = snapshot.kind(row), snapshot.media_type(row)
    if kind == Kind.UNKNOWN:
        return media_type in _ARCHIVES
    return kind == Kind.LAYER or (kind == Kind.DATA and media_type.endswith(_LIKE_LAYERS))


def read_image(store: Store, digests: Sequence[str], cache: Path, progress: Progress) -> ReadImage:
    """Read layers, the lowest first, and lay them on each other. Raises ``Cancelled``."""
    from engine.contents import Contents
    from engine.filesystem import Change
    from engine.layers import read_tables
    from engine.merging import merge
    from engine.tarwalk import Walker
    from engine.waste import waste

    tables = read_tables(store.blobs, digests, progress, cache=cache)
    nothing = Walker().finish()
    found = [tables[digest] for digest in digests]
    files = merge([nothing if isinstance(each, EngineError) else each.listing for each in found], progress)
    wasted = waste(files).layers
    progress.start("Comparing layers", len(found), "layers")
    layers = []
    sizes = np.where(files.nodes >= 0, files.columns.sizes[:-2], 0)
    for number, each in enumerate(found):
        first, last = files.columns.bounds[number], files.columns.bounds[number + 1]
        changes = np.bincount(files.view(number).changes[1:], minlength=len(Change)).tolist()
        table = None if isinstance(each, EngineError) else each
        layers.append(
            ReadLayer(
                table=msgspec.structs.replace(table, listing=nothing) if table else None,
                error=each if isinstance(each, EngineError) else None,
                entries=len(table.listing) if table else 0,
                trouble=table.trouble if table else "",
                is_whole=table is not None and table.complete,
                kept=int(sizes[first:last].sum()) - wasted[number],
                wasted=wasted[number],
                added=changes[Change.ADDED],
                changed=changes[Change.CHANGED],
                removed=changes[Change.REMOVED],
            )
        )
        progress.advance()
    return ReadImage(tuple(layers), files, Contents(store.blobs, found, files))
