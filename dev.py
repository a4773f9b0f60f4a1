#!/usr/bin/env python3
"""Set Blobscope up in this folder and start something in it.

  python3 dev.py run [STORE…]          open the window, on these image layouts or Docker image stores
  python3 dev.py test [pytest's own…]  run every check (ruff, mypy, import-linter), then the tests
  python3 dev.py bench [NAME…]         run the benchmarks, all or those of these names
  python3 dev.py --help                show this text

Needs Python 3.11 or newer and nothing else: the packages that pyproject.toml names go into the folder .venv, and what
Qt and the tests need of the system is installed where that is allowed (as root on Debian), or named in one line.
"""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit(f"Blobscope needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.")

import hashlib
import importlib.util
import json
import shutil
import subprocess
import tomllib
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
STAMP = VENV / "made-for"
"""Written last, so that an environment whose making was interrupted is made again."""

QT = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages" / "PySide6" / "Qt"
QT_FILES = [QT / "lib/libQt6Svg.so.6", QT / "lib/libQt6Widgets.so.6", QT / "plugins/platforms/libqxcb.so"]
"""Between them they need every system library that the window needs, where the screen is an X one."""
QT_WAYLAND = QT / "plugins/platforms/libqwayland.so"

ODD_PACKAGES = {"libglib-2.0": "libglib2.0-0", "libgthread-2.0": "libglib2.0-0", "libz": "zlib1g"}
"""Debian's names for the libraries that its naming rule does not cover."""

PROGRAMS = {
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "xdotool": "xdotool",
    "xprop": "x11-utils",
    "import": "imagemagick",
    "wmctrl": "wmctrl",
    "pcmanfm": "pcmanfm",
    "dbus-daemon": "dbus-daemon",
    "/usr/share/doc/libgail-common": "libgail-common",
    "/usr/libexec/at-spi-bus-launcher": "at-spi2-core",
    "/usr/lib/python3/dist-packages/pyatspi": "python3-pyatspi",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf": "fonts-noto-color-emoji",
    "/usr/share/icons/Adwaita/index.theme": "adwaita-icon-theme",
    "umoci": "umoci",
    "skopeo": "skopeo",
    "buildah": "buildah",
    "strace": "strace",
    "desktop-file-validate": "desktop-file-utils",
    "appstreamcli": "appstream",
}
"""What tests start or look at, by name or path, and the Debian package it comes in. Tests say ``needs(name)``."""

CHECKS = ("ruff check", "ruff format --check", "mypy", "lint-imports")


def main(arguments: list[str]) -> None:
    """Do what the first argument says with the rest; ends the process."""
    commands = {"run": run, "test": test, "bench": bench}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
    elif arguments[0] in commands:
        commands[arguments[0]](arguments[1:])
    else:
        sys.exit(f"dev.py knows {', '.join(commands)} and --help, but not {arguments[0]!r}.")


def run(arguments: list[str]) -> NoReturn:
    """Open the window; becomes Blobscope's own process."""
    make_environment()
    require_qt_libraries()
    become([PYTHON, BIN / "blobscope", *arguments])


def test(arguments: list[str]) -> NoReturn:
    """Run the checks, stopping at the first that fails, then become pytest."""
    make_environment()
    require_qt_libraries()
    if not install(package for program, package in PROGRAMS.items() if not is_present(program)):
        say("The tests that need one of these are left out.")
    os.chdir(ROOT)
    for check in CHECKS:
        say(f"{check} …")
        program, *options = check.split()
        if subprocess.run([BIN / program, *options]).returncode:
            sys.exit(f"{check!r} failed, so the tests were not run.")
    become([PYTHON, "-m", "pytest", *arguments])


def bench(names: list[str]) -> None:
    """Run each benchmark, or those named, one after the other."""
    make_environment()
    require_qt_libraries()
    scripts = {path.stem: path for path in sorted((ROOT / "tests/benchmarks").glob("[!_]*.py"))}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(scripts)}.")
    failed = []
    for name in names or scripts:
        say(f"benchmark {name} …")
        if subprocess.run([PYTHON, scripts[name]], cwd=ROOT).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


def make_environment() -> None:
    """Have the packages that pyproject.toml names in .venv; instant when they are there already."""
    made_for = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == made_for:
        return
    say("Making .venv with the packages that pyproject.toml names …")
    install_with = pip()
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=install_with[0] == PYTHON).create(VENV)
    if subprocess.run([*install_with, "install", "--editable", f"{ROOT}[test]"]).returncode:
        sys.exit(
            "pip could not install the packages, for the reason it gives above. "
            "Where that is the network, run the same command again once it is back."
        )
    STAMP.write_text(made_for)


def fingerprint() -> str:
    """What an environment is made for: this Python, this place, these packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = json.dumps([project["build-system"], project["project"]], sort_keys=True)
    return f"{sys.version}\n{sys.base_prefix}\n{VENV}\n{hashlib.sha256(packages.encode()).hexdigest()}\n"


def pip() -> list[str | Path]:
    """The command that installs into .venv: its own pip, or this Python's, which works from outside."""
    if importlib.util.find_spec("ensurepip"):
        return [PYTHON, "-m", "pip"]
    if not importlib.util.find_spec("pip") and not install(["python3-pip"]):
        sys.exit("This Python has no pip, which installs the packages. Run the same command again once it has.")
    return [sys.executable, "-m", "pip", "--python", PYTHON]


def require_qt_libraries() -> None:
    """End with a sentence where Qt would end with a stack trace: a library of the system is missing."""
    missing = missing_libraries()
    if missing:
        say(f"Qt needs libraries that this system lacks: {', '.join(missing)}.")
        if not install(map(debian_package, missing)) or missing_libraries():
            sys.exit("Run the same command again once they are installed.")


def missing_libraries() -> list[str]:
    """The file names of the libraries that the loader does not find for Qt."""
    if not shutil.which("ldd"):
        return []
    files = [*QT_FILES, QT_WAYLAND] if "WAYLAND_DISPLAY" in os.environ else QT_FILES
    told = subprocess.run(["ldd", *files], capture_output=True, text=True).stdout
    return sorted({line.split()[0] for line in told.splitlines() if line.endswith("=> not found")})


def debian_package(library: str) -> str:
    """The package of a library by Debian's rule: libxcb-cursor.so.0 is in libxcb-cursor0, libX11.so.6 in libx11-6."""
    name, _, version = library.partition(".so.")
    hyphen = "-" if name[-1].isdigit() else ""
    return ODD_PACKAGES.get(name) or f"{name}{hyphen}{version}".lower().replace("_", "-")


def is_present(program: str) -> bool:
    """Whether a program is on the path, or a file or folder at its place."""
    return shutil.which(program) is not None or (program.startswith("/") and Path(program).exists())


def install(packages: Iterable[str]) -> bool:
    """Install Debian packages where that is allowed, else print the line that does it; tells whether they are there."""
    wanted = sorted(set(packages))
    if not wanted:
        return True
    line = f"apt-get install --yes --no-install-recommends {' '.join(wanted)}"
    if not shutil.which("apt-get"):
        say(f"What is missing is called on Debian: {' '.join(wanted)}")
        return False
    if os.geteuid() != 0:
        say(f"This line installs what is missing:\n\n    sudo apt-get update && sudo {line}\n")
        return False
    say(f"Installing {' '.join(wanted)} …")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    subprocess.run(["apt-get", "update"], stdin=subprocess.DEVNULL)
    if subprocess.run(line.split(), stdin=subprocess.DEVNULL).returncode:
        say(f"That failed, for the reason above. Once that is mended, this line does the same:\n\n    {line}\n")
        return False
    return True


def become(command: list[str | Path]) -> NoReturn:
    """Go on as another program, so that Ctrl+C and the exit status are its own."""
    sys.stdout.flush()
    os.execv(command[0], [str(part) for part in command])


def say(text: str) -> None:
    """Tell what is done, before what the started programs print themselves."""
    print(text, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        say("Stopped.")
        sys.exit(130)
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"That did not work: {error}")
