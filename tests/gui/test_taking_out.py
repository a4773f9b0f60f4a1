"""Taking things out as jobs: what is told at their end, and where copies for other programs are made."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.errors import BlobUnreadable, Refused, StorageFailed
from engine.extracting import Extraction
from engine.progress import Progress
from engine.store import Store
from gui import taking_out
from gui.outcome import Notice
from gui.session import Session
from gui.taking_out import Chosen, Wanted

Open = Callable[[Path], Session]


class Notes(Wanted):
    """Something that can be taken out, or not."""

    doing = "Extracting"
    offer = "Extract to…"
    question = "Extract {} to a folder"

    def __init__(self, work: Callable[[Path, Progress], Extraction], size: int = 5) -> None:
        super().__init__("notes", size)
        self._work = work
        self.most: int | None = -1

    def take(self, store: Store, cache: Path, target: Path, progress: Progress, most: int | None) -> Extraction:
        self.most = most
        return self._work(target, progress)

    def tell(self, done: Extraction, target: Path) -> str:
        return f"{len(done.placed)} in {target.name}."


def write(target: Path, _progress: Progress) -> Extraction:
    (target / "notes").write_text("hello")
    return Extraction(placed=[target / "notes"], files=1, size=5)


@pytest.fixture
def session(layout: Path, open_session: Open) -> Session:
    return open_session(layout)


@pytest.fixture
def notices(session: Session) -> list[Notice]:
    found: list[Notice] = []
    session.noticed.connect(found.append)
    return found


@pytest.fixture
def target(tmp_path: Path) -> Path:
    target = tmp_path / "out"
    target.mkdir()
    return target


def take(qtbot: QtBot, session: Session, notices: list[Notice], what: Wanted, target: Path) -> Notice:
    session.taking_out.take(what, target)
    qtbot.waitUntil(lambda: bool(notices))
    return notices[-1]


def fail(error: Exception) -> Callable[[Path, Progress], Extraction]:
    def work(_target: Path, _progress: Progress) -> Extraction:
        raise error

    return work


def test_what_was_made_can_be_shown(qtbot: QtBot, session: Session, notices: list[Notice], target: Path) -> None:
    shown: list[Path] = []
    session.taking_out.showAsked.connect(shown.append)
    what = Notes(write)
    notice = take(qtbot, session, notices, what, target)
    assert (notice.severity, notice.sentence, notice.action_text) == ("success", "1 in out.", "Show in file manager")
    assert notice.action is not None
    notice.action()
    assert shown == [target / "notes"]
    assert what.most is None, "a person has said where it is to go, so it may be large"


def test_what_was_left_out_is_a_warning_with_all_of_it_in_the_details(
    qtbot: QtBot, session: Session, notices: list[Notice], target: Path
) -> None:
    def work(target: Path, progress: Progress) -> Extraction:
        made = write(target, progress)
        made.left_out, made.left_out_count = [("a", "No."), ("b", "No.")], 2
        return made

    listed: list[Extraction] = []
    session.taking_out.listAsked.connect(listed.append)
    notice = take(qtbot, session, notices, Notes(work), target)
    assert notice.severity == "warning"
    assert notice.details == "a: Left out: No.\nb: Left out: No."
    ((words, act),) = notice.more
    assert words == "Show what is different"
    act()
    assert listed[0].left_out_count == 2


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOENT])
def test_a_folder_that_cannot_be_written_to_is_told_as_such_and_another_is_asked_for(
    qtbot: QtBot, session: Session, notices: list[Notice], target: Path, number: int
) -> None:
    def work(target: Path, _progress: Progress) -> Extraction:
        raise StorageFailed.from_os("Writing to", str(target), OSError(number, "")) from OSError(number, "")

    asked: list[Chosen] = []
    session.taking_out.folderAsked.connect(asked.append)
    what = Notes(work)
    notice = take(qtbot, session, notices, what, target)
    assert notice.sentence.endswith("Choose a folder that you can write to.")
    assert "store" not in notice.sentence
    assert notice.action is not None
    notice.action()
    assert asked == [(session.taking_out, what)]


def test_a_full_disk_says_that_room_helps(qtbot: QtBot, session: Session, notices: list[Notice], target: Path) -> None:
    full = StorageFailed.from_os("Writing to", str(target), OSError(errno.ENOSPC, ""))
    full.__cause__ = OSError(errno.ENOSPC, "")
    assert "Free some space" in take(qtbot, session, notices, Notes(fail(full)), target).sentence


def test_another_folder_does_not_help_where_the_store_is_damaged(
    qtbot: QtBot, session: Session, notices: list[Notice], target: Path
) -> None:
    notice = take(qtbot, session, notices, Notes(fail(BlobUnreadable("It is damaged."))), target)
    assert (notice.severity, notice.sentence, notice.action) == ("error", "It is damaged.", None)


@pytest.mark.parametrize("way", ["", "blobs", "link"])
def test_nothing_is_made_in_the_store_whatever_way_leads_there(
    qtbot: QtBot, session: Session, notices: list[Notice], tmp_path: Path, way: str
) -> None:
    (tmp_path / "link").symlink_to(session.path / "blobs")
    place = tmp_path / "link" if way == "link" else session.path / way
    notice = take(qtbot, session, notices, Notes(write), place)
    assert "is in the store itself" in notice.sentence
    assert not (place / "notes").exists()


def test_what_was_whole_before_it_was_stopped_is_told(
    qtbot: QtBot, session: Session, notices: list[Notice], target: Path
) -> None:
    def work(target: Path, progress: Progress) -> Extraction:
        made = write(target, progress)
        progress.cancel()
        return made

    assert take(qtbot, session, notices, Notes(work), target).sentence == "1 in out."


def test_what_was_stopped_before_is_told_to_be_nowhere(
    qtbot: QtBot, session: Session, notices: list[Notice], target: Path
) -> None:
    def work(_target: Path, progress: Progress) -> Extraction:
        progress.cancel()
        progress.check()
        raise AssertionError

    notice = take(qtbot, session, notices, Notes(work), target)
    assert notice.sentence == f"Extracting notes was stopped. Nothing of it is in {target}."


def test_copies_are_made_in_a_folder_of_ours(qtbot: QtBot, session: Session, notices: list[Notice]) -> None:
    made: list[Extraction] = []
    what = Notes(write)
    session.taking_out.copy(what, made.append, lambda: None)
    qtbot.waitUntil(lambda: bool(made))
    (path,) = made[0].placed
    assert session.taking_out.copies.has(path)
    assert what.most == taking_out.MOST_COPIED
    assert notices == []
    session.taking_out.copies.remove()
    assert not path.exists()


def test_what_is_too_large_to_be_copied_is_offered_to_be_extracted(session: Session, notices: list[Notice]) -> None:
    job = session.taking_out.copy(Notes(write, size=taking_out.MOST_COPIED + 1), list, lambda: None)
    assert job is None
    (notice,) = notices
    assert notice.sentence == "notes is too large to be copied or dragged: it has 100.0 MB, and 100.0 MB is the most."
    assert notice.action_text == "Extract to…"


def test_what_turns_out_to_be_too_large_leaves_nothing_and_is_offered_to_be_extracted(
    qtbot: QtBot, session: Session, notices: list[Notice]
) -> None:
    places: list[Path] = []

    def work(target: Path, _progress: Progress) -> Extraction:
        places.append(target)
        raise Refused("This would be too much.")

    failed: list[bool] = []
    session.taking_out.copy(Notes(work), list, lambda: failed.append(True))
    qtbot.waitUntil(lambda: bool(notices))
    assert (notices[0].sentence, notices[0].action_text) == ("This would be too much.", "Extract to…")
    assert failed == [True]
    assert not places[0].exists()
    session.taking_out.copies.remove()


def test_copies_that_were_whole_before_they_were_stopped_go(
    qtbot: QtBot, session: Session, notices: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[Path] = []
    may_end = threading.Event()

    def work(target: Path, progress: Progress) -> Extraction:
        made = write(target, progress)
        places.append(target)
        monkeypatch.setattr(progress, "check", may_end.wait)  # the wish comes after the last look for one
        return made

    failed: list[bool] = []
    job = session.taking_out.copy(Notes(work), list, lambda: failed.append(True))
    assert job is not None
    qtbot.waitUntil(lambda: bool(places))
    session.taking_out.stop(job)
    may_end.set()
    qtbot.waitUntil(lambda: bool(failed))
    qtbot.waitUntil(lambda: not places[0].exists())
    assert places[0].parent.exists()
    assert notices == []
    session.taking_out.copies.remove()


def test_copies_leave_room_for_others(
    qtbot: QtBot, session: Session, notices: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = os.statvfs_result((4096, 4096, 1000, 500, 100, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: room)
    made: list[Extraction] = []
    what = Notes(write)
    session.taking_out.copy(what, made.append, lambda: None)
    qtbot.waitUntil(lambda: bool(made))
    assert what.most == 100 * 4096 // 2
    session.taking_out.copies.remove()


def test_where_there_is_nothing_to_copy_it_is_told_why(qtbot: QtBot, session: Session, notices: list[Notice]) -> None:
    def work(_target: Path, _progress: Progress) -> Extraction:
        return Extraction(left_out=[("dev/null", "It is a device.")], left_out_count=1)

    failed: list[bool] = []
    session.taking_out.copy(Notes(work), list, lambda: failed.append(True))
    qtbot.waitUntil(lambda: bool(failed))
    assert notices[0].sentence == "null was left out: it is a device."
    folder = session.taking_out.copies.new_folder()
    qtbot.waitUntil(lambda: [path for path in folder.parent.iterdir() if path.is_dir()] == [folder])
    session.taking_out.copies.remove()
