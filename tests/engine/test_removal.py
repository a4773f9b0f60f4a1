"""Removing: the plan names what goes, what stays and why; only what was planned goes, index first."""

import os
from pathlib import Path

import pytest

from engine.errors import StoreChanged
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Snapshot
from tests.layouts import MANIFEST, LayoutFiles, sha256, tree


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

    def apply(self, files: LayoutFiles, plan: RemovalPlan, snapshot: Snapshot) -> tuple[str, ...]:
        layout = ImageLayout.open(files.path)
        try:
            return layout.apply(plan, snapshot, Progress()).removed
        finally:
            layout.close()

    def test_what_was_planned_is_what_goes(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        files.name(files.image(shared, b"one"), "one:1")
        two = files.name(files.image(shared, b"two"), "two:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        assert set(self.apply(files, plan, snapshot)) == goes(plan)
        after = scan(files)
        assert [entry.names for entry in after.entries] == [("two:1",)]
        assert {after.name(row) for row in range(len(after))} == everything(after, two["digest"])

    def test_identical_entries_are_told_apart_by_their_place(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        for _ in range(3):
            files.name(image, "twin")
        snapshot = scan(files)
        self.apply(files, plan_removal(snapshot, [1]), snapshot)
        assert len(scan(files).entries) == 2

    def test_what_has_come_to_be_needed_meanwhile_stays(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        files.name(files.image(shared), "one:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        new = files.name(files.image(shared, b"new"), "two:1")
        removed = self.apply(files, plan, snapshot)
        assert shared["digest"] not in removed
        after = scan(files)
        assert everything(after, new["digest"]) <= {after.name(row) for row in range(len(after))}
        assert all(files.file(digest).exists() for digest in everything(after, new["digest"]))

    def test_a_blob_that_was_named_meanwhile_stays(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        snapshot = scan(files)
        plan = plan_removal(snapshot, digests=[image["digest"]])
        files.name(image, "found:again")
        assert self.apply(files, plan, snapshot) == ()
        assert files.file(image).exists()

    def test_an_entry_that_changed_meanwhile_is_left_alone(self, files: LayoutFiles) -> None:
        files.name(files.image(b"layer"), "app:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, [0], with_content=True)
        files.entries = []
        files.name(files.image(b"other"), "app:1")
        before = tree(files.path)
        with pytest.raises(StoreChanged, match="app:1"):
            self.apply(files, plan, snapshot)
        assert {name: value[2] for name, value in tree(files.path).items()} == {
            name: value[2] for name, value in before.items()
        }

    def test_deleting_what_is_gone_already_is_fine(self, files: LayoutFiles) -> None:  # T44
        blob = files.blob(b"x")
        snapshot = scan(files)
        plan = plan_removal(snapshot, digests=[blob["digest"]])
        files.file(blob).unlink()
        assert self.apply(files, plan, snapshot) == ()
