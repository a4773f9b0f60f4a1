"""Hashes blobs and says of each whether it is what its name promises.

All cores take part: one worker begins with the small blobs, the others with the large ones, cheapest and most telling
first; hashing gives the interpreter lock away. Only what is read is believed: a file that changed since it was listed is "changed", not
"sound".
"""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import snapshot as facts
from engine.blobs import Blobs
from engine.columns import Rows
from engine.digest import new_hash
from engine.directory import Directory, lacks_handles
from engine.entries import mtime_of
from engine.errors import StorageFailed
from engine.progress import Progress
from engine.snapshot import Outcome, Snapshot

_BLOCK = 1 << 20
_SMALL = 1 << 16
"""Bytes below which a blob is read by one call."""
_BATCH = 512
"""Small blobs that are checked and reported at once."""
_SLICE = 8
"""Small blobs that are hashed in a row before the watcher is asked whether to stop."""


class VerifyBatch(msgspec.Struct, frozen=True):
    """Verdicts as they are found: rows of the snapshot, an ``Outcome`` each, when (seconds since 1970), and for
    corrupt blobs the digest that the content really has, by the digest that it should have."""

    rows: Rows
    outcomes: NDArray[np.uint8]
    checked_at: float
    found: dict[str, str]


class VerifySummary(msgspec.Struct, frozen=True):
    """How many blobs had which outcome, and how many bytes were read."""

    counts: dict[Outcome, int]
    bytes_read: int


def verify(blobs: Blobs, snapshot: Snapshot, rows: Rows | None, progress: Progress) -> VerifySummary:
    """Hash the blobs of these rows (None: all) and report a ``VerifyBatch`` now and then.

    Raises ``Cancelled`` within a block of 1 MiB after it was asked to stop, and ``StorageFailed`` for a lack of
    handles; what was reported by then holds.
    """
    columns = snapshot.columns
    chosen = np.arange(len(columns)) if rows is None else np.asarray(rows, np.int64)
    present = (columns.flags[chosen] & (facts.PRESENT | facts.REGULAR | facts.STRAY)) == facts.PRESENT | facts.REGULAR
    chosen = chosen[present]
    order = np.lexsort(
        (
            columns.sizes[chosen],
            (columns.flags[chosen] & facts.REACHABLE) == 0,
            (columns.flags[chosen] & facts.DOCUMENT) == 0,
        )
    )
    chosen = chosen[order]
    small = columns.sizes[chosen] < _SMALL
    progress.start("Verifying", int(columns.sizes[chosen].sum()), "bytes")
    work = _Work(blobs, snapshot, chosen[small], chosen[~small], progress)
    # Small blobs cost system calls and Python rather than hashing; two threads would only fight over the interpreter.
    threads = max(1, min(os.cpu_count() or 1, int((~small).sum())))
    with ThreadPoolExecutor(threads, "verify") as pool:
        waiting = [pool.submit(work.run, takes_small=n == 0) for n in range(threads)]
        for future in waiting:
            future.result()
    return VerifySummary(work.counts, work.bytes_read)


class _Work:
    """The list of rows that the workers share, and what they add up."""

    def __init__(self, blobs: Blobs, snapshot: Snapshot, small: Rows, large: Rows, progress: Progress) -> None:
        self.counts: dict[Outcome, int] = {}
        self.bytes_read = 0
        self._blobs = blobs
        self._columns = snapshot.columns
        self._progress = progress
        self._lock = threading.Lock()
        self._small = iter([small[n : n + _BATCH] for n in range(0, len(small), _BATCH)])
        self._large = iter([large[n : n + 1] for n in range(len(large))])

    def run(self, *, takes_small: bool) -> None:
        """Work until nothing is left."""
        buffer = memoryview(bytearray(_BLOCK))
        while True:
            with self._lock:
                batch = next(self._small, None) if takes_small else None
                if batch is None:
                    batch = next(self._large, None)
            if batch is None:
                return
            self._check_batch(batch, buffer)

    def _check_batch(self, batch: Rows, buffer: memoryview) -> None:
        columns = self._columns
        rows = zip(
            columns.names[batch].tolist(),
            columns.sizes[batch].tolist(),
            columns.mtimes[batch].tolist(),
            columns.inodes[batch].tolist(),
            strict=True,
        )
        outcomes, found, read = [], {}, 0
        checkers: dict[str, _Checker] = {}
        for name, *stamp in self._progress.turns(rows, _SLICE):
            algorithm, _, encoded = name.decode().partition(":")
            checker = checkers.get(algorithm)
            if checker is None:
                checker = checkers[algorithm] = _Checker(self._blobs, algorithm, self._progress, buffer)
            outcome, actual = checker.check(encoded, stamp)
            outcomes.append(outcome)
            if stamp[0] <= _BLOCK:  # larger ones were counted block by block
                read += stamp[0]
            if actual:
                found[f"{algorithm}:{encoded}"] = f"{algorithm}:{actual}"
        self._progress.report(VerifyBatch(batch, np.array(outcomes, np.uint8), time.time(), found))
        with self._lock:
            self.bytes_read += int(columns.sizes[batch].sum())
            for outcome in outcomes:
                self.counts[outcome] = self.counts.get(outcome, 0) + 1
        self._progress.advance(read)


def _is(status: os.stat_result, stamp: list[int]) -> bool:
    """Whether the file still is the one that was listed: size, time and inode."""
    size, changed, inode = stamp
    return (
        status.st_size == size
        and status.st_ino == inode
        and (status.st_mtime_ns == changed or mtime_of(status) == changed)
    )


def _unreadable(error: OSError) -> Outcome:
    """What is said of a file that cannot be opened; raises ``StorageFailed`` for a lack of handles."""
    if lacks_handles(error):
        raise StorageFailed.from_os("Opening", "a blob", error) from error
    return Outcome.UNREADABLE


class _Checker:
    """Checks blobs of one algorithm, one after the other."""

    def __init__(self, blobs: Blobs, algorithm: str, progress: Progress, buffer: memoryview) -> None:
        self._progress = progress
        self._buffer = buffer
        self._new_hash = new_hash(algorithm)
        self._folder: Directory | None = None
        self._without = Outcome.MISSING
        try:
            self._folder = blobs.folder(algorithm)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            self._without = _unreadable(error)

    def check(self, encoded: str, stamp: list[int]) -> tuple[Outcome, str]:
        """The outcome, and for a corrupt blob the hash that it really has; ``stamp`` is size, time and inode."""
        if self._new_hash is None:
            return Outcome.NOT_CHECKABLE, ""
        if self._folder is None:
            return self._without, ""
        try:
            handle, status = self._folder.open_with_status(encoded)
        except FileNotFoundError:
            return Outcome.MISSING, ""
        except OSError as error:
            return _unreadable(error), ""
        try:
            if not _is(status, stamp):
                return Outcome.CHANGED, ""
            actual = self._hash(handle, stamp[0])
            if actual == encoded and stamp[0] < _SMALL:  # read at once, so what was read is what was there
                return Outcome.VERIFIED, ""
            if not _is(os.fstat(handle), stamp):  # somebody has written to it meanwhile
                return Outcome.CHANGED, ""
        except OSError:
            return Outcome.UNREADABLE, ""
        finally:
            os.close(handle)
        return (Outcome.VERIFIED, "") if actual == encoded else (Outcome.CORRUPT, actual)

    def _hash(self, handle: int, size: int) -> str:
        assert self._new_hash is not None
        if size < _SMALL:
            content = os.read(handle, _SMALL)
            hasher = self._new_hash(content)
            if len(content) == size:
                return hasher.hexdigest()
        else:
            hasher = self._new_hash()
        while count := os.readv(handle, [self._buffer]):
            hasher.update(self._buffer[:count])
            if size > _BLOCK:
                self._progress.advance(count)
            else:
                self._progress.check()
        return hasher.hexdigest()
