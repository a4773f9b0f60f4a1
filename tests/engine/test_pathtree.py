"""Paths become a tree in columns: each folder's children are one range, sums and marks go along the tree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pathtree import PathTree, TreeBuilder, cleaned, components
from engine.progress import Progress

PATHS = [b"usr/lib/b", b"usr/lib/a", b"etc", b"usr", b"usr/lib/a", b"\xff/\x01"]


def built(paths: list[bytes]) -> tuple[PathTree, list[int]]:
    builder = TreeBuilder()
    builder.add(paths)
    tree, nodes = builder.build(Progress())
    return tree, nodes.tolist()


def test_each_path_has_one_node_and_its_folders_have_theirs():
    tree, nodes = built(PATHS)
    assert [tree.path(node) for node in nodes] == PATHS
    assert nodes[1] == nodes[4]
    assert sorted(tree.path(node) for node in range(len(tree))) == sorted({b"", b"usr/lib", b"\xff", *PATHS})


def test_the_children_of_a_folder_are_one_range_sorted_by_name():
    tree, _ = built(PATHS)
    assert [tree.name(node) for node in tree.children(0)] == [b"etc", b"usr", b"\xff"]
    assert [tree.name(node) for node in tree.children(tree.find(b"usr/lib"))] == [b"a", b"b"]
    assert len(tree.children(tree.find(b"etc"))) == 0


@pytest.mark.parametrize("path", [b"us", b"usr/lib/c", b"etc/x", b"usr/lib/a/b"])
def test_what_nobody_mentions_is_not_found(path):
    assert built(PATHS)[0].find(path) == -1


def test_of_chosen_nodes_those_stay_that_lie_in_none_of_the_others():
    tree, _ = built(PATHS)
    chosen = [tree.find(path) for path in (b"usr/lib/a", b"etc", b"usr", b"usr/lib", b"etc")]
    assert [tree.path(node) for node in tree.outermost(chosen)] == [b"etc", b"usr"]
    assert [tree.path(node) for node in tree.outermost(chosen[:1])] == [b"usr/lib/a"]
    assert tree.outermost([*chosen, tree.find(b"")]) == [0]
    assert tree.outermost([]) == []


@given(st.lists(st.lists(st.sampled_from([b"a", b"b", b"\x00", b"c\xff"]), max_size=5).map(b"/".join), max_size=20))
def test_sums_and_marks_go_along_the_tree(paths):
    tree, nodes = built(paths)
    assert [tree.find(path) for path in paths] == nodes
    every = [tree.path(node) for node in range(len(tree))]
    values = np.arange(1, len(tree) + 1, dtype=np.int64)
    marks = values % 3 == 0

    def inside(path: bytes, folder: bytes) -> bool:
        return path == folder or not folder or path.startswith(folder + b"/")

    for node, path in enumerate(every):
        below = [other for other in range(len(tree)) if inside(every[other], path)]
        above = [other for other in range(len(tree)) if inside(path, every[other])]
        assert tree.summed(values)[node] == values[below].sum()
        assert tree.marked_above(marks)[node] == marks[below].any()
        assert tree.marked_below(marks)[node] == marks[above].any()
        folders = [other for other in above if other != node]
        assert tree.largest_above(values.astype(np.int32))[node] == max(values[folders].tolist(), default=-1)
        assert tree.above(np.array([node], np.int32)).tolist() == sorted({0, *folders})


def test_the_root_is_above_itself_only():
    nodes = built([b"", b"."])[1]
    assert nodes == [0, 1]  # the builder takes cleaned paths
    assert built([])[0].path(0) == b""


@pytest.mark.parametrize(
    ("path", "clean"),
    [(b"a/b", b"a/b"), (b"./a/", b"a"), (b"/a", b"a"), (b"a/../../b", b"b"), (b"./", b""), (b"..", b""), (b"", b"")],
)
def test_paths_never_lead_above_the_root(path, clean):
    assert cleaned(path) == clean


@given(st.lists(st.sampled_from([b"", b".", b"..", b"a", b".b", b"..."]), max_size=6).map(b"/".join))
def test_cleaning_is_the_same_as_taking_a_path_apart(path):
    assert cleaned(path) == b"/".join(components(path))


def test_a_folder_of_very_many_names_is_in_order_with_each_name_once() -> None:
    names = [b"%06d" % (n * 7919 % 50_000) for n in range(60_000)]
    builder = TreeBuilder()
    builder.add(names)
    tree, nodes = builder.build(Progress())
    children = [tree.name(node) for node in tree.children(0)]
    assert children == sorted(set(names))
    assert [tree.name(int(node)) for node in nodes[:100]] == names[:100]
