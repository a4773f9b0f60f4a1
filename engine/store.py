"""``Store``: what the two kinds of store have in common, and all that a window needs of one."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from engine.blobs import Blobs, Change
from engine.columns import Rows
from engine.directory import Directory, check_path, explained
from engine.durable import Rights, ensure_folder, rename_new, staging, sync
from engine.errors import AlreadyExists, NotAStore, StoreBusy, StoreChanged
from engine.importing import ImportRequest
from engine.indexfile import Edit, Note
from engine.leftovers import MIN_AGE_S, Leftover, Places, find_leftovers, remove_leftovers
from engine.metadata import Metadata
from engine.progress import Progress
from engine.removal import RemovalPlan
from engine.removing import delete_for_good, move_to_trash
from engine.root import StoreRoot
from engine.snapshot import Snapshot
from engine.trash import Record, Trash
from engine.undo import keep_aside, put_back
from engine.verify import VerifySummary, verify


class Store(ABC):
    """An open store. Reading may go on in any number of threads, beside a change; changes are safe beside each other."""

    kind: ClassVar[str]
    """``layout`` or ``docker``."""
    title: str
    """What it is, in plain words."""
    _places: ClassVar[Places]

    def __init__(self, root: StoreRoot, blobs: Blobs, metadata: Metadata) -> None:
        self._root = root
        self.blobs = blobs
        self.metadata = metadata
        self._trash = Trash(root, blobs, metadata)
        self.path = Path(root.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def directory(self) -> Directory:
        """The handle of its folder, for those who look at what lies beside the blobs; raises ``StoreClosed``."""
        return self._root.directory

    @property
    def closed(self) -> bool:
        return self._root.closed

    @property
    def writable(self) -> bool:
        """Whether a change can be tried; the disk has the last word."""
        return self._root.writable

    def close(self) -> None:
        """Let go of the folder; twice is fine. What runs at this moment ends in peace, what starts later is refused."""
        self._root.close()

    @abstractmethod
    def scan(
        self,
        progress: Progress,
        publish: Callable[[Snapshot], None] | None = None,
        previous: Snapshot | None = None,
    ) -> Snapshot:
        """A picture of the whole store; coarser ones go to ``publish`` on the way."""

    @abstractmethod
    def import_files(self, requests: Sequence[ImportRequest], progress: Progress) -> Change:
        """Copy files into the store."""

    @abstractmethod
    def edit_index(self, edit: Edit, title: str = "", *, note: Note | None = None) -> Change:
        """Apply an edit to the list of named entries.

        With a title, which says in a few words what it does, it can be undone; ``note`` is told before it happens.
        """

    @abstractmethod
    def read_index(self) -> bytes:
        """The bytes of the list of named entries."""

    @abstractmethod
    def hold_index(self) -> AbstractContextManager[None]:
        """Keep those who respect its lock from changing the list of named entries meanwhile."""

    @abstractmethod
    def index_stamp(self) -> tuple[int, int, int]:
        """Inode, size and time in nanoseconds of the list of named entries: what changes when anybody writes it."""

    def open_file(self, place: str) -> int:
        """A descriptor of the regular file that is called so in a snapshot: a digest, or the path of a stray file.

        Raises ``BlobMissing``, ``BlobUnreadable``, ``InvalidDigest``, ``StorageFailed``.
        """
        return self.blobs.open_stray(place) if "/" in place else self.blobs.open(place)

    def verify(self, snapshot: Snapshot, rows: Rows | None, progress: Progress) -> VerifySummary:
        """Hash these rows of the snapshot, or all; what is found is reported to ``progress``."""
        return verify(self.blobs, snapshot, rows, progress)

    def apply(self, plan: RemovalPlan, progress: Progress, *, for_good: bool = False) -> Change:
        """Carry out a removal as it was planned: into the store's trash, or for good, which needs no room."""
        if for_good:
            return delete_for_good(self, plan, progress)
        return move_to_trash(self, self._trash, plan, progress)

    def trash(self) -> list[Record]:
        """What can be undone or thrown away, the newest first; nothing is written."""
        return self._trash.records()

    def undo(self, record_id: str, progress: Progress) -> Change:
        """Take back what a record of the trash tells of, byte for byte where nobody has written since.

        Raises ``StoreChanged`` where something would be lost or contradicted, or when the record is gone.
        """
        with self._trash.opened(record_id) as record:
            return put_back(record, self, progress)

    def empty_trash(self, record_ids: Sequence[str] | None, progress: Progress) -> int:
        """Throw these records away, or all removals; return the bytes that the disk gets back.

        Edits of the index hold next to nothing, and what was kept aside was meant to be kept: those only by their ids.
        """
        ids = self._trash.ids("removal") if record_ids is None else record_ids
        progress.start("Emptying the trash", len(ids), "records")
        freed = 0
        for record_id in ids:
            try:
                freed += self._trash.throw_away(record_id)
            except (StoreBusy, StoreChanged):  # somebody is undoing it at this moment
                if record_ids is not None:
                    raise
            progress.advance()
        return freed

    def keep_aside(self, digest: str, progress: Progress) -> Change:
        """Move a corrupt blob to the trash, where it stays until somebody names it; raises ``Refused`` for a sound one."""
        return keep_aside(self, self._trash, digest, progress)

    def delete(self, digest: str) -> bool:
        """Remove a blob, whoever refers to it, and then its metadata; False when there was neither."""
        gone = self.blobs.delete(digest)
        return self.metadata.delete_all(digest) or gone  # also what a crash between the two has left

    def leftovers(self, progress: Progress | None = None, *, min_age_s: float = MIN_AGE_S) -> list[Leftover]:
        """What crashed writers have left, and what looks like it but is alive."""
        return find_leftovers(self._root, self._places, progress or Progress(), min_age_s)

    def clean(self, progress: Progress | None = None, *, min_age_s: float = MIN_AGE_S) -> list[Leftover]:
        """Remove what crashed writers have left, never anything that is alive; return what is gone."""
        return remove_leftovers(self._root, self._places, progress or Progress(), min_age_s)


def open_folder(path: str | os.PathLike[str]) -> Directory:
    """The folder that a person named; raises ``NotAStore``, ``InvalidName``, ``OSError`` when it cannot be read."""
    try:
        return Directory.open(check_path(path))
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise NotAStore(
            f"There is nothing at {path}." if missing else f"{path} is not a folder.",
            place=os.fspath(path),
            expected="the folder of an image layout or of Docker's image store",
            found="nothing" if missing else "a file",
        ) from None


def build_folder(
    path: str | os.PathLike[str], fill: Callable[[Directory, Rights], None], *, private: bool = False
) -> Path:
    """Make a folder that is there whole or not at all: it is filled beside its place, and then gets its name.

    Raises ``AlreadyExists`` when something has the name, ``StorageFailed``.
    """
    target = Path(check_path(path)).absolute()
    with explained("Creating", str(target)):
        parent = Directory.open(target.parent)
        if parent.has(target.name):
            raise _taken(target)
        with staging(parent) as stage:
            owner = stage.status()
            rights = Rights(0o600 if private else 0o666, 0o700 if private else 0o777, owner.st_uid, owner.st_gid)
            fill(ensure_folder(stage, "new", rights), rights)
            try:
                rename_new(stage, "new", parent, target.name)
            except FileExistsError:
                raise _taken(target) from None
            sync(parent)
    return target


def _taken(target: Path) -> AlreadyExists:
    return AlreadyExists(
        f"{target} exists already.",
        place=str(target),
        expected="a name that nothing has",
        found="something of that name, which stays untouched",
        remedy="Choose another name.",
    )
