"""A snapshot shows what is in a store: roots first, then the graph, with every damage as a problem, not an error."""

import base64
import errno
import json
import os
from pathlib import Path

import pytest

from engine import graph
from engine import snapshot as facts
from engine.blobs import Blobs
from engine.digest import Digest, digest_of
from engine.docker import DockerImageStore
from engine.document import DOCKER_LIST, DOCKER_MANIFEST, Role
from engine.errors import StorageFailed
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.snapshot import Kind, Snapshot, State
from engine.verdicts import Verdicts
from tests.layouts import CONFIG, INDEX, LAYER, MANIFEST, NAME, LayoutFiles, sha256, tree


def scan(files: LayoutFiles, previous: Snapshot | None = None) -> Snapshot:
    layout = ImageLayout.open(files.path)
    try:
        return layout.scan(Progress(), None, previous)
    finally:
        layout.close()


def state(snapshot: Snapshot, digest: str) -> State:
    return State(int(snapshot.states(Verdicts.of(snapshot, 0).outcomes)[snapshot.find(digest)]))


def test_the_roots_are_shown_before_the_disk_was_looked_at(files: LayoutFiles) -> None:
    files.name(files.image(b"layer"), "app:1")
    stages: list[tuple[str, list[tuple[str, ...]]]] = []
    layout = ImageLayout.open(files.path)
    layout.scan(Progress(), lambda part: stages.append((part.stage, [entry.names for entry in part.entries])))
    layout.close()
    assert stages[0] == ("roots", [("app:1",)])
    assert stages[-1][0] == "graph"


def test_the_first_thousand_entries_of_a_large_index_are_shown_before_the_rest(files: LayoutFiles) -> None:
    image = files.image(b"layer")
    files.entries = [{**image, "annotations": {NAME: f"app:{n}"}} for n in range(2500)]
    files.write_index()
    counts: list[int] = []
    layout = ImageLayout.open(files.path)
    done = layout.scan(Progress(), lambda part: counts.append(len(part.entries)))
    layout.close()
    assert counts[:2] == [1000, 2500]
    assert [entry.names[0] for entry in done.entries] == [f"app:{n}" for n in range(2500)]


def test_children_come_in_the_order_of_their_document(files: LayoutFiles) -> None:
    image = files.name(files.image(b"one", b"two", b"one"), "app:1")
    snapshot = scan(files)
    row = snapshot.find(image["digest"])
    children = snapshot.children(row)
    assert [link.role for link in children] == [Role.CONFIG, Role.LAYER, Role.LAYER, Role.LAYER]
    assert [snapshot.name(link.target) for link in children[1:]] == [sha256(b"one"), sha256(b"two"), sha256(b"one")]
    assert [link.position for link in children[1:]] == [0, 1, 2]
    assert snapshot.platform(row) == "linux/amd64"
    assert snapshot.total_size(row) == sum(files.file(snapshot.name(r)).stat().st_size for r in snapshot.below([row]))


def test_used_by_counts_entries_and_documents(files: LayoutFiles) -> None:
    shared = files.blob(b"shared")
    one, two = files.image(shared, b"a"), files.image(shared, b"b")
    for name in ("one:1", "one:2"):
        files.name(one, name)
    files.name(two, "two:1")
    snapshot = scan(files)
    assert snapshot.columns.used_by[snapshot.find(shared["digest"])] == 2
    assert snapshot.columns.used_by[snapshot.find(one["digest"])] == 2
    parents = {snapshot.name(link.source) for link in snapshot.parents(snapshot.find(shared["digest"]))}
    assert parents == {one["digest"], two["digest"]}
    assert [entry.names for entry in snapshot.entries_of(snapshot.find(one["digest"]))] == [("one:1",), ("one:2",)]


def test_a_multi_platform_image_leads_to_one_manifest_a_platform(files: LayoutFiles) -> None:
    platforms = [{"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm", "variant": "v7"}]
    images = [{**files.image(bytes([n])), "platform": platform} for n, platform in enumerate(platforms)]
    index = files.name(files.index(*images), "app:1")
    snapshot = scan(files)
    row = snapshot.find(index["digest"])
    links = snapshot.children(row)
    assert [snapshot.platform(link.target, link.descriptor) for link in links] == ["linux/amd64", "linux/arm/v7"]
    assert (snapshot.kind(row), snapshot.platform(row)) == (Kind.INDEX, "2 platforms")


class TestStates:
    """Cheap checks at opening."""

    def test_documents_are_verified_while_they_are_read_and_layers_are_not(self, files: LayoutFiles) -> None:
        image = files.name(files.image(b"layer"), "app:1")
        snapshot = scan(files)
        assert state(snapshot, image["digest"]) == State.VERIFIED
        assert state(snapshot, sha256(b"layer")) == State.NOT_CHECKED

    def test_a_tampered_document_is_corrupt_and_still_shown(self, files: LayoutFiles) -> None:
        image = files.name(files.image(b"layer"), "app:1")
        file = files.file(image)
        file.write_bytes(file.read_bytes().replace(b'"size": 5', b'"size": 6'))
        snapshot = scan(files)
        assert state(snapshot, image["digest"]) == State.CORRUPT
        assert len(snapshot.children(snapshot.find(image["digest"]))) == 2

    def test_a_missing_layer(self, files: LayoutFiles) -> None:
        image = files.name(files.image(b"layer"), "app:1")
        files.file(sha256(b"layer")).unlink()
        snapshot = scan(files)
        assert state(snapshot, sha256(b"layer")) == State.MISSING
        states = snapshot.states(Verdicts.of(snapshot, 0).outcomes)
        assert State(int(snapshot.worst(states)[snapshot.find(image["digest"])])) == State.MISSING

    @pytest.mark.parametrize(
        "more", [{"urls": ["https://example.org/x"]}, {"mediaType": f"{LAYER}.nondistributable.v1"}]
    )
    def test_a_foreign_layer_may_be_absent(self, files: LayoutFiles, more: dict[str, object]) -> None:
        if "mediaType" in more:
            more = {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}
        files.name(files.image({**files.blob(b"far away"), **more}), "app:1")
        files.file(sha256(b"far away")).unlink()
        assert state(scan(files), sha256(b"far away")) == State.EXTERNAL

    @pytest.mark.parametrize("content", [b"layer and more", b"lay", b""])
    def test_a_file_of_another_size_is_found_without_hashing(
        self, files: LayoutFiles, content: bytes
    ) -> None:  # T39-41
        files.name(files.image(b"layer"), "app:1")
        files.file(sha256(b"layer")).write_bytes(content)
        assert state(scan(files), sha256(b"layer")) == State.SIZE_DIFFERS

    @pytest.mark.parametrize("off", [5, -5])
    def test_a_descriptor_with_a_wrong_size(self, files: LayoutFiles, off: int) -> None:  # T46
        blob = files.blob(b"some layer")
        files.name(files.image({**blob, "size": blob["size"] + off}), "app:1")
        assert state(scan(files), blob["digest"]) == State.SIZE_DIFFERS

    def test_a_document_that_does_not_parse_is_damaged(self, files: LayoutFiles) -> None:
        broken = files.name(files.blob(b'{"schemaVersion":2,', MANIFEST), "app:1")
        snapshot = scan(files)
        assert state(snapshot, broken["digest"]) == State.DAMAGED
        assert snapshot.document(snapshot.find(broken["digest"])) is None

    def test_an_unused_blob_and_a_lost_image(self, files: LayoutFiles) -> None:
        lost = files.image(b"layer of the lost image")
        incomplete = files.image(b"this one goes")
        files.file(sha256(b"this one goes")).unlink()
        unused = files.blob(b"nobody wants me")
        snapshot = scan(files)
        assert state(snapshot, unused["digest"]) == State.UNUSED
        assert state(snapshot, lost["digest"]) == State.LOST
        assert state(snapshot, incomplete["digest"]) == State.UNUSED
        assert [snapshot.name(row) for row in snapshot.lost()] == [lost["digest"]]
        assert snapshot.kind(snapshot.find(lost["digest"])) == Kind.IMAGE

    @pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
    def test_what_is_no_regular_file_is_never_opened(self, files: LayoutFiles, kind: str) -> None:  # X1
        files.name(files.image(b"layer"), "app:1")
        path = files.file(sha256(b"layer"))
        path.unlink()
        if kind == "link":
            path.symlink_to("/etc/passwd")
        elif kind == "folder":
            path.mkdir()
        else:
            os.mkfifo(path)
        assert state(scan(files), sha256(b"layer")) == State.NOT_REGULAR

    def test_strangers_among_the_blobs_are_junk(self, files: LayoutFiles) -> None:  # T43
        (files.path / "blobs" / "sha256" / "x.tmp").write_bytes(b"half")
        (files.path / "blobs" / "sha256" / ("a" * 64 + "123")).write_bytes(b"half")
        (files.path / "blobs" / "stray:file").write_bytes(b"?")
        snapshot = scan(files)
        names = [snapshot.name(row) for row in range(len(snapshot))]
        assert names == ["./stray:file", f"sha256/{'a' * 64}123", "sha256/x.tmp"]
        assert {state(snapshot, name) for name in names} == {State.JUNK}

    def test_an_unknown_algorithm_is_not_checkable_neither_good_nor_bad(self, files: LayoutFiles) -> None:  # T33
        (files.path / "blobs" / "sha666").mkdir()
        (files.path / "blobs" / "sha666" / "beast").write_bytes(b"?")
        files.name({"mediaType": LAYER, "digest": "sha666:beast", "size": 1}, "beast")
        assert state(scan(files), "sha666:beast") == State.NOT_CHECKABLE

    def test_a_sha512_blob_is_a_blob_like_any_other(self, files: LayoutFiles) -> None:  # T31
        digest = digest_of(b"layer", "sha512")
        (files.path / "blobs" / "sha512").mkdir()
        files.file(digest).write_bytes(b"layer")
        files.name(files.image({"mediaType": LAYER, "digest": digest, "size": 5}), "app:1")
        assert state(scan(files), digest) == State.NOT_CHECKED


class TestDisk:
    """What the disk does not give out says nothing about the rest."""

    def test_a_document_that_the_disk_cannot_read_is_unreadable_and_the_rest_is_shown(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad = files.name(files.image(b"a"), "bad")
        good, loose = files.name(files.image(b"b"), "good"), files.blob(b'{"a": 1}')
        sectors = {files.file(each).stat().st_ino for each in (bad, loose)}
        read = os.read

        def read_but_bad(handle: int, size: int) -> bytes:
            if os.fstat(handle).st_ino in sectors:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return read(handle, size)

        monkeypatch.setattr(os, "read", read_but_bad)
        snapshot = scan(files)
        assert state(snapshot, bad["digest"]) == State.UNREADABLE
        assert state(snapshot, good["digest"]) == State.VERIFIED

    def test_a_lack_of_handles_makes_no_document_unreadable(
        self, files: LayoutFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image = files.name(files.image(b"a"), "app:1")

        def no_handle(blobs: Blobs, digest: str) -> int:
            error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            raise blobs._trouble(Digest(digest), error) from error

        with monkeypatch.context() as patched:
            patched.setattr(Blobs, "open", no_handle)
            with pytest.raises(StorageFailed, match="Too many open files"):
                scan(files)
        assert state(scan(files), image["digest"]) == State.VERIFIED


class TestDamage:
    """A damaged document stops nobody from looking at the rest."""

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"manifests":[]} x', '{"manifests":7}', '{"a":1,"a":2}'])
    def test_an_index_that_does_not_parse(self, files: LayoutFiles, text: str) -> None:
        lost = files.image(b"layer")
        (files.path / "index.json").write_text(text)
        snapshot = scan(files)
        assert snapshot.roots.trouble
        assert snapshot.roots.digest == ""
        # Everything on disk is shown all the same.
        assert [snapshot.name(row) for row in snapshot.lost()] == [lost["digest"]]

    def test_entries_without_a_usable_digest_are_listed(self, files: LayoutFiles) -> None:
        files.entries = [7, {}, {"mediaType": MANIFEST, "digest": "sha256:../../x", "size": 3}]
        files.write_index()
        snapshot = scan(files)
        assert [entry.row for entry in snapshot.entries] == [-1, -1, -1]
        assert snapshot.roots.trouble == ""

    def test_an_ambiguous_document_is_not_followed(self, files: LayoutFiles) -> None:  # T50
        both = {"schemaVersion": 2, "manifests": [files.image(b"a")], "layers": [files.blob(b"b")], "config": {}}
        odd = files.name(files.document(both, MANIFEST), "odd")
        snapshot = scan(files)
        assert state(snapshot, odd["digest"]) == State.DAMAGED
        assert snapshot.children(snapshot.find(odd["digest"])) == []

    @pytest.mark.parametrize("wrong", ["application/octet-stream", CONFIG, INDEX])
    @pytest.mark.parametrize("deep", [False, True])
    def test_a_wrong_descriptor_hides_nothing(self, files: LayoutFiles, wrong: str, deep: bool) -> None:  # T51
        image = files.image(b"layer")
        files.name({**image, "mediaType": wrong}, "odd")
        right = files.index(files.index(image)) if deep else image
        files.name(right, "right")
        snapshot = scan(files)
        assert state(snapshot, image["digest"]) == State.VERIFIED
        assert snapshot.has(snapshot.find(sha256(b"layer")), facts.REACHABLE)
        assert snapshot.media_type(snapshot.find(image["digest"])) == MANIFEST
        assert [link.role for link in snapshot.children(snapshot.find(image["digest"]))] == [Role.CONFIG, Role.LAYER]
        again = scan(files, snapshot)
        assert again.columns.flags.tolist() == snapshot.columns.flags.tolist()

    def test_an_attestation_may_be_listed_before_its_image(self, files: LayoutFiles) -> None:
        image = files.image(b"layer")
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
        attestation = files.image(b"attestation")
        files.name(files.index({**attestation, "annotations": about}, image), "app:1")
        snapshot = scan(files)
        referrers = snapshot.referrers(snapshot.find(image["digest"]))
        assert [snapshot.name(link.source) for link in referrers] == [attestation["digest"]]

    def test_docker_media_types_are_followed(self, files: LayoutFiles) -> None:  # T57
        manifest = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": files.blob(b"{}"),
            "layers": [files.blob(b"l")],
        }
        image = files.document(manifest, DOCKER_MANIFEST)
        both = files.document({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [image]}, DOCKER_LIST)
        files.name(both, "app:1")
        snapshot = scan(files)
        assert snapshot.has(snapshot.find(sha256(b"l")), facts.REACHABLE)

    def test_embedded_data_stands_in_for_a_missing_manifest(self, files: LayoutFiles) -> None:  # T47
        image = files.image(b"layer")
        content = files.file(image).read_bytes()
        files.file(image).unlink()
        files.name({**image, "data": base64.b64encode(content).decode()}, "app:1")
        snapshot = scan(files)
        assert state(snapshot, image["digest"]) == State.MISSING
        assert len(snapshot.children(snapshot.find(image["digest"]))) == 2

    def test_a_diamond_of_indexes_reads_each_document_once(self, files: LayoutFiles) -> None:  # T85
        level = [files.image(b"layer")]
        for depth in range(30):
            level = [files.index(level[0], level[-1], annotations={"side": f"{side}{depth}"}) for side in "lr"]
        for descriptor in level:
            files.name(descriptor)
        progress = Progress()
        layout = ImageLayout.open(files.path)
        snapshot = layout.scan(progress)
        layout.close()
        assert len(snapshot.documents) == 30 * 2 + 2
        assert len(snapshot.below([entry.row for entry in snapshot.entries])) == len(snapshot)


class TestReferrers:
    """What belongs to an image without being part of it, whichever convention says so."""

    def subject(self, files: LayoutFiles) -> dict[str, object]:
        return files.name(files.image(b"layer"), "app:1")

    def referrer(
        self, files: LayoutFiles, subject: dict[str, object], kind: str = "application/spdx+json"
    ) -> dict[str, object]:
        link = {key: subject[key] for key in ("mediaType", "digest", "size")}
        return files.image(kind.encode(), artifactType=kind, subject=link)

    def test_an_untagged_entry_with_a_subject(self, files: LayoutFiles) -> None:  # T82 a
        subject = self.subject(files)
        sbom = files.name(self.referrer(files, subject))
        snapshot = scan(files)
        links = snapshot.referrers(snapshot.find(str(subject["digest"])))
        assert [(snapshot.name(link.source), link.role) for link in links] == [(sbom["digest"], Role.SUBJECT)]
        assert snapshot.kind(links[0].source) == Kind.SBOM

    def test_the_referrers_tag(self, files: LayoutFiles) -> None:  # T82 b
        subject = self.subject(files)
        sbom = self.referrer(files, subject)
        files.name(files.index(sbom), str(subject["digest"]).replace(":", "-"))
        snapshot = scan(files)
        links = snapshot.referrers(snapshot.find(str(subject["digest"])))
        assert [snapshot.name(link.source) for link in links] == [sbom["digest"]]

    def test_a_manifest_that_no_index_lists(self, files: LayoutFiles) -> None:  # T82 d
        subject = self.subject(files)
        sbom = self.referrer(files, subject)
        snapshot = scan(files)
        row = snapshot.find(str(sbom["digest"]))
        assert [link.source for link in snapshot.referrers(snapshot.find(str(subject["digest"])))] == [row]
        assert snapshot.has(row, facts.REACHABLE)
        assert all(snapshot.has(part, facts.REACHABLE) for part in snapshot.below([row]))
        assert snapshot.lost() == []

    def test_cosign_tags(self, files: LayoutFiles) -> None:
        subject = self.subject(files)
        layer = files.blob(b"{}", "application/vnd.dev.cosign.simplesigning.v1+json")
        signature = files.name(files.image(layer), str(subject["digest"]).replace(":", "-") + ".sig")
        snapshot = scan(files)
        links = snapshot.referrers(snapshot.find(str(subject["digest"])))
        assert [(snapshot.name(link.source), link.role) for link in links] == [(signature["digest"], Role.ATTACHED)]
        assert snapshot.kind(links[0].source) == Kind.SIGNATURE

    def test_attestations_of_buildkit(self, files: LayoutFiles) -> None:  # T62
        image = files.image(b"layer")
        statement = files.blob(b"{}", "application/vnd.in-toto+json")
        annotations = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        }
        platform = {"os": "unknown", "architecture": "unknown"}
        attestation = {**files.image(statement), "annotations": annotations, "platform": platform}
        files.name(files.index({**image, "platform": {"os": "linux", "architecture": "amd64"}}, attestation), "app:1")
        snapshot = scan(files)
        links = snapshot.referrers(snapshot.find(image["digest"]))
        assert [snapshot.kind(link.source) for link in links] == [Kind.ATTESTATION]

    def test_a_subject_that_is_not_there_is_no_error(self, files: LayoutFiles) -> None:  # T83
        ghost = {"mediaType": MANIFEST, "digest": sha256(b"ghost"), "size": 5}
        files.name(files.image(b"sbom", artifactType="application/spdx+json", subject=ghost))
        snapshot = scan(files)
        assert len(snapshot.referrers(snapshot.find(sha256(b"ghost")))) == 1


def test_looking_changes_nothing(files: LayoutFiles) -> None:
    files.name(files.image(b"layer"), "app:1")
    (files.path / ".umoci-dead").mkdir()
    before = tree(files.path)
    times = {path: path.stat().st_atime_ns for path in files.path.rglob("*")}
    scan(files)
    assert tree(files.path) == before
    assert {path: path.stat().st_atime_ns for path in files.path.rglob("*")} == times


def test_a_second_scan_reads_only_what_changed(files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.name(files.image(b"layer"), "app:1")
    files.blob(b"unused")
    first = scan(files)
    second = files.name(files.image(b"another"), "app:2")
    opened: list[str] = []
    read = graph.read_file
    monkeypatch.setattr(
        graph, "read_file", lambda b, digest, *a, **k: (opened.append(digest), read(b, digest, *a, **k))[1]
    )
    snapshot = scan(files, first)
    config = snapshot.name(snapshot.children(snapshot.find(second["digest"]))[0].target)
    assert set(opened) <= {second["digest"], config, sha256(b"another")}
    assert len(snapshot.entries) == 2


def test_a_second_scan_lists_only_when_a_name_came_or_went(files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.name(files.image(b"layer"), "app:1")
    settled = [files.path / "blobs", files.path / "blobs" / "sha256"]
    for folder in settled:
        os.utime(folder, (1, 1))
    first = scan(files)
    before = len(first)
    listings: list[Blobs] = []
    list_all = Blobs.list
    monkeypatch.setattr(Blobs, "list", lambda blobs: (listings.append(blobs), list_all(blobs))[1])
    files.name(files.entries[0], "app:2")  # the index alone
    second = scan(files, first)
    assert (len(listings), len(second), len(second.entries)) == (0, before, 2)
    files.blob(b"one more")
    third = scan(files, second)
    assert (len(listings), len(third)) == (1, before + 1)
    assert state(third, sha256(b"one more")) == State.UNUSED


def test_dockers_store_shows_an_image_a_row_with_its_parent(tmp_path: Path) -> None:
    store = DockerImageStore.create(tmp_path / "imagedb")
    base = store.set(json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": []}}).encode())
    child = store.set(json.dumps({"os": "linux", "architecture": "arm64", "rootfs": {"diff_ids": []}}).encode())
    store.metadata.set(child, "parent", base.encode())
    snapshot = store.scan(Progress())
    store.close()
    assert sorted(entry.descriptor.digest for entry in snapshot.entries) == sorted([base, child])
    links = snapshot.references(snapshot.find(child))
    assert [(link.role, snapshot.name(link.target)) for link in links] == [(Role.PARENT, base)]
    assert snapshot.platform(snapshot.find(child)) == "linux/arm64"
    assert state(snapshot, base) == State.VERIFIED


def test_damage_shows_at_the_top_however_deep_it_is(files: LayoutFiles) -> None:
    bad = files.blob(b"layer")
    files.file(bad).write_bytes(b"LAYER?")
    top = files.image(bad)
    for _ in range(100):
        top = files.index(top)
    files.name(top, "deep")
    snapshot = scan(files)
    worst = snapshot.worst(snapshot.states(Verdicts.of(snapshot, 0).outcomes))
    assert State(int(worst[snapshot.find(top["digest"])])) == State.SIZE_DIFFERS


def test_a_document_is_not_whole_when_something_deep_below_it_is_missing(files: LayoutFiles) -> None:
    layer = files.blob(b"layer")
    whole, top = files.index(files.image(b"whole")), files.image(layer)
    for _ in range(100):
        top = files.index(top, whole)
    files.file(layer).unlink()
    snapshot = scan(files)
    assert [snapshot.name(row) for row in snapshot.lost()] == []
    assert snapshot.has(snapshot.find(whole["digest"]), facts.COMPLETE)
    assert not snapshot.has(snapshot.find(top["digest"]), facts.COMPLETE)


@pytest.mark.parametrize(("step", "trusted"), [(0, False), (1, True)])
def test_a_folder_whose_time_has_whole_seconds_is_not_trusted_within_its_second(
    files: LayoutFiles, monkeypatch: pytest.MonkeyPatch, step: int, trusted: bool
) -> None:
    seconds = 1_700_000_000
    for folder in (files.path / "blobs", files.path / "blobs" / "sha256"):
        os.utime(folder, ns=(seconds * 10**9 + step,) * 2)
    monkeypatch.setattr("time.time_ns", lambda: seconds * 10**9 + 500_000_000)
    assert bool(scan(files).folders) == trusted
