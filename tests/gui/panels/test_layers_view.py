"""The Layers tab: each step as a line of a Dockerfile with what it costs; what is odd or broken is said beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from gui.panels.layers_view import LayersView
from gui.panels.stack_model import Column, StackModel
from gui.session import Selection, Session
from tests.archives import END, file, layer
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]
SPOKEN = Qt.ItemDataRole.AccessibleTextRole
TOOLTIP = Qt.ItemDataRole.ToolTipRole
HISTORY = [
    {"created_by": "/bin/sh -c #(nop) ADD file:base in / "},
    {"created_by": "ENV A=1", "empty_layer": True},
    {"created_by": "RUN /bin/sh -c API_TOKEN=hunter2 make # buildkit"},
]


@pytest.fixture
def view(qtbot: QtBot) -> LayersView:
    view = LayersView()
    QAbstractItemModelTester(view.model, QAbstractItemModelTester.FailureReportingMode.Fatal, view.model)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    return view


def two(files: LayoutFiles, **config: Any) -> dict[str, Any]:
    lower, upper = file(b"a", bytes(100)) + END, file(b"a", bytes(30)) + file(b"b", bytes(2000)) + END
    return files.name(files.image(lower, upper, config={"history": HISTORY, **config}), "app:1")


def show(qtbot: QtBot, view: LayersView, session: Session, digest: str) -> StackModel:
    view.show_selection(Selection(session, digest, 0))
    qtbot.waitUntil(lambda: session.layers.image is not None)
    return view.model


def row(model: StackModel, number: int) -> list[str]:
    return [model.index(number, column).data() for column in Column]


def test_each_layer_has_its_step_and_its_sizes(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    image = two(files)
    model = show(qtbot, view, open_session(files.path), image["digest"])
    assert row(model, 0) == ["1", "ADD file:base in /", "2.0 kB", "0 bytes", "100 bytes", "2.0 kB", "–"]
    assert row(model, 1)[1] == "RUN API_TOKEN=•••••• make"
    assert row(model, 1)[3:5] == ["2.0 kB", "0 bytes"]
    assert model.index(0, 0).data(SPOKEN) == (
        "Layer 1 of 2, ADD file:base in /, stored 2.0 kB, adds 0 bytes, wastes 100 bytes"
    )
    assert model.index(0, Column.WASTES).data(TOOLTIP).startswith("100 bytes. Bytes of the layer's files that are over")


def test_before_it_is_read_the_steps_are_there_and_how_far_it_is(
    view: LayersView, files: LayoutFiles, open_session: Open, qtbot: QtBot
) -> None:
    image = two(files)
    session = open_session(files.path)
    view.show_selection(Selection(session, image["digest"], 0))
    assert session.layers.job is not None
    assert row(view.model, 0) == ["1", "ADD file:base in /", "2.0 kB", "–", "–", "–", "–"]
    assert view.reading.isVisible()
    assert view.reading.button.text() == "Cancel"
    view.reading.button.click()
    qtbot.waitUntil(lambda: session.layers.stopped)
    assert view.reading.words.text() == "Reading was stopped."
    assert view.reading.button.text() == "Read the layers"
    view.reading.button.click()
    qtbot.waitUntil(lambda: session.layers.image is not None)
    assert not view.reading.isVisible()


def test_the_page_below_tells_all_of_the_current_layer(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    image = two(files)
    files.name(files.image(file(b"a", bytes(100)) + END), "base:1")
    session = open_session(files.path)
    show(qtbot, view, session, image["digest"])
    assert view.view.currentIndex().row() == 1, "it begins with the whole image"
    told = view.page.toPlainText()
    assert "RUN API_TOKEN=•••••• make" in told
    assert "+ 1 added, ~ 1 changed" in told
    assert "2.0 kB of files that the image shows" in told
    view.choose(0)
    told = view.page.toPlainText()
    assert "100 bytes that later layers overwrite or remove" in told
    assert "base:1" in told
    link = next(span for span in view.page.links if span.text == "base:1")
    with qtbot.waitSignal(view.followed) as caught:
        view.page.activated.emit(link.target)
    assert caught.args[0].digest == files.entries[1]["digest"]


@pytest.mark.parametrize(
    ("config", "note", "step"),
    [
        ({"history": []}, "The config has no history, so nothing tells which steps made the layers.", ""),
        ({"history": HISTORY[:1]}, "The image has 2 layers, but the history tells of 1.", "ADD file:base in /"),
        ({"history": HISTORY * 3}, "The image has 2 layers, but the history tells of 6.", "ADD file:base in /"),
        (
            {"history": [{"comment": "imported"}, {"created_by": "x"}], "rootfs": {"type": "layers", "diff_ids": []}},
            "The image has 2 layers, but the config has diff IDs for 0.",
            "imported",
        ),
    ],
)
def test_a_history_that_does_not_fit_is_said_and_the_layers_are_shown_all_the_same(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open, config: dict[str, Any], note: str, step: str
) -> None:
    image = two(files, **config)
    model = show(qtbot, view, open_session(files.path), image["digest"])
    assert model.rowCount() == 2
    assert model.index(0, Column.STEP).data() == (step or "No step is recorded for it")
    assert note in view.page.toPlainText()


def test_a_missing_layer_and_one_that_is_no_tar_say_so(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    gone, text = files.blob(layer("gone")), files.blob(b"hello, I am no archive" * 100)
    image = files.name(files.image(gone, text, layer("a")), "app:1")
    files.file(gone).unlink()
    model = show(qtbot, view, open_session(files.path), image["digest"])
    assert row(model, 0)[2:6] == ["–", "–", "–", "–"], "what is not here takes no room"
    assert "Missing" in model.index(0, 0).data(SPOKEN)
    assert "there is no file" in model.index(0, Column.STEP).data(TOOLTIP)
    assert "not a tar file" in model.index(1, 0).data(SPOKEN)
    assert "Layer 1 could not be read: the files are shown without it." in view.reading.words.text()
    view.choose(0)
    told = view.page.toPlainText()
    assert "Something refers to it, but there is no file." in told
    assert f"{gone['size'] / 1000:.1f} kB, by what the manifest says" in told


def test_a_layer_that_is_not_what_the_config_says_or_its_type_is_told(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    lying = files.blob(layer("a"), "application/vnd.oci.image.layer.v1.tar+gzip")
    other = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}}
    image = files.name(files.image(lying, config=other), "app:1")
    show(qtbot, view, open_session(files.path), image["digest"])
    told = view.page.toPlainText()
    assert "The layer is not compressed, and is called gzip" in told
    assert "its diff ID is another one" in told


def test_words_from_an_image_are_only_text(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    image = two(files, history=[{"created_by": "RUN echo <b>x</b>\u202e\n&& y"}, {"created_by": "z"}])
    model = show(qtbot, view, open_session(files.path), image["digest"])
    assert model.index(0, Column.STEP).data() == "RUN echo <b>x</b>⟨U+202E⟩ && y"
    assert "&lt;b&gt;" in model.index(0, Column.STEP).data(TOOLTIP)
    view.choose(0)
    assert "<b>x</b>⟨U+202E⟩" in view.page.toPlainText()


def test_enter_asks_for_the_files_and_copying_takes_the_digest(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    image = two(files)
    model = show(qtbot, view, open_session(files.path), image["digest"])
    view.view.setFocus()
    with qtbot.waitSignal(view.chosen) as caught:
        qtbot.keyClick(view.view, Qt.Key.Key_Up)
    assert caught.args == [0]
    qtbot.keyClick(view.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == model.stack.layers[0].descriptor.digest
    with qtbot.waitSignal(view.files_asked):
        view.view.activated.emit(view.view.currentIndex())


def test_in_a_narrow_window_the_step_keeps_its_room(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    image = two(files)
    show(qtbot, view, open_session(files.path), image["digest"])
    header = view.view.horizontalHeader()
    assert not any(header.isSectionHidden(column) for column in Column)
    view.resize(360, 600)
    qtbot.waitUntil(lambda: header.isSectionHidden(Column.UNPACKED))
    assert not header.isSectionHidden(Column.STORED)
    assert header.sectionSize(Column.STEP) > 360 / 3


def test_the_current_layer_can_be_taken_out_as_it_is_stored(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    image = two(files)
    session = open_session(files.path)
    assert view.choose_for_taking_out() is None
    show(qtbot, view, session, image["digest"])
    view.choose(0)
    chosen = view.choose_for_taking_out()
    assert chosen is not None
    assert chosen.out is session.taking_out
    assert chosen.what.name.startswith("layer-")
    assert chosen.what.name.endswith(".tar")
    asked: list[object] = []
    view.menu_asked.connect(lambda *arguments: asked.append(arguments))
    view.view.customContextMenuRequested.emit(view.view.rect().center())
    ((keys, place),) = asked
    assert keys == ("save blob",)
    assert place == view.view.viewport().mapToGlobal(view.view.rect().center())


def test_a_layer_that_is_missing_cannot_be_taken_out(
    qtbot: QtBot, view: LayersView, files: LayoutFiles, open_session: Open
) -> None:
    gone = files.blob(layer("gone"))
    image = files.name(files.image(gone), "app:1")
    files.file(gone).unlink()
    show(qtbot, view, open_session(files.path), image["digest"])
    view.choose(0)
    assert view.choose_for_taking_out() is None
