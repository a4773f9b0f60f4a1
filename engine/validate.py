"""Holds a whole store against the rules: its folder, its index, each document, and what they say of each other.

Every document is read once, however many roots lead to it, and not at all where its file is the one that an earlier
look has read. Whatever a store may hold becomes findings, never an exception; only what is hashed or unpacked elsewhere
(``verdicts``, ``layers``) is taken as it was found there.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import snapshot as facts
from engine.digest import Digest, digest_of
from engine.document import CONFIG_LIMIT, CONFIG_TYPES, INDEX_LIMIT, MANIFEST_LIMIT
from engine.errors import DocumentError, EngineError
from engine.findings import Finding, Findings
from engine.graph import read_file
from engine.indexfile import NAME as INDEX_NAME
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.reading import IndexWalk
from engine.rules import layout
from engine.rules.beyond import DOCKER_MANIFEST, too_large
from engine.rules.book import RULES, check
from engine.rules.descriptor import is_plain
from engine.rules.descriptor import look as look_at_descriptor
from engine.rules.documents import Looked
from engine.rules.documents import look as look_at_document
from engine.rules.index import Index
from engine.rules.index import look as look_at_index
from engine.rules.json import Numbers, told
from engine.rules.picture import MOST, Picture, descriptors
from engine.rules.registry import Broken, finding
from engine.snapshot import Outcome, ReadDocument, Snapshot
from engine.store import Store
from engine.verdicts import Verdicts

_MOST_OF_ONE = 100
"""Findings that are kept of each rule in one document; a hostile one has millions."""
_STEP = 200
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class LayerCheck(Protocol):
    """What reading a layer to its end has told."""

    @property
    def diff_id(self) -> str: ...
    @property
    def findings(self) -> Sequence[Finding]: ...


class Validation(msgspec.Struct, frozen=True):
    """What was found, and what spares the next look the documents that have not changed."""

    findings: Findings
    documents: Mapping[str, Looked]


def validate(
    store: Store,
    snapshot: Snapshot,
    progress: Progress,
    *,
    verdicts: Verdicts | None = None,
    layers: Mapping[str, LayerCheck] | None = None,
    previous: Validation | None = None,
) -> Validation:
    """Check a store, of which ``snapshot`` was taken, against every rule that needs no layer to be unpacked.

    ``verdicts`` are those of the snapshot's rows; ``layers`` what was learnt by unpacking, by digest. Raises
    ``Cancelled``, ``StoreClosed``.
    """
    progress.start("Checking documents", len(snapshot.documents), "documents")
    known = previous.documents if previous is not None else {}
    found = _Collected(MOST, progress)
    looked: dict[str, Looked] = {}
    for digest, look in _documents(store, snapshot, progress, known):
        looked[digest] = look
        found.take(look)
    picture = _picture(store, snapshot, progress, verdicts, layers or {})
    if isinstance(store, ImageLayout):
        index = _index(store, snapshot, progress, known.get(INDEX_NAME))
        if index is not None:
            looked[INDEX_NAME] = index
            found.take(index)
        found.add(_folder(store))
    found.add(check(picture, "."))
    for layer in (layers or {}).values():
        found.add(layer.findings)
    return Validation(found.findings(deep=layers is not None), looked)


class _Collected:
    """Findings, at most so many of each rule."""

    def __init__(self, most: int, progress: Progress) -> None:
        self._most = most
        self._progress = progress
        self._items: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def add(self, findings: Iterable[Finding]) -> None:
        for each in self._progress.turns(findings):
            self._counts[each.rule] += 1
            if self._counts[each.rule] <= self._most:
                self._items.append(each)

    def take(self, look: Looked) -> None:
        """Add what was found in a document, and count what was not kept of it."""
        self.add(look.findings)
        self._counts.update(dict(look.omitted))

    def look(self, stamp: tuple[int, int, int], media_type: str) -> Looked:
        """What was found in one document."""
        return Looked(stamp, media_type, tuple(self._items), tuple(self._omitted().items()))

    def findings(self, *, deep: bool) -> Findings:
        """Everything, the worst first."""
        order = sorted(self._items, key=lambda each: (-each.severity, each.rule[0], int(each.rule[1:])))
        return Findings(order, self._omitted(), deep)

    def _omitted(self) -> dict[str, int]:
        kept = Counter(each.rule for each in self._items)
        return {rule: count - kept[rule] for rule, count in self._counts.items() if count > kept[rule]}


# ------------------------------------------------------------------------------------------------------- documents


def _documents(
    store: Store, snapshot: Snapshot, progress: Progress, known: Mapping[str, Looked]
) -> Iterator[tuple[str, Looked]]:
    embedded: Mapping[str, bytes] | None = None
    for digest, read in snapshot.documents.items():
        before = known.get(digest)
        if before is not None and before.stamp == read.stamp and before.media_type == read.media_type:
            yield digest, before
        elif read.stamp[0] >= 0:
            yield digest, _document(store, digest, read, progress)
        else:
            embedded = _embedded(snapshot) if embedded is None else embedded
            if digest in embedded:
                collected = _Collected(_MOST_OF_ONE, progress)
                collected.add(look_at_document(embedded[digest], read.media_type, digest))
                yield digest, collected.look(read.stamp, read.media_type)
        progress.advance()


def _document(store: Store, digest: str, read: ReadDocument, progress: Progress) -> Looked:
    """Look into a document; what is in a corrupt one is not what its descriptor meant, so nobody asks."""
    collected = _Collected(_MOST_OF_ONE, progress)
    limit = CONFIG_LIMIT if read.media_type in CONFIG_TYPES else MANIFEST_LIMIT
    collected.add(finding(RULES["X9"], each, digest) for each in too_large(read.stamp[0], limit, read.media_type))
    if read.stamp[0] <= limit and read.outcome != Outcome.CORRUPT:
        with suppress(EngineError):  # gone or unreadable since it was listed, which the next scan sees
            raw = read_file(store.blobs, Digest(digest), limit)
            collected.add(look_at_document(raw, read.media_type, digest))
    return collected.look(read.stamp, read.media_type)


def _embedded(snapshot: Snapshot) -> dict[str, bytes]:
    """Documents that are in one of their descriptors only."""
    found = {}
    for _, _, _, descriptor in descriptors(Picture(snapshot, np.empty(0, np.uint8))):
        if descriptor.data is not None:
            with suppress(DocumentError):
                found[descriptor.digest] = descriptor.embedded() or b""
    return found


def _index(store: ImageLayout, snapshot: Snapshot, progress: Progress, before: Looked | None) -> Looked | None:
    """Look into ``index.json`` entry by entry; None where it is not there, which is the folder's matter."""
    collected = _Collected(MOST, progress)
    digest = ""
    try:
        raw = store.directory.read(INDEX_NAME, INDEX_LIMIT)[0]
        digest = str(digest_of(raw))
        if before is not None and before.media_type == digest:
            return before
        if snapshot.roots.digest not in ("", digest):
            raw = store.read_index()  # somebody is writing it: wait until that is done
            digest = str(digest_of(raw))
        progress.start("Checking index.json", len(snapshot.entries), "entries")
        _walk(raw, collected, progress)
    except FileNotFoundError:
        return None
    except DocumentError as error:
        collected.add([told(error, INDEX_NAME, "V8")])
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO):
            return None  # no regular file
        what = os.strerror(error.errno or 0)
        broken = Broken("", f"index.json cannot be read: {what}.", f"at most {INDEX_LIMIT:,} bytes of JSON", what)
        collected.add([finding(RULES["V8"], broken, INDEX_NAME)])
    except EngineError as error:
        broken = Broken("", str(error), error.expected, error.found)
        collected.add([finding(RULES["V8"], broken, INDEX_NAME)])
    return collected.look((0, 0, 0), digest)


def _walk(raw: bytes, collected: _Collected, progress: Progress) -> None:
    walk = IndexWalk(raw)
    for position, (value, _, _) in enumerate(walk.entries()):
        if not is_plain(value, named=True):
            path = f"manifests[{position}]"
            collected.add(look_at_descriptor(value, "manifests", INDEX_NAME, path, named=True))
            collected.add(check(Numbers(value), INDEX_NAME, path))
        if position % _STEP == _STEP - 1:
            progress.advance(_STEP)
    outer: dict[str, Any] = {key: value for key, (value, _, _) in walk.fields.items()}
    collected.add(check(Numbers(outer), INDEX_NAME))
    if walk.manifests is not None:
        outer["manifests"] = [] if walk.text.startswith("[", walk.manifests[0]) else None
    collected.add(look_at_index(Index(outer, outer=True), INDEX_NAME))


def _folder(store: ImageLayout) -> list[Finding]:
    try:
        return list(layout.look(store.directory))
    except OSError as error:
        what = os.strerror(error.errno or 0)
        broken = Broken("", f"The folder cannot be looked at: {what}.", "permission to read", what)
        return [finding(RULES["X12"], broken, ".")]


# ----------------------------------------------------------------------------------------------- the whole store


def _picture(
    store: Store,
    snapshot: Snapshot,
    progress: Progress,
    verdicts: Verdicts | None,
    layers: Mapping[str, LayerCheck],
) -> Picture:
    own = Verdicts.of(snapshot, 0)
    outcomes, found = own.outcomes, own.found
    if verdicts is not None:
        outcomes = np.where(verdicts.outcomes == Outcome.NONE, outcomes, verdicts.outcomes)
        found = verdicts.found
    forbidden, unreadable = _unreadable(store, snapshot, outcomes, progress)
    leftovers, docker_manifest = [], None
    with suppress(EngineError):
        leftovers = store.leftovers(progress)
    if isinstance(store, ImageLayout):
        with suppress(OSError):
            docker_manifest = store.directory.read(DOCKER_MANIFEST, MANIFEST_LIMIT)[0]
    return Picture(
        snapshot=snapshot,
        outcomes=outcomes,
        found=found,
        odd=_odd(store, snapshot),
        forbidden=forbidden,
        unreadable=unreadable,
        leftovers=leftovers,
        docker_manifest=docker_manifest,
        diff_ids={digest: layer.diff_id for digest, layer in layers.items()},
        progress=progress,
    )


def _odd(store: Store, snapshot: Snapshot) -> dict[str, str]:
    """What stands where a blob's file should."""
    found = {}
    flags = snapshot.columns.flags & (facts.PRESENT | facts.REGULAR | facts.STRAY | facts.PENDING)
    for row in np.flatnonzero(flags == facts.PRESENT).tolist():
        digest = Digest(snapshot.name(row))
        with suppress(OSError):
            mode = store.blobs.folder(digest.algorithm).stat(digest.encoded).st_mode
            found[str(digest)] = _KINDS.get(stat.S_IFMT(mode), "something else")
    return found


def _unreadable(
    store: Store, snapshot: Snapshot, outcomes: NDArray[np.uint8], progress: Progress
) -> tuple[dict[str, str], dict[str, str]]:
    """What this person may not read, and what the disk cannot."""
    columns = snapshot.columns
    forbidden: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    is_blob = (columns.flags & (facts.REGULAR | facts.STRAY | facts.PENDING)) == facts.REGULAR
    failed = is_blob & (((columns.flags & facts.UNREADABLE) != 0) | (outcomes == Outcome.UNREADABLE))
    for row in np.flatnonzero(failed).tolist():
        digest = snapshot.name(row)
        number = _why(store, digest)
        (forbidden if number in _FORBIDDEN else unreadable)[digest] = os.strerror(number)
    if os.geteuid() == 0:  # may read everything
        return forbidden, unreadable
    rows = np.flatnonzero(is_blob & ~failed & (outcomes != Outcome.VERIFIED))
    progress.start("Checking permissions", len(rows), "blobs")
    for n, row in enumerate(rows.tolist()):
        if n % _STEP == _STEP - 1:
            progress.advance(_STEP)
        algorithm, _, encoded = snapshot.name(row).partition(":")
        with suppress(OSError):
            folder = store.blobs.folder(algorithm)
            if not os.access(encoded, os.R_OK, dir_fd=folder.fd) and folder.has(encoded):
                forbidden[f"{algorithm}:{encoded}"] = os.strerror(errno.EACCES)
    return forbidden, unreadable


def _why(store: Store, digest: str) -> int:
    """The system's number for why a blob cannot be read; an input/output error where it can at least be opened."""
    try:
        os.close(store.blobs.open(digest))
    except EngineError as error:
        return getattr(error.__cause__, "errno", None) or errno.EIO
    return errno.EIO
