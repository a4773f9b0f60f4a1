"""What the rules of a whole store look at: a snapshot, with what hashing and looking at single files has told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import snapshot as facts
from engine.columns import Rows
from engine.digest import shorten
from engine.document import Descriptor, Index, Manifest, Role
from engine.indexfile import NAME as INDEX_NAME
from engine.leftovers import Leftover
from engine.progress import Progress
from engine.rules.registry import Broken
from engine.snapshot import Entry, Snapshot

MOST = 1000
"""Findings that are kept of each rule; the others are counted."""


_UNTOLD = Broken("", "")
_NOBODY_WAITS = Progress()


class Use(NamedTuple):
    """One descriptor of a blob: the document that it stands in, and where there."""

    place: str
    where: str
    descriptor: Descriptor
    role: Role


class Picture(NamedTuple):
    """A store as a whole; the texts are by digest, and say what is the matter."""

    snapshot: Snapshot
    outcomes: NDArray[np.uint8]
    """What hashing said of each row."""
    found: Mapping[str, str] = {}
    """The digest that the content of a corrupt blob really has."""
    odd: Mapping[str, str] = {}
    """What stands where a blob's file should."""
    forbidden: Mapping[str, str] = {}
    """Blobs that this person may not read."""
    unreadable: Mapping[str, str] = {}
    """Blobs that the disk cannot read."""
    leftovers: Sequence[Leftover] = ()
    docker_manifest: bytes | None = None
    """The file ``manifest.json`` that ``docker save`` writes beside the index."""
    diff_ids: Mapping[str, str] = {}
    """The digests of unpacked layers, as far as they were read."""
    progress: Progress = _NOBODY_WAITS
    """Who waits for what is found."""

    def rows(self, having: int, lacking: int = 0) -> Rows:
        """The rows with all of some flags, and none of others."""
        flags = self.snapshot.columns.flags
        return np.flatnonzero((flags & (having | lacking)) == having)

    def entries(self) -> Iterator[Entry]:
        """The entries of the store's index; those who wait get a turn now and then."""
        return self.progress.turns(self.snapshot.entries)

    def entry_rows(self) -> Rows:
        """The rows that entries of the index lead to, in their order."""
        return np.array([entry.row for entry in self.entries() if entry.row >= 0], np.int64)

    def uses(self, row: int) -> Iterator[Use]:
        """Every descriptor of a row, those in the index first."""
        for entry in self.snapshot.entries_of(row):
            yield Use(INDEX_NAME, f"manifests[{entry.position}]", entry.descriptor, Role.MANIFEST)
        for link in self.snapshot.parents(row):
            if link.role <= Role.SUBJECT:
                yield Use(
                    self.snapshot.name(link.source), path_of(link.role, link.position), link.descriptor, link.role
                )

    def who_needs(self, row: int) -> str:
        """Half a sentence about what refers to a row."""
        count = int(self.snapshot.columns.used_by[row])
        first = next(self.uses(row), None)
        if first is None:
            return "nothing refers to it"
        name = first.descriptor.name if first.place == INDEX_NAME else None
        who = repr(name[:60]) if name else shorten(first.place)
        return f"{who} needs it" if count == 1 else f"{who} and {count - 1} more need it"

    def of_rows(self, rows: Sequence[int], sentence: str, expected: str = "", found: str = "") -> Iterator[Broken]:
        """One place a row, told by its digest (``{blob}``) and by what needs it (``{needs}``).

        Only of those that will be kept is looked up what needs them.
        """
        for row in rows[:MOST]:
            digest = self.snapshot.name(row)
            told = sentence.format(blob=shorten(digest), needs=self.who_needs(row))
            yield Broken("", told, expected, found, place=digest)
        for _ in rows[MOST:]:
            yield _UNTOLD


def descriptors(picture: Picture) -> Iterator[tuple[str, Role, int, Descriptor]]:
    """Every descriptor of the store: the document that it stands in, its role, its position."""
    return picture.progress.turns(_descriptors(picture.snapshot))


def _descriptors(snapshot: Snapshot) -> Iterator[tuple[str, Role, int, Descriptor]]:
    if snapshot.store_kind == "layout":
        for entry in snapshot.entries:
            yield INDEX_NAME, Role.MANIFEST, entry.position, entry.descriptor
    for digest, read in snapshot.documents.items():
        if isinstance(read.document, Manifest | Index):
            for role, position, descriptor in read.document.links():
                yield digest, role, position, descriptor


def path_of(role: Role, position: int) -> str:
    """The JSON path of a descriptor in its document."""
    lists = {Role.MANIFEST: "manifests", Role.LAYER: "layers"}
    return f"{lists[role]}[{position}]" if role in lists else "config" if role == Role.CONFIG else "subject"


def is_empty_digest(digest: str) -> bool:
    """Whether a digest is that of no bytes at all."""
    return digest in _OF_NOTHING


_OF_NOTHING = frozenset(
    {
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    }
)


def damaged(picture: Picture) -> NDArray[np.bool_]:
    """Rows whose content is known to be wrong, so that nothing else about it is worth telling."""
    columns = picture.snapshot.columns
    emptied: NDArray[np.bool_] = (columns.sizes == 0) & ((columns.flags & (facts.STRAY | facts.UNCHECKABLE)) == 0)
    for row in np.flatnonzero(emptied):
        emptied[row] = not is_empty_digest(picture.snapshot.name(int(row)))
    corrupt: NDArray[np.bool_] = picture.outcomes == facts.Outcome.CORRUPT
    return corrupt | emptied
