"""Work in a process that sees file systems of its own: small ones, read-only ones, one inside of another."""

import ctypes
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _PRIVATE = 1, 32, 4096, 0x44000
_NOT_ALLOWED = 77
_LIBC = ctypes.CDLL(None, use_errno=True)


def apart(work: Callable[[], None]) -> None:
    """Do the work in a process whose mounts nobody else sees; what fails there fails the test.

    Where nothing may be mounted the test is left out, and says so.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 0
        try:
            if _LIBC.unshare(_NEW_MOUNTS | (_NEW_USER if os.geteuid() else 0)):
                os._exit(_NOT_ALLOWED)
            _mount(None, Path("/"), None, _PRIVATE)
            work()
        except BaseException:
            status = 1
            os.write(write, traceback.format_exc().encode()[-60_000:])
        os._exit(status)
    os.close(write)
    with open(read, "rb") as pipe:
        told = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == _NOT_ALLOWED:
        pytest.skip("nothing may be mounted here")
    assert status == 0, told


def mount_memory(folder: Path, options: str = "mode=755") -> None:
    """Mount a new, empty file system in memory."""
    _mount("tmpfs", folder, "tmpfs", 0, options)


def make_read_only(folder: Path) -> None:
    """Let nothing be changed in a folder, whoever asks."""
    _mount(str(folder), folder, None, _BIND)
    _mount(None, folder, None, _BIND | _REMOUNT | _READ_ONLY)


def become_nobody() -> None:
    """Go on without the rights of root, for good."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def fill_up(folder: Path) -> Path:
    """Write a file until there is no room left; return it."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12):
            while True:
                try:
                    filler.write(bytes(size))
                except OSError:
                    break
    return file


def _mount(source: str | None, folder: Path, kind: str | None, flags: int, options: str = "") -> None:
    arguments = [os.fsencode(text) if text is not None else None for text in (source, folder, kind)]
    if _LIBC.mount(*arguments, flags, options.encode() or None):
        raise OSError(ctypes.get_errno(), f"mounting at {folder}")
