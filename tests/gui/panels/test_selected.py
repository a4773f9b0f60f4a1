"""What can be said of a selection: how large it is, whether it is index entries, where its file lies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.digest import digest_of
from gui.panels.selected import Selected
from gui.panels.selections import Selections
from gui.session import Selection, Session

Open = Callable[[Path], Session]


def entry(session: Session, name: str) -> Selection:
    assert session.snapshot is not None
    found = next(entry for entry in session.snapshot.entries if name in entry.names)
    return Selection(session, found.descriptor.digest, found.position)


def test_an_image_is_as_large_as_all_its_parts_and_shared_ones_count_once(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    one, two = entry(session, "example.org/web:1.0"), entry(session, "example.org/web:1.1")
    alone = [Selected(session, [each], with_parts=True).size for each in (one, two)]
    together = Selected(session, [one, two], with_parts=True).size
    assert max(alone) < together < sum(alone)
    assert Selected(session, [one]).size < 2000, "the manifest's own file, where blobs are listed"


def test_only_index_entries_are_index_entries(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    assert snapshot is not None
    image = entry(session, "example.org/web:1.0")
    layer = snapshot.name(snapshot.children(snapshot.find(image.digest))[-1].target)
    part = Selection(session, layer, image.entry_position)
    assert Selected(session, [image]).entries == [image.entry_position]
    assert Selected(session, [part]).entries == []
    assert Selected(session, [image, part]).entries == [], "the two are removed by different verbs"


def test_references_are_names_with_digests_as_tools_take_them(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    image = entry(session, "example.org/web:1.0")
    unnamed = Selection(session, image.digest)
    selected = Selected(session, [image, unnamed])
    assert selected.references == [f"example.org/web:1.0@{image.digest}", image.digest]
    assert selected.digests == [image.digest, image.digest]


def test_the_file_is_where_the_blob_lies(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    assert snapshot is not None
    image = entry(session, "example.org/web:1.0")
    assert Selected(session, [image]).file == sample / "blobs" / image.digest.replace(":", "/")
    stray = Selection(session, "sha256/271828.tmp")
    assert Selected(session, [stray]).file == sample / "blobs" / "sha256" / "271828.tmp"
    missing = Selection(session, str(digest_of(b"missing")))
    assert Selected(session, [missing]).file is None
    assert not Selected(session, [missing]).is_on_disk


def test_verifying_an_image_means_all_that_it_needs(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    assert snapshot is not None
    image = entry(session, "example.org/tool:2.0")
    rows = Selected(session, [image]).rows_with_parts
    assert set(rows.tolist()) == snapshot.below([snapshot.find(image.digest)])


def test_rows_that_a_list_knows_are_not_looked_up(open_session: Open, layout: Path) -> None:
    session = open_session(layout)

    def make(_position: int) -> Selection:
        raise AssertionError("nobody needs it")

    selected = Selected(session, Selections(3, make, session.snapshot, np.arange(3)))
    assert selected.rows.tolist() == [0, 1, 2]
    assert selected.size == 3 + 7 + 5000


def test_nothing_selected_is_nothing(open_session: Open, layout: Path) -> None:
    selected = Selected(open_session(layout))
    assert (len(selected), selected.first, selected.size, selected.file) == (0, None, 0, None)
    assert len(selected.rows) == 0


def test_only_blobs_with_a_file_of_their_own_can_be_saved(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    assert snapshot is not None
    every = [Selection(session, snapshot.name(row)) for row in range(len(snapshot))]
    found = Selected(session, every).with_files
    files = {path.name for path in (sample / "blobs/sha256").iterdir() if path.is_file() and len(path.name) == 64}
    assert {snapshot.name(int(row)).partition(":")[2] for row in found} == files
    assert 0 < len(found) < len(every)
    assert len(Selected(session).with_files) == 0


def test_what_is_saved_is_called_what_it_is(open_session: Open, sample: Path) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    assert snapshot is not None
    image = entry(session, "example.org/web:1.0")
    layer = Selection(session, snapshot.name(snapshot.children(snapshot.find(image.digest))[-1].target))
    assert Selected(session, [image]).what_is_saved == "&blob"
    assert Selected(session, [layer]).what_is_saved == "&layer"
    assert Selected(session, [image, layer]).what_is_saved == "&blobs"
