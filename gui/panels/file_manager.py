"""Shows a file in the system's file manager."""

import logging
import shutil
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QUrl
from PySide6.QtGui import QDesktopServices

log = logging.getLogger(__name__)

_CALL = (
    "--session",
    "--print-reply",
    "--reply-timeout=3000",
    "--dest=org.freedesktop.FileManager1",
    "/org/freedesktop/FileManager1",
    "org.freedesktop.FileManager1.ShowItems",
)


def show_file(path: Path, parent: QObject) -> None:
    """Select the file in the file manager; where none answers, open its folder. The file itself is never opened."""
    folder = QUrl.fromLocalFile(str(path.parent))
    sender = shutil.which("dbus-send")
    if sender is None:
        QDesktopServices.openUrl(folder)
        return
    # Percent-encoded, and a comma too, because dbus-send takes it for the end of an item.
    address = QUrl.fromLocalFile(str(path)).toString(QUrl.ComponentFormattingOption.FullyEncoded).replace(",", "%2C")
    process = QProcess(parent)

    def ended(status: int) -> None:
        if status:
            log.debug("no file manager answers")
            QDesktopServices.openUrl(folder)
        process.deleteLater()

    process.finished.connect(ended)
    process.start(sender, [*_CALL, f"array:string:{address}", "string:"])
