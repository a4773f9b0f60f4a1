"""Everything that changes a store, by name; as a program it carries them out in processes that may come to harm.

It takes one request a line, ``[operation, path, call, vain]``, and does that in a process of its own, which first makes
the system call in vain as often as asked. So whoever injects a fault into the n-th call of a kind decides by that which
of the operation's calls is hit, and one start of Python serves them all. A failure that the engine explains ends the
process with status 1 and the sentence, any other one with status 2 and a stack trace.
"""

import codecs
import ctypes
import fcntl
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from engine import DockerImageStore, EngineError, ImageLayout, ImportRequest, Progress, open_store, plan_removal
from engine.document import Descriptor
from engine.index import IndexText

LARGE = bytes(range(256)) * 10_000
"""Content that is written in three pieces."""
HELLO = b"hello"
HELLO_DIGEST = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _create_layout(path: Path) -> None:
    ImageLayout.create(path / "new").close()


def _create_docker(path: Path) -> None:
    DockerImageStore.create(path / "new").close()


def _put(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        layout.blobs.put(BytesIO(LARGE))


def _put_hello(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        layout.blobs.put(HELLO)


def _put_sha512(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        layout.blobs.put(HELLO, algorithm="sha512")


def _add_name(path: Path) -> None:
    def edit(index: IndexText) -> None:
        index.retag("added", Descriptor(MANIFEST, HELLO_DIGEST, len(HELLO)))

    with ImageLayout.open(path) as layout:
        layout.edit_index(edit)


def _import(path: Path) -> None:
    names = {"config.json": None, "layer": None, "manifest.json": "imported:1"}
    with ImageLayout.open(path) as layout:
        requests = [ImportRequest(path.parent / "files" / file, name) for file, name in names.items()]
        layout.import_files(requests, Progress())


def _delete(path: Path) -> None:
    with open_store(path) as store:
        store.delete(HELLO_DIGEST)


def _remove_image(path: Path) -> None:
    with ImageLayout.open(path) as layout:
        snapshot = layout.scan(Progress())
        positions = [entry.position for entry in snapshot.entries if "one:1" in entry.names]
        layout.apply(plan_removal(snapshot, positions, with_content=True), Progress(), for_good=True)


def _set_metadata(path: Path) -> None:
    with open_store(path) as store:
        store.metadata.set(HELLO_DIGEST, "note", b"new")


def _delete_metadata(path: Path) -> None:
    with open_store(path) as store:
        store.metadata.delete(HELLO_DIGEST, "note")


def _clean(path: Path) -> None:
    with open_store(path) as store:
        store.clean(min_age_s=0)


def _set_config(path: Path) -> None:
    with DockerImageStore.open(path) as store:
        store.set(LARGE)


OPERATIONS = {
    "create a layout": _create_layout,
    "create a Docker store": _create_docker,
    "put a blob": _put,
    "put the first sha512 blob": _put_sha512,
    "repair a blob": _put_hello,
    "add a name": _add_name,
    "import an image": _import,
    "delete a blob": _delete,
    "remove an image": _remove_image,
    "set the first metadata": _set_metadata,
    "replace metadata": _set_metadata,
    "delete the last metadata": _delete_metadata,
    "clean": _clean,
    "set a Docker image": _set_config,
    "set a Docker image's metadata": _set_metadata,
    "delete a Docker image": _delete,
}

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
