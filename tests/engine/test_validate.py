"""Validation: everything in a store is looked at once, nothing that it may hold stops that, and no good store is
scolded."""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ImageLayout
from engine import validate as module
from engine.errors import Cancelled
from engine.progress import Progress
from engine.sample import make_sample
from engine.validate import validate
from tests.findings import found, rules, told, validated
from tests.layouts import CONFIG, INDEX, LAYER, MANIFEST, NAME, LayoutFiles, sha256, tree


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the validator has read each blob."""
    counter: Counter[str] = Counter()
    read = module.read_file

    def counted(blobs: Any, digest: str, limit: int) -> bytes:
        counter[str(digest)] += 1
        return read(blobs, digest, limit)

    monkeypatch.setattr(module, "read_file", counted)
    return counter


def diamond(files: LayoutFiles, count: int) -> None:
    """Many manifests of one config and one layer, listed by two indexes that are both named."""
    image = files.image(b"layer")
    text = json.loads(files.file(image).read_text())
    files.file(image).unlink()
    manifests = [files.document({**text, "annotations": {"com.example": str(n)}}, MANIFEST) for n in range(count)]
    platforms = [{**each, "platform": {"os": "linux", "architecture": "amd64"}} for each in manifests]
    artifacts = [{**each, "artifactType": CONFIG} for each in platforms]
    for name in ("one", "two"):
        files.name(files.index(*artifacts, annotations={"com.example": name}), name)


def test_each_document_is_read_once_however_many_roots_lead_to_it(files: LayoutFiles, reads: Counter[str]):
    diamond(files, 10_000)
    assert told(files.path) == []
    assert set(reads.values()) == {1}
    assert len(reads) == 10_000 + 2 + 1  # the manifests, the indexes, the config


def test_what_has_not_changed_is_not_read_again(files: LayoutFiles, reads: Counter[str]):
    files.name(files.image(b"1", annotations=None), "one")
    before = validated(files.path)
    assert reads
    reads.clear()
    assert validated(files.path, previous=before) == before
    assert not reads
    new = files.name(files.image(b"2"), "two")
    after = validated(files.path, previous=before)
    config = json.loads(files.file(new).read_text())["config"]["digest"]
    assert set(reads) == {new["digest"], config}
    assert [each.rule for each in after.findings.items] == ["V100"]


def test_a_document_that_was_changed_in_place_is_read_again(files: LayoutFiles, reads: Counter[str]):
    image = files.name(files.image(b"1"), "one")
    before = validated(files.path)
    reads.clear()
    content = files.file(image).read_bytes()
    files.file(image).write_bytes(content.replace(b"amd64", b"arm64") + b" ")
    after = validated(files.path, previous=before)
    assert "V10" in {each.rule for each in after.findings.items}


def test_the_worst_is_told_first(files: LayoutFiles):
    (files.path / "oci-layout").unlink()
    (files.path / "README").write_text("hello")
    layer = files.blob(b"layer")
    files.name(files.image(layer, schemaVersion=1), "a name")
    files.file(layer).unlink()
    assert [each.rule for each in found(files.path)] == ["V2", "V50", "V13", "V108", "V9"]


def test_more_findings_than_anybody_reads_are_counted(files: LayoutFiles):
    files.entries = [{"mediaType": MANIFEST, "digest": sha256(b"%d" % n), "size": -1} for n in range(1500)]
    files.write_index()
    findings = validated(files.path).findings
    kept = Counter(each.rule for each in findings.items)
    assert kept == {"V30": 1000, "V13": 1000}
    assert findings.omitted == {"V30": 500, "V13": 500}


def test_a_hostile_document_does_not_fill_the_memory_with_its_findings(files: LayoutFiles):
    bad = files.name(files.index(*[{"mediaType": MANIFEST, "size": -1} for _ in range(1500)]), "one")
    findings = validated(files.path).findings
    assert {each.place for each in findings.items} == {bad["digest"]}
    assert Counter(each.rule for each in findings.items) == {"V22": 100, "V30": 100}
    assert findings.omitted == {"V22": 1400, "V30": 1400}


def test_of_the_demo_everything_is_told_that_was_put_into_it(tmp_path: Path):
    assert rules(make_sample(tmp_path), hashed=True) == {"V10", "V13", "V12", "X11", "X14", "X22"}


def test_looking_changes_nothing(files: LayoutFiles):
    files.name(files.image(b"1"), "one")
    before = tree(files.path)
    validated(files.path, hashed=True)
    assert tree(files.path) == before


def test_validation_can_be_stopped(files: LayoutFiles):
    files.name(files.image(b"1"), "one")
    with ImageLayout.open(files.path) as layout:
        snapshot, progress = layout.scan(Progress()), Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            validate(layout, snapshot, progress)


def test_a_document_in_its_descriptor_only_is_looked_at_too(files: LayoutFiles):
    text = b'{"schemaVersion":1,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
    embedded = {"mediaType": INDEX, "digest": sha256(text), "size": len(text)}
    data = "eyJzY2hlbWFWZXJzaW9uIjoxLCJtZWRpYVR5cGUiOiJhcHBsaWNhdGlvbi92bmQub2NpLmltYWdlLmluZGV4LnYxK2pzb24iLCJtYW5pZmVzdHMiOltdfQ=="
    files.name({**embedded, "data": data}, None)
    assert told(files.path) == [("V70", embedded["digest"], "schemaVersion")]


# ------------------------------------------------------------------------------------------- what must not fail

UNKNOWN = "application/vnd.nobody.knows.this.v7+json"


def unknown_types(files: LayoutFiles) -> None:
    files.name(files.blob(b"\x00\x01", UNKNOWN), "thing")
    config = files.blob(b"not JSON", UNKNOWN)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [files.blob(b"", UNKNOWN)]}
    files.name(files.document({**manifest, "artifactType": UNKNOWN}, MANIFEST), "artifact")


def unknown_members(files: LayoutFiles) -> None:
    more = {"com.example": {"a": [None, 1.5, {"b": True}]}}
    layer = {**files.blob(b"layer"), **more}
    manifest = files.image(layer, config=more, **more)
    nested = files.index({**manifest, **more, "platform": {"os": "linux", "architecture": "amd64", **more}}, **more)
    files.name({**nested, **more}, "one")
    files.write_index(**more)


def unknown_algorithms(files: LayoutFiles) -> None:
    (files.path / "blobs" / "sha3+b64u").mkdir()
    (files.path / "blobs" / "sha3+b64u" / "AbC-_=").write_text("layer")
    layer = {"mediaType": LAYER, "digest": "sha3+b64u:AbC-_=", "size": 5}
    files.name(files.image(layer, config={"rootfs": {"type": "layers", "diff_ids": [sha256(b"layer")]}}), "one")


def odd_names(files: LayoutFiles) -> None:
    for name in ("sha256", "1.0--rc+1", "registry.example.com:5000/team/tiny:1.0", "sha256-xyz"):
        files.name(files.image(name.encode()), name)
    files.name(files.image(b"nameless"))


def referrers(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "one")
    sbom = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/spdx+json",
        "config": files.blob(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [files.blob(b"sbom", "application/spdx+json")],
        "subject": image,
    }
    listed = {**files.document(sbom, MANIFEST), "artifactType": "application/spdx+json"}
    files.name(files.index(listed), image["digest"].replace(":", "-"))


def nothing_at_all(files: LayoutFiles) -> None:
    (files.path / "blobs" / "sha256").rmdir()


@pytest.mark.parametrize(
    "fill", [unknown_types, unknown_members, unknown_algorithms, odd_names, referrers, nothing_at_all]
)
def test_what_the_specification_allows_gives_no_findings(files: LayoutFiles, fill: Callable[[LayoutFiles], None]):
    fill(files)
    assert told(files.path, hashed=True) == []


# ------------------------------------------------------------------------------------------------- hostility


def deep(files: LayoutFiles) -> None:
    files.name(files.blob(b'{"manifests":' + b"[" * 200_000, INDEX), "deep")


def long_chain(files: LayoutFiles) -> None:
    link = files.image(b"layer")
    for _ in range(500):
        link = files.index({**link, "platform": {"os": "linux", "architecture": "amd64"}})
    files.name(link, "chain")


def pipes(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "pipe")
    files.file(image).unlink()
    os.mkfifo(files.file(image))


def strange_texts(files: LayoutFiles) -> None:
    files.name({**files.image(b"layer"), "annotations": {NAME: "\u202e\x00\ud800", "\ud800": "\ud800"}})
    files.name(files.blob(b'{"schemaVersion":2,"\\ud800":"\\ud800","manifests":[{"mediaType":"\\ud800"}]}', INDEX))
    (files.path / "blobs" / "sha256" / os.fsdecode(b"\xff\xfe")).write_text("")
    (files.path / os.fsdecode(b"\xff\xfe")).write_text("")


def wrong_types(files: LayoutFiles) -> None:
    for value in (None, 7, "text", [], {}, True):
        keys = ("manifests", "config", "layers", "annotations", "subject", "mediaType", "artifactType", "schemaVersion")
        for media_type in (INDEX, MANIFEST):
            for key in keys:
                text = {"schemaVersion": 2, "layers": [], "config": {}} if media_type == MANIFEST else {"manifests": []}
                files.entries.append(files.document({**text, key: value}, media_type))
        for key in ("config", "rootfs", "history", "architecture", "os", "created"):
            files.entries.append(files.document({key: value}, CONFIG))
    files.entries += [None, 7, "text", [], {}, True]
    files.write_index()


@pytest.mark.parametrize("fill", [deep, long_chain, pipes, strange_texts, wrong_types])
def test_hostile_stores_become_findings_and_never_exceptions(files: LayoutFiles, fill: Callable[[LayoutFiles], None]):
    fill(files)
    findings = found(files.path, hashed=True)
    assert bool(findings) != (fill is long_chain)
    assert all(each.sentence for each in findings)


def test_a_store_that_changes_under_the_validator_stops_nothing(files: LayoutFiles):
    image = files.name(files.image(b"layer"), "one")
    with ImageLayout.open(files.path) as layout:
        snapshot = layout.scan(Progress())
        files.file(image).unlink()
        (files.path / "index.json").unlink()
        assert {each.rule for each in validate(layout, snapshot, Progress()).findings.items} == {"V7"}


KEYS = st.sampled_from(
    [
        *("schemaVersion", "mediaType", "manifests", "config", "layers", "annotations", "subject", "platform", "size"),
        *("digest", "data", "urls", "rootfs", "diff_ids", "history", "Env", "Labels", "ExposedPorts", "Volumes", NAME),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | KEYS, inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60))


@given(index=TEXTS, document=TEXTS, media_type=st.sampled_from([INDEX, MANIFEST, CONFIG]))
@settings(max_examples=60, deadline=None)
def test_no_text_whatever_stops_the_validator(
    tmp_path_factory: pytest.TempPathFactory, index: bytes, document: bytes, media_type: str
):
    files = LayoutFiles(tmp_path_factory.mktemp("any") / "layout")
    entry = files.blob(document, media_type)
    for text in (index, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()):
        (files.path / "index.json").write_bytes(text)
        os.utime(files.path / "index.json", (1, 1))  # as one that nobody is writing
        rules(files.path)
