"""What becomes of a name that is taken: it moves, and what had it stays in the index."""

from engine.digest import shorten
from engine.snapshot import Snapshot
from gui import text


def owners(snapshot: Snapshot, name: str | None) -> set[str]:
    """The digests that a name stands for: one, unless a tool has given it twice."""
    return {entry.descriptor.digest for entry in snapshot.entries if name in entry.names}


def consequence(snapshot: Snapshot, digest: str, name: str) -> str:
    """What to say before ``digest`` gets a name; empty where nothing else has it. What is not here yet has no digest."""
    others = sorted(owners(snapshot, name) - {digest})
    if not others:
        return ""
    first = next(entry for entry in snapshot.entries if entry.descriptor.digest == others[0])
    count = len(snapshot.entries_of(first.row)) if first.row >= 0 else 1
    rest = "stays in the index through another entry" if count > 1 else "keeps an entry without a name"
    return f"{text.plain(name)} stands for {shorten(others[0])} now. It moves here, and what has it now {rest}."
