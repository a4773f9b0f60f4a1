"""What writers that crashed have left in a store: whose it is, and whether it is dead.

The patterns are those of the tools' own sources. Nothing is followed, nothing that lives is touched: a folder that its
writer locks is dead when the lock is free, anything else when it has not changed for long and belongs to us.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import NamedTuple

import msgspec

from engine.directory import Directory, explained, is_at
from engine.durable import STAGING_PREFIX, TRASH_NAME, remove_empty, remove_tree, sync, unlink
from engine.locking import LOCK_NAME, try_lock
from engine.progress import Progress
from engine.root import StoreRoot

MIN_AGE_S = 3600.0
"""Seconds without a change after which what no lock protects counts as dead."""

_DEPTH = 8


class Leftover(msgspec.Struct, frozen=True):
    """One thing that a writer left: its path in the store, the tool, bytes on disk, whether it may go, and why (not).

    ``alive`` says that its writer may be at work at this moment.
    """

    path: str
    tool: str
    size: int
    removable: bool
    why: str
    alive: bool = False


class _Proof(Enum):
    """What shows that the writer is dead."""

    LOCK = "our own lock is free"
    LOCK_AND_AGE = "its lock is free, and it is old"
    AGE = "it is old"
    EMPTY = "nothing is in it"
    NONE = "nothing does"


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    is_folder: bool
    tool: str
    proof: _Proof
    remark: str = ""


def _rule(pattern: str, kind: str, tool: str, proof: _Proof, remark: str = "") -> _Rule:
    return _Rule(re.compile(pattern, re.DOTALL), kind == "folder", tool, proof, remark)


# Programs written in Go make the names of their temporary files unique by decimal digits, and by nothing else: what is
# named almost so may be somebody's own.
_OURS = _rule(re.escape(STAGING_PREFIX) + "[0-9a-f]{16}", "folder", "Blobscope", _Proof.LOCK)
_TRASH = _rule(re.escape(TRASH_NAME), "folder", "Blobscope", _Proof.EMPTY)
_IN_LAYOUT = (
    _OURS,
    _TRASH,
    _rule(r"\.umoci-.*", "folder", "umoci", _Proof.LOCK_AND_AGE),
    _rule(r"oci-put-blob[0-9]+", "file", "skopeo, podman or buildah", _Proof.AGE),
    _rule(r"index\.json\.[0-9]+\.tmp", "file", "regclient", _Proof.AGE),
    _rule(re.escape(LOCK_NAME), "file", "BuildKit or Blobscope", _Proof.LOCK),
    _rule(r"\.uploads", "folder", "zot", _Proof.NONE, "A running zot may still be filling it."),
    _rule(r"metadata", "folder", "Blobscope", _Proof.EMPTY),
)
_IN_METADATA = (_OURS, _TRASH, _rule(r"[^.].*", "folder", "Blobscope", _Proof.EMPTY))
_IN_INGEST = (
    _rule(r"[0-9a-f]{32,}_[0-9]+", "file", "oras", _Proof.AGE),
    _rule(r"[0-9a-f]{64}", "folder", "containerd or BuildKit", _Proof.NONE, "That transfer can still be resumed."),
)
_IN_ALGORITHM = (_OURS, _TRASH, _rule(r"(?:[0-9a-f]{32,}\.)?[0-9]+\.tmp", "file", "regclient", _Proof.AGE))
# Only where the length tells such a name from a blob's.
_IN_SHA256 = (_rule(r"[0-9a-f]{64}[0-9]+", "file", "crane or ko", _Proof.AGE),)
_IN_SHA512 = (_rule(r"[0-9a-f]{128}[0-9]+", "file", "crane or ko", _Proof.AGE),)
_IN_DOCKER = (_rule(r"\.tmp-.*", "file", "Docker", _Proof.AGE),)

Places = tuple[tuple[str, tuple[_Rule, ...]], ...]
"""Folders of a store, each with the kinds of leftovers that may lie in it; a star stands for every folder."""

IN_LAYOUT: Places = (
    ("metadata/*", _IN_METADATA),
    ("metadata", _IN_METADATA),
    (".", _IN_LAYOUT),
    ("ingest", _IN_INGEST),
    ("blobs", (_OURS, _TRASH)),
    ("blobs/*", _IN_ALGORITHM),
    ("blobs/sha256", _IN_SHA256),
    ("blobs/sha512", _IN_SHA512),
)
"""Where a layout may hold leftovers, and of which kinds; what is inside comes before what it is in."""
IN_DOCKER: Places = (
    (".", (_OURS, _TRASH)),
    ("content", (_OURS, _TRASH)),
    ("content/sha256", (_OURS, _TRASH, *_IN_DOCKER)),
    ("metadata", (_OURS, _TRASH)),
    ("metadata/sha256", (_OURS, _TRASH)),
    ("metadata/sha256/*", _IN_DOCKER),
)
"""Where Docker's image store may hold leftovers, and of which kinds."""


class _Suspect(NamedTuple):
    parent: Directory
    path: str
    name: str
    status: os.stat_result
    rule: _Rule


def find_leftovers(root: StoreRoot, places: Places, progress: Progress, min_age_s: float) -> list[Leftover]:
    """Everything that matches a pattern, living or dead; raises ``StorageFailed``, ``Cancelled``."""
    found = []
    with explained("Looking for leftovers in", root.path):
        for suspect in _suspects(root.directory, places, progress):
            with _judged(root, suspect, min_age_s) as leftover:
                found.append(leftover)
    return found


def remove_leftovers(root: StoreRoot, places: Places, progress: Progress, min_age_s: float) -> list[Leftover]:
    """Remove what is dead; return that. Raises ``Refused``, ``StorageFailed``, ``Cancelled``."""
    gone = []
    directory = root.to_change()
    with explained("Removing leftovers from", root.path):
        for suspect in _suspects(directory, places, progress):
            with _judged(root, suspect, min_age_s) as leftover:
                if leftover.removable and _remove(suspect):
                    gone.append(leftover)
            progress.advance()
    return gone


def _remove(suspect: _Suspect) -> bool:
    """Remove it and make that safe; whether we, and no faster cleaner, have done it."""
    parent, name = suspect.parent, suspect.name
    try:
        if not suspect.rule.is_folder:
            return unlink(parent, name)
        if suspect.rule.proof is not _Proof.EMPTY:
            remove_tree(parent, name)
        elif not remove_empty(parent, name):
            return False
    except FileNotFoundError:
        return False
    sync(parent)
    return True


def _suspects(root: Directory, places: Places, progress: Progress) -> Iterator[_Suspect]:
    for path, rules in places:
        for folder, prefix in _folders(root, path):
            may_match = re.compile("|".join(rule.pattern.pattern for rule in rules), re.DOTALL).fullmatch
            with folder.scan() as entries:  # of a million names hardly one matches
                names = sorted(entry.name for entry in progress.turns(entries) if may_match(entry.name))
            for name in names:
                with suppress(FileNotFoundError, PermissionError):  # gone since it was listed, or not ours
                    found = [suspect for rule in rules if (suspect := _look(folder, prefix, name, rule))]
                    yield from found[:1]


def _look(folder: Directory, prefix: str, name: str, rule: _Rule) -> _Suspect | None:
    """Whether a name is of that kind; a link never is."""
    if not rule.pattern.fullmatch(name):
        return None
    status = folder.stat(name)
    if not (stat.S_ISDIR if rule.is_folder else stat.S_ISREG)(status.st_mode):
        return None
    if rule.proof is _Proof.EMPTY and folder.child(name).names():
        return None
    return _Suspect(folder, prefix + name, name, status, rule)


def _folders(root: Directory, path: str) -> Iterator[tuple[Directory, str]]:
    """The folders that a path with a star at its end leads to, through no link, each with its path and a slash."""
    folder, prefix = root, ""
    names = [name for name in path.split("/") if name not in (".", "*")]
    try:
        for name in names:
            folder, prefix = folder.child(name), f"{prefix}{name}/"
        if not path.endswith("*"):
            yield folder, prefix
            return
        inner = folder.names()
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in inner:
        try:
            yield folder.child(name), f"{prefix}{name}/"
        except (FileNotFoundError, NotADirectoryError):
            continue


@contextmanager
def _judged(root: StoreRoot, suspect: _Suspect, min_age_s: float) -> Iterator[Leftover]:
    """Whether it is dead; where a lock proves that, it is held meanwhile."""
    size, changed = _measure(suspect.parent, suspect.name, suspect.status, 0)
    rule, removable, lock = suspect.rule, False, -1
    fresh = time.time() - changed < min_age_s
    alive = fresh and rule.proof not in (_Proof.EMPTY, _Proof.LOCK)
    if rule.proof is _Proof.NONE:
        why = rule.remark
    elif suspect.status.st_uid not in (root.rights.uid, os.geteuid()):
        why = "It belongs to another user."
    elif rule.proof is not _Proof.LOCK and fresh:
        why = f"It changed less than {min_age_s / 60:g} minutes ago."
    elif rule.proof is _Proof.EMPTY:
        removable, why = True, "Nothing is in it."
    elif rule.proof is _Proof.AGE:
        removable, why = True, f"It has not changed for {min_age_s / 60:g} minutes."
    else:
        lock, why = _lock(suspect)
        removable, alive = lock >= 0, lock < 0
    try:
        yield Leftover(suspect.path, rule.tool, size, removable, why, alive)
    finally:
        if lock >= 0:
            os.close(lock)


def _lock(suspect: _Suspect) -> tuple[int, str]:
    """A descriptor that holds the lock, -1 where it cannot be had; and what that means."""
    try:
        fd = os.open(suspect.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=suspect.parent.fd)
    except OSError as error:
        return -1, f"It cannot be looked at: {os.strerror(error.errno or 0)}."
    locked = try_lock(fd)
    if locked and is_at(fd, suspect.name, suspect.parent):
        return fd, "Its writer has ended without cleaning up."
    os.close(fd)
    return -1, "This file system has no locks to tell by." if locked is None else "A running program is using it."


def _measure(parent: Directory, name: str, status: os.stat_result, depth: int) -> tuple[int, float]:
    """Bytes and time of the last change, of a file or of everything in a folder, a few levels deep."""
    size, changed = status.st_size, max(status.st_mtime, status.st_ctime)
    if not stat.S_ISDIR(status.st_mode):
        return size, changed
    size = 0
    with suppress(OSError):  # what cannot be looked into, or has just gone, adds nothing
        folder = parent.child(name)
        for inner in folder.names() if depth < _DEPTH else ():
            more, later = _measure(folder, inner, folder.stat(inner), depth + 1)
            size, changed = size + more, max(changed, later)
    return size, changed
