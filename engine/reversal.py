"""How one change of ``index.json`` is taken back, also when other programs have changed the file since.

As long as the file is what we wrote, its exact bytes from before come back. Otherwise entries are put back one by one,
wherever they still say what we wrote; where that would lose or contradict what others wrote, nothing is changed at all.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.digest import clip, digest_of, shorten
from engine.document import Descriptor
from engine.errors import StoreChanged
from engine.index import IndexText
from engine.jsontext import parse_strict
from engine.reading import read_descriptor

_Key = tuple[str, str | None]
"""Digest and name: what an entry is to people."""


class EntryChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one entry: its text before (None: it was added) and after (None: it was removed).

    ``position`` is where it stood: before, or, where it was added, after. ``twins`` counts the entries that still had
    its digest and name when it was gone. ``beside`` are the other digests for which its name stood, too.
    """

    position: int
    before: str | None = None
    after: str | None = None
    twins: int = 0
    beside: tuple[str, ...] = ()


class IndexChange(msgspec.Struct, frozen=True):
    """One change: between ``start`` and ``end`` characters that stayed, ``old`` became something else.

    ``before`` and ``after`` are the digests of the whole file, ``missing`` those of blobs to which entries led that
    are no more, and which were not there at that time either.
    """

    before: str
    after: str
    start: int
    end: int
    old: str
    entries: tuple[EntryChange, ...]
    missing: tuple[str, ...] = ()

    def leads_back_to(self) -> set[str]:
        """The digests to which entries lead that come back when it is taken back."""
        found = {_described(each.before).digest for each in self.entries if each.before is not None}
        return found - {""}


def compare(before: IndexText, after: IndexText) -> IndexChange:
    """The change that leads from one version to the other."""
    old, new = before.raw.decode(), after.raw.decode()
    start = _agreeing(old, new, 0)
    end = _agreeing_at_end(old, new, min(len(old), len(new)) - start)
    return IndexChange(
        before=str(digest_of(before.raw)),
        after=str(digest_of(after.raw)),
        start=start,
        end=end,
        old=old[start : len(old) - end],
        entries=tuple(_compare_entries(before, after)),
    )


def take_back(change: IndexChange, index: IndexText) -> None:
    """Edit an index so that the change has not happened; what has been taken back already stays as it is.

    Raises ``StoreChanged`` where something has come that this would contradict.
    """
    raw = index.raw
    found = digest_of(raw)
    if found == change.before:
        return
    if found == change.after:
        text = raw.decode()
        original = (text[: change.start] + change.old + text[len(text) - change.end :]).encode()
        if digest_of(original) == change.before:
            index.become(original)
            return
    if not change.entries:
        raise _moved_on("index.json has changed since", "that file as it was left")
    _take_back_entries(change.entries, index)


class _Item(NamedTuple):
    """An entry of the result: where it stands now, or its text; and what it says."""

    content: int | str
    descriptor: Descriptor


def _take_back_entries(changes: Sequence[EntryChange], index: IndexText) -> None:
    now: list[_Item | None] = [_Item(position, entry) for position, entry in enumerate(index.entries)]
    by_digest: dict[str, list[int]] = {}
    for position, entry in enumerate(index.entries):
        by_digest.setdefault(entry.digest, []).append(position)
    there = Counter(_key(entry) for entry in index.entries)
    returning: list[EntryChange] = []
    changed = []
    for each in changes:
        before = None if each.before is None else _described(each.before)
        if each.after is not None:
            after = _described(each.after)
            same = [n for n in by_digest.get(after.digest, ()) if (item := now[n]) is not None and item[1] == after]
            if same:
                at = min(same, key=lambda n: abs(n - each.position))
                now[at] = None if before is None or each.before is None else _Item(each.before, before)
                changed.append(each)
            elif before is None and after.name is not None and index.named(after.name):
                raise _moved_on(f"{_call(after)} has changed since", "the entry that was added")
            elif before is not None and not there[_key(before)]:
                raise _moved_on(f"{_call(after)} has changed since", "the entry that was changed")
        elif before is not None and there[_key(before)] <= each.twins:  # of several alike, as many as are missing
            there[_key(before)] += 1
            returning.append(each)
    result = _merged([item for item in now if item is not None], returning)
    _check_names(result, [*changed, *returning])
    index.arrange([item.content for item in result])


def _merged(items: Sequence[_Item], returning: Sequence[EntryChange]) -> list[_Item]:
    """The entries with those that come back, each where it stood."""
    waiting = sorted(returning, key=lambda each: each.position, reverse=True)
    result: list[_Item] = []
    for item in items:
        while waiting and waiting[-1].position <= len(result):
            result.append(_returned(waiting.pop()))
        result.append(item)
    return result + [_returned(each) for each in reversed(waiting)]


def _returned(change: EntryChange) -> _Item:
    assert change.before is not None
    return _Item(change.before, _described(change.before))


def _check_names(result: Sequence[_Item], changes: Sequence[EntryChange]) -> None:
    """Refuse to let a name that comes back stand for two things."""
    digests: dict[str, set[str]] = {}
    for item in result:
        if item.descriptor.name is not None:
            digests.setdefault(item.descriptor.name, set()).add(item.descriptor.digest)
    back = [(_described(each.before), each) for each in changes if each.before is not None]
    ours: dict[str | None, set[str]] = {}
    for entry, each in back:
        ours.setdefault(entry.name, set()).update((entry.digest, *each.beside))
    for entry, _ in back:
        if entry.name is not None and digests[entry.name] - ours[entry.name]:
            raise _moved_on(f"{_call(entry)} has come to stand for something else since", shorten(entry.digest))


def _compare_entries(before: IndexText, after: IndexText) -> list[EntryChange]:
    """What happened to each entry; what merely moved is no change."""
    old, new = before.entries, after.entries
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    gone = _only_in(before, after, first, last)
    come = _only_in(after, before, first, last)
    by_digest: dict[str, list[int]] = {}
    for position in reversed(come):
        by_digest.setdefault(new[position].digest, []).append(position)
    twins = Counter(_key(entry) for entry in new) if gone else Counter()
    named: dict[str, set[str]] = {}
    for entry in new if gone else ():
        if entry.name is not None:
            named.setdefault(entry.name, set()).add(entry.digest)
    changes, matched = [], set()
    for position in gone:
        entry, text = old[position], before.entry_text(position)
        beside = tuple(sorted(named.get(entry.name or "", set()) - {entry.digest})) if entry.name is not None else ()
        partners = by_digest.get(entry.digest)
        if partners:
            partner = partners.pop()
            matched.add(partner)
            changes.append(EntryChange(position, text, after.entry_text(partner), beside=beside))
        else:
            changes.append(EntryChange(position, text, None, twins[_key(entry)], beside))
            twins[_key(entry)] += 1
    return changes + [EntryChange(n, None, after.entry_text(n)) for n in come if n not in matched]


def _only_in(one: IndexText, other: IndexText, first: int, last: int) -> list[int]:
    """The positions, but for the first and last ones, of the entries whose text the other has not, or not as often."""
    there = Counter(other.entry_text(n) for n in range(first, len(other.entries) - last))
    found = []
    for position in range(first, len(one.entries) - last):
        text = one.entry_text(position)
        if there[text]:
            there[text] -= 1
        else:
            found.append(position)
    return found


def _agreeing(old: str, new: str, known: int) -> int:
    """How many characters both begin with, found by halves: comparing slices is quick, comparing letters is not."""
    low, high = known, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _agreeing_at_end(old: str, new: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _described(text: str) -> Descriptor:
    return read_descriptor(parse_strict(text.encode(), "The entry"), "")[0]


def _key(entry: Descriptor) -> _Key:
    return entry.digest, entry.name


def _call(entry: Descriptor) -> str:
    return clip(entry.name) if entry.name else shorten(entry.digest)


def _moved_on(what: str, expected: str) -> StoreChanged:
    return StoreChanged(
        f"{what}, so nothing was taken back.",
        place="index.json",
        expected=expected,
        found="what another change has left",
        remedy="Look at the store as it is now, and make the change that you want.",
    )
