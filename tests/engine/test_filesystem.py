"""What is there at each layer, and what that layer added, changed and removed."""

from engine.filesystem import Change, FileSystem, View
from tests.archives import file, header
from tests.engine.test_merging import folder, stacked


def changes(files: FileSystem, view: View) -> dict[bytes, str]:
    marks = {Change.UNCHANGED: "=", Change.ADDED: "+", Change.CHANGED: "~", Change.REMOVED: "-"}
    found = {}
    for node in range(1, len(files)):
        if view.changes[node]:
            found[files.tree.path(node)] = marks[Change(int(view.changes[node]))]
    return found


def three_layers() -> FileSystem:
    return stacked(
        folder(b"etc/") + file(b"etc/a", bytes(100)) + file(b"etc/b", bytes(10)) + file(b"usr/c", bytes(1)),
        folder(b"etc/") + file(b"etc/a", bytes(200)) + file(b"etc/.wh.b"),
        file(b".wh.etc") + file(b"new", bytes(7)),
    )


def test_a_view_tells_what_its_layer_did():
    files = three_layers()
    first, second, third = (changes(files, files.view(layer)) for layer in range(3))
    assert first == {b"etc": "+", b"usr": "+", b"etc/a": "+", b"etc/b": "+", b"usr/c": "+"}
    assert second == {b"etc": "=", b"usr": "=", b"etc/a": "~", b"etc/b": "-", b"usr/c": "="}
    assert third == {b"etc": "-", b"usr": "=", b"etc/a": "-", b"usr/c": "=", b"new": "+"}


def test_a_view_of_one_layer_only_shows_what_it_touches():
    files = three_layers()
    assert changes(files, files.view(1, only=True)) == {b"etc": "=", b"etc/a": "~", b"etc/b": "-"}
    view = files.view(2, only=True)
    assert changes(files, view) == {b"etc": "-", b"etc/a": "-", b"new": "+"}
    assert view.total == 7


def test_folders_tell_the_size_of_what_is_in_them_and_removed_ones_what_went():
    files = three_layers()
    views = [files.view(layer) for layer in range(3)]
    etc = files.tree.find(b"etc")
    assert [int(view.sizes[etc]) for view in views] == [110, 200, 200]
    assert [view.total for view in views] == [111, 201, 8]


def test_folders_count_what_was_done_in_them():
    files = three_layers()
    view, etc = files.view(1), files.tree.find(b"etc")
    assert [int(column[etc]) for column in (view.added, view.changed, view.removed)] == [0, 1, 1]
    assert [int(column[0]) for column in (files.view(0).added, files.view(2).removed)] == [5, 2]


def test_a_file_that_comes_again_is_changed_and_a_folder_only_when_something_is_different():
    again = folder(b"d/") + file(b"d/f", b"x") + header(b"d/l", b"2", link=b"f")
    other = header(b"d/", b"5", mode=b"0000700\0") + header(b"d/l", b"2", link=b"g")
    files = stacked(again, again, other)
    assert changes(files, files.view(1)) == {b"d": "=", b"d/f": "~", b"d/l": "="}
    assert changes(files, files.view(2)) == {b"d": "~", b"d/f": "=", b"d/l": "~"}


def test_only_what_is_asked_for_is_shown_with_the_folders_that_lead_there():
    files = three_layers()
    view = files.view(1)

    def shown(*wanted: Change) -> set[bytes]:
        mask = view.shown(wanted)
        return {files.tree.path(node) for node in range(1, len(files)) if mask[node]}

    assert shown(Change.REMOVED) == {b"etc", b"etc/b"}
    assert shown(Change.CHANGED, Change.UNCHANGED) == {b"etc", b"etc/a", b"usr", b"usr/c"}
    assert shown(Change.ADDED) == set()
    matching = view.sizes == 1
    mask = view.shown(tuple(Change), matching)
    assert {files.tree.path(node) for node in range(1, len(files)) if mask[node]} == {b"usr", b"usr/c"}


def test_a_file_of_several_names_is_counted_once_and_shown_with_its_size():
    files = stacked(
        file(b"a", bytes(50)) + header(b"b", b"1", link=b"a"), header(b"c", b"1", link=b"a"), file(b".wh.a")
    )
    b, c = files.tree.find(b"b"), files.tree.find(b"c")
    view = files.view(1)
    assert (view.total, int(view.sizes[b]), int(view.shown_sizes[b])) == (50, 0, 50)
    last = files.view(2)
    assert last.total == 50  # the file is still there, under its other names
    assert [int(last.shown_sizes[node]) for node in (b, c)] == [50, 50]


def test_the_history_of_a_path_names_every_layer_that_touched_it():
    files = three_layers()
    told = files.history(files.tree.find(b"etc/a"))
    assert [(touch.layer, touch.change) for touch in told] == [
        (0, Change.ADDED),
        (1, Change.CHANGED),
        (2, Change.REMOVED),
    ]
    assert [touch.layer for touch in files.history(files.tree.find(b"new"))] == [2]


def test_facts_are_those_of_the_entry():
    files = stacked(header(b"f", size=0, mode=b"0004755\0", uid=b"0001750\0", gid=b"0000012\0", mtime=b"00000000777\0"))
    facts = files.facts(0)
    assert (facts.mode, facts.uid, facts.gid, facts.mtime) == (0o4755, 1000, 10, 0o777)
    assert (facts.layer, facts.row, files.content_of(0)) == (0, 0, (0, 512, 0))


def test_columns_can_be_looked_up_for_every_node_of_a_view():
    files = stacked(file(b"a/b", b"x"))
    view = files.view(0)
    kinds = files.columns.kinds[view.entries]
    assert [chr(kind) for kind in kinds] == ["5", "5", "0"]
    assert files.columns.layers(view.entries).tolist() == [-1, -1, 0]


def test_what_a_layer_by_itself_removes_is_known_by_name_alone():
    files = stacked(file(b"etc/.wh.gone") + file(b"srv/new", b"x") + file(b"srv/.wh.new"))
    assert changes(files, files.view(0)) == {b"srv": "+", b"srv/new": "+"}, "in an image there is nothing below it"
    view = files.view(0, unfounded=True)
    assert changes(files, view) == {b"etc": "=", b"etc/gone": "-", b"srv": "+", b"srv/new": "+"}
    gone = files.tree.find(b"etc/gone")
    assert files.content_of(int(view.entries[gone])) is None
    assert int(view.removed[files.tree.find(b"etc")]) == 1
    assert view.total == 1


def link(name: bytes, target: bytes) -> bytes:
    return header(name, b"2", link=target)


def test_a_link_is_followed_to_where_it_leads_in_the_view():
    files = stacked(
        folder(b"usr/bin/")
        + file(b"usr/bin/dash", b"sh")
        + link(b"bin", b"usr/bin")
        + link(b"usr/bin/sh", b"dash")
        + link(b"etc/shell", b"/bin/sh")
        + link(b"up", b"../../bin/./sh")
        + link(b"gone", b"usr/bin/zsh")
        + link(b"loop", b"loop")
        + link(b"root", b"/"),
        file(b"usr/bin/.wh.dash"),
    )

    def follow(path: bytes, layer: int = 0) -> bytes | None:
        target = files.follow(files.view(layer), files.tree.find(path))
        return files.tree.path(target) if target >= 0 else None

    assert [follow(path) for path in (b"bin", b"etc/shell", b"up", b"root")] == [
        b"usr/bin",
        b"usr/bin/dash",
        b"usr/bin/dash",
        b"",
    ]
    assert follow(b"gone") is None
    assert follow(b"loop") is None
    assert follow(b"etc/shell", 1) is None, "what it leads to is removed by then"
