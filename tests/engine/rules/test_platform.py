"""Platforms: tools choose by them, so what they would not find is told."""

from typing import Any

import pytest

from engine.findings import Severity
from engine.rules.platform import look

SOUND = {"os": "linux", "architecture": "amd64"}


def told(value: Any) -> list[tuple[str, str]]:
    return [(found.rule, found.where) for found in look(value, "index.json", "p")]


@pytest.mark.parametrize(
    "value",
    [
        SOUND,
        {**SOUND, "architecture": "arm", "variant": "v5"},
        {**SOUND, "architecture": "s390x", "variant": "z13"},
        {**SOUND, "variant": ""},
        {"os": "unknown", "architecture": "unknown"},
        {"os": "", "architecture": ""},
        {"os": "windows", "architecture": "amd64", "os.version": "10.0.14393.1066", "os.features": ["win32k"]},
        {**SOUND, "com.example": 1},
    ],
)
def test_a_usual_or_merely_unknown_platform_gives_no_findings(value: Any):
    assert told(value) == []


@pytest.mark.parametrize(
    ("value", "rule", "where"),
    [
        ({"os": "linux"}, "V79", "p.architecture"),
        ({"os": "linux", "architecture": None}, "V79", "p.architecture"),
        ({"architecture": "amd64"}, "V80", "p.os"),
        ({"architecture": "x86_64", "os": "linux"}, "V81", "p.architecture"),
        ({"architecture": "amd64", "os": "Linux"}, "V81", "p.os"),
        ({**SOUND, "variant": "v9"}, "V82", "p.variant"),
        ({**SOUND, "variant": 8}, "V82", "p.variant"),
        ({**SOUND, "os.version": 10}, "V83", "p.os.version"),
        ({**SOUND, "os.features": "win32k"}, "V83", "p.os.features"),
        ({**SOUND, "features": ["sse4"]}, "V84", "p.features"),
        ({**SOUND, "OS": "linux"}, "X4", "p.OS"),
    ],
)
def test_what_is_wrong_with_a_platform_is_told_by_its_rule_and_place(value: Any, rule: str, where: str):
    assert told(value) == [(rule, where)]


@pytest.mark.parametrize("value", [None, 7, "linux/amd64", []])
def test_what_is_no_platform_names_neither_processor_nor_system(value: Any):
    assert told(value) == [("V79", "p.architecture"), ("V80", "p.os")]


def test_a_variant_that_is_not_listed_is_merely_a_note():
    assert [found.severity for found in look({**SOUND, "variant": "v9"}, "index.json", "p")] == [Severity.INFO]
