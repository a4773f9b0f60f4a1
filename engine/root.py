"""``StoreRoot``: the folder of an open store, and what may be done in it."""

import os
import stat

from engine.directory import Directory
from engine.durable import Rights, ensure_folder
from engine.errors import Refused, StoreClosed


class StoreRoot:
    """The folder of an open store: its handle until ``close``, and what may be done in it."""

    def __init__(self, directory: Directory, *, private: bool = False, follow_links: bool = False) -> None:
        self._directory: Directory | None = directory
        self._reached: dict[str, tuple[int, int, Directory]] = {}
        self.path = directory.path
        self.follow_links = follow_links
        """Whether a folder of blobs that is a symbolic link may be read; nothing is ever written through one."""
        self.refusal = ""
        """The sentence that explains why this store must not be changed; empty when it may be."""
        status = directory.status()
        self.rights = Rights(0o600 if private else 0o666, 0o700 if private else 0o777, status.st_uid, status.st_gid)

    def __getstate__(self) -> dict[str, object]:
        """For another process, which opens the folders below itself."""
        return {**self.__dict__, "_reached": {}}

    @property
    def directory(self) -> Directory:
        """The handle; raises ``StoreClosed`` after ``close``."""
        if self._directory is None:
            raise StoreClosed(f"{self.path} was closed.", place=self.path, remedy="Open it again.")
        return self._directory

    @property
    def closed(self) -> bool:
        return self._directory is None

    @property
    def writable(self) -> bool:
        """Whether changing it can be tried: nothing forbids it, and the disk and its permissions allow it."""
        if self._directory is None or self.refusal:
            return False
        return os.access(".", os.W_OK | os.X_OK, dir_fd=self._directory.fd, effective_ids=True)

    def to_change(self) -> Directory:
        """The handle for a change; raises ``Refused`` where the store must stay as it is."""
        directory = self.directory
        if self.refusal:
            raise Refused(self.refusal, place=self.path)
        return directory

    def reach(self, *names: str) -> Directory:
        """A folder below, for reading; kept open, and opened anew when another one has taken its place."""
        directory = self.directory
        path = "/".join(names)
        known = self._reached.get(path)
        if known is not None:
            there = os.stat(path, dir_fd=directory.fd)
            if (there.st_dev, there.st_ino) == known[:2]:
                return known[2]
        for name in names:
            directory = directory.child(name, follow=self.follow_links)
        here = directory.status()
        self._reached[path] = here.st_dev, here.st_ino, directory
        return directory

    def reach_to_change(self, *names: str, make: bool) -> Directory:
        """A folder below, opened afresh through no link, for a change; made where it is missing, if asked to.

        Raises ``Refused`` where a symbolic link stands in the way.
        """
        directory = self.to_change()
        for name in names:
            try:
                directory = ensure_folder(directory, name, self.rights) if make else directory.child(name)
            except NotADirectoryError:
                if not stat.S_ISLNK(directory.stat(name).st_mode):
                    raise
                place = f"{directory.path}/{name}"
                raise Refused(
                    f"{place} is a symbolic link; nothing is written or deleted through one.",
                    place=place,
                    expected="a folder",
                    found="a symbolic link",
                    remedy="Open the store that it leads to.",
                ) from None
        return directory

    def close(self) -> None:
        """Let go of the folder; what runs at this moment keeps its own handle and ends in peace."""
        self._directory = None
        self._reached.clear()
