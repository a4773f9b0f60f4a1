"""A search over all images finds every entry of every layer that is meant, and says what became of it, as unpacking would."""

import fnmatch
import gzip
import io
import posixpath
import tarfile
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import finding
from engine.decompress import zstd
from engine.errors import Cancelled
from engine.finding import Fate, Found, PathPattern, Searched, StoredImage, Unread, find, in_order
from engine.layout import ImageLayout
from engine.listing import Listing
from engine.merging import merge
from engine.progress import Progress
from engine.tarwalk import Walker
from tests.archives import END, file, header, layer, pax
from tests.layouts import LayoutFiles, sha256

patient = settings(deadline=None, suppress_health_check=list(HealthCheck))  # the machine may be busy

Row = tuple[str, int, str, Fate, int]
"""Name of the image, layer, path, what became of it, and the layer that did it."""


class Store:
    """A layout with images, and what a search over it tells."""

    def __init__(self, folder: Path) -> None:
        self.files = LayoutFiles(folder / "layout")
        self.cache = folder / "cache"
        self.images: dict[str, list[str]] = {}
        self.unread: list[Unread] = []
        self.end = Searched(0, 0, 0)

    def add(self, name: str, *layers: bytes | str) -> None:
        """An image of these layers; of those that are digests nothing is written."""
        digests = [each if isinstance(each, str) else str(self.files.blob(each)["digest"]) for each in layers]
        self.images[name] = digests

    def find(self, wanted: str, **more: object) -> list[Row]:
        names = list(self.images)
        match_case = bool(more.pop("match_case", False))
        images = [StoredImage(name, digests) for name, digests in self.images.items()]
        progress = Progress()
        with ImageLayout.open(self.files.path) as store:
            pattern = PathPattern(wanted, match_case=match_case)
            self.end = find(store.blobs, images, pattern, progress, cache=self.cache, **more)
        told = progress.drain()
        self.unread = [each for each in told if isinstance(each, Unread)]
        return [
            (names[each.image], int(number), path.decode("utf-8", "surrogateescape"), Fate(fate), int(ender))
            for each in told
            if isinstance(each, Found)
            for number, path, fate, ender in zip(each.layers, each.paths, each.fates, each.enders, strict=True)
        ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


PRESENT, OVERWRITTEN, REMOVED = Fate


def folder(name: bytes) -> bytes:
    return header(name, b"5")


def test_each_entry_is_told_with_image_layer_and_what_became_of_it(store):
    base = layer("etc/app.conf", "usr/bin/app", "opt/app/x")
    store.add("one", base, layer("etc/app.conf", "usr/bin/.wh.app"))
    store.add("two", base, layer(".wh.opt"))
    assert store.find("app") == [
        ("one", 0, "etc/app.conf", OVERWRITTEN, 1),
        ("one", 0, "usr/bin/app", REMOVED, 1),
        ("one", 0, "opt/app/x", PRESENT, -1),
        ("one", 1, "etc/app.conf", PRESENT, -1),
        ("two", 0, "etc/app.conf", PRESENT, -1),
        ("two", 0, "usr/bin/app", PRESENT, -1),
        ("two", 0, "opt/app/x", REMOVED, 1),
    ]
    assert store.end == Searched(told=7, total=7, images=2)


@pytest.mark.parametrize(
    ("above", "fate"),
    [
        (file(b"a/b/f"), OVERWRITTEN),
        (file(b"a/b/.wh.f"), REMOVED),
        (file(b"a/b/.wh.f") + file(b"a/b/f"), OVERWRITTEN),
        (file(b"a/.wh.b"), REMOVED),
        (file(b"a/b/.wh..wh..opq"), REMOVED),
        (file(b".wh..wh..opq"), REMOVED),
        (file(b"a/.wh..wh..opq") + file(b"a/b/f"), OVERWRITTEN),
        (file(b"a"), REMOVED),
        (header(b"a/b", b"2", link=b"elsewhere"), REMOVED),
        (file(b"a/b/f/below"), OVERWRITTEN),
        (file(b"a/b/f/.wh.below"), PRESENT),
        (folder(b"a/b/"), PRESENT),
        (file(b"a/b/.wh.other") + file(b"a/.wh..wh.plnk"), PRESENT),
    ],
)
def test_what_a_later_layer_does_above_or_at_a_path(store, above, fate):
    store.add("image", folder(b"a/") + file(b"a/b/f") + END, above + END)
    assert store.find("a/b/f")[0] == ("image", 0, "a/b/f", fate, -1 if fate is PRESENT else 1)


def test_what_ended_a_path_first_is_told(store):
    store.add("image", layer("f"), layer(".wh.f"), layer("f"), layer("f"))
    assert [row[3:] for row in store.find("f")] == [(REMOVED, 1), (OVERWRITTEN, 3), (PRESENT, -1)]


def test_a_path_twice_in_a_layer_is_seen_once(store):
    store.add("image", file(b"f", b"1") + file(b"f", b"22") + END)
    assert [row[3:] for row in store.find("f")] == [(OVERWRITTEN, 0), (PRESENT, -1)]


def test_an_entry_behind_a_link_of_its_layer_is_found_where_it_is(store):
    store.add("image", header(b"lib", b"2", link=b"usr/lib") + file(b"lib/x.so") + END)
    assert [row[2] for row in store.find("usr/lib/*.so")] == ["usr/lib/x.so"]
    assert store.find("lib/x.so")[0][2] == "usr/lib/x.so"
    assert store.find("/lib/x.so") == []


def test_images_are_told_of_in_their_order_whichever_is_ready_first(store):
    base, later = layer("f1"), layer("f2")
    store.add("second", base, later)
    store.add("first", base)
    store.add("empty")
    store.add("third", later)
    assert [row[0] for row in store.find("f")] == ["second", "second", "first", "third"]


def test_capitals_make_a_difference_only_when_asked_for(store):
    store.add("image", layer("README", "docs/Été.txt"))
    assert [row[2] for row in store.find("readme")] == ["README"]
    assert [row[2] for row in store.find("été")] == ["docs/Été.txt"]
    assert store.find("readme", match_case=True) == []
    assert [row[2] for row in store.find("READ", match_case=True)] == ["README"]


def test_names_that_are_no_text_are_found(store):
    store.add("image", file(b"data/\xff\xfe.bin") + END)
    assert [row[2] for row in store.find("*.bin")] == ["data/\udcff\udcfe.bin"]


def test_layers_of_every_compression_are_looked_into(store):
    content = layer("etc/passwd")
    store.add("image", gzip.compress(content), zstd.compress(content), content)
    assert [row[3] for row in store.find("passwd")] == [OVERWRITTEN, OVERWRITTEN, PRESENT]


def test_a_layer_of_fifty_images_is_read_once(store, monkeypatch):
    read = []
    inner = find.__globals__["read_table"]
    monkeypatch.setitem(find.__globals__, "read_table", lambda *a, **k: (read.append(a[1]), inner(*a, **k))[1])
    base = layer("etc/passwd")
    for number in range(50):
        store.add(f"image {number}", base, layer(f"app/{number}"))
    assert len(store.find("passwd")) == 50
    assert len(read) == len(set(read)) == 51


def test_a_layer_that_is_above_another_here_and_below_it_there_tells_both_truths(store):
    first, second = layer("a/f"), layer("a")
    store.add("one", first, second)
    store.add("two", second, first)
    store.add("three", first, second, first)
    assert [row for row in store.find("f") if row[2] == "a/f"] == [
        ("one", 0, "a/f", REMOVED, 1),
        ("two", 1, "a/f", PRESENT, -1),
        ("three", 0, "a/f", REMOVED, 1),
        ("three", 2, "a/f", PRESENT, -1),
    ]


def test_what_cannot_be_read_is_told_beside_the_results(store):
    whole = layer("a/one", "b/one")
    broken = gzip.compress(layer("c/one", *(f"c/{n}" for n in range(5000))))
    missing = sha256(b"nobody has it")
    store.add("good", whole)
    store.add("bad", whole, missing, broken[: len(broken) // 2])
    assert [row[:3] for row in store.find("one")] == [
        ("good", 0, "a/one"),
        ("good", 0, "b/one"),
        ("bad", 0, "a/one"),
        ("bad", 0, "b/one"),
        ("bad", 2, "c/one"),
    ]
    assert {(each.digest == missing, each.images, each.is_corrupt) for each in store.unread} == {
        (True, 1, False),
        (False, 1, False),
    }
    assert all(each.sentence.endswith(".") for each in store.unread)


def test_a_layer_that_is_not_what_its_digest_names_is_said_to_be_corrupt(store):
    content = layer("a")
    store.add("image", content)
    store.files.file(sha256(content)).write_bytes(layer("ab"))
    assert [row[2] for row in store.find("a")] == ["ab"]
    assert [each.is_corrupt for each in store.unread] == [True]


def test_results_are_bounded_and_the_others_counted(store, monkeypatch):
    monkeypatch.setitem(find.__globals__, "MOST_OF_LAYER", 3)
    base = layer(*(f"f{n}" for n in range(10)))
    for number in range(4):
        store.add(f"image {number}", base, layer(f".wh.f{number}", "f9"))
    found = store.find("f", most=10)
    assert len(found) == 10
    assert store.end == Searched(told=10, total=44, images=4)
    assert {(row[0], row[2]): row[3] for row in found if row[1] == 0 and row[0] == "image 1"} == {
        ("image 1", "f0"): PRESENT,
        ("image 1", "f1"): REMOVED,
        ("image 1", "f2"): PRESENT,
    }


def test_a_result_is_overwritten_also_by_what_there_is_no_room_for(store, monkeypatch):
    monkeypatch.setitem(find.__globals__, "MOST_OF_LAYER", 1)
    store.add("image", layer("f1"), layer("f0", "f1"))
    assert store.find("f") == [("image", 0, "f1", OVERWRITTEN, 1), ("image", 1, "f0", PRESENT, -1)]


def test_a_few_paths_of_very_many_folders_do_not_fill_the_memory(store, monkeypatch):
    deep = b"".join(pax(path=b"%03d/" % n + b"a/" * 1500 + b"f") + file(b"f") for n in range(40))
    store.add("image", deep + END, layer("a/f"))
    monkeypatch.setattr("engine.fates.MOST_TEXT", 5_000_000)
    monkeypatch.setattr("engine.looking.MOST_TEXT", 5_000_000)
    tracemalloc.start()
    found = store.find("f")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0 < len(found) < 41
    assert store.end.total == 41
    assert most < 50 << 20


def test_a_search_can_be_stopped(store):
    store.add("image", layer("a"))
    progress = Progress()
    progress.cancel()
    with ImageLayout.open(store.files.path) as layout, pytest.raises(Cancelled):
        find(layout.blobs, [StoredImage("image", store.images["image"])], PathPattern("a"), progress)


def test_a_search_is_stopped_between_two_images_whose_layers_are_all_read(store):
    base = layer("a")
    images = [("one", base), ("two", base), ("three", base)]
    for name, content in images:
        store.add(name, content)

    class Satisfied(Progress):
        """Somebody to whom the first result is enough."""

        def report(self, item: object) -> None:
            super().report(item)
            self.cancel()

    progress = Satisfied()
    asked = [StoredImage(name, digests) for name, digests in store.images.items()]
    with ImageLayout.open(store.files.path) as layout, pytest.raises(Cancelled):
        find(layout.blobs, asked, PathPattern("a"), progress)
    assert [found.image for found in progress.drain()] == [0]


def test_where_reading_a_layer_fails_unexpectedly_nobody_waits_for_it(store, monkeypatch):
    store.add("image", layer("a"), layer("b"), layer("c"))
    first = store.images["image"][0]
    read = finding.read_table

    def failing(blobs, digest, progress, **more):
        if digest == first:
            raise RuntimeError("unexpected")
        return read(blobs, digest, progress, **more)

    class Patient(Progress):
        """Somebody who stops a search that comes to nothing."""

        checks = 0

        def check(self) -> None:
            self.checks += 1
            if self.checks > 40:
                self.cancel()
            super().check()

    monkeypatch.setattr(finding, "read_table", failing)
    monkeypatch.setattr(finding, "_MOST_WAITING", 0)
    monkeypatch.setattr(finding.os, "cpu_count", lambda: 2)
    progress = Patient()
    with ImageLayout.open(store.files.path) as layout, pytest.raises(RuntimeError, match="unexpected"):
        find(layout.blobs, [StoredImage("image", store.images["image"])], PathPattern("a"), progress)
    assert not progress.cancelled


def test_an_image_without_layers_and_a_store_without_images_have_nothing(store):
    assert store.find("a") == []
    store.add("image")
    assert store.find("a") == []


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=6))
def test_layers_come_after_those_below_them(stacks):
    images = [StoredImage(str(n), stack) for n, stack in enumerate(stacks)]
    order = in_order(images)
    assert sorted(order) == sorted({digest for stack in stacks for digest in stack})
    pairs = {(lower, upper) for stack in stacks for lower, upper in pairwise(stack)}
    reach = {(a, b) for a, b in pairs}
    for _ in range(6):
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c}
    if not any(a == b for a, b in reach):
        assert all(order.index(lower) < order.index(upper) for lower, upper in pairs)


# --------------------------------------------------------------------------------------------- beside other readers

_NAMES = st.sampled_from(["a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/a/b", "a/b/a", "./b/b", "a//b/../a", "b/"])
_ENTRY = st.one_of(
    st.tuples(_NAMES, st.sampled_from(["0", "5", "2", "1"]), st.sampled_from(["a", "b", "../b", "a/b"])),
    st.tuples(
        st.sampled_from([".wh.a", ".wh.b", "a/.wh.a", "a/.wh.b", "a/a/.wh.b", ".wh..wh..opq", "a/.wh..wh..opq"]),
        st.just("0"),
        st.just(""),
    ),
)
_LAYER = st.lists(_ENTRY, max_size=6)


def packed(entries: list[tuple[str, str, str]]) -> bytes:
    heads = (header(name.encode(), kind.encode(), link=link.encode()) for name, kind, link in entries)
    return b"".join(heads) + END


def listed(content: bytes) -> Listing:
    walker = Walker()
    walker.feed(content)
    return walker.finish()


@patient
@given(st.lists(_LAYER, min_size=1, max_size=4), st.sampled_from(["a", "b", "a/b", "*b", "**/a/*", "a*/?"]))
def test_what_is_present_is_what_merging_the_layers_shows(tmp_path_factory, layers, wanted):
    store = Store(tmp_path_factory.mktemp("store"))
    contents = [packed(entries) for entries in layers]
    store.add("image", *contents)
    store.add("upside down", *reversed(contents))
    store.add("part", *contents[1:], contents[0], contents[0])
    found = store.find(wanted)
    pattern = PathPattern(wanted)
    for name, digests in store.images.items():
        by_digest = {sha256(content): content for content in contents}
        merged = merge([listed(by_digest[digest]) for digest in digests], Progress())
        rows = [row for row in found if row[0] == name]
        shown = merged.at(len(digests) - 1)
        present = set()
        for node in range(1, len(merged)):
            if shown[node] >= 0 and pattern.matches(merged.tree.path(node)):
                present.add((int(merged.columns.layers(shown[node : node + 1])[0]), merged.tree.path(node).decode()))
        assert {row[1:3] for row in rows if row[3] is PRESENT} == present
        for _, number, path, fate, ender in rows:
            if fate is PRESENT:
                continue
            node = merged.tree.find(path.encode())
            bounds = merged.columns.bounds
            assert ender >= number
            at, before = merged.at(ender)[node], merged.at(ender - 1)[node]
            if ender > number:
                assert bounds[number] <= before < bounds[number + 1]  # until then it was seen
                assert not bounds[number] <= at < bounds[number + 1]
                assert (at == -1) == (fate is REMOVED)


def unpacked(contents: list[bytes]) -> dict[str, int]:
    """Which layer each path is of after all layers are unpacked one after the other, by rules as simple as can be."""
    seen: dict[str, int] = {}
    for number, content in enumerate(contents):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            names = [posixpath.normpath(member.name) for member in archive]
            kinds = {posixpath.normpath(member.name): member.isdir() for member in archive}
        for name in names:
            above, base = posixpath.split(name)
            if base == ".wh..wh..opq":
                seen = {path: of for path, of in seen.items() if above and not path.startswith(above + "/")}
            elif base.startswith(".wh."):
                gone = posixpath.join(above, base[4:])
                seen = {path: of for path, of in seen.items() if not (path + "/").startswith(gone + "/")}
        for name in names:
            if not posixpath.basename(name).startswith(".wh."):
                if not kinds[name]:
                    seen = {path: of for path, of in seen.items() if not path.startswith(name + "/")}
                for above in [name[:at] for at, letter in enumerate(name) if letter == "/"]:
                    if above in seen and not seen_kinds(contents, seen[above], above):
                        del seen[above]
                seen[name] = number
    return seen


def seen_kinds(contents: list[bytes], number: int, name: str) -> bool:
    with tarfile.open(fileobj=io.BytesIO(contents[number])) as archive:
        return {posixpath.normpath(member.name): member.isdir() for member in archive}[name]


_TREE = st.lists(
    st.tuples(st.sampled_from(["lib", "lib/a.so", "lib/x/b.so", "etc/a.conf", "etc", "bin/a", "lib/x"]), st.booleans()),
    max_size=5,
    unique_by=lambda entry: entry[0],
).filter(lambda entries: not any(a + "/" == b[: len(a) + 1] for a, d in entries if not d for b, _ in entries))
_MARKS = st.lists(
    st.sampled_from([".wh.lib", "lib/.wh.a.so", "lib/.wh.x", "etc/.wh..wh..opq", ".wh..wh..opq"]), max_size=2
)


@patient
@given(
    st.lists(st.tuples(_MARKS, _TREE), min_size=1, max_size=4),
    st.sampled_from(["so", "*.so", "lib/*", "a", "[ab].so", "etc"]),
)
def test_what_is_found_is_what_tarfile_lists(tmp_path_factory, layers, wanted):
    contents = []
    for marks, entries in layers:
        heads = [header(name.encode(), b"5" if is_folder else b"0") for name, is_folder in entries]
        contents.append(b"".join(header(mark.encode()) for mark in marks) + b"".join(heads) + END)
    store = Store(tmp_path_factory.mktemp("store"))
    store.add("image", *contents)
    found = store.find(wanted)
    expected = []
    for number, (_, entries) in enumerate(layers):
        for name, _ in entries:
            part = name if "/" in wanted else posixpath.basename(name)
            is_glob = not wanted.isalpha()
            depth = name.count("/") == wanted.count("/") or "/" not in wanted
            if (fnmatch.fnmatchcase(part, wanted) and depth) if is_glob else wanted in name:
                expected.append((number, name))
    assert sorted((row[1], row[2]) for row in found) == sorted(expected)
    seen = unpacked(contents)
    assert {row[2]: row[1] for row in found if row[3] is PRESENT} == {
        name: number for name, number in seen.items() if (number, name) in expected
    }
