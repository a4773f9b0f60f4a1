"""Writing so that what was reported as done survives a power cut, and nobody ever sees half of it.

The only file with fsync, rename and link. The order is always: a new file in a locked directory of ours on the
same file system, its content, fsync, then its name, then fsync of the folder that got the name. An fsync that fails is
final: the kernel reports such an error once, so the file is thrown away and nobody asks again.
"""

import ctypes
import errno
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from engine.directory import Directory
from engine.locking import try_lock

logger = logging.getLogger(__name__)

STAGING_PREFIX = ".blobscope-"
"""Begins the names of our staging directories; others leave these alone, and umoci's gc does not know them."""

TRASH_NAME = STAGING_PREFIX + "trash"
"""The folder that holds what was removed from a store; see ``trash.py``."""

MARK_NAME = STAGING_PREFIX + "staging"
"""The file that marks a staging directory in a folder of the person; no name out of an image becomes this one."""

_MARK = b"Blobscope puts files together in this folder. It can be deleted when Blobscope is not running.\n"
_STAGING_NAME = re.compile(re.escape(STAGING_PREFIX) + "[0-9a-f]{16}")
_NOREPLACE, _EXCHANGE = 1, 2  # renameat2(2)
_START_WRITING = 2  # SYNC_FILE_RANGE_WRITE of sync_file_range(2)
_NO_LINKS_HERE = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_NOT_THEIRS = frozenset({errno.EPERM, errno.EACCES, errno.EINVAL})
"""What fchown(2) says of an owner whom this user namespace, or a file system without owners, does not know."""


class Rights(NamedTuple):
    """What new files of a store get: permission bits before the umask and, when root writes, the store's owner."""

    file_mode: int
    folder_mode: int
    uid: int
    gid: int


@contextmanager
def staging(parent: Directory, *, is_marked: bool = False) -> Iterator[Directory]:
    """A locked directory of ours in ``parent``, removed at the end with whatever is still in it.

    The lock tells cleaners, ours and other people's, that a living program works in there. In a folder of the person it
    ``is_marked`` before anything else is in it and until all else is gone, because ``remove_dead`` goes by that.
    """
    stage, name = _make_staging(parent)
    try:
        if is_marked:
            _mark(stage)
        yield stage
    finally:
        try:
            remove_tree(parent, name, last=MARK_NAME if is_marked else "")
        except OSError as error:
            logger.debug("%s/%s stays behind: %s", parent.path, name, error)


def _make_staging(parent: Directory) -> tuple[Directory, str]:
    while True:
        name = STAGING_PREFIX + secrets.token_hex(8)
        os.mkdir(name, 0o700, dir_fd=parent.fd)
        # A cleaner may come before the lock is ours: then what we hold is locked by it, or has lost its name.
        with suppress(FileNotFoundError):
            stage = parent.child(name)
            if try_lock(stage.fd) is not False and stage.is_at(name, parent):
                return stage, name


def _mark(stage: Directory) -> None:
    fd = os.open(MARK_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=stage.fd)
    try:
        write_all(fd, _MARK)
    finally:
        os.close(fd)


def remove_dead(parent: Directory) -> None:
    """Remove the marked staging directories in ``parent`` that programs of ours and of this user have died in.

    What only has such a name stays: an image or a person may have given it, and its content is theirs.
    """
    with parent.scan() as entries:
        names = [entry.name for entry in entries if _STAGING_NAME.fullmatch(entry.name)]
    for name in names:
        try:
            stage = parent.child(name)
            is_ours = stage.status().st_uid == os.geteuid() and stage.has(MARK_NAME)
            if is_ours and try_lock(stage.fd) and stage.is_at(name, parent):
                remove_tree(parent, name, last=MARK_NAME)
        except OSError as error:  # another one removes it, or it is not ours
            logger.debug("%s/%s stays behind: %s", parent.path, name, error)


def create_file(folder: Directory, name: str, rights: Rights) -> int:
    """A descriptor of a new file, readable and writable, with the store's permissions and owner."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, rights.file_mode, dir_fd=folder.fd)
    adopt(fd, rights)
    return fd


def write_file(
    folder: Directory, name: str, content: bytes, rights: Rights, like: os.stat_result | None = None
) -> None:
    """A new file with this content, safe on the disk; ``like`` gives the mode and owner of the file it will replace."""
    fd = create_file(folder, name, rights)
    try:
        write_all(fd, content)
        if like is not None:
            adopt(fd, rights._replace(uid=like.st_uid, gid=like.st_gid))
            os.fchmod(fd, stat.S_IMODE(like.st_mode))
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes | memoryview) -> None:
    """Write everything; the kernel may take it in pieces."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def adopt(fd: int, rights: Rights) -> None:
    """Give a new file or folder to the store's owner, as far as the system lets us: root may, others own theirs."""
    status = os.fstat(fd)
    if (status.st_uid, status.st_gid) != (rights.uid, rights.gid) and os.geteuid() == 0:
        try:
            os.fchown(fd, rights.uid, rights.gid)
        except OSError as error:
            if error.errno not in _NOT_THEIRS:
                raise


def ensure_folder(parent: Directory, name: str, rights: Rights) -> Directory:
    """The folder ``name`` in ``parent``, made and safe on the disk when it was not there.

    It is finished before it has its name, so that a crash never leaves a folder that its owner cannot write to.
    """
    if not parent.has(name):
        with staging(parent) as stage:
            os.mkdir("new", rights.folder_mode, dir_fd=stage.fd)
            folder = stage.child("new")
            adopt(folder.fd, rights)
            sync(folder)
            with suppress(FileExistsError):
                rename_new(stage, "new", parent, name)
        sync(parent)
    return parent.child(name)


def sync(folder: Directory) -> None:
    """Make the names in a folder safe on the disk."""
    try:
        os.fsync(folder.fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # file systems whose folders cannot be synchronised
            raise


def sync_file(fd: int) -> None:
    """Make a file's content safe on the disk; works on a descriptor for reading, too."""
    os.fsync(fd)


def start_writeback(fd: int, offset: int, length: int) -> None:
    """Ask the kernel to begin writing a range to the disk, so that the fsync at the end finds little left to do."""
    if _sync_file_range is not None:
        _sync_file_range(fd, offset, length, _START_WRITING)  # only a hint: the fsync reports what fails


def publish(stage: Directory, name: str, folder: Directory, target: str) -> bool:
    """Give a finished file its name in ``folder``; False when something has that name already. Not yet synchronised.

    Where hard links are refused the file is renamed, over a twin that another program may publish at that moment.
    """
    try:
        os.link(name, target, src_dir_fd=stage.fd, dst_dir_fd=folder.fd, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS_HERE:
            raise
        if folder.has(target):
            return False
        replace(stage, name, folder, target)
    return True


def link(folder: Directory, name: str, other: Directory) -> bool:
    """Let a file have its name in another folder, too; False where it cannot, or has. Not yet synchronised."""
    try:
        os.link(name, name, src_dir_fd=folder.fd, dst_dir_fd=other.fd, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS_HERE:
            raise
        return False
    return True


def move(folder: Directory, name: str, target: Directory) -> None:
    """Move a file to another folder, where it may have its name already. Not yet synchronised."""
    if is_same(folder, name, target):
        os.unlink(name, dir_fd=folder.fd)  # a rename between two names of one file does nothing
    else:
        replace(folder, name, target, name)


def is_same(folder: Directory, name: str, other: Directory) -> bool:
    """Whether that name stands for one file in both folders."""
    try:
        here, there = folder.stat(name), other.stat(name)
    except FileNotFoundError:
        return False
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def replace(stage: Directory, name: str, folder: Directory, target: str) -> None:
    """Give a finished file its name, whatever had it before. Not yet synchronised."""
    os.rename(name, target, src_dir_fd=stage.fd, dst_dir_fd=folder.fd)


def rename_new(stage: Directory, name: str, folder: Directory, target: str) -> None:
    """Move a finished folder to a name that nothing has; ``FileExistsError`` otherwise. Not yet synchronised."""
    if _rename2(stage, name, folder, target, _NOREPLACE):
        return
    if folder.has(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    replace(stage, name, folder, target)


def exchange(stage: Directory, name: str, folder: Directory, target: str) -> bool:
    """Let two files swap their names in one step; False where the file system cannot. Not yet synchronised."""
    return _rename2(stage, name, folder, target, _EXCHANGE)


def unlink(folder: Directory, name: str) -> bool:
    """Remove a file's name and make that safe; False when nothing has it."""
    try:
        os.unlink(name, dir_fd=folder.fd)
    except FileNotFoundError:
        return False
    sync(folder)
    return True


def remove_empty(parent: Directory, name: str) -> bool:
    """Remove a folder if it is empty, and nothing is mounted on it; whether it is gone."""
    try:
        os.rmdir(name, dir_fd=parent.fd)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.EBUSY):
            return False
        raise
    return True


def remove_tree(parent: Directory, name: str, *, last: str = "") -> None:
    """Remove a folder with everything in it: follows no link, leaves no file system, needs two handles at any depth.

    Folders inside are moved up to the outermost one before they are emptied, so depth costs neither recursion nor
    descriptors. The file ``last`` goes when all else is gone. ``EXDEV`` when something is mounted in it.
    """
    top = parent.child(name)
    mount = mount_of(top)
    while folders := _unlink_files(top, last):
        for folder in folders:
            inner = top.child(folder)
            if mount_of(inner) != mount:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), inner.path)
            for deeper in _unlink_files(inner):
                os.rename(deeper, secrets.token_hex(16), src_dir_fd=inner.fd, dst_dir_fd=top.fd)
            os.rmdir(folder, dir_fd=top.fd)
    if last:
        with suppress(FileNotFoundError):
            os.unlink(last, dir_fd=top.fd)
    os.rmdir(name, dir_fd=parent.fd)


def _unlink_files(folder: Directory, last: str = "") -> list[str]:
    """Remove all but the folders in it, whose names are returned, and the file that goes ``last``."""
    folders = []
    with folder.scan() as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if is_folder:
            folders.append(name)
        elif name != last:
            os.unlink(name, dir_fd=folder.fd)
    return folders


def mount_of(folder: Directory) -> tuple[int, str]:
    """Device and mount of a folder: names can only be given to a file within one mount."""
    number = ""
    # Without /proc nobody knows; any other failure must not make one mount look like two.
    with (
        suppress(FileNotFoundError, NotADirectoryError, PermissionError),
        open(f"/proc/self/fdinfo/{folder.fd}", encoding="ascii") as lines,
    ):
        number = next((line.split()[1] for line in lines if line.startswith("mnt_id:")), "")
    return folder.status().st_dev, number


def _rename2(stage: Directory, name: str, folder: Directory, target: str, flags: int) -> bool:
    if _renameat2 is None:
        return False
    if _renameat2(stage.fd, os.fsencode(name), folder.fd, os.fsencode(target), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), target)


def _library_call(name: str, *arguments: type) -> Any:
    call: Any = getattr(_LIBC, name, None)  # None where the C library is older
    if call is not None:
        call.argtypes = arguments
    return call


_LIBC = ctypes.CDLL(None, use_errno=True)
_renameat2 = _library_call("renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_sync_file_range = _library_call("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
