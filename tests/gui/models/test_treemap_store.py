"""What the picture of a store promises: each file once, where it belongs, and the same bytes in every grouping."""

from pathlib import Path

import numpy as np
import pytest

from engine.progress import Progress
from engine.removal import plan_removal
from engine.sample import make_sample
from engine.snapshot import Kind, Snapshot
from engine.space import Use, uses_of
from gui.models.treemap_store import STORE, ByImage, ByKind, Group
from tests.gui.models._pictures import picture
from tests.layouts import CONFIG, MANIFEST, LayoutFiles

REFERRER = "application/vnd.example.signature"


def by_kind(snapshot: Snapshot) -> ByKind:
    return ByKind(snapshot, uses_of(snapshot), Progress())


def by_image(snapshot: Snapshot) -> ByImage:
    return ByImage(snapshot, uses_of(snapshot), Progress())


def group(space: ByImage, digest: str) -> str:
    """Whose group a blob is in: the first name of an image, or the name of the group."""
    node = space.group_of(space.snapshot.find(digest))
    top = space.top(node)
    return space.snapshot.entries_of(top)[0].names[0] if top >= 0 else space.rest(node).name


@pytest.mark.parametrize("kind", [ByKind, ByImage])
def test_every_file_is_there_once(tmp_path: Path, kind: type[ByKind] | type[ByImage]) -> None:
    snapshot, *_ = picture(make_sample(tmp_path))
    space = kind(snapshot, uses_of(snapshot), Progress())
    groups, totals = space.groups, space.parts(STORE)[1]
    rows = np.concatenate([space.parts(int(group))[0] for group in groups])
    sizes = snapshot.columns.sizes
    assert sorted(rows.tolist()) == np.flatnonzero(sizes > 0).tolist()
    assert int(totals.sum()) == space.total == int(sizes[sizes > 0].sum())
    assert space.counts.sum() == np.count_nonzero(sizes >= 0)
    for each, total in zip(groups.tolist(), totals.tolist(), strict=True):
        assert int(space.parts(each)[1].sum()) == total
        assert (np.diff(space.parts(each)[1]) <= 0).all(), "the largest first"


def test_a_group_of_a_kind_is_what_the_list_shows_of_it(tmp_path: Path) -> None:
    snapshot, *_ = picture(make_sample(tmp_path))
    space, columns = by_kind(snapshot), snapshot.columns
    for kind in Kind:
        there = (columns.kinds == kind) & (columns.sizes >= 0)
        assert space.counts[kind] == np.count_nonzero(there)
        assert space.totals[kind] == columns.sizes[there].sum()


def test_an_image_has_what_only_it_has_and_what_several_have_is_by_itself(files: LayoutFiles) -> None:
    common, mine = files.blob(b"base" * 900), files.blob(b"mine" * 500)
    one = files.name(files.image(common, mine), "one")
    files.name(files.image(common, b"yours", config={"author": "other"}), "two")
    stranger = files.blob(b"nobody's")
    snapshot, *_ = picture(files.path)
    space = by_image(snapshot)
    assert group(space, one["digest"]) == group(space, mine["digest"]) == "one"
    assert group(space, common["digest"]) == Group.SEVERAL.name
    assert group(space, stranger["digest"]) == Group.UNUSED.name


def test_an_image_s_group_is_what_deleting_it_with_all_that_belongs_to_it_frees(tmp_path: Path) -> None:
    snapshot, *_ = picture(make_sample(tmp_path))
    space = by_image(snapshot)
    checked = 0
    for number, top in enumerate(space.tops.tolist()):
        mine = space.first_group + number
        positions = [entry.position for entry in snapshot.entries if space.group_of(entry.row) == mine]
        plan = plan_removal(snapshot, positions, with_content=True, despite_doubts=True)
        assert int(space.totals[number]) == plan.freed, snapshot.name(top)
        checked += 1
    assert checked > 3


def test_the_platforms_of_one_image_are_one_group(files: LayoutFiles) -> None:
    common = files.blob(b"common")
    parts = [files.image(common, config={"architecture": arch}) for arch in ("amd64", "arm64")]
    files.name(files.index(*parts), "all")
    snapshot, *_ = picture(files.path)
    space = by_image(snapshot)
    assert {group(space, each["digest"]) for each in (common, *parts)} == {"all"}
    assert uses_of(snapshot)[snapshot.find(common["digest"])] == Use.SHARED, "both platforms have it"


def test_a_signature_is_with_the_image_that_it_belongs_to(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "one")
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    signature = files.image(b"signed", subject=subject, artifactType=REFERRER)
    files.name(signature, None)
    snapshot, *_ = picture(files.path)
    assert group(by_image(snapshot), signature["digest"]) == "one"


def test_a_referrer_with_a_name_of_its_own_has_a_group_of_its_own(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "one")
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    files.name(files.image(b"list", subject=subject, artifactType=REFERRER), "sbom")
    snapshot, *_ = picture(files.path)
    space = by_image(snapshot)
    assert len(space.tops) == 2
    assert space.counts[len(space.tops) + Group.SEVERAL] == 0


def test_a_group_keeps_its_key_when_the_store_has_changed(files: LayoutFiles) -> None:
    one = files.name(files.image(b"layer"), "one")
    before = by_image(picture(files.path)[0])
    key = before.key_of(before.group_of(before.snapshot.find(one["digest"])))
    for number in range(5):
        files.name(files.image(b"%d" % number, config={"author": str(number)}), f"more-{number}")
    after = by_image(picture(files.path)[0])
    assert after.top(after.node_of(key)) == after.snapshot.find(one["digest"])
    kinds = by_kind(after.snapshot)
    assert kinds.node_of(kinds.key_of(kinds.first_group + Kind.LAYER)) == kinds.first_group + Kind.LAYER
    assert kinds.node_of(one["digest"]) == after.snapshot.find(one["digest"])
    assert (after.node_of(""), after.node_of("sha256:gone"), after.key_of(STORE)) == (STORE, STORE, "")


def test_a_group_of_one_grouping_is_nothing_in_the_other(files: LayoutFiles) -> None:
    files.name(files.image(b"layer"), "one")
    files.blob(b"unused")
    snapshot, *_ = picture(files.path)
    images, kinds = by_image(snapshot), by_kind(snapshot)
    assert {kinds.node_of(images.key_of(int(group))) for group in images.groups} == {STORE}
    assert {images.node_of(kinds.key_of(int(group))) for group in kinds.groups} == {STORE}


def test_in_docker_s_store_an_image_is_its_config(tmp_path: Path) -> None:
    from engine import DockerImageStore

    with DockerImageStore.create(tmp_path / "imagedb") as store:
        store.set(b'{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}')
    snapshot, *_ = picture(tmp_path / "imagedb")
    assert by_kind(snapshot).counts[Kind.IMAGE] == 1


def test_an_image_with_nothing_but_its_manifest_to_itself_has_no_group_around_that(files: LayoutFiles) -> None:
    common = files.blob(b"common" * 100)
    config = files.document({"architecture": "amd64", "os": "linux"}, CONFIG)
    manifests = [
        files.document({"schemaVersion": 2, "config": config, "layers": [common], "annotations": {"n": name}}, MANIFEST)
        for name in "ab"
    ]
    for name, manifest in zip("ab", manifests, strict=True):
        files.name(manifest, name)
    snapshot, *_ = picture(files.path)
    space = by_image(snapshot)
    assert set(space.parts(STORE)[0].tolist()) == {
        space.first_group + len(space.tops) + Group.SEVERAL,
        *(snapshot.find(manifest["digest"]) for manifest in manifests),
    }
