"""Stores on which operations come to harm, and what must hold of one afterwards."""

import os
import re
import shutil
import stat
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import Progress, Snapshot, Store, open_store
from engine import snapshot as facts
from engine.digest import digest_of
from engine.findings import Severity
from engine.validate import validate
from tests.tools._furnishing import CREATING, furnish
from tests.tools._operations import OPERATIONS
from tests.tools._rig import Call, Fate, Rig

Files = dict[str, tuple[int, int, bytes]]
"""By path: mode, owner and content; folders have none."""

_OWNER = 4711
"""Whose the stores are, where a root who runs the tests can give them away."""
_TRASH = ".blobscope-trash"
_RECORD = re.compile(r"[0-9]{20}-([a-z]+)-[0-9a-f]{8}")
_WHEN = re.compile(rb'"when":"[^"]*"')
_UNFINISHED = re.compile(rf"{re.escape(_TRASH)}/[^/]*/(unfinished|(.*/)?\.blobscope-[0-9a-f]{{16}}(/.*)?)")
"""What a record of the trash may hold as long as its writer has not come to the end."""
_MAY_DIFFER = re.compile(rf"{_UNFINISHED.pattern}|{re.escape(_TRASH)}/[^/]*/journal\.json")
"""The journal tells of what was found; where something could not be read, that is less."""
_IN_TRASH = re.compile(rf"^(.*/)?{re.escape(_TRASH)}/[^/]*/")
_NUMBERS = re.compile(r"[0-9a-f]{16,}|^\d+|fdinfo/\d+")
"""In the arguments of a call: what differs between things of the same kind."""
_BLOB = re.compile(r"(?:blobs|content)/(sha256|sha512)/([0-9a-f]{64}|[0-9a-f]{128})")


def files_in(folder: Path) -> Files:
    """Everything below a folder. The names of records, which tell times, become the kind and a number."""
    found = {}
    numbers = _number_records(folder / _TRASH)
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        parts = [numbers.get(part, part) for part in path.relative_to(folder).parts]
        if path.name == "journal.json":
            content = _WHEN.sub(b"", content)
        found["/".join(parts)] = (status.st_mode, status.st_uid, content)
    return found


def _number_records(trash: Path) -> dict[str, str]:
    counts: Counter[str] = Counter()
    numbers = {}
    for name in sorted(os.listdir(trash)) if trash.exists() else ():
        if match := _RECORD.fullmatch(name):
            counts[match[1]] += 1
            numbers[name] = f"{match[1]} {counts[match[1]]}"
    return numbers


def held(files: Files) -> set[tuple[str, bytes]]:
    """Every blob and every note that a store holds, in its place or in the trash: path and content."""
    inside = {_IN_TRASH.sub("", path, count=1): found for path, found in files.items()}
    kept = ("blobs/", "content/", "metadata/")
    return {(path, found[2]) for path, found in inside.items() if path.startswith(kept) and stat.S_ISREG(found[0])}


class Place:
    """A folder in which the same store is made again and again, for an operation that comes to harm in it."""

    def __init__(self, folder: Path, operation: str, rig: Rig) -> None:
        self.operation = operation
        self.path = folder / "place" / "store"
        self._folder = folder
        template = folder / "template"
        template.mkdir(parents=True)
        furnish(template, operation)
        if os.geteuid() == 0:
            for path in (template / "store", *(template / "store").rglob("*")):
                os.lchown(path, _OWNER, _OWNER)
        self.renew()
        self.before = files_in(self.path)
        self._clean()
        self._cleaned = files_in(self.path)
        self._known = self._records()
        self._problems = self._tell_problems()
        self.renew()
        self.calls = rig.watch(operation, self.path)
        self._clean()
        self._problems |= self._tell_problems()
        self.after = files_in(self.path)
        self._kept = held(self.before) & held(self.after)

    def renew(self) -> None:
        """Put everything back to how it was."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        subprocess.run(["cp", "-a", "template", "place"], cwd=self._folder, check=True)

    def harm(self, rig: Rig, names: Sequence[str], *, reading: Sequence[str] = ()) -> Iterator[tuple[Call, Fate]]:
        """Carry the operation out once for each of its calls of these names, which comes to harm.

        Calls that only open something to read it are left out, unless their name is among ``reading``; of those that
        open the same kind of thing, the first is taken.
        """
        counts: Counter[str] = Counter()
        opened: set[str] = set()
        for call in self.calls:
            counts[call.name] += 1
            thing = _NUMBERS.sub("", call.arguments)
            again = not call.changes and (call.name not in reading or thing in opened)
            opened.add(thing)
            if call.name in names and not again:
                self.renew()
                fate = rig.run(self.operation, self.path, call.name, counts[call.name])
                if fate.hit:
                    yield call, fate
                else:  # how often a scan opens folders depends on how old they are
                    assert not call.changes, f"{call} was not reached"

    def check(self, *, owners: bool = True) -> bool:
        """Everything that a crash must leave as it is; returns whether the operation has happened.

        Without ``owners`` the system refuses to give files away, so those are not compared.
        """
        if self.operation in CREATING:
            return self._check_created()
        with open_store(self.path) as store:
            self._check_index(store)
            self._check_leftovers(store)
        return self._check_files(owners=owners)

    def finish(self) -> None:
        """Take back what the trash tells of, then carry the operation out after all: nothing is in the way of either."""
        if self.operation in CREATING:
            if not (self.path / "new").exists():
                OPERATIONS[self.operation](self.path)
        else:
            self._undo()
            OPERATIONS[self.operation](self.path)
            self._clean()
        # What an image needed alone is found unused, once its name is gone; to remove that is another decision.
        assert files_in(self.path) == self.after or self.operation == "remove an image for good"

    def _undo(self) -> None:
        """Take back what the operation has put into the trash: all is as it was, to the byte."""
        new = [record for record in self._records() if record not in self._known]
        with open_store(self.path) as store:
            for record in new:
                store.undo(record, Progress())
        if new:
            self._clean()
            assert files_in(self.path) == self._cleaned

    def _clean(self) -> None:
        if self.operation not in CREATING:
            with open_store(self.path) as store:
                store.clean(min_age_s=0)

    def _records(self) -> list[str]:
        if self.operation in CREATING:
            return []
        with open_store(self.path) as store:
            return [record.id for record in store.trash()]

    def _tell_problems(self) -> set[str]:
        """What is wrong with the store anyway."""
        if self.operation in CREATING:
            return set()
        with open_store(self.path) as store:
            return _errors_in(store, store.scan(Progress()))

    def _check_created(self) -> bool:
        """All of the store is there, or nothing has its name."""
        for path in self.path.glob(".blobscope-*"):
            shutil.rmtree(path)
        if (self.path / "new").exists():
            with open_store(self.path / "new") as store:
                store.clean(min_age_s=0)
        now = files_in(self.path)
        assert now in (self.before, self.after)
        return now == self.after

    def _check_index(self, store: Store) -> None:
        """The index can be read, and leads to nothing that is missing (promise 4)."""
        snapshot = store.scan(Progress())
        assert _errors_in(store, snapshot) <= self._problems
        flags = snapshot.columns.flags
        missing = ((flags & facts.REACHABLE) != 0) & ((flags & facts.PRESENT) == 0)
        assert [snapshot.name(row) for row in missing.nonzero()[0]] == []

    def _check_leftovers(self, store: Store) -> None:
        """What was left is known as such, and can be cleaned away (promise 9)."""
        left = store.leftovers(min_age_s=0)
        assert [leftover for leftover in left if not leftover.removable] == []
        strangers = files_in(self.path).keys() - self.before.keys() - self.after.keys()
        known = tuple(leftover.path for leftover in left)
        assert {path for path in strangers if not path.startswith(known) and not _UNFINISHED.fullmatch(path)} == set()
        store.clean(min_age_s=0)
        assert store.leftovers(min_age_s=0) == []

    def _check_files(self, *, owners: bool) -> bool:
        """Each file is the old or the new one, there is no other (promises 2 and 17), and nothing was lost (1)."""
        now = files_in(self.path)
        for path in self.before.keys() | self.after.keys() | now.keys():
            found, *expected = now.get(path), self.before.get(path), self.after.get(path), self._cleaned.get(path)
            if found is not None and not owners:
                found = (found[0], _OWNER, found[2])
            assert found in expected or _MAY_DIFFER.fullmatch(path), path
            self._check_blob(path, now)
        assert held(now) >= self._kept, "something is neither in its place nor in the trash"
        return now == self.after != self._cleaned

    def _check_blob(self, path: str, now: Files) -> None:
        """A digest names its whole content and nothing else, unless it was otherwise from the start."""
        match = _BLOB.fullmatch(_IN_TRASH.sub("", path, count=1))
        if match and path in now and (match[0], now[path][2]) not in held(self.before):
            assert digest_of(now[path][2], match[1]) == f"{match[1]}:{match[2]}"


def _errors_in(store: Store, snapshot: Snapshot) -> set[str]:
    findings = validate(store, snapshot, Progress()).findings.items
    return {f"{each.rule} {each.place} {each.where}" for each in findings if each.severity == Severity.ERROR}
