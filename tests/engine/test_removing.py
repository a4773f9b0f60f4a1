"""Carrying a plan out: only what was planned goes, index first, and what has come to be needed stays."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from engine.blobs import Change
from engine.errors import StoreBusy, StoreChanged
from engine.indexfile import Edit, IndexFile, Note
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.record import OpenRecord
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Snapshot
from tests.layouts import NAME, LayoutFiles, tree


def scan(files: LayoutFiles) -> Snapshot:
    layout = ImageLayout.open(files.path)
    snapshot = layout.scan(Progress())
    layout.close()
    return snapshot


def goes(plan: RemovalPlan) -> set[str]:
    return {blob.digest for blob in plan.blobs}


def everything(snapshot: Snapshot, digest: str) -> set[str]:
    return {snapshot.name(row) for row in snapshot.below([snapshot.find(digest)])}


@pytest.mark.parametrize("for_good", [False, True], ids=["to the trash", "for good"])
class TestApplying:
    """Carrying out a plan, to the trash or for good."""

    @pytest.fixture(autouse=True)
    def how(self, for_good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.for_good = for_good
        self.monkeypatch = monkeypatch

    def apply(self, files: LayoutFiles, plan: RemovalPlan) -> tuple[str, ...]:
        layout = ImageLayout.open(files.path)
        try:
            return layout.apply(plan, Progress(), for_good=self.for_good).removed
        finally:
            layout.close()

    def beside_each_blob(self, work: Callable[[], object]) -> None:
        """Let something happen after each blob has gone."""
        owner, name = (ImageLayout, "delete") if self.for_good else (OpenRecord, "take")
        remove = getattr(owner, name)

        def removing(*arguments: Any) -> bool:
            gone: bool = remove(*arguments)
            work()
            return gone

        self.monkeypatch.setattr(owner, name, removing)

    def test_what_was_planned_is_what_goes(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        files.name(files.image(shared, b"one"), "one:1")
        two = files.name(files.image(shared, b"two"), "two:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        assert set(self.apply(files, plan)) == goes(plan)
        after = scan(files)
        assert [entry.names for entry in after.entries] == [("two:1",)]
        assert {after.name(row) for row in range(len(after))} == everything(after, two["digest"])

    def test_identical_entries_are_told_apart_by_their_place(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        for _ in range(3):
            files.name(image, "twin")
        snapshot = scan(files)
        self.apply(files, plan_removal(snapshot, [1]))
        assert len(scan(files).entries) == 2

    def test_very_many_entries_go_in_one_go(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        files.entries = [{**image, "annotations": {NAME: f"app:{n}"}} for n in range(20_000)]
        files.write_index()
        snapshot = scan(files)
        self.apply(files, plan_removal(snapshot, range(1, 20_000)))
        assert [entry.names for entry in scan(files).entries] == [("app:0",)]

    def test_what_has_come_to_be_needed_meanwhile_stays(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        files.name(files.image(shared), "one:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        new = files.name(files.image(shared, b"new"), "two:1")
        removed = self.apply(files, plan)
        assert shared["digest"] not in removed
        after = scan(files)
        assert everything(after, new["digest"]) <= {after.name(row) for row in range(len(after))}
        assert all(files.file(digest).exists() for digest in everything(after, new["digest"]))

    def test_a_blob_that_was_named_meanwhile_stays(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        snapshot = scan(files)
        plan = plan_removal(snapshot, digests=[image["digest"]])
        files.name(image, "found:again")
        assert self.apply(files, plan) == ()
        assert files.file(image).exists()

    def test_an_image_that_gets_another_name_while_it_is_removed_stays_whole(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image = files.name(files.image(b"layer"), "app:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        edit_index = ImageLayout.edit_index

        def edit(layout: ImageLayout, edit: Edit, title: str = "", *, note: Note | None = None) -> Change:
            change = edit_index(layout, edit, title, note=note)
            files.entries.clear()
            files.name(image, "app:2")
            return change

        monkeypatch.setattr(ImageLayout, "edit_index", edit)
        assert self.apply(files, plan) == ()
        assert all(files.file(digest).exists() for digest in everything(snapshot, image["digest"]))

    def test_what_has_been_written_anew_meanwhile_stays(self, files: LayoutFiles) -> None:
        old, new = files.blob(b"old"), files.blob(b"new")
        plan = plan_removal(scan(files), digests=[old["digest"], new["digest"]])
        files.file(new).unlink()
        files.blob(b"new")
        os.utime(files.file(new), (1, 1))
        assert self.apply(files, plan) == (old["digest"],)
        assert files.file(new).exists()

    def test_nobody_who_respects_the_lock_names_a_blob_while_it_goes(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        snapshot = scan(files)
        plan = plan_removal(snapshot, digests=[image["digest"]])
        other = ImageLayout.open(files.path)
        seconds = IndexFile(other._root, lock_timeout_s=0)

        def edit() -> None:
            with pytest.raises(StoreBusy):
                seconds.edit(lambda index: None)

        self.beside_each_blob(edit)
        assert self.apply(files, plan) == (image["digest"],)
        other.close()

    def test_an_entry_that_changed_meanwhile_is_left_alone(self, files: LayoutFiles) -> None:
        files.name(files.image(b"layer"), "app:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        files.entries = []
        files.name(files.image(b"other"), "app:1")
        before = tree(files.path)
        with pytest.raises(StoreChanged, match="app:1"):
            self.apply(files, plan)
        assert {name: value[2] for name, value in tree(files.path).items()} == {
            name: value[2] for name, value in before.items()
        }

    def test_deleting_what_is_gone_already_is_fine(self, files: LayoutFiles) -> None:  # T44
        blob = files.blob(b"x")
        snapshot = scan(files)
        plan = plan_removal(snapshot, digests=[blob["digest"]])
        files.file(blob).unlink()
        assert self.apply(files, plan) == ()

    def test_what_another_tool_names_during_the_deletion_stays(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        files.name(files.image(shared), "one:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        named: list[Any] = []

        def name_something() -> None:
            if not named:
                files.entries = []
                named.append(files.name(files.image(shared, b"new"), "two:1"))

        self.beside_each_blob(name_something)
        removed = self.apply(files, plan)
        assert len(removed) >= 1
        assert shared["digest"] not in removed
        assert files.file(shared).exists()
