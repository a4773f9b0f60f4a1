"""Beyond the specification: what tools leave behind, lose or stumble over is told, with what can be done about it."""

import json
import os
import time
from pathlib import Path

import pytest

from engine import DockerImageStore
from engine.findings import Remedy, Severity
from engine.rules import beyond
from tests.findings import found, rules, told
from tests.layouts import INDEX, MANIFEST, Json, LayoutFiles, sha256


def test_a_name_that_two_images_have(files: LayoutFiles):
    files.name(files.image(b"1"), "one")
    files.name(files.image(b"2"), "one")
    assert told(files.path) == [("X6", "index.json", "manifests[1]")]


def test_images_of_several_platforms_may_share_a_name(files: LayoutFiles):
    for architecture in ("amd64", "arm64"):
        image = files.image(architecture.encode(), config={"architecture": architecture})
        files.name({**image, "platform": {"os": "linux", "architecture": architecture}}, "one")
    assert told(files.path) == []
    files.name({**files.image(b"3"), "platform": {"os": "linux", "architecture": "amd64"}}, "one")
    assert told(files.path) == [("X6", "index.json", "manifests[2]")]


def test_an_entry_that_is_there_twice(files: LayoutFiles):
    image = files.image(b"1")
    for name in ("one", "two", "one"):
        files.name(image, name)
    assert told(files.path) == [("X7", "index.json", "manifests[2]")]


@pytest.mark.parametrize(
    ("path", "rule"),
    [("oci-put-blob123", "X11"), ("index.json.1.tmp", "X11"), ("blobs/sha256/0.tmp", "X11"), (".umoci-123/x", "X14")],
)
def test_what_tools_have_left_can_be_cleaned_up_once_it_is_old(files: LayoutFiles, path: str, rule: str):
    leftover = files.path / path
    leftover.parent.mkdir(exist_ok=True)
    leftover.write_text("rest")
    top = path.removesuffix("/x")
    (each,) = found(files.path)
    assert (each.rule, each.place, each.severity, each.remedy) == (rule, top, Severity.INFO, None)
    old = time.time() - 7200
    for each_path in (leftover, files.path / top):
        os.utime(each_path, (old, old))
    if rule != "X14":  # a folder's own time of change cannot be set back
        return
    assert rules(files.path) == {rule}


def referrer(files: LayoutFiles, subject: Json) -> Json:
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": files.blob(b"{}", "text/plain"), "subject": subject}
    return files.document({**value, "layers": [files.blob(b"sbom", "text/plain")]}, MANIFEST)


def test_what_belongs_to_an_image_and_no_index_lists_can_be_added(files: LayoutFiles):
    image = files.name(files.image(b"layer"), "one")
    sbom = referrer(files, image)
    (each,) = found(files.path)
    assert (each.rule, each.place, each.remedy) == ("X15", sbom["digest"], Remedy.ADD_TO_INDEX)
    files.name(sbom)
    assert told(files.path) == []


def test_a_tag_of_something_that_is_gone(files: LayoutFiles):
    image = files.name(files.image(b"layer"), "one")
    files.name(referrer(files, image), f"{image['digest'].replace(':', '-')}.sig")
    assert told(files.path) == []
    files.name(files.image(b"more"), "sha256-" + "0" * 64)
    assert told(files.path) == [("X16", "index.json", "manifests[2]")]


def test_names_that_are_not_safe_on_other_systems(files: LayoutFiles):
    (files.path / "blobs" / "unknown").mkdir()
    for name in ("Abc", "aBC", "con"):
        (files.path / "blobs" / "unknown" / name).write_text("")
    assert [place for rule, place, _ in told(files.path) if rule == "X17"] == ["unknown:aBC", "unknown:con"]


def docker_list(files: LayoutFiles, config: Json, layer: Json) -> None:
    paths = [f"blobs/{each['digest'].replace(':', '/')}" for each in (config, layer)]
    (files.path / "manifest.json").write_text(json.dumps([{"Config": paths[0], "Layers": paths[1:], "RepoTags": None}]))


def test_dockers_list_that_fits_the_layout_is_fine_and_one_that_does_not_is_told(files: LayoutFiles):
    layer = files.blob(b"layer")
    manifest = files.name(files.image(layer), "one")
    config = json.loads(files.file(manifest).read_text())["config"]
    docker_list(files, config, layer)
    assert told(files.path) == []
    docker_list(files, config, {"digest": sha256(b"gone")})
    assert told(files.path) == [("X20", "manifest.json", "[0].Layers[0]")]
    docker_list(files, files.blob(b"{}"), layer)
    assert ("X20", "manifest.json", "[0].Config") in told(files.path)


@pytest.mark.parametrize("text", ["{", "{}", "[7]"])
def test_dockers_list_that_is_none(files: LayoutFiles, text: str):
    (files.path / "manifest.json").write_text(text)
    assert told(files.path) == [("X20", "manifest.json", "")]


def test_an_image_that_has_lost_its_name_can_be_added(files: LayoutFiles):
    lost = files.image(b"layer")
    assert [(each.rule, each.place, each.remedy) for each in found(files.path)] == [
        ("V12", "blobs", None),
        ("X22", lost["digest"], Remedy.ADD_TO_INDEX),
    ]


def test_documents_that_registries_refuse_for_their_size(files: LayoutFiles):
    assert list(beyond.too_large(4 << 20, 8 << 20, MANIFEST)) == []
    (large,) = beyond.too_large((4 << 20) + 1, 8 << 20, INDEX)
    assert large.severity is None
    (larger,) = beyond.too_large((8 << 20) + 1, 8 << 20, INDEX)
    assert larger.severity is Severity.ERROR
    huge = files.name(files.index(annotations={"com.example": "x" * (9 << 20)}), "one")
    assert told(files.path) == [("X9", huge["digest"], "")]


def test_dockers_own_store_is_held_against_the_rules_that_concern_it(tmp_path: Path):
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": None}, "rootfs": {"type": "layers"}}
    with DockerImageStore.create(tmp_path / "imagedb") as store:
        sound = store.set(json.dumps(config).encode())
        assert told(store.path, hashed=True) == []
        store.metadata.set(sound, "parent", b"sha256:" + b"0" * 64)
        wrong = store.set(json.dumps({**config, "os": 7}).encode())
        assert sorted(told(store.path)) == [("V121", wrong, "os"), ("X24", sound, "")]
        (store.path / "content" / "sha256" / sound.encoded).write_bytes(b"{}")
        assert "V10" in rules(store.path)
