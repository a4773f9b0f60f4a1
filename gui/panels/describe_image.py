"""Says in plain language what an image is and runs, and how it was built."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from engine.document import REF_NAME, Descriptor, ImageConfig, Manifest, Role
from engine.snapshot import State
from gui import icons, text
from gui.panels import describe, image_facts, naming
from gui.panels.describe import MOST, Reveal, Subject, bytes_of, state_mark
from gui.panels.page import (
    GLYPH,
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
    link,
    quote,
    say,
)
from gui.theme import Role as Ink

_NO_TIME = "0001-01-01T00:00:00Z"
_LONGEST_STEP = 600


def image(subject: Subject, manifest: Manifest) -> list[Block]:
    """An image manifest, together with its config."""
    config = subject.snapshot.config(subject.row)
    rows = [*names(subject), *_platform(subject, config), *_made(config), _stored_size(subject, manifest)]
    blocks: list[Block] = [Fields([*rows, *describe.belongs_to(subject)])]
    if config is not None:
        blocks += _running(subject, config)
    elif manifest.config is not None:
        blocks += _without_config(subject, manifest.config)
    blocks += describe.attached(subject)
    blocks += _building(subject, config, manifest.layers)
    blocks += pairs(subject, "Labels", config.labels if config else {})
    return [*blocks, *pairs(subject, "Annotations", manifest.annotations), *entry_annotations(subject)]


def docker_image(subject: Subject, config: ImageConfig) -> list[Block]:
    """An image of Docker's store, which is its config."""
    snapshot = subject.snapshot
    rows = [*names(subject), *_platform(subject, config), *_made(config)]
    for edge in snapshot.edges_from(subject.row).tolist():
        target = naming.target_of(snapshot, edge)
        if target.role == Role.PARENT:
            rows.append(Field("Built on", [subject.link(target.row)]))
    if subject.last_updated:
        rows.append(Field("Last updated", [[say(text.moment_of(subject.last_updated))]]))
    blocks: list[Block] = [Fields(rows), *_running(subject, config), *_building(subject, config, None)]
    shown, rest = subject.cut("diff ids", config.diff_ids)
    if shown:
        table: list[Row] = [
            [[[say(str(number), Ink.MUTED)]], [[quote(diff_id, fixed=True)]], [[copy(diff_id, "the diff ID")]]]
            for number, diff_id in enumerate(shown, 1)
        ]
        blocks += [Heading("Layers, unpacked", "Docker keeps them elsewhere"), Table(("000", "", GLYPH), table), *rest]
    return [*blocks, *describe.attached(subject), *pairs(subject, "Labels", config.labels)]


def config_alone(subject: Subject, config: ImageConfig) -> list[Block]:
    """The config of images in a layout."""
    blocks: list[Block] = [Fields([*_platform(subject, config), *_made(config)]), *_running(subject, config)]
    blocks += describe.used_by(subject, Role.CONFIG, "image")
    return [*blocks, *_building(subject, config, None), *pairs(subject, "Labels", config.labels)]


def names(subject: Subject) -> list[Field]:
    """The names that lead to the row, its own or those of the indexes that list it."""
    named = subject.snapshot.entries_of(subject.row)[:MOST]
    own = list(dict.fromkeys(name for entry in named for name in entry.names))
    if not own:
        above = naming.names_of(subject.snapshot, subject.row)
        if above:
            return [Field("Part of", [[say(name)] for name in above])]
        return [Field("Name", [[say("No name", Ink.MUTED)]])]
    label = "Name" if len(own) == 1 else "Names"
    rows = [
        Field(
            label if not number else "",
            [[quote(name) if name else say("an empty name", Ink.MUTED)]],
            copy(name, "the name"),
        )
        for number, name in enumerate(own[: describe.FEW])
    ]
    if len(own) > describe.FEW:
        rows.append(Field("", [[say(f"and {text.number(len(own) - describe.FEW)} more", Ink.MUTED)]]))
    return rows


def _platform(subject: Subject, config: ImageConfig | None) -> list[Field]:
    entry = subject.entry
    words = subject.snapshot.platform(subject.row, entry.descriptor if entry else None)
    version = config.platform.os_version if config else ""
    return [Field("Platform", [[quote(f"{words} {version}".strip())]])] if words else []


def _made(config: ImageConfig | None) -> list[Field]:
    if config is None:
        return []
    created = [_time(config.created)] if config.created and config.created != _NO_TIME else []
    author = [[quote(config.author)]] if config.author else []
    return [Field(label, lines) for label, lines in (("Created", created), ("Author", author)) if lines]


def _time(rfc3339: str) -> Line:
    shown = say(text.moment_of(rfc3339), tip=text.plain(rfc3339))
    try:
        moment = datetime.fromisoformat(rfc3339)
        passed = text.ago(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
    except (ValueError, OverflowError):
        return [shown]
    return [shown, say(f"{text.SEPARATOR}{passed}", Ink.MUTED)] if passed.endswith("ago") else [shown]


def _stored_size(subject: Subject, manifest: Manifest) -> Field:
    layers = manifest.layers
    rows = naming.part_rows(subject.snapshot, subject.row, Role.LAYER, len(layers))
    promised = np.fromiter((max(layer.size, 0) for layer in layers), np.int64, len(layers))
    on_disk = np.where(rows >= 0, subject.snapshot.columns.sizes[rows], -1) if len(layers) else promised
    together = int(np.where(on_disk >= 0, on_disk, promised).sum())
    parts = [say(f"{text.count(len(layers), 'layer')}: ", Ink.MUTED), bytes_of(together, Ink.MUTED)]
    if manifest.config is not None:
        config_size = bytes_of(size_of(subject, manifest.config), Ink.MUTED)
        parts += [say(f"{text.SEPARATOR}config: ", Ink.MUTED), config_size]
    return Field("Stored size", [[bytes_of(naming.total_size(subject.snapshot, subject.row))], parts])


def size_of(subject: Subject, descriptor: Descriptor) -> int:
    """Bytes of what a descriptor names: on disk, or else as it says."""
    row = subject.snapshot.find(descriptor.digest) if descriptor.digest else -1
    on_disk = int(subject.snapshot.columns.sizes[row]) if row >= 0 else -1
    return on_disk if on_disk >= 0 else max(descriptor.size, 0)


# -------------------------------------------------------------------------------------------------- what it runs


def _without_config(subject: Subject, config: Descriptor) -> list[Block]:
    row = subject.snapshot.find(config.digest) if config.digest else -1
    mark = [say("  "), *state_mark(subject.session.state(row))] if row >= 0 else []
    where = [Fields([Field("Config", [[*subject.link(row), *mark]])])] if row >= 0 else []
    return [Heading("What it runs"), Paragraph([[say("Not known: its config cannot be read.", Ink.MUTED)]]), *where]


def _running(subject: Subject, config: ImageConfig) -> list[Block]:
    command = image_facts.command_line(config)
    if command:
        rows = [Field("Command", [[quote(command, fixed=True)]], copy(command, "the command"))]
    else:
        rows = [Field("Command", [[say("None: whoever runs it says what to run.", Ink.MUTED)]])]
    if config.working_dir:
        rows.append(Field("Starts in", [[quote(config.working_dir, fixed=True)]]))
    rows.append(Field("User", [[quote(config.user, fixed=True) if config.user else say("root", Ink.MUTED)]]))
    if config.stop_signal:
        rows.append(Field("Stop signal", [[quote(config.stop_signal, fixed=True)]]))
    if config.exposed_ports:
        rows.append(Field("Ports", [[quote(", ".join(config.exposed_ports[:MOST]))]]))
    if config.volumes:
        rows.append(Field("Volumes", [[quote(volume, fixed=True)] for volume in config.volumes[:MOST]]))
    return [Heading("What it runs"), Fields(rows), *_environment(subject, config)]


def _environment(subject: Subject, config: ImageConfig) -> list[Block]:
    variables = image_facts.variables(config.env[:MOST])
    shown, rest = subject.cut("environment", variables, len(config.env))
    if not shown:
        return []
    rows: list[Row] = []
    for name, value in shown:
        told, action = _value(subject, name, value)
        rows.append([[[quote(f"{name}=", Ink.MUTED, fixed=True), *told]], [[action]]])
    return [Heading("Environment", text.number(len(config.env))), Table(("", GLYPH), rows), *rest]


def pairs(subject: Subject, title: str, found: Mapping[str, str]) -> list[Block]:
    """Labels and annotations: their names are long, so name and value stand under each other."""
    shown, rest = subject.cut(title, list(found.items()))
    if not shown:
        return []
    rows: list[Row] = []
    for name, value in shown:
        told, action = _value(subject, name, value)
        rows.append([[[quote(name, Ink.MUTED)], told], [[action]]])
    return [Heading(title, text.number(len(found))), Table(("", GLYPH), rows), *rest]


def entry_annotations(subject: Subject) -> list[Block]:
    """What the index entry says of the row beside its name."""
    entry = subject.entry
    found = {key: value for key, value in entry.descriptor.annotations.items() if key != REF_NAME} if entry else {}
    return pairs(subject, "Annotations in the index", found)


def _value(subject: Subject, name: str, value: str) -> tuple[Line, Span]:
    """A value and its copy link; one that may be a secret stays hidden until somebody asks."""
    action = copy(value, f"the value of {text.plain(name, 40)}")
    hidden = value if subject.revealed else image_facts.hide_value(name, value)
    if hidden != value:
        return [
            quote(hidden, Ink.MUTED, fixed=True),
            say(" "),
            link("Show", Reveal(), tip="It may be a secret."),
        ], action
    return [quote(value, fixed=True)], action


# ---------------------------------------------------------------------------------------------- how it was built


def _building(subject: Subject, config: ImageConfig | None, layers: Sequence[Descriptor] | None) -> list[Block]:
    """Layers against history; ``layers`` is None where only the config is known."""
    diff_ids = config.diff_ids if config else ()
    count = len(diff_ids) if layers is None else len(layers)
    history = config.history if config else ()
    steps = image_facts.build_steps(history[:MOST], min(count, MOST))
    if not steps:
        return []
    step_count = len(history) + max(0, count - sum(not step.empty_layer for step in history))
    shown, rest = subject.cut("steps", steps, step_count)
    columns = 2 if layers is None else 3
    head: Row = [[[say(words, Ink.MUTED)]] for words in ("Layer", "Step", "Stored")]
    table: list[Row] = [head[:columns], *(_step(subject, step, layers)[:columns] for step in shown)]
    note = image_facts.disagreement(config, count) if config else ""
    warning = Span(note, Ink.WARNING, icon=icons.icon("warning", Ink.WARNING))
    return [
        Heading("How it was built", text.count(step_count, "step")),
        *([Paragraph([[warning]])] if note else []),
        Table(("Layer", "", "    999.9 MB")[:columns], table, right=2),
        *rest,
    ]


def _step(subject: Subject, step: image_facts.Step, layers: Sequence[Descriptor] | None) -> Row:
    told = [_told(subject, step)]
    if step.layer is None:
        return [[[say("–", Ink.MUTED)]], [told], []]
    number = str(step.layer + 1)
    layer = layers[step.layer] if layers is not None else None
    row = subject.snapshot.find(layer.digest) if layer is not None and layer.digest else -1
    if layer is None or row < 0:
        return [[[say(number)]], [told], []]
    state = subject.session.state(row)
    stored: list[Line] = [[bytes_of(size_of(subject, layer))]]
    if state.bad or state == State.EXTERNAL:
        stored.append(state_mark(state))
    return [[[link(number, subject.to(row), tip=layer.digest)]], [told], stored]


def _told(subject: Subject, step: image_facts.Step) -> Span:
    words = step.text or step.comment
    if not words:
        return say("Nothing is recorded." if step.layer is None else "No step is recorded for it.", Ink.MUTED)
    shown = text.plain(words if subject.revealed else image_facts.hide_secrets(words), _LONGEST_STEP, lines=True)
    return Span(shown, fixed=True) if step.text else Span(shown, Ink.MUTED)
