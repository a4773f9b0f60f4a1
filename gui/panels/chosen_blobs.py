"""Blobs that are to be saved as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.columns import Rows
from engine.digest import Digest, shorten
from engine.document import TITLE
from engine.errors import BlobError, Cancelled, DigestMismatch, EngineError, Refused, SizeMismatch
from engine.filenames import readable_name
from engine.progress import Progress
from engine.snapshot import Snapshot
from engine.store import Store
from gui import taken, text
from gui.panels.naming import descriptor_of, parts_above
from gui.panels.selected import Selected
from gui.session import Selection, Session
from gui.taking_out import Chosen, Wanted

if TYPE_CHECKING:  # needed by the workers only
    from engine.extracting import Extraction

_FEW = 8
"""References to a blob that are asked what it is called."""
_TOLD = 1000
"""Blobs that are told one by one where they could not be saved."""


class _Part(Progress):
    """The progress of one of several things, which adds to that of the whole."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._whole = whole

    def advance(self, amount: int = 1) -> None:
        self._whole.advance(amount)

    def check(self) -> None:
        self._whole.check()


class ChosenBlobs(Wanted):
    """Blobs with a file each, under names that people can read."""

    doing = "Saving"
    offer = "Save as…"
    question = "Save {} in a folder"

    def __init__(self, snapshot: Snapshot, rows: Rows, name: str = "", *, even_if_wrong: bool = False) -> None:
        """``name`` is what a single one is to be called; ``even_if_wrong`` also saves what is corrupt."""
        self.rows = rows
        self._snapshot = snapshot
        self._name = name
        self._even_if_wrong = even_if_wrong
        self.suggestion = name or (file_name(snapshot, int(rows[0])) if len(rows) == 1 else "")
        """What a single one is called, unless somebody says otherwise."""
        size = int(snapshot.columns.sizes[rows].sum())
        super().__init__(text.plain(self.suggestion) or text.count(len(rows), "blob"), size)
        self.is_corrupt = even_if_wrong

    def called(self, name: str) -> "ChosenBlobs":
        """The same blob under another name."""
        return ChosenBlobs(self._snapshot, self.rows, name, even_if_wrong=self._even_if_wrong)

    def take(self, store: Store, cache: Path, target: Path, progress: Progress, most: int | None) -> "Extraction":
        from engine.extracting import Extraction, save_blob

        if most is not None and self.size > most:
            sentence = f"{self.name} would need {text.size(self.size)}, and there is room for {text.size(most)}."
            raise Refused(sentence, remedy="Save it in another folder.")
        progress.start(self.doing, self.size)
        part = _Part(progress)
        done = Extraction()
        digests = [self._snapshot.name(row) for row in self.rows.tolist()]
        for number, (row, digest) in enumerate(zip(self.rows.tolist(), digests, strict=True)):
            wanted = self._name or file_name(self._snapshot, row)
            try:
                made = save_blob(store.blobs, digest, wanted, target, part, even_if_wrong=self._even_if_wrong)
            except BlobError as error:
                if len(digests) == 1:
                    raise
                _leave_out(done, [digest], str(error))
                continue
            except (EngineError, Cancelled) as error:
                if not done.placed:
                    raise
                _leave_out(done, digests[number:], str(error) or "It was stopped before.")
                break
            done.placed.append(made)
            done.files += 1
            done.size += int(self._snapshot.columns.sizes[row])
            done.is_verified &= Digest.parse(digest).checkable and not self._even_if_wrong
            if made.name != wanted:
                done.renamed.append((wanted, made.name))
        return done

    def tell(self, done: "Extraction", target: Path) -> str:
        return taken.saved(done, target, self.doubts(done))

    def despite(self, error: BaseException) -> tuple[str, Wanted] | None:
        if not isinstance(error, (DigestMismatch, SizeMismatch)) or len(self.rows) != 1:
            return None
        wrong = ChosenBlobs(self._snapshot, self.rows, self._name, even_if_wrong=True)
        return "Save it all the same", wrong


def choose_blobs(session: Session, selected: Selected) -> Chosen | None:
    """Those blobs of what is selected that have files; None where none has."""
    snapshot, rows = session.snapshot, selected.with_files
    if snapshot is None or selected.is_past or not len(rows):
        return None
    return Chosen(session.taking_out, ChosenBlobs(snapshot, rows))


def choose_blob(session: Session, digest: str) -> Chosen | None:
    """A single blob; None where it has no file."""
    return choose_blobs(session, Selected(session, [Selection(session, digest)]))


def file_name(snapshot: Snapshot, row: int) -> str:
    """What to call a blob as a file."""
    titles = (descriptor_of(snapshot, edge).annotations.get(TITLE) for edge, _ in parts_above(snapshot, row, _FEW))
    return readable_name(snapshot.name(row), snapshot.media_type(row), next(filter(None, titles), ""))


def _leave_out(done: "Extraction", digests: Sequence[str], reason: str) -> None:
    done.left_out_count += len(digests)
    done.left_out += [(shorten(digest), reason) for digest in digests[:_TOLD]]
