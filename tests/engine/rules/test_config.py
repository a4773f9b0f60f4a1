"""Image configs: what makes programs refuse an image, or run it otherwise than meant, is told."""

from typing import Any

import pytest

from engine.findings import Severity
from engine.rules.config import look
from tests.layouts import Json, sha256

LAYERS = [sha256(b"1"), sha256(b"2")]
SOUND: Json = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2024-05-17T08:30:00Z",
    "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"], "Labels": {"maintainer": "somebody"}},
    "rootfs": {"type": "layers", "diff_ids": LAYERS},
    "history": [{"created": "2024-05-17T08:30:00Z", "empty_layer": True}, {"created_by": "COPY"}, {}],
}


def told(value: Json) -> list[tuple[str, str]]:
    return [(found.rule, found.where) for found in look(value, "p")]


def without(key: str) -> Json:
    return {name: value for name, value in SOUND.items() if name != key}


def running(**more: Any) -> Json:
    """A sound config that says something else of running."""
    return {**SOUND, "config": {**SOUND["config"], **more}}


@pytest.mark.parametrize(
    "value",
    [
        SOUND,
        without("config"),
        without("history"),
        {**SOUND, "config": None, "history": None, "created": None, "author": None},
        {**SOUND, "os": "", "architecture": ""},  # as signatures have it
        running(Labels=None, Entrypoint=None, Env=None, ExposedPorts=None, Volumes=None, User="", StopSignal=""),
        running(ExposedPorts={"80": {}, "8000-8010/tcp": {}, "53/udp": None}, Volumes={"/data": {}}),
        running(StopSignal="SIGRTMIN+3", ArgsEscaped=True, Env=["EMPTY=", "A=B=C"]),
        {**SOUND, "rootfs": {"type": "layers"}, "history": []},
        {**SOUND, "rootfs": {"type": "layers", "diff_ids": None}, "history": []},
        {**SOUND, "docker_version": "20.10.24", "container_config": {"Cmd": None}, "com.example": {}},
    ],
)
def test_sound_configs_also_as_docker_writes_them_give_no_findings(value: Json):
    assert told(value) == []


@pytest.mark.parametrize(
    ("value", "rule", "where"),
    [
        (without("architecture"), "V120", "architecture"),
        ({**SOUND, "os": 7}, "V121", "os"),
        ({**SOUND, "architecture": "x86_64"}, "V122", "architecture"),
        ({**SOUND, "variant": "v9"}, "V122", "variant"),
        ({**SOUND, "created": "today"}, "V123", "created"),
        ({**without("rootfs"), "history": []}, "V124", "rootfs"),
        ({**SOUND, "rootfs": {**SOUND["rootfs"], "type": "base"}}, "V125", "rootfs.type"),
        ({**SOUND, "rootfs": {"diff_ids": LAYERS}}, "V125", "rootfs.type"),
        ({**SOUND, "rootfs": {"type": "layers", "diff_ids": {}}, "history": []}, "V126", "rootfs.diff_ids"),
        ({**SOUND, "rootfs": {"type": "layers", "diff_ids": [LAYERS[0], "2"]}}, "V126", "rootfs.diff_ids[1]"),
        ({**SOUND, "rootfs": {"type": "layers", "diff_ids": [LAYERS[0], 7]}}, "V126", "rootfs.diff_ids[1]"),
        (running(Env=["PATH=/bin", "NAME"]), "V128", "config.Env[1]"),
        (running(Env=["=value"]), "V128", "config.Env[0]"),
        (running(ExposedPorts={"http": {}}), "V129", "config.ExposedPorts.http"),
        (running(ExposedPorts={"8000-65536/tcp": {}}), "V129", "config.ExposedPorts.8000-65536/tcp"),
        (running(ExposedPorts={"\N{FULLWIDTH DIGIT EIGHT}": {}}), "V129", "config.ExposedPorts.\uff18"),
        (running(ExposedPorts=["80"]), "V129", "config.ExposedPorts"),
        (running(Volumes={"/data": 7}), "V130", "config.Volumes./data"),
        (running(Labels={"a.b": None}), "V100", "config.Labels.a.b"),
        ({**SOUND, "config": []}, "V132", "config"),
        (running(Entrypoint="sh"), "V132", "config.Entrypoint"),
        (running(Cmd=["sh", 7]), "V132", "config.Cmd"),
        (running(User=0), "V132", "config.User"),
        ({**SOUND, "author": 7}, "V132", "author"),
        ({**SOUND, "history": {}}, "V133", "history"),
        ({**SOUND, "history": [{}, 7]}, "V133", "history[1]"),
        ({**SOUND, "history": [{}, {"empty_layer": "yes"}]}, "V133", "history[1].empty_layer"),
        ({**SOUND, "history": [{}, {"created": "today"}]}, "V133", "history[1].created"),
        ({**SOUND, "history": [{}, {"comment": 7}]}, "V133", "history[1].comment"),
        ({**SOUND, "history": [{}]}, "V134", "history"),
        (running(StopSignal="stop please"), "V136", "config.StopSignal"),
        ({**running(ArgsEscaped=True), "os": "windows"}, "V136", "config.ArgsEscaped"),
        ({**SOUND, "OS": "linux"}, "X4", "OS"),
        (running(cmd=["sh"]), "X4", "config.cmd"),
    ],
)
def test_what_is_wrong_with_a_config_is_told_by_its_rule_and_place(value: Json, rule: str, where: str):
    assert told(value) == [(rule, where)]


@pytest.mark.parametrize(("steps", "severity"), [(1, Severity.WARNING), (3, Severity.ERROR)])
def test_docker_refuses_more_steps_than_layers_and_accepts_fewer(steps: int, severity: Severity):
    (found,) = look({**SOUND, "history": [{}] * steps}, "p")
    assert (found.rule, found.severity) == ("V134", severity)
