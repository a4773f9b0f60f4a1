"""Says in plain language what one row of a store is: sections of text for the overview.

Reads the snapshot and the session's states only; nothing here touches the disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from engine.digest import shorten
from engine.document import Descriptor, Index, Role
from engine.kinds import attached_to
from engine.snapshot import PRESENT, STRAY, Entry, Kind, Snapshot, State
from gui import icons, text, theme
from gui.panels import naming
from gui.panels.page import (
    Block,
    Field,
    Fields,
    Heading,
    Line,
    Paragraph,
    Row,
    Span,
    Table,
    copy,
    glyph,
    link,
    quote,
    say,
)
from gui.panels.standing import standing
from gui.session import Selection, Session
from gui.theme import Role as Ink

Item = TypeVar("Item")

FEW = 12
"""Rows of a list before the rest waits for "Show all"."""
MOST = 200
"""Rows of a list that are ever shown here."""
_REFERENCES = 64
"""References to a row that are looked at to find out what it should be."""
WIDEST_STATE = "     Missing: 1 part"
"""The sample of a column for states."""


@dataclass(frozen=True)
class ShowAll:
    """A followed link: show the whole of a list."""

    section: str


@dataclass(frozen=True)
class Reveal:
    """A followed link: show what was hidden because it may be secret."""


@dataclass(frozen=True)
class Check:
    """A followed link: compare the content, and that of its parts, with their digests now."""


@dataclass(frozen=True)
class Subject:
    """The row that is described, and what the reader has asked to see of it."""

    session: Session
    snapshot: Snapshot
    row: int
    entry_position: int | None = None
    expanded: frozenset[str] = frozenset()
    revealed: bool = False
    last_updated: str = ""
    """When Docker last changed the image, as Docker wrote it."""
    state: State = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", self.session.state(self.row))

    @property
    def digest(self) -> str:
        return self.snapshot.name(self.row)

    @property
    def kind(self) -> Kind:
        return self.snapshot.kind(self.row)

    @property
    def size(self) -> int:
        """Bytes on disk, -1 where there is no file."""
        return int(self.snapshot.columns.sizes[self.row])

    @property
    def entry(self) -> Entry | None:
        """The index entry that it was reached through, where that names this very row."""
        position, entries = self.entry_position, self.snapshot.entries
        if position is None or not 0 <= position < len(entries):
            return None
        return entries[position] if entries[position].row == self.row else None

    @property
    def is_docker_image(self) -> bool:
        return self.kind == Kind.CONFIG and self.snapshot.store_kind == "docker"

    def to(self, row: int) -> Selection:
        """Where a link to another row leads."""
        return Selection(self.session, self.snapshot.name(row), self.entry_position)

    def link(self, row: int, words: str = "", *, icon: bool = True) -> Line:
        """A link to another row, with the glyph of its kind."""
        span = link(words or naming.row_name(self.snapshot, row), self.to(row), tip=self.snapshot.name(row))
        if icon:
            return [glyph(icons.kind_icon(naming.kind_of(self.snapshot, row))), say(" "), span]
        return [span]

    def cut(self, section: str, items: Sequence[Item], count: int = -1) -> tuple[Sequence[Item], list[Block]]:
        """The items of a list that are shown, and the line that offers or explains the rest.

        ``count`` is how many there are, where ``items`` holds only the first ``MOST``.
        """
        count = len(items) if count < 0 else count
        is_whole = section in self.expanded
        limit = MOST if is_whole else FEW
        if count <= limit:
            return items, []
        if is_whole:
            rest = [say(f"… and {text.number(count - MOST)} more.", Ink.MUTED)]
        else:
            rest = [link(f"Show all {text.number(count)}", ShowAll(section))]
        return items[:limit], [Paragraph([rest])]


def state_mark(state: State, words: str = "") -> Line:
    """Glyph and word of a state in its colour."""
    known = text.STATES[state]
    return [Span(words or known.word, theme.state_role(state), icon=icons.state_icon(state), tip=known.sentence)]


def standing_mark(session: Session, row: int) -> Line:
    """Glyph and words for how a row stands together with its parts."""
    found = standing(session, row)
    return state_mark(found.state, found.words)


def bytes_of(size: int, role: Ink = Ink.TEXT) -> Span:
    """A size, with the exact bytes behind it."""
    return say(text.size(size), role, tip=text.exact_size(size))


def digest_field(label: str, digest: str, what: str = "the digest") -> Field:
    """A whole digest in the fixed font, to read and to copy."""
    return Field(label, [[quote(digest, fixed=True)]], copy(digest, what))


def stored(subject: Subject) -> list[Block]:
    """Where and how the row lies on the disk: digest, media type, size, time, check."""
    snapshot, columns = subject.snapshot, subject.snapshot.columns
    if snapshot.has(subject.row, STRAY):
        rows = [Field("File", [[quote(subject.digest, fixed=True)]], copy(subject.digest, "the path"))]
    else:
        rows = [digest_field("Digest", subject.digest)]
    media_type = snapshot.media_type(subject.row)
    if media_type:
        words = text.media_type(media_type)
        raw = [[quote(media_type, Ink.MUTED)]] if words != text.plain(media_type) else []
        rows.append(Field("Media type", [[say(words)], *raw]))
    if snapshot.has(subject.row, PRESENT) and subject.size >= 0:
        size = [bytes_of(subject.size)]
        if subject.size >= 1000:
            size.append(say(f" ({text.exact_size(subject.size)})", Ink.MUTED))
        rows.append(Field("Size", [size]))
        rows.append(Field("Modified", [[say(text.moment(float(columns.mtimes[subject.row]) / 1e9))]]))
    checked = _checked(subject)
    if checked:
        rows.append(Field("Checked", [checked]))
    return [Heading("In this store"), Fields(rows)]


def _checked(subject: Subject) -> Line:
    verdicts = subject.session.verdicts
    when = int(verdicts.checked_at[subject.row]) if subject.row < len(verdicts.checked_at) else 0
    if subject.state == State.CHECKING:
        return [say("Being checked now")]
    if when:
        passed = text.ago(when)
        line = [say(passed[:1].upper() + passed[1:], tip=text.moment(when))]
        if subject.state == State.VERIFIED and standing(subject.session, subject.row).state == State.NOT_CHECKED:
            line += [say(", but not all its parts. "), link("Check them now", Check())]
        return line
    if subject.state in (State.NOT_CHECKED, State.UNUSED, State.LOST):
        return [say("Not yet. "), link("Check it now", Check())]
    return []


def descriptors_of(subject: Subject) -> list[Descriptor]:
    """What the first few references to the row say of it."""
    snapshot = subject.snapshot
    edges = snapshot.edges_to(subject.row)[:_REFERENCES].tolist()
    found = [entry.descriptor for entry in snapshot.entries_of(subject.row)[:_REFERENCES]]
    return found + [naming.descriptor_of(snapshot, edge) for edge in edges]


def used_by(subject: Subject, role: Role, noun: str) -> list[Block]:
    """The documents that have the row as a part."""
    edges = subject.snapshot.edges
    mine = subject.snapshot.edges_to(subject.row)
    sources = np.unique(edges.sources[mine[edges.roles[mine] == role]]).tolist()
    if not sources:
        return []
    shown, rest = subject.cut("used by", sources)
    return [
        Heading(f"Used by {text.count(len(sources), noun)}", "on disk once" if len(sources) > 1 else ""),
        Table(("", WIDEST_STATE), [_used_by_row(subject, row) for row in shown]),
        *rest,
    ]


def _used_by_row(subject: Subject, row: int) -> Row:
    target = Selection(subject.session, subject.snapshot.name(row))
    words = naming.row_name(subject.snapshot, row)
    return [
        [
            [
                glyph(icons.kind_icon(naming.kind_of(subject.snapshot, row))),
                say(" "),
                link(words, target, tip=target.digest),
            ]
        ],
        [standing_mark(subject.session, row)],
    ]


def belongs_to(subject: Subject) -> list[Field]:
    """Links to what the row is attached to: the image that a signature signs, for example."""
    snapshot = subject.snapshot
    edges = snapshot.edges_from(subject.row)
    roles = snapshot.edges.roles[edges]
    found = snapshot.edges.targets[edges[(roles == Role.SUBJECT) | (roles == Role.ATTACHED)]]
    rows = dict.fromkeys(found.tolist())
    if isinstance(snapshot.document(subject.row), Index):
        # An index under a referrers tag lists what belongs to an image, and so belongs to it as well.
        named = (attached_to(entry.descriptor) for entry in snapshot.entries_of(subject.row)[:_REFERENCES])
        places = (snapshot.find(digest) for digest in named if digest)
        rows |= dict.fromkeys(row for row in places if row not in (-1, subject.row))
    lines = [[*subject.link(row), say("  "), *standing_mark(subject.session, row)] for row in rows]
    return [Field("Belongs to", lines)] if lines else []


def attached(subject: Subject) -> list[Block]:
    """What belongs to the row without being part of it: signatures, attestations, SBOMs."""
    snapshot, edges = subject.snapshot, subject.snapshot.edges
    mine = snapshot.edges_to(subject.row)
    mine = mine[(edges.roles[mine] == Role.SUBJECT) | (edges.roles[mine] == Role.ATTACHED)]
    sources = list(dict.fromkeys(edges.sources[mine].tolist()))
    if not sources:
        return []
    shown, rest = subject.cut("attached", sources)
    rows: list[Row] = [
        [
            [[*subject.link(row, f"{text.KINDS[snapshot.kind(row)].word} {shorten(snapshot.name(row))}")]],
            [standing_mark(subject.session, row)],
        ]
        for row in shown
    ]
    return [Heading("Attached", text.number(len(sources))), Table(("", WIDEST_STATE), rows), *rest]
