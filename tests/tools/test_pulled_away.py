"""Somebody takes or replaces files in the middle of our work: it ends in a result or a sentence, and loses nothing."""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine import EngineError, ImageLayout, ImportRequest, Progress, plan_removal
from engine.digest import digest_of
from engine.snapshot import Outcome
from engine.validate import validate
from engine.verify import VerifyBatch
from tests.tools._furnishing import furnish
from tests.tools._operations import HELLO, HELLO_DIGEST, IMAGE, LARGE
from tests.tools._places import files_in, held

OTHER = b"olleh"
"""Other content, as long as ``HELLO``."""


class Meanwhile(Progress):
    """Lets something happen once, at the n-th step of the work."""

    def __init__(self, number: int, happen: Callable[[], object]) -> None:
        super().__init__()
        self.happened = False
        self._left = number
        self._happen = happen
        self._mine = threading.Lock()

    def start(self, label: str, total: int | None = None, unit: str = "bytes") -> None:
        super().start(label, total, unit)
        self._step()

    def check(self) -> None:
        super().check()
        self._step()

    def report(self, item: Any) -> None:
        super().report(item)
        self._step()

    def _step(self) -> None:
        with self._mine:
            self._left -= 1
            if self._left == 0:
                self._happen()
                self.happened = True


class Site(NamedTuple):
    """A store with an image of which ``HELLO`` is a layer, files to import, and something that is nobody's business."""

    store: Path
    files: Path
    outside: Path

    @property
    def blob(self) -> Path:
        return self.store / "blobs" / HELLO_DIGEST.replace(":", "/")


def replace_with(content: bytes) -> Callable[[Site], object]:
    def replace(site: Site) -> None:
        new = site.outside.parent / "new"
        new.write_bytes(content)
        new.replace(site.blob)

    return replace


def plant(make: Callable[[Path, Site], object]) -> Callable[[Site], object]:
    def replace(site: Site) -> None:
        site.blob.unlink(missing_ok=True)
        make(site.blob, site)

    return replace


def write_index(content: bytes) -> Callable[[Site], object]:
    def write(site: Site) -> None:
        index = site.store / "index.json"
        index.write_bytes(content)
        os.utime(index, (1, 1))  # an old one: nobody is at work on it

    return write


PULLS: dict[str, Callable[[Site], object]] = {
    "the store is moved away": lambda site: site.store.rename(site.outside.parent / "moved"),
    "the blobs are moved away": lambda site: (site.store / "blobs").rename(site.outside.parent / "moved"),
    "a blob is deleted": lambda site: site.blob.unlink(missing_ok=True),
    "a blob is overwritten": replace_with(OTHER),
    "a blob is cut off": replace_with(HELLO[:3]),
    "a blob becomes a folder": plant(lambda blob, _: blob.mkdir()),
    "a blob becomes a pipe": plant(lambda blob, _: os.mkfifo(blob)),
    "a blob becomes a link to the outside": plant(lambda blob, site: blob.symlink_to(site.outside / "file")),
    "the index is overwritten": write_index(b'{"manifests":[{'),
    "the index is deleted": lambda site: (site.store / "index.json").unlink(),
    "a source is deleted": lambda site: (site.files / "layer").unlink(missing_ok=True),
    "a source is cut off": lambda site: os.truncate(site.files / "layer", 100),
    "a source is overwritten": lambda site: (site.files / "layer").write_bytes(LARGE[::-1]),
}


def scan(layout: ImageLayout, site: Site, progress: Progress) -> None:
    layout.scan(progress)


def check_rules(layout: ImageLayout, site: Site, progress: Progress) -> None:
    validate(layout, layout.scan(Progress()), progress)


def verify(layout: ImageLayout, site: Site, progress: Progress) -> None:
    layout.verify(layout.scan(Progress()), None, progress)


def remove(layout: ImageLayout, site: Site, progress: Progress) -> None:
    snapshot = layout.scan(Progress())
    positions = [entry.position for entry in snapshot.entries if IMAGE in entry.names]
    layout.apply(plan_removal(snapshot, positions, with_content=True), progress)


def undo(layout: ImageLayout, site: Site, progress: Progress) -> None:
    for record in layout.trash():
        layout.undo(record.id, progress)


def bring_in(layout: ImageLayout, site: Site, progress: Progress) -> None:
    names = {"config.json": None, "layer": None, "manifest.json": "imported:1"}
    layout.import_files([ImportRequest(site.files / file, name) for file, name in names.items()], progress)


WORK = {
    "scan": scan,
    "check the rules": check_rules,
    "verify": verify,
    "remove an image": remove,
    "undo a removal": undo,
    "import": bring_in,
}


def pulled(folder: Path, pull: str, work: str) -> Iterator[tuple[Site, Meanwhile]]:
    """Do the work again and again, on a new store each time; what happens meanwhile happens one step later each time."""
    for number in range(1, 1000):
        here = folder / str(number)
        here.mkdir()
        furnish(here, "undo a removal" if work.startswith("undo") else "remove an image")
        furnish_files(here)
        site = Site(here / "store", here / "files", here / "outside")
        before = held(files_in(site.store))
        progress = Meanwhile(number, lambda site=site: PULLS[pull](site))
        said = "."
        with ImageLayout.open(site.store) as layout:
            try:
                WORK[work](layout, site, progress)
            except EngineError as error:
                said = str(error)
        assert re.fullmatch(r"[^\n]*\.", said)
        check_nothing_lost(before, here, site)
        if not progress.happened:
            assert number > 1, "there was no step at which anything could have happened"
            return
        yield site, progress
        shutil.rmtree(here)
    raise AssertionError("it never came to an end")


def furnish_files(folder: Path) -> None:
    furnish(folder / "import", "import an image")
    (folder / "import" / "files").rename(folder / "files")
    (folder / "files" / "layer").write_bytes(LARGE)
    shutil.rmtree(folder / "import")
    (folder / "outside").mkdir()
    (folder / "outside" / "file").write_bytes(HELLO)


def check_nothing_lost(before: set[tuple[str, bytes]], folder: Path, site: Site) -> None:
    """Whatever somebody else did, all other blobs are somewhere, and each one is whole; outside nothing happened."""
    assert (site.outside / "file").read_bytes() == HELLO
    assert os.listdir(site.outside) == ["file"]
    names = {}
    for path in folder.rglob("*"):
        if path.parent.name == "sha256" and path.is_file() and not path.is_symlink() and "metadata" not in path.parts:
            names[path.name] = path.read_bytes()
    for name, content in names.items():
        assert digest_of(content) == f"sha256:{name}" or content in (OTHER, HELLO[:3])
    lost = {Path(path).name for path, _ in before if "metadata" not in path} - names.keys()
    assert lost <= {site.blob.name}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("pull", PULLS)
def test_whatever_is_taken_or_replaced_meanwhile_the_work_ends_well(memory: Path, pull: str, work: str) -> None:
    if "source" in pull and work != "import":
        return
    for _ in pulled(memory, pull, work):
        pass


@pytest.mark.parametrize("pull", [pull for pull in PULLS if pull.startswith(("a blob", "the blobs"))])
def test_what_was_replaced_before_it_was_read_is_never_called_sound(memory: Path, pull: str) -> None:
    """Promise 15."""
    _, progress = next(pulled(memory, pull, "verify"))
    batches = [item for item in progress.drain() if isinstance(item, VerifyBatch)]
    outcomes = {Outcome(outcome) for batch in batches for outcome in batch.outcomes}
    assert outcomes - {Outcome.VERIFIED}, "something was wrong, and nothing said so"
