"""The trash: what was removed comes back byte for byte, also after a restart, unless something would be lost by that."""

import errno
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

from engine import blobs as blobs_module
from engine import durable, indexfile, trash
from engine import record as record_module
from engine import snapshot as facts
from engine import undo as undo_module
from engine.docker import DockerImageStore
from engine.errors import BlobMissing, Cancelled, EngineError, Refused, StorageFailed, StoreBusy, StoreChanged
from engine.index import IndexText
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.record import OpenRecord
from engine.removal import plan_removal
from engine.snapshot import Kind
from engine.trash import Record
from tests.layouts import NAME, Json, LayoutFiles, sha256

Tree = dict[str, tuple[str, str]]
TRASH = ".blobscope-trash"


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    return LayoutFiles(tmp_path / "layout")


def remove(path: Path, *positions: int, digests: tuple[str, ...] = (), with_content: bool = True) -> str:
    """Remove entries with what only they need, and blobs; return the record's id."""
    with ImageLayout.open(path) as layout:
        plan = plan_removal(layout.scan(Progress()), positions, digests, with_content=with_content)
        return layout.apply(plan, Progress()).record


def undo(path: Path, record: str) -> None:
    with ImageLayout.open(path) as layout:
        layout.undo(record, Progress())


def records(path: Path) -> list[Record]:
    with ImageLayout.open(path) as layout:
        return layout.trash()


def edit(path: Path, change: Callable[[IndexText], object], title: str = "Change something") -> str:
    with ImageLayout.open(path) as layout:
        return layout.edit_index(lambda index: change(index) and None, title).record


def write_as_others_do(files: LayoutFiles, change: Callable[[list[Any]], object]) -> None:
    """Rewrite index.json whole, in another layout of the text, as umoci and skopeo do."""
    document = json.loads((files.path / "index.json").read_text())
    change(document["manifests"])
    (files.path / "index.json").write_text(json.dumps(document, indent=3) + "\n")


def names(files: LayoutFiles) -> list[str | None]:
    document = json.loads((files.path / "index.json").read_text())
    return [entry.get("annotations", {}).get(NAME) for entry in document["manifests"]]


def furnish(files: LayoutFiles) -> Json:
    """Two images that share a layer, and metadata about one of them; returns the first."""
    shared = files.blob(b"shared")
    one = files.name(files.image(shared, b"one"), "one:1")
    files.name(files.image(shared, b"two"), "two:1")
    note = files.path / "metadata" / one["digest"].replace(":", "/")
    note.mkdir(parents=True, mode=0o750)
    (note / "note").write_bytes(b"mine")
    return one


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
            assert layout.check_structure() == []
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
        change: Callable[[IndexText], object] = lambda index: index.remove(0)  # noqa: E731
        if again == "under a name that others changed":
            change = lambda index: index.rename(0, "mine")  # noqa: E731
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


class TestEmptying:
    """What is thrown away frees its bytes; what was meant to be kept is kept."""

    def test_the_bytes_of_removals_become_free(self, files: LayoutFiles, tmp_path: Path) -> None:
        furnish(files)
        linked = files.blob(b"also elsewhere")
        os.link(files.file(linked), tmp_path / "other")
        remove(files.path, 0)
        remove(files.path, digests=(linked["digest"],))
        size = sum(blob.size for record in records(files.path) for blob in record.blobs)
        with ImageLayout.open(files.path) as layout:
            assert layout.empty_trash(None, Progress()) == size - len(b"also elsewhere")
            assert layout.trash() == []
        assert not (files.path / TRASH).exists()
        assert not (files.path / "metadata").exists()

    def test_only_what_is_named_goes(self, files: LayoutFiles) -> None:
        one, two = (remove(files.path, digests=(files.blob(content)["digest"],)) for content in (b"1", b"2"))
        with ImageLayout.open(files.path) as layout:
            layout.empty_trash([one], Progress())
            assert [record.id for record in layout.trash()] == [two]
            with pytest.raises(StoreChanged):
                layout.empty_trash([one], Progress())

    def test_edits_and_what_was_kept_aside_go_only_when_named(self, files: LayoutFiles) -> None:
        furnish(files)
        files.file(sha256(b"two")).write_bytes(b"bad")
        renamed = edit(files.path, lambda index: index.rename(0, "other"))
        with ImageLayout.open(files.path) as layout:
            aside = layout.keep_aside(sha256(b"two"), Progress()).record
            removed = remove(files.path, digests=(files.blob(b"x")["digest"],))
            layout.empty_trash(None, Progress())
            assert [record.id for record in layout.trash()] == [aside, renamed]
            layout.empty_trash([aside, renamed], Progress())
        assert removed
        assert not (files.path / TRASH).exists()

    def test_what_another_program_works_on_is_left_to_it(self, files: LayoutFiles) -> None:
        record = remove(files.path, digests=(files.blob(b"x")["digest"],))
        with ImageLayout.open(files.path) as one, ImageLayout.open(files.path) as two:
            with one._trash.opened(record):
                for work in (lambda: two.undo(record, Progress()), lambda: two.empty_trash([record], Progress())):
                    with pytest.raises(StoreBusy, match="Another program"):
                        work()
                assert two.empty_trash(None, Progress()) == 0
            two.undo(record, Progress())

    def test_metadata_folders_of_others_stay(self, files: LayoutFiles) -> None:
        one = furnish(files)
        other = files.path / "metadata/sha256" / ("0" * 64)
        other.mkdir()
        (other / "note").write_bytes(b"theirs")
        remove(files.path, 0)
        with ImageLayout.open(files.path) as layout:
            layout.empty_trash(None, Progress())
        assert (other / "note").read_bytes() == b"theirs"
        assert not files.file(one).exists()


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


class TestDocker:
    """Docker's store has the same trash; what is kept about an image goes and comes with it."""

    def test_an_image_and_its_metadata_come_back(self, docker: DockerImageStore, tree: Callable[[Path], Tree]) -> None:
        digest = docker.set(b"{}")
        docker.metadata.set(digest, "parent", b"sha256:" + b"0" * 64)
        before = tree(docker.path)
        plan = plan_removal(docker.scan(Progress()), [0])
        change = docker.apply(plan, Progress())
        assert (change.removed, list(docker.walk()), docker.metadata.keys(digest)) == ((digest,), [], [])
        assert [blob.digest for record in docker.trash() for blob in record.blobs] == [digest]
        docker.undo(change.record, Progress())
        assert tree(docker.path) == before

    def test_its_folders_stay_when_the_trash_is_emptied(
        self, docker: DockerImageStore, tree: Callable[[Path], Tree]
    ) -> None:
        before = tree(docker.path)
        docker.metadata.set(docker.set(b"{}"), "parent", b"x")
        docker.apply(plan_removal(docker.scan(Progress()), [0]), Progress())
        assert docker.empty_trash(None, Progress()) == 2
        assert tree(docker.path) == before

    def test_only_its_owner_can_look_into_the_trash(self, docker: DockerImageStore) -> None:
        docker.set(b"{}")
        docker.apply(plan_removal(docker.scan(Progress()), [0]), Progress())
        assert stat.S_IMODE((docker.path / TRASH).stat().st_mode) == 0o700


class TestOtherFileSystems:
    """A name can only be given within a file system, so what lies on another one waits there."""

    @pytest.mark.parametrize("where", ["blobs", "blobs/sha256", "metadata"])
    def test_what_lies_on_another_one_is_removed_and_comes_back(
        self,
        files: LayoutFiles,
        where: str,
        with_mount: Callable[[Path, Callable[[], None]], bool],
        tree: Callable[[Path], Tree],
    ) -> None:  # T107
        (files.path / "metadata").mkdir()

        def work() -> None:
            (files.path / "blobs" / "sha256").mkdir(exist_ok=True)
            one = furnish(files)
            before = tree(files.path)
            record = remove(files.path, 0)
            assert not files.file(one).exists()
            with ImageLayout.open(files.path) as layout:
                assert _stray(layout) == []
                assert {blob.digest for blob in layout.trash()[0].blobs} >= {one["digest"], sha256(b"one")}
            undo(files.path, record)
            assert tree(files.path) == before
            remove(files.path, 0)
            with ImageLayout.open(files.path) as layout:
                assert layout.empty_trash(None, Progress()) > 0
            assert list(files.path.rglob(f"*{TRASH}*")) == []

        if not with_mount(files.path / where, work):
            pytest.skip("nothing may be mounted here")


def _stray(layout: ImageLayout) -> list[str]:
    return [entry.name for batch in layout.blobs.list() for entry in batch if entry.kind.name != "BLOB"]


class TestFaults:
    """Whatever fails on the way, nothing is lost, and what failed has not happened or can be undone."""

    STEPS = ("write_file", "replace", "rename_new", "sync", "ensure_folder", "unlink", "remove_tree", "remove_empty")

    def harm(
        self, monkeypatch: pytest.MonkeyPatch, number: int, make_error: Callable[[], BaseException], *, lasting: bool
    ) -> list[str]:
        """Let the ``number``-th durable step fail, and with ``lasting`` every one after it; returns the steps so far."""
        steps: list[str] = []

        def harmed(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                steps.append(name)
                if len(steps) == number or (lasting and len(steps) > number):
                    raise make_error()
                return step(*arguments, **options)

            return call

        for module in (record_module, trash, undo_module, indexfile, blobs_module):
            for name in self.STEPS:
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, harmed(name, getattr(durable, name)))
        return steps

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
    def test_a_step_that_fails_leaves_everything_as_it_was(
        self, tmp_path: Path, tree: Callable[[Path], Tree], code: int
    ) -> None:
        number = tried = 0
        while True:
            number += 1
            files = LayoutFiles(tmp_path / str(number))
            furnish(files)
            before = tree(files.path)
            with pytest.MonkeyPatch.context() as patch:
                steps = self.harm(patch, number, lambda: OSError(code, os.strerror(code)), lasting=False)
                record = ""
                with suppress(StorageFailed):
                    record = remove(files.path, 0)
                tried += not record
            if len(steps) < number:
                break
            with ImageLayout.open(files.path) as layout:
                for left in [record] if record else []:
                    layout.undo(left, Progress())
                layout.clean(min_age_s=0)
            assert tree(files.path) == before, f"step {number}, {steps[number - 1]}"
        assert tried > 10

    def test_a_program_that_dies_in_the_middle_loses_nothing(
        self, tmp_path: Path, tree: Callable[[Path], Tree]
    ) -> None:
        number = 0
        while True:
            number += 1
            files = LayoutFiles(tmp_path / str(number))
            furnish(files)
            before = tree(files.path)
            with pytest.MonkeyPatch.context() as patch:
                steps = self.harm(patch, number, KeyboardInterrupt, lasting=True)
                with suppress(KeyboardInterrupt):
                    remove(files.path, 0)
            if len(steps) < number:
                break
            self.check_recovery(files, before, tree, f"step {number}, {steps[number - 1]}")

    def test_an_undo_that_dies_in_the_middle_can_be_done_again(
        self, tmp_path: Path, tree: Callable[[Path], Tree]
    ) -> None:
        number = 0
        while True:
            number += 1
            files = LayoutFiles(tmp_path / str(number))
            furnish(files)
            before = tree(files.path)
            record = remove(files.path, 0)
            with pytest.MonkeyPatch.context() as patch:
                steps = self.harm(patch, number, KeyboardInterrupt, lasting=True)
                with suppress(KeyboardInterrupt):
                    undo(files.path, record)
            if len(steps) < number:
                break
            self.check_recovery(files, before, tree, f"step {number}, {steps[number - 1]}")

    def check_recovery(self, files: LayoutFiles, before: Tree, tree: Callable[[Path], Tree], when: str) -> None:
        """Everything is in the store or in the trash, the index leads to nothing missing, and undo brings all back."""
        with ImageLayout.open(files.path) as layout:
            snapshot = layout.scan(Progress())
            assert [problem for problem in snapshot.problems if problem.severity == "error"] == [], when
            flags = snapshot.columns.flags
            assert not (((flags & facts.REACHABLE) != 0) & ((flags & facts.PRESENT) == 0)).any(), when
            for record in layout.trash():
                layout.undo(record.id, Progress())
            layout.clean(min_age_s=0)
        after = tree(files.path)
        assert {name: after.get(name) for name in before} == before, when
        assert after.keys() == before.keys(), when

    def test_a_full_disk_says_what_helps(
        self, files: LayoutFiles, tree: Callable[[Path], Tree], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        furnish(files)
        before = tree(files.path)

        def full(*_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(record_module, "write_file", full)
        with pytest.raises(StorageFailed, match="No space left") as failure:
            remove(files.path, 0)
        assert failure.value.remedy == "Empty the trash, or delete for good: both free space."
        assert tree(files.path) == before

    def test_a_damaged_journal_does_not_keep_the_blobs(self, files: LayoutFiles) -> None:
        blob = files.blob(b"content")
        record = remove(files.path, digests=(blob["digest"],))
        (files.path / TRASH / record / "journal.json").write_text("{")
        (found,) = records(files.path)
        assert (found.complete, [each.digest for each in found.blobs]) == (False, [blob["digest"]])
        undo(files.path, record)
        assert files.file(blob).read_bytes() == b"content"

    def test_strangers_in_the_trash_are_not_followed(self, files: LayoutFiles, tmp_path: Path) -> None:
        record = remove(files.path, digests=(files.blob(b"content")["digest"],))
        (tmp_path / "secret").write_bytes(b"secret")
        inside = files.path / TRASH / record / "blobs" / "sha256"
        (inside / "..evil").symlink_to(tmp_path / "secret")
        (inside.parent / "sha512").symlink_to(tmp_path)
        (files.path / TRASH / "notes").mkdir()
        assert [blob.digest for found in records(files.path) for blob in found.blobs] == [sha256(b"content")]
        with ImageLayout.open(files.path) as layout:
            layout.empty_trash(None, Progress())
        assert (tmp_path / "secret").read_bytes() == b"secret"
        assert (files.path / TRASH / "notes").is_dir()


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
