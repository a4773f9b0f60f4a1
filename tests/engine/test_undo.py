"""Undoing: what was removed comes back byte for byte, also after a restart, unless something would be lost by that."""

import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import trash
from engine.errors import BlobMissing, Cancelled, EngineError, Refused, StorageFailed, StoreBusy, StoreChanged
from engine.index import IndexText
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.record import OpenRecord
from engine.removal import plan_removal
from engine.rules.layout import look
from engine.snapshot import Kind
from tests.layouts import NAME, Json, LayoutFiles, sha256
from tests.removals import TRASH, edit, furnish, names, records, remove, undo, write_as_others_do

Tree = dict[str, tuple[str, str]]


class TestRemoval:
    """Removing to the trash, and undoing it."""

    def test_everything_is_back_byte_for_byte(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        one = furnish(files)
        files.file(one).chmod(0o440)
        before = tree(files.path)
        record = remove(files.path, 0)
        assert not files.file(one).exists()
        assert not (files.path / "metadata" / one["digest"].replace(":", "/")).exists()
        undo(files.path, record)
        assert tree(files.path) == before

    def test_what_was_removed_is_told(self, files: LayoutFiles) -> None:
        one = furnish(files)
        remove(files.path, 0)
        (record,) = records(files.path)
        assert (record.kind, record.title, record.entries, record.complete) == (
            "removal",
            "Delete one:1",
            ("one:1",),
            True,
        )
        assert {(blob.digest, blob.kind) for blob in record.blobs} >= {
            (one["digest"], Kind.IMAGE),
            (sha256(b"one"), Kind.LAYER),
        }
        assert record.size == sum(blob.size for blob in record.blobs)

    def test_the_newest_comes_first(self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        blobs = [files.blob(bytes([n])) for n in range(5)]
        monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
        made = [remove(files.path, digests=(blob["digest"],)) for blob in blobs]
        found = records(files.path)
        assert [record.id for record in found] == made[::-1]
        assert [record.when for record in found] == pytest.approx([1.7e9] * 5)

    def test_looking_into_it_writes_nothing(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        furnish(files)
        remove(files.path, 0)
        before = tree(files.path)
        records(files.path)
        assert tree(files.path) == before

    def test_it_is_no_part_of_the_store(self, files: LayoutFiles) -> None:
        one = furnish(files)
        remove(files.path, 0)
        with ImageLayout.open(files.path) as layout:
            snapshot = layout.scan(Progress())
            assert snapshot.find(one["digest"]) == -1
            assert list(look(layout.directory)) == []
            assert {left.path for left in layout.clean(min_age_s=0)} <= {"metadata", "metadata/sha256"}
            assert len(layout.trash()) == 1

    def test_several_are_undone_in_any_order(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        furnish(files)
        three = files.blob(b"three")
        before = tree(files.path)
        made = [remove(files.path, 0), remove(files.path, digests=(three["digest"],)), remove(files.path, 0)]
        for record in (made[1], made[2], made[0]):
            undo(files.path, record)
        assert tree(files.path) == before

    def test_it_cannot_be_undone_twice(self, files: LayoutFiles) -> None:
        furnish(files)
        record = remove(files.path, 0)
        undo(files.path, record)
        with pytest.raises(StoreChanged, match="no longer in the trash"):
            undo(files.path, record)

    @pytest.mark.parametrize("name", ["", "..", "../blobs", "0" * 20 + "-removal-00000000", "a/b"])
    def test_only_a_record_can_be_undone(self, files: LayoutFiles, name: str) -> None:
        furnish(files)
        remove(files.path, 0)
        with pytest.raises(StoreChanged):
            undo(files.path, name)

    def test_what_is_there_again_is_checked_and_stays(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        blob = files.blob(b"content")
        before = tree(files.path)
        record = remove(files.path, digests=(blob["digest"],))
        files.blob(b"content")
        inode = files.file(blob).stat().st_ino
        undo(files.path, record)
        assert tree(files.path) == before
        assert files.file(blob).stat().st_ino == inode

    def test_what_is_there_again_is_safe_on_the_disk_before_our_copy_goes(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blob = files.blob(b"content")
        record = remove(files.path, digests=(blob["digest"],))
        files.blob(b"content")  # by a program that does not wait for the disk
        synced, ours, unlink = set(), files.path / TRASH / record, os.unlink

        def sync(handle: int) -> None:
            synced.add(os.fstat(handle).st_ino)

        def look_and_unlink(name: str, **options: Any) -> None:
            if name == blob["digest"].partition(":")[2]:
                assert files.file(blob).stat().st_ino in synced
            unlink(name, **options)

        assert ours.exists()
        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setattr(os, "unlink", look_and_unlink)
        undo(files.path, record)
        assert not ours.exists()

    @pytest.mark.parametrize("bad", [b"", b"CONTENT", b"longer content"])
    def test_what_is_there_again_but_wrong_is_replaced(self, files: LayoutFiles, bad: bytes) -> None:
        blob = files.blob(b"content")
        record = remove(files.path, digests=(blob["digest"],))
        files.file(blob).write_bytes(bad)
        undo(files.path, record)
        assert files.file(blob).read_bytes() == b"content"

    def test_of_two_bad_copies_neither_is_lost(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        blob = files.blob(b"content")
        files.file(blob).write_bytes(b"bad")
        record = remove(files.path, digests=(blob["digest"],))
        files.file(blob).write_bytes(b"worse")
        before = tree(files.path)
        with pytest.raises(StoreChanged, match="in the store again"):
            undo(files.path, record)
        assert tree(files.path) == before

    def test_metadata_set_anew_is_not_lost(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        one = furnish(files)
        record = remove(files.path, 0)
        files.file(one).write_bytes(b"whatever")
        with ImageLayout.open(files.path) as layout:
            layout.metadata.set(one["digest"], "note", b"theirs")
        files.file(one).unlink()
        before = tree(files.path)
        with pytest.raises(StoreChanged, match="set anew"):
            undo(files.path, record)
        assert tree(files.path) == before

    def test_metadata_under_other_keys_stays_beside(self, files: LayoutFiles) -> None:
        one = furnish(files)
        record = remove(files.path, 0)
        files.file(one).write_bytes(b"whatever")
        with ImageLayout.open(files.path) as layout:
            layout.metadata.set(one["digest"], "other", b"theirs")
            files.file(one).unlink()
            layout.undo(record, Progress())
            found = {key: layout.metadata.get(one["digest"], key) for key in layout.metadata.keys(one["digest"])}
        assert found == {"note": b"mine", "other": b"theirs"}

    def test_links_go_and_come_as_links(self, files: LayoutFiles, tree: Callable[[Path], Tree], tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_bytes(b"keep me")
        link = files.path / "blobs" / sha256(b"x").replace(":", "/")
        link.symlink_to(tmp_path / "elsewhere")
        before = tree(files.path)
        record = remove(files.path, digests=(sha256(b"x"),))
        assert not link.is_symlink()
        undo(files.path, record)
        assert tree(files.path) == before
        assert (tmp_path / "elsewhere").read_bytes() == b"keep me"

    def test_a_folder_in_a_blobs_place_is_left_alone(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        (files.path / "blobs" / sha256(b"x").replace(":", "/")).mkdir()
        before = tree(files.path)
        with pytest.raises(EngineError, match="is a folder"):
            remove(files.path, digests=(sha256(b"x"),))
        assert tree(files.path) == before

    def test_nothing_is_removed_through_a_link(self, files: LayoutFiles, tmp_path: Path) -> None:
        one = furnish(files)
        (files.path / "blobs").rename(tmp_path / "shared")
        (files.path / "blobs").symlink_to(tmp_path / "shared")
        with ImageLayout.open(files.path) as layout:
            plan = plan_removal(layout.scan(Progress()), [0], with_content=True)
            assert plan.blobs == ()
            assert "symbolic link" in {kept.digest: kept.reason for kept in plan.kept}[one["digest"]]

    def test_nothing_is_put_into_a_trash_that_is_a_link(
        self, files: LayoutFiles, tree: Callable[[Path], Tree], tmp_path: Path
    ) -> None:
        furnish(files)
        (tmp_path / "elsewhere").mkdir()
        (files.path / TRASH).symlink_to(tmp_path / "elsewhere")
        before = tree(files.path)
        assert records(files.path) == []
        with pytest.raises(Refused, match="symbolic link"):
            remove(files.path, 0)
        assert tree(files.path) == before
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_cancelled_removal_has_not_happened(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        furnish(files)
        before = tree(files.path)

        class Impatient(Progress):
            def advance(self, amount: int = 1) -> None:
                if self.label == "Moving to the trash" and self.done == 1:
                    self.cancel()
                super().advance(amount)

        with ImageLayout.open(files.path) as layout:
            plan = plan_removal(layout.scan(Progress()), [0], with_content=True)
            with pytest.raises(Cancelled):
                layout.apply(plan, Impatient())
        assert tree(files.path) == before

    def test_what_another_tool_takes_for_its_image_meanwhile_comes_back_whole(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = furnish(files)
        take, done = OpenRecord.take, []

        def taking(record: OpenRecord, digest: Any) -> bool:
            gone = take(record, digest)
            if digest == one["digest"] and not done:
                done.append(write_as_others_do(files, lambda entries: entries.append(one)))
            return gone

        monkeypatch.setattr(OpenRecord, "take", taking)
        record = remove(files.path, 0)
        assert all(files.file(digest).exists() for digest in (one["digest"], sha256(b"one"), sha256(b"shared")))
        assert [blob for found in records(files.path) for blob in found.blobs] == []
        assert record, "the entry that was taken out can still come back"

    def test_an_index_that_becomes_unreadable_stops_it(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blob = files.blob(b"unused")
        with ImageLayout.open(files.path) as layout:
            plan = plan_removal(layout.scan(Progress()), digests=[blob["digest"]])
            (files.path / "index.json").write_text("{")
            os.utime(files.path / "index.json", (1, 1))
            with pytest.raises(StoreChanged, match="Nobody knows any more"):
                layout.apply(plan, Progress())
        assert files.file(blob).exists()


class TestEdits:
    """Changes of the index, and undoing them."""

    @pytest.fixture(autouse=True)
    def three(self, files: LayoutFiles) -> None:
        self.files = files
        for name in ("one", "two", "three"):
            files.name(files.image(name.encode()), name)
        (files.path / "index.json").write_text(
            (files.path / "index.json").read_text().replace('"manifests": [', '"x": 1.50, "manifests": [ ') + "\n"
        )
        self.before = (files.path / "index.json").read_bytes()

    def check_undo(self, record: str) -> None:
        undo(self.files.path, record)
        assert (self.files.path / "index.json").read_bytes() == self.before
        assert not (self.files.path / TRASH).exists()

    @pytest.mark.parametrize(
        "change",
        [
            lambda index: index.rename(1, "other ü"),
            lambda index: index.rename(1, None),
            lambda index: index.annotate(0, "key", "value"),
            lambda index: index.remove(0),
            lambda index: index.remove(0, 2),
            lambda index: index.remove(0, 1, 2),
            lambda index: index.add(index.entries[0], "again"),
            lambda index: index.retag("one", index.entries[2]),
            lambda index: index.retag("one", index.entries[2], keep_previous=False),
            lambda index: index.arrange([2, 0]),
        ],
    )
    def test_an_edit_is_taken_back_to_the_byte(self, change: Callable[[IndexText], object]) -> None:  # T73, T79
        self.check_undo(edit(self.files.path, change))

    def test_without_a_title_there_is_nothing_to_undo(self) -> None:
        with ImageLayout.open(self.files.path) as layout:
            assert layout.edit_index(lambda index: index.remove(0)).record == ""
            assert layout.trash() == []

    def test_an_edit_that_changes_nothing_leaves_no_record(self) -> None:
        assert edit(self.files.path, lambda index: index.rename(0, "one")) == ""
        assert not (self.files.path / TRASH).exists()

    def test_an_edit_that_fails_leaves_no_record(self) -> None:
        with pytest.raises(StoreChanged):
            edit(self.files.path, lambda index: index.remove(7))
        assert not (self.files.path / TRASH).exists()
        assert (self.files.path / "index.json").read_bytes() == self.before

    def test_untagging_is_an_edit(self) -> None:
        record = remove(self.files.path, 1, with_content=False)
        assert [(found.kind, found.title) for found in records(self.files.path)] == [
            ("edit", "Remove two from the index")
        ]
        self.check_undo(record)

    def test_what_others_have_written_since_stays(self) -> None:
        record = edit(self.files.path, lambda index: index.rename(1, "second"))
        write_as_others_do(self.files, lambda entries: entries.insert(0, {**entries[2], "annotations": {NAME: "new"}}))
        undo(self.files.path, record)
        assert names(self.files) == ["new", "one", "two", "three"]

    def test_removed_entries_come_back_to_their_places_among_what_others_wrote(self) -> None:
        record = edit(self.files.path, lambda index: index.remove(0, 2))
        write_as_others_do(self.files, lambda entries: entries.append({**entries[0], "annotations": {NAME: "new"}}))
        undo(self.files.path, record)
        assert names(self.files) == ["one", "two", "three", "new"]

    def test_an_added_entry_goes_from_among_what_others_wrote(self) -> None:
        record = edit(self.files.path, lambda index: index.add(index.entries[0], "again"))
        write_as_others_do(self.files, lambda entries: entries.insert(0, {**entries[2], "annotations": {NAME: "new"}}))
        undo(self.files.path, record)
        assert names(self.files) == ["new", "one", "two", "three"]

    def test_a_moved_name_goes_back_among_what_others_wrote(self) -> None:
        record = edit(self.files.path, lambda index: index.retag("one", index.entries[2]))
        write_as_others_do(self.files, lambda entries: entries.append({**entries[1], "annotations": {NAME: "new"}}))
        undo(self.files.path, record)
        assert sorted(map(str, names(self.files))) == ["new", "one", "three", "two"]

    @pytest.mark.parametrize("again", ["as it was", "with other content", "under a name that others changed"])
    def test_a_name_never_comes_to_stand_for_two_things(self, again: str) -> None:
        def change(index: IndexText) -> None:
            if again == "under a name that others changed":
                index.rename(0, "mine")
            else:
                index.remove(0)

        record = edit(self.files.path, change)
        entry = json.loads(self.before)["manifests"][0 if again == "as it was" else 1]
        theirs = {**entry, "annotations": {NAME: "mine" if again.startswith("under") else "one"}}
        if again.startswith("under"):
            write_as_others_do(self.files, lambda entries: entries.__setitem__(0, theirs))
        else:
            write_as_others_do(self.files, lambda entries: entries.append(theirs))
        now = (self.files.path / "index.json").read_bytes()
        if again == "as it was":
            undo(self.files.path, record)
        else:
            with pytest.raises(StoreChanged, match="since"):
                undo(self.files.path, record)
            assert len(records(self.files.path)) == 1
        assert (self.files.path / "index.json").read_bytes() == now

    def test_of_several_entries_alike_as_many_come_back_as_are_missing(self) -> None:
        twin = json.loads(self.before)["manifests"][0]
        write_as_others_do(self.files, lambda entries: entries.extend([twin, twin]))
        record = edit(self.files.path, lambda index: index.remove(0, 3))
        write_as_others_do(self.files, lambda entries: entries.append(twin))
        undo(self.files.path, record)
        assert names(self.files).count("one") == 3

    def test_names_that_were_double_before_may_be_again(self) -> None:  # T75
        other = {**json.loads(self.before)["manifests"][1], "annotations": {NAME: "one"}}
        write_as_others_do(self.files, lambda entries: entries.append(other))
        record = edit(self.files.path, lambda index: index.remove(0))
        write_as_others_do(self.files, lambda entries: entries.append({**entries[0], "annotations": {NAME: "new"}}))
        undo(self.files.path, record)
        assert names(self.files).count("one") == 2

    def test_an_entry_does_not_come_back_to_what_is_gone(self) -> None:
        record = remove(self.files.path, 0, with_content=False)
        digest = json.loads(self.before)["manifests"][0]["digest"]
        second = remove(self.files.path, digests=(digest,))
        with pytest.raises(StoreChanged, match="no longer in the store"):
            undo(self.files.path, record)
        undo(self.files.path, second)
        self.check_undo(record)

    def test_an_entry_that_led_nowhere_may_do_so_again(self) -> None:
        self.files.file(json.loads(self.before)["manifests"][0]["digest"]).unlink()
        self.check_undo(remove(self.files.path, 0, with_content=False))

    def test_the_oldest_edits_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trash, "MOST_EDITS", 3)
        kept = remove(self.files.path, digests=(self.files.blob(b"x")["digest"],))
        made = [edit(self.files.path, lambda index, n=n: index.rename(0, f"name {n}")) for n in range(5)]
        assert [record.id for record in records(self.files.path)] == [*made[:1:-1], kept]

    def test_a_record_stays_small_in_a_large_index(self) -> None:
        entry = json.loads(self.before)["manifests"][0]
        many = [{**entry, "annotations": {NAME: f"name {n}"}} for n in range(5000)]
        write_as_others_do(self.files, lambda entries: entries.extend(many))
        record = edit(self.files.path, lambda index: index.rename(2500, "other"))
        size = sum(file.stat().st_size for file in (self.files.path / TRASH / record).iterdir())
        assert size < 5000


class TestKeepingAside:
    """A corrupt blob is kept rather than removed."""

    def test_it_waits_in_the_trash(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        one = furnish(files)
        files.file(one).write_bytes(b"corrupt")
        before = tree(files.path)
        with ImageLayout.open(files.path) as layout:
            change = layout.keep_aside(one["digest"], Progress())
            assert change.removed == (one["digest"],)
            assert [(record.kind, record.size) for record in layout.trash()] == [("aside", 7)]
            assert (files.path / "metadata" / one["digest"].replace(":", "/") / "note").exists()
            layout.undo(change.record, Progress())
        assert tree(files.path) == before

    def test_a_sound_one_stays_where_it_is(self, files: LayoutFiles, tree: Callable[[Path], Tree]) -> None:
        one = furnish(files)
        before = tree(files.path)
        with ImageLayout.open(files.path) as layout, pytest.raises(Refused, match="is sound"):
            layout.keep_aside(one["digest"], Progress())
        assert tree(files.path) == before

    def test_one_that_may_not_be_read_is_not_taken_for_a_corrupt_one(
        self, files: LayoutFiles, as_nobody: Callable[[Path, Callable[[], None]], None]
    ) -> None:
        blob = files.blob(b"content")
        files.file(blob).chmod(0o000)
        for folder in (files.path, *(each for each in files.path.rglob("*") if each.is_dir())):
            folder.chmod(0o777)

        def keep() -> None:
            with ImageLayout.open(".") as layout, pytest.raises(StorageFailed, match="Permission denied"):
                layout.keep_aside(blob["digest"], Progress())

        as_nobody(files.path, keep)
        assert files.file(blob).exists()
        assert not (files.path / TRASH).exists()

    def test_it_never_comes_back_over_a_good_copy(self, files: LayoutFiles) -> None:
        blob = files.blob(b"content")
        files.file(blob).write_bytes(b"corrupt")
        with ImageLayout.open(files.path) as layout:
            record = layout.keep_aside(blob["digest"], Progress()).record
            layout.blobs.put(b"content")
            with pytest.raises(StoreChanged, match="in the store again"):
                layout.undo(record, Progress())
            assert layout.blobs.read(blob["digest"], 100) == b"content"
            assert [found.size for found in layout.trash()] == [7]

    def test_what_is_not_there_cannot_be_kept(self, files: LayoutFiles) -> None:
        with ImageLayout.open(files.path) as layout, pytest.raises(BlobMissing):
            layout.keep_aside(sha256(b"nothing"), Progress())
        assert not (files.path / TRASH).exists()


class TestSeveralAtOnce:
    """Programs that remove and undo beside each other."""

    def test_each_removal_is_undone_by_its_own(
        self, files: LayoutFiles, tree: Callable[[Path], Tree], in_children: Callable[..., None]
    ) -> None:
        for name in "abcdef":
            files.name(files.image(b"shared", name.encode()), name)
        before = tree(files.path)

        def work(mine: str) -> None:
            for _ in range(5):
                with ImageLayout.open(files.path) as layout:
                    snapshot = layout.scan(Progress())
                    (position,) = (entry.position for entry in snapshot.entries if mine in entry.names)
                    plan = plan_removal(snapshot, [position], with_content=True)
                    layout.undo(layout.apply(plan, Progress()).record, Progress())

        in_children(*(lambda name=name: work(name) for name in "abcdef"))
        after = tree(files.path)
        assert sorted(map(str, names(files))) == list("abcdef")
        assert {name: each for name, each in after.items() if name != "index.json"} == {
            name: each for name, each in before.items() if name != "index.json"
        }

    def test_one_record_is_undone_once(self, files: LayoutFiles, in_children: Callable[..., None]) -> None:
        furnish(files)
        before = (files.path / "index.json").read_bytes()
        record = remove(files.path, 0)

        def work() -> None:
            with suppress(StoreBusy, StoreChanged):
                undo(files.path, record)

        in_children(*[work] * 4)
        assert (files.path / "index.json").read_bytes() == before
        assert records(files.path) == []


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_whatever_is_removed_undoing_brings_it_back_byte_for_byte(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = LayoutFiles(tmp_path_factory.mktemp("store") / "layout")
    _build(files, data)
    before = _picture(files.path)
    made = []
    for _ in range(data.draw(st.integers(1, 3))):
        with ImageLayout.open(files.path) as layout:
            snapshot = layout.scan(Progress())
            positions = data.draw(st.lists(st.integers(0, max(len(snapshot.entries) - 1, 0)), unique=True, max_size=3))
            present = [snapshot.name(row) for row in range(len(snapshot)) if snapshot.columns.sizes[row] >= 0]
            chosen = data.draw(st.lists(st.sampled_from(present), unique=True, max_size=3)) if present else []
            plan = plan_removal(
                snapshot,
                [position for position in positions if position < len(snapshot.entries)],
                [digest for digest in chosen if digest.startswith("sha")],
                with_content=data.draw(st.booleans()),
                despite_doubts=data.draw(st.booleans()),
            )
            record = layout.apply(plan, Progress()).record
            made += [record] if record else []
    for record in reversed(made):
        undo(files.path, record)
    assert _picture(files.path) == before


def _build(files: LayoutFiles, data: st.DataObject) -> None:
    """A store of images, indexes and referrers that share parts, with names, metadata and damage."""
    draw = data.draw
    layers = [files.blob(bytes([n]) * draw(st.integers(0, 40))) for n in range(4)]
    images: list[Json] = []
    for n in range(draw(st.integers(1, 4))):
        more = {"subject": draw(st.sampled_from(images))} if images and draw(st.booleans()) else {}
        picked = draw(st.lists(st.sampled_from(layers), max_size=3, unique_by=str))
        images.append(files.image(*picked, annotations={"n": str(n)}, **more))
    if draw(st.booleans()):
        images.append(files.index(*images))
    for image in images:
        for name in draw(st.lists(st.sampled_from([None, "a", "b", "ü:1", ""]), max_size=2)):
            files.name(image, name)
    if draw(st.booleans()):
        document = json.loads((files.path / "index.json").read_text())
        text = json.dumps(document, indent=draw(st.sampled_from([None, 1, "\t"])), ensure_ascii=False)
        (files.path / "index.json").write_text(text + draw(st.sampled_from(["", "\n"])))
    victims = sorted(path for path in (files.path / "blobs/sha256").iterdir())
    for victim in draw(st.lists(st.sampled_from(victims), max_size=2, unique=True)):
        fate = draw(st.sampled_from(["gone", "damaged", "link", "private"]))
        if fate in ("gone", "link"):
            victim.unlink()
        if fate == "damaged":
            victim.write_bytes(b"{ damaged")
        elif fate == "link":
            victim.symlink_to("elsewhere")
        elif fate == "private":
            victim.chmod(0o400)
    if draw(st.booleans()):
        folder = files.path / "metadata" / images[0]["digest"].replace(":", "/")
        folder.mkdir(parents=True, mode=0o750)
        (folder / "note").write_bytes(b"note")


def _picture(path: Path) -> dict[str, tuple[int, bytes]]:
    found = {}
    for file in path.rglob("*"):
        mode = file.lstat().st_mode
        content = bytes(file.readlink()) if stat.S_ISLNK(mode) else b""
        found[str(file.relative_to(path))] = mode, file.read_bytes() if stat.S_ISREG(mode) else content
    return found
