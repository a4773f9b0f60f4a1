"""Colours of a text: found beside the window by a process that is ended when it takes too long."""

import threading
from pathlib import Path

import pytest

from engine.errors import Cancelled
from engine.progress import Progress
from gui.panels import highlighting
from gui.panels.highlighter import Ink
from gui.panels.highlighting import NO_INKS, find_inks


def inks(name: str, text: str) -> dict[str, str]:
    """What is highlighted, and as what."""
    found = find_inks(name, text, Progress())
    return {text[start:end]: ink.name for start, end, ink in found.between(0, len(text))}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "main.py",
            "def f():\n    return 'x'  # why\n",
            {"def": "KEYWORD", "f": "NAME", "'x'": "STRING", "# why": "COMMENT"},
        ),
        ("Dockerfile", "FROM base\nRUN make\n", {"FROM": "KEYWORD", "RUN": "KEYWORD"}),
        ("run", "#!/bin/sh\nif true; then echo 1; fi\n", {"if": "KEYWORD", "fi": "KEYWORD"}),
        ("tool", "#!/usr/bin/env -S python3\nimport os\n", {"import": "KEYWORD"}),
        ("os-release", "NAME=x\n", {"NAME": "NAME"}),
        ("pom", "<?xml version='1.0'?><a>t</a>", {"<a>": "NAME"}),
        ("x.diff", "--- a\n+++ b\n-old\n+new\n", {"-old": "REMOVED", "+new": "ADDED"}),
    ],
)
def test_the_language_is_told_by_the_name_or_the_first_line(name: str, text: str, expected: dict[str, str]) -> None:
    found = inks(name, text)
    assert expected.items() <= found.items(), found


@pytest.mark.parametrize("name", ["motd", "notes.txt", "a.name-that-nobody-knows", "two\nlines"])
def test_what_has_no_language_stays_plain(name: str) -> None:
    assert inks(name, "just words: if and def\n") == {}


def test_characters_are_counted_as_they_are_stored() -> None:
    text = "x = '😀\udcff'  # täst\n"
    assert inks("a.py", text) == {"'😀\udcff'": "STRING", "# täst": "COMMENT"}


def test_what_follows_the_limit_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlighting, "MOST", 10)
    assert inks("a.py", "def f(): pass\ndef g(): pass\n") == {"def": "KEYWORD", "f": "NAME"}


def test_a_part_of_it_begins_and_ends_where_it_is_asked_for() -> None:
    found = find_inks("a.py", "'''one\ntwo'''\n", Progress())
    assert found.between(7, 9) == [(7, 9, Ink.STRING)]
    assert found.between(14, 15) == []


def program(folder: Path, words: str) -> Path:
    found = folder / "program.py"
    found.write_text(words)
    return found


def test_a_program_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlighting, "LONGEST_S", 0.1)
    stuck = program(tmp_path, "import sys, re\nsys.stdin.read()\nre.match('(a*)*b', 'a' * 60)\n")
    assert find_inks("a.py", "x", Progress(), program=stuck) is NO_INKS


@pytest.mark.parametrize("words", ["raise SystemExit(1)", "print('not what was asked for')", "import os; os.abort()"])
def test_a_program_that_fails_leaves_the_text_plain(tmp_path: Path, words: str) -> None:
    assert find_inks("a.py", "x" * 100_000, Progress(), program=program(tmp_path, words)) is NO_INKS


def test_it_stops_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    progress = Progress()
    threading.Timer(0.05, progress.cancel).start()
    with pytest.raises(Cancelled):
        find_inks("a.py", "x", progress, program=program(tmp_path, "import time\ntime.sleep(60)"))
