"""Rules between documents: what a descriptor, its target and the target's config say of the same thing."""

from collections import defaultdict
from collections.abc import Iterator

from engine.digest import clip, shorten
from engine.document import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    ImageConfig,
    Manifest,
    Platform,
    Role,
)
from engine.findings import Severity
from engine.indexfile import NAME as INDEX_NAME
from engine.rules.picture import Picture, descriptors, path_of
from engine.rules.registry import Broken, counted, rule
from engine.snapshot import Kind

_DEFAULT_VARIANTS = {"arm64": "v8", "arm": "v7", "amd64": "v1"}
_DOCKERS_NAMES = {
    "application/vnd.docker.distribution.manifest.list.v2+json": "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json": "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}
"""image-spec media-types.md, Compatibility Matrix."""


def _listed(picture: Picture) -> Iterator[tuple[str, int, Descriptor, Manifest]]:
    """Every entry of an index whose target is a manifest that was read."""
    documents = picture.snapshot.documents
    for place, role, position, descriptor in descriptors(picture):
        read = documents.get(descriptor.digest) if role == Role.MANIFEST else None
        if read is not None and isinstance(read.document, Manifest):
            yield place, position, descriptor, read.document


@rule(
    "V40",
    Severity.INFO,
    "An entry gives an artifact another type than the artifact itself",
    "Where a descriptor says an artifactType, it is the one of the manifest, or else the media type of its config. "
    "Who looks for artifacts of a type may miss this one.",
    "image-spec descriptor.md, Properties, artifactType; distribution-spec, Listing Referrers",
)
def _artifact_types(picture: Picture) -> Iterator[Broken]:
    for place, position, descriptor, manifest in _listed(picture):
        own = manifest.type_of_artifact
        if descriptor.artifact_type and own and descriptor.artifact_type != own:
            where, found = f"{path_of(Role.MANIFEST, position)}.artifactType", clip(descriptor.artifact_type)
            yield Broken(where, f"{shorten(descriptor.digest)} is of the type {clip(own)}.", clip(own), found, place)


@rule(
    "V78",
    Severity.WARNING,
    "An index does not say for which platform an image is",
    "platform should be there where an image runs on one platform only: tools choose by it, and may take the wrong "
    "image without.",
    "image-spec image-index.md, Image Index Property Descriptions, platform; descriptor.md",
)
def _no_platform(picture: Picture) -> Iterator[Broken]:
    for place, position, descriptor, manifest in _listed(picture):
        if place == INDEX_NAME or descriptor.platform is not None or descriptor.artifact_type or not manifest.is_image:
            continue  # the entries of index.json are chosen by their names
        row = picture.snapshot.find(descriptor.digest)
        if picture.snapshot.kind(row) == Kind.IMAGE and manifest.subject is None:
            where = f"{path_of(Role.MANIFEST, position)}.platform"
            yield Broken(where, f"{shorten(descriptor.digest)} has no platform here.", "a platform", "nothing", place)


@rule(
    "V138",
    Severity.INFO,
    "An index and an image name different platforms",
    "The platform in an index should be the one in the image's config: tools choose by the first, and some refuse to "
    "run what has another one inside.",
    "image-spec image-index.md, platform; config.md, architecture, os and variant",
)
def _platforms(picture: Picture) -> Iterator[Broken]:
    for place, position, descriptor, manifest in _listed(picture):
        config = _config_of(picture, manifest)
        if descriptor.platform is None or config is None or not manifest.is_image:
            continue
        said, real = descriptor.platform, config.platform
        if {said.os, said.architecture, real.os, real.architecture} & {"", "unknown"}:
            continue  # content that is for no machine
        versions = {said.os_version, real.os_version} - {""}
        if _machine(said) != _machine(real) or len(versions) > 1:
            where = f"{path_of(Role.MANIFEST, position)}.platform"
            found, expected = (clip(f"{each.text} {each.os_version}".strip(), 60) for each in (said, real))
            yield Broken(where, f"{shorten(descriptor.digest)} is for {expected}.", expected, found, place)


def _machine(platform: Platform) -> tuple[str, str, str]:
    """System, processor and variant, the usual variant where none is said."""
    return platform.os, platform.architecture, platform.variant or _DEFAULT_VARIANTS.get(platform.architecture, "")


def _config_of(picture: Picture, manifest: Manifest) -> ImageConfig | None:
    read = picture.snapshot.documents.get(manifest.config.digest) if manifest.config is not None else None
    return read.document if read is not None and isinstance(read.document, ImageConfig) else None


@rule(
    "V127",
    Severity.ERROR,
    "An image's layers are not those of its config",
    "The config lists the digest of each unpacked layer, in the order of the layers. Tools refuse to unpack an image "
    "where they differ.",
    "image-spec config.md, Properties, rootfs; manifest.md, layers",
)
def _layers(picture: Picture) -> Iterator[Broken]:
    for digest, read in picture.snapshot.documents.items():
        manifest = read.document
        if not isinstance(manifest, Manifest) or (config := _config_of(picture, manifest)) is None:
            continue
        layers, diff_ids = manifest.layers, config.diff_ids
        if len(layers) != len(diff_ids):
            expected, actual = counted(len(diff_ids), "layer"), counted(len(layers), "layer")
            yield Broken("layers", f"The manifest has {actual}, its config {expected}.", expected, actual, digest)
            continue
        for n, (layer, diff_id) in enumerate(zip(layers, diff_ids, strict=True)):
            found = picture.diff_ids.get(layer.digest, "")
            if found and found.partition(":")[0] == diff_id.partition(":")[0] and found != diff_id:
                sentence = f"Unpacked, {shorten(layer.digest)} is another layer than the config says."
                yield Broken(f"layers[{n}]", sentence, shorten(diff_id), shorten(found), digest)


@rule(
    "X8",
    Severity.WARNING,
    "One digest is described in two ways",
    "Two descriptors of the same content give it different sizes or media types; one of them must be wrong, and some "
    "tools then copy the wrong thing.",
    "oras-project/oras-go issue 1093; image-spec descriptor.md, Properties",
)
def _descriptions(picture: Picture) -> Iterator[Broken]:
    # In many small ones: one of a million keys keeps the interpreter for 50 milliseconds when it grows, and when it goes.
    first: defaultdict[str, dict[str, tuple[str, Role, int, Descriptor]]] = defaultdict(dict)
    for each in descriptors(picture):
        place, role, position, descriptor = each
        if not descriptor.digest:
            continue
        other = first[descriptor.digest[-3:]].setdefault(descriptor.digest, each)[3]
        if other is descriptor:
            continue
        where = path_of(role, position)
        sizes = {descriptor.size, other.size} - {-1}
        if len(sizes) > 1:
            sentence = f"{shorten(descriptor.digest)} has another size elsewhere."
            yield Broken(f"{where}.size", sentence, f"{other.size:,} bytes", f"{descriptor.size:,} bytes", place)
        if descriptor.media_type != other.media_type:
            yield from _other_type(descriptor, other, place, where)
    while first:
        first.popitem()


def _other_type(descriptor: Descriptor, other: Descriptor, place: str, where: str) -> Iterator[Broken]:
    one, two = (_DOCKERS_NAMES.get(each.media_type, each.media_type) for each in (descriptor, other))
    if one == two or not one or not two:  # Docker's name for the same
        return
    documents = INDEX_TYPES | MANIFEST_TYPES | CONFIG_TYPES
    severity = None if descriptor.media_type in documents and other.media_type in documents else Severity.INFO
    sentence = f"{shorten(descriptor.digest)} is called {clip(other.media_type)} elsewhere."
    expected, found = clip(other.media_type), clip(descriptor.media_type)
    yield Broken(f"{where}.mediaType", sentence, expected, found, place, severity)
