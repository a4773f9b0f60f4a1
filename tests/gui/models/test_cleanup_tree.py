"""The tree of what can be cleaned up: bins, ticks, sums and orders, also of very many blobs."""

import os
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine import Progress, open_store
from engine.cleanup import Cleanup, plan_cleanup
from engine.leftovers import Leftover
from gui.jobs import JobRunner
from gui.models.cleanup_tree import CHECK, CleanupTree, Column, propose
from tests.gui.models._pictures import SPOKEN
from tests.layouts import LayoutFiles, sha256

ON, OFF, SOME = Qt.CheckState.Checked, Qt.CheckState.Unchecked, Qt.CheckState.PartiallyChecked
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


def tree_of(runner: JobRunner, cleanup: Cleanup, *leftovers: Leftover) -> CleanupTree:
    model = CleanupTree(propose(cleanup, leftovers), runner)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    QObject.setParent(tester, model)
    return model


@pytest.fixture
def tree(qtbot: QtBot, runner: JobRunner, files: LayoutFiles) -> CleanupTree:
    return tree_of(runner, look(files), DEAD, ALIVE)


def names(model: CleanupTree, parent: QModelIndex | None = None) -> list[str]:
    top = parent or QModelIndex()
    return [model.index(row, 0, top).data() for row in range(model.rowCount(top))]


def bin_of(model: CleanupTree, title: str) -> QModelIndex:
    return next(index for row in range(model.rowCount()) if title in (index := model.index(row, 0)).data())


def test_there_are_three_bins_and_only_what_is_unused_is_ticked(tree: CleanupTree) -> None:
    assert names(tree) == ["Unused blobs 3", "Lost images 2", "Recent files 0", "Leftovers of crashed programs 2"]
    assert [tree.index(row, 0).data(CHECK) for row in range(4)] == [ON, OFF, None, ON]
    assert tree.sum()[:2] == (3, 3210)


def test_a_lost_image_says_what_its_config_says(tree: CleanupTree) -> None:
    lost = bin_of(tree, "Lost")
    about = [tree.index(row, Column.ABOUT, lost).data() for row in range(2)]
    assert sorted(about) == ["image · linux/amd64 · /bin/run0", "image · linux/amd64 · /bin/run1"]


def test_ticking_a_bin_ticks_all_of_it_and_one_of_it_makes_it_partly_ticked(tree: CleanupTree) -> None:
    unused = bin_of(tree, "Unused")
    tree.setData(tree.index(0, 0, unused), OFF)
    assert unused.data(CHECK) is SOME
    tree.setData(unused, OFF)
    assert [tree.index(row, 0, unused).data(CHECK) for row in range(3)] == [OFF] * 3
    assert tree.sum()[:2] == (0, 0)
    tree.setData(unused, ON)
    assert tree.sum().blobs == 3


def test_what_lost_images_share_goes_with_the_last_of_them(tree: CleanupTree, files: LayoutFiles) -> None:
    lost = bin_of(tree, "Lost")
    tree.setData(bin_of(tree, "Unused"), OFF)
    tree.setData(tree.index(0, 0, lost), ON)
    one = tree.sum()
    tree.setData(lost, ON)
    both = tree.sum()
    assert one.blobs == 3
    assert both.blobs == 7
    cleanup = tree.proposal.cleanup
    _, chosen, _ = tree.chosen()
    plan = cleanup.plan([], [image.digest for image in chosen])
    assert (len(plan.blobs), plan.freed) == (both.blobs, both.freed), "what is told is what happens"


def test_what_may_be_alive_cannot_be_ticked(tree: CleanupTree) -> None:
    leftovers = bin_of(tree, "Leftovers")
    dead, alive = (tree.index(row, 0, leftovers) for row in range(2))
    assert (dead.data(CHECK), alive.data(CHECK)) == (ON, None)
    assert not alive.flags() & Qt.ItemFlag.ItemIsUserCheckable
    tree.setData(alive, ON)
    assert tree.sum()[2:] == (1, 1000)
    tree.setData(dead, OFF)
    assert tree.sum()[2:] == (0, 0)
    assert tree.chosen()[2] is False


def test_with_an_empty_index_nothing_is_ticked(qtbot: QtBot, runner: JobRunner, files: LayoutFiles) -> None:
    files.entries.clear()
    files.write_index()
    tree = tree_of(runner, look(files))
    assert bin_of(tree, "Unused").data(CHECK) is OFF


def test_recent_files_are_not_ticked(qtbot: QtBot, runner: JobRunner, files: LayoutFiles) -> None:
    tree = tree_of(runner, look(files, later=0))
    assert bin_of(tree, "Recent").data(CHECK) is OFF
    assert tree.sum()[:2] == (0, 0)


@pytest.mark.parametrize(("column", "order"), [(Column.SIZE, [10, 200, 3000]), (Column.AGE, [200, 3000, 10])])
def test_blobs_are_sorted_within_their_bin_and_keep_their_ticks(
    qtbot: QtBot, runner: JobRunner, files: LayoutFiles, column: Column, order: list[int]
) -> None:
    for age, size in ((3, 200), (2, 3000), (1, 10)):
        os.utime(files.file(sha256(b"u" * size)), (time.time() - age * 86400,) * 2)
    tree = tree_of(runner, look(files))
    unused = bin_of(tree, "Unused")
    first = QPersistentModelIndex(tree.index(0, 0, unused))
    thing = tree.thing_at(first)
    tree.setData(tree.index(0, 0, unused), OFF)
    descending = column == Column.AGE
    tree.sort(column, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
    unused = bin_of(tree, "Unused")
    sizes = [getattr(tree.thing_at(tree.index(row, 0, unused)), "size", 0) for row in range(3)]
    assert sizes == order
    assert tree.thing_at(first) == thing
    assert first.data(CHECK) is OFF
    assert tree.sum().blobs == 2


def test_a_screen_reader_is_told_the_whole_row(tree: CleanupTree) -> None:
    unused = bin_of(tree, "Unused")
    assert unused.data(SPOKEN) == "Unused blobs 3, Nothing that is named leads to them, 3.2 kB, ticked"
    said = tree.index(0, 0, unused).data(SPOKEN)
    assert said.startswith("sha256:")
    assert said.endswith("ticked")


def test_a_hundred_thousand_blobs_are_ticked_and_summed_up_as_arrays(
    qtbot: QtBot, runner: JobRunner, files: LayoutFiles
) -> None:
    cleanup = look(files)
    many = msgspec.structs.replace(cleanup, unused=cleanup.unused * 30_000)
    model = CleanupTree(propose(many, []), runner)
    unused = bin_of(model, "Unused")
    assert model.rowCount(unused) == 90_000
    model.sort(Column.SIZE, Qt.SortOrder.DescendingOrder)
    sizes = np.array(
        [getattr(model.thing_at(model.index(row, 0, unused)), "size", 0) for row in range(0, 90_000, 9000)]
    )
    assert np.all(np.diff(sizes) <= 0)
    assert model.sum()[:2] == (90_000, 3210 * 30_000)
