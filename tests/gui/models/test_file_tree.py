"""The tree of files: what is there at a layer, what the layer did, in the order and with the filter that were asked for."""

import gc
import io
import tarfile
from collections.abc import Sequence

import pytest
from PySide6.QtCore import QObject, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine.filesystem import Change, FileSystem
from engine.listing import Listing
from engine.merging import merge
from engine.progress import Progress
from engine.tarwalk import Walker
from gui.jobs import JobRunner
from gui.models import file_tree
from gui.models.file_cells import Cells, Column
from gui.models.file_tree import FileTree, Wish
from tests.gui.models._pictures import SPOKEN, TOOLTIP, everything, find, names

Entry = tuple[str, int] | tuple[str, int, dict[str, object]]


def listing(*entries: Entry) -> Listing:
    """A layer of files of these names and sizes; a name that ends in a slash is a folder."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, size, *more in entries:
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            entry.size, entry.mode, entry.mtime, entry.uid = size, 0o644, 1_700_000_000, 33
            for key, value in (more[0] if more else {}).items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(bytes(size)))
    walker = Walker()
    walker.feed(stream.getvalue())
    return walker.finish()


def files_of(*layers: Sequence[Entry]) -> FileSystem:
    return merge([listing(*layer) for layer in layers], Progress())


BASE: list[Entry] = [
    ("etc/", 0, {"mode": 0o755}),
    ("etc/passwd", 120),
    ("etc/shadow", 40, {"mode": 0o600}),
    ("usr/bin/tool", 5000, {"mode": 0o4755}),
    ("usr/bin/link", 0, {"type": tarfile.SYMTYPE, "linkname": "tool"}),
    ("usr/lib/a.so", 300),
]
TOP: list[Entry] = [("etc/passwd", 130), ("etc/.wh.shadow", 0), ("usr/lib/b.so", 700)]


@pytest.fixture
def tree(qtbot: QtBot, runner: JobRunner) -> FileTree:
    model = FileTree(runner, runner)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    QObject.setParent(tester, model)
    return model


def texts(model: FileTree, *way: str) -> list[str]:
    index = find(model, *way)
    return [index.siblingAtColumn(column).data() for column in Column]


def test_a_file_says_its_change_size_layer_mode_owner_and_time(tree: FileTree) -> None:
    tree.show(Wish(files_of(BASE, TOP), 1))
    said = texts(tree, "usr", "bin", "tool")
    assert said[:6] == ["tool", "", "5.0 kB", "1", "-rwsr-xr-x", "33:0"]
    assert "2023" in said[Column.MODIFIED]
    assert texts(tree, "etc", "passwd")[:4] == ["passwd", "~ changed", "130 bytes", "2"]
    assert texts(tree, "etc", "shadow")[:3] == ["shadow", "− removed", "40 bytes"]
    assert texts(tree, "usr", "lib", "b.so")[:3] == ["b.so", "+ added", "700 bytes"]
    assert texts(tree, "usr", "bin", "link → tool")[Column.MODE] == "lrw-r--r--"


def test_a_folder_has_the_sum_of_what_is_in_it_and_counts_what_changed(tree: FileTree) -> None:
    tree.show(Wish(files_of(BASE, TOP), 1))
    assert texts(tree, "etc")[:3] == ["etc", "~1 −1", "130 bytes"]
    assert texts(tree, "usr")[:3] == ["usr", "+1", "6.0 kB"]
    assert texts(tree, "usr")[Column.MODE :] == ["", "", ""], "no layer has an entry for it"


def test_a_change_is_told_by_glyph_colour_and_word(tree: FileTree) -> None:
    tree.show(Wish(files_of(BASE, TOP), 1))
    rows = {name: find(tree, *name.split("/")) for name in ("etc/passwd", "etc/shadow", "usr/lib/b.so", "usr/lib/a.so")}
    spoken = {name: index.data(SPOKEN) for name, index in rows.items()}
    assert spoken == {
        "etc/passwd": "passwd, file, 130 bytes, changed",
        "etc/shadow": "shadow, file, 40 bytes, removed",
        "usr/lib/b.so": "b.so, file, 700 bytes, added",
        "usr/lib/a.so": "a.so, file, 300 bytes, unchanged",
    }
    colours = {
        index.siblingAtColumn(Column.CHANGE).data(Qt.ItemDataRole.ForegroundRole).name() for index in rows.values()
    }
    assert len(colours) == 4
    assert find(tree, "etc").data(SPOKEN) == "etc, folder, 130 bytes, unchanged, 1 changed, 1 removed in it"
    assert rows["etc/passwd"].data(TOOLTIP) == "/etc/passwd\nfile\nChanged. From layer 2"


def test_at_a_lower_layer_the_files_are_those_of_then(tree: FileTree) -> None:
    tree.show(Wish(files_of(BASE, TOP), 0))
    assert names(tree, find(tree, "etc")) == ["passwd", "shadow"]
    assert texts(tree, "etc", "passwd")[1:3] == ["+ added", "120 bytes"]
    assert names(tree, find(tree, "usr", "lib")) == ["a.so"]


def test_a_layer_alone_is_what_it_touches_and_the_folders_that_lead_there(tree: FileTree) -> None:
    tree.show(Wish(files_of(BASE, TOP), 1, only=True))
    assert names(tree) == ["etc", "usr"]
    assert names(tree, find(tree, "etc")) == ["passwd", "shadow"]
    assert names(tree, find(tree, "usr")) == ["lib"]
    assert names(tree, find(tree, "usr", "lib")) == ["b.so"]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (Change.ADDED, ["b.so"]),
        (Change.CHANGED, ["passwd"]),
        (Change.REMOVED, ["shadow"]),
        (Change.UNCHANGED, ["link → tool", "tool", "a.so"]),
    ],
)
def test_changes_can_be_left_out(tree: FileTree, change: Change, left: list[str]) -> None:
    tree.show(Wish(files_of(BASE, TOP), 1, changes=frozenset({change})))
    found = [index.data() for index, role, _ in everything(tree) if role == 0 and not tree.hasChildren(index)]
    assert [name for name in found if name in {"passwd", "shadow", "link → tool", "tool", "a.so", "b.so"}] == left


def test_it_is_sorted_by_size_the_largest_first_in_every_folder(tree: FileTree) -> None:
    tree.show(Wish(files_of(BASE, TOP), 1))
    tree.sort(Column.SIZE, Qt.SortOrder.DescendingOrder)
    assert names(tree) == ["usr", "etc"]
    assert names(tree, find(tree, "usr", "lib")) == ["b.so", "a.so"]
    tree.sort(Column.NAME, Qt.SortOrder.DescendingOrder)
    assert names(tree, find(tree, "usr", "lib")) == ["b.so", "a.so"]
    tree.sort(-1, Qt.SortOrder.AscendingOrder)
    assert names(tree) == ["etc", "usr"]
    for column in Column:
        tree.sort(column, Qt.SortOrder.DescendingOrder)
        assert sorted(names(tree)) == ["etc", "usr"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("passwd", ["/etc/passwd"]),
        ("PASS", ["/etc/passwd"]),
        ("lib", ["/usr/lib", "/usr/lib/a.so", "/usr/lib/b.so"]),
        ("*.so", ["/usr/lib/a.so", "/usr/lib/b.so"]),
        ("a.so", ["/usr/lib/a.so"]),
        ("?.so", ["/usr/lib/a.so", "/usr/lib/b.so"]),
        ("n/to", ["/usr/bin/tool"]),
        ("/etc", ["/etc", "/etc/passwd", "/etc/shadow"]),
        ("/bin", []),
        ("bin/", ["/usr/bin/link", "/usr/bin/tool"]),
        ("/usr/*/a.so", ["/usr/lib/a.so"]),
        ("a+so", []),
    ],
)
def test_the_filter_takes_a_part_of_a_path(tree: FileTree, words: str, found: list[str]) -> None:
    files = files_of(BASE, TOP)
    tree.show(Wish(files, 1, words=words))
    shown = {tree.path_at(index) for index, role, _ in everything(tree) if role == 0 and index.column() == 0}
    leading = {path for path in shown if any(other.startswith(f"{path}/") for other in found)}
    assert shown - leading == set(found) - leading
    assert set(found) <= shown
    assert tree.found == len(found)


def test_what_is_open_and_selected_stays_so_at_another_layer_and_in_another_order(tree: FileTree) -> None:
    files = files_of(BASE, TOP)
    tree.show(Wish(files, 0))
    kept = QPersistentModelIndex(find(tree, "usr", "lib", "a.so"))
    gone = QPersistentModelIndex(find(tree, "etc", "shadow"))
    tree.show(Wish(files, 1))
    tree.sort(Column.SIZE, Qt.SortOrder.DescendingOrder)
    assert kept.data() == "a.so"
    assert kept.row() == 1
    assert kept.parent().data() == "lib"
    tree.show(Wish(files, 1, changes=frozenset({Change.ADDED, Change.UNCHANGED})))
    assert not gone.isValid()
    assert kept.isValid()
    tree.show(Wish(files_of(TOP), 0))
    assert not kept.isValid()
    tree.show(None)
    assert tree.rowCount() == 0


def test_asking_for_the_same_again_moves_nothing(tree: FileTree, qtbot: QtBot) -> None:
    files = files_of(BASE, TOP)
    tree.show(Wish(files, 1, words="etc"))
    with qtbot.assertNotEmitted(tree.arranged):
        tree.show(Wish(files, 1, words="etc"))
    tree.show(None)
    tree.show(Wish(files, 1, words="etc"))
    assert names(tree) == ["etc"]


def test_names_from_a_layer_are_only_text(tree: FileTree) -> None:
    hostile = [("<b>x\u202e", 1), ("line\nbreak", 1), ("x" * 250, 1), ("caf\udce9", 1)]
    tree.show(Wish(files_of(hostile), 0))
    assert names(tree) == ["<b>x⟨U+202E⟩", "caf⟨byte E9⟩", "line␊break", "x" * 250]
    assert "&lt;b&gt;" in tree.index(0, 0).data(TOOLTIP)
    assert tree.path_at(tree.index(1, 0)) == "/caf⟨byte E9⟩"


def test_a_folder_with_very_many_files_tells_of_the_rest(tree: FileTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_tree, "MOST_ROWS", 3)
    tree.show(Wish(files_of([(f"many/f{n}", n) for n in range(5)]), 0))
    folder = find(tree, "many")
    assert names(tree, folder) == ["f0", "f1", "f2", "and 2 more: filter to see them"]
    rest = tree.index(3, 0, folder)
    assert tree.path_at(rest) == ""
    assert rest.parent() == folder
    tree.sort(Column.SIZE, Qt.SortOrder.DescendingOrder)
    assert names(tree, find(tree, "many"))[0] == "f4"
    tree.show(Wish(tree.wish.files, 0, words="f3"))
    assert names(tree, find(tree, "many")) == ["f3"]


def test_a_large_image_is_arranged_beside_the_window(tree: FileTree, qtbot: QtBot) -> None:
    files = files_of([(f"d{n % 50}/f{n}", 1) for n in range(21_000)])
    tree.show(Wish(files, 0))
    assert tree.busy
    assert tree.rowCount() == 0
    tree.show(Wish(files, 0, words="f20999"))
    with qtbot.waitSignal(tree.arranged):
        pass
    assert names(tree) == ["d49"], "the first answer is of no use any more"
    assert tree.found == 1


def test_every_cell_answers_every_role(tree: FileTree) -> None:
    odd: list[Entry] = [
        ("dev/null", 0, {"type": tarfile.CHRTYPE}),
        ("dev/sda", 0, {"type": tarfile.BLKTYPE}),
        ("run/pipe", 0, {"type": tarfile.FIFOTYPE}),
        ("a", 10),
        ("b", 0, {"type": tarfile.LNKTYPE, "linkname": "a"}),
        ("c", 0, {"type": tarfile.LNKTYPE, "linkname": "nowhere"}),
        ("empty/", 0),
        ("when", 0, {"mtime": 2**40}),
    ]
    tree.show(Wish(files_of(odd), 0))
    assert len(list(everything(tree))) > 500
    assert find(tree, "b").siblingAtColumn(Column.SIZE).data() == "10 bytes"
    assert "another name of a" in find(tree, "b").data(TOOLTIP)
    assert texts(tree, "empty")[1] == "+ added"
    assert tree.hasChildren(find(tree, "dev"))
    assert not tree.hasChildren(find(tree, "a"))


def test_nothing_of_a_tree_that_was_closed_is_kept(qtbot: QtBot, runner: JobRunner) -> None:
    page = QObject(runner)
    tree = FileTree(runner, page)
    with qtbot.waitSignal(tree.arranged):
        tree.show(Wish(files_of([("once/seen", 5)]), 0))
    assert texts(tree, "once")[0] == "once"

    def kept() -> int:
        gc.collect()
        return sum(isinstance(each, Cells) and each.texts[0] == "once" for each in gc.get_objects())

    assert kept() == 1
    with qtbot.waitSignal(page.destroyed):
        page.deleteLater()
    del tree, page
    assert kept() == 0


def test_a_layer_by_itself_says_what_it_removes_and_not_which_layer_it_is(tree: FileTree) -> None:
    tree.show(Wish(files_of([("etc/.wh.shadow", 0), ("srv/app", 5)]), 0, alone=True))
    gone = find(tree, "etc", "shadow")
    assert gone.siblingAtColumn(Column.CHANGE).data() == "− removed"
    assert gone.siblingAtColumn(Column.SIZE).data() == ""
    assert tree.facts_at(gone) == "whiteout · It removes what the layers below have there"
    assert "layer" not in tree.facts_at(find(tree, "srv", "app"))
    assert gone.data(SPOKEN) == "shadow, whiteout, removed"
