"""What is drawn of a store: states that follow from facts and verdicts, row by row and all the way up."""

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

from engine import ImageLayout, Progress, open_store
from engine.snapshot import Outcome, Snapshot, State
from engine.verdicts import Verdicts, save_verdicts
from engine.verify import VerifyBatch
from gui.picture import Picture, differences, first_picture, next_picture


def scan(path: Path) -> Snapshot:
    with open_store(path) as store:
        return store.scan(Progress())


def picture_of(snapshot: Snapshot) -> Picture:
    return Picture(snapshot, Verdicts(len(snapshot)))


def batch(rows: list[int], outcome: Outcome) -> VerifyBatch:
    return VerifyBatch(np.array(rows), np.full(len(rows), outcome, np.uint8), time.time(), {})


def layer_of(snapshot: Snapshot, name: str) -> tuple[int, int]:
    """The rows of an image and of its last layer."""
    image = next(entry.row for entry in snapshot.entries if entry.names == (name,))
    return image, snapshot.children(image)[-1].target


def test_a_bad_blob_shows_in_everything_that_it_is_a_part_of(sample: Path) -> None:
    snapshot = scan(sample)
    picture = picture_of(snapshot)
    image, layer = layer_of(snapshot, "example.org/web:1.0")
    picture.record(batch([layer], Outcome.CORRUPT))
    assert picture.states[layer] == State.CORRUPT
    assert picture.worst[image] == State.CORRUPT
    assert np.array_equal(picture.worst, snapshot.worst(picture.states))


def test_counts_always_add_up_to_the_rows(sample: Path) -> None:
    snapshot = scan(sample)
    picture = picture_of(snapshot)
    rows = np.arange(len(snapshot))
    picture.mark_checking(rows)
    assert picture.counts[State.CHECKING] == len(snapshot)
    picture.record(batch(rows.tolist(), Outcome.VERIFIED))
    assert picture.counts.sum() == len(snapshot)
    assert np.array_equal(picture.counts, np.bincount(picture.states, minlength=len(State)))


def test_a_blob_that_is_sound_again_asks_for_the_roll_up_to_be_worked_out_anew(sample: Path) -> None:
    snapshot = scan(sample)
    picture = picture_of(snapshot)
    _, layer = layer_of(snapshot, "example.org/web:1.0")
    picture.record(batch([layer], Outcome.CORRUPT))
    assert not picture.roll_up_is_stale
    picture.record(batch([layer], Outcome.VERIFIED))
    assert picture.roll_up_is_stale


def test_settling_shows_what_is_known(sample: Path) -> None:
    snapshot = scan(sample)
    picture = picture_of(snapshot)
    before = picture.states.copy()
    rows = np.arange(len(snapshot))
    picture.mark_checking(rows)
    picture.settle(rows)
    assert np.array_equal(picture.states, before)


def test_verdicts_of_another_snapshot_find_their_rows(sample: Path) -> None:
    old = scan(sample)
    with ImageLayout.open(sample) as layout:
        layout.blobs.put(b"a blob that moves every row after it")
    new = scan(sample)
    picture = picture_of(new)
    _, layer = layer_of(old, "example.org/web:1.0")
    there = picture.translated(old, batch([layer], Outcome.VERIFIED))
    assert [new.name(row) for row in there.rows] == [old.name(layer)]


def test_a_verdict_of_a_file_that_changed_is_not_believed(layout: Path) -> None:
    old = scan(layout)
    digest = f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(b"other")
    picture = picture_of(scan(layout))
    assert len(picture.translated(old, batch([old.find(digest)], Outcome.VERIFIED)).rows) == 0


def test_a_store_that_became_empty_has_no_rows_for_old_verdicts(layout: Path, tmp_path: Path) -> None:
    old = scan(layout)
    ImageLayout.create(tmp_path / "empty").close()
    picture = picture_of(scan(tmp_path / "empty"))
    assert len(picture.translated(old, batch([0, 1], Outcome.VERIFIED)).rows) == 0


def test_what_was_remembered_is_believed_for_unchanged_files_only(layout: Path, tmp_path: Path) -> None:
    snapshot = scan(layout)
    verdicts = Verdicts(len(snapshot))
    verdicts.record(np.arange(3), np.full(3, Outcome.VERIFIED, np.uint8), 1000)
    save_verdicts(tmp_path, layout, verdicts, snapshot.columns)
    os.utime(layout / "blobs" / snapshot.name(1).replace(":", "/"))
    picture = first_picture(scan(layout), tmp_path, layout)
    assert picture.verdicts.outcomes.tolist() == [Outcome.VERIFIED, Outcome.NONE, Outcome.VERIFIED]


def test_after_a_rescan_verdicts_stay_and_what_waits_is_still_checking(layout: Path) -> None:
    old = scan(layout)
    before = picture_of(old)
    before.record(batch([0], Outcome.VERIFIED))
    with ImageLayout.open(layout) as store:
        store.blobs.put(b"new")
    new = scan(layout)
    picture = next_picture(new, before, [(old, np.array([2]))])
    assert picture.verdicts.checked_at[new.find(old.name(0))]
    assert picture.states[new.find(old.name(2))] == State.CHECKING


def test_documents_that_were_hashed_just_now_are_believed_more_than_old_verdicts(sample: Path) -> None:
    snapshot = scan(sample)
    before = picture_of(snapshot)
    image, _ = layer_of(snapshot, "example.org/web:1.0")
    before.record(batch([image], Outcome.CORRUPT))
    assert next_picture(snapshot, before, []).states[image] == State.CORRUPT
    assert next_picture(snapshot, before, [], hashed_now=True).states[image] == State.VERIFIED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: (path / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"x"), "1 blob added"),
        (lambda path: next((path / "blobs" / "sha256").glob("?" * 64)).unlink(), "1 blob removed"),
        (lambda path: next((path / "blobs" / "sha256").glob("?" * 64)).write_bytes(b"y"), "1 blob changed"),
        (lambda path: None, ""),
    ],
)
def test_what_became_different_is_told_in_words(layout: Path, change: object, words: str) -> None:
    old = scan(layout)
    assert callable(change)
    change(layout)
    assert differences(old, scan(layout)) == words


def test_entries_that_come_and_go_are_told(sample: Path) -> None:
    old = scan(sample)
    with ImageLayout.open(sample) as layout:
        layout.edit_index(lambda index: index.remove(0))
    assert differences(old, scan(sample)) == "1 index entry removed"
