"""What things are and belong to, where that is convention rather than specification.

Sources: image-spec ``manifest.md`` (guidelines for artifact usage); BuildKit's attestation storage and cache export; cosign's signature
specification (tags ``sha256-<hex>.sig``, ``.att``, ``.sbom``); the distribution specification's referrers tag.
"""

import re
from collections.abc import Iterable, Iterator

from engine.document import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_ARTIFACT,
    Descriptor,
    Document,
    ImageConfig,
    Index,
    Manifest,
    Role,
)
from engine.snapshot import Kind

_REFERENCE_TYPE = "vnd.docker.reference.type"
_REFERENCE_DIGEST = "vnd.docker.reference.digest"
_TAG = re.compile(r"(sha256|sha512)-([0-9a-f]{64,128})(?:\.(?:sig|att|sbom))?")
_LAYER = re.compile(r"application/vnd\.oci\.image\.layer\..+|application/vnd\.docker\.image\.rootfs\..*diff\.tar.*")
_CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
_FOREIGN = re.compile(r".*(?:nondistributable|\.foreign\.).*")
_WORDS = (
    (Kind.SIGNATURE, ("cosign.simplesigning", "cosign.artifact.sig", "notary.signature", "sigstore.bundle")),
    (Kind.SBOM, ("spdx", "cyclonedx", "syft", "cosign.artifact.sbom")),
    (Kind.ATTESTATION, ("in-toto", "dsse.envelope", "cosign.artifact.att", "slsa")),
)
_MAGIC = (
    (b"\x1f\x8b", "application/gzip"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x89PNG", "image/png"),
    (b"%PDF", "application/pdf"),
)


def kind_of(role: Role, descriptor: Descriptor, document: Document | None) -> Kind:
    """What a blob is, from the first reference to it and from its own content where that was read."""
    if descriptor.annotations.get(_REFERENCE_TYPE) == "attestation-manifest":
        return Kind.ATTESTATION
    if isinstance(document, Index) or descriptor.media_type in INDEX_TYPES:
        return Kind.INDEX
    if isinstance(document, Manifest):
        return _kind_of_manifest(document)
    if isinstance(document, ImageConfig) or descriptor.media_type in CONFIG_TYPES:
        return Kind.CONFIG
    if descriptor.media_type in MANIFEST_TYPES:
        return Kind.ARTIFACT if descriptor.artifact_type or descriptor.media_type == OCI_ARTIFACT else Kind.IMAGE
    if role in (Role.LAYER, Role.MANIFEST) and _LAYER.fullmatch(descriptor.media_type):
        return Kind.LAYER  # the index of a BuildKit cache lists layers
    if descriptor.media_type == _CACHE_CONFIG:
        return Kind.CONFIG
    if role in (Role.LAYER, Role.CONFIG):
        return _kind_by_words(descriptor.media_type) or Kind.DATA
    return Kind.UNKNOWN


def is_external(descriptor: Descriptor) -> bool:
    """Whether the content may legally be somewhere else (foreign layers, descriptors with URLs)."""
    return bool(descriptor.urls) or _FOREIGN.fullmatch(descriptor.media_type) is not None


def attached_to(descriptor: Descriptor) -> str:
    """The digest that an index entry says its content belongs to, by annotation or by tag; empty for none."""
    subject = descriptor.annotations.get(_REFERENCE_DIGEST, "")
    if subject:
        return subject
    tag = _TAG.fullmatch(descriptor.name or "")
    return f"{tag[1]}:{tag[2]}" if tag else ""


def guess_by_magic(head: bytes) -> str:
    """The media type of content that nothing describes, from its first bytes; empty where they say nothing."""
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[257:262] == b"ustar":
        return "application/x-tar"
    return "application/json" if head.lstrip()[:1] in (b"{", b"[") else ""


def _kind_of_manifest(manifest: Manifest) -> Kind:
    types: Iterable[str] = (manifest.type_of_artifact, *(layer.media_type for layer in manifest.layers[:8]))
    if manifest.is_image and not any(
        layer.media_type.startswith("application/vnd.in-toto") for layer in manifest.layers
    ):
        found = next(_kinds_by_words(types), None)
        return found if found == Kind.SIGNATURE else Kind.IMAGE
    return next(_kinds_by_words(types), Kind.ARTIFACT)


def _kinds_by_words(media_types: Iterable[str]) -> Iterator[Kind]:
    for media_type in media_types:
        if kind := _kind_by_words(media_type):
            yield kind


def _kind_by_words(media_type: str) -> Kind | None:
    return next((kind for kind, words in _WORDS if any(word in media_type for word in words)), None)
