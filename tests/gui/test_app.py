"""What the command blobscope promises: help that is complete, and a sentence where it cannot show a window."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gui import app
from gui.app import Unusable, explain, main, parse, require_plugin, require_screen


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with no screen but what ``environment`` names."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    bare = {key: value for key, value in os.environ.items() if key not in screens}
    return subprocess.run(
        [sys.executable, "-m", "gui", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**bare, **environment},
        cwd=Path(app.__file__).parent.parent,
    )


def test_help_names_every_option_and_gives_examples() -> None:
    done = start("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for option in ("PATH", "--demo", "--select", "--view", "--verify", "--theme", "--version", "--help"):
        assert option in done.stdout
    assert "examples:" in done.stdout
    assert "blobscope --demo" in done.stdout
    assert "exit status:" in done.stdout


def test_the_version_is_printed_without_a_screen() -> None:
    done = start("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("blobscope ")


@pytest.mark.parametrize("wrong", [["--view", "films"], ["--theme", "pink"], ["--nonsense"]])
def test_wrong_arguments_end_with_status_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(wrong)
    assert ended.value.code == 2
    assert "usage: blobscope" in capsys.readouterr().err


def test_without_a_screen_there_is_a_sentence_and_no_trace() -> None:
    done = start()
    assert done.returncode == 1
    assert done.stderr.startswith("blobscope: There is no screen to show a window on")
    assert "Traceback" not in done.stderr


def test_a_screen_that_does_not_answer_is_told(tmp_path: Path) -> None:
    done = start(DISPLAY=":4711")
    assert done.returncode == 1
    assert done.stderr == (
        "blobscope: The screen :4711, which DISPLAY names, does not answer. Is its X server running?\n"
    )


@pytest.mark.parametrize(
    "environment",
    [{"QT_QPA_PLATFORM": "offscreen"}, {"WAYLAND_DISPLAY": "wayland-0"}, {"DISPLAY": "a form that only Qt knows"}],
)
def test_a_screen_that_may_be_there_is_left_to_qt(environment: dict[str, str]) -> None:
    require_screen(environment)


def test_no_screen_at_all_is_unusable() -> None:
    with pytest.raises(Unusable, match="DISPLAY nor WAYLAND_DISPLAY"):
        require_screen({})


def test_a_missing_library_names_the_line_that_installs_it(capsys: pytest.CaptureFixture[str]) -> None:
    error = ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")
    sentence = explain(error)
    assert sentence.startswith("Qt needs libEGL.so.1, which this system lacks.")
    assert "sudo apt-get install libegl1 " in sentence


def test_a_missing_package_is_no_trace_either() -> None:
    assert explain(ModuleNotFoundError("No module named 'PySide6'", name="PySide6")).startswith(
        "Qt for Python is not installed"
    )


def test_a_window_that_cannot_be_made_ends_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_environment: object) -> None:
        raise Unusable("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(app, "require_screen", fail)
    assert main([]) == 1
    assert "libxcb-cursor" in capsys.readouterr().err


def test_the_plugin_for_the_screen_can_be_loaded_here() -> None:
    require_plugin({"QT_QPA_PLATFORM": "offscreen"})


def test_arguments_arrive() -> None:
    options = parse(["a", "b", "--select", "x:1", "--view", "blobs", "--verify", "--theme", "dark"])
    assert [str(path) for path in options.paths] == ["a", "b"]
    assert (options.select, options.view, options.verify, options.theme) == ("x:1", "blobs", True, "dark")
    assert not options.demo


def test_the_window_is_there_and_ends_by_a_signal(tmp_path: Path) -> None:
    """The whole command, from its arguments to its exit status."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gui", "--demo"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(tmp_path)},
        cwd=Path(app.__file__).parent.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = 200
        while not list(tmp_path.glob("blobscope-demo-*/*/sample-layout/index.json")) and deadline:
            deadline -= 1
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        process.terminate()
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert list(tmp_path.glob("blobscope-demo-*")) == [], "the demo cleans up after itself"
