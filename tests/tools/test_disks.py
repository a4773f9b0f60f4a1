"""Real disks that are full, read-only, or several: what cannot be done is said, and nothing is lost or half done."""

import codecs
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import EngineError, ImageLayout, ImportRequest, Progress, StorageFailed, open_store, plan_removal
from engine.document import Descriptor
from engine.errors import AlreadyExists
from engine.leftovers import MIN_AGE_S
from tests.layouts import LayoutFiles, sha256, tree
from tests.tools._furnishing import CREATING, do_before, furnish, make_store
from tests.tools._mounts import apart, become_nobody, fill_up, make_read_only, mount_memory
from tests.tools._operations import HELLO, HELLO_DIGEST, IMAGE, LARGE, MANIFEST, OPERATIONS, remove_blob, undo
from tests.tools._places import files_in, held

ROOM = "size=1m,mode=755"


def apart_on_a_small_disk(folder: Path, work: Callable[[LayoutFiles], None]) -> None:
    """Let something be done to a layout with two images on a disk of 1 MiB."""

    def mounted() -> None:
        mount_memory(folder, ROOM)
        files = LayoutFiles(folder / "layout")
        files.name(files.image(b"only one"), IMAGE)
        files.name(files.image(b"only two"), "two:1")
        files.blob(HELLO)
        work(files)

    apart(mounted)


def refused(work: Callable[[], object]) -> StorageFailed:
    """What is said by work for which there is no room."""
    with pytest.raises(StorageFailed) as raised:
        work()
    assert str(raised.value).endswith("No space left on device.")
    return raised.value


def add_name(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        layout.edit_index(lambda index: index.retag("more", Descriptor(MANIFEST, HELLO_DIGEST, len(HELLO))), "Add")


class TestFullDisk:
    """What there is no room for has not happened, and what frees room works."""

    def test_a_blob_that_does_not_fit_leaves_nothing_and_fits_later(self, tmp_path: Path) -> None:
        def work(files: LayoutFiles) -> None:
            before = tree(files.path / "blobs")
            with ImageLayout.open(files.path) as layout:
                failure = refused(lambda: layout.blobs.put(LARGE))
                assert failure.remedy == "Free some space on that disk and try again."
                assert tree(files.path / "blobs") == before
                assert layout.leftovers(min_age_s=0) == []
                layout.blobs.put(LARGE[:500_000])

        apart_on_a_small_disk(tmp_path, work)

    def test_an_import_that_does_not_fit_names_nothing(self, tmp_path: Path) -> None:
        source = LayoutFiles(tmp_path / "source")
        manifest = source.image(b"fits", LARGE)
        (tmp_path / "disk").mkdir()

        def work(files: LayoutFiles) -> None:
            index = (files.path / "index.json").read_bytes()
            parts = sorted((source.path / "blobs" / "sha256").iterdir(), key=lambda part: part.stat().st_size)
            requests = [ImportRequest(part, "big" if part == source.file(manifest) else None) for part in parts]
            with ImageLayout.open(files.path) as layout:
                refused(lambda: layout.import_files(requests, Progress()))
                assert layout.leftovers(min_age_s=0) == []
            assert (files.path / "index.json").read_bytes() == index
            assert not source.file(sha256(LARGE)).samefile(files.path)
            assert not files.file(sha256(LARGE)).exists()

        apart_on_a_small_disk(tmp_path / "disk", work)

    def test_without_any_room_nothing_changes_and_with_some_all_is_done(self, tmp_path: Path) -> None:
        def work(files: LayoutFiles) -> None:
            before = held(files_in(files.path))
            index = (files.path / "index.json").read_bytes()
            for operation in (add_name, OPERATIONS["remove an image"], remove_blob):
                filler = fill_up(tmp_path)
                failure = refused(lambda operation=operation: operation(files.path))
                assert failure.remedy
                assert (held(files_in(files.path)), (files.path / "index.json").read_bytes()) == (before, index)
                with ImageLayout.open(files.path) as layout:
                    assert layout.trash() == []
                    assert layout.leftovers(min_age_s=0) == []
                filler.unlink()
                operation(files.path)
                undo(files.path)
                assert (held(files_in(files.path)), (files.path / "index.json").read_bytes()) == (before, index)

        apart_on_a_small_disk(tmp_path, work)

    def test_a_full_trash_says_what_helps_and_to_delete_for_good_needs_no_room(self, tmp_path: Path) -> None:
        def work(files: LayoutFiles) -> None:
            fill_up(tmp_path)
            assert refused(lambda: remove_blob(files.path)).remedy == (
                "Empty the trash, or delete for good: both free space."
            )
            with ImageLayout.open(files.path) as layout:
                plan = plan_removal(layout.scan(Progress()), digests=[HELLO_DIGEST])
                assert layout.apply(plan, Progress(), for_good=True).removed == (HELLO_DIGEST,)
                layout.blobs.put(b"as small as the one that went")

        apart_on_a_small_disk(tmp_path, work)

    def test_emptying_the_trash_needs_no_room_and_makes_some(self, tmp_path: Path) -> None:
        def work(files: LayoutFiles) -> None:
            with ImageLayout.open(files.path) as layout:
                large = layout.blobs.put(LARGE[:300_000]).digest
                layout.apply(plan_removal(layout.scan(Progress()), digests=[large]), Progress())
                fill_up(tmp_path)
                refused(lambda: layout.blobs.put(LARGE[:200_000]))
                assert layout.empty_trash(None, Progress()) == 300_000
                layout.blobs.put(LARGE[:200_000])

        apart_on_a_small_disk(tmp_path, work)

    def test_an_undo_without_room_loses_nothing_and_can_be_done_again(self, tmp_path: Path) -> None:
        def work(files: LayoutFiles) -> None:
            before = files_in(files.path)
            OPERATIONS["remove an image"](files.path)
            filler = fill_up(tmp_path)
            refused(lambda: undo(files.path))
            assert held(files_in(files.path)) == held(before)
            filler.unlink()
            undo(files.path)
            assert files_in(files.path) == before

        apart_on_a_small_disk(tmp_path, work)


MEDIA: dict[str, tuple[Callable[[Path], None], str]] = {
    "read-only": (make_read_only, "Read-only file system"),
    "another's": (lambda _: become_nobody(), "Permission denied|Operation not permitted"),
}


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_where_nothing_may_be_written_everything_can_be_looked_at_and_nothing_changes(
    tmp_path: Path, operation: str, medium: str
) -> None:
    if medium == "another's" and os.geteuid():
        pytest.skip("only root can go on as somebody else")
    seal, cause = MEDIA[medium]
    furnish(tmp_path, operation)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    store = tmp_path / "store"
    for path in store.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)

    def work() -> None:
        codecs.lookup("ascii")  # what Python loads late may lie where nobody else may look
        seal(store)
        before = tree(store)
        if operation not in CREATING:
            with open_store(store) as opened:
                opened.verify(opened.scan(Progress()), None, Progress())
                opened.leftovers(min_age_s=MIN_AGE_S)
                opened.trash()
        # What is there already needs no writing.
        if operation == "put a blob that is there" and medium == "another's":
            return
        with pytest.raises(EngineError) as raised:
            OPERATIONS[operation](store)
        assert re.fullmatch(rf"[^\n]+: ({cause})\.", str(raised.value))
        assert raised.value.remedy
        assert tree(store) == before

    apart(work)


@pytest.mark.parametrize("where", ["blobs", "blobs/sha256"])
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if "Docker" not in name and name not in CREATING])
def test_blobs_may_lie_on_a_disk_of_their_own(tmp_path: Path, operation: str, where: str) -> None:
    """Everything ends as on a single disk; the trash has a part there, which comes and goes with it."""
    make_store(tmp_path, operation)
    store, plain = tmp_path / "store", tmp_path / "plain"

    def work() -> None:
        shutil.copytree(store, plain / "store")
        if (tmp_path / "files").exists():
            shutil.copytree(tmp_path / "files", plain / "files")
        mount_memory(store / where)
        shutil.copytree(plain / "store" / where, store / where, dirs_exist_ok=True)
        for each in (store, plain / "store"):
            do_before(each, operation)
        before = contents(store)
        for each in (store, plain / "store"):
            OPERATIONS[operation](each)
        assert contents(store) == contents(plain / "store")
        assert {path for path, _ in held(files_in(store))} >= {path for path, _ in held(files_in(plain / "store"))}
        with ImageLayout.open(store) as layout:
            left = {leftover.path for leftover in layout.leftovers(min_age_s=0)}
            assert left <= {"metadata/sha256"}, "an empty folder may stay"
            if not operation.startswith(("undo", "take")):
                for record in layout.trash()[:1]:
                    layout.undo(record.id, Progress())
                    assert contents(store) == before
        assert not (store / where / ".blobscope-trash").exists()

    apart(work)


@pytest.mark.parametrize("where", ["blobs", "blobs/sha256"])
def test_what_lies_in_the_trash_of_another_disk_stays_there_and_that_is_said(tmp_path: Path, where: str) -> None:
    """Blobs were moved to a disk of their own after something was removed."""
    furnish(tmp_path, "undo a removal")
    store = tmp_path / "store"

    def work() -> None:
        shutil.copytree(store / where, tmp_path / "moved")
        mount_memory(store / where)
        shutil.copytree(tmp_path / "moved", store / where, dirs_exist_ok=True)
        before = files_in(store)
        with pytest.raises(StorageFailed) as raised:
            undo(store)
        assert str(raised.value).endswith("Invalid cross-device link.")
        assert "another disk" in raised.value.remedy
        assert held(files_in(store)) == held(before)
        assert contents(store) == {path: found[2] for path, found in before.items() if found[2] and "trash" not in path}

    apart(work)


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store but for the trash, with its content."""
    return {
        path: content for path, (_, _, content) in tree(store).items() if ".blobscope-trash" not in path and content
    }


def test_a_store_that_is_there_is_not_created_over_on_a_full_disk_either(tmp_path: Path) -> None:
    def work(files: LayoutFiles) -> None:
        fill_up(tmp_path)
        with pytest.raises(AlreadyExists):
            ImageLayout.create(files.path)
        refused(lambda: ImageLayout.create(tmp_path / "another"))
        assert sorted(os.listdir(tmp_path)) == ["filler", "layout"]

    apart_on_a_small_disk(tmp_path, work)
