"""``IndexText``: an ``index.json`` as the text that it is.

Edits cut and join that text, so that unknown fields, their order, the spelling of numbers, white space and the final
newline stay as they were. Entries are known by their position in ``manifests``, names by the annotation
``org.opencontainers.image.ref.name`` (image-spec ``image-layout.md``, section index.json).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.digest import clip
from engine.document import REF_NAME, Descriptor
from engine.errors import DocumentError, StoreChanged
from engine.jsontext import members, parse_strict
from engine.reading import IndexWalk, read_descriptor
from engine.splicing import (
    Span,
    Style,
    append,
    drop,
    fields_at,
    fill,
    pad_inside,
    position_of,
    render,
    replaced,
    set_text_below,
    spans_of,
    style_of,
)

NEW_INDEX = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
"""The ``index.json`` of a new layout."""


class _Reading(NamedTuple):
    """Where everything stands in one version of the text."""

    document: Span
    manifests: Span | None
    spans: list[Span]
    entries: list[Descriptor]
    style: Style

    def grown(self, more: int, spans: list[Span], entries: list[Descriptor]) -> "_Reading":
        """The same after ``more`` characters have come into the list of manifests."""
        assert self.manifests is not None
        start, end = self.manifests
        outer = (self.document[0], self.document[1] + more)
        return self._replace(document=outer, manifests=(start, end + more), spans=spans, entries=entries)


class IndexText:
    """One ``index.json``, read strictly and edited by splicing.

    An edit of the store may be applied a second time, to what another program has written meanwhile. So an edit finds
    its entry by name (``named``) or by what it says (``find_entry``), and carries no position over from an earlier reading.
    """

    def __init__(self, raw: bytes, place: str = "index.json") -> None:
        self._place = place
        self._text = ""
        self._known: _Reading | None = self._read(raw)

    @classmethod
    def parse(cls, raw: bytes, place: str = "index.json") -> "IndexText":
        """Read the bytes of an index; raises ``DocumentError`` for what is not strictly one."""
        return cls(raw, place)

    @property
    def raw(self) -> bytes:
        """The document as it would be stored."""
        return self._text.encode()

    @property
    def entries(self) -> Sequence[Descriptor]:
        """The entries in their order; what is damaged in one is empty in its descriptor."""
        return self._now.entries

    @property
    def spans(self) -> Sequence[Span]:
        """Where each entry starts and ends in the text, in characters."""
        return self._now.spans

    def entry_text(self, position: int) -> str:
        """The text of an entry, to add it again later or elsewhere."""
        start, end = self._span(position)
        return self._text[start:end]

    def find_entry(self, descriptor: Descriptor, near: int = 0) -> int:
        """The position of the entry that says exactly this, the nearest to ``near`` where several do.

        Raises ``StoreChanged`` when none does.
        """
        found = [position for position, entry in enumerate(self.entries) if entry == descriptor]
        if not found:
            raise self._moved_on(descriptor.name or descriptor.digest, "no such entry")
        return min(found, key=lambda position: abs(position - near))

    def named(self, name: str) -> list[int]:
        """The positions of all entries with that name; the specification allows one, tools write several."""
        return [position for position, entry in enumerate(self.entries) if entry.name == name]

    def add(self, entry: Descriptor | str, name: str | None = None) -> int:
        """Append an entry, from a descriptor or from an entry's text, under ``name``; return its position.

        Raises ``DocumentError`` for a descriptor without media type, digest or size, or a text that is no object.
        """
        now = self._now
        if now.manifests is None:
            outer = spans_of(list(members(self._text, now.document[0])))
            self._becomes(append(self._text, now.document, outer, f'"manifests"{now.style.colon}[]', now.style), None)
            return self.add(entry, name)
        piece = _as_object(entry) if isinstance(entry, str) else self._render(entry)
        if now.spans:
            text = append(self._text, now.manifests, now.spans, piece, now.style)
            end = now.spans[-1][1] + len(text) - len(self._text)
            added = read_descriptor(_parsed(piece))
            spans, entries = [*now.spans, (end - len(piece), end)], [*now.entries, added]
            self._becomes(text, now.grown(len(text) - len(self._text), spans, entries))
        else:  # [], or null as Go programs write an empty list
            pad = now.style.newline and now.style.newline + 2 * now.style.indent
            text = replaced(self._text, now.manifests, "[]")
            self._becomes(fill(text, (now.manifests[0], now.manifests[0] + 2), piece, pad, now.style), None)
        if name is not None:
            self.rename(len(now.spans), name)
        return len(now.spans)

    def remove(self, *positions: int) -> None:
        """Take entries out, whatever their names."""
        for position in positions:
            self._span(position)
        now, gone = self._now, set(positions)
        if not gone:
            return
        assert now.manifests is not None
        text = drop(self._text, now.manifests, now.spans, gone)
        spans: list[Span] = []
        cut = 0
        for n, (start, end) in enumerate(now.spans):
            if n not in gone:
                spans.append((start - cut, end - cut))
            elif n + 1 < len(now.spans):
                cut += now.spans[n + 1][0] - start
        entries = [entry for n, entry in enumerate(now.entries) if n not in gone]
        self._becomes(text, now.grown(len(text) - len(self._text), spans, entries))

    def arrange(self, items: Sequence[int | str]) -> None:
        """Let the entries be these, in this order: where an entry stands now, or the text of one.

        White space before an entry goes with it. Raises ``DocumentError`` for a text that is not JSON.
        """
        now = self._now
        if items and (now.manifests is None or not now.spans):
            for item in items:
                self.add(str(item))
            return
        if not items:
            self.remove(*range(len(now.spans)))
            return
        assert now.manifests is not None
        text, (first, last) = self._text, (now.spans[0], now.spans[-1])
        head = text[now.manifests[0] + 1 : first[0]]
        between = "," + head if head else now.style.comma
        if len(now.spans) > 1:
            between = text[now.spans[-2][1] : last[0]]
        pieces = [text[: first[0]]]
        for n, item in enumerate(items):
            if n:
                before = isinstance(item, int) and item and text[now.spans[item - 1][1] : now.spans[item][0]]
                pieces.append(before or between)
            pieces.append(self.entry_text(item) if isinstance(item, int) else _stripped(item))
        self._becomes("".join([*pieces, text[last[1] :]]), None)

    def become(self, raw: bytes) -> None:
        """Be another version of the document altogether; what is not strictly one is noticed at the next question."""
        self._becomes(raw.decode(), None)

    def copy(self) -> "IndexText":
        """The document as it is now; edits of the one do not change the other."""
        other = object.__new__(IndexText)
        other._place, other._text, other._known = self._place, self._text, self._known
        return other

    def rename(self, position: int, name: str | None) -> None:
        """Give an entry a name, or with None take its name away; the entry itself stays."""
        self.annotate(position, REF_NAME, name)

    def annotate(self, position: int, key: str, value: str | None) -> None:
        """Set an annotation of an entry, or with None remove it.

        Raises ``DocumentError`` for an entry or annotations that are no objects, rather than replace them.
        """
        (start, end), now = self._span(position), self._now
        where = f"manifests[{position}] of {self._place}"
        text = set_text_below(self._text, (start, end), "annotations", key, value, now.style, where)
        more = len(text) - len(self._text)
        changed = read_descriptor(_parsed(text[start : end + more]))
        after = [(begin + more, stop + more) for begin, stop in now.spans[position + 1 :]]
        spans = [*now.spans[:position], (start, end + more), *after]
        entries = [*now.entries[:position], changed, *now.entries[position + 1 :]]
        self._becomes(text, now.grown(more, spans, entries))

    def resize(self, position: int, size: int) -> None:
        """Set the size of an entry, in bytes.

        Raises ``DocumentError`` for an entry that is no object.
        """
        (start, end), style = self._span(position), self._now.style
        fields = fields_at(self._text, start, f"manifests[{position}] of {self._place}")
        at = position_of(fields, "size")
        if at is None:
            self._becomes(append(self._text, (start, end), spans_of(fields), f'"size"{style.colon}{size}', style), None)
        else:
            self._becomes(replaced(self._text, (fields[at].value_start, fields[at].end), str(size)), None)

    def make_list(self) -> None:
        """Write an empty list of manifests where there is ``null``, as some Go programs write an empty one."""
        now = self._now
        if now.manifests is not None and self._text[slice(*now.manifests)] == "null":
            self._becomes(replaced(self._text, now.manifests, "[]"), None)

    def retag(self, name: str, entry: Descriptor | str, *, keep_previous: bool = True) -> None:
        """Let ``name`` stand for ``entry`` alone.

        What had the name before stays as an entry without one, where nothing else in the index leads to that digest,
        so that its content does not become unreferenced unasked; ``keep_previous=False`` takes it out.
        """
        digest = entry.digest if isinstance(entry, Descriptor) else _digest_in(entry)
        ours = [position for position in self.named(name) if self.entries[position].digest == digest]
        self.release(name, but=ours[-1] if ours else None, keep_previous=keep_previous)
        if ours:
            return
        for position, other in enumerate(self.entries):
            if other.digest == digest and other.name is None:
                self.rename(position, name)
                return
        self.add(entry, name)

    def release(self, name: str, *, but: int | None = None, keep_previous: bool = True) -> None:
        """Take a name away from every entry that has it, but for one; what becomes of those says ``retag``."""
        for position in reversed(self.named(name)):
            digest = self.entries[position].digest
            if position == but:
                continue
            if keep_previous and sum(other.digest == digest for other in self.entries) == 1:
                self.rename(position, None)
            else:
                self.remove(position)

    @property
    def _now(self) -> _Reading:
        if self._known is None:
            self._known = self._read(self.raw)
        return self._known

    def _becomes(self, text: str, known: _Reading | None) -> None:
        """Take over an edited text, and what is known of it; read it again only where that is not all."""
        self._text = text
        self._known = known

    def _read(self, raw: bytes) -> _Reading:
        walk = IndexWalk(raw, self._place)
        self._text = walk.text
        spans: list[Span] = []
        entries: list[Descriptor] = []
        for value, start, end in walk.entries():
            spans.append((start, end))
            entries.append(read_descriptor(value))
        return _Reading((walk.start, walk.end), walk.manifests, spans, entries, style_of(walk.text, walk.start))

    def _span(self, position: int) -> Span:
        if not 0 <= position < len(self.spans):
            raise self._moved_on(f"entry number {position + 1}", f"{len(self.spans)} entries")
        return self.spans[position]

    def _moved_on(self, expected: str, found: str) -> StoreChanged:
        return StoreChanged(
            f"{self._place} does not have that entry any more.",
            place=self._place,
            expected=expected,
            found=found,
            remedy="Look at the store as it is now, and decide again.",
        )

    def _render(self, entry: Descriptor) -> str:
        """A new entry in the manner of the last one, or of the document where there is none."""
        style = self._now.style
        if self.spans:
            return render(_to_json(entry), pad_inside(self._text, self.spans[-1], style), style)
        return render(_to_json(entry), style.newline and style.newline + 3 * style.indent, style)


def _as_object(text: str) -> str:
    """The text of an entry without white space around it; raises ``DocumentError`` unless it is an object."""
    if not isinstance(_parsed(text), dict):
        raise DocumentError("The entry is not a JSON object.", expected="a descriptor", found=clip(text))
    return _stripped(text)


def _stripped(text: str) -> str:
    """The text of a JSON value without white space around it; raises ``DocumentError`` for anything else."""
    _parsed(text)
    return text.strip(" \t\r\n")


def _digest_in(text: str) -> str:
    return read_descriptor(_parsed(text)).digest


def _parsed(text: str) -> Any:
    return parse_strict(text.encode(errors="surrogatepass"), "The entry")


def _to_json(entry: Descriptor) -> dict[str, Any]:
    """A descriptor's fields in the order in which Go programs write them; what is empty is left out."""
    if not entry.media_type or not entry.digest or entry.size < 0:
        raise DocumentError(
            "An entry of index.json needs a media type, a digest and a size.",
            expected="all three",
            found=f"{entry.media_type or 'no media type'}, {entry.digest or 'no digest'}, {entry.size:,} bytes",
        )
    platform = entry.platform and {
        "architecture": entry.platform.architecture,
        "os": entry.platform.os,
        "os.version": entry.platform.os_version,
        "variant": entry.platform.variant,
    }
    optional = {
        "urls": list(entry.urls),
        "annotations": dict(entry.annotations),
        "data": entry.data,
        "platform": platform and {key: text for key, text in platform.items() if text},
        "artifactType": entry.artifact_type,
    }
    required: dict[str, Any] = {"mediaType": entry.media_type, "digest": entry.digest, "size": entry.size}
    return required | {key: value for key, value in optional.items() if value or (key == "data" and value is not None)}
