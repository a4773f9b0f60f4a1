"""What the job strip promises: what runs, how far it is, and a way to stop it; nothing that flashes."""

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from engine.progress import Progress
from gui.jobs import JobRunner
from gui.panels import job_strip
from gui.panels.job_strip import JobList, JobStrip
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Jobs wait until it is opened; it is, at the end."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def strip(qtbot: QtBot, runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> JobStrip:
    monkeypatch.setattr(job_strip, "SHOWN_AFTER_S", 0.0)
    strip = JobStrip(runner)
    qtbot.addWidget(strip)
    strip.show()
    return strip


def work(gate: threading.Event) -> Callable[[Progress], None]:
    def wait(progress: Progress) -> None:
        progress.start("Hashing", 200)
        progress.advance(50)
        while not gate.wait(0.005):
            progress.check()

    return wait


def words(strip: JobStrip) -> str:
    return " ".join(label.text() for label in strip.findChildren(QLabel) if label.isVisible())


def test_a_running_job_is_shown_with_how_far_it_is(
    qtbot: QtBot, runner: JobRunner, strip: JobStrip, gate: threading.Event
) -> None:
    runner.start("Verifying 4 blobs", work(gate))
    qtbot.waitUntil(lambda: "25 %" in words(strip), timeout=PATIENCE_MS)
    assert "Verifying 4 blobs" in words(strip)
    (bar,) = strip.findChildren(QProgressBar)
    assert bar.value() == 250
    assert bar.accessibleName() == "Verifying 4 blobs"
    gate.set()
    qtbot.waitUntil(lambda: strip.shown == (), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not strip.findChildren(QProgressBar), timeout=PATIENCE_MS)


def test_its_button_cancels_it(qtbot: QtBot, runner: JobRunner, strip: JobStrip, gate: threading.Event) -> None:
    job = runner.start("Verifying 4 blobs", work(gate))
    qtbot.waitUntil(lambda: bool(strip.findChildren(QPushButton)), timeout=PATIENCE_MS)
    (cancel,) = strip.findChildren(QPushButton)
    assert cancel.accessibleName() == "Cancel: Verifying 4 blobs"
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not job.active, timeout=PATIENCE_MS)


def test_what_nobody_asked_for_and_what_is_quick_is_not_shown(
    qtbot: QtBot, runner: JobRunner, strip: JobStrip, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.start("Looking for changes", work(gate), quiet=True)
    assert strip.shown == ()
    monkeypatch.setattr(job_strip, "SHOWN_AFTER_S", 60.0)
    runner.start("Renaming", work(gate))
    assert strip.shown == ()


def test_several_jobs_are_counted_and_listed(
    qtbot: QtBot, runner: JobRunner, strip: JobStrip, gate: threading.Event
) -> None:
    listed = JobList(runner, strip)
    qtbot.addWidget(listed)
    runner.start("Verifying 4 blobs", work(gate))
    runner.start("Importing 2 files", work(gate), store="x", writes=True)
    qtbot.waitUntil(lambda: strip._more.text() == "2 jobs", timeout=PATIENCE_MS)
    strip._more.setChecked(True)
    assert listed.isVisible()
    strip.refresh()
    titles = {label.text() for label in listed.findChildren(QLabel)}
    assert {"Verifying 4 blobs", "Importing 2 files"} <= titles
    gate.set()
    qtbot.waitUntil(lambda: not listed.isVisible(), timeout=PATIENCE_MS)


def test_a_narrow_window_shows_the_bar_without_the_title(
    qtbot: QtBot, runner: JobRunner, strip: JobStrip, gate: threading.Event
) -> None:
    strip.set_narrow(True)
    runner.start("Verifying 4 blobs", work(gate))
    qtbot.waitUntil(lambda: "25 %" in words(strip), timeout=PATIENCE_MS)
    assert "Verifying" not in words(strip)
