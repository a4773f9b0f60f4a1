"""Indexes: what makes programs refuse one, or see two different ones in it, is told."""

from typing import Any

import pytest

from engine.findings import Remedy
from engine.rules.index import Index, look
from tests.layouts import INDEX, MANIFEST, Json, sha256

ENTRY: Json = {"mediaType": MANIFEST, "digest": sha256(b"one"), "size": 3}
OTHER: Json = {**ENTRY, "digest": sha256(b"two")}
AMD64 = {"platform": {"os": "linux", "architecture": "amd64"}}
SOUND: Json = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [ENTRY]}


def told(value: Json, *, outer: bool = False) -> list[tuple[str, str]]:
    return [(found.rule, found.where) for found in look(Index(value, outer), "index.json")]


def without(key: str) -> Json:
    return {name: value for name, value in SOUND.items() if name != key}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"manifests": []},
        {"mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"},
        {"artifactType": "application/vnd.unknown"},
        {"subject": ENTRY, "annotations": {"com.example": "1"}},
        {"manifests": [{"mediaType": "application/vnd.unknown", "digest": "unknown:1", "size": 0}]},
        {"manifests": [{**ENTRY, **AMD64}, {**OTHER, "platform": {"os": "linux", "architecture": "arm64"}}]},
        {"com.example.unknown": None},
    ],
)
def test_a_sound_index_gives_no_findings(more: Json):
    assert told({**SOUND, **more}) == []


@pytest.mark.parametrize(
    ("value", "rule", "where"),
    [
        (without("schemaVersion"), "V70", "schemaVersion"),
        ({**SOUND, "schemaVersion": 1}, "V70", "schemaVersion"),
        ({**SOUND, "schemaVersion": True}, "V70", "schemaVersion"),
        ({**SOUND, "schemaVersion": 2.0}, "V70", "schemaVersion"),
        (without("mediaType"), "V71", "mediaType"),
        ({**SOUND, "mediaType": MANIFEST}, "V72", "mediaType"),
        ({**SOUND, "mediaType": [INDEX]}, "V72", "mediaType"),
        ({**SOUND, "artifactType": "nothing"}, "V73", "artifactType"),
        (without("manifests"), "V74", "manifests"),
        ({**SOUND, "manifests": None}, "V74", "manifests"),
        ({**SOUND, "manifests": {}}, "V74", "manifests"),
        ({**SOUND, "manifests": [None]}, "V75", "manifests[0]"),
        ({**SOUND, "manifests": [{**ENTRY, "size": -1}]}, "V30", "manifests[0].size"),
        ({**SOUND, "subject": 7}, "V64", "subject"),
        ({**SOUND, "subject": {**ENTRY, "size": -1}}, "V30", "subject.size"),
        ({**SOUND, "annotations": None}, "V100", "annotations"),
        ({**SOUND, "layers": []}, "X3", "layers"),
        ({**SOUND, "MANIFESTS": []}, "X4", "MANIFESTS"),
        ({**SOUND, "manifests": [{**ENTRY, **AMD64}, {**OTHER, **AMD64}]}, "V85", "manifests[1].platform"),
    ],
)
def test_what_is_wrong_with_an_index_is_told_by_its_rule_and_place(value: Json, rule: str, where: str):
    assert told(value) == [(rule, where)]


@pytest.mark.parametrize(
    "entries",
    [
        [{**ENTRY, "platform": {"os": "unknown", "architecture": "unknown"}}] * 2,
        [{**ENTRY, **AMD64, "artifactType": "application/spdx"}] * 2,
        [{**ENTRY, **AMD64}, {**OTHER, **AMD64, "annotations": {"io.github.containers.compression.zstd": "true"}}],
        [{**ENTRY, "platform": {**AMD64["platform"], "os.version": str(n)}} for n in range(2)],
    ],
)
def test_entries_that_are_not_chosen_by_platform_alone_may_share_it(entries: list[Any]):
    assert told({**SOUND, "manifests": entries}) == []


def test_entries_of_the_outermost_index_are_chosen_by_name():
    assert told({**SOUND, "manifests": [{**ENTRY, **AMD64}, {**OTHER, **AMD64}]}, outer=True) == []


def test_null_for_no_entries_can_be_mended_in_index_json_only():
    for outer, remedy in ((True, Remedy.EMPTY_LIST), (False, None)):
        (found,) = look(Index({**SOUND, "manifests": None}, outer), "index.json")
        assert (found.rule, found.found, found.remedy) == ("V74", "null", remedy)
    (found,) = look(Index(without("manifests"), outer=True), "index.json")
    assert found.remedy is None
