"""Rules of descriptors, wherever they stand: image-spec ``descriptor.md``."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.digest import Digest, clip, digest_of
from engine.document import CONFIG_TYPES, INDEX_TYPES, MANIFEST_TYPES, OCI_EMPTY
from engine.errors import InvalidDigest
from engine.findings import Finding, Severity
from engine.jsontext import in_words
from engine.rules import annotations, platform
from engine.rules.json import Members
from engine.rules.registry import RULES, Broken, check, finding, rule

_PROPERTIES = "image-spec descriptor.md, Properties"
_DIGESTS = "image-spec descriptor.md, Digests"
_REGISTERED = "image-spec descriptor.md, Registered Algorithms"

KEYS = frozenset({"mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"})
MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
"""RFC 6838, section 4.2."""

_PLAIN_KEYS = frozenset({"mediaType", "digest", "size", "annotations", "platform"})
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_LARGEST = 1 << 53
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_LAYER_TYPES = {_LAYER, f"{_LAYER}+gzip", f"{_LAYER}+zstd", "application/vnd.docker.image.rootfs.diff.tar.gzip"}
_KNOWN_TYPES = INDEX_TYPES | MANIFEST_TYPES | CONFIG_TYPES | _LAYER_TYPES
_EMPTY = b"{}"
_EMPTY_DIGEST = str(digest_of(_EMPTY))
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~%A-Z]*")
_LIST_RULES = {"manifests": "V75", "config": "V56", "layers": "V60", "blobs": "V60", "subject": "V64"}
"""What says of each member that there is a descriptor."""


class Described(NamedTuple):
    """A descriptor's object."""

    value: dict[str, Any]


def look(value: Any, role: str, place: str, path: str, *, named: bool = False) -> Iterator[Finding]:
    """Whatever is wrong with a descriptor.

    ``role`` is the member that it stands in, ``named`` whether a name means something there: in ``index.json``.
    """
    if is_plain(value, named=named):
        return
    if not isinstance(value, dict):
        broken = Broken("", f"This is {in_words(value)}, not a descriptor.", "an object", in_words(value))
        yield finding(RULES[_LIST_RULES[role]], broken, place, path)
        return
    yield from check(Described(value), place, path)
    yield from check(Members(value, KEYS), place, path)
    yield from annotations.look(value, place, path, named=named)
    if "platform" in value:
        yield from platform.look(value["platform"], place, f"{path}.platform")


def is_plain(value: Any, *, named: bool) -> bool:
    """Whether nothing can be wrong with it, told at a glance: an index may have very many that are like this."""
    try:
        return (
            type(value) is dict
            and value.keys() <= _PLAIN_KEYS
            and value["mediaType"] in _KNOWN_TYPES
            and _SHA256.fullmatch(value["digest"]) is not None
            and type(value["size"]) is int
            and 0 <= value["size"] <= _LARGEST
            and ("annotations" not in value or annotations.is_plain(value["annotations"], named=named))
            and ("platform" not in value or platform.is_plain(value["platform"]))
        )
    except (KeyError, TypeError):
        return False


@rule(
    "V20",
    Severity.ERROR,
    "A descriptor does not say what it refers to",
    "A descriptor has a mediaType. Without one nobody knows how to read the content.",
    _PROPERTIES,
)
def _media_type(descriptor: Described) -> Iterator[Broken]:
    found = descriptor.value.get("mediaType")
    if not isinstance(found, str) or not found:
        what = in_words(found)
        yield Broken("mediaType", f"The media type is {what}.", "a text such as application/json", what)


@rule(
    "V21",
    Severity.ERROR,
    "A media type has the wrong form",
    "A media type is type/subtype, each of at most 127 letters, digits and ! # $ & - ^ _ . + characters.",
    f"{_PROPERTIES}; RFC 6838, section 4.2",
)
def _form(descriptor: Described) -> Iterator[Broken]:
    yield from wrong_type(descriptor.value, "mediaType")


@rule(
    "V22",
    Severity.ERROR,
    "A descriptor has no digest",
    "A descriptor has the digest of the content, as a text. Without it the content cannot be found.",
    _PROPERTIES,
)
def _digest(descriptor: Described) -> Iterator[Broken]:
    found = descriptor.value.get("digest")
    if not isinstance(found, str):
        yield Broken("digest", f"The digest is {in_words(found)}.", "a text such as sha256:…", in_words(found))


@rule(
    "V23",
    Severity.ERROR,
    "A digest does not follow the grammar",
    "A digest is algorithm:encoded. Nothing else can be looked up, and a text with a slash may be meant to lead out of "
    "the store.",
    _DIGESTS,
)
def _grammar(descriptor: Described) -> Iterator[Broken]:
    yield from _wrong_digest(descriptor, "")


@rule(
    "V24",
    Severity.ERROR,
    "A sha256 digest has the wrong form",
    "After sha256: there are 64 lower-case hexadecimal digits.",
    f"{_REGISTERED}, SHA-256",
)
def _sha256(descriptor: Described) -> Iterator[Broken]:
    yield from _wrong_digest(descriptor, "sha256")


@rule(
    "V25",
    Severity.ERROR,
    "A sha512 digest has the wrong form",
    "After sha512: there are 128 lower-case hexadecimal digits.",
    f"{_REGISTERED}, SHA-512",
)
def _sha512(descriptor: Described) -> Iterator[Broken]:
    yield from _wrong_digest(descriptor, "sha512")


@rule(
    "V26",
    Severity.ERROR,
    "A blake3 digest has the wrong form",
    "After blake3: there are 64 lower-case hexadecimal digits.",
    f"{_REGISTERED}, BLAKE3",
)
def _blake3(descriptor: Described) -> Iterator[Broken]:
    yield from _wrong_digest(descriptor, "blake3")


@rule(
    "V29",
    Severity.ERROR,
    "A descriptor has no size",
    "A descriptor has the size of the content: a whole number of bytes, without quotation marks.",
    _PROPERTIES,
)
def _size(descriptor: Described) -> Iterator[Broken]:
    found = descriptor.value.get("size")
    if type(found) is not int:
        yield Broken("size", f"The size is {in_words(found)}.", "a whole number", in_words(found))
    elif found >= 1 << 63:
        yield Broken("size", "The size is beyond what any disk holds.", "less than 2^63", clip(str(found), 40))


@rule(
    "V30",
    Severity.ERROR,
    "A size is negative",
    "A size is a count of bytes.",
    _PROPERTIES,
)
def _negative(descriptor: Described) -> Iterator[Broken]:
    found = descriptor.value.get("size")
    if type(found) is int and found < 0:
        yield Broken("size", f"The size is {clip(str(found), 40)}.", "0 or more", clip(str(found), 40))


@rule(
    "V33",
    Severity.ERROR,
    "An address is not a URI",
    "urls is an array of URIs from which the content may be fetched.",
    f"{_PROPERTIES}; RFC 3986",
)
def _urls(descriptor: Described) -> Iterator[Broken]:
    urls = descriptor.value.get("urls")
    if urls is not None and not isinstance(urls, list):
        yield Broken("urls", f"The addresses are {in_words(urls)}.", "an array of texts", in_words(urls))
    for n, url in enumerate(urls if isinstance(urls, list) else ()):
        if not isinstance(url, str) or not _URI.fullmatch(url):
            yield Broken(f"urls[{n}]", f"{clip(in_words(url))} is not a URI.", "https://…", in_words(url))


@rule(
    "V34",
    Severity.WARNING,
    "An address is not of the web",
    "Addresses should be of http or https; not every program fetches from others.",
    _PROPERTIES,
)
def _schemes(descriptor: Described) -> Iterator[Broken]:
    urls = descriptor.value.get("urls")
    for n, url in enumerate(urls if isinstance(urls, list) else ()):
        if isinstance(url, str) and _URI.fullmatch(url) and not url.lower().startswith(("http://", "https://")):
            yield Broken(f"urls[{n}]", f"{clip(url)!r} is not of http or https.", "https://…", clip(url))


@rule(
    "V36",
    Severity.ERROR,
    "Embedded data is not base64",
    "data is the content itself in base64, with padding.",
    f"{_PROPERTIES}, data; RFC 4648, section 4",
)
def _data(descriptor: Described) -> Iterator[Broken]:
    data = descriptor.value.get("data")
    if "data" in descriptor.value and _decoded(data) is None:
        yield Broken("data", "The embedded data cannot be decoded.", "base64 with padding", clip(in_words(data), 60))


@rule(
    "V37",
    Severity.ERROR,
    "Embedded data is not the content",
    "data is the very content that digest and size describe. It must not be used; the blob itself may be good.",
    f"{_PROPERTIES}, data",
)
def _same_data(descriptor: Described) -> Iterator[Broken]:
    value = descriptor.value
    content = _decoded(value.get("data"))
    if content is None:
        return
    size = value.get("size")
    if type(size) is int and size >= 0 and len(content) != size:
        yield Broken("data", "The embedded data has another size.", f"{size:,} bytes", f"{len(content):,} bytes")
    digest = _parsed(value.get("digest"))
    if digest is not None and digest.checkable and (found := digest_of(content, digest.algorithm)) != digest:
        yield Broken("data", "The embedded data has another digest.", digest.short, found.short)


@rule(
    "V38",
    Severity.ERROR,
    "A descriptor's artifact type has the wrong form",
    "artifactType is a media type: type/subtype.",
    f"{_PROPERTIES}, artifactType; RFC 6838, section 4.2",
)
def _artifact_type(descriptor: Described) -> Iterator[Broken]:
    yield from wrong_type(descriptor.value, "artifactType")


@rule(
    "V66",
    Severity.INFO,
    "The empty descriptor is not empty",
    "The media type application/vnd.oci.empty.v1+json stands for the two bytes {} and nothing else.",
    "image-spec manifest.md, Guidance for an Empty Descriptor",
)
def _empty(descriptor: Described) -> Iterator[Broken]:
    value = descriptor.value
    if value.get("mediaType") != OCI_EMPTY:
        return
    digest, size = _parsed(value.get("digest")), value.get("size")
    if digest is not None and digest.checkable and digest != digest_of(_EMPTY, digest.algorithm):
        yield Broken("digest", "The digest is not that of {}.", Digest(_EMPTY_DIGEST).short, digest.short)
    if type(size) is int and size != len(_EMPTY):
        yield Broken("size", "The size is not that of {}.", "2", clip(str(size), 40))
    if value.get("data", "e30=") != "e30=":
        yield Broken("data", "The data is not {}.", "e30=", clip(in_words(value["data"]), 40))


def wrong_type(value: dict[str, Any], key: str) -> Iterator[Broken]:
    """Where a member is a media type, but has the form of none."""
    found = value.get(key)
    if key == "artifactType" and found is not None and not isinstance(found, str):
        yield Broken(key, f"The type is {in_words(found)}.", "type/subtype", in_words(found))
    elif isinstance(found, str) and found and not MEDIA_TYPE.fullmatch(found):
        yield Broken(key, f"{clip(found)!r} is not a media type.", "type/subtype", clip(found))


def _wrong_digest(descriptor: Described, algorithm: str) -> Iterator[Broken]:
    """Where the digest is wrong, if it is of that algorithm; the empty name stands for all but the registered ones."""
    text = descriptor.value.get("digest")
    if not isinstance(text, str):
        return
    found = text.partition(":")[0]
    if algorithm != (found if found in _ALGORITHMS and ":" in text else ""):
        return
    try:
        Digest.parse(text)
    except InvalidDigest as error:
        yield Broken("digest", str(error), error.expected, error.found)


_ALGORITHMS = ("sha256", "sha512", "blake3")


def _parsed(digest: Any) -> Digest | None:
    try:
        return Digest.parse(digest) if isinstance(digest, str) else None
    except InvalidDigest:
        return None


def _decoded(data: Any) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None
