"""Long work in a process of its own: it leaves the interpreter and the memory of this one to those who are waited for.

What the work is given, reports and returns goes to and fro as pickles, the arrays in them as they are. An open folder is
handed over as its handle, so that a store is the very same there, whatever happens to its path. The process ends with
the work, with ``cancel``, and with the process that started it. Both are this program, so they trust each other.
"""

import contextlib
import io
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.directory import Directory
from engine.errors import EngineError
from engine.progress import Progress

Result = TypeVar("Result")

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from engine.apart import serve; serve(int(sys.argv[2]))"
_ROOT = Path(__file__).parents[1]
_LOOK_S = 0.05
"""How often progress is told, and how often is looked whether the answer is still wanted."""


def apart(work: Callable[..., Result], *arguments: object, progress: Progress) -> Result:
    """What ``work(*arguments, progress)`` returns in a process of its own; raises what that raises, and ``Cancelled``.

    ``work`` is a function of a module. Where no process can be started it runs here. A process that ends without an
    answer, because memory is short or a library crashed, is an ``EngineError``.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = _start(theirs)
        if process is None:
            return work(*arguments, progress)
        try:
            _ask(ours, (work, arguments))
            answer: Result = _listen(ours, progress)
        except (EOFError, ConnectionError) as error:
            raise _vanished(process.wait()) from error
        finally:
            process.kill()
            process.wait()
        return answer


def _start(theirs: socket.socket) -> "subprocess.Popen[bytes] | None":
    if not sys.executable or getattr(sys, "frozen", False):
        return None  # there is no interpreter to run it with
    # -P: or modules of the folder that somebody happens to stand in would be taken for Python's own.
    command = [sys.executable, "-P", "-c", _PROGRAM, str(_ROOT), str(theirs.fileno())]
    nowhere = subprocess.DEVNULL
    try:
        return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, pass_fds=[theirs.fileno()])
    except OSError:
        return None


def _listen(connection: socket.socket, progress: Progress) -> Any:
    """What the other process returns, with its progress shown as ours until then."""
    while True:
        kind, value = _receive(connection, progress.check)
        if kind == "step":
            progress.start(*value)
        elif kind == "done":
            progress.advance(value - progress.done)
        elif kind == "item":
            progress.report(value)
        elif kind == "error":
            raise value
        else:
            return value


def _vanished(status: int) -> EngineError:
    ending = f"signal {-status}" if status < 0 else f"exit status {status}"
    return EngineError(
        f"The process that was to do this ended without an answer ({ending}).",
        expected="an answer",
        found=ending,
        remedy="Try again; if memory is short, close other programs first.",
    )


# ------------------------------------------------------------------------------------------- in that other process


def serve(handle: int) -> None:
    """Do the one piece of work that comes through this socket, answer, and end the process."""
    connection = socket.socket(fileno=handle)
    work, arguments = _accept(connection)
    threading.Thread(target=_end_with, args=[connection], daemon=True).start()
    progress = _Telling(connection)
    try:
        progress.tell("result", work(*arguments, progress))
    except Exception as error:
        progress.tell("error", error)
    os._exit(0)  # to take everything apart would only take time


def _end_with(connection: socket.socket) -> None:
    """End when the other side does: it sends nothing more."""
    with contextlib.suppress(OSError):
        connection.recv(1)
    os._exit(1)


class _Telling(Progress):
    """Progress that is watched from another process."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._sending = threading.Lock()
        self._next = 0.0

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        super().start(label, total, unit)
        self.tell("step", (label, total, unit))

    def advance(self, amount: int = 1) -> None:
        super().advance(amount)
        now = time.monotonic()
        if now > self._next:
            self._next = now + _LOOK_S
            self.tell("done", self.done)

    def report(self, item: Any) -> None:
        self.tell("item", item)

    def tell(self, kind: str, value: object) -> None:
        with self._sending:
            _send(self._connection, (kind, value))


# --------------------------------------------------------------------------------------------------- what goes across


_Place = tuple[str, bool]
"""The path of a folder whose handle comes along, and whether a symbolic link led there."""
_MOST_HANDLES = 64


def _ask(connection: socket.socket, question: object) -> None:
    """The question, and before it the handles of the folders in it."""
    folders: list[Directory] = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> tuple[int, _Place] | None:
            if not isinstance(value, Directory):
                return None
            if value not in folders:
                folders.append(value)
            return folders.index(value), (value.path, value.linked)

    content = io.BytesIO()
    Pickler(content, protocol=5).dump(question)
    socket.send_fds(connection, [b"."], [folder.fd for folder in folders])
    _send(connection, content.getvalue())


def _accept(connection: socket.socket) -> Any:
    """What was asked, with folders of our own in it."""
    _, handles, _, _ = socket.recv_fds(connection, 1, _MOST_HANDLES)
    folders: dict[int, Directory] = {}

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, which: Any) -> Directory:
            number, (path, linked) = which
            return folders.setdefault(number, Directory(handles[number], path, linked=linked))

    return Unpickler(io.BytesIO(_receive(connection))).load()


def _send(connection: socket.socket, message: object) -> None:
    """How many parts, how long each is, then the parts: a pickle, and the arrays in it."""
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(content), *(buffer.raw() for buffer in buffers)]
    lengths = np.array([len(parts), *map(len, parts)], np.uint64)
    connection.sendall(lengths.tobytes())
    for part in parts:
        connection.sendall(part)


def _receive(connection: socket.socket, while_waiting: Callable[[], object] | None = None) -> Any:
    """The next message; raises ``EOFError`` where none comes any more."""
    count = _take(connection, 8, while_waiting).view(np.uint64)
    lengths = _take(connection, 8 * int(count[0])).view(np.uint64)
    content, *buffers = [_take(connection, length) for length in lengths.tolist()]
    return pickle.loads(content.data, buffers=buffers)  # noqa: S301 - from this program itself


def _take(
    connection: socket.socket, length: int, while_waiting: Callable[[], object] | None = None
) -> NDArray[np.uint8]:
    """The next bytes, without keeping the interpreter while they come."""
    found = np.empty(length, np.uint8)
    left = found.data
    connection.settimeout(_LOOK_S if while_waiting else None)
    while left:
        try:
            taken = connection.recv_into(left)
        except TimeoutError:
            assert while_waiting is not None
            while_waiting()
            continue
        if not taken:
            raise EOFError
        left = left[taken:]
    return found
