"""Searching all images of a store beside the window: one search at a time, over every image that there is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.docker import DockerImageStore
from engine.finding import Found, images_of
from engine.progress import Progress
from engine.snapshot import State
from gui import finding
from gui.finding import Question
from gui.jobs import JobRunner
from gui.session import Session
from tests.archives import layer
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]


class Listener:
    """Collects what a search tells."""

    def __init__(self, qtbot: QtBot, session: Session) -> None:
        self._qtbot = qtbot
        self.finding = session.finding
        self.found: list[tuple[str, str]] = []
        self.finding.begun.connect(self.found.clear)
        self.finding.found.connect(self._take)

    def _take(self, found: list[Found]) -> None:
        for each in found:
            digest = self.finding.images[each.image].digest
            self.found += [(digest, path.decode()) for path in each.paths]

    def ask(self, words: str) -> list[tuple[str, str]]:
        self.finding.ask(Question(words))
        self._qtbot.waitUntil(lambda: self.finding.job is None)
        return self.found


@pytest.fixture
def listen(qtbot: QtBot, open_session: Open) -> Callable[[Path], Listener]:
    return lambda path: Listener(qtbot, open_session(path))


def test_every_image_is_looked_into_once_in_the_order_of_the_index(
    files: LayoutFiles, listen: Callable[[Path], Listener]
) -> None:
    base = layer("etc/passwd")
    second, first = files.image(base, layer("b")), files.image(base, layer("a"))
    arm = files.image(base, layer("arm"))
    files.name(first, "first")
    files.name(first, "first again")
    files.name(files.index(arm, second), "platforms")
    lost = files.image(base, layer("lost"))
    listener = listen(files.path)
    found = listener.ask("passwd")
    assert [digest for digest, _ in found] == [each["digest"] for each in (first, arm, second, lost)]
    assert listener.finding.searched is not None
    assert listener.finding.searched.images == 4
    assert not listener.finding.is_past


def test_another_question_takes_the_place_of_the_one_before(
    qtbot: QtBot, files: LayoutFiles, listen: Callable[[Path], Listener]
) -> None:
    files.name(files.image(layer("one", "two")), "image")
    listener = listen(files.path)
    listener.finding.ask(Question("one"))
    assert [path for _, path in listener.ask("two")] == ["two"]
    assert listener.finding.question == Question("two")


def test_no_words_leave_nothing(files: LayoutFiles, listen: Callable[[Path], Listener]) -> None:
    files.name(files.image(layer("one")), "image")
    listener = listen(files.path)
    assert listener.ask("one")
    assert listener.ask("") == []
    assert listener.finding.images == ()


def test_a_search_can_be_stopped_and_what_was_found_stays(
    files: LayoutFiles, listen: Callable[[Path], Listener], qtbot: QtBot
) -> None:
    files.name(files.image(layer("one")), "image")
    listener = listen(files.path)
    listener.finding.ask(Question("one"))
    listener.finding.stop()
    qtbot.waitUntil(lambda: listener.finding.job is None)
    assert listener.finding.stopped
    assert listener.ask("one")
    assert not listener.finding.stopped


def test_a_search_waits_until_the_images_are_known(qtbot: QtBot, files: LayoutFiles, open_session: Open) -> None:
    files.name(files.image(layer("one")), "image")
    session = open_session(files.path)
    later = Session(session.finding.runner, session.store, files.path.parent / "cache", session)
    listener = Listener(qtbot, later)
    later.finding.ask(Question("one"))
    assert later.finding.job is None
    later.rescan()
    qtbot.waitUntil(lambda: later.finding.searched is not None)
    assert [path for _, path in listener.found] == ["one"]
    qtbot.waitUntil(lambda: not later.jobs and later.problems.checked is not None)


def test_layers_that_cannot_be_read_are_told_and_a_corrupt_one_is_so_everywhere(
    files: LayoutFiles, listen: Callable[[Path], Listener], open_session: Open
) -> None:
    good, bad, gone = files.blob(layer("good")), files.blob(layer("bad")), files.blob(layer("gone"))
    files.name(files.image(good, bad, gone), "image")
    files.file(bad).write_bytes(layer("bag"))
    files.file(gone).unlink()
    listener = listen(files.path)
    assert [path for _, path in listener.ask("g")] == ["good", "bag"]
    assert {each.digest for each in listener.finding.unread} == {bad["digest"], gone["digest"]}
    session = listener.finding.parent()
    assert isinstance(session, Session)
    assert session.snapshot is not None
    assert session.state(session.snapshot.find(bad["digest"])) is State.CORRUPT


def test_results_are_of_the_past_once_the_store_has_other_images(
    qtbot: QtBot, files: LayoutFiles, listen: Callable[[Path], Listener]
) -> None:
    files.name(files.image(layer("one")), "image")
    listener = listen(files.path)
    listener.ask("one")
    files.name(files.image(layer("one", "two")), "another")
    session = listener.finding.parent()
    assert isinstance(session, Session)
    session.rescan()
    qtbot.waitUntil(lambda: listener.finding.is_past)
    assert len(listener.ask("one")) == 2
    assert not listener.finding.is_past
    qtbot.waitUntil(lambda: not session.jobs)


def test_an_image_of_more_layers_than_anybody_reads_is_left_out(
    files: LayoutFiles, listen: Callable[[Path], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_LAYERS", 2)
    files.name(files.image(layer("a1"), layer("a2"), layer("a3")), "tall")
    files.name(files.image(layer("a4")), "flat")
    listener = listen(files.path)
    assert [path for _, path in listener.ask("a")] == ["a4"]
    assert listener.finding.left_out == 1


def test_artifacts_are_no_images(files: LayoutFiles, open_session: Open) -> None:
    files.name(files.image(layer("a"), artifactType="application/x-notes"), "notes")
    snapshot = open_session(files.path).snapshot
    assert snapshot is not None
    assert list(images_of(snapshot, Progress(), most_layers=9).images) == []


def test_dockers_store_has_no_layers_to_search(
    qtbot: QtBot, tmp_path: Path, runner: JobRunner, open_session: Open
) -> None:
    DockerImageStore.create(tmp_path / "imagedb").close()
    session = open_session(tmp_path / "imagedb")
    assert not session.finding.can_search
    session.finding.ask(Question("a"))
    assert session.finding.job is None
