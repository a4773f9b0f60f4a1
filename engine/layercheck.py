"""Reads layers to their end: digest, unpacked digest and files in one pass, and what is wrong with each.

All cores take part, one layer each; unpacking and hashing give the interpreter lock away.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from engine import snapshot as facts
from engine.decompress import HEAD, UNPACKED, Compression, Limits, Stop, Unpacker, detect
from engine.digest import new_hash
from engine.document import ImageConfig, Manifest
from engine.entries import mtime_of
from engine.errors import BlobError, BlobMissing
from engine.findings import Finding
from engine.listing import Listing
from engine.progress import Progress
from engine.rules.layer import Layer, compression_of
from engine.rules.registry import check
from engine.rules.stack import Traces, check_stacks, traces_of
from engine.snapshot import Kind, Outcome, Snapshot
from engine.store import Store
from engine.tarwalk import Walker
from engine.verify import VerifyBatch

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK = 1 << 20
Stamp = tuple[int, int, int]
"""Size, time in nanoseconds and inode of a file: as long as these stay, its content does."""


class LayerCheck(msgspec.Struct, frozen=True):
    """What reading a layer to its end has told.

    ``diff_id`` is the digest of the unpacked layer, empty where it could not be unpacked whole, or is corrupt;
    ``unpacked_size`` counts bytes. A corrupt layer has no findings: it is not the one that anybody meant.
    """

    stamp: Stamp
    media_type: str
    compression: Compression
    outcome: Outcome
    diff_id: str
    unpacked_size: int
    entries: int
    findings: tuple[Finding, ...]
    own: tuple[Finding, ...] = ()
    """Those of the findings that need no other layer."""
    traces: Traces | None = None
    """What layers above it need to know."""


class Content(NamedTuple):
    """A layer's blob that was read once: hash of its bytes, digest of the unpacked ones, files."""

    hash: str
    diff_id: str
    compression: Compression
    unpacker: Unpacker
    listing: Listing


def check_layers(
    store: Store,
    snapshot: Snapshot,
    progress: Progress,
    known: Mapping[str, LayerCheck] | None = None,
    limits: Limits | None = None,
) -> dict[str, LayerCheck]:
    """Read every layer once and return what was found, by digest; a ``VerifyBatch`` is reported for each.

    Left out are layers of unknown types, which are not checkable, and those that are not there, cannot be read or
    changed meanwhile. What ``known`` says of a file that is still the same is taken over. Raises ``Cancelled`` within
    some blocks of 1 MiB; what was reported by then holds.
    """
    work = _Work(store, snapshot, progress, limits or Limits())
    known = known or {}
    waiting = []
    columns = snapshot.columns
    wanted = facts.PRESENT | facts.REGULAR
    is_layer = (columns.kinds == Kind.LAYER) & ((columns.flags & (wanted | facts.STRAY)) == wanted)
    for row in np.flatnonzero(is_layer).tolist():
        digest, media_type = snapshot.name(row), snapshot.media_type(row)
        before = known.get(digest)
        if before is not None and before.stamp == stamp_of(snapshot, row) and before.media_type == media_type:
            work.checks[digest] = before
        elif compression_of(media_type) is not None:
            waiting.append(row)
    progress.start("Reading layers", int(columns.sizes[waiting].sum()), "bytes")
    waiting.sort(key=lambda row: int(columns.sizes[row]), reverse=True)  # so that no core is left with a large one
    rows = iter(waiting)
    threads = max(1, min(os.cpu_count() or 1, len(waiting)))
    with ThreadPoolExecutor(threads, "layers") as pool:
        for future in [pool.submit(work.run, rows) for _ in range(threads)]:
            future.result()
    return _with_stacks(snapshot, dict(sorted(work.checks.items())))  # in the same order each time


def _with_stacks(snapshot: Snapshot, checks: Mapping[str, LayerCheck]) -> dict[str, LayerCheck]:
    """The same with what layers do not find below them."""
    traces = {digest: known.traces for digest, known in checks.items() if known.traces is not None}
    further: dict[str, list[Finding]] = {}
    for each in check_stacks(snapshot, traces):
        further.setdefault(each.place, []).append(each)
    found = {}
    for digest, known in checks.items():
        findings = (*known.own, *further.get(digest, ()))
        found[digest] = known if known.findings == findings else msgspec.structs.replace(known, findings=findings)
    return found


def stamp_of(snapshot: Snapshot, row: int) -> Stamp:
    """The state of the file that the snapshot has listed."""
    columns = snapshot.columns
    return int(columns.sizes[row]), int(columns.mtimes[row]), int(columns.inodes[row])


def read_layer(
    handle: int, progress: Progress, *, algorithm: str = "sha256", diff_algorithm: str = "sha256", limits: Limits
) -> Content:
    """Read a layer from an open file, hash it, unpack it, list it, and hash what was unpacked.

    Content never makes it raise; raises ``OSError`` where the disk fails, ``Cancelled``.
    """
    new = new_hash(algorithm)
    hasher = new() if new is not None else None
    new = new_hash(diff_algorithm)
    diff_hasher = new() if new is not None else None
    walker = Walker()
    block = os.read(handle, _BLOCK)
    compression = detect(block[:HEAD])
    unpacker = Unpacker(compression, limits)

    def take(parts: Iterator[bytes]) -> None:
        for part in parts:
            if diff_hasher is not None:
                diff_hasher.update(part)
            walker.feed(part)
            progress.check()

    while block:
        if hasher is not None:
            hasher.update(block)
        if compression in UNPACKED:
            take(unpacker.feed(block))
        progress.advance(len(block))
        block = os.read(handle, _BLOCK)
    take(unpacker.finish())
    whole = unpacker.stop is Stop.WHOLE and compression in UNPACKED and diff_hasher is not None
    diff_id = f"{diff_algorithm}:{_hex(diff_hasher)}" if whole else ""
    return Content(_hex(hasher), diff_id, compression, unpacker, walker.finish())


def _hex(hasher: "_Hash | None") -> str:
    return hasher.hexdigest() if hasher is not None else ""


class _Work:
    """What the workers share."""

    def __init__(self, store: Store, snapshot: Snapshot, progress: Progress, limits: Limits) -> None:
        self.checks: dict[str, LayerCheck] = {}
        self._store = store
        self._snapshot = snapshot
        self._progress = progress
        self._limits = limits
        self._algorithms = _algorithms(snapshot, progress)
        self._lock = threading.Lock()

    def run(self, rows: Iterator[int]) -> None:
        """Check layers until none is left."""
        while True:
            with self._lock:
                row = next(rows, None)
            if row is None:
                return
            digest = self._snapshot.name(row)
            outcome, found = self._check(digest, row)
            others = {digest: found} if outcome is Outcome.CORRUPT else {}
            self._progress.report(VerifyBatch(np.array([row]), np.array([outcome], np.uint8), time.time(), others))

    def _check(self, digest: str, row: int) -> tuple[Outcome, str]:
        """Check one layer; what hashing it says, and the digest that it really has."""
        stamp = stamp_of(self._snapshot, row)
        try:
            handle = self._store.blobs.open(digest)
        except BlobMissing:
            return Outcome.MISSING, ""
        except BlobError:
            return Outcome.UNREADABLE, ""
        algorithm, _, encoded = digest.partition(":")
        try:
            if not _is(os.fstat(handle), stamp):
                return Outcome.CHANGED, ""
            content = read_layer(
                handle,
                self._progress,
                algorithm=algorithm,
                diff_algorithm=self._algorithms.get(digest, "sha256"),
                limits=self._limits,
            )
            if not _is(os.fstat(handle), stamp):  # somebody has written to it meanwhile
                return Outcome.CHANGED, ""
        except OSError:
            return Outcome.UNREADABLE, ""
        finally:
            os.close(handle)
        outcome = Outcome.VERIFIED if content.hash == encoded else Outcome.CORRUPT
        outcome = outcome if content.hash else Outcome.NOT_CHECKABLE
        self.checks[digest] = self._judge(digest, row, stamp, outcome, content)
        return outcome, f"{algorithm}:{content.hash}"

    def _judge(self, digest: str, row: int, stamp: Stamp, outcome: Outcome, content: Content) -> LayerCheck:
        media_type, corrupt = self._snapshot.media_type(row), outcome is Outcome.CORRUPT
        layer = Layer(media_type, content.compression, content.unpacker, content.listing, self._progress.check)
        findings = () if corrupt else tuple(check(layer, digest))
        whole = content.diff_id and content.listing.ending.complete and not corrupt
        return LayerCheck(
            stamp=stamp,
            media_type=media_type,
            compression=content.compression,
            outcome=outcome,
            diff_id="" if corrupt else content.diff_id,
            unpacked_size=content.unpacker.unpacked,
            entries=len(content.listing),
            findings=findings,
            own=findings,
            traces=traces_of(layer) if whole else None,
        )


def _is(status: os.stat_result, stamp: Stamp) -> bool:
    """Whether the file still is the one that was listed."""
    size, changed, inode = stamp
    return status.st_size == size and status.st_ino == inode and changed in (status.st_mtime_ns, mtime_of(status))


def _algorithms(snapshot: Snapshot, progress: Progress) -> dict[str, str]:
    """The algorithm in which a config names an unpacked layer, by the layer's digest, where it is not the usual one."""
    found: dict[str, str] = {}
    documents = snapshot.documents
    for read in documents.values():
        progress.check()
        if isinstance(read.document, Manifest) and read.document.config is not None:
            config = documents.get(read.document.config.digest)
            if config is None or not isinstance(config.document, ImageConfig):
                continue
            for layer, diff_id in zip(read.document.layers, config.document.diff_ids, strict=False):
                if not diff_id.startswith("sha256:"):
                    found[layer.digest] = diff_id.partition(":")[0]
    return found
