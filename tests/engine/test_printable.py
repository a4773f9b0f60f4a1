"""Foreign text made fit to show: nothing invisible, nothing that reorders or breaks lines."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.printable import printable

ANY = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, exclude_categories=()))


@pytest.mark.parametrize("text", ["", "plain words", "Größe", "日本語", "a\u00a0b", "👍", "a\u3000b", "\ue000"])
def test_what_shows_stays_as_it_is(text: str) -> None:
    assert printable(text) == text
    assert printable(f"{text}\tx\n", lines=True) == f"{text}\tx\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\n", "a␉b␊"),
        ("\x1b[31m", "␛[31m"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\u2028", "⟨U+2028⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("\udcff", "⟨byte FF⟩"),
        ("\ud800", "⟨U+D800⟩"),
    ],
)
def test_what_does_not_is_marked(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY)
def test_nothing_invisible_is_left(text: str) -> None:
    assert not {unicodedata.category(character) for character in printable(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert printable(text, lines=True).count("\n") == text.count("\n")


@given(ANY, ANY)
def test_each_character_is_shown_whatever_is_beside_it(one: str, other: str) -> None:
    assert printable(one + other) == printable(one) + printable(other)
