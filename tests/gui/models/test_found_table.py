"""What a search has found, as a table: it grows, says what became of each path, and can be put in order."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine.finding import Fate, Found, StoredImage
from engine.tarheader import DIRECTORY, REGULAR
from gui.jobs import JobRunner
from gui.models import arranging
from gui.models.found_table import Column, FoundTable, Place
from tests.gui.models._pictures import SPOKEN, TOOLTIP

IMAGES = (StoredImage("sha256:aa", ("l1", "l2", "l3")), StoredImage("sha256:bb", ("l1",)))
NAMES = {"sha256:aa": "zoo:1", "sha256:bb": "app:1 (linux/arm64)"}


@pytest.fixture
def table(qtbot: QtBot, runner: JobRunner) -> FoundTable:
    model = FoundTable(runner, NAMES.__getitem__, runner)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    QObject.setParent(tester, model)
    model.begin(IMAGES)
    return model


def found(image: int, *rows: tuple[bytes, int, Fate, int, int]) -> Found:
    """Results of an image: path, layer, what became of it, which layer did that, and size (-1 for a folder)."""
    paths, layers, fates, enders, sizes = zip(*rows, strict=True)
    kinds = [DIRECTORY if size < 0 else REGULAR for size in sizes]
    return Found(
        image=image,
        paths=list(paths),
        layers=np.array(layers, np.int32),
        fates=np.array(fates, np.uint8),
        enders=np.array(enders, np.int32),
        kinds=np.array(kinds, np.uint8),
        sizes=np.array(sizes, np.int64),
    )


FIRST = found(
    0,
    (b"usr/lib/b10.so", 0, Fate.OVERWRITTEN, 2, 3000),
    (b"usr/lib/b9.so", 1, Fate.REMOVED, 2, 10),
    (b"etc", 1, Fate.OVERWRITTEN, 1, -1),
)
SECOND = found(1, (b"usr/lib/b9.so", 0, Fate.PRESENT, -1, 20))


def texts(model: FoundTable, row: int) -> list[str]:
    return [model.index(row, column).data() for column in Column]


def paths(model: FoundTable) -> list[str]:
    return [model.index(row, Column.PATH).data() for row in range(model.rowCount())]


def test_a_row_says_path_state_image_layer_and_size(table: FoundTable) -> None:
    table.add([FIRST])
    table.add([SECOND])
    assert texts(table, 0) == ["/usr/lib/b10.so", "~ Overwritten in layer 3", "zoo:1", "1", "3.0 kB"]
    assert texts(table, 1) == ["/usr/lib/b9.so", "− Removed in layer 3", "zoo:1", "2", "10 bytes"]
    assert texts(table, 2) == ["/etc", "~ Overwritten in the same layer", "zoo:1", "2", ""]
    assert texts(table, 3) == ["/usr/lib/b9.so", "• Present", "app:1 (linux/arm64)", "1", "20 bytes"]
    assert table.index(3, 0).data(SPOKEN) == "/usr/lib/b9.so, Present, app:1 (linux/arm64), layer 1, 20 bytes"
    assert "Layer 2 of 3\nl2" in table.index(1, Column.LAYER).data(TOOLTIP)
    assert "sha256:aa" in table.index(1, Column.IMAGE).data(TOOLTIP)


def test_a_row_leads_to_image_layer_and_path(table: FoundTable) -> None:
    table.add([FIRST, SECOND])
    assert table.place_at(table.index(1, Column.SIZE)) == Place("sha256:aa", 1, b"usr/lib/b9.so")
    assert table.place_at(table.index(9, 0)) is None
    assert table.path_at(table.index(3, 0)) == "/usr/lib/b9.so"


def test_control_characters_and_foreign_bytes_are_made_fit_to_show(table: FoundTable) -> None:
    table.add([found(1, ("a\u202eb\n".encode() + b"\xff", 0, Fate.PRESENT, -1, 0))])
    assert paths(table) == ["/a⟨U+202E⟩b␊⟨byte FF⟩"]


@pytest.mark.parametrize(
    ("column", "order"),
    [
        (Column.PATH, ["/etc", "/usr/lib/b9.so", "/usr/lib/b9.so", "/usr/lib/b10.so"]),
        (Column.STATE, ["/usr/lib/b9.so", "/etc", "/usr/lib/b10.so", "/usr/lib/b9.so"]),
        (Column.IMAGE, ["/usr/lib/b9.so", "/usr/lib/b10.so", "/usr/lib/b9.so", "/etc"]),
        (Column.LAYER, ["/usr/lib/b10.so", "/usr/lib/b9.so", "/usr/lib/b9.so", "/etc"]),
        (Column.SIZE, ["/etc", "/usr/lib/b9.so", "/usr/lib/b9.so", "/usr/lib/b10.so"]),
    ],
)
def test_rows_can_be_put_in_order_and_back(table: FoundTable, column: Column, order: list[str]) -> None:
    table.add([FIRST, SECOND])
    before = paths(table)
    table.sort(column)
    assert paths(table) == order
    table.sort(column, Qt.SortOrder.DescendingOrder)
    assert paths(table) != order
    table.sort(-1)
    assert paths(table) == before


def test_what_comes_later_stands_behind_until_nothing_more_comes(table: FoundTable) -> None:
    table.sort(Column.SIZE)
    table.add([FIRST])
    kept = QPersistentModelIndex(table.index(0, 0))
    table.add([SECOND])
    assert [table.index(row, Column.SIZE).data() for row in range(4)] == ["3.0 kB", "10 bytes", "", "20 bytes"]
    table.settle()
    assert [table.index(row, Column.SIZE).data() for row in range(4)] == ["", "10 bytes", "20 bytes", "3.0 kB"]
    assert kept.row() == 3


def test_very_many_rows_are_put_in_order_beside_the_window(
    qtbot: QtBot, table: FoundTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arranging, "AT_ONCE", 2)
    table.add([FIRST])
    with qtbot.waitSignal(table.arranged):
        table.sort(Column.PATH)
        table.add([SECOND])
    assert paths(table) == ["/etc", "/usr/lib/b9.so", "/usr/lib/b10.so", "/usr/lib/b9.so"]


def test_another_search_begins_with_nothing(table: FoundTable) -> None:
    table.add([FIRST])
    table.begin(IMAGES)
    assert table.rowCount() == 0
    table.add([SECOND])
    assert paths(table) == ["/usr/lib/b9.so"]


def test_what_has_become_of_paths_can_be_hidden_and_shown_again(table: FoundTable) -> None:
    table.sort(Column.SIZE)
    table.add([FIRST])
    table.settle()
    kept = QPersistentModelIndex(table.index(1, 0))
    gone = QPersistentModelIndex(table.index(0, 0))
    assert kept.data() == "/usr/lib/b9.so"
    table.show_fates({Fate.REMOVED, Fate.PRESENT})
    assert paths(table) == ["/usr/lib/b9.so"]
    assert kept.row() == 0
    assert not gone.isValid()
    table.add([SECOND, FIRST])
    assert [table.index(row, Column.SIZE).data() for row in range(table.rowCount())] == [
        "10 bytes",
        "20 bytes",
        "10 bytes",
    ]
    assert table.counts() == {Fate.PRESENT: 1, Fate.OVERWRITTEN: 4, Fate.REMOVED: 2}
    table.show_fates(set(Fate))
    table.settle()
    assert [table.index(row, Column.SIZE).data() for row in range(3)] == ["", "", "10 bytes"]
    assert table.rowCount() == 7
