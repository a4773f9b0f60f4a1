"""The columns of a list: which are shown, how wide, in what order, and which one takes the room that is left."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu

from gui import icons, text
from gui.settings import Settings
from gui.theme import Space

_LEAST = 140
"""Pixels that the column keeps which takes what the others leave."""


class Columns(QObject):
    """Looks after the header of a view, and remembers how the person left it."""

    def __init__(self, view: QAbstractItemView, header: QHeaderView, name: str, settings: Settings) -> None:
        super().__init__(view)
        self._view = view
        self._header = header
        self._name = name
        self._settings = settings
        self._filling = 0
        header.setSectionsMovable(True)
        header.setSectionsClickable(True)
        header.setStretchLastSection(False)
        header.setHighlightSections(False)
        # Each repaint of a header asks whether every row of a column is selected; of this selection nothing ever is.
        header.setSelectionModel(QItemSelectionModel(view.model(), header))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._show_menu)
        header.sortIndicatorChanged.connect(self._sort)
        view.viewport().installEventFilter(self)

    def restore(self, samples: Sequence[str], filling: int, with_glyph: Collection[int]) -> None:
        """The columns as they were left, else as wide as these texts; one takes what the others leave."""
        self._filling = filling
        metrics = self._view.fontMetrics()
        for column, sample in enumerate(samples):
            glyph = icons.LIST_SIZE.width() + Space.TINY if column in with_glyph else 0
            self._header.resizeSection(column, glyph + metrics.horizontalAdvance(sample) + Space.LARGE)
        state = self._settings.view_state(self._name)
        if state and self._header.restoreState(state):
            self._sort(self._header.sortIndicatorSection(), self._header.sortIndicatorOrder())
        self._fill()

    def save(self) -> None:
        """Remember the columns as they are."""
        self._settings.set_view_state(self._name, bytes(self._header.saveState().data()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fill()
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        header, filling = self._header, self._filling
        others = sum(header.sectionSize(n) for n in range(header.count()) if n != filling)  # hidden ones have none
        header.resizeSection(filling, max(_LEAST, self._view.viewport().width() - others))

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
            action.setChecked(not self._header.isSectionHidden(column))
            action.setEnabled(column != self._filling)
            action.toggled.connect(lambda shown, column=column: self.show_column(column, shown=shown))
        menu.popup(self._header.mapToGlobal(position))

    def show_column(self, column: int, *, shown: bool) -> None:
        """Show or hide a column."""
        self._header.setSectionHidden(column, not shown)
        self._fill()
