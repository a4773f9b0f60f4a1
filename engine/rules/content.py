"""Rules of blobs: whether content is there, and is what its name and its descriptors promise."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from engine import snapshot as facts
from engine.digest import clip, shorten
from engine.document import Role
from engine.findings import Remedy, Severity
from engine.indexfile import NAME as INDEX_NAME
from engine.rules.picture import MOST, Picture, damaged, descriptors, is_empty_digest
from engine.rules.registry import Broken, rule
from engine.snapshot import Outcome

_BLOBS = "image-spec image-layout.md, Blobs"
_VERIFICATION = "image-spec descriptor.md, Verification"


@rule(
    "V10",
    Severity.ERROR,
    "A blob's content is not what its name says",
    "The content of a blob has the digest that is its name. This one was damaged or exchanged; every tool will refuse "
    "it. A good copy, from a registry or a backup, can take its place.",
    f"{_BLOBS}; {_VERIFICATION}",
    Remedy.REPLACE,
)
def _corrupt(picture: Picture) -> Iterator[Broken]:
    columns = picture.snapshot.columns
    for n, row in enumerate(np.flatnonzero(picture.outcomes == Outcome.CORRUPT).tolist()):
        digest = picture.snapshot.name(row)
        if columns.sizes[row] == 0 and not is_empty_digest(digest):
            continue
        needs = picture.who_needs(row) if n < MOST else ""
        size = next((use.descriptor.size for use in picture.uses(row)), -1) if n < MOST else -1
        cut = (
            f" It has {columns.sizes[row]:,} bytes instead of {size:,}." if size not in (-1, columns.sizes[row]) else ""
        )
        sentence = f"{shorten(digest)} has other content than its name says; {needs}.{cut}"
        yield Broken("", sentence, shorten(digest), shorten(picture.found.get(digest, "")), place=digest)


@rule(
    "V11",
    Severity.ERROR,
    "A file among the blobs has no blob's name",
    "Below blobs there are folders named by algorithms, and in them files named by digests. Some tools stop at anything "
    "else; look whether it is of use, and move it away.",
    _BLOBS,
)
def _names(picture: Picture) -> Iterator[Broken]:
    known = {leftover.path for leftover in picture.leftovers}
    folder = "blobs" if picture.snapshot.store_kind == "layout" else "content"
    for row in picture.rows(facts.STRAY).tolist():
        name = picture.snapshot.name(row).removeprefix("./")
        path = f"{folder}/{name}"
        if path not in known:
            # What lies beside the folders of algorithms is in nobody's way.
            severity = None if "/" in name else Severity.INFO
            sentence = f"{clip(path, 100)} is not named as a blob."
            yield Broken("", sentence, "a digest", clip(name.rpartition("/")[2], 80), path, severity)


@rule(
    "V12",
    Severity.INFO,
    "Blobs are not used",
    "Blobs that nothing refers to are allowed. They take space until they are cleaned up.",
    _BLOBS,
)
def _unused(picture: Picture) -> Iterator[Broken]:
    rows = picture.rows(facts.PRESENT | facts.REGULAR, facts.REACHABLE | facts.STRAY | facts.PENDING)
    if len(rows) and picture.snapshot.store_kind == "layout":
        size = int(picture.snapshot.columns.sizes[rows].sum())
        what = "One blob is" if len(rows) == 1 else f"{len(rows):,} blobs are"
        yield Broken("", f"{what} not used; together {size:,} bytes.", found=f"{len(rows):,} blobs", place="blobs")


@rule(
    "V13",
    Severity.WARNING,  # the layout is sparse: that is allowed, and the rest may be fetched
    "Content is missing",
    "A layout may leave out content that can be fetched from elsewhere. Until it is there, what needs it cannot be run "
    "or copied. A good copy, from a registry or a backup, can be put there.",
    _BLOBS,
    Remedy.REPLACE,
)
def _missing(picture: Picture) -> Iterator[Broken]:
    snapshot = picture.snapshot
    wanted = np.zeros(len(snapshot), np.bool_)
    wanted[snapshot.edges.targets[snapshot.edges.roles <= Role.LAYER]] = True
    wanted[picture.entry_rows()] = True
    rows = picture.rows(facts.REACHABLE, facts.PRESENT | facts.PENDING | facts.EXTERNAL)
    embedded = {each.digest for _, _, _, each in descriptors(picture) if each.data is not None}
    needed = rows[wanted[rows]].tolist()
    if embedded:  # small content may be there after all: inside one of its descriptors
        needed = [row for row in needed if snapshot.name(row) not in embedded]
    yield from picture.of_rows(needed, "{blob} is not here; {needs}.", "a file", "nothing")


@rule(
    "V28",
    Severity.INFO,
    "Blobs are named by another algorithm than sha256",
    "sha256 is the algorithm that every tool knows; some do not find or check blobs of others.",
    "image-spec descriptor.md, Registered Algorithms",
)
def _algorithms(picture: Picture) -> Iterator[Broken]:
    names = picture.snapshot.columns.names[picture.rows(0, facts.STRAY)]
    others = names[~np.char.startswith(names, b"sha256:")] if len(names) else names
    counts = Counter(name.partition(b":")[0].decode() for name in others.tolist())
    for algorithm, count in sorted(counts.items()):
        if algorithm in ("sha512", "blake3"):
            what = "One digest is" if count == 1 else f"{count:,} digests are"
            yield Broken("", f"{what} of {algorithm}.", "sha256", algorithm, place=f"blobs/{algorithm}")


@rule(
    "V31",
    Severity.ERROR,  # a SHOULD NOT be trusted, which every tool takes for a must
    "A descriptor's size is not the content's",
    "The size in a descriptor is that of the content. Tools refuse content of another size: either the blob is cut, or "
    "the descriptor is wrong. Verify the blob to know which.",
    f"{_VERIFICATION}; descriptor.md, Properties",
    Remedy.RIGHT_SIZE,
)
def _sizes(picture: Picture) -> Iterator[Broken]:
    columns = picture.snapshot.columns
    bad = damaged(picture)
    for row in picture.rows(facts.SIZE_DIFFERS | facts.PRESENT | facts.REGULAR).tolist():
        if bad[row]:  # told once, of the blob, and not of each of its users
            continue
        size = int(columns.sizes[row])
        sound = picture.outcomes[row] == Outcome.VERIFIED
        for use in picture.uses(row):
            if use.descriptor.size in (-1, size):
                continue
            why = "the blob is sound, so this number is wrong" if sound else "nobody has verified the blob yet"
            sentence = f"{shorten(picture.snapshot.name(row))} has {size:,} bytes, not {use.descriptor.size:,}; {why}."
            # Any other document than index.json would get another digest by a change.
            fixable = bool(sound) and use.place == INDEX_NAME
            expected, found = f"{use.descriptor.size:,} bytes", f"{size:,} bytes"
            yield Broken(f"{use.where}.size", sentence, expected, found, use.place, fixable=fixable)


@rule(
    "V32",
    Severity.ERROR,
    "A blob cannot be read",
    "Content should be verified, and the disk does not even give it out. Check the disk, and put a good copy in its "
    "place.",
    _VERIFICATION,
    Remedy.REPLACE,
)
def _unreadable(picture: Picture) -> Iterator[Broken]:
    for digest, why in picture.unreadable.items():
        yield Broken("", f"{shorten(digest)} cannot be read: {why}.", "readable content", why, place=digest)


@rule(
    "X1",
    Severity.ERROR,
    "A blob is not a regular file",
    "Blobs are regular files. A link may lead out of the store, and other tools hang forever when they open a pipe. "
    "Look at it, and move it away.",
    "The practice of all tools that write layouts; image-spec image-layout.md, Blobs",
)
def _irregular(picture: Picture) -> Iterator[Broken]:
    for row in picture.rows(facts.PRESENT, facts.REGULAR | facts.STRAY | facts.PENDING).tolist():
        digest = picture.snapshot.name(row)
        what = picture.odd.get(digest, "something else")
        yield Broken("", f"{shorten(digest)} is {what}.", "a regular file", what, place=digest)


@rule(
    "X12",
    Severity.WARNING,
    "A blob may not be read",
    "Its permissions or its owner keep this person from reading it, and tools of the same person will fail. Change its "
    "permissions, or open the store as its owner.",
    "The practice of tools that write files for their owner only",
)
def _forbidden(picture: Picture) -> Iterator[Broken]:
    for digest, why in picture.forbidden.items():
        yield Broken("", f"{shorten(digest)} may not be read: {why}.", "permission to read", why, place=digest)


@rule(
    "X13",
    Severity.ERROR,
    "A blob is empty",
    "The file has no content at all, which is what a power cut leaves behind. A good copy can take its place.",
    "Power cuts in the field: a file's name was on the disk before its content",
    Remedy.REPLACE,
)
def _empty(picture: Picture) -> Iterator[Broken]:
    columns = picture.snapshot.columns
    rows = picture.rows(facts.PRESENT | facts.REGULAR, facts.STRAY | facts.UNCHECKABLE | facts.PENDING)
    names = picture.snapshot.name
    rows_left = [row for row in rows[columns.sizes[rows] == 0].tolist() if not is_empty_digest(names(row))]
    yield from picture.of_rows(rows_left, "{blob} has no content; {needs}.", "content", "0 bytes")


@rule(
    "X18",
    Severity.INFO,
    "Blobs share their files with another place",
    "Files with several hard links are the same file in several places: who changes one in place changes all. Nothing "
    "here ever writes into a file that is there.",
    "The practice of tools that store equal blobs once",
)
def _shared(picture: Picture) -> Iterator[Broken]:
    rows = picture.rows(facts.PRESENT | facts.REGULAR, facts.STRAY)
    count = int((picture.snapshot.columns.links[rows] > 1).sum())
    if count:
        what = "One blob shares its file" if count == 1 else f"{count:,} blobs share their files"
        yield Broken("", f"{what} with another place.", "one link", "several", place="blobs")
