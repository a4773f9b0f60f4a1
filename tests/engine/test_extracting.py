"""What is extracted stays in its folder, whatever the image says, and is whole or not there."""

import gzip
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import extracting
from engine.decompress import zstd
from engine.errors import BlobUnreadable, Cancelled, DigestMismatch, Refused, StorageFailed
from engine.extracting import Extraction, extract, save_blob
from engine.layout import ImageLayout
from engine.pathtree import ROOT
from engine.progress import Progress
from tests.archives import END, file, header, pax
from tests.engine.test_contents import Opened
from tests.layouts import LayoutFiles, tree

patient = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def layout(tmp_path: Path) -> LayoutFiles:
    return LayoutFiles(tmp_path / "layout")


@pytest.fixture
def store(layout: LayoutFiles) -> Iterator[ImageLayout]:
    with ImageLayout.open(layout.path) as store:
        yield store


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "outside" / "target"
    folder.mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_text("secret")
    return folder


class Image:
    """An image of some layers, to be extracted from."""

    def __init__(self, layout: LayoutFiles, store: ImageLayout, *layers: bytes, layer: int = -1, only: bool = False):
        self.opened = Opened(store, [layout.blob(content + END)["digest"] for content in layers])
        self.files = self.opened.files
        self.view = self.files.view(layer % len(layers), only=only)

    def extract(self, target: Path, *paths: bytes, progress: Progress | None = None, **more) -> Extraction:
        nodes = [self.files.tree.find(path) for path in paths] or [ROOT]
        return extract(self.opened.contents, self.files, self.view, nodes, target, progress or Progress(), **more)


@pytest.fixture
def image(layout: LayoutFiles, store: ImageLayout):
    return lambda *layers, **more: Image(layout, store, *layers, **more)


def names(target: Path) -> list[str]:
    return sorted(str(path.relative_to(target)) for path in target.rglob("*"))


def test_files_and_folders_come_out_as_they_are(image, target):
    told = image(
        header(b"usr/", b"5", mode=b"0000755\0")
        + file(b"usr/run", b"#!", mode=b"0004755\0", mtime=b"00000001000\0", uid=b"0001750\0")
        + file(b"usr/share/text", b"text", mode=b"0000640\0"),
        file(b"usr/share/more", b"x" * 300_000),
    ).extract(target, b"usr")
    assert names(target) == ["usr", "usr/run", "usr/share", "usr/share/more", "usr/share/text"]
    status = (target / "usr/run").stat()
    umask = os.umask(0o22)
    os.umask(umask)
    assert stat.S_IMODE(status.st_mode) == 0o755 & ~umask
    assert (status.st_mtime, status.st_uid, status.st_nlink) == (0o1000, os.geteuid(), 1)
    assert (target / "usr/share/more").read_bytes() == b"x" * 300_000
    assert (told.files, told.folders, told.size, told.placed) == (3, 2, 300_006, [target / "usr"])
    assert (told.renamed, told.left_out, told.is_verified) == ([], [], True)


def test_the_whole_file_system_gets_a_folder_of_its_own(image, target):
    told = image(file(b"a", b"1") + file(b"b/c", b"2")).extract(target)
    assert names(target) == ["files", "files/a", "files/b", "files/b/c"]
    assert told.placed == [target / "files"]


def test_the_whole_file_system_may_be_called_otherwise(image, target):
    told = image(file(b"a", b"1")).extract(target, root_name="../app:1.0")
    assert names(target) == ["..%2Fapp:1.0", "..%2Fapp:1.0/a"]
    assert told.renamed == [("", "..%2Fapp:1.0")]


def test_half_a_character_in_the_name_of_the_image_is_no_obstacle(image, target):
    told = image(file(b"a", b"1")).extract(target, root_name="\ud800x")
    assert names(target) == ["%D800x", "%D800x/a"]
    assert told.renamed == [("", "%D800x")]


def test_what_is_chosen_twice_comes_out_once(image, target):
    image(file(b"a/b", b"1") + file(b"a/c", b"2")).extract(target, b"a", b"a/b")
    assert names(target) == ["a", "a/b", "a/c"]


def test_only_what_the_view_shows_comes_out(image, target):
    layers = (file(b"d/old", b"1") + file(b"d/gone", b"2"), file(b"d/new", b"3") + file(b"d/.wh.gone"))
    image(*layers).extract(target, b"d")
    assert names(target) == ["d", "d/new", "d/old"]
    image(*layers, only=True).extract(target, b"d")
    assert names(target / "d (2)") == ["new"]


def test_what_a_layer_removed_can_be_had_by_its_name(image, target):
    layers = (file(b"d/gone", b"here") + file(b"d/x/y", b"deep"), file(b".wh.d"))
    image(*layers).extract(target, b"d")
    assert (target / "d/gone").read_text() == "here"
    assert (target / "d/x/y").read_text() == "deep"


def test_what_has_a_name_that_is_taken_gets_another_beside_it(image, target):
    (target / "a.txt").write_text("mine")
    (target / "d").mkdir()
    (target / "d/mine").write_text("mine")
    (target / "l").symlink_to("../secret")
    before = tree(target)
    told = image(file(b"a.txt", b"new") + file(b"d/f", b"new") + file(b"l", b"new")).extract(
        target, b"a.txt", b"d", b"l"
    )
    assert before.items() <= tree(target).items()
    assert {path.name for path in told.placed} == {"a (2).txt", "d (2)", "l (2)"}
    assert set(told.renamed) == {("a.txt", "a (2).txt"), ("d", "d (2)"), ("l", "l (2)")}
    assert (target / "../secret").read_text() == "secret"


def test_hard_links_become_files_of_their_own(image, target):
    content = os.urandom(200_000)
    told = image(
        file(b"d/a", content) + header(b"d/b", b"1", link=b"d/a"),
        header(b"d/c", b"1", link=b"d/b"),
    ).extract(target, b"d")
    for name in ("a", "b", "c"):
        made = target / "d" / name
        assert made.read_bytes() == content
        assert made.stat().st_nlink == 1
    assert (told.files, told.size) == (3, 600_000)


def test_nothing_but_files_folders_and_links_is_made(image, target):
    told = image(
        header(b"d/pipe", b"6")
        + header(b"d/null", b"3", major=b"0000001\0", minor=b"0000003\0")
        + header(b"d/disk", b"4")
        + header(b"d/lost", b"1", link=b"nowhere")
        + file(b"d/file", b"1")
    ).extract(target, b"d")
    assert names(target) == ["d", "d/file"]
    assert {path for path, _ in told.left_out} == {"d/pipe", "d/null", "d/disk", "d/lost"}
    assert told.left_out_count == 4
    assert all(reason.startswith("It is") for _, reason in told.left_out)


LINKS = [
    (b"f", b"f"),
    (b"./f", b"./f"),
    (b"deep/g", b"deep/g"),
    (b"deep//g", b"deep/g"),
    (b".//.", b"."),
    (b"../x", None),
    (b"/etc/passwd", None),
    (b"/d/f", b"f"),
    (b"/d", b"."),
    (b"/d/../../secret", None),
    (b"deep/../../secret", None),
    (b"deep/..", None),
    (b"..", None),
    (b"//secret", None),
    (b"/dd/f", None),
]


@pytest.mark.parametrize(("link", "made"), LINKS)
def test_links_are_made_only_where_they_stay_inside(image, target, link, made):
    told = image(file(b"d/f", b"1") + file(b"d/deep/g", b"2") + header(b"d/l", b"2", link=link)).extract(target, b"d")
    place = target / "d/l"
    if made is None:
        assert not os.path.lexists(place)
        assert told.left_out == [("d/l", "It is a symbolic link that leads out of what is extracted.")]
    else:
        assert place.readlink() == Path(os.fsdecode(made))
        assert (told.links, told.left_out) == (1, [])
        assert [name for _, name in told.renamed] == ([f"l → {made.decode()}"] if link != made else [])


def test_a_hard_link_to_a_link_is_that_link(image, target):
    layer = file(b"d/f", b"1") + header(b"d/l", b"2", link=b"f") + header(b"d/h", b"1", link=b"d/l")
    image(layer).extract(target, b"d")
    assert (target / "d/h").readlink() == Path("f")


def test_links_in_deeper_folders_may_go_up_as_far_as_the_top(image, target):
    told = image(
        file(b"d/f", b"1")
        + header(b"d/x/y/ok", b"2", link=b"../../f")
        + header(b"d/x/y/out", b"2", link=b"../../../f")
        + header(b"d/x/y/absolute", b"2", link=b"/d/f")
    ).extract(target, b"d")
    assert (target / "d/x/y/ok").read_text() == (target / "d/x/y/absolute").read_text() == "1"
    assert [path for path, _ in told.left_out] == ["d/x/y/out"]


def test_a_link_of_a_link_leads_nowhere_else(image, target):
    """Each of these stays inside by its letters; together they would not."""
    told = image(
        header(b"d/x/y/up", b"2", link=b"../..")
        + header(b"d/l", b"2", link=b"x/y/up/../../secret")
        + file(b"d/x/y/f", b"1")
    ).extract(target, b"d")
    assert (target / "d/x/y/up").resolve() == (target / "d").resolve()
    assert [path for path, _ in told.left_out] == ["d/l"]


def test_links_at_the_top_are_made_beside_what_they_lead_to(image, target):
    (target / "taken").write_text("mine")
    layer = (
        file(b"lib.so.1", b"1")
        + header(b"lib.so", b"2", link=b"lib.so.1")
        + file(b"taken", b"2")
        + header(b"t", b"2", link=b"taken")
        + header(b"s", b"2", link=b"../secret")
    )
    told = image(layer).extract(target, b"lib.so", b"lib.so.1", b"taken", b"t", b"s")
    assert (target / "lib.so").readlink() == Path("lib.so.1")
    assert sorted(path for path, _ in told.left_out) == ["s", "t"]


ATTEMPTS = [
    file(b"../../secret", b"evil"),
    file(b"/../../../secret", b"evil"),
    file(b"d/../../secret", b"evil"),
    header(b"d/l", b"2", link=b"../../secret") + file(b"d/l/x", b"evil"),
    header(b"d/l", b"2", link=b"..") + file(b"d/l/secret", b"evil"),
    file(b"d/l/secret", b"evil") + header(b"d/l", b"2", link=b".."),
    header(b"./", b"2", link=b"..") + file(b"secret", b"evil"),
    header(b"d/l", b"1", link=b"../../secret"),
    header(b"d/l", b"1", link=b"/secret"),
    header(b"d", b"2", link=b"/") + file(b"d/secret", b"evil"),
    header(b"d/a", b"2", link=b".") + header(b"d/b", b"2", link=b"a/..") + file(b"d/b/secret", b"evil"),
    file(b"d/\x00../secret", b"evil"),
    file(b"..", b"evil") + file(b".", b"evil") + file(b"...", b"fine"),
]


@pytest.mark.parametrize("layers", [[attempt] for attempt in ATTEMPTS] + [ATTEMPTS, ATTEMPTS[::-1]])
def test_nothing_is_ever_made_or_changed_outside(image, target, layers, tmp_path):
    before = tree(target.parent)
    image(*layers).extract(target)
    after = tree(target.parent)
    made = {path: facts for path, facts in after.items() if before.get(path) != facts and path != "target"}
    assert all(path == "target/files" or path.startswith("target/files/") for path in made)
    for path in target.rglob("*"):
        if path.is_symlink():
            assert (path.parent / path.readlink()).resolve().is_relative_to((target / "files").resolve())


names_of_links = st.sampled_from([b"a", b"b", b"c", b"a/a", b"a/b", b"b/a/c"])
targets_of_links = st.lists(st.sampled_from([b"a", b"b", b"..", b".", b"", b"c"]), max_size=6).map(b"/".join)


@patient
@given(st.lists(st.tuples(names_of_links, st.one_of(st.none(), targets_of_links)), max_size=8))
def test_no_chain_of_links_leads_out(image, target, entries):
    layer = b"".join(file(name, b"1") if link is None else header(name, b"2", link=link) for name, link in entries)
    told = image(layer).extract(target)
    (top,) = told.placed
    for path in top.rglob("*"):
        if path.is_symlink():
            found = os.path.realpath(path)
            assert found == str(top) or found.startswith(f"{top}/")


def test_names_are_made_safe_and_this_is_told(image, target):
    told = image(file(b"d/\xff\x1b[31m", b"1") + file(b"d/%FF%1B[31m", b"2")).extract(target, b"d")
    assert names(target) == ["d", "d/%FF%1B[31m", "d/%FF%1B[31m (2)"]
    assert len(told.renamed) == 1
    assert {path.read_bytes() for path in (target / "d").iterdir()} == {b"1", b"2"}


def test_too_many_folders_in_each_other_are_left_out(image, target):
    told = image(pax(path=b"/".join([b"d"] * 600)) + file(b"f", b"1")).extract(target, b"d")
    assert told.left_out_count == 1
    assert told.folders == 201


def test_existing_folders_of_the_target_that_are_links_are_not_entered(image, target):
    (target / "d").symlink_to("..")
    image(file(b"d/secret", b"evil")).extract(target, b"d")
    assert (target / "../secret").read_text() == "secret"
    assert (target / "d (2)/secret").read_text() == "evil"


def test_nothing_is_left_when_it_is_cancelled(image, target):
    progress = Progress()
    pictured = image(file(b"d/a", bytes(3_000_000)) + file(b"d/b", bytes(10)))
    advance = progress.advance

    def cancelled(amount: int = 1) -> None:
        if progress.done > 500_000:
            assert names(target), "it is on its way"
            progress.cancel()
        advance(amount)

    progress.advance = cancelled
    with pytest.raises(Cancelled):
        pictured.extract(target, b"d", progress=progress)
    assert names(target) == []


def test_what_was_killed_on_its_way_goes_with_the_next(image, target, in_child):
    progress = Progress()
    progress.advance = lambda amount=1: os.kill(os.getpid(), signal.SIGKILL)
    pictured = image(file(b"a", b"1"))
    assert in_child(lambda: pictured.extract(target, b"a", progress=progress)) == signal.SIGKILL
    assert names(target), "it was on its way"
    pictured.extract(target, b"a")
    assert names(target) == ["a"]


def test_what_a_person_puts_into_a_folder_that_came_out_stays_whatever_the_image_called_it(image, target):
    called = b".blobscope-0123456789abcdef"
    for told in (
        image(file(b"a", b"1")).extract(target, root_name=called.decode()),
        image(file(called + b"/a", b"1")).extract(target, called),
    ):
        (target / told.placed[0] / "notes").write_text("mine")
        assert [name for _, name in told.renamed], "the name is not what the image says"
    mine = target / called.decode() / "notes"  # however it came there
    mine.parent.mkdir()
    mine.write_text("mine")
    image(file(b"b", b"1")).extract(target, b"b")
    assert [path.read_text() for path in sorted(target.glob("*/notes"))] == ["mine"] * 3


def test_an_image_cannot_mark_a_folder_as_one_of_ours(image, target):
    told = image(file(b"d/.blobscope-staging", b"1")).extract(target, b"d", b"d/.blobscope-staging")
    assert names(target) == ["d", "d/%2Eblobscope-staging"]
    assert told.renamed == [("d/.blobscope-staging", "%2Eblobscope-staging")]


def test_nothing_is_left_of_a_layer_that_is_damaged(layout, store, target):
    packed = gzip.compress(file(b"a", b"1") + file(b"big", os.urandom(900_000)) + END)
    opened = Opened(store, [layout.blob(packed[: len(packed) // 2])["digest"]])
    with pytest.raises(BlobUnreadable, match="cannot be read up to there"):
        extract(opened.contents, opened.files, opened.files.view(0), [ROOT], target, Progress())
    assert names(target) == []


@pytest.mark.parametrize("paths", [[b""], [b"d"], [b"d/big", b"d/a"]])
def test_of_a_layer_that_is_damaged_the_rest_can_be_had(layout, store, target, paths):
    link = header(b"d/also", b"1", link=b"d/big")
    packed = gzip.compress(file(b"d/a", b"1") + file(b"d/big", os.urandom(900_000)) + link + END)
    whole = Opened(store, [layout.blob(packed[: len(packed) // 2])["digest"]])
    nodes = [whole.files.tree.find(path) for path in paths]
    told = extract(whole.contents, whole.files, whole.files.view(0), nodes, target, Progress(), keep_going=True)
    made = [name for name in names(target) if not (target / name).is_dir()]
    assert [Path(name).name for name in made] == ["a"]
    assert told.files == told.size == 1
    ((path, reason),) = told.left_out
    assert path == "d/big"
    assert "cannot be read up to there" in reason


def test_more_than_there_is_room_for_or_wanted_is_refused_before_anything_is_written(image, target, monkeypatch):
    pictured = image(file(b"a", bytes(2000)))
    with pytest.raises(Refused, match="2,000 bytes; at most 1,000"):
        pictured.extract(target, b"a", most=1000)
    room = os.statvfs_result((4096, 4096, 100, 1, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(extracting.os, "fstatvfs", lambda _: room)
    with pytest.raises(Refused, match="0 are free there"):
        pictured.extract(target, b"a")
    assert names(target) == []


def test_a_folder_that_cannot_be_written_is_told(image, tmp_path):
    with pytest.raises(StorageFailed, match="Writing to"):
        image(file(b"a", b"1")).extract(tmp_path / "absent", b"a")


def test_where_the_file_system_refuses_a_name_another_is_taken(image, target, monkeypatch):
    make = os.open

    def refusing(name, flags, *more, **others):
        if flags & os.O_CREAT and ":" in str(name):
            raise OSError(22, "Invalid argument")
        return make(name, flags, *more, **others)

    monkeypatch.setattr(extracting.os, "open", refusing)
    told = image(file(b"d/a:b", b"1")).extract(target, b"d")
    assert names(target) == ["d", "d/a%3Ab"]
    assert told.renamed == [("d/a:b", "a%3Ab")]


def test_where_there_are_no_links_the_files_come_out_all_the_same(image, target, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(extracting.os, "symlink", refuse)
    layer = file(b"d/f", b"1") + header(b"d/l", b"2", link=b"f") + file(b"a", b"2") + header(b"l", b"2", link=b"a")
    told = image(layer).extract(target, b"d", b"a", b"l")
    assert names(target) == ["a", "d", "d/f"]
    assert sorted(path for path, _ in told.left_out) == ["d/l", "l"]


def test_where_upper_and_lower_case_are_the_same_nothing_is_overwritten(image, target, monkeypatch):
    make, there = os.open, set()

    def folding(name, flags, *more, **others):
        if flags & os.O_CREAT:
            if str(name).lower() in there:
                raise FileExistsError(17, "File exists")
            there.add(str(name).lower())
        return make(name, flags, *more, **others)

    monkeypatch.setattr(extracting.os, "open", folding)
    told = image(file(b"d/A", b"1") + file(b"d/a", b"2")).extract(target, b"d")
    assert names(target) == ["d", "d/A", "d/a (2)"]
    assert told.renamed == [("d/a", "a (2)")]


def test_layers_are_gone_through_once(layout, store, target):
    content = b"".join(file(b"d/%03d" % (n * 7 % 200), os.urandom(20_000)) for n in range(200))
    opened = Opened(store, [layout.blob(zstd.compress(content + END))["digest"]])
    read = []
    pread = os.pread

    def counted(handle, size, offset):
        read.append(size)
        return pread(handle, size, offset)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pread", counted)
        told = extract(opened.contents, opened.files, opened.files.view(0), [ROOT], target, Progress())
    assert told.files == 200
    assert sum(read) < 5_000_000


def test_files_of_a_layer_that_changed_since_are_told_as_not_verified(layout, store, target):
    digest = layout.blob(file(b"a", b"1") + END)["digest"]
    opened = Opened(store, [digest])
    os.utime(layout.file(digest), (5, 5))
    told = extract(opened.contents, opened.files, opened.files.view(0), [ROOT], target, Progress())
    assert not told.is_verified


def test_a_blob_is_saved_whole_under_a_readable_name(layout, store, target):
    digest = layout.blob(b"content" * 1000)["digest"]
    (target / "layer.tar").write_text("mine")
    progress = Progress()
    made = save_blob(store.blobs, digest, "layer.tar", target, progress)
    assert (made.name, made.read_bytes()) == ("layer (2).tar", b"content" * 1000)
    assert (progress.done, progress.total) == (7000, 7000)
    assert save_blob(store.blobs, digest, "../../evil", target, Progress()).parent == target
    assert len(names(target)) == 3


def test_a_corrupt_blob_is_saved_only_when_that_is_wanted(layout, store, target):
    digest = layout.blob(b"content")["digest"]
    layout.file(digest).write_bytes(b"CONTENT")
    with pytest.raises(DigestMismatch):
        save_blob(store.blobs, digest, "x", target, Progress())
    assert names(target) == []
    assert save_blob(store.blobs, digest, "x", target, Progress(), even_if_wrong=True).read_bytes() == b"CONTENT"


def test_sockets_in_the_target_are_left_alone(image, target, monkeypatch):
    monkeypatch.chdir(target)
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind("a")
    image(file(b"a", b"1")).extract(target, b"a")
    assert names(target) == ["a", "a (2)"]
