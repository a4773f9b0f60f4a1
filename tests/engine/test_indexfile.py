"""``index.json`` on disk: whole at every moment, and nobody's change is lost."""

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import durable, indexfile
from engine.digest import digest_of
from engine.directory import Directory
from engine.document import OCI_MANIFEST, REF_NAME, Descriptor
from engine.errors import DocumentError, Refused, StorageFailed, StoreBusy, StoreChanged, StoreClosed
from engine.index import NEW_INDEX, IndexText
from engine.indexfile import IndexFile
from engine.jsontext import VALUES_LIMIT
from engine.root import StoreRoot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "index.json").write_bytes(NEW_INDEX)
    return tmp_path / "index.json"


@pytest.fixture
def index(path: Path) -> Iterator[IndexFile]:
    root = StoreRoot(Directory.open(path.parent))
    yield IndexFile(root, lock_timeout_s=5)
    root.close()


def descriptor(name: str) -> Descriptor:
    return Descriptor(OCI_MANIFEST, digest_of(name.encode()), 1)


def adding(name: str) -> Callable[[IndexText], None]:
    return lambda text: text.add(descriptor(name), name) and None


def text_with(*names: str) -> bytes:
    text = IndexText.parse(NEW_INDEX)
    for name in names:
        text.add(descriptor(name), name)
    return text.raw


def names_in(path: Path) -> list[str]:
    return [entry["annotations"][REF_NAME] for entry in json.loads(path.read_bytes())["manifests"]]


def rename_over(path: Path, content: bytes) -> None:
    """Write as umoci does: a new file, renamed into place."""
    new = path.with_name("umoci-new")
    new.write_bytes(content)
    new.rename(path)


def write_in_place(path: Path, content: bytes) -> None:
    """Write as skopeo, oras and crane do: the same file, cut to nothing and filled again."""
    path.write_bytes(content)


class TestReading:
    def test_the_bytes_are_what_is_stored(self, index: IndexFile, path: Path) -> None:
        path.write_bytes(b' {"manifests" : null}\n')
        assert index.read() == b' {"manifests" : null}\n'

    @pytest.mark.parametrize("torn", [b"", b'{"schemaVersion":2,"mani', NEW_INDEX + b"}"])
    def test_a_file_that_is_being_rewritten_is_read_again(self, index: IndexFile, path: Path, torn: bytes) -> None:
        """T104"""
        path.write_bytes(torn)
        timer = threading.Timer(0.1, path.write_bytes, (text_with("late"),))
        timer.start()
        assert index.read() == text_with("late")
        timer.join()

    @pytest.mark.parametrize("torn", [b"", b'{"manifests":['])
    def test_a_file_that_stays_torn_is_reported_and_never_taken_for_empty(
        self, index: IndexFile, path: Path, torn: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """T104"""
        monkeypatch.setattr(indexfile, "SETTLE_S", 0.05)
        path.write_bytes(torn)
        with pytest.raises(DocumentError):
            index.read()
        with pytest.raises(DocumentError):
            index.edit(adding("x"))
        assert path.read_bytes() == torn
        assert os.listdir(path.parent) == ["index.json"]

    def test_what_was_damaged_long_ago_is_reported_at_once(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.write_bytes(b"{")
        os.utime(path, (1, 1))
        naps: list[float] = []
        monkeypatch.setattr(time, "sleep", naps.append)
        with pytest.raises(DocumentError):
            index.read()
        assert naps in ([], [0.02])

    def test_where_a_very_long_one_is_damaged_is_said(self, index: IndexFile, path: Path) -> None:
        entry = b'{"a":[0,0,0,0,0,0,0,0,0]},'
        path.write_bytes(b'{"schemaVersion":2,"manifests":[' + entry * (VALUES_LIMIT // 10) + b"x]}")
        os.utime(path, (1, 1))
        with pytest.raises(DocumentError, match=r"index.json is damaged: .* at byte"):
            index.read()

    def test_a_missing_index_is_no_empty_index(self, index: IndexFile, path: Path) -> None:
        """T7"""
        path.unlink()
        for use in (index.read, lambda: index.edit(adding("x"))):
            with pytest.raises(DocumentError, match=r"index\.json is missing"):
                use()
        assert not path.exists()

    @pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
    def test_only_a_regular_file_is_an_index(self, index: IndexFile, path: Path, kind: str, tmp_path: Path) -> None:
        """T7, promise 13"""
        path.rename(tmp_path / "outside")
        {"link": lambda: path.symlink_to("outside"), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
        for use in (index.read, lambda: index.edit(adding("x"))):
            with pytest.raises(DocumentError, match="is not a regular file"):
                use()
        assert (tmp_path / "outside").read_bytes() == NEW_INDEX

    def test_an_index_over_the_limit_is_refused(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(indexfile, "INDEX_LIMIT", 10)
        with pytest.raises(DocumentError, match="too large"):
            index.read()

    def test_readers_never_see_half_an_index(self, path: Path, in_children: Callable[..., None]) -> None:
        """T102, promise 2: by other programs' plain reading, while we write."""
        done = path.with_name("done")

        def look() -> None:
            seen = set()
            while not done.exists():
                raw = path.read_bytes()
                json.loads(raw)
                seen.add(raw)
            assert len(seen) > 1

        def write() -> None:
            root = StoreRoot(Directory.open(path.parent))
            for number in range(200):
                IndexFile(root).edit(adding(str(number)))
            done.touch()

        in_children(look, look, write)
        assert len(names_in(path)) == 200


class TestEditing:
    def test_mode_stays_and_nothing_else_is_left(self, index: IndexFile, path: Path) -> None:
        """T109, promise 17: umoci makes it 0600."""
        path.chmod(0o664)
        assert index.edit(adding("x")).index_changed
        assert path.stat().st_mode & 0o777 == 0o664
        assert names_in(path) == ["x"]
        assert os.listdir(path.parent) == ["index.json"]

    def test_an_edit_that_changes_nothing_writes_nothing(self, index: IndexFile, path: Path) -> None:
        before = path.stat()
        assert not index.edit(lambda text: None).index_changed
        assert path.stat().st_ino == before.st_ino

    def test_null_is_written_as_a_list(self, index: IndexFile, path: Path) -> None:
        """T12"""
        path.write_bytes(b'{"schemaVersion":2,"manifests":null}')
        index.edit(adding("x"))
        assert names_in(path) == ["x"]

    @pytest.mark.parametrize("damaged", [b'{"manifests":[]} x', b"[]", b'{"manifests":[],"manifests":[]}'])
    def test_what_does_not_parse_is_never_replaced(self, index: IndexFile, path: Path, damaged: bytes) -> None:
        """T16"""
        path.write_bytes(damaged)
        os.utime(path, (1, 1))
        with pytest.raises(DocumentError):
            index.edit(adding("x"))
        assert path.read_bytes() == damaged

    def test_what_an_edit_raises_ends_it(self, index: IndexFile, path: Path) -> None:
        with pytest.raises(StoreChanged):
            index.edit(lambda text: text.remove(0))
        assert path.read_bytes() == NEW_INDEX
        assert os.listdir(path.parent) == ["index.json"]

    def test_a_store_that_may_not_change_is_left_alone(self, tmp_path: Path, path: Path) -> None:
        root = StoreRoot(Directory.open(tmp_path))
        index = IndexFile(root)
        root.refusal = "It must stay."
        with pytest.raises(Refused, match="must stay"):
            index.edit(adding("x"))
        root.close()
        with pytest.raises(StoreClosed):
            index.read()

    def test_a_lock_that_another_program_holds_is_named(self, index: IndexFile, path: Path) -> None:
        """T108: and reading goes on."""
        with path.with_name("index.json.lock").open("w") as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            impatient = IndexFile(index._root, lock_timeout_s=0.05)
            with pytest.raises(StoreBusy, match=r"index\.json\.lock for 0\.05 seconds"):
                impatient.edit(adding("x"))
            assert index.read() == NEW_INDEX
        index.edit(adding("x"))
        assert names_in(path) == ["x"]

    def test_where_no_lock_can_be_made_reading_goes_on(
        self, path: Path, as_nobody: Callable[[Path, Callable[[], None]], None]
    ) -> None:
        """T108, T13"""
        path.parent.chmod(0o555)
        path.chmod(0o444)

        def work() -> None:
            root = StoreRoot(Directory.open("."))
            assert IndexFile(root).read() == NEW_INDEX
            assert not root.writable
            with pytest.raises(StorageFailed, match="Permission denied") as raised:
                IndexFile(root).edit(adding("x"))
            assert raised.value.remedy
            assert os.listdir(".") == ["index.json"]

        as_nobody(path.parent, work)


class Meddler:
    """Another program that writes ``index.json`` at a certain moment of ours, and takes no lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, moment: str, *writes: Callable[[], Any]) -> None:
        self._writes = list(writes)
        really = getattr(indexfile, moment)

        def before(*arguments: Any) -> Any:
            if self._writes:
                self._writes.pop(0)()
            return really(*arguments)

        monkeypatch.setattr(indexfile, moment, before)


@pytest.mark.parametrize("write", [rename_over, write_in_place])
class TestOtherWriters:
    """T103, promise 6: umoci, skopeo, crane and oras take no lock."""

    @pytest.mark.parametrize("moment", ["write_file", "exchange"])
    def test_a_change_between_our_reading_and_our_writing_stays(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any, moment: str
    ) -> None:
        Meddler(monkeypatch, moment, lambda: write(path, text_with("theirs")))
        assert index.edit(adding("ours")).index_changed
        assert names_in(path) == ["theirs", "ours"]
        assert os.listdir(path.parent) == ["index.json"]

    def test_several_changes_in_a_row_stay(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
    ) -> None:
        def add_another() -> None:
            write(path, text_with(*(name for name in names_in(path) if name != "ours"), f"{len(names_in(path))}"))

        Meddler(monkeypatch, "write_file", *[add_another] * 4)
        index.edit(adding("ours"))
        assert names_in(path) == ["0", "1", "2", "3", "ours"]

    def test_of_two_that_write_in_the_same_instant_neither_is_lost(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
    ) -> None:
        """Ours displaces the first one's version; the second one reads ours and writes over that."""
        Meddler(monkeypatch, "exchange", lambda: write(path, text_with("first")))

        def write_over_ours() -> None:
            write(path, text_with(*names_in(path), "second"))

        Meddler(monkeypatch, "write_file", lambda: None, write_over_ours)
        assert index.edit(lambda text: text.retag("ours", descriptor("ours"))).index_changed
        assert sorted(names_in(path)) == ["first", "ours", "second"]
        assert os.listdir(path.parent) == ["index.json"]

    def test_an_edit_that_fails_on_their_version_leaves_their_version(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
    ) -> None:
        path.write_bytes(text_with("a", "b"))
        Meddler(monkeypatch, "exchange", lambda: write(path, text_with("a")))
        with pytest.raises(StoreChanged):
            index.edit(lambda text: text.remove(1))
        assert path.read_bytes() == text_with("a")
        assert os.listdir(path.parent) == ["index.json"]

    def test_a_program_that_dies_while_writing_is_not_covered_up(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
    ) -> None:
        """What it left stands where it left it, and we say that it does not parse."""
        monkeypatch.setattr(indexfile, "SETTLE_S", 0.05)
        Meddler(monkeypatch, "exchange", lambda: write(path, b'{"manifests":['))
        with pytest.raises(DocumentError):
            index.edit(adding("ours"))
        assert path.read_bytes() == b'{"manifests":['

    def test_a_program_that_never_stops_ends_in_a_sentence(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
    ) -> None:
        versions = [lambda number=number: write(path, text_with(str(number))) for number in range(100)]
        Meddler(monkeypatch, "exchange", *versions)
        with pytest.raises(StoreBusy, match="keep rewriting"):
            index.edit(adding("ours"))
        assert "ours" not in names_in(path)
        assert os.listdir(path.parent) == ["index.json"]

    def test_without_an_exchange_the_last_look_is_right_before_the_rename(
        self, index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
    ) -> None:
        """exFAT, NFS: and the person is told."""
        monkeypatch.setattr(durable, "_renameat2", None)
        Meddler(monkeypatch, "write_file", lambda: write(path, text_with("theirs")))
        change = index.edit(adding("ours"))
        assert names_in(path) == ["theirs", "ours"]
        assert "cannot swap two files" in change.note


def test_a_program_that_had_the_old_file_open_is_heard(
    index: IndexFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """skopeo opened it before our swap and writes after it: into the file that we hold in our hands."""
    theirs = path.open("r+b")
    really = indexfile.sync

    def write_late(folder: Directory) -> None:
        if not theirs.closed:
            theirs.truncate()
            theirs.write(text_with("theirs"))
            theirs.close()
        really(folder)

    monkeypatch.setattr(indexfile, "sync", write_late)
    index.edit(adding("ours"))
    assert names_in(path) == ["theirs", "ours"]


def test_our_processes_adding_names_at_once_lose_none(path: Path, in_children: Callable[..., None]) -> None:
    """Promise 5."""

    def work(mine: str) -> None:
        root = StoreRoot(Directory.open(path.parent))
        for number in range(25):
            IndexFile(root, lock_timeout_s=60).edit(adding(f"{mine}{number}"))

    in_children(*(lambda mine=mine: work(mine) for mine in "abc"))
    assert sorted(names_in(path)) == sorted(f"{mine}{number}" for mine in "abc" for number in range(25))
    assert os.listdir(path.parent) == ["index.json"]


def test_our_threads_adding_names_at_once_lose_none(index: IndexFile, path: Path) -> None:
    """Promise 5."""

    def work(mine: int) -> None:
        for number in range(10):
            index.edit(adding(f"{mine}-{number}"))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names_in(path))) == 40


def test_a_writer_without_locks_beside_us_loses_nothing_to_us(index: IndexFile, path: Path) -> None:
    """Promise 6, by chance instead of by design: what it wrote before one of our edits is there after it."""
    stop = threading.Event()
    written: list[str] = []

    def meddle() -> None:
        while not stop.is_set():
            document = json.loads(path.read_bytes())
            name = f"theirs{len(written)}"
            entry = {"mediaType": "a/b", "digest": digest_of(name.encode()), "size": 1, "annotations": {REF_NAME: name}}
            document["manifests"].append(entry)
            before = {found["annotations"][REF_NAME] for found in document["manifests"]}
            rename_over(path, json.dumps(document).encode())
            time.sleep(0.02)
            now = set(names_in(path))
            # What is ours may be lost to it; what is its own may not be lost to us.
            assert {known for known in before if known.startswith("theirs")} <= now
            written.append(name)

    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            meddle()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    for number in range(60):
        index.edit(adding(f"ours{number}"))
    stop.set()
    thread.join()
    assert failures == []
    assert written


def test_an_input_output_error_is_told_as_one(index: IndexFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Directory, "read", fail)
    with pytest.raises(StorageFailed, match=r"Reading .*index\.json failed: Input/output error"):
        index.read()
