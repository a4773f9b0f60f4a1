"""The tree of the trash: records with their blobs, and still where they were when another comes."""

import time

import pytest
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine.snapshot import Kind
from engine.trash import Record, TrashedBlob
from gui.jobs import JobRunner
from gui.models.trash_tree import Column, TrashTree
from tests.gui.models._pictures import SPOKEN, TOOLTIP

LAYER = TrashedBlob("sha256:" + "a" * 64, 1_500_000, Kind.LAYER)
CONFIG = TrashedBlob("sha256:" + "b" * 64, 700, Kind.CONFIG)


def record(number: int, title: str = "Delete app:1.0", kind: str = "removal", *, complete: bool = True) -> Record:
    blobs = (LAYER, CONFIG)
    size = sum(blob.size for blob in blobs)
    return Record(str(number), kind, title, time.time() - 200, ("app:1.0",), blobs, size, complete)


@pytest.fixture
def tree(qtbot: QtBot, runner: JobRunner) -> TrashTree:
    model = TrashTree(runner)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    QObject.setParent(tester, model)
    return model


def texts(model: TrashTree, index: QModelIndex) -> list[str]:
    return [index.siblingAtColumn(column).data() for column in Column]


def test_a_record_says_what_when_how_many_and_how_much(tree: TrashTree) -> None:
    tree.set_records([record(1)])
    first = tree.index(0, 0)
    assert texts(tree, first) == ["Delete app:1.0", "3 min ago", "2", "1.5 MB"]
    assert first.data(SPOKEN) == "Delete app:1.0, 3 min ago, 2 blobs, 1.5 MB"
    assert "1,500,700 bytes" in first.siblingAtColumn(Column.SIZE).data(TOOLTIP)


def test_below_it_stand_the_blobs_that_it_holds(tree: TrashTree) -> None:
    tree.set_records([record(1)])
    first = tree.index(0, 0)
    assert tree.rowCount(first) == 2
    assert texts(tree, tree.index(0, 0, first)) == ["sha256:aaaa…aaaa", "layer", "", "1.5 MB"]
    assert tree.index(1, 0, first).data(SPOKEN) == "config sha256:bbbb…bbbb, 700 bytes"
    assert tree.record_at(tree.index(1, 0, first)) is tree.record_at(first)
    assert tree.blob_at(tree.index(1, 0, first)) == CONFIG


def test_what_was_kept_aside_and_what_was_not_finished_is_marked(tree: TrashTree) -> None:
    tree.set_records([record(2, "Keep sha256:aaaa…aaaa aside", "aside"), record(1, complete=False)])
    assert tree.index(0, 0).data().endswith("(kept aside)")
    assert "stays when the trash is emptied" in tree.index(0, 0).data(TOOLTIP)
    assert tree.index(1, 0).data().endswith("(not finished)")


def test_what_is_selected_stays_so_when_another_record_comes_or_goes(tree: TrashTree) -> None:
    one, two, three = record(1), record(2), record(3)
    tree.set_records([two, one])
    first = QPersistentModelIndex(tree.index(1, 0))
    blob = QPersistentModelIndex(tree.index(1, 0, tree.index(1, 0)))
    gone = QPersistentModelIndex(tree.index(0, 0, tree.index(0, 0)))
    tree.set_records([three, one])
    assert first.row() == 1
    assert tree.record_at(first) == one
    assert tree.record_at(blob) == one
    assert blob.parent().row() == 1
    assert not gone.isValid()
    tree.set_records([])
    assert not first.isValid()
    assert tree.rowCount() == 0


def test_names_from_a_store_are_only_text(tree: TrashTree) -> None:
    tree.set_records([record(1, "Delete <b>x</b>\u202e")])
    assert tree.index(0, 0).data() == "Delete <b>x</b>⟨U+202E⟩"
    assert "&lt;b&gt;" in tree.index(0, 0).data(TOOLTIP)


def test_of_a_record_with_very_many_blobs_the_first_are_listed(tree: TrashTree) -> None:
    many = Record("1", "removal", "Remove 5000 blobs", time.time(), (), (LAYER,) * 5000, 5, complete=True)
    tree.set_records([many])
    assert texts(tree, tree.index(0, 0))[2] == "5,000"
    assert tree.rowCount(tree.index(0, 0)) == 1000
