"""What a desktop reads about the program is right, and says the same as the program itself."""

import configparser
import subprocess
import tomllib
from importlib.resources import as_file, files
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage

import dev

ID = "io.github.blobscope.Blobscope"
DESKTOP_ENTRY = files("resources") / f"{ID}.desktop"
METAINFO = files("resources") / f"{ID}.metainfo.xml"
ICON = files("resources") / f"{ID}.svg"

PROJECT = tomllib.loads((dev.ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.needs("desktop-file-validate")
def test_the_desktop_entry_is_valid():
    with as_file(DESKTOP_ENTRY) as path:
        told = subprocess.run(["desktop-file-validate", path], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")


@pytest.mark.needs("appstreamcli")
def test_the_metainfo_is_valid():
    with as_file(METAINFO) as path:
        told = subprocess.run(["appstreamcli", "validate", "--no-net", path], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_the_desktop_entry_starts_the_installed_command_on_folders():
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(DESKTOP_ENTRY.read_text(encoding="utf-8"))
    entry = parser["Desktop Entry"]
    assert entry["Exec"] == "blobscope %F"
    assert "blobscope" in PROJECT["scripts"]
    assert entry["MimeType"] == "inode/directory;"
    assert entry["Icon"] == ID


def test_the_metainfo_names_the_desktop_entry_and_this_version():
    metainfo = ElementTree.fromstring(METAINFO.read_text(encoding="utf-8"))
    assert metainfo.findtext("id") == ID
    assert metainfo.findtext("launchable") == DESKTOP_ENTRY.name
    assert metainfo.findtext("project_license") == PROJECT["license"]
    assert metainfo.find("releases/release").get("version") == PROJECT["version"]
    assert f"## {PROJECT['version']}, " in (dev.ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("size", [16, 32, 256])
@pytest.mark.parametrize("background", [Qt.GlobalColor.white, Qt.GlobalColor.black])
@pytest.mark.usefixtures("qapp")
def test_the_icon_stands_out_from_light_and_dark_at_every_size(size: int, background: Qt.GlobalColor):
    with as_file(ICON) as path:
        picture = QIcon(str(path)).pixmap(QSize(size, size)).toImage()
    assert picture.size() == QSize(size, size)
    paper = 255 if background == Qt.GlobalColor.white else 0
    assert standing_out(picture, paper) > 1 / 3


def standing_out(picture: QImage, paper: int) -> float:
    """The share of pixels that differ from a paper of this lightness by a fifth or more."""
    pixels = [picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height())]
    seen = [
        sum(abs(value - paper) for value in (pixel.red(), pixel.green(), pixel.blue())) / 3 * pixel.alphaF()
        for pixel in pixels
    ]
    return sum(difference > 51 for difference in seen) / len(pixels)
