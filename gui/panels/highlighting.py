"""Which stretches of a text have colours of their own, worked out by a process that cannot hold the window up."""

import logging
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.apart import interpreter
from engine.progress import Progress
from gui.panels.highlighter import LONGEST_S, Ink

log = logging.getLogger(__name__)

MOST = 1 << 18
"""Characters that are looked at; what follows stays plain."""
_PROGRAM = Path(__file__).with_name("highlighter.py")
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""On Windows each program gets a window of its own, if nobody minds."""
_LOOK_S = 0.05
"""How often is looked whether the answer is still wanted."""


class Inks(NamedTuple):
    """Stretches of a text, one after the other: where each begins and ends, in characters, and its ``Ink``."""

    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    inks: NDArray[np.uint32]

    def between(self, start: int, end: int) -> list[tuple[int, int, Ink]]:
        """What of them lies between two places."""
        first, last = np.searchsorted(self.ends, start, side="right"), np.searchsorted(self.starts, end)
        columns = (column[first:last].tolist() for column in self)
        found = zip(*columns, strict=True)
        return [(max(start, begins), min(end, stops), Ink(ink)) for begins, stops, ink in found]


NO_INKS = Inks(*[np.empty(0, np.uint32)] * 3)


def find_inks(name: str, text: str, progress: Progress, *, program: Path = _PROGRAM) -> Inks:
    """The stretches of a text in a file of this name; none where nobody knows the language, or it takes too long.

    Raises ``Cancelled``.
    """
    python = interpreter()
    if not python:
        return NO_INKS
    question = f"{name.replace(chr(10), ' ')}\n{text[:MOST]}".encode("utf-8", "replace")
    command = [*python, str(program)]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, creationflags=_NO_WINDOW
        )
    except OSError as error:
        log.info("No highlighting: %s", error)
        return NO_INKS
    with process:
        try:
            answer = _wait(process, question, progress)
        finally:
            process.kill()
    if process.returncode or len(answer) % 12:
        log.info("No highlighting for %r: exit status %s", name, process.returncode)
        return NO_INKS
    table = np.frombuffer(answer, np.uint32).reshape(-1, 3)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Inks(table[:, 0].copy(), table[:, 0] + table[:, 1], table[:, 2].copy())


def _wait(process: "subprocess.Popen[bytes]", question: bytes, progress: Progress) -> bytes:
    """What the process answers; nothing when it has no answer in time."""
    left: bytes | None = question
    for _ in range(round(LONGEST_S / _LOOK_S)):
        progress.check()
        try:
            return process.communicate(left, timeout=_LOOK_S)[0]
        except subprocess.TimeoutExpired:
            left = None  # what was given before goes on
    return b""
