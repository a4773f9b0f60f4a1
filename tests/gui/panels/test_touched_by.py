"""Which layers touched a path: said in words, and each leads to that layer."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.panels.files_view import FilesView
from gui.panels.touched_by import TouchedBy
from gui.session import Selection, Session
from tests.archives import END, file
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]


@pytest.fixture
def shown(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> Callable[..., TouchedBy]:
    """Shows a path of an image of these layers."""

    def show(path: str, *layers: bytes) -> TouchedBy:
        steps = [{"created_by": f"RUN step {number}"} for number in range(1, len(layers) + 1)]
        image = files.name(files.image(*layers, config={"history": steps}), "app:1")
        view = FilesView()
        qtbot.addWidget(view)
        view.resize(900, 700)
        view.show()
        view.show_selection(Selection(open_session(files.path), image["digest"], 0))
        qtbot.waitUntil(lambda: view.model is not None and view.model.wish is not None)
        view.reveal(path.encode())
        assert view.current.path.text() == f"/{path}"
        return view.current.touched

    return show


def names(touched: TouchedBy) -> list[str]:
    return [button.accessibleName() for button in touched.buttons if button.isVisible()]


def version(number: int) -> bytes:
    return file(b"etc/motd", b"%d" % number) + END


def test_each_says_what_it_did_and_by_which_step(qtbot: QtBot, shown: Callable[..., TouchedBy]) -> None:
    touched = shown("etc/motd", version(1), file(b"other") + END, file(b"etc/.wh.motd") + END, version(4))
    assert names(touched) == [
        "Added by layer 1: RUN step 1",
        "Removed by layer 3: RUN step 3",
        "Added by layer 4: RUN step 4",
    ]
    assert touched.step.text() == "RUN step 4", "the step that put there what is seen"
    with qtbot.waitSignal(touched.layer_asked) as caught:
        qtbot.mouseClick(touched.buttons[1], Qt.MouseButton.LeftButton)
    assert caught.args == [2]


def test_of_many_the_first_and_the_last_are_there_and_all_in_a_menu(
    qtbot: QtBot, shown: Callable[..., TouchedBy]
) -> None:
    touched = shown("etc/motd", *[version(number) for number in range(1, 13)])
    assert [name.partition(":")[0] for name in names(touched)] == [
        "Added by layer 1",
        "Changed by layer 10",
        "Changed by layer 11",
        "Changed by layer 12",
    ]
    actions = touched.more.menu().actions()
    assert [action.text() for action in actions][:2] == ["+ 1  RUN step 1", "~ 2  RUN step 2"]
    with qtbot.waitSignal(touched.layer_asked) as caught:
        actions[6].trigger()
    assert caught.args == [6]


def test_a_folder_without_an_entry_has_no_step(shown: Callable[..., TouchedBy]) -> None:
    touched = shown("etc", version(1))
    assert names(touched) == ["Added by layer 1: RUN step 1"]
    assert touched.step.text() == ""
