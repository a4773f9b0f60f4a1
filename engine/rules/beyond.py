"""Rules beyond the specification: what tools in the field leave behind, lose, or stumble over."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from engine import snapshot as facts
from engine.columns import Rows
from engine.digest import Digest, clip, shorten
from engine.document import CONFIG_TYPES, Role
from engine.errors import DocumentError, InvalidDigest
from engine.findings import Remedy, Severity
from engine.indexfile import NAME as INDEX_NAME
from engine.jsontext import parse_strict
from engine.kinds import attached_to
from engine.leftovers import Leftover
from engine.rules.picture import Picture
from engine.rules.registry import Broken, define, rule
from engine.snapshot import Entry, mark_above

LARGEST_MANIFEST = 4 << 20
"""Bytes that every registry takes in a manifest."""
DOCKER_MANIFEST = "manifest.json"

_UNSAFE = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$')
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})

define(
    "X9",
    Severity.WARNING,
    "A document is very large",
    f"Registries refuse manifests of more than {LARGEST_MANIFEST >> 20} MiB, and programs read documents up to a limit "
    "only, so that a hostile one cannot exhaust them.",
    "distribution-spec, Pushing Manifests",
)


@rule(
    "X6",
    Severity.WARNING,
    "Two entries have one name",
    "Who asks for the name gets one of them, and which one depends on the tool. Rename one, or remove it from the index.",
    "image-spec image-layout.md, index.json file",
)
def _names(picture: Picture) -> Iterator[Broken]:
    if picture.snapshot.store_kind != "layout":
        return
    first: dict[str, Entry] = {}
    several: dict[str, dict[str, Entry]] = {}
    for entry in picture.entries():
        for name in entry.names:
            other = first.setdefault(name, entry)
            if other is not entry:
                # Images of several platforms may share a name: then the platform decides.
                other = several.setdefault(name, {_platform(other): other}).setdefault(_platform(entry), entry)
            if other.descriptor.digest != entry.descriptor.digest:
                sentence = f"{clip(name, 60)!r} is the name of manifests[{other.position}], too."
                expected, found = shorten(other.descriptor.digest), shorten(entry.descriptor.digest)
                yield Broken(f"manifests[{entry.position}]", sentence, expected, found, INDEX_NAME)


def _platform(entry: Entry) -> str:
    platform = entry.descriptor.platform
    return "" if platform is None else f"{platform.text} {platform.os_version}"


@rule(
    "X7",
    Severity.WARNING,
    "Two entries are the same",
    "The index lists the same content under the same name twice. One of them can be removed from the index.",
    "image-spec image-layout.md, index.json file",
)
def _twice(picture: Picture) -> Iterator[Broken]:
    if picture.snapshot.store_kind != "layout":
        return
    entries = [entry for entry in picture.entries() if entry.row >= 0]
    rows = np.array([entry.row for entry in entries], np.int64)
    several = np.bincount(rows, minlength=1)[rows] > 1
    seen: dict[str, int] = {}
    for n in picture.progress.turns(np.flatnonzero(several).tolist()):
        entry = entries[n]
        other = seen.setdefault(repr(entry.descriptor), entry.position)
        if other != entry.position:
            sentence, found = f"This entry is the same as manifests[{other}].", shorten(entry.descriptor.digest)
            yield Broken(f"manifests[{entry.position}]", sentence, found=found, place=INDEX_NAME)


def _leftovers(leftovers: Sequence[Leftover], *, umoci: bool) -> Iterator[Broken]:
    for leftover in leftovers:
        if (leftover.tool == "umoci") == umoci:
            sentence = f"{clip(leftover.path, 80)} was left by {leftover.tool}: {leftover.size:,} bytes. {leftover.why}"
            yield Broken(
                "", sentence, found=f"{leftover.size:,} bytes", place=leftover.path, fixable=leftover.removable
            )


@rule(
    "X11",
    Severity.INFO,
    "A tool has left something behind",
    "Files with names that only an interrupted write leaves. What is certainly dead can be cleaned up.",
    "The sources of the tools that write layouts",
    Remedy.CLEAN,
)
def _left(picture: Picture) -> Iterator[Broken]:
    yield from _leftovers(picture.leftovers, umoci=False)


@rule(
    "X14",
    Severity.INFO,
    "umoci has left a folder behind",
    "umoci works in a folder .umoci-… and removes it at the end; this one was interrupted, or still runs. What is "
    "certainly dead can be cleaned up.",
    "umoci, oci/cas/dir",
    Remedy.CLEAN,
)
def _left_by_umoci(picture: Picture) -> Iterator[Broken]:
    yield from _leftovers(picture.leftovers, umoci=True)


@rule(
    "X15",
    Severity.WARNING,
    "What belongs to an image is not in the index",
    "A signature, an attestation or the like names an image as its subject, but no index lists it: tools do not see it, "
    "and umoci's clean-up deletes it. Adding it to the index keeps it.",
    "image-spec manifest.md, subject; umoci, gc",
    Remedy.ADD_TO_INDEX,
)
def _invisible(picture: Picture) -> Iterator[Broken]:
    snapshot = picture.snapshot
    edges = snapshot.edges
    sources = np.unique(edges.sources[edges.roles == Role.SUBJECT])
    if not len(sources):
        return
    listed = _listed(picture)
    flags = snapshot.columns.flags
    wanted = ~listed[sources] & (
        (flags[sources] & (facts.PRESENT | facts.REACHABLE)) == facts.PRESENT | facts.REACHABLE
    )
    yield from picture.of_rows(sources[wanted].tolist(), "{blob} belongs to an image, and no index lists it.")


def _listed(picture: Picture) -> np.ndarray:
    """Which rows the entries of the index lead to by way of parts."""
    snapshot = picture.snapshot
    marks = np.zeros(len(snapshot), np.bool_)
    marks[picture.entry_rows()] = True
    parts: Rows = np.flatnonzero(snapshot.edges.roles <= Role.LAYER)
    parts = parts[np.argsort(snapshot.edges.sources[parts], kind="stable")]
    mark_above(marks, snapshot.edges.sources[parts], snapshot.edges.targets[parts])
    return marks


@rule(
    "X16",
    Severity.INFO,
    "What a tag belongs to is not here",
    "A tag made of a digest names what belongs to that image: signatures, attestations, referrers. The image is gone, "
    "so it is of no use here any more.",
    "distribution-spec, Referrers Tag Schema; cosign, SIGNATURE_SPEC.md",
)
def _orphans(picture: Picture) -> Iterator[Broken]:
    snapshot = picture.snapshot
    for entry in picture.entries() if snapshot.store_kind == "layout" else ():
        name = entry.descriptor.name
        if name is None or not name.startswith("sha"):
            continue
        subject = attached_to(entry.descriptor)
        if subject and ((row := snapshot.find(subject)) < 0 or not snapshot.has(row, facts.PRESENT)):
            sentence = f"{clip(name, 100)!r} belongs to {shorten(subject)}, which is not here."
            yield Broken(f"manifests[{entry.position}]", sentence, shorten(subject), "nothing", INDEX_NAME)


@rule(
    "X17",
    Severity.WARNING,
    "A file's name is not safe on other systems",
    "Windows and macOS take names that differ by case only for one file, and Windows knows names that no file can have. "
    "Copied there, content would be lost.",
    "The file systems of Windows and macOS",
)
def _unsafe_names(picture: Picture) -> Iterator[Broken]:
    snapshot = picture.snapshot
    unusual = np.union1d(picture.rows(facts.STRAY), picture.rows(facts.PRESENT | facts.UNCHECKABLE))
    seen: dict[str, str] = {}
    for row in unusual.tolist():
        name = snapshot.name(row)
        path = name.removeprefix("./") if snapshot.has(row, facts.STRAY) else name.replace(":", "/", 1)
        other = seen.setdefault(path.casefold(), path)
        parts = path.split("/")
        if other != path:
            sentence, found = f"{clip(path, 80)} and {clip(other, 80)} differ by case only.", clip(other, 80)
        elif any(_UNSAFE.search(part) or part.partition(".")[0].lower() in _DEVICES for part in parts):
            sentence, found = f"{clip(path, 80)} cannot be a file on Windows.", clip(path, 80)
        else:
            continue
        yield Broken("", sentence, "a name for every system", found, place=name)


@rule(
    "X20",
    Severity.WARNING,
    "Docker's list does not fit the layout",
    "manifest.json is what docker load reads, index.json what everybody else reads. They should name the same images; "
    "here some tools will not find something.",
    "moby, docker save; image-spec image-layout.md",
)
def _docker(picture: Picture) -> Iterator[Broken]:
    if picture.docker_manifest is None:
        return
    try:
        images = parse_strict(picture.docker_manifest, DOCKER_MANIFEST)
    except DocumentError as error:
        yield Broken("", str(error), error.expected, error.found, DOCKER_MANIFEST)
        return
    if not isinstance(images, list) or not all(isinstance(image, dict) for image in images):
        yield Broken("", "manifest.json is not Docker's list of images.", "an array of objects", place=DOCKER_MANIFEST)
        return
    for n, image in enumerate(images):
        layers = image.get("Layers")
        paths = [("Config", image.get("Config"))]
        paths += [(f"Layers[{m}]", path) for m, path in enumerate(layers if isinstance(layers, list) else ())]
        for where, path in paths:
            digest = _digest_in(path)
            if digest and ((row := picture.snapshot.find(digest)) < 0 or not picture.snapshot.has(row, facts.PRESENT)):
                found = clip(str(path), 100)
                yield Broken(f"[{n}].{where}", f"{found} is not here.", "a blob", found, DOCKER_MANIFEST)
            elif digest and where == "Config" and not picture.snapshot.has(row, facts.REACHABLE):
                found = shorten(digest)
                yield Broken(
                    f"[{n}].Config", "index.json does not list this image.", "an entry", found, DOCKER_MANIFEST
                )


def _digest_in(path: object) -> str:
    """The digest that a path below blobs stands for; empty for any other, as older versions of Docker have them."""
    parts = path.split("/") if isinstance(path, str) else []
    try:
        return Digest.parse(f"{parts[1]}:{parts[2]}") if len(parts) == 3 and parts[0] == "blobs" else ""
    except InvalidDigest:
        return ""


@rule(
    "X22",
    Severity.INFO,
    "An image has lost its name",
    "It is whole, and nothing refers to it: an interrupted copy, or a name that was given to another image since. "
    "Adding it to the index keeps it; cleaning up removes it.",
    "The practice of tools that write the index last",
    Remedy.ADD_TO_INDEX,
)
def _lost(picture: Picture) -> Iterator[Broken]:
    if picture.snapshot.store_kind == "layout":
        yield from picture.of_rows(picture.snapshot.lost(), "{blob} is whole, and nothing refers to it.")


@rule(
    "X24",
    Severity.WARNING,
    "The image that another was built on is gone",
    "Docker remembers the image that another was built on. The newer one still works; docker history shows less of it.",
    "moby, image/store.go, parent",
)
def _parents(picture: Picture) -> Iterator[Broken]:
    edges = picture.snapshot.edges
    for source, target in zip(
        edges.sources[edges.roles == Role.PARENT].tolist(),
        edges.targets[edges.roles == Role.PARENT].tolist(),
        strict=True,
    ):
        if not picture.snapshot.has(target, facts.PRESENT):
            parent = shorten(picture.snapshot.name(target))
            yield Broken("", f"Its parent {parent} is not here.", parent, "nothing", picture.snapshot.name(source))


def too_large(size: int, limit: int, media_type: str) -> Iterator[Broken]:
    """Where a document is larger than registries take it, or than it is read here."""
    if size > limit:
        sentence = f"The document has {size:,} bytes, so it was not looked into."
        yield Broken("", sentence, f"at most {limit:,} bytes", f"{size:,} bytes", severity=Severity.ERROR)
    elif size > LARGEST_MANIFEST and media_type not in CONFIG_TYPES:
        sentence = f"The document has {size:,} bytes; registries will refuse it."
        yield Broken("", sentence, f"at most {LARGEST_MANIFEST:,} bytes", f"{size:,} bytes")
