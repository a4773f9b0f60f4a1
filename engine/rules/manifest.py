"""Rules of image manifests and artifacts: image-spec ``manifest.md``."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.digest import clip
from engine.document import CONFIG_TYPES, MANIFEST_TYPES, OCI_ARTIFACT, OCI_EMPTY, OCI_MANIFEST
from engine.findings import Finding, Severity
from engine.jsontext import in_words
from engine.rules import annotations, descriptor
from engine.rules.index import other_ambiguous, wrong_version
from engine.rules.json import Members
from engine.rules.registry import Broken, check, define, rule

_PROPERTIES = "image-spec manifest.md, Image Manifest Property Descriptions"
_KEYS = frozenset({"schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"})
_ARTIFACT_KEYS = frozenset({"mediaType", "artifactType", "blobs", "subject", "annotations"})
_LAYER_WORDS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
_EVIDENCE = ("in-toto", "cosign", "sigstore", "dsse", "simplesigning", "spdx", "cyclonedx", "syft", "slsa")
"""What signatures, attestations and lists of contents have in their media types; their tools use image configs."""

define(
    "V56",
    Severity.ERROR,
    "A manifest has no config",
    "config is a descriptor, in an artifact that of the empty JSON object.",
    f"{_PROPERTIES}, config",
)


class Manifest(NamedTuple):
    """An image manifest, also Docker's."""

    value: dict[str, Any]


class Artifact(NamedTuple):
    """An artifact manifest, as the release candidates of version 1.1 had it."""

    value: dict[str, Any]


def look(value: dict[str, Any], media_type: str, place: str) -> Iterator[Finding]:
    """Whatever is wrong with a manifest, with all its descriptors."""
    is_artifact = media_type == OCI_ARTIFACT
    yield from check(Artifact(value) if is_artifact else Manifest(value), place)
    yield from check(Members(value, _ARTIFACT_KEYS if is_artifact else _KEYS), place)
    yield from other_ambiguous(value, place)
    yield from annotations.look(value, place)
    if not is_artifact:
        yield from descriptor.look(value.get("config"), "config", place, "config")
    if value.get("subject") is not None:
        yield from descriptor.look(value["subject"], "subject", place, "subject")
    key = "blobs" if is_artifact else "layers"
    parts = value.get(key)
    for n, part in enumerate(parts if isinstance(parts, list) else ()):
        yield from descriptor.look(part, key, place, f"{key}[{n}]")


@rule(
    "V50",
    Severity.ERROR,
    "A manifest has the wrong schema version",
    "schemaVersion is 2. Version 1 is an old format of Docker that nobody reads any more.",
    f"{_PROPERTIES}, schemaVersion",
)
def _version(manifest: Manifest) -> Iterator[Broken]:
    yield from wrong_version(manifest.value)


@rule(
    "V51",
    Severity.INFO,  # a SHOULD since version 1.1; what was written before cannot know it, and every tool reads it
    "A manifest does not say its own media type",
    "mediaType should be there, so that a manifest cannot be taken for an index. Older tools leave it out.",
    f"{_PROPERTIES}, mediaType",
)
def _no_type(manifest: Manifest) -> Iterator[Broken]:
    if "mediaType" not in manifest.value:
        yield Broken("mediaType", "The manifest does not say that it is one.", OCI_MANIFEST)


@rule(
    "V52",
    Severity.ERROR,
    "A manifest says that it is something else",
    "Where a manifest says its mediaType, it is that of a manifest.",
    f"{_PROPERTIES}, mediaType",
)
def _type(manifest: Manifest) -> Iterator[Broken]:
    found = manifest.value.get("mediaType", OCI_MANIFEST)
    if not isinstance(found, str) or found not in MANIFEST_TYPES:
        what = clip(found) if isinstance(found, str) else in_words(found)
        yield Broken("mediaType", f"The manifest calls itself {what}.", OCI_MANIFEST, what)


@rule(
    "V53",
    Severity.ERROR,
    "An artifact does not say what it is",
    "Where the config is the empty JSON object, artifactType must say what the manifest is.",
    f"{_PROPERTIES}, artifactType",
)
def _what_artifact(manifest: Manifest) -> Iterator[Broken]:
    if _config_type(manifest) == OCI_EMPTY and not manifest.value.get("artifactType"):
        found = in_words(manifest.value.get("artifactType"))
        yield Broken("artifactType", "The config is empty, and no artifactType is there.", "a media type", found)


@rule(
    "V54",
    Severity.ERROR,
    "A manifest's artifact type has the wrong form",
    "artifactType is a media type: type/subtype.",
    f"{_PROPERTIES}, artifactType; RFC 6838, section 4.2",
)
def _artifact_type(manifest: Manifest) -> Iterator[Broken]:
    yield from descriptor.wrong_type(manifest.value, "artifactType")


@rule(
    "V61",
    Severity.WARNING,  # the schema forbids it, the prose does not
    "A manifest has no layers",
    "A manifest should have a layer at least; some registries refuse one without. For an artifact without content that "
    "is the empty JSON object.",
    f"{_PROPERTIES}, layers",
)
def _layers(manifest: Manifest) -> Iterator[Broken]:
    if manifest.value.get("layers") == []:
        yield Broken("layers", "The list of layers is empty.", "one layer or more", "none")


@rule(
    "V60",
    Severity.ERROR,
    "A manifest's layers are not an array of descriptors",
    "layers is an array of descriptors. Programs with strict types refuse anything else; some write null for none.",
    f"{_PROPERTIES}, layers",
)
def _list(manifest: Manifest) -> Iterator[Broken]:
    found = manifest.value.get("layers")
    if not isinstance(found, list):
        yield Broken("layers", f"The layers are {in_words(found)}.", "an array", in_words(found))


@rule(
    "X23",
    Severity.ERROR,
    "An artifact manifest is incomplete",
    "An artifact manifest says its mediaType and artifactType, and blobs is an array where it is there. The format was "
    "given up; current tools write image manifests with an artifactType instead.",
    "image-spec artifact.md of 1.1.0-rc2, Artifact Manifest Property Descriptions",
)
def _artifact(artifact: Artifact) -> Iterator[Broken]:
    if artifact.value.get("mediaType") != OCI_ARTIFACT:
        found = clip(in_words(artifact.value.get("mediaType")))
        yield Broken("mediaType", f"The media type is {found}.", OCI_ARTIFACT, found)
    if not isinstance(artifact.value.get("artifactType"), str):
        found = in_words(artifact.value.get("artifactType"))
        yield Broken("artifactType", f"The artifact type is {found}.", "a media type", found)
    yield from descriptor.wrong_type(artifact.value, "artifactType")
    blobs = artifact.value.get("blobs")
    if blobs is not None and not isinstance(blobs, list):
        yield Broken("blobs", f"The blobs are {in_words(blobs)}.", "an array", in_words(blobs))


@rule(
    "V68",
    Severity.INFO,
    "Something that is no image has an image's config",
    "None of the layers is a file system, so this should not have the config of an image: tools will try to run it.",
    "image-spec manifest.md, Guidelines for Artifact Usage",
)
def _not_an_image(manifest: Manifest) -> Iterator[Broken]:
    layers = manifest.value.get("layers")
    if _config_type(manifest) not in CONFIG_TYPES or not isinstance(layers, list) or not layers:
        return
    types = [str(layer.get("mediaType")) for layer in layers if isinstance(layer, dict)]
    words = (*_LAYER_WORDS, *_EVIDENCE)
    if types and not any(word in media_type for media_type in types for word in words):
        yield Broken("layers", "No layer is one of an image.", f"{_LAYER_WORDS[0]}…", clip(types[0]))


def _config_type(manifest: Manifest) -> str:
    config = manifest.value.get("config")
    media_type = config.get("mediaType") if isinstance(config, dict) else None
    return media_type if isinstance(media_type, str) else ""
