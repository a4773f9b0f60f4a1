"""Finding bytes beside GNU grep, and what the Bytes tab takes of the window's thread: a page, a key, a far place."""

import io
import os
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.bytesearch import find_bytes
from engine.progress import Progress
from engine.storedfile import StoredFile
from gui import theme
from gui.bytesource import ByteSource
from gui.jobs import JobRunner
from gui.panels.header_pane import HeaderPane
from gui.panels.hex_view import HexView
from tests.benchmarks._measure import needs, race, run

_PAGE_MS, _STALL_MS = 10.0, 50.0
_NEEDLE = b"needle in a haystack"


def many_headers(count: int) -> bytes:
    """A tar file with an extended header before each entry."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(count):
            entry = tarfile.TarInfo(f"usr/share/doc/package-{number}/copyright")
            entry.size, entry.mtime = 10, 1_700_000_000.5
            archive.addfile(entry, io.BytesIO(bytes(10)))
    return stream.getvalue()


def find(path: Path) -> Callable[[], object]:
    """Looking for what is not there, from the beginning to the end."""
    file = StoredFile(lambda: os.open(path, os.O_RDONLY), path.name)
    ranges = [(0, file.size)]
    return lambda: find_bytes(file.read, ranges, _NEEDLE, Progress(), start=0, size=file.size)


def told(what: str, milliseconds: float, budget: float) -> bool:
    verdict = "within" if milliseconds <= budget else "OVER"
    print(f"{what:58} {milliseconds:8.1f} ms   {verdict} {budget:.0f}", flush=True)
    return milliseconds <= budget


def bench_window(application: QApplication) -> bool:
    """Everything that the window's thread does over a tar file of 20 000 headers."""
    runner, content = JobRunner(application), many_headers(10_000)
    view = HexView()
    pane = HeaderPane(view, view)
    view.resize(1000, 1200)
    view.show()
    source = ByteSource(runner, len(content), lambda offset, length, _progress: content[offset : offset + length])
    view.set_source(source)
    pane.set_source(source)
    pane.view.resize(600, 400)
    _spin(application, 1)
    pages, keys = [], []
    for _ in range(100):
        began = time.perf_counter()
        QTest.keyClick(view, Qt.Key.Key_PageDown)
        keys.append((time.perf_counter() - began) * 1000)
        _spin(application, 0.005)
        began = time.perf_counter()
        view.viewport().repaint()
        pages.append((time.perf_counter() - began) * 1000)
    view.go_to(len(content) * 9 // 10)
    worst = _spin(application, 2)
    runner.shutdown(10)
    return all(
        (
            told(f"painting a page of {view.rows_in_sight} rows, median", statistics.median(pages), _PAGE_MS),
            told("Page Down, the worst of 100", max(keys), _STALL_MS),
            told("going far, with all headers on the way, worst stall", worst, _STALL_MS),
        )
    )


def _spin(application: QApplication, seconds: float) -> float:
    """Let the window work, and tell its longest turn in milliseconds."""
    end, worst = time.perf_counter() + seconds, 0.0
    while (began := time.perf_counter()) < end:
        application.processEvents()
        worst = max(worst, time.perf_counter() - began)
        time.sleep(0.001)
    return worst * 1000


def main() -> int:
    """Run all; 1 if anything is over its budget."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    theme.apply(application, "light")
    results = [bench_window(application)]
    if needs("grep"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "large"
            with path.open("wb") as large:
                for _ in range(512):
                    large.write(os.urandom(1 << 20))
            peer = run(f"LC_ALL=C grep -c -F '{_NEEDLE.decode()}' large || true", Path(folder))
            results.append(race("finding bytes in 512 MiB", find(path), "grep -F", peer, 1.5))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
