"""The inspector: what is selected, told in plain language, as it is stored, with its metadata and its relations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from engine.snapshot import PRESENT, REGULAR, STRAY, Rows, Snapshot
from gui import icons, theme
from gui.panels.image_stack import has_layers
from gui.panels.inspector_header import InspectorHeader
from gui.panels.later import Later
from gui.panels.overview import Overview
from gui.panels.selected import entry_of
from gui.session import Selection, Session
from gui.theme import Role, Space
from gui.widgets import heading, plain_label

if TYPE_CHECKING:  # imported when they are first looked at, after the first window
    from gui.panels.annotation_editor import AnnotationEditor
    from gui.panels.document_view import DocumentView
    from gui.panels.files_view import FilesView
    from gui.panels.layers_view import LayersView
    from gui.panels.metadata_editor import MetadataEditor
    from gui.panels.relations import Relations

OVERVIEW, LAYERS, FILES, DOCUMENT, METADATA, RELATIONS, ANNOTATIONS = range(7)

LONGEST_HISTORY = 100
_PAUSE_MS = 150
_WHOLE_FILE = PRESENT | REGULAR


class Inspector(QWidget):
    """Shows one selection of a view, the sum of several, or what could be shown.

    ``followed`` carries the ``Selection`` that somebody went to from here, for the views to reveal. ``historyChanged``
    comes when the ways back and forward are different, ``copied`` carries a sentence for the status bar.
    """

    followed = Signal(object)
    historyChanged = Signal()
    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Inspector")
        self._session: Session | None = None
        self._selection: Selection | None = None
        self._several: Rows | None = None
        self._history: list[Selection] = []
        self._position = -1
        self._wanted_tab = OVERVIEW
        self._where = ""
        self._fresh: set[int] = set()
        # A verification tells of states ten times a second.
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._refresh_states)
        self._pages = QStackedWidget(self)
        self._empty = _EmptyPage(self._pages)
        self._full = QWidget(self._pages)
        self.header = InspectorHeader(self._full)
        self.tabs = QTabWidget(self._full)
        self.overview = Overview(self.tabs)
        self._layers = Later(self.tabs, _layers_view)
        self._files = Later(self.tabs, _files_view)
        self._document = Later(self.tabs, self._make_document)
        self._metadata = Later(self.tabs, _metadata_editor)
        self._relations = Later(self.tabs, self._make_relations)
        self._annotations = Later(self.tabs, _annotation_editor)
        self._lay_out()
        self.tabs.currentChanged.connect(self._show_tab_content)
        self.tabs.tabBarClicked.connect(self._choose_tab)
        for source in (self.header, self.overview):
            source.followed.connect(self.follow)
        self.overview.copied.connect(self.copied)

    # ------------------------------------------------------------------------------------------------ the tabs

    @property
    def layers(self) -> "LayersView":
        """The layers of an image; made together with its files, for what is current in one is so in the other."""
        self._make_layers()
        return self._layers.content

    @property
    def files(self) -> "FilesView":
        """The files of an image."""
        self._make_layers()
        return self._files.content

    @property
    def document(self) -> "DocumentView":
        return self._document.content

    @property
    def metadata(self) -> "MetadataEditor":
        return self._metadata.content

    @property
    def relations(self) -> "Relations":
        return self._relations.content

    @property
    def annotations(self) -> "AnnotationEditor":
        return self._annotations.content

    def _make_layers(self) -> None:
        if self._layers.is_made:
            return
        layers, files = self._layers.content, self._files.content
        layers.followed.connect(self.follow)
        for teller in (layers, files):
            teller.copied.connect(self.copied)
        layers.chosen.connect(files.choose)
        layers.files_asked.connect(lambda: self.show_tab(FILES))
        files.chosen.connect(layers.choose)

    def _make_document(self, parent: QWidget) -> "DocumentView":
        from gui.panels.document_view import DocumentView

        document = DocumentView(parent)
        document.followed.connect(self.follow)
        return document

    def _make_relations(self, parent: QWidget) -> "Relations":
        from gui.panels.relations import Relations

        relations = Relations(parent)
        relations.followed.connect(self.follow)
        return relations

    def _lay_out(self) -> None:
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("What to see of it")
        for widget, words in (
            (self.overview, "Overview"),
            (self._layers.place, "Layers"),
            (self._files.place, "Files"),
            (self._document.place, "Document"),
            (self._metadata.place, "Metadata"),
            (self._relations.place, "Relations"),
            (self._annotations.place, "Annotations"),
        ):
            self.tabs.addTab(widget, words)
        full = QVBoxLayout(self._full)
        full.setContentsMargins(0, 0, 0, 0)
        full.setSpacing(0)
        full.addWidget(self.header)
        full.addWidget(self.tabs, 1)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._full)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    # ------------------------------------------------------------------------------------------------ showing

    @property
    def selection(self) -> Selection | None:
        """What is shown; None for nothing and for several things."""
        return self._selection

    def show_selection(self, selection: Selection | None) -> None:
        """Show what is selected in a view, and remember it in the history."""
        if selection is None:
            self._several = None
            self._forget()
            self._empty.say()
            self._pages.setCurrentIndex(0)
            return
        if selection == self._selection:
            return
        self._remember(selection)
        self._show(selection)

    def point_to(self, where: str) -> None:
        """What is selected is about this JSON path in its document; the Document tab shows that place."""
        self._where = where
        if where and DOCUMENT in self._fresh:
            self.document.show_place(where)

    def show_words(self, headline: str, sentence: str) -> None:
        """Say something in the place of what is selected."""
        self.show_selection(None)
        self._empty.say(headline, sentence)

    def show_several(self, session: Session, rows: Rows) -> None:
        """Show the sum of several selected rows of the session's snapshot."""
        self._forget()
        self._watch(session)
        self._several = np.asarray(rows, np.int64)
        self._sum_up()

    @Slot(object)
    def follow(self, selection: Selection) -> None:
        """Go where a link leads, and have the views reveal it."""
        self.show_selection(selection)
        self.followed.emit(selection)

    def show_tab(self, tab: int) -> None:
        """Go to a tab, where it is there."""
        if self.tabs.isTabVisible(tab) and self._pages.currentIndex() == 1:
            self._choose_tab(tab)
            self.tabs.setCurrentIndex(tab)
            self.tabs.currentWidget().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def annotate(self) -> None:
        """Begin to add an annotation to the index entry that is shown."""
        self.show_tab(ANNOTATIONS)
        if self.tabs.currentIndex() == ANNOTATIONS:
            self.annotations.begin_adding()

    @property
    def can_find(self) -> bool:
        """Whether there is a document, or a tree of files, to find something in."""
        return self._selection is not None and self.tabs.isTabVisible(DOCUMENT)

    def open_find(self) -> None:
        """Find in the files where they are shown, else in the document."""
        if self.tabs.currentIndex() == FILES:
            self.files.focus_filter()
        elif self.can_find:
            self.show_tab(DOCUMENT)
            self.document.open_find()

    # ------------------------------------------------------------------------------------------------ history

    @property
    def can_go_back(self) -> bool:
        return self._position > 0

    @property
    def can_go_forward(self) -> bool:
        return self._position < len(self._history) - 1

    @Slot()
    def back(self) -> None:
        """Show again what was shown before."""
        if self.can_go_back:
            self._go(self._position - 1)

    @Slot()
    def forward(self) -> None:
        """Undo ``back``."""
        if self.can_go_forward:
            self._go(self._position + 1)

    def _go(self, position: int) -> None:
        self._position = position
        self._show(self._history[position])
        self.historyChanged.emit()
        self.followed.emit(self._history[position])

    def _remember(self, selection: Selection) -> None:
        current = self._history[self._position] if self._position >= 0 else None
        if current is not None and (current.session, current.digest) == (selection.session, selection.digest):
            # A view reveals what a link led to, and says so by its own way to the same thing.
            self._history[self._position] = selection
            return
        del self._history[self._position + 1 :]
        self._history.append(selection)
        del self._history[:-LONGEST_HISTORY]
        self._position = len(self._history) - 1
        self.historyChanged.emit()

    # ------------------------------------------------------------------------------------------------ contents

    def _show(self, selection: Selection) -> None:
        self._watch(selection.session)
        self._several = None
        if self._selection is not None and self._selection.digest != selection.digest:
            self._leave_layers()
        self._selection = selection
        self._where = ""
        self._fresh.clear()
        self.header.show_selection(selection)
        self._show_tabs()
        self._pages.setCurrentIndex(1)
        self._show_tab_content(self.tabs.currentIndex())

    def _sum_up(self) -> None:
        session, rows = self._session, self._several
        if session is not None and rows is not None:
            self.header.show_several(len(rows))
            self._show_tabs()
            self._fresh = {OVERVIEW}
            self.overview.show_several(session, rows)
            self._pages.setCurrentIndex(1)

    def _forget(self) -> None:
        """Let go of what was shown, and of everything that is still to come for it."""
        self._leave_layers()
        self._selection = None
        self._fresh.clear()
        if self._document.is_made:
            self.document.clear()
        if self._metadata.is_made:
            self.metadata.clear()
        if self._relations.is_made:
            self.relations.clear()
        if self._annotations.is_made:
            self.annotations.clear()

    def _leave_layers(self) -> None:
        """Nobody looks into that image any more."""
        if self._selection is not None:
            self._selection.session.layers.leave(self._selection.digest)
        if self._layers.is_made:
            self.layers.clear()
            self.files.clear()

    def _show_tabs(self) -> None:
        """Show the tabs that mean something for the selection, and the one that the person chose if it is there."""
        there = _tabs_for(self._selection)
        self.tabs.blockSignals(True)
        for tab in range(self.tabs.count()):
            if self.tabs.isTabVisible(tab) != (
                tab in there
            ):  # of a hidden bar Qt forgets changes when one changes none
                self.tabs.setTabVisible(tab, tab in there)
        self.tabs.setCurrentIndex(self._wanted_tab if self._wanted_tab in there else OVERVIEW)
        self.tabs.blockSignals(False)

    @Slot(int)
    def _choose_tab(self, tab: int) -> None:
        self._wanted_tab = tab

    @Slot(int)
    def _show_tab_content(self, tab: int) -> None:
        """A tab asks for its content when it is looked at, not before."""
        selection = self._selection
        if selection is None:
            return
        if tab in self._fresh:
            if tab == OVERVIEW:
                self.overview.refresh()
            return
        self._fresh.add(tab)
        shown: dict[int, Callable[[], _Tab]] = {
            OVERVIEW: lambda: self.overview,
            LAYERS: lambda: self.layers,
            FILES: lambda: self.files,
            DOCUMENT: lambda: self.document,
            METADATA: lambda: self.metadata,
            RELATIONS: lambda: self.relations,
            ANNOTATIONS: lambda: self.annotations,
        }
        shown[tab]().show_selection(selection)
        if tab == DOCUMENT and self._where:
            self.document.show_place(self._where)

    # ------------------------------------------------------------------------------------------------ changes

    def _watch(self, session: Session) -> None:
        if session is self._session:
            return
        if self._session is not None:
            self._session.snapshotChanged.disconnect(self._refresh)
            self._session.problems.changed.disconnect(self._refresh_findings)
            self._session.statesChanged.disconnect(self._note_states)
            self._session.metadataChanged.disconnect(self._refresh_metadata)
        self._session = session
        session.snapshotChanged.connect(self._refresh)
        session.problems.changed.connect(self._refresh_findings)
        session.statesChanged.connect(self._note_states)
        session.metadataChanged.connect(self._refresh_metadata)

    @Slot()
    def _refresh(self) -> None:
        """The store is different. Rows of several are positions, so their sum is of the past: the view selects anew."""
        if self._selection is None:
            return
        self.header.refresh()
        self._show_tabs()
        if OVERVIEW in self._fresh:
            self.overview.refresh()
        self._refresh_layers(look=True)
        if DOCUMENT in self._fresh:
            self.document.refresh()
        if METADATA in self._fresh:
            self.metadata.refresh()
        if RELATIONS in self._fresh:
            self.relations.refresh()
        if ANNOTATIONS in self._fresh:
            self.annotations.refresh()
        self._show_tab_content(self.tabs.currentIndex())

    @Slot()
    def _refresh_findings(self) -> None:
        if self._selection is not None and OVERVIEW in self._fresh:
            self.overview.refresh()

    @Slot(object)
    def _note_states(self, _rows: object) -> None:
        if not self._pause.isActive():
            self._pause.start()

    @Slot()
    def _refresh_states(self) -> None:
        if self._selection is None:
            return
        self.header.refresh()
        if self.overview.isVisible():
            self.overview.refresh()
        self._refresh_layers(look=False)
        if RELATIONS in self._fresh:
            self.relations.refresh_states()

    def _refresh_layers(self, *, look: bool) -> None:
        """Layers stand differently; with ``look`` their files may be others, which are read anew then."""
        selection = self._selection
        if selection is None or self._fresh.isdisjoint((LAYERS, FILES)):
            return
        if look:
            selection.session.layers.look_at(selection.digest)
        if LAYERS in self._fresh:
            self.layers.refresh()
        if FILES in self._fresh:
            self.files.refresh()

    @Slot(str)
    def _refresh_metadata(self, digest: str) -> None:
        if METADATA in self._fresh:
            self.metadata.refresh(digest)


class _Tab(Protocol):
    """What every tab can do."""

    def show_selection(self, selection: Selection) -> Any: ...


def _layers_view(parent: QWidget) -> "LayersView":
    from gui.panels.layers_view import LayersView

    return LayersView(parent)


def _files_view(parent: QWidget) -> "FilesView":
    from gui.panels.files_view import FilesView

    return FilesView(parent)


def _metadata_editor(parent: QWidget) -> "MetadataEditor":
    from gui.panels.metadata_editor import MetadataEditor

    return MetadataEditor(parent)


def _annotation_editor(parent: QWidget) -> "AnnotationEditor":
    from gui.panels.annotation_editor import AnnotationEditor

    return AnnotationEditor(parent)


class _EmptyPage(QWidget):
    """Says what could be here, and how to get it here."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._glyph = plain_label("", parent=self)
        self._glyph.setAccessibleName("No selection")
        self._glyph.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._headline = heading("", self)
        self._headline.setWordWrap(True)
        self._sentence = plain_label("", wrap=True, parent=self)
        self._sentence.setForegroundRole(self._sentence.palette().ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.HUGE, Space.HUGE, Space.HUGE, Space.HUGE)
        layout.setSpacing(Space.SMALL)
        layout.addStretch(1)
        layout.addWidget(self._glyph)
        for label in (self._headline, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        layout.addStretch(2)
        theme.current().changed.connect(self._draw)
        self.say()
        self._draw()

    def say(
        self, headline: str = "Nothing is selected", sentence: str = "Select an image or a blob to see what it is."
    ) -> None:
        """Show these words."""
        self._headline.setText(headline)
        self._sentence.setText(sentence)

    @Slot()
    def _draw(self) -> None:
        self._glyph.setPixmap(icons.icon("store", Role.FAINT).pixmap(48, 48))


def _tabs_for(selection: Selection | None) -> set[int]:
    snapshot = selection.session.snapshot if selection is not None else None
    row = snapshot.find(selection.digest) if snapshot is not None and selection is not None else -1
    if selection is not None and snapshot is not None and selection.session.is_own_document(selection.digest):
        return {OVERVIEW, DOCUMENT}
    if selection is None or snapshot is None or row < 0 or snapshot.has(row, STRAY):
        return {OVERVIEW}
    found = {OVERVIEW, RELATIONS} | ({ANNOTATIONS} if entry_of(selection) is not None else set())
    if int(snapshot.columns.flags[row]) & _WHOLE_FILE == _WHOLE_FILE:
        found.add(METADATA)
        if has_layers(selection):
            found |= {LAYERS, FILES}
        if _is_json(snapshot, row):
            found.add(DOCUMENT)
    return found


def _is_json(snapshot: Snapshot, row: int) -> bool:
    return snapshot.media_type(row).endswith(("+json", "/json"))
