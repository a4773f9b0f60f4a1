"""What is remembered between two starts, typed and checked: garbage in the file becomes the default.

One INI file that a person can read. Keys end in a version: a value that gets another meaning gets another number.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from PySide6.QtCore import QByteArray, QSettings

ThemeMode = Literal["system", "light", "dark"]
Value = TypeVar("Value")

MOST_RECENT = 20
"""Stores that are remembered beside the pinned ones."""

_LARGEST = 1 << 62
_RECENT = "recent/1"
_FINDS = "find/history/1"


@dataclass(frozen=True)
class Recent:
    """A store that was open once; ``opened`` in seconds since 1970."""

    path: str
    opened: float = 0.0
    pinned: bool = False


class _Setting(Generic[Value]):
    """An attribute of ``Settings`` that lives in the file; ``check`` returns None for what it must not be."""

    def __init__(self, key: str, default: Value, check: Callable[[object], Value | None]) -> None:
        self._key, self._default, self._check = key, default, check

    def __get__(self, settings: "Settings", owner: type) -> Value:
        found = self._check(settings.store.value(self._key))
        return self._default if found is None else found

    def __set__(self, settings: "Settings", value: Value) -> None:
        if self._check(value) is None:
            raise ValueError(f"{value!r} is no value for the setting {self._key}.")
        settings.store.setValue(self._key, QByteArray(value) if isinstance(value, bytes) else value)


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value))


def _size(value: object) -> int | None:
    try:
        size = int(value) if isinstance(value, (int, str)) else -1
    except ValueError:
        return None
    return size if 0 <= size <= _LARGEST else None


def _state(value: object) -> bytes | None:
    """What Qt's ``saveState`` and ``saveGeometry`` return; Qt checks it again when it is restored."""
    if isinstance(value, QByteArray):
        return bytes(value.data())
    return value if isinstance(value, bytes) else None


def _mode(value: object) -> ThemeMode | None:
    return _MODES.get(str(value))


_MODES: dict[str, ThemeMode] = {"system": "system", "light": "light", "dark": "dark"}


class Settings:
    """The person's settings, or those in ``file``."""

    theme = _Setting("theme/1", _MODES["system"], _mode)
    verify_on_open = _Setting("verify_on_open/1", False, _truth)
    """Whether blobs are hashed as soon as a store is open."""
    verify_limit = _Setting("verify_limit/1", 64_000_000, _size)
    """Bytes of the largest blob that is hashed without being asked for."""
    map_open = _Setting("map/open/1", False, _truth)
    """Whether the map of a store's space is open."""
    map_by_image = _Setting("map/by_image/1", False, _truth)
    """Whether it shows blobs by whose they are, rather than by what they are."""
    find_match_case = _Setting("find/match_case/1", False, _truth)
    """Whether capitals make a difference when paths are looked for in all images."""
    window_geometry = _Setting("window/geometry/1", b"", _state)
    window_state = _Setting("window/state/1", b"", _state)

    def __init__(self, file: Path | None = None) -> None:
        ini = QSettings.Format.IniFormat
        if file is None:
            self.store = QSettings(ini, QSettings.Scope.UserScope, "blobscope", "blobscope")
        else:
            self.store = QSettings(str(file), ini)

    def view_state(self, view: str) -> bytes:
        """How the columns of a view were left (``QHeaderView.saveState``, or a splitter's); empty when never."""
        return _state(self.store.value(f"views/{view}/1")) or b""

    def set_view_state(self, view: str, state: bytes) -> None:
        self.store.setValue(f"views/{view}/1", QByteArray(state))

    def last_folder(self, purpose: str) -> Path:
        """Where a dialog was last used for ``purpose`` ("open", "import"); the home folder when that is gone."""
        known = self.store.value(f"folders/{purpose}/1")
        folder = Path(known) if isinstance(known, str) and known and "\0" not in known else Path.home()
        return folder if folder.is_dir() else Path.home()

    def set_last_folder(self, purpose: str, folder: Path) -> None:
        self.store.setValue(f"folders/{purpose}/1", str(folder))

    def finds(self) -> list[str]:
        """What was looked for in all images, the newest first."""
        stored = self.store.value(_FINDS)
        try:
            found: Any = json.loads(stored) if isinstance(stored, str) else []
        except (ValueError, RecursionError):
            return []
        return [words for words in found if isinstance(words, str)] if isinstance(found, list) else []

    def set_finds(self, words: Sequence[str]) -> None:
        self.store.setValue(_FINDS, json.dumps(list(words)))

    def recents(self) -> list[Recent]:
        """The stores that were open, pinned ones first, then the latest first."""
        found = _recents(self.store.value(_RECENT))
        return sorted(found, key=lambda recent: (not recent.pinned, -recent.opened))

    def add_recent(self, path: Path) -> None:
        """Remember that a store is open now."""
        known = {recent.path: recent for recent in self._latest_recents()}
        entry = known.pop(str(path), Recent(str(path)))
        self._write_recents([replace(entry, opened=time.time()), *known.values()])

    def pin_recent(self, path: Path, pinned: bool) -> None:
        """Keep a store at the top of the list, or no longer."""
        self._write_recents(
            [
                replace(recent, pinned=pinned) if recent.path == str(path) else recent
                for recent in self._latest_recents()
            ]
        )

    def remove_recent(self, path: Path) -> None:
        """Forget a store."""
        self._write_recents([recent for recent in self._latest_recents() if recent.path != str(path)])

    def sync(self) -> None:
        """Write what is not written yet, and read what another window wrote."""
        self.store.sync()

    def _latest_recents(self) -> list[Recent]:
        """As they are in the file now, because another window may have added one."""
        self.store.sync()
        return self.recents()

    def _write_recents(self, recents: list[Recent]) -> None:
        pinned = [recent for recent in recents if recent.pinned]
        others = sorted((recent for recent in recents if not recent.pinned), key=lambda recent: -recent.opened)
        kept = [asdict(recent) for recent in (*pinned, *others[:MOST_RECENT])]
        self.store.setValue(_RECENT, json.dumps(kept))
        self.store.sync()


def _recents(stored: object) -> list[Recent]:
    """The entries of the stored list that are sound."""
    try:
        entries: Any = json.loads(stored) if isinstance(stored, str) else []
    except (ValueError, RecursionError):
        return []
    found: dict[str, Recent] = {}
    for entry in entries if isinstance(entries, list) else []:
        match entry:
            case {"path": str(path), "opened": float(opened), "pinned": bool(pinned)} if path and "\0" not in path:
                found.setdefault(path, Recent(path, opened, pinned))
    return list(found.values())
