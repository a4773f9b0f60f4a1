"""Finds what nothing in a layout needs any more: unused blobs, lost images, and what is too young to be judged.

Pure, over a snapshot. What index entries lead to is marked by digest, over all algorithms, with the subjects of what is
marked and the referrers of what is marked. What a document may need that is absent or damaged is in doubt. Stray
files, and folders that a symbolic link leads to, are never proposed.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import snapshot as facts
from engine.digest import shorten
from engine.document import REF_NAME, TITLE, Index, Manifest, Role
from engine.errors import Refused
from engine.leftovers import Leftover
from engine.removal import Doubts, PlannedBlob, RemovalPlan, plan_removal, planned_blobs
from engine.snapshot import Kind, Snapshot

_CONTAINERD_NAME = "io.containerd.image.name"
_MOST_DETAILS = 40


class LostImage(msgspec.Struct, frozen=True):
    """A manifest or index that no entry leads to, with what belongs to it.

    ``title`` is what it is called by its own annotations or labels, else its digest; ``name`` the name in the index that
    it says it had, empty for none; ``details`` what its config and annotations say, as label and text. ``blobs`` are those
    that it alone has, ``shared`` those that only lost images have; ``freed`` are the bytes that ``blobs`` occupy.
    ``complete`` says whether all its parts are there.
    """

    row: int
    digest: str
    kind: Kind
    title: str
    name: str
    details: tuple[tuple[str, str], ...]
    blobs: tuple[PlannedBlob, ...]
    shared: tuple[PlannedBlob, ...]
    freed: int
    complete: bool


class Cleanup(msgspec.Struct, frozen=True):
    """What nothing needs, in bins.

    ``unused``: blobs that belong to nothing. ``lost``: whole images. ``recent``: what changed within the grace age, with
    all that belongs to it: another program may be about to name it. ``doubtful``: what an unreadable or absent document
    may need. ``doubts`` says in sentences what to mind. ``empty_index``: the index names nothing, so that everything is
    proposed; a person should be asked in so many words.
    """

    snapshot: Snapshot
    unused: tuple[PlannedBlob, ...]
    lost: tuple[LostImage, ...]
    recent: tuple[PlannedBlob, ...]
    doubtful: tuple[PlannedBlob, ...]
    empty_index: bool
    doubts: tuple[str, ...]

    def plan(self, digests: Collection[str], lost: Collection[str] = ()) -> RemovalPlan:
        """What removing these blobs out of the bins, and these lost images, would do.

        What lost images share goes with the last of those that have it.
        """
        holders = Counter(blob.digest for image in self.lost for blob in image.shared)
        chosen = [image for image in self.lost if image.digest in lost]
        leaving = Counter(blob.digest for image in chosen for blob in image.shared)
        going = {*digests, *(blob.digest for image in chosen for blob in image.blobs)}
        going |= {digest for digest, count in leaving.items() if count == holders[digest]}
        return plan_removal(self.snapshot, digests=going)


def plan_cleanup(snapshot: Snapshot, now_s: float, grace_s: float = 3600, writers: Sequence[Leftover] = ()) -> Cleanup:
    """What could be cleaned up.

    ``now_s`` is the time in seconds since 1970; what changed, came or was renamed less than ``grace_s`` seconds before
    is recent. ``writers`` are the leftovers of other programs: where one of them lives, everything is recent. Raises
    ``Refused`` as long as the scan of the store goes on.
    """
    if snapshot.stage != "complete":
        raise Refused("The store is still being read, so nobody can say yet what is needed.", remedy="Wait a moment.")
    if snapshot.store_kind != "layout":  # in Docker's store every blob is an image
        return Cleanup(snapshot, (), (), (), (), False, ())
    columns = snapshot.columns
    unreached = (columns.flags & _LOOKED_AT) == facts.PRESENT | facts.REGULAR
    alive = [leftover for leftover in writers if leftover.alive]
    since = int((now_s - grace_s) * 1e9)
    young = unreached & ((np.maximum(columns.mtimes, columns.ctimes) > since) | bool(alive))
    images = _Images(snapshot, unreached)
    recent = set(np.flatnonzero(young).tolist())
    recent_tops = [top for top in images.tops if not recent.isdisjoint(images.of[top])]
    recent.update(*(images.of[top] for top in recent_tops))
    doubts = Doubts(snapshot, np.flatnonzero(columns.flags & facts.REACHABLE))
    # No image is lost where nobody can read which ones are named.
    old_tops = [top for top in images.tops if top not in set(recent_tops) and not doubts.index_unreadable]
    holders = Counter(row for top in old_tops for row in images.of[top] - recent)
    unused = set(np.flatnonzero(unreached).tolist()) - recent - holders.keys()
    doubtful = doubts.among(unused)
    return Cleanup(
        snapshot=snapshot,
        unused=planned_blobs(snapshot, unused - doubtful),
        lost=tuple(_lost_image(snapshot, top, images.of[top] - recent, holders) for top in old_tops),
        recent=planned_blobs(snapshot, recent),
        doubtful=planned_blobs(snapshot, doubtful),
        empty_index=not snapshot.entries and not doubts.index_unreadable,
        doubts=(*_sentences(doubts), *(f"{each.tool} may be at work here: {each.path}." for each in alive)),
    )


def untagged(snapshot: Snapshot) -> list[int]:
    """The positions of index entries without a name, but for those that belong to another image.

    They keep what they lead to; to drop them, too, is a decision of its own (``plan_removal`` with their positions).
    """
    return [
        entry.position
        for entry in snapshot.entries
        if not entry.names
        and not (
            entry.row >= 0
            and any(link.role in (Role.SUBJECT, Role.ATTACHED) for link in snapshot.references(entry.row))
        )
    ]


_LOOKED_AT = facts.PRESENT | facts.REGULAR | facts.REACHABLE | facts.STRAY | facts.PENDING | facts.LINKED


class _Images:
    """The manifests and indexes that no entry reaches, by the outermost of each: ``of`` holds all that belongs to it."""

    def __init__(self, snapshot: Snapshot, unreached: NDArray[np.bool_]) -> None:
        self._unreached = unreached
        self._belonging: dict[int, list[int]] = {}
        documents = np.flatnonzero(unreached & ((snapshot.columns.flags & facts.DOCUMENT) != 0)).tolist()
        inner = self._relate(snapshot)
        self.of: dict[int, set[int]] = {}
        covered: set[int] = set()
        # In a circle, which takes forged content, nothing is outermost: any of it will do.
        for document in [
            *(each for each in documents if each not in inner),
            *(each for each in documents if each in inner),
        ]:
            if document not in inner or document not in covered:
                self.of[document] = self._closure(document)
                covered |= self.of[document]
        self.tops = list(self.of)

    def _relate(self, snapshot: Snapshot) -> set[int]:
        """Note what belongs to what; return the documents that belong to another one."""
        edges, inner = snapshot.edges, set()
        ours = self._unreached[edges.sources] & self._unreached[edges.targets]
        for source, target, role in zip(
            edges.sources[ours].tolist(), edges.targets[ours].tolist(), edges.roles[ours].tolist(), strict=True
        ):
            whole, part = (source, target) if role <= Role.LAYER else (target, source)
            if whole != part:
                self._belonging.setdefault(whole, []).append(part)
                inner.add(part)
        return inner

    def _closure(self, row: int) -> set[int]:
        found, waiting = {row}, [row]
        while waiting:
            for part in self._belonging.get(waiting.pop(), ()):
                if part not in found:
                    found.add(part)
                    waiting.append(part)
        return found


def _lost_image(snapshot: Snapshot, row: int, parts: set[int], holders: Counter[int]) -> LostImage:
    blobs = planned_blobs(snapshot, {part for part in parts if holders[part] == 1})
    texts = _texts(snapshot, row)
    name = texts.get(REF_NAME) or texts.get(_CONTAINERD_NAME, "")
    return LostImage(
        row=row,
        digest=snapshot.name(row),
        kind=snapshot.kind(row),
        title=name or texts.get(TITLE) or shorten(snapshot.name(row)),
        name=name,
        details=_details(snapshot, row, texts),
        blobs=blobs,
        shared=planned_blobs(snapshot, {part for part in parts if holders[part] > 1}),
        freed=sum(blob.freed for blob in blobs),
        complete=snapshot.has(row, facts.COMPLETE),
    )


def _texts(snapshot: Snapshot, row: int) -> dict[str, str]:
    """Labels and annotations of an image together; what stands in the manifest wins."""
    document, config = snapshot.document(row), snapshot.config(row)
    annotations = document.annotations if isinstance(document, Manifest | Index) else {}
    return {**(config.labels if config else {}), **annotations}


def _details(snapshot: Snapshot, row: int, texts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    config = snapshot.config(row)
    found = [("Platform", snapshot.platform(row))]
    if config is not None:
        found += [
            ("Created", config.created),
            ("Author", config.author),
            ("Entrypoint", " ".join(config.entrypoint)),
            ("Command", " ".join(config.cmd)),
            ("Working folder", config.working_dir),
        ]
    if not snapshot.has(row, facts.COMPLETE):
        found.append(("Parts", "some are missing"))
    found += sorted(texts.items())
    return tuple((label, text) for label, text in found[:_MOST_DETAILS] if text)


def _sentences(doubts: Doubts) -> list[str]:
    return [f"{doubts.trouble} Nobody can know what is needed there."] if doubts else []
