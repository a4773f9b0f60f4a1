"""The filter language: what a person types to see fewer rows.

    alpine                    names, file names, media types, the beginning of a digest
    type:layer  status:corrupt  platform:linux/arm64
    size>50M  used:0  age>30d
    tag:2.*  label:team=web  digest:9f2c
    -type:config              everything but
    type:layer,config         either
    "two words"               as one

Words are joined by "and". No Qt, no rows: ``matching.py`` finds the rows. What is not finished yet is a ``Mistake`` with
its place and a sentence, so that it can be shown while somebody types.
"""

import difflib
import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.snapshot import Kind, State
from gui.models.conditions import (
    Condition,
    DigestStart,
    InState,
    Labelled,
    Measure,
    OfKind,
    OnPlatform,
    Query,
    Tagged,
    Term,
    Words,
)


@dataclass(frozen=True)
class Mistake:
    """Why a text is no filter; ``start`` and ``end`` say where in it."""

    start: int
    end: int
    sentence: str


KINDS: Mapping[str, OfKind] = {
    "layer": OfKind(frozenset({Kind.LAYER})),
    "image": OfKind(frozenset({Kind.IMAGE})),
    "manifest": OfKind(manifests=True),
    "config": OfKind(frozenset({Kind.CONFIG})),
    "index": OfKind(frozenset({Kind.INDEX})),
    "artifact": OfKind(frozenset({Kind.ARTIFACT})),
    "attestation": OfKind(frozenset({Kind.ATTESTATION})),
    "signature": OfKind(frozenset({Kind.SIGNATURE})),
    "sbom": OfKind(frozenset({Kind.SBOM})),
    "data": OfKind(frozenset({Kind.DATA})),
    "stray-file": OfKind(frozenset({Kind.STRAY})),
    "unknown": OfKind(frozenset({Kind.UNKNOWN})),
}
"""The words after ``type:``."""

STATES: Mapping[str, frozenset[State]] = {
    "verified": frozenset({State.VERIFIED}),
    "not-checked": frozenset({State.NOT_CHECKED}),
    "checking": frozenset({State.CHECKING}),
    "corrupt": frozenset({State.CORRUPT}),
    "size-differs": frozenset({State.SIZE_DIFFERS}),
    "missing": frozenset({State.MISSING}),
    "damaged": frozenset({State.DAMAGED}),
    "unreadable": frozenset({State.UNREADABLE}),
    "not-a-file": frozenset({State.NOT_REGULAR}),
    "unused": frozenset({State.UNUSED}),
    "lost-image": frozenset({State.LOST}),
    "stray-file": frozenset({State.JUNK}),
    "external": frozenset({State.EXTERNAL}),
    "not-checkable": frozenset({State.NOT_CHECKABLE}),
    "ok": frozenset({State.VERIFIED}),
    "bad": frozenset(state for state in State if state.bad),
}
"""The words after ``status:``."""

KEYS = ("type", "status", "platform", "size", "used", "age", "tag", "label", "digest")

_TERM = re.compile(r"(?P<key>[a-zA-Z]+)(?P<sign>:|>=|<=|>|<|=)")
_NUMBER = re.compile(r"(?P<sign>>=|<=|>|<|=)?(?P<number>\d{1,15}(?:\.\d{1,15})?)\s*(?P<unit>[a-zA-Z]*)")
_SIZE_UNITS = {"": 1, "b": 1, "byte": 1, "bytes": 1} | {
    f"{letter}{ending}": (1024 if ending.startswith("i") else 1000) ** power
    for power, letter in enumerate("kmgt", 1)
    for ending in ("", "b", "i", "ib")
}
_AGE_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 365 * 86400}


class _Token(NamedTuple):
    """One word as typed: quotation marks taken away, and whether they were at its beginning."""

    start: int
    end: int
    text: str
    quoted: bool
    negated: bool


class _NotAFilter(Exception):
    """Carries a ``Mistake`` out of the parser."""

    def __init__(self, start: int, end: int, sentence: str) -> None:
        super().__init__(sentence)
        self.mistake = Mistake(start, end, sentence)


def parse(text: str) -> Query | Mistake:
    """Understand what was typed; never raises."""
    try:
        return Query(tuple(_term(token) for token in _tokens(text)))
    except _NotAFilter as error:
        return error.mistake


def term(key: str, value: str, *, exclude: bool = False) -> str:
    """The text of a term, fit to be typed: for menus and counters that set filters."""
    needs_quotes = not value or re.search(r'[\s",|]', value)
    quoted = '"{}"'.format(value.replace('"', "")) if needs_quotes else value
    return f"{'-' if exclude else ''}{key}:{quoted}"


def kind_term(kind: Kind) -> str:
    """The filter for one kind of blob."""
    return term("type", next(word for word, wanted in KINDS.items() if kind in wanted.kinds))


def state_term(state: State) -> str:
    """The filter for one state."""
    return term("status", next(word for word, states in STATES.items() if states == {state}))


def with_term(text: str, wanted: str) -> str:
    """A filter with one more term, which takes the place of others with the same key; without it if it was there."""
    words = [text[token.start : token.end] for token in _tokens(text, lenient=True)]
    if wanted in words:
        words.remove(wanted)
        return " ".join(words)
    key = wanted.partition(":")[0]
    return " ".join([word for word in words if word.partition(":")[0] != key] + [wanted])


def complete(
    text: str, cursor: int, words_of: Callable[[str], Sequence[str]] | None = None
) -> tuple[int, int, list[str]]:
    """How the word at the cursor may go on: where it stands, and texts that can take its place.

    ``words_of`` knows further words by key, the platforms of a store for example.
    """
    here = next((token for token in _tokens(text, lenient=True) if token.start < cursor <= token.end), None)
    if here is None or here.quoted:
        return cursor, cursor, []
    start = here.start + here.negated
    typed = text[start:cursor].lower()
    key, colon, value = typed.partition(":")
    if not colon:
        words = [f"{key}>" if key in ("size", "age") else f"{key}:" for key in KEYS]
        return start, here.end, [word for word in words if word.startswith(typed) and word != typed]
    known = {"type": list(KINDS), "status": list(STATES)}
    words = [*known.get(key, ()), *(words_of(key) if words_of else ())]
    head, _, value = value.rpartition(",")
    before = f"{key}:{head}," if head else f"{key}:"
    return start, here.end, [before + word for word in words if word.lower().startswith(value) and word != value]


def _tokens(text: str, *, lenient: bool = False) -> list[_Token]:
    """The words of a filter; with ``lenient`` a quotation mark that is not closed ends with the text."""
    tokens = []
    for found in re.finditer(r'(?:"[^"]*(?:"|$)|[^\s"])+', text):
        typed = found[0]
        if not lenient and typed.count('"') % 2:
            start = found.start() + typed.rindex('"')
            raise _NotAFilter(start, found.end(), "A quotation mark is open: type another one to close it.")
        negated = typed[0] in "-!" and (lenient or len(typed) > 1)
        if not lenient and typed in ("-", "!"):
            raise _NotAFilter(found.start(), found.end(), f"Type what to leave out directly after {typed}.")
        rest = typed[negated:]
        tokens.append(_Token(found.start(), found.end(), rest.replace('"', ""), rest[:1] == '"', negated))
    return tokens


def _term(token: _Token) -> Term:
    found = None if token.quoted else _TERM.match(token.text)
    if found is None:
        return Term(_plain(token.text), token.negated)
    key, sign, value = found["key"].lower(), found["sign"], token.text[found.end() :]
    if key not in KEYS:
        return Term(_unknown_key(token, key, sign), token.negated)
    if sign not in (":", "=") and key not in ("size", "used", "age"):
        raise _NotAFilter(token.start, token.end, f"Write {key}: and then what you look for; only numbers compare.")
    turned = value[:1] == "!"
    if not (value := value[turned:]):
        raise _NotAFilter(token.start, token.end, _EXAMPLES[key])
    return Term(_READERS[key](token, key, "" if sign == ":" else sign, value), token.negated != turned)


def _plain(text: str) -> Condition:
    return DigestStart(text.lower()) if "…" in text else Words(text.casefold())


def _unknown_key(token: _Token, key: str, sign: str) -> Condition:
    """A word with a colon is as a rule part of a name or a digest; unless it is a key with a letter wrong."""
    close = difflib.get_close_matches(key, KEYS, 1, 0.75)
    if close:
        raise _NotAFilter(token.start, token.end, f"There is no {key}{sign} here. Did you mean {close[0]}{sign}?")
    if sign != ":":
        raise _NotAFilter(token.start, token.end, "Only size, used and age can be compared.")
    return _plain(token.text)


def _read_kind(token: _Token, _key: str, _sign: str, value: str) -> Condition:
    kinds: set[Kind] = set()
    manifests, media_types = False, []
    for word in _alternatives(value):
        known = KINDS.get(word)
        matching = [known] if known else [kind for name, kind in KINDS.items() if name.startswith(word)]
        if not matching and not re.search(r"[/+.]", word):
            raise _NotAFilter(token.start, token.end, f"type: knows {_list(KINDS)}, and media types.")
        kinds.update(*(kind.kinds for kind in matching))
        manifests |= any(kind.manifests for kind in matching)
        media_types += [] if matching else [word]
    return OfKind(frozenset(kinds), manifests, tuple(media_types))


def _read_state(token: _Token, _key: str, _sign: str, value: str) -> Condition:
    states: set[State] = set()
    for word in _alternatives(value):
        known = STATES.get(word)
        matching = [known] if known else [found for name, found in STATES.items() if name.startswith(word)]
        if not matching:
            raise _NotAFilter(token.start, token.end, f"status: knows {_list(STATES)}.")
        states.update(*matching)
    return InState(frozenset(states))


def _read_measure(token: _Token, key: str, sign: str, value: str) -> Condition:
    found = _NUMBER.fullmatch(value)
    if found is None or (sign and found["sign"]):
        raise _NotAFilter(token.start, token.end, _EXAMPLES[key])
    units = {"size": _SIZE_UNITS, "age": _AGE_UNITS, "used": {"": 1}}[key]
    unit = found["unit"].lower()
    if key == "age" and unit not in units:
        unit = next((name for name in units if unit and unit in (f"{name}s", *_LONG_UNITS[name])), unit)
    if unit not in units:
        raise _NotAFilter(token.start, token.end, _EXAMPLES[key])
    return Measure(key, sign or found["sign"] or "=", round(float(found["number"]) * units[unit]))


def _read_platform(_token: _Token, _key: str, _sign: str, value: str) -> Condition:
    return OnPlatform(tuple(word.casefold().strip("/") for word in re.split(r"[,|]", value) if word))


def _read_tag(_token: _Token, _key: str, _sign: str, value: str) -> Condition:
    return Tagged(_pattern(value))


def _read_label(_token: _Token, _key: str, _sign: str, value: str) -> Condition:
    key, sign, wanted = value.partition("=")
    return Labelled(key.casefold(), _pattern(wanted) if sign else None)


def _read_digest(_token: _Token, _key: str, _sign: str, value: str) -> Condition:
    return DigestStart(value.lower())


_READERS: Mapping[str, Callable[[_Token, str, str, str], Condition]] = {
    "type": _read_kind,
    "status": _read_state,
    "platform": _read_platform,
    "size": _read_measure,
    "used": _read_measure,
    "age": _read_measure,
    "tag": _read_tag,
    "label": _read_label,
    "digest": _read_digest,
}


def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(wanted.casefold()))


def _alternatives(value: str) -> list[str]:
    return [re.sub(r"[ _]", "-", word.strip().lower()) for word in re.split(r"[,|]", value) if word.strip()]


def _list(words: Mapping[str, object]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}"


_LONG_UNITS = {
    "s": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "d": ("day", "days"),
    "w": ("week", "weeks"),
    "mo": ("month", "months"),
    "y": ("year", "years"),
}

_EXAMPLES = {
    "type": "Type what to show: type:layer, for example.",
    "status": "Type a state: status:corrupt, for example.",
    "platform": "Type a platform: platform:linux/arm64, for example.",
    "size": "Type a size: size>50M or size<=1.5G, for example.",
    "used": "Type how often: used:0 or used>2, for example.",
    "age": "Type an age: age>30d or age<2h; the units are min, h, d, w, mo and y.",
    "tag": "Type a tag: tag:latest or tag:2.*, for example.",
    "label": "Type a label: label:team or label:team=web, for example.",
    "digest": "Type the beginning of a digest: digest:9f2c, for example.",
}
