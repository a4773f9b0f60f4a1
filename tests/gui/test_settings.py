"""What settings promise: they come back as they were, and garbage in the file harms nobody."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PySide6.QtCore import QSettings

from gui import settings
from gui.settings import Recent, Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "blobscope.ini"


def written(file: Path, key: str, value: object) -> Settings:
    """Settings whose file holds ``value``, whoever wrote it."""
    store = QSettings(str(file), QSettings.Format.IniFormat)
    store.setValue(key, value)
    store.sync()
    return Settings(file)


def test_a_first_start_has_the_defaults_and_writes_nothing(file: Path) -> None:
    first = Settings(file)
    assert (first.theme, first.verify_on_open, first.verify_limit) == ("system", False, 64_000_000)
    assert (first.window_geometry, first.window_state, first.view_state("blobs")) == (b"", b"", b"")
    assert first.recents() == []
    assert first.last_folder("open") == Path.home()
    first.sync()
    assert not file.exists()


def test_everything_comes_back_at_the_next_start(file: Path, tmp_path: Path) -> None:
    states = bytes(range(256))
    first = Settings(file)
    first.theme = "dark"
    first.verify_on_open = True
    first.verify_limit = 3_000_000_000
    first.window_geometry = states
    first.window_state = states[::-1]
    first.set_view_state("blobs", states)
    first.set_last_folder("open", tmp_path)
    first.sync()
    again = Settings(file)
    assert (again.theme, again.verify_on_open, again.verify_limit) == ("dark", True, 3_000_000_000)
    assert (again.window_geometry, again.window_state, again.view_state("blobs")) == (states, states[::-1], states)
    assert again.view_state("images") == b""
    assert (again.last_folder("open"), again.last_folder("import")) == (tmp_path, Path.home())


def test_the_persons_own_settings_lie_in_the_configuration_folder(own_home: Path) -> None:
    mine = Settings()
    mine.theme = "dark"
    mine.sync()
    assert [path.relative_to(own_home) for path in own_home.rglob("*.ini")] == [Path(".config/blobscope/blobscope.ini")]


@pytest.mark.parametrize("value", ["", "purple", ["dark"], 7, b"\xff", "@Variant(\\0\\0)", {"a": 1}])
def test_garbage_becomes_the_default(file: Path, value: object) -> None:
    for key in ("theme/1", "verify_on_open/1", "verify_limit/1", "recent/1", "folders/open/1"):
        written(file, key, value)
    found = Settings(file)
    assert found.theme == "system"
    assert found.verify_on_open is False
    assert found.verify_limit == (7 if value == 7 else 64_000_000)
    assert found.recents() == []
    assert found.last_folder("open") == Path.home()


def test_garbage_is_no_window_state(file: Path) -> None:
    assert written(file, "window/state/1", "text").window_state == b""


def test_a_file_that_is_no_settings_file_is_as_good_as_none(file: Path) -> None:
    file.write_bytes(b"\x00\xff[[[=\n%%%\xfe" * 100)
    found = Settings(file)
    assert (found.theme, found.recents()) == ("system", [])


@pytest.mark.parametrize("limit", [-1, 1 << 63])
def test_what_no_setting_may_be_is_refused_at_once(file: Path, limit: int) -> None:
    with pytest.raises(ValueError, match="verify_limit"):
        Settings(file).verify_limit = limit


def test_recent_stores_come_latest_first_and_pinned_ones_before(file: Path) -> None:
    mine = Settings(file)
    for name in ("a", "b", "c", "a"):
        mine.add_recent(Path("/stores", name))
    mine.pin_recent(Path("/stores/b"), True)
    again = Settings(file)
    assert [(recent.path, recent.pinned) for recent in again.recents()] == [
        ("/stores/b", True),
        ("/stores/a", False),
        ("/stores/c", False),
    ]
    again.add_recent(Path("/stores/b"))
    assert again.recents()[0].pinned
    again.pin_recent(Path("/stores/b"), False)
    again.remove_recent(Path("/stores/c"))
    assert [recent.path for recent in again.recents()] == ["/stores/b", "/stores/a"]


def test_only_the_latest_are_kept_beside_the_pinned_ones(file: Path) -> None:
    mine = Settings(file)
    mine.add_recent(Path("/stores/first"))
    mine.pin_recent(Path("/stores/first"), True)
    for number in range(settings.MOST_RECENT + 5):
        mine.add_recent(Path(f"/stores/{number}"))
    paths = [recent.path for recent in mine.recents()]
    assert len(paths) == settings.MOST_RECENT + 1
    assert paths[:2] == ["/stores/first", f"/stores/{settings.MOST_RECENT + 4}"]


def test_two_programs_lose_no_recent_store_of_each_other(file: Path) -> None:
    mine = Settings(file)
    mine.add_recent(Path("/stores/mine"))
    code = "import sys, pathlib; from gui.settings import Settings; Settings(pathlib.Path(sys.argv[1])).add_recent('/stores/other')"
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, timeout=60)
    mine.add_recent(Path("/stores/mine too"))
    paths = {recent.path for recent in Settings(file).recents()}
    assert paths == {"/stores/mine", "/stores/other", "/stores/mine too"}


@pytest.mark.parametrize(
    "name", ["with, comma", "perc%20ent", 'quo"te;', "ümlaut 世界", "no utf-8 \udcff", "new\nline"]
)
def test_any_path_that_a_disk_can_hold_comes_back(file: Path, name: str) -> None:
    mine = Settings(file)
    mine.add_recent(Path("/stores", name))
    assert [recent.path for recent in Settings(file).recents()] == [f"/stores/{name}"]


def test_a_folder_that_is_not_utf8_is_remembered_or_harmless(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "no utf-8 \udcff"
    folder.mkdir()
    mine = Settings(file)
    mine.set_last_folder("open", folder)
    mine.sync()
    assert Settings(file).last_folder("open") in (folder, Path.home())


def test_sound_entries_survive_beside_damaged_ones(file: Path) -> None:
    entries = [
        {"path": "/stores/good", "opened": 5.0, "pinned": False},
        {"path": "/stores/good", "opened": 4.0, "pinned": True},
        {"path": 7, "opened": 5.0, "pinned": False},
        {"path": "/stores/nul\0", "opened": 5.0, "pinned": False},
        {"path": "", "opened": 5.0, "pinned": False},
        {"path": "/stores/bad", "opened": "yesterday", "pinned": False},
        {"path": "/stores/bad"},
        "text",
        None,
    ]
    assert written(file, "recent/1", json.dumps(entries)).recents() == [Recent("/stores/good", 5.0)]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(stored=st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_stored_list_of_recent_stores_is_a_failure(stored: str) -> None:
    assert isinstance(settings._recents(stored), list)
    assert settings._recents("[" * 100_000) == []


def test_what_was_looked_for_is_remembered_and_garbage_is_nothing(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.ini")
    assert settings.finds() == []
    settings.set_finds(["*.so", 'été, and "more"'])
    assert Settings(tmp_path / "settings.ini").finds() == ["*.so", 'été, and "more"']
    for garbage in ("{", "[" * 100_000, "7", '{"a": 1}', '[1, "kept", null]'):
        settings.store.setValue("find/history/1", garbage)
        assert settings.finds() in ([], ["kept"])
