"""Hashing says of each blob whether it is what its name promises; verdicts hold as long as the file stays the same."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from engine.blobs import Blobs
from engine.directory import Directory
from engine.errors import Cancelled, StorageFailed
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.snapshot import Outcome, Snapshot, State
from engine.verdicts import Verdicts, load_verdicts, save_verdicts
from engine.verify import VerifyBatch
from tests.layouts import LayoutFiles, sha256


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(b"sound", b"corrupt", b"gone"), "app:1")
    files.file(sha256(b"corrupt")).write_bytes(b"CORRUPT")
    for blob in (files.path / "blobs" / "sha256").iterdir():
        os.utime(blob, (1_700_000_000, 1_700_000_000))
    return files


def scan(files: LayoutFiles) -> Snapshot:
    layout = ImageLayout.open(files.path)
    snapshot = layout.scan(Progress())
    layout.close()
    return snapshot


def verify(files: LayoutFiles, snapshot: Snapshot, rows: object = None) -> tuple[Verdicts, list[VerifyBatch]]:
    layout, progress, verdicts = ImageLayout.open(files.path), Progress(), Verdicts.of(snapshot, 0)
    layout.verify(snapshot, rows, progress)
    layout.close()
    batches = progress.drain()
    for batch in batches:
        verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
    return verdicts, batches


def outcome(snapshot: Snapshot, verdicts: Verdicts, content: bytes) -> Outcome:
    return Outcome(int(verdicts.outcomes[snapshot.find(sha256(content))]))


def test_same_size_corruption_is_found_and_named(files: LayoutFiles) -> None:  # T38
    snapshot = scan(files)
    verdicts, _ = verify(files, snapshot)
    assert outcome(snapshot, verdicts, b"sound") == Outcome.VERIFIED
    assert outcome(snapshot, verdicts, b"corrupt") == Outcome.CORRUPT
    assert verdicts.found == {sha256(b"corrupt"): sha256(b"CORRUPT")}
    states = snapshot.states(verdicts.outcomes)
    assert State(int(snapshot.worst(states)[snapshot.entries[0].row])) == State.CORRUPT


def test_only_the_chosen_blobs_are_hashed(files: LayoutFiles) -> None:
    snapshot = scan(files)
    _, batches = verify(files, snapshot, np.array([snapshot.find(sha256(b"sound"))]))
    assert [batch.rows.tolist() for batch in batches] == [[snapshot.find(sha256(b"sound"))]]


def test_documents_come_first_then_what_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # further workers begin with large blobs meanwhile
    files = LayoutFiles(tmp_path / "layout")
    image = files.name(files.image(b"x" * 9_000_000, b"y" * 5_000_000), "app:1")
    snapshot = scan(files)
    _, batches = verify(files, snapshot)
    order = [snapshot.name(int(row)) for batch in batches for row in batch.rows]
    assert order.index(image["digest"]) < order.index(sha256(b"y" * 5_000_000)) < order.index(sha256(b"x" * 9_000_000))


def test_what_vanished_or_changed_since_it_was_listed_is_said(files: LayoutFiles) -> None:
    snapshot = scan(files)
    files.file(sha256(b"gone")).unlink()
    files.file(sha256(b"sound")).write_bytes(b"other content")
    verdicts, _ = verify(files, snapshot)
    assert outcome(snapshot, verdicts, b"gone") == Outcome.MISSING
    assert outcome(snapshot, verdicts, b"sound") == Outcome.CHANGED


@pytest.mark.parametrize(
    ("error", "expected"), [(PermissionError, Outcome.UNREADABLE), (FileNotFoundError, Outcome.MISSING)]
)
def test_blobs_in_a_folder_that_may_not_be_read_are_not_missing(
    files: LayoutFiles, monkeypatch: pytest.MonkeyPatch, error: type[OSError], expected: Outcome
) -> None:
    snapshot = scan(files)

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Blobs, "folder", refuse)
    verdicts, _ = verify(files, snapshot)
    assert outcome(snapshot, verdicts, b"sound") == expected


def test_a_blob_that_is_written_to_while_it_is_hashed_is_neither_sound_nor_corrupt(tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    files = LayoutFiles(tmp_path / "layout")
    path = files.file(files.blob(content))
    os.utime(path, (1, 1))
    snapshot = scan(files)

    class Writing(Progress):
        def advance(self, amount: int = 1) -> None:
            with path.open("r+b") as file:
                file.write(b"y")
            super().advance(amount)

    layout, progress = ImageLayout.open(files.path), Writing()
    summary = layout.verify(snapshot, None, progress)
    layout.close()
    assert summary.counts == {Outcome.CHANGED: 1}


@pytest.mark.parametrize("year", [1600, 1800, 2030, 2400, 9999])
def test_a_file_of_any_year_is_listed_and_checked(files: LayoutFiles, year: int) -> None:
    seconds = (year - 1970) * 31_557_600
    os.utime(files.file(sha256(b"sound")), (seconds, seconds))
    snapshot = scan(files)
    verdicts, _ = verify(files, snapshot)
    assert outcome(snapshot, verdicts, b"sound") == Outcome.VERIFIED


def test_a_blob_that_became_a_pipe_blocks_nobody(files: LayoutFiles) -> None:
    snapshot = scan(files)
    files.file(sha256(b"sound")).unlink()
    os.mkfifo(files.file(sha256(b"sound")))
    verdicts, _ = verify(files, snapshot)
    assert outcome(snapshot, verdicts, b"sound") == Outcome.UNREADABLE


def test_a_lack_of_handles_says_nothing_about_a_blob(files: LayoutFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = scan(files)

    def no_handle(folder: Directory, name: str) -> tuple[int, os.stat_result]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Directory, "open_with_status", no_handle)
    with ImageLayout.open(files.path) as layout:
        progress = Progress()
        with pytest.raises(StorageFailed, match="Too many open files"):
            layout.verify(snapshot, None, progress)
        assert progress.drain() == []


def test_an_unknown_algorithm_is_not_checkable(files: LayoutFiles) -> None:
    (files.path / "blobs" / "sha666").mkdir()
    (files.path / "blobs" / "sha666" / "beast").write_bytes(b"?")
    snapshot = scan(files)
    verdicts, _ = verify(files, snapshot)
    assert verdicts.outcomes[snapshot.find("sha666:beast")] == Outcome.NOT_CHECKABLE


def test_cancelling_keeps_what_was_found_by_then(files: LayoutFiles) -> None:
    snapshot, layout, progress = scan(files), ImageLayout.open(files.path), Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        layout.verify(snapshot, None, progress)
    layout.close()


class TestMemory:
    """Verdicts survive the program, not the file."""

    def test_a_verdict_is_remembered(self, files: LayoutFiles, tmp_path: Path) -> None:
        snapshot = scan(files)
        verdicts, _ = verify(files, snapshot)
        save_verdicts(tmp_path / "cache", files.path, verdicts, snapshot.columns)
        again = scan(files)
        remembered = Verdicts.of(again, 0)
        remembered.adopt(*load_verdicts(tmp_path / "cache", files.path), again.columns)
        assert remembered.outcomes.tolist() == verdicts.outcomes.tolist()
        assert remembered.found == verdicts.found

    @pytest.mark.parametrize("change", ["content", "time", "replaced"])
    def test_a_verdict_ends_with_the_file_that_it_was_about(self, files: LayoutFiles, change: str) -> None:
        snapshot = scan(files)
        verdicts, _ = verify(files, snapshot)
        path = files.file(sha256(b"sound"))
        if change == "content":
            path.write_bytes(b"sound?")
        elif change == "time":
            os.utime(path, ns=(1, 1))
        else:
            status = path.stat()
            twin = path.with_name("twin")
            twin.write_bytes(b"SOUND")
            os.utime(twin, ns=(status.st_atime_ns, status.st_mtime_ns))
            twin.replace(path)
        again = scan(files)
        carried = Verdicts.of(again, 0)
        carried.adopt(verdicts, snapshot.columns, again.columns)
        assert outcome(again, carried, b"sound") == Outcome.NONE
        assert outcome(again, carried, b"corrupt") == Outcome.CORRUPT

    def test_what_changed_in_the_moment_of_its_hashing_is_not_remembered(
        self, files: LayoutFiles, tmp_path: Path
    ) -> None:
        os.utime(files.file(sha256(b"sound")))
        snapshot = scan(files)
        verdicts, _ = verify(files, snapshot)
        assert outcome(snapshot, verdicts, b"sound") == Outcome.VERIFIED
        save_verdicts(tmp_path, files.path, verdicts, snapshot.columns)
        _, columns = load_verdicts(tmp_path, files.path)
        assert sha256(b"sound").encode() not in columns.names.tolist()
        assert sha256(b"corrupt").encode() in columns.names.tolist()

    def test_a_memory_with_any_bit_turned_raises_nothing(self, files: LayoutFiles, tmp_path: Path) -> None:
        snapshot = scan(files)
        verdicts, _ = verify(files, snapshot)
        save_verdicts(tmp_path, files.path, verdicts, snapshot.columns)
        memory = next((tmp_path / "verdicts").iterdir())
        whole = memory.read_bytes()
        for place in range(0, len(whole), 3):
            memory.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
            load_verdicts(tmp_path, files.path)

    @pytest.mark.parametrize("garbage", [b"", b"PK\x03\x04 garbage", b"\x93NUMPY"])
    def test_a_damaged_memory_is_an_empty_one(self, files: LayoutFiles, tmp_path: Path, garbage: bytes) -> None:
        snapshot = scan(files)
        save_verdicts(tmp_path, files.path, Verdicts.of(snapshot, 0), snapshot.columns)
        next((tmp_path / "verdicts").iterdir()).write_bytes(garbage)
        verdicts, columns = load_verdicts(tmp_path, files.path)
        assert (len(verdicts.outcomes), len(columns)) == (0, 0)
