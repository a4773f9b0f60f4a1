"""Makes the stores on which operations come to harm, and the files that those take."""

import json
from pathlib import Path

from tests.layouts import CONFIG, LAYER, MANIFEST, NAME, LayoutFiles, sha256
from tests.tools._operations import HELLO, HELLO_DIGEST, LOST, OPERATIONS

CREATING = ("create a layout", "create a Docker store")
DAMAGED = ("repair a blob", "keep a blob aside", "take it back", "replace a corrupt blob")
"""Where the blob ``HELLO_DIGEST`` is not what its name says."""

_WITH_HELLO = ("remove an image", "undo a removal", "undo beside newer copies", "empty the trash")
_WITH_NOTE = (
    *_WITH_HELLO,
    "remove a blob",
    "clean up",
    "delete a blob",
    "replace metadata",
    "delete the last metadata",
)
_LOST = ("clean up", "add a lost image")
_BEFORE = {
    "undo a removal": "remove an image",
    "undo an edit": "add a name, with a way back",
    "undo beside newer copies": "remove an image",
    "take it back": "keep a blob aside",
    "empty the trash": "remove an image",
    "undo that, in Docker's store": "remove a Docker image",
    "empty the trash of Docker's store": "remove a Docker image",
}
"""What has been done to the store before."""


def furnish(folder: Path, operation: str) -> None:
    """Make the folder ``store``, with what was done before the operation, and where that takes files, those beside."""
    make_store(folder, operation)
    do_before(folder / "store", operation)


def make_store(folder: Path, operation: str) -> None:
    """Make the folder ``store``, and where an operation takes files, ``files`` beside it."""
    store = folder / "store"
    if operation in CREATING:
        store.mkdir()
    elif "Docker" in operation:
        _furnish_docker(store)
    else:
        _furnish_layout(store, operation)
    if operation.startswith(("import", "replace a corrupt blob")):
        _write_files(folder / "files")


def do_before(store: Path, operation: str) -> None:
    """Do to the store what the operation is to take back."""
    if operation in _BEFORE:
        OPERATIONS[_BEFORE[operation]](store)
    if operation == "undo beside newer copies":
        (store / "blobs" / HELLO_DIGEST.replace(":", "/")).write_bytes(HELLO)
        (store / "blobs" / sha256(b"only one").replace(":", "/")).write_bytes(b"only o")


def _furnish_docker(store: Path) -> None:
    (store / "content/sha256").mkdir(parents=True, mode=0o700)
    (store / "content" / HELLO_DIGEST.replace(":", "/")).write_bytes(HELLO)
    _write_note(store)


def _furnish_layout(store: Path, operation: str) -> None:
    files = LayoutFiles(store)
    shared = files.blob(b"shared layer")
    own = [HELLO] if operation in _WITH_HELLO else []
    files.name(files.image(shared, b"only one", *own), "one:1")
    files.name(files.image(shared, b"only two"), "two:1")
    files.blob(HELLO)
    if operation in DAMAGED:
        files.file(HELLO_DIGEST).write_bytes(b"hel")
    if operation in _WITH_NOTE:
        _write_note(store)
    if operation in _LOST:
        files.image(shared, b"only lost", annotations={NAME: LOST})
    if operation == "add the marker":
        (store / "oci-layout").unlink()
    if operation == "write an empty list":
        files.write_index(manifests=None)
    if operation == "write the right size":
        files.entries[0]["size"] += 1
        files.write_index()
    if operation == "clean leftovers":
        _write_leftovers(store)


def _write_leftovers(store: Path) -> None:
    dead = store / ".blobscope-0123456789abcdef"
    (dead / "inner").mkdir(parents=True)
    (dead / "inner" / "file").write_bytes(b"half")
    (dead / "blob").write_bytes(b"half")
    (store / "index.json.lock").touch()
    (store / "metadata" / "sha256").mkdir(parents=True)
    (store / ".blobscope-trash").mkdir()


def _write_note(store: Path) -> None:
    folder = store / "metadata" / HELLO_DIGEST.replace(":", "/")
    folder.mkdir(parents=True)
    (folder / "note").write_bytes(b"old")


def _write_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "hello").write_bytes(HELLO)
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    parts = []
    for name, content, media_type in (("config.json", config, CONFIG), ("layer", b"imported layer", LAYER)):
        (folder / name).write_bytes(content)
        parts.append({"mediaType": media_type, "digest": sha256(content), "size": len(content)})
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": parts[0], "layers": parts[1:]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
