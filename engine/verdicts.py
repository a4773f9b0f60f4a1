"""What hashing said of each blob, and how that is remembered between runs.

A verdict holds for a digest in a file of one size, modification time and inode; when any of them changes, the blob is
"not checked" again. The memory is one file a store in the user's cache folder: losing it costs a second look, nothing
else, so a damaged file counts as an empty one.
"""

import hashlib
import os
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Rows, as_names, empty_columns, find_rows, same_files
from engine.snapshot import Outcome, Snapshot

_KEPT = (Outcome.VERIFIED, Outcome.CORRUPT)
_SETTLE_S = 2
"""Seconds within which two changes of a file may get the same time, on the coarsest file systems."""
_DAMAGED = (
    *(OSError, LookupError, ValueError, TypeError, EOFError, MemoryError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error, zipfile.BadZipFile),
)
"""Whatever a memory with a few wrong bytes lets the readers of archives and arrays raise."""


class Verdicts:
    """Outcomes of hashing, aligned with the rows of one snapshot."""

    def __init__(self, count: int) -> None:
        self.outcomes: NDArray[np.uint8] = np.zeros(count, np.uint8)
        self.checked_at: NDArray[np.int64] = np.zeros(count, np.int64)
        """Seconds since 1970; 0 for never."""
        self.found: dict[str, str] = {}
        """For corrupt blobs: the digest that the content really has, by the digest that it should have."""

    @classmethod
    def of(cls, snapshot: Snapshot, now: float) -> "Verdicts":
        """What the scan itself learnt: documents are hashed while they are read."""
        verdicts = cls(len(snapshot))
        digests = [digest for digest, read in snapshot.documents.items() if read.outcome]
        rows = find_rows(snapshot.columns.names, as_names(digests))
        outcomes = np.array([snapshot.documents[digest].outcome for digest in digests], np.uint8)
        verdicts.record(rows, outcomes, now)
        return verdicts

    def record(
        self, rows: Rows, outcomes: NDArray[np.uint8], checked_at: float, found: dict[str, str] | None = None
    ) -> None:
        """Note what hashing said of these rows."""
        self.outcomes[rows] = outcomes
        self.checked_at[rows] = int(checked_at)
        self.found.update(found or {})

    def adopt(self, old: "Verdicts", old_columns: Columns, columns: Columns) -> None:
        """Take over what ``old`` knows of files that are still the same, where nothing newer is known."""
        old_rows, rows = same_files(old_columns, columns)
        wanted = (self.outcomes[rows] == Outcome.NONE) & (old.outcomes[old_rows] != Outcome.NONE)
        self.outcomes[rows[wanted]] = old.outcomes[old_rows[wanted]]
        self.checked_at[rows[wanted]] = old.checked_at[old_rows[wanted]]
        self.found = {**old.found, **self.found}


def load_verdicts(folder: Path, store: Path) -> tuple[Verdicts, Columns]:
    """What was remembered for a store, with the facts about the files that it was learnt from."""
    try:
        with _memory(folder, store).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            columns = empty_columns(stored["names"].astype(np.bytes_))
            columns.sizes[:] = stored["sizes"]
            columns.mtimes[:] = stored["mtimes"]
            columns.inodes[:] = stored["inodes"]
            verdicts = Verdicts(len(columns))
            verdicts.outcomes[:] = stored["outcomes"]
            verdicts.checked_at[:] = stored["checked_at"]
            digests, found = (np.char.decode(stored[key].astype(np.bytes_)).tolist() for key in ("corrupt", "found"))
            verdicts.found = dict(zip(digests, found, strict=True))
    except _DAMAGED:
        return Verdicts(0), empty_columns(as_names([]))
    return verdicts, columns


def save_verdicts(folder: Path, store: Path, verdicts: Verdicts, columns: Columns) -> None:
    """Remember what is known of a store's files; raises ``OSError`` where the folder cannot be written.

    What was hashed in the moment of its last change may have changed once more in that moment, and is not remembered.
    """
    settled = np.abs(columns.mtimes // 1_000_000_000 - verdicts.checked_at) > _SETTLE_S
    rows = np.flatnonzero(np.isin(verdicts.outcomes, _KEPT) & (columns.sizes >= 0) & settled)
    target = _memory(folder, store)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed, so that a second window reads the old or the new memory, never half of one.
    handle, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                names=columns.names[rows],
                sizes=columns.sizes[rows],
                mtimes=columns.mtimes[rows],
                inodes=columns.inodes[rows],
                outcomes=verdicts.outcomes[rows],
                checked_at=verdicts.checked_at[rows],
                corrupt=as_names(list(verdicts.found)),
                found=as_names(list(verdicts.found.values())),
            )
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _memory(folder: Path, store: Path) -> Path:
    return folder / "verdicts" / f"{hashlib.sha256(os.fsencode(store.resolve())).hexdigest()}.npz"
