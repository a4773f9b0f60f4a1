"""``Blobs``: the files of a store that are named by the digest of their content.

The same class serves a layout's ``blobs`` and Docker's ``content``. Layout of the folders: image-spec
``image-layout.md``, section Blobs.
"""

import errno
import io
import os
import stat
from enum import Enum
from typing import BinaryIO, NamedTuple

import msgspec

from engine.digest import Digest, clip
from engine.directory import Directory, explained, lacks_handles, read_all
from engine.durable import TRASH_NAME, create_file, mount_of, publish, replace, staging, sync, sync_file, unlink
from engine.entries import Batch, Batches, BlobEntry, EntryKind, is_algorithm, list_entries
from engine.errors import BlobMissing, BlobUnreadable, EngineError, InvalidDigest, Refused, StorageFailed
from engine.printable import printable
from engine.progress import Progress
from engine.root import StoreRoot
from engine.streams import VerifiedReader, check_digest, hash_file, receive, unreadable, wrong_digest, wrong_size

__all__ = ["BlobEntry", "Blobs", "Change", "EntryKind", "Outcome", "PutResult"]


class Outcome(Enum):
    """What ``Blobs.put`` found and did."""

    ADDED = "added"
    PRESENT = "present"
    REPAIRED = "repaired"


class PutResult(NamedTuple):
    """What was put: its digest, its size in bytes, and what became of it."""

    digest: Digest
    size: int
    outcome: Outcome


class Change(msgspec.Struct, frozen=True):
    """What a change did to a store; whoever shows the store decides from this what is stale."""

    added: tuple[Digest, ...] = ()
    present: tuple[Digest, ...] = ()
    """What was to be added and was there already."""
    repaired: tuple[Digest, ...] = ()
    removed: tuple[Digest, ...] = ()
    index_changed: bool = False
    note: str = ""
    """A sentence for the person, where there is something to know beside success."""
    record: str = ""
    """The id of the record in the store's trash by which this can be undone; empty for none."""


class Blobs:
    """The blobs of one open store. Every method may be called from any thread, beside any other."""

    def __init__(self, root: StoreRoot, folder: str = "blobs", algorithms: frozenset[str] | None = None) -> None:
        self._root = root
        self.folder_name = folder
        """Its name in the store: ``blobs`` or ``content``."""
        self._algorithms = algorithms
        self._safe_folders: set[str] = set()

    def __getstate__(self) -> dict[str, object]:
        """For another process, which finds out itself what may be written to."""
        return {**self.__dict__, "_safe_folders": set()}

    def stat(self, digest: str) -> BlobEntry:
        """What the file system knows of a blob; raises ``BlobMissing``, ``BlobUnreadable``."""
        digest = self._accept(digest)
        try:
            status = self._root.reach(self.folder_name, digest.algorithm).stat(digest.encoded)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
        except OSError as error:
            raise self._trouble(digest, error) from error
        return BlobEntry(digest, EntryKind.BLOB, status)

    def list(self) -> Batches:
        """Everything below the blobs folder, in batches, algorithm by algorithm, in the file system's order.

        What is removed meanwhile may be left out. Raises ``StorageFailed`` for a folder that cannot be read.
        """
        try:
            base = self._root.reach(self.folder_name)
        except (FileNotFoundError, NotADirectoryError):
            return  # a damaged store: its structural check says so
        except OSError as error:
            raise StorageFailed.from_os("Listing", f"{self._root.path}/{self.folder_name}", error) from error
        strays = Batch([], [], [])
        with explained("Listing", base.path):
            for name in _without_trash(base):
                try:
                    status = base.stat(name)
                    folder = self._algorithm(name, status)
                except FileNotFoundError:
                    continue
                if folder is not None:
                    yield from list_entries(folder, name)
                else:
                    strays.names.append(name)
                    strays.kinds.append(EntryKind.JUNK)
                    strays.statuses.append(status)
        if len(strays):
            yield strays

    def folders(self) -> tuple[tuple[str, int, int], ...]:
        """The blobs folder and each algorithm's: name, inode, and when in nanoseconds a name in it last changed.

        As long as these stay the same, no blob came or went. Empty where that cannot be told: a folder that cannot be
        looked at, or that is a symbolic link.
        """
        try:
            base = self._root.reach(self.folder_name)
            found = [("", base.status()), *((name, base.stat(name)) for name in _without_trash(base))]
        except OSError:
            return ()
        if base.linked or any(stat.S_ISLNK(status.st_mode) for _, status in found):
            return ()
        return tuple((name, status.st_ino, status.st_mtime_ns) for name, status in found)

    def linked(self) -> tuple[str, ...]:
        """The algorithms whose folders a symbolic link leads to: their blobs are read, and never changed."""
        try:
            base = self._root.reach(self.folder_name)
            found = [name for name in base.names() if is_algorithm(name)]
            return tuple(name for name in found if base.linked or stat.S_ISLNK(base.stat(name).st_mode))
        except OSError:
            return ()

    def open(self, digest: str) -> int:
        """A descriptor of a blob's regular file, for reading; raises ``BlobMissing``, ``BlobUnreadable``."""
        digest = self._accept(digest)
        try:
            return self._root.reach(self.folder_name, digest.algorithm).open_file(digest.encoded)
        except OSError as error:
            raise self._trouble(digest, error) from error

    def open_stray(self, path: str) -> int:
        """A descriptor of a regular file that is no blob, by its path below the blobs folder as a snapshot says it.

        Raises ``BlobMissing``, ``BlobUnreadable``, ``StorageFailed``.
        """
        folder, _, name = path.removeprefix("./").rpartition("/")
        shown = clip(printable(path))
        if folder and not is_algorithm(folder):  # no way leads up or further down
            raise BlobMissing(f"{shown} is not in the store.", place=path)
        try:
            return self._root.reach(self.folder_name, *([folder] if folder else [])).open_file(name)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
                raise BlobMissing(f"{shown} is not in the store.", place=path) from error
            if error.errno in (errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR):
                raise BlobUnreadable(
                    f"{shown} is not a regular file.", place=path, expected="a regular file", found="something else"
                ) from error
            raise StorageFailed.from_os("Reading", shown, error) from error

    def folder(self, algorithm: str) -> Directory:
        """The folder of an algorithm's blobs, for those who open very many; raises ``OSError`` where there is none."""
        return self._root.reach(self.folder_name, algorithm)

    def open_verified(self, digest: str, size: int | None = None) -> VerifiedReader:
        """A stream of a blob that raises at its end when its digest or its ``size`` in bytes is wrong.

        Raises ``NotCheckable`` for an algorithm that this program cannot compute.
        """
        digest = self._accept(digest)
        digest.hasher()
        return VerifiedReader(self.open(digest), digest, size)

    def read(self, digest: str, limit: int, size: int | None = None) -> bytes:
        """A whole small blob, verified; raises ``Refused`` when it has more than ``limit`` bytes."""
        digest = self._accept(digest)
        hasher = digest.hasher()
        fd = self.open(digest)
        try:
            found = os.fstat(fd).st_size
            if size is not None and found != size:
                raise wrong_size(digest, size, found)
            if found > limit:
                raise Refused(
                    f"{digest.short} has {found:,} bytes; at most {limit:,} are read at once.",
                    place=digest,
                    expected=f"at most {limit:,} bytes",
                    found=f"{found:,} bytes",
                    remedy="Look at it in parts.",
                )
            content = read_all(fd, found, limit)
        except OSError as error:
            raise unreadable(digest, error) from error
        finally:
            os.close(fd)
        hasher.update(content)
        check_digest(digest, hasher)
        return content

    def window(self, digest: str, offset: int, length: int) -> bytes:
        """At most ``length`` bytes of a blob from ``offset`` on, not verified; fewer at its end."""
        digest = self._accept(digest)
        fd = self.open(digest)
        try:
            return os.pread(fd, length, offset)
        except OSError as error:
            raise unreadable(digest, error) from error
        finally:
            os.close(fd)

    def put(
        self,
        source: BinaryIO | bytes,
        *,
        algorithm: str = "sha256",
        expected: Digest | None = None,
        size: int | None = None,
        progress: Progress | None = None,
    ) -> PutResult:
        """Store content under its digest, so that it survives a power cut; a good copy that is there stays untouched.

        With ``expected`` and a good copy in the store the source is not even read. ``size`` in bytes caps the
        reading. Raises ``DigestMismatch`` or ``SizeMismatch`` when the content is not what was announced,
        ``NotCheckable``, ``Refused``, ``StorageFailed``, ``Cancelled``; then nothing of it is left.
        """
        wanted = self._accept(expected or f"{algorithm}:{'0' * (128 if algorithm == 'sha512' else 64)}")
        hasher = wanted.hasher()
        root = self._root.to_change()
        with explained("Writing a blob to", self._root.path):
            folder = self._folder_to_fill(wanted.algorithm)
            if expected is not None and (there := self._settle(folder, wanted, size, progress)) is not None:
                return there
            with staging(self._staging_parent(root, folder)) as stage:
                fd = create_file(stage, "blob", self._root.rights)
                try:
                    stream = io.BytesIO(source) if isinstance(source, bytes) else source
                    written = receive(stream, fd, hasher, size, progress)
                    digest = Digest(f"{wanted.algorithm}:{hasher.hexdigest()}")
                    if size is not None and written != size:
                        raise wrong_size(expected or digest, size, written)
                    if expected is not None and digest != expected:
                        raise wrong_digest(expected, digest)
                    sync_file(fd)
                finally:
                    os.close(fd)
                return self._publish(stage, folder, digest, written, progress)

    def delete(self, digest: str) -> bool:
        """Remove a blob's file, whoever refers to it; False when there was none.

        Raises ``Refused`` rather than delete through a symbolic link, ``BlobUnreadable`` for a folder of that name.
        """
        digest = self._accept(digest)
        try:
            folder = self._root.reach_to_change(self.folder_name, digest.algorithm, make=False)
            return unlink(folder, digest.encoded)
        except FileNotFoundError:
            return False
        except IsADirectoryError:
            raise _folder_in_the_way(digest) from None
        except OSError as error:
            raise StorageFailed.from_os("Deleting", digest.short, error) from error

    def _publish(
        self, stage: Directory, folder: Directory, digest: Digest, size: int, progress: Progress | None
    ) -> PutResult:
        """Give the finished file its name, unless a good one has it."""
        outcome = Outcome.ADDED
        if not publish(stage, "blob", folder, digest.encoded):
            there = self._settle(folder, digest, size, progress)
            if there is not None:
                return there
            replace(stage, "blob", folder, digest.encoded)
            outcome = Outcome.REPAIRED
        sync(folder)
        return PutResult(digest, size, outcome)

    def _settle(
        self, folder: Directory, digest: Digest, size: int | None, progress: Progress | None
    ) -> PutResult | None:
        """The copy that is there, checked and safe on the disk; None when there is none, or a bad one."""
        try:
            fd = folder.open_file(digest.encoded)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            if stat.S_ISDIR(folder.stat(digest.encoded).st_mode):
                raise _folder_in_the_way(digest) from None
            return None  # a link, a pipe, no permission: whatever it is, it is not the content
        try:
            found = os.fstat(fd).st_size
            if (size is not None and found != size) or not _is_good(fd, digest, progress):
                return None
            sync_file(fd)  # whoever wrote it may not have waited for the disk
        finally:
            os.close(fd)
        sync(folder)
        return PutResult(digest, found, Outcome.PRESENT)

    def _folder_to_fill(self, algorithm: str) -> Directory:
        """The algorithm's folder for a new file; safe on the disk itself, also when another thread has just made it."""
        folder = self._root.reach_to_change(self.folder_name, algorithm, make=True)
        if algorithm not in self._safe_folders:
            sync(folder)
            sync(self._root.reach_to_change(self.folder_name, make=False))
            sync(self._root.to_change())
            self._safe_folders.add(algorithm)
        return folder

    def _staging_parent(self, root: Directory, folder: Directory) -> Directory:
        """The outermost folder on the same mount as the algorithm's, so that a name can be given without a copy."""
        mount = mount_of(folder)
        for candidate in (root, self._root.reach_to_change(self.folder_name, make=False)):
            if mount_of(candidate) == mount:
                return candidate
        return folder

    def _algorithm(self, name: str, status: os.stat_result) -> Directory | None:
        """The folder of an algorithm whose content may be looked at; None where the name is none."""
        linked = stat.S_ISLNK(status.st_mode) and self._root.follow_links
        if not (linked or stat.S_ISDIR(status.st_mode)) or not is_algorithm(name):
            return None
        try:
            return self._root.reach(self.folder_name, name)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _accept(self, digest: str) -> Digest:
        """The digest, checked; raises ``InvalidDigest`` also for an algorithm that this kind of store does not have."""
        accepted = Digest.parse(digest)
        if self._algorithms is not None and accepted.algorithm not in self._algorithms:
            names = " or ".join(sorted(self._algorithms))
            raise InvalidDigest(
                f"{accepted.short} cannot be in this store: it holds {names} only.",
                place=accepted,
                expected=f"{names}:…",
                found=accepted,
            )
        return accepted

    def _trouble(self, digest: Digest, error: OSError) -> EngineError:
        """What to raise when a blob's file cannot be opened."""
        if lacks_handles(error):
            return StorageFailed.from_os("Opening", digest.short, error)
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return BlobMissing(f"{digest.short} is not in the store.", place=digest)
        if error.errno in (errno.ELOOP, errno.EINVAL, errno.ENXIO):
            found = "a symbolic link" if error.errno == errno.ELOOP else "something else"
            return BlobUnreadable(
                f"{digest.short} is not a regular file.", place=digest, expected="a regular file", found=found
            )
        if error.errno == errno.ENOTDIR:
            return BlobUnreadable(
                f"{digest.short} cannot be read: {self.folder_name}/{digest.algorithm} is not a folder.",
                place=digest,
                expected="a folder",
                found="a symbolic link or a file",
            )
        return unreadable(digest, error)


def _without_trash(folder: Directory) -> list[str]:
    """The names in a folder; where it is a file system of its own, the store's trash has a part of its own in it."""
    return [name for name in folder.names() if name != TRASH_NAME]


def _is_good(fd: int, digest: Digest, progress: Progress | None) -> bool:
    """Whether an open file holds the content; one that the disk cannot read any more does not."""
    try:
        return hash_file(fd, digest, progress) == digest
    except OSError as error:
        if error.errno == errno.EIO:
            return False
        raise


def _folder_in_the_way(digest: Digest) -> BlobUnreadable:
    return BlobUnreadable(
        f"{digest.short} is a folder where a file belongs.",
        place=digest,
        expected="a regular file",
        found="a folder",
        remedy="Look into that folder, and move it away.",
    )
