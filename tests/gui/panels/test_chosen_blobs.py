"""Blobs that were chosen to be saved: their names, and what happens to those that are corrupt."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.docker import DockerImageStore
from engine.errors import Cancelled, DigestMismatch, Refused, StorageFailed
from engine.extracting import Extraction
from engine.progress import Progress
from gui.panels.chosen_blobs import ChosenBlobs, choose_blobs
from gui.panels.selected import Selected
from gui.session import Selection, Session
from tests.layouts import LAYER, LayoutFiles

Open = Callable[[Path], Session]
TITLE = "org.opencontainers.image.title"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    target = tmp_path / "out"
    target.mkdir()
    return target


def choose(session: Session, *digests: str) -> ChosenBlobs:
    selections = [Selection(session, digest) for digest in digests]
    chosen = choose_blobs(session, Selected(session, selections))
    assert chosen is not None
    assert isinstance(chosen.what, ChosenBlobs)
    return chosen.what


def take(session: Session, what: ChosenBlobs, target: Path, progress: Progress | None = None) -> Extraction:
    return what.take(session.store, target / "cache", target, progress or Progress(), None)


def test_they_are_called_by_their_titles_or_by_what_they_are(files: LayoutFiles, open_session: Open) -> None:
    titled = files.blob(b"1", "text/plain", annotations={TITLE: "../notes\x1b.txt"})
    layer = files.blob(b"2", f"{LAYER}+gzip")
    image = files.name(files.image(titled, layer))
    session = open_session(files.path)
    assert choose(session, titled["digest"]).suggestion == "notes%1B.txt"
    assert choose(session, layer["digest"]).suggestion == f"layer-{layer['digest'][7:19]}.tar.gz"
    assert choose(session, image["digest"]).suggestion == f"manifest-{image['digest'][7:19]}.json"
    several = choose(session, titled["digest"], layer["digest"])
    assert (several.name, several.suggestion, several.size) == ("2 blobs", "", 2)


def test_a_single_one_can_be_called_otherwise(files: LayoutFiles, open_session: Open, target: Path) -> None:
    digest = files.blob(b"content")["digest"]
    session = open_session(files.path)
    made = take(session, choose(session, digest).called("mine"), target)
    assert (made.placed, made.files, made.size, made.renamed) == ([target / "mine"], 1, 7, [])
    assert (target / "mine").read_bytes() == b"content"


def test_an_image_of_docker_s_store_is_saved_like_any_other_blob(
    tmp_path: Path, open_session: Open, target: Path
) -> None:
    with DockerImageStore.create(tmp_path / "imagedb") as store:
        digest = str(store.set(b"{}"))
    session = open_session(tmp_path / "imagedb")
    (made,) = take(session, choose(session, digest), target).placed
    assert made.read_bytes() == b"{}"


def test_what_has_no_file_and_what_is_no_blob_cannot_be_saved(files: LayoutFiles, open_session: Open) -> None:
    gone = files.blob(b"gone")
    files.name(files.image(gone))
    files.file(gone).unlink()
    (files.path / "blobs/sha256/stray.tmp").write_text("x")
    session = open_session(files.path)
    for name in (gone["digest"], "sha256/stray.tmp"):
        assert choose_blobs(session, Selected(session, [Selection(session, name)])) is None
    assert choose_blobs(session, Selected(session)) is None


def test_a_corrupt_one_is_saved_only_when_that_is_wanted(files: LayoutFiles, open_session: Open, target: Path) -> None:
    digest = files.blob(b"content")["digest"]
    files.file(digest).write_bytes(b"CONTENT")
    session = open_session(files.path)
    what = choose(session, digest)
    with pytest.raises(DigestMismatch) as caught:
        take(session, what, target)
    assert list(target.iterdir()) == []
    other = what.despite(caught.value)
    assert other is not None
    words, wanted = other
    assert words == "Save it all the same"
    made = wanted.take(session.store, target, target, Progress(), None)
    assert made.placed[0].read_bytes() == b"CONTENT"
    assert not made.is_verified
    assert what.despite(StorageFailed("full")) is None


def test_of_several_the_corrupt_one_is_left_out(files: LayoutFiles, open_session: Open, target: Path) -> None:
    digests = [files.blob(content)["digest"] for content in (b"1", b"2", b"3")]
    files.file(digests[1]).write_bytes(b"X")
    session = open_session(files.path)
    progress = Progress()
    made = take(session, choose(session, *digests), target, progress)
    assert (progress.done, progress.total) == (3, 3), "all of them are one job"
    assert sorted(path.read_bytes() for path in made.placed) == [b"1", b"3"]
    assert made.left_out_count == 1
    assert made.left_out[0][1].startswith(f"sha256:{digests[1][7:11]}")


def test_where_the_disk_fails_what_was_saved_before_is_told(
    files: LayoutFiles, open_session: Open, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [files.blob(bytes([n]) * 10)["digest"] for n in range(4)]
    session = open_session(files.path)
    progress = Progress()

    def fail(amount: int = 1) -> None:
        if len(list(target.glob("blob-*"))) == 2:
            raise StorageFailed("The disk is full.")

    monkeypatch.setattr(progress, "advance", fail)
    made = take(session, choose(session, *digests), target, progress)
    assert len(made.placed) == 2
    assert [reason for _, reason in made.left_out] == ["The disk is full."] * 2
    assert len(list(target.iterdir())) == 2, "and nothing half"


@pytest.mark.parametrize("saved", [0, 1])
def test_what_was_saved_before_it_was_stopped_is_told(
    files: LayoutFiles, open_session: Open, target: Path, monkeypatch: pytest.MonkeyPatch, saved: int
) -> None:
    digests = [files.blob(bytes([n]) * 10)["digest"] for n in range(3)]
    session = open_session(files.path)
    progress = Progress()

    def stop(amount: int = 1) -> None:
        if len(list(target.glob("blob-*"))) == saved:
            raise Cancelled

    monkeypatch.setattr(progress, "advance", stop)
    what = choose(session, *digests)
    if not saved:
        with pytest.raises(Cancelled):
            take(session, what, target, progress)
    else:
        made = take(session, what, target, progress)
        assert made.left_out_count == 2
        assert made.left_out[0][1] == "It was stopped before."
    assert len(list(target.iterdir())) == saved


def test_more_than_there_is_room_for_is_refused(files: LayoutFiles, open_session: Open, target: Path) -> None:
    digest = files.blob(bytes(2000))["digest"]
    session = open_session(files.path)
    with pytest.raises(Refused, match=r"would need 2\.0 kB, and there is room for 1\.0 kB\."):
        choose(session, digest).take(session.store, target, target, Progress(), 1000)
    assert list(target.iterdir()) == []


def test_of_very_many_selected_ones_the_names_are_worked_out_by_the_worker(
    files: LayoutFiles, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.blob(b"1")
    files.blob(b"2")
    session = open_session(files.path)
    assert session.snapshot is not None
    monkeypatch.setattr("gui.panels.chosen_blobs.file_name", lambda *_: pytest.fail("on the GUI thread"))
    assert ChosenBlobs(session.snapshot, np.array([0, 1])).name == "2 blobs"
