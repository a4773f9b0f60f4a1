"""Says in plain language what any row of a store is: the contents of the overview."""

import numpy as np

from engine.document import CONFIG_TYPES, Descriptor, ImageConfig, Index, Manifest, Role
from engine.snapshot import Kind
from gui import text
from gui.panels import describe, describe_image, describe_state, image_facts, naming
from gui.panels.describe import WIDEST_STATE, Subject, bytes_of, digest_field, standing_mark
from gui.panels.describe_image import entry_annotations, names, pairs, size_of
from gui.panels.page import Block, Field, Fields, Heading, Line, Paragraph, Row, Table, copy, quote, say
from gui.theme import Role as Ink

_WIDEST_SIZE = "   999.9 MB"


def describe_subject(subject: Subject) -> list[Block]:
    """The whole overview of a row."""
    blocks = describe_state.condition(subject)
    if subject.kind != Kind.IMAGE and not subject.is_docker_image:
        blocks.append(Paragraph([[say(text.KINDS[subject.kind].sentence, Ink.MUTED)]]))
    document = subject.snapshot.document(subject.row)
    if isinstance(document, Index):
        blocks += _index(subject, document)
    elif isinstance(document, Manifest):
        is_image = subject.kind == Kind.IMAGE and document.is_image
        blocks += describe_image.image(subject, document) if is_image else _artifact(subject, document)
    elif isinstance(document, ImageConfig):
        describer = describe_image.docker_image if subject.is_docker_image else describe_image.config_alone
        blocks += describer(subject, document)
    elif subject.kind == Kind.LAYER:
        blocks += _layer(subject)
    else:
        blocks += _other(subject)
    return [*blocks, *describe_state.problems(subject), *describe.stored(subject)]


def _index(subject: Subject, index: Index) -> list[Block]:
    snapshot = subject.snapshot
    rows = [*names(subject), Field("Stored size", [[bytes_of(naming.total_size(snapshot, subject.row))]])]
    blocks: list[Block] = [Fields([*rows, *describe.belongs_to(subject)])]
    parts = naming.part_rows(snapshot, subject.row, Role.MANIFEST, len(index.manifests))
    kinds = np.where(parts >= 0, snapshot.columns.kinds[parts], Kind.STRAY) if len(parts) else parts
    runs = (kinds == Kind.IMAGE) | (kinds == Kind.INDEX)
    for title, chosen in (("Platforms", runs), ("Listed beside them", ~runs & (parts >= 0))):
        places = np.flatnonzero(chosen).tolist()
        shown, rest = subject.cut(title, places)
        if shown:
            table = [_listed(subject, index.manifests[place], int(parts[place])) for place in shown]
            blocks += [
                Heading(title, text.number(len(places))),
                Table(("", WIDEST_STATE, _WIDEST_SIZE), table, right=2),
                *rest,
            ]
    blocks += describe.attached(subject)
    return [*blocks, *pairs(subject, "Annotations", index.annotations), *entry_annotations(subject)]


def _listed(subject: Subject, descriptor: Descriptor, row: int) -> Row:
    snapshot = subject.snapshot
    is_image = snapshot.kind(row) in (Kind.IMAGE, Kind.INDEX)
    name = text.plain(snapshot.platform(row, descriptor)) if is_image else ""
    state = standing_mark(subject.session, row)
    return [[subject.link(row, name)], [state], [[bytes_of(naming.total_size(snapshot, row))]]]


def _artifact(subject: Subject, manifest: Manifest) -> list[Block]:
    rows = names(subject)
    if manifest.type_of_artifact and manifest.type_of_artifact not in CONFIG_TYPES:
        words = text.media_type(manifest.type_of_artifact)
        rows.append(Field("Type", [[say(words)]]))
    rows += describe.belongs_to(subject)
    rows.append(Field("Stored size", [[bytes_of(naming.total_size(subject.snapshot, subject.row))]]))
    blocks: list[Block] = [Fields(rows)]
    shown, rest = subject.cut("content", [layer for layer in manifest.layers if layer.digest])
    if shown:
        table = Table(("", _WIDEST_SIZE), [_content(subject, layer) for layer in shown], right=1)
        blocks += [Heading("Content", text.number(len(manifest.layers))), table, *rest]
    blocks += describe.attached(subject)
    return [*blocks, *pairs(subject, "Annotations", manifest.annotations), *entry_annotations(subject)]


def _content(subject: Subject, descriptor: Descriptor) -> Row:
    row = subject.snapshot.find(descriptor.digest)
    name: Line = subject.link(row) if row >= 0 else [quote(descriptor.digest)]
    what = say(text.media_type(descriptor.media_type), Ink.MUTED)
    return [[name, [what]], [[bytes_of(size_of(subject, descriptor))]]]


def _layer(subject: Subject) -> list[Block]:
    snapshot = subject.snapshot
    rows = [Field("Compression", [[say(_compression(snapshot.media_type(subject.row)))]])]
    for _, source in naming.parts_above(snapshot, subject.row, 1):
        rows.append(Field("Place", [[say(naming.capital(naming.part_name(snapshot, source, subject.row)))]]))
        config = snapshot.config(source.row)
        if config is not None:
            rows += _layer_in(subject, config, source.position)
    return [Fields(rows), *describe.used_by(subject, Role.LAYER, "image")]


def _compression(media_type: str) -> str:
    name = media_type.rpartition("+")[2] if "+" in media_type else media_type.rpartition(".")[2]
    return "none" if name == "tar" else text.plain(name)


def _layer_in(subject: Subject, config: ImageConfig, position: int) -> list[Field]:
    rows = []
    steps = image_facts.build_steps(config.history, position + 1)
    step = next((step for step in steps if step.layer == position), None)
    if step is not None and step.text:
        words = step.text if subject.revealed else image_facts.hide_secrets(step.text)
        rows.append(Field("Made by", [[quote(words, fixed=True, lines=True)]], copy(words, "the step")))
    if position < len(config.diff_ids):
        rows.append(digest_field("Diff ID", config.diff_ids[position], "the diff ID"))
    return rows


def _other(subject: Subject) -> list[Block]:
    title = naming.title_of(subject.snapshot, subject.row)
    rows = [Field("File name", [[say(title)]], copy(title, "the file name"))] if title else []
    rows += describe.belongs_to(subject)
    blocks: list[Block] = [Fields(rows)] if rows else []
    for role in (Role.LAYER, Role.CONFIG, Role.MANIFEST):
        blocks += describe.used_by(subject, role, "document")
    return [*blocks, *describe.attached(subject), *entry_annotations(subject)]
