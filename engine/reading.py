"""JSON in, documents of the image specification out.

A damaged field is read as if it were not there, and the rest stays readable: people must be able to look at a broken
image. What is wrong with it, the rules tell (``engine.rules``). What is no document at all raises ``DocumentError``.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from engine.digest import Digest, clip
from engine.document import (
    CONFIG_TYPES,
    ENTRIES_LIMIT,
    INDEX_TYPES,
    MANIFEST_TYPES,
    NO_TEXTS,
    OCI_ARTIFACT,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Document,
    History,
    ImageConfig,
    Index,
    Manifest,
    Platform,
)
from engine.errors import DocumentError, InvalidDigest
from engine.jsontext import Cursor, decode_text, expect_end, in_words, parse_strict, scan_value, skip_space


def read_document(raw: bytes, media_type: str, place: str = "") -> Document | None:
    """Read a blob as the document that its descriptor says it is; None for media types without structure.

    Raises ``DocumentError`` where it is no such document at all.
    """
    if media_type not in INDEX_TYPES and media_type not in MANIFEST_TYPES and media_type not in CONFIG_TYPES:
        return None
    value = parse_strict(raw, place)
    if not isinstance(value, dict):
        raise DocumentError(f"{place} is not a JSON object.", place=place, expected="an object", found=in_words(value))
    if media_type in CONFIG_TYPES:
        return _config(value)
    if "manifests" in value and ("layers" in value or "config" in value):
        raise DocumentError(
            f"{place} has the fields of an index and of a manifest, so nobody can tell what it is.",
            place=place,
            expected="either manifests, or config and layers",
            found=", ".join(sorted(key for key in ("manifests", "config", "layers") if key in value)),
        )
    if (other := _other_document(value, media_type)) is not None:
        raise DocumentError(
            f"{place} is {other}, and its descriptor says something else.",
            place=place,
            expected=media_type,
            found=other,
        )
    return _index(value, media_type) if media_type in INDEX_TYPES else _manifest(value, media_type)


def _other_document(value: dict[str, Any], media_type: str) -> str | None:
    """What a document is by the list that it has, where its descriptor's type has another one."""
    lists = {"manifests": "an index", "layers": "an image manifest", "blobs": "an artifact manifest"}
    own = "manifests" if media_type in INDEX_TYPES else "blobs" if media_type == OCI_ARTIFACT else "layers"
    return None if own in value else next((name for key, name in lists.items() if key in value), None)


def guess_media_type(raw: bytes) -> str:
    """The media type that a document without a descriptor has by its own content; empty where it is none."""
    try:
        value = parse_strict(raw)
    except DocumentError:
        return ""
    if not isinstance(value, dict):
        return ""
    own = value.get("mediaType")
    if isinstance(own, str) and own in INDEX_TYPES | MANIFEST_TYPES:
        return own
    if isinstance(value.get("manifests"), list) and "layers" not in value:
        return OCI_INDEX
    if isinstance(value.get("layers"), list) and isinstance(value.get("config"), dict) and "manifests" not in value:
        return OCI_MANIFEST
    if isinstance(value.get("rootfs"), dict) and "architecture" in value:
        return OCI_CONFIG
    return ""


def read_descriptor(value: Any) -> Descriptor:
    """One descriptor out of a document; what is not usable in it is empty."""
    if not isinstance(value, dict):
        return _NO_DESCRIPTOR
    size, urls, data, platform = (value.get(key) for key in ("size", "urls", "data", "platform"))
    return Descriptor(
        _text(value, "mediaType"),
        _digest(value.get("digest")),
        size if type(size) is int and 0 <= size < 1 << 63 else -1,
        _texts_by_name(value, "annotations"),
        _platform(*(_text(platform, key) for key in _PLATFORM)) if isinstance(platform, dict) else None,
        _text(value, "artifactType"),
        tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else (),
        data if isinstance(data, str) else None,
    )


class IndexWalk:
    """Reads the outermost object of an ``index.json`` entry by entry.

    So the first entries of an index of 100 000 can be shown before the last is read, and an edit knows where each
    entry stands in the text. After the last entry ``fields`` holds the places of the other members and ``manifests``
    the place of the list, None where it is missing.
    """

    def __init__(self, raw: bytes, place: str = "index.json") -> None:
        self.text = decode_text(raw, place)
        self.start = skip_space(self.text, 0)
        self.end = self.start
        self.fields: dict[str, tuple[Any, int, int]] = {}
        self.manifests: tuple[int, int] | None = None
        self._place = place
        if self.start == len(self.text):
            raise DocumentError(f"{place} is empty.", place=place, expected="an image index in JSON", found="no bytes")
        if self.text[self.start] != "{":
            found = clip(self.text[self.start : self.start + 21], 20)
            raise DocumentError(f"{place} is not a JSON object.", place=place, expected="an image index", found=found)

    def entries(self) -> Iterator[tuple[Any, int, int]]:
        """Value, start and end of each entry; raises ``DocumentError`` where the text is damaged."""
        outer = Cursor(self.text, self.start)
        for key, _, value_start in outer.names():
            if key == "manifests" and self.text.startswith("[", value_start):
                inner = Cursor(self.text, value_start)
                for count, start in enumerate(inner.parts(), 1):
                    if count > ENTRIES_LIMIT:
                        raise self._too_many()
                    value, inner.end = scan_value(self.text, start)
                    yield value, start, inner.end
                outer.end = inner.end
                self.manifests = value_start, outer.end
            else:
                value, outer.end = scan_value(self.text, value_start)
                if key == "manifests":
                    self.manifests = value_start, outer.end
                    if value is not None:
                        raise DocumentError(
                            f"{self._place} has no list of manifests.",
                            place=self._place,
                            expected="an array",
                            found=in_words(value),
                            rule="V74",
                        )
                else:
                    self.fields[key] = value, value_start, outer.end
        self.end = outer.end
        expect_end(self.text, outer.end)

    def _too_many(self) -> DocumentError:
        return DocumentError(
            f"{self._place} has too many entries.",
            place=self._place,
            expected=f"at most {ENTRIES_LIMIT:,}",
            found="more",
            rule="X10",
        )


def _index(value: dict[str, Any], media_type: str) -> Index:
    return Index(
        media_type,
        _text(value, "artifactType"),
        tuple(read_descriptor(item) for item in _list(value, "manifests")),
        _subject(value),
        _texts_by_name(value, "annotations"),
    )


def _manifest(value: dict[str, Any], media_type: str) -> Manifest:
    is_artifact = media_type == OCI_ARTIFACT
    return Manifest(
        media_type,
        _text(value, "artifactType"),
        None if is_artifact else read_descriptor(value.get("config")),
        tuple(read_descriptor(item) for item in _list(value, "blobs" if is_artifact else "layers")),
        _subject(value),
        _texts_by_name(value, "annotations"),
    )


def _config(value: dict[str, Any]) -> ImageConfig:
    run = _object(value, "config")
    return ImageConfig(
        Platform(*(_text(value, key) for key in _PLATFORM)),
        created=_text(value, "created"),
        author=_text(value, "author"),
        entrypoint=_texts(run, "Entrypoint"),
        cmd=_texts(run, "Cmd"),
        env=_texts(run, "Env"),
        exposed_ports=tuple(_object(run, "ExposedPorts")),
        volumes=tuple(_object(run, "Volumes")),
        labels=_texts_by_name(run, "Labels"),
        user=_text(run, "User"),
        working_dir=_text(run, "WorkingDir"),
        stop_signal=_text(run, "StopSignal"),
        diff_ids=_texts(_object(value, "rootfs"), "diff_ids"),
        history=tuple(_step(step) for step in _list(value, "history")),
    )


def _step(value: Any) -> History:
    if not isinstance(value, dict):
        return History()
    return History(
        created=_text(value, "created"),
        created_by=_text(value, "created_by"),
        author=_text(value, "author"),
        comment=_text(value, "comment"),
        empty_layer=value.get("empty_layer") is True,
    )


def _subject(value: dict[str, Any]) -> Descriptor | None:
    return None if value.get("subject") is None else read_descriptor(value["subject"])


def _digest(value: Any) -> str:
    """A usable digest, as a plain text: the garbage collector would look at each of a million digests."""
    try:
        Digest.parse(value if isinstance(value, str) else "")
    except InvalidDigest:
        return ""
    return str(value)


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _texts(value: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(item for item in _list(value, key) if isinstance(item, str))


def _object(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _texts_by_name(value: dict[str, Any], key: str) -> Mapping[str, str]:
    found = _object(value, key)
    return {name: text for name, text in found.items() if isinstance(text, str)} if found else NO_TEXTS


_PLATFORM = ("os", "architecture", "variant", "os.version")
# A layout has very many descriptors and very few platforms.
_platform = lru_cache(maxsize=1024)(Platform)
_NO_DESCRIPTOR = Descriptor()
