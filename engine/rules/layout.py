"""Rules of the files that make a folder an image layout: image-spec ``image-layout.md``."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from engine.digest import clip
from engine.directory import Directory
from engine.document import LAYOUT_VERSION as VERSION
from engine.document import MARKER_NAME
from engine.entries import is_algorithm
from engine.findings import Finding, Remedy, Severity
from engine.indexfile import NAME as INDEX_NAME
from engine.jsontext import in_words
from engine.rules import json
from engine.rules.json import Members
from engine.rules.registry import RULES, Broken, check, define, finding, rule

_MARKER_LIMIT = 1 << 16
_BLOBS = "blobs"
_MARKER = "image-spec image-layout.md, oci-layout file"
_CONTENT = "image-spec image-layout.md, Content"
_OWN = frozenset({MARKER_NAME, INDEX_NAME, _BLOBS, "metadata", "manifest.json", "repositories"})
"""What a layout has, and what Docker writes beside it."""
_KNOWN_EXTRAS = re.compile(r"\..*|ingest|index\.lock|index\.json\..*|oci-put-blob[0-9]+")
_SHOWN_EXTRAS = 10
_KEYS = frozenset({"imageLayoutVersion"})

define(
    "V3",
    Severity.ERROR,
    "oci-layout is not a JSON object",
    'The file oci-layout holds {"imageLayoutVersion": "1.0.0"}. Other tools refuse a layout in which it is damaged.',
    _MARKER,
)
define(
    "V8",
    Severity.ERROR,
    "index.json is not a JSON object",
    "index.json is an image index. It is damaged or half written: look whether another program is writing it, or put a "
    "copy in its place. The blobs are not concerned.",
    "image-spec image-layout.md, index.json file",
)


class Folder(NamedTuple):
    """The folder of a layout: what each name in it is, by itself and behind a link."""

    directory: Directory
    names: frozenset[str]
    marker: dict[str, Any] | None

    def mode(self, name: str, *, follow: bool = True) -> int:
        """Kind and permissions of a name; 0 where there is nothing."""
        try:
            return os.stat(name, dir_fd=self.directory.fd, follow_symlinks=follow).st_mode
        except OSError:
            return 0


def look(directory: Directory) -> Iterator[Finding]:
    """Whatever is wrong with the folder itself; the index and the blobs are others' matter. Raises ``OSError``."""
    names = frozenset(directory.names())
    marker, findings = _read_marker(directory, names)
    yield from findings
    yield from check(Folder(directory, names, marker), "")
    if marker is not None:
        yield from check(Members(marker, _KEYS), MARKER_NAME)


def _read_marker(directory: Directory, names: frozenset[str]) -> tuple[dict[str, Any] | None, list[Finding]]:
    if MARKER_NAME not in names:
        return None, []
    try:
        raw = directory.read(MARKER_NAME, _MARKER_LIMIT)[0]
    except OSError as error:
        broken = Broken("", f"oci-layout cannot be read: {os.strerror(error.errno or 0)}.", "a small text file")
        return None, [finding(RULES["V3"], broken, MARKER_NAME)]
    return json.parse(raw, MARKER_NAME, "V3")


@rule(
    "V1",
    Severity.ERROR,
    "The folder blobs is missing",
    "A layout has the folder blobs, which may be empty.",
    _CONTENT,
)
def _blobs(folder: Folder) -> Iterator[Broken]:
    mode = folder.mode(_BLOBS)
    if not stat.S_ISDIR(mode):
        found = "a file" if mode else "a broken link" if _BLOBS in folder.names else "nothing"
        yield Broken("", "There is no folder blobs.", "a folder", found, place=_BLOBS)


@rule(
    "V2",
    Severity.ERROR,
    "The file oci-layout is missing",
    "The file oci-layout marks the folder as a layout; other tools refuse it without.",
    _CONTENT,
    Remedy.ADD_MARKER,
)
def _marker(folder: Folder) -> Iterator[Broken]:
    if MARKER_NAME not in folder.names:
        yield Broken("", "oci-layout is missing.", "a file", "nothing", place=MARKER_NAME)


@rule(
    "V4",
    Severity.ERROR,
    "oci-layout does not tell the layout's version",
    "The object in oci-layout has the member imageLayoutVersion.",
    _MARKER,
)
def _version_there(folder: Folder) -> Iterator[Broken]:
    if folder.marker is not None and "imageLayoutVersion" not in folder.marker:
        yield Broken("imageLayoutVersion", "imageLayoutVersion is missing.", VERSION, "nothing", place=MARKER_NAME)


@rule(
    "V5",
    Severity.ERROR,
    "The layout has an unknown version",
    f"The only version there is is {VERSION}. A later one may ask for what nobody here knows, so such a layout is shown "
    "and never changed.",
    _MARKER,
)
def _version(folder: Folder) -> Iterator[Broken]:
    found = (folder.marker or {}).get("imageLayoutVersion", VERSION)
    if found != VERSION:
        what = clip(found, 40) if isinstance(found, str) else in_words(found)
        yield Broken("imageLayoutVersion", f"The layout's version is {what}.", VERSION, what, place=MARKER_NAME)


@rule(
    "V7",
    Severity.ERROR,
    "The file index.json is missing",
    "index.json lists what is in the layout. Without it nothing has a name, though the blobs may all be there.",
    _CONTENT,
)
def _index(folder: Folder) -> Iterator[Broken]:
    mode = folder.mode(INDEX_NAME, follow=False)
    if not stat.S_ISREG(mode):
        found = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a symbolic link", 0: "nothing"}.get(
            stat.S_IFMT(mode), "something else"
        )
        yield Broken("", "There is no file index.json.", "a regular file", found, place=INDEX_NAME)


@rule(
    "V9",
    Severity.INFO,
    "Other files are in the layout",
    "A layout may hold further files and folders; tools do not look at them, and nothing here touches them.",
    _CONTENT,
)
def _extras(folder: Folder) -> Iterator[Broken]:
    extras = sorted(name for name in folder.names if name not in _OWN and not _KNOWN_EXTRAS.fullmatch(name))
    if extras:
        shown = ", ".join(clip(os.fsencode(name).decode(errors="replace"), 40) for name in extras[:_SHOWN_EXTRAS])
        more = f" and {len(extras) - _SHOWN_EXTRAS} more" if len(extras) > _SHOWN_EXTRAS else ""
        yield Broken("", f"The folder also holds {shown}{more}.", found=f"{len(extras)} more", place=".")


@rule(
    "X2",
    Severity.WARNING,
    "A folder of blobs is a symbolic link",
    "Some share their blobs this way. What the link leads to is shown, but nothing is changed through it; not every "
    "tool follows it.",
    "image-spec image-layout.md, Blobs",
)
def _links(folder: Folder) -> Iterator[Broken]:
    paths = [_BLOBS]
    with suppress(OSError):
        paths += [f"{_BLOBS}/{name}" for name in folder.directory.child(_BLOBS).names()]
    for path in paths:
        if stat.S_ISLNK(folder.mode(path, follow=False)) and (path == _BLOBS or is_algorithm(path[6:])):
            yield Broken("", f"{clip(path, 80)} is a symbolic link.", "a folder", "a symbolic link", place=path)
