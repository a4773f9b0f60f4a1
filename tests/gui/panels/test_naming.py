"""What names promise: a row is called what people call it, and the way to it is the way they came."""

from collections.abc import Callable
from pathlib import Path

from gui.panels import naming
from gui.panels.naming import Crumb
from gui.session import Session

Open = Callable[[Path], Session]


def multi_platform(making):
    layer = making.blob(b"layer")
    arm = making.image([layer], making.config([layer], {"User": "arm"}))
    amd = making.image([layer], making.config([layer], {"User": "amd"}))
    index = making.index(
        [
            {**arm, "platform": {"os": "linux", "architecture": "arm64"}},
            {**amd, "platform": {"os": "linux", "architecture": "amd64"}},
        ]
    )
    return layer, arm, amd, index


def test_the_way_goes_through_the_entry_that_one_came_from(making, open_session: Open) -> None:
    layer, arm, amd, index = multi_platform(making)
    making.name(index, "app:2.1")
    making.name(amd, "alone")
    snapshot = open_session(making.path).snapshot
    row = snapshot.find(layer["digest"])
    first, middle, last = naming.path_to(snapshot, row, 0)
    assert (first, last) == (Crumb("app:2.1", index["digest"]), Crumb("layer 1 of 1", layer["digest"]))
    assert middle in (Crumb("linux/arm64", arm["digest"]), Crumb("linux/amd64", amd["digest"]))
    assert naming.path_to(snapshot, row, 1) == [Crumb("alone", amd["digest"]), Crumb("layer 1 of 1", layer["digest"])]


def test_a_row_that_nothing_leads_to_has_no_way_but_itself(making, open_session: Open) -> None:
    unused = making.blob(b"unused", "application/octet-stream")
    snapshot = open_session(making.path).snapshot
    (only,) = naming.path_to(snapshot, snapshot.find(unused["digest"]))
    assert only.digest == unused["digest"]


def test_a_loop_of_references_ends(making, open_session: Open) -> None:
    """Nobody can write one under true digests, but a corrupt blob can say anything."""
    placeholder = making.index([])
    other = making.index([placeholder])
    making.file(placeholder).write_bytes(making.file(making.index([other])).read_bytes())
    making.name(placeholder, "loop")
    snapshot = open_session(making.path).snapshot
    row = snapshot.find(other["digest"])
    assert naming.path_to(snapshot, row, 0)[0].words == "loop"
    assert naming.total_size(snapshot, row) > 0
    assert naming.row_name(snapshot, row)


def test_a_platform_of_a_named_index_is_called_after_both(making, open_session: Open) -> None:
    _, arm, _, index = multi_platform(making)
    making.name(index, "app:2.1")
    snapshot = open_session(making.path).snapshot
    assert naming.row_name(snapshot, snapshot.find(arm["digest"])) == "app:2.1 (linux/arm64)", "the index knows better"


def test_content_with_a_file_name_is_called_by_it(making, open_session: Open) -> None:
    empty = making.blob(b"{}", "application/vnd.oci.empty.v1+json")
    chart = making.blob(b"chart", "application/x-chart", annotations={"org.opencontainers.image.title": "chart.tgz"})
    making.name(making.image([chart], empty, artifactType="application/x-chart"), "chart")
    snapshot = open_session(making.path).snapshot
    assert naming.row_name(snapshot, snapshot.find(chart["digest"])) == "chart.tgz"


def test_the_size_of_an_index_counts_shared_parts_once_and_missing_ones_as_promised(making, open_session: Open) -> None:
    layer, arm, amd, index = multi_platform(making)
    making.name(index, "app")
    sizes = [each["size"] for each in (layer, arm, amd, index)]
    snapshot = open_session(making.path).snapshot
    configs = [snapshot.children(snapshot.find(each["digest"]))[0].descriptor.size for each in (arm, amd)]
    assert naming.total_size(snapshot, snapshot.find(index["digest"])) == sum(sizes) + sum(configs)
    making.file(layer).unlink()
    snapshot = open_session(making.path).snapshot
    assert naming.total_size(snapshot, snapshot.find(index["digest"])) == sum(sizes) + sum(configs)


def test_names_that_cannot_be_seen_whole_are_marked(making, open_session: Open) -> None:
    image = making.image([making.blob(b"layer")])
    making.name(image, "a\u202eb")
    snapshot = open_session(making.path).snapshot
    assert naming.row_name(snapshot, snapshot.find(image["digest"])) == "a⟨U+202E⟩b"
