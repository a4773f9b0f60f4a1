"""JSON in, documents of the image specification out.

The only file that knows the specification's field names. A damaged field becomes a ``Problem`` with its JSON path, and
the rest stays readable: people must be able to look at a broken image. What is no document at all raises
``DocumentError``.
"""

import re
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
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Document,
    History,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    Problem,
)
from engine.errors import DocumentError, InvalidDigest
from engine.jsontext import Cursor, decode_text, expect_end, parse_strict, scan_value, skip_space

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")

MOST_PROBLEMS = 1000
"""Problems that are listed of one document; a hostile one has millions."""


def read_document(raw: bytes, media_type: str, place: str = "") -> tuple[Document | None, list[Problem]]:
    """Read a blob as the document that its descriptor says it is; ``(None, [])`` for media types without structure.

    Raises ``DocumentError`` where it is no such document at all.
    """
    if media_type not in INDEX_TYPES and media_type not in MANIFEST_TYPES and media_type not in CONFIG_TYPES:
        return None, []
    value = parse_strict(raw, place)
    if not isinstance(value, dict):
        raise DocumentError(f"{place} is not a JSON object.", place=place, expected="an object", found=_kind(value))
    reader = _Reader(place)
    if media_type in CONFIG_TYPES:
        return reader.config(value), reader.problems
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
    own = value.get("mediaType", "")
    if own and own != media_type:
        reader.warn("mediaType", f"The document calls itself {clip(str(own))}, its descriptor {media_type}.", "error")
    if media_type in INDEX_TYPES:
        return reader.index(value, media_type), reader.problems
    return reader.manifest(value, media_type), reader.problems


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


def read_descriptor(value: Any, where: str, place: str = "index.json") -> tuple[Descriptor, list[Problem]]:
    """One descriptor out of an index's list."""
    reader = _Reader(place)
    return reader.descriptor(value, where), reader.problems


class IndexWalk:
    """Reads the outermost object of an ``index.json`` entry by entry.

    So the first entries of an index of 100 000 can be shown before the last is read, and an edit knows where each
    entry stands in the text. After the last entry ``fields`` holds the places of the other members, ``manifests`` the
    place of the list (None where it is missing) and ``problems`` what is wrong outside the entries.
    """

    def __init__(self, raw: bytes, place: str = "index.json") -> None:
        self.text = decode_text(raw, place)
        self.start = skip_space(self.text, 0)
        self.end = self.start
        self.fields: dict[str, tuple[Any, int, int]] = {}
        self.manifests: tuple[int, int] | None = None
        self.problems: list[Problem] = []
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
                    self._add("manifests", f"The list of manifests is {_kind(value)} instead of an array.")
                    if value is not None:
                        raise DocumentError(
                            f"{self._place} has no list of manifests.",
                            place=self._place,
                            expected="an array",
                            found=_kind(value),
                            rule="V74",
                        )
                else:
                    self.fields[key] = value, value_start, outer.end
        self.end = outer.end
        expect_end(self.text, outer.end)
        self._check()

    def _too_many(self) -> DocumentError:
        return DocumentError(
            f"{self._place} has too many entries.",
            place=self._place,
            expected=f"at most {ENTRIES_LIMIT:,}",
            found="more",
            rule="X10",
        )

    def _check(self) -> None:
        if self.manifests is None:
            self._add("manifests", "The index has no list of manifests.")
        version = self.fields.get("schemaVersion", (None,))[0]
        if version != 2 or isinstance(version, bool):
            self._add("schemaVersion", f"The schema version is {_kind(version)} instead of 2.")
        media_type = self.fields.get("mediaType", (OCI_INDEX,))[0]
        if media_type not in INDEX_TYPES:
            self._add("mediaType", f"The index calls itself {clip(str(media_type))!r}.")
        mixed = sorted({"config", "layers"} & self.fields.keys())
        if mixed:
            self._add(mixed[0], "The index also has the fields of a manifest.")

    def _add(self, where: str, sentence: str) -> None:
        self.problems.append(Problem("error", sentence, self._place, where))


class _Reader:
    """Turns values into documents and collects what is wrong with them."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.problems: list[Problem] = []

    def warn(self, where: str, sentence: str, severity: str = "warning") -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(severity, sentence, self.place, where))
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append(Problem("error", "More is wrong than is listed here.", self.place))

    def index(self, value: dict[str, Any], media_type: str) -> Index:
        self._schema_version(value)
        return Index(
            media_type,
            self._text(value, "artifactType"),
            self._descriptors(value, "manifests"),
            self._subject(value),
            self._annotations(value, "annotations", "annotations"),
        )

    def manifest(self, value: dict[str, Any], media_type: str) -> Manifest:
        config = None
        if media_type == OCI_ARTIFACT:
            layers = self._descriptors(value, "blobs", required=False)
        else:
            self._schema_version(value)
            layers = self._descriptors(value, "layers")
            config = self.descriptor(value.get("config"), "config")
            if config.media_type == OCI_EMPTY and not value.get("artifactType"):
                self.warn("artifactType", "The config is empty, so artifactType must say what this is.", "error")
        return Manifest(
            media_type,
            self._text(value, "artifactType"),
            config,
            layers,
            self._subject(value),
            self._annotations(value, "annotations", "annotations"),
        )

    def config(self, value: dict[str, Any]) -> ImageConfig:
        run = self._object(value, "config")
        rootfs = self._object(value, "rootfs")
        diff_ids = self._texts(rootfs, "diff_ids", "rootfs.diff_ids")
        history = value.get("history")
        if not isinstance(history, list):
            if history is not None:
                self.warn("history", f"The history is {_kind(history)} instead of an array.", "error")
            history = []
        return ImageConfig(
            Platform(*(self._text(value, key) for key in ("os", "architecture", "variant", "os.version"))),
            created=self._text(value, "created"),
            author=self._text(value, "author"),
            entrypoint=self._texts(run, "Entrypoint", "config.Entrypoint"),
            cmd=self._texts(run, "Cmd", "config.Cmd"),
            env=self._texts(run, "Env", "config.Env"),
            exposed_ports=tuple(self._object(run, "ExposedPorts", "config.ExposedPorts")),
            volumes=tuple(self._object(run, "Volumes", "config.Volumes")),
            labels=self._annotations(run, "Labels", "config.Labels"),
            user=self._text(run, "User", "config"),
            working_dir=self._text(run, "WorkingDir", "config"),
            stop_signal=self._text(run, "StopSignal", "config"),
            diff_ids=diff_ids,
            history=tuple(self._step(step, f"history[{n}]") for n, step in enumerate(history)),
        )

    def descriptor(self, value: Any, where: str) -> Descriptor:
        if not isinstance(value, dict):
            self.warn(where, f"The descriptor is {_kind(value)} instead of an object.", "error")
            return _NO_DESCRIPTOR
        platform = value.get("platform")
        urls = value.get("urls") or ()
        data = value.get("data")
        return Descriptor(
            self._media_type(value, where),
            self._digest(value, where),
            self._size(value, where),
            self._annotations(value, "annotations", f"{where}.annotations"),
            None if platform is None else self._platform(platform, f"{where}.platform"),
            self._text(value, "artifactType", where),
            tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else (),
            data if isinstance(data, str) else None,
        )

    def _digest(self, value: dict[str, Any], where: str) -> str:
        digest = value.get("digest")
        if not isinstance(digest, str):
            self.warn(f"{where}.digest", f"The digest is {_kind(digest)} instead of a text.", "error")
            return ""
        try:
            Digest.parse(digest)
        except InvalidDigest as error:
            self.warn(f"{where}.digest", str(error), "error")
            return ""
        return digest  # a plain text: the garbage collector would look at each of a million digests

    def _size(self, value: dict[str, Any], where: str) -> int:
        size = value.get("size")
        if type(size) is int and 0 <= size < 1 << 63:
            return size
        self.warn(f"{where}.size", f"The size is {_kind(size)} instead of a count of bytes.", "error")
        return -1

    def _media_type(self, value: dict[str, Any], where: str) -> str:
        media_type = value.get("mediaType")
        if isinstance(media_type, str):
            if media_type in _WELL_KNOWN:
                return media_type
            if _MEDIA_TYPE.fullmatch(media_type):
                return media_type
        sentence = f"The media type is {_kind(media_type)}, not of the form type/subtype."
        self.warn(f"{where}.mediaType", sentence, "error")
        return media_type if isinstance(media_type, str) else ""

    def _platform(self, value: Any, where: str) -> Platform | None:
        if not isinstance(value, dict):
            self.warn(where, f"The platform is {_kind(value)} instead of an object.", "error")
            return None
        return _platform(
            self._text(value, "os", where),
            self._text(value, "architecture", where),
            self._text(value, "variant", where),
            self._text(value, "os.version", where),
        )

    def _schema_version(self, value: dict[str, Any]) -> None:
        version = value.get("schemaVersion")
        if version != 2 or isinstance(version, bool):
            self.warn("schemaVersion", f"The schema version is {_kind(version)} instead of 2.", "error")
        if "mediaType" not in value:
            self.warn("mediaType", "The document does not say its own media type.", "info")

    def _subject(self, value: dict[str, Any]) -> Descriptor | None:
        return None if value.get("subject") is None else self.descriptor(value["subject"], "subject")

    def _descriptors(self, value: dict[str, Any], key: str, *, required: bool = True) -> tuple[Descriptor, ...]:
        listed = value.get(key)
        if not isinstance(listed, list):
            if required or listed is not None:
                self.warn(key, f"The list {key} is {_kind(listed)} instead of an array.", "error")
            return ()
        return tuple(self.descriptor(item, f"{key}[{n}]") for n, item in enumerate(listed))

    def _step(self, value: Any, where: str) -> History:
        if not isinstance(value, dict):
            self.warn(where, f"The step is {_kind(value)} instead of an object.", "error")
            return History()
        return History(
            created=self._text(value, "created", where),
            created_by=self._text(value, "created_by", where),
            author=self._text(value, "author", where),
            comment=self._text(value, "comment", where),
            empty_layer=value.get("empty_layer") is True,
        )

    def _object(self, value: dict[str, Any], key: str, where: str = "") -> dict[str, Any]:
        found = value.get(key)
        if isinstance(found, dict):
            return found
        if found is not None:
            self.warn(where or key, f"{key} is {_kind(found)} instead of an object.", "error")
        return {}

    def _text(self, value: dict[str, Any], key: str, inside: str = "") -> str:
        found = value.get(key)
        if isinstance(found, str):
            return found
        if found is not None:
            self.warn(f"{inside}.{key}" if inside else key, f"{key} is {_kind(found)} instead of a text.", "error")
        return ""

    def _texts(self, value: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
        found = value.get(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self.warn(where, f"{key} is {_kind(found)} instead of a list of texts.", "error")
            return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()
        return tuple(found)

    def _annotations(self, value: dict[str, Any], key: str, where: str) -> Mapping[str, str]:
        if key not in value:
            return NO_TEXTS
        found = value[key]
        if not isinstance(found, dict):
            # Docker writes "Labels": null for an image without labels.
            if found is not None or key != "Labels":
                self.warn(where, f"{key} is {_kind(found)} instead of an object.", "error")
            return NO_TEXTS
        for name, text in found.items():
            if not isinstance(text, str):
                self.warn(
                    f"{where}.{name}", f"The value of {clip(name)!r} is {_kind(text)} instead of a text.", "error"
                )
        return {name: text for name, text in found.items() if isinstance(text, str)}


# A layout has very many descriptors and very few platforms.
_platform = lru_cache(maxsize=1024)(Platform)
_NO_DESCRIPTOR = Descriptor()
_WELL_KNOWN = INDEX_TYPES | MANIFEST_TYPES | CONFIG_TYPES


def _kind(value: Any) -> str:
    """A JSON value in a few plain words."""
    if value is None:
        return "missing or null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return f"the {'text' if isinstance(value, str) else 'number'} {clip(repr(value), 40)}"
