"""Stores on which operations come to harm, and what must hold of one afterwards."""

import json
import os
import shutil
import stat
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import Progress, Store, open_store
from engine import snapshot as facts
from engine.blobs import EntryKind
from engine.digest import digest_of
from tests.layouts import CONFIG, LAYER, MANIFEST, LayoutFiles, sha256
from tests.tools._operations import HELLO, HELLO_DIGEST, OPERATIONS
from tests.tools._rig import Call, Fate, Rig

Files = dict[str, tuple[int, int, bytes]]
"""By path: mode, owner and content; folders have none."""

CREATING = ("create a layout", "create a Docker store")
_OWNER = 4711
"""Whose the stores are, where a root who runs the tests can give them away."""


def files_in(folder: Path) -> Files:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_uid, content)
    return found


class Place:
    """A folder in which the same store is made again and again, for an operation that comes to harm in it."""

    def __init__(self, folder: Path, operation: str, rig: Rig) -> None:
        self.operation = operation
        self.path = folder / "place" / "store"
        self._folder = folder
        template = folder / "template"
        template.mkdir()
        _furnish(template, operation)
        if os.geteuid() == 0:
            for path in (template / "store", *(template / "store").rglob("*")):
                os.lchown(path, _OWNER, _OWNER)
        self.renew()
        self.before = files_in(self.path)
        self.calls = rig.watch(operation, self.path)
        self.after = files_in(self.path)

    def renew(self) -> None:
        """Put everything back to how it was."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        subprocess.run(["cp", "-a", "template", "place"], cwd=self._folder, check=True)

    def harm(self, rig: Rig, names: Sequence[str], *, reading: bool) -> Iterator[tuple[Call, Fate]]:
        """Carry the operation out once for each of its calls of these names, which comes to harm.

        Without ``reading`` those are left out that only open something to read it.
        """
        counts: Counter[str] = Counter()
        for call in self.calls:
            counts[call.name] += 1
            if call.name in names and (reading or call.changes):
                self.renew()
                fate = rig.run(self.operation, self.path, call.name, counts[call.name])
                if fate.hit:
                    yield call, fate
                else:  # how often a scan opens folders depends on how old they are
                    assert not call.changes, f"{call} was not reached"

    def check(self, *, owners: bool = True) -> bool:
        """Everything that a crash must leave as it is; returns whether the operation has happened.

        Without ``owners`` the system refuses to give files away, so those are not compared.
        """
        if self.operation in CREATING:
            return self._check_created()
        with open_store(self.path) as store:
            self._check_blobs(store)
            self._check_index(store)
            self._check_leftovers(store)
        return self._check_files(owners=owners)

    def finish(self) -> None:
        """Carry the operation out after all: nothing that a crash has left is in its way."""
        OPERATIONS[self.operation](self.path)
        # What an image needed alone is found unused, once its name is gone; to remove that is another decision.
        assert files_in(self.path) == self.after or self.operation == "remove an image"

    def _check_created(self) -> bool:
        """All of the store is there, or nothing has its name."""
        for path in self.path.glob(".blobscope-*"):
            shutil.rmtree(path)
        if (self.path / "new").exists():
            with open_store(self.path / "new") as store:
                store.clean(min_age_s=0)
        now = files_in(self.path)
        assert now in (self.before, self.after)
        return now == self.after

    def _check_blobs(self, store: Store) -> None:
        """A digest names its whole content and nothing else (promise 1)."""
        blobs = [entry for batch in store.blobs.list() for entry in batch if entry.kind is EntryKind.BLOB]
        for blob in blobs:
            with open(store.blobs.open(blob.name), "rb") as file:
                sound = digest_of(file.read(), blob.name.partition(":")[0]) == blob.name
            assert sound or (self.operation, blob.name) == ("repair a blob", HELLO_DIGEST)

    def _check_index(self, store: Store) -> None:
        """The index can be read, and leads to nothing that is missing (promise 4)."""
        snapshot = store.scan(Progress())
        assert snapshot.roots.trouble == ""
        flags = snapshot.columns.flags
        missing = ((flags & facts.REACHABLE) != 0) & ((flags & facts.PRESENT) == 0)
        assert [snapshot.name(row) for row in missing.nonzero()[0]] == []

    def _check_leftovers(self, store: Store) -> None:
        """What was left is known as such, and can be cleaned away (promise 9)."""
        left = store.leftovers(min_age_s=0)
        assert all(leftover.removable for leftover in left)
        strangers = files_in(self.path).keys() - self.before.keys() - self.after.keys()
        assert {path for path in strangers if not path.startswith(tuple(leftover.path for leftover in left))} == set()
        store.clean(min_age_s=0)
        assert store.leftovers(min_age_s=0) == []

    def _check_files(self, *, owners: bool) -> bool:
        """Each file is the old or the new one, and there is no other (promises 2 and 17)."""
        now = files_in(self.path)
        for path in self.before.keys() | self.after.keys() | now.keys():
            found, *expected = now.get(path), self.before.get(path), self.after.get(path)
            if found is not None and not owners:
                found = (found[0], _OWNER, found[2])
            assert found in expected, path
        return now == self.after


def _furnish(folder: Path, operation: str) -> None:
    """Make the store on which an operation is to be carried out, and the files that it takes."""
    if operation in CREATING:
        (folder / "store").mkdir()
    elif "Docker" in operation:
        _furnish_docker(folder / "store")
    else:
        _furnish_layout(folder / "store", operation)
    if operation == "import an image":
        _write_image(folder / "files")


def _furnish_docker(store: Path) -> None:
    (store / "content/sha256").mkdir(parents=True, mode=0o700)
    (store / "content" / HELLO_DIGEST.replace(":", "/")).write_bytes(HELLO)
    _write_note(store)


def _furnish_layout(store: Path, operation: str) -> None:
    files = LayoutFiles(store)
    shared = files.blob(b"shared layer")
    files.name(files.image(shared, b"only one"), "one:1")
    files.name(files.image(shared, b"only two"), "two:1")
    files.blob(HELLO)
    if operation == "repair a blob":
        files.file(HELLO_DIGEST).write_bytes(b"hel")
    if operation in ("delete a blob", "replace metadata", "delete the last metadata"):
        _write_note(store)
    if operation == "clean":
        dead = store / ".blobscope-0123456789abcdef"
        (dead / "inner").mkdir(parents=True)
        (dead / "inner" / "file").write_bytes(b"half")
        (dead / "blob").write_bytes(b"half")
        (store / "index.json.lock").touch()
        (store / "metadata" / "sha256").mkdir(parents=True)


def _write_note(store: Path) -> None:
    folder = store / "metadata" / HELLO_DIGEST.replace(":", "/")
    folder.mkdir(parents=True)
    (folder / "note").write_bytes(b"old")


def _write_image(folder: Path) -> None:
    folder.mkdir()
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
    parts = []
    for name, content, media_type in (("config.json", config, CONFIG), ("layer", b"imported layer", LAYER)):
        (folder / name).write_bytes(content)
        parts.append({"mediaType": media_type, "digest": sha256(content), "size": len(content)})
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": parts[0], "layers": parts[1:]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
