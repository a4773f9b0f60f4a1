"""Long work in a process of its own: it leaves the interpreter and the memory of this one to those who are waited for.

What the work is given, reports and returns goes to and fro as pickles, the arrays in them as they are. An open folder is
handed over as its handle, so that a store is the very same there, whatever happens to its path. The process ends with
the work, with ``cancel``, and with the process that started it. Both are this program, so they trust each other.
"""

import contextlib
import copyreg
import fcntl
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.directory import Directory
from engine.errors import EngineError
from engine.progress import Progress

Result = TypeVar("Result")

_PROGRAM = (
    "import sys; root, handle = sys.argv[1:]; root in sys.path or sys.path.insert(0, root);"
    "from engine.apart import serve; serve(int(handle))"
)
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

    ``work`` is a function of a module. What it reports goes to ``take``, or where there is none to ``progress``; it must
    not change afterwards. Where no process can be started the work is done here. A process that ends without an answer,
    because memory is short or a library crashed, is an ``EngineError``.
    """
    started = _start()
    if started is None:
        return work(*arguments, progress)
    process, connection = started
    with connection:
        channel = _Channel(connection, progress.check)
        try:
            channel.send((work, arguments))
            answer: Result = _listen(channel, progress, take or progress.report)
        except (EOFError, ConnectionError) as error:
            raise _vanished(process.wait()) from error
        finally:
            process.kill()
            process.wait()
    return answer


def _start() -> "tuple[subprocess.Popen[bytes], socket.socket] | None":
    """The process, and the socket that leads to it; None where there can be none."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None  # there is no interpreter to run it with
    try:
        ours, theirs = socket.socketpair()
    except OSError:
        return None
    handle = -1
    try:
        handle = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 3)  # whatever lies below has a meaning there
        # -P: or modules of the folder that somebody happens to stand in would be taken for Python's own.
        command = [sys.executable, "-P", "-c", _PROGRAM, str(_ROOT), str(handle)]
        nowhere = subprocess.DEVNULL
        # In a group of its own, because Ctrl+C is for this process, which ends the other one itself.
        process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, pass_fds=[handle], process_group=0)
    except OSError:
        ours.close()
        return None
    finally:
        theirs.close()
        if handle >= 0:
            os.close(handle)
    ours.settimeout(_LOOK_S)
    return process, ours


def _listen(channel: "_Channel", progress: Progress, take: Callable[[Any], object]) -> Any:
    """What the other process returns, with its progress shown as ours until then."""
    current = 0
    while True:
        kind, value = channel.receive()
        if kind == "step":
            current, *step = value
            progress.start(*step)
        elif kind == "done":
            step, done = value
            if step == current and done > progress.done:
                progress.advance(done - progress.done)
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
        result = work(*arguments, progress)
        progress.tell_done()
        channel.send(("result", result))
    except BaseException as error:
        channel.send(("error", _fit_to_travel(error)))
    os._exit(0)  # to take everything apart would only take time


def _fit_to_travel(error: BaseException) -> BaseException:
    """The error with its traceback as a note; where it cannot be taken to pieces and put together, its words."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made the moment before
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In the process that did the work:\n{trace}")
    return error


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
        self._step = 0
        self._next = 0.0

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        self.tell_done()
        self._step += 1
        super().start(label, total, unit)
        self._channel.send(("step", (self._step, label, total, unit)))

    def advance(self, amount: int = 1) -> None:
        super().advance(amount)
        now = time.monotonic()
        if now > self._next:
            self._next = now + _LOOK_S
            self.tell_done()

    def report(self, item: Any) -> None:
        self._channel.send(("item", item))

    def tell_done(self) -> None:
        """Say how far it is."""
        self._channel.send(("done", (self._step, self.done)))


# --------------------------------------------------------------------------------------------------- what goes across

_MOST_KEPT = 16 << 20
"""Bytes of arrays in a message after which both ends forget what was sent so far: else they would keep it all."""

# Nothing below refers to itself in a circle: whatever is in a message is let go of with the last who needs it.


class _Writing:
    """What a pickle is written to. In Python, so that others get the interpreter at each piece of it."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.pieces: list[bytes] = []
        self._meanwhile = meanwhile

    def write(self, piece: bytes) -> None:
        self._meanwhile()
        self.pieces.append(piece)


class _Reading:
    """What a pickle is read from. In Python, so that others get the interpreter at each piece of it."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.left = memoryview(b"")
        self._meanwhile = meanwhile

    def read(self, size: int) -> bytes:
        self._meanwhile()
        piece, self.left = self.left[:size], self.left[size:]
        return bytes(piece)

    def readinto(self, room: memoryview) -> int:
        self._meanwhile()
        room[:], self.left = self.left[: len(room)], self.left[len(room) :]
        return len(room)

    def readline(self) -> bytes:
        raise NotImplementedError  # pickles of today have no lines


class _Pickler(pickle.Pickler):
    """Leaves out the content of arrays, and the handles of folders."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.writing = _Writing(meanwhile)
        self.arrays: list[pickle.PickleBuffer] = []
        self.folders: list[Directory] = []
        super().__init__(self.writing, protocol=5, buffer_callback=self.arrays.append)
        self.dispatch_table = copyreg.dispatch_table | {Directory: partial(_leave_out, self.folders)}


def _leave_out(folders: list[Directory], folder: Directory) -> tuple[Callable[..., object], tuple[object, ...]]:
    folders.append(folder)
    return _handed_over, (folder.path, folder.linked)


def _handed_over(path: str, linked: bool) -> Directory:
    """Stands in a pickle for a folder, whose handle comes beside it."""
    raise NotImplementedError


class _Unpickler(pickle.Unpickler):
    """Puts together what a ``_Pickler`` took apart."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.reading = _Reading(meanwhile)
        self.arrays: deque[NDArray[np.uint8]] = deque()
        self.handles: deque[int] = deque()
        self._hand_over = partial(_open_handed_over, self.handles)
        super().__init__(self.reading, buffers=_taken(self.arrays))

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, _handed_over.__name__):
            return self._hand_over
        return super().find_class(module, name)


def _open_handed_over(handles: deque[int], path: str, linked: bool) -> Directory:
    return Directory(handles.popleft(), path, linked=linked)


def _taken(arrays: deque[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    while True:
        yield arrays.popleft()


class _Channel:
    """One end of a socket on which messages go to and fro.

    Of what was sent before, and is immutable therefore, only the name goes across when it comes again.
    """

    def __init__(self, connection: socket.socket, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Whoever waits here does ``meanwhile`` now and then, which may raise."""
        self._connection = connection
        self._meanwhile = meanwhile
        self._pickler: _Pickler | None = None
        self._unpickler = _Unpickler(meanwhile)
        self._sending = threading.Lock()

    def send(self, message: object) -> None:
        """Send a message; any thread may. What cannot be pickled raises, and nothing of it is sent.

        First goes how many parts and folders there are, and whether to forget what came before; then the folders'
        handles, the parts' lengths, and the parts: a pickle and the arrays in it.
        """
        with self._sending:
            pickler, self._pickler = self._pickler, None  # none where this fails: then nobody knows what was named
            is_fresh = pickler is None
            if pickler is None:
                pickler = _Pickler(self._meanwhile)
            pickler.dump(message)
            parts = [memoryview(b"".join(pickler.writing.pieces)), *(array.raw() for array in pickler.arrays)]
            lengths = [len(part) for part in parts]
            self._give(np.array([len(parts), len(pickler.folders), is_fresh], np.uint64).data.cast("B"))
            if pickler.folders:
                socket.send_fds(self._connection, [b"."], [folder.fd for folder in pickler.folders])
            self._give(np.array(lengths, np.uint64).data.cast("B"))
            for part in parts:
                self._give(part)
            for sent in (pickler.writing.pieces, pickler.arrays, pickler.folders):
                sent.clear()
            if sum(lengths[1:]) <= _MOST_KEPT:
                self._pickler = pickler

    def receive(self) -> Any:
        """The next message; raises ``EOFError`` where none comes any more."""
        count, folder_count, is_fresh = self._take(24).view(np.uint64).tolist()
        if is_fresh:
            self._unpickler = _Unpickler(self._meanwhile)
        unpickler = self._unpickler
        if folder_count:
            unpickler.handles.extend(socket.recv_fds(self._connection, 1, folder_count)[1])
        lengths = self._take(8 * count).view(np.uint64)
        content, *arrays = [self._take(length) for length in lengths.tolist()]
        unpickler.reading.left = content.data
        unpickler.arrays.extend(arrays)
        return unpickler.load()

    def _give(self, part: memoryview) -> None:
        left = part
        while left:
            try:
                left = left[self._connection.send(left) :]
            except TimeoutError:
                self._meanwhile()

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
