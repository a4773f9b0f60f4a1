"""``blobscope check``: reports without a window, on which scripts can rely."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gui import app, check
from tests.layouts import LayoutFiles

ROOT = Path(app.__file__).parent.parent


def run(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gui", "check", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_sound_layout_is_told_so_and_ends_with_0(files: LayoutFiles, capsys: pytest.CaptureFixture[str]) -> None:
    files.name(files.image(b"layer"), "app")
    assert check.main([str(files.path)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{files.path}: ")
    assert "error" not in told.splitlines()[0]
    assert "layers were not unpacked" in told


def test_an_error_ends_with_1(files: LayoutFiles, capsys: pytest.CaptureFixture[str]) -> None:
    (files.path / "oci-layout").unlink()
    assert check.main([str(files.path)]) == 1
    assert "✖ Error: The file oci-layout is missing" in capsys.readouterr().out


def test_a_warning_ends_with_1_and_a_note_does_not(files: LayoutFiles, capsys: pytest.CaptureFixture[str]) -> None:
    layer = files.blob(b"layer")
    files.name(files.image(layer), "app")
    files.blob(b"nobody needs this")
    assert check.main([str(files.path)]) == 0
    assert "· Note: Blobs are not used" in capsys.readouterr().out
    files.file(layer).unlink()
    assert check.main([str(files.path)]) == 1
    assert "⚠ Warning: Content is missing" in capsys.readouterr().out


def test_only_a_deep_check_reads_layers(files: LayoutFiles, capsys: pytest.CaptureFixture[str]) -> None:
    layer = files.blob(b"layer")
    files.name(files.image(layer), "app")
    files.file(layer).write_bytes(b"LAYER")
    assert check.main([str(files.path)]) == 0
    capsys.readouterr()
    assert check.main([str(files.path), "--deep", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["deep"]
    assert report["blobsHashed"] == report["blobs"] == 3
    (corrupt,) = (rule for rule in report["rules"] if rule["severity"] == "error")
    assert [finding["place"] for finding in corrupt["findings"]] == [layer["digest"]]
    assert corrupt["findings"][0]["remedy"] == "replace"


def test_markdown_is_a_page(files: LayoutFiles, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(files.path), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("# /")


def test_no_store_ends_with_2_and_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(tmp_path / "nothing\x1b[2J")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("blobscope: There is nothing at ")
    assert "\x1b" not in told.err


def test_wrong_arguments_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check.main(["--loudly"])
    assert ended.value.code == 2
    assert "usage: blobscope check" in capsys.readouterr().err


def test_help_tells_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check.main(["--help"])
    told = capsys.readouterr().out
    assert "0 when no error and no warning was found (notes do not count)" in told
    with pytest.raises(SystemExit):
        app.parse(["--help"])
    assert "blobscope check" in capsys.readouterr().out


def test_it_needs_neither_a_screen_nor_qt(files: LayoutFiles, tmp_path: Path) -> None:
    """Also where Qt cannot be imported at all."""
    (tmp_path / "PySide6.py").write_text("raise ImportError('no Qt here')")
    environment = {"PYTHONPATH": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    done = run(files.path, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(files.path))


def test_who_has_read_enough_may_close_the_pipe(files: LayoutFiles) -> None:
    for n in range(2000):
        files.entries.append({"digest": f"sha256:{n:064x}", "size": -1})
    files.write_index()
    process = subprocess.Popen(
        [sys.executable, "-m", "gui", "check", str(files.path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), said) == (1, b"")


@pytest.mark.parametrize(("target", "why"), [("/dev/full", "No space left on device"), ("&-", "no standard output")])
def test_a_report_that_cannot_be_written_ends_with_2_and_a_sentence(files: LayoutFiles, target: str, why: str) -> None:
    told = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m gui check "$1" >{target}', sys.executable, files.path],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert why in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_ctrl_c_ends_it_cleanly_and_progress_is_shown_on_a_terminal(files: LayoutFiles) -> None:
    with (files.path / "blobs" / "sha256" / ("0" * 64)).open("wb") as large:
        large.truncate(64 << 30)  # a sparse file, which nobody can hash meanwhile
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gui", "check", "--deep", str(files.path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    told, deadline = b"", time.monotonic() + 30
    while b"Verifying" not in told and time.monotonic() < deadline:
        told += os.read(ours, 4096)
    assert b"% of 68,719.5 MB" in told
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    with process.stdout as report:
        assert report.read() == b""
    assert process.wait(30) == 130
    rest = os.read(ours, 1 << 16)
    os.close(ours)
    assert rest.endswith(b"\r\x1b[Kblobscope: stopped.\r\n")
    assert b"Traceback" not in rest
