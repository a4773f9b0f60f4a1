"""The layers of an image as its documents tell of them, together with what reading them has told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.document import Descriptor, Manifest, Role
from engine.errors import EngineError
from engine.snapshot import Kind, Snapshot, State
from gui import text
from gui.layering import MOST_LAYERS, is_layer
from gui.panels import image_facts, naming
from gui.session import Selection, Session

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.stack import ReadImage, ReadLayer

_MOST_STEPS = 5 * MOST_LAYERS
"""Steps of a history that are looked at."""
_LONGEST_STEP = 2000
"""Characters of a step that its line is made of."""
_MOST_USERS = 10_000
"""References to a layer that are looked at to find out which images share it."""


@dataclass(frozen=True, eq=False)
class StackLayer:
    """One layer of an image; ``number`` counts from 1, ``stored`` is in bytes, -1 for no file.

    ``row`` is -1 where it has no digest.
    """

    number: int
    of: int
    descriptor: Descriptor
    row: int
    step: str
    comment: str
    stored: int
    state: State
    users: Sequence[int]
    """The rows of the images that have it, too."""
    read: "ReadLayer | None"
    diff_id: str
    """What the config says of it; empty for nothing."""

    @property
    def name(self) -> str:
        """Its place and its step in one line."""
        return f"{self.number}  {self.words}"

    @property
    def words(self) -> str:
        """Its step in one line, without what may be secret."""
        words = image_facts.hide_secrets(self.step[:_LONGEST_STEP]) or self.comment[:_LONGEST_STEP]
        return text.plain(" ".join(words.split())) or "No step is recorded for it"

    def notes(self) -> list[str]:
        """What is wrong with it, in sentences."""
        read = self.read
        if read is None:
            return []
        if read.table is None and self.state in (State.MISSING, State.EXTERNAL):
            return []  # its state says it
        if read.table is None:
            return [text.error_sentence(read.error)] if isinstance(read.error, EngineError) else []
        from engine.layers import what_it_really_is  # not needed for the first window

        table = read.table
        found = [read.trouble, what_it_really_is(table, self.descriptor.media_type)]
        same_kind = table.diff_id.partition(":")[0] == self.diff_id.partition(":")[0]
        if table.diff_id and self.diff_id and same_kind and table.diff_id != self.diff_id:
            found.append("Unpacked, it is not what the config says: its diff ID is another one.")
        return [text.plain(sentence) for sentence in found if sentence]


@dataclass(frozen=True, eq=False)
class Stack:
    """All layers of an image, the lowest first, and what is odd about their history."""

    layers: Sequence[StackLayer]
    note: str
    count: int
    """How many there are, which may be more than are told of."""
    is_alone: bool = False
    """Whether it is no image, but one layer by itself."""


def has_layers(selection: Selection) -> bool:
    """Whether what is selected is an image whose layers can be in the store."""
    return _manifest(selection.session.snapshot, selection.digest) is not None


def has_files(selection: Selection) -> bool:
    """Whether what is selected is an image, or a layer, whose files can be in the store."""
    snapshot = selection.session.snapshot
    row = snapshot.find(selection.digest) if snapshot is not None else -1
    return has_layers(selection) or (snapshot is not None and row >= 0 and is_layer(snapshot, row))


def stack_of(session: Session, digest: str, read: "ReadImage | None") -> Stack:
    """What is known of the layers of the image with this manifest; of a layer, of that alone."""
    snapshot = session.snapshot
    manifest = _manifest(snapshot, digest)
    if snapshot is None or manifest is None:
        return _layer_alone(session, digest, read)
    row, count = snapshot.find(digest), len(manifest.layers)
    config = snapshot.config(row)
    steps = image_facts.build_steps(config.history[:_MOST_STEPS] if config else (), min(count, MOST_LAYERS))
    by_layer = {step.layer: step for step in steps if step.layer is not None}
    rows = naming.part_rows(snapshot, row, Role.LAYER, count)
    layers = []
    for position, descriptor in enumerate(manifest.layers[:MOST_LAYERS]):
        at = int(rows[position])
        layers.append(
            StackLayer(
                number=position + 1,
                of=count,
                descriptor=descriptor,
                row=at,
                step=by_layer[position].text,
                comment=by_layer[position].comment,
                stored=int(snapshot.columns.sizes[at]) if at >= 0 else -1,
                state=session.state(at) if at >= 0 else State.DAMAGED,
                users=_users(snapshot, at, row),
                read=read.layers[position] if read is not None else None,
                diff_id=config.diff_ids[position] if config and position < len(config.diff_ids) else "",
            )
        )
    if config is None:
        note = "The image's config cannot be read, so nothing tells which steps made the layers."
    elif not config.history:
        note = "The config has no history, so nothing tells which steps made the layers."
    else:
        note = image_facts.disagreement(config, count)
    return Stack(layers, note, count)


def _layer_alone(session: Session, digest: str, read: "ReadImage | None") -> Stack:
    snapshot = session.snapshot
    row = snapshot.find(digest) if snapshot is not None and digest else -1
    if snapshot is None or row < 0 or not is_layer(snapshot, row):
        return Stack((), "", 0)
    size = int(snapshot.columns.sizes[row])
    layer = StackLayer(
        number=1,
        of=1,
        descriptor=Descriptor(snapshot.media_type(row), digest, size),
        row=row,
        step="",
        comment="",
        stored=size,
        state=session.state(row),
        users=_users(snapshot, row, -1),
        read=read.layers[0] if read is not None else None,
        diff_id="",
    )
    return Stack((layer,), "", 1, is_alone=True)


def _manifest(snapshot: Snapshot | None, digest: str) -> Manifest | None:
    row = snapshot.find(digest) if snapshot is not None and digest else -1
    if snapshot is None or row < 0 or snapshot.kind(row) != Kind.IMAGE:
        return None
    document = snapshot.document(row)
    return document if isinstance(document, Manifest) and document.is_image and document.layers else None


def _users(snapshot: Snapshot, row: int, image: int) -> list[int]:
    if row < 0:
        return []
    edges = snapshot.edges
    mine = snapshot.edges_to(row)[:_MOST_USERS]
    mine = mine[edges.roles[mine] == Role.LAYER]
    return [user for user in np.unique(edges.sources[mine]).tolist() if user != image]
