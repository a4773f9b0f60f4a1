"""What is wrong with a store, as values: rules of the specification, and findings of where they are broken.

A rule is data that a person can read beside the specification; a finding is one place where it does not hold. Where a
rule cannot be decided (an unknown media type, an algorithm that nobody here computes) there is no finding: what is not
checkable is neither good nor bad.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum

import msgspec


class Severity(IntEnum):
    """How bad a finding is. The specification's MUST and REQUIRED are errors, its SHOULD warnings, its notes infos."""

    INFO = 0
    WARNING = 1
    ERROR = 2


class Remedy(Enum):
    """What can safely be done about a finding; ``engine.remedies`` does it."""

    ADD_MARKER = "Add the file oci-layout"
    EMPTY_LIST = "Write [] for null"
    RIGHT_SIZE = "Write the right size"
    ADD_TO_INDEX = "Add to the index"
    CLEAN = "Clean up leftovers"
    REPLACE = "Replace with a good copy"


class Rule(msgspec.Struct, frozen=True):
    """One rule: its number (V24, X3), what it asks for in a sentence of our own, and where that is written."""

    id: str
    severity: Severity
    title: str
    """What is wrong where it is broken, for the head of a group: "A descriptor's size is not a count of bytes"."""
    text: str
    """What the specification asks for, and what follows for the person."""
    source: str
    """The document and section that it comes from: "image-spec descriptor.md, Properties"."""
    remedy: Remedy | None = None


class Finding(msgspec.Struct, frozen=True):
    """One place where a rule is broken.

    ``place`` is a digest, or a path in the store such as ``index.json``; ``where`` the JSON path in that document, or the
    path of a file in that layer. ``expected`` and ``found`` are short texts, empty where there is nothing to compare.
    """

    rule: str
    severity: Severity
    sentence: str
    place: str
    where: str = ""
    expected: str = ""
    found: str = ""
    remedy: Remedy | None = None


class Findings(msgspec.Struct, frozen=True):
    """Everything that was found in one look at a store, the worst first.

    ``omitted`` counts by rule what was found beyond the most that is kept; ``deep`` says whether layers were read.
    """

    items: Sequence[Finding] = ()
    omitted: Mapping[str, int] = {}
    deep: bool = False

    def of(self, place: str) -> list[Finding]:
        """The findings at a place."""
        return [finding for finding in self.items if finding.place == place]
