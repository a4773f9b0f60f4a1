"""Documents out of JSON: what is damaged in one is empty, and the rest stays readable."""

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
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
)
from engine.errors import DocumentError
from engine.reading import IndexWalk, guess_media_type, read_descriptor, read_document
from tests.layouts import sha256

GOOD = {"mediaType": OCI_MANIFEST, "digest": sha256(b"x"), "size": 1}


def descriptor(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "empty"),
    [
        ({"size": 1e2}, {"size": -1}),  # T20
        ({"size": "100"}, {"size": -1}),
        ({"size": -1}, {"size": -1}),
        ({"size": 10**30}, {"size": -1}),
        ({"size": True}, {"size": -1}),
        ({"size": ...}, {"size": -1}),
        ({"digest": ...}, {"digest": ""}),
        ({"digest": "abc"}, {"digest": ""}),  # T34
        ({"digest": "sha256:../../etc/passwd"}, {"digest": ""}),
        ({"digest": sha256(b"x").upper()}, {"digest": ""}),
        ({"digest": sha256(b"x")[:-1]}, {"digest": ""}),
        ({"mediaType": ...}, {"media_type": ""}),  # T54
        ({"mediaType": 7}, {"media_type": ""}),
        ({"annotations": {"a": None, "b": "c"}}, {"annotations": {"b": "c"}}),  # T23
        ({"annotations": None}, {}),
        ({"platform": "linux"}, {}),
        ({"urls": 7}, {}),
        ({"data": 7}, {}),
    ],
)
def test_a_damaged_field_is_empty_and_the_others_are_read(changes: dict[str, Any], empty: dict[str, Any]) -> None:
    good = {"media_type": OCI_MANIFEST, "digest": sha256(b"x"), "size": 1}
    assert read_descriptor(descriptor(**changes)) == Descriptor(**{**good, **empty})


def test_what_is_no_descriptor_is_an_empty_one() -> None:
    for value in (None, 7, "text", [GOOD]):
        assert read_descriptor(value) == Descriptor()


def test_unknown_fields_and_algorithms_are_no_problem() -> None:  # T22, T33
    assert read_descriptor(descriptor(digest="sha666:abc", extra={"a": [1]})).digest == "sha666:abc"


def test_embedded_data_counts_only_when_it_is_what_the_descriptor_says() -> None:  # T47
    text = base64.b64encode(b"x").decode()
    assert read_descriptor(descriptor(data=text)).embedded() == b"x"
    for changes in ({"data": "eXk="}, {"data": text, "size": 2}, {"data": "%"}, {"data": text, "digest": sha256(b"y")}):
        with pytest.raises(DocumentError):
            read_descriptor(descriptor(**changes)).embedded()


def test_a_document_that_is_index_and_manifest_at_once_is_never_acted_on() -> None:  # T50
    raw = json.dumps({"schemaVersion": 2, "manifests": [], "layers": []}).encode()
    for media_type in (OCI_INDEX, OCI_MANIFEST):
        with pytest.raises(DocumentError, match="index and of a manifest"):
            read_document(raw, media_type)


def test_a_document_that_calls_itself_otherwise_than_its_descriptor_is_read_by_that() -> None:  # T51
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "config": GOOD, "layers": []}).encode()
    assert isinstance(read_document(raw, OCI_MANIFEST), Manifest)


@pytest.mark.parametrize(
    ("media_type", "key"),
    [(OCI_MANIFEST, "manifests"), (OCI_INDEX, "layers"), (OCI_MANIFEST, "blobs"), (OCI_ARTIFACT, "layers")],
)
def test_a_document_of_another_kind_than_its_descriptor_says_is_damaged(media_type: str, key: str) -> None:  # T51
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, key: [GOOD]}).encode()
    with pytest.raises(DocumentError, match="descriptor says something else"):
        read_document(raw, media_type)


def test_docker_documents_are_the_same_documents() -> None:  # T57
    raw = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [GOOD]}).encode()
    assert isinstance(read_document(raw, DOCKER_LIST), Index)
    raw = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": GOOD, "layers": [GOOD]}).encode()
    assert isinstance(read_document(raw, DOCKER_MANIFEST), Manifest)
    assert isinstance(read_document(b'{"config":{"Labels":null}}', DOCKER_CONFIG), ImageConfig)


def test_the_old_artifact_manifest_lists_its_blobs() -> None:
    document = read_document(json.dumps({"artifactType": "a/b", "blobs": [GOOD]}).encode(), OCI_ARTIFACT)
    assert isinstance(document, Manifest)
    assert [layer.digest for layer in document.layers] == [GOOD["digest"]]


def test_unknown_media_types_are_never_parsed() -> None:  # T56, T58
    assert read_document(b"\xff not json", "application/xml") is None


def test_a_config_with_wrong_types_keeps_what_can_be_read() -> None:
    config = {
        "Entrypoint": "sh",
        "Cmd": ["a", 1],
        "Env": None,
        "Labels": {"a": "b", "c": 3},
        "ExposedPorts": {"80/tcp": {}},
    }
    document = read_document(json.dumps({"os": "linux", "config": config, "history": {}}).encode(), OCI_CONFIG)
    assert isinstance(document, ImageConfig)
    assert (document.cmd, document.labels, document.exposed_ports) == (("a",), {"a": "b"}, ("80/tcp",))
    assert (document.entrypoint, document.history) == ((), ())


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

    def test_the_first_entries_are_there_although_the_end_is_damaged(self) -> None:
        walk = IndexWalk(json.dumps({"manifests": [GOOD]}).encode() + b"garbage")
        entries = walk.entries()
        assert next(entries)[0] == GOOD
        with pytest.raises(DocumentError, match="follows"):
            list(entries)

    def test_null_instead_of_a_list_is_an_empty_index(self) -> None:  # T12
        walk = IndexWalk(b'{"schemaVersion":2,"manifests":null}')
        assert list(walk.entries()) == []

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
