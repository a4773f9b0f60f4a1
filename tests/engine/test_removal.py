"""Planning a removal: the plan names what goes, what stays and why."""

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from engine.cleanup import plan_cleanup
from engine.errors import Refused
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.removal import RemovalPlan, plan_removal
from engine.snapshot import Snapshot
from tests.layouts import MANIFEST, LayoutFiles, sha256, tree


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
def test_a_manifest_that_cannot_be_read_keeps_what_it_may_need(files: LayoutFiles, damage: str) -> None:  # T91
    image = files.name(files.image(b"layer"), "app:1")
    other = files.name(files.blob(b"{ not json", MANIFEST), "unknown")
    if damage == "missing":
        files.file(other).unlink()
    snapshot = scan(files)
    plan = plan_removal(snapshot, [0], with_content=True)
    assert goes(plan) == {image["digest"]}, "a manifest needs configs and layers, and no other manifest"
    assert len(plan.warnings) == 1
    in_doubt = everything(snapshot, image["digest"]) - {image["digest"]}
    assert {blob.digest for blob in plan.doubtful} == in_doubt
    assert {kept.digest for kept in plan.kept if kept.reason.endswith("may need it")} == in_doubt


@pytest.mark.parametrize("damage", ["damaged", "missing"])
def test_a_person_may_decide_despite_doubts(files: LayoutFiles, damage: str) -> None:  # T91
    image = files.name(files.image(b"layer"), "app:1")
    other = files.name(files.blob(b"{ not json", MANIFEST), "unknown")
    if damage == "missing":
        files.file(other).unlink()
    snapshot = scan(files)
    plan = plan_removal(snapshot, [0], with_content=True, despite_doubts=True)
    assert goes(plan) == everything(snapshot, image["digest"])
    assert {blob.digest for blob in plan.doubtful} == everything(snapshot, image["digest"]) - {image["digest"]}
    assert len(plan.warnings) == 1


def test_a_missing_layer_raises_no_doubts(files: LayoutFiles) -> None:  # T91
    image = files.name(files.image(b"layer"), "app:1")
    files.name(files.image(b"absent"), "other")
    files.file(sha256(b"absent")).unlink()
    snapshot = scan(files)
    plan = plan_removal(snapshot, [0], with_content=True)
    assert goes(plan) == everything(snapshot, image["digest"])
    assert (plan.doubtful, plan.warnings) == ((), ())


def test_in_a_sparse_image_what_an_absent_platform_may_share_is_in_doubt(files: LayoutFiles) -> None:  # T91
    absent = files.image(b"arm")
    files.name(files.index(files.image(b"amd"), absent), "many")
    gone = files.name(files.image(b"mine"), "app:1")
    files.file(absent).unlink()
    plan = plan_removal(scan(files), [1], with_content=True)
    assert goes(plan) == {gone["digest"]}
    assert sha256(b"mine") in {blob.digest for blob in plan.doubtful}


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


def test_a_link_in_place_of_a_manifest_keeps_what_it_may_need(files: LayoutFiles, tmp_path: Path) -> None:
    image = files.name(files.image(b"layer"), "app:1")
    other = files.name(files.image(b"layer", b"more"), "other")
    (tmp_path / "elsewhere").write_bytes(files.file(other).read_bytes())
    files.file(other).unlink()
    files.file(other).symlink_to(tmp_path / "elsewhere")
    assert goes(plan_removal(scan(files), [0], with_content=True)) == {image["digest"]}


def test_a_manifest_with_one_wrong_letter_keeps_what_it_may_need(files: LayoutFiles) -> None:
    files.name(files.image(b"shared"), "app:1")
    other, layer = files.name(files.image(b"shared", b"more"), "other"), sha256(b"shared")
    text = files.file(other).read_text()
    files.file(other).write_text(text.replace(layer, layer[:-1] + ("1" if layer[-1] == "0" else "0")))
    plan = plan_removal(scan(files), [0], with_content=True)
    assert layer not in goes(plan)
    assert layer in {blob.digest for blob in plan.doubtful}
    assert len(plan.warnings) == 1


def test_what_belongs_to_an_unlisted_manifest_that_the_disk_cannot_read_is_in_doubt(
    files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = files.name(files.image(b"layer"), "app:1")
    signature = files.image(b"signature", artifactType="application/x", subject=image)
    files.name(files.image(b"signature"), "other")
    sector, read = files.file(signature).stat().st_ino, os.read

    def read_but_bad(handle: int, size: int) -> bytes:
        if os.fstat(handle).st_ino == sector:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(handle, size)

    monkeypatch.setattr(os, "read", read_but_bad)
    snapshot = scan(files)
    cleanup = plan_cleanup(snapshot, time.time() + 7200)
    assert cleanup.unused == ()
    assert signature["digest"] in {blob.digest for blob in cleanup.doubtful}
    assert sha256(b"signature") not in goes(plan_removal(snapshot, [1], with_content=True))


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
    for despite_doubts in (False, True):
        plan = plan_removal(snapshot, [0, 1], with_content=True, despite_doubts=despite_doubts)
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
