"""The trash of a store: what was removed waits there, with what is needed to undo it.

It is the folder ``.blobscope-trash`` in the store's root. Each record is a folder in it, named by its time and kind, which
has that name only when its journal is safe on the disk; then files move into it by rename. A locked record is being
worked on; one whose writer died simply holds what it holds.
"""

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec

from engine.blobs import Blobs
from engine.digest import clip
from engine.directory import Directory, explained
from engine.durable import TRASH_NAME, ensure_folder, remove_empty, rename_new, staging, sync
from engine.errors import EngineError, StorageFailed, StoreBusy, StoreChanged
from engine.index import IndexText
from engine.locking import try_lock
from engine.metadata import Metadata
from engine.record import METADATA, Journal, OpenRecord, TrashedBlob, write_journal
from engine.root import StoreRoot
from engine.snapshot import Kind

__all__ = ["Record", "Trash", "TrashedBlob", "Writer"]

MOST_EDITS = 100
"""Records of mere edits that are kept; the oldest ones go."""

_ID = re.compile(r"([0-9]{20})-(removal|edit|aside)-[0-9a-f]{8}")
_ATTEMPTS = 16
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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

    def __init__(self, root: StoreRoot, blobs: Blobs, metadata: Metadata) -> None:
        self._root = root
        self._blobs = blobs
        self._metadata = metadata
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
        try:
            return self._create(kind, journal)
        except BaseException:
            with suppress(OSError):
                remove_empty(self._root.to_change(), TRASH_NAME)
            raise

    def _create(self, kind: str, journal: Journal) -> OpenRecord:
        root, rights = self._root.to_change(), self._root.rights
        with _writing(self.path):
            for attempt in range(_ATTEMPTS):
                trash = self._root.reach_to_change(TRASH_NAME, make=True)
                newest = max((int(name[:20]) for name in trash.names() if _ID.fullmatch(name)), default=0)
                name = f"{max(time.time_ns(), newest + 1):020d}-{kind}-{secrets.token_hex(4)}"
                with staging(root) as stage:
                    folder = ensure_folder(stage, "new", rights)
                    try_lock(folder.fd)
                    write_journal(folder, journal, rights)
                    try:
                        rename_new(stage, "new", trash, name)
                    except FileNotFoundError:  # somebody has just thrown the last record away, and with it the folder
                        if attempt == _ATTEMPTS - 1:
                            raise
                        continue
                break
            folder.path = f"{trash.path}/{name}"
            record = OpenRecord(self._root, name, folder, self._blobs)
            try:
                sync(trash)
            except OSError:
                record.drop()
                raise
            return record

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
        record = OpenRecord(self._root, record_id, folder, self._blobs)
        try:
            yield record
        finally:
            record.release()

    def throw_away(self, record_id: str) -> int:
        """Throw a record away for good; return the bytes that the disk gets back."""
        with self.opened(record_id) as record, explained("Emptying the trash of", self.path):
            freed = sum(
                status.st_size
                for shelf, folder in record.shelves()
                for name in folder.names()
                if shelf.folder != METADATA and (status := folder.stat(name)).st_nlink <= 1
            )
            algorithms = {shelf.algorithm for shelf, _ in record.shelves() if shelf.folder == METADATA}
            record.drop()
            for algorithm in sorted(algorithms):
                self._metadata.remove_empty_folders(algorithm)
            return freed

    def ids(self, kind: str) -> list[str]:
        """The records of a kind, the oldest first."""
        with explained("Looking into the trash of", self.path):
            return [name for name in _ids(self._root.directory) if name.split("-")[1] == kind]

    def forget_old_edits(self) -> None:
        """Drop records of edits beyond the most that are kept."""
        with suppress(EngineError):  # another program works on one; the next edit drops it
            for name in self.ids("edit")[:-MOST_EDITS]:
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


def _ids(root: Directory) -> list[str]:
    try:
        return [name for name in root.child(TRASH_NAME).names() if _ID.fullmatch(name)]
    except (FileNotFoundError, NotADirectoryError):
        return []


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
