"""Removes from layouts and takes that back, as tests of the trash and of undoing need it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.index import IndexText
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.removal import plan_removal
from engine.trash import Record
from tests.layouts import NAME, Json, LayoutFiles

TRASH = ".blobscope-trash"


def remove(path: Path, *positions: int, digests: tuple[str, ...] = (), with_content: bool = True) -> str:
    """Remove entries with what only they need, and blobs; return the record's id."""
    with ImageLayout.open(path) as layout:
        plan = plan_removal(layout.scan(Progress()), positions, digests, with_content=with_content)
        return layout.apply(plan, Progress()).record


def undo(path: Path, record: str) -> None:
    with ImageLayout.open(path) as layout:
        layout.undo(record, Progress())


def records(path: Path) -> list[Record]:
    with ImageLayout.open(path) as layout:
        return layout.trash()


def edit(path: Path, change: Callable[[IndexText], object], title: str = "Change something") -> str:
    with ImageLayout.open(path) as layout:
        return layout.edit_index(lambda index: change(index) and None, title).record


def write_as_others_do(files: LayoutFiles, change: Callable[[list[Any]], object]) -> None:
    """Rewrite index.json whole, in another layout of the text, as umoci and skopeo do."""
    document = json.loads((files.path / "index.json").read_text())
    change(document["manifests"])
    (files.path / "index.json").write_text(json.dumps(document, indent=3) + "\n")


def names(files: LayoutFiles) -> list[str | None]:
    document = json.loads((files.path / "index.json").read_text())
    return [entry.get("annotations", {}).get(NAME) for entry in document["manifests"]]


def furnish(files: LayoutFiles) -> Json:
    """Two images that share a layer, and metadata about one of them; returns the first."""
    shared = files.blob(b"shared")
    one = files.name(files.image(shared, b"one"), "one:1")
    files.name(files.image(shared, b"two"), "two:1")
    note = files.path / "metadata" / one["digest"].replace(":", "/")
    note.mkdir(parents=True, mode=0o750)
    (note / "note").write_bytes(b"mine")
    return one
