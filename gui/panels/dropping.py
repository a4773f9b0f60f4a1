"""What dropped or pasted things are, and what will be done with them: said before it happens.

Looking touches the disk and runs on a worker; deciding is pure. Whatever happens to a file, it is copied: the program
that it was dragged from keeps its own.
"""

import enum
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl

from engine import open_store
from engine.digest import clip
from engine.errors import EngineError, NotAStore
from gui import text


class Kind(enum.Enum):
    """What somebody brings."""

    STORE = "store"
    FILE = "file"
    FOLDER = "folder"
    NOTHING = "nothing"
    """Something that cannot be used; the sentence says why."""


@dataclass(frozen=True)
class Brought:
    """One thing that is dragged or pasted; ``sentence`` says why it cannot be used, where it cannot."""

    kind: Kind
    path: Path
    size: int = 0
    sentence: str = ""


@dataclass(frozen=True)
class Target:
    """The store in front, as far as it matters for a drop."""

    name: str
    writable: bool
    is_layout: bool


class Deed(enum.Enum):
    """What a drop does."""

    OPEN = "open"
    IMPORT = "import"
    NOTHING = "nothing"


@dataclass(frozen=True)
class DropPlan:
    """What will happen, in a sentence, and to which paths."""

    deed: Deed
    sentence: str
    paths: tuple[Path, ...] = ()


def urls_of(data: QMimeData) -> list[QUrl]:
    """The addresses in what is dragged or pasted: files as file managers give them, or text that is a path."""
    if data.hasUrls():
        return data.urls()
    if not data.hasText():
        return []
    words = data.text().strip()
    return [QUrl.fromLocalFile(words)] if words.startswith("/") and "\n" not in words else []


def look_at(urls: Sequence[QUrl]) -> list[Brought]:
    """Say what each address leads to; runs on a worker."""
    return [_look_at(url) for url in urls]


def plan_drop(brought: Sequence[Brought], target: Target | None) -> DropPlan:
    """What a drop of these things does, with ``target`` in front (None: the start page)."""
    useless = [each for each in brought if each.kind is Kind.NOTHING]
    if not brought:
        return DropPlan(Deed.NOTHING, "Only files and folders of this computer can be dropped here.")
    if useless:
        more = f" {len(useless) - 1} more cannot be used either." if len(useless) > 1 else ""
        return DropPlan(Deed.NOTHING, useless[0].sentence + more)
    stores = [each for each in brought if each.kind is Kind.STORE]
    files = [each for each in brought if each.kind is Kind.FILE]
    folders = [each for each in brought if each.kind is Kind.FOLDER]
    if stores and not files and not folders:
        return DropPlan(Deed.OPEN, f"Open {_named(stores, 'stores')}", _paths(stores))
    if folders:
        return DropPlan(Deed.NOTHING, folders[0].sentence)
    if stores:
        return DropPlan(
            Deed.NOTHING, "Drop either folders to open or files to import: both at once could mean anything."
        )
    return _plan_import(files, target)


def _plan_import(files: Sequence[Brought], target: Target | None) -> DropPlan:
    what = text.plain(files[0].path.name) if len(files) == 1 else text.count(len(files), "file")
    if target is None:
        are = f"{what} is a file" if len(files) == 1 else "These are files"
        return DropPlan(Deed.NOTHING, f"{are}: open or make a layout first, then drop files on it.")
    if not target.writable:
        return DropPlan(Deed.NOTHING, f"{target.name} cannot be changed, so nothing can be imported into it.")
    size = text.size(sum(each.size for each in files))
    if target.is_layout:
        role = "as a blob" if len(files) == 1 else "as blobs"
    else:
        role = "as an image config" if len(files) == 1 else "as image configs"
    return DropPlan(Deed.IMPORT, f"Import {what} {role} into {target.name} (copied, {size})", _paths(files))


def _look_at(url: QUrl) -> Brought:
    if not url.isLocalFile():
        shown = text.plain(clip(url.toDisplayString()))
        sentence = f"{shown} is not on this computer; save it here first, then drop the file."
        return Brought(Kind.NOTHING, Path(), sentence=sentence)
    path = Path(url.toLocalFile())
    name = text.plain(clip(path.name or str(path)))
    try:
        found = path.stat()
    except FileNotFoundError:
        return Brought(Kind.NOTHING, path, sentence=f"{name} is no longer there.")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return Brought(Kind.NOTHING, path, sentence=f"{name} cannot be read: {reason}.")
    if path.is_dir():
        return _look_at_folder(path, name)
    if not path.is_file():
        return Brought(Kind.NOTHING, path, sentence=f"{name} is no regular file, so there is nothing to copy.")
    if not os.access(path, os.R_OK):
        return Brought(Kind.NOTHING, path, sentence=f"{name} cannot be read: you have no permission to.")
    if path.name in ("oci-layout", "index.json") and (path.parent / "blobs").is_dir():
        return Brought(Kind.STORE, path.parent)
    return Brought(Kind.FILE, path, found.st_size)


def _look_at_folder(path: Path, name: str) -> Brought:
    try:
        open_store(path).close()
    except NotAStore as error:
        sentence = f"{text.plain(str(error), 600)} To import the files in it, drop those."
        return Brought(Kind.FOLDER, path, sentence=sentence)
    except EngineError as error:
        return Brought(Kind.NOTHING, path, sentence=text.error_sentence(error))
    except OSError as error:
        return Brought(Kind.NOTHING, path, sentence=f"{name} cannot be read: {error.strerror}.")
    return Brought(Kind.STORE, path)


def _named(stores: Sequence[Brought], plural: str) -> str:
    return text.plain(stores[0].path.name) if len(stores) == 1 else f"{text.number(len(stores))} {plural}"


def _paths(brought: Sequence[Brought]) -> tuple[Path, ...]:
    return tuple(each.path for each in brought)
