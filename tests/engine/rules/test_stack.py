"""A layer's links and whiteouts are looked for in the layers below it, in every image that it is part of."""

import pytest

from engine.findings import Severity
from engine.layercheck import LayerCheck, check_layers
from engine.layout import ImageLayout
from engine.progress import Progress
from tests.archives import END, file
from tests.layouts import LAYER, LayoutFiles

BASE = file(b"./etc/", kind=b"5") + file(b"etc/passwd", b"root") + file(b"usr/share/doc/deep/file") + END
OTHER = file(b"other") + END


def link(entry: bytes, target: bytes) -> bytes:
    return file(entry, kind=b"1", link=target)


def checked(files: LayoutFiles, known: dict[str, LayerCheck] | None = None) -> dict[str, LayerCheck]:
    with ImageLayout.open(files.path) as store:
        return check_layers(store, store.scan(Progress()), Progress(), known)


def told(files: LayoutFiles, *stacks: list[bytes]) -> list[tuple[str, str, str]]:
    """Rule, entry and path of each finding in images of these layers."""
    for n, stack in enumerate(stacks):
        files.name(files.image(*stack), f"image:{n}")
    findings = [each for check in checked(files).values() for each in check.findings]
    assert {each.severity for each in findings} <= {Severity.INFO}
    return [(each.rule, each.where, each.sentence.split("'")[1]) for each in findings]


def test_links_to_files_of_the_same_layer_or_one_below_are_sound(files):
    upper = file(b"a") + link(b"b", b"./a") + link(b"c", b"/etc/passwd") + END
    assert told(files, [BASE, OTHER, upper]) == []


def test_a_link_that_leads_to_nothing(files):
    upper = link(b"b", b"etc/shadow") + END
    assert told(files, [BASE, upper]) == [("V149", "b", "etc/shadow")]


def test_what_is_above_does_not_count(files):
    assert told(files, [link(b"b", b"other") + END, OTHER]) == [("V149", "b", "other")]


def test_a_link_that_leads_somewhere_in_one_image_is_sound(files):
    upper = link(b"b", b"etc/passwd") + END
    assert told(files, [OTHER, upper], [BASE, upper]) == []


def test_whiteouts_hide_files_and_folders_also_those_without_an_entry(files):
    upper = file(b"etc/.wh.passwd") + file(b"usr/.wh.share") + file(b"new/.wh..wh..opq") + END
    assert told(files, [BASE, upper]) == []


def test_a_whiteout_that_hides_nothing(files):
    upper = file(b"etc/.wh.shadow") + file(b"etc/.wh.passwd") + END
    assert told(files, [BASE, upper]) == [("V144", "etc/.wh.shadow", "etc/shadow")]
    assert ("V144", ".wh.a", "a") in told(files, [file(b".wh.a") + END])


@pytest.mark.parametrize("lower", ["missing", "damaged", "unknown"])
def test_nothing_is_said_where_a_layer_below_was_not_read(files, lower):
    below = files.blob(BASE, f"{LAYER}.erofs" if lower == "unknown" else LAYER)
    files.name(files.image(below, link(b"b", b"etc/shadow") + END), "image")
    if lower == "missing":
        files.file(below).unlink()
    if lower == "damaged":
        files.file(below).write_bytes(b"x" * len(BASE))
    assert [each for check in checked(files).values() for each in check.findings] == []


def test_what_was_known_is_held_against_new_images(files):
    upper = link(b"b", b"etc/passwd") + END
    files.name(files.image(OTHER, upper), "first")
    known = checked(files)
    assert [each.rule for check in known.values() for each in check.findings] == ["V149"]
    files.name(files.image(BASE, upper), "second")
    assert [each.rule for check in checked(files, known).values() for each in check.findings] == []


def test_very_many_lost_links_are_cut(files):
    upper = b"".join(link(b"%d" % n, b"gone") for n in range(5000)) + END
    assert len(told(files, [upper])) == 100
