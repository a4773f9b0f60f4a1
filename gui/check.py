"""The command ``blobscope check``: what is wrong with a store, told without a window and without Qt."""

import argparse
import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from engine import open_store
from engine.checkup import check_up
from engine.errors import Cancelled, EngineError
from engine.findings import Severity
from engine.printable import printable
from engine.progress import Progress
from engine.report import Checked, Group, as_json, as_markdown, as_text, counted, grouped
from engine.rules.book import RULES

SOUND, PROBLEMS, NO_STORE, STOPPED = 0, 1, 2, 130
"""Exit statuses."""

_DESCRIPTION = """\
Hold an image layout, or Docker's image store, against every rule of the image specification that can be decided on
disk, and tell what is wrong. Nothing is changed."""

_STATUS = """\
exit status: 0 when no error and no warning was found (notes do not count), 1 when one was, 2 when there is no store, or
it cannot be read or the report not be written, 130 when it was stopped with Ctrl+C.
"""

_LOOK_S = 0.2
"""How often progress is shown."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments behind ``check``; ends the process for ``--help`` and mistakes."""
    parser = argparse.ArgumentParser(
        "blobscope check",
        description=_DESCRIPTION,
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("store", metavar="STORE", type=Path, help="an image layout, or Docker's image store")
    parser.add_argument("--deep", action="store_true", help="also hash every blob, and read every layer to its end")
    parser.add_argument("--format", choices=tuple(_FORMS), default="text", help="how to tell it (default: text)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Check a store and write the report to standard output; returns the exit status."""
    options = parse(arguments)
    progress = Progress()
    try:
        with _stoppable(progress), _shown(progress), open_store(options.store) as store:
            findings, checked = check_up(store, progress, deep=options.deep)
    except (Cancelled, KeyboardInterrupt):
        sys.stderr.write("blobscope: stopped.\n")
        return STOPPED
    except EngineError as error:
        sys.stderr.write(f"blobscope: {printable(f'{error} {error.remedy}'.strip())}\n")
        return NO_STORE
    except OSError as error:
        sys.stderr.write(f"blobscope: {printable(f'{options.store} cannot be read: {error.strerror or error}')}.\n")
        return NO_STORE
    groups = grouped(findings, RULES)
    try:
        _write(_FORMS[options.format](checked, groups))
    except OSError as error:
        sys.stderr.write(f"blobscope: the report cannot be written: {error.strerror or error}.\n")
        return NO_STORE
    counts = counted(groups)
    return PROBLEMS if counts[Severity.ERROR] or counts[Severity.WARNING] else SOUND


def _as_text(checked: Checked, groups: Sequence[Group]) -> str:
    return as_text(checked, groups, colour=bool(sys.stdout and sys.stdout.isatty()) and "NO_COLOR" not in os.environ)


_FORMS: Mapping[str, Callable[[Checked, Sequence[Group]], str]] = {
    "json": as_json,
    "markdown": as_markdown,
    "text": _as_text,
}


def _write(report: str) -> None:
    """Write the report as UTF-8; who has read enough of it and closes the pipe is no error. Raises ``OSError``."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, "there is no standard output")
    try:
        sys.stdout.buffer.write(report.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer has nowhere to go; without this, Python would say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise


@contextlib.contextmanager
def _stoppable(progress: Progress) -> Iterator[None]:
    """Ctrl+C stops the work at its next check, a second one at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if progress.cancelled:
            raise KeyboardInterrupt
        progress.cancel()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _shown(progress: Progress) -> Iterator[None]:
    """Tell on a terminal how far the work is; the line is gone afterwards."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()

    def tell() -> None:
        while not over.wait(_LOOK_S):
            sys.stderr.write(f"\r\x1b[K{_line(progress)}")
            sys.stderr.flush()

    teller = threading.Thread(target=tell, name="progress")
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _line(progress: Progress) -> str:
    """How far it is, short enough for any terminal."""
    done, total = progress.done, progress.total
    if not total:
        return f"{progress.label} …"
    if progress.unit == "bytes":
        return f"{progress.label}: {min(100, 100 * done // total)} % of {total / 1e6:,.1f} MB"
    return f"{progress.label}: {done:,} of {total:,} {progress.unit}"
