"""What is asked in a dialog before something is done: one function for each question.

Native file dialogs where the system has them; the dialogs of our own do not block anything but their window.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from engine.digest import shorten
from engine.importing import ImportRequest, Source
from engine.snapshot import Entry, State
from gui import text
from gui.dialogs.import_dialog import ImportDialog
from gui.dialogs.taken_names import consequence, owners
from gui.outcome import Notice
from gui.session import Session
from gui.settings import Settings


def folder_to_open(window: QWidget, settings: Settings) -> Path | None:
    """Which folder to open; None for none."""
    start = str(settings.last_folder("open"))
    chosen = QFileDialog.getExistingDirectory(window, "Open an image layout or Docker's image store", start)
    if not chosen:
        return None
    settings.set_last_folder("open", Path(chosen).parent)
    return Path(chosen)


def folder_to_make(window: QWidget, settings: Settings) -> Path | None:
    """Where to make a new layout; the folder must not be there yet."""
    start = settings.last_folder("open") / "new-layout"
    chosen, _ = QFileDialog.getSaveFileName(
        window, "Make a new image layout", str(start), options=QFileDialog.Option.DontConfirmOverwrite
    )
    if not chosen:
        return None
    settings.set_last_folder("open", Path(chosen).parent)
    return Path(chosen)


def files_to_import(window: QWidget, settings: Settings, store: str) -> list[Path]:
    """Which files to copy into a store."""
    start = str(settings.last_folder("import"))
    chosen, _ = QFileDialog.getOpenFileNames(window, f"Import files into {text.plain(store)}", start)
    if chosen:
        settings.set_last_folder("import", Path(chosen[0]).parent)
    return [Path(name) for name in chosen]


def how_to_import(session: Session, paths: Sequence[Path], window: QWidget, *, told: bool = False) -> None:
    """Look at the files, then ask what they are to become, then copy them.

    Nothing is asked where the person was ``told`` what will happen and there is nothing to decide.
    """

    def ask(sources: list[Source]) -> None:
        open_question = any(source.refusal or (source.can_be_named and session.is_layout) for source in sources)
        if told and not open_question:
            session.changes.import_files([ImportRequest(source.path) for source in sources])
            return
        dialog = ImportDialog(session.name, sources, session.snapshot, window, names=session.is_layout)
        dialog.confirmed.connect(session.changes.import_files)
        _open(dialog)

    session.inspect_sources(paths, then=ask)


def new_name(session: Session, position: int, window: QWidget) -> None:
    """Ask for another name of an index entry, then rename it."""
    from gui.dialogs.name_dialog import RENAME, NameDialog  # knows the rules, which the first window does not need

    snapshot = session.snapshot
    if snapshot is None:
        return
    entry = snapshot.entries[position]
    name, digest = entry.names[0] if entry.names else None, entry.descriptor.digest
    dialog = NameDialog(
        RENAME,
        name,
        shorten(digest),
        window,
        own=[name],
        consequence=lambda wanted: consequence(snapshot, digest, wanted),
    )
    dialog.named.connect(lambda name: _rename(session, entry, name, owners(snapshot, name)))
    _open(dialog)


def _rename(session: Session, entry: Entry, name: str | None, taken_from: Collection[str]) -> None:
    """Rename the entry that the person was asked about; meanwhile it may have moved, or be gone."""
    entries = session.snapshot.entries if session.snapshot is not None else ()
    same = (each.position for each in entries if each.descriptor == entry.descriptor)
    position = min(same, key=lambda position: abs(position - entry.position), default=None)
    if position is None:
        session.noticed.emit(Notice("warning", "That entry is no longer in the index, so it was not renamed."))
    else:
        session.changes.rename_entry(position, name, taken_from)


def another_name(session: Session, digest: str, window: QWidget, name: str = "") -> None:
    """Ask under which name an image or index is to be in the index, then add that.

    ``name`` is the one that a lost image says it had.
    """
    from gui.dialogs.name_dialog import ADD_ENTRY, ADD_NAME, ADD_TO_INDEX, NameDialog

    snapshot = session.snapshot
    row = snapshot.find(digest) if snapshot is not None else -1
    if snapshot is None or row < 0:
        return
    entries = snapshot.entries_of(row)
    own = list(dict.fromkeys(name for entry in entries for name in entry.names))
    is_lost = session.state(row) == State.LOST
    wish = ADD_NAME if entries else ADD_TO_INDEX if is_lost else ADD_ENTRY
    begin = name or next(iter(own), "")
    dialog = NameDialog(
        wish, begin, shorten(digest), window, own=own, consequence=lambda wanted: consequence(snapshot, digest, wanted)
    )
    dialog.named.connect(lambda name: session.changes.add_name(digest, name, owners(snapshot, name) - {digest}))
    _open(dialog)


def what_to_clean(session: Session, window: QWidget) -> None:
    """Show what nothing needs, in bins, then move what is ticked to the trash."""
    from gui.dialogs.cleanup_dialog import CleanupDialog  # not needed for the first window
    from gui.models.cleanup import Proposal, propose

    def ask(proposal: Proposal) -> None:
        dialog = CleanupDialog(session.name, proposal, window)
        dialog.confirmed.connect(lambda taken: session.changes.clean_up(taken.plan, leftovers=taken.leftovers))
        dialog.add_asked.connect(lambda digest, name: another_name(session, digest, window, name))
        _open(dialog)

    session.plan_cleanup(propose, ask)


def good_copy(window: QWidget, settings: Settings, digest: str) -> Path | None:
    """Which file holds the content that a blob should have."""
    start = str(settings.last_folder("import"))
    chosen, _ = QFileDialog.getOpenFileName(window, f"Choose a good copy of {shorten(digest)}", start)
    if not chosen:
        return None
    settings.set_last_folder("import", Path(chosen).parent)
    return Path(chosen)


def folder_to_make_it_in(window: QWidget, settings: Settings, question: str) -> Path | None:
    """In which folder something is to be made."""
    start = str(settings.last_folder("extract"))
    chosen = QFileDialog.getExistingDirectory(window, text.plain(question), start)
    if not chosen:
        return None
    settings.set_last_folder("extract", Path(chosen))
    return Path(chosen)


def where_to_save(window: QWidget, settings: Settings, name: str) -> Path | None:
    """Where to save a blob; what has that name already keeps it, so nobody is asked about overwriting."""
    start = str(settings.last_folder("extract") / name)
    chosen, _ = QFileDialog.getSaveFileName(
        window, f"Save {text.plain(name)}", start, options=QFileDialog.Option.DontConfirmOverwrite
    )
    if not chosen:
        return None
    settings.set_last_folder("extract", Path(chosen).parent)
    return Path(chosen)


def where_to_save_report(window: QWidget, settings: Settings, store: str) -> Path | None:
    """Where to write a report; its ending says in which form."""
    start = settings.last_folder("report") / f"{store.replace('/', '-')}-report.md"
    chosen, form = QFileDialog.getSaveFileName(window, "Save the report", str(start), ";;".join(_REPORTS))
    if not chosen:
        return None
    path = Path(chosen)
    settings.set_last_folder("report", path.parent)
    return path if path.suffix else path.with_suffix(_REPORTS.get(form, ".md"))


_REPORTS = {"Markdown (*.md)": ".md", "JSON (*.json)": ".json", "Text (*.txt)": ".txt"}


def _open(dialog: QDialog) -> None:
    """Show a dialog that goes when it is closed, and let the event loop run on."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
