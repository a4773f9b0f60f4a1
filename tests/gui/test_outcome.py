"""What is said of a finished job."""

from pathlib import Path

import msgspec
import pytest

from engine import Progress, open_store
from engine.blobs import Change
from engine.digest import digest_of
from engine.findings import Remedy
from engine.importing import ImportRequest
from engine.leftovers import Leftover
from engine.removal import PlannedBlob, RemovalPlan, plan_removal
from engine.snapshot import Kind, Outcome, State
from engine.verify import VerifySummary
from gui import outcome

ONE, TWO = digest_of(b"one"), digest_of(b"two")


@pytest.mark.parametrize(
    ("counts", "worst", "sentence"),
    [
        ({Outcome.VERIFIED: 412}, None, "412 blobs verified (1.0 kB): sound, every byte."),
        ({Outcome.VERIFIED: 1}, None, "1 blob verified (1.0 kB): sound, every byte."),
        (
            {Outcome.VERIFIED: 3, Outcome.CORRUPT: 1},
            State.CORRUPT,
            "1 blob is not what its digest names; 3 blobs verified (1.0 kB).",
        ),
        (
            {Outcome.CORRUPT: 2, Outcome.UNREADABLE: 1},
            State.CORRUPT,
            "2 blobs are not what their digests name; 1 blob could not be read; 0 blobs verified (1.0 kB).",
        ),
        ({Outcome.VERIFIED: 1, Outcome.CHANGED: 1}, None, "1 blob changed meanwhile; 1 blob verified (1.0 kB)."),
    ],
)
def test_a_verification_is_summed_up(counts: dict[Outcome, int], worst: State | None, sentence: str) -> None:
    assert outcome.verified(VerifySummary(counts, 1000)) == (worst, sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Change(added=(ONE,)), f"a.tar was imported into store: {ONE.short}."),
        (Change(present=(ONE,)), f"a.tar is in store already: {ONE.short}."),
        (Change(repaired=(ONE,)), f"a.tar has repaired a blob of store: {ONE.short}."),
    ],
)
def test_one_imported_file_is_named_with_its_digest(change: Change, sentence: str) -> None:
    assert outcome.imported("store", [ImportRequest(Path("/x/a.tar"))], change) == sentence


def test_an_imported_file_is_told_with_its_name_in_the_index() -> None:
    request = ImportRequest(Path("/x/m.json"), "app:1")
    sentence = outcome.imported("store", [request], Change(added=(ONE,), index_changed=True))
    assert sentence == f"m.json was imported into store: {ONE.short}, named app:1."


def test_several_imported_files_are_counted_by_what_became_of_them() -> None:
    requests = [ImportRequest(Path(f"/x/{n}")) for n in range(3)]
    change = Change(added=(ONE,), present=(TWO,), repaired=(TWO,))
    assert outcome.imported("store", requests, change) == (
        "3 files imported into store: 1 new, 1 repaired, 1 already there."
    )


@pytest.fixture
def nothing(layout: Path) -> RemovalPlan:
    """A plan that removes nothing."""
    with open_store(layout) as store:
        return plan_removal(store.scan(Progress()))


def test_a_removal_tells_the_bytes_that_really_became_free(nothing: RemovalPlan) -> None:
    blobs = (PlannedBlob(ONE, Kind.LAYER, 1000, 1000), PlannedBlob(TWO, Kind.LAYER, 500, 500))
    planned = msgspec.structs.replace(nothing, blobs=blobs, freed=1500)
    change = Change(removed=(ONE,), note="1 stayed because something has come to need it.")
    assert outcome.removed(planned, change) == (
        "1 blob moved to the trash (1.0 kB). 1 stayed because something has come to need it."
    )
    assert outcome.removed(planned, change, for_good=True) == (
        "1 blob deleted, 1.0 kB freed. 1 stayed because something has come to need it."
    )


def test_a_removal_that_found_nothing_left_says_so(nothing: RemovalPlan) -> None:
    assert outcome.removed(nothing, Change()) == "Nothing was removed."


def test_a_clean_up_tells_what_went() -> None:
    gone = [Leftover("x", "umoci", 700, True, ""), Leftover("y", "umoci", 300, True, "")]
    only_leftovers = outcome.cleaned_up(outcome.Cleaned(Change(), 0, gone))
    assert only_leftovers == "2 leftovers of crashed programs removed, 1.0 kB freed."
    assert outcome.cleaned_up(outcome.Cleaned(Change(removed=(ONE,)), 5)) == "1 blob moved to the trash (5 bytes)."
    assert outcome.cleaned_up(outcome.Cleaned(Change(removed=(ONE,), note="1 stayed."), 9)) == (
        "1 blob moved to the trash. 1 stayed."
    )
    assert outcome.cleaned_up(outcome.Cleaned(Change(), 0)) == "There was nothing that could be cleaned up."


@pytest.mark.parametrize(
    ("remedy", "places", "sentence"),
    [
        (Remedy.RIGHT_SIZE, 1, "The right size was written."),
        (Remedy.RIGHT_SIZE, 3, "The right size was written in 3 places."),
        (Remedy.ADD_TO_INDEX, 1, "The image was added to the index."),
        (Remedy.ADD_TO_INDEX, 3, "3 images were added to the index."),
        (Remedy.CLEAN, 3, "Cleaned up."),
    ],
)
def test_a_remedy_says_where_it_was_done(remedy: Remedy, places: int, sentence: str) -> None:
    assert outcome.repaired(remedy, places, Change()) == sentence


def test_a_good_copy_says_whether_anything_was_there_before() -> None:
    assert outcome.replaced(ONE, Change(added=(ONE,))) == f"{ONE.short} is here now."
    assert outcome.replaced(ONE, Change(repaired=(ONE,))) == f"{ONE.short} has its own content again."
    assert outcome.replaced(ONE, Change(present=(ONE,))) == f"{ONE.short} is sound already; nothing was changed."


def test_a_name_that_moved_is_told_with_what_it_left() -> None:
    assert outcome.named(ONE, "app:1", moved=False) == f"{ONE.short} is in the index as app:1."
    assert outcome.named(ONE, None, moved=False) == f"{ONE.short} is in the index, without a name."
    assert outcome.named(ONE, "app:1", moved=True).endswith("What had that name before is still there.")
