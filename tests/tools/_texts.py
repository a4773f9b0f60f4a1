"""Texts of index.json as nobody writes them: any order, spacing, spelling and unknown field that JSON allows."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

_SPACES = st.sampled_from(["", "", " ", "\n", "\t", "\r\n    "])
_NUMBERS = st.sampled_from(["0", "-0", "1.0", "1e2", "1E+2", "0.1000", "-12.5e-3", "123456789012345678901234567890"])
_STRINGS = st.builds(json.dumps, st.text(max_size=6), ensure_ascii=st.booleans()) | st.sampled_from(
    [r'"\/"', r'"\u00e9\ud83d\ude00"', r'"]}{[,:\""']
)


class Entry(NamedTuple):
    """The text of an entry, and of its members but for the annotations."""

    text: str
    others: list[str]


class Index(NamedTuple):
    """The text of an index, and its entries."""

    text: str
    entries: list[Entry]
    starts: list[int]

    def around(self, position: int) -> tuple[str, Entry, str]:
        """What stands before an entry, the entry, and what stands behind it."""
        entry, start = self.entries[position], self.starts[position]
        return self.text[:start], entry, self.text[start + len(entry.text) :]


@st.composite
def _joined(draw: st.DrawFn, brackets: str, parts: Sequence[str]) -> str:
    spaced = [draw(_SPACES) + part + draw(_SPACES) for part in parts] or [draw(_SPACES)]
    return brackets[0] + ",".join(spaced) + brackets[1]


def _arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).flatmap(lambda parts: _joined("[]", parts))


def _members(keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    pairs = st.lists(st.tuples(keys, _SPACES, values), max_size=3, unique_by=lambda pair: json.loads(pair[0]))
    return pairs.map(lambda found: [f"{key}{space}:{space}{value}" for key, space, value in found])


def _objects(keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return _members(keys, values).flatmap(lambda parts: _joined("{}", parts))


_VALUES = st.recursive(
    st.sampled_from(["true", "false", "null"]) | _NUMBERS | _STRINGS,
    lambda inner: _arrays(inner) | _objects(_STRINGS, inner),
    max_leaves=4,
)
_UNKNOWN = st.builds('"x-{}"'.format, st.integers(0, 99))
_NAMES = st.sampled_from(['"org.opencontainers.image.ref.name"', '"org.example.key"', '"other"'])


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """An entry that is a descriptor, with more in it than anybody knows."""
    digest = f"sha256:{draw(st.integers(0, 15)):064x}"
    others = ['"mediaType": "application/vnd.oci.image.manifest.v1+json"', f'"digest":"{digest}"', '"size":5']
    others = draw(st.permutations(others + draw(_members(_UNKNOWN, _VALUES))))
    members = list(others)
    if draw(st.booleans()):
        annotations = draw(_objects(_NAMES, _STRINGS) | st.just("null"))
        members.insert(draw(st.integers(0, len(others))), f'"annotations":{draw(_SPACES)}{annotations}')
    return Entry(draw(_joined("{}", members)), list(others))


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    """An index with at least one entry."""
    found = draw(st.lists(entries(), min_size=1, max_size=4))
    manifests = draw(_joined("[]", [entry.text for entry in found]))
    members = ['"schemaVersion":2', *draw(_members(_UNKNOWN, _VALUES))]
    at = draw(st.integers(0, len(members)))
    members.insert(at, f'"manifests":{draw(_SPACES)}{manifests}')
    text = draw(_SPACES) + draw(_joined("{}", members)) + draw(_SPACES)
    starts, end = [], text.index(manifests)
    for entry in found:
        starts.append(text.index(entry.text, end))
        end = starts[-1] + len(entry.text)
    return Index(text, found, starts)


def spelled(text: str) -> Any:
    """What a text says, with numbers as they are spelled."""
    return json.loads(text, parse_int=str, parse_float=str)


def annotated(entry: dict[str, Any], key: str, value: str | None) -> dict[str, Any]:
    """What an entry says once an annotation was set, or taken away."""
    annotations = dict(entry.get("annotations") or {})
    if value is not None:
        return {**entry, "annotations": {**annotations, key: value}}
    if key not in annotations:
        return entry
    del annotations[key]
    return {name: found for name, found in entry.items() if name != "annotations"} | (
        {"annotations": annotations} if annotations else {}
    )


def in_order(parts: Sequence[str], text: str) -> bool:
    """Whether a text holds these parts to the letter, one behind the other."""
    end = 0
    for part in parts:
        start = text.find(part, end)
        if start < 0:
            return False
        end = start + len(part)
    return True


def is_cut_from(less: str, more: str) -> bool:
    """Whether one text is the other with one piece cut out."""
    return len(less) <= len(more) and _alike(less, more) + _alike(less[::-1], more[::-1]) >= len(less)


def _alike(one: str, other: str) -> int:
    """With how many characters two texts begin alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (first, second) in pairs if first != second), min(len(one), len(other)))
