"""Copies bytes to the clipboard: as hexadecimal digits, as text, or as Base64."""

import base64
from collections.abc import Callable
from enum import Enum

from PySide6.QtGui import QGuiApplication

from engine.progress import Progress
from gui import text
from gui.bytesource import ByteSource
from gui.jobs import Job

MOST = 2 << 20
"""Bytes that are copied at once."""


class Form(Enum):
    """What bytes become on the clipboard: the words for a menu, and for what was done."""

    HEX = ("Copy as &hexadecimal", "hexadecimal digits")
    TEXT = ("Copy as &text", "text")
    BASE64 = ("Copy as &Base64", "Base64")

    def __init__(self, title: str, word: str) -> None:
        self.title = title
        self.word = word


def written(content: bytes, form: Form) -> str:
    """Bytes as they are put on the clipboard; as text, what is no UTF-8 becomes a replacement character."""
    if form is Form.HEX:
        return content.hex(" ")
    if form is Form.BASE64:
        return base64.b64encode(content).decode("ascii")
    return content.decode("utf-8", "replace")


def copy(
    source: ByteSource,
    start: int,
    end: int,
    form: Form,
    copied: Callable[[str], object],
    failed: Callable[[BaseException], object],
    still_wanted: Callable[[], bool],
) -> Job | str:
    """Put these bytes on the clipboard, in a job; or a sentence that says why not. ``copied`` gets one for the person.

    Nothing is copied or told once ``still_wanted`` says no.
    """
    count = end - start
    if count > MOST:
        return (
            f"At most {text.size(MOST)} are copied at once, and {text.size(count)} are selected. Save the blob instead."
        )

    def work(progress: Progress) -> str:
        return written(source.read(start, count, progress), form)

    def done(words: str) -> None:
        QGuiApplication.clipboard().setText(words)
        copied(f"Copied {text.count(count, 'byte')} as {form.word}.")

    return source.start("Copying bytes", work, done, failed, quiet=count < 1 << 20, still_wanted=still_wanted)
