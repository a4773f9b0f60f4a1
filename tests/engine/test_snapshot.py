"""The states of rows: the order of them is the order of what matters."""

import numpy as np

from engine import snapshot as facts
from engine.snapshot import Outcome, State, states_of


def state(flags: int, outcome: Outcome = Outcome.NONE) -> State:
    return State(int(states_of(np.array([flags], np.uint16), np.array([outcome], np.uint8))[0]))


SOUND = facts.PRESENT | facts.REGULAR | facts.REFERENCED | facts.REACHABLE


def test_what_is_wrong_wins_over_what_is_merely_unused() -> None:
    unused = facts.PRESENT | facts.REGULAR
    assert state(unused) == State.UNUSED
    assert state(unused, Outcome.VERIFIED) == State.UNUSED
    assert state(unused, Outcome.CORRUPT) == State.CORRUPT
    assert state(unused | facts.DOCUMENT | facts.COMPLETE) == State.LOST
    assert state(facts.PRESENT) == State.NOT_REGULAR


def test_hashing_decides_between_not_checked_verified_and_corrupt() -> None:
    assert state(SOUND) == State.NOT_CHECKED
    assert state(SOUND, Outcome.VERIFIED) == State.VERIFIED
    assert state(SOUND, Outcome.CORRUPT) == State.CORRUPT
    assert state(SOUND, Outcome.CHANGED) == State.NOT_CHECKED
    assert state(SOUND | facts.SIZE_DIFFERS, Outcome.VERIFIED) == State.SIZE_DIFFERS
    assert state(SOUND | facts.SIZE_DIFFERS, Outcome.CORRUPT) == State.SIZE_DIFFERS


def test_absence_is_missing_unless_it_is_legal() -> None:
    wanted = facts.REFERENCED | facts.REACHABLE
    assert state(wanted) == State.MISSING
    assert state(wanted | facts.EXTERNAL) == State.EXTERNAL
    assert state(wanted | facts.PENDING) == State.CHECKING


def test_an_unknown_algorithm_is_never_good_or_bad() -> None:
    assert state(SOUND | facts.UNCHECKABLE) == State.NOT_CHECKABLE
