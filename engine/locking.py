"""Excluding other programs: the locks that writers of a layout agree on, and those that tell living from dead.

The only file with flock(2) and fcntl(2) locks. umoci, skopeo, crane and oras take no lock on ``index.json``; against
them only comparing helps (see ``indexfile.py``).
"""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout, lock_descriptor

from engine.directory import Directory, is_at
from engine.errors import StoreBusy

logger = logging.getLogger(__name__)

LOCK_NAME = "index.json.lock"
"""The file that BuildKit locks with flock(2) while it writes ``index.json``; we take the same one."""
PODMAN_LOCK_NAME = "index.lock"
"""The file that podman's artifact store keeps, and locks with fcntl(2) records."""

_NO_LOCKS_HERE = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EBADF, errno.EINVAL})


def try_lock(fd: int) -> bool | None:
    """Take the flock(2) of a descriptor without waiting: False when another has it, None where there are no locks."""
    try:
        return lock_descriptor(fd, blocking=False)
    except OSError as error:
        if error.errno in _NO_LOCKS_HERE:  # a directory on NFS, for one
            return None
        raise


def unlock(fd: int) -> None:
    """Give a flock(2) up now, rather than when the last one who refers to the descriptor is gone."""
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def index_lock(root: Directory, timeout_s: float = 10.0) -> Iterator[None]:
    """Exclude other writers of ``index.json``: our own, BuildKit, and podman where it left its lock file.

    Raises ``StoreBusy`` when another program still holds the lock after ``timeout_s`` seconds. The lock file is
    removed again while it is held; whoever waited on the removed one notices and starts over.
    """
    deadline = time.monotonic() + timeout_s
    if root.status().st_nlink == 0:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), root.path)
    descriptors: list[int] = []
    lock = FileLock(  # by way of the handle: the folder's path may lead elsewhere by now
        f"/proc/self/fd/{root.fd}/{LOCK_NAME}",
        thread_local=False,
        fallback_to_soft=False,
        poll_interval=0.02,
        on_acquired=descriptors.append,
    )
    while True:
        try:
            lock.acquire(timeout=max(0.0, deadline - time.monotonic()))
        except Timeout:
            raise _busy(root, LOCK_NAME, timeout_s) from None
        if is_at(descriptors[-1], LOCK_NAME, root):
            break
        lock.release()  # its last holder removed it at that moment
    try:
        _give_to_owner(descriptors[-1], root)
        with _podman_lock(root, deadline, timeout_s):
            yield
    finally:
        try:
            if is_at(descriptors[-1], LOCK_NAME, root):
                os.unlink(LOCK_NAME, dir_fd=root.fd)
        except OSError as error:  # what was to be done is done; a file that nobody locks is in nobody's way
            logger.debug("%s/%s stays behind: %s", root.path, LOCK_NAME, error)
        finally:
            lock.release()


def _give_to_owner(fd: int, root: Directory) -> None:
    """Let the owner of the folder lock the file, too, when a crash leaves what root has made."""
    owner = root.status()
    if os.geteuid() == 0 and os.fstat(fd).st_uid != owner.st_uid:
        with suppress(OSError):  # an owner that this system does not know
            os.fchown(fd, owner.st_uid, owner.st_gid)


@contextmanager
def _podman_lock(root: Directory, deadline: float, timeout_s: float) -> Iterator[None]:
    try:
        fd = os.open(PODMAN_LOCK_NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=root.fd)
    except FileNotFoundError:
        yield
        return
    try:
        while True:
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):
                if time.monotonic() >= deadline:
                    raise _busy(root, PODMAN_LOCK_NAME, timeout_s) from None
            time.sleep(0.02)
        yield
    finally:
        os.close(fd)


def _busy(root: Directory, name: str, timeout_s: float) -> StoreBusy:
    return StoreBusy(
        f"Another program has held {root.path}/{name} for {timeout_s:g} seconds.",
        place=f"{root.path}/{name}",
        expected="a free lock",
        found="a lock that another program holds",
        remedy="Wait until that program is done with the store, then try again.",
    )
