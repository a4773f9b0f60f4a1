"""Distinct numbers are those that NumPy's own, slower way gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.distinct import distinct, others

NUMBERS = st.lists(st.integers(-5, 20)).map(lambda numbers: np.array(numbers, np.int64))


@given(NUMBERS)
def test_each_number_comes_once_and_in_order(numbers: np.ndarray) -> None:
    assert distinct(numbers).tolist() == sorted(set(numbers.tolist()))


@given(NUMBERS, NUMBERS)
def test_others_are_those_that_are_not_known(numbers: np.ndarray, known: np.ndarray) -> None:
    assert others(numbers, np.sort(known)).tolist() == sorted(set(numbers.tolist()) - set(known.tolist()))
