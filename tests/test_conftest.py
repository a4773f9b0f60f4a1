"""What every test is held to is really asked of it."""

from pathlib import Path

import pytest

import dev

pytest_plugins = ["pytester"]

ENGINE_TESTS = """
import logging, os, threading, time
import pytest

def test_a_quiet_one(tmp_path): os.close(os.open(tmp_path, os.O_RDONLY))
def test_a_warning(): logging.getLogger("engine").warning("loud")
@pytest.mark.expects_warnings
def test_an_expected_warning(): logging.getLogger("engine").warning("loud")
def test_a_thread(): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def test_an_open_file(tmp_path): os.open(tmp_path, os.O_RDONLY)
"""

WINDOW_TESTS = """
import os
from PySide6.QtCore import QMimeData, QSettings, QStandardPaths, qDebug
from PySide6.QtWidgets import QMainWindow

KEPT = []

def test_a_window_that_goes(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
def test_a_window_in_a_cycle(qapp):
    window = QMainWindow()
    window.itself = window
def test_a_window_that_stays(qapp): KEPT.append(QMainWindow())
def test_a_message_of_qt(qapp): qDebug("loud")
def test_a_full_clipboard(qapp): qapp.clipboard().setMimeData(QMimeData())
def test_settings_of_its_own(own_home):
    for _ in range(2):
        assert QSettings("Blobscope", "Blobscope").fileName().startswith(str(own_home))
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.CacheLocation)
    assert place.startswith(str(own_home))
"""

NEEDS_TESTS = """
import pytest

@pytest.mark.needs("openbox")
def test_with_openbox(): pass
@pytest.mark.needs("umoci", "openbox")
def test_with_both(): pass
def test_without(): pass
"""


@pytest.fixture
def tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of tests under the same conftest and settings as these."""
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text())
    pytester.makepyprojecttoml((dev.ROOT / "pyproject.toml").read_text().replace('pythonpath = ["."]', ""))
    monkeypatch.setenv("PYTHONPATH", str(dev.ROOT))
    monkeypatch.delenv("CI", raising=False)
    return pytester


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """The name of each test with its last outcome."""
    lines = [line.split() for line in result.outlines if "::" in line and "[" in line]
    return {words[0].partition("::")[2]: words[1] for words in lines}


def test_a_test_of_the_engine_leaves_no_warning_thread_or_file(tests: pytest.Pytester):
    path = tests.mkdir("engine") / "test_it.py"
    path.write_text(ENGINE_TESTS)
    assert outcomes(tests.runpytest_subprocess("-v", path)) == {
        "test_a_quiet_one": "PASSED",
        "test_a_warning": "ERROR",
        "test_an_expected_warning": "PASSED",
        "test_a_thread": "ERROR",
        "test_an_open_file": "ERROR",
    }


def test_a_test_of_the_window_leaves_no_window_message_or_setting(tests: pytest.Pytester):
    path = tests.makepyfile(test_it=WINDOW_TESTS)
    result = tests.runpytest_subprocess("-v", path)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert outcomes(result) == {
        "test_a_window_that_goes": "PASSED",
        "test_a_window_in_a_cycle": "PASSED",
        "test_a_window_that_stays": "ERROR",
        "test_a_message_of_qt": "FAILED",
        "test_a_full_clipboard": "PASSED",
        "test_settings_of_its_own": "PASSED",
    }


@pytest.fixture
def without_umoci(tests: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path with nothing on it but openbox."""
    folder = tests.mkdir("bin")
    (folder / "openbox").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.usefixtures("without_umoci")
def test_only_tests_that_need_a_missing_program_are_left_out_counted_and_named(tests: pytest.Pytester):
    path = tests.makepyfile(test_it=NEEDS_TESTS)
    result = tests.runpytest_subprocess(path)
    result.assert_outcomes(passed=2, deselected=1)
    result.stdout.fnmatch_lines(["*1 left out because umoci is missing*", "test_it.py::test_with_both"])


@pytest.mark.usefixtures("without_umoci")
def test_in_ci_a_missing_program_is_a_failure(tests: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")
    path = tests.makepyfile(test_it=NEEDS_TESTS)
    result = tests.runpytest_subprocess(path)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*umoci is missing*"])


def test_a_program_that_dev_py_does_not_install_is_a_mistake(tests: pytest.Pytester):
    path = tests.makepyfile(test_it="import pytest\n@pytest.mark.needs('emacs')\ndef test_it(): pass")
    result = tests.runpytest_subprocess(path)
    result.stderr.fnmatch_lines(["*needs emacs, which is not among dev.py's PROGRAMS*"])
