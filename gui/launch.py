"""Makes the application and its window, and opens what the command line asks for."""

import argparse
import os
import signal
from pathlib import Path

from PySide6.QtWidgets import QApplication

from gui import runtime, theme
from gui.main_window import MainWindow
from gui.panels.places import BLOBS, IMAGES, PROBLEMS
from gui.panels.store_page import StorePage
from gui.settings import Settings

DESKTOP_ID = "io.github.blobscope.Blobscope"


def show(options: argparse.Namespace) -> int:
    """Show the window until it is closed; returns the exit status."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(["blobscope"])
    application.setApplicationName("blobscope")
    application.setApplicationDisplayName("Blobscope")
    application.setDesktopFileName(DESKTOP_ID)
    application.setQuitOnLastWindowClosed(False)  # closing waits for the workers first
    hooks = runtime.install(application)
    settings = Settings()
    if options.theme:
        settings.theme = options.theme
    theme.apply(application, settings.theme)
    window = MainWindow(settings)
    hooks.on_fault(window.show_fault)
    for change in (window.runner.started, window.runner.finished):
        change.connect(lambda _job: hooks.hurry(bool(window.runner.active())))
    stuck: list[bool] = []

    def end(home: bool) -> None:
        if not home:
            stuck.append(True)
        application.quit()

    window.ended.connect(end)
    signal.signal(signal.SIGTERM, lambda *_: application.quit())  # Ctrl+C comes as an exception, see runtime.py
    window.show()
    open_wanted(window, options)
    status = application.exec()
    window.end()
    hooks.on_fault(None)
    if stuck:
        os._exit(status)  # a worker hangs in the operating system; waiting for it could take forever
    return status


def open_wanted(window: MainWindow, options: argparse.Namespace) -> None:
    """Open the stores of the command line, or those of the last time."""

    def arrived(page: StorePage) -> None:
        if options.view:
            page.show_lens({"images": IMAGES, "blobs": BLOBS, "problems": PROBLEMS}[options.view])
        if options.verify:
            page.session.when_known(page.session.verify)

    def last_arrived(page: StorePage) -> None:
        arrived(page)
        if options.select:
            page.select_when_known(options.select)

    paths: list[Path] = options.paths
    if options.demo:
        window.stores.open_demo(lambda session: (last_arrived if not paths else arrived)(window.tabs.page_of(session)))
    for path in paths:
        window.open(path, last_arrived if path is paths[-1] else arrived)
    if not paths and not options.demo:
        window.stores.restore()
