"""Remedies: each does what it says and no more, and what it does to the index can be undone."""

import json
from pathlib import Path

import pytest

from engine.docker import DockerImageStore
from engine.errors import DigestMismatch, Refused, StoreChanged
from engine.findings import Finding, Remedy, Severity
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.remedies import apply_remedy, replace_blob
from tests.findings import found, told
from tests.layouts import NAME, LayoutFiles, sha256


def finding(remedy: Remedy | None, place: str = "index.json", where: str = "") -> Finding:
    return Finding("V1", Severity.ERROR, "Something is wrong.", place, where, remedy=remedy)


def apply(files: LayoutFiles, *findings: Finding, name: str | None = None) -> str:
    """Apply a remedy; return the id of the record that undoes it."""
    with ImageLayout.open(files.path) as layout:
        return apply_remedy(layout, layout.scan(Progress()), findings, Progress(), name=name).record


def check_undo(files: LayoutFiles, record: str, before: bytes) -> None:
    with ImageLayout.open(files.path) as layout:
        layout.undo(record, Progress())
    assert (files.path / "index.json").read_bytes() == before


def test_a_missing_marker_is_written(files: LayoutFiles) -> None:
    (files.path / "oci-layout").unlink()
    apply(files, finding(Remedy.ADD_MARKER, "oci-layout"))
    assert json.loads((files.path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert told(files.path) == []


def test_a_marker_that_is_there_stays(files: LayoutFiles) -> None:
    (files.path / "oci-layout").write_text("mine")
    apply(files, finding(Remedy.ADD_MARKER, "oci-layout"))
    assert (files.path / "oci-layout").read_text() == "mine"


def test_null_becomes_an_empty_list(files: LayoutFiles) -> None:
    index = files.path / "index.json"
    index.write_text('{ "schemaVersion": 2, "manifests": null, "x": 1.0 }\n')
    before = index.read_bytes()
    record = apply(files, finding(Remedy.EMPTY_LIST, where="manifests"))
    assert index.read_text() == '{ "schemaVersion": 2, "manifests": [], "x": 1.0 }\n'
    check_undo(files, record, before)


@pytest.mark.parametrize("size", ["7", "-1", '"many"', None])
def test_the_right_size_is_written(files: LayoutFiles, size: str | None) -> None:
    image = files.name(files.image(b"layer"), "app:1")
    index = files.path / "index.json"
    right = f'"size": {image["size"]}'
    wrong = index.read_text().replace(f"{right}, ", "" if size is None else f'"size": {size}, ')
    index.write_text(wrong)
    before = index.read_bytes()
    record = apply(files, finding(Remedy.RIGHT_SIZE, where="manifests[0].size"))
    assert json.loads(index.read_text())["manifests"][0]["size"] == image["size"]
    check_undo(files, record, before)


def test_the_size_of_a_damaged_blob_is_not_written(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "app:1")
    files.file(image).write_bytes(b"cut")
    before = (files.path / "index.json").read_bytes()
    with pytest.raises(StoreChanged, match="not sound"):
        apply(files, finding(Remedy.RIGHT_SIZE, where="manifests[0].size"))
    assert (files.path / "index.json").read_bytes() == before


def test_all_places_are_put_right_together_and_undone_together(files: LayoutFiles) -> None:
    images = [files.name(files.image(f"layer {n}".encode()), f"app:{n}") for n in range(3)]
    files.name(images[0], "again:0")
    for entry in files.entries:
        entry["size"] += 1
    files.write_index()
    index = files.path / "index.json"
    before = index.read_bytes()
    record = apply(files, *(finding(Remedy.RIGHT_SIZE, where=f"manifests[{n}].size") for n in range(4)))
    right = [image["size"] for image in (*images, images[0])]
    assert [entry["size"] for entry in json.loads(index.read_bytes())["manifests"]] == right
    with ImageLayout.open(files.path) as layout:
        (only,) = layout.trash()
    assert (only.id, only.title) == (record, "Write the right sizes of 4 entries")
    check_undo(files, record, before)


def test_where_one_place_cannot_be_put_right_none_is(files: LayoutFiles) -> None:
    images = [files.name(files.image(f"layer {n}".encode()), f"app:{n}") for n in range(2)]
    for entry in files.entries:
        entry["size"] += 1
    files.write_index()
    files.file(images[1]).write_bytes(b"cut")
    before = (files.path / "index.json").read_bytes()
    with pytest.raises(StoreChanged, match="not sound"):
        apply(files, *(finding(Remedy.RIGHT_SIZE, where=f"manifests[{n}].size") for n in range(2)))
    assert (files.path / "index.json").read_bytes() == before


@pytest.mark.parametrize(
    ("place", "where"), [(sha256(b"x"), "layers[0].size"), ("index.json", "manifests[7].size"), ("index.json", "x")]
)
def test_only_sizes_in_the_index_can_be_changed(files: LayoutFiles, place: str, where: str) -> None:
    files.name(files.image(b"layer"), "app:1")
    with pytest.raises(Refused, match="another digest"):
        apply(files, finding(Remedy.RIGHT_SIZE, place, where))


@pytest.mark.parametrize("name", ["found:1", None])
def test_a_lost_image_is_added(files: LayoutFiles, name: str | None) -> None:
    image = files.image(b"layer")
    before = (files.path / "index.json").read_bytes()
    record = apply(files, finding(Remedy.ADD_TO_INDEX, image["digest"]), name=name)
    (entry,) = json.loads((files.path / "index.json").read_text())["manifests"]
    assert (entry["digest"], entry.get("annotations", {}).get(NAME)) == (image["digest"], name)
    check_undo(files, record, before)


def test_all_lost_images_are_added_together_and_undone_together(files: LayoutFiles) -> None:
    images = [files.image(f"layer {n}".encode()) for n in range(3)]
    before = (files.path / "index.json").read_bytes()
    record = apply(files, *(finding(Remedy.ADD_TO_INDEX, image["digest"]) for image in images))
    entries = json.loads((files.path / "index.json").read_text())["manifests"]
    assert [entry["digest"] for entry in entries] == [image["digest"] for image in images]
    check_undo(files, record, before)


def test_leftovers_are_cleaned(files: LayoutFiles) -> None:
    dead = files.path / ".blobscope-0123456789abcdef"
    dead.mkdir()
    apply(files, finding(Remedy.CLEAN, dead.name))
    assert not dead.exists()


@pytest.mark.parametrize("remedy", [Remedy.REPLACE, None])
def test_what_takes_a_person_is_left_to_one(files: LayoutFiles, remedy: Remedy | None) -> None:
    with pytest.raises(Refused, match="without you"):
        apply(files, finding(remedy, sha256(b"x")))


def test_dockers_store_is_docker_s_to_repair(docker: DockerImageStore) -> None:
    with pytest.raises(Refused):
        apply_remedy(docker, docker.scan(Progress()), [finding(Remedy.CLEAN)], Progress())


def test_a_corrupt_blob_is_replaced_by_the_right_file_only(files: LayoutFiles, tmp_path: Path) -> None:
    blob = files.blob(b"content")
    files.file(blob).write_bytes(b"corrupt")
    (tmp_path / "wrong").write_bytes(b"something else")
    (tmp_path / "right").write_bytes(b"content")
    with ImageLayout.open(files.path) as layout:
        with pytest.raises(DigestMismatch):
            replace_blob(layout, blob["digest"], tmp_path / "wrong", Progress())
        assert files.file(blob).read_bytes() == b"corrupt"
        assert replace_blob(layout, blob["digest"], tmp_path / "right", Progress()).repaired == (blob["digest"],)
        assert files.file(blob).read_bytes() == b"content"
        assert replace_blob(layout, blob["digest"], tmp_path / "right", Progress()).present == (blob["digest"],)


def test_a_missing_blob_is_put_there_from_the_right_file_only(files: LayoutFiles, tmp_path: Path) -> None:
    layer = files.blob(b"a layer")
    files.name(files.image(layer), "app:1")
    files.file(layer).unlink()
    (missing,) = (each for each in found(files.path) if each.rule == "V13")
    assert (missing.place, missing.remedy) == (layer["digest"], Remedy.REPLACE)
    (tmp_path / "wrong").write_bytes(b"something else")
    (tmp_path / "right").write_bytes(b"a layer")
    with ImageLayout.open(files.path) as layout:
        with pytest.raises(DigestMismatch):
            replace_blob(layout, missing.place, tmp_path / "wrong", Progress())
        assert not files.file(layer).exists()
        assert replace_blob(layout, missing.place, tmp_path / "right", Progress()).added == (layer["digest"],)
    assert files.file(layer).read_bytes() == b"a layer"
    assert told(files.path) == []
