"""Long work in a process of its own: it leaves the interpreter and the memory of this one to those who are waited for.

What the work is given, reports and returns goes through a ``Channel``, also open stores. The process ends with the work,
with ``cancel``, and with the process that started it.
"""

import contextlib
import fcntl
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from engine.channel import Channel
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
        channel = Channel(connection, progress.check)
        try:
            channel.send((work, arguments))
            answer: Result = _listen(channel, progress, take or progress.report)
        except (EOFError, ConnectionError) as error:
            raise _vanished(process.wait()) from error
        finally:
            process.kill()
            process.wait()
    return answer


def interpreter() -> list[str]:
    """The command that starts this Python once more; empty where there is none, because all is packed into one program.

    With -P, or modules of the folder that somebody happens to stand in, or those beside a program, would be taken for
    Python's own.
    """
    return [] if not sys.executable or getattr(sys, "frozen", False) else [sys.executable, "-P"]


def _start() -> "tuple[subprocess.Popen[bytes], socket.socket] | None":
    """The process, and the socket that leads to it; None where there can be none."""
    python = interpreter()
    if not python:
        return None
    try:
        ours, theirs = socket.socketpair()
    except OSError:
        return None
    handle = -1
    try:
        handle = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 3)  # whatever lies below has a meaning there
        command = [*python, "-c", _PROGRAM, str(_ROOT), str(handle)]
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


def _listen(channel: Channel, progress: Progress, take: Callable[[Any], object]) -> Any:
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
    channel = Channel(connection)
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

    def __init__(self, channel: Channel) -> None:
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
