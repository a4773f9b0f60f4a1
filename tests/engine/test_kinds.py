"""What things are called and what they belong to, by the conventions of the tools that write them."""

import pytest

from engine.document import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, REF_NAME, Descriptor, Manifest, Role
from engine.kinds import attached_to, guess_by_magic, is_external, kind_of
from engine.snapshot import Kind
from tests.layouts import CONFIG, sha256

DIGEST = sha256(b"x")


def manifest(artifact_type: str = "", config: str = CONFIG, layers: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        OCI_MANIFEST,
        artifact_type,
        Descriptor(config, DIGEST, 1),
        tuple(Descriptor(t, DIGEST, 1) for t in layers),
        None,
        {},
    )


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (manifest(), Kind.IMAGE),
        (manifest(layers=("application/vnd.oci.image.layer.v1.tar+gzip",)), Kind.IMAGE),
        (manifest("application/spdx+json"), Kind.SBOM),
        (manifest("application/vnd.cncf.notary.signature"), Kind.SIGNATURE),
        (manifest(layers=("application/vnd.dev.cosign.simplesigning.v1+json",)), Kind.SIGNATURE),
        (manifest(layers=("application/vnd.in-toto+json",)), Kind.ATTESTATION),
        (manifest("application/vnd.example.thing"), Kind.ARTIFACT),
        (manifest(config="application/vnd.cncf.helm.config.v1+json"), Kind.ARTIFACT),
    ],
)
def test_a_manifest_is_called_what_its_content_is(document: Manifest, kind: Kind) -> None:
    assert kind_of(Role.MANIFEST, Descriptor(OCI_MANIFEST, DIGEST, 1), document) == kind


@pytest.mark.parametrize(
    ("role", "media_type", "kind"),
    [
        (Role.MANIFEST, OCI_INDEX, Kind.INDEX),
        (Role.MANIFEST, DOCKER_MANIFEST, Kind.IMAGE),
        (Role.CONFIG, CONFIG, Kind.CONFIG),
        (Role.CONFIG, "application/vnd.cncf.helm.config.v1+json", Kind.DATA),
        (Role.LAYER, "application/vnd.oci.image.layer.v1.tar+zstd", Kind.LAYER),
        (Role.LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip", Kind.LAYER),
        (Role.LAYER, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Kind.LAYER),
        (Role.LAYER, "text/plain", Kind.DATA),
        (Role.LAYER, "application/spdx+json", Kind.SBOM),
        (Role.MANIFEST, "application/xml", Kind.UNKNOWN),
    ],
)
def test_an_unread_blob_is_called_what_its_descriptor_says(role: Role, media_type: str, kind: Kind) -> None:
    assert kind_of(role, Descriptor(media_type, DIGEST, 1), None) == kind


@pytest.mark.parametrize("suffix", ["", ".sig", ".att", ".sbom"])
def test_tags_that_name_a_digest_belong_to_it(suffix: str) -> None:
    entry = Descriptor(OCI_MANIFEST, DIGEST, 1, {REF_NAME: DIGEST.replace(":", "-") + suffix})
    assert attached_to(entry) == DIGEST


@pytest.mark.parametrize("name", ["", "latest", "sha256-abc", DIGEST, DIGEST.replace(":", "-") + ".sig\n"])
def test_other_names_belong_to_nothing(name: str) -> None:
    assert attached_to(Descriptor(OCI_MANIFEST, DIGEST, 1, {REF_NAME: name})) == ""


def test_foreign_layers_may_be_elsewhere() -> None:
    assert is_external(Descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", DIGEST, 1))
    assert is_external(Descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", DIGEST, 1))
    assert is_external(Descriptor("text/plain", DIGEST, 1, urls=("https://example.org/x",)))
    assert not is_external(Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", DIGEST, 1))


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"\x28\xb5\x2f\xfd", "application/zstd"),
        (b"\0" * 257 + b"ustar\x0000", "application/x-tar"),
        (b' \n{"a":1}', "application/json"),
        (b"plain", ""),
        (b"", ""),
    ],
)
def test_unreferenced_content_is_told_by_its_first_bytes(head: bytes, media_type: str) -> None:
    assert guess_by_magic(head) == media_type
