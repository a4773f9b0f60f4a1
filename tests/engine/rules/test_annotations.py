"""Annotations and labels: what strict programs refuse or nobody finds is told; people's own keys are theirs."""

from typing import Any

import pytest

from engine.findings import Severity
from engine.rules.annotations import Annotations, advice, is_name, is_time, look
from engine.rules.book import check

IMAGE = "org.opencontainers.image"


def told(value: Any, *, labels: bool = False, named: bool = True) -> list[tuple[str, str]]:
    return [(found.rule, found.where) for found in check(Annotations(value, labels, named), "p", "a")]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"com.example.key": "", "vnd.docker.reference.type": "attestation-manifest"},
        {f"{IMAGE}.created": "2024-05-17T08:30:00.123456Z", f"{IMAGE}.version": "anything at all"},
        {f"{IMAGE}.created": "1969-12-31T23:59:60+05:30"},
        {f"{IMAGE}.created": "0001-01-01T00:00:00Z"},
        {f"{IMAGE}.base.name": "docker.io/library/debian:12", f"{IMAGE}.base.digest": "sha256:" + "0" * 64},
        {f"{IMAGE}.base.name": "", f"{IMAGE}.base.digest": ""},
        {f"{IMAGE}.licenses": "(MIT OR Apache-2.0) AND GPL-2.0-or-later WITH Classpath-exception-2.0"},
        {f"{IMAGE}.licenses": "LicenseRef-own"},
        {f"{IMAGE}.source": "https://example.com/a", f"{IMAGE}.url": "ssh://git@example.com/a"},
        {"org.opencontainers.referrers.filtersApplied": "artifactType", f"{IMAGE}.stopSignal": "SIGTERM"},
    ],
)
def test_sound_and_unknown_annotations_give_no_findings(value: dict[str, str]):
    assert told(value) == []


@pytest.mark.parametrize(
    ("value", "rule", "where"),
    [
        (None, "V100", "a"),
        ([], "V100", "a"),
        ({"a.b": None}, "V100", "a.a.b"),
        ({"a.b": 7}, "V100", "a.a.b"),
        ({"key": ""}, "V102", "a.key"),
        ({"org.opencontainers.example": ""}, "V103", "a.org.opencontainers.example"),
        ({f"{IMAGE}.licences": ""}, "V104", f"a.{IMAGE}.licences"),
        ({f"{IMAGE}.created": "yesterday"}, "V107", f"a.{IMAGE}.created"),
        ({f"{IMAGE}.created": "2024-02-30T08:30:00Z"}, "V107", f"a.{IMAGE}.created"),
        ({f"{IMAGE}.created": "2024-05-17 08:30:00Z"}, "V107", f"a.{IMAGE}.created"),
        ({f"{IMAGE}.ref.name": ""}, "V108", f"a.{IMAGE}.ref.name"),
        ({f"{IMAGE}.ref.name": "a b"}, "V108", f"a.{IMAGE}.ref.name"),
        ({f"{IMAGE}.base.digest": "latest"}, "V109", f"a.{IMAGE}.base.digest"),
        ({f"{IMAGE}.base.name": "debian", f"{IMAGE}.base.digest": ""}, "V110", f"a.{IMAGE}.base.name"),
        ({f"{IMAGE}.licenses": "MIT, BSD"}, "V111", f"a.{IMAGE}.licenses"),
        ({f"{IMAGE}.licenses": "(MIT"}, "V111", f"a.{IMAGE}.licenses"),
        ({f"{IMAGE}.url": "example.com"}, "V112", f"a.{IMAGE}.url"),
        ({f"{IMAGE}.base.name": "docker.io/library/debian:12"}, "V113", f"a.{IMAGE}.base.name"),
    ],
)
def test_what_is_wrong_with_annotations_is_told_by_its_rule_and_place(value: Any, rule: str, where: str):
    assert told(value) == [(rule, where)]


def test_labels_may_be_null_as_docker_writes_them_and_old_names_are_not_scolded():
    assert told(None, labels=True) == []
    assert told({"maintainer": "somebody", f"{IMAGE}.ref.name": "ubuntu base"}, labels=True) == []
    assert told({"maintainer": None}, labels=True) == [("V100", "a.maintainer")]


def test_a_reference_name_elsewhere_than_in_the_outermost_index_is_a_warning():
    found = check(Annotations({f"{IMAGE}.ref.name": "one"}), "p")
    assert [(each.rule, each.severity) for each in found] == [("V15", Severity.WARNING)]


def test_absent_annotations_are_fine():
    assert list(look({}, "p")) == []
    assert [found.where for found in look({"annotations": 1}, "p", "m[0]")] == ["m[0].annotations"]


@pytest.mark.parametrize("name", ["a", "1.0", "a/b", "a--b", "a+b@c:d_e", "registry.example.com:5000/team/tiny:1.0"])
def test_names_that_follow_the_grammar(name: str):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a---b", "a.-b", "-a", "a\n", "ä", "a b"])
def test_names_that_do_not_follow_the_grammar(name: str):
    assert not is_name(name)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2024", "2024-13-01T00:00:00Z", "2024-05-17T25:00:00Z", "2024-05-17T08:30:00", "é"),
        *("2024-05-17T08:30:00+24:00", "2024-05-17T08:30:00-01:60", "2024-05-17T08:30:00.\N{ARABIC-INDIC DIGIT ONE}Z"),
    ],
)
def test_texts_that_are_no_times(text: str):
    assert not is_time(text)


@pytest.mark.parametrize(
    ("key", "value", "rules"),
    [
        ("com.example.team", "web", []),
        ("team", "web", ["V102"]),
        ("org.opencontainers.team", "web", ["V103"]),
        ("org.opencontainers.image.creatd", "web", ["V104"]),
        ("org.opencontainers.image.created", "yesterday", ["V107"]),
        ("org.opencontainers.image.base.name", "registry.example/base:1", []),
    ],
)
def test_advice_is_about_the_annotation_that_is_being_written(key: str, value: str, rules: list[str]) -> None:
    others = {"other": "x", "org.opencontainers.image.base.digest": "sha256:" + "0" * 64}
    assert [each.rule for each in advice({**others, key: value}, key)] == rules
