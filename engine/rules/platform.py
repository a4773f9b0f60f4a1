"""Rules of platforms: image-spec ``image-index.md``, the platform of a descriptor; the same words stand in configs."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from engine.digest import clip
from engine.findings import Finding, Severity
from engine.jsontext import in_words
from engine.rules.json import Members
from engine.rules.registry import Broken, check, rule

_SOURCE = "image-spec image-index.md, Image Index Property Descriptions, platform"

SYSTEMS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
        "zos",
        "unknown",
    ]
)
"""Go's names of operating systems, and what builders write for content that is for none."""
PROCESSORS = frozenset(
    [
        "386",
        "amd64",
        "amd64p32",
        "arm",
        "armbe",
        "arm64",
        "arm64be",
        "loong64",
        "mips",
        "mipsle",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
        "unknown",
    ]
)
"""Go's names of processors, and what builders write for content that is for none."""
VARIANTS: Mapping[str, frozenset[str]] = {
    "arm": frozenset(["v5", "v6", "v7", "v8"]),  # v5 is not in the table, but Debian's armel is everywhere
    "arm64": frozenset(
        [
            "v8",
            "v8.0",
            "v8.1",
            "v8.2",
            "v8.3",
            "v8.4",
            "v8.5",
            "v8.6",
            "v8.7",
            "v8.8",
            "v8.9",
            "v9",
            "v9.0",
            "v9.1",
            "v9.2",
            "v9.3",
            "v9.4",
            "v9.5",
        ]
    ),
    "amd64": frozenset(["v1", "v2", "v3", "v4"]),
    "ppc64le": frozenset(["power8", "power9", "power10"]),
    "riscv64": frozenset(["rva20u64", "rva22u64", "rva23u64"]),
}
"""The variants that the specification lists for each processor."""

_KEYS = frozenset({"architecture", "os", "os.version", "os.features", "variant", "features"})
_PLAIN_KEYS = frozenset({"architecture", "os"})


class Platform(NamedTuple):
    """A descriptor's platform."""

    value: dict[str, Any]


def look(value: Any, place: str, path: str) -> Iterator[Finding]:
    """Whatever is wrong with a platform."""
    if not isinstance(value, dict):
        value = {} if value is None else {"": value}
    yield from check(Platform(value), place, path)
    yield from check(Members(value, _KEYS), place, path)


def is_plain(value: Any) -> bool:
    """Whether nothing can be wrong with it, for the very many that are like this; raises ``TypeError`` for "no"."""
    return type(value) is dict and value.keys() == _PLAIN_KEYS and _is_known(value["os"], value["architecture"])


def _is_known(system: str, processor: str) -> bool:
    return system in SYSTEMS and processor in PROCESSORS


def strange_names(value: dict[str, Any]) -> Iterator[Broken]:
    """Where a platform's or config's names are none of Go's; an empty one says nothing, as signatures have it."""
    for key, known in (("os", SYSTEMS), ("architecture", PROCESSORS)):
        name = value.get(key)
        if isinstance(name, str) and name and name not in known:
            yield Broken(
                key, f"{clip(name, 40)!r} is not a name that Go has.", f"Go's GO{key.upper()[:4]}", clip(name, 40)
            )


def strange_variant(value: dict[str, Any]) -> Iterator[Broken]:
    """Where a variant is none of those that the specification lists for the processor."""
    variant, processor = value.get("variant"), value.get("architecture")
    if variant is None or variant == "":
        return
    if not isinstance(variant, str):
        sentence = f"The variant is {in_words(variant)} instead of a text."
        yield Broken("variant", sentence, "a text", severity=Severity.ERROR)
    elif isinstance(processor, str) and processor in VARIANTS and variant not in VARIANTS[processor]:
        expected = ", ".join(sorted(VARIANTS[processor]))
        yield Broken(
            "variant", f"{clip(variant, 40)!r} is no listed variant of {processor}.", expected, clip(variant, 40)
        )


def missing_text(value: dict[str, Any], key: str, owner: str) -> Iterator[Broken]:
    """Where a required text is missing, or is something else."""
    if not isinstance(value.get(key), str):
        found = in_words(value.get(key))
        yield Broken(key, f"The {key} of the {owner} is {found}.", "a text", found)


@rule(
    "V79",
    Severity.ERROR,
    "A platform does not name its processor",
    "A platform has the text architecture. Without it tools cannot choose an image for a machine.",
    _SOURCE,
)
def _architecture(platform: Platform) -> Iterator[Broken]:
    yield from missing_text(platform.value, "architecture", "platform")


@rule(
    "V80",
    Severity.ERROR,
    "A platform does not name its operating system",
    "A platform has the text os. Without it tools cannot choose an image for a machine.",
    _SOURCE,
)
def _os(platform: Platform) -> Iterator[Broken]:
    yield from missing_text(platform.value, "os", "platform")


@rule(
    "V81",
    Severity.WARNING,
    "A platform's name is none that Go has",
    "os and architecture should be values of Go's GOOS and GOARCH. Tools compare the texts, so they will not find an "
    "image under another spelling (x86_64 for amd64).",
    _SOURCE,
)
def _names(platform: Platform) -> Iterator[Broken]:
    yield from strange_names(platform.value)


@rule(
    "V82",
    Severity.INFO,
    "A processor's variant is not listed",
    "Variants that the specification does not list are allowed, but tools may not know what they mean.",
    f"{_SOURCE}, Platform Variants",
)
def _variant(platform: Platform) -> Iterator[Broken]:
    yield from strange_variant(platform.value)


@rule(
    "V83",
    Severity.ERROR,
    "A system's version or features have the wrong form",
    "os.version is a text, os.features an array of texts.",
    _SOURCE,
)
def _system(platform: Platform) -> Iterator[Broken]:
    version, features = platform.value.get("os.version"), platform.value.get("os.features")
    if version is not None and not isinstance(version, str):
        yield Broken("os.version", f"The version is {in_words(version)}.", "a text", in_words(version))
    if features is not None and not (isinstance(features, list) and all(isinstance(each, str) for each in features)):
        yield Broken("os.features", f"The features are {in_words(features)}.", "an array of texts", in_words(features))


@rule(
    "V84",
    Severity.WARNING,
    "A platform has the reserved member features",
    "The name features is reserved for future versions of the specification, so what it says here means nothing.",
    _SOURCE,
)
def _features(platform: Platform) -> Iterator[Broken]:
    if "features" in platform.value:
        yield Broken("features", "Nothing must be written under this name.")
