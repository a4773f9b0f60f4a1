"""The table of blobs: what it shows, in which order, and what stays when the store changes."""

import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.qtbot import QtBot

from engine.snapshot import Outcome, State
from gui.models import arranging, blob_table
from gui.models.blob_cells import Column
from gui.models.blob_table import BlobTable
from gui.models.conditions import Query
from gui.models.filtering import parse
from tests.gui.models._pictures import SPOKEN, TOOLTIP, Picture, column, everything, names, picture
from tests.layouts import LayoutFiles

DOWN = Qt.SortOrder.DescendingOrder


def query(text: str) -> Query:
    found = parse(text)
    assert isinstance(found, Query)
    return found


@pytest.fixture
def shelf(files: LayoutFiles) -> LayoutFiles:
    """One image with a layer that is missing, a blob that nobody uses, and a stray file."""
    files.name(files.image(b"layer", b"gone" * 500), "app:1")
    files.file(files.blob(b"gone" * 500)).unlink()
    files.blob(b"unused", "text/plain")
    (files.path / "blobs" / "sha256" / "left-over").write_bytes(b"?")
    return files


@pytest.fixture(params=["at once", "on a worker"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small tables are arranged between two repaints, large ones on a worker."""
    if request.param == "on a worker":
        monkeypatch.setattr(arranging, "AT_ONCE", -1)
    return str(request.param)


def show(qtbot: QtBot, table: BlobTable, shown: Picture) -> None:
    table.set_snapshot(*shown)
    settle(qtbot, table)


def settle(qtbot: QtBot, table: BlobTable) -> None:
    qtbot.waitUntil(lambda: not table.busy)


def test_there_is_a_row_for_each_blob_each_missing_digest_and_each_stray_file(
    table: BlobTable, shelf: LayoutFiles
) -> None:
    snapshot, states, worst = picture(shelf.path)
    table.set_snapshot(snapshot, states, worst)
    assert table.rowCount() == table.shown == table.total == len(snapshot) == 6
    assert sorted(column(table, Column.STATE)) == [
        "Missing", "Not checked", "Stray file", "Unused", "Verified", "Verified",
    ]  # fmt: skip
    assert "sha256/left-over" in names(table)


def test_a_row_says_everything_about_its_blob(table: BlobTable, shelf: LayoutFiles) -> None:
    layer = shelf.blob(b"layer")
    os.utime(shelf.file(layer), (1_700_000_000, 1_700_000_000))
    table.set_snapshot(*picture(shelf.path))
    row = table.place_of(layer["digest"])
    cells = [table.index(row, number).data() for number in range(table.columnCount())]
    digest = f"{layer['digest'][:11]}…{layer['digest'][-4:]}"
    assert cells[:5] == [digest, "layer", "layer", "5 bytes", "1"]
    assert "2023" in cells[Column.MODIFIED]
    assert cells[Column.STATE] == "Not checked"
    assert table.index(row, Column.DIGEST).data(TOOLTIP) == layer["digest"]
    assert table.index(row, Column.MEDIA_TYPE).data(TOOLTIP) == layer["mediaType"]
    assert table.index(row, Column.DIGEST).data(SPOKEN) == f"layer {digest}, 5 bytes, used by 1, not checked"
    assert table.index(row, Column.SIZE).data(SPOKEN) == "Size: 5 bytes"


def test_what_is_missing_has_no_size_and_no_date(table: BlobTable, shelf: LayoutFiles) -> None:
    table.set_snapshot(*picture(shelf.path))
    row = column(table, Column.STATE).index("Missing")
    assert table.index(row, Column.SIZE).data() == table.index(row, Column.MODIFIED).data() == ""
    assert table.index(row, Column.SIZE).data(TOOLTIP) == "unknown size"


@pytest.mark.parametrize("number", list(Column))
def test_every_column_sorts_both_ways_and_equal_rows_stay_by_digest(
    qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, how: str, number: Column
) -> None:
    snapshot, states, worst = picture(shelf.path)
    keys = {
        Column.DIGEST: [snapshot.name(row) for row in range(len(snapshot))],
        Column.KIND: [snapshot.kind(row).name.lower().replace("stray", "stray file") for row in range(len(snapshot))],
        Column.MEDIA_TYPE: [],
        Column.SIZE: snapshot.columns.sizes.tolist(),
        Column.USED_BY: snapshot.columns.used_by.tolist(),
        Column.MODIFIED: snapshot.columns.mtimes.tolist(),
        Column.STATE: states.tolist(),
    }[number]
    show(qtbot, table, (snapshot, states, worst))
    for order in (Qt.SortOrder.AscendingOrder, DOWN):
        table.sort(number, order)
        settle(qtbot, table)
        rows = table.rows_at(range(table.rowCount())).tolist()
        if not keys:
            keys = ["", *sorted(set(column(table, number)) - {""})]
            keys = [keys.index(table.index(table.place_of(snapshot.name(row)), number).data()) for row in range(6)]
        wanted = sorted(range(len(snapshot)), key=lambda row: snapshot.name(row))
        wanted.sort(key=lambda row: keys[row], reverse=order is DOWN)
        if order is DOWN:  # reverse keeps equal ones as they were, and so must the table
            assert [keys[row] for row in rows] == [keys[row] for row in wanted]
        assert rows == wanted


def test_a_filter_leaves_its_rows_in_their_order(qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, how: str) -> None:
    show(qtbot, table, picture(shelf.path))
    table.sort(Column.SIZE, DOWN)
    table.set_query(query("-status:missing type:!stray-file"))
    settle(qtbot, table)
    sizes = [int(table.snapshot.columns.sizes[row]) for row in table.rows_at(range(table.rowCount()))]
    assert sizes == sorted(sizes, reverse=True)
    assert (table.shown, table.total) == (4, 6)
    table.set_query(query("no such thing"))
    settle(qtbot, table)
    assert (table.shown, table.total) == (0, 6)
    table.set_query(query(""))
    settle(qtbot, table)
    assert table.shown == 6


def test_a_newer_snapshot_keeps_what_is_selected_by_digest(
    qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, how: str
) -> None:
    show(qtbot, table, picture(shelf.path))
    table.sort(Column.SIZE, DOWN)
    settle(qtbot, table)
    kept = {name: QPersistentModelIndex(table.index(row, 2)) for row, name in enumerate(names(table))}
    unused = shelf.blob(b"unused")
    for number in range(20):
        shelf.blob(b"%d" % number)
    shelf.file(unused).unlink()
    show(qtbot, table, picture(shelf.path))
    gone = [name for name, index in kept.items() if not index.isValid()]
    assert gone == [f"{unused['digest'][:11]}…{unused['digest'][-4:]}"]
    for name, index in kept.items():
        if index.isValid():
            assert index.sibling(index.row(), 0).data() == name
            assert index.column() == 2


def test_what_a_filter_hides_is_no_longer_selected_and_the_rest_is(table: BlobTable, shelf: LayoutFiles) -> None:
    table.set_snapshot(*picture(shelf.path))
    kept = {name: QPersistentModelIndex(table.index(row, 0)) for row, name in enumerate(names(table))}
    table.set_query(query("type:layer"))
    assert sorted(name for name, index in kept.items() if index.isValid()) == sorted(names(table))


def test_only_the_last_of_several_wishes_counts(
    qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arranging, "AT_ONCE", -1)
    table.set_snapshot(*picture(shelf.path))
    arranged = []
    table.arranged.connect(lambda: arranged.append(table.shown))
    for text in ("type:layer", "type:config", "used:0 type:data,unknown", "status:missing"):
        table.set_query(query(text))
    settle(qtbot, table)
    assert arranged == [1]
    assert column(table, Column.STATE) == ["Missing"]


def test_a_failure_on_the_worker_is_told_and_leaves_the_rows_as_they_were(
    qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.set_snapshot(*picture(shelf.path))
    before = names(table)
    monkeypatch.setattr(arranging, "AT_ONCE", -1)
    monkeypatch.setattr(blob_table, "_sorted", lambda _wish: 1 // 0)
    with qtbot.captureExceptions() as caught:
        table.sort(Column.SIZE)
        settle(qtbot, table)
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]
    assert names(table) == before


def test_states_change_in_place(qtbot: QtBot, table: BlobTable, shelf: LayoutFiles) -> None:
    snapshot, states, worst = picture(shelf.path)
    table.set_snapshot(snapshot, states, worst)
    row = snapshot.find(shelf.blob(b"layer")["digest"])
    states[row] = State.CORRUPT
    with qtbot.waitSignal(table.dataChanged) as told:
        table.set_states(states, worst, np.array([row]))
    first, last, _ = told.args
    assert first.row() == last.row() == table.place_of(snapshot.name(row))
    assert table.index(first.row(), Column.STATE).data() == "Corrupt"


def test_rows_that_go_by_their_state_move_in_a_moment(
    qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, states, worst = picture(shelf.path)
    table._arranger._settling.setInterval(0)
    table.set_query(query("status:corrupt"))
    table.set_snapshot(snapshot, states, worst)
    assert table.shown == 0
    states[snapshot.find(shelf.blob(b"layer")["digest"])] = State.CORRUPT
    with qtbot.waitSignal(table.arranged):
        table.set_states(states, worst, None)
    assert table.shown == 1


def test_states_of_a_snapshot_that_is_still_on_its_way_wait_for_it(
    qtbot: QtBot, table: BlobTable, shelf: LayoutFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.set_snapshot(*picture(shelf.path))
    monkeypatch.setattr(arranging, "AT_ONCE", -1)
    shelf.blob(b"one more, which comes first in no order")
    snapshot, states, worst = picture(shelf.path)
    table.set_snapshot(snapshot, states, worst)
    states[:] = State.VERIFIED
    table.set_states(states, worst, np.arange(len(snapshot)))
    assert "Missing" in column(table, Column.STATE)
    settle(qtbot, table)
    assert set(column(table, Column.STATE)) == {"Verified"}


def test_typing_finds_a_digest(table: BlobTable, shelf: LayoutFiles) -> None:
    snapshot, states, worst = picture(shelf.path)
    table.set_snapshot(snapshot, states, worst)
    table.sort(Column.SIZE, DOWN)
    for row in range(len(snapshot)):
        name = snapshot.name(row)
        if name.startswith("sha256:"):
            assert table.find_typed(name[7:19], 0) == table.place_of(name)
            assert table.find_typed(name[:19].upper(), table.rowCount() + 5) == table.place_of(name)
    assert table.find_typed("zz", 0) == -1


def test_no_cell_fails_whatever_is_in_the_store(table: BlobTable, sample: Path) -> None:
    (sample / "blobs" / "sha256" / "bad\x1b[31m<b>name\udcff\u202e").write_bytes(b"")
    snapshot, states, worst = picture(sample)
    states[:] = np.arange(len(states)) % len(State)
    table.set_snapshot(snapshot, states, worst)
    for index, _, value in everything(table):
        assert "\x1b" not in str(value)
        assert table.term_at(index) is not None
    assert table.index(table.rowCount(), 0).data() is None
    table.set_snapshot(None, states, worst)
    assert table.rowCount() == 0
    assert table.index(0, 0).data() is None


def test_the_filter_of_a_cell_finds_its_row(table: BlobTable, sample: Path) -> None:
    snapshot, states, worst = picture(sample)
    states[0] = State(Outcome.CORRUPT)
    table.set_snapshot(snapshot, states, worst)
    for row in range(len(snapshot)):
        name = snapshot.name(row)
        for number in Column:
            term = table.term_at(table.index(table.place_of(name), number))
            if term:
                table.set_query(query(term))
                assert table.place_of(name) >= 0, (name, term)
                table.set_query(query(""))
