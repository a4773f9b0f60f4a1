"""What other tools write opens here with nothing to complain about; what we write, they read, copy and collect."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import DockerImageStore, ImageLayout, ImportRequest, NotAStore, Progress, open_store, plan_removal
from engine.findings import Finding, Severity
from engine.index import IndexText
from engine.snapshot import Snapshot, State
from engine.verdicts import Verdicts
from tests.findings import found as findings_in
from tests.layouts import CONFIG, LAYER, MANIFEST, sha256, tree
from tests.tools._ours import Ours
from tests.tools._tools import Held, Tools, run

pytestmark = pytest.mark.needs("umoci", "skopeo", "buildah")


def states(path: Path) -> tuple[Snapshot, dict[str, State]]:
    """A layout's snapshot, and the state of each of its blobs after all were hashed."""
    with ImageLayout.open(path) as layout:
        snapshot, progress = layout.scan(Progress()), Progress()
        layout.verify(snapshot, None, progress)
        verdicts = Verdicts.of(snapshot, 0)
        for batch in progress.drain():
            verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
        found = snapshot.states(verdicts.outcomes)
    return snapshot, {snapshot.name(row): State(int(state)) for row, state in enumerate(found)}


def complaints(path: Path) -> list[Finding]:
    """Everything that the validator tells of a layout as a warning or worse."""
    return [each for each in findings_in(path, hashed=True) if each.severity > Severity.INFO]


def blobs_in(path: Path) -> set[str]:
    return {f"sha256:{file.name}" for file in (path / "blobs" / "sha256").iterdir()}


def with_umoci(tools: Tools, path: Path) -> None:
    tools.make_with_umoci(path)


def with_umoci_repacked(tools: Tools, path: Path) -> None:
    tools.make_with_umoci(path)
    tools.umoci("unpack", "--rootless", "--image", f"{path}:one", "bundle")
    (tools.folder / "bundle/rootfs/more").write_text("more")
    tools.umoci("repack", "--image", f"{path}:two", "bundle")
    tools.umoci("tag", "--image", f"{path}:two", "three")


def with_buildah(tools: Tools, path: Path) -> None:
    tools.push(tools.build("image"), f"oci:{path}:one")


def with_buildah_zstd(tools: Tools, path: Path) -> None:
    tools.push(tools.build("image"), f"oci:{path}:one", "--compression-format", "zstd")


def with_buildah_uncompressed(tools: Tools, path: Path) -> None:
    tools.push(tools.build("image"), f"oci:{path}:one", "--disable-compression")


def with_buildah_docker_format(tools: Tools, path: Path) -> None:
    tools.push(tools.build("image"), f"oci:{path}:one", "--format", "v2s2")


def with_buildah_platforms(tools: Tools, path: Path) -> None:
    tools.buildah("manifest", "create", "list")
    for architecture in ("amd64", "arm64"):
        tools.buildah("manifest", "add", "list", tools.build(architecture, architecture))
    tools.buildah("manifest", "push", "--all", "list", f"oci:{path}:one")


def with_skopeo(tools: Tools, path: Path) -> None:
    tools.make_with_umoci(tools.folder / "umoci")
    tools.skopeo("copy", "oci:umoci:one", f"oci:{path}:one")


def with_skopeo_over_its_own(tools: Tools, path: Path) -> None:
    """A name that moves to another image leaves an entry without one."""
    with_skopeo(tools, path)
    tools.make_with_umoci(tools.folder / "other")
    tools.skopeo("copy", "oci:other:one", f"oci:{path}:one")


def with_skopeo_platforms(tools: Tools, path: Path) -> None:
    with_buildah_platforms(tools, tools.folder / "buildah")
    tools.skopeo("copy", "--all", "oci:buildah:one", f"oci:{path}:one")


def with_skopeo_archive(tools: Tools, path: Path) -> None:
    tools.make_with_umoci(tools.folder / "umoci")
    tools.skopeo("copy", "oci:umoci:one", "oci-archive:archive.tar:one")
    path.mkdir()
    run("tar", "--extract", "--file", tools.folder / "archive.tar", folder=path)


@pytest.mark.parametrize(
    ("make", "names", "platforms"),
    [
        (with_umoci, ["one"], ["linux/amd64"]),
        (with_umoci_repacked, ["one", "two", "three"], ["linux/amd64"] * 3),
        (with_buildah, ["one"], ["linux/amd64"]),
        (with_buildah_zstd, ["one"], ["linux/amd64"]),
        (with_buildah_uncompressed, ["one"], ["linux/amd64"]),
        (with_buildah_docker_format, ["one"], ["linux/amd64"]),
        (with_buildah_platforms, ["one"], ["2 platforms"]),
        (with_skopeo, ["one"], ["linux/amd64"]),
        (with_skopeo_over_its_own, [None, "one"], ["linux/amd64"] * 2),
        (with_skopeo_platforms, ["one"], ["2 platforms"]),
        (with_skopeo_archive, ["one"], ["linux/amd64"]),
    ],
)
def test_what_they_write_opens_with_nothing_to_complain_about(
    tools: Tools, tmp_path: Path, make: Callable[[Tools, Path], None], names: list[str | None], platforms: list[str]
) -> None:
    path = tmp_path / "layout"
    make(tools, path)
    before = tree(path)
    snapshot, found = states(path)
    assert complaints(path) == []
    assert found.keys() == blobs_in(path)
    assert set(found.values()) == {State.VERIFIED}
    assert [entry.names[0] if entry.names else None for entry in snapshot.entries] == names
    assert [snapshot.platform(entry.row) for entry in snapshot.entries] == platforms
    with open_store(path) as layout:
        assert layout.leftovers(min_age_s=0) == []
    assert tree(path) == before


def test_what_skopeo_calls_a_directory_is_no_store(tools: Tools, tmp_path: Path) -> None:
    tools.make_with_umoci(tmp_path / "umoci")
    tools.skopeo("copy", "oci:umoci:one", "dir:directory")
    with pytest.raises(NotAStore, match="neither an OCI image layout nor Docker's image store") as raised:
        open_store(tmp_path / "directory")
    assert "manifest.json" in raised.value.found


def test_what_umoci_collects_is_what_we_call_unused_or_lost(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "layout"
    with_umoci_repacked(tools, path)
    for name in ("two", "three"):
        tools.umoci("remove", "--image", f"{path}:{name}")
    _, found = states(path)
    unwanted = {digest for digest, state in found.items() if state in (State.UNUSED, State.LOST)}
    before = blobs_in(path)
    tools.umoci("gc", "--layout", path)
    assert before - blobs_in(path) == unwanted != set()


@pytest.fixture
def ours(tmp_path: Path) -> Ours:
    """A layout of ours with two images that share a layer, and a third for two platforms."""
    ours = Ours(tmp_path / "ours")
    shared = ours.layer("shared", b"in both")
    ours.name(ours.image(shared, ours.layer("hello", b"hello from one")), "one")
    ours.name(ours.image(shared, ours.layer("hello", b"hello from two")), "two")
    arm = ours.image(ours.layer("hello", b"hello from arm64"), architecture="arm64")
    ours.name(ours.platforms(ours.image(shared), arm), "many")
    return ours


def assert_they_can_use(tools: Tools, path: Path, name: str) -> None:
    """All three tools read an image of two layers, and it holds what it held."""
    tools.umoci("stat", "--image", f"{path}:{name}")
    tools.umoci("unpack", "--rootless", "--image", f"{path}:{name}", f"bundle-{name}")
    root = tools.folder / f"bundle-{name}/rootfs"
    assert [(root / file).read_text() for file in ("shared", "hello")] == ["in both", f"hello from {name}"]
    assert json.loads(tools.skopeo("inspect", f"oci:{path}:{name}"))["Architecture"] == "amd64"
    for target in (f"oci:copied:{name}", f"oci-archive:{name}.tar:{name}", f"dir:{name}.dir"):
        tools.skopeo("copy", f"oci:{path}:{name}", target)
    image = tools.pull(f"oci:{path}:{name}")
    assert json.loads(tools.buildah("inspect", "--type", "image", image))["OCIv1"]["config"]["Cmd"] == ["/hello"]
    tools.buildah("from", "--pull-never", image)


def test_they_read_and_copy_what_we_made(tools: Tools, ours: Ours) -> None:
    assert tools.names(ours.path) == ["one", "two", "many"]
    assert_they_can_use(tools, ours.path, "one")
    tools.skopeo("copy", "--all", f"oci:{ours.path}:many", "oci:copied:many")
    _, found = states(tools.folder / "copied")
    assert complaints(tools.folder / "copied") == []
    assert set(found.values()) == {State.VERIFIED}


def test_they_read_what_we_edited_and_what_nobody_knows_survives(tools: Tools, ours: Ours) -> None:
    """T22, promise 16."""
    index = ours.path / "index.json"
    unknown = '"x-float": 1e2, "x-list": [ 1.0 ,\t2]'
    index.write_text(index.read_text().replace('"digest"', f'{unknown},"digest"') + "\n")

    def edit(text: IndexText) -> None:
        text.rename(text.named("one")[0], "uno")
        text.annotate(text.named("two")[0], "org.example.note", "edited")
        text.add(text.entries[text.named("two")[0]], "too")
        text.retag("latest", text.entries[text.named("many")[0]])
        text.remove(text.named("two")[0])

    ours.layout.edit_index(edit)
    assert tools.names(ours.path) == ["uno", "many", "too", "latest"]
    assert index.read_text().count(unknown) == 2
    assert index.read_text().endswith("\n")
    tools.skopeo("copy", f"oci:{ours.path}:uno", "oci:copied:uno")
    tools.skopeo("copy", "--all", f"oci:{ours.path}:latest", "oci:copied:latest")
    tools.umoci("stat", "--image", f"{ours.path}:too")


def test_what_stays_after_our_removal_is_whole_and_nothing_is_left_to_collect(tools: Tools, ours: Ours) -> None:
    with open_store(ours.path) as layout:
        snapshot = layout.scan(Progress())
        layout.apply(plan_removal(snapshot, [0], with_content=True), Progress())
    left = blobs_in(ours.path)
    tools.umoci("gc", "--layout", ours.path)
    assert blobs_in(ours.path) == left
    assert_they_can_use(tools, ours.path, "two")
    tools.skopeo("copy", "--all", f"oci:{ours.path}:many", "oci:copied:many")


def test_umoci_collects_in_our_layout_only_what_we_call_unused_or_lost(tools: Tools, ours: Ours) -> None:
    ours.put(b"nobody needs this", "")
    ours.layout.edit_index(lambda index: index.remove(index.named("one")[0]))
    _, found = states(ours.path)
    unwanted = {digest for digest, state in found.items() if state in (State.UNUSED, State.LOST)}
    before = blobs_in(ours.path)
    tools.umoci("gc", "--layout", ours.path)
    assert before - blobs_in(ours.path) == unwanted != set()


def test_a_store_of_ours_has_the_shape_that_docker_expects(tmp_path: Path) -> None:
    """Folders, names and modes as moby's image/fs.go makes them."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers"}}).encode()
    with DockerImageStore.create(tmp_path / "imagedb") as store:
        image = store.set(config)
        store.metadata.set(image, "lastUpdated", b"2026-03-14T09:26:53Z")
    found = {path: stat.filemode(mode) for path, (mode, _, _) in tree(tmp_path / "imagedb").items()}
    assert found == {
        "content": "drwx------",
        "content/sha256": "drwx------",
        f"content/sha256/{image.encoded}": "-rw-------",
        "metadata": "drwx------",
        "metadata/sha256": "drwx------",
        f"metadata/sha256/{image.encoded}": "drwx------",
        f"metadata/sha256/{image.encoded}/lastUpdated": "-rw-------",
    }
    assert stat.filemode((tmp_path / "imagedb").stat().st_mode) == "drwx------"


class Meanwhile(Progress):
    """Lets something happen once, when an import has come to a certain step."""

    def __init__(self, step: str, happen: Callable[[], object]) -> None:
        super().__init__()
        self._step = step
        self._happen: Callable[[], object] | None = happen

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        super().start(label, total, unit)
        if label == "Adding to the index":
            self._do(label)

    def advance(self, amount: int = 1) -> None:
        super().advance(amount)
        self._do(self.label)

    def _do(self, label: str) -> None:
        happen = self._happen
        if label == self._step and happen is not None:
            self._happen = None
            happen()


def image_files(folder: Path) -> list[ImportRequest]:
    """An image as files that can be imported: what it needs, then its manifest under a name."""
    layer = b"x" * 3_000_000
    rootfs = {"type": "layers", "diff_ids": [sha256(layer)]}
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode()
    contents = {"layer": (LAYER, layer), "config": (CONFIG, config)}
    folder.mkdir()
    for name, (_, content) in contents.items():
        (folder / name).write_bytes(content)
    parts = {
        name: {"mediaType": media_type, "digest": sha256(content), "size": len(content)}
        for name, (media_type, content) in contents.items()
    }
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": parts["config"], "layers": [parts["layer"]]}
    (folder / "manifest").write_text(json.dumps(manifest))
    return [ImportRequest(folder / name, "new" if name == "manifest" else None) for name in (*contents, "manifest")]


@pytest.mark.parametrize("step", ["Importing", "Adding to the index"])
def test_umoci_collecting_garbage_takes_nothing_from_a_running_import(
    tools: Tools, ours: Ours, tmp_path: Path, step: str
) -> None:
    """In the middle of the first file; and when all are copied, but nothing leads to them yet."""
    collected = []

    def collect() -> None:
        collected.append(blobs_in(ours.path))
        tools.umoci("gc", "--layout", ours.path)

    requests = image_files(tmp_path / "files")
    change = ours.layout.import_files(requests, Meanwhile(step, collect))
    assert len(collected) == 1
    assert len(collected[0] & set(change.added)) == (0 if step == "Importing" else 3)
    assert tools.names(ours.path)[-1] == "new"
    _, found = states(ours.path)
    assert complaints(ours.path) == []
    assert set(found.values()) == {State.VERIFIED}


@pytest.mark.needs("strace")
def test_our_cleaning_leaves_a_running_umoci_alone(tools: Tools, ours: Ours, tmp_path: Path) -> None:
    """T99: held between two of its blobs, while it holds its lock."""
    umoci = ["umoci", "insert", "--image", f"{ours.path}:one", tools.tree("tree", file="inserted"), "/srv"]
    with Held(umoci, tmp_path / "log", "renameat,renameat2,rename") as running:
        running.hold_when(lambda: bool(list(ours.path.glob(".umoci-*"))))
        (leftover,) = ours.layout.leftovers(min_age_s=0)
        assert (leftover.tool, leftover.removable, leftover.why) == ("umoci", False, "A running program is using it.")
        assert ours.layout.clean(min_age_s=0) == []
        running.finish()
    assert ours.layout.leftovers(min_age_s=0) == []
    _, found = states(ours.path)
    assert State.MISSING not in found.values()
    tools.umoci("unpack", "--rootless", "--image", f"{ours.path}:one", "bundle")
    assert (tmp_path / "bundle/rootfs/srv/file").read_text() == "inserted"


@pytest.mark.needs("strace")
def test_our_cleaning_removes_what_a_killed_umoci_has_left(tools: Tools, ours: Ours, tmp_path: Path) -> None:
    """T99, promise 10."""
    umoci = ["umoci", "insert", "--image", f"{ours.path}:one", tools.tree("tree", file="inserted"), "/srv"]
    with Held(umoci, tmp_path / "log", "renameat,renameat2,rename") as running:
        running.hold_when(lambda: bool(list(ours.path.glob(".umoci-*"))))
        running.kill()
    (dead,) = (path.name for path in ours.path.glob(".umoci-*"))
    outside = tools.tree("outside", file="precious")
    (ours.path / ".umoci-link").symlink_to(outside)
    (ours.path / "other-1").mkdir()
    assert ours.layout.clean() == [], "it may be between making the folder and locking it"
    assert [leftover.path for leftover in ours.layout.clean(min_age_s=0)] == [dead]
    assert not (ours.path / dead).exists()
    assert (ours.path / ".umoci-link").is_symlink()
    assert (ours.path / "other-1").is_dir()
    assert (outside / "file").read_text() == "precious"
    assert tools.names(ours.path) == ["one", "two", "many"]
