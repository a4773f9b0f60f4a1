"""Says what is wrong with a row of a store: what was expected and found, and what can be done about it."""

from engine.document import Index, Manifest
from engine.findings import Finding, Severity
from engine.snapshot import Outcome, State
from gui import icons, text, theme
from gui.panels import naming
from gui.panels.describe import FEW, WIDEST_STATE, Subject, descriptors_of, digest_field, state_mark
from gui.panels.page import Block, Field, Fields, Heading, Line, Paragraph, Row, Span, Table, copy, quote, say
from gui.session import Session
from gui.theme import Role as Ink

_TOLD = (State.CORRUPT, State.SIZE_DIFFERS, State.MISSING, State.UNREADABLE, State.NOT_REGULAR)
"""States that are told at length; what says the same is not told once more."""


def condition(subject: Subject) -> list[Block]:
    """What is wrong with the row or its parts, what was expected and found, and what can be done about it."""
    blocks: list[Block] = []
    state = subject.state
    if state in _REMEDIES:
        blocks.append(Paragraph([state_mark(state, text.STATES[state].sentence)]))
        rows = _expected_and_found(subject)
        remedy = _REMEDIES[state].format(size=text.size(subject.size))
        if remedy:
            rows.append(Field("What to do", [[say(remedy)]]))
        if rows:
            blocks.append(Fields(rows))
    return blocks + _unsound_parts(subject)


def _expected_and_found(subject: Subject) -> list[Field]:
    state = subject.state
    if state in (State.CORRUPT, State.SIZE_DIFFERS, State.MISSING):
        return _compare(subject)
    if state in (State.UNREADABLE, State.DAMAGED):
        told = subject.session.problems.of(subject.digest)
        return [Field("Found", [[quote(finding.sentence)] for finding in told[:3]])] if told else []
    if state == State.EXTERNAL:
        urls = list({url: None for descriptor in descriptors_of(subject) for url in descriptor.urls})[:FEW]
        return [Field("" if n else "Kept at", [[quote(url)]], copy(url, "the address")) for n, url in enumerate(urls)]
    return []


def _compare(subject: Subject) -> list[Field]:
    """Digest and size as they should be and as they are, where they differ."""
    verdicts = subject.session.verdicts
    is_hashed = subject.state == State.CORRUPT or verdicts.outcomes[subject.row] == Outcome.CORRUPT
    digest = verdicts.found.get(subject.digest, "") if is_hashed else ""
    rows = []
    if is_hashed and subject.state == State.SIZE_DIFFERS:
        rows.append(Field("Checked", [state_mark(State.CORRUPT, text.STATES[State.CORRUPT].sentence)]))
    if digest:
        rows += [digest_field("Expected", subject.digest), digest_field("Found", digest, "the digest that was found")]
    sizes = sorted({descriptor.size for descriptor in descriptors_of(subject) if descriptor.size >= 0})
    if sizes and sizes != [subject.size]:
        rows.append(Field("Expected size", [[say(" or ".join(text.exact_size(size) for size in sizes[:3]))]]))
        if subject.size >= 0:
            rows.append(Field("Found size", [[say(text.exact_size(subject.size))]]))
    return rows


_REMEDIES = {
    State.CORRUPT: "Import the right file again: a good copy takes the place of this one. Or keep this one aside.",
    State.SIZE_DIFFERS: "Import the right file again: a good copy takes the place of this one. Or keep this one aside.",
    State.MISSING: "Import a file with this content, or remove what refers to it.",
    State.UNUSED: "Delete it to free {size}, unless another program is about to name it.",
    State.LOST: "Add it to the index under a name (menu Image), or clean it up to free {size}.",
    State.JUNK: "No program reads it as a blob. It only takes {size}.",
    State.DAMAGED: "The Document tab shows it as it is stored.",
    State.UNREADABLE: "Open the store as its owner, or check the disk.",
    State.NOT_REGULAR: "Move away what is there, and import the blob again.",
    State.EXTERNAL: "",
    State.NOT_CHECKABLE: "",
}


def _unsound_parts(subject: Subject) -> list[Block]:
    session, snapshot = subject.session, subject.snapshot
    if not session.worst_state(subject.row).bad or not isinstance(snapshot.document(subject.row), (Manifest, Index)):
        return []
    below = naming.parts_below(snapshot, subject.row)
    bad = [row for row in below[session.states[below] >= State.MISSING].tolist() if row != subject.row]
    if not bad:
        return []
    bad.sort(key=lambda row: (-int(session.states[row]), row))
    sentence = f"{text.count(len(bad), 'part')} of it {'is' if len(bad) == 1 else 'are'} not sound:"
    shown, rest = subject.cut("unsound", bad)
    rows: list[Row] = [[[subject.link(row)], [state_mark(session.state(row))]] for row in shown]
    worst = max(session.state(row) for row in bad)
    return [
        Paragraph([[Span(sentence, theme.state_role(worst), icon=icons.icon("error", theme.state_role(worst)))]]),
        Table(("", WIDEST_STATE), rows),
        *rest,
    ]


def problems(subject: Subject) -> list[Block]:
    """What is wrong inside the row's document, that of its config, and the index entry that it was reached through."""
    session = subject.session
    found = list(session.problems.of(subject.digest))
    if subject.state in (State.DAMAGED, State.UNREADABLE):
        found = []
    elif subject.state in _TOLD:
        found = [finding for finding in found if finding.where]
    document = subject.snapshot.document(subject.row)
    if isinstance(document, Manifest) and document.config is not None and document.config.digest:
        found += session.problems.of(document.config.digest)
    if subject.entry is not None:
        found += in_entry(session, subject.entry.position)
    found = [finding for finding in found if finding.severity > Severity.INFO]
    if not found:
        return []
    shown, rest = subject.cut("problems", found)
    return [Heading("Problems", text.number(len(found))), Fields([field_of(finding) for finding in shown]), *rest]


def in_entry(session: Session, position: int) -> list[Finding]:
    """What is wrong in one entry of the index."""
    where = f"manifests[{position}]"
    return [found for found in session.problems.of("index.json") if f"{found.where}.".startswith(f"{where}.")]


def field_of(finding: Finding) -> Field:
    """A finding in a line, with its path below."""
    line: Line = [Span(text.plain(finding.sentence), icon=icons.severity_icon(finding.severity))]
    where = [[quote(finding.where, Ink.MUTED, fixed=True)]] if finding.where else []
    return Field(text.SEVERITIES[finding.severity].word, [line, *where])
