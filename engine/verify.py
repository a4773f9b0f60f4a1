"""Hashes blobs and says of each whether it is what its name promises.

All cores take part: each worker takes the next blob from one list, cheapest and most telling first, and hashing gives
the interpreter lock away. Only what is read is believed: a file that changed since it was listed is "changed", not
"sound".
"""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import snapshot as facts
from engine.blobs import Blobs
from engine.digest import Digest
from engine.errors import BlobMissing, BlobUnreadable, EngineError
from engine.progress import Progress
from engine.snapshot import Outcome, Rows, Snapshot

_BLOCK = 1 << 20
_BATCH_BLOBS = 512
_BATCH_BYTES = 4 << 20


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

    Raises ``Cancelled`` within a block of 1 MiB after it was asked to stop; what was reported by then holds.
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
    work = _Work(blobs, snapshot, chosen[order], progress)
    progress.start("Verifying", int(columns.sizes[chosen].sum()), "bytes")
    threads = max(1, min(os.cpu_count() or 1, len(chosen)))
    with ThreadPoolExecutor(threads, "verify") as pool:
        waiting = [pool.submit(work.run) for _ in range(threads)]
        for future in waiting:
            future.result()
    return VerifySummary(work.counts, work.bytes_read)


class _Work:
    """The list of rows that the workers share, and what they add up."""

    def __init__(self, blobs: Blobs, snapshot: Snapshot, rows: Rows, progress: Progress) -> None:
        self.counts: dict[Outcome, int] = {}
        self.bytes_read = 0
        self._blobs = blobs
        self._columns = snapshot.columns
        self._progress = progress
        self._lock = threading.Lock()
        self._batches = self._cut(rows)

    def _cut(self, rows: Rows) -> Iterator[Rows]:
        """Pieces of the list: many small blobs at once, large ones alone."""
        sizes = self._columns.sizes[rows]
        start = 0
        while start < len(rows):
            ahead = np.cumsum(sizes[start : start + _BATCH_BLOBS])
            count = max(1, int(np.searchsorted(ahead, _BATCH_BYTES, "right")))
            yield rows[start : start + count]
            start += count

    def run(self) -> None:
        buffer = memoryview(bytearray(_BLOCK))
        while True:
            with self._lock:
                batch = next(self._batches, None)
            if batch is None:
                return
            self._check_batch(batch, buffer)

    def _check_batch(self, batch: Rows, buffer: memoryview) -> None:
        names = self._columns.names[batch].tolist()
        sizes = self._columns.sizes[batch].tolist()
        stamps = zip(self._columns.mtimes[batch].tolist(), self._columns.inodes[batch].tolist(), strict=True)
        outcomes, found, read = [], {}, 0
        for name, size, stamp in zip(names, sizes, stamps, strict=True):
            digest = Digest(name.decode())
            outcome, actual = self._check(digest, (size, *stamp), buffer)
            outcomes.append(outcome)
            read += size
            if actual:
                found[str(digest)] = actual
        batch_found = VerifyBatch(batch, np.array(outcomes, np.uint8), time.time(), found)
        self._progress.report(batch_found)
        with self._lock:
            self.bytes_read += read
            for outcome in outcomes:
                self.counts[outcome] = self.counts.get(outcome, 0) + 1

    def _check(self, digest: Digest, stamp: tuple[int, int, int], buffer: memoryview) -> tuple[Outcome, str]:
        """The outcome, and for a corrupt blob the digest that it really has."""
        if not digest.checkable:
            self._progress.advance(stamp[0])
            return Outcome.NOT_CHECKABLE, ""
        try:
            handle = self._blobs.open(digest)
        except BlobMissing:
            return self._skip(Outcome.MISSING, stamp[0])
        except (BlobUnreadable, EngineError):
            return self._skip(Outcome.UNREADABLE, stamp[0])
        try:
            now = os.fstat(handle)
            if (now.st_size, now.st_mtime_ns, now.st_ino) != stamp:
                return self._skip(Outcome.CHANGED, stamp[0])
            actual = self._hash(handle, digest, buffer)
        except OSError:
            return self._skip(Outcome.UNREADABLE, stamp[0])
        finally:
            os.close(handle)
        return (Outcome.VERIFIED, "") if actual == digest.encoded else (Outcome.CORRUPT, f"{digest.algorithm}:{actual}")

    def _skip(self, outcome: Outcome, size: int) -> tuple[Outcome, str]:
        self._progress.advance(size)
        return outcome, ""

    def _hash(self, handle: int, digest: Digest, buffer: memoryview) -> str:
        hasher = digest.hasher()
        while count := os.readv(handle, [buffer]):
            hasher.update(buffer[:count])
            self._progress.advance(count)
        return hasher.hexdigest()
