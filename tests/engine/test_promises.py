"""What holds whatever happens: full disks, broken disks, and kill -9 before any change that we make."""

import contextlib
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine import durable
from engine.blobs import EntryKind
from engine.digest import digest_of
from engine.document import OCI_MANIFEST, Descriptor
from engine.errors import AlreadyExists, StorageFailed
from engine.findings import Severity
from engine.index import IndexText
from engine.layout import ImageLayout
from engine.rules.layout import look

OLD, NEW, BAD = b"an old blob", b"a new blob" * 1000, b"the right content"
NAME_OF_BAD = digest_of(BAD)

WRITING = ("mkdir", "open", "write", "fsync", "link", "rename", "fchmod")
REMOVING = ("unlink", "rmdir")


def add_name(index: IndexText) -> None:
    index.add(Descriptor(OCI_MANIFEST, digest_of(OLD), len(OLD)), "new")


class Operation(NamedTuple):
    """A change, and which digests are there after it that were not before, or the other way round."""

    run: Callable[[ImageLayout], object]
    comes: frozenset[str] = frozenset()
    goes: frozenset[str] = frozenset()


OPERATIONS = {
    "put": Operation(lambda layout: layout.blobs.put(NEW), comes=frozenset({digest_of(NEW)})),
    "put in a new folder": Operation(
        lambda layout: layout.blobs.put(NEW, algorithm="sha512"), comes=frozenset({digest_of(NEW, "sha512")})
    ),
    "repair": Operation(lambda layout: layout.blobs.put(BAD), comes=frozenset({NAME_OF_BAD})),
    "index edit": Operation(lambda layout: layout.edit_index(add_name)),
    "metadata": Operation(lambda layout: layout.metadata.set(digest_of(OLD), "key", b"new")),
    "first metadata": Operation(lambda layout: layout.metadata.set(digest_of(b"other"), "key", b"new")),
    "delete": Operation(lambda layout: layout.delete(digest_of(OLD)), goes=frozenset({digest_of(OLD)})),
    "clean": Operation(lambda layout: layout.clean()),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout with a good blob that has metadata, a bad blob, an entry, and something that a crash left."""
    path = tmp_path_factory.mktemp("template") / "layout"
    with ImageLayout.create(path) as layout:
        for content in (OLD, b"other"):
            layout.blobs.put(content)
        layout.metadata.set(digest_of(OLD), "key", b"old")
        layout.edit_index(lambda index: index.add(Descriptor(OCI_MANIFEST, digest_of(OLD), 1), "old") and None)
    (path / "blobs" / NAME_OF_BAD.replace(":", "/")).write_bytes(b"rotten")
    (path / f"{durable.STAGING_PREFIX}{'0' * 16}" / "inner").mkdir(parents=True)
    (path / f"{durable.STAGING_PREFIX}{'0' * 16}" / "inner" / "blob").touch()
    return path


class Trap:
    """Counts the calls that change the disk, and springs right before one of them."""

    def __init__(self, at: int, spring: Callable[[str], None]) -> None:
        self.calls = 0
        self.sprung = ""
        self._at = at
        self._spring = spring

    def set(self, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
        for name in names:
            monkeypatch.setattr(os, name, self._watch(name, getattr(os, name)))
        monkeypatch.setattr(durable, "_rename2", self._watch("renameat2", durable._rename2))

    def _watch(self, name: str, really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name != "open" or arguments[1] & os.O_CREAT:
                self.calls += 1
                if self.calls == self._at:
                    self.sprung = name
                    self._spring(name)
            return really(*arguments, **named)

        return call


def fail(name: str) -> None:
    number = errno.EIO if name == "fsync" else errno.ENOSPC
    raise OSError(number, os.strerror(number))


def kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def contents(layout: ImageLayout) -> dict[str, bytes]:
    return {
        entry.name: (layout.path / "blobs" / entry.name.replace(":", "/")).read_bytes()
        for batch in layout.blobs.list()
        for entry in batch
        if entry.kind is EntryKind.BLOB
    }


def check(path: Path, operation: Operation) -> None:
    """The store opens, and is as before, or as after, in each of its parts."""
    with ImageLayout.open(path) as layout:
        assert {each.rule for each in look(layout.directory) if each.severity == Severity.ERROR} == set()
        names = [entry.name for entry in IndexText.parse(layout.read_index()).entries]
        assert names[0] == "old"
        assert set(names[1:]) <= {"new"}
        found = contents(layout)
        for digest in (digest_of(OLD), digest_of(b"other")):
            assert digest in found or digest in operation.goes
        for digest, content in found.items():
            assert digest in {digest_of(OLD), digest_of(b"other"), NAME_OF_BAD} | operation.comes
            rotten = digest == NAME_OF_BAD and content == b"rotten"
            assert rotten or digest_of(content, digest.partition(":")[0]) == digest
        if digest_of(OLD) in found:
            assert layout.metadata.get(digest_of(OLD), "key") in (b"old", b"new")


def leftovers(path: Path) -> list[str]:
    """Ours; the one that was there from the start only where cleaning was at it."""
    return [
        file.name
        for file in path.rglob("*")
        if file.name.startswith(durable.STAGING_PREFIX) and not file.name.endswith("0" * 16)
    ] + [file.name for file in path.glob("*.lock")]


def _failure(work: Callable[[], object]) -> StorageFailed | None:
    try:
        work()
    except StorageFailed as error:
        return error.with_traceback(None)
    return None


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_full_or_broken_disk_leaves_the_old_state_and_a_sentence(
    name: str, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T105, promise 11: an error at each write, fsync and rename, one after the other."""
    operation = OPERATIONS[name]
    for at in range(1, 200):
        path = tmp_path / str(at)
        shutil.copytree(template, path)
        trap = Trap(at, fail)
        with ImageLayout.open(path) as layout, monkeypatch.context() as patch:
            trap.set(patch, WRITING)
            failure = _failure(lambda layout=layout: operation.run(layout))
        if failure is not None:
            assert trap.sprung
            assert str(failure).endswith((" No space left on device.", " Input/output error."))
            assert failure.remedy
        check(path, operation)
        assert leftovers(path) == []
        shutil.rmtree(path)
        if not trap.sprung:
            break
    assert at > 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_after_kill_9_at_any_moment_the_store_opens_and_can_be_cleaned(
    name: str,
    template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_child: Callable[[Callable[[], None]], int],
) -> None:
    """Promises 4 and 9."""
    operation = OPERATIONS[name]
    for at in range(1, 200):
        path = tmp_path / str(at)
        shutil.copytree(template, path)

        def work(path: Path = path, at: int = at) -> None:
            with ImageLayout.open(path) as layout:
                Trap(at, kill).set(monkeypatch, WRITING + REMOVING)
                operation.run(layout)

        ended = in_child(work)
        check(path, operation)
        with ImageLayout.open(path) as layout:
            layout.clean(min_age_s=0)  # an empty folder for metadata may be young
            assert layout.leftovers() == []
            assert leftovers(path) == []
            operation.run(layout)
        check(path, operation)
        shutil.rmtree(path)
        if ended == 0:
            break
    assert at > 1


def test_a_layout_is_created_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_child: Callable[[Callable[[], None]], int]
) -> None:
    """Whatever kills its maker."""
    for at in range(1, 200):
        folder = tmp_path / str(at)
        folder.mkdir()

        def work(path: Path = folder / "layout", at: int = at) -> None:
            Trap(at, kill).set(monkeypatch, WRITING + REMOVING)
            ImageLayout.create(path)

        ended = in_child(work)
        others = [name for name in os.listdir(folder) if name != "layout"]
        assert all(name.startswith(durable.STAGING_PREFIX) for name in others)
        with contextlib.suppress(AlreadyExists):
            ImageLayout.create(folder / "layout").close()
        with ImageLayout.open(folder / "layout") as layout:
            assert list(look(layout.directory)) == []
        if ended == 0:
            break
    assert at > 1


_STEPS = """
import sys
from engine.document import Descriptor
from engine.layout import ImageLayout
with ImageLayout.create(sys.argv[1]) as layout:
    result = layout.blobs.put(b"content", algorithm="sha512")
    layout.edit_index(lambda index: index.add(Descriptor("a/b", result.digest, result.size), "x") and None)
    layout.edit_index(lambda index: index.remove(0))
    layout.delete(result.digest)
"""


@pytest.mark.needs("strace")
def test_everything_is_on_the_disk_before_it_has_a_name_and_the_name_before_the_next_step(tmp_path: Path) -> None:
    """T106, promises 3 and 4: as the kernel is asked."""
    log = tmp_path / "log"
    calls = "fsync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdirat"
    command = ["strace", "-f", "-y", "-e", f"trace={calls}", "-o", log, sys.executable, "-c", _STEPS, tmp_path / "new"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    lines = [line for line in log.read_text().splitlines() if str(tmp_path) in line and re.search("= 0|<unf", line)]
    steps = [re.sub(r"\.blobscope-[0-9a-f]{16}", "STAGE", line).replace(str(tmp_path), "") for line in lines]
    order = iter(steps)
    for wanted in (
        # create: the files, their folder's name, the folder that holds it
        r"fsync\(\d+</STAGE/new/index\.json>",
        r"fsync\(\d+</STAGE/new/oci-layout>",
        r'renameat2\(\d+</STAGE>, "new", \d+<>, "new", RENAME_NOREPLACE',
        r"fsync\(\d+<>",
        # put: a new folder and what leads to it, the content, its name, the folder that holds the name
        r'renameat2\(\d+</new/blobs/STAGE>, "new", \d+</new/blobs>, "sha512", RENAME_NOREPLACE',
        r"fsync\(\d+</new/blobs>",
        r"fsync\(\d+</new/STAGE/blob>",
        r"linkat\(\d+</new/STAGE>.* \d+</new/blobs/sha512>",
        r"fsync\(\d+</new/blobs/sha512>",
        # edit: the content, the swap, the root; twice
        r"fsync\(\d+</new/STAGE/index-0>",
        r"renameat2\(\d+</new/STAGE>.*index\.json.*RENAME_EXCHANGE",
        r"fsync\(\d+</new>",
        r"fsync\(\d+</new/STAGE/index-0>",
        r"renameat2\(\d+</new/STAGE>.*index\.json.*RENAME_EXCHANGE",
        r"fsync\(\d+</new>",
        # delete: only now
        r"unlinkat\(\d+</new/blobs/sha512>",
        r"fsync\(\d+</new/blobs/sha512>",
    ):
        assert any(re.search(wanted, step) for step in order), f"{wanted} does not follow in:\n" + "\n".join(steps)
