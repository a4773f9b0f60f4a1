"""A JSON path leads to the value that it names, in any spelling of the document."""

import json

import pytest

from engine.jsonplace import find_place
from engine.jsontext import reformat

DOCUMENT = {
    "schemaVersion": 2,
    "manifests": [
        {"size": 7, "annotations": {"org.example": "short", "org.example.name": "a ] b", "a[0]": "odd"}},
        {"size": 8, "platform": {"os": "linux"}},
    ],
    "empty": [],
    "layers": None,
}


def found(where: str, text: str) -> str | None:
    place = find_place(text, where)
    return None if place is None else text[slice(*place)]


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("schemaVersion", '"schemaVersion": 2'),
        ("$.schemaVersion", '"schemaVersion": 2'),
        ("manifests[1].platform.os", '"os": "linux"'),
        ("manifests[1].size", '"size": 8'),
        ("manifests[0].annotations.org.example", '"org.example": "short"'),
        ("manifests[0].annotations.org.example.name", '"org.example.name": "a ] b"'),
        ('manifests[0].annotations["org.example.name"]', '"org.example.name": "a ] b"'),
        ("manifests[0].annotations.a[0]", '"a[0]": "odd"'),
        ("layers", '"layers": null'),
    ],
)
def test_a_path_leads_to_its_value(where: str, value: str, indent: int | None) -> None:
    assert found(where, json.dumps(DOCUMENT, indent=indent)) == value
    assert found(where, reformat(json.dumps(DOCUMENT))) == value


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("manifests[1].digest", '{"size": 8, "platform": {"os": "linux"}}'),
        ("empty[3].size", '"empty": []'),
        ("layers[0]", '"layers": null'),
    ],
)
def test_what_is_missing_is_looked_for_in_what_is_there(where: str, value: str) -> None:
    assert found(where, json.dumps(DOCUMENT)) == value


@pytest.mark.parametrize("where", ["", "nothing", "[0]", "manifestsize", "$"])
def test_a_path_to_nowhere_leads_nowhere(where: str) -> None:
    assert found(where, json.dumps(DOCUMENT)) is None


@pytest.mark.parametrize("text", ["", "[", '{"a": {"b"', '{"a": 1, "a": 2}', "\x00"])
def test_a_damaged_text_is_no_accident(text: str) -> None:
    find_place(text, "a.b[0]")


def test_what_stands_before_the_damage_is_found() -> None:
    assert found("a.b", '{"a": {"b": 1}, "c": }') == '"b": 1'


def test_a_member_is_found_as_bytes_that_are_no_text() -> None:
    assert found("a", '{"a": "\udcff"}') == '"a": "\udcff"'
