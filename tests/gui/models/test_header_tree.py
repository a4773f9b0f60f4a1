"""What the tree of headers promises: parts and fields as the engine finds them, as many as were asked for."""

import io
import tarfile

import pytest
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from engine.headers import HeaderWalk, Part
from engine.progress import Progress
from gui.models import header_tree
from gui.models.header_tree import Column, HeaderTree

Role = Qt.ItemDataRole


def archive(count: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for number in range(count):
            entry = tarfile.TarInfo(f"file{number}")
            entry.size = 700
            made.addfile(entry, io.BytesIO(bytes(700)))
    return stream.getvalue()


def parts_of(content: bytes) -> list[Part]:
    walk = HeaderWalk(lambda offset, length, _progress: content[offset : offset + length], len(content))
    return walk.more(Progress(), count=1 << 30)


@pytest.fixture
def parent(qapp: QApplication) -> QObject:
    return QObject(qapp)


@pytest.fixture
def tree(parent: QObject) -> HeaderTree:
    tree = HeaderTree(parent)
    QAbstractItemModelTester(tree, QAbstractItemModelTester.FailureReportingMode.Fatal, parent)
    tree.add(parts_of(archive(3)))
    return tree


def row(tree: HeaderTree, number: int, parent: QModelIndex | None = None) -> list[str]:
    return [tree.index(number, column, parent or QModelIndex()).data() for column in Column]


def test_parts_and_fields_are_told(tree: HeaderTree) -> None:
    assert row(tree, 1) == ["File", "file1", "0x600"]
    assert row(tree, 3) == ["End of the archive", "1.0 kB", "0x1200"]
    part = tree.index(1, 0)
    assert row(tree, 0, part) == ["Name", "file1", "0x600"]
    assert row(tree, 4, part) == ["Size", "700 bytes", "0x67c"]
    assert tree.rowCount(part) == len(tree.fields_of(1))
    assert tree.rowCount(tree.index(0, 0, part)) == 0
    assert tree.index(0, 0, part).parent() == part


def test_what_a_field_means_is_in_its_tooltip_and_told_to_screen_readers(tree: HeaderTree) -> None:
    field = tree.index(1, 0, tree.index(1, 0))
    assert field.data(Role.ToolTipRole) == (
        "Mode: 0644 (rw-r--r--)\nWho may read, write and run it.\n0x664 to 0x66b: 8 bytes"
    )
    assert field.data(Role.AccessibleTextRole) == "Mode, 0644 (rw-r--r--), at 0x664"
    assert tree.index(1, 0).data(Role.AccessibleTextRole) == "File file1, at 0x600"
    assert tree.index(1, 0).data(Role.ToolTipRole) == "File file1\n0x600 to 0xbff: 1,536 bytes"


def test_each_byte_leads_to_its_field_and_back(tree: HeaderTree) -> None:
    for offset, expected in (
        (0, "Name"),
        (99, "Name"),
        (100, "Mode"),
        (512, "Content"),
        (1211, "Content"),
        (1212, "Padding"),
    ):
        row_number, below = tree.field_with(offset)
        index = tree.index_of(row_number, below)
        assert index.data() == expected
        start, end = tree.place_of(index)
        assert start <= offset < end
    assert tree.field_with(1 << 40) == (-1, -1)
    assert tree.field_with(-1) == (-1, -1)
    assert tree.place_of(QModelIndex()) is None
    assert list(tree.rows_between(0x5FF, 0x601)) == [0, 1]
    assert list(tree.rows_between(0x600, 0x601)) == [1]
    assert list(tree.rows_between(1 << 40, 1 << 41)) == []


def test_rows_that_are_held_stay_when_more_come(parent: QObject) -> None:
    tree = HeaderTree(parent)
    tester = QAbstractItemModelTester(tree, QAbstractItemModelTester.FailureReportingMode.Fatal, parent)
    parts = parts_of(archive(10))
    tree.add(parts[:4])
    kept = QPersistentModelIndex(tree.index_of(2, 1))
    tree.add(parts[4:])
    tree.add([])
    assert kept.data() == "Mode"
    assert tree.covered == parts[-1].end
    tree.clear()
    assert not kept.isValid()
    assert (tree.rowCount(), tree.covered) == (0, 0)
    assert tester.model() is tree


def test_fields_are_kept_of_some_parts_only(parent: QObject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_tree, "_MOST_KEPT", 5)
    tree = HeaderTree(parent)
    tree.add(parts_of(archive(30)))
    for number in range(30):
        assert tree.fields_of(number)[0].value == f"file{number}"
    assert len(tree._fields) == 5
