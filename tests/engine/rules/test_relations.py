"""What documents say of each other: contradictions are told where they stand; equal things in other words are not."""

import pytest

from engine.findings import Severity
from tests.findings import found, told
from tests.layouts import CONFIG, LAYER, MANIFEST, Json, LayoutFiles, sha256

SPDX = "application/spdx+json"


def platform(architecture: str = "amd64", **more: str) -> Json:
    return {"platform": {"os": "linux", "architecture": architecture, **more}}


def artifact(files: LayoutFiles, **more: Json) -> Json:
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": files.blob(b"{}", SPDX), "layers": [files.blob(b"1")]}
    return files.document({**value, **more}, MANIFEST)


def test_an_entry_that_calls_an_artifact_otherwise_than_itself(files: LayoutFiles):
    files.name({**artifact(files), "artifactType": SPDX})
    assert told(files.path) == []
    index = files.name(files.index({**artifact(files), "artifactType": "text/plain"}))
    assert told(files.path) == [("V40", index["digest"], "manifests[0].artifactType")]


def test_an_image_without_platform_in_an_index_is_a_warning_and_an_artifact_is_not(files: LayoutFiles):
    index = files.name(files.index(files.image(b"layer"), artifact(files)), "one")
    assert [(each.rule, each.place, each.where, each.severity) for each in found(files.path)] == [
        ("V78", index["digest"], "manifests[0].platform", Severity.WARNING)
    ]


def test_attestations_and_caches_need_no_platform(files: LayoutFiles):
    image = {**files.image(b"layer"), **platform()}
    attestation = {
        **files.image(files.blob(b"statement", "application/vnd.in-toto+json")),
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        },
    }
    cache = files.index(files.blob(b"layer"), files.blob(b"{}", "application/vnd.buildkit.cacheconfig.v0"))
    files.name(files.index(image, attestation), "one")
    files.name(cache, "cache")
    assert told(files.path) == []


@pytest.mark.parametrize(
    ("said", "config"),
    [
        (platform("arm64", variant="v8"), {"architecture": "arm64"}),
        (platform("arm64"), {"architecture": "arm64", "variant": "v8"}),
        (platform(**{"os.version": "10"}), {}),
        ({"platform": {"os": "unknown", "architecture": "unknown"}}, {}),
        (platform(), {"architecture": "", "os": ""}),
    ],
)
def test_platforms_that_mean_the_same_are_fine(files: LayoutFiles, said: Json, config: Json):
    files.name(files.index({**files.image(b"layer", config=config), **said}), "one")
    assert told(files.path) == []


@pytest.mark.parametrize(
    ("said", "config"),
    [
        (platform("arm64"), {}),
        (platform("arm", variant="v6"), {"architecture": "arm"}),
        (platform(**{"os.version": "10"}), {"os.version": "11"}),
    ],
)
def test_an_index_that_names_another_platform_than_the_image(files: LayoutFiles, said: Json, config: Json):
    index = files.name(files.index({**files.image(b"layer", config=config), **said}), "one")
    assert told(files.path) == [("V138", index["digest"], "manifests[0].platform")]


def test_an_image_with_more_layers_than_its_config_knows(files: LayoutFiles):
    manifest = files.name(files.image(b"1", b"2", config={"rootfs": {"type": "layers", "diff_ids": [sha256(b"1")]}}))
    assert told(files.path) == [("V127", manifest["digest"], "layers")]


def test_one_digest_with_two_sizes(files: LayoutFiles):
    layer = {"mediaType": LAYER, "digest": sha256(b"far"), "size": 3, "urls": ["https://example.com"]}
    files.name(files.image(layer), "one")
    other = files.name(files.image({**layer, "size": 4}, b"more"), "two")
    assert told(files.path) == [("X8", other["digest"], "layers[0].size")]


def test_one_digest_with_two_types_is_a_note_unless_both_are_documents(files: LayoutFiles):
    layer = files.blob(b"{}")
    files.name(files.image(layer), "one")
    other = files.name(files.image({**layer, "mediaType": SPDX}, b"more"), "two")
    assert [(each.rule, each.place, each.where, each.severity) for each in found(files.path)] == [
        ("X8", other["digest"], "layers[0].mediaType", Severity.INFO)
    ]
    files.name({**other, "mediaType": CONFIG}, "three")
    assert ("X8", Severity.WARNING) in {(each.rule, each.severity) for each in found(files.path)}


def test_dockers_names_of_the_same_types_are_the_same(files: LayoutFiles):
    layer = files.blob(b"layer", f"{LAYER}+gzip")
    files.name(files.image(layer), "one")
    files.name(files.image({**layer, "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}, b"more"), "two")
    assert told(files.path) == []
