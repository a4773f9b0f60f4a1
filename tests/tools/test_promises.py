"""The promises to whoever lets us near a store, by their numbers, on whole stores and beside other programs.

Promises 2, 3, 4, 9 and 17 are also shown in ``test_crashes.py``, 10 in ``test_real_tools.py``.
"""

import io
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    DockerImageStore,
    EngineError,
    ImageLayout,
    ImportRequest,
    Progress,
    Store,
    indexfile,
    open_store,
    plan_removal,
)
from engine.digest import Digest, shorten
from engine.document import Descriptor
from engine.errors import DocumentError
from engine.index import IndexText
from engine.rules.layout import look
from tests.layouts import MANIFEST, NAME, LayoutFiles, sha256, tree
from tests.tools._operations import HELLO, HELLO_DIGEST, LARGE, OPERATIONS
from tests.tools._rig import ROOT
from tests.tools._texts import Index, annotated, in_order, indexes, is_cut_from, spelled
from tests.tools._tools import Held, Tools, missing_in, names_in


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout with two images that share a layer, and a blob that nobody needs, with metadata."""
    files = LayoutFiles(tmp_path / "layout")
    shared = files.blob(b"shared layer")
    files.name(files.image(shared, b"only one"), "one:1")
    files.name(files.image(shared, b"only two"), "two:1")
    files.blob(HELLO)
    note = files.path / "metadata" / HELLO_DIGEST.replace(":", "/") / "note"
    note.parent.mkdir(parents=True)
    note.write_bytes(b"kept")
    return files


def descriptor(content: bytes) -> Descriptor:
    return Descriptor(MANIFEST, sha256(content), len(content))


def adding(name: str) -> Callable[[IndexText], None]:
    return lambda index: index.retag(name, descriptor(HELLO))


# --- 1: a digest name never shows anything but its whole content


@pytest.mark.parametrize("before", [None, b"half of it"])
def test_1_while_a_blob_is_written_its_name_shows_what_it_showed_before(
    files: LayoutFiles, before: bytes | None
) -> None:
    blob = files.file(sha256(LARGE))
    if before is not None:
        blob.write_bytes(before)
    looks = []

    class Source(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            looks.append(blob.read_bytes() if blob.exists() else None)
            return super().readinto(buffer)

    with ImageLayout.open(files.path) as layout:
        layout.blobs.put(Source(LARGE))
    assert blob.read_bytes() == LARGE
    assert len(looks) > 3
    assert set(looks) == {before}


# --- 2 and 5: index.json is whole at each moment, and our processes lose none of each other's changes


ADD_NAMES = """
import sys
from engine import ImageLayout
from engine.digest import Digest, shorten
from engine.document import Descriptor
path, own, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
entry = Descriptor("application/vnd.oci.image.manifest.v1+json", "sha256:" + "0" * 64, 1)
with ImageLayout.open(path) as layout:
    sys.stdin.readline()
    for number in range(count):
        layout.edit_index(lambda index: index.add(entry, f"{own}-{number}") and None)
"""


@pytest.mark.parametrize("processes", [2, 4])
def test_2_and_5_processes_that_add_names_at_once_lose_none_and_readers_see_no_torn_index(
    memory: Path, processes: int
) -> None:
    """T102"""
    path = memory / "layout"
    ImageLayout.create(path).close()
    count = 100
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_NAMES, path, str(number), str(count)], cwd=ROOT, stdin=subprocess.PIPE
        )
        for number in range(processes)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
    seen = []
    while any(process.poll() is None for process in running):
        seen.append(len(names_in(path)))
    assert [process.returncode for process in running] == [0] * processes
    assert seen == sorted(seen)
    assert len(set(seen)) > 10, "the reader slept through it"
    assert sorted(map(str, names_in(path))) == sorted(f"{p}-{n}" for p in range(processes) for n in range(count))
    assert sorted(os.listdir(path)) == ["blobs", "index.json", "oci-layout"]


# --- 4: the index never leads to a blob that is not there


class Watching(Progress):
    """Looks at each step of the work whether the index leads to something missing."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.looks = 0
        self._path = path

    def advance(self, amount: int = 1) -> None:
        super().advance(amount)
        self.look()

    def look(self) -> None:
        self.looks += 1
        assert missing_in(self._path) == set()


def test_4_blobs_come_before_the_index_and_go_after_it(
    files: LayoutFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = LayoutFiles(tmp_path / "other")
    manifest = other.image(b"a layer of its own")
    requests = [ImportRequest(file) for file in (other.path / "blobs/sha256").iterdir()]
    requests = [ImportRequest(r.path, "new" if r.path == other.file(manifest) else None) for r in requests]
    progress = Watching(files.path)
    swap = indexfile.exchange

    def watched(*arguments: Any) -> bool:
        done = swap(*arguments)
        progress.look()
        return done

    monkeypatch.setattr(indexfile, "exchange", watched)
    with ImageLayout.open(files.path) as layout:
        layout.import_files(requests, progress)
        assert names_in(files.path)[-1] == "new"
        before = progress.looks
        snapshot = layout.scan(Progress())
        plan = plan_removal(snapshot, [0, 2], with_content=True)
        layout.apply(plan, progress)
    assert before > 3
    assert progress.looks - before > len(plan.blobs)
    assert names_in(files.path) == ["two:1"]


# --- 6: no change of another program is lost


def with_umoci(tools: Tools, path: Path) -> None:
    """A new file that is renamed over the old one."""
    tools.umoci("tag", "--image", f"{path}:one", "theirs")


def with_skopeo(tools: Tools, path: Path) -> None:
    """The same file, cut to nothing and written anew."""
    tools.skopeo("copy", f"oci:{path}:one", f"oci:{path}:theirs")


@pytest.mark.needs("umoci", "skopeo")
@pytest.mark.parametrize("write", [with_umoci, with_skopeo])
@pytest.mark.parametrize("moment", ["in the edit", "right before the swap", "right after the swap"])
def test_6_what_another_program_writes_between_our_reading_and_our_writing_stays(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Tools, Path], None], moment: str
) -> None:
    """T103"""
    path = tmp_path / "layout"
    tools.make_with_umoci(path)
    happened = []

    def happen(now: str) -> None:
        if now == moment and not happened:
            happened.append(now)
            write(tools, path)

    def edit(index: IndexText) -> None:
        happen("in the edit")
        index.retag("ours", index.entries[index.named("one")[0]])

    swap = indexfile.exchange

    def watched(*arguments: Any) -> bool:
        happen("right before the swap")
        done = swap(*arguments)
        happen("right after the swap")
        return done

    monkeypatch.setattr(indexfile, "exchange", watched)
    with ImageLayout.open(path) as layout:
        layout.edit_index(edit)
    assert happened == [moment]
    assert set(names_in(path)) >= {"ours", "theirs"}
    assert set(tools.names(path)) == {"one", "ours", "theirs"}
    assert [name for name in os.listdir(path) if name.startswith((".", "index.json."))] == []


@pytest.mark.needs("umoci", "skopeo", "strace")
@pytest.mark.parametrize("act", ["read", "edit"])
def test_6_what_skopeo_has_half_written_is_waited_for(tools: Tools, tmp_path: Path, act: str) -> None:
    """T104: skopeo is held when it has cut the file to nothing."""
    path = tmp_path / "layout"
    tools.make_with_umoci(path)
    index = path / "index.json"
    skopeo = ["skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{path}:one", f"oci:{path}:theirs"]
    with Held(skopeo, tmp_path / "log", "openat", index) as running, ImageLayout.open(path) as layout:
        running.hold_when(lambda: index.stat().st_size == 0)
        let_go = threading.Timer(0.3, running.finish)
        let_go.start()
        if act == "read":
            raw = layout.read_index()
            assert b"theirs" in raw
        else:
            layout.edit_index(adding("ours"))
        let_go.join()
    assert set(names_in(path)) == {"one", "theirs", *(["ours"] if act == "edit" else [])}


# --- 10: clean removes only what is dead, and follows nothing


def test_10_cleaning_follows_no_link_and_touches_nothing_else(files: LayoutFiles, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_bytes(b"precious")
    dead = files.path / ".blobscope-00000000000000aa"
    dead.mkdir()
    (dead / "link").symlink_to(outside)
    os.link(outside / "file", dead / "hard")
    for name in (".blobscope-00000000000000bb", ".umoci-1", "ingest", "metadata2"):
        (files.path / name).symlink_to(outside)
    for name in ("oci-put-blob1", "index.json.lock", "index.json.1.tmp", "blobs/sha256/x.tmp"):
        (files.path / name).symlink_to(outside / "file")
    for name in (".blobscope", ".blobscope-mine", "other-1"):
        (files.path / name).mkdir()
    before = {**tree(files.path), **{f"outside/{path}": found for path, found in tree(outside).items()}}
    with ImageLayout.open(files.path) as layout:
        assert [leftover.path for leftover in layout.clean(min_age_s=0)] == [dead.name]
    after = {**tree(files.path), **{f"outside/{path}": found for path, found in tree(outside).items()}}
    assert after == {path: found for path, found in before.items() if not path.startswith(dead.name)}


# --- 11: a failure is one sentence with the path and the cause, and nothing is half-done


def _damaged(files: LayoutFiles) -> Path:
    (files.path / "index.json").write_bytes(b'{"manifests":[')
    os.utime(files.path / "index.json", (1, 1))
    return files.path


def _of_the_future(files: LayoutFiles) -> Path:
    (files.path / "oci-layout").write_text('{"imageLayoutVersion":"9.0.0"}')
    return files.path


ABSENT = sha256(b"absent")
FAILURES: dict[str, Callable[[LayoutFiles], object]] = {
    "open nothing": lambda files: open_store(files.path / "nothing"),
    "open a file": lambda files: open_store(files.path / "index.json"),
    "open another folder": lambda files: open_store(files.path / "blobs"),
    "create over something": lambda files: ImageLayout.create(files.path),
    "create below nothing": lambda files: DockerImageStore.create(files.path / "nothing" / "new"),
    "edit a damaged index": lambda files: ImageLayout.open(_damaged(files)).edit_index(adding("x")),
    "change another version": lambda files: ImageLayout.open(_of_the_future(files)).blobs.put(b"x"),
    "put what was not announced": lambda files: ImageLayout.open(files.path).blobs.put(b"x", expected=Digest(ABSENT)),
    "put more than announced": lambda files: ImageLayout.open(files.path).blobs.put(LARGE, size=3),
    "put less than announced": lambda files: ImageLayout.open(files.path).blobs.put(b"x", size=3),
    "read a missing blob": lambda files: ImageLayout.open(files.path).blobs.read(ABSENT, 9),
    "read a large blob": lambda files: ImageLayout.open(files.path).blobs.read(HELLO_DIGEST, 1),
    "set a bad key": lambda files: ImageLayout.open(files.path).metadata.set(HELLO_DIGEST, "../x", b""),
    "set a missing blob's key": lambda files: ImageLayout.open(files.path).metadata.set(ABSENT, "x", b""),
    "get a missing key": lambda files: ImageLayout.open(files.path).metadata.get(HELLO_DIGEST, "x"),
    "delete no digest": lambda files: ImageLayout.open(files.path).delete("sha256:../../index.json"),
    "import a folder": lambda files: _import(files, files.path / "blobs", None),
    "import what is gone": lambda files: _import(files, files.path / "gone", None),
    "import what cannot be read": lambda files: _import(files, Path("/proc/self/mem"), None),
    "name what is no manifest": lambda files: _import(files, files.path / "oci-layout", "x"),
}


def _import(files: LayoutFiles, path: Path, name: str | None) -> None:
    ImageLayout.open(files.path).import_files([ImportRequest(path, name)], Progress())


@pytest.mark.parametrize("what", FAILURES)
def test_11_a_failure_is_one_sentence_and_nothing_is_half_done(files: LayoutFiles, what: str) -> None:
    before = contents(files.path)
    with pytest.raises(EngineError) as raised:
        FAILURES[what](files)
    sentence, place = str(raised.value), raised.value.place
    assert re.fullmatch(r"\S[^\n]*\.", sentence)
    assert place in sentence or Path(place).name in sentence or shorten(place) in sentence
    after = contents(files.path)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= {"index.json", "oci-layout"}, "only what the test itself has damaged"


def contents(folder: Path) -> dict[str, bytes]:
    return {path: content for path, (_, _, content) in tree(folder).items()}


# --- 12: looking changes nothing


def look_at_everything(store: Store) -> None:
    snapshot = store.scan(Progress())
    store.verify(snapshot, None, Progress())
    store.leftovers(min_age_s=0)
    for row in range(len(snapshot)):
        with suppress(EngineError):
            store.blobs.window(snapshot.name(row), 0, 10)
            store.blobs.open_verified(snapshot.name(row)).close()
            for key in store.metadata.keys(snapshot.name(row)):
                store.metadata.get(snapshot.name(row), key)
    if isinstance(store, ImageLayout):
        list(look(store.directory))
        with suppress(DocumentError):
            store.read_index()


@pytest.mark.parametrize("kind", ["layout", "docker"])
def test_12_looking_changes_nothing_not_even_a_time(files: LayoutFiles, tmp_path: Path, kind: str) -> None:
    path = files.path
    if kind == "docker":
        path = tmp_path / "imagedb"
        shutil.copytree(files.path / "blobs", path / "content")
        shutil.copytree(files.path / "metadata", path / "metadata")
    everything = [path, *path.rglob("*")]
    for found in everything:
        os.utime(found, (1_000_000, 2_000_000))
    before = {found: found.lstat() for found in everything}
    with open_store(path) as store:
        look_at_everything(store)
    for found, status in before.items():
        now = found.lstat()
        for time in ("st_atime_ns", "st_mtime_ns", "st_ctime_ns"):
            assert getattr(now, time) == getattr(status, time), f"{time} of {found}"


# --- 13: nothing outside is read, followed or written


NOTE = f"metadata/{HELLO_DIGEST.replace(':', '/')}/note"
PLANTED = [
    "index.json",
    "oci-layout",
    "blobs",
    "blobs/sha256",
    f"blobs/{HELLO_DIGEST.replace(':', '/')}",
    "metadata",
    "metadata/sha256",
    str(Path(NOTE).parent),
    NOTE,
    "index.json.lock",
    "index.lock",
    "ingest",
    ".blobscope-00000000000000aa",
    ".umoci-1",
    "oci-put-blob1",
    "index.json.1.tmp",
]
READ_THROUGH = ("blobs", "blobs/sha256")
"""A folder of blobs that several layouts share may be read through a link, unless the caller forbids it."""


@pytest.mark.parametrize("name", PLANTED)
def test_13_nothing_outside_is_reached_through_a_planted_link(
    files: LayoutFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(files.path, outside)
    if not (outside / name).exists():
        (outside / name).mkdir() if name == "ingest" else (outside / name).write_bytes(b"precious")
    planted = files.path / name
    if planted.is_dir():
        shutil.rmtree(planted)
    planted.unlink(missing_ok=True)
    planted.symlink_to(outside / name)
    before = tree(outside)
    reached = record_opening(monkeypatch)
    with suppress(EngineError), ImageLayout.open(files.path, follow_links=False) as layout:
        look_at_everything(layout)
    assert [path for path in reached if path.startswith(str(outside))] == []
    reached.clear()
    for operation in OPERATIONS:
        if not operation.startswith(("create", "import")) and "Docker" not in operation:
            with suppress(EngineError):
                OPERATIONS[operation](files.path)
    assert reached
    through = [path for path in reached if path.startswith(str(outside))]
    assert bool(through) == (name in READ_THROUGH)
    assert tree(outside) == before


def record_opening(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list to which the real path of every file is added that is opened from now on."""
    reached: list[str] = []
    really = os.open

    def opening(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        fd = really(path, flags, mode, dir_fd=dir_fd)
        reached.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        return fd

    monkeypatch.setattr(os, "open", opening)
    return reached


# --- 16: a rewrite keeps what it does not know


@given(indexes(), st.data())
def test_16_everything_but_the_edited_entry_stays_as_it_was_to_the_byte(index: Index, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(index.entries) - 1))
    key = data.draw(st.sampled_from([NAME, "org.example.key", 'é"\\']))
    value = data.draw(st.none() | st.sampled_from(["", "new", 'é"\\\n']))
    text = IndexText.parse(index.text.encode())
    text.annotate(position, key, value)
    before, entry, after = index.around(position)
    edited = text.raw.decode()
    assert edited.startswith(before)
    assert edited.endswith(after)
    inside = edited[len(before) : len(edited) - len(after)]
    assert spelled(inside) == annotated(spelled(entry.text), key, value)
    assert in_order(entry.others, inside)
    if spelled(inside) == spelled(entry.text):
        assert inside == entry.text, "nothing changed, so nothing is written anew"


@given(indexes(), st.data())
def test_16_what_goes_or_comes_takes_nothing_else_with_it(index: Index, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(index.entries) - 1))
    text = IndexText.parse(index.text.encode())
    text.remove(position)
    less = text.raw.decode()
    assert is_cut_from(less, index.text)
    others = [entry.text for entry in index.entries]
    del others[position]
    assert in_order(others, less)
    assert spelled(less)["manifests"] == [spelled(other) for other in others]
    text = IndexText.parse(index.text.encode())
    text.add(descriptor(HELLO), "new")
    more = text.raw.decode()
    assert is_cut_from(index.text, more)
    assert spelled(more)["manifests"][:-1] == spelled(index.text)["manifests"]


# --- 17: modes and owner stay as they were


def test_17_modes_and_owner_stay_as_they_were(files: LayoutFiles) -> None:
    """What is new belongs to the store's owner, with the modes that the umask leaves."""
    owner, group = (4711, 4712) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    index = files.path / "index.json"
    before = [files.path, *files.path.rglob("*")]
    for path in before:
        os.chown(path, owner, group)
        path.chmod(0o750 if path.is_dir() else 0o640)
    index.chmod(0o664)
    umask = os.umask(0o027)
    try:
        for operation in (
            "put a blob",
            "put the first sha512 blob",
            "add a name",
            "replace metadata",
            "clean leftovers",
        ):
            OPERATIONS[operation](files.path)
    finally:
        os.umask(umask)
    after = [files.path, *files.path.rglob("*")]
    assert len(after) == len(before) + 3, "two blobs and a folder"
    for path in after:
        status = path.stat()
        assert (status.st_uid, status.st_gid) == (owner, group), path
        assert stat.S_IMODE(status.st_mode) == (0o664 if path == index else 0o750 if path.is_dir() else 0o640), path
