"""Files that were chosen in an image: what they are called, how large they are, and what is made of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.errors import Refused
from engine.progress import Progress
from gui.models import file_tree
from gui.panels.chosen_files import ChosenFiles, choose_files, choose_image
from gui.panels.files_view import FilesView
from gui.session import Selection, Session
from tests.archives import END, file, header
from tests.gui.models._pictures import find
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]
LOWER = file(b"etc/passwd", b"root") + file(b"usr/bin/tool", bytes(3000)) + END
UPPER = file(b"etc/passwd", b"root2") + header(b"usr/bin/same", b"1", link=b"usr/bin/tool") + END


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(LOWER, UPPER), "example.org/team/app:1.0")
    return files


@pytest.fixture
def session(files: LayoutFiles, open_session: Open) -> Session:
    return open_session(files.path)


@pytest.fixture
def selection(session: Session, files: LayoutFiles) -> Selection:
    return Selection(session, files.entries[0]["digest"], 0)


@pytest.fixture
def view(qtbot: QtBot, selection: Selection) -> FilesView:
    view = FilesView()
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    view.show_selection(selection)
    qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
    return view


def choose(view: FilesView, *paths: str) -> ChosenFiles:
    assert view.model is not None
    assert view.image is not None
    assert view.selection is not None
    rows = [find(view.model, *path.split("/")) for path in paths]
    chosen = choose_files(view.selection, view.image, view.model, rows)
    assert chosen is not None
    assert isinstance(chosen.what, ChosenFiles)
    return chosen.what


def test_one_file_is_called_by_its_name_and_several_by_their_number(view: FilesView) -> None:
    assert choose(view, "etc/passwd").name == "passwd"
    assert choose(view, "etc", "usr/bin").name == "2 files and folders"


def test_the_size_is_that_of_all_that_is_in_it_each_once(view: FilesView) -> None:
    assert choose(view, "etc/passwd").size == 5
    assert choose(view, "etc", "etc/passwd").size == 5
    assert choose(view, "usr/bin/same").size == 3000, "a hard link becomes a file of its own"


def test_what_lies_in_a_folder_that_is_chosen_too_is_not_told_twice(view: FilesView) -> None:
    assert sorted(choose(view, "usr/bin/tool", "etc/passwd", "usr").paths) == ["/etc/passwd", "/usr"]


def test_without_a_choice_it_is_everything_under_the_image_s_name(
    view: FilesView, session: Session, tmp_path: Path
) -> None:
    what = choose(view)
    assert what.name == "app:1.0"
    made = what.take(session.store, tmp_path / "cache", tmp_path, Progress(), None)
    assert made.placed == [tmp_path / "app:1.0"]
    assert (tmp_path / "app:1.0/etc/passwd").read_bytes() == b"root2"
    assert (tmp_path / "app:1.0/usr/bin/same").read_bytes() == bytes(3000)


def test_the_row_that_tells_of_more_files_stands_for_none_of_them(
    view: FilesView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_tree, "MOST_ROWS", 1)
    assert view.model is not None
    assert view.image is not None
    assert view.selection is not None
    view.model.sort(0)
    rest = view.model.index(1, 0)
    assert rest.data() == "and 1 more: filter to see them"
    assert choose_files(view.selection, view.image, view.model, [rest]) is None


def test_more_than_is_wanted_at_most_is_refused(view: FilesView, session: Session, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        choose(view, "usr").take(session.store, tmp_path / "cache", tmp_path, Progress(), 4000)


def test_an_image_comes_out_whole_also_before_anybody_has_looked_into_it(
    session: Session, selection: Selection, tmp_path: Path
) -> None:
    chosen = choose_image(selection)
    assert chosen is not None
    assert (chosen.out, chosen.what.name) == (session.taking_out, "app:1.0")
    made = chosen.what.take(session.store, tmp_path / "cache", tmp_path, Progress(), None)
    assert (made.files, made.folders, made.is_verified) == (3, 4, True)


def test_an_image_without_a_name_gets_a_folder_that_says_which_it_is(files: LayoutFiles, open_session: Open) -> None:
    nameless = files.image(LOWER)
    files.name(nameless)
    chosen = choose_image(Selection(open_session(files.path), nameless["digest"], 1))
    assert chosen is not None
    assert chosen.what.name == f"image-{nameless['digest'][7:19]}"


def test_a_layer_by_itself_comes_out_in_a_folder_of_its_own(
    session: Session, files: LayoutFiles, tmp_path: Path
) -> None:
    upper = files.blob(UPPER)["digest"]
    chosen = choose_image(Selection(session, upper))
    assert chosen is not None
    made = chosen.what.take(session.store, tmp_path / "cache", tmp_path, Progress(), None)
    assert made.placed == [tmp_path / f"layer-{upper[7:19]}"]
    assert (made.files, made.left_out) == (1, [("usr/bin/same", "It is a hard link to a file that is in no layer.")])


def test_a_layer_that_cannot_be_read_is_told_of_where_its_files_would_be(
    files: LayoutFiles, open_session: Open, tmp_path: Path
) -> None:
    files.file(files.blob(UPPER)).unlink()
    session = open_session(files.path)
    chosen = choose_image(Selection(session, files.entries[0]["digest"], 0))
    assert chosen is not None
    made = chosen.what.take(session.store, tmp_path / "cache", tmp_path, Progress(), None)
    assert (tmp_path / "app:1.0/etc/passwd").read_bytes() == b"root"
    assert made.left_out == [("layer 2", "It could not be read, so what only it has is missing.")]


def test_what_comes_from_a_corrupt_layer_is_told_as_such(
    files: LayoutFiles, open_session: Open, tmp_path: Path
) -> None:
    lower = files.file(files.blob(LOWER))
    lower.write_bytes(LOWER.replace(b"root", b"ROOT"))
    session = open_session(files.path)
    chosen = choose_image(Selection(session, files.entries[0]["digest"], 0))
    assert chosen is not None
    made = chosen.what.take(session.store, tmp_path / "cache", tmp_path, Progress(), None)
    assert chosen.what.tell(made, tmp_path).endswith("It is from something corrupt, and may not be what it should be.")


def test_what_is_no_image_has_no_files(session: Session, files: LayoutFiles) -> None:
    assert choose_image(Selection(session, files.blob(b"x")["digest"])) is None
    assert choose_image(Selection(session, files.image(LOWER, UPPER)["digest"].replace("a", "b"))) is None
