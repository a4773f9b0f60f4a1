"""What an image config says, in the form in which people write it: commands, build steps, and which values to hide."""

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from engine.document import History, ImageConfig

HIDDEN = "••••••"
"""Stands for a value that may be a secret."""

_SHELL = re.compile(r"(?:\|\d+ .*?)?/bin/(?:ba|da)?sh -c\s+", re.DOTALL)
_NO_OPERATION = re.compile(r"#\(nop\)\s*")
_BUILDKIT = re.compile(r"\s*# buildkit\s*$")
_INSTRUCTION = re.compile(
    r"(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER"
    r"|VOLUME|WORKDIR)\b"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    {"auth", "credential", "credentials", "key", "pass", "passphrase", "pin", "secret", "secrets"}
)
_SECRET_PARTS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "credential")
_ASSIGNMENT = re.compile(r"\b([A-Za-z_][A-Za-z0-9_.-]*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s\"';&|]+)")
_LOGIN = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")


class Step(NamedTuple):
    """One step of a build: its Dockerfile line, which layer it made (None for none), and the builder's comment."""

    text: str
    layer: int | None
    comment: str = ""


def looks_secret(name: str) -> bool:
    """Whether the value of a variable or label of that name is better hidden until somebody asks."""
    folded = name.lower().replace("_", "").replace("-", "")
    words = {word.lower() for word in _WORDS.findall(name)}
    return not words.isdisjoint(_SECRET_WORDS) or any(part in folded for part in _SECRET_PARTS)


def hide_value(name: str, value: str) -> str:
    """The value, or dots where it may be a secret: by its name, or because it is an address with a password in it."""
    if value and looks_secret(name):
        return HIDDEN
    return _LOGIN.sub(rf"\1{HIDDEN}", value)


def hide_secrets(command: str) -> str:
    """A command without the values that it assigns to names that look secret."""
    return _ASSIGNMENT.sub(_hide_assignment, _LOGIN.sub(rf"\1{HIDDEN}", command))


def _hide_assignment(match: re.Match[str]) -> str:
    return f"{match[1]}={HIDDEN}" if looks_secret(match[1]) else match[0]


def command_line(config: ImageConfig) -> str:
    """What the image runs, as one line for a shell."""
    return shlex.join((*config.entrypoint, *config.cmd))


def variables(environment: Sequence[str]) -> list[tuple[str, str]]:
    """Names and values of ``NAME=value`` texts."""
    return [(name, value) for name, _, value in (text.partition("=") for text in environment)]


def dockerfile_line(created_by: str) -> str:
    """What a builder noted of a step, as a line of a Dockerfile."""
    line = _BUILDKIT.sub("", created_by.strip())
    instruction, _, rest = line.partition(" ")
    if instruction == "RUN" and (shell := _SHELL.match(rest)):
        return f"RUN {rest[shell.end() :]}"
    shell = _SHELL.match(line)
    if shell is None:
        return line
    line = line[shell.end() :]
    quiet = _NO_OPERATION.match(line)
    if quiet:
        line = line[quiet.end() :]
        return line if _INSTRUCTION.match(line) else f"# {line}" if line else ""
    return f"RUN {line}"


def build_steps(history: Sequence[History], layer_count: int) -> list[Step]:
    """The steps of a build with the layers that they made, oldest first.

    Layers that the history does not tell of come last, with an empty text; steps without a layer left for them count as
    having made none (image-spec ``config.md``, property ``history``).
    """
    steps, next_layer = [], 0
    for entry in history:
        layer = None
        if not entry.empty_layer and next_layer < layer_count:
            layer, next_layer = next_layer, next_layer + 1
        steps.append(Step(dockerfile_line(entry.created_by), layer, entry.comment))
    steps += [Step("", layer) for layer in range(next_layer, layer_count)]
    return steps


def disagreement(config: ImageConfig, layer_count: int) -> str:
    """A sentence where history, diff IDs and layers are not equally many; empty where they agree.

    A config without any history is nothing to complain about.
    """
    told = sum(not step.empty_layer for step in config.history)
    differing = []
    if config.history and told != layer_count:
        differing.append(f"the history tells of {told}")
    if len(config.diff_ids) != layer_count:
        differing.append(f"the config has diff IDs for {len(config.diff_ids)}")
    if not differing:
        return ""
    return f"The image has {layer_count} layer{'' if layer_count == 1 else 's'}, but {' and '.join(differing)}."
