"""Brings files into a store: says beforehand what each one is, then streams it in.

A file is always copied, never moved or linked. A name that is a digest is a promise about the content and is checked.
"""

import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from engine.blobs import Blobs, Change, PutResult
from engine.blobs import Outcome as PutOutcome
from engine.digest import Digest, clip
from engine.directory import check_path, explained
from engine.document import (
    CONFIG_LIMIT,
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_LIMIT,
    MANIFEST_TYPES,
    REF_NAME,
    Descriptor,
    Index,
    Manifest,
)
from engine.errors import BlobMissing, DocumentError, InvalidName, Refused, StorageFailed
from engine.index import IndexText
from engine.kinds import guess_by_magic
from engine.progress import Progress
from engine.reading import guess_media_type, read_document
from engine.snapshot import Snapshot

_HEAD = 512
_DIGEST_NAME = re.compile(r"(?:(sha256|sha512)[:_-])?([0-9a-f]{64}|[0-9a-f]{128})(?:\.[a-z.]{1,12})?")


class Source(msgspec.Struct, frozen=True):
    """A file that somebody wants to bring in.

    ``refusal`` is the sentence why it cannot be, empty where it can. ``media_type`` is guessed from the content, empty
    where it says nothing. ``expected`` is the digest that the file's name promises. ``needs`` are the digests that a
    manifest or index refers to; only those can have a name in the index.
    """

    path: Path
    size: int = 0
    media_type: str = ""
    expected: str = ""
    needs: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def can_be_named(self) -> bool:
        return self.media_type in INDEX_TYPES or self.media_type in MANIFEST_TYPES

    def missing_in(self, snapshot: Snapshot) -> list[str]:
        """The digests it needs that the store does not have."""
        rows = ((digest, snapshot.find(digest)) for digest in self.needs)
        return [digest for digest, row in rows if row < 0 or snapshot.columns.sizes[row] < 0]


class ImportRequest(msgspec.Struct, frozen=True):
    """A file to bring in, and the name that it gets in the index; None for none."""

    path: Path
    name: str | None = None


class Layout(Protocol):
    """What bringing files into an image layout needs."""

    @property
    def blobs(self) -> Blobs: ...
    def edit_index(self, edit: Callable[[IndexText], None]) -> Change: ...


class Docker(Protocol):
    """What bringing files into Docker's store needs."""

    def set(self, data: bytes) -> Digest: ...


def inspect_source(path: Path) -> Source:
    """Say what a file is, before anything is copied; never raises for what is wrong with it."""
    try:
        file, size = open_source(path)
    except (InvalidName, Refused, StorageFailed) as error:
        return Source(path, refusal=str(error))
    with file:
        try:
            head = file.read(_HEAD)
            media_type = guess_by_magic(head)
            needs: tuple[str, ...] = ()
            if media_type == "application/json" and size <= MANIFEST_LIMIT:
                content = head + file.read(MANIFEST_LIMIT)
                media_type = guess_media_type(content) or media_type
                needs = _needs(content, media_type)
        except OSError as error:
            return Source(path, size, refusal=str(StorageFailed.from_os("Reading", str(path), error)))
    return Source(path, size, media_type, _promised(path), needs)


def import_into_layout(layout: Layout, requests: Sequence[ImportRequest], progress: Progress) -> Change:
    """Copy files into a layout as blobs; when all are safe on disk, name those that have a name.

    What another program's garbage collector takes before the index leads to it is copied once more. Raises the first
    error, naming its file; what was copied before stays, as blobs that nothing refers to.
    """
    progress.start("Importing", sum(inspect_source(request.path).size for request in requests), "bytes")
    copied = [_copy(layout.blobs, request, progress) for request in requests]
    changed = False
    named = [
        msgspec.structs.replace(descriptor, digest=str(result.digest), size=result.size)
        for result, descriptor in copied
        if descriptor is not None
    ]
    if named:
        progress.start("Adding to the index", unit="entries")
        changed = layout.edit_index(lambda index: _add_entries(index, named)).index_changed
        for request, (result, _) in zip(requests, copied, strict=True):
            try:
                layout.blobs.stat(result.digest)
            except BlobMissing:
                _copy(layout.blobs, request, progress, result.digest)
    fates = {
        outcome: tuple(result.digest for result, _ in copied if result.outcome is outcome) for outcome in PutOutcome
    }
    return Change(
        added=fates[PutOutcome.ADDED],
        present=fates[PutOutcome.PRESENT],
        repaired=fates[PutOutcome.REPAIRED],
        index_changed=changed,
    )


def _copy(
    blobs: Blobs, request: ImportRequest, progress: Progress, promised: str = ""
) -> tuple[PutResult, Descriptor | None]:
    """Bring one file in, of this digest if one is promised; the descriptor is what the index will say, but for that."""
    file, size = open_source(request.path)
    with file:
        descriptor = _descriptor(request, file) if request.name is not None else None
        before = progress.done
        promised = promised or _promised(request.path)
        expected = Digest(promised) if promised else None
        algorithm = expected.algorithm if expected else "sha256"
        result = blobs.put(file, algorithm=algorithm, expected=expected, progress=progress)
        # A good copy that is there already is checked instead of copied; either way the file is done.
        progress.advance(before + size - progress.done)
    return result, descriptor


def import_into_docker(docker: Docker, requests: Sequence[ImportRequest], progress: Progress) -> Change:
    """Put image configs into Docker's store; anything else is refused, because Docker would trip over it."""
    progress.start("Importing", len(requests), "files")
    contents = []
    for request in requests:
        source = inspect_source(request.path)
        if source.refusal or source.media_type not in CONFIG_TYPES:
            raise Refused(
                source.refusal or f"{clip(request.path.name)} is not an image config.",
                place=str(request.path),
                expected="the JSON of an image config: Docker's store holds nothing else",
                found=source.media_type or "something else",
                remedy="Import layers and manifests into an image layout.",
            )
        contents.append(_read(request.path, CONFIG_LIMIT))
    added = []
    for content in contents:
        added.append(docker.set(content))
        progress.advance()
    return Change(added=tuple(added))


def open_source(path: Path) -> tuple[BinaryIO, int]:
    """A regular file for reading, and its size; links are followed, because the person chose the link."""
    try:
        handle = os.open(check_path(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Refused(f"{clip(str(path))} is no longer there.", place=str(path), remedy="Drop it again.") from None
    except OSError as error:
        raise StorageFailed.from_os("Opening", clip(str(path)), error) from error
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode):
        return open(path, "rb", opener=lambda *_: handle), status.st_size
    os.close(handle)
    if stat.S_ISDIR(status.st_mode):
        raise Refused(
            f"{clip(path.name)} is a folder, and a blob is one file.",
            place=str(path),
            remedy="Drop the files in it; a folder that is an image layout opens when it is dropped on the tabs.",
        )
    raise Refused(f"{clip(path.name)} is not a regular file.", place=str(path), expected="a file with content")


def _read(path: Path, limit: int) -> bytes:
    """The beginning of a file, and one byte more than ``limit`` where it is longer."""
    file, _ = open_source(path)
    with file, explained("Reading", clip(str(path))):
        return file.read(limit + 1)


def _promised(path: Path) -> str:
    """The digest that a file's name promises; empty where it promises none."""
    match = _DIGEST_NAME.fullmatch(path.name)
    if match is None:
        return ""
    length = len(match[2])
    algorithm = match[1] or {64: "sha256", 128: "sha512"}[length]
    return f"{algorithm}:{match[2]}" if length == {"sha256": 64, "sha512": 128}[algorithm] else ""


def _needs(content: bytes, media_type: str) -> tuple[str, ...]:
    try:
        document = read_document(content, media_type, "the file")
    except DocumentError:
        return ()
    if not isinstance(document, (Manifest, Index)):
        return ()
    return tuple(dict.fromkeys(link.digest for _, _, link in document.links() if link.digest))


def _descriptor(request: ImportRequest, file: BinaryIO) -> Descriptor:
    """What the index will say of a named file; the digest is filled in when it is known."""
    with explained("Reading", clip(str(request.path))):
        content = file.read(MANIFEST_LIMIT + 1)
        file.seek(0)
    media_type = guess_media_type(content) if len(content) <= MANIFEST_LIMIT else ""
    if media_type not in INDEX_TYPES and media_type not in MANIFEST_TYPES:
        raise InvalidName(
            f"{clip(request.path.name)} cannot have a name in the index: it is no manifest and no index.",
            place=str(request.path),
            expected="an image manifest or an image index",
            remedy="Import it as a blob without a name.",
        )
    document = read_document(content, media_type, request.path.name)
    artifact_type = document.artifact_type if isinstance(document, (Manifest, Index)) else ""
    return Descriptor(media_type, "", len(content), {REF_NAME: request.name or ""}, artifact_type=artifact_type)


def _add_entries(index: IndexText, entries: Sequence[Descriptor]) -> None:
    """Give each entry its name; what had it before keeps an entry without one, as every tool has it."""
    for entry in entries:
        index.retag(entry.name or "", entry)
