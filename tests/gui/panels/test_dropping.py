"""What a drop promises: to say beforehand what it will do, or in a sentence why it will do nothing."""

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl

from engine import DockerImageStore, ImageLayout
from gui.panels.dropping import Brought, Deed, DropPlan, Kind, Target, look_at, plan_drop, urls_of

LAYOUT = Target("app-layout", writable=True, is_layout=True)
DOCKER = Target("imagedb", writable=True, is_layout=False)
READ_ONLY = Target("app-layout", writable=False, is_layout=True)


def drop(target: Target | None, *paths: Path) -> DropPlan:
    return plan_drop(look_at([QUrl.fromLocalFile(str(path)) for path in paths]), target)


def a_file(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(b"x" * size)
    return path


def a_layout(folder: Path, name: str) -> Path:
    ImageLayout.create(folder / name).close()
    return folder / name


@pytest.mark.parametrize("target", [None, LAYOUT, DOCKER, READ_ONLY])
def test_a_folder_that_is_a_store_is_opened(tmp_path: Path, target: Target | None) -> None:
    layout = a_layout(tmp_path, "app-layout")
    assert drop(target, layout) == DropPlan(Deed.OPEN, "Open app-layout", (layout,))


def test_docker_s_store_is_opened(tmp_path: Path) -> None:
    DockerImageStore.create(tmp_path / "imagedb").close()
    assert drop(None, tmp_path / "imagedb").deed is Deed.OPEN


def test_several_stores_are_opened_together(tmp_path: Path) -> None:
    stores = (a_layout(tmp_path, "a"), a_layout(tmp_path, "b"))
    assert drop(LAYOUT, *stores) == DropPlan(Deed.OPEN, "Open 2 stores", stores)


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
def test_the_file_that_makes_a_layout_stands_for_it(tmp_path: Path, name: str) -> None:
    layout = a_layout(tmp_path, "app-layout")
    assert drop(LAYOUT, layout / name) == DropPlan(Deed.OPEN, "Open app-layout", (layout,))


def test_files_on_an_open_layout_are_imported_with_their_number_and_size(tmp_path: Path) -> None:
    files = [a_file(tmp_path, f"{number}.tar", 10_000_000) for number in range(3)]
    plan = drop(LAYOUT, *files)
    assert plan.deed is Deed.IMPORT
    assert plan.sentence == "Import 3 files as blobs into app-layout (copied, 30.0 MB)"
    assert plan.paths == tuple(files)


def test_one_file_is_named(tmp_path: Path) -> None:
    file = a_file(tmp_path, "layer.tar", 5)
    assert drop(LAYOUT, file).sentence == "Import layer.tar as a blob into app-layout (copied, 5 bytes)"
    assert drop(DOCKER, file).sentence == "Import layer.tar as an image config into imagedb (copied, 5 bytes)"


def test_a_name_with_odd_characters_is_found_again(tmp_path: Path) -> None:
    file = a_file(tmp_path, "50% of #1 & more?.tar", 5)
    assert drop(LAYOUT, file).paths == (file,)


def test_files_need_a_store(tmp_path: Path) -> None:
    plan = drop(None, a_file(tmp_path, "layer.tar", 5))
    assert plan == DropPlan(Deed.NOTHING, "layer.tar is a file: open or make a layout first, then drop files on it.")


def test_a_read_only_store_takes_no_files(tmp_path: Path) -> None:
    plan = drop(READ_ONLY, a_file(tmp_path, "layer.tar", 5))
    assert plan == DropPlan(Deed.NOTHING, "app-layout cannot be changed, so nothing can be imported into it.")


def test_a_folder_that_is_no_store_is_told_with_what_was_looked_for(tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    plan = drop(LAYOUT, folder)
    assert plan.deed is Deed.NOTHING
    assert "holiday is neither an OCI image layout nor Docker's image store: looked for" in plan.sentence


def test_what_is_on_another_computer_is_told(tmp_path: Path) -> None:
    plan = plan_drop(look_at([QUrl("https://example.org/layer.tar")]), LAYOUT)
    assert plan.deed is Deed.NOTHING
    assert plan.sentence.startswith("https://example.org/layer.tar is not on this computer")


def test_what_has_vanished_is_told(tmp_path: Path) -> None:
    assert drop(LAYOUT, tmp_path / "gone.tar") == DropPlan(Deed.NOTHING, "gone.tar is no longer there.")


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe is no regular file" in drop(LAYOUT, tmp_path / "pipe").sentence


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = a_file(tmp_path, "secret", 5)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, as which tests may run, may read everything
    assert drop(LAYOUT, file).sentence == "secret cannot be read: you have no permission to."


def test_a_folder_among_files_is_told(tmp_path: Path) -> None:
    plan = drop(LAYOUT, a_file(tmp_path, "layer.tar", 5), a_layout(tmp_path, "other"))
    assert plan.deed is Deed.NOTHING
    assert "either folders to open or files to import" in plan.sentence


def test_one_useless_thing_makes_the_whole_drop_useless(tmp_path: Path) -> None:
    plan = drop(LAYOUT, tmp_path / "gone", tmp_path / "lost", a_file(tmp_path, "layer.tar", 5))
    assert plan == DropPlan(Deed.NOTHING, "gone is no longer there. 1 more cannot be used either.")


def test_a_path_as_text_is_as_good_as_the_file(tmp_path: Path) -> None:
    data = QMimeData()
    data.setText(f"{tmp_path}\n")
    assert [url.toLocalFile() for url in urls_of(data)] == [str(tmp_path)]


@pytest.mark.parametrize("words", ["", "hello", "/two\n/lines", "sha256:abc"])
def test_other_text_is_not_an_address(words: str) -> None:
    data = QMimeData()
    data.setText(words)
    assert urls_of(data) == []


def test_names_are_shown_as_text() -> None:
    plan = plan_drop([Brought(Kind.FILE, Path("/x/a\u202eb\n<b>"), 1)], LAYOUT)
    assert "\u202e" not in plan.sentence
    assert "\n" not in plan.sentence
