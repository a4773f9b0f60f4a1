"""Holds one document against the rules: its text, then what it is made of. Nothing else is looked at."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from engine.digest import clip
from engine.document import CONFIG_TYPES, INDEX_TYPES, MANIFEST_TYPES, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST
from engine.findings import Finding, Severity
from engine.rules import config, index, json, manifest
from engine.rules.registry import RULES, Broken, check, define, finding

define(
    "V167",
    Severity.WARNING,
    "A document is not what its descriptor says",
    "The descriptor's media type and the document's own are the same. Strict tools refuse the image.",
    "image-spec manifest.md and image-index.md, mediaType; descriptor.md, Verification",
)

_NAMES = {"manifests": "an index", "layers": "an image manifest", "blobs": "an artifact manifest"}
_TYPES = {"manifests": OCI_INDEX, "layers": OCI_MANIFEST, "blobs": OCI_ARTIFACT}


class Looked(msgspec.Struct, frozen=True):
    """What was found in one document, and by which file and descriptor: as long as these stay, so do the findings."""

    stamp: tuple[int, int, int]
    media_type: str
    findings: tuple[Finding, ...] = ()
    omitted: tuple[tuple[str, int], ...] = ()


def look(raw: bytes, media_type: str, place: str) -> Iterator[Finding]:
    """Whatever is wrong inside a document that its descriptor calls by this media type."""
    value, found = json.parse(raw, place)
    yield from found
    if value is None:
        return
    if json.may_be_inexact(raw):
        yield from check(json.Numbers(value), place)
    if media_type in CONFIG_TYPES:
        yield from config.look(value, place)
        return
    actual, mismatch = _actual_type(value, media_type, place)
    parts = index.look(index.Index(value), place) if actual in INDEX_TYPES else manifest.look(value, actual, place)
    yield from chain(mismatch, parts)


def _actual_type(value: dict[str, Any], media_type: str, place: str) -> tuple[str, list[Finding]]:
    """The type by the document's own lists and words, and what there is to say where the descriptor has another."""
    own = "manifests" if media_type in INDEX_TYPES else "blobs" if media_type == OCI_ARTIFACT else "layers"
    other = None if own in value else next((key for key in _NAMES if key in value), None)
    if other is not None:
        sentence = f"This is {_NAMES[other]}, and its descriptor says something else."
        broken = Broken("", sentence, media_type, _NAMES[other], severity=Severity.ERROR)
        return _TYPES[other], [finding(RULES["V167"], broken, place)]
    said = value.get("mediaType")
    family = INDEX_TYPES if media_type in INDEX_TYPES else MANIFEST_TYPES  # another one breaks V52 or V72
    if isinstance(said, str) and said != media_type and said in family:
        sentence = "The document's own media type is not the one of its descriptor."
        return media_type, [finding(RULES["V167"], Broken("mediaType", sentence, media_type, clip(said)), place)]
    return media_type, []
