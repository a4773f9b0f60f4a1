"""Follows references through a store: who needs whom, what is missing, what nobody needs.

Each document is read once, however many roots lead to it, level by level rather than by recursion. Its hash costs
nothing while it is in memory, so documents are verified as they are read.
"""

import os
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from engine import snapshot as facts
from engine.blobs import Blobs
from engine.columns import Columns, as_names, find_rows, same_files, with_names
from engine.digest import Digest, digest_of
from engine.document import (
    CONFIG_LIMIT,
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_LIMIT,
    MANIFEST_TYPES,
    Descriptor,
    Index,
    Manifest,
    Role,
)
from engine.errors import BlobError, BlobMissing, DocumentError, InvalidDigest
from engine.kinds import attached_to, guess_by_magic, is_external, kind_of
from engine.progress import Progress
from engine.reading import guess_media_type, read_document
from engine.snapshot import Edges, Folders, Kind, Outcome, ReadDocument, Roots, Snapshot
from engine.streams import unreadable

_DOCUMENT_TYPES = INDEX_TYPES | MANIFEST_TYPES | CONFIG_TYPES
_SNIFF_LIMIT = MANIFEST_LIMIT
"""Bytes of the largest blob that is looked into although nothing refers to it."""
_MOST_TYPES = 65_535
"""Media types that are told apart in one store."""
_HEAD = 512
"""Bytes that tell what a blob is that nothing describes."""


class Graph:
    """The references among the listed blobs, under construction.

    A node is a position in the lists below: a digest that something refers to, or a document that nothing does.
    """

    def __init__(self, blobs: Blobs, listed: Columns, progress: Progress, previous: Snapshot | None) -> None:
        self.documents: dict[str, ReadDocument] = {}
        self._blobs = blobs
        self._listed = listed
        self._progress = progress
        self._previous = previous
        self._nodes: dict[str, int] = {}
        self._digests: list[str] = []
        self._rows: list[int] = []  # in the listing, -1 for missing
        self._first: list[Descriptor] = []  # the first reference to each node
        self._first_roles = array("b")
        self._other_types: dict[int, list[str]] = {}  # the documents that further references call the node
        self._again: set[int] = set()  # nodes that have such a type since they were read
        self._flags: list[int] = []
        # Flat arrays, because turning a long list into one would keep the interpreter to itself.
        self._edges = array("q")  # source, target, role, position; and again
        self._sizes = array("q")  # node, and the size that a descriptor gives; and again
        self._embedded: dict[int, bytes] = {}
        # What the content of rows of the listing looks like: in columns, for these may be a million.
        self._sniffed = np.zeros(len(listed), np.bool_)
        self._sniffed_kinds = np.zeros(len(listed), np.uint8)
        self._sniffed_media = np.zeros(len(listed), np.uint16)
        self._media: dict[str, int] = {"": 0}

    # -------------------------------------------------------------------------------------------- following

    def follow(self, roots: Roots) -> None:
        """Read everything that the roots lead to."""
        self._progress.start("Following references", unit="documents")
        reachable = facts.REFERENCED | facts.REACHABLE
        turns = self._progress.turns
        nodes = [self._refer(descriptor, Role.MANIFEST, reachable) for descriptor in turns(roots.descriptors)]
        self._walk([node for node in nodes if node >= 0])
        for descriptor in turns(roots.descriptors):
            self._attach(descriptor)

    def look_at_the_rest(self) -> None:
        """Look into the blobs that nothing refers to: lost images, referrers that no index lists, and what the
        others look like."""
        columns = self._listed
        candidates = (columns.flags & (facts.PRESENT | facts.REGULAR | facts.STRAY)) == facts.PRESENT | facts.REGULAR
        candidates[[row for row in self._rows if row >= 0]] = False
        self._remember_sniffed(candidates)
        rows = np.flatnonzero(candidates)
        self._progress.start("Looking at blobs that nothing refers to", len(rows), "blobs")
        found = []
        for row in rows:
            self._progress.advance()
            if (node := self._sniff(int(row))) >= 0:
                found.append(node)
        self._walk(found, facts.REFERENCED)
        self._adopt_referrers()

    def _refer(self, descriptor: Descriptor, role: Role, flags: int) -> int:
        """The node of a descriptor, made at the first reference; -1 where it has no usable digest."""
        if not descriptor.digest:
            return -1
        node = self._nodes.get(descriptor.digest, -1)
        if node < 0:
            node = self._nodes[descriptor.digest] = len(self._digests)
            self._digests.append(descriptor.digest)
            self._rows.append(-2)
            self._first.append(descriptor)
            self._first_roles.append(role)
            self._flags.append(0)
        elif descriptor.media_type != self._first[node].media_type:
            self._note_type(node, descriptor.media_type)
        self._flags[node] |= flags | (facts.EXTERNAL if is_external(descriptor) else 0)
        if descriptor.size >= 0:
            self._sizes.extend((node, descriptor.size))
        if descriptor.data is not None:
            self._check_embedded(node, descriptor)
        return node

    def _note_type(self, node: int, media_type: str) -> None:
        """References may contradict each other; none of them may hide what a blob needs."""
        if media_type in _DOCUMENT_TYPES and media_type not in self._other_types.get(node, ()):
            self._other_types.setdefault(node, []).append(media_type)
            self._again.add(node)

    def _walk(self, frontier: Sequence[int], flags: int = facts.REFERENCED | facts.REACHABLE) -> None:
        seen = set(frontier)
        level = list(seen)
        while level:
            self._locate(level)
            following: list[int] = []
            for node in level:
                self._progress.advance()
                for target in self._read(node, flags):
                    if target not in seen or target in self._again:
                        seen.add(target)
                        self._again.discard(target)
                        following.append(target)
            level = following

    def _locate(self, nodes: Sequence[int]) -> None:
        rows = find_rows(self._listed.names, as_names([self._digests[node] for node in nodes]))
        for node, row in zip(nodes, rows.tolist(), strict=True):
            self._rows[node] = row

    def _read(self, node: int, flags: int) -> list[int]:
        """Read the node's document, if it is one, and return the nodes that it refers to."""
        digest = self._digests[node]
        for media_type in self._document_types(node):
            so_far = self.documents.get(digest)
            if so_far is None or not isinstance(so_far.document, Manifest | Index):
                found = self._read_document(node, digest, media_type)
                if found is not None and (so_far is None or found.document is not None):
                    self.documents[digest] = found
        if digest not in self.documents:
            return []
        document = self.documents[digest].document
        if document is None:
            self._flags[node] |= facts.DAMAGED
        else:
            self._flags[node] &= ~facts.DAMAGED
        if not isinstance(document, (Manifest, Index)):
            return []
        known = self._flags[node] & facts.DOCUMENT
        self._flags[node] |= facts.DOCUMENT
        targets = []
        for role, position, descriptor in document.links():
            target = self._refer(descriptor, role, flags)
            if target < 0:
                continue
            targets.append(target)
            if not known:
                self._edges.extend((node, target, role, position))
        if not known and isinstance(document, Index):
            for descriptor in document.manifests:
                self._attach(descriptor)
        return targets

    def _document_types(self, node: int) -> list[str]:
        """The documents that references call the node, those that refer to others first."""
        types = [self._first[node].media_type, *self._other_types.get(node, ())]
        return sorted((each for each in types if each in _DOCUMENT_TYPES), key=lambda each: each in CONFIG_TYPES)

    def _read_document(self, node: int, digest: str, media_type: str) -> ReadDocument | None:
        row = self._rows[node]
        if row < 0:
            embedded = self._embedded.get(node)
            return None if embedded is None else _parse(digest, media_type, embedded, (-1, 0, 0))
        columns = self._listed
        if not columns.flags[row] & facts.REGULAR:
            return None
        stamp = int(columns.sizes[row]), int(columns.mtimes[row]), int(columns.inodes[row])
        known = self._previous.documents.get(digest) if self._previous else None
        if known is not None and known.stamp == stamp and known.media_type == media_type:
            return known
        limit = CONFIG_LIMIT if media_type in CONFIG_TYPES else MANIFEST_LIMIT
        if stamp[0] > limit:
            return ReadDocument(stamp, None, media_type, Outcome.NONE)
        try:
            raw = read_file(self._blobs, Digest(digest), limit)
        except (BlobError, InvalidDigest):
            self._flags[node] |= facts.UNREADABLE
            return None
        return _parse(digest, media_type, raw, stamp)

    def _check_embedded(self, node: int, descriptor: Descriptor) -> None:
        with suppress(DocumentError):
            if (content := descriptor.embedded()) is not None:
                self._embedded[node] = content

    # ----------------------------------------------------------------------------------- what belongs to what

    def _attach(self, descriptor: Descriptor) -> None:
        """Note that a listed manifest says by annotation or tag what it belongs to."""
        source = self._nodes.get(descriptor.digest, -1)
        subject = attached_to(descriptor)
        target = self._nodes.get(subject, -1)
        if source < 0 or target < 0 or source == target:
            return
        # The referrers tag names an index of referrers: those belong to the subject, not the index itself.
        document = self.documents.get(descriptor.digest)
        if document is None or not isinstance(document.document, Index):
            self._edges.extend((source, target, Role.ATTACHED, 0))

    def link(self, source: str, target: str, role: Role) -> None:
        """Add a reference that no document of the image specification holds (Docker's parent)."""
        ends = [
            self._refer(Descriptor(digest=digest), role, facts.REFERENCED | facts.REACHABLE)
            for digest in (source, target)
        ]
        self._locate(ends)
        self._edges.extend((*ends, role, 0))

    def _adopt_referrers(self) -> None:
        """What refers to something that is wanted is wanted itself, although no index lists it."""
        referrers: dict[int, list[int]] = {}
        targets: dict[int, list[int]] = {}
        for source, target, role, _ in zip(*[iter(self._edges)] * 4, strict=True):
            targets.setdefault(source, []).append(target)
            if role in (Role.SUBJECT, Role.ATTACHED):
                referrers.setdefault(target, []).append(source)
        waiting = [node for node in referrers if self._flags[node] & facts.REACHABLE]
        while waiting:
            waiting += self._reach(referrers.get(waiting.pop(), []), targets)

    def _reach(self, nodes: list[int], targets: Mapping[int, Sequence[int]]) -> list[int]:
        """Mark nodes and all they need as wanted; return those that were not before."""
        reached, waiting = [], list(nodes)
        while waiting:
            node = waiting.pop()
            if not self._flags[node] & facts.REACHABLE:
                self._flags[node] |= facts.REACHABLE
                reached.append(node)
                waiting.extend(targets.get(node, ()))
        return reached

    # ------------------------------------------------------------------------------ blobs that nothing refers to

    def _remember_sniffed(self, candidates: np.ndarray) -> None:
        """Take over what the previous snapshot found in files that are still the same."""
        if self._previous is None or self._previous.stage != "complete":
            return
        old = self._previous.columns
        old_rows, rows = same_files(old, self._listed)
        known = (old.flags[old_rows] & facts.GUESSED) != 0
        known &= (old.flags[old_rows] & facts.DOCUMENT) == 0
        for old_row, row in zip(old_rows[known].tolist(), rows[known].tolist(), strict=True):
            if candidates[row]:
                candidates[row] = False
                self._note_sniffed(row, Kind(int(old.kinds[old_row])), self._previous.media_type(old_row))

    def _sniff(self, row: int) -> int:
        """Look at the first bytes of an unreferenced blob; return a node where it is, or may be, a manifest."""
        digest = bytes(self._listed.names[row]).decode()
        size = int(self._listed.sizes[row])
        try:
            head = read_file(self._blobs, Digest(digest), _SNIFF_LIMIT if size <= _SNIFF_LIMIT else _HEAD, cut=True)
        except BlobMissing:
            return -1
        except (BlobError, InvalidDigest):  # nobody knows what that is: it may be a manifest
            return (
                self._refer(Descriptor(digest=digest), Role.MANIFEST, facts.UNREADABLE) if size <= _SNIFF_LIMIT else -1
            )
        media_type = guess_by_magic(head)
        if media_type == "application/json" and size <= _SNIFF_LIMIT:
            media_type = guess_media_type(head) or media_type
        if media_type not in INDEX_TYPES | MANIFEST_TYPES:
            self._note_sniffed(row, Kind.CONFIG if media_type in CONFIG_TYPES else Kind.UNKNOWN, media_type)
            return -1
        return self._refer(Descriptor(media_type, digest), Role.MANIFEST, facts.GUESSED)

    def _note_sniffed(self, row: int, kind: Kind, media_type: str) -> None:
        self._sniffed[row] = True
        self._sniffed_kinds[row] = kind
        self._sniffed_media[row] = self._number(media_type)

    def _number(self, media_type: str) -> int:
        """What stands for a media type in a column; 0, that of none, once there are more than it has room for."""
        if len(self._media) == _MOST_TYPES:
            return self._media.get(media_type, 0)
        return self._media.setdefault(media_type, len(self._media))

    # -------------------------------------------------------------------------------------------- the snapshot

    def snapshot(self, kind: str, stage: str, roots: Roots, folders: Folders = ()) -> Snapshot:
        """Everything found so far as a snapshot."""
        columns, rows = self._columns()
        media_types = self._media_types(columns, rows)
        edges = np.array(self._edges, np.int64).reshape(-1, 4)
        links = Edges(rows[edges[:, 0]], rows[edges[:, 1]], edges[:, 2].astype(np.uint8), edges[:, 3].astype(np.uint32))
        descriptors = self._progress.turns(roots.descriptors)
        entries = roots.entries(int(rows[self._nodes[d.digest]]) if d.digest else -1 for d in descriptors)
        entry_rows = np.array([entry.row for entry in entries if entry.row >= 0], np.int64)
        used = np.bincount(links.targets, minlength=len(columns)) + np.bincount(entry_rows, minlength=len(columns))
        columns.used_by[:] = used[: len(columns)]
        _mark_complete(columns, links)
        return Snapshot(
            store_kind=kind,
            stage=stage,
            columns=columns,
            media_types=media_types,
            roots=roots,
            entries=entries,
            edges=links,
            documents=dict(self.documents),
            folders=folders,
        )

    def _columns(self) -> tuple[Columns, np.ndarray]:
        """The columns of listed and missing names together, and the row of each node in them."""
        digests = as_names(self._digests)
        missing = digests[np.array(self._rows, np.int64) == -1] if self._digests else digests
        columns = with_names(self._listed, missing)
        rows = find_rows(columns.names, digests)
        columns.flags[rows] |= np.array(self._flags, np.uint16)
        if self._sizes:
            nodes, sizes = np.array(self._sizes, np.int64).reshape(-1, 2).T
            on_disk = columns.sizes[rows[nodes]]
            columns.flags[rows[nodes[(on_disk >= 0) & (on_disk != sizes)]]] |= facts.SIZE_DIFFERS
        return columns, rows

    def _media_types(self, columns: Columns, rows: np.ndarray) -> list[str]:
        """Fill in kinds and media types; return the media types that the column counts in."""
        sniffed = np.flatnonzero(self._sniffed)
        listed = find_rows(columns.names, self._listed.names[sniffed])
        columns.kinds[listed] = self._sniffed_kinds[sniffed]
        columns.media[listed] = self._sniffed_media[sniffed]
        columns.flags[listed] |= facts.GUESSED
        for node, row in enumerate(self._progress.turns(rows.tolist())):
            role, descriptor = Role(self._first_roles[node]), self._first[node]
            read = self.documents.get(descriptor.digest)
            columns.kinds[row] = kind_of(role, descriptor, read.document if read else None)
            columns.media[row] = self._number(read.media_type if read and read.document else descriptor.media_type)
        return list(self._media)


def _mark_complete(columns: Columns, edges: Edges) -> None:
    """Flag the documents whose parts are all there, all the way down."""
    incomplete = (columns.flags & facts.PRESENT) == 0
    incomplete |= (columns.flags & facts.DAMAGED) != 0
    parts = np.flatnonzero(edges.roles <= Role.LAYER)
    parts = parts[np.argsort(edges.targets[parts], kind="stable")]
    facts.mark_above(incomplete, edges.targets[parts], edges.sources[parts])
    columns.flags[~incomplete & ((columns.flags & facts.DOCUMENT) != 0)] |= facts.COMPLETE


def read_file(blobs: Blobs, digest: Digest, limit: int, *, cut: bool = False) -> bytes:
    """The first ``limit`` bytes of a blob, unverified; raises ``BlobError``, also where more follow unless ``cut``.

    Raises ``StorageFailed`` for a lack of handles, which says nothing about the blob.
    """
    handle = blobs.open(digest)
    try:
        parts, left = [], limit + (0 if cut else 1)
        while left > 0 and (part := os.read(handle, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
    except OSError as error:
        raise unreadable(digest, error) from error
    finally:
        os.close(handle)
    content = b"".join(parts)
    if len(content) > limit:
        raise BlobError(
            f"{digest.short} is too large to be read whole.", place=digest, expected=f"at most {limit:,} bytes"
        )
    return content


def _parse(digest: str, media_type: str, raw: bytes, stamp: tuple[int, int, int]) -> ReadDocument:
    outcome = outcome_of(raw, Digest(digest)) if stamp[0] >= 0 else Outcome.NONE
    document = None
    with suppress(DocumentError):
        document = read_document(raw, media_type, Digest(digest).short)
    return ReadDocument(stamp, document, media_type, outcome)


def outcome_of(content: bytes, digest: Digest) -> Outcome:
    """What hashing content in memory says."""
    if not digest.checkable:
        return Outcome.NOT_CHECKABLE
    return Outcome.VERIFIED if digest_of(content, digest.algorithm) == digest else Outcome.CORRUPT
