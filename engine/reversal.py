"""How one change of ``index.json`` is taken back, also when other programs have changed the file since.

As long as the file is what we wrote, its exact bytes from before come back. Otherwise entries are put back one by one,
wherever they still say what we wrote; where that would lose or contradict what others wrote, nothing is changed at all.
"""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
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


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A piece of the new text, in characters, and what stood there before."""

    start: int
    length: int
    old: str


class IndexChange(msgspec.Struct, frozen=True):
    """One change: the pieces of the text that became others, in their order, and what that means for the entries.

    ``before`` and ``after`` are the digests of the whole file, ``missing`` those of blobs to which entries led that
    are no more, and which were not there at that time either.
    """

    before: str
    after: str
    pieces: tuple[Piece, ...]
    entries: tuple[EntryChange, ...]
    missing: tuple[str, ...] = ()

    def leads_back_to(self) -> set[str]:
        """The digests to which entries lead that come back when it is taken back."""
        found = {_described(each.before).digest for each in self.entries if each.before is not None}
        return found - {""}


def compare(before: IndexText, after: IndexText) -> IndexChange:
    """The change that leads from one version to the other."""
    old, new = before.raw.decode(), after.raw.decode()
    gone, come = _differing(before, after)
    pieces = _compare_texts(before, after, old, new, set(gone), set(come))
    if _restored(new, pieces) != old:  # entries have changed places
        pieces = [_one_piece(old, new, 0, len(old), 0, len(new))]
    return IndexChange(
        before=str(digest_of(before.raw)),
        after=str(digest_of(after.raw)),
        pieces=tuple(pieces),
        entries=tuple(_compare_entries(before, after, gone, come)),
    )


def would_be_exact(change: IndexChange, raw: bytes) -> bool:
    """Whether the file is what the change has left or what it began with, so that nothing can contradict."""
    return digest_of(raw) in (change.before, change.after)


def take_back(change: IndexChange, index: IndexText) -> None:
    """Edit an index so that the change has not happened; what has been taken back already stays as it is.

    Raises ``StoreChanged`` where something has come that this would contradict.
    """
    raw = index.raw
    found = digest_of(raw)
    if found == change.before:
        return
    if found == change.after:
        original = _restored(raw.decode(), change.pieces).encode()
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


class _Back(NamedTuple):
    """An entry that comes back, and the change that is taken back by that."""

    change: EntryChange
    item: _Item


def _take_back_entries(changes: Sequence[EntryChange], index: IndexText) -> None:
    now: list[_Item | None] = [_Item(position, entry) for position, entry in enumerate(index.entries)]
    by_digest: dict[str, list[int]] = {}
    for position, entry in enumerate(index.entries):
        by_digest.setdefault(entry.digest, []).append(position)
    there = Counter(_key(entry) for entry in index.entries)
    inserted: list[_Back] = []
    changed_back: list[_Back] = []
    for each in changes:
        before = None if each.before is None else _Item(each.before, _described(each.before))
        if each.after is not None:
            after = _described(each.after)
            same = [n for n in by_digest.get(after.digest, ()) if (item := now[n]) is not None and item[1] == after]
            if same:
                now[min(same, key=lambda n: abs(n - each.position))] = before
                changed_back += [] if before is None else [_Back(each, before)]
            elif before is None and after.name is not None and index.named(after.name):
                raise _moved_on(f"{_call(after)} has changed since", "the entry that was added")
            elif before is not None and not there[_key(before.descriptor)]:
                raise _moved_on(f"{_call(after)} has changed since", "the entry that was changed")
        elif before is not None and there[_key(before.descriptor)] <= each.twins:
            there[_key(before.descriptor)] += 1  # of several alike, as many as are missing
            inserted.append(_Back(each, before))
    result = _merged([item for item in now if item is not None], inserted)
    _check_names(result, [*changed_back, *inserted])
    index.arrange([item.content for item in result])


def _merged(items: Sequence[_Item], inserted: Sequence[_Back]) -> list[_Item]:
    """The entries with those that come back, each where it stood."""
    waiting = sorted(inserted, key=lambda back: back.change.position, reverse=True)
    result: list[_Item] = []
    for item in items:
        while waiting and waiting[-1].change.position <= len(result):
            result.append(waiting.pop().item)
        result.append(item)
    return result + [back.item for back in reversed(waiting)]


def _check_names(result: Sequence[_Item], returned: Sequence[_Back]) -> None:
    """Refuse to let a name that comes back stand for two things."""
    digests: dict[str, set[str]] = {}
    for _, entry in result:
        if entry.name is not None:
            digests.setdefault(entry.name, set()).add(entry.digest)
    ours: dict[str, set[str]] = {}
    for change, (_, entry) in returned:
        if entry.name is not None:
            ours.setdefault(entry.name, set()).update((entry.digest, *change.beside))
    for name, known in ours.items():
        if digests[name] - known:
            raise _moved_on(f"{clip(name) or 'The empty name'} has come to stand for something else since", name)


def _differing(before: IndexText, after: IndexText) -> tuple[list[int], list[int]]:
    """The positions of the entries that only the old version has, and of those that only the new one has."""
    old, new = before.entries, after.entries
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return _only_in(before, after, first, last), _only_in(after, before, first, last)


def _compare_entries(
    before: IndexText, after: IndexText, gone: Sequence[int], come: Sequence[int]
) -> list[EntryChange]:
    """What happened to each entry; what merely moved is no change."""
    old, new = before.entries, after.entries
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


def _compare_texts(
    before: IndexText, after: IndexText, old: str, new: str, gone: AbstractSet[int], come: AbstractSet[int]
) -> list[Piece]:
    """The pieces that changed, found between the entries that did not; so a few among very many stay small."""
    pieces = []
    old_at = new_at = 0
    old_spans, new_spans = before.spans, after.spans
    kept = zip(
        (span for n, span in enumerate(old_spans) if n not in gone),
        (span for n, span in enumerate(new_spans) if n not in come),
        strict=False,
    )
    for (old_start, old_end), (new_start, new_end) in [*kept, ((len(old), len(old)), (len(new), len(new)))]:
        if old[old_at:old_start] != new[new_at:new_start]:
            pieces.append(_one_piece(old, new, old_at, old_start, new_at, new_start))
        old_at, new_at = old_end, new_end
    return pieces


def _one_piece(old: str, new: str, old_start: int, old_end: int, new_start: int, new_end: int) -> Piece:
    """What differs between two pieces of text, without what both begin and end with."""
    before, after = old[old_start:old_end], new[new_start:new_end]
    first = _agreeing(before, after, min(len(before), len(after)))
    last = _agreeing(before[::-1], after[::-1], min(len(before), len(after)) - first)
    return Piece(new_start + first, len(after) - first - last, before[first : len(before) - last])


def _agreeing(one: str, other: str, most: int) -> int:
    """How many characters both begin with, found by halves: comparing slices is quick, comparing letters is not."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _restored(text: str, pieces: Sequence[Piece]) -> str:
    """The old text, from the new one."""
    parts, at = [], 0
    for piece in pieces:
        parts += [text[at : piece.start], piece.old]
        at = piece.start + piece.length
    return "".join([*parts, text[at:]])


def _described(text: str) -> Descriptor:
    return read_descriptor(parse_strict(text.encode(), "The entry"))


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
