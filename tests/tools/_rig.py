"""Lets chosen system calls of the engine come to harm: the process is killed before one, or one fails."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.tools._victims import CALLS

ROOT = Path(__file__).parents[2]
_HIT, _OPEN_HIT = 50, 150
"""The ordinal of the call that is hit: no operation makes as many of one kind by itself, and those in vain fill up."""
_PATH = re.compile(r'<([^>]*)>(?:\(deleted\))?(?:, "([^"]*)")?')
_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")


class Fate(NamedTuple):
    """What became of a process: whether the call was hit, its exit status (negative for a signal), what it said."""

    hit: bool
    status: int
    said: str


class Call(NamedTuple):
    """One system call: its name, its arguments as strace shows them, and whether it succeeded."""

    name: str
    arguments: str
    succeeded: bool

    @property
    def changes(self) -> bool:
        """Whether it may change anything: opening only to read does not."""
        return self.name != "openat" or "O_CREAT" in self.arguments

    @property
    def paths(self) -> list[str]:
        """Each descriptor's path, with the name behind it where there is one."""
        pairs = _PATH.findall(self.arguments)
        return [folder if self.name == "write" or not name else f"{folder}/{name}" for folder, name in pairs]


class Rig:
    """A process that carries operations out in children of its own, under strace."""

    def __init__(self, folder: Path, harm: str = "", calls: Sequence[str] = CALLS) -> None:
        """``harm`` is what happens to the call that is hit, in strace's words: ``signal=KILL``, ``error=ENOSPC``."""
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.tools._victims"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        process = self._hear()
        log = folder / "strace.log"
        strace = ["strace", "-qq", "-f", "-y", "-p", str(process), "-o", log, "-e", f"trace={','.join(calls)}"]
        if harm:
            others = ",".join(call for call in calls if call != "openat")
            strace += ["-e", f"inject={others}:{harm}:when={_HIT}", "-e", f"inject=openat:{harm}:when={_OPEN_HIT}"]
        self._strace = subprocess.Popen(strace)
        while "TracerPid:\t0\n" in Path(f"/proc/{process}/status").read_text():
            assert self._strace.poll() is None, "strace could not attach"
            time.sleep(0.01)
        self._log = log.open()

    def run(self, operation: str, path: Path, call: str, number: int) -> Fate:
        """Carry an operation out on the store at the path; its ``number``-th call of that kind is hit, if it has one."""
        _, status, said = self._ask(operation, path, call, (_OPEN_HIT if call == "openat" else _HIT) - number)
        injected = any(line.endswith("(INJECTED)\n") for line in self._log)
        return Fate(injected or status == -signal.SIGKILL, status, said.strip())

    def watch(self, operation: str, path: Path) -> list[Call]:
        """Carry an operation out unharmed; return its calls, those of helper threads left out."""
        process, status, said = self._ask(operation, path, CALLS[0], 0)
        assert status == 0, said
        lines = (_LINE.match(line) for line in self._log)
        return [Call(line[2], line[3], int(line[4]) >= 0) for line in lines if line and int(line[1]) == process]

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()
        self._strace.wait(10)
        self._log.close()

    def _ask(self, operation: str, path: Path, call: str, vain: int) -> Any:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps([operation, str(path), call, vain]) + "\n")
        self._server.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self._server.stdout is not None
        return json.loads(self._server.stdout.readline())
