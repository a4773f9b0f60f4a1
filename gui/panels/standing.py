"""How a row stands together with its parts, in the words that the tree of images has for it."""

from typing import NamedTuple

import numpy as np

from engine.document import Index, Manifest
from engine.snapshot import State
from gui import text
from gui.panels import naming
from gui.session import Session


class Standing(NamedTuple):
    """The state that matters most among a row and its parts; ``parts`` have made it so, 0 where it is the row's own."""

    state: State
    parts: int = 0

    @property
    def words(self) -> str:
        """``Missing: 1 part``, or the word alone."""
        word = text.STATES[self.state].word
        return f"{word}: {text.count(self.parts, 'part')}" if self.parts else word


def standing(session: Session, row: int) -> Standing:
    """How a row of the session's snapshot stands: verified only where every part of it is."""
    snapshot = session.snapshot
    own, worst = session.state(row), session.worst_state(row)
    if snapshot is None or (own == worst and own != State.VERIFIED):
        return Standing(own)
    if not isinstance(snapshot.document(row), (Manifest, Index)):
        return Standing(worst)
    states = session.states[naming.parts_below(snapshot, row)]
    if own != worst:
        return Standing(worst, int(np.count_nonzero(states == worst)))
    unknown = np.any((states == State.NOT_CHECKED) | (states == State.CHECKING))
    return Standing(State.NOT_CHECKED if unknown else own)
