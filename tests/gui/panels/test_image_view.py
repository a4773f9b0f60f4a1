"""The tree of images on the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QApplication, QTreeView
from pytestqt.qtbot import QtBot

from gui.jobs import JobRunner
from gui.models import image_tree
from gui.panels.image_view import ImageView
from gui.session import Session
from gui.settings import Settings
from tests.layouts import LayoutFiles

OpenSession = Callable[[Path], Session]


@pytest.fixture
def images(qtbot: QtBot, runner: JobRunner, tmp_path: Path) -> ImageView:
    view = ImageView(runner, Settings(tmp_path / "settings.ini"), lambda _chosen: None)
    qtbot.addWidget(view)
    view.resize(800, 400)
    view.show()
    return view


def tree_of(images: ImageView) -> QTreeView:
    assert isinstance(images.view, QTreeView)
    return images.view


def row(images: ImageView, *way: str) -> QModelIndex:
    index = QModelIndex()
    for name in way:
        below = [images.model.index(n, 0, index) for n in range(images.model.rowCount(index))]
        index = next(each for each in below if each.data() == name)
    return index


def test_what_is_open_stays_open_when_the_store_changes_and_while_a_filter_hides_it(
    qtbot: QtBot, images: ImageView, files: LayoutFiles, open_session: OpenSession
) -> None:
    files.name(files.index({**files.image(b"one"), "platform": {"os": "linux", "architecture": "amd64"}}), "multi")
    files.name(files.image(b"two"), "two")
    session = open_session(files.path)
    images.set_session(session)
    tree = tree_of(images)
    way = ("multi", "linux/amd64")
    tree.expand(row(images, "multi"))
    tree.expand(row(images, *way))
    files.entries.insert(0, files.image(b"new"))
    files.write_index()
    session.rescan()
    qtbot.waitUntil(lambda: images.model.total == 3)
    assert tree.isExpanded(row(images, "multi"))
    assert tree.isExpanded(row(images, *way))
    images.set_filter("two")
    assert images.model.rowCount() == 1
    images.set_filter("")
    assert tree.isExpanded(row(images, "multi"))
    assert tree.isExpanded(row(images, *way))
    assert not tree.isExpanded(row(images, "two"))
    tree.collapse(row(images, *way))
    images.set_filter("two")
    images.set_filter("")
    assert not tree.isExpanded(row(images, *way))


def test_reveal_opens_the_way(images: ImageView, files: LayoutFiles, open_session: OpenSession) -> None:
    layer = files.blob(b"layer")
    files.name(files.index(files.image(layer)), "multi")
    images.set_session(open_session(files.path))
    assert images.reveal(layer["digest"])
    assert images.view.currentIndex() == row(images, "multi", "linux/amd64", "layer 1 of 1")
    assert tree_of(images).isExpanded(row(images, "multi", "linux/amd64"))


def test_a_selection_tells_the_entry_that_it_was_reached_through(
    images: ImageView, files: LayoutFiles, open_session: OpenSession
) -> None:
    image = files.image(b"layer")
    files.name(image, "one")
    files.name(image, "two")
    files.image(b"lost")
    images.set_session(open_session(files.path))
    images.view.setCurrentIndex(row(images, "two", "layer 1 of 1"))
    (chosen,) = images.selection()
    assert (chosen.digest, chosen.entry_position) == (files.blob(b"layer")["digest"], 1)
    assert images.reveal(image["digest"], 1)
    assert images.selection()[0].entry_position == 1
    images.view.setCurrentIndex(images.model.index(2, 0))
    assert images.view.currentIndex().data() == "Not in the index: 1 lost image"
    assert list(images.selection()) == [], "the group is no content"


@pytest.mark.parametrize("case", ["no image", "no name", "broken", "docker"])
def test_an_empty_tree_says_why_and_what_to_do(
    images: ImageView, files: LayoutFiles, open_session: OpenSession, case: str, tmp_path: Path
) -> None:
    path, said = files.path, "has no images yet"
    if case == "no name":
        files.blob(b"blob")
        said = "There are 1 blob"
    elif case == "broken":
        (path / "index.json").write_text("{")
        said = "cannot be read"
    elif case == "docker":
        path = tmp_path / "imagedb"
        (path / "content" / "sha256").mkdir(parents=True)
        (path / "metadata" / "sha256").mkdir(parents=True)
        said = "Docker has no images here"
    images.set_session(open_session(path))
    QApplication.processEvents()
    assert images.empty.isVisibleTo(images)
    assert said in images.empty.words


def test_at_the_end_of_what_is_shown_more_is_shown(
    images: ImageView, files: LayoutFiles, open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_tree, "AT_FIRST", 50)
    for number in range(120):
        files.entries.append(files.image(b"%d" % number))
    files.write_index()
    images.set_session(open_session(files.path))
    QApplication.processEvents()
    assert images.model.rowCount() == 50
    for shown in (100, 120, 120):
        images.view.scrollToBottom()
        QApplication.processEvents()
        assert images.model.rowCount() == shown


def test_the_filter_can_be_finished_with_the_platforms_of_the_store(
    images: ImageView, files: LayoutFiles, open_session: OpenSession
) -> None:
    files.name(files.image(b"layer", config={"architecture": "s390x"}), "app")
    images.set_session(open_session(files.path))
    images.filter.line.setText("platform:linux/s")
    images.filter.line.textEdited.emit("platform:linux/s")
    assert images.filter._words.stringList() == ["platform:linux/s390x"]
