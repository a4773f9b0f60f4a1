"""Rules of layers: image-spec ``layer.md``, and what makes tools stop in the middle of one."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from engine.decompress import UNPACKED, Compression, Stop, Unpacker
from engine.digest import clip
from engine.findings import Severity
from engine.listing import OPAQUE, SPARSE, WHITEOUT, Ending, Listing, Oddity
from engine.rules.registry import Broken, rule
from engine.tarheader import DIRECTORY, GNU_SPARSE, PIPE, REGULAR

_TYPE = re.compile(
    r"application/vnd\.(?:oci\.image\.layer\.(nondistributable\.)?v1\.tar(?:\+(gzip|zstd))?"
    r"|docker\.image\.rootfs\.(foreign\.)?diff\.tar(?:\.(gzip|zstd))?)"
)
_CHUNK = 4096
_MOST = 100
"""Findings of one rule in one layer; a hostile one has millions."""
_CANDIDATES = 10_000
_WHITEOUTS = "image-spec layer.md, Whiteouts"


class Layer(NamedTuple):
    """A layer that was read to its end, or as far as that goes. ``pulse`` is called often, and may raise to stop."""

    media_type: str
    compression: Compression
    unpacker: Unpacker
    listing: Listing
    pulse: Callable[[], None]

    def path(self, row: int) -> str:
        """The path of an entry, as text from which the bytes can be had again."""
        return as_text(self.listing.name(row))

    def names(self) -> Iterator[tuple[int, list[bytes]]]:
        """All names in pieces, each with its first row."""
        for first in range(0, len(self.listing), _CHUNK):
            self.pulse()
            yield first, self.listing.names(first, first + _CHUNK)

    def rows(self, flag: int) -> list[int]:
        """The entries with a flag."""
        found: list[int] = np.flatnonzero(self.listing.flags & flag).tolist()
        return found


def compression_of(media_type: str) -> Compression | None:
    """What a layer's media type says of its compression; None for types that nobody here knows."""
    found = _TYPE.fullmatch(media_type)
    return None if found is None else Compression(found[2] or found[4] or Compression.NONE)


def as_text(name: bytes) -> str:
    """A path in a layer as text, from which the bytes can be had again."""
    return name.decode("utf-8", "surrogateescape")


def normal(name: bytes) -> bytes:
    """The path that a name means: without the ``./`` and slashes that make no difference."""
    if name[:1] in b"./" or b"//" in name or b"/." in name or name[-1:] == b"/":
        return b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))
    return name


@rule(
    "V140",
    Severity.ERROR,
    "A layer is not what its media type says",
    "A layer is a tar file, compressed as its media type says and in no other way. Some tools look at the bytes and do "
    "not mind, others refuse the image. Only the program that made the image can put that right.",
    "image-spec layer.md; media-types.md",
)
def _type(layer: Layer) -> Iterator[Broken]:
    declared = compression_of(layer.media_type)
    if declared is not None and declared is not layer.compression:
        found = layer.compression.value
        yield Broken("", f"The layer is {found}, and is called {declared.value}.", declared.value, found)
    if layer.listing.ending is Ending.NO_TAR and layer.compression in UNPACKED and layer.unpacker.unpacked:
        what = "The layer" if layer.compression is Compression.NONE else "What the layer unpacks to"
        yield Broken("", f"{what} is not a tar file.", "a tar file", "something else")


@rule(
    "V141",
    Severity.ERROR,
    "A path is twice in one layer",
    "A layer has one entry for each path. Which of several counts depends on the tool that unpacks it.",
    "image-spec layer.md, Change Types",
)
def _twice(layer: Layer) -> Iterator[Broken]:
    hashes = np.empty(len(layer.listing), np.int64)
    for first, names in layer.names():
        hashes[first : first + len(names)] = [hash(normal(name)) for name in names]
    ordered = np.sort(hashes)
    layer.pulse()
    again = ordered[1:][ordered[1:] == ordered[:-1]][:_CANDIDATES]
    if not len(again):
        return
    places = np.minimum(np.searchsorted(again, hashes), len(again) - 1)
    rows = np.flatnonzero(again[places] == hashes)[:_CANDIDATES]
    layer.pulse()
    counts = Counter(normal(layer.listing.name(row)) for row in rows.tolist())
    for path, count in islice(((path, count) for path, count in counts.items() if count > 1), _MOST):
        shown = as_text(path) or "/"
        yield Broken(shown, f"{clip(shown)!r} is there {count} times.", "one entry", f"{count} entries")


@rule(
    "V142",
    Severity.ERROR,
    "A whiteout hides nothing",
    "The name of a whiteout is .wh. and the name of what it hides. Tools that unpack the layer refuse one without.",
    _WHITEOUTS,
)
def _empty_whiteouts(layer: Layer) -> Iterator[Broken]:
    for row in layer.rows(WHITEOUT)[:_CANDIDATES]:
        if layer.listing.name(row).rstrip(b"/").endswith(b".wh."):
            yield Broken(layer.path(row), "This whiteout names nothing.", ".wh. and a name", ".wh.")


@rule(
    "V144",
    Severity.INFO,
    "A whiteout is not an empty file, or hides nothing",
    "Whiteouts are empty regular files, and hide something of a lower layer. Tools look at the name only: what is in "
    "one is lost, and one that hides nothing changes nothing.",
    _WHITEOUTS,
)
def _full_whiteouts(layer: Layer) -> Iterator[Broken]:
    types, sizes = layer.listing.types, layer.listing.sizes
    rows = ((layer.listing.flags & (WHITEOUT | OPAQUE)) != 0) & ((types != REGULAR) | (sizes != 0))
    for row in np.flatnonzero(rows)[:_MOST].tolist():
        found = f"{sizes[row]} bytes" if types[row] == REGULAR else "no regular file"
        yield Broken(layer.path(row), f"This whiteout is {found}.", "an empty regular file", found)


@rule(
    "V145",
    Severity.WARNING,
    "A whiteout stands behind entries of its folder",
    "Whiteouts should come before the other entries of their folder, so that a tool which unpacks entry by entry does "
    "not remove what it has just written.",
    _WHITEOUTS,
)
def _late_whiteouts(layer: Layer) -> Iterator[Broken]:
    marks = layer.rows(WHITEOUT | OPAQUE)
    folders = {_folder(layer.listing.name(row)) for row in marks}
    late, seen, whiteouts = 0, set(), set(marks)
    first_late = -1
    for first, names in layer.names() if marks else ():
        for row, name in enumerate(names, first):
            folder = _folder(name)
            if row not in whiteouts:
                if folder in folders:
                    seen.add(folder)
            elif folder in seen:
                late += 1
                first_late = row if first_late < 0 else first_late
    if late:
        more = f" So do {late - 1} more." if late > 1 else ""
        sentence = f"This whiteout stands behind other entries of its folder.{more}"
        yield Broken(layer.path(first_late), sentence, "whiteouts first", f"{late} behind others")


@rule(
    "V146",
    Severity.WARNING,
    "A file in a layer is stored without its holes",
    "Sparse files should not be in a layer: tools of different makers do not read them alike. They would write a damaged "
    "file, or refuse the image.",
    "image-spec layer.md, Representing Changes, sparse files",
)
def _sparse(layer: Layer) -> Iterator[Broken]:
    for row in layer.rows(SPARSE)[:_MOST]:
        yield Broken(layer.path(row), "This file is stored as a sparse one.", "a plain file", "a sparse file")


@rule(
    "V148",
    Severity.INFO,
    "A layer is marked as not to be distributed",
    "Media types of non-distributable layers are deprecated, and should not be used for new images. Registries may have "
    "no copy of such a layer.",
    "image-spec layer.md, Non-Distributable Layers",
)
def _closed(layer: Layer) -> Iterator[Broken]:
    found = _TYPE.fullmatch(layer.media_type)
    if found is not None and (found[1] or found[3]):
        yield Broken("", "The media type says that nobody may pass this layer on.", "", clip(layer.media_type))


@rule(
    "V150",
    Severity.ERROR,
    "A layer does not come to a clean end",
    "The compressed data comes to its end, the tar file ends with two empty blocks, and nothing follows. What is cut off "
    "or damaged cannot be unpacked; what hides behind the end is seen by some tools only.",
    "image-spec layer.md; POSIX.1-2001, pax, ustar Interchange Format; RFC 1952; RFC 8878",
)
def _end(layer: Layer) -> Iterator[Broken]:
    unpacker, listing = layer.unpacker, layer.listing
    if layer.compression not in UNPACKED:
        return
    count = f"{listing.count} could be read"
    if unpacker.stop in (Stop.EARLY, Stop.DAMAGED):
        what = "ends too early" if unpacker.stop is Stop.EARLY else "is damaged"
        sentence = f"The compressed data {what}, after {unpacker.unpacked:,} unpacked bytes; {count}."
        yield Broken("", sentence, "a whole layer", unpacker.stop.value)
    elif unpacker.stop is Stop.WHOLE and listing.ending in (Ending.CUT, Ending.DAMAGED):
        sentence = f"The list of files ends at byte {listing.end:,} {_ENDS[listing.ending]}; {count}."
        yield Broken(_last(layer), sentence, "two empty blocks", listing.ending.value)
    elif unpacker.stop is Stop.WHOLE and listing.ending in (Ending.ONE_BLOCK, Ending.NO_BLOCKS):
        severity = Severity.WARNING if listing.ending is Ending.NO_BLOCKS else Severity.INFO
        yield Broken("", _ENDS[listing.ending], "two empty blocks", listing.ending.value, severity=severity)
    if listing.trailing:
        sentence = f"Something follows the end of the list of files at byte {listing.end}; most tools do not see it."
        yield Broken("", sentence, "nothing but zeros", "other bytes", severity=Severity.WARNING)


_ENDS = {
    Ending.CUT: "in the middle of an entry",
    Ending.DAMAGED: "at something that is no header",
    Ending.ONE_BLOCK: "The list of files ends with one empty block instead of two.",
    Ending.NO_BLOCKS: "The list of files ends without empty blocks: it may have been cut.",
}


@rule(
    "X19",
    Severity.WARNING,
    "Something follows the compressed data of a layer",
    "After the last part that can be unpacked comes nothing. Programs written in Go refuse such a layer, gzip passes "
    "over the rest.",
    "RFC 1952, 2.2; Go's compress/gzip, Reader.Multistream",
)
def _behind(layer: Layer) -> Iterator[Broken]:
    if layer.unpacker.trailing:
        what = "zeros" if layer.unpacker.padded else "bytes that are not compressed"
        found = f"{layer.unpacker.trailing} {what}"
        yield Broken("", f"{found} follow the compressed data.", "nothing", found)


@rule(
    "X30",
    Severity.WARNING,
    "An entry of a layer cannot be read exactly",
    "A name, a number or an extended header is broken or beyond any measure. Tools will disagree about this file.",
    "POSIX.1-2001, pax; GNU tar, Tar Internals",
)
def _odd(layer: Layer) -> Iterator[Broken]:
    kept: Counter[Oddity] = Counter()
    for note in layer.listing.notes:
        kept[note.oddity] += 1
        if kept[note.oddity] <= _MOST:
            path = layer.path(note.row) if note.row < len(layer.listing) else ""
            yield Broken(path, f"At byte {note.offset}: {note.oddity.value}.", "", note.oddity.value)


@rule(
    "X32",
    Severity.WARNING,
    "An entry of a layer is of a type that layers do not have",
    "Layers hold files, folders, links, devices and pipes. Some tools refuse a layer with anything else in it, others "
    "leave that out.",
    "image-spec layer.md, Change Types and File Types",
)
def _types(layer: Layer) -> Iterator[Broken]:
    types = layer.listing.types
    for row in np.flatnonzero(((types < REGULAR) | (types > PIPE)) & (types != GNU_SPARSE))[:_MOST].tolist():
        found = repr(chr(types[row]))
        yield Broken(layer.path(row), f"The type of this entry is {found}.", "a file, a folder, a link", found)


@rule(
    "X33",
    Severity.WARNING,
    "An entry of a layer may lead out of it",
    "The paths in a layer stay inside of it, and its root is a folder. Through an entry with .. in its path, or a link in "
    "place of the root, careless tools have written to the computer that they run on. Do not trust this image.",
    "CVE-2021-29136; CVE-2021-21272",
)
def _outside(layer: Layer) -> Iterator[Broken]:
    found = 0
    for first, names in layer.names():
        for row, name in enumerate(names, first):
            if b".." in name and b".." in name.split(b"/"):
                what = "has .. in its path"
            elif not name.strip(b"./") and layer.listing.types[row] != DIRECTORY and not normal(name):
                what = "is the root, and no folder"
            else:
                continue
            yield Broken(
                layer.path(row), f"The entry {clip(as_text(name))!r} {what}.", "a path inside", clip(as_text(name))
            )
            found += 1
            if found == _MOST:
                return


@rule(
    "X31",
    Severity.WARNING,
    "A layer is too large to be read to its end",
    "Layers are read up to limits that no sound image comes near, so that one made to exhaust this computer does not "
    "succeed.",
    "decompression bombs",
)
def _too_large(layer: Layer) -> Iterator[Broken]:
    unpacker, listing = layer.unpacker, layer.listing
    if unpacker.stop in (Stop.RATIO, Stop.SIZE, Stop.WINDOW):
        found = f"{unpacker.unpacked} bytes from {unpacker.packed}"
        sentence = f"It was not unpacked to its end: {unpacker.stop.value} ({found})."
        yield Broken("", sentence, "", found)
    if listing.ending in (Ending.TOO_MANY, Ending.TOO_LONG):
        sentence = f"Only the first {len(listing)} entries were looked at; there are more."
        yield Broken("", sentence, f"at most {len(listing)} entries", "more")


def _last(layer: Layer) -> str:
    """The path of the last entry that could be read."""
    return layer.path(len(layer.listing) - 1) if len(layer.listing) else ""


def _folder(name: bytes) -> bytes:
    return normal(name).rpartition(b"/")[0]
