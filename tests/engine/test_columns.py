"""Columns of facts: names are found by bisection, and what is put together stays sorted and keeps its facts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.columns import as_names, empty_columns, find_rows, join, same_files, with_names

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
