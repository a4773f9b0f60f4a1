"""The bytes of a source that were read, some pages of them, and the one read that is on its way."""

from collections import OrderedDict

import shiboken6
from PySide6.QtCore import QObject, Signal

from gui.bytesource import ByteSource
from gui.jobs import Job

PAGE = 1 << 16
"""Bytes that are read at a time."""
MOST_PAGES = 64
"""Pages that are kept, the last that were looked at: 4 MiB."""


class Pages(QObject):
    """Reads what is wanted, a page at a time: whoever scrolls past a thousand pages has only the last ones read."""

    arrived = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._source: ByteSource | None = None
        self._pages: OrderedDict[int, bytes] = OrderedDict()
        self._job: Job | None = None
        self._has_failed = False

    def set_source(self, source: ByteSource | None) -> None:
        """Read from another source; what is still to come from the one before is dropped."""
        if self._source is not None and self._job is not None:
            self._source.cancel(self._job)
        self._source, self._job, self._has_failed = source, None, False
        self._pages.clear()

    @property
    def waiting(self) -> bool:
        """Whether something is being read."""
        return self._job is not None

    def forget_failure(self) -> None:
        """Try again to read."""
        self._has_failed = False

    def want(self, start: int, end: int) -> None:
        """Have these bytes read, as far as they are not known."""
        source = self._source
        if source is None or self._job is not None or self._has_failed or start >= end:
            return
        missing = (page for page in range(start // PAGE, (end - 1) // PAGE + 1) if page not in self._pages)
        page = next(missing, None)
        if page is None:
            return

        def arrived(content: bytes) -> None:
            self._job = None
            self._keep(page, content)
            self.arrived.emit()

        def failed(error: BaseException) -> None:
            self._job, self._has_failed = None, True
            self.arrived.emit()
            self.failed.emit(error)

        offset = page * PAGE
        length = min(PAGE, source.size - offset)
        self._job = source.fetch(
            offset, length, arrived, failed, lambda: shiboken6.isValid(self) and self._source is source
        )

    def get(self, start: int, end: int) -> bytes | None:
        """These bytes, if all of them are known."""
        pieces = self.pieces(start, end)
        found = b"".join(content for _, content in pieces)
        return found if len(found) == end - start else None

    def pieces(self, start: int, end: int) -> list[tuple[int, bytes]]:
        """What is known of these bytes: offsets, and what is there."""
        found = []
        for page in range(start // PAGE, -(-end // PAGE)) if end > start else ():
            content = self._pages.get(page)
            if content is not None:
                self._pages.move_to_end(page)
                first = max(start, page * PAGE)
                found.append((first, content[first - page * PAGE : end - page * PAGE]))
        return found

    def _keep(self, page: int, content: bytes) -> None:
        self._pages[page] = content
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)
