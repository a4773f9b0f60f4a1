"""Documents: each is read as what it is, and told where its descriptor says something else."""

import json

import pytest

from engine.findings import Severity
from engine.rules.documents import look
from tests.layouts import CONFIG, INDEX, LAYER, MANIFEST, Json, sha256

BLOB: Json = {"mediaType": LAYER, "digest": sha256(b""), "size": 0}
INDEX_TEXT: Json = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
MANIFEST_TEXT: Json = {
    "schemaVersion": 2,
    "mediaType": MANIFEST,
    "config": {**BLOB, "mediaType": CONFIG},
    "layers": [BLOB],
}
ARTIFACT: Json = {
    "mediaType": "application/vnd.oci.artifact.manifest.v1+json",
    "artifactType": "application/spdx",
    "blobs": [],
}


def told(value: Json, media_type: str) -> list[tuple[str, str, Severity]]:
    return [(found.rule, found.where, found.severity) for found in look(json.dumps(value).encode(), media_type, "p")]


@pytest.mark.parametrize("value", [INDEX_TEXT, MANIFEST_TEXT, ARTIFACT])
def test_a_document_that_is_what_it_says_gives_no_findings(value: Json):
    assert told(value, value["mediaType"]) == []


@pytest.mark.parametrize(
    ("value", "media_type"), [(INDEX_TEXT, MANIFEST), (MANIFEST_TEXT, INDEX), (ARTIFACT, MANIFEST), (ARTIFACT, INDEX)]
)
def test_a_document_of_another_kind_than_its_descriptor_says_is_an_error(value: Json, media_type: str):
    assert told(value, media_type) == [("V167", "", Severity.ERROR)]


def test_a_document_of_another_type_of_the_same_kind_is_a_warning():
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    assert told(MANIFEST_TEXT, docker) == [("V167", "mediaType", Severity.WARNING)]


@pytest.mark.parametrize("media_type", [INDEX, MANIFEST, CONFIG])
def test_what_is_no_json_object_is_told_once(media_type: str):
    assert [found.rule for found in look(b"{", media_type, "p")] == ["X21"]


def test_an_image_whose_lists_were_mixed_is_told_however_it_is_called():
    both = {**INDEX_TEXT, **MANIFEST_TEXT, "mediaType": INDEX}
    assert "X3" in {rule for rule, _, _ in told(both, INDEX)}
    assert "X3" in {rule for rule, _, _ in told({**both, "mediaType": MANIFEST}, MANIFEST)}
