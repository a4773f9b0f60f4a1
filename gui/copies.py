"""Files that were made for other programs, which read them when they like: what was taken stays until the program ends."""

import logging
import os
import secrets
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from engine.directory import Directory, explained
from engine.durable import remove_dead, remove_tree, staging

logger = logging.getLogger(__name__)


class Copies:
    """A folder in the system's temporary one that only this user may enter, made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._folder: Path | None = None

    def new_folder(self) -> Path:
        """An empty folder for some copies; called on a worker. Raises ``StorageFailed``.

        The first time, what a killed program left there is removed.
        """
        with self._lock, explained("Writing to", tempfile.gettempdir()):
            if self._folder is None:
                temporary = Directory.open(tempfile.gettempdir())
                remove_dead(temporary)
                self._folder = Path(self._held.enter_context(staging(temporary, is_marked=True)).path)
            made = self._folder / secrets.token_hex(4)
            made.mkdir(0o700)
            return made

    @staticmethod
    def room() -> int:
        """Bytes that one more copy may have: half of what is free, because others need some, too."""
        found = os.statvfs(tempfile.gettempdir())
        return found.f_bavail * found.f_frsize // 2

    @property
    def are_there(self) -> bool:
        """Whether any were made."""
        return self._folder is not None

    def has(self, path: Path) -> bool:
        """Whether a file is one of these."""
        return self._folder is not None and path.is_relative_to(self._folder)

    def discard(self, folder: Path) -> None:
        """Remove one of these folders, because nobody took what is in it; called on a worker."""
        with self._lock:
            if self._folder is None or folder.parent != self._folder:
                return
            try:
                remove_tree(Directory.open(self._folder), folder.name)
            except OSError as error:
                logger.debug("%s stays until the end: %s", folder, error)

    def remove(self) -> None:
        """Remove all of them: the program ends."""
        with self._lock:
            self._held.close()
            self._folder = None
