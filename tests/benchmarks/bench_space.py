"""Whether the pictures of space come quickly and the window stays smooth: a million blobs, and half a million files.

The picture is repainted all the time; a gap is the time from one repaint to the next, the repaint itself included.
"""

import hashlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from engine import snapshot as facts
from engine.columns import empty_columns
from engine.document import Descriptor, Role
from engine.filesystem import Change, FileSystem
from engine.merging import merge
from engine.progress import Progress
from engine.snapshot import Edges, Entry, Kind, Roots, Snapshot, State
from engine.tarwalk import Walker
from gui import runtime, theme
from gui.jobs import JobRunner
from gui.panels.space_counts import SpaceCounts
from gui.panels.space_files import FilesPicture
from gui.panels.space_store import StoreMap
from gui.panels.space_view import SpaceView
from gui.settings import Settings
from tests.archives import END, file
from tests.benchmarks._measure import seconds

MOST_GAP_MS = 50
MOST_PAINT_MS = 10
SIZE = (1340, 890)


class Store(QObject):
    """What a session tells of a store."""

    snapshotChanged = Signal()
    statesChanged = Signal(object)

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.states = snapshot.states(np.zeros(len(snapshot), np.uint8))
        self.counts = {State.NOT_CHECKED: len(snapshot)}


class Repainter(QObject):
    """Repaints a picture without a pause, and notes the longest gap."""

    def __init__(self, view: SpaceView) -> None:
        super().__init__(view)
        self._map = view.map
        self._last = time.perf_counter()
        self.gap = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._repaint)
        self._timer.start(0)

    def begin(self) -> None:
        self.gap = 0.0
        self._last = time.perf_counter()

    def _repaint(self) -> None:
        self._map.repaint()
        now = time.perf_counter()
        self.gap, self._last = max(self.gap, now - self._last), now


def store(count: int, images: int, layers: int) -> Snapshot:
    """A store of so many blobs of very different sizes; each image has some of them, a seventh belong to none."""
    generator = np.random.default_rng(1)
    names = np.sort(np.array([b"sha256:" + hashlib.sha256(b"%d" % n).hexdigest().encode() for n in range(count)]))
    columns = empty_columns(names)
    columns.sizes[:] = generator.pareto(1.2, count) * 1e5
    columns.flags[:] = facts.PRESENT | facts.REGULAR | facts.REACHABLE | facts.REFERENCED
    columns.flags[::7] = facts.PRESENT | facts.REGULAR
    columns.kinds[:] = Kind.LAYER
    columns.kinds[:images] = Kind.IMAGE
    columns.flags[:images] |= facts.DOCUMENT | facts.REACHABLE | facts.COMPLETE
    edges = Edges(
        np.repeat(np.arange(images), layers),
        generator.integers(images, count, images * layers),
        np.full(images * layers, Role.LAYER, np.uint8),
        np.tile(np.arange(layers, dtype=np.uint32), images),
    )
    return Snapshot(
        store_kind="layout",
        stage="complete",
        columns=columns,
        media_types=[""],
        roots=Roots([], digest="sha256:0"),
        entries=[Entry(n, n, Descriptor(digest=names[n].decode()), (f"app:{n}",)) for n in range(images)],
        edges=edges,
        documents={},
    )


def image(count: int) -> FileSystem:
    """The file system of an image with so many files."""
    generator, walker = random.Random(1), Walker()
    for n in range(count):
        size = int(generator.paretovariate(0.7) * 100) % 4096
        walker.feed(file(b"usr/%03d/%03d/file%d" % (n % 500, n // 7 % 40, n), bytes(size)))
    walker.feed(END)
    return merge([walker.finish()], Progress())


def measure(application: QApplication, view: SpaceView, what: str, act: Callable[[], object]) -> bool:
    """Do something and wait until all is drawn; whether nothing stood still meanwhile, and painting is quick then."""
    repainter = view.findChild(Repainter) or Repainter(view)
    repainter.begin()
    began = time.perf_counter()
    act()
    while view.busy or view.shown is None:
        application.processEvents()
    took, gap = (time.perf_counter() - began) * 1000, repainter.gap * 1000
    paint = statistics.median(seconds(view.map.repaint) for _ in range(20)) * 1000
    good = gap <= MOST_GAP_MS and paint <= MOST_PAINT_MS
    told = f"{took:6.0f} ms   longest gap {gap:5.1f} ms   paint {paint:4.1f} ms"
    print(f"{what:48} {told}   {'within' if good else 'OVER'} {MOST_GAP_MS}, {MOST_PAINT_MS}", flush=True)
    return good


def bench_store(application: QApplication, settings: Settings, what: str, snapshot: Snapshot) -> bool:
    """The map of a store: open it, group it otherwise, select an image, change a state, make it smaller."""
    runner, told = JobRunner(application), Store(snapshot)
    counts = SpaceCounts(told, runner, told)  # type: ignore[arg-type]  # stands in for a session
    view = StoreMap(told, counts, runner, settings)  # type: ignore[arg-type]  # stands in for a session
    view.resize(*SIZE)
    good = measure(application, view, f"{what}: open the map", view.show)
    good &= measure(application, view, "by image", view.by_image.click)
    good &= measure(application, view, "by kind", view.by_kind.click)
    good &= measure(application, view, "select an image", lambda: view.mark(snapshot.name(5)))
    rows = np.arange(len(snapshot))
    good &= measure(application, view, "select everything", lambda: view.mark_several(snapshot.name(0), rows))
    good &= measure(application, view, "take verdicts", view.refresh)
    good &= measure(application, view, "make it smaller", lambda: view.resize(900, 500))
    view.close()
    view.deleteLater()
    return good and runner.shutdown(5)


def bench_files(application: QApplication, what: str, files: FileSystem) -> bool:
    """The picture of an image's files: open it, and filter."""
    runner = JobRunner(application)
    view = FilesPicture(runner)
    view.resize(*SIZE)
    view.show()
    seen = files.view(0)
    everything, little = seen.shown(list(Change)), seen.shown(list(Change))
    little[::3] = False
    good = measure(application, view, f"{what}: open the picture", lambda: view.show_files(files, seen, everything))
    good &= measure(application, view, "filter", lambda: view.show_files(files, seen, little))
    good &= measure(application, view, "make it smaller", lambda: view.resize(500, 300))
    view.close()
    view.deleteLater()
    return good and runner.shutdown(5)


def main() -> int:
    application = QApplication(sys.argv[:1])
    theme.apply(application, "light")
    runtime.install(application)
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(Path(name, "settings.ini"))
        good = bench_store(application, settings, "1,000,000 blobs of 1,000 images", store(1_000_000, 1000, 1000))
        good &= bench_store(application, settings, "200,000 blobs of 100,000 images", store(200_000, 100_000, 5))
        good &= bench_files(application, "500,000 files", image(500_000))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
