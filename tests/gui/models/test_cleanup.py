"""What can be cleaned up: bins, ticks, sums and orders, also of very many blobs."""

import os
import time
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine import Progress, open_store
from engine.cleanup import Cleanup, plan_cleanup
from engine.leftovers import Leftover
from gui.jobs import JobRunner
from gui.models.cleanup import OFF, ON, SOME, Choice, propose
from gui.models.cleanup_tables import CHECK, BinList, Column, ThingTable
from tests.gui.models._pictures import SPOKEN
from tests.layouts import LayoutFiles, sha256

DEAD = Leftover(".blobscope-00", "Blobscope", 1000, True, "Its writer has ended.")
ALIVE = Leftover(".umoci-1", "umoci", 500, False, "A running program is using it.")


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A named image, three unused blobs, and two lost images that share a layer."""
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(b"named"), "app")
    for size in (10, 3000, 200):
        files.blob(b"u" * size)
    shared = files.blob(b"shared" * 100)
    for number in range(2):
        files.image(b"own %d" % number, shared, config={"config": {"Cmd": [f"/bin/run{number}"]}})
    return files


def look(files: LayoutFiles, *, later: float = 7200) -> Cleanup:
    with open_store(files.path) as store:
        return plan_cleanup(store.scan(Progress()), time.time() + later)


class Tables:
    """A choice, shown by both its models."""

    def __init__(self, runner: JobRunner, cleanup: Cleanup, *leftovers: Leftover) -> None:
        self.choice = Choice(propose(cleanup, leftovers), runner)
        self.bins, self.things = BinList(self.choice, runner), ThingTable(self.choice, runner)
        for model in (self.bins, self.things):
            tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
            QObject.setParent(tester, model)

    def bin_of(self, title: str) -> QModelIndex:
        return next(row for n in range(self.bins.rowCount()) if title in (row := self.bins.index(n, 0)).data())

    def show(self, title: str) -> list[QModelIndex]:
        self.things.show_bin(self.bin_of(title).row())
        return [self.things.index(row, 0) for row in range(self.things.rowCount())]

    def sizes(self) -> list[int]:
        rows = (self.things.index(row, 0) for row in range(self.things.rowCount()))
        return [getattr(self.things.thing_at(row), "size", 0) for row in rows]


@pytest.fixture
def tables(qtbot: QtBot, runner: JobRunner, files: LayoutFiles) -> Tables:
    return Tables(runner, look(files), DEAD, ALIVE)


def test_there_are_three_bins_and_only_what_is_unused_is_ticked(tables: Tables) -> None:
    rows = [[tables.bins.index(row, column).data() for column in range(4)] for row in range(tables.bins.rowCount())]
    assert [(row[0], row[2]) for row in rows] == [
        ("Unused blobs", "3"),
        ("Lost images", "2"),
        ("Recent files", ""),
        ("Leftovers of crashed programs", "2"),
    ]
    assert rows[2][1] == "There are none"
    assert rows[3][1] == "1 can go, at once; the others may be in use"
    assert [tables.bins.index(row, 0).data(CHECK) for row in range(4)] == [ON, OFF, None, ON]
    assert tables.choice.sum()[:2] == (3, 3210)


def test_a_lost_image_says_what_its_config_says(tables: Tables) -> None:
    about = [row.siblingAtColumn(Column.ABOUT).data() for row in tables.show("Lost")]
    assert sorted(about) == ["image · linux/amd64 · /bin/run0", "image · linux/amd64 · /bin/run1"]


def test_ticking_a_bin_ticks_all_of_it_and_one_of_it_makes_it_partly_ticked(tables: Tables) -> None:
    unused, rows = tables.bin_of("Unused"), tables.show("Unused")
    tables.things.setData(rows[0], OFF)
    assert unused.data(CHECK) is SOME
    tables.bins.setData(unused, OFF)
    assert [row.data(CHECK) for row in rows] == [OFF] * 3
    assert tables.choice.sum()[:2] == (0, 0)
    tables.things.tick([(0, 1)], on=True)
    assert tables.choice.sum().blobs == 2


def test_what_lost_images_share_goes_with_the_last_of_them(tables: Tables) -> None:
    lost = tables.show("Lost")
    tables.bins.setData(tables.bin_of("Unused"), OFF)
    tables.things.setData(lost[0], ON)
    one, plan_of_one = tables.choice.sum(), tables.choice.taken().plan()
    tables.bins.setData(tables.bin_of("Lost"), ON)
    both, plan_of_both = tables.choice.sum(), tables.choice.taken().plan()
    assert (one.blobs, both.blobs) == (3, 7)
    assert plan_of_one is not None
    assert plan_of_both is not None
    assert (len(plan_of_one.blobs), plan_of_one.freed) == one[:2], "what is told is what happens"
    assert (len(plan_of_both.blobs), plan_of_both.freed) == both[:2]


def test_what_may_be_alive_cannot_be_ticked(tables: Tables) -> None:
    dead, alive = sorted(tables.show("Leftovers"), key=lambda row: str(row.data()))
    assert (dead.data(CHECK), alive.data(CHECK)) == (ON, None)
    assert not alive.flags() & Qt.ItemFlag.ItemIsUserCheckable
    tables.things.setData(alive, ON)
    assert tables.choice.sum()[2:] == (1, 1000)
    tables.things.setData(dead, OFF)
    assert tables.choice.sum()[2:] == (0, 0)
    assert not tables.choice.taken().leftovers


def test_with_an_empty_index_nothing_is_ticked(qtbot: QtBot, runner: JobRunner, files: LayoutFiles) -> None:
    files.entries.clear()
    files.write_index()
    assert Tables(runner, look(files)).bin_of("Unused").data(CHECK) is OFF


def test_recent_files_are_not_ticked(qtbot: QtBot, runner: JobRunner, files: LayoutFiles) -> None:
    tables = Tables(runner, look(files, later=0))
    assert tables.bin_of("Recent").data(CHECK) is OFF
    assert tables.choice.sum()[:2] == (0, 0)
    assert tables.choice.taken().plan() is None


@pytest.mark.parametrize(
    ("column", "descending", "order"),
    [(Column.SIZE, False, [10, 200, 3000]), (Column.AGE, True, [200, 3000, 10]), (Column.ABOUT, False, None)],
)
def test_blobs_are_sorted_and_keep_their_ticks(
    qtbot: QtBot, runner: JobRunner, files: LayoutFiles, column: Column, descending: bool, order: list[int] | None
) -> None:
    for age, size in ((3, 200), (2, 3000), (1, 10)):
        os.utime(files.file(sha256(b"u" * size)), (time.time() - age * 86400,) * 2)
    tables = Tables(runner, look(files))
    first = QPersistentModelIndex(tables.show("Unused")[0])
    assert tables.sizes() == [3000, 200, 10], "the largest first"
    thing = tables.things.thing_at(first)
    tables.things.tick([(0, 0)], on=False)
    tables.things.sort(column, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
    assert tables.sizes() == (order or tables.sizes())
    assert tables.things.thing_at(first) == thing
    assert first.data(CHECK) is OFF
    assert tables.choice.sum().blobs == 2


def test_a_screen_reader_is_told_the_whole_row(tables: Tables) -> None:
    said = tables.bin_of("Unused").data(SPOKEN)
    assert said == "Unused blobs, Nothing that is named leads to them, 3, 3.2 kB, ticked"
    said = tables.show("Unused")[0].data(SPOKEN)
    assert said.startswith("sha256:")
    assert said.endswith(", ticked")


def test_a_hundred_thousand_blobs_are_ticked_sorted_and_summed_up(
    qtbot: QtBot, runner: JobRunner, files: LayoutFiles
) -> None:
    cleanup = look(files)
    many = msgspec.structs.replace(cleanup, unused=cleanup.unused * 30_000)
    choice = Choice(propose(many, []), runner)
    table = ThingTable(choice, runner)
    assert table.rowCount() == 90_000
    table.sort(Column.SIZE, Qt.SortOrder.AscendingOrder)
    assert [table.index(row, Column.SIZE).data() for row in (0, 89_999)] == ["10 bytes", "3.0 kB"]
    assert choice.sum()[:2] == (90_000, 3210 * 30_000)
    table.tick([(0, 29_999)], on=False)
    assert choice.sum()[:2] == (60_000, 3200 * 30_000)
