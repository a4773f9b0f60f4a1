"""On a real screen: a file manager drags things in, a screen reader is told of everything, the keyboard does it alone."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.document import OCI_INDEX as INDEX
from engine.layout import ImageLayout
from gui import text
from tests.journeys._screen import FILE_MANAGER, PROGRAMS, Screen

pytestmark = pytest.mark.needs(*PROGRAMS)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    folder = tmp_path / "printed"
    folder.mkdir()
    with Screen(folder) as screen:
        yield screen


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty-layout"
    ImageLayout.create(path).close()
    return path


def in_a_folder(tmp_path: Path, name: str, content: bytes) -> Path:
    """A file that is alone in its folder."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / name).write_bytes(content)
    return folder / name


def blob(layout: Path, content: bytes) -> Path:
    return layout / "blobs/sha256" / hashlib.sha256(content).hexdigest()


def nameless(screen: Screen) -> list[str]:
    """What can be gone to or pressed, and does not say what it is."""
    return [
        f"{item.role} at {item.box}"
        for item in screen.items()
        if not item.name.strip() and ("focusable" in item.states or {"Press", "Toggle", "ShowMenu"} & {*item.actions})
    ]


# dragging


@pytest.mark.needs(*FILE_MANAGER)
def test_a_file_dragged_from_a_file_manager_is_copied_also_when_it_asks_to_move(
    screen: Screen, empty: Path, tmp_path: Path
):
    source = in_a_folder(tmp_path, "notes.txt", b"from outside")
    before = source.stat()
    screen.open_blobscope(empty)
    window, icon = screen.put_at_right("empty-layout"), screen.open_file_manager(source.parent)
    with screen.dragged(icon, window, "shift"):
        screen.find("filler", "Import notes.txt as a blob into empty-layout (copied, 12 bytes)")
    screen.find("label", "notes.txt was imported into empty-layout: sha256:")
    screen.find("table cell", "12 bytes, used by 0, unused", state="selected")
    assert blob(empty, b"from outside").read_bytes() == b"from outside"
    after = source.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.needs(*FILE_MANAGER)
def test_a_manifest_dragged_from_a_file_manager_gets_a_name(screen: Screen, empty: Path, tmp_path: Path):
    manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
    source = in_a_folder(tmp_path, "release.json", manifest)
    screen.open_blobscope(empty)
    window, icon = screen.put_at_right("empty-layout"), screen.open_file_manager(source.parent)
    with screen.dragged(icon, window):
        screen.find("filler", "Import release.json as a blob into empty-layout")
    screen.find("text", "Name in the index for release.json")
    assert nameless(screen) == []
    screen.click(screen.find("push button", "Import 1 file"))
    screen.find("label", "release.json was imported into empty-layout: sha256:")
    screen.find("table cell", "release, index", state="selected")
    assert blob(empty, manifest).read_bytes() == source.read_bytes() == manifest


@pytest.mark.needs(*FILE_MANAGER)
def test_a_folder_dragged_from_a_file_manager_opens_in_a_tab(screen: Screen, empty: Path, sample: Path, tmp_path: Path):
    folder = tmp_path / "images"
    folder.mkdir()
    sample.rename(folder / sample.name)
    screen.open_blobscope(empty)
    window, icon = screen.put_at_right("empty-layout"), screen.open_file_manager(folder)
    with screen.dragged(icon, window):
        screen.find("filler", f"Open {sample.name}")
    screen.find("page tab", sample.name, state="selected")
    screen.find("table cell", "example.org/web:1.0, image, linux/amd64")
    assert (folder / sample.name / "oci-layout").is_file()


# a screen reader


def test_a_screen_reader_is_told_what_everything_is(screen: Screen):
    screen.open_blobscope()
    assert nameless(screen) == []
    screen.click(screen.find("push button", "Try the demo"))
    screen.find("frame", "sample-layout")
    screen.find("table cell", "example.org/web:1.0", state="selected")
    for tab, role, name in (
        ("Document", "text", "Document"),
        ("Metadata", "push button", "Add…"),
        ("Relations", "table", "Relations"),
        ("Overview", "label", "Overview"),
    ):
        screen.click(screen.find("page tab", tab))
        shown = screen.find(role, name)
        assert nameless(screen) == [], tab
    assert "linux/amd64" in shown.text
    screen.key("Delete")
    screen.find("panel", "What a removal would do")
    screen.find("label", "Frees: 330.9 kB (330,879 bytes)")
    assert nameless(screen) == []
    screen.click(screen.find("page tab", "Blobs"))
    screen.find("table", "Blobs")
    assert nameless(screen) == []


def test_a_screen_reader_is_told_each_row_as_a_sentence_with_its_state(screen: Screen, sample: Path):
    screen.open_blobscope(sample)
    for sentence in (
        "example.org/web:1.0, image, linux/amd64, 1.9 MB, not checked",
        "example.org/tool:2.0, index, 3 platforms, 1.8 MB, not checked",
        "example.org/broken:missing, image, linux/amd64, 1.1 MB, missing: 1 part",
        "example.org/broken:truncated, image, linux/amd64, 1.1 MB, size differs: 1 part",
        "Not in the index: 1 lost image",
    ):
        screen.find("table cell", sentence)
    screen.find("label", "State: Not checked. The content has not been compared with its digest yet.")
    for count in ("1 missing", "1 size differs", "1 lost image", "1 stray file"):
        screen.find("push button", count)
    screen.key("ctrl+2")
    screen.find("table", "Blobs", state="focused")
    screen.key("ctrl+Home")  # it stood where the image was that is selected
    screen.find("table cell", "stray file")
    last_words = {
        item.name.rpartition(", ")[2]
        for item in screen.items()
        if item.role == "table cell" and (item.name.startswith("stray file") or "sha256:" in item.name)
    }
    assert {"verified", "not checked", "size differs", "unused", "external", "stray file"} <= last_words
    assert last_words <= {words.word.lower() for words in text.STATES.values()}


# the keyboard alone


def test_the_keyboard_alone_opens_selects_verifies_and_looks_before_it_deletes(screen: Screen, sample: Path):
    index = (sample / "index.json").read_bytes()
    program = screen.open_blobscope()
    screen.key("ctrl+o")
    screen.find("text", "Directory", state="focused")
    screen.type(str(sample))
    screen.key("Return")
    screen.find("table cell", "example.org/web:1.0", state="focused")
    screen.key("Down", "Down", "Down", "Down")
    screen.find("table cell", "example.org/broken:corrupt", state="focused")
    screen.key("v")
    screen.find("panel", "Error: 1 blob is not what its digest names; 3 blobs verified (1.2 MB).")
    screen.find("table cell", "example.org/broken:corrupt, image, linux/amd64, 1.2 MB, corrupt: 1 part")
    screen.key("Right", "Down", "Down")
    screen.find("table cell", "layer 1 of 2, 1.0 MB", state="focused")
    screen.key("Up", "Up", "Delete")
    screen.find("label", "Delete example.org/broken:corrupt")
    screen.find("push button", "Untag only", state="focused")
    screen.key("Escape")
    screen.find("table cell", "example.org/broken:corrupt", state="focused")
    assert not [item for item in screen.items() if item.name == "What a removal would do"]
    assert (sample / "index.json").read_bytes() == index
    screen.key("ctrl+q")
    screen.until(lambda: program.poll() is not None, "the end")
    assert program.returncode == 0


def test_a_screen_reader_is_told_what_is_wrong_and_what_helps(screen: Screen, sample: Path):
    (sample / "oci-layout").unlink()
    screen.open_blobscope(sample, "--view", "problems")
    screen.find("page tab", "Problems 3", state="selected")
    screen.find("table cell", "Error: oci-layout is missing., in oci-layout", state="selected")
    screen.find("check box", "Errors: 2")
    screen.find("push button", "Add the file oci-layout")
    assert nameless(screen) == []
    screen.key("n")
    screen.find("push button", "Report and deep check")
    screen.find("table cell", "has 70,000 bytes, not 120,229", state="selected")
