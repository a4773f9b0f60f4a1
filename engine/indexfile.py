"""The file ``index.json`` of a layout: read it whole, change it without losing anybody's change.

BuildKit and we take a lock; umoci, skopeo, crane and oras take none. Against those: the new file and ``index.json`` swap
their names in one step, and what came back tells whether somebody wrote in between. If so, the change is made again,
to what they wrote. What cannot be prevented is a program that read before us and writes after us.
"""

import errno
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

import msgspec

from engine.blobs import Change
from engine.directory import Directory, explained
from engine.document import INDEX_LIMIT
from engine.durable import exchange, replace, staging, sync, write_file
from engine.errors import DocumentError, StoreBusy, StoreChanged
from engine.index import IndexText
from engine.locking import index_lock
from engine.reading import IndexWalk
from engine.reversal import IndexChange, compare, take_back
from engine.root import StoreRoot

NAME = "index.json"
SETTLE_S = 2.0
"""Seconds for which a file that does not parse is read again, while it changes or is as fresh as that."""

_ATTEMPTS = 50
_NO_EXCHANGE = (
    "This file system cannot swap two files, so a change that another program made in the same instant may be lost."
)

Edit = Callable[[IndexText], None]
Note = Callable[[IndexText, IndexText], None]
"""Is told of a change before it is made: the document before and after. Told again, it forgets what it was told."""


class IndexFile:
    """``index.json`` in the root of an open layout."""

    def __init__(self, root: StoreRoot, *, lock_timeout_s: float = 10.0) -> None:
        self._root = root
        self._lock_timeout_s = lock_timeout_s

    def read(self) -> bytes:
        """The whole document.

        While another program rewrites it in place it is read again, for ``SETTLE_S`` seconds at most. Raises
        ``DocumentError`` when it is missing, too large, no regular file or not JSON: an index that cannot be read is
        never an empty one. Raises ``StorageFailed`` when the system cannot read it.
        """
        with explained("Reading", f"{self._root.path}/{NAME}"):
            return self._settled(self._root.directory, NAME)[0]

    def edit(self, edit: Edit, note: Note | None = None) -> Change:
        """Apply an edit and make it safe on the disk; ``note`` is told before the file changes.

        ``edit`` may be called again, on what another program has written meanwhile; what it raises ends the change and
        leaves the file as the others want it. Raises ``DocumentError`` rather than replace what does not parse,
        ``StoreBusy``, ``Refused``, ``StorageFailed``.
        """
        root = self._root.to_change()
        with explained("Changing", f"{self._root.path}/{NAME}"):
            self._settled(root, NAME)  # says so before anything is made, when it cannot be read
            with index_lock(root, self._lock_timeout_s), staging(root) as stage:
                return self._compare_and_swap(root, stage, edit, note)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep those who respect the lock from writing meanwhile; raises ``StoreBusy``, ``Refused``, ``StorageFailed``."""
        root = self._root.to_change()
        with explained("Locking", f"{self._root.path}/{NAME}"), index_lock(root, self._lock_timeout_s):
            yield

    def _compare_and_swap(self, root: Directory, stage: Directory, edit: Edit, note: Note | None) -> Change:
        base, status = self._settled(root, NAME)
        original = expected = base  # expected: what index.json holds if nobody else writes
        in_hand = ""  # the staged name under which another program's version lies that ours has displaced
        ancestor = base  # what that version was made from
        buried: list[IndexChange] = []  # what such versions had brought, where others have overwritten ours since
        try:
            for attempt in range(_ATTEMPTS):
                wanted = _edited(base, edit, note, buried)
                if wanted == expected:
                    if in_hand:
                        sync(root)
                    return Change(index_changed=expected != original)
                staged = f"index-{attempt}"
                write_file(stage, staged, wanted, self._root.rights, status)
                now, status = self._settled(root, NAME)
                if now != expected:
                    if in_hand:
                        buried.append(_from_to(base, ancestor))
                    base, expected, in_hand = now, now, ""
                elif not exchange(stage, staged, root, NAME):
                    replace(stage, staged, root, NAME)
                    sync(root)
                    return Change(index_changed=True, note=_NO_EXCHANGE)
                else:
                    ancestor, expected, in_hand = expected, wanted, staged
                    base = self._displaced(stage, staged, ancestor, root)
                    if base == ancestor:
                        return Change(index_changed=True)
        except BaseException:
            self._give_back(root, stage, in_hand, expected)
            raise
        self._give_back(root, stage, in_hand, expected)
        raise StoreBusy(
            f"Other programs keep rewriting {self._root.path}/{NAME}.",
            place=f"{self._root.path}/{NAME}",
            remedy="Wait until they are done with the store, then try again.",
        )

    def _displaced(self, stage: Directory, staged: str, before: bytes, root: Directory) -> bytes:
        """What the swap brought back; looked at once more after the disk has the swap.

        A program that had the old file open for writing at that moment writes into what we now hold in our hands.
        """
        back = self._settled(stage, staged)[0]
        if back == before:
            sync(root)
            back = self._settled(stage, staged)[0]
        return back

    def _give_back(self, root: Directory, stage: Directory, in_hand: str, ours: bytes) -> None:
        """Put another program's version back in place, unless somebody has written over ours since."""
        if in_hand and exchange(stage, in_hand, root, NAME):
            if stage.read(in_hand, INDEX_LIMIT)[0] != ours:
                exchange(stage, in_hand, root, NAME)
            sync(root)

    def _settled(self, folder: Directory, name: str) -> tuple[bytes, os.stat_result]:
        """Content and status of the document, as soon as it is whole."""
        deadline = 0.0
        before: tuple[int, int] | None = None
        while True:
            try:
                raw, status = folder.read(name, INDEX_LIMIT)
                after = folder.stat(name)
            except OSError as error:
                _explain(error, f"{self._root.path}/{NAME}")
            mark = after.st_size, after.st_mtime_ns
            moved = after.st_ino == status.st_ino and mark != (status.st_size, status.st_mtime_ns)
            whole = _is_whole(raw)
            if whole and not moved:
                return raw, status
            now = time.monotonic()
            deadline = deadline or now + SETTLE_S
            fresh = abs(time.time() - after.st_mtime) < SETTLE_S
            if now >= deadline or not (moved or fresh or mark != before):
                if not whole:
                    _read_through(raw)  # raises, and says where it is wrong
                return raw, status
            before = mark
            time.sleep(0.02)


def _from_to(theirs: bytes, ancestor: bytes) -> IndexChange:
    """The change that leads from another program's version back to what it was made from."""
    with _named_in_errors():
        return compare(IndexText.parse(theirs, NAME), IndexText.parse(ancestor, NAME))


def _edited(raw: bytes, edit: Edit, note: Note | None, buried: Sequence[IndexChange]) -> bytes:
    """What an edit makes of the index, after what others have brought to it is in it again."""
    with _named_in_errors():
        text = IndexText.parse(raw, NAME)
    for change in buried:
        with suppress(StoreChanged):  # what has come since contradicts it, and is the latest
            take_back(change, text)
    before = text.copy()
    edit(text)
    wanted = text.raw
    if wanted != raw:  # whatever an edit did, nothing is stored that could not be read again
        _read_through(wanted)
        if note is not None:
            note(before, text)
    return wanted


def _read_through(raw: bytes) -> None:
    """Raise ``DocumentError`` unless it is an index to its end; it may be larger than any other document."""
    with _named_in_errors():
        deque(IndexWalk(raw, NAME).entries(), maxlen=0)


@contextmanager
def _named_in_errors() -> Iterator[None]:
    """What is wrong with some JSON text becomes what is wrong with the index."""
    try:
        yield
    except DocumentError as error:
        if error.place:
            raise
        raise DocumentError(
            f"{NAME} is damaged: {error}", place=NAME, expected=error.expected, found=error.found
        ) from None


def _is_whole(raw: bytes) -> bool:
    """Whether it is JSON to its end; a fast first look, the strict reader has the last word."""
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        return True
    return True


def _explain(error: OSError, place: str) -> NoReturn:
    if error.errno == errno.ENOENT:
        raise DocumentError(
            "index.json is missing.",
            place=place,
            expected="the list of what is in the layout",
            found="no such file",
            remedy="If another program is writing the store at this moment, wait until it is done.",
        ) from None
    if error.errno in (errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO):
        found = "a symbolic link" if error.errno == errno.ELOOP else "something else"
        raise DocumentError(
            "index.json is not a regular file.", place=place, expected="a regular file", found=found
        ) from None
    if error.errno == errno.EFBIG:
        raise DocumentError(
            "index.json is too large.", place=place, expected=f"at most {INDEX_LIMIT:,} bytes", found="more"
        ) from None
    raise error
