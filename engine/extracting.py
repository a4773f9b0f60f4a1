"""Takes files and folders out of an image, and blobs out of a store, onto the disk.

Everything is put together in a folder of our own in the target, which nobody else may enter, and gets its final name
when it is whole. Only files, folders and symbolic links are made; links only where they cannot lead out of what is
extracted, and last of all, so that nothing is ever written through one. Files of the person are never touched: what has a
name that is taken gets another one beside it.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import dropwhile
from pathlib import Path

import msgspec
import numpy as np

from engine.blobs import Blobs
from engine.contents import Contents
from engine.digest import Digest
from engine.directory import Directory, explained
from engine.durable import remove_dead, rename_new, staging, write_all
from engine.errors import BlobError, Refused, StorageFailed
from engine.filenames import names_beside, safe_name
from engine.filesystem import Change, Content, Facts, FileSystem, View
from engine.pathtree import ROOT, components
from engine.printable import printable
from engine.progress import Progress
from engine.streams import BLOCK
from engine.tarheader import DIRECTORY, SYMBOLIC_LINK

MOST = 64 << 30
"""Bytes that are extracted at once, unless the caller allows more."""
_DEEPEST = 200
"""Folders in each other; each costs a file descriptor."""
_TOLD = 10_000
"""Names that are told in a result."""
_CHUNK = 8 << 20
"""Bytes that are copied at a time."""
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENAMETOOLONG, errno.EINVAL})
"""What file systems without symbolic links say of one."""
_NO_SUCH_NAME = frozenset({errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG})
"""What file systems say of a name that they cannot have."""


class Extraction(msgspec.Struct):
    """What was extracted: final paths, counts, bytes; and what came out otherwise than it is in the image.

    ``renamed`` has paths in the image with the names they got, ``left_out`` with the reason, both as text.
    ``is_verified`` tells whether every layer that was read is known to be what its digest names.
    """

    placed: list[Path] = []
    files: int = 0
    folders: int = 0
    links: int = 0
    size: int = 0
    renamed: list[tuple[str, str]] = []
    left_out: list[tuple[str, str]] = []
    left_out_count: int = 0
    is_verified: bool = True


class _Item(msgspec.Struct, gc=False):
    """A node that is to be made: in which folder (a place in the list of items, -1 for the top), under which name."""

    node: int
    folder: int
    depth: int
    top: int
    name: str
    facts: Facts
    place: Content | None


def extract(
    contents: Contents,
    files: FileSystem,
    view: View,
    nodes: Sequence[int],
    target: Path,
    progress: Progress,
    *,
    most: int = MOST,
    root_name: str = "files",
    keep_going: bool = False,
) -> Extraction:
    """Make these files and folders, with all that the view shows in them, in a folder of the disk.

    Permissions for reading, writing and executing stay; owners, special bits, devices, pipes and sockets do not. Hard
    links become files of their own. Of what the layer has removed, only what is named itself is made. ``root_name`` is
    what the folder is called that the whole file system gets. With ``keep_going``, files that are not to be read, because
    their layer is damaged, are left out. What a killed program of ours left in the target goes.

    Raises ``Refused`` where it would be more than ``most`` bytes or than there is room for, ``StorageFailed``, what
    ``Contents.stream`` raises, and ``Cancelled``; then there is nothing of it in the target.
    """
    progress.start("Extracting")  # how much it is will be known soon
    work = _Work(contents, files, view, progress, root_name, keep_going=keep_going)
    work.collect(nodes)
    with explained("Writing to", str(target)):
        parent = Directory.open(target)
        remove_dead(parent)
        work.check_room(parent, most)
        with staging(parent, is_marked=True) as stage:
            work.make_folders(stage)
            work.make_files(stage)
            work.make_links(stage)
            work.place(stage, parent)
    return work.done


def save_blob(
    blobs: Blobs, digest: str, name: str, target: Path, progress: Progress, *, even_if_wrong: bool = False
) -> Path:
    """Save a whole blob in a folder of the disk under a readable name (``filenames.readable_name``).

    It is hashed on its way: raises ``DigestMismatch`` for a corrupt one, unless that is wanted ``even_if_wrong``, and
    ``BlobMissing``, ``BlobUnreadable``, ``StorageFailed``, ``Cancelled``; then nothing is saved.
    """
    parsed = Digest.parse(digest)
    size = blobs.stat(parsed).size
    progress.start("Saving", size, "bytes")
    checked = parsed.checkable and not even_if_wrong
    source = blobs.open_verified(parsed) if checked else os.fdopen(blobs.open(parsed), "rb", buffering=0)
    with source, explained("Writing to", str(target)):
        parent = Directory.open(target)
        with staging(parent, is_marked=True) as stage:
            made = safe_name(name)
            with _new_file(stage.fd, "blob", 0o666) as handle:
                while block := source.read(BLOCK):
                    write_all(handle, block)
                    progress.advance(len(block))
            return target / _give_name(stage, "blob", parent, made)


class _Work:
    """One extraction on its way."""

    def __init__(
        self, contents: Contents, files: FileSystem, view: View, progress: Progress, root_name: str, *, keep_going: bool
    ) -> None:
        self.done = Extraction()
        self._contents = contents
        self._files = files
        self._view = view
        self._progress = progress
        self._root_name = root_name
        self._keep_going = keep_going
        self._gone: set[int] = set()  # nodes that turned out not to be readable
        self._items: list[_Item] = []
        self._names: dict[int, dict[str, int]] = {}  # those taken in each folder, and the number to go on from
        self._kept: tuple[Content | None, int] = None, -1  # where the content of the last file was, and its handle
        self._way: list[tuple[int, Directory]] = []  # the folder that was last written to, and those above it

    def collect(self, nodes: Sequence[int]) -> None:
        """Find out what is to be made; what lies in a folder that is chosen, too, is made there only."""
        for node in self._files.tree.outermost(nodes):
            self._collect_below(node)

    def _collect_below(self, top: int) -> None:
        is_removed = self._view.changes[top] == Change.REMOVED
        waiting = [(top, -1, 0)]
        while waiting:
            node, folder, depth = waiting.pop()
            change = self._view.changes[node]
            if change == Change.NONE or (change == Change.REMOVED) != is_removed:
                continue
            facts = self._files.facts(int(self._view.entries[node]))
            place, reason = self._find(node, depth, facts)
            if reason:
                self._leave_out(node, reason)
                continue
            number = len(self._items)
            self._items.append(_Item(node, folder, depth, top, self._free_name(folder, node), facts, place))
            if number % 1000 == 0:
                self._progress.check()
            if facts.kind == DIRECTORY:
                waiting.extend((child, number, depth + 1) for child in reversed(self._files.tree.children(node)))

    def _find(self, node: int, depth: int, facts: Facts) -> tuple[Content | None, str]:
        """Where the content is; and why it cannot be made, if it cannot."""
        if depth > _DEEPEST:
            return None, "It lies in too many folders."
        if facts.kind in (DIRECTORY, SYMBOLIC_LINK):
            return None, ""
        entry = int(self._view.entries[node])
        place = self._files.content_of(entry)
        if place is None and not facts.hard:
            return None, "It is neither a file nor a folder nor a symbolic link."
        try:
            self._contents.size(entry)
        except Refused as error:
            return None, str(error)
        return place, ""

    def _free_name(self, folder: int, node: int) -> str:
        """A name that nothing else in the folder gets, because its name had to be changed, too."""
        name = _as_text(self._files.tree.name(node)) if node != ROOT else self._root_name
        taken, wanted = self._names.setdefault(folder, {}), safe_name(name)
        first = taken.get(wanted, 1)
        passed, free = next(each for each in enumerate(names_beside(wanted, first)) if each[1] not in taken)
        taken[wanted] = first + passed
        taken.setdefault(free, 1)
        if free != name:
            self._tell_name(node, free)
        return free

    def check_room(self, parent: Directory, most: int) -> None:
        """Refuse before anything is written what cannot or should not be."""
        size = sum(item.facts.size for item in self._items if item.place is not None)
        room = os.fstatvfs(parent.fd)
        free = room.f_bavail * room.f_frsize
        free = free if room.f_blocks else most  # some file systems do not know
        if size > min(free, most):
            what = "free there" if free < most else "extracted at once"
            raise Refused(
                f"This would be {size:,} bytes; at most {min(free, most):,} are {what}.",
                place=parent.path,
                expected=f"at most {min(free, most):,} bytes",
                found=f"{size:,} bytes",
                remedy="Choose less, or another place.",
            )
        self._progress.start("Extracting", size, "bytes")

    def make_folders(self, stage: Directory) -> None:
        """Make all folders; in the list each comes after the one that it is in."""
        for item in self._items:
            if item.facts.kind == DIRECTORY:
                self._progress.check()
                self._make(stage, item, self._make_folder)
                self.done.folders += 1

    def make_files(self, stage: Directory) -> None:
        """Make all files in the order in which the layers have them, so that each layer is gone through once."""
        found = [(item.place, item) for item in self._items if item.place is not None]
        places = np.array([(place.layer, place.offset) for place, _ in found], np.int64).reshape(-1, 2)
        # Unlike a sort of Python's own, NumPy's lets other threads work meanwhile.
        order = np.lexsort((places[:, 1], places[:, 0])).tolist()
        try:
            for number in order:
                item = found[number][1]
                try:
                    self._make(stage, item, self._make_file)
                except BlobError as error:
                    if not self._keep_going:
                        raise
                    self._gone.add(item.node)
                    self._leave_out(item.node, str(error))
                    continue
                self.done.files += 1
                self.done.size += item.facts.size
        finally:
            self._keep(None, -1)
        layers = {place.layer for place, _ in found}
        self.done.is_verified = all(self._contents.is_verified(layer) for layer in layers)

    def make_links(self, stage: Directory) -> None:
        """Make the symbolic links that stay inside."""
        for item in self._items:
            if item.facts.kind == SYMBOLIC_LINK and item.folder >= 0:
                inside = self._inside(item)
                if inside is None:
                    self._leave_out(item.node, "It is a symbolic link that leads out of what is extracted.")
                else:
                    self._make_link(stage, item, inside)

    def place(self, stage: Directory, parent: Directory) -> None:
        """Give everything its final name; links at the top come last, when it is known what is beside them."""
        tops = [item for item in self._items if item.folder < 0 and item.node not in self._gone]
        tops.sort(key=lambda item: item.facts.kind == SYMBOLIC_LINK)
        kept = set()
        for item in tops:
            if item.facts.kind == SYMBOLIC_LINK:
                target = item.facts.link
                if target not in kept:
                    self._leave_out(item.node, "It is a symbolic link to something that is not extracted with it.")
                    continue
                if not self._make_link(stage, item, target):
                    continue
            name = _give_name(stage, item.name, parent, item.name)
            kept.add(os.fsencode(name))
            if name != item.name:
                self._tell_name(item.node, name)
            self.done.placed.append(Path(parent.path) / name)

    def _make(self, stage: Directory, item: _Item, make: Callable[[_Item, str, int], None]) -> None:
        """Make something under its name, or under one like it where the file system cannot have that."""
        folder = self._folder(stage, item.folder)
        names = names_beside(item.name)
        for name in names:
            try:
                make(item, name, folder.fd)
            except FileExistsError:  # the file system takes two names for one
                self._progress.check()
                continue
            except OSError as error:
                plain = safe_name(name, for_windows=True)
                if error.errno not in _NO_SUCH_NAME or plain == name:
                    raise
                make(item, plain, folder.fd)
                name = plain
            if name != item.name:
                self._tell_name(item.node, name)
                item.name = name
            return

    def _make_folder(self, item: _Item, name: str, folder: int) -> None:
        os.mkdir(name, (item.facts.mode & 0o777) | 0o700, dir_fd=folder)

    def _make_file(self, item: _Item, name: str, folder: int) -> None:
        with _new_file(folder, name, (item.facts.mode & 0o777) | 0o600) as handle:
            if item.place == self._kept[0]:
                self._copy(self._kept[1], handle, item.facts.size)
            else:
                try:
                    for block in self._contents.stream(int(self._view.entries[item.node]), self._progress):
                        write_all(handle, block)
                        self._progress.advance(len(block))
                except BlobError:
                    os.unlink(name, dir_fd=folder)
                    raise
                self._keep(item.place, os.dup(handle))
            with suppress(OSError, OverflowError):  # a time that this file system cannot have
                os.utime(handle, (item.facts.mtime, item.facts.mtime))

    def _copy(self, source: int, handle: int, size: int) -> None:
        """Another name of the file that was made before this one."""
        done = 0
        while done < size:
            sent = os.sendfile(handle, source, done, min(_CHUNK, size - done))
            if not sent:
                raise OSError(errno.EIO, "a file of ours has been cut short")
            done += sent
            self._progress.advance(sent)

    def _keep(self, place: Content | None, handle: int) -> None:
        """Keep the last file open, because what follows may be another name of it."""
        _, before = self._kept
        self._kept = place, handle
        if before >= 0:
            os.close(before)

    def _make_link(self, stage: Directory, item: _Item, target: bytes) -> bool:
        """Make a symbolic link; False where the file system has no such thing."""
        try:
            self._make(stage, item, lambda _, name, folder: os.symlink(target, name, dir_fd=folder))
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._leave_out(item.node, "It is a symbolic link, which cannot be made there.")
            return False
        if target != item.facts.link:
            self._tell_name(item.node, f"{item.name} → {_shown(target)}")
        self.done.links += 1
        return True

    def _inside(self, item: _Item) -> bytes | None:
        """What a link may lead to; None where it cannot be kept inside.

        The folders above the link are real ones, so it may begin with as many ``..`` as there are; a ``..`` behind a name
        may be one too many, because the name may be another link. An absolute target is made relative.
        """
        target = item.facts.link
        ups = item.depth - 1
        if target.startswith(b"/"):
            inner, top = components(target), components(self._files.tree.path(item.top))
            if b".." in target.split(b"/") or inner[: len(top)] != top:
                return None
            return b"/".join([*[b".."] * ups, *inner[len(top) :]]) or b"."
        parts = [part for part in target.split(b"/") if part not in (b"", b".")]
        names = list(dropwhile(lambda part: part == b"..", parts))
        is_inside = len(parts) - len(names) <= ups and b".." not in names and b"\0" not in target
        if not is_inside or not target:
            return None
        return b"/".join(parts) or b"." if b"//" in target else target  # which programs take for the root now and then

    def _folder(self, stage: Directory, number: int) -> Directory:
        """The handle of a folder that was made, reached name by name, never through a link."""
        chain = []
        while number >= 0:
            chain.append(number)
            number = self._items[number].folder
        chain.reverse()
        common = 0
        while common < min(len(chain), len(self._way)) and self._way[common][0] == chain[common]:
            common += 1
        del self._way[common:]
        for step in chain[common:]:
            above = self._way[-1][1] if self._way else stage
            self._way.append((step, above.child(self._items[step].name)))
        return self._way[-1][1] if self._way else stage

    def _tell_name(self, node: int, name: str) -> None:
        if len(self.done.renamed) < _TOLD:
            self.done.renamed.append((_as_text(self._files.tree.path(node)), name))

    def _leave_out(self, node: int, reason: str) -> None:
        self.done.left_out_count += 1
        if len(self.done.left_out) < _TOLD:
            self.done.left_out.append((_as_text(self._files.tree.path(node)), reason))


@contextmanager
def _new_file(folder: int, name: str, mode: int) -> Iterator[int]:
    """A new file, open for writing; whatever has its name already, it raises ``FileExistsError``."""
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def _give_name(stage: Directory, made: str, parent: Directory, name: str) -> str:
    """Move what is whole to its final name, or to one beside it where that is taken; the name it got."""
    for free in names_beside(name):
        try:
            rename_new(stage, made, parent, free)
        except FileExistsError:
            continue
        except OSError as error:
            plain = safe_name(free, for_windows=True)
            if error.errno not in _NO_SUCH_NAME or plain == free:
                raise
            return _give_name(stage, made, parent, plain)
        return free
    raise StorageFailed(f"Every name like {name!r} is taken in {parent.path}.", place=parent.path)


def _as_text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _shown(path: bytes) -> str:
    """A path for a message."""
    return printable(_as_text(path), 200)
