"""What the rectangles of the picture of files say: as the tree says it, for the same files."""

from unittest.mock import Mock

import numpy as np
import pytest

from engine.filesystem import Change, FileSystem
from engine.pathtree import ROOT
from engine.progress import Progress
from gui.models.file_cells import cells_of
from gui.models.treemap import Place, lay_out
from gui.models.treemap_files import FileSpace
from gui.panels.space_files import FileWords
from gui.panels.space_paper import Paper
from tests.gui.models.test_treemap_files import image, layer


def two_layers() -> FileSystem:
    base = layer(("usr/bin/large", 9000), ("usr/bin/kept", 4000), ("usr/bin/link", "usr/bin/large"), ("etc/motd", 500))
    return image(base, layer(("srv/app", 5000), ("usr/bin/kept", 3000), ("etc/.wh.motd", 0)))


def words_of(files: FileSystem, changes: tuple[Change, ...] = tuple(Change), at: int = 1) -> FileWords:
    view = files.view(at)
    return FileWords(FileSpace(files, view, view.shown(changes)))


def test_a_file_says_what_the_tree_says_of_it() -> None:
    files = two_layers()
    words, node = words_of(files), files.tree.find(b"usr/bin/large")
    facts = cells_of(files, words.space.view, node).facts
    assert words.sentence(Place(node)) == f"/usr/bin/large · {facts}"
    assert "9.0 kB" in facts


def test_of_a_folder_that_is_shown_in_part_it_says_how_much_that_is() -> None:
    files = two_layers()
    words, node = words_of(files, (Change.CHANGED,)), files.tree.find(b"usr/bin")
    assert "12.0 kB" in words.sentence(Place(node))
    assert words.sentence(Place(node)).endswith(" · 3.0 kB shown")
    assert words.sentence(Place(ROOT)) == "/ · 3.0 kB of what is shown"
    assert words_of(files).sentence(Place(ROOT)) == "/ · 17.0 kB"


def test_folders_in_a_row_are_called_by_the_whole_way() -> None:
    files = two_layers()
    assert words_of(files).titles(Place(files.tree.find(b"usr/bin"))) == ("usr/bin", "bin")


def test_papers_and_glyphs_are_the_changes_of_the_layer() -> None:
    files = two_layers()
    words = words_of(files)
    dressed = words.dress(lay_out(words.space, Place(ROOT), 600, 300, 17, Progress()), 14, Progress())
    found = {
        path: Paper(int(dressed.papers[dressed.cells.find(Place(files.tree.find(path)))]))
        for path in (b"usr/bin/large", b"usr/bin/kept", b"srv/app", b"usr/bin")
    }
    assert list(found.values()) == [Paper.UNCHANGED, Paper.CHANGED, Paper.ADDED, Paper.FRAME]
    assert dressed.marks[dressed.cells.find(Place(files.tree.find(b"usr/bin/kept")))] is Change.CHANGED
    assert dressed.cells.find(Place(files.tree.find(b"usr/bin/large"))) not in dressed.marks


def test_what_takes_no_space_is_marked_as_the_folder_that_it_is_in() -> None:
    files = two_layers()
    words = words_of(files)
    cells = lay_out(words.space, Place(ROOT), 600, 300, 17, Progress())
    assert words.place_of(cells, files.tree.find(b"usr/bin/link")) == Place(files.tree.find(b"usr/bin"))
    assert words.place_of(cells, files.tree.find(b"usr")) == Place(files.tree.find(b"usr/bin"))
    assert words.place_of(cells, files.tree.find(b"etc/motd")) is None, "it is gone, and its folder is empty"


def test_what_is_too_small_is_marked_as_one_of_the_smaller() -> None:
    files = image(layer(("a/large", 10_000_000), *((f"a/{n}", 1 + n) for n in range(20))))
    words = words_of(files, at=0)
    cells = lay_out(words.space, Place(ROOT), 600, 300, 17, Progress())
    folder = files.tree.find(b"a")
    smaller = Place(folder, 1)
    assert words.place_of(cells, files.tree.find(b"a/7")) == smaller
    assert words.sentence(smaller) == "20 smaller · 210 bytes · in /a"


def test_under_the_mouse_nothing_is_put_in_order_again(monkeypatch: pytest.MonkeyPatch) -> None:
    files = image(layer(("a/large", 10_000_000), *((f"a/{n}", 1 + n) for n in range(20))))
    words = words_of(files, at=0)
    cells = lay_out(words.space, Place(ROOT), 600, 300, 17, Progress())
    again = Mock(side_effect=AssertionError("a folder may have very many files"))
    for name in ("sort", "argsort", "lexsort"):
        monkeypatch.setattr(np, name, again)
    said = [words.sentence(cells.place(n)) for n in range(len(cells))]
    assert "20 smaller · 210 bytes · in /a" in said
    assert any(each.startswith("/a/large · file · 10.0 MB") for each in said)


def test_names_that_are_no_text_are_shown_fit_to_be_read() -> None:
    files = image(layer(("bell\x07", 10)))
    words = words_of(files, at=0)
    assert words.titles(Place(1))[0] == "bell␇"
