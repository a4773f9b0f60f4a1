"""What a filter asks of images and blobs, as values: ``filtering.py`` reads them, ``matching.py`` answers them."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.snapshot import Kind, State


@dataclass(frozen=True)
class Words:
    """Plain text, folded for comparing."""

    text: str


@dataclass(frozen=True)
class DigestStart:
    """The beginning of a digest, with or without its algorithm; after "…" its end."""

    text: str


@dataclass(frozen=True)
class OfKind:
    """What a blob is: one of the kinds, any manifest, or part of a media type."""

    kinds: frozenset[Kind] = frozenset()
    manifests: bool = False
    media_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class InState:
    """What is known of its soundness."""

    states: frozenset[State]


@dataclass(frozen=True)
class Measure:
    """A number compared: "size" in bytes, "used" in references, "age" in seconds."""

    what: str
    sign: str
    value: int

    def holds(self, numbers: NDArray[Any]) -> NDArray[np.bool_]:
        """For which of these numbers it is so."""
        found: NDArray[np.bool_] = _SIGNS[self.sign](numbers, self.value)
        return found


@dataclass(frozen=True)
class OnPlatform:
    """Images for one of these platforms, or parts of their names."""

    platforms: tuple[str, ...]

    def holds(self, platform: str) -> bool:
        """Whether a platform, folded, is one of them."""
        parts = platform.split("/")
        return any(
            wanted in parts or platform == wanted or platform.startswith(f"{wanted}/") for wanted in self.platforms
        )


@dataclass(frozen=True)
class Tagged:
    """Images whose tag, or whole name, is like a pattern."""

    pattern: re.Pattern[str]

    def holds(self, names: str) -> bool:
        """Whether one of the names, folded and one a line, is like it."""
        return any(self.pattern.fullmatch(name) or self.pattern.fullmatch(tag_of(name)) for name in names.split("\n"))


@dataclass(frozen=True)
class Labelled:
    """Images with a label or annotation; ``pattern`` None for any value."""

    key: str
    pattern: re.Pattern[str] | None

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether one of them is such a label."""
        return any(
            key.casefold() == self.key
            and (self.pattern is None or self.pattern.fullmatch(value.casefold()) is not None)
            for key, value in labels.items()
        )


Condition = Words | DigestStart | OfKind | InState | Measure | OnPlatform | Tagged | Labelled


class Term(NamedTuple):
    """One condition, or its opposite."""

    condition: Condition
    negated: bool = False


@dataclass(frozen=True)
class Query:
    """A filter: all its terms must hold."""

    terms: tuple[Term, ...] = ()

    @property
    def asks_for_states(self) -> bool:
        """Whether the answer changes while blobs are being checked."""
        return any(isinstance(term.condition, InState) for term in self.terms)


EVERYTHING = Query()


def tag_of(name: str) -> str:
    """The tag of a reference name: what stands after its last colon, unless that is a port; else the name itself."""
    tag = name.rpartition("/")[2].rpartition(":")[2]
    return tag or name


_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}
