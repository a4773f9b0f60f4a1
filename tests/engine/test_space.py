"""What is said of a store's space: every file is counted once, for one use, and the bytes are those on the disk."""

from pathlib import Path

import numpy as np

from engine import open_store
from engine.cleanup import plan_cleanup
from engine.progress import Progress
from engine.removal import plan_removal
from engine.sample import make_sample
from engine.snapshot import Outcome, Snapshot
from engine.space import Tally, Use, tally, uses_of, with_broken
from engine.verdicts import Verdicts
from tests.layouts import LayoutFiles


def scan(path: Path) -> Snapshot:
    with open_store(path) as store:
        return store.scan(Progress())


def use(snapshot: Snapshot, digest: str) -> Use:
    return Use(int(uses_of(snapshot)[snapshot.find(digest)]))


def told(snapshot: Snapshot) -> Tally:
    states = snapshot.states(Verdicts.of(snapshot, 0).outcomes)
    return tally(snapshot, with_broken(uses_of(snapshot), states), states)


def test_all_uses_together_are_all_bytes_in_the_folders_of_blobs(tmp_path: Path) -> None:
    path = make_sample(tmp_path)
    found = told(scan(path))
    on_disk = [file.stat().st_size for file in (path / "blobs").rglob("*") if file.is_file()]
    assert found.total == sum(on_disk)
    assert sum(found.counts.values()) == len(on_disk)
    assert found.missing == 1


def test_an_empty_store_has_nothing(files: LayoutFiles) -> None:
    found = told(scan(files.path))
    assert (found.total, set(found.counts.values()), found.missing) == (0, {0}, 0)


def test_a_layer_that_two_images_have_is_shared_and_what_is_an_image_s_own_is_not(files: LayoutFiles) -> None:
    common = files.blob(b"base")
    one = files.name(files.image(common, b"one"), "one")
    two = files.name(files.image(common, b"two", config={"author": "other"}), "two")
    snapshot = scan(files.path)
    assert use(snapshot, common["digest"]) is Use.SHARED
    assert use(snapshot, one["digest"]) is use(snapshot, two["digest"]) is Use.USED
    assert told(snapshot).counts[Use.SHARED] == 1


def test_two_names_of_an_image_share_nothing(files: LayoutFiles) -> None:
    image = files.image(b"layer")
    files.name(image, "one")
    files.name(image, "two")
    assert told(scan(files.path)).counts[Use.SHARED] == 0


def test_a_layer_that_an_image_has_twice_is_not_shared(files: LayoutFiles) -> None:
    layer = files.blob(b"again")
    files.name(files.image(layer, layer), "one")
    assert use(scan(files.path), layer["digest"]) is Use.USED


def test_what_a_shared_image_is_made_of_is_shared_too(files: LayoutFiles) -> None:
    layer = files.blob(b"layer")
    image = files.image(layer)
    files.name(files.index(image), "one")
    files.name(files.index(image, annotations={"other": "yes"}), "two")
    snapshot = scan(files.path)
    assert use(snapshot, image["digest"]) is use(snapshot, layer["digest"]) is Use.SHARED


def test_an_image_that_an_index_lists_and_a_name_leads_to_is_shared(files: LayoutFiles) -> None:
    image = files.image(b"layer")
    files.name(files.index(image), "all")
    files.name(image, "amd64")
    assert use(scan(files.path), image["digest"]) is Use.SHARED


def test_what_is_unused_is_what_cleaning_up_looks_at(tmp_path: Path) -> None:
    path = make_sample(tmp_path)
    snapshot = scan(path)
    found, clean = told(snapshot), plan_cleanup(snapshot, now_s=4e9)
    bins = [*clean.unused, *clean.recent, *clean.doubtful]
    bins += [blob for image in clean.lost for blob in (*image.blobs, *image.shared)]
    assert found.counts[Use.UNUSED] == len({blob.digest for blob in bins})
    assert found.sizes[Use.UNUSED] == sum({blob.digest: blob.size for blob in bins}.values())


def test_what_only_one_image_has_is_what_deleting_it_frees(files: LayoutFiles) -> None:
    common = files.blob(b"base" * 1000)
    files.name(files.image(common, b"one" * 500), "one")
    files.name(files.image(common, b"two" * 700, config={"author": "other"}), "two")
    snapshot = scan(files.path)
    freed = sum(plan_removal(snapshot, [entry.position], with_content=True).freed for entry in snapshot.entries)
    assert told(snapshot).sizes[Use.USED] == freed


def test_broken_is_only_what_is_wanted(files: LayoutFiles) -> None:
    wanted, stranger = files.blob(b"wanted"), files.blob(b"nobody's")
    files.name(files.image(wanted), "one")
    snapshot = scan(files.path)
    outcomes = np.full(len(snapshot), Outcome.NONE, np.uint8)
    outcomes[[snapshot.find(blob["digest"]) for blob in (wanted, stranger)]] = Outcome.CORRUPT
    states = snapshot.states(outcomes)
    found = tally(snapshot, with_broken(uses_of(snapshot), states), states)
    assert (found.counts[Use.BROKEN], found.sizes[Use.BROKEN]) == (1, 6)
    assert (found.counts[Use.UNUSED], found.sizes[Use.UNUSED]) == (1, 8)


def test_what_is_missing_takes_no_space_and_is_counted(files: LayoutFiles) -> None:
    layer = files.blob(b"gone")
    files.name(files.image(layer), "one")
    files.file(layer).unlink()
    snapshot = scan(files.path)
    assert use(snapshot, layer["digest"]) is Use.ABSENT
    assert told(snapshot).missing == 1


def test_a_stray_file_is_neither_used_nor_unused(files: LayoutFiles) -> None:
    files.name(files.image(b"layer"), "one")
    (files.path / "blobs/sha256/notes.txt").write_text("mine")
    snapshot = scan(files.path)
    assert use(snapshot, "sha256/notes.txt") is Use.OTHER
    assert told(snapshot).sizes[Use.OTHER] == 4
