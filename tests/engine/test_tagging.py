"""Names and annotations of index entries: what was asked for happens, to what the person was told of, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import Refused, StoreChanged
from engine.index import IndexText
from engine.indexfile import Edit
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.snapshot import Entry
from engine.tagging import add_name, annotate, can_be_named, rename
from tests.layouts import NAME, Json, LayoutFiles

Pairs = list[tuple[str, str | None]]


class Desk:
    """A layout that is open, and what its index says."""

    def __init__(self, files: LayoutFiles, layout: ImageLayout) -> None:
        self.files, self.layout = files, layout

    @property
    def index(self) -> bytes:
        return (self.files.path / "index.json").read_bytes()

    @property
    def pairs(self) -> Pairs:
        return [(entry.digest, entry.name) for entry in IndexText.parse(self.index).entries]

    def entry(self, position: int) -> Entry:
        return self.layout.scan(Progress()).entries[position]

    def name(self, image: Json, name: str | None, *taken_from: Json) -> str:
        digests = [other["digest"] for other in taken_from]
        return self.do(add_name(self.layout.scan(Progress()), image["digest"], name, digests))

    def do(self, edit: Edit) -> str:
        """Make an edit; return the record that takes it back."""
        return self.layout.edit_index(edit, "Edit").record


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    files = LayoutFiles(tmp_path / "layout")
    with ImageLayout.open(files.path) as layout:
        yield Desk(files, layout)


@pytest.fixture
def image(desk: Desk) -> Json:
    return desk.files.image(b"layer")


class TestAddName:
    @pytest.mark.parametrize("name", ["app:9", None])
    def test_a_lost_image_comes_into_the_index(self, desk: Desk, image: Json, name: str | None) -> None:
        desk.files.name(desk.files.image(b"other"), "other")
        before = desk.index
        record = desk.name(image, name)
        (_, entry) = json.loads(desk.index)["manifests"]
        assert (entry["digest"], entry["size"], entry["mediaType"]) == tuple(
            image[key] for key in ("digest", "size", "mediaType")
        )
        assert entry.get("annotations", {}).get(NAME) == name
        assert desk.layout.scan(Progress()).lost() == []
        desk.layout.undo(record, Progress())
        assert desk.index == before

    def test_an_image_gets_another_name_beside_its_own(self, desk: Desk, image: Json) -> None:
        desk.files.name(image, "app:1")
        desk.name(image, "app:latest")
        assert desk.pairs == [(image["digest"], "app:1"), (image["digest"], "app:latest")]

    def test_an_entry_without_a_name_gets_it(self, desk: Desk, image: Json) -> None:
        desk.files.name(image)
        desk.name(image, "app:1")
        assert desk.pairs == [(image["digest"], "app:1")]

    def test_an_image_inside_of_an_index_gets_a_name_of_its_own_with_its_platform(
        self, desk: Desk, image: Json
    ) -> None:
        platform = {"architecture": "arm64", "os": "linux", "variant": "v8"}
        whole = desk.files.index({**image, "platform": platform})
        desk.files.name(whole, "app:1")
        desk.name(image, "app:1-arm64")
        assert desk.pairs == [(whole["digest"], "app:1"), (image["digest"], "app:1-arm64")]
        assert json.loads(desk.index)["manifests"][1]["platform"] == platform

    def test_no_name_is_nothing_new_for_what_is_there(self, desk: Desk, image: Json) -> None:
        desk.files.name(image, "app:1")
        before = desk.index
        assert desk.name(image, None) == ""
        assert desk.index == before

    def test_a_name_is_never_taken_away_unasked(self, desk: Desk, image: Json) -> None:
        desk.files.name(desk.files.image(b"other"), "app:9")
        before = desk.index
        with pytest.raises(Refused, match="stands for something else"):
            desk.name(image, "app:9")
        assert desk.index == before

    def test_a_name_moves_from_where_the_person_was_told_it_is(self, desk: Desk, image: Json) -> None:
        other = desk.files.name(desk.files.image(b"other"), "app:9")
        before = desk.index
        record = desk.name(image, "app:9", other)
        assert desk.pairs == [(other["digest"], None), (image["digest"], "app:9")]
        desk.layout.undo(record, Progress())
        assert desk.index == before

    def test_and_from_nowhere_else(self, desk: Desk, image: Json) -> None:
        other = desk.files.name(desk.files.image(b"other"), "app:9")
        edit = add_name(desk.layout.scan(Progress()), image["digest"], "app:9", [other["digest"]])
        desk.files.entries[0] = {**desk.files.image(b"third"), "annotations": {NAME: "app:9"}}
        desk.files.write_index()
        with pytest.raises(Refused, match="stands for something else"):
            desk.do(edit)

    def test_only_manifests_and_indexes_can_be_named(self, desk: Desk, image: Json) -> None:
        layer, snapshot = desk.files.blob(b"layer"), desk.layout.scan(Progress())
        with pytest.raises(Refused, match="no manifest and no index"):
            add_name(snapshot, layer["digest"], "app:9")
        assert not can_be_named(snapshot, snapshot.find(layer["digest"]))
        assert can_be_named(snapshot, snapshot.find(image["digest"]))


class TestRename:
    @pytest.mark.parametrize("name", ["app:2", None, "app:1"])
    def test_an_entry_gets_another_name_or_none(self, desk: Desk, image: Json, name: str | None) -> None:
        desk.files.name(image, "app:1")
        desk.do(rename(desk.entry(0), name))
        assert desk.pairs == [(image["digest"], name)]

    def test_what_had_the_name_makes_way_if_the_person_knows(self, desk: Desk, image: Json) -> None:
        other = desk.files.name(desk.files.image(b"other"), "app:2")
        desk.files.name(image, "app:1")
        before = desk.index
        with pytest.raises(Refused, match="stands for something else"):
            desk.do(rename(desk.entry(1), "app:2"))
        assert desk.index == before
        record = desk.do(rename(desk.entry(1), "app:2", [other["digest"]]))
        assert desk.pairs == [(other["digest"], None), (image["digest"], "app:2")]
        desk.layout.undo(record, Progress())
        assert desk.index == before

    def test_two_names_of_one_image_become_one(self, desk: Desk, image: Json) -> None:
        desk.files.name(image, "app:1")
        desk.files.name(image, "app:2")
        desk.do(rename(desk.entry(1), "app:1"))
        assert desk.pairs == [(image["digest"], "app:1")]

    def test_an_entry_that_is_gone_is_not_renamed(self, desk: Desk, image: Json) -> None:
        desk.files.name(image, "app:1")
        edit = rename(desk.entry(0), "app:2")
        desk.files.entries.clear()
        desk.files.name(desk.files.image(b"other"), "app:1")
        with pytest.raises(StoreChanged, match="no longer in the index"):
            desk.do(edit)


class TestAnnotate:
    def test_an_annotation_is_added_changed_and_removed(self, desk: Desk, image: Json) -> None:
        desk.files.name(image, "app:1")
        before = desk.index
        for value in ("team <web>", "two\nlines", ""):
            desk.do(annotate(desk.entry(0), "com.example.team", value))
            assert json.loads(desk.index)["manifests"][0]["annotations"] == {NAME: "app:1", "com.example.team": value}
        record = desk.do(annotate(desk.entry(0), "com.example.team", None))
        assert json.loads(desk.index) == json.loads(before)
        desk.layout.undo(record, Progress())
        assert "com.example.team" in desk.index.decode()

    def test_the_manifest_stays_as_it_is(self, desk: Desk, image: Json) -> None:
        desk.files.name(image, "app:1")
        before = desk.files.file(image).read_bytes()
        desk.do(annotate(desk.entry(0), "com.example.team", "web"))
        assert desk.files.file(image).read_bytes() == before
