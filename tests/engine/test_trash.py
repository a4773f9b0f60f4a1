"""The trash: it holds what was removed, also on other file systems, until it is emptied; whatever fails on the way."""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine import blobs as blobs_module
from engine import durable, indexfile, trash
from engine import record as record_module
from engine import snapshot as facts
from engine import undo as undo_module
from engine.docker import DockerImageStore
from engine.errors import StorageFailed, StoreBusy, StoreChanged
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.removal import plan_removal
from tests.layouts import LayoutFiles, sha256
from tests.removals import TRASH, edit, furnish, records, remove, undo

Tree = dict[str, tuple[str, str]]


class TestEmptying:
    """What is thrown away frees its bytes; what was meant to be kept is kept."""

    def test_the_bytes_of_removals_become_free(self, files: LayoutFiles, tmp_path: Path) -> None:
        furnish(files)
        linked = files.blob(b"also elsewhere")
        os.link(files.file(linked), tmp_path / "other")
        remove(files.path, 0)
        remove(files.path, digests=(linked["digest"],))
        size = sum(blob.size for record in records(files.path) for blob in record.blobs)
        with ImageLayout.open(files.path) as layout:
            assert layout.empty_trash(None, Progress()) == size - len(b"also elsewhere")
            assert layout.trash() == []
        assert not (files.path / TRASH).exists()
        assert not (files.path / "metadata").exists()

    def test_only_what_is_named_goes(self, files: LayoutFiles) -> None:
        one, two = (remove(files.path, digests=(files.blob(content)["digest"],)) for content in (b"1", b"2"))
        with ImageLayout.open(files.path) as layout:
            layout.empty_trash([one], Progress())
            assert [record.id for record in layout.trash()] == [two]
            with pytest.raises(StoreChanged):
                layout.empty_trash([one], Progress())

    def test_edits_and_what_was_kept_aside_go_only_when_named(self, files: LayoutFiles) -> None:
        furnish(files)
        files.file(sha256(b"two")).write_bytes(b"bad")
        renamed = edit(files.path, lambda index: index.rename(0, "other"))
        with ImageLayout.open(files.path) as layout:
            aside = layout.keep_aside(sha256(b"two"), Progress()).record
            removed = remove(files.path, digests=(files.blob(b"x")["digest"],))
            layout.empty_trash(None, Progress())
            assert [record.id for record in layout.trash()] == [aside, renamed]
            layout.empty_trash([aside, renamed], Progress())
        assert removed
        assert not (files.path / TRASH).exists()

    def test_what_another_program_works_on_is_left_to_it(self, files: LayoutFiles) -> None:
        record = remove(files.path, digests=(files.blob(b"x")["digest"],))
        with ImageLayout.open(files.path) as one, ImageLayout.open(files.path) as two:
            with one._trash.opened(record):
                for work in (lambda: two.undo(record, Progress()), lambda: two.empty_trash([record], Progress())):
                    with pytest.raises(StoreBusy, match="Another program"):
                        work()
                assert two.empty_trash(None, Progress()) == 0
            two.undo(record, Progress())

    def test_metadata_folders_of_others_stay(self, files: LayoutFiles) -> None:
        one = furnish(files)
        other = files.path / "metadata/sha256" / ("0" * 64)
        other.mkdir()
        (other / "note").write_bytes(b"theirs")
        remove(files.path, 0)
        with ImageLayout.open(files.path) as layout:
            layout.empty_trash(None, Progress())
        assert (other / "note").read_bytes() == b"theirs"
        assert not files.file(one).exists()


class TestDocker:
    """Docker's store has the same trash; what is kept about an image goes and comes with it."""

    def test_an_image_and_its_metadata_come_back(self, docker: DockerImageStore, tree: Callable[[Path], Tree]) -> None:
        digest = docker.set(b"{}")
        docker.metadata.set(digest, "parent", b"sha256:" + b"0" * 64)
        before = tree(docker.path)
        plan = plan_removal(docker.scan(Progress()), [0])
        change = docker.apply(plan, Progress())
        assert (change.removed, list(docker.walk()), docker.metadata.keys(digest)) == ((digest,), [], [])
        assert [blob.digest for record in docker.trash() for blob in record.blobs] == [digest]
        docker.undo(change.record, Progress())
        assert tree(docker.path) == before

    def test_its_folders_stay_when_the_trash_is_emptied(
        self, docker: DockerImageStore, tree: Callable[[Path], Tree]
    ) -> None:
        before = tree(docker.path)
        docker.metadata.set(docker.set(b"{}"), "parent", b"x")
        docker.apply(plan_removal(docker.scan(Progress()), [0]), Progress())
        assert docker.empty_trash(None, Progress()) == 2
        assert tree(docker.path) == before

    def test_only_its_owner_can_look_into_the_trash(self, docker: DockerImageStore) -> None:
        docker.set(b"{}")
        docker.apply(plan_removal(docker.scan(Progress()), [0]), Progress())
        assert stat.S_IMODE((docker.path / TRASH).stat().st_mode) == 0o700


class TestOtherFileSystems:
    """A name can only be given within a file system, so what lies on another one waits there."""

    @pytest.mark.parametrize("where", ["blobs", "blobs/sha256", "metadata"])
    def test_what_lies_on_another_one_is_removed_and_comes_back(
        self,
        files: LayoutFiles,
        where: str,
        with_mount: Callable[[Path, Callable[[], None]], bool],
        tree: Callable[[Path], Tree],
    ) -> None:  # T107
        (files.path / "metadata").mkdir()

        def work() -> None:
            (files.path / "blobs" / "sha256").mkdir(exist_ok=True)
            one = furnish(files)
            before = tree(files.path)
            record = remove(files.path, 0)
            assert not files.file(one).exists()
            with ImageLayout.open(files.path) as layout:
                assert _stray(layout) == []
                assert {blob.digest for blob in layout.trash()[0].blobs} >= {one["digest"], sha256(b"one")}
            undo(files.path, record)
            assert tree(files.path) == before
            remove(files.path, 0)
            with ImageLayout.open(files.path) as layout:
                assert layout.empty_trash(None, Progress()) > 0
            assert list(files.path.rglob(f"*{TRASH}*")) == []

        if not with_mount(files.path / where, work):
            pytest.skip("nothing may be mounted here")


def _stray(layout: ImageLayout) -> list[str]:
    return [entry.name for batch in layout.blobs.list() for entry in batch if entry.kind.name != "BLOB"]


class TestFaults:
    """Whatever fails on the way, nothing is lost, and what failed has not happened or can be undone."""

    STEPS = ("write_file", "replace", "rename_new", "sync", "ensure_folder", "unlink", "remove_tree", "remove_empty")

    def harm(
        self, monkeypatch: pytest.MonkeyPatch, number: int, make_error: Callable[[], BaseException], *, lasting: bool
    ) -> list[str]:
        """Let the ``number``-th durable step fail, and with ``lasting`` every one after it; returns the steps so far."""
        steps: list[str] = []

        def harmed(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                steps.append(name)
                if len(steps) == number or (lasting and len(steps) > number):
                    raise make_error()
                return step(*arguments, **options)

            return call

        for module in (record_module, trash, undo_module, indexfile, blobs_module):
            for name in self.STEPS:
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, harmed(name, getattr(durable, name)))
        return steps

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
    def test_a_step_that_fails_leaves_everything_as_it_was(
        self, tmp_path: Path, tree: Callable[[Path], Tree], code: int
    ) -> None:
        number = tried = 0
        while True:
            number += 1
            files = LayoutFiles(tmp_path / str(number))
            furnish(files)
            before = tree(files.path)
            with pytest.MonkeyPatch.context() as patch:
                steps = self.harm(patch, number, lambda: OSError(code, os.strerror(code)), lasting=False)
                record = ""
                with suppress(StorageFailed):
                    record = remove(files.path, 0)
                tried += not record
            if len(steps) < number:
                break
            with ImageLayout.open(files.path) as layout:
                for left in [record] if record else []:
                    layout.undo(left, Progress())
                layout.clean(min_age_s=0)
            assert tree(files.path) == before, f"step {number}, {steps[number - 1]}"
        assert tried > 10

    def test_a_program_that_dies_in_the_middle_loses_nothing(
        self, tmp_path: Path, tree: Callable[[Path], Tree]
    ) -> None:
        number = 0
        while True:
            number += 1
            files = LayoutFiles(tmp_path / str(number))
            furnish(files)
            before = tree(files.path)
            with pytest.MonkeyPatch.context() as patch:
                steps = self.harm(patch, number, KeyboardInterrupt, lasting=True)
                with suppress(KeyboardInterrupt):
                    remove(files.path, 0)
            if len(steps) < number:
                break
            self.check_recovery(files, before, tree, f"step {number}, {steps[number - 1]}")

    def test_an_undo_that_dies_in_the_middle_can_be_done_again(
        self, tmp_path: Path, tree: Callable[[Path], Tree]
    ) -> None:
        number = 0
        while True:
            number += 1
            files = LayoutFiles(tmp_path / str(number))
            furnish(files)
            before = tree(files.path)
            record = remove(files.path, 0)
            with pytest.MonkeyPatch.context() as patch:
                steps = self.harm(patch, number, KeyboardInterrupt, lasting=True)
                with suppress(KeyboardInterrupt):
                    undo(files.path, record)
            if len(steps) < number:
                break
            self.check_recovery(files, before, tree, f"step {number}, {steps[number - 1]}")

    def check_recovery(self, files: LayoutFiles, before: Tree, tree: Callable[[Path], Tree], when: str) -> None:
        """Everything is in the store or in the trash, the index leads to nothing missing, and undo brings all back."""
        with ImageLayout.open(files.path) as layout:
            snapshot = layout.scan(Progress())
            assert snapshot.roots.trouble == "", when
            flags = snapshot.columns.flags
            assert not (((flags & facts.REACHABLE) != 0) & ((flags & facts.PRESENT) == 0)).any(), when
            for record in layout.trash():
                layout.undo(record.id, Progress())
            layout.clean(min_age_s=0)
        after = tree(files.path)
        assert {name: after.get(name) for name in before} == before, when
        assert after.keys() == before.keys(), when

    def test_a_full_disk_says_what_helps(
        self, files: LayoutFiles, tree: Callable[[Path], Tree], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        furnish(files)
        before = tree(files.path)

        def full(*_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(record_module, "write_file", full)
        with pytest.raises(StorageFailed, match="No space left") as failure:
            remove(files.path, 0)
        assert failure.value.remedy == "Empty the trash, or delete for good: both free space."
        assert tree(files.path) == before

    def test_a_damaged_journal_does_not_keep_the_blobs(self, files: LayoutFiles) -> None:
        blob = files.blob(b"content")
        record = remove(files.path, digests=(blob["digest"],))
        (files.path / TRASH / record / "journal.json").write_text("{")
        (found,) = records(files.path)
        assert (found.complete, [each.digest for each in found.blobs]) == (False, [blob["digest"]])
        undo(files.path, record)
        assert files.file(blob).read_bytes() == b"content"

    def test_strangers_in_the_trash_are_not_followed(self, files: LayoutFiles, tmp_path: Path) -> None:
        record = remove(files.path, digests=(files.blob(b"content")["digest"],))
        (tmp_path / "secret").write_bytes(b"secret")
        inside = files.path / TRASH / record / "blobs" / "sha256"
        (inside / "..evil").symlink_to(tmp_path / "secret")
        (inside.parent / "sha512").symlink_to(tmp_path)
        (files.path / TRASH / "notes").mkdir()
        assert [blob.digest for found in records(files.path) for blob in found.blobs] == [sha256(b"content")]
        with ImageLayout.open(files.path) as layout:
            layout.empty_trash(None, Progress())
        assert (tmp_path / "secret").read_bytes() == b"secret"
        assert (files.path / TRASH / "notes").is_dir()
