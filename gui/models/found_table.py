"""What a search over all images has found, as a table that grows while it goes on.

A row is a place in columns of numbers; its words are made when somebody looks at it.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from engine.fates import Fate
from engine.progress import Progress
from engine.tarheader import DIRECTORY, HARD_LINK, HEADER_ONLY
from gui import icons, text, theme
from gui.jobs import JobRunner
from gui.models.arranging import Latest, Order, order_by, places_in, ranks, rows_move
from gui.models.facts import sliced
from gui.models.file_cells import ChangeWords
from gui.models.look import ACCESSIBLE, ALIGNMENT, COLOUR, DISPLAY, FONT, ICON, RIGHT, TOOLTIP, AnyIndex, Look
from gui.theme import Role

if TYPE_CHECKING:  # what reads layers is imported by the workers
    from engine.finding import Found, StoredImage

_NOBODY = QModelIndex()


class Column(IntEnum):
    """The columns of the table."""

    PATH = 0
    STATE = 1
    IMAGE = 2
    LAYER = 3
    SIZE = 4


TITLES = ("Path", "State", "Image", "Layer", "Size")
_NUMBERS = (Column.LAYER, Column.SIZE)
FATES = {
    Fate.PRESENT: ChangeWords("•", "Present", Role.SOUND),
    Fate.OVERWRITTEN: ChangeWords("~", "Overwritten", Role.CHANGED),
    Fate.REMOVED: ChangeWords("−", "Removed", Role.BAD),
}
SENTENCES = {
    Fate.PRESENT: "What one sees in the image.",
    Fate.OVERWRITTEN: "The path is there again, so one sees another entry of it in the image.",
    Fate.REMOVED: "It is not in the image any more: it, or a folder that it was in, was taken away.",
}


class Place(NamedTuple):
    """Where something was found: the digest of the image, its layer, counted from 0, and the path there."""

    image: str
    layer: int
    path: bytes


class FoundTable(QAbstractTableModel):
    """The results in the order in which they came, or in that of a column."""

    arranged = Signal()
    """The rows stand as they were asked for."""

    def __init__(self, runner: JobRunner, name_of: Callable[[str], str], parent: QObject) -> None:
        """``name_of`` tells what people call the image with a digest."""
        super().__init__(parent)
        self._latest = Latest(self, runner)
        self._look = Look(self)
        self._name_of = name_of
        self._names: dict[int, str] = {}
        self._column, self._descending = -1, False
        self._wanted = np.ones(len(Fate), np.bool_)
        """For each ``Fate`` whether it is shown."""
        self._clear(())

    def _clear(self, images: "Sequence[StoredImage]") -> None:
        self._images = images
        self._names.clear()
        self._paths: list[bytes] = []
        self._numbers: NDArray[np.int32] = np.zeros((4, 0), np.int32)  # images, layers, fates, enders
        self._kinds = np.zeros(0, np.uint8)
        self._sizes = np.zeros(0, np.int64)
        self._sorted: Order = np.zeros(0, np.int32)
        self._order: Order = np.zeros(0, np.int32)
        """Those of the sorted results that are shown."""
        self._arranged = 0
        """How many of the results stand in the order that was asked for."""

    # ------------------------------------------------------------------------------------------- what is there

    def begin(self, images: "Sequence[StoredImage]") -> None:
        """Forget everything; what will be found is in these images."""
        self._latest.drop()
        self.beginResetModel()
        self._clear(images)
        self.endResetModel()

    def add(self, found: "Sequence[Found]") -> None:
        """Put more results behind the others."""
        before = len(self._paths)
        paths = [path for each in found for path in each.paths]
        if not paths:
            return
        more = [
            np.stack([np.full(len(each.paths), each.image), each.layers, each.fates, each.enders]) for each in found
        ]
        fresh = np.arange(before, before + len(paths), dtype=np.int32)
        numbers = np.concatenate([self._numbers, *more], axis=1).astype(np.int32)
        shown = fresh[self._wanted[numbers[2, fresh]]]
        if len(shown):
            self.beginInsertRows(_NOBODY, len(self._order), len(self._order) + len(shown) - 1)
        self._paths += paths
        self._numbers = numbers
        self._kinds = np.concatenate([self._kinds, *(each.kinds for each in found)])
        self._sizes = np.concatenate([self._sizes, *(each.sizes for each in found)])
        self._sorted = np.concatenate([self._sorted, fresh])
        self._order = np.concatenate([self._order, shown])
        if len(shown):
            self.endInsertRows()

    def show_fates(self, wanted: AbstractSet[Fate]) -> None:
        """Show only what has become one of these."""
        self._wanted[:] = [fate in wanted for fate in Fate]
        self._stand(self._sorted)

    def counts(self) -> dict[Fate, int]:
        """How many results there are of each fate, shown or not."""
        counts = np.bincount(self._numbers[2], minlength=len(Fate)).tolist()
        return dict(zip(Fate, counts, strict=True))

    def settle(self) -> None:
        """Nothing more comes: bring all rows into the order that was asked for."""
        if self._column >= 0 and self._arranged < len(self._paths):
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column, self._descending = column, order is Qt.SortOrder.DescendingOrder
        self._arrange()

    def place_at(self, index: AnyIndex) -> Place | None:
        """Where the result of a row is; None for no row."""
        if not 0 <= index.row() < len(self._order):
            return None
        result = int(self._order[index.row()])
        image, layer, _, _ = self._numbers[:, result].tolist()
        return Place(self._images[image].digest, layer, self._paths[result])

    def path_at(self, index: AnyIndex) -> str:
        """The path of a row, fit to show; empty for no row."""
        return self._path(int(self._order[index.row()])) if 0 <= index.row() < len(self._order) else ""

    # --------------------------------------------------------------------------------------- overrides of Qt

    def rowCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: AnyIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(TITLES):
            return None
        if role == DISPLAY:
            return TITLES[section]
        if role == TOOLTIP:
            return text.tooltip(_EXPLAINED.get(Column(section), ""))
        return RIGHT if role == ALIGNMENT and section in _NUMBERS else None

    def data(self, index: AnyIndex, role: int = DISPLAY) -> Any:
        if not 0 <= index.row() < len(self._order):
            return None
        result, column = int(self._order[index.row()]), index.column()
        if role == DISPLAY:
            return self._text(result, column)
        if role == ALIGNMENT:
            return RIGHT if column in _NUMBERS else None
        if role == ICON:
            return icons.file_icon(int(self._kinds[result])) if column == Column.PATH else None
        if role == COLOUR:
            return self._colour(result, column)
        if role == FONT:
            return self._look.numbers if column in _NUMBERS else None
        if role == TOOLTIP:
            return text.tooltip(self._tip(result, column))
        return self._spoken(result, column) if role == ACCESSIBLE else None

    # ------------------------------------------------------------------------------------------------- words

    def _path(self, result: int) -> str:
        return f"/{text.plain(self._paths[result].decode('utf-8', 'surrogateescape'), -1)}"

    def _fate(self, result: int) -> Fate:
        return Fate(int(self._numbers[2, result]))

    def _image(self, result: int) -> str:
        number = int(self._numbers[0, result])
        if number not in self._names:
            self._names[number] = self._name_of(self._images[number].digest)
        return self._names[number]

    def _size(self, result: int) -> str:
        kind = int(self._kinds[result])
        has_none = kind == HARD_LINK or kind in HEADER_ONLY
        return "" if has_none else text.size(int(self._sizes[result]))

    def _text(self, result: int, column: int) -> str:
        if column == Column.PATH:
            return self._path(result)
        if column == Column.STATE:
            return f"{FATES[self._fate(result)].glyph} {self._state(result)}"
        if column == Column.IMAGE:
            return self._image(result)
        return str(int(self._numbers[1, result]) + 1) if column == Column.LAYER else self._size(result)

    def _state(self, result: int) -> str:
        _, layer, fate, ender = self._numbers[:, result].tolist()
        word = FATES[Fate(fate)].word
        if fate == Fate.PRESENT:
            return word
        return f"{word} in the same layer" if ender == layer else f"{word} in layer {ender + 1}"

    def _colour(self, result: int, column: int) -> Any:
        fate = self._fate(result)
        if column == Column.STATE:
            return theme.colour(FATES[fate].role)
        if column == Column.PATH:
            return self._look.muted if fate is not Fate.PRESENT else None
        return None if column == Column.SIZE else self._look.muted

    def _tip(self, result: int, column: int) -> str:
        image, layer, fate, _ = self._numbers[:, result].tolist()
        if column == Column.STATE:
            return SENTENCES[Fate(fate)]
        if column == Column.IMAGE:
            return f"{self._image(result)}\n{self._images[image].digest}"
        if column == Column.LAYER:
            layers = self._images[image].layers
            return f"Layer {layer + 1} of {len(layers)}\n{layers[layer]}"
        if column == Column.SIZE:
            return text.exact_size(int(self._sizes[result])) if self._size(result) else ""
        return self._path(result)

    def _spoken(self, result: int, column: int) -> str:
        """What a screen reader says: the whole row for its first cell, else the cell with the column's title."""
        if column != Column.PATH:
            said = self._state(result) if column == Column.STATE else self._text(result, column)
            return f"{TITLES[column]}: {said}" if said else ""
        kind = "folder" if int(self._kinds[result]) == DIRECTORY else ""
        parts = (self._path(result), kind, self._state(result), self._image(result))
        return ", ".join(part for part in (*parts, f"layer {self._numbers[1, result] + 1}", self._size(result)) if part)

    # ------------------------------------------------------------------------------------------------- order

    def _arrange(self) -> None:
        column, descending, count = self._column, self._descending, len(self._paths)
        paths, numbers, sizes = self._paths, self._numbers, self._sizes
        images, name_of = self._images, self._name_of

        def work(progress: Progress) -> Order:
            if column < 0:
                return np.arange(count, dtype=np.int32)
            if column == Column.PATH:
                shown = (path.decode("utf-8", "surrogateescape") for path in paths[:count])
                keys: NDArray[Any] = ranks(sliced(shown, progress))
            elif column == Column.IMAGE:
                distinct, which = np.unique(numbers[0], return_inverse=True)
                names = (name_of(images[number].digest) for number in distinct.tolist())
                keys = ranks(sliced(names, progress))[which]
            elif column == Column.STATE:
                keys = numbers[2].astype(np.int64) << 32 | numbers[3] + 1
            else:
                keys = numbers[1] if column == Column.LAYER else sizes
            return order_by(keys, descending=descending)

        self._latest.run(count, work, self._adopt)

    def _adopt(self, order: Order) -> None:
        """Rows that came meanwhile stay behind."""
        self._arranged = len(order)
        self._stand(np.concatenate([order, np.arange(len(order), len(self._paths), dtype=np.int32)]))
        self.arranged.emit()

    def _stand(self, order: Order) -> None:
        """Show what is wanted in this order; what is selected stays so where it is still there."""
        with rows_move(self):
            held = self.persistentIndexList()
            results = [int(self._order[index.row()]) for index in held]
            self._sorted = order
            self._order = order[self._wanted[self._numbers[2, order]]]
            places = places_in(self._order, len(order))
            moved = [
                self.createIndex(int(places[result]), index.column()) if places[result] >= 0 else QModelIndex()
                for result, index in zip(results, held, strict=True)
            ]
            self.changePersistentIndexList(held, moved)


_EXPLAINED = {
    Column.STATE: "What became of it in the image, and which layer did that.",
    Column.IMAGE: "The image whose layer has it.",
    Column.LAYER: "The layer that has it, the lowest is 1.",
    Column.SIZE: "Unpacked.",
}
