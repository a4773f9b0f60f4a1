"""Names from a store become names of files: one component, visible, not too long."""

import os
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.filenames import names_beside, readable_name, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plain.txt", "plain.txt"),
        ("Größe 漢字", "Größe 漢字"),
        (b"-rf", "-rf"),
        (b"a\x01b\x7f", "a%01b%7F"),
        (b"latin\xe9", "latin%E9"),
        ("turned\u202etxt.exe", "turned%202Etxt.exe"),
        ("half\ud800", "half%D800"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("", "unnamed"),
        ("a\nb", "a%0Ab"),
        (b".blobscope-0123456789abcdef", "%2Eblobscope-0123456789abcdef"),
        (".Blobscope-staging", "%2EBlobscope-staging"),
        (".blobscope", ".blobscope"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


@given(st.one_of(st.binary(max_size=600), st.text(max_size=600)), st.booleans())
def test_no_name_leaves_its_folder_or_is_too_long(name, for_windows):
    made = safe_name(name, for_windows=for_windows)
    assert made not in ("", ".", "..")
    assert "/" not in made
    assert made.isprintable() or not made.isascii()
    assert 0 < len(os.fsencode(made)) <= 255
    assert all(len(os.fsencode(other)) <= 255 for other in islice(names_beside(made), 4))


def test_what_windows_refuses_is_changed_where_that_is_needed():
    assert safe_name('a<b>:"c|?*\\', for_windows=True) == "a%3Cb%3E%3A%22c%7C%3F%2A%5C"
    assert (safe_name("dot.", for_windows=True), safe_name("dot.")) == ("dot%2E", "dot.")


def test_long_names_are_cut_and_keep_their_extension():
    made = safe_name("ä" * 300 + ".tar.gz")
    assert made.endswith("ä.tar.gz")
    assert len(os.fsencode(made)) <= 255


def test_names_beside_are_numbered_before_the_extension():
    assert list(islice(names_beside("a.tar.gz"), 3)) == ["a.tar.gz", "a (2).tar.gz", "a (3).tar.gz"]
    assert list(islice(names_beside(".profile", 5), 2)) == [".profile (5)", ".profile (6)"]


@pytest.mark.parametrize(
    ("media_type", "title", "name"),
    [
        ("application/vnd.oci.image.layer.v1.tar+gzip", "", "layer-0123456789ab.tar.gz"),
        ("application/vnd.oci.image.layer.v1.tar", "", "layer-0123456789ab.tar"),
        ("application/vnd.docker.image.rootfs.diff.tar.zstd", "", "layer-0123456789ab.tar.zst"),
        ("application/vnd.oci.image.config.v1+json", "", "config-0123456789ab.json"),
        ("application/vnd.oci.image.manifest.v1+json", "", "manifest-0123456789ab.json"),
        ("application/octet-stream", "", "blob-0123456789ab"),
        ("", "", "blob-0123456789ab"),
        ("text/plain", "docs/read me.txt", "read me.txt"),
        ("text/plain", "..\\..\\evil/", "evil"),
        ("text/plain", "..", "%2E%2E"),
    ],
)
def test_blobs_get_names_that_say_what_they_are(media_type, title, name):
    assert readable_name("sha256:0123456789abcdef", media_type, title) == name
