"""What an open store promises the window: what is known of it, what is done to it, and what happens on the disk."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from engine import DockerImageStore, ImageLayout, ImportRequest, open_store
from engine.removal import RemovalPlan
from engine.sample import make_sample
from engine.snapshot import Outcome, State
from engine.verdicts import load_verdicts
from engine.verify import VerifyBatch
from gui.jobs import JobRunner, JobState
from gui.outcome import Notice
from gui.session import Session
from tests.gui.conftest import PATIENCE_MS, OpenSession, wait_until_known


def notices(session: Session) -> list[Notice]:
    """A list that every notice of the session is added to."""
    found: list[Notice] = []
    session.noticed.connect(found.append)
    return found


def names(session: Session) -> list[str]:
    assert session.snapshot is not None
    return [name for entry in session.snapshot.entries for name in entry.names]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def settle(qtbot: QtBot, session: Session, condition: object) -> None:
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


# ------------------------------------------------------------------------------------------------------- opening


def test_cheap_checks_are_done_when_a_store_is_open(open_session: OpenSession, sample: Path) -> None:
    session = open_session(sample)
    counts = session.counts
    assert counts[State.MISSING] == 1
    assert counts[State.SIZE_DIFFERS] == 1
    assert counts[State.LOST] == 1
    assert counts[State.EXTERNAL] == 1
    assert counts[State.JUNK] == 1
    assert sum(counts.values()) == len(session.snapshot or ())
    assert State.CORRUPT not in counts


def test_an_image_is_as_bad_as_its_worst_part(open_session: OpenSession, sample: Path) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    assert snapshot is not None
    worst = {name: session.worst_state(entry.row) for entry in snapshot.entries for name in entry.names}
    assert worst["example.org/broken:missing"] == State.MISSING
    assert worst["example.org/web:1.0"] == State.VERIFIED or not worst["example.org/web:1.0"].bad


def test_what_is_known_of_a_closed_store_comes_nowhere(
    qtbot: QtBot, runner: JobRunner, sample: Path, tmp_path: Path, qapp: QCoreApplication
) -> None:
    session = Session(runner, open_store(sample), tmp_path / "cache", qapp)
    session.rescan()
    session.close()
    qtbot.waitUntil(lambda: not runner.active(), timeout=PATIENCE_MS)
    assert session.snapshot is None
    shiboken6.delete(session)


def test_docker_s_store_opens_as_well(open_session: OpenSession, tmp_path: Path) -> None:
    path = tmp_path / "imagedb"
    with DockerImageStore.create(path) as store:
        store.set(b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
    session = open_session(path)
    assert not session.is_layout
    assert session.snapshot is not None
    assert len(session.snapshot.entries) == 1


# ----------------------------------------------------------------------------------------------------- verifying


def test_verdicts_show_as_they_are_found_and_reach_the_images_above(
    qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    session = open_session(sample)
    told = notices(session)
    changed: list[object] = []
    session.statesChanged.connect(changed.append)
    session.verify()
    assert session.verifying
    settle(qtbot, session, lambda: not session.verifying)
    assert session.counts[State.CORRUPT] == 1
    assert State.NOT_CHECKED not in session.counts
    assert State.CHECKING not in session.counts
    snapshot = session.snapshot
    assert snapshot is not None
    for name, state in (("broken:corrupt", State.CORRUPT), ("broken:truncated", State.SIZE_DIFFERS)):
        (broken,) = (entry for entry in snapshot.entries if entry.names == (f"example.org/{name}",))
        assert session.worst_state(broken.row) == state
    assert changed
    assert told[-1].severity == "error"
    assert "2 blobs are not what their digests name" in told[-1].sentence
    assert np.array_equal(session.worst, snapshot.worst(session.states))
    assert sum(session.counts.values()) == len(snapshot)


def test_only_what_was_asked_for_is_hashed(qtbot: QtBot, open_session: OpenSession, layout: Path) -> None:
    session = open_session(layout)
    session.verify(np.array([1]))
    settle(qtbot, session, lambda: not session.verifying)
    assert [bool(when) for when in session.verdicts.checked_at] == [False, True, False]


def test_a_limit_leaves_large_blobs_alone(qtbot: QtBot, open_session: OpenSession, layout: Path) -> None:
    session = open_session(layout)
    session.verify_unchecked(limit=100)
    settle(qtbot, session, lambda: not session.verifying)
    assert np.count_nonzero(session.verdicts.checked_at) == 2


def test_there_is_nothing_to_verify_in_an_empty_store(open_session: OpenSession, tmp_path: Path) -> None:
    ImageLayout.create(tmp_path / "empty").close()
    session = open_session(tmp_path / "empty")
    assert session.verify() is None
    assert not session.verifying


def test_a_verification_that_is_cancelled_leaves_what_it_found_and_nothing_checking(
    qtbot: QtBot, open_session: OpenSession, tmp_path: Path
) -> None:
    path = tmp_path / "big"
    with ImageLayout.create(path) as made:
        for number in range(3):
            made.blobs.put(bytes([number]) * 40_000_000)
    session = open_session(path)
    job = session.verify()
    assert job is not None
    assert session.counts == {State.CHECKING: 3}
    began = time.monotonic()
    session.cancel(job)
    settle(qtbot, session, lambda: not session.verifying)
    assert job.state is JobState.CANCELLED
    assert time.monotonic() - began < 5
    assert State.CHECKING not in session.counts


def test_verdicts_are_remembered_until_the_file_changes(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path
) -> None:
    for path in (layout / "blobs" / "sha256").iterdir():
        os.utime(path, ns=(2, 2))  # long ago: what was hashed in the moment of its change is not remembered
    session = open_session(layout)
    session.verify()
    settle(qtbot, session, lambda: not session.verifying)
    session.close()
    blob = layout / "blobs" / digest_of(b"two two").replace(":", "/")
    os.utime(blob, ns=(1, 1))
    again = open_session(layout)
    assert again.snapshot is not None
    row = again.snapshot.find(digest_of(b"two two"))
    checked = [bool(when) for when in again.verdicts.checked_at]
    assert checked.count(True) == 2
    assert not checked[row]


def test_what_was_found_is_remembered_although_the_store_is_closed_at_once(
    qtbot: QtBot, open_session: OpenSession, runner: JobRunner, layout: Path, tmp_path: Path
) -> None:
    for path in (layout / "blobs" / "sha256").iterdir():
        os.utime(path, ns=(2, 2))
    session = open_session(layout)
    picture, verifier = session._picture, session._verifier
    assert picture is not None
    batch = VerifyBatch(np.array([1]), np.array([Outcome.VERIFIED], np.uint8), time.time(), {})
    picture.record(batch)
    verifier._unsaved = True
    session.close()
    assert runner.shutdown(PATIENCE_MS / 1000)
    verdicts, columns = load_verdicts(tmp_path / "cache", layout)
    assert columns.names.tolist() == [picture.snapshot.columns.names[1]]
    assert verdicts.outcomes.tolist() == [Outcome.VERIFIED]


def test_what_is_verified_while_the_store_is_scanned_anew_is_not_lost(
    qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    session = open_session(sample)
    session.verify()
    (sample / "blobs" / "sha256" / "0000.tmp").write_bytes(b"new")
    session.rescan()
    qtbot.waitUntil(
        lambda: (
            not session.verifying and session.snapshot is not None and session.snapshot.find("sha256/0000.tmp") >= 0
        ),
        timeout=PATIENCE_MS,
    )
    assert session.counts[State.CORRUPT] == 1
    assert State.NOT_CHECKED not in session.counts
    assert State.CHECKING not in session.counts
    assert sum(session.counts.values()) == len(session.snapshot or ())


def test_what_is_verified_while_a_store_is_still_being_read_is_not_lost(
    qtbot: QtBot, runner: JobRunner, sample: Path, tmp_path: Path, qapp: QCoreApplication
) -> None:
    session = Session(runner, open_store(sample), tmp_path / "cache", qapp)
    session.when_known(session.verify)
    session.rescan()
    wait_until_known(qtbot, session)
    qtbot.waitUntil(lambda: not session.verifying, timeout=PATIENCE_MS)
    assert session.counts[State.CORRUPT] == 1
    assert State.NOT_CHECKED not in session.counts
    assert State.CHECKING not in session.counts
    session.close()
    shiboken6.delete(session)


def test_what_is_cancelled_while_the_store_is_scanned_anew_is_not_checking_for_ever(
    qtbot: QtBot, open_session: OpenSession, tmp_path: Path
) -> None:
    path = tmp_path / "big"
    with ImageLayout.create(path) as made:
        for number in range(3):
            made.blobs.put(bytes([number]) * 40_000_000)
    session = open_session(path)
    job = session.verify()
    assert job is not None
    session.rescan()
    with qtbot.waitSignal(session.snapshotChanged, timeout=PATIENCE_MS):
        session.cancel(job)
    qtbot.waitUntil(lambda: not session.verifying, timeout=PATIENCE_MS)
    assert State.CHECKING not in session.counts


# ------------------------------------------------------------------------------------------------------ changing


def test_an_imported_file_is_named_and_revealed(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path
) -> None:
    session = open_session(layout)
    told = notices(session)
    file = tmp_path / "hello.txt"
    file.write_bytes(b"hello")
    with qtbot.waitSignal(session.revealed, timeout=PATIENCE_MS) as revealed:
        session.changes.import_files([ImportRequest(file)])
    assert revealed.args[0] == digest_of(b"hello")
    assert session.snapshot is not None
    assert session.snapshot.find(digest_of(b"hello")) >= 0
    assert told[-1].severity == "success"
    assert "hello.txt was imported into small" in told[-1].sentence


def test_what_is_imported_was_hashed_on_its_way_and_need_not_be_again(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path
) -> None:
    (layout / "blobs" / digest_of(b"two two").replace(":", "/")).write_bytes(b"another")
    session = open_session(layout)
    file, repair = tmp_path / "hello.txt", tmp_path / "two.txt"
    file.write_bytes(b"hello")
    repair.write_bytes(b"two two")
    with qtbot.waitSignal(session.revealed, timeout=PATIENCE_MS):
        session.changes.import_files([ImportRequest(file), ImportRequest(repair)])
    assert session.snapshot is not None
    outcomes = {session.snapshot.name(row): Outcome(value) for row, value in enumerate(session.verdicts.outcomes)}
    assert outcomes[digest_of(b"hello")] == outcomes[digest_of(b"two two")] == Outcome.VERIFIED
    assert outcomes[digest_of(b"one")] == Outcome.NONE


def test_a_file_that_is_there_already_is_revealed_too(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path
) -> None:
    session = open_session(layout)
    told = notices(session)
    file = tmp_path / "one.txt"
    file.write_bytes(b"one")
    with qtbot.waitSignal(session.revealed, timeout=PATIENCE_MS) as revealed:
        session.changes.import_files([ImportRequest(file)])
    assert revealed.args[0] == digest_of(b"one")
    assert "is in small already" in told[-1].sentence


def test_a_failure_is_told_in_a_sentence_and_nothing_is_half_done(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path
) -> None:
    session = open_session(layout)
    told = notices(session)
    session.changes.import_files([ImportRequest(tmp_path / "gone.txt")])
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert told[0].severity == "error"
    assert "gone.txt" in told[0].sentence
    assert len(session.snapshot or ()) == 3
    qtbot.waitUntil(lambda: not session.jobs, timeout=PATIENCE_MS)


def test_untagging_leaves_the_blobs_and_deleting_frees_what_was_planned(
    qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    session = open_session(sample)
    told = notices(session)
    plans: list[RemovalPlan] = []
    position = next(e.position for e in session.snapshot.entries if e.names == ("example.org/web:1.0",))
    session.changes.plan_removal([position], with_content=True, then=plans.append)
    qtbot.waitUntil(lambda: bool(plans), timeout=PATIENCE_MS)
    (plan,) = plans
    assert plan.freed > 0
    before = sum(file.stat().st_size for file in (sample / "blobs" / "sha256").iterdir())
    session.changes.apply_removal(plan)
    qtbot.waitUntil(lambda: "example.org/web:1.0" not in names(session), timeout=PATIENCE_MS)
    assert before - sum(file.stat().st_size for file in (sample / "blobs" / "sha256").iterdir()) == plan.freed
    assert "example.org/web:1.0 untagged" in told[-1].sentence


def test_an_entry_gets_another_name_and_stays_selected(qtbot: QtBot, open_session: OpenSession, sample: Path) -> None:
    session = open_session(sample)
    entry = session.snapshot.entries[0]
    with qtbot.waitSignal(session.revealed, timeout=PATIENCE_MS) as revealed:
        session.changes.rename_entry(0, "other:1")
    assert revealed.args[0] == entry.descriptor.digest
    assert "other:1" in names(session)
    assert entry.names[0] not in names(session)


@pytest.mark.parametrize("what", ["name", "annotation"])
def test_names_and_annotations_that_another_program_overwrote_can_be_applied_again(
    qtbot: QtBot, open_session: OpenSession, sample: Path, what: str
) -> None:
    session = open_session(sample)
    told = notices(session)
    before = (sample / "index.json").read_bytes()
    if what == "name":
        session.changes.add_name(session.snapshot.entries[0].descriptor.digest, "app:latest")
    else:
        session.changes.annotate_entry(0, "com.example.team", "web")
    wanted = {"name": b'"app:latest"', "annotation": b'"com.example.team"'}[what]
    qtbot.waitUntil(lambda: not session.changing and told != [] and not session._scanner.running, timeout=PATIENCE_MS)
    assert wanted in (sample / "index.json").read_bytes()
    (sample / "index.json").write_bytes(before)
    qtbot.waitUntil(lambda: any(notice.action_text == "Apply again" for notice in told), timeout=PATIENCE_MS)
    (notice,) = (notice for notice in told if notice.action_text == "Apply again")
    assert notice.action is not None
    notice.action()
    qtbot.waitUntil(lambda: wanted in (sample / "index.json").read_bytes(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not session.changing and not session._scanner.running, timeout=PATIENCE_MS)


def test_a_change_that_another_program_overwrote_can_be_applied_again(
    qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    session = open_session(sample)
    told = notices(session)
    before = (sample / "index.json").read_bytes()
    with qtbot.waitSignal(session.revealed, timeout=PATIENCE_MS):
        session.changes.rename_entry(0, "other:1")
    (sample / "index.json").write_bytes(before)
    qtbot.waitUntil(lambda: any(notice.action_text == "Apply again" for notice in told), timeout=PATIENCE_MS)
    (notice,) = (notice for notice in told if notice.action_text == "Apply again")
    assert notice.severity == "warning"
    assert notice.action is not None
    notice.action()
    qtbot.waitUntil(lambda: "other:1" in names(session), timeout=PATIENCE_MS)


def test_leftovers_of_crashed_writers_go_and_nothing_else(
    qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    (sample / ".blobscope-0123456789abcdef").mkdir()
    session = open_session(sample)
    told = notices(session)
    blobs = len(list((sample / "blobs" / "sha256").glob("?" * 64)))
    session.changes.clean_up(lambda: None, leftovers=True)
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert "leftover" in told[0].sentence
    assert not (sample / ".blobscope-0123456789abcdef").exists()
    assert (sample / "oci-put-blob314159265").exists()
    assert len(list((sample / "blobs" / "sha256").glob("?" * 64))) == blobs


def test_metadata_is_set_read_and_removed(qtbot: QtBot, open_session: OpenSession, layout: Path) -> None:
    session = open_session(layout)
    digest = digest_of(b"one")
    keys: list[list[str]] = []
    values: list[bytes] = []
    with qtbot.waitSignal(session.metadataChanged, timeout=PATIENCE_MS) as changed:
        session.changes.set_metadata(digest, "note", b"mine")
    assert changed.args == [digest]
    session.metadata_keys(digest, keys.append)
    session.metadata_get(digest, "note", values.append)
    qtbot.waitUntil(lambda: bool(keys and values), timeout=PATIENCE_MS)
    assert keys == [["note"]]
    assert values == [b"mine"]
    with qtbot.waitSignal(session.metadataChanged, timeout=PATIENCE_MS):
        session.changes.delete_metadata(digest, "note")
    assert not (layout / "metadata").exists()


def test_stored_bytes_come_as_they_are_and_large_ones_are_cut(
    qtbot: QtBot, open_session: OpenSession, tmp_path: Path
) -> None:
    path = tmp_path / "store"
    content = os.urandom((1 << 20) + 5)
    with ImageLayout.create(path) as made:
        made.blobs.put(content)
        made.blobs.put(b"{ }")
    session = open_session(path)
    got: list[tuple[bytes, bool]] = []
    session.read_bytes(digest_of(b"{ }"), lambda raw, cut: got.append((raw, cut)))
    session.read_bytes(digest_of(content), lambda raw, cut: got.append((raw, cut)))
    qtbot.waitUntil(lambda: len(got) == 2, timeout=PATIENCE_MS)
    assert sorted(got, key=lambda each: len(each[0])) == [(b"{ }", False), (content[: 1 << 20], True)]


# ----------------------------------------------------------------------------------------------- the disk moves on


def test_a_blob_that_another_program_adds_shows_within_a_second(
    qtbot: QtBot, open_session: OpenSession, layout: Path
) -> None:
    session = open_session(layout)
    content = b"from elsewhere"
    with qtbot.waitSignal(session.changedOutside, timeout=1000) as told:
        (layout / "blobs" / digest_of(content).replace(":", "/")).write_bytes(content)
    assert told.args == ["Another program changed small: 1 blob added."]
    assert session.snapshot is not None
    assert session.snapshot.find(digest_of(content)) >= 0


def test_an_index_that_another_program_replaces_shows_within_a_second_time_after_time(
    qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    session = open_session(sample)
    for number in range(3):
        with ImageLayout.open(sample) as other:
            other.edit_index(lambda index, name=f"elsewhere:{number}": index.rename(0, name))
        qtbot.waitUntil(lambda name=f"elsewhere:{number}": name in names(session), timeout=1000)


def test_a_blob_that_is_overwritten_in_place_is_noticed(qtbot: QtBot, open_session: OpenSession, layout: Path) -> None:
    session = open_session(layout)
    session.verify()
    settle(qtbot, session, lambda: not session.verifying)
    assert session.snapshot is not None
    row = session.snapshot.find(digest_of(b"one"))
    assert session.state(row) == State.UNUSED
    assert session.verdicts.checked_at[row]
    with qtbot.waitSignal(session.changedOutside, timeout=PATIENCE_MS):
        (layout / "blobs" / digest_of(b"one").replace(":", "/")).write_bytes(b"eno")
    assert not session.verdicts.checked_at[row]


def test_refreshing_looks_into_every_document_again(qtbot: QtBot, open_session: OpenSession, sample: Path) -> None:
    session = open_session(sample)
    assert session.snapshot is not None
    row = session.snapshot.entries[0].row
    assert session.state(row) == State.VERIFIED
    blob = sample / "blobs" / session.snapshot.name(row).replace(":", "/")
    stamp = blob.stat()
    content = bytearray(blob.read_bytes())
    content[-2] ^= 1
    blob.write_bytes(content)
    os.utime(blob, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    session.rescan()
    qtbot.waitUntil(lambda: session.worst_state(row) in (State.CORRUPT, State.DAMAGED), timeout=PATIENCE_MS)


def test_our_own_change_is_not_told_as_another_program_s(
    qtbot: QtBot, open_session: OpenSession, layout: Path, tmp_path: Path
) -> None:
    session = open_session(layout)
    outside: list[str] = []
    session.changedOutside.connect(outside.append)
    file = tmp_path / "hello.txt"
    file.write_bytes(b"hello")
    with qtbot.waitSignal(session.revealed, timeout=PATIENCE_MS):
        session.changes.import_files([ImportRequest(file)])
    qtbot.wait(600)
    assert outside == []


def test_a_store_that_vanishes_is_told_and_what_was_known_stays(
    qtbot: QtBot, open_session: OpenSession, layout: Path
) -> None:
    session = open_session(layout)
    told = notices(session)
    shutil.rmtree(layout)
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert told[0].severity == "error"
    assert "is no longer there" in told[0].sentence
    assert told[0].action_text == "Try again"
    assert len(session.snapshot or ()) == 3


@pytest.mark.parametrize("change", ["nothing", "an unrelated file"])
def test_what_does_not_matter_wakes_nobody(qtbot: QtBot, open_session: OpenSession, layout: Path, change: str) -> None:
    session = open_session(layout)
    shown: list[None] = []
    session.snapshotChanged.connect(lambda: shown.append(None))
    if change == "an unrelated file":
        (layout / "notes.txt").write_text("unrelated")
    qtbot.wait(700)
    assert shown == []


def test_a_second_sample_is_a_second_session(open_session: OpenSession, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = open_session(make_sample(tmp_path / "a")), open_session(make_sample(tmp_path / "b"))
    assert first.path != second.path
    assert first.counts == second.counts


def test_a_scan_asked_for_while_one_runs_comes_after_it(qtbot: QtBot, open_session: OpenSession, layout: Path) -> None:
    session = open_session(layout)
    session.rescan()
    (layout / "blobs" / digest_of(b"late").replace(":", "/")).write_bytes(b"late")
    session.rescan()
    qtbot.waitUntil(lambda: session.snapshot.find(digest_of(b"late")) >= 0, timeout=PATIENCE_MS)
    wait_until_known(qtbot, session)
