"""Everything that changes a store, by name: what a person can ask for, and what is done inside of that."""

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from engine import DockerImageStore, ImageLayout, ImportRequest, Progress, open_store, plan_removal
from engine.cleanup import plan_cleanup
from engine.document import Descriptor
from engine.findings import Finding, Remedy, Severity
from engine.index import IndexText
from engine.remedies import apply_remedy, replace_blob

LARGE = bytes(range(256)) * 10_000
"""Content that is written in three pieces."""
HELLO = b"hello"
HELLO_DIGEST = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE = "one:1"
"""The name of the image that is removed; another one shares a layer with it."""
LOST = "lost:1"
"""The name that an image says it had, to which no entry leads any more."""
LATER_S = 7200
"""Seconds after which nothing is recent any more."""

Operation = Callable[[Path], object]


def _create_layout(path: Path) -> None:
    ImageLayout.create(path / "new").close()


def _create_docker(path: Path) -> None:
    DockerImageStore.create(path / "new").close()


def _put(content: bytes, algorithm: str = "sha256") -> Operation:
    def put(path: Path) -> None:
        with ImageLayout.open(path) as layout:
            layout.blobs.put(BytesIO(content), algorithm=algorithm)

    return put


def _add_name(title: str) -> Operation:
    def edit(index: IndexText) -> None:
        index.retag("added", Descriptor(MANIFEST, HELLO_DIGEST, len(HELLO)))

    def add(path: Path) -> None:
        with ImageLayout.open(path) as layout:
            layout.edit_index(edit, title)

    return add


def _import(**names: str | None) -> Operation:
    """Import files that lie beside the store, each under its name in the index, if any."""

    def bring(path: Path) -> None:
        with open_store(path) as store:
            requests = [ImportRequest(path.parent / "files" / file, name) for file, name in names.items()]
            store.import_files(requests, Progress())

    return bring


def _delete(path: Path) -> None:
    with open_store(path) as store:
        store.delete(HELLO_DIGEST)


def _remove_image(*, for_good: bool) -> Operation:
    def remove(path: Path) -> None:
        with ImageLayout.open(path) as layout:
            snapshot = layout.scan(Progress())
            positions = [entry.position for entry in snapshot.entries if IMAGE in entry.names]
            layout.apply(plan_removal(snapshot, positions, with_content=True), Progress(), for_good=for_good)

    return remove


def remove_blob(path: Path) -> None:
    """Move a blob, with what is kept about it, to the trash."""
    with open_store(path) as store:
        store.apply(plan_removal(store.scan(Progress()), digests=[HELLO_DIGEST]), Progress())


def _clean_up(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        cleanup = plan_cleanup(layout.scan(Progress()), time.time() + LATER_S)
        unused = [blob.digest for blob in cleanup.unused]
        layout.apply(cleanup.plan(unused, [image.digest for image in cleanup.lost]), Progress())


def undo(path: Path) -> None:
    """Take back what was done last."""
    with open_store(path) as store:
        for record in store.trash()[:1]:
            store.undo(record.id, Progress())


def _keep_aside(path: Path) -> None:
    with open_store(path) as store:
        store.keep_aside(HELLO_DIGEST, Progress())


def _empty_trash(path: Path) -> None:
    with open_store(path) as store:
        store.empty_trash([record.id for record in store.trash()], Progress())


def _remedy(remedy: Remedy, place: str = "index.json", where: str = "", name: str | None = None) -> Operation:
    finding = Finding("V0", Severity.ERROR, "Something is wrong.", place, where, remedy=remedy)

    def apply(path: Path) -> None:
        with ImageLayout.open(path) as layout:
            apply_remedy(layout, layout.scan(Progress()), [finding], Progress(), name=name)

    return apply


def _add_lost(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        for lost in plan_cleanup(layout.scan(Progress()), time.time() + LATER_S).lost:
            if lost.name == LOST:
                _remedy(Remedy.ADD_TO_INDEX, lost.digest, name=LOST)(path)


def _replace_corrupt(path: Path) -> None:
    with open_store(path) as store:
        replace_blob(store, HELLO_DIGEST, path.parent / "files" / "hello", Progress())


def _set_metadata(path: Path) -> None:
    with open_store(path) as store:
        store.metadata.set(HELLO_DIGEST, "note", b"new")


def _delete_metadata(path: Path) -> None:
    with open_store(path) as store:
        store.metadata.delete(HELLO_DIGEST, "note")


def _clean(path: Path) -> None:
    with open_store(path) as store:
        store.clean(min_age_s=0)


def _set_config(path: Path) -> None:
    with DockerImageStore.open(path) as store:
        store.set(LARGE)


OPERATIONS: dict[str, Operation] = {
    "create a layout": _create_layout,
    "create a Docker store": _create_docker,
    "put a blob": _put(LARGE),
    "put a blob that is there": _put(HELLO),
    "put the first sha512 blob": _put(HELLO, "sha512"),
    "repair a blob": _put(HELLO),
    "add a name": _add_name(""),
    "add a name, with a way back": _add_name("Add a name"),
    "import an image": _import(**{"config.json": None, "layer": None, "manifest.json": "imported:1"}),
    "delete a blob": _delete,
    "remove an image for good": _remove_image(for_good=True),
    "remove an image": _remove_image(for_good=False),
    "remove a blob": remove_blob,
    "clean up": _clean_up,
    "undo a removal": undo,
    "undo an edit": undo,
    "undo beside newer copies": undo,
    "keep a blob aside": _keep_aside,
    "take it back": undo,
    "empty the trash": _empty_trash,
    "add the marker": _remedy(Remedy.ADD_MARKER, "oci-layout"),
    "write an empty list": _remedy(Remedy.EMPTY_LIST, where="manifests"),
    "write the right size": _remedy(Remedy.RIGHT_SIZE, where="manifests[0].size"),
    "add a lost image": _add_lost,
    "replace a corrupt blob": _replace_corrupt,
    "set the first metadata": _set_metadata,
    "replace metadata": _set_metadata,
    "delete the last metadata": _delete_metadata,
    "clean leftovers": _clean,
    "set a Docker image": _set_config,
    "import a Docker image": _import(**{"config.json": None}),
    "set a Docker image's metadata": _set_metadata,
    "delete a Docker image": _delete,
    "remove a Docker image": remove_blob,
    "undo that, in Docker's store": undo,
    "empty the trash of Docker's store": _empty_trash,
}
