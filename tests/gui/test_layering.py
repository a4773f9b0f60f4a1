"""Reading the layers of an image: beside the window, one image at a time, and what cannot be read keeps nobody from the rest."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.filesystem import Change
from engine.snapshot import State
from engine.stack import ReadImage
from gui import layering
from gui.session import Session
from tests.archives import END, file, layer
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]


def read(qtbot: QtBot, session: Session, digest: str) -> ReadImage:
    session.layers.look_at(digest)
    qtbot.waitUntil(lambda: session.layers.image is not None)
    assert session.layers.image is not None
    assert session.layers.job is None
    return session.layers.image


def test_each_layer_says_what_it_adds_and_wastes(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    lower = file(b"a", bytes(100)) + file(b"b", bytes(50)) + file(b"c", bytes(7)) + END
    upper = file(b"a", bytes(30)) + file(b".wh.b") + file(b"d", bytes(2)) + END
    image = files.name(files.image(lower, upper), "app:1")
    first, second = read(qtbot, open_session(files.path), image["digest"]).layers
    assert (first.kept, first.wasted) == (7, 150)
    assert (first.added, first.changed, first.removed) == (3, 0, 0)
    assert (second.kept, second.wasted) == (32, 0)
    assert (second.added, second.changed, second.removed) == (1, 1, 1)
    assert first.entries == 3
    assert first.table is not None
    assert first.table.unpacked == len(lower)


def test_a_layer_that_is_missing_leaves_the_others_to_be_seen(
    qtbot: QtBot, files: LayoutFiles, open_session: Open
) -> None:
    gone = files.blob(layer("gone"))
    image = files.name(files.image(layer("a"), gone, layer("b")), "app:1")
    files.file(gone).unlink()
    found = read(qtbot, open_session(files.path), image["digest"])
    assert [each.error is None for each in found.layers] == [True, False, True]
    assert found.files.tree.find(b"a") > 0
    assert found.files.view(2).changes[found.files.tree.find(b"b")] == Change.ADDED


def test_a_corrupt_layer_is_corrupt_wherever_it_is_shown(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    bad = files.blob(file(b"x", b"content") + END)
    image = files.name(files.image(layer("a"), bad), "app:1")
    content = bytearray(files.file(bad).read_bytes())
    content[512] ^= 1
    files.file(bad).write_bytes(content)
    session = open_session(files.path)
    found = read(qtbot, session, image["digest"])
    assert "corrupt" in found.layers[1].trouble
    assert session.snapshot is not None
    assert session.state(session.snapshot.find(bad["digest"])) is State.CORRUPT


def test_what_was_read_is_not_read_again_until_its_files_are_others(
    qtbot: QtBot, files: LayoutFiles, open_session: Open
) -> None:
    gone = files.blob(layer("x"))
    content = files.file(gone).read_bytes()
    files.file(gone).unlink()
    image = files.name(files.image(gone), "app:1")
    session = open_session(files.path)
    before = read(qtbot, session, image["digest"])
    session.layers.look_at(image["digest"])
    assert session.layers.image is before
    files.file(gone).write_bytes(content)
    with qtbot.waitSignal(session.snapshotChanged):
        session.rescan()
    after = read(qtbot, session, image["digest"])
    assert after is not before
    assert after.layers[0].error is None


def test_only_the_image_that_was_asked_for_last_counts(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    one = files.name(files.image(layer("one")), "one")
    two = files.name(files.image(layer("two")), "two")
    session = open_session(files.path)
    session.layers.look_at(one["digest"])
    first = session.layers.job
    session.layers.look_at(two["digest"])
    assert first is not None
    assert first.progress.cancelled
    qtbot.waitUntil(lambda: session.layers.image is not None and not first.active)
    assert session.layers.digest == two["digest"]
    assert session.layers.image is not None
    assert session.layers.image.files.tree.find(b"two") > 0


def test_it_can_be_stopped_and_begun_again(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    image = files.name(files.image(layer("a")), "app:1")
    session = open_session(files.path)
    session.layers.look_at(image["digest"])
    session.layers.stop()
    qtbot.waitUntil(lambda: session.layers.stopped)
    session.layers.look_at(image["digest"])
    assert session.layers.job is None, "what somebody has stopped does not begin by itself"
    session.layers.read()
    qtbot.waitUntil(lambda: session.layers.image is not None)
    assert not session.layers.stopped


def test_what_nobody_looks_at_any_more_is_not_read_on(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    image = files.name(files.image(layer("a")), "app:1")
    session = open_session(files.path)
    session.layers.look_at(image["digest"])
    job = session.layers.job
    assert job is not None
    session.layers.leave(image["digest"])
    assert job.progress.cancelled
    read(qtbot, session, image["digest"])
    session.layers.leave(image["digest"])
    assert session.layers.image is not None, "what is known already stays so"


def test_closing_the_store_ends_the_reading(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    image = files.name(files.image(layer("a")), "app:1")
    session = open_session(files.path)
    session.layers.look_at(image["digest"])
    job = session.layers.job
    assert job is not None
    session.close()
    qtbot.waitUntil(lambda: not job.active)
    assert session.layers.image is None


def test_an_image_of_senselessly_many_layers_is_not_read(
    files: LayoutFiles, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layering, "MOST_LAYERS", 3)
    one = files.blob(layer("a"))
    image = files.name(files.image(*[one] * 4), "app:1")
    session = open_session(files.path)
    session.layers.look_at(image["digest"])
    assert session.layers.job is None
    assert session.layers.image is None


def test_a_layer_can_be_looked_into_by_itself_and_so_can_what_looks_like_one(
    qtbot: QtBot, files: LayoutFiles, open_session: Open
) -> None:
    lower, unknown = files.blob(layer("a")), files.blob(layer("b"))
    files.name(files.image(lower, layer("c")), "app:1")
    session = open_session(files.path)
    for blob, name in ((lower, b"a"), (unknown, b"b")):
        found = read(qtbot, session, blob["digest"])
        assert len(found.layers) == 1
        assert found.files.tree.find(name) > 0
        assert found.files.tree.find(b"c") < 0


def test_a_blob_counts_as_a_layer_by_what_refers_to_it_or_by_its_first_bytes(
    files: LayoutFiles, open_session: Open
) -> None:
    used, archive, note = files.blob(layer("a")), files.blob(layer("b")), files.blob(b"just a note")
    chart = files.blob(layer("c"), "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    image = files.name(files.image(used), "app:1")
    files.name(files.image(chart, artifactType="application/vnd.cncf.helm.config.v1+json"), "chart:1")
    snapshot = open_session(files.path).snapshot
    assert snapshot is not None
    found = [layering.is_layer(snapshot, snapshot.find(each["digest"])) for each in (used, archive, chart, note, image)]
    assert found == [True, True, True, False, False]
