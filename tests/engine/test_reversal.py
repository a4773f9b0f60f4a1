"""Taking a change of the index back: to the byte while nobody else writes, and never at others' expense."""

import json
from collections import Counter
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import StoreChanged
from engine.index import IndexText
from engine.reversal import IndexChange, compare, take_back
from tests.layouts import MANIFEST, NAME, sha256

NAMES = st.sampled_from([None, "a", "b", "ü:1", "", "c" * 20])
LAYOUTS = st.sampled_from([{}, {"indent": 2}, {"indent": "\t", "ensure_ascii": False}, {"separators": (",", ":")}])


def entry(number: int, name: str | None, **more: Any) -> dict[str, Any]:
    found = {"mediaType": MANIFEST, "digest": sha256(bytes([number])), "size": number, **more}
    return found if name is None else {**found, "annotations": {NAME: name}}


ENTRIES = st.lists(st.builds(entry, st.integers(0, 5), NAMES), max_size=8)


def raw_of(entries: list[Any], **layout: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": entries, "x": "ü"}, **layout).encode()


def entries_of(raw: bytes) -> list[Any]:
    found: list[Any] = json.loads(raw)["manifests"]
    return found


def edit(index: IndexText, data: st.DataObject) -> None:
    """One of the edits that people make."""
    count = len(index.entries)
    kind = data.draw(st.sampled_from(["add", "rename", "remove", "annotate", "retag", "resize", "arrange"]))
    if kind == "add" or not count:
        index.add(json.dumps(entry(data.draw(st.integers(0, 9)), None)), data.draw(NAMES))
        return
    position = data.draw(st.integers(0, count - 1))
    if kind == "rename":
        index.rename(position, data.draw(NAMES))
    elif kind == "remove":
        index.remove(*data.draw(st.sets(st.integers(0, count - 1))))
    elif kind == "annotate":
        index.annotate(position, "key", data.draw(st.sampled_from([None, "value"])))
    elif kind == "retag":
        index.retag(data.draw(NAMES) or "d", index.entries[position], keep_previous=data.draw(st.booleans()))
    elif kind == "resize":
        index.resize(position, data.draw(st.integers(0, 1 << 40)))
    else:
        index.arrange(data.draw(st.permutations(range(count))))


def change_of(raw: bytes, data: st.DataObject) -> tuple[bytes, IndexChange]:
    """An edit of the document: what it becomes, and how that is remembered."""
    before, after = IndexText.parse(raw), IndexText.parse(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        edit(after, data)
    change = compare(before, after)
    return after.raw, msgspec.json.decode(msgspec.json.encode(change), type=IndexChange)


def taken_back(change: IndexChange, raw: bytes) -> bytes:
    index = IndexText.parse(raw)
    take_back(change, index)
    return index.raw


@given(ENTRIES, LAYOUTS, st.data())
def test_any_edit_is_taken_back_to_the_byte(entries: list[Any], layout: dict[str, Any], data: st.DataObject) -> None:
    before = raw_of(entries, **layout)
    after, change = change_of(before, data)
    assert taken_back(change, after) == before
    assert taken_back(change, before) == before


@given(ENTRIES, LAYOUTS, LAYOUTS, st.data())
def test_written_anew_by_others_it_is_taken_back_all_the_same(
    entries: list[Any], layout: dict[str, Any], theirs: dict[str, Any], data: st.DataObject
) -> None:
    before = raw_of(entries, **layout)
    after, change = change_of(before, data)
    assume(after != before)
    rewritten = raw_of(entries_of(after), **theirs) + b"\n"
    try:
        result = taken_back(change, rewritten)
    except StoreChanged:
        assert not change.entries, "entries that others left as they were can be taken back"
        return
    if change.entries:
        assert _counted(entries_of(result)) == _counted(entries)


@given(ENTRIES, LAYOUTS, st.data())
def test_what_others_have_added_stays_whatever_is_taken_back(
    entries: list[Any], layout: dict[str, Any], data: st.DataObject
) -> None:
    after, change = change_of(raw_of(entries, **layout), data)
    theirs = [entry(20 + number, name) for number, name in enumerate(data.draw(st.lists(NAMES, max_size=3)))]
    now = entries_of(after)
    for each in theirs:
        now.insert(data.draw(st.integers(0, len(now))), each)
    try:
        result = entries_of(taken_back(change, raw_of(now)))
    except StoreChanged:
        return
    assert not _counted(theirs) - _counted(result)
    names = {each["digest"]: _name(each) for each in theirs}
    returned = _counted(result) - _counted(now)
    for text in returned:
        assert _name(json.loads(text)) is None or _name(json.loads(text)) not in names.values()


def test_a_few_changes_among_many_are_remembered_in_little_room() -> None:
    raw = raw_of([entry(n % 256, f"name {n}") for n in range(2000)])
    before, after = IndexText.parse(raw), IndexText.parse(raw)
    after.remove(3, 1000, 1990)
    after.rename(500, "other")
    change = compare(before, after)
    assert len(msgspec.json.encode(change)) < 4000
    assert taken_back(change, after.raw) == raw


def _name(value: dict[str, Any]) -> str | None:
    name: str | None = value.get("annotations", {}).get(NAME)
    return name


def _counted(entries: list[Any]) -> Counter[str]:
    return Counter(json.dumps(each, sort_keys=True) for each in entries)
