"""The trash: what was removed comes back byte for byte, also after a restart, unless something would be lost by that."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import trash
from engine.errors import Cancelled, EngineError, Refused, StoreChanged
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
            with pytest.raises(StoreChanged, match="cannot be read any more"):
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
