"""Everything the engine raises on purpose.

EngineError                 a sentence, the place, what was expected and found, what a person can do
├── NotAStore               nothing that the engine knows lies at that path
├── AlreadyExists           create was asked for a path that is taken
├── InvalidName             a digest, an id, a metadata key or a file name that must not be used as one
│   ├── InvalidDigest
│   └── InvalidKey
├── DocumentError           JSON that is not what the specification asks for
├── BlobError               something about one blob
│   ├── BlobMissing
│   ├── BlobUnreadable      permission, input/output error, not a regular file
│   ├── DigestMismatch
│   ├── SizeMismatch
│   └── NotCheckable        its algorithm is none that this program can compute
├── MetadataMissing         nothing is kept under that key
├── Refused                 the engine could, but will not, because something would be lost
├── StoreBusy               another program holds the store's lock
├── StoreChanged            the disk moved on since the decision was made
├── StoreClosed             an operation after close()
└── StorageFailed           the operating system said no: full, read-only, no permission, broken

Cancelled                   the person asked to stop; not an error, so outside the tree
"""

import errno
import os


class EngineError(Exception):
    """A failure that a person can read.

    ``str(error)`` is one sentence. ``place`` is the file or digest concerned, ``expected`` and ``found`` are
    texts where there is something to compare, ``remedy`` says what the person can do.
    """

    def __init__(
        self, sentence: str, *, place: str = "", expected: str = "", found: str = "", remedy: str = ""
    ) -> None:
        super().__init__(sentence)
        self.place = place
        self.expected = expected
        self.found = found
        self.remedy = remedy


class NotAStore(EngineError):
    """Nothing that the engine knows lies at that path."""


class AlreadyExists(EngineError):
    """Create was asked for a path that is taken."""


class InvalidName(EngineError):
    """A text that must not be used as a name."""


class InvalidDigest(InvalidName):
    """A text that is not a digest as the image specification writes it."""


class InvalidKey(InvalidName):
    """A text that is not a metadata key."""


class DocumentError(EngineError):
    """JSON that is not what the specification asks for; ``place`` names the file or digest and the field.

    ``rule`` is the number of the rule that it breaks (``engine.rules``), where there is one of its own.
    """

    def __init__(
        self,
        sentence: str,
        *,
        place: str = "",
        expected: str = "",
        found: str = "",
        remedy: str = "",
        rule: str = "",
    ) -> None:
        super().__init__(sentence, place=place, expected=expected, found=found, remedy=remedy)
        self.rule = rule


class BlobError(EngineError):
    """Something about one blob; ``place`` is its digest."""


class BlobMissing(BlobError):
    """There is no file for that digest."""


class BlobUnreadable(BlobError):
    """The file is there, but it is not a regular file or cannot be read."""


class DigestMismatch(BlobError):
    """The content hashes to another digest."""


class SizeMismatch(BlobError):
    """The content has another length."""


class NotCheckable(BlobError):
    """The digest's algorithm is none that this program can compute."""


class MetadataMissing(EngineError):
    """Nothing is kept about that blob under that key."""


class Refused(EngineError):
    """The engine could, but will not, because something would be lost."""


class StoreBusy(EngineError):
    """Another program holds the store's lock."""


class StoreChanged(EngineError):
    """The disk moved on since the decision was made."""


class StoreClosed(EngineError):
    """An operation after ``close()``."""


class StorageFailed(EngineError):
    """The operating system said no."""

    @classmethod
    def from_os(cls, doing: str, place: str, error: OSError) -> "StorageFailed":
        """Say in a sentence that ``doing`` failed at ``place``, why, and what helps."""
        reason = os.strerror(error.errno) if error.errno else str(error)
        return cls(
            f"{doing} {place} failed: {reason}.", place=place, found=reason, remedy=_REMEDIES.get(error.errno or 0, "")
        )


_REMEDIES = {
    errno.ENOSPC: "Free some space on that disk and try again.",
    errno.EDQUOT: "Your quota on that disk is used up; free some space and try again.",
    errno.EROFS: "The disk is mounted read-only; copy the store to a writable one to change it.",
    errno.EACCES: "You have no permission there; open the store as its owner.",
    errno.EPERM: "You have no permission there; open the store as its owner.",
    errno.EIO: "The disk reports an input/output error; save what you can and check the disk.",
    errno.EXDEV: "It lies on another disk than the place that it came from; mount the disks as they were, and try again.",
    errno.EMFILE: "Too many files are open; close other programs or tabs and try again.",
    errno.ENFILE: "Too many files are open; close other programs and try again.",
}


class Cancelled(Exception):
    """The person asked to stop; what was finished before stays finished."""
