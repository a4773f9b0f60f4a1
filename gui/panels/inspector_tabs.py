"""The tabs of the inspector: which of them mean something for what is selected, and what each shows of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QTabWidget, QWidget

from engine.columns import Rows
from engine.snapshot import PRESENT, REGULAR, STRAY, Snapshot
from gui.panels.image_stack import has_files, has_layers
from gui.panels.later import Later
from gui.panels.overview import Overview
from gui.panels.places import ANNOTATIONS, BYTES, DOCUMENT, FILES, LAYERS, METADATA, OVERVIEW, RELATIONS
from gui.panels.selected import entry_of
from gui.session import Selection, Session
from gui.settings import Settings
from gui.taking_out import Chosen

if TYPE_CHECKING:  # imported when they are first looked at, after the first window
    from gui.models.found_table import Place
    from gui.panels.annotation_editor import AnnotationEditor
    from gui.panels.bytes_view import BytesView
    from gui.panels.document_view import DocumentView
    from gui.panels.files_view import FilesView
    from gui.panels.layers_view import LayersView
    from gui.panels.metadata_editor import MetadataEditor
    from gui.panels.relations import Relations


_WHOLE_FILE = PRESENT | REGULAR


class InspectorTabs(QTabWidget):
    """Shows one selection, each tab when it is looked at.

    ``followed`` carries the ``Selection`` that a link leads to, ``copied`` a sentence for the status bar.
    """

    followed = Signal(object)
    copied = Signal(str)
    menu_asked = Signal(object, object)
    """Somebody wants a menu of commands, by their keys, at this ``QPoint`` of the screen."""

    def __init__(self, parent: QWidget | None = None, settings: Settings | None = None) -> None:
        """How columns are left is remembered in ``settings``, where there are any."""
        super().__init__(parent)
        self._settings = settings
        self._selection: Selection | None = None
        self._wanted = OVERVIEW
        self._where = ""
        self._fresh: set[int] = set()
        """The tabs that show the selection as it is."""
        self.overview = Overview(self)
        self._layers = Later(self, self._make_layers_view)
        self._files = Later(self, self._make_files_view)
        self._document = Later(self, self._make_document)
        self._bytes = Later(self, self._make_bytes)
        self._metadata = Later(self, _metadata_editor)
        self._relations = Later(self, self._make_relations)
        self._annotations = Later(self, _annotation_editor)
        self.setDocumentMode(True)
        self.setAccessibleName("What to see of it")
        for widget, words in (
            (self.overview, "Overview"),
            (self._layers.place, "Layers"),
            (self._files.place, "Files"),
            (self._document.place, "Document"),
            (self._bytes.place, "Bytes"),
            (self._metadata.place, "Metadata"),
            (self._relations.place, "Relations"),
            (self._annotations.place, "Annotations"),
        ):
            self.addTab(widget, words)
        self.currentChanged.connect(self._show_content)
        self.tabBarClicked.connect(self._want)
        self.overview.followed.connect(self.followed)
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
    def chosen_files(self) -> Chosen | None:
        """What is selected among the files, as far as the Files tab is in front and shows any."""
        is_shown = self._files.is_made and self.currentIndex() == FILES
        return self._files.content.choose_for_taking_out() if is_shown else None

    @property
    def chosen_layer(self) -> Chosen | None:
        """The current one of the layers, as far as the Layers tab is in front and shows any."""
        is_shown = self._layers.is_made and self.currentIndex() == LAYERS
        return self._layers.content.choose_for_taking_out() if is_shown else None

    @property
    def document(self) -> "DocumentView":
        return self._document.content

    @property
    def bytes(self) -> "BytesView":
        return self._bytes.content

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
        layers.followed.connect(self.followed)
        for teller in (layers, files):
            teller.copied.connect(self.copied)
        layers.chosen.connect(files.choose)
        layers.files_asked.connect(lambda: self.show_tab(FILES))
        files.chosen.connect(layers.choose)
        files.layer_asked.connect(self._show_layer)
        for asker in (layers, files):
            asker.menu_asked.connect(self.menu_asked)

    def _make_layers_view(self, parent: QWidget) -> "LayersView":
        from gui.panels.layers_view import LayersView

        return LayersView(parent, self._settings)

    def _make_files_view(self, parent: QWidget) -> "FilesView":
        from gui.panels.files_view import FilesView

        return FilesView(parent, self._settings)

    def _make_document(self, parent: QWidget) -> "DocumentView":
        from gui.panels.document_view import DocumentView

        document = DocumentView(parent)
        document.followed.connect(self.followed)
        return document

    def _make_bytes(self, parent: QWidget) -> "BytesView":
        from gui.panels.bytes_view import BytesView

        view = BytesView(parent)
        view.copied.connect(self.copied)
        return view

    def _make_relations(self, parent: QWidget) -> "Relations":
        from gui.panels.relations import Relations

        relations = Relations(parent)
        relations.followed.connect(self.followed)
        return relations

    # ------------------------------------------------------------------------------------------------ showing

    def show_selection(self, selection: Selection) -> None:
        """Show another thing."""
        if self._selection is not None and self._selection.digest != selection.digest:
            self._leave_layers()
        self._selection = selection
        self._where = ""
        self._fresh.clear()
        self._show_tabs()
        self._show_content(self.currentIndex())
        if self._bytes.is_made and BYTES not in self._fresh:
            self.bytes.clear()  # nobody waits any more for what is looked for in them

    def show_several(self, session: Session, rows: Rows) -> None:
        """Show the sum of several rows of the session's snapshot."""
        self._show_tabs()
        self._fresh = {OVERVIEW}
        self.overview.show_several(session, rows)

    def clear(self) -> None:
        """Let go of what was shown, and of everything that is still to come for it."""
        self._leave_layers()
        self._selection = None
        self._fresh.clear()
        if self._document.is_made:
            self.document.clear()
        if self._bytes.is_made:
            self.bytes.clear()
        if self._metadata.is_made:
            self.metadata.clear()
        if self._relations.is_made:
            self.relations.clear()
        if self._annotations.is_made:
            self.annotations.clear()

    def show_tab(self, tab: int) -> None:
        """Go to a tab, where it is there."""
        if self.isTabVisible(tab):
            self._want(tab)
            self.setCurrentIndex(tab)
            self.currentWidget().setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(int)
    def _show_layer(self, position: int) -> None:
        """Go to one layer of the image."""
        self.layers.choose(position)
        self.show_tab(LAYERS)

    def show_found(self, place: "Place") -> None:
        """Go to a path among the files of the image, at the layer that has it."""
        self.show_tab(FILES)
        if self.currentIndex() == FILES:
            self.layers.choose(place.layer)
            self.files.choose(place.layer)
            self.files.reveal(place.path)

    def save_state(self) -> None:
        """Remember how the columns were left."""
        if self._layers.is_made:
            self.layers.save_state()
            self.files.save_state()

    def point_to(self, where: str) -> None:
        """What is selected is about this JSON path in its document; the Document tab shows that place."""
        self._where = where
        if where and DOCUMENT in self._fresh:
            self.document.show_place(where)

    def annotate(self) -> None:
        """Begin to add an annotation to the index entry that is shown."""
        self.show_tab(ANNOTATIONS)
        if self.currentIndex() == ANNOTATIONS:
            self.annotations.begin_adding()

    @property
    def can_find(self) -> bool:
        """Whether there is a document, a tree of files, or bytes that are shown, to find something in."""
        return self._selection is not None and (self.isTabVisible(DOCUMENT) or self.currentIndex() in (FILES, BYTES))

    def open_find(self) -> None:
        """Find in the files or in the bytes where they are shown, else in the document."""
        if self.currentIndex() == FILES:
            self.files.open_find()
        elif self.currentIndex() == BYTES:
            self.bytes.open_find()
        elif self.can_find:
            self.show_tab(DOCUMENT)
            self.document.open_find()

    def _show_tabs(self) -> None:
        """Show the tabs that mean something for the selection, and the one that the person chose if it is there."""
        there = _tabs_for(self._selection)
        self.blockSignals(True)
        for tab in range(self.count()):
            # Of a hidden bar Qt forgets changes when one changes none.
            if self.isTabVisible(tab) != (tab in there):
                self.setTabVisible(tab, tab in there)
        self.setCurrentIndex(self._wanted if self._wanted in there else OVERVIEW)
        self.blockSignals(False)

    @Slot(int)
    def _want(self, tab: int) -> None:
        self._wanted = tab

    @Slot(int)
    def _show_content(self, tab: int) -> None:
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
            BYTES: lambda: self.bytes,
            METADATA: lambda: self.metadata,
            RELATIONS: lambda: self.relations,
            ANNOTATIONS: lambda: self.annotations,
        }
        shown[tab]().show_selection(selection)
        if tab == DOCUMENT and self._where:
            self.document.show_place(self._where)

    # ------------------------------------------------------------------------------------------------ changes

    def refresh(self) -> None:
        """The store is different."""
        self._show_tabs()
        self._refresh_layers(look=True)
        if DOCUMENT in self._fresh:
            self.document.refresh()
        if BYTES in self._fresh:
            self.bytes.refresh()
        if METADATA in self._fresh:
            self.metadata.refresh()
        if RELATIONS in self._fresh:
            self.relations.refresh()
        if ANNOTATIONS in self._fresh:
            self.annotations.refresh()
        self._show_content(self.currentIndex())

    @Slot()
    def refresh_findings(self) -> None:
        """Other problems were found."""
        if self._selection is not None and OVERVIEW in self._fresh:
            self.overview.refresh()

    def refresh_states(self) -> None:
        """Blobs are in other states."""
        if self.overview.isVisible():
            self.overview.refresh()
        self._refresh_layers(look=False)
        if RELATIONS in self._fresh:
            self.relations.refresh_states()

    @Slot(object)
    def refresh_metadata(self, digest: str) -> None:
        """A blob has other metadata."""
        if METADATA in self._fresh:
            self.metadata.refresh(digest)

    def _leave_layers(self) -> None:
        """Nobody looks into that image any more."""
        if self._selection is not None:
            self._selection.session.layers.leave(self._selection.digest)
        if self._layers.is_made:
            self.layers.clear()
            self.files.clear()

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


class _Tab(Protocol):
    """What every tab can do."""

    def show_selection(self, selection: Selection) -> Any: ...


def _metadata_editor(parent: QWidget) -> "MetadataEditor":
    from gui.panels.metadata_editor import MetadataEditor

    return MetadataEditor(parent)


def _annotation_editor(parent: QWidget) -> "AnnotationEditor":
    from gui.panels.annotation_editor import AnnotationEditor

    return AnnotationEditor(parent)


def _tabs_for(selection: Selection | None) -> set[int]:
    snapshot = selection.session.snapshot if selection is not None else None
    row = snapshot.find(selection.digest) if snapshot is not None and selection is not None else -1
    if selection is not None and snapshot is not None and selection.session.is_own_document(selection.digest):
        return {OVERVIEW, DOCUMENT, BYTES}
    if selection is None or snapshot is None or row < 0:
        return {OVERVIEW}
    there = {BYTES} if snapshot.has(row, PRESENT) else set()  # also what turns out to be no file: then it says so
    if snapshot.has(row, STRAY):
        return {OVERVIEW} | there
    found = {OVERVIEW, RELATIONS} | there | ({ANNOTATIONS} if entry_of(selection) is not None else set())
    if int(snapshot.columns.flags[row]) & _WHOLE_FILE == _WHOLE_FILE:
        found.add(METADATA)
        if has_layers(selection):
            found.add(LAYERS)
        if has_files(selection):
            found.add(FILES)
        if _is_json(snapshot, row):
            found.add(DOCUMENT)
    return found


def _is_json(snapshot: Snapshot, row: int) -> bool:
    return snapshot.media_type(row).endswith(("+json", "/json"))
