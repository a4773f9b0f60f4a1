"""Importing files: what each one is, said beforehand; always a copy, checked against what its name promises."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.blobs import Change
from engine.docker import DockerImageStore
from engine.document import DOCKER_CONFIG, OCI_MANIFEST
from engine.errors import DigestMismatch, EngineError, InvalidName, Refused, StorageFailed
from engine.importing import ImportRequest, inspect_source
from engine.indexfile import Edit
from engine.layout import ImageLayout
from engine.progress import Progress
from tests.findings import told
from tests.layouts import LayoutFiles, sha256, tree


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[ImageLayout]:
    with ImageLayout.create(tmp_path / "layout") as layout:
        yield layout


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def blobs(layout: ImageLayout) -> set[str]:
    return {entry.name for batch in layout.blobs.list() for entry in batch}


class TestInspecting:
    """Before anything is copied."""

    def test_a_manifest_can_have_a_name_and_says_what_it_needs(self, tmp_path: Path) -> None:
        files = LayoutFiles(tmp_path / "other")
        image = files.image(b"layer")
        source = inspect_source(files.file(image))
        assert (source.media_type, source.can_be_named, source.refusal) == (OCI_MANIFEST, True, "")
        assert sha256(b"layer") in source.needs
        assert source.expected == image["digest"]

    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (b"\x1f\x8b\x08 gzip", "application/gzip"),
            (b"\x28\xb5\x2f\xfd", "application/zstd"),
            (b"text", ""),
            (b"", ""),
        ],
    )
    def test_other_files_are_blobs(self, tmp_path: Path, content: bytes, media_type: str) -> None:
        source = inspect_source(write(tmp_path / "file", content))
        assert (source.media_type, source.can_be_named, source.size, source.refusal) == (
            media_type,
            False,
            len(content),
            "",
        )

    @pytest.mark.parametrize("kind", ["folder", "vanished", "pipe", "dangling"])
    def test_what_cannot_be_imported_gets_a_sentence(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "source"
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "dangling":
            path.symlink_to(tmp_path / "nowhere")
        refusal = inspect_source(path).refusal
        assert refusal.endswith(".")
        assert "source" in refusal

    @pytest.mark.parametrize("name", ["{}", "sha256:{}", "sha256-{}", "{}.tar.gz"])
    def test_a_name_that_is_a_digest_is_a_promise(self, tmp_path: Path, name: str) -> None:
        encoded = sha256(b"x")[7:]
        assert inspect_source(write(tmp_path / name.format(encoded), b"x")).expected == f"sha256:{encoded}"
        assert inspect_source(write(tmp_path / "layer.tar", b"x")).expected == ""


class TestImporting:
    """Into an image layout."""

    def test_files_become_blobs_and_stay_where_they_were(self, layout: ImageLayout, tmp_path: Path) -> None:
        sources = [write(tmp_path / "one", b"one"), write(tmp_path / "two", b"two" * 1_000_000)]
        progress = Progress()
        change = layout.import_files([ImportRequest(path) for path in sources], progress)
        assert set(change.added) == blobs(layout) == {sha256(b"one"), sha256(b"two" * 1_000_000)}
        assert all(path.exists() for path in sources)
        assert progress.done == progress.total

    def test_a_manifest_gets_its_name_after_everything_is_there(self, layout: ImageLayout, tmp_path: Path) -> None:
        files = LayoutFiles(tmp_path / "other")
        image = files.image(b"layer")
        parts = [files.path / "blobs" / "sha256" / name for name in os.listdir(files.path / "blobs" / "sha256")]
        requests = [ImportRequest(path, "app:1" if path == files.file(image) else None) for path in parts]
        assert layout.import_files(requests, Progress()).index_changed
        snapshot = layout.scan(Progress())
        assert [(entry.names, entry.descriptor.digest) for entry in snapshot.entries] == [(("app:1",), image["digest"])]
        assert snapshot.entries[0].descriptor.size == image["size"]
        assert told(layout.path) == []

    def test_a_name_that_is_taken_moves_and_the_other_image_keeps_an_entry(
        self, layout: ImageLayout, tmp_path: Path
    ) -> None:  # T73
        files = LayoutFiles(tmp_path / "other")
        old, new = files.image(b"old"), files.image(b"new")
        for image in (old, new, new):
            layout.import_files([ImportRequest(files.file(image), "app:1")], Progress())
        entries = layout.scan(Progress()).entries
        assert [(entry.names, entry.descriptor.digest) for entry in entries] == [
            ((), old["digest"]),
            (("app:1",), new["digest"]),
        ]

    def test_a_bad_digest_is_refused_and_leaves_nothing(self, layout: ImageLayout, tmp_path: Path) -> None:  # T28
        path = write(tmp_path / sha256(b"good")[7:], b"evil")
        before = tree(layout.path)
        with pytest.raises(DigestMismatch):
            layout.import_files([ImportRequest(path)], Progress())
        assert blobs(layout) == set()
        assert {name: value[2] for name, value in tree(layout.path).items()} == {
            name: value[2] for name, value in before.items()
        }

    def test_only_manifests_and_indexes_can_have_a_name(self, layout: ImageLayout, tmp_path: Path) -> None:
        with pytest.raises(InvalidName, match=r"layer\.tar"):
            layout.import_files([ImportRequest(write(tmp_path / "layer.tar", b"x"), "app:1")], Progress())

    def test_a_file_that_vanished_is_named(self, layout: ImageLayout, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match="gone"):
            layout.import_files([ImportRequest(tmp_path / "gone")], Progress())

    def test_a_named_file_that_cannot_be_read_is_named(
        self, layout: ImageLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "manifest.json", b"{}")
        (tmp_path / "mem").symlink_to("/proc/self/mem")  # a regular file whose reading fails
        with pytest.raises(StorageFailed, match=r"Reading .*mem failed: Input/output"):
            layout.import_files([ImportRequest(path), ImportRequest(tmp_path / "mem", "app:1")], Progress())

    def test_a_file_that_changes_after_it_was_named_is_not_taken_for_itself(
        self, layout: ImageLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = LayoutFiles(tmp_path / "other")
        path = write(tmp_path / "manifest.json", files.file(files.image(b"layer")).read_bytes())
        edit_index = ImageLayout.edit_index

        def edit(layout: ImageLayout, edit: Edit) -> Change:
            change = edit_index(layout, edit)
            for entry in blobs(layout):  # another program's garbage collector
                layout.blobs.delete(entry)
            path.write_bytes(path.read_bytes() + b"\n")
            return change

        monkeypatch.setattr(ImageLayout, "edit_index", edit)
        with pytest.raises(DigestMismatch):
            layout.import_files([ImportRequest(path, "app:1")], Progress())
        assert blobs(layout) == set()

    def test_importing_again_changes_nothing(self, layout: ImageLayout, tmp_path: Path) -> None:  # T27
        path = write(tmp_path / "file", b"content")
        layout.import_files([ImportRequest(path)], Progress())
        before = tree(layout.path / "blobs")
        change = layout.import_files([ImportRequest(path)], Progress())
        assert (change.added, change.repaired) == ((), ())
        assert tree(layout.path / "blobs") == before

    def test_importing_the_good_file_repairs_a_bad_blob(self, layout: ImageLayout, tmp_path: Path) -> None:  # T40, T41
        path = write(tmp_path / "file", b"content")
        layout.import_files([ImportRequest(path)], Progress())
        blob = layout.path / "blobs" / "sha256" / sha256(b"content")[7:]
        blob.write_bytes(b"")
        change = layout.import_files([ImportRequest(path)], Progress())
        assert change.repaired == (sha256(b"content"),)
        assert blob.read_bytes() == b"content"


class TestDocker:
    """Into Docker's store, which holds image configs only."""

    def test_an_image_config_is_taken(self, tmp_path: Path) -> None:
        store = DockerImageStore.create(tmp_path / "imagedb")
        content = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers"}}).encode()
        change = store.import_files([ImportRequest(write(tmp_path / "config.json", content))], Progress())
        assert change.added == (sha256(content),)
        assert store.scan(Progress()).entries[0].descriptor.media_type == DOCKER_CONFIG
        store.close()

    def test_a_config_that_vanishes_before_it_is_read_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "config.json", json.dumps({"architecture": "amd64", "rootfs": {}}).encode())
        source = inspect_source(path)
        path.unlink()
        monkeypatch.setattr("engine.importing.inspect_source", lambda _: source)
        with DockerImageStore.create(tmp_path / "imagedb") as store, pytest.raises(Refused, match="no longer there"):
            store.import_files([ImportRequest(path)], Progress())

    @pytest.mark.parametrize("content", [b"", b"a layer", b'{"layers":[],"config":{}}'])
    def test_anything_else_is_refused_before_anything_is_written(self, tmp_path: Path, content: bytes) -> None:
        store = DockerImageStore.create(tmp_path / "imagedb")
        with pytest.raises(Refused):
            store.import_files([ImportRequest(write(tmp_path / "file", content))], Progress())
        assert len(store.scan(Progress())) == 0
        store.close()
