"""What the bytes of a store are good for: each file in its folders of blobs counts once, for one use.

Pure, over a snapshot that is complete. What is unused is what ``cleanup`` looks at and the window offers to clean up;
what is shared is what stays when one image goes, because another has it, too. A file with two names, which takes hard
links between digests of two algorithms, counts for each of them, as it does in the lists.
"""

from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.distinct import distinct
from engine.document import Role
from engine.snapshot import LINKED, PRESENT, REACHABLE, REGULAR, STRAY, Snapshot, State, mark_above

Uses = NDArray[np.uint8]


class Use(IntEnum):
    """What a file is good for."""

    ABSENT = 0  # there is no file
    USED = 1  # one image has it
    SHARED = 2  # more than one image or index has it, or has what it is a part of
    UNUSED = 3  # nothing that is named leads to it
    BROKEN = 4  # it is wanted, and something is wrong with it
    OTHER = 5  # a stray file, or one that nothing leads to where nothing is cleaned up


class Tally(msgspec.Struct, frozen=True):
    """How many files each ``Use`` has, and their bytes; ``missing`` counts what is wanted and has no file."""

    counts: dict[Use, int]
    sizes: dict[Use, int]
    missing: int

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(self.sizes.values())


def uses_of(snapshot: Snapshot) -> Uses:
    """The ``Use`` of each row, before anybody asks whether it is sound: never ``BROKEN``."""
    flags = snapshot.columns.flags
    uses = np.full(len(snapshot), Use.OTHER, np.uint8)
    if snapshot.store_kind == "layout":
        uses[(flags & (PRESENT | REGULAR | REACHABLE | STRAY | LINKED)) == PRESENT | REGULAR] = Use.UNUSED
    wanted = (flags & (REACHABLE | STRAY)) == REACHABLE
    uses[wanted] = Use.USED
    uses[wanted & _shared(snapshot)] = Use.SHARED
    uses[(flags & PRESENT) == 0] = Use.ABSENT
    return uses


def with_broken(uses: Uses, states: NDArray[np.uint8]) -> Uses:
    """The same, given the ``State`` of each row: what is wanted and bad is ``BROKEN``."""
    wanted = (uses == Use.USED) | (uses == Use.SHARED)
    return np.where(wanted & (states >= State.MISSING), np.uint8(Use.BROKEN), uses)


def tally(snapshot: Snapshot, uses: Uses, states: NDArray[np.uint8]) -> Tally:
    """How much of the store is what, by the uses that ``with_broken`` returns."""
    counts = np.bincount(uses, minlength=len(Use))
    sizes = [int(snapshot.columns.sizes[uses == use].sum()) for use in Use]
    return Tally(
        counts={use: int(counts[use]) for use in Use if use != Use.ABSENT},
        sizes={use: sizes[use] for use in Use if use != Use.ABSENT},
        missing=int(np.count_nonzero(states == State.MISSING)),
    )


def _shared(snapshot: Snapshot) -> NDArray[np.bool_]:
    """The rows that two documents have as a part, or a document and the index, with all that they are made of."""
    edges, count = snapshot.edges, max(len(snapshot), 1)
    parts = edges.roles <= Role.LAYER
    pairs = distinct(edges.sources[parts] * count + edges.targets[parts])
    wholes, parts_of = np.divmod(pairs, count)
    holders = np.bincount(parts_of[wholes != parts_of], minlength=len(snapshot))
    named = np.zeros(len(snapshot), np.bool_)
    named[[entry.row for entry in snapshot.entries if entry.row >= 0]] = True
    shared: NDArray[np.bool_] = holders + named > 1
    mark_above(shared, wholes, parts_of)  # downwards, because both sides have changed places
    return shared
