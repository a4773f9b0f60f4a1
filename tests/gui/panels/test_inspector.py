"""What the inspector promises: to show what is selected, the tabs that mean something, and the way back."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLineEdit, QPlainTextEdit, QTextBrowser
from pytestqt.qtbot import QtBot

from gui import theme
from gui.panels.inspector import Inspector
from gui.panels.places import BYTES, DOCUMENT, FILES, LAYERS, METADATA, OVERVIEW, RELATIONS
from gui.session import Selection, Session

Open = Callable[[Path], Session]
Made = dict[str, dict[str, Any]]


@pytest.fixture
def inspector(qtbot: QtBot) -> Inspector:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.resize(420, 600)
    inspector.show()
    return inspector


@pytest.fixture
def store(making, open_session: Open) -> tuple[Session, Made]:
    layer = making.blob(b"layer")
    config = making.config([layer], {"User": "app"})
    image = making.image([layer], config)
    index = making.index([{**image, "platform": {"os": "linux", "architecture": "arm64"}}])
    making.name(index, "app:2.1")
    (making.path / "blobs" / "sha256" / "stray.txt").write_text("?")
    return open_session(making.path), {"layer": layer, "config": config, "image": image, "index": index}


def tabs(inspector: Inspector) -> list[str]:
    return [inspector.tabs.tabText(n) for n in range(inspector.tabs.count()) if inspector.tabs.isTabVisible(n)]


def select(inspector: Inspector, store: tuple[Session, Made], name: str, position: int | None = 0) -> Selection:
    selection = Selection(store[0], store[1][name]["digest"], position)
    inspector.show_selection(selection)
    return selection


def seen(inspector: Inspector) -> str:
    return " ".join(label.text() for label in inspector.findChildren(type(inspector.header.state)) if label.isVisible())


def test_with_nothing_selected_it_says_what_to_do(inspector: Inspector) -> None:
    assert "Select an image or a blob to see what it is." in seen(inspector)
    assert not inspector.tabs.isVisible()


def test_the_head_names_what_it_is_its_digest_and_its_state(inspector: Inspector, store) -> None:
    select(inspector, store, "layer")
    header = inspector.header
    digest = store[1]["layer"]["digest"]
    assert header.name.text() == "Layer 1 of 1"
    assert header.digest.text() == f"{digest[:11]}…{digest[-4:]}"
    assert header.state.text() == "Not checked"
    assert header.state.accessibleName() == (
        "State: Not checked. The content has not been compared with its digest yet."
    )
    header.copy_button.click()
    assert QGuiApplication.clipboard().text() == digest


def test_the_breadcrumb_says_how_one_came_here_and_leads_back_up(inspector: Inspector, store, qtbot: QtBot) -> None:
    select(inspector, store, "layer")
    buttons = [b for b in inspector.header.breadcrumb.findChildren(QAbstractButton) if b.isVisible()]
    assert [button.accessibleName() for button in buttons] == ["Go to app:2.1", "Go to linux/arm64"]
    with qtbot.waitSignal(inspector.followed) as caught:
        buttons[1].click()
    assert caught.args == [Selection(store[0], store[1]["image"]["digest"], 0)]
    assert inspector.header.name.text() == "linux/arm64"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("index", ["Overview", "Document", "Bytes", "Metadata", "Relations", "Annotations"]),
        ("image", ["Overview", "Layers", "Files", "Document", "Bytes", "Metadata", "Relations"]),
        ("config", ["Overview", "Document", "Bytes", "Metadata", "Relations"]),
        ("layer", ["Overview", "Files", "Bytes", "Metadata", "Relations"]),
    ],
)
def test_only_tabs_that_mean_something_are_there(inspector: Inspector, store, name: str, expected: list[str]) -> None:
    select(inspector, store, name)
    assert tabs(inspector) == expected


def test_a_stray_file_and_a_missing_blob_have_what_can_be_said_of_them(
    inspector: Inspector, store, making, qtbot: QtBot
) -> None:
    session, made = store
    inspector.show_selection(Selection(session, "sha256/stray.txt"))
    assert tabs(inspector) == ["Overview", "Bytes"]
    making.file(made["layer"]).unlink()
    with qtbot.waitSignal(session.snapshotChanged):
        session.rescan()
    select(inspector, store, "layer")
    assert tabs(inspector) == ["Overview", "Relations"]


def test_tabs_that_come_while_nothing_is_shown_have_their_place(inspector: Inspector, store) -> None:
    inspector.show_selection(Selection(store[0], "sha256/stray.txt", None))
    inspector.show_selection(None)
    select(inspector, store, "layer")
    QApplication.processEvents()
    bar = inspector.tabs.tabBar()
    shown = [bar.tabRect(tab) for tab in (OVERVIEW, METADATA, RELATIONS)]
    assert all(rect.width() > 0 for rect in shown)
    assert not any(one.intersects(other) for one, other in itertools.pairwise(shown))


def test_the_chosen_tab_comes_back_where_it_is_there(inspector: Inspector, store) -> None:
    select(inspector, store, "config")
    inspector.show_tab(DOCUMENT)
    select(inspector, store, "layer")
    assert inspector.tabs.currentIndex() == OVERVIEW
    inspector.show_tab(DOCUMENT)
    assert inspector.tabs.currentIndex() == OVERVIEW, "there is no document to go to"
    select(inspector, store, "image")
    assert inspector.tabs.currentIndex() == DOCUMENT


def test_widgets_stay_the_same_from_selection_to_selection(inspector: Inspector, store) -> None:
    select(inspector, store, "image")
    before = set(map(id, inspector.tabs.findChildren(QAbstractItemView)))
    select(inspector, store, "layer")
    assert set(map(id, inspector.tabs.findChildren(QAbstractItemView))) == before


def test_back_and_forward_go_the_way_one_came(inspector: Inspector, store, qtbot: QtBot) -> None:
    way = [select(inspector, store, name) for name in ("index", "image", "layer")]
    assert (inspector.can_go_back, inspector.can_go_forward) == (True, False)
    with qtbot.waitSignals([inspector.historyChanged, inspector.followed]):
        inspector.back()
    assert inspector.selection == way[1]
    inspector.back()
    assert (inspector.selection, inspector.can_go_back, inspector.can_go_forward) == (way[0], False, True)
    inspector.forward()
    assert inspector.selection == way[1]
    last = select(inspector, store, "config")
    assert not inspector.can_go_forward, "going elsewhere leaves the way forward"
    inspector.back()
    inspector.forward()
    assert inspector.selection == last


def test_what_a_view_reveals_after_a_link_is_no_second_step(inspector: Inspector, store) -> None:
    select(inspector, store, "index")
    inspector.follow(Selection(store[0], store[1]["layer"]["digest"]))
    select(inspector, store, "layer", 0)
    inspector.back()
    assert inspector.selection == Selection(store[0], store[1]["index"]["digest"], 0)
    assert not inspector.can_go_back


def test_a_link_in_any_tab_shows_its_target_and_tells_the_views(inspector: Inspector, store, qtbot: QtBot) -> None:
    select(inspector, store, "image")
    target = Selection(store[0], store[1]["layer"]["digest"], 0)
    for source in (inspector.tabs.overview, inspector.tabs.document, inspector.tabs.relations, inspector.header):
        select(inspector, store, "image")
        with qtbot.waitSignal(inspector.followed) as caught:
            source.followed.emit(target)
        assert caught.args == [target]
        assert inspector.selection == target


def test_several_things_are_summed_up(inspector: Inspector, store) -> None:
    session, made = store
    rows = np.array([session.snapshot.find(made[name]["digest"]) for name in ("layer", "config")])
    select(inspector, store, "image")
    inspector.show_several(session, rows)
    assert inspector.header.name.text() == "2 blobs selected"
    assert tabs(inspector) == ["Overview"]
    assert inspector.selection is None
    assert "Layer" in inspector.tabs.overview.toPlainText()


def test_each_tab_shows_its_content_when_it_is_looked_at(inspector: Inspector, store, qtbot: QtBot) -> None:
    select(inspector, store, "image")
    assert inspector.tabs.document.text.toPlainText() == ""
    inspector.show_tab(DOCUMENT)
    qtbot.waitUntil(lambda: '"schemaVersion": 2' in inspector.tabs.document.text.toPlainText())
    inspector.show_tab(RELATIONS)
    assert inspector.tabs.relations.model.rowCount() > 3
    inspector.show_tab(METADATA)
    qtbot.waitUntil(lambda: "No metadata yet" in inspector.tabs.metadata.explanation.text())


def test_finding_goes_to_the_document(inspector: Inspector, store) -> None:
    select(inspector, store, "layer")
    assert not inspector.tabs.can_find
    select(inspector, store, "image")
    inspector.tabs.open_find()
    assert inspector.tabs.currentIndex() == DOCUMENT
    assert inspector.tabs.document.find_bar.line.hasFocus()


def test_a_verified_blob_says_so_at_once(inspector: Inspector, store, qtbot: QtBot) -> None:
    session, made = store
    select(inspector, store, "layer")
    session.verify(np.array([session.snapshot.find(made["layer"]["digest"])]))
    qtbot.waitUntil(lambda: inspector.header.state.text() == "Verified")
    assert "Not yet." not in inspector.tabs.overview.toPlainText()


def test_an_image_shows_that_a_part_of_it_is_bad(inspector: Inspector, store, making, qtbot: QtBot) -> None:
    session, made = store
    making.file(made["layer"]).unlink()
    with qtbot.waitSignal(session.snapshotChanged):
        session.rescan()
    select(inspector, store, "index")
    assert inspector.header.state.text() == "Missing: 1 part"


def test_a_running_verification_does_not_make_it_describe_everything_at_each_step(
    inspector: Inspector, store, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(inspector, store, "image")
    described = []
    monkeypatch.setattr(inspector.tabs.overview, "refresh", lambda: described.append(1))
    for _ in range(100):
        store[0].statesChanged.emit(None)
    assert described == []
    qtbot.waitUntil(lambda: described == [1])


def test_an_image_is_verified_when_all_its_parts_are(inspector: Inspector, store, qtbot: QtBot) -> None:
    select(inspector, store, "index")
    assert inspector.header.state.text() == "Not checked"
    store[0].verify()
    qtbot.waitUntil(lambda: inspector.header.state.text() == "Verified")


def test_what_vanishes_while_it_is_shown_is_said_to_be_gone(
    inspector: Inspector, making, open_session: Open, qtbot: QtBot
) -> None:
    blob = making.blob(b"soon gone", "application/octet-stream")
    session = open_session(making.path)
    inspector.show_selection(Selection(session, blob["digest"]))
    making.file(blob).unlink()
    with qtbot.waitSignal(session.snapshotChanged):
        session.rescan()
    assert inspector.tabs.overview.toPlainText() == "It is not in this store any more."
    assert tabs(inspector) == ["Overview"]


def test_nothing_that_comes_from_a_store_becomes_markup(inspector: Inspector, making, open_session: Open) -> None:
    image = making.image([making.blob(b"layer")])
    making.name(image, "<img src=x>&amp\u202e")
    inspector.show_selection(Selection(open_session(making.path), image["digest"], 0))
    assert inspector.header.name.text() == "<img src=x>&amp⟨U+202E⟩"
    assert inspector.header.name.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;img" in inspector.header.name.toolTip()
    assert "<img src=x>&amp⟨U+202E⟩" in inspector.tabs.overview.toPlainText()


def test_everything_that_takes_the_keyboard_has_a_name(inspector: Inspector, store, qtbot: QtBot) -> None:
    select(inspector, store, "layer")
    kinds = (QAbstractButton, QAbstractItemView, QLineEdit, QPlainTextEdit, QTextBrowser)
    nameless = [
        widget
        for kind in kinds
        for widget in inspector.findChildren(kind)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.objectName().startswith("qt_")
        and not widget.isHidden()
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert nameless == []


def test_every_tab_can_be_reached_and_left_by_the_keyboard(inspector: Inspector, store, qtbot: QtBot) -> None:
    select(inspector, store, "image")
    for tab in (OVERVIEW, LAYERS, FILES, DOCUMENT, BYTES, METADATA, RELATIONS):
        inspector.show_tab(tab)
        reached = set()
        for _ in range(40):
            focus = inspector.focusWidget()
            if focus is not None:
                reached.add(focus)
            inspector.focusNextPrevChild(True)
        assert inspector.tabs.tabBar() in reached, f"the keyboard is caught in tab {tab}"


def test_the_theme_can_change_while_something_is_shown(inspector: Inspector, store, qapp: QApplication) -> None:
    select(inspector, store, "layer")
    theme.apply(qapp, "dark")
    assert inspector.header.state.palette().windowText().color() == theme.colour(theme.Role.MUTED)
    theme.apply(qapp, "light")
