"""``DockerImageStore``: the images that a Docker daemon keeps on disk (moby ``image/fs.go`` and ``image/store.go``).

The folder ``imagedb`` holds ``content/sha256/<id>``, one image config each, and ``metadata/sha256/<id>/<key>``. An
image's id is the digest of its config. Beside it, in ``repositories.json``, stand the names.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from engine.blobs import Blobs, Change, EntryKind
from engine.digest import Digest, clip
from engine.directory import Directory, explained
from engine.document import CONFIG_LIMIT
from engine.durable import Rights, ensure_folder
from engine.errors import EngineError, InvalidDigest, NotAStore, Refused
from engine.importing import ImportRequest, import_into_docker
from engine.indexfile import Edit, Note
from engine.jsontext import parse_strict
from engine.leftovers import IN_DOCKER
from engine.metadata import Metadata
from engine.progress import Progress
from engine.root import StoreRoot
from engine.scan import scan_docker
from engine.snapshot import Snapshot
from engine.store import Store, build_folder, open_folder

NAMES_LIMIT = 16 << 20
"""Bytes of the largest ``repositories.json`` that is read."""

_BARE_ID = re.compile(r"[0-9a-f]{64}")


class DockerImageStore(Store):
    """An open image store of Docker: blobs are image configs, ids are their digests, sha256 only."""

    kind = "docker"
    title = "Docker image store"
    _places = IN_DOCKER

    def __init__(self, root: StoreRoot, alternatives: Sequence[Path] = ()) -> None:
        blobs = Blobs(root, "content", frozenset({"sha256"}))
        super().__init__(root, blobs, Metadata(root, blobs, keep_folders=True))
        self.alternatives = list(alternatives)
        """The stores of other storage drivers in the same data root."""

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> "DockerImageStore":
        """Make a new, empty store at a path that nothing has, whole or not at all, and open it.

        Only its owner may read it, as Docker has it. Raises ``AlreadyExists``, ``StorageFailed``.
        """
        return cls.open(build_folder(path, _fill_store, private=True))

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "DockerImageStore":
        """Open the store at ``path`` or below it (see ``candidates``); nothing is written.

        A data root may hold the stores of several storage drivers: the one with the most images is opened, the first
        by name among equals, and ``alternatives`` names the others. Raises ``NotAStore``, ``StorageFailed``.
        """
        with explained("Opening", os.fspath(path)):
            found = sorted(cls.candidates(path), key=lambda candidate: (-_count(candidate), candidate))
            if not found:
                raise NotAStore(
                    f"{path} holds no image store of Docker.",
                    place=os.fspath(path),
                    expected="the folder imagedb with content/sha256 in it, or Docker's data root above it",
                    found=", ".join(clip(name, 40) for name in open_folder(path).names()[:8]) or "an empty folder",
                    remedy="Choose the folder imagedb, or Docker's data root (usually /var/lib/docker).",
                )
            return cls(StoreRoot(Directory.open(found[0]), private=True), found[1:])

    @staticmethod
    def candidates(path: str | os.PathLike[str]) -> list[Path]:
        """Every store at a path: itself, its ``imagedb``, and those of all storage drivers in ``image`` below it.

        So it may be ``imagedb``, ``image/<driver>``, ``image`` or the data root. Raises ``NotAStore`` when it is no
        folder, ``StorageFailed`` when it cannot be read.
        """
        with explained("Looking into", os.fspath(path)):
            base = Path(open_folder(path).path)
            places = [base, base / "imagedb"]
            for drivers in (base, base / "image"):
                if drivers.is_dir():
                    places += [drivers / name / "imagedb" for name in open_folder(drivers).names()]
            return [place for place in places if _is_store(place, named=place in places[:2])]

    def walk(self) -> Iterator[Digest]:
        """The ids of all images, in order, as they were when the walk began; other files are left out."""
        found: list[str] = []
        for batch in self.blobs.list():
            found += [entry.name for entry in batch if entry.kind is EntryKind.BLOB]
        return iter([Digest(name) for name in sorted(found) if name.startswith("sha256:")])

    def get(self, image_id: str) -> bytes:
        """The config of an image, verified; raises ``InvalidDigest``, ``BlobMissing``, ``DigestMismatch``, …"""
        return self.blobs.read(_accept(image_id), CONFIG_LIMIT)

    def set(self, data: bytes) -> Digest:
        """Store an image config and return its id; a good copy that is there stays untouched.

        Raises ``Refused`` for no data at all, as Docker does, and for more than an image config may have.
        """
        if not 0 < len(data) <= CONFIG_LIMIT:
            raise Refused(
                "Docker's image store takes no empty content."
                if not data
                else "This is too large for an image config.",
                place=self.path.name,
                expected=f"1 to {CONFIG_LIMIT:,} bytes",
                found=f"{len(data):,} bytes",
            )
        return self.blobs.put(data).digest

    def delete(self, image_id: str) -> bool:
        """Remove an image's config and then its metadata; False when there was neither."""
        return super().delete(_accept(image_id))

    def names(self) -> dict[Digest, list[str]]:
        """The names of each image, sorted, from ``repositories.json``; what cannot be read there names nothing."""
        with suppress(EngineError, OSError):
            raw = Directory.open(self.path.parent).read("repositories.json", NAMES_LIMIT)[0]
            return _names_in(parse_strict(raw, "repositories.json"))
        return {}

    def scan(
        self,
        progress: Progress,
        publish: Callable[[Snapshot], None] | None = None,
        previous: Snapshot | None = None,
    ) -> Snapshot:
        return scan_docker(self, progress, publish, previous)

    def import_files(self, requests: Sequence[ImportRequest], progress: Progress) -> Change:
        return import_into_docker(self, requests, progress)

    def hold_index(self) -> AbstractContextManager[None]:
        return nullcontext()

    def index_stamp(self) -> tuple[int, int, int]:
        return 0, 0, 0

    def edit_index(self, edit: Edit, title: str = "", *, note: Note | None = None) -> Change:
        """Raises ``Refused``: the names are the daemon's own, which would overwrite any change."""
        raise self._no_index()

    def read_index(self) -> bytes:
        """Raises ``Refused``."""
        raise self._no_index()

    def _no_index(self) -> Refused:
        return Refused(
            "Docker's image store has no index.",
            place=str(self.path),
            remedy="Use docker tag and docker rmi to change names.",
        )


def _accept(image_id: str) -> Digest:
    """An id with or without its algorithm; raises ``InvalidDigest`` for anything else."""
    digest = Digest.parse(f"sha256:{image_id}" if _BARE_ID.fullmatch(image_id) else image_id)
    if digest.algorithm != "sha256":
        raise InvalidDigest(
            f"{digest.short} is not the id of an image.", place=digest, expected="sha256: and 64 digits", found=digest
        )
    return digest


def _is_store(place: Path, *, named: bool) -> bool:
    """Whether the folders of a store are there; the daemon makes those for metadata at its next start.

    What the system refuses to show is an error where a person has named it, and no store elsewhere.
    """
    try:
        base = Directory.open(place)
        base.child("content").child("sha256")
        return place.name == "imagedb" or stat.S_ISDIR(base.stat("metadata").st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        if named:
            raise
        return False


def _count(place: Path) -> int:
    try:
        return len(Directory.open(place / "content" / "sha256").names())
    except OSError:
        return 0


def _fill_store(folder: Directory, rights: Rights) -> None:
    for name in ("content", "metadata"):
        ensure_folder(ensure_folder(folder, name, rights), "sha256", rights)


def _names_in(value: Any) -> dict[Digest, list[str]]:
    """From ``{"Repositories": {repository: {name: id}}}``."""
    names: dict[Digest, list[str]] = {}
    repositories = value.get("Repositories") if isinstance(value, dict) else None
    for references in (repositories if isinstance(repositories, dict) else {}).values():
        for name, image_id in (references if isinstance(references, dict) else {}).items():
            with suppress(InvalidDigest):
                names.setdefault(_accept(str(image_id)), []).append(name)
    return {digest: sorted(found) for digest, found in names.items()}
