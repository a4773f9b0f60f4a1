"""Undoing what a record of the trash tells of: content first, the index last, then the record goes.

Everything is looked at before anything moves, so that an undo that is refused has changed nothing. One that is cut off
can be done again: what is back already stays.
"""

import errno
import logging
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from engine.blobs import Blobs, Change
from engine.digest import Digest, shorten
from engine.directory import Directory, explained, lacks_handles
from engine.durable import is_same, publish, rename_new, replace, sync, sync_file, unlink
from engine.errors import BlobUnreadable, EngineError, Refused, StorageFailed, StoreChanged
from engine.index import IndexText
from engine.indexfile import Edit, Note
from engine.metadata import VALUE_LIMIT
from engine.progress import Progress
from engine.record import METADATA, OpenRecord, digests_in, rank_of
from engine.reversal import IndexChange, take_back, would_be_exact
from engine.snapshot import Kind
from engine.streams import hash_file
from engine.trash import Trash, TrashedBlob, Writer

logger = logging.getLogger(__name__)


class Store(Protocol):
    """What undoing needs of a store."""

    @property
    def blobs(self) -> Blobs: ...
    def edit_index(self, edit: Edit, title: str = "", *, note: Note | None = None) -> Change: ...
    def read_index(self) -> bytes: ...


class _Fate(Enum):
    """What becomes of a file in the trash."""

    MOVE = "its place is free"
    REPLACE = "what has its place is damaged"
    DROP = "the same is there already"


class _Return(NamedTuple):
    """One file, or one folder of metadata, on its way back."""

    source: Directory
    name: str
    target: Directory
    fate: _Fate
    digest: Digest | None
    """The blob's; None for metadata."""


def put_back(record: OpenRecord, store: Store, progress: Progress) -> Change:
    """Take back everything that a record tells of, and throw the record away.

    Raises ``StoreChanged`` where the store has moved on so that something would be lost or contradicted; then nothing
    has changed.
    """
    with explained("Looking into the trash at", record.folder.path):
        index_change = record.index_change()
        if index_change is not None:
            _check_index(index_change, record, store)
    returns = _bring_back(record, None, progress, keeping=True)
    changed, note = False, ""
    if index_change is not None:
        changed = store.edit_index(lambda index: take_back(index_change, index)).index_changed
        with explained("Bringing back from", record.folder.path):
            _bring_back_once_more(returns, progress)
    try:
        record.drop()
    except OSError as error:  # all is back; that the trash is not yet without it undoes nothing
        note = str(StorageFailed.from_os("Everything is back, but emptying the trash at", record.folder.path, error))
    return Change(added=tuple(_digests(returns)), index_changed=changed, note=note)


def bring_back(record: OpenRecord, digests: Collection[str] | None, progress: Progress) -> list[Digest]:
    """Move these blobs, or all, and what is kept about them back to where they were; return the blobs.

    What needs others comes after those. Raises ``StoreChanged`` before anything moves where something else has taken a
    place, ``StorageFailed``.
    """
    return _digests(_bring_back(record, digests, progress, keeping=False))


def _bring_back(
    record: OpenRecord, digests: Collection[str] | None, progress: Progress, *, keeping: bool
) -> list[_Return]:
    """With ``keeping``, blobs stay in the record, too, until that goes as a whole."""
    with explained("Bringing back from", record.folder.path):
        progress.start("Looking at what is in the trash", unit="blobs")
        returns = [
            *_returning_blobs(record, digests, progress),
            *_returning_metadata(record, digests),
        ]
        progress.start("Bringing back", len(returns), "blobs")
        folders = {}
        for each in returns:
            _return(each, progress, keeping=keeping)
            folders[each.target.path] = each.target
            progress.advance()
        for folder in folders.values():
            sync(folder)
        for source in {each.source.path: each.source for each in returns}.values():
            sync(source)
    return returns


def _bring_back_once_more(returns: Sequence[_Return], progress: Progress) -> None:
    """What another program's garbage collector has taken before the index led to it again."""
    for each in returns:
        if each.digest is not None and not each.target.has(each.name) and each.source.has(each.name):
            _return(each._replace(fate=_Fate.MOVE), progress, keeping=True)
            sync(each.target)


def _digests(returns: Sequence[_Return]) -> list[Digest]:
    return [each.digest for each in returns if each.digest is not None]


@contextmanager
def undone_on_failure(writer: Writer, store: Store) -> Iterator[None]:
    """What fails inside, or is cancelled, is taken back; what cannot be stays in the trash, to be undone from there."""
    try:
        yield
    except BaseException:
        if writer.record is not None:
            try:
                put_back(writer.record, store, Progress())
            except (EngineError, OSError) as error:
                logger.info("%s stays in the trash: %s", writer.record.id, error)
        raise
    finally:
        if writer.record is not None:
            writer.record.release()


def edit_undoably(store: Store, trash: Trash, edit: Edit, title: str) -> Change:
    """Edit the index so that it can be undone by the record that the change names."""
    writer = trash.writer("edit", title)
    with undone_on_failure(writer, store):
        change = store.edit_index(edit, note=writer.note)
        record = writer.finish(keep=change.index_changed)
    trash.forget_old_edits()
    return msgspec.structs.replace(change, record=record)


def keep_aside(store: Store, trash: Trash, digest: str, progress: Progress) -> Change:
    """Move a corrupt blob to the trash, as something to be kept; what is kept about it stays in the store.

    Raises ``Refused`` for a sound one, ``NotCheckable``, ``BlobMissing``, ``StorageFailed``.
    """
    wanted = Digest.parse(digest)
    wanted.hasher()
    size = 0
    with suppress(BlobUnreadable), explained("Looking at", wanted.short):
        size = store.blobs.stat(wanted).size
        progress.start("Looking at the blob once more", size)
        if _is_sound(store.blobs.folder(wanted.algorithm), wanted, progress):
            raise Refused(
                f"{wanted.short} is sound, so it stays where it is.",
                place=wanted,
                expected="content that its name does not fit",
                found="the right content",
            )
    blob = TrashedBlob(str(wanted), size, Kind.UNKNOWN)
    writer = trash.writer("aside", f"Keep {wanted.short} aside", blobs=[blob])
    with undone_on_failure(writer, store), explained("Moving to the trash", wanted.short):
        taken = writer.begin().take(wanted)
        writer.begin().settle()
        record = writer.finish(keep=taken)
    return Change(removed=(wanted,) if taken else (), record=record)


def _check_index(change: IndexChange, record: OpenRecord, store: Store) -> None:
    """Raise ``StoreChanged`` unless the index can be as it was: what it led to is there, and nothing contradicts it."""
    raw = store.read_index()
    if not would_be_exact(change, raw):
        take_back(change, IndexText.parse(raw))
    held = {digest for digest, _ in record.blobs()}
    for digest in sorted(change.leads_back_to() - held - set(change.missing)):
        if not _exists(store, digest):
            raise StoreChanged(
                f"{shorten(digest)} is no longer in the store, so an entry that leads to it does not come back.",
                place=digest,
                remedy="Bring that back from the trash first, or import it again.",
            )


def _exists(store: Store, digest: str) -> bool:
    try:
        store.blobs.stat(digest)
    except BlobUnreadable:
        return True
    except EngineError:
        return False
    return True


def _returning_blobs(record: OpenRecord, digests: Collection[str] | None, progress: Progress) -> Iterator[_Return]:
    found = []
    for shelf, source in record.shelves():
        target: Directory | None = None
        for digest in digests_in(shelf, source) if shelf.folder != METADATA else ():
            if digests is None or digest in digests:
                target = target or record.place_of(shelf)
                fate = _fate(record, source, target, digest, progress)
                found.append(_Return(source, digest.encoded, target, fate, digest))
    kinds = record.kinds()
    yield from sorted(found, key=lambda each: -rank_of(kinds.get(each.digest or "", Kind.UNKNOWN)))


def _fate(record: OpenRecord, source: Directory, target: Directory, digest: Digest, progress: Progress) -> _Fate:
    """Content is known by its digest, so the same name is the same content: if it is what its name says."""
    try:
        status = target.stat(digest.encoded)
    except FileNotFoundError:
        return _Fate.MOVE
    if is_same(source, digest.encoded, target):
        return _Fate.DROP
    sound = _is_sound(target, digest, progress)
    if record.kind != "aside":
        if sound:
            return _Fate.DROP
        if not stat.S_ISDIR(status.st_mode) and _is_sound(source, digest, progress):
            return _Fate.REPLACE
    raise StoreChanged(
        f"{digest.short} is in the store again, so the other copy stays in the trash.",
        place=digest,
        expected="no file of that name",
        found="a good copy" if sound else "another file",
        remedy="Delete that one first if you want the one in the trash.",
    )


def _is_sound(folder: Directory, digest: Digest, progress: Progress) -> bool:
    """Whether the file is what its name says, as far as anybody can tell."""
    try:
        fd = folder.open_file(digest.encoded)
    except OSError as error:
        if lacks_handles(error) or error.errno in (errno.EACCES, errno.EPERM):  # which says nothing about the file
            raise
        return False
    try:
        return digest.checkable and hash_file(fd, digest, progress) == digest
    except OSError:
        return False
    finally:
        os.close(fd)


def _returning_metadata(record: OpenRecord, digests: Collection[str] | None) -> Iterator[_Return]:
    for shelf, source in record.shelves():
        for digest in digests_in(shelf, source) if shelf.folder == METADATA else ():
            if digests is not None and digest not in digests:
                continue
            name, target = digest.encoded, record.place_of(shelf)
            if not target.has(name):
                yield _Return(source, name, target, _Fate.MOVE, None)
                continue
            inner, there = source.child(name), target.child(name)
            for key in inner.names():
                yield _Return(inner, key, there, _fate_of_key(inner, there, key, digest), None)


def _fate_of_key(source: Directory, target: Directory, key: str, digest: Digest) -> _Fate:
    if not target.has(key):
        return _Fate.MOVE
    if source.read(key, VALUE_LIMIT)[0] == target.read(key, VALUE_LIMIT)[0]:
        return _Fate.DROP
    raise StoreChanged(
        f"{key} of {digest.short} has been set anew since, so nothing was brought back.",
        place=digest,
        remedy="Delete that metadata first if you want the one in the trash.",
    )


def _return(each: _Return, progress: Progress, *, keeping: bool) -> None:
    if each.fate is _Fate.DROP and each.digest is not None:
        _make_safe(each.target, each.name)
    if keeping and each.fate is _Fate.DROP:
        return
    if keeping and each.digest is not None and each.fate is not _Fate.REPLACE:
        there = publish(each.source, each.name, each.target, each.name)
        # What has come to be there since we looked is no reason to stop, unless it is bad.
        if not there and not _is_sound(each.target, each.digest, progress):
            replace(each.source, each.name, each.target, each.name)
        elif not there:
            _make_safe(each.target, each.name)
    elif each.fate is _Fate.DROP:
        unlink(each.source, each.name)
    elif each.fate is _Fate.REPLACE:
        replace(each.source, each.name, each.target, each.name)
    else:
        rename_new(each.source, each.name, each.target, each.name)


def _make_safe(folder: Directory, name: str) -> None:
    """Wait for the disk with a file that takes the place of ours: whoever wrote it may not have."""
    fd = folder.open_file(name)
    try:
        sync_file(fd)
    finally:
        os.close(fd)
