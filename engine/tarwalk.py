"""Lists a tar stream without unpacking it: header after header, however damaged it is.

``Walker`` is fed with the stream in pieces of any size. It follows the chain of headers, and has them taken apart many
at a time, which is quick and leaves the interpreter to others. Names are bytes, exactly as they are written. Where
readers disagree, this one does as Go's archive/tar, since that is what unpacks images.
"""

from collections.abc import Mapping

from engine.listing import ENTRY_LIMIT, Ending, Extra, Gathered, Listing, Oddity
from engine.tarheader import (
    BLOCK,
    CONTIGUOUS,
    DIRECTORY,
    EXTENDED_LIMIT,
    GNU_SPARSE,
    HEADER_ONLY,
    LARGEST,
    REGULAR,
    checks_out,
    decimal,
    full_name,
    integer,
    name_in,
    number,
    pax_records,
    text,
)

_ZEROS = bytes(BLOCK)
_PLAIN = bytes(1 if kind in (REGULAR, CONTIGUOUS) else 2 if kind in HEADER_ONLY else 0 for kind in range(256))
"""By type: 1 and 2 are taken in at once, and 2 has no data."""


class Walker:
    """Follows the headers of a stream that it is fed with; ``finish`` gives the listing. Content never makes it raise."""

    def __init__(self, *, entries: int = ENTRY_LIMIT) -> None:
        self._gathered = Gathered(entries)
        self._position = 0  # of the stream's next byte
        self._skip = 0  # bytes until the next header
        self._carry = b""  # the beginning of something that is not complete yet
        self._common: dict[bytes, bytes] = {}  # what a global extended header says of all that follow
        self._pending: dict[bytes, bytes] = {}  # what extended headers say of the next entry
        self._extended_at = -1  # where the last one is, as long as no entry follows

    def feed(self, block: bytes) -> None:
        """Walk on through the next bytes of the stream."""
        start = self._position
        self._position += len(block)
        if self._gathered.ending is not None:
            self._gathered.look_behind(block)
        elif self._skip >= len(block):
            self._skip -= len(block)
        else:
            data = self._carry + block
            place = self._walk(data, start - len(self._carry), self._skip)
            self._skip = max(0, place - len(data))
            self._carry = data[place:]
            if self._gathered.ending is not None:
                self._carry = b""
                self._gathered.look_behind(data[place:])

    def finish(self) -> Listing:
        """Say that the stream has ended; the listing."""
        gathered, rest = self._gathered, self._carry
        if gathered.ending is None and rest.startswith(_ZEROS):
            gathered.stop(Ending.ONE_BLOCK, self._position - len(rest))
            gathered.look_behind(rest)
        elif gathered.ending is None and rest and self._position < BLOCK:
            gathered.stop(Ending.NO_TAR, 0)
        elif gathered.ending is None:
            # Some tools leave out even the zeros behind the last file.
            is_whole = not rest and self._skip < BLOCK and self._position >= gathered.content_end
            gathered.stop(Ending.NO_BLOCKS if is_whole else Ending.CUT, self._position)
        if self._extended_at >= 0:
            gathered.note(Oddity.DANGLING, self._extended_at)
        return gathered.listing()

    def _walk(self, data: bytes, base: int, place: int) -> int:
        """Follow the chain as far as the data goes; where the next header is, which may be behind the data's end."""
        last = len(data) - BLOCK
        gathered = self._gathered
        while place <= last and gathered.ending is None:
            how = _PLAIN[data[place + 156]]
            size, digits = -1, data[place + 124 : place + 135]
            if data[place + 135] in b" \0" and digits.isdigit():  # int() alone takes signs and underscores, too
                try:
                    size = int(digits, 8)
                except ValueError:
                    size = -1
            if how and size >= 0 and not self._pending and not self._common:
                if how == 2:
                    size = 0
                self._extended_at = -1
                gathered.add(data[place : place + BLOCK], base + place, size)
                place += BLOCK + size + (-size & 511)
            else:
                step = self._walk_slowly(data, base, place, size)
                if not step:
                    break
                place += step
        return place

    def _walk_slowly(self, data: bytes, base: int, place: int, quick_size: int) -> int:
        """Take in a header that is not plain; how far it is to the next one, 0 where more data is needed or it ends.

        ``quick_size`` is the size in the header, negative where that is not written in the usual way.
        """
        head, offset = data[place : place + BLOCK], base + place
        if head == _ZEROS:
            return self._meet_zeros(data, place, offset)
        kind, size = head[156], quick_size if quick_size >= 0 else number(head[124:136])
        extended = kind in b"xXgLK"
        # the checksums of entries are looked at when they are taken apart
        if size is None or not 0 <= size < LARGEST or (extended and not checks_out(head)):
            self._gathered.stop(Ending.DAMAGED, offset)
            return 0
        if extended:
            return self._read_extended(data, place, offset, size)
        extra = _length_of_map(data, place) if kind == GNU_SPARSE else 0
        if extra is None:
            return 0
        records = {**self._common, **self._pending}
        self._pending, self._extended_at = {}, -1
        name = name_in(records) or full_name(head)
        if kind == 0:
            kind = DIRECTORY if name.endswith(b"/") else REGULAR
        size = 0 if kind in HEADER_ONLY else self._number_of(records, b"size", size, offset)
        real = number(head[483:495]) if kind == GNU_SPARSE else _size_with_holes(records)
        real = size if real is None or not 0 <= real < LARGEST else real
        self._gathered.add(head, offset, real, Extra(kind, records, name, extra))
        return BLOCK + extra + size + (-size & 511)

    def _meet_zeros(self, data: bytes, place: int, offset: int) -> int:
        """End at an empty block, once it is known what follows it."""
        second = data[place + BLOCK : place + 2 * BLOCK]
        if len(second) < BLOCK:
            return 0
        whole = second == _ZEROS
        self._gathered.stop(Ending.WHOLE if whole else Ending.ONE_BLOCK, offset)
        return 2 * BLOCK if whole else BLOCK

    def _read_extended(self, data: bytes, place: int, offset: int, size: int) -> int:
        """Take in what is said of the next entry, or of all that follow."""
        kind = data[place + 156]
        step = BLOCK + size + (-size & 511)
        if size > EXTENDED_LIMIT:
            self._gathered.note(Oddity.LARGE_RECORDS, offset)
            return step
        if place + step > len(data):
            return 0
        content = data[place + BLOCK : place + BLOCK + size]
        if kind in b"LK":
            self._pending[bytes([kind])] = text(content)
            self._extended_at = offset
            return step
        records, whole = pax_records(content)
        if not whole:
            self._gathered.note(Oddity.RECORDS, offset)
        if kind == ord("g"):
            records.pop(b"size", None)  # no two files have the same size by law
            self._common = {key: value for key, value in {**self._common, **records}.items() if value}
        else:
            self._pending.update(records)
            self._extended_at = offset
        return step

    def _number_of(self, records: Mapping[bytes, bytes], key: bytes, otherwise: int, offset: int) -> int:
        """What an extended header says instead of the header's own number, if it says something that can be meant."""
        said = integer(records[key]) if records.get(key) else otherwise
        if said is None or said < 0:
            self._gathered.note(Oddity.NUMBER, offset)
            return otherwise
        return said


def _size_with_holes(records: Mapping[bytes, bytes]) -> int | None:
    """The size of a file whose holes GNU tar has left out in the pax format; None for other files."""
    said = records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size")
    return decimal(said) if said else None


def _length_of_map(data: bytes, place: int) -> int | None:
    """How much of the map of holes follows a GNU header, 21 of them a block; None where more data is needed to tell."""
    length = 0
    more = data[place + 482]
    while more and length < EXTENDED_LIMIT:
        end = place + 2 * BLOCK + length
        if end > len(data):
            return None
        more = data[end - 8]
        length += BLOCK
    return length
