"""``ImageLayout``: an OCI image layout in a folder (image-spec ``image-layout.md``)."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from engine.blobs import Blobs, Change
from engine.digest import clip
from engine.directory import Directory, explained
from engine.document import LAYOUT_VERSION, MARKER_NAME
from engine.durable import Rights, ensure_folder, publish, staging, sync, write_file
from engine.errors import DocumentError, NotAStore
from engine.importing import ImportRequest, import_into_layout
from engine.index import NEW_INDEX
from engine.indexfile import NAME as INDEX_NAME
from engine.indexfile import Edit, IndexFile, Note
from engine.jsontext import parse_strict
from engine.leftovers import IN_LAYOUT
from engine.metadata import Metadata
from engine.progress import Progress
from engine.root import StoreRoot
from engine.scan import scan_layout
from engine.snapshot import Snapshot
from engine.store import Store, build_folder, open_folder
from engine.undo import edit_undoably

MARKER = b'{"imageLayoutVersion":"1.0.0"}'
_MARKER_LIMIT = 1 << 16
_OWN_NAMES = frozenset({MARKER_NAME, INDEX_NAME, "blobs", "metadata"})


class ImageLayout(Store):
    """An open image layout."""

    kind = "layout"
    title = "OCI image layout"
    _places = IN_LAYOUT

    def __init__(self, root: StoreRoot) -> None:
        blobs = Blobs(root)
        super().__init__(root, blobs, Metadata(root, blobs))
        self._index = IndexFile(root)

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> "ImageLayout":
        """Make a new, empty layout at a path that nothing has, and open it.

        It is built in a folder ``.blobscope-…`` beside, and appears whole or not at all; what a crash leaves is such a
        folder, which may be deleted. Raises ``AlreadyExists`` for anything that is there, also an empty folder, and
        ``StorageFailed``.
        """
        return cls.open(build_folder(path, _fill_layout))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, follow_links: bool = True) -> "ImageLayout":
        """Open a layout, also a damaged one; nothing is written, and read-only media do.

        What is wrong with it is told by the rules (``engine.validate``). ``follow_links`` lets blobs be read from a blobs folder
        that is a symbolic link, as those who share a cache make it; nothing is ever changed through one. Raises
        ``NotAStore`` and ``StorageFailed``.
        """
        with explained("Opening", os.fspath(path)):
            directory = open_folder(path)
            found = _OWN_NAMES.intersection(directory.names())
            if MARKER_NAME not in found and not {INDEX_NAME, "blobs"} <= found:
                raise NotAStore(
                    f"{directory.path} is not an OCI image layout.",
                    place=directory.path,
                    expected="the file oci-layout, or index.json together with the folder blobs",
                    found=", ".join(sorted(found)) or "none of them",
                    remedy="Choose the folder that holds oci-layout, index.json and blobs.",
                )
            layout = cls(StoreRoot(directory, follow_links=follow_links))
        layout._look_at_version()
        return layout

    def read_index(self) -> bytes:
        """The bytes of ``index.json``; raises ``DocumentError`` and ``StorageFailed`` (see ``IndexFile.read``)."""
        return self._index.read()

    def read_own(self, name: str, limit: int) -> bytes:
        """The first ``limit`` bytes of one of the layout's own files as they are, JSON or not; raises ``StorageFailed``."""
        with explained("Reading", f"{self.path}/{name}"):
            fd, _ = self._root.directory.open_with_status(name)
            with open(fd, "rb") as file:
                return file.read(limit)

    def open_file(self, place: str) -> int:
        if place not in (MARKER_NAME, INDEX_NAME):
            return super().open_file(place)
        with explained("Reading", f"{self.path}/{place}"):
            return self._root.directory.open_file(place)

    def edit_index(self, edit: Edit, title: str = "", *, note: Note | None = None) -> Change:
        """Change ``index.json`` without losing what other programs write (see ``IndexFile.edit``)."""
        if not title:
            return self._index.edit(edit, note)
        return edit_undoably(self, self._trash, edit, title)

    def add_marker(self) -> bool:
        """Write the file ``oci-layout`` where it is missing; whether it was. Raises ``Refused``, ``StorageFailed``."""
        root = self._root.to_change()
        with explained("Writing to", root.path), staging(root) as stage:
            write_file(stage, MARKER_NAME, MARKER, self._root.rights)
            added = publish(stage, MARKER_NAME, root, MARKER_NAME)
            sync(root)
        return added

    def hold_index(self) -> AbstractContextManager[None]:
        return self._index.hold()

    def index_stamp(self) -> tuple[int, int, int]:
        with explained("Looking at index.json in", str(self.path)):
            status = self._root.directory.stat(INDEX_NAME)
        return status.st_ino, status.st_size, status.st_mtime_ns

    def scan(
        self,
        progress: Progress,
        publish: Callable[[Snapshot], None] | None = None,
        previous: Snapshot | None = None,
    ) -> Snapshot:
        return scan_layout(self, progress, publish, previous)

    def import_files(self, requests: Sequence[ImportRequest], progress: Progress) -> Change:
        return import_into_layout(self, requests, progress)

    def _look_at_version(self) -> None:
        """A version that we do not know may ask for what we do not do, so such a layout is only looked at."""
        try:
            version = self._version()
        except (DocumentError, OSError):
            return
        if version != LAYOUT_VERSION:
            self._root.refusal = (
                f"{self.path} is a layout of version {clip(str(version), 40)}; only {LAYOUT_VERSION} can be changed."
            )

    def _version(self) -> Any:
        """The version in ``oci-layout``; raises ``DocumentError`` and ``OSError``."""
        raw = self._root.directory.read(MARKER_NAME, _MARKER_LIMIT)[0]
        marker = parse_strict(raw, MARKER_NAME)
        if not isinstance(marker, dict) or not isinstance(marker.get("imageLayoutVersion"), str):
            raise DocumentError(
                "oci-layout does not say its imageLayoutVersion.",
                place=MARKER_NAME,
                expected=MARKER.decode(),
                found=clip(raw.decode(errors="replace")),
            )
        return marker["imageLayoutVersion"]


def _fill_layout(folder: Directory, rights: Rights) -> None:
    ensure_folder(ensure_folder(folder, "blobs", rights), "sha256", rights)
    write_file(folder, INDEX_NAME, NEW_INDEX, rights)
    write_file(folder, MARKER_NAME, MARKER, rights)
