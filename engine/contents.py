"""The bytes of single files in the layers of an image, without unpacking anything to the disk.

The first look into a large layer goes through it up to the file; later ones begin at a mark nearby (``seeking``).
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from engine.blobs import Blobs
from engine.decompress import Compression
from engine.digest import shorten
from engine.errors import BlobUnreadable, EngineError, Refused, StorageFailed, StoreChanged
from engine.filesystem import Content, FileSystem
from engine.layers import LayerTable, stamp_of
from engine.progress import Progress
from engine.seeking import Damaged, SeekableLayer
from engine.tablecache import Stamp

_OPEN = 4
"""Layers that are kept open, each with marks of at most 20 MiB."""
_KEPT = 8 << 20
"""Bytes of the last answers that are kept, for layers that nothing can be marked in."""


class Piece(NamedTuple):
    """Part of a file: its bytes, the size of the whole file, and whether the layer is known to be what it should be."""

    data: bytes
    size: int
    is_verified: bool


class _Layer(NamedTuple):
    """What of a layer's table is needed here; the table itself is large."""

    digest: str
    stamp: Stamp
    is_sound: bool
    compression: Compression
    packed: int
    unpacked: int

    @classmethod
    def of(cls, table: LayerTable) -> "_Layer":
        sound = bool(table.is_sound)
        return cls(table.digest, table.stamp, sound, table.compression, table.packed, table.unpacked)


class Contents:
    """Reads the files of one image. Every method may be called from any thread."""

    def __init__(
        self,
        blobs: Blobs,
        tables: Sequence[LayerTable | EngineError],
        files: FileSystem,
        verified: Collection[str] = (),
    ) -> None:
        """``tables`` are those of the layers that ``files`` was merged from; ``verified`` are digests known to be sound.

        A layer counts as verified, too, when its table was read from the very file that is there now.
        """
        self._blobs = blobs
        self._layers = [each if isinstance(each, EngineError) else _Layer.of(each) for each in tables]
        self._files = files
        self._verified = frozenset(verified)
        self._open: OrderedDict[int, SeekableLayer] = OrderedDict()
        self._answers: OrderedDict[tuple[int, int, int], Piece] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, entry: int, progress: Progress, *, offset: int = 0, length: int = 1 << 20) -> Piece:
        """Part of a file (of a hard link, of what it leads to); raises as ``stream`` does."""
        key = entry, offset, length
        with self._lock:
            if (known := self._answers.get(key)) is not None:
                self._answers.move_to_end(key)
                return known
        size = self.size(entry)
        data = b"".join(self.stream(entry, progress, offset=offset, length=length))
        piece = Piece(data, size, self.is_verified(self._place(entry).layer))
        with self._lock:
            self._answers[key] = piece
            while sum(len(kept.data) for kept in self._answers.values()) > _KEPT:
                self._answers.popitem(last=False)
        return piece

    def stream(self, entry: int, progress: Progress, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of a file in pieces of at most 256 KiB.

        Raises ``Refused`` for what has no content that can be shown, ``BlobMissing`` and ``BlobUnreadable`` where the
        layer is gone or damaged, ``StoreChanged`` where it is another one by now, ``StorageFailed``, ``Cancelled``.
        """
        layer, start, size = self._place(entry)
        wanted = max(0, min(size - offset, size if length is None else length))
        found = 0
        opened = self._opened(layer)
        try:
            for data in opened.stream(start + offset, wanted, progress) if wanted else ():
                found += len(data)
                yield data
        except Damaged as error:
            raise self._damaged(layer, error.reason) from error
        except OSError as error:
            raise StorageFailed.from_os("Reading", shorten(self._layer(layer).digest), error) from error
        if found < wanted:
            raise self._damaged(layer, "the layer ends too early")

    def size(self, entry: int) -> int:
        """Bytes of a file; raises ``Refused`` for what has no content."""
        return self._place(entry).size

    def is_verified(self, layer: int) -> bool:
        """Whether the layer's file, as it is now, is known to have the digest that it should have."""
        table = self._layer(layer)
        if table.digest in self._verified:
            return True
        return table.is_sound and stamp_of(self._opened(layer).handle) == table.stamp

    def close(self) -> None:
        """Let go of the layers; what is being read is read to its end."""
        with self._lock:
            self._open.clear()
            self._answers.clear()

    def _place(self, entry: int) -> Content:
        place = self._files.content_of(entry)
        if place is None:
            is_link = bool(self._files.facts(entry).hard)
            why = "It is a hard link to a file that is in no layer." if is_link else "Only files have content."
            raise Refused(why)
        if place.offset < 0:
            raise Refused(
                "This file is stored as a sparse one, which Blobscope does not put together.",
                remedy="Unpack the image with a tool that does.",
            )
        return place

    def _layer(self, number: int) -> "_Layer":
        layer = self._layers[number]
        if isinstance(layer, EngineError):
            raise layer
        return layer

    def _opened(self, layer: int) -> SeekableLayer:
        table = self._layer(layer)
        with self._lock:
            opened = self._open.get(layer)
            if opened is None:
                handle = self._blobs.open(table.digest)
                opened = SeekableLayer(handle, table.compression, table.unpacked)
                if stamp_of(handle)[2] != table.packed:
                    raise StoreChanged(
                        f"{shorten(table.digest)} is no longer the file that was listed.",
                        place=table.digest,
                        expected=f"{table.packed} bytes",
                        found=f"{stamp_of(handle)[2]} bytes",
                        remedy="Scan the store again.",
                    )
                self._open[layer] = opened
                while len(self._open) > _OPEN:
                    self._open.popitem(last=False)
            self._open.move_to_end(layer)
        return opened

    def _damaged(self, layer: int, reason: str) -> BlobUnreadable:
        digest = self._layer(layer).digest
        return BlobUnreadable(
            f"{shorten(digest)} cannot be read up to there: {reason}.",
            place=digest,
            found=reason,
            remedy="Verify it; import the right content again if it is corrupt.",
        )
