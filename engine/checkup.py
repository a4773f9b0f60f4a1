"""One whole look at a store: everything that can be found wrong with it, and how closely was looked."""

import time
from collections.abc import Mapping

import numpy as np

from engine import snapshot as facts
from engine.findings import Findings
from engine.layercheck import LayerCheck, check_layers
from engine.progress import Progress
from engine.report import Checked
from engine.snapshot import Kind, Outcome, Snapshot
from engine.store import Store
from engine.validate import validate
from engine.verdicts import Verdicts
from engine.verify import VerifyBatch


def check_up(store: Store, progress: Progress, *, deep: bool = False) -> tuple[Findings, Checked]:
    """Read the store and hold it against every rule; ``deep`` also hashes every blob and reads every layer to its end.

    Raises ``EngineError`` where the store cannot be read at all, and ``Cancelled``.
    """
    snapshot = store.scan(progress)
    verdicts = Verdicts.of(snapshot, time.time())
    layers: dict[str, LayerCheck] | None = None
    if deep:
        layers = check_layers(store, snapshot, progress)
        _note(verdicts, progress)
        left = np.flatnonzero(verdicts.outcomes == Outcome.NONE)
        store.verify(snapshot, left, progress)
        _note(verdicts, progress)
    found = validate(store, snapshot, progress, verdicts=verdicts, layers=layers).findings
    return found, what_was_checked(store, snapshot, verdicts, layers)


def what_was_checked(
    store: Store, snapshot: Snapshot, verdicts: Verdicts, layers: Mapping[str, LayerCheck] | None
) -> Checked:
    """How closely a store was looked at, now; ``layers`` are those that were read, None where none was to be."""
    columns = snapshot.columns
    is_blob = (columns.flags & (facts.PRESENT | facts.REGULAR | facts.STRAY)) == facts.PRESENT | facts.REGULAR
    hashed = is_blob & np.isin(verdicts.outcomes, (Outcome.VERIFIED, Outcome.CORRUPT))
    rows = np.flatnonzero(is_blob & (columns.kinds == Kind.LAYER)).tolist() if layers is not None else []
    return Checked(
        store=str(store.path),
        kind=store.title,
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        deep=layers is not None,
        blobs=int(np.count_nonzero(is_blob)),
        hashed=int(np.count_nonzero(hashed)),
        unread=sum(not _is_read((layers or {}).get(snapshot.name(row))) for row in rows),
    )


def _is_read(layer: LayerCheck | None) -> bool:
    """Whether a layer was read to its end; of a corrupt one nobody wants to know more."""
    return layer is not None and (bool(layer.diff_id) or layer.outcome is Outcome.CORRUPT)


def _note(verdicts: Verdicts, progress: Progress) -> None:
    for batch in progress.drain():
        if isinstance(batch, VerifyBatch):
            verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
