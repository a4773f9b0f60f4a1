"""Clean up: what nothing needs is found, in bins; what somebody may need, or is about to name, is never among it."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.cleanup import Cleanup, plan_cleanup, untagged
from engine.docker import DockerImageStore
from engine.errors import Refused
from engine.layout import ImageLayout
from engine.leftovers import Leftover
from engine.progress import Progress
from engine.removal import PlannedBlob, plan_removal
from engine.snapshot import Snapshot
from tests.layouts import MANIFEST, NAME, Json, LayoutFiles, sha256, tree

LATER = time.time() + 7200


def scan(files: LayoutFiles) -> Snapshot:
    with ImageLayout.open(files.path) as layout:
        return layout.scan(Progress())


def look(files: LayoutFiles) -> Cleanup:
    """What a clean-up proposes when nothing is recent any more."""
    return plan_cleanup(scan(files), LATER)


def digests(blobs: Iterable[PlannedBlob]) -> set[str]:
    return {blob.digest for blob in blobs}


def parts(files: LayoutFiles, image: Json) -> set[str]:
    """An image and what it consists of."""
    manifest = json.loads(files.file(image).read_text())
    return {image["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}


def apply(files: LayoutFiles, cleanup: Cleanup, lost: Iterable[str] = ()) -> None:
    with ImageLayout.open(files.path) as layout:
        layout.apply(cleanup.plan([blob.digest for blob in cleanup.unused], list(lost)), Progress())


class TestUnused:
    """Blobs that belong to nothing."""

    def test_only_what_nothing_leads_to_is_proposed(self, files: LayoutFiles) -> None:  # T86
        files.name(files.index(files.image(b"a"), files.image(b"b")), "app:1")
        orphan = files.blob(b"orphan")
        cleanup = look(files)
        assert digests(cleanup.unused) == {orphan["digest"]}
        assert (cleanup.lost, cleanup.recent, cleanup.doubtful, cleanup.doubts) == ((), (), (), ())

    def test_a_second_look_proposes_nothing(self, files: LayoutFiles) -> None:  # T86
        files.name(files.image(b"a"), "app:1")
        files.blob(b"orphan")
        shared = files.blob(b"shared")
        lost = [files.image(shared, b"lost one"), files.image(shared, b"lost two")]
        apply(files, look(files), [image["digest"] for image in lost])
        again = look(files)
        assert (again.unused, again.lost, again.recent) == ((), (), ())

    def test_every_algorithm_is_marked(self, files: LayoutFiles) -> None:
        with ImageLayout.open(files.path) as layout:
            wanted = layout.blobs.put(b"wanted", algorithm="sha512").digest
            orphan = layout.blobs.put(b"orphan", algorithm="sha512").digest
        layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": wanted, "size": 6}
        files.name(files.image(layer), "app:1")
        assert digests(look(files).unused) == {orphan}

    def test_entries_without_a_name_keep_what_they_lead_to(self, files: LayoutFiles) -> None:  # T92
        image = files.name(files.image(b"a"))
        files.name(files.image(b"sbom", artifactType="application/spdx+json", subject=image))
        assert look(files).unused == ()
        assert untagged(scan(files)) == [0]

    def test_to_drop_untagged_entries_is_a_decision_of_its_own(self, files: LayoutFiles) -> None:  # T92
        image = files.name(files.image(b"a"))
        kept = files.name(files.image(b"b"), "app:1")
        snapshot = scan(files)
        plan = plan_removal(snapshot, untagged(snapshot), with_content=True)
        assert digests(plan.blobs) == parts(files, image)
        assert kept["digest"] not in digests(plan.blobs)

    def test_referrers_of_what_stays_are_kept_though_only_a_scan_finds_them(self, files: LayoutFiles) -> None:  # T93
        image = files.name(files.image(b"a"), "app:1")
        sbom = files.image(b"sbom", artifactType="application/spdx+json", subject=image)
        files.image(b"signature", artifactType="application/x", subject=sbom)
        cleanup = look(files)
        assert (cleanup.unused, cleanup.lost) == ((), ())

    def test_subjects_of_what_stays_are_kept(self, files: LayoutFiles) -> None:
        image = files.image(b"a")
        files.name(files.image(b"sbom", artifactType="application/spdx+json", subject=image), "sbom")
        cleanup = look(files)
        assert (cleanup.unused, cleanup.lost) == ((), ())

    def test_stray_files_and_links_are_never_proposed(self, files: LayoutFiles, tmp_path: Path) -> None:
        (files.path / "blobs/sha256/notes.txt").write_text("mine")
        (files.path / "blobs/stray").write_text("mine")
        (files.path / "blobs/sha256" / ("0" * 64)).symlink_to(tmp_path)
        (files.path / "blobs/sha256" / ("1" * 64)).mkdir()
        cleanup = look(files)
        assert (cleanup.unused, cleanup.recent) == ((), ())

    def test_blobs_behind_a_link_are_never_proposed(self, files: LayoutFiles, tmp_path: Path) -> None:
        files.blob(b"somebody else's")
        (files.path / "blobs/sha256").rename(tmp_path / "cache")
        (files.path / "blobs/sha256").symlink_to(tmp_path / "cache")
        cleanup = look(files)
        assert (cleanup.unused, cleanup.recent) == ((), ())

    def test_hard_links_are_counted_once(self, files: LayoutFiles, tmp_path: Path) -> None:  # T100
        elsewhere, twice = files.blob(b"also elsewhere"), files.blob(b"twice here")
        os.link(files.file(elsewhere), tmp_path / "other")
        other_name = "sha512:" + "0" * 128
        files.file(other_name).parent.mkdir()
        os.link(files.file(twice), files.file(other_name))
        freed = {blob.digest: blob.freed for blob in look(files).unused}
        assert freed[elsewhere["digest"]] == 0
        assert freed[twice["digest"]] + freed[other_name] == len(b"twice here")

    def test_looking_changes_nothing(self, files: LayoutFiles) -> None:  # T98
        files.blob(b"orphan")
        files.image(b"lost")
        before = tree(files.path)
        cleanup = look(files)
        cleanup.plan([blob.digest for blob in cleanup.unused])
        assert tree(files.path) == before

    def test_an_empty_index_is_said(self, files: LayoutFiles) -> None:  # T87
        files.blob(b"orphan")
        assert look(files).empty_index
        files.name(files.image(b"a"), "app:1")
        assert not look(files).empty_index

    def test_a_store_that_is_still_being_read_is_not_judged(self, files: LayoutFiles) -> None:
        stages: list[Snapshot] = []
        with ImageLayout.open(files.path) as layout:
            layout.scan(Progress(), stages.append)
        for stage in stages:
            with pytest.raises(Refused, match="still being read"):
                plan_cleanup(stage, LATER)

    def test_in_dockers_store_everything_is_an_image(self, docker: DockerImageStore) -> None:
        docker.set(b"{}")
        cleanup = plan_cleanup(docker.scan(Progress()), LATER)
        assert (cleanup.unused, cleanup.lost, cleanup.recent, cleanup.empty_index) == ((), (), (), False)


class TestDoubts:
    """What a document may need that nobody can read is not proposed as unused."""

    @pytest.mark.parametrize("damage", ["damaged", "missing"])
    def test_what_such_a_document_may_need_is_in_doubt(self, files: LayoutFiles, damage: str) -> None:  # T91
        orphan = files.blob(b"orphan")
        other = files.name(files.blob(b"{ not json", MANIFEST), "unknown")
        if damage == "missing":
            files.file(other).unlink()
        cleanup = look(files)
        assert cleanup.unused == ()
        assert digests(cleanup.doubtful) == {orphan["digest"]}
        assert len(cleanup.doubts) == 1
        assert digests(cleanup.plan([orphan["digest"]]).blobs) == {orphan["digest"]}, "a person may decide so"

    def test_what_a_manifest_needs_is_not_unused_because_of_one_wrong_letter_in_it(self, files: LayoutFiles) -> None:
        image = files.name(files.image(b"layer"), "app:1")
        manifest, layer = files.file(image), sha256(b"layer")
        manifest.write_text(manifest.read_text().replace(layer, layer[:-1] + ("1" if layer[-1] == "0" else "0")))
        cleanup = look(files)
        assert cleanup.unused == ()
        assert digests(cleanup.doubtful) == {layer}
        assert "damaged" in cleanup.doubts[0]

    def test_an_index_that_cannot_be_read_is_no_empty_one(self, files: LayoutFiles) -> None:
        files.name(files.image(b"a"), "app:1")
        files.blob(b"orphan")
        (files.path / "index.json").write_text('{"manifests": [')
        os.utime(files.path / "index.json", (1, 1))
        cleanup = look(files)
        assert (cleanup.unused, cleanup.lost, cleanup.empty_index) == ((), (), False)
        assert len(cleanup.doubtful) == 4
        assert "index.json cannot be read" in cleanup.doubts[0]

    def test_a_missing_layer_raises_none(self, files: LayoutFiles) -> None:  # T91
        files.name(files.image(b"absent"), "app:1")
        files.file(sha256(b"absent")).unlink()
        orphan = files.blob(b"orphan")
        cleanup = look(files)
        assert digests(cleanup.unused) == {orphan["digest"]}
        assert cleanup.doubts == ()


class TestRecent:
    """What has just come may be about to be named."""

    def test_what_is_younger_than_the_grace_age_is_recent(self, files: LayoutFiles) -> None:  # T96
        orphan = files.blob(b"orphan")
        now = plan_cleanup(scan(files), time.time())
        assert (digests(now.unused), digests(now.recent)) == (set(), {orphan["digest"]})
        later = plan_cleanup(scan(files), LATER)
        assert (digests(later.unused), digests(later.recent)) == ({orphan["digest"]}, set())

    def test_an_old_time_on_a_file_that_has_just_come_is_not_believed(self, files: LayoutFiles) -> None:  # T96
        orphan = files.blob(b"orphan")
        os.utime(files.file(orphan), (1, 1))
        assert digests(plan_cleanup(scan(files), time.time()).recent) == {orphan["digest"]}

    def test_times_in_the_future_are_recent(self, files: LayoutFiles) -> None:
        orphan = files.blob(b"orphan")
        os.utime(files.file(orphan), (LATER + 9999, LATER + 9999))
        assert digests(look(files).recent) == {orphan["digest"]}

    @pytest.mark.parametrize("which", ["manifest", "layer"])
    def test_an_image_of_which_a_part_is_recent_is_recent_as_a_whole(self, files: LayoutFiles, which: str) -> None:
        image = files.image(b"layer")
        snapshot = scan(files)
        for column in (snapshot.columns.mtimes, snapshot.columns.ctimes):
            column[:] = 0
            column[snapshot.find(image["digest"] if which == "manifest" else sha256(b"layer"))] = int(time.time() * 1e9)
        cleanup = plan_cleanup(snapshot, time.time())
        assert digests(cleanup.recent) == parts(files, image)
        assert (cleanup.unused, cleanup.lost) == ((), ())

    def test_as_long_as_another_program_writes_everything_is_recent(self, files: LayoutFiles) -> None:  # T99
        orphan = files.blob(b"orphan")
        alive = Leftover(".umoci-1", "umoci", 0, False, "A running program is using it.", alive=True)
        dead = Leftover(".umoci-2", "umoci", 0, True, "Its writer has ended without cleaning up.")
        cleanup = plan_cleanup(scan(files), LATER, writers=[alive, dead])
        assert digests(cleanup.recent) == {orphan["digest"]}
        assert cleanup.doubts == ("umoci may be at work here: .umoci-1.",)
        assert digests(plan_cleanup(scan(files), LATER, writers=[dead]).unused) == {orphan["digest"]}

    def test_a_fresh_temporary_file_says_that_its_tool_is_at_work(self, files: LayoutFiles) -> None:
        (files.path / "oci-put-blob123").write_bytes(b"half")
        with ImageLayout.open(files.path) as layout:
            assert [left.alive for left in layout.leftovers()] == [True]
            assert [left.alive for left in layout.leftovers(min_age_s=0)] == [False]


class TestLostImages:
    """Manifests and indexes that no entry leads to."""

    def test_each_comes_with_what_only_it_has(self, files: LayoutFiles) -> None:
        shared, used = files.blob(b"shared"), files.blob(b"used")
        files.name(files.image(used), "app:1")
        one, two = files.image(shared, used, b"one"), files.image(shared, b"two")
        cleanup = look(files)
        assert {image.digest for image in cleanup.lost} == {one["digest"], two["digest"]}
        assert cleanup.unused == ()
        for image, own in ((one, b"one"), (two, b"two")):
            found = next(lost for lost in cleanup.lost if lost.digest == image["digest"])
            assert digests(found.blobs) == parts(files, image) - {shared["digest"], used["digest"]}
            assert sha256(own) in digests(found.blobs)
            assert digests(found.shared) == {shared["digest"]}
            assert found.freed == sum(blob.size for blob in found.blobs)

    def test_what_they_share_goes_with_the_last_of_them(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        one, two = files.image(shared, b"one"), files.image(shared, b"two")
        cleanup = look(files)
        assert digests(cleanup.plan([], [one["digest"]]).blobs) == parts(files, one) - {shared["digest"]}
        both = cleanup.plan([], [one["digest"], two["digest"]])
        assert digests(both.blobs) == parts(files, one) | parts(files, two)

    def test_one_of_several_platforms_is_one_image(self, files: LayoutFiles) -> None:
        a, b = files.image(b"a"), files.image(b"b")
        index = files.index(a, b)
        (lost,) = look(files).lost
        assert lost.digest == index["digest"]
        assert digests(lost.blobs) == {index["digest"]} | parts(files, a) | parts(files, b)

    def test_what_belongs_to_one_goes_with_it(self, files: LayoutFiles) -> None:
        image = files.image(b"a")
        sbom = files.image(b"sbom", artifactType="application/spdx+json", subject=image)
        (lost,) = look(files).lost
        assert lost.digest == image["digest"]
        assert digests(lost.blobs) == parts(files, image) | parts(files, sbom)

    def test_it_is_told_by_what_it_says_of_itself(self, files: LayoutFiles) -> None:
        config = {
            "created": "2024-05-06T07:08:09Z",
            "config": {"Entrypoint": ["/app", "serve"], "Labels": {"vendor": "Example"}},
        }
        files.image(b"a", config=config, annotations={NAME: "app:9"})
        (lost,) = look(files).lost
        assert (lost.title, lost.name, lost.complete) == ("app:9", "app:9", True)
        assert dict(lost.details) == {
            "Platform": "linux/amd64",
            "Created": "2024-05-06T07:08:09Z",
            "Entrypoint": "/app serve",
            "vendor": "Example",
            NAME: "app:9",
        }

    def test_an_incomplete_one_says_so(self, files: LayoutFiles) -> None:
        files.image(b"a")
        files.file(sha256(b"a")).unlink()
        (lost,) = look(files).lost
        assert not lost.complete
        assert ("Parts", "some are missing") in lost.details

    def test_of_very_many_each_has_its_own(self, files: LayoutFiles) -> None:
        shared = files.blob(b"shared")
        for number in range(300):
            files.image(shared, annotations={"n": str(number)})
        cleanup = look(files)
        assert len(cleanup.lost) == 300
        assert sum(len(image.blobs) for image in cleanup.lost) == 300
