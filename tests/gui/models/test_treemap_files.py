"""What the picture of an image's files promises: the bytes are those that the tree tells, each file once."""

import tarfile
from collections.abc import Sequence
from io import BytesIO

import numpy as np

from engine.filesystem import Change, FileSystem
from engine.merging import merge
from engine.pathtree import ROOT
from engine.progress import Progress
from engine.tarwalk import Walker
from gui.models.treemap_files import FileSpace

Files = Sequence[tuple[str, int] | tuple[str, str]]
EVERYTHING = list(Change)


def layer(*files: tuple[str, int | str]) -> bytes:
    """A layer with files of these sizes; in the place of a size may stand what a hard link leads to."""
    content = BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, size in files:
            entry = tarfile.TarInfo(name)
            if isinstance(size, str):
                entry.type, entry.linkname = tarfile.LNKTYPE, size
            else:
                entry.size = size
            tar.addfile(entry, BytesIO(bytes(entry.size)))
    return content.getvalue()


def image(*layers: bytes) -> FileSystem:
    listings = []
    for content in layers:
        walker = Walker()
        walker.feed(content)
        listings.append(walker.finish())
    return merge(listings, Progress())


def space(files: FileSystem, at: int, changes: Sequence[Change] = EVERYTHING) -> FileSpace:
    view = files.view(at)
    return FileSpace(files, view, view.shown(changes))


def names(found: FileSpace, path: bytes = b"") -> list[tuple[bytes, int]]:
    nodes, sizes = found.parts(found.files.tree.find(path) if path else ROOT)
    return [(found.files.tree.name(int(node)), int(size)) for node, size in zip(nodes, sizes, strict=True)]


def test_folders_are_as_large_as_the_tree_says_the_largest_first() -> None:
    files = image(layer(("a/small", 10), ("a/large", 500), ("b/one", 300)))
    found = space(files, 0)
    assert names(found) == [(b"a", 510), (b"b", 300)]
    assert names(found, b"a") == [(b"large", 500), (b"small", 10)]
    assert found.total == found.view.total == 810
    assert np.array_equal(found.sizes.all, found.view.sizes)
    assert found.is_whole


def test_a_file_of_two_names_counts_once() -> None:
    files = image(layer(("bin/tool", 700), ("bin/other", "bin/tool")))
    assert names(space(files, 0), b"bin") == [(b"tool", 700)]


def test_what_a_layer_removes_takes_no_space_there() -> None:
    files = image(layer(("a/one", 100), ("a/two", 50)), layer(("a/.wh.one", 0)))
    found = space(files, 1)
    assert names(found, b"a") == [(b"two", 50)]
    assert found.total == found.view.total == 50


def test_what_the_filter_leaves_is_what_is_shown() -> None:
    files = image(layer(("a/old", 100)), layer(("a/new", 30), ("b/new", 20)))
    found = space(files, 1, [Change.ADDED])
    assert names(found) == [(b"a", 30), (b"b", 20)]
    assert not found.is_whole


def test_it_is_known_how_much_a_layer_adds_and_changes() -> None:
    files = image(layer(("a/one", 100), ("a/two", 50)), layer(("a/one", 70), ("a/three", 5)))
    found = space(files, 1)
    folder = files.tree.find(b"a")
    assert [int(column[folder]) for column in found.sizes] == [125, 5, 70]


def test_a_file_that_was_a_folder_has_its_own_bytes() -> None:
    files = image(layer(("a/one", 100)), layer(("a", 30)))
    found = space(files, 1)
    assert names(found) == [(b"a", 30)]
    assert names(found, b"a") == []


def test_what_has_no_bytes_is_not_there() -> None:
    assert names(space(image(layer(("empty", 0), ("a/also", 0))), 0)) == []


def test_a_folder_with_nothing_but_a_folder_in_it_is_shown_as_what_is_in_that() -> None:
    files = image(layer(("usr/lib/python/one", 10), ("usr/lib/python/two", 20), ("usr/lib/python/.none", 0)))
    found = space(files, 0)
    inner = files.tree.find(b"usr/lib/python")
    assert found.parts(ROOT)[0].tolist() == [inner]
    assert [files.tree.name(node) for node in found.way_to(inner)] == [b"usr", b"lib", b"python"]
    assert found.around(inner) == ROOT
    assert found.around(files.tree.find(b"usr/lib/python/one")) == inner


def test_a_folder_with_one_file_is_itself() -> None:
    files = image(layer(("etc/only", 10), ("b", 5)))
    found = space(files, 0)
    assert names(found) == [(b"etc", 10), (b"b", 5)]
    assert found.way_to(files.tree.find(b"etc/only")) == [files.tree.find(b"etc/only")]
