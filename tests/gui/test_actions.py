"""What the commands promise: each has a place, a tip and a meaning, and nothing can be asked for that makes no sense."""

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu
from pytestqt.qtbot import QtBot

from gui.actions import COMMANDS, CONTEXT, MENUS, RECENT, SEPARATOR, TOOLBAR, Actions, Need


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    return window


def make(window: QMainWindow, called: list[str] | None = None) -> Actions:
    log = [] if called is None else called
    return Actions(window, {key: lambda key=key: log.append(key) for key in COMMANDS})


def test_every_command_is_in_a_menu_so_that_nothing_needs_the_mouse() -> None:
    in_menus = {key for _, keys in MENUS for key in keys} - {SEPARATOR, RECENT}
    assert in_menus == set(COMMANDS)


def test_toolbar_and_context_menu_show_commands_of_the_table() -> None:
    assert {*TOOLBAR, *CONTEXT} - {SEPARATOR} <= set(COMMANDS)


def test_every_command_says_what_it_will_do(window: QMainWindow) -> None:
    actions = make(window)
    for key, command in COMMANDS.items():
        assert command.tip[0].isupper()
        assert not command.tip.endswith(".")
        assert actions[key].statusTip() == command.tip
        assert command.tip in actions[key].toolTip()


def test_no_two_commands_have_the_same_keys(window: QMainWindow) -> None:
    actions = make(window)
    portable = QKeySequence.SequenceFormat.PortableText
    keys = Counter(sequence.toString(portable) for key in COMMANDS for sequence in actions[key].shortcuts())
    assert [sequence for sequence, count in keys.items() if count > 1] == []


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("open", "Ctrl+O"),
        ("filter", "Ctrl+L"),
        ("find", "Ctrl+F"),
        ("refresh", "F5"),
        ("next pane", "F6"),
        ("previous pane", "Shift+F6"),
        ("images", "Ctrl+1"),
        ("blobs", "Ctrl+2"),
        ("overview", "Alt+1"),
        ("layers", "Alt+2"),
        ("files", "Alt+3"),
        ("document", "Alt+4"),
        ("bytes", "Alt+5"),
        ("metadata", "Alt+6"),
        ("relations", "Alt+7"),
        ("back", "Alt+Left"),
        ("forward", "Alt+Right"),
        ("verify", "V"),
        ("verify all", "Ctrl+Shift+V"),
        ("delete", "Del"),
        ("rename", "F2"),
        ("copy digest", "Ctrl+C"),
        ("copy reference", "Ctrl+Shift+C"),
        ("paste", "Ctrl+V"),
        ("extract", "E"),
        ("copy files", "Ctrl+E"),
        ("save blob", "Ctrl+S"),
        ("next problem", "N"),
        ("previous problem", "P"),
        ("keys", "F1"),
    ],
)
def test_the_keys_are_those_that_people_expect(window: QMainWindow, key: str, keys: str) -> None:
    assert QKeySequence(keys) in make(window)[key].shortcuts()


def test_mnemonics_are_unique_within_each_menu() -> None:
    for title, keys in MENUS:
        letters = Counter(
            text[text.index("&") + 1].lower() for key in keys if key in COMMANDS and "&" in (text := COMMANDS[key].text)
        )
        assert [letter for letter, count in letters.items() if count > 1] == [], title


def test_without_a_store_only_what_needs_none_is_enabled(window: QMainWindow) -> None:
    actions = make(window)
    actions.update(Need.NOTHING)
    assert {key for key in COMMANDS if actions[key].isEnabled()} >= {"open", "new", "demo", "quit", "paste", "about"}
    for key in ("import", "delete", "rename", "verify", "verify all", "close tab", "back", "stop"):
        assert not actions[key].isEnabled()


def test_a_read_only_store_can_be_looked_at_but_not_changed(window: QMainWindow) -> None:
    actions = make(window)
    actions.update(Need.STORE | Need.LAYOUT | Need.SELECTION | Need.ENTRY | Need.ON_DISK)
    for key in ("verify", "verify all", "copy digest", "show in folder"):
        assert actions[key].isEnabled()
    for key in ("import", "delete", "rename", "clean"):
        assert not actions[key].isEnabled()


def test_a_command_does_its_deed(window: QMainWindow) -> None:
    called: list[str] = []
    actions = make(window, called)
    actions.update(~Need.NOTHING)
    actions["verify all"].trigger()
    assert called == ["verify all"]


def test_a_menu_is_made_of_the_same_actions(window: QMainWindow) -> None:
    actions = make(window)
    menu = actions.fill(QMenu(window), CONTEXT)
    assert actions["delete"] in menu.actions()


def test_the_list_of_keys_names_each_command_with_its_menu(window: QMainWindow) -> None:
    listed = make(window).shortcuts()
    assert ("Tools", "Verify all", "Ctrl+Shift+V") in listed
    assert all(command and keys for _, command, keys in listed)
