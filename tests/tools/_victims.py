"""Carries out operations on stores, in processes that may come to harm.

It takes one request a line, ``[operation, path, call, vain]``, and does that in a process of its own, which first makes
the system call in vain as often as asked. So whoever injects a fault into the n-th call of a kind decides by that which
of the operation's calls is hit, and one start of Python serves them all. A failure that the engine explains ends the
process with status 1 and the sentence, any other one with status 2 and a stack trace.
"""

import codecs
import ctypes
import fcntl
import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine import EngineError
from tests.tools._operations import OPERATIONS

_NO_FD = 1023
_RENAMEAT2 = ctypes.CDLL(None).renameat2
_NOREPLACE = 1  # without a flag the C library would make another call of it
_IN_VAIN: dict[str, Callable[[], object]] = {
    "openat": lambda: os.open("x", os.O_RDONLY, dir_fd=_NO_FD),
    "write": lambda: os.write(_NO_FD, b"x"),
    "sendfile": lambda: os.sendfile(_NO_FD, _NO_FD, 0, 1),
    "fsync": lambda: os.fsync(_NO_FD),
    "mkdirat": lambda: os.mkdir("x", dir_fd=_NO_FD),
    "linkat": lambda: os.link("x", "x", src_dir_fd=_NO_FD, dst_dir_fd=_NO_FD),
    "unlinkat": lambda: os.unlink("x", dir_fd=_NO_FD),
    "renameat": lambda: os.rename("x", "x", src_dir_fd=_NO_FD, dst_dir_fd=_NO_FD),
    "renameat2": lambda: _RENAMEAT2(_NO_FD, b"x", _NO_FD, b"x", _NOREPLACE),
    "fchmod": lambda: os.fchmod(_NO_FD, 0),
    "fchown": lambda: os.fchown(_NO_FD, 0, 0),
    "flock": lambda: fcntl.flock(_NO_FD, fcntl.LOCK_UN),
}
CALLS = tuple(_IN_VAIN)
"""The system calls by which the engine changes anything on a disk, or finds out whether it may."""


def main() -> None:
    """Serve requests until there are no more; each is answered by ``[process, status, what it said]``."""
    _load_the_rest_of_python()
    _let_anyone_trace()
    gc.freeze()  # collecting would copy every page that a child shares with this process
    _tell(sys.stdout.fileno(), str(os.getpid()))
    for line in sys.stdin:
        operation, path, call, vain = json.loads(line)
        read, write = os.pipe()
        process = os.fork()
        if process == 0:
            _carry_out(operation, Path(path), call, vain, write)
        os.close(write)
        with open(read, "rb") as said:
            text = said.read().decode()
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        _tell(sys.stdout.fileno(), json.dumps([process, status, text]))


def _carry_out(operation: str, path: Path, call: str, vain: int, said: int) -> None:
    status = 0
    try:
        for _ in range(vain):
            with suppress(OSError):
                _IN_VAIN[call]()
        OPERATIONS[operation](path)
    except EngineError as error:
        status = 1
        _tell(said, str(error))
    except BaseException:
        status = 2
        _tell(said, traceback.format_exc())
    os._exit(status)


def _tell(fd: int, text: str) -> None:
    """Write a line, by a system call that is not among those that come to harm."""
    os.writev(fd, [text.encode()[-4000:], b"\n"])


def _load_the_rest_of_python() -> None:
    """What Python and NumPy load late is no part of the operations."""
    importlib.import_module("numpy.ma")
    codecs.lookup("ascii")


def _let_anyone_trace() -> None:
    """Where Linux's Yama lets only parents trace their children, say that others may; elsewhere this does nothing."""
    set_tracer, anyone = 0x59616D61, ctypes.c_ulong(-1)
    ctypes.CDLL(None).prctl(set_tracer, anyone, 0, 0, 0)


if __name__ == "__main__":
    main()
