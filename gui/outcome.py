"""What a finished job did, in a sentence, and how that reaches the message bar."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.blobs import Change
from engine.digest import shorten
from engine.findings import Remedy
from engine.importing import ImportRequest
from engine.leftovers import Leftover
from engine.removal import RemovalPlan
from engine.snapshot import Outcome, State
from engine.trash import Record
from engine.verify import VerifySummary
from gui import text


@dataclass(frozen=True)
class Notice:
    """Something to tell in the message bar; ``action_text`` names the button that calls ``action``, as ``more`` do."""

    severity: Literal["notice", "success", "warning", "error"]
    sentence: str
    details: str = ""
    action_text: str = ""
    action: Callable[[], object] | None = None
    more: tuple[tuple[str, Callable[[], object]], ...] = ()
    record: str = ""
    """The record of the trash that the action takes back."""

    @classmethod
    def of(cls, error: BaseException, action_text: str = "", action: Callable[[], object] | None = None) -> "Notice":
        """What an error says, and all that is known of it."""
        return cls("error", text.error_sentence(error), text.error_details(error), action_text, action)


def verified(summary: VerifySummary) -> tuple[State | None, str]:
    """The worst state that was found, None where everything is sound, and the sentence."""
    sound = summary.counts.get(Outcome.VERIFIED, 0)
    others = [
        f"{text.count(count, 'blob')} {words[count != 1]}"
        for outcome, *words in (
            (Outcome.CORRUPT, "is not what its digest names", "are not what their digests name"),
            (Outcome.UNREADABLE, "could not be read", "could not be read"),
            (Outcome.MISSING, "has vanished", "have vanished"),
            (Outcome.CHANGED, "changed meanwhile", "changed meanwhile"),
            (Outcome.NOT_CHECKABLE, "cannot be checked", "cannot be checked"),
        )
        if (count := summary.counts.get(outcome, 0))
    ]
    worst = ((Outcome.CORRUPT, State.CORRUPT), (Outcome.UNREADABLE, State.UNREADABLE))
    bad = next((state for outcome, state in worst if summary.counts.get(outcome)), None)
    read = f" ({text.size(summary.bytes_read)})" if summary.bytes_read else ""
    sentence = "; ".join([*others, f"{text.count(sound, 'blob')} verified{read}"])
    return bad, f"{sentence}." if others else f"{sentence}: sound, every byte."


def removed(plan: RemovalPlan, change: Change, *, for_good: bool = False) -> str:
    """What a removal took away, and what became free or will."""
    parts = []
    names = [name for entry in plan.entries for name in entry.names]
    if change.index_changed and len(names) == 1 == len(plan.entries):
        parts.append(f"{text.plain(names[0])} untagged")
    elif change.index_changed:
        parts.append(f"{text.count(len(plan.entries), 'index entry', 'index entries')} removed")
    if change.removed:
        gone = set(change.removed)
        freed = sum(blob.freed for blob in plan.blobs if blob.digest in gone)
        blobs = text.count(len(change.removed), "blob")
        where = f"{blobs} deleted, {text.size(freed)} freed" if for_good else f"{blobs} moved to the trash"
        parts.append(where if for_good or not freed else f"{where} ({text.size(freed)})")
    return f"{'; '.join(parts) or 'Nothing was removed'}. {change.note}".strip()


def imported(store: str, requests: Sequence[ImportRequest], change: Change) -> str:
    """What files became."""
    if len(requests) == 1:
        (request,) = requests
        name = f", named {text.plain(request.name)}" if request.name else ""
        for digests, fate in (
            (change.added, f"was imported into {store}"),
            (change.repaired, f"has repaired a blob of {store}"),
            (change.present, f"is in {store} already"),
        ):
            if digests:
                return f"{text.plain(request.path.name)} {fate}: {shorten(digests[0])}{name}."
    parts = [
        f"{text.number(len(digests))} {words}"
        for digests, words in ((change.added, "new"), (change.repaired, "repaired"), (change.present, "already there"))
        if digests
    ]
    return f"{text.count(len(requests), 'file')} imported into {store}: {', '.join(parts)}. {change.note}".strip()


@dataclass(frozen=True)
class Cleaned:
    """What a clean-up did: the change of the store, the bytes of what was to go, and leftovers that are gone."""

    change: Change
    planned: int
    gone: Sequence[Leftover] = ()


def cleaned_up(cleaned: Cleaned) -> str:
    """What a clean-up moved to the trash, and which leftovers it removed."""
    parts = []
    if count := len(cleaned.change.removed):
        size = "" if cleaned.change.note else f" ({text.size(cleaned.planned)})"  # some of it stayed
        parts.append(f"{text.count(count, 'blob')} moved to the trash{size}")
    if cleaned.gone:
        size = text.size(sum(leftover.size for leftover in cleaned.gone))
        parts.append(f"{text.count(len(cleaned.gone), 'leftover')} of crashed programs removed, {size} freed")
    return f"{'; '.join(parts) or 'There was nothing that could be cleaned up'}. {cleaned.change.note}".strip()


def replaced(digest: str, change: Change) -> str:
    """What became of a blob that a good copy was given for."""
    if change.present:
        return f"{shorten(digest)} is sound already; nothing was changed."
    if change.added:
        return f"{shorten(digest)} is here now."
    return f"{shorten(digest)} has its own content again."


def repaired(remedy: Remedy, places: int, change: Change) -> str:
    """What a remedy did."""
    if places == 1 or remedy in _ONCE:
        return f"{_REPAIRED[remedy]}. {change.note}".strip()
    if remedy is Remedy.ADD_TO_INDEX:
        return f"{text.count(places, 'image')} were added to the index. {change.note}".strip()
    return f"{_REPAIRED[remedy]} in {text.count(places, 'place')}. {change.note}".strip()


_ONCE = frozenset({Remedy.CLEAN, Remedy.ADD_MARKER, Remedy.EMPTY_LIST})
"""What is done once, however many places it is about."""
_REPAIRED = {
    Remedy.ADD_MARKER: "oci-layout was added",
    Remedy.EMPTY_LIST: "null was replaced by []",
    Remedy.RIGHT_SIZE: "The right size was written",
    Remedy.ADD_TO_INDEX: "The image was added to the index",
    Remedy.CLEAN: "Cleaned up",
}


def emptied(freed: int) -> str:
    """What emptying the trash gave back."""
    return f"The trash was emptied, {text.size(freed)} freed." if freed else "The trash was emptied."


def undone(records: Sequence[Record], change: Change) -> str:
    """What was taken back."""
    what = text.plain(records[0].title) if len(records) == 1 else text.count(len(records), "change")
    back = f" {text.count(len(change.added), 'blob')} {_is(change.added)} back." if change.added else ""
    return f"Undone: {what}.{back} {change.note}".strip()


def redone(record: Record, change: Change) -> str:
    """What was done again."""
    return f"Done again: {text.plain(record.title)}. {change.note}".strip()


def named(digest: str, name: str | None, *, moved: bool) -> str:
    """What the index names now; ``moved`` says that the name stood for something else before."""
    more = " What had that name before is still there." if moved else ""
    return f"{shorten(digest)} is in the index{f' as {text.plain(name)}' if name else ', without a name'}.{more}"


def annotated(entry: str, key: str, *, is_gone: bool) -> str:
    """What an index entry says now."""
    where = f"of {text.plain(entry)} in the index"
    return f"{text.plain(key)} {where} was removed." if is_gone else f"{text.plain(key)} {where} was saved."


def kept_aside(digest: str) -> str:
    """Where a corrupt blob is now."""
    return f"{shorten(digest)} is kept aside in the trash, and stays there until you delete it."


def _is(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"
