"""The tree of images: what stands where, what it is called, and what stays when the store changes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.qtbot import QtBot

from engine import DockerImageStore, open_store
from engine.progress import Progress
from engine.snapshot import Snapshot, State
from gui.models import arranging, image_tree
from gui.models.conditions import Query
from gui.models.filtering import parse
from gui.models.image_cells import Column
from gui.models.image_tree import ImageTree
from tests.gui.models._pictures import SPOKEN, TOOLTIP, column, everything, find, names, picture
from tests.layouts import LAYER, MANIFEST, NAME, Json, LayoutFiles

DOWN = Qt.SortOrder.DescendingOrder
LINUX = {"os": "linux", "architecture": "amd64"}
ARM = {"os": "linux", "architecture": "arm64", "variant": "v8"}
EMPTY = "application/vnd.oci.empty.v1+json"


def query(text: str) -> Query:
    found = parse(text)
    assert isinstance(found, Query)
    return found


def short(descriptor: Json) -> str:
    return f"{descriptor['digest'][:11]}…{descriptor['digest'][-4:]}"


def artifact(files: LayoutFiles, content: bytes, media_type: str, subject: Json | None = None, **more: object) -> Json:
    """Write an artifact of one blob, which may refer to a subject."""
    value = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": files.blob(b"{}", EMPTY),
        "layers": [files.blob(content, media_type)],
        **({"subject": {k: subject[k] for k in ("mediaType", "digest", "size")}} if subject else {}),
    }
    return files.document(value, MANIFEST, **more)


def signature(files: LayoutFiles, subject: Json | None = None, content: bytes = b"proof") -> Json:
    return artifact(files, content, "application/vnd.dev.cosign.simplesigning.v1+json", subject)


@pytest.fixture
def show(qtbot: QtBot, tree: ImageTree, files: LayoutFiles) -> Callable[[], ImageTree]:
    """Shows the layout as it is on disk now."""

    def show_it() -> ImageTree:
        tree.set_snapshot(*picture(files.path))
        qtbot.waitUntil(lambda: not tree.busy)
        return tree

    return show_it


Show = Callable[[], ImageTree]


# ------------------------------------------------------------------------------------------------ what stands where


def test_entries_stand_in_the_order_of_the_index_with_what_they_are_made_of(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"one", b"two"), "z")
    files.name(files.image(b"three"), "a:1")
    files.name(files.image(b"four"))
    tree = show()
    assert names(tree) == ["z", "a:1", short(files.entries[2])]
    assert names(tree, find(tree, "z")) == ["config", "layer 1 of 2", "layer 2 of 2"]
    assert not tree.hasChildren(find(tree, "z", "config"))


def test_an_index_has_a_row_for_each_platform(files: LayoutFiles, show: Show) -> None:
    inner = files.index(files.image(b"deep"))
    files.name(
        files.index(
            {**files.image(b"one"), "platform": LINUX},
            {**files.image(b"two", config=ARM), "platform": ARM},
            {**inner, "annotations": {NAME: "nested"}},
        ),
        "multi",
    )
    tree = show()
    assert column(tree, Column.PLATFORM) == ["2 platforms"]
    assert names(tree, find(tree, "multi")) == ["linux/amd64", "linux/arm64/v8", "nested"]
    assert names(tree, find(tree, "multi", "nested")) == ["linux/amd64"]
    row = find(tree, "multi", "linux/arm64/v8")
    assert row.siblingAtColumn(Column.PLATFORM).data() == "", "its name says it"
    assert row.siblingAtColumn(Column.KIND).data() == "image"


def test_attestations_stand_below_their_image_and_not_beside_it(files: LayoutFiles, show: Show) -> None:
    image = {**files.image(b"layer"), "platform": LINUX}
    statement = artifact(files, b"{}", "application/vnd.in-toto+json")
    mark = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
    unknown = {"os": "unknown", "architecture": "unknown"}
    files.name(files.index(image, {**statement, "platform": unknown, "annotations": mark}), "built")
    tree = show()
    assert names(tree, find(tree, "built")) == ["linux/amd64"]
    assert names(tree, find(tree, "built", "linux/amd64"))[-1] == "attestation"
    assert find(tree, "built", "linux/amd64", "attestation").siblingAtColumn(Column.PLATFORM).data() == ""


def test_what_only_a_tool_has_named_stands_below_what_it_belongs_to(files: LayoutFiles, show: Show) -> None:
    image = files.name(files.image(b"layer"), "app")
    files.name(signature(files), f"{image['digest'].replace(':', '-')}.sig")
    files.name(artifact(files, b"list", "application/spdx+json", image))
    tree = show()
    assert names(tree) == ["app"]
    assert names(tree, find(tree, "app")) == ["config", "layer 1 of 1", "SBOM", "signature"]
    nodes = tree.nodes
    assert nodes is not None
    assert nodes.content(find(tree, "app", "signature").internalId()) == (files.entries[1]["digest"], 1)
    assert nodes.content(find(tree, "app", "SBOM", "part 1 of 1").internalId())[1] == 2
    assert nodes.content(find(tree, "app", "layer 1 of 1").internalId())[1] == 0


def test_what_a_person_has_named_stands_in_both_places(files: LayoutFiles, show: Show) -> None:
    image = files.name(files.image(b"layer"), "app")
    files.name(artifact(files, b"list", "application/spdx+json", image), "app-sbom")
    tree = show()
    assert names(tree) == ["app", "app-sbom"]
    assert names(tree, find(tree, "app"))[-1] == "SBOM"


def test_what_belongs_to_something_that_is_not_here_stays_at_the_top(files: LayoutFiles, show: Show) -> None:
    elsewhere = files.image(b"elsewhere")
    files.name(signature(files, elsewhere))
    files.file(elsewhere).unlink()
    assert len(names(show())) == 1


def test_two_that_belong_to_each_other_do_not_hide_each_other(files: LayoutFiles, show: Show) -> None:
    one, two = files.image(b"one"), files.image(b"two")
    for mine, other in ((one, two), (two, one)):
        files.entries.append({**mine, "annotations": {"vnd.docker.reference.digest": other["digest"]}})
    files.name(files.index({**one, **files.entries[0]}, {**two, **files.entries[1]}), "index")
    tree = show()
    assert len(names(tree)) >= 1
    assert len(names(tree, find(tree, "index"))) == 2


def test_a_referrer_is_shown_once_although_it_says_so_twice(files: LayoutFiles, show: Show) -> None:
    image = files.name(files.image(b"layer"), "app")
    files.name(signature(files, image), f"{image['digest'].replace(':', '-')}.sig")
    assert names(show(), find(show(), "app")).count("signature") == 1


def test_lost_images_stand_in_a_group_at_the_end(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"layer"), "app")
    lost = files.image(b"lost layer")
    tree = show()
    group = "Not in the index: 1 lost image"
    assert names(tree) == ["app", group]
    (name,) = names(tree, find(tree, group))
    assert short(lost) in name
    assert find(tree, group, name).siblingAtColumn(Column.STATE).data() == "Lost image"
    assert names(tree, find(tree, group, name)) == ["config", "layer 1 of 1"]
    files.name(lost, "found")
    assert names(show()) == ["app", "found"]


def test_what_has_itself_as_a_part_is_a_leaf_the_second_time(files: LayoutFiles, show: Show) -> None:
    """No honest file can say so, because it would have to contain its own hash."""
    image = files.image(b"layer")
    loop = files.index(image)
    content = files.file(loop).read_bytes()
    document = json.loads(content)
    document["manifests"].append({**loop, "annotations": {NAME: "again"}})
    files.file(loop).write_text(json.dumps(document))
    files.name(loop, "loop")
    tree = show()
    inner = find(tree, "loop", "again (see above)")
    assert not tree.hasChildren(inner)
    assert names(tree, inner) == []
    assert "itself" in inner.data(TOOLTIP)


def test_an_entry_without_a_digest_is_there_and_says_so(files: LayoutFiles, show: Show) -> None:
    files.entries.append({"mediaType": MANIFEST, "digest": "../../etc/passwd", "size": 3})
    files.name({"mediaType": MANIFEST, "size": 3}, "nothing")
    tree = show()
    assert names(tree) == ["entry without a digest", "nothing"]
    assert column(tree, Column.STATE) == ["Damaged", "Damaged"]
    assert "does not say" in tree.index(0, 0).data(TOOLTIP)
    assert tree.index_of("", 1).row() == 1


def test_dockers_images_have_their_names_and_their_parent(tmp_path: Path, tree: ImageTree) -> None:
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    (tmp_path / "vfs").mkdir()
    with DockerImageStore.create(tmp_path / "vfs" / "imagedb") as store:
        base = store.set(json.dumps(config).encode())
        child = store.set(json.dumps({**config, "author": "me"}).encode())
        store.metadata.set(child, "parent", str(base).encode())
    repositories = {"Repositories": {"app": {"app:1": child, "app:latest": child}}}
    (tmp_path / "vfs" / "repositories.json").write_text(json.dumps(repositories))
    tree.set_snapshot(*picture(tmp_path / "vfs"))
    assert names(tree) == ["app:1, app:latest", short({"digest": base})]
    assert names(tree, tree.index(0, 0)) == [f"parent {short({'digest': base})}"]
    assert column(tree, Column.KIND) == ["image", "image"]
    assert column(tree, Column.PLATFORM) == ["linux/amd64", "linux/amd64"]
    tree.set_query(query("type:image"))
    assert tree.shown == 2


# --------------------------------------------------------------------------------------------------- what rows say


def test_a_row_sums_its_image_up(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"x" * 41_000_000, b"x" * 41_000_000), "app")
    tree = show()
    assert column(tree, Column.SIZE) == ["41.0 MB"], "one blob, although it is two layers"
    assert column(tree, Column.STATE) == ["Not checked"], "the manifest is verified, the layer is not"
    layer = find(tree, "app", "layer 2 of 2")
    assert layer.data(SPOKEN) == "layer 2 of 2, 41.0 MB, not checked"
    assert "41,000,000 bytes" in layer.siblingAtColumn(Column.SIZE).data(TOOLTIP)
    assert layer.data(TOOLTIP).endswith(tree.snapshot.name(tree.nodes.row(layer.internalId())))


def test_a_row_tells_the_worst_of_its_parts(files: LayoutFiles, show: Show) -> None:
    image = files.image(b"one", b"two", b"three")
    files.name(image, "app")
    for content in (b"one", b"two"):
        files.file(files.blob(content)).unlink()
    tree = show()
    assert column(tree, Column.STATE) == ["Missing: 2 parts"]
    assert find(tree, "app").data(SPOKEN).endswith("missing: 2 parts")
    snapshot, states, _ = picture(files.path)
    states[states == State.NOT_CHECKED] = State.CORRUPT
    tree.set_states(states, snapshot.worst(states), None)
    tree.set_snapshot(snapshot, states, snapshot.worst(states))
    assert column(tree, Column.STATE) == ["Corrupt: 1 part"]
    states[:] = State.VERIFIED
    tree.set_states(states, states, np.arange(len(states)))
    assert column(tree, Column.STATE) == ["Verified"]


def test_what_is_missing_shows_the_size_that_is_promised(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"gone" * 1000), "app")
    files.file(files.blob(b"gone" * 1000)).unlink()
    tree = show()
    assert find(tree, "app", "layer 1 of 1").siblingAtColumn(Column.SIZE).data() == "4.0 kB"
    assert tree.nodes.size(0) == tree.snapshot.total_size(tree.nodes.row(0))


def test_while_the_store_is_being_read_names_are_there_and_sizes_are_not(files: LayoutFiles, tree: ImageTree) -> None:
    files.name(files.image(b"layer"), "app")
    early: list[Snapshot] = []
    with open_store(files.path) as store:
        store.scan(Progress(), early.append)
    snapshot = early[0]
    assert snapshot.stage == "roots"
    states = snapshot.states(np.zeros(len(snapshot), np.uint8))
    tree.set_snapshot(snapshot, states, states)
    assert names(tree) == ["app"]
    assert column(tree, Column.SIZE) == [""]
    assert column(tree, Column.STATE) == ["Checking"]


def test_layers_say_of_what_sort_they_are_and_files_what_they_are_called(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(files.blob(b"1", f"{LAYER}+gzip"), files.blob(b"2", f"{LAYER}+zstd")), "app")
    title = {"org.opencontainers.image.title": "notes.txt"}
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": files.blob(b"{}", EMPTY)}
    layers = [files.blob(b"n", "text/plain", annotations=title), files.blob(b"m", "text/plain")]
    files.name(files.document({**value, "layers": layers}, MANIFEST, artifactType="text/x"), "docs")
    tree = show()
    assert find(tree, "app", "layer 1 of 2").siblingAtColumn(Column.KIND).data() == "gzip layer"
    assert find(tree, "app", "layer 2 of 2").siblingAtColumn(Column.KIND).data() == "zstd layer"
    assert names(tree, find(tree, "docs")) == ["config", "notes.txt", "part 2 of 2"]


# ------------------------------------------------------------------------------------------- sorting and filtering


@pytest.fixture(params=["at once", "on a worker"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "on a worker":
        monkeypatch.setattr(arranging, "AT_ONCE", -1)


@pytest.mark.usefixtures("how")
def test_every_column_sorts_the_entries_and_the_lost_stay_at_the_end(
    qtbot: QtBot, files: LayoutFiles, show: Show
) -> None:
    files.name(files.image(b"x" * 10), "app:1.10")
    files.name(files.index({**files.image(b"x" * 300), "platform": LINUX}), "App:1.9")
    files.name(files.image(b"x" * 20, config=ARM))
    files.name(files.image(b"gone"), "zoo")
    files.file(files.blob(b"gone")).unlink()
    files.image(b"lost")
    tree = show()
    one, nine, nameless, zoo, group = names(tree)
    wanted = {
        Column.NAME: [nine, one, zoo, nameless],
        Column.PLATFORM: [one, nine, zoo, nameless],
        Column.KIND: [one, nameless, zoo, nine],
        Column.SIZE: [zoo, one, nameless, nine],
        Column.STATE: [one, nine, nameless, zoo],
    }
    for number, order in wanted.items():
        tree.sort(number, Qt.SortOrder.AscendingOrder)
        qtbot.waitUntil(lambda: not tree.busy)
        assert names(tree) == [*order, group], number
        tree.sort(number, DOWN)
        qtbot.waitUntil(lambda: not tree.busy)
        assert names(tree)[-1] == group
        assert names(tree)[0] == order[-1], number
    tree.sort(-1)
    qtbot.waitUntil(lambda: not tree.busy)
    assert names(tree) == [one, nine, nameless, zoo, group]


@pytest.mark.usefixtures("how")
def test_a_filter_leaves_the_images_that_have_such_a_part(qtbot: QtBot, files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"x" * 5000), "large")
    files.name(files.image(b"x"), "small")
    files.image(b"lost")
    tree = show()
    for text, left in {
        "size>4k": ["large"],
        "small": ["small"],
        "type:layer -small": ["large", "Not in the index: 1 lost image"],
        "status:lost-image": ["Not in the index: 1 lost image"],
        "nothing": [],
    }.items():
        tree.set_query(query(text))
        qtbot.waitUntil(lambda: not tree.busy)
        assert names(tree) == left
        assert tree.shown == len(left)
        assert tree.total == 3


def test_states_move_the_rows_that_go_by_them_in_a_moment(qtbot: QtBot, files: LayoutFiles, tree: ImageTree) -> None:
    files.name(files.image(b"one"), "one")
    files.name(files.image(b"two"), "two")
    snapshot, states, worst = picture(files.path)
    tree._arranger._settling.setInterval(0)
    tree.set_snapshot(snapshot, states, worst)
    tree.sort(Column.STATE, DOWN)
    assert names(tree) == ["one", "two"]
    states[snapshot.find(files.blob(b"two")["digest"])] = State.CORRUPT
    with qtbot.waitSignal(tree.arranged):
        tree.set_states(states, snapshot.worst(states), None)
    assert names(tree) == ["two", "one"]


# ---------------------------------------------------------------------------------------------- what stays in place


@pytest.mark.usefixtures("how")
def test_a_newer_snapshot_keeps_what_is_selected_and_open(qtbot: QtBot, files: LayoutFiles, show: Show) -> None:
    first = files.name(files.image(b"first"), "first")
    multi = files.index(
        {**files.image(b"one"), "platform": LINUX}, {**files.image(b"two", config=ARM), "platform": ARM}
    )
    files.name(multi, "multi")
    files.name(files.image(b"last"), "last")
    lost = files.image(b"lost")
    tree = show()
    group = "Not in the index: 1 lost image"
    (lost_name,) = names(tree, find(tree, group))
    ways = [
        ("first",),
        ("multi", "linux/arm64/v8", "layer 1 of 1"),
        ("multi", "linux/arm64/v8"),
        ("last", "config"),
        (group,),
        (group, lost_name),
    ]
    kept = [QPersistentModelIndex(find(tree, *way)) for way in ways]
    files.entries[:1] = [files.image(b"zeroth"), files.image(b"and another")]
    files.write_index()
    files.file(first).unlink()
    tree = show()
    assert not kept[0].isValid()
    assert [(index.data(), _way(index)) for index in kept[1:]] == [(way[-1], way) for way in ways[1:]]
    files.name(lost, "found")
    show()
    assert not kept[-1].isValid()


def _way(index: QPersistentModelIndex) -> tuple[str, ...]:
    here, way = index.model().index(index.row(), index.column(), index.parent()), []
    while here.isValid():
        way.insert(0, here.data())
        here = here.parent()
    return tuple(way)


def test_a_renamed_entry_stays_selected_and_a_removed_one_does_not(files: LayoutFiles, show: Show) -> None:
    image = files.image(b"layer")
    files.name(image, "old")
    files.name(image, "other")
    tree = show()
    old, other = (QPersistentModelIndex(tree.index(row, 0)) for row in (0, 1))
    files.entries[0]["annotations"][NAME] = "new"
    files.write_index()
    show()
    assert (old.data(), other.data()) == ("new", "other")
    del files.entries[0]
    files.write_index()
    show()
    assert not old.isValid(), "another entry of the same image is not the one that was removed"
    assert other.data() == "other"


def test_a_tag_that_moves_to_other_content_stays_selected(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"before"), "latest")
    kept = QPersistentModelIndex(show().index(0, 0))
    files.entries.clear()
    files.name(files.image(b"after"), "other")
    files.name(files.image(b"later"), "latest")
    tree = show()
    assert kept.data() == "latest"
    assert tree.index_of(files.entries[1]["digest"]) == kept


def test_equal_entries_are_told_apart_by_their_order(files: LayoutFiles, show: Show) -> None:
    image = files.image(b"layer")
    files.name(image, "twice")
    files.name(image, "twice")
    tree = show()
    kept = [QPersistentModelIndex(tree.index(row, 0)) for row in (0, 1)]
    files.entries.insert(0, {**files.image(b"new")})
    files.write_index()
    show()
    assert [index.row() for index in kept] == [1, 2]


def test_what_a_filter_hides_is_no_longer_selected_and_the_rest_is(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"one"), "one")
    files.name(files.image(b"two"), "two")
    tree = show()
    one, below_two = QPersistentModelIndex(find(tree, "one")), QPersistentModelIndex(find(tree, "two", "config"))
    tree.set_query(query("two"))
    assert not one.isValid()
    assert _way(below_two) == ("two", "config")


# --------------------------------------------------------------------------------------------- finding and reaching


def test_a_digest_is_found_wherever_it_is_shown(files: LayoutFiles, show: Show) -> None:
    shared = files.blob(b"shared")
    files.name(files.image(shared), "one")
    files.name(files.index(files.image(shared, b"own")), "two")
    lost = files.image(b"lost")
    tree = show()
    assert _way(QPersistentModelIndex(tree.index_of(shared["digest"]))) == ("one", "layer 1 of 1")
    through_two = _way(QPersistentModelIndex(tree.index_of(shared["digest"], 1)))
    assert through_two == ("two", "linux/amd64", "layer 1 of 2")
    assert tree.index_of(lost["digest"]).parent().data() == "Not in the index: 1 lost image"
    assert not tree.index_of("sha256:" + "0" * 64).isValid()
    tree.set_query(query("one"))
    assert not tree.index_of(shared["digest"], 1).parent().parent().isValid()


def test_typing_finds_a_name_a_tag_or_a_digest(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"1"), "reg:5000/app:1.0")
    files.name(files.image(b"2"), "zoo:latest")
    files.name(files.image(b"3"), "app:2.0")
    nameless = files.name(files.image(b"4"))
    tree = show()
    assert tree.find_typed("REG", 0) == 0
    assert tree.find_typed("app", 1) == 2
    assert tree.find_typed("latest", 3) == tree.find_typed("zoo", 0) == 1
    assert tree.find_typed(nameless["digest"][7:15], 0) == 3
    assert tree.find_typed("nobody", 0) == -1


def test_many_entries_come_bit_by_bit(
    qtbot: QtBot, files: LayoutFiles, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_tree, "AT_FIRST", 3)
    for number in range(8):
        files.entries.append({**files.image(b"%d" % number), "annotations": {NAME: f"image {number}"}})
    files.write_index()
    files.image(b"lost")
    tree = show()
    assert tree.shown == 9
    seen = []
    while True:
        seen.append(tree.rowCount())
        assert names(tree)[-1] == "Not in the index: 1 lost image"
        if len(seen) == 4:
            break
        tree.show_more()
    assert seen == [4, 7, 9, 9]


def test_an_entry_far_down_is_reached_and_stays_known(
    files: LayoutFiles, show: Show, tree: ImageTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        files.entries.append({**files.image(b"%d" % number), "annotations": {NAME: f"image {number}"}})
    files.write_index()
    monkeypatch.setattr(image_tree, "AT_FIRST", 3)
    assert show().find_typed("image 15", 0) == 15
    assert tree.index(15, 0).data() == "image 15"
    kept = QPersistentModelIndex(tree.index_of(files.entries[20]["digest"]))
    assert kept.row() == 20
    assert find(tree, "image 20").isValid()
    tree.sort(Column.NAME, DOWN)
    assert kept.data() == "image 20"
    assert find(tree, "image 20") == kept


def test_what_another_order_puts_far_down_is_let_go(
    files: LayoutFiles, show: Show, tree: ImageTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        files.entries.append({**files.image(b"%d" % number), "annotations": {NAME: f"image {number}"}})
    files.write_index()
    monkeypatch.setattr(image_tree, "AT_FIRST", 3)
    monkeypatch.setattr(image_tree, "MOST_ABOVE", 10)
    kept = [QPersistentModelIndex(show().index_of(files.entries[number]["digest"])) for number in (1, 22, 28)]
    tree.set_snapshot(*picture(files.path))
    assert [index.row() for index in kept] == [1, 22, 28], "nobody has asked for another order"
    tree.sort(Column.NAME, DOWN)
    assert [index.row() for index in kept] == [-1, 7, 1], "further down than anybody looks"
    assert tree.rowCount() <= 11
    assert not tree.index_known(files.entries[1]["digest"]).isValid()
    assert tree.index_of(files.entries[1]["digest"]).row() == 28


# ----------------------------------------------------------------------------------------------------- no surprises


def test_no_cell_fails_whatever_is_in_the_store(tree: ImageTree, sample: Path) -> None:
    snapshot, states, worst = picture(sample)
    tree.set_snapshot(snapshot, states, worst)
    count = sum(1 for _ in everything(tree))
    assert count > 1000
    states[:] = np.arange(len(states)) % len(State)
    tree.set_states(states, snapshot.worst(states), None)
    for index, _, value in everything(tree):
        assert not isinstance(value, Exception)
        tree.term_at(index)
    tree.set_snapshot(None, states, worst)
    assert tree.rowCount() == 0
    assert tree.index(0, 0).data() is None


def test_names_from_the_store_cannot_break_the_rows(files: LayoutFiles, show: Show) -> None:
    files.name(files.image(b"layer", config={"architecture": "a\nb"}), "evil\x1b[31m\u202e\nname")
    tree = show()
    for _, _, value in everything(tree):
        assert not set(str(value)) & {"\x1b", "\u202e"}
    assert "\n" not in tree.index(0, 0).data()


def test_the_filter_of_a_cell_finds_its_row(tree: ImageTree, sample: Path) -> None:
    tree.set_snapshot(*picture(sample))
    for row in range(tree.rowCount()):
        for number in Column:
            index = tree.index(row, number)
            name, term = index.siblingAtColumn(0).data(), tree.term_at(index)
            if term:
                tree.set_query(query(term))
                assert name in names(tree), (name, term)
                tree.set_query(query(""))
