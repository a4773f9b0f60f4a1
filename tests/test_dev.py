"""The two commands that a newcomer types: what they promise on a machine that lacks something."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import PySide6
import pytest

import dev


def dev_py(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, dev.__file__, *arguments], capture_output=True, text=True)


def program(folder: Path, name: str, *, status: int = 0) -> Path:
    """Put a stand-in for a program into a folder; it writes its arguments to a log beside it."""
    path = folder / name
    path.write_text(f'#!/bin/sh\necho {name} "$@" >> "{folder}/log"\nexit {status}\n')
    path.chmod(0o755)
    return path


def log(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines() if (folder / "log").exists() else []


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone: dev.py's own places moved to it."""
    pyproject = (dev.ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(pyproject)
    move(tmp_path, monkeypatch)
    return tmp_path


def move(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, path in {"ROOT": "", "VENV": ".venv", "BIN": ".venv/bin", "PYTHON": ".venv/bin/python"}.items():
        monkeypatch.setattr(dev, name, root / path)
    monkeypatch.setattr(dev, "STAMP", root / ".venv" / dev.STAMP.name)


@pytest.fixture
def ready(house: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone in which everything is installed; what a command becomes is written to the log of its programs."""
    dev.BIN.mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "lint-imports"):
        program(dev.BIN, name)
    dev.STAMP.write_text(dev.fingerprint())
    monkeypatch.setattr(dev, "QT_FILES", [])
    monkeypatch.setattr(dev, "PROGRAMS", {})
    monkeypatch.chdir(house)

    def become(command: list[str | Path]) -> None:
        sys.exit(subprocess.run(command).returncode)

    monkeypatch.setattr(dev, "become", become)
    return house


@pytest.fixture
def as_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000)


@pytest.fixture
def apt(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian where we are root, with a stand-in for apt-get; its folder holds the log."""
    folder = tmp_path_factory.mktemp("apt")
    program(folder, "apt-get")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("DEBIAN_FRONTEND", "")
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0)
    return folder


# what is asked


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(arguments: list[str]):
    told = dev_py(*arguments)
    assert (told.returncode, told.stderr) == (0, "")
    assert all(f"dev.py {command}" in told.stdout for command in ("run", "test", "bench"))


def test_a_command_that_does_not_exist_ends_in_a_sentence():
    told = dev_py("tset")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "dev.py knows run, test, bench and --help, but not 'tset'.\n"


def test_an_older_python_is_told_which_one_is_needed():
    source = Path(dev.__file__).read_text()
    ast.parse(source, feature_version=(3, 8))
    older = "import runpy, sys; sys.version_info = (3, 8, 18); runpy.run_path(sys.argv[1])"
    told = subprocess.run([sys.executable, "-c", older, dev.__file__], capture_output=True, text=True)
    assert told.returncode == 1
    assert told.stderr.startswith("Blobscope needs Python 3.11 or newer")
    assert "Traceback" not in told.stderr


# the packages


def test_packages_are_installed_once(house: Path, monkeypatch: pytest.MonkeyPatch):
    pip = program(house, "pip")
    monkeypatch.setattr(dev, "pip", lambda: [pip])
    dev.make_environment()
    dev.make_environment()
    assert log(house) == [f"pip install --editable {house}[test]"]


def test_packages_are_installed_again_when_the_ones_wanted_change(house: Path, monkeypatch: pytest.MonkeyPatch):
    pip = program(house, "pip")
    monkeypatch.setattr(dev, "pip", lambda: [pip])
    dev.make_environment()
    pyproject = house / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("line-length = 120", "line-length = 119"))
    dev.make_environment()
    assert len(log(house)) == 1
    pyproject.write_text(pyproject.read_text().replace("filelock==", "filelock>="))
    dev.make_environment()
    assert len(log(house)) == 2


def test_a_moved_folder_gets_its_packages_again(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pip = program(tmp_path, "pip")
    monkeypatch.setattr(dev, "pip", lambda: [pip])
    dev.make_environment()
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in (".venv", "pyproject.toml"):
        (house / name).rename(moved / name)
    move(moved, monkeypatch)
    dev.make_environment()
    assert log(tmp_path)[-1] == f"pip install --editable {moved}[test]"


def test_packages_are_installed_again_when_their_python_is_gone(house: Path, monkeypatch: pytest.MonkeyPatch):
    pip = program(house, "pip")
    monkeypatch.setattr(dev, "pip", lambda: [pip])
    dev.make_environment()
    dev.PYTHON.unlink()
    dev.make_environment()
    assert dev.PYTHON.exists()
    assert len(log(house)) == 2


def test_a_failed_installation_ends_in_a_sentence_and_is_tried_again(house: Path, monkeypatch: pytest.MonkeyPatch):
    pip = program(house, "pip", status=1)
    monkeypatch.setattr(dev, "pip", lambda: [pip])
    for _ in range(2):
        with pytest.raises(SystemExit, match="pip could not install the packages"):
            dev.make_environment()
    assert len(log(house)) == 2


def test_the_environment_is_made_without_ensurepip(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    assert dev.pip() == [sys.executable, "-m", "pip", "--python", dev.PYTHON]


@pytest.mark.usefixtures("as_ordinary_user")
def test_a_python_without_pip_ends_with_the_line_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(SystemExit, match="This Python has no pip"):
        dev.pip()
    assert (
        "sudo apt-get update && sudo apt-get install --yes --no-install-recommends python3-pip\n"
        in capsys.readouterr().out
    )


# Qt's libraries


def test_the_files_that_are_looked_at_for_missing_libraries_are_part_of_qt():
    installed = Path(PySide6.__file__).parent
    for path in (*dev.QT_FILES, dev.QT_WAYLAND):
        assert (installed / path.relative_to(dev.QT.parent)).is_file()


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libEGL.so.1", "libegl1"),
        ("libX11.so.6", "libx11-6"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libdbus-1.so.3", "libdbus-1-3"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
        ("libgssapi_krb5.so.2", "libgssapi-krb5-2"),
    ],
)
def test_a_library_is_known_by_the_name_of_its_debian_package(library: str, package: str):
    assert dev.debian_package(library) == package


@pytest.fixture
def lacks_xcb_cursor(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A loader that does not find one of Qt's libraries."""
    folder = tmp_path_factory.mktemp("ldd")
    program(folder, "ldd").write_text(
        "#!/bin/sh\necho '\tlibX11.so.6 => /lib/libX11.so.6 (0x0)'\necho '\tlibxcb-cursor.so.0 => not found'\n"
    )
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.mark.usefixtures("lacks_xcb_cursor", "apt", "as_ordinary_user")
def test_a_missing_library_ends_with_the_line_that_installs_it(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="Run the same command again"):
        dev.require_qt_libraries()
    told = capsys.readouterr().out
    assert "Qt needs libraries that this system lacks: libxcb-cursor.so.0." in told
    assert "    sudo apt-get update && sudo apt-get install --yes --no-install-recommends libxcb-cursor0\n" in told


def test_a_missing_library_is_installed_where_that_is_allowed(apt: Path, lacks_xcb_cursor: Path):
    program(apt, "apt-get").write_text(f"#!/bin/sh\necho $* >> {apt}/log\necho > {lacks_xcb_cursor}/ldd\n")
    dev.require_qt_libraries()
    assert log(apt) == ["update", "install --yes --no-install-recommends libxcb-cursor0"]


def test_an_installation_that_fails_ends_with_the_line_to_repeat(
    apt: Path, lacks_xcb_cursor: Path, capsys: pytest.CaptureFixture[str]
):
    program(apt, "apt-get", status=100)
    with pytest.raises(SystemExit, match="Run the same command again"):
        dev.require_qt_libraries()
    assert "That failed" in capsys.readouterr().out


# run


def test_run_passes_its_arguments_and_the_exit_status_on(ready: Path):
    program(dev.BIN, "python", status=7)
    with pytest.raises(SystemExit) as ended:
        dev.main(["run", "a layout", "--demo"])
    assert ended.value.code == 7
    assert log(dev.BIN) == [f"python {ready}/.venv/bin/blobscope a layout --demo"]


# test


@pytest.mark.usefixtures("ready")
def test_every_check_runs_before_the_tests():
    with pytest.raises(SystemExit) as ended:
        dev.main(["test", "-k", "digest"])
    assert ended.value.code == 0
    assert log(dev.BIN) == ["ruff check", "ruff format --check", "mypy", "lint-imports", "python -m pytest -k digest"]


@pytest.mark.usefixtures("ready")
def test_the_first_check_that_fails_is_named_and_nothing_after_it_runs():
    program(dev.BIN, "mypy", status=1)
    with pytest.raises(SystemExit, match="'mypy' failed"):
        dev.main(["test"])
    assert log(dev.BIN) == ["ruff check", "ruff format --check", "mypy"]


@pytest.mark.usefixtures("ready")
def test_what_the_tests_need_is_installed_where_that_is_allowed(apt: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dev, "PROGRAMS", {"sh": "dash", "no-such-program": "umoci", "/no/such/folder": "fonts-dejavu"})
    with pytest.raises(SystemExit):
        dev.main(["test"])
    assert log(apt)[-1] == "apt-get install --yes --no-install-recommends fonts-dejavu umoci"


@pytest.mark.usefixtures("ready", "apt", "as_ordinary_user")
def test_elsewhere_the_line_is_named_and_the_tests_run_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(dev, "PROGRAMS", {"no-such-program": "umoci"})
    with pytest.raises(SystemExit) as ended:
        dev.main(["test"])
    assert ended.value.code == 0
    assert "sudo apt-get install --yes --no-install-recommends umoci\n" in capsys.readouterr().out
    assert log(dev.BIN)[-1] == "python -m pytest"


# bench


def test_bench_runs_every_benchmark_and_names_those_that_fail(ready: Path):
    folder = ready / "tests/benchmarks"
    folder.mkdir(parents=True)
    for name in ("listing", "verify", "_shared"):
        (folder / f"{name}.py").touch()
    program(dev.BIN, "python", status=1)
    with pytest.raises(SystemExit, match=r"Failed: listing, verify\."):
        dev.main(["bench"])
    assert log(dev.BIN) == [f"python {folder}/listing.py", f"python {folder}/verify.py"]
    with pytest.raises(SystemExit, match="There is no benchmark 'lisitng'; there are: listing, verify"):
        dev.main(["bench", "lisitng"])
