"""A file of an image that somebody looks into."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from engine.progress import Progress
from gui import text
from gui.bytesource import ByteSource
from gui.jobs import JobRunner
from gui.panels.newest import Newest

if TYPE_CHECKING:
    from engine.contents import Contents

Result = TypeVar("Result")


@dataclass(frozen=True)
class Subject:
    """Where its bytes come from, its entry there, its name, and whose jobs reading it are."""

    contents: "Contents"
    entry: int
    name: str
    runner: JobRunner
    store: str
    doubt: str = ""
    """Why it may not be what it should be."""

    def run(
        self,
        newest: Newest,
        doing: str,
        work: Callable[[Progress], Result],
        then: Callable[[Result], object],
        failed: Callable[[BaseException], object],
    ) -> None:
        """Do something with it beside the window, instead of what ``newest`` was asked for before."""
        newest.run(self.runner, self.store, f"{doing} {text.plain(self.name)}", work, then, failed)

    def bytes(self, size: int) -> ByteSource:
        """Its bytes, of which there are so many."""
        contents, entry = self.contents, self.entry

        def read(offset: int, length: int, progress: Progress) -> bytes:
            return b"".join(contents.stream(entry, progress, offset=offset, length=length))

        return ByteSource(self.runner, size, read, name=text.plain(self.name), store=self.store, stamp=self)
