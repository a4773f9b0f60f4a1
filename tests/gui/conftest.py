"""What tests of the window share: a runner, stores made by the engine itself, and open sessions."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from engine import ImageLayout, open_store
from engine.sample import make_sample
from gui.jobs import JobRunner
from gui.session import Session

PATIENCE_MS = 10_000
"""How long a test waits for what must come; none waits this long when all is well."""


@pytest.fixture
def runner(qapp: QCoreApplication) -> Iterator[JobRunner]:
    runner = JobRunner(qapp)
    yield runner
    assert runner.shutdown(PATIENCE_MS / 1000)
    shiboken6.delete(runner)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The layout in which every state can be seen."""
    return make_sample(tmp_path)


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A small, sound layout: three blobs that nothing names."""
    path = tmp_path / "small"
    with ImageLayout.create(path) as made:
        for content in (b"one", b"two two", b"three" * 1000):
            made.blobs.put(io.BytesIO(content))
    return path


OpenSession = Callable[[Path], Session]


@pytest.fixture
def open_session(qtbot: QtBot, runner: JobRunner, tmp_path: Path, qapp: QCoreApplication) -> Iterator[OpenSession]:
    """Opens stores and waits until everything about them is known."""
    sessions: list[Session] = []

    def open_it(path: Path) -> Session:
        session = Session(runner, open_store(path), tmp_path / "cache", qapp)
        sessions.append(session)
        session.rescan()
        wait_until_known(qtbot, session)
        return session

    yield open_it
    for session in sessions:
        session.close()
        shiboken6.delete(session)


def wait_until_known(qtbot: QtBot, session: Session) -> None:
    """Wait until the snapshot is complete, and held against the rules."""
    qtbot.waitUntil(lambda: session.snapshot is not None and session.snapshot.stage == "complete", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: session.problems.checked is not None, timeout=PATIENCE_MS)
