"""Process-wide hooks, installed once: uncaught exceptions, Qt's messages, crash traces, garbage collection, threads."""

import contextlib
import faulthandler
import gc
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from PySide6.QtCore import (
    QCoreApplication,
    QMessageLogContext,
    QObject,
    Qt,
    QThread,
    QTimer,
    QtMsgType,
    Signal,
    Slot,
    qInstallMessageHandler,
)

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter; a tenth of Python's own makes repaints beside a busy worker smooth."""

QUIET_S = 10.0
"""A fault that repeats (an exception in ``data()`` comes once a painted cell) is told again only after this long."""

COLLECT_MS = 1000
"""How often the collector looks whether there is something to collect."""

HURRY_MS = 20
"""How often it does while work goes on: what a large store arrives with would hold the window up if met all at once."""

LATEST_S = 60.0
"""So long after it did so last, the collector looks at everything while work goes on."""

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@dataclass(frozen=True)
class Fault:
    """An exception that nothing caught: what a message bar can say, and what a report needs."""

    sentence: str
    details: str


class Runtime(QObject):
    """The hooks while they are installed; ``install`` makes the one that a process has."""

    _caught = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._on_fault: Callable[[Fault], None] | None = None
        self._untold: list[Fault] = []
        self._last_told: dict[object, float] = {}
        self._lock = threading.Lock()
        self._caught.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._restore: list[Callable[[], object]] = []
        self._collector = Collector(self)

    def on_fault(self, callback: Callable[[Fault], None] | None) -> None:
        """Hand faults to the window's message bar, those of the time before the window too; None stops it."""
        self._on_fault = callback
        if callback is not None:
            untold, self._untold = self._untold, []
            for fault in untold:
                callback(fault)

    def hurry(self, on: bool) -> None:
        """Say whether work goes on."""
        self._collector.hurry(on)

    def activate(self) -> None:
        """Put every hook in place; ``deactivate`` puts back what was there."""
        interval, hook, thread_hook = sys.getswitchinterval(), sys.excepthook, threading.excepthook
        self._restore = [
            lambda: sys.setswitchinterval(interval),
            lambda: setattr(sys, "excepthook", hook),
            lambda: setattr(threading, "excepthook", thread_hook),
        ]
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        sys.excepthook = self._catch
        threading.excepthook = self._catch_in_thread
        handler = qInstallMessageHandler(_log_qt_message)
        self._restore.append(lambda: qInstallMessageHandler(handler))
        if sys.stderr is not None and not faulthandler.is_enabled():
            faulthandler.enable()
            self._restore.append(faulthandler.disable)
        self._collector.start()
        self._restore.append(self._collector.stop)

    def deactivate(self) -> None:
        """Put back what was there before ``activate``."""
        while self._restore:
            self._restore.pop()()

    def _catch(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """The hook for exceptions; runs on whichever thread raised, possibly in the middle of a paint."""
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        frames = traceback.extract_tb(trace)
        where = frames[-1] if frames else None
        key = (kind, where and (where.filename, where.lineno))
        now = time.monotonic()
        with self._lock:
            told = self._last_told.get(key)
            if told is not None and now - told < QUIET_S:
                return
            self._last_told[key] = now
        log.error("An unexpected error", exc_info=(kind, error, trace))
        sentence = f"Something unexpected went wrong: {str(error) or kind.__name__}"
        fault = Fault(sentence, "".join(traceback.format_exception(kind, error, trace)))
        with contextlib.suppress(RuntimeError):  # the application is gone; the log has it
            self._caught.emit(fault)

    def _catch_in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not issubclass(arguments.exc_type, SystemExit):
            self._catch(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    @Slot(object)
    def _tell(self, fault: Fault) -> None:
        """Hand a fault on, on the GUI thread and never inside a paint."""
        if self._on_fault is None:
            self._untold.append(fault)
        else:
            self._on_fault(fault)


class Collector(QObject):
    """Cyclic garbage is collected here and nowhere else.

    Python would collect on whichever thread allocates, and so destroy widgets on a worker. A timer does it on the GUI
    thread, by Python's own thresholds, and only at the top of the event loop: never inside another slot. While work
    goes on it looks often at what is new, and seldom at the rest, because each takes as long as there are objects.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(COLLECT_MS)
        self._timer.timeout.connect(self.collect)
        self._was_enabled = True
        self._hurried = False
        self._looked_at_all = time.monotonic()

    def hurry(self, on: bool) -> None:
        """Say whether work goes on.

        When it does not any more, the next look is still a hurried one: Qt begins to wait anew where an interval is
        set, so that work that begins and ends all the time would put off every look.
        """
        self._hurried = on
        if on and self._timer.interval() != HURRY_MS:
            self._timer.setInterval(HURRY_MS)

    def start(self) -> None:
        """Take the collection over; what start-up has made stays for good and is not looked at again."""
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Give the collection back to Python."""
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()
        with contextlib.suppress(RuntimeError):  # the application is gone, and the timer with it
            self._timer.stop()

    @Slot()
    def collect(self) -> int | None:
        """Collect the oldest generation whose threshold was passed; returns which, None where there was none."""
        if QThread.currentThread().loopLevel() > 1:
            return None
        now, hurries = time.monotonic(), self._timer.interval() == HURRY_MS
        if hurries and not self._hurried:
            self._timer.setInterval(COLLECT_MS)
        if hurries and now - self._looked_at_all >= LATEST_S:
            self._looked_at_all = now
            gc.collect()
            return 2
        if not hurries:
            self._looked_at_all = now
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (0,) if hurries else (2, 1, 0):
            if counts[generation] > thresholds[generation] > 0:
                gc.collect(generation)
                return generation
        return None


def install(application: QCoreApplication) -> Runtime:
    """Install every hook for the life of ``application``; call it once, on the GUI thread."""
    runtime = Runtime(application)
    runtime.activate()
    return runtime


def _log_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    category = getattr(context, "category", None) or "default"
    logging.getLogger(f"qt.{category}").log(_LEVELS.get(kind, logging.WARNING), "%s", message)
