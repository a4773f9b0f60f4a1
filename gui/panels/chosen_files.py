"""Files and folders that are to be taken out of an image, and whole images."""

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex

from engine.document import Manifest
from engine.errors import BlobError
from engine.pathtree import ROOT
from engine.progress import Progress
from engine.snapshot import State
from engine.store import Store
from gui import taken, text
from gui.layering import MOST_LAYERS, is_layer
from gui.models.file_cells import path_of
from gui.models.file_tree import FileTree
from gui.panels.image_stack import has_files
from gui.session import Selection, Session
from gui.taking_out import Chosen, Wanted

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.extracting import Extraction
    from engine.filesystem import View
    from engine.stack import ReadImage

_MOST_SUMMED = 10_000
"""Paths whose sizes are added up before they are taken out; of more, nobody needs to know beforehand."""


_UNREAD = "It could not be read, so what only it has is missing."
_READ_IN_PART = "It could be read only in part, so some of what it has is missing."


class _Files(Wanted):
    """What is made of an image."""

    doing = "Extracting"
    offer = "Extract to…"
    question = "Extract {} to a folder"

    keeps_going = False
    """Whether files that are damaged are left out."""

    def tell(self, done: "Extraction", target: Path) -> str:
        return taken.extracted(done, target, self.doubts(done))

    def despite(self, error: BaseException) -> tuple[str, Wanted] | None:
        if not isinstance(error, BlobError) or self.keeps_going:
            return None
        rest = copy(self)
        rest.keeps_going = True
        return "Extract what can be read", rest


class ChosenFiles(_Files):
    """Paths of an image as it is at one of its layers; a folder with all that is in it there."""

    def __init__(
        self, image: "ReadImage", view: "View", nodes: Sequence[int], whole: str, *, is_verified: bool = False
    ) -> None:
        """``whole`` is what the image is called; ``is_verified`` says that its layers are known to be sound."""
        self.nodes = image.files.tree.outermost(nodes)
        if len(self.nodes) != 1:
            name = f"{text.number(len(self.nodes))} files and folders"
        elif self.nodes == [ROOT]:
            name = whole
        else:
            name = path_of(image.files, self.nodes[0]).rpartition("/")[2]
        super().__init__(text.plain(name), sum(int(view.shown_sizes[node]) for node in self.nodes[:_MOST_SUMMED]))
        self._image = image
        self._view = view
        self._whole = whole
        self._is_verified = is_verified

    @property
    def paths(self) -> list[str]:
        """The whole paths, fit to show."""
        return [path_of(self._image.files, node) for node in self.nodes]

    def take(self, store: Store, cache: Path, target: Path, progress: Progress, most: int | None) -> "Extraction":
        from engine.extracting import MOST, extract

        done = extract(
            self._image.contents,
            self._image.files,
            self._view,
            self.nodes,
            target,
            progress,
            most=MOST if most is None else most,
            root_name=self._whole,
            keep_going=self.keeps_going,
        )
        done.is_verified = done.is_verified or self._is_verified
        self.is_corrupt = any(layer.table is not None and layer.table.is_sound is False for layer in self._image.layers)
        if done.folders:
            self._tell_gaps(done)
        return done

    def _tell_gaps(self, done: "Extraction") -> None:
        """What is in a folder may be in a layer that could not be read."""
        gaps = [
            (f"layer {number}", _UNREAD if layer.table is None else _READ_IN_PART)
            for number, layer in enumerate(self._image.layers, 1)
            if not layer.is_whole
        ]
        done.left_out = [*gaps, *done.left_out]
        done.left_out_count += len(gaps)


class WholeImage(_Files):
    """All files of an image, whose layers may have to be read first."""

    def __init__(self, digests: Sequence[str], name: str, *, is_verified: bool = False) -> None:
        """``digests`` are those of its layers, the lowest first."""
        super().__init__(text.plain(name), 0)
        self._digests = digests
        self._whole = name
        self._is_verified = is_verified

    def take(self, store: Store, cache: Path, target: Path, progress: Progress, most: int | None) -> "Extraction":
        from engine.stack import read_image

        image = read_image(store, self._digests, cache, progress)
        view = image.files.view(len(self._digests) - 1)
        files = ChosenFiles(image, view, (ROOT,), self._whole, is_verified=self._is_verified)
        files.keeps_going = self.keeps_going
        done = files.take(store, cache, target, progress, most)
        self.is_corrupt = files.is_corrupt
        return done


def choose_files(
    selection: Selection, image: "ReadImage", model: FileTree, rows: Sequence[QModelIndex]
) -> Chosen | None:
    """The files in these rows of an image's tree, or all of them where there are no rows; None where none are shown."""
    session, wish, view = selection.session, model.wish, model.view
    if wish is None or view is None or image.files is not wish.files:
        return None
    nodes = [node for row in rows if (node := model.node_at(row)) >= 0]
    if rows and not nodes:
        return None  # the row that tells of what a folder has no room for
    digests = [layer.table.digest for layer in image.layers if layer.table is not None]
    name, is_verified = _whole_name(session, selection.digest), _are_verified(session, digests)
    return Chosen(session.taking_out, ChosenFiles(image, view, nodes or [ROOT], name, is_verified=is_verified))


def choose_image(selection: Selection) -> Chosen | None:
    """All files of the selected image, or layer; None where it is neither, or has more layers than are read."""
    session, snapshot = selection.session, selection.session.snapshot
    row = snapshot.find(selection.digest) if snapshot is not None else -1
    if snapshot is None or row < 0 or not has_files(selection):
        return None
    document = snapshot.document(row)
    digests = [layer.digest for layer in document.layers] if isinstance(document, Manifest) else [selection.digest]
    if len(digests) > MOST_LAYERS:
        return None
    name, is_verified = _whole_name(session, selection.digest), _are_verified(session, digests)
    return Chosen(session.taking_out, WholeImage(digests, name, is_verified=is_verified))


def _whole_name(session: Session, digest: str) -> str:
    """What the folder is called that all files of an image, or of a layer, get."""
    snapshot = session.snapshot
    row = snapshot.find(digest) if snapshot is not None else -1
    entries = snapshot.entries_of(row) if snapshot is not None and row >= 0 else []
    names = [name.rpartition("/")[2] for entry in entries for name in entry.names]
    what = "layer" if snapshot is not None and row >= 0 and is_layer(snapshot, row) else "image"
    return next(filter(None, names), f"{what}-{digest.partition(':')[2][:12]}")


def _are_verified(session: Session, digests: Sequence[str]) -> bool:
    """Whether hashing has shown of all of these that they are what they should be."""
    snapshot = session.snapshot
    rows = [snapshot.find(digest) for digest in digests] if snapshot is not None else [-1]
    return all(row >= 0 and session.state(row) == State.VERIFIED for row in rows)
