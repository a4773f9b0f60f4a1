"""What is told of what was taken out: how much and where to, and what came out otherwise."""

from pathlib import Path

import pytest

from engine.extracting import Extraction
from gui import taken

OUT = Path("/home/me/out")


def done(*placed: str, **more: object) -> Extraction:
    return Extraction(placed=[OUT / name for name in placed], **more)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (done("passwd", files=1, size=4), "passwd (4 bytes) was extracted to /home/me/out."),
        (done("etc", folders=1), "1 folder (0 bytes) was extracted to /home/me/out."),
        (
            done("etc", files=1200, folders=30, links=2, size=3_200_000),
            "1,200 files, 30 folders and 2 links (3.2 MB) were extracted to /home/me/out.",
        ),
        (
            done(left_out=[("dev/null", "It is a device.")], left_out_count=1),
            "Nothing was extracted. null was left out: it is a device.",
        ),
        (done(files=0), "Nothing was extracted."),
    ],
)
def test_how_much_was_extracted_and_where_to(made: Extraction, sentence: str) -> None:
    assert taken.extracted(made, OUT) == sentence


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (done("layer-9f2c.tar.gz", files=1, size=41_000_000), "layer-9f2c.tar.gz (41.0 MB) was saved in /home/me/out."),
        (done("a", "b", files=2, size=2000), "2 blobs (2.0 kB) were saved in /home/me/out."),
        (
            done(left_out=[("sha256:1", "It is corrupt.")], left_out_count=3),
            "Nothing was saved. 3 were left out, the first, sha256:1, because it is corrupt.",
        ),
    ],
)
def test_how_many_blobs_were_saved(made: Extraction, sentence: str) -> None:
    assert taken.saved(made, OUT) == sentence


@pytest.mark.parametrize(
    ("renamed", "sentence"),
    [
        ([("etc/motd", "motd (2)")], "motd is called motd (2) there."),
        ([("a", "a (2)"), ("b", "b (2)")], "a is called a (2) there, and 1 more has other names."),
        ([("a", "a (2)")] * 1001, "a is called a (2) there, and 1,000 more have other names."),
        ([("usr/l", "l → lib/x")], "1 link was rewritten to stay inside: l → lib/x."),
        ([("l", "l → x"), ("m", "m → y")], "2 links were rewritten to stay inside."),
    ],
)
def test_an_example_of_what_has_another_name(renamed: list[tuple[str, str]], sentence: str) -> None:
    assert taken.otherwise(done("x", renamed=renamed)) == [sentence]


def test_what_is_missing_is_listed_before_what_is_only_called_otherwise() -> None:
    made = done("x", renamed=[("a", "a (2)"), ("l", "l → x")], left_out=[("b", "It is a device.")], left_out_count=1)
    assert taken.rows(made) == [
        ("b", "Left out: It is a device.", True),
        ("a", "Is called a (2)", False),
        ("l", "Leads to x", False),
    ]


def test_names_from_the_image_are_made_fit_to_show() -> None:
    made = done("x", renamed=[("etc/\udcff\x1b\u202e", "%FF%1B")], left_out=[("b\n", "No.")], left_out_count=1)
    told = " ".join(taken.otherwise(made))
    assert told.isprintable()
    assert "⟨byte FF⟩" in told


def test_what_cannot_be_promised_stands_at_the_end() -> None:
    made = done("a", files=1, size=1)
    unknown = taken.doubts(is_verified=False, is_corrupt=False)
    assert taken.extracted(made, OUT, unknown).endswith("whether the content is what its digests promise.")
    assert taken.saved(made, OUT, taken.doubts(is_verified=False, is_corrupt=True)).endswith(
        "saved in /home/me/out. It is from something corrupt, and may not be what it should be."
    )
    assert taken.doubts(is_verified=True, is_corrupt=False) == []
