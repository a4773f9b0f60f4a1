"""Blobs: a digest name never shows anything but its whole content."""

import errno
import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from engine import blobs as blobs_module
from engine.blobs import EntryKind, Outcome
from engine.digest import Digest, digest_of
from engine.directory import Directory
from engine.durable import publish
from engine.errors import (
    BlobMissing,
    BlobUnreadable,
    Cancelled,
    DigestMismatch,
    InvalidDigest,
    NotCheckable,
    Refused,
    SizeMismatch,
    StorageFailed,
)
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.streams import BLOCK

CONTENT = b"some content"
DIGEST = digest_of(CONTENT)
EMPTY = digest_of(b"")
ABSENT = Digest("sha256:" + "0" * 64)


def file_of(layout: ImageLayout, digest: str) -> Path:
    return layout.path / "blobs" / digest.replace(":", "/")


def names(layout: ImageLayout) -> list[str]:
    """Everything in the layout, so that a temporary file would show."""
    return sorted(str(path.relative_to(layout.path)) for path in layout.path.rglob("*") if not path.is_dir())


def listed(layout: ImageLayout) -> dict[str, EntryKind]:
    return {entry.name: entry.kind for batch in layout.blobs.list() for entry in batch}


BARE = ["index.json", "oci-layout"]


class TestPut:
    def test_the_empty_blob_is_a_blob(self, layout: ImageLayout) -> None:
        """T25"""
        result = layout.blobs.put(b"")
        assert result == (EMPTY, 0, Outcome.ADDED)
        assert result.digest.startswith("sha256:e3b0c442")
        assert layout.blobs.read(EMPTY, 0) == b""

    def test_a_second_put_leaves_the_first_file_untouched(self, layout: ImageLayout) -> None:
        """T27"""
        assert layout.blobs.put(CONTENT).outcome is Outcome.ADDED
        os.utime(file_of(layout, DIGEST), (1, 1))
        before = file_of(layout, DIGEST).stat()
        assert layout.blobs.put(io.BytesIO(CONTENT)) == (DIGEST, len(CONTENT), Outcome.PRESENT)
        after = file_of(layout, DIGEST).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert names(layout) == [f"blobs/{DIGEST.replace(':', '/')}", *BARE]

    def test_a_good_copy_that_is_expected_is_not_even_read_again(self, layout: ImageLayout) -> None:
        layout.blobs.put(CONTENT)
        source = io.BytesIO(CONTENT)
        assert layout.blobs.put(source, expected=DIGEST).outcome is Outcome.PRESENT
        assert source.tell() == 0

    @pytest.mark.parametrize("bad", [b"", b"some contenT", CONTENT + b"x", CONTENT[:-1]])
    @pytest.mark.parametrize("announced", [True, False])
    def test_a_bad_copy_is_repaired(self, layout: ImageLayout, bad: bytes, announced: bool) -> None:
        """T27, T38 to T41: a zero-length file under a real digest is what a power cut leaves."""
        file_of(layout, DIGEST).write_bytes(bad)
        result = layout.blobs.put(CONTENT, expected=DIGEST if announced else None)
        assert result.outcome is Outcome.REPAIRED
        assert layout.blobs.read(DIGEST, 99) == CONTENT

    def test_a_copy_that_the_disk_cannot_read_is_repaired(
        self, layout: ImageLayout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        layout.blobs.put(CONTENT)
        before = file_of(layout, DIGEST).stat().st_ino

        def broken(*_: object) -> Digest:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(blobs_module, "hash_file", broken)
            assert layout.blobs.put(CONTENT, expected=DIGEST).outcome is Outcome.REPAIRED
        assert file_of(layout, DIGEST).stat().st_ino != before
        assert layout.blobs.read(DIGEST, 99) == CONTENT

    @pytest.mark.parametrize(
        ("expected", "size", "error"),
        [
            (ABSENT, None, DigestMismatch),
            (DIGEST, len(CONTENT) - 1, SizeMismatch),
            (DIGEST, len(CONTENT) + 1, SizeMismatch),
            (None, 0, SizeMismatch),
        ],
    )
    def test_content_that_was_announced_otherwise_leaves_nothing(
        self, layout: ImageLayout, expected: Digest | None, size: int | None, error: type[Exception]
    ) -> None:
        """T28"""
        with pytest.raises(error) as raised:
            layout.blobs.put(CONTENT, expected=expected, size=size)
        assert str(raised.value).endswith(".")
        assert names(layout) == BARE

    def test_a_size_caps_what_is_read(self, layout: ImageLayout) -> None:
        """T28: an endless source ends."""
        with open("/dev/zero", "rb") as endless, pytest.raises(SizeMismatch, match="longer than the 3,000,000 bytes"):
            layout.blobs.put(endless, size=3_000_000)
        assert names(layout) == BARE

    @pytest.mark.parametrize("kind", [ValueError, OSError])
    def test_a_source_that_fails_midway_leaves_nothing(self, layout: ImageLayout, kind: type[Exception]) -> None:
        """T29"""

        class Broken(io.RawIOBase):
            name = "broken.tar"
            reads = 0

            def readinto(self, buffer: memoryview) -> int:
                self.reads += 1
                if self.reads > 3:
                    raise kind(errno.EIO, "broken")
                return len(buffer)

        with pytest.raises((ValueError, StorageFailed)) as raised:
            layout.blobs.put(Broken())
        if kind is OSError:
            assert str(raised.value) == "Reading broken.tar failed: Input/output error."
        assert names(layout) == BARE

    def test_a_cancelled_put_leaves_nothing(self, layout: ImageLayout) -> None:
        progress = Progress()

        class Slow(io.BytesIO):
            def readinto(self, buffer: memoryview) -> int:
                progress.cancel()
                return super().readinto(buffer)

        with pytest.raises(Cancelled):
            layout.blobs.put(Slow(bytes(3 * BLOCK)), progress=progress)
        assert names(layout) == BARE

    @pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 11 * BLOCK + 7])
    def test_content_of_any_length_arrives_whole_in_its_order(self, layout: ImageLayout, size: int) -> None:
        content = hashlib.shake_128(b"seed").digest(size)
        progress = Progress()
        result = layout.blobs.put(io.BytesIO(content), progress=progress)
        assert result == (digest_of(content), size, Outcome.ADDED)
        assert file_of(layout, result.digest).read_bytes() == content
        assert progress.done == size

    def test_a_source_that_gives_little_at_a_time_is_read_to_its_end(self, layout: ImageLayout) -> None:
        read, write = os.pipe()
        content = bytes(range(256)) * 4000

        def feed() -> None:
            with open(write, "wb", buffering=0) as pipe:
                for start in range(0, len(content), 7777):
                    pipe.write(content[start : start + 7777])

        thread = threading.Thread(target=feed)
        thread.start()
        with open(read, "rb", buffering=0) as pipe:
            assert layout.blobs.put(pipe).digest == digest_of(content)
        thread.join()

    def test_a_source_that_only_knows_read_will_do(self, layout: ImageLayout) -> None:
        class Plain:
            def __init__(self) -> None:
                self.pieces = [b"some ", b"content"]

            def read(self, size: int) -> bytes:
                return self.pieces.pop(0) if self.pieces else b""

        source: BinaryIO = Plain()
        assert layout.blobs.put(source).digest == DIGEST

    def test_sixty_four_threads_put_the_same_blob(self, layout: ImageLayout) -> None:
        """T30"""
        content = bytes(100_000)
        outcomes: list[Outcome] = []
        barrier = threading.Barrier(64)

        def work() -> None:
            barrier.wait()
            outcomes.append(layout.blobs.put(io.BytesIO(content)).outcome)

        threads = [threading.Thread(target=work) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcome.name for outcome in outcomes) == ["ADDED"] + ["PRESENT"] * 63
        assert names(layout) == [f"blobs/{digest_of(content).replace(':', '/')}", *BARE]
        assert layout.blobs.read(digest_of(content), 100_000) == content

    def test_sha512_is_as_good(self, layout: ImageLayout) -> None:
        """T31"""
        result = layout.blobs.put(CONTENT, algorithm="sha512")
        assert result.digest == digest_of(CONTENT, "sha512")
        assert listed(layout) == {result.digest: EntryKind.BLOB}
        assert layout.blobs.read(result.digest, 99) == CONTENT
        with layout.blobs.open_verified(result.digest, len(CONTENT)) as reader:
            assert reader.read() == CONTENT
        assert layout.blobs.delete(result.digest)

    def test_an_algorithm_that_nobody_can_compute_is_refused(self, layout: ImageLayout) -> None:
        for expected in (Digest("blake3:" + "0" * 64), Digest("sha666:abc")):
            with pytest.raises(NotCheckable):
                layout.blobs.put(CONTENT, expected=expected)
        assert names(layout) == BARE

    def test_a_link_under_the_name_is_replaced_and_what_it_leads_to_stays(
        self, layout: ImageLayout, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").write_bytes(b"precious")
        file_of(layout, DIGEST).symlink_to(tmp_path / "outside")
        assert layout.blobs.put(CONTENT).outcome is Outcome.REPAIRED
        assert (tmp_path / "outside").read_bytes() == b"precious"
        assert layout.blobs.read(DIGEST, 99) == CONTENT

    def test_a_folder_under_the_name_ends_in_a_sentence(self, layout: ImageLayout) -> None:
        file_of(layout, DIGEST).mkdir()
        for expected in (DIGEST, None):
            with pytest.raises(BlobUnreadable, match="is a folder where a file belongs"):
                layout.blobs.put(CONTENT, expected=expected)

    def test_missing_folders_are_made(self, layout: ImageLayout) -> None:
        (layout.path / "blobs" / "sha256").rmdir()
        (layout.path / "blobs").rmdir()
        layout.blobs.put(CONTENT)
        assert layout.blobs.read(DIGEST, 99) == CONTENT

    def test_new_blobs_are_readable_for_others_as_the_umask_has_it(self, layout: ImageLayout) -> None:
        """T109: umoci's are 0600."""
        before = os.umask(0o022)
        try:
            layout.blobs.put(CONTENT, algorithm="sha512")
        finally:
            os.umask(before)
        file = file_of(layout, digest_of(CONTENT, "sha512"))
        assert file.stat().st_mode & 0o777 == 0o644
        assert file.parent.stat().st_mode & 0o777 == 0o755


class TestStaging:
    """T107: blobs on another file system."""

    @pytest.mark.parametrize("folder", ["blobs", "blobs/sha256"])
    def test_a_mounted_folder_has_staging_of_its_own(
        self, layout: ImageLayout, with_mount: Callable[[Path, Callable[[], None]], bool], folder: str
    ) -> None:
        def put() -> None:
            with ImageLayout.open(layout.path) as mounted:
                assert mounted.blobs.put(CONTENT).outcome is Outcome.ADDED
                assert mounted.blobs.put(CONTENT).outcome is Outcome.PRESENT
                file_of(layout, DIGEST).write_bytes(b"bad")
                assert mounted.blobs.put(CONTENT).outcome is Outcome.REPAIRED
                assert listed(mounted) == {DIGEST: EntryKind.BLOB}
                assert names(layout) == [f"blobs/{DIGEST.replace(':', '/')}", *BARE]

        if not with_mount(layout.path / folder, put):
            put()  # where nobody lets us mount, at least the usual case

    def test_it_lies_on_the_same_mount(self, layout: ImageLayout, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = layout.path / "blobs" / "sha256"
        seen = []

        def watch(stage: Directory, *rest: Any) -> bool:
            seen.append(Path(stage.path).parent)
            return publish(stage, *rest)

        monkeypatch.setattr(blobs_module, "publish", watch)
        for number, mounted in enumerate((None, "blobs", "sha256")):
            monkeypatch.setattr(blobs_module, "mount_of", _mounts_at(mounted))
            layout.blobs.put(bytes([number]))
        assert seen == [layout.path, folder.parent, folder]


def _mounts_at(name: str | None) -> Callable[[Directory], bool]:
    return lambda directory: name is not None and name in directory.path.split("/")


class TestReading:
    def test_a_missing_blob_says_so(self, layout: ImageLayout) -> None:
        for ask in (layout.blobs.stat, layout.blobs.open, layout.blobs.open_verified):
            with pytest.raises(BlobMissing, match="is not in the store"):
                ask(ABSENT)
        with pytest.raises(BlobMissing):
            layout.blobs.stat("sha666:" + "x" * 400)

    @pytest.mark.parametrize("text", ["abc", "sha256:", "sha256:../../x", DIGEST.upper(), DIGEST + "0", DIGEST[:-1]])
    def test_what_is_no_digest_reaches_no_file(self, layout: ImageLayout, text: str) -> None:
        """T34"""
        blobs = layout.blobs
        for use in (blobs.stat, blobs.open, blobs.open_verified, blobs.delete, lambda digest: blobs.read(digest, 1)):
            with pytest.raises(InvalidDigest):
                use(text)
        with pytest.raises(InvalidDigest):
            blobs.put(b"x", expected=Digest(text))

    @pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
    def test_only_regular_files_are_blobs(self, layout: ImageLayout, kind: str) -> None:
        """umoci and skopeo wait for ever at a pipe."""
        file = file_of(layout, DIGEST)
        {"link": lambda: file.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(file), "folder": file.mkdir}[kind]()
        for ask in (layout.blobs.stat, layout.blobs.open, lambda digest: layout.blobs.read(digest, 99)):
            with pytest.raises(BlobUnreadable, match="is not a regular file"):
                ask(DIGEST)
        assert listed(layout) == {DIGEST: EntryKind.NOT_REGULAR}

    def test_corruption_of_the_same_size_shows_at_the_end(self, layout: ImageLayout) -> None:
        """T38"""
        file_of(layout, DIGEST).write_bytes(b"some contenT")
        with layout.blobs.open_verified(DIGEST, len(CONTENT)) as reader:
            assert reader.read(4) == b"some"
            with pytest.raises(DigestMismatch) as raised:
                reader.read()
        assert raised.value.expected == DIGEST
        assert raised.value.found == digest_of(b"some contenT")
        with pytest.raises(DigestMismatch):
            layout.blobs.read(DIGEST, 99)

    @pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1], b""])
    def test_another_length_is_an_error_of_size(self, layout: ImageLayout, content: bytes) -> None:
        """T39 to T41: with a byte too many the digest of the beginning is right."""
        file_of(layout, DIGEST).write_bytes(content)
        with layout.blobs.open_verified(DIGEST, len(CONTENT)) as reader, pytest.raises(SizeMismatch) as raised:
            reader.read()
        assert (raised.value.expected, raised.value.found) == (f"{len(CONTENT)} bytes", f"{len(content)} bytes")
        with pytest.raises(SizeMismatch):
            layout.blobs.read(DIGEST, 99, len(CONTENT))

    def test_closing_early_reads_nothing_more(self, layout: ImageLayout) -> None:
        """T45: umoci reads the rest of a blob when it is closed."""
        file_of(layout, DIGEST).write_bytes(b"wrong")
        reader = layout.blobs.open_verified(DIGEST)
        assert reader.read(2) == b"wr"
        reader.close()
        reader.close()

    def test_a_window_shows_a_part_without_reading_the_rest(self, layout: ImageLayout) -> None:
        """T45"""
        digest = layout.blobs.put(bytes(range(256)) * 1000).digest
        assert layout.blobs.window(digest, 255_999, 10) == b"\xff"
        assert layout.blobs.window(digest, 512, 3) == b"\0\1\2"
        assert layout.blobs.window(digest, 1 << 40, 3) == b""

    def test_a_blob_over_the_limit_is_refused_rather_than_loaded(self, layout: ImageLayout) -> None:
        layout.blobs.put(CONTENT)
        with pytest.raises(Refused, match="has 12 bytes; at most 11 are read at once"):
            layout.blobs.read(DIGEST, 11)

    def test_reading_goes_on_in_many_threads(self, layout: ImageLayout) -> None:
        digests = [layout.blobs.put(bytes([number]) * 5000).digest for number in range(20)]
        wrong: list[str] = []

        def work() -> None:
            wrong.extend(digest for digest in digests * 5 if digest_of(layout.blobs.read(digest, 5000)) != digest)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


class TestDelete:
    def test_deleting_again_is_fine(self, layout: ImageLayout) -> None:
        """T44"""
        layout.blobs.put(CONTENT)
        assert layout.blobs.delete(DIGEST) is True
        assert layout.blobs.delete(DIGEST) is False
        assert layout.blobs.delete("sha512:" + "0" * 128) is False
        assert names(layout) == BARE

    def test_a_link_goes_and_what_it_leads_to_stays(self, layout: ImageLayout, tmp_path: Path) -> None:
        (tmp_path / "outside").write_bytes(b"precious")
        file_of(layout, DIGEST).symlink_to(tmp_path / "outside")
        assert layout.blobs.delete(DIGEST) is True
        assert (tmp_path / "outside").read_bytes() == b"precious"

    def test_a_folder_under_the_name_stays(self, layout: ImageLayout) -> None:
        (file_of(layout, DIGEST) / "inner").mkdir(parents=True)
        with pytest.raises(BlobUnreadable, match="is a folder where a file belongs"):
            layout.blobs.delete(DIGEST)


class TestLinkedFolder:
    """T37: a cache that several layouts share."""

    @pytest.fixture
    def cache(self, layout: ImageLayout, tmp_path: Path) -> Path:
        folder = layout.path / "blobs" / "sha256"
        layout.blobs.put(CONTENT)
        folder.rename(tmp_path / "cache")
        folder.symlink_to(tmp_path / "cache")
        return tmp_path / "cache"

    def test_it_can_be_browsed(self, layout: ImageLayout, cache: Path) -> None:
        assert listed(layout) == {DIGEST: EntryKind.BLOB}
        assert layout.blobs.read(DIGEST, 99) == CONTENT

    def test_nothing_is_changed_through_it(
        self, layout: ImageLayout, cache: Path, tree: Callable[[Path], object]
    ) -> None:
        before = tree(cache)
        for change in (lambda: layout.blobs.delete(DIGEST), lambda: layout.blobs.put(b"new")):
            with pytest.raises(Refused, match="is a symbolic link; nothing is written or deleted through one"):
                change()
        assert tree(cache) == before
        layout.blobs.put(b"new", algorithm="sha512")

    def test_it_is_not_followed_when_that_is_not_wanted(self, layout: ImageLayout, cache: Path) -> None:
        with ImageLayout.open(layout.path, follow_links=False) as strict:
            assert listed(strict) == {"sha256": EntryKind.JUNK}
            with pytest.raises(BlobUnreadable, match="blobs/sha256 is not a folder"):
                strict.blobs.read(DIGEST, 99)


class TestList:
    def test_every_name_has_its_kind(self, layout: ImageLayout) -> None:
        """T33, T43"""
        base = layout.path / "blobs"
        unknown = base / "multihash+base58"
        unknown.mkdir()
        (base / "sha666").mkdir()
        good, hexadecimal = "a" * 64, "0123456789abcdef" * 4
        for path in (
            base / "sha256" / good,
            base / "sha256" / "x.tmp",
            base / "sha256" / (hexadecimal + "1234567890"),
            base / "sha256" / good.upper(),
            base / "sha256" / good[:-1],
            base / "sha666" / "abc",
            unknown / "QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
            base / "README",
        ):
            path.touch()
        (base / "sha256" / hexadecimal).mkdir()
        (base / "sha256" / "folder").mkdir()
        (base / "sha256" / ("b" * 64)).symlink_to(good)
        (base / "Not An Algorithm").mkdir()
        (base / "Not An Algorithm" / good).touch()
        assert listed(layout) == {
            f"sha256:{good}": EntryKind.BLOB,
            "sha256/x.tmp": EntryKind.JUNK,
            f"sha256/{hexadecimal}1234567890": EntryKind.JUNK,
            f"sha256/{good.upper()}": EntryKind.WRONG_NAME,
            f"sha256/{good[:-1]}": EntryKind.WRONG_NAME,
            f"sha256:{hexadecimal}": EntryKind.NOT_REGULAR,
            "sha256/folder": EntryKind.JUNK,
            f"sha256:{'b' * 64}": EntryKind.NOT_REGULAR,
            "sha666:abc": EntryKind.BLOB,
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8": EntryKind.BLOB,
            "README": EntryKind.JUNK,
            "Not An Algorithm": EntryKind.JUNK,
        }

    def test_an_entry_says_what_the_file_system_knows(self, layout: ImageLayout) -> None:
        layout.blobs.put(CONTENT)
        file = file_of(layout, DIGEST)
        os.utime(file, (5, 7))
        os.link(file, layout.path / "second")
        ((entry,),) = layout.blobs.list()
        assert entry == layout.blobs.stat(DIGEST)
        assert (entry.size, entry.mtime_ns, entry.nlink) == (len(CONTENT), 7_000_000_000, 2)
        assert (entry.inode, entry.status.st_mode) == (file.stat().st_ino, file.stat().st_mode)

    def test_many_come_in_batches(self, layout: ImageLayout) -> None:
        for number in range(5000):
            (layout.path / "blobs" / "sha256" / f"{number:064x}").touch()
        batches = [len(batch) for batch in layout.blobs.list()]
        assert batches == [4096, 904]

    def test_names_that_are_no_utf8_are_listed(self, layout: ImageLayout) -> None:
        with open(os.fsencode(layout.path) + b"/blobs/sha256/\xff", "wb"):
            pass
        assert listed(layout) == {"sha256/\udcff": EntryKind.JUNK}

    def test_what_vanishes_meanwhile_is_left_out(self, layout: ImageLayout) -> None:
        layout.blobs.put(CONTENT)
        batches = layout.blobs.list()
        layout.blobs.delete(DIGEST)
        assert list(batches) == []

    def test_what_vanishes_between_its_name_and_its_size_is_left_out_and_nothing_else(
        self, layout: ImageLayout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        layout.blobs.put(CONTENT)
        other = layout.blobs.put(b"other").digest
        scan = Directory.scan

        @contextmanager
        def scan_and_delete(folder: Directory) -> Iterator[Iterator["os.DirEntry[str]"]]:
            with scan(folder) as entries:
                found = list(entries)
                layout.blobs.delete(DIGEST)
                yield iter(found)

        monkeypatch.setattr(Directory, "scan", scan_and_delete)
        assert listed(layout) == {other: EntryKind.BLOB}

    def test_a_staging_folder_that_goes_meanwhile_is_left_out(
        self, layout: ImageLayout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        layout.blobs.put(CONTENT)
        names = Directory.names
        monkeypatch.setattr(Directory, "names", lambda folder: [".blobscope-gone", *names(folder), "sha512"])
        assert listed(layout) == {DIGEST: EntryKind.BLOB}

    def test_a_folder_that_may_not_be_read_ends_in_a_sentence(
        self, layout: ImageLayout, as_nobody: Callable[[Path, Callable[[], None]], None]
    ) -> None:
        layout.path.chmod(0o755)
        (layout.path / "blobs").chmod(0o755)
        (layout.path / "blobs" / "sha256").chmod(0)

        def look() -> None:
            with ImageLayout.open(".") as seen, pytest.raises(StorageFailed, match=r"Listing .*Permission denied"):
                list(seen.blobs.list())

        as_nobody(layout.path, look)
        (layout.path / "blobs" / "sha256").chmod(0o755)
