"""The engine's front door: whatever store is there, or a sentence that says what was looked for and found."""

import os
from pathlib import Path

import pytest

from engine import DockerImageStore, ImageLayout, NotAStore, StorageFailed, inspect_source, open_store
from engine.errors import InvalidName
from tests.layouts import LayoutFiles, tree


def test_an_image_layout_and_dockers_store_are_told_apart(tmp_path: Path) -> None:
    LayoutFiles(tmp_path / "layout")
    DockerImageStore.create(tmp_path / "imagedb").close()
    for name, kind in (("layout", "layout"), ("imagedb", "docker")):
        with open_store(tmp_path / name) as store:
            assert store.kind == kind


def test_the_wrong_folder_is_answered_with_what_was_looked_for_and_found(tmp_path: Path) -> None:  # T1
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(NotAStore) as caught:
        open_store(tmp_path)
    assert "oci-layout" in caught.value.expected
    assert caught.value.found == "photo.jpg"


@pytest.mark.parametrize(("name", "found"), [("gone", "nothing"), ("file", "a file"), ("empty", "an empty folder")])
def test_what_is_no_folder_is_said_too(tmp_path: Path, name: str, found: str) -> None:  # T8
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    before = tree(tmp_path)
    with pytest.raises(NotAStore) as caught:
        open_store(tmp_path / name)
    assert caught.value.found == found
    assert tree(tmp_path) == before


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((NotAStore, StorageFailed)):
        open_store(tmp_path / "pipe")


@pytest.mark.parametrize("path", ["a\0b", "a\ud800b"])
def test_what_can_be_no_path_is_refused_in_a_sentence(path: str) -> None:
    for use in (open_store, ImageLayout.create, DockerImageStore.create):
        with pytest.raises(InvalidName, match="cannot be the path"):
            use(path)
    assert "cannot be the path" in inspect_source(Path(path)).refusal
