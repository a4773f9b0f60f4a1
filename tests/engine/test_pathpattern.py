"""What is typed means the paths that a person expects, and never takes long to be held against one."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pathpattern import PathPattern, matching
from engine.pathtree import TreeBuilder
from engine.progress import Progress

PATHS = [
    "bin",
    "bin/sh",
    "etc/app/app.conf",
    "etc/app.conf",
    "lib",
    "lib/a.so",
    "lib/deep/er/b.so.1",
    "usr/etc/app.conf",
    "usr/lib/a.so",
    "usr/lib/[id].js",
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("conf", ["etc/app/app.conf", "etc/app.conf", "usr/etc/app.conf"]),
        ("p/app", ["etc/app/app.conf"]),
        ("/etc", ["etc/app/app.conf", "etc/app.conf"]),
        ("BIN/", ["bin/sh"]),
        ("*.so", ["lib/a.so", "usr/lib/a.so"]),
        ("*.so*", ["lib/a.so", "lib/deep/er/b.so.1", "usr/lib/a.so"]),
        ("?.so", ["lib/a.so", "usr/lib/a.so"]),
        ("[bc].*", ["lib/deep/er/b.so.1"]),
        ("[!a-y]*", ["usr/lib/[id].js"]),
        ("[[]id].js", ["usr/lib/[id].js"]),
        ("[id.js", []),
        ("id]", ["usr/lib/[id].js"]),
        ("[lib/a]", []),
        ("lib/*", ["lib/a.so"]),
        ("/lib/*", ["lib/a.so"]),
        ("lib/**", ["lib/a.so", "lib/deep/er/b.so.1"]),
        ("**/a.so", ["lib/a.so", "usr/lib/a.so"]),
        ("**/lib/**", ["lib/a.so", "lib/deep/er/b.so.1", "usr/lib/a.so", "usr/lib/[id].js"]),
        ("lib/**/*.1", ["lib/deep/er/b.so.1"]),
        ("*/lib/*.so", ["usr/lib/a.so"]),
        ("b*/", ["bin"]),
        ("*/s*/", ["bin/sh"]),
    ],
)
def test_a_word_is_a_part_of_a_path_and_a_glob_all_of_it(wanted, found):
    pattern = PathPattern(wanted)
    paths = [path.encode() for path in PATHS]
    assert [PATHS[place] for place in pattern.among(paths)] == found
    assert [path for path in PATHS if pattern.matches(path.encode())] == found


def test_a_letter_is_a_letter_however_many_bytes_it_takes():
    assert PathPattern("caf?").matches("menu/café".encode())
    assert PathPattern("[à-é]*").matches("été".encode())
    assert PathPattern("ÉTÉ").matches("été".encode())
    assert not PathPattern("ÉTÉ", match_case=True).matches("été".encode())


def test_nothing_typed_is_no_pattern():
    assert not PathPattern("")
    assert PathPattern("a")


_NAME = st.text("ab.", min_size=1, max_size=6)


@given(st.lists(_NAME, max_size=8), st.text("ab.*?", min_size=1, max_size=6))
def test_a_glob_without_a_slash_is_what_python_takes_for_one(names, glob):
    if not set("*?") & set(glob):
        glob += "*"
    found = PathPattern(glob).among([f"x/{name}".encode() for name in names])
    assert [names[place] for place in found] == [name for name in names if fnmatch.fnmatchcase(name, glob)]


@given(
    st.lists(st.lists(_NAME, min_size=1, max_size=3), max_size=8),
    st.sampled_from(["a", "/a", "a/b", "*b", "a*/**", "**/a/*"]),
)
def test_a_tree_has_what_matches_and_all_that_is_in_it(paths, wanted):
    pattern, builder = PathPattern(wanted), TreeBuilder()
    builder.add(["/".join(path).encode() for path in paths])
    tree, _ = builder.build(Progress())
    found = matching(tree, pattern, Progress())
    for node in range(1, len(tree)):
        path = tree.path(node)
        above = [path[:at] for at, letter in enumerate(path) if letter == ord("/")]
        assert found[node] == any(pattern.matches(each) for each in [*above, path])


@pytest.mark.parametrize("wanted", ["*a*a*a*a*a*a*a*b", "**/a/**/a/**/a/**/a/**/a/**/b", "**/*a*/**/*a*/**/*a*/c"])
def test_every_pattern_comes_to_an_end(wanted):
    pattern = PathPattern(wanted)  # trying everything, none of these would before the stars go out
    assert not pattern.matches(b"a" * 250)
    assert not pattern.matches(b"/".join([b"a"] * 1000))
