"""Rules of image configs: image-spec ``config.md``; the same for what Docker keeps of an image."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.digest import Digest, clip
from engine.errors import InvalidDigest
from engine.findings import Finding, Severity
from engine.jsontext import in_words
from engine.rules import platform
from engine.rules.annotations import Annotations, is_time
from engine.rules.json import Members
from engine.rules.registry import Broken, check, counted, rule

_PROPERTIES = "image-spec config.md, Properties"
_RUN = f"{_PROPERTIES}, config"
_KEYS = frozenset(
    {
        *("created", "author", "architecture", "os", "os.version", "os.features", "variant"),
        *("config", "rootfs", "history"),
    }
)
_RUN_KEYS = frozenset(
    {
        *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"),
        *("ArgsEscaped", "Memory", "MemorySwap", "CpuShares", "Healthcheck"),
    }
)
_PORT = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(?:tcp|udp|sctp))?")
_LAST_PORT = 65535
_SIGNAL = re.compile(r"(?:SIG)?[A-Z][A-Z0-9]*(?:[+-][0-9]+)?|[0-9]+")


class Config(NamedTuple):
    """An image's config."""

    value: dict[str, Any]

    @property
    def run(self) -> dict[str, Any]:
        """What is said of running a container."""
        found = self.value.get("config")
        return found if isinstance(found, dict) else {}

    @property
    def diff_ids(self) -> list[Any]:
        rootfs = self.value.get("rootfs")
        found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        return found if isinstance(found, list) else []

    @property
    def history(self) -> list[Any]:
        found = self.value.get("history")
        return found if isinstance(found, list) else []


def look(value: dict[str, Any], place: str) -> Iterator[Finding]:
    """Whatever is wrong with an image's config."""
    config = Config(value)
    yield from check(config, place)
    yield from check(Members(value, _KEYS), place)
    yield from check(Members(config.run, _RUN_KEYS), place, "config")
    if "Labels" in config.run:
        yield from check(Annotations(config.run["Labels"], labels=True), place, "config.Labels")


@rule(
    "V120",
    Severity.ERROR,
    "An image does not say for which processor it is",
    "architecture is a text that names the processor.",
    f"{_PROPERTIES}, architecture",
)
def _architecture(config: Config) -> Iterator[Broken]:
    yield from platform.missing_text(config.value, "architecture", "image")


@rule(
    "V121",
    Severity.ERROR,
    "An image does not say for which operating system it is",
    "os is a text that names the operating system.",
    f"{_PROPERTIES}, os",
)
def _os(config: Config) -> Iterator[Broken]:
    yield from platform.missing_text(config.value, "os", "image")


@rule(
    "V122",
    Severity.WARNING,
    "An image's platform is none that Go has",
    "os and architecture should be values of Go's GOOS and GOARCH, variant one of those that the specification lists. "
    "Tools compare the texts, so they will not find an image under another spelling (x86_64 for amd64).",
    f"{_PROPERTIES}, architecture, os and variant",
)
def _names(config: Config) -> Iterator[Broken]:
    yield from platform.strange_names(config.value)
    for broken in platform.strange_variant(config.value):
        yield broken if broken.severity else broken._replace(severity=Severity.INFO)


@rule(
    "V123",
    Severity.WARNING,
    "The time of creation is not written as RFC 3339 has it",
    "created is a point in time as in 2024-05-17T08:30:00Z.",
    f"{_PROPERTIES}, created",
)
def _created(config: Config) -> Iterator[Broken]:
    yield from _wrong_time(config.value.get("created"), "created")


@rule(
    "V124",
    Severity.ERROR,
    "An image has no rootfs",
    "rootfs lists the contents of the layers. Without it no tool can unpack the image.",
    f"{_PROPERTIES}, rootfs",
)
def _rootfs(config: Config) -> Iterator[Broken]:
    found = config.value.get("rootfs")
    if not isinstance(found, dict):
        yield Broken("rootfs", f"rootfs is {in_words(found)}.", "an object", in_words(found))


@rule(
    "V125",
    Severity.ERROR,
    "An image's rootfs is of an unknown type",
    "rootfs.type is layers; nothing else is defined.",
    f"{_PROPERTIES}, rootfs",
)
def _rootfs_type(config: Config) -> Iterator[Broken]:
    rootfs = config.value.get("rootfs")
    if isinstance(rootfs, dict) and rootfs.get("type") != "layers":
        found = in_words(rootfs.get("type"))
        yield Broken("rootfs.type", f"The type is {found}.", "layers", found)


@rule(
    "V126",
    Severity.ERROR,
    "An image does not list its layers by their digests",
    "rootfs.diff_ids is an array of the digests of the unpacked layers, from the first to the last.",
    f"{_PROPERTIES}, rootfs",
)
def _diff_ids(config: Config) -> Iterator[Broken]:
    rootfs = config.value.get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else []
    # Docker leaves the list out, or writes null, for an image without layers.
    if found is not None and not isinstance(found, list):
        yield Broken("rootfs.diff_ids", f"The list is {in_words(found)}.", "an array", in_words(found))
    for n, each in enumerate(config.diff_ids):
        try:
            Digest.parse(each if isinstance(each, str) else "")
        except InvalidDigest as error:
            yield Broken(f"rootfs.diff_ids[{n}]", f"{in_words(each)} is not a digest.", error.expected, in_words(each))


@rule(
    "V128",
    Severity.WARNING,
    "A variable has no value",
    "Env is an array of texts of the form NAME=VALUE.",
    f"{_RUN}, Env",
)
def _env(config: Config) -> Iterator[Broken]:
    for n, each in enumerate(_list_of_texts(config.run.get("Env"))):
        if each.find("=") < 1:
            yield Broken(f"config.Env[{n}]", f"{clip(each)!r} is not NAME=VALUE.", "NAME=VALUE", clip(each))


@rule(
    "V129",
    Severity.WARNING,
    "An exposed port is none",
    "ExposedPorts is an object; its names are port, port/tcp or port/udp, and its values empty objects.",
    f"{_RUN}, ExposedPorts",
)
def _ports(config: Config) -> Iterator[Broken]:
    yield from _wrong_set(config.run, "ExposedPorts")
    ports = config.run.get("ExposedPorts")
    for key in ports if isinstance(ports, dict) else ():
        found = _PORT.fullmatch(key)
        if found is None or any(int(number) > _LAST_PORT for number in found.groups() if number):
            yield Broken(
                f"config.ExposedPorts.{key}", f"{clip(key)!r} is not a port.", "for example 8080/tcp", clip(key)
            )


@rule(
    "V130",
    Severity.WARNING,
    "The volumes are not a set of folders",
    "Volumes is an object; its names are folders, its values empty objects.",
    f"{_RUN}, Volumes",
)
def _volumes(config: Config) -> Iterator[Broken]:
    yield from _wrong_set(config.run, "Volumes")


@rule(
    "V132",
    Severity.ERROR,
    "A member of an image's config has the wrong type",
    "Entrypoint, Cmd and Env are arrays of texts or null, the others texts or null. Programs with strict types refuse "
    "the whole image.",
    _RUN,
)
def _types(config: Config) -> Iterator[Broken]:
    run = config.value.get("config")
    if run is not None and not isinstance(run, dict):
        yield Broken("config", f"config is {in_words(run)}.", "an object", in_words(run))
    for key in ("Entrypoint", "Cmd", "Env"):
        found = config.run.get(key)
        if found is not None and not (isinstance(found, list) and all(isinstance(each, str) for each in found)):
            what = "an array with other things than texts" if isinstance(found, list) else in_words(found)
            yield Broken(f"config.{key}", f"{key} is {what}.", "an array of texts", what)
    texts = [(config.run, "config.", key) for key in ("User", "WorkingDir", "StopSignal")]
    for owner, path, key in (*texts, (config.value, "", "author"), (config.value, "", "os.version")):
        found = owner.get(key)
        if found is not None and not isinstance(found, str):
            yield Broken(f"{path}{key}", f"{key} is {in_words(found)}.", "a text", in_words(found))


@rule(
    "V133",
    Severity.ERROR,
    "An image's history has the wrong form",
    "history is an array of objects; created is a point in time, empty_layer true or false, the others are texts.",
    f"{_PROPERTIES}, history",
)
def _history(config: Config) -> Iterator[Broken]:
    found = config.value.get("history")
    if found is not None and not isinstance(found, list):
        yield Broken("history", f"The history is {in_words(found)}.", "an array", in_words(found))
    for n, step in enumerate(config.history):
        where = f"history[{n}]"
        if not isinstance(step, dict):
            yield Broken(where, f"The step is {in_words(step)}.", "an object", in_words(step))
            continue
        for broken in _wrong_time(step.get("created"), f"{where}.created"):
            yield broken._replace(severity=Severity.WARNING)
        empty = step.get("empty_layer")
        if empty is not None and not isinstance(empty, bool):
            yield Broken(f"{where}.empty_layer", f"empty_layer is {in_words(empty)}.", "true or false", in_words(empty))
        for key in ("created_by", "author", "comment"):
            text = step.get(key)
            if text is not None and not isinstance(text, str):
                yield Broken(f"{where}.{key}", f"{key} is {in_words(text)}.", "a text", in_words(text))


@rule(
    "V134",
    Severity.WARNING,
    "An image's history does not fit its layers",
    "The history has one step for each layer, beside those that it marks as empty. Docker refuses an image with more "
    "steps than layers.",
    f"{_PROPERTIES}, history; moby image/image.go",
)
def _steps(config: Config) -> Iterator[Broken]:
    if not config.history:
        return
    steps = sum(not (isinstance(step, dict) and step.get("empty_layer") is True) for step in config.history)
    layers = len(config.diff_ids)
    if steps != layers:
        severity = Severity.ERROR if steps > layers else None
        sentence = f"The history tells of {counted(steps, 'layer')}, and the image has {layers or 'none'}."
        yield Broken("history", sentence, counted(layers, "step"), counted(steps, "step"), severity=severity)


@rule(
    "V136",
    Severity.INFO,
    "A setting is unusual or out of use",
    "StopSignal is a signal's name or number, as in SIGTERM or 9. ArgsEscaped is deprecated, and means something on "
    "Windows only.",
    f"{_RUN}, StopSignal and ArgsEscaped",
)
def _settings(config: Config) -> Iterator[Broken]:
    signal = config.run.get("StopSignal")
    if isinstance(signal, str) and signal and not _SIGNAL.fullmatch(signal):
        yield Broken("config.StopSignal", f"{clip(signal)!r} is not a signal.", "for example SIGTERM", clip(signal))
    if config.run.get("ArgsEscaped") is True and config.value.get("os") == "windows":
        yield Broken("config.ArgsEscaped", "ArgsEscaped is deprecated.")


def _wrong_time(value: Any, where: str) -> Iterator[Broken]:
    if value is None:
        return
    if not isinstance(value, str) or not is_time(value):
        found = clip(in_words(value))
        yield Broken(where, f"{found} is not such a time.", "2024-05-17T08:30:00Z", found)


def _wrong_set(run: dict[str, Any], key: str) -> Iterator[Broken]:
    """Where a set is not written as Go writes one: an object of empty objects."""
    found = run.get(key)
    if found is None:
        return
    if not isinstance(found, dict):
        yield Broken(f"config.{key}", f"{key} is {in_words(found)}.", "an object", in_words(found))
        return
    for name, value in found.items():
        if value != {} and value is not None:
            yield Broken(f"config.{key}.{name}", f"The value is {in_words(value)}.", "{}", in_words(value))


def _list_of_texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
