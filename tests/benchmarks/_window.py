"""Runs the real program and measures it from inside: when it shows what, and how long its event loop stands still.

A gap is the time from one tick of a timer to the next, of which there should be one every few milliseconds. The list in
front is repainted all the time, because a worker that keeps the interpreter to itself is felt in a repaint.
"""

import collections
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

from gui import app, launch
from gui.finding import Question
from gui.main_window import MainWindow
from gui.models.blob_cells import Column as BlobColumn
from gui.models.image_cells import Column as ImageColumn
from gui.panels.places import BLOBS, FILES, IMAGES
from gui.panels.rows_view import RowsView
from gui.panels.store_page import StorePage

Condition = Callable[[], object]
Script = Iterator[Condition]

TICK_MS = 5
REPAINT_S = 0.05
AFTERWARDS_S = 0.2
"""So long after the end of something its echoes still count."""
SUSPICIOUS_S = 0.04
"""Gaps from here on are looked into."""


class Ruler(QObject):
    """Ticks, notes the longest gap, repaints, and goes on in a script whenever what that waits for has come."""

    def __init__(self, window: MainWindow, script: Callable[["Ruler"], Script], *, stacks: bool) -> None:
        super().__init__(window)
        self.window = window
        self.gap = 0.0
        self.last = self._painted = time.perf_counter()
        self._watchdog = Watchdog(self) if stacks else None
        self._script = script(self)
        self._condition: Condition = lambda: True
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    @property
    def page(self) -> StorePage:
        page = self.window.page
        assert page is not None
        return page

    def measure(self, what: str, act: Callable[[], object], done: Condition) -> Script:
        """Do something, wait until it is done, and tell how long it took and the longest gap."""
        self.begin()
        began = time.perf_counter()
        act()
        yield done
        took = time.perf_counter() - began
        yield later(AFTERWARDS_S)
        self.tell(what, took)

    def begin(self) -> None:
        """Forget the gaps so far."""
        self.gap = 0.0
        if self._watchdog is not None:
            self._watchdog.seen.clear()

    def tell(self, what: str, took: float) -> None:
        tell(what=what, took=took, gap=self.gap)
        if self._watchdog is not None:
            self._watchdog.tell()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gap = max(self.gap, now - self.last)
        self.last = now
        if now - self._painted > REPAINT_S and self.window.page is not None:
            self._painted = now
            self.page.lens.view.viewport().update()
        if self._condition():
            try:
                self._condition = next(self._script)
            except StopIteration:
                self._timer.stop()
                self.window.close()


class Watchdog:
    """Looks, while a gap lasts, at what the threads do."""

    def __init__(self, ruler: Ruler) -> None:
        self.seen: collections.Counter[str] = collections.Counter()
        self._ruler = ruler
        threading.Thread(target=self._watch, args=[threading.get_ident()], daemon=True).start()

    def tell(self) -> None:
        """Print the most frequent sights."""
        for sight, count in self.seen.most_common(4):
            sys.stderr.write(f"    {count} x {sight}\n")

    def _watch(self, gui: int) -> None:
        while True:
            time.sleep(TICK_MS / 1000)
            if time.perf_counter() - self._ruler.last > SUSPICIOUS_S:
                frames = sys._current_frames()
                frames.pop(threading.get_ident(), None)
                window = _place(frames.pop(gui), 6)
                workers = [place for frame in frames.values() if "thread.py" not in (place := _place(frame, 2))]
                self.seen[f"{window}  beside  {' and '.join(sorted(workers)) or 'nothing'}"] += 1


def _place(frame: object, depth: int) -> str:
    stack = traceback.extract_stack(frame)[-depth:]
    return " > ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in stack)


class Painted(QObject):
    """Calls back when a widget has been painted while a condition holds; once."""

    def __init__(self, widget: QObject, then: Callable[[], object], when: Condition = lambda: True) -> None:
        super().__init__(widget)
        self._then = then
        self._when = when
        self._waits = True
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._waits and self._when():
            self._waits = False
            # An event filter comes before the paint; this event comes right after it.
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.User), Qt.EventPriority.HighEventPriority.value)
        return False

    def customEvent(self, _event: QEvent) -> None:
        self._then()


def later(seconds: float) -> Condition:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() > end


def tell(**facts: object) -> None:
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


def memory() -> int:
    """Bytes of memory that the process has now."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


# ------------------------------------------------------------------------------------------------------ scripts


def start(window: MainWindow, since: float) -> None:
    """From the start of the process to the window, and from there to the first rows."""
    shown: list[float] = []

    def note_window() -> None:
        shown.append(time.monotonic())
        tell(what="window", took=shown[0] - since)

    def note_rows() -> None:
        tell(what="rows", took=time.monotonic() - shown[0])
        window.close()

    def watch_rows() -> None:
        page = window.page
        assert page is not None
        Painted(page.images.view.viewport(), note_rows, lambda: page.images.model.rowCount())

    Painted(window, note_window)
    window.stores.opened.connect(watch_rows)


def use(ruler: Ruler) -> Script:
    """Open, verify, cancel, sort and filter."""
    before = memory()
    yield from ruler.measure("open", lambda: None, lambda: _is_known(ruler))
    tell(what="memory", empty=before, full=memory())
    page = ruler.page
    for lens, view, columns in ((IMAGES, page.images, ImageColumn), (BLOBS, page.blobs, BlobColumn)):
        name = "images" if lens == IMAGES else "blobs"
        yield from ruler.measure(f"show {name}", lambda lens=lens: page.show_lens(lens), lambda: True)
        yield from _arrange(ruler, name, view, columns)
    yield from _verify(ruler)


def _is_known(ruler: Ruler) -> bool:
    page = ruler.window.page
    snapshot = page.session.snapshot if page else None
    return bool(
        page
        and snapshot
        and snapshot.stage == "complete"
        and page.images.model.snapshot is snapshot
        and page.blobs.model.snapshot is snapshot
    )


def look(ruler: Ruler) -> Script:
    """Go to the files of an image, whose layers are read then; unfold, sort and filter them."""
    yield from ruler.measure("open", lambda: None, lambda: _is_known(ruler))
    before, page = memory(), ruler.page
    inspector = page.inspector

    def there() -> bool:
        model = inspector.tabs.files.model
        return model is not None and model.rowCount() > 0 and page.session.layers.job is None

    def still() -> bool:
        model = inspector.tabs.files.model
        return model is not None and not model.busy

    page.images.view.setCurrentIndex(page.images.model.index(0, 0))
    yield later(AFTERWARDS_S)
    yield lambda: not ruler.window.runner.active()
    yield from ruler.measure("read two layers", lambda: inspector.show_tab(FILES), there)
    tell(what="memory", empty=before, full=memory())
    from gui.models.file_tree import Column  # only now: what the window loads by itself is part of what is measured

    files = inspector.tabs.files
    model = files.model
    assert model is not None

    def filtered(words: str) -> bool:
        return still() and model.wish is not None and model.wish.words == words

    yield from ruler.measure("unfold two levels of folders", lambda: files.view.expandToDepth(1), lambda: True)
    for words in ("9", "*.so", ""):
        name = f"filter files {words!r}"
        yield from ruler.measure(name, partial(files.choice.line.setText, words), partial(filtered, words))
    for column in (Column.SIZE, Column.NAME):
        sort = partial(files.view.sortByColumn, column, Qt.SortOrder.DescendingOrder)
        yield from ruler.measure(f"sort files by {column.name.lower()}", sort, still)
    page.finder.open()
    finding = page.session.finding
    for words in ("file-77.txt", "**/part-3/**"):
        ask = partial(finding.ask, Question(words))
        yield from ruler.measure(f"find {words!r} in all images", ask, lambda: finding.job is None)


def _arrange(ruler: Ruler, name: str, view: RowsView, columns: type[BlobColumn] | type[ImageColumn]) -> Script:
    def still() -> bool:
        return not view.model.busy

    for column in columns:
        for order in (Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder):
            sort = partial(view.view.sortByColumn, column, order)
            yield from ruler.measure(
                f"sort {name} by {column.name.lower().replace('_', ' ')}, {order.name}", sort, still
            )
    for words in ("9f2", "status:verified", "size>20 type:layer", ""):
        yield from ruler.measure(f"filter {name} {words!r}", lambda words=words: view.set_filter(words), still)


def _verify(ruler: Ruler) -> Script:
    session, runner = ruler.page.session, ruler.window.runner
    yield from ruler.measure("verify", session.verify, lambda: not session.verifying)
    job = session.verify()
    yield later(0.3)
    yield from ruler.measure("cancel verifying", lambda: runner.cancel(job), lambda: not job.active)


def main(arguments: list[str]) -> int:
    """``start SINCE [STORE]``, ``use STACKS STORE`` or ``look STACKS STORE``."""
    scenario, fact, *store = arguments

    def open_wanted(window: MainWindow, options: object) -> None:
        if scenario == "start":
            start(window, float(fact))
        else:
            Ruler(window, look if scenario == "look" else use, stacks=fact == "True")
        open_as_ever(window, options)

    open_as_ever, launch.open_wanted = launch.open_wanted, open_wanted
    return app.main(store)


if __name__ == "__main__":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    sys.exit(main(sys.argv[1:]))
