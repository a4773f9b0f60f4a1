"""A snapshot's columns: names are found by bisection, and the order of the states is the order of what matters."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine import snapshot as facts
from engine.snapshot import Outcome, State, as_names, empty_columns, find_rows, join, same_files, states_of, with_names

NAMES = st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=8), unique=True)


@given(NAMES, NAMES)
def test_every_name_is_found_where_it_stands_and_no_other(names: list[str], wanted: list[str]) -> None:
    column = np.sort(as_names(names))
    rows = find_rows(column, as_names(wanted))
    assert [column[row].decode() if row >= 0 else None for row in rows] == [w if w in names else None for w in wanted]


@given(NAMES, NAMES)
def test_joined_columns_are_sorted_and_keep_their_facts(some: list[str], more: list[str]) -> None:
    more = [name for name in more if name not in some]
    columns = empty_columns(as_names(some))
    columns.sizes[:] = [len(name) for name in some]
    joined = with_names(columns, as_names(more))
    assert [name.decode() for name in joined.names] == sorted(some + more, key=str.encode)
    assert all(
        size == (len(name) if name.decode() in some else -1)
        for name, size in zip(joined.names, joined.sizes, strict=True)
    )


def test_only_unchanged_files_are_the_same() -> None:
    old = join([empty_columns(as_names(["a", "b", "c", "d"]))])
    new = join([empty_columns(as_names(["b", "c", "d", "e"]))])
    new.mtimes[1] = 7
    new.inodes[2] = 7
    rows, places = same_files(old, new)
    assert (rows.tolist(), places.tolist()) == ([1], [0])


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
