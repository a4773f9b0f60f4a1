"""Strict JSON with places: what is refused, and that edits can trust the places."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.document import MANIFEST_LIMIT, OCI_MANIFEST
from engine.errors import DocumentError
from engine.jsontext import NESTING_LIMIT, VALUES_LIMIT, elements, members, parse_strict, reformat

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"a":1} x', "at byte 8"),  # T16
        (b'{"a":1,"a":2}', "'a' stands twice"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b"\xef\xbb\xbf{}", "byte order mark"),  # T19
        ('{"a":1}'.encode("utf-16"), "byte order mark"),  # T19
        (b'{"a":"\xff"}', "byte 6"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a":}', "at byte 5"),
        (b'{"a" 1}', "at byte 5"),
        (b"[1,]", "at byte 3"),
        (b'{"a":"\x01"}', "byte"),
        (b"9" * 5000, "digits"),
        (b"[" * 100_000, "nested"),
        (b"[" * (NESTING_LIMIT + 1) + b"]" * (NESTING_LIMIT + 1), "nested"),
    ],
)
def test_damaged_text_is_refused_with_the_place(raw: bytes, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        parse_strict(raw, "index.json")


def test_the_offset_counts_bytes_not_characters() -> None:
    with pytest.raises(DocumentError, match="at byte 10"):
        parse_strict('{"ä":"é"x}'.encode())


def test_a_name_that_stands_twice_is_found_among_very_many() -> None:
    names = ",".join(f'"{n}":0' for n in range(150_000))
    with pytest.raises(DocumentError, match="'149999' stands twice"):
        parse_strict(f'{{{names},"149999":1}}'.encode())


def test_a_long_text_among_brackets_costs_little_more_than_itself() -> None:
    raw = b"[" + b"[]," * NESTING_LIMIT + b'"' + b"long text" * 300_000 + b'"]'
    tracemalloc.start()
    try:
        parse_strict(raw)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(raw)
    finally:
        tracemalloc.stop()


def test_nesting_up_to_the_limit_is_read_even_with_brackets_in_texts() -> None:
    value = parse_strict(b"[" * NESTING_LIMIT + b'"' + b"[{" * 100 + b'"' + b"]" * NESTING_LIMIT)
    assert json.dumps(value).count("[{") == 100


@given(JSON)
def test_whatever_json_writes_is_read_the_same(value: object) -> None:
    assert parse_strict(json.dumps(value).encode()) == value


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5), st.sampled_from([None, 1, "\t"]))
def test_members_stand_where_they_are_said_to_stand(value: dict[str, object], indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)
    found = list(members(text, 0))
    assert {member.key: member.value for member in found} == value
    assert all(json.loads(text[member.value_start : member.end]) == member.value for member in found)
    assert all(text[member.start] == '"' for member in found)


@given(st.lists(JSON, max_size=5), st.sampled_from([None, 2]))
def test_elements_stand_where_they_are_said_to_stand(value: list[object], indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert [json.loads(text[element.start : element.end]) for element in elements(text, 0)] == value


@given(JSON)
def test_reformatting_changes_white_space_only(value: object) -> None:
    text = json.dumps(value, separators=(",", ":"))
    assert json.loads(reformat(text)) == value


def test_reformatting_keeps_the_spelling_of_numbers_and_texts() -> None:
    assert reformat(r'{"a":1e2,"b":1.0,"c":"é{}","d":{},"e":[]}').splitlines() == [
        "{",
        '  "a": 1e2,',
        '  "b": 1.0,',
        r'  "c": "é{}",',
        '  "d": {},',
        '  "e": []',
        "}",
    ]


def test_reformatting_a_hostile_depth_does_not_fill_the_memory() -> None:
    assert len(reformat("[" * 100_000)) < 100_000 * (2 * NESTING_LIMIT + 2)


def test_a_document_of_very_many_parts_is_refused_before_any_is_made() -> None:
    raw = b"[" + b"{}," * VALUES_LIMIT + b"{}]"
    with pytest.raises(DocumentError, match="so many parts") as caught:
        parse_strict(raw)
    assert caught.value.rule == "X10"
    assert parse_strict(b'["' + b"," * (VALUES_LIMIT // 2) + b'"]') == ["," * (VALUES_LIMIT // 2)]


def test_an_index_of_the_largest_size_is_read_with_as_many_entries_as_fit() -> None:
    platform = {"architecture": "arm64", "os": "linux", "variant": "v8"}
    entry = {"mediaType": OCI_MANIFEST, "digest": f"sha256:{'0' * 64}", "size": 1, "platform": platform}
    count = MANIFEST_LIMIT // (len(json.dumps(entry, separators=(",", ":"))) + 1) - 1
    raw = json.dumps({"schemaVersion": 2, "manifests": [entry] * count}, separators=(",", ":")).encode()
    assert MANIFEST_LIMIT - 1000 < len(raw) <= MANIFEST_LIMIT
    assert len(parse_strict(raw)["manifests"]) == count
