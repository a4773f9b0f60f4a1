"""The layers of the image that is looked at: read beside the window, laid on each other, and what came of it.

One image of a store at a time. Whatever is asked for next takes the place of what is still on its way.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from engine.document import Manifest
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot
from engine.store import Store
from gui.jobs import JobRunner
from gui.layerwork import LayerWork

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.stack import ReadImage

MOST_LAYERS = 1000
"""Layers of the tallest image that is read; no tool can run one of more than some hundred."""

_ARCHIVES = frozenset({"application/gzip", "application/zstd", "application/x-tar"})
"""What blobs are by their first bytes that may be layers, but that nothing describes."""

_LIKE_LAYERS = (".tar", ".tar+gzip", ".tar+zstd")
"""How the media types of archives end."""

_Stamps = tuple[tuple[str, int, int, int], ...]
"""The layers' digests, and size, time and inode of their files."""


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

        def work(progress: Progress) -> "ReadImage":
            from engine.stack import read_image

            return read_image(self._store, digests, self._cache, progress)

        def keep(image: "ReadImage") -> None:
            self.image = image

        self._run(
            "Reading layers",
            work,
            lambda corrupt: self._record_corrupt(snapshot, corrupt),
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


def is_layer(snapshot: Snapshot, row: int) -> bool:
    """Whether a blob is a layer, or looks like one: an archive that nothing describes, or that an artifact has."""
    kind, media_type = snapshot.kind(row), snapshot.media_type(row)
    if kind == Kind.UNKNOWN:
        return media_type in _ARCHIVES
    return kind == Kind.LAYER or (kind == Kind.DATA and media_type.endswith(_LIKE_LAYERS))
