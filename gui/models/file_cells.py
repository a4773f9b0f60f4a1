"""What the rows of the tree of files say: names, changes, sizes, modes, owners and times in words."""

import stat
from enum import IntEnum
from typing import NamedTuple

from engine.filesystem import ABSENT, Change, FileSystem, View
from engine.tarheader import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    PIPE,
    SYMBOLIC_LINK,
)
from gui import text
from gui.theme import Role


class Column(IntEnum):
    """The columns of the tree."""

    NAME = 0
    CHANGE = 1
    SIZE = 2
    LAYER = 3
    MODE = 4
    OWNER = 5
    MODIFIED = 6


TITLES = ("Name", "Change", "Size", "Layer", "Mode", "Owner", "Modified")


class ChangeWords(NamedTuple):
    """A change of a path: its glyph, its word, and the colour of both."""

    glyph: str
    word: str
    role: Role


CHANGES = {
    Change.ADDED: ChangeWords("+", "added", Role.SOUND),
    Change.CHANGED: ChangeWords("~", "changed", Role.CHANGED),
    Change.REMOVED: ChangeWords("−", "removed", Role.BAD),
    Change.UNCHANGED: ChangeWords("=", "unchanged", Role.MUTED),
}

_KINDS = {
    DIRECTORY: ("folder", stat.S_IFDIR),
    SYMBOLIC_LINK: ("symbolic link", stat.S_IFLNK),
    CHARACTER_DEVICE: ("character device", stat.S_IFCHR),
    BLOCK_DEVICE: ("block device", stat.S_IFBLK),
    PIPE: ("pipe", stat.S_IFIFO),
}
_FILE = ("file", stat.S_IFREG)
_WHITEOUT = ("whiteout", 0)


class Cells(NamedTuple):
    """One row of the tree."""

    texts: tuple[str, ...]
    kind: int
    change: Change
    role: Role
    """The colour of the change."""
    tip: str
    size: int
    spoken: str
    facts: str
    """All of it in one line."""


def cells_of(files: FileSystem, view: View, node: int, *, alone: bool = False) -> Cells:
    """What the row of a node says; with ``alone`` there is only one layer, of which nobody needs to be told."""
    entry = int(view.entries[node])
    facts = files.facts(entry)
    name = text.plain(_decoded(files.tree.name(node)))
    target = text.plain(_decoded(facts.link)) if facts.link else ""
    change = Change(int(view.changes[node]))
    words = CHANGES[change]
    is_whiteout = change == Change.REMOVED and entry == ABSENT
    kind, bits = _WHITEOUT if is_whiteout else _KINDS.get(facts.kind, _FILE)
    is_folder = facts.kind == DIRECTORY
    size = int(view.sizes[node] if is_folder else view.shown_sizes[node])
    told = (
        _told(view, node, change) if is_folder else "" if change == Change.UNCHANGED else f"{words.glyph} {words.word}"
    )
    known = facts.layer >= 0
    layer = str(facts.layer + 1) if known else ""
    arrow = f" → {target}" if target and not facts.hard else ""
    what = f"another name of {text.plain(_decoded(facts.hard))}" if facts.hard else f"{kind}{arrow}"
    where = "" if known else "No layer has an entry for this folder, only for what is in it."
    if is_whiteout:
        where = "It removes what the layers below have there."
    origin = f"From layer {layer}" if known and not alone else where
    sized = "" if is_whiteout or (facts.kind in _KINDS and not is_folder) else text.size(size)
    counted = _spoken_counts(view, node) if is_folder else ""
    mode = stat.filemode(bits | facts.mode) if known else ""
    owner = f"{facts.uid}:{facts.gid}" if known else ""
    time = text.moment(facts.mtime) if known else ""
    return Cells(
        texts=(f"{name}{arrow}", told, sized, layer, mode, owner, time),
        kind=facts.kind,
        change=change,
        role=_role(view, node, change) if is_folder else words.role,
        tip="\n".join((path_of(files, node), what, f"{words.word.capitalize()}. {origin}".rstrip())),
        size=size,
        facts=text.SEPARATOR.join(
            part for part in (what, sized, mode, owner, time, where.rstrip("."), counted) if part
        ),
        spoken=", ".join(part for part in (f"{name}{arrow}", kind, sized, words.word, counted) if part),
    )


def path_of(files: FileSystem, node: int) -> str:
    """The whole path of a node, fit to show."""
    return f"/{text.plain(_decoded(files.tree.path(node)), -1)}"


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _counts(view: View, node: int) -> list[tuple[Change, int]]:
    """How much is added, changed and removed at or below a folder, where anything is."""
    below = ((Change.ADDED, view.added), (Change.CHANGED, view.changed), (Change.REMOVED, view.removed))
    return [(change, int(counts[node])) for change, counts in below if counts[node]]


def _told(view: View, node: int, change: Change) -> str:
    """``+212 ~3 −1``; a folder without anything in it is told like a file."""
    counts = _counts(view, node)
    if change in (Change.ADDED, Change.CHANGED, Change.REMOVED) and counts == [(change, 1)]:
        return f"{CHANGES[change].glyph} {CHANGES[change].word}"
    return " ".join(f"{CHANGES[each].glyph}{text.number(count)}" for each, count in counts)


def _role(view: View, node: int, change: Change) -> Role:
    counts = _counts(view, node)
    return CHANGES[counts[0][0] if len(counts) == 1 else change].role if counts else Role.MUTED


def _spoken_counts(view: View, node: int) -> str:
    counts = [f"{text.number(count)} {CHANGES[each].word}" for each, count in _counts(view, node)]
    return f"{', '.join(counts)} in it" if counts else ""
