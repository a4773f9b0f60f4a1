"""What a rule is made of: data that a person reads, and a small function that finds where it is broken.

A rule is registered by one decorator; its function takes one kind of subject (a descriptor, a manifest, a store) and
yields each place where the rule does not hold. Adding a rule is adding one place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from engine.findings import Finding, Remedy, Rule, Severity

Subject = TypeVar("Subject")


class Broken(NamedTuple):
    """One place where a rule is broken.

    ``where`` is below the subject's own JSON path; ``place`` another place than the subject's, ``severity`` another one
    than the rule's. Not ``fixable``: the rule's remedy would be wrong here.
    """

    where: str
    sentence: str
    expected: str = ""
    found: str = ""
    place: str = ""
    severity: Severity | None = None
    fixable: bool = True


_RULES: dict[str, Rule] = {}
_CHECKS: dict[type, list[tuple[Rule, Callable[[Any], Iterable[Broken]]]]] = {}

RULES: Mapping[str, Rule] = MappingProxyType(_RULES)
"""Every rule by its number."""


def rule(
    number: str, severity: Severity, title: str, text: str, source: str, remedy: Remedy | None = None
) -> Callable[[Callable[[Subject], Iterable[Broken]]], Callable[[Subject], Iterable[Broken]]]:
    """Register the decorated function as the check of a rule, for subjects of the type that its argument has."""
    known = define(number, severity, title, text, source, remedy)

    def register(check: Callable[[Subject], Iterable[Broken]]) -> Callable[[Subject], Iterable[Broken]]:
        subject = next(iter(check.__annotations__.values()))
        _CHECKS.setdefault(subject, []).append((known, check))
        return check

    return register


def define(number: str, severity: Severity, title: str, text: str, source: str, remedy: Remedy | None = None) -> Rule:
    """Register a rule whose breaking is found out by the way, where something is read."""
    if number in _RULES:
        raise ValueError(f"There are two rules {number}.")
    _RULES[number] = Rule(number, severity, title, text, source, remedy)
    return _RULES[number]


def check(subject: object, place: str, path: str = "") -> Iterator[Finding]:
    """Every place where the subject breaks a rule of its kind; ``path`` is where it stands in the document."""
    for broken_rule, find in _CHECKS.get(type(subject), ()):
        for broken in find(subject):
            yield finding(broken_rule, broken, place, path)


def counted(count: int, thing: str) -> str:
    """``1 layer``, ``2 layers``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def finding(broken_rule: Rule, broken: Broken, place: str, path: str = "") -> Finding:
    """A broken rule as it is told."""
    where = path + ("." if path and broken.where and not broken.where.startswith("[") else "") + broken.where
    return Finding(
        broken_rule.id,
        broken_rule.severity if broken.severity is None else broken.severity,
        broken.sentence,
        broken.place or place,
        where,
        broken.expected,
        broken.found,
        broken_rule.remedy if broken.fixable else None,
    )
