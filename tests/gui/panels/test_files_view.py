"""The Files tab: the tree at a layer, what is chosen above it, and what is told below it."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from engine.filesystem import Change
from gui.models.file_cells import Column
from gui.panels.files_view import FilesView
from gui.session import Selection, Session
from gui.settings import Settings
from tests.archives import END, file, header, layer
from tests.gui.models._pictures import find, names
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]
LOWER = file(b"etc/passwd", b"root") + file(b"etc/old", b"x" * 10) + file(b"usr/bin/tool", bytes(3000)) + END
UPPER = file(b"etc/passwd", b"root2") + file(b"etc/.wh.old") + file(b"srv/app/main.py", b"print()") + END


@pytest.fixture
def view(qtbot: QtBot) -> FilesView:
    view = FilesView()
    qtbot.addWidget(view)
    view.resize(1000, 600)
    view.show()
    return view


@pytest.fixture
def session(qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open) -> Session:
    """A session whose only image is shown."""
    steps = [{"created_by": "ADD base /"}, {"created_by": "COPY app /srv"}]
    image = files.name(files.image(LOWER, UPPER, config={"history": steps}), "app:1")
    session = open_session(files.path)
    view.show_selection(Selection(session, image["digest"], 0))
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    return session


def top(view: FilesView) -> list[str]:
    assert view.model is not None
    return names(view.model)


def test_it_begins_with_the_whole_image(view: FilesView, session: Session) -> None:
    assert top(view) == ["etc", "srv", "usr"]
    assert view.choice.layers.currentText() == "2  COPY app /srv"
    assert view.choice.merged.isChecked()
    assert view.sum.words.text() == "9 paths · 3.0 kB unpacked · layers 1 to 2"


def test_another_layer_shows_the_files_of_then(qtbot: QtBot, view: FilesView, session: Session) -> None:
    with qtbot.waitSignal(view.chosen) as caught:
        view.choice.layers.activated.emit(0)
    assert caught.args == [0]
    assert top(view) == ["etc", "usr"]
    assert view.sum.words.text().endswith("layer 1")


def test_this_layer_alone_opens_what_it_touches(qtbot: QtBot, view: FilesView, session: Session) -> None:
    qtbot.mouseClick(view.choice.only, Qt.MouseButton.LeftButton)
    assert top(view) == ["etc", "srv"]
    assert view.model is not None
    assert view.view.isExpanded(find(view.model, "srv", "app"))
    assert names(view.model, find(view.model, "etc")) == ["old", "passwd"]


def test_toggles_say_how_many_there_are_and_leave_them_out(qtbot: QtBot, view: FilesView, session: Session) -> None:
    toggles = view.choice.toggles
    assert {change: toggle.accessibleName() for change, toggle in toggles.items()} == {
        Change.ADDED: "Added: 3",
        Change.CHANGED: "Changed: 1",
        Change.REMOVED: "Removed: 1",
        Change.UNCHANGED: "Unchanged: 4",
    }
    toggles[Change.UNCHANGED].click()
    toggles[Change.ADDED].click()
    assert top(view) == ["etc"]
    assert view.sum.words.text().startswith("2 of 9 paths")


def test_the_filter_opens_the_way_to_what_it_finds(qtbot: QtBot, view: FilesView, session: Session) -> None:
    qtbot.keyClicks(view.choice.line, "main")
    qtbot.waitUntil(lambda: top(view) == ["srv"])
    assert view.model is not None
    assert view.view.isExpanded(find(view.model, "srv", "app"))
    qtbot.keyClick(view.choice.line, Qt.Key.Key_Return)
    assert view.view.hasFocus()
    assert view.view.currentIndex().data() == "srv"
    view.choice.focus_filter()
    qtbot.keyClick(view.choice.line, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(top(view)) == 3)


def test_where_nothing_matches_there_is_a_way_back(qtbot: QtBot, view: FilesView, session: Session) -> None:
    qtbot.keyClicks(view.choice.line, "nowhere")
    qtbot.waitUntil(lambda: view.empty.isVisible())
    assert view.empty.words == "No path matches"
    (button,) = view.empty.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert view.view.isVisible()
    assert view.choice.line.text() == ""
    assert len(top(view)) == 3


def test_a_click_on_a_title_sorts(qtbot: QtBot, view: FilesView, session: Session) -> None:
    header = view.view.header()
    x = header.sectionViewportPosition(Column.SIZE) + 20
    for _ in range(2):
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, 8))
    assert top(view)[0] == "usr"


def test_below_it_stands_all_that_is_known_of_a_file(qtbot: QtBot, view: FilesView, session: Session) -> None:
    assert view.model is not None
    view.view.setCurrentIndex(find(view.model, "etc", "old"))
    assert view.current.path.text() == "/etc/old"
    facts = view.current.facts.text()
    assert facts.startswith("file · 10 bytes · -rw-r--r-- · 0:0 · ")
    assert "layer" not in facts, "which layers those are stands below"
    names = [button.accessibleName() for button in view.current.touched.buttons if button.isVisible()]
    assert names == ["Added by layer 1: ADD base /", "Removed by layer 2: COPY app /srv"]
    qtbot.keyClick(view.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "/etc/old"


def test_the_keyboard_opens_folders_but_never_everything(qtbot: QtBot, view: FilesView, session: Session) -> None:
    assert view.model is not None
    view.view.setFocus()
    assert view.view.currentIndex().data() == "etc"
    qtbot.keyClick(view.view, Qt.Key.Key_Return)
    assert view.view.isExpanded(find(view.model, "etc"))
    qtbot.keyClick(view.view, Qt.Key.Key_Asterisk)
    assert not view.view.isExpanded(find(view.model, "usr"))


def test_what_is_open_stays_so_at_another_layer(view: FilesView, session: Session) -> None:
    assert view.model is not None
    view.view.expand(find(view.model, "etc"))
    view.choose(0)
    assert view.view.isExpanded(find(view.model, "etc"))
    assert names(view.model, find(view.model, "etc")) == ["old", "passwd"]


def test_a_missing_layer_leaves_the_files_of_the_others(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open
) -> None:
    gone = files.blob(layer("gone"))
    image = files.name(files.image(LOWER, gone), "app:1")
    files.file(gone).unlink()
    session = open_session(files.path)
    view.show_selection(Selection(session, image["digest"], 0))
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    assert top(view) == ["etc", "usr"]
    assert view.reading.words.text() == "Layer 2 could not be read: the files are shown without it."
    qtbot.mouseClick(view.choice.only, Qt.MouseButton.LeftButton)
    assert view.empty.words == "This layer changes nothing"


def test_in_a_narrow_window_name_and_size_keep_their_room(qtbot: QtBot, view: FilesView, session: Session) -> None:
    header = view.view.header()
    assert not any(header.isSectionHidden(column) for column in Column)
    view.resize(340, 600)
    qtbot.waitUntil(lambda: header.isSectionHidden(Column.MODE))
    assert not header.isSectionHidden(Column.SIZE)
    assert header.length() <= view.view.viewport().width()


def test_the_columns_are_next_time_as_they_were_left(
    qtbot: QtBot, files: LayoutFiles, open_session: Open, tmp_path: Path
) -> None:
    image = files.name(files.image(LOWER, UPPER), "app:1")
    session, settings = open_session(files.path), Settings(tmp_path / "settings.ini")

    def opened() -> FilesView:
        view = FilesView(settings=settings)
        qtbot.addWidget(view)
        view.resize(1000, 600)
        view.show()
        view.show_selection(Selection(session, image["digest"], 0))
        qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
        return view

    first = opened()
    assert first.columns is not None
    first.view.header().resizeSection(Column.SIZE, 140)
    first.columns.show_column(Column.OWNER, shown=False)
    first.view.header().setSortIndicator(Column.SIZE, Qt.SortOrder.DescendingOrder)
    first.resize(340, 600)
    first.save_state()
    again = opened()
    header = again.view.header()
    assert header.sectionSize(Column.SIZE) == 140
    assert [column for column in Column if header.isSectionHidden(column)] == [Column.OWNER]
    assert top(again)[0] == "usr", "sorted by size"


def current(view: FilesView) -> str:
    assert view.model is not None
    return view.model.path_at(view.view.currentIndex())


def test_a_path_is_revealed_whatever_hides_it(qtbot: QtBot, view: FilesView, session: Session) -> None:
    view.choice.line.setText("nothing like it")
    view.choice.toggles[Change.UNCHANGED].setChecked(False)
    qtbot.waitUntil(lambda: top(view) == [])
    view.reveal(b"usr/bin/tool")
    assert current(view) == "/usr/bin/tool"
    assert view.view.isExpanded(view.view.currentIndex().parent())
    assert view.view.selectionModel().selectedRows() == [view.view.currentIndex().siblingAtColumn(0)]


def test_a_path_is_revealed_as_soon_as_its_layer_is_shown(qtbot: QtBot, view: FilesView, session: Session) -> None:
    view.choose(0)
    view.reveal(b"etc/old")
    qtbot.waitUntil(lambda: current(view) == "/etc/old")
    assert view.choice.layers.currentIndex() == 0


def test_a_path_is_revealed_once_the_image_is_read(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open
) -> None:
    image = files.name(files.image(LOWER, UPPER), "app:1")
    view.show_selection(Selection(open_session(files.path), image["digest"], 0))
    view.reveal(b"srv/app/main.py")
    qtbot.waitUntil(lambda: view.model is not None and current(view) == "/srv/app/main.py")


def test_a_path_that_is_not_shown_at_the_layer_leaves_everything_as_it_is(view: FilesView, session: Session) -> None:
    view.choose(0)
    view.reveal(b"srv/app/main.py")
    assert current(view) == ""
    view.choose(1)
    view.choice.only.click()
    view.reveal(b"usr/bin/tool")
    assert current(view) == ""
    view.reveal(b"srv/app")
    assert current(view) == "/srv/app"


def test_a_path_among_too_many_is_revealed_alone(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open
) -> None:
    crowd = layer(*(f"many/f{number:04}" for number in range(2500)), "many/z[1]")
    image = files.name(files.image(crowd), "app:1")
    view.show_selection(Selection(open_session(files.path), image["digest"], 0))
    view.reveal(b"many/z[1]")
    qtbot.waitUntil(lambda: view.model is not None and current(view) == "/many/z[1]")
    assert view.choice.words == "/many/z[[]1]"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "The layer could not be read. sha256:"),
        (gzip.compress(LOWER)[:-30], "The layer could be read only in part: files may be missing here. Only 2 entries"),
    ],
)
def test_why_a_layer_by_itself_cannot_be_read_is_said(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open, content: bytes | None, words: str
) -> None:
    blob = files.blob(gzip.compress(LOWER))
    files.name(files.image(blob), "app:1")
    if content is not None:
        files.file(blob).write_bytes(content)
    session = open_session(files.path)
    if content is None:
        files.file(blob).unlink()
    view.show_selection(Selection(session, blob["digest"]))
    qtbot.waitUntil(lambda: view.image is not None)
    assert view.reading.words.text().startswith(words)


def test_a_layer_by_itself_offers_and_shows_only_what_makes_sense(
    qtbot: QtBot, files: LayoutFiles, open_session: Open, tmp_path: Path
) -> None:
    layer_blob = files.blob(UPPER)
    image = files.name(files.image(LOWER, layer_blob), "app:1")
    session, settings = open_session(files.path), Settings(tmp_path / "settings.ini")
    view = FilesView(settings=settings)
    qtbot.addWidget(view)
    view.resize(1000, 600)
    view.show()
    view.show_selection(Selection(session, layer_blob["digest"]))
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    header, choice = view.view.header(), view.choice
    assert header.isSectionHidden(Column.LAYER)
    assert not any(widget.isVisible() for widget in (choice.layers, choice.merged, choice.only))
    assert [change for change, toggle in choice.toggles.items() if toggle.isVisible()] == [
        Change.ADDED,
        Change.REMOVED,
    ]
    view.save_state()
    view.show_selection(Selection(session, image["digest"], 0))
    assert not header.isSectionHidden(Column.LAYER), "for an image it says something"
    assert choice.layers.isVisible()


def test_that_a_layer_is_corrupt_is_said_as_soon_as_it_is_known(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open
) -> None:
    blob = files.blob(file(b"motd", b"Welcome") + END)
    image = files.name(files.image(blob), "app:1")
    files.file(blob).write_bytes(file(b"motd", b"Goodbye") + END)
    session = open_session(files.path)
    session.statesChanged.connect(lambda _rows: view.refresh())
    view.show_selection(Selection(session, image["digest"], 0))
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    view.reveal(b"motd")
    qtbot.waitUntil(lambda: view.preview.note.text().startswith("Layer 1 is not what its digest says"))


def test_what_was_in_a_removed_file_and_what_is_behind_another_name_can_be_seen(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open
) -> None:
    lower = file(b"etc/old", b"what it was") + file(b"etc/motd", b"Welcome") + END
    upper = file(b"etc/.wh.old") + header(b"etc/hello", b"1", link=b"etc/motd") + END
    image = files.name(files.image(lower, upper), "app:1")
    view.show_selection(Selection(open_session(files.path), image["digest"], 0))
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    shown = view.preview.text.pane
    for path, content in ((b"etc/old", "what it was"), (b"etc/hello", "Welcome")):
        view.reveal(path)
        qtbot.waitUntil(lambda content=content: shown.isVisible() and shown.toPlainText() == content)
    assert view.current.facts.text().startswith("another name of etc/motd")


def test_what_cannot_be_shown_says_why_without_offering_to_try_again(
    qtbot: QtBot, view: FilesView, files: LayoutFiles, open_session: Open
) -> None:
    dangling = header(b"etc/hello", b"1", link=b"etc/nothing") + END
    image = files.name(files.image(dangling), "app:1")
    view.show_selection(Selection(open_session(files.path), image["digest"], 0))
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    view.reveal(b"etc/hello")
    qtbot.waitUntil(lambda: view.preview.empty.words.startswith("It cannot be shown"))
    assert "hard link to a file that is in no layer" in view.preview.empty.words
    assert not any(button.isVisible() for button in view.preview.empty.findChildren(QPushButton))
