"""Reaching files by directory handle: one name at a time, never through a symbolic link, never waiting for a pipe.

Paths are only for messages. A parent that is renamed or a link that is planted while we work leads nowhere else.
Looking changes nothing: not even the access times, where the file belongs to us.
"""

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InvalidName, StorageFailed

logger = logging.getLogger(__name__)

_BLOCK = 1 << 16
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY


class Directory:
    """An open directory; closed when nobody refers to it any more, so that no thread loses it in mid-use.

    The methods raise plain ``OSError``; the verbs above say in a sentence what failed (see ``explained``).
    """

    __slots__ = ("__weakref__", "fd", "linked", "path")

    def __init__(self, fd: int, path: str, *, linked: bool = False) -> None:
        self.fd = fd
        self.path = path
        self.linked = linked
        """Whether a symbolic link led here, from this directory's name or a name above it in the store."""

    def __del__(self) -> None:
        try:
            os.close(self.fd)
        except OSError:
            logger.debug("closing %s failed", self.path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Directory":
        """Open a directory that a person named; links on the way there are followed."""
        return cls(_open(os.fspath(path), _FOLDER, None), os.fspath(Path(path).absolute()))

    def child(self, name: str, *, follow: bool = False) -> "Directory":
        """The directory ``name`` in this one; a symbolic link of that name is followed only when asked to."""
        path = f"{self.path}/{name}"
        try:
            return Directory(_open(name, _FOLDER | os.O_NOFOLLOW, self.fd), path, linked=self.linked)
        except NotADirectoryError:  # what Linux says to a link that must not be followed and must be a directory
            if not follow or not stat.S_ISLNK(self.stat(name).st_mode):
                raise
        return Directory(_open(name, _FOLDER, self.fd), path, linked=True)

    def stat(self, name: str) -> os.stat_result:
        """The status of ``name`` itself, also when it is a link."""
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Whether anything has that name."""
        try:
            self.stat(name)
        except FileNotFoundError:
            return False
        return True

    def status(self) -> os.stat_result:
        """The status of this directory."""
        return os.fstat(self.fd)

    def is_at(self, name: str, parent: "Directory") -> bool:
        """Whether ``name`` in ``parent`` still is this very directory."""
        return is_at(self.fd, name, parent)

    def open_file(self, name: str) -> int:
        """A descriptor of the regular file ``name``; ``ELOOP`` for a link, ``EINVAL`` for what else is not regular."""
        return self.open_with_status(name)[0]

    def open_with_status(self, name: str) -> tuple[int, os.stat_result]:
        """The same, with the file's status at that moment, for those who open very many."""
        fd = _open(name, _FILE, self.fd)
        status = os.fstat(fd)
        if stat.S_ISREG(status.st_mode):
            return fd, status
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", name)

    def read(self, name: str, limit: int) -> tuple[bytes, os.stat_result]:
        """The content of a small regular file and its status from before; ``EFBIG`` when it is over ``limit`` bytes."""
        fd, status = self.open_with_status(name)
        try:
            return read_all(fd, status.st_size, limit), status
        finally:
            os.close(fd)

    @contextmanager
    def scan(self) -> Iterator[Iterator["os.DirEntry[str]"]]:
        """The entries, through a position of their own, so that two threads may scan at once."""
        fd = _open(".", _FOLDER, self.fd)
        try:
            with os.scandir(fd) as entries:
                yield entries
        finally:
            os.close(fd)

    def names(self) -> list[str]:
        """The names in it, sorted."""
        with self.scan() as entries:
            return sorted(entry.name for entry in entries)


def is_at(fd: int, name: str, parent: Directory) -> bool:
    """Whether ``name`` in ``parent`` still is the file that the descriptor holds."""
    try:
        there, here = parent.stat(name), os.fstat(fd)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def read_all(fd: int, hint: int, limit: int) -> bytes:
    """Everything that a descriptor yields, about ``hint`` bytes; ``EFBIG`` when it is over ``limit``."""
    pieces: list[bytes] = []
    found = 0
    while found <= limit:
        likely = hint - found + 1 if hint >= found else _BLOCK
        piece = os.read(fd, min(likely, limit + 1 - found))
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        found += len(piece)
    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def lacks_handles(error: OSError) -> bool:
    """Whether the system has no handle left, for this program or at all: that says nothing about the file."""
    return error.errno in (errno.EMFILE, errno.ENFILE)


@contextmanager
def explained(doing: str, place: str) -> Iterator[None]:
    """Turn what the operating system refuses into ``StorageFailed``: a sentence that begins with ``doing place``."""
    try:
        yield
    except OSError as error:
        raise StorageFailed.from_os(doing, place, error) from error


def check_path(path: str | os.PathLike[str]) -> str:
    """The path as a text that the system takes; raises ``InvalidName`` for one that no file can have."""
    text = os.fspath(path)
    try:
        if b"\0" not in os.fsencode(text):
            return text
    except UnicodeEncodeError:
        pass  # half a character, as JSON and windows can have it
    raise InvalidName(f"{text!a} cannot be the path of a file.", place=ascii(text))


def _open(name: str, flags: int, dir_fd: int | None) -> int:
    try:
        return os.open(name, flags | os.O_NOATIME, dir_fd=dir_fd)
    except PermissionError as error:
        if error.errno != errno.EPERM:  # EPERM: only the owner may ask to leave the access time alone
            raise
    return os.open(name, flags, dir_fd=dir_fd)
