"""The engine of Blobscope: content-addressed stores of container images, without a window.

    with open_store("images/app") as store:              # an OCI image layout or Docker's image store
        snapshot = store.scan(Progress())                   # what is in it, what refers to what
        for entry in snapshot.entries:
            print(entry.names, snapshot.platform(entry.row), snapshot.total_size(entry.row))
        store.verify(snapshot, None, Progress())            # hash everything, on all cores
        store.import_files([ImportRequest(Path("layer.tar"))], Progress())
        plan = plan_removal(snapshot, [0], with_content=True)   # what would go, what stays and why
        change = store.apply(plan, Progress())                  # into the store's trash
        store.undo(change.record, Progress())                   # and back

Opening writes nothing. What fails raises an ``EngineError`` whose text is a sentence for a person.
"""

import os
from pathlib import Path

from engine.docker import DockerImageStore
from engine.errors import EngineError, NotAStore, StorageFailed
from engine.importing import ImportRequest, Source, inspect_source
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Snapshot
from engine.store import Store

__all__ = [
    "DockerImageStore",
    "EngineError",
    "ImageLayout",
    "ImportRequest",
    "NotAStore",
    "Progress",
    "RemovalPlan",
    "Snapshot",
    "Source",
    "StorageFailed",
    "Store",
    "inspect_source",
    "open_store",
    "plan_removal",
]


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open whatever store lies at ``path``: an image layout, Docker's ``imagedb``, or Docker's data root.

    Raises ``NotAStore`` with what was looked for and what was found, ``StorageFailed`` where nothing can be read.
    """
    place = Path(path)
    try:
        return ImageLayout.open(place)
    except NotAStore:
        try:
            return DockerImageStore.open(place)
        except NotAStore:
            if not place.is_dir():
                raise
            expected, found = (
                "oci-layout, index.json and blobs, or content/sha256 and metadata/sha256",
                _contents(place),
            )
            raise NotAStore(
                f"{place} is neither an OCI image layout nor Docker's image store: "
                f"looked for {expected}, found {found}.",
                place=str(place),
                expected=expected,
                found=found,
                remedy="Choose the folder that holds index.json, or Docker's imagedb.",
            ) from None


def _contents(place: Path) -> str:
    """The first names in a folder, for a message."""
    try:
        names = sorted(entry.name for entry in os.scandir(place))
    except OSError as error:
        raise StorageFailed.from_os("Reading", str(place), error) from error
    if not names:
        return "an empty folder"
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
