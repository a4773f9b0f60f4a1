"""One record of a store's trash: a folder that holds what was removed, under the paths that it had in the store.

Where a folder of blobs is a file system of its own, the record has a second part there, for a name can only be given
within one.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import msgspec

from engine.blobs import Blobs
from engine.digest import Digest
from engine.directory import Directory
from engine.document import INDEX_LIMIT
from engine.durable import (
    TRASH_NAME,
    Rights,
    ensure_folder,
    link,
    mount_of,
    move,
    remove_empty,
    remove_tree,
    rename_new,
    replace,
    staging,
    sync,
    unlink,
    write_file,
)
from engine.errors import BlobMissing, BlobUnreadable, EngineError, InvalidDigest, StoreChanged
from engine.index import IndexText
from engine.locking import unlock
from engine.reversal import IndexChange, compare
from engine.root import StoreRoot
from engine.snapshot import Kind

METADATA = "metadata"

_JOURNAL, _EDIT, _UNFINISHED = "journal.json", "edit.json", "unfinished"
_JOURNAL_LIMIT = 256 << 20
_EDIT_LIMIT = 3 * INDEX_LIMIT
_RANKS = {Kind.INDEX: 0, Kind.IMAGE: 1, Kind.ARTIFACT: 1, Kind.ATTESTATION: 1, Kind.SIGNATURE: 1, Kind.SBOM: 1}


class TrashedBlob(msgspec.Struct, frozen=True, gc=False):
    """A blob in the trash, with its size in bytes."""

    digest: str
    size: int
    kind: Kind


class Journal(msgspec.Struct, frozen=True):
    """What is written before anything moves; ``blobs`` is what was planned."""

    title: str
    when: str
    entries: tuple[str, ...] = ()
    blobs: tuple[TrashedBlob, ...] = ()


class Shelf(NamedTuple):
    """Where a kind of file lies: the folder in the store, and the algorithm."""

    folder: str
    algorithm: str


class OpenRecord:
    """A record that we hold locked, to fill it or to take things out of it. The methods raise ``OSError``."""

    def __init__(self, root: StoreRoot, name: str, folder: Directory, blobs: Blobs) -> None:
        self.id = name
        self.folder = folder
        self._root = root
        self._blobs = blobs
        self._homes: dict[Shelf, tuple[Directory, Directory]] = {}

    def keep(self, digest: Digest) -> None:
        """Hold a blob's file that is still in the store, where links are possible, whatever others do to it there."""
        shelf = Shelf(self._blobs.folder_name, digest.algorithm)
        with suppress(FileNotFoundError):
            if stat.S_ISREG(self._source(shelf).stat(digest.encoded).st_mode):
                link(*self._home(shelf, digest.encoded))

    def take(self, digest: Digest) -> bool:
        """Move a blob's file in from the store; False when there is none."""
        shelf = Shelf(self._blobs.folder_name, digest.algorithm)
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(self._source(shelf).stat(digest.encoded).st_mode):
                raise BlobUnreadable(
                    f"{digest.short} is a folder where a file belongs.",
                    place=digest,
                    expected="a regular file",
                    found="a folder",
                    remedy="Look into that folder, and move it away.",
                )
        return self._take(shelf, digest.encoded)

    def take_metadata(self, digest: Digest) -> bool:
        """Move the folder of a blob's metadata in from the store; False when there is none."""
        return self._take(Shelf(METADATA, digest.algorithm), digest.encoded)

    def place_of(self, shelf: Shelf) -> Directory:
        """The folder in the store where such files belong; made where it is missing."""
        return self._root.reach_to_change(*shelf, make=True)

    def settle(self) -> None:
        """Make everything that was moved safe on the disk, where it is now and where it was."""
        for source, target in self._homes.values():
            sync(target)
            sync(source)

    def shelves(self) -> Iterator[tuple[Shelf, Directory]]:
        """What it holds: each kind of file with its folder in the record."""
        for part in (self.folder, *(folder for _, _, folder in self._parts())):
            for name in (self._blobs.folder_name, METADATA):
                with suppress(FileNotFoundError, NotADirectoryError):
                    outer = part.child(name)
                    for algorithm in outer.names():
                        with suppress(NotADirectoryError):
                            yield Shelf(name, algorithm), outer.child(algorithm)

    def blobs(self) -> Iterator[tuple[Digest, os.stat_result]]:
        """The blobs that it holds; files of other names, which nobody of us has put there, are left out."""
        for shelf, folder in self.shelves():
            for digest in digests_in(shelf, folder) if shelf.folder != METADATA else ():
                with suppress(FileNotFoundError):  # just brought back
                    yield digest, folder.stat(digest.encoded)

    @property
    def kind(self) -> str:
        """``removal``, ``edit`` or ``aside``."""
        return self.id.split("-")[1]

    def journal(self) -> Journal:
        """What was written before anything moved; an empty one where that cannot be read."""
        with suppress(OSError, msgspec.MsgspecError, RecursionError):
            return msgspec.json.decode(self.folder.read(_JOURNAL, _JOURNAL_LIMIT)[0], type=Journal)
        return Journal("A record whose journal cannot be read", "")

    def kinds(self) -> dict[str, Kind]:
        """What the blobs are that it was to hold, by digest."""
        return {blob.digest: blob.kind for blob in self.journal().blobs}

    @property
    def complete(self) -> bool:
        """Whether whoever made it came to the end."""
        return not self.folder.has(_UNFINISHED)

    def note(self, before: IndexText, after: IndexText) -> None:
        """Remember a change of the index that is about to be made, in place of one that was noted before."""
        change = compare(before, after)
        missing = tuple(sorted(digest for digest in change.leads_back_to() if not self._has(digest)))
        with staging(self._root.to_change()) as stage:
            content = msgspec.json.encode(msgspec.structs.replace(change, missing=missing))
            write_file(stage, _EDIT, content, self._root.rights)
            replace(stage, _EDIT, self.folder, _EDIT)
            sync(self.folder)

    def index_change(self) -> IndexChange | None:
        """The change of the index that belongs to it; raises ``StoreChanged`` where that cannot be read."""
        try:
            return msgspec.json.decode(self.folder.read(_EDIT, _EDIT_LIMIT)[0], type=IndexChange)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, RecursionError):
            raise StoreChanged(
                "What the trash knows of the index's change is damaged, so nothing was taken back.",
                place=f"{self.folder.path}/{_EDIT}",
                remedy="Take the blobs that you need out of that folder by hand.",
            ) from None

    def release(self) -> None:
        """Let others work with it, too."""
        unlock(self.folder.fd)

    def finish(self) -> None:
        """Say that everything that belongs to it is there."""
        unlink(self.folder, _UNFINISHED)

    def drop(self) -> None:
        """Throw it away with everything in it: first what lies on other file systems, the journal last."""
        parts = [*self._parts(), (self._root.to_change(), self._root.to_change().child(TRASH_NAME), self.folder)]
        for place, trash, _ in parts:
            with staging(place) as stage:
                rename_new(trash, self.id, stage, self.id)
                sync(trash)
                sync(stage)
                remove_tree(stage, self.id)
            if remove_empty(place, TRASH_NAME):
                sync(place)

    def _take(self, shelf: Shelf, name: str) -> bool:
        try:
            self._source(shelf).stat(name)
        except FileNotFoundError:
            return shelf in self._homes and self._homes[shelf][1].has(name)  # others have deleted what we had kept
        move(*self._home(shelf, name))
        return True

    def _home(self, shelf: Shelf, name: str) -> tuple[Directory, str, Directory]:
        """Where a file of that shelf comes from, its name, and where it goes."""
        if shelf not in self._homes:
            source = self._source(shelf)
            self._homes[shelf] = source, self._target(shelf, source)
        source, target = self._homes[shelf]
        return source, name, target

    def _source(self, shelf: Shelf) -> Directory:
        if shelf in self._homes:
            return self._homes[shelf][0]
        return self._root.reach_to_change(*shelf, make=False)

    def _target(self, shelf: Shelf, source: Directory) -> Directory:
        """The folder in the record, or in its part on the same mount as the source, that takes such files."""
        rights, mount = self._root.rights, mount_of(source)
        part = self.folder
        if mount_of(self.folder) != mount:
            home = self._root.reach_to_change(shelf.folder, make=False)
            if mount_of(home) != mount:
                home = source
            part = ensure_folder(ensure_folder(home, TRASH_NAME, rights), self.id, rights)
        return ensure_folder(ensure_folder(part, shelf.folder, rights), shelf.algorithm, rights)

    def _parts(self) -> Iterator[tuple[Directory, Directory, Directory]]:
        """Its parts on other file systems: the folder of the store, the trash there, and the part."""
        for place in _other_places(self._root, self._blobs.folder_name):
            with suppress(FileNotFoundError, NotADirectoryError):
                trash = place.child(TRASH_NAME)
                yield place, trash, trash.child(self.id)

    def _has(self, digest: str) -> bool:
        try:
            self._blobs.stat(digest)
        except BlobMissing:
            return False
        except EngineError:
            return True  # something is there, whatever it is
        return True


def write_journal(folder: Directory, journal: Journal, rights: Rights) -> None:
    """Make a folder a record that nothing has been moved into yet, safe on the disk."""
    write_file(folder, _JOURNAL, msgspec.json.encode(journal), rights)
    write_file(folder, _UNFINISHED, b"", rights)
    sync(folder)


def rank_of(kind: Kind) -> int:
    """The lower, the sooner it goes and the later it comes back: what needs others, before what they need."""
    return _RANKS.get(kind, 2)


def digests_in(shelf: Shelf, folder: Directory) -> Iterator[Digest]:
    """The digests for which the names in a folder stand; other names, which we have not made, are left out."""
    with folder.scan() as entries:
        names = [entry.name for entry in entries]  # in no order: putting very many into one would take long
    for name in names:
        with suppress(InvalidDigest):
            yield Digest.parse(f"{shelf.algorithm}:{name}")


def _other_places(root: StoreRoot, blobs: str) -> Iterator[Directory]:
    """The folders below the root that may be file systems of their own, and have a part of the trash then."""
    for name in (blobs, METADATA):
        try:
            outer = root.directory.child(name)
            yield outer
            inner = outer.names()
        except (FileNotFoundError, NotADirectoryError):
            continue
        for algorithm in inner:
            if algorithm != TRASH_NAME:
                with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                    yield outer.child(algorithm)
