"""A private X screen, with a window manager and a session bus, on which programs run as on a person's desktop."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

Result = TypeVar("Result")

PROGRAMS = (
    "Xvfb",
    "openbox",
    "wmctrl",
    "xdotool",
    "dbus-daemon",
    "/usr/libexec/at-spi-bus-launcher",
    "/usr/lib/python3/dist-packages/pyatspi",
)
"""What a screen needs."""
FILE_MANAGER = ("pcmanfm", "/usr/share/doc/libgail-common")
"""A file manager, and what makes its window accessible."""

PATIENCE_S = 30.0
"""How long to wait for what must come; nothing waits this long when all is well."""
_PAUSE_S = 0.05
_STEPS = 12
"""Movements of the mouse in a drag; programs begin one only when the mouse has moved a little."""
_SIZE = (1400, 900)
_MIDDLE = 460
"""Where the window of the file manager ends, at the left of ours."""
_ROOT = Path(__file__).parents[2]
_LOOK = Path(__file__).with_name("_accessible.py")


class Item(NamedTuple):
    """Something on the screen, as a screen reader is told of it."""

    role: str
    name: str
    states: list[str]
    actions: list[str]
    text: str
    box: tuple[int, int, int, int]

    @property
    def centre(self) -> tuple[int, int]:
        x, y, width, height = self.box
        return x + width // 2, y + height // 2

    @property
    def is_at_right(self) -> bool:
        """Whether nothing of it is where the file manager is."""
        return self.box[0] > _MIDDLE


class Screen:
    """The screen and what runs on it; everything that was started ends with it."""

    def __init__(self, folder: Path) -> None:
        """``folder`` gets what the programs print."""
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("QT_", "WAYLAND_", "DBUS_"))},
            "LC_ALL": "C.UTF-8",
            "GIO_USE_VFS": "local",
        }

    def __enter__(self) -> Self:
        try:
            shape = f"{_SIZE[0]}x{_SIZE[1]}x24"
            number = self._ask("Xvfb", "-screen", "0", shape, "-noreset", "-nolisten", "tcp", "-displayfd")
            self._environment["DISPLAY"] = f":{number}"
            self._environment["DBUS_SESSION_BUS_ADDRESS"] = self._ask(
                "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"
            )
            self.start("openbox", "--sm-disable")
            self.until(lambda: self._run("wmctrl", "-m", check=False).returncode == 0, "a window manager")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything, the latest first."""
        for process in reversed(self._running):
            for order in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, order)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE_S)
        self._running.clear()

    # ---------------------------------------------------------------------------------------------- programs

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """Run a program on the screen, with ``more`` in its environment."""
        return self._start(command, {**self._environment, **more})

    def open_blobscope(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Run the program that this is all about, and wait for its window."""
        program = self.start(sys.executable, "-m", "gui", *map(str, arguments), QT_LINUX_ACCESSIBILITY_ALWAYS_ON="1")
        self.find("frame", "Blobscope")
        return program

    def open_file_manager(self, folder: Path) -> Item:
        """Show a folder in a file manager's window at the left, and select and return the only thing in it."""
        self.start("pcmanfm", "--no-desktop", str(folder), GTK_MODULES="gail:atk-bridge")
        self.find("frame", folder.name, program="pcmanfm")
        self._place(folder.name, 0, _MIDDLE)
        self.find("label", "1 item", program="pcmanfm")
        (thing,) = folder.iterdir()
        pane = self.find("layered pane", program="pcmanfm")
        # It tells of its icons only when nobody has looked at it before they came, but it puts the first at the corner.
        icon = pane._replace(box=(pane.box[0] + 20, pane.box[1] + 8, 64, 64))
        self.click(icon)
        self.find("label", thing.name, program="pcmanfm")
        return icon

    def open_empty_file_manager(self, folder: Path) -> Item:
        """Show an empty folder in a file manager's window at the left, and return where things can be dropped in it."""
        self.start("pcmanfm", "--no-desktop", str(folder), GTK_MODULES="gail:atk-bridge")
        self.find("frame", folder.name, program="pcmanfm")
        self._place(folder.name, 0, _MIDDLE)
        self.find("label", "0 items", program="pcmanfm")
        return self.find("layered pane", program="pcmanfm")

    def put_at_right(self, title: str) -> Item:
        """Move a window, by a part of its title, to where a file manager's does not cover it."""
        self._place(title, _MIDDLE + 10, _SIZE[0] - _MIDDLE - 20)
        return self.until(
            lambda: next((item for item in self.items() if item.is_at_right and title in item.name), None),
            f"{title} at the right",
        )

    def bring(self, title: str) -> None:
        """Bring a window to the front, by a part of its title."""
        self._run("wmctrl", "-a", title)

    def _place(self, title: str, x: int, width: int) -> None:
        self._run("wmctrl", "-r", title, "-e", f"0,{x},0,{width},{_SIZE[1] - 40}")
        self._run("wmctrl", "-a", title)

    def _start(
        self, command: tuple[str, ...], environment: dict[str, str], handle: int = -1
    ) -> subprocess.Popen[bytes]:
        with (self._folder / f"{Path(command[0]).name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=_ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[handle] if handle >= 0 else [],
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def _ask(self, *command: str) -> str:
        """Run a program that tells in a line, to the file whose number is its last argument, where it can be reached."""
        told, teller = os.pipe()
        try:
            self._start((*command, str(teller)), self._environment, teller)
        finally:
            os.close(teller)
        with open(told) as answer:
            return answer.readline().strip()

    def _run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self._environment, check=check, capture_output=True, text=True, timeout=PATIENCE_S
        )

    # ---------------------------------------------------------------------------------------------- looking

    def items(self, program: str = "blobscope") -> list[Item]:
        """Everything that shows of a program."""
        looked = self._run("/usr/bin/python3", str(_LOOK), program)
        return [Item(**json.loads(line)) for line in looked.stdout.splitlines()]

    def until(self, condition: Callable[[], Result], what: str) -> Result:
        """Wait for something, and return what it is."""
        end = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert time.monotonic() < end, f"{what} never came; {self._situation()}"
            time.sleep(_PAUSE_S)
        return found

    def find(self, role: str, name: str = "", *, state: str = "", program: str = "blobscope") -> Item:
        """The first item of a role whose name has these words in it, once it is there."""

        def look() -> list[Item]:
            return [
                item
                for item in self.items(program)
                if item.role == role and name in item.name and state in (*item.states, "")
            ]

        return self.until(look, f"a {state} {role} {name!r}")[0]

    def _situation(self) -> str:
        with contextlib.suppress(KeyError, subprocess.SubprocessError):
            seen = [f"{item.role} {item.name!r}{' with focus' * ('focused' in item.states)}" for item in self.items()]
            return "there was: " + ", ".join(seen)
        return "the screen cannot be looked at"

    # ---------------------------------------------------------------------------------------------- doing

    def key(self, *keys: str) -> None:
        """Press keys one after the other, such as "ctrl+f"."""
        self._run("xdotool", "key", "--delay", "30", *keys)

    def type(self, words: str) -> None:
        """Type words where the keyboard is."""
        self._run("xdotool", "type", "--delay", "10", words)

    def click(self, item: Item) -> None:
        """Press the left button in the middle of something."""
        self._mouse(*item.centre, "click", "1")

    @contextlib.contextmanager
    def dragged(self, item: Item, target: Item, *held: str) -> Iterator[None]:
        """Drag something over something else with the mouse, while keys are held; it is let go at the end."""
        (left, top), (right, bottom) = item.centre, target.centre
        top += 8  # lest it be the second click of a double one
        self._mouse(left, top, "mousedown", "1")
        try:
            for key in held:
                self._run("xdotool", "keydown", key)
            for step in range(1, _STEPS + 1):
                self._mouse(left + (right - left) * step // _STEPS, top + (bottom - top) * step // _STEPS)
            yield
        finally:
            self._run("xdotool", "mouseup", "1")
            for key in held:
                self._run("xdotool", "keyup", key)

    def carry(self, program: str, target: Item) -> None:
        """Wait until what is dragged hangs on the mouse as a window of its own, then move it as a hand would."""
        self.until(lambda: len(self._windows(program)) > 1, "something on the mouse")
        x, y = target.centre
        for step in range(_STEPS):
            self._mouse(x + step, y + step)
            time.sleep(_PAUSE_S)

    def _windows(self, program: str) -> list[str]:
        return self._run("xdotool", "search", "--onlyvisible", "--class", program, check=False).stdout.split()

    def _mouse(self, x: int, y: int, *then: str) -> None:
        self._run("xdotool", "mousemove", "--sync", str(x), str(y), *then)
