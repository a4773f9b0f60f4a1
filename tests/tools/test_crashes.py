"""A store survives whatever befalls a writer: any system call may be its last, and any may fail."""

import errno
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest

from tests.tools._operations import OPERATIONS
from tests.tools._places import Place
from tests.tools._rig import Call, Fate, Rig
from tests.tools._victims import CALLS

pytestmark = pytest.mark.needs("strace")

HARMS = {
    "KILL": CALLS,
    "ENOSPC": ("openat", "write", "sendfile", "mkdirat", "linkat", "renameat", "renameat2", "fsync"),
    "EIO": ("write", "sendfile", "fsync", "mkdirat", "linkat", "unlinkat", "renameat", "renameat2"),
    "EACCES": ("openat", "mkdirat", "linkat", "unlinkat", "renameat", "renameat2", "fchmod", "fchown"),
    "EMFILE": ("openat",),
    "EINVAL": ("fchown",),
}
"""What befalls which calls: the process is killed before the call, or the system answers that instead."""
OTHER_CALLS = """
    open creat link symlink symlinkat mknod mknodat mkdir rmdir rename unlink truncate ftruncate fallocate pwrite64
    pwritev pwritev2 splice copy_file_range chmod fchmodat chown lchown fchownat utime utimes utimensat
    setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
"""
"""What else could change something on a disk."""
STAGED = re.compile(r"/\.blobscope-[0-9a-f]{16}(/|$)")
LOCK = re.compile(r"/index\.json\.lock$")

Faults = dict[str, Counter[str]]


@pytest.fixture(scope="module")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Rig]]:
    """One rig for each harm that a system call can come to."""
    harms = {name: "signal=KILL" if name == "KILL" else f"error={name}" for name in HARMS}
    rigs = {name: Rig(tmp_path_factory.mktemp(name), harm) for name, harm in harms.items()}
    yield rigs
    for rig in rigs.values():
        rig.close()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_befalls_one_of_its_calls_nothing_is_lost(
    memory: Path, rigs: dict[str, Rig], operation: str, faults: Faults
) -> None:
    """T105, promises 1, 2, 4, 9, 11 and 17; two harms at a time."""
    counts = faults.setdefault(operation, Counter())
    with ThreadPoolExecutor(2) as workers:
        for found in workers.map(lambda harm: befall(memory / harm, harm, rigs[harm], operation), HARMS):
            counts.update(found)


def befall(folder: Path, harm: str, rig: Rig, operation: str) -> Counter[str]:
    """Let each call of an operation come to one harm, look at what is left each time, and count."""
    counts: Counter[str] = Counter()
    place = Place(folder, operation, rig)
    for call, fate in place.harm(rig, HARMS[harm], reading=("openat",) if harm == "EMFILE" else ()):
        counts[harm] += 1
        try:
            check_killed(place, fate) if harm == "KILL" else check_failed(place, call, fate, harm)
        except Exception as error:
            error.add_note(f"{operation}: {harm} at {call}\n{fate}")
            raise
        counts["survived"] += 1
    return counts


def check_killed(place: Place, fate: Fate) -> None:
    assert fate.status == -signal.SIGKILL
    place.check()
    place.finish()


def check_failed(place: Place, call: Call, fate: Fate, error: str) -> None:
    """It has happened, or it says in a sentence why not, and there is no third thing."""
    assert fate.status in (0, 1), fate.said
    done = place.check(owners=call.name != "fchown")
    if fate.status:
        # What a scan cannot read is no failure of its own, so it may end in another sentence.
        assert re.fullmatch(sentence(place, error) if call.changes else r"\S[^\n]*\.", fate.said)
        # After a failing fsync nobody knows, what was created may not be opened, and what has left the trash may still
        # take room; all of that is said.
        tolerated = call.name in ("fsync", "openat") or place.operation.startswith("empty the trash")
        assert not done or tolerated, "it failed, it says, and it has happened"
        if not done:
            place.finish()


def sentence(place: Place, error: str) -> str:
    """A pattern of what may be said: one sentence, with the file or the blob, and the cause."""
    concerned = rf"{re.escape(str(place.path.parent))}|sha(256|512):[0-9a-f]{{4}}…[0-9a-f]{{4}}"
    # Without /proc nobody knows whether something is mounted in a folder that is to go, so it stays.
    causes = "|".join(os.strerror(number) for number in (getattr(errno, error), errno.EXDEV))
    return rf"[^\n]*({concerned})[^\n]*: ({causes})\."


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_reported_as_done_survives_a_power_cut(memory: Path, rigs: dict[str, Rig], operation: str) -> None:
    """T106, promises 3 and 4: content is on the disk before its name, names before the index and before the report."""
    place = Place(memory, operation, rigs["KILL"])
    unsafe: set[str] = set()
    for call in place.calls:
        paths = [path for path in call.paths if not LOCK.search(path)]
        if not paths or not call.succeeded:
            continue
        if call.name == "fsync":
            unsafe.discard(paths[0])
        elif call.name in ("write", "sendfile") or (call.name == "openat" and call.changes):
            unsafe.add(paths[0])
        elif call.name in ("linkat", "renameat", "renameat2"):
            assert not [path for path in unsafe if path.startswith(paths[0])], f"{paths[1]} has got its name too early"
            assert not unsafe or not paths[1].endswith("/index.json"), "the index leads to what is not safe"
            unsafe.add(str(Path(paths[1]).parent))
            if call.name != "linkat" and not STAGED.search(paths[0]):
                assert str(place.path) not in unsafe or "/blobs/" not in paths[0], "it goes while the index may name it"
                unsafe.add(str(Path(paths[0]).parent))
        elif call.name in ("mkdirat", "unlinkat") and not STAGED.search(paths[0]):
            assert call.name == "mkdirat" or str(place.path) not in unsafe, "a blob goes while the index may name it"
            unsafe.add(str(Path(paths[0]).parent))
    assert {path for path in unsafe if not STAGED.search(path)} == set()


@pytest.mark.parametrize(
    ("operation", "order"),
    [
        ("import an image", ["a part comes", "the manifest comes", "the index changes"]),
        ("remove an image", ["the index changes", "the manifest goes", "a part goes"]),
        ("remove an image for good", ["the index changes", "the manifest goes", "a part goes"]),
        ("clean up", ["the manifest goes", "a part goes"]),
        ("undo a removal", ["a part comes", "the manifest comes", "the index changes"]),
    ],
)
def test_the_index_never_leads_to_what_is_not_there(
    memory: Path, rigs: dict[str, Rig], operation: str, order: list[str]
) -> None:
    """Promise 4, as the kernel is asked: what needs others comes after them, and goes before them."""
    place = Place(memory, operation, rigs["KILL"])
    manifests = {path for path, (_, _, content) in {**place.before, **place.after}.items() if b'"config":' in content}
    names = {Path(path).name for path in manifests}
    steps = [step for call in place.calls if call.succeeded and (step := tell(call, place.path, names))]
    assert [step for step, _ in groupby(steps)] == order


def tell(call: Call, store: Path, manifests: set[str]) -> str:
    """What a call does to the index or to a blob, if anything."""
    paths = [Path(path) for path in call.paths]
    if call.name in ("linkat", "renameat", "renameat2") and paths[1] == store / "index.json":
        return "the index changes"
    if call.name not in ("linkat", "renameat", "renameat2", "unlinkat"):
        return ""
    target = paths[1] if len(paths) > 1 else None
    for path, verb in ((paths[0], "goes"), (target, "comes")):
        stays = verb == "goes" and call.name == "linkat"
        if path is not None and not stays and path.parent == store / "blobs" / "sha256":
            return f"{'the manifest' if path.name in manifests else 'a part'} {verb}"
    return ""


def test_no_other_call_changes_anything(memory: Path) -> None:
    """Otherwise the tests above would have a hole."""
    with closing(Rig(memory, calls=[f"?{call}" for call in OTHER_CALLS.split()])) as rig:
        for number, operation in enumerate(OPERATIONS):
            assert [call for call in Place(memory / str(number), operation, rig).calls if call.succeeded] == []
