"""Layers that are laid on each other make the file system that an unpacker would make of them."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Cancelled
from engine.filesystem import ABSENT, IMPLIED, FileSystem
from engine.listing import Listing
from engine.merging import merge
from engine.progress import Progress
from engine.tarwalk import Walker
from tests.archives import END, file, header

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


def listed(content: bytes) -> Listing:
    walker = Walker()
    walker.feed(content + END)
    return walker.finish()


def stacked(*layers: bytes) -> FileSystem:
    return merge([listed(layer) for layer in layers], Progress())


def folder(name: bytes) -> bytes:
    return header(name, b"5", mode=b"0000750\0")


def paths(files: FileSystem, layer: int = -1) -> dict[bytes, tuple[str, int]]:
    """Every path that is there: its type, and the layer that it is of, -1 for a folder without an entry."""
    seen = files.at(files.layers - 1 if layer < 0 else layer)
    found = {}
    for node in range(1, len(files)):
        if seen[node] != ABSENT:
            facts = files.facts(int(seen[node]))
            found[files.tree.path(node)] = chr(facts.kind), facts.layer
    return found


def test_what_comes_later_is_seen():
    files = stacked(file(b"a", b"1") + file(b"b", b"1"), file(b"a", b"22"))
    assert paths(files) == {b"a": ("0", 1), b"b": ("0", 0)}
    assert paths(files, 0) == {b"a": ("0", 0), b"b": ("0", 0)}


@pytest.mark.parametrize("spelling", [b"./usr/a", b"/usr/a", b"usr//a", b"usr/./a", b"usr/x/../a", b"../../usr/a"])
def test_a_path_is_the_same_in_every_spelling(spelling):
    files = stacked(file(b"usr/a", b"1"), file(spelling, b"2"))
    assert paths(files) == {b"usr": ("5", -1), b"usr/a": ("0", 1)}


def test_a_whiteout_hides_a_file_and_a_folder_with_all_that_is_in_it():
    files = stacked(
        file(b"etc/a") + file(b"etc/deep/er/b") + file(b"etc/c"), file(b"etc/.wh.a") + file(b"etc/.wh.deep")
    )
    assert paths(files) == {b"etc": ("5", -1), b"etc/c": ("0", 0)}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("mark", [b"d/.wh..wh..opq", b".wh.d"])
def test_whiteouts_hide_only_what_is_below_wherever_in_the_layer_they_stand(mark, before):
    own = folder(b"d/") + file(b"d/new")
    layer = file(mark) + own if before else own + file(mark)
    assert paths(stacked(folder(b"d/") + file(b"d/old"), layer)) == {b"d": ("5", 1), b"d/new": ("0", 1)}


def test_an_opaque_folder_without_an_entry_stays_with_that_of_the_layer_below():
    files = stacked(folder(b"d/") + file(b"d/old"), file(b"d/.wh..wh..opq"))
    assert paths(files) == {b"d": ("5", 0)}


def test_an_opaque_root_empties_everything():
    assert paths(stacked(file(b"a") + file(b"b/c"), file(b".wh..wh..opq") + file(b"d"))) == {b"d": ("0", 1)}


@pytest.mark.parametrize("name", [b".wh.", b".wh..", b".wh...", b"x/.wh...", b".wh..wh.plnk", b".wh..wh.aufs"])
def test_whiteouts_of_nothing_hide_nothing_and_are_not_files(name):
    assert paths(stacked(file(b"a") + file(b"x/y"), file(name))) == {
        b"a": ("0", 0),
        b"x": ("5", -1),
        b"x/y": ("0", 0),
    }


def test_a_file_replaces_a_folder_and_a_folder_a_file():
    files = stacked(folder(b"a/") + file(b"a/b"), file(b"a"), folder(b"a/") + file(b"a/c"))
    assert paths(files, 1) == {b"a": ("0", 1)}
    assert paths(files, 2) == {b"a": ("5", 2), b"a/c": ("0", 2)}


def test_a_folder_without_an_entry_replaces_a_file_too():
    assert paths(stacked(file(b"a"), file(b"a/b"))) == {b"a": ("5", -1), b"a/b": ("0", 1)}


def test_within_a_layer_what_comes_later_replaces_what_came_before():
    assert paths(stacked(file(b"a/b") + file(b"a"))) == {b"a": ("0", 0)}
    assert paths(stacked(file(b"a") + file(b"a/b"))) == {b"a": ("5", -1), b"a/b": ("0", 0)}
    assert paths(stacked(file(b"a/b") + file(b"a") + file(b"a/c"))) == {b"a": ("5", -1), b"a/c": ("0", 0)}
    below = folder(b"a/") + file(b"a/old")
    assert paths(stacked(below, file(b"a") + file(b"a/c"))) == {b"a": ("5", -1), b"a/c": ("0", 1)}
    twice = stacked(file(b"a", b"1") + file(b"a", b"22"))
    assert twice.facts(int(twice.at(0)[twice.tree.find(b"a")])).size == 2


def test_a_hard_link_is_the_file_that_it_leads_to_in_its_layer_or_below():
    link = header(b"other", b"1", link=b"./etc/a")
    files = stacked(file(b"etc/a", b"12345"), link, file(b"etc/.wh.a") + header(b"third", b"1", link=b"other"))
    for path, layer, target in ((b"other", 1, b"./etc/a"), (b"third", 2, b"other")):
        entry = int(files.at(2)[files.tree.find(path)])
        facts = files.facts(entry)
        assert (chr(facts.kind), facts.size, facts.hard, facts.layer) == ("0", 5, target, layer)
        assert files.content_of(entry) == (0, 512, 5)


def test_a_hard_link_leads_to_what_was_there_when_its_turn_came():
    files = stacked(file(b"a", b"1"), header(b"b", b"1", link=b"a") + file(b"a", b"22"))
    assert files.content_of(int(files.at(1)[files.tree.find(b"b")])) == (0, 512, 1)


def test_a_hard_link_to_nothing_has_no_content():
    files = stacked(header(b"b", b"1", link=b"nowhere"))
    entry = int(files.at(0)[files.tree.find(b"b")])
    assert files.content_of(entry) is None
    assert chr(files.facts(entry).kind) == "1"


def test_a_hard_link_to_a_link_is_that_link():
    files = stacked(header(b"l", b"2", link=b"target") + header(b"h", b"1", link=b"l"))
    facts = files.facts(int(files.at(0)[files.tree.find(b"h")]))
    assert (chr(facts.kind), facts.link, facts.hard) == ("2", b"target", b"l")
    assert files.content_of(1) is None


def test_a_root_that_is_a_link_changes_nothing():
    files = stacked(file(b"a") + header(b"./", b"2", link=b"/etc"))
    assert paths(files) == {b"a": ("0", 0)}
    assert files.facts(int(files.at(0)[0])).layer == -1


def test_what_lies_behind_a_link_of_its_own_layer_is_where_the_link_leads():
    link = header(b"lib", b"2", link=b"usr/lib")
    real = file(b"usr/lib/a", b"1")
    expected = {b"lib": ("2", 0), b"usr": ("5", -1), b"usr/lib": ("5", -1), b"usr/lib/a": ("0", 0)}
    files = stacked(link + real + file(b"lib/b", b"2") + header(b"h", b"1", link=b"lib/a"))
    assert paths(files) == expected | {b"usr/lib/b": ("0", 0), b"h": ("0", 0)}
    absolute = header(b"lib", b"2", link=b"/x/../usr/./lib")
    assert paths(stacked(real + absolute + file(b"lib/b", b"2"))) == expected | {b"usr/lib/b": ("0", 0)}
    assert paths(stacked(file(b"usr/lib/gone"), link + real + file(b"lib/.wh.gone")), 1).keys() == expected.keys()


def test_a_link_of_a_layer_below_is_replaced_as_on_overlayfs():
    files = stacked(header(b"lib", b"2", link=b"usr/lib"), file(b"lib/b"))
    assert paths(files) == {b"lib": ("5", -1), b"lib/b": ("0", 1)}


def test_a_link_that_is_none_any_more_is_not_followed():
    layer = header(b"l", b"2", link=b"x") + file(b"l/a") + folder(b"l/") + file(b"l/b")
    assert paths(stacked(layer)) == {b"l": ("5", 0), b"l/b": ("0", 0), b"x": ("5", -1), b"x/a": ("0", 0)}


def test_links_that_lead_around_in_a_circle_come_to_an_end():
    layer = header(b"a", b"2", link=b"b/x") + header(b"b", b"2", link=b"a/y") + file(b"a/f") + file(b"b/../../g")
    assert b"g" in paths(stacked(layer))


def test_names_may_be_any_bytes():
    name = b"\xff\xfe/\x01\xe2\x80\xae"
    files = stacked(file(name))
    assert files.tree.path(files.tree.find(name)) == name


def test_merging_stops_when_it_is_asked_to():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        merge([listed(file(b"a"))], progress)


def test_no_layers_are_an_empty_folder():
    files = merge([], Progress())
    assert (len(files), files.layers, paths(files)) == (1, 0, {})


names = st.sampled_from([b"a", b"b", b"c"])
some_paths = st.lists(names, min_size=1, max_size=3).map(b"/".join)
entries = st.one_of(
    st.tuples(some_paths, st.sampled_from("0056")),
    st.tuples(some_paths, st.just("w")),
    st.tuples(st.one_of(st.just(b""), some_paths), st.just("o")),
)
stacks = st.lists(st.lists(entries, max_size=6, unique_by=lambda entry: (entry[0], entry[1] in "wo")), max_size=4)


def written(path: bytes, kind: str) -> bytes:
    above, slash, name = path.rpartition(b"/")
    if kind == "w":
        return file(above + slash + b".wh." + name)
    if kind == "o":
        return file((path + b"/" if path else b"") + b".wh..wh..opq")
    return header(path + (b"/" if kind == "5" else b""), kind.encode())


def unpacked(stack: list[list[tuple[bytes, str]]]) -> dict[bytes, tuple[str, int]]:
    """The same by a program that does it path by path."""
    there: dict[bytes, tuple[str, int]] = {}

    def clear(path: bytes, itself: bool) -> None:
        for other in list(there):
            if (itself and other == path) or (other.startswith(path + b"/") or not path):
                del there[other]

    for n, layer in enumerate(stack):
        for path, kind in layer:
            if kind == "w" or (kind == "o" and there.get(path, "5")[0] == "5"):
                clear(path, kind == "w")
        for path, kind in layer:
            if kind in "wo":
                continue
            parts = path.split(b"/")
            for end in range(1, len(parts)):
                above = b"/".join(parts[:end])
                if there.get(above, "?")[0] != "5":
                    there[above] = "5", -1
            if kind != "5":
                clear(path, itself=True)
            there[path] = kind, n
    return there


@patient
@given(stacks)
def test_any_stack_is_what_a_plain_unpacker_makes_of_it(stack):
    layers = [b"".join(written(*entry) for entry in layer) for layer in stack]
    files = stacked(*layers)
    for n in range(len(stack)):
        assert paths(files, n) == unpacked(stack[: n + 1])


def test_hostile_paths_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("engine.pathtree.FOLDER_LIMIT", 100)
    deep = b"".join(file(b"/".join([b"%d" % n] * 40) + b"/f") for n in range(10))
    files = stacked(file(b"first") + deep)
    assert files.left_out > 0
    assert len(files) < 130
    assert b"first" in paths(files)
    assert IMPLIED in files.at(0)


def test_many_threads_may_ask():
    files = stacked(file(b"a/b", b"1"), file(b"a/.wh.b") + file(b"a/c", b"22"))
    totals: list[int] = []
    threads = [threading.Thread(target=lambda n=n: totals.append(files.view(n % 2).total)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(totals) == [1] * 4 + [2] * 4
