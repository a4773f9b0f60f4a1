"""The text of documents: what other programs would read differently, or not at all, is told."""

import pytest

from engine.rules.book import check
from engine.rules.json import Members, Numbers, parse


def rules(raw: bytes) -> list[str]:
    return [found.rule for found in parse(raw, "index.json")[1]]


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "V160"),
        ('{"a": 1}'.encode("utf-16"), "V160"),
        (b'{"a": "\xff"}', "V160"),
        (b'{"a": 1, "a": 2}', "V161"),
        (b'{"a": {"b": 1, "b": 1}}', "V161"),
        (b'{"a": 1} garbage', "X5"),
        (b'{"a": 1}{"a": 1}', "X5"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", "X10"),
        (b"[" * 100_000, "X10"),
        (b"", "X21"),
        (b"  ", "X21"),
        (b"[]", "X21"),
        (b"null", "X21"),
        (b'{"a": NaN}', "X21"),
        (b'{"a": 1', "X21"),
        (b'{"a": ' + b"9" * 5000 + b"}", "X21"),
    ],
)
def test_a_text_that_is_no_document_is_told_by_its_own_rule(raw: bytes, rule: str):
    assert rules(raw) == [rule]


def test_what_follows_a_document_does_not_hide_it():
    assert parse(b'{"a": 1} garbage', "index.json")[0] == {"a": 1}


def test_the_rule_of_the_file_is_named_where_json_has_none():
    assert [found.rule for found in parse(b"[]", "oci-layout", "V3")[1]] == ["V3"]


def test_a_sound_text_gives_no_findings():
    assert parse('{"ä": [1, {"b": null}]}'.encode(), "index.json") == ({"ä": [1, {"b": None}]}, [])


@pytest.mark.parametrize("number", [1 << 53, -(1 << 53), 0, 1.5])
def test_exact_numbers_are_fine(number: float):
    assert list(check(Numbers({"a": [{"b": number}], "c": True}), "p")) == []


@pytest.mark.parametrize("number", [(1 << 53) + 1, -(1 << 54), 10**40, float("inf")])
def test_numbers_that_others_would_round_are_told_with_their_place(number: float):
    (found,) = check(Numbers({"a": [0, {"size": number}]}), "p")
    assert (found.rule, found.where) == ("V162", "a[1].size")


@pytest.mark.parametrize("name", ["MANIFESTS", "mediatype", "manifest\u017f"])
def test_a_name_in_another_case_is_told(name: str):
    (found,) = check(Members({name: 1}, frozenset({"manifests", "mediaType"})), "p")
    assert (found.rule, found.where) == ("X4", name)


def test_unknown_members_must_not_fail():
    assert list(check(Members({"manifests": [], "com.example": 1, "": 0}, frozenset({"manifests"})), "p")) == []
