"""Layers as tables: read once to their end, remembered by their digests, whichever images they are part of."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from engine.blobs import Blobs
from engine.decompress import Limits, Stop
from engine.digest import Digest
from engine.directory import explained
from engine.errors import EngineError, StoreChanged
from engine.layercheck import read_layer
from engine.progress import Progress
from engine.rules.layer import compression_of
from engine.tablecache import LayerTable, Stamp, load_table, save_table

__all__ = ["LayerTable", "read_table", "read_tables", "what_it_really_is"]


def read_table(
    blobs: Blobs,
    digest: str,
    progress: Progress,
    *,
    cache: Path | None = None,
    diff_algorithm: str = "sha256",
    limits: Limits | None = None,
) -> LayerTable:
    """What a layer holds: from ``cache``, a folder of the user's, where it is known there; else by reading it.

    However damaged a layer is, what could be read of it is returned, and ``trouble`` says what is wrong. Raises
    ``BlobMissing`` and ``BlobUnreadable``, ``StorageFailed`` where the disk fails, ``StoreChanged`` where somebody writes
    to the file meanwhile, and ``Cancelled``.
    """
    parsed = Digest.parse(digest)
    handle = blobs.open(parsed)
    try:
        stamp = stamp_of(handle)
        known = load_table(cache, parsed) if cache is not None else None
        if known is not None and known.packed == stamp[2] and _answers(known, diff_algorithm, limits):
            progress.advance(stamp[2])
            return known
        with explained("Reading", parsed.short):
            content = read_layer(
                handle,
                progress,
                algorithm=parsed.algorithm,
                diff_algorithm=diff_algorithm,
                limits=limits or Limits(),
            )
            if stamp_of(handle) != stamp:
                raise StoreChanged(
                    f"{parsed.short} was written to while it was read.",
                    place=parsed,
                    remedy="Try again when the other program is done.",
                )
    finally:
        os.close(handle)
    unpacker = content.unpacker
    assert unpacker.stop is not None
    is_sound = content.hash == parsed.encoded if content.hash else None
    table = LayerTable(
        digest=parsed,
        stamp=stamp,
        is_sound=is_sound,
        diff_id=content.diff_id if is_sound is not False else "",
        compression=content.compression,
        stop=unpacker.stop,
        packed=stamp[2],
        unpacked=unpacker.unpacked,
        listing=content.listing,
    )
    if cache is not None:
        with suppress(OSError):  # a full disk is no reason not to show what was read
            save_table(cache, table)
    return table


def read_tables(
    blobs: Blobs, digests: Sequence[str], progress: Progress, *, cache: Path | None = None
) -> dict[str, LayerTable | EngineError]:
    """The tables of several layers, each once, on all cores; an error for each that cannot be read.

    The digest of each that is corrupt is reported to ``progress`` as soon as that is known. Raises ``Cancelled``.
    """
    wanted = list(dict.fromkeys(digests))
    progress.start("Reading layers", sum(_size(blobs, digest) for digest in wanted), "bytes")
    found: dict[str, LayerTable | EngineError] = {}
    lock, waiting = threading.Lock(), iter(sorted(wanted, key=lambda digest: -_size(blobs, digest)))

    def work() -> None:
        for digest in _taken(waiting, lock):
            try:
                found[digest] = table = read_table(blobs, digest, progress, cache=cache)
            except EngineError as error:
                found[digest] = error
                continue
            if table.is_sound is False:
                progress.report(digest)

    threads = max(1, min(os.cpu_count() or 1, len(wanted)))
    with ThreadPoolExecutor(threads, "tables") as pool:
        for future in [pool.submit(work) for _ in range(threads)]:
            future.result()
    return {digest: found[digest] for digest in wanted}


def what_it_really_is(table: LayerTable, media_type: str) -> str:
    """A sentence where a layer's media type lies about its compression; empty where it does not."""
    declared = compression_of(media_type)
    if declared is None or declared is table.compression:
        return ""
    return f"The layer is {table.compression.value}, and is called {declared.value}; it was read as what it is."


def stamp_of(handle: int) -> Stamp:
    """The state of an open file."""
    status = os.fstat(handle)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _answers(known: LayerTable, diff_algorithm: str, limits: Limits | None) -> bool:
    """Whether reading the layer again would not tell more than is known."""
    if known.stop is Stop.WHOLE:
        return known.diff_id.startswith(f"{diff_algorithm}:")
    return limits is None


def _taken(waiting: Iterator[str], lock: threading.Lock) -> Iterator[str]:
    """What is waiting, shared by several threads."""
    while True:
        with lock:
            digest = next(waiting, None)
        if digest is None:
            return
        yield digest


def _size(blobs: Blobs, digest: str) -> int:
    try:
        return blobs.stat(digest).size
    except EngineError:
        return 0
