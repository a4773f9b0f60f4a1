"""Image layouts: any is opened or refused in a sentence, and looking changes nothing."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.digest import digest_of
from engine.document import OCI_MANIFEST, Descriptor
from engine.errors import AlreadyExists, DocumentError, NotAStore, Refused, StorageFailed, StoreClosed
from engine.importing import ImportRequest
from engine.layout import ImageLayout
from engine.progress import Progress
from tests.findings import told


@pytest.fixture
def path(layout: ImageLayout) -> Path:
    return layout.path


class TestCreate:
    def test_a_new_layout_is_what_the_specification_asks_for(self, path: Path) -> None:
        """T10: umoci once wrote null for the list."""
        assert json.loads((path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
        assert json.loads((path / "index.json").read_bytes()) == {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [],
        }
        assert sorted(str(file.relative_to(path)) for file in path.rglob("*")) == [
            "blobs",
            "blobs/sha256",
            "index.json",
            "oci-layout",
        ]
        assert told(path) == []
        assert os.listdir(path.parent) == ["layout"]

    def test_its_modes_are_those_that_the_umask_leaves(self, tmp_path: Path) -> None:
        """T109"""
        before = os.umask(0o027)
        try:
            ImageLayout.create(tmp_path / "new").close()
        finally:
            os.umask(before)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new", *(tmp_path / "new").rglob("*"))}
        assert modes == {"new": 0o750, "blobs": 0o750, "sha256": 0o750, "index.json": 0o640, "oci-layout": 0o640}

    @pytest.mark.parametrize("kind", ["file", "folder", "empty", "layout", "dangling link"])
    def test_what_has_the_name_stays_untouched(self, path: Path, kind: str, tree: Callable[[Path], object]) -> None:
        """T9"""
        taken = path.parent / "taken"
        {
            "file": lambda: taken.write_bytes(b"theirs"),
            "folder": lambda: (taken / "inner").mkdir(parents=True),
            "empty": taken.mkdir,
            "layout": lambda: path.rename(taken),
            "dangling link": lambda: taken.symlink_to("nowhere"),
        }[kind]()
        before = tree(path.parent)
        with pytest.raises(AlreadyExists, match="exists already") as raised:
            ImageLayout.create(taken)
        assert raised.value.remedy
        assert tree(path.parent) == before

    def test_a_missing_parent_is_not_made(self, tmp_path: Path) -> None:
        with pytest.raises(StorageFailed, match="No such file or directory"):
            ImageLayout.create(tmp_path / "missing" / "new")
        assert os.listdir(tmp_path) == []

    def test_a_relative_path_will_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with ImageLayout.create("new") as layout:
            assert layout.path == tmp_path / "new"


class TestOpen:
    def test_an_empty_folder_is_no_layout(self, tmp_path: Path) -> None:
        """T1"""
        with pytest.raises(NotAStore) as raised:
            ImageLayout.open(tmp_path)
        assert "oci-layout" in raised.value.expected
        assert raised.value.found == "none of them"
        assert raised.value.remedy

    def test_a_folder_with_only_an_index_is_no_layout(self, tmp_path: Path) -> None:
        (tmp_path / "index.json").write_text("{}")
        with pytest.raises(NotAStore) as raised:
            ImageLayout.open(tmp_path)
        assert raised.value.found == "index.json"

    @pytest.mark.parametrize("kind", ["missing", "file"])
    def test_what_is_no_folder_is_refused_and_not_made(self, tmp_path: Path, kind: str) -> None:
        """T8: oras makes it."""
        if kind == "file":
            (tmp_path / "x").touch()
        before = os.listdir(tmp_path)
        with pytest.raises(NotAStore, match=r"is not a folder|There is nothing"):
            ImageLayout.open(tmp_path / "x")
        assert os.listdir(tmp_path) == before

    def test_another_version_can_be_looked_at_and_not_changed(self, path: Path, tree: Callable[[Path], object]) -> None:
        """T4"""
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.1.0"}')
        before = tree(path)
        with ImageLayout.open(path) as layout:
            assert not layout.writable
            layout.scan(Progress())
            for change in (
                lambda: layout.blobs.put(b"x"),
                lambda: layout.edit_index(lambda index: None),
                lambda: layout.blobs.delete("sha256:" + "0" * 64),
                layout.clean,
            ):
                with pytest.raises(Refused, match=r"is a layout of version 1\.1\.0; only 1\.0\.0 can be changed"):
                    change()
        assert tree(path) == before

    @pytest.mark.parametrize("name", ["blobs", "index.json"])
    @pytest.mark.parametrize("kind", ["missing", "wrong kind", "link to the wrong kind"])
    def test_a_damaged_part_stops_nobody_from_looking(self, path: Path, name: str, kind: str) -> None:
        """T6, T7"""
        part = path / name
        shutil.rmtree(part) if part.is_dir() else part.unlink()
        target = part if kind == "wrong kind" else path.parent / "target"
        if kind != "missing":
            target.touch() if name == "blobs" else target.mkdir()
        if kind.startswith("link"):
            part.symlink_to(target)
        with ImageLayout.open(path) as layout:
            snapshot = layout.scan(Progress())
        assert bool(snapshot.roots.trouble) == (name == "index.json")

    def test_the_index_may_be_null(self, path: Path) -> None:
        """T12"""
        (path / "index.json").write_text('{"schemaVersion":2,"manifests":null}')
        with ImageLayout.open(path) as layout:
            snapshot = layout.scan(Progress())
            assert snapshot.entries == []


class TestLooking:
    """Promise 12: looking changes nothing, not even times."""

    @pytest.fixture
    def full(self, layout: ImageLayout, tmp_path: Path) -> Path:
        digest = layout.blobs.put(b"{}").digest
        layout.edit_index(lambda index: index.add(Descriptor(OCI_MANIFEST, digest, 2), "x") and None)
        layout.metadata.set(digest, "key", b"value")
        for path in (layout.path, *layout.path.rglob("*")):
            os.utime(path, (1, 2))
        return layout.path

    def test_opening_scanning_verifying_leaves_no_trace(self, full: Path) -> None:
        def times() -> dict[str, Any]:
            found = {}
            for path in (full, *full.rglob("*")):
                status = path.stat()
                found[str(path)] = status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns
            return found

        before = {path: path.stat() for path in (full, *full.rglob("*"))}
        with ImageLayout.open(full) as layout:
            snapshot = layout.scan(Progress())
            layout.verify(snapshot, None, Progress())
            layout.leftovers()
            digest = digest_of(b"{}")
            assert layout.metadata.keys(digest) == ["key"]
            assert layout.metadata.get(digest, "key") == b"value"
            assert layout.blobs.window(digest, 0, 1) == b"{"
            with layout.blobs.open_verified(digest) as reader:
                assert reader.read() == b"{}"
        for path, status in before.items():
            now = path.stat()
            assert (now.st_mtime_ns, now.st_ctime_ns) == (status.st_mtime_ns, status.st_ctime_ns), path
        # The walks of this test itself touch folders; so only files tell.
        assert {path.name for path in before if path.is_file() and path.stat().st_atime_ns != 10**9} == set()

    def test_read_only_media_can_be_looked_at(
        self, full: Path, as_nobody: Callable[[Path, Callable[[], None]], None]
    ) -> None:
        """T13"""
        for path in (full, *full.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)

        def look() -> None:
            with ImageLayout.open(".") as layout:
                assert not layout.writable
                snapshot = layout.scan(Progress())
                assert layout.verify(snapshot, None, Progress())
                digest = digest_of(b"{}")
                for change in (
                    lambda: layout.blobs.put(b"new"),
                    lambda: layout.blobs.delete(digest),
                    lambda: layout.edit_index(lambda index: index.remove(0)),
                    lambda: layout.metadata.set(digest, "other", b"x"),
                    lambda: layout.metadata.delete(digest, "key"),
                    lambda: layout.import_files([ImportRequest(Path("oci-layout"))], Progress()),
                ):
                    with pytest.raises(StorageFailed, match="Permission denied") as raised:
                        change()
                    assert raised.value.remedy
                assert sorted(os.listdir(".")) == ["blobs", "index.json", "metadata", "oci-layout"]

        as_nobody(full, look)


class TestClosing:
    def test_closing_twice_is_fine_and_every_use_afterwards_is_refused(self, layout: ImageLayout) -> None:
        """T110"""
        digest = layout.blobs.put(b"x").digest
        layout.close()
        layout.close()
        assert layout.closed
        assert not layout.writable
        for use in (
            layout.read_index,
            layout.leftovers,
            layout.clean,
            lambda: list(layout.blobs.list()),
            lambda: layout.blobs.open(digest),
            lambda: layout.blobs.put(b"y"),
            lambda: layout.blobs.delete(digest),
            lambda: layout.metadata.get(digest, "a"),
            lambda: layout.metadata.set(digest, "a", b""),
            lambda: layout.edit_index(lambda index: None),
        ):
            with pytest.raises(StoreClosed, match="was closed"):
                use()

    def test_a_reader_that_is_open_reads_to_its_end(self, layout: ImageLayout) -> None:
        digest = layout.blobs.put(b"content").digest
        with layout.blobs.open_verified(digest) as reader:
            layout.close()
            assert reader.read() == b"content"


class TestDelete:
    def test_a_blob_takes_its_metadata_with_it(self, layout: ImageLayout) -> None:
        """T119"""
        digest = layout.blobs.put(b"x").digest
        layout.metadata.set(digest, "a", b"1")
        assert layout.delete(digest) is True
        assert layout.delete(digest) is False
        assert sorted(os.listdir(layout.path)) == ["blobs", "index.json", "oci-layout"]


def test_an_index_that_cannot_be_read_is_an_error_and_never_empty(layout: ImageLayout) -> None:
    (layout.path / "index.json").write_text('{"manifests":[')
    os.utime(layout.path / "index.json", (1, 1))
    with pytest.raises(DocumentError):
        layout.read_index()
