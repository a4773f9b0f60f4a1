"""What becomes of a name that is taken is said as it will be."""

import pytest

from engine import Progress, open_store
from engine.digest import shorten
from engine.snapshot import Snapshot
from gui.dialogs.taken_names import consequence, owners
from tests.layouts import LayoutFiles


def scan(files: LayoutFiles) -> Snapshot:
    with open_store(files.path) as store:
        return store.scan(Progress())


def test_what_has_only_that_name_keeps_an_entry(files: LayoutFiles) -> None:
    image = files.name(files.image(b"one"), "app:1")["digest"]
    snapshot = scan(files)
    assert owners(snapshot, "app:1") == {image}
    assert consequence(snapshot, "", "app:1") == (
        f"app:1 stands for {shorten(image)} now. It moves here, and what has it now keeps an entry without a name."
    )


def test_what_has_other_entries_stays_through_those(files: LayoutFiles) -> None:
    image = files.image(b"one")
    files.name(image, "app:1")
    files.name(image, "app:2")
    assert consequence(scan(files), "", "app:1").endswith("stays in the index through another entry.")


@pytest.mark.parametrize("name", ["app:2", ""])
def test_nothing_is_said_of_a_name_that_is_free(files: LayoutFiles, name: str) -> None:
    image = files.name(files.image(b"one"), "app:1")["digest"]
    assert consequence(scan(files), "", name) == ""
    assert consequence(scan(files), image, "app:1") == ""
    assert owners(scan(files), None) == set()
