"""On a real screen: a file manager drags things in, a screen reader is told of everything, the keyboard does it alone."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.document import OCI_INDEX as INDEX
from engine.layout import ImageLayout
from tests.journeys._screen import FILE_MANAGER, PROGRAMS, Item, Screen

pytestmark = pytest.mark.needs(*PROGRAMS)

LEFT = (0, 0, 460, 860)
RIGHT = (470, 0, 900, 860)


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


def beside_a_file_manager(screen: Screen, title: str, folder: Path) -> tuple[Item, Item]:
    """The program's window and a folder's, side by side: the only thing in the folder, and the program's window."""
    screen.open_file_manager(folder)
    screen.place(folder.name, *LEFT)
    screen.place(title, *RIGHT)
    screen.until(lambda: screen.find("frame", title).box[0] >= RIGHT[0], "the window at the right")
    (thing,) = screen.until(
        lambda: [each for each in screen.items("pcmanfm") if each.role == "icon" and each.name == ""], "the file's icon"
    )
    return thing, screen.find("frame", title)


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
    icon, window = beside_a_file_manager(screen, "empty-layout", source.parent)
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
    icon, window = beside_a_file_manager(screen, "empty-layout", source.parent)
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
    icon, window = beside_a_file_manager(screen, "empty-layout", folder)
    with screen.dragged(icon, window):
        screen.find("filler", f"Open {sample.name}")
    screen.find("page tab", sample.name, state="selected")
    screen.find("table cell", "example.org/web:1.0, image, linux/amd64")
    assert (folder / sample.name / "oci-layout").is_file()
