"""What an image says of itself promises to be readable: commands for a shell, steps as in a Dockerfile, no secrets."""

import pytest

from engine.document import History, ImageConfig, Platform
from gui.panels.image_facts import (
    HIDDEN,
    build_steps,
    command_line,
    disagreement,
    dockerfile_line,
    hide_secrets,
    hide_value,
    looks_secret,
)


def config(**facts: object) -> ImageConfig:
    return ImageConfig(Platform("linux", "amd64"), **facts)


def test_the_command_can_be_pasted_into_a_shell() -> None:
    run = config(entrypoint=("/bin/sh", "-c"), cmd=("echo it's $HOME", "--"))
    assert command_line(run) == """/bin/sh -c 'echo it'"'"'s $HOME' --"""
    assert command_line(config()) == ""


@pytest.mark.parametrize(
    ("recorded", "line"),
    [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("/bin/sh -c #(nop) ADD file:0123 in / ", "ADD file:0123 in /"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("/bin/bash -c make", "RUN make"),
        ("|1 VERSION=1 /bin/sh -c make $VERSION", "RUN make $VERSION"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |2 A=1 B=two words /bin/sh -c make # buildkit", "RUN make"),
        ("COPY . /srv # buildkit", "COPY . /srv"),
        ('ENTRYPOINT ["/app"]', 'ENTRYPOINT ["/app"]'),
        ("bazel build ...", "bazel build ..."),
        ("/bin/sh -c #(nop) ", ""),
        ("", ""),
    ],
)
def test_a_step_reads_as_in_a_dockerfile(recorded: str, line: str) -> None:
    assert dockerfile_line(recorded) == line


def test_each_layer_stands_beside_the_step_that_made_it() -> None:
    history = [
        History(created_by="ADD base /"),
        History(created_by="ENV A=1", empty_layer=True),
        History(created_by="RUN make"),
    ]
    assert [(step.text, step.layer) for step in build_steps(history, 2)] == [
        ("ADD base /", 0),
        ("ENV A=1", None),
        ("RUN make", 1),
    ]


def test_more_layers_than_steps_and_more_steps_than_layers_are_both_shown() -> None:
    step = History(created_by="RUN make")
    assert [each.layer for each in build_steps([step], 3)] == [0, 1, 2]
    assert [each.layer for each in build_steps([step, step], 1)] == [0, None]
    assert [each.layer for each in build_steps([], 2)] == [0, 1]


def test_what_does_not_agree_is_said_and_what_agrees_is_not() -> None:
    step = History(created_by="RUN make")
    agreeing = config(diff_ids=("sha256:a",), history=(step,))
    assert disagreement(agreeing, 1) == ""
    assert disagreement(config(diff_ids=("sha256:a",)), 1) == "", "no history is nothing to complain about"
    assert disagreement(agreeing, 2) == (
        "The image has 2 layers, but the history tells of 1 and the config has diff IDs for 1."
    )


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "db_password", "DbPassword", "API_TOKEN", "SECRET", "AWS_SECRET_ACCESS_KEY", "apikey", "GPG-KEY"],
)
def test_a_name_that_sounds_secret_is(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["PATH", "KEYBOARD", "MONKEY", "HOME", "COMPASS", "AUTHOR", "PYTHON_VERSION"])
def test_an_ordinary_name_is_not_secret(name: str) -> None:
    assert not looks_secret(name)


def test_a_password_in_an_address_is_hidden_whatever_its_name() -> None:
    assert hide_value("PROXY", "http://me:letmein@proxy:3128") == f"http://me:{HIDDEN}@proxy:3128"
    assert hide_value("HOME", "/root") == "/root"


@pytest.mark.parametrize("value", ["letmein", '"let me in"', "'let me in'"])
def test_a_step_hides_what_it_assigns_to_a_secret_name(value: str) -> None:
    assert hide_secrets(f"ENV A=1 TOKEN={value} B=2") == f"ENV A=1 TOKEN={HIDDEN} B=2"
