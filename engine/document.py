"""Documents of the image specification as typed, frozen values.

``reading.py`` makes them out of JSON. Docker's media types stand beside the specification's: they name the same
documents.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from enum import IntEnum

import msgspec

from engine.digest import Digest, digest_of
from engine.errors import DocumentError

INDEX_LIMIT = 32 << 20
"""Bytes of the largest ``index.json`` that is read."""
ENTRIES_LIMIT = 200_000
"""Entries of the longest ``index.json`` that is read."""
MANIFEST_LIMIT = 8 << 20
"""Bytes of the largest manifest or nested index that is read."""
CONFIG_LIMIT = 16 << 20
"""Bytes of the largest image config that is read."""

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST, OCI_ARTIFACT})
CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})

MARKER_NAME = "oci-layout"
LAYOUT_VERSION = "1.0.0"
"""The only version of a layout that there is."""

REF_NAME = "org.opencontainers.image.ref.name"
TITLE = "org.opencontainers.image.title"

NO_TEXTS: Mapping[str, str] = {}


class Platform(msgspec.Struct, frozen=True):
    """Which operating system and processor an image is for (image-spec ``image-index.md``)."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""

    @property
    def text(self) -> str:
        """``linux/arm64/v8``, as people write it."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Role(IntEnum):
    """What one blob is to another."""

    MANIFEST = 0  # an index lists it
    CONFIG = 1
    LAYER = 2
    SUBJECT = 3  # the referrer's document names it as its subject
    ATTACHED = 4  # an annotation or a tag says that it belongs to the other
    PARENT = 5  # Docker's store: the image that this one was built on


class Descriptor(msgspec.Struct, frozen=True, gc=False):
    """A reference to content (image-spec ``descriptor.md``).

    ``digest`` is empty and ``size`` -1 where the document holds nothing usable there.
    """

    media_type: str = ""
    digest: str = ""
    size: int = -1
    annotations: Mapping[str, str] = NO_TEXTS
    platform: Platform | None = None
    artifact_type: str = ""
    urls: tuple[str, ...] = ()
    data: str | None = None

    @property
    def name(self) -> str | None:
        """The reference name, None where the entry has none; an empty name is a name."""
        return self.annotations.get(REF_NAME)

    def embedded(self) -> bytes | None:
        """The content that the descriptor carries itself, None where it carries none.

        Raises ``DocumentError`` unless it is base64 and agrees with the descriptor's digest and size.
        """
        if self.data is None:
            return None
        try:
            content = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise DocumentError(
                "The embedded data is not base64.", place=self.digest, expected="RFC 4648 base64"
            ) from None
        digest = Digest(self.digest)
        if len(content) != self.size or (digest.checkable and digest_of(content, digest.algorithm) != digest):
            raise DocumentError(
                "The embedded data is not what its descriptor says.",
                place=self.digest,
                expected=f"{self.size:,} bytes of {digest.short}",
                found=f"{len(content):,} bytes of {digest_of(content).short}",
            )
        return content


class Manifest(msgspec.Struct, frozen=True):
    """An image manifest or an artifact (image-spec ``manifest.md``; Docker's schema 2; the old artifact manifest)."""

    media_type: str
    artifact_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: Mapping[str, str]

    def links(self) -> Iterator[tuple[Role, int, Descriptor]]:
        """Everything that it refers to: role, position among its own, descriptor."""
        if self.config is not None:
            yield Role.CONFIG, 0, self.config
        for position, layer in enumerate(self.layers):
            yield Role.LAYER, position, layer
        if self.subject is not None:
            yield Role.SUBJECT, 0, self.subject

    def descriptor(self, role: Role, position: int) -> Descriptor | None:
        """The descriptor that ``links`` yields for that role and position."""
        if role == Role.LAYER:
            return self.layers[position]
        return {Role.CONFIG: self.config, Role.SUBJECT: self.subject}.get(role)

    @property
    def is_image(self) -> bool:
        """Whether it describes a file system to run, rather than an artifact."""
        return not self.artifact_type and self.config is not None and self.config.media_type in CONFIG_TYPES

    @property
    def type_of_artifact(self) -> str:
        """The artifact's type: its own field, else its config's media type (image-spec, guidelines for artifacts)."""
        return self.artifact_type or (self.config.media_type if self.config else "")


class Index(msgspec.Struct, frozen=True):
    """An index nested in a layout (image-spec ``image-index.md``; Docker's manifest list)."""

    media_type: str
    artifact_type: str
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: Mapping[str, str]

    def links(self) -> Iterator[tuple[Role, int, Descriptor]]:
        """Everything that it refers to: role, position among its own, descriptor."""
        for position, descriptor in enumerate(self.manifests):
            yield Role.MANIFEST, position, descriptor
        if self.subject is not None:
            yield Role.SUBJECT, 0, self.subject

    def descriptor(self, role: Role, position: int) -> Descriptor | None:
        """The descriptor that ``links`` yields for that role and position."""
        if role == Role.MANIFEST:
            return self.manifests[position]
        return self.subject if role == Role.SUBJECT else None


class History(msgspec.Struct, frozen=True):
    """One step of an image's history (image-spec ``config.md``)."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True):
    """What an image runs and how it was built (image-spec ``config.md``; Docker's image JSON)."""

    platform: Platform
    created: str = ""
    author: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = NO_TEXTS
    user: str = ""
    working_dir: str = ""
    stop_signal: str = ""
    diff_ids: tuple[str, ...] = ()
    history: tuple[History, ...] = ()


Document = Manifest | Index | ImageConfig
