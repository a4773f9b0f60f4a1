"""What becomes of paths in an image is told for folders of any depth, and one who waits can stop that at every layer."""

from collections.abc import Sequence

import numpy as np
import pytest

from engine.errors import Cancelled
from engine.fates import Fate, Known, Matches, Touches, fates_of
from engine.progress import Progress
from engine.tarheader import REGULAR

NONE = np.zeros(0, np.int32)


def numbers(*found: int) -> np.ndarray:
    return np.array(sorted(found), np.int32)


def layer(known: Known, paths: Sequence[bytes] = (), emptied: Sequence[bytes] = ()) -> tuple[Matches, Touches]:
    """A layer that brings some files, and empties some folders."""
    places = np.array([known.number(path) for path in paths], np.int32)
    count = len(places)
    matches = Matches(
        count, places, places, np.full(count, REGULAR, np.uint8), np.zeros(count, np.int64), np.zeros(count, np.uint8)
    )
    gone = numbers(*(known.number(path) for path in emptied))
    return matches, Touches(len(known), numbers(*places.tolist()), NONE, NONE, gone)


class Counting(Progress):
    """Somebody who stops it after so many looks."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.checks > self.most:
            self.cancel()
        super().check()


def test_what_becomes_of_paths_can_be_stopped_at_every_layer():
    known = Known()
    stack = [layer(known, [b"a"]), None, *(layer(known, [b"b"]) for _ in range(20))]
    with pytest.raises(Cancelled):
        fates_of(stack, known.parents(), Counting(5))
    whole = Counting(1000)
    fates_of(stack, known.parents(), whole)
    assert whole.checks >= len(stack)


@pytest.mark.parametrize("depth", [1, 2, 1000])
def test_all_that_is_in_an_emptied_folder_is_gone_at_any_depth_and_nothing_beside_it(depth):
    known = Known()
    beside = [b"y" + b"/d" * depth + b"/f", b"x/other", b"xx", b"f"]
    inside = [b"x/a" + b"/d" * depth + b"/f", b"x/a/g", b"x/a" + b"/d" * depth + b"/h"]
    bottom = layer(known, [*beside, *inside, b"x/a"])
    fates, enders = fates_of([bottom, layer(known), layer(known, emptied=[b"x/a"])], known.parents(), Progress())
    assert fates.tolist() == [Fate.PRESENT] * 4 + [Fate.REMOVED] * 3 + [Fate.PRESENT]
    assert enders.tolist() == [-1] * 4 + [2] * 3 + [-1]


def test_an_emptied_root_takes_everything():
    known = Known()
    fates, _ = fates_of([layer(known, [b"f", b"a/b/g"]), layer(known, emptied=[b""])], known.parents(), Progress())
    assert fates.tolist() == [Fate.REMOVED] * 2
