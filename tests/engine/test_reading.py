"""Documents out of JSON: damage is named with its place, and the rest stays readable."""

import base64
import json
from typing import Any

import pytest

from engine.document import (
    DOCKER_CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    ENTRIES_LIMIT,
    OCI_ARTIFACT,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
)
from engine.errors import DocumentError
from engine.reading import MOST_PROBLEMS, IndexWalk, guess_media_type, read_descriptor, read_document
from tests.layouts import sha256

GOOD = {"mediaType": OCI_MANIFEST, "digest": sha256(b"x"), "size": 1}


def descriptor(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "where", "says"),
    [
        ({"size": 1e2}, "m.size", "100.0"),  # T20
        ({"size": "100"}, "m.size", "'100'"),
        ({"size": -1}, "m.size", "-1"),
        ({"size": 10**30}, "m.size", "1000000"),
        ({"size": True}, "m.size", "true"),
        ({"size": ...}, "m.size", "missing"),
        ({"digest": ...}, "m.digest", "missing"),
        ({"digest": "abc"}, "m.digest", "'abc'"),  # T34
        ({"digest": "sha256:"}, "m.digest", "not a digest"),
        ({"digest": "sha256:../../etc/passwd"}, "m.digest", "not a digest"),
        ({"digest": sha256(b"x").upper()}, "m.digest", "not a digest"),
        ({"digest": sha256(b"x")[:-1]}, "m.digest", "not a sha256 digest"),
        ({"mediaType": ...}, "m.mediaType", "missing"),  # T54
        ({"mediaType": "text"}, "m.mediaType", "'text'"),  # T24
        ({"mediaType": "a/" + "b" * 128}, "m.mediaType", "type/subtype"),
        ({"annotations": {"a": None}}, "m.annotations.a", "missing or null"),  # T23
        ({"annotations": {"a": 7}}, "m.annotations.a", "7"),
        ({"annotations": None}, "m.annotations", "missing or null"),
        ({"platform": "linux"}, "m.platform", "'linux'"),
    ],
)
def test_a_damaged_field_is_a_problem_with_its_place(changes: dict[str, Any], where: str, says: str) -> None:
    found, problems = read_descriptor(descriptor(**changes), "m")
    assert [problem.where for problem in problems] == [where]
    assert says in problems[0].sentence
    # The entry can still be shown.
    assert isinstance(found, Descriptor)


def test_a_media_type_of_the_longest_kind_is_fine() -> None:  # T24
    assert read_descriptor(descriptor(mediaType="a/" + "b" * 127), "m")[1] == []


def test_unknown_fields_and_algorithms_are_no_problem() -> None:  # T22, T33
    found, problems = read_descriptor(descriptor(digest="sha666:abc", extra={"a": [1]}), "m")
    assert (found.digest, problems) == ("sha666:abc", [])


def test_embedded_data_counts_only_when_it_is_what_the_descriptor_says() -> None:  # T47
    text = base64.b64encode(b"x").decode()
    assert read_descriptor(descriptor(data=text), "m")[0].embedded() == b"x"
    for changes in ({"data": "eXk="}, {"data": text, "size": 2}, {"data": "%"}, {"data": text, "digest": sha256(b"y")}):
        with pytest.raises(DocumentError):
            read_descriptor(descriptor(**changes), "m")[0].embedded()


def test_a_document_that_is_index_and_manifest_at_once_is_never_acted_on() -> None:  # T50
    raw = json.dumps({"schemaVersion": 2, "manifests": [], "layers": []}).encode()
    for media_type in (OCI_INDEX, OCI_MANIFEST):
        with pytest.raises(DocumentError, match="index and of a manifest"):
            read_document(raw, media_type)


def test_a_document_that_contradicts_its_descriptor_is_named() -> None:  # T51
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "config": GOOD, "layers": []}).encode()
    _, problems = read_document(raw, OCI_MANIFEST)
    assert [(problem.severity, problem.where) for problem in problems] == [("error", "mediaType")]


def test_of_a_document_full_of_errors_only_some_are_listed() -> None:
    raw = b'{"schemaVersion":2,"config":{},"layers":[' + b"0," * 200_000 + b"0]}"
    document, problems = read_document(raw, OCI_MANIFEST)
    assert isinstance(document, Manifest)
    assert len(document.layers) == 200_001
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1].sentence == "More is wrong than is listed here."


@pytest.mark.parametrize(
    ("media_type", "key"),
    [(OCI_MANIFEST, "manifests"), (OCI_INDEX, "layers"), (OCI_MANIFEST, "blobs"), (OCI_ARTIFACT, "layers")],
)
def test_a_document_of_another_kind_than_its_descriptor_says_is_damaged(media_type: str, key: str) -> None:  # T51
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, key: [GOOD]}).encode()
    with pytest.raises(DocumentError, match="descriptor says something else"):
        read_document(raw, media_type)


def test_a_manifest_without_its_own_media_type_is_only_remarked_on() -> None:  # T54
    raw = json.dumps({"schemaVersion": 2, "config": GOOD, "layers": []}).encode()
    document, problems = read_document(raw, OCI_MANIFEST)
    assert isinstance(document, Manifest)
    assert [problem.severity for problem in problems] == ["info"]


def test_an_artifact_without_config_needs_a_type() -> None:  # T55
    value = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {**GOOD, "mediaType": OCI_EMPTY}, "layers": []}
    assert [p.where for p in read_document(json.dumps(value).encode(), OCI_MANIFEST)[1]] == ["artifactType"]
    value["artifactType"] = "application/x"
    assert read_document(json.dumps(value).encode(), OCI_MANIFEST)[1] == []


def test_docker_documents_are_the_same_documents() -> None:  # T57
    raw = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [GOOD]}).encode()
    assert isinstance(read_document(raw, DOCKER_LIST)[0], Index)
    raw = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": GOOD, "layers": [GOOD]}).encode()
    assert isinstance(read_document(raw, DOCKER_MANIFEST)[0], Manifest)
    assert isinstance(read_document(b'{"config":{"Labels":null}}', DOCKER_CONFIG)[0], ImageConfig)


def test_the_old_artifact_manifest_lists_its_blobs() -> None:
    document, problems = read_document(json.dumps({"artifactType": "a/b", "blobs": [GOOD]}).encode(), OCI_ARTIFACT)
    assert isinstance(document, Manifest)
    assert [layer.digest for layer in document.layers] == [GOOD["digest"]]
    assert problems == []


def test_unknown_media_types_are_never_parsed() -> None:  # T56, T58
    assert read_document(b"\xff not json", "application/xml") == (None, [])


def test_a_config_with_wrong_types_keeps_what_can_be_read() -> None:
    config = {
        "Entrypoint": "sh",
        "Cmd": ["a", 1],
        "Env": None,
        "Labels": {"a": "b", "c": 3},
        "ExposedPorts": {"80/tcp": {}},
    }
    document, problems = read_document(
        json.dumps({"os": "linux", "config": config, "history": {}}).encode(), OCI_CONFIG
    )
    assert isinstance(document, ImageConfig)
    assert (document.cmd, document.labels, document.exposed_ports) == (("a",), {"a": "b"}, ("80/tcp",))
    assert {p.where for p in problems} == {"config.Entrypoint", "config.Cmd", "config.Labels.c", "history"}


def test_what_a_document_is_can_be_told_without_a_descriptor() -> None:
    assert guess_media_type(b'{"manifests":[]}') == OCI_INDEX
    assert guess_media_type(b'{"config":{},"layers":[]}') == OCI_MANIFEST
    assert guess_media_type(json.dumps({"mediaType": DOCKER_MANIFEST}).encode()) == DOCKER_MANIFEST
    assert guess_media_type(b'{"architecture":"a","rootfs":{}}') == OCI_CONFIG
    for raw in (b"{}", b"[]", b"\x1f\x8b", b'{"config":{},"layers":[],"manifests":[]}'):
        assert guess_media_type(raw) == ""


class TestIndexWalk:
    """index.json, entry by entry."""

    def test_entries_come_with_their_places(self) -> None:
        text = json.dumps({"a": 1, "schemaVersion": 2, "manifests": [GOOD, GOOD], "z": []}, indent=2)
        walk = IndexWalk(text.encode())
        assert [json.loads(text[start:end]) for _, start, end in walk.entries()] == [GOOD, GOOD]
        assert set(walk.fields) == {"a", "schemaVersion", "z"}
        assert walk.manifests is not None
        assert json.loads(text[slice(*walk.manifests)]) == [GOOD, GOOD]
        assert walk.problems == []

    def test_the_first_entries_are_there_although_the_end_is_damaged(self) -> None:
        walk = IndexWalk(json.dumps({"manifests": [GOOD]}).encode() + b"garbage")
        entries = walk.entries()
        assert next(entries)[0] == GOOD
        with pytest.raises(DocumentError, match="follows"):
            list(entries)

    def test_null_instead_of_a_list_is_an_empty_index_with_a_problem(self) -> None:  # T12
        walk = IndexWalk(b'{"schemaVersion":2,"manifests":null}')
        assert list(walk.entries()) == []
        assert [problem.where for problem in walk.problems] == ["manifests"]

    @pytest.mark.parametrize("raw", [b"[]", b"7", b'{"manifests":7}', b'{"manifests":[1,2}', b'{"a":1,"a":1}'])
    def test_what_is_no_index_is_refused(self, raw: bytes) -> None:
        with pytest.raises(DocumentError):
            list(IndexWalk(raw).entries())

    def test_an_index_of_more_entries_than_the_limit_is_read_up_to_it_and_refused(self) -> None:
        walk = IndexWalk(b'{"schemaVersion":2,"manifests":[' + b"{}," * ENTRIES_LIMIT + b"{}]}")
        seen: list[int] = []
        with pytest.raises(DocumentError, match="too many entries"):
            seen.extend(start for _, start, _ in walk.entries())
        assert len(seen) == ENTRIES_LIMIT
