"""What was taken out of a store, in sentences: how much, where to, and what came out otherwise than it is in there."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gui import text

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.extracting import Extraction

_LEADS = " → "
"""Comes between the name of a link and what it leads to now."""


def extracted(done: "Extraction", target: Path, doubts: Sequence[str] = ()) -> str:
    """What is there now, and what is not."""
    if not done.placed:
        return " ".join(["Nothing was extracted.", *otherwise(done)])
    where = text.plain(str(target))
    things = _things(done)
    if len(done.placed) == 1 and (done.files, done.folders, done.links) == (1, 0, 0):
        things = f"{text.plain(done.placed[0].name)} ({text.size(done.size)})"
    verb = "was" if done.files + done.folders + done.links == 1 else "were"
    return " ".join([f"{things} {verb} extracted to {where}.", *otherwise(done), *doubts])


def saved(done: "Extraction", target: Path, doubts: Sequence[str] = ()) -> str:
    """The same of blobs."""
    if not done.placed:
        return " ".join(["Nothing was saved.", *otherwise(done)])
    where = text.plain(str(target))
    size = text.size(done.size)
    if len(done.placed) == 1:
        name = text.plain(done.placed[0].name)
        return " ".join([f"{name} ({size}) was saved in {where}.", *otherwise(done), *doubts])
    blobs = text.count(len(done.placed), "blob")
    return " ".join([f"{blobs} ({size}) were saved in {where}.", *otherwise(done), *doubts])


def otherwise(done: "Extraction") -> list[str]:
    """What got another name, which links were rewritten, and what was left out and why: an example of each."""
    found = []
    names: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for path, name in done.renamed:
        is_link = name.startswith(f"{_name(path)}{_LEADS}")
        (links if is_link else names).append((path, name))
    if names:
        path, name = names[0]
        more = len(names) - 1
        others = f", and {text.number(more)} more {'has' if more == 1 else 'have'} other names" if more else ""
        found.append(f"{text.plain(_name(path))} is called {text.plain(name)} there{others}.")
    if links:
        were = "was" if len(links) == 1 else "were"
        sentence = f"{text.count(len(links), 'link')} {were} rewritten to stay inside"
        found.append(f"{sentence}: {text.plain(links[0][1])}." if len(links) == 1 else f"{sentence}.")
    if done.left_out_count:
        path, reason = done.left_out[0]
        name, why = text.plain(_name(path)), text.plain(f"{reason[:1].lower()}{reason[1:]}")
        if done.left_out_count == 1:
            found.append(f"{name} was left out: {why}")
        else:
            found.append(f"{text.number(done.left_out_count)} were left out, the first, {name}, because {why}")
    return found


def doubts(*, is_verified: bool, is_corrupt: bool) -> list[str]:
    """What cannot be promised of it."""
    if is_corrupt:
        return ["It is from something corrupt, and may not be what it should be."]
    return [] if is_verified else ["It is not known whether the content is what its digests promise."]


def rows(done: "Extraction") -> list[tuple[str, str, bool]]:
    """Each path that came out otherwise, how, and whether it did not come out at all: what is missing comes first."""
    found = [(path, f"Left out: {reason}", True) for path, reason in done.left_out]
    for path, name in done.renamed:
        link = name.removeprefix(f"{_name(path)}{_LEADS}")
        found.append((path, f"Leads to {link}" if link != name else f"Is called {name}", False))
    return found


def _things(done: "Extraction") -> str:
    counts = (
        (done.files, text.count(done.files, "file")),
        (done.folders, text.count(done.folders, "folder")),
        (done.links, text.count(done.links, "link")),
    )
    words = [words for count, words in counts if count]
    listed = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
    return f"{listed} ({text.size(done.size)})"


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or "/"
