"""Messages between two processes of this program: pickles, the arrays in them as they are, and open folders.

A folder is handed over as its handle, so that it is the very same on the other side, whatever happens to its path. Both
sides are this program, so they trust each other.
"""

import copyreg
import pickle
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.directory import Directory

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


class Channel:
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
