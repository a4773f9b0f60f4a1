"""Edits of index entries that people ask for: another name for an image, a new name for an entry, annotations.

Each is made over a snapshot, and refuses where the index says something else by now than what the person was told.
"""

from collections.abc import Collection

from engine import snapshot as facts
from engine.digest import clip, shorten
from engine.document import Descriptor, Index, Manifest
from engine.errors import Refused, StoreChanged
from engine.index import IndexText
from engine.indexfile import Edit
from engine.snapshot import Entry, Snapshot


def can_be_named(snapshot: Snapshot, row: int) -> bool:
    """Whether an index entry may lead to a row: to a manifest or an index that is in the store, also a lost one."""
    return isinstance(snapshot.document(row), Manifest | Index) and snapshot.has(row, facts.PRESENT)


def add_name(snapshot: Snapshot, digest: str, name: str | None, taken_from: Collection[str] = ()) -> Edit:
    """The edit that lets an entry of the index lead to a manifest or index, beside those that do already.

    Without a name there is nothing to do where one does. A name moves here from the digests in ``taken_from``; where
    nothing else leads to those, they keep an entry without a name. Raises ``Refused`` for what is no manifest and no
    index, and, when it is carried out, for a name that stands for anything else.
    """
    row = snapshot.find(digest)
    if row < 0 or not can_be_named(snapshot, row):
        raise Refused(
            f"{shorten(digest)} is no manifest and no index that could be named.",
            place=digest,
            expected="a manifest or an index that is in the store",
        )
    entry = _entry_for(snapshot, row)

    def edit(index: IndexText) -> None:
        if name is not None:
            _check_owners(index, name, {digest, *taken_from})
            index.retag(name, entry)
        elif all(other.digest != digest for other in index.entries):
            index.add(entry)

    return edit


def rename(entry: Entry, name: str | None, taken_from: Collection[str] = ()) -> Edit:
    """The edit that gives an entry another name, or none.

    What had the name makes way as with ``add_name``. When it is carried out it raises ``StoreChanged`` where the entry is
    not there any more, and ``Refused`` for a name that stands for anything else than ``taken_from``.
    """

    def edit(index: IndexText) -> None:
        position = _find(index, entry)
        if name is not None and name != entry.descriptor.name:
            _check_owners(index, name, {entry.descriptor.digest, *taken_from})
            index.release(name)
            position = _find(index, entry)
        index.rename(position, name)

    return edit


def annotate(entry: Entry, key: str, value: str | None) -> Edit:
    """The edit that sets an annotation of an entry, or with None removes it; raises ``StoreChanged`` as ``rename`` does."""
    return lambda index: index.annotate(_find(index, entry), key, value)


def _find(index: IndexText, entry: Entry) -> int:
    try:
        return index.find_entry(entry.descriptor, entry.position)
    except StoreChanged as error:
        raise StoreChanged(
            "That entry is no longer in the index as it was.", place=error.place, remedy=error.remedy
        ) from None


def _check_owners(index: IndexText, name: str, known: Collection[str]) -> None:
    """Raise ``Refused`` where the name stands for a digest that nobody was told of."""
    if any(index.entries[position].digest not in known for position in index.named(name)):
        raise Refused(
            f"{clip(name)} stands for something else already.",
            place="index.json",
            remedy="Choose another name, or take that one away first.",
        )


def _entry_for(snapshot: Snapshot, row: int) -> Descriptor:
    """What a new entry says of a row: what other entries and indexes do, but for their annotations."""
    document = snapshot.document(row)
    described = [entry.descriptor for entry in snapshot.entries_of(row)]
    described += [link.descriptor for link in snapshot.parents(row)]
    return Descriptor(
        snapshot.media_type(row),
        snapshot.name(row),
        int(snapshot.columns.sizes[row]),
        platform=next((each.platform for each in described if each.platform), None),
        artifact_type=document.artifact_type if isinstance(document, Manifest | Index) else "",
    )
