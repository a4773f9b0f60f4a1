"""Says what is wrong with a row of a store: what was expected and found, and what can be done about it."""

from engine.document import Index, Manifest, Problem
from engine.snapshot import Outcome, State
from gui import icons, text, theme
from gui.panels import naming
from gui.panels.describe import FEW, WIDEST_STATE, Subject, descriptors_of, digest_field, state_mark
from gui.panels.page import Block, Field, Fields, Heading, Line, Paragraph, Row, Span, Table, copy, quote, say
from gui.theme import Role as Ink

_SEVERITIES = {
    "error": ("error", Ink.BAD),
    "warning": ("warning", Ink.WARNING),
    "info": ("notice", Ink.MUTED),
}


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
    state, snapshot = subject.state, subject.snapshot
    if state in (State.CORRUPT, State.SIZE_DIFFERS, State.MISSING):
        return _compare(subject)
    if state in (State.UNREADABLE, State.DAMAGED):
        told = [p for p in (*snapshot.problems, *snapshot.problems_of(subject.row)) if p.place == subject.digest]
        return [Field("Found", [[quote(problem.sentence)] for problem in told[:3]])] if told else []
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
    State.CORRUPT: "Import the right file again: a good copy takes the place of this one.",
    State.SIZE_DIFFERS: "Import the right file again: a good copy takes the place of this one.",
    State.MISSING: "Import a file with this content, or remove what refers to it.",
    State.UNUSED: "Delete it to free {size}, unless another program is about to name it.",
    State.LOST: "Import its file from the blobs folder under a name to have it in the index again.",
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
    """What is wrong inside the row's document, and that of its config."""
    found: list[Problem] = list(subject.snapshot.problems_of(subject.row))
    document = subject.snapshot.document(subject.row)
    if isinstance(document, Manifest) and document.config is not None and document.config.digest:
        config = subject.snapshot.find(document.config.digest)
        found += subject.snapshot.problems_of(config) if config >= 0 else []
    entry = subject.entry
    if entry is not None:
        where = f"manifests[{entry.position}]"
        found += [p for p in subject.snapshot.problems if p.where == where or p.where.startswith(f"{where}.")]
    if subject.state == State.DAMAGED:
        found = [problem for problem in found if problem.place != subject.digest]
    found = [problem for problem in found if problem.severity != "info"]
    if not found:
        return []
    shown, rest = subject.cut("problems", found)
    return [Heading("Problems", text.number(len(found))), Fields([_problem(problem) for problem in shown]), *rest]


def _problem(problem: Problem) -> Field:
    icon, ink = _SEVERITIES.get(problem.severity, _SEVERITIES["info"])
    line: Line = [Span(text.plain(problem.sentence), icon=icons.icon(icon, ink))]
    where = [[quote(problem.where, Ink.MUTED, fixed=True)]] if problem.where else []
    return Field(problem.severity.capitalize(), [line, *where])
