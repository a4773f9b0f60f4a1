"""What the process-wide hooks promise."""

import faulthandler
import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QTimer, qWarning
from pytestqt.qtbot import QtBot

from gui import runtime
from gui.runtime import Fault, Runtime


@pytest.fixture
def hooks(qapp: QCoreApplication) -> Iterator[Runtime]:
    hooks = runtime.install(qapp)
    yield hooks
    hooks.deactivate()
    shiboken6.delete(hooks)


def raise_in_a_slot(qtbot: QtBot, error: BaseException, times: int = 1) -> None:
    def slot() -> None:
        raise error

    for _ in range(times):
        QTimer.singleShot(0, slot)
    done: list[bool] = []
    QTimer.singleShot(0, lambda: done.append(True))
    qtbot.waitUntil(lambda: bool(done))


@pytest.mark.expects_warnings
def test_an_exception_in_a_slot_is_logged_and_told_to_the_window(
    qtbot: QtBot, hooks: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Fault] = []
    hooks.on_fault(told.append)
    raise_in_a_slot(qtbot, ValueError("the reason"))
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].sentence == "Something unexpected went wrong: the reason"
    assert "ValueError: the reason" in told[0].details
    assert "raise error" in told[0].details
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.expects_warnings
def test_a_fault_that_repeats_is_told_once(qtbot: QtBot, hooks: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Fault] = []
    hooks.on_fault(told.append)
    raise_in_a_slot(qtbot, ValueError("in every painted cell"), times=15)
    qtbot.waitUntil(lambda: bool(told))
    raise_in_a_slot(qtbot, KeyError("another"))
    qtbot.waitUntil(lambda: len(told) > 1)
    assert [fault.sentence.rpartition(": ")[2] for fault in told] == ["in every painted cell", "'another'"]
    assert len(caplog.records) == 2


@pytest.mark.expects_warnings
def test_a_fault_is_never_told_inside_the_code_that_raised(qtbot: QtBot, hooks: Runtime) -> None:
    told: list[Fault] = []
    hooks.on_fault(told.append)
    try:
        raise ValueError("in the middle of a paint")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    assert told == []
    qtbot.waitUntil(lambda: bool(told))


@pytest.mark.expects_warnings
def test_a_fault_on_another_thread_is_told_on_the_windows(qtbot: QtBot, hooks: Runtime) -> None:
    told: list[int] = []
    hooks.on_fault(lambda fault: told.append(threading.get_ident()))
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(told))
    assert told == [threading.get_ident()]


@pytest.mark.expects_warnings
def test_faults_before_the_window_is_there_are_told_when_it_is(qtbot: QtBot, hooks: Runtime) -> None:
    raise_in_a_slot(qtbot, ValueError("early"))
    QCoreApplication.processEvents()
    told: list[Fault] = []
    hooks.on_fault(told.append)
    assert [fault.sentence for fault in told] == ["Something unexpected went wrong: early"]


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_interrupting_the_program_in_its_terminal_ends_it() -> None:
    ended = run(
        "import signal\n"
        "from PySide6.QtCore import QCoreApplication, QTimer\n"
        "from gui import runtime\n"
        "application = QCoreApplication([])\n"
        "runtime.install(application)\n"
        "QTimer.singleShot(0, lambda: signal.raise_signal(signal.SIGINT))\n"
        "application.exec()\n"
        "print('ended')\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended\n", "")


@pytest.mark.expects_warnings
def test_what_qt_says_goes_to_the_log_under_its_category(hooks: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    qWarning("A message from Qt")
    assert [(record.name, record.levelno, record.message) for record in caplog.records] == [
        ("qt.default", logging.WARNING, "A message from Qt")
    ]


def test_every_hook_is_put_back(qapp: QCoreApplication) -> None:
    def state() -> tuple[object, ...]:
        return sys.excepthook, threading.excepthook, sys.getswitchinterval(), gc.isenabled(), faulthandler.is_enabled()

    before = state()
    hooks = runtime.install(qapp)
    assert sys.getswitchinterval() == pytest.approx(runtime.SWITCH_INTERVAL_S)
    assert not gc.isenabled()
    assert faulthandler.is_enabled()
    hooks.deactivate()
    assert state() == before
    shiboken6.delete(hooks)


def make_garbage(many: int = 2000) -> "weakref.ref[object]":
    class Knot:
        def __init__(self) -> None:
            self.self = self

    knots = [Knot() for _ in range(many)]
    return weakref.ref(knots[0])


def test_garbage_is_collected_on_the_windows_thread_only(qtbot: QtBot, hooks: Runtime) -> None:
    threads: set[int] = set()

    def note(phase: str, info: dict[str, int]) -> None:
        threads.add(threading.get_ident())

    gc.callbacks.append(note)
    try:
        worker = threading.Thread(target=make_garbage)
        worker.start()
        worker.join()
        assert threads == set()
        garbage = make_garbage()
        qtbot.waitUntil(lambda: garbage() is None)
    finally:
        gc.callbacks.remove(note)
    assert threads == {threading.get_ident()}


def test_garbage_is_never_collected_inside_another_slot(qtbot: QtBot, hooks: Runtime) -> None:
    """A slot that opened a dialog is one: the loop of the dialog runs inside it."""
    seen: list[object] = []
    collector = hooks.findChild(runtime.Collector)

    def slot() -> None:
        make_garbage()
        inner = QEventLoop(hooks)
        QTimer.singleShot(0, lambda: (seen.append(collector.collect()), inner.quit()))
        inner.exec()

    QTimer.singleShot(0, slot)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [None]
    make_garbage()
    assert collector.collect() is not None


def test_older_garbage_has_its_turn(hooks: Runtime) -> None:
    collector = hooks.findChild(runtime.Collector)
    generations = set()
    for _ in range(300):
        make_garbage()
        generations.add(collector.collect())
    assert generations == {0, 1, 2}


def test_while_work_goes_on_new_garbage_goes_often_and_older_garbage_once_a_minute(
    hooks: Runtime, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = hooks.findChild(runtime.Collector)
    monkeypatch.setattr(runtime, "COLLECT_MS", 1_000_000)
    hooks.hurry(True)
    generations = set()
    for _ in range(300):
        make_garbage()
        generations.add(collector.collect())
    assert generations == {0}
    garbage = make_garbage()
    qtbot.waitUntil(lambda: garbage() is None)
    monkeypatch.setattr(runtime, "LATEST_S", 0.0)
    make_garbage()
    assert collector.collect() == 2
    monkeypatch.undo()
    hooks.hurry(False)
    collector.collect()
    for _ in range(300):
        make_garbage()
        generations.add(collector.collect())
    assert generations == {0, 1, 2}


def test_work_that_begins_and_ends_all_the_time_puts_off_no_look(
    hooks: Runtime, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "COLLECT_MS", 300)
    turns = QTimer(hooks)
    turns.timeout.connect(lambda: hooks.hurry(True))
    turns.timeout.connect(lambda: QTimer.singleShot(5, hooks, lambda: hooks.hurry(False)))
    turns.start(100)
    garbage = make_garbage()
    qtbot.waitUntil(lambda: garbage() is None)


def test_a_crash_leaves_a_trace() -> None:
    ended = run(
        "import faulthandler\n"
        "from PySide6.QtCore import QCoreApplication\n"
        "from gui import runtime\n"
        "application = QCoreApplication([])\n"
        "runtime.install(application)\n"
        "def the_crash(): faulthandler._sigsegv()\n"
        "the_crash()\n"
    )
    assert ended.returncode < 0
    assert "in the_crash" in ended.stderr


@pytest.mark.expects_warnings
def test_a_fault_after_the_application_is_gone_is_only_logged(
    qapp: QCoreApplication, caplog: pytest.LogCaptureFixture
) -> None:
    window = QObject()
    hooks = Runtime(window)
    hooks.activate()
    try:
        shiboken6.delete(window)
        sys.excepthook(ValueError, ValueError("late"), None)
    finally:
        hooks.deactivate()
    assert ["late" in str(record.exc_info) for record in caplog.records] == [True]
