"""What must be true of the house as a whole."""

import subprocess
import sys
from sys import getrefcount

from PySide6.QtCore import QObject


def test_the_engine_never_loads_qt():
    code = (
        "import pkgutil, importlib, sys, engine\n"
        "for module in pkgutil.iter_modules(engine.__path__): importlib.import_module('engine.' + module.name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'PySide6', 'shiboken6', 'gui'})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_qt_calls_keep_the_references_to_none_and_the_booleans():
    """PySide6 6.12.0 loses one with each call below Python 3.12, and the process aborts after some thousands."""
    thing = QObject()
    before = [getrefcount(None), getrefcount(True), getrefcount(False)]
    for _ in range(1000):
        thing.setObjectName("name")
        thing.blockSignals(True)
        thing.blockSignals(False)
    after = [getrefcount(None), getrefcount(True), getrefcount(False)]
    assert all(abs(now - then) < 200 for now, then in zip(after, before, strict=True)), (before, after)
