"""The manual says what is so: its promises have tests, its words are those of the window, its links lead somewhere."""

import re
from importlib.resources import files

import pytest

import dev
from gui import text
from gui.actions import COMMANDS, plain_text
from gui.dialogs.manual import PAGES

FOLDER = files("resources") / "manual"
TEXTS = {name: (FOLDER / f"{name}.md").read_text("utf-8") for name, _ in PAGES}


def test_every_page_is_listed_by_its_title():
    assert sorted(page.name for page in FOLDER.iterdir()) == sorted(f"{name}.md" for name in TEXTS)
    for name, title in PAGES:
        assert TEXTS[name].startswith(f"# {title}\n")


def test_every_promise_names_tests_that_exist():
    promises, shown = (
        dict(re.findall(r"^([0-9]+)\. (.*)$", part, flags=re.MULTILINE)) for part in TEXTS["promises"].split("\n## ")
    )
    assert list(promises) == list(shown) == [str(number) for number in range(1, 20)]
    for tests in shown.values():
        for path, test in (name.strip("`").split("::") for name in tests.split(", ")):
            assert re.search(rf"^ *def {test}\(", (dev.ROOT / path).read_text("utf-8"), flags=re.MULTILINE), test


@pytest.mark.parametrize(("page", "words"), [("states", text.STATES), ("checking", text.SEVERITIES)])
def test_states_and_severities_are_explained_as_in_the_window(page: str, words: dict[object, text.Words]):
    for each in words.values():
        assert f"| {each.glyph} | {each.word} | {each.sentence} |" in TEXTS[page]


def test_the_keys_are_those_of_the_commands():
    keys = {plain_text(command): command.shortcuts for command in COMMANDS.values()}
    rows = re.findall(r"^\| ([A-Z][^|]*) \| ([^|]+) \|$", TEXTS["keyboard"], flags=re.MULTILINE)[1:]
    assert len(rows) > 10
    for command, key in rows:
        assert key in keys[command]


def test_links_lead_to_other_pages_and_nothing_is_embedded():
    for page in TEXTS.values():
        assert "![" not in page
        assert not re.search(r"<[a-z/]", page)
        for target in re.findall(r"\]\(([^)]*)\)", page):
            assert target.removesuffix(".md") in TEXTS
