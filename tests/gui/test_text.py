"""What the wording promises: one vocabulary, honest numbers, and foreign text that cannot deceive."""

import itertools
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLocale
from PySide6.QtGui import Qt

from engine.errors import DigestMismatch
from engine.snapshot import Kind, State
from gui import text


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("en_US"))
    yield
    QLocale.setDefault(before)


def test_every_state_and_kind_has_words_and_no_two_the_same() -> None:
    assert set(text.STATES) == set(State)
    assert set(text.KINDS) == set(Kind)
    for vocabulary in (text.STATES, text.KINDS):
        for position in range(3):
            words = [entry[position] for entry in vocabulary.values()]
            assert all(words)
            assert len(set(words)) == len(words)


def test_counts_of_a_state_speak_of_one_and_of_several() -> None:
    assert text.count_of(1, State.LOST) == "1 lost image"
    assert text.count_of(2, State.LOST) == "2 lost images"
    assert text.count_of(1200, State.NOT_CHECKED) == "1,200 not checked"


def test_sentences_are_sentences_without_exclamation() -> None:
    for words in itertools.chain(text.STATES.values(), text.KINDS.values()):
        assert words.sentence[0].isupper()
        assert words.sentence.endswith(".")
        assert "!" not in words.sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("application/vnd.oci.image.index.v1+json", "multi-platform image"),
        ("application/vnd.docker.distribution.manifest.v2+json", "image manifest"),
        ("application/vnd.oci.image.layer.v1.tar", "layer"),
        ("application/vnd.oci.image.layer.v1.tar+gzip", "gzip layer"),
        ("application/vnd.oci.image.layer.v1.tar+zstd", "zstd layer"),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip layer"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "non-distributable gzip layer"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", "non-distributable layer"),
        ("", "unknown type"),
        ("application/vnd.example+json", "application/vnd.example+json"),
        ("application/\u202evnd", "application/⟨U+202E⟩vnd"),
    ],
)
def test_media_types_in_plain_words(name: str, words: str) -> None:
    assert text.media_type(name) == words


@pytest.mark.parametrize(
    ("value", "short", "exact"),
    [
        (-1, "unknown size", "unknown size"),
        (0, "0 bytes", "0 bytes"),
        (1, "1 byte", "1 byte"),
        (999, "999 bytes", "999 bytes"),
        (1000, "1.0 kB", "1,000 bytes"),
        (41_000_123, "41.0 MB", "41,000,123 bytes"),
        (999_949, "999.9 kB", "999,949 bytes"),
        (999_950, "1.0 MB", "999,950 bytes"),
        (1_200_000_000, "1.2 GB", "1,200,000,000 bytes"),
        (2**63, "9.2 EB", "9,223,372,036,854,775,808 bytes"),
        (10**30, "1,000,000,000,000.0 EB", f"{10**30:,} bytes"),
    ],
)
def test_sizes_are_decimal_and_the_exact_bytes_are_never_rounded(value: int, short: str, exact: str) -> None:
    assert (text.size(value), text.exact_size(value)) == (short, exact)


def test_numbers_are_written_as_the_person_writes_them() -> None:
    QLocale.setDefault(QLocale("de_DE"))
    assert (text.size(41_000_123), text.exact_size(41_000_123)) == ("41,0 MB", "41.000.123 bytes")
    QLocale.setDefault(QLocale.c())
    assert text.exact_size(41_000_123) == "41,000,123 bytes"


def test_counts_have_their_plural() -> None:
    assert [text.count(1, "blob"), text.count(1024, "blob"), text.count(2, "entry", "entries")] == [
        "1 blob",
        "1,024 blobs",
        "2 entries",
    ]


def test_a_running_job_in_a_line() -> None:
    assert text.progress(0.639, 1.2e9, 4.2) == "63 % · 1.2 GB/s · 4 s left"
    assert text.progress(None, 340.4, None, "blobs") == "340 blobs/s"
    assert text.progress(1.0, 5, 0.0) == "100 % · 5 bytes/s · 1 s left"
    assert text.progress(None, None, None) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.4, "0 s"), (4.2, "4 s"), (60, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (3780, "1 h 3 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7300, "2 h ago"),
        (86400, "1 day ago"),
        (29 * 86400, "29 days ago"),
    ],
)
def test_ages(passed: float, words: str) -> None:
    assert text.ago(1_000_000_000 - passed, 1_000_000_000) == words


def test_what_is_older_than_a_month_has_a_date() -> None:
    assert text.ago(1_000_000_000, 1_100_000_000) == text.moment(1_000_000_000)


def test_times_are_written_out_and_never_ambiguous() -> None:
    assert text.moment_of("2024-02-03T04:05:06Z").startswith(("3 Feb 2024", "2 Feb 2024", "4 Feb 2024"))
    assert text.moment_of("2024-02-03T04:05:06.123456789+02:00").startswith(("3 Feb 2024", "2 Feb 2024", "4 Feb 2024"))
    assert text.moment_of("no time\x07") == "no time␇"


@pytest.mark.parametrize("seconds", [0.0, -1e30, 1e30, float("inf")])
def test_a_file_with_an_absurd_time_is_no_failure(seconds: float) -> None:
    assert text.moment(seconds)


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("alpine:3.20", "alpine:3.20"),
        ("grüße 世界", "grüße 世界"),
        ("a\nb\tc\x00", "a␊b␉c␀"),
        ("\x1b[31mred\x7f", "␛[31mred␡"),
        ("\x85", "⟨U+0085⟩"),
        ("evil\u202egpj.exe", "evil⟨U+202E⟩gpj.exe"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("line\u2028end", "line⟨U+2028⟩end"),
        ("name\udcff\ud800", "name⟨byte FF⟩⟨U+D800⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
    ],
)
def test_foreign_text_shows_what_it_holds(foreign: str, shown: str) -> None:
    assert text.plain(foreign) == shown


def test_foreign_text_is_cut() -> None:
    assert text.plain("x" * 1_000_000) == "x" * text.LONGEST + "…"
    assert text.plain("x" * text.LONGEST) == "x" * text.LONGEST


def test_lines_stay_where_they_are_wanted() -> None:
    assert text.plain("RUN a\n\tb\r\x1b", lines=True) == "RUN a\n\tb␍␛"


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_no_foreign_text_hides_or_reorders_anything(foreign: str) -> None:
    shown = text.plain(foreign, 50)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode("utf-8")


@given(st.text(alphabet="<>&ab/!= \n\"'"))
def test_a_tooltip_never_takes_foreign_text_for_markup(foreign: str) -> None:
    shown = text.tooltip(foreign)
    if Qt.mightBeRichText(shown):
        assert shown.startswith("<p style")
        assert "<" not in shown.removeprefix("<p style='white-space: pre-wrap'>").removesuffix("</p>")


def test_a_tooltip_is_readable() -> None:
    assert text.tooltip("41,000,123 bytes") == "41,000,123 bytes"
    assert "&lt;b&gt;" in text.tooltip("<b>bold</b> & more")
    assert max(len(line) for line in text.tooltip("word " * 100).splitlines()) <= 100
    assert len(text.tooltip("x" * 1_000_000)) < 2000


def test_an_ampersand_stays_an_ampersand() -> None:
    assert text.escape_mnemonics("R&D") == "R&&D"


def test_a_title_keeps_its_star() -> None:
    assert text.window_title("app[*]") == "app[*][*]"


def test_an_error_of_ours_says_what_helps_and_its_details_hold_everything() -> None:
    error = DigestMismatch(
        "The content of blob\x1b has changed.", place="sha256:aa", expected="aa", found="bb", remedy="Fetch it again."
    )
    assert text.error_sentence(error) == "The content of blob␛ has changed. Fetch it again."
    details = text.error_details(error)
    for fact in ("Where: sha256:aa", "Expected: aa", "Found: bb", "DigestMismatch"):
        assert fact in details


def test_an_error_that_was_not_foreseen_says_so() -> None:
    assert text.error_sentence(KeyError("x")) == "Something unexpected went wrong: 'x'"
    assert text.error_sentence(MemoryError()) == "Something unexpected went wrong: MemoryError"
    text.error_details(ValueError("\udcff")).encode("utf-8")
