"""Rules of JSON itself: image-spec ``considerations.md``, and what tools in the field stumble over."""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.digest import clip
from engine.errors import DocumentError
from engine.findings import Finding, Severity
from engine.jsontext import (
    NESTING_LIMIT,
    VALUES_LIMIT,
    check_count,
    decode_text,
    expect_end,
    in_words,
    scan_value,
    skip_space,
)
from engine.rules.registry import RULES, Broken, define, finding, rule

_CONSIDERATIONS = "image-spec considerations.md, JSON"
_LARGEST = 1 << 53
_LONG_NUMBER = re.compile(rb'(?:"\s*:|[\[,])\s*-?(?:\d{16}|[\d.]+[eE])')

define(
    "V160",
    Severity.ERROR,
    "A document is not UTF-8 text",
    "JSON is UTF-8 without a byte order mark. Most tools refuse anything else. Only the program that wrote the document "
    "can write it anew.",
    _CONSIDERATIONS,
)
define(
    "V161",
    Severity.ERROR,
    "A name stands twice in one object",
    "The names in a JSON object are unique. One tool believes the first value, another one the last, so nobody can say "
    "what this document means.",
    f"{_CONSIDERATIONS}; annotations.md, Rules",
)
define(
    "X5",
    Severity.ERROR,
    "Something follows a document's JSON",
    "A document is one JSON value. Some tools refuse what follows it, others silently ignore it; it may be the rest of "
    "an interrupted write.",
    "RFC 8259, section 2",
)
define(
    "X10",
    Severity.ERROR,
    "A document is nested too deeply, or has too many parts",
    f"Documents are read up to {NESTING_LIMIT} levels of nesting and {VALUES_LIMIT:,} values. Sound ones have less than "
    "ten levels and some thousand values; larger ones are made to exhaust the programs that read them.",
    "RFC 8259, section 9",
)
define(
    "X21",
    Severity.ERROR,
    "A document is not a JSON object",
    "Manifests, indexes and image configs are JSON objects. This one is damaged or something else; get a good copy, or "
    "remove what refers to it.",
    "RFC 8259; image-spec considerations.md, JSON",
)


def parse(raw: bytes, place: str, number: str = "X21") -> tuple[dict[str, Any] | None, list[Finding]]:
    """A document's JSON object, as far as it can be read, and what is wrong with its text.

    ``number`` is the rule that says that the document is a JSON object.
    """
    name = clip(place, 40)
    findings: list[Finding] = []
    try:
        text = decode_text(raw, name)
        check_count(text, name)
        start = skip_space(text, 0)
        value, end = scan_value(text, start) if start < len(text) else (None, start)
        if not isinstance(value, dict):
            what = "no bytes" if start == len(text) else in_words(value)
            raise DocumentError(f"{name} is not a JSON object.", expected="an object", found=what)
        try:
            expect_end(text, end)
        except DocumentError as error:
            findings.append(told(error, place))
    except DocumentError as error:
        return None, [*findings, told(error, place, number)]
    return value, findings


def told(error: DocumentError, place: str, number: str = "X21") -> Finding:
    """What reading raised, as a finding; ``number`` is its rule where the error does not say one."""
    broken = Broken(_WHERE.get(error.rule, ""), str(error), error.expected, error.found)
    return finding(RULES[error.rule or number], broken, place)


_WHERE = {"V74": "manifests"}


def may_be_inexact(raw: bytes) -> bool:
    """Whether a text may hold a number that is too large to be exact: few do, and looking at each one costs time."""
    return _LONG_NUMBER.search(raw) is not None


class Numbers(NamedTuple):
    """A JSON value with everything in it."""

    value: Any


@rule(
    "V162",
    Severity.WARNING,
    "A number is too large to be exact",
    "Many programs read JSON numbers as double precision, which is exact up to 2^53 only: they would see another number.",
    f"{_CONSIDERATIONS}; RFC 8259, section 6",
)
def _inexact(numbers: Numbers) -> Iterator[Broken]:
    waiting: list[tuple[str, Any]] = [("", numbers.value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}" if path else key, inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{n}]", inner) for n, inner in enumerate(value)]
        elif isinstance(value, int):
            if not -_LARGEST <= value <= _LARGEST:
                yield Broken(
                    path, "Not every program reads this number as it is.", "at most 2^53", clip(str(value), 40)
                )
        elif isinstance(value, float) and not math.isfinite(value):
            yield Broken(path, "No program can read this number.", "at most 2^53", "beyond double precision")


class Members(NamedTuple):
    """An object, and the names that the specification gives to its members."""

    value: dict[str, Any]
    known: frozenset[str]


@rule(
    "X4",
    Severity.ERROR,
    "A name differs from a known one only by case",
    "Names in JSON are case-sensitive, but programs written in Go accept any case: they read this member as the known "
    "one and others do not see it, so two programs see two different documents.",
    "RFC 8259, section 4; Go's encoding/json, Unmarshal",
)
def _other_case(members: Members) -> Iterator[Broken]:
    if members.value.keys() <= members.known:
        return
    folded = {name.casefold(): name for name in members.known}
    for key in members.value:
        if key not in members.known and (known := folded.get(key.casefold())) is not None:
            yield Broken(key, f"{clip(key)!r} is not {known!r}, but some programs take it for that.", known, clip(key))
