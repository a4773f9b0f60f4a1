"""Rules of layers that lie on each other: what a layer asks of those below it (image-spec ``layer.md``)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.digest import clip
from engine.document import Manifest
from engine.findings import Finding, Severity
from engine.listing import WHITEOUT
from engine.rules.layer import Layer, as_text, normal
from engine.rules.registry import RULES, Broken, check, finding, rule
from engine.snapshot import Snapshot
from engine.tarheader import HARD_LINK

_MOST = 100
"""Questions of one layer that are asked, and stacks in which they are."""


class Need(NamedTuple):
    """An entry of a layer, and the path that it needs in this layer or in one below."""

    entry: bytes
    path: bytes


class Traces(msgspec.Struct, frozen=True, eq=False):
    """What a layer is to those above it, and what it needs of those below.

    ``paths`` are sorted hashes of every path in it, its folders included; they are good for this process only.
    """

    paths: NDArray[np.int64]
    links: tuple[Need, ...]
    whiteouts: tuple[Need, ...]


class Unmet(NamedTuple):
    """Hard links of a layer whose targets are neither in it nor below it, in none of the images that it is part of."""

    links: Sequence[Need]


def traces_of(layer: Layer) -> Traces:
    """What the layer leaves for the others to know."""
    parts, last = [np.empty(0, np.int64)], b""
    for _, names in layer.names():
        hashes = []
        for name in names:
            path = normal(name)
            hashes.append(hash(path))
            folder = path.rpartition(b"/")[0]
            if folder != last:
                last = folder
                while folder:
                    hashes.append(hash(folder))
                    folder = folder.rpartition(b"/")[0]
        parts.append(np.array(hashes, np.int64))
    paths = np.sort(np.concatenate(parts))
    return Traces(paths, tuple(_links(layer, paths)), tuple(_whiteouts(layer)))


def check_stacks(snapshot: Snapshot, traces: Mapping[str, Traces]) -> Iterator[Finding]:
    """What layers need and do not find below them; where a layer below was not read, nothing can be said."""
    asking = {digest for digest, each in traces.items() if each.links or each.whiteouts}
    stacks: dict[str, set[tuple[str, ...]]] = {digest: set() for digest in asking}
    for read in snapshot.documents.values() if asking else ():
        layers = [layer.digest for layer in read.document.layers] if isinstance(read.document, Manifest) else []
        for n, digest in enumerate(layers):
            if digest in asking and len(stacks[digest]) < _MOST:
                stacks[digest].add(tuple(layers[:n]))
    for digest in sorted(digest for digest in asking if stacks[digest]):
        links, whiteouts = list(traces[digest].links), list(traces[digest].whiteouts)
        for stack in stacks[digest]:
            if not all(below in traces for below in stack):
                links = whiteouts = []
            lower = [traces[below].paths for below in stack if below in traces]
            links, whiteouts = _missing(links, lower), _missing(whiteouts, lower)
        yield from check(Unmet(links), digest)
        yield from _hides_nothing(whiteouts, digest)


@rule(
    "V149",
    Severity.INFO,
    "A hard link leads to nothing",
    "A hard link names a file of its own layer or of one below. Tools cannot unpack this one.",
    "image-spec layer.md, Representing Changes, hardlinks",
)
def _lost_links(unmet: Unmet) -> Iterator[Broken]:
    for need in unmet.links:
        shown = clip(as_text(need.path))
        yield Broken(as_text(need.entry), f"{shown!r} is in no layer.", "a file of this layer or one below", shown)


def _missing(needs: Sequence[Need], lower: Sequence[NDArray[np.int64]]) -> list[Need]:
    """Those whose path is in none of the layers."""
    return [need for need in needs if not any(_has(paths, need.path) for paths in lower)]


def _has(paths: NDArray[np.int64], path: bytes) -> bool:
    wanted = hash(path)
    place = int(np.searchsorted(paths, wanted))
    return place < len(paths) and int(paths[place]) == wanted


def _links(layer: Layer, paths: NDArray[np.int64]) -> Iterator[Need]:
    found = 0
    for n, row in enumerate(np.flatnonzero(layer.listing.types == HARD_LINK).tolist()):
        if n % 1000 == 0:
            layer.pulse()
        target = normal(layer.listing.target(row))
        if not _has(paths, target):
            yield Need(layer.listing.name(row), target)
            found += 1
        if found == _MOST:
            return


def _whiteouts(layer: Layer) -> Iterator[Need]:
    for row in layer.rows(WHITEOUT)[:_MOST]:
        name = layer.listing.name(row)
        folder, slash, base = normal(name).rpartition(b"/")
        if base != b".wh.":
            yield Need(name, folder + slash + base.removeprefix(b".wh."))


def _hides_nothing(needs: Sequence[Need], place: str) -> Iterator[Finding]:
    for need in needs:
        shown = clip(as_text(need.path))
        broken = Broken(as_text(need.entry), f"{shown!r} is in no layer below.", "something to hide", "nothing")
        yield finding(RULES["V144"], broken, place)
