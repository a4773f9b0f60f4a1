"""``Metadata``: facts about a blob that are no part of its content, each under a key.

Docker's image store keeps them in ``metadata/<algorithm>/<encoded>/<key>`` (moby ``image/fs.go``); a layout gets the
same folder when a person adds the first key, and loses it with the last one.
"""

import logging
import re
from contextlib import suppress

from engine.blobs import Blobs
from engine.digest import Digest, clip
from engine.directory import Directory, explained
from engine.durable import remove_empty, replace, staging, sync, unlink, write_file
from engine.errors import InvalidKey, MetadataMissing, Refused
from engine.root import StoreRoot

logger = logging.getLogger(__name__)

VALUE_LIMIT = 1 << 20
"""Bytes of the largest value."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_FOLDER = "metadata"
_ATTEMPTS = 16


class Metadata:
    """The metadata of one open store. Every method may be called from any thread, beside any other."""

    def __init__(self, root: StoreRoot, blobs: Blobs, *, keep_folders: bool = False) -> None:
        self._root = root
        self._blobs = blobs
        self._keep_folders = keep_folders

    def keys(self, digest: str) -> list[str]:
        """The keys under which something is kept, sorted; what could not be a key is left out."""
        digest = Digest.parse(digest)
        with explained("Reading metadata in", self._root.path):
            try:
                return [name for name in self._folder(digest).names() if _KEY.fullmatch(name)]
            except FileNotFoundError:
                return []

    def get(self, digest: str, key: str) -> bytes:
        """The value under a key; raises ``MetadataMissing``, ``BlobMissing``, ``InvalidKey``, ``StorageFailed``."""
        digest, key = Digest.parse(digest), check_key(key)
        self._blobs.stat(digest)
        with explained("Reading metadata in", self._root.path):
            try:
                return self._folder(digest).read(key, VALUE_LIMIT)[0]
            except FileNotFoundError:
                raise MetadataMissing(f"{digest.short} has no metadata named {key}.", place=digest) from None

    def set(self, digest: str, key: str, value: bytes) -> None:
        """Keep a value under a key, in place of an older one, so that it survives a power cut.

        Raises ``BlobMissing`` for a blob that is not there, ``InvalidKey``, ``Refused`` for a value over
        ``VALUE_LIMIT``, ``StorageFailed``.
        """
        digest, key = Digest.parse(digest), check_key(key)
        if len(value) > VALUE_LIMIT:
            raise Refused(
                f"The value of {key} is too large.",
                place=digest,
                expected=f"at most {VALUE_LIMIT:,} bytes",
                found=f"{len(value):,} bytes",
            )
        self._blobs.stat(digest)
        root = self._root.to_change()
        with explained("Writing metadata to", self._root.path), staging(root) as stage:
            write_file(stage, key, value, self._root.rights)
            for attempt in range(_ATTEMPTS):
                try:
                    folder = self._root.reach_to_change(_FOLDER, digest.algorithm, digest.encoded, make=True)
                    replace(stage, key, folder, key)
                    sync(folder)
                    return
                except FileNotFoundError:  # somebody has just deleted the last key, and with it the folder
                    if attempt == _ATTEMPTS - 1:
                        raise

    def delete(self, digest: str, key: str) -> bool:
        """Forget a key; False when there was none. The folders that it leaves empty go, too."""
        digest, key = Digest.parse(digest), check_key(key)
        return self._delete(digest, [key])

    def delete_all(self, digest: str) -> bool:
        """Forget everything that is kept about a blob; False when there was nothing."""
        digest = Digest.parse(digest)
        return self._delete(digest, self.keys(digest))

    def _delete(self, digest: Digest, keys: list[str]) -> bool:
        with explained("Deleting metadata in", self._root.path):
            try:
                folder = self._root.reach_to_change(_FOLDER, digest.algorithm, digest.encoded, make=False)
            except FileNotFoundError:
                return False
            gone = [key for key in keys if unlink(folder, key)]
            try:
                algorithm = self._root.to_change().child(_FOLDER).child(digest.algorithm)
                if remove_empty(algorithm, digest.encoded):
                    sync(algorithm)
                    self.remove_empty_folders(digest.algorithm)
            except OSError as error:  # somebody else has just done it; or they stay, in nobody's way
                logger.debug("The empty folders of %s stay: %s", digest.short, error)
        return bool(gone)

    def remove_empty_folders(self, algorithm: str) -> None:
        """Remove the folders above those of the blobs, as far as nothing is in them; Docker's own folders stay."""
        if self._keep_folders:
            return
        with suppress(FileNotFoundError, NotADirectoryError):  # somebody else has just done it
            root = self._root.to_change()
            for parent, name in ((root.child(_FOLDER), algorithm), (root, _FOLDER)):
                if not remove_empty(parent, name):
                    return
                sync(parent)

    def _folder(self, digest: Digest) -> Directory:
        """The folder of a blob's metadata, through no link."""
        folder = self._root.directory
        for name in (_FOLDER, digest.algorithm, digest.encoded):
            folder = folder.child(name)
        return folder


def check_key(key: str) -> str:
    """The key itself; raises ``InvalidKey`` unless it is safe as a file name everywhere."""
    if _KEY.fullmatch(key):
        return key
    raise InvalidKey(
        f"{clip(key)!r} cannot be a key.",
        place=clip(key),
        expected="1 to 128 letters, digits, dots, hyphens and underscores, beginning with a letter or digit",
        found=clip(key),
    )
