"""The window: assembly only. It puts the parts together, hands events on, and ends in good order."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
    QStatusTipEvent,
)
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QToolBar, QToolButton, QVBoxLayout, QWidget

from engine.snapshot import State
from gui import icons, text
from gui.actions import CONTEXT, SEPARATOR, TOOLBAR, TRASH_CONTEXT
from gui.commands import Commands
from gui.jobs import Job, JobRunner, window_first
from gui.loading import Loader
from gui.outcome import Notice
from gui.panels.drop_target import DropTarget
from gui.panels.dropping import Target
from gui.panels.job_strip import JobList, JobStrip
from gui.panels.menus import Menus
from gui.panels.start_page import StartPage
from gui.panels.status_counts import StatusCounts
from gui.panels.store_page import StorePage
from gui.panels.tabs import StoreTabs
from gui.runtime import Fault
from gui.session import Session
from gui.settings import Settings
from gui.stores import OpenStores
from gui.widgets import ElidedLabel, MessageBar, Severity, confirm

PATIENCE_S = 5.0
"""How long closing the window waits for jobs that were told to stop."""
GOOD_NEWS_MS = 10_000
"""How long the message bar shows what needs no answer."""
OFFER_MS = 30_000
"""How long it shows what can be undone; the menu can undo it later, too."""
_SMALLEST = QSize(760, 500)
_FIRST_SIZE = QSize(1280, 820)
_FRAME = QSize(16, 48)
"""What a frame around the window may take of the screen."""
_JOB_WITH_TITLE = 560
"""Pixels that a running job takes in the status bar when it says what it is called."""
_STATE_VERSION = 1
_MOST_TITLES = 5
"""Running jobs that are named when the window is closed."""


class MainWindow(QMainWindow):
    """Tabs of open stores, or the start page; one message bar, one status bar, every command."""

    ended = Signal(bool)
    """The window has closed; whether every worker came home."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._over = False
        self._loader = Loader(self)
        self._offers: dict[str, str] = {}
        """Sentences that offer to take something back, by the records of the trash."""
        self.runner = JobRunner(self)
        self.stores = OpenStores(self.runner, settings, self)
        self.messages = MessageBar()
        self.start = StartPage()
        self.tabs = StoreTabs(self.runner, settings)
        self.counts = StatusCounts()
        self.strip = JobStrip(self.runner)
        self.drops = DropTarget(self, self.runner, self._drop_target)
        self.commands = Commands(self, self.tabs, self.stores, self.drops, settings, self._panes)
        self._jobs = JobList(self.runner, self.strip)
        self._places = QStackedWidget()
        self._info = ElidedLabel()
        self._update_turn = QTimer(self)
        self._update_turn.setSingleShot(True)
        self._update_turn.timeout.connect(self.commands.update)
        self._recent = QMenu("Open &recent", self)
        self._assemble()
        self._connect()
        self._restore()
        self.start.show_recents(settings.recents())
        self._show_front()

    @property
    def page(self) -> StorePage | None:
        """The store in front, None on the start page."""
        return self.tabs.page

    def open(self, path: Path, then: Callable[[StorePage], object] | None = None) -> None:
        """Open the store at ``path`` in a tab; ``then`` gets its page."""
        self.stores.open(path, (lambda session: then(self.tabs.page_of(session))) if then else None)

    # ---------------------------------------------------------------------------------------------- assembly

    def _assemble(self) -> None:
        self.setMinimumSize(_SMALLEST)
        self.setWindowIcon(icons.application_icon())
        self._places.addWidget(self.start)
        self._places.addWidget(self.tabs)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.messages)
        layout.addWidget(self._places, 1)
        layout.addWidget(self._jobs)
        self.setCentralWidget(centre)
        self.commands.actions.fill_menu_bar(self.menuBar(), self._recent)
        self.addToolBar(self._make_tool_bar())
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.setAccessibleName("Status")
        self._info.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        bar.addPermanentWidget(self.counts, 5)
        bar.addPermanentWidget(self._info, 2)
        bar.addPermanentWidget(self.strip)

    def _make_tool_bar(self) -> QToolBar:
        bar = QToolBar("Tool bar")
        bar.setObjectName("tool bar")
        bar.setMovable(False)
        bar.setIconSize(icons.TOOLBAR_SIZE)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        menus = {
            "open": self._recent,
            "verify all": self.commands.actions.fill(
                QMenu("Verify", self), ("verify", "verify all", "verify unchecked", "-", "check deeply")
            ),
        }
        for key in TOOLBAR:
            if key == SEPARATOR:
                bar.addSeparator()
                continue
            action = self.commands.actions[key]
            bar.addAction(action)
            button = bar.widgetForAction(action)
            assert isinstance(button, QToolButton)
            button.setAccessibleName(text.plain(action.iconText()))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            if key in ("back", "forward"):
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            if key in menus:
                button.setMenu(menus[key])
                button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        return bar

    def _connect(self) -> None:
        self.start.open_asked.connect(self.commands.open_folder)
        self.start.new_asked.connect(self.commands.new_layout)
        self.start.demo_asked.connect(self.stores.open_demo)
        self.start.recent_chosen.connect(self.open)
        self.start.pin_asked.connect(self._pin)
        self.start.remove_asked.connect(self._forget)
        self._recent.aboutToShow.connect(self._fill_recent)
        make = self._context_menu
        self.tabs.menus = Menus(partial(make, CONTEXT), partial(make, TRASH_CONTEXT), make)
        self.tabs.remedy_asked.connect(self.commands.repair)
        self.tabs.situationChanged.connect(self._show_front)
        self.tabs.close_asked.connect(self._close_store)
        self.tabs.cleanup_asked.connect(self.commands.actions["clean"].trigger)
        self.stores.opened.connect(self._show_store)
        self.stores.failed.connect(self._tell_failure)
        self.counts.chosen.connect(self._filter)
        self.strip.changed.connect(self._make_room)
        self.commands.noticed.connect(self.show_notice)
        self.runner.started.connect(self._update_soon)
        self.runner.finished.connect(self._update_soon)

    @Slot(object)
    def _update_soon(self, _job: Job) -> None:
        """Enable what makes sense, once for all jobs that start or end in one turn."""
        self._update_turn.start(0)

    def _context_menu(self, keys: Sequence[str]) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return self.commands.actions.fill(menu, keys)

    def _panes(self) -> Sequence[QWidget]:
        page = self.page
        return [*([*page.panes()] if page else [self.start]), self.messages, self.counts, self.strip]

    def _drop_target(self) -> Target | None:
        page = self.page
        if page is None:
            return None
        return Target(page.session.name, page.session.writable, page.session.is_layout)

    # ---------------------------------------------------------------------------------------------- what is shown

    @Slot(object)
    def _show_store(self, session: Session) -> None:
        """A store is open: show its tab."""
        if session not in [page.session for page in self.tabs.pages()]:
            session.noticed.connect(self.show_notice)
            session.changedOutside.connect(self._tell_outside)
            self.commands.out.follow(session)
            session.undoing.changed.connect(self.commands.update)
            session.undoing.undone.connect(self._withdraw_offers)
            session.emptyAsked.connect(lambda: self.tabs.page_of(session).trash.ask_to_empty())
            session.when_known(lambda: self.commands.welcome(session))
            session.problems.when_checked(self._loader.start)
        self.tabs.bring(session)
        self._show_front()

    @Slot()
    def _show_front(self) -> None:
        """Show what is true of the store in front, or the start page."""
        page = self.page
        if page is None and self._places.currentWidget() is not self.start:
            self.start.show_recents(self._settings.recents())
        self._places.setCurrentWidget(self.tabs if page else self.start)
        title = f"{page.session.name} — Blobscope" if page else "Blobscope"
        self.setWindowTitle(text.window_title(title))
        self.counts.show_counts(page.session.counts if page else {})
        self._info.set_text(page.summary() if page else "")
        self.commands.update()

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Say something in the message bar; good news goes by itself."""
        actions = [(notice.action_text, notice.action)] if notice.action is not None else []
        actions += notice.more
        if notice.record:
            self._offers[notice.record] = notice.sentence
        self.messages.show_message(
            notice.sentence, Severity[notice.severity.upper()], details=notice.details, actions=actions
        )
        if notice.severity in ("notice", "success") and not actions:
            QTimer.singleShot(GOOD_NEWS_MS, self, lambda: self._close_message(notice.sentence))
        elif notice.severity == "success":
            QTimer.singleShot(OFFER_MS, self, lambda: self._close_message(notice.sentence))

    @Slot(object)
    def _withdraw_offers(self, records: Sequence[str]) -> None:
        """What was taken back need not be offered any more."""
        for record in records:
            if record in self._offers:
                self.messages.withdraw(self._offers.pop(record))

    def _close_message(self, sentence: str) -> None:
        if self.messages.messages and self.messages.messages[-1].sentence == sentence:
            self.messages.close_message()

    @Slot(object)
    def show_fault(self, fault: Fault) -> None:
        """Say that something happened that should not."""
        self.messages.show_message(fault.sentence, Severity.ERROR, details=fault.details)

    @Slot(str)
    def _tell_outside(self, sentence: str) -> None:
        self.show_notice(Notice("notice", sentence))

    @Slot(object, object)
    def _tell_failure(self, path: Path, error: BaseException) -> None:
        self.messages.show_error(error, actions=[("Open another folder…", self.commands.open_folder)])
        if not path.exists():
            self._settings.remove_recent(path)
            self.start.show_recents(self._settings.recents())

    @Slot(object)
    def _filter(self, state: State) -> None:
        if self.page is not None:
            self.page.filter_states([state])

    # ---------------------------------------------------------------------------------------------- recents

    @Slot()
    def _fill_recent(self) -> None:
        self._recent.clear()
        for recent in self._settings.recents():
            path = Path(recent.path)
            action = self._recent.addAction(text.escape_mnemonics(text.plain(recent.path)))
            action.triggered.connect(lambda _checked=False, path=path: self.open(path))
        if self._recent.isEmpty():
            self._recent.addAction("Nothing yet").setEnabled(False)

    @Slot(object, bool)
    def _pin(self, path: Path, pinned: bool) -> None:
        self._settings.pin_recent(path, pinned)
        self.start.show_recents(self._settings.recents())

    @Slot(object)
    def _forget(self, path: Path) -> None:
        self._settings.remove_recent(path)
        self.start.show_recents(self._settings.recents())

    # ---------------------------------------------------------------------------------------------- events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.drops.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.drops.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drops.leave(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drops.drop(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape puts away what is on top: a removal that is asked about, a message, a running job."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.page is not None and self.page.put_away():
            pass
        elif self.messages.messages:
            self.messages.close_message()
        else:
            self.commands.stop_a_job()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QStatusTipEvent):
            # Beside the counters, which Qt would hide meanwhile.
            self._info.set_text(event.tip() or (self.page.summary() if self.page else ""))
            return True
        with window_first():  # among these are the paints, of everything in it
            return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    @Slot()
    def _make_room(self) -> None:
        """Where there is little room beside the counters, what runs is more important than what is selected."""
        narrow = self.width() - self.counts.sizeHint().width() < _JOB_WITH_TITLE
        self.strip.set_narrow(narrow)
        self._info.setHidden(narrow and bool(self.strip.shown))

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._over:
            if not self._may_stop(self.runner.active()):
                event.ignore()
                return
            self.end()
        event.accept()

    def end(self) -> None:
        """Stop everything without asking, wait for it with a bound, and remember how the window was left."""
        if self._over:
            return
        self._over = True
        self._save()
        self.hide()
        home = self.runner.shutdown(PATIENCE_S)
        self.commands.out.forget_copied()
        self.stores.close_all()
        self.ended.emit(home)

    @Slot(object)
    def _close_store(self, session: Session) -> None:
        if self._may_stop(session.jobs):
            self.tabs.remove(session)
            self.stores.close(session)
            self._show_front()

    def _may_stop(self, jobs: Sequence[Job]) -> bool:
        """Whether everything that runs may be stopped: nothing of it matters, or the person says so."""
        precious = [job for job in jobs if job.precious]
        if not precious:
            return True
        return confirm(
            self,
            f"{text.count(len(precious), 'job')} {'is' if len(precious) == 1 else 'are'} still running. Stop?",
            explanation="\n".join(text.plain(job.title) for job in precious[:_MOST_TITLES]),
            yes="Stop and close",
            no="Keep open",
        )

    def _restore(self) -> None:
        """Take the size and place that the window had."""
        geometry = self._settings.window_geometry
        if not (geometry and self.restoreGeometry(QByteArray(geometry))):
            self.resize(_FIRST_SIZE.boundedTo(self.screen().availableSize() - _FRAME))
        state = self._settings.window_state
        if state:
            self.restoreState(QByteArray(state), _STATE_VERSION)

    def _save(self) -> None:
        self._settings.window_geometry = bytes(self.saveGeometry().data())
        self._settings.window_state = bytes(self.saveState(_STATE_VERSION).data())
        for page in self.tabs.pages():
            page.save_state()
        self.stores.remember(page.session for page in self.tabs.pages())
        self._settings.sync()
