"""``ByteSource``: bytes that lie somewhere else, as many as they may be, read in parts beside the window."""

from collections.abc import Callable
from typing import TypeVar

from engine.digest import clip, shorten
from engine.printable import printable
from engine.progress import Progress
from engine.store import Store
from engine.storedfile import StoredFile
from gui.jobs import Job, JobRunner

Result = TypeVar("Result")
Read = Callable[[int, int, Progress], bytes]
"""The bytes from an offset on, of a length; all of them, or it raises. Called on workers."""
Ranges = list[tuple[int, int]]


class ByteSource:
    """So many bytes, and how to get at them. It never changes: other bytes are another source."""

    def __init__(
        self,
        runner: JobRunner,
        size: int,
        read: Read,
        *,
        name: str = "",
        store: str = "",
        stamp: object = None,
        data_ranges: Callable[[Progress], Ranges] | None = None,
    ) -> None:
        """``name`` is for the titles of jobs, ``store`` the key of the store whose jobs they are, ``stamp`` differs where bytes do.

        ``data_ranges`` tells the stretches that are not holes, where somebody knows.
        """
        self.size = size
        self.name = name
        self.read = read
        self.stamp = stamp
        self._runner = runner
        self._store = store
        self._data_ranges = data_ranges

    def fetch(
        self,
        offset: int,
        length: int,
        then: Callable[[bytes], object],
        failed: Callable[[BaseException], object],
        still_wanted: Callable[[], bool] | None = None,
    ) -> Job:
        """Read part of it in a job that nobody sees; exactly one of the two is called, if it is still wanted then."""
        return self._runner.start(
            f"Reading {self.name}",
            lambda progress: self.read(offset, length, progress),
            store=self._store,
            quiet=True,
            on_done=then,
            on_failed=failed,
            still_wanted=still_wanted,
        )

    def start(
        self,
        title: str,
        work: Callable[[Progress], Result],
        then: Callable[[Result], object],
        failed: Callable[[BaseException], object],
        cancelled: Callable[[], object] | None = None,
        *,
        quiet: bool = False,
        still_wanted: Callable[[], bool] | None = None,
    ) -> Job:
        """Do something with the bytes in a job; one of the three is called, if it is still wanted then."""
        return self._runner.start(
            title,
            work,
            store=self._store,
            quiet=quiet,
            on_done=then,
            on_failed=failed,
            on_cancelled=cancelled,
            still_wanted=still_wanted,
        )

    def cancel(self, job: Job) -> None:
        """Stop a job of this source."""
        self._runner.cancel(job)

    def data_ranges(self, progress: Progress) -> Ranges:
        """The stretches that may hold anything but zeros; called on workers."""
        return self._data_ranges(progress) if self._data_ranges is not None else [(0, self.size)]


def open_stored(
    runner: JobRunner,
    store: Store,
    place: str,
    then: Callable[[ByteSource], object],
    failed: Callable[[BaseException], object],
) -> Job:
    """Look at a file of a store, which is called so in a snapshot, in a job that nobody sees; one of the two is called."""
    name, key = clip(printable(shorten(place))), str(store.path)

    def work(_progress: Progress) -> StoredFile:
        return StoredFile(lambda: store.open_file(place), name)

    def found(file: StoredFile) -> None:
        then(
            ByteSource(
                runner,
                file.size,
                lambda offset, length, _progress: file.read(offset, length),
                name=name,
                store=key,
                stamp=file.stamp,
                data_ranges=file.data_ranges,
            )
        )

    return runner.start(f"Reading {name}", work, store=key, quiet=True, on_done=found, on_failed=failed)
