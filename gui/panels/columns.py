"""The columns of a list: which are shown, how wide, in what order, and which one takes the room that is left."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QObject, QPoint, Qt, Slot
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu

from gui import icons, text, theme
from gui.models.look import ALIGNMENT, RIGHT
from gui.settings import Settings
from gui.theme import Space

_LEAST = 140
"""Pixels that the column keeps which takes what the others leave, if it needs so many."""
_NARROWEST = 0.8
"""How much of its width a column keeps where there is too little room for all."""


class Columns(QObject):
    """Looks after the header of a view, and remembers how the person left it."""

    def __init__(
        self,
        view: QAbstractItemView,
        header: QHeaderView,
        name: str,
        settings: Settings | None,
        *,
        first_to_go: Sequence[int] = (),
        sortable: bool = True,
    ) -> None:
        """``first_to_go`` are left out where there is no room for all, the first first; no settings remember nothing."""
        super().__init__(view)
        self._view = view
        self._header = header
        self._name = name
        self._settings = settings
        self._first_to_go = first_to_go
        self._needless: Collection[int] = ()
        self._left_out: set[int] = set()
        """What is hidden for want of room or of meaning, and not because the person wants it so."""
        self._filling = -1
        self._wishes: dict[int, int] = {}
        """How wide each column is where there is room for all of them."""
        self._arranging = False
        header.setSectionsMovable(True)
        header.setSectionsClickable(sortable)
        header.setStretchLastSection(False)
        header.setHighlightSections(False)
        # Each repaint of a header asks whether every row of a column is selected; of this selection nothing ever is.
        header.setSelectionModel(QItemSelectionModel(view.model(), header))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSortIndicatorShown(sortable)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._show_menu)
        if sortable:
            header.sortIndicatorChanged.connect(self._sort)
        header.sectionResized.connect(self._note)
        view.viewport().installEventFilter(self)

    def restore(
        self, samples: Sequence[str], filling: int, with_glyph: Collection[int], fixed: Collection[int] = ()
    ) -> None:
        """The columns as they were left, else as wide as these texts; one takes what the others leave.

        ``fixed`` are those in the fixed font.
        """
        metrics, of_fixed = self._view.fontMetrics(), QFontMetrics(theme.fixed_font())
        for column, sample in enumerate(samples):
            glyph = icons.LIST_SIZE.width() + Space.TINY if column in with_glyph else 0
            width = (of_fixed if column in fixed else metrics).horizontalAdvance(sample)
            self._header.resizeSection(column, glyph + width + Space.LARGE)
        fills = self._wishes[filling]
        self._filling = filling
        state = self._settings.view_state(self._name) if self._settings is not None else b""
        if state and self._header.restoreState(state):
            self._wishes |= {n: size for n in range(len(samples)) if (size := self._header.sectionSize(n))}
            if self._header.isSortIndicatorShown():
                self._sort(self._header.sortIndicatorSection(), self._header.sortIndicatorOrder())
        self._wishes[filling] = fills
        self._fill()

    def save(self) -> None:
        """Remember the columns as they are."""
        if self._settings is None:
            return
        self._leave_out(set())
        for column, wish in self._wishes.items():
            if not self._header.isSectionHidden(column):
                self._resize(column, wish)
        self._settings.set_view_state(self._name, bytes(self._header.saveState().data()))
        self._fill()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fill()
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        """Give one column what the others leave; where that is less than it needs, they become narrower first.

        The first column keeps its width, because it says what the row is, and so do numbers: half a number is none.
        Where not everything can be in sight by that, what is in sight is better whole; so it is where columns are left out.
        """
        header, filling = self._header, self._filling
        room, fills = self._view.viewport().width(), self._wishes.get(filling, 0)
        least = int(fills * _NARROWEST) if self._first_to_go else min(_LEAST, fills)
        others = [n for n in range(header.count()) if n != filling and self._is_wanted(n)]
        gone = self._without_room(others, room - least)
        self._leave_out(gone)
        others = [n for n in others if n not in gone]
        wished = sum(self._wishes.get(n, 0) for n in others)
        slack = sum(self._wishes.get(n, 0) for n in others if self._yields(n)) * (1 - _NARROWEST)
        helps = not self._first_to_go and least + wished - slack <= room
        share = min(1.0, max(0.0, fills + wished - room) / slack) if helps and slack else 0.0
        for n in others:
            kept = 1 - (1 - _NARROWEST) * share if self._yields(n) else 1.0
            self._resize(n, int(self._wishes.get(n, header.sectionSize(n)) * kept))
        self._resize(filling, max(least, room - sum(header.sectionSize(n) for n in others)))

    def _without_room(self, columns: Collection[int], room: int) -> set[int]:
        """Those of the columns that are left out, so that the others fit into the room."""
        gone = set(self._needless)
        for column in self._first_to_go:
            if sum(self._wishes.get(n, 0) for n in columns if n not in gone) <= room:
                break
            gone.add(column)
        return gone & set(columns)

    def _leave_out(self, columns: set[int]) -> None:
        """Hide these for want of room, and show again those that there is room for by now."""
        before, self._left_out = self._left_out, columns
        for column in before ^ columns:
            self._header.setSectionHidden(column, column in columns)

    def _is_wanted(self, column: int) -> bool:
        """Whether the person wants to see a column where there is room."""
        return column in self._left_out or not self._header.isSectionHidden(column)

    def _yields(self, column: int) -> bool:
        """Whether a column may become narrower than it is wished."""
        return column > 0 and self._view.model().headerData(column, Qt.Orientation.Horizontal, ALIGNMENT) != RIGHT

    def _resize(self, column: int, width: int) -> None:
        self._arranging = True
        self._header.resizeSection(column, width)
        self._arranging = False

    @Slot(int, int, int)
    def _note(self, column: int, _before: int, width: int) -> None:
        """A person has made a column wider or narrower."""
        if not self._arranging and width and column != self._filling:
            self._wishes[column] = width

    @Slot(int, Qt.SortOrder)
    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        self._view.model().sort(column, order)

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        """Offer to hide columns, all but the first and the one that fills."""
        menu = QMenu(self._header)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in range(1, self._header.count()):
            title = str(self._view.model().headerData(column, Qt.Orientation.Horizontal))
            action = menu.addAction(text.escape_mnemonics(title))
            action.setCheckable(True)
            action.setChecked(self._is_wanted(column))
            action.setEnabled(column != self._filling)
            action.toggled.connect(lambda shown, column=column: self.show_column(column, shown=shown))
        menu.popup(self._header.mapToGlobal(position))

    def leave_out(self, columns: Collection[int]) -> None:
        """Leave these out as long as they would say nothing; that is not remembered."""
        if columns != self._needless:
            self._needless = columns
            self._fill()

    def show_column(self, column: int, *, shown: bool) -> None:
        """Show or hide a column."""
        self._left_out.discard(column)
        self._header.setSectionHidden(column, not shown)
        self._fill()
