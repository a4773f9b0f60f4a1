"""Manifests: what makes programs refuse one is told; artifacts of any type are as welcome as images."""

import pytest

from engine.rules.manifest import look
from tests.layouts import CONFIG, LAYER, MANIFEST, Json, sha256

ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
EMPTY: Json = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}


def blob(media_type: str) -> Json:
    return {"mediaType": media_type, "digest": sha256(media_type.encode()), "size": 9}


SOUND: Json = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(CONFIG), "layers": [blob(LAYER)]}


def told(value: Json, media_type: str = MANIFEST) -> list[tuple[str, str]]:
    return [(found.rule, found.where) for found in look(value, media_type, "p")]


def without(key: str) -> Json:
    return {name: value for name, value in SOUND.items() if name != key}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"mediaType": "application/vnd.docker.distribution.manifest.v2+json"},
        {"config": blob("application/vnd.unknown.config+json"), "layers": [blob("text/plain")]},
        {"config": EMPTY, "artifactType": "application/vnd.unknown", "layers": [EMPTY]},
        {"subject": blob(MANIFEST), "annotations": {}},
        {"layers": [blob(f"{LAYER}+zstd"), blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]},
        {"layers": [blob(LAYER), blob("application/vnd.unknown.layer")]},
        {"layers": [blob("application/vnd.in-toto+json")]},
        {"layers": [blob("application/vnd.dev.cosign.simplesigning.v1+json")]},
        {"com.example.unknown": 1},
    ],
)
def test_sound_images_artifacts_attestations_and_signatures_give_no_findings(more: Json):
    assert told({**SOUND, **more}) == []


@pytest.mark.parametrize(
    ("value", "rule", "where"),
    [
        ({**SOUND, "schemaVersion": 1}, "V50", "schemaVersion"),
        (without("mediaType"), "V51", "mediaType"),
        ({**SOUND, "mediaType": "application/json"}, "V52", "mediaType"),
        ({**SOUND, "mediaType": {}}, "V52", "mediaType"),
        ({**SOUND, "config": EMPTY, "layers": [EMPTY]}, "V53", "artifactType"),
        ({**SOUND, "artifactType": "nothing"}, "V54", "artifactType"),
        (without("config"), "V56", "config"),
        ({**SOUND, "config": None}, "V56", "config"),
        (without("layers"), "V60", "layers"),
        ({**SOUND, "layers": None}, "V60", "layers"),
        ({**SOUND, "layers": [7]}, "V60", "layers[0]"),
        ({**SOUND, "layers": []}, "V61", "layers"),
        ({**SOUND, "subject": []}, "V64", "subject"),
        ({**SOUND, "layers": [blob("application/vnd.unknown")]}, "V68", "layers"),
        ({**SOUND, "layers": [{**blob(LAYER), "digest": None}]}, "V22", "layers[0].digest"),
        ({**SOUND, "annotations": {"a.b": 1}}, "V100", "annotations.a.b"),
        ({**SOUND, "manifests": []}, "X3", "config"),
        ({**SOUND, "Layers": []}, "X4", "Layers"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_told_by_its_rule_and_place(value: Json, rule: str, where: str):
    assert told(value) == [(rule, where)]


def test_old_artifact_manifests_are_read_by_their_own_rules():
    sound: Json = {"mediaType": ARTIFACT, "artifactType": "application/spdx", "blobs": [blob("text/plain")]}
    assert told(sound, ARTIFACT) == []
    assert told({**sound, "blobs": 7}, ARTIFACT) == [("X23", "blobs")]
    assert told({**sound, "blobs": [7]}, ARTIFACT) == [("V60", "blobs[0]")]
    assert told({"blobs": []}, ARTIFACT) == [("X23", "mediaType"), ("X23", "artifactType")]
