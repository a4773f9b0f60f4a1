"""The trash of a store: what was removed waits there, with what is needed to undo it.

It is the folder ``.blobscope-trash`` in the store's root. Each record is a folder in it, named by its time and kind, which
has that name only when its journal is safe on the disk; then files move into it by rename, under the paths that they had
in the store. Where a folder of blobs is a file system of its own, the record has a second part there, for a name can
only be given within one. A locked record is being worked on; one whose writer died simply holds what it holds.
"""

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import msgspec

from engine.blobs import Blobs
from engine.digest import Digest, clip
from engine.directory import Directory, explained
from engine.document import INDEX_LIMIT
from engine.durable import (
    TRASH_NAME,
    ensure_folder,
    mount_of,
    remove_empty,
    remove_tree,
    rename_new,
    replace,
    staging,
    sync,
    unlink,
    write_file,
)
from engine.errors import (
    BlobMissing,
    BlobUnreadable,
    EngineError,
    InvalidDigest,
    StorageFailed,
    StoreBusy,
    StoreChanged,
)
from engine.index import IndexText
from engine.locking import try_lock
from engine.reversal import IndexChange, compare
from engine.root import StoreRoot
from engine.snapshot import Kind

METADATA = "metadata"
MOST_EDITS = 100
"""Records of mere edits that are kept; the oldest ones go."""

_JOURNAL, _EDIT, _UNFINISHED = "journal.json", "edit.json", "unfinished"
_JOURNAL_LIMIT = 256 << 20
_EDIT_LIMIT = 3 * INDEX_LIMIT
_ID = re.compile(r"([0-9]{20})-(removal|edit|aside)-[0-9a-f]{8}")
_ATTEMPTS = 16
_RANKS = {Kind.INDEX: 0, Kind.IMAGE: 1, Kind.ARTIFACT: 1, Kind.ATTESTATION: 1, Kind.SIGNATURE: 1, Kind.SBOM: 1}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class TrashedBlob(msgspec.Struct, frozen=True):
    """A blob in the trash, with its size in bytes."""

    digest: str
    size: int
    kind: Kind


class Record(msgspec.Struct, frozen=True):
    """One thing that can be undone.

    ``kind`` is ``removal``, ``edit`` (of the index alone) or ``aside`` (a corrupt blob that somebody wants to keep).
    ``when`` is in seconds since 1970, ``entries`` are the names of the index entries concerned, ``blobs`` what the record
    holds, ``size`` the bytes of that. ``complete`` says whether whoever made it came to the end.
    """

    id: str
    kind: str
    title: str
    when: float
    entries: tuple[str, ...]
    blobs: tuple[TrashedBlob, ...]
    size: int
    complete: bool


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
            source = self._source(shelf)
            source.stat(name)
        except FileNotFoundError:
            return False
        if shelf not in self._homes:
            self._homes[shelf] = source, self._target(shelf, source)
        replace(source, name, self._homes[shelf][1], name)
        return True

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


class Writer:
    """A record in the making; nothing is written before there is something to undo."""

    def __init__(self, trash: "Trash", kind: str, journal: Journal) -> None:
        self.record: OpenRecord | None = None
        self._trash = trash
        self._kind = kind
        self._journal = journal

    def begin(self) -> OpenRecord:
        """The record, with its journal safe on the disk."""
        if self.record is None:
            self.record = self._trash.create(self._kind, self._journal)
        return self.record

    def note(self, before: IndexText, after: IndexText) -> None:
        """Remember a change of the index that is about to be made."""
        record = self.begin()
        with _writing(self._trash.path):
            record.note(before, after)

    def finish(self, *, keep: bool) -> str:
        """Say that everything is in it, or with ``keep`` false, that nothing has happened; return its id, if it stays."""
        if self.record is None:
            return ""
        with explained("Writing to the trash of", self._trash.path):
            if not keep:
                self.record.drop()
                return ""
            self.record.finish()
            return self.record.id


class Trash:
    """The trash of one open store. Every method may be called from any thread, beside any other."""

    def __init__(self, root: StoreRoot, blobs: Blobs) -> None:
        self._root = root
        self._blobs = blobs
        self.path = root.path

    def records(self) -> list[Record]:
        """Everything in it, the newest first; raises ``StorageFailed``."""
        with explained("Looking into the trash of", self.path):
            found = []
            for name in reversed(_ids(self._root.directory)):
                with suppress(FileNotFoundError, NotADirectoryError):  # thrown away meanwhile, or no record
                    folder = self._root.directory.child(TRASH_NAME).child(name)
                    found.append(self._describe(OpenRecord(self._root, name, folder, self._blobs)))
            return found

    def writer(self, kind: str, title: str, entries: Sequence[str] = (), blobs: Sequence[TrashedBlob] = ()) -> Writer:
        """A record to be made: of that kind, with a title for people, about these entries and blobs."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return Writer(self, kind, Journal(title, when, tuple(entries), tuple(blobs)))

    def create(self, kind: str, journal: Journal) -> OpenRecord:
        """Make a record; it appears whole and locked. Raises ``StorageFailed``, ``Refused``; then there is none."""
        root, rights = self._root.to_change(), self._root.rights
        with _writing(self.path):
            for attempt in range(_ATTEMPTS):
                trash = self._root.reach_to_change(TRASH_NAME, make=True)
                newest = max((int(name[:20]) for name in trash.names() if _ID.fullmatch(name)), default=0)
                name = f"{max(time.time_ns(), newest + 1):020d}-{kind}-{secrets.token_hex(4)}"
                with staging(root) as stage:
                    folder = ensure_folder(stage, "new", rights)
                    try_lock(folder.fd)
                    write_file(folder, _JOURNAL, msgspec.json.encode(journal), rights)
                    write_file(folder, _UNFINISHED, b"", rights)
                    sync(folder)
                    try:
                        rename_new(stage, "new", trash, name)
                    except FileNotFoundError:  # somebody has just thrown the last record away, and with it the folder
                        if attempt == _ATTEMPTS - 1:
                            raise
                        continue
                sync(trash)
                break
        folder.path = f"{trash.path}/{name}"
        return OpenRecord(self._root, name, folder, self._blobs)

    @contextmanager
    def opened(self, record_id: str) -> Iterator[OpenRecord]:
        """A record, locked, to undo it or to throw it away.

        Raises ``StoreChanged`` when it is gone, ``StoreBusy`` when another program works on it.
        """
        self._root.to_change()
        with explained("Opening the trash of", self.path):
            try:
                if not _ID.fullmatch(record_id):
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), record_id)
                trash = self._root.reach_to_change(TRASH_NAME, make=False)
                folder = trash.child(record_id)
                locked = try_lock(folder.fd)
                if locked is not False and not folder.is_at(record_id, trash):
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), record_id)
            except FileNotFoundError:
                raise StoreChanged(
                    "That is no longer in the trash.",
                    place=clip(record_id),
                    remedy="Look into the trash again: it was undone, or thrown away.",
                ) from None
        if locked is False:
            raise StoreBusy(
                "Another program is working on that part of the trash.",
                place=folder.path,
                remedy="Wait until it is done, then try again.",
            )
        yield OpenRecord(self._root, record_id, folder, self._blobs)

    def throw_away(self, record_id: str) -> int:
        """Throw a record away for good; return the bytes that the disk gets back."""
        with self.opened(record_id) as record, explained("Emptying the trash of", self.path):
            freed = sum(
                status.st_size
                for shelf, folder in record.shelves()
                for name in folder.names()
                if shelf.folder != METADATA and (status := folder.stat(name)).st_nlink <= 1
            )
            record.drop()
            return freed

    def ids(self, kind: str) -> list[str]:
        """The records of a kind, the oldest first."""
        with explained("Looking into the trash of", self.path):
            return [name for name in _ids(self._root.directory) if name.split("-")[1] == kind]

    def forget_old_edits(self) -> None:
        """Drop records of edits beyond the most that are kept."""
        for name in self.ids("edit")[:-MOST_EDITS]:
            with suppress(EngineError):  # another program works on it; the next edit drops it
                self.throw_away(name)

    def _describe(self, record: OpenRecord) -> Record:
        journal, kinds = record.journal(), record.kinds()
        blobs = tuple(
            TrashedBlob(digest, status.st_size, kinds.get(digest, Kind.UNKNOWN)) for digest, status in record.blobs()
        )
        return Record(
            id=record.id,
            kind=record.kind,
            title=journal.title,
            when=int(record.id[:20]) / 1e9,
            entries=journal.entries,
            blobs=blobs,
            size=sum(blob.size for blob in blobs),
            complete=bool(journal.when) and record.complete,
        )


def rank_of(kind: Kind) -> int:
    """The lower, the sooner it goes and the later it comes back: what needs others, before what they need."""
    return _RANKS.get(kind, 2)


def digests_in(shelf: Shelf, folder: Directory) -> Iterator[Digest]:
    """The digests for which the names in a folder stand; other names, which we have not made, are left out."""
    for name in folder.names():
        with suppress(InvalidDigest):
            yield Digest.parse(f"{shelf.algorithm}:{name}")


def _ids(root: Directory) -> list[str]:
    try:
        return [name for name in root.child(TRASH_NAME).names() if _ID.fullmatch(name)]
    except (FileNotFoundError, NotADirectoryError):
        return []


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


@contextmanager
def _writing(path: str) -> Iterator[None]:
    """Turn what the system refuses into ``StorageFailed``; of a full disk it is said what helps here."""
    try:
        yield
    except OSError as error:
        failed = StorageFailed.from_os("Writing to the trash of", path, error)
        if error.errno in _FULL:
            failed.remedy = "Empty the trash, or delete for good: both free space."
        raise failed from error
