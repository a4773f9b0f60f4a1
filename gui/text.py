"""What things are called: the one place for words, numbers and dates, and for making foreign text fit to show.

Sizes are decimal (1 MB is 1,000,000 bytes), as file managers and registries write them; the exact bytes go beside them.
"""

import html
import re
import textwrap
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from PySide6.QtCore import QDateTime, QLocale, Qt

from engine.errors import EngineError
from engine.findings import Severity
from engine.printable import printable
from engine.snapshot import Kind, State

LONGEST = 300
"""Characters of foreign text that one place shows."""

SEPARATOR = " · "


class Words(NamedTuple):
    """What a state or a kind is called: a glyph for places without icons, a word, and a sentence that explains it.

    ``several`` is the word for more than one, where it differs.
    """

    glyph: str
    word: str
    sentence: str
    several: str = ""


STATES: Mapping[State, Words] = {
    State.VERIFIED: Words("✔", "Verified", "The content is what its digest and size promise."),
    State.NOT_CHECKED: Words("◌", "Not checked", "The content has not been compared with its digest yet."),
    State.CHECKING: Words("⟳", "Checking", "It waits to be checked, or is being checked now."),
    State.EXTERNAL: Words("⇗", "External", "It is kept at another address; it need not be here."),
    State.NOT_CHECKABLE: Words(
        "?", "Not checkable", "Its digest uses an algorithm that this program does not compute."
    ),
    State.UNUSED: Words("○", "Unused", "Nothing that is named in this store leads to it."),
    State.LOST: Words(
        "⚠",
        "Lost image",
        "Nothing leads to it, but all its parts are here: it can be added again.",
        "Lost images",
    ),
    State.JUNK: Words(
        "▫", "Stray file", "It lies between the blobs, but its name is not that of a blob.", "Stray files"
    ),
    State.MISSING: Words("∅", "Missing", "Something refers to it, but there is no file."),
    State.SIZE_DIFFERS: Words("≠", "Size differs", "The file has another size than the one that refers to it says."),
    State.DAMAGED: Words("‼", "Damaged", "It is a document, but not one that can be understood."),
    State.UNREADABLE: Words("🔒", "Unreadable", "The operating system does not let this program read it."),
    State.NOT_REGULAR: Words(
        "⬡", "Not a file", "A folder, a link or a device is where the file should be.", "Not files"
    ),
    State.CORRUPT: Words("✖", "Corrupt", "The content hashes to another digest: it is not what it was."),
}

KINDS: Mapping[Kind, Words] = {
    Kind.UNKNOWN: Words("?", "unknown", "Nothing says what this is."),
    Kind.INDEX: Words("≣", "index", "A list of images, as a rule one for each platform."),
    Kind.IMAGE: Words("▣", "image", "What one platform runs: a configuration and layers."),
    Kind.CONFIG: Words("⚙", "config", "What an image runs, and how it was built."),
    Kind.LAYER: Words("≡", "layer", "Files that one step of the build added, changed or removed."),
    Kind.ARTIFACT: Words("◆", "artifact", "Content that is stored like an image but is none."),
    Kind.ATTESTATION: Words("⎙", "attestation", "A statement about how an image was made."),
    Kind.SIGNATURE: Words("✎", "signature", "Proof of who vouches for an image."),
    Kind.SBOM: Words("☰", "SBOM", "A list of the software in an image."),
    Kind.DATA: Words("▤", "data", "Content of an artifact."),
    Kind.STRAY: Words("▫", "stray file", "A file between the blobs that is none."),
}

SEVERITIES: Mapping[Severity, Words] = {
    Severity.ERROR: Words("✖", "Error", "The specification does not allow this: programs may refuse it.", "Errors"),
    Severity.WARNING: Words(
        "⚠", "Warning", "The specification advises against this, or something is at risk.", "Warnings"
    ),
    Severity.INFO: Words("·", "Note", "Nothing is wrong with this, but it is good to know.", "Notes"),
}

_MEDIA_TYPES: Mapping[str, str] = {
    "": "unknown type",
    "application/json": "JSON",
    "application/octet-stream": "bytes",
    "application/vnd.buildkit.cacheconfig.v0": "build cache",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip": "Helm chart",
    "application/vnd.cncf.helm.config.v1+json": "Helm chart configuration",
    "application/vnd.cyclonedx+json": "CycloneDX SBOM",
    "application/vnd.dev.cosign.simplesigning.v1+json": "cosign signature",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "Sigstore bundle",
    "application/vnd.docker.container.image.v1+json": "image configuration",
    "application/vnd.docker.distribution.manifest.list.v2+json": "multi-platform image",
    "application/vnd.docker.distribution.manifest.v1+json": "image manifest, old form",
    "application/vnd.docker.distribution.manifest.v1+prettyjws": "image manifest, old form",
    "application/vnd.docker.distribution.manifest.v2+json": "image manifest",
    "application/vnd.dsse.envelope.v1+json": "signed attestation",
    "application/vnd.in-toto+json": "attestation",
    "application/vnd.cncf.notary.signature": "Notary signature",
    "application/vnd.oci.artifact.manifest.v1+json": "artifact manifest, old form",
    "application/vnd.oci.empty.v1+json": "empty document",
    "application/vnd.oci.image.config.v1+json": "image configuration",
    "application/vnd.oci.image.index.v1+json": "multi-platform image",
    "application/vnd.oci.image.manifest.v1+json": "image manifest",
    "application/spdx+json": "SPDX SBOM",
    "text/spdx": "SPDX SBOM",
    "text/spdx+json": "SPDX SBOM",
    "text/plain": "text",
}

_LAYER = re.compile(
    r"application/vnd\.(?:oci\.image\.layer\.(?P<closed>nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?P<foreign>foreign\.)?diff\.tar)"
    r"(?:[.+](?P<packing>[a-z0-9]+))?"
)

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")

_FARTHEST_MS = 250_000_000_000_000
"""A date this far from 1970, in the year 9892, is no file's honest time; later ones are shown as this."""


def media_type(name: str) -> str:
    """A media type in plain words ("gzip layer"), or itself where there are none."""
    if name in _MEDIA_TYPES:
        return _MEDIA_TYPES[name]
    layer = _LAYER.fullmatch(name)
    if layer is None:
        return plain(name)
    closed = "non-distributable" if layer["closed"] or layer["foreign"] else ""
    return " ".join(part for part in (closed, layer["packing"], "layer") if part)


def number(value: int) -> str:
    """A whole number with the thousands set apart."""
    return f"{value:,}".replace(",", _locale().groupSeparator())


def count(value: int, noun: str, plural: str = "") -> str:
    """``1 blob``, ``1,024 blobs``; ``plural`` where it does not end in s."""
    return f"{number(value)} {noun if value == 1 else plural or noun + 's'}"


def count_of(value: int, state: State) -> str:
    """``23 verified``, ``1 lost image``, ``2 lost images``."""
    words = STATES[state]
    return f"{number(value)} {(words.word if value == 1 else words.several or words.word).lower()}"


def size(value: int) -> str:
    """``41.0 MB``; -1 is a size that nobody knows."""
    if value < 0:
        return "unknown size"
    if value < 1000:
        return exact_size(value)
    scaled, unit = float(value), 0
    while scaled >= 999.95 and unit < len(_UNITS) - 1:
        scaled /= 1000
        unit += 1
    return f"{_locale().toString(scaled, 'f', 1)} {_UNITS[unit]}"


def exact_size(value: int) -> str:
    """``41,000,123 bytes``, for the tooltip of a size."""
    return count(value, "byte") if value >= 0 else "unknown size"


def amount(value: int, unit: str) -> str:
    """So much of what a progress counts: a size where its unit is bytes, else a number of things."""
    return size(value) if unit == "bytes" else f"{number(value)} {unit}"


def rate(per_second: float, unit: str = "bytes") -> str:
    """``1.2 GB/s``, ``340 blobs/s``."""
    return f"{amount(round(per_second), unit)}/s"


def duration(seconds: float) -> str:
    """``4 s``, ``2 min 5 s``, ``1 h 3 min``."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes_rest = divmod(minutes, 60)
    if hours:
        return f"{number(hours)} h {minutes_rest} min" if minutes_rest else f"{number(hours)} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def progress(fraction: float | None, per_second: float | None, seconds_left: float | None, unit: str = "bytes") -> str:
    """``63 % · 1.2 GB/s · 4 s left``: what is known of a running job."""
    parts = []
    if fraction is not None:
        parts.append(f"{int(fraction * 100)} %")
    if per_second is not None:
        parts.append(rate(per_second, unit))
    if seconds_left is not None:
        parts.append(f"{duration(max(1, seconds_left))} left")
    return SEPARATOR.join(parts)


def moment(seconds: float) -> str:
    """``21 Nov 2026 23:43`` in the person's time zone; ``seconds`` since 1970, a file's time for example."""
    time = QDateTime.fromMSecsSinceEpoch(int(min(max(seconds * 1000, -_FARTHEST_MS), _FARTHEST_MS)))
    return _locale().toString(time, "d MMM yyyy HH:mm") if time.isValid() else ""


def moment_of(rfc3339: str) -> str:
    """The same for a time in a document; what is no time stays as it is written there."""
    time = QDateTime.fromString(rfc3339, Qt.DateFormat.ISODateWithMs)
    return _locale().toString(time.toLocalTime(), "d MMM yyyy HH:mm") if time.isValid() else plain(rfc3339)


def ago(seconds: float, now: float | None = None) -> str:
    """``just now``, ``3 min ago``, ``2 days ago``; a date once it is a month; ``seconds`` since 1970."""
    passed = (datetime.now(UTC).timestamp() if now is None else now) - seconds
    if passed < 60:
        return "just now"
    if passed < 3600:
        return f"{int(passed // 60)} min ago"
    if passed < 86400:
        return f"{int(passed // 3600)} h ago"
    if passed < 30 * 86400:
        return f"{count(int(passed // 86400), 'day')} ago"
    return moment(seconds)


def plain(text: str, limit: int = LONGEST, *, lines: bool = False) -> str:
    """Foreign text made fit to show: nothing invisible, nothing that reorders or breaks lines, and cut to ``limit``.

    Control characters become their pictures (␛), other invisible ones their numbers (⟨U+202E⟩), bytes that were no
    UTF-8 theirs (⟨byte FF⟩). With ``lines``, line ends and tabs stay.
    """
    return printable(text, limit, lines=lines)


def error_sentence(error: BaseException) -> str:
    """What went wrong and what helps, fit to show."""
    if isinstance(error, EngineError):
        return plain(f"{error} {error.remedy}".strip(), 2 * LONGEST)
    return plain(f"Something unexpected went wrong: {str(error) or type(error).__name__}", 2 * LONGEST)


def error_details(error: BaseException) -> str:
    """Everything that is known of an error, for a report."""
    lines = [error_sentence(error)]
    if isinstance(error, EngineError):
        facts = {"Where": error.place, "Expected": error.expected, "Found": error.found}
        lines += [f"{name}: {plain(fact, 4 * LONGEST)}" for name, fact in facts.items() if fact]
    trace = "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace").decode()
    return "\n".join([*lines, "", trace])


def escape_mnemonics(text: str) -> str:
    """Text for a menu, a button or a tab, where a single & would underline a letter."""
    return text.replace("&", "&&")


def window_title(text: str) -> str:
    """Text for a window's title, where [*] would be the mark of unsaved changes."""
    return text.replace("[*]", "[*][*]")


def tooltip(text: str) -> str:
    """Text for a tooltip: long lines folded, and never taken for rich text."""
    shown = plain(text, 4 * LONGEST, lines=True)
    folded = "\n".join("\n".join(textwrap.wrap(line, 100)) for line in shown.splitlines())
    if "<" in folded:
        return f"<p style='white-space: pre-wrap'>{html.escape(folded)}</p>"
    return folded


def _locale() -> QLocale:
    """The person's locale; the C locale sets no thousands apart, so English takes its place."""
    locale = QLocale()
    return QLocale(QLocale.Language.English) if locale.language() is QLocale.Language.C else locale
