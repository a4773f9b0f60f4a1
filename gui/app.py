"""The command ``blobscope``: arguments, what Qt needs of the system, the application, the window."""

import argparse
import ctypes
import importlib.util
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_DESCRIPTION = """\
See, check and change container images on disk: OCI image layouts (what skopeo, umoci, buildah and BuildKit write) and
Docker's own image store. Works offline and without a daemon; looking changes nothing."""

_EXAMPLES = """\
examples:
  blobscope                                     open what was open last time, or the start page
  blobscope ~/images/app-layout                 open an image layout
  blobscope a b --view blobs                    open two stores in tabs, as tables of blobs
  blobscope app-layout --select app:2.1         select the index entry with that name
  blobscope app-layout --select sha256:9f2c…    select a blob by its whole digest
  blobscope app-layout --verify                 open it and hash every blob
  sudo blobscope /var/lib/docker                Docker's image store, in its data root
  blobscope --demo                              a sample layout in which every state can be seen
  blobscope check ~/images/app-layout           tell what is wrong with it, without a window (see check --help)

exit status: 0 when the window was closed, 1 when it could not be shown, 2 for wrong arguments.
"""

_PACKAGES = (
    "libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 "
    "libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1"
)
"""What Qt needs of the system, by Debian's names."""
_DISPLAY = re.compile(r"([\w.-]*):(\d+)(?:\.\d+)?")
_PATIENCE_S = 5.0
_MISSING = re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file")


CHECK = "check"
"""The first argument that asks for a report instead of a window; a folder of that name is ``./check``."""


class Unusable(Exception):
    """The window cannot be shown, for the reason that the sentence gives."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; ends the process for ``--help``, ``--version`` and mistakes."""
    parser = argparse.ArgumentParser(
        "blobscope", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=Path,
        help="an image layout, Docker's folder imagedb, or Docker's data root; several open in tabs",
    )
    parser.add_argument("--demo", action="store_true", help="make a sample layout in a temporary folder and open it")
    parser.add_argument("--select", metavar="REF|DIGEST", help="select this name or digest in the last store")
    parser.add_argument("--view", choices=("images", "blobs", "problems"), help="what to show of the stores")
    parser.add_argument("--verify", action="store_true", help="hash every blob of the stores as soon as they are open")
    parser.add_argument("--theme", choices=("system", "light", "dark"), help="colours, for this and later starts")
    parser.add_argument("--version", action="store_true", help="print the version and end")
    options = parser.parse_args(arguments)
    if options.version:
        from gui.version import version  # what it imports would make every other start slower

        sys.stdout.write(f"blobscope {version()}\n")
        parser.exit()
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Blobscope with these arguments (None: those of the process) until its window is closed, or its report is written."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] == CHECK:
        from gui import check  # without Qt, and not needed by a window

        return check.main(arguments[1:])
    options = parse(arguments)
    try:
        require_screen(os.environ)
        require_plugin(os.environ)
        from gui.launch import show  # only now, because it needs Qt and the system libraries that Qt needs
    except (Unusable, ImportError) as error:
        sys.stderr.write(f"blobscope: {explain(error)}\n")
        return 1
    return show(options)


def run() -> NoReturn:
    """The console script."""
    sys.exit(main())


def require_screen(environment: Mapping[str, str]) -> None:
    """Raise ``Unusable`` where there is no screen to show a window on; Qt would end the process with a crash."""
    if "QT_QPA_PLATFORM" in environment or "WAYLAND_DISPLAY" in environment or not sys.platform.startswith("linux"):
        return
    display = environment.get("DISPLAY", "")
    if not display:
        raise Unusable(
            "There is no screen to show a window on: neither DISPLAY nor WAYLAND_DISPLAY is set. "
            "Run this in a desktop session, or over ssh -X."
        )
    if not _answers(display):
        raise Unusable(f"The screen {display}, which DISPLAY names, does not answer. Is its X server running?")


def require_plugin(environment: Mapping[str, str]) -> None:
    """Raise ``Unusable`` where a library is missing for the part of Qt that talks to the screen."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or spec.origin is None or "QT_QPA_PLATFORM" in environment:
        return
    name = "libqwayland.so" if "WAYLAND_DISPLAY" in environment else "libqxcb.so"
    plugin = Path(spec.origin).parent / "Qt" / "plugins" / "platforms" / name
    if plugin.exists():
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise Unusable(explain(error)) from None


def explain(error: Exception) -> str:
    """A sentence about why there is no window, and what helps."""
    missing = _MISSING.search(str(error))
    if missing:
        return (
            f"Qt needs {missing[1]}, which this system lacks. On Debian and Ubuntu this line installs all that it "
            f"needs:\n\n    sudo apt-get install {_PACKAGES}\n"
        )
    if isinstance(error, ImportError) and (error.name or "").startswith("PySide6"):
        return f"Qt for Python is not installed ({error}). Install Blobscope anew, for example with pip."
    return str(error)


def _answers(display: str) -> bool:
    """Whether an X server takes connections where ``DISPLAY`` says."""
    where = _DISPLAY.fullmatch(display)
    if where is None:
        return True  # of a form that only Qt can judge
    host, number = where[1], int(where[2])
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where X servers have it
        return any(_connects(socket.AF_UNIX, address) for address in (path, f"\0{path}"))
    return _connects(socket.AF_INET, (host, 6000 + number)) or _connects(socket.AF_INET6, (host, 6000 + number))


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE_S)
        try:
            connection.connect(address)
        except OSError:
            return False
    return True


if __name__ == "__main__":
    run()
