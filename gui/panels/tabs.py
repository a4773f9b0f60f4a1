"""The tabs of the window: one page for each open store."""

from collections.abc import Iterator

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QTabBar, QTabWidget, QWidget

from gui import icons, text
from gui.jobs import JobRunner
from gui.panels.menus import Menus
from gui.panels.store_page import StorePage
from gui.session import Session
from gui.settings import Settings
from gui.theme import Role
from gui.widgets import icon_button

_CLOSE = QSize(24, 24)
_LONGEST = 40
"""Characters of a store's name on its tab."""


class StoreTabs(QTabWidget):
    """Shows sessions as pages."""

    situationChanged = Signal()
    """What is selected, or what can be done, is different in the page in front."""
    remedy_asked = Signal(object)
    """Somebody took this ``Offer`` in the page in front."""
    cleanup_asked = Signal()
    """Somebody wants to clean up the store in front."""
    close_asked = Signal(object)
    """Somebody wants to close this ``Session``."""

    def __init__(self, runner: JobRunner, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._settings = settings
        self.menus = Menus(QMenu, QMenu, lambda _keys: QMenu())
        stack = self.findChild(QStackedWidget)
        assert stack is not None
        self._stack = stack
        """Where Qt keeps the pages: a page that comes from elsewhere is dressed anew, with everything in it."""
        self.setDocumentMode(True)
        self.setMovable(True)
        self.setAccessibleName("Open stores")
        self.currentChanged.connect(self.situationChanged)

    @property
    def page(self) -> "StorePage | None":
        """The page in front."""
        widget = self.currentWidget()
        return widget if isinstance(widget, StorePage) else None

    def pages(self) -> "Iterator[StorePage]":
        """Every page, from left to right."""
        for position in range(self.count()):
            page = self.widget(position)
            if isinstance(page, StorePage):
                yield page

    def page_of(self, session: Session) -> "StorePage":
        """The page of an open store, made when there is none."""
        return next((page for page in self.pages() if page.session is session), None) or self._add(session)

    def bring(self, session: Session) -> None:
        """Bring a store to the front; a new one that was slow to open does not push itself before a later one."""
        front, is_new = self.page, session not in [page.session for page in self.pages()]
        page = self.page_of(session)
        if not is_new or front is None or front.session.number < session.number:
            self.setCurrentWidget(page)
            if is_new:  # it has no list yet: that comes after the page has been painted
                QTimer.singleShot(1, page, lambda: self._focus_new(page))
            else:
                page.focus_list()

    def _focus_new(self, page: "StorePage") -> None:
        """Put the keyboard into the list of a new page, unless the person has brought it elsewhere already."""
        if self.page is page and not isinstance(page.focusWidget(), QLineEdit):
            page.focus_list()

    def remove(self, session: Session) -> None:
        """Take a store's page away."""
        for page in list(self.pages()):
            if page.session is session:
                page.save_state()
                self.removeTab(self.indexOf(page))
                page.deleteLater()

    def turn(self, step: int) -> None:
        """Bring the tab that is so many further to the front."""
        if self.count():
            self.setCurrentIndex((self.currentIndex() + step) % self.count())

    def _add(self, session: Session) -> "StorePage":
        page = StorePage(session, self._runner, self._settings, self.menus, self._stack)
        page.situationChanged.connect(self.situationChanged)
        page.cleanupAsked.connect(self.cleanup_asked)
        page.remedyAsked.connect(self.remedy_asked)
        icon = icons.icon("store" if session.writable else "read-only", Role.MUTED)
        later = (n for n, other in enumerate(self.pages()) if other.session.number > session.number)
        position = self.insertTab(
            next(later, -1), page, icon, text.escape_mnemonics(text.plain(session.name, _LONGEST))
        )
        access = "" if session.writable else ", read-only"
        close = icon_button("close", f"Close {text.plain(session.name, _LONGEST)}", self)
        close.setFixedSize(_CLOSE)
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Ctrl+W, or the menu
        close.clicked.connect(lambda: self.close_asked.emit(session))
        self.tabBar().setTabButton(position, QTabBar.ButtonPosition.RightSide, close)
        self.setTabToolTip(position, text.tooltip(f"{session.path} ({session.title}{access})"))
        return page
