"""Takes files out of images and blobs out of a store, onto the disk: each time as a job, and told."""

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from PySide6.QtCore import QObject, Signal

from engine.directory import explained
from engine.errors import Refused, StorageFailed
from engine.progress import Progress
from engine.store import Store
from gui import taken, text
from gui.copies import Copies
from gui.jobs import Job, JobRunner
from gui.outcome import Notice

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.extracting import Extraction

MOST_COPIED = 100_000_000
"""Bytes that are made for a drag or for the clipboard, where nobody has said yet that they are wanted."""


_TOLD = 1000
"""Paths that are in the details of a message."""
_ELSEWHERE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR})
"""Failures that another folder helps against."""


class Wanted(ABC):
    """Something of a store that can be taken out."""

    doing: ClassVar[str]
    """``Extracting``: the job is called so."""
    offer: ClassVar[str]
    """``Extract to…``: the words of a button that asks where to."""
    question: ClassVar[str]
    """``Extract {} to a folder``: the title of what asks where to."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        """What it is called, fit to show."""
        self.size = size
        """Its bytes, as far as they are known before it is looked at."""
        self.is_corrupt = False
        """Whether some of it is known to be corrupt, once it was taken out."""

    @abstractmethod
    def take(self, store: Store, cache: Path, target: Path, progress: Progress, most: int | None) -> "Extraction":
        """Make it in a folder, on a worker; ``cache`` remembers layers, and over ``most`` bytes raises ``Refused``."""

    @abstractmethod
    def tell(self, done: "Extraction", target: Path) -> str:
        """What was made, in sentences."""

    def doubts(self, done: "Extraction") -> list[str]:
        """What cannot be promised of it, in sentences."""
        return taken.doubts(is_verified=done.is_verified, is_corrupt=self.is_corrupt and not done.is_verified)

    def despite(self, error: BaseException) -> "tuple[str, Wanted] | None":
        """What else can be done after a failure: the words of a button, and what is taken then."""
        return None


class Chosen(NamedTuple):
    """What is wanted, and who takes it out."""

    out: "TakingOut"
    what: Wanted


class TakingOut(QObject):
    """Takes things out of one store."""

    noticed = Signal(object)
    """A ``Notice``: what was taken out, or why it was not."""
    folderAsked = Signal(object)
    """Somebody wants to say where this, a ``Chosen``, is to go."""
    showAsked = Signal(object)
    """Somebody wants to see this file, a ``Path``, where it lies."""
    listAsked = Signal(object)
    """Somebody wants to read what came out otherwise: an ``Extraction``."""

    def __init__(self, parent: QObject, runner: JobRunner, store: Store, cache: Path, copies: Copies) -> None:
        """``cache`` is the folder where layers are remembered, ``copies`` has room for what is dragged or copied."""
        super().__init__(parent)
        self._runner = runner
        self._store = store
        self._cache = cache
        self.copies = copies

    def take(self, what: Wanted, target: Path) -> Job:
        """Make it in a folder of the person's, and say what came of that."""
        kept: list[Extraction] = []

        def work(progress: Progress) -> "Extraction":
            with _about_the_target():
                _keep_out(self._store, target)
                kept.append(what.take(self._store, self._cache, target, progress, None))
            return kept[0]

        def cancelled() -> None:
            if kept:  # it was whole before the wish to stop arrived
                self._tell(what, target, kept[0])
                return
            where = text.plain(str(target))
            self.noticed.emit(Notice("notice", f"{what.doing} {what.name} was stopped. Nothing of it is in {where}."))

        return self._start(
            what,
            work,
            precious=True,
            done=partial(self._tell, what, target),
            failed=partial(self._tell_failure, what, target),
            cancelled=cancelled,
        )

    def copy(
        self,
        what: Wanted,
        then: "Callable[[Extraction], object]",
        failed: Callable[[], object],
    ) -> Job | None:
        """Make it where other programs can read it until the program ends; None where it is too large for that.

        What nobody takes is given back with ``discard``, what is stopped goes by itself.
        ``then`` gets what was made; ``failed`` is called when nothing was, for a reason that has been told.
        """
        if what.size > MOST_COPIED:
            self.offer_instead(what, f"{what.name} is too large to be copied or dragged: {_limits(what.size)}.")
            return None

        folders: list[Path] = []

        def work(progress: Progress) -> "Extraction":
            folder = self.copies.new_folder()
            try:
                made = what.take(self._store, self._cache, folder, progress, min(MOST_COPIED, self.copies.room()))
                progress.check()
            except BaseException:
                self.copies.discard(folder)
                raise
            folders.append(folder)
            return made

        def cancelled() -> None:
            self._discard(folders)  # it was whole before the wish to stop arrived
            failed()

        def fail(error: BaseException) -> None:
            self.noticed.emit(Notice.of(error, what.offer, self._ask_folder(what)))  # there it may be of use in part
            failed()

        def done(made: "Extraction") -> None:
            if made.placed:
                then(made)
            else:
                self._discard(folders)
                self.noticed.emit(Notice("warning", " ".join(taken.otherwise(made)) or "There is nothing in it."))
                failed()

        return self._start(what, work, precious=False, done=done, failed=fail, cancelled=cancelled)

    def discard(self, made: "Extraction") -> None:
        """Remove copies that nobody took."""
        self._discard({path.parent for path in made.placed})

    def stop(self, job: Job) -> None:
        """Stop making something, unless that is over."""
        self._runner.cancel(job)

    def tell_otherwise(self, what: Wanted, done: "Extraction") -> None:
        """Say what of the copies is not as it is in the store, where anything is."""
        sentences = [*taken.otherwise(done), *what.doubts(done)]
        if sentences:
            self.noticed.emit(
                Notice("warning" if done.left_out_count else "notice", " ".join(sentences), more=self._list(done))
            )

    def offer_instead(self, what: Wanted, sentence: str) -> None:
        """Say why something cannot be had so quickly, and offer to make it in a folder instead."""
        self.noticed.emit(Notice("notice", sentence, "", what.offer, self._ask_folder(what)))

    # ---------------------------------------------------------------------------------------------- inside

    def _discard(self, folders: Collection[Path]) -> None:
        def work(_progress: Progress) -> None:
            for folder in folders:
                self.copies.discard(folder)

        if folders:
            self._runner.start("Removing copies", work, quiet=True)

    def _start(
        self,
        what: Wanted,
        work: "Callable[[Progress], Extraction]",
        *,
        precious: bool,
        done: "Callable[[Extraction], object]",
        failed: Callable[[BaseException], object],
        cancelled: Callable[[], object],
    ) -> Job:
        return self._runner.start(
            f"{what.doing} {what.name}",
            work,
            store=str(self._store.path),
            precious=precious,
            on_done=done,
            on_failed=failed,
            on_cancelled=cancelled,
        )

    def _tell(self, what: Wanted, target: Path, done: "Extraction") -> None:
        show = partial(self.showAsked.emit, done.placed[0]) if done.placed else None
        details = "\n".join(f"{path}: {fate}" for path, fate, _ in taken.rows(done)[:_TOLD])
        self.noticed.emit(
            Notice(
                "warning" if done.left_out_count or not done.is_verified else "success",
                what.tell(done, target),
                text.plain(details, -1, lines=True),
                "Show in file manager" if show else "",
                show,
                self._list(done),
            )
        )

    def _tell_failure(self, what: Wanted, target: Path, error: BaseException) -> None:
        other = what.despite(error)
        if other is not None:
            words, wanted = other
            self.noticed.emit(Notice.of(error, words, partial(self.take, wanted, target)))
        elif isinstance(error, (Refused, StorageFailed)):
            self.noticed.emit(Notice.of(error, "Choose another folder…", self._ask_folder(what)))
        else:
            self.noticed.emit(Notice.of(error))

    def _list(self, done: "Extraction") -> tuple[tuple[str, Callable[[], object]], ...]:
        if len(done.renamed) + done.left_out_count < 2:
            return ()  # the sentence has told all of it
        return (("Show what is different", partial(self.listAsked.emit, done)),)

    def _ask_folder(self, what: Wanted) -> Callable[[], object]:
        return partial(self.folderAsked.emit, Chosen(self, what))


@contextmanager
def _about_the_target() -> Iterator[None]:
    """What helps where a store cannot be written to is not what helps in a folder of the person's."""
    try:
        yield
    except StorageFailed as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _ELSEWHERE:
            error.remedy = "Choose a folder that you can write to."
        raise


def _limits(size: int) -> str:
    return f"it has {text.size(size)}, and {text.size(MOST_COPIED)} is the most"


def _keep_out(store: Store, target: Path) -> None:
    """Refuse to write into the store's own folder: nothing but blobs and documents belongs there."""
    with explained("Writing to", str(target)):
        here = store.path.stat()
        found = target.resolve(strict=True)
        inside = any(os.path.samestat(folder.stat(), here) for folder in (found, *found.parents))
    if inside:
        raise Refused(f"{text.plain(str(target))} is in the store itself, where nothing else belongs.")
