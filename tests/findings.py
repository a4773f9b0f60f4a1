"""Validates stores on disk, and tells what was found in short."""

from collections.abc import Mapping
from pathlib import Path

from engine import open_store
from engine.findings import Finding
from engine.progress import Progress
from engine.validate import LayerCheck, Validation, validate
from engine.verdicts import Verdicts

QUIET = frozenset({"V51", "V71"})
"""Rules of what older tools leave out; real tools of today break them all the time."""


def validated(
    path: Path,
    *,
    hashed: bool = False,
    layers: Mapping[str, LayerCheck] | None = None,
    previous: Validation | None = None,
) -> Validation:
    """Open a store, scan it, hash all its blobs if asked to, and validate it."""
    with open_store(path) as store:
        snapshot, progress = store.scan(Progress()), Progress()
        verdicts = None
        if hashed:
            store.verify(snapshot, None, progress)
            verdicts = Verdicts.of(snapshot, 0)
            for batch in progress.drain():
                verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
        return validate(store, snapshot, Progress(), verdicts=verdicts, layers=layers, previous=previous)


def found(path: Path, *, hashed: bool = False) -> list[Finding]:
    return list(validated(path, hashed=hashed).findings.items)


def told(path: Path, *, hashed: bool = False) -> list[tuple[str, str, str]]:
    """Rule, place and JSON path of everything that was found."""
    return [(each.rule, each.place, each.where) for each in found(path, hashed=hashed)]


def rules(path: Path, *, hashed: bool = False) -> set[str]:
    return {each.rule for each in found(path, hashed=hashed)}
