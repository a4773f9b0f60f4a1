"""What tests of the engine share: stores to work on, a picture of a folder, and processes that come to harm."""

import ctypes
import hashlib
import os
import signal
import stat
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.directory import Directory
from engine.docker import DockerImageStore
from engine.layout import ImageLayout

Tree = dict[str, tuple[str, str]]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[ImageLayout]:
    """A new, empty layout."""
    with ImageLayout.create(tmp_path / "layout") as layout:
        yield layout


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerImageStore]:
    """A new, empty store of Docker's kind."""
    with DockerImageStore.create(tmp_path / "imagedb") as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Directory]:
    """The test's own folder, opened; closed at its end although pytest still refers to it."""
    directory = Directory.open(tmp_path)
    yield directory
    os.close(directory.fd)
    directory.fd = -1


@pytest.fixture
def tree() -> Callable[[Path], Tree]:
    """A function that tells everything in a folder: kind and mode of each name, and its content."""
    return _tree


def _tree(path: Path) -> Tree:
    found = {}
    for file in sorted(path.rglob("*")):
        mode = file.lstat().st_mode
        content = ""
        if stat.S_ISLNK(mode):
            content = str(file.readlink())
        elif stat.S_ISREG(mode):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
        found[str(file.relative_to(path))] = stat.filemode(mode), content
    return found


@pytest.fixture
def in_child() -> Callable[[Callable[[], None]], int]:
    """A function that runs another one in a process of its own; an exception there fails the test.

    Returns the signal that ended the process, 0 when it came to its end.
    """
    return _in_child


def _in_child(work: Callable[[], None]) -> int:
    return _end(*_begin(work))


@pytest.fixture
def in_children() -> Callable[..., None]:
    """A function that runs several others at once, each in a process of its own; an exception fails the test."""

    def run(*works: Callable[[], None]) -> None:
        for begun in [_begin(work) for work in works]:
            assert _end(*begun) == 0

    return run


def _begin(work: Callable[[], None]) -> tuple[int, int]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os.write(write, traceback.format_exc().encode()[-60_000:])
            os._exit(1)
        os._exit(0)
    os.close(write)
    return child, read


def _end(child: int, read: int) -> int:
    with open(read, "rb") as pipe:
        told = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return signal.SIGKILL
    assert status == 0, told or f"the process ended with status {status}"
    return 0


@pytest.fixture
def as_nobody(in_child: Callable[[Callable[[], None]], int]) -> Callable[[Path, Callable[[], None]], None]:
    """A function that runs another one in a folder, as somebody who has no special rights."""

    def run(folder: Path, work: Callable[[], None]) -> None:
        def lowered() -> None:
            os.chdir(folder)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()

        in_child(lowered)

    return run


@pytest.fixture
def with_mount(in_child: Callable[[Callable[[], None]], int]) -> Callable[[Path, Callable[[], None]], bool]:
    """A function that runs another one where a file system of its own is mounted on a folder; False if not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_user, new_mounts, private = 0x10000000, 0x00020000, 0x44000

    def may_not() -> None:
        assert libc.unshare(new_mounts | (new_user if os.geteuid() else 0)) != 0

    def run(folder: Path, work: Callable[[], None]) -> bool:
        def mounted() -> None:
            assert libc.unshare(new_mounts | (new_user if os.geteuid() else 0)) == 0
            libc.mount(None, b"/", None, private, None)
            assert libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"mode=755") == 0
            work()

        try:
            in_child(may_not)
        except AssertionError:
            in_child(mounted)
            return True
        return False

    return run
