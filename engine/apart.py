"""Long work in a process of its own: it leaves the interpreter and the memory of this one to those who are waited for.

What the work is given, reports and returns goes to and fro as pickles, the arrays in them as they are. An open folder is
handed over as its handle, so that a store is the very same there, whatever happens to its path. The process ends with
the work, with ``cancel``, and with the process that started it. Both are this program, so they trust each other.
"""

import contextlib
import copyreg
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
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


def apart(
    work: Callable[..., Result],
    *arguments: object,
    progress: Progress,
    take: Callable[[Any], object] | None = None,
) -> Result:
    """What ``work(*arguments, progress)`` returns in a process of its own; raises what that raises, and ``Cancelled``.

    ``work`` is a function of a module; ``take`` gets what it reports, where that is not to be reported here. Where no process can be started it runs here. A process that ends without an
    answer, because memory is short or a library crashed, is an ``EngineError``.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = _start(theirs)
        if process is None:
            return work(*arguments, progress)
        ours.settimeout(_LOOK_S)
        channel = _Channel(ours, progress.check)
        try:
            channel.send((work, arguments))
            answer: Result = _listen(channel, progress, take or progress.report)
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


def _listen(channel: "_Channel", progress: Progress, take: Callable[[Any], object]) -> Any:
    """What the other process returns, with its progress shown as ours until then."""
    while True:
        kind, value = channel.receive()
        if kind == "step":
            progress.start(*value)
        elif kind == "done":
            progress.advance(value - progress.done)
        elif kind == "item":
            take(value)
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
    channel = _Channel(connection)
    work, arguments = channel.receive()
    threading.Thread(target=_end_with, args=[connection], daemon=True).start()
    progress = _Telling(channel)
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

    def __init__(self, channel: "_Channel") -> None:
        super().__init__()
        self._channel = channel
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
        self._channel.send((kind, value))


# --------------------------------------------------------------------------------------------------- what goes across


class _Pickler(pickle.Pickler):
    """Leaves out the content of arrays, and the handles of folders.

    It writes in Python, as the ``_Unpickler`` reads, so that others get the interpreter at each piece.
    """

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.pieces: list[bytes] = []
        self.arrays: list[pickle.PickleBuffer] = []
        self.folders: list[Directory] = []
        self._meanwhile = meanwhile
        super().__init__(self, protocol=5, buffer_callback=self.arrays.append)
        self.dispatch_table = copyreg.dispatch_table | {Directory: self._leave_out}

    def write(self, piece: bytes) -> None:
        self._meanwhile()
        self.pieces.append(piece)

    def _leave_out(self, folder: Directory) -> tuple[Callable[..., object], tuple[object, ...]]:
        self.folders.append(folder)
        return _handed_over, (folder.path, folder.linked)


def _handed_over(path: str, linked: bool) -> Directory:
    """Stands in a pickle for a folder, whose handle comes beside it."""
    raise NotImplementedError


class _Unpickler(pickle.Unpickler):
    """Puts together what a ``_Pickler`` took apart."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.content = memoryview(b"")
        self.arrays: deque[NDArray[np.uint8]] = deque()
        self.handles: deque[int] = deque()
        self._meanwhile = meanwhile
        super().__init__(self, buffers=self._next_arrays())

    def _next_arrays(self) -> Iterator[NDArray[np.uint8]]:
        while True:
            yield self.arrays.popleft()

    def find_class(self, module: str, name: str) -> Any:
        return self._folder if (module, name) == (__name__, _handed_over.__name__) else super().find_class(module, name)

    def _folder(self, path: str, linked: bool) -> Directory:
        return Directory(self.handles.popleft(), path, linked=linked)

    def read(self, size: int) -> bytes:
        self._meanwhile()
        piece, self.content = self.content[:size], self.content[size:]
        return bytes(piece)

    def readinto(self, room: memoryview) -> int:
        self._meanwhile()
        room[:], self.content = self.content[: len(room)], self.content[len(room) :]
        return len(room)

    def readline(self) -> bytes:
        raise NotImplementedError  # pickles of today have no lines


_MOST_KEPT = 16 << 20
"""Bytes of arrays in a message after which both ends forget what was sent so far: else they would keep it all."""


class _Channel:
    """One end of a socket on which messages go to and fro.

    Of what was sent before, and is immutable therefore, only the name goes across when it comes again.
    """

    def __init__(self, connection: socket.socket, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Whoever waits for a message does ``meanwhile`` now and then, which may raise."""
        self._connection = connection
        self._meanwhile = meanwhile
        self._pickler = _Pickler(meanwhile)
        self._unpickler = _Unpickler(meanwhile)
        self._sending = threading.Lock()

    def send(self, message: object) -> None:
        """How many parts and folders there are, these folders' handles, the parts' lengths, and the parts.

        These are a pickle and the arrays in it. Any thread may send.
        """
        pickler, connection = self._pickler, self._connection
        with self._sending:
            pickler.dump(message)
            parts = [memoryview(b"".join(pickler.pieces)), *(array.raw() for array in pickler.arrays)]
            connection.sendall(np.array([len(parts), len(pickler.folders)], np.uint64).tobytes())
            if pickler.folders:
                socket.send_fds(connection, [b"."], [folder.fd for folder in pickler.folders])
            connection.sendall(np.array([*map(len, parts)], np.uint64).tobytes())
            for part in parts:
                connection.sendall(part)
            pickler.pieces.clear()
            pickler.arrays.clear()
            pickler.folders.clear()
            if sum(map(len, parts[1:])) > _MOST_KEPT:
                self._pickler = _Pickler(self._meanwhile)

    def receive(self) -> Any:
        """The next message; raises ``EOFError`` where none comes any more."""
        unpickler = self._unpickler
        count, folders = self._take(16).view(np.uint64).tolist()
        if folders:
            unpickler.handles.extend(socket.recv_fds(self._connection, 1, folders)[1])
        lengths = self._take(8 * count).view(np.uint64)
        content, *arrays = [self._take(length) for length in lengths.tolist()]
        unpickler.content = content.data
        unpickler.arrays.extend(arrays)
        if sum(map(len, arrays)) > _MOST_KEPT:
            self._unpickler = _Unpickler(self._meanwhile)
        return unpickler.load()

    def _take(self, length: int) -> NDArray[np.uint8]:
        """The next bytes, without keeping the interpreter while they come."""
        found = np.empty(length, np.uint8)
        left = found.data
        while left:
            try:
                taken = self._connection.recv_into(left)
            except TimeoutError:
                self._meanwhile()
                continue
            if not taken:
                raise EOFError
            left = left[taken:]
        return found
