"""Does what can safely be done about a finding; what changes ``index.json`` can be undone from the trash."""

import re
from collections.abc import Sequence
from pathlib import Path

from engine.blobs import Change
from engine.blobs import Outcome as PutOutcome
from engine.digest import Digest, clip, shorten
from engine.errors import BlobError, DigestMismatch, Refused, StoreChanged
from engine.findings import Finding, Remedy
from engine.importing import open_source
from engine.index import IndexText
from engine.indexfile import NAME as INDEX_NAME
from engine.indexfile import Edit
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.snapshot import Entry, Snapshot
from engine.store import Store
from engine.streams import BLOCK
from engine.tagging import add_name

_ENTRY = re.compile(r"\$?\.?manifests\[([0-9]{1,9})\](?:\.size)?")


def apply_remedy(
    store: Store, snapshot: Snapshot, findings: Sequence[Finding], progress: Progress, *, name: str | None = None
) -> Change:
    """Do what the remedy of these findings says, which is one for all; ``snapshot`` is what they were made over.

    However many places it is about, it is done in all or in none, and is undone as one. ``name`` is the name under which
    something is added to the index, if any. A good copy that replaces a blob has to come from somewhere, see
    ``replace_blob``. Raises ``Refused`` where there is nothing to be done here, ``StoreChanged`` when the store has moved
    on, and what the verbs of the store raise.
    """
    first = findings[0]
    if not isinstance(store, ImageLayout) or first.remedy in (None, Remedy.REPLACE):
        raise Refused(
            "There is nothing that could be done about this without you.",
            place=first.place,
            found=first.remedy.value if first.remedy else "no remedy",
            remedy="Drop the good file on it." if first.remedy is Remedy.REPLACE else "",
        )
    match first.remedy:
        case Remedy.ADD_MARKER:
            return Change(note="" if store.add_marker() else "The file oci-layout is there already.")
        case Remedy.EMPTY_LIST:
            return _write_empty_list(store, first)
        case Remedy.RIGHT_SIZE:
            return _write_right_sizes(store, snapshot, findings, progress)
        case Remedy.CLEAN:
            count = len(store.clean(progress))
            return Change(note=f"{count} leftovers were removed." if count != 1 else "1 leftover was removed.")
    edits = [add_name(snapshot, finding.place, name) for finding in findings]
    what = f"{len(findings):,} images" if len(findings) > 1 else clip(name) if name else shorten(first.place)
    return store.edit_index(_together(edits), f"Add {what} to the index")


def replace_blob(store: Store, digest: str, file: Path, progress: Progress) -> Change:
    """Put the content of a file in the place of a corrupt or missing blob, if it is the content of that digest.

    Raises ``DigestMismatch`` for any other content; then nothing has changed.
    """
    wanted = Digest.parse(digest)
    source, size = open_source(file)
    with source:
        progress.start("Replacing the blob", size)
        try:
            outcome = store.blobs.put(source, algorithm=wanted.algorithm, expected=wanted, progress=progress).outcome
        except DigestMismatch as error:
            raise DigestMismatch(
                f"{clip(file.name)} is not the content of {wanted.short}, so nothing was changed.",
                place=str(file),
                expected=error.expected,
                found=error.found,
                remedy="Choose a file whose content has that digest.",
            ) from None
    return Change(
        added=(wanted,) if outcome is PutOutcome.ADDED else (),
        present=(wanted,) if outcome is PutOutcome.PRESENT else (),
        repaired=(wanted,) if outcome is PutOutcome.REPAIRED else (),
    )


def _write_empty_list(store: ImageLayout, finding: Finding) -> Change:
    if finding.place != INDEX_NAME:
        raise Refused(
            "This document cannot be changed: it would have another digest.",
            place=finding.place,
            remedy="Build the image again with a tool that writes [] there.",
        )
    return store.edit_index(IndexText.make_list, "Write [] for null in index.json")


def _write_right_sizes(
    store: ImageLayout, snapshot: Snapshot, findings: Sequence[Finding], progress: Progress
) -> Change:
    entries = [_entry_of(snapshot, finding) for finding in findings]
    sizes = {entry.descriptor.digest: 0 for entry in entries}
    for digest in sizes:
        sizes[digest] = _measure(store, digest, progress)

    def right(entry: Entry) -> Edit:
        size = sizes[entry.descriptor.digest]
        return lambda index: index.resize(index.find_entry(entry.descriptor, entry.position), size)

    first = entries[0].descriptor
    name = clip(first.name or "") or shorten(first.digest)
    what = f"sizes of {len(entries):,} entries" if len(entries) > 1 else f"size of {name}"
    return store.edit_index(_together([right(entry) for entry in entries]), f"Write the right {what}")


def _entry_of(snapshot: Snapshot, finding: Finding) -> Entry:
    match = _ENTRY.fullmatch(finding.where)
    position = int(match[1]) if match else -1
    if finding.place != INDEX_NAME or not 0 <= position < len(snapshot.entries):
        raise Refused(
            "Only a size in index.json can be changed: any other document would have another digest.",
            place=finding.place,
            remedy="Build the image again.",
        )
    return snapshot.entries[position]


def _together(edits: Sequence[Edit]) -> Edit:
    """One edit after the other, as one."""

    def edit(index: IndexText) -> None:
        for each in edits:
            each(index)

    return edit


def _measure(store: ImageLayout, digest: str, progress: Progress) -> int:
    """The size in bytes of a blob, every one of which was read: of a damaged blob the size in the index may be right."""
    try:
        progress.start("Verifying the blob", store.blobs.stat(digest).size)
        size = 0
        with store.blobs.open_verified(digest) as reader:
            while piece := reader.read(BLOCK):
                size += len(piece)
                progress.advance(len(piece))
    except BlobError as error:
        raise StoreChanged(
            f"The size of {shorten(digest)} was left as it is, because the blob is not sound. {error}",
            place=digest,
            remedy="Replace the blob with a good copy.",
        ) from error
    return size
