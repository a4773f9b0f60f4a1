"""What undo promises: everything as it was, also after a restart, and nothing lost where the store has moved on."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine import ImageLayout
from engine.removal import RemovalPlan
from engine.snapshot import Outcome, State
from gui.outcome import Notice
from gui.session import Session
from tests.gui.conftest import PATIENCE_MS, OpenSession
from tests.layouts import tree

NAME = "example.org/web:1.0"


class Desk:
    """A session, and everything that it has said."""

    def __init__(self, qtbot: QtBot, session: Session) -> None:
        self.qtbot, self.session = qtbot, session
        self.told: list[Notice] = []
        session.noticed.connect(self.told.append)
        self.settle()

    def settle(self) -> None:
        session = self.session
        self.until(lambda: not session.changing and not session._scanner.running and not session.undoing._reading)

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)

    def names(self) -> list[str]:
        snapshot = self.session.snapshot
        return [name for entry in (snapshot.entries if snapshot else ()) for name in entry.names]

    def position(self, name: str) -> int:
        assert self.session.snapshot is not None
        return next(entry.position for entry in self.session.snapshot.entries if name in entry.names)

    def delete(self, name: str, *, with_content: bool = True, for_good: bool = False) -> RemovalPlan:
        plans: list[RemovalPlan] = []
        self.session.changes.plan_removal([self.position(name)], with_content=with_content, then=plans.append)
        self.until(lambda: plans)
        self.session.changes.apply_removal(plans[0], for_good=for_good)
        self.until(lambda: name not in self.names())
        self.settle()
        return plans[0]

    def undo(self) -> None:
        self.session.undoing.undo()
        self.settle()

    def redo(self) -> None:
        self.session.undoing.redo()
        self.settle()


@pytest.fixture
def desk(qtbot: QtBot, open_session: OpenSession, sample: Path) -> Desk:
    return Desk(qtbot, open_session(sample))


def content(path: Path) -> dict[str, bytes]:
    """Every file of a store but what waits in its trash."""
    return {name: raw for name, (_, _, raw) in tree(path).items() if ".blobscope-trash" not in name and raw}


def test_a_deleted_image_comes_back_byte_for_byte(desk: Desk, sample: Path) -> None:
    before = content(sample)
    desk.delete(NAME)
    assert content(sample) != before
    assert desk.session.undoing.undo_title == f"Delete {NAME}"
    assert [record.title for record in desk.session.undoing.trash] == [f"Delete {NAME}"]
    desk.undo()
    assert content(sample) == before
    assert NAME in desk.names()
    assert desk.told[-1].sentence.startswith(f"Undone: Delete {NAME}.")
    assert desk.session.undoing.undo_title == ""
    assert not desk.session.undoing.trash


def test_what_was_undone_is_done_again_and_undone_again(desk: Desk, sample: Path) -> None:
    before = content(sample)
    desk.delete(NAME)
    deleted = content(sample)
    desk.undo()
    assert desk.session.undoing.redo_title == f"Delete {NAME}"
    desk.redo()
    assert content(sample) == deleted
    assert NAME not in desk.names()
    assert desk.session.undoing.redo_title == ""
    desk.undo()
    assert content(sample) == before


def test_undo_works_after_a_restart_the_newest_first(
    desk: Desk, qtbot: QtBot, open_session: OpenSession, sample: Path
) -> None:
    before = content(sample)
    desk.session.changes.rename_entry(desk.position("example.org/web:1.1"), "other:1")
    desk.until(lambda: "other:1" in desk.names())
    desk.delete(NAME)
    again = Desk(qtbot, open_session(sample))
    assert again.session.undoing.undo_title == f"Delete {NAME}"
    again.undo()
    assert again.session.undoing.undo_title == "Rename example.org/web:1.1"
    again.undo()
    assert content(sample) == before
    assert again.session.undoing.undo_title == ""
    again.redo()
    assert "other:1" in again.names()
    again.redo()
    assert NAME not in again.names()


def test_another_change_ends_what_can_be_done_again(desk: Desk) -> None:
    desk.delete(NAME)
    desk.undo()
    desk.session.changes.rename_entry(0, "other:1")
    desk.until(lambda: "other:1" in desk.names())
    desk.settle()
    assert desk.session.undoing.redo_title == ""


def test_untagging_is_undone_like_everything_else(desk: Desk, sample: Path) -> None:
    before = content(sample)
    desk.delete(NAME, with_content=False)
    assert not desk.session.undoing.trash, "there is nothing in the trash that takes room"
    desk.undo()
    assert content(sample) == before


def test_a_removal_is_told_with_a_button_that_undoes_it(desk: Desk, sample: Path) -> None:
    before = content(sample)
    desk.delete(NAME)
    notice = next(each for each in desk.told if "moved to the trash" in each.sentence)
    assert notice.action_text == "Undo"
    assert notice.action is not None
    notice.action()
    desk.until(lambda: NAME in desk.names())
    desk.settle()
    assert content(sample) == before
    notice.action()
    assert "no longer in the trash" in desk.told[-1].sentence


def test_what_was_deleted_for_good_is_gone_for_good(desk: Desk) -> None:
    desk.delete(NAME, for_good=True)
    assert desk.session.undoing.undo_title == ""
    assert "deleted" in desk.told[-1].sentence
    assert desk.told[-1].action is None


def test_undo_refuses_with_a_sentence_where_something_would_be_lost(desk: Desk, sample: Path) -> None:
    desk.delete(NAME)
    with ImageLayout.open(sample) as other:
        other.edit_index(lambda index: index.rename(0, NAME))
    desk.until(lambda: NAME in desk.names())
    desk.undo()
    assert desk.told[-1].severity == "error"
    assert "has come to stand for something else" in desk.told[-1].sentence
    assert desk.session.undoing.trash, "it is still there for later"


def test_of_several_that_are_restored_those_that_can_are(desk: Desk, sample: Path) -> None:
    second = next(name for name in desk.names() if name != NAME)
    desk.delete(NAME)
    desk.delete(second)
    with ImageLayout.open(sample) as other:
        other.edit_index(lambda index: index.rename(0, NAME))
    desk.until(lambda: NAME in desk.names())
    desk.settle()
    records = [record.id for record in desk.session.undoing.records]
    desk.session.undoing.restore(records)
    desk.until(lambda: second in desk.names())
    desk.settle()
    assert [record.id for record in desk.session.undoing.records] == records[1:]
    assert "stays in the trash" in desk.told[-1].sentence
    assert second in desk.session.undoing.redo_title


def test_redo_refuses_where_another_program_has_changed_the_index(desk: Desk, sample: Path) -> None:
    desk.session.changes.rename_entry(0, "other:1")
    desk.until(lambda: "other:1" in desk.names())
    desk.settle()
    desk.undo()
    with ImageLayout.open(sample) as other:
        other.edit_index(lambda index: index.rename(0, "elsewhere:1"))
    desk.until(lambda: "elsewhere:1" in desk.names())
    desk.redo()
    assert desk.told[-1].severity == "error"
    assert "index.json has changed since" in desk.told[-1].sentence
    assert "elsewhere:1" in desk.names()


def test_emptying_the_trash_frees_its_bytes(desk: Desk, sample: Path) -> None:
    plan = desk.delete(NAME)
    desk.session.undoing.empty()
    desk.until(lambda: not desk.session.undoing.trash)
    desk.settle()
    assert not (sample / ".blobscope-trash").exists()
    assert "freed" in desk.told[-1].sentence
    assert plan.freed


def test_a_lost_image_gets_a_name_and_loses_it_again(desk: Desk, sample: Path) -> None:
    before = content(sample)
    snapshot = desk.session.snapshot
    assert snapshot is not None
    digest = snapshot.name(snapshot.lost()[0])
    desk.session.changes.add_name(digest, "found:again")
    desk.until(lambda: "found:again" in desk.names())
    desk.settle()
    assert State.LOST not in desk.session.counts
    assert desk.session.undoing.undo_title == "Add found:again to the index"
    desk.undo()
    assert content(sample) == before


def test_a_corrupt_blob_is_kept_aside_until_somebody_wants_it_back(desk: Desk, sample: Path) -> None:
    before = content(sample)
    desk.session.verify()
    desk.until(lambda: not desk.session.verifying)
    snapshot = desk.session.snapshot
    assert snapshot is not None
    row = next(n for n in range(len(snapshot)) if desk.session.state(n) == State.CORRUPT)
    digest = snapshot.name(row)
    desk.session.changes.keep_aside(digest)
    desk.until(lambda: desk.session.undoing.trash)
    desk.settle()
    (record,) = desk.session.undoing.trash
    assert record.kind == "aside"
    assert desk.session.counts[State.MISSING] == 2
    desk.session.undoing.empty()
    desk.settle()
    assert len(desk.session.undoing.trash) == 1, "emptying leaves it"
    desk.undo()
    assert content(sample) == before


def test_what_was_known_of_a_blob_is_known_again_when_it_comes_back(desk: Desk, sample: Path) -> None:
    for path in (sample / "blobs" / "sha256").iterdir():
        os.utime(path, ns=(2, 2))
    desk.session.rescan()
    desk.settle()
    desk.session.verify()
    desk.until(lambda: not desk.session.verifying)
    plan = desk.delete(NAME)
    desk.undo()
    snapshot = desk.session.snapshot
    assert snapshot is not None
    layer = next(blob.digest for blob in plan.blobs if blob.size > 10_000)
    assert desk.session.verdicts.outcomes[snapshot.find(layer)] == Outcome.VERIFIED
    desk.delete(NAME)
    blob = sample / "blobs" / layer.replace(":", "/")
    blob.write_bytes(b"another")
    desk.until(lambda: desk.session.snapshot is not None and desk.session.snapshot.find(layer) >= 0)
    desk.settle()
    assert desk.session.snapshot is not None
    row = desk.session.snapshot.find(layer)
    assert desk.session.verdicts.outcomes[row] == Outcome.NONE, "another file of that name is another file"


def test_what_comes_back_was_not_hashed_on_the_way(desk: Desk) -> None:
    plan = desk.delete(NAME)
    desk.undo()
    snapshot = desk.session.snapshot
    assert snapshot is not None
    layer = next(blob.digest for blob in plan.blobs if blob.size > 10_000)
    assert desk.session.verdicts.outcomes[snapshot.find(layer)] == Outcome.NONE
