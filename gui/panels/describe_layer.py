"""Says in plain language what one layer of an image is: its step, its sizes, what it does, and who shares it."""

from collections.abc import Sequence

from engine.filesystem import Change
from engine.snapshot import State
from gui import icons, text
from gui.models.file_cells import CHANGES
from gui.panels import image_facts, naming
from gui.panels.describe import FEW, bytes_of, state_mark
from gui.panels.image_stack import StackLayer
from gui.panels.page import Block, Field, Fields, Heading, Line, Paragraph, Span, copy, glyph, link, quote, say
from gui.session import Selection, Session
from gui.theme import Role as Ink


def describe_layer(session: Session, layer: StackLayer, entry_position: int | None, note: str) -> list[Block]:
    """A page about one layer; ``note`` is what is odd about the image's history."""
    blocks: list[Block] = [Heading(f"Layer {layer.number}", f"of {layer.of}")]
    notes = [_warning(sentence) for sentence in layer.notes()]
    if layer.state.bad or layer.state == State.EXTERNAL:
        notes.insert(0, state_mark(layer.state, text.STATES[layer.state].sentence))
    if note:
        notes.append(_warning(note))
    if notes:
        blocks.append(Paragraph(notes))
    fields = [*_step(layer), *_sizes(layer), *_effect(layer), *_identity(session, layer, entry_position)]
    return [*blocks, Fields(fields)]


def _warning(sentence: str) -> Line:
    return [Span(sentence, Ink.WARNING, icon=icons.icon("warning", Ink.WARNING))]


def _step(layer: StackLayer) -> list[Field]:
    if not layer.step and not layer.comment:
        return [Field("Made by", [[say("No step is recorded for it.", Ink.MUTED)]])]
    fields = []
    if layer.step:
        shown = quote(image_facts.hide_secrets(layer.step), fixed=True, lines=True)
        fields.append(Field("Made by", [[shown]], copy(layer.step, "the step")))
    if layer.comment:
        fields.append(Field("Comment", [[quote(layer.comment)]]))
    return fields


def _sizes(layer: StackLayer) -> list[Field]:
    if layer.stored < 0:
        promised = [bytes_of(layer.descriptor.size), say(", by what the manifest says", Ink.MUTED)]
        return [Field("Size", [promised])] if layer.descriptor.size >= 0 else []
    stored: Line = [bytes_of(layer.stored)]
    table = layer.read.table if layer.read is not None else None
    if table is None:
        return [Field("Stored", [stored])]
    unpacked = bytes_of(table.unpacked)
    return [
        Field("Stored", [[*stored, say(f"{text.SEPARATOR}{table.compression.value}", Ink.MUTED)]]),
        Field(
            "Unpacked",
            [[unpacked, say(f"{text.SEPARATOR}{_entries(layer.read.entries if layer.read else 0)}", Ink.MUTED)]],
        ),
    ]


def _entries(count: int) -> str:
    return text.count(count, "entry", "entries")


def _effect(layer: StackLayer) -> list[Field]:
    read = layer.read
    if read is None or read.table is None:
        return []
    counts = ((Change.ADDED, read.added), (Change.CHANGED, read.changed), (Change.REMOVED, read.removed))
    done: list[Span] = []
    for change, count in counts:
        if count:
            words = CHANGES[change]
            separator = [say(", ")] if done else []
            done += [*separator, say(f"{words.glyph} {text.number(count)} {words.word}", words.role)]
    fields = [Field("Paths", [done or [say("It changes nothing.", Ink.MUTED)]])]
    fields.append(Field("Adds", [[bytes_of(read.kept), say(" of files that the image shows", Ink.MUTED)]]))
    lost = " that later layers overwrite or remove" if read.wasted else ": the image shows all that is in it"
    wasted = bytes_of(read.wasted, Ink.WARNING) if read.wasted else say("nothing")
    return [*fields, Field("Wastes", [[wasted, say(lost, Ink.MUTED)]])]


def _identity(session: Session, layer: StackLayer, entry_position: int | None) -> list[Field]:
    digest = layer.descriptor.digest
    fields = []
    if digest:
        shown = text.plain(digest)
        target = Selection(session, digest, entry_position)
        words = link(shown, target, fixed=True) if layer.row >= 0 else quote(digest, fixed=True)
        fields.append(Field("Digest", [[words]], copy(digest, "the digest")))
    if layer.diff_id:
        fields.append(Field("Diff ID", [[quote(layer.diff_id, fixed=True)]], copy(layer.diff_id, "the diff ID")))
    return [*fields, Field("Shared by", _users(session, layer.users))]


def _users(session: Session, users: Sequence[int]) -> list[Line]:
    snapshot = session.snapshot
    if snapshot is None or not users:
        return [[say("No other image in this store has it.", Ink.MUTED)]]
    lines: list[Line] = []
    for row in users[:FEW]:
        target = Selection(session, snapshot.name(row))
        mark = glyph(icons.kind_icon(naming.kind_of(snapshot, row)))
        lines.append([mark, say(" "), link(naming.row_name(snapshot, row), target, tip=target.digest)])
    if len(users) > FEW:
        lines.append([say(f"and {text.number(len(users) - FEW)} more", Ink.MUTED)])
    return lines
