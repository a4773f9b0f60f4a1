"""Digests as the image specification writes them, and how to compute them.

Grammar and registered algorithms: image-spec ``descriptor.md``, section Digests.
"""

import hashlib
import re
from typing import TYPE_CHECKING

from engine.errors import InvalidDigest, NotCheckable

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash

_GRAMMAR = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")
_REGISTERED = re.compile(r"(?:sha256|blake3):[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LENGTHS = {"sha256": 64, "sha512": 128, "blake3": 64}
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
LONGEST = 512
"""Characters of the longest digest that is accepted; file names end at 255 bytes anyway."""


class Digest(str):
    """``algorithm:encoded``, checked against the grammar, so that it is safe as a path below ``blobs``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Return ``text`` as a digest.

        Raises ``InvalidDigest`` where it breaks the grammar, or where a registered algorithm has another length or
        upper-case letters.
        """
        if _REGISTERED.fullmatch(text):
            return cls(text)
        if len(text) > LONGEST or not _GRAMMAR.fullmatch(text):
            raise InvalidDigest(
                f"{clip(text)!r} is not a digest.",
                place=clip(text),
                expected="algorithm:encoded, for example sha256: and 64 lower-case hexadecimal digits",
                found=clip(text),
            )
        algorithm, _, encoded = text.partition(":")
        length = _LENGTHS.get(algorithm)
        if length is not None:
            raise InvalidDigest(
                f"{clip(text)!r} is not a {algorithm} digest.",
                place=clip(text),
                expected=f"{length} lower-case hexadecimal digits after {algorithm}:",
                found=f"{len(encoded)} characters",
            )
        return cls(text)

    @property
    def algorithm(self) -> str:
        return self[: self.index(":")]

    @property
    def encoded(self) -> str:
        return self[self.index(":") + 1 :]

    @property
    def short(self) -> str:
        """``sha256:9f2c…41ab``: the middle left out, never the tail."""
        return shorten(self)

    @property
    def checkable(self) -> bool:
        """Whether this program can compute the algorithm; otherwise content is "not checkable", never "bad"."""
        return self.partition(":")[0] in _HASHES

    def hasher(self) -> "_Hash":
        """A new hash of the digest's algorithm; raises ``NotCheckable`` where this program has none."""
        if not self.checkable:
            raise NotCheckable(
                f"{self.short} cannot be checked: this program does not compute {self.algorithm}.",
                place=str(self),
                expected=" or ".join(_HASHES),
                found=self.algorithm,
            )
        return _HASHES[self.algorithm]()


def new_hash(algorithm: str) -> "Callable[..., _Hash] | None":
    """What makes hashes of an algorithm; None for one that this program cannot compute."""
    return _HASHES.get(algorithm)


def digest_of(content: bytes, algorithm: str = "sha256") -> Digest:
    """The digest of bytes in memory; ``algorithm`` is sha256 or sha512."""
    return Digest(f"{algorithm}:{_HASHES[algorithm](content).hexdigest()}")


def shorten(digest: str) -> str:
    """A digest with the middle left out, for lists; short ones stay whole."""
    algorithm, colon, encoded = digest.partition(":")
    return f"{algorithm}{colon}{encoded[:4]}…{encoded[-4:]}" if len(encoded) > 12 else digest


def clip(text: str, limit: int = 120) -> str:
    """Text from a store, cut for a message."""
    return text if len(text) <= limit else f"{text[:limit]}…"
