"""What each command of the window does."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

from engine.digest import Digest
from engine.docker import DockerImageStore
from engine.errors import InvalidDigest
from engine.findings import Remedy, Severity
from engine.report import as_json, as_markdown, as_text
from gui import text, theme
from gui.actions import COMMANDS, Actions, Need
from gui.dialogs import asking
from gui.dialogs.lists import AboutDialog, KeysDialog
from gui.dialogs.preferences import Preferences
from gui.handing_out import HandingOut
from gui.outcome import Notice
from gui.panels.drop_target import DropTarget
from gui.panels.dropping import Deed, DropPlan
from gui.panels.panes import focus_next
from gui.panels.places import ANNOTATIONS, BYTES, DOCUMENT, FILES, LAYERS, METADATA, OVERVIEW, PROBLEMS, RELATIONS
from gui.panels.problem_details import Offer
from gui.panels.store_page import StorePage
from gui.panels.tabs import StoreTabs
from gui.session import Session
from gui.settings import Settings, ThemeMode
from gui.stores import OpenStores


class Commands(QObject):
    """Carries out what a person asks for, with the parts of one window."""

    noticed = Signal(object)
    """A ``Notice`` for the message bar."""

    def __init__(
        self,
        window: QMainWindow,
        tabs: StoreTabs,
        stores: OpenStores,
        drops: DropTarget,
        settings: Settings,
        panes: Callable[[], Sequence[QWidget]],
    ) -> None:
        """``panes`` are the parts of the window that the keyboard moves between."""
        super().__init__(window)
        self._window = window
        self._tabs = tabs
        self._stores = stores
        self._drops = drops
        self._settings = settings
        self._panes = panes
        self.out = HandingOut(window, settings, stores.copies)
        """What leaves the stores."""
        self.out.noticed.connect(self.noticed)
        self.actions = Actions(window, self._handlers())
        drops.dropped.connect(lambda plan: self._carry_out(plan, told=True))
        drops.pasted.connect(lambda plan: self._carry_out(plan, told=False))

    def _handlers(self) -> Mapping[str, Callable[[], object]]:
        def page(act: Callable[[StorePage], object]) -> Callable[[], None]:
            return lambda: self._with_page(act)

        return {
            "open": self.open_folder,
            "new": self.new_layout,
            "demo": lambda: self._stores.open_demo(),
            "import": page(self._import_files),
            "close tab": page(lambda each: self._tabs.close_asked.emit(each.session)),
            "reopen tab": self._stores.reopen,
            "quit": self._window.close,
            "copy digest": page(lambda each: each.copy_digest()),
            "copy reference": page(lambda each: each.copy_reference()),
            "copy path": page(lambda each: each.copy_paths()),
            "copy files": page(lambda each: self.out.copy(each.files_to_take_out)),
            "extract": page(lambda each: self.out.take_out(each.files_to_take_out)),
            "save blob": page(lambda each: self.out.take_out(each.blobs_to_take_out)),
            "paste": self._paste,
            "rename": page(self._rename),
            "delete": page(lambda each: each.ask_removal()),
            "delete for good": page(lambda each: each.ask_removal(for_good=True)),
            "undo": page(lambda each: each.session.undoing.undo()),
            "redo": page(lambda each: each.session.undoing.redo()),
            "restore": page(lambda each: each.trash.restore()),
            "empty trash": page(lambda each: each.trash.ask_to_empty()),
            "add name": page(self._add_name),
            "annotate": page(lambda each: each.inspector.tabs.annotate()),
            "keep aside": page(lambda each: each.keep_aside()),
            "filter": page(lambda each: each.focus_filter()),
            "find": page(lambda each: each.find_text()),
            "find in images": page(lambda each: each.find_in_images()),
            "preferences": self._show_preferences,
            "images": page(lambda each: each.show_lens(0)),
            "blobs": page(lambda each: each.show_lens(1)),
            "problems": page(lambda each: each.show_lens(PROBLEMS)),
            "trash": page(lambda each: each.show_trash()),
            "overview": page(lambda each: each.inspector.show_tab(OVERVIEW)),
            "layers": page(lambda each: each.inspector.show_tab(LAYERS)),
            "files": page(lambda each: each.inspector.show_tab(FILES)),
            "document": page(lambda each: each.inspector.show_tab(DOCUMENT)),
            "bytes": page(lambda each: each.inspector.show_tab(BYTES)),
            "metadata": page(lambda each: each.inspector.show_tab(METADATA)),
            "relations": page(lambda each: each.inspector.show_tab(RELATIONS)),
            "annotations": page(lambda each: each.inspector.show_tab(ANNOTATIONS)),
            "map": page(lambda each: each.space.toggle()),
            "refresh": page(lambda each: each.session.rescan()),
            "next pane": lambda: focus_next(self._panes(), 1),
            "previous pane": lambda: focus_next(self._panes(), -1),
            "full screen": self._full_screen,
            "theme system": lambda: self.apply_theme("system"),
            "theme light": lambda: self.apply_theme("light"),
            "theme dark": lambda: self.apply_theme("dark"),
            "back": page(lambda each: each.back()),
            "forward": page(lambda each: each.forward()),
            "next problem": page(lambda each: each.select_problem(1)),
            "previous problem": page(lambda each: each.select_problem(-1)),
            "next tab": lambda: self._tabs.turn(1),
            "previous tab": lambda: self._tabs.turn(-1),
            "verify": page(lambda each: each.verify_selection()),
            "show in folder": page(lambda each: each.show_in_file_manager()),
            "verify all": page(self._verify_all),
            "verify unchecked": page(self._verify_unchecked),
            "check deeply": page(lambda each: each.session.problems.check_deeply()),
            "copy report": page(self._copy_report),
            "save report": page(self._save_report),
            "clean": page(lambda each: asking.what_to_clean(each.session, self._window)),
            "stop": self.stop_a_job,
            "manual": self._show_manual,
            "keys": lambda: self._show(KeysDialog(self.actions.shortcuts(), self._window)),
            "about": self._show_about,
        }

    # ---------------------------------------------------------------------------------------------- situation

    def update(self) -> None:
        """Enable what makes sense now."""
        self.actions.update(self._situation())
        self.actions[f"theme {self._settings.theme}"].setChecked(True)
        self.actions["map"].setChecked(self._tabs.page is not None and self._tabs.page.space.is_open)
        is_lost = self._tabs.page is not None and self._tabs.page.selected.is_lost
        self.actions.retitle("add name", "Add to the &index…" if is_lost else COMMANDS["add name"].text)
        saved = self._tabs.page.selected.what_is_saved if self._tabs.page is not None else "&blob"
        self.actions.retitle("save blob", f"Save {saved} as…")
        undoing = self._tabs.page.session.undoing if self._tabs.page is not None else None
        self.actions.retitle("undo", _with_title("&Undo", undoing.undo_title if undoing else ""))
        self.actions.retitle("redo", _with_title("Red&o", undoing.redo_title if undoing else ""))

    def _situation(self) -> Need:
        found = Need.CLOSED_TAB if self._stores.can_reopen else Need.NOTHING
        page = self._tabs.page
        if page is None:
            return found
        session, selection = page.session, page.selection
        facts = {
            Need.STORE: True,
            Need.WRITABLE: session.writable,
            Need.LAYOUT: session.is_layout,
            Need.SELECTION: selection is not None,
            Need.ENTRY: page.selected.is_one_entry,
            Need.ON_DISK: page.selected.is_on_disk,
            Need.BLOBS: bool(len(page.selected.with_files)),
            Need.FILES: page.inspector.tabs.isTabVisible(FILES),
            Need.BACK: page.can_go_back,
            Need.FORWARD: page.can_go_forward,
            Need.JOB: bool(session.jobs),
            Need.PROBLEM: page.has_problems,
            Need.CHECKED: session.problems.checked is not None,
            Need.DELETABLE: selection is not None or page.is_trash_chosen,
            Need.TRASHED: page.is_trash_chosen,
            Need.TRASH: any(record.kind != "aside" for record in session.undoing.trash),
            Need.UNDO: bool(session.undoing.undo_title) and not session.changing,
            Need.REDO: bool(session.undoing.redo_title) and not session.changing,
            Need.NAMEABLE: page.selected.is_nameable,
            Need.CORRUPT: page.selected.is_corrupt,
        }
        for need, there in facts.items():
            found |= need if there else Need.NOTHING
        return found

    # ---------------------------------------------------------------------------------------------- opening

    def open_folder(self) -> None:
        """Ask which folder to open."""
        path = asking.folder_to_open(self._window, self._settings)
        if path is not None:
            self._stores.open(path)

    def new_layout(self) -> None:
        """Ask where to make a layout."""
        path = asking.folder_to_make(self._window, self._settings)
        if path is not None:
            self._stores.create(path)

    def _carry_out(self, plan: DropPlan, *, told: bool) -> None:
        """Do what a drop was said to do, or what a paste means."""
        page = self._tabs.page
        if plan.deed is Deed.OPEN:
            for path in plan.paths:
                self._stores.open(path)
        elif plan.deed is Deed.IMPORT and page is not None:
            asking.how_to_import(page.session, plan.paths, self._window, told=told)
        else:
            self.noticed.emit(Notice("warning", plan.sentence))

    def _import_files(self, page: StorePage) -> None:
        paths = asking.files_to_import(self._window, self._settings, page.session.name)
        if paths:
            asking.how_to_import(page.session, paths, self._window)

    def _paste(self) -> None:
        """Import or open what was copied; a digest is gone to."""
        data = QGuiApplication.clipboard().mimeData()
        if self._drops.paste(data):
            return
        page, words = self._tabs.page, data.text().strip()
        try:
            digest = str(Digest.parse(words))
        except InvalidDigest:
            digest = ""
        if page is not None and digest:
            if not page.reveal(digest):
                self.noticed.emit(Notice("notice", f"{digest} is not in {page.session.name}."))
        else:
            self.noticed.emit(Notice("notice", "The clipboard holds no files, no folder and no digest."))

    def welcome(self, session: Session) -> None:
        """What is done and said once, as soon as everything about a store is known."""
        if self._settings.verify_on_open:
            session.verify_unchecked(self._settings.verify_limit)
        session.problems.when_checked(lambda: self._warn(session))
        if isinstance(session.store, DockerImageStore) and session.store.alternatives:
            other = session.store.alternatives[0]
            sentence = f"Docker has another image store here, of its storage driver {text.plain(other.parent.name)}."
            self.noticed.emit(Notice("notice", sentence, "", "Open it too", lambda: self._stores.open(other)))

    def _warn(self, session: Session) -> None:
        """Say so where the files of the store itself are damaged: then little of it can be seen."""
        errors = [each for each in session.problems.of_itself() if each.severity is Severity.ERROR]
        if errors:
            more = f" There {'is' if len(errors) == 2 else 'are'} {len(errors) - 1} more." if len(errors) > 1 else ""
            sentence = f"{session.name} is damaged: {text.plain(errors[0].sentence)}{more}"
            self.noticed.emit(Notice("warning", sentence, "", "Show all", lambda: self._show_problems(session)))

    def _show_problems(self, session: Session) -> None:
        self._tabs.bring(session)
        self._tabs.page_of(session).show_lens(PROBLEMS)

    @Slot(object)
    def repair(self, offer: Offer) -> None:
        """Do what a remedy says, after asking for what it needs: a file, or a name."""
        page = self._tabs.page
        if page is None:
            return
        session, place = page.session, offer.findings[0].place
        if offer.remedy is Remedy.REPLACE:
            path = asking.good_copy(self._window, self._settings, place)
            if path is not None:
                session.changes.replace(place, path)
        elif offer.remedy is Remedy.ADD_TO_INDEX and len(offer.findings) == 1:
            asking.another_name(session, place, self._window)
        elif session.problems.snapshot is not None:
            session.changes.repair(session.problems.snapshot, offer.remedy, offer.findings)

    def _copy_report(self, page: StorePage) -> None:
        def copy(report: str) -> None:
            QGuiApplication.clipboard().setText(report)
            self.noticed.emit(Notice("success", "The report is on the clipboard, as Markdown."))

        page.session.problems.report(as_markdown, copy)

    def _save_report(self, page: StorePage) -> None:
        path = asking.where_to_save_report(self._window, self._settings, page.session.name)
        if path is not None:
            form = {".json": as_json, ".txt": as_text}.get(path.suffix.lower(), as_markdown)
            saved = Notice("success", f"The report is in {text.plain(str(path))}.")
            page.session.problems.report(form, lambda _report: self.noticed.emit(saved), path)

    # ---------------------------------------------------------------------------------------------- acting

    def _with_page(self, act: Callable[[StorePage], object]) -> None:
        page = self._tabs.page
        if page is not None:
            act(page)

    def _rename(self, page: StorePage) -> None:
        selection = page.selection
        if selection is not None and selection.entry_position is not None:
            asking.new_name(page.session, selection.entry_position, self._window)

    def _add_name(self, page: StorePage) -> None:
        if page.selection is not None:
            asking.another_name(page.session, page.selection.digest, self._window)

    def _verify_all(self, page: StorePage) -> None:
        if page.session.verify() is None:
            self.noticed.emit(Notice("notice", f"There is no blob in {page.session.name} to verify."))

    def _verify_unchecked(self, page: StorePage) -> None:
        if page.session.verify_unchecked() is None:
            self.noticed.emit(Notice("success", "Everything here was checked before, and nothing has changed since."))

    def stop_a_job(self) -> bool:
        """Cancel what was started last on the store in front; whether there was anything."""
        page = self._tabs.page
        jobs = [job for job in page.session.jobs if not job.cancelling] if page is not None else []
        if page is not None and jobs:
            page.session.cancel(jobs[-1])
        return bool(jobs)

    def _full_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def apply_theme(self, mode: ThemeMode) -> None:
        """Dress the program, and remember that."""
        self._settings.theme = mode
        application = QApplication.instance()
        if isinstance(application, QApplication):
            theme.apply(application, mode)
        self.update()

    def _show_preferences(self) -> None:
        dialog = Preferences(self._settings, self._window)
        dialog.theme_chosen.connect(self.apply_theme)
        self._show(dialog)

    def _show_manual(self) -> None:
        from gui.dialogs.manual import ManualDialog  # which every start can do without

        self._show(ManualDialog(self._window))

    def _show_about(self) -> None:
        from gui.version import version  # what it imports would make every start slower

        self._show(AboutDialog(version(), self._window))

    @staticmethod
    def _show(dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


def _with_title(verb: str, title: str) -> str:
    """A verb with what it is about, as a menu shows it."""
    return f"{verb} {text.escape_mnemonics(title[:1].lower() + title[1:])}" if title else verb
