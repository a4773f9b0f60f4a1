"""Every command of the window, in one table that feeds menus, toolbar, context menus and shortcuts.

A command is enabled when the situation has everything that it needs; nobody else switches actions on or off.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from gui import icons, text, widgets

Keys = QKeySequence.StandardKey


class Need(enum.Flag):
    """What must be there for a command to make sense; the window's situation is the set of what is."""

    NOTHING = 0
    STORE = enum.auto()
    """A store is open in front."""
    WRITABLE = enum.auto()
    """It may be changed."""
    LAYOUT = enum.auto()
    """It is an image layout."""
    SELECTION = enum.auto()
    """Something is selected in it."""
    ENTRY = enum.auto()
    """That is one index entry."""
    ON_DISK = enum.auto()
    """There is a file for it."""
    BLOBS = enum.auto()
    """Blobs are selected that have a file."""
    FILES = enum.auto()
    """An image is selected whose files can be seen."""
    BACK = enum.auto()
    FORWARD = enum.auto()
    JOB = enum.auto()
    """Somebody's job runs on the store."""
    PROBLEM = enum.auto()
    """Something in the store is bad."""
    CHECKED = enum.auto()
    """It was held against the rules."""
    DELETABLE = enum.auto()
    """Something is selected in it, or in its trash."""
    TRASHED = enum.auto()
    """Something is selected in its trash."""
    TRASH = enum.auto()
    """There is something in its trash."""
    UNDO = enum.auto()
    """Something can be undone, and nothing is being changed right now."""
    REDO = enum.auto()
    """Something that was undone can be done again."""
    NAMEABLE = enum.auto()
    """A manifest or index is selected that a name can lead to."""
    CORRUPT = enum.auto()
    """A corrupt blob is selected."""
    CLOSED_TAB = enum.auto()
    """A tab was closed that can come back."""


@dataclass(frozen=True)
class Command:
    """One thing that a person can ask for; ``text`` has the mnemonic, ``tip`` says what will happen."""

    text: str
    tip: str
    icon: str = ""
    shortcuts: tuple[Keys | str, ...] = ()
    needs: Need = Need.NOTHING
    role: QAction.MenuRole = QAction.MenuRole.NoRole
    checkable: bool = False


_CHANGE = Need.STORE | Need.WRITABLE

COMMANDS: Mapping[str, Command] = {
    "open": Command("&Open folder…", "Open an image layout or Docker's image store", "open", (Keys.Open,)),
    "new": Command("&New layout…", "Make a new, empty image layout", "new", (Keys.New,)),
    "demo": Command("Try the &demo", "Make a sample layout in which every state can be seen, and open it", "sample"),
    "import": Command("&Import files…", "Copy files into the store in front", "import", ("Ctrl+I",), needs=_CHANGE),
    "close tab": Command("&Close tab", "Close the store in front", "close", (Keys.Close,), needs=Need.STORE),
    "reopen tab": Command(
        "Reopen closed &tab", "Open again what was closed last", "history", ("Ctrl+Shift+T",), needs=Need.CLOSED_TAB
    ),
    "quit": Command("&Quit", "Close the window", "quit", (Keys.Quit, "Ctrl+Q"), role=QAction.MenuRole.QuitRole),
    "copy digest": Command(
        "&Copy digest", "Copy the digest of what is selected", "copy", (Keys.Copy,), needs=Need.SELECTION
    ),
    "copy reference": Command(
        "Copy &reference", "Copy name and digest of what is selected", "copy", ("Ctrl+Shift+C",), needs=Need.SELECTION
    ),
    "copy path": Command(
        "Copy pat&h", "Copy the path of what is selected in the Files tab", "copy", needs=Need.STORE | Need.FILES
    ),
    "copy files": Command(
        "Copy fil&es",
        "Copy what is selected in the Files tab, to paste it in a file manager",
        "copy files",
        ("Ctrl+E",),
        needs=Need.STORE | Need.FILES,
    ),
    "extract": Command(
        "E&xtract to…",
        "Copy what is selected in the Files tab, or all files of the selected image, into a folder",
        "extract",
        ("E",),
        needs=Need.STORE | Need.FILES,
    ),
    "save blob": Command(
        "Save &blob as…",
        "Copy what is selected, as it is stored, to a file with a readable name",
        "save",
        ("Ctrl+S",),
        needs=Need.STORE | Need.BLOBS,
    ),
    "paste": Command(
        "&Paste", "Import copied files, open a copied folder, or go to a copied digest", "paste", (Keys.Paste,)
    ),
    "rename": Command(
        "Re&name…",
        "Give the index entry another name",
        "rename",
        ("F2",),
        needs=_CHANGE | Need.LAYOUT | Need.ENTRY,
    ),
    "delete": Command(
        "&Delete…",
        "See what removing the selection would do, then decide",
        "delete",
        ("Del",),
        needs=_CHANGE | Need.DELETABLE,
    ),
    "delete for good": Command(
        "Delete for &good…",
        "See what deleting the selection without the trash would do, then decide",
        "delete for good",
        ("Shift+Del",),
        needs=_CHANGE | Need.DELETABLE,
    ),
    "undo": Command("&Undo", "Take back what was changed last", "undo", (Keys.Undo,), needs=_CHANGE | Need.UNDO),
    "redo": Command(
        "Red&o", "Do again what was taken back last", "redo", ("Ctrl+Shift+Z", Keys.Redo), needs=_CHANGE | Need.REDO
    ),
    "restore": Command("&Restore", "Bring back what is selected in the trash", "restore", needs=_CHANGE | Need.TRASHED),
    "empty trash": Command(
        "&Empty trash…", "Free the bytes of everything in the trash", "clean up", needs=_CHANGE | Need.TRASH
    ),
    "add name": Command(
        "Add a na&me…",
        "Let another name in the index lead to the image, also to a lost one",
        "tag add",
        ("Shift+F2",),
        needs=_CHANGE | Need.LAYOUT | Need.NAMEABLE,
    ),
    "annotate": Command(
        "Annota&te…",
        "Add an annotation to the index entry, beside those that it has",
        "edit",
        ("Ctrl+Shift+A",),
        needs=_CHANGE | Need.LAYOUT | Need.ENTRY,
    ),
    "keep aside": Command(
        "&Keep aside",
        "Move the corrupt blob to the trash, where it stays until you delete it",
        "keep aside",
        needs=_CHANGE | Need.CORRUPT,
    ),
    "filter": Command("Fi&lter", "Type what the list is to show", "search", ("Ctrl+L",), needs=Need.STORE),
    "find": Command(
        "F&ind", "Find a text in the document that is shown, or filter the list", "", (Keys.Find,), needs=Need.STORE
    ),
    "find in images": Command(
        "Find in all i&mages…",
        "Look for a path in every layer of every image",
        "search",
        ("Ctrl+Shift+F",),
        needs=Need.STORE,
    ),
    "preferences": Command(
        "Pre&ferences…",
        "Choose how the program looks and when it checks",
        "preferences",
        (Keys.Preferences, "Ctrl+,"),
        role=QAction.MenuRole.PreferencesRole,
    ),
    "images": Command("&Images", "Show the images as a tree", "store", ("Ctrl+1",), needs=Need.STORE),
    "blobs": Command("&Blobs", "Show every blob in a table", "file", ("Ctrl+2",), needs=Need.STORE),
    "problems": Command("&Problems", "Show what is wrong, and what helps", "warning", ("Ctrl+3",), needs=Need.STORE),
    "trash": Command("&Trash", "Show what was removed", "delete", ("Ctrl+4",), needs=Need.STORE),
    "overview": Command("&Overview", "Tell in plain words what is selected", "", ("Alt+1",), needs=Need.STORE),
    "layers": Command("La&yers", "Show what each layer of the selected image does", "", ("Alt+2",), needs=Need.STORE),
    "files": Command("Fil&es", "Show the files of the selected image", "", ("Alt+3",), needs=Need.STORE),
    "document": Command("Do&cument", "Show what is selected as it is stored", "", ("Alt+4",), needs=Need.STORE),
    "bytes": Command("Bytes", "Show every byte of what is selected", "", ("Alt+5",), needs=Need.STORE),
    "metadata": Command("&Metadata", "Show notes about what is selected", "", ("Alt+6",), needs=Need.STORE),
    "relations": Command("Rel&ations", "Show what refers to what is selected", "", ("Alt+7",), needs=Need.STORE),
    "annotations": Command(
        "A&nnotations",
        "Show what the index says of the selected entry",
        "",
        ("Alt+8",),
        needs=Need.STORE | Need.ENTRY,
    ),
    "map": Command(
        "Map o&f the space",
        "Show or hide the picture of what the space is used for",
        "map",
        ("Ctrl+M",),
        needs=Need.STORE,
        checkable=True,
    ),
    "refresh": Command("&Refresh", "Look at the disk again", "refresh", (Keys.Refresh, "F5"), needs=Need.STORE),
    "next pane": Command("Ne&xt pane", "Move the keyboard to the next part of the window", "", ("F6",)),
    "previous pane": Command("Pre&vious pane", "Move the keyboard to the part of the window before", "", ("Shift+F6",)),
    "full screen": Command("F&ull screen", "Fill the whole screen, or no longer", "", (Keys.FullScreen,)),
    "theme system": Command("As the &system", "Light or dark as the system is", checkable=True),
    "theme light": Command("&Light", "Dark text on light", checkable=True),
    "theme dark": Command("&Dark", "Light text on dark", checkable=True),
    "back": Command("&Back", "Show what was selected before", "back", (Keys.Back, "Alt+Left"), needs=Need.BACK),
    "forward": Command(
        "&Forward", "Show what was selected after that", "forward", (Keys.Forward, "Alt+Right"), needs=Need.FORWARD
    ),
    "next problem": Command(
        "&Next problem", "Select the next problem, or the next bad blob", "warning", ("N",), needs=Need.PROBLEM
    ),
    "previous problem": Command(
        "&Previous problem", "Select the problem before, or the bad blob before", "warning", ("P",), needs=Need.PROBLEM
    ),
    "next tab": Command("Next &tab", "Show the next open store", "", ("Ctrl+Tab", "Ctrl+PgDown"), needs=Need.STORE),
    "previous tab": Command(
        "Pre&vious tab", "Show the open store before", "", ("Ctrl+Shift+Tab", "Ctrl+PgUp"), needs=Need.STORE
    ),
    "verify": Command(
        "&Verify selection",
        "Hash what is selected and its parts, and compare",
        "verify",
        ("V",),
        needs=Need.STORE | Need.SELECTION,
    ),
    "show in folder": Command(
        "&Show in file manager",
        "Show the file of what is selected",
        "show in folder",
        ("Ctrl+Shift+O",),
        needs=Need.SELECTION | Need.ON_DISK,
    ),
    "verify all": Command(
        "Verify &all", "Hash every blob of the store and compare", "verify", ("Ctrl+Shift+V",), needs=Need.STORE
    ),
    "verify unchecked": Command(
        "Verify what is &not checked yet",
        "Hash only the blobs that no verdict is known of",
        "verify",
        needs=Need.STORE,
    ),
    "check deeply": Command(
        "Check &deeply", "Read every layer to its end and hash what is left", "verify", needs=Need.STORE
    ),
    "copy report": Command(
        "Cop&y report", "Copy what was found wrong, as Markdown", "report", needs=Need.STORE | Need.CHECKED
    ),
    "save report": Command(
        "&Save report as…",
        "Write what was found wrong to a file: JSON, Markdown or text",
        "export",
        needs=Need.STORE | Need.CHECKED,
    ),
    "clean": Command(
        "C&lean up…",
        "List what nothing needs: unused blobs, lost images, leftovers of crashed programs",
        "clean up",
        ("Ctrl+Shift+K",),
        needs=_CHANGE | Need.LAYOUT,
    ),
    "stop": Command("St&op the running job", "Cancel what runs on the store in front", "cancel", needs=Need.JOB),
    "manual": Command("&Manual…", "What the states mean, how things come back, what is promised", "help"),
    "keys": Command("&Keyboard shortcuts…", "List every key", "help", (Keys.HelpContents,)),
    "about": Command("&About Blobscope", "Version and licences", "notice", role=QAction.MenuRole.AboutRole),
}

SEPARATOR = "-"
RECENT = "recent"
"""Stands in a menu for the list of stores that were open before."""

THEMES = ("theme system", "theme light", "theme dark")

MENUS: Sequence[tuple[str, Sequence[str]]] = (
    ("&File", ("open", "new", RECENT, "demo", "-", "import", "-", "close tab", "reopen tab", "-", "quit")),
    (
        "&Edit",
        (
            *("undo", "redo", "-", "copy digest", "copy reference", "copy path", "copy files", "paste", "-"),
            *("rename", "delete", "delete for good", "-", "filter", "find", "find in images", "-", "preferences"),
        ),
    ),
    (
        "&View",
        (
            *("images", "blobs", "problems", "trash", "map", "-"),
            *("overview", "layers", "files", "document", "bytes", "metadata", "relations", "annotations", "-"),
            *("refresh", "-", "next pane", "previous pane", "full screen", "-", *THEMES),
        ),
    ),
    (
        "&Go",
        ("back", "forward", "-", "next problem", "previous problem", "-", "next tab", "previous tab"),
    ),
    (
        "&Image",
        (
            *("verify", "-", "rename", "add name", "annotate", "keep aside", "delete", "-"),
            *("extract", "save blob", "-"),
            *("copy digest", "copy reference", "show in folder"),
        ),
    ),
    (
        "&Tools",
        (
            "verify all",
            "verify unchecked",
            "check deeply",
            "-",
            "copy report",
            "save report",
            "-",
            "clean",
            "restore",
            "empty trash",
            "-",
            "stop",
        ),
    ),
    ("&Help", ("manual", "keys", "-", "about")),
)

TOOLBAR = ("back", "forward", "-", "open", "verify all", "import", "extract", "delete")

CONTEXT = (
    *("verify", "-", "copy digest", "copy reference", "show in folder", "-"),
    *("extract", "save blob", "-"),
    *("rename", "add name", "annotate", "keep aside", "delete"),
)
TRASH_CONTEXT = ("restore", "delete for good", "-", "empty trash")


_RARE_KEYS = frozenset(
    {"Back", "Close", "Copy", "Exit", "F16", "F18", "Find", "Forward", "New", "Open", "Paste", "Refresh"}
)
"""Keys that work where a keyboard has them, and that nobody needs to be told of."""


class Actions(QObject):
    """The commands as QActions of one window."""

    def __init__(self, window: QWidget, handlers: Mapping[str, Callable[[], object]]) -> None:
        """``handlers`` says for every key of ``COMMANDS`` what it does."""
        super().__init__(window)
        self._actions = {key: _make(key, command, window) for key, command in COMMANDS.items()}
        themes = QActionGroup(self)
        for key, action in self._actions.items():
            handler = handlers[key]
            action.triggered.connect(lambda _checked=False, handler=handler: handler())
            window.addAction(action)
            if key in THEMES:
                themes.addAction(action)

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def update(self, situation: Need) -> None:
        """Enable what makes sense now."""
        for key, action in self._actions.items():
            action.setEnabled(COMMANDS[key].needs in situation)

    def retitle(self, key: str, words: str) -> None:
        """Say in the menus what a command would do now."""
        self._actions[key].setText(words)

    def fill(self, menu: QMenu, keys: Sequence[str], recent: QMenu | None = None) -> QMenu:
        """Put commands into a menu."""
        for key in keys:
            if key == SEPARATOR:
                menu.addSeparator()
            elif key == RECENT:
                if recent is not None:
                    menu.addMenu(recent)
            else:
                menu.addAction(self._actions[key])
        return menu

    def fill_menu_bar(self, bar: QMenuBar, recent: QMenu) -> None:
        """Make every menu of the window."""
        for title, keys in MENUS:
            self.fill(bar.addMenu(title), keys, recent)

    def shortcuts(self) -> list[tuple[str, str, str]]:
        """Menu, command and keys of everything that has a key, for the list of keys."""
        found = []
        for title, keys in MENUS:
            for key in keys:
                sequences = self._actions[key].shortcuts() if key in self._actions else []
                shown = ", ".join(keys for sequence in sequences if (keys := _native(sequence)) not in _RARE_KEYS)
                if shown:
                    found.append((title.replace("&", ""), plain_text(COMMANDS[key]), shown))
        return found


def plain_text(command: Command) -> str:
    """A command's text without mnemonic and dots."""
    return command.text.replace("&", "").removesuffix("…")


def _make(key: str, command: Command, window: QWidget) -> QAction:
    action = QAction(command.text, window)
    action.setObjectName(key)
    if command.icon:
        action.setIcon(icons.icon(command.icon))
    action.setShortcuts(_sequences(command.shortcuts))
    action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    action.setStatusTip(command.tip)
    action.setMenuRole(command.role)
    action.setCheckable(command.checkable)
    keys = _native(action.shortcut())
    widgets.set_tooltip(action, f"{command.tip}{f' ({keys})' if keys else ''}")
    action.setIconText(text.escape_mnemonics(plain_text(command)))
    return action


def _native(sequence: QKeySequence) -> str:
    return sequence.toString(QKeySequence.SequenceFormat.NativeText)


def _sequences(wanted: Sequence[Keys | str]) -> list[QKeySequence]:
    """The key sequences, each once, the platform's own first."""
    found: list[QKeySequence] = []
    for keys in wanted:
        sequences = QKeySequence.keyBindings(keys) if isinstance(keys, Keys) else [QKeySequence(keys)]
        found += [sequence for sequence in sequences if sequence not in found and not sequence.isEmpty()]
    return found
