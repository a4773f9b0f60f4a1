"""Removing: the plan names what goes, what stays and why; only what was planned goes, index first."""

import os
from pathlib import Path
from typing import Any

import pytest

from engine.blobs import Change
from engine.errors import Refused, StoreBusy, StoreChanged
from engine.indexfile import Edit, IndexFile
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Snapshot
from tests.layouts import MANIFEST, NAME, LayoutFiles, sha256, tree


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    return LayoutFiles(tmp_path / "layout")


def scan(files: LayoutFiles) -> Snapshot:
    layout = ImageLayout.open(files.path)
    snapshot = layout.scan(Progress())
    layout.close()
    return snapshot


def goes(plan: RemovalPlan) -> set[str]:
    return {blob.digest for blob in plan.blobs}


def everything(snapshot: Snapshot, digest: str) -> set[str]:
    return {snapshot.name(row) for row in snapshot.below([snapshot.find(digest)])}


def test_untagging_takes_the_entry_and_nothing_else(files: LayoutFiles) -> None:
    files.name(files.image(b"layer"), "app:1")
    plan = plan_removal(scan(files), [0])
    assert ([entry.names for entry in plan.entries], plan.blobs, plan.freed) == ([("app:1",)], (), 0)


def test_deleting_an_image_takes_what_only_it_needs(files: LayoutFiles) -> None:  # T94
    shared = files.blob(b"shared layer")
    one = files.name(files.image(shared, b"only one"), "one:1")
    two = files.name(files.image(shared, b"only two"), "two:1")
    snapshot = scan(files)
    plan = plan_removal(snapshot, [0], with_content=True)
    assert goes(plan) == everything(snapshot, one["digest"]) - everything(snapshot, two["digest"])
    assert {(kept.digest, kept.reason) for kept in plan.kept} >= {(shared["digest"], "two:1 needs it")}
    assert plan.freed == sum(files.file(digest).stat().st_size for digest in goes(plan))


def test_another_name_of_the_same_image_keeps_its_content(files: LayoutFiles) -> None:  # T74, T94
    image = files.image(b"layer")
    files.name(image, "app:1")
    files.name(image, "app:latest")
    plan = plan_removal(scan(files), [0], with_content=True)
    assert plan.blobs == ()
    assert plan.siblings == ("app:latest",)


def test_deleting_a_multi_platform_image_takes_all_its_platforms(files: LayoutFiles) -> None:  # T94
    index = files.name(files.index(files.image(b"a"), files.image(b"b")), "app:1")
    snapshot = scan(files)
    assert goes(plan_removal(snapshot, [0], with_content=True)) == everything(snapshot, index["digest"])


def test_a_lost_image_keeps_what_it_shares(files: LayoutFiles) -> None:
    shared = files.blob(b"shared")
    files.name(files.image(shared, b"mine"), "app:1")
    lost = files.image(shared, b"lost")
    plan = plan_removal(scan(files), [0], with_content=True)
    assert shared["digest"] not in goes(plan)
    assert lost["digest"] not in goes(plan)


def test_a_subject_never_goes_with_its_referrer(files: LayoutFiles) -> None:
    image = files.image(b"layer")
    sbom = files.image(b"sbom", artifactType="application/spdx+json", subject=image)
    files.name(sbom, "sbom")
    plan = plan_removal(scan(files), [0], with_content=True)
    assert sbom["digest"] in goes(plan)
    assert image["digest"] not in goes(plan)


def test_referrers_that_only_this_image_has_go_and_named_ones_hang(files: LayoutFiles) -> None:  # T93
    image = files.name(files.image(b"layer"), "app:1")
    hidden = files.image(b"sbom", artifactType="application/spdx+json", subject=image)
    listed = files.name(files.image(b"sig", artifactType="application/x", subject=image), "signature")
    plan = plan_removal(scan(files), [0], with_content=True)
    assert hidden["digest"] in goes(plan)
    assert listed["digest"] not in goes(plan)
    assert plan.hanging == (listed["digest"],)


def test_referrers_of_what_stays_keep_what_they_need(files: LayoutFiles) -> None:  # T93
    kept = files.name(files.image(b"kept"), "kept")
    shared = files.blob(b"shared")
    files.image(shared, artifactType="application/x", subject=kept)
    files.name(files.image(shared, b"mine"), "app:1")
    assert shared["digest"] not in goes(plan_removal(scan(files), [1], with_content=True))


@pytest.mark.parametrize("damage", ["damaged", "missing"])
def test_a_manifest_that_cannot_be_read_keeps_every_blob(files: LayoutFiles, damage: str) -> None:  # T91
    files.name(files.image(b"layer"), "app:1")
    other = files.name(files.blob(b"{ not json", MANIFEST), "unknown")
    if damage == "missing":
        files.file(other).unlink()
    plan = plan_removal(scan(files), [0], with_content=True)
    assert plan.blobs == ()
    assert len(plan.warnings) == 1
    assert all("may need it" in kept.reason for kept in plan.kept)


def test_unknown_media_types_keep_what_they_are(files: LayoutFiles) -> None:  # T58
    opaque = files.name(files.blob(b"<xml/>", "application/xml"), "opaque")
    files.name(files.image(b"layer"), "app:1")
    assert opaque["digest"] not in goes(plan_removal(scan(files), [1], with_content=True))


def test_a_document_of_an_unknown_kind_keeps_what_it_might_need(files: LayoutFiles) -> None:  # T58
    shared = files.blob(b"shared")
    old = {"schemaVersion": 1, "fsLayers": [{"blobSum": shared["digest"]}]}
    files.name(files.document(old, "application/vnd.docker.distribution.manifest.v1+prettyjws"), "old")
    files.name(files.image(shared), "app:1")
    plan = plan_removal(scan(files), [1], with_content=True)
    assert plan.blobs == ()
    assert len(plan.warnings) == 1


def test_a_link_in_place_of_a_manifest_keeps_every_blob(files: LayoutFiles, tmp_path: Path) -> None:
    files.name(files.image(b"layer"), "app:1")
    other = files.name(files.image(b"layer", b"more"), "other")
    (tmp_path / "elsewhere").write_bytes(files.file(other).read_bytes())
    files.file(other).unlink()
    files.file(other).symlink_to(tmp_path / "elsewhere")
    assert plan_removal(scan(files), [0], with_content=True).blobs == ()


def test_layers_that_a_build_cache_lists_are_no_unknown_documents(files: LayoutFiles) -> None:
    cache = files.index(files.blob(b"cached"), files.blob(b"{}", "application/vnd.buildkit.cacheconfig.v0"))
    files.name(cache, "cache")
    files.name(files.image(b"layer"), "app:1")
    plan = plan_removal(scan(files), [1], with_content=True)
    assert sha256(b"layer") in goes(plan)
    assert plan.warnings == ()


def test_an_index_that_is_read_in_part_keeps_every_blob(files: LayoutFiles) -> None:
    image = files.image(b"layer")
    for name in ("one", "two", "three"):
        files.name(image, name)
    index = files.path / "index.json"
    index.write_text(index.read_text().replace('"three"', '"three", "twice": "", "twice": ""'))
    snapshot = scan(files)
    assert len(snapshot.entries) == 2
    plan = plan_removal(snapshot, [0, 1], with_content=True)
    assert plan.blobs == ()
    assert "index.json cannot be read" in plan.warnings[0]


def test_as_long_as_a_store_is_being_read_no_blob_goes(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "app:1")
    parts: list[Snapshot] = []
    layout = ImageLayout.open(files.path)
    layout.scan(Progress(), parts.append)
    layout.close()
    assert [part.stage for part in parts] == ["roots", "graph"]
    for part in parts:
        assert plan_removal(part, [0]).blobs == ()
        with pytest.raises(Refused, match="still being read"):
            plan_removal(part, [0], with_content=True)
        with pytest.raises(Refused, match="still being read"):
            plan_removal(part, digests=[image["digest"]])


def test_a_long_chain_of_referrers_is_followed_once(files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    image = files.name(files.image(b"layer"), "app:1")
    last = image
    for number in range(300):
        last = files.image(b"note", artifactType="application/x", subject=last, annotations={"n": str(number)})
    snapshot = scan(files)
    looked: list[int] = []
    below = Snapshot.below

    def counted(*arguments: Any, **options: Any) -> set[int]:
        found = below(*arguments, **options)
        looked.append(len(found))
        return found

    monkeypatch.setattr(Snapshot, "below", counted)
    plan = plan_removal(snapshot, [0], with_content=True)
    assert last["digest"] in goes(plan)
    assert sum(looked) < 3 * len(snapshot)


def test_deleting_a_blob_says_what_will_miss_it(files: LayoutFiles) -> None:  # T44
    image = files.name(files.image(b"layer"), "app:1")
    snapshot = scan(files)
    assert plan_removal(snapshot, digests=[sha256(b"layer")]).broken == (
        f"app:1 will miss {snapshot.name(snapshot.find(sha256(b'layer')))[:11]}…{sha256(b'layer')[-4:]}.",
    )
    assert "lead nowhere" in plan_removal(snapshot, digests=[image["digest"]]).broken[0]


def test_a_hard_linked_blob_frees_nothing(files: LayoutFiles, tmp_path: Path) -> None:  # T100
    blob = files.blob(b"shared with another layout")
    os.link(files.file(blob), tmp_path / "other")
    plan = plan_removal(scan(files), digests=[blob["digest"]])
    assert (plan.blobs[0].size, plan.freed) == (26, 0)


def test_planning_changes_nothing(files: LayoutFiles) -> None:  # T98
    files.name(files.image(b"layer"), "app:1")
    snapshot, before = scan(files), tree(files.path)
    plan_removal(snapshot, [0], with_content=True)
    assert tree(files.path) == before


class TestApplying:
    """Carrying out a plan."""

    def apply(self, files: LayoutFiles, plan: RemovalPlan) -> tuple[str, ...]:
        layout = ImageLayout.open(files.path)
        try:
            return layout.apply(plan, Progress()).removed
        finally:
            layout.close()

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

        def edit(layout: ImageLayout, edit: Edit) -> Change:
            change = edit_index(layout, edit)
            files.entries.clear()
            files.name(image, "app:2")
            return change

        monkeypatch.setattr(ImageLayout, "edit_index", edit)
        assert self.apply(files, plan) == ()
        assert all(files.file(digest).exists() for digest in everything(snapshot, image["digest"]))

    def test_nobody_who_respects_the_lock_names_a_blob_while_it_goes(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image = files.image(b"layer")
        snapshot = scan(files)
        plan = plan_removal(snapshot, digests=[image["digest"]])
        delete = ImageLayout.delete
        other = ImageLayout.open(files.path)
        seconds = IndexFile(other._root, lock_timeout_s=0)

        def deleting(layout: ImageLayout, digest: str) -> bool:
            with pytest.raises(StoreBusy):
                seconds.edit(lambda index: None)
            return delete(layout, digest)

        monkeypatch.setattr(ImageLayout, "delete", deleting)
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

    def test_what_another_tool_names_during_the_deletion_stays(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shared = files.blob(b"shared")
        files.name(files.image(shared), "one:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        delete, named = ImageLayout.delete, []

        def delete_beside_another_tool(layout: ImageLayout, digest: str) -> bool:
            gone = delete(layout, digest)
            if not named:
                files.entries = []
                named.append(files.name(files.image(shared, b"new"), "two:1"))
            return gone

        monkeypatch.setattr(ImageLayout, "delete", delete_beside_another_tool)
        removed = self.apply(files, plan)
        assert len(removed) >= 1
        assert shared["digest"] not in removed
        assert files.file(shared).exists()
