"""Descriptors: what does not lead to the content, or describes it wrongly, is told; what is merely unknown is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Severity
from engine.rules.descriptor import is_plain, look
from tests.layouts import CONFIG, INDEX, LAYER, MANIFEST, NAME, Json, sha256

DIGEST = sha256(b"content")
SOUND: Json = {"mediaType": MANIFEST, "digest": DIGEST, "size": 7}
EMPTY: Json = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}


def told(value: Any, role: str = "manifests", *, named: bool = True) -> list[tuple[str, str]]:
    """Rules and places of what is wrong with a descriptor."""
    return [(found.rule, found.where) for found in look(value, role, "index.json", "m[0]", named=named)]


def without(key: str) -> Json:
    return {name: value for name, value in SOUND.items() if name != key}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"mediaType": "application/vnd.unknown+json"},
        {"mediaType": f"a/{'b' * 127}"},
        {"mediaType": LAYER, "urls": ["https://example.com/a%20b?c=d#e", "http://[::1]/x"]},
        {"digest": "unknown+alg.1:AbC=_-"},
        {"digest": "blake3:" + "0" * 64},
        {"digest": "sha512:" + "0" * 128, "size": 0},
        {"size": 1 << 53},
        {"artifactType": "application/vnd.example"},
        {"data": "Y29udGVudA=="},
        {"digest": "unknown:1234", "data": "Y29udGVudA=="},
        {"annotations": {}},
        {"annotations": {NAME: "registry.example.com:5000/team/tiny:1.0", "com.example": ""}},
        {"platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}},
        {"com.example.unknown": {"a": [1]}},
    ],
)
def test_a_sound_or_merely_unknown_descriptor_gives_no_findings(more: Json):
    assert told({**SOUND, **more}) == []


@pytest.mark.parametrize(
    ("value", "rule", "where"),
    [
        (without("mediaType"), "V20", "m[0].mediaType"),
        ({**SOUND, "mediaType": ""}, "V20", "m[0].mediaType"),
        ({**SOUND, "mediaType": 7}, "V20", "m[0].mediaType"),
        ({**SOUND, "mediaType": "application"}, "V21", "m[0].mediaType"),
        ({**SOUND, "mediaType": f"a/{'b' * 128}"}, "V21", "m[0].mediaType"),
        (without("digest"), "V22", "m[0].digest"),
        ({**SOUND, "digest": None}, "V22", "m[0].digest"),
        ({**SOUND, "digest": "../../etc/passwd"}, "V23", "m[0].digest"),
        ({**SOUND, "digest": "sha256"}, "V23", "m[0].digest"),
        ({**SOUND, "digest": "SHA256:" + "0" * 64}, "V23", "m[0].digest"),
        ({**SOUND, "digest": "sha256:" + "0" * 63}, "V24", "m[0].digest"),
        ({**SOUND, "digest": "sha256:" + "A" * 64}, "V24", "m[0].digest"),
        ({**SOUND, "digest": DIGEST + "\n"}, "V24", "m[0].digest"),
        ({**SOUND, "digest": "sha512:" + "0" * 64}, "V25", "m[0].digest"),
        ({**SOUND, "digest": "blake3:" + "0" * 65}, "V26", "m[0].digest"),
        (without("size"), "V29", "m[0].size"),
        ({**SOUND, "size": "7"}, "V29", "m[0].size"),
        ({**SOUND, "size": 1e2}, "V29", "m[0].size"),
        ({**SOUND, "size": True}, "V29", "m[0].size"),
        ({**SOUND, "size": 10**30}, "V29", "m[0].size"),
        ({**SOUND, "size": -1}, "V30", "m[0].size"),
        ({**SOUND, "urls": ["not a uri"]}, "V33", "m[0].urls[0]"),
        ({**SOUND, "urls": [7]}, "V33", "m[0].urls[0]"),
        ({**SOUND, "urls": "https://example.com"}, "V33", "m[0].urls"),
        ({**SOUND, "urls": ["https://a", "ftp://b"]}, "V34", "m[0].urls[1]"),
        ({**SOUND, "data": "Y29udGVudA"}, "V36", "m[0].data"),
        ({**SOUND, "data": None}, "V36", "m[0].data"),
        ({**SOUND, "data": "Q29udGVudA=="}, "V37", "m[0].data"),
        ({**SOUND, "size": 8, "data": "Y29udGVudA=="}, "V37", "m[0].data"),
        ({**SOUND, "artifactType": "nothing"}, "V38", "m[0].artifactType"),
        ({**SOUND, "artifactType": 7}, "V38", "m[0].artifactType"),
        ({**EMPTY, "digest": DIGEST}, "V66", "m[0].digest"),
        ({**EMPTY, "size": 3}, "V66", "m[0].size"),
        ({**SOUND, "Digest": DIGEST}, "X4", "m[0].Digest"),
        ({**SOUND, "annotations": None}, "V100", "m[0].annotations"),
        ({**SOUND, "annotations": {"a.b": None}}, "V100", "m[0].annotations.a.b"),
        ({**SOUND, "platform": {"os": "linux"}}, "V79", "m[0].platform.architecture"),
    ],
)
def test_what_is_wrong_with_a_descriptor_is_told_by_its_rule_and_place(value: Json, rule: str, where: str):
    assert told(value) == [(rule, where)]


@pytest.mark.parametrize(
    ("role", "rule"), [("manifests", "V75"), ("config", "V56"), ("layers", "V60"), ("blobs", "V60"), ("subject", "V64")]
)
@pytest.mark.parametrize("value", [None, 7, "text", [], True])
def test_what_is_no_descriptor_is_told_by_the_list_that_it_stands_in(value: Any, role: str, rule: str):
    assert told(value, role) == [(rule, "m[0]")]


def test_the_empty_descriptor_is_fine():
    assert told({**EMPTY, "data": "e30="}) == []


def test_names_mean_something_in_the_outermost_index_only():
    named = {**SOUND, "annotations": {NAME: "one"}}
    assert told(named) == []
    assert told(named, named=False) == [("V15", f"m[0].annotations.{NAME}")]


def test_what_the_specification_merely_recommends_is_a_warning():
    severities = {found.severity for found in look({**SOUND, "urls": ["ftp://a"]}, "layers", "p", "l[0]")}
    assert severities == {Severity.WARNING}


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 1 << 54),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([MANIFEST, INDEX, CONFIG, DIGEST, "sha256:0", "linux", "arm64", "v8", "org.opencontainers.x"]),
)
KEYS = st.one_of(
    st.sampled_from(["mediaType", "digest", "size", "annotations", "platform", "data", "urls", "artifactType", "x.y"]),
    st.sampled_from(["os", "architecture", "variant", NAME, "org.opencontainers.image.created", "key"]),
    st.text(max_size=5),
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(
    value=st.one_of(VALUES, st.lists(VALUES, max_size=2)),
    more=st.dictionaries(KEYS, st.one_of(VALUES, OBJECTS, st.lists(VALUES, max_size=2)), max_size=3),
    named=st.booleans(),
)
def test_the_quick_look_never_misses_what_the_thorough_one_finds(value: Any, more: Json, *, named: bool):
    for each in (value, more, {**SOUND, **more}):
        findings = list(look(each, "manifests", "index.json", "m[0]", named=named))
        if is_plain(each, named=named):
            assert findings == []
            thorough = {**each, "com.example": 0}  # an unknown member, so that it is not plain any more
            assert list(look(thorough, "manifests", "index.json", "m[0]", named=named)) == []
        elif not isinstance(each, dict):
            assert findings != []
