"""Rules of annotations, wherever they stand: image-spec ``annotations.md``."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from engine.digest import Digest, clip
from engine.document import REF_NAME
from engine.errors import InvalidDigest
from engine.findings import Finding, Severity
from engine.indexfile import NAME as INDEX_NAME
from engine.jsontext import in_words
from engine.rules.registry import Broken, check, rule

_RULES = "image-spec annotations.md, Rules"
_KEYS = "image-spec annotations.md, Pre-Defined Annotation Keys"
_RESERVED = "org.opencontainers"
_IMAGE = "org.opencontainers.image"
_KNOWN = frozenset(
    f"{_IMAGE}.{name}"
    for name in (
        *("created", "authors", "url", "documentation", "source", "version", "revision", "vendor", "licenses"),
        *("ref.name", "title", "description", "base.digest", "base.name"),
        # What conversion.md makes out of an image's config.
        *("os", "architecture", "variant", "os.version", "os.features", "author", "stopSignal", "exposedPorts"),
    )
) | {
    # From artifacts.md of the release candidates of 1.1, and from the distribution specification.
    f"{_RESERVED}.artifact.created",
    f"{_RESERVED}.artifact.description",
    f"{_RESERVED}.referrers.filtersApplied",
    f"{_RESERVED}.referrers.filtersapplied",
}
_NAME = re.compile(r"[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_LICENSE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+|[A-Za-z0-9.-]+\+?")
_OPERATORS = frozenset({"AND", "OR", "WITH"})
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s<>\"{}|\\^`]+")


class Annotations(NamedTuple):
    """Annotations, or a config's labels; ``named`` where the document is one in which a name means something."""

    value: Any
    labels: bool = False
    named: bool = False

    def texts(self) -> Mapping[str, str]:
        """Those that are texts."""
        if not isinstance(self.value, dict):
            return {}
        return {key: text for key, text in self.value.items() if isinstance(text, str)}

    def get(self, *names: str) -> Iterator[tuple[str, str]]:
        """Those of the image's own keys that say something; some tools write an empty text for "none"."""
        texts = self.texts()
        for name in names:
            if text := texts.get(f"{_IMAGE}.{name}"):
                yield f"{_IMAGE}.{name}", text


def look(owner: Mapping[str, Any], place: str, path: str = "", *, named: bool = False) -> Iterator[Finding]:
    """Whatever is wrong with the annotations of a descriptor or document."""
    if "annotations" in owner and not is_plain(owner["annotations"], named=named):
        where = f"{path}.annotations" if path else "annotations"
        yield from check(Annotations(owner["annotations"], named=named), place, where)


def is_plain(value: Any, *, named: bool) -> bool:
    """Whether nothing can be wrong with them, for the very many that are like this."""
    if type(value) is not dict:
        return False
    for key, text in value.items():
        if type(text) is not str:
            return False
        if key == REF_NAME:
            if not named or not is_name(text):
                return False
        elif key.startswith(_RESERVED) or "." not in key:
            return False
    return True


def advice(annotations: Mapping[str, str], key: str) -> list[Finding]:
    """What the rules say of one of an index entry's annotations, which may not be written yet."""
    return [each for each in check(Annotations(dict(annotations), named=True), INDEX_NAME) if each.where == key]


def is_name(text: str) -> bool:
    """Whether a reference name follows the grammar."""
    return _NAME.fullmatch(text) is not None


def is_time(text: str) -> bool:
    """Whether a text is a point in time as RFC 3339 writes it."""
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(f"{text[:10]}T{text[11:16]}")
    except ValueError:
        return False
    return int(text[17:19]) <= 60  # a leap second


@rule(
    "V100",
    Severity.ERROR,
    "Annotations are not an object of texts",
    "Annotations are an object in which every value is a text, not null; where there are none, the member is left out "
    "or {}. Programs with strict types refuse the whole document.",
    _RULES,
)
def _texts(annotations: Annotations) -> Iterator[Broken]:
    value = annotations.value
    if not isinstance(value, dict):
        if value is not None or not annotations.labels:  # Docker writes "Labels": null for an image without any
            yield Broken("", f"They are {in_words(value)}.", "an object of texts", in_words(value))
        return
    for key, text in value.items():
        if not isinstance(text, str):
            yield Broken(key, f"The value of {clip(key)!r} is {in_words(text)}.", "a text", in_words(text))


@rule(
    "V102",
    Severity.INFO,
    "An annotation's name has no domain",
    "Names should be prefixed with a reversed domain name, as in com.example.key, so that two projects never mean "
    "different things by one name.",
    _RULES,
)
def _domains(annotations: Annotations) -> Iterator[Broken]:
    if annotations.labels:  # "maintainer" and its like are older than this rule, and in every second image
        return
    for key in annotations.texts():
        if "." not in key:
            yield Broken(key, f"{clip(key)!r} has no domain in front.", "com.example.key", clip(key))


@rule(
    "V103",
    Severity.WARNING,
    "A name below org.opencontainers is not one of the specification's",
    "The prefix org.opencontainers is reserved for the Open Container Initiative's specifications.",
    _RULES,
)
def _reserved(annotations: Annotations) -> Iterator[Broken]:
    yield from _unknown(annotations, of_image=False)


@rule(
    "V104",
    Severity.WARNING,
    "A name below org.opencontainers.image is not one of the specification's",
    "The prefix org.opencontainers.image is reserved for the image specification; it may be misspelt, and then nobody "
    "will find it.",
    _RULES,
)
def _reserved_for_images(annotations: Annotations) -> Iterator[Broken]:
    yield from _unknown(annotations, of_image=True)


def _unknown(annotations: Annotations, *, of_image: bool) -> Iterator[Broken]:
    for key in annotations.texts():
        if key.startswith(f"{_RESERVED}.") and key not in _KNOWN and key.startswith(f"{_IMAGE}.") == of_image:
            yield Broken(key, f"The specification does not define {clip(key)!r}.", found=clip(key))


@rule(
    "V15",
    Severity.WARNING,
    "A reference name stands where it means nothing",
    "org.opencontainers.image.ref.name names an entry of index.json; elsewhere tools do not look for it.",
    "image-spec annotations.md, Pre-Defined Annotation Keys; image-layout.md, index.json File",
)
def _name_elsewhere(annotations: Annotations) -> Iterator[Broken]:
    # Base images carry it as a label, and so do all images that were built on them.
    if not annotations.named and not annotations.labels:
        for key, text in annotations.get("ref.name"):
            yield Broken(key, f"The name {clip(text)!r} is not on an entry of index.json.", found=clip(text))


@rule(
    "V107",
    Severity.WARNING,
    "A time is not written as RFC 3339 has it",
    "created is a point in time as in 2024-05-17T08:30:00Z.",
    _KEYS,
)
def _created(annotations: Annotations) -> Iterator[Broken]:
    for key, text in annotations.get("created"):
        if not is_time(text):
            yield Broken(key, f"{clip(text)!r} is not such a time.", "2024-05-17T08:30:00Z", clip(text))


@rule(
    "V108",
    Severity.WARNING,
    "A reference name does not follow the grammar",
    "Names are letters and digits, joined by one of - . _ : @ + or by --, in parts joined by /. Any name is allowed, but "
    "other tools may not be able to ask for this one; rename it to use it elsewhere.",
    f"{_KEYS}; image-layout.md, index.json File",
)
def _grammar(annotations: Annotations) -> Iterator[Broken]:
    name = annotations.texts().get(REF_NAME)
    if name is not None and not annotations.labels and not is_name(name):
        yield Broken(REF_NAME, f"{clip(name)!r} is not such a name.", "for example team/image:1.0", clip(name))


@rule(
    "V109",
    Severity.WARNING,
    "The base image's digest is none",
    "org.opencontainers.image.base.digest is the digest of the image that this one was built on.",
    _KEYS,
)
def _base_digest(annotations: Annotations) -> Iterator[Broken]:
    for key, text in annotations.get("base.digest"):
        try:
            Digest.parse(text)
        except InvalidDigest as error:
            yield Broken(key, str(error), error.expected, clip(text))


@rule(
    "V110",
    Severity.WARNING,
    "The base image's name is not a full one",
    "org.opencontainers.image.base.name should be a name with its registry, as in registry.example.com/team/base:1.0.",
    _KEYS,
)
def _base_name(annotations: Annotations) -> Iterator[Broken]:
    for key, text in annotations.get("base.name"):
        registry, slash, _ = text.partition("/")
        if text != "scratch" and (not slash or (not {".", ":"} & set(registry) and registry != "localhost")):
            yield Broken(
                key, f"{clip(text)!r} does not begin with a registry.", "registry.example.com/name", clip(text)
            )


@rule(
    "V111",
    Severity.INFO,
    "Licences are not an SPDX expression",
    "org.opencontainers.image.licenses is an expression of SPDX identifiers, as in MIT OR Apache-2.0.",
    _KEYS,
)
def _licenses(annotations: Annotations) -> Iterator[Broken]:
    for key, text in annotations.get("licenses"):
        if not _is_expression(text):
            yield Broken(key, f"{clip(text)!r} is not such an expression.", "MIT OR Apache-2.0", clip(text))


def _is_expression(text: str) -> bool:
    """Whether identifiers and operators take turns; parentheses only need to be balanced."""
    if text.count("(") != text.count(")"):
        return False
    words = text.replace("(", " ").replace(")", " ").split()
    identifiers, operators = words[::2], words[1::2]
    return (
        len(identifiers) == len(operators) + 1
        and all(word.upper() in _OPERATORS for word in operators)
        and all(_LICENSE.fullmatch(word) for word in identifiers)
    )


@rule(
    "V112",
    Severity.INFO,
    "An address is not a URL",
    "url, documentation and source are URLs where more can be found.",
    _KEYS,
)
def _urls(annotations: Annotations) -> Iterator[Broken]:
    for key, text in annotations.get("url", "documentation", "source"):
        if not _URL.fullmatch(text) and not text.startswith("git@"):
            yield Broken(key, f"{clip(text)!r} is not a URL.", "https://…", clip(text))


@rule(
    "V113",
    Severity.INFO,
    "A base image is named without its digest",
    "Where org.opencontainers.image.base.name is, base.digest should be, too: the name may mean another image tomorrow.",
    _KEYS,
)
def _base_without_digest(annotations: Annotations) -> Iterator[Broken]:
    for key, text in annotations.get("base.name"):
        if text != "scratch" and f"{_IMAGE}.base.digest" not in annotations.texts():
            yield Broken(key, f"{clip(text)!r} comes without base.digest.", f"{_IMAGE}.base.digest")
