"""What every test is held to: it leaves nothing behind, says nothing loud, and touches nothing of the person's own."""

import contextlib
import gc
import logging
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dev
from tests.layouts import LayoutFiles

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_LEFT_OUT = pytest.StashKey[dict[str, list[pytest.Item]]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a program which is missing; in CI they stay, and fail."""
    left_out = config.stash.setdefault(_LEFT_OUT, defaultdict(list))
    if os.environ.get("CI") == "true":
        return
    for item in items:
        for program in _missing(item):
            left_out[program].append(item)
    gone = [item for item in items if _missing(item)]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for program in _missing(item):
        pytest.fail(f"{program} is missing, which dev.py installs with the Debian package {dev.PROGRAMS[program]}.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for program, items in config.stash.get(_LEFT_OUT, {}).items():
        terminalreporter.section(f"{len(items)} left out because {program} is missing", yellow=True)
        for item in items:
            terminalreporter.line(item.nodeid)


def _missing(item: pytest.Item) -> list[str]:
    """The programs that a test needs and that are not there; one that dev.py does not know is a mistake."""
    needed = [program for marker in item.iter_markers("needs") for program in marker.args]
    unknown = [program for program in needed if program not in dev.PROGRAMS]
    if unknown:
        raise pytest.UsageError(f"{item.nodeid} needs {unknown[0]}, which is not among dev.py's PROGRAMS.")
    return [program for program in needed if not dev.is_present(program)]


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder of the test's own, so that no setting, cache or recent list of the person is read or written."""
    with tempfile.TemporaryDirectory(prefix="home-") as name:
        home = Path(name)
        monkeypatch.setenv("HOME", name)
        for variable, folder in _HOME_FOLDERS.items():
            (home / folder).mkdir(mode=0o700, parents=True)
            monkeypatch.setenv(variable, str(home / folder))
        if "PySide6.QtCore" in sys.modules:
            _keep_qt_settings_in(home / ".config")
        yield home


_HOME_FOLDERS = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_RUNTIME_DIR": ".run",
}


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """A layout made by hand: an empty one, to write anything into."""
    return LayoutFiles(tmp_path / "layout")


def _keep_qt_settings_in(folder: Path) -> None:
    """Qt reads XDG_CONFIG_HOME once in a process; this moves its settings afterwards."""
    from PySide6.QtCore import QSettings

    for file_format in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(file_format, QSettings.Scope.UserScope, str(folder))


@pytest.fixture(autouse=True)
def _says_nothing_loud(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A warning in the log is a failure, unless the test expects it."""
    yield
    if request.node.get_closest_marker("expects_warnings"):
        return
    records = [*caplog.get_records("setup"), *caplog.get_records("call"), *caplog.get_records("teardown")]
    loud = [record.getMessage() for record in records if record.levelno >= logging.WARNING]
    assert not loud, "the test logged a warning or worse"


@pytest.fixture(autouse=True)
def _lets_go_of_the_keyboard() -> Iterator[None]:
    """After a click with Shift, Qt's tests leave Shift held down, and the next selection would only grow."""
    yield
    if (application := _application()) and application.keyboardModifiers():
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QWidget

        QTest.keyRelease(QWidget(), " ")


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    """Every thread that began in the test ends with it, within two seconds."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    while (left := _threads() - before) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not left, "the test left threads behind"


def _threads() -> set[threading.Thread]:
    """Those that Python started; one of Qt's that once called Python stays listed after its end."""
    return {thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}


@pytest.fixture(autouse=True)
def _leaves_no_file_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engine closes what it opens; Qt, with its clipboard and its event queues, is not asked."""
    if "engine" not in request.path.relative_to(request.config.rootpath).parts:
        yield
        return
    before = _open_files()
    yield
    if _open_files() - before:
        gc.collect()
    left = _open_files() - before
    assert not left, "the test left files open"


def _open_files() -> set[tuple[str, str]]:
    """Number and path of every open file of this process."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the folder's own, closed by now
            found.add((entry.name, str(entry.readlink())))
    return found


@pytest.fixture(autouse=True)
def _leaves_an_empty_clipboard() -> Iterator[None]:
    """The clipboard outlives the interpreter, and crashes the process if it then owns an object made in Python."""
    yield
    if application := _application():
        application.clipboard().clear()


@pytest.fixture(autouse=True)
def _leaves_no_window() -> Iterator[None]:
    """Every window that was opened in the test is gone after it."""
    before = _windows()
    yield
    if _windows() - before:
        gc.collect()  # a window may be part of a reference cycle
    left = [f"{type(window).__name__} {window.windowTitle()!r}" for window in _windows() - before]
    assert not left, "the test left windows behind"


def _windows() -> set:
    """The windows of the application, where there is one; those that Qt keeps for itself left out."""
    application = _application()
    if not application:
        return set()
    application.sendPostedEvents(None, sys.modules["PySide6.QtCore"].QEvent.Type.DeferredDelete)
    return {window for window in application.topLevelWidgets() if window.metaObject().className() != "QTipLabel"}


def _application() -> Any:
    """The QApplication, where a test has made one; the tests of the engine never load Qt."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    return widgets and widgets.QApplication.instance()
