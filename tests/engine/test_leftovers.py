"""Cleaning up after crashed writers: only what is dead goes, and nothing is followed."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.docker import DockerImageStore
from engine.errors import Cancelled, Refused
from engine.layout import ImageLayout
from engine.leftovers import Leftover
from engine.progress import Progress

DIGITS = "0123456789abcdef" * 4
OURS = ".blobscope-0123456789abcdef"

FILES = {
    "oci-put-blob314": "skopeo, podman or buildah",
    "index.json.12345.tmp": "regclient",
    "index.json.lock": "BuildKit or Blobscope",
    "blobs/sha256/271828.tmp": "regclient",
    f"blobs/sha256/{DIGITS}.77.tmp": "regclient",
    f"blobs/sha256/{DIGITS}123": "crane or ko",
    f"ingest/{DIGITS}_42": "oras",
}
FOLDERS = {
    ".umoci-1234": "umoci",
    OURS: "Blobscope",
    f"blobs/{OURS}": "Blobscope",
    f"blobs/sha256/{OURS}": "Blobscope",
}
KEPT_FOLDERS = {".uploads": "zot", f"ingest/{DIGITS}": "containerd or BuildKit"}


@pytest.fixture
def path(layout: ImageLayout) -> Path:
    """A layout in which every tool has crashed."""
    for name in (*FOLDERS, *KEPT_FOLDERS):
        (layout.path / name).mkdir(parents=True)
        (layout.path / name / "data").write_bytes(bytes(100))
    for name in FILES:
        (layout.path / name).write_bytes(bytes(10))
    return layout.path


STRANGERS = (
    "oci-put-blob.notes",
    "index.json.old.tmp",
    "blobs/sha256/backup.tmp",
    f"blobs/sha256/{DIGITS}.old.tmp",
    f"ingest/{DIGITS}_copy",
)


def by_path(leftovers: list[Leftover]) -> dict[str, Leftover]:
    return {leftover.path: leftover for leftover in leftovers}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


class TestFinding:
    def test_each_is_named_by_its_tool_and_measured(self, layout: ImageLayout, path: Path) -> None:
        found = by_path(layout.leftovers())
        assert {name: leftover.tool for name, leftover in found.items()} == {**FILES, **FOLDERS, **KEPT_FOLDERS}
        assert {found[name].size for name in FILES} == {10}
        assert {found[name].size for name in (*FOLDERS, *KEPT_FOLDERS)} == {100}

    def test_what_is_young_and_unlocked_may_be_between_two_steps_of_a_living_writer(
        self, layout: ImageLayout, path: Path
    ) -> None:
        found = layout.leftovers()
        removable = {leftover.path for leftover in found if leftover.removable}
        assert removable == {OURS, f"blobs/{OURS}", f"blobs/sha256/{OURS}", "index.json.lock"}
        assert by_path(found)[".umoci-1234"].why == "It changed less than 60 minutes ago."

    def test_finding_takes_no_lock_from_a_young_writer_of_another_tool(
        self, layout: ImageLayout, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """umoci gives up when somebody else has its new folder locked."""
        asked = []
        monkeypatch.setattr(
            "engine.leftovers.try_lock", lambda fd: asked.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        )
        layout.leftovers()
        assert not [name for name in asked if "umoci" in name]

    def test_an_ordinary_layout_has_none(self, layout: ImageLayout) -> None:
        layout.blobs.put(b"x")
        for name in ("other-dir", "ingest"):
            (layout.path / name).mkdir()
        (layout.path / "index.lock").touch()
        assert layout.leftovers() == []


class TestCleaning:
    def test_the_dead_go_and_what_may_be_wanted_stays(
        self, layout: ImageLayout, path: Path, tree: Callable[[Path], dict[str, object]]
    ) -> None:
        """T99"""
        layout.blobs.put(b"kept")
        (path / "other-dir").mkdir()
        (path / "index.lock").touch()
        progress = Progress()
        gone = layout.clean(progress, min_age_s=0)
        assert {leftover.path for leftover in gone} == {*FILES, *FOLDERS}
        assert progress.done == len(FILES) + len(FOLDERS) + len(KEPT_FOLDERS)
        assert {leftover.path for leftover in layout.leftovers()} == set(KEPT_FOLDERS)
        assert sorted(os.listdir(path)) == [
            ".uploads", "blobs", "index.json", "index.lock", "ingest", "oci-layout", "other-dir",
        ]  # fmt: skip
        assert layout.clean(min_age_s=0) == []

    @pytest.mark.parametrize("blob", ["sha384/" + "1" * 96, "sha512/" + "1" * 128, "blake3/" + "1" * 64])
    def test_a_blob_of_another_algorithm_is_no_leftover(self, layout: ImageLayout, blob: str) -> None:  # T33
        file = layout.path / "blobs" / blob
        file.parent.mkdir()
        file.write_bytes(b"content")
        assert layout.clean(min_age_s=0) == []
        assert file.exists()

    @pytest.mark.parametrize("name", [".umoci-1234", OURS, f"blobs/{OURS}", "index.json.lock"])
    def test_what_a_living_program_has_locked_stays(self, layout: ImageLayout, path: Path, name: str) -> None:
        """T99, promise 10."""
        with locked(path / name):
            assert by_path(layout.leftovers(min_age_s=0))[name].why == "A running program is using it."
            assert name not in by_path(layout.clean(min_age_s=0))
            assert (path / name).exists()
        assert name in by_path(layout.clean(min_age_s=0))

    def test_our_own_put_is_left_alone_while_it_runs(self, layout: ImageLayout) -> None:
        class Source:
            steps = 0

            def read(self, size: int) -> bytes:
                self.steps += 1
                assert layout.clean(min_age_s=0) == []
                return b"x" * 10 if self.steps < 4 else b""

        result = layout.blobs.put(Source())
        assert layout.blobs.read(result.digest, 99) == b"x" * 30

    def test_links_of_such_names_are_not_followed(
        self, layout: ImageLayout, tmp_path: Path, tree: Callable[[Path], object]
    ) -> None:
        """T99, promise 13."""
        outside = tmp_path / "outside"
        (outside / "sha256").mkdir(parents=True)
        (outside / "sha256" / "x.tmp").write_bytes(b"precious")
        (outside / f"{DIGITS}_1").touch()
        for name in (".umoci-x", OURS, "oci-put-blobx", "ingest", "index.json.lock"):
            (layout.path / name).symlink_to(outside)
        (layout.path / "blobs" / "sha512").symlink_to(outside / "sha256")
        before = tree(tmp_path)
        assert layout.leftovers(min_age_s=0) == []
        assert layout.clean(min_age_s=0) == []
        assert tree(tmp_path) == before

    def test_a_link_inside_goes_and_its_target_stays(self, layout: ImageLayout, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "file").touch()
        (layout.path / OURS).mkdir()
        (layout.path / OURS / "link").symlink_to(tmp_path / "outside")
        assert len(layout.clean()) == 1
        assert (tmp_path / "outside" / "file").exists()

    def test_what_belongs_to_somebody_else_stays(
        self, layout: ImageLayout, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
        layout._root.rights = layout._root.rights._replace(uid=4712)
        assert {leftover.why for leftover in layout.leftovers(min_age_s=0) if leftover.tool == "umoci"} == {
            "It belongs to another user."
        }
        assert layout.clean(min_age_s=0) == []

    def test_where_there_are_no_locks_nothing_can_be_told(
        self, layout: ImageLayout, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("engine.leftovers.try_lock", lambda fd: None)
        assert by_path(layout.leftovers(min_age_s=0))[OURS].why == "This file system has no locks to tell by."
        assert OURS not in by_path(layout.clean(min_age_s=0))

    def test_it_can_be_stopped(self, layout: ImageLayout, path: Path) -> None:
        progress = Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            layout.clean(progress, min_age_s=0)

    def test_a_store_that_may_not_change_is_left_alone(
        self, layout: ImageLayout, path: Path, tree: Callable[[Path], object]
    ) -> None:
        before = tree(path)
        layout._root.refusal = "It must stay."
        with pytest.raises(Refused):
            layout.clean(min_age_s=0)
        assert tree(path) == before


def test_dockers_temporary_files(docker: DockerImageStore) -> None:
    digest = docker.set(b"{}")
    docker.metadata.set(digest, "parent", b"x")
    content = docker.path / "content" / "sha256"
    (content / f".tmp-{DIGITS}123").touch()
    (docker.path / "metadata" / "sha256" / digest.encoded / ".tmp-parent9").touch()
    (docker.path / OURS).mkdir()
    assert {leftover.tool for leftover in docker.leftovers()} == {"Docker", "Blobscope"}
    assert [leftover.path for leftover in docker.clean()] == [OURS]
    assert len(docker.clean(min_age_s=0)) == 2
    assert docker.get(digest) == b"{}"
    assert docker.metadata.keys(digest) == ["parent"]


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_only_named_almost_like_a_leftover_stays(path: Path, name: str) -> None:
    (path / name).write_bytes(b"mine")
    os.utime(path / name, (1, 1))
    with ImageLayout.open(path) as layout:
        assert name not in by_path(layout.leftovers(min_age_s=0))
        layout.clean(min_age_s=0)
    assert (path / name).read_bytes() == b"mine"
