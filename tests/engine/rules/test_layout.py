"""The folder of a layout: each part that is missing, damaged or unusual is told; foreign files are left in peace."""

import os
from pathlib import Path

import pytest

from engine.findings import Remedy, Severity
from tests.findings import found, rules, told
from tests.layouts import LayoutFiles


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(b"layer"), "one")
    return files


def test_a_sound_layout_gives_no_findings(files: LayoutFiles):
    assert told(files.path, hashed=True) == []


@pytest.mark.parametrize(
    ("marker", "rule", "where"),
    [
        ("", "V3", ""),
        ("not JSON", "V3", ""),
        ("[]", "V3", ""),
        ('{"imageLayoutVersion": "1.0.0"} more', "X5", ""),
        ("{}", "V4", "imageLayoutVersion"),
        ('{"imageLayoutVersion": "1.1.0"}', "V5", "imageLayoutVersion"),
        ('{"imageLayoutVersion": 1}', "V5", "imageLayoutVersion"),
        ('{"imageLayoutVersion": "1.0.0", "ImageLayoutVersion": "2"}', "X4", "ImageLayoutVersion"),
    ],
)
def test_a_damaged_marker_is_told_and_the_rest_still_checked(files: LayoutFiles, marker: str, rule: str, where: str):
    (files.path / "oci-layout").write_text(marker)
    assert told(files.path) == [(rule, "oci-layout", where)]


def test_further_members_of_the_marker_must_not_fail(files: LayoutFiles):
    (files.path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0", "com.example": []}')
    assert told(files.path) == []


def test_a_missing_marker_can_be_added(files: LayoutFiles):
    (files.path / "oci-layout").unlink()
    (each,) = found(files.path)
    assert (each.rule, each.place, each.severity, each.remedy) == (
        *("V2", "oci-layout", Severity.ERROR),
        Remedy.ADD_MARKER,
    )


def test_a_marker_that_is_a_pipe_hangs_nobody(files: LayoutFiles):
    (files.path / "oci-layout").unlink()
    os.mkfifo(files.path / "oci-layout")
    assert told(files.path) == [("V3", "oci-layout", "")]


@pytest.mark.parametrize("kind", ["missing", "file", "broken link"])
def test_a_layout_without_the_folder_blobs(tmp_path: Path, kind: str):
    files = LayoutFiles(tmp_path / "layout")
    (files.path / "blobs" / "sha256").rmdir()
    (files.path / "blobs").rmdir()
    if kind == "file":
        (files.path / "blobs").write_text("")
    elif kind == "broken link":
        (files.path / "blobs").symlink_to("nowhere")
    assert ("V1", "blobs", "") in told(files.path)


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "pipe"])
def test_a_layout_without_a_regular_index(files: LayoutFiles, kind: str):
    index = files.path / "index.json"
    index.rename(files.path / ".elsewhere")
    if kind == "folder":
        index.mkdir()
    elif kind == "link":
        index.symlink_to(".elsewhere")
    elif kind == "pipe":
        os.mkfifo(index)
    assert rules(files.path) == {"V7", "V12", "X22"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "V8"),
        (b"[]", "V8"),
        (b'{"schemaVersion": 2, "manifests": [', "V8"),
        (b'{"schemaVersion": 2, "schemaVersion": 2, "manifests": []}', "V161"),
        (b"\xef\xbb\xbf{}", "V160"),
        (b'{"schemaVersion": 2, "manifests": []} garbage', "X5"),
        (b'{"schemaVersion": 2, "manifests": 7}', "V74"),
    ],
)
def test_a_damaged_index_is_told_by_its_own_rule(tmp_path: Path, text: bytes, rule: str):
    files = LayoutFiles(tmp_path / "layout")
    (files.path / "index.json").write_bytes(text)
    assert told(files.path) == [(rule, "index.json", "manifests" if rule == "V74" else "")]


def test_other_files_are_a_note_and_those_of_known_tools_are_not(files: LayoutFiles):
    for name in ("manifest.json", "repositories", ".DS_Store", "index.lock"):
        (files.path / name).write_text("[]")
    assert told(files.path) == []
    (files.path / "README").write_text("hello")
    (files.path / os.fsdecode(b"na\xffme")).write_text("hello")
    (each,) = found(files.path)
    assert (each.rule, each.severity, each.place) == ("V9", Severity.INFO, ".")
    assert "README" in each.sentence


def test_shared_blobs_behind_links_are_a_warning(files: LayoutFiles, tmp_path: Path):
    (files.path / "blobs" / "sha256").rename(tmp_path / "shared")
    (files.path / "blobs" / "sha256").symlink_to(tmp_path / "shared")
    assert told(files.path, hashed=True) == [("X2", "blobs/sha256", "")]


def test_a_folder_that_may_not_be_read_is_told(files: LayoutFiles, as_nobody):
    files.path.parent.chmod(0o755)

    def look() -> None:
        assert "X12" in rules(Path("layout"))

    (files.path / "blobs" / "sha256").chmod(0o755)
    for blob in (files.path / "blobs" / "sha256").iterdir():
        blob.chmod(0o600)
    as_nobody(files.path.parent, look)
