"""Rules of indexes, ``index.json`` as well as nested ones: image-spec ``image-index.md``."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.digest import clip
from engine.document import INDEX_TYPES, OCI_INDEX
from engine.findings import Finding, Remedy, Severity
from engine.jsontext import in_words
from engine.rules import annotations, descriptor
from engine.rules.json import Members
from engine.rules.registry import RULES, Broken, check, define, finding, rule

_PROPERTIES = "image-spec image-index.md, Image Index Property Descriptions"
_KEYS = frozenset({"schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"})
_COMPRESSION = "io.github.containers.compression."
"""Buildah lists the same image several times, compressed in several ways, and tells them apart by this."""
_NOBODY = "unknown"

define(
    "V75",
    Severity.ERROR,
    "An index lists something that is no descriptor",
    "Each item of manifests is a descriptor. Programs with strict types refuse the whole index.",
    _PROPERTIES,
)
define(
    "V64",
    Severity.ERROR,
    "A subject is no descriptor",
    "subject is the descriptor of the manifest that this one belongs to.",
    "image-spec manifest.md and image-index.md, subject",
)


class Index(NamedTuple):
    """An index; without its entries where these are looked at one by one. ``outer`` for ``index.json``."""

    value: dict[str, Any]
    outer: bool = False


def look(index: Index, place: str) -> Iterator[Finding]:
    """Whatever is wrong with an index, with all its entries where they are there."""
    yield from check(index, place)
    yield from check(Members(index.value, _KEYS), place)
    yield from annotations.look(index.value, place)
    if index.value.get("subject") is not None:
        yield from descriptor.look(index.value["subject"], "subject", place, "subject")
    entries = index.value.get("manifests")
    for n, entry in enumerate(entries if isinstance(entries, list) else ()):
        yield from descriptor.look(entry, "manifests", place, f"manifests[{n}]", named=index.outer)


def wrong_version(value: dict[str, Any]) -> Iterator[Broken]:
    """Where the schema's version is not 2."""
    version = value.get("schemaVersion")
    if type(version) is not int or version != 2:
        found = in_words(version)
        yield Broken("schemaVersion", f"The version is {found}.", "2", found)


@rule(
    "V70",
    Severity.ERROR,
    "An index has the wrong schema version",
    "schemaVersion is 2. Version 1 is an old format of Docker that nobody reads any more.",
    _PROPERTIES,
)
def _version(index: Index) -> Iterator[Broken]:
    yield from wrong_version(index.value)


@rule(
    "V71",
    Severity.INFO,  # a SHOULD since version 1.1; what was written before cannot know it, and every tool reads it
    "An index does not say its own media type",
    "mediaType should be there, so that an index cannot be taken for a manifest. Older tools leave it out.",
    f"{_PROPERTIES}, mediaType",
)
def _no_type(index: Index) -> Iterator[Broken]:
    if "mediaType" not in index.value:
        yield Broken("mediaType", "The index does not say that it is one.", OCI_INDEX)


@rule(
    "V72",
    Severity.ERROR,
    "An index says that it is something else",
    "Where an index says its mediaType, it is that of an index.",
    f"{_PROPERTIES}, mediaType",
)
def _type(index: Index) -> Iterator[Broken]:
    found = index.value.get("mediaType", OCI_INDEX)
    if not isinstance(found, str) or found not in INDEX_TYPES:
        what = clip(found) if isinstance(found, str) else in_words(found)
        yield Broken("mediaType", f"The index calls itself {what}.", OCI_INDEX, what)


@rule(
    "V73",
    Severity.ERROR,
    "An index's artifact type has the wrong form",
    "artifactType is a media type: type/subtype.",
    f"{_PROPERTIES}, artifactType; RFC 6838, section 4.2",
)
def _artifact_type(index: Index) -> Iterator[Broken]:
    yield from descriptor.wrong_type(index.value, "artifactType")


@rule(
    "V74",
    Severity.ERROR,
    "An index has no list of manifests",
    "manifests is an array, which may be empty. Some tools write null for an empty one, and others refuse that.",
    f"{_PROPERTIES}, manifests",
    Remedy.EMPTY_LIST,
)
def _list(index: Index) -> Iterator[Broken]:
    found = index.value.get("manifests")
    if not isinstance(found, list):
        what = "null" if "manifests" in index.value and found is None else in_words(found).removesuffix(" or null")
        # A nested index cannot be changed: it would have another digest.
        yield Broken("manifests", f"The list is {what}.", "an array", what, fixable=index.outer and what == "null")


@rule(
    "V85",
    Severity.WARNING,
    "An index lists two images for one platform",
    "Tools take the first image that suits a platform, so the other one is never chosen.",
    f"{_PROPERTIES}, manifests",
)
def _same_platform(index: Index) -> Iterator[Broken]:
    entries = index.value.get("manifests")
    if index.outer or not isinstance(entries, list):  # entries of index.json are chosen by their names
        return
    seen: dict[str, int] = {}
    for n, entry in enumerate(entries):
        key = _platform_of(entry)
        if key and (first := seen.setdefault(key, n)) != n:
            yield Broken(f"manifests[{n}].platform", f"manifests[{first}] has the same platform.", found=clip(key))


def _platform_of(entry: Any) -> str:
    """What an entry is chosen by; empty where it is not chosen by its platform."""
    found = entry.get("platform") if isinstance(entry, dict) else None
    if not isinstance(found, dict) or not found.get("os") or found["os"] == _NOBODY or entry.get("artifactType"):
        return ""
    marks = entry.get("annotations")
    kinds = sorted(key for key in marks if key.startswith(_COMPRESSION)) if isinstance(marks, dict) else []
    parts = [found.get(key) for key in ("os", "architecture", "variant", "os.version", "os.features")]
    return "/".join(part if isinstance(part, str) else repr(part) for part in (*parts, *kinds) if part)


@rule(
    "X3",
    Severity.ERROR,
    "A document is both an index and a manifest",
    "A document has either manifests, or config and layers. With both, two programs see two different images in it, "
    "which has been used for attacks. Do not trust it.",
    "CVE-2021-41190; image-spec considerations.md",
)
def _ambiguous(index: Index) -> Iterator[Broken]:
    yield from both(index.value)


def both(value: dict[str, Any]) -> Iterator[Broken]:
    """Where a document has the members of an index and of a manifest."""
    found = sorted(value.keys() & {"config", "layers"})
    if "manifests" in value and found:
        names = ", ".join(("manifests", *found))
        yield Broken(found[0], "Nobody can tell whether this is an index or a manifest.", "one of them", names)


def other_ambiguous(value: dict[str, Any], place: str) -> Iterator[Finding]:
    """The same for a document that is read as a manifest."""
    for broken in both(value):
        yield finding(RULES["X3"], broken, place)
