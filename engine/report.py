"""What was found wrong with a store, written down: for a program (JSON), for a person (Markdown), for a terminal.

Findings are grouped by the rule that they break, the worst first. All text that comes from a store is made fit to show,
so that a report can be printed, mailed and put into an issue as it is.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.findings import Finding, Findings, Remedy, Rule, Severity
from engine.printable import printable

FORM = 1
"""The form of the JSON; it grows when a field changes its meaning or goes."""

WORDS: Mapping[Severity, tuple[str, str]] = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("note", "notes"),
}
"""What a finding of each severity is called, one and several."""

_GLYPHS = {Severity.ERROR: "✖", Severity.WARNING: "⚠", Severity.INFO: "·"}
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "2"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|!&~])")


class Checked(msgspec.Struct, frozen=True):
    """What a report is about: which store, when it was looked at, and how closely."""

    store: str
    kind: str
    """The store's title in plain words."""
    when: str
    """RFC 3339."""
    deep: bool
    """Whether layers were read."""
    blobs: int
    hashed: int
    """How many of the blobs were compared with their digests."""
    unread: int = 0
    """How many layers were not read to their end although layers were: of unknown types, cut, or beyond all limits."""

    @property
    def was(self) -> str:
        """What was looked at, in a sentence."""
        parts = ["Every document was held against the rules of the specification"]
        if self.hashed >= self.blobs:
            parts.append("every blob was compared with its digest")
        elif self.hashed:
            parts.append(f"{self.hashed:,} of {self.blobs:,} blobs were compared with their digests")
        if self.deep:
            parts.append("layers were read to their end" if self.unread else "every layer was read to its end")
        return f"{', '.join(parts[:-1])} and {parts[-1]}."

    @property
    def was_not(self) -> str:
        """What was not, in a sentence; empty where nothing was left out."""
        left = self.blobs - self.hashed
        others = "the other one was" if left == 1 else f"the other {left:,} were"
        parts = [f"{others} not hashed" if self.hashed else "no blob was hashed"] * (left > 0)
        if not self.deep:
            parts.append("layers were not unpacked")
        elif self.unread:
            parts.append(
                "one layer was not read to its end" if self.unread == 1 else f"{self.unread:,} layers were not"
            )
        return f"{' and '.join(parts)}.".capitalize() if parts else ""


class Group(msgspec.Struct, frozen=True):
    """The findings of one rule; ``omitted`` is how many there are beyond those."""

    rule: Rule
    severity: Severity
    """The worst of them."""
    findings: Sequence[Finding]
    omitted: int = 0

    @property
    def count(self) -> int:
        return len(self.findings) + self.omitted


def grouped(findings: Findings, rules: Mapping[str, Rule]) -> list[Group]:
    """The findings by rule, the worst rule first; within a rule they stay in their order."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings.items:
        by_rule.setdefault(finding.rule, []).append(finding)
    groups = []
    for name, items in by_rule.items():
        severity = max(finding.severity for finding in items)
        rule = rules.get(name) or Rule(name, severity, items[0].sentence, "", "")
        groups.append(Group(rule, severity, items, findings.omitted.get(name, 0)))
    return sorted(groups, key=lambda group: (-group.severity, _natural(group.rule.id)))


def counted(groups: Iterable[Group]) -> dict[Severity, int]:
    """How many findings there are of each severity, also of those that were left out; the worst first."""
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    for group in groups:
        for finding in group.findings:
            counts[finding.severity] += 1
        counts[group.severity] += group.omitted
    return counts


def summed_up(counts: Mapping[Severity, int]) -> str:
    """``2 errors, 1 warning``; "nothing wrong" for none."""
    parts = [f"{count:,} {WORDS[severity][count != 1]}" for severity, count in counts.items() if count]
    return ", ".join(parts) or "nothing wrong"


def as_json(checked: Checked, groups: Sequence[Group]) -> str:
    """For programs: one object whose field names stay. Only ASCII; what is no text in UTF-8 is spelt with a backslash."""
    report = {
        "form": FORM,
        "store": _spelt(checked.store),
        "kind": checked.kind,
        "checkedAt": checked.when,
        "deep": checked.deep,
        "blobs": checked.blobs,
        "blobsHashed": checked.hashed,
        "layersUnread": checked.unread,
        "counts": {severity.name.lower(): count for severity, count in counted(groups).items()},
        "rules": [_group_as_json(group) for group in groups],
    }
    return json.dumps(report, indent=2).replace("\x7f", "\\u007f") + "\n"


def as_markdown(checked: Checked, groups: Sequence[Group]) -> str:
    """For people: a page to paste into an issue or a mail."""
    lines = [
        f"# {_escaped(checked.store)}: {summed_up(counted(groups))}",
        "",
        f"{_escaped(checked.kind)}, checked {_escaped(checked.when)}. {checked.was} {checked.was_not}".strip(),
    ]
    for group in groups:
        rule = group.rule
        lines += ["", f"## {_heading(group, _escaped)}", ""]
        if rule.text:
            lines += [_escaped(f"{rule.text} ({rule.id}; {rule.source})"), ""]
        for finding in group.findings:
            facts = "; ".join(f"{name} {_escaped(fact)}" for name, fact in _facts(finding))
            lines.append(f"- {_escaped(finding.sentence)}" + (f" ({facts})" if facts else ""))
        if group.omitted:
            lines.append(f"- … and {group.omitted:,} more")
    return "\n".join(lines) + "\n"


def as_text(checked: Checked, groups: Sequence[Group], *, colour: bool = False) -> str:
    """For a terminal, where ``colour`` may be wanted."""

    def ink(code: str, words: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if colour else words

    lines = [
        ink("1", f"{printable(checked.store)}: {summed_up(counted(groups))}"),
        f"{checked.was} {checked.was_not}".strip(),
    ]
    for group in groups:
        lines += ["", ink(_COLOURS[group.severity], f"{_GLYPHS[group.severity]} {_heading(group, printable)}")]
        if group.rule.text:
            lines.append(f"  {printable(group.rule.text)} ({printable(f'{group.rule.id}; {group.rule.source}')})")
        for finding in group.findings:
            lines.append(f"  - {printable(finding.sentence)}")
            lines += [f"      {name}: {printable(fact)}" for name, fact in _facts(finding)]
        if group.omitted:
            lines.append(f"  … and {group.omitted:,} more")
    return "\n".join(lines) + "\n"


def _heading(group: Group, show: Callable[[str], str]) -> str:
    count = f" ({group.count:,} times)" if group.count > 1 else ""
    return f"{WORDS[group.severity][0].capitalize()}: {show(group.rule.title)}{count}"


def _facts(finding: Finding) -> list[tuple[str, str]]:
    place = f"{finding.place} {finding.where}".strip()
    facts = (("in", place), ("expected", finding.expected), ("found", finding.found))
    return [(name, fact) for name, fact in facts if fact]


def _group_as_json(group: Group) -> dict[str, Any]:
    rule = group.rule
    return {
        "id": rule.id,
        "severity": group.severity.name.lower(),
        "title": rule.title,
        "text": rule.text,
        "source": rule.source,
        "count": group.count,
        "omitted": group.omitted,
        "findings": [_finding_as_json(finding) for finding in group.findings],
    }


def _finding_as_json(finding: Finding) -> dict[str, str | None]:
    return {
        "severity": finding.severity.name.lower(),
        "sentence": _spelt(finding.sentence),
        "place": _spelt(finding.place),
        "where": _spelt(finding.where),
        "expected": _spelt(finding.expected),
        "found": _spelt(finding.found),
        "remedy": _remedy_name(finding.remedy),
    }


def _remedy_name(remedy: Remedy | None) -> str | None:
    return None if remedy is None else remedy.name.lower().replace("_", "-")


def _spelt(text: str) -> str:
    """Text that any reader of JSON takes: what is no text in UTF-8 is spelt with a backslash."""
    return _SURROGATE.sub(_backslashed, text)


def _backslashed(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", printable(text))


def _natural(name: str) -> list[tuple[int, str]]:
    """V9 before V10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
