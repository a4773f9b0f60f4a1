"""Removing into the trash and undoing, while other programs and other processes of ours write to the same layout."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import ImageLayout, Progress, indexfile, plan_removal
from tests.tools._rig import ROOT
from tests.tools._tools import Tools, missing_in, names_in

pytestmark = pytest.mark.needs("umoci", "skopeo", "buildah")

GOING = "going"
Write = Callable[[Tools, Path], None]


def umoci_tags(tools: Tools, path: Path) -> None:
    """A new index.json is renamed over the old one."""
    tools.umoci("tag", "--image", f"{path}:one", "theirs")


def skopeo_copies(tools: Tools, path: Path) -> None:
    """The very image that goes, from another layout: what is still there is not written again."""
    tools.skopeo("copy", f"oci:{path}-copy:{GOING}", f"oci:{path}:theirs")


def buildah_pushes(tools: Tools, path: Path) -> None:
    tools.push("built", f"oci:{path}:theirs")


def umoci_collects(tools: Tools, path: Path) -> None:
    """Whatever no entry leads to at that moment is deleted."""
    tools.umoci("gc", "--layout", path)


class Step(Progress):
    """Counts the steps of some work, swaps of the index among them; at one of them something happens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, happen: Callable[[], object]) -> None:
        super().__init__()
        self.happened = False
        self._left = number
        self._happen = happen
        swap = indexfile.exchange

        def watched(*arguments: Any) -> bool:
            self._step()
            done = swap(*arguments)
            self._step()
            return done

        monkeypatch.setattr(indexfile, "exchange", watched)

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        super().start(label, total, unit)
        self._step()

    def advance(self, amount: int = 1) -> None:
        super().advance(amount)
        self._step()

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._happen()
            self.happened = True


def remove(path: Path, name: str, progress: Progress) -> None:
    with ImageLayout.open(path) as layout:
        snapshot = layout.scan(Progress())
        positions = [entry.position for entry in snapshot.entries if name in entry.names]
        layout.apply(plan_removal(snapshot, positions, with_content=True), progress)


def undo(path: Path, progress: Progress) -> None:
    with ImageLayout.open(path) as layout:
        layout.undo(layout.trash()[0].id, progress)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tools, Path]]:
    """A layout of umoci's with two images, another one with the image that goes, and an image of buildah's."""
    folder = tmp_path_factory.mktemp("tools")
    tools = Tools(folder)
    path = folder / "template"
    tools.make_with_umoci(path, "one")
    tools.make_with_umoci(folder / "template-copy", GOING)
    tools.skopeo("copy", f"oci:{path}-copy:{GOING}", f"oci:{path}:{GOING}")
    tools.build("built")
    yield tools, path
    tools.close()


def renewed(furnished: tuple[Tools, Path], folder: Path, number: int) -> Path:
    """A copy of the layout, and of the other one beside it."""
    _, template = furnished
    path = folder / f"layout{number}"
    for ending in ("", "-copy"):
        subprocess.run(["cp", "-a", f"{template}{ending}", f"{path}{ending}"], check=True)
    return path


def reads(tools: Tools, path: Path, names: set[str]) -> None:
    """Everything is whole, and both tools read all of these images."""
    assert set(names_in(path)) == names
    assert missing_in(path) == set()
    assert set(tools.names(path)) == names
    for name in names:
        tools.umoci("stat", "--image", f"{path}:{name}", "--json")
        tools.skopeo("inspect", "--raw", f"oci:{path}:{name}")
        tools.skopeo("copy", f"oci:{path}:{name}", f"dir:{path}-read")


@pytest.mark.parametrize("write", [umoci_tags, skopeo_copies, buildah_pushes])
@pytest.mark.parametrize("work", ["remove", "undo"])
def test_what_another_program_writes_meanwhile_stays_and_so_does_what_we_did(
    furnished: tuple[Tools, Path], memory: Path, write: Write, work: str
) -> None:
    """At each step of the work, up to the swap of the index and right after it."""
    tools, _ = furnished
    for number in range(1, 1000):
        path = renewed(furnished, memory, number)
        if work == "undo":
            remove(path, GOING, Progress())
        with pytest.MonkeyPatch.context() as patch:
            progress = Step(patch, number, lambda path=path: write(tools, path))
            if work == "undo":
                undo(path, progress)
            else:
                remove(path, GOING, progress)
        names = {"one", GOING} if work == "undo" else {"one"}
        if not progress.happened:
            assert number > 6
            return
        assert set(names_in(path)) == names | {"theirs"}
        assert missing_in(path) == set(), f"step {number}"
        if work == "remove":
            undo(path, Progress())
        reads(tools, path, {"one", GOING, "theirs"})


@pytest.mark.parametrize("work", ["remove", "undo"])
def test_umoci_collecting_garbage_meanwhile_leaves_the_trash_alone(
    furnished: tuple[Tools, Path], memory: Path, work: str
) -> None:
    tools, _ = furnished
    for number in range(1, 1000):
        path = renewed(furnished, memory, number)
        if work == "undo":
            remove(path, GOING, Progress())
            umoci_collects(tools, path)
        with pytest.MonkeyPatch.context() as patch:
            progress = Step(patch, number, lambda path=path: umoci_collects(tools, path))
            if work == "undo":
                undo(path, progress)
            else:
                remove(path, GOING, progress)
        if not progress.happened:
            assert number > 6
            return
        if work == "remove":
            undo(path, Progress())
        reads(tools, path, {"one", GOING})


def test_umoci_collecting_garbage_leaves_the_trash_alone_and_what_comes_back_is_read_by_all(
    furnished: tuple[Tools, Path], memory: Path
) -> None:
    tools, _ = furnished
    path = renewed(furnished, memory, 1)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    remove(path, GOING, Progress())
    umoci_collects(tools, path)
    reads(tools, path, {"one"})
    undo(path, Progress())
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    reads(tools, path, {"one", GOING})
    tools.pull(f"oci:{path}:{GOING}")


ADD_REMOVE_UNDO = """
import json, sys, tempfile
from hashlib import sha256
from pathlib import Path
from engine import ImageLayout, ImportRequest, Progress, plan_removal
path, own, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
files = Path(tempfile.mkdtemp())
def write(name, content):
    (files / name).write_bytes(content)
    return {"digest": "sha256:" + sha256(content).hexdigest(), "size": len(content)}
with ImageLayout.open(path) as layout:
    for number in range(count):
        name = f"{own}-{number}"
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", **write("config", b'{"author":"%s"}' % name.encode())}
        layers = [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", **write(part, content)}
            for part, content in (("own", name.encode()), ("shared", b"shared by all"))
        ]
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
        write("manifest", json.dumps({**manifest, "config": config, "layers": layers}).encode())
        requests = [ImportRequest(files / each) for each in ("config", "own", "shared")]
        layout.import_files([*requests, ImportRequest(files / "manifest", name)], Progress())
        snapshot = layout.scan(Progress())
        positions = [entry.position for entry in snapshot.entries if name in entry.names]
        record = layout.apply(plan_removal(snapshot, positions, with_content=True), Progress()).record
        if number % 3:
            layout.undo(record, Progress())
        elif number % 2:
            layout.empty_trash([record], Progress())
"""


def test_processes_that_add_remove_and_undo_at_once_lose_nothing(memory: Path) -> None:
    """Promise 5. The images share a layer, so each removal has to see what the others do."""
    path = memory / "layout"
    ImageLayout.create(path).close()
    count, owners = 24, ("a", "b", "c")
    command = [sys.executable, "-c", ADD_REMOVE_UNDO, str(path)]
    running = [subprocess.Popen([*command, own, str(count)], cwd=ROOT) for own in owners]
    assert [process.wait(100) for process in running] == [0] * len(owners)
    assert set(names_in(path)) == {f"{own}-{number}" for own in owners for number in range(count) if number % 3}
    assert missing_in(path) == set()
    with ImageLayout.open(path) as layout:
        assert len(layout.trash()) == sum(number % 3 == 0 and number % 2 == 0 for number in range(count)) * len(owners)
        for record in layout.trash():
            layout.undo(record.id, Progress())
        assert layout.leftovers(min_age_s=0) == []
    kept = {f"{own}-{number}" for own in owners for number in range(count) if number % 3 or number % 2 == 0}
    assert set(names_in(path)) == kept
    assert missing_in(path) == set()
