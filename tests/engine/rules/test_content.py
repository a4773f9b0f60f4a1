"""Blobs: what is missing, damaged, unreadable or no blob at all is told, with what can safely be done about it."""

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.findings import Finding, Remedy, Severity
from tests.findings import found, rules, told, validated
from tests.layouts import LAYER, NAME, Json, LayoutFiles, sha256


@pytest.fixture
def layer(files: LayoutFiles) -> Json:
    """The layer of an image in the layout."""
    layer = files.blob(b"layer")
    files.name(files.image(layer), "one")
    return layer


def only(findings: list[Finding]) -> Finding:
    (each,) = findings
    return each


def test_damaged_content_is_told_once_with_what_it_really_is(files: LayoutFiles, layer: Json):
    files.file(layer).write_bytes(b"reyal")
    each = only(found(files.path, hashed=True))
    assert (each.rule, each.place, each.severity, each.remedy) == (
        *("V10", layer["digest"], Severity.ERROR),
        Remedy.REPLACE,
    )
    assert each.found.startswith("sha256:")
    assert each.found != each.expected


def test_damaged_content_is_not_known_before_it_is_hashed(files: LayoutFiles, layer: Json):
    files.file(layer).write_bytes(b"reyal")
    assert told(files.path) == []


def test_a_damaged_document_is_found_without_hashing_all_and_not_read_on(files: LayoutFiles):
    manifest = files.name(files.image(b"layer"), "one")
    text = files.file(manifest).read_bytes()
    files.file(manifest).write_bytes(text.replace(b'"schemaVersion": 2', b'"schemaVersion": 1'))
    assert ("V10", manifest["digest"], "") in told(files.path)
    assert "V50" not in rules(files.path)


def test_a_cut_blob_is_told_of_the_blob_and_not_of_every_descriptor(files: LayoutFiles, layer: Json):
    files.file(layer).write_bytes(b"lay")
    each = only(found(files.path, hashed=True))
    assert (each.rule, each.place) == ("V10", layer["digest"])
    assert "3 bytes instead of 5" in each.sentence


def test_an_empty_blob_is_what_a_power_cut_leaves(files: LayoutFiles, layer: Json):
    files.file(layer).write_bytes(b"")
    for hashed in (False, True):
        each = only(found(files.path, hashed=hashed))
        assert (each.rule, each.place, each.remedy) == ("X13", layer["digest"], Remedy.REPLACE)


def test_a_blob_that_is_meant_to_be_empty_is_fine(files: LayoutFiles):
    files.name(files.image(b""), "one")
    assert told(files.path, hashed=True) == []


def test_a_wrong_size_in_the_index_can_be_mended_since_the_blob_is_sound(files: LayoutFiles):
    manifest = files.image(b"layer")
    files.name({**manifest, "size": 7}, "one")
    each = only(found(files.path))
    assert (each.rule, each.place, each.where) == ("V31", "index.json", "manifests[0].size")
    assert (each.severity, each.remedy) == (Severity.ERROR, Remedy.RIGHT_SIZE)
    assert each.found == f"{manifest['size']} bytes"


def test_a_wrong_size_in_a_manifest_cannot_be_mended(files: LayoutFiles):
    layer = files.blob(b"layer")
    manifest = files.name(files.image({**layer, "size": 7}), "one")
    each = only(found(files.path, hashed=True))
    assert (each.rule, each.place, each.where, each.remedy) == ("V31", manifest["digest"], "layers[0].size", None)


def test_missing_content_is_a_warning_that_says_who_needs_it(files: LayoutFiles, layer: Json):
    files.file(layer).unlink()
    each = only(found(files.path))
    assert (each.rule, each.place, each.severity) == ("V13", layer["digest"], Severity.WARNING)
    assert "needs it" in each.sentence


@pytest.mark.parametrize(
    "layer",
    [
        {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
        {"mediaType": LAYER, "urls": ["https://example.com/layer"]},
        {"mediaType": LAYER, "data": "bGF5ZXI="},
    ],
)
def test_content_that_is_legally_elsewhere_is_not_missing(files: LayoutFiles, layer: Json):
    files.name(files.image({**layer, "digest": sha256(b"layer"), "size": 5}), "one")
    assert told(files.path) == []


def test_a_subject_may_be_absent(files: LayoutFiles):
    subject = {"mediaType": LAYER, "digest": sha256(b"gone"), "size": 4}
    files.name(files.image(b"layer", subject=subject), "one")
    assert told(files.path) == []


def test_more_missing_blobs_than_anybody_reads_are_counted(files: LayoutFiles):
    files.name(files.image(*({"mediaType": LAYER, "digest": sha256(b"%d" % n), "size": 1} for n in range(1200))), "one")
    findings = validated(files.path).findings
    assert len(findings.items) == 1000
    assert findings.omitted == {"V13": 200}


def test_unused_blobs_are_one_note_with_their_bytes(files: LayoutFiles, layer: Json):
    files.blob(b"unused")
    files.blob(b"also unused")
    each = only(found(files.path))
    assert (each.rule, each.severity, each.found) == ("V12", Severity.INFO, "2 blobs")
    assert "17 bytes" in each.sentence


@pytest.mark.parametrize(("name", "severity"), [("README", Severity.ERROR), ("ABCD" * 16, Severity.ERROR)])
def test_files_among_the_blobs_that_are_none(files: LayoutFiles, layer: Json, name: str, severity: Severity):
    (files.path / "blobs" / "sha256" / name).write_text("hello")
    each = only(found(files.path))
    assert (each.rule, each.place, each.severity) == ("V11", f"blobs/sha256/{name}", severity)


def test_files_beside_the_algorithms_are_in_nobodys_way(files: LayoutFiles, layer: Json):
    (files.path / "blobs" / "README").write_text("hello")
    each = only(found(files.path))
    assert (each.rule, each.place, each.severity) == ("V11", "blobs/README", Severity.INFO)


def test_other_algorithms_are_a_note_and_unknown_ones_are_not_checkable(files: LayoutFiles):
    for algorithm, encoded in (("sha512", "0" * 128), ("unknown", "Abc=")):
        (files.path / "blobs" / algorithm).mkdir()
        (files.path / "blobs" / algorithm / encoded).write_text("")
    files.entries = [{"mediaType": LAYER, "digest": "unknown:Abc=", "size": 0, "annotations": {NAME: "one"}}]
    files.write_index()
    assert [(rule, place) for rule, place, _ in told(files.path) if rule != "X13"] == [
        ("V12", "blobs"),
        ("V28", "blobs/sha512"),
    ]


@pytest.mark.parametrize("kind", ["symbolic link", "folder", "pipe"])
def test_blobs_that_are_no_regular_files(files: LayoutFiles, layer: Json, kind: str):
    file = files.file(layer)
    file.unlink()
    if kind == "symbolic link":
        file.symlink_to("/etc/hostname")
    elif kind == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    each = only(found(files.path, hashed=True))
    assert (each.rule, each.place, each.found) == ("X1", layer["digest"], f"a {kind}")


def test_blobs_that_share_their_file_are_one_note(files: LayoutFiles, layer: Json, tmp_path: Path):
    os.link(files.file(layer), tmp_path / "elsewhere")
    each = only(found(files.path))
    assert (each.rule, each.severity) == ("X18", Severity.INFO)


def test_a_blob_that_may_not_be_read_is_told(files: LayoutFiles, layer: Json, as_nobody):
    files.path.parent.chmod(0o755)
    files.file(layer).chmod(0o600)

    def look() -> None:
        assert told(Path("layout")) == [("X12", layer["digest"], "")]

    as_nobody(files.path.parent, look)


class Layer(NamedTuple):
    """What reading a layer has told."""

    diff_id: str
    findings: tuple[Finding, ...] = ()


def test_what_reading_layers_has_told_is_told_too(files: LayoutFiles, layer: Json):
    own = Finding("V140", Severity.ERROR, "This is no archive.", layer["digest"])
    findings = validated(files.path, layers={layer["digest"]: Layer(layer["digest"], (own,))}).findings
    assert findings.deep
    assert list(findings.items) == [own]


def test_a_layer_that_is_not_the_one_of_the_config_is_told_of_its_image(files: LayoutFiles):
    layer = files.blob(b"layer")
    manifest = files.name(files.image(layer), "one")
    findings = validated(files.path, layers={layer["digest"]: Layer(sha256(b"other"))}).findings
    assert [(each.rule, each.place, each.where) for each in findings.items] == [
        ("V127", manifest["digest"], "layers[0]")
    ]
