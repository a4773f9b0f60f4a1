"""Finds paths in all images of a store: which layers of which images have them, and what became of them there.

Every layer is read once and looked through once, whichever images it is part of, and only what was found of it is kept;
tables come from the cache where they are known. The results of an image are reported once its last layer was looked
through, and those of the images before it are told. What became of a path is what ``merging`` makes of it (``fates``).
"""

import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.blobs import Blobs
from engine.document import Index, Manifest
from engine.errors import EngineError
from engine.fates import Fate, Known, Matches, Touches, fates_of
from engine.layers import LayerTable, read_table
from engine.looking import count_matches, look_through, touches_of
from engine.pathpattern import PathPattern
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot

__all__ = ["Fate", "Found", "PathPattern", "Searched", "StoredImage", "StoredImages", "Unread", "find", "images_of"]

MOST = 100_000
"""Results that are told; of the others only how many there are."""
MOST_OF_LAYER = 10_000
"""Results that are told of one layer."""
_MOST_WAITING = 300_000
"""Entries of tables that wait for the layers below them."""
_LOOK_S = 0.1
"""So often somebody who waits looks whether that is still wanted."""


class StoredImage(NamedTuple):
    """An image to look into: the digests of its manifest and of its layers, the lowest first."""

    digest: str
    layers: Sequence[str]


class StoredImages(NamedTuple):
    """Images to look into, and how many have too many layers for that."""

    images: Sequence[StoredImage]
    left_out: int


class Found(msgspec.Struct, frozen=True, eq=False):
    """What one image has: a place in each column for each entry of a layer that was found, in the layers' order.

    ``image`` is its place among those that were asked for. ``fates`` are of ``Fate``, ``enders`` the layers that
    overwrote or removed them, -1 where they are present; ``kinds`` are types of ``tarheader``, sizes in bytes.
    """

    image: int
    paths: list[bytes]
    layers: NDArray[np.int32]
    fates: NDArray[np.uint8]
    enders: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    sizes: NDArray[np.int64]


class Unread(msgspec.Struct, frozen=True):
    """A layer of which not all could be read: why, how many images have it, and whether it is not what its digest names."""

    digest: str
    sentence: str
    images: int
    is_corrupt: bool


class Searched(msgspec.Struct, frozen=True):
    """How a search ended: how many results were told of how many, and in how many images there are any."""

    told: int
    total: int
    images: int


def find(
    blobs: Blobs,
    images: Sequence[StoredImage],
    pattern: PathPattern,
    progress: Progress,
    *,
    cache: Path | None = None,
    most: int = MOST,
) -> Searched:
    """Find what ``pattern`` means in all images; a ``Found`` is reported for each that has any, and an ``Unread``
    for each layer that is missing or damaged.

    What layers hold is remembered in the folder ``cache``. Raises ``Cancelled``.
    """
    search = _Search(blobs, images, pattern, progress, cache, most)
    progress.start("Finding", sum(_size(blobs, digest) for digest in search.order), "bytes")
    threads = max(1, min(os.cpu_count() or 1, len(search.order)))
    with ThreadPoolExecutor(threads, "finding") as pool:
        for future in [pool.submit(search.run) for _ in range(threads)]:
            future.result()
    return Searched(search.told, search.total, search.hits)


class _Search:
    """What the workers share."""

    def __init__(
        self,
        blobs: Blobs,
        images: Sequence[StoredImage],
        pattern: PathPattern,
        progress: Progress,
        cache: Path | None,
        most: int,
    ) -> None:
        self._blobs = blobs
        self._images = images
        self._pattern = pattern
        self._progress = progress
        self._cache = cache
        self._most = most
        self.order = in_order(images)
        self.told = self.total = self.hits = 0
        self._users: dict[str, list[int]] = {digest: [] for digest in self.order}
        self._to_come: list[int] = []
        """For each image how many of its layers were not looked through yet."""
        for number, image in enumerate(images):
            own = set(image.layers)
            self._to_come.append(len(own))
            for digest in own:
                self._users[digest].append(number)
        self._next_image = 0
        """The image that is told of next: they are told of in turn, whichever is ready first."""
        self._known = Known()
        self._counts: dict[str, int] = {}
        self._looked: dict[str, tuple[Matches, Touches]] = {}
        self._next = iter(enumerate(self.order))
        self._turn = threading.Condition()
        self._waiting: dict[int, LayerTable | EngineError] = {}
        self._due = 0
        self._is_looking = False
        self._has_failed = False

    def run(self) -> None:
        """Read layers until none is left, and look through those that are due.

        Where one worker fails the others end, too: nobody would ever hand in the layer that it had.
        """
        try:
            while not self._has_failed:
                with self._turn:
                    number, digest = next(self._next, (-1, ""))
                if number < 0:
                    return
                self._hand_in(number, self._read(digest))
        except BaseException:
            with self._turn:
                self._has_failed = True
                self._turn.notify_all()
            raise

    def _read(self, digest: str) -> LayerTable | EngineError:
        try:
            return read_table(self._blobs, digest, self._progress, cache=self._cache)
        except EngineError as error:
            return error

    def _hand_in(self, number: int, table: LayerTable | EngineError) -> None:
        """Layers are looked through one after the other, each after those below it; what is read before waits."""
        with self._turn:
            self._waiting[number] = table
            while self._is_full and not (self._due in self._waiting and not self._is_looking):
                if self._has_failed:
                    return
                self._turn.wait(_LOOK_S)
                self._progress.check()
            if self._is_looking:
                return
            self._is_looking = True
        while (due := self._take_due()) is not None:
            self._look_at(*due)

    @property
    def _is_full(self) -> bool:
        entries = sum(len(table.listing) for table in self._waiting.values() if isinstance(table, LayerTable))
        return entries > _MOST_WAITING

    def _take_due(self) -> tuple[str, LayerTable | EngineError] | None:
        """The layer that is to be looked through next; None where it is still to come, and then looking is over."""
        with self._turn:
            table = self._waiting.pop(self._due, None)
            self._is_looking = table is not None
            if table is None:
                return None
            self._due += 1
            self._turn.notify_all()
            return self.order[self._due - 1], table

    def _look_at(self, digest: str, table: LayerTable | EngineError) -> None:
        self._look_through(digest, table)
        for image in self._users[digest]:
            self._to_come[image] -= 1
        while self._next_image < len(self._images) and not self._to_come[self._next_image]:
            self._tell(self._next_image)
            self._next_image += 1

    def _look_through(self, digest: str, table: LayerTable | EngineError) -> None:
        users = len(self._users[digest])
        if isinstance(table, EngineError):
            self._progress.report(Unread(digest, str(table), users, is_corrupt=False))
            return
        if table.trouble:
            self._progress.report(Unread(digest, table.trouble, users, is_corrupt=table.is_sound is False))
        listing, room = table.listing, self._most - self.told
        if not room:
            self._counts[digest] = count_matches(listing, self._pattern, self._progress)
            return
        room = min(MOST_OF_LAYER, room)
        looked = look_through(listing, self._pattern, self._known, room, self._progress)
        self._counts[digest], self._looked[digest] = looked[0].count, looked

    def _tell(self, number: int) -> None:
        """All layers of an image were looked through: tell what it has."""
        self._progress.check()
        image = self._images[number]
        stack = [self._looked.get(digest) for digest in image.layers]
        total = sum(self._counts.get(digest, 0) for digest in image.layers)
        self.total += total
        self.hits += total > 0
        if total and self.told < self._most and any(len(layer[0].paths) for layer in stack if layer is not None):
            self._report(number, self._asked_for_all(image, stack))
        for digest in set(image.layers):
            self._users[digest].remove(number)
            if not self._users[digest]:
                self._looked.pop(digest, None)  # nobody needs it any more

    def _asked_for_all(
        self, image: StoredImage, stack: Sequence[tuple[Matches, Touches] | None]
    ) -> list[tuple[Matches, Touches] | None]:
        """Where a layer is above another one here, and below it in another image, it is asked once more."""
        latest, found = -1, []
        for digest, layer in zip(image.layers, stack, strict=True):
            if layer is not None and latest >= layer[1].asked:
                table = self._read(digest)
                if isinstance(table, LayerTable):
                    layer = layer[0], touches_of(table.listing, self._known, self._progress)
                    self._looked[digest] = layer
            if layer is not None:
                latest = max(latest, int(layer[0].paths.max(initial=-1)))
            found.append(layer)
        return found

    def _report(self, number: int, stack: Sequence[tuple[Matches, Touches] | None]) -> None:
        fates, enders = fates_of(stack, self._known.parents(), self._progress)
        matches = [(place, layer[0]) for place, layer in enumerate(stack) if layer is not None]
        room = self._most - self.told
        paths = [self._known.paths[n] for _, each in matches for n in each.paths.tolist()][:room]
        places = np.array([place for place, _ in matches], np.int32)
        self.told += len(paths)
        self._progress.report(
            Found(
                image=number,
                paths=paths,
                layers=np.repeat(places, [len(each.paths) for _, each in matches])[:room],
                fates=fates[:room],
                enders=enders[:room],
                kinds=np.concatenate([each.kinds for _, each in matches])[:room],
                sizes=np.concatenate([each.sizes for _, each in matches])[:room],
            )
        )


def images_of(snapshot: Snapshot, progress: Progress, *, most_layers: int) -> StoredImages:
    """Every image with layers, in the order in which the index leads to them; at the end those it does not lead to."""
    rows: dict[int, None] = {}
    for entry in progress.turns(snapshot.entries):
        waiting = [entry.row] if entry.row >= 0 else []
        while waiting:
            row = waiting.pop()
            if row in rows:
                continue
            rows[row] = None
            if isinstance(snapshot.document(row), Index):
                waiting += [link.target for link in reversed(snapshot.children(row))]
    rows.update(dict.fromkeys(np.flatnonzero(snapshot.columns.kinds == Kind.IMAGE).tolist()))
    images, left_out = [], 0
    for row in progress.turns(rows):
        document = snapshot.document(row)
        if snapshot.kind(row) != Kind.IMAGE or not isinstance(document, Manifest) or not document.is_image:
            continue
        if len(document.layers) > most_layers:
            left_out += 1
        elif document.layers:
            images.append(StoredImage(snapshot.name(row), tuple(layer.digest for layer in document.layers)))
    return StoredImages(images, left_out)


def in_order(images: Iterable[StoredImage]) -> list[str]:
    """The digests of all layers, each after those that are below it in any image, as far as that is possible."""
    images = list(images)
    below: dict[str, dict[str, None]] = {}
    for image in images:
        for lower, upper in pairwise(image.layers):
            below.setdefault(upper, {})[lower] = None
    order: dict[str, None] = {}
    begun: set[str] = set()
    for image in images:
        for digest in image.layers:
            stack = [digest]
            while stack:
                top = stack[-1]
                begun.add(top)
                waiting = [lower for lower in below.get(top, ()) if lower not in begun]
                if waiting:
                    stack += waiting
                    continue
                order[stack.pop()] = None
    return list(order)


def _size(blobs: Blobs, digest: str) -> int:
    try:
        return blobs.stat(digest).size
    except EngineError:
        return 0
