"""``ImageLayout``: an OCI image layout in a folder (image-spec ``image-layout.md``)."""

import errno
import os
import re
import stat
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

from engine.blobs import Blobs, Change
from engine.digest import clip
from engine.directory import Directory, explained
from engine.document import Problem
from engine.durable import Rights, ensure_folder, publish, staging, sync, write_file
from engine.errors import DocumentError, EngineError, NotAStore
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

MARKER_NAME = "oci-layout"
MARKER = b'{"imageLayoutVersion":"1.0.0"}'
_VERSION = "1.0.0"
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

        What is wrong with it is told by ``check_structure``. ``follow_links`` lets blobs be read from a blobs folder
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

    def check_structure(self) -> list[Problem]:
        """What is wrong with the files and folders that make it a layout; empty when nothing is."""
        directory = self._root.directory
        problems = [*self._check_marker(), *_check_kind(directory, INDEX_NAME, stat.S_ISREG, "a regular file")]
        problems += _check_kind(directory, "blobs", stat.S_ISDIR, "a folder")
        try:
            with explained("Reading", directory.path):
                problems += self._check_links(directory)
                problems += _check_extras(directory)
        except EngineError as error:
            problems.append(Problem("error", str(error), directory.path))
        return problems

    def read_index(self) -> bytes:
        """The bytes of ``index.json``; raises ``DocumentError`` and ``StorageFailed`` (see ``IndexFile.read``)."""
        return self._index.read()

    def read_own(self, name: str, limit: int) -> bytes:
        """The first ``limit`` bytes of one of the layout's own files as they are, JSON or not; raises ``StorageFailed``."""
        with explained("Reading", f"{self.path}/{name}"):
            fd, _ = self._root.directory.open_with_status(name)
            with open(fd, "rb") as file:
                return file.read(limit)

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
        if version != _VERSION:
            self._root.refusal = (
                f"{self.path} is a layout of version {clip(str(version), 40)}; only {_VERSION} can be changed."
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

    def _check_marker(self) -> list[Problem]:
        try:
            version = self._version()
        except DocumentError as error:
            return [Problem("error", str(error), MARKER_NAME)]
        except FileNotFoundError:
            return [Problem("error", "oci-layout is missing, so other tools refuse this layout.", MARKER_NAME)]
        except OSError as error:
            reason = "it is no regular file" if error.errno in _NOT_REGULAR else os.strerror(error.errno or 0)
            return [Problem("error", f"oci-layout cannot be read: {reason}.", MARKER_NAME)]
        if version == _VERSION:
            return []
        sentence = f"The layout's version is {clip(version, 40)}; this program knows {_VERSION}, and changes no other."
        return [Problem("error", sentence, MARKER_NAME, "imageLayoutVersion")]

    def _check_links(self, directory: Directory) -> list[Problem]:
        """Blobs folders that are symbolic links."""
        paths = ["blobs"]
        with suppress(FileNotFoundError, NotADirectoryError):  # has its own problem, or is a link not followed
            paths += [f"blobs/{name}" for name in self._root.reach("blobs").names()]
        sentence = (
            "{} is a symbolic link; what it leads to is shown, but nothing is changed through it."
            if self._root.follow_links
            else "{} is a symbolic link, which is not followed."
        )
        linked = [path for path in paths if _is_link(directory, path)]
        return [Problem("warning", sentence.format(path), path) for path in linked]


_NOT_REGULAR = frozenset({errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR})
_KNOWN_EXTRAS = re.compile(r"\..*|ingest|index\.lock|index\.json\..*|oci-put-blob.*")
_SHOWN_EXTRAS = 10


def _fill_layout(folder: Directory, rights: Rights) -> None:
    ensure_folder(ensure_folder(folder, "blobs", rights), "sha256", rights)
    write_file(folder, INDEX_NAME, NEW_INDEX, rights)
    write_file(folder, MARKER_NAME, MARKER, rights)


def _check_kind(directory: Directory, name: str, is_right: Callable[[int], bool], expected: str) -> list[Problem]:
    try:
        mode = directory.stat(name).st_mode
    except FileNotFoundError:
        return [Problem("error", f"{name} is missing.", name)]
    except OSError as error:
        return [Problem("error", f"{name} cannot be looked at: {os.strerror(error.errno or 0)}.", name)]
    if stat.S_ISLNK(mode) and is_right is stat.S_ISDIR:  # allowed, with a warning of its own
        mode = _mode_behind(directory, name)
    if is_right(mode):
        return []
    return [Problem("error", f"{name} is not {expected}.", name)]


def _mode_behind(directory: Directory, name: str) -> int:
    try:
        return os.stat(name, dir_fd=directory.fd).st_mode
    except OSError:
        return 0


def _is_link(directory: Directory, path: str) -> bool:
    return directory.has(path) and stat.S_ISLNK(directory.stat(path).st_mode)


def _check_extras(directory: Directory) -> list[Problem]:
    """What lies beside the layout's own files; the specification allows it."""
    extras = [name for name in directory.names() if name not in _OWN_NAMES and not _KNOWN_EXTRAS.fullmatch(name)]
    if not extras:
        return []
    shown = ", ".join(clip(os.fsencode(name).decode(errors="replace"), 40) for name in extras[:_SHOWN_EXTRAS])
    more = f" and {len(extras) - _SHOWN_EXTRAS} more" if len(extras) > _SHOWN_EXTRAS else ""
    return [Problem("info", f"The folder also holds {shown}{more}, which are no part of the layout.", directory.path)]
