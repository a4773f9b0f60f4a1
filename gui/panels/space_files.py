"""The picture of an image's files, in the place of their tree: the same files, the same filter, the same current one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from engine.filesystem import Change, FileSystem, View
from engine.pathtree import ROOT
from engine.progress import Progress
from gui import text
from gui.jobs import JobRunner
from gui.models.file_cells import cells_of, path_of
from gui.models.treemap import Cells, Place
from gui.models.treemap_files import FileSpace
from gui.panels.space_look import LEAST_MARKED, Mark, Picture
from gui.panels.space_paper import Paper
from gui.panels.space_view import Shown, SpaceView, Words
from gui.panels.space_words import LEAST_TITLED

_PAPERS = {Change.ADDED: Paper.ADDED, Change.CHANGED: Paper.CHANGED}


class FileWords:
    """Says what the places of the picture of files are."""

    root = ROOT

    def __init__(self, space: FileSpace) -> None:
        self.space = space

    def key_of(self, node: int) -> str:
        return str(node) if node != ROOT else ""

    def node_of(self, key: str) -> int:
        return int(key) if key and int(key) < len(self.space.files) else ROOT

    def around(self, node: int) -> int:
        return self.space.around(node)

    def titles(self, place: Place) -> Sequence[str]:
        """What a place is called."""
        if place.skip:
            return (f"{text.number(len(self._nodes(place)))} smaller",)
        names = [self._name(node) for node in self.space.way_to(place.node)]
        return ("/".join(names), names[-1])

    def sentence(self, place: Place) -> str:
        files, size = self.space.files, text.size(self._size(place))
        if place.skip:
            where = "" if place.node == ROOT else f"in {path_of(files, place.node)}"
            return text.SEPARATOR.join(part for part in (self.titles(place)[0], size, where) if part)
        if place.node == ROOT:
            return text.SEPARATOR.join(("/", size if self.space.is_whole else f"{size} of what is shown"))
        shown = f"{size} shown" if size != text.size(int(self.space.view.sizes[place.node])) else ""
        facts = cells_of(files, self.space.view, place.node).facts
        return text.SEPARATOR.join(part for part in (path_of(files, place.node), facts, shown) if part)

    def place_of(self, cells: Cells, node: int) -> Place | None:
        """Where a node is shown: by itself, with others as one, or only as a folder that it is in."""
        node = int(self.space.stand_ins[node])
        if cells.find(Place(node)) >= 0:
            return Place(node)
        takes_space = self.space.sizes.all[node] > 0
        while node != ROOT:
            node = int(self.space.files.tree.parents[node])
            found = np.flatnonzero((cells.nodes == node) & ~cells.opened & ((cells.skips == 0) | takes_space))
            if len(found):
                return cells.place(int(found[0]))
            if cells.find(Place(node)) >= 0:
                return Place(node)
        return None

    def dress(self, cells: Cells, line: int, progress: Progress) -> Picture:
        papers = np.full(len(cells), Paper.FRAME, np.uint8)
        marks: dict[int, Mark] = {}
        titles: dict[int, Sequence[str]] = {}
        details: dict[int, str] = {}
        widths, heights = cells.boxes[:, 2] - cells.boxes[:, 0], cells.boxes[:, 3] - cells.boxes[:, 1]
        is_written = ~cells.opened & (widths >= LEAST_TITLED) & (heights >= line + 2)
        room = np.minimum(widths, heights) >= LEAST_MARKED
        for n in np.flatnonzero(~cells.opened).tolist():
            if n % 500 == 0:
                progress.check()
            change = self._change(cells.place(n))
            papers[n] = _PAPERS.get(change, Paper.UNCHANGED)
            if change != Change.UNCHANGED and room[n]:
                marks[n] = change
        for n in np.flatnonzero(is_written | cells.titled).tolist():
            titles[n] = self.titles(cells.place(n))
            details[n] = text.size(int(cells.sizes[n]))
        return Picture(cells, papers, titles, details, marks)

    def _name(self, node: int) -> str:
        return text.plain(self.space.files.tree.name(node).decode("utf-8", "surrogateescape"))

    def _change(self, place: Place) -> Change:
        """What most of the changed bytes of a place are."""
        _, added, changed = self._sizes(place)
        if not added and not changed:
            return Change.UNCHANGED
        return Change.ADDED if added >= changed else Change.CHANGED

    def _size(self, place: Place) -> int:
        """All bytes of a place."""
        return int(
            self.space.parts(place.node)[1][place.skip :].sum() if place.skip else self.space.sizes.all[place.node]
        )

    def _sizes(self, place: Place) -> tuple[int, ...]:
        """All bytes of a place, those that are added and those that are changed."""
        if not place.skip:
            return tuple(int(column[place.node]) for column in self.space.sizes)
        nodes = self._nodes(place)
        return tuple(int(column[nodes].sum()) for column in self.space.sizes)

    def _nodes(self, place: Place) -> NDArray[np.int64]:
        return self.space.parts(place.node)[0][place.skip :]


class FilesPicture(SpaceView):
    """What it is in the list is a node of the tree, as a number in decimal."""

    tells_current = False  # the lines below the picture do

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__("Picture of the files", runner, parent)
        self._wanted: tuple[FileSystem, View, NDArray[np.bool_]] | None = None

    def show_files(self, files: FileSystem | None, view: View | None, shown: NDArray[np.bool_] | None) -> None:
        """Show the files of a view of a file system, as far as they are shown in the tree; or nothing."""
        before = self._wanted
        if files is None or view is None or shown is None:
            self._wanted = None
        elif before is None or before[0] is not files:
            self._wanted = files, view, shown
            self.show_all()
        elif before[1] is view and before[2] is shown:
            return
        else:
            self._wanted = files, view, shown
        self.refresh()

    def _prepare(self) -> Callable[[Progress], Words] | None:
        wanted = self._wanted
        if wanted is None:
            return None
        before = self._shown.words.space if self._shown is not None else None
        if isinstance(before, FileSpace) and before.view is wanted[1] and before.shown is wanted[2]:
            return lambda _progress: FileWords(before)
        return lambda _progress: FileWords(FileSpace(*wanted))

    def _why_empty(self) -> tuple[str, str] | None:
        return ("The files are not known yet", "") if self._wanted is None else None

    def _why_nothing(self) -> tuple[str, str]:
        return ("None of these files takes space", "Folders, links and empty files have no bytes of their own.")

    def _in_list(self, words: Words, place: Place) -> str:
        return words.key_of(place.node) if not place.skip else ""

    def _in_map(self, shown: Shown, selected: str) -> Place | None:
        if not isinstance(shown.words, FileWords):
            return None
        return shown.words.place_of(shown.picture.cells, shown.words.node_of(selected))
