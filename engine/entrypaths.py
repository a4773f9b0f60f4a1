"""Which path each entry of a layer is about: cleaned, of a whiteout what it hides, through links where it goes through one.

Some layers write a link and then go through it (``lib`` leads to ``usr/lib``, and then comes ``lib/x``). All unpackers
follow a link of the same layer; a link of a layer below is followed by some, and replaced by a folder on overlayfs, as
here.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.listing import OPAQUE, Listing
from engine.pathtree import cleaned
from engine.tarheader import HARD_LINK, SYMBOLIC_LINK

SKIPPED = 0xFF
"""Instead of a whiteout's flags: it means nothing here, and is left out."""
_CHUNK = 4096
"""Names that are taken in at once: some milliseconds."""
_HOPS = 40
"""Links that are followed for one path, as Linux does."""
_LONGEST = 4096
"""Names that are still to be looked at; more are no path."""
_MARK = b".wh."
_DOT, _SLASH = b"./"
_NOTHING = frozenset({b"", b".", b".."})


def paths_of(
    listing: Listing, flags: NDArray[np.uint8], targets: list[bytes], *, follow: bool = False
) -> Iterator[list[bytes]]:
    """The paths of all entries in pieces; those that hard links lead to are added to ``targets``.

    ``flags`` are those of the entries, where what means nothing here is marked. With ``follow``, links of this layer are
    followed.
    """
    links: dict[bytes, bytes] = {}
    for row in range(0, len(listing), _CHUNK):
        paths = _cleaned_names(listing, row, row + _CHUNK)
        piece, types = flags[row : row + len(paths)], listing.types[row : row + len(paths)]
        _take_marks_off(paths, piece)
        if follow:
            for n, path in enumerate(paths):
                paths[n] = path = _through(path, links)
                if types[n] == HARD_LINK:
                    targets.append(_through(cleaned(listing.target(row + n)), links))
                if types[n] == SYMBOLIC_LINK and not piece[n]:
                    links[path] = listing.target(row + n)
                elif not piece[n]:
                    links.pop(path, None)
        else:
            targets.extend(cleaned(listing.target(row + n)) for n in np.flatnonzero(types == HARD_LINK).tolist())
        yield paths


def _cleaned_names(listing: Listing, first: int, last: int) -> list[bytes]:
    """The names of some rows, cleaned: at once for all of those in which only the ends may have to go."""
    ends = listing.targets[first:last].astype(np.int64)
    starts = listing.starts[first : first + len(ends)].astype(np.int64)
    base, stop = int(starts[0]), int(listing.starts[first + len(starts)])
    text = np.frombuffer(listing.text, np.uint8, stop - base, base)
    text = np.concatenate([text, np.zeros(2, np.uint8)])  # so that two letters can be looked at anywhere
    starts -= base
    ends -= base
    starts += 2 * ((text[starts] == _DOT) & (text[starts + 1] == _SLASH) & (ends - starts > 1))
    ends -= (ends > starts) & (text[ends - 1] == _SLASH)
    at_end = np.where(ends > starts, text[ends - 1], _SLASH)
    odd = (text[starts] == _DOT) | (text[starts] == _SLASH) | (at_end == _SLASH)
    within = np.flatnonzero((text[:-1] == _SLASH) & ((text[1:] == _SLASH) | (text[1:] == _DOT)))
    places = np.searchsorted(starts, within, "right") - 1
    odd[places[(places >= 0) & (within < ends[places])]] = True
    content = listing.text
    spans = zip((starts + base).tolist(), (ends + base).tolist(), strict=True)
    names = [content[start:end] for start, end in spans]
    for n in np.flatnonzero(odd).tolist():
        names[n] = cleaned(listing.name(first + n))
    return names


def _take_marks_off(paths: list[bytes], flags: NDArray[np.uint8]) -> None:
    """Put in the place of each whiteout what it hides."""
    for n in np.flatnonzero(flags).tolist():
        folder, slash, name = paths[n].rpartition(b"/")
        hidden = name.removeprefix(_MARK)
        if flags[n] == OPAQUE:
            paths[n] = folder
        elif hidden in _NOTHING:
            flags[n] = SKIPPED
        else:
            paths[n] = folder + slash + hidden
    for n, path in enumerate(paths):
        if b".wh..wh." in path and not flags[n] and path.rpartition(b"/")[2].startswith(b".wh..wh."):
            flags[n] = SKIPPED  # what aufs has left behind


def _through(path: bytes, links: dict[bytes, bytes]) -> bytes:
    """Where a path really is, if links on the way are followed; its last name is taken as it is."""
    *waiting, last = path.split(b"/")
    waiting.reverse()
    hops, found = 0, b""
    while waiting:
        name = waiting.pop()
        if name == b"..":
            found = found.rpartition(b"/")[0]
        elif name not in (b"", b"."):
            here = found + b"/" + name if found else name
            target = links.get(here)
            if target is None or hops == _HOPS or len(waiting) > _LONGEST:
                found = here
            else:
                hops += 1
                found = b"" if target.startswith(b"/") else found
                waiting.extend(reversed(target.split(b"/")))
    return found + b"/" + last if found else last
