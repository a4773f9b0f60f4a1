"""What people write for a place among bytes: an offset, decimal or hexadecimal, a part of the whole, a distance."""

import re
from fractions import Fraction

from gui import text

_PLACE = re.compile(r"(?P<sign>[+-]?)(?:0x(?P<hex>[0-9a-f]+)|(?P<digits>[0-9]+)(?P<rest>\.[0-9]+)?(?P<percent>%?))")
_GAPS = re.compile(r"[\s_,']")
_LONGEST = 60
EXAMPLES = "1234, 0x4d2, 50 %, +16 or end"


def offset_of(words: str, current: int, size: int) -> int | str:
    """The offset that somebody wrote; else a sentence that says why there is none."""
    written = _GAPS.sub("", words.strip().lower())
    if written in ("end", "start"):
        return max(0, size - 1) if written == "end" else 0
    found = _PLACE.fullmatch(written) if len(written) <= _LONGEST else None
    if found is None or bool(found["percent"]) < bool(found["rest"]) or (found["percent"] and found["sign"]):
        return f"Write a place as {EXAMPLES}."
    if found["percent"]:
        share = Fraction(found["digits"] + (found["rest"] or "")) / 100
        return min(int(size * share), max(0, size - 1)) if share <= 1 else "There is nothing behind 100 %."
    distance = int(found["hex"], 16) if found["hex"] else int(found["digits"])
    place = {"": distance, "+": current + distance, "-": current - distance}[found["sign"]]
    if place < 0:
        return "That is before the first byte."
    if place >= size:
        return f"That is behind the last byte, which is at {size - 1:#x} ({text.number(size - 1)})."
    return place
