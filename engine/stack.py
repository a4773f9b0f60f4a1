"""The layers of an image: read, laid on each other, and what each of them brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from engine.apart import apart
from engine.contents import Contents
from engine.errors import EngineError
from engine.filesystem import Change, FileSystem
from engine.layers import LayerTable, read_tables
from engine.merging import merge
from engine.progress import Progress
from engine.store import Store
from engine.tablecache import load_table
from engine.tarwalk import Walker
from engine.waste import waste

_FEW_BYTES = 1 << 20
_FEW_ENTRIES = 30_000
"""Layers of so many stored bytes are read, and so many entries laid on each other, sooner than a process has begun."""


@dataclass(frozen=True)
class ReadLayer:
    """What reading a layer has told, or why it could not be read.

    ``table`` is without its list of files, which is in the image's file system; ``entries`` tells how many those are,
    ``trouble`` what is wrong with the layer, and ``is_whole`` whether all of it could be read. ``kept`` and ``wasted``
    are bytes of its files: those that the whole image shows, and those that it never does. The counts are paths.
    """

    table: LayerTable | None
    error: EngineError | None
    entries: int
    trouble: str
    is_whole: bool
    kept: int
    wasted: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, eq=False)
class ReadImage:
    """The layers of an image, the lowest first, and its file system; a layer that was not read has nothing in it."""

    layers: tuple[ReadLayer, ...]
    files: FileSystem
    contents: Contents
    """The bytes of the files, to be read by workers."""


def read_image(store: Store, digests: Sequence[str], cache: Path, progress: Progress) -> ReadImage:
    """Read layers, the lowest first, and lay them on each other; what takes long happens in a process of its own.

    The digests of layers that turn out to be corrupt are reported to ``progress``. What layers hold is remembered in
    the folder ``cache``. Raises ``Cancelled``, and ``EngineError`` where that process ends without an answer; a layer
    that cannot be read says so itself.
    """
    if _are_quick(store, digests, cache, progress):
        layers, files = _read(store, digests, cache, progress)
    else:
        layers, files = apart(_read, store, digests, cache, progress=progress)
    tables = [cast("LayerTable | EngineError", layer.error or layer.table) for layer in layers]
    return ReadImage(layers, files, Contents(store.blobs, tables, files))


def _are_quick(store: Store, digests: Sequence[str], cache: Path, progress: Progress) -> bool:
    unread = entries = 0
    for digest in dict.fromkeys(digests):
        progress.check()
        try:
            size = store.blobs.stat(digest).size
        except EngineError:
            continue
        known = load_table(cache, digest)
        if known is not None and known.packed == size:
            entries += len(known.listing)
        else:
            unread += size
        if unread > _FEW_BYTES or entries > _FEW_ENTRIES:
            return False
    return True


def _read(
    store: Store, digests: Sequence[str], cache: Path, progress: Progress
) -> tuple[tuple[ReadLayer, ...], FileSystem]:
    tables = read_tables(store.blobs, digests, progress, cache=cache)
    nothing = Walker().finish()
    found = [tables[digest] for digest in digests]
    files = merge([nothing if isinstance(each, EngineError) else each.listing for each in found], progress)
    wasted = waste(files).layers
    progress.start("Comparing layers", len(found), "layers")
    layers = []
    sizes = np.where(files.nodes >= 0, files.columns.sizes[:-2], 0)
    for number, each in enumerate(found):
        first, last = files.columns.bounds[number], files.columns.bounds[number + 1]
        changes = np.bincount(files.view(number).changes[1:], minlength=len(Change)).tolist()
        table = None if isinstance(each, EngineError) else each
        layers.append(
            ReadLayer(
                table=msgspec.structs.replace(table, listing=nothing) if table else None,
                error=each if isinstance(each, EngineError) else None,
                entries=len(table.listing) if table else 0,
                trouble=table.trouble if table else "",
                is_whole=table is not None and table.complete,
                kept=int(sizes[first:last].sum()) - wasted[number],
                wasted=wasted[number],
                added=changes[Change.ADDED],
                changed=changes[Change.CHANGED],
                removed=changes[Change.REMOVED],
            )
        )
        progress.advance()
    return tuple(layers), files
